-- What a REST gateway makes of the errors: each is the user's to mend, so none
-- may become a fault of the server.  The errors come from the source, so that a
-- new one cannot be forgotten: it needs a row in test/include/errors.psql, with a
-- statement that raises it.
\i test/tap/setup.psql
\i test/tap/outcome.psql
\i test/include/errors.psql

SELECT plan(17 + (SELECT count(*)::int FROM error));

SELECT is(pg_temp.http_status('23505', ''), 409, 'the statuses: as documented for one code');
SELECT is(pg_temp.http_status('55006', ''), 500, 'the statuses: as documented for a class');
SELECT is(pg_temp.http_status('23514', ''), 400, 'the statuses: as documented for the rest');

-- Every error is what it is said to be ...
CREATE TEMP TABLE met (ord int, outcome text, message text);
CREATE FUNCTION pg_temp.meet(command text, OUT outcome text, OUT message text) LANGUAGE plpgsql AS $$
DECLARE
	rule text;
BEGIN
	EXECUTE command;
	outcome := 'accepted';
	RAISE EXCEPTION USING ERRCODE = 'UNDO1';
EXCEPTION
	WHEN SQLSTATE 'UNDO1' THEN NULL;
	WHEN OTHERS THEN
		GET STACKED DIAGNOSTICS outcome = RETURNED_SQLSTATE, rule = CONSTRAINT_NAME, message = MESSAGE_TEXT;
		outcome := rtrim(outcome || ' ' || rule);
END
$$;
INSERT INTO met SELECT e.ord, m.* FROM error e, pg_temp.meet(e.command) m WHERE e.who IS NULL AND e.command IS NOT NULL;
\set apart `psql -X -q -A -t -h :'HOST' -p :'PORT' -U :'USER' -d :'DBNAME' -v VERBOSITY=sqlstate -c 'BEGIN ISOLATION LEVEL REPEATABLE READ' -c "SELECT vmnet.create_inventory('apart', 'mirror')" -c "SELECT vmnet.manage_inventory('apart')" 2>&1 | sed -n 's/^ERROR: *//p'`
INSERT INTO met SELECT ord, :'apart', '' FROM error WHERE command IS NULL;
GRANT USAGE ON SCHEMA vmnet TO vmnet_test_reader;
CREATE TEMP TABLE others AS SELECT * FROM error WHERE who IS NOT NULL;
GRANT SELECT ON others TO vmnet_test_reader;
GRANT INSERT ON met TO vmnet_test_reader;
SET LOCAL ROLE vmnet_test_reader;
INSERT INTO met SELECT e.ord, m.* FROM others e, pg_temp.meet(e.command) m;
RESET ROLE;
SELECT is(m.outcome, rtrim(e.state || ' ' || e.rule), format('%s: %s', rtrim(e.state || ' ' || e.rule), e.meaning))
FROM error e JOIN met m USING (ord) ORDER BY e.rule COLLATE "C", e.state, e.ord;
SELECT is((SELECT count(*) FROM met), (SELECT count(*) FROM error), 'each was tried');
SELECT is_empty('SELECT state, rule FROM error GROUP BY 1, 2 HAVING count(*) > 1', 'and once');
SELECT is_empty('SELECT rule, state FROM error WHERE meaning IS NULL', 'each means something');

-- ... and becomes a status that is not the server's fault.  A trigger function
-- on a foreign table is a mistake of whoever made the trigger; a source that went
-- away or cannot be reached is no user's; a payload that is too large is for who
-- configures the server.
SELECT set_eq($$SELECT DISTINCT e.state, pg_temp.http_status(e.state, m.message) FROM error e JOIN met m USING (ord)$$,
	$$VALUES ('08006', 503), ('0A000', 400), ('22008', 400), ('22023', 400), ('23001', 400), ('23503', 409), ('23505', 409), ('23514', 400), ('39P01', 500), ('42501', 403), ('42804', 400), ('42P06', 400), ('54000', 500), ('HV000', 500), ('HV00L', 500), ('HV00N', 500)$$,
	'the statuses of all errors');
SELECT is_empty($$SELECT e.state, e.rule FROM error e JOIN met m USING (ord) WHERE e.state NOT IN ('39P01', '54000') AND e.state !~ '^(08|HV)' AND pg_temp.http_status(e.state, m.message) >= 500$$,
	'none is a fault of the server');

-- What doc/recipes.md says of it is so.
\set table `sed -n 's/^| \([0-9A-Z, ]*\) | \([0-9]\{3\}\).*/\1:\2/p' doc/recipes.md`
CREATE TEMP TABLE told AS
SELECT state, split_part(line, ':', 2)::int AS status
FROM regexp_split_to_table(rtrim(:'table', E'\n'), E'\n') line, regexp_split_to_table(split_part(line, ':', 1), ', ') state;
SELECT is_empty('SELECT state, status, pg_temp.http_status(state, '''') FROM told WHERE status <> pg_temp.http_status(state, '''')',
	'the table in doc/recipes.md has the same statuses');
SELECT is_empty($$SELECT DISTINCT e.state FROM error e WHERE e.state NOT IN ('39P01', '42804', '42P06') AND e.state !~ '^HV' AND e.state NOT IN (SELECT state FROM told)$$,
	'of every error that a client of a gateway can meet');

-- The errors of the source
\set found `perl test/include/errors_of_source`
CREATE FUNCTION pg_temp.state_of(condition text) RETURNS text LANGUAGE plpgsql AS $$
BEGIN
	IF condition ~ '^[0-9A-Z]{5}$' THEN
		RETURN condition;
	END IF;
	EXECUTE format('DO %L', format('BEGIN RAISE %I; END', condition));
EXCEPTION WHEN OTHERS THEN
	RETURN SQLSTATE;
END
$$;
CREATE TEMP TABLE found AS
SELECT split_part(line, '|', 1) AS at, split_part(line, '|', 2) AS said, pg_temp.state_of(split_part(line, '|', 2)) AS state, split_part(line, '|', 3) AS rule
FROM regexp_split_to_table(rtrim(:'found', E'\n'), E'\n') line;
SELECT cmp_ok((SELECT count(*) FROM found), '>', 70::bigint, 'the source was read');
SELECT is_empty($$SELECT at FROM found WHERE said = 'none'$$, 'every error says its code');
SELECT is_empty($$SELECT at, state, rule FROM found f WHERE NOT EXISTS (SELECT FROM error e WHERE e.state = f.state
		AND e.rule LIKE replace(f.rule, '_', '\_'))$$,
	'every error of the source has a row in test/include/errors.psql');
CREATE TEMP TABLE declared AS
SELECT c.conname::text AS rule
FROM pg_constraint c WHERE c.conrelid = ANY (ARRAY['cloud.all_nics', 'cloud.all_networks', 'cloud.all_instances', 'cloud.all_nic_secondary_ips', 'cloud.all_ip_ranges', 'cloud.all_ip_addresses', 'cloud.observers', 'cloud.segments']::regclass[])
	AND c.contype IN ('c', 'f', 'p', 'u', 'x')
UNION
-- that of (id, removed) is never met: the key is
SELECT c.relname::text
FROM pg_index x JOIN pg_class c ON c.oid = x.indexrelid
WHERE x.indrelid = ANY (ARRAY['cloud.all_nics', 'cloud.all_networks', 'cloud.all_instances', 'cloud.all_nic_secondary_ips', 'cloud.all_ip_ranges', 'cloud.all_ip_addresses', 'cloud.observers', 'cloud.segments']::regclass[])
	AND x.indisunique AND c.relname NOT LIKE '%\_removed\_key';
SELECT is_empty('SELECT rule FROM declared EXCEPT SELECT rule FROM error', 'so has every constraint of the tables of an inventory');
SELECT is_empty($$SELECT rule, state FROM error e
	WHERE NOT EXISTS (SELECT FROM found f WHERE e.state = f.state AND e.rule LIKE replace(f.rule, '_', '\_'))
		AND NOT EXISTS (SELECT FROM declared d WHERE d.rule = e.rule)$$,
	'and no row is of an error that is gone');
-- a gateway takes an error of this code and wording for a login that failed
SELECT is(pg_temp.http_status('22023', 'role "nobody" does not exist'), 401, 'a role that is not there, as the server words it, is a bad login');
SELECT is_empty($$SELECT message FROM (SELECT message FROM met WHERE outcome LIKE '22023%'
		UNION ALL SELECT (pg_temp.meet(format('SELECT vmnet.grant_access(%L, %L, %L)', 'cloud', 'nobody', 'operator'))).message) m
	WHERE pg_temp.http_status('22023', message) <> 400$$,
	'a bad argument is not taken for one, nor a role that is to get access');

SELECT * FROM finish();
ROLLBACK;
