-- database: managed
SELECT vmnet.instance_expunge(1) AS removed, vmnet.instance_expunge(1) AS again;
SELECT state, removed IS NOT NULL AS removed FROM cloud.all_instances WHERE id = 1;
