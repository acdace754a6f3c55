-- database: managed
SELECT nic_id, nic_state, instance_name, ip4_address FROM vmnet.network_active_nics(2);
