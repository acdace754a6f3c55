-- The moves of a NIC by UPDATE, all 25 pairs of states under each strategy, and
-- the states that a NIC may be born in; both against lists written by hand.
\i test/tap/setup.psql
\i test/tap/outcome.psql

SELECT plan(169);

INSERT INTO cloud.networks (id, name) VALUES (1, 'net');

-- Rows: from; columns: to, in the same order.
-- "=" the same state: no move, accepted.  "y" a move.  "." refused.
CREATE TEMP TABLE oracle (strategies text[], from_state text, to_states text);
INSERT INTO oracle VALUES
	--                                                        A R R R D
	(ARRAY['Start'],                          'Allocated',    '= y . . y'),
	(ARRAY['Start'],                          'Reserving',    'y = y . y'),
	(ARRAY['Start'],                          'Reserved',     '. . = y y'),
	(ARRAY['Start'],                          'Releasing',    'y . y = y'),
	(ARRAY['Start'],                          'Deallocating', '. . . . ='),
	(ARRAY['Create', 'Managed', 'PlaceHolder'], 'Allocated',    '= . y . y'),
	(ARRAY['Create', 'Managed', 'PlaceHolder'], 'Reserving',    '. = . . y'),
	(ARRAY['Create', 'Managed', 'PlaceHolder'], 'Reserved',     'y . = . y'),
	(ARRAY['Create', 'Managed', 'PlaceHolder'], 'Releasing',    '. . . = y'),
	(ARRAY['Create', 'Managed', 'PlaceHolder'], 'Deallocating', '. . . . =');

CREATE TEMP TABLE decision AS
SELECT row_number() OVER (ORDER BY array_position(ARRAY['Start', 'Create', 'Managed', 'PlaceHolder'], strategy),
		array_position(ARRAY['Allocated', 'Reserving', 'Reserved', 'Releasing', 'Deallocating'], from_state), t.ord) AS nic,
	strategy, from_state, t.to_state,
	split_part(to_states, ' ', t.ord::int) AS mark
FROM oracle, unnest(strategies) strategy,
	unnest(ARRAY['Allocated', 'Reserving', 'Reserved', 'Releasing', 'Deallocating'])
		WITH ORDINALITY t (to_state, ord);

-- How to get a NIC into a state by moves alone.  Strategies other than Start
-- have no Reserving and no Releasing: such a NIC is put there as a restore does.
CREATE TEMP TABLE route (strategies text[], state text, steps text[]);
INSERT INTO route VALUES
	(ARRAY['Start', 'Create', 'Managed', 'PlaceHolder'], 'Allocated', '{}'),
	(ARRAY['Start', 'Create', 'Managed', 'PlaceHolder'], 'Deallocating', '{Deallocating}'),
	(ARRAY['Start'], 'Reserving', '{Reserving}'),
	(ARRAY['Start'], 'Reserved', '{Reserving,Reserved}'),
	(ARRAY['Start'], 'Releasing', '{Reserving,Reserved,Releasing}'),
	(ARRAY['Create', 'Managed', 'PlaceHolder'], 'Reserved', '{Reserved}');

CREATE FUNCTION pg_temp.bring(nic bigint, nic_strategy text, wanted text) RETURNS void
LANGUAGE plpgsql AS $$
DECLARE
	step text;
BEGIN
	INSERT INTO cloud.instances (id, name) VALUES (nic, 'vm');
	INSERT INTO cloud.nics (id, instance_id, network_id, strategy) VALUES (nic, nic, 1, nic_strategy);
	IF NOT EXISTS (SELECT FROM route r WHERE nic_strategy = ANY (r.strategies) AND r.state = wanted) THEN
		PERFORM pg_temp.place(format('UPDATE cloud.all_nics SET state = %L WHERE id = %s', wanted, nic));
		RETURN;
	END IF;
	FOR step IN
		SELECT unnest(r.steps) FROM route r WHERE nic_strategy = ANY (r.strategies) AND r.state = wanted
	LOOP
		UPDATE cloud.all_nics SET state = step WHERE id = nic;
	END LOOP;
END
$$;
SELECT pg_temp.bring(nic, strategy, from_state) FROM decision ORDER BY nic \g /dev/null

SELECT is((SELECT count(*) FROM decision d JOIN cloud.all_nics n ON n.id = d.nic
		AND n.state = d.from_state AND n.strategy = d.strategy AND n.removed IS NULL), 100::bigint,
	'100 held NICs stand ready, each in the state that it starts from');

-- The decision, and the state that is stored after it.
CREATE FUNCTION pg_temp.move(nic bigint, wanted text) RETURNS text
LANGUAGE plpgsql AS $$
DECLARE
	result text;
BEGIN
	result := pg_temp.outcome(format('UPDATE cloud.all_nics SET state = %L WHERE id = %s', wanted, nic));
	RETURN result || ', stored ' || (SELECT state FROM cloud.all_nics WHERE id = nic);
END
$$;

SELECT is(pg_temp.move(d.nic, d.to_state),
	CASE d.mark WHEN '.' THEN '23514 nic_state_transition, stored ' || d.from_state
		ELSE 'accepted, stored ' || d.to_state END,
	format('%s: %s -> %s is %s', d.strategy, d.from_state, d.to_state,
		CASE d.mark WHEN '.' THEN 'refused' WHEN 'y' THEN 'a move' ELSE 'no move, accepted' END))
FROM (SELECT * FROM decision ORDER BY nic) d;

-- What is in no list is for the CHECK.
SELECT is(pg_temp.move(1, s.wanted), '23514 nic_state_valid, stored Allocated',
	format('a NIC cannot move to a state spelled "%s"', s.wanted))
FROM unnest(ARRAY['allocated', 'RESERVING', 'Reserving ', '', 'Removed']) WITH ORDINALITY s (wanted, ord);
SELECT is(pg_temp.outcome('UPDATE cloud.all_nics SET state = NULL WHERE id = 1'), '23502 state',
	'a NIC cannot move to no state');

-- One statement is one decision: an illegal move among legal ones undoes all.
SELECT is(pg_temp.outcome($$UPDATE cloud.all_nics SET state = 'Reserving'
		WHERE strategy = 'Start' AND state IN ('Allocated', 'Releasing')$$),
	'23514 nic_state_transition', 'an UPDATE of several NICs, one of them illegal, is refused');
SELECT is((SELECT state FROM cloud.all_nics WHERE id = 1), 'Allocated', 'and moved none of them');

--
-- Birth: Allocated and Reserved, whatever the strategy.
--
CREATE TEMP TABLE birth (ord serial, state text, expected text);
INSERT INTO birth (state, expected) VALUES
	('Allocated', 'accepted'),
	('Reserved', 'accepted'),
	('Reserving', '23514 nic_initial_state'),
	('Releasing', '23514 nic_initial_state'),
	('Deallocating', '23514 nic_initial_state'),
	('allocated', '23514 nic_state_valid'),
	('RESERVED', '23514 nic_state_valid'),
	('Allocated ', '23514 nic_state_valid'),
	('Allocate', '23514 nic_state_valid'),
	('', '23514 nic_state_valid'),
	('Removed', '23514 nic_state_valid'),
	('Bogus', '23514 nic_state_valid'),
	(NULL, 'accepted');
INSERT INTO cloud.instances (id, name) VALUES (1000, 'newborn');

SELECT is(
	pg_temp.trial(format('INSERT INTO cloud.all_nics (id, instance_id, network_id, strategy, state) VALUES (1000, 1000, 1, %L, %L)', b.strategy, b.state)),
	b.expected,
	format('%s: a NIC %s born in state %s', b.strategy,
		CASE b.expected WHEN 'accepted' THEN 'can be' ELSE 'cannot be' END, quote_nullable(b.state)))
FROM (SELECT * FROM unnest(ARRAY['Start', 'Create', 'Managed', 'PlaceHolder']) WITH ORDINALITY u (strategy, nth), birth
	ORDER BY nth, ord) b;

SELECT is(pg_temp.trial('INSERT INTO cloud.all_nics (id, instance_id, network_id) VALUES (1000, 1000, 1)'), 'accepted',
	'a NIC can be born without a word on its state');
SELECT is(pg_temp.trial($$INSERT INTO cloud.all_nics (id, instance_id, network_id, state, removed)
		VALUES (1000, 1000, 1, 'Deallocating', '2024-05-01 00:00+00')$$), '23514 nic_initial_state',
	'a NIC cannot be born removed');
SELECT is(pg_temp.trial($$INSERT INTO cloud.all_nics (id, instance_id, network_id, state, removed)
		VALUES (1000, 1000, 1, 'Allocated', '2024-05-01 00:00+00')$$), '23514 nic_removed_is_deallocating',
	'nor removed and Allocated');

-- Strategies that are in no list; "Created" is what upgraded databases hold.
SELECT is(pg_temp.trial(format('INSERT INTO cloud.all_nics (id, instance_id, network_id, strategy) VALUES (1000, 1000, 1, %L)', s)),
	'23514 nic_strategy_valid', format('a NIC cannot be born with strategy "%s"', s))
FROM unnest(ARRAY['start', 'Placeholder', 'Created', '']) s;
SELECT is(pg_temp.trial('INSERT INTO cloud.all_nics (id, instance_id, network_id, strategy) VALUES (1000, 1000, 1, NULL)'),
	'accepted', 'NULL is the default strategy');

SELECT * FROM finish();
ROLLBACK;
