-- database: mirror
SELECT code, object FROM vmnet.check_inventory('cloud') WHERE code = 'duplicate_live_mac' ORDER BY object_id LIMIT 2;
SELECT vmnet.accept_finding('duplicate_live_mac', 'nic 573', now() + interval '90 days', 'a cluster of two nodes shares it', inventory => 'cloud');
SELECT object, accepted, accepted_reason FROM vmnet.check_inventory('cloud') WHERE code = 'duplicate_live_mac' ORDER BY object_id LIMIT 2;
