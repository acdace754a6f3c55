-- Reads over the life of a session: what is committed between two calls, who
-- calls, and cursors that outlive their transaction.
SET client_min_messages = warning;
SELECT vmnet.create_inventory('cloud');
INSERT INTO cloud.networks (id, uuid, name) VALUES (1, '00000000-0000-0000-0000-000000000001', 'n1'), (2, '00000000-0000-0000-0000-000000000002', 'n2');
INSERT INTO cloud.instances (id, uuid, name) VALUES (1, '00000000-0000-0000-0000-00000000000a', 'vm1'), (2, '00000000-0000-0000-0000-00000000000b', 'vm2'), (3, '00000000-0000-0000-0000-00000000000c', 'vm3');
INSERT INTO cloud.nics (id, network_id, instance_id) VALUES (1, 1, 1), (2, 1, 2), (3, 1, 3), (4, 2, 1);

-- A cursor WITH HOLD keeps what it saw, though the rows, and in the end the
-- inventory, are gone.
BEGIN;
DECLARE kept SCROLL CURSOR WITH HOLD FOR SELECT instance_id, instance_name, nic_count, ip4_address FROM vmnet.network_active_instances(1);
FETCH 1 FROM kept;
DELETE FROM cloud.nics WHERE id IN (2, 3);
COMMIT;
DELETE FROM cloud.nics WHERE id = 1;
SELECT instance_id FROM vmnet.network_active_instances(1);
FETCH ALL FROM kept;

-- Prepared statements, through all that happens to what they read.
PREPARE listing (bigint) AS SELECT instance_id, instance_name FROM vmnet.network_active_instances($1);
PREPARE counted (bigint) AS SELECT vmnet.network_active_instance_count($1), vmnet.network_in_use($1);
EXECUTE listing(2);
EXECUTE counted(2);
ALTER TABLE cloud.all_instances ADD COLUMN owner text DEFAULT 'somebody';
EXECUTE listing(2);
ALTER TABLE cloud.all_instances DROP COLUMN owner;
VACUUM FULL cloud.all_instances;
REINDEX SCHEMA cloud;
EXECUTE listing(2);
DISCARD PLANS;
EXECUTE counted(2);
ALTER SCHEMA cloud RENAME TO "Cloud 2";
EXECUTE listing(2);
SET vmnet.inventory = 'Cloud 2';
EXECUTE listing(2);
RESET vmnet.inventory;
SELECT vmnet.create_inventory('cloud');
EXECUTE listing(2);
EXECUTE counted(2);
DROP SCHEMA cloud CASCADE;
EXECUTE listing(2);
ALTER SCHEMA "Cloud 2" RENAME TO cloud;
EXECUTE listing(2);
EXECUTE counted(2);

-- DROP EXTENSION is refused while an inventory stands, and changes nothing.
\set VERBOSITY terse
DROP EXTENSION vmnet_ext;
EXECUTE listing(2);
DROP SCHEMA cloud CASCADE;
DROP EXTENSION vmnet_ext;
FETCH ABSOLUTE 1 FROM kept;
EXECUTE listing(2);
-- Without the library's functions the setting is only a name.
SHOW vmnet.inventory;
CREATE EXTENSION vmnet_ext;
SELECT vmnet.create_inventory('cloud');
EXECUTE listing(2);
INSERT INTO cloud.networks (id) VALUES (2);
INSERT INTO cloud.instances (id, name) VALUES (9, 'vm9');
INSERT INTO cloud.nics (network_id, instance_id) VALUES (2, 9);
EXECUTE listing(2);
EXECUTE counted(2);
UPDATE cloud.networks SET removed = now() WHERE id = 2;
DISCARD ALL;
SELECT instance_id, instance_name FROM vmnet.network_active_instances(2);

-- Two tenants and the owner share a session, as behind a pooler: each sees
-- its own rows, through every read and every view, in turn.
SET client_min_messages = warning;
CREATE ROLE regress_vmnet_red;
CREATE ROLE regress_vmnet_blue;
GRANT USAGE ON SCHEMA cloud TO regress_vmnet_red, regress_vmnet_blue;
GRANT SELECT ON ALL TABLES IN SCHEMA cloud TO regress_vmnet_red, regress_vmnet_blue;
ALTER TABLE cloud.all_nics ADD COLUMN tenant name;
INSERT INTO cloud.networks (id, uuid, vpc_id, account_name) VALUES (3, '00000000-0000-0000-0000-000000000003', 7, 'shared'), (4, '00000000-0000-0000-0000-000000000004', 7, 'regress_vmnet_blue');
INSERT INTO cloud.instances (id, uuid, name, state, account_name) VALUES (11, '00000000-0000-0000-0000-000000000011', 'red1', 'Running', 'regress_vmnet_red'),
	(12, '00000000-0000-0000-0000-000000000012', 'blue1', 'Running', 'regress_vmnet_blue'), (13, '00000000-0000-0000-0000-000000000013', 'blue2', 'Stopped', 'regress_vmnet_blue');
INSERT INTO cloud.all_nics (id, network_id, instance_id, tenant) VALUES (11, 3, 11, 'regress_vmnet_red'), (12, 3, 12, 'regress_vmnet_blue'),
	(13, 3, 13, 'regress_vmnet_blue'), (14, 4, 12, 'regress_vmnet_blue');
ALTER TABLE cloud.all_networks ENABLE ROW LEVEL SECURITY;
ALTER TABLE cloud.all_instances ENABLE ROW LEVEL SECURITY;
ALTER TABLE cloud.all_nics ENABLE ROW LEVEL SECURITY;
CREATE POLICY tenant ON cloud.all_networks USING (account_name IN (current_user, 'shared'));
CREATE POLICY tenant ON cloud.all_instances USING (account_name = current_user);
CREATE POLICY tenant ON cloud.all_nics USING (tenant = current_user);
CREATE VIEW everything WITH (security_invoker = true) AS
SELECT coalesce(substring(current_user FROM 'regress_vmnet_(.*)'), 'owner') AS who,
	(SELECT string_agg(instance_name, ',') FROM vmnet.network_active_instances(3)) AS instances,
	(SELECT string_agg(instance_name, ',') FROM vmnet.network_active_instances(3, NULL, 1)) AS page,
	(SELECT string_agg(nic_id::text, ',') FROM vmnet.network_active_nics(3)) AS nics,
	(SELECT string_agg(network_id::text, ',') FROM vmnet.instance_active_networks(12)) AS of_12,
	(SELECT string_agg(instance_name || ':' || network_count, ',') FROM vmnet.vpc_active_instances(7)) AS vpc,
	vmnet.network_active_instance_count(3) AS n, vmnet.network_in_use(4) AS in_use_4,
	vmnet.network_id('00000000-0000-0000-0000-000000000004') AS id_4, vmnet.instance_id('00000000-0000-0000-0000-000000000011') AS id_11,
	(SELECT string_agg(instance_name || ':' || network_id, ',' ORDER BY instance_id, network_id) FROM cloud.network_instances WHERE network_id > 2) AS twin,
	(SELECT string_agg(network_id || ':' || attached_nics, ',' ORDER BY network_id) FROM cloud.network_counts WHERE network_id > 2) AS counts;
GRANT SELECT ON everything TO PUBLIC;
PREPARE everything AS TABLE everything;
\x on
SET ROLE regress_vmnet_red;
EXECUTE everything;
SET ROLE regress_vmnet_blue;
EXECUTE everything;
RESET ROLE;
EXECUTE everything;
SET SESSION AUTHORIZATION regress_vmnet_red;
EXECUTE everything;
SET SESSION AUTHORIZATION regress_vmnet_blue;
EXECUTE everything;
RESET SESSION AUTHORIZATION;
\x off
-- Row-level security hides no blocker from a guard: blue cannot see red's NIC.
GRANT UPDATE ON cloud.networks, cloud.all_networks TO regress_vmnet_blue;
GRANT UPDATE ON cloud.nics, cloud.all_nics TO regress_vmnet_blue;
SET ROLE regress_vmnet_blue;
UPDATE cloud.nics SET state = 'Deallocating';
UPDATE cloud.all_nics SET removed = now() WHERE state = 'Deallocating';
SELECT vmnet.network_active_instance_count(3), vmnet.network_in_use(3);
UPDATE cloud.networks SET removed = now() WHERE id = 3;
RESET ROLE;
SELECT vmnet.network_in_use(3);

DROP VIEW everything;
DROP SCHEMA cloud CASCADE;
DROP ROLE regress_vmnet_red, regress_vmnet_blue;
