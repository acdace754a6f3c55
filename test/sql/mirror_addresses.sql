-- Secondary addresses in a mirror: what is known of them when they change at the
-- source, vanish there, come back, or get the ids of others.
\set VERBOSITY terse
\set SHOW_CONTEXT never
SET client_min_messages = warning;
SET TimeZone = 'UTC';
CREATE SCHEMA addr;
CREATE TABLE addr.networks (id bigint, uuid text, name text, state text, created timestamp, removed timestamp);
CREATE TABLE addr.vm_instance (id bigint, uuid text, name text, state text, type text, created timestamp, removed timestamp);
CREATE TABLE addr.nics (id bigint, uuid text, instance_id bigint, network_id bigint, state text, mac_address text, ip4_address text, created timestamp, removed timestamp);
CREATE TABLE addr.nic_secondary_ips (id bigint, uuid text, "nicId" bigint, ip4_address text, ip6_address text, network_id bigint, created timestamp);
INSERT INTO addr.networks SELECT g, NULL, 'net' || g, 'Implemented', '2025-01-01', NULL FROM generate_series(1, 2) g;
INSERT INTO addr.vm_instance SELECT g, NULL, 'vm' || g, 'Running', 'User', '2025-01-01', NULL FROM generate_series(1, 4) g;
INSERT INTO addr.nics SELECT g, '00000000-0000-4000-8000-00000000002' || g, g, 1, 'Reserved', '02:00:00:00:00:0' || g, '10.0.0.' || g, '2025-01-01', NULL FROM generate_series(1, 4) g;
INSERT INTO addr.nic_secondary_ips SELECT g, '00000000-0000-4000-8000-00000000003' || g, g, '10.0.0.10' || g, 'fd00::10' || g, 1, '2025-02-02' FROM generate_series(1, 4) g;
CALL vmnet.import_cloudstack('addr', 'a');
CREATE FUNCTION addr.t(timestamptz) RETURNS text LANGUAGE sql AS $$ SELECT coalesce((SELECT 'run ' || run FROM a.import_runs WHERE started = $1), to_char($1, 'YYYY-MM-DD')) $$;
CREATE VIEW addr.holders AS
SELECT h.ip4_address, h.nic_id, h.instance_name, h.network_id, h.mac_address, addr.t(h.held_from) AS held_from, addr.t(h.held_to) AS held_to
FROM vmnet.ip_holders('10.0.0.0/24', inventory => 'a') h WHERE kind = 'secondary' ORDER BY h.ip4_address, h.held_from;
TABLE addr.holders;

-- Run 2: one vanishes, one with its NIC, one is changed, one goes to another NIC
CREATE TABLE addr.away AS SELECT * FROM addr.nic_secondary_ips WHERE id IN (1, 2);
CREATE TABLE addr.nic_away AS SELECT * FROM addr.nics WHERE id = 2;
DELETE FROM addr.nic_secondary_ips WHERE id IN (1, 2);
DELETE FROM addr.nics WHERE id = 2;
UPDATE addr.nic_secondary_ips SET ip4_address = '10.0.0.113' WHERE id = 3;
UPDATE addr.nic_secondary_ips SET "nicId" = 3 WHERE id = 4;
CALL vmnet.import_cloudstack('addr', 'a');
TABLE addr.holders;
-- Run 3: nothing changes
CALL vmnet.import_cloudstack('addr', 'a');
-- Run 4: the first two are back, as they were
INSERT INTO addr.nics SELECT * FROM addr.nic_away;
INSERT INTO addr.nic_secondary_ips SELECT * FROM addr.away;
CALL vmnet.import_cloudstack('addr', 'a');
TABLE addr.holders;
SELECT id, removed FROM a.all_nic_secondary_ips ORDER BY id;
SELECT relation, id, uuid, network_id, created, addr.t(removed) AS removed, addr.t(until) AS until, reused FROM a.former_rows WHERE relation = 'nic_secondary_ips' ORDER BY entry;
-- who had it at the time of each run: the gap is one
SELECT r.run, h.nic_id, h.instance_name FROM a.import_runs r LEFT JOIN LATERAL vmnet.ip_holders('10.0.0.101', r.started, r.started, 'a') h ON true ORDER BY 1;
SELECT r.run, h.nic_id, h.instance_name FROM a.import_runs r LEFT JOIN LATERAL vmnet.ip_holders('fd00::102', r.started, r.started, 'a') h ON true ORDER BY 1;
SELECT kind, secondary_ip_id, ip4_address, addr.t(i.from) AS "from", addr.t(i.to) AS "to" FROM a.nic_address_intervals i WHERE nic_id = 1 ORDER BY kind, i.from;
-- Run 5: nothing changes: nothing is written
CALL vmnet.import_cloudstack('addr', 'a');
SELECT rows_inserted, rows_updated, rows_deleted FROM a.import_runs ORDER BY run DESC LIMIT 1;
SELECT count(*) FROM a.former_rows WHERE run = 5;
-- Run 6: it vanishes once more, and is changed since it was changed; run 7: it is back with another address
DELETE FROM addr.nic_secondary_ips WHERE id = 1;
UPDATE addr.nic_secondary_ips SET ip4_address = '10.0.0.123' WHERE id = 3;
CALL vmnet.import_cloudstack('addr', 'a');
INSERT INTO addr.nic_secondary_ips (id, uuid, "nicId", ip4_address, network_id, created) SELECT id, uuid, "nicId", '10.0.0.111', network_id, created FROM addr.away WHERE id = 1;
CALL vmnet.import_cloudstack('addr', 'a');
SELECT * FROM addr.holders WHERE nic_id IN (1, 3);
-- Run 8: the ids are those of other addresses; a time and a uuid tell
UPDATE addr.nic_secondary_ips SET created = '2025-06-06', ip4_address = '10.0.0.141', uuid = NULL WHERE id = 1;
UPDATE addr.nic_secondary_ips SET uuid = '00000000-0000-4000-8000-0000000000f3', ip4_address = '10.0.0.143' WHERE id = 3;
CALL vmnet.import_cloudstack('addr', 'a');
SELECT * FROM addr.holders WHERE nic_id IN (1, 3);
SELECT "table", id, "column", original, action, reason FROM a.import_log WHERE action = 'reused' ORDER BY entry;
SELECT code, object_type, object_id, message FROM vmnet.check_inventory('a', '0') WHERE severity <> 'info' AND code <> 'default_nic_missing';
-- the NIC's own addresses are what they were
SELECT nic_id, ip4_address, addr.t(held_from) AS held_from, addr.t(held_to) AS held_to FROM vmnet.ip_holders('10.0.0.0/29', inventory => 'a') h WHERE kind = 'nic' ORDER BY nic_id, h.held_from;
SELECT nic_id, ip4_address, ip6_address, addr.t(held_from) AS held_from, addr.t(held_to) AS held_to FROM vmnet.mac_holders('02:00:00:00:00:02', inventory => 'a') h ORDER BY h.held_from;

-- A mirror that becomes managed remembers
CREATE TABLE addr.before AS SELECT i.nic_id, i.ip4_address, i.from, i.to, i.kind, i.secondary_ip_id FROM a.nic_address_intervals i;
BEGIN;
UPDATE addr.nics SET state = 'Reserved';
ALTER TABLE addr.networks ADD traffic_type text DEFAULT 'Guest';
ALTER TABLE addr.nics ADD strategy text DEFAULT 'Start', ADD vm_type text DEFAULT 'User', ADD default_nic int DEFAULT 1;
CALL vmnet.import_cloudstack('addr', 'a');
SELECT vmnet.manage_inventory('a');
SELECT count(*) AS differences FROM (SELECT i.nic_id, i.ip4_address, i.from, i.to, i.kind, i.secondary_ip_id FROM a.nic_address_intervals i EXCEPT TABLE addr.before) d;
UPDATE a.nic_secondary_ips SET ip4_address = '10.0.0.150' WHERE id = 4;
SELECT h.ip4_address, h.nic_id, h.held_to IS NULL AS still FROM vmnet.ip_holders('10.0.0.0/24', inventory => 'a') h WHERE h.kind = 'secondary' AND h.nic_id IN (3, 4) ORDER BY h.ip4_address, h.held_from;
ROLLBACK;

-- Purge: of what the source has no more nothing is left, of what it has the present
DELETE FROM addr.nic_secondary_ips WHERE id IN (1, 3);
CALL vmnet.import_cloudstack('addr', 'a');
SELECT (SELECT count(*) FROM a.nic_address_history WHERE secondary_ip_id IS NOT NULL) AS history, (SELECT count(*) FROM a.former_nic_addresses WHERE secondary_ip_id IS NOT NULL) AS former;
CALL vmnet.purge_inventory('a', clock_timestamp());
SELECT (SELECT count(*) FROM a.nic_address_history WHERE secondary_ip_id IS NOT NULL) AS history, (SELECT count(*) FROM a.former_nic_addresses) AS former, (SELECT count(*) FROM a.former_rows) AS former_rows, (SELECT count(*) FROM a.import_vanished) AS vanished;
SELECT ip4_address, nic_id, held_to FROM addr.holders;
-- With the source: on_vanish delete
UPDATE addr.nic_secondary_ips SET ip4_address = '10.0.0.124' WHERE id = 4;
CALL vmnet.import_cloudstack('addr', 'a');
SELECT count(*) FROM a.nic_address_history WHERE secondary_ip_id = 4;
DELETE FROM addr.nic_secondary_ips WHERE id = 4;
CALL vmnet.import_cloudstack('addr', 'a', on_vanish => 'delete');
SELECT (SELECT count(*) FROM a.nic_address_history) AS history, (SELECT count(*) FROM a.all_nic_secondary_ips WHERE id = 4) AS rows;
SELECT ip4_address, nic_id, held_to FROM addr.holders;

DROP SCHEMA a, addr CASCADE;
