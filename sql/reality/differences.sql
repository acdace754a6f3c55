--
-- Differences between what was observed and what the inventory says
--

-- The queries below are the parts of the view reality.  Each has network_id as a
-- plain column of a table, so that a condition on it reaches an index of every part;
-- nothing above them groups, sorts or numbers rows.  What has to be looked up row by
-- row is looked up for differences only: in a scalar subquery, which the planner
-- does not make a join of all rows.  Addresses are compared with IS TRUE where the
-- index of a network is better than one of addresses, which repeat between networks.
--
-- What an observation may say:
-- It is evidence against a row only where it is later than the last change of what
-- it contradicts (removal, address, state); attached tables may not tell when that
-- was, and then any observation is.
-- It is fresh for as long as its observer's interval "every".  Old evidence stays
-- visible, and is never an error.
-- A difference that was observed once is a warning; it is an error when the picture
-- before the last one, of those that had the fact, was after that change, too.
-- That something is not seen is said only where every observer that could see it
-- has sent a complete picture within its interval, after the change.

-- Columns that come from a sighting s of an observer o.  after: the expression for
-- the time of the last change of what is contradicted.
CREATE FUNCTION vmnet_internal.reality_columns(code text, network text, other_network text, instance text, nic text, after text,
	evidence text, address text DEFAULT 's.ip_address')
RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $$
SELECT format('SELECT %s AS code,
	CASE WHEN s.last_seen >= pg_catalog.now() - o.every AND s.previous_seen > %s THEN ''error'' ELSE ''warning'' END AS severity,
	%s AS network_id, %s AS other_network_id, %s AS instance_id, %s AS nic_id, s.mac_address, %s AS ip_address,
	s.observer, s.host, s.segment, %s AS evidence, s.first_seen, s.last_seen, s.observations,
	pg_catalog.now() - s.last_seen AS age, s.last_seen >= pg_catalog.now() - o.every AS fresh',
	$1, $6, $2, $3, $4, $5, $8, $7)
$$;
COMMENT ON FUNCTION vmnet_internal.reality_columns(text, text, text, text, text, text, text, text) IS
'Part of the view reality: its columns, of a sighting s of an observer o';

-- Where and by whom a sighting s was made, as a text.
CREATE FUNCTION vmnet_internal.reality_where()
RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $$
SELECT 'pg_catalog.concat(''observer '', s.observer, '' sees MAC address '', s.mac_address,
		'' with address '' || pg_catalog.host(s.ip_address), '' in domain '' || s.domain, '' on host '' || s.host,
		'' on segment '' || s.segment)'::text
$$;
COMMENT ON FUNCTION vmnet_internal.reality_where() IS
'Part of the view reality: the expression that says who sees what, and where, of a sighting s';

-- How a sighting s is on a segment g: g is named for its host, or for every host that
-- no other row names.  host_segment is one column so that the planner knows how many
-- rows join.
CREATE FUNCTION vmnet_internal.reality_on_segment(sighting text, named boolean)
RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $$
SELECT replace(CASE WHEN $2 THEN '{s}.host_segment = g.host_segment'
	ELSE '{s}.segment = g.segment AND g.host IS NULL'
		' AND (SELECT h.network_id FROM %1$I.segments h WHERE h.host_segment = {s}.host_segment) IS NULL' END, '{s}', $1)
$$;
COMMENT ON FUNCTION vmnet_internal.reality_on_segment(text, boolean) IS
'Part of the view reality: the condition that a sighting is on a segment g';

-- Sightings of addresses with the network that their segment is, as rows of l, in two
-- parts, each of which finds those of one network by indexes.
CREATE FUNCTION vmnet_internal.reality_located(columns text)
RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $$
SELECT string_agg('SELECT g.network_id, ' || $1 || '
	FROM %1$I.segments g JOIN %1$I.sightings l ON ' || vmnet_internal.reality_on_segment('l', n.named)
	|| ' WHERE l.ip_address IS NOT NULL', E'\n\tUNION ALL\n\t' ORDER BY n.named DESC)
FROM (VALUES (true), (false)) n (named)
$$;
COMMENT ON FUNCTION vmnet_internal.reality_located(text) IS
'Part of the view reality: sightings of addresses with the network that their segment is';

-- NICs whose MAC address was seen.  An active NIC:
-- seen_on_other_network: on a segment that is another network, where no active NIC
-- has the MAC address.
-- seen_with_other_address: a User NIC that has an address of the family, with
-- another one that is neither link-local nor one of its secondary ones.
-- seen_on_other_host: by an observer that sees domains, on another host than that
-- of its Running instance: host_name, or host_id where there is no name and the
-- observer's host is a number.
-- One that is not active, and was seen after it ended; of the NICs that had the MAC
-- address it is the last one, and none of them is active:
-- lease_of_removed: that is all that a lease says; others say observed_but_removed.
-- address_given_again: an active NIC of the network has the address that the NIC
-- had, or was seen with.
CREATE FUNCTION vmnet_internal.reality_nics()
RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $query$
SELECT vmnet_internal.reality_columns('d.code', 'n.network_id', 'd.other_network_id', 'n.instance_id', 'n.id', 'd.after',
	'pg_catalog.concat(' || vmnet_internal.reality_where() || ', d.evidence)') || $$
FROM %1$I.all_nics n
	JOIN %1$I.sightings s ON s.mac_address = n.mac_address
	JOIN %1$I.observers o ON o.name = s.observer AND o.kind <> 'cloudstack'
	LEFT JOIN %1$I.segments gh ON gh.host_segment = s.host_segment
	LEFT JOIN %1$I.segments ga ON ga.host IS NULL AND ga.segment = s.segment
	LEFT JOIN %1$I.all_instances i ON i.id = n.instance_id AND i.state = 'Running'
	CROSS JOIN LATERAL (VALUES
		('seen_on_other_network', n.active AND coalesce(gh.network_id, ga.network_id) <> n.network_id
			AND NOT EXISTS (SELECT FROM %1$I.all_nics x
				WHERE x.active AND x.mac_address = s.mac_address AND x.network_id = coalesce(gh.network_id, ga.network_id)),
			coalesce(gh.network_id, ga.network_id), coalesce(n.created, '-infinity'),
			pg_catalog.concat(', which is network ', coalesce(gh.network_id, ga.network_id), '; NIC ', n.id,
				' is on network ', n.network_id)),
		('seen_with_other_address', n.active AND coalesce(n.vm_type, 'User') = 'User'
			AND s.ip_address <> CASE pg_catalog.family(s.ip_address) WHEN 4 THEN n.ip4_address ELSE n.ip6_address END
			AND NOT s.ip_address <<= '169.254.0.0/16' AND NOT s.ip_address <<= 'fe80::/10'
			AND NOT EXISTS (SELECT FROM %1$I.all_nic_secondary_ips x
				WHERE x.nic_id = n.id AND x.active AND s.ip_address IN (x.ip4_address, x.ip6_address)),
			NULL, coalesce((SELECT pg_catalog.max(h.until) FROM %1$I.nic_address_history h WHERE h.nic_id = n.id),
				n.created, '-infinity'),
			pg_catalog.concat('; NIC ', n.id, ' has address ',
				pg_catalog.host(CASE pg_catalog.family(s.ip_address) WHEN 4 THEN n.ip4_address ELSE n.ip6_address END))),
		('seen_on_other_host', n.active AND i.id IS NOT NULL AND coalesce(o.sees_domains, o.kind IN ('libvirt', 'ovs', 'prometheus'))
			AND s.host <> CASE WHEN i.host_name IS NOT NULL THEN i.host_name WHEN s.host ~ '^\d+$' THEN i.host_id::text END,
			NULL, GREATEST(n.created, n.state_changed, '-infinity'),
			pg_catalog.concat('; instance ', i.id, ' is on host ', coalesce(i.host_name, i.host_id::text))),
		(CASE o.kind WHEN 'leases' THEN 'lease_of_removed' ELSE 'observed_but_removed' END, NOT n.active, NULL,
			coalesce(n.ended, '-infinity'),
			pg_catalog.concat('; NIC ', n.id, ' of instance ' || n.instance_id,
				CASE WHEN n.removed IS NULL THEN ' is half-removed' ELSE ' was removed' END)),
		('address_given_again', NOT n.active AND EXISTS (SELECT FROM %1$I.all_nics h WHERE h.active AND h.network_id = n.network_id
				AND ((h.ip4_address IN (n.ip4_address, s.ip_address)) IS TRUE
					OR (h.ip6_address IN (n.ip6_address, s.ip_address)) IS TRUE)),
			NULL, coalesce(n.ended, '-infinity'),
			(SELECT pg_catalog.concat('; NIC ', n.id, CASE WHEN n.removed IS NULL THEN ' is half-removed' ELSE ' was removed' END,
					', and its address ', pg_catalog.host(CASE WHEN h.ip4_address IN (n.ip4_address, s.ip_address) THEN h.ip4_address
						ELSE h.ip6_address END), ' is that of NIC ', h.id)
				FROM %1$I.all_nics h WHERE h.active AND h.network_id = n.network_id
					AND ((h.ip4_address IN (n.ip4_address, s.ip_address)) IS TRUE
					OR (h.ip6_address IN (n.ip6_address, s.ip_address)) IS TRUE)
				ORDER BY h.id LIMIT 1)))
		d (code, holds, other_network_id, after, evidence)
WHERE d.holds AND s.last_seen > d.after
	AND CASE WHEN n.active THEN coalesce(gh.network_id, ga.network_id) <> n.network_id
			OR s.ip_address <> CASE pg_catalog.family(s.ip_address) WHEN 4 THEN n.ip4_address ELSE n.ip6_address END
			OR s.host <> coalesce(i.host_name, i.host_id::text)
		ELSE s.last_seen > coalesce(n.ended, '-infinity') AND n.id = (SELECT x.id FROM %1$I.all_nics x
			WHERE x.mac_address = n.mac_address ORDER BY x.active DESC, x.created DESC, x.id DESC LIMIT 1) END$$
$query$;
COMMENT ON FUNCTION vmnet_internal.reality_nics() IS
'Part of the view reality: NICs that were seen elsewhere or otherwise than the inventory says, or after they ended';

-- MAC addresses that no NIC of the inventory has or had.  It is an error only on a
-- segment that is a network, or of an observer that sees domains: what answers
-- elsewhere need not be of the cloud.  address_given_again: an active NIC of the
-- network has the address.  segment: how the segment of the sighting is found; NULL
-- where it is no network.
CREATE FUNCTION vmnet_internal.reality_unknown(segment text)
RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $query$
SELECT CASE WHEN $1 IS NULL THEN vmnet_internal.reality_columns('''observed_unknown''', 'NULL', 'NULL', 'NULL', 'NULL',
		'CASE WHEN coalesce(o.sees_domains, o.kind IN (''libvirt'', ''ovs'', ''prometheus'')) THEN ''-infinity''::timestamptz END',
		format('pg_catalog.concat(%s, ''; no NIC has or had it'')', vmnet_internal.reality_where())) || $$
FROM %1$I.sightings s
	JOIN %1$I.observers o ON o.name = s.observer AND o.kind <> 'cloudstack'
WHERE s.mac_address IS NOT NULL
	AND NOT EXISTS (SELECT FROM %1$I.segments h WHERE h.host_segment = s.host_segment)
	AND NOT EXISTS (SELECT FROM %1$I.segments h WHERE h.host IS NULL AND h.segment = s.segment)$$
	ELSE vmnet_internal.reality_columns('d.code', 'g.network_id', 'NULL', 'NULL', 'd.nic_id', '''-infinity''',
		format('pg_catalog.concat(%s, ''; no NIC has or had it'', '', and the address is that of NIC '' || d.nic_id)',
			vmnet_internal.reality_where())) || $$
FROM %1$I.segments g
	JOIN %1$I.sightings s ON $$ || $1 || $$
	JOIN %1$I.observers o ON o.name = s.observer AND o.kind <> 'cloudstack'
	CROSS JOIN LATERAL (VALUES ('observed_unknown', NULL), ('address_given_again', (SELECT h.id FROM %1$I.all_nics h
		WHERE h.active AND h.network_id = g.network_id
			AND ((h.ip4_address = s.ip_address) IS TRUE OR (h.ip6_address = s.ip_address) IS TRUE) LIMIT 1)))
		d (code, nic_id)
WHERE s.mac_address IS NOT NULL AND (d.code = 'observed_unknown' OR d.nic_id IS NOT NULL)$$ END || $$
	AND NOT EXISTS (SELECT FROM %1$I.all_nics x WHERE x.mac_address = s.mac_address)$$
$query$;
COMMENT ON FUNCTION vmnet_internal.reality_unknown(text) IS
'Part of the view reality: MAC addresses that were seen and that no NIC has or had';

-- Addresses that were seen with two MAC addresses on one network.  A lease is no
-- sighting of who answers.  It is fresh, and an error, where both are.
CREATE FUNCTION vmnet_internal.reality_two_macs()
RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $query$
SELECT $$SELECT 'two_macs_one_ip' AS code,
	CASE WHEN s.last_seen >= pg_catalog.now() - o.every AND s.previous_seen IS NOT NULL AND b.fresh AND b.previous_seen IS NOT NULL
		THEN 'error' ELSE 'warning' END AS severity,
	s.network_id, NULL, NULL, NULL, s.mac_address, s.ip_address, s.observer, s.host, s.segment,
	pg_catalog.concat($$ || vmnet_internal.reality_where() || $$, '; observer ', b.observer, ' sees the address with MAC address ',
		b.mac_address), s.first_seen, s.last_seen, s.observations, pg_catalog.now() - s.last_seen,
	s.last_seen >= pg_catalog.now() - o.every AND b.fresh
FROM ($$ || vmnet_internal.reality_located('l.*') || $$) s
	JOIN %1$I.observers o ON o.name = s.observer AND o.kind NOT IN ('cloudstack', 'leases')
	CROSS JOIN LATERAL (
		SELECT l.mac_address, l.observer, l.previous_seen, l.last_seen >= pg_catalog.now() - p.every AS fresh
		FROM ($$ || vmnet_internal.reality_located('l.*') || $$) l
			JOIN %1$I.observers p ON p.name = l.observer AND p.kind NOT IN ('cloudstack', 'leases')
		WHERE l.network_id = s.network_id AND l.ip_address = s.ip_address AND l.mac_address <> s.mac_address
		ORDER BY fresh DESC, l.previous_seen IS NULL, l.mac_address, l.observer
		LIMIT 1) b
WHERE EXISTS (
	SELECT FROM ($$ || vmnet_internal.reality_located('l.ip_address, l.mac_address, l.observer') || $$) l
		JOIN %1$I.observers p ON p.name = l.observer AND p.kind NOT IN ('cloudstack', 'leases')
	WHERE l.network_id = s.network_id AND l.ip_address = s.ip_address AND l.mac_address <> s.mac_address)$$
$query$;
COMMENT ON FUNCTION vmnet_internal.reality_two_macs() IS
'Part of the view reality: addresses that were seen with two MAC addresses on one network';

-- What the observers of a zone have in common; condition says which these are.
CREATE FUNCTION vmnet_internal.reality_zone(columns text, condition text)
RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $$
SELECT format('(SELECT %s, pg_catalog.bool_and(coalesce(o.last_complete >= pg_catalog.now() - o.every, false)) AS fresh,
		pg_catalog.bool_or(coalesce(o.sees_domains, o.kind IN (''libvirt'', ''ovs'', ''prometheus''))) AS domains,
		pg_catalog.min(o.last_complete) AS complete, pg_catalog.min(o.last_complete - o.every) AS before,
		pg_catalog.min(o.pictures) AS pictures
	FROM %%1$I.observers o
	WHERE o.kind <> ''cloudstack'' AND %s)', $1, $2)
$$;
COMMENT ON FUNCTION vmnet_internal.reality_zone(text, text) IS
'Part of the view reality: what the observers of a zone have in common';

-- Active NICs of Running instances that no observer sees.  It is said only where
-- every observer of the zone, and of no zone, has sent a complete picture within its
-- interval and after the last change of the NIC's state; one of them has to see
-- domains.  Where observers look at one host each, it is said of instances on these
-- hosts.  An error where the change was before the pictures before, too.
CREATE FUNCTION vmnet_internal.reality_unseen()
RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $query$
SELECT $$SELECT 'live_but_unseen' AS code,
	CASE WHEN GREATEST(n.created, n.state_changed, '-infinity') < LEAST(z.before, a.before)
			AND LEAST(z.pictures, a.pictures) >= 2 THEN 'error'
		ELSE 'warning' END AS severity,
	n.network_id, NULL, n.instance_id, n.id, n.mac_address, n.ip4_address, NULL::text, i.host_name, NULL::text,
	pg_catalog.concat('no observer sees MAC address ', n.mac_address, ' of NIC ', n.id, ', whose instance ', i.id, ' is Running',
		' on host ' || i.host_name),
	NULL::timestamptz, NULL::timestamptz, 0::bigint, pg_catalog.now() - LEAST(z.complete, a.complete), true
FROM %1$I.all_nics n
	JOIN %1$I.all_instances i ON i.id = n.instance_id AND i.removed IS NULL AND i.state = 'Running'
	LEFT JOIN $$ || vmnet_internal.reality_zone('o.zone_id', 'o.zone_id IS NOT NULL GROUP BY o.zone_id') || $$ z ON z.zone_id = i.zone_id
	CROSS JOIN $$ || vmnet_internal.reality_zone('pg_catalog.count(*) AS observers', 'o.zone_id IS NULL') || $$ a
	LEFT JOIN (SELECT DISTINCT o.host FROM %1$I.observers o
		WHERE o.host IS NOT NULL AND coalesce(o.sees_domains, o.kind IN ('libvirt', 'ovs', 'prometheus'))) k ON k.host = i.host_name
WHERE n.active AND n.mac_address IS NOT NULL
	AND (SELECT pg_catalog.bool_or(coalesce(o.sees_domains, o.kind IN ('libvirt', 'ovs', 'prometheus')))
		FROM %1$I.observers o WHERE o.kind <> 'cloudstack')
	-- one condition, so that the planner does not take these for rare
	AND CASE WHEN coalesce(z.fresh, true) AND coalesce(a.fresh, true) AND (z.domains OR a.domains)
			AND (i.host_name IS NULL OR k.host IS NOT NULL OR (SELECT pg_catalog.bool_or(o.host IS NULL) FROM %1$I.observers o
				WHERE o.kind <> 'cloudstack' AND coalesce(o.sees_domains, o.kind IN ('libvirt', 'ovs', 'prometheus'))))
		THEN GREATEST(n.created, n.state_changed, '-infinity') < LEAST(z.complete, a.complete) END
	AND NOT EXISTS (SELECT FROM %1$I.sightings s WHERE s.mac_address = n.mac_address
		AND s.observer <> ALL (ARRAY(SELECT o.name FROM %1$I.observers o WHERE o.kind = 'cloudstack')))$$
$query$;
COMMENT ON FUNCTION vmnet_internal.reality_unseen() IS
'Part of the view reality: NICs of Running instances that no observer sees';

-- Observers that have sent nothing for longer than their interval; an error from
-- three of them on.
CREATE FUNCTION vmnet_internal.reality_silent()
RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $query$
SELECT $$SELECT 'observer_silent' AS code,
	CASE WHEN coalesce(o.last_at, o.created) < pg_catalog.now() - 3 * o.every THEN 'error' ELSE 'warning' END AS severity,
	NULL, NULL, NULL, NULL, NULL::macaddr, NULL::inet, o.name, o.host, NULL::text,
	pg_catalog.concat('observer ', o.name, CASE WHEN o.last_at IS NULL THEN ' has not sent a picture'
		ELSE ' has sent no picture for longer than its interval' END), o.created, o.last_at, o.pictures,
	pg_catalog.now() - coalesce(o.last_at, o.created), false
FROM %1$I.observers o
WHERE coalesce(o.last_at, o.created) < pg_catalog.now() - o.every$$
$query$;
COMMENT ON FUNCTION vmnet_internal.reality_silent() IS
'Part of the view reality: observers that have sent nothing for longer than their interval';

-- What the cloud's own API lists: its segments are uuids of networks, its domains
-- those of instances.  listed_but_not_on_network: an instance that is listed on a
-- network where it has no active NIC, or that is removed, or whose network is.
-- on_network_but_not_listed: a User instance that is active on a network and that
-- the last complete picture, fresh and later than the last change of the NIC's
-- state, does not list there, though it lists others on that network.  Nothing is said
-- of instances without a uuid.
CREATE FUNCTION vmnet_internal.reality_listed()
RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $query$
SELECT vmnet_internal.reality_columns('''listed_but_not_on_network''', 'w.id', 'NULL', 'j.id', 'e.id',
	'coalesce(e.ended, w.removed, ''-infinity'')',
	$$pg_catalog.concat('observer ', s.observer, ' lists instance ', coalesce(j.id::text, s.domain_uuid::text, s.domain),
		' on network ', w.id, ' with MAC address ', s.mac_address, '; ', CASE WHEN w.removed IS NOT NULL THEN 'the network was removed'
			WHEN j.id IS NULL THEN 'there is no such instance' WHEN j.removed IS NOT NULL THEN 'the instance was removed'
			WHEN e.id IS NULL THEN 'it never had a NIC there' WHEN e.removed IS NULL THEN 'NIC ' || e.id || ' is half-removed'
			ELSE 'NIC ' || e.id || ' was removed' END)$$) || $$
FROM %1$I.all_networks w
	JOIN %1$I.sightings s ON s.segment = w.uuid::text
	JOIN %1$I.observers o ON o.name = s.observer AND o.kind = 'cloudstack'
	LEFT JOIN %1$I.all_instances i ON i.uuid = s.domain_uuid AND i.removed IS NULL
	LEFT JOIN %1$I.all_nics n ON n.network_id = w.id AND n.instance_id = i.id AND n.active AND w.removed IS NULL
	LEFT JOIN %1$I.all_instances j ON j.uuid = s.domain_uuid AND n.id IS NULL
	LEFT JOIN LATERAL (SELECT x.id, x.ended, x.removed FROM %1$I.all_nics x
		WHERE n.id IS NULL AND x.network_id = w.id AND x.instance_id = j.id AND NOT x.active
		ORDER BY x.removed IS NULL DESC, x.ended DESC NULLS LAST, x.id DESC LIMIT 1) e ON true
WHERE n.id IS NULL AND s.domain_uuid IS NOT NULL
	AND (SELECT pg_catalog.bool_or(true) FROM %1$I.observers o WHERE o.kind = 'cloudstack')
	AND s.last_seen > coalesce(e.ended, w.removed, '-infinity')
UNION ALL
SELECT 'on_network_but_not_listed' AS code,
	CASE WHEN GREATEST(n.created, n.state_changed, '-infinity') < o.last_complete - o.every AND o.pictures >= 2 THEN 'error'
		ELSE 'warning' END AS severity,
	n.network_id, NULL, n.instance_id, n.id, n.mac_address, n.ip4_address, o.name, o.host, w.uuid::text,
	pg_catalog.concat('observer ', o.name, ' does not list instance ', i.id, ' on network ', w.id, ', where NIC ', n.id, ' is active'),
	NULL::timestamptz, o.last_complete, 0::bigint, pg_catalog.now() - o.last_complete, true
FROM %1$I.all_nics n
	JOIN %1$I.all_networks w ON w.id = n.network_id AND w.removed IS NULL
	JOIN %1$I.all_instances i ON i.id = n.instance_id AND i.removed IS NULL AND coalesce(i.type, 'User') = 'User'
	JOIN %1$I.observers o ON o.kind = 'cloudstack' AND o.last_complete >= pg_catalog.now() - o.every
		AND o.last_complete > GREATEST(n.created, n.state_changed, '-infinity') AND (o.zone_id IS NULL OR o.zone_id = w.zone_id)
WHERE n.active AND i.uuid IS NOT NULL
	AND (SELECT pg_catalog.bool_or(true) FROM %1$I.observers o WHERE o.kind = 'cloudstack')
	AND EXISTS (SELECT FROM %1$I.sightings s WHERE s.segment = w.uuid::text AND s.observer = o.name)
	AND NOT EXISTS (SELECT FROM %1$I.sightings s
		WHERE s.segment = w.uuid::text AND s.observer = o.name AND s.domain_uuid = i.uuid)$$
$query$;
COMMENT ON FUNCTION vmnet_internal.reality_listed() IS
'Part of the view reality: what the cloud''s own API lists, and what it does not';

-- The query of the view reality.
CREATE FUNCTION vmnet_internal.reality_query()
RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $$
SELECT concat_ws(E'\nUNION ALL\n', vmnet_internal.reality_nics(),
	vmnet_internal.reality_unknown(vmnet_internal.reality_on_segment('s', true)),
	vmnet_internal.reality_unknown(vmnet_internal.reality_on_segment('s', false)),
	vmnet_internal.reality_unknown(NULL), vmnet_internal.reality_two_macs(), vmnet_internal.reality_unseen(),
	vmnet_internal.reality_silent(), vmnet_internal.reality_listed())
$$;
COMMENT ON FUNCTION vmnet_internal.reality_query() IS
'Part of enable_reality(): the query of the view reality';

-- The query of the view network_reality.  An instance counts as seen where an
-- observer of the wire sees the MAC address of one of its active NICs there.
CREATE FUNCTION vmnet_internal.network_reality_query()
RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $query$
SELECT $$SELECT w.id AS network_id, w.name AS network_name,
	coalesce(c.active_instances, 0)::bigint AS active_instances,
	coalesce(c.seen_instances, 0)::bigint AS seen_instances,
	coalesce(d.differences, 0)::bigint AS differences,
	coalesce(d.errors, 0)::bigint AS errors,
	CASE WHEN d.differences > 0 THEN false WHEN c.seen_instances > 0 THEN true END AS agree,
	coalesce(d.differing_instances, '{}') AS differing_instances,
	c.oldest_seen, pg_catalog.now() - c.oldest_seen AS oldest_age
FROM %1$I.all_networks w
	LEFT JOIN (
		SELECT h.network_id, pg_catalog.count(*) AS active_instances, pg_catalog.count(h.last_seen) AS seen_instances,
			pg_catalog.min(h.last_seen) AS oldest_seen
		FROM (
			SELECT n.network_id, n.instance_id, pg_catalog.max(s.last_seen) AS last_seen
			FROM %1$I.all_nics n
				JOIN %1$I.all_instances i ON i.id = n.instance_id AND i.removed IS NULL
				LEFT JOIN (%1$I.sightings s JOIN %1$I.observers o ON o.name = s.observer AND o.kind NOT IN ('cloudstack', 'leases'))
					ON s.mac_address = n.mac_address
			WHERE n.active
			GROUP BY n.network_id, n.instance_id) h
		GROUP BY h.network_id) c ON c.network_id = w.id
	LEFT JOIN (
		SELECT r.network_id, pg_catalog.count(*) AS differences, pg_catalog.count(*) FILTER (WHERE r.severity = 'error') AS errors,
			pg_catalog.array_agg(DISTINCT r.instance_id) FILTER (WHERE r.instance_id IS NOT NULL) AS differing_instances
		FROM %1$I.reality r
		GROUP BY r.network_id) d ON d.network_id = w.id
WHERE w.removed IS NULL$$
$query$;
COMMENT ON FUNCTION vmnet_internal.network_reality_query() IS
'Part of enable_reality(): the query of the view network_reality';
