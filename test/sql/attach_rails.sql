-- Tables shaped as a Rails application with the gem discard has them: discarded_at,
-- a status that is a string, timestamps without zone, addresses as strings.
SET timezone = 'America/Sao_Paulo';
\set SHOW_CONTEXT never
CREATE SCHEMA rails;
CREATE TABLE rails.networks (id bigserial PRIMARY KEY, name varchar, cidr varchar, discarded_at timestamp(6), created_at timestamp(6) NOT NULL DEFAULT '2024-01-01', updated_at timestamp(6) NOT NULL DEFAULT '2024-01-01');
CREATE TABLE rails.servers (id bigserial PRIMARY KEY, name varchar, status varchar NOT NULL DEFAULT 'running', discarded_at timestamp(6), created_at timestamp(6) NOT NULL DEFAULT '2024-01-01');
CREATE TABLE rails.ports (
	id bigserial PRIMARY KEY, network_id bigint NOT NULL REFERENCES rails.networks, server_id bigint REFERENCES rails.servers,
	status varchar NOT NULL DEFAULT 'pending', mac varchar, ip varchar, device_id int, discarded_at timestamp(6),
	created_at timestamp(6) NOT NULL DEFAULT '2024-01-02', status_at timestamp(6) NOT NULL DEFAULT '2024-01-02');
CREATE INDEX index_ports_on_network_id ON rails.ports (network_id);
INSERT INTO rails.networks (name, cidr) VALUES ('a', '10.1.0.0/16'), ('b', 'none');
INSERT INTO rails.servers (name) VALUES ('s1'), ('s2');
INSERT INTO rails.ports (network_id, server_id, status, mac, ip, device_id, discarded_at) VALUES
	(1, 1, 'up', '52-54-00-00-00-01', '10.1.0.1', 0, NULL),
	(1, 1, 'up', '52:54:00:00:00:02', '10.1.0.256', 1, NULL),
	(1, 2, 'deleting', '52:54:00:00:00:03', '2001:db8::1', 0, NULL),
	(1, 2, 'up', 'xx', '1:2:3:4:5:6:7:8::', 1, '2024-03-01 12:00'),
	(1, NULL, 'pending', NULL, '', NULL, NULL);

SELECT finding, message, statement FROM vmnet.attach_inventory('rails_net', 'rails.ports', 'rails.networks', 'rails.servers', '{
	"nics": {"instance_id": "server_id", "state": "status", "mac_address": "mac", "ip4_address": "ip", "removed": "discarded_at", "created": "created_at", "state_changed": "status_at"},
	"networks": {"removed": "discarded_at", "created": "created_at"},
	"instances": {"state": "status", "removed": "discarded_at", "created": "created_at"},
	"states": {"pending": "Allocated", "plugging": "Reserving", "up": "Reserved", "unplugging": "Releasing", "deleting": "Deallocating"}}', 'enforce');
SELECT id, state, mac_address, ip4_address, ip6_address, created, removed, active, ended FROM rails_net.all_nics ORDER BY id;
SELECT id, cidr FROM rails_net.networks ORDER BY id;
SELECT network_id, attached_nics, active_instances, allocated, reserved, deallocating, other_states, used_ip4 FROM rails_net.network_counts ORDER BY 1;
SELECT instance_id, nic_count, nic_id, nic_state, device_id FROM vmnet.network_active_instances(1, inventory => 'rails_net');
SELECT code, object_type, object_id, message, fix FROM vmnet.check_inventory('rails_net', '0');

-- the state machine, in their words
INSERT INTO rails.ports (network_id, server_id, status) VALUES (1, 1, 'plugging');
INSERT INTO rails.ports (network_id, server_id, status) VALUES (1, 1, 'deleting');
UPDATE rails.ports SET status = 'unplugging' WHERE id = 5;
UPDATE rails.ports SET status = 'up' WHERE id = 3;
UPDATE rails.ports SET status = 'strange' WHERE id = 3;
-- a status that means none of the five is not judged, but still on its network
UPDATE rails.ports SET status = 'strange' WHERE id = 1;
SELECT nic_id, nic_state FROM vmnet.network_active_nics(1, inventory => 'rails_net') WHERE nic_id = 1;
UPDATE rails.ports SET status = 'up' WHERE id = 1;
UPDATE rails.ports SET status = 'unplugging' WHERE id = 1;
UPDATE rails.ports SET status = 'pending' WHERE id = 1;
UPDATE rails.ports SET ip = '10.1.0.7' WHERE id = 1;
UPDATE rails.ports SET network_id = 2 WHERE id = 1;
UPDATE rails.networks SET discarded_at = '2024-06-01' WHERE id = 1;
UPDATE rails.servers SET discarded_at = '2024-06-01' WHERE id = 2;
UPDATE rails.ports SET discarded_at = '2024-05-01' WHERE id = 3;
UPDATE rails.servers SET discarded_at = '2024-06-01' WHERE id = 2;
UPDATE rails.servers SET discarded_at = NULL WHERE id = 2;
INSERT INTO rails.ports (network_id, server_id) VALUES (2, 2);
UPDATE rails.ports SET discarded_at = '2024-07-01' WHERE id = 4;
SELECT nic_id, network_id, instance_id, from_state, to_state, event, removed FROM rails_net.nic_history ORDER BY seq;
SELECT nic_id, ip4_address FROM rails_net.nic_address_history ORDER BY entry;
SELECT event, from_state, to_state FROM vmnet.nic_timeline(1, inventory => 'rails_net');
SELECT rule, verdict FROM vmnet.nic_explain(3, 'rails_net');
SELECT nic_id FROM vmnet.network_blockers(1, 'rails_net');

-- what is undone leaves nothing
BEGIN;
SAVEPOINT s;
UPDATE rails.ports SET status = 'plugging' WHERE id = 1;
ROLLBACK TO s;
COMMIT;
SELECT count(*) FROM rails_net.nic_history;
-- a renamed column is followed
ALTER TABLE rails.ports RENAME COLUMN status TO phase;
UPDATE rails.ports SET phase = 'up' WHERE id = 1;
UPDATE rails.ports SET phase = 'unplugging' WHERE id = 5;
-- the guards of a renamed inventory go with it
ALTER SCHEMA rails_net RENAME TO "Rails net";
UPDATE rails.ports SET phase = 'plugging' WHERE id = 5;
ALTER SCHEMA "Rails net" RENAME TO rails_net;
SELECT vmnet.detach_inventory('rails_net');
\set VERBOSITY terse
DROP SCHEMA rails CASCADE;
