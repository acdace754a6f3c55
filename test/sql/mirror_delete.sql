-- A mirror whose rows are deleted with those of its source (on_vanish => 'delete'):
-- of an object that is no more nothing is told, least of all as the past of another
-- one that has its id now.  And ids of NICs of which only history is left.
\set SHOW_CONTEXT never
SET client_min_messages = warning;
SET TimeZone = 'UTC';
CREATE SCHEMA deleting;
CREATE TABLE deleting.networks (id bigint, uuid text, name text, state text, created timestamp, removed timestamp);
CREATE TABLE deleting.vm_instance (id bigint, uuid text, name text, state text, type text, created timestamp, removed timestamp);
CREATE TABLE deleting.nics (id bigint, uuid text, instance_id bigint, network_id bigint, state text, mac_address text, ip4_address text, created timestamp, removed timestamp);
INSERT INTO deleting.networks SELECT g, NULL, 'net' || g, 'Implemented', '2025-01-01' FROM generate_series(1, 4) g;
INSERT INTO deleting.vm_instance SELECT g, NULL, 'vm' || g, 'Running', 'User', '2025-01-01' FROM generate_series(1, 4) g;
INSERT INTO deleting.nics SELECT g, '00000000-0000-4000-8000-00000000000' || g, g, 1, 'Reserved', '02:00:00:00:00:0' || g, '10.0.0.' || g, '2025-01-01' FROM generate_series(1, 4) g;
CALL vmnet.import_cloudstack('deleting', 'm');
CREATE FUNCTION deleting.utc() RETURNS timestamp LANGUAGE sql AS $$ SELECT clock_timestamp() AT TIME ZONE 'UTC' $$;
-- 'created': when the row of now was; 'then': before that, and not in 2025
CREATE FUNCTION deleting.t(id bigint, at timestamptz) RETURNS text LANGUAGE sql AS $$
	SELECT CASE WHEN at = n.created THEN 'created' WHEN at < '2026-01-01' THEN to_char(at, 'YYYY') WHEN at < n.created THEN 'then' WHEN at IS NOT NULL THEN 'since' END FROM m.all_nics n WHERE n.id = $1 $$;
CREATE FUNCTION deleting.intervals(OUT nic_id bigint, OUT network_id bigint, OUT instance_id bigint, OUT "from" text, OUT "to" text) RETURNS SETOF record LANGUAGE sql AS $$ SELECT nic_id, network_id, instance_id, deleting.t(nic_id, i.from) AS "from", deleting.t(nic_id, i.to) AS "to" FROM m.nic_intervals i $$;
CREATE FUNCTION deleting.addresses(OUT nic_id bigint, OUT ip4_address inet, OUT "from" text, OUT "to" text) RETURNS SETOF record LANGUAGE sql AS $$ SELECT nic_id, ip4_address, deleting.t(nic_id, i.from) AS "from", deleting.t(nic_id, i.to) AS "to" FROM m.nic_address_intervals i $$;

-- A NIC moves, is deleted, and its id is that of another one
UPDATE deleting.nics SET network_id = 2, ip4_address = '10.0.2.1' WHERE id = 1;
CALL vmnet.import_cloudstack('deleting', 'm');
DELETE FROM deleting.nics WHERE id = 1;
CALL vmnet.import_cloudstack('deleting', 'm', on_vanish => 'delete');
SELECT count(*) FROM m.nic_intervals WHERE nic_id = 1;
SELECT event, from_state, to_state, removed IS NOT NULL AS removed FROM m.nic_history WHERE nic_id = 1 ORDER BY seq;
INSERT INTO deleting.nics VALUES (1, NULL, 3, 3, 'Reserved', '02:00:00:00:00:99', '10.0.3.1', deleting.utc());
CALL vmnet.import_cloudstack('deleting', 'm', on_vanish => 'delete');
SELECT * FROM deleting.intervals() WHERE nic_id = 1;
SELECT * FROM deleting.addresses() WHERE nic_id = 1;
SELECT event, to_state, network_id, instance_id, removed FROM vmnet.nic_timeline(1, 'm');

-- Ids of a NIC, an instance and a network are those of others between two polls
UPDATE deleting.nics SET created = deleting.utc(), ip4_address = '10.0.0.77' WHERE id = 2;
UPDATE deleting.vm_instance SET created = deleting.utc(), name = 'another vm3' WHERE id = 3;
UPDATE deleting.networks SET created = deleting.utc(), name = 'another net4' WHERE id = 4;
UPDATE deleting.nics SET network_id = 4 WHERE id = 4;
CALL vmnet.import_cloudstack('deleting', 'm', on_vanish => 'delete');
SELECT * FROM deleting.intervals() ORDER BY 1, 4, 5;
SELECT * FROM deleting.addresses() ORDER BY 1, 3, 4;
SELECT nic_id, instance_name, network_name, ip4_address FROM vmnet.ip_holders('10.0.0.0/16', inventory => 'm') ORDER BY nic_id, held_from;
SELECT network_id, instance_name FROM generate_series(1, 4) w, vmnet.network_instances_as_of(w, '2025-06-01', 'm') a (instance_id, instance_uuid, instance_name), LATERAL (SELECT w) n (network_id) ORDER BY 1, 2;
SELECT relation, id, reused FROM m.former_rows ORDER BY entry;
SELECT code, object_type, object_id FROM vmnet.check_inventory('m') WHERE code IN ('id_reused', 'history_chain_broken');

-- The same where rows are kept: the former one stays
DROP SCHEMA m CASCADE;
CALL vmnet.import_cloudstack('deleting', 'm');
UPDATE deleting.nics SET network_id = 3 WHERE id = 2;
CALL vmnet.import_cloudstack('deleting', 'm');
UPDATE deleting.nics SET network_id = 2 WHERE id = 2;
CALL vmnet.import_cloudstack('deleting', 'm');
DELETE FROM deleting.nics WHERE id IN (1, 2, 3);
CALL vmnet.import_cloudstack('deleting', 'm');
-- a row that the source has no more has no uuid to be given, nor one that lost it to another
INSERT INTO deleting.nics VALUES (9, '00000000-0000-4000-8000-000000000003', 1, 1, 'Reserved', NULL, NULL, deleting.utc());
CALL vmnet.import_cloudstack('deleting', 'm');
SELECT id FROM m.all_nics WHERE uuid IS NULL ORDER BY id;
SELECT object_id FROM vmnet.check_inventory('m') WHERE code = 'missing_uuid' AND object_type = 'nic';
UPDATE deleting.nics SET uuid = NULL WHERE id = 4;
CALL vmnet.import_cloudstack('deleting', 'm');
SELECT object_id FROM vmnet.check_inventory('m') WHERE code = 'missing_uuid' AND object_type = 'nic';
-- After a purge that leaves history, the id is used again
CALL vmnet.purge_inventory('m', clock_timestamp());
SELECT count(*) FROM m.nic_history WHERE nic_id = 2;
INSERT INTO deleting.nics VALUES (2, NULL, 1, 1, 'Reserved', '02:00:00:00:00:22', '10.0.0.22', deleting.utc());
CALL vmnet.import_cloudstack('deleting', 'm');
SELECT * FROM deleting.intervals() WHERE nic_id = 2;
SELECT * FROM deleting.addresses() WHERE nic_id = 2;
SELECT event, from_state, to_state, network_id, instance_id, deleting.t(2, at) AS at FROM vmnet.nic_timeline(2, 'm');
SELECT code, object_type, object_id FROM vmnet.check_inventory('m') WHERE code IN ('id_reused', 'history_chain_broken');
DROP SCHEMA m, deleting CASCADE;
