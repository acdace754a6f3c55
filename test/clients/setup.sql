-- The inventory that every client works on, each in a database of its own: a
-- small network (1), another (2), a large one (3) and an empty one (4).
CREATE EXTENSION vmnet_ext;
SELECT vmnet.create_inventory('cloud');
INSERT INTO cloud.networks (id, name, cidr, gateway) VALUES
	(1, 'front', '10.1.0.0/24', '10.1.0.1'), (2, 'back', '10.2.0.0/24', NULL), (3, 'large', '10.3.0.0/16', NULL),
	(4, 'empty', NULL, NULL);
INSERT INTO cloud.instances (id, name, state) VALUES
	(1, 'web', 'Running'), (2, 'büro ''2'' | "網"', 'Stopped'), (3, 'new', 'Running');
INSERT INTO cloud.instances (id, name) SELECT i, 'vm-' || i FROM generate_series(1001, 2000) i;
INSERT INTO cloud.nics (id, uuid, instance_id, network_id, mac_address, ip4_address, ip6_address) VALUES
	(1, '00000000-0000-0000-0000-000000000001', 1, 1, '02:00:00:00:00:01', '10.1.0.10', 'fd00::10');
INSERT INTO cloud.nics (id, instance_id, network_id, state, default_nic) VALUES (2, 2, 1, 'Reserved', false);
INSERT INTO cloud.nics (id, instance_id, network_id) SELECT i, i, 3 FROM generate_series(1001, 2000) i;
SELECT setval('cloud.all_nics_id_seq', 5000);

-- An operator, who may say DELETE for a removal.
SELECT vmnet.grant_access('cloud', 'vmnet_client', 'operator');
