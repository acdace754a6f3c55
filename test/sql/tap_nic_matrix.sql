-- Every combination of: state of a NIC, removed or not, its instance live,
-- removed or none, its network live or removed, and 0, 1 or 2 other NICs held
-- there.  For each: may such a NIC be inserted; may it be updated to any state,
-- removed or not; may its network and its instance be removed.  What is right
-- is said by rules written in SQL below, which know nothing of the guards.
\i test/tap/setup.psql
\i test/tap/outcome.psql

SELECT plan(20);

CREATE TEMP TABLE state_name (state text);
INSERT INTO state_name VALUES ('Allocated'), ('Reserving'), ('Reserved'), ('Releasing'), ('Deallocating');

-- Moves, by strategy, as "from>to".
CREATE TEMP TABLE move (strategy text, step text);
INSERT INTO move
SELECT 'Start', unnest(ARRAY['Allocated>Reserving', 'Reserving>Allocated', 'Reserving>Reserved', 'Reserved>Releasing',
	'Releasing>Allocated', 'Releasing>Reserved', 'Allocated>Deallocating', 'Reserving>Deallocating',
	'Reserved>Deallocating', 'Releasing>Deallocating'])
UNION ALL
SELECT 'PlaceHolder', unnest(ARRAY['Allocated>Reserved', 'Reserved>Allocated', 'Allocated>Deallocating',
	'Reserving>Deallocating', 'Reserved>Deallocating', 'Releasing>Deallocating']);

-- A world: the NIC in question, its parents, and the other NICs held.  Those
-- are on the network (of other instances) and of the instance (on other
-- networks), as many on each side, all live or all half-removed.
CREATE TEMP TABLE world AS
SELECT row_number() OVER (ORDER BY s.state, removed, instance, network, others, half) AS w,
	s.state, removed, instance, network, others, half
FROM state_name s,
	unnest(ARRAY[false, true]) removed,
	unnest(ARRAY['live', 'removed', 'none']) instance,
	unnest(ARRAY['live', 'removed']) network,
	unnest(ARRAY[0, 1, 2]) others,
	unnest(ARRAY[false, true]) half
WHERE NOT (half AND others = 0);

-- Makes a world but for the NIC.  A parent is removed while it is empty, so a
-- removed parent has no other NICs.
CREATE FUNCTION pg_temp.make_world(instance text, network text, others int, half boolean) RETURNS void
LANGUAGE plpgsql AS $$
BEGIN
	INSERT INTO cloud.networks (id, name) VALUES (1, 'network'), (2, 'other'), (3, 'other');
	INSERT INTO cloud.instances (id, name) VALUES (1, 'instance'), (2, 'other'), (3, 'other');
	IF network = 'removed' THEN
		UPDATE cloud.networks SET removed = '2100-04-01 00:00+00' WHERE id = 1;
	ELSE
		INSERT INTO cloud.nics (id, network_id, instance_id, default_nic)
		SELECT 10 + i, 1, 1 + i, false FROM generate_series(1, others) i;
	END IF;
	IF instance = 'removed' THEN
		UPDATE cloud.instances SET removed = '2100-04-01 00:00+00' WHERE id = 1;
	ELSIF instance = 'live' THEN
		INSERT INTO cloud.nics (id, network_id, instance_id, default_nic)
		SELECT 20 + i, 1 + i, 1, false FROM generate_series(1, others) i;
	END IF;
	IF half THEN
		UPDATE cloud.all_nics SET state = 'Deallocating';
	END IF;
END
$$;

CREATE TEMP TABLE result (w bigint, operation text, variant text[], got text);

--
-- INSERT.  Further: User or router, strategy, and another NIC for the same pair.
--
CREATE TEMP TABLE birth AS
SELECT w.*, v.vm_type, v.strategy, v.pair
FROM world w, (
	SELECT vm_type, strategy, pair
	FROM unnest(ARRAY['User', 'DomainRouter']) vm_type, unnest(ARRAY['Start', 'PlaceHolder']) strategy,
		unnest(ARRAY['none', 'live', 'half-removed', 'removed']) pair) v
WHERE v.pair = 'none' OR (w.instance = 'live' AND w.network = 'live');

DO $$
DECLARE
	b record;
	got text;
	is_default boolean;
BEGIN
	FOR b IN SELECT * FROM birth LOOP
		BEGIN
			is_default := NULL;
			PERFORM pg_temp.make_world(b.instance, b.network, b.others, b.half);
			IF b.pair <> 'none' THEN
				INSERT INTO cloud.nics (id, network_id, instance_id, vm_type, default_nic)
				VALUES (30, 1, 1, b.vm_type, false);
				UPDATE cloud.all_nics SET state = 'Deallocating',
					removed = CASE b.pair WHEN 'removed' THEN '2100-04-01 00:00+00'::timestamptz END
				WHERE id = 30 AND b.pair <> 'live';
			END IF;
			got := pg_temp.outcome(format(
				'INSERT INTO cloud.all_nics (id, network_id, instance_id, state, removed, strategy, vm_type)
				VALUES (1, 1, %L, %L, %L, %L, %L)',
				CASE b.instance WHEN 'none' THEN NULL ELSE 1 END, b.state,
				CASE WHEN b.removed THEN '2100-05-01 00:00+00' END, b.strategy, b.vm_type));
			is_default := (SELECT default_nic FROM cloud.all_nics WHERE id = 1);
			RAISE EXCEPTION USING ERRCODE = 'UNDO1';
		EXCEPTION WHEN SQLSTATE 'UNDO1' THEN
			INSERT INTO result VALUES (b.w, 'insert', ARRAY[b.vm_type, b.strategy, b.pair],
				got || CASE is_default WHEN true THEN ', default' ELSE '' END);
		END;
	END LOOP;
END
$$;

-- A row is judged in this order: its CHECKs, its unique indexes, the guard.
CREATE TEMP VIEW birth_oracle AS
SELECT w, ARRAY[vm_type, strategy, pair] AS variant,
	CASE
		WHEN removed AND state <> 'Deallocating' THEN '23514 nic_removed_is_deallocating'
		WHEN instance = 'none' AND strategy <> 'PlaceHolder' AND NOT removed THEN '23514 nic_instance_required'
		WHEN pair = 'live' AND vm_type = 'User' AND state <> 'Deallocating' THEN '23505 all_nics_one_per_network'
		WHEN state NOT IN ('Allocated', 'Reserved') THEN '23514 nic_initial_state'
		WHEN network = 'removed' OR instance = 'removed' THEN '23503 nic_parent_active'
		-- the first live NIC of its instance becomes its default
		WHEN instance = 'live' AND (others = 0 OR half) AND pair <> 'live' THEN 'accepted, default'
		ELSE 'accepted'
	END AS expected
FROM birth;

-- 60 combinations x (0, 1, 2 others, live or half-removed: 5) x 4 variants, and
-- those 10 with both parents live x 5 x 4 x 3 kinds of another NIC for the pair
SELECT is((SELECT count(*) FROM result WHERE operation = 'insert'), 60 * 5 * 4 + 10 * 5 * 4 * 3::bigint,
	'INSERT was tried in every world');
SELECT is_empty($$
	SELECT w.*, r.variant, r.got, o.expected
	FROM result r JOIN birth_oracle o USING (w, variant) JOIN world w USING (w)
	WHERE r.operation = 'insert' AND r.got IS DISTINCT FROM o.expected$$,
	'INSERT of a NIC is accepted or refused as the rules say, in every world');
SELECT set_eq($$SELECT DISTINCT got FROM result WHERE operation = 'insert'$$,
	ARRAY['accepted', 'accepted, default', '23514 nic_removed_is_deallocating', '23514 nic_instance_required',
		'23505 all_nics_one_per_network', '23514 nic_initial_state', '23503 nic_parent_active'],
	'and each rule had its say');
SELECT is((SELECT count(*) FROM result JOIN world USING (w)
		WHERE operation = 'insert' AND got LIKE 'accepted%' AND (network = 'removed' OR instance = 'removed')), 0::bigint,
	'no INSERT put a NIC on a removed network or a removed instance');

--
-- UPDATE of the NIC, and removal of its parents.  Worlds that rules forbid are
-- put there as a restore would, or cannot be at all.
--
DO $$
DECLARE
	x record;
	t record;
	got text[];
	names text[];
	variants text[];
	strategy text;
BEGIN
	FOR x IN SELECT * FROM world LOOP
		got := '{}';
		names := '{}';
		variants := '{}';
		BEGIN
			PERFORM pg_temp.make_world(x.instance, x.network, x.others, x.half);
			strategy := CASE x.instance WHEN 'none' THEN 'PlaceHolder' ELSE 'Start' END;
			BEGIN
				PERFORM pg_temp.place(format(
					'INSERT INTO cloud.all_nics (id, network_id, instance_id, state, removed, strategy, default_nic)
					VALUES (1, 1, %L, %L, %L, %L, false)',
					CASE x.instance WHEN 'none' THEN NULL ELSE 1 END, x.state,
					CASE WHEN x.removed THEN '2100-05-01 00:00+00' END, strategy));
			EXCEPTION WHEN check_violation THEN
				names := names || 'cannot be'::text;
				variants := variants || ''::text;
				got := got || SQLSTATE::text;
			END;
			IF names = '{}' THEN
				-- every state, with removed NULL, the time it was removed at, and another
				FOR t IN SELECT s.state, r.removed FROM state_name s,
					(VALUES ('never'), ('then'), ('later')) r (removed)
				LOOP
					names := names || 'update'::text;
					variants := variants || (t.state || ' ' || t.removed);
					got := got || pg_temp.trial(format(
						'UPDATE cloud.all_nics SET state = %L, removed = %L WHERE id = 1', t.state,
						CASE t.removed WHEN 'then' THEN '2100-05-01 00:00+00' WHEN 'later' THEN '2100-06-01 00:00+00' END));
				END LOOP;
			END IF;
			names := names || 'remove network'::text || 'remove instance'::text;
			variants := variants || ''::text || ''::text;
			got := got
				|| pg_temp.trial($sql$UPDATE cloud.all_networks SET removed = '2100-05-01 00:00+00' WHERE id = 1$sql$)
				|| CASE x.instance WHEN 'none' THEN 'no instance' ELSE
					pg_temp.trial($sql$UPDATE cloud.all_instances SET removed = '2100-05-01 00:00+00' WHERE id = 1$sql$) END;
			RAISE EXCEPTION USING ERRCODE = 'UNDO1';
		EXCEPTION WHEN SQLSTATE 'UNDO1' THEN
			INSERT INTO result
			SELECT x.w, n, string_to_array(v, ' '), g FROM unnest(names, variants, got) u (n, v, g);
		END;
	END LOOP;
END
$$;

-- A held NIC on a removed parent: no route leads there.
CREATE TEMP VIEW fact AS
SELECT w.*, removed AND state <> 'Deallocating' AS impossible,
	NOT removed AND (network = 'removed' OR instance = 'removed') AS forbidden,
	CASE instance WHEN 'none' THEN 'PlaceHolder' ELSE 'Start' END AS strategy,
	CASE network WHEN 'live' THEN others ELSE 0 END + (NOT removed)::int AS held_by_network,
	CASE instance WHEN 'live' THEN others ELSE 0 END + (NOT removed)::int AS held_by_instance
FROM world w;

SELECT is((SELECT count(*) FROM fact WHERE impossible), 4 * 6 * 5::bigint,
	'a removed NIC in one of four states is impossible, in 24 combinations of 5 worlds');
SELECT set_eq($$SELECT w FROM result WHERE operation = 'cannot be'$$, 'SELECT w FROM fact WHERE impossible',
	'such a NIC cannot be stored even where triggers do not fire');

CREATE TEMP VIEW update_oracle AS
SELECT f.*, r.variant, r.got, r.variant[1] AS to_state, r.variant[2] AS to_removed,
	CASE
		WHEN r.variant[2] <> 'never' AND r.variant[1] <> 'Deallocating' THEN '23514 nic_removed_is_deallocating'
		WHEN f.removed AND r.variant[2] <> 'then' THEN '23514 nic_removed_once'
		WHEN f.state = r.variant[1] THEN 'accepted'
		WHEN EXISTS (SELECT FROM move m WHERE m.strategy = f.strategy AND m.step = f.state || '>' || r.variant[1]) THEN 'accepted'
		ELSE '23514 nic_state_transition'
	END AS expected
FROM fact f JOIN result r USING (w)
WHERE r.operation = 'update';

SELECT is((SELECT count(*) FROM update_oracle), (60 * 5 - 120) * 15::bigint,
	'UPDATE to 15 combinations of state and removed was tried in every possible world');
SELECT is_empty($$SELECT * FROM update_oracle WHERE NOT forbidden AND got IS DISTINCT FROM expected$$,
	'UPDATE of a NIC is accepted or refused as the rules say, in every world that can come to be');
SELECT is((SELECT count(*) FROM update_oracle WHERE NOT forbidden), (5 * 2 + 6) * 5 * 15::bigint,
	'which are those of held NICs on live parents or of placeholders, and those of removed NICs anywhere');
SELECT set_eq('SELECT DISTINCT got FROM update_oracle WHERE NOT forbidden',
	ARRAY['accepted', '23514 nic_removed_is_deallocating', '23514 nic_removed_once', '23514 nic_state_transition'],
	'and each rule had its say');
-- Should one come to be behind the guards' back, it can still be mended.
SELECT is_empty($$SELECT * FROM update_oracle WHERE forbidden AND to_state = 'Deallocating' AND got <> 'accepted'$$,
	'in a world that rules forbid, the NIC can be removed');
SELECT is_empty($$SELECT * FROM update_oracle WHERE forbidden AND expected <> 'accepted' AND got = 'accepted'$$,
	'and nothing is accepted there that is refused elsewhere');

-- Of a world that cannot be, what is there is the world without the NIC.
CREATE TEMP VIEW removal_oracle AS
SELECT f.*, r.operation, r.got,
	CASE
		WHEN r.operation = 'remove network' AND network = 'removed' THEN '23514 network_removed_once'
		WHEN r.operation = 'remove network' AND held_by_network > 0 THEN '23503 network_in_use'
		WHEN r.operation = 'remove instance' AND instance = 'none' THEN 'no instance'
		WHEN r.operation = 'remove instance' AND instance = 'removed' THEN '23514 instance_removed_once'
		WHEN r.operation = 'remove instance' AND held_by_instance > 0 THEN '23503 instance_in_use'
		ELSE 'accepted'
	END AS expected
FROM fact f JOIN result r USING (w)
WHERE r.operation LIKE 'remove %';

SELECT is((SELECT count(*) FROM removal_oracle), 300 * 2::bigint,
	'the removal of network and instance was tried in every world');
SELECT is_empty($$SELECT * FROM removal_oracle WHERE operation = 'remove network' AND got IS DISTINCT FROM expected$$,
	'a network can be removed exactly where it holds no NIC, live or half-removed');
SELECT is_empty($$SELECT * FROM removal_oracle WHERE operation = 'remove instance' AND got IS DISTINCT FROM expected$$,
	'an instance can be removed exactly where it holds no NIC, live or half-removed');
SELECT set_eq('SELECT DISTINCT got FROM removal_oracle',
	ARRAY['accepted', '23503 network_in_use', '23503 instance_in_use', '23514 network_removed_once',
		'23514 instance_removed_once', 'no instance'],
	'and each rule had its say');
-- by hand: removed NICs only, no others, on a live network: 3 kinds of
-- instance, and once for each of the 5 states since 4 of them cannot be
SELECT is((SELECT count(*) FROM removal_oracle WHERE operation = 'remove network' AND got = 'accepted'), 15::bigint,
	'15 worlds have an empty live network');
SELECT is((SELECT count(*) FROM removal_oracle WHERE operation = 'remove instance' AND got = 'accepted'), 10::bigint,
	'10 worlds have an empty live instance');

-- network_in_use() is true exactly where the removal would be refused.
CREATE TEMP TABLE in_use (w bigint, said boolean);
DO $$
DECLARE
	x record;
	said boolean;
BEGIN
	FOR x IN SELECT * FROM world WHERE NOT (removed AND state <> 'Deallocating') LOOP
		BEGIN
			PERFORM pg_temp.make_world(x.instance, x.network, x.others, x.half);
			PERFORM pg_temp.place(format(
				'INSERT INTO cloud.all_nics (id, network_id, instance_id, state, removed, strategy, default_nic)
				VALUES (1, 1, %L, %L, %L, %L, false)',
				CASE x.instance WHEN 'none' THEN NULL ELSE 1 END, x.state,
				CASE WHEN x.removed THEN '2100-05-01 00:00+00' END,
				CASE x.instance WHEN 'none' THEN 'PlaceHolder' ELSE 'Start' END));
			said := vmnet.network_in_use(1);
			RAISE EXCEPTION USING ERRCODE = 'UNDO1';
		EXCEPTION WHEN SQLSTATE 'UNDO1' THEN
			INSERT INTO in_use VALUES (x.w, said);
		END;
	END LOOP;
END
$$;
SELECT is((SELECT count(*) FROM in_use), 180::bigint, 'network_in_use() was asked in every possible world');
SELECT is_empty($$
	SELECT f.*, u.said FROM in_use u JOIN fact f USING (w)
	WHERE u.said IS DISTINCT FROM (f.network = 'live' AND f.held_by_network > 0)$$,
	'network_in_use() is true exactly where the removal of the network would be refused');

SELECT * FROM finish();
ROLLBACK;
