-- database: managed
SELECT vmnet.nic_add(2, 2, '10.21.0.20');
SELECT id, state, device_id, default_nic, ip4_address FROM cloud.nics WHERE instance_id = 2 ORDER BY id;
