--
-- The reporting schema of an inventory: flat views for tools that know only
-- text, numbers and times.  They read the tables of the inventory directly:
-- a view of the inventory needs the rights of the role that reads.
--

-- tenant: a report for tenants has the view, too.  needs: columns of attached tables
-- without which there is no such view; timed: nor is there where their times of
-- creation and of removal are not known.
--
-- In query, {inv} is the inventory, quoted; {nic_intervals} and
-- {network_instance_intervals} are the queries of its views of these names,
-- {network_counts} and {network_ip_usage} those of the reporting views,
-- {findings} that of check_inventory().  {namespace} is the OID of the schema of
-- the inventory, {report} that of the reporting schema, {name} and {schema} the
-- name of the inventory, quoted as a name and not: all four are found by the row
-- type of a view of the schema, so that they follow when it is renamed.
-- Each view has a column key, for clients that want one column that is unique.  A
-- view of one table could be written to, so those also join (SELECT).
-- What stands between {metrics}, with the columns that are labels, and {end of
-- metrics} is for report_metrics(), and {codes} the list of check_codes().
-- table of data
CREATE FUNCTION vmnet_internal.report_definition(kind text)
RETURNS TABLE (ord int, name text, tenant boolean, needs text[], timed boolean, query text, comment text)
LANGUAGE sql IMMUTABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $definition$
SELECT pg_catalog.row_number() OVER ()::int, d.name, d.tenant, d.needs::text[], d.timed, vmnet_internal.nic_state_fill(d.query), d.comment
FROM (VALUES
('networks', true, '{}', false, $$
SELECT w.id AS network_id, w.uuid::text AS network_uuid, w.name AS network_name, w.state AS network_state,
	w.traffic_type, w.guest_type, w.cidr::text AS cidr, w.network_cidr::text AS network_cidr,
	host(w.gateway) AS gateway, w.ip6_cidr::text AS ip6_cidr, host(w.ip6_gateway) AS ip6_gateway,
	w.vpc_id, w.zone_id, w.zone_name, w.domain_id, w.domain_path, w.account_id, w.account_name, w.created,
	w.id::text AS key, array_to_string(w.all_cidrs, ', ') AS all_cidrs,
	(SELECT string_agg(host(g), ', ' ORDER BY o) FROM unnest(w.all_gateways) WITH ORDINALITY g (g, o)) AS all_gateways
FROM {inv}.all_networks w CROSS JOIN (SELECT) read_only
WHERE $$ || vmnet_internal.live_condition($1, 'all_networks', 'w'),
'Live networks: one row each
Removed networks are not here.'),

('instances', true, '{}', false, $$
SELECT i.id AS instance_id, i.uuid::text AS instance_uuid, i.name AS instance_name, i.display_name,
	i.instance_name AS hypervisor_name, i.type AS instance_type, i.state AS instance_state, i.host_id,
	i.zone_id, i.zone_name, i.domain_id, i.domain_path, i.account_id, i.account_name, i.created, i.id::text AS key,
	i.host_name
FROM {inv}.all_instances i CROSS JOIN (SELECT) read_only
WHERE $$ || vmnet_internal.live_condition($1, 'all_instances', 'i'),
'Live instances: one row each, whatever their state
A Stopped or Destroyed instance still holds its NICs, and is here. Removed instances are not.'),

('nics', true, '{}', false, $$
SELECT n.id AS nic_id, n.uuid::text AS nic_uuid, n.state AS nic_state,
	coalesce(array_position(ARRAY[{active states}], n.state), 1 + cardinality(ARRAY[{active states}])) AS nic_state_order,
	n.network_id, w.name AS network_name, n.instance_id, i.name AS instance_name, i.type AS instance_type,
	i.state AS instance_state, n.vm_type, n.strategy, n.device_id, n.default_nic,
	n.mac_address::text AS mac_address, host(n.ip4_address) AS ip4_address, host(n.ip6_address) AS ip6_address,
	host(n.netmask) AS netmask, host(n.gateway) AS gateway, n.broadcast_uri, n.mtu, n.enabled,
	n.reserver_name, n.reservation_id, i.account_id, i.account_name, n.created, n.state_changed, n.id::text AS key,
	i.host_name
FROM {inv}.all_nics n
	LEFT JOIN {inv}.all_networks w ON w.id = n.network_id
	LEFT JOIN {inv}.all_instances i ON i.id = n.instance_id
WHERE n.active$$,
'Live NICs: one row each, neither removed nor being deallocated
Placeholders, which have no instance, are here too.'),

('nic_addresses', true, '{}', false, $$
SELECT a.kind, host(a.address) AS address, family(a.address) AS ip_version, n.id AS nic_id, n.uuid::text AS nic_uuid,
	n.state AS nic_state, n.network_id, w.name AS network_name, n.instance_id, i.name AS instance_name, i.type AS instance_type,
	i.state AS instance_state, n.vm_type, n.device_id, n.default_nic, n.mac_address::text AS mac_address,
	i.account_id, i.account_name, a.secondary_ip_id, concat(n.id, '/', host(a.address)) AS key
FROM (
	SELECT o.id AS nic_id, 'nic' AS kind, o.ip4_address AS address, NULL::bigint AS secondary_ip_id
	FROM {inv}.all_nics o
	WHERE o.active AND o.ip4_address IS NOT NULL
	UNION ALL
	SELECT o.id, 'nic', o.ip6_address, NULL
	FROM {inv}.all_nics o
	WHERE o.active AND o.ip6_address IS NOT NULL
	UNION ALL
	-- what the NIC has as its own, or twice, is one address
	SELECT s.nic_id, 'secondary', x.address, s.id
	FROM {inv}.all_nic_secondary_ips s
		JOIN {inv}.all_nics o ON o.id = s.nic_id
		CROSS JOIN LATERAL (VALUES (s.ip4_address), (s.ip6_address)) x (address)
	WHERE s.active AND x.address IS NOT NULL AND (x.address IN (o.ip4_address, o.ip6_address)) IS NOT TRUE
		AND NOT EXISTS (SELECT FROM {inv}.all_nic_secondary_ips b WHERE b.nic_id = s.nic_id AND b.active AND b.id < s.id
			AND x.address IN (b.ip4_address, b.ip6_address))) a
	JOIN {inv}.all_nics n ON n.id = a.nic_id AND n.active
	LEFT JOIN {inv}.all_networks w ON w.id = n.network_id
	LEFT JOIN {inv}.all_instances i ON i.id = n.instance_id$$,
'Addresses in use: one row per live NIC and address, its own and secondary ones
NICs are those of the view nics, placeholders too; one without an address has no row. What is a secondary address and one of the NIC '
'itself is there once, as nic.'),

('network_instances', true, '{}', false, $$
SELECT n.id AS nic_id, n.network_id, w.name AS network_name, w.state AS network_state, w.traffic_type, w.guest_type,
	w.vpc_id, n.instance_id, i.name AS instance_name, i.type AS instance_type, i.state AS instance_state,
	n.nic_count, n.state AS nic_state, n.device_id, n.default_nic,
	n.mac_address::text AS mac_address, host(n.ip4_address) AS ip4_address, host(n.ip6_address) AS ip6_address,
	w.uuid::text AS network_uuid, i.uuid::text AS instance_uuid, i.zone_name, i.domain_path, i.account_id, i.account_name,
	n.id::text AS key, i.host_name
FROM (
	SELECT DISTINCT ON (a.network_id, a.instance_id)
		a.id, a.network_id, a.instance_id, a.state, a.device_id, a.default_nic, a.mac_address, a.ip4_address, a.ip6_address,
		-- in the order of the whole, so that one sort does for both
		count(*) OVER (PARTITION BY a.network_id, a.instance_id ORDER BY a.device_id, a.id
			ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING) AS nic_count
	FROM {inv}.all_nics a
	WHERE a.active AND a.instance_id IS NOT NULL
	ORDER BY a.network_id, a.instance_id, a.device_id, a.id) n
	JOIN {inv}.all_networks w ON w.id = n.network_id AND $$ || vmnet_internal.live_condition($1, 'all_networks', 'w') || $$
	JOIN {inv}.all_instances i ON i.id = n.instance_id AND $$ || vmnet_internal.live_condition($1, 'all_instances', 'i'),
'Which instance is on which network: one row per network and active instance
An instance is active on a network when it has an active NIC there (neither removed nor Deallocating). Where it has several, the row '
'shows that of the lowest device_id, and nic_count says how many.'),

('network_counts', true, '{}', false, vmnet_internal.network_counts_query($1, $$w.state AS network_state, w.traffic_type, w.guest_type,
	w.vpc_id, w.zone_name, w.domain_path, w.account_id, w.account_name, w.id::text AS key$$),
'One row per live network, with counts; a network with nothing on it has zeros
System networks are here too. Each column says what it counts.'),

-- What a network can give is known by its rows in all_ip_addresses, else by those in
-- all_ip_ranges, else by its cidr; see also vmnet_internal.network_counted_by().
('network_ip_usage', true, '{}', false, $$
SELECT w.id AS network_id, w.name AS network_name, w.cidr::text AS cidr,
	s.usable, s.used, CASE WHEN s.usable IS NOT NULL THEN greatest(s.usable - s.used, 0) END AS free,
	CASE WHEN s.usable IS NOT NULL THEN least(100 * s.used::double precision / s.usable, 100) END AS percent,
	CASE WHEN s.usable IS NOT NULL THEN coalesce(u.addresses, 0) - s.held END AS outside_cidr,
	coalesce(u.addresses, 0) AS addresses,
	w.ip6_cidr::text AS ip6_cidr,
	s.ip6_usable, CASE WHEN s.ip6_usable IS NOT NULL THEN coalesce(u.ip6_used, 0) END AS ip6_used,
	CASE WHEN s.ip6_usable IS NOT NULL THEN greatest(s.ip6_usable - coalesce(u.ip6_used, 0)::double precision, 0) END AS ip6_free,
	CASE WHEN s.ip6_usable IS NOT NULL THEN least(100 * coalesce(u.ip6_used, 0)::double precision / s.ip6_usable, 100) END AS ip6_percent,
	CASE WHEN s.ip6_usable IS NOT NULL THEN coalesce(u.ip6_addresses, 0) - coalesce(u.ip6_used, 0) END AS ip6_outside_cidr,
	coalesce(u.ip6_addresses, 0) AS ip6_addresses,
	w.network_cidr::text AS network_cidr, w.traffic_type, w.guest_type, w.vpc_id, w.zone_name, w.domain_path,
	w.account_id, w.account_name, w.id::text AS key, s.counted_by
FROM {inv}.all_networks w
	LEFT JOIN (
		SELECT r.network_id, sum(r.range_end - r.range_start + 1)::bigint AS usable
		FROM {inv}.all_ip_ranges r
		WHERE r.active AND family(r.range_start) = 4 AND family(r.range_end) = 4
		GROUP BY r.network_id) r ON r.network_id = w.id
	LEFT JOIN (
		SELECT a.network_id,
			count(*) FILTER (WHERE a.is_held AND family(a.address) = 4) AS addresses,
			count(*) FILTER (WHERE a.is_held AND family(a.address) = 4 AND (a.address <<= v.cidr OR a.address <<= ANY (v.all_cidrs)))
				AS in_cidr,
			count(*) FILTER (WHERE a.is_held AND family(a.address) = 4 AND a.is_ranged) AS in_ranges,
			nullif(count(*) FILTER (WHERE a.has_row AND family(a.address) = 4), 0) AS rows,
			count(*) FILTER (WHERE a.has_row AND family(a.address) = 4 AND a.is_held) AS rows_held,
			count(*) FILTER (WHERE a.has_row AND family(a.address) = 4 AND (a.is_held OR NOT a.is_free)) AS rows_used,
			count(*) FILTER (WHERE a.is_held AND family(a.address) = 6) AS ip6_addresses,
			count(*) FILTER (WHERE a.is_held AND family(a.address) = 6 AND (a.address <<= v.ip6_cidr OR a.address <<= ANY (v.all_cidrs)))
				AS ip6_used
		FROM (
			SELECT x.network_id, x.address, bool_or(x.is_free IS NULL) AS is_held, bool_or(x.is_free IS NOT NULL) AS has_row,
				bool_and(x.is_free) AS is_free, bool_or(g.id IS NOT NULL) AS is_ranged
			FROM (
				SELECT n.network_id, n.ip4_address AS address, NULL::boolean AS is_free
				FROM {inv}.all_nics n
				WHERE n.active AND n.ip4_address IS NOT NULL
				UNION ALL
				SELECT n.network_id, n.ip6_address, NULL
				FROM {inv}.all_nics n
				WHERE n.active AND n.ip6_address IS NOT NULL
				UNION ALL
				SELECT o.network_id, y.address, NULL
				FROM {inv}.all_nic_secondary_ips o
					JOIN {inv}.all_nics n ON n.id = o.nic_id
					CROSS JOIN LATERAL (VALUES (o.ip4_address), (o.ip6_address)) y (address)
				WHERE o.active AND n.active AND y.address IS NOT NULL
				UNION ALL
				SELECT p.source_network_id, p.ip_address, p.state = 'Free'
				FROM {inv}.all_ip_addresses p
				WHERE p.active AND p.ip_address IS NOT NULL) x
				LEFT JOIN {inv}.all_ip_ranges g ON g.network_id = x.network_id AND g.active
					AND x.address BETWEEN g.range_start AND g.range_end
			GROUP BY x.network_id, x.address) a
			JOIN {inv}.all_networks v ON v.id = a.network_id
		GROUP BY a.network_id) u ON u.network_id = w.id
	-- of several ranges those that are not in another one
	CROSS JOIN LATERAL (SELECT
			sum(CASE WHEN family(c.cidr) = 4 THEN CASE masklen(c.cidr) WHEN 32 THEN 1 WHEN 31 THEN 2
				ELSE (1::bigint << (32 - masklen(c.cidr))) - 2 END END)::bigint AS usable,
			sum(CASE WHEN family(c.cidr) = 6 THEN power(2::double precision, 128 - masklen(c.cidr)) END) AS ip6_usable
		FROM (SELECT DISTINCT m.cidr
			FROM unnest(CASE WHEN cardinality(w.all_cidrs) > 1 THEN w.all_cidrs || w.cidr || w.ip6_cidr ELSE ARRAY[w.cidr, w.ip6_cidr] END)
					m (cidr)
				LEFT JOIN unnest(CASE WHEN cardinality(w.all_cidrs) > 1 THEN w.all_cidrs || w.cidr || w.ip6_cidr END) l (cidr)
					ON m.cidr << l.cidr
			WHERE l.cidr IS NULL) c) c
	CROSS JOIN LATERAL (SELECT c.ip6_usable,
		coalesce(u.rows, r.usable, c.usable) AS usable,
		CASE WHEN u.rows IS NOT NULL THEN u.rows_used WHEN r.usable IS NOT NULL THEN coalesce(u.in_ranges, 0)
			WHEN c.usable IS NOT NULL THEN coalesce(u.in_cidr, 0) END AS used,
		CASE WHEN u.rows IS NOT NULL THEN u.rows_held WHEN r.usable IS NOT NULL THEN coalesce(u.in_ranges, 0)
			ELSE coalesce(u.in_cidr, 0) END AS held,
		CASE WHEN u.rows IS NOT NULL THEN 'addresses' WHEN r.usable IS NOT NULL THEN 'ranges' WHEN c.usable IS NOT NULL THEN 'cidr' END
			AS counted_by) s
WHERE $$ || vmnet_internal.live_condition($1, 'all_networks', 'w'),
'How full the address ranges of live networks are: one row each, zeros kept
usable is what the network can give: its rows in all_ip_addresses (CloudStack: Shared and Public networks), else the addresses of its '
'rows in all_ip_ranges, else those of its cidr and all_cidrs; counted_by says which. used counts distinct addresses of active NICs of '
'every kind (placeholders and routers too) and their secondary addresses, inside of that, and rows that are not Free; the same address is '
'counted once. Where nothing of this is known, what needs it is NULL; addresses is there always. Where a part of the range is kept for '
'other systems, cidr is the rest, and network_cidr the whole.'),

('nic_history', true, '{}', false, $$
SELECT h.seq, h.at AS "time", h.nic_id, h.event, h.from_state, h.to_state, h.network_id, w.name AS network_name,
	h.instance_id, i.name AS instance_name, i.type AS instance_type, h.from_network_id, h.removed,
	h.session_username, h.actor, h.reason, h.application_name, h.transaction_id::text AS transaction_id,
	i.account_id, i.account_name, h.seq::text AS key
FROM {inv}.nic_history h
	LEFT JOIN {inv}.all_networks w ON w.id = h.network_id
	LEFT JOIN {inv}.all_instances i ON i.id = h.instance_id$$,
'What happened to NICs: one row per change of state, and per removal
The order is that of seq. Creation is not here; the view nics says it of live NICs. Names are those of today.'),

('network_instance_intervals', true, '{nics.created,nics.removed}', true, $$
SELECT v.network_id, v.instance_id, v."from" AS active_from, v."to" AS active_to,
	extract(epoch FROM coalesce(v."to", now()) - v."from")::double precision AS seconds,
	w.name AS network_name, i.name AS instance_name, i.type AS instance_type, i.account_id, i.account_name,
	w.removed AS network_removed, i.removed AS instance_removed,
	json_build_array(v.network_id, v.instance_id, extract(epoch FROM v."from"))::text AS key
FROM ({network_instance_intervals}) v
	JOIN {inv}.all_networks w ON w.id = v.network_id
	JOIN {inv}.all_instances i ON i.id = v.instance_id$$,
'When instances were active on networks: one row per time that one was on one
network_id, instance_id and active_from together are unique. Removed networks and instances are here too.'),

-- The members that came and went on a day, summed up over the days of a
-- network; a day on which nothing happened repeats the day before.
('networks_daily', true, '{nics.created,nics.removed}', true, $$
SELECT d."time", d.network_id, d.network_name, d.active_instances,
	CASE WHEN d."time" = d.day THEN d.arrived ELSE 0 END AS arrived_instances,
	CASE WHEN d."time" = d.day THEN d.departed ELSE 0 END AS departed_instances,
	d.account_id, d.account_name, json_build_array(d.network_id, extract(epoch FROM d."time"))::text AS key
FROM (
	SELECT s.network_id, w.name AS network_name, w.account_id, w.account_name, s.day, s.active_instances, s.arrived, s.departed,
		generate_series(s.day, least(s.next_day - interval '24 hours',
			date_trunc('day', least(w.removed, now()), 'UTC')), interval '24 hours') AS "time"
	FROM (
		SELECT e.network_id, e.day, e.arrived, e.departed,
			sum(e.arrived - e.departed) OVER days::bigint AS active_instances,
			lead(e.day) OVER days AS next_day
		FROM (
			SELECT c.network_id, c.day, sum(c.arrived) AS arrived, sum(c.departed) AS departed
			FROM (
				-- both ends of each interval; VALUES of its columns would be kept in a cache for each
				SELECT v.network_id,
					greatest(date_trunc('day', CASE x.arrived WHEN 1 THEN v."from" ELSE v."to" END, 'UTC'),
						timestamptz '1970-01-01 00:00:00+00') AS day, x.arrived, x.departed
				FROM ({network_instance_intervals}) v
					CROSS JOIN (VALUES (1, 0), (0, 1)) x (arrived, departed)
				WHERE CASE x.arrived WHEN 1 THEN v."from" ELSE v."to" END IS NOT NULL
				UNION ALL
				-- a source that does not know when a network was made says 1970
				SELECT n.id, date_trunc('day', n.created, 'UTC'), 0, 0
				FROM {inv}.all_networks n
				WHERE n.created > timestamptz '1970-01-01 00:00:00+00') c
			GROUP BY c.network_id, c.day) e
		WINDOW days AS (PARTITION BY e.network_id ORDER BY e.day)) s
		JOIN {inv}.all_networks w ON w.id = s.network_id) d$$,
'Members of networks over time: one row per network and day (UTC), zeros kept
From the day on which a network was made, or first used, to today or the day of its removal; time and network_id together are unique. The '
'last day counts as far as it has come. Removed networks are here, for their days.'),

('stuck_nics', true, '{nics.state,nics.state_changed}', false, $$
SELECT n.id AS nic_id, n.uuid::text AS nic_uuid, n.state AS nic_state, n.network_id, w.name AS network_name,
	n.instance_id, i.name AS instance_name, i.type AS instance_type, n.vm_type, n.state_changed,
	extract(epoch FROM now() - n.state_changed)::double precision AS seconds,
	h.event AS last_event, h.session_username, h.actor, h.reason, h.application_name, i.account_id, i.account_name, n.id::text AS key,
	i.host_name
FROM {inv}.all_nics n
	LEFT JOIN {inv}.all_networks w ON w.id = n.network_id
	LEFT JOIN {inv}.all_instances i ON i.id = n.instance_id
	LEFT JOIN LATERAL (
		SELECT l.event, l.session_username, l.actor, l.reason, l.application_name
		FROM {inv}.nic_history l
		WHERE l.nic_id = n.id
		ORDER BY l.seq DESC
		LIMIT 1) h ON true
WHERE n.active AND n.state IN ({passing states})
	AND n.state_changed <= now() - interval '10 minutes'$$,
'NICs that have been Reserving or Releasing for ten minutes or longer
A half-removed NIC (Deallocating) is not stuck; it is a finding.'),

('findings', true, '{}', false, $$
SELECT k.key AS finding,
	f.code, f.severity, CASE f.severity WHEN 'error' THEN 1 WHEN 'warning' THEN 2 ELSE 3 END AS severity_order,
	f.object_type, f.object_id, f.object_uuid::text AS object_uuid, f.since, f.message, f.fix, k.key,
	f.object, f.accepted, f.accepted_until, f.accepted_by, f.accepted_reason
FROM (SELECT s.*, row_number() OVER (PARTITION BY s.code, s.object_type, s.object_id ORDER BY s.message) AS n
		FROM ({findings}) s (code, severity, object_type, object_id, object_uuid, since, message, fix,
			object, accepted, accepted_until, accepted_by, accepted_reason)) f
	CROSS JOIN LATERAL (SELECT concat_ws('/', f.code, f.object_type, f.object_id, nullif(f.n, 1)) AS key) k$$,
'What contradicts itself in the inventory: one row per finding
The rows of vmnet.check_inventory(): half-removed and stuck NICs are findings from ten minutes on. Accepted ones are here, too: leave '
'them out where you count. Tenants do not see what is accepted.'),

('imports', true, '{}', false, CASE $1 WHEN 'mirror' THEN $$
SELECT r.run, r.status, r.step, r.source, r.started, r.finished,
	extract(epoch FROM coalesce(r.finished, now()) - r.started)::double precision AS seconds,
	r.networks_read, r.instances_read, r.nics_read, r.nic_secondary_ips_read, r.rows_inserted, r.rows_updated,
	r.rows_deleted, r.rows_rejected, r.values_changed, r.message, r.run::text AS key, r.ip_ranges_read,
	r.ip_addresses_read
FROM {inv}.import_runs r CROSS JOIN (SELECT) read_only$$ ELSE $$
SELECT NULL::bigint AS run, NULL::text AS status, NULL::text AS step, NULL::text AS source,
	NULL::timestamptz AS started, NULL::timestamptz AS finished, NULL::double precision AS seconds,
	NULL::bigint AS networks_read, NULL::bigint AS instances_read, NULL::bigint AS nics_read,
	NULL::bigint AS nic_secondary_ips_read, NULL::bigint AS rows_inserted, NULL::bigint AS rows_updated,
	NULL::bigint AS rows_deleted, NULL::bigint AS rows_rejected, NULL::bigint AS values_changed, NULL::text AS message,
	NULL::text AS key, NULL::bigint AS ip_ranges_read, NULL::bigint AS ip_addresses_read
WHERE false$$ END,
'Runs of the import that makes a mirror equal to its source: one row each
An inventory that is its own source has none.'),

-- What a scrape may ask for every minute: one look at the held NICs, one at the
-- live instances, and what an index or the catalogs know.  Each name is a
-- constant of its branch, so that a condition on name leaves out the others.
('metrics', false, '{}', false, $$
{metrics} state, instance_type, kind, version, table_name, status
{of metrics}
	WITH nics AS MATERIALIZED (
		-- counted by what states there are, then by what states are known
		SELECT s.state, coalesce(sum(h.held), 0)::double precision AS held,
			coalesce(sum(h.placeholders) FILTER (WHERE h.active), 0)::double precision AS placeholders,
			coalesce(sum(h.ripe) FILTER (WHERE h.can_stick), 0)::double precision AS stuck,
			coalesce(extract(epoch FROM now() - min(h.since) FILTER (WHERE h.can_stick AND h.ripe > 0)), 0)
				::double precision AS stuck_seconds
		FROM unnest(ARRAY[{states}, 'other']) s (state)
			LEFT JOIN (
				SELECT g.*, g.active AND g.state IN ({passing states}) AS can_stick,
					CASE WHEN g.state IN ({states}) THEN g.state ELSE 'other' END AS known
				FROM (
					SELECT n.state, n.active, count(*) AS held, count(*) - count(n.instance_id) AS placeholders,
						count(*) FILTER (WHERE n.state_changed <= now() - interval '10 minutes') AS ripe, min(n.state_changed) AS since
					FROM {inv}.all_nics n
					WHERE n.removed IS NULL AND (n.active OR NOT n.active)
					GROUP BY n.state, n.active) g) h ON h.known = s.state
		GROUP BY s.state
	), half_removed AS MATERIALIZED (
		SELECT count(*)::double precision AS nics,
			coalesce(extract(epoch FROM now() - min(n.state_changed)), 0)::double precision AS seconds
		FROM {inv}.all_nics n
		WHERE n.removed IS NULL AND NOT n.active
	), tables AS MATERIALIZED (
		SELECT t.relname::text AS name, sum(greatest(c.reltuples, 0)::double precision) AS rows,
			sum(pg_total_relation_size(c.oid))::double precision AS bytes
		FROM pg_class t
			CROSS JOIN LATERAL (
				SELECT t.oid WHERE t.relkind = 'r'
				UNION ALL
				SELECT p.relid FROM pg_partition_tree(t.oid) p WHERE t.relkind = 'p' AND p.isleaf) p (oid)
			JOIN pg_class c ON c.oid = p.oid
		WHERE t.relnamespace = {namespace}
			AND t.relname IN ('all_networks', 'all_instances', 'all_nics', 'all_nic_secondary_ips', 'all_ip_ranges', 'all_ip_addresses',
				'nic_history', 'nic_address_history', 'import_runs', 'import_log')
		GROUP BY t.relname
	)$$ || CASE $1 WHEN 'mirror' THEN $$, last_run AS MATERIALIZED (
		SELECT r.status
		FROM {inv}.import_runs r
		ORDER BY r.run DESC
		LIMIT 1
	), last_done AS MATERIALIZED (
		SELECT extract(epoch FROM r.started)::double precision AS began, extract(epoch FROM r.finished)::double precision AS at,
			extract(epoch FROM now() - r.finished)::double precision AS age,
			extract(epoch FROM r.finished - r.started)::double precision AS seconds,
			r.rows_rejected::double precision AS rejected
		FROM {inv}.import_runs r
		WHERE r.status = 'done'
		ORDER BY r.run DESC
		LIMIT 1
	)$$ ELSE '' END || $$
	SELECT 'vmnet_inventory_info' AS name, 'The inventory, always 1' AS help, 1::double precision AS value,
		NULL::text AS state, NULL::text AS instance_type, $$ || quote_literal($1) || $$::text AS kind, e.extversion AS version,
		NULL::text AS table_name, NULL::text AS status
	FROM pg_extension e WHERE e.extname = 'vmnet_ext'
	UNION ALL
	SELECT 'vmnet_networks_active', 'Networks that are not removed', count(*)::double precision, NULL, NULL, NULL, NULL, NULL, NULL
	FROM {inv}.all_networks w WHERE $$ || vmnet_internal.live_condition($1, 'all_networks', 'w') || $$
	UNION ALL
	SELECT 'vmnet_instances_active', 'Instances that are not removed', coalesce(c.instances, 0)::double precision, s.state, t.type, NULL,
		NULL, NULL, NULL
	FROM (VALUES ('Starting'), ('Running'), ('Stopping'), ('Stopped'), ('Destroyed'), ('Expunging'), ('Migrating'),
			('Shutdown'), ('Error'), ('Unknown'), ('other')) s (state)
		CROSS JOIN (VALUES ('User'), ('other')) t (type)
		LEFT JOIN (
			SELECT CASE WHEN i.state IN ('Starting', 'Running', 'Stopping', 'Stopped', 'Destroyed', 'Expunging', 'Migrating',
					'Shutdown', 'Error', 'Unknown') THEN i.state ELSE 'other' END AS state,
				CASE WHEN i.type = 'User' THEN 'User' ELSE 'other' END AS type, count(*) AS instances
			FROM {inv}.all_instances i
			WHERE $$ || vmnet_internal.live_condition($1, 'all_instances', 'i') || $$
			GROUP BY 1, 2) c ON c.state = s.state AND c.type = t.type
	UNION ALL
	SELECT 'vmnet_nics_held', 'NICs that are not removed', n.held, n.state, NULL, NULL, NULL, NULL, NULL FROM nics n
	UNION ALL
	SELECT 'vmnet_nics_placeholders', 'Active NICs that have no instance', n.placeholders, n.state, NULL, NULL, NULL, NULL, NULL FROM nics n
	UNION ALL
	SELECT 'vmnet_nics_stuck', 'NICs Reserving or Releasing for ten minutes or longer', n.stuck, n.state, NULL, NULL, NULL, NULL, NULL
		FROM nics n
	UNION ALL
	SELECT 'vmnet_nics_stuck_oldest_seconds', 'How long the oldest stuck NIC has been in its state, 0 without one', n.stuck_seconds,
		n.state, NULL, NULL, NULL, NULL, NULL FROM nics n
	UNION ALL
	SELECT 'vmnet_nics_half_removed', 'NICs Deallocating but not removed', h.nics, NULL, NULL, NULL, NULL, NULL, NULL FROM half_removed h
	UNION ALL
	SELECT 'vmnet_nics_half_removed_oldest_seconds', 'How long the oldest half-removed NIC has been Deallocating, 0 without one',
		h.seconds, NULL, NULL, NULL, NULL, NULL, NULL FROM half_removed h
	UNION ALL
	SELECT 'vmnet_history_entries_total', 'Number of the last entry in the history of NICs', coalesce(max(h.seq), 0)::double precision,
		NULL, NULL, NULL, NULL, NULL, NULL FROM {inv}.nic_history h
	UNION ALL
	SELECT 'vmnet_table_rows', 'Rows of the table, removed ones too, as the last VACUUM or ANALYZE estimated', t.rows, NULL, NULL, NULL,
		NULL, t.name, NULL FROM tables t
	UNION ALL
	SELECT 'vmnet_table_bytes', 'Size of the table with its indexes', t.bytes, NULL, NULL, NULL, NULL, t.name, NULL FROM tables t$$
	|| CASE $1 WHEN 'mirror' THEN $$
	UNION ALL
	SELECT 'vmnet_inventory_as_of_timestamp_seconds',
		'When the last import that was done began, in seconds since 1970: what the mirror is as of', d.began,
		NULL, NULL, NULL, NULL, NULL, NULL FROM last_done d
	UNION ALL
	SELECT 'vmnet_import_last_success_timestamp_seconds', 'When the last import that was done ended, in seconds since 1970', d.at, NULL,
		NULL, NULL, NULL, NULL, NULL FROM last_done d
	UNION ALL
	SELECT 'vmnet_import_last_success_age_seconds', 'How long ago the last import that was done ended', d.age, NULL, NULL, NULL, NULL,
		NULL, NULL FROM last_done d
	UNION ALL
	SELECT 'vmnet_import_last_success_duration_seconds', 'How long the last import that was done took', d.seconds, NULL, NULL, NULL,
		NULL, NULL, NULL FROM last_done d
	UNION ALL
	SELECT 'vmnet_import_last_success_rejected_rows', 'Rows that the last import that was done had to leave out', d.rejected, NULL, NULL,
		NULL, NULL, NULL, NULL FROM last_done d
	UNION ALL
	SELECT 'vmnet_import_last_run', 'Whether the last run of the import is in this status: 1 or 0',
		(s.status = l.status)::int::double precision, NULL, NULL, NULL, NULL, NULL, s.status
	FROM last_run l CROSS JOIN (VALUES ('running'), ('done'), ('failed')) s (status)$$ ELSE '' END || $$
{end of metrics}$$,
'What to monitor: one row per time series, as Prometheus has them
name and labels together are unique. No label has more values than are listed here, so the number of series does not grow. Cheap enough '
'for every minute: it looks at all held NICs and live instances once; a condition on name saves what it leaves out.'),

-- No branch shares what it reads with another, so that a condition on the network
-- comes to each; what a branch does not need of its query is not computed.
('metrics_networks', false, '{}', false, $$
{metrics} network_id, network_name
{of metrics}
	SELECT 'vmnet_network_ips_usable' AS name, 'IPv4 addresses that the network has for use' AS help,
		u.usable::double precision AS value, u.network_id, u.network_name
	FROM ({network_ip_usage}) u WHERE u.usable IS NOT NULL
	UNION ALL
	SELECT 'vmnet_network_ips_used', 'Those of them that are in use, or not Free', u.used::double precision,
		u.network_id, u.network_name
	FROM ({network_ip_usage}) u WHERE u.usable IS NOT NULL
	UNION ALL
	SELECT 'vmnet_network_instances_active', 'Instances active on the network', c.active_instances::double precision, c.network_id,
		c.network_name
	FROM ({network_counts}) c
{end of metrics}$$,
'What to monitor of each live network: one to three time series for each
A network that is removed has none; one without an IPv4 range has none about addresses. Where there are more networks than a monitoring '
'system should follow, do not scrape this view, or only some of its networks.'),

('metrics_findings', false, '{}', false, $$
{metrics} code, severity
{of metrics}
	SELECT m.name, m.help, coalesce(m.findings, 0)::double precision AS value, c.code, c.severity
	FROM {codes} c (code, severity)
		LEFT JOIN (
			SELECT f.code, count(*) FILTER (WHERE NOT f.accepted) AS open, count(*) FILTER (WHERE f.accepted) AS accepted
			FROM ({findings}) f (code, severity, object_type, object_id, object_uuid, since, message, fix,
				object, accepted, accepted_until, accepted_by, accepted_reason)
			GROUP BY f.code) f ON f.code = c.code
		CROSS JOIN LATERAL (VALUES
			('vmnet_findings_open', 'Findings of the check of the inventory that are not accepted', f.open),
			('vmnet_findings_accepted', 'Findings of the check of the inventory that are accepted', f.accepted)) m (name, help, findings)
{end of metrics}$$,
'How many findings there are of each kind, zeros kept: two time series each
The rows of the view findings, counted: open ones, and accepted ones. As costly as that view: scrape it less often than metrics.'),

('data_dictionary', true, '{}', false, $$
SELECT CASE WHEN a.attnum IS NULL THEN c.relname::text ELSE c.relname || '.' || a.attname END AS entry,
	c.relname::text AS view_name, a.attname::text AS column_name, a.attnum::int AS ordinal,
	CASE WHEN a.attnum IS NOT NULL THEN format_type(a.atttypid, a.atttypmod) END AS type,
	split_part(d.description, E'\n', 1) AS summary, d.description,
	CASE WHEN a.attnum IS NULL THEN c.relname::text ELSE c.relname || '.' || a.attname END AS key
FROM pg_class c
	CROSS JOIN LATERAL (
		SELECT NULL::name AS attname, NULL::smallint AS attnum, NULL::oid AS atttypid, NULL::int AS atttypmod
		UNION ALL
		SELECT t.attname, t.attnum, t.atttypid, t.atttypmod
		FROM pg_attribute t
		WHERE t.attrelid = c.oid AND t.attnum > 0 AND NOT t.attisdropped) a
	LEFT JOIN pg_description d ON d.classoid = c.tableoid AND d.objoid = c.oid
		AND d.objsubid = coalesce(a.attnum, 0)
WHERE c.relkind = 'v' AND c.relnamespace = {report}$$,
'What the views of this schema and their columns mean: one row each
A row whose column_name is NULL is about the view itself.')
) AS d (name, tenant, needs, timed, query, comment)
$definition$;
COMMENT ON FUNCTION vmnet_internal.report_definition(text) IS
'What the reporting schema of an inventory of a kind consists of: every view, with its query and comment
Columns of a view may only be appended.';
