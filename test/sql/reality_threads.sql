-- Public threads in which the database said one thing and hypervisors, switches and
-- leases another, each by its number: the rows of reality, the codes of
-- check_inventory(), inventory_status().
SET client_min_messages = warning;
SELECT vmnet.create_inventory('cloud');
SELECT vmnet.enable_reality('cloud');
SET TimeZone = 'UTC';
-- what a thread shows, without ages
CREATE TEMP VIEW shown AS SELECT code, severity, network_id AS network, nic_id AS nic, mac_address AS mac, observer, evidence FROM cloud.reality ORDER BY code, mac_address, observer;
CREATE TEMP VIEW found AS SELECT code, severity, object, accepted FROM vmnet.check_inventory('cloud') ORDER BY code, object;
-- a picture as CSV, taken at a time before now
CREATE FUNCTION see(observer text, ago interval, VARIADIC lines text[]) RETURNS text LANGUAGE sql AS $$
	SELECT format('%s seen, %s new, %s gone, %s rejected', o.seen, o.new, o.gone, o.rejected)
	FROM vmnet.observe(observer, E'mac,ip,segment,domain,host\n' || array_to_string(lines, E'\n') || E'\n', now() - ago) o
$$;
INSERT INTO cloud.observers (name, kind, host, sees_domains) VALUES ('libvirt-kvm1', 'csv', 'kvm1', true), ('arp-kvm1', 'csv', 'kvm1', false);
INSERT INTO cloud.observers (name, kind, host) VALUES ('router', 'leases', 'r1');
INSERT INTO cloud.networks (id, name) VALUES (204, 'app'), (205, 'db');
INSERT INTO cloud.segments (host, segment, network_id) VALUES ('kvm1', 'br204', 204), (NULL, 'br205', 205);
INSERT INTO cloud.instances (id, name, state) SELECT g, 'vm' || g, 'Running' FROM generate_series(1, 9) g;
-- created an hour ago, and removed half an hour ago
CREATE FUNCTION nic(id bigint, instance_id bigint, network_id bigint, ip inet, gone boolean) RETURNS void LANGUAGE sql AS $$
	INSERT INTO cloud.nics (id, instance_id, network_id, mac_address, ip4_address, created) VALUES (id, instance_id, network_id, ('02:00:00:00:00:' || lpad(id::text, 2, '0'))::macaddr, ip, now() - interval '1 hour');
	UPDATE cloud.all_nics n SET state = 'Deallocating', removed = now() - interval '30 minutes' WHERE gone AND n.id = $1;
$$;

\set ECHO all
-- CloudStack #14206: the domain still runs on the host, its record is gone, and
-- another instance has been given its address
BEGIN;
SELECT nic(1, 1, 204, '10.1.1.5', true), nic(2, 2, 204, '10.1.1.5', false);
SELECT see('libvirt-kvm1', '4 minutes', '02:00:00:00:00:01,,br204,i-2-1-VM,', '02:00:00:00:00:02,,br204,i-2-2-VM,');
SELECT * FROM shown;
SELECT vmnet.inventory_status('cloud');
-- it was seen again, and is an error now
SELECT see('libvirt-kvm1', '1 minute', '02:00:00:00:00:01,,br204,i-2-1-VM,', '02:00:00:00:00:02,,br204,i-2-2-VM,');
SELECT * FROM shown;
SELECT * FROM found;
SELECT vmnet.inventory_status('cloud');
-- accepted by its MAC address, and by who sees it
SELECT vmnet.accept_finding('observed_but_removed', '02:00:00:00:00:01', NULL, 'it is being ended', 'libvirt-kvm1', 'cloud');
SELECT vmnet.accept_finding('address_given_again', '02:00:00:00:00:01', NULL, 'it is being ended', NULL, 'cloud');
SELECT * FROM found;
SELECT vmnet.inventory_status('cloud');
SELECT vmnet.withdraw_acceptance('observed_but_removed', '02:00:00:00:00:01', 'libvirt-kvm1', 'cloud');
SELECT vmnet.inventory_status('cloud');
-- what is older than the interval is no error
UPDATE cloud.observers SET every = '30 seconds' WHERE name = 'libvirt-kvm1';
SELECT code, severity, fresh FROM cloud.reality ORDER BY code;
SELECT vmnet.inventory_status('cloud');
ROLLBACK;

-- CloudStack #14177: the garbage collection trusts a counter and frees the VLAN of a
-- network whose instances run
BEGIN;
SELECT nic(1, 1, 204, '10.1.1.5', true), nic(2, 2, 204, '10.1.1.6', true);
UPDATE cloud.networks SET removed = now() WHERE id = 204;
SELECT see('libvirt-kvm1', m * interval '1 minute', '02:00:00:00:00:01,,br204,i-2-1-VM,', '02:00:00:00:00:02,,br204,i-2-2-VM,') FROM unnest('{4,1}'::int[]) m;
SELECT * FROM shown;
SELECT * FROM found;
SELECT vmnet.inventory_status('cloud');
ROLLBACK;

-- CloudStack #8967: addresses that are free answer ARP
BEGIN;
SELECT see('arp-kvm1', m * interval '1 minute', '52:54:00:00:00:07,10.1.1.7,br204,,', '52:54:00:00:00:08,10.1.1.8,br204,,') FROM unnest('{4,1}'::int[]) m;
SELECT * FROM shown;
SELECT * FROM found;
SELECT vmnet.inventory_status('cloud');
ROLLBACK;

-- CloudStack #10436: the router keeps the lease of an instance that is gone
BEGIN;
SELECT nic(1, 1, 204, '10.1.1.5', true), nic(2, 2, 204, '10.1.1.6', false);
SELECT seen, rejected FROM unnest('{4,1}'::int[]) m, vmnet.observe('router', E'0 02:00:00:00:00:01 10.1.1.5 vm1 *\n0 02:00:00:00:00:02 10.1.1.6 vm2 *\n', now() - m * interval '1 minute');
SELECT * FROM shown;
SELECT * FROM found;
SELECT vmnet.inventory_status('cloud');
ROLLBACK;

-- OpenNebula #7975: a zombie domain holds the address and the MAC address that were
-- given to another one, on another network than that one's
BEGIN;
SELECT nic(1, 1, 204, '10.1.1.5', true), nic(3, 3, 205, '10.2.1.5', false);
UPDATE cloud.nics SET mac_address = '02:00:00:00:00:01' WHERE id = 3;
SELECT see('libvirt-kvm1', m * interval '1 minute', '02:00:00:00:00:01,,br204,one-1,', '02:00:00:00:00:01,,br205,one-3,') FROM unnest('{4,1}'::int[]) m;
SELECT see('arp-kvm1', m * interval '1 minute', '02:00:00:00:00:01,10.2.1.5,br205,,', '52:54:00:00:00:09,10.2.1.5,br205,,') FROM unnest('{4,1}'::int[]) m;
SELECT * FROM shown;
SELECT * FROM found;
SELECT vmnet.inventory_status('cloud');
ROLLBACK;

-- atmosphere #3893: most ports of a switch are orphans; and the other way round,
-- instances that no host has
BEGIN;
DELETE FROM cloud.observers WHERE name = 'router';
UPDATE cloud.observers SET every = '1 minute';
SELECT nic(g, 1, 204, NULL, true) FROM generate_series(11, 14) g;
SELECT nic(15, 5, 205, NULL, false), nic(16, 6, 205, NULL, false);
-- pictures after the NICs were made
SELECT see('libvirt-kvm1', m * interval '1 minute', '02:00:00:00:00:11,,br204,,', '02:00:00:00:00:12,,br204,,', '02:00:00:00:00:13,,br204,,', '02:00:00:00:00:14,,br204,,', '02:00:00:00:00:15,,br205,,') FROM unnest('{-1,-3}'::int[]) m;
-- the other observer has sent none, so that nothing is said to be unseen
SELECT code, severity, count(*) FROM shown GROUP BY 1, 2 ORDER BY 1;
SELECT see('arp-kvm1', m * interval '1 minute', VARIADIC '{}') FROM unnest('{-1,-3}'::int[]) m;
SELECT * FROM shown;
SELECT network_id, active_instances, seen_instances, differences, errors, agree, differing_instances FROM cloud.network_reality ORDER BY 1;
SELECT * FROM found;
SELECT vmnet.inventory_status('cloud');
ROLLBACK;

-- An observer that has been silent for long is an error; its facts are none.
BEGIN;
SELECT nic(1, 1, 204, '10.1.1.5', true);
SELECT see('libvirt-kvm1', m * interval '1 minute', '02:00:00:00:00:01,,br204,i-2-1-VM,') FROM unnest('{25,20}'::int[]) m;
SELECT code, severity, fresh, evidence FROM cloud.reality ORDER BY code;
SELECT * FROM found;
SELECT vmnet.accept_finding('observer_silent', 'observer libvirt-kvm1', NULL, 'the host is being replaced', NULL, 'cloud');
SELECT vmnet.inventory_status('cloud');
ROLLBACK;
DROP SCHEMA cloud CASCADE;
DROP FUNCTION see(text, interval, text[]), nic(bigint, bigint, bigint, inet, boolean);
