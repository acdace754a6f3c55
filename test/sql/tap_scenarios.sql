-- Failures of CloudStack that must not happen here, each by its number in the
-- list of scenarios, with the CloudStack issue or change that it comes from;
-- and questions that operators publish as SQL, with the answers they want.
\i test/tap/setup.psql

SELECT plan(83);

-- A place to start from anew for each scenario: networks 1 to 5 (3 and 4 are
-- tiers of VPC 7), instances 1 to 4 of which 3 is a router.
CREATE FUNCTION pg_temp.begin_anew() RETURNS void LANGUAGE plpgsql AS $$
BEGIN
	SET LOCAL client_min_messages = warning;
	DROP SCHEMA cloud CASCADE;
	PERFORM vmnet.create_inventory('cloud');
	INSERT INTO cloud.networks (id, name, vpc_id) VALUES (1, 'network1', NULL), (2, 'network2', NULL), (3, 'tier1', 7), (4, 'tier2', 7), (5, 'network5', NULL);
	INSERT INTO cloud.instances (id, name, type, state) VALUES (1, 'vm1', 'User', 'Running'), (2, 'vm2', 'User', 'Stopped'), (3, 'r-3', 'DomainRouter', 'Running'), (4, 'vm4', 'User', 'Running');
	PERFORM setval('cloud.all_nics_id_seq', 100);
END $$;
CREATE FUNCTION pg_temp.listed(net_id bigint) RETURNS text LANGUAGE sql AS $$
	SELECT coalesce(string_agg(instance_name, ' '), 'nobody') FROM vmnet.network_active_instances($1)
$$;

-- 1: an instance is listed on a network that it has left (#10188)
SELECT pg_temp.begin_anew() \g /dev/null
INSERT INTO cloud.nics (id, network_id, instance_id) VALUES (1, 1, 1), (2, 2, 1);
SELECT is(pg_temp.listed(2), 'vm1', '1: an instance with two NICs is listed on both networks');
DELETE FROM cloud.nics WHERE id = 2;
SELECT is(pg_temp.listed(2), 'nobody', '1: with the one removed it is not listed there');
SELECT is(pg_temp.listed(1), 'vm1', '1: but still on the other');
SELECT is((SELECT count(*) FROM cloud.all_nics WHERE id = 2 AND removed IS NOT NULL), 1::bigint, '1: and the removed NIC is kept for history');

-- 2: the same by VPC (#10204)
SELECT pg_temp.begin_anew() \g /dev/null
INSERT INTO cloud.nics (id, network_id, instance_id) VALUES (1, 3, 1), (2, 4, 1);
SELECT results_eq('SELECT instance_id, network_count, nic_count FROM vmnet.vpc_active_instances(7)', 'VALUES (1::bigint, 2::bigint, 2::bigint)', '2: an instance on two tiers of a VPC is listed once');
DELETE FROM cloud.nics WHERE id = 1;
SELECT results_eq('SELECT instance_id, network_count, nic_count FROM vmnet.vpc_active_instances(7)', 'VALUES (1::bigint, 1::bigint, 1::bigint)', '2: and once when it has left one of them');
DELETE FROM cloud.nics WHERE id = 2;
SELECT is_empty('SELECT * FROM vmnet.vpc_active_instances(7)', '2: and not when it has left every tier');
SELECT is_empty('SELECT * FROM cloud.vpc_instances', '2: nor in the view');
INSERT INTO cloud.nics (network_id, instance_id) VALUES (4, 2);
UPDATE cloud.networks SET removed = now() WHERE id = 3;
SELECT results_eq('SELECT instance_id, network_count FROM vmnet.vpc_active_instances(7)', 'VALUES (2::bigint, 1::bigint)', '2: a tier that is removed does not take the others with it');

-- 3: a rewritten query no longer went through the right view (#8012)
SELECT pg_temp.begin_anew() \g /dev/null
INSERT INTO cloud.nics (id, network_id, instance_id, vm_type) VALUES (1, 1, 1, 'User'), (2, 1, 2, 'User'), (3, 1, 3, 'DomainRouter'), (4, 1, 3, 'DomainRouter'), (5, 1, 4, 'User'), (6, 2, 1, 'User');
DELETE FROM cloud.nics WHERE id = 2;
UPDATE cloud.nics SET state = 'Deallocating' WHERE id = 5;
SELECT set_eq('SELECT instance_id FROM vmnet.network_active_instances(1)', 'VALUES (1::bigint), (3)', '3: every way of asking gives one set of instances: network_active_instances()');
SELECT set_eq('SELECT instance_id FROM cloud.network_instances WHERE network_id = 1', 'VALUES (1::bigint), (3)', '3: network_instances');
SELECT set_eq('SELECT instance_id FROM vmnet.network_active_nics(1)', 'VALUES (1::bigint), (3)', '3: network_active_nics()');
SELECT set_eq('SELECT i.id FROM cloud.instances i WHERE EXISTS (SELECT FROM vmnet.instance_active_networks(i.id) WHERE network_id = 1)', 'VALUES (1::bigint), (3)', '3: instance_active_networks()');
SELECT set_eq('SELECT i.id FROM cloud.instances i JOIN cloud.nics n ON n.instance_id = i.id JOIN cloud.networks w ON w.id = n.network_id WHERE w.id = 1', 'VALUES (1::bigint), (3)', '3: a join of the live views by hand');
SELECT is((vmnet.network_active_instance_count(1), (SELECT active_instances FROM cloud.network_counts WHERE network_id = 1))::text, '(2,2)', '3: and the counts');

-- 4: removed, then added to the same network: listed twice (#7174, #6430)
SELECT pg_temp.begin_anew() \g /dev/null
INSERT INTO cloud.nics (id, network_id, instance_id) VALUES (1, 1, 1);
DELETE FROM cloud.nics WHERE id = 1;
INSERT INTO cloud.nics (id, network_id, instance_id) VALUES (2, 1, 1);
SELECT results_eq('SELECT instance_id, nic_count, nic_id FROM vmnet.network_active_instances(1)', 'VALUES (1::bigint, 1::bigint, 2::bigint)', '4: an instance that left a network and came back is there exactly once');
SELECT results_eq('SELECT network_id, nic_id FROM vmnet.instance_active_networks(1)', 'VALUES (1::bigint, 2::bigint)', '4: as the network is with the instance');
SELECT is((SELECT attached_nics FROM cloud.network_counts WHERE network_id = 1), 1::bigint, '4: and it is counted once');

-- 5: a removed NIC counted as a member, so the owner could not be deleted (#9331, #9339)
SELECT pg_temp.begin_anew() \g /dev/null
INSERT INTO cloud.nics (id, network_id, instance_id) VALUES (1, 1, 1), (2, 2, 1);
SELECT throws_ok('UPDATE cloud.networks SET removed = now() WHERE id = 2', '23503', NULL, '5: a network is in use while an instance is on it');
DELETE FROM cloud.nics WHERE id = 2;
SELECT is(vmnet.network_in_use(2), false, '5: a removed NIC uses nothing');
SELECT lives_ok('UPDATE cloud.networks SET removed = now() WHERE id = 2', '5: so its network can be removed');
DELETE FROM cloud.nics WHERE id = 1;
SELECT lives_ok('UPDATE cloud.instances SET removed = now() WHERE id = 1', '5: and its instance');

-- 6: a host name taken on a network that the instance has left (#4600)
SELECT pg_temp.begin_anew() \g /dev/null
INSERT INTO cloud.nics (id, network_id, instance_id) VALUES (1, 1, 1);
DELETE FROM cloud.nics WHERE id = 1;
UPDATE cloud.instances SET name = 'vm1' WHERE id = 4;
SELECT is_empty('SELECT FROM cloud.network_instances WHERE network_id = 1 AND instance_name = ''vm1''', '6: the name of an instance that left is free on the network');
INSERT INTO cloud.nics (network_id, instance_id) VALUES (1, 4);
SELECT results_eq('SELECT instance_id FROM cloud.network_instances WHERE network_id = 1 AND instance_name = ''vm1''', 'VALUES (4::bigint)', '6: and another can take it');

-- 7: a running instance counted on a network that it has left (CLOUDSTACK-6853)
SELECT pg_temp.begin_anew() \g /dev/null
INSERT INTO cloud.nics (id, network_id, instance_id) VALUES (1, 1, 1), (2, 1, 2);
SELECT results_eq('SELECT active_instances, running_instances FROM cloud.network_counts WHERE network_id = 1', 'VALUES (2::bigint, 1::bigint)', '7: one of two instances on the network runs');
DELETE FROM cloud.nics WHERE id = 1;
SELECT results_eq('SELECT active_instances, running_instances FROM cloud.network_counts WHERE network_id = 1', 'VALUES (1::bigint, 0::bigint)', '7: when it has left, none runs there');

-- 8: a list of addresses counted removed NICs (7d0338bd82)
SELECT pg_temp.begin_anew() \g /dev/null
INSERT INTO cloud.nics (id, network_id, instance_id, ip4_address) VALUES (1, 1, 1, '10.1.1.1'), (2, 1, 2, '10.1.1.15');
DELETE FROM cloud.nics WHERE id = 1;
SELECT is_empty('SELECT FROM cloud.nics WHERE ip4_address = ''10.1.1.1''', '8: a removed NIC holds no address');
SELECT is((SELECT used_ip4 FROM cloud.network_counts WHERE network_id = 1), 1::bigint, '8: nor is it counted');
SELECT lives_ok('INSERT INTO cloud.nics (network_id, instance_id, ip4_address) VALUES (1, 4, ''10.1.1.1'')', '8: the address can be given away again');
SELECT results_eq('SELECT instance_id FROM cloud.nics WHERE ip4_address = ''10.1.1.1''', 'VALUES (4::bigint)', '8: and belongs to one');

-- 9: another entity that hangs on instances: shared file systems (listed on a network that was left)
SELECT pg_temp.begin_anew() \g /dev/null
CREATE TEMP TABLE shared_fs (name text, instance_id bigint);
INSERT INTO shared_fs VALUES ('fs1', 1), ('fs2', 2);
INSERT INTO cloud.nics (id, network_id, instance_id) VALUES (1, 1, 1), (2, 2, 1), (3, 2, 2);
DELETE FROM cloud.nics WHERE id = 2;
SELECT results_eq('SELECT s.name FROM shared_fs s JOIN cloud.network_instances n USING (instance_id) WHERE n.network_id = 2', 'VALUES (''fs2'')', '9: what hangs on instances is listed by the view');
SELECT results_eq('SELECT s.name FROM shared_fs s JOIN vmnet.network_active_instances(2) USING (instance_id)', 'VALUES (''fs2'')', '9: and by the function, without the network that was left');

-- 10: a lookup that found the removed NIC's address (load balancing)
SELECT pg_temp.begin_anew() \g /dev/null
INSERT INTO cloud.nics (id, network_id, instance_id, ip4_address) VALUES (1, 1, 1, '10.1.1.10');
DELETE FROM cloud.nics WHERE id = 1;
INSERT INTO cloud.nics (id, network_id, instance_id, ip4_address) VALUES (2, 1, 1, '10.1.1.20');
SELECT results_eq('SELECT ip4_address FROM vmnet.network_active_instances(1)', 'VALUES (''10.1.1.20''::inet)', '10: after remove and add, the network has the new address');
SELECT results_eq('SELECT ip4_address FROM vmnet.instance_active_networks(1)', 'VALUES (''10.1.1.20''::inet)', '10: so has the instance');
SELECT results_eq('SELECT ip4_address FROM cloud.nics WHERE instance_id = 1 AND network_id = 1', 'VALUES (''10.1.1.20''::inet)', '10: so has the plain view');

-- 11: a removal that stopped between its two writes (NetworkOrchestrator.removeNic)
SELECT pg_temp.begin_anew() \g /dev/null
INSERT INTO cloud.nics (id, network_id, instance_id, ip4_address) VALUES (1, 3, 1, '10.1.1.10'), (2, 3, 2, '10.1.1.11');
UPDATE cloud.nics SET state = 'Deallocating' WHERE id = 1;
SELECT is(pg_temp.listed(3), 'vm2', '11: a half-removed NIC is not observable: the network''s instances');
SELECT results_eq('SELECT nic_id FROM vmnet.network_active_nics(3)', 'VALUES (2::bigint)', '11: its NICs');
SELECT is_empty('SELECT * FROM vmnet.instance_active_networks(1)', '11: the instance''s networks');
SELECT results_eq('SELECT instance_id FROM vmnet.vpc_active_instances(7)', 'VALUES (2::bigint)', '11: the VPC''s instances');
SELECT results_eq('SELECT (SELECT string_agg(id::text, '','') FROM cloud.nics), (SELECT string_agg(instance_id::text, '','') FROM cloud.network_instances), (SELECT string_agg(instance_id::text, '','') FROM cloud.vpc_instances)',
	'VALUES (''2'', ''2'', ''2'')', '11: the views');
SELECT results_eq('SELECT attached_nics, active_instances, deallocating, used_ip4 FROM cloud.network_counts WHERE network_id = 3', 'VALUES (1::bigint, 1::bigint, 1::bigint, 1::bigint)', '11: it is counted as Deallocating and as nothing else');
DELETE FROM cloud.nics WHERE id = 2;
SELECT is((pg_temp.listed(3), vmnet.network_in_use(3))::text, '(nobody,t)', '11: nobody is listed, but its address may be in use, so the network is');
UPDATE cloud.all_nics SET removed = now() WHERE id = 1;
SELECT is(vmnet.network_in_use(3), false, '11: until the removal is finished');

-- 12: a counter that drifted to 0, and the network was shut down under running instances (#8200, #8204)
SELECT pg_temp.begin_anew() \g /dev/null
INSERT INTO cloud.nics (network_id, instance_id) VALUES (1, 1), (1, 2);
UPDATE cloud.networks SET nics_count = CASE id WHEN 1 THEN 0 ELSE 99 END;
SELECT results_eq('SELECT attached_nics, active_instances, running_instances FROM cloud.network_counts WHERE network_id = 1', 'VALUES (2::bigint, 2::bigint, 1::bigint)', '12: a source''s counter of 0 is not believed by the counts');
SELECT is((vmnet.network_active_instance_count(1), vmnet.network_in_use(1))::text, '(2,t)', '12: nor by the functions');
SELECT throws_ok('UPDATE cloud.networks SET removed = now() WHERE id = 1', '23503', NULL, '12: nor by the guard');
SELECT lives_ok('UPDATE cloud.networks SET removed = now() WHERE id = 5', '12: and a counter of 99 holds no empty network');

-- 15: a network collected while its instance is starting, its NIC not reserved yet (CLOUDSTACK-4080)
SELECT pg_temp.begin_anew() \g /dev/null
UPDATE cloud.instances SET state = 'Starting' WHERE id = 2;
INSERT INTO cloud.nics (id, network_id, instance_id) VALUES (1, 1, 2);
SELECT results_eq('SELECT instance_state, nic_state, ip4_address FROM vmnet.network_active_instances(1)', 'VALUES (''Starting'', ''Allocated'', NULL::inet)', '15: an instance that is starting is listed with its unreserved NIC');
SELECT is(vmnet.network_in_use(1), true, '15: it uses the network');
SELECT throws_ok('UPDATE cloud.networks SET removed = now() WHERE id = 1', '23503', NULL, '15: which therefore stays');
UPDATE cloud.nics SET state = 'Reserving';
SELECT is(vmnet.network_in_use(1), true, '15: just so while the address is being reserved');

-- 25: a second copy of the membership that grew for ever (#1594)
SELECT pg_temp.begin_anew() \g /dev/null
SELECT is((SELECT string_agg(c.relname, ' ') FROM pg_class c
	WHERE c.relnamespace = 'cloud'::regnamespace AND c.relkind IN ('r', 'p', 'm', 'f')
		AND c.relname NOT IN ('nic_history', 'all_ip_addresses')	-- which say what was, not what is, and what CloudStack gave
		AND (SELECT count(*) FROM pg_attribute a WHERE a.attrelid = c.oid AND a.attname IN ('network_id', 'instance_id')) = 2),
	'all_nics', '25: who is on which network is stored once');
INSERT INTO cloud.nics (id, network_id, instance_id) VALUES (1, 1, 1);
DELETE FROM cloud.nics;
INSERT INTO cloud.nics (id, network_id, instance_id) VALUES (2, 1, 1);
DELETE FROM cloud.nics;
SELECT is_empty('SELECT FROM cloud.network_instances UNION ALL SELECT FROM cloud.network_counts WHERE attached_nics + active_instances > 0', '25: and derived anew each time, so nothing is left behind');

-- 31: NICs added at once were lost (#5499, #5541); those in parallel are tested with the guards
SELECT pg_temp.begin_anew() \g /dev/null
INSERT INTO cloud.nics (network_id, instance_id) VALUES (1, 1), (2, 1), (5, 1);
SELECT results_eq('SELECT network_id FROM vmnet.instance_active_networks(1)', 'VALUES (1::bigint), (2), (5)', '31: three networks added in one statement are three NICs');
INSERT INTO cloud.nics (network_id, instance_id) VALUES (1, 2);
INSERT INTO cloud.nics (network_id, instance_id) VALUES (2, 2);
INSERT INTO cloud.nics (network_id, instance_id) VALUES (5, 2);
SELECT results_eq('SELECT network_id FROM vmnet.instance_active_networks(2)', 'VALUES (1::bigint), (2), (5)', '31: and so are three in three');
SELECT results_eq('SELECT instance_id, count(*) FROM cloud.nics WHERE default_nic GROUP BY 1 ORDER BY 1', 'VALUES (1::bigint, 1::bigint), (2, 1)', '31: with one default each');

-- 34: a restored instance that lost its NICs, since removed ones were not found (#6282)
SELECT pg_temp.begin_anew() \g /dev/null
INSERT INTO cloud.nics (id, network_id, instance_id, mac_address) VALUES (1, 1, 1, '02:00:00:00:00:01');
DELETE FROM cloud.nics WHERE id = 1;
SELECT is_empty('SELECT FROM cloud.nics WHERE mac_address = ''02:00:00:00:00:01''', '34: by its MAC address a removed NIC is not found where live ones are');
SELECT is_empty('SELECT * FROM vmnet.network_active_nics(1)', '34: nor listed');
SELECT results_eq('SELECT id, instance_id, network_id FROM cloud.all_nics WHERE mac_address = ''02:00:00:00:00:01''', 'VALUES (1::bigint, 1::bigint, 1::bigint)', '34: but where the name says that removed ones are there');
SELECT lives_ok('INSERT INTO cloud.nics (id, network_id, instance_id, mac_address) VALUES (2, 1, 1, ''02:00:00:00:00:01'')', '34: and the instance gets it back as a new NIC');
SELECT results_eq('SELECT id FROM cloud.nics WHERE mac_address = ''02:00:00:00:00:01''', 'VALUES (2::bigint)', '34: the live one is one');

-- Published queries: what people ask their CloudStack database, what it wrongly
-- says, and what is said here.  n1 and n2, an old network and an empty one; vm3
-- is removed, though a NIC of it is live (9); one NIC is half-removed (8); one
-- is a placeholder (7).
SELECT vmnet.create_inventory('published', 'mirror') \g /dev/null
ALTER TABLE published.all_networks DISABLE TRIGGER USER;
ALTER TABLE published.all_instances DISABLE TRIGGER USER;
ALTER TABLE published.all_nics DISABLE TRIGGER USER;
INSERT INTO published.all_networks (id, name, cidr, nics_count, removed) VALUES (8001, 'n1', '10.1.1.0/24', 0, NULL), (8002, 'n2', '10.1.2.0/29', 1, NULL),
	(8003, 'old', NULL, NULL, now()), (8004, 'empty', '10.1.4.0/24', 0, NULL);
INSERT INTO published.all_instances (id, name, type, state, removed) VALUES (9001, 'vm1', 'User', 'Running', NULL), (9002, 'vm2', 'User', 'Stopped', NULL),
	(9003, 'vm3', 'User', 'Expunging', now()), (9004, 'r-9004', 'DomainRouter', 'Running', NULL);
INSERT INTO published.all_nics (id, instance_id, network_id, state, strategy, vm_type, device_id, default_nic, ip4_address, removed) VALUES
	(1, 9001, 8001, 'Reserved', 'Start', 'User', 0, true, '10.1.1.15', NULL),
	(2, 9001, 8002, 'Deallocating', 'Start', 'User', 1, false, '10.1.2.2', now()),
	(3, 9002, 8002, 'Deallocating', 'Start', 'User', 1, false, '10.1.2.3', now()),
	(4, 9002, 8002, 'Allocated', 'Start', 'User', 0, true, '10.1.2.4', NULL),
	(5, 9003, 8001, 'Deallocating', 'Start', 'User', 0, true, '10.1.1.5', now()),
	(6, 9004, 8001, 'Reserved', 'Start', 'DomainRouter', 0, true, '10.1.1.1', NULL),
	(7, NULL, 8001, 'Reserved', 'PlaceHolder', 'DomainRouter', NULL, false, '10.1.1.2', NULL),
	(8, 9002, 8001, 'Deallocating', 'Start', 'User', 2, false, '10.1.1.8', NULL),
	(9, 9003, 8002, 'Reserved', 'Start', 'User', 1, false, '10.1.2.5', NULL);
ALTER TABLE published.all_networks ENABLE TRIGGER USER;
ALTER TABLE published.all_instances ENABLE TRIGGER USER;
ALTER TABLE published.all_nics ENABLE TRIGGER USER;
SET LOCAL vmnet.inventory = 'published';
SELECT is(pg_temp.listed(8002), 'vm2', 'A1: who is on n2 (CloudStack 4.19.1.2: vm1, vm2, vm2)');
SELECT is(pg_temp.listed(8001), 'vm1 r-9004', 'A1b: who is on n1 (CloudStack 4.19.2: vm2 too, half-removed)');
SELECT is((SELECT string_agg(instance_name, ' ' ORDER BY instance_id) FROM published.network_instances WHERE network_id = 8001), 'vm1 r-9004', 'A1b: by the view');
SELECT is((SELECT string_agg(instance_name, ' ') FROM vmnet.network_active_instances(8001) WHERE instance_type = 'User'), 'vm1', 'A1b: and of these, what CloudStack''s page would list');
SELECT is_empty('SELECT FROM vmnet.network_active_instances(8003) UNION ALL SELECT FROM vmnet.network_active_instances(8004)', 'A1: nobody is on a removed network, nor on an empty one');
SELECT is((SELECT count(*) FROM published.nics WHERE ip4_address IN ('10.1.2.2', '10.1.2.3', '10.1.1.5')), 0::bigint, 'A2: an address of a removed NIC belongs to nobody');
SELECT is((SELECT count(*) FROM published.nics WHERE ip4_address = '10.1.1.1'), 1::bigint, 'A2b: an address is not found in another that starts like it (LIKE finds 2)');
SELECT is((SELECT count(*) FROM published.nics WHERE instance_id = 9002), 1::bigint, 'A5: NICs of vm2: one live');
SELECT is((SELECT count(*) FROM published.all_nics WHERE instance_id = 9002), 3::bigint, 'A5: three with the removed ones');
SELECT results_eq('SELECT device_id, network_id, ip4_address FROM published.nics WHERE instance_id = 9002 ORDER BY device_id', 'VALUES (0, 8002::bigint, ''10.1.2.4''::inet)', 'A6: NICs of vm2 in the order of their devices, without the half-removed one');
SELECT results_eq('SELECT network_id, nic_id, device_id FROM vmnet.instance_active_networks(9002)', 'VALUES (8002::bigint, 4::bigint, 0)', 'A10: the network of vm2: that of its live NIC');
SELECT results_eq('SELECT DISTINCT ON (instance_id) instance_id, id FROM published.all_nics WHERE instance_id IN (9002, 9003) ORDER BY instance_id, active DESC, removed DESC NULLS FIRST, id DESC', 'VALUES (9002::bigint, 4::bigint), (9003, 9)', 'A10: one NIC each, a live one first');
SELECT results_eq('SELECT n.id FROM published.nics n LEFT JOIN published.instances i ON i.id = n.instance_id LEFT JOIN published.networks w ON w.id = n.network_id
	WHERE n.instance_id IS NOT NULL AND i.id IS NULL OR w.id IS NULL', 'VALUES (9::bigint)', 'A13: the live NIC of a removed instance');
SELECT is((SELECT count(*) FROM vmnet.network_active_nics(8002) WHERE nic_id = 9), 0::bigint, 'A13: which is on no list of its network');
SELECT is_empty('SELECT * FROM vmnet.instance_active_networks(9003)', 'A13: and a removed instance is on no network');
SELECT results_eq('SELECT id FROM published.all_nics WHERE removed IS NULL AND NOT active', 'VALUES (8::bigint)', 'A14: the half-removed NIC');
SELECT results_eq('SELECT network_name, used_ip4 FROM published.network_counts ORDER BY network_id', 'VALUES (''n1'', 3::bigint), (''n2'', 2), (''empty'', 0)', 'A15: addresses in use');
SELECT results_eq('SELECT instance_id, network_id FROM published.all_nics WHERE instance_id IS NOT NULL GROUP BY 1, 2 HAVING count(*) > 1', 'VALUES (9002::bigint, 8002::bigint)', 'A16: twice on one network, in history');
SELECT is_empty('SELECT FROM published.network_instances WHERE nic_count > 1', 'A16: and now: none');
SELECT results_eq('SELECT network_name, user_instances FROM published.network_counts ORDER BY network_id', 'VALUES (''n1'', 1::bigint), (''n2'', 1), (''empty'', 0)', 'A18: instances by network, zeros kept, the removed network left out');
SELECT results_eq('SELECT network_id, attached_nics, active_instances, running_instances, deallocating FROM published.network_counts ORDER BY network_id',
	'VALUES (8001::bigint, 2::bigint, 2::bigint, 2::bigint, 1::bigint), (8002, 1, 1, 0, 0), (8004, 0, 0, 0, 0)', 'A18: what is attached, active and running there');
SELECT results_eq('SELECT id, nics_count, vmnet.network_active_instance_count(id) FROM published.networks ORDER BY id', 'VALUES (8001::bigint, 0::bigint, 2::bigint), (8002, 1, 1), (8004, 0, 0)', 'A8: the counter of the source is kept beside the truth');

SELECT * FROM finish();
ROLLBACK;
