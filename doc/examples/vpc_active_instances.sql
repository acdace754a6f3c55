-- database: managed
SELECT instance_id, instance_name FROM vmnet.vpc_active_instances(1);
