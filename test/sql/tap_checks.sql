-- Facts that stand in one place: a check is one row of vmnet_internal.checks()
-- (sql/check/codes.sql), and the states of a NIC are the rows of
-- vmnet_internal.nic_states() (sql/inventory/nic_states.sql).
\i test/tap/setup.psql
SELECT plan(35);
SET LOCAL client_min_messages = error;

--
-- Every row has every part.
--
SELECT is_empty(format($$SELECT 'sql/check/codes.sql: check ' || coalesce(code, ord::text) || ' has %s' FROM vmnet_internal.checks() WHERE %s$$, replace(what, '''', ''''''), condition), 'no check has ' || what)
FROM (VALUES
	('no code', $$code IS NULL OR code !~ '^[a-z][a-z0-9_]*$'$$),
	('a severity other than error, warning and info', $$(severity IN ('error', 'warning', 'info')) IS NOT TRUE$$),
	('no meaning', $$coalesce(about, '') = ''$$),
	('neither a repair nor a refusal, or both', $$num_nonnulls(repair, refusal) <> 1$$),
	('nothing in "aged"', $$aged IS NULL$$),
	('no query', $$coalesce(query, '') = ''$$),
	('a query that says $1 without being aged, or the other way round', $$query <> '{catalog}' AND (query ~ '\$1\M') IS DISTINCT FROM aged$$),
	('a table that it needs and inventories do not have', $$needs NOT IN ('nic_history', 'attached_nics', 'former_rows', 'reality')$$)) v (what, condition);
SELECT is_empty($$SELECT code FROM vmnet_internal.checks() GROUP BY code HAVING count(*) > 1$$, 'no code is there twice');
SELECT is_empty($$SELECT 'sql/lifecycle/repair.sql: repair_remedies() has no ' || repair FROM vmnet_internal.checks() WHERE repair NOT IN (SELECT remedy FROM vmnet_internal.repair_remedies())$$,
	'every remedy of a check is one that repair_inventory() knows');
SELECT is_empty($$SELECT 'sql/lifecycle/repair.sql: no check has ' || remedy FROM vmnet_internal.repair_remedies() WHERE remedy NOT IN (SELECT repair FROM vmnet_internal.checks() WHERE repair IS NOT NULL)$$,
	'and every remedy that it knows is one of a check');
SELECT results_eq('SELECT * FROM vmnet.check_codes()', 'SELECT ord, code, severity, about FROM vmnet_internal.checks()', 'check_codes() has every row');

-- The codes that the queries of the catalogs return: words that stand alone in
-- quotes and end like one.
CREATE TEMP TABLE catalog_codes AS
SELECT DISTINCT p.oid::regprocedure AS function, m.m[1] AS code
FROM pg_proc p, regexp_matches(p.prosrc, '''([a-z_]+_(?:missing|disabled|differs|incomplete))''', 'g') m (m)
WHERE p.oid IN ('vmnet_internal.check_guards(text, text)'::regprocedure, 'vmnet_internal.check_keys(text, text)'::regprocedure,
	'vmnet_internal.check_columns(text, text)'::regprocedure, 'vmnet_internal.check_views(text, text)'::regprocedure, 'vmnet_internal.check_tables(text, text)'::regprocedure,
	'vmnet_internal.check_incomplete(text)'::regprocedure, 'vmnet_internal.attached_check_guards(text)'::regprocedure,
	'vmnet_internal.attached_guards_query(text)'::regprocedure);
SELECT cmp_ok((SELECT count(DISTINCT code) FROM catalog_codes), '>=', 9::bigint, 'codes are found in the functions that look into the catalogs');
SELECT is_empty($$SELECT 'sql/check/codes.sql: no row for ' || code || ' of ' || function FROM catalog_codes WHERE code NOT IN (SELECT code FROM vmnet_internal.checks() WHERE query = '{catalog}')$$,
	'each has a row');
SELECT is_empty($$SELECT 'sql/check/guards.sql, sql/check/facts.sql: no function finds ' || code FROM vmnet_internal.checks() WHERE query = '{catalog}' AND code NOT IN (SELECT code FROM catalog_codes)$$,
	'and each such row is found by one');

--
-- A new row is all that a new check needs.
--
INSERT INTO cloud.networks (id, name) VALUES (1, 'n1'), (2, 'bad');
SELECT vmnet.create_inventory('m', 'mirror') \g /dev/null
ALTER FUNCTION vmnet_internal.checks() RENAME TO checks_of_today;
CREATE FUNCTION vmnet_internal.checks()
RETURNS TABLE (ord int, code text, severity text, about text, repair text, refusal text, aged boolean, needs text, attached text[], query text)
LANGUAGE sql IMMUTABLE AS $checks$
SELECT * FROM vmnet_internal.checks_of_today()
UNION ALL
SELECT 100, 'network_named_bad', 'warning', 'network with a name that is not good', NULL, 'names are for users to give', false, NULL, '{}', $$
SELECT 'network', w.id, w.uuid, w.created, format('network %s is called %s', w.id, w.name),
	format('UPDATE %s.all_networks SET name = NULL WHERE id = %s;', $2, w.id), format('UPDATE networks SET name = NULL WHERE id = %s;', w.id)
FROM {inv}.all_networks w
WHERE w.name = 'bad'$$
$checks$;
SELECT results_eq($$SELECT code, severity, object_type, object_id, message, fix FROM vmnet.check_inventory('cloud')$$,
	$$VALUES ('network_named_bad', 'warning', 'network', 2::bigint, 'network 2 is called bad', 'UPDATE cloud.all_networks SET name = NULL WHERE id = 2;')$$, 'check_inventory() finds it');
SELECT results_eq($$SELECT code, about FROM vmnet.check_codes() WHERE ord >= 100$$, $$VALUES ('network_named_bad', 'network with a name that is not good')$$, 'check_codes() explains it');
SELECT vmnet.create_report('cloud') \g /dev/null
SELECT results_eq($$SELECT code, severity, object_id, message COLLATE "default", fix COLLATE "default" FROM cloud_report.findings$$,
	$$VALUES ('network_named_bad', 'warning', 2::bigint, 'network 2 is called bad', 'UPDATE cloud.all_networks SET name = NULL WHERE id = 2;')$$, 'the report has it');
SELECT is((SELECT value FROM cloud_report.metrics_findings WHERE name = 'vmnet_findings_open' AND code = 'network_named_bad' AND severity = 'warning'), 1::float8, 'and a metric counts it');
SELECT results_eq($$SELECT finding, outcome, why FROM vmnet.repair_inventory('cloud', 'network_named_bad')$$, $$VALUES ('network_named_bad', 'refused', 'names are for users to give')$$,
	'repair_inventory() says why it leaves it alone');
SET LOCAL session_replication_role = replica;
INSERT INTO m.all_networks (id, name) VALUES (3, 'bad');
RESET session_replication_role;
SELECT results_eq($$SELECT message, fix FROM vmnet.check_inventory('m') WHERE code = 'network_named_bad'$$,
	$$VALUES ('network 3 is called bad; to be mended at the source', 'UPDATE networks SET name = NULL WHERE id = 3;')$$, 'a mirror has it, with what mends it at its source');
-- one that a query returns and no row explains is not lost
DROP FUNCTION vmnet_internal.checks();
CREATE FUNCTION vmnet_internal.checks()
RETURNS TABLE (ord int, code text, severity text, about text, repair text, refusal text, aged boolean, needs text, attached text[], query text)
LANGUAGE sql IMMUTABLE AS $$ SELECT * FROM vmnet_internal.checks_of_today() WHERE code <> 'guard_disabled' $$;
ALTER TABLE cloud.all_nics DISABLE TRIGGER _nic_guard;
SELECT results_eq($$SELECT code, severity FROM vmnet.check_inventory('cloud')$$, $$VALUES ('guard_disabled', 'error')$$, 'a finding whose code has no row is listed as an error');
SELECT results_eq($$SELECT outcome, why FROM vmnet.repair_inventory('cloud')$$, $$VALUES ('refused', 'its owner has to mend it before anything else')$$, 'and refused by repair_inventory()');
DROP FUNCTION vmnet_internal.checks();
ALTER FUNCTION vmnet_internal.checks_of_today() RENAME TO checks;

--
-- States
--
\set in_c `sed -n '/define NIC_STATES(/,/^$/p' src/nic/nic_machine.h | grep -o '"[A-Za-z]*"' | tr -d '"' | tr '\n' ' '`
SELECT is((SELECT string_agg(state, ' ' ORDER BY ord) FROM vmnet_internal.nic_states()), trim(:'in_c'), 'sql/inventory/nic_states.sql and src/nic/nic_machine.h have the same states');
SELECT is_empty($$SELECT 'sql/inventory/nic_states.sql: ' || state || ' is of no known sort' FROM vmnet_internal.nic_states() WHERE (sort IN ('steady', 'passing', 'ending')) IS NOT TRUE$$, 'each is steady, passing or ending');
SELECT set_eq($$SELECT from_state FROM vmnet.nic_state_transitions()$$, $$SELECT state FROM vmnet_internal.nic_states() WHERE sort <> 'ending'$$,
	'sql/inventory/nic_states.sql: no move of src/nic/nic_machine.h starts from an ending state, and one from each other');
SELECT set_eq($$SELECT to_state FROM vmnet.nic_state_transitions() WHERE event = 'RemoveRequested'$$, $$SELECT state FROM vmnet_internal.nic_states() WHERE sort = 'ending'$$,
	'sql/inventory/nic_states.sql: a removal ends in the ending state of src/nic/nic_machine.h');
SELECT set_eq($$SELECT from_state FROM vmnet.nic_state_transitions() WHERE strategy = 'Start' AND event LIKE 'Operation%'$$, $$SELECT state FROM vmnet_internal.nic_states() WHERE sort = 'passing'$$,
	'sql/inventory/nic_states.sql: operations of src/nic/nic_machine.h end in passing states');
\set in_c `sed -n '/nics_stuck_for_sql\[\]/,/;/p' src/read/history.c | grep -o "state OPERATOR(pg_catalog.=) '[A-Za-z]*'" | grep -o "'[A-Za-z]*'" | tr -d "'" | sort -u | tr '\n' ' '`
SELECT is(trim(:'in_c'), (SELECT string_agg(state, ' ' ORDER BY state) FROM vmnet_internal.nic_states() WHERE sort = 'passing'), 'src/read/history.c looks for the passing states of sql/inventory/nic_states.sql');
-- a list of states stands nowhere else
\set in_sql `grep -lE "(Allocated|Reserving|Reserved|Releasing)'+ *, *'+(Allocated|Reserving|Reserved|Releasing|Deallocating)" sql/*/*.sql | tr '\n' ' '`
SELECT is(trim(:'in_sql'), '', 'no other file of sql/ has a list of states');
-- a state that is added to the list is there for constraints, counts and checks
ALTER FUNCTION vmnet_internal.nic_states() RENAME TO nic_states_of_today;
CREATE FUNCTION vmnet_internal.nic_states() RETURNS TABLE (ord int, state text, sort text) LANGUAGE sql IMMUTABLE AS $$
SELECT * FROM vmnet_internal.nic_states_of_today() UNION ALL VALUES (6, 'Migrating', 'passing') $$;
SELECT vmnet.create_inventory('six', 'mirror') \g /dev/null
SELECT vmnet.create_report('six') \g /dev/null
SET LOCAL session_replication_role = replica;
INSERT INTO six.all_networks (id) VALUES (1);
INSERT INTO six.all_nics (id, network_id, state, strategy, state_changed) VALUES (1, 1, 'Migrating', 'PlaceHolder', now() - interval '1 hour');
RESET session_replication_role;
SELECT results_eq($$SELECT code, message FROM vmnet.check_inventory('six') WHERE object_type = 'nic'$$, $$VALUES ('stuck_nic', 'NIC 1 of no instance on network 1 is stuck in Migrating; the time is the earliest it can be; at the source: the next stop and start of its instance writes the state again')$$,
	'check_inventory() knows a state that was added to the list');
SELECT results_eq($$SELECT c.migrating, c.other_states, r.migrating, r.other_states, (SELECT count(*) FROM six.stuck_nics), (SELECT count(*) FROM six_report.stuck_nics),
		(SELECT value FROM six_report.metrics WHERE name = 'vmnet_nics_stuck' AND state = 'Migrating')
	FROM six.network_counts c JOIN six_report.network_counts r USING (network_id)$$,
	$$VALUES (1::bigint, 0::bigint, 1::bigint, 0::bigint, 1::bigint, 1::bigint, 1::float8)$$, 'so do counts, views of stuck NICs and metrics');

--
-- Labels of the functions of checks, reports and repairs
--
CREATE TEMP TABLE labelled AS
SELECT p.oid::regprocedure AS function, p.provolatile AS volatile, p.proparallel AS parallel, p.procost AS cost, l.lanname AS language
FROM pg_proc p JOIN pg_language l ON l.oid = p.prolang
WHERE p.pronamespace IN ('vmnet'::regnamespace, 'vmnet_internal'::regnamespace)
	AND (p.proname ~ '^(check|checks|report|repair|network_counts|nic_state)_' OR p.proname ~ '^(checks|inventory_status|network_blockers|instance_blockers)$');
SELECT cmp_ok((SELECT count(*) FROM labelled), '>', 40::bigint, 'functions of checks, reports and repairs were found');
SELECT is_empty($$SELECT function FROM labelled WHERE language = 'c' AND cost = 1 AND function::text !~ 'nic_state_(transitions|valid)'$$, 'those that run queries do not have the cost of an operator');
SELECT set_eq($$SELECT function::text FROM labelled WHERE volatile <> 'v' AND parallel = 'u'$$,
	ARRAY['vmnet.check_inventory(name,interval,text[])', 'vmnet.inventory_status(name)', 'vmnet_internal.check_inventory(name,interval,text[])', 'vmnet_internal.inventory_status(name)',
		'vmnet_internal.repair_plan(name,text,interval)'], 'of those that only read, PARALLEL UNSAFE are the ones that catch errors or call one that does');

SELECT * FROM finish();
ROLLBACK;
