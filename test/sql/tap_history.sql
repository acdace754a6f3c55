-- History from inside other code: blocks with exceptions, triggers of users,
-- every kind of statement, roles without rights, tables that users altered.
-- What must be there is written out by hand.
\i test/tap/setup.psql

SELECT plan(39);

INSERT INTO cloud.networks (id) SELECT generate_series(1, 3);
INSERT INTO cloud.instances (id) SELECT generate_series(1, 2600);
INSERT INTO cloud.nics (id, instance_id, network_id, default_nic) SELECT n, n, 1, false FROM generate_series(1, 60) n;
INSERT INTO cloud.nics (id, instance_id, network_id, default_nic) SELECT n, n, 2, false FROM generate_series(101, 2600) n;

-- What became of NICs, in order, by the first letters of the states ("Rg" is Reserving).
CREATE FUNCTION short(state text) RETURNS text LANGUAGE sql AS $$
	SELECT CASE state WHEN 'Reserving' THEN 'Rg' WHEN 'Releasing' THEN 'Rl' ELSE left(state, 1) END $$;
CREATE FUNCTION chain(nic bigint) RETURNS text LANGUAGE sql AS $$
	SELECT string_agg(short(from_state) || '>' || short(to_state), ' ' ORDER BY seq) FROM cloud.nic_history WHERE nic_id = nic $$;

-- Blocks with exceptions
DO $$
BEGIN
	UPDATE cloud.nics SET state = 'Reserving' WHERE id = 1;
	BEGIN
		UPDATE cloud.nics SET state = 'Reserved' WHERE id = 1;
		RAISE division_by_zero;
	EXCEPTION WHEN division_by_zero THEN
		UPDATE cloud.nics SET state = 'Allocated' WHERE id = 1;
	END;
	BEGIN
		UPDATE cloud.nics SET state = 'Reserved' WHERE id IN (1, 2);
	EXCEPTION WHEN check_violation THEN
		NULL;
	END;
END
$$;
SELECT is(chain(1), 'A>Rg Rg>A', 'a block with an exception undoes its own changes');
SELECT is(chain(2), NULL, 'a refused statement leaves nothing');

CREATE FUNCTION nested(depth int) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
	UPDATE cloud.nics SET state = CASE state WHEN 'Allocated' THEN 'Reserving' ELSE 'Allocated' END WHERE id = 3;
	IF depth < 100 THEN
		PERFORM nested(depth + 1);
	END IF;
	IF depth = 51 THEN
		RAISE division_by_zero;
	END IF;
EXCEPTION WHEN division_by_zero THEN
	NULL;
END
$$;
SELECT nested(1) \g /dev/null
SELECT is((SELECT count(*) FROM cloud.nic_history WHERE nic_id = 3), 50::bigint, 'of a hundred nested blocks those stay that were not undone');
SELECT is((SELECT state FROM cloud.nics WHERE id = 3), 'Allocated', 'as does the state');

-- Triggers of users
CREATE FUNCTION move_on() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
	IF NEW.state = 'Reserving' AND OLD.state = 'Allocated' THEN
		UPDATE cloud.nics SET state = 'Reserved' WHERE id = NEW.id;
	END IF;
	RETURN NULL;
END
$$;
CREATE TRIGGER audit AFTER UPDATE ON cloud.all_nics FOR EACH ROW EXECUTE FUNCTION move_on();
UPDATE cloud.nics SET state = 'Reserving' WHERE id IN (4, 5);
SELECT is(chain(4) || ', ' || chain(5), 'A>Rg Rg>R, A>Rg Rg>R', 'a trigger that moves the NIC on comes after the change that fired it');
UPDATE cloud.nics SET state = 'Reserving' WHERE network_id = 2;
SELECT is((SELECT count(*) FROM cloud.all_nics n WHERE network_id = 2 AND chain(id) = 'A>Rg Rg>R'), 2500::bigint, '... for 2,500 NICs at once, too');
DROP TRIGGER audit ON cloud.all_nics;
CREATE TRIGGER "Audit" AFTER UPDATE ON cloud.all_nics FOR EACH ROW EXECUTE FUNCTION move_on();
UPDATE cloud.nics SET state = 'Reserving' WHERE id = 6;
SELECT is(chain(6), 'A>Rg Rg>R', 'whatever the name of the trigger');
DROP TRIGGER "Audit" ON cloud.all_nics;

-- the first row's trigger moves a NIC that the same statement has moved
CREATE FUNCTION move_the_other() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
	IF NEW.id = 7 AND NEW.state = 'Reserving' THEN
		UPDATE cloud.nics SET state = 'Reserved' WHERE id = 8;
	END IF;
	RETURN NULL;
END
$$;
CREATE TRIGGER zz AFTER UPDATE ON cloud.all_nics FOR EACH ROW EXECUTE FUNCTION move_the_other();
UPDATE cloud.nics SET state = 'Reserving' WHERE id IN (7, 8);
SELECT is(chain(7) || ', ' || chain(8), 'A>Rg, A>Rg Rg>R', 'a trigger that moves another NIC of the statement');
DROP TRIGGER zz ON cloud.all_nics;
CREATE FUNCTION finish_it(nic bigint) RETURNS bigint LANGUAGE plpgsql AS $$ BEGIN UPDATE cloud.nics SET state = 'Reserved' WHERE id = nic; RETURN nic; END $$;
UPDATE cloud.nics SET state = 'Reserving' WHERE id = 9 RETURNING finish_it(id) \g /dev/null
SELECT is(chain(9), 'A>Rg Rg>R', 'a function in RETURNING that moves the NIC on');

CREATE FUNCTION others() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
	IF OLD.id BETWEEN 10 AND 19 AND OLD.state <> NEW.state THEN
		BEGIN
			UPDATE cloud.nics SET state = 'Reserving' WHERE id = OLD.id + 10;
			IF OLD.id % 2 = 0 THEN
				RAISE division_by_zero;
			END IF;
		EXCEPTION WHEN division_by_zero THEN
			UPDATE cloud.nics SET state = 'Reserving' WHERE id = OLD.id + 20;
		END;
	END IF;
	RETURN NULL;
END
$$;
CREATE TRIGGER others AFTER UPDATE ON cloud.all_nics FOR EACH ROW EXECUTE FUNCTION others();
UPDATE cloud.nics SET state = 'Reserving' WHERE id BETWEEN 10 AND 19;
SELECT is((SELECT string_agg(nic_id::text, ' ' ORDER BY nic_id) FROM cloud.nic_history WHERE nic_id BETWEEN 10 AND 39),
	'10 11 12 13 14 15 16 17 18 19 21 23 25 27 29 30 32 34 36 38', 'a trigger that undoes a part loses that part alone');
DROP TRIGGER others ON cloud.all_nics;

CREATE FUNCTION fails() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE division_by_zero; END $$;
CREATE TRIGGER fails AFTER UPDATE ON cloud.all_nics FOR EACH STATEMENT EXECUTE FUNCTION fails();
SELECT throws_ok($$UPDATE cloud.nics SET state = 'Reserving' WHERE id = 40$$, '22012', NULL, 'a trigger fails after the rows');
SELECT is(chain(40), NULL, 'and nothing of the statement is left');
DROP TRIGGER fails ON cloud.all_nics;
CREATE TRIGGER fails AFTER UPDATE ON cloud.all_nics FOR EACH ROW WHEN (OLD.id = 42) EXECUTE FUNCTION fails();
SELECT throws_ok($$UPDATE cloud.nics SET state = 'Reserving' WHERE id IN (40, 41, 42, 43)$$, '22012', NULL, 'another one half-way');
DROP TRIGGER fails ON cloud.all_nics;
SELECT lives_ok($$UPDATE cloud.nics SET state = 'Reserving' WHERE id = 40$$, 'the next statement');
SELECT is((SELECT count(*) FROM cloud.nic_history WHERE nic_id BETWEEN 40 AND 43), 1::bigint, 'writes its own changes, and none of those');
CREATE CONSTRAINT TRIGGER fails AFTER UPDATE ON cloud.all_nics DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION fails();
SELECT throws_ok($$UPDATE cloud.nics SET state = 'Reserved' WHERE id = 40; SET CONSTRAINTS ALL IMMEDIATE$$, '22012', NULL, 'a deferred constraint fails');
SELECT is(chain(40), 'A>Rg', 'and what it undoes is not in history');
DROP TRIGGER fails ON cloud.all_nics;

CREATE FUNCTION backdate() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN NEW.state_changed := '2000-01-01'; RETURN NEW; END $$;
CREATE TRIGGER zz_backdate BEFORE UPDATE ON cloud.all_nics FOR EACH ROW EXECUTE FUNCTION backdate();
SELECT lives_ok($$DO 'BEGIN UPDATE cloud.nics SET state = $q$Reserved$q$ WHERE id = 40; EXCEPTION WHEN check_violation THEN NULL; END'$$, 'a trigger that sets state_changed back');
SELECT is((SELECT count(*) FROM (SELECT at < lag(at) OVER (ORDER BY seq) AS back FROM cloud.nic_history WHERE nic_id = 40) h WHERE back), 0::bigint, 'does not set the times of history back');
DROP TRIGGER zz_backdate ON cloud.all_nics;

-- Kinds of statements
WITH a AS (UPDATE cloud.nics SET state = 'Reserving' WHERE id = 44 RETURNING id),
	b AS (UPDATE cloud.nics SET state = 'Reserving' WHERE id = 45 RETURNING id)
UPDATE cloud.nics SET state = 'Reserving' WHERE id = 46;
SELECT is(chain(44) || chain(45) || chain(46), 'A>RgA>RgA>Rg', 'several parts of one statement');
MERGE INTO cloud.all_nics n USING (VALUES (47), (48)) v (id) ON n.id = v.id
	WHEN MATCHED AND v.id = 47 THEN UPDATE SET state = 'Reserving'
	WHEN MATCHED THEN DO NOTHING;
SELECT is(concat(chain(47), chain(48)), 'A>Rg', 'MERGE');
INSERT INTO cloud.nics (id, instance_id, network_id) VALUES (48, 48, 1), (61, 61, 1) ON CONFLICT (id) DO UPDATE SET state = 'Reserving';
SELECT is(concat(chain(48), chain(61)), 'A>Rg', 'ON CONFLICT');
DECLARE c CURSOR FOR SELECT * FROM cloud.all_nics WHERE id = 49 FOR UPDATE;
MOVE c;
UPDATE cloud.all_nics SET state = 'Reserving' WHERE CURRENT OF c;
SELECT is(chain(49), 'A>Rg', 'WHERE CURRENT OF');
UPDATE cloud.nics SET state = state, mtu = 9000, state_changed = 'epoch';
SELECT is(chain(50), NULL, 'what changes no state is not recorded');
SELECT is((SELECT count(DISTINCT seq) = count(*) AND bool_and(transaction_id = pg_current_xact_id()::text::bigint) FROM cloud.nic_history), true, 'all of it has numbers of its own and this transaction');

-- On whose behalf
SET LOCAL vmnet.actor = 'alice';
SAVEPOINT s;
SET LOCAL vmnet.actor = 'bob';
UPDATE cloud.nics SET state = 'Reserving' WHERE id = 50;
ROLLBACK TO s;
UPDATE cloud.nics SET state = 'Reserving' WHERE id = 50;
SET LOCAL vmnet.actor = '';
UPDATE cloud.nics SET state = 'Reserved' WHERE id = 50;
SELECT is((SELECT string_agg(coalesce(actor, '-'), ' ' ORDER BY seq) FROM cloud.nic_history WHERE nic_id = 50), 'alice -', 'the actor is the one of the change');

-- Roles
CREATE ROLE regress_app;
GRANT USAGE ON SCHEMA cloud TO regress_app;
GRANT SELECT, UPDATE ON cloud.nics, cloud.all_nics TO regress_app;
SET LOCAL ROLE regress_app;
UPDATE cloud.nics SET state = 'Reserving' WHERE id = 51;
RESET ROLE;
SELECT is(chain(51), 'A>Rg', 'who has no right on history makes it all the same');
GRANT ALL ON ALL TABLES IN SCHEMA cloud TO regress_app;
SET LOCAL ROLE regress_app;
SELECT throws_ok('DELETE FROM cloud.nic_history', '42501', NULL, 'who was given all rights cannot delete it');
SELECT throws_ok($$UPDATE cloud.nic_history SET actor = 'mallory'$$, '42501', NULL, 'nor rewrite it');
SELECT throws_ok($$INSERT INTO cloud.nic_history (nic_id, network_id, from_state, event) VALUES (1, 1, 'Allocated', 'x')$$, '42501', NULL, 'nor add to it');
SELECT throws_ok('TRUNCATE cloud.nic_history', '42501', NULL, 'nor truncate it');
RESET ROLE;
ALTER TABLE cloud.nic_history ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
SET LOCAL ROLE regress_app;
UPDATE cloud.nics SET state = 'Reserved' WHERE id = 51;
RESET ROLE;
ALTER TABLE cloud.nic_history DISABLE ROW LEVEL SECURITY, NO FORCE ROW LEVEL SECURITY;
SELECT is(chain(51), 'A>Rg Rg>R', 'policies do not keep it from being written');

-- What a user may do to the table
CREATE FUNCTION upper_event(text) RETURNS text LANGUAGE plpgsql IMMUTABLE AS $$ BEGIN RETURN upper($1); END $$;
REVOKE ALL ON FUNCTION upper_event(text) FROM PUBLIC;
CREATE INDEX by_event ON cloud.nic_history (upper_event(event));
SET LOCAL ROLE regress_app;
SELECT lives_ok($$UPDATE cloud.nics SET state = 'Releasing' WHERE id = 51$$, 'an index whose function is the owner''s alone');
RESET ROLE;
DROP INDEX cloud.by_event;
UPDATE cloud.nic_history SET actor = 'somebody';
ALTER TABLE cloud.nic_history ALTER actor SET NOT NULL;
SET LOCAL vmnet.actor = '';
SELECT throws_ok($$UPDATE cloud.nics SET state = 'Reserving' WHERE id = 52$$, '23502', NULL, 'an actor that must be given');
SET LOCAL vmnet.actor = 'carol';
SELECT lives_ok($$UPDATE cloud.nics SET state = 'Reserving' WHERE id = 52$$, '... and is given');
ALTER TABLE cloud.nic_history ALTER actor DROP NOT NULL;
ALTER TABLE cloud.nic_history
	ADD COLUMN zone text NOT NULL DEFAULT 'z1',
	ADD COLUMN short text GENERATED ALWAYS AS (left(event, 3)) STORED,
	ADD CHECK (reason IS DISTINCT FROM 'none');
UPDATE cloud.nics SET state = 'Reserving' WHERE id IN (53, 54);
SELECT is((SELECT string_agg(concat_ws(' ', nic_id, zone, short), ', ' ORDER BY nic_id) FROM cloud.nic_history WHERE nic_id IN (53, 54)),
	'53 z1 Res, 54 z1 Res', 'columns with defaults, or generated');
SET LOCAL vmnet.reason = 'none';
SELECT throws_ok($$UPDATE cloud.nics SET state = 'Reserving' WHERE id = 55$$, '23514', NULL, 'a CHECK is kept');
SET LOCAL vmnet.reason = '';
CREATE FUNCTION stamp() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN NEW.zone := current_user; RETURN NEW; END $$;
CREATE TRIGGER stamp BEFORE INSERT ON cloud.nic_history FOR EACH ROW EXECUTE FUNCTION stamp();
UPDATE cloud.nics SET state = 'Reserving' WHERE id = 55;
SELECT is((SELECT zone FROM cloud.nic_history WHERE nic_id = 55), current_user::text, 'a trigger runs');
UPDATE cloud.nics SET state = 'Releasing' WHERE network_id = 2;
SELECT is((SELECT count(*) FROM cloud.nic_history h JOIN cloud.all_nics n ON n.id = h.nic_id AND n.network_id = 2 AND h.zone = current_user AND chain(n.id) = 'A>Rg Rg>R R>Rl'),
	2500::bigint, '... for each of 2,500 rows');

SELECT * FROM finish();
ROLLBACK;
