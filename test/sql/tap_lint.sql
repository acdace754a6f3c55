-- What holds for the source of every function of the extension.
--
-- None has a volatile function in the text of an UPDATE: PostgreSQL evaluates it
-- again for each row, and a table that lives on several nodes refuses it.  A
-- parameter, or DEFAULT, says the same.
\i test/tap/setup.psql

SELECT plan(22);

-- Every UPDATE in the source of a function, from its word to the end of the
-- statement: in a text that is executed, to the end of that text, parts joined
-- by || included; else to a semicolon.  Comments are left out.
CREATE FUNCTION pg_temp.updates(source text) RETURNS SETOF text LANGUAGE plpgsql AS $$
DECLARE
	plain text := regexp_replace(regexp_replace(source, '--[^\n]*', '', 'g'), '/\*.*?\*/', '', 'g');
	at int := 1;
	rest text;
BEGIN
	LOOP
		-- FOR UPDATE, which no name follows, is none; AFTER UPDATE ON does no harm
		at := regexp_instr(plain, '\mUPDATE\s+(ONLY\s+)?[%"\w{]', at, 1, 0, 'i');
		EXIT WHEN at = 0;
		rest := substr(plain, at);
		RETURN NEXT coalesce(CASE
			-- in a text: up to the quote that ends it, and what is joined to it
			WHEN length(regexp_replace(left(plain, at - 1), '[^\x27]', '', 'g')) % 2 = 1
				THEN substring(rest FROM '^(?:[^\x27]|\x27\x27)*\x27(?:\s*(?:\|\||\n)\s*\x27(?:[^\x27]|\x27\x27)*\x27)*')
			ELSE substring(rest FROM '^[^;]*') END, rest);
		at := at + 1;
	END LOOP;
END
$$;
-- Names of functions that are volatile by the catalog, pg_catalog's and ours.
-- Those of triggers are named, but not called, where a trigger is made.
CREATE TEMP TABLE volatile AS
SELECT p.proname::text AS name
FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace
WHERE n.nspname IN ('pg_catalog', 'vmnet', 'vmnet_internal') AND p.prorettype <> 'trigger'::regtype
GROUP BY p.proname HAVING bool_or(p.provolatile = 'v')
-- a name that is an ordinary word of SQL, too
	AND p.proname NOT IN ('set', 'position', 'overlay');
CREATE FUNCTION pg_temp.faults(source text) RETURNS text[] LANGUAGE sql AS $$
	SELECT array_agg(DISTINCT m.m[1] ORDER BY m.m[1])
	FROM pg_temp.updates(source) u, regexp_matches(lower(u), '(\w+)\s*\(', 'g') m (m)
	WHERE m.m[1] IN (SELECT name FROM volatile)
$$;

-- It finds what it is to find.
SELECT is(pg_temp.faults(source), finds, title) FROM (VALUES
	(1, $$ BEGIN EXECUTE format('UPDATE %I.t SET at = clock_timestamp() WHERE id = $1', x) USING id; END $$, '{clock_timestamp}'::text[], 'a time, in a text'),
	(2, $$ BEGIN EXECUTE format('UPDATE %I.t SET u = gen_random_uuid()', x); END $$, '{gen_random_uuid}', 'a uuid'),
	(3, $$ BEGIN EXECUTE 'UPDATE t SET s = ''it''''s'', n = nextval(''q'')' ; END $$, '{nextval}', 'after a quote within the text'),
	(4, $$ BEGIN EXECUTE format('UPDATE %I.t SET s = 1'
		' WHERE x < random()', y); END $$, '{random}', 'in a text that goes on in the next line'),
	(5, $$ BEGIN EXECUTE 'UPDATE t SET ' || 'x = timeofday()'; END $$, '{timeofday}', 'in a part that is joined to it'),
	(6, $$ UPDATE ONLY t SET x = random () $$, '{random}', 'in a statement that is none'),
	(7, $$ SELECT format('UPDATE nics SET a = 1;') FROM x; SELECT 'update t set x = pg_catalog.clock_timestamp()' $$, '{clock_timestamp}', 'in small letters, qualified, in the second statement'),
	(8, $$ BEGIN EXECUTE 'INSERT INTO t VALUES (1) ON CONFLICT (id) DO UPDATE SET x = clock_timestamp()'; END $$, '{clock_timestamp}', 'of INSERT ... ON CONFLICT DO UPDATE'),
	(9, $$ BEGIN EXECUTE format('UPDATE %I.t SET at = $1', x) USING clock_timestamp(); END $$, NULL, 'but not a parameter'),
	(10, $$ BEGIN EXECUTE 'SELECT id FROM t FOR UPDATE'; x := clock_timestamp(); UPDATE t SET a = now(), u = DEFAULT; y := random(); END $$, NULL, 'nor what stands elsewhere, or is stable'),
	(11, $$ BEGIN -- UPDATE t SET x = random();
		RETURN; END $$, NULL, 'nor a comment')) v (ord, source, finds, title) ORDER BY ord;

-- What the extension has.
CREATE TEMP TABLE source AS
SELECT p.oid::regprocedure AS function, coalesce(pg_get_function_sqlbody(p.oid), p.prosrc) AS text
FROM pg_depend d JOIN pg_proc p ON d.classid = 'pg_proc'::regclass AND p.oid = d.objid JOIN pg_language l ON l.oid = p.prolang
WHERE d.refclassid = 'pg_extension'::regclass AND d.refobjid = (SELECT oid FROM pg_extension WHERE extname = 'vmnet_ext') AND d.deptype = 'e'
	AND l.lanname IN ('sql', 'plpgsql');
SELECT cmp_ok((SELECT count(*) FROM source), '>', 100::bigint, 'the functions were read');
SELECT cmp_ok((SELECT count(*) FROM source, pg_temp.updates(text)), '>', 40::bigint, 'and have UPDATEs in them');
SELECT is_empty($$SELECT function, pg_temp.faults(text) FROM source WHERE pg_temp.faults(text) IS NOT NULL$$, 'none of which has a volatile function in it');

-- A copy of one of them into which a fault is put, and of every one that has an
-- UPDATE.
SELECT is((SELECT pg_temp.faults(replace(text, 'removed = greatest($2, created)', 'removed = greatest(clock_timestamp(), created)')) FROM source WHERE text ~ 'Expunging''''' LIMIT 1),
	'{clock_timestamp}', 'one that has a time put into it is found');
SELECT is_empty($$SELECT function FROM source WHERE EXISTS (SELECT FROM pg_temp.updates(text))
	AND pg_temp.faults(regexp_replace(text, '(\mUPDATE\s+(?:ONLY\s+)?[%"\w{]\S*(?:\s+\w+)?\s+SET\s+[^=]*=\s*)', '\1random() + ', 'i')) IS DISTINCT FROM '{random}'
	AND text ~ '\mUPDATE\s+(?:ONLY\s+)?[%"\w{]\S*(?:\s+\w+)?\s+SET\s'$$, 'so is every other');

-- What C code has in its texts: with a planted one, there is that alone.
\set in_c `(cat src/*.c src/*/*.c; echo '"UPDATE t SET" " x = random()"') | tr '[:space:]' ' ' | sed 's/" *"//g' | grep -o '"[^"]*UPDATE [^"]*"' | grep -E '(clock_timestamp|timeofday|gen_random_uuid|random|nextval) *[(]'`
SELECT is(:'in_c'::text, '"UPDATE t SET x = random()"', 'nor has an UPDATE of C code');

-- A function that catches errors needs a subtransaction, which PostgreSQL does not
-- start while a parallel plan runs, in the leader neither.  So such a function is
-- PARALLEL UNSAFE, and so is every function that calls one: with PARALLEL RESTRICTED
-- it fails as soon as another part of the query is worth a worker.
CREATE TEMP TABLE callable AS
SELECT p.oid, n.nspname, p.proname, p.proparallel, l.lanname, p.prosrc
FROM pg_depend d
JOIN pg_proc p ON d.classid = 'pg_proc'::regclass AND p.oid = d.objid
JOIN pg_namespace n ON n.oid = p.pronamespace
JOIN pg_language l ON l.oid = p.prolang
WHERE d.refclassid = 'pg_extension'::regclass AND d.refobjid = (SELECT oid FROM pg_extension WHERE extname = 'vmnet_ext') AND d.deptype = 'e'
	AND p.prokind = 'f' AND p.prorettype <> 'trigger'::regtype;
CREATE TEMP TABLE catches_errors AS
WITH RECURSIVE catching AS (
	SELECT oid, nspname, proname FROM callable WHERE lanname = 'plpgsql' AND prosrc ~ '\mEXCEPTION\s+WHEN\M'
	UNION
	SELECT c.oid, c.nspname, c.proname
	FROM callable c
	JOIN catching k
		ON c.lanname IN ('sql', 'plpgsql') AND c.prosrc ~ (k.nspname || '\.' || k.proname || '\s*\(')
		-- the functions that run the one of vmnet_internal that has their name
		OR c.lanname = 'c' AND c.nspname = 'vmnet' AND k.nspname = 'vmnet_internal' AND c.proname = k.proname
	-- these have such calls only in texts that they return, or in a HINT
	WHERE c.proname NOT IN ('report_definition', 'report_column_comments', 'repair_target', 'inventory_columns', 'inventory_tables', 'accepted_target',
		'accepted_nothing', 'preflight', 'preflight_checks', 'observe_statement'))
SELECT * FROM catching;
SELECT bag_has($$SELECT nspname || '.' || proname FROM catches_errors$$,
	$$VALUES ('vmnet.check_inventory'), ('vmnet.inventory_status'), ('vmnet_internal.repair_plan')$$,
	'functions that catch errors, and those that call them, were found');
SELECT is_empty($$SELECT oid::regprocedure FROM callable JOIN catches_errors USING (oid) WHERE proparallel <> 'u'$$,
	'each of them is PARALLEL UNSAFE');

-- The same seen from outside, and one that may be restricted, for comparison.
SELECT vmnet.create_inventory('lint');
SET LOCAL force_parallel_mode = on;
SET LOCAL parallel_setup_cost = 0;
SET LOCAL parallel_tuple_cost = 0;
SET LOCAL min_parallel_table_scan_size = 0;
SELECT is_empty($$SELECT * FROM vmnet.check_inventory('lint') WHERE severity <> 'info' AND EXISTS (SELECT FROM pg_catalog.pg_class WHERE relpages > 3)$$,
	'check_inventory() works in a query with parts that are worth a worker');
SELECT is((SELECT max(vmnet.inventory_status('lint')) FROM pg_catalog.pg_class WHERE relname LIKE 'pg\_proc%'), 0, 'and inventory_status()');
SELECT is_empty($$SELECT * FROM vmnet.manage_blockers('lint') b WHERE EXISTS (SELECT FROM pg_catalog.pg_class WHERE relpages > 3)$$,
	'and manage_blockers()');
SELECT * FROM finish();
ROLLBACK;
