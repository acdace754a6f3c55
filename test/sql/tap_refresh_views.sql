-- refresh_views(): columns that users added to the tables appear in the live
-- views, and changed defaults are copied; what the views have stays.
\i test/tap/setup.psql
SELECT plan(43);
SET LOCAL client_min_messages = error;
SELECT vmnet.create_inventory('a "b" %s') \g /dev/null
SELECT vmnet.create_inventory('m', 'mirror') \g /dev/null
CREATE ROLE regress_refresh_reader;
CREATE FUNCTION pg_temp.columns(view regclass) RETURNS text[] LANGUAGE sql AS $$
	SELECT array_agg(attname::text ORDER BY attnum) FROM pg_attribute WHERE attrelid = view AND attnum > 0
$$;
CREATE FUNCTION pg_temp.refused(call text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	rule text;
	rel text;
BEGIN
	EXECUTE call;
	RETURN 'accepted';
EXCEPTION WHEN OTHERS THEN
	GET STACKED DIAGNOSTICS rule = CONSTRAINT_NAME, rel = TABLE_NAME;
	RETURN concat_ws(' ', SQLSTATE, nullif(rule, ''), nullif(rel, ''));
END $$;

--
-- Nothing to do
--
SELECT is_empty($$SELECT * FROM vmnet.refresh_views('cloud')$$, 'a new inventory has nothing to refresh');
SELECT is_empty($$SELECT * FROM vmnet.refresh_views('m')$$, 'nor has a mirror');
SELECT is_empty($$SELECT * FROM vmnet.refresh_views('a "b" %s')$$, 'whatever its name');

--
-- Columns
--
CREATE TEMP TABLE before AS SELECT c.relname, pg_temp.columns(c.oid) AS columns, pg_get_viewdef(c.oid) AS definition
	FROM pg_class c WHERE c.relnamespace = 'cloud'::regnamespace AND c.relkind = 'v';
ALTER TABLE cloud.all_nics ADD COLUMN rack text, ADD COLUMN "Te %n ""ant" int DEFAULT 7, ADD COLUMN twice int GENERATED ALWAYS AS ("Te %n ""ant" * 2) STORED;
ALTER TABLE cloud.all_networks ADD COLUMN gone text, ADD COLUMN owner name DEFAULT CURRENT_USER;
ALTER TABLE cloud.all_networks DROP COLUMN gone;
ALTER TABLE cloud.all_nic_secondary_ips ADD COLUMN why text;
COMMENT ON COLUMN cloud.all_nics.rack IS 'Where it is';
-- what the views have
ALTER VIEW cloud.nics SET (check_option = local);
GRANT SELECT ON cloud.nics TO regress_refresh_reader;
GRANT SELECT (id) ON cloud.networks TO regress_refresh_reader;
COMMENT ON VIEW cloud.nics IS 'Mine';
COMMENT ON COLUMN cloud.nics.mtu IS 'Mine, too';
CREATE VIEW public.mine AS SELECT id, mtu FROM cloud.nics;
SELECT results_eq($$SELECT * FROM vmnet.refresh_views('cloud')$$, $$VALUES
	('networks', 'owner', 'added'), ('networks', 'owner', 'default CURRENT_USER'),
	('nics', 'rack', 'added'), ('nics', 'Te %n "ant', 'added'), ('nics', 'twice', 'added'), ('nics', 'Te %n "ant', 'default 7'),
	('nic_secondary_ips', 'why', 'added')$$, 'each column that was added is told, and its default');
SELECT is_empty($$SELECT * FROM vmnet.refresh_views('cloud')$$, 'a second run does nothing');
SELECT is(pg_temp.columns('cloud.nics'), (SELECT columns FROM before WHERE relname = 'nics') || ARRAY['rack', 'Te %n "ant', 'twice'], 'nics has them at the end');
SELECT is(pg_temp.columns('cloud.networks'), (SELECT columns FROM before WHERE relname = 'networks') || 'owner'::text, 'networks has what is there, and not what was dropped');
SELECT is(pg_temp.columns('cloud.nic_secondary_ips'), (SELECT columns FROM before WHERE relname = 'nic_secondary_ips') || 'why'::text, 'so has nic_secondary_ips');
SELECT is_empty($$SELECT relname FROM before WHERE relname NOT IN ('nics', 'networks', 'nic_secondary_ips') AND definition <> pg_get_viewdef(format('cloud.%I', relname)::regclass)$$,
	'no other view changed');
SELECT is((SELECT reloptions::text FROM pg_class WHERE oid = 'cloud.nics'::regclass), '{security_invoker=true,check_option=local}', 'options stay');
SELECT ok(has_table_privilege('regress_refresh_reader', 'cloud.nics', 'SELECT') AND has_column_privilege('regress_refresh_reader', 'cloud.networks', 'id', 'SELECT'), 'grants stay');
SELECT ok(NOT has_column_privilege('regress_refresh_reader', 'cloud.networks', 'owner', 'SELECT'), 'and give nothing that they did not give');
SELECT is(obj_description('cloud.nics'::regclass, 'pg_class'), 'Mine', 'the comment of a view stays');
SELECT is((SELECT array_agg(col_description(attrelid, attnum) ORDER BY attnum)::text FROM pg_attribute WHERE attrelid = 'cloud.nics'::regclass AND attname IN ('mtu', 'rack')),
	'{"Mine, too","Where it is"}', 'so do those of columns, and new ones are copied');
SELECT has_trigger('cloud', 'nics', 'nic_view_delete', 'triggers stay');

INSERT INTO cloud.networks (id, owner) VALUES (1, 'bob'), (2, DEFAULT);
INSERT INTO cloud.instances (id) VALUES (1);
INSERT INTO cloud.nics (id, network_id, instance_id, rack) VALUES (1, 1, 1, 'r1') RETURNING (rack, "Te %n ""ant", twice)::text AS written \gset
SELECT is(:'written'::text, '(r1,7,14)', 'they can be written through the view');
SELECT is((SELECT owner FROM cloud.networks WHERE id = 2), current_user::name, 'with their defaults');
SELECT is_empty($$SELECT code, message FROM vmnet.check_inventory('cloud')$$, 'and are no finding');

ALTER TABLE cloud.all_nics ADD COLUMN later boolean;
SELECT results_eq($$SELECT * FROM vmnet.refresh_views('cloud')$$, $$VALUES ('nics', 'later', 'added')$$, 'one that is added later comes after them');
SELECT is(pg_temp.columns('cloud.nics'), (SELECT columns FROM before WHERE relname = 'nics') || ARRAY['rack', 'Te %n "ant', 'twice', 'later'], 'at the end again');

--
-- Defaults
--
ALTER TABLE cloud.all_nics ALTER mtu SET DEFAULT 1500, ALTER vm_type SET DEFAULT 'DomainRouter', ALTER "Te %n ""ant" DROP DEFAULT, ALTER rack SET DEFAULT 'r0';
SELECT results_eq($$SELECT * FROM vmnet.refresh_views('cloud')$$, $$VALUES
	('nics', 'vm_type', 'default ''DomainRouter''::text'), ('nics', 'mtu', 'default 1500'), ('nics', 'rack', 'default ''r0''::text'), ('nics', 'Te %n "ant', 'no default')$$,
	'changed defaults are copied');
SELECT is_empty($$SELECT * FROM vmnet.refresh_views('cloud')$$, 'a second run does nothing here either');
UPDATE cloud.nics SET mtu = DEFAULT, rack = DEFAULT, "Te %n ""ant" = DEFAULT;
SELECT is((SELECT (mtu, rack, "Te %n ""ant")::text FROM cloud.nics), '(1500,r0,)', 'an UPDATE to DEFAULT through the view takes them');
ALTER TABLE cloud.all_nics ALTER mtu DROP DEFAULT, ALTER vm_type SET DEFAULT 'User';
SELECT results_eq($$SELECT * FROM vmnet.refresh_views('cloud')$$, $$VALUES ('nics', 'vm_type', 'default ''User''::text'), ('nics', 'mtu', 'no default')$$,
	'a default that the view has follows that of the table');
ALTER VIEW cloud.networks ALTER name SET DEFAULT 'x';
SELECT results_eq($$SELECT * FROM vmnet.refresh_views('cloud')$$, $$VALUES ('networks', 'name', 'no default')$$, 'one that only the view has is dropped');

-- which number a column of users has is left to the table, as for id
ALTER TABLE cloud.all_networks ADD COLUMN num serial, ADD COLUMN num2 bigint GENERATED BY DEFAULT AS IDENTITY;
SELECT results_eq($$SELECT * FROM vmnet.refresh_views('cloud')$$, $$VALUES ('networks', 'num', 'added'), ('networks', 'num2', 'added')$$, 'a view has no default that is a sequence');
INSERT INTO cloud.networks (id, num) VALUES (3, DEFAULT) RETURNING (num, num2)::text AS numbers \gset
SELECT is(:'numbers'::text, '(3,3)', 'and numbers rows nevertheless');

--
-- What cannot be kept
--
SELECT string_agg(c, ', ') AS columns, string_agg(CASE c WHEN 'name' THEN 'upper(name) AS name' ELSE c END, ', ') AS changed FROM unnest(pg_temp.columns('cloud.instances')) c \gset
ALTER TABLE cloud.all_instances ADD COLUMN tag text;
SAVEPOINT s;
CREATE OR REPLACE VIEW cloud.instances WITH (security_invoker = true) AS SELECT * FROM cloud.instances;
ROLLBACK TO s;
CREATE OR REPLACE VIEW cloud.instances WITH (security_invoker = true) AS
	SELECT :columns
	FROM cloud.all_instances WHERE removed IS NULL AND type = 'User';
SELECT is(pg_temp.refused($$SELECT vmnet.refresh_views('cloud')$$), '0A000 live_view_unchanged instances', 'a view with another condition is refused');
SELECT ok(NOT 'tag' = ANY (pg_temp.columns('cloud.instances')), 'and stays');
SELECT is_empty($$SELECT FROM pg_class WHERE relname LIKE 'vmnet_refresh_views%'$$, 'nothing is left behind');
ROLLBACK TO s;
CREATE OR REPLACE VIEW cloud.instances WITH (security_invoker = true) AS
	SELECT :columns, upper(name) AS loud
	FROM cloud.all_instances WHERE removed IS NULL;
SELECT is(pg_temp.refused($$SELECT vmnet.refresh_views('cloud')$$), '0A000 live_view_unchanged instances', 'so is one with an expression');
ROLLBACK TO s;
CREATE OR REPLACE VIEW cloud.instances WITH (security_invoker = true) AS
	SELECT :changed
	FROM cloud.all_instances WHERE removed IS NULL;
SELECT is(pg_temp.refused($$SELECT vmnet.refresh_views('cloud')$$), '0A000 live_view_unchanged instances', 'and one in whose place of a column stands an expression');
ROLLBACK TO s;
-- a column that was renamed in the table keeps its name in the view
ALTER TABLE cloud.all_nics RENAME later TO "Later %s";
CREATE FUNCTION pg_temp.hint(call text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	hint text;
BEGIN
	EXECUTE call;
	RETURN 'accepted';
EXCEPTION WHEN OTHERS THEN
	GET STACKED DIAGNOSTICS hint = PG_EXCEPTION_HINT;
	RETURN substring(hint FROM 'ALTER VIEW [^;]*');
END $$;
SELECT is(pg_temp.refused($$SELECT vmnet.refresh_views('cloud')$$), '0A000 live_view_unchanged nics', 'a view with the former name of a column is refused');
SELECT pg_temp.hint($$SELECT vmnet.refresh_views('cloud')$$) AS hint \gset
SELECT is(:'hint'::text, 'ALTER VIEW cloud.nics RENAME COLUMN later TO "Later %s"', 'the hint renames it');
:hint;
SELECT ok('Later %s' = ANY (pg_temp.columns('cloud.nics')) AND EXISTS (SELECT FROM vmnet.refresh_views('cloud') r WHERE r.column_name = 'tag'), 'then the views are refreshed');
ROLLBACK TO s;
CREATE OR REPLACE VIEW cloud.instances WITH (security_invoker = true) AS
	SELECT :columns, tag
	FROM cloud.all_instances WHERE removed IS NULL;
SELECT is_empty($$SELECT * FROM vmnet.refresh_views('cloud')$$, 'a column that was added to the view by hand is not lacking');
ALTER TABLE cloud.all_instances ADD COLUMN more text;
SELECT results_eq($$SELECT * FROM vmnet.refresh_views('cloud')$$, $$VALUES ('instances', 'more', 'added')$$, 'nor in the way of others');
ALTER TABLE "a ""b"" %s".all_nics ADD COLUMN x int;
SELECT results_eq($$SELECT * FROM vmnet.refresh_views('a "b" %s')$$, $$VALUES ('nics', 'x', 'added')$$, 'an inventory of any name is refreshed');

--
-- Who, and of what
--
SELECT is(pg_temp.refused($$SELECT vmnet.refresh_views('nowhere')$$), '22023', 'an unknown inventory is refused');
SET LOCAL vmnet.inventory = 'm';
ALTER TABLE m.all_nics ADD COLUMN x int;
SELECT results_eq($$SELECT * FROM vmnet.refresh_views()$$, $$VALUES ('nics', 'x', 'added')$$, 'without an argument it is the inventory of the setting');
CREATE SCHEMA theirs;
CREATE TABLE theirs.nics (id bigint PRIMARY KEY, network_id bigint, instance_id bigint);
SELECT vmnet.attach_inventory('att', 'theirs.nics', mode => 'read_only') \g /dev/null
SELECT is(pg_temp.refused($$SELECT vmnet.refresh_views('att')$$), '22023', 'an attached inventory has no tables of its own');
ALTER TABLE cloud.all_nics ADD COLUMN y int;
SET LOCAL ROLE regress_refresh_reader;
SELECT is(pg_temp.refused($$SELECT vmnet.refresh_views('cloud')$$), '42501', 'only the owner can');
RESET ROLE;
SELECT results_eq($$SELECT * FROM vmnet.refresh_views('cloud')$$, $$VALUES ('nics', 'y', 'added')$$, 'who does');
SELECT * FROM finish();
ROLLBACK;
