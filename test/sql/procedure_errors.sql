-- Errors inside of a purge and of an import: what they leave behind is a session
-- that is sound, an inventory that is what it was, and guards that are on.
\set VERBOSITY terse
\set SHOW_CONTEXT never
SET client_min_messages = warning;

CREATE TABLE public.kept (step int, what text);
-- What is true of a session that is sound: nothing is open, held or changed.
CREATE FUNCTION public.unsound() RETURNS SETOF text LANGUAGE sql AS $$
SELECT 'current user' WHERE current_user <> session_user
UNION ALL SELECT 'setting ' || name FROM pg_settings WHERE setting <> reset_val
	AND name IN ('search_path', 'work_mem', 'row_security', 'lock_timeout', 'DateStyle', 'TimeZone', 'session_replication_role')
UNION ALL SELECT 'lock ' || mode || ' ' || coalesce(relation::regclass::text, locktype) FROM pg_locks
	WHERE pid = pg_backend_pid() AND mode NOT IN ('AccessShareLock') AND locktype <> 'virtualxid'
UNION ALL SELECT 'transaction id' WHERE pg_current_xact_id_if_assigned() IS NOT NULL
UNION ALL SELECT 'stage ' || relname FROM pg_class WHERE relname LIKE 'vmnet\_import\_%' AND relpersistence = 't'
$$;
-- What a statement that a guard has to refuse says.
CREATE FUNCTION public.guarded(statement text) RETURNS text LANGUAGE plpgsql AS $$
BEGIN
	EXECUTE statement;
	RETURN 'ACCEPTED';
EXCEPTION WHEN OTHERS THEN
	RETURN SQLSTATE;
END
$$;

SELECT vmnet.create_inventory('p') \g /dev/null
INSERT INTO p.networks (id) VALUES (1);
INSERT INTO p.instances (id) SELECT generate_series(1, 12);
INSERT INTO p.nics (id, instance_id, network_id, ip4_address) SELECT n, n, 1, '10.0.0.0'::inet + n FROM generate_series(1, 12) n;
UPDATE p.nics SET ip4_address = '10.0.1.0'::inet + id;
UPDATE p.nics SET state = 'Deallocating', removed = now() WHERE id <= 10;

-- Fails, waits or calls something at one row, as public.trap says.
CREATE TABLE public.trap (id bigint, statement text);
CREATE FUNCTION public.spring() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
	s text;
BEGIN
	SELECT t.statement INTO s FROM public.trap t WHERE t.id = CASE TG_OP WHEN 'DELETE' THEN OLD.id ELSE NEW.id END;
	IF FOUND THEN EXECUTE s; END IF;
	RETURN CASE TG_OP WHEN 'DELETE' THEN OLD ELSE NEW END;
END
$$;
CREATE TRIGGER spring_before BEFORE DELETE ON p.all_nics FOR EACH ROW EXECUTE FUNCTION public.spring();

--
-- Purge
--
-- an error at the n-th row: what was committed before is purged
INSERT INTO trap VALUES (5, 'SELECT 1/0');
CALL vmnet.purge_inventory('p', clock_timestamp(), 2);
\echo :LAST_ERROR_SQLSTATE
INSERT INTO kept VALUES (1, 'after an error');
\c -
SET client_min_messages = warning;
SELECT * FROM unsound();
SELECT step, what FROM kept;
SELECT min(id) AS first, count(*) FROM p.all_nics;
SELECT guarded('DELETE FROM p.all_nics WHERE id = 6'), guarded('TRUNCATE p.all_nics');
-- the same, caught, and gone on with in one transaction
DO $$
BEGIN
	INSERT INTO kept VALUES (2, 'before a caught error');
	BEGIN
		CALL vmnet.purge_inventory('p', clock_timestamp());
	EXCEPTION WHEN division_by_zero THEN
		INSERT INTO kept VALUES (2, 'caught ' || SQLSTATE || ' ' || guarded('DELETE FROM p.all_nics WHERE id = 6'));
	END;
	INSERT INTO kept VALUES (2, 'after a caught error');
END
$$;
SELECT * FROM unsound();
\c -
SET client_min_messages = warning;
SELECT what FROM kept WHERE step = 2;
SELECT min(id) AS first, count(*) FROM p.all_nics;
-- inside a block with a savepoint
BEGIN;
INSERT INTO kept VALUES (3, 'before a savepoint');
SAVEPOINT s;
CALL vmnet.purge_inventory('p', clock_timestamp());
ROLLBACK TO s;
SELECT guarded('DELETE FROM p.all_nics WHERE id = 6');
INSERT INTO kept VALUES (3, 'after it');
COMMIT;
SELECT * FROM unsound();
\c -
SET client_min_messages = warning;
SELECT what FROM kept WHERE step = 3;
-- out of time, given up as for a lock, cancelled: none of it is an error that a row is kept for
UPDATE trap SET statement = 'SELECT pg_sleep(600)';
SET statement_timeout = '100ms';
CALL vmnet.purge_inventory('p', clock_timestamp());
\echo :LAST_ERROR_SQLSTATE
RESET statement_timeout;
SELECT * FROM unsound();
SELECT guarded('DELETE FROM p.all_nics WHERE id = 6');
UPDATE trap SET statement = 'SET LOCAL lock_timeout = ''10ms''; SELECT pg_sleep(0); DO $b$ BEGIN RAISE lock_not_available; END $b$';
CALL vmnet.purge_inventory('p', clock_timestamp());
\echo :LAST_ERROR_SQLSTATE
SHOW lock_timeout;
UPDATE trap SET statement = 'SELECT pg_cancel_backend(pg_backend_pid()), pg_sleep(600)';
CALL vmnet.purge_inventory('p', clock_timestamp());
\echo :LAST_ERROR_SQLSTATE
DO $$ BEGIN CALL vmnet.purge_inventory('p', clock_timestamp()); EXCEPTION WHEN query_canceled THEN INSERT INTO kept VALUES (4, 'cancel is caught'); END $$;
SELECT * FROM unsound();
\c -
SET client_min_messages = warning;
SELECT what FROM kept WHERE step = 4;
SELECT min(id) AS first, count(*) FROM p.all_nics;
-- a purge or an import inside of a purge
UPDATE trap SET statement = 'CALL vmnet.purge_inventory(''p'', clock_timestamp())';
CALL vmnet.purge_inventory('p', clock_timestamp());
\echo :LAST_ERROR_SQLSTATE
SELECT * FROM unsound();
SELECT guarded('DELETE FROM p.all_nics WHERE id = 6');
-- a trigger deletes by itself, and what it deletes is old: the purge is not for it
UPDATE trap SET statement = 'DELETE FROM p.all_nics WHERE id = 6';
CALL vmnet.purge_inventory('p', clock_timestamp());
SELECT min(id) AS first, count(*) FROM p.all_nics;
-- a trigger keeps a row: its addresses and its history stay
TRUNCATE trap;
UPDATE p.nics SET state = 'Deallocating', removed = now() WHERE id = 11;
CREATE FUNCTION public.keep() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN NULL; END $$;
CREATE TRIGGER keep BEFORE DELETE ON p.all_nics FOR EACH ROW WHEN (OLD.id IN (5, 11)) EXECUTE FUNCTION public.keep();
CALL vmnet.purge_inventory('p', clock_timestamp(), purge_history => true);
SELECT id FROM p.all_nics ORDER BY id;
SELECT DISTINCT nic_id FROM p.nic_history ORDER BY 1;
SELECT DISTINCT nic_id FROM p.nic_address_history ORDER BY 1;
DROP TRIGGER keep ON p.all_nics;

-- Constraints of the caller's transaction stay deferred if no row of the
-- inventory has to do with them
CREATE TABLE public.parent (id int PRIMARY KEY);
CREATE TABLE public.child (id int REFERENCES public.parent DEFERRABLE INITIALLY DEFERRED);
BEGIN;
INSERT INTO child VALUES (1);
CALL vmnet.purge_inventory('p', clock_timestamp(), 1);
INSERT INTO parent VALUES (1);
COMMIT;
SELECT count(*) FROM child;
-- and one that refers to a row of it keeps the row
CREATE TABLE public.notes (nic_id bigint REFERENCES p.all_nics DEFERRABLE INITIALLY DEFERRED);
INSERT INTO p.nics (id, instance_id, network_id) VALUES (5, 5, 1), (6, 6, 1);
UPDATE p.nics SET state = 'Deallocating', removed = now() WHERE id <= 6;
INSERT INTO notes VALUES (6);
CALL vmnet.purge_inventory('p', clock_timestamp());
SELECT id FROM p.all_nics ORDER BY id;
DROP TABLE notes, child, parent;

-- Tables that are not what an inventory has are refused before anything is read
\set VERBOSITY default
CREATE FUNCTION public.odd(change text) RETURNS TABLE (code text, said text, detail text) LANGUAGE plpgsql AS $$
BEGIN
	EXECUTE change;
	CALL vmnet.purge_inventory('q', clock_timestamp());
	RAISE SQLSTATE 'VM000' USING MESSAGE = 'NOT REFUSED';
EXCEPTION WHEN OTHERS THEN
	code := SQLSTATE; said := SQLERRM;
	GET STACKED DIAGNOSTICS detail = PG_EXCEPTION_DETAIL;
	RETURN NEXT;
END
$$;
CREATE DOMAIN public.big AS bigint;
-- a schema that has nothing but what the procedure reads
CREATE FUNCTION public.forge(id text, removed text) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
	t text;
BEGIN
	DROP SCHEMA IF EXISTS q CASCADE;
	CREATE SCHEMA q;
	CREATE VIEW q.inventory_info AS SELECT 'managed'::text AS kind, NULL::text AS source, 'enforce'::text AS mode, '0.1.0'::text AS version;
	FOREACH t IN ARRAY ARRAY['all_networks', 'all_instances', 'all_nics'] LOOP
		EXECUTE format('CREATE TABLE q.%I (id %s, network_id bigint, instance_id bigint, removed %s)', t, id, removed);
	END LOOP;
	CREATE TABLE q.all_nic_secondary_ips (id bigint, nic_id bigint, removed timestamptz);
	CREATE TABLE q.all_ip_ranges (id bigint, removed timestamptz);
	CREATE TABLE q.all_ip_addresses (id bigint, ip_range_id bigint, removed timestamptz);
	CREATE TABLE q.nic_history (nic_id bigint);
	CREATE TABLE q.nic_address_history (nic_id bigint);
END
$$;
SELECT o.* FROM unnest(ARRAY['int', 'smallint', 'text', 'numeric', 'public.big', 'bigint[]', 'uuid', 'timestamptz', 'oid']) t, LATERAL odd(format('SELECT forge(%L, ''timestamptz'')', t)) o;
SELECT o.* FROM unnest(ARRAY['timestamp', 'bigint', 'date', 'text', 'boolean']) t, LATERAL odd(format('SELECT forge(''bigint'', %L)', t)) o;
SELECT forge('bigint', 'timestamptz');
SELECT o.* FROM unnest(ARRAY[
	'ALTER TABLE q.all_nics DROP COLUMN id',
	'ALTER TABLE q.all_nics RENAME removed TO gone',
	'ALTER TABLE q.nic_history ALTER nic_id TYPE int',
	'ALTER TABLE q.all_nic_secondary_ips RENAME TO elsewhere',
	'ALTER TABLE q.all_nics RENAME TO t; CREATE VIEW q.all_nics AS SELECT * FROM q.t',
	'ALTER TABLE q.all_nics RENAME TO t; CREATE MATERIALIZED VIEW q.all_nics AS SELECT * FROM q.t',
	'ALTER TABLE q.all_networks RENAME TO t; CREATE SEQUENCE q.all_networks',
	'ALTER TABLE q.all_instances RENAME TO t; CREATE INDEX all_instances ON q.t (id)',
	'ALTER TABLE q.all_instances RENAME TO t; CREATE TYPE q.all_instances AS (id bigint, removed timestamptz)',
	'INSERT INTO q.all_nics VALUES (1, 1, 1, ''2020-01-01''); CREATE RULE r AS ON DELETE TO q.all_nics DO INSTEAD NOTHING',
	'INSERT INTO q.all_nics VALUES (1, 1, 1, ''2020-01-01''); CREATE RULE r AS ON DELETE TO q.all_nics DO INSTEAD SELECT 1']) WITH ORDINALITY c (change, n), LATERAL odd(c.change) o ORDER BY c.n;
DROP SCHEMA q CASCADE;
\set VERBOSITY terse

--
-- Import
--
CREATE SCHEMA source;
CREATE TABLE source.networks (id bigint, name text, state text, created timestamp, removed timestamp);
CREATE TABLE source.vm_rows (id bigint, name text, state text, created timestamp, removed timestamp);
CREATE TABLE source.nics (id bigint, instance_id bigint, network_id bigint, state text, created timestamp, removed timestamp);
INSERT INTO source.networks VALUES (1, 'n', 'Setup', '2025-01-01', NULL);
INSERT INTO source.vm_rows SELECT g, 'i', 'Running', '2025-01-01', NULL FROM generate_series(1, 5) g;
INSERT INTO source.nics SELECT g, g, 1, 'Reserved', '2025-01-01', NULL FROM generate_series(1, 5) g;
-- what the source does while it is read
CREATE TABLE public.source_trap (statement text);
CREATE FUNCTION source.spring() RETURNS boolean LANGUAGE plpgsql AS $$
DECLARE
	s text;
BEGIN
	FOR s IN SELECT statement FROM public.source_trap LOOP EXECUTE s; END LOOP;
	RETURN true;
END
$$;
CREATE VIEW source.vm_instance AS SELECT * FROM source.vm_rows WHERE source.spring();
CALL vmnet.import_cloudstack('source', 'm');
CREATE TRIGGER spring AFTER UPDATE ON m.all_nics FOR EACH ROW EXECUTE FUNCTION public.spring();
-- the last run, and what is in the mirror
CREATE FUNCTION public.mirror() RETURNS TABLE (status text, message text, states text, writes text) LANGUAGE sql AS $$
SELECT (SELECT r.status FROM m.import_runs r ORDER BY run DESC LIMIT 1), (SELECT r.message FROM m.import_runs r ORDER BY run DESC LIMIT 1),
	(SELECT string_agg(DISTINCT n.state, ' ') FROM m.all_nics n),
	guarded('UPDATE m.all_nics SET state = ''x''') || ' ' || guarded('DELETE FROM m.all_nics') || ' ' || guarded('INSERT INTO m.all_networks (id) VALUES (9)')
$$;
UPDATE source.nics SET state = 'Releasing';

-- an error at the n-th row that is written
INSERT INTO trap VALUES (3, 'SELECT 1/0');
CALL vmnet.import_cloudstack('source', 'm');
\echo :LAST_ERROR_SQLSTATE
SELECT * FROM unsound();
SELECT * FROM mirror();
-- caught
DO $$
BEGIN
	BEGIN
		CALL vmnet.import_cloudstack('source', 'm');
	EXCEPTION WHEN division_by_zero THEN
		INSERT INTO kept VALUES (5, 'caught');
	END;
	INSERT INTO kept VALUES (5, 'after it');
END
$$;
SELECT * FROM unsound();
\c -
SET client_min_messages = warning;
SELECT what FROM kept WHERE step = 5;
SELECT * FROM mirror();
-- in a DO block and in a procedure that commit by themselves: it may be followed by
-- another one in the same call
CREATE PROCEDURE public.twice(step text) LANGUAGE plpgsql AS $$
BEGIN
	INSERT INTO kept VALUES (6, 'before');
	COMMIT;
	CALL vmnet.import_cloudstack('source', 'm');
	EXECUTE twice.step;
	CALL vmnet.import_cloudstack('source', 'm');
	INSERT INTO kept VALUES (6, 'after');
END
$$;
CALL twice('SELECT 1');
\echo :LAST_ERROR_SQLSTATE
SELECT * FROM unsound();
TRUNCATE trap;
CALL twice('INSERT INTO trap VALUES (2, ''SELECT 1/0''); UPDATE source.nics SET state = ''Allocated''');
\echo :LAST_ERROR_SQLSTATE
SELECT * FROM unsound();
SELECT * FROM mirror();
\c -
SET client_min_messages = warning;
SELECT what, count(*) FROM kept WHERE step = 6 GROUP BY what;
-- out of time while it writes, and while it reads; cancelled
UPDATE trap SET statement = 'SELECT pg_sleep(600)';
SET statement_timeout = '300ms';
CALL vmnet.import_cloudstack('source', 'm');
\echo :LAST_ERROR_SQLSTATE
TRUNCATE trap;
INSERT INTO source_trap VALUES ('SELECT pg_sleep(600)');
CALL vmnet.import_cloudstack('source', 'm');
\echo :LAST_ERROR_SQLSTATE
RESET statement_timeout;
SELECT * FROM unsound();
UPDATE source_trap SET statement = 'SELECT pg_cancel_backend(pg_backend_pid()), pg_sleep(600)';
CALL vmnet.import_cloudstack('source', 'm');
\echo :LAST_ERROR_SQLSTATE
SELECT * FROM mirror();
BEGIN;
SAVEPOINT s;
CALL vmnet.import_cloudstack('source', 'm');
ROLLBACK TO s;
SELECT guarded('UPDATE m.all_nics SET state = ''x''');
COMMIT;
SELECT * FROM unsound();
-- an import inside of an import, from the source and from the mirror; a purge, too
UPDATE source_trap SET statement = 'CALL vmnet.import_cloudstack(''source'', ''other'')';
CALL vmnet.import_cloudstack('source', 'm');
\echo :LAST_ERROR_SQLSTATE
SELECT * FROM unsound();
TRUNCATE source_trap;
INSERT INTO trap VALUES (3, 'CALL vmnet.import_cloudstack(''source'', ''m'')');
CALL vmnet.import_cloudstack('source', 'm');
\echo :LAST_ERROR_SQLSTATE
UPDATE trap SET statement = 'CALL vmnet.purge_inventory(''p'', clock_timestamp())';
UPDATE p.nics SET state = 'Deallocating', removed = now() WHERE id = 12;
CALL vmnet.import_cloudstack('source', 'm');
\echo :LAST_ERROR_SQLSTATE
SELECT * FROM unsound();
SELECT id FROM p.all_nics ORDER BY id;
-- code of the mirror's owner writes to the mirror meanwhile: that is not the import
UPDATE trap SET statement = 'UPDATE m.all_networks SET name = ''mine''';
CALL vmnet.import_cloudstack('source', 'm');
\echo :LAST_ERROR_SQLSTATE
UPDATE trap SET statement = 'DELETE FROM m.all_nic_secondary_ips; DELETE FROM m.all_nics WHERE id = 5';
CALL vmnet.import_cloudstack('source', 'm');
\echo :LAST_ERROR_SQLSTATE
UPDATE trap SET statement = 'TRUNCATE m.all_nics';
CALL vmnet.import_cloudstack('source', 'm');
\echo :LAST_ERROR_SQLSTATE
SELECT * FROM unsound();
SELECT * FROM mirror();
TRUNCATE trap;
SELECT setval('m.import_runs_run_seq', 100) \g /dev/null
-- the run cannot be written down: the error is the first one all the same
CREATE FUNCTION public.refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE 'not closed'; END $$;
CREATE TRIGGER refuse BEFORE UPDATE ON m.import_runs FOR EACH ROW WHEN (NEW.status = 'failed') EXECUTE FUNCTION public.refuse();
INSERT INTO source_trap VALUES ('SELECT 1/0');
CALL vmnet.import_cloudstack('source', 'm');
\echo :LAST_ERROR_SQLSTATE
SELECT * FROM unsound();
TRUNCATE source_trap;
DROP TRIGGER refuse ON m.import_runs;
-- a reference of a user to what the source has no more
CREATE TABLE public.bills (nic_id bigint REFERENCES m.all_nics DEFERRABLE INITIALLY DEFERRED);
INSERT INTO bills VALUES (4);
DELETE FROM source.nics WHERE id = 4;
CALL vmnet.import_cloudstack('source', 'm', on_vanish => 'delete');
\echo :LAST_ERROR_SQLSTATE
SELECT * FROM unsound();
SELECT * FROM mirror();
DROP TABLE bills;
-- values out of range
INSERT INTO source.nics VALUES (4, 4, 1, 'Allocated', '2025-01-01', NULL);
ALTER TABLE source.nics ADD device_id numeric DEFAULT 1e30, ADD mtu text DEFAULT '99999999999999999999', ADD mac_address text DEFAULT 'zz', ALTER created TYPE text USING 'infinity and beyond';
CALL vmnet.import_cloudstack('source', 'm');
SELECT DISTINCT device_id, mtu, mac_address, created AT TIME ZONE 'UTC' AS created FROM m.all_nics;
-- columns of a domain are those of its type
CREATE DOMAIN public.loud AS uuid CHECK (source.spring());
ALTER TABLE source.nics ADD uuid public.loud;
INSERT INTO source_trap VALUES ('SELECT 1/0');
CREATE OR REPLACE VIEW source.vm_instance AS SELECT * FROM source.vm_rows;
CALL vmnet.import_cloudstack('source', 'm');
SELECT * FROM unsound();
SELECT * FROM mirror();

DROP SCHEMA source, m, p CASCADE;
DROP TABLE kept, trap, source_trap;
DROP FUNCTION unsound, guarded, spring, keep, odd, forge, mirror, refuse;
DROP PROCEDURE twice;
DROP DOMAIN big, loud;
