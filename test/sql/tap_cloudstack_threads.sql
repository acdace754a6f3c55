-- Threads of CloudStack's users and developers, each by its number: a source as it
-- has it, and the answer that its reader needs.
\i test/tap/setup.psql

SELECT plan(47);
SET LOCAL TimeZone = 'UTC';
SET LOCAL DateStyle = 'ISO';

-- A source: network 1 is Shared, network 2 Isolated, network 9 Public; instances 1
-- to 4 of users, 5 and 6 routers.
CREATE SCHEMA cs;
CREATE TABLE cs.networks (id bigint, uuid text, name text, state text, traffic_type text, guest_type text, cidr text, network_cidr text, gateway text, created timestamp, removed timestamp);
CREATE TABLE cs.vm_instance (id bigint, uuid text, name text, state text, type text, created timestamp, removed timestamp);
CREATE TABLE cs.nics (id bigint, uuid text, instance_id bigint, network_id bigint, state text, strategy text, vm_type text, device_id int, default_nic int, mac_address text, ip4_address text, created timestamp, removed timestamp, ip6_address text);
CREATE TABLE cs.nic_secondary_ips (id bigint, uuid text, "nicId" bigint, ip4_address text, ip6_address text, network_id bigint, created timestamp);
CREATE TABLE cs.vlan (id bigint, uuid text, network_id bigint, description text, vlan_gateway text, vlan_netmask text, vlan_type text, ip6_cidr text, ip6_gateway text, ip6_range text, created timestamp, removed timestamp);
CREATE TABLE cs.user_ip_address (id bigint, uuid text, public_ip_address text, state text, source_network_id bigint, network_id bigint, vlan_db_id bigint, vm_id bigint, source_nat int, one_to_one_nat int, allocated timestamp, created timestamp, removed timestamp);
CREATE FUNCTION pg_temp.begin_anew() RETURNS void LANGUAGE plpgsql AS $$
BEGIN
	SET LOCAL client_min_messages = warning;
	DROP SCHEMA IF EXISTS cloud CASCADE;
	TRUNCATE cs.networks, cs.vm_instance, cs.nics, cs.nic_secondary_ips, cs.vlan, cs.user_ip_address;
	INSERT INTO cs.networks VALUES (1, '00000000-0000-4000-8000-000000000101', 'shared', 'Setup', 'Guest', 'Shared', '10.0.1.0/24', NULL, '10.0.1.1', '2025-01-01'),
		(2, '00000000-0000-4000-8000-000000000102', 'isolated', 'Implemented', 'Guest', 'Isolated', '10.1.1.0/24', NULL, '10.1.1.1', '2025-01-01'),
		(9, '00000000-0000-4000-8000-000000000109', 'public', 'Setup', 'Public', NULL, NULL, NULL, NULL, '2025-01-01');
	INSERT INTO cs.vm_instance SELECT g, '00000000-0000-4000-8000-00000000020' || g, 'vm' || g, 'Running', 'User', timestamp '2025-01-01' FROM generate_series(1, 4) g
		UNION ALL SELECT g, '00000000-0000-4000-8000-00000000020' || g, 'r-' || g || '-VM', 'Running', 'DomainRouter', timestamp '2025-01-01' FROM generate_series(5, 6) g;
END $$;
-- a NIC of an instance on a network, with the last parts of its addresses
CREATE FUNCTION pg_temp.nic(id bigint, instance_id bigint, network_id bigint, ip text, mac text DEFAULT NULL) RETURNS void LANGUAGE sql AS $$
	INSERT INTO cs.nics SELECT $1, '00000000-0000-4000-8000-000000000' || 300 + $1, $2, $3, 'Reserved', CASE $3 WHEN 2 THEN 'Start' ELSE 'Create' END, i.type,
		(SELECT count(*) FROM cs.nics n WHERE n.instance_id = i.id AND n.removed IS NULL), ((SELECT count(*) FROM cs.nics n WHERE n.instance_id = i.id AND n.removed IS NULL) = 0)::int,
		'02:00:00:00:00:' || coalesce($5, lpad($1::text, 2, '0')), CASE $3 WHEN 1 THEN '10.0.1.' WHEN 2 THEN '10.1.1.' ELSE '203.0.113.' END || $4, timestamp '2025-01-01'
	FROM cs.vm_instance i WHERE i.id = $2
$$;
-- addresses of a range of network 1, Free
CREATE FUNCTION pg_temp.addresses(from_id int, to_id int) RETURNS void LANGUAGE sql AS $$
	INSERT INTO cs.vlan VALUES (1, NULL, 1, '10.0.1.' || from_id || '-10.0.1.' || to_id, '10.0.1.1', '255.255.255.0', 'DirectAttached');
	INSERT INTO cs.user_ip_address SELECT g, NULL, '10.0.1.' || g, 'Free', 1, 1, 1, NULL, 0, 0, NULL, '2025-01-01' FROM generate_series(from_id, to_id) g
$$;
CREATE FUNCTION pg_temp.free() RETURNS text LANGUAGE sql AS $$
	SELECT coalesce(string_agg(host(ip_address), ' ' ORDER BY ip_address), 'none') FROM vmnet.network_free_ips(1, 10, 'cloud')
$$;
CREATE PROCEDURE pg_temp.poll() LANGUAGE plpgsql AS $$ BEGIN SET LOCAL client_min_messages = warning; CALL vmnet.import_cloudstack('cs', 'cloud'); END $$;
CREATE FUNCTION pg_temp.listed(net_id bigint) RETURNS text LANGUAGE sql AS $$
	SELECT coalesce(string_agg(instance_name, ' '), 'nobody') FROM vmnet.network_active_instances($1, inventory => 'cloud')
$$;
CREATE FUNCTION pg_temp.findings() RETURNS text LANGUAGE sql AS $$
	SELECT coalesce(string_agg(concat_ws(' ', code, object_type, object_id), ', ' ORDER BY code, object_id), 'none') FROM vmnet.check_inventory('cloud') WHERE severity <> 'info'
$$;
-- who has an address: instance, MAC address, and whether it still has it
CREATE FUNCTION pg_temp.holders(address inet) RETURNS text LANGUAGE sql AS $$
	SELECT coalesce(string_agg(concat_ws(' ', instance_name, right(mac_address::text, 2), CASE WHEN held_to IS NULL THEN 'now' ELSE 'before' END), ', ' ORDER BY held_to NULLS LAST, nic_id), 'nobody')
	FROM vmnet.ip_holders($1, inventory => 'cloud')
$$;

-- 1188: the gateway, which the router has, is the broadcast address of the network
SELECT pg_temp.begin_anew(), pg_temp.nic(5, 5, 2, '255'), pg_temp.nic(1, 1, 2, '1'), pg_temp.nic(2, 2, 2, '11') \g /dev/null
UPDATE cs.networks SET gateway = '10.1.1.255' WHERE id = 2;
CALL pg_temp.poll();
SELECT is((SELECT string_agg(concat_ws(' ', code, object_type, object_id), ', ' ORDER BY code) FROM vmnet.check_inventory('cloud') WHERE object_id = 5), 'router_ip_broadcast nic 5',
	'CloudStack pull request 1188: a router with the broadcast address of its network is found');
UPDATE cs.networks SET gateway = '10.1.1.1' WHERE id = 2;
CALL pg_temp.poll();
SELECT is((SELECT string_agg(concat_ws(' ', code, object_type, object_id), ', ' ORDER BY code) FROM vmnet.check_inventory('cloud') WHERE object_id < 5), 'user_ip_reserved nic 1',
	'CloudStack pull request 1188: so is an instance with that of the gateway');

-- 4103: an instance is unmanaged, and its NICs are preserved, so that their MAC
-- addresses stay taken while it runs on elsewhere
SELECT pg_temp.begin_anew(), pg_temp.nic(1, 1, 1, '11'), pg_temp.nic(2, 2, 1, '12') \g /dev/null
UPDATE cs.vm_instance SET state = 'Expunging', removed = '2025-06-01' WHERE id = 1;
CALL pg_temp.poll();
SELECT is(pg_temp.listed(1), 'vm2', 'CloudStack pull request 4103: an instance that was unmanaged is not listed, though its NIC is preserved');
SELECT is((SELECT string_agg(concat_ws(' ', nic_id, instance_name, held_to), ', ') FROM vmnet.mac_holders('02:00:00:00:00:01', inventory => 'cloud')), '1 vm1',
	'CloudStack pull request 4103: its MAC address is still taken');
SELECT is((SELECT string_agg(concat_ws(' ', nic_id, instance_name, held_to), ', ') FROM vmnet.ip_holders('10.0.1.11', inventory => 'cloud')), '1 vm1',
	'CloudStack pull request 4103: and its address');

SELECT is((SELECT concat_ws(' ', code, severity, object_type, object_id, fix) FROM vmnet.check_inventory('cloud')), 'live_nic_on_removed_instance error nic 1',
	'CloudStack pull request 4103: nothing is proposed that would free them');

-- 4602: an instance is given to another account; the rows of its NICs are removed
-- without a release, and new ones have the same addresses in the same order
SELECT pg_temp.begin_anew(), pg_temp.nic(1, 1, 1, '11'), pg_temp.nic(2, 1, 2, '12') \g /dev/null
CALL pg_temp.poll();
UPDATE cs.nics SET removed = '2025-06-01';
INSERT INTO cs.nics SELECT id + 10, '00000000-0000-4000-8000-000000000' || 310 + id, instance_id, network_id, state, strategy, vm_type, device_id, default_nic, mac_address, ip4_address, timestamp '2025-06-01' FROM cs.nics;
CALL pg_temp.poll();
SELECT is((pg_temp.listed(1), pg_temp.listed(2))::text, '(vm1,vm1)', 'CloudStack pull request 4602: an instance that was moved is listed once on each network');
SELECT results_eq($$SELECT network_id, nic_id, device_id FROM vmnet.instance_active_networks(1, 'cloud') ORDER BY device_id$$, 'VALUES (1::bigint, 11::bigint, 0), (2, 12, 1)',
	'CloudStack pull request 4602: with its new NICs, in the order of the old ones');
SELECT is((SELECT string_agg(concat_ws(' ', nic_id, held_from::date, held_to::date), ', ' ORDER BY held_from) FROM vmnet.ip_holders('10.0.1.11', inventory => 'cloud')), '1 2025-01-01 2025-06-01, 11 2025-06-01',
	'CloudStack pull request 4602: who had the address is told without a gap');
SELECT is(pg_temp.findings(), 'removed_nic_wrong_state nic 1, removed_nic_wrong_state nic 2', 'CloudStack pull request 4602: that the old rows were not released is a warning, and no address is twice');

-- 5013: a Shared network with several subnets, which only table vlan tells
SELECT pg_temp.begin_anew(), pg_temp.nic(1, 1, 1, '11'), pg_temp.nic(2, 2, 1, '12') \g /dev/null
UPDATE cs.nics SET ip4_address = '10.2.1.31' WHERE id = 2;
CALL pg_temp.poll();
SELECT is(pg_temp.findings(), 'ip_outside_cidr nic 2', 'CloudStack pull request 5013: an address outside the range of a network is a warning');
INSERT INTO cs.vlan VALUES (1, NULL, 1, '10.0.1.10-10.0.1.99', '10.0.1.1', '255.255.255.0', 'DirectAttached'), (2, NULL, 1, '10.2.1.31-10.2.1.40', '10.2.1.1', '255.255.255.0', 'DirectAttached');
CALL pg_temp.poll();
SELECT is(pg_temp.findings(), 'none', 'CloudStack pull request 5013: in another subnet of it the address is right');

-- 6872: an address is not given, though the range looks free: none of the subnet that
-- the instance needs is left
SELECT pg_temp.begin_anew(), pg_temp.nic(1, 1, 1, '11'), pg_temp.addresses(11, 14) \g /dev/null
UPDATE cs.user_ip_address SET state = 'Allocated', allocated = '2025-01-01' WHERE id IN (11, 12, 13);
CALL pg_temp.poll();
SELECT is(pg_temp.free(), '10.0.1.14', 'CloudStack issue 6872: of a range of 254 addresses one can be given');

-- 7109: "Failed to fetch any free public IP address" with one that is free
SELECT pg_temp.begin_anew(), pg_temp.nic(1, 1, 1, '11'), pg_temp.addresses(11, 13) \g /dev/null
UPDATE cs.user_ip_address SET state = 'Allocated', allocated = CASE id WHEN 11 THEN timestamp '2025-01-01' END WHERE id < 13;
CALL pg_temp.poll();
SELECT is(pg_temp.findings(), 'ip_never_allocated address 12', 'CloudStack issue 7109: the address that is not free and allocated at no time is found');
SELECT is((SELECT message || ' ' || fix FROM vmnet.check_inventory('cloud') WHERE code = 'ip_never_allocated'),
	'address 10.0.1.12 of network 1 is Allocated, but was allocated at no time; to be mended at the source, cs UPDATE user_ip_address SET state = ''Free'' WHERE id = 12 AND state = ''Allocated'' AND allocated IS NULL;',
	'CloudStack issue 7109: with the statement that mends it');
SELECT is(pg_temp.free(), '10.0.1.13', 'CloudStack issue 7109: and it is not told to be free');

-- 7817: which addresses of a Shared network are free
SELECT pg_temp.begin_anew(), pg_temp.nic(1, 1, 1, '11'), pg_temp.nic(2, 2, 1, '13'), pg_temp.addresses(10, 15) \g /dev/null
UPDATE cs.user_ip_address SET state = 'Allocated', allocated = '2025-01-01' WHERE id IN (11, 13);
CALL pg_temp.poll();
SELECT is(pg_temp.free(), '10.0.1.10 10.0.1.12 10.0.1.14 10.0.1.15', 'CloudStack issue 7817: whoever may read the network sees them');
UPDATE cs.user_ip_address SET state = 'Free', allocated = NULL WHERE id = 13;
CALL pg_temp.poll();
SELECT is(pg_temp.free(), '10.0.1.10 10.0.1.12 10.0.1.14 10.0.1.15', 'CloudStack issue 7817: none that an instance has, whatever its row says');

-- 8158: the router ignores DHCP requests of an instance: a second one has its address
SELECT pg_temp.begin_anew(), pg_temp.nic(1, 1, 1, '11'), pg_temp.nic(2, 2, 1, '11') \g /dev/null
CALL pg_temp.poll();
SELECT is(pg_temp.findings(), 'duplicate_live_ip4 nic 1, duplicate_live_ip4 nic 2', 'CloudStack issue 8158: two instances with one address are an error');
SELECT is(pg_temp.holders('10.0.1.11'), 'vm1 01 now, vm2 02 now', 'CloudStack issue 8158: with the MAC addresses that the router sees');

-- 8967: an address that the database calls free answers; a router had it before
SELECT pg_temp.begin_anew(), pg_temp.nic(5, 5, 9, '30'), pg_temp.nic(6, 6, 9, '31') \g /dev/null
CALL pg_temp.poll();
UPDATE cs.nics SET ip4_address = '203.0.113.32' WHERE id = 5;
CALL pg_temp.poll();
SELECT is(pg_temp.holders('203.0.113.30'), 'r-5-VM 05 before', 'CloudStack issue 8967: who had a public address that is free is known, with the MAC address that still answers');
UPDATE cs.nics SET ip4_address = '203.0.113.30' WHERE id = 6;
CALL pg_temp.poll();
SELECT is(pg_temp.holders('203.0.113.30'), 'r-5-VM 05 before, r-6-VM 06 now', 'CloudStack issue 8967: where two MAC addresses answer, which is right and whose the other is');
SELECT is((SELECT string_agg(concat_ws(' ', instance_name, host(ip4_address), CASE WHEN held_to IS NULL THEN 'now' ELSE 'before' END), ', ' ORDER BY held_from, held_to)
	FROM vmnet.mac_holders('02:00:00:00:00:05', inventory => 'cloud')), 'r-5-VM 203.0.113.30 before, r-5-VM 203.0.113.32 now', 'CloudStack issue 8967: and where that one should be');

-- 8999: expunged instances are purged with their NICs
SELECT pg_temp.begin_anew(), pg_temp.nic(1, 1, 1, '11'), pg_temp.nic(2, 2, 1, '12') \g /dev/null
UPDATE cs.nics SET state = 'Deallocating', removed = '2025-06-01' WHERE id = 1;
UPDATE cs.vm_instance SET state = 'Expunging', removed = '2025-06-01' WHERE id = 1;
CALL pg_temp.poll();
CREATE TEMP TABLE told AS SELECT h.* FROM vmnet.ip_holders('10.0.1.0/24', inventory => 'cloud') h;
CREATE TEMP TABLE listed AS SELECT a.* FROM vmnet.network_instances_as_of(1, '2025-03-01', 'cloud') a;
DELETE FROM cs.nics WHERE id = 1;
DELETE FROM cs.vm_instance WHERE id = 1;
CALL pg_temp.poll();
SELECT set_eq($$SELECT * FROM vmnet.ip_holders('10.0.1.0/24', inventory => 'cloud')$$, 'TABLE told', 'CloudStack pull request 8999: who had an address is known after the purge');
SELECT set_eq($$SELECT * FROM vmnet.network_instances_as_of(1, '2025-03-01', 'cloud')$$, 'TABLE listed', 'CloudStack pull request 8999: and who was on a network');
SELECT is(pg_temp.listed(1), 'vm2', 'CloudStack pull request 8999: nobody who was purged is listed');
SELECT is(pg_temp.findings(), 'none', 'CloudStack pull request 8999: a purge is no finding');

-- 9275: the public address of a system VM is released by hand, and a router gets it
SELECT pg_temp.begin_anew(), pg_temp.nic(5, 5, 9, '30'), pg_temp.nic(6, 6, 9, '30') \g /dev/null
CALL pg_temp.poll();
SELECT is(pg_temp.holders('203.0.113.30'), 'r-5-VM 05 now, r-6-VM 06 now', 'CloudStack issue 9275: both who have a public address are told');

SELECT is(pg_temp.findings(), 'duplicate_system_ip nic 5, duplicate_system_ip nic 6', 'CloudStack issue 9275: which is an error');
UPDATE cs.nics SET mac_address = '02:00:00:00:00:05';
CALL pg_temp.poll();
SELECT is(pg_temp.findings(), 'none', 'CloudStack issue 9275: redundant routers share the MAC address, too');

-- 10436: the router keeps the lease of a NIC that is gone, and its successor gets no
-- address: "not using configured address because it is leased to"
SELECT pg_temp.begin_anew(), pg_temp.nic(1, 1, 1, '11', 'cf') \g /dev/null
CALL pg_temp.poll();
UPDATE cs.nics SET state = 'Deallocating', removed = '2025-06-01' WHERE id = 1;
SELECT pg_temp.nic(2, 2, 1, '11', 'ac') \g /dev/null
UPDATE cs.nics SET created = '2025-06-02' WHERE id = 2;
CALL pg_temp.poll();
SELECT is(pg_temp.holders('10.0.1.11'), 'vm1 cf before, vm2 ac now', 'CloudStack issue 10436: whose lease it is that the router keeps, and who waits for the address');
SELECT is((SELECT string_agg(concat_ws(' ', instance_name, host(ip4_address), held_to::date), ', ') FROM vmnet.mac_holders('02:00:00:00:00:cf', inventory => 'cloud')), 'vm1 10.0.1.11 2025-06-01',
	'CloudStack issue 10436: since when that MAC address is on no network');
SELECT is(pg_temp.findings(), 'none', 'CloudStack issue 10436: the database is right');

-- 10640: a NIC loses its address at a reboot
SELECT pg_temp.begin_anew(), pg_temp.nic(1, 1, 1, '11') \g /dev/null
CALL pg_temp.poll();
UPDATE cs.nics SET ip4_address = NULL WHERE id = 1;
CALL pg_temp.poll();
SELECT is(pg_temp.holders('10.0.1.11'), 'vm1 01 before', 'CloudStack issue 10640: which address a NIC had that has lost it');
SELECT is((SELECT h.held_to = r.started FROM vmnet.ip_holders('10.0.1.11', inventory => 'cloud') h, (SELECT max(started) AS started FROM cloud.import_runs) r), true, 'CloudStack issue 10640: and until when at the latest');
SELECT is((SELECT concat_ws(' ', code, object_type, object_id, right(split_part(message, ';', 2), 9)) FROM vmnet.check_inventory('cloud')), 'address_lost nic 1 10.0.1.11',
	'CloudStack issue 10640: it is found, with the address that it had');
SELECT is(pg_temp.listed(1), 'vm1', 'CloudStack issue 10640: it is still on its network');

-- 11249: from 4.21 on the ranges of a Shared network are a list in one column
SELECT pg_temp.begin_anew(), pg_temp.nic(1, 1, 1, '11'), pg_temp.nic(2, 2, 1, '12') \g /dev/null
UPDATE cs.networks SET cidr = '10.0.1.0/24,10.2.1.0/24', gateway = '10.0.1.1,10.2.1.1' WHERE id = 1;
UPDATE cs.nics SET ip4_address = '10.2.1.31' WHERE id = 2;
CALL pg_temp.poll();
SELECT is((SELECT concat_ws(' ', cidr, gateway) FROM cloud.networks WHERE id = 1), '10.0.1.0/24 10.0.1.1', 'CloudStack pull request 11249: the first of the list is the range, as before');
SELECT is(pg_temp.findings(), 'none', 'CloudStack pull request 11249: an address in any of them is right');
SELECT is((SELECT count(*) FROM cloud.import_log), 0::bigint, 'CloudStack pull request 11249: and no value is lost');

-- 12953: the virtual router has the address of the gateway, as an operator set it
SELECT pg_temp.begin_anew(), pg_temp.nic(5, 5, 1, '1'), pg_temp.nic(1, 1, 1, '11') \g /dev/null
CALL pg_temp.poll();
SELECT is(pg_temp.findings(), 'none', 'CloudStack issue 12953: a router with the address of the gateway is no finding');
SELECT is(pg_temp.holders('10.0.1.1'), 'r-5-VM 05 now', 'CloudStack issue 12953: and holds it');

-- 13128: a MAC address is twice since an operator imported an instance that way
SELECT pg_temp.begin_anew(), pg_temp.nic(1, 1, 1, '11', 'aa'), pg_temp.nic(2, 2, 1, '12', 'aa') \g /dev/null
CALL pg_temp.poll();
SELECT is(pg_temp.findings(), 'duplicate_live_mac nic 1, duplicate_live_mac nic 2', 'CloudStack pull request 13128: a MAC address that is twice is an error');
SELECT is((SELECT string_agg(instance_name, ' ' ORDER BY instance_id) FROM vmnet.mac_holders('02:00:00:00:00:aa', inventory => 'cloud') WHERE held_to IS NULL), 'vm1 vm2', 'CloudStack pull request 13128: with both who have it');
SELECT is(pg_temp.listed(1), 'vm1 vm2', 'CloudStack pull request 13128: both are on the network');

SELECT vmnet.accept_finding('duplicate_live_mac', 'nic ' || n, NULL, 'imported with allowduplicatemacaddresses', inventory => 'cloud') FROM generate_series(1, 2) n \g /dev/null
SELECT is(vmnet.inventory_status('cloud'), 0, 'CloudStack pull request 13128: accepted, it does not count any more');
CALL pg_temp.poll();
SELECT is((SELECT count(*) FROM vmnet.check_inventory('cloud') WHERE code = 'duplicate_live_mac' AND accepted), 2::bigint, 'CloudStack pull request 13128: stays visible, and accepted after the next poll');

SELECT * FROM finish();
ROLLBACK;
