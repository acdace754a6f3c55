-- database: managed
SELECT vmnet.set_inventory_notify('cloud', true) AS channel;
LISTEN vmnet_cloud;
SELECT vmnet.set_inventory_notify('cloud', false) AS channel;
