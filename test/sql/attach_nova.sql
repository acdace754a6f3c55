-- Tables shaped as OpenStack Nova has them: "deleted" is 0 or the row's own
-- id, deleted_at a time without zone, ids are int, an instance is referred to
-- by its uuid, and no foreign key leads to the networks.
SET timezone = 'UTC';
\set SHOW_CONTEXT never
CREATE SCHEMA nova;
CREATE TABLE nova.networks (
	id serial PRIMARY KEY, created_at timestamp, deleted_at timestamp, deleted int DEFAULT 0,
	label varchar(255), cidr inet, uuid varchar(36), project_id varchar(255));
CREATE TABLE nova.instances (
	id serial PRIMARY KEY, created_at timestamp, updated_at timestamp, deleted_at timestamp, deleted int DEFAULT 0,
	display_name varchar(255), hostname varchar(255), vm_state varchar(255), uuid varchar(36) NOT NULL UNIQUE);
CREATE TABLE nova.virtual_interfaces (
	id serial PRIMARY KEY, created_at timestamp, deleted_at timestamp, deleted int DEFAULT 0,
	address varchar(255), network_id int, instance_uuid varchar(36) REFERENCES nova.instances (uuid),
	uuid varchar(36), tag varchar(255), UNIQUE (address, deleted));

INSERT INTO nova.networks (created_at, deleted_at, deleted, label, cidr, uuid) VALUES
	('2024-01-01', NULL, 0, 'blue', '10.0.0.0/24', '00000000-0000-0000-0000-0000000000a1'),
	('2024-01-01', NULL, 0, 'red', '10.0.1.0/24', 'not a uuid'),
	('2024-01-01', '2024-02-01', 3, 'gone', NULL, NULL);
INSERT INTO nova.instances (created_at, deleted_at, deleted, display_name, vm_state, uuid) VALUES
	('2024-01-02', NULL, 0, 'web', 'active', '00000000-0000-0000-0000-0000000000b1'),
	('2024-01-02', NULL, 0, 'db', 'stopped', '00000000-0000-0000-0000-0000000000b2'),
	('2024-01-02', '2024-03-01', 3, 'old', 'deleted', '00000000-0000-0000-0000-0000000000b3');
-- of web: one live, one that was removed and came back; of db: only a removed
-- one; of old, which is gone: one that was forgotten
INSERT INTO nova.virtual_interfaces (created_at, deleted_at, deleted, address, network_id, instance_uuid) VALUES
	('2024-01-03', '2024-01-10', 1, 'fa:16:3e:00:00:01', 1, '00000000-0000-0000-0000-0000000000b1'),
	('2024-01-11', NULL, 0, 'fa:16:3e:00:00:01', 1, '00000000-0000-0000-0000-0000000000b1'),
	('2024-01-03', '2024-01-20', 3, 'fa:16:3e:00:00:03/0b2a', 1, '00000000-0000-0000-0000-0000000000b2'),
	('2024-01-03', NULL, 0, 'fa:16:3e:00:00:04', 2, '00000000-0000-0000-0000-0000000000b3');

\x
SELECT finding, rule, message, statement FROM vmnet.attach_inventory('nova_net', 'nova.virtual_interfaces', 'nova.networks', 'nova.instances', '{
	"nics": {"instance_id": "instance_uuid", "mac_address": "address", "created": "created_at",
		"removed": {"column": "deleted", "removed_when": "not_zero", "time": "deleted_at"}},
	"networks": {"name": "label", "created": "created_at", "removed": {"column": "deleted", "removed_when": "not_zero", "time": "deleted_at"}},
	"instances": {"name": "display_name", "state": "vm_state", "created": "created_at",
		"removed": {"column": "deleted", "removed_when": "not_zero", "time": "deleted_at"}}}');
\x
-- with the index that it asked for, it finds the NICs of a network
CREATE INDEX vif_net ON nova.virtual_interfaces ((network_id::bigint), instance_uuid) WHERE (deleted = 0 OR deleted IS NULL);
SELECT usable FROM vmnet_internal.attached_index('nova_net', 'true', 'network');
SELECT name, kind, mode FROM vmnet.inventories;
SELECT id, instance_id, network_id, state, mac_address, created, removed, active FROM nova_net.all_nics ORDER BY id;
SELECT id, uuid, name, cidr, removed, active FROM nova_net.all_networks ORDER BY id;
SELECT network_id, instance_id, instance_name, nic_count, nic_id FROM nova_net.network_instances ORDER BY 1, 2;
SELECT network_id, attached_nics, active_instances, other_states FROM nova_net.network_counts ORDER BY 1;
SELECT instance_id, instance_name, nic_id, mac_address FROM vmnet.network_active_instances(1, inventory => 'nova_net');
SELECT n, vmnet.network_active_instance_count(n, inventory => 'nova_net'), vmnet.network_in_use(n, inventory => 'nova_net') FROM generate_series(1, 3) n;
-- from their times: web left and came back, db was there until the 20th
SELECT d, array_agg(a.instance_id ORDER BY a.instance_id)
FROM unnest('{2024-01-05, 2024-01-10 12:00, 2024-01-12, 2024-02-01}'::timestamptz[]) d
	LEFT JOIN LATERAL vmnet.network_instances_as_of(1, d, inventory => 'nova_net') a ON true
GROUP BY d ORDER BY d;

-- warnings, with what an error would say
UPDATE nova.networks SET deleted = id, deleted_at = '2024-05-01' WHERE id = 1;
INSERT INTO nova.virtual_interfaces (address, network_id, instance_uuid) VALUES ('fa:16:3e:00:00:05', 3, '00000000-0000-0000-0000-0000000000b1');
INSERT INTO nova.virtual_interfaces (address, network_id, instance_uuid) VALUES ('fa:16:3e:00:00:06', 9, '00000000-0000-0000-0000-0000000000b3');
UPDATE nova.virtual_interfaces SET deleted = 0, deleted_at = NULL WHERE id = 3;
UPDATE nova.networks SET deleted = 0, deleted_at = NULL WHERE id = 1;
DELETE FROM nova.virtual_interfaces WHERE id > 4;
UPDATE nova.virtual_interfaces SET deleted = id, deleted_at = '2024-05-01' WHERE id = 3;

-- enforce is refused while something is wrong already
SELECT vmnet.set_inventory_mode('nova_net', 'enforce');
UPDATE nova.virtual_interfaces SET deleted = id, deleted_at = '2024-05-01' WHERE id = 4;
SELECT vmnet.set_inventory_mode('nova_net', 'enforce');
UPDATE nova.networks SET deleted = id WHERE id = 1;
UPDATE nova.instances SET deleted = id WHERE id = 1;
DELETE FROM nova.virtual_interfaces WHERE id = 2;
DELETE FROM nova.instances WHERE id = 1;
TRUNCATE nova.virtual_interfaces;
INSERT INTO nova.virtual_interfaces (address, network_id, instance_uuid) VALUES ('fa:16:3e:00:00:05', 3, '00000000-0000-0000-0000-0000000000b1');
INSERT INTO nova.virtual_interfaces (address, network_id, instance_uuid) VALUES ('fa:16:3e:00:00:05', 1, '00000000-0000-0000-0000-0000000000b3');
UPDATE nova.virtual_interfaces SET deleted = 0 WHERE id = 3;
-- what is removed may be purged, as "nova-manage db archive_deleted_rows" does
DELETE FROM nova.virtual_interfaces WHERE deleted <> 0 AND id = 3;
-- the proper way
UPDATE nova.virtual_interfaces SET deleted = id, deleted_at = '2024-06-01' WHERE id = 2;
UPDATE nova.networks SET deleted = id, deleted_at = '2024-06-02' WHERE id = 1;
SELECT nic_id, network_id, instance_id, from_state, to_state, event, removed FROM nova_net.nic_history ORDER BY seq;

-- the views are for reading
INSERT INTO nova_net.nics (id) VALUES (1);
DELETE FROM nova_net.all_nics;

SELECT vmnet.set_inventory_mode('nova_net', 'read_only');
SELECT tgname FROM pg_trigger WHERE tgrelid = 'nova.virtual_interfaces'::regclass AND NOT tgisinternal;
SELECT vmnet.detach_inventory('nova_net');
SELECT vmnet.detach_inventory('nova_net');
DROP SCHEMA nova CASCADE;
