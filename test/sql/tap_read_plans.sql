-- Saved plans: a read is right after whatever happens to its inventory in the
-- same session, for whoever calls it, and calls nothing that somebody planted.
\i test/tap/setup.psql

SELECT plan(48);

-- What every read says of an inventory, and what plain SQL over its all_*
-- tables says.  The reads are called from a function, where calls and their
-- plans are kept, as they are in C.
CREATE FUNCTION pg_temp.answers(inventory name DEFAULT NULL) RETURNS text LANGUAGE sql VOLATILE AS $$
	SELECT concat_ws(' | ',
		(SELECT string_agg(concat_ws(':', w, f.instance_id, f.instance_name, f.instance_state, f.nic_count, f.nic_id, f.nic_state), ' ' ORDER BY w, ordinality)
			FROM generate_series(1, 4) w, vmnet.network_active_instances(w, NULL, NULL, $1) WITH ORDINALITY f),
		(SELECT string_agg(concat_ws(':', w, f.nic_id, f.nic_state, f.instance_name), ' ' ORDER BY w, ordinality)
			FROM generate_series(1, 4) w, vmnet.network_active_nics(w, $1) WITH ORDINALITY f),
		(SELECT string_agg(concat_ws(':', i, f.network_id, f.network_name, f.nic_count, f.nic_id), ' ' ORDER BY i, ordinality)
			FROM generate_series(1, 6) i, vmnet.instance_active_networks(i, $1) WITH ORDINALITY f),
		(SELECT string_agg(concat_ws(':', v, f.instance_id, f.network_count, f.nic_count), ' ' ORDER BY v, ordinality)
			FROM generate_series(1, 2) v, vmnet.vpc_active_instances(v, $1) WITH ORDINALITY f),
		(SELECT string_agg(concat_ws(':', w, vmnet.network_active_instance_count(w, $1), vmnet.network_in_use(w, $1)), ' ' ORDER BY w)
			FROM generate_series(1, 4) w),
		(SELECT string_agg(concat_ws(':', g, vmnet.network_id(md5('network' || g)::uuid, $1), vmnet.instance_id(md5('instance' || g)::uuid, $1)), ' ' ORDER BY g)
			FROM generate_series(1, 5) g))
$$;
CREATE FUNCTION pg_temp.oracle(inventory name DEFAULT 'cloud') RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	answer text;
BEGIN
	EXECUTE format($sql$
		WITH live AS (SELECT n.id AS nic_id, n.state AS nic_state, w.id AS network_id, w.name AS network_name, w.vpc_id, i.id AS instance_id, i.name, i.state
			FROM %1$I.all_nics n JOIN %1$I.all_networks w ON w.id = n.network_id JOIN %1$I.all_instances i ON i.id = n.instance_id
			WHERE n.removed IS NULL AND n.state <> 'Deallocating' AND w.removed IS NULL AND i.removed IS NULL)
		SELECT concat_ws(' | ',
			(SELECT string_agg(concat_ws(':', network_id, instance_id, name, state, 1, nic_id, nic_state), ' ' ORDER BY network_id, instance_id) FROM live),
			(SELECT string_agg(concat_ws(':', n.network_id, n.id, n.state, i.name), ' ' ORDER BY n.network_id, n.id)
				FROM %1$I.all_nics n JOIN %1$I.all_networks w ON w.id = n.network_id AND w.removed IS NULL LEFT JOIN %1$I.all_instances i ON i.id = n.instance_id
				WHERE n.removed IS NULL AND n.state <> 'Deallocating' AND i.removed IS NULL),
			(SELECT string_agg(concat_ws(':', instance_id, network_id, network_name, 1, nic_id), ' ' ORDER BY instance_id, network_id) FROM live),
			(SELECT string_agg(concat_ws(':', vpc_id, instance_id, n, n), ' ' ORDER BY vpc_id, instance_id)
				FROM (SELECT vpc_id, instance_id, count(*) AS n FROM live WHERE vpc_id IS NOT NULL GROUP BY 1, 2) v),
			(SELECT string_agg(concat_ws(':', g, (SELECT count(*) FROM live WHERE network_id = g),
				EXISTS (SELECT FROM %1$I.all_nics n JOIN %1$I.all_networks w ON w.id = n.network_id WHERE w.id = g AND w.removed IS NULL AND n.removed IS NULL)), ' ' ORDER BY g)
				FROM generate_series(1, 4) g),
			(SELECT string_agg(concat_ws(':', g, (SELECT id FROM %1$I.all_networks WHERE removed IS NULL AND uuid = md5('network' || g)::uuid),
				(SELECT id FROM %1$I.all_instances WHERE removed IS NULL AND uuid = md5('instance' || g)::uuid)), ' ' ORDER BY g) FROM generate_series(1, 5) g))
		$sql$, inventory) INTO answer;
	RETURN answer;
END $$;
CREATE FUNCTION pg_temp.fill(inventory text, shift int DEFAULT 0) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
	EXECUTE format($sql$
		INSERT INTO %1$I.networks (id, uuid, name, vpc_id, account_name)
		SELECT g, md5('network' || g)::uuid, 'net' || g || 's' || %2$s, CASE WHEN g < 4 THEN 1 + g %% 2 END, 'regress_vmnet_' || chr(96 + 1 + g %% 2) FROM generate_series(1, 4) g;
		INSERT INTO %1$I.instances (id, uuid, name, state, account_name)
		SELECT g, md5('instance' || g)::uuid, 'vm' || g || 's' || %2$s, 'Running', 'regress_vmnet_' || chr(97 + g %% 2) FROM generate_series(1, 5) g;
		INSERT INTO %1$I.nics (id, network_id, instance_id, reserver_name)
		SELECT g, 1 + (g + %2$s) %% 3, 1 + g %% 5, 'regress_vmnet_' || chr(97 + (1 + g %% 5) %% 2) FROM generate_series(1, 14) g;
		UPDATE %1$I.nics SET state = 'Deallocating' WHERE id IN (2, 9);
		UPDATE %1$I.all_nics SET removed = now() WHERE id = 9;
		DELETE FROM %1$I.nics WHERE id = 4$sql$, inventory, shift);
END $$;
SELECT pg_temp.fill('cloud') \g /dev/null

CREATE FUNCTION pg_temp.right(what text) RETURNS text LANGUAGE sql AS $$
	SELECT is(pg_temp.answers(), pg_temp.oracle(), $1)
$$;
SELECT pg_temp.right('the reads are right before anything happens');
SELECT isnt(pg_temp.oracle(), replace(pg_temp.oracle(), 's0', 's1'), 'and there is something to read');

-- Definitions change
ALTER TABLE cloud.all_nics ADD COLUMN note text DEFAULT 'x';
ALTER TABLE cloud.all_instances ADD COLUMN name2 text DEFAULT 'x';
ALTER TABLE cloud.all_networks ADD COLUMN extra int;
SELECT pg_temp.right('columns added');
ALTER TABLE cloud.all_nics RENAME COLUMN note TO remark;
SELECT pg_temp.right('a user''s column renamed');
ALTER TABLE cloud.all_nics DROP COLUMN remark, ADD COLUMN again bigint DEFAULT 5;
ALTER TABLE cloud.all_instances DROP COLUMN name2;
SELECT pg_temp.right('columns dropped and added');
ALTER TABLE cloud.all_nics ALTER COLUMN again TYPE text;
SELECT pg_temp.right('a user''s column of another type: the table is written anew');
DROP INDEX cloud.all_nics_active_idx, cloud.all_nics_instance_idx;
SELECT pg_temp.right('the indexes that the plans use dropped');
CREATE INDEX ON cloud.all_nics (network_id, instance_id) WHERE active;
ANALYZE cloud.all_nics, cloud.all_instances, cloud.all_networks;
SELECT pg_temp.right('another index, and statistics');
SELECT format('CREATE OR REPLACE VIEW cloud.nics WITH (security_invoker = true) AS SELECT %s, again FROM cloud.all_nics WHERE active', string_agg(quote_ident(attname), ', ' ORDER BY attnum))
FROM pg_attribute WHERE attrelid = 'cloud.nics'::regclass AND attnum > 0 \gexec
SELECT pg_temp.right('a column appended to a view');
DISCARD PLANS;
SELECT pg_temp.right('plans discarded');
UPDATE cloud.nics SET state = 'Reserving' WHERE id = 6;
INSERT INTO cloud.instances (id, uuid, name) VALUES (6, md5('instance6')::uuid, 'new');
INSERT INTO cloud.nics (id, instance_id, network_id) VALUES (20, 6, 3);
DELETE FROM cloud.nics WHERE id = 7;
SELECT pg_temp.right('and rows that changed meanwhile are seen');

-- Names change
ALTER SCHEMA cloud RENAME TO sky;
SELECT is(pg_temp.answers('sky'), pg_temp.oracle('sky'), 'an inventory renamed');
SELECT throws_ok('SELECT * FROM vmnet.network_active_instances(1)', '22023', 'inventory "cloud" does not exist', 'the old name is unknown');
SELECT vmnet.create_inventory('cloud'), pg_temp.fill('cloud', 1) \g /dev/null
SELECT pg_temp.right('another inventory of the old name');
SELECT isnt(pg_temp.oracle('cloud'), pg_temp.oracle('sky'), 'which holds other rows');
SELECT is(pg_temp.answers('sky'), pg_temp.oracle('sky'), 'the renamed one is still itself');
ALTER SCHEMA cloud RENAME TO swap;
ALTER SCHEMA sky RENAME TO cloud;
ALTER SCHEMA swap RENAME TO sky;
SELECT pg_temp.right('two inventories swap their names: the one');
SELECT is(pg_temp.answers('sky'), pg_temp.oracle('sky'), 'two inventories swap their names: the other');

SAVEPOINT undone;
ALTER SCHEMA cloud RENAME TO elsewhere;
ALTER TABLE elsewhere.all_nics RENAME COLUMN again TO once_more;
SELECT pg_temp.answers('elsewhere') = pg_temp.oracle('elsewhere') AS same \gset
ROLLBACK TO undone;
SELECT ok(:'same', 'renamed in a subtransaction');
SELECT pg_temp.right('and back, when it is undone');
SAVEPOINT undone;
SELECT vmnet.create_inventory('brief'), pg_temp.fill('brief') \g /dev/null
SELECT pg_temp.answers('brief') = pg_temp.oracle('brief') AS same \gset
ROLLBACK TO undone;
SELECT ok(:'same', 'an inventory made in a subtransaction');
SELECT throws_ok('SELECT * FROM vmnet.network_active_instances(1, inventory => ''brief'')', '22023', 'inventory "brief" does not exist', 'gone when that is undone');
SELECT vmnet.create_inventory('brief'), pg_temp.fill('brief', 2) \g /dev/null
SELECT is(pg_temp.answers('brief'), pg_temp.oracle('brief'), 'and made again');

-- Inventories and the extension go and come
SET LOCAL client_min_messages = warning;
SELECT throws_ok('DROP EXTENSION vmnet_ext', '2BP01', NULL, 'the extension cannot be dropped while an inventory stands');
SELECT pg_temp.right('and nothing is lost by trying');
DROP SCHEMA cloud CASCADE;
SELECT vmnet.create_inventory('cloud') \g /dev/null
SELECT pg_temp.right('an inventory dropped and made again is empty');
SELECT pg_temp.fill('cloud', 2) \g /dev/null
SELECT pg_temp.right('and is filled again');
DROP SCHEMA cloud, sky, brief CASCADE;
SELECT lives_ok('DROP EXTENSION vmnet_ext', 'without an inventory the extension can be dropped');
CREATE EXTENSION vmnet_ext;
SELECT vmnet.create_inventory('cloud'), pg_temp.fill('cloud') \g /dev/null
SELECT pg_temp.right('the extension dropped and made again in one session');
UPDATE cloud.nics SET state = 'Deallocating' WHERE id = 1;
SELECT throws_ok('UPDATE cloud.networks SET removed = now() WHERE id = 1', '23503', NULL, 'its guards too');

-- Other tables of the same names
CREATE TEMP TABLE nics (id bigint, network_id bigint, instance_id bigint, state text, active boolean);
CREATE TEMP TABLE all_nics (LIKE nics);
CREATE TEMP TABLE networks (id bigint, uuid uuid, name text);
CREATE TEMP TABLE instances (LIKE networks);
CREATE TEMP TABLE network_instances (network_id bigint, instance_id bigint);
CREATE TEMP TABLE inventory_info (kind text);
SELECT pg_temp.right('temporary tables of the same names are not read');
SET LOCAL search_path = pg_temp, cloud, public;
SELECT pg_temp.right('nor with another search path');
RESET search_path;
DROP TABLE nics, all_nics, networks, instances, network_instances, inventory_info;

-- Row-level security: who calls decides what is seen, call by call.
CREATE ROLE regress_vmnet_a;
CREATE ROLE regress_vmnet_b;
GRANT USAGE ON SCHEMA cloud TO regress_vmnet_a, regress_vmnet_b;
GRANT SELECT ON ALL TABLES IN SCHEMA cloud TO regress_vmnet_a, regress_vmnet_b;
ALTER TABLE cloud.all_nics ENABLE ROW LEVEL SECURITY;
ALTER TABLE cloud.all_instances ENABLE ROW LEVEL SECURITY;
ALTER TABLE cloud.all_networks ENABLE ROW LEVEL SECURITY;
CREATE POLICY own ON cloud.all_nics USING (reserver_name = current_user);
CREATE POLICY own ON cloud.all_instances USING (account_name = current_user);
CREATE POLICY own ON cloud.all_networks USING (account_name = current_user OR id = 1);
SELECT pg_temp.right('policies do not change what the owner reads');

-- What a role may see, by plain SQL over the rows that are its own.
CREATE TABLE own_rows (role text, answer text);
CREATE FUNCTION pg_temp.expect(role text) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
	CREATE SCHEMA mine;
	EXECUTE format('CREATE TABLE mine.all_nics AS SELECT * FROM cloud.all_nics WHERE reserver_name = %L', role);
	EXECUTE format('CREATE TABLE mine.all_instances AS SELECT * FROM cloud.all_instances WHERE account_name = %L', role);
	EXECUTE format('CREATE TABLE mine.all_networks AS SELECT * FROM cloud.all_networks WHERE account_name = %L OR id = 1', role);
	INSERT INTO own_rows VALUES (role, pg_temp.oracle('mine'));
	DROP SCHEMA mine CASCADE;
END $$;
SELECT pg_temp.expect('regress_vmnet_a'), pg_temp.expect('regress_vmnet_b') \g /dev/null
SELECT is((SELECT count(DISTINCT answer) FROM (SELECT answer FROM own_rows UNION ALL SELECT pg_temp.oracle()) a), 3::bigint,
	'two roles and the owner see three different things');
CREATE TEMP TABLE told (call serial, role text DEFAULT current_user, answer text);
GRANT ALL ON told, told_call_seq TO PUBLIC;
DO $$
DECLARE
	temp_schema text := (SELECT nspname FROM pg_namespace WHERE oid = pg_my_temp_schema());
BEGIN
	EXECUTE format('GRANT USAGE ON SCHEMA %I TO PUBLIC', temp_schema);
	FOR i IN 1..3 LOOP
		SET LOCAL ROLE regress_vmnet_a;
		INSERT INTO told (answer) VALUES (pg_temp.answers());
		SET LOCAL ROLE regress_vmnet_b;
		INSERT INTO told (answer) VALUES (pg_temp.answers());
		RESET ROLE;
		INSERT INTO told (answer) VALUES (pg_temp.answers());
	END LOOP;
END $$;
SELECT results_eq('SELECT count(*) FROM told', 'VALUES (9::bigint)', 'asked in turn, three times each');
SELECT is_empty('SELECT * FROM told t JOIN own_rows o USING (role) WHERE t.answer <> o.answer',
	'each role sees its own rows, through every read, call by call');
SELECT is_empty('SELECT * FROM told t WHERE t.role NOT IN (SELECT role FROM own_rows) AND answer <> pg_temp.oracle()', 'and the owner sees all');

-- A policy that changes while plans are kept, a role with no rights, and one
-- that insists on seeing all.
DROP POLICY own ON cloud.all_nics;
CREATE POLICY none ON cloud.all_nics USING (id = 1000);
CREATE ROLE regress_vmnet_c;
CREATE FUNCTION pg_temp.as_role(role text, command text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	answer text;
BEGIN
	EXECUTE format('SET LOCAL ROLE %I', role);
	EXECUTE command INTO answer;
	RESET ROLE;
	RETURN answer;
EXCEPTION WHEN OTHERS THEN
	RETURN SQLSTATE;
END $$;
CREATE TEMP TABLE reads (read text);
INSERT INTO reads VALUES ('SELECT count(*) FROM vmnet.network_active_instances(1)'), ('SELECT count(*) FROM vmnet.network_active_nics(1)'),
	('SELECT count(*) FROM vmnet.instance_active_networks(1)'), ('SELECT count(*) FROM vmnet.vpc_active_instances(1)'),
	('SELECT vmnet.network_active_instance_count(1)'), ('SELECT vmnet.network_in_use(1)');
SELECT set_eq($$SELECT pg_temp.as_role('regress_vmnet_a', read) FROM reads$$, $$VALUES ('0'), ('false')$$, 'a policy that changed is followed');
SELECT set_eq($$SELECT pg_temp.as_role('regress_vmnet_c', read) FROM reads
	UNION ALL SELECT pg_temp.as_role('regress_vmnet_c', 'SELECT vmnet.network_id(gen_random_uuid())')
	UNION ALL SELECT pg_temp.as_role('regress_vmnet_c', 'SELECT vmnet.instance_id(gen_random_uuid())')$$, $$VALUES ('42501')$$,
	'who has no rights on the inventory is refused by every read, though others have used its plan');
GRANT USAGE ON SCHEMA cloud TO regress_vmnet_c;
GRANT SELECT ON cloud.all_networks, cloud.all_instances, cloud.networks, cloud.instances, cloud.nics, cloud.network_instances, cloud.vpc_instances TO regress_vmnet_c;
SELECT set_eq($$SELECT pg_temp.as_role('regress_vmnet_c', read) FROM reads$$, $$VALUES ('42501')$$, 'rights on the views alone do not open the table of NICs');
SET LOCAL row_security = off;
SELECT set_eq($$SELECT pg_temp.as_role('regress_vmnet_a', read) FROM reads$$, $$VALUES ('42501')$$, 'row_security = off is an error, not more rows');
RESET row_security;
ALTER TABLE cloud.all_nics DISABLE ROW LEVEL SECURITY;
ALTER TABLE cloud.all_instances DISABLE ROW LEVEL SECURITY;
ALTER TABLE cloud.all_networks DISABLE ROW LEVEL SECURITY;

-- Planted operators, functions and types, in a schema before pg_catalog, and
-- functions and tables in pg_temp: none is ever called.  A sequence counts the
-- calls, so that none is lost with an error.
CREATE SCHEMA trap;
CREATE SEQUENCE trap.calls;
CREATE TEMP SEQUENCE temp_calls;
CREATE FUNCTION pg_temp.plant(signature text, result text, value text) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
	EXECUTE format('CREATE FUNCTION trap.%s RETURNS %s LANGUAGE plpgsql AS %L', signature, result,
		format('BEGIN PERFORM pg_catalog.nextval(%L); RETURN %s; END', 'trap.calls', value));
	EXECUTE format('CREATE FUNCTION pg_temp.%s RETURNS %s LANGUAGE plpgsql AS %L', signature, result,
		format('BEGIN PERFORM pg_catalog.nextval(%L); RETURN %s; END', 'trap.calls', value));
END $$;
SELECT pg_temp.plant(format('op%s_%s(%s, %s)', row_number() OVER (), md5(t), t, t), 'boolean', 'true'),
	pg_temp.plant(format('coalesce%s(%s)', row_number() OVER (), t), t, 'NULL')
FROM unnest(ARRAY['bigint', 'int', 'text', 'uuid', 'boolean', 'timestamptz', 'name', 'oid', '"char"', 'inet', 'macaddr', 'smallint']) t \g /dev/null
DO $$
DECLARE
	f record;
	op text;
BEGIN
	FOR f IN SELECT p.proname, format_type(p.proargtypes[0], NULL) AS t FROM pg_proc p
		WHERE p.pronamespace = 'trap'::regnamespace AND p.proname LIKE 'op%' ORDER BY 1
	LOOP
		FOREACH op IN ARRAY ARRAY['=', '<>', '<', '<=', '>', '>=', '~~', '~'] LOOP
			EXECUTE format('CREATE OPERATOR trap.%s (LEFTARG = %s, RIGHTARG = %s, FUNCTION = trap.%s)', op, f.t, f.t, f.proname);
		END LOOP;
	END LOOP;
END $$;
SELECT pg_temp.plant('op_bigint_int(bigint, int)', 'boolean', 'true'), pg_temp.plant('concat_op(text, text)', 'text', $$''$$),
	pg_temp.plant('add_op(bigint, bigint)', 'bigint', '0') \g /dev/null
CREATE OPERATOR trap.= (LEFTARG = bigint, RIGHTARG = int, FUNCTION = trap.op_bigint_int);
CREATE OPERATOR trap.|| (LEFTARG = text, RIGHTARG = text, FUNCTION = trap.concat_op);
CREATE OPERATOR trap.- (LEFTARG = bigint, RIGHTARG = bigint, FUNCTION = trap.add_op);
SELECT pg_temp.plant('now()', 'timestamptz', 'NULL'), pg_temp.plant('lower(text)', 'text', $$'deallocating'$$),
	pg_temp.plant('isfinite(timestamptz)', 'boolean', 'true'), pg_temp.plant('family(inet)', 'int', '4'), pg_temp.plant('masklen(inet)', 'int', '32'),
	pg_temp.plant('gen_random_uuid()', 'uuid', 'NULL'), pg_temp.plant('count(anyelement)', 'bigint', '99'), pg_temp.plant('sum(bigint)', 'numeric', '99'),
	pg_temp.plant('octet_length(text)', 'int', '1'), pg_temp.plant('obj_description(oid, name)', 'text', $$'x'$$),
	pg_temp.plant('format(text, text)', 'text', $$'SELECT 1'$$), pg_temp.plant('format(text, text, text)', 'text', $$'SELECT 1'$$),
	pg_temp.plant('format(text, text, text, text)', 'text', $$'SELECT 1'$$), pg_temp.plant('format(text, text, text, text, text, text)', 'text', $$'SELECT 1'$$),
	pg_temp.plant('row_number()', 'bigint', '1'), pg_temp.plant('clock_timestamp()', 'timestamptz', 'NULL'), pg_temp.plant('nextval(regclass)', 'bigint', '1'),
	pg_temp.plant('pg_get_userbyid(oid)', 'name', $$'x'$$), pg_temp.plant('quote_ident(text)', 'text', $$'x'$$),
	pg_temp.plant('int8(int)', 'bigint', '1'), pg_temp.plant('nic_guard()', 'void', ''), pg_temp.plant('list_inventories()', 'text', $$'x'$$) \g /dev/null
CREATE FUNCTION trap.trapped(anyelement) RETURNS boolean LANGUAGE plpgsql AS 'BEGIN PERFORM pg_catalog.nextval(''trap.calls''); RETURN true; END';
CREATE FUNCTION trap.step(bigint) RETURNS bigint LANGUAGE plpgsql AS 'BEGIN PERFORM pg_catalog.nextval(''trap.calls''); RETURN 99; END';
CREATE AGGREGATE trap.count(*) (SFUNC = trap.step, STYPE = bigint, INITCOND = '0');
CREATE DOMAIN trap.text AS pg_catalog.text CHECK (trap.trapped(VALUE));
CREATE DOMAIN trap.name AS pg_catalog.name CHECK (trap.trapped(VALUE));
CREATE DOMAIN trap.uuid AS pg_catalog.uuid CHECK (trap.trapped(VALUE));
CREATE DOMAIN trap.int8 AS pg_catalog.int8 CHECK (trap.trapped(VALUE));
CREATE DOMAIN trap.timestamptz AS pg_catalog.timestamptz CHECK (trap.trapped(VALUE));
CREATE DOMAIN pg_temp.text AS pg_catalog.text CHECK (trap.trapped(VALUE));
CREATE DOMAIN pg_temp.timestamptz AS pg_catalog.timestamptz CHECK (trap.trapped(VALUE));
CREATE DOMAIN pg_temp.record AS pg_catalog.text CHECK (trap.trapped(VALUE));
CREATE VIEW pg_temp.pg_namespace AS SELECT 'x'::pg_catalog.name AS nspname, trap.trapped(1) AS oid;
CREATE VIEW pg_temp.nics AS SELECT trap.trapped(1) AS id;
CREATE VIEW trap.pg_class AS SELECT trap.trapped(1) AS oid;
CREATE VIEW trap.pg_extension AS SELECT 'x'::pg_catalog.text AS extversion, trap.trapped(1) AS extname;
CREATE VIEW trap.networks AS SELECT trap.trapped(1) AS id;

-- Nothing of this may be planned before it is planted.
DISCARD PLANS;
SET LOCAL search_path = trap, pg_temp, pg_catalog, public;
-- create_inventory(), both kinds
SELECT vmnet.create_inventory('after') \g /dev/null
SELECT vmnet.create_inventory('mirror of it', 'mirror') \g /dev/null
TABLE vmnet.inventories \g /dev/null
SET LOCAL search_path = pg_catalog, public, pg_temp;
SELECT is((SELECT is_called FROM trap.calls), false, 'create_inventory() and vmnet.inventories call nothing planted');
SET LOCAL search_path = trap, pg_temp, pg_catalog, public;
-- the reads
SELECT * FROM vmnet.network_active_instances(1) \g /dev/null
SELECT * FROM vmnet.network_active_instances(1, 2, 2, 'cloud') \g /dev/null
SELECT * FROM vmnet.network_active_nics(1) \g /dev/null
SELECT * FROM vmnet.instance_active_networks(1) \g /dev/null
SELECT * FROM vmnet.vpc_active_instances(1) \g /dev/null
SELECT vmnet.network_active_instance_count(1), vmnet.network_in_use(1) \g /dev/null
SELECT vmnet.network_id('00000000-0000-0000-0000-000000000001'), vmnet.instance_id('00000000-0000-0000-0000-000000000001') \g /dev/null
TABLE cloud.networks \g /dev/null
TABLE cloud.instances \g /dev/null
TABLE cloud.nics \g /dev/null
TABLE cloud.network_instances \g /dev/null
TABLE cloud.network_counts \g /dev/null
TABLE cloud.vpc_instances \g /dev/null
TABLE "mirror of it".nics \g /dev/null
SELECT * FROM vmnet.nic_state_transitions() \g /dev/null
SET LOCAL search_path = pg_catalog, public, pg_temp;
SELECT is((SELECT is_called FROM trap.calls), false, 'the reads and the views call nothing planted');
SET LOCAL search_path = trap, pg_temp, pg_catalog, public;
-- the guards, as they accept and as they refuse
INSERT INTO after.networks (name) VALUES ('n1'), ('n2'), ('n3') \g /dev/null
INSERT INTO after.instances (name) VALUES ('i1'), ('i2') \g /dev/null
INSERT INTO after.nics (network_id, instance_id, ip4_address, ip6_address) VALUES (1, 1, '10.0.0.1', 'fd00::1'), (1, 2, '10.0.0.2', NULL), (2, 1, NULL, NULL) \g /dev/null
UPDATE after.nics SET state = 'Reserving';
UPDATE after.all_nics SET state = 'Reserved';
DELETE FROM after.nics WHERE network_id OPERATOR(pg_catalog.=) 2::pg_catalog.int8;
UPDATE after.networks SET removed = pg_catalog.now() WHERE id OPERATOR(pg_catalog.=) 2::pg_catalog.int8;
DO $$ BEGIN
	UPDATE after.networks SET removed = pg_catalog.now() WHERE id OPERATOR(pg_catalog.=) 1::pg_catalog.int8;
EXCEPTION WHEN foreign_key_violation THEN
	UPDATE after.networks SET name = 'refused' WHERE id OPERATOR(pg_catalog.=) 1::pg_catalog.int8;
END $$;
DO $$ BEGIN
	INSERT INTO after.nics (network_id, instance_id) VALUES (2, 1);
EXCEPTION WHEN foreign_key_violation THEN
	UPDATE after.networks SET name = 'refused' WHERE id OPERATOR(pg_catalog.=) 3::pg_catalog.int8;
END $$;
DO $$ BEGIN
	UPDATE after.nics SET state = 'Reserving' WHERE id OPERATOR(pg_catalog.=) 1::pg_catalog.int8;
EXCEPTION WHEN check_violation THEN
	UPDATE after.instances SET name = 'refused' WHERE id OPERATOR(pg_catalog.=) 1::pg_catalog.int8;
END $$;
DO $$ BEGIN
	UPDATE after.instances SET removed = pg_catalog.now() WHERE id OPERATOR(pg_catalog.=) 2::pg_catalog.int8;
EXCEPTION WHEN foreign_key_violation THEN
	UPDATE after.instances SET name = 'refused' WHERE id OPERATOR(pg_catalog.=) 2::pg_catalog.int8;
END $$;
SET LOCAL search_path = pg_catalog, public, pg_temp;
SELECT is((SELECT is_called FROM trap.calls), false, 'the guards call nothing planted');
SELECT is((SELECT string_agg(name || ' ' || CASE WHEN removed IS NULL THEN 'live' ELSE 'removed' END, ', ' ORDER BY id) FROM after.all_networks),
	'refused live, n2 removed, refused live', 'while a network was removed, another could not be, and a NIC could not be added');
SELECT is((SELECT string_agg(name, ' ' ORDER BY id) FROM after.all_instances), 'refused refused', 'nor could an instance be removed, nor a NIC moved back');
SELECT is((SELECT string_agg(state, ' ' ORDER BY id) FROM after.all_nics), 'Reserved Reserved Deallocating', 'and NICs were moved and removed');
-- The trap works: whoever does not qualify is caught.
SET LOCAL search_path = trap, pg_temp, pg_catalog, public;
SELECT id FROM cloud.networks WHERE id = 1::bigint \g /dev/null
SET LOCAL search_path = pg_catalog, public, pg_temp;
SELECT is((SELECT is_called FROM trap.calls), true, 'a query that does not qualify its operators calls what was planted');

SELECT * FROM finish();
ROLLBACK;
