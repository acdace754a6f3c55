-- What psql prints of an operation that is refused, with its defaults: no line of
-- CONTEXT is about functions of vmnet_internal, and those about code of users stay.
\set VERBOSITY default
\set SHOW_CONTEXT errors
SELECT vmnet.create_inventory('cloud');
INSERT INTO cloud.all_networks (id, name, cidr) VALUES (1, 'net', '10.0.0.0/24'), (2, 'empty', '10.0.1.0/24'),
	(3, 'same', '10.0.0.0/24');
INSERT INTO cloud.all_instances (id, name) VALUES (1, 'vm'), (2, 'other');
SELECT vmnet.nic_add(1, 1, ip4 => '10.0.0.5');
SELECT vmnet.nic_add(1, 3, ip4 => '10.0.0.9');

-- Refused by an operation.
SELECT vmnet.nic_add(2, 1, ip4 => '10.0.0.5');
SELECT vmnet.nic_event(99, 'ReservationRequested');
-- By a function in C that an operation calls, and by the C function of the call.
SELECT vmnet.nic_add(2, 1, strategy => 'Sometimes');
SELECT vmnet.nic_remove(1, inventory => 'nowhere');
-- By a guard.
SELECT vmnet.network_remove(1);
-- By an index, in a statement of several lines.
CREATE UNIQUE INDEX one_ip4 ON cloud.all_nics (ip4_address);
SELECT vmnet.nic_set_ip(1, '10.0.0.9');
SELECT vmnet.nic_add(2, 1, ip4 => '10.0.0.9');
-- By the rights of the caller.
CREATE ROLE regress_context;
GRANT USAGE ON SCHEMA cloud TO regress_context;
GRANT SELECT ON ALL TABLES IN SCHEMA cloud TO regress_context;
SET ROLE regress_context;
SELECT vmnet.network_remove(2);
RESET ROLE;

-- The functions of users that call the operation are in the context.
CREATE FUNCTION public.move(nic bigint, address inet) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
	PERFORM vmnet.nic_set_ip(nic, address);
END
$$;
CREATE FUNCTION public.move_all(address inet) RETURNS void LANGUAGE sql AS 'SELECT public.move(id, address) FROM cloud.nics WHERE network_id = 1';
SELECT public.move_all('10.0.0.9');
-- So they are when they read it.
CREATE FUNCTION public.context_of(command text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	result text;
BEGIN
	EXECUTE command;
	RETURN 'accepted';
EXCEPTION WHEN OTHERS THEN
	GET STACKED DIAGNOSTICS result = PG_EXCEPTION_CONTEXT;
	RETURN result;
END
$$;
SELECT public.context_of('SELECT vmnet.nic_set_ip(1, ''10.0.0.9'')');
SELECT public.context_of('SELECT public.move_all(''10.0.0.9'')');

-- A trigger of users that the operation fires is in the context, too; also when it
-- calls another operation that is refused.
CREATE FUNCTION cloud.refuse() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
	IF NEW.ip4_address = '10.0.0.7' THEN
		RAISE EXCEPTION 'not this one';
	END IF;
	PERFORM vmnet.network_remove(NEW.network_id);
	RETURN NEW;
END
$$;
CREATE TRIGGER refuse BEFORE UPDATE ON cloud.all_nics FOR EACH ROW EXECUTE FUNCTION cloud.refuse();
SELECT vmnet.nic_set_ip(1, '10.0.0.7');
SELECT public.move(1, '10.0.0.7');
SELECT public.move(1, '10.0.0.8');
DROP TRIGGER refuse ON cloud.all_nics;
-- So is one that has the name of our schema in its own name or in a statement.
CREATE FUNCTION cloud."vmnet_internal.look"() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
	PERFORM relation, 1 / 0 FROM vmnet_internal.inventory_columns();
	RETURN NEW;
END
$$;
CREATE TRIGGER look BEFORE UPDATE ON cloud.all_nics FOR EACH ROW EXECUTE FUNCTION cloud."vmnet_internal.look"();
SELECT vmnet.nic_set_ip(1, '10.0.0.7');
DROP TRIGGER look ON cloud.all_nics;

-- An internal error keeps all of its context.
CREATE FUNCTION cloud.break() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
	RAISE EXCEPTION 'broken' USING ERRCODE = 'internal_error';
END
$$;
CREATE TRIGGER break BEFORE UPDATE ON cloud.all_networks FOR EACH ROW EXECUTE FUNCTION cloud.break();
SELECT regexp_replace(public.context_of('SELECT vmnet.network_remove(2)'), '\d+ at', 'N at', 'g');
DROP TRIGGER break ON cloud.all_networks;

-- So it is with functions that work as their caller.
SELECT vmnet.create_inventory('cloud');
SELECT vmnet.create_inventory('other', 'mine');
SELECT vmnet.create_report('nowhere');
SELECT vmnet.create_report('cloud', 'public');
SELECT * FROM vmnet.attach_inventory('cloud', 'cloud.all_nics');
SELECT vmnet.set_inventory_mode('cloud', 'warn');
SELECT vmnet.detach_inventory('cloud');
SELECT vmnet.attach_cloudstack('cloud', 'public');
SELECT public.context_of('SELECT vmnet.create_inventory(''cloud'')');
-- An event trigger of users is code of users.
CREATE FUNCTION public.no_more() RETURNS event_trigger LANGUAGE plpgsql AS $$
BEGIN
	PERFORM 1 / (SELECT count(*) - count(*) FROM pg_event_trigger_ddl_commands());
END
$$;
CREATE EVENT TRIGGER no_more ON ddl_command_end WHEN TAG IN ('CREATE TABLE') EXECUTE FUNCTION public.no_more();
SELECT vmnet.create_inventory('other');
DROP EVENT TRIGGER no_more;
DROP FUNCTION public.no_more;

-- And with procedures.
SET client_min_messages = warning;
CREATE SCHEMA source;
CREATE TABLE source.networks AS SELECT 1 AS id, 'Implemented' AS state, now() AS created, NULL::timestamptz AS removed;
CREATE TABLE source.vm_instance AS SELECT 1 AS id, 'Running' AS state, now() AS created, NULL::timestamptz AS removed;
CREATE TABLE source.nics AS SELECT 1 AS id, 1 AS instance_id, 1 AS network_id, 'Reserved' AS state, now() AS created, NULL::timestamptz AS removed;
CALL vmnet.import_cloudstack('public', 'mirror');
CALL vmnet.import_cloudstack('source', 'cloud');
CALL vmnet.import_cloudstack('source', 'mirror');
CREATE FUNCTION mirror.refuse() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
	PERFORM 1 / (NEW.id - NEW.id);
	RETURN NEW;
END
$$;
CREATE TRIGGER refuse BEFORE UPDATE ON mirror.all_nics FOR EACH ROW EXECUTE FUNCTION mirror.refuse();
UPDATE source.nics SET state = 'Releasing';
CALL vmnet.import_cloudstack('source', 'mirror');
BEGIN;
CALL vmnet.import_cloudstack('source', 'mirror');
ROLLBACK;
DO $$
BEGIN
	CALL vmnet.import_cloudstack('source', 'mirror');
END
$$;
-- a trigger that fires at the commit of a step
DROP TRIGGER refuse ON mirror.all_nics;
CREATE CONSTRAINT TRIGGER refuse AFTER UPDATE ON mirror.all_nics DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION mirror.refuse();
CALL vmnet.import_cloudstack('source', 'mirror');
DROP TRIGGER refuse ON mirror.all_nics;

-- The view of a source is code of users.
CREATE FUNCTION public.look(id int) RETURNS int LANGUAGE plpgsql AS $$
BEGIN
	RETURN (SELECT 1 / (id - id));
END
$$;
ALTER TABLE source.nics RENAME TO nics_table;
CREATE VIEW source.nics AS SELECT public.look(id) AS id, instance_id, network_id, state, created, removed FROM source.nics_table;
CALL vmnet.import_cloudstack('source', 'mirror');

CALL vmnet.purge_inventory('nowhere', now());
UPDATE cloud.nics SET state = 'Deallocating';
UPDATE cloud.all_nics SET removed = now();
CREATE FUNCTION cloud.keep() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
	PERFORM 1 / (OLD.id - OLD.id);
	RETURN OLD;
END
$$;
CREATE TRIGGER keep BEFORE DELETE ON cloud.all_nics FOR EACH ROW EXECUTE FUNCTION cloud.keep();
CALL vmnet.purge_inventory('cloud', now());
DO $$
BEGIN
	CALL vmnet.purge_inventory('cloud', now());
END
$$;
DROP TRIGGER keep ON cloud.all_nics;
CREATE CONSTRAINT TRIGGER keep AFTER DELETE ON cloud.all_nics DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION cloud.keep();
CALL vmnet.purge_inventory('cloud', now());
DROP TRIGGER keep ON cloud.all_nics;

-- The session is sound afterwards.
SELECT vmnet.network_remove(2);
SELECT current_user = session_user AS same_user;
SET client_min_messages = warning;
DROP FUNCTION public.move_all, public.move, public.context_of;
DROP FUNCTION public.look CASCADE;
DROP SCHEMA cloud, mirror, source CASCADE;
DROP ROLE regress_context;
