-- How old an inventory is: as_of of vmnet.inventories, and the setting vmnet.max_age.
\i test/tap/setup.psql

SELECT plan(31);

CREATE FUNCTION pg_temp.answer(query text, OUT code text, OUT detail text, OUT hint text) LANGUAGE plpgsql AS $$
DECLARE
	name text;
BEGIN
	EXECUTE query;
	code := 'done';
EXCEPTION WHEN OTHERS THEN
	GET STACKED DIAGNOSTICS code = RETURNED_SQLSTATE, name = CONSTRAINT_NAME, detail = PG_EXCEPTION_DETAIL, hint = PG_EXCEPTION_HINT;
	code := concat_ws(' ', code, nullif(name, ''));
END $$;
CREATE FUNCTION pg_temp.as_of(inventory text) RETURNS timestamptz LANGUAGE sql AS 'SELECT as_of FROM vmnet.inventories WHERE name = $1';

-- A source, and a mirror with an odd name
CREATE SCHEMA src;
CREATE TABLE src.networks (id bigint, uuid text, name text, state text, traffic_type text, created text, removed text);
CREATE TABLE src.vm_instance (id bigint, uuid text, name text, state text, type text, created text, removed text);
CREATE TABLE src.nics (id bigint, uuid text, instance_id bigint, network_id bigint, state text, strategy text, vm_type text, default_nic int, created text, removed text);
INSERT INTO src.networks VALUES (1, '00000000-0000-0000-0000-000000000001', 'n', 'Setup', 'Guest', '2025-01-01 00:00:00', NULL);
INSERT INTO src.vm_instance VALUES (1, '00000000-0000-0000-0000-000000000001', 'i', 'Running', 'User', '2025-01-01 00:00:00', NULL);
INSERT INTO src.nics VALUES (1, NULL, 1, 1, 'Reserved', 'Start', 'User', 1, '2025-01-01 00:00:00', NULL);
SELECT vmnet.create_inventory('a "Mirror"', 'mirror') \g /dev/null
\set m '"a ""Mirror"""'

SELECT is(pg_temp.as_of('cloud'), now(), 'a managed inventory is as of now');
SELECT is(pg_temp.as_of('a "Mirror"'), NULL, 'a mirror without an import is not');
SELECT col_type_is('vmnet', 'inventories', 'as_of', 'timestamp with time zone', 'a column of vmnet.inventories');
SELECT is((SELECT attnum::int FROM pg_attribute WHERE attrelid = 'vmnet.inventories'::regclass AND attname = 'as_of'),
	(SELECT max(attnum)::int FROM pg_attribute WHERE attrelid = 'vmnet.inventories'::regclass), 'the last one');

SET LOCAL client_min_messages = warning;
CALL vmnet.import_cloudstack('src', 'a "Mirror"');
RESET client_min_messages;
SELECT is(pg_temp.as_of('a "Mirror"'), (SELECT started FROM :m.import_runs WHERE run = 1), 'the start of the import');
INSERT INTO :m.import_runs (source, status, started) VALUES ('src', 'failed', now() + interval '1 day'), ('src', 'running', now() + interval '1 day');
SELECT is(pg_temp.as_of('a "Mirror"'), (SELECT started FROM :m.import_runs WHERE run = 1), 'runs that are not completed do not count');
UPDATE :m.import_runs SET started = clock_timestamp() - interval '2 hours' WHERE run = 1;

-- the setting
SELECT is(current_setting('vmnet.max_age'), '0', 'off');
SELECT is(instance_id, 1::bigint, 'off: an old mirror is read') FROM vmnet.network_active_instances(1, inventory => 'a "Mirror"');
SET LOCAL vmnet.max_age = '1h';
CREATE TEMP TABLE reads (call text);
INSERT INTO reads VALUES ('network_active_instances(1, inventory => %L)'), ('network_active_nics(1, %L)'), ('instance_active_networks(1, %L)'),
	('vpc_active_instances(1, %L)'), ('network_active_instance_count(1, %L)'), ('network_in_use(1, %L)'),
	('network_id(''00000000-0000-0000-0000-000000000001''::uuid, %L)'), ('instance_id(''00000000-0000-0000-0000-000000000001''::uuid, %L)'),
	('network_id(''n'', %L)'), ('instance_id(''i'', %L)'), ('nic_explain(1, %L)'), ('network_explain(1, %L)');
SELECT is((pg_temp.answer(format('SELECT vmnet.' || call, 'a "Mirror"'))).code, '22023 inventory_too_old', call) FROM reads;
SELECT is_empty($$SELECT call FROM reads WHERE (pg_temp.answer(format('SELECT vmnet.' || call, 'cloud'))).code <> 'done'$$, 'not of a managed inventory');
SELECT alike((pg_temp.answer($$SELECT vmnet.network_in_use(1, 'a "Mirror"')$$)).detail, 'It is as of %, 7200 seconds ago; the setting is 3600 seconds.', 'DETAIL says how old');
SELECT is((pg_temp.answer($$SELECT vmnet.network_in_use(1, 'a "Mirror"')$$)).hint, $$CALL vmnet.import_cloudstack('src', 'a "Mirror"'); brings it up to its source.$$, 'HINT how to renew it');
SELECT is((pg_temp.answer($$SELECT * FROM vmnet.network_instances_as_of(1, now() - interval '1 day', 'a "Mirror"')$$)).code, 'done', 'the past is as old as it is asked for');
SET LOCAL vmnet.max_age = '3h';
SELECT is((pg_temp.answer($$SELECT vmnet.network_in_use(1, 'a "Mirror"')$$)).code, 'done', 'young enough');
UPDATE :m.import_runs SET status = 'failed' WHERE run = 1;
SELECT is((pg_temp.answer($$SELECT vmnet.network_in_use(1, 'a "Mirror"')$$)).code, '22023 inventory_too_old', 'no import was completed');
UPDATE :m.import_runs SET status = 'done' WHERE run = 1;

-- who may not read the runs
CREATE ROLE regress_vmnet_age;
GRANT USAGE ON SCHEMA :m TO regress_vmnet_age;
GRANT SELECT ON :m.networks, :m.all_networks, :m.nics, :m.all_nics, :m.instances, :m.all_instances TO regress_vmnet_age;
SET LOCAL ROLE regress_vmnet_age;
SELECT is((SELECT as_of FROM vmnet.inventories WHERE name = 'a "Mirror"'), NULL, 'not for who may not read import_runs');
SELECT throws_ok($$SELECT vmnet.network_in_use(1, 'a "Mirror"')$$, '22023', 'the age of mirror "a "Mirror"" is not known', 'nor is the age');
SET LOCAL vmnet.max_age = 0;
SELECT lives_ok($$SELECT vmnet.network_in_use(1, 'a "Mirror"')$$, 'without the setting nothing is asked');
RESET ROLE;
GRANT SELECT ON :m.import_runs TO regress_vmnet_age;
SET LOCAL ROLE regress_vmnet_age;
SELECT isnt((SELECT as_of FROM vmnet.inventories WHERE name = 'a "Mirror"'), NULL, 'for who may');
RESET ROLE;

-- What looks like the table is not executed.
ALTER TABLE :m.import_runs RENAME TO runs;
CREATE VIEW :m.import_runs AS SELECT run, 'done'::text AS status, now() AS started FROM :m.runs WHERE 1 / 0 = 1;
SELECT is(pg_temp.as_of('a "Mirror"'), NULL, 'a view of that name is not read');

SELECT * FROM finish();
ROLLBACK;
