-- database: managed
SELECT nic_id, nic_state, instance_name, why FROM vmnet.network_blockers(1);
