-- Operators that somebody else has put before those of pg_catalog in the caller's
-- search path: nothing that vmnet_ext does uses them, whatever is called.
SET client_min_messages = error;
CREATE ROLE regress_operator_maker;
CREATE SCHEMA evil AUTHORIZATION regress_operator_maker;
GRANT USAGE ON SCHEMA evil TO PUBLIC;
CREATE TABLE public.ran_as (who text, op text);
GRANT INSERT ON public.ran_as TO PUBLIC;

SET ROLE regress_operator_maker;
SELECT format('CREATE FUNCTION evil.f%1$s(l %2$s, r %2$s) RETURNS %4$s LANGUAGE plpgsql AS $f$ BEGIN INSERT INTO public.ran_as VALUES (current_user, %5$L); RETURN l OPERATOR(pg_catalog.%3$s) r; END $f$;
	CREATE OPERATOR evil.%3$s (LEFTARG = %2$s, RIGHTARG = %2$s, FUNCTION = evil.f%1$s)',
	row_number() OVER (), t, o, CASE WHEN o = '||' THEN 'text' ELSE 'boolean' END, t || ' ' || o)
FROM unnest(ARRAY['"char"', 'oid', 'text', 'name', 'bigint', 'integer', 'smallint', 'boolean', 'uuid', 'inet', 'timestamptz', 'timestamp', 'interval', 'int8range']) t,
	unnest(ARRAY['=', '<>', '<', '>', '<=', '>=', '||']) o
WHERE o <> '||' OR t = 'text' \gexec
RESET ROLE;

SELECT vmnet.create_inventory('inv');
INSERT INTO inv.networks (id, cidr) VALUES (1, '10.0.0.0/24'), (2, NULL), (3, NULL);
INSERT INTO inv.instances (id, state) SELECT n, 'Running' FROM generate_series(1, 5) n;
CREATE TABLE public.refers (id bigint REFERENCES inv.all_networks DEFERRABLE INITIALLY DEFERRED);
CREATE SCHEMA src;
CREATE TABLE src.networks (id bigint, uuid text, name text, state text, traffic_type text, guest_type text, created timestamp, removed timestamp);
CREATE TABLE src.vm_instance (id bigint, uuid text, name text, state text, type text, created timestamp, removed timestamp);
CREATE TABLE src.nics (id bigint, uuid text, instance_id bigint, network_id bigint, state text, created timestamp, removed timestamp, vm_type text, strategy text);
INSERT INTO src.networks VALUES (1, NULL, 'n', 'Implemented', 'Guest', 'Isolated', '2025-01-01', NULL);
INSERT INTO src.vm_instance VALUES (1, NULL, 'i', 'Running', 'User', '2025-01-01', NULL);
INSERT INTO src.nics VALUES (1, NULL, 1, 1, 'Reserved', '2025-01-01', NULL, 'User', 'Start'), (2, NULL, 1, 9, 'Odd', '2025-01-01', NULL, 'User', 'Start');
CREATE TABLE public.subnets (id bigserial PRIMARY KEY, name text, deleted_at timestamptz);
CREATE TABLE public.servers (id bigserial PRIMARY KEY, name text, deleted_at timestamptz);
CREATE TABLE public.ports (id bigserial PRIMARY KEY, network_id bigint REFERENCES public.subnets, instance_id bigint REFERENCES public.servers, state text, deleted_at timestamptz);
CREATE ROLE regress_reader;

-- They are found: this one is used.
SET search_path = evil, pg_catalog, public;
SELECT 'a'::text = 'a'::text AS used;
SELECT OPERATOR(pg_catalog.-) count(*) OPERATOR(pg_catalog.+) 1 AS none_left FROM public.ran_as;
TRUNCATE public.ran_as;

CREATE TEMPORARY VIEW used AS SELECT DISTINCT op, who FROM public.ran_as;
SELECT vmnet.nic_add(1, 1, '10.0.0.5', inventory => 'inv'), vmnet.nic_add(2, 1, inventory => 'inv'), vmnet.nic_add(2, 2, inventory => 'inv');
SELECT vmnet.nic_event(1, 'ReservationRequested', inventory => 'inv'), vmnet.nic_set_ip(1, '10.0.0.6', inventory => 'inv'), vmnet.nic_set_default(3, 'inv');
SELECT vmnet.nic_remove(2, true, inventory => 'inv'), vmnet.instance_expunge(2, 'inv'), vmnet.network_remove(2, 'inv');
SELECT count(*) FROM vmnet.network_active_instances(1, inventory => 'inv');
SELECT count(*) FROM vmnet.network_active_nics(1, 'inv');
SELECT count(*) FROM vmnet.instance_active_networks(1, 'inv');
SELECT vmnet.network_in_use(1, 'inv'), vmnet.network_active_instance_count(1, 'inv'), vmnet.network_id(NULL, 'inv');
SELECT count(*) FROM vmnet.network_blockers(1, 'inv');
SELECT count(*) FROM vmnet.instance_blockers(1, 'inv');
SELECT count(*) FROM vmnet.nic_timeline(1, 'inv');
SELECT count(*) OPERATOR(pg_catalog.>) 0 AS some FROM vmnet.nic_explain(1, 'inv');
SELECT count(*) OPERATOR(pg_catalog.>) 0 AS some FROM vmnet.ip_holders('10.0.0.0/24', inventory => 'inv');
SELECT count(*) FROM vmnet.nics_stuck_for(inventory => 'inv');
SELECT count(*) FROM vmnet.network_instances_as_of(1, pg_catalog.now(), 'inv');
SELECT count(*) FROM vmnet.nic_changes_since(inventory => 'inv');
SELECT count(*) FROM vmnet.check_inventory('inv');
SELECT vmnet.inventory_status('inv');
SELECT count(*) FROM vmnet.repair_inventory('inv', dry_run => false);
SELECT vmnet.create_report('inv');
SELECT vmnet.grant_access('inv', 'regress_reader', 'reader'), vmnet.grant_access('inv', 'regress_reader', 'operator');
SELECT vmnet.revoke_access('inv', 'regress_reader', 'reader'), vmnet.revoke_access('inv', 'regress_reader', 'operator');
SELECT vmnet.set_inventory_notify('inv', true) IS NOT NULL AS channel;
SELECT vmnet.set_inventory_notify('inv', false) IS NULL AS off;
CALL vmnet.purge_inventory('inv', pg_catalog.now(), 10, true);
SELECT vmnet.partition_history('inv');
CALL vmnet.import_cloudstack('src', 'mir');
UPDATE src.nics SET state = 'Allocated';
CALL vmnet.import_cloudstack('src', 'mir');
SELECT count(*) FROM vmnet.manage_blockers('mir');
SELECT vmnet.manage_inventory('mir', true);
SELECT count(*) OPERATOR(pg_catalog.>) 0 AS some FROM vmnet.attach_inventory('att', 'public.ports', 'public.subnets', 'public.servers', '{"nics": {"removed": "deleted_at"}, "networks": {"removed": "deleted_at"}, "instances": {"removed": "deleted_at"}}');
INSERT INTO public.subnets DEFAULT VALUES;
INSERT INTO public.servers DEFAULT VALUES;
INSERT INTO public.ports (network_id, instance_id, state) VALUES (1, 1, 'Allocated');
SELECT vmnet.set_inventory_mode('att', 'enforce');
UPDATE public.ports SET state = 'Reserving';
SELECT count(*) FROM vmnet.check_inventory('att');
SELECT vmnet.detach_inventory('att');
SELECT count(*) OPERATOR(pg_catalog.>) 0 AS some FROM vmnet.inventories;
-- none was used
SELECT * FROM used;

RESET search_path;
DROP SCHEMA inv_report, inv, mir, src, evil CASCADE;
DROP TABLE public.refers, public.ports, public.subnets, public.servers, public.ran_as CASCADE;
DROP ROLE regress_reader, regress_operator_maker;
