-- What happens to an attached inventory over time: its schema and its tables
-- are renamed, others come beside it, its history is partitioned; and detach
-- leaves nothing behind.
\i test/tap/setup.psql
\i test/tap/outcome.psql
SELECT plan(22);

CREATE SCHEMA app;
CREATE TABLE app.net (id bigint PRIMARY KEY, removed timestamptz);
CREATE TABLE app.vm (id bigint PRIMARY KEY, removed timestamptz);
CREATE TABLE app.nic (id bigint PRIMARY KEY, network_id bigint, instance_id bigint, state text, created timestamptz, removed timestamptz);
INSERT INTO app.net SELECT generate_series(1, 3);
INSERT INTO app.vm SELECT generate_series(1, 3);
INSERT INTO app.nic SELECT i, 1, i, 'Reserved', '2024-01-01' FROM generate_series(1, 3) i;
CREATE FUNCTION pg_temp.attach(name text) RETURNS void LANGUAGE plpgsql AS $$
BEGIN PERFORM vmnet.attach_inventory(name, 'app.nic', 'app.net', 'app.vm', mode => 'enforce'); END $$;
CREATE FUNCTION pg_temp.guards() RETURNS bigint LANGUAGE sql AS $$
SELECT count(*) FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid WHERE c.relnamespace = 'app'::regnamespace AND NOT t.tgisinternal
$$;

-- a renamed inventory
SELECT pg_temp.attach('one');
ALTER SCHEMA one RENAME TO two;
SELECT is(pg_temp.trial($$ UPDATE app.net SET removed = now() WHERE id = 1 $$), '23503 network_in_use', 'the guards of a renamed inventory still guard');
UPDATE app.nic SET state = 'Releasing' WHERE id = 1;
SELECT results_eq('SELECT nic_id, to_state FROM two.nic_history', $$ VALUES (1::bigint, 'Releasing') $$, 'and write its history');
SELECT is_empty($$ SELECT * FROM vmnet.check_inventory('two', '1 year') $$, 'no guard is missed under the new name');
SELECT vmnet.set_inventory_mode('two', 'warn') \g /dev/null
SELECT is(pg_temp.guards(), 10::bigint, 'a change of its mode makes no guard twice');
-- its tables and columns renamed
ALTER SCHEMA app RENAME TO app2;
ALTER TABLE app2.nic RENAME TO port;
ALTER TABLE app2.port RENAME removed TO gone;
ALTER TABLE app2.net RENAME TO "Net ""1""";
SELECT vmnet.set_inventory_mode('two', 'enforce') \g /dev/null
SELECT is(pg_temp.trial($$ UPDATE app2."Net ""1""" SET removed = now() WHERE id = 1 $$), '23503 network_in_use', 'renamed tables and columns are guarded');
SELECT is(pg_temp.trial($$ UPDATE app2.port SET gone = now(); UPDATE app2.port SET gone = NULL $$), '23514 nic_removed_once', 'as the views read them');
ALTER TABLE app2."Net ""1""" RENAME TO net;
ALTER TABLE app2.port RENAME gone TO removed;
ALTER TABLE app2.port RENAME TO nic;
ALTER SCHEMA app2 RENAME TO app;

-- another one under the old name, over the same tables
SELECT is(pg_temp.outcome($$ SELECT pg_temp.attach('one') $$), 'accepted', 'the old name is free, also where guards still bear it');
SELECT is(pg_temp.guards(), 20::bigint, 'each has its own guards');
SELECT vmnet.detach_inventory('two') \g /dev/null
SELECT is(pg_temp.guards(), 10::bigint, 'and the one takes only its own away');
SELECT is_empty($$ SELECT * FROM vmnet.check_inventory('one', '1 year') $$, 'the other keeps all of them');
DROP TRIGGER _vmnet_nic_truncate_one ON app.nic;
SELECT results_eq($$ SELECT code, message FROM vmnet.check_inventory('one', '1 year') $$,
	$$ VALUES ('guard_missing', 'app.nic has no guard attached_no_delete (BEFORE TRUNCATE)') $$, 'one of two guards with the same function is missed');

-- names that begin with the same 60 bytes
SELECT pg_temp.attach(repeat('n', 62) || 'a');
SELECT is(pg_temp.outcome(format('SELECT pg_temp.attach(%L)', repeat('n', 62) || 'b')), 'accepted', 'long names that begin alike are two');
SELECT vmnet.detach_inventory(repeat('n', 62) || 'b') \g /dev/null
SELECT is_empty(format($$ SELECT * FROM vmnet.check_inventory(%L, '1 year') $$, repeat('n', 62) || 'a'), 'the one keeps its guards when the other goes');
SELECT vmnet.detach_inventory(repeat('n', 62) || 'a') \g /dev/null

-- history in partitions
SELECT vmnet.partition_history('one') \g /dev/null
CREATE TABLE one.nic_history_all PARTITION OF one.nic_history DEFAULT;
UPDATE app.nic SET state = 'Releasing' WHERE id = 2;
SELECT is((SELECT count(*) FROM one.nic_history WHERE nic_id = 2), 1::bigint, 'history in partitions is written');
SELECT is(pg_temp.outcome($$ SELECT vmnet.detach_inventory('one') $$), 'accepted', 'and detached');
SELECT is(pg_temp.guards(), 0::bigint, 'no guard is left on the tables');
SELECT is((SELECT count(*) FROM pg_namespace WHERE nspname ~ '^(one|two|n{62}.)$'), 0::bigint, 'and no schema');

-- tables of one role, attached by another that has its rights, written by a third
CREATE ROLE attach_owner;
CREATE ROLE attach_user IN ROLE attach_owner;
CREATE ROLE attach_writer;
DO $$ BEGIN EXECUTE format('GRANT CREATE ON DATABASE %I TO attach_user', current_database()); END $$;
ALTER SCHEMA app OWNER TO attach_owner;
ALTER TABLE app.net OWNER TO attach_owner;
ALTER TABLE app.vm OWNER TO attach_owner;
ALTER TABLE app.nic OWNER TO attach_owner;
ALTER TABLE app.nic ADD mac_address macaddr;
GRANT USAGE ON SCHEMA app TO attach_writer;
GRANT ALL ON ALL TABLES IN SCHEMA app TO attach_writer;
SET LOCAL client_min_messages = error;
SELECT is(pg_temp.outcome_as('attach_user', $$ SELECT vmnet.attach_inventory('other', 'app.nic', 'app.net', 'app.vm', mode => 'enforce') $$), 'accepted', 'tables of a role that one is a member of are attached');
SELECT is(pg_temp.outcome_as('attach_writer', $$ UPDATE app.nic SET state = 'Releasing', mac_address = '02:00:00:00:00:01' WHERE id = 3 $$), 'accepted', 'who may write to them writes');
SELECT results_eq('SELECT nic_id, to_state FROM other.nic_history', $$ VALUES (3::bigint, 'Releasing') $$, 'and history is written by the owner of the inventory');
SELECT is((SELECT count(*) FROM other.nic_address_history), 1::bigint, 'that of addresses, too');
REVOKE attach_owner FROM attach_user;
SELECT is(pg_temp.outcome_as('attach_writer', $$ UPDATE app.nic SET state = 'Allocated' WHERE id = 3 $$), 'accepted', 'it belongs to the owner of the tables, so it does not matter who attached them');
DROP OWNED BY attach_user, attach_owner, attach_writer CASCADE;
DROP ROLE attach_user, attach_owner, attach_writer;
SELECT * FROM finish();
ROLLBACK;
