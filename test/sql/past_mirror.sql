-- What a mirror remembers: each import writes down what it saw change, under
-- its own time, but the source's times decide who was where.
\set SHOW_CONTEXT never
SET client_min_messages = warning;
SET TimeZone = 'UTC';
CREATE SCHEMA source;
CREATE TABLE source.networks (id bigint, name text, state text, traffic_type text, created text, removed text);
CREATE TABLE source.vm_instance (id bigint, name text, state text, type text, created text, removed text);
CREATE TABLE source.nics (id bigint, instance_id bigint, network_id bigint, state text, ip4_address text, mac_address text, created text, removed text, update_time text);
INSERT INTO source.networks SELECT g, 'n' || g, 'Implemented', 'Guest', '2025-01-01 00:00:00' FROM generate_series(1, 3) g;
INSERT INTO source.vm_instance SELECT g, 'i' || g, 'Running', 'User', '2025-01-01 00:00:00' FROM generate_series(1, 9) g;
INSERT INTO source.nics VALUES
	(1, 1, 1, 'Reserved', '10.0.0.1', NULL, '2025-01-01 00:00:00', NULL, NULL),	-- is removed later
	(2, 2, 1, 'Reserved', '10.0.0.2', NULL, '2025-01-01 00:00:00', NULL, NULL),	-- is moved to network 2, and on to 3
	(3, 3, 1, 'Reserved', '10.0.0.3', NULL, '2025-01-01 00:00:00', NULL, NULL),	-- is half-removed later
	(4, 4, 1, 'Deallocating', '10.0.0.4', NULL, '2025-01-01 00:00:00', NULL, NULL),	-- was so at first sight
	(5, 5, 1, 'deallocating', '10.0.0.5', NULL, '2025-01-01 00:00:00', NULL, '2025-03-01 00:00:00'),	-- and says since when
	(6, 6, 1, 'Reserved', '10.0.0.6', NULL, '2025-01-01 00:00:00', NULL, NULL),	-- is given another address
	(7, 7, 1, 'Reserved', '10.0.0.7', NULL, '2025-01-01 00:00:00', NULL, NULL),	-- is deleted at the source
	(8, 8, 1, 'Allocated', '10.0.0.8', NULL, '2025-01-01 00:00:00', '2025-02-01 00:00:00', NULL),	-- removed, state kept
	(9, 9, 1, 'Allocated', '10.0.0.9', NULL, '2025-01-01 00:00:00', NULL, NULL);	-- jumps between states
CALL vmnet.import_cloudstack('source', 'cloud');
SELECT count(*) AS history FROM cloud.nic_history;
SELECT nic_id, network_id, "from", "to" FROM cloud.nic_intervals ORDER BY nic_id;

UPDATE source.nics SET state = 'Deallocating', removed = '2025-06-01 00:00:00' WHERE id = 1;
UPDATE source.nics SET network_id = 2 WHERE id = 2;
UPDATE source.nics SET state = 'Deallocating' WHERE id = 3;
UPDATE source.nics SET ip4_address = '10.0.0.66' WHERE id = 6;
DELETE FROM source.nics WHERE id = 7;
UPDATE source.nics SET state = 'Releasing' WHERE id = 9;
INSERT INTO source.nics VALUES (10, 9, 2, 'Reserved', NULL, NULL, '2025-05-01 00:00:00');
SET vmnet.actor = 'cron';
CALL vmnet.import_cloudstack('source', 'cloud');
UPDATE source.nics SET network_id = 3 WHERE id = 2;
UPDATE source.nics SET removed = '2025-07-01 00:00:00' WHERE id = 4;
UPDATE source.networks SET name = 'renamed';
CALL vmnet.import_cloudstack('source', 'cloud');
-- nothing changed, nothing written
CALL vmnet.import_cloudstack('source', 'cloud');

SELECT row_number() OVER (ORDER BY h.seq) AS n, h.nic_id, h.network_id, h.from_network_id, h.instance_id, h.from_state, h.to_state, h.event,
	CASE WHEN h.removed < '2026-01-01' THEN h.removed END AS removed, r.run AS at_run, h.actor
FROM cloud.nic_history h LEFT JOIN cloud.import_runs r ON r.started = h.at
ORDER BY h.seq;
SELECT nic_id, ip4_address, r.run AS until_run FROM cloud.nic_address_history LEFT JOIN cloud.import_runs r ON r.started = until;

-- Times in a mirror are the source's; where it has none, a move or a removal
-- that stopped half-way counts from the run that saw it.
SELECT nic_id, network_id, coalesce('run ' || f.run, "from"::text) AS "from", coalesce('run ' || t.run, "to"::text) AS "to"
FROM cloud.nic_intervals LEFT JOIN cloud.import_runs f ON f.started = "from" LEFT JOIN cloud.import_runs t ON t.started = "to"
ORDER BY nic_id, cloud.nic_intervals."from";
SELECT at.title, string_agg(a.instance_id::text, ' ' ORDER BY a.instance_id) AS on_network_1
FROM (VALUES (1, '2025-01-15', timestamptz '2025-01-15'), (2, '2025-04-01', '2025-04-01'), (3, '2025-06-01', '2025-06-01'),
		(4, 'before run 2', (SELECT started - interval '1 microsecond' FROM cloud.import_runs WHERE run = 2)),
		(5, 'run 2', (SELECT started FROM cloud.import_runs WHERE run = 2))) at (n, title, time)
	LEFT JOIN LATERAL vmnet.network_instances_as_of(1, at.time) a ON true
GROUP BY at.n, at.title ORDER BY at.n;
SELECT network_id, array_agg(instance_id ORDER BY instance_id) AS instances
FROM cloud.network_instance_intervals WHERE "to" IS NULL GROUP BY 1 ORDER BY 1;
SELECT n AS network_id, a.instance_id, a.nic_id FROM generate_series(1, 3) n, vmnet.network_instances_as_of(n, now()) a ORDER BY 1, 2;

SELECT event, from_state, to_state, network_id FROM vmnet.nic_timeline(2);
SELECT event, from_state, to_state, removed FROM vmnet.nic_timeline(8);
SELECT event, from_state, to_state FROM vmnet.nic_timeline(7);
SELECT nic_id, network_id, ip4_address FROM vmnet.ip_holders('10.0.0.2');
SELECT nic_id, ip4_address, held_to IS NULL AS still FROM vmnet.ip_holders('10.0.0.6') UNION ALL
SELECT nic_id, ip4_address, held_to IS NULL FROM vmnet.ip_holders('10.0.0.66');
SELECT nic_id, from_state, to_state FROM vmnet.nic_changes_since();
-- nothing of a run that fails
ALTER TABLE source.nics RENAME TO away;
CALL vmnet.import_cloudstack('source', 'cloud');
ALTER TABLE source.away RENAME TO nics;
SELECT count(*) FROM cloud.nic_history;
-- messages come from imports, too: one for each kind of change
SELECT vmnet.set_inventory_notify('cloud', true);
UPDATE source.nics SET state = 'Allocated' WHERE id = 9;
CALL vmnet.import_cloudstack('source', 'cloud');
SELECT to_state FROM cloud.nic_history ORDER BY seq DESC LIMIT 1;
DROP SCHEMA cloud CASCADE;
DROP SCHEMA source CASCADE;
