-- database: mirror
SELECT kind, nic_id, instance_name, network_name, held_from, held_to FROM vmnet.ip_holders('172.24.0.24', '2025-03-12', '2025-03-16');
