-- database: mirror
SELECT code, object_id, mendable FROM vmnet.manage_blockers('cloud') WHERE code = 'half_removed_nic' ORDER BY object_id LIMIT 3;
