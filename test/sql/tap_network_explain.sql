-- What network_explain() says of networks of each kind of inventory.
\i test/tap/setup.psql

SELECT plan(16);

CREATE FUNCTION pg_temp.said(net_id bigint, inventory name, OUT verdicts text, OUT numbers text) LANGUAGE sql AS $$
SELECT string_agg(coalesce(left(verdict::text, 1), '-'), ''), string_agg(regexp_replace(value, '[^0-9 ]+', '', 'g'), '|')
FROM vmnet.network_explain(net_id, inventory) $$;
CREATE FUNCTION pg_temp.value(net_id bigint, inventory name, rule text) RETURNS text LANGUAGE sql AS $$
SELECT e.value FROM vmnet.network_explain(net_id, inventory) e WHERE e.rule LIKE $3 $$;

INSERT INTO cloud.networks (id, name) VALUES (1, 'used'), (2, 'empty'), (3, 'gone');
INSERT INTO cloud.instances (id, name) VALUES (1, 'a'), (2, 'b');
INSERT INTO cloud.nics (id, instance_id, network_id, state, strategy, vm_type) VALUES
	(1, 1, 1, 'Allocated', 'Start', 'User'), (2, 2, 1, 'Allocated', 'Start', 'User'), (3, NULL, 1, 'Reserved', 'PlaceHolder', 'DomainRouter'),
	(4, 1, 3, 'Allocated', 'Start', 'User');
UPDATE cloud.nics SET state = 'Deallocating' WHERE id = 2;
UPDATE cloud.nics SET state = 'Deallocating', removed = now() WHERE id = 4;
UPDATE cloud.networks SET removed = '2100-01-01', state = 'Destroy' WHERE id = 3;
SELECT is((pg_temp.said(1, 'cloud')).verdicts, 'tt--ftttt', 'a network in use');
SELECT is(pg_temp.value(1, 'cloud', '%holds no NIC'), '3 held NICs, of which 1 are half-removed', 'held NICs');
SELECT is(pg_temp.value(1, 'cloud', '%active NICs'), '2 active NICs, of which 1 are placeholders', 'active NICs');
SELECT is(pg_temp.value(1, 'cloud', '%listed%'), '1 active instances', 'active instances');
SELECT is((pg_temp.said(2, 'cloud')).verdicts, 'tt--tfttf', 'an empty network');
SELECT is((pg_temp.said(3, 'cloud')).verdicts, 'tf--tfttf', 'a removed network');
SELECT alike(pg_temp.value(3, 'cloud', '%not removed'), 'removed %2100%, state Destroy', 'since when');
SELECT results_eq($$SELECT rule, verdict, value FROM vmnet.network_explain(99)$$, $$VALUES ('the network exists', false, 'id 99')$$, 'an unknown id');
SELECT is_empty('SELECT vmnet.network_explain(NULL)', 'no row for NULL');

-- as a purge does
SET LOCAL session_replication_role = replica;
DELETE FROM cloud.all_nics WHERE id = 4;
SET LOCAL session_replication_role = origin;
SELECT is(pg_temp.value(3, 'cloud', '%purged'), '1 purged NICs in history', 'a purged NIC');
SET LOCAL session_replication_role = replica;
DELETE FROM cloud.all_networks WHERE id = 3;
SET LOCAL session_replication_role = origin;
SELECT results_eq($$SELECT verdict, value FROM vmnet.network_explain(3)$$, $$VALUES (false, 'id 3, which history has: it was purged')$$, 'a purged network');

SELECT vmnet.create_inventory('a "mirror"', 'mirror') \g /dev/null
SET LOCAL session_replication_role = replica;
INSERT INTO "a ""mirror""".all_networks (id, removed) VALUES (1, NULL), (2, '2024-01-01');
INSERT INTO "a ""mirror""".all_instances (id, removed) VALUES (1, '2024-01-01');
INSERT INTO "a ""mirror""".all_nics (id, network_id, instance_id) VALUES (1, 1, 1);
INSERT INTO "a ""mirror""".import_vanished (relation, id, vanished) VALUES ('networks', 2, '2024-01-01 00:00:00+00'), ('instances', 1, now());
INSERT INTO "a ""mirror""".former_rows (relation, id, created, until, reused, seq, run) VALUES ('networks', 1, '2020-01-01', '2021-01-01', true, 0, 1), ('nics', 2, '2020-01-01', '2021-01-01', true, 0, 1);
SET LOCAL session_replication_role = origin;
SELECT is((pg_temp.said(1, 'a "mirror"')).verdicts, 'tttfftftf', 'a mirror: a former network, a NIC of a removed instance');
SELECT is((pg_temp.said(2, 'a "mirror"')).verdicts, 'tffttfttf', 'what the source has no more');

CREATE SCHEMA own;
CREATE TABLE own.nets (id bigint PRIMARY KEY, gone boolean);
CREATE TABLE own.ports (id bigint PRIMARY KEY, network_id bigint, instance_id bigint);
INSERT INTO own.nets VALUES (1, false), (2, true);
INSERT INTO own.ports VALUES (1, 1, 1);
SELECT FROM vmnet.attach_inventory('att', 'own.ports', 'own.nets', columns => '{"networks": {"removed": "gone"}}') \g /dev/null
SELECT is((pg_temp.said(1, 'att')).verdicts, 'tt--ftttt', 'an attached inventory');
SELECT is((pg_temp.said(2, 'att')).verdicts, 'tf--tfttf', 'whose removals have no time');
SELECT is((pg_temp.said(9, 'att')).verdicts, 'f', 'an unknown id');

SELECT * FROM finish();
ROLLBACK;
