-- Code of the owner in the tables that guards write and read: triggers of every
-- kind, defaults, CHECKs, domains, index expressions and predicates, generated
-- columns, rules and policies.  Each does what it does for any table, and each
-- runs as the owner, also where a superuser or an operator writes.
\i test/tap/setup.psql
\i test/tap/outcome.psql

SELECT plan(65);
SET LOCAL client_min_messages = warning;

CREATE ROLE vmnet_test_owner;
CREATE ROLE vmnet_test_operator;
CREATE ROLE vmnet_test_strong;
GRANT vmnet_test_owner TO vmnet_test_strong;
DO $$ BEGIN EXECUTE format('GRANT CREATE ON DATABASE %I TO vmnet_test_owner', current_database()); END $$;
SET LOCAL ROLE vmnet_test_owner;
SELECT vmnet.create_inventory('own') \g /dev/null
INSERT INTO own.networks (id) SELECT generate_series(1, 3);
INSERT INTO own.instances (id) SELECT generate_series(1, 200);
INSERT INTO own.nics (id, instance_id, network_id) SELECT n, n, 1 FROM generate_series(1, 200) n;
INSERT INTO own.nic_secondary_ips (nic_id, network_id, ip4_address) SELECT n, 1, '10.0.0.0'::inet + n FROM generate_series(1, 200) n;
GRANT USAGE ON SCHEMA own TO vmnet_test_operator;
GRANT SELECT, INSERT, UPDATE ON ALL TABLES IN SCHEMA own TO vmnet_test_operator;
RESET ROLE;

-- who ran what; anybody may write here
CREATE SCHEMA record;
GRANT USAGE ON SCHEMA record TO PUBLIC;
CREATE TABLE record.ran (what text, who name);
GRANT INSERT ON record.ran TO PUBLIC;
CREATE FUNCTION record.note(what text) RETURNS boolean LANGUAGE plpgsql AS $$ BEGIN INSERT INTO record.ran VALUES (what, current_user); RETURN true; END $$;
-- says that it is immutable, as the owner's may
CREATE FUNCTION record.fixed(what text, value anyelement) RETURNS anyelement LANGUAGE plpgsql IMMUTABLE AS $$ BEGIN PERFORM record.note(what); RETURN value; END $$;
CREATE FUNCTION record.fire() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
	PERFORM record.note(TG_NAME);
	IF TG_LEVEL = 'STATEMENT' OR TG_WHEN = 'AFTER' THEN
		RETURN NULL;
	END IF;
	RETURN NEW;
END
$$;
-- a command's outcome, who ran the owner's code in it, and how often
CREATE FUNCTION pg_temp.ran(who name, command text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	result text;
BEGIN
	DELETE FROM record.ran;
	result := pg_temp.outcome_as(who, command);
	RETURN result || coalesce(': ' || (SELECT string_agg(s, ', ' ORDER BY s COLLATE "C") FROM (SELECT DISTINCT r.what || ' ' || r.who AS s FROM record.ran r) d), '');
END
$$;

-- The next NIC in state Allocated, from Allocated to Reserving, with another address, and removed.
CREATE SEQUENCE pg_temp.next;
CREATE FUNCTION pg_temp.change(who name) RETURNS text LANGUAGE sql AS $$
	SELECT pg_temp.ran(who, format('UPDATE own.nics SET state = ''Reserving'' WHERE id = %s', nextval('pg_temp.next'))) $$;
CREATE FUNCTION pg_temp.move(who name) RETURNS text LANGUAGE sql AS $$
	SELECT pg_temp.ran(who, format('UPDATE own.nics SET ip4_address = ''10.1.0.0''::inet + id WHERE id = %s', nextval('pg_temp.next'))) $$;
CREATE FUNCTION pg_temp.remove(who name) RETURNS text LANGUAGE sql AS $$
	SELECT pg_temp.ran(who, format('UPDATE own.nics SET state = ''Deallocating'', removed = now() WHERE id = %s', nextval('pg_temp.next'))) $$;
CREATE TEMP TABLE caller (ord serial, who name);
INSERT INTO caller (who) VALUES ('vmnet_test_operator'), ('vmnet_test_strong'), ('vmnet_test_owner'), ('none');

-- Does something as the owner; each caller changes a NIC; it is undone.
CREATE FUNCTION pg_temp.trap(owners text, what text, act text) RETURNS SETOF text LANGUAGE plpgsql AS $$
DECLARE
	results text[] := '{}';
	entries bigint;
	c record;
BEGIN
	BEGIN
		PERFORM set_config('role', 'vmnet_test_owner', true);
		EXECUTE owners;
		PERFORM set_config('role', 'none', true);
		FOR c IN SELECT who FROM caller ORDER BY ord LOOP
			EXECUTE format('SELECT $1 || pg_temp.%I($2)', act) INTO results USING results, c.who;
		END LOOP;
		SELECT count(*) INTO entries FROM own.nic_history;
		RAISE EXCEPTION USING ERRCODE = 'UNDO1';
	EXCEPTION WHEN SQLSTATE 'UNDO1' THEN
		PERFORM set_config('role', 'none', true);
	END;
	RETURN NEXT is((SELECT string_agg(DISTINCT r, ' | ') FROM unnest(results) r), format('accepted: %s vmnet_test_owner', what), format('%s: %s', act, owners));
	IF act = 'change' THEN
		RETURN NEXT is(entries, 4::bigint, '... and every entry is there');
	END IF;
END
$$;

-- nic_history
SELECT pg_temp.trap(owners, what, 'change')
FROM (VALUES
	('CREATE TRIGGER t BEFORE INSERT ON own.nic_history FOR EACH ROW EXECUTE FUNCTION record.fire()', 't'),
	('CREATE TRIGGER t AFTER INSERT ON own.nic_history FOR EACH ROW EXECUTE FUNCTION record.fire()', 't'),
	('CREATE TRIGGER t BEFORE INSERT ON own.nic_history FOR EACH STATEMENT EXECUTE FUNCTION record.fire()', 't'),
	('CREATE TRIGGER t AFTER INSERT ON own.nic_history FOR EACH STATEMENT EXECUTE FUNCTION record.fire()', 't'),
	('CREATE TRIGGER t AFTER INSERT ON own.nic_history REFERENCING NEW TABLE AS new FOR EACH STATEMENT EXECUTE FUNCTION record.fire()', 't'),
	('CREATE CONSTRAINT TRIGGER t AFTER INSERT ON own.nic_history FOR EACH ROW EXECUTE FUNCTION record.fire()', 't'),
	('ALTER TABLE own.nic_history ADD x boolean DEFAULT record.note(''default'')', 'default'),
	('ALTER TABLE own.nic_history ADD x boolean; ALTER TABLE own.nic_history ALTER x SET DEFAULT record.note(''default'')', 'default'),
	('ALTER TABLE own.nic_history ADD CHECK (record.note(''check''))', 'check'),
	('ALTER TABLE own.nic_history ADD x bigint GENERATED ALWAYS AS (record.fixed(''generated'', nic_id)) STORED', 'generated'),
	('CREATE DOMAIN own.d AS text CHECK (record.note(''domain'')); ALTER TABLE own.nic_history ADD x own.d DEFAULT ''v''', 'domain'),
	('CREATE DOMAIN own.d AS text CHECK (record.note(''domain'')); ALTER TABLE own.nic_history ADD x own.d', 'domain'),
	('CREATE INDEX ON own.nic_history (record.fixed(''index'', nic_id))', 'index'),
	('CREATE INDEX ON own.nic_history (nic_id) WHERE record.fixed(''predicate'', true)', 'predicate'),
	('CREATE INDEX ON own.nic_history (nic_id) WHERE record.fixed(''predicate'', nic_id < 0)', 'predicate'),
	('CREATE RULE r AS ON INSERT TO own.nic_history DO ALSO SELECT record.note(''rule'')', 'rule')) v (owners, what);
-- a policy is not for the owner, though it be forced on him
CREATE FUNCTION pg_temp.forced() RETURNS text LANGUAGE sql AS $$ SELECT string_agg(pg_temp.change(who), ' | ' ORDER BY ord) FROM caller $$;
SAVEPOINT s;
ALTER TABLE own.nic_history ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY p ON own.nic_history USING (record.note('policy') AND false) WITH CHECK (record.note('policy') AND false);
SELECT is(pg_temp.forced(), 'accepted | accepted | accepted | accepted', 'a policy on nic_history hides nothing from history');
SELECT is((SELECT count(*) FROM own.nic_history), 4::bigint, '... and every entry is there');
ROLLBACK TO s;
-- triggers and predicates mean what they mean for any table
CREATE FUNCTION record.none() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN NULL; END $$;
CREATE TRIGGER t BEFORE INSERT ON own.nic_history FOR EACH ROW WHEN (NEW.reason = 'secret') EXECUTE FUNCTION record.none();
SET LOCAL vmnet.reason = 'secret';
SELECT is(pg_temp.change('vmnet_test_operator'), 'accepted', 'a trigger that leaves out entries');
RESET vmnet.reason;
SELECT is((SELECT count(*) FROM own.nic_history), 0::bigint, '... does so');
DROP TRIGGER t ON own.nic_history;
CREATE UNIQUE INDEX once ON own.nic_history (to_state) WHERE reason = 'once';
SET LOCAL vmnet.reason = 'once';
SELECT is(pg_temp.change('vmnet_test_operator'), 'accepted', 'a partial unique index');
SELECT is(pg_temp.change('vmnet_test_operator'), '23505 once', '... is one for entries that it is about');
RESET vmnet.reason;
SELECT is(pg_temp.change('vmnet_test_operator'), 'accepted', '... and only for them');
SELECT is((SELECT count(*) FROM own.nic_history), 2::bigint, '... and all that was accepted is there');
SET LOCAL enable_seqscan = off;
SELECT is((SELECT count(*) FROM own.nic_history WHERE reason = 'once' AND to_state = 'Reserving'), 1::bigint, '... in the index as well');
RESET enable_seqscan;
DROP INDEX own.once;
ALTER TABLE own.nic_history ADD CONSTRAINT apart EXCLUDE USING btree (nic_id WITH =);
SELECT is(pg_temp.outcome(format($$UPDATE own.nics SET state = 'Reserving' WHERE id = %1$s; UPDATE own.nics SET state = 'Reserved' WHERE id = %1$s$$, nextval('pg_temp.next'))), '23P01 apart', 'an exclusion constraint');
ALTER TABLE own.nic_history DROP CONSTRAINT apart;
ALTER TABLE own.nic_history ADD CONSTRAINT later UNIQUE (nic_id) DEFERRABLE INITIALLY IMMEDIATE;
SELECT is(pg_temp.outcome(format($$UPDATE own.nics SET state = 'Reserving' WHERE id = %1$s; UPDATE own.nics SET state = 'Reserved' WHERE id = %1$s$$, nextval('pg_temp.next'))), '23505 later', 'a deferrable one');
ALTER TABLE own.nic_history DROP CONSTRAINT later;

-- nic_address_history, all_nic_secondary_ips
SELECT pg_temp.trap(owners, what, 'move')
FROM (VALUES
	('CREATE TRIGGER t BEFORE INSERT ON own.nic_address_history FOR EACH ROW EXECUTE FUNCTION record.fire()', 't'),
	('CREATE TRIGGER t AFTER INSERT ON own.nic_address_history FOR EACH ROW EXECUTE FUNCTION record.fire()', 't'),
	('CREATE TRIGGER t AFTER INSERT ON own.nic_address_history FOR EACH STATEMENT EXECUTE FUNCTION record.fire()', 't'),
	('ALTER TABLE own.nic_address_history ADD CHECK (record.note(''check''))', 'check'),
	('CREATE INDEX ON own.nic_address_history (record.fixed(''index'', nic_id))', 'index')) v (owners, what);
SELECT pg_temp.trap(owners, what, 'remove')
FROM (VALUES
	('CREATE TRIGGER t BEFORE UPDATE ON own.all_nic_secondary_ips FOR EACH ROW EXECUTE FUNCTION record.fire()', 't'),
	('CREATE TRIGGER t AFTER UPDATE ON own.all_nic_secondary_ips FOR EACH ROW EXECUTE FUNCTION record.fire()', 't'),
	('CREATE TRIGGER t BEFORE UPDATE ON own.all_nic_secondary_ips FOR EACH STATEMENT EXECUTE FUNCTION record.fire()', 't'),
	('CREATE TRIGGER t AFTER UPDATE ON own.all_nic_secondary_ips FOR EACH STATEMENT EXECUTE FUNCTION record.fire()', 't'),
	('ALTER TABLE own.all_nic_secondary_ips ADD CHECK (record.note(''check''))', 'check'),
	('CREATE INDEX ON own.all_nic_secondary_ips (record.fixed(''index'', nic_id))', 'index'),
	('CREATE INDEX ON own.all_nic_secondary_ips (nic_id) WHERE record.fixed(''predicate'', true)', 'predicate')) v (owners, what);

-- What would run later, or stay behind, as the one who writes
CREATE CONSTRAINT TRIGGER t AFTER INSERT ON own.nic_history DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION record.fire();
SELECT is(pg_temp.change(who), got, format('a deferred trigger of the owner, and %s writes', who))
FROM (VALUES ('vmnet_test_operator'::name, '42501'), ('vmnet_test_strong', '42501'), ('none', '42501'), ('vmnet_test_owner', 'accepted')) v (who, got);
SET LOCAL ROLE vmnet_test_owner;
SET CONSTRAINTS ALL IMMEDIATE;
RESET ROLE;
SELECT set_eq('SELECT who FROM record.ran', ARRAY['vmnet_test_owner'], '... runs as the owner');
DROP TRIGGER t ON own.nic_history;
CREATE FUNCTION record.leave() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
	PERFORM set_config('search_path', 'record', false), set_config('vmnet.actor', 'somebody', false);
	RETURN NEW;
END
$$;
CREATE TRIGGER t BEFORE INSERT ON own.nic_history FOR EACH ROW EXECUTE FUNCTION record.leave();
SELECT current_setting('search_path') AS path \gset
SELECT is(pg_temp.change(who), 'accepted', format('a trigger that sets something, and %s writes', who)) FROM unnest(ARRAY['vmnet_test_operator', 'none']::name[]) who;
SELECT is(current_setting('search_path') || current_setting('vmnet.actor', true), :'path' || '', '... which is undone');
DROP TRIGGER t ON own.nic_history;
CREATE FUNCTION record.rise() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN EXECUTE 'SET LOCAL ROLE postgres'; RETURN NEW; EXCEPTION WHEN OTHERS THEN PERFORM record.note(SQLSTATE); RETURN NEW; END $$;
CREATE TRIGGER t BEFORE INSERT ON own.nic_history FOR EACH ROW EXECUTE FUNCTION record.rise();
SELECT is(pg_temp.change('none'), 'accepted: 42501 vmnet_test_owner', 'a trigger cannot become another role');
DROP TRIGGER t ON own.nic_history;
SELECT is(current_user, session_user, 'the user is who he was');

SELECT * FROM finish();
ROLLBACK;
