-- Answers of network_preflight() and instance_preflight() in every kind of inventory.
\i test/tap/setup.psql

SELECT plan(48);

CREATE FUNCTION pg_temp.said(what text, id bigint, inventory name, question text, OUT verdict text, OUT answer text, OUT next text)
LANGUAGE plpgsql AS $$
BEGIN
	EXECUTE format('SELECT p.verdict, p.answer, p.next FROM vmnet.%I($1, $2) p WHERE p.question = $3', what || '_preflight')
	INTO verdict, answer, next USING id, inventory, question;
END $$;
CREATE FUNCTION pg_temp.turned(what text, id bigint, inventory name) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	turned text;
BEGIN
	EXECUTE format('SELECT string_agg(p.question || '' '' || p.verdict, ''; '') FROM vmnet.%I($1, $2) p WHERE p.verdict <> ''go''',
		what || '_preflight') INTO turned USING id, inventory;
	RETURN coalesce(turned, 'go');
END $$;

INSERT INTO cloud.networks (id, name) VALUES (1, 'used'), (2, 'empty'), (3, 'gone'), (4, 'half');
INSERT INTO cloud.instances (id, name) VALUES (1, 'a'), (2, 'b'), (3, 'c');
INSERT INTO cloud.nics (id, instance_id, network_id) VALUES (1, 1, 1), (2, 2, 4), (3, 3, 4);
UPDATE cloud.networks SET removed = now() WHERE id = 3;
SELECT is(pg_temp.turned('network', 1, 'cloud'), 'go', 'a network in use');
SELECT is(pg_temp.turned('network', 2, 'cloud'), 'go', 'an empty network');
SELECT is((pg_temp.said('network', 1, 'cloud', 'active instances')).answer, '1: a', 'who is active');
SELECT is((pg_temp.said('network', 1, 'cloud', 'what its removal waits for')).answer, 'held NICs: 1; its removal would be refused', 'blockers');
SELECT is((pg_temp.said('network', 2, 'cloud', 'what its removal waits for')).answer, 'nothing', 'no blockers');
SELECT alike((pg_temp.said('network', 1, 'cloud', 'last change')).answer, 'at %, as its rows say', 'the last change');
SELECT is(pg_temp.turned('instance', 1, 'cloud'), 'go', 'an instance');
SELECT is((pg_temp.said('instance', 1, 'cloud', 'active on networks')).answer, '1: used', 'where it is active');
SELECT is((pg_temp.said('network', 1, 'cloud', 'seen in reality')).answer, 'reality is not enabled: what hypervisors run is not known', 'reality');

-- ids that mean nothing are not go
SELECT is(pg_temp.turned('network', 99, 'cloud'), 'network stop; overall stop', 'an unknown network');
SELECT is(pg_temp.turned('instance', 99, 'cloud'), 'instance stop; overall stop', 'an unknown instance');
SELECT is(pg_temp.turned('network', NULL, 'cloud'), 'network stop; overall stop', 'NULL');
SELECT is(pg_temp.turned('network', 3, 'cloud'), 'network stop; overall stop', 'a removed network');
SELECT throws_ok('SELECT vmnet.network_preflight(1, ''none'')', '22023', NULL, 'an unknown inventory');

-- half-removed: just now, longer, accepted
UPDATE cloud.nics SET state = 'Deallocating' WHERE id = 2;
SELECT is(pg_temp.turned('network', 4, 'cloud'), 'half-removed NICs look; overall look', 'a removal that may be under way');
SET LOCAL session_replication_role = replica;
UPDATE cloud.all_nics SET state_changed = now() - interval '1 hour' WHERE id = 2;
SET LOCAL session_replication_role = origin;
SELECT is(pg_temp.turned('network', 4, 'cloud'), 'half-removed NICs stop; overall stop', 'a removal that stopped half-way');
SELECT is((pg_temp.said('network', 4, 'cloud', 'overall')).next, 'UPDATE cloud.all_nics SET removed = now() WHERE id = 2 AND removed IS NULL;', 'what comes next');
SELECT is(pg_temp.turned('instance', 2, 'cloud'), 'half-removed NICs stop; overall stop', 'of its instance');
SELECT is(pg_temp.turned('instance', 3, 'cloud'), 'go', 'not of another one');
SELECT vmnet.accept_finding('half_removed_nic', 'nic 2', NULL, 'known', inventory => 'cloud') \g /dev/null
SELECT is(pg_temp.turned('network', 4, 'cloud'), 'go', 'accepted');
SELECT alike((pg_temp.said('network', 4, 'cloud', 'accepted findings')).answer, 'half_removed_nic of nic 2, by %: known', 'which is said');

-- stuck, by the threshold
UPDATE cloud.nics SET state = 'Reserving' WHERE id = 3;
SELECT is(pg_temp.turned('instance', 3, 'cloud'), 'stuck look; overall look', 'a reservation that may be under way');
SELECT is((pg_temp.said('instance', 3, 'cloud', 'stuck')).next, $$SELECT * FROM vmnet.nic_explain(3, 'cloud');$$, 'where to look');
SET LOCAL session_replication_role = replica;
UPDATE cloud.all_nics SET state_changed = now() - interval '1 hour' WHERE id = 3;
SET LOCAL session_replication_role = origin;
SELECT alike((pg_temp.said('instance', 3, 'cloud', 'last change')).answer, 'at %; in history: NIC 3: % to Reserving at % by %', 'the last change that history has');
SELECT alike((pg_temp.said('instance', 3, 'cloud', 'stuck')).answer, 'NIC 3 of instance 3 on network 4 is stuck in Reserving', 'a stuck one');

-- the inventory itself; what it lacks
ALTER TABLE cloud.all_nics DISABLE TRIGGER USER;
SELECT is(pg_temp.turned('network', 1, 'cloud'), 'the inventory itself stop; overall stop', 'a guard is disabled');
ALTER TABLE cloud.all_nics ENABLE TRIGGER USER;

-- reality: what was seen once, and again; what is accepted; old evidence
SELECT is((pg_temp.said('network', 1, 'cloud', 'seen in reality')).answer, 'reality is not enabled: what hypervisors run is not known', 'nothing is known without reality');
SELECT vmnet.enable_reality('cloud') \g /dev/null
SELECT is((pg_temp.said('network', 1, 'cloud', 'seen in reality')).answer, 'no observer has sent a picture: what hypervisors run is not known', 'nor without an observer');
SELECT is(pg_temp.turned('network', 1, 'cloud'), 'go', 'which is go');
INSERT INTO cloud.observers (name, kind, host) VALUES ('kvm1', 'csv', 'kvm1');
INSERT INTO cloud.segments (host, segment, network_id) VALUES ('kvm1', 'br1', 1);
CREATE FUNCTION pg_temp.see(ago interval) RETURNS bigint LANGUAGE sql
AS $$ SELECT o.seen FROM vmnet.observe('kvm1', E'mac,segment,host\n02:00:00:00:00:99,br1,kvm1\n', now() - $1, inventory => 'cloud') o $$;
SELECT pg_temp.see('4 minutes') \g /dev/null
SELECT is(pg_temp.turned('network', 1, 'cloud'), 'seen in reality look; overall look', 'what was seen once');
SELECT pg_temp.see('1 minute') \g /dev/null
SELECT is(pg_temp.turned('network', 1, 'cloud'), 'seen in reality stop; overall stop', 'what was seen again');
SELECT is((pg_temp.said('network', 1, 'cloud', 'seen in reality')).answer, '1: observed_unknown', 'which it is');
SELECT is((pg_temp.said('network', 1, 'cloud', 'overall')).next, 'SELECT * FROM cloud.reality WHERE network_id = 1;', 'where it is');
SELECT is(pg_temp.turned('network', 2, 'cloud'), 'go', 'not elsewhere');
SELECT vmnet.accept_finding('observed_unknown', '02:00:00:00:00:99', NULL, 'a probe of ours', 'kvm1', 'cloud') \g /dev/null
SELECT is(pg_temp.turned('network', 1, 'cloud'), 'go', 'what is accepted does not count');
SELECT is((pg_temp.said('network', 1, 'cloud', 'seen in reality')).answer, 'nothing that was observed differs; accepted: 1', 'and is said');
UPDATE cloud.observers SET every = '30 seconds';
SELECT is(pg_temp.turned('network', 2, 'cloud'), 'seen in reality look; overall look', 'old evidence is a look');
SELECT alike((pg_temp.said('network', 2, 'cloud', 'seen in reality')).answer, 'no observer has sent a picture within its interval; the last one is of %', 'and says how old it is');
CREATE ROLE regress_vmnet_preflight;
ALTER VIEW cloud.reality OWNER TO regress_vmnet_preflight;
SELECT throws_ok($$ SELECT * FROM vmnet.network_preflight(2, 'cloud') $$, '42501', NULL, 'a view of another role is not read');
ALTER VIEW cloud.reality OWNER TO CURRENT_USER;
UPDATE cloud.observers SET every = '5 minutes';

-- a mirror, with an odd name, and its age
CREATE SCHEMA src;
CREATE TABLE src.networks (id bigint, uuid text, name text, state text, created text, removed text);
CREATE TABLE src.vm_instance (id bigint, uuid text, name text, state text, type text, created text, removed text);
CREATE TABLE src.nics (id bigint, uuid text, instance_id bigint, network_id bigint, state text, vm_type text, default_nic int, created text, removed text);
INSERT INTO src.networks VALUES (1, gen_random_uuid(), 'n', 'Setup', '2025-01-01 00:00:00', NULL);
INSERT INTO src.vm_instance VALUES (1, gen_random_uuid(), 'i', 'Running', 'User', '2025-01-01 00:00:00', NULL);
INSERT INTO src.nics VALUES (1, gen_random_uuid(), 1, 1, 'Reserved', 'User', 1, '2025-01-01 00:00:00', NULL);
SET LOCAL client_min_messages = warning;
SELECT lives_ok($$CALL vmnet.import_cloudstack('src', 'it''s a "mirror" %I')$$, 'an import into a mirror with an apostrophe in its name');
SELECT lives_ok($$CALL vmnet.import_cloudstack('src', 'it''s a "mirror" %I')$$, 'a second one, which looks for what the source lost');
RESET client_min_messages;
SELECT is(pg_temp.turned('network', 1, 'it''s a "mirror" %I'), 'go', 'a mirror');
UPDATE "it's a ""mirror"" %I".import_runs SET started = clock_timestamp() - interval '1 hour';
SELECT is(pg_temp.turned('network', 1, 'it''s a "mirror" %I'), 'age of the data look; overall look', 'an old one');
SELECT is((pg_temp.said('network', 1, 'it''s a "mirror" %I', 'overall')).next, $$CALL vmnet.import_cloudstack('src', 'it''s a "mirror" %I');$$, 'what comes next');
SET LOCAL vmnet.max_age = '30min';
SELECT is(pg_temp.turned('network', 1, 'it''s a "mirror" %I'), 'age of the data stop; overall stop', 'older than vmnet.max_age');

-- live, through a plain schema; attached
SELECT FROM vmnet.attach_cloudstack('lively', 'src') \g /dev/null
SELECT is(pg_temp.turned('network', 1, 'lively'), 'go', 'a live inventory');
CREATE SCHEMA own;
CREATE TABLE own.nets (id bigint PRIMARY KEY);
CREATE TABLE own.ports (id bigint PRIMARY KEY, network_id bigint, instance_id bigint);
INSERT INTO own.nets VALUES (1);
INSERT INTO own.ports VALUES (1, 1, 1);
SELECT FROM vmnet.attach_inventory('att', 'own.ports', 'own.nets') \g /dev/null
SELECT is(pg_temp.turned('network', 1, 'att'), 'go', 'an attached inventory');

-- a role that reads the tables, and one for which policies hide rows
GRANT USAGE ON SCHEMA cloud TO regress_vmnet_preflight;
GRANT SELECT ON ALL TABLES IN SCHEMA cloud TO regress_vmnet_preflight;
ALTER TABLE cloud.all_nics ENABLE ROW LEVEL SECURITY;
SET LOCAL ROLE regress_vmnet_preflight;
SELECT is(pg_temp.turned('network', 1, 'cloud'), 'rows that you cannot see look; overall look', 'where rows may be hidden');
RESET ROLE;

SELECT * FROM finish();
ROLLBACK;
