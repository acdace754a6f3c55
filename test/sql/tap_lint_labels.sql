-- The labels of the functions of schemas vmnet and vmnet_internal: volatility,
-- parallel safety and cost.
\i test/tap/setup.psql

SELECT plan(19);

CREATE TEMP VIEW labels AS
SELECT p.oid::regprocedure::text AS function, n.nspname || '.' || p.proname AS name, l.lanname AS language,
	p.prorettype IN ('trigger'::regtype, 'event_trigger'::regtype, 'internal'::regtype) AS called_by_server,
	p.provolatile AS volatility, p.proparallel AS parallel, p.procost AS cost,
	l.lanname = 'plpgsql' AND p.prosrc ~ '\mEXCEPTION\s+WHEN\M' AS catches,
	strpos('isv', p.provolatile::text) AS volatility_rank, strpos('sru', p.proparallel::text) AS parallel_rank,
	-- without comments and without texts, which are returned or executed later
	regexp_replace(regexp_replace(p.prosrc, '\$(\w*?)\$.*?\$\1\$', '', 'g'), '--[^\n]*|''(?:[^'']|'''')*''', '', 'g') AS code
FROM pg_depend d
JOIN pg_proc p ON d.classid = 'pg_proc'::regclass AND p.oid = d.objid
JOIN pg_namespace n ON n.oid = p.pronamespace
JOIN pg_language l ON l.oid = p.prolang
WHERE d.refclassid = 'pg_extension'::regclass AND d.refobjid = (SELECT oid FROM pg_extension WHERE extname = 'vmnet_ext')
	AND d.deptype = 'e' AND p.prokind = 'f';

-- Calls of functions of the extension.
CREATE TEMP VIEW calls AS
SELECT DISTINCT f.function AS caller, f.catches, f.volatility AS caller_volatility, f.parallel AS caller_parallel,
	c.function AS callee, c.volatility AS callee_volatility, c.parallel AS callee_parallel,
	c.volatility_rank > f.volatility_rank AS more_volatile, c.parallel_rank > f.parallel_rank AS less_parallel
FROM labels f,
	LATERAL regexp_matches(f.code, '\m(vmnet(?:_internal)?\.\w+)\s*\(', 'g') m (m)
	JOIN labels c ON c.name = m.m[1]
WHERE f.language IN ('sql', 'plpgsql') AND NOT c.called_by_server;

SELECT cmp_ok((SELECT count(*) FROM labels), '>', 200::bigint, 'the functions were read');
SELECT cmp_ok((SELECT count(*) FROM calls), '>', 200::bigint, 'and the calls in them');

-- Cost.  A function of cost 1 is evaluated before lower(): only what reads neither
-- tables nor catalogs may have it, which is what IMMUTABLE functions in C are.
SELECT is_empty($$SELECT function, cost FROM labels WHERE cost < 100 AND NOT called_by_server AND NOT (language = 'c' AND volatility = 'i')$$,
	'a function that reads tables or catalogs costs at least 100');
SELECT is_empty($$SELECT function, cost FROM labels WHERE cost <> 1 AND language = 'c' AND volatility = 'i'$$,
	'a function in C that reads neither costs 1');

-- Volatility and parallel safety.
SELECT is_empty($$SELECT function FROM labels WHERE called_by_server AND volatility <> 'v'$$, 'functions of triggers are VOLATILE');
SELECT is_empty($$SELECT function, parallel FROM labels WHERE volatility = 'v' AND parallel <> 'u'$$,
	'a function that may write is PARALLEL UNSAFE');
SELECT is_empty($$SELECT function, parallel FROM labels WHERE catches AND parallel <> 'u'$$,
	'a function that catches errors is PARALLEL UNSAFE');
SELECT is_empty($$SELECT function, parallel FROM labels WHERE volatility = 'i' AND parallel <> 's' AND NOT catches$$,
	'any other IMMUTABLE function is PARALLEL SAFE');
SELECT is_empty($$SELECT function, parallel FROM labels WHERE language = 'c' AND volatility = 's' AND parallel = 's'
		AND name <> 'vmnet_internal.refuse_shell_table'$$,
	'a STABLE function in C, which may run queries, is not PARALLEL SAFE');
SELECT is_empty($$SELECT function FROM labels WHERE language IN ('sql', 'plpgsql') AND volatility <> 'v' 
		AND code ~* '\m(clock_timestamp|random|gen_random_uuid|nextval|set_config)\s*\('$$,
	'a function that calls a volatile one of PostgreSQL is VOLATILE');
SELECT is_empty($$SELECT caller, caller_volatility, callee, callee_volatility FROM calls WHERE more_volatile$$,
	'no function calls a more volatile one');
SELECT is_empty($$SELECT caller, caller_parallel, callee, callee_parallel FROM calls WHERE less_parallel$$,
	'no function calls a less parallel-safe one');

-- The entry of a function in C has the labels of its implementation.
SELECT is_empty($$SELECT f.function, f.volatility, f.parallel, b.volatility, b.parallel
	FROM labels f JOIN labels b ON b.name = replace(f.name, 'vmnet.', 'vmnet_internal.') AND f.name LIKE 'vmnet.%'
	WHERE f.language = 'c' AND (f.volatility_rank < b.volatility_rank OR f.parallel_rank < b.parallel_rank)$$,
	'an entry is at least as volatile and as parallel-unsafe as what it runs');

-- The queries above find faults.
CREATE FUNCTION vmnet_internal.planted_cheap() RETURNS boolean AS '$libdir/vmnet_ext', 'network_in_use' LANGUAGE C STABLE PARALLEL SAFE;
CREATE FUNCTION vmnet_internal.planted_caller() RETURNS bigint LANGUAGE sql IMMUTABLE PARALLEL SAFE
	AS 'SELECT 1 FROM vmnet.network_in_use(NULL)';
CREATE FUNCTION vmnet_internal.planted_writer() RETURNS text LANGUAGE plpgsql STABLE PARALLEL RESTRICTED
	AS 'BEGIN PERFORM set_config(''a.b'', ''c'', true); RETURN vmnet.nic_event(1, ''x''); EXCEPTION WHEN OTHERS THEN NULL; END';
ALTER EXTENSION vmnet_ext ADD FUNCTION vmnet_internal.planted_cheap();
ALTER EXTENSION vmnet_ext ADD FUNCTION vmnet_internal.planted_caller();
ALTER EXTENSION vmnet_ext ADD FUNCTION vmnet_internal.planted_writer();
SELECT results_eq($$SELECT function FROM labels WHERE cost < 100 AND NOT called_by_server AND NOT (language = 'c' AND volatility = 'i')$$,
	ARRAY['vmnet_internal.planted_cheap()'], 'a planted function that costs 1 is found');
SELECT set_eq($$SELECT caller, callee FROM calls WHERE more_volatile$$,
	$$VALUES ('vmnet_internal.planted_caller()', 'vmnet.network_in_use(bigint,name)'),
		('vmnet_internal.planted_writer()', 'vmnet.nic_event(bigint,text,text,name)')$$, 'planted calls of more volatile functions');
SELECT set_eq($$SELECT caller, callee FROM calls WHERE less_parallel$$,
	$$VALUES ('vmnet_internal.planted_caller()', 'vmnet.network_in_use(bigint,name)'),
		('vmnet_internal.planted_writer()', 'vmnet.nic_event(bigint,text,text,name)')$$, 'and of less parallel-safe ones');
SELECT results_eq($$SELECT function FROM labels WHERE catches AND parallel <> 'u'$$,
	ARRAY['vmnet_internal.planted_writer()'], 'and a planted function that catches errors');

-- What the cost is for: a cheap condition goes first, whatever the order in the query.
INSERT INTO cloud.all_networks (name) SELECT 'net ' || g FROM generate_series(1, 10) g;
SELECT lives_ok($$SELECT FROM cloud.all_networks WHERE vmnet.network_in_use(id, 'nowhere') AND lower(name) = 'none'$$,
	'lower() is evaluated before a function that reads tables');
SELECT throws_ok($$SELECT FROM cloud.all_networks WHERE vmnet.network_in_use(id, 'nowhere') AND lower(name) = 'net 1'$$,
	'22023', NULL, 'which is evaluated for the rows that are left');
SELECT * FROM finish();
ROLLBACK;
