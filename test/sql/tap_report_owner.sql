-- Reports are found by what they read.  A report that does not belong to the owner
-- of the inventory cannot go stale in silence: what would make it stale is refused;
-- and what only looks like a report is none.
\i test/tap/setup.psql
\i test/tap/outcome.psql
\i test/tap/attached.psql
SELECT plan(46);
SET LOCAL client_min_messages = error;
CREATE ROLE regress_owner_alice;
CREATE ROLE regress_owner_bob;
CREATE ROLE regress_owner_team;
CREATE ROLE regress_owner_member;
GRANT regress_owner_team TO regress_owner_member;
DO $$ BEGIN EXECUTE format('GRANT CREATE ON DATABASE %I TO regress_owner_alice, regress_owner_bob, regress_owner_team', current_database()); END $$;

-- Owners of a schema and of the views in it.
CREATE FUNCTION pg_temp.owners(schema text) RETURNS text LANGUAGE sql AS $$
SELECT string_agg(DISTINCT o::regrole::text, ' ') FROM (SELECT nspowner FROM pg_namespace WHERE nspname = schema
	UNION SELECT relowner FROM pg_class WHERE relnamespace = schema::regnamespace) x (o)
$$;
CREATE FUNCTION pg_temp.told(command text, OUT state text, OUT message text, OUT detail text, OUT hint text) LANGUAGE plpgsql AS $$
DECLARE
	rule text;
BEGIN
	EXECUTE command;
	state := 'accepted';
EXCEPTION WHEN OTHERS THEN
	GET STACKED DIAGNOSTICS message = MESSAGE_TEXT, detail = PG_EXCEPTION_DETAIL, hint = PG_EXCEPTION_HINT, rule = CONSTRAINT_NAME;
	state := concat_ws(' ', SQLSTATE, nullif(rule, ''));
END
$$;

SET LOCAL ROLE regress_owner_alice;
SELECT vmnet.create_inventory('al'), vmnet.create_report('al') \g /dev/null
RESET ROLE;
SELECT is(pg_temp.owners('al_report'), 'regress_owner_alice', 'a report belongs to the owner, who made it');
SET LOCAL ROLE regress_owner_member;
SELECT is(pg_temp.outcome($$ SELECT vmnet.create_report('al', 'mine') $$), '42501', 'others make none');
RESET ROLE;
SELECT set_eq($$ SELECT schema_name, tenant FROM vmnet.report_schemas('al') $$, $$ VALUES ('al_report'::name, false) $$, 'it is found');

-- given to somebody else: as a whole, the schema, a view
CREATE FUNCTION pg_temp.give(schema name, role name, what text) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
	v name;
BEGIN
	IF what IN ('schema', 'all') THEN
		EXECUTE format('ALTER SCHEMA %I OWNER TO %I', schema, role);
	END IF;
	FOR v IN SELECT relname FROM pg_class WHERE relnamespace = quote_ident(schema)::regnamespace AND (what = 'all' OR relname = what) LOOP
		EXECUTE format('ALTER VIEW %I.%I OWNER TO %I', schema, v, role);
	END LOOP;
END
$$;
CREATE FUNCTION pg_temp.refused_when(setup text, who name, command text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	result text;
BEGIN
	EXECUTE setup;
	result := pg_temp.outcome_as(who, command);
	RAISE EXCEPTION USING ERRCODE = 'UNDO1';
EXCEPTION WHEN SQLSTATE 'UNDO1' THEN
	RETURN result;
END
$$;
SELECT is(pg_temp.refused_when('', 'regress_owner_alice', $$ SELECT vmnet.partition_history('al') $$), 'accepted', 'the owner partitions the history, his report with it');
SELECT is(pg_temp.refused_when(format($$ SELECT pg_temp.give('al_report', 'regress_owner_bob', %L) $$, w), 'regress_owner_alice', $$ SELECT vmnet.partition_history('al') $$),
	'42501 report_owner', 'not where the report is another''s: ' || w)
FROM unnest(ARRAY['all', 'schema', 'networks']) w;
SELECT is(pg_temp.refused_when($$ SELECT pg_temp.give('al_report', 'regress_owner_bob', 'nic_history') $$, 'regress_owner_alice', $$ SELECT vmnet.partition_history('al') $$),
	'42501 report_owner', 'nor where one view of it is');
SELECT is(pg_temp.refused_when('REASSIGN OWNED BY regress_owner_alice TO regress_owner_bob; ALTER VIEW al_report.networks OWNER TO regress_owner_alice', 'regress_owner_bob', $$ SELECT vmnet.partition_history('al') $$),
	'42501 report_owner', 'nor where the inventory went to another role without it');
SELECT is(pg_temp.refused_when('REASSIGN OWNED BY regress_owner_alice TO regress_owner_bob', 'regress_owner_bob', $$ SELECT vmnet.partition_history('al') $$), 'accepted', 'with it, all is well');
SELECT is(pg_temp.refused_when('ALTER SCHEMA al_report RENAME TO "Another ""name"""; ' || format($$ SELECT pg_temp.give(%L, 'regress_owner_bob', 'all') $$, 'Another "name"'), 'regress_owner_alice', $$ SELECT vmnet.partition_history('al') $$),
	'42501 report_owner', 'whatever it is called');
SELECT is(pg_temp.refused_when($$ SELECT pg_temp.give('al_report', 'regress_owner_bob', 'all') $$, 'regress_owner_alice', $$ SELECT vmnet.create_report('al') $$),
	'42501 report_owner', 'such a report cannot be brought up to date');
SELECT is(pg_temp.refused_when($$ SELECT pg_temp.give('al_report', 'regress_owner_bob', 'all') $$, 'regress_owner_alice', $$ SELECT vmnet.grant_access('al', 'regress_owner_member', 'reader') $$),
	'22023', 'nor is it one that the owner gives access to');
SELECT pg_temp.give('al_report', 'regress_owner_bob', 'all') \g /dev/null
SET LOCAL ROLE regress_owner_alice;
SELECT is(t.message || E'\n' || t.detail || E'\n' || t.hint,
	'report "al_report" does not belong to the owner of inventory "al"
It, or a part of it, belongs to role "regress_owner_bob", and the inventory to role "regress_owner_alice", which cannot bring it up to date.
Have "regress_owner_bob" give it away, ALTER SCHEMA al_report OWNER TO regress_owner_alice and ALTER VIEW ... OWNER TO regress_owner_alice for each view in it, or drop it; then make it again: SELECT vmnet.create_report(''al'', ''al_report'');',
	'the error says whose it is and what to do')
FROM pg_temp.told($$ SELECT vmnet.partition_history('al') $$) t;
RESET ROLE;
SELECT ok((SELECT relkind FROM pg_class WHERE oid = 'al.nic_history'::regclass) = 'r' AND to_regclass('al.nic_history_unpartitioned') IS NULL, 'nothing was changed');
SELECT pg_temp.give('al_report', 'regress_owner_alice', 'all') \g /dev/null
SET LOCAL ROLE regress_owner_alice;
SELECT lives_ok($$ SELECT vmnet.partition_history('al') $$, 'once it is given back, it is done');
CREATE TABLE al.nic_history_now PARTITION OF al.nic_history DEFAULT;
INSERT INTO al.networks (name) VALUES ('n'); INSERT INTO al.instances (name) VALUES ('i');
INSERT INTO al.nics (network_id, instance_id) SELECT w.id, i.id FROM al.networks w, al.instances i;
UPDATE al.nics SET state = 'Reserving';
SELECT is((SELECT count(*) FROM al_report.nic_history), 1::bigint, 'and the report shows what happens from then on');
RESET ROLE;

-- the other operations that renew reports
CALL vmnet.import_cloudstack('cs', 'was');
SELECT vmnet.create_report('was'), vmnet.create_report('was', 'was tenants', true), vmnet.create_report('few'), vmnet.set_inventory_mode('few', 'read_only') \g /dev/null
SELECT is(pg_temp.refused_when(format($$ SELECT pg_temp.give(%L, 'regress_owner_bob', 'all') $$, s), current_user, $$ SELECT vmnet.manage_inventory('was', true) $$),
	'42501 report_owner', 'a mirror becomes managed only with its reports: ' || s)
FROM unnest(ARRAY['was_report', 'was tenants']) s;
SELECT is(pg_temp.refused_when('', current_user, $$ SELECT vmnet.manage_inventory('was', true) $$), 'accepted', 'with them it does');
SELECT is(pg_temp.refused_when($$ SELECT pg_temp.give('few_report', 'regress_owner_bob', 'all') $$, current_user, $$ SELECT vmnet.set_inventory_mode('few', 'warn') $$),
	'42501 report_owner', 'an attached inventory gets guards only with its report');
SELECT is(pg_temp.refused_when('', current_user, $$ SELECT vmnet.set_inventory_mode('few', 'warn') $$), 'accepted', 'with it it does');
SELECT is(pg_temp.refused_when($$ SELECT vmnet.set_inventory_mode('few', 'warn'), pg_temp.give('few_report', 'regress_owner_bob', 'all') $$, current_user, $$ SELECT vmnet.set_inventory_mode('few', 'read_only') $$),
	'accepted', 'without guards nothing of the report is stale');

-- a group's inventory, by a member of the group
SET LOCAL ROLE regress_owner_team;
SELECT vmnet.create_inventory('team') \g /dev/null
SET LOCAL ROLE regress_owner_member;
SELECT is(pg_temp.outcome($$ SELECT vmnet.create_report('team') $$), 'accepted', 'a member of the owner makes a report');
RESET ROLE;
SELECT is((SELECT nspowner::regrole::text FROM pg_namespace WHERE nspname = 'team_report'), 'regress_owner_team', 'in the name of the owner');

-- What only looks like a report: of somebody who may read the inventory
GRANT USAGE ON SCHEMA al TO regress_owner_bob;
GRANT SELECT ON ALL TABLES IN SCHEMA al TO regress_owner_bob;
CREATE FUNCTION pg_temp.reports() RETURNS text LANGUAGE sql AS $$ SELECT string_agg(schema_name, ' ') FROM vmnet.report_schemas('al') $$;
SET LOCAL ROLE regress_owner_bob;
CREATE SCHEMA looks;
CREATE VIEW looks.networks AS SELECT * FROM al.all_networks;
CREATE VIEW looks.data_dictionary AS SELECT 'networks' AS view_name;
RESET ROLE;
SELECT is(pg_temp.reports(), 'al_report', 'a schema with views of the names is no report');
SELECT is_empty($$ SELECT FROM vmnet_internal.report_candidates('al') c WHERE c.schema_name = 'looks' $$, 'not even one of another role');
SELECT lives_ok($$ SELECT vmnet_internal.report_refuse_other('al') $$, 'and is not in the way');
-- one that reads all that a report reads, down to the row type
SET LOCAL ROLE regress_owner_bob;
CREATE SCHEMA forged;
CREATE VIEW forged.networks AS SELECT * FROM al.all_networks;
CREATE VIEW forged.data_dictionary AS SELECT 'networks' AS view_name, pg_typeof(NULL::forged.networks) AS type;
RESET ROLE;
SELECT is(pg_temp.reports(), 'al_report', 'a schema of another role that reads what a report reads is not listed');
SELECT is((SELECT string_agg(c.schema_name, ' ' ORDER BY c.schema_name) FROM vmnet_internal.report_candidates('al') c), 'al_report forged', 'though it cannot be told from one');
SELECT is(pg_temp.refused_when('', 'regress_owner_alice', $$ SELECT vmnet_internal.renew_reports('al') $$), 'accepted', 'it does not stand in the way of the owner of the inventory');
SELECT is((SELECT count(*) FROM pg_class WHERE relnamespace = 'forged'::regnamespace), 2::bigint, 'nor is it made a report');
SELECT is(pg_temp.refused_when('', 'regress_owner_alice', $$ SELECT vmnet.create_report('al', 'forged') $$), '42501 report_owner', 'even if the owner asks for it');
SELECT is(pg_temp.refused_when($$ ALTER VIEW al_report.metrics OWNER TO regress_owner_bob $$, 'regress_owner_alice', $$ SELECT vmnet_internal.renew_reports('al') $$), '42501 report_owner',
	'a report of which a view was given to that role is refused as ever');
SELECT is(pg_temp.refused_when($$ GRANT regress_owner_alice TO regress_owner_bob $$, 'regress_owner_bob', $$ SELECT vmnet_internal.renew_reports('al') $$), 'accepted', 'nor of that role, as a member of the owner');
SET LOCAL ROLE regress_owner_alice;
CREATE SCHEMA mine;
CREATE VIEW mine.networks AS SELECT * FROM al.all_networks;
CREATE VIEW mine.data_dictionary AS SELECT 'networks' AS view_name;
CREATE SCHEMA half;
CREATE VIEW half.networks AS SELECT 1 AS id;
CREATE VIEW half.data_dictionary AS SELECT NULL::half.networks AS row;
CREATE SCHEMA tables;
CREATE TABLE tables.networks (id int);
CREATE TABLE tables.data_dictionary (LIKE tables.networks);
SELECT is(pg_temp.reports(), 'al_report', 'nor one of the owner');
SELECT is(pg_temp.outcome(format('SELECT vmnet.create_report(%L, %L)', 'al', s)), '42P06', s || ' is not made a report')
FROM unnest(ARRAY['mine', 'half', 'tables', 'looks', 'al', 'public']) s;
SELECT is((SELECT count(*) FROM pg_class WHERE relnamespace = 'mine'::regnamespace), 2::bigint, 'nothing in it was touched');
RESET ROLE;
-- each inventory has its own
SET LOCAL ROLE regress_owner_alice;
SELECT vmnet.create_inventory('al2'), vmnet.create_report('al2', 'second') \g /dev/null
SELECT is(pg_temp.reports(), 'al_report', 'a report on another inventory is none of this one');
SELECT is(pg_temp.outcome($$ SELECT vmnet.create_report('al', 'second') $$), '42P06', 'nor can it become one');
SELECT is(vmnet.create_report('al2', 'second'), 'second', 'but be brought up to date');
RESET ROLE;
SELECT * FROM finish();
ROLLBACK;
