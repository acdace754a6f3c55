-- Whose rights a function works with that is called on somebody else's
-- inventory: those of the owner, where the caller has them.
SET client_min_messages = warning;
CREATE ROLE regress_owner;
CREATE ROLE regress_member;
CREATE ROLE regress_stranger;
CREATE ROLE regress_heir;
GRANT regress_owner TO regress_member;
SELECT format('GRANT CREATE ON DATABASE %I TO regress_owner', current_database()) \gexec
CREATE TABLE ran_as (who name, what text);
GRANT INSERT ON ran_as TO PUBLIC;
-- who ran code of the owner since the last look
CREATE FUNCTION ran() RETURNS TABLE (who name, what text) LANGUAGE sql AS $$
	WITH seen AS (DELETE FROM public.ran_as RETURNING *) SELECT DISTINCT who, what FROM seen ORDER BY 1, 2
$$;

SET ROLE regress_owner;
SELECT vmnet.create_inventory('trap');
CREATE FUNCTION trap.note(what text) RETURNS boolean LANGUAGE plpgsql AS $$
BEGIN
	INSERT INTO public.ran_as VALUES (current_user, what);
	-- what a function leaves behind in the session of whoever runs it
	PERFORM set_config('vmnet.actor', 'the owner''s code', false), set_config('search_path', 'trap', false);
	RETURN true;
END $$;
CREATE FUNCTION trap.planned(what text) RETURNS boolean LANGUAGE plpgsql IMMUTABLE AS $$ BEGIN RETURN trap.note(what); END $$;
CREATE FUNCTION trap.fired() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN PERFORM trap.note('trigger'); RETURN NEW; END $$;
INSERT INTO trap.networks (name) VALUES ('n');
INSERT INTO trap.instances (name, state) VALUES ('i', 'Running');
INSERT INTO trap.nics (network_id, instance_id, ip4_address) VALUES (1, 1, '10.0.0.1');
SELECT format('CREATE OR REPLACE VIEW trap.%1$I AS SELECT %2$s FROM trap.all_%1$I WHERE removed IS NULL AND trap.note(''view'') AND trap.planned(''planning'')',
	v, string_agg(quote_ident(attname), ', ' ORDER BY attnum))
FROM unnest(ARRAY['nics', 'networks', 'instances']) v JOIN pg_attribute a ON attrelid = ('trap.' || v)::regclass AND attnum > 0 AND NOT attisdropped GROUP BY v \gexec
CREATE TRIGGER fired BEFORE UPDATE ON trap.all_nics FOR EACH ROW EXECUTE FUNCTION trap.fired();
CREATE INDEX ON trap.all_nics (id) WHERE trap.planned('index');
RESET ROLE;
TRUNCATE ran_as;

-- a superuser
SELECT count(*) FROM vmnet.network_active_instances(1, inventory => 'trap');
SELECT * FROM public.ran();
SHOW vmnet.actor;
SHOW search_path;
EXPLAIN (COSTS OFF) SELECT * FROM vmnet.network_active_instances(1, inventory => 'trap');
SELECT * FROM public.ran();
SELECT vmnet.nic_event(1, 'ReservationRequested', inventory => 'trap');
SELECT * FROM public.ran();
SELECT session_username, actor FROM trap.nic_history;
SELECT vmnet.inventory_status('trap');
SELECT count(*) FROM vmnet.nic_changes_since(inventory => 'trap');
SELECT who FROM public.ran() GROUP BY who;
-- row by row, in a target list, and as an argument of another call
SELECT (vmnet.network_blockers(g, 'trap')).nic_id, vmnet.network_in_use(g, 'trap') FROM generate_series(1, 2) g;
SELECT who FROM public.ran() GROUP BY who;

-- a member of the owner's role, who is no superuser
SET ROLE regress_member;
SELECT count(*) FROM vmnet.network_active_nics(1, 'trap');
SELECT vmnet.nic_event(1, 'OperationCompleted', inventory => 'trap');
RESET ROLE;
SELECT who FROM public.ran() GROUP BY who;

-- who has not the owner's rights works as himself
GRANT USAGE ON SCHEMA trap TO regress_stranger;
GRANT SELECT ON ALL TABLES IN SCHEMA trap TO regress_stranger;
SET ROLE regress_stranger;
SELECT count(*) FROM vmnet.network_active_nics(1, 'trap');
SELECT vmnet.nic_event(1, 'ReleaseRequested', inventory => 'trap');
RESET ROLE;
SELECT who FROM public.ran() GROUP BY who;
-- he runs the owner's code at his own risk: it has left something behind
SHOW search_path;
RESET search_path;
RESET vmnet.actor;

-- Row-level security that the owner has forced on himself: who passes policies
-- goes on to pass them.
ALTER TABLE trap.all_nics ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
SELECT count(*) FROM vmnet.network_blockers(1, 'trap');
SET ROLE regress_member;
SELECT count(*) FROM vmnet.network_blockers(1, 'trap');
RESET ROLE;
ALTER TABLE trap.all_nics DISABLE ROW LEVEL SECURITY, NO FORCE ROW LEVEL SECURITY;
TRUNCATE ran_as;

-- An error leaves the user, and settings, as they were.
CREATE FUNCTION pg_temp.caught() RETURNS text LANGUAGE plpgsql AS $$
BEGIN
	PERFORM vmnet.nic_event(1, 'ReservationRequested', inventory => 'trap');
	RETURN 'no error';
EXCEPTION WHEN check_violation THEN
	RETURN SQLERRM || '; ' || current_user || '; ' || current_setting('search_path') || '; ' || current_setting('vmnet.actor');
END $$;
SELECT pg_temp.caught();
SELECT vmnet.nic_event(1, 'CancelRequested', inventory => 'trap');
SELECT current_user = session_user AS same_user, current_setting('search_path') AS search_path;

-- One inventory, one owner: what belongs to somebody else is not read.
ALTER TABLE trap.all_instances OWNER TO regress_heir;
SELECT * FROM vmnet.network_active_instances(1, inventory => 'trap');
SELECT vmnet.nic_remove(1, inventory => 'trap');
SELECT code, severity, message, fix FROM vmnet.check_inventory('trap') WHERE code = 'owner_differs';
SELECT vmnet.inventory_status('trap');
ALTER TABLE trap.all_instances OWNER TO regress_owner;
ALTER VIEW trap.network_instances OWNER TO regress_heir;
SELECT * FROM vmnet.instance_active_networks(1, 'trap');
ALTER VIEW trap.network_instances OWNER TO regress_owner;
SELECT network_id FROM vmnet.instance_active_networks(1, 'trap');
-- the schema may belong to another role, which is a finding
ALTER SCHEMA trap OWNER TO regress_heir;
SELECT code, message, fix FROM vmnet.check_inventory('trap') WHERE code = 'owner_differs';
ALTER SCHEMA trap OWNER TO regress_owner;
-- what users add, too, and that is none
CREATE TABLE trap.mine (a int);
SELECT count(*) FROM vmnet.check_inventory('trap') WHERE code = 'owner_differs';
DROP TABLE trap.mine;
-- all of it
REASSIGN OWNED BY regress_owner TO regress_heir;
SELECT owner FROM vmnet.inventories WHERE name = 'trap';
TRUNCATE ran_as;
SELECT count(*) FROM vmnet.network_active_instances(1, inventory => 'trap');
SELECT who FROM public.ran() GROUP BY who;

-- A schema that only looks like an inventory, or is a broken one, is a finding
-- for a probe over all of them, and not its end.
CREATE SCHEMA forged AUTHORIZATION regress_heir;
CREATE VIEW forged.inventory_info AS SELECT 'managed'::text AS kind, NULL::text AS source, 'enforce'::text AS mode, '0.1.0'::text AS version;
CREATE SCHEMA other_kind;
CREATE VIEW other_kind.inventory_info AS SELECT 'of my own'::text AS kind, NULL::text AS source, 'enforce'::text AS mode, '0.1.0'::text AS version;
CREATE SCHEMA other_columns;
SELECT format('CREATE VIEW other_columns.%I AS SELECT 1 AS id', r) FROM unnest(vmnet_internal.named_relations()) r WHERE r <> 'inventory_info' \gexec
CREATE VIEW other_columns.inventory_info AS SELECT 'managed'::text AS kind, NULL::text AS source, 'enforce'::text AS mode, '0.1.0'::text AS version;
SELECT vmnet.create_inventory('broken'), vmnet.create_inventory('failing'), vmnet.create_inventory('sound');
ALTER TABLE broken.all_nics RENAME TO nics_of_old;
ALTER TABLE failing.all_nics RENAME COLUMN vm_type TO kind;
SELECT i.name, vmnet.inventory_status(i.name) FROM vmnet.inventories i WHERE i.name <> 'trap' ORDER BY i.name;
SELECT i.name, f.severity, f.message FROM vmnet.inventories i, vmnet.check_inventory(i.name) f WHERE f.code = 'inventory_incomplete' ORDER BY i.name;
SET ROLE regress_stranger;
SELECT code FROM vmnet.check_inventory('sound');
RESET ROLE;

-- Plans of inventories that are gone are not kept.
DO $$
BEGIN
	FOR i IN 1 .. 5 LOOP
		PERFORM vmnet.create_inventory('gone' || i);
		PERFORM vmnet.network_active_instance_count(1, 'gone' || i);
		EXECUTE format('DROP SCHEMA gone%s CASCADE', i);
	END LOOP;
	PERFORM vmnet.network_active_instance_count(1, 'sound');
END $$;
-- asked outside of any function, whose own plan is kept from 18 on
SELECT count(*) FILTER (WHERE ident LIKE '%gone%.nics%') AS gone, count(*) FILTER (WHERE ident LIKE '%sound.nics%') > 0 AS sound
FROM pg_backend_memory_contexts WHERE name LIKE 'CachedPlan%';

DROP SCHEMA trap, forged, other_kind, other_columns, broken, failing, sound CASCADE;
DROP FUNCTION ran();
DROP TABLE ran_as;
SELECT format('REVOKE CREATE ON DATABASE %I FROM regress_owner', current_database()) \gexec
DROP ROLE regress_owner, regress_member, regress_stranger, regress_heir;
