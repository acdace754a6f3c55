-- database: managed
SELECT nic_id, nic_state, network_name, why FROM vmnet.instance_blockers(1);
