-- database: managed
UPDATE cloud.nics SET default_nic = false WHERE id = 3;
SELECT vmnet.accept_finding('default_nic_missing', 'instance 2', NULL, 'an isolated database');
SELECT vmnet.withdraw_acceptance('default_nic_missing', 'instance 2');
SELECT object, accepted FROM vmnet.check_inventory('cloud');
