-- database: managed
SELECT vmnet.instance_id('7c6d1a52-0000-4000-9000-000000000002');
SELECT network_name FROM vmnet.instance_active_networks(vmnet.instance_id('web1'));
