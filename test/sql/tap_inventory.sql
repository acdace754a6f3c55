-- What an inventory is made of, and that its guards hold where a session, a
-- role or an owner does something unusual.
\i test/tap/setup.psql
\i test/tap/outcome.psql

SELECT plan(92);

SET LOCAL TimeZone = 'UTC';
SELECT vmnet.create_inventory('mirror', 'mirror') \g /dev/null

--
-- Every object has a comment.
--
CREATE TEMP VIEW nameless AS
-- relations, sequences and indexes
SELECT n.nspname AS schema, format('%s %s', c.relkind, c.relname) AS object FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE c.relkind <> 'c' AND obj_description(c.oid, 'pg_class') IS NULL
UNION ALL
-- columns
SELECT n.nspname, format('column %s.%s', c.relname, a.attname)
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace JOIN pg_attribute a ON a.attrelid = c.oid
WHERE c.relkind IN ('r', 'v', 'm', 'f', 'p') AND a.attnum > 0 AND NOT a.attisdropped AND col_description(c.oid, a.attnum) IS NULL
UNION ALL
-- constraints; NOT NULL is one of them only from 18 on
SELECT n.nspname, format('constraint %s', c.conname) FROM pg_constraint c JOIN pg_namespace n ON n.oid = c.connamespace
WHERE c.contype <> 'n' AND obj_description(c.oid, 'pg_constraint') IS NULL
UNION ALL
SELECT n.nspname, format('trigger %s on %s', t.tgname, c.relname)
FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE NOT t.tgisinternal AND obj_description(t.oid, 'pg_trigger') IS NULL
UNION ALL
SELECT n.nspname, format('function %s', p.oid::regprocedure) FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace
WHERE obj_description(p.oid, 'pg_proc') IS NULL
UNION ALL
SELECT n.nspname, 'schema' FROM pg_namespace n WHERE obj_description(n.oid, 'pg_namespace') IS NULL
UNION ALL
-- what else could be in a schema
SELECT n.nspname, format('type %s', t.typname) FROM pg_type t JOIN pg_namespace n ON n.oid = t.typnamespace
WHERE t.typtype <> 'b' AND obj_description(t.oid, 'pg_type') IS NULL
	AND (t.typtype <> 'c' OR EXISTS (SELECT FROM pg_class c WHERE c.oid = t.typrelid AND c.relkind = 'c'));

-- other kinds, over tables with nothing in them
CREATE SCHEMA source;
CREATE TABLE source.networks (id bigint PRIMARY KEY, name text, state text, traffic_type text, created timestamptz, removed timestamptz);
CREATE TABLE source.vm_instance (id bigint PRIMARY KEY, name text, state text, type text, created timestamptz, removed timestamptz);
CREATE TABLE source.nics (id bigint PRIMARY KEY, uuid text, instance_id bigint, network_id bigint, state text, strategy text, vm_type text, default_nic int, created timestamptz, removed timestamptz);
SELECT vmnet.attach_cloudstack('live', 'source'), vmnet.create_report('cloud'), vmnet.create_report('mirror', 'tenants', true) \g /dev/null
SELECT FROM vmnet.attach_inventory('attached', 'source.nics', 'source.networks', 'source.vm_instance', mode => 'read_only') \g /dev/null
SELECT FROM vmnet.attach_inventory('lone', 'source.nics') \g /dev/null
SELECT is_empty(format('SELECT object FROM nameless WHERE schema = %L', s), format('in %s, every object and every column has a comment', s))
FROM unnest(ARRAY['vmnet', 'vmnet_internal', 'cloud', 'mirror', 'attached', 'lone', 'live', 'cloud_report', 'tenants']) s;
SELECT is_empty($$SELECT c.oid::regclass, d.objsubid, d.description FROM pg_description d JOIN pg_class c ON d.classoid = 'pg_class'::regclass AND c.oid = d.objoid
		WHERE c.relnamespace::regnamespace::text IN ('vmnet', 'cloud', 'mirror', 'attached', 'lone', 'live', 'cloud_report', 'tenants')
			AND length(split_part(d.description, E'\n', 1)) NOT BETWEEN 2 AND 80$$,
	'the first line of each, of a relation or a column, is at most 80 characters');
SELECT is_empty($$SELECT d.description FROM pg_description d JOIN pg_class c ON d.classoid = 'pg_class'::regclass AND c.oid = d.objoid
		WHERE c.relnamespace IN ('vmnet'::regnamespace, 'cloud'::regnamespace, 'mirror'::regnamespace) AND d.description !~ '[A-Za-z]{2}'$$,
	'and none is empty');
SELECT is(obj_description((SELECT oid FROM pg_extension WHERE extname = 'vmnet_ext'), 'pg_extension') ~ '.', true,
	'so has the extension');

--
-- The declared rules, by the catalogs.
--
SELECT set_eq($$SELECT conname::text FROM pg_constraint WHERE connamespace = 'mirror'::regnamespace AND contype = 'c' AND conrelid IN
		('mirror.all_networks'::regclass, 'mirror.all_instances'::regclass, 'mirror.all_nics'::regclass)$$,
	ARRAY[]::text[], 'a mirror has no CHECK');
SELECT set_eq($$SELECT c.relname || '.' || a.attname FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid
		WHERE c.relnamespace = 'mirror'::regnamespace AND c.relname IN ('all_networks', 'all_instances', 'all_nics') AND a.attnum > 0 AND a.attnotnull$$,
	ARRAY['all_networks.id', 'all_networks.state', 'all_networks.created', 'all_instances.id', 'all_instances.state', 'all_instances.created',
		'all_nics.id', 'all_nics.network_id', 'all_nics.state', 'all_nics.created', 'all_nics.state_changed'],
	'and NOT NULL only on id, network_id, state, created and state_changed');
SELECT set_eq($$SELECT c.relname::text FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid JOIN pg_class t ON t.oid = i.indrelid
		WHERE c.relnamespace = 'mirror'::regnamespace AND i.indisunique AND t.relname IN ('all_networks', 'all_instances', 'all_nics')$$,
	ARRAY['all_networks_pkey', 'all_networks_uuid_key', 'all_instances_pkey', 'all_instances_uuid_key', 'all_nics_pkey', 'all_nics_uuid_key',
		'all_networks_removed_key', 'all_instances_removed_key'],
	'and no unique index that could refuse a row besides the keys and uuid');
SELECT is_empty($$
	SELECT c.relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
	WHERE n.nspname IN ('cloud', 'mirror') AND c.relkind = 'r'
		AND NOT EXISTS (SELECT FROM pg_constraint k WHERE k.conrelid = c.oid AND k.contype = 'p')$$,
	'every table has a primary key');
SELECT is_empty($$
	SELECT c.relname, a.attname FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid JOIN pg_namespace n ON n.oid = c.relnamespace
	WHERE n.nspname IN ('cloud', 'mirror') AND a.attidentity <> ''$$,
	'no column is IDENTITY');
SELECT is_empty($$
	SELECT c.relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
	WHERE n.nspname IN ('cloud', 'mirror') AND c.relkind = 'v' AND c.relname <> 'inventory_info'
		AND NOT coalesce('security_invoker=true' = ANY (c.reloptions), false)$$,
	'every view that reads a table does so with the rights of who reads');
SELECT is_empty($$
	SELECT c.oid::regclass, p.proname FROM pg_depend d JOIN pg_rewrite r ON d.classid = 'pg_rewrite'::regclass AND r.oid = d.objid
		JOIN pg_class c ON c.oid = r.ev_class JOIN pg_proc p ON d.refclassid = 'pg_proc'::regclass AND p.oid = d.refobjid
	WHERE p.pronamespace = 'vmnet_internal'::regnamespace AND c.relnamespace IN ('cloud'::regnamespace, 'mirror'::regnamespace)$$,
	'no view of an inventory calls a function of the extension');
SELECT set_eq($$SELECT tgname || ' ' || tgenabled::text FROM pg_trigger WHERE tgrelid = 'cloud.all_nics'::regclass AND NOT tgisinternal$$,
	ARRAY['nic_prepare O', '_nic_guard O', '_nic_history O', '_nic_secondary_ips O', 'no_hard_delete O', 'no_truncate O'], 'triggers are ordinary ones, not ALWAYS');
SELECT is_empty($$SELECT tgname FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid
		WHERE c.relnamespace IN ('cloud'::regnamespace, 'mirror'::regnamespace) AND (tgtype & 32) <> 0 AND (tgtype & (4 + 8 + 16)) <> 0$$,
	'a TRUNCATE trigger stands alone');
SELECT is_empty($$
	SELECT proname FROM pg_proc WHERE pronamespace IN ('vmnet'::regnamespace, 'vmnet_internal'::regnamespace) AND prosecdef$$,
	'no function runs with the rights of its owner');
SELECT is_empty($$
	SELECT proname FROM pg_proc p JOIN pg_language l ON l.oid = p.prolang
	WHERE pronamespace IN ('vmnet'::regnamespace, 'vmnet_internal'::regnamespace) AND l.lanname IN ('sql', 'plpgsql') AND prokind = 'f'
		AND NOT coalesce(proconfig @> ARRAY['search_path=pg_catalog, pg_temp'], false)$$,
	'every function in SQL or PL/pgSQL has a fixed search path');
SELECT is_empty($$SELECT proname FROM pg_proc WHERE pronamespace IN ('vmnet'::regnamespace, 'vmnet_internal'::regnamespace) AND proleakproof$$, 'no function claims to be leakproof');

--
-- Data for what follows: network 1 has two NICs, 2 has one, 3 is empty.
--
INSERT INTO cloud.networks (id, name) SELECT i, 'net' || i FROM generate_series(1, 9) i;
INSERT INTO cloud.instances (id, name) SELECT i, 'vm' || i FROM generate_series(1, 9) i;
INSERT INTO cloud.nics (id, instance_id, network_id) VALUES (1, 1, 1), (2, 2, 1), (3, 1, 2);
-- the table of a live view, which may have been renamed or moved
CREATE FUNCTION pg_temp.table_of(of regclass) RETURNS regclass
LANGUAGE sql AS $$
	SELECT DISTINCT d.refobjid::regclass FROM pg_depend d JOIN pg_rewrite r ON r.oid = d.objid
	WHERE r.ev_class = of AND d.refclassid = 'pg_class'::regclass AND d.refobjid <> of
$$;
-- whether the guards of an inventory do their work, as one word
CREATE FUNCTION pg_temp.guarded(s name DEFAULT 'cloud', who name DEFAULT 'none') RETURNS text
LANGUAGE sql AS $$
	SELECT CASE string_agg(pg_temp.outcome_as(who, format(command, s)), '; ' ORDER BY ord)
		WHEN '23514 nic_state_transition; 23514 nic_initial_state; 23503 network_in_use; 23503 instance_in_use; 23001 no_hard_delete; 23001 no_hard_delete'
		THEN 'yes' ELSE string_agg(pg_temp.outcome_as(who, format(command, s)), '; ' ORDER BY ord) END
	FROM (VALUES
		(1, $x$UPDATE %I.nics SET state = 'Releasing' WHERE id = 1$x$),
		(2, $x$INSERT INTO %I.nics (id, instance_id, network_id, state) VALUES (99, 2, 2, 'Reserving')$x$),
		(3, $x$UPDATE %I.networks SET removed = now() WHERE id = 1$x$),
		(4, $x$UPDATE %I.instances SET removed = now() WHERE id = 1$x$),
		(5, $x$DO $d$ BEGIN EXECUTE format('DELETE FROM %%s WHERE id = 1', pg_temp.table_of('%I.networks'::regclass)); END $d$ $x$),
		(6, $x$DO $d$ BEGIN EXECUTE format('DELETE FROM %%s WHERE id = 1', pg_temp.table_of('%I.instances'::regclass)); END $d$ $x$)) v (ord, command)
$$;
SELECT is(pg_temp.guarded(), 'yes', 'the guards do their work');

--
-- Where triggers do not fire (A1.8): what is declared holds all the same.
--
CREATE FUNCTION pg_temp.as_replica(command text) RETURNS text
LANGUAGE plpgsql AS $$
DECLARE
	result text;
BEGIN
	SET LOCAL session_replication_role = replica;
	result := pg_temp.trial(command);
	SET LOCAL session_replication_role = origin;
	RETURN result;
END
$$;
SELECT is(pg_temp.as_replica(command), expected, 'as a replica: ' || title) FROM (VALUES
	(1, 'a move that is none passes, its origin has judged it', $$UPDATE cloud.all_nics SET state = 'Releasing' WHERE id = 1$$, 'accepted'),
	(2, 'a NIC born removed passes', $$INSERT INTO cloud.all_nics (id, instance_id, network_id, state, removed, default_nic)
		VALUES (99, 1, 1, 'Deallocating', '2024-01-01 00:00+00', false)$$, 'accepted'),
	(3, 'an unknown state does not', $$UPDATE cloud.all_nics SET state = 'Bogus' WHERE id = 1$$, '23514 nic_state_valid'),
	(4, 'nor a removed NIC that is Allocated', $$UPDATE cloud.all_nics SET removed = now() WHERE id = 1$$, '23514 nic_removed_is_deallocating'),
	(5, 'nor a removal at infinity', $$UPDATE cloud.all_nics SET state = 'Deallocating', removed = 'infinity' WHERE id = 1$$, '23514 nic_removed_finite'),
	(6, 'nor a second live NIC for the same pair', $$INSERT INTO cloud.all_nics (id, instance_id, network_id, default_nic) VALUES (99, 1, 1, false)$$, '23505 all_nics_one_per_network'),
	(7, 'nor a NIC without an instance', $$UPDATE cloud.all_nics SET instance_id = NULL WHERE id = 1$$, '23514 nic_instance_required'),
	(8, 'nor one that does not say whether it is the default', $$INSERT INTO cloud.all_nics (id, instance_id, network_id) VALUES (99, 2, 2)$$, '23514 nic_default_nic_present')
	) v (ord, title, command, expected) ORDER BY ord;
SELECT is(pg_temp.guarded(), 'yes', 'back as an origin the guards do their work');

SELECT is(pg_temp.trial('SET vmnet.permit = on'), '42602', 'no setting of that prefix can be made up');

--
-- The owner can disable a guard (A1.9).
--
SELECT is(pg_temp.trial($$ALTER TABLE cloud.all_nics DISABLE TRIGGER _nic_guard; UPDATE cloud.nics SET state = 'Releasing' WHERE id = 1$$),
	'accepted', 'the owner can disable a guard');
SELECT is(pg_temp.trial($$ALTER TABLE cloud.all_nics DISABLE TRIGGER ALL;
		UPDATE cloud.networks SET removed = now() WHERE id = 1$$), '23503 network_in_use',
	'the guard of networks does not ask whether that of NICs is enabled');
SELECT is(pg_temp.trial($$ALTER TABLE cloud.all_nics DISABLE TRIGGER nic_prepare; INSERT INTO cloud.nics (id, instance_id, network_id) VALUES (99, 5, 5)$$),
	'23514 nic_default_nic_present', 'without nic_prepare an INSERT has to say default_nic');
-- a guard that cannot find the parents, or the NICs, refuses instead of passing
SELECT is(pg_temp.trial($$ALTER TABLE cloud.all_nics DROP CONSTRAINT all_nics_network_id_fkey;
		INSERT INTO cloud.nics (id, instance_id, network_id) VALUES (99, 5, 5)$$), '39P01',
	'without its foreign key to networks a table takes no NIC');
SELECT is(pg_temp.trial($$ALTER TABLE cloud.all_nics DROP CONSTRAINT all_nics_network_id_fkey;
		UPDATE cloud.networks SET removed = now() WHERE id = 1$$), '39P01',
	'and no network is removed that the guard cannot find the NICs of');
SELECT is(pg_temp.trial($$ALTER TABLE cloud.all_nics DROP CONSTRAINT all_nics_instance_id_fkey;
		UPDATE cloud.instances SET removed = now() WHERE id = 1$$), '39P01',
	'nor an instance');
SELECT is(pg_temp.trial($$DROP TRIGGER _nic_guard ON cloud.all_nics; UPDATE cloud.networks SET removed = now() WHERE id = 1$$) <> 'accepted', true,
	'nor where the table of NICs has lost its own guard');
SELECT is(pg_temp.trial($$ALTER TABLE cloud.all_networks RENAME COLUMN removed TO gone; INSERT INTO cloud.nics (id, instance_id, network_id) VALUES (99, 5, 5)$$),
	'39P01', 'a network table without removed is none');
SELECT is(pg_temp.trial($$ALTER TABLE cloud.all_nics RENAME COLUMN strategy TO plan; UPDATE cloud.all_nics SET mtu = 1$$),
	'39P01', 'a NIC table without strategy is none');
SELECT is(pg_temp.guarded(), 'yes', 'after that the guards do their work');

--
-- Objects renamed, moved and changed between statements of one session, with
-- all plans and caches warm.  Each change is undone.
--
SET LOCAL client_min_messages = warning;	-- DROP ... CASCADE tells what it takes
CREATE FUNCTION pg_temp.guarded_after(ddl text, s name DEFAULT 'cloud') RETURNS text
LANGUAGE plpgsql AS $$
DECLARE
	result text;
BEGIN
	EXECUTE ddl;
	result := pg_temp.guarded(s);
	RAISE EXCEPTION USING ERRCODE = 'UNDO1';
EXCEPTION WHEN SQLSTATE 'UNDO1' THEN
	RETURN result;
END
$$;
SELECT is(pg_temp.guarded_after(ddl, coalesce(s, 'cloud')), 'yes', title) FROM (VALUES
	(1, 'schema renamed', 'ALTER SCHEMA cloud RENAME TO "a New name"', 'a New name'),
	(2, 'tables renamed', 'ALTER TABLE cloud.all_nics RENAME TO "The NICs"; ALTER TABLE cloud.all_networks RENAME TO nets; ALTER TABLE cloud.all_instances RENAME TO vms', NULL),
	(3, 'tables moved to other schemas', 'CREATE SCHEMA s1; CREATE SCHEMA s2; ALTER TABLE cloud.all_nics SET SCHEMA s1;
		ALTER TABLE cloud.nic_history SET SCHEMA s1; ALTER TABLE cloud.nic_address_history SET SCHEMA s1; ALTER TABLE cloud.all_networks SET SCHEMA s2', NULL),
	(4, 'a column added to each table', $$ALTER TABLE cloud.all_nics ADD COLUMN rack text DEFAULT 'r1'; ALTER TABLE cloud.all_networks ADD COLUMN tag int NOT NULL DEFAULT 7;
		ALTER TABLE cloud.all_instances ADD COLUMN tag int$$, NULL),
	(5, 'a column added, and dropped', 'ALTER TABLE cloud.all_nics ADD COLUMN rack text; ALTER TABLE cloud.all_nics DROP COLUMN rack', NULL),
	(6, 'a column added, dropped, and another added', 'ALTER TABLE cloud.all_networks ADD COLUMN a text, ADD COLUMN b int; ALTER TABLE cloud.all_networks DROP COLUMN a;
		ALTER TABLE cloud.all_nics ADD COLUMN a text; ALTER TABLE cloud.all_nics DROP COLUMN a, ADD COLUMN c inet', NULL),
	(7, 'a column given another type', 'ALTER TABLE cloud.all_networks ADD COLUMN a int; ALTER TABLE cloud.all_networks ALTER COLUMN a TYPE bigint', NULL),
	(8, 'foreign keys made anew', 'ALTER TABLE cloud.all_nics DROP CONSTRAINT all_nics_network_id_fkey, DROP CONSTRAINT all_nics_instance_id_fkey,
		ADD FOREIGN KEY (network_id) REFERENCES cloud.all_networks, ADD FOREIGN KEY (instance_id) REFERENCES cloud.all_instances', NULL),
	(9, 'foreign keys that are not valid yet', 'ALTER TABLE cloud.all_nics DROP CONSTRAINT all_nics_network_id_fkey,
		ADD FOREIGN KEY (network_id) REFERENCES cloud.all_networks NOT VALID', NULL),
	(10, 'keys made anew', 'ALTER TABLE cloud.all_networks DROP CONSTRAINT all_networks_pkey CASCADE, ADD PRIMARY KEY (id);
		ALTER TABLE cloud.all_nics ADD FOREIGN KEY (network_id) REFERENCES cloud.all_networks', NULL),
	(11, 'all other indexes dropped', 'DROP INDEX cloud.all_nics_active_idx, cloud.all_nics_half_removed_idx, cloud.all_nics_instance_idx, cloud.all_nics_network_created_idx', NULL),
	(12, 'keys reindexed, tables rewritten', 'REINDEX TABLE cloud.all_networks; REINDEX TABLE cloud.all_nics; CLUSTER cloud.all_instances USING all_instances_pkey', NULL),
	(13, 'triggers renamed', 'ALTER TRIGGER _nic_guard ON cloud.all_nics RENAME TO aaa; ALTER TRIGGER network_guard ON cloud.all_networks RENAME TO zzz', NULL),
	(14, 'another table that refers to networks', 'CREATE TABLE cloud.notes (id int PRIMARY KEY, network_id bigint REFERENCES cloud.all_networks (id), note text)', NULL),
	(15, 'statistics and storage changed', 'ALTER TABLE cloud.all_nics SET (fillfactor = 50), ALTER COLUMN broadcast_uri SET STORAGE EXTERNAL, ALTER COLUMN state SET STATISTICS 10', NULL)
	) v (ord, title, ddl, s) ORDER BY ord;
SELECT is(pg_temp.guarded(), 'yes', 'after all of that is undone the guards do their work');
SELECT is(pg_temp.trial($$CREATE SCHEMA s1; ALTER TABLE cloud.all_nics SET SCHEMA s1; UPDATE s1.all_nics SET state = 'Reserving' WHERE id = 1$$),
	'39P01', 'NICs that were moved away from their history are not written');
-- rows older than an added column
SELECT is(pg_temp.trial($$ALTER TABLE cloud.all_nics ADD COLUMN rack text DEFAULT 'r1'; UPDATE cloud.nics SET state = 'Reserving' WHERE id = 1;
		DELETE FROM cloud.nics WHERE id = 2; ALTER TABLE cloud.all_nics ADD CHECK (rack = 'r1'), ALTER COLUMN rack SET NOT NULL$$),
	'accepted', 'rows older than an added column keep its default');

--
-- Subtransactions (A3.1, A3.7).
--
SAVEPOINT a;
SELECT is(pg_temp.outcome($$UPDATE cloud.nics SET state = 'Reserving' WHERE id = 1$$), 'accepted', 'in a savepoint a NIC moves');
SAVEPOINT b;
SELECT is(pg_temp.outcome($$UPDATE cloud.nics SET state = 'Allocated' WHERE id = 1; UPDATE cloud.nics SET state = 'Releasing' WHERE id = 1$$),
	'23514 nic_state_transition', 'in an inner block a legal move and one that is none');
SELECT is((SELECT state FROM cloud.nics WHERE id = 1), 'Reserving', 'both are undone');
ROLLBACK TO a;
SELECT is((SELECT state FROM cloud.nics WHERE id = 1), 'Allocated', 'and so is what the savepoint had');
SELECT is(pg_temp.outcome($$DELETE FROM cloud.nics WHERE id = 3; UPDATE cloud.networks SET removed = now() WHERE id = 2$$), 'accepted',
	'a network is emptied and removed');
ROLLBACK TO a;
SELECT is(pg_temp.outcome('UPDATE cloud.networks SET removed = now() WHERE id = 2'), '23503 network_in_use',
	'undone, it is in use again');
SELECT is(pg_temp.outcome('INSERT INTO cloud.nics (id, instance_id, network_id) VALUES (98, 5, 2)'), 'accepted', 'and takes NICs again');
SELECT is(pg_temp.outcome('DELETE FROM cloud.nics WHERE id = 98'), 'accepted', 'that can go, too');
CREATE FUNCTION pg_temp.nest(depth int) RETURNS text
LANGUAGE plpgsql AS $$
DECLARE
	result text;
BEGIN
	IF depth = 0 THEN
		RETURN pg_temp.guarded();
	END IF;
	BEGIN
		INSERT INTO cloud.nics (id, network_id, strategy) VALUES (1000 + depth, 3, 'PlaceHolder');
		result := pg_temp.nest(depth - 1);
	EXCEPTION WHEN division_by_zero THEN
		NULL;
	END;
	RETURN result;
END
$$;
SELECT is(pg_temp.nest(100), 'yes', '100 subtransactions deep the guards do their work');
SELECT is(pg_temp.outcome('UPDATE cloud.networks SET removed = now() WHERE id = 3'), '23503 network_in_use',
	'and see the NIC of each of them');
ROLLBACK TO a;
RELEASE a;
SELECT is(pg_temp.outcome('UPDATE cloud.networks SET removed = now() WHERE id = 3'), 'accepted', 'undone, there are none');
DO $$
BEGIN
	FOR i IN 1..200 LOOP
		BEGIN
			UPDATE cloud.nics SET state = CASE WHEN i % 2 = 0 THEN 'Releasing' ELSE 'Reserving' END WHERE id = 2;
			RAISE division_by_zero;
		EXCEPTION WHEN division_by_zero OR check_violation THEN
			NULL;
		END;
	END LOOP;
END
$$;
SELECT is((SELECT state FROM cloud.nics WHERE id = 2), 'Allocated', '200 moves, each undone or refused, left no trace');

--
-- Row-level security cannot hide a NIC from a guard (A6.8).
--
CREATE ROLE regress_vmnet_owner;
CREATE ROLE regress_vmnet_tenant;
SELECT is(pg_temp.outcome(format('GRANT CREATE ON DATABASE %I TO regress_vmnet_owner', current_database())), 'accepted',
	'a role is given the right to have inventories');
SELECT is(pg_temp.outcome_as('regress_vmnet_owner', $$SELECT vmnet.create_inventory('theirs')$$), 'accepted', 'and has one');
SELECT is(pg_temp.outcome_as('regress_vmnet_owner', $$
	INSERT INTO theirs.networks (id, account_id) VALUES (1, 1), (2, 2);
	INSERT INTO theirs.instances (id, account_id) VALUES (1, 1), (2, 2);
	INSERT INTO theirs.nics (id, instance_id, network_id) VALUES (1, 1, 1), (2, 2, 1), (3, 1, 2);
	ALTER TABLE theirs.all_networks ENABLE ROW LEVEL SECURITY;
	ALTER TABLE theirs.all_instances ENABLE ROW LEVEL SECURITY;
	ALTER TABLE theirs.all_nics ENABLE ROW LEVEL SECURITY;
	CREATE POLICY mine ON theirs.all_networks USING (account_id = 1);
	CREATE POLICY mine ON theirs.all_instances USING (account_id = 1);
	CREATE POLICY none ON theirs.all_nics FOR SELECT USING (false);
	CREATE POLICY any_insert ON theirs.all_nics FOR INSERT WITH CHECK (true);
	GRANT USAGE ON SCHEMA theirs TO regress_vmnet_tenant;
	GRANT SELECT, INSERT, UPDATE ON ALL TABLES IN SCHEMA theirs TO regress_vmnet_tenant$$), 'accepted',
	'with policies that hide every NIC from a tenant');
SELECT is(pg_temp.outcome_as('regress_vmnet_tenant', 'SELECT 1 / count(*) FROM theirs.all_nics'), '22012',
	'the tenant sees no NIC');
SELECT is(pg_temp.outcome_as('regress_vmnet_tenant', 'UPDATE theirs.networks SET removed = now() WHERE id = 1'), '23503 network_in_use',
	'and cannot remove the network that holds them');
SELECT is(pg_temp.outcome_as('regress_vmnet_tenant', 'UPDATE theirs.instances SET removed = now() WHERE id = 1'), '23503 instance_in_use',
	'nor the instance');
SELECT is(pg_temp.outcome_as('regress_vmnet_tenant', 'INSERT INTO theirs.all_nics (id, instance_id, network_id) VALUES (4, 1, 1)'),
	'23505 all_nics_one_per_network', 'nor add a second NIC for a pair');
-- the parents are hidden, and removed
SELECT is(pg_temp.outcome_as('regress_vmnet_owner', 'DELETE FROM theirs.nics WHERE id = 3; UPDATE theirs.networks SET removed = now() WHERE id = 2'),
	'accepted', 'the owner removes the network that the tenant does not see');
SELECT is(pg_temp.outcome_as('regress_vmnet_tenant', 'INSERT INTO theirs.all_nics (id, instance_id, network_id) VALUES (4, 1, 2)'),
	'23503 nic_parent_active', 'the tenant cannot add a NIC to it');
SELECT is(pg_temp.outcome_as('regress_vmnet_tenant', $$INSERT INTO theirs.all_nics (id, network_id, instance_id, vm_type) VALUES (5, 1, 1, 'DomainRouter')$$),
	'accepted', 'but a router''s to another');
SELECT is((SELECT default_nic FROM theirs.all_nics WHERE id = 5), false, 'which is no default: the instance has a NIC that the tenant does not see');
-- the owner, too, is bound by policies where he says so
SELECT is(pg_temp.outcome_as('regress_vmnet_owner', $$
	ALTER TABLE theirs.all_nics FORCE ROW LEVEL SECURITY;
	ALTER TABLE theirs.all_networks FORCE ROW LEVEL SECURITY$$), 'accepted', 'an owner binds himself');
SELECT is(pg_temp.outcome_as('regress_vmnet_owner', 'SELECT 1 / count(*) FROM theirs.all_nics'), '22012', 'he sees no NIC');
SELECT is(pg_temp.outcome_as('regress_vmnet_owner', 'UPDATE theirs.networks SET removed = now() WHERE id = 1'), '23503 network_in_use',
	'and cannot remove the network that holds them');
SELECT is(current_setting('role'), 'none', 'after all of that the session is who it was');

-- an owner who has taken from himself the right to look is told, not obeyed
SELECT is(pg_temp.outcome_as('regress_vmnet_owner', 'ALTER TABLE theirs.all_nics NO FORCE ROW LEVEL SECURITY;
		REVOKE ALL ON theirs.all_nics FROM regress_vmnet_owner'), 'accepted', 'an owner gives up his right to read NICs');
SELECT is(pg_temp.outcome_as('regress_vmnet_tenant', 'UPDATE theirs.networks SET removed = now() WHERE id = 1'), '42501',
	'then no network is removed');

SELECT * FROM finish();
ROLLBACK;
