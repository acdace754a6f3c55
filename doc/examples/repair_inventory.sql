-- database: managed
SELECT vmnet.nic_event(3, 'RemoveRequested') AS half_removed;
SELECT finding, object_id, outcome FROM vmnet.repair_inventory('cloud', min_age => '0');
SELECT finding, object_id, outcome FROM vmnet.repair_inventory('cloud', dry_run => false, min_age => '0');
SELECT state, removed IS NOT NULL AS removed FROM cloud.all_nics WHERE id = 3;
