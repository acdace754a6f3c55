-- The moves of a NIC: nic_state_transitions() and nic_next_state() against a
-- list written by hand from CloudStack's Nic.java and NetworkOrchestrator.
\i test/tap/setup.psql

SELECT plan(4);

CREATE TEMP TABLE oracle (strategy text, from_state text, event text, to_state text);
INSERT INTO oracle VALUES
	('Start', 'Allocated', 'ReservationRequested', 'Reserving'),
	('Start', 'Reserving', 'CancelRequested', 'Allocated'),
	('Start', 'Reserving', 'OperationFailed', 'Allocated'),
	('Start', 'Reserving', 'OperationCompleted', 'Reserved'),
	('Start', 'Reserved', 'ReleaseRequested', 'Releasing'),
	('Start', 'Releasing', 'OperationCompleted', 'Allocated'),
	('Start', 'Releasing', 'OperationFailed', 'Reserved');
INSERT INTO oracle
SELECT s, m.*
FROM unnest(ARRAY['Create', 'Managed', 'PlaceHolder']) s,
	(VALUES ('Allocated', 'ReservationRequested', 'Reserved'),
		('Reserved', 'ReleaseRequested', 'Allocated')) m;
INSERT INTO oracle
SELECT s, f, 'RemoveRequested', 'Deallocating'
FROM unnest(ARRAY['Start', 'Create', 'Managed', 'PlaceHolder']) s,
	unnest(ARRAY['Allocated', 'Reserving', 'Reserved', 'Releasing']) f;

SELECT set_eq('SELECT * FROM vmnet.nic_state_transitions()', 'TABLE oracle',
	'nic_state_transitions() has the moves, and no others');

SELECT results_eq(
	$$SELECT s, f, e, vmnet.nic_next_state(f, e, s)
	FROM unnest(ARRAY['Start', 'Create', 'Managed', 'PlaceHolder']) s,
		unnest(ARRAY['Allocated', 'Reserving', 'Reserved', 'Releasing', 'Deallocating']) f,
		unnest(ARRAY['ReservationRequested', 'ReleaseRequested', 'CancelRequested',
			'OperationCompleted', 'OperationFailed', 'RemoveRequested']) e
	ORDER BY 1, 2, 3$$,
	$$SELECT s, f, e, o.to_state
	FROM unnest(ARRAY['Start', 'Create', 'Managed', 'PlaceHolder']) s
		CROSS JOIN unnest(ARRAY['Allocated', 'Reserving', 'Reserved', 'Releasing', 'Deallocating']) f
		CROSS JOIN unnest(ARRAY['ReservationRequested', 'ReleaseRequested', 'CancelRequested',
			'OperationCompleted', 'OperationFailed', 'RemoveRequested']) e
		LEFT JOIN oracle o ON o.strategy = s AND o.from_state = f AND o.event = e
	ORDER BY 1, 2, 3$$,
	'nic_next_state() is right for every state, event and strategy');

SELECT is(vmnet.nic_next_state('Allocated', 'ReservationRequested'), 'Reserving',
	'nic_next_state() takes strategy Start where none is said');

SELECT throws_ok($$SELECT vmnet.nic_next_state('allocated', 'ReservationRequested')$$,
	'22023', 'unknown state of a NIC: "allocated"', 'spelling counts');

SELECT * FROM finish();
ROLLBACK;
