-- The dump of a CloudStack 4.19 database as a mirror: every answer is the
-- expected one, a second run changes nothing, and whatever changes at the
-- source changes here.
\i test/include/load_dump.psql

-- What a mirror of this source has to hold, said a second time with
-- PostgreSQL's own casts.  (state_changed has a test of its own.)
CREATE FUNCTION expected.time(text) RETURNS timestamptz LANGUAGE sql
RETURN ($1 || '+00')::timestamptz;

CREATE VIEW expected.networks AS
SELECT n.id::bigint, n.uuid::uuid, n.name, n.state, n.traffic_type, n.guest_type,
	n.cidr::cidr, n.network_cidr::cidr, n.gateway::inet, n.ip6_cidr::cidr, n.ip6_gateway::inet,
	n.vpc_id::bigint, n.data_center_id::bigint AS zone_id, n.domain_id::bigint, n.account_id::bigint,
	a.account_name, d.path AS domain_path, z.name AS zone_name, o.nics_count::bigint,
	expected.time(n.created) AS created, expected.time(n.removed) AS removed, n.removed IS NULL AS active
FROM cloudstack.networks n
	LEFT JOIN cloudstack.account a ON a.id = n.account_id
	LEFT JOIN cloudstack.domain d ON d.id = n.domain_id
	LEFT JOIN cloudstack.data_center z ON z.id = n.data_center_id
	LEFT JOIN cloudstack.op_networks o ON o.id = n.id;

CREATE VIEW expected.instances AS
SELECT v.id::bigint, v.uuid::uuid, v.name, v.display_name, v.instance_name, v.type, v.state,
	v.host_id::bigint, v.data_center_id::bigint AS zone_id, v.domain_id::bigint, v.account_id::bigint,
	a.account_name, d.path AS domain_path, z.name AS zone_name,
	expected.time(v.created) AS created, expected.time(v.removed) AS removed, v.removed IS NULL AS active
FROM cloudstack.vm_instance v
	LEFT JOIN cloudstack.account a ON a.id = v.account_id
	LEFT JOIN cloudstack.domain d ON d.id = v.domain_id
	LEFT JOIN cloudstack.data_center z ON z.id = v.data_center_id;

CREATE VIEW expected.nics AS
SELECT id::bigint, uuid::uuid, instance_id::bigint, network_id::bigint, state, strategy, reserver_name,
	reservation_id, vm_type, device_id::int, default_nic::int <> 0 AS default_nic, mac_address::macaddr,
	ip4_address::inet, ip6_address::inet, netmask::inet, gateway::inet, broadcast_uri, mtu::bigint,
	true AS enabled, expected.time(created) AS created, expected.time(removed) AS removed,
	removed IS NULL AND upper(state) <> 'DEALLOCATING' AS active
FROM cloudstack.nics;

-- Rows by which the mirror and the source differ, in either direction, but for
-- those that the mirror keeps and the source has no more.
CREATE FUNCTION expected.differences(OUT networks bigint, OUT instances bigint, OUT nics bigint)
LANGUAGE plpgsql AS $$
DECLARE
	relation text;
	columns text;
	n bigint;
BEGIN
	FOREACH relation IN ARRAY ARRAY['networks', 'instances', 'nics'] LOOP
		SELECT string_agg(quote_ident(attname), ', ' ORDER BY attnum) INTO columns
		FROM pg_attribute WHERE attrelid = ('expected.' || relation)::regclass AND attnum > 0;
		EXECUTE format('SELECT count(*) FROM (
				(SELECT %1$s FROM cloud.all_%2$I t WHERE NOT EXISTS (SELECT FROM cloud.import_vanished v WHERE v.relation = %2$L AND v.id = t.id) EXCEPT ALL SELECT %1$s FROM expected.%2$I)
				UNION ALL (SELECT %1$s FROM expected.%2$I EXCEPT ALL SELECT %1$s FROM cloud.all_%2$I t WHERE NOT EXISTS (SELECT FROM cloud.import_vanished v WHERE v.relation = %2$L AND v.id = t.id))) d',
			columns, relation) INTO n;
		CASE relation WHEN 'networks' THEN networks := n; WHEN 'instances' THEN instances := n; ELSE nics := n; END CASE;
	END LOOP;
END
$$;

-- The right answer, asked of the source in another way than the mirror does.
CREATE VIEW expected.active AS
SELECT DISTINCT n.network_id::bigint, n.instance_id::bigint
FROM cloudstack.nics n
WHERE n.removed IS NULL AND n.state !~* '^deallocating$'
	AND n.network_id IN (SELECT id FROM cloudstack.networks WHERE removed IS NULL)
	AND n.instance_id IN (SELECT id FROM cloudstack.vm_instance WHERE removed IS NULL);

--
-- The first import
--
CALL vmnet.import_cloudstack('cloudstack', 'cloud');
SELECT name, kind, source, mode FROM vmnet.inventories;
SELECT run, source, status, step, finished >= started AS finished, backend_pid = pg_backend_pid() AS ours,
	networks_read, instances_read, nics_read, rows_inserted, rows_updated, rows_deleted,
	rows_rejected, values_changed, message
FROM cloud.import_runs \gx
SELECT count(*) AS log_entries FROM cloud.import_log;

SELECT * FROM expected.differences();
-- no column is left out of that comparison
SELECT table_name, column_name
FROM information_schema.columns c
WHERE table_schema = 'cloud' AND table_name IN ('all_networks', 'all_instances', 'all_nics')
	AND NOT EXISTS (SELECT FROM information_schema.columns e
		WHERE e.table_schema = 'expected' AND 'all_' || e.table_name = c.table_name AND e.column_name = c.column_name)
ORDER BY 1, 2;

-- state_changed, at first sight
SELECT count(*) AS nics, count(*) FILTER (WHERE t.state_changed
	IS DISTINCT FROM expected.time(coalesce(s.removed, s.update_time, s.created))) AS wrong
FROM cloud.all_nics t JOIN cloudstack.nics s ON s.id::bigint = t.id;

-- the sequences are above what is there, and nothing of the import is left
SELECT (SELECT last_value = max(id) AND is_called FROM cloud.all_networks, cloud.all_networks_id_seq GROUP BY last_value, is_called) AS networks,
	(SELECT last_value = max(id) AND is_called FROM cloud.all_instances, cloud.all_instances_id_seq GROUP BY last_value, is_called) AS instances,
	(SELECT last_value = max(id) AND is_called FROM cloud.all_nics, cloud.all_nics_id_seq GROUP BY last_value, is_called) AS nics;
SELECT relname FROM pg_class WHERE relnamespace = 'cloud'::regnamespace AND relname LIKE 'import%' AND relkind = 'r' ORDER BY 1;

-- What the first copy makes after the load is what create_inventory() makes:
-- indexes, keys, references, comments and all.
SELECT vmnet.create_inventory('bare', 'mirror');
CREATE VIEW expected.objects AS
SELECT n.nspname, replace(pg_get_indexdef(c.oid), n.nspname || '.', '') AS definition,
	obj_description(c.oid, 'pg_class') AS comment
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE n.nspname IN ('cloud', 'bare') AND c.relkind = 'i'
UNION ALL
SELECT n.nspname, replace(format('%s %s %s %s', c.conrelid::regclass, c.conname, pg_get_constraintdef(c.oid), c.convalidated), n.nspname || '.', ''),
	obj_description(c.oid, 'pg_constraint')
FROM pg_constraint c JOIN pg_namespace n ON n.oid = c.connamespace
WHERE n.nspname IN ('cloud', 'bare');
CREATE VIEW expected.objects_that_differ AS
SELECT definition, comment, string_agg(nspname, ' and ' ORDER BY nspname) AS found_in
FROM expected.objects GROUP BY 1, 2 HAVING count(*) <> 2;
SELECT count(*) > 15 AS many FROM expected.objects WHERE nspname = 'cloud';
SELECT * FROM expected.objects_that_differ;

--
-- The answers
--

-- The listings that are wrong, computed on the source, are wrong as they are
-- known to be: the dump is the one that the answers belong to.
CREATE VIEW expected.listing_4_19_1_2_now AS
SELECT DISTINCT n.network_id::bigint, v.id::bigint AS instance_id
FROM cloudstack.vm_instance v JOIN cloudstack.nics n ON n.instance_id = v.id
WHERE v.type = 'User' AND v.removed IS NULL;
CREATE VIEW expected.listing_upstream_fix_now AS
SELECT DISTINCT n.network_id::bigint, v.id::bigint AS instance_id
FROM cloudstack.vm_instance v JOIN cloudstack.nics n ON n.instance_id = v.id
WHERE v.type = 'User' AND v.removed IS NULL AND n.removed IS NULL;
(TABLE expected.listing_4_19_1_2 EXCEPT TABLE expected.listing_4_19_1_2_now)
UNION ALL (TABLE expected.listing_4_19_1_2_now EXCEPT TABLE expected.listing_4_19_1_2);
(TABLE expected.listing_upstream_fix EXCEPT TABLE expected.listing_upstream_fix_now)
UNION ALL (TABLE expected.listing_upstream_fix_now EXCEPT TABLE expected.listing_upstream_fix);

-- Every network there ever was, through the function and through the view.
CREATE VIEW expected.function_now AS
SELECT w.id AS network_id, i.instance_id
FROM cloud.all_networks w, vmnet.network_active_instances(w.id) i;
CREATE VIEW expected.view_now AS
SELECT network_id, instance_id FROM cloud.network_instances;
CREATE FUNCTION expected.wrong_answers(answers text, right_ones text) RETURNS TABLE (missing bigint, too_many bigint)
LANGUAGE plpgsql AS $$
BEGIN
	RETURN QUERY EXECUTE format('SELECT (SELECT count(*) FROM (TABLE %2$s EXCEPT ALL TABLE %1$s) m),
		(SELECT count(*) FROM (TABLE %1$s EXCEPT ALL TABLE %2$s) t)', answers, right_ones);
END
$$;
SELECT * FROM expected.wrong_answers('expected.function_now', 'expected.network_active_instances');
SELECT * FROM expected.wrong_answers('expected.view_now', 'expected.network_active_instances');
SELECT count(*) AS networks, count(*) FILTER (WHERE vmnet.network_active_instance_count(w.id) <>
	(SELECT count(*) FROM expected.network_active_instances e WHERE e.network_id = w.id)) AS wrong
FROM cloud.all_networks w;
SELECT listing, count(*) AS pairs, count(*) FILTER (WHERE e.network_id IS NULL) AS wrong
FROM (SELECT 1 AS ord, 'the query of 4.19.1.2' AS listing, * FROM expected.listing_4_19_1_2
	UNION ALL SELECT 2, 'the upstream fix', * FROM expected.listing_upstream_fix
	UNION ALL SELECT 3, 'network_active_instances', f.* FROM expected.function_now f JOIN cloud.instances i ON i.id = f.instance_id AND i.type = 'User') l
	LEFT JOIN expected.network_active_instances e USING (network_id, instance_id)
GROUP BY ord, listing ORDER BY ord;

-- The counts, with the one column that the expected file lacks.
CREATE VIEW expected.counts_now AS
SELECT network_id, attached_nics, active_instances, running_instances, allocated, reserving, reserved,
	releasing, deallocating, other_states, used_ip4
FROM cloud.network_counts;
SELECT * FROM expected.wrong_answers('expected.counts_now', 'expected.network_counts');
SELECT count(*) AS networks, sum(c.user_instances) AS user_instances,
	count(*) FILTER (WHERE c.user_instances <> (SELECT count(*) FROM expected.network_active_instances e
		JOIN cloudstack.vm_instance v ON v.id::bigint = e.instance_id
		WHERE e.network_id = c.network_id AND v.type = 'User')) AS wrong
FROM cloud.network_counts c;

-- What contradicts itself at the source is here as it is there.
SELECT state, removed IS NOT NULL AS removed, active, count(*)
FROM cloud.all_nics GROUP BY 1, 2, 3 ORDER BY state COLLATE "C", 2, 3;
SELECT count(*) FILTER (WHERE uuid IS NULL) AS nics_without_uuid,
	(SELECT count(*) FROM cloud.all_instances WHERE uuid IS NULL) AS instances_without_uuid
FROM cloud.all_nics;

--
-- The second import changes nothing
--
CREATE VIEW expected.versions AS
SELECT 'networks' AS relation, id, xmin::text || ' ' || ctid::text AS version FROM cloud.all_networks
UNION ALL SELECT 'instances', id, xmin::text || ' ' || ctid::text FROM cloud.all_instances
UNION ALL SELECT 'nics', id, xmin::text || ' ' || ctid::text FROM cloud.all_nics;
CREATE TABLE expected.versions_before AS TABLE expected.versions;
CALL vmnet.import_cloudstack('cloudstack', 'cloud');
SELECT count(*) AS rows, count(*) FILTER (WHERE b.id IS NULL) AS touched
FROM expected.versions v LEFT JOIN expected.versions_before b USING (relation, id, version);
SELECT run, status, rows_inserted, rows_updated, rows_deleted, rows_rejected, values_changed
FROM cloud.import_runs ORDER BY run;
SELECT count(*) AS log_entries FROM cloud.import_log;

--
-- Changes at the source, of every sort
--
SET client_min_messages = warning;
CREATE TABLE expected.nics_before AS SELECT * FROM cloud.all_nics;

-- a NIC is removed; one stops half-way; a third only has "removed" set
CREATE TABLE expected.chosen AS
SELECT row_number() OVER (ORDER BY n.id::int) AS ord, n.id
FROM cloudstack.nics n
WHERE n.removed IS NULL AND n.state = 'Reserved' AND n.vm_type = 'User' AND n.default_nic = '1'
	AND (n.network_id::bigint, n.instance_id::bigint) IN (TABLE expected.active);
UPDATE cloudstack.nics SET state = 'Deallocating', removed = '2025-07-06 01:02:03' WHERE id = (SELECT id FROM expected.chosen WHERE ord = 1);
UPDATE cloudstack.nics SET state = 'Deallocating' WHERE id = (SELECT id FROM expected.chosen WHERE ord = 2);
UPDATE cloudstack.nics SET removed = '2025-07-06 01:02:03' WHERE id = (SELECT id FROM expected.chosen WHERE ord = 3);
-- the state of others changes: a move, only the case of its letters, a state nobody knows
UPDATE cloudstack.nics SET state = 'Releasing' WHERE id = (SELECT id FROM expected.chosen WHERE ord = 4);
UPDATE cloudstack.nics SET state = 'RESERVED' WHERE id = (SELECT id FROM expected.chosen WHERE ord = 5);
UPDATE cloudstack.nics SET state = 'Parked' WHERE id = (SELECT id FROM expected.chosen WHERE ord = 6);
-- a network migration: the row names another network now, and the networks swap uuids
UPDATE cloudstack.nics SET network_id = (SELECT max(id) FROM cloudstack.networks w WHERE w.removed IS NULL AND w.id <> nics.network_id)
WHERE id = (SELECT id FROM expected.chosen WHERE ord = 7);
CREATE TABLE expected.swapped AS
SELECT row_number() OVER (ORDER BY id::int) AS ord, id, uuid FROM cloudstack.networks WHERE removed IS NULL;
UPDATE cloudstack.networks w SET uuid = o.uuid
FROM expected.swapped s, expected.swapped o
WHERE w.id = s.id AND (s.ord, o.ord) IN ((1, 2), (2, 1));
-- so do two NICs, and two instances
UPDATE cloudstack.nics n SET uuid = o.uuid
FROM expected.chosen s, expected.chosen c, expected.nics_before o
WHERE n.id = s.id AND o.id = c.id::bigint AND (s.ord, c.ord) IN ((8, 9), (9, 8));
UPDATE cloudstack.vm_instance v SET uuid = o.uuid
FROM cloud.instances o WHERE (v.id, o.id) IN (SELECT min(id)::text, max(id) FROM cloud.instances UNION SELECT max(id)::text, min(id) FROM cloud.instances);
-- the default NIC of an instance goes to another one; an address changes; an address goes
UPDATE cloudstack.nics SET default_nic = '0', device_id = '7', ip4_address = '10.99.0.1', mac_address = '02:00:ff:00:00:01' WHERE id = (SELECT id FROM expected.chosen WHERE ord = 10);
UPDATE cloudstack.nics SET ip4_address = NULL WHERE id = (SELECT id FROM expected.chosen WHERE ord = 11);
-- a missing uuid is filled in, another one is lost
UPDATE cloudstack.nics SET uuid = '00000000-0000-4000-8000-000000000001' WHERE id = (SELECT min(id) FROM cloudstack.nics WHERE uuid IS NULL);
UPDATE cloudstack.nics SET uuid = NULL WHERE id = (SELECT id FROM expected.chosen WHERE ord = 12);
-- an instance is removed with its NICs; one without them; one comes back
UPDATE cloudstack.vm_instance SET state = 'Expunging', removed = '2025-07-06 02:00:00' WHERE id = (SELECT instance_id FROM cloudstack.nics WHERE id = (SELECT id FROM expected.chosen WHERE ord = 13));
UPDATE cloudstack.nics SET state = 'Deallocating', removed = '2025-07-06 02:00:00' WHERE removed IS NULL AND instance_id = (SELECT instance_id FROM cloudstack.nics WHERE id = (SELECT id FROM expected.chosen WHERE ord = 13));
UPDATE cloudstack.vm_instance SET state = 'Expunging', removed = '2025-07-06 02:00:00' WHERE id = (SELECT instance_id FROM cloudstack.nics WHERE id = (SELECT id FROM expected.chosen WHERE ord = 14));
UPDATE cloudstack.vm_instance SET state = 'Stopped', removed = NULL WHERE id = (SELECT min(id) FROM cloudstack.vm_instance WHERE removed IS NOT NULL);
-- a removed NIC is live again, which only a hand at the source can do
UPDATE cloudstack.nics SET state = 'Reserved', removed = NULL WHERE id = (SELECT min(id) FROM cloudstack.nics WHERE removed IS NOT NULL);
-- a network is renamed, another one removed; an account, a domain and the zone are renamed; a counter moves
UPDATE cloudstack.networks SET name = 'renamed' WHERE id = (SELECT id FROM expected.swapped WHERE ord = 3);
UPDATE cloudstack.networks SET state = 'Destroy', removed = '2025-07-06 03:00:00' WHERE id = (SELECT id FROM expected.swapped WHERE ord = 4);
UPDATE cloudstack.account SET account_name = 'renamed' WHERE id = '3';
UPDATE cloudstack.domain SET path = path || 'renamed/' WHERE id = '1';
UPDATE cloudstack.data_center SET name = 'renamed';
UPDATE cloudstack.op_networks SET nics_count = '4711' WHERE id = (SELECT id FROM expected.swapped WHERE ord = 5);
-- a network, an instance and NICs are added; the network gets the uuid of a purged one
CREATE TABLE expected.purged AS
SELECT w.id, w.uuid FROM cloudstack.networks w WHERE w.removed IS NOT NULL ORDER BY w.id::int LIMIT 1;
-- rows are purged: the NICs of that network, the network, and an instance of which nothing else is left
CREATE TABLE expected.purged_instance AS
SELECT v.id, v.uuid FROM cloudstack.vm_instance v WHERE v.removed IS NOT NULL
	AND v.id IN (SELECT instance_id FROM cloudstack.nics) ORDER BY v.id::int DESC LIMIT 1;
DELETE FROM cloudstack.nics WHERE network_id = (SELECT id FROM expected.purged) OR instance_id = (SELECT id FROM expected.purged_instance);
DELETE FROM cloudstack.op_networks WHERE id = (SELECT id FROM expected.purged);
DELETE FROM cloudstack.networks WHERE id = (SELECT id FROM expected.purged);
DELETE FROM cloudstack.vm_instance WHERE id = (SELECT id FROM expected.purged_instance);
INSERT INTO cloudstack.networks (id, uuid, name, state, traffic_type, guest_type, created, account_id, domain_id, data_center_id)
SELECT '90001', uuid, 'added', 'Allocated', 'Guest', 'L2', '2025-07-06 04:00:00', '2', '1', '1' FROM expected.purged;
INSERT INTO cloudstack.vm_instance (id, uuid, name, instance_name, state, type, vm_type, created, account_id, domain_id, data_center_id)
SELECT '90001', uuid, 'added', 'i-2-90001-VM', 'Running', 'User', 'User', '2025-07-06 04:00:00', '2', '1', '1' FROM expected.purged_instance;
INSERT INTO cloudstack.nics (id, uuid, instance_id, network_id, state, strategy, vm_type, default_nic, created)
VALUES ('90001', '00000000-0000-4000-8000-000000090001', '90001', '90001', 'Reserved', 'Start', 'User', '1', '2025-07-06 04:00:00'),
	('90002', '00000000-0000-4000-8000-000000090002', '90001', (SELECT id FROM expected.swapped WHERE ord = 3), 'Allocated', 'Start', 'User', '0', '2025-07-06 04:00:00');
RESET client_min_messages;

-- the mirror is as it was until the import runs
SELECT networks > 0 AND instances > 0 AND nics > 20 AS it_differs FROM expected.differences();
CALL vmnet.import_cloudstack('cloudstack', 'cloud');
SELECT * FROM expected.differences();
SELECT * FROM expected.wrong_answers('expected.function_now', 'expected.active');
SELECT * FROM expected.wrong_answers('expected.view_now', 'expected.active');
SELECT "table", "column", action, count(*) FROM cloud.import_log GROUP BY 1, 2, 3 ORDER BY 1, 2, 3;
SELECT object_type, count(*) FROM vmnet.check_inventory('cloud') WHERE code = 'id_reused' GROUP BY 1 ORDER BY 1;

-- state_changed is the time of a removal where the source gives it, else the
-- start of the run where the state changed, and only there; a new row has what
-- the source knows.
SELECT CASE WHEN b.id IS NULL THEN 'new' WHEN t.removed <> b.removed OR t.removed IS NOT NULL AND b.removed IS NULL THEN 'removed'
		WHEN b.state <> t.state THEN 'state changed' ELSE 'the same state' END AS which,
	count(*), count(*) FILTER (WHERE t.state_changed IS DISTINCT FROM
		CASE WHEN b.id IS NULL THEN t.created WHEN t.removed <> b.removed OR t.removed IS NOT NULL AND b.removed IS NULL THEN t.removed
			WHEN b.state <> t.state THEN r.started ELSE b.state_changed END) AS wrong,
	count(*) FILTER (WHERE t.ended IS DISTINCT FROM
		coalesce(t.removed, CASE WHEN lower(t.state) = 'deallocating' THEN t.state_changed END)) AS ended_wrong
FROM cloud.all_nics t CROSS JOIN (SELECT started FROM cloud.import_runs ORDER BY run DESC LIMIT 1) r
	LEFT JOIN expected.nics_before b USING (id)
WHERE NOT EXISTS (SELECT FROM cloud.import_vanished v WHERE v.relation = 'nics' AND v.id = t.id)
GROUP BY 1 ORDER BY 1;

-- a NIC was touched where it changed, and only there
SELECT b::text = t::text AS the_same, v.version = vb.version AS untouched, count(*)
FROM cloud.all_nics t JOIN expected.nics_before b USING (id)
	JOIN expected.versions v ON v.relation = 'nics' AND v.id = t.id
	JOIN expected.versions_before vb ON vb.relation = 'nics' AND vb.id = t.id
GROUP BY 1, 2 ORDER BY 1, 2;

CALL vmnet.import_cloudstack('cloudstack', 'cloud');

--
-- A source that loses everything, and has it again
--
SET client_min_messages = warning;
CREATE TABLE expected.kept_nics AS TABLE cloudstack.nics;
CREATE TABLE expected.kept_networks AS TABLE cloudstack.networks;
CREATE TABLE expected.kept_instances AS TABLE cloudstack.vm_instance;
CREATE TABLE expected.live_before AS SELECT network_id, instance_id, nic_id, nic_state, ip4_address FROM cloud.network_instances;
TRUNCATE cloudstack.nics, cloudstack.networks, cloudstack.vm_instance;
RESET client_min_messages;
-- which is unlikely: nothing changes, unless it is wanted
CALL vmnet.import_cloudstack('cloudstack', 'cloud');
SELECT count(*) = (SELECT count(*) FROM expected.live_before) AS as_before FROM cloud.network_instances;
CALL vmnet.import_cloudstack('cloudstack', 'cloud', force => true);
SELECT * FROM expected.differences();
SELECT (SELECT count(*) FROM cloud.network_instances) AS live, (SELECT count(*) FROM cloud.all_nics) AS kept;
INSERT INTO cloudstack.nics TABLE expected.kept_nics;
INSERT INTO cloudstack.networks TABLE expected.kept_networks;
INSERT INTO cloudstack.vm_instance TABLE expected.kept_instances;
CALL vmnet.import_cloudstack('cloudstack', 'cloud');
SELECT * FROM expected.differences();
SELECT count(*) FROM (SELECT network_id, instance_id, nic_id, nic_state, ip4_address FROM cloud.network_instances EXCEPT TABLE expected.live_before) d;
-- the same for who wants no more than the source has
TRUNCATE cloudstack.nics, cloudstack.networks, cloudstack.vm_instance;
CALL vmnet.import_cloudstack('cloudstack', 'cloud', on_vanish => 'delete');
CALL vmnet.import_cloudstack('cloudstack', 'cloud', on_vanish => 'delete', force => true);
SELECT (SELECT count(*) FROM cloud.all_nics) AS nics, (SELECT count(*) FROM cloud.all_networks) AS networks, (SELECT count(*) FROM cloud.import_vanished) AS vanished,
	(SELECT count(*) FROM cloud.former_rows) AS former, (SELECT count(*) FROM cloud.former_nic_intervals) AS intervals, (SELECT count(*) FROM cloud.former_nic_addresses) AS addresses;
INSERT INTO cloudstack.nics TABLE expected.kept_nics;
INSERT INTO cloudstack.networks TABLE expected.kept_networks;
INSERT INTO cloudstack.vm_instance TABLE expected.kept_instances;
CALL vmnet.import_cloudstack('cloudstack', 'cloud');
SELECT * FROM expected.differences();
SELECT * FROM expected.objects_that_differ;

-- The same rows from a schema of another name: only the name of the source changes.
ALTER SCHEMA cloudstack RENAME TO "CloudStack 4.19";
CALL vmnet.import_cloudstack('CloudStack 4.19', 'cloud');
SELECT name, kind, source, mode FROM vmnet.inventories WHERE name = 'cloud';

SET client_min_messages = warning;
DROP SCHEMA cloud, bare, "CloudStack 4.19", expected CASCADE;
