-- A page costs what a page costs: the pages of tables and indexes that a read
-- touches are counted, never its time.
SELECT vmnet.create_inventory('cloud');

-- Blocks that a call touches.
CREATE FUNCTION blocks(call text) RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
	plan json;
BEGIN
	EXECUTE 'EXPLAIN (ANALYZE, BUFFERS, TIMING OFF, FORMAT JSON) SELECT * FROM vmnet.' || call INTO plan;
	RETURN (plan -> 0 -> 'Plan' ->> 'Shared Hit Blocks')::bigint + (plan -> 0 -> 'Plan' ->> 'Shared Read Blocks')::bigint;
END $$;
-- Pages of 50, and whole networks that are no larger: one block of NICs and
-- three of instances per row, a little for the way there, and some catalogs
-- where a plan is made.
CREATE VIEW pages AS
SELECT call, blocks(call) AS blocks
FROM unnest(ARRAY[
	'network_active_instances(1, NULL, 50)', 'network_active_instances(1, 1, 50)', 'network_active_instances(1, 20000, 50)',
	'network_active_instances(1, 39900, 50)', 'network_active_instances(1, 40000, 50)', 'network_active_instances(1, NULL, 1)',
	'network_active_instances(1, NULL, 0)', 'network_active_instances(2, NULL, 50)', 'network_active_instances(3, NULL, 50)',
	'network_active_instances(3)', 'network_active_instances(4)', 'network_active_instances(5, NULL, 50)',
	'network_active_instances(99, NULL, 50)', 'network_active_instances(NULL, NULL, 50)']) call;

-- The session makes its plans now, when the tables are empty.
SELECT count(*) FROM pages WHERE blocks >= 0;
SELECT vmnet.network_in_use(1), vmnet.network_active_instance_count(1);

-- Network 1 has 20,000 NICs, network 2, between them, as many of which half are
-- removed, 3 has 50 whose instances are the last, 4 is empty, 5 is removed.
ALTER TABLE cloud.all_nics DISABLE TRIGGER USER;
INSERT INTO cloud.all_networks (id, removed) SELECT g, CASE WHEN g = 5 THEN now() END FROM generate_series(1, 5) g;
INSERT INTO cloud.instances (id) SELECT g FROM generate_series(1, 40050) g;
INSERT INTO cloud.all_nics (network_id, instance_id, default_nic, state, removed)
SELECT 1 + g % 2, g, false,
	CASE WHEN g % 4 = 1 THEN 'Deallocating' ELSE 'Allocated' END, CASE WHEN g % 4 = 1 THEN now() END
FROM generate_series(1, 40000) g;
INSERT INTO cloud.nics (network_id, instance_id, default_nic) SELECT 3, 40000 + g, false FROM generate_series(1, 50) g;
ALTER TABLE cloud.all_nics ENABLE TRIGGER USER;

SELECT count(*) AS whole, blocks('network_active_instances(1)') > 20000 AS costs_the_network FROM vmnet.network_active_instances(1);
-- with plans from when the tables were empty
SELECT * FROM pages WHERE blocks > 600;
-- in a new session, never analyzed (a first call warms the catalog caches)
\c
SELECT count(*) FROM vmnet.network_active_instances(99);
SELECT * FROM pages WHERE blocks > 600;
-- analyzed
VACUUM ANALYZE cloud.all_networks, cloud.all_instances, cloud.all_nics;
SELECT * FROM pages WHERE blocks > 600;
\c
SELECT count(*) FROM vmnet.network_active_instances(99);
SELECT * FROM pages WHERE blocks > 600;
-- whatever a session prefers
SET plan_cache_mode = force_custom_plan;
SELECT * FROM pages WHERE blocks > 600;
SET plan_cache_mode = force_generic_plan;
SELECT * FROM pages WHERE blocks > 600;
RESET plan_cache_mode;

-- Small things stay small beside big ones: an empty network and one of 50.
SELECT vmnet.network_in_use(99), vmnet.network_active_instance_count(99), (SELECT count(*) FROM vmnet.network_active_nics(99));
SELECT call, blocks(call) FROM unnest(ARRAY['network_in_use(1)', 'network_in_use(3)', 'network_in_use(4)', 'network_in_use(5)']) call
WHERE blocks(call) > 50;
SELECT call, blocks(call) FROM unnest(ARRAY['network_active_instance_count(3)', 'network_active_instance_count(4)',
	'network_active_nics(3)', 'network_active_nics(4)', 'instance_active_networks(40020)', 'vpc_active_instances(1)']) call
WHERE blocks(call) > 400;
-- A guard that lets an empty network go does not read the NICs of all others.
CREATE FUNCTION nics_read() RETURNS bigint LANGUAGE sql AS $$
	SELECT pg_stat_get_xact_tuples_returned('cloud.all_nics'::regclass)
$$;
INSERT INTO cloud.networks (id) SELECT g FROM generate_series(101, 120) g;
BEGIN;
UPDATE cloud.networks SET removed = now() WHERE id > 100;
SELECT nics_read() < 1000 AS few_nics_read;
COMMIT;

-- A result that does not fit into work_mem is the same, and a session that
-- lists on and on does not grow.
SET work_mem = '64kB';
SELECT count(*), sum(instance_id), min(instance_id), max(instance_id) FROM vmnet.network_active_instances(1);
SELECT count(*), sum(nic_id) = (SELECT sum(id) FROM cloud.nics WHERE network_id = 1) AS same FROM vmnet.network_active_nics(1);
RESET work_mem;
CREATE FUNCTION memory_used() RETURNS numeric LANGUAGE sql AS 'SELECT sum(total_bytes) FROM pg_backend_memory_contexts';
SELECT sum(f.nic_count) FROM generate_series(1, 20) g, LATERAL vmnet.network_active_instances(1, g, 3000) f;
SELECT memory_used() AS before \gset
SELECT sum(f.nic_count) FROM generate_series(1, 300) g, LATERAL vmnet.network_active_instances(1, g, 3000) f;
SELECT sum(vmnet.network_active_instance_count(g)) FROM generate_series(1, 3000) g;
DO $$ BEGIN
	FOR i IN 1..300 LOOP
		BEGIN
			PERFORM count(*) FROM vmnet.network_active_instances(1, i, 100) f WHERE 1 / (f.instance_id - i - 50) > 5;
		EXCEPTION WHEN division_by_zero THEN
			NULL;
		END;
		EXECUTE format('SELECT count(*) FROM vmnet.network_active_instances(%s, page_size => 10)', i);
	END LOOP;
END $$;
SELECT memory_used() - :before < 4 * 1024 * 1024 AS does_not_grow;

-- A timeout ends a read.
\set VERBOSITY terse
SET statement_timeout = '100ms';
SELECT count(*) FROM generate_series(1, 1000000) g, LATERAL vmnet.network_active_instances(1) f;
RESET statement_timeout;
SELECT count(*) FROM vmnet.network_active_instances(3);

DROP VIEW pages;
DROP FUNCTION blocks, memory_used, nics_read;
SET client_min_messages = warning;
DROP SCHEMA cloud CASCADE;
