-- Every trigger function, put by hand in every way on relations of every kind:
-- nothing crashes, and nothing is read or written that the one who did it may not.
-- Foreign tables are those of this server itself.
SET client_min_messages = warning;
\set VERBOSITY terse
CREATE EXTENSION postgres_fdw;
SELECT vmnet.create_inventory('cloud') \g /dev/null
INSERT INTO cloud.networks (id) VALUES (1);
INSERT INTO cloud.instances (id) VALUES (1);
INSERT INTO cloud.nics (id, instance_id, network_id) VALUES (1, 1, 1);
INSERT INTO cloud.nic_secondary_ips (nic_id, network_id, ip4_address) VALUES (1, 1, '10.0.0.1');

-- in the schema of an inventory that is somebody else's
CREATE ROLE regress_vmnet_worker;
GRANT USAGE, CREATE ON SCHEMA cloud TO regress_vmnet_worker;
DO $$
BEGIN
	EXECUTE format('CREATE SERVER here FOREIGN DATA WRAPPER postgres_fdw OPTIONS (dbname %L, host %L, port %L)', current_database(),
		split_part(current_setting('unix_socket_directories'), ',', 1), current_setting('port'));
END $$;
CREATE USER MAPPING FOR PUBLIC SERVER here OPTIONS (user 'regress_vmnet_worker', password_required 'false');
ALTER ROLE regress_vmnet_worker LOGIN;
GRANT USAGE ON FOREIGN SERVER here TO regress_vmnet_worker;

SET ROLE regress_vmnet_worker;
CREATE TABLE cloud.parent (id bigint PRIMARY KEY, removed timestamptz);
INSERT INTO cloud.parent VALUES (1);
-- a NIC, a network, a secondary address and a piece of history in one
CREATE TABLE cloud.shape (id bigint, uuid uuid, nic_id bigint, instance_id bigint, network_id bigint, state text, strategy text, default_nic boolean,
	active boolean, created timestamptz, state_changed timestamptz, removed timestamptz);
CREATE TABLE cloud.plain (LIKE cloud.shape);
CREATE TABLE cloud.full (LIKE cloud.shape, FOREIGN KEY (instance_id) REFERENCES cloud.parent, FOREIGN KEY (network_id) REFERENCES cloud.parent);
CREATE UNLOGGED TABLE cloud.unlogged (LIKE cloud.full, FOREIGN KEY (instance_id) REFERENCES cloud.parent, FOREIGN KEY (network_id) REFERENCES cloud.parent);
CREATE TABLE cloud.child () INHERITS (cloud.full);
CREATE TABLE cloud.split (LIKE cloud.shape, FOREIGN KEY (instance_id) REFERENCES cloud.parent, FOREIGN KEY (network_id) REFERENCES cloud.parent) PARTITION BY LIST (id);
CREATE TABLE cloud.split_1 PARTITION OF cloud.split DEFAULT;
CREATE TABLE cloud.split_loose (LIKE cloud.shape) PARTITION BY LIST (id);
CREATE TABLE cloud.remote (LIKE cloud.shape);
CREATE FOREIGN TABLE cloud.away (id bigint, uuid uuid, nic_id bigint, instance_id bigint, network_id bigint, state text, strategy text, default_nic boolean,
	active boolean, created timestamptz, state_changed timestamptz, removed timestamptz) SERVER here OPTIONS (schema_name 'cloud', table_name 'remote');
CREATE FOREIGN TABLE cloud.split_away PARTITION OF cloud.split_loose DEFAULT SERVER here OPTIONS (schema_name 'cloud', table_name 'remote');
CREATE VIEW cloud.seen AS SELECT * FROM cloud.plain;
RESET ROLE;

CREATE TABLE result (function text, relation text, timing text, level text, event text, argument text, attached text, fired text);
GRANT ALL ON result TO regress_vmnet_worker;
CREATE FUNCTION outcome(command text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	name text;
BEGIN
	EXECUTE command;
	RETURN 'accepted';
EXCEPTION WHEN OTHERS THEN
	GET STACKED DIAGNOSTICS name = CONSTRAINT_NAME;
	RETURN concat_ws(' ', SQLSTATE, nullif(name, ''));
END
$$;
CREATE FUNCTION attempt(f regproc, relation text, timing text, level text, event text, argument text) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
	attached text; fired text;
BEGIN
	IF relation = 'pg_temp.short' THEN
		CREATE TEMP TABLE short (LIKE cloud.shape);
	END IF;
	EXECUTE format('INSERT INTO %s VALUES (1, NULL, 1, 1, 1, ''Allocated'', ''Start'', false, true, now(), now(), NULL)', relation);
	attached := outcome(format('CREATE TRIGGER wrong %s %s ON %s FOR EACH %s EXECUTE FUNCTION %s(%s)', timing, event, relation, level, f, argument));
	IF attached = 'accepted' THEN
		fired := outcome(CASE event
			WHEN 'INSERT' THEN format('INSERT INTO %s VALUES (2, NULL, 1, 1, 1, ''Allocated'', ''Start'', NULL, true, now(), now(), NULL)', relation)
			WHEN 'UPDATE' THEN format('UPDATE %s SET state = ''Deallocating'', removed = ''2100-01-01''', relation)
			WHEN 'DELETE' THEN format('DELETE FROM %s', relation)
			ELSE format('TRUNCATE %s', relation) END);
	END IF;
	RAISE EXCEPTION USING ERRCODE = 'UNDO1';
EXCEPTION WHEN SQLSTATE 'UNDO1' THEN
	INSERT INTO result VALUES (f, relation, timing, level, event, argument, attached, fired);
END
$$;

SET ROLE regress_vmnet_worker;
SELECT count(attempt(p.oid::regproc, relation, timing, level, event, argument)) > 0 AS tried
FROM pg_proc p JOIN pg_depend d ON d.classid = 'pg_proc'::regclass AND d.objid = p.oid AND d.deptype = 'e' AND d.refobjid = (SELECT oid FROM pg_extension WHERE extname = 'vmnet_ext'),
	unnest(ARRAY['plain', 'full', 'unlogged', 'child', 'split', 'split_1', 'away', 'split_away', 'seen']) r, LATERAL (SELECT 'cloud.' || r UNION ALL SELECT 'pg_temp.short' WHERE r = 'plain') t (relation),
	unnest(ARRAY['BEFORE', 'AFTER', 'INSTEAD OF']) timing, unnest(ARRAY['ROW', 'STATEMENT']) level, unnest(ARRAY['INSERT', 'UPDATE', 'DELETE', 'TRUNCATE']) event,
	unnest(ARRAY['', '''all_nics''', '''all_nic_secondary_ips''', '''cloud''']) argument
WHERE p.prorettype = 'trigger'::regtype AND (argument = '' OR p.proname ~ 'second|attached');
RESET ROLE;

-- What is not refused with 39P01, or since it is not the owner's: tables of the
-- worker's that are alike, with which he may do as he likes.  A trigger for each
-- statement on a view that can be updated never fires.
SELECT split_part(function, '.', 2) COLLATE "C" AS function, timing, level, event, fired, string_agg(DISTINCT split_part(relation, '.', 2) COLLATE "C", ' ' ORDER BY split_part(relation, '.', 2) COLLATE "C") AS relations
FROM result
WHERE attached = 'accepted' AND fired NOT IN ('39P01', '42501 inventory_owner') AND NOT (relation = 'cloud.seen' AND level = 'STATEMENT')
	AND NOT (relation IN ('cloud.away', 'cloud.split_away') AND event = 'TRUNCATE')
GROUP BY 1, 2, 3, 4, 5
ORDER BY 1, 2, 3, 4, 5;
-- Up to 15 a foreign table has no trigger for TRUNCATE; from 16 on it is as one
-- of a plain table.
SELECT f.relation, count(*) FILTER (WHERE p.attached = 'accepted') > 0 AS fired, count(*) FILTER (WHERE (f.attached, f.fired) IS DISTINCT FROM
	CASE WHEN current_setting('server_version_num')::int < 160000 THEN ('42809'::text, NULL::text) ELSE (p.attached, p.fired) END) AS wrong
FROM result f JOIN result p USING (function, timing, level, event, argument)
WHERE f.relation IN ('cloud.away', 'cloud.split_away') AND f.event = 'TRUNCATE' AND p.relation = 'cloud.plain'
GROUP BY 1 ORDER BY 1;
-- how many were fired at all, by kind
SELECT relation, count(*) FILTER (WHERE attached = 'accepted') > 0 AS fired FROM result GROUP BY 1 ORDER BY relation COLLATE "C";
-- nothing came of it
SELECT (SELECT count(*) FROM cloud.nic_history) AS history, (SELECT count(*) FROM cloud.nic_secondary_ips) AS secondary_ips, (SELECT count(*) FROM cloud.nics WHERE state = 'Allocated') AS nics;
UPDATE cloud.nics SET state = 'Reserving';
SELECT nic_id, to_state FROM cloud.nic_history;

DROP OWNED BY regress_vmnet_worker CASCADE;
DROP SCHEMA cloud CASCADE;
DROP SERVER here CASCADE;
DROP EXTENSION postgres_fdw;
DROP TABLE result;
DROP FUNCTION outcome, attempt;
DROP ROLE regress_vmnet_worker;
