-- database: managed
UPDATE cloud.nics SET state = 'Releasing' WHERE id = 1;
SELECT nic_id, state, last_event FROM vmnet.nics_stuck_for('0 seconds');
