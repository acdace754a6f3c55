-- The original bug in the act: what the API of CloudStack 4.19.1.2 would list on the
-- sample dump (listing_4_19_1_2.tsv), and what it would list with the correction that
-- was made there (listing_upstream_fix.tsv), as answers of listVirtualMachines.
SET client_min_messages = warning;
\i test/include/load_dump.psql
SET client_min_messages = warning;
CALL vmnet.import_cloudstack('cloudstack', 'cloud');
SELECT vmnet.enable_reality('cloud');
INSERT INTO cloud.observers (name, kind) VALUES ('api', 'cloudstack');
-- one NIC for each network on which an instance is listed
CREATE FUNCTION answer(listing regclass) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	result text;
BEGIN
	EXECUTE format($q$SELECT jsonb_build_object('listvirtualmachinesresponse', jsonb_build_object('count', count(*), 'virtualmachine', jsonb_agg(m)))
		FROM (SELECT jsonb_build_object('id', i.uuid, 'name', i.name, 'nic', jsonb_agg(jsonb_build_object('id', n.uuid, 'networkid', w.uuid,
				'macaddress', n.mac_address, 'ipaddress', host(n.ip4_address)) ORDER BY w.id)) AS m
			FROM %s l
				JOIN cloud.all_instances i ON i.id = l.instance_id
				JOIN cloud.all_networks w ON w.id = l.network_id
				CROSS JOIN LATERAL (SELECT * FROM cloud.all_nics n WHERE n.network_id = w.id AND n.instance_id = i.id ORDER BY n.active DESC, n.id DESC LIMIT 1) n
			GROUP BY i.id, i.uuid, i.name) a$q$, listing) INTO result;
	RETURN result;
END
$$;
-- User instances that are active, by the expected answer
CREATE VIEW expected.active_users AS
SELECT a.* FROM expected.network_active_instances a JOIN cloud.all_instances i ON i.id = a.instance_id AND i.type = 'User';
CREATE VIEW listed AS SELECT DISTINCT network_id, instance_id FROM cloud.reality WHERE code = 'listed_but_not_on_network';

-- 4.19.1.2
SELECT seen > 0 AS seen, rejected FROM vmnet.observe('api', answer('expected.listing_4_19_1_2'), now() - interval '2 minutes', inventory => 'cloud');
SELECT code, severity, count(DISTINCT (network_id, instance_id)) FROM cloud.reality GROUP BY 1, 2 ORDER BY 1;
-- exactly the rows that differ
SELECT count(*) FROM (TABLE expected.listing_4_19_1_2 EXCEPT TABLE expected.active_users) d;
SELECT * FROM (TABLE expected.listing_4_19_1_2 EXCEPT TABLE expected.active_users EXCEPT TABLE listed) missing;
SELECT * FROM (TABLE listed EXCEPT (TABLE expected.listing_4_19_1_2 EXCEPT TABLE expected.active_users)) too_many;
SELECT network_id, evidence FROM cloud.reality WHERE network_id = 204 ORDER BY instance_id LIMIT 3;
SELECT code, severity, count(*) FROM vmnet.check_inventory('cloud', codes => '{listed_but_not_on_network}') GROUP BY 1, 2;
-- the next answer makes them errors
SELECT new, gone, rejected FROM vmnet.observe('api', answer('expected.listing_4_19_1_2'), now() - interval '1 minute', inventory => 'cloud');
SELECT code, severity, count(*) FROM vmnet.check_inventory('cloud', codes => '{listed_but_not_on_network}') GROUP BY 1, 2;

-- with the correction, the half-removed ones are still listed
SELECT gone > 0 AS gone, rejected FROM vmnet.observe('api', answer('expected.listing_upstream_fix'), now(), inventory => 'cloud');
SELECT code, severity, count(DISTINCT (network_id, instance_id)) FROM cloud.reality GROUP BY 1, 2 ORDER BY 1;
SELECT * FROM (TABLE expected.listing_upstream_fix EXCEPT TABLE expected.active_users EXCEPT TABLE listed) missing;
SELECT * FROM (TABLE listed EXCEPT (TABLE expected.listing_upstream_fix EXCEPT TABLE expected.active_users)) too_many;
SELECT count(*), count(*) FILTER (WHERE n.removed IS NULL AND NOT n.active) AS half_removed, count(*) FILTER (WHERE r.evidence ~ 'is half-removed$') AS say_so
FROM cloud.reality r LEFT JOIN cloud.all_nics n ON n.id = r.nic_id;

-- after the upgrade, what is right is listed, and one that is not
SELECT rejected FROM vmnet.observe('api', answer('expected.active_users'), now() + interval '1 minute', inventory => 'cloud');
SELECT count(*) FROM cloud.reality;
CREATE TABLE expected.one_missing AS SELECT * FROM expected.active_users;
DELETE FROM expected.one_missing WHERE (network_id, instance_id) = (SELECT network_id, instance_id FROM expected.active_users ORDER BY 1, 2 LIMIT 1);
SELECT gone, rejected FROM vmnet.observe('api', answer('expected.one_missing'), now() + interval '2 minutes', inventory => 'cloud');
SELECT code, network_id = w AS network, instance_id = i AS instance FROM cloud.reality, (SELECT network_id, instance_id FROM expected.active_users ORDER BY 1, 2 LIMIT 1) e (w, i);
DROP SCHEMA cloud, cloudstack, expected CASCADE;
DROP FUNCTION answer(regclass);
