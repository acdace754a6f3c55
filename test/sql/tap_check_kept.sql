-- What a unique index keeps is not searched again, and is searched where the
-- index is not what it should be.
\i test/tap/setup.psql
\i test/tap/outcome.psql
SELECT plan(16);
SET LOCAL client_min_messages = error;

SELECT set_eq('SELECT unnest(vmnet_internal.check_kept(''cloud''))', 'SELECT code FROM vmnet_internal.check_keepers()', 'a managed inventory keeps all of them');
SELECT vmnet.create_inventory('m', 'mirror') \g /dev/null
SELECT is(vmnet_internal.check_kept('m'), '{}', 'a mirror none');
SELECT is_empty($$SELECT code FROM vmnet_internal.check_keepers() WHERE code NOT IN (SELECT code FROM vmnet_internal.checks())$$, 'sql/check/kept.sql: each is the code of a check');
SELECT is_empty($$SELECT key FROM vmnet_internal.check_keepers() WHERE key NOT IN (SELECT name FROM vmnet_internal.inventory_keys() WHERE sort = 'unique index' AND condition IS NOT NULL)$$,
	'sql/check/kept.sql: each is a unique index of the definition');
SELECT is(vmnet_internal.check_all_query('cloud') ~ 'duplicate_live_mac', false, 'check_inventory() does not search them');
SELECT is(vmnet_internal.check_query('cloud') ~ 'duplicate_live_mac', true, 'the view findings of a report does: it outlives the index');
SELECT is_empty($$SELECT * FROM vmnet.check_inventory('cloud', codes => '{duplicate_live_mac}')$$, 'nor if nothing else is asked for');
SELECT is(pg_temp.outcome($$SELECT * FROM vmnet.check_inventory('cloud', codes => '{stuck_nic,NULL}')$$), '22023', 'codes with a NULL are refused');

-- Whether check_inventory() searches for MAC addresses after a command.
CREATE FUNCTION pg_temp.searched_after(command text) RETURNS boolean LANGUAGE plpgsql AS $$
DECLARE
	result boolean;
BEGIN
	EXECUTE command;
	result := vmnet_internal.check_all_query('cloud') ~ 'duplicate_live_mac';
	RAISE EXCEPTION USING ERRCODE = 'UNDO1';
EXCEPTION WHEN SQLSTATE 'UNDO1' THEN
	RETURN result;
END
$$;
SELECT is(pg_temp.searched_after(command), expected, what)
FROM (VALUES
	(1, true, 'DROP INDEX cloud.all_nics_one_mac', 'no index'),
	(2, false, 'ALTER INDEX cloud.all_nics_one_mac RENAME TO other', 'one of another name'),
	(3, true, $$SET LOCAL allow_system_table_mods = on; UPDATE pg_index SET indisvalid = false WHERE indexrelid = 'cloud.all_nics_one_mac'::regclass$$, 'an invalid one'),
	(4, true, $$DROP INDEX cloud.all_nics_one_mac; CREATE UNIQUE INDEX ON cloud.all_nics (network_id, mac_address) WHERE active AND vm_type = 'User' AND mtu IS NULL$$, 'one of fewer rows'),
	(5, true, $$DROP INDEX cloud.all_nics_one_mac; CREATE UNIQUE INDEX ON cloud.all_nics (network_id, mac_address, id) WHERE active AND vm_type = 'User'$$, 'one of more columns'),
	(6, true, $$DROP INDEX cloud.all_nics_one_mac; CREATE INDEX ON cloud.all_nics (network_id, mac_address) WHERE active AND vm_type = 'User'$$, 'one that is not unique'),
	(7, true, 'CREATE TABLE cloud.more () INHERITS (cloud.all_nics)', 'a table that inherits')) v (ord, expected, command, what)
ORDER BY ord;

-- the search finds what the index would have kept
DROP INDEX cloud.all_nics_one_mac;
INSERT INTO cloud.networks (id) VALUES (1);
INSERT INTO cloud.instances (id) VALUES (1), (2);
INSERT INTO cloud.nics (id, instance_id, network_id, mac_address) VALUES (1, 1, 1, '02:00:00:00:00:01'), (2, 2, 1, '02:00:00:00:00:01');
SELECT results_eq($$SELECT object_id FROM vmnet.check_inventory('cloud', codes => '{duplicate_live_mac}') ORDER BY 1$$, '{1,2}'::bigint[], 'without the index they are found');
SELECT * FROM finish();
ROLLBACK;
