-- A first copy makes keys, references and indexes of the mirror anew, after the
-- rows: they are what they were, and one that something of a user's needs stays.
\set SHOW_CONTEXT never
SET client_min_messages = warning;
CREATE SCHEMA "Their source";
CREATE TABLE "Their source".networks AS SELECT id::bigint, gen_random_uuid()::text AS uuid, 'Implemented' AS state, '2025-01-01'::text AS created, NULL::text AS removed FROM generate_series(1, 3) id;
CREATE TABLE "Their source".vm_instance AS SELECT id::bigint, gen_random_uuid()::text AS uuid, 'Running' AS state, '2025-01-01'::text AS created, NULL::text AS removed FROM generate_series(1, 3) id;
CREATE TABLE "Their source".nics AS SELECT id::bigint, gen_random_uuid()::text AS uuid, id AS instance_id, id AS network_id, 'Reserved' AS state, '2025-01-01'::text AS created, NULL::text AS removed FROM generate_series(1, 3) id;

-- What there is besides rows: constraints, indexes, and what is said of them.
CREATE FUNCTION made(inventory text) RETURNS TABLE (made text)
LANGUAGE sql AS $$
	SELECT format('%s %s %s %s', c.conrelid::regclass, c.conname, pg_get_constraintdef(c.oid), obj_description(c.oid, 'pg_constraint'))
	FROM pg_constraint c JOIN pg_namespace n ON n.oid = c.connamespace WHERE n.nspname = $1
	UNION ALL
	SELECT format('%s %s', pg_get_indexdef(i.indexrelid), obj_description(i.indexrelid, 'pg_class'))
	FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid JOIN pg_namespace n ON n.oid = c.relnamespace WHERE n.nspname = $1
$$;

-- names as they are
SELECT vmnet.create_inventory('My Mirror', 'mirror');
CREATE TABLE before AS SELECT * FROM made('My Mirror');
CALL vmnet.import_cloudstack('Their source', 'My Mirror');
SELECT count(*) > 20 AS some, (SELECT count(*) FROM (TABLE before EXCEPT ALL SELECT * FROM made('My Mirror')) d) AS gone,
	(SELECT count(*) FROM (SELECT * FROM made('My Mirror') EXCEPT ALL TABLE before) d) AS new
FROM before;
INSERT INTO "Their source".networks SELECT 4, uuid, state, created FROM "Their source".networks WHERE id = 1;
CALL vmnet.import_cloudstack('Their source', 'My Mirror');
SELECT "table", id, "column", reason FROM "My Mirror".import_log;
SELECT id, uuid IS NULL AS lost FROM "My Mirror".all_networks ORDER BY id;

-- a key that is needed is not in the way
SELECT vmnet.create_inventory('needed', 'mirror');
CREATE TABLE notes (nic_id bigint REFERENCES needed.all_nics DEFERRABLE, network_uuid uuid REFERENCES needed.all_networks (uuid), note text);
CREATE VIEW per_instance AS SELECT i.id, i.name, i.state, count(n.id) AS nics
	FROM needed.all_instances i LEFT JOIN needed.all_nics n ON n.instance_id = i.id GROUP BY i.id;
CREATE TABLE before_needed AS SELECT * FROM made('needed') UNION ALL SELECT * FROM made('public');
CALL vmnet.import_cloudstack('Their source', 'needed');
SELECT (SELECT count(*) FROM (TABLE before_needed EXCEPT ALL (SELECT * FROM made('needed') UNION ALL SELECT * FROM made('public'))) d) AS gone,
	(SELECT count(*) FROM ((SELECT * FROM made('needed') UNION ALL SELECT * FROM made('public')) EXCEPT ALL TABLE before_needed) d) AS new;
INSERT INTO notes (nic_id, note) VALUES (3, 'there'), (4, 'not there');
SELECT id, state, nics FROM per_instance ORDER BY id;

DROP VIEW per_instance;
DROP TABLE notes, before, before_needed;
DROP FUNCTION made;
DROP SCHEMA needed, "My Mirror", "Their source" CASCADE;
