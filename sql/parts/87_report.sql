--
-- The reporting schema of an inventory: flat views for tools that know only
-- text, numbers and times.  They read the tables of the inventory directly:
-- a view of the inventory would ask for the rights of whoever reads.
--

-- In query, {inv} is the inventory, quoted; {nic_intervals} and
-- {network_instance_intervals} are the queries of its views of these names,
-- {network_counts} and {network_ip_usage} those of the reporting views,
-- {findings} that of check_inventory().  {namespace} is the OID of the schema of
-- the inventory, {report} that of the reporting schema, {name} and {schema} the
-- name of the inventory, quoted as a name and not: all four are found by the row
-- type of a view of the schema, so that they follow when it is renamed.
-- What stands between {metrics}, with the columns that are labels, and {end of
-- metrics} is for report_metrics(), and {codes} the list of check_codes().
CREATE FUNCTION vmnet_internal.report_definition(kind text)
RETURNS TABLE (ord int, name text, query text, comment text)
LANGUAGE sql IMMUTABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $definition$
SELECT pg_catalog.row_number() OVER ()::int, d.name, d.query, d.comment
FROM (VALUES
('networks', $$
SELECT w.id AS network_id, w.uuid::text AS network_uuid, w.name AS network_name, w.state AS network_state,
	w.traffic_type, w.guest_type, w.cidr::text AS cidr, w.network_cidr::text AS network_cidr,
	host(w.gateway) AS gateway, w.ip6_cidr::text AS ip6_cidr, host(w.ip6_gateway) AS ip6_gateway,
	w.vpc_id, w.zone_id, w.zone_name, w.domain_id, w.domain_path, w.account_id, w.account_name, w.created
FROM {inv}.all_networks w
WHERE w.active$$,
'Live networks: one row each
Removed networks are not here.'),

('instances', $$
SELECT i.id AS instance_id, i.uuid::text AS instance_uuid, i.name AS instance_name, i.display_name,
	i.instance_name AS hypervisor_name, i.type AS instance_type, i.state AS instance_state, i.host_id,
	i.zone_id, i.zone_name, i.domain_id, i.domain_path, i.account_id, i.account_name, i.created
FROM {inv}.all_instances i
WHERE i.active$$,
'Live instances: one row each, whatever their state
A Stopped or Destroyed instance still holds its NICs, and is here. Removed instances are not.'),

('nics', $$
SELECT n.id AS nic_id, n.uuid::text AS nic_uuid, n.state AS nic_state,
	coalesce(array_position(ARRAY['Allocated', 'Reserving', 'Reserved', 'Releasing'], n.state), 5) AS nic_state_order,
	n.network_id, w.name AS network_name, n.instance_id, i.name AS instance_name, i.type AS instance_type,
	i.state AS instance_state, n.vm_type, n.strategy, n.device_id, n.default_nic,
	n.mac_address::text AS mac_address, host(n.ip4_address) AS ip4_address, host(n.ip6_address) AS ip6_address,
	host(n.netmask) AS netmask, host(n.gateway) AS gateway, n.broadcast_uri, n.mtu, n.enabled,
	n.reserver_name, n.reservation_id, i.account_id, i.account_name, n.created, n.state_changed
FROM {inv}.all_nics n
	LEFT JOIN {inv}.all_networks w ON w.id = n.network_id
	LEFT JOIN {inv}.all_instances i ON i.id = n.instance_id
WHERE n.active$$,
'Live NICs: one row each, neither removed nor being deallocated
Placeholders, which have no instance, are here too.'),

('network_instances', $$
SELECT n.id AS nic_id, n.network_id, w.name AS network_name, w.state AS network_state, w.traffic_type, w.guest_type,
	w.vpc_id, n.instance_id, i.name AS instance_name, i.type AS instance_type, i.state AS instance_state,
	n.nic_count, n.state AS nic_state, n.device_id, n.default_nic,
	n.mac_address::text AS mac_address, host(n.ip4_address) AS ip4_address, host(n.ip6_address) AS ip6_address,
	w.uuid::text AS network_uuid, i.uuid::text AS instance_uuid, i.zone_name, i.domain_path, i.account_id, i.account_name
FROM (
	SELECT DISTINCT ON (a.network_id, a.instance_id)
		a.id, a.network_id, a.instance_id, a.state, a.device_id, a.default_nic, a.mac_address, a.ip4_address, a.ip6_address,
		-- in the order of the whole, so that one sort does for both
		count(*) OVER (PARTITION BY a.network_id, a.instance_id ORDER BY a.device_id, a.id
			ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING) AS nic_count
	FROM {inv}.all_nics a
	WHERE a.active AND a.instance_id IS NOT NULL
	ORDER BY a.network_id, a.instance_id, a.device_id, a.id) n
	JOIN {inv}.all_networks w ON w.id = n.network_id AND w.active
	JOIN {inv}.all_instances i ON i.id = n.instance_id AND i.active$$,
'Which instance is on which network: one row per network and active instance
An instance is active on a network when it has an active NIC there (neither removed nor Deallocating). Where it has several, the row shows that of the lowest device_id, and nic_count says how many.'),

('network_counts', $$
SELECT w.id AS network_id, w.name AS network_name,
	coalesce(c.attached_nics, 0)::bigint AS attached_nics,
	coalesce(c.active_instances, 0)::bigint AS active_instances,
	coalesce(c.running_instances, 0)::bigint AS running_instances,
	coalesce(c.user_instances, 0)::bigint AS user_instances,
	coalesce(c.routers, 0)::bigint AS routers,
	coalesce(c.placeholders, 0)::bigint AS placeholders,
	coalesce(c.allocated, 0)::bigint AS allocated,
	coalesce(c.reserving, 0)::bigint AS reserving,
	coalesce(c.reserved, 0)::bigint AS reserved,
	coalesce(c.releasing, 0)::bigint AS releasing,
	coalesce(c.deallocating, 0)::bigint AS deallocating,
	coalesce(c.other_states, 0)::bigint AS other_states,
	coalesce(c.used_ip4, 0)::bigint AS used_ip4,
	w.state AS network_state, w.traffic_type, w.guest_type, w.vpc_id, w.zone_name, w.domain_path,
	w.account_id, w.account_name
FROM {inv}.all_networks w
	LEFT JOIN (
		SELECT n.network_id,
			count(*) FILTER (WHERE n.active AND i.active) AS attached_nics,
			count(DISTINCT n.instance_id) FILTER (WHERE n.active AND i.active) AS active_instances,
			count(DISTINCT n.instance_id) FILTER (WHERE n.active AND i.active AND i.state = 'Running') AS running_instances,
			count(DISTINCT n.instance_id) FILTER (WHERE n.active AND i.active AND i.type = 'User') AS user_instances,
			count(DISTINCT n.instance_id) FILTER (WHERE n.active AND i.active AND i.type = 'DomainRouter') AS routers,
			count(*) FILTER (WHERE n.active AND n.instance_id IS NULL) AS placeholders,
			count(*) FILTER (WHERE n.state = 'Allocated') AS allocated,
			count(*) FILTER (WHERE n.state = 'Reserving') AS reserving,
			count(*) FILTER (WHERE n.state = 'Reserved') AS reserved,
			count(*) FILTER (WHERE n.state = 'Releasing') AS releasing,
			count(*) FILTER (WHERE n.state = 'Deallocating') AS deallocating,
			count(*) FILTER (WHERE (n.state IN ('Allocated', 'Reserving', 'Reserved', 'Releasing', 'Deallocating')) IS NOT TRUE) AS other_states,
			count(DISTINCT n.ip4_address) FILTER (WHERE n.active) AS used_ip4
		FROM {inv}.all_nics n
			LEFT JOIN {inv}.all_instances i ON i.id = n.instance_id
		WHERE n.removed IS NULL AND (n.active OR NOT n.active)
		GROUP BY n.network_id) c ON c.network_id = w.id
WHERE w.active$$,
'One row per live network, with counts; a network with nothing on it has zeros
System networks are here too. Each column says what it counts.'),

('network_ip_usage', $$
SELECT w.id AS network_id, w.name AS network_name, w.cidr::text AS cidr,
	s.usable, CASE WHEN s.usable IS NOT NULL THEN coalesce(u.used, 0) END AS used,
	CASE WHEN s.usable IS NOT NULL THEN greatest(s.usable - coalesce(u.used, 0), 0) END AS free,
	CASE WHEN s.usable IS NOT NULL THEN least(100 * coalesce(u.used, 0)::double precision / s.usable, 100) END AS percent,
	CASE WHEN s.usable IS NOT NULL THEN coalesce(u.addresses, 0) - coalesce(u.used, 0) END AS outside_cidr,
	coalesce(u.addresses, 0) AS addresses,
	w.ip6_cidr::text AS ip6_cidr,
	s.ip6_usable, CASE WHEN s.ip6_usable IS NOT NULL THEN coalesce(u.ip6_used, 0) END AS ip6_used,
	CASE WHEN s.ip6_usable IS NOT NULL THEN greatest(s.ip6_usable - coalesce(u.ip6_used, 0)::double precision, 0) END AS ip6_free,
	CASE WHEN s.ip6_usable IS NOT NULL THEN least(100 * coalesce(u.ip6_used, 0)::double precision / s.ip6_usable, 100) END AS ip6_percent,
	CASE WHEN s.ip6_usable IS NOT NULL THEN coalesce(u.ip6_addresses, 0) - coalesce(u.ip6_used, 0) END AS ip6_outside_cidr,
	coalesce(u.ip6_addresses, 0) AS ip6_addresses,
	w.network_cidr::text AS network_cidr, w.traffic_type, w.guest_type, w.vpc_id, w.zone_name, w.domain_path,
	w.account_id, w.account_name
FROM {inv}.all_networks w
	CROSS JOIN LATERAL (SELECT
		CASE WHEN family(w.cidr) = 4 THEN CASE masklen(w.cidr) WHEN 32 THEN 1 WHEN 31 THEN 2
			ELSE (1::bigint << (32 - masklen(w.cidr))) - 2 END END AS usable,
		CASE WHEN family(w.ip6_cidr) = 6 THEN power(2::double precision, 128 - masklen(w.ip6_cidr)) END AS ip6_usable) s
	LEFT JOIN (
		SELECT a.network_id,
			count(*) FILTER (WHERE family(a.address) = 4) AS addresses,
			count(*) FILTER (WHERE a.address <<= v.cidr) AS used,
			count(*) FILTER (WHERE family(a.address) = 6) AS ip6_addresses,
			count(*) FILTER (WHERE a.address <<= v.ip6_cidr) AS ip6_used
		FROM (
			SELECT n.network_id, n.ip4_address AS address
			FROM {inv}.all_nics n
			WHERE n.active AND n.ip4_address IS NOT NULL
			UNION
			SELECT n.network_id, n.ip6_address
			FROM {inv}.all_nics n
			WHERE n.active AND n.ip6_address IS NOT NULL
			UNION
			SELECT o.network_id, x.address
			FROM {inv}.all_nic_secondary_ips o
				JOIN {inv}.all_nics n ON n.id = o.nic_id
				CROSS JOIN LATERAL (VALUES (o.ip4_address), (o.ip6_address)) x (address)
			WHERE o.active AND n.active AND x.address IS NOT NULL) a
			JOIN {inv}.all_networks v ON v.id = a.network_id
		GROUP BY a.network_id) u ON u.network_id = w.id
WHERE w.active$$,
'How full the address ranges of live networks are: one row each, zeros kept
used counts distinct addresses of active NICs of every kind (placeholders and routers too) and their secondary addresses, inside the range; the same address is counted once. Where a network has no range, what needs one is NULL; addresses is there always. Where a part of the range is kept for other systems, cidr is the rest, and network_cidr the whole.'),

('nic_history', $$
SELECT h.seq, h.at AS "time", h.nic_id, h.event, h.from_state, h.to_state, h.network_id, w.name AS network_name,
	h.instance_id, i.name AS instance_name, i.type AS instance_type, h.from_network_id, h.removed,
	h.session_username, h.actor, h.reason, h.application_name, h.transaction_id::text AS transaction_id,
	i.account_id, i.account_name
FROM {inv}.nic_history h
	LEFT JOIN {inv}.all_networks w ON w.id = h.network_id
	LEFT JOIN {inv}.all_instances i ON i.id = h.instance_id$$,
'What happened to NICs: one row per change of state, and per removal
The order is that of seq. Creation is not here; the view nics says it of live NICs. Names are those of today.'),

('network_instance_intervals', $$
SELECT v.network_id, v.instance_id, v."from" AS active_from, v."to" AS active_to,
	extract(epoch FROM coalesce(v."to", now()) - v."from")::double precision AS seconds,
	w.name AS network_name, i.name AS instance_name, i.type AS instance_type, i.account_id, i.account_name,
	w.removed AS network_removed, i.removed AS instance_removed
FROM ({network_instance_intervals}) v
	JOIN {inv}.all_networks w ON w.id = v.network_id
	JOIN {inv}.all_instances i ON i.id = v.instance_id$$,
'When instances were active on networks: one row per time that one was on one
network_id, instance_id and active_from together are unique. Removed networks and instances are here too.'),

-- The members that came and went on a day, summed up over the days of a
-- network; a day on which nothing happened repeats the day before.
('networks_daily', $$
SELECT d."time", d.network_id, d.network_name, d.active_instances,
	CASE WHEN d."time" = d.day THEN d.arrived ELSE 0 END AS arrived_instances,
	CASE WHEN d."time" = d.day THEN d.departed ELSE 0 END AS departed_instances,
	d.account_id, d.account_name
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
				SELECT v.network_id, greatest(date_trunc('day', x.at, 'UTC'), timestamptz '1970-01-01 00:00:00+00') AS day, x.arrived, x.departed
				FROM ({network_instance_intervals}) v
					CROSS JOIN LATERAL (VALUES (v."from", 1, 0), (v."to", 0, 1)) x (at, arrived, departed)
				WHERE x.at IS NOT NULL
				UNION ALL
				-- a source that does not know when a network was made says 1970
				SELECT n.id, date_trunc('day', n.created, 'UTC'), 0, 0
				FROM {inv}.all_networks n
				WHERE n.created > timestamptz '1970-01-01 00:00:00+00') c
			GROUP BY c.network_id, c.day) e
		WINDOW days AS (PARTITION BY e.network_id ORDER BY e.day)) s
		JOIN {inv}.all_networks w ON w.id = s.network_id) d$$,
'Members of networks over time: one row per network and day (UTC), zeros kept
From the day on which a network was made, or first used, to today or the day of its removal; time and network_id together are unique. The last day counts as far as it has come. Removed networks are here, for their days.'),

('stuck_nics', $$
SELECT n.id AS nic_id, n.uuid::text AS nic_uuid, n.state AS nic_state, n.network_id, w.name AS network_name,
	n.instance_id, i.name AS instance_name, i.type AS instance_type, n.vm_type, n.state_changed,
	extract(epoch FROM now() - n.state_changed)::double precision AS seconds,
	h.event AS last_event, h.session_username, h.actor, h.reason, h.application_name, i.account_id, i.account_name
FROM {inv}.all_nics n
	LEFT JOIN {inv}.all_networks w ON w.id = n.network_id
	LEFT JOIN {inv}.all_instances i ON i.id = n.instance_id
	LEFT JOIN LATERAL (
		SELECT l.event, l.session_username, l.actor, l.reason, l.application_name
		FROM {inv}.nic_history l
		WHERE l.nic_id = n.id
		ORDER BY l.seq DESC
		LIMIT 1) h ON true
WHERE n.active AND n.state IN ('Reserving', 'Releasing')
	AND n.state_changed <= now() - interval '10 minutes'$$,
'NICs that have been Reserving or Releasing for ten minutes or longer
A half-removed NIC (Deallocating) is not stuck; it is a finding.'),

('findings', $$
SELECT concat_ws('/', f.code, f.object_type, f.object_id,
		nullif(row_number() OVER (PARTITION BY f.code, f.object_type, f.object_id ORDER BY f.message), 1)) AS finding,
	f.code, f.severity, CASE f.severity WHEN 'error' THEN 1 WHEN 'warning' THEN 2 ELSE 3 END AS severity_order,
	f.object_type, f.object_id, f.object_uuid::text AS object_uuid, f.since, f.message, f.fix
FROM ({findings}) f (code, severity, object_type, object_id, object_uuid, since, message, fix)$$,
'What contradicts itself in the inventory: one row per finding
The rows of vmnet.check_inventory(): half-removed and stuck NICs are findings from ten minutes on.'),

('imports', CASE $1 WHEN 'mirror' THEN $$
SELECT r.run, r.status, r.step, r.source, r.started, r.finished,
	extract(epoch FROM coalesce(r.finished, now()) - r.started)::double precision AS seconds,
	r.networks_read, r.instances_read, r.nics_read, r.nic_secondary_ips_read, r.rows_inserted, r.rows_updated,
	r.rows_deleted, r.rows_rejected, r.values_changed, r.message
FROM {inv}.import_runs r$$ ELSE $$
SELECT NULL::bigint AS run, NULL::text AS status, NULL::text AS step, NULL::text AS source,
	NULL::timestamptz AS started, NULL::timestamptz AS finished, NULL::double precision AS seconds,
	NULL::bigint AS networks_read, NULL::bigint AS instances_read, NULL::bigint AS nics_read,
	NULL::bigint AS nic_secondary_ips_read, NULL::bigint AS rows_inserted, NULL::bigint AS rows_updated,
	NULL::bigint AS rows_deleted, NULL::bigint AS rows_rejected, NULL::bigint AS values_changed, NULL::text AS message
WHERE false$$ END,
'Runs of the import that makes a mirror equal to its source: one row each
An inventory that is its own source has none.'),

-- What a scrape may ask for every minute: one look at the held NICs, one at the
-- live instances, and what an index or the catalogs know.  Each name is a
-- constant of its branch, so that a condition on name leaves out the others.
('metrics', $$
{metrics} state, instance_type, kind, version, table_name, status
{of metrics}
	WITH nics AS MATERIALIZED (
		-- counted by what states there are, then by what states are known
		SELECT s.state, coalesce(sum(h.held), 0)::double precision AS held,
			coalesce(sum(h.placeholders) FILTER (WHERE h.active), 0)::double precision AS placeholders,
			coalesce(sum(h.ripe) FILTER (WHERE h.can_stick), 0)::double precision AS stuck,
			coalesce(extract(epoch FROM now() - min(h.since) FILTER (WHERE h.can_stick AND h.ripe > 0)), 0)::double precision AS stuck_seconds
		FROM (VALUES ('Allocated'), ('Reserving'), ('Reserved'), ('Releasing'), ('Deallocating'), ('other')) s (state)
			LEFT JOIN (
				SELECT g.*, g.active AND g.state IN ('Reserving', 'Releasing') AS can_stick,
					CASE WHEN g.state IN ('Allocated', 'Reserving', 'Reserved', 'Releasing', 'Deallocating') THEN g.state ELSE 'other' END AS known
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
			AND t.relname IN ('all_networks', 'all_instances', 'all_nics', 'all_nic_secondary_ips',
				'nic_history', 'nic_address_history', 'import_runs', 'import_log')
		GROUP BY t.relname
	)$$ || CASE $1 WHEN 'mirror' THEN $$, last_run AS MATERIALIZED (
		SELECT r.status
		FROM {inv}.import_runs r
		ORDER BY r.run DESC
		LIMIT 1
	), last_done AS MATERIALIZED (
		SELECT extract(epoch FROM r.finished)::double precision AS at,
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
	FROM {inv}.all_networks w WHERE w.active
	UNION ALL
	SELECT 'vmnet_instances_active', 'Instances that are not removed', coalesce(c.instances, 0)::double precision, s.state, t.type, NULL, NULL, NULL, NULL
	FROM (VALUES ('Starting'), ('Running'), ('Stopping'), ('Stopped'), ('Destroyed'), ('Expunging'), ('Migrating'),
			('Shutdown'), ('Error'), ('Unknown'), ('other')) s (state)
		CROSS JOIN (VALUES ('User'), ('other')) t (type)
		LEFT JOIN (
			SELECT CASE WHEN i.state IN ('Starting', 'Running', 'Stopping', 'Stopped', 'Destroyed', 'Expunging', 'Migrating',
					'Shutdown', 'Error', 'Unknown') THEN i.state ELSE 'other' END AS state,
				CASE WHEN i.type = 'User' THEN 'User' ELSE 'other' END AS type, count(*) AS instances
			FROM {inv}.all_instances i
			WHERE i.active
			GROUP BY 1, 2) c ON c.state = s.state AND c.type = t.type
	UNION ALL
	SELECT 'vmnet_nics_held', 'NICs that are not removed', n.held, n.state, NULL, NULL, NULL, NULL, NULL FROM nics n
	UNION ALL
	SELECT 'vmnet_nics_placeholders', 'Active NICs that have no instance', n.placeholders, n.state, NULL, NULL, NULL, NULL, NULL FROM nics n
	UNION ALL
	SELECT 'vmnet_nics_stuck', 'NICs Reserving or Releasing for ten minutes or longer', n.stuck, n.state, NULL, NULL, NULL, NULL, NULL FROM nics n
	UNION ALL
	SELECT 'vmnet_nics_stuck_oldest_seconds', 'How long the oldest stuck NIC has been in its state, 0 without one', n.stuck_seconds, n.state, NULL, NULL, NULL, NULL, NULL FROM nics n
	UNION ALL
	SELECT 'vmnet_nics_half_removed', 'NICs Deallocating but not removed', h.nics, NULL, NULL, NULL, NULL, NULL, NULL FROM half_removed h
	UNION ALL
	SELECT 'vmnet_nics_half_removed_oldest_seconds', 'How long the oldest half-removed NIC has been Deallocating, 0 without one', h.seconds, NULL, NULL, NULL, NULL, NULL, NULL FROM half_removed h
	UNION ALL
	SELECT 'vmnet_history_entries_total', 'Number of the last entry in the history of NICs', coalesce(max(h.seq), 0)::double precision, NULL, NULL, NULL, NULL, NULL, NULL FROM {inv}.nic_history h
	UNION ALL
	SELECT 'vmnet_table_rows', 'Rows of the table, removed ones too, as the last VACUUM or ANALYZE estimated', t.rows, NULL, NULL, NULL, NULL, t.name, NULL FROM tables t
	UNION ALL
	SELECT 'vmnet_table_bytes', 'Size of the table with its indexes', t.bytes, NULL, NULL, NULL, NULL, t.name, NULL FROM tables t$$ || CASE $1 WHEN 'mirror' THEN $$
	UNION ALL
	SELECT 'vmnet_import_last_success_timestamp_seconds', 'When the last import that was done ended, in seconds since 1970', d.at, NULL, NULL, NULL, NULL, NULL, NULL FROM last_done d
	UNION ALL
	SELECT 'vmnet_import_last_success_age_seconds', 'How long ago the last import that was done ended', d.age, NULL, NULL, NULL, NULL, NULL, NULL FROM last_done d
	UNION ALL
	SELECT 'vmnet_import_last_success_duration_seconds', 'How long the last import that was done took', d.seconds, NULL, NULL, NULL, NULL, NULL, NULL FROM last_done d
	UNION ALL
	SELECT 'vmnet_import_last_success_rejected_rows', 'Rows that the last import that was done had to leave out', d.rejected, NULL, NULL, NULL, NULL, NULL, NULL FROM last_done d
	UNION ALL
	SELECT 'vmnet_import_last_run', 'Whether the last run of the import is in this status: 1 or 0', (s.status = l.status)::int::double precision, NULL, NULL, NULL, NULL, NULL, s.status
	FROM last_run l CROSS JOIN (VALUES ('running'), ('done'), ('failed')) s (status)$$ ELSE '' END || $$
{end of metrics}$$,
'What to monitor: one row per time series, as Prometheus has them
name and labels together are unique. No label has more values than are listed here, so the number of series does not grow. Cheap enough for every minute: it looks at all held NICs and live instances once; a condition on name saves what it leaves out.'),

-- No branch shares what it reads with another, so that a condition on the network
-- comes to each; what a branch does not need of its query is not computed.
('metrics_networks', $$
{metrics} network_id, network_name
{of metrics}
	SELECT 'vmnet_network_ips_usable' AS name, 'IPv4 addresses that the range of the network has for use' AS help,
		u.usable::double precision AS value, u.network_id, u.network_name
	FROM ({network_ip_usage}) u WHERE u.usable IS NOT NULL
	UNION ALL
	SELECT 'vmnet_network_ips_used', 'Distinct IPv4 addresses in use inside the range of the network', u.used::double precision, u.network_id, u.network_name
	FROM ({network_ip_usage}) u WHERE u.usable IS NOT NULL
	UNION ALL
	SELECT 'vmnet_network_instances_active', 'Instances active on the network', c.active_instances::double precision, c.network_id, c.network_name
	FROM ({network_counts}) c
{end of metrics}$$,
'What to monitor of each live network: one to three time series for each
A network that is removed has none; one without an IPv4 range has none about addresses. Where there are more networks than a monitoring system should follow, do not scrape this view, or only some of its networks.'),

('metrics_findings', $$
{metrics} code, severity
{of metrics}
	SELECT 'vmnet_findings_open' AS name, 'Findings of the check of the inventory' AS help, coalesce(f.findings, 0)::double precision AS value, c.code, c.severity
	FROM {codes} c (code, severity)
		LEFT JOIN (
			SELECT f.code, count(*) AS findings
			FROM ({findings}) f (code, severity, object_type, object_id, object_uuid, since, message, fix)
			GROUP BY f.code) f ON f.code = c.code
{end of metrics}$$,
'How many findings there are of each kind, zeros kept: one time series each
The rows of the view findings, counted. As costly as that view: scrape it less often than metrics.'),

('data_dictionary', $$
SELECT CASE WHEN a.attnum IS NULL THEN c.relname::text ELSE c.relname || '.' || a.attname END AS entry,
	c.relname::text AS view_name, a.attname::text AS column_name, a.attnum::int AS ordinal,
	CASE WHEN a.attnum IS NOT NULL THEN format_type(a.atttypid, a.atttypmod) END AS type,
	split_part(d.description, E'\n', 1) AS summary, d.description
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
) AS d (name, query, comment)
$definition$;
COMMENT ON FUNCTION vmnet_internal.report_definition(text) IS
'What the reporting schema of an inventory of a kind consists of: every view, with its query and comment
Columns of a view may only be appended.';

CREATE FUNCTION vmnet_internal.report_column_comments()
RETURNS TABLE (views text[], column_name text, comment text)
LANGUAGE sql IMMUTABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $comments$
-- The first row whose views name the view, or are NULL for any, wins.
VALUES
(ARRAY['networks', 'network_counts', 'network_ip_usage'], 'network_id', 'Id of the network; unique in this view'),
(NULL, 'network_id', 'Id of the network'),
(NULL, 'network_uuid', 'Universal id of the network, or NULL'),
(NULL, 'network_name', 'Name of the network, or NULL'),
(NULL, 'network_state', 'State of the network, as its system calls it
CloudStack: Allocated, Implementing, Implemented, Shutdown, Setup, Destroy.'),
(NULL, 'traffic_type', 'What the network carries: Guest, Public, Management, Control or Storage'),
(NULL, 'guest_type', 'Isolated, Shared or L2; NULL for a network that is not for guests'),
(NULL, 'cidr', 'IPv4 range that addresses are given from, or NULL'),
(NULL, 'network_cidr', 'Whole IPv4 range where cidr is only a part of it, else NULL'),
(ARRAY['networks'], 'gateway', 'IPv4 gateway of the network, or NULL'),
(NULL, 'gateway', 'IPv4 gateway of the NIC, or NULL'),
(NULL, 'ip6_cidr', 'IPv6 range, or NULL'),
(NULL, 'ip6_gateway', 'IPv6 gateway of the network, or NULL'),
(NULL, 'vpc_id', 'VPC that the network is a tier of, or NULL'),
(NULL, 'zone_id', 'Id of the zone, or NULL'),
(NULL, 'zone_name', 'Name of the zone, or NULL'),
(NULL, 'domain_id', 'Id of the domain of the owner, or NULL'),
(NULL, 'domain_path', 'Path of the domain of the owner, or NULL'),
(ARRAY['nics', 'network_instances', 'nic_history', 'network_instance_intervals', 'stuck_nics'], 'account_id', 'Account that owns the instance, or NULL'),
(NULL, 'account_id', 'Account that owns it, or NULL'),
(ARRAY['nics', 'network_instances', 'nic_history', 'network_instance_intervals', 'stuck_nics'], 'account_name', 'Name of the account that owns the instance, or NULL'),
(NULL, 'account_name', 'Name of the account that owns it, or NULL'),
(NULL, 'created', 'When it was made'),
(ARRAY['instances'], 'instance_id', 'Id of the instance; unique in this view'),
(NULL, 'instance_id', 'Id of the instance; NULL for a placeholder'),
(NULL, 'instance_uuid', 'Universal id of the instance, or NULL'),
(NULL, 'instance_name', 'Name of the instance, or NULL'),
(NULL, 'display_name', 'Name that its owner sees, or NULL'),
(NULL, 'hypervisor_name', 'Name that the hypervisor knows it by (CloudStack: i-2-3-VM), or NULL'),
(NULL, 'instance_type', 'User, or which kind of router or system VM'),
(NULL, 'instance_state', 'State of the instance, as its system calls it
CloudStack: Running, Stopped, Destroyed ...'),
(NULL, 'host_id', 'Host that it runs on, or NULL'),
(ARRAY['nics', 'stuck_nics'], 'nic_id', 'Id of the NIC; unique in this view'),
(ARRAY['network_instances'], 'nic_id', 'Id of the NIC that the row shows; unique in this view'),
(NULL, 'nic_id', 'Id of the NIC'),
(NULL, 'nic_uuid', 'Universal id of the NIC, or NULL'),
(ARRAY['stuck_nics'], 'nic_state', 'Reserving or Releasing'),
(NULL, 'nic_state', 'State of the NIC: Allocated, Reserving, Reserved or Releasing'),
(NULL, 'nic_state_order', 'Number to sort states by: 1 Allocated to 4 Releasing, 5 any other'),
(NULL, 'vm_type', 'Type of the instance: User, or which kind of router or system VM'),
(NULL, 'strategy', 'How the NIC gets its address: Start, Create, Managed or PlaceHolder'),
(NULL, 'device_id', 'Position of the NIC in the instance, from 0, or NULL'),
(NULL, 'default_nic', 'Is it the instance''s default NIC'),
(NULL, 'mac_address', 'MAC address, or NULL'),
(NULL, 'ip4_address', 'IPv4 address, without a prefix length, or NULL'),
(NULL, 'ip6_address', 'IPv6 address, without a prefix length, or NULL'),
(NULL, 'netmask', 'IPv4 netmask, or NULL'),
(NULL, 'broadcast_uri', 'Where its traffic goes (CloudStack: vlan://300), or NULL'),
(NULL, 'mtu', 'MTU in bytes, or NULL'),
(NULL, 'enabled', 'Is the link up'),
(NULL, 'reserver_name', 'Who reserves the address, or NULL'),
(NULL, 'reservation_id', 'Reservation that the address belongs to, or NULL'),
(NULL, 'state_changed', 'When the state changed last
In a mirror: when the source or the import saw the change.'),
(NULL, 'nic_count', 'Active NICs of the instance on the network'),
(NULL, 'attached_nics', 'Active NICs whose instance is not removed
Placeholders, which have no instance, do not count.'),
(ARRAY['network_counts'], 'active_instances', 'Distinct instances with an active NIC here, of every type and state
Neither the instance nor the network is removed.'),
(ARRAY['networks_daily'], 'active_instances', 'Distinct instances active on the network when the day ended
For today: now.'),
(NULL, 'arrived_instances', 'How many times an instance came to be active on the network that day'),
(NULL, 'departed_instances', 'How many times an instance ceased to be active on the network that day'),
(NULL, 'running_instances', 'Those of active_instances whose state is Running'),
(NULL, 'user_instances', 'Those of active_instances whose type is User'),
(NULL, 'routers', 'Those of active_instances whose type is DomainRouter'),
(NULL, 'placeholders', 'Active NICs that have no instance: they park an address'),
(NULL, 'allocated', 'Held NICs (not removed) in state Allocated, placeholders included'),
(NULL, 'reserving', 'Held NICs in state Reserving, placeholders included'),
(NULL, 'reserved', 'Held NICs in state Reserved, placeholders included'),
(NULL, 'releasing', 'Held NICs in state Releasing, placeholders included'),
(NULL, 'deallocating', 'Held NICs in state Deallocating: half-removed, counted in no other column'),
(NULL, 'other_states', 'Held NICs whose state is spelled in any other way'),
(NULL, 'used_ip4', 'Distinct IPv4 addresses of active NICs, wherever they lie
Those of placeholders and of removed instances too; secondary addresses not: see network_ip_usage.'),
(NULL, 'usable', 'Addresses that cidr has for use; NULL without cidr
All but the first and the last; of a /31 both, of a /32 the one.'),
(NULL, 'used', 'Distinct IPv4 addresses in use inside cidr; NULL without cidr
Of active NICs of every kind, and secondary addresses of active NICs.'),
(NULL, 'free', 'usable less used, never below 0; NULL without cidr'),
(NULL, 'percent', 'How much of usable is used, 0 to 100; NULL without cidr'),
(NULL, 'outside_cidr', 'Distinct IPv4 addresses in use outside cidr; NULL without cidr'),
(NULL, 'addresses', 'Distinct IPv4 addresses in use, wherever they lie'),
(NULL, 'ip6_usable', 'Addresses that ip6_cidr has, all of them; NULL without ip6_cidr'),
(NULL, 'ip6_used', 'Distinct IPv6 addresses in use inside ip6_cidr; NULL without ip6_cidr'),
(NULL, 'ip6_free', 'ip6_usable less ip6_used, never below 0; NULL without ip6_cidr'),
(NULL, 'ip6_percent', 'How much of ip6_usable is used, 0 to 100; NULL without ip6_cidr'),
(NULL, 'ip6_outside_cidr', 'Distinct IPv6 addresses in use outside ip6_cidr; NULL without ip6_cidr'),
(NULL, 'ip6_addresses', 'Distinct IPv6 addresses in use, wherever they lie'),
(NULL, 'seq', 'Number of the entry, unique: the order in which things happened'),
(ARRAY['networks_daily'], 'time', 'Start of the day, UTC'),
(NULL, 'time', 'When it happened; in a mirror: when the import that saw it started'),
(NULL, 'event', 'What was asked of the NIC
vmnet.nic_state_transitions() lists the events. Removed: removed was set on a NIC that was Deallocating already; Imported: an import saw the change.'),
(NULL, 'from_state', 'State before'),
(NULL, 'to_state', 'State after; NULL in a mirror: the source has the row no more'),
(NULL, 'from_network_id', 'Network before, where an import saw the NIC moved; else NULL'),
(NULL, 'removed', 'When the NIC was removed, as the change set it; NULL: it was not'),
(NULL, 'session_username', 'Role that had logged in'),
(NULL, 'actor', 'On whose behalf it was done (setting vmnet.actor), or NULL'),
(ARRAY['nic_history', 'stuck_nics'], 'reason', 'Why it was done (setting vmnet.reason), or NULL'),
(NULL, 'application_name', 'Program that did it, or NULL'),
(NULL, 'transaction_id', 'Transaction that made the change'),
(NULL, 'active_from', 'When it began; it holds at this moment'),
(NULL, 'active_to', 'When it ended; it holds no more at this moment. NULL: it goes on'),
(ARRAY['network_instance_intervals'], 'seconds', 'How long it lasted, or has lasted so far'),
(ARRAY['stuck_nics'], 'seconds', 'How long it has been in this state'),
(ARRAY['imports'], 'seconds', 'How long the run took, or has taken so far'),
(NULL, 'network_removed', 'When the network was removed; NULL: it is live'),
(NULL, 'instance_removed', 'When the instance was removed; NULL: it is live'),
(NULL, 'last_event', 'Event that led to this state; NULL where history has none'),
(NULL, 'finding', 'What it is and about what: code, type and id of the object; unique'),
(NULL, 'code', 'Kind of finding; vmnet.check_codes() says what each means'),
(NULL, 'severity', 'error, warning or info'),
(NULL, 'severity_order', 'Number to sort severities by: 1 error, 2 warning, 3 info'),
(NULL, 'object_type', 'What it is about: nic, instance, network; inventory for a guard'),
(NULL, 'object_id', 'Id of what it is about; NULL for a guard'),
(NULL, 'object_uuid', 'Universal id of what it is about, or NULL'),
(NULL, 'since', 'Since when it has been so, as far as the rows tell; NULL: they do not'),
(ARRAY['findings'], 'message', 'What was found'),
(NULL, 'fix', 'Statement that mends it; NULL: ask vmnet.check_inventory(), or nothing can'),
(NULL, 'run', 'Number of the run, unique'),
(NULL, 'status', 'running, done or failed'),
(NULL, 'step', 'What the run is doing, or did last'),
(NULL, 'source', 'Schema that the run read'),
(NULL, 'started', 'When the run started'),
(NULL, 'finished', 'When the run ended; NULL: it has not'),
(NULL, 'networks_read', 'Networks read from the source'),
(NULL, 'instances_read', 'Instances read from the source'),
(NULL, 'nics_read', 'NICs read from the source'),
(NULL, 'nic_secondary_ips_read', 'Secondary addresses read from the source'),
(NULL, 'rows_inserted', 'Rows that were new'),
(NULL, 'rows_updated', 'Rows that had changed'),
(NULL, 'rows_deleted', 'Rows that the source has no more'),
(NULL, 'rows_rejected', 'Rows of the source that have no place here'),
(NULL, 'values_changed', 'Values that had to be changed to be stored'),
(ARRAY['imports'], 'message', 'Why the run failed, or NULL'),
(ARRAY['metrics', 'metrics_networks', 'metrics_findings'], 'name', 'Name of the metric; ends in _total if it only ever grows'),
(ARRAY['metrics', 'metrics_networks', 'metrics_findings'], 'labels', 'Labels as Prometheus writes them: state="Reserved",...
Backslashes, quotes and line feeds in them are escaped.'),
(ARRAY['metrics', 'metrics_networks', 'metrics_findings'], 'value', 'Value'),
(ARRAY['metrics', 'metrics_networks', 'metrics_findings'], 'metric_type', 'gauge, or counter if it only ever grows'),
(ARRAY['metrics', 'metrics_networks', 'metrics_findings'], 'help', 'What the metric says, in one line'),
(ARRAY['metrics', 'metrics_networks', 'metrics_findings'], 'inventory', 'Label: name of the inventory'),
(ARRAY['metrics'], 'state', 'Label: state of the NICs or instances; other: any that is not known; or NULL'),
(ARRAY['metrics'], 'instance_type', 'Label: User, or other; NULL where it is not about instances'),
(ARRAY['metrics'], 'kind', 'Label: kind of the inventory (managed, mirror, attached); NULL but for its info'),
(ARRAY['metrics'], 'version', 'Label: version of vmnet_ext; NULL but for the info of the inventory'),
(ARRAY['metrics'], 'table_name', 'Label: table of the inventory, or NULL'),
(ARRAY['metrics'], 'status', 'Label: status of an import, or NULL'),
(ARRAY['metrics_networks'], 'network_id', 'Label: id of the network'),
(ARRAY['metrics_networks'], 'network_name', 'Label: name of the network; NULL if it has none'),
(ARRAY['metrics_findings'], 'code', 'Label: kind of finding'),
(ARRAY['metrics_findings'], 'severity', 'Label: error, warning or info'),
(NULL, 'entry', 'View, or view and column; unique'),
(NULL, 'view_name', 'Name of the view'),
(NULL, 'column_name', 'Name of the column; NULL: the row is about the view'),
(NULL, 'ordinal', 'Position of the column in the view, from 1; NULL for the view'),
(NULL, 'type', 'Type of the column; NULL for the view'),
(NULL, 'summary', 'What it means, in one line'),
(NULL, 'description', 'What it means, in full')
$comments$;
COMMENT ON FUNCTION vmnet_internal.report_column_comments() IS
'Comments of the columns of a reporting schema, by view and column; views NULL: any';

-- In what an inventory differs from its definition, as plain SQL: the query of
-- check_rules() with what is expected as constants.
CREATE FUNCTION vmnet_internal.report_rules(kind text)
RETURNS text
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
SELECT replace(replace(p.prosrc,
	'vmnet_internal.check_expected_facts($2) x',
	(SELECT format('(VALUES %s) x (relation, sort, object, fact)',
			string_agg(format('(%L::text, %L::text, %L::text, %L::text)', f.relation, f.sort, f.object, f.fact), ', '
				ORDER BY f.relation COLLATE "C", f.sort COLLATE "C", f.object COLLATE "C"))
		FROM vmnet_internal.check_expected_facts($1) f)),
	's.nspname = $1', 's.nspname = {schema}')
FROM pg_catalog.pg_proc p
WHERE p.oid = 'vmnet_internal.check_rules(text, text)'::regprocedure
$$;
COMMENT ON FUNCTION vmnet_internal.report_rules(text) IS
'Part of create_report(): the query of check_rules(), for an inventory of a kind';

-- What check_inventory() finds, as plain SQL that calls no function of the
-- extension: the queries of its codes with their parameters filled in, and the
-- look at the guards with what is expected of them as constants.  Statements
-- that would put a guard out of the way are left out.
CREATE FUNCTION vmnet_internal.report_findings(inventory text, kind text, source text)
RETURNS text
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
WITH rows AS (
	SELECT replace(replace(replace(replace(replace(
			vmnet_internal.check_query_template($1),
			'vmnet_internal.check_past_guards(', 'format(NULL::text, '), 'vmnet_internal.check_close_gap(', 'format(NULL::text, '),
			'$1', 'now() - interval ''10 minutes'''), '$2', '{name}'), '$3', ($2 IN ('mirror', 'live'))::text) AS query
), guards AS (
	SELECT replace(replace(replace(replace(replace(replace(
			(SELECT prosrc FROM pg_catalog.pg_proc WHERE oid = 'vmnet_internal.check_guards(text, text)'::regprocedure),
			'vmnet_internal.check_expected_guards($1, $2) x',
			(SELECT format('(VALUES %s) x (ord, trigger_name, relation, function_name, fires, condition, ddl)',
					-- a live inventory has none
					coalesce(string_agg(format('(%s, %L::text, %L::text, %L::text, %s, %L::text, %L::text)',
						e.ord, e.trigger_name, e.relation, e.function_name, e.fires, e.condition, e.ddl), ', ' ORDER BY e.ord),
						'(0, '''', '''', '''', 0, '''', '''')'))
				FROM vmnet_internal.check_expected_guards($1, $2) e)),
			'vmnet_internal.check_guarded_relations($1) r',
			format('(%s) r', replace((SELECT prosrc FROM pg_catalog.pg_proc
				WHERE oid = 'vmnet_internal.check_guarded_relations(text)'::regprocedure), '$1', '{schema}'))),
			'vmnet_internal.attached_check_guards($1) a WHERE $2 = ''attached''',
			CASE $2 WHEN 'attached' THEN format('(%s) a (code, message, fix)', vmnet_internal.attached_guards_query($1))
				ELSE '(VALUES (NULL::text, NULL::text, NULL::text)) a (code, message, fix) WHERE false' END),
			'vmnet_internal.named_relations()', format('%L::text[]', vmnet_internal.named_relations())),
			's.nspname = $1 AND o.owner', 's.nspname = {schema} AND o.owner'),
			'vmnet_internal.check_rules($1, $2) u', format('(%s) u (code, message, fix)', vmnet_internal.report_rules($2))) AS query
)
SELECT format($q$
SELECT f.code, f.severity, f.object_type, f.object_id, f.object_uuid, f.since, %s, %s
FROM (%s
	UNION ALL
	SELECT 0, g.code, 'error', 'inventory', NULL, NULL, NULL, g.message, g.fix, NULL
	FROM (%s) g (code, message, fix)) f (ord, code, severity, object_type, object_id, object_uuid, since, message, fix, source_fix)$q$,
	CASE WHEN $2 IN ('mirror', 'live') THEN format('f.message || CASE WHEN f.source_fix IS NOT NULL THEN %L ELSE '''' END',
		format('; to be mended at the source%s', ', ' || quote_ident($3))) ELSE 'f.message' END,
	CASE WHEN $2 IN ('mirror', 'live') THEN 'coalesce(f.source_fix, f.fix)'
		WHEN $2 = 'attached' THEN 'CASE WHEN f.object_type = ''inventory'' THEN f.fix END' ELSE 'f.fix' END,
	rows.query, guards.query)
FROM rows, guards
$$;
COMMENT ON FUNCTION vmnet_internal.report_findings(text, text, text) IS
'Part of create_report(): the query of the view findings';

-- The first line of the query of a view of metrics names the columns that are
-- labels; inventory is one always.
CREATE FUNCTION vmnet_internal.report_metrics(query text)
RETURNS text
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp
AS $metrics$
SELECT replace(replace(replace(replace($1,
	substring($1 FROM '{metrics} [^\n]*'), format($$SELECT m.name, concat_ws(',', %s) AS labels, m.value,
	CASE WHEN right(m.name, 6) = '_total' THEN 'counter' ELSE 'gauge' END AS metric_type, m.help,
	s.nspname::text AS inventory, %s$$, l.texts, l.columns)),
	'{of metrics}', 'FROM ('),
	'{end of metrics}', E') m\n	JOIN pg_namespace s ON s.oid = {namespace}'),
	'{codes}', (SELECT format('(VALUES %s)', string_agg(format('(%L, %L)', c.code, c.severity), ', ' ORDER BY c.ord))
		FROM vmnet.check_codes() c))
FROM (
	SELECT string_agg(format($$%L || replace(replace(replace(%s::text, '\', '\\'), '"', '\"'), E'\n', '\n') || '"'$$,
			c.name || '="', CASE c.name WHEN 'inventory' THEN 's.nspname' ELSE 'm.' || c.name END), ', ' ORDER BY c.ord) AS texts,
		string_agg('m.' || c.name, ', ' ORDER BY c.ord) FILTER (WHERE c.name <> 'inventory') AS columns
	FROM regexp_split_to_table('inventory, ' || substring($1 FROM '{metrics} ([^\n]*)'), ', ') WITH ORDINALITY c (name, ord)) l
$metrics$;
COMMENT ON FUNCTION vmnet_internal.report_metrics(text) IS
'Part of create_report(): the query of a view of metrics
Around what each series is; its labels as a text, too.';

-- The query of a view of the inventory, with {inv} for its name.
CREATE FUNCTION vmnet_internal.report_source(kind text, view_name text)
RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $$
SELECT replace(regexp_replace(d.ddl, '^\s*CREATE VIEW [^\n]* AS\n', ''), '%1$I', '{inv}')
FROM vmnet_internal.inventory_definition($1) d
WHERE d.object = 'VIEW %1$I.' || $2
$$;
COMMENT ON FUNCTION vmnet_internal.report_source(text, text) IS
'Part of create_report(): the query of a view of the inventory';

-- What stands for a relation of an inventory in a reporting view.  The views of
-- an attached inventory would ask for the rights of whoever reads, so that their
-- queries over the tables are written out; for tenants that is as it should be.
-- Ids that are no bigint are texts in reports.
CREATE FUNCTION vmnet_internal.report_relation(inventory text, kind text, relation text, tenant boolean)
RETURNS text
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	rel regclass := format('%I.%I', inventory, relation);
	result text := format('%I.%I', inventory, relation);
BEGIN
	IF kind <> 'attached' THEN
		RETURN result;
	END IF;
	IF relation LIKE 'attached\_%' AND NOT tenant THEN
		result := format('(%s)', rtrim(pg_get_viewdef(rel), ';'));
	ELSIF relation IN ('all_networks', 'all_instances', 'all_nics') AND NOT tenant THEN
		result := format('(%s)', vmnet_internal.attached_canonical(substring(relation FROM 5),
			(SELECT jsonb_object_agg(r.name, '(' || rtrim(pg_get_viewdef(r.view), ';') || ')')
			FROM (SELECT n, to_regclass(format('%I.%I', inventory, 'attached_' || n)) FROM unnest(ARRAY['networks', 'instances', 'nics']) n) r (name, view)
			WHERE r.view IS NOT NULL),
			(SELECT coalesce(array_agg(DISTINCT rtrim(substring(p.relname FROM 10), 's')), '{}')
			FROM pg_catalog.pg_rewrite w
				JOIN pg_catalog.pg_depend d ON d.classid = 'pg_catalog.pg_rewrite'::regclass AND d.objid = w.oid
					AND d.refclassid = 'pg_catalog.pg_class'::regclass
				JOIN pg_catalog.pg_class p ON p.oid = d.refobjid AND p.relname IN ('attached_networks', 'attached_instances')
			WHERE w.ev_class = format('%I.all_nics', inventory)::regclass)));
	END IF;
	IF (SELECT o.view IS NOT NULL FROM vmnet_internal.attached_other_keys(inventory) o) THEN
		result := (SELECT format('(SELECT %s FROM %s x)', string_agg(format(
				CASE WHEN a.attname IN ('nic_id', 'network_id', 'instance_id', 'from_network_id') OR a.attname = 'id' AND relation <> 'all_nic_secondary_ips'
					THEN 'x.%1$I::text AS %1$I' ELSE 'x.%1$I' END, a.attname), ', ' ORDER BY a.attnum), result)
			FROM pg_catalog.pg_attribute a WHERE a.attrelid = rel AND a.attnum > 0 AND NOT a.attisdropped);
	END IF;
	RETURN result;
END
$$;
COMMENT ON FUNCTION vmnet_internal.report_relation(text, text, text, boolean) IS
'Part of create_report(): what a reporting view reads for a relation of the inventory';

-- The OID of a schema, by the row type of one of its relations.  A constant of
-- type regnamespace would be written out as a name.
CREATE FUNCTION vmnet_internal.report_namespace(schema_name text, relation text)
RETURNS text
LANGUAGE sql IMMUTABLE
SET search_path = pg_catalog, pg_temp
AS $$
SELECT format('(SELECT y.typnamespace FROM pg_catalog.pg_type y WHERE y.oid = pg_catalog.pg_typeof(NULL::%I.%I))', $1, $2)
$$;
COMMENT ON FUNCTION vmnet_internal.report_namespace(text, text) IS
'Part of create_report(): the expression for the OID of a schema in a view';

-- Puts what they stand for into a query, in one pass: what has been put there
-- is not looked at again.  What is in parentheses needs an alias; where a word of
-- SQL, in capitals, follows a relation, it has none.
CREATE FUNCTION vmnet_internal.report_fill(query text, inventory text, kind text, tenant boolean)
RETURNS text
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
WITH template AS (
	SELECT CASE $3 WHEN 'attached' THEN regexp_replace($1, '(\{inv\}\.(\w+))(?=\s*$|\s*[),]|\s+[A-Z])', '\1 \2', 'g') ELSE $1 END AS text,
		'\{inv\}\.\w+|\{inv\}|\{namespace\}|\{name\}|\{schema\}' AS token
), value AS MATERIALIZED (
	SELECT t.token, CASE
		WHEN t.token = '{namespace}' THEN vmnet_internal.report_namespace($2, 'inventory_info')
		WHEN t.token IN ('{name}', '{schema}') THEN format('(SELECT %s FROM pg_catalog.pg_namespace z WHERE z.oid = %s)',
			CASE t.token WHEN '{name}' THEN 'pg_catalog.quote_ident(z.nspname)' ELSE 'z.nspname::text' END,
			vmnet_internal.report_namespace($2, 'inventory_info'))
		WHEN t.token = '{inv}' THEN quote_ident($2)
		ELSE vmnet_internal.report_relation($2, $3, substring(t.token FROM 7), $4) END AS value
	FROM (SELECT DISTINCT m.m[1] AS token FROM template, regexp_matches(text, '(' || template.token || ')', 'g') m (m)) t
)
SELECT string_agg(p.piece || coalesce(v.value, ''), '' ORDER BY p.ord)
FROM template
	CROSS JOIN LATERAL regexp_split_to_table(text, template.token) WITH ORDINALITY p (piece, ord)
	LEFT JOIN LATERAL regexp_matches(text, '(' || template.token || ')', 'g') WITH ORDINALITY m (m, ord) ON m.ord = p.ord
	LEFT JOIN value v ON v.token = m.m[1]
$$;
COMMENT ON FUNCTION vmnet_internal.report_fill(text, text, text, boolean) IS
'Part of create_report(): a query with what stands for the inventory and its relations';

-- The query of a reporting view, for one inventory.
CREATE FUNCTION vmnet_internal.report_query(name text, query text, inventory text, kind text, source text, report_schema text, tenant boolean)
RETURNS text
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
SELECT CASE WHEN position('{report}' IN $2) > 0 THEN replace($2, '{report}', vmnet_internal.report_namespace($6, 'networks'))
	ELSE vmnet_internal.report_fill(replace(replace(replace(replace(
		CASE WHEN position('{metrics}' IN $2) > 0 THEN vmnet_internal.report_metrics($2) ELSE $2 END,
		'{network_counts}', (SELECT d.query FROM vmnet_internal.report_definition($4) d WHERE d.name = 'network_counts')),
		'{network_ip_usage}', (SELECT d.query FROM vmnet_internal.report_definition($4) d WHERE d.name = 'network_ip_usage')),
		'{findings}', CASE WHEN position('{findings}' IN $2) > 0 THEN vmnet_internal.report_findings($3, $4, $5) ELSE '' END),
		'{network_instance_intervals}', replace(vmnet_internal.report_source($4, 'network_instance_intervals'),
			'{inv}.nic_intervals', '(' || vmnet_internal.report_source($4, 'nic_intervals') || ')')), $3, $4, $7)
	-- by which report_schemas() knows it, and DROP SCHEMA ... CASCADE
	|| CASE WHEN $4 = 'attached' AND $1 = 'networks' THEN format(' AND NULL::%I.all_networks IS NULL', $3) ELSE '' END END
$$;
COMMENT ON FUNCTION vmnet_internal.report_query(text, text, text, text, text, text, boolean) IS
'Part of create_report(): the query of a reporting view, for one inventory';

-- Why an inventory has not what a reporting view needs; no row where it has.
CREATE FUNCTION vmnet_internal.report_left_out(inventory text, kind text)
RETURNS TABLE (name text, why text)
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
SELECT 'nic_history', k.detail FROM vmnet_internal.history_kept($1::name) k WHERE NOT k.kept
UNION ALL
SELECT n.name, format('There is no %s.', string_agg(DISTINCT l.lacks, ', ' ORDER BY l.lacks))
FROM (VALUES
	('stuck_nics', ARRAY['nics.state', 'nics.state_changed']),
	('network_instance_intervals', ARRAY['nics.created', 'nics.removed']),
	('networks_daily', ARRAY['nics.created', 'nics.removed'])) n (name, needs)
	CROSS JOIN LATERAL (
		-- from 18 on the planner knows the arguments, and would look for itself
		SELECT u FROM unnest(CASE WHEN $2 = 'attached' THEN vmnet_internal.attached_lacks($1) END) u WHERE u = ANY (n.needs)
		UNION ALL
		SELECT u || ' with a time' FROM unnest(CASE WHEN $2 = 'attached' THEN vmnet_internal.attached_untimed($1) END) u WHERE n.name <> 'stuck_nics') l (lacks)
WHERE $2 = 'attached'
GROUP BY n.name
$$;
COMMENT ON FUNCTION vmnet_internal.report_left_out(text, text) IS
'Part of create_report(): the views that there cannot be for an inventory, and why';

-- Schemas with a report on an inventory, whoever owns them.  A report has a view
-- networks that reads the networks of the inventory, and a dictionary that tells
-- its schema by the row type of this view.  (Reports on a relation itself, or on
-- its row type where the inventory is an attached one.)
CREATE FUNCTION vmnet_internal.report_candidates(inventory_name text)
RETURNS TABLE (schema_name name, tenant boolean, owners oid[])
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
SELECT DISTINCT n.nspname, coalesce(v.reloptions @> '{security_invoker=true}', false),
	ARRAY(SELECT n.nspowner UNION
		SELECT c.relowner FROM pg_catalog.pg_class c
		WHERE c.relnamespace = n.oid AND c.relkind = 'v' AND c.relname IN (SELECT d.name FROM vmnet_internal.report_definition('managed') d))
FROM pg_catalog.pg_namespace i
	JOIN pg_catalog.pg_class w ON w.relname = 'all_networks' AND w.relnamespace = i.oid
	JOIN pg_catalog.pg_depend d ON d.classid = 'pg_catalog.pg_rewrite'::regclass
		AND (d.refclassid = 'pg_catalog.pg_class'::regclass AND d.refobjid = w.oid
			OR d.refclassid = 'pg_catalog.pg_type'::regclass AND d.refobjid = w.reltype)
	JOIN pg_catalog.pg_rewrite r ON r.oid = d.objid
	JOIN pg_catalog.pg_class v ON v.oid = r.ev_class AND v.relname = 'networks' AND v.relkind = 'v'
	JOIN pg_catalog.pg_namespace n ON n.oid = v.relnamespace AND n.oid <> i.oid
WHERE i.nspname = $1
	AND EXISTS (
		SELECT FROM pg_catalog.pg_class c
			JOIN pg_catalog.pg_rewrite x ON x.ev_class = c.oid
			JOIN pg_catalog.pg_depend e ON e.classid = 'pg_catalog.pg_rewrite'::regclass AND e.objid = x.oid
				AND e.refclassid = 'pg_catalog.pg_type'::regclass AND e.refobjid = v.reltype
		WHERE c.relnamespace = n.oid AND c.relname = 'data_dictionary' AND c.relkind = 'v')
$$;
COMMENT ON FUNCTION vmnet_internal.report_candidates(text) IS
'Part of report_schemas(): schemas with a report on an inventory, and all who own the schema or a view of the report';

CREATE FUNCTION vmnet.report_schemas(inventory name DEFAULT NULL)
RETURNS TABLE (schema_name name, tenant boolean)
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
SELECT c.schema_name, c.tenant
FROM vmnet_internal.inventory_facts(vmnet_internal.resolve_inventory($1)) l, vmnet_internal.report_candidates(l.name) c
WHERE c.owners = ARRAY[l.owner_id]
ORDER BY c.schema_name
$$;
COMMENT ON FUNCTION vmnet.report_schemas(name) IS
'Reporting schemas of an inventory, and whether they are for tenants
Found from the catalogs: schemas and views that belong to the owner of the inventory. NULL: the setting vmnet.inventory. Error: 22023 for an unknown inventory.';

CREATE FUNCTION vmnet_internal.report_refuse(state text, message text, detail text, hint text)
RETURNS void
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	RAISE EXCEPTION USING ERRCODE = state, MESSAGE = message, DETAIL = detail, HINT = hint;
END
$$;
COMMENT ON FUNCTION vmnet_internal.report_refuse(text, text, text, text) IS
'Part of create_report() and grant_access(): raises an error';

-- The inventory that a call means, whose owner the caller has to be.
CREATE FUNCTION vmnet_internal.report_inventory(wanted name, OUT name text, OUT kind text, OUT source text)
RETURNS record
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	resolved name := vmnet_internal.resolve_inventory(wanted);
	owner oid;
BEGIN
	SELECT l.name, l.kind, l.source, l.owner_id INTO name, kind, source, owner
	FROM vmnet_internal.inventory_facts(resolved) l;
	IF name IS NULL THEN
		PERFORM vmnet_internal.report_refuse('22023', format('inventory "%s" cannot be used', resolved),
			'Its view inventory_info does not say of which kind it is.', 'The view vmnet.inventories lists what is there.');
	ELSIF NOT pg_has_role(current_user, owner, 'USAGE') THEN
		PERFORM vmnet_internal.report_refuse('42501', format('must be owner of inventory "%s"', resolved),
			format('It belongs to role "%s".', pg_get_userbyid(owner)),
			format('Have its owner do it, or become it: SET ROLE %I;', pg_get_userbyid(owner)));
	END IF;
END
$$;
COMMENT ON FUNCTION vmnet_internal.report_inventory(name) IS
'Part of create_report() and grant_access(): the inventory that a call means, if the caller owns it
Errors: 22023 for an unknown inventory, 42501 where the caller is not its owner.';

-- Refuses where a report on an inventory does not belong to the owner of the
-- inventory, who could not renew it then: it would go on showing what the
-- inventory no longer is.
CREATE FUNCTION vmnet_internal.report_refuse_other(inventory_name text, wanted text DEFAULT NULL)
RETURNS void
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	other record;
BEGIN
	SELECT c.schema_name, pg_get_userbyid((SELECT min(o) FROM unnest(c.owners) o WHERE o <> l.owner_id)) AS its_owner,
		pg_get_userbyid(l.owner_id) AS owner
	INTO other
	FROM vmnet_internal.inventory_facts(inventory_name) l, vmnet_internal.report_candidates(l.name) c
	WHERE c.owners <> ARRAY[l.owner_id]
		AND (wanted IS NULL OR c.schema_name = wanted)
	ORDER BY c.schema_name
	LIMIT 1;
	IF FOUND THEN
		RAISE EXCEPTION USING
			ERRCODE = 'insufficient_privilege', SCHEMA = other.schema_name, CONSTRAINT = 'report_owner',
			MESSAGE = format('report "%s" does not belong to the owner of inventory "%s"', other.schema_name, inventory_name),
			DETAIL = format('It, or a part of it, belongs to role "%s", and the inventory to role "%s", which cannot bring it up to date.', other.its_owner, other.owner),
			HINT = format('Have "%s" give it away, ALTER SCHEMA %I OWNER TO %I and ALTER VIEW ... OWNER TO %3$I for each view in it, or drop it; then make it again: SELECT vmnet.create_report(%L, %L);',
				other.its_owner, other.schema_name, other.owner, inventory_name, other.schema_name);
	END IF;
END
$$;
COMMENT ON FUNCTION vmnet_internal.report_refuse_other(text, text) IS
'Part of create_report() and renew_reports(): refuses where a report belongs to another role than the inventory
wanted: look at this schema alone; NULL: at all. Error: 42501 with constraint report_owner.';

-- The name of the schema, once it is clear that a report can be made there.
CREATE FUNCTION vmnet_internal.report_target(inventory text, wanted text, for_tenants boolean)
RETURNS text
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	target text := coalesce(wanted, inventory || '_report');
	missing text;
BEGIN
	IF octet_length(target) NOT BETWEEN 1 AND 63 THEN
		PERFORM vmnet_internal.report_refuse('22023', 'the name of a reporting schema must have 1 to 63 bytes',
			format('"%s" has %s bytes.', target, octet_length(target)),
			format('Give another name: SELECT vmnet.create_report(%L, %L);', inventory, 'report'));
	END IF;
	IF for_tenants IS NULL THEN
		PERFORM vmnet_internal.report_refuse('22023', 'say whether the report is for tenants',
			'The argument tenant is NULL.', 'Leave it out for a report on the whole inventory, or say true.');
	END IF;
	IF for_tenants AND (SELECT l.kind = 'live' FROM vmnet_internal.inventory_facts(inventory) l) THEN
		PERFORM vmnet_internal.report_refuse('22023', format('there can be no report for tenants on inventory "%s"', inventory),
			'It is a live one: its views show everything to whoever may read them, and policies cannot be on what they read.',
			'Make the report on a mirror: vmnet.import_cloudstack() makes one.');
	END IF;
	SELECT string_agg(t, ', ' ORDER BY t) INTO missing
	FROM unnest(ARRAY['all_networks', 'all_instances', 'all_nics', 'all_nic_secondary_ips', 'nic_history']) t
	WHERE to_regclass(format('%I.%I', inventory, t)) IS NULL;
	IF missing IS NOT NULL THEN
		PERFORM vmnet_internal.report_refuse('22023', format('there can be no report on inventory "%s"', inventory),
			format('It lacks: %s.', missing), 'Make the report on an inventory that has them, a mirror of this one say.');
	END IF;
	IF EXISTS (SELECT FROM pg_catalog.pg_namespace n WHERE n.nspname = target)
		AND NOT EXISTS (SELECT FROM vmnet.report_schemas(inventory::name) r WHERE r.schema_name = target AND r.tenant = for_tenants)
	THEN
		PERFORM vmnet_internal.report_refuse_other(inventory, target);
		PERFORM vmnet_internal.report_refuse('42P06', format('schema "%s" exists already', target),
			format('It is not such a reporting schema of inventory "%s". Nothing in it was touched.', inventory),
			'Choose another name, or move what is in it away and drop the schema.');
	END IF;
	RETURN target;
END
$$;
COMMENT ON FUNCTION vmnet_internal.report_target(text, text, boolean) IS
'Part of create_report(): the name of the schema, checked
Errors: 22023 for a name or an inventory that cannot be, 42P06 where there is another schema of that name.';

CREATE FUNCTION vmnet_internal.comment_report(report_schema text)
RETURNS void
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	target record;
BEGIN
	FOR target IN
		SELECT c.relname, a.attname, m.comment
		FROM pg_catalog.pg_class c
			JOIN pg_catalog.pg_namespace s ON s.oid = c.relnamespace
			JOIN pg_catalog.pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
			CROSS JOIN LATERAL (
				SELECT d.comment
				FROM vmnet_internal.report_column_comments() WITH ORDINALITY d (views, column_name, comment, ord)
				WHERE d.column_name = a.attname AND (d.views IS NULL OR c.relname = ANY (d.views))
				ORDER BY d.views IS NULL, d.ord
				LIMIT 1) m
		WHERE s.nspname = report_schema AND c.relkind = 'v'
			AND c.relname IN (SELECT r.name FROM vmnet_internal.report_definition('managed') r)
	LOOP
		EXECUTE format('COMMENT ON COLUMN %I.%I.%I IS %L', report_schema, target.relname, target.attname, target.comment);
	END LOOP;
END
$$;
COMMENT ON FUNCTION vmnet_internal.comment_report(text) IS
'Part of create_report(): comments on every column, as the caller';

-- Makes the views of a report in a schema that is there, and comments on them.
-- This is what has to be done as the owner of the inventory: making a view
-- resolves operators and reads constants of the types that the tables have.
CREATE FUNCTION vmnet_internal.report_build_as_owner(inventory name, target text, tenant boolean)
RETURNS void
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	info record := vmnet_internal.report_inventory($1);
	part record;
BEGIN
	FOR part IN
		SELECT d.name, d.query, d.comment, o.why
		FROM vmnet_internal.report_definition(info.kind) d
			LEFT JOIN vmnet_internal.report_left_out(info.name, info.kind) o ON o.name = d.name
		-- metrics are of the whole inventory, and tell of it what no policy hides
		WHERE NOT tenant OR d.name NOT IN ('metrics', 'metrics_networks', 'metrics_findings')
		ORDER BY d.ord
	LOOP
		-- a missing view is better than one that would always be empty
		IF part.why IS NOT NULL THEN
			RAISE NOTICE '%.% is left out', target, part.name USING DETAIL = part.why;
			CONTINUE;
		END IF;
		EXECUTE format('CREATE OR REPLACE VIEW %I.%I WITH (security_barrier = true, security_invoker = %s) AS ',
				target, part.name, CASE WHEN tenant THEN 'true' ELSE 'false' END)
			|| vmnet_internal.report_query(part.name, part.query, info.name, info.kind, info.source, target, tenant);
		EXECUTE format('COMMENT ON VIEW %I.%I IS %L', target, part.name, part.comment);
	END LOOP;
	PERFORM vmnet_internal.comment_report(target);
END
$$;
COMMENT ON FUNCTION vmnet_internal.report_build_as_owner(name, text, boolean) IS
'Body of vmnet_internal.report_build(), run with the rights that this has switched to';

CREATE FUNCTION vmnet_internal.report_build(inventory name, target text, tenant boolean)
RETURNS void
AS 'MODULE_PATHNAME', 'inventory_entry'
LANGUAGE C;
COMMENT ON FUNCTION vmnet_internal.report_build(name, text, boolean) IS
'Part of create_report(): makes the views of a report in schema target, or brings them up to date';

-- As its caller this only looks into the catalogs and makes the schema, for the
-- owner of the inventory, who may not be allowed to make one.
CREATE FUNCTION vmnet.create_report(inventory name, schema_name text DEFAULT NULL, tenant boolean DEFAULT false)
RETURNS text
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	info record := vmnet_internal.report_inventory($1);
	target text := vmnet_internal.report_target(info.name, $2, $3);
BEGIN
	IF NOT EXISTS (SELECT FROM pg_catalog.pg_namespace n WHERE n.nspname = target) THEN
		EXECUTE format('CREATE SCHEMA %I AUTHORIZATION %I', target,
			(SELECT pg_get_userbyid(l.owner_id) FROM vmnet_internal.inventory_facts(info.name) l));
		EXECUTE format('COMMENT ON SCHEMA %I IS %L', target, format(
			E'Reporting views of inventory "%s" (vmnet_ext)\ndata_dictionary says what is here and what it means.', info.name));
	END IF;
	PERFORM vmnet_internal.report_build(info.name::name, target, $3);
	RETURN target;
END
$$;
COMMENT ON FUNCTION vmnet.create_report(name, text, boolean) IS
'Makes a reporting schema for an inventory: flat views for tools; returns its name
schema_name: NULL is <inventory>_report. inventory NULL: the setting vmnet.inventory. The views show the whole inventory to whoever may read them (vmnet.grant_access), with the rights of their owner. tenant: they run with the rights of whoever reads, so that policies of row-level security on the tables hold. Metrics, which are of the whole inventory, are left out then.
Where it is there already its views are brought up to date, and grants on them stay; partition_history() and manage_inventory() do that of themselves.
Over an attached or a live inventory, views that need what it has not are left out, each with a NOTICE that says what: nic_history where no history is kept, stuck_nics without a state and the time of its change, network_instance_intervals and networks_daily without the times of creation and of removal. Ids that are no bigint are texts.
Schema and views belong to the owner of the inventory. Needs the owner of the inventory, and CREATE on the database. Errors: 22023 for an unknown inventory, a name that is too long, an inventory that lacks tables, or tenants of a live one; 42P06 where there is another schema of that name; 42501 for others than the owner, and with constraint report_owner where the report belongs to another role.';

-- The views of a report read the tables of the inventory: when one of these is
-- replaced, or the inventory is of another kind, so are the views, by the same
-- call.
CREATE FUNCTION vmnet_internal.renew_reports(inventory name)
RETURNS void
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	PERFORM vmnet_internal.report_refuse_other($1);
	PERFORM vmnet_internal.report_build($1, r.schema_name, r.tenant) FROM vmnet.report_schemas($1) r;
END
$$;
COMMENT ON FUNCTION vmnet_internal.renew_reports(name) IS
'Part of partition_history(), manage_inventory() and set_inventory_mode(): makes the reporting schemas of an inventory anew
Error: 42501 with constraint report_owner where one belongs to another role than the inventory.';
