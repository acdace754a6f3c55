-- database: managed
SELECT vmnet.nic_set_default(2) AS old_default;
SELECT id, default_nic, device_id FROM cloud.nics WHERE instance_id = 1 ORDER BY id;
