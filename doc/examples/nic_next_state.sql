-- database: managed
SELECT vmnet.nic_next_state('Reserved', 'ReleaseRequested') AS start, vmnet.nic_next_state('Reserved', 'ReleaseRequested', 'Create') AS create;
