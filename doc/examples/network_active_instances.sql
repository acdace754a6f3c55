-- database: managed
SELECT instance_id, instance_name, instance_state, ip4_address FROM vmnet.network_active_instances(1);
SELECT instance_id, instance_name FROM vmnet.network_active_instances(1, after_instance_id => 1, page_size => 1);
