-- CloudStack issue 10188: an instance whose NIC had been taken off a network
-- was still listed on that network.
SELECT vmnet.create_inventory('cloud');
INSERT INTO cloud.networks (id, name) VALUES (1, 'network1'), (2, 'network2');
INSERT INTO cloud.instances (id, name, state) VALUES (1, 'vm1', 'Running');
INSERT INTO cloud.nics (id, instance_id, network_id, ip4_address)
VALUES (1, 1, 1, '10.1.1.5'), (2, 1, 2, '10.1.2.5');

SELECT instance_id, instance_name, nic_id, default_nic, ip4_address
FROM vmnet.network_active_instances(2);

-- the non-default NIC is removed
DELETE FROM cloud.nics WHERE id = 2;

SELECT instance_id, instance_name, nic_id, default_nic, ip4_address
FROM vmnet.network_active_instances(2);
SELECT instance_id, instance_name, nic_id, default_nic, ip4_address
FROM vmnet.network_active_instances(1);
SELECT id, state, removed IS NOT NULL AS removed FROM cloud.all_nics ORDER BY id;

-- a removal that stops half-way hides the NIC just so (scenario 11)
UPDATE cloud.nics SET state = 'Deallocating' WHERE id = 1;
SELECT instance_id FROM vmnet.network_active_instances(1);

SET client_min_messages = warning;
DROP SCHEMA cloud CASCADE;
