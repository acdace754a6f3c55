# After any error, cancel, timeout or end of a process the session is sound, and
# what it commits is there.  Each public function that has to do with an
# inventory is interrupted or made to fail at many points: plain, before a
# ROLLBACK TO SAVEPOINT, and caught by a block of PL/pgSQL.
#
# Short by default; VMNET_SOUND_ROUNDS=100 tries as many points of each call.
# VMNET_SOUND_CALLS=regex tries only such functions, VMNET_SEED makes a run again.
#
# pg_regress cannot do it: sessions are cancelled and ended by others.

use strict;
use warnings FATAL => 'all';

use FindBin;
use lib $FindBin::RealBin;

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Session;
use Test::More;
use Time::HiRes qw(sleep time);

my $rounds = $ENV{VMNET_SOUND_ROUNDS} // 1;
my $only = $ENV{VMNET_SOUND_CALLS} // '';
my $seed = $ENV{VMNET_SEED} // 11;
srand($seed);
note "VMNET_SEED=$seed";

my $node = PostgreSQL::Test::Cluster->new('sound');
$node->init;
$node->append_conf('postgresql.conf', "autovacuum = off\nlog_min_messages = fatal\nlog_min_error_statement = fatal\n");
$node->start;

#
# The calls.  "prepare" is run by a superuser before each try, so that there is
# something to do; it need not do anything where the last try was undone.
#

# Makes a NIC of instance 1 on network 1, in some state, where there is none.
my $nic = q(SELECT fault.one_nic('%s'););
my $the_nic = q((SELECT max(id) FROM cloud.all_nics WHERE network_id = 1 AND instance_id = 1));
my $fresh = q(SELECT fault.fresh('%s'););

my %calls = (
	'accept_finding(text,text,timestamp with time zone,text,text,name)' => [ q(SELECT fault.something_to_repair();),
		q(SELECT vmnet.accept_finding(f.code, f.object, NULL, 'why', inventory => 'cloud')
			FROM (SELECT code, object FROM vmnet.check_inventory('cloud', '0') WHERE object_type <> 'inventory' LIMIT 1) f) ],
	'attach_cloudstack(text,name)' => [ $fresh =~ s/%s/nothing/r, q(SELECT vmnet.attach_cloudstack('scratch', 'source')) ],
	'attach_inventory(text,regclass,regclass,regclass,jsonb,text)' =>
	  [ $fresh =~ s/%s/nothing/r, q(SELECT * FROM vmnet.attach_inventory('scratch', 'other.nics', 'other.networks', 'other.instances', mode => 'enforce')) ],
	'attached_lacks(text)' => [ '', q(SELECT vmnet_internal.attached_lacks('att')) ],
	'attached_table(text,text)' => [ '', q(SELECT vmnet_internal.attached_table('att', 'nics')) ],
	'check_inventory(name,interval,text[])' => [ '', q(SELECT * FROM vmnet.check_inventory('cloud', '0')), q(SELECT * FROM vmnet.check_inventory('mirror', '0')), q(SELECT * FROM vmnet.check_inventory('att', '0')) ],
	'connect_cloudstack(text,integer,text,text,text,text,text,boolean,jsonb)' =>
	  [ $fresh =~ s/%s/nothing/r, q(SELECT * FROM vmnet.connect_cloudstack('127.0.0.1', 1, password => 'secret', source => 'scratch')) ],
	'create_inventory(text,text)' => [ $fresh =~ s/%s/nothing/r, q(SELECT vmnet.create_inventory('scratch')) ],
	'create_report(name,text,boolean)' => [ '', q(SELECT vmnet.create_report('cloud')), q(SELECT vmnet.create_report('att')) ],
	'detach_inventory(text)' => [ $fresh =~ s/%s/attached/r, q(SELECT vmnet.detach_inventory('scratch')) ],
	'enable_reality(name)' => [ $fresh =~ s/%s/managed/r, q(SELECT vmnet.enable_reality('scratch')) ],
	'observe(text,text,timestamp with time zone,boolean,boolean,name)' => [
		q(SELECT vmnet.enable_reality('cloud'); INSERT INTO cloud.observers (name, kind) VALUES ('seen', 'csv') ON CONFLICT DO NOTHING;),
		q(SELECT * FROM vmnet.observe('seen', E'mac\n02:00:00:00:00:01\nx', inventory => 'cloud')) ],
	'grant_access(name,name,text)' => [ '', q(SELECT vmnet.grant_access('cloud', 'sound_other', 'operator')) ],
	'import_cloudstack(name,name,text,boolean)' => [ q(SELECT fault.change_source();), q(CALL vmnet.import_cloudstack('source', 'imported')) ],
	'instance_active_networks(bigint,name)' => [ '', q(SELECT * FROM vmnet.instance_active_networks(100, 'cloud')), q(SELECT * FROM vmnet.instance_active_networks(100, 'att')) ],
	'instance_blockers(bigint,name)' => [ '', q(SELECT * FROM vmnet.instance_blockers(100, 'cloud')) ],
	'instance_expunge(bigint,name)' => [ q(SELECT fault.instance_to_expunge();), q(SELECT vmnet.instance_expunge((SELECT max(id) FROM cloud.all_instances WHERE name = 'expunge'), 'cloud')) ],
	'instance_id(text,name)' => [ '', q(SELECT vmnet.instance_id('100', 'cloud')), q(SELECT vmnet.instance_id('100', 'att')) ],
	'instance_id(uuid,name)' => [ '', q(SELECT vmnet.instance_id((SELECT uuid FROM cloud.all_instances WHERE id = 100), 'cloud')) ],
	'instance_preflight(bigint,name)' => [ '', q(SELECT * FROM vmnet.instance_preflight(100, 'cloud')) ],
	'inventory_status(name)' => [ '', q(SELECT vmnet.inventory_status('cloud')), q(SELECT vmnet.inventory_status('att')) ],
	'ip_holders(inet,timestamp with time zone,timestamp with time zone,name)' => [ '', q(SELECT * FROM vmnet.ip_holders('10.0.0.0/8', inventory => 'cloud')) ],
	'list_inventories()' => [ '', q(SELECT * FROM vmnet_internal.list_inventories()) ],
	'mac_holders(macaddr,timestamp with time zone,timestamp with time zone,name)' => [ '', q(SELECT * FROM vmnet.mac_holders('02:00:00:00:00:64', inventory => 'cloud')) ],
	'manage_blockers(name)' => [ '', q(SELECT * FROM vmnet.manage_blockers('mirror')) ],
	'manage_inventory(name,boolean)' => [ $fresh =~ s/%s/mirror/r, q(SELECT vmnet.manage_inventory('scratch', true)) ],
	'network_active_instance_count(bigint,name)' => [ '', q(SELECT vmnet.network_active_instance_count(100, 'cloud')), q(SELECT vmnet.network_active_instance_count(100, 'att')) ],
	'network_active_instances(bigint,bigint,integer,name)' => [ '', q(SELECT * FROM vmnet.network_active_instances(100, inventory => 'cloud')), q(SELECT * FROM vmnet.network_active_instances(100, inventory => 'att')) ],
	'network_active_nics(bigint,name)' => [ '', q(SELECT * FROM vmnet.network_active_nics(100, 'cloud')), q(SELECT * FROM vmnet.network_active_nics(100, 'att')) ],
	'network_blockers(bigint,name)' => [ '', q(SELECT * FROM vmnet.network_blockers(100, 'cloud')) ],
	'network_free_ips(bigint,integer,name)' => [ '', q(SELECT * FROM vmnet.network_free_ips(100, 3, 'cloud')) ],
	'network_explain(bigint,name)' => [ '', q(SELECT * FROM vmnet.network_explain(100, 'cloud')), q(SELECT * FROM vmnet.network_explain(100, 'att')) ],
	'network_preflight(bigint,name)' => [ '', q(SELECT * FROM vmnet.network_preflight(100, 'cloud')), q(SELECT * FROM vmnet.network_preflight(100, 'att')) ],
	'instance_preflight(bigint,name)' => [ '', q(SELECT * FROM vmnet.instance_preflight(100, 'cloud')) ],
	'network_id(text,name)' => [ '', q(SELECT vmnet.network_id('100', 'cloud')), q(SELECT vmnet.network_id('100', 'att')) ],
	'network_id(uuid,name)' => [ '', q(SELECT vmnet.network_id((SELECT uuid FROM cloud.all_networks WHERE id = 100), 'cloud')) ],
	'network_in_use(bigint,name)' => [ '', q(SELECT vmnet.network_in_use(100, 'cloud')), q(SELECT vmnet.network_in_use(100, 'att')) ],
	'network_instances_as_of(bigint,timestamp with time zone,name)' => [ '', q(SELECT * FROM vmnet.network_instances_as_of(100, now(), 'cloud')) ],
	'network_preflight(bigint,name)' => [ '', q(SELECT * FROM vmnet.network_preflight(100, 'cloud')), q(SELECT * FROM vmnet.network_preflight(100, 'att')) ],
	'network_remove(bigint,name)' => [ q(INSERT INTO cloud.networks (name) SELECT 'remove' WHERE NOT EXISTS (SELECT FROM cloud.all_networks WHERE name = 'remove' AND removed IS NULL);),
		q(SELECT vmnet.network_remove((SELECT max(id) FROM cloud.all_networks WHERE name = 'remove'), 'cloud')) ],
	'nic_add(bigint,bigint,inet,inet,macaddr,text,name)' => [ q(DELETE FROM cloud.nics WHERE network_id = 1 AND instance_id = 1;), q(SELECT vmnet.nic_add(1, 1, '10.0.1.7', inventory => 'cloud')) ],
	'nic_changes_cursor(name)' => [ '', q(SELECT vmnet.nic_changes_cursor('cloud')) ],
	'nic_changes_since(text,integer,name)' => [ '', q(SELECT * FROM vmnet.nic_changes_since(NULL, 3, 'cloud')) ],
	'nic_event(bigint,text,text,name)' => [ $nic =~ s/%s/Allocated/r, qq(SELECT vmnet.nic_event($the_nic, 'ReservationRequested', 'why', 'cloud')) ],
	'nic_explain(bigint,name)' => [ '', q(SELECT * FROM vmnet.nic_explain(100, 'cloud')), q(SELECT * FROM vmnet.nic_explain(100, 'att')) ],
	'nic_remove(bigint,boolean,name)' => [ $nic =~ s/%s/Allocated/r, qq(SELECT vmnet.nic_remove($the_nic, true, 'cloud')) ],
	'nic_set_default(bigint,name)' => [ q(SELECT fault.other_default();), q(SELECT vmnet.nic_set_default(100, 'cloud')) ],
	'nic_set_ip(bigint,inet,inet,name)' => [ $nic =~ s/%s/Allocated/r, qq(SELECT vmnet.nic_set_ip($the_nic, (SELECT '10.0.1.10'::inet + (random() * 200)::int), inventory => 'cloud')) ],
	'nic_timeline(bigint,name)' => [ '', q(SELECT * FROM vmnet.nic_timeline(100, 'cloud')) ],
	'partition_history(name,text)' => [ $fresh =~ s/%s/managed/r, q(SELECT vmnet.partition_history('scratch')) ],
	'propose_segments(name)' => [ q(SELECT vmnet.enable_reality('cloud');), q(SELECT * FROM vmnet.propose_segments('cloud')) ],
	'purge_inventory(name,timestamp with time zone,integer,boolean)' => [ q(SELECT fault.something_to_purge();), q(CALL vmnet.purge_inventory('cloud', clock_timestamp(), 2, true)) ],
	'refresh_views(name)' => [ q(ALTER TABLE walled.all_networks ADD COLUMN IF NOT EXISTS note text DEFAULT 'n'; ALTER VIEW walled.networks ALTER name SET DEFAULT 'x';), q(SELECT * FROM vmnet.refresh_views('walled')) ],
	'repair_inventory(name,text,boolean,interval)' => [ q(SELECT fault.something_to_repair();), q(SELECT * FROM vmnet.repair_inventory('cloud', dry_run => false, min_age => '0')) ],
	'report_schemas(name)' => [ '', q(SELECT * FROM vmnet.report_schemas('cloud')) ],
	'resolve_inventory(name)' => [ '', q(SELECT vmnet_internal.resolve_inventory('cloud')) ],
	'revoke_access(name,name,text)' => [ q(SET ROLE sound_owner; SELECT vmnet.grant_access('cloud', 'sound_other', 'operator'); RESET ROLE;), q(SELECT vmnet.revoke_access('cloud', 'sound_other', 'operator')) ],
	'set_inventory_mode(text,text,boolean)' => [ q(SET ROLE sound_owner; SELECT vmnet.set_inventory_mode('scratch', 'read_only') FROM fault.fresh('attached'); RESET ROLE;), q(SELECT vmnet.set_inventory_mode('scratch', 'enforce')) ],
	'set_inventory_notify(name,boolean)' => [ '', q(SELECT vmnet.set_inventory_notify('cloud', false), vmnet.set_inventory_notify('cloud', true)) ],
	'nics_stuck_for(interval,name)' => [ '', q(SELECT * FROM vmnet.nics_stuck_for('0', 'cloud')) ],
	'withdraw_acceptance(text,text,text,name)' => [
		q(INSERT INTO cloud.accepted_findings (code, object, reason, fingerprint) VALUES ('stuck_nic', 'nic 100', 'why', '') ON CONFLICT DO NOTHING;),
		q(SELECT vmnet.withdraw_acceptance('stuck_nic', 'nic 100', inventory => 'cloud')) ],
	'vpc_active_instances(bigint,name)' => [ '', q(SELECT * FROM vmnet.vpc_active_instances(10, 'cloud')), q(SELECT * FROM vmnet.vpc_active_instances(10, 'att')) ]);

# These have to do with no inventory, or only with the names of its parts.
my %no_inventory = map { $_ => 1 } (
	'check_codes()', 'version()', 'nic_next_state(text,text,text)', 'nic_state_transitions()', 'read_observation(text,text)');

# Statements besides functions: writes that the guards look at.
my %writes = (
	'(UPDATE of a NIC)' => [ $nic =~ s/%s/Allocated/r, q(UPDATE cloud.nics SET state = 'Reserving' WHERE network_id = 1 AND instance_id = 1) ],
	'(DELETE of a NIC)' => [ $nic =~ s/%s/Allocated/r, q(DELETE FROM cloud.nics WHERE network_id = 1 AND instance_id = 1) ],
	'(INSERT of a NIC)' => [ q(DELETE FROM cloud.nics WHERE network_id = 1 AND instance_id = 1;), q(INSERT INTO cloud.nics (network_id, instance_id) VALUES (1, 1)) ],
	'(attached: UPDATE of a NIC)' => [ q(UPDATE theirs.nics SET state = 'Allocated' WHERE id = 100;), q(UPDATE theirs.nics SET state = 'Reserving' WHERE id = 100) ],
	'(attached: removal of a network)' => [ q(INSERT INTO theirs.networks SELECT max(id) + 1, 'empty' FROM theirs.networks HAVING count(*) FILTER (WHERE id > 100 AND removed IS NULL) = 0;),
		q(UPDATE theirs.networks SET removed = now() WHERE id = (SELECT max(id) FROM theirs.networks)) ]);

#
# What there is
#
$node->safe_psql('postgres', <<'SQL');
CREATE EXTENSION vmnet_ext;
CREATE ROLE sound_owner LOGIN;
CREATE ROLE sound_other;
GRANT CREATE ON DATABASE postgres TO sound_owner;
SQL
$node->safe_psql('postgres', <<'SQL');
-- Events are numbered by a sequence, which no rollback turns back; at the one
-- with number "at", the action is done.
CREATE SCHEMA fault;
GRANT USAGE ON SCHEMA fault TO PUBLIC;
CREATE TABLE fault.armed (action text, at bigint);
INSERT INTO fault.armed VALUES (NULL, 0);
CREATE SEQUENCE fault.events;
CREATE TABLE fault.gate ();
CREATE TABLE fault.committed (try int, place text);
GRANT SELECT ON fault.armed TO PUBLIC;
GRANT USAGE, UPDATE ON SEQUENCE fault.events TO PUBLIC;
GRANT ALL ON fault.gate TO PUBLIC;
GRANT INSERT, SELECT ON fault.committed TO PUBLIC;
CREATE FUNCTION fault.trip() RETURNS boolean LANGUAGE plpgsql VOLATILE AS $$
DECLARE
	armed fault.armed;
BEGIN
	SELECT * INTO armed FROM fault.armed;
	IF armed.action IS NULL OR nextval('fault.events') <> armed.at THEN
		RETURN true;
	END IF;
	CASE armed.action
		WHEN 'raise' THEN RAISE 'an error of the user';
		WHEN 'reference' THEN RAISE foreign_key_violation;
		WHEN 'restrict' THEN RAISE restrict_violation;
		WHEN 'cancel' THEN PERFORM pg_cancel_backend(pg_backend_pid());
		WHEN 'terminate' THEN PERFORM pg_terminate_backend(pg_backend_pid());
		WHEN 'sleep' THEN PERFORM pg_sleep(1);
		WHEN 'gate' THEN LOCK TABLE fault.gate;
		WHEN 'count' THEN NULL;
	END CASE;
	RETURN true;
END
$$;
CREATE FUNCTION fault.trip_trigger() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
	PERFORM fault.trip();
	RETURN CASE TG_OP WHEN 'DELETE' THEN OLD ELSE NEW END;
END
$$;
CREATE FUNCTION fault.trip_ddl() RETURNS event_trigger LANGUAGE plpgsql AS $$ BEGIN PERFORM fault.trip(); END $$;
CREATE EVENT TRIGGER trip ON ddl_command_end EXECUTE FUNCTION fault.trip_ddl();
CREATE EVENT TRIGGER trip_drop ON sql_drop EXECUTE FUNCTION fault.trip_ddl();

-- Triggers on all tables of a schema, and a condition in its live views.
CREATE FUNCTION fault.set_traps(name text) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
	rel regclass;
	query text;
BEGIN
	FOR rel IN SELECT oid FROM pg_class WHERE relnamespace = quote_ident(name)::regnamespace AND relkind IN ('r', 'p') ORDER BY relname LOOP
		EXECUTE format('CREATE TRIGGER a_trip BEFORE INSERT OR UPDATE OR DELETE ON %s FOR EACH ROW EXECUTE FUNCTION fault.trip_trigger()', rel);
		EXECUTE format('CREATE TRIGGER zz_trip AFTER INSERT OR UPDATE OR DELETE ON %s FOR EACH ROW EXECUTE FUNCTION fault.trip_trigger()', rel);
		EXECUTE format('CREATE TRIGGER zz_trip_statement AFTER INSERT OR UPDATE OR DELETE ON %s FOR EACH STATEMENT EXECUTE FUNCTION fault.trip_trigger()', rel);
	END LOOP;
	FOR rel IN SELECT oid FROM pg_class WHERE relnamespace = quote_ident(name)::regnamespace AND relkind = 'v' AND relname IN ('nics', 'networks', 'instances') LOOP
		query := rtrim(pg_get_viewdef(rel), ';');
		EXECUTE format('CREATE OR REPLACE VIEW %s WITH (security_invoker = true) AS %s %s fault.trip()', rel, query, CASE WHEN query LIKE '%WHERE%' THEN 'AND' ELSE 'WHERE' END);
	END LOOP;
END
$$;

-- Policies that the owner has forced on himself see every row that is read.
CREATE FUNCTION fault.build_walls(name text) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
	rel regclass;
BEGIN
	FOR rel IN SELECT oid FROM pg_class WHERE relnamespace = quote_ident(name)::regnamespace AND relkind = 'r' ORDER BY relname LOOP
		EXECUTE format('CREATE POLICY trip ON %s USING (fault.trip())', rel);
		EXECUTE format('ALTER TABLE %s ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY', rel);
	END LOOP;
END
$$;

-- What a constraint refuses has its name as the answer.
CREATE FUNCTION fault.refused(command text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	rule text;
BEGIN
	EXECUTE command;
	RETURN 'accepted';
EXCEPTION WHEN OTHERS THEN
	GET STACKED DIAGNOSTICS rule = CONSTRAINT_NAME;
	RETURN SQLSTATE || ' ' || rule;
END
$$;
CREATE VIEW fault.guards AS SELECT concat_ws(', ',
	fault.refused('DELETE FROM cloud.all_nics WHERE id = 100'),
	fault.refused('UPDATE cloud.all_nics SET state = ''Reserved'' WHERE id = 101'),
	fault.refused('UPDATE mirror.all_nics SET mtu = 1 WHERE id = 1'),
	fault.refused('DELETE FROM theirs.nics WHERE id = 100')) AS say;
ALTER VIEW fault.guards SET (security_invoker = on);
GRANT SELECT ON fault.guards TO PUBLIC;
-- User, settings and what is left behind, as one line.
CREATE FUNCTION fault.session() RETURNS text LANGUAGE sql AS $$
	SELECT concat_ws('|', current_user, session_user, current_setting('search_path'), current_setting('role'),
		(SELECT string_agg(s.name || '=' || s.setting, ',' ORDER BY s.name) FROM pg_catalog.pg_settings s WHERE s.source NOT IN ('default', 'configuration file', 'override', 'environment variable') AND s.setting IS DISTINCT FROM s.boot_val),
		(SELECT md5(string_agg(s.name || '=' || s.setting, ',' ORDER BY s.name)) FROM pg_catalog.pg_settings s WHERE s.context IN ('user', 'superuser')),
		(SELECT string_agg(c.relname, ' ') FROM pg_catalog.pg_class c WHERE c.relnamespace = pg_catalog.pg_my_temp_schema() AND c.relkind <> 't'),
		(SELECT count(*) FROM pg_catalog.pg_prepared_statements), (SELECT string_agg(name, ' ') FROM pg_catalog.pg_cursors WHERE name <> ''),
		(SELECT string_agg(c, ' ') FROM pg_catalog.pg_listening_channels() c))
$$;

GRANT USAGE, CREATE ON SCHEMA fault TO sound_owner;
SET ROLE sound_owner;
CREATE SCHEMA source;
CREATE TABLE source.networks AS SELECT g AS id, 'net' || g AS name, 'Implemented' AS state, 'Guest' AS traffic_type, timestamp '2025-01-06' AS created, NULL::timestamp AS removed FROM generate_series(1, 3) g;
CREATE TABLE source.vm_instance AS SELECT g AS id, 'vm' || g AS name, 'Running' AS state, 'User' AS type, timestamp '2025-01-06' AS created, NULL::timestamp AS removed FROM generate_series(1, 5) g;
CREATE TABLE source.nics AS SELECT g AS id, 1 + g % 5 AS instance_id, 1 + g % 3 AS network_id, 'Reserved' AS state, 'Start' AS strategy, 'User' AS vm_type, timestamp '2025-01-06' AS created, NULL::timestamp AS removed FROM generate_series(1, 9) g;
CALL vmnet.import_cloudstack('source', 'mirror');
CALL vmnet.import_cloudstack('source', 'imported');
CREATE SCHEMA theirs;
CREATE TABLE theirs.networks (id bigint PRIMARY KEY, name text, vpc_id bigint, removed timestamptz);
CREATE TABLE theirs.instances (id bigint PRIMARY KEY, name text, state text, removed timestamptz);
CREATE TABLE theirs.nics (id bigint PRIMARY KEY, network_id bigint REFERENCES theirs.networks, instance_id bigint REFERENCES theirs.instances, state text, ip4_address inet, removed timestamptz);
CREATE INDEX ON theirs.nics (network_id);
CREATE INDEX ON theirs.nics (instance_id);
INSERT INTO theirs.networks VALUES (100, 'n', 10, NULL), (2, 'empty', 10, NULL);
INSERT INTO theirs.instances VALUES (100, 'i', 'Running', NULL);
INSERT INTO theirs.nics VALUES (100, 100, 100, 'Allocated', '10.0.0.1', NULL);
SELECT FROM vmnet.attach_inventory('att', 'theirs.nics', 'theirs.networks', 'theirs.instances', mode => 'enforce');
CREATE SCHEMA other;
CREATE TABLE other.networks AS TABLE theirs.networks;
CREATE TABLE other.instances AS TABLE theirs.instances;
CREATE TABLE other.nics AS TABLE theirs.nics;
ALTER TABLE other.networks ADD PRIMARY KEY (id);
ALTER TABLE other.instances ADD PRIMARY KEY (id);
ALTER TABLE other.nics ADD PRIMARY KEY (id), ADD FOREIGN KEY (network_id) REFERENCES other.networks, ADD FOREIGN KEY (instance_id) REFERENCES other.instances;
SELECT vmnet.create_inventory('cloud');
INSERT INTO cloud.networks (id, name, vpc_id, cidr, state) VALUES (1, 'one', 10, '10.0.1.0/24', 'Implemented'), (2, 'two', 10, NULL, 'Implemented'), (100, 'fixed', 10, NULL, 'Implemented');
INSERT INTO cloud.instances (id, name, state) VALUES (1, 'one', 'Stopped'), (100, 'fixed', 'Running');
INSERT INTO cloud.nics (id, network_id, instance_id, mac_address, ip4_address) VALUES (100, 100, 100, '02:00:00:00:00:64', '10.0.0.1'), (101, 2, 100, NULL, NULL);
UPDATE cloud.nics SET state = 'Reserving' WHERE id = 100;
SELECT setval('cloud.all_nics_id_seq', 1000), setval('cloud.all_networks_id_seq', 1000), setval('cloud.all_instances_id_seq', 1000);
SELECT vmnet.create_report('cloud'), vmnet.create_report('att');
SELECT fault.set_traps(n) FROM unnest(ARRAY['cloud', 'mirror', 'imported', 'att', 'theirs']) n;
SELECT vmnet.create_inventory('walled');
INSERT INTO walled.networks SELECT * FROM cloud.networks;
INSERT INTO walled.instances SELECT * FROM cloud.instances;
INSERT INTO walled.nics (id, network_id, instance_id, mac_address, ip4_address) VALUES (100, 100, 100, '02:00:00:00:00:64', '10.0.0.1'), (101, 2, 100, NULL, NULL);
UPDATE walled.nics SET state = 'Reserving';
SELECT vmnet.create_report('walled');
SELECT fault.build_walls('walled');

-- What is prepared before a try.
CREATE FUNCTION fault.one_nic(wanted text) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
	IF EXISTS (SELECT FROM cloud.nics WHERE network_id = 1 AND instance_id = 1 AND state = wanted) THEN
		RETURN;
	END IF;
	DELETE FROM cloud.nics WHERE network_id = 1 AND instance_id = 1;
	INSERT INTO cloud.nics (network_id, instance_id, state, ip4_address) VALUES (1, 1, wanted, '10.0.1.9');
END
$$;
CREATE FUNCTION fault.instance_to_expunge() RETURNS void LANGUAGE plpgsql AS $$
DECLARE
	id bigint;
BEGIN
	IF EXISTS (SELECT FROM cloud.all_instances WHERE name = 'expunge' AND removed IS NULL) THEN
		RETURN;
	END IF;
	INSERT INTO cloud.instances (name, state) VALUES ('expunge', 'Destroyed') RETURNING instances.id INTO id;
	INSERT INTO cloud.nics (network_id, instance_id) VALUES (1, id), (2, id);
END
$$;
CREATE FUNCTION fault.other_default() RETURNS void LANGUAGE plpgsql AS $$
BEGIN
	IF NOT EXISTS (SELECT FROM cloud.all_nics WHERE id = 101 AND default_nic) THEN
		PERFORM vmnet.nic_set_default(101, 'cloud');
	END IF;
END
$$;
CREATE FUNCTION fault.something_to_purge() RETURNS void LANGUAGE plpgsql AS $$
DECLARE
	network bigint;
	instance bigint;
BEGIN
	IF (SELECT count(*) FROM cloud.all_nics WHERE removed IS NOT NULL AND instance_id IN (SELECT id FROM cloud.all_instances WHERE name = 'purge')) >= 3 THEN
		RETURN;
	END IF;
	INSERT INTO cloud.networks (name) VALUES ('purge') RETURNING id INTO network;
	FOR i IN 1 .. 3 LOOP
		INSERT INTO cloud.instances (name) VALUES ('purge') RETURNING id INTO instance;
		INSERT INTO cloud.nics (network_id, instance_id) VALUES (network, instance);
	END LOOP;
	DELETE FROM cloud.nics WHERE network_id = network;
	UPDATE cloud.instances SET removed = now() WHERE name = 'purge';
	UPDATE cloud.networks SET removed = now() WHERE id = network;
END
$$;
CREATE FUNCTION fault.something_to_repair() RETURNS void LANGUAGE plpgsql AS $$
BEGIN
	PERFORM fault.one_nic('Allocated');
	UPDATE cloud.nics SET state = 'Deallocating' WHERE network_id = 1 AND instance_id = 1;
END
$$;
CREATE FUNCTION fault.change_source() RETURNS void LANGUAGE sql AS $$
	UPDATE source.nics SET state = CASE state WHEN 'Reserved' THEN 'Allocated' ELSE 'Reserved' END WHERE id IN (1, 2);
	UPDATE source.networks SET name = name || '.' WHERE id = 1;
$$;
RESET ROLE;
-- A schema "scratch" of one kind.
CREATE FUNCTION fault.fresh(wanted text) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
	found text;
BEGIN
	IF to_regnamespace('scratch') IS NULL THEN
		found := 'nothing';
	ELSIF to_regclass('scratch.inventory_info') IS NOT NULL THEN
		EXECUTE 'SELECT kind FROM scratch.inventory_info' INTO found;
	END IF;
	IF found = wanted AND NOT (found = 'managed' AND (SELECT relkind FROM pg_class WHERE oid = to_regclass('scratch.nic_history')) = 'p') THEN
		RETURN;
	END IF;
	IF found = 'attached' THEN
		PERFORM vmnet.detach_inventory('scratch');
	END IF;
	DROP SCHEMA IF EXISTS scratch CASCADE;
	DROP SCHEMA IF EXISTS scratch_report CASCADE;
	SET LOCAL ROLE sound_owner;
	CASE wanted
		WHEN 'managed' THEN
			PERFORM vmnet.create_inventory('scratch');
			PERFORM fault.set_traps('scratch');
		WHEN 'mirror' THEN
			CALL vmnet.import_cloudstack('source', 'scratch');
			PERFORM fault.set_traps('scratch');
		WHEN 'attached' THEN
			PERFORM vmnet.attach_inventory('scratch', 'other.nics', 'other.networks', 'other.instances', mode => 'enforce');
		ELSE NULL;
	END CASE;
	SET LOCAL ROLE NONE;
END
$$;
SQL

#
# Every public function has an entry, and every entry a function.
#
my $of_extension = q(
	SELECT p.proname || '(' || replace(oidvectortypes(p.proargtypes), ', ', ',') || ')'
	FROM pg_proc p JOIN pg_depend d ON d.classid = 'pg_proc'::regclass AND d.objid = p.oid AND d.deptype = 'e'
	WHERE d.refclassid = 'pg_extension'::regclass AND d.refobjid = (SELECT oid FROM pg_extension WHERE extname = 'vmnet_ext')
		AND p.prorettype <> 'trigger'::regtype);
my @public = split /\n/, $node->safe_psql('postgres',
	"$of_extension AND p.pronamespace = 'vmnet'::regnamespace AND 'internal'::regtype <> ALL (p.proargtypes) AND coalesce(obj_description(p.oid), '') NOT LIKE 'Part of %'");
my %known = map { $_ => 1 } split /\n/, $node->safe_psql('postgres', $of_extension);
is(join("\n", sort grep { !$calls{$_} && !$no_inventory{$_} } @public), '', 'every public function is called here');
is(join("\n", sort grep { !$known{$_} } keys %calls, keys %no_inventory), '', 'and what is called is a function of the extension');

#
# The driver
#
my $control = Session->new($node, 'postgres', $node->safe_psql('postgres', 'SELECT current_user'), "SET client_min_messages = error; SET lock_timeout = '20s'");
my $try = 0;
my @modes = qw(plain savepoint block do);

# The text that makes a call in one way.
sub in_mode
{
	my ($mode, $call, $guards, $settings) = @_;
	my $perform = $call =~ s/^SELECT /PERFORM /r;
	my $after = "PERFORM setval('fault.events', 1000000); INSERT INTO fault.committed VALUES ($try, 'inside');";

	$after .= "PERFORM FROM fault.guards WHERE say <> (SELECT say FROM fault.guards_expected); IF FOUND THEN RAISE SQLSTATE 'VM001'; END IF;"
	  if $guards;
	return $call if $mode eq 'plain';
	return "DO \$do\$ BEGIN $perform; END \$do\$" if $mode eq 'do';
	return "BEGIN;\nSAVEPOINT s;\n" . ($settings ne '' ? "SET LOCAL $settings;\n" : '') . "$call;\nROLLBACK TO SAVEPOINT s;\nDO \$do\$ BEGIN $after END \$do\$;\nCOMMIT" if $mode eq 'savepoint';
	return "DO \$do\$ BEGIN BEGIN $perform; EXCEPTION WHEN query_canceled OR OTHERS THEN NULL; END; $after END \$do\$";
}

# What a session looks like from inside: compared before and after.
my $probe = q(SELECT fault.session(); SELECT say FROM fault.guards;);

sub look_inside
{
	my ($session) = @_;

	# A time-out or a cancel that comes late hits this, and is no matter.
	$session->ask('SELECT 1');
	return $session->ask(
		"$probe\nINSERT INTO fault.committed VALUES ($try, 'after') RETURNING xmin::text = (pg_current_xact_id()::text::numeric % 4294967296)::text");
}

# And from outside, when it waits for a statement.
sub look_outside
{
	my ($session) = @_;
	return $control->ask(qq(
		UPDATE fault.armed SET action = NULL;
		SELECT concat_ws(' ', state, 'xid ' || backend_xid, 'xmin ' || backend_xmin,
			(SELECT 'locks: ' || string_agg(concat_ws(' ', locktype, relation::regclass, mode), ', ') FROM pg_locks WHERE pid = $session->{pid}))
		FROM pg_stat_activity WHERE pid = $session->{pid})) =~ s/^UPDATE 1\n//r;
}

my @problems;

sub problem
{
	my ($what, @lines) = @_;
	push @problems, join "\n  ", $what, map { split /\n/ } grep { defined } @lines;
	return;
}

# One try: something is to happen to a call at an event, or from outside.
# Returns whether the call ended without an error.
sub try_call
{
	my ($session, $call, $mode, $kind, $at, %options) = @_;
	my $what = "try $try: $call->{name} as $session->{role}, $mode, $kind at $at";
	my $settings = $options{settings} // '';
	my $text = in_mode($mode, $call->{text}, $kind ne 'lock', $settings);
	my $prepared = $control->ask(($call->{prepare} // '') . "\nSELECT setval('fault.events', 1, false);");

	problem("$what: not prepared", $prepared) if $prepared =~ /ERROR|FATAL/;
	$control->must("UPDATE fault.armed SET (action, at) = ('$kind', $at)") if $options{armed};
	$control->must($options{before}) if $options{before};
	# Where a savepoint is gone back to, the setting goes with it.
	$session->send(join ";\n", ($settings ne '' && $mode ne 'savepoint' ? "SET $settings" : ()), $text);
	$options{during}->() if $options{during};
	my $said = $session->{said} = $session->receive;
	if ($kind eq 'terminated by another')
	{
		# It may have come to its end before it was told to go.
		$session->ask('SELECT pg_sleep(0.01)') until $session->{ended};
	}
	$control->must($options{after}) if $options{after};

	if ($session->{ended})
	{
		problem("$what: the process has ended", $said) unless $kind =~ /terminate/;
		$control->must("DO \$\$ BEGIN FOR i IN 1 .. 6000 LOOP EXIT WHEN NOT EXISTS (SELECT FROM pg_stat_get_activity($session->{pid})); PERFORM pg_sleep(0.01); PERFORM pg_stat_clear_snapshot(); END LOOP; END \$\$;
			UPDATE fault.armed SET action = NULL");
		my $left = $control->must("SELECT string_agg(concat_ws(' ', locktype, relation::regclass, mode), ', ') FROM pg_locks WHERE pid = $session->{pid}");
		problem("$what: locks are left", $left) if $left ne '';
		$session->connect;
	}
	else
	{
		# An idle process may be reading what others have changed in the
		# catalogs, for a moment.
		my $outside = look_outside($session);
		for (my $i = 0; $i < 500 && $outside ne 'idle'; $i++)
		{
			sleep(0.01) if $i > 0;
			last if $outside =~ /in transaction/;
			$outside = look_outside($session);
		}
		if ($outside ne 'idle')
		{
			problem("$what: seen from outside", $outside, "the call said", $said);
			$session->reconnect;
		}
		# A statement that sets a time-out back may come too late itself.
		my ($setting) = $settings =~ /^(\w+)/;
		while (defined $setting)
		{
			last if $session->ask("RESET $setting") !~ /ERROR/;
		}
	}
	my $inside = look_inside($session);
	push @{ $session->{acknowledged} }, "$try after" if $inside =~ /^INSERT 0 1$/m;
	if ($inside ne $session->{sound})
	{
		problem("$what: seen from inside", $inside, "instead of", $session->{sound}, "the call said", $said);
		$session->reconnect;
	}
	push @{ $session->{acknowledged} }, "$try inside" if $said =~ /^COMMIT$/m || $mode eq 'block' && $said =~ /^DO$/m;
	problem("$what: guards inside the transaction", $said) if $said =~ /VM001/;
	$try++;
	return $said !~ /ERROR|FATAL/;
}

# All that was acknowledged is there after reconnecting.
sub check_committed
{
	my ($session, $what) = @_;
	$session->reconnect;
	my %there = map { $_ => 1 } split /\n/, $session->must("SELECT try || ' ' || place FROM fault.committed");
	my @lost = grep { !$there{$_} } @{ $session->{acknowledged} };
	problem("$what: acknowledged, and lost: tries " . join ', ', @lost) if @lost;
	$session->{acknowledged} = [];
	return;
}

$node->safe_psql('postgres', 'CREATE TABLE fault.guards_expected (say text); GRANT SELECT ON fault.guards_expected TO PUBLIC; SET ROLE sound_owner; INSERT INTO fault.guards_expected SELECT say FROM fault.guards' =~ s/SET ROLE/GRANT INSERT ON fault.guards_expected TO sound_owner; SET ROLE/r);
is($node->safe_psql('postgres', 'TABLE fault.guards_expected'), '23001 no_hard_delete, 23514 nic_state_transition, 42501 mirror_read_only, 23001 no_hard_delete', 'the guards are on');

my $superuser = $control->{role};
my %sessions = map {
	my $session = Session->new($node, 'postgres', $_, "SET client_min_messages = error; SET vmnet.inventory = 'cloud'; SET work_mem = '3MB'; SET search_path = public, fault; SET row_security = on; SELECT FROM fault.guards");
	$session->{sound} = look_inside($session);
	$session->{acknowledged} = [];
	$_ => $session
} 'sound_owner', $superuser;
like($sessions{$_}{sound}, qr/^$_\|$_\|.*\n23001 no_hard_delete, 23514 [^\n]*\nt\nINSERT 0 1\z/s, "what a sound session of $_ looks like") for sort keys %sessions;
$try++;

my @all = map {
	my $name = $_;
	my ($prepare, @texts) = @{ $calls{$name} // $writes{$name} };

	# What only reads is tried over policies, too.
	push @texts, map { s/'cloud'/'walled'/r =~ s/cloud\./walled./r } grep { /^SELECT.*'cloud'/ && !/vmnet\.(create|grant|set)_/ } @texts if $prepare eq '';
	map { { name => $name, prepare => $prepare, text => $_ } } @texts
} sort { $a cmp $b } keys %calls, keys %writes;

# Places where a call waits for somebody else.
my @locks = ('LOCK TABLE cloud.all_nics, theirs.nics, imported.all_nics', 'LOCK TABLE cloud.nic_history, att.nic_history, mirror.nic_history, imported.nic_history',
	'SELECT FROM cloud.all_networks FOR UPDATE; SELECT FROM cloud.all_instances FOR UPDATE; SELECT FROM cloud.all_nics FOR UPDATE; SELECT FROM theirs.networks FOR UPDATE; SELECT FROM theirs.nics FOR UPDATE',
	'LOCK TABLE cloud.all_networks, theirs.networks, imported.all_networks, source.nics', 'LOCK TABLE cloud.all_instances, theirs.instances, imported.all_instances, cloud.all_nic_secondary_ips');

my $number = 0;
for my $call (@all)
{
	next if $only ne '' && "$call->{name} $call->{text}" !~ /$only/;
	my @before = @problems;
	my $started = time;
	my $first = $try;
	my $events = 0;

	@problems = ();
	$number++;
	for my $role ('sound_owner', $superuser)
	{
		my $session = $sessions{$role};
		my $start = time;

		# With nothing in its way the call does what it is for.
		try_call($session, $call, 'plain', 'count', -1, armed => 1) || $call->{text} =~ /connect_cloudstack/
		  || problem("$call->{text} as $role: fails by itself", $session->{said});
		my $duration = time - $start;
		my $k = $control->must('SELECT CASE WHEN is_called THEN last_value ELSE 0 END FROM fault.events');
		$events = $k if $k > $events;
		my @order = $k > 0 ? (1, $k, sort { rand() <=> 0.5 } 2 .. $k - 1) : ();
		my $turn = $number + ($role eq $superuser);

		for my $round (0 .. $rounds - 1)
		{
			my $mode = sub { $modes[ $turn++ % @modes ] };
			my $at = sub { $k <= 1 ? 1 : $round == 0 && $_[0] ? 1 + int(rand($k)) : $order[ ($round + $_[1]) % @order ] };

			if ($k > 0)
			{
				# Each way to call once, at different events.
				my $i = 0;
				try_call($session, $call, $_, 'raise', $at->(0, $i++), armed => 1) for @modes;
				try_call($session, $call, $mode->(), 'reference', $at->(1, 0), armed => 1);
				try_call($session, $call, $mode->(), 'restrict', $at->(1, 0), armed => 1);
				try_call($session, $call, $mode->(), 'cancel', $at->(1, 0), armed => 1);
				try_call($session, $call, $mode->(), 'sleep', $at->(1, 0), armed => 1, settings => 'statement_timeout = 20');
				try_call($session, $call, $mode->(), 'gate', $at->(1, 0), armed => 1, settings => 'lock_timeout = 1',
					before => 'BEGIN; LOCK TABLE fault.gate', after => 'ROLLBACK');
				try_call($session, $call, $mode->(), 'terminate', $at->(1, 0), armed => 1) if $round == 0 || rand() < 0.2;
			}

			# Until it ends in time, or for a few tries: a slow machine needs more.
			for (my $ms = 1; $ms <= 200; $ms *= 2 + $round % 3)
			{
				last if try_call($session, $call, $mode->(), 'timeout', $ms, settings => "statement_timeout = $ms");
			}
			try_call($session, $call, $mode->(), 'lock', $turn % @locks, settings => 'lock_timeout = 2',
				before => "BEGIN; $locks[$turn % @locks];", after => 'ROLLBACK');
			try_call($session, $call, $mode->(), 'cancelled by another', 0,
				during => sub { sleep(rand($duration)); $control->must("SELECT pg_cancel_backend($session->{pid})") });
			try_call($session, $call, $mode->(), 'terminated by another', 0,
				during => sub { sleep(rand($duration)); $control->must("SELECT pg_terminate_backend($session->{pid})") })
			  if $round == 0 || rand() < 0.2;
		}
		check_committed($session, "$call->{name} as $role");
	}
	ok(!@problems, sprintf('%s: %d tries, %d events', substr($call->{text}, 0, 90), $try - $first, $events));
	diag($_) for @problems[ 0 .. ($#problems > 4 ? 4 : $#problems) ];
	diag(scalar(@problems) . ' problems in all') if @problems > 5;
	note sprintf('%.1f s', time - $started);
}

# Nothing of all this is left.
is($control->must("SELECT count(*) FROM pg_locks WHERE pid <> pg_backend_pid() AND locktype <> 'virtualxid'"), '0', 'nobody holds a lock');
is($control->must('SELECT count(*) FROM pg_prepared_xacts'), '0', 'nor a prepared transaction');
$_->quit for $control, values %sessions;
done_testing();
