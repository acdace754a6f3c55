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

-- Each part of an interval is subtracted by itself, so each has to be in range.
CREATE FUNCTION vmnet_internal.check_min_age(min_age interval, hint text)
RETURNS void
LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	IF min_age IS NULL OR min_age < interval '0' THEN
		RAISE EXCEPTION USING
			ERRCODE = 'invalid_parameter_value',
			MESSAGE = 'min_age must be an interval that is not negative',
			DETAIL = format('It is %s.', coalesce(min_age::text, 'NULL')),
			HINT = hint;
	ELSIF abs(extract(year FROM min_age)) > 2000 OR abs(extract(day FROM min_age)) > 730000 OR abs(extract(hour FROM min_age)) > 17520000 THEN
		RAISE EXCEPTION USING
			ERRCODE = 'invalid_parameter_value',
			MESSAGE = 'min_age must be an interval of at most 2000 years',
			DETAIL = format('It is %s.', min_age),
			HINT = hint;
	END IF;
END
$$;
COMMENT ON FUNCTION vmnet_internal.check_min_age(interval, text) IS
'Part of check_inventory() and repair_inventory(): refuses a min_age that is NULL, negative or longer than there has been time';

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
(5, 'rule_missing', 'error', 'a constraint or unique index of the inventory''s definition is not there, is not validated, can be deferred or says something else'),
(6, 'index_missing', 'error', 'an index of the inventory''s definition is not there, is invalid or is on something else'),
(7, 'column_differs', 'error', 'a column of the inventory''s definition is not there, has another type or generation expression, or lacks NOT NULL'),
(8, 'view_differs', 'error', 'a view of the inventory''s definition is not there, lacks columns, or reads with the rights of its owner where it should read with those of its reader'),
(9, 'table_differs', 'error', 'a table of the inventory''s definition is not there, is unlogged, or has a rule, which rewrites what is written to it'),
(10, 'half_removed_nic', 'error', 'NIC held and Deallocating, whatever the case of the letters, for min_age or longer: a removal that stopped half-way'),
(11, 'live_nic_on_removed_instance', 'error', 'NIC held although its instance is removed'),
(12, 'live_nic_on_removed_network', 'error', 'NIC held although its network is removed'),
(13, 'duplicate_live_mac', 'error', 'active User NIC with the MAC address of another one on the same network'),
(14, 'duplicate_live_ip4', 'error', 'active User NIC with the IPv4 address of another one on the same network'),
(15, 'duplicate_live_ip6', 'error', 'active User NIC with the IPv6 address of another one on the same network'),
(16, 'duplicate_device_id', 'error', 'active User NIC with the device_id of another one of the same instance; not where one device moves from network to network, with its MAC address, in a network migration'),
(17, 'user_ip_held_by_other', 'error', 'active User NIC with an address that a router or a placeholder holds on the same network'),
(18, 'default_nic_double', 'error', 'instance, not removed, with two or more active default NICs'),
(19, 'history_chain_broken', 'error', 'NIC whose history has a gap: a state is not the one that the entry before it left, or, in a managed inventory, the last one is not the NIC''s'),
(20, 'removed_nic_wrong_state', 'warning', 'NIC removed, but its state is not Deallocating, whatever the case of the letters'),
(21, 'stuck_nic', 'warning', 'NIC held and in Reserving or Releasing, exactly spelled, for min_age or longer'),
(22, 'unknown_state', 'warning', 'NIC, removed or not, whose state is not exactly one of the five'),
(23, 'default_nic_missing', 'warning', 'instance, not removed, with active NICs but no default one'),
(24, 'counter_drift', 'warning', 'network, removed or not, whose nics_count is not the number of its held User NICs in exactly Reserved'),
(25, 'ip_outside_cidr', 'warning', 'active NIC whose IPv4 address is outside the network''s network_cidr, or its cidr where it has none'),
(26, 'missing_uuid', 'info', 'NIC, instance or network without a uuid'),
(27, 'nic_parent_missing', 'error', 'NIC held although there is no such network or instance; in attached tables without foreign keys')
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

-- What an inventory should have, as the catalogs tell it.  sort: table, column,
-- constraint, index, view (that reads with its reader's rights) or plain view.
-- fact: of a column its type, NOT NULL and how it is generated; of a constraint
-- and an index its definition, with %1$s for the inventory; of a view its columns.
-- A test compares this with inventories that have just been made.
CREATE FUNCTION vmnet_internal.check_facts()
RETURNS TABLE (only_kind text, relation text, sort text, object text, fact text)
LANGUAGE sql IMMUTABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $facts$
VALUES
(NULL, 'all_instances', 'table', NULL, NULL),
(NULL, 'all_instances', 'column', 'account_id', 'bigint'),
(NULL, 'all_instances', 'column', 'account_name', 'text'),
(NULL, 'all_instances', 'column', 'active', 'boolean GENERATED ALWAYS AS ((removed IS NULL)) STORED'),
(NULL, 'all_instances', 'column', 'created', 'timestamp with time zone NOT NULL'),
(NULL, 'all_instances', 'column', 'display_name', 'text'),
(NULL, 'all_instances', 'column', 'domain_id', 'bigint'),
(NULL, 'all_instances', 'column', 'domain_path', 'text'),
(NULL, 'all_instances', 'column', 'host_id', 'bigint'),
(NULL, 'all_instances', 'column', 'id', 'bigint NOT NULL'),
(NULL, 'all_instances', 'column', 'instance_name', 'text'),
(NULL, 'all_instances', 'column', 'name', 'text'),
(NULL, 'all_instances', 'column', 'removed', 'timestamp with time zone'),
(NULL, 'all_instances', 'column', 'state', 'text NOT NULL'),
('managed', 'all_instances', 'column', 'type', 'text NOT NULL'),
('mirror', 'all_instances', 'column', 'type', 'text'),
('managed', 'all_instances', 'column', 'uuid', 'uuid NOT NULL'),
('mirror', 'all_instances', 'column', 'uuid', 'uuid'),
(NULL, 'all_instances', 'column', 'zone_id', 'bigint'),
(NULL, 'all_instances', 'column', 'zone_name', 'text'),
(NULL, 'all_instances', 'constraint', 'all_instances_pkey', 'PRIMARY KEY (id)'),
(NULL, 'all_instances', 'constraint', 'all_instances_uuid_key', 'UNIQUE (uuid)'),
('managed', 'all_instances', 'constraint', 'instance_created_finite', 'CHECK (isfinite(created))'),
('managed', 'all_instances', 'constraint', 'instance_removed_finite', 'CHECK (isfinite(removed))'),
('managed', 'all_instances', 'index', 'all_instances_removed_key', 'UNIQUE USING btree (id, removed)'),
(NULL, 'all_networks', 'table', NULL, NULL),
(NULL, 'all_networks', 'column', 'account_id', 'bigint'),
(NULL, 'all_networks', 'column', 'account_name', 'text'),
(NULL, 'all_networks', 'column', 'active', 'boolean GENERATED ALWAYS AS ((removed IS NULL)) STORED'),
(NULL, 'all_networks', 'column', 'cidr', 'cidr'),
(NULL, 'all_networks', 'column', 'created', 'timestamp with time zone NOT NULL'),
(NULL, 'all_networks', 'column', 'domain_id', 'bigint'),
(NULL, 'all_networks', 'column', 'domain_path', 'text'),
(NULL, 'all_networks', 'column', 'gateway', 'inet'),
(NULL, 'all_networks', 'column', 'guest_type', 'text'),
(NULL, 'all_networks', 'column', 'id', 'bigint NOT NULL'),
(NULL, 'all_networks', 'column', 'ip6_cidr', 'cidr'),
(NULL, 'all_networks', 'column', 'ip6_gateway', 'inet'),
(NULL, 'all_networks', 'column', 'name', 'text'),
(NULL, 'all_networks', 'column', 'network_cidr', 'cidr'),
(NULL, 'all_networks', 'column', 'nics_count', 'bigint'),
(NULL, 'all_networks', 'column', 'removed', 'timestamp with time zone'),
(NULL, 'all_networks', 'column', 'state', 'text NOT NULL'),
('managed', 'all_networks', 'column', 'traffic_type', 'text NOT NULL'),
('mirror', 'all_networks', 'column', 'traffic_type', 'text'),
('managed', 'all_networks', 'column', 'uuid', 'uuid NOT NULL'),
('mirror', 'all_networks', 'column', 'uuid', 'uuid'),
(NULL, 'all_networks', 'column', 'vpc_id', 'bigint'),
(NULL, 'all_networks', 'column', 'zone_id', 'bigint'),
(NULL, 'all_networks', 'column', 'zone_name', 'text'),
(NULL, 'all_networks', 'constraint', 'all_networks_pkey', 'PRIMARY KEY (id)'),
(NULL, 'all_networks', 'constraint', 'all_networks_uuid_key', 'UNIQUE (uuid)'),
('managed', 'all_networks', 'constraint', 'network_created_finite', 'CHECK (isfinite(created))'),
('managed', 'all_networks', 'constraint', 'network_guest_type_valid', 'CHECK ((guest_type = ANY (ARRAY[''Isolated''::text, ''Shared''::text, ''L2''::text])))'),
('managed', 'all_networks', 'constraint', 'network_removed_finite', 'CHECK (isfinite(removed))'),
('managed', 'all_networks', 'index', 'all_networks_removed_key', 'UNIQUE USING btree (id, removed)'),
(NULL, 'all_networks', 'index', 'all_networks_vpc_idx', 'USING btree (vpc_id) WHERE (vpc_id IS NOT NULL)'),
(NULL, 'all_nic_secondary_ips', 'table', NULL, NULL),
(NULL, 'all_nic_secondary_ips', 'column', 'active', 'boolean GENERATED ALWAYS AS ((removed IS NULL)) STORED'),
(NULL, 'all_nic_secondary_ips', 'column', 'created', 'timestamp with time zone NOT NULL'),
(NULL, 'all_nic_secondary_ips', 'column', 'id', 'bigint NOT NULL'),
(NULL, 'all_nic_secondary_ips', 'column', 'ip4_address', 'inet'),
(NULL, 'all_nic_secondary_ips', 'column', 'ip6_address', 'inet'),
(NULL, 'all_nic_secondary_ips', 'column', 'network_id', 'bigint NOT NULL'),
(NULL, 'all_nic_secondary_ips', 'column', 'nic_id', 'bigint NOT NULL'),
(NULL, 'all_nic_secondary_ips', 'column', 'removed', 'timestamp with time zone'),
('managed', 'all_nic_secondary_ips', 'column', 'uuid', 'uuid NOT NULL'),
('mirror', 'all_nic_secondary_ips', 'column', 'uuid', 'uuid'),
(NULL, 'all_nic_secondary_ips', 'constraint', 'all_nic_secondary_ips_pkey', 'PRIMARY KEY (id)'),
(NULL, 'all_nic_secondary_ips', 'constraint', 'all_nic_secondary_ips_uuid_key', 'UNIQUE (uuid)'),
('managed', 'all_nic_secondary_ips', 'constraint', 'secondary_ip4_address_valid', 'CHECK (((family(ip4_address) = 4) AND (masklen(ip4_address) = 32)))'),
('managed', 'all_nic_secondary_ips', 'constraint', 'secondary_ip6_address_valid', 'CHECK (((family(ip6_address) = 6) AND (masklen(ip6_address) = 128)))'),
('managed', 'all_nic_secondary_ips', 'constraint', 'secondary_ip_created_finite', 'CHECK (isfinite(created))'),
('managed', 'all_nic_secondary_ips', 'constraint', 'secondary_ip_present', 'CHECK (((ip4_address IS NOT NULL) OR (ip6_address IS NOT NULL)))'),
('managed', 'all_nic_secondary_ips', 'constraint', 'secondary_ip_removed_finite', 'CHECK (isfinite(removed))'),
(NULL, 'all_nic_secondary_ips', 'index', 'all_nic_secondary_ips_active_idx', 'USING btree (network_id, nic_id) WHERE active'),
(NULL, 'all_nic_secondary_ips', 'index', 'all_nic_secondary_ips_nic_idx', 'USING btree (nic_id)'),
('managed', 'all_nic_secondary_ips', 'index', 'all_nic_secondary_ips_one_ip4', 'UNIQUE USING btree (network_id, ip4_address) WHERE active'),
('managed', 'all_nic_secondary_ips', 'index', 'all_nic_secondary_ips_one_ip6', 'UNIQUE USING btree (network_id, ip6_address) WHERE active'),
(NULL, 'all_nics', 'table', NULL, NULL),
(NULL, 'all_nics', 'column', 'active', 'boolean GENERATED ALWAYS AS (((removed IS NULL) AND (lower((state COLLATE "C")) <> ''deallocating''::text))) STORED'),
(NULL, 'all_nics', 'column', 'broadcast_uri', 'text'),
(NULL, 'all_nics', 'column', 'created', 'timestamp with time zone NOT NULL'),
('managed', 'all_nics', 'column', 'default_nic', 'boolean NOT NULL'),
('mirror', 'all_nics', 'column', 'default_nic', 'boolean'),
(NULL, 'all_nics', 'column', 'device_id', 'integer'),
('managed', 'all_nics', 'column', 'enabled', 'boolean NOT NULL'),
('mirror', 'all_nics', 'column', 'enabled', 'boolean'),
(NULL, 'all_nics', 'column', 'ended', 'timestamp with time zone GENERATED ALWAYS AS (LEAST(removed, CASE WHEN (lower((state COLLATE "C")) = ''deallocating''::text) THEN state_changed ELSE NULL::timestamp with time zone END)) STORED'),
(NULL, 'all_nics', 'column', 'gateway', 'inet'),
(NULL, 'all_nics', 'column', 'id', 'bigint NOT NULL'),
(NULL, 'all_nics', 'column', 'instance_id', 'bigint'),
(NULL, 'all_nics', 'column', 'ip4_address', 'inet'),
(NULL, 'all_nics', 'column', 'ip6_address', 'inet'),
(NULL, 'all_nics', 'column', 'mac_address', 'macaddr'),
(NULL, 'all_nics', 'column', 'mtu', 'bigint'),
(NULL, 'all_nics', 'column', 'netmask', 'inet'),
(NULL, 'all_nics', 'column', 'network_id', 'bigint NOT NULL'),
(NULL, 'all_nics', 'column', 'removed', 'timestamp with time zone'),
(NULL, 'all_nics', 'column', 'reservation_id', 'text'),
(NULL, 'all_nics', 'column', 'reserver_name', 'text'),
(NULL, 'all_nics', 'column', 'state', 'text NOT NULL'),
(NULL, 'all_nics', 'column', 'state_changed', 'timestamp with time zone NOT NULL'),
('managed', 'all_nics', 'column', 'strategy', 'text NOT NULL'),
('mirror', 'all_nics', 'column', 'strategy', 'text'),
('managed', 'all_nics', 'column', 'uuid', 'uuid NOT NULL'),
('mirror', 'all_nics', 'column', 'uuid', 'uuid'),
('managed', 'all_nics', 'column', 'vm_type', 'text NOT NULL'),
('mirror', 'all_nics', 'column', 'vm_type', 'text'),
(NULL, 'all_nics', 'constraint', 'all_nics_instance_id_fkey', 'FOREIGN KEY (instance_id) REFERENCES %1$s.all_instances(id)'),
(NULL, 'all_nics', 'constraint', 'all_nics_network_id_fkey', 'FOREIGN KEY (network_id) REFERENCES %1$s.all_networks(id)'),
(NULL, 'all_nics', 'constraint', 'all_nics_pkey', 'PRIMARY KEY (id)'),
(NULL, 'all_nics', 'constraint', 'all_nics_uuid_key', 'UNIQUE (uuid)'),
('managed', 'all_nics', 'constraint', 'nic_created_finite', 'CHECK (isfinite(created))'),
('managed', 'all_nics', 'constraint', 'nic_instance_required', 'CHECK (((instance_id IS NOT NULL) OR (strategy = ''PlaceHolder''::text) OR (removed IS NOT NULL)))'),
('managed', 'all_nics', 'constraint', 'nic_ip4_address_valid', 'CHECK (((family(ip4_address) = 4) AND (masklen(ip4_address) = 32)))'),
('managed', 'all_nics', 'constraint', 'nic_ip6_address_valid', 'CHECK (((family(ip6_address) = 6) AND (masklen(ip6_address) = 128)))'),
('managed', 'all_nics', 'constraint', 'nic_removed_finite', 'CHECK (isfinite(removed))'),
('managed', 'all_nics', 'constraint', 'nic_removed_is_deallocating', 'CHECK (((removed IS NULL) OR (state = ''Deallocating''::text)))'),
('managed', 'all_nics', 'constraint', 'nic_state_valid', 'CHECK ((state = ANY (ARRAY[''Allocated''::text, ''Reserving''::text, ''Reserved''::text, ''Releasing''::text, ''Deallocating''::text])))'),
('managed', 'all_nics', 'constraint', 'nic_strategy_valid', 'CHECK ((strategy = ANY (ARRAY[''PlaceHolder''::text, ''Create''::text, ''Start''::text, ''Managed''::text])))'),
(NULL, 'all_nics', 'index', 'all_nics_active_idx', 'USING btree (network_id, instance_id) WHERE active'),
(NULL, 'all_nics', 'index', 'all_nics_half_removed_idx', 'USING btree (network_id) WHERE ((removed IS NULL) AND (NOT active))'),
(NULL, 'all_nics', 'index', 'all_nics_instance_idx', 'USING btree (instance_id)'),
(NULL, 'all_nics', 'index', 'all_nics_ip4_idx', 'USING btree (ip4_address) WHERE (ip4_address IS NOT NULL)'),
(NULL, 'all_nics', 'index', 'all_nics_ip6_idx', 'USING btree (ip6_address) WHERE (ip6_address IS NOT NULL)'),
(NULL, 'all_nics', 'index', 'all_nics_mac_idx', 'USING btree (mac_address)'),
(NULL, 'all_nics', 'index', 'all_nics_network_created_idx', 'USING btree (network_id, created) INCLUDE (id, instance_id, ended)'),
('managed', 'all_nics', 'index', 'all_nics_one_default', 'UNIQUE USING btree (instance_id) WHERE (active AND default_nic AND (vm_type = ''User''::text))'),
('managed', 'all_nics', 'index', 'all_nics_one_device', 'UNIQUE USING btree (instance_id, device_id) WHERE (active AND (vm_type = ''User''::text))'),
('managed', 'all_nics', 'index', 'all_nics_one_ip4', 'UNIQUE USING btree (network_id, ip4_address) WHERE (active AND (vm_type = ''User''::text))'),
('managed', 'all_nics', 'index', 'all_nics_one_ip6', 'UNIQUE USING btree (network_id, ip6_address) WHERE (active AND (vm_type = ''User''::text))'),
('managed', 'all_nics', 'index', 'all_nics_one_mac', 'UNIQUE USING btree (network_id, mac_address) WHERE (active AND (vm_type = ''User''::text))'),
('managed', 'all_nics', 'index', 'all_nics_one_per_network', 'UNIQUE USING btree (instance_id, network_id) WHERE (active AND (vm_type = ''User''::text))'),
('mirror', 'import_log', 'table', NULL, NULL),
('mirror', 'import_log', 'column', 'action', 'text NOT NULL'),
('mirror', 'import_log', 'column', 'column', 'text'),
('mirror', 'import_log', 'column', 'entry', 'bigint NOT NULL'),
('mirror', 'import_log', 'column', 'id', 'text'),
('mirror', 'import_log', 'column', 'original', 'text'),
('mirror', 'import_log', 'column', 'reason', 'text NOT NULL'),
('mirror', 'import_log', 'column', 'run', 'bigint NOT NULL'),
('mirror', 'import_log', 'column', 'table', 'text NOT NULL'),
('mirror', 'import_log', 'constraint', 'import_log_action_valid', 'CHECK ((action = ANY (ARRAY[''rejected''::text, ''changed''::text])))'),
('mirror', 'import_log', 'constraint', 'import_log_pkey', 'PRIMARY KEY (entry)'),
('mirror', 'import_runs', 'table', NULL, NULL),
('mirror', 'import_runs', 'column', 'backend_pid', 'integer NOT NULL'),
('mirror', 'import_runs', 'column', 'finished', 'timestamp with time zone'),
('mirror', 'import_runs', 'column', 'instances_read', 'bigint NOT NULL'),
('mirror', 'import_runs', 'column', 'message', 'text'),
('mirror', 'import_runs', 'column', 'networks_read', 'bigint NOT NULL'),
('mirror', 'import_runs', 'column', 'nic_secondary_ips_read', 'bigint NOT NULL'),
('mirror', 'import_runs', 'column', 'nics_read', 'bigint NOT NULL'),
('mirror', 'import_runs', 'column', 'rows_deleted', 'bigint NOT NULL'),
('mirror', 'import_runs', 'column', 'rows_inserted', 'bigint NOT NULL'),
('mirror', 'import_runs', 'column', 'rows_rejected', 'bigint NOT NULL'),
('mirror', 'import_runs', 'column', 'rows_updated', 'bigint NOT NULL'),
('mirror', 'import_runs', 'column', 'run', 'bigint NOT NULL'),
('mirror', 'import_runs', 'column', 'source', 'text NOT NULL'),
('mirror', 'import_runs', 'column', 'started', 'timestamp with time zone NOT NULL'),
('mirror', 'import_runs', 'column', 'status', 'text NOT NULL'),
('mirror', 'import_runs', 'column', 'step', 'text NOT NULL'),
('mirror', 'import_runs', 'column', 'values_changed', 'bigint NOT NULL'),
('mirror', 'import_runs', 'constraint', 'import_runs_pkey', 'PRIMARY KEY (run)'),
('mirror', 'import_runs', 'constraint', 'import_runs_status_valid', 'CHECK ((status = ANY (ARRAY[''running''::text, ''done''::text, ''failed''::text])))'),
(NULL, 'instances', 'view', NULL, 'id, uuid, name, display_name, instance_name, type, state, host_id, zone_id, domain_id, account_id, account_name, domain_path, zone_name, created, removed'),
(NULL, 'inventory_info', 'plain view', NULL, 'kind, source, mode, version'),
(NULL, 'network_counts', 'view', NULL, 'network_id, network_name, attached_nics, active_instances, running_instances, user_instances, allocated, reserving, reserved, releasing, deallocating, other_states, used_ip4'),
(NULL, 'network_instance_intervals', 'view', NULL, 'network_id, instance_id, from, to'),
(NULL, 'network_instances', 'view', NULL, 'network_id, network_uuid, network_name, network_state, traffic_type, guest_type, vpc_id, instance_id, instance_uuid, instance_name, instance_type, instance_state, nic_count, nic_id, nic_state, device_id, default_nic, mac_address, ip4_address, ip6_address'),
(NULL, 'network_validation', 'view', NULL, 'network_id, network_name, active_instances, held_instances, listed_instances, reserved_user_nics, nics_count, agree, differing_instances'),
(NULL, 'networks', 'view', NULL, 'id, uuid, name, state, traffic_type, guest_type, cidr, network_cidr, gateway, ip6_cidr, ip6_gateway, vpc_id, zone_id, domain_id, account_id, account_name, domain_path, zone_name, nics_count, created, removed'),
(NULL, 'nic_address_history', 'table', NULL, NULL),
(NULL, 'nic_address_history', 'column', 'entry', 'bigint NOT NULL'),
(NULL, 'nic_address_history', 'column', 'ip4_address', 'inet'),
(NULL, 'nic_address_history', 'column', 'ip6_address', 'inet'),
(NULL, 'nic_address_history', 'column', 'mac_address', 'macaddr'),
(NULL, 'nic_address_history', 'column', 'nic_id', 'bigint NOT NULL'),
(NULL, 'nic_address_history', 'column', 'until', 'timestamp with time zone NOT NULL'),
(NULL, 'nic_address_history', 'constraint', 'nic_address_history_pkey', 'PRIMARY KEY (entry)'),
(NULL, 'nic_address_history', 'index', 'nic_address_history_ip4_idx', 'USING btree (ip4_address)'),
(NULL, 'nic_address_history', 'index', 'nic_address_history_ip6_idx', 'USING btree (ip6_address)'),
(NULL, 'nic_address_history', 'index', 'nic_address_history_mac_idx', 'USING btree (mac_address)'),
(NULL, 'nic_address_history', 'index', 'nic_address_history_nic_idx', 'USING btree (nic_id, entry)'),
(NULL, 'nic_address_intervals', 'view', NULL, 'nic_id, mac_address, ip4_address, ip6_address, from, to'),
(NULL, 'nic_history', 'table', NULL, NULL),
(NULL, 'nic_history', 'column', 'actor', 'text'),
(NULL, 'nic_history', 'column', 'application_name', 'text'),
(NULL, 'nic_history', 'column', 'at', 'timestamp with time zone NOT NULL'),
(NULL, 'nic_history', 'column', 'event', 'text NOT NULL'),
(NULL, 'nic_history', 'column', 'from_network_id', 'bigint'),
(NULL, 'nic_history', 'column', 'from_state', 'text NOT NULL'),
(NULL, 'nic_history', 'column', 'instance_id', 'bigint'),
(NULL, 'nic_history', 'column', 'network_id', 'bigint NOT NULL'),
(NULL, 'nic_history', 'column', 'nic_id', 'bigint NOT NULL'),
(NULL, 'nic_history', 'column', 'reason', 'text'),
(NULL, 'nic_history', 'column', 'removed', 'timestamp with time zone'),
(NULL, 'nic_history', 'column', 'seq', 'bigint NOT NULL'),
(NULL, 'nic_history', 'column', 'session_username', 'text NOT NULL'),
(NULL, 'nic_history', 'column', 'to_state', 'text'),
(NULL, 'nic_history', 'column', 'transaction_id', 'xid8 NOT NULL'),
(NULL, 'nic_history', 'constraint', 'nic_history_pkey', 'PRIMARY KEY (seq, at)'),
('mirror', 'nic_history', 'index', 'nic_history_move_idx', 'USING btree (nic_id, seq) WHERE (from_network_id IS NOT NULL)'),
(NULL, 'nic_history', 'index', 'nic_history_network_idx', 'USING btree (network_id, seq)'),
(NULL, 'nic_history', 'index', 'nic_history_nic_idx', 'USING btree (nic_id, seq)'),
(NULL, 'nic_intervals', 'view', NULL, 'nic_id, network_id, instance_id, from, to'),
(NULL, 'nic_secondary_ips', 'view', NULL, 'id, uuid, nic_id, network_id, ip4_address, ip6_address, created, removed'),
(NULL, 'nics', 'view', NULL, 'id, uuid, instance_id, network_id, state, strategy, reserver_name, reservation_id, vm_type, device_id, default_nic, mac_address, ip4_address, ip6_address, netmask, gateway, broadcast_uri, mtu, enabled, created, state_changed, removed'),
(NULL, 'stuck_nics', 'view', NULL, 'nic_id, nic_uuid, network_id, instance_id, vm_type, state, state_changed, age, last_event, session_username, actor, reason, application_name'),
(NULL, 'vpc_instances', 'view', NULL, 'vpc_id, instance_id, instance_uuid, instance_name, instance_type, instance_state, network_count, nic_count')
$facts$;
COMMENT ON FUNCTION vmnet_internal.check_facts() IS
'Part of check_inventory(): tables, columns, constraints, indexes and views of managed inventories and mirrors
only_kind NULL: of both.';

-- Over attached tables an inventory has tables of history only, whose keys have
-- the types of the keys of those; a live one has none.  What is a table in others
-- is a view there.
CREATE FUNCTION vmnet_internal.check_expected_facts(kind text)
RETURNS TABLE (relation text, sort text, object text, fact text)
LANGUAGE sql IMMUTABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $$
SELECT f.relation, f.sort, f.object, f.fact
FROM vmnet_internal.check_facts() f
WHERE $1 IN ('managed', 'mirror') AND (f.only_kind IS NULL OR f.only_kind = $1)
UNION ALL
SELECT f.relation, CASE WHEN $1 = 'live' AND f.sort = 'view' THEN 'plain view' ELSE f.sort END, f.object, f.fact
FROM vmnet_internal.check_facts() f
WHERE $1 IN ('attached', 'live') AND f.only_kind IS DISTINCT FROM 'mirror'
	AND (f.sort IN ('view', 'plain view')
		OR $1 = 'attached' AND f.relation IN ('nic_history', 'nic_address_history')
			AND coalesce(f.object <> ALL (ARRAY['nic_id', 'network_id', 'instance_id', 'from_network_id', 'from_state']), true))
UNION ALL
SELECT f.relation, 'plain view', NULL, string_agg(DISTINCT f.object, ', ')
FROM vmnet_internal.check_facts() f
WHERE $1 IN ('attached', 'live') AND f.only_kind IS DISTINCT FROM 'mirror' AND f.sort = 'column'
	AND ($1 = 'live' OR f.relation NOT IN ('nic_history', 'nic_address_history'))
GROUP BY f.relation
$$;
COMMENT ON FUNCTION vmnet_internal.check_expected_facts(text) IS
'Part of check_inventory(): check_facts() for an inventory of a kind';

-- A constraint and an index are known by what they are, not by their name, so
-- that one which was renamed, or made anew, is as good.  Texts are compared
-- without quotes, spaces and what the search_path adds.
CREATE FUNCTION vmnet_internal.check_rules(inventory_name text, kind text)
RETURNS TABLE (code text, message text, fix text)
LANGUAGE sql STABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $$
WITH expected AS MATERIALIZED (
	SELECT x.relation, x.sort, x.object, replace(x.fact, '%1$s', quote_ident(s.nspname)) AS fact,
		s.oid AS schema_id, quote_ident(s.nspname) AS schema, quote_ident(s.nspname) || '.' || x.relation AS name,
		c.oid AS relid, c.tableoid AS classid, c.relkind, c.relpersistence, c.reloptions
	FROM pg_catalog.pg_namespace s
		CROSS JOIN vmnet_internal.check_expected_facts($2) x
		LEFT JOIN pg_catalog.pg_class c ON c.relnamespace = s.oid AND c.relname = x.relation
	WHERE s.nspname = $1
), base AS MATERIALIZED (
	SELECT e.relid, e.schema_id, e.name, e.relation FROM expected e WHERE e.sort = 'table' AND e.relkind IN ('r', 'p')
), found AS MATERIALIZED (
	SELECT 'constraint' AS sort, b.relid, k.conname::text AS name, pg_get_constraintdef(k.oid) AS fact,
		-- one that refers to a table of the same name elsewhere is another one
		k.confrelid = 0 OR (SELECT r.relnamespace FROM pg_catalog.pg_class r WHERE r.oid = k.confrelid) = b.schema_id AS in_force
	FROM base b
		JOIN pg_catalog.pg_constraint k ON k.conrelid = b.relid AND k.contype IN ('c', 'f', 'p', 'u')
	UNION ALL
	SELECT 'index', b.relid, c.relname, CASE WHEN i.indisunique THEN 'UNIQUE ' ELSE '' END || substr(d.def, strpos(d.def, b.relation || ' USING ') + length(b.relation) + 1),
		i.indisvalid AND i.indisready AND i.indimmediate
	FROM base b
		JOIN pg_catalog.pg_index i ON i.indrelid = b.relid
		JOIN pg_catalog.pg_class c ON c.oid = i.indexrelid
		CROSS JOIN LATERAL (SELECT replace(pg_get_indexdef(i.indexrelid), '"', '')) d (def)
), differing AS MATERIALIZED (
	SELECT e.sort, e.relid, e.object, e.name, e.schema, e.fact, regexp_replace(replace(e.fact, e.schema || '.', ''), '[\s"]', '', 'g') AS plain
	FROM expected e
	WHERE e.sort IN ('constraint', 'index') AND e.relkind IN ('r', 'p')
		AND (e.sort, e.relid, e.fact) NOT IN (SELECT f.sort, f.relid, f.fact FROM found f WHERE f.in_force AND f.fact IS NOT NULL)
), lacking AS (
	SELECT d.sort, d.object, d.name, d.schema, d.plain, d.fact, d.sort = 'constraint' OR d.fact ~ '^UNIQUE ' AS is_rule,
		n.name IS NOT NULL AS is_other, n.fact AS other, n.plain AS other_plain
	FROM differing d
		CROSS JOIN LATERAL (
			SELECT min(f.name) FILTER (WHERE f.name = d.object) AS name, min(f.fact) FILTER (WHERE f.name = d.object) AS fact,
				min(f.plain) FILTER (WHERE f.name = d.object) AS plain, bool_or(f.plain = d.plain) AS is_there
			FROM (
				SELECT o.name, o.fact, CASE WHEN o.in_force THEN
					regexp_replace(replace(o.fact, d.schema || '.', ''), '[\s"]|\mpg_catalog\.|\mWITH \([^)]*\)', '', 'g') END AS plain
				FROM found o
				WHERE o.sort = d.sort AND o.relid = d.relid) f) n
	WHERE n.is_there IS NOT TRUE
)
SELECT CASE WHEN l.is_rule THEN 'rule_missing' ELSE 'index_missing' END,
	CASE WHEN NOT l.is_other THEN format('%s has no %s %I: %s', l.name, l.sort, l.object, l.fact)
		WHEN l.other_plain IS NULL AND l.sort = 'index' THEN format('index %I of %s is invalid', l.object, l.name)
		ELSE format('%s %I of %s is not %s, but %s', l.sort, l.object, l.name, l.fact, l.other) END,
	CASE l.sort WHEN 'index' THEN
			CASE WHEN l.is_other THEN format('DROP INDEX %s.%I; ', l.schema, l.object) ELSE '' END
				|| format('CREATE %sINDEX %I ON %s %s;', substring(l.fact FROM '^UNIQUE '), l.object, l.name, substring(l.fact FROM 'USING .*'))
		ELSE format('ALTER TABLE %s ', l.name) || CASE
			WHEN NOT l.is_other THEN format('ADD CONSTRAINT %I %s;', l.object, l.fact)
			WHEN l.other_plain = l.plain || 'NOTVALID' THEN format('VALIDATE CONSTRAINT %I;', l.object)
			WHEN l.fact ~ '^FOREIGN KEY' AND l.other_plain IN (l.plain || 'DEFERRABLE', l.plain || 'DEFERRABLEINITIALLYDEFERRED') THEN format('ALTER CONSTRAINT %I NOT DEFERRABLE;', l.object)
			ELSE format('DROP CONSTRAINT %1$I, ADD CONSTRAINT %1$I %2$s;', l.object, l.fact) END END
FROM lacking l
UNION ALL
SELECT 'column_differs',
	CASE WHEN a.attname IS NULL THEN format('%s has no column %I: %s', e.name, e.object, e.fact)
		ELSE format('column %I of %s is not %s, but %s', e.object, e.name, e.fact, v.fact || CASE WHEN a.attnotnull THEN ' NOT NULL' ELSE '' END) END,
	CASE WHEN a.attname IS NULL AND e.fact !~ ' NOT NULL$' THEN format('ALTER TABLE %s ADD COLUMN %I %s;', e.name, e.object, e.fact)
		WHEN e.fact = v.fact || ' NOT NULL' THEN format('ALTER TABLE %s ALTER COLUMN %I SET NOT NULL;', e.name, e.object)
		-- nor can the type of a column change that a view reads
		WHEN a.attgenerated = '' AND e.fact !~ ' GENERATED ' AND NOT EXISTS (
			SELECT FROM pg_catalog.pg_depend p JOIN pg_catalog.pg_rewrite r ON r.oid = p.objid AND r.tableoid = p.classid
			WHERE p.refclassid = e.classid AND p.refobjid = e.relid AND p.refobjsubid = a.attnum)
			THEN format('ALTER TABLE %s ALTER COLUMN %I TYPE %s;', e.name, e.object, replace(e.fact, ' NOT NULL', '')) END
FROM expected e
	LEFT JOIN pg_catalog.pg_attribute a ON a.attrelid = e.relid AND a.attname = e.object AND NOT a.attisdropped
	LEFT JOIN pg_catalog.pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum AND a.attgenerated <> ''
	CROSS JOIN LATERAL (SELECT format_type(a.atttypid, a.atttypmod)
		-- 100 is the collation of the database
		|| CASE WHEN a.attcollation IN (0, 100) THEN '' ELSE ' COLLATE ' || (SELECT o.collname FROM pg_catalog.pg_collation o WHERE o.oid = a.attcollation) END
		|| coalesce(' GENERATED ALWAYS AS (' || pg_get_expr(d.adbin, d.adrelid) || CASE a.attgenerated WHEN 's' THEN ') STORED' ELSE ') VIRTUAL' END, '')) v (fact)
WHERE e.sort = 'column' AND e.relkind IN ('r', 'p')
	AND (e.fact = v.fact OR a.attnotnull AND e.fact = v.fact || ' NOT NULL'
		OR regexp_replace(e.fact, '[\s"]', '', 'g') = regexp_replace(v.fact || CASE WHEN e.fact ~ ' NOT NULL$' AND a.attnotnull THEN ' NOT NULL' ELSE '' END, '[\s"]|\mpg_catalog\.', '', 'g')) IS NOT TRUE
UNION ALL
SELECT 'view_differs',
	CASE WHEN e.relid IS NULL THEN format('there is no view %s', e.name)
		WHEN e.relkind <> 'v' THEN format('%s is no view', e.name)
		WHEN m.columns IS NOT NULL THEN format('view %s lacks: %s', e.name, m.columns)
		ELSE format('view %s reads with the rights of its owner, not with those of its reader', e.name) END,
	CASE WHEN e.relkind = 'v' AND m.columns IS NULL THEN format('ALTER VIEW %s SET (security_invoker = true);', e.name) END
FROM expected e
	CROSS JOIN LATERAL (
		SELECT string_agg(w.name, ', ' ORDER BY w.ord)
		FROM unnest(string_to_array(e.fact, ', ')) WITH ORDINALITY w (name, ord)
		WHERE NOT EXISTS (SELECT FROM pg_catalog.pg_attribute a WHERE a.attrelid = e.relid AND a.attname = w.name AND NOT a.attisdropped)) m (columns)
WHERE e.sort IN ('view', 'plain view')
	AND (e.relkind IS DISTINCT FROM 'v' OR m.columns IS NOT NULL OR e.sort = 'view' AND (array_to_string(e.reloptions, ' ') ~ '\msecurity_invoker=(t|y|on|1)') IS NOT TRUE)
UNION ALL
SELECT 'table_differs',
	CASE WHEN e.relid IS NULL THEN format('there is no table %s', e.name)
		WHEN e.relkind NOT IN ('r', 'p') THEN format('%s is no table', e.name)
		ELSE format('table %s is unlogged: a crash empties it', e.name) END,
	CASE WHEN e.relkind IN ('r', 'p') THEN format('ALTER TABLE %s SET LOGGED;', e.name) END
FROM expected e
WHERE e.sort = 'table' AND (e.relkind IS NULL OR e.relkind NOT IN ('r', 'p') OR e.relpersistence <> 'p')
UNION ALL
SELECT 'table_differs', format('table %s has a rule, %I, which rewrites what is written to it', b.name, r.rulename),
	format('DROP RULE %I ON %s;', r.rulename, b.name)
FROM base b
	JOIN pg_catalog.pg_rewrite r ON r.ev_class = b.relid AND r.ev_enabled IN ('O', 'A')
$$;
COMMENT ON FUNCTION vmnet_internal.check_rules(text, text) IS
'Part of check_inventory(): in what an inventory differs from its definition, with the statement that mends each';

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
			AND regexp_replace(lower(coalesce(substring(pg_get_triggerdef(t.oid) FROM ' WHEN \((.*)\) EXECUTE FUNCTION'), '')), '[\s()"]', '', 'g')
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
SELECT u.code, u.message, u.fix FROM vmnet_internal.check_rules($1, $2) u
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
'Part of check_inventory(): guards that are missing or disabled, and what else differs from the definition, with the statement that mends each';

-- The relations that an inventory of a kind consists of and this one lacks; NULL
-- where it lacks none.
CREATE FUNCTION vmnet_internal.check_lacking(inventory_name text, kind text)
RETURNS text
LANGUAGE sql STABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $$
SELECT string_agg(w.relation, ', ' ORDER BY w.relation)
FROM (
	SELECT f.relation FROM vmnet_internal.check_facts() f
	WHERE f.sort IN ('table', 'view', 'plain view') AND f.only_kind IS NULL
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
	PERFORM vmnet_internal.check_min_age($2, 'Leave it out for 10 minutes; 0 asks for everything.');
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
code, severity (error, warning, info) and their meanings: vmnet.check_codes(). object_type (nic, instance, network; inventory for a guard, and for what differs from the definition of the inventory), object_id and object_uuid say what it is about, since when it has been so as far as the rows tell (NULL: they do not), message what was found, fix the statement that mends it. Several statements in one fix belong into one transaction. fix NULL: no statement can mend it.
In a mirror, and a live inventory, fix is a statement for CloudStack''s MySQL tables, since the mend belongs at the source; only guards, and what differs from the definition, are mended here. Over attached tables rows are mended in these, so fix is NULL but for what the inventory itself consists of, and what needs a column that they lack is not looked for; without a vm_type every NIC counts as User.
inventory NULL: the setting vmnet.inventory. min_age: half_removed_nic and stuck_nic are findings from that age on. Reads only, with the caller''s rights: what a policy hides from the caller is not checked. Constraints and indexes are known by what they are, not by their names; of a view only the names of its columns are looked at.
Errors: 22023 for an unknown inventory, and for a min_age that is NULL, negative or longer than 2000 years.';

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
