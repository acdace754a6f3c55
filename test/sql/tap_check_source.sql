-- check_inventory() of a mirror and a live inventory of CloudStack: what it finds
-- that a managed inventory does not let in, and what it says to do at the source.
\i test/tap/setup.psql
SELECT plan(65);
SET LOCAL client_min_messages = warning;
SET LOCAL timezone = 'UTC';

CREATE SCHEMA "cloud Stack";
SET LOCAL search_path = "cloud Stack", public;
CREATE TABLE networks (id bigint PRIMARY KEY, name text, uuid text DEFAULT gen_random_uuid(), state text DEFAULT 'Implemented', traffic_type text DEFAULT 'Guest', guest_type text DEFAULT 'Isolated', cidr text, network_cidr text, gateway text, ip6_cidr text, data_center_id bigint, created timestamp DEFAULT '2025-01-01 00:00:00', removed timestamp);
CREATE TABLE op_networks (id bigint PRIMARY KEY, nics_count bigint);
CREATE TABLE vm_instance (id bigint PRIMARY KEY, uuid text DEFAULT gen_random_uuid(), name text, type text DEFAULT 'User', state text DEFAULT 'Running', created timestamp DEFAULT '2025-01-01 00:00:00', removed timestamp);
CREATE TABLE nics (id bigint PRIMARY KEY, uuid text DEFAULT gen_random_uuid(), instance_id bigint, network_id bigint, state text DEFAULT 'Reserved', strategy text DEFAULT 'Start', vm_type text DEFAULT 'User', device_id int DEFAULT 0, default_nic int DEFAULT 1, mac_address text, ip4_address text, ip6_address text, netmask text, gateway text, update_time timestamp, created timestamp DEFAULT '2025-01-01 00:00:00', removed timestamp);
CREATE TABLE nic_secondary_ips (id bigint PRIMARY KEY, uuid text, "nicId" bigint, network_id bigint, ip4_address text, ip6_address text, created timestamp);
RESET search_path;
SELECT vmnet.create_inventory('m', 'mirror') \g /dev/null

CREATE FUNCTION found(inventory name DEFAULT 'm', min_age interval DEFAULT '10 minutes') RETURNS SETOF text LANGUAGE sql AS $$
SELECT format('%s %s %s %s', f.severity, f.code, f.object_type, f.object_id) FROM vmnet.check_inventory($1, $2) f
$$;
-- what is written at the source, then imported
CREATE PROCEDURE planted(statement text DEFAULT NULL) LANGUAGE plpgsql AS $$
BEGIN
	IF statement IS NOT NULL THEN
		PERFORM set_config('search_path', '"cloud Stack", public', true);
		EXECUTE statement;
		PERFORM set_config('search_path', 'public', true);
	END IF;
	CALL vmnet.import_cloudstack('cloud Stack', 'm');
END $$;
-- what mends it there
CREATE FUNCTION fixes() RETURNS SETOF text LANGUAGE sql AS $$
SELECT concat_ws(' ', f.code, f.object_id, replace(replace(f.fix, coalesce(n.uuid::text, '?'), concat('nic ', n.id)), coalesce(i.uuid::text, '?'), concat('instance ', i.id)))
FROM vmnet.check_inventory('m') f
	LEFT JOIN m.all_nics n ON f.object_type = 'nic' AND n.id = f.object_id
	LEFT JOIN m.all_instances i ON i.id = coalesce(n.instance_id, CASE f.object_type WHEN 'instance' THEN f.object_id END)
$$;

--
-- What is sound: no finding
--
INSERT INTO "cloud Stack".networks (id, name, guest_type, traffic_type, cidr, network_cidr, gateway, ip6_cidr, state) VALUES
	(1, 'isolated', 'Isolated', 'Guest', '10.1.1.0/24', NULL, '10.1.1.1', NULL, 'Implemented'),
	(2, 'L2', 'L2', 'Guest', NULL, NULL, NULL, NULL, 'Implemented'),
	(3, 'public', NULL, 'Public', NULL, NULL, NULL, NULL, 'Setup'),
	(4, 'control', NULL, 'Control', NULL, NULL, NULL, NULL, 'Setup'),
	(5, 'part', 'Isolated', 'Guest', '10.2.0.0/25', '10.2.0.0/24', '10.2.0.1', NULL, 'Implemented'),
	(6, 'point to point', 'Shared', 'Guest', '10.3.0.0/31', NULL, NULL, NULL, 'Setup'),
	(7, 'two ranges', 'Shared', 'Guest', '10.4.0.0/24', NULL, '10.4.0.1', NULL, 'Setup'),
	(8, 'IPv6', 'Shared', 'Guest', NULL, NULL, NULL, 'fd00:8::/64', 'Setup'),
	(9, 'being made', 'Isolated', 'Guest', '10.9.0.0/24', NULL, NULL, NULL, 'Allocated');
INSERT INTO "cloud Stack".op_networks SELECT id, 0 FROM "cloud Stack".networks;
UPDATE "cloud Stack".op_networks SET nics_count = v.n FROM (VALUES (1, 2), (2, 2), (5, 1), (6, 2), (7, 1), (8, 1)) v (id, n) WHERE op_networks.id = v.id;
INSERT INTO "cloud Stack".vm_instance (id, type, state) VALUES
	(1, 'User', 'Running'), (2, 'User', 'Stopped'), (3, 'User', 'Running'), (4, 'User', 'Running'), (5, 'User', 'Running'), (6, 'User', 'Running'), (7, 'User', 'Running'),
	(8, 'User', 'Running'), (9, 'User', 'Starting'), (10, 'DomainRouter', 'Running'), (11, 'DomainRouter', 'Running'), (12, 'ConsoleProxy', 'Running'), (13, 'SecondaryStorageVm', 'Running'), (14, 'User', 'Error');
INSERT INTO "cloud Stack".nics (id, instance_id, network_id, vm_type, mac_address, ip4_address, netmask, gateway, state, default_nic, device_id) VALUES
	(1, 1, 1, 'User', '02:00:00:00:00:01', '10.1.1.10', '255.255.255.0', '10.1.1.1', 'Reserved', 1, 0),
	(2, 2, 1, 'User', '02:00:00:00:00:02', NULL, NULL, NULL, 'Allocated', 1, 0),
	(3, 3, 2, 'User', '02:00:00:00:00:03', NULL, NULL, NULL, 'Reserved', 1, 0),
	(4, 4, 5, 'User', '02:00:00:00:00:04', '10.2.0.127', '255.255.255.0', '10.2.0.1', 'Reserved', 1, 0),
	(5, 5, 6, 'User', '02:00:00:00:00:05', '10.3.0.0', '255.255.255.254', '10.3.0.1', 'Reserved', 1, 0),
	(6, 6, 6, 'User', '02:00:00:00:00:06', '10.3.0.1', '255.255.255.254', NULL, 'Reserved', 1, 0),
	-- the second subnet stands only in the NIC
	(7, 7, 7, 'User', '02:00:00:00:00:07', '10.4.0.63', '255.255.255.0', '10.4.0.1', 'Reserved', 1, 0),
	(8, 8, 8, 'User', '02:00:00:00:00:08', NULL, NULL, NULL, 'Reserved', 1, 0),
	(9, 9, 1, 'User', '02:00:00:00:00:09', NULL, NULL, NULL, 'Allocated', 1, 0),
	(10, 10, 3, 'DomainRouter', '02:00:00:00:00:10', '198.51.100.10', '255.255.255.0', '198.51.100.1', 'Reserved', 1, 0),
	(11, 11, 3, 'DomainRouter', '02:00:00:00:00:10', '198.51.100.10', '255.255.255.0', '198.51.100.1', 'Reserved', 1, 0),
	-- the gateway of the network is its router
	(12, 10, 1, 'DomainRouter', '02:00:00:00:00:12', '10.1.1.1', '255.255.255.0', '10.1.1.1', 'Reserved', 0, 1),
	(13, 12, 4, 'ConsoleProxy', '0e:00:a9:fe:00:0c', '169.254.0.12', '255.255.0.0', '169.254.0.1', 'Reserved', 1, 0),
	(14, 13, 4, 'SecondaryStorageVm', '0e:00:a9:fe:00:0d', '169.254.0.12', '255.255.0.0', '169.254.0.1', 'Reserved', 1, 0),
	(15, 3, 1, 'User', '02:00:00:00:00:15', '10.1.1.15', '255.255.255.0', '10.1.1.1', 'Reserved', 0, 1),
	(16, 1, 2, 'User', '02:00:00:00:00:16', NULL, NULL, NULL, 'Reserved', 0, 1);
UPDATE "cloud Stack".nics SET ip6_address = 'fd00:8::8' WHERE id = 8;
CALL planted();
SELECT is_empty($$SELECT found('m', '0')$$, 'what is sound is no finding');
SELECT is((SELECT source_kind FROM m.import_runs), 'cloudstack', 'the run says of which kind the source was');

--
-- Addresses that no NIC can have
--
SAVEPOINT sound;
CALL planted($$UPDATE nics SET ip4_address = '10.1.1.1' WHERE id = 1; UPDATE nics SET ip4_address = '10.1.1.0' WHERE id = 15; UPDATE nics SET ip4_address = '10.2.0.255' WHERE id = 4; UPDATE nics SET ip4_address = '10.4.0.1', netmask = NULL, gateway = NULL WHERE id = 7$$);
SELECT set_eq('SELECT found()', ARRAY['error user_ip_held_by_other nic 1', 'warning user_ip_reserved nic 1', 'warning user_ip_reserved nic 15', 'warning user_ip_reserved nic 4', 'warning user_ip_reserved nic 7'], 'user_ip_reserved: gateway, network address, broadcast address');
SELECT is((SELECT message FROM vmnet.check_inventory('m') WHERE code = 'user_ip_reserved' AND object_id = 4),
	'NIC 4 of instance 4 has address 10.2.0.255, which is the broadcast address of network 5; to be mended at the source, "cloud Stack"', 'says which, and where to mend it');
SELECT set_eq($$SELECT * FROM fixes() f WHERE f ~ 'reserved'$$, $$SELECT format('user_ip_reserved %s CloudStack API: updateVmNicIp nicid=nic %1$s', g) FROM unnest(ARRAY[1, 4, 7, 15]) g$$, 'with a call of its API');
ROLLBACK TO sound;
-- without a netmask of the NIC the range of the network tells, of an address in it
CALL planted($$UPDATE nics SET netmask = NULL, gateway = NULL; UPDATE networks SET gateway = NULL; UPDATE nics SET ip4_address = '10.1.1.255' WHERE id = 1; UPDATE nics SET ip4_address = '10.2.0.128' WHERE id = 4; UPDATE nics SET ip4_address = '10.4.1.255' WHERE id = 7$$);
SELECT set_eq('SELECT found()', ARRAY['warning user_ip_reserved nic 1', 'warning ip_outside_cidr nic 7'], 'by the range of the network, of which cidr is a part where there is a network_cidr');
ROLLBACK TO sound;
CALL planted($$UPDATE networks SET cidr = '10.4.0.0/24,10.44.0.0/24', gateway = '10.4.0.1,10.44.0.1' WHERE id = 7; UPDATE nics SET ip4_address = '10.44.0.1', gateway = NULL WHERE id = 7$$);
SELECT set_eq('SELECT found()', ARRAY['warning user_ip_reserved nic 7'], 'the gateway of any of its ranges');
ROLLBACK TO sound;
CALL planted($$UPDATE nics SET ip4_address = '10.1.1.255' WHERE id = 12$$);
SELECT set_eq('SELECT found()', ARRAY['warning router_ip_broadcast nic 12'], 'router_ip_broadcast');
SELECT matches((SELECT message FROM vmnet.check_inventory('m')), '^NIC 12 of router 10 has address 10.1.1.255, which is the broadcast address of network 1; at the source, "cloud Stack": a router gets its addresses anew', 'says which');
SELECT is((SELECT fix FROM vmnet.check_inventory('m')), NULL, 'no call is named');
CALL planted($$UPDATE nics SET ip4_address = '10.1.1.0' WHERE id = 12$$);
SELECT is_empty('SELECT found()', 'its other addresses are its own affair');
ROLLBACK TO sound;

--
-- Two system instances with one address
--
CALL planted($$UPDATE nics SET mac_address = '02:00:00:00:00:11' WHERE id = 11$$);
SELECT set_eq('SELECT found()', ARRAY['error duplicate_system_ip nic 10', 'error duplicate_system_ip nic 11'], 'duplicate_system_ip: with different MAC addresses');
SELECT matches((SELECT message FROM vmnet.check_inventory('m') WHERE object_id = 10), '^DomainRouter NIC 10 of instance 10 has address 198.51.100.10 on network 3, which NIC 11 has too, with another MAC address; at the source', 'says which');
SELECT is((SELECT count(fix) FROM vmnet.check_inventory('m')), 0::bigint, 'no statement and no call takes an address from a router');
CALL planted($$UPDATE nics SET removed = '2025-02-01', state = 'Deallocating' WHERE id = 11$$);
SELECT is_empty('SELECT found()', 'a removed one holds nothing');
CALL planted($$UPDATE nics SET removed = NULL, state = 'Reserved', instance_id = 10, default_nic = 0, device_id = 3 WHERE id = 11$$);
SELECT is_empty($$SELECT f FROM found() f WHERE f ~ 'duplicate_system_ip'$$, 'two NICs of one instance are no two instances');
ROLLBACK TO sound;

--
-- A NIC that lost its address
--
CALL planted($$UPDATE nics SET ip4_address = NULL WHERE id IN (1, 12); UPDATE nics SET ip6_address = NULL WHERE id = 8$$);
SELECT set_eq('SELECT found()', ARRAY['warning address_lost nic 1', 'warning address_lost nic 8'], 'address_lost: IPv4 and IPv6, of User NICs');
SELECT is((SELECT message FROM vmnet.check_inventory('m') WHERE object_id = 1), 'NIC 1 of instance 1, which is Running, has no address on network 1; before it had 10.1.1.10; to be mended at the source, "cloud Stack"', 'says what it had');
SELECT results_eq('SELECT * FROM fixes() ORDER BY 1', $$VALUES ('address_lost 1 CloudStack API: updateVmNicIp nicid=nic 1'), ('address_lost 8 CloudStack API: updateVmNicIp nicid=nic 8')$$, 'and the call that gives it one');
CALL planted($$UPDATE vm_instance SET state = 'Stopped' WHERE id = 1; UPDATE nics SET state = 'Allocated' WHERE id = 8; UPDATE op_networks SET nics_count = 0 WHERE id = 8$$);
SELECT is_empty('SELECT found()', 'not of an instance that does not run, nor before it is Reserved');
ROLLBACK TO sound;

--
-- Instances that are not expunged, networks that are not finished
--
CALL planted($$INSERT INTO vm_instance (id, type, state, created) VALUES (20, 'User', 'Expunging', '2025-03-01'), (21, 'DomainRouter', 'Error', '2025-03-02'), (22, 'ConsoleProxy', 'Expunging', now() AT TIME ZONE 'UTC'), (23, 'ConsoleProxy', 'Expunging', '2025-03-03'), (24, 'User', 'Expunging', '2025-03-04');
	INSERT INTO nics (id, instance_id, network_id, state, vm_type) VALUES (20, 20, 1, 'Allocated', 'User'), (21, 21, 1, 'Allocated', 'DomainRouter'), (22, 22, 3, 'Allocated', 'ConsoleProxy'), (23, 23, 3, 'Allocated', 'ConsoleProxy');
	INSERT INTO nics (id, instance_id, network_id, state, removed) VALUES (24, 24, 1, 'Deallocating', '2025-04-01')$$);
SELECT set_eq('SELECT found()', ARRAY['warning expunge_unfinished instance 20', 'warning expunge_unfinished instance 21', 'warning expunge_unfinished instance 23'], 'expunge_unfinished: at first sight since it was created');
SELECT set_eq($$SELECT * FROM fixes()$$, ARRAY['expunge_unfinished 20 CloudStack API: expungeVirtualMachine id=instance 20', 'expunge_unfinished 21 CloudStack API: destroyRouter id=instance 21', 'expunge_unfinished 23 CloudStack API: destroySystemVm id=instance 23'], 'with the call for its type');
SELECT results_eq($$SELECT since, message FROM vmnet.check_inventory('m') WHERE object_id = 20$$, $$VALUES ('2025-03-01 00:00:00+00'::timestamptz, 'instance 20 is Expunging and still holds NIC 20; the time is the earliest it can be; to be mended at the source, "cloud Stack"')$$, 'says since when');
ROLLBACK TO sound;
CALL planted($$UPDATE vm_instance SET state = 'Expunging' WHERE id IN (1, 2); UPDATE networks SET state = 'Implementing' WHERE id = 9$$);
SELECT is_empty('SELECT found()', 'one that an import saw a moment ago is too young');
SELECT set_eq($$SELECT found('m', '0')$$, ARRAY['warning expunge_unfinished instance 1', 'warning expunge_unfinished instance 2', 'warning network_stuck network 9'], 'and found with min_age 0');
SELECT is((SELECT since FROM vmnet.check_inventory('m', '0') WHERE object_id = 9), (SELECT max(started) FROM m.import_runs), 'since the run that saw it');
CALL planted($$UPDATE vm_instance SET name = 'renamed'$$);
UPDATE m.import_states SET since = now() - interval '10 minutes';
SELECT set_eq('SELECT found()', ARRAY['warning expunge_unfinished instance 1', 'warning expunge_unfinished instance 2', 'warning network_stuck network 9'], 'another run does not make it younger; after ten minutes it is old');
SELECT matches((SELECT string_agg(message, '; ' ORDER BY object_id) FROM vmnet.check_inventory('m') WHERE object_id IN (1, 9)),
	'^instance 1 is Expunging and still holds 2 NICs, from NIC 1 on; the time is the latest it can be.*network 9 is stuck in Implementing; the time is the latest it can be; at the source, "cloud Stack": no call of its API leads out of Implementing$', 'says since when at the latest');
CALL planted($$UPDATE vm_instance SET state = 'Stopped' WHERE id = 1; UPDATE networks SET state = 'Implemented' WHERE id = 9; DELETE FROM nics WHERE instance_id = 2; DELETE FROM vm_instance WHERE id = 2$$);
SELECT is_empty($$SELECT f FROM found('m', '0') f WHERE f !~ 'counter'$$, 'gone with the state');
SELECT is_empty('SELECT FROM m.import_states WHERE relation = ''instances'' AND id = 2', 'what the source has no more is forgotten');
ROLLBACK TO sound;
CALL planted($$INSERT INTO networks (id, state, created) VALUES (30, 'Implementing', '2025-03-03')$$);
SELECT set_eq('SELECT found()', ARRAY['warning network_stuck network 30'], 'network_stuck: at first sight since it was created');
CALL planted($$UPDATE networks SET removed = now() AT TIME ZONE 'UTC' WHERE id = 30$$);
SELECT is_empty('SELECT found()', 'a removed one is not stuck');
ROLLBACK TO sound;

--
-- NICs that were half-removed, or stuck, before the first import
--
SELECT vmnet.create_inventory('first', 'mirror') \g /dev/null
UPDATE "cloud Stack".nics SET state = 'Deallocating', update_time = '2025-02-02 00:00:00' WHERE id = 1;
UPDATE "cloud Stack".nics SET state = 'Releasing' WHERE id = 15;
UPDATE "cloud Stack".nics SET state = 'Reserving', created = now() AT TIME ZONE 'UTC' WHERE id = 9;
CALL vmnet.import_cloudstack('cloud Stack', 'first');
SELECT results_eq($$SELECT code, object_id, since FROM vmnet.check_inventory('first') WHERE object_type = 'nic' ORDER BY 2$$, $$VALUES ('half_removed_nic', 1::bigint, '2025-02-02 00:00:00+00'::timestamptz), ('stuck_nic', 15, '2025-01-01 00:00:00+00')$$,
	'at the first import half-removed and stuck NICs are as old as the source can tell');
ROLLBACK TO sound;

--
-- Fixes: what the API can do without taking anything from what may run
--
CALL planted($$UPDATE nics SET state = 'Deallocating' WHERE id IN (2, 9, 15, 16); UPDATE nics SET default_nic = 0 WHERE id = 2$$);
SELECT is_empty($$SELECT f.* FROM vmnet.check_inventory('m', '0') f JOIN m.all_nics n ON n.id = f.object_id JOIN m.all_instances i ON i.id = n.instance_id WHERE f.code = 'half_removed_nic' AND f.fix IS NOT NULL AND (i.state <> 'Stopped' OR f.fix <> 'CloudStack API: removeNicFromVirtualMachine virtualmachineid=' || i.uuid || ' nicid=' || n.uuid)$$, 'half_removed_nic: the call only where the instance is stopped');
SELECT is((SELECT count(fix) || ' of ' || count(*) FROM vmnet.check_inventory('m', '0') WHERE code = 'half_removed_nic'), '1 of 4', 'of one that is');
SELECT is((SELECT count(*) FROM vmnet.check_inventory('m', '0') WHERE code = 'half_removed_nic' AND fix IS NULL AND message ~ '; at the source, "cloud Stack": something may still use the NIC'), 3::bigint, 'the others say why there is none');
ROLLBACK TO sound;
CALL planted($$UPDATE nics SET ip4_address = '10.1.1.10', mac_address = '02:00:00:00:00:01' WHERE id = 15; UPDATE nics SET uuid = NULL WHERE id = 4; UPDATE nics SET default_nic = 1 WHERE id = 16; UPDATE op_networks SET nics_count = 9 WHERE id = 1;
	INSERT INTO nics (id, instance_id, network_id, state, default_nic, removed) VALUES (40, 1, 1, 'Reserved', 0, '2025-04-01'), (41, 1, 1, 'odd', 0, '2025-04-01'), (42, 1, 1, 'Reserved', 0, now() AT TIME ZONE 'UTC')$$);
SELECT set_eq('SELECT * FROM fixes()', ARRAY['duplicate_live_mac 1', 'duplicate_live_mac 15', 'duplicate_live_ip4 1', 'duplicate_live_ip4 15 CloudStack API: updateVmNicIp nicid=nic 15', 'default_nic_double 1',
	'removed_nic_wrong_state 40 UPDATE nics SET state = ''Deallocating'' WHERE id = 40 AND removed IS NOT NULL;', 'removed_nic_wrong_state 41 UPDATE nics SET state = ''Deallocating'' WHERE id = 41 AND removed IS NOT NULL;', 'removed_nic_wrong_state 42',
	'unknown_state 41 UPDATE nics SET state = ''Deallocating'' WHERE id = 41 AND removed IS NOT NULL AND state = ''odd'';', 'counter_drift 1 UPDATE op_networks SET nics_count = 2 WHERE id = 1;',
	'missing_uuid 4 UPDATE nics SET uuid = UUID() WHERE id = 4 AND uuid IS NULL;'], 'statements are for a uuid, a counter and the state of a row that was removed long ago');
SELECT is_empty($$SELECT * FROM vmnet.check_inventory('m') WHERE fix ~ '(ip4_address|ip6_address|mac_address|removed|device_id|default_nic) = '$$, 'none takes an address, a MAC address or a NIC from anything');
SELECT is_empty($$SELECT * FROM vmnet.check_inventory('m') WHERE (fix IS NULL) = (message ~ 'to be mended at the source')$$, 'and each message says where to mend it, or why not');
ROLLBACK TO sound;

--
-- NICs that are preserved on purpose
--
CALL planted($$INSERT INTO vm_instance (id, state, removed) VALUES (50, 'Expunging', '2025-05-01'), (51, 'Stopped', '2025-05-02');
	INSERT INTO nics (id, instance_id, network_id, state, mac_address, created) VALUES (50, 50, 1, 'Allocated', '02:00:00:00:00:50', '2025-04-01'), (51, 51, 1, 'Allocated', '02:00:00:00:00:51', '2025-04-01'), (52, 50, 2, 'Deallocating', NULL, '2025-04-01')$$);
SELECT set_eq('SELECT found()', ARRAY['error live_nic_on_removed_instance nic 50', 'error live_nic_on_removed_instance nic 51', 'error live_nic_on_removed_instance nic 52', 'error half_removed_nic nic 52'], 'live_nic_on_removed_instance: of an instance that is removed and Expunging, too');
SELECT results_eq($$SELECT since, message, fix FROM vmnet.check_inventory('m') WHERE message ~ 'preserved'$$, $$VALUES ('2025-05-01 00:00:00+00'::timestamptz, 'NIC 50 on network 1 is held (Allocated), but its instance 50 has been removed; it was preserved on purpose if that was unmanaged, to keep MAC address 02:00:00:00:00:50 taken; at the source, "cloud Stack": no call of its API reaches a NIC of a removed instance, and the instance may still run', NULL::text)$$,
	'says why it may be so, and that nothing is to be mended');
SELECT results_eq($$SELECT code, mendable FROM vmnet.manage_blockers('m') WHERE object_id IN (50, 51) ORDER BY object_id$$, $$VALUES ('live_nic_on_removed_instance', false), ('live_nic_on_removed_instance', true)$$, 'manage_inventory() does not mend it');
SELECT results_eq($$SELECT verdict, explanation FROM vmnet.nic_explain(50, 'm') WHERE rule = 'the instance is not removed'$$, $$VALUES (false, 'Perhaps preserved on purpose: CloudStack leaves the NICs of an instance that it unmanages, where unmanage.vm.preserve.nics is true, to keep their MAC addresses taken.')$$, 'nic_explain() says so');
SELECT is_empty($$SELECT * FROM vmnet.nic_explain(51, 'm') WHERE explanation ~ 'preserved'$$, 'of no other NIC');
ROLLBACK TO sound;

--
-- States of instances
--
CALL planted($$UPDATE vm_instance SET state = 'running' WHERE id = 1; UPDATE vm_instance SET state = 'Paused' WHERE id = 2; UPDATE vm_instance SET state = NULL WHERE id = 14$$);
SELECT set_eq('SELECT found()', ARRAY['warning unknown_instance_state instance 1', 'warning unknown_instance_state instance 2'], 'unknown_instance_state, in a mirror; a state that is not there is Unknown');
SELECT is((SELECT count(fix) FROM vmnet.check_inventory('m')), 0::bigint, 'no statement');
ROLLBACK TO sound;
INSERT INTO cloud.instances (id, name, state) SELECT ord, s, s FROM unnest('{Starting,Running,Stopping,Stopped,Destroyed,Expunging,Migrating,Error,Unknown,Shutdown,Restoring}'::text[]) WITH ORDINALITY u (s, ord);
SELECT is_empty($$SELECT found('cloud', '0')$$, 'in a managed inventory all states of CloudStack are known');
INSERT INTO cloud.instances (id, state) VALUES (20, 'running'), (21, 'ACTIVE'), (22, 'paused');
UPDATE cloud.instances SET removed = now() WHERE id = 22;
SELECT results_eq($$SELECT severity, code, object_id, message, fix FROM vmnet.check_inventory('cloud') ORDER BY 3$$, $$VALUES
	('warning', 'unknown_instance_state', 20::bigint, 'instance 20 has an unknown state: ''running''', 'UPDATE cloud.all_instances SET state = ''Running'' WHERE id = 20 AND state = ''running'';'),
	('warning', 'unknown_instance_state', 21, 'instance 21 has an unknown state: ''ACTIVE''', NULL)$$, 'others are findings, with the state that was meant where the letters say it');
DO $$ BEGIN EXECUTE (SELECT fix FROM vmnet.check_inventory('cloud') WHERE object_id = 20); END $$;
SELECT set_eq($$SELECT found('cloud')$$, ARRAY['warning unknown_instance_state instance 21'], 'it is mended');
SELECT results_eq($$SELECT outcome, why FROM vmnet.repair_inventory('cloud', 'unknown_instance_state')$$, $$VALUES ('refused', 'only its owner knows what the instance does')$$, 'repair_inventory() leaves it alone');

--
-- In a managed inventory a NIC that never had an address lost none
--
UPDATE cloud.instances SET state = 'Running' WHERE id = 21;
INSERT INTO cloud.networks (id, cidr, gateway, guest_type) VALUES (1, '10.1.1.0/24', '10.1.1.1', 'Isolated'), (2, NULL, NULL, 'L2');
INSERT INTO cloud.nics (id, instance_id, network_id, state, ip4_address) VALUES (1, 1, 1, 'Reserved', NULL), (2, 2, 1, 'Reserved', '10.1.1.2'), (3, 2, 2, 'Reserved', '10.1.1.3'), (4, 21, 1, 'Reserved', '10.1.1.1');
UPDATE cloud.nics SET ip4_address = NULL WHERE id IN (2, 3);
SELECT results_eq($$SELECT code, object_id, message, fix FROM vmnet.check_inventory('cloud')$$, $$VALUES
	('user_ip_reserved', 4::bigint, 'NIC 4 of instance 21 has address 10.1.1.1, which is the gateway of network 1', 'UPDATE cloud.all_nics SET ip4_address = NULL WHERE id = 4 AND ip4_address = ''10.1.1.1'';'),
	('address_lost', 2, 'NIC 2 of instance 2, which is Running, has no address on network 1; before it had 10.1.1.2', NULL)$$, 'address_lost and user_ip_reserved, in a managed inventory');
SELECT is((SELECT string_agg(finding || ' ' || outcome, ', ' ORDER BY finding) FROM vmnet.repair_inventory('cloud')), 'address_lost refused, user_ip_reserved refused', 'repair_inventory() leaves them alone');
SELECT is_empty($$SELECT found('cloud', '0') EXCEPT VALUES ('warning user_ip_reserved nic 4'), ('warning address_lost nic 2')$$, 'and it does not know since when an instance is Expunging');

--
-- Columns that the source does not have
--
CALL planted($$ALTER TABLE nics DROP uuid; ALTER TABLE networks DROP network_cidr$$);
SELECT is_empty($$SELECT found('m', '0')$$, 'without a column of uuids, and of whole ranges, nothing lacks them');
SELECT is((SELECT lacks FROM m.import_runs ORDER BY run DESC LIMIT 1) @> '{nics.uuid,networks.network_cidr}', true, 'the run says what the source lacks');
ROLLBACK TO sound;
CALL planted($$ALTER TABLE nics DROP vm_type, DROP default_nic, DROP mac_address, DROP ip4_address, DROP ip6_address, DROP netmask; ALTER TABLE networks DROP guest_type; ALTER TABLE vm_instance DROP type, DROP uuid; DROP TABLE op_networks$$);
SELECT is_empty($$SELECT found('m', '0')$$, 'whatever else it lacks');
SELECT vmnet.create_report('m') \g /dev/null
SELECT is_empty('SELECT * FROM m_report.findings', 'nor in a report');
SELECT vmnet.attach_cloudstack('l', 'cloud Stack') \g /dev/null
SELECT is_empty($$SELECT found('l', '0')$$, 'nor in a live inventory');
CALL planted($$ALTER TABLE vm_instance ADD uuid text; ALTER TABLE nics ADD default_nic int DEFAULT 0$$);
SELECT is_empty($$SELECT found('l', '0')$$, 'which does not read what was added later');
SELECT set_eq($$SELECT DISTINCT code FROM vmnet.check_inventory('m')$$, ARRAY['missing_uuid', 'default_nic_missing'], 'a mirror looks again as soon as the source has the columns');
ROLLBACK TO sound;
SELECT vmnet.attach_cloudstack('l', 'cloud Stack') \g /dev/null
SELECT is_empty($$SELECT found('l', '0')$$, 'what is sound is no finding in a live inventory');
UPDATE "cloud Stack".nics SET ip4_address = '10.1.1.255' WHERE id IN (1, 12);
UPDATE "cloud Stack".nics SET uuid = NULL WHERE id = 2;
UPDATE "cloud Stack".networks SET state = 'Implementing' WHERE id = 9;
SELECT set_eq($$SELECT found('l')$$, ARRAY['error user_ip_held_by_other nic 1', 'warning user_ip_reserved nic 1', 'warning router_ip_broadcast nic 12', 'warning network_stuck network 9', 'info missing_uuid nic 2'], 'what is not is');
ROLLBACK TO sound;

--
-- A source of another kind has no fixes in CloudStack's words
--
UPDATE "cloud Stack".nics SET uuid = NULL WHERE id = 1;
CALL planted($$UPDATE nics SET ip4_address = '10.1.1.255' WHERE id = 1; UPDATE vm_instance SET state = 'ACTIVE' WHERE id = 3$$);
UPDATE m.import_runs SET source_kind = 'other';
SELECT results_eq($$SELECT code, object_id, message, fix FROM vmnet.check_inventory('m') ORDER BY 1$$, $$VALUES ('missing_uuid', 1::bigint, 'NIC 1 has no uuid', NULL::text), ('user_ip_reserved', 1, 'NIC 1 of instance 1 has address 10.1.1.255, which is the broadcast address of network 1', NULL)$$, 'no statement and no call, nor CloudStack''s states');
SELECT vmnet.create_report('m') \g /dev/null
SELECT is_empty('SELECT * FROM m_report.findings WHERE fix IS NOT NULL', 'nor in a report');
SELECT is_empty($$SELECT code, message, fix FROM m_report.findings EXCEPT SELECT code, message, fix FROM vmnet.check_inventory('m')$$, 'which has the same');

SELECT * FROM finish();
ROLLBACK;
