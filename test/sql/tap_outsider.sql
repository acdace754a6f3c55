-- What a role is told that calls a function on an inventory to which it has no
-- access: the view to read where it is a reader, and the access to ask for.
\i test/tap/setup.psql

SELECT plan(13);

CREATE FUNCTION pg_temp.refusal(query text, OUT state text, OUT message text, OUT hint text) LANGUAGE plpgsql AS $$
DECLARE
	context text;
BEGIN
	EXECUTE query;
EXCEPTION WHEN OTHERS THEN
	GET STACKED DIAGNOSTICS state = RETURNED_SQLSTATE, message = MESSAGE_TEXT, hint = PG_EXCEPTION_HINT, context = PG_EXCEPTION_CONTEXT;
	IF context ~ 'vmnet_internal|cloud\.|attached_unchecked' THEN
		hint := context;
	END IF;
END $$;
GRANT EXECUTE ON FUNCTION pg_temp.refusal(text) TO PUBLIC;

CREATE ROLE outsider_owner;
CREATE ROLE outsider_reader;
CREATE ROLE outsider_stranger;
SELECT format('GRANT CREATE ON DATABASE %I TO outsider_owner', current_database()) \gexec
SET ROLE outsider_owner;
SELECT vmnet.create_inventory('hers'), vmnet.create_report('hers', 'her "report"') \g /dev/null
SELECT vmnet.grant_access('hers', 'outsider_reader', 'reader') \g /dev/null

SET ROLE outsider_reader;
SELECT is((r.state, r.message, r.hint)::text,
	('42501', 'permission denied for schema hers', format('Read the view "her ""report""".%s instead. Functions need the access of an operator, '
		'which role "outsider_owner" can give: SELECT vmnet.grant_access(''hers'', ''outsider_reader'', ''operator'');', v.view))::text,
	v.query || ' names the view to read')
FROM (VALUES ('SELECT FROM vmnet.network_active_instances(1, inventory => ''hers'')', 'network_instances'),
	('SELECT vmnet.network_active_instance_count(1, ''hers'')', 'network_counts'),
	('SELECT vmnet.network_id(''front'', ''hers'')', 'networks'),
	('SELECT FROM vmnet.ip_holders(''10.0.0.1'', inventory => ''hers'')', 'nic_addresses'),
	('SELECT FROM vmnet.network_blockers(1, ''hers'')', 'nics'),
	('SELECT FROM vmnet.check_inventory(''hers'')', 'findings'),
	('SELECT FROM vmnet.inventory_status(''hers'')', 'findings')) v (query, view), LATERAL pg_temp.refusal(v.query) r;
SELECT is(r.hint, 'Functions need the access of an operator, which role "outsider_owner" can give: '
	'SELECT vmnet.grant_access(''hers'', ''outsider_reader'', ''operator'');', 'an operation names the access')
FROM pg_temp.refusal('SELECT FROM vmnet.nic_remove(1, inventory => ''hers'')') r;
SELECT alike(r.hint, '%become it: SET ROLE outsider_owner;', 'a refusal with a hint of its own keeps it')
FROM pg_temp.refusal('SELECT vmnet.create_report(''hers'')') r;
SET ROLE outsider_stranger;
SELECT is(r.hint, 'Functions need the access of an operator, which role "outsider_owner" can give: '
	'SELECT vmnet.grant_access(''hers'', ''outsider_stranger'', ''operator'');', 'who is no reader is told of no view')
FROM pg_temp.refusal('SELECT FROM vmnet.network_active_instances(1, inventory => ''hers'')') r;
RESET ROLE;
SELECT vmnet.grant_access('hers', 'outsider_stranger', 'operator') \g /dev/null
SET ROLE outsider_stranger;
SELECT is((SELECT count(*) FROM vmnet.network_active_instances(1, inventory => 'hers')), 0::bigint, 'an operator is answered');
SELECT is((SELECT count(*) FROM vmnet.nics_stuck_for(inventory => 'hers', older_than => '1 s')), 0::bigint, 'by a function of history, too');
RESET ROLE;

-- A dump that was restored has the name that its inventory had.
CREATE FUNCTION pg_temp.detail(query text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	detail text;
BEGIN
	EXECUTE query;
	RETURN 'no error';
EXCEPTION WHEN OTHERS THEN
	GET STACKED DIAGNOSTICS detail = PG_EXCEPTION_DETAIL;
	RETURN detail;
END $$;
ALTER SCHEMA cloud RENAME TO restored;
SELECT is(pg_temp.detail('SELECT FROM vmnet.network_active_instances(1)'),
	'There is no schema of this name. Inventories of this database: "restored", "hers".', 'who names no inventory is told which there are');

SELECT * FROM finish();
ROLLBACK;
