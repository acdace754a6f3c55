-- History partitioned by time, by hand; doc/history.md does it with pg_partman.
\set SHOW_CONTEXT never
SET client_min_messages = warning;
SELECT vmnet.create_inventory('cloud');
INSERT INTO cloud.networks (id) VALUES (1);
INSERT INTO cloud.instances (id) VALUES (1), (2);
INSERT INTO cloud.nics (instance_id, network_id) VALUES (1, 1), (2, 1);
UPDATE cloud.nics SET state = 'Reserving';
CREATE ROLE regress_auditor;
GRANT SELECT ON cloud.nic_history TO regress_auditor;
SELECT vmnet.nic_changes_cursor() AS cursor \gset

-- it has to see all there is on the table

BEGIN ISOLATION LEVEL REPEATABLE READ;
SELECT vmnet.partition_history('cloud');
ROLLBACK;
-- what cannot be kept is refused, with all of it
CREATE VIEW cloud.changes AS SELECT event, count(*) FROM cloud.nic_history GROUP BY event;
CREATE UNIQUE INDEX only_once ON cloud.nic_history (nic_id, seq);
SELECT vmnet.partition_history('cloud');
ALTER TABLE cloud.nic_history SET (autovacuum_enabled = false);
SELECT vmnet.partition_history('cloud');
DROP VIEW cloud.changes;
DROP INDEX cloud.only_once;
ALTER TABLE cloud.nic_history RESET (autovacuum_enabled);

SELECT vmnet.partition_history('cloud');
-- without a partition for now nothing can change, and nothing is lost
\set VERBOSITY terse
UPDATE cloud.nics SET state = 'Reserved' WHERE id = 1;
\set VERBOSITY default
SELECT id, state FROM cloud.nics ORDER BY id;
CREATE TABLE cloud.nic_history_old PARTITION OF cloud.nic_history FOR VALUES FROM (MINVALUE) TO ('2026-01-01');
CREATE TABLE cloud.nic_history_new PARTITION OF cloud.nic_history FOR VALUES FROM ('2026-01-01') TO (MAXVALUE);
INSERT INTO cloud.nic_history SELECT * FROM cloud.nic_history_unpartitioned;
DROP TABLE cloud.nic_history_unpartitioned;
SELECT vmnet.partition_history('cloud');

UPDATE cloud.nics SET state = 'Reserved';
SET vmnet.actor = 'alice';
DELETE FROM cloud.nics WHERE id = 2;
SELECT tableoid::regclass AS partition, nic_id, from_state, to_state, event, actor FROM cloud.nic_history ORDER BY seq;
SELECT count(*) AS entries, count(DISTINCT seq) AS numbers FROM cloud.nic_history;
SELECT event, to_state FROM vmnet.nic_timeline(2);
SELECT nic_id, to_state FROM vmnet.nic_changes_since(:'cursor');
UPDATE cloud.nics SET state = 'Releasing' WHERE id = 1;
SELECT last_event, actor FROM vmnet.nics_stuck_for('0');
SELECT last_event FROM cloud.stuck_nics;
-- many at once, and undone
BEGIN;
INSERT INTO cloud.instances (id) SELECT generate_series(11, 2510);
INSERT INTO cloud.nics (instance_id, network_id) SELECT generate_series(11, 2510), 1;
UPDATE cloud.nics SET state = 'Reserving' WHERE instance_id > 10;
SELECT count(*) FROM cloud.nic_history WHERE nic_id > 2;
ROLLBACK;
SELECT count(*) FROM cloud.nic_history WHERE nic_id > 2;
-- as guarded as before, and as granted
SELECT code, message FROM vmnet.check_inventory('cloud');
SELECT has_table_privilege('regress_auditor', 'cloud.nic_history', 'SELECT') AS can_read;
GRANT USAGE ON SCHEMA cloud TO regress_auditor;
GRANT ALL ON cloud.nic_history TO regress_auditor;
SET ROLE regress_auditor;
DELETE FROM cloud.nic_history;
RESET ROLE;
SELECT c.relkind, d.description LIKE 'What happened to NICs%' AS commented FROM pg_class c, pg_description d
WHERE c.oid = 'cloud.nic_history'::regclass AND d.objoid = c.oid AND d.objsubid = 0;
-- what is old goes with its partition
DROP TABLE cloud.nic_history_old;
DROP SCHEMA cloud CASCADE;
DROP ROLE regress_auditor;
