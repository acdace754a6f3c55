-- database: managed
SELECT vmnet.nic_remove(3);
CALL vmnet.purge_inventory('cloud', now());
SELECT count(*) FROM cloud.all_nics;
