-- Names people have: network_id() and instance_id() take an id, a uuid or a name.
\i test/tap/setup.psql

SELECT plan(50);

CREATE FUNCTION pg_temp.answer(query text, OUT code text, OUT detail text) LANGUAGE plpgsql AS $$
DECLARE
	name text;
BEGIN
	EXECUTE query INTO code;
EXCEPTION WHEN OTHERS THEN
	GET STACKED DIAGNOSTICS code = RETURNED_SQLSTATE, name = CONSTRAINT_NAME, detail = PG_EXCEPTION_DETAIL;
	code := concat_ws(' ', code, nullif(name, ''));
END $$;
GRANT EXECUTE ON FUNCTION pg_temp.answer(text) TO PUBLIC;

INSERT INTO cloud.networks (id, uuid, name, account_name, zone_name) VALUES
	(201, '00000000-0000-0000-0000-0000000000a1', 'front', 'admin', 'zone 1'),
	(202, '00000000-0000-0000-0000-0000000000a2', 'back', 'admin', NULL),
	(203, '00000000-0000-0000-0000-0000000000a3', 'back', NULL, NULL),
	(204, '00000000-0000-0000-0000-0000000000a4', '201', NULL, NULL),
	(205, '00000000-0000-0000-0000-0000000000a5', 'It''s "quoted", Ünïcode ', NULL, NULL),
	(206, '00000000-0000-0000-0000-0000000000a6', '206', NULL, NULL),
	(207, '00000000-0000-0000-0000-0000000000a7', '00000000-0000-0000-0000-0000000000a2', NULL, NULL),
	(208, '00000000-0000-0000-0000-0000000000a8', NULL, NULL, NULL),
	(-209, '00000000-0000-0000-0000-0000000000a9', '9223372036854775808', NULL, NULL);
INSERT INTO cloud.networks (name) SELECT 'many' FROM generate_series(1, 7);
INSERT INTO cloud.all_networks (id, uuid, name, created, removed) VALUES
	(301, '00000000-0000-0000-0000-0000000000b1', 'front', '2024-01-01', '2024-02-01'),
	(302, '00000000-0000-0000-0000-0000000000b2', 'gone', '2024-01-01', '2024-02-01');
INSERT INTO cloud.instances (id, uuid, name) VALUES
	(1, '00000000-0000-0000-0000-0000000000c1', 'web'), (2, '00000000-0000-0000-0000-0000000000c2', 'web'), (3, '00000000-0000-0000-0000-0000000000c3', 'db');
INSERT INTO cloud.nics (instance_id, network_id) VALUES (3, 201);

-- which function an argument gets
SELECT is(vmnet.network_id('front'), 201::bigint, 'a name');
SELECT is(vmnet.network_id('204'), 204::bigint, 'an id');
SELECT is(vmnet.network_id('00000000-0000-0000-0000-0000000000a1'), 201::bigint, 'a literal uuid, which has no type');
SELECT is(vmnet.network_id('000000000000000000000000000000A1'), 201::bigint, 'a uuid without dashes, in capitals');
SELECT is(vmnet.network_id('00000000-0000-0000-0000-0000000000a1'::uuid), 201::bigint, 'a uuid');
SELECT is(vmnet.network_id(w.uuid), w.id, 'a column of type uuid') FROM cloud.networks w WHERE w.id = 202;
SELECT is(vmnet.network_id(w.name::varchar), w.id, 'a varchar') FROM cloud.networks w WHERE w.id = 201;
SELECT is(vmnet.network_id(uuid => '00000000-0000-0000-0000-0000000000a1'), 201::bigint, 'the argument uuid by its name');
SELECT is(vmnet.network_id(network => 'front'), 201::bigint, 'the argument network by its name');
SELECT is(vmnet.network_id(NULL), NULL, 'NULL');
SELECT is(vmnet.network_id('front', 'cloud'), 201::bigint, 'with an inventory');
SELECT is(vmnet.network_id('front', inventory => 'cloud'), 201::bigint, 'by the name of the argument');
PREPARE by_unknown AS SELECT vmnet.network_id($1);
SELECT is((SELECT parameter_types::text FROM pg_prepared_statements WHERE name = 'by_unknown'), '{text}', 'a parameter without a type is a text');
PREPARE by_uuid(uuid) AS SELECT vmnet.network_id($1);
SELECT results_eq($$EXECUTE by_uuid('00000000-0000-0000-0000-0000000000a1')$$, 'VALUES (201::bigint)', 'a parameter of type uuid');
SELECT results_eq($$SELECT instance_name FROM vmnet.network_active_instances(vmnet.network_id('front'))$$, $$VALUES ('db')$$, 'as an argument of a read');
SELECT results_eq($$SELECT instance_name FROM vmnet.network_active_instances('201')$$, $$VALUES ('db')$$, 'a read still takes a literal that has no type');
PREPARE read_unknown AS SELECT instance_name FROM vmnet.network_active_instances($1);
SELECT is((SELECT parameter_types::text FROM pg_prepared_statements WHERE name = 'read_unknown'), '{bigint}', 'and a parameter that has none');
SELECT is((SELECT string_agg(DISTINCT p.proname, ' ') FROM (SELECT proname FROM pg_proc WHERE pronamespace = 'vmnet'::regnamespace
	GROUP BY proname HAVING count(*) > 1) p), 'instance_id network_id', 'no other function is overloaded');

-- what is found
SELECT is(vmnet.network_id('Front'), NULL, 'names are compared exactly');
SELECT is(vmnet.network_id('fron_'), NULL, 'no pattern');
SELECT is(vmnet.network_id(''), NULL, 'an empty text');
SELECT is(vmnet.network_id('It''s "quoted", Ünïcode '), 205::bigint, 'quotes and a blank at the end');
SELECT is(vmnet.network_id('206'), 206::bigint, 'a network whose name is its id');
SELECT is(vmnet.network_id('-209'), '-209'::bigint, 'a negative id');
SELECT is(vmnet.network_id('9223372036854775808'), '-209'::bigint, 'a number that is no bigint is a name');
SELECT is(vmnet.network_id('99999999999999999999999999999999'), NULL, 'or a uuid');
SELECT is(vmnet.network_id('gone'), NULL, 'a removed network has no name');
SELECT is(vmnet.network_id('302'), NULL, 'nor an id');
SELECT is(vmnet.network_id('00000000-0000-0000-0000-0000000000b2'), NULL, 'nor a uuid');
SELECT is(vmnet.network_id('00000000-0000-0000-0000-0000000000b2'::uuid), NULL, 'as for the argument of type uuid');
SELECT is(vmnet.instance_id('db'), 3::bigint, 'an instance by its name');
SELECT is(vmnet.instance_id('00000000-0000-0000-0000-0000000000c3'), 3::bigint, 'by its uuid');

-- names that do not fit an index, and the index
INSERT INTO cloud.networks (id, name) SELECT 1000, string_agg(md5(g::text), '' ORDER BY g) FROM generate_series(1, 1000) g;
INSERT INTO cloud.networks (id, name) VALUES (1001, repeat('x', 2000)), (1002, repeat('x', 2001));
SELECT is(vmnet.network_id(w.name), 1000::bigint, 'a name of 32000 bytes') FROM cloud.networks w WHERE id = 1000;
SELECT is(vmnet.network_id(repeat('x', 2000)), 1001::bigint, 'the longest one in the index');
SELECT is(vmnet.network_id(repeat('x', 2001)), 1002::bigint, 'and one byte more');
INSERT INTO cloud.instances (id, name) SELECT g, 'vm ' || g FROM generate_series(1000, 20000) g;
ANALYZE cloud.all_instances;
CREATE FUNCTION pg_temp.pages(query text) RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
	plan jsonb;
BEGIN
	EXECUTE query;		-- plans and catalogs
	EXECUTE 'EXPLAIN (ANALYZE, BUFFERS, COSTS OFF, TIMING OFF, FORMAT JSON) ' || query INTO plan;
	RETURN (plan->0->'Plan'->>'Shared Hit Blocks')::bigint + (plan->0->'Plan'->>'Shared Read Blocks')::bigint;
END
$$;
SELECT cmp_ok(pg_temp.pages($$SELECT vmnet.instance_id('vm 7777')$$), '<', 60::bigint, 'a name is found by the index');

-- what is ambiguous
SELECT results_eq($$SELECT * FROM pg_temp.answer('SELECT vmnet.network_id(''back'')')$$, $$VALUES ('22023 ambiguous_name',
	'These have it as id, uuid or name: id 202, uuid 00000000-0000-0000-0000-0000000000a2, account admin; id 203, uuid 00000000-0000-0000-0000-0000000000a3.')$$,
	'two live networks of a name');
SELECT results_eq($$SELECT * FROM pg_temp.answer('SELECT vmnet.network_id(''201'')')$$, $$VALUES ('22023 ambiguous_name',
	'These have it as id, uuid or name: id 201, uuid 00000000-0000-0000-0000-0000000000a1, account admin, zone zone 1; id 204, uuid 00000000-0000-0000-0000-0000000000a4.')$$,
	'the id of one and the name of another one');
SELECT is((pg_temp.answer('SELECT vmnet.network_id(''00000000-0000-0000-0000-0000000000a2'')')).code, '22023 ambiguous_name', 'the uuid of one and the name of another one');
SELECT matches((pg_temp.answer('SELECT vmnet.network_id(''many'')')).detail, '^(.*; ){5}and 2 more\.$', 'five of seven are named');
SELECT is((pg_temp.answer('SELECT vmnet.instance_id(''web'')')).code, '22023 ambiguous_name', 'two instances');

-- attached tables, with names and without
CREATE SCHEMA own;
CREATE TABLE own.nets (id bigint PRIMARY KEY, title text, removed timestamptz);
CREATE TABLE own.ports (id bigint PRIMARY KEY, network_id bigint, instance_id bigint);
INSERT INTO own.nets VALUES (1, 'one', NULL), (2, 'two', now()), (3, 'three', NULL), (4, 'three', NULL);
SELECT FROM vmnet.attach_inventory('named', 'own.ports', 'own.nets', columns => '{"networks": {"name": "title"}}') \g /dev/null
SELECT FROM vmnet.attach_inventory('nameless', 'own.ports', 'own.nets') \g /dev/null
SELECT is(ARRAY[vmnet.network_id('one', 'named'), vmnet.network_id('two', 'named'), vmnet.network_id('1', 'named')], ARRAY[1, NULL, 1]::bigint[], 'attached tables');
SELECT is((pg_temp.answer($$SELECT vmnet.network_id('three', 'named')$$)).detail, 'These have it as id, uuid or name: id 3; id 4.', 'which rows are meant');
SELECT is((pg_temp.answer($$SELECT vmnet.network_id('one', 'nameless')$$)).code, '22023', 'a table without names');
SELECT is(vmnet.network_id('1', 'nameless'), 1::bigint, 'has ids');

-- whose rows
CREATE ROLE regress_vmnet_names;
GRANT USAGE ON SCHEMA cloud TO regress_vmnet_names;
SET LOCAL ROLE regress_vmnet_names;
SELECT is((pg_temp.answer('SELECT vmnet.network_id(''back'')')).code, '42501', 'no SELECT');
RESET ROLE;
GRANT SELECT (id, name) ON cloud.networks TO regress_vmnet_names;
GRANT SELECT ON cloud.all_networks TO regress_vmnet_names;
SET LOCAL ROLE regress_vmnet_names;
SELECT is(vmnet.network_id('front'), 201::bigint, 'SELECT on what is compared is enough');
SELECT results_eq($$SELECT * FROM pg_temp.answer('SELECT vmnet.network_id(''back'')')$$,
	$$VALUES ('22023 ambiguous_name', 'They have it as id, uuid or name.')$$, 'a message does not name columns that he may not read');
RESET ROLE;
GRANT SELECT ON cloud.networks TO regress_vmnet_names;
ALTER TABLE cloud.all_networks ENABLE ROW LEVEL SECURITY;
CREATE POLICY not_203 ON cloud.all_networks USING (id <> 203);
SET LOCAL ROLE regress_vmnet_names;
SELECT is(vmnet.network_id('back'), 202::bigint, 'a row that a policy hides is not meant');
SELECT results_eq($$SELECT * FROM pg_temp.answer('SELECT vmnet.network_id(''201'')')$$,
	$$VALUES ('22023 ambiguous_name', 'They have it as id, uuid or name.')$$, 'where one is active, no row is named');
RESET ROLE;

SELECT * FROM finish();
ROLLBACK;
