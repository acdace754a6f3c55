--
-- Findings in the rows of an inventory
--

-- A statement that the guard of a NIC table would refuse, with the guard out of
-- its way; what the guard would have written to history is added.  Guards are
-- known by their functions.
CREATE FUNCTION vmnet_internal.check_past_guards(inventory_ident text, nic_id bigint, statement text)
RETURNS text
LANGUAGE sql STABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $$
SELECT format('ALTER TABLE %s.all_nics %s; ', $1, g.off) || $3 || format(' ALTER TABLE %s.all_nics %s;', $1, g.on)
	|| coalesce(' ' || vmnet_internal.check_close_gap($1, $2), '')
FROM (
	SELECT string_agg(format('DISABLE TRIGGER %I', t.tgname), ', ' ORDER BY t.tgname) AS off,
		string_agg(format('ENABLE TRIGGER %I', t.tgname), ', ' ORDER BY t.tgname) AS on
	FROM pg_catalog.pg_trigger t
		JOIN pg_catalog.pg_proc p ON p.oid = t.tgfoid
		JOIN pg_catalog.pg_namespace s ON s.oid = p.pronamespace
	WHERE t.tgrelid = to_regclass($1 || '.all_nics') AND s.nspname = 'vmnet_internal' AND p.proname IN ('nic_guard', 'nic_prepare')) g
$$;
COMMENT ON FUNCTION vmnet_internal.check_past_guards(text, bigint, text) IS
'Part of check_inventory(): a statement with the guard of the NICs out of its way
NULL where there is no guard to put out of the way.';

-- The entry that history lacks at its end, where a state changed behind the
-- guard's back.
CREATE FUNCTION vmnet_internal.check_close_gap(inventory_ident text, nic_id bigint)
RETURNS text
LANGUAGE sql STABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $$
SELECT format('INSERT INTO %1$s.nic_history (nic_id, network_id, instance_id, from_state, to_state, event, removed, reason, transaction_id, session_username)'
	' SELECT n.id, n.network_id, n.instance_id, h.to_state, n.state, ''Mended'', n.removed, ''a change that was not recorded'', pg_current_xact_id()::text::bigint, session_user'
	' FROM %1$s.all_nics n CROSS JOIN LATERAL (SELECT to_state FROM %1$s.nic_history WHERE nic_id = n.id ORDER BY seq DESC LIMIT 1) h'
	' WHERE n.id = %2$s AND h.to_state IS DISTINCT FROM n.state;', $1, $2)
WHERE to_regclass($1 || '.nic_history') IS NOT NULL
$$;
COMMENT ON FUNCTION vmnet_internal.check_close_gap(text, bigint) IS
'Part of check_inventory(): the statement that adds to history what it lacks at its end
NULL where the inventory keeps no history.';

-- One query per code.  In query, {inv} is the inventory, quoted; $1 is the
-- latest time that is min_age ago, $2 the inventory, quoted, for texts, $3 is
-- true in a mirror.  Columns: object_type, object_id, object_uuid, since,
-- message, the statement that mends it here, and that for the MySQL tables of
-- a mirror's source.  needs: a table that has to be there.
--
-- Each reads the NICs once, set-wise; what is looked up row by row is looked
-- up for findings only, through an index.  odd_nics is a CTE that
-- check_query() puts before them: all NICs that a look at the row alone can
-- tell to be a finding, and few others.
CREATE FUNCTION vmnet_internal.check_definition()
RETURNS TABLE (code text, needs text, query text)
LANGUAGE sql IMMUTABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $definition$
SELECT d.code, d.needs, d.query
FROM (VALUES
('half_removed_nic', NULL, $$
SELECT 'nic', n.id, n.uuid, n.state_changed,
	format('NIC %s of %s on network %s is half-removed: %s, but not removed%s%s', n.id, n.owner, n.network_id, n.state,
		'; its address ' || host(coalesce(n.ip4_address, n.ip6_address)) || ' may still be in use', n.when_seen),
	format('UPDATE %s.all_nics SET removed = now() WHERE id = %s AND removed IS NULL;', $2, n.id),
	format('UPDATE nics SET removed = UTC_TIMESTAMP() WHERE id = %s AND removed IS NULL;', n.id)
FROM odd_nics n
WHERE n.removed IS NULL AND NOT n.active
	-- attached tables may not tell since when
	AND coalesce(n.state_changed, '-infinity') <= $1$$),

('live_nic_on_removed_instance', NULL, $$
SELECT 'nic', n.id, n.uuid, i.removed,
	format('NIC %s on network %s is held%s, but its instance %s has been removed', n.id, n.network_id, ' (' || n.state || ')', i.id),
	format('UPDATE %s.all_nics SET state = ''Deallocating'', removed = now() WHERE id = %s AND removed IS NULL;', $2, n.id),
	format('UPDATE nics SET state = ''Deallocating'', removed = UTC_TIMESTAMP() WHERE id = %s AND removed IS NULL;', n.id)
FROM {inv}.all_nics n
	JOIN {inv}.all_instances i ON i.id = n.instance_id
WHERE n.removed IS NULL AND (n.active OR NOT n.active) AND i.removed IS NOT NULL$$),

('live_nic_on_removed_network', NULL, $$
SELECT 'nic', n.id, n.uuid, w.removed,
	format('NIC %s of %s is held%s, but its network %s has been removed', n.id,
		coalesce('instance ' || n.instance_id, 'no instance'), ' (' || n.state || ')', w.id),
	format('UPDATE %s.all_nics SET state = ''Deallocating'', removed = now() WHERE id = %s AND removed IS NULL;', $2, n.id),
	format('UPDATE nics SET state = ''Deallocating'', removed = UTC_TIMESTAMP() WHERE id = %s AND removed IS NULL;', n.id)
FROM {inv}.all_nics n
	JOIN {inv}.all_networks w ON w.id = n.network_id
WHERE n.removed IS NULL AND (n.active OR NOT n.active) AND w.removed IS NOT NULL$$),

('nic_parent_missing', 'attached_nics', $$
SELECT 'nic', n.id, n.uuid, NULL::timestamptz,
	concat('NIC ', n.id, ' is held', ' (' || n.state || ')', ', but its ', p.what, ' ', p.key, ' does not exist'), NULL, NULL
FROM {inv}.all_nics n
	JOIN {inv}.attached_nics k ON k.id = n.id
	CROSS JOIN LATERAL (VALUES
		('network', k.network_key::text, EXISTS (SELECT FROM {inv}.all_networks w WHERE w.id = n.network_id)),
		('instance', k.instance_key::text, EXISTS (SELECT FROM {inv}.all_instances i WHERE i.id = n.instance_id))) p (what, key, is_there)
WHERE n.removed IS NULL AND p.key IS NOT NULL AND NOT p.is_there$$),

('duplicate_device_id', NULL, $$
SELECT 'nic', f.id, f.uuid, f.since,
	format('NIC %s of instance %s has device_id %s, which its NIC %s has too', f.id, f.instance_id, f.device_id, f.other),
	format('UPDATE %s.all_nics SET device_id = %s WHERE id = %s AND device_id = %s;', $2, f.free, f.mended, f.device_id),
	format('UPDATE nics SET device_id = %s WHERE id = %s AND device_id = %s;', f.free, f.mended, f.device_id)
FROM (
	SELECT n.id, n.uuid, n.instance_id, n.device_id, g.since, CASE WHEN n.id = g.first THEN g.last ELSE g.first END AS other,
		CASE WHEN n.id = g.first THEN g.last ELSE n.id END AS mended, x.free
	FROM (
		SELECT instance_id, device_id, min(id) AS first, max(id) AS last, max(created) AS since
		FROM {inv}.all_nics
		WHERE active AND vm_type = 'User' AND instance_id IS NOT NULL AND device_id IS NOT NULL
		GROUP BY instance_id, device_id
		HAVING count(*) > 1) g
		JOIN {inv}.all_nics n ON n.instance_id = g.instance_id AND n.device_id = g.device_id AND n.active AND n.vm_type = 'User'
		-- the free number that is as far down the list as the NIC is down its own
		CROSS JOIN LATERAL (
			SELECT s.free::int
			FROM generate_series(0::bigint, (SELECT 2 * count(*) FROM {inv}.all_nics o WHERE o.instance_id = n.instance_id AND o.active)) s (free)
			WHERE NOT EXISTS (SELECT FROM {inv}.all_nics o WHERE o.instance_id = n.instance_id AND o.active AND o.device_id = s.free)
			ORDER BY s.free
			OFFSET (SELECT count(*) FROM {inv}.all_nics o WHERE o.instance_id = n.instance_id AND o.active
				AND o.id < CASE WHEN n.id = g.first THEN g.last ELSE n.id END)
			LIMIT 1) x
	WHERE EXISTS (
		SELECT FROM {inv}.all_nics o
		WHERE o.instance_id = n.instance_id AND o.device_id = n.device_id AND o.active AND o.vm_type = 'User' AND o.id <> n.id
			AND (o.mac_address = n.mac_address AND o.network_id <> n.network_id) IS NOT TRUE)) f$$),

('default_nic_double', NULL, $$
SELECT 'instance', i.id, i.uuid, g.since,
	format('instance %s has %s active default NICs; NIC %s comes first', i.id, g.defaults, k.id),
	format('UPDATE %s.all_nics SET default_nic = false WHERE instance_id = %s AND active AND default_nic AND id <> %s;', $2, i.id, k.id),
	format('UPDATE nics SET default_nic = 0 WHERE instance_id = %s AND removed IS NULL AND COALESCE(state, '''') <> ''Deallocating'' AND default_nic <> 0 AND id <> %s;', i.id, k.id)
FROM (
	SELECT instance_id, count(*) AS defaults, max(created) AS since
	FROM {inv}.all_nics
	WHERE active AND default_nic AND instance_id IS NOT NULL
	GROUP BY instance_id
	HAVING count(*) > 1) g
	JOIN {inv}.all_instances i ON i.id = g.instance_id AND i.removed IS NULL
	CROSS JOIN LATERAL (
		SELECT n.id FROM {inv}.all_nics n
		WHERE n.instance_id = i.id AND n.active AND n.default_nic
		ORDER BY n.device_id, n.id
		LIMIT 1) k$$),

('default_nic_missing', NULL, $$
SELECT 'instance', i.id, i.uuid, NULL::timestamptz,
	format('none of the %s active NICs of instance %s is its default; NIC %s comes first', g.nics, i.id, k.id),
	format('UPDATE %s.all_nics SET default_nic = true WHERE id = %s AND active;', $2, k.id),
	format('UPDATE nics SET default_nic = 1 WHERE id = %s AND removed IS NULL;', k.id)
FROM (
	SELECT instance_id, count(*) AS nics
	FROM {inv}.all_nics
	WHERE active AND instance_id IS NOT NULL
	GROUP BY instance_id
	HAVING NOT coalesce(bool_or(default_nic), false)) g
	JOIN {inv}.all_instances i ON i.id = g.instance_id AND i.removed IS NULL
	CROSS JOIN LATERAL (
		SELECT n.id FROM {inv}.all_nics n
		WHERE n.instance_id = i.id AND n.active
		ORDER BY n.device_id, n.id
		LIMIT 1) k$$),

-- What is missing at the end can be added; what is missing before that cannot,
-- nor is there anything to add to in the source of a mirror.
('history_chain_broken', 'nic_history', $$
SELECT DISTINCT ON (h.nic_id) 'nic', h.nic_id, n.uuid, h.at,
	CASE WHEN h.is_gap THEN format('history of NIC %s has a gap: entry %s starts from %s, the one before it left %s', h.nic_id, h.seq, h.from_state, h.before)
		ELSE format('history of NIC %s ends with %s, but its state is %s', h.nic_id, coalesce(h.to_state, 'no state'), n.state) END,
	CASE WHEN NOT h.is_gap THEN vmnet_internal.check_close_gap($2, n.id) END, NULL::text
FROM (
	SELECT nic_id, seq, at, from_state, to_state, before, before <> from_state AS is_gap, is_last
	FROM (
		SELECT nic_id, seq, at, from_state, to_state,
			lag(to_state) OVER chain AS before, lead(seq) OVER chain IS NULL AS is_last
		FROM {inv}.nic_history
		WINDOW chain AS (PARTITION BY nic_id ORDER BY seq)) c
	WHERE is_last OR before <> from_state) h
	LEFT JOIN {inv}.all_nics n ON n.id = h.nic_id
WHERE h.is_gap OR (h.is_last AND NOT $3 AND h.to_state IS DISTINCT FROM n.state AND n.id IS NOT NULL)
ORDER BY h.nic_id, h.seq$$),

-- a removed NIC is read-only to its guard, so no UPDATE alone can mend it
('removed_nic_wrong_state', NULL, $$
SELECT 'nic', n.id, n.uuid, n.removed,
	format('NIC %s of %s on network %s is removed, but its state is %s', n.id, n.owner, n.network_id, n.state),
	CASE WHEN NOT $3 THEN vmnet_internal.check_past_guards($2, n.id, format(
		'UPDATE %s.all_nics SET state = ''Deallocating'', state_changed = removed WHERE id = %s AND removed IS NOT NULL;', $2, n.id)) END,
	format('UPDATE nics SET state = ''Deallocating'' WHERE id = %s AND removed IS NOT NULL;', n.id)
FROM odd_nics n
WHERE n.removed IS NOT NULL AND lower(n.state COLLATE "C") <> 'deallocating'$$),

-- what did not finish is undone: back to the state before
('stuck_nic', NULL, $$
SELECT 'nic', n.id, n.uuid, n.state_changed,
	format('NIC %s of %s on network %s is stuck in %s%s', n.id, n.owner, n.network_id, n.state, n.when_seen),
	CASE WHEN n.strategy = 'Start' THEN u.statement WHEN NOT $3 THEN vmnet_internal.check_past_guards($2, n.id, u.statement) END,
	format('UPDATE nics SET state = %L WHERE id = %s AND state = %L AND removed IS NULL;', b.state, n.id, n.state)
FROM odd_nics n
	CROSS JOIN LATERAL (SELECT CASE n.state WHEN 'Reserving' THEN 'Allocated' ELSE 'Reserved' END) b (state)
	CROSS JOIN LATERAL (SELECT format('UPDATE %s.all_nics SET state = %L WHERE id = %s AND state = %L AND removed IS NULL;',
		$2, b.state, n.id, n.state)) u (statement)
WHERE n.removed IS NULL AND n.state IN ('Reserving', 'Releasing') AND n.state_changed <= $1$$),

-- the state that was meant; where nobody can tell, one that keeps the address
('unknown_state', NULL, $$
SELECT 'nic', n.id, n.uuid, n.state_changed,
	format('NIC %s of %s on network %s%s has an unknown state: %s%s', n.id, n.owner, n.network_id,
		CASE WHEN n.removed IS NOT NULL THEN ', removed,' ELSE '' END, quote_nullable(n.state), n.when_seen),
	CASE WHEN NOT $3 THEN vmnet_internal.check_past_guards($2, n.id, format(
		'UPDATE %s.all_nics SET state = %L WHERE id = %s AND state = %L;', $2, m.state, n.id, n.state)) END,
	-- Unknown is what a state that is NULL at the source is called here
	format('UPDATE nics SET state = %L WHERE id = %s AND %s = %s;', m.state, n.id,
		CASE n.state WHEN 'Unknown' THEN 'COALESCE(state, ''Unknown'')' ELSE 'state' END,
		'''' || replace(replace(n.state, '\', '\\'), '''', '''''') || '''')
FROM odd_nics n
	CROSS JOIN LATERAL (SELECT CASE
		WHEN n.removed IS NOT NULL THEN 'Deallocating'
		WHEN lower(n.state COLLATE "C") IN ('allocated', 'reserving', 'reserved', 'releasing', 'deallocating') THEN initcap(n.state)
		WHEN n.ip4_address IS NOT NULL OR n.ip6_address IS NOT NULL THEN 'Reserved'
		ELSE 'Allocated' END) m (state)
WHERE (n.state IN ('Allocated', 'Reserving', 'Reserved', 'Releasing', 'Deallocating')) IS NOT TRUE$$),

-- nothing keeps this counter in a managed inventory, so there it goes
('counter_drift', NULL, $$
SELECT 'network', w.id, w.uuid, NULL::timestamptz,
	format('nics_count of network %s is %s, but its User NICs in Reserved are %s', w.id, w.nics_count, coalesce(c.nics, 0)),
	format('UPDATE %s.all_networks SET nics_count = NULL WHERE id = %s;', $2, w.id),
	format('UPDATE op_networks SET nics_count = %s WHERE id = %s;', coalesce(c.nics, 0), w.id)
FROM {inv}.all_networks w
	LEFT JOIN (
		-- such a NIC is active, and there is an index of those
		SELECT network_id, count(*) AS nics
		FROM {inv}.all_nics
		WHERE active AND vm_type = 'User' AND state = 'Reserved'
		GROUP BY network_id) c ON c.network_id = w.id
WHERE w.nics_count <> coalesce(c.nics, 0)$$),

('ip_outside_cidr', NULL, $$
SELECT 'nic', n.id, n.uuid, NULL::timestamptz,
	format('NIC %s of %s has address %s, which is outside %s of network %s', n.id,
		coalesce('instance ' || n.instance_id, 'no instance'), host(n.ip4_address), coalesce(w.network_cidr, w.cidr), w.id),
	format('UPDATE %s.all_nics SET ip4_address = NULL WHERE id = %s AND ip4_address = %L;', $2, n.id, host(n.ip4_address)),
	format('UPDATE nics SET ip4_address = NULL WHERE id = %s AND ip4_address = %L;', n.id, host(n.ip4_address))
FROM {inv}.all_nics n
	JOIN {inv}.all_networks w ON w.id = n.network_id
WHERE n.active AND NOT n.ip4_address <<= coalesce(w.network_cidr, w.cidr)$$),

('missing_uuid', NULL, $$
SELECT m.type, m.id, NULL::uuid, m.created, format('%s %s has no uuid', m.name, m.id),
	format('UPDATE %s.%s SET uuid = DEFAULT WHERE id = %s AND uuid IS NULL;', $2, m.here, m.id),
	format('UPDATE %s SET uuid = UUID() WHERE id = %s AND uuid IS NULL;', m.there, m.id)
FROM (
	SELECT 'nic', 'NIC', 'all_nics', 'nics', id, created FROM odd_nics WHERE uuid IS NULL
	UNION ALL
	SELECT 'instance', 'instance', 'all_instances', 'vm_instance', id, created FROM {inv}.all_instances WHERE uuid IS NULL
	UNION ALL
	SELECT 'network', 'network', 'all_networks', 'networks', id, created FROM {inv}.all_networks WHERE uuid IS NULL) m (type, name, here, there, id, created)$$)
) AS d (code, needs, query)

UNION ALL
-- the first of those that share an address keeps it
SELECT a.code, NULL, replace(replace(replace(replace($$
SELECT 'nic', n.id, n.uuid, g.since,
	format('NIC %s of %s has {what} %s on network %s, which NIC %s has too%s', n.id,
		coalesce('instance ' || n.instance_id, 'no instance'), {text}, n.network_id, CASE WHEN n.id = g.first THEN g.last ELSE g.first END,
		', and ' || nullif(g.nics - 2, 0) || ' more'),
	format('UPDATE %s.all_nics SET {column} = $$ || a.mended || $$ WHERE network_id = %s AND {column} = %L AND active AND vm_type = ''User'' AND id <> %s;',
		$2, n.network_id, {text}, g.first),
	format('UPDATE nics SET {column} = {source} WHERE network_id = %s AND {column} = %L AND removed IS NULL AND COALESCE(state, '''') <> ''Deallocating'' AND vm_type = ''User'' AND id <> %s;',
		n.network_id, {text}, g.first)
FROM (
	SELECT network_id, {column}, count(*) AS nics, min(id) AS first, max(id) AS last, max(created) AS since
	FROM {inv}.all_nics
	WHERE active AND vm_type = 'User' AND {column} IS NOT NULL
	GROUP BY network_id, {column}
	HAVING count(*) > 1) g
	JOIN {inv}.all_nics n ON n.network_id = g.network_id AND n.{column} = g.{column} AND n.active AND n.vm_type = 'User'$$,
	'{what}', a.what), '{text}', format(a.output, 'n.' || a.name)), '{source}', a.source), '{column}', a.name)
FROM (VALUES
	('duplicate_live_mac', 'mac_address', 'MAC address', '%s::text',
		$$(''02'' || left(md5(id::text || mac_address::text), 10))::macaddr$$,
		$$CONCAT_WS('':'', ''02'', LEFT(MD5(RAND()), 2), LEFT(MD5(RAND()), 2), LEFT(MD5(RAND()), 2), LEFT(MD5(RAND()), 2), LEFT(MD5(RAND()), 2))$$),
	('duplicate_live_ip4', 'ip4_address', 'address', 'host(%s)', 'NULL', 'NULL'),
	('duplicate_live_ip6', 'ip6_address', 'address', 'host(%s)', 'NULL', 'NULL')
) AS a (code, name, what, output, mended, source)

UNION ALL
-- routers and placeholders are few, and may share an address among themselves
SELECT 'user_ip_held_by_other', NULL, string_agg(replace($$
SELECT 'nic', n.id, n.uuid, greatest(n.created, o.created),
	format('NIC %s of instance %s has address %s on network %s, which %s NIC %s holds', n.id, n.instance_id, host(n.{column}),
		n.network_id, CASE WHEN o.is_placeholder THEN 'placeholder' ELSE 'router or system' END, o.id),
	format('UPDATE %s.all_nics SET {column} = NULL WHERE id = %s AND {column} = %L;', $2, n.id, host(n.{column})),
	format('UPDATE nics SET {column} = NULL WHERE id = %s AND {column} = %L;', n.id, host(n.{column}))
FROM (
	SELECT network_id, {column}, min(id) AS id, max(created) AS created, bool_and(instance_id IS NULL) AS is_placeholder
	FROM {inv}.all_nics
	WHERE active AND (vm_type <> 'User' OR instance_id IS NULL) AND {column} IS NOT NULL
	GROUP BY network_id, {column}) o
	JOIN {inv}.all_nics n ON n.network_id = o.network_id AND n.{column} = o.{column}
WHERE n.active AND n.vm_type = 'User' AND n.instance_id IS NOT NULL$$, '{column}', a.name), ' UNION ALL ' ORDER BY a.name)
FROM (VALUES ('ip4_address'), ('ip6_address')) a (name)
$definition$;
COMMENT ON FUNCTION vmnet_internal.check_definition() IS
'Part of check_inventory(): the query of each code that is about rows
Which rows are findings, and how each is mended.';

-- The whole check as one query, so that it sees one snapshot and can be
-- explained.  {inv} stands for the inventory.  Where attached tables do not tell
-- a router from another instance, every NIC counts as one of a user's.
CREATE FUNCTION vmnet_internal.check_query_template(inventory_name text)
RETURNS text
LANGUAGE sql STABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $$
SELECT CASE WHEN 'nics.vm_type' = ANY (vmnet_internal.attached_lacks($1))
	THEN regexp_replace(regexp_replace(q.q, '(\w+\.)?vm_type = ''User''', 'true', 'g'), '(\w+\.)?vm_type <> ''User''', 'false', 'g')
	ELSE q.q END
FROM (SELECT $q$
WITH odd_nics AS MATERIALIZED (
	SELECT n.id, n.uuid, n.instance_id, n.network_id, n.state, n.strategy, n.ip4_address, n.ip6_address,
		n.created, n.state_changed, n.removed, n.active,
		coalesce('instance ' || n.instance_id, 'no instance') AS owner,
		-- a mirror knows when a state changed only if it saw it
		CASE WHEN NOT $3 THEN '' WHEN n.state_changed <= n.created THEN '; the time is the earliest it can be'
			ELSE '; the time is the latest it can be' END AS when_seen
	FROM {inv}.all_nics n
	WHERE n.uuid IS NULL
		OR n.removed IS NULL AND (n.state IN ('Allocated', 'Reserved')) IS NOT TRUE
		OR n.removed IS NOT NULL AND n.state IS DISTINCT FROM 'Deallocating')
$q$ || string_agg(format('SELECT %s, %L, %L, f.* FROM (%s) f (object_type, object_id, object_uuid, since, message, fix, source_fix)',
		c.ord, c.code, c.severity, d.query), ' UNION ALL ' ORDER BY c.ord)
FROM vmnet_internal.check_definition() d
	JOIN vmnet.check_codes() c ON c.code = d.code
WHERE (d.needs IS NULL OR EXISTS (
	SELECT FROM pg_catalog.pg_class r JOIN pg_catalog.pg_namespace s ON s.oid = r.relnamespace
	WHERE s.nspname = $1 AND r.relname = d.needs))
	AND d.code <> ALL (vmnet_internal.attached_unchecked($1))) q (q)
$$;
COMMENT ON FUNCTION vmnet_internal.check_query_template(text) IS
'Part of check_inventory() and create_report(): check_query() with {inv} for the inventory';

CREATE FUNCTION vmnet_internal.check_query(inventory_name text)
RETURNS text
LANGUAGE sql STABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $$ SELECT replace(vmnet_internal.check_query_template($1), '{inv}', quote_ident($1)) $$;
COMMENT ON FUNCTION vmnet_internal.check_query(text) IS
'Part of check_inventory(): the query that finds what is wrong with the rows of an inventory';
