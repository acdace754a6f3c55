-- database: managed
SELECT vmnet.nic_remove(3) AS removed, vmnet.nic_remove(3) AS again;
SELECT state, removed IS NOT NULL AS removed, active FROM cloud.all_nics WHERE id = 3;
