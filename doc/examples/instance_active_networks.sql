-- database: managed
SELECT network_id, network_name, nic_id, ip4_address FROM vmnet.instance_active_networks(1);
