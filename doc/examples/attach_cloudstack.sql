-- database: mirror
SELECT vmnet.attach_cloudstack('live', 'cloudstack');
SELECT name, kind, source, mode FROM vmnet.inventories ORDER BY name;
SELECT count(*) FROM vmnet.network_active_instances(204, inventory => 'live');
