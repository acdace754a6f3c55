-- database: managed
SELECT vmnet.network_remove(3) AS removed, vmnet.network_remove(3) AS again;
