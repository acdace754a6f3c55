-- database: managed
SELECT vmnet.inventory_status('cloud');
