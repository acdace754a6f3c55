-- Every route by which a row can come to a table of an inventory, and what the
-- inventory says itself: identity, removed, strategy, state_changed, default.
\i test/tap/setup.psql
\i test/tap/outcome.psql

SELECT plan(176);

SET LOCAL TimeZone = 'UTC';
INSERT INTO cloud.networks (id, name) VALUES (1, 'net1'), (2, 'net2'), (3, 'net3'), (9, 'removed');
INSERT INTO cloud.instances (id, name, state) SELECT i, 'vm' || i, 'Running' FROM generate_series(1, 9) i;
UPDATE cloud.networks SET removed = '2100-04-01 00:00+00' WHERE id = 9;
UPDATE cloud.instances SET removed = '2100-04-01 00:00+00' WHERE id = 9;
-- one held NIC in each state, and a removed one; ids above 100 are for trials
INSERT INTO cloud.nics (id, instance_id, network_id, state) VALUES
	(1, 1, 1, 'Allocated'), (2, 2, 1, 'Allocated'), (3, 3, 1, 'Reserved'), (4, 4, 1, 'Reserved'),
	(5, 5, 1, 'Allocated'), (6, 6, 1, 'Allocated');
UPDATE cloud.nics SET state = 'Reserving' WHERE id = 2;
UPDATE cloud.nics SET state = 'Releasing' WHERE id = 4;
UPDATE cloud.nics SET state = 'Deallocating' WHERE id = 5;
UPDATE cloud.nics SET state = 'Deallocating', removed = '2100-05-01 00:00+00' WHERE id = 6;

CREATE FUNCTION pg_temp.stored(nic bigint) RETURNS text
LANGUAGE sql AS $$ SELECT state || CASE WHEN removed IS NULL THEN '' ELSE ', removed' END FROM cloud.all_nics WHERE id = nic $$;

SELECT results_eq('SELECT id, pg_temp.stored(id) FROM cloud.all_nics ORDER BY id',
	$$VALUES (1::bigint, 'Allocated'), (2, 'Reserving'), (3, 'Reserved'), (4, 'Releasing'), (5, 'Deallocating'),
		(6, 'Deallocating, removed')$$,
	'there is a NIC in every state, and a removed one');

--
-- An illegal birth by every route.
--
SELECT is(pg_temp.trial($$INSERT INTO cloud.all_nics (id, instance_id, network_id, state) VALUES (101, 7, 1, 'Reserving')$$),
	'23514 nic_initial_state', 'INSERT: born Reserving');
SELECT is(pg_temp.trial($$INSERT INTO cloud.nics (id, instance_id, network_id, state) VALUES (101, 7, 1, 'Releasing')$$),
	'23514 nic_initial_state', 'INSERT through the view: born Releasing');
SELECT is(pg_temp.trial($$INSERT INTO cloud.nics (id, instance_id, network_id, state)
		SELECT 100 + i, 7, i, CASE i WHEN 3 THEN 'Deallocating' ELSE 'Reserved' END FROM generate_series(1, 3) i$$),
	'23514 nic_initial_state', 'INSERT ... SELECT: the third of three born Deallocating');
SELECT is(pg_temp.trial($$COPY cloud.all_nics (id, instance_id, network_id, state) FROM PROGRAM 'echo 101,7,1,Reserving' (FORMAT csv)$$),
	'23514 nic_initial_state', 'COPY: born Reserving');
SELECT is(pg_temp.trial($$COPY cloud.all_nics (id, instance_id, network_id, state) FROM PROGRAM 'echo 101,7,9,Allocated' (FORMAT csv)$$),
	'23503 nic_parent_active', 'COPY: on a removed network');
SELECT is(pg_temp.trial($$INSERT INTO cloud.all_nics (id, instance_id, network_id, state) VALUES (101, 7, 1, 'Reserving')
		ON CONFLICT (id) DO UPDATE SET state = 'Reserving'$$),
	'23514 nic_initial_state', 'upsert that inserts: born Reserving');
SELECT is(pg_temp.trial($$INSERT INTO cloud.all_nics (id, instance_id, network_id, state) VALUES (101, 7, 1, 'Reserving')
		ON CONFLICT DO NOTHING$$),
	'23514 nic_initial_state', 'INSERT ... ON CONFLICT DO NOTHING: born Reserving');
SELECT is(pg_temp.trial($$MERGE INTO cloud.all_nics n USING (VALUES (101)) v (id) ON n.id = v.id
		WHEN NOT MATCHED THEN INSERT (id, instance_id, network_id, state) VALUES (v.id, 7, 1, 'Reserving')$$),
	'23514 nic_initial_state', 'MERGE: born Reserving');
SELECT is(pg_temp.trial($$MERGE INTO cloud.all_nics n USING (VALUES (101)) v (id) ON n.id = v.id
		WHEN NOT MATCHED THEN INSERT (id, instance_id, network_id) VALUES (v.id, 9, 1)$$),
	'23503 nic_parent_active', 'MERGE: of a removed instance');
SELECT is(pg_temp.trial($$WITH born AS (INSERT INTO cloud.nics (id, instance_id, network_id, state)
		VALUES (101, 7, 1, 'Reserving') RETURNING id) SELECT * FROM born$$),
	'23514 nic_initial_state', 'CTE: born Reserving');

--
-- An illegal move by every route.
--
SELECT is(pg_temp.trial($$UPDATE cloud.all_nics SET state = 'Releasing' WHERE id = 1$$),
	'23514 nic_state_transition', 'UPDATE: Allocated to Releasing');
SELECT is(pg_temp.trial($$UPDATE cloud.nics SET state = 'Releasing' WHERE id = 1$$),
	'23514 nic_state_transition', 'UPDATE through the view');
SELECT is(pg_temp.trial($$UPDATE cloud.nics n SET state = v.state FROM (VALUES (1, 'Releasing')) v (id, state) WHERE n.id = v.id$$),
	'23514 nic_state_transition', 'UPDATE ... FROM');
SELECT is(pg_temp.trial($$INSERT INTO cloud.all_nics (id, instance_id, network_id) VALUES (1, 1, 1)
		ON CONFLICT (id) DO UPDATE SET state = 'Releasing'$$),
	'23514 nic_state_transition', 'upsert');
SELECT is(pg_temp.trial($$INSERT INTO cloud.nics (id, instance_id, network_id) VALUES (1, 1, 1)
		ON CONFLICT (id) DO UPDATE SET state = 'Releasing'$$),
	'23514 nic_state_transition', 'upsert through the view');
SELECT is(pg_temp.trial($$MERGE INTO cloud.all_nics n USING (VALUES (1)) v (id) ON n.id = v.id
		WHEN MATCHED THEN UPDATE SET state = 'Releasing'$$),
	'23514 nic_state_transition', 'MERGE');
SELECT is(pg_temp.trial($$MERGE INTO cloud.all_nics n USING (VALUES (1)) v (id) ON n.id = v.id
		WHEN MATCHED THEN DELETE$$),
	'23001 no_hard_delete', 'MERGE that deletes');
SELECT is(pg_temp.trial($$WITH moved AS (UPDATE cloud.nics SET state = 'Releasing' WHERE id = 1 RETURNING id) SELECT * FROM moved$$),
	'23514 nic_state_transition', 'CTE');
-- servers before 17 have no MERGE into a view; that is a refusal as well
SELECT isnt(pg_temp.trial($$MERGE INTO cloud.nics n USING (VALUES (1)) v (id) ON n.id = v.id
		WHEN MATCHED THEN UPDATE SET state = 'Releasing'$$),
	'accepted', 'MERGE into the view');

CREATE VIEW pg_temp.my_nics AS SELECT id, instance_id, network_id, state FROM cloud.nics WHERE network_id = 1;
SELECT is(pg_temp.trial($$UPDATE my_nics SET state = 'Releasing' WHERE id = 1$$),
	'23514 nic_state_transition', 'a view of one''s own on the view: UPDATE');
SELECT is(pg_temp.trial($$INSERT INTO my_nics (id, instance_id, network_id, state) VALUES (101, 7, 1, 'Releasing')$$),
	'23514 nic_initial_state', 'a view of one''s own on the view: INSERT');
SELECT is(pg_temp.trial($$INSERT INTO my_nics (id, instance_id, network_id) VALUES (101, 7, 9)$$),
	'23503 nic_parent_active', 'a view of one''s own on the view: INSERT on a removed network');

CREATE VIEW pg_temp.ruled AS SELECT id, state FROM cloud.all_nics;
CREATE RULE sneak AS ON UPDATE TO pg_temp.ruled
	DO INSTEAD UPDATE cloud.all_nics SET state = 'Releasing' WHERE id = old.id;
CREATE RULE vanish AS ON DELETE TO pg_temp.ruled DO INSTEAD DELETE FROM cloud.all_nics WHERE id = old.id;
SELECT is(pg_temp.trial($$UPDATE ruled SET state = 'Reserving' WHERE id = 1$$),
	'23514 nic_state_transition', 'a rule that makes another UPDATE of it');
SELECT is(pg_temp.trial('DELETE FROM ruled WHERE id = 1'),
	'23001 no_hard_delete', 'a rule that makes a DELETE of it');
SELECT is(pg_temp.trial($$SET CONSTRAINTS ALL DEFERRED; UPDATE cloud.nics SET state = 'Releasing' WHERE id = 1$$),
	'23514 nic_state_transition', 'deferring constraints defers no guard');
SELECT is(pg_temp.stored(1), 'Allocated', 'after all of that the NIC is where it was');

-- The other order: two rows of one statement that cannot both be.
SELECT matches(pg_temp.trial($$WITH gone AS (UPDATE cloud.all_networks SET removed = now() WHERE id = 3)
		INSERT INTO cloud.all_nics (id, instance_id, network_id) VALUES (101, 7, 3)$$),
	'^23503 (network_in_use|nic_parent_active)$', 'one statement cannot remove a network and add a NIC to it');
SELECT matches(pg_temp.trial($$WITH born AS (INSERT INTO cloud.all_nics (id, instance_id, network_id) VALUES (101, 7, 3))
		UPDATE cloud.all_instances SET removed = now() WHERE id = 7$$),
	'^23503 (instance_in_use|nic_parent_active)$', 'nor remove an instance and add a NIC to it');
SELECT is(pg_temp.trial($$WITH born AS (INSERT INTO cloud.all_networks (id, name, removed) VALUES (99, 'stillborn', now()))
		INSERT INTO cloud.all_nics (id, instance_id, network_id) VALUES (101, 7, 99)$$),
	'23503 nic_parent_active', 'nor add a NIC to a network that is born removed');

--
-- Legal ways through views.
--
SELECT is(pg_temp.trial($$INSERT INTO cloud.nics (id, instance_id, network_id, state) VALUES (101, 7, 1, 'Reserved')$$),
	'accepted', 'INSERT through the view');
SELECT is(pg_temp.trial($$UPDATE cloud.nics SET state = 'Reserving' WHERE id = 1$$), 'accepted', 'UPDATE through the view');
SELECT is(pg_temp.trial($$UPDATE my_nics SET state = 'Reserving' WHERE id = 1$$), 'accepted', 'UPDATE through a view on the view');
SELECT is(pg_temp.touched($$INSERT INTO cloud.nics (id, instance_id, network_id, mtu) VALUES (1, 1, 1, 1450), (101, 7, 1, 1450)
		ON CONFLICT (id) DO UPDATE SET mtu = excluded.mtu$$),
	'2 rows', 'upsert through the view: one row updated, one inserted');
SELECT results_eq('SELECT id, mtu, default_nic FROM cloud.nics WHERE id IN (1, 101) ORDER BY id',
	'VALUES (1::bigint, 1450::bigint, true), (101, 1450, true)', 'and both are as they were said');
SELECT is(pg_temp.touched($$INSERT INTO cloud.networks (id, name) VALUES (1, 'renamed'), (50, 'new')
		ON CONFLICT (id) DO UPDATE SET name = excluded.name$$), '2 rows', 'upsert through the view networks');
SELECT is(pg_temp.touched($$INSERT INTO cloud.instances (id, name) VALUES (1, 'renamed'), (50, 'new')
		ON CONFLICT (id) DO UPDATE SET name = excluded.name$$), '2 rows', 'upsert through the view instances');
SELECT results_eq($$SELECT n.name, i.name FROM cloud.networks n JOIN cloud.instances i USING (id) WHERE id IN (1, 50) ORDER BY id$$,
	$$VALUES ('renamed', 'renamed'), ('new', 'new')$$, 'and all four rows are as they were said');
SELECT is(pg_temp.trial($$UPDATE cloud.networks SET removed = now() WHERE id = 50$$), 'accepted',
	'an empty network is removed through its view');
SELECT is(pg_temp.trial($$UPDATE cloud.instances SET removed = now() WHERE id = 50$$), 'accepted',
	'an empty instance is removed through its view');
SELECT is(pg_temp.trial($$INSERT INTO cloud.all_nics (id, instance_id, network_id, mtu) VALUES (6, 6, 1, 1400)
		ON CONFLICT (id) DO UPDATE SET mtu = excluded.mtu$$),
	'23514 nic_removed_read_only', 'an upsert does not write a removed NIC');
-- newer servers refuse by themselves what conflicts with a row outside the view
SELECT isnt(pg_temp.trial($$INSERT INTO cloud.nics (id, instance_id, network_id, mtu) VALUES (6, 6, 1, 1400)
		ON CONFLICT (id) DO UPDATE SET mtu = excluded.mtu$$),
	'accepted', 'nor through the view');
-- a NIC that is being removed has left the view, so there is nothing to update
SELECT is(pg_temp.touched($$UPDATE cloud.nics SET state = 'Allocated' WHERE id IN (5, 6)$$), '0 rows',
	'half-removed and removed NICs are not in the view');

--
-- Triggers of users.
--
CREATE FUNCTION pg_temp.zzz_rewrite() RETURNS trigger
LANGUAGE plpgsql AS $$
DECLARE
	field text := split_part(TG_ARGV[0], '=', 1);
BEGIN
	RETURN jsonb_populate_record(NEW, jsonb_build_object(field, nullif(split_part(TG_ARGV[0], '=', 2), 'NULL')));
END
$$;
CREATE FUNCTION pg_temp.with_rewrite(rewrite text, event text, command text, target text DEFAULT 'all_nics') RETURNS text
LANGUAGE sql AS $$
	SELECT pg_temp.trial(format('CREATE TRIGGER zzz_rewrite BEFORE %s ON cloud.%I FOR EACH ROW EXECUTE FUNCTION pg_temp.zzz_rewrite(%L); %s',
		event, target, rewrite, command))
$$;

SELECT is(pg_temp.with_rewrite('state=Releasing', 'UPDATE', $$UPDATE cloud.nics SET state = 'Reserving' WHERE id = 1$$),
	'23514 nic_state_transition', 'a later BEFORE trigger that makes a legal move illegal');
SELECT is(pg_temp.with_rewrite('state=Releasing', 'UPDATE', $$UPDATE cloud.nics SET mtu = 9000 WHERE id = 1$$),
	'23514 nic_state_transition', 'one that makes a move of what was none');
SELECT is(pg_temp.with_rewrite('state=Reserving', 'UPDATE', $$UPDATE cloud.nics SET state = 'Releasing' WHERE id = 1$$),
	'accepted', 'one that makes an illegal move legal is judged by what is stored, too');
SELECT is(pg_temp.with_rewrite('state=Reserving', 'INSERT', $$INSERT INTO cloud.nics (id, instance_id, network_id) VALUES (102, 8, 1)$$),
	'23514 nic_initial_state', 'one that rewrites the state of a new NIC');
SELECT is(pg_temp.with_rewrite('network_id=9', 'INSERT', $$INSERT INTO cloud.nics (id, instance_id, network_id) VALUES (102, 8, 1)$$),
	'23503 nic_parent_active', 'one that moves a new NIC to a removed network');
SELECT is(pg_temp.with_rewrite('instance_id=9', 'INSERT', $$INSERT INTO cloud.nics (id, instance_id, network_id) VALUES (102, 8, 1)$$),
	'23503 nic_parent_active', 'one that moves a new NIC to a removed instance');
SELECT is(pg_temp.with_rewrite('network_id=2', 'UPDATE', $$UPDATE cloud.nics SET mtu = 9000 WHERE id = 1$$),
	'23514 nic_identity_immutable', 'one that moves a NIC to another network');
SELECT is(pg_temp.with_rewrite('removed=NULL', 'UPDATE', $$UPDATE cloud.all_nics SET uuid = gen_random_uuid() WHERE id = 6$$),
	'23514 nic_removed_once', 'one that brings a removed NIC back');
SELECT is(pg_temp.with_rewrite('default_nic=NULL', 'INSERT', $$INSERT INTO cloud.nics (id, instance_id, network_id) VALUES (102, 8, 1)$$),
	'23514 nic_default_nic_present', 'one that takes default_nic away');
SELECT is(pg_temp.with_rewrite('removed=2024-06-01', 'UPDATE', $$UPDATE cloud.networks SET name = 'x' WHERE id = 1$$, 'all_networks'),
	'23503 network_in_use', 'one that removes a network in use');
SELECT is(pg_temp.with_rewrite('removed=2024-06-01', 'UPDATE', $$UPDATE cloud.instances SET name = 'x' WHERE id = 1$$, 'all_instances'),
	'23503 instance_in_use', 'one that removes an instance in use');
SELECT is(pg_temp.with_rewrite('removed=NULL', 'UPDATE', $$UPDATE cloud.all_networks SET name = 'x' WHERE id = 9$$, 'all_networks'),
	'23514 network_removed_once', 'one that brings a removed network back');

CREATE FUNCTION pg_temp.zzz_nothing() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END';
CREATE TRIGGER zzz_nothing BEFORE INSERT OR UPDATE ON cloud.all_nics FOR EACH ROW EXECUTE FUNCTION pg_temp.zzz_nothing();
SELECT is(pg_temp.touched($$UPDATE cloud.all_nics SET state = 'Releasing', mtu = 1 WHERE id = 1$$), '0 rows',
	'a BEFORE trigger that returns NULL: nothing is updated');
SELECT is(pg_temp.touched('DELETE FROM cloud.nics WHERE id = 1'), '0 rows', 'nothing is removed through the view');
SELECT is(pg_temp.touched('INSERT INTO cloud.nics (id, instance_id, network_id) VALUES (102, 8, 1)'), '0 rows', 'nothing is inserted');
DROP TRIGGER zzz_nothing ON cloud.all_nics;
SELECT is((SELECT state || ' ' || mtu FROM cloud.all_nics WHERE id = 1), 'Allocated 1450', 'and the row is unchanged');
SELECT is((SELECT count(*) FROM cloud.all_nics WHERE id = 102), 0::bigint, 'and there is no other');

-- An AFTER trigger whose name sorts before the guard's acts between the row and
-- the judgement on it; what it does is judged as well.
CREATE FUNCTION pg_temp.aaa_meddle() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
	IF pg_trigger_depth() = 1 THEN
		EXECUTE TG_ARGV[0] USING NEW.id;
	END IF;
	RETURN NULL;
END
$$;
CREATE FUNCTION pg_temp.with_meddler(meddling text, event text, command text, target text DEFAULT 'all_nics') RETURNS text
LANGUAGE sql AS $$
	SELECT pg_temp.trial(format('CREATE TRIGGER aaa_meddle AFTER %s ON cloud.%I FOR EACH ROW EXECUTE FUNCTION pg_temp.aaa_meddle(%L); %s',
		event, target, meddling, command))
$$;
SELECT is(pg_temp.with_meddler($$UPDATE cloud.all_nics SET state = 'Reserving' WHERE id = $1$$, 'INSERT',
		$$INSERT INTO cloud.nics (id, instance_id, network_id) VALUES (102, 8, 1)$$),
	'accepted', 'an AFTER trigger that moves the new NIC on');
SELECT is(pg_temp.with_meddler($$UPDATE cloud.all_nics SET state = 'Reserving' WHERE id = $1$$, 'INSERT',
		$$INSERT INTO cloud.nics (id, instance_id, network_id, state) VALUES (102, 8, 1, 'Reserved')$$),
	'23514 nic_state_transition', 'one that moves it in a way that is none');
SELECT is(pg_temp.with_meddler($$UPDATE cloud.all_nics SET state = 'Allocated' WHERE id = $1$$, 'INSERT',
		$$INSERT INTO cloud.nics (id, instance_id, network_id, state) VALUES (102, 8, 1, 'Reserving')$$),
	'23514 nic_initial_state', 'one that hides an illegal birth by a legal move');
SELECT is(pg_temp.with_meddler($$UPDATE cloud.all_networks SET removed = now() WHERE id = 3$$, 'INSERT',
		$$INSERT INTO cloud.nics (id, instance_id, network_id) VALUES (102, 8, 3)$$),
	'23503 network_in_use', 'one that removes the network of the new NIC');
SELECT is(pg_temp.with_meddler($$INSERT INTO cloud.nics (id, instance_id, network_id) VALUES (102, 8, $1)$$, 'UPDATE',
		$$UPDATE cloud.networks SET removed = now() WHERE id = 3$$, 'all_networks'),
	'23503 nic_parent_active', 'one that gives a NIC to the network that was just removed');
SELECT is(pg_temp.with_meddler($$UPDATE cloud.all_networks SET name = 'again' WHERE id = $1$$, 'UPDATE',
		$$UPDATE cloud.networks SET removed = now() WHERE id = 1$$, 'all_networks'),
	'23503 network_in_use', 'one that writes the network again before the guard looks');
SELECT is(pg_temp.with_meddler($$UPDATE cloud.all_instances SET name = 'again' WHERE id = $1$$, 'UPDATE',
		$$UPDATE cloud.instances SET removed = now() WHERE id = 1$$, 'all_instances'),
	'23503 instance_in_use', 'one that writes the instance again before the guard looks');

--
-- The same row twice in one statement.
--
CREATE FUNCTION pg_temp.leads_to(command text, nic bigint) RETURNS text
LANGUAGE plpgsql AS $$
DECLARE
	result text;
BEGIN
	result := pg_temp.outcome(command);
	result := result || ', stored ' || pg_temp.stored(nic);
	RAISE EXCEPTION USING ERRCODE = 'UNDO1';
EXCEPTION WHEN SQLSTATE 'UNDO1' THEN
	RETURN result;
END
$$;
SELECT is(pg_temp.leads_to($$WITH a AS (UPDATE cloud.all_nics SET state = 'Reserving' WHERE id = 1),
		b AS (UPDATE cloud.all_nics SET state = 'Reserving' WHERE id = 1) SELECT$$, 1),
	'accepted, stored Reserving', 'the same move twice in one statement is one move');
SELECT matches(pg_temp.leads_to($$WITH a AS (UPDATE cloud.all_nics SET state = 'Allocated' WHERE id = 2),
		b AS (UPDATE cloud.all_nics SET state = 'Reserved' WHERE id = 2) SELECT$$, 2),
	'^accepted, stored (Allocated|Reserved)$', 'of two different moves in one statement one is made');
SELECT is(pg_temp.trial($$INSERT INTO cloud.all_nics (id, instance_id, network_id) VALUES (103, 8, 2), (103, 8, 2)
		ON CONFLICT (id) DO UPDATE SET state = 'Reserving'$$), '21000', 'an upsert cannot touch a row twice');

--
-- What never changes.
--
SELECT is(pg_temp.trial(format('UPDATE cloud.all_nics SET %s WHERE id = %s', c.change, n.id)),
	'23514 nic_identity_immutable', format('%s is refused for NIC %s (%s)', c.change, n.id, pg_temp.stored(n.id)))
FROM (SELECT id, change FROM unnest(ARRAY[3, 6]) n (id),
		unnest(ARRAY['id = 999', 'network_id = 2', 'instance_id = 8', 'instance_id = NULL, strategy = ''PlaceHolder''',
			'created = ''2000-01-01''']) WITH ORDINALITY u (change, ord)
	ORDER BY n.id, ord) c, LATERAL (SELECT c.id) n;
SELECT is(pg_temp.trial('UPDATE cloud.all_nics SET network_id = 12345 WHERE id = 3'), '23503 all_nics_network_id_fkey',
	'a network that does not exist is for the foreign key');
SELECT is(pg_temp.trial('UPDATE cloud.all_nics SET id = id, network_id = 1, instance_id = 3, created = created WHERE id = 3'),
	'accepted', 'the same values are no change');

-- removed: once, finite, and only with Deallocating
SELECT is(pg_temp.trial(c.command), c.expected, c.title) FROM (VALUES
	(1, $$UPDATE cloud.all_nics SET removed = NULL WHERE id = 6$$, '23514 nic_removed_once', 'removed cannot be cleared'),
	(2, $$UPDATE cloud.all_nics SET removed = '2100-06-01 00:00+00' WHERE id = 6$$, '23514 nic_removed_once', 'removed cannot change'),
	(3, $$UPDATE cloud.all_nics SET removed = '2100-05-01 00:00+00' WHERE id = 6$$, 'accepted', 'the same time is no change'),
	(4, $$UPDATE cloud.all_nics SET removed = NULL, state = 'Allocated' WHERE id = 6$$, '23514 nic_removed_once', 'a removed NIC does not come back'),
	(5, $$UPDATE cloud.all_nics SET removed = now() WHERE id = 3$$, '23514 nic_removed_is_deallocating', 'removed needs Deallocating'),
	(6, $$UPDATE cloud.all_nics SET removed = now(), state = 'Deallocating' WHERE id = 3$$, 'accepted', 'in the same statement'),
	(7, $$UPDATE cloud.all_nics SET removed = now() WHERE id = 5$$, 'accepted', 'or later'),
	(8, $$UPDATE cloud.all_nics SET removed = 'infinity' WHERE id = 5$$, '23514 nic_removed_finite', 'removed is not infinity'),
	(9, $$UPDATE cloud.all_nics SET removed = '-infinity' WHERE id = 5$$, '23514 nic_removed_finite', 'nor minus infinity'),
	(10, $$UPDATE cloud.all_networks SET removed = 'infinity' WHERE id = 3$$, '23514 network_removed_finite', 'nor that of a network'),
	(11, $$UPDATE cloud.all_instances SET removed = '-infinity' WHERE id = 8$$, '23514 instance_removed_finite', 'nor that of an instance'),
	(12, $$UPDATE cloud.all_networks SET removed = NULL WHERE id = 9$$, '23514 network_removed_once', 'a removed network does not come back'),
	(13, $$UPDATE cloud.all_networks SET removed = now() WHERE id = 9$$, '23514 network_removed_once', 'and was not removed at another time'),
	(14, $$UPDATE cloud.all_instances SET removed = NULL WHERE id = 9$$, '23514 instance_removed_once', 'a removed instance does not come back'),
	(15, $$UPDATE cloud.all_instances SET removed = now() WHERE id = 9$$, '23514 instance_removed_once', 'and was not removed at another time'),
	(16, $$UPDATE cloud.all_networks SET name = 'old' WHERE id = 9$$, 'accepted', 'a removed network can be renamed'),
	(17, $$INSERT INTO cloud.all_networks (id, name) VALUES (9, 'back') ON CONFLICT (id) DO UPDATE SET removed = NULL$$,
		'23514 network_removed_once', 'nor does an upsert bring it back'),
	(18, $$MERGE INTO cloud.all_instances i USING (VALUES (9)) v (id) ON i.id = v.id WHEN MATCHED THEN UPDATE SET removed = NULL$$,
		'23514 instance_removed_once', 'nor does a MERGE')
	) c (ord, command, expected, title) ORDER BY ord;

-- the same instant in another time zone is the same, another instant is not
SET LOCAL TimeZone = 'Asia/Kolkata';
SELECT is(pg_temp.trial($$UPDATE cloud.all_nics SET removed = '2100-05-01 05:30' WHERE id = 6$$), 'accepted',
	'another time zone: the same instant is no change');
SELECT is(pg_temp.trial($$UPDATE cloud.all_nics SET removed = '2100-05-01 00:00' WHERE id = 6$$), '23514 nic_removed_once',
	'another time zone: the same digits are a change');
SELECT is(pg_temp.trial($$UPDATE cloud.all_networks SET removed = '2100-04-01 05:30' WHERE id = 9$$), 'accepted',
	'another time zone: the same instant is no change for a network');
SET LOCAL TimeZone = 'UTC';

-- A removed NIC: every column of the table, a change of it, and what comes of it.
ALTER TABLE cloud.all_nics ADD COLUMN rack text;
CREATE TEMP TABLE change (ord serial, name text, value text, expected text);
INSERT INTO change (name, value, expected) VALUES
	('id', '999', '23514 nic_identity_immutable'),
	('uuid', 'gen_random_uuid()', 'accepted'),
	('instance_id', '8', '23514 nic_identity_immutable'),
	('network_id', '2', '23514 nic_identity_immutable'),
	('state', '''Allocated''', '23514 nic_removed_is_deallocating'),
	('strategy', '''Create''', '23514 nic_strategy_immutable'),
	('reserver_name', '''guru''', '23514 nic_removed_read_only'),
	('reservation_id', '''r1''', '23514 nic_removed_read_only'),
	('vm_type', '''DomainRouter''', '23514 nic_removed_read_only'),
	('device_id', '7', '23514 nic_removed_read_only'),
	('default_nic', 'NOT default_nic', '23514 nic_removed_read_only'),
	('mac_address', '''02:00:00:00:00:01''', '23514 nic_removed_read_only'),
	('ip4_address', '''10.1.1.1''', '23514 nic_removed_read_only'),
	('ip6_address', '''fd00::1''', '23514 nic_removed_read_only'),
	('netmask', '''255.255.255.0''', '23514 nic_removed_read_only'),
	('gateway', '''10.1.1.254''', '23514 nic_removed_read_only'),
	('broadcast_uri', '''vlan://1''', '23514 nic_removed_read_only'),
	('mtu', '9000', '23514 nic_removed_read_only'),
	('enabled', 'NOT enabled', '23514 nic_removed_read_only'),
	('created', '''2000-01-01''', '23514 nic_identity_immutable'),
	('state_changed', '''2000-01-01''', 'accepted'),	-- and ignored, see below
	('removed', '''2000-01-01''', '23514 nic_removed_once'),
	('active', 'true', '428C9'),
	('ended', '''2000-01-01''', '428C9'),
	('rack', '''r12''', 'accepted');
SELECT set_eq($$SELECT attname::text FROM pg_attribute WHERE attrelid = 'cloud.all_nics'::regclass AND attnum > 0 AND NOT attisdropped$$,
	$$SELECT name FROM change
		UNION
		-- columns that C does not know are read-only, too
		SELECT name FROM vmnet_internal.inventory_columns()
		WHERE relation = 'all_nics' AND name NOT IN (SELECT name FROM change) AND pg_temp.trial(format('UPDATE cloud.all_nics SET %I = %s WHERE id = 6', name,
			CASE type WHEN 'boolean' THEN format('%I IS NOT TRUE', name) WHEN 'text' THEN '''x''' ELSE '7' END)) = '23514 nic_removed_read_only'$$,
	'the list of columns is that of the table');
SELECT is(pg_temp.trial(format('UPDATE cloud.all_nics SET %I = %s WHERE id = 6', name, value)), expected,
	format('a removed NIC: %s %s', name, CASE expected WHEN 'accepted' THEN 'can be written' ELSE 'cannot change' END))
FROM (SELECT * FROM change ORDER BY ord) c;

--
-- The strategy changes only while Allocated.
--
SELECT is(pg_temp.trial(format('UPDATE cloud.all_nics SET strategy = ''Create'' WHERE id = %s', id)),
	CASE id WHEN 1 THEN 'accepted' ELSE '23514 nic_strategy_immutable' END,
	format('the strategy of a NIC that is %s %s', pg_temp.stored(id), CASE id WHEN 1 THEN 'can change' ELSE 'cannot change' END))
FROM generate_series(1, 6) id;
SELECT is(pg_temp.trial($$UPDATE cloud.all_nics SET strategy = 'Create', state = 'Reserved' WHERE id = 1$$),
	'23514 nic_state_transition', 'a move is judged by the stored strategy, not by the new one');
SELECT is(pg_temp.trial($$UPDATE cloud.all_nics SET strategy = 'Create' WHERE id = 1;
		UPDATE cloud.all_nics SET state = 'Reserved' WHERE id = 1$$),
	'accepted', 'once stored, the new strategy decides');
SELECT is(pg_temp.trial($$INSERT INTO cloud.nics (id, network_id, strategy) VALUES (104, 1, 'PlaceHolder');
		UPDATE cloud.nics SET strategy = 'Start' WHERE id = 104$$),
	'23514 nic_instance_required', 'a placeholder without an instance stays a placeholder');

--
-- state_changed is what the inventory says.
--
CREATE FUNCTION pg_temp.changed(nic bigint) RETURNS text
LANGUAGE sql AS $$ SELECT CASE state_changed WHEN now() THEN 'now'
	WHEN greatest(least(state_changed, clock_timestamp()), now()) THEN 'this moment' WHEN '2020-01-01 00:00+00' THEN 'as before' ELSE 'other' END
	FROM cloud.all_nics WHERE id = nic $$;
CREATE FUNCTION pg_temp.changed_by(command text, nic bigint DEFAULT 1) RETURNS text
LANGUAGE plpgsql AS $$
DECLARE
	result text;
BEGIN
	PERFORM pg_temp.place('UPDATE cloud.all_nics SET state_changed = ''2020-01-01 00:00+00''');
	EXECUTE command;
	result := pg_temp.changed(nic);
	RAISE EXCEPTION USING ERRCODE = 'UNDO1';
EXCEPTION WHEN SQLSTATE 'UNDO1' THEN
	RETURN result;
END
$$;
SELECT is(pg_temp.changed_by(command, nic), expected, title) FROM (VALUES
	(1, $$INSERT INTO cloud.nics (id, instance_id, network_id) VALUES (105, 8, 1)$$, 105, 'now', 'state_changed of a new NIC is now'),
	(2, $$INSERT INTO cloud.nics (id, instance_id, network_id, state_changed) VALUES (105, 8, 1, '2001-01-01')$$, 105, 'now', 'whatever a client says'),
	(3, $$INSERT INTO cloud.nics (id, instance_id, network_id, state_changed) VALUES (105, 8, 1, NULL)$$, 105, 'now', 'also where it says NULL'),
	(4, $$UPDATE cloud.nics SET state = 'Reserving' WHERE id = 1$$, 1, 'this moment', 'a move sets state_changed'),
	(5, $$UPDATE cloud.nics SET state = 'Reserving', state_changed = '2001-01-01' WHERE id = 1$$, 1, 'this moment', 'whatever a client says'),
	(6, $$UPDATE cloud.nics SET state = 'Allocated' WHERE id = 1$$, 1, 'as before', 'the same state again does not'),
	(7, $$UPDATE cloud.nics SET mtu = 1 WHERE id = 1$$, 1, 'as before', 'nor does another column'),
	(8, $$UPDATE cloud.nics SET state_changed = '2001-01-01' WHERE id = 1$$, 1, 'as before', 'a client''s value alone is ignored'),
	(9, $$UPDATE cloud.nics SET state_changed = NULL WHERE id = 1$$, 1, 'as before', 'also where it is NULL'),
	(10, $$UPDATE cloud.all_nics SET state_changed = '2001-01-01' WHERE id = 6$$, 6, 'as before', 'and for a removed NIC'),
	(11, $$UPDATE cloud.all_nics SET removed = now() WHERE id = 5$$, 5, 'as before', 'finishing a removal is no change of state'),
	(12, $$DELETE FROM cloud.nics WHERE id = 1$$, 1, 'this moment', 'a removal is one'),
	(13, $$INSERT INTO cloud.nics (id, instance_id, network_id) VALUES (1, 1, 1) ON CONFLICT (id) DO UPDATE SET state = 'Reserving', state_changed = '2001-01-01'$$,
		1, 'this moment', 'an upsert that moves sets it')
	) c (ord, command, nic, expected, title) ORDER BY ord;

--
-- DELETE through nics is a removal.
--
INSERT INTO cloud.nics (id, instance_id, network_id) VALUES (201, 8, 1), (202, 8, 2), (203, 8, 3);
SELECT results_eq('DELETE FROM cloud.nics WHERE id IN (201, 5, 6) RETURNING id, network_id, state',
	$$VALUES (201::bigint, 1::bigint, 'Allocated')$$, 'DELETE ... RETURNING has the rows that were live, as they were');
SELECT is((SELECT state || ', ' || (removed = now()) || ', ' || (state_changed BETWEEN now() AND clock_timestamp()) FROM cloud.all_nics WHERE id = 201),
	'Deallocating, true, true', 'the row stays: Deallocating, removed now');
SELECT is(pg_temp.touched('DELETE FROM cloud.nics WHERE id = 201'), '0 rows', 'a second DELETE finds nothing');
SELECT is(pg_temp.touched('DELETE FROM cloud.nics WHERE instance_id = 8'), '2 rows', 'the command tag counts what was removed');
SELECT is(pg_temp.touched('DELETE FROM my_nics WHERE id = 4'), '1 row', 'DELETE through a view of one''s own on the view');
SELECT is(pg_temp.stored(4), 'Deallocating, removed', 'is a removal, too');
SELECT results_eq($$WITH gone AS (DELETE FROM cloud.nics n USING cloud.instances i
		WHERE i.id = n.instance_id AND i.name = 'vm2' RETURNING n.id) SELECT id FROM gone$$,
	'VALUES (2::bigint)', 'DELETE ... USING in a CTE');
SELECT is(pg_temp.stored(2), 'Deallocating, removed', 'is a removal, too');
SELECT is(pg_temp.stored(5), 'Deallocating', 'a half-removed NIC was not finished by any of it');

--
-- No hard delete.
--
SET LOCAL client_min_messages = warning;	-- TRUNCATE ... CASCADE tells what it would take
SELECT is(pg_temp.trial(command), '23001 no_hard_delete', command || ' is refused')
FROM unnest(ARRAY['DELETE FROM cloud.all_nics WHERE id = 6', 'DELETE FROM cloud.all_networks WHERE id = 9',
	'DELETE FROM cloud.all_instances WHERE id = 9',
	'TRUNCATE cloud.all_nics', 'TRUNCATE cloud.all_nics CASCADE',
	'TRUNCATE ONLY cloud.all_nics RESTART IDENTITY', 'TRUNCATE cloud.all_networks CASCADE', 'TRUNCATE cloud.all_instances CASCADE',
	'TRUNCATE cloud.all_nics, cloud.all_instances, cloud.all_networks']) WITH ORDINALITY u (command, ord);
-- On the live views it is a removal.
SELECT is(pg_temp.trial('DELETE FROM cloud.instances WHERE id = 7'), '23503 instance_in_use', 'DELETE of an instance that has a NIC is refused');
SELECT is(pg_temp.trial('DELETE FROM cloud.networks WHERE id = 1'), '23503 network_in_use', 'DELETE of a network that has one as well');
SELECT results_eq('DELETE FROM cloud.networks WHERE id = 3 RETURNING id', 'VALUES (3::bigint)', 'DELETE of an empty network');
SELECT is((SELECT removed FROM cloud.all_networks WHERE id = 3), now(), 'is its removal');
SELECT is(pg_temp.touched('DELETE FROM cloud.networks WHERE id = 3'), '0 rows', 'and happens once');
SELECT is(pg_temp.trial('DELETE FROM cloud.all_nics WHERE id = 12345'), 'accepted', 'a DELETE of no row deletes none');
SELECT is((SELECT count(*) FROM pg_constraint c JOIN pg_namespace s ON s.oid = c.connamespace
		WHERE s.nspname = 'cloud' AND contype = 'f' AND (confdeltype <> 'a' OR confupdtype <> 'a')), 0::bigint,
	'no foreign key cascades');

SELECT * FROM finish();
ROLLBACK;
