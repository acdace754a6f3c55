-- manage_inventory() on the sample dump: refused with its findings, refused
-- with what no mend settles without loss, and done once that is settled at the
-- source.  What is in the way is known from the dump's own list of faults.
\set SHOW_CONTEXT never
\i test/include/load_dump.psql
CREATE TABLE expected.faults (code text, "table" text, id bigint, note text);
\copy expected.faults FROM 'test/data/cloudstack-4.19/expected/faults.tsv' WITH (HEADER)
SET client_min_messages = warning;
CALL vmnet.import_cloudstack('cloudstack', 'cloud');
RESET client_min_messages;

-- Every row, and all that the catalogs say of the schema, as digests.
CREATE FUNCTION expected.digest(OUT rows text, OUT catalog text) LANGUAGE plpgsql AS $$
DECLARE
	rel regclass;
	part text;
BEGIN
	rows := '';
	FOR rel IN SELECT oid::regclass FROM pg_class WHERE relnamespace = 'cloud'::regnamespace AND relkind = 'r' ORDER BY relname LOOP
		EXECUTE format('SELECT md5(string_agg(row(t.*)::text, '' '' ORDER BY row(t.*)::text)) FROM %s t', rel) INTO part;
		rows := rows || coalesce(part, '-');
	END LOOP;
	SELECT md5(string_agg(x, ' ' ORDER BY x)) INTO catalog FROM (
		SELECT c::text FROM pg_class c WHERE relnamespace = 'cloud'::regnamespace
		UNION ALL SELECT t::text FROM pg_trigger t JOIN pg_class c ON c.oid = tgrelid WHERE relnamespace = 'cloud'::regnamespace
		UNION ALL SELECT a::text FROM pg_attribute a JOIN pg_class c ON c.oid = attrelid WHERE relnamespace = 'cloud'::regnamespace
		UNION ALL SELECT d::text FROM pg_attrdef d JOIN pg_class c ON c.oid = adrelid WHERE relnamespace = 'cloud'::regnamespace
		UNION ALL SELECT k::text FROM pg_constraint k WHERE connamespace = 'cloud'::regnamespace) c (x);
END $$;
CREATE TABLE expected.before_refusals AS SELECT * FROM expected.digest();

SELECT vmnet.manage_inventory('cloud');
SELECT vmnet.manage_inventory('cloud', true);
SELECT d.rows = b.rows AS rows_as_before, d.catalog = b.catalog AS catalog_as_before
FROM expected.digest() d, expected.before_refusals b;

-- What it lists is what the dump's authors know, but for what no rule minds.
SELECT code, count(*) AS expected, count(b.object_id) AS found, count(*) FILTER (WHERE b.mendable) AS mendable
FROM (SELECT code, CASE "table" WHEN 'nics' THEN 'nic' WHEN 'vm_instance' THEN 'instance' ELSE 'network' END AS object_type, id AS object_id FROM expected.faults
	WHERE code NOT IN ('counter_drift', 'default_nic_missing', 'stuck_nic', 'missing_uuid')) e
	FULL JOIN vmnet.manage_blockers('cloud') b USING (code, object_type, object_id)
GROUP BY code ORDER BY code COLLATE "C";

-- Settled at the source by hand, but for what is mended without loss.
CREATE TABLE expected.settled (note text, n bigint);
WITH u AS (UPDATE cloudstack.nics SET state = 'Deallocating' WHERE removed IS NOT NULL AND state <> 'Deallocating' RETURNING 1)
INSERT INTO expected.settled SELECT 'removed, state kept', count(*) FROM u;
WITH u AS (UPDATE cloudstack.nics SET state = CASE state WHEN 'reserved' THEN 'Reserved' ELSE 'Allocated' END
	WHERE state NOT IN ('Allocated', 'Reserving', 'Reserved', 'Releasing', 'Deallocating') RETURNING 1)
INSERT INTO expected.settled SELECT 'odd states', count(*) FROM u;
WITH u AS (UPDATE cloudstack.nics n SET state = 'Deallocating', removed = '2025-07-05 00:00:00'
	FROM cloudstack.networks w WHERE w.id = n.network_id AND w.removed IS NOT NULL AND n.removed IS NULL RETURNING 1)
INSERT INTO expected.settled SELECT 'on removed networks', count(*) FROM u;
WITH u AS (UPDATE cloudstack.nics n SET ip4_address = NULL WHERE id IN ('436', '1066') RETURNING 1)
INSERT INTO expected.settled SELECT 'addresses twice', count(*) FROM u;
WITH u AS (UPDATE cloudstack.nics n SET mac_address = '02:00:00:00:' || right(id, 2) || ':01' WHERE id IN ('831', '941') RETURNING 1)
INSERT INTO expected.settled SELECT 'MAC addresses twice', count(*) FROM u;
-- of the half-removed ones, those whose instance is not stopped
WITH u AS (UPDATE cloudstack.nics n SET removed = '2025-07-05 00:00:00' WHERE id IN ('638', '1113', '1292', '1648') RETURNING 1)
INSERT INTO expected.settled SELECT 'half-removed, in use', count(*) FROM u;
-- instances that were not unmanaged, as Expunging would allow
WITH u AS (UPDATE cloudstack.vm_instance i SET state = 'Destroyed' WHERE removed IS NOT NULL
	AND EXISTS (SELECT FROM cloudstack.nics n WHERE n.instance_id = i.id AND n.removed IS NULL) RETURNING 1)
INSERT INTO expected.settled SELECT 'instances not unmanaged', count(*) FROM u;
TABLE expected.settled;
SET client_min_messages = warning;
CALL vmnet.import_cloudstack('cloudstack', 'cloud');
RESET client_min_messages;

CREATE TABLE expected.nics AS TABLE cloud.all_nics;
CREATE TABLE expected.instances AS TABLE cloud.all_instances;
CREATE TABLE expected.networks AS TABLE cloud.all_networks;
CREATE TABLE expected.history AS TABLE cloud.nic_history;
CREATE TABLE expected.as_of AS
SELECT w.id, t.at, a.* FROM cloud.all_networks w, (VALUES (timestamptz '2025-02-01'), ('2025-04-01'), ('2025-06-01'), ('2025-07-04')) t (at),
	vmnet.network_instances_as_of(w.id, t.at, 'cloud') a;
SELECT vmnet.manage_inventory('cloud');
SELECT vmnet.manage_inventory('cloud', true);
SELECT name, kind, source, mode FROM vmnet.inventories;
SELECT * FROM vmnet.manage_blockers('cloud');

-- Nothing else has changed: what was mended is known from the faults.
CREATE VIEW expected.mended AS
SELECT id FROM expected.faults WHERE code = 'live_nic_on_removed_instance' OR code = 'half_removed_nic' AND id NOT IN (638, 1113, 1292, 1648);
SELECT string_agg(DISTINCT format('%s %s', n.state, n.removed > now() - interval '1 hour'), ', ') AS removed_now,
	count(*) FILTER (WHERE n.removed IS NOT NULL) AS removed
FROM cloud.all_nics n WHERE id IN (TABLE expected.mended);
SELECT count(*) AS nics, count(*) FILTER (WHERE NOT (to_jsonb(n) - '{uuid,default_nic}'::text[]) = (to_jsonb(b) - '{uuid,default_nic}'::text[])) AS changed,
	count(*) FILTER (WHERE n.uuid IS DISTINCT FROM b.uuid) AS new_uuids, count(*) FILTER (WHERE n.default_nic IS DISTINCT FROM b.default_nic) AS no_default_any_more
FROM cloud.all_nics n FULL JOIN expected.nics b USING (id) WHERE n.id IS NULL OR n.id NOT IN (TABLE expected.mended);
SELECT count(*) AS instances, count(*) FILTER (WHERE to_jsonb(n) <> to_jsonb(b)) AS changed, string_agg(n.id::text, ' ') FILTER (WHERE n.uuid IS DISTINCT FROM b.uuid) AS new_uuids
FROM cloud.all_instances n FULL JOIN expected.instances b USING (id);
SELECT count(*) AS networks, count(*) FILTER (WHERE to_jsonb(n) IS DISTINCT FROM to_jsonb(b)) AS changed
FROM cloud.all_networks n FULL JOIN expected.networks b USING (id);
SELECT count(*) FILTER (WHERE h.seq IS NULL) AS lost, count(*) FILTER (WHERE b.seq IS NULL) AS new,
	count(*) FILTER (WHERE b.seq IS NULL AND h.nic_id IN (TABLE expected.mended)) AS of_mended
FROM cloud.nic_history h FULL JOIN expected.history b USING (seq);
SELECT h.reason, h.actor = session_user AS by_me, h.event, count(*) FROM cloud.nic_history h WHERE h.reason IS NOT NULL GROUP BY 1, 2, 3 ORDER BY 1, 3;
-- who was where in the past is as it was
SELECT count(*) > 1000 AS many, count(*) FILTER (WHERE b.nic_id IS NULL OR a.nic_id IS NULL) AS others
FROM expected.as_of b FULL JOIN (SELECT w.id, t.at, a.* FROM cloud.all_networks w, (SELECT DISTINCT at FROM expected.as_of) t,
	vmnet.network_instances_as_of(w.id, t.at, 'cloud') a) a USING (id, at, instance_id, nic_count, nic_id);

-- Clean of errors; rules hold that neither index nor trigger is asked about.
SELECT severity, code, count(*) FROM vmnet.check_inventory('cloud') GROUP BY 1, 2 ORDER BY 1, 2;
SELECT vmnet.inventory_status('cloud');
SELECT (SELECT count(*) FROM cloud.all_nics n JOIN cloud.all_networks w ON w.id = n.network_id WHERE n.removed IS NULL AND w.removed IS NOT NULL) AS on_removed_networks,
	(SELECT count(*) FROM cloud.all_nics n JOIN cloud.all_instances i ON i.id = n.instance_id WHERE n.removed IS NULL AND i.removed IS NOT NULL) AS of_removed_instances,
	(SELECT count(*) FROM cloud.all_nics WHERE active IS DISTINCT FROM (removed IS NULL AND state <> 'Deallocating')) AS active_wrong,
	(SELECT count(*) FROM cloud.all_nics WHERE ended IS DISTINCT FROM CASE WHEN state = 'Deallocating' THEN LEAST(state_changed, removed) END) AS ended_wrong;
-- numbers of new rows come after all others
INSERT INTO cloud.networks (name) VALUES ('new');
INSERT INTO cloud.instances (name) VALUES ('new');
INSERT INTO cloud.nics (instance_id, network_id) SELECT i.id, w.id FROM cloud.instances i, cloud.networks w WHERE i.name = 'new' AND w.name = 'new';
SELECT (SELECT id FROM cloud.networks WHERE name = 'new') - (SELECT max(id) FROM expected.networks) AS network,
	(SELECT id FROM cloud.instances WHERE name = 'new') - (SELECT max(id) FROM expected.instances) AS instance,
	(SELECT max(id) FROM cloud.nics) - (SELECT max(id) FROM expected.nics) AS nic;
-- it is no mirror any more
CALL vmnet.import_cloudstack('cloudstack', 'cloud');
SELECT vmnet.manage_inventory('cloud', true);
SELECT status, count(*) FROM cloud.import_runs GROUP BY 1;

SET client_min_messages = warning;
DROP SCHEMA cloud, cloudstack, expected CASCADE;
