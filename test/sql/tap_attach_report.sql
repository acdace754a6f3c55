-- Reports over attached and live inventories: they show what the report of a
-- mirror of the same rows shows, to a reader who has no right on the tables;
-- what there cannot be is left out, and said.
\i test/tap/setup.psql
SET LOCAL TimeZone = 'UTC';
SET LOCAL DateStyle = 'ISO, YMD';
\i test/tap/outcome.psql
\i test/tap/attached.psql
SELECT plan(123);
SET LOCAL client_min_messages = error;

-- what a report has to cope with: a removed instance with a NIC, NICs that are
-- half-removed, twice there, outside of the range; a placeholder, IPv6
INSERT INTO theirs.vm (id, uuid, name, type, state, account_id, created, removed) VALUES
	(3, '00000000-0000-0000-0000-0000000000b3', 'old', 'User', 'Destroyed', 5, '2024-01-01', '2024-04-01'),
	(4, NULL, 'router', 'DomainRouter', 'Running', 5, '2024-01-01', NULL);
INSERT INTO theirs.nic (id, uuid, instance_id, network_id, state, strategy, vm_type, device_id, default_nic, mac_address, ip4_address, ip6_address, created, state_changed, removed) VALUES
	(4, '00000000-0000-0000-0000-0000000000c4', 3, 1, 'Reserved', 'Start', 'User', 0, true, '02:00:00:00:00:04', '10.0.0.14', NULL, '2024-01-02', '2024-01-02', NULL),
	(5, '00000000-0000-0000-0000-0000000000c5', 2, 1, 'Deallocating', 'Start', 'User', 1, false, '02:00:00:00:00:05', '10.0.0.15', NULL, '2024-01-02', '2024-03-02', NULL),
	(6, '00000000-0000-0000-0000-0000000000c6', 2, 1, 'Reserved', 'Start', 'User', 2, false, '02:00:00:00:00:01', '10.9.0.15', '2001:db8::6', '2024-02-02', '2024-02-02', NULL),
	(7, '00000000-0000-0000-0000-0000000000c7', NULL, 1, 'Reserved', 'PlaceHolder', NULL, NULL, NULL, NULL, '10.0.0.1', NULL, '2024-01-02', '2024-01-02', NULL),
	(8, NULL, 4, 2, 'reserved', 'Start', 'DomainRouter', 0, true, '02:00:00:00:00:08', '10.0.1.13', NULL, '2024-01-02', '2024-01-02', NULL),
	(9, '00000000-0000-0000-0000-0000000000c9', 1, 1, 'Reserved', 'Start', 'User', 1, false, '02:00:00:00:00:09', '10.0.0.19', NULL, '2024-01-02', '2024-01-02', NULL);
ALTER TABLE cs.nics ADD ip6_address text;
TRUNCATE cs.vm_instance, cs.nics;
INSERT INTO cs.vm_instance SELECT id, uuid::text, name, type, state, account_id, created::timestamp, removed::timestamp FROM theirs.vm;
INSERT INTO cs.nics SELECT id, uuid::text, instance_id, network_id, state, strategy, vm_type, device_id, default_nic, mac_address::text, host(ip4_address), created, removed, state_changed, host(ip6_address) FROM theirs.nic;
UPDATE theirs.nic SET enabled = true;
DROP SCHEMA live CASCADE;
SELECT vmnet.attach_cloudstack('live', 'cs') \g /dev/null
INSERT INTO theirs.uvm SELECT coalesce(uuid, '00000000-0000-0000-0000-0000000000b4'), name, removed FROM theirs.vm WHERE id > 2;
INSERT INTO theirs.unic SELECT coalesce(n.uuid, '00000000-0000-0000-0000-0000000000c8'), w.uuid, coalesce(i.uuid, CASE WHEN i.id = 4 THEN '00000000-0000-0000-0000-0000000000b4'::uuid END), n.state, n.ip4_address, n.mac_address, n.removed
FROM theirs.nic n JOIN theirs.net w ON w.id = n.network_id LEFT JOIN theirs.vm i ON i.id = n.instance_id WHERE n.id > 3;

-- the oracle: CloudStack's rows imported, where "full" has the same
CALL vmnet.import_cloudstack('cs', 'mirror');
SELECT vmnet.create_report(n) FROM unnest('{mirror,full,few,uuids,live}'::name[]) n \g /dev/null

CREATE TEMP TABLE report_view AS SELECT name, ord FROM vmnet_internal.report_definition('mirror');
CREATE FUNCTION pg_temp.left_out(schema text) RETURNS text LANGUAGE sql AS $$
SELECT string_agg(name, ' ' ORDER BY ord) FROM report_view WHERE to_regclass(schema || '.' || name) IS NULL
$$;
SELECT is(pg_temp.left_out('full_report'), NULL, 'tables with every column have every view');
SELECT is(pg_temp.left_out('few_report'), 'nic_history network_instance_intervals networks_daily stuck_nics', 'a table with few columns lacks those that would always be empty');
SELECT is(pg_temp.left_out('uuids_report'), 'nic_history network_instance_intervals networks_daily stuck_nics', 'so do those without times');
SELECT is(pg_temp.left_out('live_report'), 'nic_history', 'a live inventory has no history');

-- columns of the same names and types
CREATE TEMP VIEW report_column AS
SELECT n.nspname::text AS schema, c.relname::text AS view, a.attname::text AS name, a.attnum, format_type(a.atttypid, a.atttypmod) AS type
FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE n.nspname ~ '_report$' AND a.attnum > 0;
SELECT is_empty(format($$ SELECT view, name, attnum, type FROM report_column r WHERE schema = %L
	EXCEPT SELECT view, name, attnum, type FROM report_column WHERE schema = 'mirror_report' $$, s), s || ' has the columns of any report')
FROM unnest('{full_report,few_report,live_report}'::text[]) s;
SELECT is_empty($$ SELECT view, name, attnum, CASE WHEN name ~ '^(network|instance|nic|object)_id$' THEN 'bigint' ELSE type END FROM report_column WHERE schema = 'uuids_report'
	EXCEPT SELECT view, name, attnum, type FROM report_column WHERE schema = 'mirror_report' $$, 'so has uuids_report, with ids that are texts');
SELECT set_eq($$ SELECT DISTINCT type FROM report_column WHERE schema = 'uuids_report' AND name ~ '^(network|instance|nic|object)_id$' $$, ARRAY['text'], 'all of them');

-- the rows, and who may see them; as time passes between two looks, seconds
-- are left out
CREATE ROLE attach_reader;
SELECT vmnet.grant_access(n, 'attach_reader', 'reader') FROM unnest('{mirror,full,few,uuids,live}'::name[]) n \g /dev/null
CREATE FUNCTION pg_temp.rows_of(view text) RETURNS SETOF text LANGUAGE plpgsql AS $$
BEGIN
	-- metrics bear the name of the inventory, and tell of its tables and imports; a
	-- mirror has a list of ranges
	RETURN QUERY EXECUTE format('SELECT (j - ARRAY[''seconds'', ''labels'', ''inventory'', ''all_cidrs''])::text FROM (SELECT to_jsonb(v) AS j FROM %s v) v
		WHERE coalesce(j->>''name'', '''') !~ ''^vmnet_(table|import|inventory)''', view);
END $$;
SELECT bag_eq(format('SELECT * FROM pg_temp.rows_of(%L)', s || '_report.' || name), format('SELECT * FROM pg_temp.rows_of(%L)', 'mirror_report.' || name), format('%s_report.%s has the rows of a mirror''s', s, name))
FROM unnest('{full,live}'::text[]) s, report_view WHERE name NOT IN ('nic_history', 'findings', 'imports', 'data_dictionary');
SELECT cmp_ok((SELECT count(*) FROM mirror_report.findings), '>=', 9::bigint, 'there are findings to compare');
SELECT bag_eq('SELECT finding, code, severity, object_type, object_id, since FROM full_report.findings',
	'SELECT finding, code, severity, object_type, object_id, since FROM mirror_report.findings', 'the findings of attached tables are those of a mirror');
SELECT bag_eq('SELECT code, object_type, object_id, message, fix FROM full_report.findings', 'SELECT code, object_type, object_id, message, fix FROM vmnet.check_inventory(''full'')', 'and what check_inventory() finds');
SELECT bag_eq('TABLE live_report.findings', 'TABLE mirror_report.findings', 'those of a live inventory are those of a mirror, to be mended at the source');
SELECT bag_eq('SELECT code, object_type, object_id, message, fix FROM live_report.findings', 'SELECT code, object_type, object_id, message, fix FROM vmnet.check_inventory(''live'')', 'so says check_inventory()');
SELECT bag_eq('SELECT network_name, attached_nics, active_instances, placeholders, allocated, reserving, reserved, deallocating, other_states, used_ip4 FROM uuids_report.network_counts',
	'SELECT network_name, attached_nics, active_instances, placeholders, allocated, reserving, reserved, deallocating, other_states, used_ip4 FROM mirror_report.network_counts', 'the counts of tables with uuid keys are right');
SELECT bag_eq('SELECT network_id, instance_id, nic_count FROM uuids_report.network_instances',
	'SELECT network_uuid, coalesce(instance_uuid, ''00000000-0000-0000-0000-0000000000b4''), nic_count FROM mirror_report.network_instances', 'so is who is where');
SELECT bag_eq($$ SELECT code, object_type, object_id FROM uuids_report.findings WHERE code NOT LIKE 'duplicate%' $$,
	$$ SELECT code, object_type, coalesce(object_uuid, '00000000-0000-0000-0000-0000000000c8') FROM mirror_report.findings
	WHERE code IN ('half_removed_nic', 'live_nic_on_removed_instance', 'unknown_state') $$, 'and what their columns tell of what is wrong');
SELECT bag_eq('SELECT nic_id, network_id, instance_id FROM few_report.nics', 'SELECT id::bigint, network_id::bigint, instance_id::bigint FROM theirs.port', 'few columns are reported, too');
DROP TRIGGER _vmnet_guard_full ON theirs.nic;
ALTER TABLE theirs.net DISABLE TRIGGER _vmnet_network_full;
SELECT bag_eq($$ SELECT code, message, fix FROM full_report.findings WHERE object_type = 'inventory' $$,
	$$ VALUES ('guard_missing', 'theirs.nic has no guard attached_nic_guard (AFTER INSERT OR UPDATE)', 'SELECT vmnet.set_inventory_mode(''full'', ''warn'', force => true);'),
		('guard_disabled', 'guard attached_network_guard (AFTER UPDATE OR DELETE) of theirs.net is disabled', 'ALTER TABLE theirs.net ENABLE TRIGGER _vmnet_network_full;') $$,
	'guards that are missing or disabled are reported');
SELECT is(pg_temp.outcome_as('attach_reader', format('SELECT count(*) FROM %s.%s', s, name)), 'accepted', format('a reader reads %s.%s', s, name))
FROM unnest('{full_report,few_report,uuids_report,live_report}'::text[]) s, report_view WHERE to_regclass(s || '.' || name) IS NOT NULL;
SELECT is(pg_temp.outcome_as('attach_reader', format('SELECT count(*) FROM %s', t)), '42501', 'but not ' || t)
FROM unnest('{"\"full\".nics",theirs.nic,live.nics,cs.nics}'::text[]) t;

-- history is reported once it is there
SELECT vmnet.set_inventory_mode('full', 'read_only') \g /dev/null
DROP VIEW full_report.nic_history;
SELECT vmnet.create_report('full') \g /dev/null
SELECT is(pg_temp.left_out('full_report'), 'nic_history', 'without guards there is no history');
SELECT vmnet.set_inventory_mode('full', 'warn') \g /dev/null
SELECT is_empty($$ SELECT * FROM full_report.findings WHERE object_type = 'inventory' $$, 'guards that were made anew are found');
UPDATE theirs.nic SET state = 'Releasing' WHERE id = 1;
SELECT results_eq('SELECT nic_id, event, network_name, instance_name FROM full_report.nic_history', $$ VALUES (1::bigint, 'ReleaseRequested', 'blue', 'web') $$, 'history is reported');

SELECT vmnet.partition_history('full') \g /dev/null
CREATE TABLE "full".nic_history_all PARTITION OF "full".nic_history DEFAULT;
UPDATE theirs.nic SET state = 'Allocated' WHERE id = 1;
SELECT is((SELECT string_agg(to_state, ' ') FROM full_report.nic_history), 'Allocated', 'also in partitions');

-- whose it is
SELECT is((SELECT string_agg(format('%s %s', schema_name, tenant), ', ') FROM vmnet.report_schemas('full')), 'full_report f', 'the reporting schema is known');
SELECT is(pg_temp.outcome($$ SELECT vmnet.grant_access('full', 'attach_reader', 'operator') $$), '22023', 'there are no operators of attached tables');
SELECT is(pg_temp.outcome($$ SELECT vmnet.grant_access('live', 'attach_reader', 'operator') $$), '22023', 'nor of a live inventory');
SELECT is(pg_temp.outcome($$ SELECT vmnet.create_report('live', 'live_tenants', true) $$), '22023', 'nor tenants of it');

-- tenants: policies on the tables hold
SELECT vmnet.create_report(n, n || '_tenants', true) FROM unnest('{full,uuids}'::text[]) n \g /dev/null
GRANT USAGE ON SCHEMA theirs, "full", full_tenants, uuids, uuids_tenants TO attach_reader;
GRANT SELECT ON ALL TABLES IN SCHEMA theirs, "full", full_tenants, uuids, uuids_tenants TO attach_reader;
ALTER TABLE theirs.nic ENABLE ROW LEVEL SECURITY;
ALTER TABLE theirs.unic ENABLE ROW LEVEL SECURITY;
CREATE POLICY own ON theirs.nic USING (instance_id = 1);
CREATE POLICY own ON theirs.unic USING (instance_id = '00000000-0000-0000-0000-0000000000b1');
SET LOCAL ROLE attach_reader;
CREATE TEMP TABLE seen AS SELECT (SELECT string_agg(nic_id::text, ' ' ORDER BY nic_id) FROM full_tenants.nics) AS tenant,
	(SELECT count(*) FROM full_report.nics) AS reader, (SELECT string_agg(right(nic_id, 2), ' ' ORDER BY nic_id) FROM uuids_tenants.nics) AS uuids;
RESET ROLE;
SELECT is((SELECT tenant FROM seen), '1 9', 'a tenant sees what the policy on the table shows');
SELECT is((SELECT uuids FROM seen), 'c1 c9', 'with uuid keys, too');
SELECT is((SELECT reader FROM seen), (SELECT count(*) FROM full_report.nics), 'a reader all');

-- A report must not keep the owner of an attached table from altering it.
SELECT lives_ok(format($$ ALTER TABLE %s ADD COLUMN extra int GENERATED ALWAYS AS (1) STORED, ADD COLUMN later timestamptz DEFAULT clock_timestamp() $$, vmnet_internal.attached_table('full', r)), 'a table of ' || r || ' with a report on it can be written anew')
FROM unnest('{nics,networks}'::text[]) r;

-- detach
SELECT is(pg_temp.outcome($$ SELECT vmnet.detach_inventory('full') $$), '2BP01', 'an inventory with a report is not detached unawares');
DROP SCHEMA full_report, full_tenants CASCADE;
SELECT is(pg_temp.outcome($$ SELECT vmnet.detach_inventory('full') $$), 'accepted', 'without it is');
SELECT * FROM finish();
ROLLBACK;
