-- Every address of the sample dump has its holder: what ip_holders() and the
-- report say is compared with CloudStack's own rows; and what is wrong with
-- addresses there, when it is planted.
\set VERBOSITY terse
SET client_min_messages = warning;
\i test/include/load_dump.psql
\set ECHO none
CREATE TABLE cloudstack.nic_secondary_ips (id text, uuid text, "vmId" text, "nicId" text, ip4_address text, ip6_address text, network_id text, created text, account_id text, domain_id text);
\copy cloudstack.nic_secondary_ips FROM 'test/data/cloudstack-4.19/tables/nic_secondary_ips.tsv'
\set ECHO all
CALL vmnet.import_cloudstack('cloudstack', 'cloud');
SELECT vmnet.attach_cloudstack('live', 'cloudstack');
CREATE TABLE expected.held AS
WITH nic AS (SELECT * FROM cloudstack.nics WHERE removed IS NULL AND lower(coalesce(state, '')) <> 'deallocating')
SELECT 'nic' AS kind, id::bigint AS nic_id, network_id::bigint, a.a::inet AS address, mac_address::macaddr
FROM nic, LATERAL (VALUES (ip4_address), (ip6_address)) a (a) WHERE a.a <> ''
UNION ALL
SELECT 'secondary', s."nicId"::bigint, s.network_id::bigint, a.a::inet, n.mac_address::macaddr
FROM cloudstack.nic_secondary_ips s JOIN nic n ON n.id = s."nicId", LATERAL (VALUES (s.ip4_address), (s.ip6_address)) a (a) WHERE a.a <> '';
SELECT kind, count(*) FROM expected.held GROUP BY 1 ORDER BY 1;

-- each by its address, with its NIC, network and MAC address
SELECT e.kind, count(*) AS addresses, count(h.nic_id) AS held
FROM expected.held e
	LEFT JOIN LATERAL (SELECT h.* FROM vmnet.ip_holders(e.address, now(), now(), 'cloud') h
		WHERE (h.kind, h.nic_id, h.network_id) = (e.kind, e.nic_id, e.network_id) AND h.mac_address IS NOT DISTINCT FROM e.mac_address
			AND e.address IN (h.ip4_address, h.ip6_address) AND h.held_to IS NULL) h ON true
GROUP BY 1 ORDER BY 1;
-- and no other ones; the same where the source is read live
CREATE VIEW expected.holders AS
SELECT i.name AS inventory, h.kind, h.nic_id, h.network_id, a.a, h.mac_address
FROM (VALUES ('cloud'::name), ('live')) i (name), (VALUES ('0.0.0.0/0'::inet), ('::/0')) r (range),
	vmnet.ip_holders(r.range, now(), now(), i.name) h, LATERAL (VALUES (h.ip4_address), (h.ip6_address)) a (a)
WHERE family(a.a) = family(r.range);
SELECT inventory, count(*) FROM expected.holders GROUP BY 1 ORDER BY 1;
SELECT count(*) AS too_many FROM (TABLE expected.holders EXCEPT ALL SELECT i.name, e.* FROM expected.held e, (VALUES ('cloud'::name), ('live')) i (name)) d;
SELECT count(*) AS too_few FROM (SELECT i.name, e.* FROM expected.held e, (VALUES ('cloud'::name), ('live')) i (name) EXCEPT ALL TABLE expected.holders) d;
-- from when they were given on
SELECT count(*) AS secondary, count(*) FILTER (WHERE h.held_from = GREATEST(s.created, n.created)) AS from_then
FROM cloud.nic_secondary_ips s JOIN cloud.nics n ON n.id = s.nic_id, vmnet.ip_holders(s.ip4_address, inventory => 'cloud') h WHERE h.kind = 'secondary' AND h.nic_id = s.nic_id;
SELECT count(*) AS before FROM cloud.nic_secondary_ips s, vmnet.ip_holders(s.ip4_address, s.created - interval '1 second', s.created - interval '1 second', 'cloud') h
WHERE h.kind = 'secondary' AND h.nic_id = s.nic_id;

-- the report has them, with a key; and network_ip_usage counts them
SELECT vmnet.create_report('cloud');
SELECT vmnet.create_report('live');
SELECT count(*), count(DISTINCT key) AS keys, count(*) FILTER (WHERE key = concat(nic_id, '/', address)) AS made_of_both, count(secondary_ip_id) AS secondary FROM cloud_report.nic_addresses;
SELECT count(*) AS differences FROM (
	(SELECT kind, nic_id, network_id, address::inet, mac_address::macaddr FROM cloud_report.nic_addresses EXCEPT ALL TABLE expected.held)
	UNION ALL (TABLE expected.held EXCEPT ALL SELECT kind, nic_id, network_id, address::inet, mac_address::macaddr FROM cloud_report.nic_addresses)) d;
SELECT count(*) AS differences FROM ((TABLE cloud_report.nic_addresses EXCEPT ALL TABLE live_report.nic_addresses) UNION ALL (TABLE live_report.nic_addresses EXCEPT ALL TABLE cloud_report.nic_addresses)) d;
SELECT count(*) AS networks, count(*) FILTER (WHERE u.addresses + u.ip6_addresses = coalesce(a.addresses, 0)) AS counted
FROM cloud_report.network_ip_usage u LEFT JOIN (SELECT network_id, count(DISTINCT address) AS addresses FROM cloud_report.nic_addresses GROUP BY 1) a USING (network_id);
-- as has the explanation of a NIC
SELECT value, verdict, explanation FROM vmnet.nic_explain((SELECT nic_id FROM cloud.nic_secondary_ips GROUP BY 1 ORDER BY count(*) DESC, 1 LIMIT 1), 'cloud') WHERE rule = 'the NIC holds its addresses';

--
-- Nothing is wrong with secondary addresses here, until it is
--
SELECT code, message FROM vmnet.check_inventory('cloud') WHERE code = 'duplicate_secondary_ip' OR message LIKE '%secondary%';
CREATE TABLE expected.planted AS SELECT row_number() OVER (ORDER BY s.id) AS ord, s.id::text, s.nic_id, n.id AS other, host(n.ip4_address) AS address
FROM cloud.nic_secondary_ips s JOIN LATERAL (SELECT * FROM cloud.nics n WHERE n.network_id = s.network_id AND n.id <> s.nic_id AND n.ip4_address IS NOT NULL AND n.vm_type = 'User' ORDER BY n.id LIMIT 1) n ON true
ORDER BY s.id LIMIT 4;
UPDATE cloudstack.nic_secondary_ips s SET ip4_address = p.address FROM expected.planted p WHERE p.id = s.id AND ord = 1;	-- another NIC's own
UPDATE cloudstack.nic_secondary_ips s SET ip4_address = n.ip4_address FROM expected.planted p JOIN cloudstack.nics n ON n.id = p.nic_id::text WHERE p.id = s.id AND ord = 2;	-- its own
UPDATE cloudstack.nic_secondary_ips s SET ip4_address = '192.0.2.9' FROM expected.planted p WHERE p.id = s.id AND ord = 3;	-- outside
INSERT INTO cloudstack.nic_secondary_ips (id, "nicId", network_id, ip4_address, created)
SELECT '9000', p.other, s.network_id, s.ip4_address, s.created FROM expected.planted p JOIN cloudstack.nic_secondary_ips s ON s.id = p.id WHERE ord = 4;	-- twice
CALL vmnet.import_cloudstack('cloudstack', 'cloud');
\pset format unaligned
SELECT code, severity, object_type, object_id, message, fix FROM vmnet.check_inventory('cloud') WHERE code = 'duplicate_secondary_ip' OR message LIKE '%secondary%';
\pset format aligned
SELECT (SELECT count(*) FROM vmnet.check_inventory('live') WHERE code = 'duplicate_secondary_ip') AS live, (SELECT findings FROM (SELECT value AS findings FROM cloud_report.metrics_findings WHERE code = 'duplicate_secondary_ip' AND name = 'vmnet_findings_open') m) AS metric;
-- one row for what is there twice
SELECT count(*) - count(DISTINCT key) AS doubles FROM cloud_report.nic_addresses;
-- a NIC that is not live has no address that another one could not have
SELECT count(*) FILTER (WHERE code = 'duplicate_secondary_ip') FROM vmnet.check_inventory('cloud');
UPDATE cloudstack.nics SET state = 'Deallocating' WHERE id = (SELECT nic_id::text FROM expected.planted WHERE ord = 1);
CALL vmnet.import_cloudstack('cloudstack', 'cloud');
SELECT count(*) FILTER (WHERE code = 'duplicate_secondary_ip') FROM vmnet.check_inventory('cloud');
UPDATE cloudstack.nics SET state = 'Reserved' WHERE id = (SELECT nic_id::text FROM expected.planted WHERE ord = 1);
-- removeIpFromNic deletes the row at the source, and nothing is left
DROP SCHEMA live, live_report CASCADE;
DELETE FROM cloudstack.nic_secondary_ips WHERE id = '9000' OR id IN (SELECT id FROM expected.planted WHERE ord <= 3);
CALL vmnet.import_cloudstack('cloudstack', 'cloud');
SELECT code, message FROM vmnet.check_inventory('cloud') WHERE code = 'duplicate_secondary_ip' OR message LIKE '%secondary%';
-- and the mirror remembers who had them: what was given out twice was not deleted from the past
SELECT count(*) AS held_then FROM expected.planted p, vmnet.ip_holders(p.address::inet, inventory => 'cloud') h WHERE p.ord = 1 AND h.nic_id = p.nic_id AND h.kind = 'secondary' AND h.held_to IS NOT NULL;

DROP SCHEMA cloud, cloud_report, cloudstack, expected CASCADE;
