-- Whose rights the guards act with.  A guard becomes the owner of the very table
-- that it reads or writes, and what it reaches by name must be his: whatever the
-- catalog says, nobody gets at anything that is not his own.
\i test/tap/setup.psql
\i test/tap/outcome.psql

SELECT plan(86);
SET LOCAL client_min_messages = warning;

CREATE ROLE vmnet_test_owner;
CREATE ROLE vmnet_test_operator;
CREATE ROLE vmnet_test_worker;
CREATE ROLE vmnet_test_member IN ROLE vmnet_test_owner;
CREATE ROLE vmnet_test_strong;
DO $$ BEGIN EXECUTE format('GRANT CREATE ON DATABASE %I TO vmnet_test_owner', current_database()); END $$;
SET LOCAL ROLE vmnet_test_owner;
SELECT vmnet.create_inventory('own') \g /dev/null
INSERT INTO own.networks (id) SELECT generate_series(1, 3);
INSERT INTO own.instances (id) SELECT generate_series(1, 20);
INSERT INTO own.nics (id, instance_id, network_id) SELECT n, n, 1 FROM generate_series(1, 10) n;
INSERT INTO own.nic_secondary_ips (id, nic_id, network_id, ip4_address) SELECT n, n, 1, '10.0.0.0'::inet + n FROM generate_series(1, 10) n;
GRANT USAGE, CREATE ON SCHEMA own TO vmnet_test_worker, vmnet_test_member;
GRANT USAGE ON SCHEMA own TO vmnet_test_operator;
GRANT SELECT, INSERT, UPDATE ON ALL TABLES IN SCHEMA own TO vmnet_test_operator;
GRANT DELETE ON own.nics TO vmnet_test_operator;
GRANT USAGE ON ALL SEQUENCES IN SCHEMA own TO vmnet_test_operator;
RESET ROLE;
GRANT CREATE ON SCHEMA own TO vmnet_test_owner, vmnet_test_strong;
GRANT USAGE ON SCHEMA own TO vmnet_test_strong;

CREATE FUNCTION pg_temp.live() RETURNS bigint LANGUAGE sql AS 'SELECT count(*) FROM own.all_nic_secondary_ips WHERE removed IS NULL';
-- The HINT of a command's error, followed until it is accepted: the outcomes on the way.
CREATE FUNCTION pg_temp.follow(command text) RETURNS text
LANGUAGE plpgsql AS $$
DECLARE
	done text[] := '{}';
	got text; hint text; rel text;
BEGIN
	FOR i IN 1..5 LOOP
		BEGIN
			EXECUTE command;
			RETURN array_to_string(done || 'accepted'::text, ', ');
		EXCEPTION WHEN OTHERS THEN
			GET STACKED DIAGNOSTICS got = CONSTRAINT_NAME, hint = PG_EXCEPTION_HINT, rel = TABLE_NAME;
			done := done || concat_ws(' ', SQLSTATE, got, rel);
		END;
		EXECUTE split_part(hint, ';', 1);
	END LOOP;
	RETURN array_to_string(done, ', ');
END
$$;

--
-- A table that is named by the argument of a trigger
--
CREATE FUNCTION pg_temp.make_nics(who name, name text) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
	PERFORM set_config('role', who, true);
	EXECUTE format('CREATE TABLE own.%1$I_parent (id bigint PRIMARY KEY, removed timestamptz);
		INSERT INTO own.%1$I_parent VALUES (1);
		CREATE TABLE own.%1$I (id bigint, uuid uuid, instance_id bigint REFERENCES own.%1$I_parent, network_id bigint REFERENCES own.%1$I_parent,
			state text, strategy text, default_nic boolean, active boolean, created timestamptz, state_changed timestamptz, removed timestamptz);
		INSERT INTO own.%1$I VALUES (1, NULL, 1, 1, ''Allocated'', ''Start'', false, true, now(), now(), NULL)', name);
	PERFORM set_config('role', 'none', true);
END
$$;
SELECT pg_temp.make_nics('vmnet_test_worker', 'mine') \g /dev/null
SELECT pg_temp.make_nics('vmnet_test_member', 'members') \g /dev/null
SELECT pg_temp.make_nics('vmnet_test_strong', 'strongs') \g /dev/null
SELECT pg_temp.make_nics('vmnet_test_owner', 'owners') \g /dev/null
ALTER ROLE vmnet_test_strong BYPASSRLS;
GRANT vmnet_test_owner TO vmnet_test_strong;
SELECT is(pg_temp.outcome_as(who, format('CREATE TRIGGER x AFTER UPDATE ON own.%I FOR EACH ROW EXECUTE FUNCTION vmnet_internal.nic_secondary_ips_remove(''all_nic_secondary_ips'');
		UPDATE own.%I SET removed = ''2100-01-01''', tab, tab)), got, format('a look-alike of all_nics of %s', who))
FROM (VALUES ('vmnet_test_worker'::name, 'mine', '42501 inventory_owner'), ('vmnet_test_member', 'members', '42501 inventory_owner'),
	('vmnet_test_strong', 'strongs', '42501 inventory_owner'), ('vmnet_test_owner', 'owners', 'accepted')) v (who, tab, got);
SELECT is(pg_temp.live(), 9::bigint, 'only the owner has removed an address in this way');
SELECT is(pg_temp.outcome_as('vmnet_test_worker', $$CREATE TABLE own.plain (id bigint, removed timestamptz); INSERT INTO own.plain VALUES (2);
	CREATE TRIGGER x AFTER UPDATE ON own.plain FOR EACH ROW EXECUTE FUNCTION vmnet_internal.nic_secondary_ips_remove('all_nic_secondary_ips'); UPDATE own.plain SET removed = '2100-01-01'$$),
	'39P01', 'a table that is no table of NICs');
SELECT is(pg_temp.outcome_as('vmnet_test_worker', format($$CREATE TRIGGER y AFTER UPDATE ON own.mine FOR EACH ROW EXECUTE FUNCTION vmnet_internal.nic_secondary_ips_remove(%s);
	UPDATE own.mine SET removed = '2100-01-01'$$, argument)), '39P01', format('an argument that names %s', what))
FROM (VALUES ($$'nics'$$, 'a view'), ($$'all_nics_pkey'$$, 'an index'), ($$'all_nics_id_seq'$$, 'a sequence'), ($$'nothing'$$, 'nothing'), ('', 'none'),
	($$'mine_parent', 'all_nics'$$, 'two'), ($$'mine_parent'$$, 'a table of another shape'), ($$'mine'$$, 'the table itself')) v (argument, what);
SELECT is(pg_temp.outcome_as('vmnet_test_worker', $$CREATE TABLE own.ips (id bigint, nic_id bigint, network_id bigint, created timestamptz, removed timestamptz);
	CREATE TRIGGER x AFTER INSERT ON own.ips FOR EACH ROW EXECUTE FUNCTION vmnet_internal.secondary_ip_guard('all_nics'); INSERT INTO own.ips VALUES (1, 5, 1, now(), NULL)$$),
	'42501 inventory_owner', 'nor does the guard of addresses tell anything of somebody else''s NICs');
SELECT is(pg_temp.outcome_as('vmnet_test_owner', format($$CREATE TABLE own.ips (id bigint, nic_id bigint, network_id bigint, created timestamptz, removed timestamptz);
	CREATE TRIGGER x AFTER INSERT ON own.ips FOR EACH ROW EXECUTE FUNCTION vmnet_internal.secondary_ip_guard(%L); INSERT INTO own.ips VALUES (1, 5, 1, now(), NULL)$$, argument)),
	got, format('a guard of addresses that is told to look into %s', argument))
FROM (VALUES ('owners', '23503 secondary_ip_nic_active'), ('all_networks', '39P01'), ('nics', '39P01'), ('all_nic_secondary_ips', '39P01')) v (argument, got);
SELECT is(pg_temp.outcome($$ALTER TABLE own.all_nics DISABLE TRIGGER no_truncate$$), 'accepted', 'the inventory is as it was');

--
-- The sequence of nic_history
--
CREATE SCHEMA secret;
CREATE SEQUENCE secret.s;
CREATE TABLE secret.t (id bigserial);
CREATE SEQUENCE own.loose;
ALTER SEQUENCE own.loose OWNER TO vmnet_test_owner;
SELECT format('ALTER TABLE own.nic_history ALTER seq SET DEFAULT nextval(%L::regclass)', 'secret.s'::regclass::oid) AS point_to_s,
	format('ALTER TABLE own.nic_history ALTER seq SET DEFAULT nextval(%L::regclass)', 'secret.t'::regclass::oid) AS point_to_t,
	format('ALTER TABLE own.nic_history ALTER seq SET DEFAULT nextval(%L::regclass)', 'own.loose'::regclass::oid) AS point_to_loose \gset
CREATE FUNCTION pg_temp.untouched() RETURNS boolean LANGUAGE sql AS 'SELECT NOT (s.is_called OR t.is_called) FROM secret.s, secret.t_id_seq t';
-- What a change of state by a role comes to, after the owner has done something.
CREATE FUNCTION pg_temp.after(command text, who name) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	result text;
BEGIN
	PERFORM set_config('role', 'vmnet_test_owner', true);
	EXECUTE command;
	result := pg_temp.outcome_as(who, $q$UPDATE own.nics SET state = 'Reserving' WHERE id = 1$q$);
	RAISE EXCEPTION USING ERRCODE = 'UNDO1';
EXCEPTION WHEN SQLSTATE 'UNDO1' THEN
	RETURN result;
END
$$;
SELECT is(pg_temp.after(default_is, who), got, format('%s, and %s writes', what, who))
FROM (VALUES (:'point_to_s', '42501 inventory_owner', 'a sequence of somebody else'), (:'point_to_t', '39P01', 'a table'),
	(replace(:'point_to_s', '::regclass', '::text::regclass'), '39P01', 'a sequence by its name'),
	('ALTER TABLE own.nic_history ALTER seq SET DEFAULT 7', '39P01', 'a number'),
	('ALTER TABLE own.nic_history ALTER seq DROP DEFAULT', '39P01', 'no default'),
	(replace(:'point_to_s', 'nextval(', '1 + nextval('), '39P01', 'an expression'),
	($$ALTER TABLE own.nic_history DROP seq CASCADE; ALTER TABLE own.nic_history ADD seq numeric DEFAULT nextval('own.loose')$$, '39P01', 'another type'),
	($$CREATE DOMAIN own.number AS bigint; ALTER TABLE own.nic_history DROP seq CASCADE; ALTER TABLE own.nic_history ADD seq own.number DEFAULT nextval('own.loose')$$, '39P01', 'a domain'),
	('ALTER TABLE own.nic_history ALTER seq DROP DEFAULT; ALTER TABLE own.nic_history ALTER seq ADD GENERATED ALWAYS AS IDENTITY', 'accepted', 'an identity column'),
	(:'point_to_loose', 'accepted', 'another sequence of the owner')) d (default_is, got, what),
	unnest(ARRAY['vmnet_test_owner', 'vmnet_test_operator', 'vmnet_test_member']) who
ORDER BY what COLLATE "C", who COLLATE "C";
SELECT ok(pg_temp.untouched(), 'nobody else''s sequence was advanced');
GRANT USAGE ON SCHEMA secret TO vmnet_test_owner;
GRANT USAGE ON SEQUENCE secret.s TO vmnet_test_owner;
SELECT is(pg_temp.trial(:'point_to_s' || $$; UPDATE own.nics SET state = 'Reserving' WHERE id = 1$$), '42501 inventory_owner', 'not even one that the owner may use');
SELECT is(pg_temp.follow(:'point_to_s' || $$; UPDATE own.nics SET state = 'Reserving' WHERE id = 1$$), '42501 inventory_owner nic_history, accepted', 'the HINT mends it');
-- what is known of a sequence is forgotten when its owner changes
SELECT is(pg_temp.outcome($$UPDATE own.nics SET state = 'Reserved' WHERE id = 1; ALTER SEQUENCE secret.s OWNER TO vmnet_test_worker$$), 'accepted', 'a sequence that is in use is given away');
SELECT is(pg_temp.outcome($$UPDATE own.nics SET state = 'Releasing' WHERE id = 1$$), '42501 inventory_owner', 'and no longer used');
SELECT is(pg_temp.outcome($$ALTER TABLE own.nic_history ALTER seq SET DEFAULT nextval('own.nic_history_seq_seq')$$), 'accepted', 'the default is what it was');

--
-- Owners that differ
--
SELECT is(pg_temp.outcome($$UPDATE own.nics SET state = 'Reserving', ip4_address = '10.0.1.2' WHERE id = 2$$), 'accepted', 'all is warm');
SELECT is(pg_temp.outcome('ALTER TABLE own.nic_history OWNER TO vmnet_test_worker'), 'accepted', 'nic_history gets another owner');
SELECT is(pg_temp.outcome_as(who, $$UPDATE own.nics SET state = 'Reserved' WHERE id = 2$$), '42501 inventory_owner', format('%s changes a state', who))
FROM unnest(ARRAY['vmnet_test_owner', 'vmnet_test_operator', 'none']::name[]) who;
SELECT is(pg_temp.outcome($$UPDATE own.nics SET mtu = 9000 WHERE id = 2$$), 'accepted', 'what is not recorded can change');
SELECT is(pg_temp.follow($$UPDATE own.nics SET state = 'Reserved' WHERE id = 2$$), '42501 inventory_owner nic_history, accepted', 'the HINT mends it');
SELECT is(pg_temp.follow($$ALTER TABLE own.nic_address_history OWNER TO vmnet_test_worker; UPDATE own.nics SET ip4_address = '10.0.1.3' WHERE id = 2$$),
	'42501 inventory_owner nic_address_history, 42501 inventory_owner nic_address_history, 42501 inventory_owner nic_address_history, 42501 inventory_owner nic_address_history, 42501 inventory_owner nic_address_history',
	'nic_address_history, again and again');
ALTER TABLE own.nic_address_history OWNER TO vmnet_test_worker;
SELECT is(pg_temp.follow($$UPDATE own.nics SET ip4_address = '10.0.1.3' WHERE id = 2$$), '42501 inventory_owner nic_address_history, accepted', 'the HINT mends that, too');
ALTER TABLE own.all_nic_secondary_ips OWNER TO vmnet_test_worker;
SELECT is(pg_temp.follow('DELETE FROM own.nics WHERE id = 3'), '42501 inventory_owner all_nic_secondary_ips, accepted', 'and that of secondary addresses');
ALTER TABLE own.all_nics OWNER TO vmnet_test_worker;
SELECT is(pg_temp.follow($$UPDATE own.all_nics SET state = 'Deallocating', removed = now(), ip4_address = '10.0.1.4' WHERE id = 4$$),
	'42501 inventory_owner nic_history, 42501 inventory_owner nic_address_history, 42501 inventory_owner all_nic_secondary_ips, accepted', 'all_nics alone got another owner');
SELECT is((SELECT string_agg(relname || ' ' || relowner::regrole, ', ' ORDER BY relname) FROM pg_class
	WHERE relnamespace = 'own'::regnamespace AND relname IN ('nic_history', 'nic_address_history', 'all_nic_secondary_ips', 'nic_history_seq_seq')),
	'all_nic_secondary_ips vmnet_test_worker, nic_address_history vmnet_test_worker, nic_history vmnet_test_worker, nic_history_seq_seq vmnet_test_worker', 'who owns the rest now, too');
SELECT is(pg_temp.outcome($$UPDATE own.networks SET removed = now() WHERE id = 1$$), '23503 network_in_use', 'a network of another owner than its NICs is guarded by all of them');
SELECT is(pg_temp.outcome($$INSERT INTO own.nics (id, instance_id, network_id) VALUES (11, 11, 1)$$), 'accepted', 'and a NIC can be added to it');
REASSIGN OWNED BY vmnet_test_worker TO vmnet_test_owner;
SELECT is(pg_temp.outcome_as('vmnet_test_operator', $$UPDATE own.nics SET state = 'Reserving', ip4_address = '10.0.1.5' WHERE id = 5; DELETE FROM own.nics WHERE id = 5$$), 'accepted', 'REASSIGN OWNED mends everything');
ALTER SCHEMA own OWNER TO vmnet_test_worker;
GRANT USAGE, CREATE ON SCHEMA own TO vmnet_test_owner;
SELECT is(pg_temp.outcome_as('vmnet_test_operator', $$UPDATE own.nics SET state = 'Reserving', ip4_address = '10.0.1.6' WHERE id = 6; DELETE FROM own.nics WHERE id = 6$$), 'accepted', 'the schema may be anybody''s');
-- a partition is reached through its parent
SAVEPOINT s;
ALTER TABLE own.nic_history RENAME TO part;
ALTER TABLE own.part ALTER seq DROP DEFAULT;
SET LOCAL ROLE vmnet_test_owner;
CREATE TABLE own.nic_history (LIKE own.part INCLUDING DEFAULTS) PARTITION BY LIST (nic_id);
ALTER TABLE own.nic_history ALTER seq SET DEFAULT nextval('own.loose');
ALTER TABLE own.nic_history ATTACH PARTITION own.part DEFAULT;
RESET ROLE;
ALTER TABLE own.part OWNER TO vmnet_test_worker;
SELECT is(pg_temp.outcome_as('vmnet_test_operator', $$UPDATE own.nics SET state = 'Reserving' WHERE id = 7$$), 'accepted', 'a partition may be anybody''s');
SELECT is((SELECT count(*) FROM own.nic_history WHERE nic_id = 7), 1::bigint, 'and gets its entry');
ROLLBACK TO s;

--
-- What nic_history and parents can be
--
SELECT is(pg_temp.trial(format($$ALTER TABLE own.nic_history RENAME TO old; %s; UPDATE own.nics SET state = 'Reserving' WHERE id = 8$$, command)), got, format('nic_history is %s', what))
FROM (VALUES ('CREATE VIEW own.nic_history AS SELECT * FROM own.old; ALTER VIEW own.nic_history OWNER TO vmnet_test_owner', '39P01', 'a view'),
	('CREATE MATERIALIZED VIEW own.nic_history AS SELECT * FROM own.old; ALTER MATERIALIZED VIEW own.nic_history OWNER TO vmnet_test_owner', '39P01', 'a materialized view'),
	('CREATE SEQUENCE own.nic_history; ALTER SEQUENCE own.nic_history OWNER TO vmnet_test_owner', '39P01', 'a sequence'),
	('CREATE TABLE own.nic_history (seq bigserial, nic_id text); ALTER TABLE own.nic_history OWNER TO vmnet_test_owner', '39P01', 'a table of another shape'),
	('SELECT', '39P01', 'gone')) v (command, got, what);
CREATE FUNCTION pg_temp.with_key(type text, refer text) RETURNS text LANGUAGE sql AS $$
	SELECT pg_temp.outcome(format('DROP SCHEMA IF EXISTS odd CASCADE; CREATE SCHEMA odd;
		CREATE DOMAIN odd.key AS bigint;
		CREATE TABLE odd.parent (id %s PRIMARY KEY, removed timestamptz);
		CREATE TRIGGER g AFTER UPDATE ON odd.parent FOR EACH ROW EXECUTE FUNCTION vmnet_internal.network_guard();
		INSERT INTO odd.parent VALUES (1), (-2), (3);
		CREATE TABLE odd.nics (id bigint, instance_id bigint REFERENCES odd.parent, network_id bigint REFERENCES odd.parent,
			state text, strategy text, default_nic boolean, active boolean, created timestamptz, state_changed timestamptz, removed timestamptz);
		CREATE TRIGGER a BEFORE INSERT OR UPDATE ON odd.nics FOR EACH ROW EXECUTE FUNCTION vmnet_internal.nic_prepare();
		CREATE TRIGGER b AFTER INSERT OR UPDATE ON odd.nics FOR EACH ROW EXECUTE FUNCTION vmnet_internal.nic_guard();
		INSERT INTO odd.nics VALUES (1, 1, -2, ''Allocated'', ''Start'', false, true, now(), now(), NULL); %s', type, refer))
$$;
SELECT is(pg_temp.with_key(type, 'UPDATE odd.parent SET removed = now() WHERE id = -2'), got, format('a key of type %s: its network is in use', type))
FROM (VALUES ('smallint', '23503 network_in_use'), ('int', '23503 network_in_use'), ('bigint', '23503 network_in_use'), ('odd.key', '23503 network_in_use'),
	('numeric', '39P01'), ('float8', '39P01')) v (type, got);
SELECT is(pg_temp.with_key('int', $$UPDATE odd.parent SET removed = now() WHERE id = 3; INSERT INTO odd.nics VALUES (2, 1, 3, 'Allocated', 'Start', false, true, now(), now(), NULL)$$),
	'23503 nic_parent_active', 'and one that is removed gets no NIC');

SELECT * FROM finish();
ROLLBACK;
