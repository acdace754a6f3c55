-- database: managed
SELECT event, from_state, to_state, reason FROM vmnet.nic_timeline(1);
