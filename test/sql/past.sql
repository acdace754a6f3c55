-- What an inventory remembers: history, as of, holders of addresses, stuck
-- NICs, explanations, the change feed; what people would type and see.
\set SHOW_CONTEXT never
SET client_min_messages = warning;
SET TimeZone = 'UTC';
SELECT vmnet.create_inventory('cloud');
INSERT INTO cloud.networks (id, name, created) VALUES (204, 'web', '2026-01-01'), (205, 'db', '2026-01-01');
INSERT INTO cloud.instances (id, name, created) VALUES (8, 'shop', '2026-01-01'), (9, 'mail', '2026-01-01'), (10, 'r-10-VM', '2026-01-01');
INSERT INTO cloud.nics (id, instance_id, network_id, created, mac_address, ip4_address, ip6_address, strategy, vm_type) VALUES
	(1, 8, 204, '2026-01-01', '02:00:00:00:00:01', '10.20.0.5', NULL, 'Start', 'User'),
	(2, 9, 204, '2026-01-02', '02:00:00:00:00:02', '10.20.0.6', 'fd00::6', 'Start', 'User'),
	(3, 8, 205, '2026-01-03', '02:00:00:00:00:03', '10.30.0.5', NULL, 'Start', 'User'),
	(4, NULL, 204, '2026-01-04', NULL, '10.20.0.1', NULL, 'PlaceHolder', 'DomainRouter');

--
-- History
--
SET vmnet.actor = 'alice';
SET vmnet.reason = 'ticket 7';
SET application_name = 'portal';
UPDATE cloud.nics SET state = 'Reserving' WHERE id IN (1, 2);
UPDATE cloud.nics SET state = 'Reserved' WHERE id = 1;
-- what changes no state is not recorded
UPDATE cloud.nics SET state = state, mtu = 9000;
RESET vmnet.actor;
RESET vmnet.reason;
-- what is undone is not
BEGIN;
UPDATE cloud.nics SET state = 'Reserving' WHERE id = 3;
SAVEPOINT a;
UPDATE cloud.nics SET state = 'Reserved' WHERE id = 3;
ROLLBACK TO a;
UPDATE cloud.nics SET state = 'Allocated' WHERE id = 3;
COMMIT;
BEGIN;
UPDATE cloud.nics SET state = 'Reserving' WHERE id = 3;
ROLLBACK;
-- a statement on a table that NICs inherit from is one on NICs
CREATE TABLE anything (id bigint, state text);
ALTER TABLE cloud.all_nics INHERIT anything;
BEGIN;
UPDATE anything SET state = 'Reserving' WHERE id = 3;
SAVEPOINT a;
UPDATE anything SET state = 'Reserved' WHERE id = 3;
ROLLBACK TO a;
UPDATE anything SET state = 'Allocated' WHERE id = 3;
COMMIT;
ALTER TABLE cloud.all_nics NO INHERIT anything;
DROP TABLE anything;
-- what happened to one NIC, as if it had been in January
SET session_replication_role = replica;
UPDATE cloud.nic_history SET at = CASE to_state WHEN 'Reserving' THEN timestamptz '2026-01-10' ELSE '2026-01-11' END WHERE nic_id = 1;
UPDATE cloud.all_nics SET state_changed = '2026-01-11' WHERE id = 1;
RESET session_replication_role;
-- a removal in one step, and one in two
UPDATE cloud.all_nics SET state = 'Deallocating', removed = '2026-02-01' WHERE id = 1;
UPDATE cloud.nics SET state = 'Deallocating' WHERE id = 3;
UPDATE cloud.all_nics SET removed = '2100-01-01' WHERE id = 3;
SELECT row_number() OVER (ORDER BY seq) AS n, nic_id, network_id, instance_id, from_state, to_state, event, removed,
	session_username = session_user AS by_us, actor, reason, application_name
FROM cloud.nic_history ORDER BY seq;
-- its times are those of the NICs, and never go back
SELECT bool_and(h.at = n.state_changed) FILTER (WHERE h.to_state = n.state AND h.event <> 'Removed') AS same_time,
	bool_and(h.at <= clock_timestamp()) AS not_ahead
FROM cloud.nic_history h JOIN cloud.all_nics n ON n.id = h.nic_id;
SELECT nic_id, array_agg(at ORDER BY seq) = array_agg(at ORDER BY at) AS in_order FROM cloud.nic_history GROUP BY nic_id ORDER BY 1;

SELECT row_number() OVER () AS n, event, from_state, to_state, network_id, instance_id, removed, until IS NULL AS last, actor
FROM vmnet.nic_timeline(1);
SELECT event, to_state FROM vmnet.nic_timeline(4);
SELECT * FROM vmnet.nic_timeline(99);
SELECT * FROM vmnet.nic_timeline(NULL);

--
-- As of
--
SELECT instance_id, instance_name, instance_type, nic_count, nic_id, "from", "to" FROM vmnet.network_instances_as_of(204, '2026-01-15');
SELECT instance_id FROM vmnet.network_instances_as_of(204, '2026-01-01');
SELECT instance_id FROM vmnet.network_instances_as_of(204, timestamptz '2026-01-01' - interval '1 microsecond');
-- what was written exactly then has happened
SELECT instance_id FROM vmnet.network_instances_as_of(204, timestamptz '2026-02-01' - interval '1 microsecond');
SELECT instance_id FROM vmnet.network_instances_as_of(204, '2026-02-01');
-- a removal that says a later time counts from when the NIC became Deallocating
SELECT i.to = n.state_changed AS then_it_ended FROM cloud.nic_intervals i JOIN cloud.all_nics n ON n.id = i.nic_id WHERE n.id = 3;
SELECT count(*) FROM vmnet.network_instances_as_of(205, now());
SELECT * FROM vmnet.network_instances_as_of(NULL, now());
SELECT * FROM vmnet.network_instances_as_of(204, NULL);
SELECT * FROM vmnet.network_instances_as_of(99, now());
SELECT * FROM vmnet.network_instances_as_of(204, now(), 'nowhere');
-- removed networks and instances were there until they were removed, also where
-- that is earlier than their NICs were: a mirror may have such rows, a managed
-- inventory refuses them
UPDATE cloud.networks SET removed = '2026-03-01' WHERE id = 205;
UPDATE cloud.instances SET removed = '2026-01-20' WHERE id = 8;
SET session_replication_role = replica;
UPDATE cloud.networks SET removed = '2026-03-01' WHERE id = 205;
SELECT instance_id FROM vmnet.network_instances_as_of(205, '2026-02-15');
SELECT instance_id FROM vmnet.network_instances_as_of(205, '2026-03-01');
UPDATE cloud.instances SET removed = '2026-01-20' WHERE id = 8;
RESET session_replication_role;
SELECT instance_id FROM vmnet.network_instances_as_of(204, '2026-01-19 23:59');
SELECT instance_id FROM vmnet.network_instances_as_of(204, '2026-01-20');
SELECT nic_id, network_id, instance_id, "from", CASE WHEN "to" < '2026-03-01' THEN "to" END AS "to" FROM cloud.nic_intervals ORDER BY nic_id;
SELECT * FROM cloud.network_instance_intervals ORDER BY 1, 2;
-- times on and off a network: apart, next to each other, at once
INSERT INTO cloud.nics (id, instance_id, network_id, created, vm_type) VALUES
	(21, 10, 204, '2026-01-01', 'DomainRouter'), (22, 10, 204, '2026-01-03', 'DomainRouter'), (23, 10, 204, '2026-01-05', 'DomainRouter'),
	(24, 10, 204, '2026-01-08', 'DomainRouter'), (25, 10, 204, '2026-01-08', 'DomainRouter');
UPDATE cloud.nics SET state = 'Deallocating', removed = created + interval '3 days' WHERE id IN (21, 22);
UPDATE cloud.nics SET state = 'Deallocating', removed = created + interval '1 day' WHERE id = 23;
SELECT * FROM cloud.network_instance_intervals WHERE instance_id = 10 ORDER BY 1, 2, 3;
SELECT nic_count, nic_id, "from", "to" FROM vmnet.network_instances_as_of(204, '2026-01-03 12:00') WHERE instance_id = 10;

--
-- Who had an address
--
UPDATE cloud.nics SET ip4_address = '10.20.0.9' WHERE id = 2;
SELECT nic_id, mac_address, ip4_address, ip6_address FROM cloud.nic_address_history;
SELECT nic_id, instance_name, network_name, ip4_address, held_from, held_to = (SELECT until FROM cloud.nic_address_history) AS until_the_change
FROM vmnet.ip_holders('10.20.0.6');
SELECT nic_id, ip4_address, held_from = (SELECT until FROM cloud.nic_address_history) AS from_the_change, held_to FROM vmnet.ip_holders('10.20.0.9');
SELECT nic_id, instance_id, instance_name, held_from, held_to FROM vmnet.ip_holders('10.20.0.5');
SELECT nic_id FROM vmnet.ip_holders('10.20.0.5', '2026-01-10', '2026-01-11');
SELECT nic_id FROM vmnet.ip_holders('10.20.0.5', '2026-01-01', '2026-01-01');
SELECT nic_id FROM vmnet.ip_holders('10.20.0.5', '2025-01-01', '2026-01-01');
SELECT nic_id FROM vmnet.ip_holders('10.20.0.5', '2026-02-01');
SELECT nic_id, vm_type, instance_id FROM vmnet.ip_holders('10.20.0.1');
-- a range, IPv6, a MAC address
SELECT nic_id, ip4_address FROM vmnet.ip_holders('10.20.0.0/24', "to" => now());
SELECT nic_id, ip4_address, ip6_address FROM vmnet.ip_holders('fd00::/64');
SELECT nic_id, ip4_address FROM vmnet.mac_holders('02:00:00:00:00:02');
SELECT * FROM vmnet.ip_holders(NULL);
SELECT * FROM vmnet.ip_holders('10.99.0.1');
SELECT * FROM vmnet.ip_holders('10.20.0.5', '2026-02-01', '2026-01-01');

--
-- Stuck
--
SELECT count(*) FROM cloud.stuck_nics;
SELECT count(*) FROM vmnet.nics_stuck_for();
SELECT nic_id, state, age < '1 hour' AS young, last_event, actor, reason, application_name FROM vmnet.nics_stuck_for('0');
SET session_replication_role = replica;
UPDATE cloud.all_nics SET state_changed = now() - interval '10 minutes' WHERE id = 2;
RESET session_replication_role;
SELECT nic_id, state, age >= '10 minutes' AS old, last_event, actor FROM cloud.stuck_nics;
SELECT nic_id FROM vmnet.nics_stuck_for();
SELECT nic_id FROM vmnet.nics_stuck_for('11 minutes');
SELECT * FROM vmnet.nics_stuck_for(NULL);

--
-- Explain
--
SELECT rule, verdict, value FROM vmnet.nic_explain(2);
SELECT rule, verdict, value FROM vmnet.nic_explain(1);
SELECT rule, verdict, value FROM vmnet.nic_explain(4);
SELECT * FROM vmnet.nic_explain(99);
SELECT * FROM vmnet.nic_explain(NULL);

--
-- Changes
--
SELECT count(*) FROM vmnet.nic_changes_since(max_rows => NULL);
SELECT count(*) AS all_of_them FROM cloud.nic_history;
SELECT vmnet.nic_changes_cursor() AS cursor \gset
SELECT * FROM vmnet.nic_changes_since(:'cursor');
UPDATE cloud.nics SET state = 'Reserved' WHERE id = 2;
UPDATE cloud.nics SET state = 'Releasing' WHERE id = 2;
UPDATE cloud.nics SET state = 'Allocated' WHERE id = 2;
SELECT nic_id, from_state, to_state, event FROM vmnet.nic_changes_since(:'cursor');
SELECT next_cursor AS cursor, to_state FROM vmnet.nic_changes_since(:'cursor', 1) \gset
SELECT :'to_state' AS to_state;
SELECT next_cursor AS cursor, to_state FROM vmnet.nic_changes_since(:'cursor', 1) \gset
SELECT :'to_state' AS to_state;
SELECT next_cursor AS cursor, to_state FROM vmnet.nic_changes_since(:'cursor', 1) \gset
SELECT :'to_state' AS to_state;
SELECT count(*) FROM vmnet.nic_changes_since(:'cursor', 1);
SELECT count(*) FROM vmnet.nic_changes_since(:'cursor', 0);
-- what the poller's own transaction does is told after it
BEGIN;
UPDATE cloud.nics SET state = 'Reserving' WHERE id = 2;
SELECT count(*) FROM vmnet.nic_changes_since(:'cursor');
COMMIT;
SELECT nic_id, to_state FROM vmnet.nic_changes_since(:'cursor');
SELECT * FROM vmnet.nic_changes_since('yesterday');
SELECT * FROM vmnet.nic_changes_since(:'cursor', -1);
SELECT * FROM vmnet.nic_changes_since(:'cursor', 1, 'nowhere');

--
-- Messages
--
SELECT vmnet.set_inventory_notify('cloud', true);
SELECT tgname FROM pg_trigger WHERE tgrelid = 'cloud.all_nics'::regclass AND tgname LIKE '\_nic\_notify%' ORDER BY 1;
SELECT vmnet.set_inventory_notify('cloud', true);
SELECT vmnet.set_inventory_notify('cloud', false);
SELECT count(*) FROM pg_trigger WHERE tgrelid = 'cloud.all_nics'::regclass AND tgname LIKE '\_nic\_notify%';
SELECT vmnet.set_inventory_notify('cloud', NULL);
SELECT vmnet.set_inventory_notify('nowhere', true);
SELECT vmnet.create_inventory(repeat('n', 58));
SELECT vmnet.set_inventory_notify(repeat('n', 58)::name, true);

--
-- Nobody but the owner writes history, whatever was granted to him
--
CREATE ROLE regress_app;
GRANT USAGE ON SCHEMA cloud TO regress_app;
GRANT ALL ON ALL TABLES IN SCHEMA cloud TO regress_app;
GRANT ALL ON ALL SEQUENCES IN SCHEMA cloud TO regress_app;
SET ROLE regress_app;
UPDATE cloud.nic_history SET actor = 'mallory';
DELETE FROM cloud.nic_history;
INSERT INTO cloud.nic_address_history (nic_id) VALUES (1);
TRUNCATE cloud.nic_history;
UPDATE cloud.nics SET state = 'Reserved' WHERE id = 2;
RESET ROLE;
SELECT to_state, session_username = session_user AS who_logged_in FROM cloud.nic_history ORDER BY seq DESC LIMIT 1;

--
-- Retention
--
CREATE TABLE notes (nic_id bigint REFERENCES cloud.all_nics (id), note text);
INSERT INTO notes VALUES (22, 'keep');
SET client_min_messages = notice;
CALL vmnet.purge_inventory('cloud', '2026-02-15', 2);
SELECT id, removed FROM cloud.all_nics ORDER BY id;
SELECT id, removed FROM cloud.all_instances ORDER BY id;
SELECT id, removed FROM cloud.all_networks ORDER BY id;
SELECT count(*) > 0 AS history_stays FROM cloud.nic_history WHERE nic_id = 1;
SELECT event, to_state FROM vmnet.nic_timeline(21);
DROP TABLE notes;
CALL vmnet.purge_inventory('cloud', '2026-02-15', purge_history => true);
SELECT count(*) AS history FROM cloud.nic_history WHERE nic_id = 22;
CALL vmnet.purge_inventory('cloud', '2026-02-15');
DELETE FROM cloud.all_nics WHERE id = 3;
CALL vmnet.purge_inventory('cloud', NULL);
CALL vmnet.purge_inventory('cloud', '2100-01-01');
CALL vmnet.purge_inventory('cloud', '2026-02-15', 0);
CALL vmnet.purge_inventory('nowhere', '2026-02-15');
SELECT vmnet.create_inventory('mirror', 'mirror');
CALL vmnet.purge_inventory('mirror', '2026-02-15');
SET ROLE regress_app;
CALL vmnet.purge_inventory('cloud', '2026-02-15');
RESET ROLE;

SET client_min_messages = warning;
DROP SCHEMA cloud CASCADE;
DROP SCHEMA mirror CASCADE;
DROP SCHEMA nnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnn CASCADE;
DROP ROLE regress_app;
