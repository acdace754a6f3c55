-- Ranges and addresses of networks, and names of hosts, of a CloudStack source.
SET client_min_messages = warning;
SET TimeZone = 'UTC';
SET DateStyle = 'ISO';
\i test/include/load_dump.psql
\i test/include/load_addresses.psql
\set VERBOSITY terse

--
-- The sample dump: what is free is what user_ip_address says, on every network that
-- has rows there.
--
CALL vmnet.import_cloudstack('cloudstack', 'm');
SELECT vmnet.attach_cloudstack('live', 'cloudstack');
CREATE VIEW dump AS
SELECT source_network_id::bigint AS network_id, public_ip_address::inet AS ip_address, rtrim(state) AS state
FROM cloudstack.user_ip_address WHERE removed IS NULL;
SELECT network_id, count(*), count(*) FILTER (WHERE state = 'Free') AS free FROM dump GROUP BY 1 ORDER BY 1;
(SELECT network_id, ip_address FROM dump WHERE state = 'Free'
	EXCEPT SELECT n.id, f.ip_address FROM m.networks n, vmnet.network_free_ips(n.id, 65536, 'm') f)
UNION ALL
(SELECT n.id, f.ip_address FROM m.networks n, vmnet.network_free_ips(n.id, 65536, 'm') f
	WHERE n.guest_type = 'Shared' OR n.traffic_type = 'Public' EXCEPT SELECT network_id, ip_address FROM dump WHERE state = 'Free');
-- a live inventory says the same
SELECT n.id, count(*) AS differing FROM m.networks n, LATERAL (
	(SELECT * FROM vmnet.network_free_ips(n.id, 1000, 'm') EXCEPT SELECT * FROM vmnet.network_free_ips(n.id, 1000, 'live'))
	UNION ALL (SELECT * FROM vmnet.network_free_ips(n.id, 1000, 'live') EXCEPT SELECT * FROM vmnet.network_free_ips(n.id, 1000, 'm'))) d
GROUP BY 1;
SELECT * FROM m.all_ip_addresses EXCEPT SELECT * FROM live.all_ip_addresses;
SELECT * FROM m.ip_addresses EXCEPT SELECT * FROM live.ip_addresses;
-- the report counts the same
SELECT vmnet.create_report('m'), vmnet.create_report('live');
SELECT u.network_id, u.usable, u.used, u.free, round(u.percent::numeric, 1) AS percent, u.outside_cidr, u.counted_by
FROM m_report.network_ip_usage u WHERE u.counted_by IS DISTINCT FROM 'cidr' ORDER BY 1;
SELECT u.network_id, u.free, d.free AS of_dump FROM m_report.network_ip_usage u
	JOIN (SELECT network_id, count(*) FILTER (WHERE state = 'Free') AS free FROM dump GROUP BY 1) d USING (network_id)
WHERE u.free <> d.free OR u.counted_by <> 'addresses';
SELECT * FROM m_report.network_ip_usage EXCEPT SELECT * FROM live_report.network_ip_usage;
-- by the cidr the gateway, which no NIC has while there is no router, is not free
SELECT count(*) FROM m_report.network_ip_usage u
WHERE u.counted_by = 'cidr' AND u.free < 60000 AND u.free - (SELECT count(*) FROM vmnet.network_free_ips(u.network_id, 65536, 'm')) NOT IN (0, 1);
-- findings of addresses: none in the dump
SELECT code, message FROM vmnet.check_inventory('m', '0') WHERE object_type = 'address';
SELECT code, message FROM vmnet.check_inventory('live', '0') WHERE object_type = 'address';

--
-- Planted faults of addresses.
--
CREATE TEMP TABLE planted AS
SELECT min(a.id::bigint) FILTER (WHERE a.state = 'Free') AS free, min(a.id::bigint) FILTER (WHERE a.state = 'Allocated') AS held
FROM cloudstack.user_ip_address a WHERE a.source_network_id = '204';
-- the row of an address that a NIC has becomes Free; that of a free one Allocated, once
-- long ago, once as static NAT, once just now
UPDATE cloudstack.user_ip_address SET state = 'Free' WHERE id::bigint = (SELECT held FROM planted);
UPDATE cloudstack.user_ip_address SET state = 'Allocated', allocated = '2025-02-01 00:00:00' WHERE id::bigint = (SELECT free FROM planted);
UPDATE cloudstack.user_ip_address SET state = 'Allocated', allocated = '2025-02-01 00:00:00', one_to_one_nat = '1'
WHERE id::bigint = (SELECT min(id::bigint) FROM cloudstack.user_ip_address WHERE source_network_id = '204' AND state = 'Free' AND id::bigint > (SELECT held FROM planted));
UPDATE cloudstack.user_ip_address SET state = 'Allocated', allocated = to_char(now() AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI:SS')
WHERE id::bigint = (SELECT max(id::bigint) FROM cloudstack.user_ip_address WHERE source_network_id = '204' AND state = 'Free');
-- rows of a network that is removed
UPDATE cloudstack.networks SET removed = '2025-03-01 00:00:00' WHERE id = '222';
CALL vmnet.import_cloudstack('cloudstack', 'm');
SELECT code, severity, object_type, since, split_part(message, ';', 1) AS message, fix FROM vmnet.check_inventory('m') WHERE object_type = 'address' AND code <> 'ip_of_removed_network' ORDER BY 1;
SELECT count(*), min(severity), min(since), min(split_part(message, ';', 1)) AS message FROM vmnet.check_inventory('m') WHERE code = 'ip_of_removed_network';
SELECT code, object_id, message FROM vmnet.check_inventory('m') WHERE object_type = 'address'
EXCEPT SELECT code, object_id, message FROM vmnet.check_inventory('live') WHERE object_type = 'address';
SELECT host(a.ip_address) AS given_though_held FROM m.ip_addresses a JOIN vmnet.network_free_ips(204, 100, 'm') f ON f.ip_address = a.ip_address
WHERE a.id = (SELECT held FROM planted);
-- where a source hides a column or a table of which it depends, nothing is found
BEGIN;
ALTER TABLE cloudstack.user_ip_address DROP COLUMN one_to_one_nat CASCADE;
CALL vmnet.import_cloudstack('cloudstack', 'm_nat');
SELECT code, count(*) FROM vmnet.check_inventory('m_nat') WHERE code = 'ip_held_by_nothing' GROUP BY 1;
ALTER TABLE cloudstack.user_ip_address DROP COLUMN state CASCADE;
CALL vmnet.import_cloudstack('cloudstack', 'm_state');
SELECT code, count(*) FROM vmnet.check_inventory('m_state') WHERE object_type = 'address' GROUP BY 1;
SELECT DISTINCT state FROM m_state.ip_addresses;
ROLLBACK;
BEGIN;
DROP TABLE cloudstack.nic_secondary_ips CASCADE;
CALL vmnet.import_cloudstack('cloudstack', 'm_secondary');
SELECT code, count(*) FROM vmnet.check_inventory('m_secondary') WHERE code = 'ip_held_by_nothing' GROUP BY 1;
ROLLBACK;

--
-- Rows that the source has no more are kept as removed, and come back.
--
DELETE FROM cloudstack.user_ip_address WHERE id::bigint IN (SELECT free FROM planted);
CALL vmnet.import_cloudstack('cloudstack', 'm');
SELECT state, removed IS NOT NULL AS removed, (SELECT count(*) FROM m.ip_addresses v WHERE v.id = a.id) AS live,
	(SELECT count(*) FROM m.import_vanished v WHERE v.relation = 'ip_addresses' AND v.id = a.id) AS vanished
FROM m.all_ip_addresses a WHERE id IN (SELECT free FROM planted);
INSERT INTO cloudstack.user_ip_address SELECT free::text, NULL, '1', '1', '172.24.0.2', '1', '0', NULL, '11', '0', NULL, 'Free', '1', '204' FROM planted;
CALL vmnet.import_cloudstack('cloudstack', 'm');
SELECT state, removed, uuid, active, (SELECT count(*) FROM m.import_vanished v WHERE v.relation = 'ip_addresses' AND v.id = a.id) AS vanished
FROM m.all_ip_addresses a WHERE id IN (SELECT free FROM planted);
-- nobody else writes
INSERT INTO m.ip_addresses (ip_address) VALUES ('10.0.0.1');
UPDATE m.all_ip_ranges SET type = 'x';
DELETE FROM m.ip_addresses WHERE id = 1;
TRUNCATE m.all_ip_ranges;
INSERT INTO live.ip_ranges (id) VALUES (1);

--
-- Lists of ranges, as of CloudStack 4.21, ranges of table vlan, and hosts.
--
CREATE SCHEMA "Planted 4.21";
SET search_path = "Planted 4.21";
CREATE TABLE networks (id bigint, uuid text, name text, state text, traffic_type text, guest_type text, cidr text, gateway text, ip6_cidr text, ip6_gateway text, network_cidr text, created text, removed text);
INSERT INTO networks VALUES
(1, NULL, 'two and one', 'Setup', 'Guest', 'Shared', '10.1.0.0/24,10.2.0.0/30', '10.1.0.1, 10.2.0.1', 'fd00:1::/64', 'fd00:1::1', NULL, '2025-01-01', NULL),
(2, NULL, 'a bad part', 'Setup', 'Guest', 'Shared', '10.3.0.0/24,oops,10.4.0.9/24', 'nothing', 'fd00:2::/64,fd00:3::/64', 'fd00:2::1,fd00:3::1', NULL, '2025-01-01', NULL),
(3, NULL, 'first part bad', 'Setup', 'Guest', 'Shared', 'oops,10.5.0.0/24', '10.5.0.1', '', NULL, NULL, '2025-01-01', NULL),
(4, NULL, 'a second subnet in vlan', 'Setup', 'Guest', 'Shared', '10.6.0.0/24', '10.6.0.1', NULL, NULL, NULL, '2025-01-01', NULL),
(5, NULL, 'reserved part', 'Setup', 'Guest', 'Isolated', '10.8.0.0/25', '10.8.0.1', NULL, NULL, '10.8.0.0/24', '2025-01-01', NULL),
(6, NULL, NULL, 'Setup', 'Guest', 'L2', NULL, NULL, NULL, NULL, NULL, '2025-01-01', NULL);
CREATE TABLE vm_instance (id bigint, uuid text, name text, state text, type text, host_id bigint, created text, removed text);
INSERT INTO vm_instance VALUES (1, NULL, 'a', 'Running', 'User', 7, '2025-01-01', NULL), (2, NULL, 'b', 'Stopped', 'User', NULL, '2025-01-01', NULL), (3, NULL, 'c', 'Running', 'User', 8, '2025-01-01', NULL);
CREATE TABLE host (id bigint, name text);
INSERT INTO host VALUES (7, 'kvm-7');
CREATE TABLE nics (id bigint, uuid text, instance_id bigint, network_id bigint, state text, vm_type text, strategy text, device_id int, default_nic int, ip4_address text, ip6_address text, created text, removed text);
INSERT INTO nics VALUES
(1, NULL, 1, 1, 'Reserved', 'User', 'Start', 0, 1, '10.2.0.2', 'fd00:1::5', '2025-01-01', NULL),
(2, NULL, 2, 1, 'Reserved', 'User', 'Start', 0, 1, '10.9.0.2', NULL, '2025-01-01', NULL),
(3, NULL, 1, 2, 'Reserved', 'User', 'Start', 1, 0, '10.4.0.7', NULL, '2025-01-01', NULL),
(4, NULL, 1, 4, 'Reserved', 'User', 'Start', 2, 0, '10.7.0.12', NULL, '2025-01-01', NULL),
(5, NULL, 2, 4, 'Reserved', 'User', 'Start', 1, 0, '10.7.1.12', NULL, '2025-01-01', NULL),
(6, NULL, 2, 5, 'Reserved', 'User', 'Start', 2, 0, '10.8.0.200', NULL, '2025-01-01', NULL);
CREATE TABLE vlan (id bigint, uuid text, vlan_gateway text, vlan_netmask text, description text, vlan_type text, network_id bigint, ip6_gateway text, ip6_cidr text, ip6_range text, removed text, created text);
INSERT INTO vlan VALUES
(1, '00000000-0000-0000-0000-000000000001', '10.6.0.1', '255.255.255.0', '10.6.0.10-10.6.0.19', 'DirectAttached', 4, NULL, NULL, NULL, NULL, '2025-01-01'),
(2, NULL, '10.7.0.1', '255.255.255.0', '10.7.0.10-10.7.0.12', 'DirectAttached', 4, NULL, NULL, NULL, NULL, '2025-01-01'),
(3, NULL, NULL, NULL, NULL, 'DirectAttached', 4, 'fd00:4::1', 'fd00:4::/64', 'fd00:4::10-fd00:4::20', NULL, NULL),
(4, NULL, '10.6.0.1', '255.255.255.0', '10.6.0.100', 'DirectAttached', 4, NULL, NULL, NULL, '2025-02-01', '2025-01-01'),
(5, NULL, '10.10.0.1', '255.255.255.0', '10.10.0.5-', 'VirtualNetwork', 99, NULL, NULL, NULL, NULL, '2025-01-01'),
(6, NULL, 'x', NULL, 'y-z', NULL, NULL, NULL, NULL, NULL, '0000-00-00 00:00:00', '2025-01-01');
RESET search_path;
CALL vmnet.import_cloudstack('Planted 4.21', 'lists');
SELECT id, cidr, gateway, ip6_cidr, ip6_gateway, all_cidrs, all_gateways FROM lists.networks ORDER BY id;
SELECT id, network_id, range_start, range_end, gateway, netmask, ip6_cidr, ip6_gateway, type, created, removed, active FROM lists.all_ip_ranges ORDER BY id;
SELECT "table", id, "column", original, action, reason FROM lists.import_log ORDER BY entry;
SELECT id, host_id, host_name FROM lists.instances ORDER BY id;
SELECT vmnet.attach_cloudstack('lists live', 'Planted 4.21');
SELECT * FROM lists.all_networks EXCEPT SELECT * FROM "lists live".all_networks;
SELECT * FROM lists.all_ip_ranges EXCEPT SELECT * FROM "lists live".all_ip_ranges;
SELECT * FROM lists.all_instances EXCEPT SELECT * FROM "lists live".all_instances;
-- an address in any of the ranges is right
SELECT code, object_id, split_part(message, ';', 1) AS message FROM vmnet.check_inventory('lists') WHERE code = 'ip_outside_cidr';
SELECT code, object_id, split_part(message, ';', 1) AS message FROM vmnet.check_inventory('lists live') WHERE code = 'ip_outside_cidr';
-- usable, used and free by ranges, and by lists
SELECT vmnet.create_report('lists');
SELECT network_id, usable, used, free, outside_cidr, addresses, ip6_usable, ip6_used, counted_by FROM lists_report.network_ip_usage ORDER BY 1;
SELECT network_id, all_cidrs, all_gateways FROM lists_report.networks ORDER BY 1;
SELECT instance_id, host_name FROM lists_report.instances ORDER BY 1;
SELECT n.id, ARRAY(SELECT f.ip_address FROM vmnet.network_free_ips(n.id, 4, 'lists') f) AS first,
	(SELECT count(*) FROM vmnet.network_free_ips(n.id, 65536, 'lists') f) AS free FROM lists.networks n ORDER BY 1;
SELECT * FROM vmnet.network_free_ips(5, 3, 'lists live');
SELECT * FROM vmnet.network_free_ips(99, 3, 'lists');
SELECT * FROM vmnet.network_free_ips(NULL, 3, 'lists');
SELECT * FROM vmnet.network_free_ips(1, 0, 'lists');
SELECT * FROM vmnet.network_free_ips(1, -1, 'lists');
SELECT * FROM vmnet.network_free_ips(1, 65537, 'lists');
SELECT * FROM vmnet.network_free_ips(1, NULL, 'lists');
SELECT * FROM vmnet.network_free_ips(1, 1, 'nowhere');
-- the next run finds nothing new
CALL vmnet.import_cloudstack('Planted 4.21', 'lists');
SELECT rows_inserted, rows_updated, rows_deleted, ip_ranges_read, ip_addresses_read FROM lists.import_runs ORDER BY run;

--
-- Sources without these tables, or with fewer columns.
--
CREATE SCHEMA old;
CREATE TABLE old.networks AS SELECT id, name, state, created, removed, cidr FROM "Planted 4.21".networks WHERE id > 3;
CREATE TABLE old.vm_instance AS SELECT id, name, state, created, removed FROM "Planted 4.21".vm_instance;
CREATE TABLE old.nics AS SELECT id, instance_id, network_id, state, created, removed FROM "Planted 4.21".nics WHERE network_id > 3;
CALL vmnet.import_cloudstack('old', 'm_old');
SELECT (SELECT count(*) FROM m_old.all_ip_ranges) AS ranges, (SELECT count(*) FROM m_old.all_ip_addresses) AS addresses,
	(SELECT count(*) FROM m_old.instances WHERE host_name IS NOT NULL) AS hosts, (SELECT count(all_gateways) FROM m_old.networks) AS gateways;
SELECT id, cidr, all_cidrs FROM m_old.networks ORDER BY id;
SELECT vmnet.attach_cloudstack('live_old', 'old');
SELECT * FROM live_old.ip_ranges, live_old.ip_addresses;
CREATE TABLE old.vlan (id bigint);
CREATE TABLE old.user_ip_address (id bigint, public_ip_address text, source_network_id bigint);
INSERT INTO old.vlan VALUES (1);
INSERT INTO old.user_ip_address VALUES (1, '10.6.0.7 ', 4), (2, 'none', 4);
CALL vmnet.import_cloudstack('old', 'm_old');
SELECT * FROM m_old.ip_ranges;
SELECT * FROM m_old.ip_addresses ORDER BY id;
SELECT vmnet.attach_cloudstack('live_few', 'old');
SELECT * FROM live_few.all_ip_ranges;
SELECT * FROM live_few.all_ip_addresses ORDER BY id;
SELECT code, message FROM vmnet.check_inventory('m_old') WHERE object_type IN ('address', 'inventory');
SELECT code, message FROM vmnet.check_inventory('live_few') WHERE object_type IN ('address', 'inventory');
-- tables that a source had before: their rows are removed
DROP TABLE old.vlan, old.user_ip_address CASCADE;
CALL vmnet.import_cloudstack('old', 'm_old');
SELECT 'range', count(*), count(removed) FROM m_old.all_ip_ranges UNION ALL SELECT 'address', count(*), count(removed) FROM m_old.all_ip_addresses;
-- purged after a time, or deleted at once
CALL vmnet.purge_inventory('m_old', now());
SELECT 'range', count(*), count(removed) FROM m_old.all_ip_ranges UNION ALL SELECT 'address', count(*), count(removed) FROM m_old.all_ip_addresses;
SELECT * FROM m_old.import_vanished;
CALL vmnet.import_cloudstack('Planted 4.21', 'm_old', force => true);
DELETE FROM "Planted 4.21".vlan WHERE id > 2;
CALL vmnet.import_cloudstack('Planted 4.21', 'm_old', on_vanish => 'delete');
SELECT id, removed FROM m_old.all_ip_ranges ORDER BY id;

DROP SCHEMA cloudstack, expected, m, live, m_report, live_report, "Planted 4.21", lists, "lists live", lists_report, old, m_old, live_old, live_few CASCADE;
