-- database: managed
SELECT vmnet.network_in_use(1) AS front, vmnet.network_in_use(3) AS empty;
