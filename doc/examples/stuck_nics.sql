-- database: managed
UPDATE cloud.nics SET state = 'Releasing' WHERE id = 1;
SELECT nic_id, state, last_event FROM vmnet.stuck_nics('0 seconds');
