-- A change between live states is a HOT update: it writes no index, so that the
-- start and stop of instances does not bloat the indexes that reads live on.
\i test/tap/setup.psql
\i test/tap/outcome.psql

SELECT plan(18);

-- Room for many versions of a row on its page, so that whether an update is HOT
-- depends on the indexes alone.
ALTER TABLE cloud.all_nics SET (fillfactor = 10);
INSERT INTO cloud.networks (id, name) SELECT i, 'net' || i FROM generate_series(1, 20) i;
INSERT INTO cloud.instances (id, name) SELECT i, 'vm' || i FROM generate_series(1, 200) i;
INSERT INTO cloud.nics (id, instance_id, network_id, device_id, strategy, mac_address, ip4_address, ip6_address)
SELECT n * 1000 + i, i, n, n, CASE WHEN n <= 10 THEN 'Start' WHEN n <= 15 THEN 'Create' ELSE 'PlaceHolder' END,
	('02:00:00:00:' || to_hex(n) || ':' || to_hex(i))::macaddr,
	'10.0.0.0'::inet + n * 1000 + i, 'fd00::'::inet + n * 1000 + i
FROM generate_series(1, 20) n, generate_series(1, 200) i;

-- How many rows an UPDATE has written, and how many of them HOT.
CREATE FUNCTION pg_temp.written(command text) RETURNS text
LANGUAGE plpgsql AS $$
DECLARE
	all_before bigint := pg_stat_get_xact_tuples_updated('cloud.all_nics'::regclass);
	hot_before bigint := pg_stat_get_xact_tuples_hot_updated('cloud.all_nics'::regclass);
BEGIN
	EXECUTE command;
	RETURN format('%s updated, %s of them HOT',
		pg_stat_get_xact_tuples_updated('cloud.all_nics'::regclass) - all_before,
		pg_stat_get_xact_tuples_hot_updated('cloud.all_nics'::regclass) - hot_before);
END
$$;

SELECT is(pg_temp.written(format('UPDATE cloud.nics SET state = %L WHERE strategy = %L AND state = %L', to_state, strategy, from_state)),
	format('%s updated, %1$s of them HOT', n), format('%s: %s to %s', strategy, from_state, to_state))
FROM (VALUES
	(1, 'Start', 'Allocated', 'Reserving', 2000),
	(2, 'Start', 'Reserving', 'Allocated', 2000),
	(3, 'Start', 'Allocated', 'Reserving', 2000),
	(4, 'Start', 'Reserving', 'Reserved', 2000),
	(5, 'Start', 'Reserved', 'Releasing', 2000),
	(6, 'Start', 'Releasing', 'Reserved', 2000),
	(7, 'Start', 'Reserved', 'Releasing', 2000),
	(8, 'Start', 'Releasing', 'Allocated', 2000),
	(9, 'Create', 'Allocated', 'Reserved', 1000),
	(10, 'Create', 'Reserved', 'Allocated', 1000),
	(11, 'PlaceHolder', 'Allocated', 'Reserved', 1000),
	(12, 'PlaceHolder', 'Reserved', 'Allocated', 1000)) m (ord, strategy, from_state, to_state, n)
ORDER BY ord;
SELECT is(pg_temp.written($$UPDATE cloud.nics SET state = 'Reserving', reserver_name = 'guru', reservation_id = 'r1', broadcast_uri = 'vlan://7'
		WHERE network_id = 1$$), '200 updated, 200 of them HOT', 'so is one that says who reserves, and where');
SELECT is(pg_temp.written($$INSERT INTO cloud.nics (id, instance_id, network_id) SELECT 2000 + i, i, 2 FROM generate_series(1, 200) i
		ON CONFLICT (id) DO UPDATE SET state = 'Reserving'$$), '200 updated, 200 of them HOT', 'so is one by upsert');
SELECT is(pg_temp.written($$UPDATE cloud.nics SET state = state$$), '4000 updated, 4000 of them HOT', 'so is the same state again');

-- The measure can tell: a change of what is in an index is not HOT.
SELECT is(pg_temp.written($$UPDATE cloud.nics SET device_id = device_id + 100 WHERE network_id = 3$$), '200 updated, 0 of them HOT',
	'another device position is not');

-- No index has a column that a change between live states writes.
SELECT is_empty($$
	SELECT i.indexrelid::regclass, a.attname
	FROM pg_index i JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = ANY (i.indkey)
	WHERE i.indrelid = 'cloud.all_nics'::regclass AND a.attname IN ('state', 'state_changed', 'reserver_name', 'reservation_id', 'broadcast_uri', 'active')$$,
	'no index has a column that such a change writes');
SELECT is_empty($$
	SELECT i.indexrelid::regclass FROM pg_index i
	WHERE i.indrelid = 'cloud.all_nics'::regclass AND pg_get_expr(i.indpred, i.indrelid) ~ '\mstate\M'$$,
	'nor does the predicate of any');

SELECT * FROM finish();
ROLLBACK;
