-- An error while history is written: of an index, a trigger, a CHECK, a timeout;
-- in a block that catches it, and in a savepoint.  The session goes on, and what
-- it accepts afterwards is recorded, that and nothing else.
\i test/tap/setup.psql
\i test/tap/outcome.psql

SELECT plan(37);
SET LOCAL client_min_messages = warning;
INSERT INTO cloud.networks (id) VALUES (1);
INSERT INTO cloud.instances (id) SELECT generate_series(1, 3000);
INSERT INTO cloud.nics (id, instance_id, network_id, default_nic) SELECT n, n, 1, false FROM generate_series(1, 3000) n;

CREATE FUNCTION pg_temp.chain(nic bigint) RETURNS text LANGUAGE sql AS $$
	SELECT string_agg(to_state || ' ' || event, ', ' ORDER BY seq) FROM cloud.nic_history WHERE nic_id = nic $$;
CREATE FUNCTION pg_temp.wrong() RETURNS SETOF bigint LANGUAGE sql AS $$
	-- a state without its entry, an entry too many, an order that is not that of the changes
	SELECT n.id FROM cloud.all_nics n
	WHERE coalesce((SELECT h.to_state FROM cloud.nic_history h WHERE h.nic_id = n.id ORDER BY seq DESC LIMIT 1), 'Allocated') <> n.state
	UNION ALL
	SELECT h.nic_id FROM (SELECT nic_id, from_state, lag(to_state, 1, 'Allocated') OVER (PARTITION BY nic_id ORDER BY seq) AS before FROM cloud.nic_history) h WHERE from_state <> before $$;
CREATE FUNCTION pg_temp.outcome_or_cancel(command text) RETURNS text LANGUAGE plpgsql AS $$
BEGIN
	EXECUTE command;
	RETURN 'accepted';
EXCEPTION WHEN query_canceled THEN
	RETURN SQLSTATE;
END
$$;

-- The ways in which writing can fail at NIC 5, or at the 1,500th row; each is
-- undone after use.
CREATE FUNCTION pg_temp.fails() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE division_by_zero; END $$;
CREATE FUNCTION pg_temp.same(bigint) RETURNS bigint LANGUAGE plpgsql IMMUTABLE AS $$ BEGIN IF $1 IN (5, 1500) THEN RAISE division_by_zero; END IF; RETURN $1; END $$;
CREATE FUNCTION pg_temp.way(what text) RETURNS SETOF text LANGUAGE plpgsql AS $$
DECLARE
	got text;
BEGIN
	-- alone, among others, among many
	got := pg_temp.outcome($q$UPDATE cloud.nics SET state = 'Reserving' WHERE id = 5$q$);
	RETURN NEXT ok(got <> 'accepted', what || ': one row, ' || got);
	got := pg_temp.outcome($q$UPDATE cloud.nics SET state = 'Reserving' WHERE id BETWEEN 4 AND 6$q$);
	RETURN NEXT ok(got <> 'accepted', what || ': one of three, ' || got);
	got := pg_temp.outcome($q$UPDATE cloud.nics SET state = 'Reserving' WHERE id > 10$q$);
	RETURN NEXT ok(got <> 'accepted', what || ': one of 2,990, ' || got);
	-- what goes on after it
	got := pg_temp.outcome($q$UPDATE cloud.nics SET state = 'Reserving' WHERE id IN (4, 6)$q$);
	RETURN NEXT is(got || ', ' || pg_temp.chain(4) || ', ' || pg_temp.chain(6) || coalesce(pg_temp.chain(5), ''),
		'accepted, Reserving ReservationRequested, Reserving ReservationRequested', what || ': others go on');
	RETURN NEXT is((SELECT count(*) FROM cloud.nic_history), 2::bigint, what || ': nothing else is recorded');
	RETURN NEXT is_empty('SELECT pg_temp.wrong()', what || ': every state has its entry');
END
$$;
SAVEPOINT s;
CREATE TRIGGER t BEFORE INSERT ON cloud.nic_history FOR EACH ROW WHEN (NEW.nic_id IN (5, 1500)) EXECUTE FUNCTION pg_temp.fails();
SELECT pg_temp.way('a trigger');
ROLLBACK TO s;
CREATE CONSTRAINT TRIGGER t AFTER INSERT ON cloud.nic_history FOR EACH ROW WHEN (NEW.nic_id IN (5, 1500)) EXECUTE FUNCTION pg_temp.fails();
SELECT pg_temp.way('a constraint trigger');
ROLLBACK TO s;
ALTER TABLE cloud.nic_history ADD CHECK (nic_id NOT IN (5, 1500));
SELECT pg_temp.way('a CHECK');
ROLLBACK TO s;
CREATE INDEX ON cloud.nic_history (pg_temp.same(nic_id));
SELECT pg_temp.way('an index');
ROLLBACK TO s;
-- a plain unique index, which a row that is put in directly meets
INSERT INTO cloud.nic_history (nic_id, network_id, from_state, to_state, event, session_username, transaction_id) VALUES (5, 1, 'Allocated', 'Reserving', 'x', 'x', 1), (1500, 1, 'Allocated', 'Reserving', 'x', 'x', 1);
CREATE UNIQUE INDEX once ON cloud.nic_history (nic_id, to_state);
SELECT is(pg_temp.outcome($$UPDATE cloud.nics SET state = 'Reserving' WHERE id BETWEEN 4 AND 6$$), '23505 once', 'a unique index: one of three');
SELECT is(pg_temp.outcome($$UPDATE cloud.nics SET state = 'Reserving' WHERE id > 10$$), '23505 once', 'one of 2,990');
SELECT is(pg_temp.outcome($$UPDATE cloud.nics SET state = 'Reserving' WHERE id > 10 AND id <> 1500$$), 'accepted', 'the others go on');
SELECT is((SELECT count(*) FROM cloud.nic_history), 2991::bigint, 'and have an entry each');
ROLLBACK TO s;

-- a cancel
CREATE FUNCTION pg_temp.sleeps() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN PERFORM pg_sleep(1000); RETURN NEW; END $$;
CREATE TRIGGER t BEFORE INSERT ON cloud.nic_history FOR EACH ROW WHEN (NEW.nic_id = 5) EXECUTE FUNCTION pg_temp.sleeps();
SET LOCAL statement_timeout = '100ms';
SELECT is(pg_temp.outcome_or_cancel($$UPDATE cloud.nics SET state = 'Reserving' WHERE id BETWEEN 4 AND 6$$), '57014', 'a timeout');
SET LOCAL statement_timeout = 0;
UPDATE cloud.nics SET state = 'Reserving' WHERE id IN (4, 6);
SELECT is((SELECT string_agg(nic_id::text, ' ' ORDER BY seq) FROM cloud.nic_history), '4 6', 'the next statement is recorded, and only that');
ROLLBACK TO s;

-- an event that was announced for a change that failed is not the name of another one
CREATE TRIGGER t BEFORE INSERT ON cloud.nic_history FOR EACH ROW WHEN (NEW.event = 'OperationFailed') EXECUTE FUNCTION pg_temp.fails();
UPDATE cloud.nics SET state = 'Reserving' WHERE id = 7;
SELECT is(pg_temp.outcome($$SELECT vmnet.nic_event(7, 'OperationFailed')$$), '22012', 'an event fails');
UPDATE cloud.nics SET state = 'Allocated' WHERE id = 7;
SELECT is(pg_temp.chain(7), 'Reserving ReservationRequested, Allocated CancelRequested', 'what comes after has its own name');
ROLLBACK TO s;

-- an error after the rows, and one between them, in nested blocks
CREATE FUNCTION pg_temp.nested(depth int) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
	UPDATE cloud.nics SET state = 'Reserving' WHERE id = depth;
	IF depth < 30 THEN
		PERFORM pg_temp.nested(depth + 1);
	END IF;
	UPDATE cloud.nics SET state = 'Reserved' WHERE id = depth;
	IF depth % 3 = 0 THEN
		UPDATE cloud.nics SET state = 'Reserving' WHERE id = depth;
	END IF;
EXCEPTION WHEN check_violation THEN
	NULL;
END
$$;
SELECT pg_temp.nested(1) \g /dev/null
SELECT is((SELECT string_agg(nic_id::text, ' ' ORDER BY nic_id) FROM (SELECT DISTINCT nic_id FROM cloud.nic_history) h), '1 2', 'what a block undoes, with all inside, is undone in history');
SELECT is_empty('SELECT pg_temp.wrong()', 'and all else is there');
ROLLBACK TO s;

-- nic_history is gone and comes back
ALTER TABLE cloud.nic_history RENAME TO away;
SELECT is(pg_temp.outcome($$UPDATE cloud.nics SET state = 'Reserving' WHERE id < 4$$), '39P01', 'a history that is not there');
ALTER TABLE cloud.away RENAME TO nic_history;
SELECT is(pg_temp.outcome($$UPDATE cloud.nics SET state = 'Reserving' WHERE id < 4$$), 'accepted', 'and one that is again');
SELECT is((SELECT count(*) FROM cloud.nic_history), 3::bigint, 'has what was accepted');

SELECT * FROM finish();
ROLLBACK;
