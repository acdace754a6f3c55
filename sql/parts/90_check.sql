--
-- Cross-checks: what contradicts itself in an inventory, and what is in the
-- way of a removal.  Everything here reads only, with the caller's rights.
--

CREATE FUNCTION vmnet_internal.check_target(wanted name, OUT name text, OUT kind text, OUT source text, OUT owner_id oid)
RETURNS record
LANGUAGE plpgsql STABLE PARALLEL RESTRICTED
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	resolved name := vmnet_internal.resolve_inventory(wanted);
BEGIN
	SELECT l.name, l.kind, l.source, l.owner_id INTO name, kind, source, owner_id
	FROM vmnet_internal.inventory_facts(resolved) l;
	IF name IS NULL THEN
		RAISE EXCEPTION USING
			ERRCODE = 'invalid_parameter_value',
			MESSAGE = format('inventory "%s" cannot be checked', resolved),
			DETAIL = 'Its view inventory_info does not say of which kind it is.',
			HINT = 'The view vmnet.inventories lists what is there.';
	END IF;
	IF kind = 'attached' AND (SELECT o.view IS NOT NULL FROM vmnet_internal.attached_other_keys(resolved) o) THEN
		RAISE EXCEPTION USING
			ERRCODE = 'invalid_parameter_value',
			MESSAGE = format('inventory "%s" cannot be checked', resolved),
			DETAIL = 'Its ids are not all of type bigint, which findings are told by.',
			HINT = format('Its views answer: %I.network_validation shows where ways of counting differ.', resolved);
	END IF;
END
$$;
COMMENT ON FUNCTION vmnet_internal.check_target(name) IS
'Part of check_inventory(): name, kind and source of the inventory that a call means
NULL: the setting vmnet.inventory. Error: 22023 for an unknown inventory.';

CREATE FUNCTION vmnet.check_codes()
RETURNS TABLE (ord int, code text, severity text, about text)
LANGUAGE sql IMMUTABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $codes$
VALUES
(1, 'inventory_incomplete', 'error', 'a relation that an inventory of this kind consists of is not there, or its rows cannot be checked; nothing else is looked for then'),
(2, 'owner_differs', 'error', 'a relation of the inventory, or its schema, belongs to another role than all_nics; functions and guards refuse to read such a relation'),
(3, 'guard_missing', 'error', 'a guard of the inventory, or of a table that inherits from one of its tables, is not there or fires at other times than it should'),
(4, 'guard_disabled', 'error', 'a guard, or a trigger of a foreign key, is there but disabled'),
(5, 'half_removed_nic', 'error', 'NIC held and Deallocating, whatever the case of the letters, for min_age or longer: a removal that stopped half-way'),
(6, 'live_nic_on_removed_instance', 'error', 'NIC held although its instance is removed'),
(7, 'live_nic_on_removed_network', 'error', 'NIC held although its network is removed'),
(8, 'duplicate_live_mac', 'error', 'active User NIC with the MAC address of another one on the same network'),
(9, 'duplicate_live_ip4', 'error', 'active User NIC with the IPv4 address of another one on the same network'),
(10, 'duplicate_live_ip6', 'error', 'active User NIC with the IPv6 address of another one on the same network'),
(11, 'duplicate_device_id', 'error', 'active User NIC with the device_id of another one of the same instance; not where one device moves from network to network, with its MAC address, in a network migration'),
(12, 'user_ip_held_by_other', 'error', 'active User NIC with an address that a router or a placeholder holds on the same network'),
(13, 'default_nic_double', 'error', 'instance, not removed, with two or more active default NICs'),
(14, 'history_chain_broken', 'error', 'NIC whose history has a gap: a state is not the one that the entry before it left, or, in a managed inventory, the last one is not the NIC''s'),
(15, 'removed_nic_wrong_state', 'warning', 'NIC removed, but its state is not Deallocating, whatever the case of the letters'),
(16, 'stuck_nic', 'warning', 'NIC held and in Reserving or Releasing, exactly spelled, for min_age or longer'),
(17, 'unknown_state', 'warning', 'NIC, removed or not, whose state is not exactly one of the five'),
(18, 'default_nic_missing', 'warning', 'instance, not removed, with active NICs but no default one'),
(19, 'counter_drift', 'warning', 'network, removed or not, whose nics_count is not the number of its held User NICs in exactly Reserved'),
(20, 'ip_outside_cidr', 'warning', 'active NIC whose IPv4 address is outside the network''s network_cidr, or its cidr where it has none'),
(21, 'missing_uuid', 'info', 'NIC, instance or network without a uuid'),
(22, 'nic_parent_missing', 'error', 'NIC held although there is no such network or instance; in attached tables without foreign keys')
$codes$;
COMMENT ON FUNCTION vmnet.check_codes() IS
'Codes of the findings of check_inventory(), with their severities and what they mean
ord is the order in which check_inventory() has them.';

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
SELECT format('INSERT INTO %1$s.nic_history (nic_id, network_id, instance_id, from_state, to_state, event, removed, reason)'
	' SELECT n.id, n.network_id, n.instance_id, h.to_state, n.state, ''Mended'', n.removed, ''a change that was not recorded''::text'
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

-- The triggers that an inventory should have, by relation: which function,
-- fired how (as in pg_trigger.tgtype), on which condition.
CREATE FUNCTION vmnet_internal.check_expected_guards(inventory_name text, kind text)
RETURNS TABLE (ord int, trigger_name text, relation text, function_name text, fires int, condition text, ddl text)
LANGUAGE sql STABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $$
SELECT d.ord, split_part(d.object, ' ', 2), split_part(d.object, '%1$I.', 2), substring(d.ddl FROM 'EXECUTE FUNCTION vmnet_internal\.(\w+)'),
	(d.ddl ~ ' FOR EACH ROW ')::int + 2 * (e ~ ' BEFORE ')::int + 4 * (e ~ ' INSERT')::int + 8 * (e ~ ' DELETE')::int
		+ 16 * (e ~ ' UPDATE')::int + 32 * (e ~ ' TRUNCATE')::int + 64 * (e ~ ' INSTEAD OF ')::int,
	substring(d.ddl FROM ' WHEN \((.*)\) EXECUTE FUNCTION'),
	replace(replace(d.ddl, 'CREATE TRIGGER', 'CREATE OR REPLACE TRIGGER'), '%1$I.' || split_part(d.object, '%1$I.', 2), '%1$s') || ';'
FROM vmnet_internal.inventory_definition($2) d,
	LATERAL (SELECT split_part(d.ddl, ' ON %1$I.', 1)) AS timing (e)
WHERE d.phase = 'triggers' AND $2 <> 'live' AND ($2 <> 'attached' OR d.ddl ~ 'history_guard')
$$;
COMMENT ON FUNCTION vmnet_internal.check_expected_guards(text, text) IS
'Part of check_inventory(): the triggers that an inventory of a kind should have
In ddl, %1$s stands for the relation.';

-- The relations that should have them: those of the definition, and what inherits
-- from a table, since its rows are in the views too, down to the fourth level.
-- (A report has this query in a view, where it may not be recursive.)  Partitions
-- of history are no such tables: they are written through their parent.
CREATE FUNCTION vmnet_internal.check_guarded_relations(inventory_name text)
RETURNS TABLE (relation text, relid oid, is_child boolean)
LANGUAGE sql STABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $$
SELECT DISTINCT c.relname::text AS relation, f.relid, f.is_child
FROM pg_catalog.pg_class c
	JOIN pg_catalog.pg_namespace s ON s.oid = c.relnamespace
	LEFT JOIN pg_catalog.pg_inherits i1 ON i1.inhparent = c.oid
	LEFT JOIN pg_catalog.pg_inherits i2 ON i2.inhparent = i1.inhrelid
	LEFT JOIN pg_catalog.pg_inherits i3 ON i3.inhparent = i2.inhrelid
	LEFT JOIN pg_catalog.pg_inherits i4 ON i4.inhparent = i3.inhrelid
	CROSS JOIN LATERAL (VALUES (c.oid, false), (i1.inhrelid, true), (i2.inhrelid, true), (i3.inhrelid, true), (i4.inhrelid, true)) f (relid, is_child)
	JOIN pg_catalog.pg_class m ON m.oid = f.relid AND NOT (f.is_child AND m.relispartition)
WHERE s.nspname = $1 AND c.relkind IN ('r', 'v', 'p')
$$;
COMMENT ON FUNCTION vmnet_internal.check_guarded_relations(text) IS
'Part of check_inventory(): the relations of an inventory, and what inherits from them';

-- A guard is known by its function, not by its name: the function decides.
CREATE FUNCTION vmnet_internal.check_guards(inventory_name text, kind text)
RETURNS TABLE (code text, message text, fix text)
LANGUAGE sql STABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $$
WITH found AS (
	SELECT x.ord, x.trigger_name, r.relid::regclass AS relid, r.is_child, x.function_name, x.ddl,
		t.tgname, t.tgenabled IN ('O', 'A') AS enabled,
		t.tgtype = x.fires AND (cardinality(t.tgattr::int2[]) > 0) = (x.ddl ~ ' UPDATE OF ')
			AND regexp_replace(lower(coalesce(substring(pg_get_triggerdef(t.oid) FROM ' WHEN \((.*)\) EXECUTE FUNCTION'), '')), '[\s()]', '', 'g')
				= regexp_replace(lower(coalesce(x.condition, '')), '[\s()]', '', 'g') AS right_kind
	FROM vmnet_internal.check_expected_guards($1, $2) x
		JOIN vmnet_internal.check_guarded_relations($1) r ON r.relation = x.relation
		LEFT JOIN (pg_catalog.pg_trigger t JOIN pg_catalog.pg_proc p ON p.oid = t.tgfoid
			JOIN pg_catalog.pg_namespace s ON s.oid = p.pronamespace AND s.nspname = 'vmnet_internal')
			ON t.tgrelid = r.relid AND NOT t.tgisinternal AND p.proname = x.function_name
), judged AS (
	SELECT ord, trigger_name, relid, is_child, function_name, ddl,
		coalesce(bool_or(right_kind), false) AS is_there, coalesce(bool_or(right_kind AND enabled), false) AS is_armed,
		min(tgname) FILTER (WHERE right_kind) AS right_name, min(tgname) AS other_name
	FROM found
	GROUP BY ord, trigger_name, relid, is_child, function_name, ddl
)
SELECT CASE WHEN is_there THEN 'guard_disabled' ELSE 'guard_missing' END,
	CASE WHEN is_there THEN format('guard %s of %s is disabled', right_name, relid)
		WHEN other_name IS NULL THEN format('%s%s has no guard %s', relid, CASE WHEN is_child THEN ', which inherits from a table of the inventory,' ELSE '' END, function_name)
		ELSE format('guard %s of %s fires at other times than it should', other_name, relid) END,
	CASE WHEN is_there THEN format('ALTER TABLE %s ENABLE TRIGGER %I;', relid, right_name)
		ELSE format(ddl, relid) END
FROM judged
WHERE NOT is_armed
UNION ALL
SELECT 'guard_disabled', format('foreign key %s is not checked: its triggers on %s are disabled', c.conname, t.tgrelid::regclass),
	string_agg(format('ALTER TABLE %s ENABLE TRIGGER %I;', t.tgrelid::regclass, t.tgname), ' ' ORDER BY t.tgname)
FROM pg_catalog.pg_constraint c
	JOIN vmnet_internal.check_guarded_relations($1) r ON r.relid = c.conrelid AND r.relation IN ('all_nics', 'nic_history')
	JOIN pg_catalog.pg_trigger t ON t.tgconstraint = c.oid AND t.tgenabled NOT IN ('O', 'A')
WHERE c.contype = 'f'
GROUP BY c.conname, t.tgrelid
UNION ALL
SELECT a.code, a.message, a.fix FROM vmnet_internal.attached_check_guards($1) a WHERE $2 = 'attached'
UNION ALL
-- partitions, and relations that users added, may belong to anybody
SELECT 'owner_differs', format('%s belongs to role "%s", but all_nics to role "%s"', o.name, pg_get_userbyid(o.owner), pg_get_userbyid(n.relowner)),
	format('ALTER %s %s OWNER TO %I;', o.kind, o.name, pg_get_userbyid(n.relowner))
FROM pg_catalog.pg_namespace s
	JOIN pg_catalog.pg_class n ON n.relnamespace = s.oid AND n.relname = 'all_nics'
	CROSS JOIN LATERAL (
		SELECT format('%I.%I', s.nspname, c.relname) AS name, c.relowner AS owner, CASE c.relkind WHEN 'v' THEN 'VIEW' ELSE 'TABLE' END AS kind
		FROM pg_catalog.pg_class c
		WHERE c.relnamespace = s.oid AND c.relname = ANY (vmnet_internal.named_relations())
		UNION ALL
		SELECT format('%I', s.nspname), s.nspowner, 'SCHEMA') o
WHERE s.nspname = $1 AND o.owner <> n.relowner
$$;
COMMENT ON FUNCTION vmnet_internal.check_guards(text, text) IS
'Part of check_inventory(): guards that are missing or disabled, with the statement that mends each';

-- The relations that an inventory of a kind consists of and this one lacks; NULL
-- where it lacks none.
CREATE FUNCTION vmnet_internal.check_lacking(inventory_name text, kind text)
RETURNS text
LANGUAGE sql STABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $$
SELECT string_agg(w.relation, ', ' ORDER BY w.relation)
FROM (
	SELECT split_part(d.object, '%1$I.', 2)
	FROM vmnet_internal.inventory_definition(CASE WHEN $2 IN ('attached', 'live') THEN 'managed' ELSE $2 END) d
	WHERE d.object LIKE 'TABLE %' AND d.object NOT LIKE '%.import\_%' OR d.object LIKE 'VIEW %'
	UNION
	SELECT 'attached_nics' WHERE $2 = 'attached') w (relation)
WHERE NOT EXISTS (
	SELECT FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace s ON s.oid = c.relnamespace
	WHERE s.nspname = $1 AND c.relname = w.relation AND c.relkind IN ('r', 'p', 'v'))
$$;
COMMENT ON FUNCTION vmnet_internal.check_lacking(text, text) IS
'Part of check_inventory(): the relations that an inventory lacks, as a list; NULL where it lacks none';

CREATE FUNCTION vmnet_internal.check_incomplete(message text)
RETURNS TABLE (code text, severity text, object_type text, object_id bigint, object_uuid uuid, since timestamptz, message text, fix text)
LANGUAGE sql STABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $$
SELECT c.code, c.severity, 'inventory', NULL::bigint, NULL::uuid, NULL::timestamptz, $1, NULL::text
FROM vmnet.check_codes() c WHERE c.code = 'inventory_incomplete'
$$;
COMMENT ON FUNCTION vmnet_internal.check_incomplete(text) IS
'Part of check_inventory(): the finding that an inventory is not complete';

CREATE FUNCTION vmnet_internal.check_inventory(
	inventory name,
	min_age interval)
RETURNS TABLE (
	code text,
	severity text,
	object_type text,
	object_id bigint,
	object_uuid uuid,
	since timestamptz,
	message text,
	fix text)
LANGUAGE plpgsql STABLE PARALLEL RESTRICTED
SET search_path = pg_catalog, pg_temp
-- compiling so many expressions takes longer than running them, and workers
-- would each group all NICs again
SET jit = off
SET max_parallel_workers_per_gather = 0
AS $$
DECLARE
	target record := vmnet_internal.check_target($1);
	mirror boolean := target.kind IN ('mirror', 'live');
	lacking text;
BEGIN
	IF min_age IS NULL OR min_age < interval '0' THEN
		RAISE EXCEPTION USING
			ERRCODE = 'invalid_parameter_value',
			MESSAGE = 'min_age must be an interval that is not negative',
			DETAIL = format('It is %s.', coalesce(min_age::text, 'NULL')),
			HINT = 'Leave it out for 10 minutes; 0 asks for everything.';
	END IF;

	lacking := vmnet_internal.check_lacking(target.name, target.kind);
	IF lacking IS NOT NULL THEN
		RETURN QUERY SELECT f.* FROM vmnet_internal.check_incomplete(format('inventory "%s" of kind %s lacks: %s', target.name, target.kind, lacking)) f;
		RETURN;
	END IF;

	BEGIN
		PERFORM vmnet_internal.require_one_owner(target.name);
		RETURN QUERY EXECUTE format($q$
			SELECT f.code, f.severity, f.object_type, f.object_id, f.object_uuid, f.since,
				f.message || CASE WHEN $3 AND f.source_fix IS NOT NULL THEN $4 ELSE '' END,
				CASE WHEN $3 THEN coalesce(f.source_fix, f.fix)
					WHEN $6 = 'attached' AND f.object_type <> 'inventory' THEN NULL ELSE f.fix END
			FROM (%s
				UNION ALL
				SELECT c.ord, c.code, c.severity, 'inventory', NULL, NULL, NULL, g.message, g.fix, NULL
				FROM vmnet_internal.check_guards($5, $6) g JOIN vmnet.check_codes() c ON c.code = g.code)
				f (ord, code, severity, object_type, object_id, object_uuid, since, message, fix, source_fix)
			ORDER BY f.ord, f.object_type, f.object_id, f.message$q$, vmnet_internal.check_query(target.name))
		-- nothing is younger than nothing, not even what this transaction did
		USING CASE WHEN min_age = interval '0' THEN 'infinity' ELSE now() - min_age END, quote_ident(target.name), mirror,
			format('; to be mended at the source%s', ', ' || quote_ident(target.source)), target.name, target.kind;
	EXCEPTION WHEN OTHERS THEN
		-- who has no rights on the inventory is told so; a check over all
		-- inventories goes on past one that is broken, or only looks like one
		IF SQLSTATE = '42501' AND NOT pg_has_role(current_user, target.owner_id, 'USAGE') THEN
			RAISE;
		END IF;
		RETURN QUERY SELECT f.* FROM vmnet_internal.check_incomplete(format('the rows of inventory "%s" cannot be checked: %s', target.name, SQLERRM)) f
			UNION ALL
			SELECT g.code, 'error', 'inventory', NULL, NULL, NULL, g.message, g.fix FROM vmnet_internal.check_guards(target.name, target.kind) g;
	END;
END
$$;
COMMENT ON FUNCTION vmnet_internal.check_inventory(name, interval) IS
'Body of vmnet.check_inventory(), run with the rights that this has switched to';

CREATE FUNCTION vmnet.check_inventory(
	inventory name DEFAULT NULL,
	min_age interval DEFAULT '10 minutes')
RETURNS TABLE (
	code text,
	severity text,
	object_type text,
	object_id bigint,
	object_uuid uuid,
	since timestamptz,
	message text,
	fix text)
AS 'MODULE_PATHNAME', 'inventory_entry_any'
LANGUAGE C STABLE PARALLEL RESTRICTED;
COMMENT ON FUNCTION vmnet.check_inventory(name, interval) IS
'What contradicts itself in an inventory: one row per finding, the gravest first; none where it is clean
code, severity (error, warning, info) and their meanings: vmnet.check_codes(). object_type (nic, instance, network; inventory for a guard), object_id and object_uuid say what it is about, since when it has been so as far as the rows tell (NULL: they do not), message what was found, fix the statement that mends it. Several statements in one fix belong into one transaction. fix NULL: no statement can mend it.
In a mirror, and a live inventory, fix is a statement for CloudStack''s MySQL tables, since the mend belongs at the source; only guards are mended here. Over attached tables rows are mended in these, so fix is NULL but for guards, and what needs a column that they lack is not looked for; without a vm_type every NIC counts as User.
inventory NULL: the setting vmnet.inventory. min_age: half_removed_nic and stuck_nic are findings from that age on. Reads only, with the caller''s rights: what a policy hides from the caller is not checked.
Errors: 22023 for an unknown inventory, and for a min_age that is NULL or negative.';

CREATE FUNCTION vmnet_internal.inventory_status(inventory name)
RETURNS int
LANGUAGE sql STABLE PARALLEL RESTRICTED
SET search_path = pg_catalog, pg_temp
AS $$
SELECT CASE WHEN EXISTS (SELECT FROM vmnet.check_inventory($1) f WHERE f.severity = 'error') THEN 3 ELSE 0 END
$$;
COMMENT ON FUNCTION vmnet_internal.inventory_status(name) IS
'Body of vmnet.inventory_status(), run with the rights that this has switched to';

CREATE FUNCTION vmnet.inventory_status(inventory name DEFAULT NULL)
RETURNS int
AS 'MODULE_PATHNAME', 'inventory_entry_any'
LANGUAGE C STABLE PARALLEL RESTRICTED;
COMMENT ON FUNCTION vmnet.inventory_status(name) IS
'0: check_inventory() finds no error in an inventory; 3: it does
For a monitoring probe. Warnings do not count. NULL: the setting vmnet.inventory. Error: 22023 for an unknown inventory.';

--
-- What is in the way of a removal
--

CREATE FUNCTION vmnet_internal.network_blockers(network_id bigint, inventory name)
RETURNS TABLE (
	nic_id bigint,
	nic_uuid uuid,
	nic_state text,
	instance_id bigint,
	instance_uuid uuid,
	instance_name text,
	instance_state text,
	why text)
LANGUAGE plpgsql STABLE PARALLEL RESTRICTED
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	target record := vmnet_internal.check_target($2);
BEGIN
	RETURN QUERY EXECUTE format($q$
		SELECT n.id, n.uuid, n.state, i.id, i.uuid, i.name, i.state,
			CASE WHEN NOT n.active THEN 'half-removed: its address may still be in use; once it is free, set removed'
				WHEN n.instance_id IS NULL THEN 'a placeholder holds an address on the network'
				WHEN i.removed IS NOT NULL THEN format('held, although instance %%s has been removed', i.id)
				ELSE format('instance %%s is active on the network', i.id) END
		FROM %1$I.all_nics n
			LEFT JOIN %1$I.all_instances i ON i.id = n.instance_id
		WHERE n.network_id = $1 AND n.removed IS NULL AND (n.active OR NOT n.active)
			AND EXISTS (SELECT FROM %1$I.all_networks w WHERE w.id = $1 AND w.removed IS NULL)
		ORDER BY n.id$q$, target.name)
	USING network_id;
END
$$;
COMMENT ON FUNCTION vmnet_internal.network_blockers(bigint, name) IS
'Body of vmnet.network_blockers(), run with the rights that this has switched to';

CREATE FUNCTION vmnet.network_blockers(network_id bigint, inventory name DEFAULT NULL)
RETURNS TABLE (
	nic_id bigint,
	nic_uuid uuid,
	nic_state text,
	instance_id bigint,
	instance_uuid uuid,
	instance_name text,
	instance_state text,
	why text)
AS 'MODULE_PATHNAME', 'inventory_entry'
LANGUAGE C STABLE PARALLEL RESTRICTED;
COMMENT ON FUNCTION vmnet.network_blockers(bigint, name) IS
'NICs for which the removal of a network is refused: one row each, with the reason in why
Every held NIC: active ones, half-removed ones and placeholders. No row where nothing blocks, for NULL, an unknown id or a removed network. The guard looks past policies, this with the caller''s rights. Error: 22023 for an unknown inventory.';

CREATE FUNCTION vmnet_internal.instance_blockers(instance_id bigint, inventory name)
RETURNS TABLE (
	nic_id bigint,
	nic_uuid uuid,
	nic_state text,
	network_id bigint,
	network_uuid uuid,
	network_name text,
	network_state text,
	why text)
LANGUAGE plpgsql STABLE PARALLEL RESTRICTED
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	target record := vmnet_internal.check_target($2);
BEGIN
	RETURN QUERY EXECUTE format($q$
		SELECT n.id, n.uuid, n.state, w.id, w.uuid, w.name, w.state,
			CASE WHEN NOT n.active THEN 'half-removed: its address may still be in use; once it is free, set removed'
				WHEN w.removed IS NOT NULL THEN format('held, although network %%s has been removed', w.id)
				ELSE format('active on network %%s', w.id) END
		FROM %1$I.all_nics n
			LEFT JOIN %1$I.all_networks w ON w.id = n.network_id
		WHERE n.instance_id = $1 AND n.removed IS NULL
			AND EXISTS (SELECT FROM %1$I.all_instances i WHERE i.id = $1 AND i.removed IS NULL)
		ORDER BY n.id$q$, target.name)
	USING instance_id;
END
$$;
COMMENT ON FUNCTION vmnet_internal.instance_blockers(bigint, name) IS
'Body of vmnet.instance_blockers(), run with the rights that this has switched to';

CREATE FUNCTION vmnet.instance_blockers(instance_id bigint, inventory name DEFAULT NULL)
RETURNS TABLE (
	nic_id bigint,
	nic_uuid uuid,
	nic_state text,
	network_id bigint,
	network_uuid uuid,
	network_name text,
	network_state text,
	why text)
AS 'MODULE_PATHNAME', 'inventory_entry'
LANGUAGE C STABLE PARALLEL RESTRICTED;
COMMENT ON FUNCTION vmnet.instance_blockers(bigint, name) IS
'NICs for which the removal of an instance is refused: one row each, with the reason in why
Every held NIC, half-removed ones too. No row where nothing blocks, for NULL, an unknown id or a removed instance. The guard looks past policies, this with the caller''s rights. Error: 22023 for an unknown inventory.';
