-- database: managed
SELECT vmnet.network_active_instance_count(1);
