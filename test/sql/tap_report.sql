-- The reporting schema on random data: against an oracle that counts in another
-- way, at the edges of address ranges, and by the plans of its queries.
\i test/tap/setup.psql
SELECT plan(59);
-- Do two queries give the same rows, and some at all?
CREATE FUNCTION pg_temp.same(wanted text, got text, name text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	missing text; extra text; n bigint;
BEGIN
	EXECUTE format('SELECT string_agg(x::text, '' '') FROM (SELECT * FROM (SELECT * FROM (%s) a EXCEPT ALL SELECT * FROM (%s) b) d LIMIT 3) x', wanted, got) INTO missing;
	EXECUTE format('SELECT string_agg(x::text, '' '') FROM (SELECT * FROM (SELECT * FROM (%s) a EXCEPT ALL SELECT * FROM (%s) b) d LIMIT 3) x', got, wanted) INTO extra;
	EXECUTE format('SELECT count(*) FROM (%s) x', got) INTO n;
	RETURN ok(missing IS NULL AND extra IS NULL AND n > 0, name) || coalesce(E'\n# missing: ' || missing, '') || coalesce(E'\n# extra: ' || extra, '');
END $$;

-- A mirror may hold whatever its source held, so nothing here is refused.
SELECT vmnet.create_inventory('m', 'mirror') \g /dev/null
SELECT setseed(0.10188) \g /dev/null
SET LOCAL session_replication_role = replica;
INSERT INTO m.all_networks (id, name, cidr, ip6_cidr, account_id, created, removed)
SELECT g, 'net' || g,
	(ARRAY['10.0.0.0/24', '10.0.0.0/25', '10.0.0.4/30', '10.0.0.2/31', '10.0.0.7/32', '0.0.0.0/0', '10.0.0.0/8', NULL]::cidr[])[1 + g % 8],
	(ARRAY['fd00::/64', 'fd00::/120', 'fd00::2/127', 'fd00::7/128', '::/0', NULL]::cidr[])[1 + g % 6],
	g % 3, now() - interval '30 days' * random(), CASE WHEN g % 11 = 0 THEN now() END
FROM generate_series(1, 400) g;
INSERT INTO m.all_instances (id, name, type, state, account_id, created, removed)
SELECT g, 'i' || g, (ARRAY['User', 'User', 'User', 'DomainRouter', 'ConsoleProxy'])[1 + g % 5], (ARRAY['Running', 'Stopped'])[1 + g % 2],
	g % 3, now() - interval '30 days', CASE WHEN g % 13 = 0 THEN now() END
FROM generate_series(1, 3000) g;
INSERT INTO m.all_nics (id, instance_id, network_id, state, vm_type, device_id, ip4_address, ip6_address, created, state_changed, removed)
SELECT g, CASE WHEN random() > 0.05 THEN 1 + (random() * 2999)::int END, 1 + (random() * 399)::int,
	(ARRAY['Allocated', 'Reserving', 'Reserved', 'Releasing', 'Deallocating', 'deallocating', 'Plugged'])[1 + (random() * 6)::int],
	'User', (random() * 3)::int,
	CASE WHEN random() > 0.2 THEN '10.0.0.0'::inet + (random() * 200)::int END, CASE WHEN random() > 0.5 THEN 'fd00::'::inet + (random() * 200)::int END,
	now() - interval '20 days' * random() - interval '1 day', now() - interval '12 hours', CASE WHEN random() < 0.3 THEN now() - interval '10 hours' * random() END
FROM generate_series(1, 8000) g;
-- more addresses than a range has for use
INSERT INTO m.all_networks (id, cidr, ip6_cidr) VALUES (401, '10.0.0.4/30', 'fd00::2/127');
INSERT INTO m.all_nics (id, network_id, ip4_address, ip6_address) SELECT 20000 + g, 401, '10.0.0.4'::inet + g, 'fd00::2'::inet + g FROM generate_series(0, 3) g;
INSERT INTO m.all_nic_secondary_ips (id, nic_id, network_id, ip4_address, ip6_address, removed)
SELECT n.id, n.id, n.network_id, '10.0.0.100'::inet + (n.id % 120)::int, CASE WHEN n.id % 2 = 0 THEN 'fd00::ff'::inet END, CASE WHEN n.id % 7 = 0 THEN now() END
FROM m.all_nics n WHERE n.id % 5 = 0;
INSERT INTO m.nic_history (nic_id, network_id, instance_id, from_state, to_state, event, at, session_username, transaction_id)
SELECT id, network_id, instance_id, 'Allocated', state, 'Imported', state_changed, session_user, 1 FROM m.all_nics;
SET LOCAL session_replication_role = origin;
ANALYZE m.all_networks; ANALYZE m.all_instances; ANALYZE m.all_nics; ANALYZE m.all_nic_secondary_ips; ANALYZE m.nic_history;
SELECT is(vmnet.create_report('m'), 'm_report', 'the reporting schema is made');

-- Counting one by one, with other operators.
CREATE TEMP TABLE live AS
SELECT * FROM m.all_nics n WHERE n.removed IS NULL AND n.state NOT IN ('Deallocating', 'deallocating');
CREATE TEMP TABLE held AS SELECT * FROM m.all_nics WHERE removed IS NULL;
CREATE TEMP TABLE used AS
SELECT network_id, host(ip4_address) AS address FROM live WHERE ip4_address IS NOT NULL
UNION SELECT network_id, host(ip6_address) FROM live WHERE ip6_address IS NOT NULL
UNION SELECT network_id, host(ip4_address) FROM m.all_nic_secondary_ips WHERE removed IS NULL AND nic_id IN (SELECT id FROM live)
UNION SELECT network_id, host(ip6_address) FROM m.all_nic_secondary_ips WHERE removed IS NULL AND ip6_address IS NOT NULL AND nic_id IN (SELECT id FROM live);
CREATE TEMP TABLE oracle AS
SELECT w.id AS network_id, w.cidr, w.ip6_cidr,
	CASE WHEN w.cidr IS NULL THEN NULL WHEN broadcast(w.cidr) - network(w.cidr) < 2 THEN broadcast(w.cidr) - network(w.cidr) + 1
		ELSE broadcast(w.cidr) - network(w.cidr) - 1 END AS usable,
	2::numeric ^ (128 - masklen(w.ip6_cidr)) AS usable6,
	(SELECT count(*) FROM used u WHERE u.network_id = w.id AND u.address NOT LIKE '%:%') AS everywhere,
	(SELECT count(*) FROM used u WHERE u.network_id = w.id AND u.address NOT LIKE '%:%'
		AND u.address::inet BETWEEN host(network(w.cidr))::inet AND host(broadcast(w.cidr))::inet) AS inside,
	(SELECT count(*) FROM used u WHERE u.network_id = w.id AND u.address LIKE '%:%') AS everywhere6,
	(SELECT count(*) FROM used u WHERE u.network_id = w.id AND u.address LIKE '%:%'
		AND u.address::inet BETWEEN host(network(w.ip6_cidr))::inet AND host(broadcast(w.ip6_cidr))::inet) AS inside6
FROM m.all_networks w WHERE w.removed IS NULL;
SELECT cmp_ok(count(*), '>', 300::bigint, 'the oracle has networks') FROM oracle;
SELECT pg_temp.same('SELECT network_id, cidr::text, usable, CASE WHEN cidr IS NOT NULL THEN inside END, CASE WHEN cidr IS NOT NULL THEN everywhere - inside END, everywhere FROM oracle',
	'SELECT network_id, cidr, usable, used, outside_cidr, addresses FROM m_report.network_ip_usage', 'IPv4: usable, used, outside and all addresses');
SELECT pg_temp.same('SELECT network_id, CASE WHEN usable >= inside THEN usable - inside ELSE usable - usable END FROM oracle',
	'SELECT network_id, free FROM m_report.network_ip_usage', 'IPv4: free is what is left, never negative');
SELECT cmp_ok(count(*), '>', 0::bigint, '... though more is used than there is, somewhere') FROM oracle WHERE inside > usable;
SELECT pg_temp.same('SELECT network_id, usable6::double precision, CASE WHEN ip6_cidr IS NOT NULL THEN inside6 END, CASE WHEN ip6_cidr IS NOT NULL THEN everywhere6 - inside6 END, everywhere6 FROM oracle',
	'SELECT network_id, ip6_usable, ip6_used, ip6_outside_cidr, ip6_addresses FROM m_report.network_ip_usage', 'IPv6: usable, used, outside and all addresses');
SELECT pg_temp.same('SELECT network_id, CASE WHEN usable6 < inside6 THEN 0 ELSE (usable6 - inside6) END::double precision FROM oracle',
	'SELECT network_id, ip6_free FROM m_report.network_ip_usage', 'IPv6: free, up to 2^128');
SELECT is((SELECT count(*) FROM m_report.network_ip_usage WHERE percent NOT BETWEEN 0 AND 100 OR ip6_percent NOT BETWEEN 0 AND 100 OR free < 0 OR ip6_free < 0), 0::bigint, 'no percentage outside 0 to 100');
SELECT is((SELECT count(*) FROM m_report.network_ip_usage u JOIN oracle o USING (network_id)
	WHERE o.usable IS NOT NULL AND abs(u.percent - least(100, 100.0 * o.inside / o.usable)) > 0.000001), 0::bigint, 'percent is that of usable');
SELECT is((SELECT count(*) FROM m_report.network_ip_usage WHERE (cidr IS NULL) <> (usable IS NULL) OR (cidr IS NULL) <> (used IS NULL)
	OR (cidr IS NULL) <> (free IS NULL) OR (cidr IS NULL) <> (percent IS NULL) OR (cidr IS NULL) <> (outside_cidr IS NULL) OR addresses IS NULL
	OR (ip6_cidr IS NULL) <> (ip6_usable IS NULL) OR (ip6_cidr IS NULL) <> (ip6_used IS NULL) OR (ip6_cidr IS NULL) <> (ip6_free IS NULL)
	OR (ip6_cidr IS NULL) <> (ip6_percent IS NULL) OR (ip6_cidr IS NULL) <> (ip6_outside_cidr IS NULL) OR ip6_addresses IS NULL), 0::bigint, 'NULL without a range, and only then');
SELECT results_eq($$SELECT DISTINCT cidr, usable FROM m_report.network_ip_usage WHERE cidr IS NOT NULL ORDER BY 2, 1$$,
	$$VALUES ('10.0.0.7/32', 1::bigint), ('10.0.0.2/31', 2), ('10.0.0.4/30', 2), ('10.0.0.0/25', 126), ('10.0.0.0/24', 254), ('10.0.0.0/8', 16777214), ('0.0.0.0/0', 4294967294)$$, 'sizes of IPv4 ranges');
SELECT results_eq($$SELECT DISTINCT ip6_cidr, ip6_usable FROM m_report.network_ip_usage WHERE ip6_cidr IS NOT NULL ORDER BY 2$$,
	$$VALUES ('fd00::7/128', 1::double precision), ('fd00::2/127', 2), ('fd00::/120', 256), ('fd00::/64', 18446744073709551616), ('::/0', 340282366920938463463374607431768211456)$$, 'sizes of IPv6 ranges');

SELECT pg_temp.same($$SELECT w.id,
		(SELECT count(*) FROM live n WHERE n.network_id = w.id AND EXISTS (SELECT FROM m.all_instances i WHERE i.id = n.instance_id AND i.removed IS NULL)),
		(SELECT count(DISTINCT i.id) FROM live n JOIN m.all_instances i ON i.id = n.instance_id WHERE n.network_id = w.id AND i.removed IS NULL),
		(SELECT count(DISTINCT i.id) FROM live n JOIN m.all_instances i ON i.id = n.instance_id WHERE n.network_id = w.id AND i.removed IS NULL AND i.state = 'Running'),
		(SELECT count(DISTINCT i.id) FROM live n JOIN m.all_instances i ON i.id = n.instance_id WHERE n.network_id = w.id AND i.removed IS NULL AND i.type = 'User'),
		(SELECT count(DISTINCT i.id) FROM live n JOIN m.all_instances i ON i.id = n.instance_id WHERE n.network_id = w.id AND i.removed IS NULL AND i.type = 'DomainRouter'),
		(SELECT count(*) FROM live n WHERE n.network_id = w.id AND n.instance_id IS NULL),
		(SELECT count(DISTINCT n.ip4_address) FROM live n WHERE n.network_id = w.id)
	FROM m.all_networks w WHERE w.removed IS NULL$$,
	'SELECT network_id, attached_nics, active_instances, running_instances, user_instances, routers, placeholders, used_ip4 FROM m_report.network_counts', 'counts of what is active');
SELECT pg_temp.same($$SELECT w.id, s.state, (SELECT count(*) FROM held n WHERE n.network_id = w.id AND n.state = s.state)
	FROM m.all_networks w, (VALUES ('Allocated'), ('Reserving'), ('Reserved'), ('Releasing'), ('Deallocating')) s (state) WHERE w.removed IS NULL
	UNION ALL SELECT w.id, 'other', (SELECT count(*) FROM held n WHERE n.network_id = w.id AND n.state IN ('deallocating', 'Plugged')) FROM m.all_networks w WHERE w.removed IS NULL$$,
	$$SELECT network_id, x.* FROM m_report.network_counts, LATERAL (VALUES ('Allocated', allocated), ('Reserving', reserving), ('Reserved', reserved),
		('Releasing', releasing), ('Deallocating', deallocating), ('other', other_states)) x (state, n)$$, 'counts by state');
SELECT pg_temp.same($$SELECT DISTINCT ON (n.network_id, n.instance_id) n.network_id, n.instance_id, n.id, host(n.ip4_address),
		(SELECT count(*) FROM live o WHERE o.network_id = n.network_id AND o.instance_id = n.instance_id)
	FROM live n JOIN m.all_instances i ON i.id = n.instance_id AND i.removed IS NULL JOIN m.all_networks w ON w.id = n.network_id AND w.removed IS NULL
	ORDER BY n.network_id, n.instance_id, n.device_id NULLS LAST, n.id$$,
	'SELECT network_id, instance_id, nic_id, ip4_address, nic_count FROM m_report.network_instances', 'one row per network and instance');
SELECT pg_temp.same('SELECT id FROM live', 'SELECT nic_id FROM m_report.nics', 'live NICs');
SELECT pg_temp.same($$SELECT id, CASE lower(state) WHEN 'allocated' THEN 1 WHEN 'reserving' THEN 2 WHEN 'reserved' THEN 3 WHEN 'releasing' THEN 4 ELSE 5 END FROM live$$,
	'SELECT nic_id, nic_state_order FROM m_report.nics', 'states have an order');
SELECT pg_temp.same($$SELECT id FROM live WHERE state IN ('Reserving', 'Releasing')$$, 'SELECT nic_id FROM m_report.stuck_nics', 'stuck NICs');

-- Days, counted day by day from the intervals.
SELECT pg_temp.same($$SELECT w.id, d.day, (SELECT count(DISTINCT n.instance_id) FROM m.all_nics n JOIN m.all_instances i ON i.id = n.instance_id
		WHERE n.network_id = w.id AND n.created < d.day + interval '24 hours'
			AND coalesce(least(n.ended, i.removed, w.removed), 'infinity') >= d.day + interval '24 hours'
			AND coalesce(least(n.ended, i.removed, w.removed), 'infinity') > n.created)
	FROM m.all_networks w, generate_series(date_trunc('day', now(), 'UTC') - interval '120 hours', date_trunc('day', now(), 'UTC') - interval '24 hours', interval '24 hours') d (day)
	WHERE w.id < 60 AND d.day >= date_trunc('day', least(w.created, (SELECT min(n.created) FROM m.all_nics n JOIN m.all_instances i ON i.id = n.instance_id
		WHERE n.network_id = w.id AND coalesce(least(n.ended, i.removed, w.removed), 'infinity') > n.created)), 'UTC')$$,
	$$SELECT network_id, "time", active_instances FROM m_report.networks_daily WHERE network_id < 60
		AND "time" >= date_trunc('day', now(), 'UTC') - interval '120 hours' AND "time" < date_trunc('day', now(), 'UTC')$$, 'members by day');
SELECT is((SELECT count(*) FROM m_report.networks_daily d WHERE d."time" > now()), 0::bigint, 'no day to come');
-- Times that cannot be counted from do not hang it.
SET LOCAL session_replication_role = replica;
INSERT INTO m.all_networks (id, created) VALUES (1001, '-infinity'), (1002, 'infinity'), (1003, '1970-01-01 00:00:00+00'), (1004, now() + interval '3 days');
INSERT INTO m.all_instances (id) VALUES (5001);
INSERT INTO m.all_nics (id, network_id, instance_id, created) VALUES (30001, 1003, 5001, '2020-01-01 12:00:00+00'), (30002, 1002, 5001, '-infinity'), (30003, 1001, 5001, now() + interval '2 days');
SET LOCAL session_replication_role = origin;
SELECT is((SELECT count(*) FROM m_report.networks_daily WHERE network_id = 1001), 0::bigint, 'nothing is known of its days yet');
SELECT is((SELECT min("time") FROM m_report.networks_daily WHERE network_id = 1002), '1970-01-01 00:00:00+00'::timestamptz, 'time begins in 1970');
SELECT is((SELECT min("time") FROM m_report.networks_daily WHERE network_id = 1003), '2020-01-01 00:00:00+00'::timestamptz, 'a network made in 1970 begins with its first use');
SELECT is((SELECT count(*) FROM m_report.networks_daily WHERE network_id = 1004), 0::bigint, 'a network to come has no days');

-- Plans: one network is found by index in every view that has networks.
CREATE FUNCTION pg_temp.plan_of(query text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	line text; lines text := '';
BEGIN
	FOR line IN EXECUTE 'EXPLAIN (COSTS OFF) ' || query LOOP lines := lines || line || E'\n'; END LOOP;
	RETURN lines;
END $$;
SELECT unalike(pg_temp.plan_of(format('SELECT * FROM m_report.%I WHERE network_id = 77', v)), '%Seq Scan on all_nics%', v || ' of one network reads no table of NICs as a whole')
FROM unnest(ARRAY['networks', 'nics', 'network_instances', 'network_counts', 'network_ip_usage', 'nic_history', 'network_instance_intervals', 'networks_daily', 'stuck_nics']) v;
SELECT unalike(pg_temp.plan_of(format('SELECT * FROM m_report.%I WHERE network_id = 77', v)), '%Seq Scan on all_instances%', v || ' of one network reads no table of instances as a whole')
FROM unnest(ARRAY['networks', 'nics', 'network_instances', 'network_counts', 'network_ip_usage', 'nic_history', 'network_instance_intervals', 'networks_daily', 'stuck_nics']) v;
SELECT unalike(pg_temp.plan_of('SELECT * FROM m_report.nic_history WHERE network_id = 77'), '%Seq Scan%', 'history of one network is found by index');
SELECT unalike(pg_temp.plan_of('SELECT * FROM m_report.network_ip_usage WHERE network_id = 77'), '%Seq Scan%', 'address use of one network reads no table as a whole');
-- also where the network is a parameter
SET LOCAL plan_cache_mode = force_generic_plan;
PREPARE counts AS SELECT * FROM m_report.network_counts WHERE network_id = $1;
SELECT unalike(pg_temp.plan_of('EXECUTE counts (77)'), '%Seq Scan on all_nics%', 'counts of a network that is a parameter');
PREPARE members AS SELECT * FROM m_report.network_instances WHERE network_id = $1;
SELECT unalike(pg_temp.plan_of('EXECUTE members (77)'), '%Seq Scan on all_nics%', 'members of a network that is a parameter');
PREPARE daily AS SELECT * FROM m_report.networks_daily WHERE network_id = $1 AND "time" >= $2;
SELECT unalike(pg_temp.plan_of('EXECUTE daily (77, now())'), '%Seq Scan on all_nics%', 'days of a network that is a parameter');
-- all networks: the NICs are read once
SELECT is((SELECT count(*) FROM regexp_matches(pg_temp.plan_of('SELECT * FROM m_report.network_counts'), 'on all_nics', 'g')), 1::bigint, 'all counts take one look at the NICs');
SELECT is((SELECT count(*) FROM regexp_matches(pg_temp.plan_of('SELECT network_id, active_instances FROM m_report.network_counts'), 'on all_nics', 'g')), 1::bigint, 'so do some of them');
SELECT unalike(pg_temp.plan_of('SELECT * FROM m_report.network_counts'), '%SubPlan%', 'counts ask nothing row by row');
SELECT unalike(pg_temp.plan_of('SELECT * FROM m_report.network_instances'), '%SubPlan%', 'members ask nothing row by row');
SELECT unalike(pg_temp.plan_of('SELECT * FROM m_report.network_ip_usage'), '%SubPlan%', 'address use asks nothing row by row');
SELECT unalike(pg_temp.plan_of('SELECT * FROM m_report.networks_daily'), '%SubPlan%', 'days ask nothing row by row');
SELECT unalike(pg_temp.plan_of('SELECT * FROM m_report.networks_daily'), '%Memoize%', 'and keep no cache of what is there once');

-- An empty inventory has empty views, not errors; zeros are kept.
SELECT is(vmnet.create_report('cloud'), 'cloud_report', 'a report on an empty inventory');
SELECT is((SELECT count(*) FROM cloud_report.networks) + (SELECT count(*) FROM cloud_report.networks_daily) + (SELECT count(*) FROM cloud_report.imports)
	+ (SELECT count(*) FROM cloud_report.findings) + (SELECT count(*) FROM cloud_report.network_ip_usage), 0::bigint, 'has nothing in it');
INSERT INTO cloud.networks (name, cidr) VALUES ('empty', '10.0.0.0/24'), ('bare', NULL);
SELECT results_eq('SELECT network_name, used, free, percent, outside_cidr, addresses FROM cloud_report.network_ip_usage ORDER BY network_id',
	$$VALUES ('empty', 0::bigint, 254::bigint, 0::double precision, 0::bigint, 0::bigint), ('bare', NULL, NULL, NULL, NULL, 0)$$, 'a network with nothing on it has zeros');
SELECT results_eq('SELECT network_name, active_instances, placeholders, used_ip4, other_states FROM cloud_report.network_counts ORDER BY network_id',
	$$VALUES ('empty', 0::bigint, 0::bigint, 0::bigint, 0::bigint), ('bare', 0, 0, 0, 0)$$, '... in its counts too');
SELECT results_eq('SELECT network_name, active_instances, arrived_instances FROM cloud_report.networks_daily ORDER BY network_id',
	$$VALUES ('empty', 0::bigint, 0::bigint), ('bare', 0, 0)$$, '... and in its days');

SELECT * FROM finish();
ROLLBACK;
