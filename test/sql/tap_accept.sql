-- accept_finding() and withdraw_acceptance(): an accepted finding stays visible
-- and does not count, until its time is over or its object changes.
\i test/tap/setup.psql
\i test/tap/outcome.psql
SELECT plan(79);
SET LOCAL client_min_messages = error;

CREATE ROLE vmnet_test_owner;
CREATE ROLE vmnet_test_operator;
CREATE ROLE vmnet_test_reader;
CREATE ROLE vmnet_test_nobody;
GRANT CREATE ON DATABASE :DBNAME TO vmnet_test_owner;
SET LOCAL ROLE vmnet_test_owner;
SELECT vmnet.create_inventory('My "Cloud''s"'), vmnet.create_report('My "Cloud''s"', 'report'), vmnet.create_report('My "Cloud''s"', 'tenants', true),
	vmnet.grant_access('My "Cloud''s"', 'vmnet_test_operator', 'operator') \g /dev/null
RESET ROLE;
SELECT set_config('vmnet.inventory', 'My "Cloud''s"', true) \g /dev/null
SET LOCAL search_path = "My ""Cloud's""", public;
GRANT USAGE ON SCHEMA "My ""Cloud's""" TO vmnet_test_reader, vmnet_test_nobody;
GRANT SELECT ON ALL TABLES IN SCHEMA "My ""Cloud's""" TO vmnet_test_reader;

-- What is found, and what of it is accepted; of the report, too.
CREATE FUNCTION pg_temp.found(accepted boolean) RETURNS text LANGUAGE sql AS $$
SELECT string_agg(f.code || ' ' || f.object, ', ' ORDER BY f.code, f.object_id, f.object) FROM vmnet.check_inventory(min_age => '0') f WHERE f.accepted = $1
$$;
CREATE FUNCTION pg_temp.reported(accepted boolean) RETURNS text LANGUAGE sql AS $$
SELECT string_agg(f.code || ' ' || f.object, ', ' ORDER BY f.code, f.object_id, f.object) FROM report.findings f WHERE f.accepted = $1
$$;
-- Accepts all that is found with a code.
CREATE FUNCTION pg_temp.accept_all(wanted text, inventory name DEFAULT NULL) RETURNS bigint LANGUAGE sql AS $$
SELECT sum(n) FROM (SELECT vmnet.accept_finding(f.code, f.object, NULL, 'all of it', inventory => $2) AS n
	FROM (SELECT DISTINCT code, object FROM vmnet.check_inventory($2, '0') WHERE code = wanted) f) a
$$;

INSERT INTO networks (id, name, cidr) VALUES (1, 'a', '10.1.0.0/16'), (2, 'b', '10.2.0.0/16');
INSERT INTO instances (id, name, state) VALUES (1, 'a', 'Running'), (2, 'b', 'Running'), (3, 'c', 'Running'), (4, 'd', 'Stopped');
DROP INDEX all_nics_one_mac, all_nics_one_ip4;
INSERT INTO nics (id, instance_id, network_id, state, mac_address, ip4_address, created) VALUES
	(1, 1, 1, 'Reserved', '02:00:00:00:00:01', '10.1.0.1', '2025-01-01'), (2, 2, 1, 'Reserved', '02:00:00:00:00:01', '10.1.0.2', '2025-01-01'),
	(3, 3, 1, 'Reserved', '02:00:00:00:00:03', '10.9.0.3', '2025-01-01'), (4, 4, 2, 'Allocated', NULL, NULL, '2025-01-01'),
	(5, 4, 1, 'Allocated', '02:00:00:00:00:05', '10.1.0.1', '2025-01-01');
UPDATE all_nics SET default_nic = false WHERE id = 4;
UPDATE nics SET state = 'Deallocating' WHERE id = 5;

SELECT is(pg_temp.found(false), 'default_nic_missing instance 4, duplicate_live_mac nic 1, duplicate_live_mac nic 2, half_removed_nic nic 5, ip_outside_cidr nic 3, '
	|| (SELECT string_agg('rule_missing ' || object, ', ' ORDER BY code, object) FROM vmnet.check_inventory() WHERE code = 'rule_missing'),
	'findings have objects');
SELECT ok(bool_and(object ~ '^inventory [0-9a-f]{8}$') AND count(DISTINCT object) = 2, 'those of findings about the inventory itself differ')
FROM vmnet.check_inventory() WHERE code = 'rule_missing';
SELECT is((SELECT string_agg(code || object, ' ' ORDER BY code, object) FROM report.findings), (SELECT string_agg(code || object, ' ' ORDER BY code, object) FROM vmnet.check_inventory()),
	'a report names the same objects');
SELECT is(vmnet.inventory_status(), 3, 'errors count');

--
-- What an accepted finding does
--
SELECT is(vmnet.accept_finding('ip_outside_cidr', 'nic 3', 'infinity', 'a second range, see the ticket'), 1, 'a finding is accepted');
SELECT is(vmnet.accept_finding('default_nic_missing', ' Instance 4', NULL, 'no gateway there'), 1, 'without an end, by what the object is called in messages');
SELECT is(vmnet.accept_finding('half_removed_nic', 'nic 5', now() + interval '1 day', 'its switch is down'), 1, 'and one that is younger than min_age');
SELECT results_eq($$SELECT code, severity, object, accepted_until, accepted_by, accepted_reason, message, fix IS NOT NULL FROM vmnet.check_inventory(min_age => '0') WHERE accepted ORDER BY code$$,
	format($$VALUES ('default_nic_missing', 'warning', 'instance 4', NULL, %1$L, 'no gateway there', 'instance 4 has 1 active NIC and no default NIC; NIC 4 comes first', true),
		('half_removed_nic', 'error', 'nic 5', now() + interval '1 day', %1$L, 'its switch is down', 'NIC 5 of instance 4 on network 1 is half-removed: Deallocating, but not removed; its address 10.1.0.1 may still be in use', true),
		('ip_outside_cidr', 'warning', 'nic 3', 'infinity', %1$L, 'a second range, see the ticket', 'NIC 3 of instance 3 has address 10.9.0.3, which is outside 10.1.0.0/16 of network 1', true)$$, session_user),
	'it stays visible, with who accepted it, until when and why');
SELECT is(pg_temp.accept_all('duplicate_live_mac') + pg_temp.accept_all('rule_missing'), 4::bigint, 'all errors are accepted');
SELECT is(vmnet.inventory_status(), 0, 'errors that are accepted do not count');
SELECT results_eq($$SELECT finding, outcome, why FROM vmnet.repair_inventory(NULL, dry_run => false, min_age => '0') WHERE object_type <> 'inventory' ORDER BY finding, object_id LIMIT 1$$,
	$$VALUES ('default_nic_missing', 'refused', format('accepted by %s: no gateway there', session_user::text) COLLATE "default")$$, 'a repair leaves it alone');
SELECT is((SELECT removed FROM all_nics WHERE id = 5), NULL, 'also one that it would mend');
SELECT is(pg_temp.reported(true), 'default_nic_missing instance 4, duplicate_live_mac nic 1, duplicate_live_mac nic 2, ip_outside_cidr nic 3, '
	|| (SELECT string_agg('rule_missing ' || object, ', ' ORDER BY code, object) FROM vmnet.check_inventory() WHERE code = 'rule_missing'), 'a report tells it too');
SELECT is(pg_temp.reported(false), NULL, 'and nothing else');
SELECT results_eq($$SELECT name COLLATE "default", code COLLATE "default", value FROM report.metrics_findings WHERE value > 0 OR name = 'vmnet_findings_open' AND code = 'duplicate_live_mac' ORDER BY name, code$$,
	$$VALUES ('vmnet_findings_accepted', 'default_nic_missing', 1::float8), ('vmnet_findings_accepted', 'duplicate_live_mac', 2), ('vmnet_findings_accepted', 'ip_outside_cidr', 1),
		('vmnet_findings_accepted', 'rule_missing', 2), ('vmnet_findings_open', 'duplicate_live_mac', 0)$$, 'metrics count it apart');
SELECT is((SELECT count(*) FROM tenants.findings WHERE accepted OR accepted_by IS NOT NULL OR accepted_reason IS NOT NULL), 0::bigint, 'tenants do not see who accepts what');

--
-- Again, and back
--
SELECT is(vmnet.accept_finding('ip_outside_cidr', 'nic 3', now() + interval '2 days', 'another reason'), 1, 'it is accepted again');
SELECT results_eq($$SELECT accepted_until, accepted_reason FROM vmnet.check_inventory() WHERE object = 'nic 3'$$, $$VALUES (now() + interval '2 days', 'another reason')$$,
	'which replaces time and reason');
SELECT is((SELECT count(*) FROM accepted_findings WHERE object = 'nic 3'), 1::bigint, 'it is there once');
SELECT is(vmnet.withdraw_acceptance('ip_outside_cidr', 'nic 3'), 1, 'an acceptance is withdrawn');
SELECT is(pg_temp.found(false), 'ip_outside_cidr nic 3', 'its finding counts again');
SELECT is(pg_temp.accept_all('ip_outside_cidr'), 1::bigint, 'and can be accepted again');
UPDATE accepted_findings SET until = now() WHERE object = 'nic 3';
SELECT is(pg_temp.found(false), 'ip_outside_cidr nic 3', 'when its time is over, it counts again');
SELECT is(pg_temp.accept_all('ip_outside_cidr'), 1::bigint, 'also then it can be accepted again');
SELECT is(pg_temp.found(false), NULL, 'all is accepted');

--
-- What changes of its object, and what does not
--
-- Says what counts after a change, which is undone.
CREATE FUNCTION pg_temp.after(change text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	result text;
BEGIN
	EXECUTE change;
	result := coalesce(pg_temp.found(false), 'nothing');
	RAISE EXCEPTION USING ERRCODE = 'UNDO1';
EXCEPTION WHEN SQLSTATE 'UNDO1' THEN
	RETURN result;
END $$;
SELECT is(pg_temp.after(change), counts, change) FROM (VALUES
	($$UPDATE nics SET state = 'Releasing' WHERE id = 3$$, 'ip_outside_cidr nic 3, stuck_nic nic 3'),
	($$UPDATE nics SET mac_address = '02:00:00:00:00:33' WHERE id = 3$$, 'ip_outside_cidr nic 3'),
	($$UPDATE nics SET ip4_address = '10.9.0.33' WHERE id = 3$$, 'ip_outside_cidr nic 3'),
	($$UPDATE nics SET ip6_address = 'fd00::1' WHERE id = 3$$, 'ip_outside_cidr nic 3'),
	($$UPDATE networks SET cidr = '10.1.0.0/24' WHERE id = 1$$, 'ip_outside_cidr nic 3'),
	($$UPDATE nics SET mtu = 1400, enabled = false, reservation_id = 'x' WHERE id = 3$$, 'nothing'),
	($$UPDATE instances SET state = 'Stopped', name = 'z' WHERE id IN (3, 4)$$, 'nothing'),
	-- who has the address of the NIC that is half-removed
	($$DELETE FROM nics WHERE id = 1$$, 'half_removed_nic nic 5'),
	-- the other one of two that share an address: it changes, another one comes, it goes and comes back
	($$UPDATE nics SET mac_address = '02:00:00:00:00:01' WHERE id = 4$$, 'nothing'),
	($$UPDATE nics SET mac_address = '02:00:00:00:00:01' WHERE id = 3$$, 'duplicate_live_mac nic 1, duplicate_live_mac nic 2, duplicate_live_mac nic 3, ip_outside_cidr nic 3'),
	($$DELETE FROM nics WHERE id = 2; UPDATE nics SET mac_address = '02:00:00:00:00:01' WHERE id = 3$$, 'duplicate_live_mac nic 1, duplicate_live_mac nic 3, ip_outside_cidr nic 3'),
	($$UPDATE nics SET mac_address = '02:00:00:00:00:02' WHERE id = 2; UPDATE nics SET mac_address = '02:00:00:00:00:01' WHERE id = 2$$, 'nothing'),
	($$INSERT INTO nics (id, instance_id, network_id, default_nic) VALUES (9, 4, 1, false)$$, 'default_nic_missing instance 4'),
	($$ALTER SCHEMA "My ""Cloud's""" RENAME TO other; SET LOCAL vmnet.inventory = 'other'; SET LOCAL search_path = other$$, 'nothing'),
	($$SET LOCAL TimeZone = 'Asia/Tokyo'; SET LOCAL DateStyle = 'SQL, DMY'; SET LOCAL IntervalStyle = 'iso_8601'; SET LOCAL search_path = pg_catalog; SET LOCAL extra_float_digits = -15;
		SET LOCAL bytea_output = 'escape'$$, 'nothing')) c (change, counts);
-- of three that share an address one, neither the first nor the last, is replaced by another
UPDATE nics SET mac_address = '02:00:00:00:00:01' WHERE id = 3;
INSERT INTO nics (id, instance_id, network_id, mac_address, created) VALUES (8, 4, 1, '02:00:00:00:00:01', '2025-01-01');
SELECT is(pg_temp.accept_all('duplicate_live_mac') + pg_temp.accept_all('ip_outside_cidr') + pg_temp.accept_all('default_nic_missing'), 6::bigint, 'four share an address');
SELECT is(pg_temp.found(false), NULL, 'which is accepted');
SELECT is(pg_temp.after($$UPDATE nics SET mac_address = '02:00:00:00:00:99' WHERE id = 3; INSERT INTO instances (id) VALUES (5);
	INSERT INTO nics (id, instance_id, network_id, mac_address, created) VALUES (7, 5, 1, '02:00:00:00:00:01', '2025-01-01')$$),
	'duplicate_live_mac nic 1, duplicate_live_mac nic 2, duplicate_live_mac nic 7, duplicate_live_mac nic 8, ip_outside_cidr nic 3',
	'one that takes the place of another one, so that the message is the same');

--
-- A mirror: its rows are written by the import only, which moves NICs, too
--
SELECT vmnet.create_inventory('m', 'mirror') \g /dev/null
SET LOCAL session_replication_role = replica;
INSERT INTO m.all_networks (id, removed) VALUES (1, NULL), (2, NULL), (3, '2025-02-01');
INSERT INTO m.all_instances (id, created) VALUES (1, '2025-01-01');
INSERT INTO m.all_nics (id, instance_id, network_id, state, state_changed, created, vm_type, ip4_address) VALUES
	(1, 1, 1, 'Deallocating', '2025-01-02', '2025-01-01', 'User', NULL), (2, NULL, 3, 'Reserved', '2025-01-02', '2025-01-01', NULL, '10.0.0.1');
INSERT INTO m.former_rows (relation, id, created, until, reused, seq, run) VALUES ('instances', 1, '2024-01-01', '2024-02-01', true, 0, 1), ('instances', 1, '2024-02-01', '2024-03-01', true, 0, 1);
RESET session_replication_role;
SELECT is(pg_temp.accept_all('half_removed_nic', 'm') + pg_temp.accept_all('live_nic_on_removed_network', 'm') + pg_temp.accept_all('id_reused', 'm'), 4::bigint,
	'findings of a mirror are accepted, two of one object and code together');
SELECT is((SELECT count(*) FROM accepted_findings), (SELECT count(*) FROM m.accepted_findings) + 5, 'each inventory has its own');
CREATE FUNCTION pg_temp.mirror_counts() RETURNS text LANGUAGE sql AS $$
SELECT string_agg(f.code || ' ' || f.object, ', ' ORDER BY f.code, f.object) FROM vmnet.check_inventory('m') f WHERE NOT f.accepted AND f.code <> 'missing_uuid' $$;
SELECT is(pg_temp.mirror_counts(), NULL, 'nothing else is found');
SET LOCAL TimeZone = 'America/New_York';
SET LOCAL DateStyle = 'German';
SELECT is(pg_temp.mirror_counts(), NULL, 'also by a session with another time zone');
SET LOCAL session_replication_role = replica;
INSERT INTO m.former_rows (relation, id, created, until, reused, seq, run) VALUES ('instances', 1, '2024-03-01', '2024-04-01', true, 0, 1);
UPDATE m.all_nics SET network_id = 2 WHERE id = 1;
UPDATE m.all_nics SET network_id = 3, removed = now() WHERE id = 2;
UPDATE m.all_nics SET removed = NULL WHERE id = 2;
SELECT is(pg_temp.mirror_counts(), 'half_removed_nic nic 1, id_reused instance 1', 'a NIC that is moved counts again, and what is added to what was accepted');
UPDATE m.all_networks SET removed = '2025-02-02' WHERE id = 3;
SELECT is(pg_temp.mirror_counts(), 'half_removed_nic nic 1, id_reused instance 1, live_nic_on_removed_network nic 2', 'so does one whose network is removed at another time');
RESET session_replication_role;

--
-- Rights
--
CREATE FUNCTION pg_temp.try(who name, command text) RETURNS text LANGUAGE sql AS $$ SELECT pg_temp.outcome_as(who, command) $$;
DELETE FROM accepted_findings;
SELECT object AS guard FROM vmnet.check_inventory() WHERE code = 'rule_missing' ORDER BY object LIMIT 1 \gset
SELECT is(pg_temp.try('vmnet_test_operator', $$SELECT vmnet.accept_finding('ip_outside_cidr', 'nic 3', NULL, 'x')$$), 'accepted', 'an operator accepts a finding');
SELECT is((SELECT accepted_by FROM accepted_findings), 'vmnet_test_operator', 'in his own name');
SELECT is(pg_temp.try('vmnet_test_operator', format($$SELECT vmnet.accept_finding('rule_missing', %L, NULL, 'x')$$, :'guard')), '42501 accepted_owner_only', 'but none about the inventory itself');
SELECT is(pg_temp.try('vmnet_test_operator', $$INSERT INTO accepted_findings VALUES ('rule_missing', 'Inventory 1', NULL, NULL, 'x', 'x', 'x', now())$$), '42501 accepted_owner_only', 'nor by hand');
SELECT is(pg_temp.try('vmnet_test_operator', $$UPDATE accepted_findings SET object = 'inventory 1'$$), '42501 accepted_owner_only', 'nor by changing another one');
SELECT is(pg_temp.try('vmnet_test_operator', $$UPDATE accepted_findings SET accepted_by = 'vmnet_test_owner', accepted_at = '2000-01-01'$$), 'accepted', 'nobody else is named');
SELECT results_eq('SELECT accepted_by, accepted_at FROM accepted_findings', $$VALUES ('vmnet_test_operator', now())$$, 'whatever is written');
SELECT is(pg_temp.try('vmnet_test_owner', format($$SELECT vmnet.accept_finding('rule_missing', %L, NULL, 'x')$$, :'guard')), 'accepted', 'its owner accepts it');
SELECT is((SELECT accepted_by FROM accepted_findings WHERE object = :'guard'), 'vmnet_test_owner', 'in his name');
SELECT is(vmnet.accept_finding('rule_missing', :'guard', NULL, 'x'), 1, 'a superuser accepts it again');
SELECT is((SELECT accepted_by FROM accepted_findings WHERE object = :'guard'), session_user::text, 'in the name of the superuser, who works as the owner');
SELECT is(pg_temp.try('vmnet_test_operator', format($$SELECT vmnet.withdraw_acceptance('rule_missing', %L)$$, :'guard')), '42501 accepted_owner_only', 'an operator does not withdraw it');
SELECT is(pg_temp.try('vmnet_test_reader', $$SELECT vmnet.accept_finding('ip_outside_cidr', 'nic 3', NULL, 'x')$$), '42501', 'a reader accepts nothing');
SELECT is(pg_temp.try('vmnet_test_nobody', $$SELECT vmnet.withdraw_acceptance('ip_outside_cidr', 'nic 3')$$), '42501', 'and a role without privileges withdraws nothing');
SELECT is(pg_temp.try('vmnet_test_reader', $$SELECT 1 / (count(*) - 2) FROM vmnet.check_inventory() WHERE accepted$$), '22012', 'a reader sees what is accepted');
SELECT is(pg_temp.try('vmnet_test_operator', $$SELECT vmnet.withdraw_acceptance('ip_outside_cidr', 'nic 3')$$), 'accepted', 'an operator withdraws what any operator accepted');
ALTER TABLE accepted_findings DISABLE TRIGGER accepted_guard;
SELECT is((SELECT message FROM vmnet.check_inventory() WHERE code = 'guard_disabled'), 'guard accepted_guard of "My ""Cloud''s""".accepted_findings is disabled', 'the guard is guarded');

--
-- Refusals
--
SELECT throws_ok(command, '22023', NULL, command) FROM (VALUES
	($$SELECT vmnet.accept_finding('nothing', 'nic 3', NULL, 'x')$$),
	($$SELECT vmnet.accept_finding('stuck_nic', 'nic 3', NULL, 'x')$$),
	($$SELECT vmnet.accept_finding('ip_outside_cidr', 'nic 1', NULL, 'x')$$),
	($$SELECT vmnet.accept_finding('ip_outside_cidr', 'nic 3', NULL, 'x', 'somebody')$$),
	($$SELECT vmnet.accept_finding('ip_outside_cidr', 'nic 3', now(), 'x')$$),
	($$SELECT vmnet.accept_finding('ip_outside_cidr', 'nic 3', NULL, E' \n')$$),
	($$SELECT vmnet.accept_finding('ip_outside_cidr', 'nic 3', NULL, NULL)$$),
	($$SELECT vmnet.accept_finding('owner_differs', 'inventory', NULL, 'x')$$),
	($$SELECT vmnet.accept_finding('inventory_incomplete', 'inventory', NULL, 'x')$$),
	($$SELECT vmnet.accept_finding(NULL, 'nic 3', NULL, 'x')$$),
	($$SELECT vmnet.accept_finding('ip_outside_cidr', NULL, NULL, 'x')$$),
	($$SELECT vmnet.accept_finding('ip_outside_cidr', 'nic 3', NULL, 'x', inventory => 'no such')$$),
	($$SELECT vmnet.withdraw_acceptance('ip_outside_cidr', 'nic 3')$$)) c (command);

SELECT * FROM finish();
ROLLBACK;
