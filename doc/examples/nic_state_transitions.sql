-- database: managed
SELECT from_state, event, to_state FROM vmnet.nic_state_transitions() WHERE strategy = 'Start' AND from_state = 'Reserved';
