-- What cannot be attached is refused with all the reasons at once, and nothing
-- is left behind.
\set SHOW_CONTEXT never
CREATE SCHEMA theirs;
CREATE TABLE theirs.nets (id bigint PRIMARY KEY, code uuid, name text, removed text);
CREATE TABLE theirs.vms (id numeric PRIMARY KEY);
CREATE TABLE theirs.ports (id bigint PRIMARY KEY, net bigint, vm bigint, mac int, status text, gone text);
CREATE TYPE theirs.phase AS ENUM ('up');
CREATE TABLE theirs.phases (id bigint PRIMARY KEY, network_id bigint, instance_id bigint, state theirs.phase);
CREATE VIEW theirs.port_view AS SELECT id, net AS network_id, vm AS instance_id FROM theirs.ports;

SELECT * FROM vmnet.attach_inventory('x', NULL);
SELECT * FROM vmnet.attach_inventory(NULL, 'theirs.ports');
SELECT * FROM vmnet.attach_inventory('x', 'theirs.ports');
SELECT * FROM vmnet.attach_inventory('x', 'theirs.ports', mode => 'harsh');
SELECT * FROM vmnet.attach_inventory('x', 'theirs.ports', columns => '[]');
SELECT * FROM vmnet.attach_inventory('x', 'theirs.ports', columns => '{"nics": {"colour": "x"}, "disks": {}, "networks": "nets"}');
SELECT * FROM vmnet.attach_inventory('x', 'theirs.ports', 'theirs.nets', 'theirs.vms',
	'{"nics": {"network_id": "network", "instance_id": "vm", "mac_address": "mac", "state": "phase", "removed": {"column": "gone", "removed_when": "true"}}}');
SELECT * FROM vmnet.attach_inventory('x', 'theirs.ports', columns => '{"nics": {"network_id": "net", "instance_id": "vm", "removed": {"column": "gone", "removed_when": "never"}}}');
SELECT * FROM vmnet.attach_inventory('x', 'theirs.ports', 'theirs.nets', columns => '{"nics": {"network_id": "net", "instance_id": "vm"}, "networks": {"key": "code"}}');
SELECT * FROM vmnet.attach_inventory('x', 'theirs.phases', columns => '{"states": {"down": "Reserved", "up": "Ready"}}');
SELECT * FROM vmnet.attach_inventory('x', 'theirs.port_view');
SELECT * FROM vmnet.attach_inventory('theirs', 'theirs.phases');
-- an expression is no column, whatever it says
SELECT * FROM vmnet.attach_inventory('x', 'theirs.ports', columns => '{"nics": {"network_id": "net); DROP TABLE theirs.ports; --", "instance_id": "vm"}}');
SELECT count(*) FROM pg_namespace WHERE nspname = 'x';

-- a view can be read, without guards
SELECT * FROM vmnet.attach_inventory('x', 'theirs.port_view', mode => 'read_only');
SELECT name, kind, mode FROM vmnet.inventories;
SELECT vmnet.set_inventory_mode('x', 'warn');
SELECT vmnet.set_inventory_mode('x', 'harsh');
SELECT vmnet.set_inventory_mode('y', 'warn');
SELECT vmnet.create_inventory('own');
SELECT vmnet.set_inventory_mode('own', 'warn');
SELECT vmnet.detach_inventory('own');
-- what somebody built on it is in the way
CREATE VIEW theirs.report AS SELECT * FROM x.nics;
SELECT vmnet.detach_inventory('x');
DROP VIEW theirs.report;
SELECT vmnet.detach_inventory('x');

-- rights: guards need the owner, reading does not
CREATE ROLE attach_stranger;
SELECT format('GRANT CREATE ON DATABASE %I TO attach_stranger', current_database()) \gexec
GRANT USAGE ON SCHEMA theirs TO attach_stranger;
GRANT SELECT ON ALL TABLES IN SCHEMA theirs TO attach_stranger;
SET ROLE attach_stranger;
SELECT * FROM vmnet.attach_inventory('x', 'theirs.phases');
SELECT finding FROM vmnet.attach_inventory('x', 'theirs.phases', mode => 'read_only');
SELECT count(*) FROM x.nics;
SELECT vmnet.set_inventory_mode('x', 'enforce');
RESET ROLE;
-- a guard that says another inventory's name does not run what is not its own
CREATE TRIGGER g AFTER INSERT ON theirs.phases FOR EACH ROW EXECUTE FUNCTION vmnet_internal.attached_nic_guard('x', 'nics');
INSERT INTO theirs.phases VALUES (1, 1, 1, 'up');
DROP TRIGGER g ON theirs.phases;
CREATE TRIGGER g AFTER INSERT ON theirs.phases FOR EACH ROW EXECUTE FUNCTION vmnet_internal.attached_nic_guard();
INSERT INTO theirs.phases VALUES (1, 1, 1, 'up');
DROP TRIGGER g ON theirs.phases;
CREATE TRIGGER g BEFORE INSERT ON theirs.phases FOR EACH ROW EXECUTE FUNCTION vmnet_internal.attached_nic_guard('x', 'nics');
INSERT INTO theirs.phases VALUES (1, 1, 1, 'up');
CREATE TABLE theirs.other (id int);
CREATE TRIGGER g AFTER INSERT ON theirs.other FOR EACH ROW EXECUTE FUNCTION vmnet_internal.attached_nic_guard('x', 'nics');
INSERT INTO theirs.other VALUES (1);
-- where to write, and whether guards are there
CREATE TABLE theirs.plain (id bigint PRIMARY KEY, network_id bigint, instance_id bigint);
INSERT INTO theirs.plain VALUES (1, 1, 1);
SELECT FROM vmnet.attach_inventory('plain', 'theirs.plain', mode => 'read_only');
DELETE FROM plain.nics;
\set VERBOSITY terse
DROP SCHEMA plain CASCADE;
DROP SCHEMA theirs CASCADE;
DROP OWNED BY attach_stranger CASCADE;
DROP ROLE attach_stranger;
DROP SCHEMA own CASCADE;
