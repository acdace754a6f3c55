-- database: mirror
SELECT instance_id, instance_name, o.from, o.to FROM vmnet.network_instances_as_of(204, '2025-01-07 20:00+00') o LIMIT 3;
