-- What the import refuses, what nobody else may do to a mirror, and what is
-- left when a run fails.
\set VERBOSITY default
\set SHOW_CONTEXT never
SET client_min_messages = warning;
-- the error names the schemas that have the tables
CALL vmnet.import_cloudstack('nowhere');
CREATE SCHEMA source;
CREATE TABLE source.networks (id text, name text, state text, created text, removed text);
CREATE TABLE source.vm_instance (id text, name text, state text, type text, created text, removed text);
CREATE TABLE source.nic_rows (id text, instance_id text, network_id text, state text, created text, removed text);
CREATE VIEW source.nics AS SELECT * FROM source.nic_rows;
INSERT INTO source.networks VALUES ('1', 'net1', 'Implemented', '2025-01-06 00:00:00', NULL), ('2', 'net2', 'Implemented', '2025-01-06 00:00:00', NULL);
INSERT INTO source.vm_instance VALUES ('1', 'vm1', 'Running', 'User', '2025-01-06 00:00:00', NULL);
INSERT INTO source.nic_rows VALUES ('1', '1', '1', 'Reserved', '2025-01-06 00:00:00', NULL), ('2', '1', '2', 'Reserved', '2025-01-06 00:00:00', NULL);

--
-- Refusals: 22023, with a HINT that says what to do
--
CALL vmnet.import_cloudstack(NULL);
\echo :LAST_ERROR_SQLSTATE
CALL vmnet.import_cloudstack('nowhere');
\echo :LAST_ERROR_SQLSTATE
CALL vmnet.import_cloudstack('nowhere', 'mirror');
CALL vmnet.import_cloudstack('source', 'source');
\echo :LAST_ERROR_SQLSTATE
SET vmnet.inventory = 'source';
CALL vmnet.import_cloudstack('source');
RESET vmnet.inventory;
-- a name is neither folded nor unquoted
CALL vmnet.import_cloudstack('SOURCE', 'mirror');
CALL vmnet.import_cloudstack('"source"', 'mirror');
-- no tables, not all of them, not all of their columns
CREATE SCHEMA half;
CALL vmnet.import_cloudstack('half', 'mirror');
\echo :LAST_ERROR_SQLSTATE
CREATE TABLE half.networks AS TABLE source.networks;
CREATE TABLE half.vm_instance AS TABLE source.vm_instance;
ALTER TABLE half.vm_instance DROP COLUMN state;
CALL vmnet.import_cloudstack('half', 'mirror');
CREATE SEQUENCE half.nics;
CALL vmnet.import_cloudstack('half', 'mirror');
-- an inventory is no source
SELECT vmnet.create_inventory('managed');
CALL vmnet.import_cloudstack('managed', 'mirror');
-- only a mirror is made equal to something else
CALL vmnet.import_cloudstack('source', 'managed');
\echo :LAST_ERROR_SQLSTATE
CALL vmnet.import_cloudstack('source', 'half');
\echo :LAST_ERROR_SQLSTATE
CALL vmnet.import_cloudstack('source', 'pg_catalog');
CALL vmnet.import_cloudstack('source', '');
\echo :LAST_ERROR_SQLSTATE
-- what the HINT proposes is a name that can be, however long the name is
CALL vmnet.import_cloudstack('source', 'source');
CREATE SCHEMA aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa;
CALL vmnet.import_cloudstack('source', 'aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa');
DROP SCHEMA aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa;
-- nothing was left behind, and nothing is locked
SELECT name, kind FROM vmnet.inventories;
SELECT nspname FROM pg_namespace WHERE nspname LIKE '%mirror%';
SELECT count(*) AS locks FROM pg_locks WHERE mode = 'ShareUpdateExclusiveLock' AND pid = pg_backend_pid();

--
-- Only the import writes to a mirror: not its owner, not a superuser, by no route
--
CREATE ROLE regress_vmnet_owner;
CREATE ROLE regress_vmnet_other;
SELECT current_database() AS db \gset
GRANT CREATE ON DATABASE :"db" TO regress_vmnet_owner;
GRANT USAGE ON SCHEMA source TO regress_vmnet_owner;
GRANT SELECT ON ALL TABLES IN SCHEMA source TO regress_vmnet_owner;
-- Runs a statement; says how it was refused.
CREATE FUNCTION pg_temp.refused(statement text, OUT code text, OUT rule text, OUT message text, OUT detail text, OUT hint text)
LANGUAGE plpgsql AS $$
BEGIN
	EXECUTE statement;
	message := 'NOT REFUSED';
EXCEPTION WHEN OTHERS THEN
	GET STACKED DIAGNOSTICS code = RETURNED_SQLSTATE, rule = CONSTRAINT_NAME, message = MESSAGE_TEXT,
		detail = PG_EXCEPTION_DETAIL, hint = PG_EXCEPTION_HINT;
END
$$;
-- every route
CREATE TEMP TABLE routes (ord serial, statement text);
GRANT ALL ON routes TO PUBLIC;
INSERT INTO routes (statement) VALUES
	($$INSERT INTO mirror.all_networks (name) VALUES ('x')$$),
	($$INSERT INTO mirror.all_networks (id, name) VALUES (1, 'x') ON CONFLICT (id) DO UPDATE SET name = 'x'$$),
	($$INSERT INTO mirror.all_networks (id, name) VALUES (1, 'x') ON CONFLICT (id) DO NOTHING$$),
	($$UPDATE mirror.all_networks SET name = 'x'$$),
	($$UPDATE mirror.all_networks SET name = 'x' WHERE false$$),
	($$DELETE FROM mirror.all_networks$$),
	($$TRUNCATE mirror.all_networks CASCADE$$),
	($$INSERT INTO mirror.all_instances (name) VALUES ('x')$$),
	($$UPDATE mirror.all_instances SET removed = now()$$),
	($$DELETE FROM mirror.all_instances$$),
	($$TRUNCATE mirror.all_instances, mirror.all_nics$$),
	($$INSERT INTO mirror.all_nics (instance_id, network_id) VALUES (1, 1)$$),
	($$DELETE FROM mirror.all_nics WHERE id = 1$$),
	($$MERGE INTO mirror.all_nics t USING (VALUES (1)) s (id) ON t.id = s.id WHEN MATCHED THEN UPDATE SET state = 'Releasing'$$),
	($$MERGE INTO mirror.all_nics t USING (VALUES (1)) s (id) ON t.id = s.id WHEN MATCHED THEN DELETE$$),
	($$MERGE INTO mirror.all_nics t USING (VALUES (9)) s (id) ON t.id = s.id WHEN NOT MATCHED THEN INSERT (id, network_id) VALUES (9, 1)$$),
	($$WITH w AS (UPDATE mirror.all_nics SET state = 'Releasing' RETURNING id) SELECT count(*) FROM w$$),
	($$INSERT INTO mirror.networks (name) VALUES ('x')$$),
	($$UPDATE mirror.networks SET name = 'x'$$),
	($$DELETE FROM mirror.networks$$),
	($$INSERT INTO mirror.instances (name) VALUES ('x')$$),
	($$UPDATE mirror.instances SET name = 'x'$$),
	($$DELETE FROM mirror.instances$$),
	($$INSERT INTO mirror.nics (instance_id, network_id) VALUES (1, 1)$$),
	($$UPDATE mirror.nics SET state = 'Releasing'$$),
	($$DELETE FROM mirror.nics$$);
SET ROLE regress_vmnet_owner;
CALL vmnet.import_cloudstack('source', 'mirror');
SELECT name, kind, source, owner FROM vmnet.inventories WHERE name = 'mirror';
SELECT status, rows_inserted FROM mirror.import_runs;

-- the whole error, once for each of its shapes
SELECT * FROM pg_temp.refused($$UPDATE mirror.all_nics SET state = 'Releasing'$$) \gx
SELECT * FROM pg_temp.refused($$DELETE FROM mirror.all_nics$$) \gx
SELECT * FROM pg_temp.refused($$TRUNCATE mirror.all_nics$$) \gx
-- every one names the source
SELECT r.ord, e.code, e.rule, coalesce(e.detail, '') || coalesce(e.hint, '') LIKE '%"source"%' AS names_the_source,
	CASE WHEN e.code IN ('42501', '23001') THEN r.statement ELSE r.statement || ': ' || e.message END AS statement
FROM routes r, pg_temp.refused(r.statement) e ORDER BY r.ord;
\set VERBOSITY sqlstate
COPY mirror.all_networks (name) FROM STDIN;
x
\.
\set VERBOSITY default
-- a superuser is no exception
RESET ROLE;
SELECT count(*) AS routes, count(*) FILTER (WHERE e.code IN ('42501', '23001')) AS refused
FROM routes r, pg_temp.refused(r.statement) e;
-- a role that has every right on the tables is none either
GRANT USAGE ON SCHEMA mirror TO regress_vmnet_other;
GRANT ALL ON ALL TABLES IN SCHEMA mirror TO regress_vmnet_other;
GRANT ALL ON ALL SEQUENCES IN SCHEMA mirror TO regress_vmnet_other;
SET ROLE regress_vmnet_other;
SELECT count(*) AS routes, count(*) FILTER (WHERE e.code IN ('42501', '23001')) AS refused
FROM routes r, pg_temp.refused(r.statement) e;
RESET ROLE;
-- a mirror that nothing was imported into yet has no source to name
SELECT vmnet.create_inventory('empty', 'mirror');
INSERT INTO empty.networks (name) VALUES ('x');
TRUNCATE empty.all_nics;
DROP SCHEMA empty CASCADE;
SELECT count(*) FROM mirror.nics;

--
-- Only the owner imports
--
\set VERBOSITY terse
CREATE FUNCTION pg_temp.mirror_digest() RETURNS text LANGUAGE sql AS $$
SELECT md5(string_agg(x, ',' ORDER BY x)) FROM (
	SELECT t::text || xmin::text AS x FROM mirror.all_networks t UNION ALL SELECT t::text || xmin::text FROM mirror.all_instances t
	UNION ALL SELECT t::text || xmin::text FROM mirror.all_nics t) d $$;
SELECT pg_temp.mirror_digest() AS digest, max(run) AS last_run FROM mirror.import_runs \gset
UPDATE source.nic_rows SET state = 'Releasing' WHERE id = '2';

GRANT USAGE ON SCHEMA source TO regress_vmnet_other;
GRANT SELECT ON ALL TABLES IN SCHEMA source TO regress_vmnet_other;
SET ROLE regress_vmnet_other;
CALL vmnet.import_cloudstack('source', 'mirror');
\echo :LAST_ERROR_SQLSTATE
-- not even with every right on everything in it
RESET ROLE;
GRANT ALL ON SCHEMA mirror TO regress_vmnet_other;
SET ROLE regress_vmnet_other;
CALL vmnet.import_cloudstack('source', 'mirror');
\echo :LAST_ERROR_SQLSTATE
BEGIN;
CALL vmnet.import_cloudstack('source', 'mirror');
ROLLBACK;
-- nor can it make one in a database that it may not create schemas in
\set VERBOSITY sqlstate
CALL vmnet.import_cloudstack('source', 'others');
\set VERBOSITY terse
RESET ROLE;
REVOKE ALL ON SCHEMA mirror FROM regress_vmnet_other;
SET ROLE regress_vmnet_other;
CALL vmnet.import_cloudstack('source', 'mirror');
\echo :LAST_ERROR_SQLSTATE
RESET ROLE;
SELECT pg_temp.mirror_digest() = :'digest' AS untouched, max(run) = :last_run AS no_run FROM mirror.import_runs;

-- the owner needs the right to read the source, all of it
REVOKE SELECT ON source.nics FROM regress_vmnet_owner;
SET ROLE regress_vmnet_owner;
CALL vmnet.import_cloudstack('source', 'mirror');
\echo :LAST_ERROR_SQLSTATE
RESET ROLE;
GRANT SELECT ON source.nics TO regress_vmnet_owner;
REVOKE USAGE ON SCHEMA source FROM regress_vmnet_owner;
SET ROLE regress_vmnet_owner;
\set VERBOSITY sqlstate
CALL vmnet.import_cloudstack('source', 'mirror');
\set VERBOSITY terse
RESET ROLE;
GRANT USAGE ON SCHEMA source TO regress_vmnet_owner;
-- a policy that hides rows of the source would make them look deleted
ALTER TABLE source.vm_instance ENABLE ROW LEVEL SECURITY;
CREATE POLICY none ON source.vm_instance USING (false);
SET ROLE regress_vmnet_owner;
CALL vmnet.import_cloudstack('source', 'mirror');
\echo :LAST_ERROR_SQLSTATE
RESET ROLE;
ALTER TABLE source.vm_instance DISABLE ROW LEVEL SECURITY;
SELECT pg_temp.mirror_digest() = :'digest' AS untouched;
SELECT status, step, finished IS NOT NULL AS finished, message FROM mirror.import_runs ORDER BY run;
SET ROLE regress_vmnet_owner;
CALL vmnet.import_cloudstack('source', 'mirror');
SELECT id, state FROM mirror.nics ORDER BY id;
-- a superuser and a member of the owner may as well, and nothing of theirs is in
-- the owner's way afterwards
RESET ROLE;
CALL vmnet.import_cloudstack('source', 'mirror');
GRANT regress_vmnet_owner TO regress_vmnet_other;
SET ROLE regress_vmnet_other;
CALL vmnet.import_cloudstack('source', 'mirror');
RESET ROLE;
REVOKE regress_vmnet_owner FROM regress_vmnet_other;
SET ROLE regress_vmnet_owner;
CALL vmnet.import_cloudstack('source', 'mirror');
SELECT count(*) AS not_the_owners FROM pg_class WHERE relnamespace = 'mirror'::regnamespace AND relowner <> 'regress_vmnet_owner'::regrole;

-- a policy on the mirror, forced on its owner, does not hide rows from the import
ALTER TABLE mirror.all_nics ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY few ON mirror.all_nics USING (id = 1);
SELECT count(*) AS seen FROM mirror.nics;
RESET ROLE;
DELETE FROM source.nic_rows WHERE id = '2';
SET ROLE regress_vmnet_owner;
CALL vmnet.import_cloudstack('source', 'mirror');
SELECT rows_inserted, rows_updated, rows_deleted FROM mirror.import_runs ORDER BY run DESC LIMIT 1;
RESET ROLE;
SELECT count(*) AS there FROM mirror.all_nics;
INSERT INTO source.nic_rows VALUES ('2', '1', '2', 'Releasing', '2025-01-06 00:00:00', NULL);
SET ROLE regress_vmnet_owner;
CALL vmnet.import_cloudstack('source', 'mirror');
ALTER TABLE mirror.all_nics DISABLE ROW LEVEL SECURITY, NO FORCE ROW LEVEL SECURITY;
DROP POLICY few ON mirror.all_nics;
SELECT count(*) AS there FROM mirror.all_nics;
RESET ROLE;

--
-- A run that fails in the middle
--
\set VERBOSITY default
SELECT pg_temp.mirror_digest() AS digest \gset
-- what is left of a failed run: the mirror as it was, the run, and no more
CREATE FUNCTION pg_temp.after_failure(OUT run_status text, OUT step text, OUT finished boolean, OUT message text, OUT stages bigint, OUT locks bigint)
LANGUAGE sql AS $$
SELECT status, step, finished IS NOT NULL, message,
	(SELECT count(*) FROM pg_class WHERE relname LIKE 'vmnet\_import\_%'),
	(SELECT count(*) FROM pg_locks WHERE mode = 'ShareUpdateExclusiveLock' AND pid = pg_backend_pid())
FROM mirror.import_runs ORDER BY run DESC LIMIT 1 $$;

-- in the source, while it is read
UPDATE source.networks SET name = 'renamed' WHERE id = '1';
CREATE OR REPLACE VIEW source.nics AS SELECT id, instance_id, network_id, state, (1 / (id::int - 2))::text AS created, removed FROM source.nic_rows;
CALL vmnet.import_cloudstack('source', 'mirror');
\echo :LAST_ERROR_SQLSTATE
SELECT pg_temp.mirror_digest() = :'digest' AS untouched, * FROM pg_temp.after_failure();
-- in the mirror, while it is changed: by a rule that its owner has made
CREATE OR REPLACE VIEW source.nics AS SELECT * FROM source.nic_rows;
ALTER TABLE mirror.all_nics ADD CONSTRAINT not_parked CHECK (state <> 'Parked');
UPDATE source.nic_rows SET state = 'Parked' WHERE id = '2';
\set VERBOSITY terse
CALL vmnet.import_cloudstack('source', 'mirror');
\set VERBOSITY default
\echo :LAST_ERROR_SQLSTATE
SELECT pg_temp.mirror_digest() = :'digest' AS untouched, * FROM pg_temp.after_failure();
-- a permit does not outlive the failure
UPDATE mirror.all_networks SET name = 'x';
DELETE FROM mirror.all_nics;
-- a statement that is cancelled while it reads (a time-out would come at a
-- step that depends on how fast the server is)
CREATE OR REPLACE VIEW source.nics AS SELECT r.* FROM source.nic_rows r, pg_cancel_backend(pg_backend_pid()) c, pg_sleep(CASE WHEN c THEN 60 END);
CALL vmnet.import_cloudstack('source', 'mirror');
\echo :LAST_ERROR_SQLSTATE
SELECT pg_temp.mirror_digest() = :'digest' AS untouched, * FROM pg_temp.after_failure();
-- the next run is fine
CREATE OR REPLACE VIEW source.nics AS SELECT * FROM source.nic_rows;
ALTER TABLE mirror.all_nics DROP CONSTRAINT not_parked;
CALL vmnet.import_cloudstack('source', 'mirror');
SELECT * FROM pg_temp.after_failure();
SELECT id, name FROM mirror.networks ORDER BY id;
SELECT id, state FROM mirror.nics ORDER BY id;
-- a run that never came to its end is closed by the next; a table of the session
-- that has the name of a stage gives way
INSERT INTO mirror.import_runs (source) VALUES ('source');
CREATE TEMP TABLE vmnet_import_nics (id int);
CALL vmnet.import_cloudstack('source', 'mirror');
SELECT status, message FROM mirror.import_runs ORDER BY run DESC LIMIT 2;
-- a first import that fails leaves an empty mirror, whole
CREATE OR REPLACE VIEW source.nics AS SELECT id, instance_id, network_id, state, (1 / (id::int - 2))::text AS created, removed FROM source.nic_rows;
CALL vmnet.import_cloudstack('source', 'first');
SELECT status, message FROM first.import_runs;
SELECT count(*) FROM first.all_networks;
SELECT count(*) AS triggers FROM pg_trigger WHERE tgrelid = 'first.all_nics'::regclass AND NOT tgisinternal;
SELECT count(*) AS foreign_keys FROM pg_constraint WHERE conrelid = 'first.all_nics'::regclass AND contype = 'f';
CREATE OR REPLACE VIEW source.nics AS SELECT * FROM source.nic_rows;
CALL vmnet.import_cloudstack('source', 'first');
SELECT count(*) FROM first.nics;
DROP SCHEMA first CASCADE;

--
-- Inside a transaction block, a function, a DO block, a procedure
--
BEGIN;
CALL vmnet.import_cloudstack('source', 'block');
SELECT count(*) FROM block.nics;
SELECT status FROM block.import_runs;
ROLLBACK;
SELECT nspname FROM pg_namespace WHERE nspname = 'block';
SELECT count(*) AS locks FROM pg_locks WHERE mode = 'ShareUpdateExclusiveLock' AND pid = pg_backend_pid();
BEGIN;
CALL vmnet.import_cloudstack('source', 'block');
UPDATE source.nic_rows SET state = 'Reserved' WHERE id = '2';
CALL vmnet.import_cloudstack('source', 'block');
SAVEPOINT s;
UPDATE source.nic_rows SET state = 'Allocated' WHERE id = '2';
CALL vmnet.import_cloudstack('source', 'block');
ROLLBACK TO s;
CALL vmnet.import_cloudstack('nowhere', 'block');
ROLLBACK TO s;
SELECT id, state FROM block.nics ORDER BY id;
COMMIT;
SELECT id, state FROM block.nics ORDER BY id;
SELECT run, status, rows_inserted, rows_updated FROM block.import_runs ORDER BY run;
SELECT count(*) AS locks FROM pg_locks WHERE mode = 'ShareUpdateExclusiveLock' AND pid = pg_backend_pid();
-- several statements that one message holds are a transaction, too
SELECT 1 AS one \; CALL vmnet.import_cloudstack('source', 'block') \; SELECT 1 / 0;
SELECT count(*) AS runs FROM block.import_runs;
-- a function, and a block that catches errors, cannot commit
CREATE FUNCTION pg_temp.import_in_function() RETURNS void LANGUAGE plpgsql AS $$
BEGIN
	CALL vmnet.import_cloudstack('source', 'block');
END
$$;
SELECT pg_temp.import_in_function();
DO $$
BEGIN
	BEGIN
		CALL vmnet.import_cloudstack('source', 'block');
		RAISE division_by_zero;
	EXCEPTION WHEN division_by_zero THEN
		NULL;
	END;
	IF (SELECT count(*) FROM block.import_runs) <> 3 THEN
		RAISE EXCEPTION 'the run was not undone with its block';
	END IF;
	-- this one commits
	CALL vmnet.import_cloudstack('source', 'block');
	CALL vmnet.import_cloudstack('source', 'block');
	RAISE division_by_zero;
END
$$;
SELECT count(*) AS runs, count(*) FILTER (WHERE status = 'done') AS done FROM block.import_runs;
CREATE PROCEDURE source.twice() LANGUAGE plpgsql AS $$
BEGIN
	CALL vmnet.import_cloudstack('source', 'block');
	COMMIT;
	CALL vmnet.import_cloudstack('source', 'block');
	ROLLBACK;
END
$$;
CALL source.twice();
SELECT count(*) AS runs, count(*) FILTER (WHERE status = 'done') AS done FROM block.import_runs;
-- at another isolation level; read only
SET default_transaction_isolation = 'serializable';
CALL vmnet.import_cloudstack('source', 'block');
SET default_transaction_isolation = 'repeatable read';
CALL vmnet.import_cloudstack('source', 'block');
RESET default_transaction_isolation;
SET default_transaction_read_only = on;
CALL vmnet.import_cloudstack('source', 'block');
\echo :LAST_ERROR_SQLSTATE
RESET default_transaction_read_only;
SELECT count(*) AS runs, count(*) FILTER (WHERE status = 'done') AS done FROM block.import_runs;

--
-- A permit is for one inventory, for one statement
--
CREATE FUNCTION source.meddle() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
	BEGIN
		DELETE FROM managed.all_networks;
		RAISE WARNING 'a managed inventory was not guarded';
	EXCEPTION WHEN restrict_violation THEN
		RAISE WARNING 'refused: %', SQLERRM;
	END;
	BEGIN
		UPDATE mirror.all_networks SET name = 'meddled with';
		RAISE WARNING 'another mirror was not guarded';
	EXCEPTION WHEN insufficient_privilege THEN
		RAISE WARNING 'refused: %', SQLERRM;
	END;
	RETURN NULL;
END
$$;
CREATE FUNCTION source.meddle_later() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
	DELETE FROM block.all_nics WHERE id = 1;
	RETURN NULL;
END
$$;
INSERT INTO managed.networks (name) VALUES ('kept');
CREATE TRIGGER meddle AFTER UPDATE ON block.all_nics FOR EACH ROW EXECUTE FUNCTION source.meddle();
UPDATE source.nic_rows SET state = 'Allocated' WHERE id = '2';
CALL vmnet.import_cloudstack('source', 'block');
SELECT id, state FROM block.nics ORDER BY id;
SELECT count(*) FROM managed.networks;
DROP TRIGGER meddle ON block.all_nics;
-- what is put off to the end of the transaction comes when it is closed; a
-- failure there is a failure of the run, too
CREATE CONSTRAINT TRIGGER meddle_later AFTER UPDATE ON block.all_nics DEFERRABLE INITIALLY DEFERRED
FOR EACH ROW EXECUTE FUNCTION source.meddle_later();
UPDATE source.nic_rows SET state = 'Releasing' WHERE id = '2';
CALL vmnet.import_cloudstack('source', 'block');
\echo :LAST_ERROR_SQLSTATE
SELECT id, state FROM block.nics ORDER BY id;
SELECT status, message FROM block.import_runs ORDER BY run DESC LIMIT 1;
DROP TRIGGER meddle_later ON block.all_nics;
CALL vmnet.import_cloudstack('source', 'block');
SELECT id, state FROM block.nics ORDER BY id;
-- what fails inside a trigger, and is caught there, does not close it
CREATE FUNCTION source.catch() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
	BEGIN
		DELETE FROM managed.all_networks;
	EXCEPTION WHEN restrict_violation THEN
		NULL;
	END;
	RETURN OLD;
END
$$;
CREATE TRIGGER before_all_others BEFORE DELETE ON block.all_nics FOR EACH ROW EXECUTE FUNCTION source.catch();
DELETE FROM source.nic_rows WHERE id = '2';
CALL vmnet.import_cloudstack('source', 'block', on_vanish => 'delete');
SELECT id, state FROM block.nics ORDER BY id;
DROP TRIGGER before_all_others ON block.all_nics;
-- and no setting opens it
SELECT name FROM pg_settings WHERE name LIKE 'vmnet.%' ORDER BY 1;
DELETE FROM block.all_nics;

-- A table of a user's that refers to the mirror keeps what it refers to.
CREATE TABLE source.of_mine (instance_id bigint REFERENCES block.all_instances (id));
INSERT INTO source.of_mine VALUES (1);
DELETE FROM source.nic_rows;
DELETE FROM source.vm_instance;
CALL vmnet.import_cloudstack('source', 'block', on_vanish => 'delete');
\echo :LAST_ERROR_SQLSTATE
SELECT status, message FROM block.import_runs ORDER BY run DESC LIMIT 1;
SELECT id FROM block.nics ORDER BY id;
-- what is kept is not in its way
CALL vmnet.import_cloudstack('source', 'block');
SELECT i.id, i.removed IS NOT NULL AS removed FROM source.of_mine m JOIN block.all_instances i ON i.id = m.instance_id;
-- arguments
CALL vmnet.import_cloudstack('source', 'block', on_vanish => 'forget');
CALL vmnet.import_cloudstack('source', 'block', on_vanish => NULL);

DROP SCHEMA source, half, managed, mirror, block CASCADE;
REVOKE CREATE ON DATABASE :"db" FROM regress_vmnet_owner;
DROP ROLE regress_vmnet_owner, regress_vmnet_other;
