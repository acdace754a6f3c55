-- create_inventory(): which names and kinds, what is refused, that nothing is
-- left behind, who owns what, and what vmnet.inventories lists.
SET client_min_messages = warning;
\set VERBOSITY terse

CREATE FUNCTION pg_temp.attempt(command text) RETURNS text
LANGUAGE plpgsql AS $$
BEGIN
	EXECUTE command;
	RETURN 'accepted';
EXCEPTION WHEN OTHERS THEN
	RETURN SQLSTATE || ' ' || SQLERRM;
END
$$;
-- what is in a schema
CREATE FUNCTION pg_temp.contents(schema name) RETURNS text
LANGUAGE sql AS $$
	SELECT coalesce(string_agg(relkind::text || ' ' || relname, ', ' ORDER BY relkind, relname COLLATE "C"), 'empty')
	FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
	WHERE nspname = schema AND relkind IN ('r', 'v', 'S', 'm')
$$;

SELECT vmnet.create_inventory('cloud');
SELECT vmnet.create_inventory('mirror', 'mirror');
SELECT vmnet.create_inventory(name => 'named', kind => 'managed');
SELECT name, kind, source, mode, version = (SELECT extversion FROM pg_extension WHERE extname = 'vmnet_ext') AS this_version,
	owner = current_user AS mine
FROM vmnet.inventories ORDER BY name COLLATE "C";
SELECT pg_temp.contents('cloud');
SELECT pg_temp.contents('mirror');

-- Names, taken as they are: each is made, found, written to, read from, dropped.
CREATE TEMP TABLE wanted (ord serial, name text);
INSERT INTO wanted (name) VALUES
	('Upper'), ('two words'), ('quote"d'), ('it''s'), ('"quoted"'), ('a.b'), ('a;b--c'), ('100% %s %1$I'), ('$$'), ('back\slash'),
	(E'new\nline'), ('select'), ('  '), ('Ünïcödé'), ('雲'), (repeat('x', 63)), (repeat('é', 31) || 'x');
SELECT ord, left(replace(name, E'\n', '\n'), 20) AS name, octet_length(name) AS bytes,
	pg_temp.attempt(format('SELECT vmnet.create_inventory(%L)', name)) AS create,
	pg_temp.attempt(format('INSERT INTO %1$I.networks (id) VALUES (1); INSERT INTO %1$I.instances (id) VALUES (2);
		INSERT INTO %1$I.nics (id, instance_id, network_id) VALUES (3, 2, 1), (4, 2, 1) ON CONFLICT DO NOTHING', name)) AS write,
	pg_temp.attempt(format('UPDATE %I.networks SET removed = now()', name)) AS guard
FROM wanted ORDER BY ord;
SELECT ord, (SELECT string_agg(instance_id::text, ',') FROM vmnet.network_active_instances(1, inventory => w.name::name)) AS active_instances,
	(SELECT count(*) FROM vmnet.inventories i WHERE i.name = w.name) AS listed
FROM wanted w ORDER BY ord;
-- with the name in the setting
SET vmnet.inventory = 'two words';
SELECT instance_id FROM vmnet.network_active_instances(1);
RESET vmnet.inventory;
SELECT pg_temp.attempt(format('DROP SCHEMA %I CASCADE', name)) AS drop, count(*) FROM wanted GROUP BY 1;
-- a session that reads backslashes in strings
SET standard_conforming_strings = off;
SET escape_string_warning = off;
SELECT vmnet.create_inventory('back\\slash''s');
SELECT name FROM vmnet.inventories WHERE name LIKE 'back%';
RESET standard_conforming_strings;
RESET escape_string_warning;
DROP SCHEMA "back\slash's" CASCADE;

-- Refused names and kinds.
SELECT pg_temp.attempt(command) FROM unnest(ARRAY[
	$$SELECT vmnet.create_inventory(NULL)$$,
	$$SELECT vmnet.create_inventory('')$$,
	format('SELECT vmnet.create_inventory(%L)', repeat('x', 64)),
	format('SELECT vmnet.create_inventory(%L)', repeat('é', 32)),
	$$SELECT vmnet.create_inventory('pg_cloud')$$,
	$$SELECT vmnet.create_inventory('cloud')$$,
	$$SELECT vmnet.create_inventory('cloud', 'mirror')$$,
	$$SELECT vmnet.create_inventory('public')$$,
	$$SELECT vmnet.create_inventory('vmnet')$$,
	$$SELECT vmnet.create_inventory('pg_catalog')$$,
	$$SELECT vmnet.create_inventory('x', NULL)$$,
	$$SELECT vmnet.create_inventory('x', '')$$,
	$$SELECT vmnet.create_inventory('x', 'Managed')$$,
	$$SELECT vmnet.create_inventory('x', 'attached')$$]) WITH ORDINALITY u (command, ord) ORDER BY ord;

-- Half an inventory: a schema in which somebody began by hand.
CREATE SCHEMA half;
CREATE TABLE half.all_networks (id bigint PRIMARY KEY, note text);
INSERT INTO half.all_networks VALUES (1, 'kept');
SELECT pg_temp.attempt($$SELECT vmnet.create_inventory('half')$$);
SELECT pg_temp.contents('half');
TABLE half.all_networks;
CREATE SCHEMA empty;
SELECT pg_temp.attempt($$SELECT vmnet.create_inventory('empty')$$);
SELECT pg_temp.contents('empty');
-- an inventory that has lost a table is there still, and is not made again
DROP TABLE named.all_nics CASCADE;
SELECT pg_temp.attempt($$SELECT vmnet.create_inventory('named')$$);
DROP SCHEMA half, empty, named CASCADE;

-- Whatever fails on the way, and whenever, nothing is left behind.
CREATE SCHEMA trap;
CREATE FUNCTION trap.fail() RETURNS event_trigger
LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'not today'; END $$;
CREATE FUNCTION trap.attempt_while(tag text) RETURNS text
LANGUAGE plpgsql AS $$
DECLARE
	result text;
BEGIN
	EXECUTE format('CREATE EVENT TRIGGER vmnet_trap ON ddl_command_end WHEN TAG IN (%L) EXECUTE FUNCTION trap.fail()', tag);
	result := pg_temp.attempt($sql$SELECT vmnet.create_inventory('late')$sql$);
	EXECUTE 'DROP EVENT TRIGGER vmnet_trap';
	RETURN result || ', schemas left behind: ' || (SELECT count(*) FROM pg_namespace WHERE nspname = 'late');
END
$$;
SELECT tag, trap.attempt_while(tag)
FROM unnest(ARRAY['CREATE SCHEMA', 'CREATE TABLE', 'ALTER TABLE', 'CREATE INDEX', 'CREATE VIEW', 'CREATE TRIGGER', 'COMMENT'])
	WITH ORDINALITY u (tag, ord) ORDER BY ord;
SELECT pg_temp.attempt($$SELECT vmnet.create_inventory('late')$$);
DROP SCHEMA late CASCADE;
DROP SCHEMA trap CASCADE;
BEGIN;
SELECT vmnet.create_inventory('undone');
ROLLBACK;
SELECT count(*) FROM vmnet.inventories WHERE name = 'undone';

-- An ordinary role, with CREATE on the database, has an inventory of its own.
CREATE ROLE regress_vmnet_owner;
CREATE ROLE regress_vmnet_writer;
CREATE ROLE regress_vmnet_nobody;
SET ROLE regress_vmnet_nobody;
SELECT pg_temp.attempt($$SELECT vmnet.create_inventory('theirs')$$) ~ '^42501 permission denied for database' AS refused_without_create;
SELECT pg_temp.attempt($$SELECT * FROM cloud.nics$$);
SELECT name, owner = current_user AS mine FROM vmnet.inventories ORDER BY name COLLATE "C";
RESET ROLE;
DO $$ BEGIN EXECUTE format('GRANT CREATE ON DATABASE %I TO regress_vmnet_owner', current_database()); END $$;
SET ROLE regress_vmnet_owner;
SELECT vmnet.create_inventory('theirs');
SELECT owner FROM vmnet.inventories WHERE name = 'theirs';
INSERT INTO theirs.networks (id, name) VALUES (1, 'net1'), (2, 'net2');
INSERT INTO theirs.instances (id, name) VALUES (1, 'vm1');
INSERT INTO theirs.nics (id, instance_id, network_id) VALUES (1, 1, 1), (2, 1, 2);
SELECT id, default_nic FROM theirs.nics ORDER BY id;
UPDATE theirs.nics SET state = 'Releasing' WHERE id = 1;
UPDATE theirs.nics SET state = 'Reserving' WHERE id = 1;
INSERT INTO theirs.nics (id, instance_id, network_id) VALUES (10, 1, 1);
UPDATE theirs.networks SET removed = now() WHERE id = 2;
DELETE FROM theirs.all_nics;
TRUNCATE theirs.all_nics;
DELETE FROM theirs.nics WHERE id = 2;
UPDATE theirs.networks SET removed = now() WHERE id = 2;
INSERT INTO theirs.nics (id, instance_id, network_id) VALUES (10, 1, 2);
SELECT instance_id FROM vmnet.network_active_instances(1, inventory => 'theirs');
RESET ROLE;
-- all that is in it is the role's
SELECT count(*) > 20 AS many, count(*) FILTER (WHERE relowner <> 'regress_vmnet_owner'::regrole) AS of_others
FROM pg_class WHERE relnamespace = 'theirs'::regnamespace AND relkind IN ('r', 'v', 'S', 'i');
SELECT nspowner::regrole FROM pg_namespace WHERE nspname = 'theirs';
-- and none of it is the extension's
SELECT count(*) FROM pg_depend d JOIN pg_class c ON d.classid = 'pg_class'::regclass AND c.oid = d.objid
WHERE d.deptype = 'e' AND c.relnamespace = 'theirs'::regnamespace;

-- A second ordinary role, with rights on the tables and the views.
SET ROLE regress_vmnet_owner;
GRANT USAGE ON SCHEMA theirs TO regress_vmnet_writer;
GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA theirs TO regress_vmnet_writer;
GRANT USAGE ON ALL SEQUENCES IN SCHEMA theirs TO regress_vmnet_writer;
SET ROLE regress_vmnet_writer;
INSERT INTO theirs.networks (id, name) VALUES (3, 'net3');
INSERT INTO theirs.instances (id, name) VALUES (2, 'vm2');
INSERT INTO theirs.nics (id, instance_id, network_id) VALUES (3, 2, 3);
UPDATE theirs.nics SET state = 'Reserving' WHERE id = 3;
UPDATE theirs.nics SET state = 'Releasing' WHERE id = 3;
UPDATE theirs.networks SET removed = now() WHERE id = 3;
DELETE FROM theirs.all_nics WHERE id = 3;
TRUNCATE theirs.all_nics;
DELETE FROM theirs.nics WHERE id = 3;
UPDATE theirs.networks SET removed = now() WHERE id = 3;
SELECT id, state, default_nic, removed IS NOT NULL AS removed FROM theirs.all_nics ORDER BY id;
-- triggers are not in a client's hands (A1.8, A1.9)
SET session_replication_role = replica;
ALTER TABLE theirs.all_nics DISABLE TRIGGER ALL;
ALTER TABLE theirs.all_nics DISABLE TRIGGER _nic_guard;
DROP TRIGGER _nic_guard ON theirs.all_nics;
ALTER TABLE theirs.all_nics DROP CONSTRAINT nic_state_valid;
RESET ROLE;

-- Rights to write, none to read: guards look with the owner's rights.
REVOKE SELECT, UPDATE ON ALL TABLES IN SCHEMA theirs FROM regress_vmnet_writer;
GRANT INSERT ON theirs.all_nics TO regress_vmnet_writer;
SET ROLE regress_vmnet_writer;
INSERT INTO theirs.all_nics (id, instance_id, network_id) VALUES (4, 2, 1);
INSERT INTO theirs.all_nics (id, instance_id, network_id) VALUES (5, 2, 3);
RESET ROLE;
SELECT id, default_nic FROM theirs.all_nics WHERE id >= 4;

-- A view called inventory_info that somebody else has made: vmnet.inventories
-- never runs it, and lists it only where all its columns are constants.
CREATE SCHEMA hostile1;
CREATE TABLE hostile1.ran (what text);
CREATE FUNCTION hostile1.bite() RETURNS text
LANGUAGE plpgsql AS $$ BEGIN INSERT INTO hostile1.ran VALUES ('bitten'); RETURN 'managed'; END $$;
CREATE VIEW hostile1.inventory_info AS
SELECT hostile1.bite() AS kind, NULL::text AS source, 'enforce'::text AS mode, '0.1.0'::text AS version;
CREATE SCHEMA hostile2;
CREATE VIEW hostile2.inventory_info AS
SELECT 'managed'::text AS kind, NULL::text AS source, 'enforce'::text AS mode, hostile1.bite() AS version;
CREATE SCHEMA hostile3;
CREATE VIEW hostile3.inventory_info AS SELECT 'managed'::text AS kind, NULL::text AS source FROM hostile1.bite();
CREATE SCHEMA hostile4;
CREATE TABLE hostile4.inventory_info AS SELECT 'managed'::text AS kind, NULL::text AS source, 'enforce'::text AS mode, '0.1.0'::text AS version;
CREATE SCHEMA hostile5;
CREATE MATERIALIZED VIEW hostile5.inventory_info AS TABLE hostile4.inventory_info;
CREATE SCHEMA hostile6;
CREATE VIEW hostile6.inventory_info AS SELECT 1 AS kind, NULL::text AS source, 'enforce'::text AS mode, '0.1.0'::text AS version;
CREATE SCHEMA hostile7;
CREATE VIEW hostile7.inventory_info AS SELECT NULL::text AS kind, NULL::text AS source, 'enforce'::text AS mode, '0.1.0'::text AS version
UNION ALL SELECT hostile1.bite(), 'x', 'y', 'z';
SELECT name FROM vmnet.inventories ORDER BY name COLLATE "C";
SELECT pg_temp.attempt($$SELECT vmnet.create_inventory('hostile1')$$);
-- none of that ran
TABLE hostile1.ran;
DROP SCHEMA hostile1, hostile2, hostile3, hostile4, hostile5, hostile6, hostile7 CASCADE;

-- A search path full of traps (A6.1): operators, functions and types of the
-- same names stand before pg_catalog's.
CREATE SCHEMA trap;
CREATE TABLE trap.sprung (what text);
CREATE FUNCTION trap.format(text, VARIADIC text[]) RETURNS text LANGUAGE plpgsql AS $$ BEGIN INSERT INTO trap.sprung VALUES ('format'); RETURN 'SELECT 1'; END $$;
CREATE FUNCTION trap.now() RETURNS timestamptz LANGUAGE plpgsql AS $$ BEGIN INSERT INTO trap.sprung VALUES ('now'); RETURN '2000-01-01'; END $$;
CREATE FUNCTION trap.isfinite(timestamptz) RETURNS boolean LANGUAGE plpgsql AS $$ BEGIN INSERT INTO trap.sprung VALUES ('isfinite'); RETURN true; END $$;
CREATE FUNCTION trap.octet_length(text) RETURNS int LANGUAGE plpgsql AS $$ BEGIN INSERT INTO trap.sprung VALUES ('octet_length'); RETURN 1; END $$;
CREATE FUNCTION trap.text_eq(text, text) RETURNS boolean LANGUAGE plpgsql AS $$ BEGIN INSERT INTO trap.sprung VALUES ('text ='); RETURN true; END $$;
CREATE FUNCTION trap.text_ne(text, text) RETURNS boolean LANGUAGE plpgsql AS $$ BEGIN INSERT INTO trap.sprung VALUES ('text <>'); RETURN true; END $$;
CREATE FUNCTION trap.int8_eq(bigint, bigint) RETURNS boolean LANGUAGE plpgsql AS $$ BEGIN INSERT INTO trap.sprung VALUES ('bigint ='); RETURN false; END $$;
CREATE FUNCTION trap.name_eq(name, text) RETURNS boolean LANGUAGE plpgsql AS $$ BEGIN INSERT INTO trap.sprung VALUES ('name ='); RETURN false; END $$;
CREATE FUNCTION trap.concat2(text, text) RETURNS text LANGUAGE plpgsql AS $$ BEGIN INSERT INTO trap.sprung VALUES ('||'); RETURN ''; END $$;
CREATE OPERATOR trap.= (FUNCTION = trap.text_eq, LEFTARG = text, RIGHTARG = text);
CREATE OPERATOR trap.<> (FUNCTION = trap.text_ne, LEFTARG = text, RIGHTARG = text);
CREATE OPERATOR trap.= (FUNCTION = trap.int8_eq, LEFTARG = bigint, RIGHTARG = bigint);
CREATE OPERATOR trap.= (FUNCTION = trap.name_eq, LEFTARG = name, RIGHTARG = text);
CREATE OPERATOR trap.|| (FUNCTION = trap.concat2, LEFTARG = text, RIGHTARG = text);
CREATE DOMAIN trap.timestamptz AS pg_catalog.text;
CREATE DOMAIN trap.inet AS pg_catalog.text;
CREATE TEMP TABLE pg_namespace (nspname name);
CREATE TEMP TABLE all_nics (id bigint);
SET search_path = trap, pg_temp, pg_catalog, public;
SELECT vmnet.create_inventory('safe');
INSERT INTO safe.networks (id) VALUES (1), (2);
INSERT INTO safe.instances (id) VALUES (1);
INSERT INTO safe.nics (id, instance_id, network_id) VALUES (1, 1, 1), (2, 1, 2);
UPDATE safe.nics SET state = 'Reserving' WHERE id OPERATOR(pg_catalog.=) 1;
UPDATE safe.nics SET state = 'Releasing' WHERE id OPERATOR(pg_catalog.=) 1;
UPDATE safe.networks SET removed = pg_catalog.now() WHERE id OPERATOR(pg_catalog.=) 1;
UPDATE safe.instances SET removed = pg_catalog.now() WHERE id OPERATOR(pg_catalog.=) 1;
DELETE FROM safe.nics WHERE id OPERATOR(pg_catalog.=) 2;
DELETE FROM safe.all_nics WHERE id OPERATOR(pg_catalog.=) 2;
SELECT id, state, default_nic FROM safe.all_nics ORDER BY id;
SELECT name, kind FROM vmnet.inventories WHERE name OPERATOR(pg_catalog.=) 'safe'::name;
RESET search_path;
DROP TABLE pg_temp.pg_namespace, pg_temp.all_nics;
TABLE trap.sprung;
SELECT column_name, data_type FROM information_schema.columns
WHERE table_schema = 'safe' AND table_name = 'all_nics' AND column_name IN ('ip4_address', 'removed') ORDER BY 1;
DROP SCHEMA trap, safe CASCADE;

DROP SCHEMA theirs, cloud, mirror CASCADE;
DO $$ BEGIN EXECUTE format('REVOKE CREATE ON DATABASE %I FROM regress_vmnet_owner', current_database()); END $$;
DROP ROLE regress_vmnet_owner, regress_vmnet_writer, regress_vmnet_nobody;
