-- What a mirror keeps of rows that its source has no more, has again, or replaces
-- by others; who purges them; and imports that would lose too much.
\set SHOW_CONTEXT never
SET client_min_messages = warning;
SET TimeZone = 'UTC';
CREATE SCHEMA kept;
CREATE TABLE kept.networks (id bigint, uuid text, name text, state text, created timestamp, removed timestamp);
CREATE TABLE kept.vm_instance (id bigint, uuid text, name text, state text, type text, created timestamp, removed timestamp);
CREATE TABLE kept.nics (id bigint, uuid text, instance_id bigint, network_id bigint, state text, mac_address text, ip4_address text, created timestamp, removed timestamp);
CREATE TABLE kept.nic_secondary_ips (id bigint, uuid text, "nicId" bigint, ip4_address text, ip6_address text, network_id bigint, created timestamp);
CREATE TABLE kept.op_networks (id bigint, nics_count bigint);
INSERT INTO kept.networks SELECT g, '00000000-0000-4000-8000-00000000000' || g, 'net' || g, 'Implemented', '2025-01-01', NULL FROM generate_series(1, 3) g;
INSERT INTO kept.op_networks VALUES (3, 5);
INSERT INTO kept.vm_instance SELECT g, '00000000-0000-4000-8000-00000000001' || g, 'vm' || g, 'Running', 'User', '2025-01-01', NULL FROM generate_series(1, 6) g;
INSERT INTO kept.nics SELECT g, '00000000-0000-4000-8000-00000000002' || g, g, 1, 'Reserved', '02:00:00:00:00:0' || g, '10.0.0.' || g, '2025-01-01', NULL FROM generate_series(1, 6) g;
UPDATE kept.nics SET state = 'Deallocating', removed = '2025-03-01' WHERE id = 2;	-- removed before it vanishes
UPDATE kept.nics SET removed = '2025-03-01' WHERE id = 3;	-- with another state
UPDATE kept.nics SET state = 'DEALLOCATING' WHERE id = 4;	-- half-way
INSERT INTO kept.nics VALUES (7, NULL, 6, 3, 'Reserved', '02:00:00:00:00:07', '10.0.3.7', '2025-01-01', NULL);
INSERT INTO kept.nic_secondary_ips VALUES (1, NULL, 1, '10.0.0.101', NULL, 1, '2025-01-01'), (2, NULL, 2, '10.0.0.102', NULL, 1, '2025-01-01'), (3, NULL, 6, '10.0.0.106', NULL, 1, '2025-01-01');
CALL vmnet.import_cloudstack('kept', 'm');

-- how a time is written: as the run whose start it is, or just after it, or as it is
CREATE FUNCTION kept.t(timestamptz) RETURNS text LANGUAGE sql AS $$ SELECT coalesce((SELECT 'run ' || run FROM m.import_runs WHERE started = $1), (SELECT 'after run ' || run FROM m.import_runs WHERE started + interval '1 microsecond' = $1), to_char($1, 'YYYY-MM-DD')) $$;

--
-- Rows vanish: NICs, an instance with its NIC, a network with a counter, addresses
--
DELETE FROM kept.nics WHERE id IN (1, 2, 3, 4, 5, 7);
DELETE FROM kept.vm_instance WHERE id = 5;
DELETE FROM kept.networks WHERE id = 3;
DELETE FROM kept.op_networks;
DELETE FROM kept.nic_secondary_ips WHERE id < 3;
RESET client_min_messages;
CALL vmnet.import_cloudstack('kept', 'm');
SET client_min_messages = warning;
SELECT id, state, kept.t(removed) AS removed, kept.t(state_changed) AS state_changed, kept.t(ended) AS ended, ip4_address FROM m.all_nics ORDER BY id;
SELECT 'instance' AS what, id, state, kept.t(removed) AS removed, NULL::bigint AS nics_count FROM m.all_instances WHERE removed IS NOT NULL
UNION ALL SELECT 'network', id, state, kept.t(removed), nics_count FROM m.all_networks WHERE removed IS NOT NULL
UNION ALL SELECT 'secondary address', id, NULL, kept.t(removed), NULL FROM m.all_nic_secondary_ips WHERE removed IS NOT NULL ORDER BY 1, 2;
SELECT relation, id, kept.t(vanished) FROM m.import_vanished ORDER BY 1, 2;
SELECT nic_id, from_state, to_state, event, kept.t(removed) AS removed, kept.t(at) AS at FROM m.nic_history ORDER BY seq;
SELECT event, kept.t(at) AS at, to_state, kept.t(removed) AS removed FROM vmnet.nic_timeline(1, 'm');
SELECT event, kept.t(at) AS at, to_state, kept.t(removed) AS removed FROM vmnet.nic_timeline(2, 'm');
SELECT nic_id, instance_name, network_name, kept.t(held_from) AS held_from, kept.t(held_to) AS held_to, kind FROM vmnet.ip_holders('10.0.0.0/16', inventory => 'm') ORDER BY 1, kind;
SELECT rows_deleted FROM m.import_runs ORDER BY run DESC LIMIT 1;
SELECT code, object_type, object_id FROM vmnet.check_inventory('m', '0');
-- a second run counts them not again
CALL vmnet.import_cloudstack('kept', 'm');
SELECT rows_inserted, rows_updated, rows_deleted FROM m.import_runs ORDER BY run DESC LIMIT 1;

--
-- A uuid goes to another row; rows come back as themselves; one was removed before it vanished
--
INSERT INTO kept.nics VALUES (20, '00000000-0000-4000-8000-000000000021', 1, 2, 'Reserved', '02:00:00:00:00:20', '10.0.2.20', '2025-06-01', NULL);
INSERT INTO kept.vm_instance VALUES (5, '00000000-0000-4000-8000-000000000015', 'vm5', 'Running', 'User', '2025-01-01', NULL);
INSERT INTO kept.nics VALUES (5, '00000000-0000-4000-8000-000000000025', 5, 1, 'Reserved', '02:00:00:00:00:05', '10.0.0.55', '2025-01-01', NULL),
	(2, '00000000-0000-4000-8000-000000000022', 2, 1, 'Deallocating', '02:00:00:00:00:02', '10.0.0.2', '2025-01-01', '2025-03-01');
INSERT INTO kept.nic_secondary_ips VALUES (1, NULL, 1, '10.0.0.101', NULL, 1, '2025-01-01');
CALL vmnet.import_cloudstack('kept', 'm');
SELECT id, uuid, state, kept.t(removed) AS removed FROM m.all_nics WHERE id IN (1, 2, 5, 20) ORDER BY id;
SELECT relation, id, uuid FROM m.import_vanished WHERE relation <> 'nics' OR id < 3 ORDER BY 1, 2;
SELECT "table", id, "column", original, action, reason FROM m.import_log WHERE run = (SELECT max(run) FROM m.import_runs);
SELECT nic_id, network_id, instance_id, kept.t(i.from) AS "from", kept.t(i.to) AS "to" FROM m.nic_intervals i WHERE nic_id IN (2, 5) ORDER BY 1, i.from;
SELECT network_id, kept.t(i.from) AS "from", kept.t(i.to) AS "to" FROM m.network_instance_intervals i WHERE instance_id = 5 ORDER BY i.from;
SELECT ip4_address, kept.t(i.from) AS "from", kept.t(i.to) AS "to" FROM m.nic_address_intervals i WHERE nic_id = 5 ORDER BY i.from;
SELECT r.run, string_agg(a.instance_name, ' ' ORDER BY a.instance_id) AS on_network_1 FROM m.import_runs r, vmnet.network_instances_as_of(1, r.started, 'm') a GROUP BY 1 ORDER BY 1;
SELECT event, kept.t(at) AS at, from_state, to_state, kept.t(removed) AS removed FROM vmnet.nic_timeline(5, 'm');
SELECT code, object_type, object_id FROM vmnet.check_inventory('m', '0') WHERE code IN ('id_reused', 'history_chain_broken');

--
-- Other objects under the same ids: after a gap, and between two polls
--
INSERT INTO kept.nics VALUES (4, '00000000-0000-4000-8000-0000000000f4', 1, 2, 'Reserved', '02:00:00:00:00:f4', '10.0.2.4', '2025-01-01', NULL);
UPDATE kept.nics SET created = '2025-02-02', ip4_address = '10.0.0.66', instance_id = 1, network_id = 2 WHERE id = 6;
UPDATE kept.vm_instance SET uuid = '00000000-0000-4000-8000-0000000000e5', name = 'another vm5' WHERE id = 5;
CALL vmnet.import_cloudstack('kept', 'm');
SELECT "table", id, "column", original, action, reason FROM m.import_log WHERE run = (SELECT max(run) FROM m.import_runs) ORDER BY entry;
SELECT code, severity, object_type, object_id, object_uuid, message FROM vmnet.check_inventory('m', '0') WHERE code IN ('id_reused', 'history_chain_broken');
SELECT nic_id, instance_name, network_name, ip4_address, kept.t(held_from) AS held_from, kept.t(held_to) AS held_to FROM vmnet.ip_holders('10.0.0.0/16', inventory => 'm') h WHERE nic_id IN (4, 5, 6) ORDER BY nic_id, h.held_from, kind;
SELECT event, kept.t(at) AS at, from_state, to_state, network_id, instance_id, kept.t(removed) AS removed FROM vmnet.nic_timeline(6, 'm');
SELECT r.run, string_agg(a.instance_name, ' ' ORDER BY a.instance_id) AS on_network_1 FROM m.import_runs r, vmnet.network_instances_as_of(1, r.started, 'm') a GROUP BY 1 ORDER BY 1;
SELECT relation, id, name, kept.t(removed) AS removed, kept.t(until) AS until, reused FROM m.former_rows ORDER BY entry;

--
-- Too few: nothing changes, unless it is said
--
INSERT INTO kept.networks SELECT g, NULL, 'more', 'Implemented', '2025-01-01', NULL FROM generate_series(101, 130) g;
INSERT INTO kept.vm_instance SELECT g, NULL, 'more', 'Running', 'User', '2025-01-01', NULL FROM generate_series(101, 130) g;
INSERT INTO kept.nics SELECT g, NULL, g, g, 'Reserved', NULL, NULL, '2025-01-01', NULL FROM generate_series(101, 130) g;
CALL vmnet.import_cloudstack('kept', 'm');
CREATE TABLE kept.away AS TABLE kept.nics;
DELETE FROM kept.nics;
CALL vmnet.import_cloudstack('kept', 'm');
\echo :LAST_ERROR_SQLSTATE
SELECT status, message FROM m.import_runs ORDER BY run DESC LIMIT 1;
SELECT count(*) FROM m.nics;
-- half of them is not too few, with one more it is; removed at the source is not lost
INSERT INTO kept.nics SELECT * FROM kept.away WHERE id > 116 OR id < 100;
CALL vmnet.import_cloudstack('kept', 'm');
SELECT count(*) FROM m.nics;
UPDATE kept.nics SET state = 'Deallocating', removed = '2025-09-01' WHERE id BETWEEN 117 AND 120;
CALL vmnet.import_cloudstack('kept', 'm');
SELECT count(*) FROM m.nics;
DELETE FROM kept.nics; DELETE FROM kept.vm_instance WHERE id > 100; DELETE FROM kept.networks WHERE id > 100;
CALL vmnet.import_cloudstack('kept', 'm');
BEGIN;
CALL vmnet.import_cloudstack('kept', 'm');
ROLLBACK;
CALL vmnet.import_cloudstack('kept', 'm', force => true);
SELECT count(*) FROM m.nics;

--
-- Purge: only what the source has no more, and says what stays
--
INSERT INTO kept.nics SELECT * FROM kept.away WHERE id = 2;
CALL vmnet.import_cloudstack('kept', 'm');
SELECT count(*) AS nics, (SELECT count(*) FROM m.import_vanished) AS vanished FROM m.all_nics;
RESET client_min_messages;
CALL vmnet.purge_inventory('m', '2020-01-01');
CALL vmnet.purge_inventory('m', clock_timestamp());
SET client_min_messages = warning;
SELECT id FROM m.all_nics;
SELECT (SELECT count(*) FROM m.import_vanished) AS vanished, (SELECT count(*) FROM m.former_rows) AS former, (SELECT count(*) FROM m.former_nic_intervals) AS intervals,
	(SELECT count(*) FROM m.former_nic_addresses) AS addresses, (SELECT count(*) FROM m.all_nic_secondary_ips WHERE removed IS NOT NULL) AS removed_addresses;
SELECT count(*) FROM vmnet.ip_holders('10.0.0.0/16', inventory => 'm') h WHERE held_to IS NULL OR nic_id <> 2;
-- the next import brings back nothing
CALL vmnet.import_cloudstack('kept', 'm');
SELECT rows_inserted, rows_updated, rows_deleted FROM m.import_runs ORDER BY run DESC LIMIT 1;

--
-- With the source: what was kept is deleted, too
--
UPDATE kept.nics SET id = 8;
CALL vmnet.import_cloudstack('kept', 'm');
SELECT id FROM m.all_nics ORDER BY id;
CALL vmnet.import_cloudstack('kept', 'm', on_vanish => 'delete');
SELECT id FROM m.all_nics ORDER BY id;
SELECT count(*) FROM vmnet.ip_holders('10.0.0.2', inventory => 'm');

-- A former mirror tells its past as before, and purges it
ALTER TABLE kept.networks ADD traffic_type text DEFAULT 'Guest';
ALTER TABLE kept.nics ADD strategy text DEFAULT 'Start', ADD vm_type text DEFAULT 'User';
CALL vmnet.import_cloudstack('kept', 'm');
CREATE TABLE kept.back AS TABLE kept.nics;
DELETE FROM kept.nics;
CALL vmnet.import_cloudstack('kept', 'm');
INSERT INTO kept.nics (id, uuid, instance_id, network_id, state, mac_address, ip4_address, created) SELECT id, uuid, instance_id, network_id, 'Reserved', mac_address, ip4_address, created FROM kept.back;
CALL vmnet.import_cloudstack('kept', 'm');
CREATE TABLE kept.before AS SELECT nic_id, network_id, i.from, i.to FROM m.nic_intervals i;
SELECT vmnet.manage_inventory('m', true);
SELECT nic_id, network_id, i.from, i.to FROM m.nic_intervals i EXCEPT TABLE kept.before;
SELECT count(*) FROM m.former_rows;
CALL vmnet.purge_inventory('m', clock_timestamp());
SELECT count(*) FROM m.former_rows;
SELECT count(*) FROM vmnet.check_inventory('m') WHERE severity = 'error';
DROP SCHEMA m, kept CASCADE;
