-- What may not be in a view of an inventory or of a report, of any kind: it has to
-- mean the same after a dump, a rename and on another node.
--   a constant of a type like regclass, which is written out as a name and looked
--   up where it is read;
--   recursion, which is not taken apart by what distributes a query;
--   a function of the extension, but for those that read the texts of another
--   system in a live inventory.
\i test/tap/setup.psql
\i test/tap/attached.psql
SELECT plan(44);
SET LOCAL client_min_messages = error;
SELECT vmnet.create_inventory('It''s "odd" %s'), vmnet.create_inventory('shadow', 'mirror') \g /dev/null
SELECT vmnet.partition_history('cloud') \g /dev/null
CALL vmnet.import_cloudstack('cs', 'mirror');
SELECT count(vmnet.create_report(n)) FROM unnest(ARRAY['cloud', 'It''s "odd" %s', 'shadow', 'mirror', 'full', 'few', 'uuids', 'live']::name[]) n \g /dev/null
SELECT count(vmnet.create_report(n, 'tenants_' || n, true)) FROM unnest(ARRAY['cloud', 'mirror', 'full', 'few', 'uuids']::name[]) n \g /dev/null

-- Views of a schema that have what they may not have.
CREATE FUNCTION pg_temp.lint(schema text) RETURNS TABLE (view text, what text) LANGUAGE sql AS $$
SELECT c.relname::text, m.m[1]
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace,
	-- a string, then the cast, as pg_get_viewdef() writes a constant
	regexp_matches(pg_get_viewdef(c.oid), '(''(?:[^'']|'''')*''::(?:pg_catalog\.)?reg[a-z]+|\mRECURSIVE\M)', 'gi') m (m)
WHERE n.nspname = schema AND c.relkind IN ('v', 'm')
UNION ALL
-- however it is written: what the view depends on
SELECT c.relname::text, d.refclassid::regclass || ' ' || d.refobjid
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
	JOIN pg_rewrite r ON r.ev_class = c.oid
	JOIN pg_depend d ON d.classid = 'pg_rewrite'::regclass AND d.objid = r.oid
	LEFT JOIN pg_proc p ON d.refclassid = 'pg_proc'::regclass AND p.oid = d.refobjid
WHERE n.nspname = schema AND c.relkind IN ('v', 'm')
	AND (d.refclassid = 'pg_namespace'::regclass OR p.pronamespace IN (SELECT oid FROM pg_namespace WHERE nspname IN ('vmnet', 'vmnet_internal'))
		AND (schema <> 'live' OR p.proname !~ '^read_'))
$$;
SELECT is_empty(format('SELECT * FROM pg_temp.lint(%L)', s), format('the views of %s have nothing that they may not have', s))
FROM unnest(ARRAY['cloud', 'It''s "odd" %s', 'shadow', 'mirror', 'full', 'few', 'uuids', 'live',
	'cloud_report', 'It''s "odd" %s_report', 'shadow_report', 'mirror_report', 'full_report', 'few_report', 'uuids_report', 'live_report',
	'tenants_cloud', 'tenants_mirror', 'tenants_full', 'tenants_few', 'tenants_uuids']) s;
SELECT cmp_ok((SELECT count(*)::int FROM pg_class c WHERE c.relnamespace = s::regnamespace AND c.relkind = 'v'), '>=', least, format('%s has views to look at', s))
FROM (VALUES ('cloud', 12), ('live', 9), ('full', 12), ('cloud_report', 16), ('live_report', 14), ('tenants_cloud', 13)) v (s, least);

-- It finds what it is there for.
CREATE SCHEMA bad;
CREATE FUNCTION pg_temp.finds(query text, what text) RETURNS SETOF text LANGUAGE plpgsql AS $$
BEGIN
	EXECUTE 'CREATE OR REPLACE VIEW bad.view AS ' || query;
	RETURN NEXT is((SELECT string_agg(l.what, ' ' ORDER BY l.what) FROM pg_temp.lint('bad') l), what, 'it finds ' || coalesce(regexp_replace(what, '\d+', 'x'), 'nothing else'));
	DROP VIEW bad.view;
END
$$;
SELECT pg_temp.finds('SELECT ''cloud.all_nics''::regclass', '''cloud.all_nics''::regclass');
SELECT pg_temp.finds('SELECT regclass ''cloud.all_nics''', '''cloud.all_nics''::regclass');
SELECT pg_temp.finds('SELECT CAST (''pg_catalog.pg_class'' AS regclass)', '''pg_class''::regclass');
SELECT pg_temp.finds('SELECT FROM pg_class WHERE relnamespace = ''pg_catalog''::regnamespace', '''pg_catalog''::regnamespace');
SELECT pg_temp.finds('SELECT ''cloud''::regnamespace', format('''cloud''::regnamespace pg_namespace %s', 'cloud'::regnamespace::oid));
SELECT pg_temp.finds('SELECT ''int4''::regtype', '''integer''::regtype');
SELECT pg_temp.finds('SELECT ''It''''s''::text, ''now()''::regprocedure', '''now()''::regprocedure');
SELECT pg_temp.finds('WITH RECURSIVE f AS (SELECT 1 AS n UNION ALL SELECT n + 1 FROM f WHERE n < 3) SELECT n FROM f', 'RECURSIVE');
SELECT pg_temp.finds('SELECT FROM vmnet_internal.list_inventories()',
	format('pg_proc %s', 'vmnet_internal.list_inventories'::regproc::oid));
SELECT pg_temp.finds('SELECT relname, oid::regclass, relnamespace::regnamespace FROM pg_class', NULL);
SELECT pg_temp.finds('SELECT ''regclass''::text, pg_typeof(NULL::cloud.inventory_info)', NULL);

-- After a rename the report says what the check says, as far down as tables inherit.
CREATE TABLE cloud.one () INHERITS (cloud.all_nics);
CREATE TABLE cloud.two () INHERITS (cloud.one);
CREATE TABLE cloud.three () INHERITS (cloud.two);
CREATE TABLE cloud.four () INHERITS (cloud.three);
ALTER TABLE cloud.all_networks DISABLE TRIGGER USER;
SELECT is((SELECT string_agg(DISTINCT split_part(replace(message, ',', ''), ' ', 1), ' ') FROM vmnet.check_inventory('cloud') WHERE code = 'guard_missing'),
	'cloud.four cloud.one cloud.three cloud.two', 'guards are missed four levels down');
CREATE FUNCTION pg_temp.differences(report text, inventory name) RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
	n bigint;
BEGIN
	EXECUTE format('SELECT count(*) FROM ((SELECT code, object_type, object_id, message, fix FROM %1$I.findings EXCEPT ALL SELECT code, object_type, object_id, message, fix FROM vmnet.check_inventory(%2$L))
		UNION ALL (SELECT code, object_type, object_id, message, fix FROM vmnet.check_inventory(%2$L) EXCEPT ALL SELECT code, object_type, object_id, message, fix FROM %1$I.findings)) d', report, inventory)
	INTO n;
	RETURN n;
END
$$;
INSERT INTO cloud.all_instances (state) VALUES ('Running');
INSERT INTO cloud.all_networks (cidr) VALUES ('10.0.0.0/24');
INSERT INTO cloud.nics (instance_id, network_id, ip4_address) SELECT i.id, w.id, '10.1.0.1' FROM cloud.instances i, cloud.networks w;
SELECT is(pg_temp.differences('cloud_report', 'cloud'), 0::bigint, 'the report has the findings of the check');
ALTER SCHEMA cloud RENAME TO "it's {schema} $1";
SELECT is(pg_temp.differences('cloud_report', 'it''s {schema} $1'), 0::bigint, 'it has them after a rename');
SELECT cmp_ok((SELECT count(*) FROM cloud_report.findings WHERE fix LIKE '%"it''s {schema} $1".all_nics%'), '>=', 1::bigint, 'with statements that name the inventory as it is called now');
SELECT is((SELECT string_agg(DISTINCT inventory, ', ') FROM cloud_report.metrics), 'it''s {schema} $1', 'so do the metrics');
ALTER SCHEMA cloud_report RENAME TO renamed;
SELECT is((SELECT count(DISTINCT view_name) FROM renamed.data_dictionary), (SELECT count(*) FROM pg_class WHERE relnamespace = 'renamed'::regnamespace), 'the dictionary is of the schema that it is in');
SELECT * FROM finish();
ROLLBACK;
