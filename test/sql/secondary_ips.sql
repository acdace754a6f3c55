-- Addresses that NICs have beside their own: what is refused, that they go with
-- their NIC, and how they are imported.
\set VERBOSITY terse
SET client_min_messages = warning;
CREATE FUNCTION pg_temp.refusal(command text) RETURNS text
LANGUAGE plpgsql AS $$
DECLARE
	name text; rel text; hint text;
BEGIN
	EXECUTE command;
	RETURN 'accepted';
EXCEPTION WHEN OTHERS THEN
	GET STACKED DIAGNOSTICS name = CONSTRAINT_NAME, rel = TABLE_NAME, hint = PG_EXCEPTION_HINT;
	RETURN concat_ws(' | ', SQLSTATE, name, rel, SQLERRM, nullif(hint, ''));
END
$$;
SELECT vmnet.create_inventory('cloud');
INSERT INTO cloud.networks (name, cidr) VALUES ('one', '10.1.1.0/24'), ('two', '10.1.2.0/24');
INSERT INTO cloud.instances (name, state) VALUES ('a', 'Running'), ('b', 'Running');
INSERT INTO cloud.nics (instance_id, network_id, ip4_address) VALUES (1, 1, '10.1.1.5'), (2, 1, '10.1.1.6'), (2, 2, '10.1.2.6');
INSERT INTO cloud.nic_secondary_ips (nic_id, network_id, ip4_address, created) VALUES (1, 1, '10.1.1.50', '2024-12-01'), (1, 1, '10.1.1.51', '2024-12-01'), (2, 1, '10.1.1.60', '2024-12-01'), (3, 2, '10.1.1.50', '2024-12-01');
INSERT INTO cloud.nic_secondary_ips (nic_id, network_id, ip6_address) VALUES (1, 1, 'fd00::50');
SELECT id, nic_id, network_id, ip4_address, ip6_address, uuid IS NOT NULL AS uuid, removed FROM cloud.nic_secondary_ips ORDER BY id;

-- Refused
\pset format unaligned
\pset tuples_only on
SELECT pg_temp.refusal($$INSERT INTO cloud.nic_secondary_ips (nic_id, network_id, ip4_address) VALUES (99, 1, '10.1.1.70')$$);
SELECT pg_temp.refusal($$INSERT INTO cloud.nic_secondary_ips (nic_id, network_id, ip4_address) VALUES (1, 2, '10.1.1.70')$$);
SELECT pg_temp.refusal($$INSERT INTO cloud.nic_secondary_ips (nic_id, network_id, ip4_address) VALUES (2, 1, '10.1.1.50')$$);
SELECT pg_temp.refusal($$INSERT INTO cloud.nic_secondary_ips (nic_id, network_id, ip6_address) VALUES (2, 1, 'fd00::50')$$);
SELECT pg_temp.refusal($$INSERT INTO cloud.nic_secondary_ips (nic_id, network_id) VALUES (2, 1)$$);
SELECT pg_temp.refusal($$INSERT INTO cloud.nic_secondary_ips (nic_id, network_id, ip4_address) VALUES (2, 1, '10.1.1.0/24')$$);
SELECT pg_temp.refusal($$INSERT INTO cloud.nic_secondary_ips (nic_id, network_id, ip4_address) VALUES (2, 1, 'fd00::51')$$);
SELECT pg_temp.refusal($$INSERT INTO cloud.nic_secondary_ips (nic_id, network_id, ip6_address) VALUES (2, 1, '10.1.1.70')$$);
SELECT pg_temp.refusal($$UPDATE cloud.nic_secondary_ips SET nic_id = 2 WHERE id = 1$$);
SELECT pg_temp.refusal($$UPDATE cloud.nic_secondary_ips SET network_id = 2 WHERE id = 3$$);
SELECT pg_temp.refusal($$UPDATE cloud.nic_secondary_ips SET id = 100 WHERE id = 1$$);
SELECT pg_temp.refusal($$UPDATE cloud.nic_secondary_ips SET created = 'yesterday' WHERE id = 1$$);
SELECT pg_temp.refusal($$UPDATE cloud.nic_secondary_ips SET removed = 'infinity' WHERE id = 1$$);
SELECT pg_temp.refusal($$DELETE FROM cloud.nic_secondary_ips$$);
SELECT pg_temp.refusal($$TRUNCATE cloud.all_nic_secondary_ips$$);
SELECT pg_temp.refusal($$TRUNCATE cloud.all_nics, cloud.all_nic_secondary_ips$$);
-- accepted: another address, a removal, once
SELECT pg_temp.refusal($$UPDATE cloud.nic_secondary_ips SET ip4_address = '10.1.1.52' WHERE id = 2$$);
SELECT pg_temp.refusal($$UPDATE cloud.nic_secondary_ips SET removed = '2025-01-01' WHERE id = 2$$);
SELECT pg_temp.refusal($$UPDATE cloud.all_nic_secondary_ips SET removed = NULL WHERE id = 2$$);
SELECT pg_temp.refusal($$UPDATE cloud.all_nic_secondary_ips SET removed = '2025-01-02' WHERE id = 2$$);
SELECT pg_temp.refusal($$INSERT INTO cloud.nic_secondary_ips (nic_id, network_id, ip4_address) VALUES (2, 1, '10.1.1.52')$$);
\pset format aligned
\pset tuples_only off

-- A half-removed NIC has none that are live, and can be given none; when it is
-- removed they are removed with it, and can be used again.
UPDATE cloud.nics SET state = 'Deallocating' WHERE id = 1;
SELECT id, nic_id, host(coalesce(ip4_address, ip6_address)) AS address FROM cloud.nic_secondary_ips ORDER BY id;
SELECT pg_temp.refusal($$INSERT INTO cloud.nic_secondary_ips (nic_id, network_id, ip4_address) VALUES (1, 1, '10.1.1.71')$$);
SELECT pg_temp.refusal($$INSERT INTO cloud.nic_secondary_ips (nic_id, network_id, ip4_address) VALUES (2, 1, '10.1.1.50')$$);
UPDATE cloud.all_nics SET removed = now() WHERE id = 1;
SELECT id, nic_id, removed = (SELECT n.removed FROM cloud.all_nics n WHERE n.id = nic_id) AS with_its_nic, removed IS NULL AS held, active FROM cloud.all_nic_secondary_ips ORDER BY id;
SELECT pg_temp.refusal($$INSERT INTO cloud.nic_secondary_ips (nic_id, network_id, ip4_address) VALUES (2, 1, '10.1.1.50')$$);
SELECT pg_temp.refusal($$INSERT INTO cloud.all_nic_secondary_ips (nic_id, network_id, ip4_address) VALUES (1, 1, '10.1.1.72')$$);
SELECT pg_temp.refusal($$INSERT INTO cloud.all_nic_secondary_ips (nic_id, network_id, ip4_address, removed) VALUES (1, 1, '10.1.1.72', now())$$);
-- by DELETE on the view, by an operation, and many at once
DELETE FROM cloud.nics WHERE id = 3;
SELECT vmnet.instance_expunge(2);
SELECT count(*) AS live FROM cloud.nic_secondary_ips;
SELECT count(*) FROM cloud.all_nic_secondary_ips WHERE removed IS NULL;
-- a purge of the NICs takes them along
CALL vmnet.purge_inventory('cloud', now());
SELECT (SELECT count(*) FROM cloud.all_nics) AS nics, (SELECT count(*) FROM cloud.all_nic_secondary_ips) AS secondary_ips;
SELECT code, message FROM vmnet.check_inventory('cloud');
ALTER TABLE cloud.all_nics DISABLE TRIGGER _nic_secondary_ips;
DROP TRIGGER secondary_ip_guard ON cloud.all_nic_secondary_ips;
SELECT code, message, fix FROM vmnet.check_inventory('cloud') ORDER BY 1;
-- on tables that they are not for
CREATE TABLE public.t (id bigint, nic_id bigint, network_id bigint, created timestamptz, removed timestamptz);
CREATE TRIGGER t AFTER INSERT ON public.t FOR EACH ROW EXECUTE FUNCTION vmnet_internal.secondary_ip_guard();
CREATE TRIGGER u AFTER UPDATE ON public.t FOR EACH ROW EXECUTE FUNCTION vmnet_internal.nic_secondary_ips_remove('no_such_table');
SELECT pg_temp.refusal('INSERT INTO public.t VALUES (1, 1, 1, now(), NULL)');
INSERT INTO public.t VALUES (1, 1, 1, now(), now());
SELECT pg_temp.refusal('UPDATE public.t SET id = 2');
ALTER TABLE public.t ALTER nic_id TYPE int;
SELECT pg_temp.refusal('INSERT INTO public.t VALUES (1, 1, 1, now(), NULL)');

--
-- Import
--
\i test/include/load_dump.psql
CALL vmnet.import_cloudstack('cloudstack', 'mirror');
SELECT count(*) FROM mirror.all_nic_secondary_ips;
CREATE TABLE cloudstack.nic_secondary_ips (id bigint, uuid text, "vmId" bigint, "nicId" bigint, ip4_address char(40), ip6_address char(40), network_id bigint, created timestamp, account_id bigint, domain_id bigint);
\copy cloudstack.nic_secondary_ips FROM 'test/data/cloudstack-4.19/tables/nic_secondary_ips.tsv'
CALL vmnet.import_cloudstack('cloudstack', 'mirror');
SELECT run, nic_secondary_ips_read, rows_inserted, rows_updated, rows_deleted, rows_rejected FROM mirror.import_runs ORDER BY run;
SELECT id, uuid::uuid, "nicId", network_id, ip4_address::text::inet, created AT TIME ZONE 'UTC' FROM cloudstack.nic_secondary_ips
EXCEPT SELECT id, uuid, nic_id, network_id, ip4_address, created FROM mirror.all_nic_secondary_ips;
-- live: not those of half-removed NICs
SELECT (SELECT count(*) FROM mirror.all_nic_secondary_ips) AS all, (SELECT count(*) FROM mirror.nic_secondary_ips) AS live,
	(SELECT count(*) FROM mirror.all_nic_secondary_ips s JOIN mirror.all_nics n ON n.id = s.nic_id WHERE n.active) AS of_active;
-- without a change nothing is written; what the source deletes is removed; what has no place is rejected
CALL vmnet.import_cloudstack('cloudstack', 'mirror');
DELETE FROM cloudstack.nic_secondary_ips WHERE id = 5;
UPDATE cloudstack.nic_secondary_ips SET ip4_address = 'fe80::1', ip6_address = 'nonsense' WHERE id = 6;
UPDATE cloudstack.nic_secondary_ips SET "nicId" = 999999 WHERE id = 10;
INSERT INTO cloudstack.nic_secondary_ips (id, "nicId", network_id, ip4_address, created) VALUES (NULL, 23, 204, '10.0.0.1', now()), (900, NULL, 204, '10.0.0.1', now()), (901, 23, NULL, '10.0.0.1', now()), (902, 23, 204, '10.0.0.2', NULL);
CALL vmnet.import_cloudstack('cloudstack', 'mirror');
SELECT nic_secondary_ips_read, rows_inserted, rows_updated, rows_deleted, rows_rejected, values_changed FROM mirror.import_runs ORDER BY run DESC LIMIT 2;
SELECT "table", id, "column", original, action, reason FROM mirror.import_log WHERE "table" = 'nic_secondary_ips' ORDER BY entry;
SELECT id, ip4_address, ip6_address, created, removed IS NOT NULL AS removed FROM mirror.all_nic_secondary_ips WHERE id IN (5, 6, 10, 902) ORDER BY id;
-- the guards of a mirror
SELECT pg_temp.refusal('UPDATE mirror.nic_secondary_ips SET removed = now()');
SELECT pg_temp.refusal('DELETE FROM mirror.all_nic_secondary_ips');
-- a NIC that is rejected takes its addresses along
UPDATE cloudstack.nics SET network_id = 424242 WHERE id = '23';
CALL vmnet.import_cloudstack('cloudstack', 'mirror');
SELECT id, "column", original, reason FROM mirror.import_log WHERE run = (SELECT max(run) FROM mirror.import_runs) ORDER BY entry;
-- a table that lacks columns is refused, not passed over
ALTER TABLE cloudstack.nic_secondary_ips DROP COLUMN "nicId", DROP COLUMN created;
SELECT pg_temp.refusal($$CALL vmnet.import_cloudstack('cloudstack', 'mirror')$$);
DROP TABLE cloudstack.nic_secondary_ips;
CALL vmnet.import_cloudstack('cloudstack', 'mirror');
SELECT count(*), count(removed) AS removed FROM mirror.all_nic_secondary_ips;

-- A mirror that becomes managed: what was left of removed NICs is removed, uuids
-- are filled in, and its guards are those of a managed inventory.
CREATE SCHEMA small;
CREATE TABLE small.networks (id bigint, name text, state text, traffic_type text, created timestamp, removed timestamp);
CREATE TABLE small.vm_instance (id bigint, name text, state text, type text, created timestamp, removed timestamp);
CREATE TABLE small.nics (id bigint, uuid text, instance_id bigint, network_id bigint, state text, strategy text, vm_type text, default_nic int, created timestamp, removed timestamp);
CREATE TABLE small.nic_secondary_ips (id bigint, uuid text, "nicId" bigint, ip4_address text, ip6_address text, network_id bigint, created timestamp);
INSERT INTO small.networks VALUES (1, 'n', 'Implemented', 'Guest', '2025-01-01', NULL);
INSERT INTO small.vm_instance VALUES (1, 'i', 'Running', 'User', '2025-01-01', NULL);
INSERT INTO small.nics VALUES (1, gen_random_uuid(), 1, 1, 'Reserved', 'Start', 'User', 1, '2025-01-01', NULL),
	(2, gen_random_uuid(), 1, 1, 'Deallocating', 'Start', 'User', 0, '2025-01-01', '2025-02-02');
INSERT INTO small.nic_secondary_ips VALUES (7, NULL, 1, '10.0.0.1', 'fd00::1', 1, '2025-01-01'), (8, NULL, 2, '10.0.0.1', NULL, 1, '2025-01-01'),
	(9, NULL, 1, NULL, 'fd00::1', 1, '2025-01-01'), (10, NULL, 1, NULL, NULL, 1, '2025-01-01'), (11, NULL, 1, 'fd00::2', '10.0.0.3', 1, '2025-01-01');
CALL vmnet.import_cloudstack('small', 'was');
SELECT code, message FROM vmnet.manage_blockers('was');
SELECT vmnet.manage_inventory('was');
DELETE FROM small.nic_secondary_ips WHERE id > 8;
UPDATE small.nic_secondary_ips SET ip4_address = '10.0.0.8' WHERE id = 8;
CALL vmnet.import_cloudstack('small', 'was');
-- they are kept as they were, until they are purged
SELECT code, message FROM vmnet.manage_blockers('was');
CALL vmnet.purge_inventory('was', clock_timestamp());
SELECT vmnet.manage_inventory('was');
SELECT id, nic_id, uuid IS NOT NULL AS uuid, removed AT TIME ZONE 'UTC' AS removed FROM was.all_nic_secondary_ips ORDER BY id;
INSERT INTO was.nic_secondary_ips (nic_id, network_id, ip4_address) VALUES (1, 1, '10.0.0.2') RETURNING id;
SELECT pg_temp.refusal($$INSERT INTO was.nic_secondary_ips (nic_id, network_id, ip4_address) VALUES (2, 1, '10.0.0.3')$$);
SELECT code, message FROM vmnet.check_inventory('was');
-- who asks for an address that a NIC has beside its own
INSERT INTO was.instances (id, name) VALUES (2, 'other');
SELECT pg_temp.refusal($$SELECT vmnet.nic_add(2, 1, '10.0.0.2', inventory => 'was')$$);
SELECT pg_temp.refusal($$SELECT vmnet.nic_add(2, 1, NULL, 'fd00::1', inventory => 'was')$$);
SELECT pg_temp.refusal($$SELECT vmnet.nic_set_ip(1, '10.0.0.2', inventory => 'was')$$);
UPDATE was.nic_secondary_ips SET removed = now() WHERE ip4_address = '10.0.0.2';
SELECT vmnet.nic_add(2, 1, '10.0.0.2', inventory => 'was') > 0 AS added;

DROP TABLE public.t;
DROP SCHEMA was, small, cloud, mirror, cloudstack, expected CASCADE;
