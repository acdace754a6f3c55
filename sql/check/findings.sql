--
-- Findings in the rows of an inventory
--

-- A statement that the guard of a NIC table would refuse, with the guard disabled
-- for it; what the guard would have written to history is added.  Guards are
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
'Part of check_inventory(): a statement with the guard of the NICs disabled for it
NULL where there is no guard.';

-- The entry that history lacks at its end, where a state changed while the guard
-- was disabled.
CREATE FUNCTION vmnet_internal.check_close_gap(inventory_ident text, nic_id bigint)
RETURNS text
LANGUAGE sql STABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $$
SELECT format('INSERT INTO %1$s.nic_history (nic_id, network_id, instance_id, from_state, to_state, event, removed, reason,'
	' transaction_id, session_username)'
	' SELECT n.id, n.network_id, n.instance_id, h.to_state, n.state, ''Mended'', n.removed, ''a change that was not recorded'','
	' pg_current_xact_id()::text::bigint, session_user'
	' FROM %1$s.all_nics n CROSS JOIN LATERAL (SELECT to_state FROM %1$s.nic_history WHERE nic_id = n.id ORDER BY seq DESC LIMIT 1) h'
	' WHERE n.id = %2$s AND h.to_state IS DISTINCT FROM n.state;', $1, $2)
WHERE to_regclass($1 || '.nic_history') IS NOT NULL
$$;
COMMENT ON FUNCTION vmnet_internal.check_close_gap(text, bigint) IS
'Part of check_inventory(): the statement that adds to history what it lacks at its end
NULL where the inventory keeps no history.';

-- Active User NICs that share the value of a column on one network.  output is
-- how the value is written, with %s for it; mended is the value that replaces it
-- here, source the expression for what mends it in CloudStack.
CREATE FUNCTION vmnet_internal.check_duplicates(column_name text, what text, output text, mended text, source text)
RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $query$
SELECT replace(replace(replace(replace(replace($$
SELECT 'nic', n.id, n.uuid, g.since,
	format('NIC %s of %s has {what} %s on network %s, which NIC %s has too%s', n.id,
		coalesce('instance ' || n.instance_id, 'no instance'), {text}, n.network_id, CASE WHEN n.id = g.first THEN g.last ELSE g.first END,
		', and ' || nullif(g.nics - 2, 0) || ' more'),
	format('UPDATE %s.all_nics SET {column} = {mended} WHERE network_id = %s AND {column} = %L'
		' AND active AND vm_type = ''User'' AND id <> %s;',
		$2, n.network_id, {text}, g.first),
	{source}
FROM (
	SELECT network_id, {column}, count(*) AS nics, min(id) AS first, max(id) AS last, max(created) AS since
	FROM {inv}.all_nics
	WHERE active AND vm_type = 'User' AND {column} IS NOT NULL
	GROUP BY network_id, {column}
	HAVING count(*) > 1) g
	JOIN {inv}.all_nics n ON n.network_id = g.network_id AND n.{column} = g.{column} AND n.active AND n.vm_type = 'User'$$,
	'{what}', $2), '{text}', format($3, 'n.' || $1)), '{mended}', $4), '{source}', $5), '{column}', $1)
$query$;
COMMENT ON FUNCTION vmnet_internal.check_duplicates(text, text, text, text, text) IS
'Part of checks(): the query for NICs that share the value of a column';

CREATE FUNCTION vmnet_internal.check_held_by_other(column_name text, source text)
RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $query$
SELECT replace(replace($$
SELECT 'nic', n.id, n.uuid, greatest(n.created, o.created),
	format('NIC %s of instance %s has address %s on network %s, which %s NIC %s holds', n.id, n.instance_id, host(n.{column}),
		n.network_id, CASE WHEN o.is_placeholder THEN 'placeholder' ELSE 'router or system' END, o.id),
	format('UPDATE %s.all_nics SET {column} = NULL WHERE id = %s AND {column} = %L;', $2, n.id, host(n.{column})),
	{source}
FROM (
	SELECT network_id, {column}, min(id) AS id, max(created) AS created, bool_and(instance_id IS NULL) AS is_placeholder
	FROM {inv}.all_nics
	WHERE active AND (vm_type <> 'User' OR instance_id IS NULL) AND {column} IS NOT NULL
	GROUP BY network_id, {column}) o
	JOIN {inv}.all_nics n ON n.network_id = o.network_id AND n.{column} = o.{column}
WHERE n.active AND n.vm_type = 'User' AND n.instance_id IS NOT NULL$$, '{column}', $1), '{source}', $2)
$query$;
COMMENT ON FUNCTION vmnet_internal.check_held_by_other(text, text) IS
'Part of checks(): the query for User NICs with an address that another NIC holds';

-- What {kept} stands for in the query of a check: a relation.
CREATE FUNCTION vmnet_internal.check_kept_rows(inventory_name text)
RETURNS text
LANGUAGE sql STABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $$
SELECT CASE WHEN EXISTS (SELECT FROM pg_catalog.pg_class r JOIN pg_catalog.pg_namespace s ON s.oid = r.relnamespace
		WHERE s.nspname = $1 AND r.relname = 'import_vanished')
	THEN '{inv}.import_vanished' ELSE '(SELECT NULL::text AS relation, NULL::bigint AS id WHERE false)' END
$$;
COMMENT ON FUNCTION vmnet_internal.check_kept_rows(text) IS
'Part of check_inventory(): the rows that a mirror keeps although its source has them no more; no rows in other inventories';

-- Secondary addresses that an active NIC of the same network has, too: as its own,
-- or as a secondary one that came before.  other is the column of the other family,
-- whose address stays.
CREATE FUNCTION vmnet_internal.check_secondary(column_name text, other text)
RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $query$
SELECT replace(replace($$
(SELECT DISTINCT ON (s.id) 'nic', n.id, n.uuid, greatest(s.created, h.created),
	format('NIC %s of %s has secondary address %s on network %s, which %s', n.id, coalesce('instance ' || n.instance_id, 'no instance'),
		host(s.{column}), s.network_id, CASE WHEN h.id = n.id THEN 'is its own address'
			ELSE format('NIC %s has %s', h.id, CASE WHEN h.secondary IS NULL THEN 'as its own' ELSE 'as a secondary one' END) END),
	format('UPDATE %s.all_nic_secondary_ips SET %s WHERE id = %s AND active;', $2,
		CASE WHEN s.{other} IS NULL THEN 'removed = now()' ELSE '{column} = NULL' END, s.id), NULL::text
FROM {inv}.all_nic_secondary_ips s
	JOIN {inv}.all_nics n ON n.id = s.nic_id
	JOIN (
		SELECT o.network_id, o.{column}, o.id, o.created, NULL::bigint AS secondary
		FROM {inv}.all_nics o
		WHERE o.active AND o.{column} IS NOT NULL
		UNION ALL
		SELECT x.network_id, x.{column}, o.id, x.created, x.id
		FROM {inv}.all_nic_secondary_ips x
			JOIN {inv}.all_nics o ON o.id = x.nic_id
		WHERE x.active AND o.active AND x.{column} IS NOT NULL) h
		ON h.network_id = s.network_id AND h.{column} = s.{column} AND (h.secondary IS NULL OR h.secondary < s.id AND h.id <> n.id)
WHERE s.active AND n.active
ORDER BY s.id, h.secondary NULLS FIRST, h.id)$$, '{column}', $1), '{other}', $2)
$query$;
COMMENT ON FUNCTION vmnet_internal.check_secondary(text, text) IS
'Part of checks(): the query for secondary addresses that another NIC, or their own, has too';

-- Differences of one code between what was observed and the inventory.  They are
-- known by their MAC address; observers by their names.
CREATE FUNCTION vmnet_internal.check_reality(code text)
RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $query$
SELECT format($$
SELECT CASE WHEN r.nic_id IS NOT NULL THEN 'nic' WHEN r.instance_id IS NOT NULL THEN 'instance' WHEN r.network_id IS NOT NULL THEN 'network'
		ELSE 'observer' END,
	coalesce(r.nic_id, r.instance_id, r.network_id), CASE
		WHEN r.nic_id IS NOT NULL THEN (SELECT n.uuid FROM {inv}.all_nics n WHERE n.id = r.nic_id)
		WHEN r.instance_id IS NOT NULL THEN (SELECT i.uuid FROM {inv}.all_instances i WHERE i.id = r.instance_id)
		ELSE (SELECT w.uuid FROM {inv}.all_networks w WHERE w.id = r.network_id) END,
	r.first_seen, r.evidence, NULL::text, NULL::text, r.severity,
	lower(coalesce(r.mac_address::text, 'observer ' || r.observer)), r.observer
FROM observed r
WHERE r.code = %L$$, $1)
$query$;
COMMENT ON FUNCTION vmnet_internal.check_reality(text) IS
'Part of checks(): the query for differences of one code between what was observed and the inventory';

-- The whole check as one query, so that it sees one snapshot and can be
-- explained.  {inv} stands for the inventory.  Where attached tables do not tell
-- a router from another instance, every NIC counts as one of a user's.
CREATE FUNCTION vmnet_internal.check_query_template(inventory_name text, codes text[] DEFAULT NULL, kept text[] DEFAULT '{}')
RETURNS text
LANGUAGE sql STABLE PARALLEL RESTRICTED
SET search_path = pg_catalog, pg_temp
AS $$
SELECT CASE WHEN 'nics.vm_type' = ANY (vmnet_internal.attached_lacks($1))
	THEN regexp_replace(regexp_replace(q.q, '(\w+\.)?vm_type = ''User''', 'true', 'g'), '(\w+\.)?vm_type <> ''User''', 'false', 'g')
	ELSE q.q END
FROM (SELECT replace(replace(vmnet_internal.nic_state_fill($q$
WITH odd_nics AS MATERIALIZED (
	SELECT n.id, n.uuid, n.instance_id, n.network_id, n.state, n.strategy, n.vm_type, n.default_nic, n.ip4_address, n.ip6_address,
		n.created, n.state_changed, n.removed, n.active,
		coalesce('instance ' || n.instance_id, 'no instance') AS owner,
		-- a mirror knows when a state changed only if it saw it
		CASE WHEN NOT $3 THEN '' WHEN n.state_changed <= n.created THEN '; the time is the earliest it can be'
			ELSE '; the time is the latest it can be' END AS when_seen
	FROM {inv}.all_nics n
	WHERE n.uuid IS NULL
		OR n.removed IS NULL AND (n.state IN ({steady states})) IS NOT TRUE
		OR n.removed IS NOT NULL AND n.state IS DISTINCT FROM 'Deallocating'),
odd_addresses AS MATERIALIZED (
	SELECT * FROM (
		SELECT n.id, n.uuid, n.instance_id, n.network_id, n.vm_type, n.ip4_address, n.created, w.guest_type,
			-- the gateway itself can be the broadcast address (CloudStack issue 1188)
			coalesce(CASE WHEN family(n.ip4_address) = 4 AND family(m.mask) = 4 AND m.mask < '255.255.255.254' THEN
					CASE WHEN set_masklen(n.ip4_address, 32) = set_masklen(n.ip4_address & m.mask, 32) THEN 'network address'
						WHEN set_masklen(n.ip4_address, 32) = set_masklen(n.ip4_address | ~m.mask, 32) THEN 'broadcast address' END END,
				CASE WHEN n.ip4_address IN (w.gateway, n.gateway) OR n.ip4_address = ANY (w.all_gateways) THEN 'gateway' END) AS role,
			n.ip4_address IS NULL AND n.ip6_address IS NULL AND n.state = 'Reserved' AND n.vm_type = 'User'
				AND coalesce(w.network_cidr, w.cidr, w.ip6_cidr) IS NOT NULL AND w.guest_type IS DISTINCT FROM 'L2' AS is_without
		FROM {inv}.all_nics n
			JOIN {inv}.all_networks w ON w.id = n.network_id
			CROSS JOIN LATERAL (SELECT coalesce(set_masklen(n.netmask, 32),
				CASE WHEN n.ip4_address <<= coalesce(w.network_cidr, w.cidr) THEN netmask(coalesce(w.network_cidr, w.cidr)) END)) m (mask)
		WHERE n.active) n
	WHERE n.role IS NOT NULL OR n.is_without)
$q$ || coalesce(', source AS MATERIALIZED (' || o.query || ')', '')
	|| CASE WHEN bool_or(c.needs = 'reality') THEN ', observed AS MATERIALIZED (SELECT * FROM {inv}.reality)' ELSE '' END
	|| string_agg(format('SELECT %s, %L, %s, f.object_type, f.object_id, '
		'f.object_uuid, f.since, f.message, f.fix, %s, %s FROM (%s) f (object_type, object_id, object_uuid, since, message, fix, '
		'source_fix%s)%s',
		c.ord, c.code, CASE c.needs WHEN 'reality' THEN 'f.severity' ELSE quote_literal(c.severity) END,
		CASE WHEN o.query IS NULL THEN 'f.source_fix, NULL::text' ELSE 'CASE WHEN (SELECT s.kind FROM source s) = ''cloudstack'' '
			|| format('THEN f.source_fix END, CASE WHEN (SELECT s.kind FROM source s) = ''cloudstack'' THEN %L END', e.reason) END,
		CASE c.needs WHEN 'reality' THEN 'f.seen, f.observer' ELSE 'NULL::text, NULL::text' END,
		c.query, CASE c.needs WHEN 'reality' THEN ', severity, seen, observer' ELSE '' END,
		CASE WHEN o.query IS NOT NULL AND (cardinality(l.columns) > 0 OR e.only_cloudstack)
			THEN format(' WHERE (SELECT NOT s.lacks && %L::text[]%s FROM source s)', l.columns,
				CASE WHEN e.only_cloudstack THEN ' AND s.kind = ''cloudstack''' ELSE '' END) ELSE '' END), ' UNION ALL ' ORDER BY c.ord)),
	'{import states}', CASE WHEN to_regclass(format('%I.import_states', $1)) IS NULL
		THEN '(SELECT NULL::text AS relation, NULL::bigint AS id, NULL::timestamptz AS since WHERE false)' ELSE '{inv}.import_states' END),
	'{kept}', vmnet_internal.check_kept_rows($1))
FROM vmnet_internal.checks() c
	LEFT JOIN vmnet_internal.check_sources() e ON e.code = c.code
	CROSS JOIN LATERAL (SELECT coalesce(c.attached, '{}') || coalesce(e.reads, '{}')) l (columns)
	CROSS JOIN vmnet_internal.check_source_query($1) o (query)
WHERE c.query <> '{catalog}'
	AND ($2 IS NULL OR c.code = ANY ($2))
	AND c.code <> ALL ($3)
	AND (c.needs IS NULL OR EXISTS (
		SELECT FROM pg_catalog.pg_class r JOIN pg_catalog.pg_namespace s ON s.oid = r.relnamespace
		WHERE s.nspname = $1 AND r.relname = c.needs))
	AND c.code <> ALL (vmnet_internal.attached_unchecked($1))
GROUP BY o.query) q (q)
$$;
COMMENT ON FUNCTION vmnet_internal.check_query_template(text, text[], text[]) IS
'Part of check_inventory() and create_report(): check_query() with {inv} for the inventory';

CREATE FUNCTION vmnet_internal.check_query(inventory_name text, codes text[] DEFAULT NULL, kept text[] DEFAULT '{}')
RETURNS text
LANGUAGE sql STABLE PARALLEL RESTRICTED
SET search_path = pg_catalog, pg_temp
AS $$ SELECT replace(vmnet_internal.check_query_template($1, $2, $3), '{inv}', quote_ident($1)) $$;
COMMENT ON FUNCTION vmnet_internal.check_query(text, text[], text[]) IS
'Part of check_inventory(): the query that finds what is wrong with the rows of an inventory
kept: codes that are not searched, see check_kept().';

-- The whole check, guards included, with {inv} for the inventory.  $1 to $3 are
-- those of checks(), $4 is the name of the inventory and $5 its kind.
CREATE FUNCTION vmnet_internal.check_all_query(inventory_name text, codes text[] DEFAULT NULL)
RETURNS text
LANGUAGE sql STABLE PARALLEL RESTRICTED
SET search_path = pg_catalog, pg_temp
AS $$
SELECT format($q$SELECT f.* FROM (%s)
	f (ord, code, severity, object_type, object_id, object_uuid, since, message, fix, source_fix, reason, seen, observer)$q$,
	concat_ws('
	UNION ALL
	', w.rows,
	CASE WHEN $2 IS NULL OR NOT $2 <@ (SELECT array_agg(k.code) FROM vmnet_internal.checks() k WHERE k.query <> '{catalog}')
		OR w.rows IS NULL
	THEN $q$SELECT coalesce(c.ord, 0), g.code, coalesce(c.severity, 'error'), 'inventory', NULL::bigint, NULL::uuid, NULL::timestamptz,
		g.message, g.fix, NULL::text, NULL::text, NULL::text, NULL::text
	FROM vmnet_internal.check_guards($4, $5) g LEFT JOIN vmnet.check_codes() c ON c.code = g.code
	$q$ || CASE WHEN $2 IS NULL THEN '' ELSE format('WHERE g.code = ANY (%L::text[])', $2) END END))
FROM vmnet_internal.check_query_template($1, $2, vmnet_internal.check_kept($1)) w (rows)
$$;
COMMENT ON FUNCTION vmnet_internal.check_all_query(text, text[]) IS
'Part of check_inventory() and accept_finding(): the query that finds what is wrong with an inventory';
