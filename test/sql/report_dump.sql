-- The reporting schema over the sample dump: its columns against the list that
-- only grows, its numbers against CloudStack's own rows, its forms against what
-- tools send.
\set VERBOSITY terse
SET client_min_messages = warning;
\i test/include/load_dump.psql
\set ECHO none
CREATE TABLE cloudstack.nic_secondary_ips (id text, uuid text, "vmId" text, "nicId" text, ip4_address text, ip6_address text, network_id text, created text, account_id text, domain_id text);
\copy cloudstack.nic_secondary_ips FROM 'test/data/cloudstack-4.19/tables/nic_secondary_ips.tsv'
CREATE TABLE expected.report_columns (view_name text, ordinal int, column_name text, type text);
\copy expected.report_columns FROM 'test/data/report_columns.tsv'
\set ECHO all
CALL vmnet.import_cloudstack('cloudstack', 'cloud');
SELECT vmnet.create_report('cloud');
SELECT * FROM vmnet.report_schemas('cloud');

--
-- Columns: every one of the list is where it was; a new one comes after them,
-- and belongs into the list (test/data/report_columns.tsv).
--
SELECT view_name, ordinal, column_name, type FROM expected.report_columns
EXCEPT SELECT view_name, ordinal, column_name, type FROM cloud_report.data_dictionary ORDER BY 1, 2;
SELECT d.view_name, d.ordinal, d.column_name, d.type FROM cloud_report.data_dictionary d
WHERE d.column_name IS NOT NULL
EXCEPT SELECT view_name, ordinal, column_name, type FROM expected.report_columns ORDER BY 1, 2;
-- the views themselves
SELECT string_agg(relname, ' ' ORDER BY relname COLLATE "C") FROM pg_class WHERE relnamespace = 'cloud_report'::regnamespace;
-- A managed inventory has the same; tenants have no metrics, which are of the whole inventory.
SELECT vmnet.create_inventory('managed');
SELECT vmnet.create_report('managed', 'mr', true);
SELECT view_name, ordinal, column_name, type, description FROM cloud_report.data_dictionary WHERE view_name NOT LIKE 'metrics%'
EXCEPT SELECT view_name, ordinal, column_name, type, description FROM mr.data_dictionary;
SELECT DISTINCT view_name AS missing FROM cloud_report.data_dictionary d FULL JOIN mr.data_dictionary m USING (entry, view_name)
WHERE d.entry IS NULL OR m.entry IS NULL ORDER BY 1;
-- Only types that every tool knows.
SELECT type, count(*) > 0 AS used FROM cloud_report.data_dictionary WHERE column_name IS NOT NULL GROUP BY 1 ORDER BY 1;
-- Every view and column has a comment whose first line is short; names need no quotes, but for time.
SELECT entry FROM cloud_report.data_dictionary
WHERE summary IS NULL OR summary = '' OR length(summary) > 80 OR summary <> split_part(description, E'\n', 1);
SELECT entry FROM cloud_report.data_dictionary WHERE quote_ident(coalesce(column_name, view_name)) <> coalesce(column_name, view_name) ORDER BY 1;
SELECT entry FROM cloud_report.data_dictionary WHERE column_name = 'removed';
SELECT entry FROM cloud_report.data_dictionary WHERE column_name = 'time' ORDER BY 1;
-- No view calls a function of the extension, or reads a view.
SELECT c.relname, p.proname FROM pg_class c JOIN pg_rewrite r ON r.ev_class = c.oid
	JOIN pg_depend d ON d.classid = 'pg_rewrite'::regclass AND d.objid = r.oid AND d.refclassid = 'pg_proc'::regclass
	JOIN pg_proc p ON p.oid = d.refobjid
WHERE c.relnamespace IN ('cloud_report'::regnamespace, 'mr'::regnamespace);
SELECT DISTINCT c.relname, t.relname FROM pg_class c JOIN pg_rewrite r ON r.ev_class = c.oid
	JOIN pg_depend d ON d.classid = 'pg_rewrite'::regclass AND d.objid = r.oid AND d.refclassid = 'pg_class'::regclass AND d.refobjid <> c.oid
	JOIN pg_class t ON t.oid = d.refobjid
WHERE c.relnamespace IN ('cloud_report'::regnamespace, 'mr'::regnamespace) AND t.relkind <> 'r';
SELECT n.nspname, c.reloptions, count(*) FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE n.nspname IN ('cloud_report', 'mr') GROUP BY 1, 2 ORDER BY 1;

--
-- What tools send.
--
-- Of the views of the inventory, too.
CREATE TEMP VIEW text_columns AS
SELECT c.relnamespace::regnamespace::text AS schema_name, c.relname AS view_name, a.attname AS column_name
FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0
WHERE c.relnamespace IN ('cloud_report'::regnamespace, 'cloud'::regnamespace) AND c.relkind = 'v' AND a.atttypid = 'text'::regtype;
CREATE FUNCTION pg_temp.complaints(form text) RETURNS SETOF text
LANGUAGE plpgsql AS $$
DECLARE
	col record;
BEGIN
	FOR col IN SELECT * FROM text_columns ORDER BY 1, 2, 3 LOOP
		BEGIN
			EXECUTE format('SELECT count(*) FROM (SELECT FROM %s.%I WHERE ' || form || ' LIMIT 20) x', col.schema_name, col.view_name, col.column_name) USING 'a'::varchar;
		EXCEPTION WHEN OTHERS THEN
			RETURN NEXT format('%s.%s.%s: %s', col.schema_name, col.view_name, col.column_name, SQLERRM);
		END;
	END LOOP;
END
$$;
SELECT schema_name, count(*) > 40 AS enough FROM text_columns GROUP BY 1 ORDER BY 1;
-- the reporting ones are all that the dictionary has
SELECT view_name, column_name FROM cloud_report.data_dictionary WHERE type = 'text'
EXCEPT SELECT view_name, column_name FROM text_columns WHERE schema_name = 'cloud_report';
SELECT pg_temp.complaints('%3$I ILIKE ''%%A%%'' AND $1 IS NOT NULL');
SELECT pg_temp.complaints('%3$I LIKE $1 || ''%%''');
SELECT pg_temp.complaints('lower(%3$I) = $1 OR upper(%3$I) = $1');
SELECT pg_temp.complaints('%3$I = $1::varchar');
-- Every view as a whole: rows, and as CSV and JSON (psql -H is in the TAP test).
CREATE TEMP TABLE sizes (view_name text, rows bigint, json bigint);
DO $$
DECLARE
	v text;
BEGIN
	FOR v IN SELECT relname FROM pg_class WHERE relnamespace = 'cloud_report'::regnamespace ORDER BY relname LOOP
		EXECUTE format('INSERT INTO sizes SELECT %1$L, count(*), json_array_length(coalesce(json_agg(x), ''[]'')) FROM (SELECT * FROM cloud_report.%1$I LIMIT 10000) x', v);
	END LOOP;
END
$$;
SELECT view_name, rows > 0 AS has_rows, rows = json AS same FROM sizes ORDER BY view_name;
COPY (SELECT view_name, rows FROM (SELECT 'imports' AS view_name, count(*) AS rows FROM cloud_report.imports) x) TO STDOUT CSV HEADER;
-- The first column is a key where there is one.
CREATE FUNCTION pg_temp.key_of(v text) RETURNS text
LANGUAGE plpgsql AS $$
DECLARE
	key text := (SELECT d.column_name FROM cloud_report.data_dictionary d WHERE d.view_name = v AND d.ordinal = 1);
	bad bigint;
BEGIN
	EXECUTE format('SELECT count(*) - count(DISTINCT %1$I) FROM cloud_report.%2$I', key, v) INTO bad;
	RETURN key || CASE bad WHEN 0 THEN ' unique' ELSE '' END;
END
$$;
SELECT relname, pg_temp.key_of(relname) FROM pg_class WHERE relnamespace = 'cloud_report'::regnamespace ORDER BY relname;

--
-- Numbers, against CloudStack's rows as text.
--
CREATE TEMP VIEW live AS
SELECT id::bigint AS id, network_id::bigint AS network_id, instance_id::bigint AS instance_id, ip4_address, ip6_address, strategy
FROM cloudstack.nics WHERE removed IS NULL AND lower(state) <> 'deallocating';
CREATE TEMP VIEW address AS
SELECT network_id, ip4_address::inet AS ip FROM live WHERE ip4_address <> ''
UNION SELECT network_id, ip6_address::inet FROM live WHERE ip6_address <> ''
UNION SELECT l.network_id, s.ip4_address::inet FROM cloudstack.nic_secondary_ips s JOIN live l ON l.id = s."nicId"::bigint WHERE s.ip4_address <> ''
UNION SELECT l.network_id, s.ip6_address::inet FROM cloudstack.nic_secondary_ips s JOIN live l ON l.id = s."nicId"::bigint WHERE s.ip6_address <> '';
CREATE TEMP TABLE usage AS
SELECT w.id::bigint AS network_id, w.cidr,
	CASE WHEN w.cidr IS NOT NULL THEN (CASE right(w.cidr, 3) WHEN '/32' THEN 1 WHEN '/31' THEN 2 ELSE 2 ^ (32 - split_part(w.cidr, '/', 2)::int) - 2 END) END::bigint AS usable,
	(SELECT count(*) FROM address a WHERE a.network_id = w.id::bigint AND family(a.ip) = 4 AND a.ip << w.cidr::inet) AS inside,
	(SELECT count(*) FROM address a WHERE a.network_id = w.id::bigint AND family(a.ip) = 4) AS everywhere,
	w.ip6_cidr, (SELECT count(*) FROM address a WHERE a.network_id = w.id::bigint AND family(a.ip) = 6) AS everywhere6
FROM cloudstack.networks w WHERE w.removed IS NULL;
SELECT count(*) AS networks, count(cidr) AS with_cidr, sum(everywhere) AS addresses, sum(everywhere6) AS ip6_addresses FROM usage;
SELECT count(*) AS secondary_counted FROM cloudstack.nic_secondary_ips s JOIN live l ON l.id = s."nicId"::bigint;
SELECT network_id, cidr, usable, CASE WHEN cidr IS NOT NULL THEN inside END, CASE WHEN cidr IS NOT NULL THEN usable - inside END,
	CASE WHEN cidr IS NOT NULL THEN round((100.0 * inside / usable)::numeric, 6) END, CASE WHEN cidr IS NOT NULL THEN everywhere - inside END, everywhere,
	ip6_cidr, everywhere6 FROM usage
EXCEPT SELECT network_id, cidr, usable, used, free, round(percent::numeric, 6), outside_cidr, addresses, ip6_cidr, ip6_addresses FROM cloud_report.network_ip_usage;
SELECT count(*) FROM cloud_report.network_ip_usage;
-- the counts of the dump's own answers, and what it has no answer for
SELECT * FROM expected.network_counts
EXCEPT SELECT network_id, attached_nics, active_instances, running_instances, allocated, reserving, reserved, releasing, deallocating, other_states, used_ip4
FROM cloud_report.network_counts;
SELECT (SELECT count(*) FROM expected.network_counts) AS expected, count(*), sum(routers) AS routers, sum(placeholders) AS placeholders, sum(user_instances) AS user_instances
FROM cloud_report.network_counts;
SELECT count(DISTINCT (network_id, instance_id)) AS routers FROM live JOIN cloudstack.vm_instance i ON i.id = instance_id::text
	JOIN cloudstack.networks w ON w.id = network_id::text
WHERE i.removed IS NULL AND w.removed IS NULL AND i.type = 'DomainRouter';
SELECT count(*) AS placeholders FROM live JOIN cloudstack.networks w ON w.id = network_id::text WHERE instance_id IS NULL AND w.removed IS NULL;
-- members
SELECT network_id, instance_id FROM cloud_report.network_instances EXCEPT ALL SELECT * FROM expected.network_active_instances;
SELECT * FROM expected.network_active_instances EXCEPT ALL SELECT network_id, instance_id FROM cloud_report.network_instances;
SELECT count(*) FROM (SELECT network_id, instance_id, nic_id, nic_count FROM cloud.network_instances EXCEPT ALL SELECT network_id, instance_id, nic_id, nic_count FROM cloud_report.network_instances) x;
-- over time: each day as the as-of answer for the moment before the next day begins
SELECT count(*) > 500 AS enough, count(*) FILTER (WHERE d.active_instances IS DISTINCT FROM a.instances) AS wrong
FROM cloud_report.networks_daily d
	CROSS JOIN LATERAL (SELECT count(*) AS instances FROM vmnet.network_instances_as_of(d.network_id, d."time" + interval '24 hours' - interval '1 microsecond', 'cloud')) a
WHERE d."time" < '2025-07-05' AND extract(day FROM d."time" AT TIME ZONE 'UTC') IN (1, 9, 10, 23);
SELECT count(*) FILTER (WHERE active_instances = 0) > 0 AS zeros_kept, min(active_instances) >= 0 AS never_negative,
	count(*) = count(DISTINCT ("time", network_id)) AS once FROM cloud_report.networks_daily;
SELECT network_id FROM cloud_report.networks_daily GROUP BY network_id
HAVING count(*) <> extract(epoch FROM max("time") - min("time")) / 86400 + 1;
SELECT d.network_id, d.active_instances, c.active_instances FROM cloud_report.networks_daily d JOIN cloud_report.network_counts c USING (network_id)
WHERE d."time" = date_trunc('day', now(), 'UTC') AND d.active_instances <> c.active_instances;
-- whatever the time zone of the session, days with a change of the clock included
SET TimeZone = 'America/New_York';
SELECT count(*) FROM cloud_report.networks_daily WHERE ("time" AT TIME ZONE 'UTC')::time <> '00:00';
SET TimeZone = 'UTC';
SELECT count(*) AS days FROM cloud_report.networks_daily WHERE network_id = 204 AND "time" BETWEEN '2025-01-06' AND '2025-01-31';
SELECT sum(arrived_instances) AS arrived, sum(departed_instances) AS departed FROM cloud_report.networks_daily WHERE network_id = 204;
SELECT count(*) AS arrived, count(v."to") AS departed FROM cloud.network_instance_intervals v WHERE v.network_id = 204;
-- intervals and what is stuck
SELECT count(*) FROM (SELECT network_id, instance_id, v."from", v."to" FROM cloud.network_instance_intervals v
	EXCEPT ALL SELECT network_id, instance_id, active_from, active_to FROM cloud_report.network_instance_intervals) x;
SELECT count(*) FROM cloud_report.network_instance_intervals WHERE seconds < 0 OR seconds IS NULL;
SELECT nic_id, nic_state, network_id FROM cloud_report.stuck_nics ORDER BY 1;
-- findings: those of the check, guards too
ALTER TABLE cloud.all_nics DISABLE TRIGGER mirror_guard;
DROP TRIGGER no_truncate ON cloud.all_networks;
SELECT code, severity, object_type, object_id, object_uuid::text, since, message, fix FROM vmnet.check_inventory('cloud')
EXCEPT ALL SELECT code, severity, object_type, object_id, object_uuid, since, message, fix FROM cloud_report.findings;
SELECT (SELECT count(*) FROM vmnet.check_inventory('cloud')) - count(*) AS more_or_less FROM cloud_report.findings;
SELECT finding, severity_order, message FROM cloud_report.findings WHERE object_type = 'inventory' ORDER BY 1;

--
-- Refused, and done again.
--
SELECT vmnet.create_report('cloud');
SELECT vmnet.create_report('cloud', 'cloud');
SELECT vmnet.create_report('managed', 'cloud_report');
SELECT vmnet.create_report('cloud', 'cloud_report', true);
SELECT vmnet.create_report('nowhere');
SELECT vmnet.create_report('cloud', '');
SELECT vmnet.create_report('cloud', repeat('x', 64));
SELECT vmnet.create_report('cloud', 'other', NULL);
SELECT vmnet.create_inventory(repeat('l', 57));
\set VERBOSITY default
\set SHOW_CONTEXT never
SELECT vmnet.create_report(repeat('l', 57)::name);
\set VERBOSITY terse
SELECT vmnet.create_report(repeat('l', 57)::name, 'short');
-- names as they are
SELECT vmnet.create_inventory('a "b" it''s $1 %s');
SELECT vmnet.create_report('a "b" it''s $1 %s');
INSERT INTO "a ""b"" it's $1 %s".networks (name) VALUES ('n');
SELECT count(*) FROM "a ""b"" it's $1 %s_report".networks_daily;
ALTER TABLE "a ""b"" it's $1 %s".all_nics DISABLE TRIGGER nic_prepare;
SELECT code, message, fix FROM "a ""b"" it's $1 %s_report".findings;
-- views that users made on it, and grants, outlive a report that is made anew
CREATE VIEW public.mine AS SELECT * FROM cloud_report.network_counts;
SELECT vmnet.create_report('cloud');
SELECT count(*) FROM public.mine;

DROP VIEW public.mine;
DROP SCHEMA cloud, cloud_report, managed, mr, short, cloudstack, expected, "a ""b"" it's $1 %s", "a ""b"" it's $1 %s_report" CASCADE;
SELECT format('DROP SCHEMA %I CASCADE', repeat('l', 57)) \gexec
SELECT name FROM vmnet.inventories;
