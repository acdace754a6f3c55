-- What mappers and generators of models read from the catalogs is what they can use.
\i test/tap/setup.psql

SELECT plan(16);
SET LOCAL client_min_messages = error;
SELECT vmnet.create_inventory('fresh'), vmnet.create_inventory('copy', 'mirror') \g /dev/null
SELECT vmnet.create_report('fresh'), vmnet.create_report('copy'), vmnet.create_report('fresh', 'fresh_tenants', true) \g /dev/null
CREATE TEMP TABLE ours AS SELECT c.oid, c.relname, c.relkind, n.nspname
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE n.nspname IN ('vmnet', 'fresh', 'copy', 'fresh_report', 'copy_report', 'fresh_tenants') AND c.relkind IN ('r', 'v', 'p');

-- Names and types.
SELECT is_empty($$SELECT DISTINCT p.proname FROM pg_proc p JOIN ours o ON o.relname = p.proname WHERE p.pronamespace = 'vmnet'::regnamespace$$,
	'no name is that of a relation and of a function');
SELECT is_empty($$SELECT o.oid::regclass, a.attname, a.atttypid::regtype FROM ours o JOIN pg_attribute a ON a.attrelid = o.oid AND a.attnum > 0
	WHERE a.atttypid::regtype::text ~ '^(xid|name|oid|reg|pg_)' AND o.nspname <> 'vmnet'$$, 'no column has a type that only the server uses');
SELECT is_empty($$SELECT i.indexrelid::regclass FROM ours o JOIN pg_index i ON i.indrelid = o.oid AND i.indisunique AND i.indnkeyatts = 1
		JOIN pg_attribute a ON a.attrelid = o.oid AND a.attnum = i.indkey[0]
	WHERE a.attname IN ('network_id', 'instance_id', 'nic_id')$$, 'no unique index reads as a relation of one to one');
SELECT is_empty($$SELECT o.oid::regclass, a.attname FROM ours o JOIN pg_attrdef d ON d.adrelid = o.oid JOIN pg_attribute a ON a.attrelid = o.oid AND a.attnum = d.adnum
	WHERE o.relname = 'nic_history' AND a.attname NOT IN ('seq', 'at')$$, 'history has no defaults that generators cannot write');

-- Defaults.
CREATE VIEW pg_temp.told AS
SELECT v.table_schema::text AS s, v.table_name::text AS relation, v.column_name::text AS name, v.column_default::text AS view_default,
	CASE t.is_generated WHEN 'NEVER' THEN t.column_default::text END AS table_default
FROM information_schema.columns v
	JOIN information_schema.columns t ON t.table_schema = v.table_schema AND t.table_name = 'all_' || v.table_name AND t.column_name = v.column_name
WHERE v.table_schema IN ('cloud', 'fresh', 'copy');
SELECT is((SELECT count(*) FROM pg_temp.told WHERE s = 'fresh' AND view_default IS NOT NULL), (SELECT count(*) FROM vmnet_internal.inventory_columns()
	WHERE in_view AND how = 'default' AND relation IN ('all_networks', 'all_instances', 'all_nics', 'all_nic_secondary_ips', 'all_ip_ranges', 'all_ip_addresses')), 'the live views have defaults');
SELECT is_empty($$SELECT * FROM pg_temp.told WHERE view_default IS DISTINCT FROM table_default AND name <> 'id'$$, 'those of the tables');
SELECT is_empty($$SELECT * FROM pg_temp.told WHERE view_default IS NOT NULL AND name IN ('id', 'default_nic')$$, 'but none for id and default_nic');
SELECT is_empty($$SELECT * FROM pg_temp.told WHERE name IN ('active', 'ended')$$, 'and no generated columns');
ALTER TABLE cloud.all_nics ALTER strategy SET DEFAULT 'Create', ALTER mtu SET DEFAULT 1500, ADD COLUMN rack text DEFAULT 'r1', ADD COLUMN twice bigint GENERATED ALWAYS AS (2 * id) STORED;
SELECT is((SELECT array_agg(format('%s %s', column_name, change) ORDER BY column_name, change)::text FROM vmnet.refresh_views('cloud')),
	'{"mtu default 1500","rack added","rack default ''r1''::text","strategy default ''Create''::text","twice added"}', 'refresh_views() copies changed ones');
SELECT is_empty($$SELECT * FROM pg_temp.told WHERE s = 'cloud' AND view_default IS DISTINCT FROM table_default AND name <> 'id'$$, 'they are those of the tables again');
INSERT INTO cloud.networks (id) VALUES (1);
INSERT INTO cloud.instances (id) VALUES (1);
INSERT INTO cloud.nics (id, instance_id, network_id, strategy, rack, mtu) VALUES (1, 1, 1, NULL, NULL, NULL);
SELECT is((SELECT concat_ws(',', strategy, coalesce(rack, 'NULL'), coalesce(mtu::text, 'NULL')) FROM cloud.nics WHERE id = 1), 'Create,NULL,NULL',
	'NULL is the default of the columns that are NOT NULL, and stays where it can');

-- What is not for writing says so.
SELECT set_eq($$SELECT oid::regclass::text FROM ours WHERE relkind = 'v' AND pg_relation_is_updatable(oid, true) <> 0$$,
	$$SELECT s || '.' || v FROM unnest('{fresh,copy}'::text[]) s, unnest('{networks,instances,nics,nic_secondary_ips,ip_ranges,ip_addresses}'::text[]) v$$,
	'only the live views can be written to');

-- Keys.
SELECT is_empty($$SELECT o.oid::regclass FROM ours o WHERE o.relkind = 'v' AND o.nspname ~ '_(report|tenants)$'
	AND NOT EXISTS (SELECT FROM pg_attribute a WHERE a.attrelid = o.oid AND a.attname = 'key' AND a.atttypid = 'text'::regtype
		AND col_description(o.oid, a.attnum) ~ 'unique')$$, 'every reporting view has a column key');
SELECT is_empty($$SELECT o.oid::regclass FROM ours o JOIN pg_attribute a ON a.attrelid = o.oid AND a.attname = 'key' AND a.attnum > 0
	WHERE o.nspname ~ '_(report|tenants)$' AND EXISTS (SELECT FROM pg_attribute c WHERE c.attrelid = o.oid AND c.attnum > a.attnum
			-- columns that came later are appended, too
			AND c.attname NOT IN ('host_name', 'all_cidrs', 'all_gateways', 'counted_by', 'object', 'accepted', 'accepted_until', 'accepted_by', 'accepted_reason', 'ip_ranges_read', 'ip_addresses_read'))$$,
	'at the end');
INSERT INTO fresh.networks (id, name, cidr, created, vpc_id) SELECT n, 'n' || n, format('10.%s.0.0/24', n)::cidr, now() - interval '5 days', 1 FROM generate_series(1, 4) n;
INSERT INTO fresh.instances (id, name, created) SELECT n, 'i' || n, now() - interval '5 days' FROM generate_series(1, 4) n;
INSERT INTO fresh.nics (id, network_id, instance_id, created) SELECT 4 * w + i, w, i, now() - interval '4 days' FROM generate_series(1, 4) w, generate_series(1, 4) i;
UPDATE fresh.nics SET state = 'Reserving' WHERE id IN (5, 6, 10);
DELETE FROM fresh.nics WHERE id = 20;
INSERT INTO fresh.nics (id, network_id, instance_id, ip4_address) VALUES (40, 4, 4, '10.0.0.40');
SET LOCAL session_replication_role = replica;
UPDATE fresh.all_nics SET state_changed = now() - interval '1 day' WHERE id IN (5, 6, 10);
SET LOCAL session_replication_role = origin;
CREATE FUNCTION pg_temp.keys(view regclass, OUT n bigint, OUT keys bigint) LANGUAGE plpgsql AS $$
BEGIN
	EXECUTE format('SELECT count(*), count(DISTINCT key) FROM %s', view) INTO n, keys;
END $$;
SELECT is_empty($$SELECT o.oid::regclass, k.* FROM ours o, pg_temp.keys(o.oid) k WHERE o.relkind = 'v' AND o.nspname ~ '_(report|tenants)$' AND k.n <> k.keys$$,
	'which is unique, and never NULL');
SELECT is((SELECT array_agg(o.relname::text ORDER BY o.relname) FROM ours o, pg_temp.keys(o.oid) k WHERE o.nspname = 'fresh_report' AND o.relkind = 'v' AND k.n = 0)::text,
	'{imports}', 'as far as there are rows');
SELECT * FROM finish();
ROLLBACK;
