-- database: managed
SELECT vmnet.network_id('7c6d1a52-0000-4000-8000-000000000002');
SELECT instance_name FROM vmnet.network_active_instances(vmnet.network_id('back'));
