-- An import is set-wise: ten times the rows take about ten times as long, not a
-- hundred times, also with hardly any memory to sort and hash in.
SET client_min_messages = warning;
SET work_mem = '64kB';
SET maintenance_work_mem = '1MB';
-- what takes a hundred times as long is not waited for
SET statement_timeout = '240s';

CREATE SCHEMA scale;
-- rows of a source of any size: a tenth as many instances as NICs, a hundredth
-- as many networks; two thirds of the NICs removed
CREATE FUNCTION scale.fill(source text, nics int) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
	EXECUTE format('CREATE SCHEMA %I', source);
	EXECUTE format('CREATE TABLE %I.networks AS SELECT g::text AS id, md5(''w'' || g)::uuid::text AS uuid, ''net'' || g AS name, ''Implemented'' AS state,
		1 AS account_id, ''2025-01-06 00:00:00'' AS created, NULL::text AS removed FROM generate_series(1, %s) g', source, nics / 100);
	EXECUTE format('CREATE TABLE %I.vm_instance AS SELECT g::text AS id, md5(''v'' || g)::uuid::text AS uuid, ''vm'' || g AS name, ''Running'' AS state, ''User'' AS type,
		g %% 50 AS account_id, ''2025-01-06 00:00:00'' AS created, NULL::text AS removed FROM generate_series(1, %s) g', source, nics / 10);
	EXECUTE format('CREATE TABLE %I.nics AS SELECT g::text AS id, md5(''n'' || g)::uuid::text AS uuid, (1 + g / 10 %% %s)::text AS instance_id, (1 + g %% %s)::text AS network_id,
		CASE WHEN g %% 3 = 0 THEN ''Reserved'' ELSE ''Deallocating'' END AS state, ''Start'' AS strategy, ''User'' AS vm_type, (g %% 10)::text AS device_id,
		''02:00:'' || regexp_replace(lpad(to_hex(g), 8, ''0''), ''(..)(?!$)'', ''\1:'', ''g'') AS mac_address,
		''10.'' || g / 65536 %% 256 || ''.'' || g / 256 %% 256 || ''.'' || g %% 256 AS ip4_address, ''0'' AS default_nic,
		''2025-01-06 00:00:00'' AS created, CASE WHEN g %% 3 = 0 THEN NULL ELSE ''2025-07-01 00:00:00'' END AS removed FROM generate_series(1, %s) g',
		source, nics / 10, nics / 100, nics);
	EXECUTE format('CREATE TABLE %I.account AS SELECT g AS id, ''account'' || g AS account_name FROM generate_series(0, 49) g', source);
END
$$;
SELECT scale.fill('scale_20k', 20000);
SELECT scale.fill('scale_200k', 200000);

-- the time of each import, in ms
CREATE TABLE scale.took (step text, source text, ms numeric);
CREATE PROCEDURE scale.run(step text, source text) LANGUAGE plpgsql AS $$
DECLARE
	start timestamptz := clock_timestamp();
BEGIN
	CALL vmnet.import_cloudstack(source::name, ('m_' || source)::name);
	INSERT INTO scale.took VALUES (step, source, 1000 * extract(epoch FROM clock_timestamp() - start));
	COMMIT;
END
$$;
CALL scale.run('first copy', 'scale_20k');
CALL scale.run('first copy', 'scale_200k');
-- every tenth NIC changes, is purged or is new
UPDATE scale_20k.nics SET state = 'Releasing' WHERE id LIKE '%3' AND removed IS NULL;
UPDATE scale_200k.nics SET state = 'Releasing' WHERE id LIKE '%3' AND removed IS NULL;
DELETE FROM scale_20k.nics WHERE id LIKE '%7';
DELETE FROM scale_200k.nics WHERE id LIKE '%7';
INSERT INTO scale_20k.nics (id, instance_id, network_id, state, created) SELECT 20000 + g, '1', '1', 'Reserved', '2025-01-06 00:00:00' FROM generate_series(1, 2000) g;
INSERT INTO scale_200k.nics (id, instance_id, network_id, state, created) SELECT 200000 + g, '1', '1', 'Reserved', '2025-01-06 00:00:00' FROM generate_series(1, 20000) g;
-- a row of every tenth NIC names no instance; an address of another tenth is none
UPDATE scale_20k.nics SET instance_id = 'none' WHERE id LIKE '%5';
UPDATE scale_200k.nics SET instance_id = 'none' WHERE id LIKE '%5';
UPDATE scale_20k.nics SET mac_address = 'none' WHERE id LIKE '%1';
UPDATE scale_200k.nics SET mac_address = 'none' WHERE id LIKE '%1';
CALL scale.run('refresh', 'scale_20k');
CALL scale.run('refresh', 'scale_200k');

-- they did what they had to
SELECT source, nics_read, rows_inserted, rows_updated, rows_deleted, rows_rejected, values_changed FROM m_scale_20k.import_runs ORDER BY run;
SELECT source, nics_read, rows_inserted, rows_updated, rows_deleted, rows_rejected, values_changed FROM m_scale_200k.import_runs ORDER BY run;
SELECT run, action, count(*) FROM m_scale_200k.import_log GROUP BY 1, 2 ORDER BY 1, 2;
SELECT count(*) AS wrong
FROM (SELECT t.* FROM m_scale_200k.all_nics t LEFT JOIN m_scale_200k.import_vanished v ON v.relation = 'nics' AND v.id = t.id WHERE v.id IS NULL) t FULL JOIN (SELECT id::bigint, state FROM scale_200k.nics WHERE instance_id <> 'none') s USING (id)
WHERE t.state IS DISTINCT FROM s.state;

SELECT b.step, b.ms / a.ms < 20 AS in_proportion, CASE WHEN b.ms / a.ms >= 20 THEN round(b.ms / a.ms) END AS ratio
FROM scale.took a JOIN scale.took b USING (step)
WHERE a.source = 'scale_20k' AND b.source = 'scale_200k' ORDER BY 1;

DROP SCHEMA scale, scale_20k, scale_200k, m_scale_20k, m_scale_200k CASCADE;
