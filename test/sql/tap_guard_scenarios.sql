-- Failures that CloudStack's users reported, as scenarios that guards hold.
-- Numbers are those of the failures' list; the issue that told of it is beside.
-- (26 and 35 are in tap_nic_unique, 33 in tap_nic_default.)
\i test/tap/setup.psql
\i test/tap/outcome.psql

SELECT plan(37);

INSERT INTO cloud.networks (id, name) SELECT i, 'net' || i FROM generate_series(1, 20) i;
INSERT INTO cloud.instances (id, name, state) SELECT i, 'vm' || i, 'Running' FROM generate_series(1, 40) i;

-- 17 (CloudStack #4096): a network was deleted whose NICs had no address
INSERT INTO cloud.nics (id, instance_id, network_id) VALUES (1700, 1, 1);
SELECT is((SELECT ip4_address IS NULL AND ip6_address IS NULL AND mac_address IS NULL FROM cloud.nics WHERE id = 1700), true,
	'scenario 17: a NIC without any address');
SELECT is(pg_temp.trial('UPDATE cloud.networks SET removed = now() WHERE id = 1'), '23503 network_in_use',
	'scenario 17: it blocks the removal of its network');
DELETE FROM cloud.nics WHERE id = 1700;
SELECT is(pg_temp.trial('UPDATE cloud.networks SET removed = now() WHERE id = 1'), 'accepted',
	'scenario 17: once it is removed, it does not');

-- 20 (CloudStack #7809): a failed deploy rolled its NICs back and so leaked
-- their addresses: nothing was left to clean up by
INSERT INTO cloud.nics (id, instance_id, network_id, ip4_address) VALUES (2000, 2, 2, '10.1.2.5'), (2001, 2, 3, '10.1.3.5');
UPDATE cloud.nics SET state = 'Reserving' WHERE instance_id = 2;
SELECT is(pg_temp.outcome($$UPDATE cloud.nics SET state = 'Releasing' WHERE id = 2001$$), '23514 nic_state_transition',
	'scenario 20: a deploy fails part-way');
SELECT is((SELECT count(*) FROM cloud.nics WHERE instance_id = 2 AND state = 'Reserving' AND ip4_address IS NOT NULL), 2::bigint,
	'scenario 20: the NICs, with their addresses, are there to be cleaned up');
SELECT is(pg_temp.touched('DELETE FROM cloud.nics WHERE instance_id = 2'), '2 rows', 'scenario 20: they are removed');
SELECT is((SELECT count(*) FROM cloud.all_nics WHERE instance_id = 2 AND removed IS NOT NULL AND ip4_address IS NOT NULL), 2::bigint,
	'scenario 20: which address was whose can still be told');
SELECT is(pg_temp.outcome($$INSERT INTO cloud.nics (instance_id, network_id, ip4_address) VALUES (3, 2, '10.1.2.5')$$), 'accepted',
	'scenario 20: the address is free again');

-- 23 (CloudStack #5001): an instance was removed and its NICs were not
INSERT INTO cloud.nics (id, instance_id, network_id) VALUES (2300, 4, 4), (2301, 4, 5), (2302, 4, 6);
SELECT is(pg_temp.trial('UPDATE cloud.instances SET removed = now() WHERE id = 4'), '23503 instance_in_use',
	'scenario 23: an instance is not removed while it holds a NIC');
SELECT is(pg_temp.outcome('DELETE FROM cloud.nics WHERE id IN (2300, 2301);
		UPDATE cloud.instances SET removed = now() WHERE id = 4'), '23503 instance_in_use',
	'scenario 23: nor while it holds the last of three');
SELECT is((SELECT count(*) FROM cloud.nics WHERE instance_id = 4), 3::bigint,
	'scenario 23: and where it is refused, no NIC is gone');
SELECT is(pg_temp.trial('UPDATE cloud.all_nics SET state = ''Deallocating'' WHERE instance_id = 4;
		UPDATE cloud.instances SET removed = now() WHERE id = 4'), '23503 instance_in_use',
	'scenario 23: half-removed NICs hold it, too');
SELECT is(pg_temp.outcome('WITH gone AS (DELETE FROM cloud.nics WHERE instance_id = 4)
		UPDATE cloud.instances SET removed = now() WHERE id = 4'), 'accepted',
	'scenario 23: the instance and all its NICs are removed in one statement');
SELECT is((SELECT count(*) FROM cloud.all_nics n JOIN cloud.all_instances i ON i.id = n.instance_id
		WHERE i.id = 4 AND i.removed = n.removed AND n.state = 'Deallocating'), 3::bigint,
	'scenario 23: all at the same time');
-- CloudStack #3592: an expunge that failed where the default NIC went first
INSERT INTO cloud.nics (id, instance_id, network_id) VALUES (2310, 5, 4), (2311, 5, 5);
SELECT is(pg_temp.outcome('DELETE FROM cloud.nics WHERE id = 2310; DELETE FROM cloud.nics WHERE id = 2311;
		UPDATE cloud.instances SET removed = now() WHERE id = 5'), 'accepted',
	'scenario 23: they can go one by one, the default first');

-- 24 (CloudStack #7644): an expunge met a NIC on a network that was gone
UPDATE cloud.networks SET removed = now() WHERE id = 7;
SELECT is(pg_temp.trial(command), '23503 nic_parent_active', 'scenario 24: no live NIC on a removed network: ' || title) FROM (VALUES
	(1, 'by INSERT', 'INSERT INTO cloud.nics (instance_id, network_id) VALUES (6, 7)'),
	(2, 'in state Reserved', $$INSERT INTO cloud.nics (instance_id, network_id, state) VALUES (6, 7, 'Reserved')$$),
	(3, 'as a placeholder', $$INSERT INTO cloud.nics (network_id, strategy) VALUES (7, 'PlaceHolder')$$),
	(4, 'of a router', $$INSERT INTO cloud.nics (instance_id, network_id, vm_type) VALUES (6, 7, 'DomainRouter')$$)
	) c (ord, title, command) ORDER BY ord;
INSERT INTO cloud.nics (id, instance_id, network_id) VALUES (2400, 6, 8);
SELECT is(pg_temp.trial('UPDATE cloud.nics SET network_id = 7 WHERE id = 2400'), '23514 nic_identity_immutable',
	'scenario 24: no live NIC on a removed network: by UPDATE');
SELECT is(pg_temp.trial('UPDATE cloud.networks SET removed = now() WHERE id = 8'), '23503 network_in_use',
	'scenario 24: no live NIC on a removed network: by removing the network');
SELECT is(pg_temp.trial('DELETE FROM cloud.all_networks WHERE id = 8'), '23001 no_hard_delete',
	'scenario 24: no live NIC on a network that is not there at all');

-- 32 (CloudStack #5651): add, remove, add the same network: "Entity exists"
SELECT is(pg_temp.outcome($$INSERT INTO cloud.nics (instance_id, network_id, device_id, mac_address, ip4_address) VALUES (10, 9, 0, '02:00:00:00:10:01', '10.1.9.5')$$),
	'accepted', 'scenario 32: add');
SELECT is(pg_temp.outcome($$INSERT INTO cloud.nics (instance_id, network_id) VALUES (10, 9)$$),
	'23505 all_nics_one_per_network', 'scenario 32: a second one on the same network is refused');
SELECT is(pg_temp.touched('DELETE FROM cloud.nics WHERE instance_id = 10'), '1 row', 'scenario 32: remove');
SELECT is(pg_temp.outcome($$INSERT INTO cloud.nics (instance_id, network_id, device_id, mac_address, ip4_address) VALUES (10, 9, 0, '02:00:00:00:10:01', '10.1.9.5')$$),
	'accepted', 'scenario 32: add the same network again, with the same device, MAC and address');
SELECT is((SELECT count(*) || ' rows, ' || count(DISTINCT uuid) || ' uuids, ' || count(*) FILTER (WHERE active) || ' live'
		FROM cloud.all_nics WHERE instance_id = 10), '2 rows, 2 uuids, 1 live', 'scenario 32: it is a NIC of its own');

-- 37 (CloudStack #3103): parallel deploys got one address twice.  Here one
-- after the other: each takes the lowest address that is free.
DO $$
BEGIN
	FOR vm IN 11..30 LOOP
		INSERT INTO cloud.nics (instance_id, network_id, ip4_address)
		SELECT vm, 11, host(a.ip)::inet
		FROM (SELECT '10.1.11.0'::inet + i FROM generate_series(1, 254) i) a (ip)
		WHERE NOT EXISTS (SELECT FROM cloud.nics n WHERE n.network_id = 11 AND n.ip4_address = a.ip)
		ORDER BY a.ip LIMIT 1;
	END LOOP;
END
$$;
SELECT is((SELECT count(*) || ' NICs, ' || count(DISTINCT ip4_address) || ' addresses' FROM cloud.nics WHERE network_id = 11),
	'20 NICs, 20 addresses', 'scenario 37: N allocations have N distinct addresses');
SELECT is(pg_temp.trial($$INSERT INTO cloud.nics (instance_id, network_id, ip4_address) VALUES (31, 11, '10.1.11.7')$$),
	'23505 all_nics_one_ip4', 'scenario 37: one that is taken is refused');
DELETE FROM cloud.nics WHERE network_id = 11 AND ip4_address = '10.1.11.7';
SELECT is(pg_temp.trial($$INSERT INTO cloud.nics (instance_id, network_id, ip4_address) VALUES (31, 11, '10.1.11.7')$$),
	'accepted', 'scenario 37: one that was given back is not');

-- 38 (CloudStack #3787): a placeholder keeps a router's address while there is
-- no router; when there is, both have it
INSERT INTO cloud.nics (id, network_id, strategy, state, ip4_address) VALUES (3800, 12, 'PlaceHolder', 'Reserved', '10.1.12.1');
SELECT results_eq('SELECT attached_nics, active_instances, reserved, used_ip4 FROM cloud.network_counts WHERE network_id = 12',
	'VALUES (0::bigint, 0::bigint, 1::bigint, 1::bigint)', 'scenario 38: a NIC with no instance holds an address and counts as no instance');
SELECT is(pg_temp.trial('UPDATE cloud.networks SET removed = now() WHERE id = 12'), '23503 network_in_use',
	'scenario 38: it holds its network');
SELECT is(pg_temp.outcome($$INSERT INTO cloud.nics (instance_id, network_id, vm_type, ip4_address) VALUES (32, 12, 'DomainRouter', '10.1.12.1')$$),
	'accepted', 'scenario 38: the router takes the address that is kept for it');
SELECT is((SELECT host(ip4_address) FROM cloud.nics WHERE id = 3800), '10.1.12.1', 'scenario 38: and it is kept on');

-- 42 (CloudStack #7623): a parent was deleted and rows of its children stayed
SELECT is(pg_temp.trial(format('UPDATE cloud.%s SET removed = now()', t)), '23503 ' || c,
	format('scenario 42: not all %s can go: some have live children', t))
FROM (VALUES (1, 'networks', 'network_in_use'), (2, 'instances', 'instance_in_use')) v (ord, t, c) ORDER BY ord;
SELECT is_empty($$
	SELECT n.id FROM cloud.all_nics n
		JOIN cloud.all_networks w ON w.id = n.network_id
		LEFT JOIN cloud.all_instances i ON i.id = n.instance_id
	WHERE n.removed IS NULL AND (w.removed IS NOT NULL OR i.removed IS NOT NULL)$$,
	'scenario 42: no held child of a removed parent, after all of that');

SELECT * FROM finish();
ROLLBACK;
