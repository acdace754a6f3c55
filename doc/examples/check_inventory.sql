-- database: mirror
SELECT severity, code, count(*) FROM vmnet.check_inventory('cloud') WHERE severity = 'error' GROUP BY 1, 2 ORDER BY 1, 2;
SELECT object_id, fix FROM vmnet.check_inventory('cloud') WHERE code = 'half_removed_nic' AND fix IS NOT NULL ORDER BY object_id LIMIT 1;
