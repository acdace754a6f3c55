-- check_inventory(codes): only the findings asked for, and only their queries.
\i test/tap/setup.psql
SELECT plan(9);
SET LOCAL client_min_messages = error;
SELECT vmnet.create_inventory('codes') \g /dev/null
INSERT INTO codes.networks (id, name) VALUES (1, 'n1');
INSERT INTO codes.instances (id, name) VALUES (1, 'i1');
INSERT INTO codes.nics (id, instance_id, network_id, device_id) VALUES (1, 1, 1, 0);
UPDATE codes.all_nics SET default_nic = false;
UPDATE codes.all_nics SET state = 'Reserving' WHERE id = 1;
ALTER TABLE codes.all_nics DROP CONSTRAINT nic_removed_is_deallocating;

SELECT results_eq($$SELECT code FROM vmnet.check_inventory('codes', '0', codes => '{stuck_nic}')$$,
	$$VALUES ('stuck_nic')$$, 'one code finds only what it stands for');
SELECT results_eq($$SELECT code FROM vmnet.check_inventory('codes', '0', codes => '{rule_missing}')$$,
	$$VALUES ('rule_missing')$$, 'so does a code that the catalogs answer');
SELECT results_eq($$SELECT code FROM vmnet.check_inventory('codes', '0', codes => '{stuck_nic,rule_missing}') ORDER BY 1$$,
	$$VALUES ('rule_missing'), ('stuck_nic')$$, 'and several codes of both sorts');
SELECT is_empty($$SELECT code FROM vmnet.check_inventory('codes', '1 hour', codes => '{stuck_nic}')$$, 'min_age holds with codes, too');
SELECT is_empty($$SELECT code FROM vmnet.check_inventory('codes', '0', codes => '{}')$$, 'no code finds nothing');
SELECT results_eq($$SELECT f::text FROM vmnet.check_inventory('codes', '0', codes => NULL) f$$,
	$$SELECT f::text FROM vmnet.check_inventory('codes', '0') f$$, 'NULL means all codes');
SELECT throws_ok($$SELECT * FROM vmnet.check_inventory('codes', codes => '{stuck_nic,no_such}')$$, '22023',
	'unknown code of a finding: "no_such"', 'an unknown code is refused');
SELECT ok(vmnet_internal.check_all_query('codes', '{stuck_nic}') !~ 'GROUP BY|check_guards', 'neither other queries nor the catalogs are read for one code');
SELECT ok(vmnet_internal.check_all_query('codes') ~ 'GROUP BY' AND vmnet_internal.check_all_query('codes') ~ 'check_guards', 'for all codes they are');

SELECT * FROM finish();
ROLLBACK;
