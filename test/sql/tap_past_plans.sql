-- Questions about the past are answered from indexes, in both kinds of
-- inventory, however many NICs there were.
\i test/tap/setup.psql
SELECT plan(22);
SELECT vmnet.create_inventory('m', 'mirror') \g /dev/null

-- 200 networks; on each 10 instances now, and 90 NICs that are gone
CREATE PROCEDURE pg_temp.fill(inventory text) LANGUAGE plpgsql AS $$
BEGIN
	SET LOCAL session_replication_role = replica;
	EXECUTE format('INSERT INTO %I.all_networks (id) SELECT generate_series(1, 200)', inventory);
	EXECUTE format('INSERT INTO %I.all_instances (id) SELECT generate_series(1, 2000)', inventory);
	EXECUTE format('INSERT INTO %I.all_nics (id, instance_id, network_id, state, default_nic, ip4_address, mac_address, created, state_changed, removed)
		SELECT g, 1 + g %% 2000, 1 + g %% 200, CASE WHEN g <= 2000 THEN ''Reserved'' ELSE ''Deallocating'' END, false,
			''10.0.0.0''::inet + g, lpad(to_hex(g), 12, ''0'')::macaddr, ''2025-01-01''::timestamptz + g * interval ''1 minute'',
			''2026-01-01'', CASE WHEN g > 2000 THEN timestamptz ''2026-01-01'' END
		FROM generate_series(1, 20000) g', inventory);
	EXECUTE format('INSERT INTO %I.nic_history (nic_id, network_id, from_state, to_state, event, session_username, transaction_id)
		SELECT g, 1 + g %% 200, ''Allocated'', ''Reserved'', ''ReservationRequested'', session_user, pg_current_xact_id()::text::bigint FROM generate_series(1, 20000) g', inventory);
	EXECUTE format('INSERT INTO %I.all_nic_secondary_ips (nic_id, network_id, ip4_address, ip6_address)
		SELECT g, 1 + g %% 200, ''10.1.0.0''::inet + g, ''fd00::''::inet + g FROM generate_series(1, 20000) g', inventory);
	EXECUTE format('INSERT INTO %I.all_ip_addresses (ip_address, state, source_network_id, network_id, allocated)
		SELECT ''10.2.0.0''::inet + g, ''Allocated'', 1 + g %% 200, 1 + g %% 200, ''2026-01-01'' FROM generate_series(1, 40000) g', inventory);
	SET LOCAL session_replication_role = origin;
END
$$;
CALL pg_temp.fill('cloud');
CALL pg_temp.fill('m');

-- What the functions read, in pages: far less than the tables have.
CREATE FUNCTION pg_temp.pages(query text) RETURNS bigint
LANGUAGE plpgsql AS $$
DECLARE
	plan jsonb;
BEGIN
	EXECUTE query;		-- plans and catalogs
	EXECUTE 'EXPLAIN (ANALYZE, BUFFERS, COSTS OFF, TIMING OFF, FORMAT JSON) ' || query INTO plan;
	RETURN (plan->0->'Plan'->>'Shared Hit Blocks')::bigint + (plan->0->'Plan'->>'Shared Read Blocks')::bigint;
END
$$;
-- Addresses, one and those of a range, in both kinds: the pages that are read are
-- those of the answer.  With and without statistics.
CREATE FUNCTION pg_temp.too_many(inventory text, at_most bigint) RETURNS TABLE (address inet, pages bigint) LANGUAGE sql AS $$
SELECT a::inet, p.pages
FROM unnest(ARRAY['10.0.0.7', '10.1.0.7', '10.2.0.7', 'fd00::7', '10.0.0.0/28', '10.1.0.0/28', '10.2.0.0/28', 'fd00::/124']) a,
	LATERAL (SELECT pg_temp.pages(format('SELECT * FROM vmnet.ip_holders(%L, inventory => %L)', a, inventory)) AS pages) p
WHERE p.pages > at_most * CASE WHEN a LIKE '%/%' THEN 3 ELSE 1 END
$$;
SELECT is_empty($$SELECT * FROM pg_temp.too_many('cloud', 300)$$, 'managed: holders of addresses, without statistics');
SELECT is_empty($$SELECT * FROM pg_temp.too_many('m', 330)$$, 'mirror: the same');
ANALYZE cloud.all_nics, cloud.all_ip_addresses, cloud.all_nic_secondary_ips, cloud.all_networks, cloud.all_instances, cloud.nic_history;
ANALYZE m.all_nics, m.all_ip_addresses, m.all_nic_secondary_ips, m.all_networks, m.all_instances, m.nic_history;

-- Names of the indexes that a plan scans, and of the tables that it reads whole.
CREATE FUNCTION pg_temp.scans(query text) RETURNS text
LANGUAGE plpgsql AS $$
DECLARE
	plan jsonb;
BEGIN
	EXECUTE 'EXPLAIN (FORMAT JSON) ' || query INTO plan;
	RETURN (SELECT string_agg(DISTINCT s, ' ' ORDER BY s) FROM (
		SELECT CASE WHEN n->>'Node Type' = 'Seq Scan' THEN 'all of ' || (n->>'Relation Name') ELSE n->>'Index Name' END AS s
		FROM jsonb_path_query(plan, 'strict $.** ? (exists (@."Node Type"))') n) s WHERE s <> 'all of nic_address_history');
END
$$;
SELECT is(pg_temp.scans($$SELECT instance_id FROM cloud.nic_intervals i WHERE network_id = 7 AND i.from <= '2025-06-01' AND (i.to IS NULL OR i.to > '2025-06-01')$$),
	'all_nics_network_created_idx', 'managed: who was on a network, from nic_intervals');
SELECT is(pg_temp.scans($$SELECT nic_id FROM cloud.nic_history WHERE nic_id = 7 ORDER BY seq$$),
	'nic_history_nic_idx', 'the history of a NIC');
SELECT matches(pg_temp.scans($$SELECT instance_id FROM m.nic_intervals i WHERE network_id = 7 AND i.from <= '2025-06-01' AND (i.to IS NULL OR i.to > '2025-06-01')$$),
	'all_nics_network_created_idx', 'mirror: who was on a network');
SELECT doesnt_match(pg_temp.scans($$SELECT instance_id FROM m.nic_intervals i WHERE network_id = 7 AND i.from <= '2025-06-01' AND (i.to IS NULL OR i.to > '2025-06-01')$$),
	'all of', 'no table is read whole');
SELECT doesnt_match(pg_temp.scans($$SELECT * FROM cloud.network_instance_intervals i WHERE network_id = 7$$), 'all of all_nics', 'nor for network_instance_intervals');
SELECT doesnt_match(pg_temp.scans($$SELECT * FROM cloud.nic_address_intervals i WHERE ip4_address = '10.0.0.7'$$), 'all of', 'an IPv4 address is looked up');
SELECT doesnt_match(pg_temp.scans($$SELECT * FROM m.nic_address_intervals i WHERE mac_address = '00:00:00:00:00:07'$$), 'all of', 'so is a MAC address');

SELECT matches(pg_temp.scans($$SELECT * FROM cloud.nic_address_intervals i WHERE ip4_address = '10.1.0.7'$$), 'all_nic_secondary_ips_ip4_idx', 'as a secondary one, too');
SELECT matches(pg_temp.scans($$SELECT * FROM m.nic_address_intervals i WHERE ip6_address >= 'fd00::' AND ip6_address < 'fd00::8'$$), 'all_nic_secondary_ips_ip6_idx', 'and a range');

SELECT cmp_ok((SELECT relpages FROM pg_class WHERE oid = 'cloud.all_nics'::regclass)::bigint, '>', 300::bigint, 'the tables are large enough to tell');
SELECT cmp_ok((SELECT relpages FROM pg_class WHERE oid = 'cloud.all_ip_addresses'::regclass)::bigint, '>', 300::bigint, 'that of public addresses, too');
SELECT cmp_ok(pg_temp.pages($$SELECT * FROM vmnet.network_instances_as_of(7, '2025-06-01')$$), '<', 400::bigint, 'managed: as of, about 110 NICs and their instances');
SELECT cmp_ok(pg_temp.pages($$SELECT * FROM vmnet.network_instances_as_of(7, '2025-06-01', 'm')$$), '<', 800::bigint, 'mirror: the same');
SELECT cmp_ok(pg_temp.pages($$SELECT * FROM vmnet.ip_holders('10.0.0.7')$$), '<', 260::bigint, 'an address, planning included');
SELECT cmp_ok(pg_temp.pages($$SELECT * FROM vmnet.ip_holders('10.1.0.7')$$), '<', 260::bigint, 'a secondary address');
SELECT cmp_ok(pg_temp.pages($$SELECT * FROM vmnet.ip_holders('10.2.0.7')$$), '<', 260::bigint, 'a public address');
SELECT is_empty($$SELECT * FROM pg_temp.too_many('cloud', 300)$$, 'managed: holders of addresses, with statistics');
SELECT is_empty($$SELECT * FROM pg_temp.too_many('m', 330)$$, 'mirror: the same');
SELECT cmp_ok(pg_temp.pages($$SELECT * FROM vmnet.nic_timeline(7)$$), '<', 60::bigint, 'a timeline');
SELECT cmp_ok(pg_temp.pages($$SELECT * FROM vmnet.nic_explain(7)$$), '<', 60::bigint, 'an explanation');

SELECT * FROM finish();
ROLLBACK;
