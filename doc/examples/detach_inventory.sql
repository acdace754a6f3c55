-- database: attached
SELECT vmnet.detach_inventory('mine');
SELECT count(*) AS ports FROM ports;
