-- Tables whose rows are on another node: an internal trigger on TRUNCATE says so,
-- as the local shell of a distributed table has one.  History goes through SQL
-- there, which the distributing extension sees; what cannot is refused.
\i test/tap/setup.psql
\i test/tap/outcome.psql

SELECT plan(28);
SET LOCAL client_min_messages = warning;
CREATE ROLE vmnet_test_reader;
INSERT INTO cloud.networks (id) VALUES (1), (2);
INSERT INTO cloud.instances (id) SELECT generate_series(1, 3000);
INSERT INTO cloud.nics (id, instance_id, network_id, default_nic) SELECT n, n, 1, false FROM generate_series(1, 3000) n;

-- What makes a table a shell.
CREATE FUNCTION pg_temp.make_shell(tab regclass) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
	EXECUTE format('CREATE TRIGGER shell BEFORE TRUNCATE ON %s FOR EACH STATEMENT EXECUTE FUNCTION vmnet_internal.history_guard()', tab);
	UPDATE pg_trigger SET tgisinternal = true WHERE tgrelid = tab AND tgname = 'shell';
	UPDATE pg_class SET relname = relname WHERE oid = tab;		-- others are told that it changed
END
$$;
CREATE FUNCTION pg_temp.nothing() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END';
SELECT is(pg_temp.trial('UPDATE pg_catalog.pg_trigger SET tgisinternal = tgisinternal'), 'accepted', 'a superuser may change pg_trigger');

UPDATE cloud.nics SET state = 'Reserving' WHERE id <= 2;
SELECT is((SELECT count(*) FROM cloud.nic_history), 2::bigint, 'a table that is no shell');
SELECT lives_ok($$SELECT vmnet_internal.refuse_shell_table('cloud.nic_history', 'do it')$$, 'is not refused');
SELECT pg_temp.make_shell('cloud.nic_history') \g /dev/null

-- An INSERT asks whether its role may; what is put into the table past the planner does not.
CREATE ROLE vmnet_test_owner;
DO $$ BEGIN EXECUTE format('GRANT CREATE ON DATABASE %I TO vmnet_test_owner', current_database()); END $$;
SET LOCAL ROLE vmnet_test_owner;
SELECT vmnet.create_inventory('own') \g /dev/null
INSERT INTO own.networks (id) VALUES (1);
INSERT INTO own.instances (id) VALUES (1);
INSERT INTO own.nics (id, instance_id, network_id) VALUES (1, 1, 1);
REVOKE INSERT ON own.nic_history FROM vmnet_test_owner;
RESET ROLE;
SELECT is(pg_temp.outcome($$UPDATE own.nics SET state = 'Reserving'$$), 'accepted', 'a table as create_inventory() makes it is written directly');
CREATE TRIGGER other BEFORE TRUNCATE ON own.nic_history FOR EACH STATEMENT EXECUTE FUNCTION vmnet_internal.history_guard();
SELECT is(pg_temp.trial($$UPDATE own.nics SET state = 'Reserved'$$), 'accepted', 'one more trigger of that function changes nothing');
SELECT pg_temp.make_shell('own.nic_history') \g /dev/null
SELECT is(pg_temp.outcome($$UPDATE own.nics SET state = 'Reserved'$$), '42501', 'a shell, also one that has become one in the session, is not');
GRANT INSERT ON own.nic_history TO vmnet_test_owner;
SELECT is(pg_temp.outcome($$UPDATE own.nics SET state = 'Reserved'$$), 'accepted', '... but by an INSERT');

-- every change that is accepted can be read back
CREATE FUNCTION pg_temp.chain(nic bigint) RETURNS text LANGUAGE sql AS $$
	SELECT string_agg(to_state || coalesce(' ' || event, ''), ', ' ORDER BY seq) FROM cloud.nic_history WHERE nic_id = nic $$;
UPDATE cloud.nics SET state = 'Reserved' WHERE id <= 2;
DELETE FROM cloud.nic_history;
UPDATE cloud.nics SET state = 'Releasing' WHERE id = 1;
UPDATE cloud.nics SET state = 'Allocated' WHERE id = 1;
DELETE FROM cloud.nics WHERE id = 1;
SELECT is(pg_temp.chain(1), 'Releasing ReleaseRequested, Allocated OperationCompleted, Deallocating RemoveRequested', 'moves and a removal');
UPDATE cloud.nics SET state = 'Deallocating' WHERE id = 2;
UPDATE cloud.all_nics SET removed = now() WHERE id = 2;
SELECT is(pg_temp.chain(2), 'Deallocating RemoveRequested, Deallocating Removed', 'a removal in two steps');
UPDATE cloud.nics SET state = 'Reserving' WHERE id > 10;
SELECT is((SELECT count(*) FROM cloud.nic_history WHERE nic_id > 10 AND to_state = 'Reserving'), 2990::bigint, 'many in one statement');
SELECT vmnet.nic_event(3, 'ReservationRequested') \g /dev/null
SELECT is(pg_temp.chain(3), 'Reserving ReservationRequested', 'an event');
SELECT is(pg_temp.outcome($$UPDATE cloud.nics SET state = 'Releasing' WHERE id IN (3, 4)$$), '23514 nic_state_transition', 'what is refused');
SELECT is(pg_temp.chain(4), NULL, '... is not there');
DO $$
BEGIN
	UPDATE cloud.nics SET state = 'Reserving' WHERE id = 5;
	BEGIN
		UPDATE cloud.nics SET state = 'Reserved' WHERE id = 5;
		RAISE division_by_zero;
	EXCEPTION WHEN division_by_zero THEN
		UPDATE cloud.nics SET state = 'Allocated' WHERE id = 5;
	END;
END
$$;
SELECT is(pg_temp.chain(5), 'Reserving ReservationRequested, Allocated CancelRequested', 'blocks with exceptions');
UPDATE cloud.nics SET ip4_address = '10.0.0.1' WHERE id = 6;
UPDATE cloud.nics SET ip4_address = '10.0.0.2' WHERE id = 6;
SELECT is((SELECT count(*) FROM cloud.nic_address_history WHERE nic_id = 6), 2::bigint, 'addresses');
SELECT is_empty($$SELECT n.id FROM cloud.all_nics n WHERE n.state <> 'Allocated' AND n.state IS DISTINCT FROM (SELECT h.to_state FROM cloud.nic_history h WHERE h.nic_id = n.id ORDER BY seq DESC LIMIT 1)$$,
	'every state has its entry');
SET LOCAL enable_seqscan = off;
SELECT is((SELECT count(*) FROM cloud.nic_history WHERE nic_id = 11), 1::bigint, 'in the indexes, too');
RESET enable_seqscan;
SELECT is((SELECT count(*) FROM pg_trigger WHERE tgrelid = 'cloud.nic_history'::regclass AND tgisinternal), 1::bigint, 'the table is still a shell');

-- what refuses
SELECT throws_ok($$SELECT vmnet_internal.refuse_shell_table('cloud.nic_history', 'purge inventory "cloud"')$$, '0A000', 'cannot purge inventory "cloud" on this node', 'a shell is refused');
CREATE FUNCTION pg_temp.said(command text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	detail text; hint text; rel text; schema text;
BEGIN
	EXECUTE command;
	RETURN 'accepted';
EXCEPTION WHEN OTHERS THEN
	GET STACKED DIAGNOSTICS detail = PG_EXCEPTION_DETAIL, hint = PG_EXCEPTION_HINT, rel = TABLE_NAME, schema = SCHEMA_NAME;
	RETURN concat_ws(' | ', schema, rel, detail, hint);
END
$$;
SELECT is(pg_temp.said($$SELECT vmnet_internal.refuse_shell_table('cloud.nic_history', 'do it')$$),
	'cloud | nic_history | The rows of table "cloud.nic_history" are on another node; this node has only the shell of the distributed table. | Connect to the node that holds the table, and repeat the call there.', 'with DETAIL and HINT');
SELECT is(pg_temp.outcome(format('SELECT vmnet_internal.refuse_shell_table(%s, ''do it'')', rel)), 'accepted', format('%s is none', what))
FROM (VALUES ($$'cloud.all_nics'$$, 'a table with foreign keys'), ($$'cloud.nics'$$, 'a view'), ($$'cloud.all_nics_pkey'$$, 'an index'), ('1', 'what is not there'), ('NULL', 'NULL')) v (rel, what);
CREATE TABLE own_truncate (x int);
CREATE TRIGGER t AFTER TRUNCATE ON own_truncate FOR EACH STATEMENT EXECUTE FUNCTION pg_temp.nothing();
SELECT is(pg_temp.outcome($$SELECT vmnet_internal.refuse_shell_table('own_truncate', 'do it')$$), 'accepted', 'nor is a table with a trigger of its user on TRUNCATE');
SELECT is(pg_temp.outcome_as('vmnet_test_reader', $$SELECT vmnet_internal.refuse_shell_table(1259, 'do it')$$), 'accepted', 'anybody may ask');
SELECT provolatile = 's' AND proisstrict AS ok FROM pg_proc WHERE proname = 'refuse_shell_table' \gset
SELECT ok(:'ok', 'it can be called in a query');

SELECT * FROM finish();
ROLLBACK;
