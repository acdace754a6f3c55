-- Addresses that a managed inventory gives: by rows of ip_addresses, by ranges, by
-- cidr; network_free_ips() and nic_add() agree, for whoever asks.
\i test/tap/setup.psql
\i test/tap/outcome.psql
SELECT plan(61);
SET LOCAL client_min_messages = error;
CREATE ROLE regress_ip_owner;
CREATE ROLE regress_ip_tenant;	-- an operator under policies
CREATE ROLE regress_ip_reader;	-- may only read, under policies
CREATE ROLE regress_ip_nobody;
DO $$ BEGIN EXECUTE format('GRANT CREATE ON DATABASE %I TO regress_ip_owner', current_database()); END $$;

SET LOCAL ROLE regress_ip_owner;
SELECT vmnet.create_inventory('Shop "1"') \g /dev/null
SELECT vmnet.grant_access('Shop "1"', 'regress_ip_tenant', 'operator') \g /dev/null
GRANT USAGE ON SCHEMA "Shop ""1""" TO regress_ip_reader, regress_ip_nobody;
GRANT SELECT ON ALL TABLES IN SCHEMA "Shop ""1""" TO regress_ip_reader;
SET LOCAL vmnet.inventory = 'Shop "1"';
SET LOCAL search_path = "Shop ""1""", public;
INSERT INTO networks (id, name, guest_type, cidr, gateway, network_cidr, all_cidrs, all_gateways) VALUES
	(1, 'rows', 'Shared', '10.1.0.0/24', '10.1.0.1', NULL, NULL, NULL),
	(2, 'ranges', 'Shared', '10.2.0.0/24', '10.2.0.1', NULL, NULL, NULL),
	(3, 'cidr', 'Isolated', '10.3.0.0/29', '10.3.0.1', NULL, NULL, NULL),
	(4, 'a part', 'Isolated', '10.4.0.0/30', '10.4.0.1', '10.4.0.0/24', NULL, NULL),
	(5, 'lists', 'Shared', '10.5.0.0/30', '10.5.0.1', NULL, '{10.5.0.0/30,10.5.1.0/31,10.5.1.1/32,fd00::/64}', '{10.5.0.1,fd00::1}'),
	(6, 'none', 'L2', NULL, NULL, NULL, NULL, NULL),
	(7, 'one', 'Isolated', '10.7.0.9/32', NULL, NULL, NULL, NULL),
	(8, 'large', 'Isolated', '0.0.0.0/0', '0.0.0.1', NULL, NULL, NULL),
	(9, 'removed', 'Shared', '10.9.0.0/24', NULL, NULL, NULL, NULL);
UPDATE all_networks SET removed = now() WHERE id = 9;
INSERT INTO ip_addresses (id, ip_address, state, source_network_id) VALUES
	(1, '10.1.0.10', 'Free', 1), (2, '10.1.0.9', NULL, 1), (3, '10.1.0.11', 'Allocated', 1), (4, '10.1.0.12', 'Free', 1), (5, '10.1.0.13', 'Free', 1),
	(6, '10.1.0.13', 'Free', 1), (7, '10.1.0.14', 'Free', 1), (8, '10.1.0.15', 'Free', 1), (9, 'fd01::9', 'Free', 1), (10, NULL, 'Free', 1), (11, '10.9.0.9', 'Free', 9);
UPDATE ip_addresses SET removed = now() WHERE id = 7;
INSERT INTO ip_ranges (id, network_id, range_start, range_end, gateway, netmask) VALUES
	(1, 2, '10.2.0.10', '10.2.0.12', '10.2.0.1', '255.255.255.0'), (2, 2, '10.2.8.20', '10.2.8.21', '10.2.8.20', '255.255.255.0'), (3, 2, '10.2.0.30', '10.2.0.40', NULL, NULL);
UPDATE ip_ranges SET removed = now() WHERE id = 3;
INSERT INTO instances (id, name, state, type) SELECT g, 'i' || g, 'Running', CASE WHEN g = 20 THEN 'DomainRouter' ELSE 'User' END FROM generate_series(1, 20) g;
RESET ROLE;
CREATE FUNCTION pg_temp.free(net_id bigint, n int DEFAULT 10) RETURNS text LANGUAGE sql
AS $$ SELECT coalesce(string_agg(host(f.ip_address), ' '), '') FROM vmnet.network_free_ips(net_id, n) f $$;

SELECT is(pg_temp.free(1), '10.1.0.9 10.1.0.10 10.1.0.12 10.1.0.13 10.1.0.15', 'rows that are Free, in order, each address once');
SELECT is(pg_temp.free(1, 2), '10.1.0.9 10.1.0.10', '... at most n');
SELECT is(pg_temp.free(2), '10.2.0.10 10.2.0.11 10.2.0.12 10.2.8.21', 'addresses of live ranges, without gateways');
SELECT is(pg_temp.free(2, 2), '10.2.0.10 10.2.0.11', '... at most n');
SELECT is(pg_temp.free(3), '10.3.0.2 10.3.0.3 10.3.0.4 10.3.0.5 10.3.0.6', 'addresses of the cidr, without network, broadcast and gateway');
SELECT is(pg_temp.free(4), '10.4.0.2', '... not of the rest of network_cidr');
SELECT is(pg_temp.free(5), '10.5.0.2 10.5.1.0 10.5.1.1', '... of all ranges of a list, each once');
SELECT is(pg_temp.free(6), '', 'a network without any has none');
SELECT is(pg_temp.free(7), '10.7.0.9', 'a range of one');
SELECT is(pg_temp.free(8, 3), '0.0.0.2 0.0.0.3 0.0.0.4', 'a range of any size');
SELECT is((SELECT count(*) FROM vmnet.network_free_ips(8, 65536)), 65536::bigint, '... and many of it');
SELECT is(pg_temp.free(9) || pg_temp.free(99) || pg_temp.free(NULL), '', 'none of a removed or unknown network');
SELECT is(pg_temp.outcome('SELECT * FROM vmnet.network_free_ips(1, -1)'), '22023', 'n cannot be negative');
SELECT is(pg_temp.outcome('SELECT * FROM vmnet.network_free_ips(1, NULL)'), '22023', '... nor NULL');

-- nic_add() and nic_set_ip() give the same
SELECT is(pg_temp.outcome(format('SELECT vmnet.nic_add(1, 1, %L)', a)), '23514 nic_ip_given', a || ' is not given') FROM unnest(ARRAY['10.1.0.11', '10.1.0.14', '10.1.0.20', 'fd01::8']) a WHERE family(a::inet) = 4;
SELECT is(pg_temp.outcome($$SELECT vmnet.nic_add(1, 1, ip6 => 'fd01::8')$$), '23514 nic_ip_given', 'nor is an IPv6 address where others have rows');
SELECT is(pg_temp.outcome($$SELECT vmnet.nic_add(1, 2, '10.2.0.13')$$), '23514 nic_ip_given', 'nor is one outside of the ranges');
SELECT is(pg_temp.outcome($$SELECT vmnet.nic_add(1, 2, '10.3.0.13')$$), '23514 nic_ip_in_cidr', '... or of the network');
SELECT is(pg_temp.outcome($$SELECT vmnet.nic_add(1, 2, '10.2.8.20')$$), '23514 nic_ip_reserved', 'nor is the gateway of a range');
SELECT is(pg_temp.outcome($$SELECT vmnet.nic_add(1, 4, '10.4.0.77')$$), 'accepted', 'the rest of network_cidr is given on request');
SELECT is(pg_temp.outcome($$SELECT vmnet.nic_add(20, 1, '10.1.0.1')$$), 'accepted', 'a router gets what it asks for');
SELECT is(pg_temp.outcome($$SELECT vmnet.nic_add(1, 5, '10.5.1.1')$$), 'accepted', 'an address of the second range of a list');
SELECT is(pg_temp.outcome($$SELECT vmnet.nic_add(6, 5, ip6 => 'fd00::7')$$), 'accepted', '... and an IPv6 one');
SELECT is(pg_temp.outcome($$SELECT vmnet.nic_add(7, 5, '10.5.0.3')$$), '23514 nic_ip_reserved', '... but no broadcast address');
SELECT lives_ok($$SELECT vmnet.nic_add(1, 1, (SELECT ip_address FROM vmnet.network_free_ips(1, 1)))$$, 'the next free address');
SELECT lives_ok($$SELECT vmnet.nic_add(2, 1, (SELECT ip_address FROM vmnet.network_free_ips(1, 1)))$$, 'and the next one');
SELECT lives_ok($$SELECT vmnet.nic_add(3, 2, '10.2.8.21')$$, 'an address of the second range');
SELECT results_eq('SELECT ip4_address, netmask, gateway FROM nics WHERE instance_id = 3', $$VALUES ('10.2.8.21'::inet, '255.255.255.0'::inet, '10.2.8.20'::inet)$$, '... with its netmask and gateway');
SELECT is(pg_temp.free(1), '10.1.0.12 10.1.0.13 10.1.0.15', 'addresses in use are not free');
INSERT INTO nic_secondary_ips (nic_id, network_id, ip4_address) SELECT id, 1, '10.1.0.13' FROM nics WHERE instance_id = 1 AND network_id = 1;
SELECT is(pg_temp.free(1), '10.1.0.12 10.1.0.15', '... nor are secondary ones');
SELECT lives_ok($$SELECT vmnet.nic_set_ip((SELECT id FROM nics WHERE instance_id = 2), '10.1.0.15')$$, 'a NIC gets another one');
SELECT is(pg_temp.outcome($$SELECT vmnet.nic_set_ip((SELECT id FROM nics WHERE instance_id = 2), '10.1.0.11')$$), '23514 nic_ip_given', '... that is given');
SELECT is(pg_temp.free(1), '10.1.0.10 10.1.0.12', 'its old one is free');
SELECT lives_ok($$SELECT vmnet.nic_remove((SELECT id FROM nics WHERE instance_id = 1 AND network_id = 1))$$, 'a NIC is removed');
SELECT is(pg_temp.free(1), '10.1.0.9 10.1.0.10 10.1.0.12 10.1.0.13', '... and its addresses are free');
SELECT results_eq('SELECT code FROM vmnet.check_inventory(min_age => ''0'')', ARRAY[]::text[], 'which is no contradiction');
SELECT lives_ok($$SELECT vmnet.create_report('Shop "1"', 'ip_report')$$, 'a report');
SELECT results_eq('SELECT network_id, usable, used, free, counted_by FROM ip_report.network_ip_usage WHERE network_id < 6 ORDER BY 1',
	$$VALUES (1::bigint, 6::bigint, 2::bigint, 4::bigint, 'addresses'), (2, 5, 1, 4, 'ranges'), (3, 6, 0, 6, 'cidr'), (4, 2, 0, 2, 'cidr'), (5, 4, 1, 3, 'cidr')$$, 'counts the same');

-- whoever may write is answered by all rows, everybody else by those that he sees
ALTER TABLE all_nics ENABLE ROW LEVEL SECURITY;
ALTER TABLE all_ip_addresses ENABLE ROW LEVEL SECURITY;
CREATE POLICY own ON all_nics USING (instance_id <> 2) WITH CHECK (true);
CREATE POLICY own ON all_ip_addresses USING (id <> 4) WITH CHECK (true);
SET LOCAL ROLE regress_ip_tenant;
SELECT is((SELECT count(*) FROM all_nics WHERE instance_id = 2), 0::bigint, 'the tenant does not see a NIC');
SELECT is(pg_temp.free(1), '10.1.0.9 10.1.0.10 10.1.0.12 10.1.0.13', '... but may write, so its address is not free for him; a hidden row is');
SELECT is(pg_temp.outcome($$SELECT vmnet.nic_add(5, 1, '10.1.0.12')$$), 'accepted', '... and he can be given it');
SELECT is(pg_temp.outcome($$SELECT vmnet.nic_add(8, 1, '10.1.0.11')$$), '23514 nic_ip_given', '... but no other');
SET LOCAL ROLE regress_ip_reader;
SELECT is(pg_temp.free(1), '10.1.0.9 10.1.0.10 10.1.0.13 10.1.0.15', 'a reader is answered by what he sees');
SET LOCAL ROLE regress_ip_nobody;
SELECT is(pg_temp.outcome('SELECT * FROM vmnet.network_free_ips(1)'), '42501', 'who may not read is refused');
RESET ROLE;
ALTER TABLE all_ip_ranges OWNER TO CURRENT_USER;
SELECT is(pg_temp.outcome('SELECT * FROM vmnet.network_free_ips(1)'), '42501 inventory_owner', 'a table of another owner is not read');
ALTER TABLE all_ip_ranges OWNER TO regress_ip_owner;

-- rules of the tables
SELECT is(pg_temp.outcome($$INSERT INTO ip_addresses (ip_address) VALUES ('10.0.0.1/24')$$), '23514 ip_address_valid', 'an address has no prefix length');
SELECT is(pg_temp.outcome($$INSERT INTO ip_ranges (range_start, range_end) VALUES ('10.0.0.2', '10.0.0.1')$$), '23514 ip_range_valid', 'a range is not empty');
SELECT is(pg_temp.outcome('DELETE FROM ip_addresses'), '23001 no_hard_delete', 'addresses are not deleted');
SELECT is(pg_temp.outcome('DELETE FROM ip_ranges'), '23001 no_hard_delete', '... nor are ranges');
SELECT is(pg_temp.outcome('TRUNCATE all_ip_addresses'), '23001 no_hard_delete', '... nor truncated');
CALL vmnet.purge_inventory('Shop "1"', clock_timestamp());
SELECT results_eq('SELECT count(*), count(removed) FROM all_ip_addresses UNION ALL SELECT count(*), count(removed) FROM all_ip_ranges',
	'VALUES (10::bigint, 0::bigint), (2, 0)', 'a purge deletes removed ones');

-- an attached inventory has none, and is answered by cidr
CREATE SCHEMA mine;
SET LOCAL search_path = mine, public;
CREATE TABLE subnets (id bigserial PRIMARY KEY, cidr cidr, removed timestamptz);
CREATE TABLE servers (id bigserial PRIMARY KEY, removed timestamptz);
CREATE TABLE ports (id bigserial PRIMARY KEY, network_id bigint NOT NULL REFERENCES subnets, instance_id bigint REFERENCES servers, ip4_address inet, removed timestamptz);
INSERT INTO subnets (cidr) VALUES ('10.0.0.0/29');
INSERT INTO servers DEFAULT VALUES;
INSERT INTO ports (network_id, instance_id, ip4_address) VALUES (1, 1, '10.0.0.2');
SELECT FROM vmnet.attach_inventory('theirs', 'mine.ports', 'mine.subnets', 'mine.servers') \g /dev/null
SELECT is((SELECT string_agg(host(ip_address), ' ') FROM vmnet.network_free_ips(1, inventory => 'theirs')), '10.0.0.1 10.0.0.3 10.0.0.4 10.0.0.5 10.0.0.6', 'an attached inventory');
SELECT is((SELECT count(*) FROM theirs.ip_ranges) + (SELECT count(*) FROM theirs.ip_addresses), 0::bigint, '... has no ranges and addresses');

-- a mirror that becomes managed keeps them
CREATE SCHEMA source;
SET LOCAL search_path = source, public;
CREATE TABLE networks (id bigint, name text, state text, traffic_type text, guest_type text, cidr text, created text, removed text);
INSERT INTO networks VALUES (1, 'shared', 'Setup', 'Guest', 'Shared', '10.1.0.0/24', '2025-01-01', NULL);
CREATE TABLE vm_instance (id bigint, name text, state text, type text, created text, removed text);
INSERT INTO vm_instance VALUES (1, 'a', 'Running', 'User', '2025-01-01', NULL);
CREATE TABLE nics (id bigint, instance_id bigint, network_id bigint, state text, strategy text, vm_type text, device_id int, default_nic int, ip4_address text, created text, removed text);
INSERT INTO nics VALUES (1, 1, 1, 'Reserved', 'Start', 'User', 0, 1, '10.1.0.5', '2025-01-01', NULL);
CREATE TABLE nic_secondary_ips (id bigint, "nicId" bigint, network_id bigint, ip4_address text, created text);
INSERT INTO nic_secondary_ips VALUES (1, 1, 1, '10.1.0.6', '2025-01-01');
CREATE TABLE user_ip_address (id bigint, public_ip_address text, state text, source_network_id bigint, network_id bigint, vlan_db_id bigint, source_nat int, one_to_one_nat int, allocated text, removed text);
INSERT INTO user_ip_address VALUES (1, '10.1.0.5', 'Allocated', 1, 1, 1, 0, 0, '2025-01-01', NULL), (2, '10.1.0.6', 'Allocated', 1, 1, 1, 0, 0, '2025-01-01', NULL),
	(3, '10.1.0.7', 'Allocated', 1, 1, 1, 0, 0, '2025-01-01', NULL), (4, '10.1.0.8', 'Free', 1, NULL, 1, 0, 0, NULL, NULL), (5, '10.1.0.9', 'Allocated', 1, 1, 1, 1, 0, '2025-01-01', NULL);
CREATE TABLE vlan (id bigint, description text, network_id bigint, vlan_gateway text, vlan_netmask text, vlan_type text);
INSERT INTO vlan VALUES (1, '10.1.0.5-10.1.0.9', 1, '10.1.0.1', '255.255.255.0', 'DirectAttached');
CALL vmnet.import_cloudstack('source', 'kept');
SELECT is((SELECT string_agg(host(ip_address), ' ') FROM vmnet.network_free_ips(1, inventory => 'kept')), '10.1.0.8', 'of a mirror what its source says');
SELECT vmnet.manage_inventory('kept') \g /dev/null
SELECT results_eq('SELECT id, state FROM kept.ip_addresses ORDER BY id', $$VALUES (1::bigint, 'Free'), (2, 'Free'), (3, 'Allocated'), (4, 'Free'), (5, 'Allocated')$$, 'addresses that NICs have wait for their end');
SELECT is((SELECT string_agg(host(ip_address), ' ') FROM vmnet.network_free_ips(1, inventory => 'kept')), '10.1.0.8', '... and are not free yet');
SELECT vmnet.nic_remove(1, inventory => 'kept') \g /dev/null
SELECT is((SELECT string_agg(host(ip_address), ' ') FROM vmnet.network_free_ips(1, inventory => 'kept')), '10.1.0.5 10.1.0.6 10.1.0.8', '... but without the NIC');
SELECT is((SELECT count(*) FROM vmnet.check_inventory('kept', '0')), 0::bigint, 'nothing is missing, and nothing contradicts itself');
INSERT INTO kept.ip_addresses (ip_address, source_network_id) VALUES ('10.1.0.4', 1);
SELECT is((SELECT max(id) FROM kept.ip_addresses), 6::bigint, 'its sequences go on');

SELECT * FROM finish();
ROLLBACK;
