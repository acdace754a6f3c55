--
-- The checks of check_inventory(), one row each
--

-- All that there is to say of a check: check_inventory(), check_codes(), the
-- view findings of reports, repair_inventory() and doc/reference.md are made from
-- these rows.  Findings come in the order of the rows.
--
-- severity	error, warning or info.
-- about	what the code means.
-- repair	which of repair_remedies() repair_inventory() applies, or
-- refusal	why it applies none: exactly one of the two is there.
-- aged		true: the query lists only what is min_age old, which is $1.
-- needs	a table of the inventory that has to be there, or NULL.
-- attached	columns without which there is no such check over attached tables,
--			as <view>.<column>; NULL: there is none at all.
-- query	'{catalog}' where check_guards() finds it in the catalogs, else a query.
--
-- In a query, {inv} is the inventory, quoted; {states} and {passing states} are
-- lists of states (nic_states()); {kept} has relation and id of the rows that a
-- mirror keeps although its source has them no more; $1 is the latest time that is min_age ago, $2
-- the inventory, quoted, for texts, $3 is true in a mirror.  Columns:
-- object_type, object_id, object_uuid, since, message, the statement that mends
-- it here, and what mends it in CloudStack, where that is the source: a statement
-- for its MySQL tables only where nothing but the database knows better (a uuid,
-- a counter, the state of a row that was removed long ago); else the call of its
-- API, as 'CloudStack API: ...'; NULL where there is none.  No call takes an
-- address, a MAC address or a NIC from what may run.  check_sources() says why
-- there is none, and what each check needs of the source.  A message has no
-- age in it, and a time only in UTC: a finding stays accepted as long as its
-- message is the same (accepted_fingerprint()).
--
-- Each reads the NICs once, set-wise; what is looked up row by row is looked
-- up for findings only, through an index.  Two CTEs come before them:  odd_nics,
-- all NICs that a look at the row alone can tell to be a finding, and few others;
-- and odd_addresses, active NICs whose address is a special one of their network
-- (role), or that have none where there should be one (is_without).
-- {import states} is what imports saw of states: relation, id, since.
-- A query that needs reality has three more columns: severity, object as
-- accept_finding() takes it, and observer; observed has the rows of that view.
-- check_keepers() (sql/check/kept.sql) says which checks a unique index keeps from
-- finding anything; check_inventory() does not run these where there is the index.
-- table of data
CREATE FUNCTION vmnet_internal.checks()
RETURNS TABLE (ord int, code text, severity text, about text, repair text, refusal text, aged boolean,
	needs text, attached text[], query text)
LANGUAGE sql IMMUTABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $checks$
SELECT row_number() OVER ()::int, c.code, c.severity, c.about, c.repair, c.refusal, c.aged, c.needs, c.attached::text[], c.query
FROM (VALUES
('inventory_incomplete', 'error',
'a relation that an inventory of this kind consists of is not there, or its rows cannot be checked; nothing else is looked for then',
NULL, 'its owner has to mend it before anything else', false, NULL, '{}', '{catalog}'),

('owner_differs', 'error',
'a relation of the inventory, or its schema, belongs to another role than all_nics; functions and guards refuse to read such a relation',
NULL, 'its owner has to mend it before anything else', false, NULL, '{}', '{catalog}'),

('guard_missing', 'error',
'a guard of the inventory, or of a table that inherits from one of its tables, is not there, fires at other times than it should '
	|| 'or has another argument',
NULL, 'its owner has to mend it before anything else', false, NULL, '{}', '{catalog}'),

('guard_disabled', 'error',
'a guard, or a trigger of a foreign key, is there but disabled',
NULL, 'its owner has to mend it before anything else', false, NULL, '{}', '{catalog}'),

('rule_missing', 'error',
'a constraint or unique index of the inventory''s definition is not there, is not validated, can be deferred or says something else',
NULL, 'its owner has to mend it before anything else', false, NULL, '{}', '{catalog}'),

('index_missing', 'error',
'an index of the inventory''s definition is not there, is invalid or is on something else',
NULL, 'its owner has to mend it before anything else', false, NULL, '{}', '{catalog}'),

('column_differs', 'error',
'a column of the inventory''s definition is not there, has another type or generation expression, or lacks NOT NULL or a default that '
	|| 'numbers the rows or says when and by whom an entry of history was made',
NULL, 'its owner has to mend it before anything else', false, NULL, '{}', '{catalog}'),

('view_differs', 'error',
'a view of the inventory''s definition is not there, lacks columns, does not read a column that decides which rows it shows, has a rule, '
	|| 'or reads with the rights of its owner where it should read with those of its reader',
NULL, 'its owner has to mend it before anything else', false, NULL, '{}', '{catalog}'),

('table_differs', 'error',
'a table of the inventory''s definition is not there, is unlogged, or has a rule, which rewrites what is written to it',
NULL, 'its owner has to mend it before anything else', false, NULL, '{}', '{catalog}'),

('half_removed_nic', 'error',
'NIC held and Deallocating, whatever the case of the letters, for min_age or longer: a removal that stopped half-way',
'remove', NULL, true, NULL, '{}', $$
SELECT 'nic', n.id, n.uuid, n.state_changed,
	format('NIC %s of %s on network %s is half-removed: %s, but not removed%s%s', n.id, n.owner, n.network_id, n.state,
		'; its address ' || host(coalesce(n.ip4_address, n.ip6_address)) || ' may still be in use', n.when_seen),
	format('UPDATE %s.all_nics SET removed = now() WHERE id = %s AND removed IS NULL;', $2, n.id),
	CASE WHEN i.type = 'User' AND i.state IN ('Expunging', 'Error') AND i.removed IS NULL
			THEN 'CloudStack API: expungeVirtualMachine id=' || i.uuid
		WHEN i.state = 'Stopped' AND i.removed IS NULL AND n.vm_type = 'User' AND NOT n.default_nic
			THEN 'CloudStack API: removeNicFromVirtualMachine virtualmachineid=' || i.uuid || ' nicid=' || n.uuid END
FROM odd_nics n
	LEFT JOIN {inv}.all_instances i ON i.id = n.instance_id
WHERE n.removed IS NULL AND NOT n.active
	-- attached tables may not tell since when
	AND coalesce(n.state_changed, '-infinity') <= $1$$),

('live_nic_on_removed_instance', 'error',
'NIC held although its instance is removed; an active one of a removed instance that is Expunging may have been preserved: CloudStack '
	|| 'leaves the NICs of an instance that it unmanages, where unmanage.vm.preserve.nics is true, to keep their MAC addresses taken',
'remove', NULL, false, NULL, '{}', $$
SELECT 'nic', n.id, n.uuid, i.removed,
	format('NIC %s on network %s is held%s, but its instance %s has been removed%s', n.id, n.network_id, ' (' || n.state || ')', i.id,
		CASE WHEN $3 AND n.active AND i.state = 'Expunging'
			THEN concat('; it was preserved on purpose if that was unmanaged', ', to keep MAC address ' || n.mac_address || ' taken') END),
	format('UPDATE %s.all_nics SET state = ''Deallocating'', removed = now() WHERE id = %s AND removed IS NULL;', $2, n.id), NULL::text
FROM {inv}.all_nics n
	JOIN {inv}.all_instances i ON i.id = n.instance_id
WHERE n.removed IS NULL AND (n.active OR NOT n.active) AND i.removed IS NOT NULL$$),

('live_nic_on_removed_network', 'error',
'NIC held although its network is removed',
NULL, 'something may still use its address', false, NULL, '{}', $$
SELECT 'nic', n.id, n.uuid, w.removed,
	format('NIC %s of %s is held%s, but its network %s has been removed', n.id,
		coalesce('instance ' || n.instance_id, 'no instance'), ' (' || n.state || ')', w.id),
	format('UPDATE %s.all_nics SET state = ''Deallocating'', removed = now() WHERE id = %s AND removed IS NULL;', $2, n.id),
	(SELECT 'CloudStack API: expungeVirtualMachine id=' || i.uuid FROM {inv}.all_instances i
		WHERE i.id = n.instance_id AND i.removed IS NULL AND i.type = 'User' AND i.state IN ('Expunging', 'Error'))
FROM {inv}.all_nics n
	JOIN {inv}.all_networks w ON w.id = n.network_id
WHERE n.removed IS NULL AND (n.active OR NOT n.active) AND w.removed IS NOT NULL$$),

-- the first of those that share an address keeps it
('duplicate_live_mac', 'error',
'active User NIC with the MAC address of another one on the same network',
NULL, 'something may still use its address', false, NULL, '{}',
vmnet_internal.check_duplicates('mac_address', 'MAC address', '%s::text',
	$$(''02'' || left(md5(id::text || mac_address::text), 10))::macaddr$$, 'NULL::text')),

('duplicate_live_ip4', 'error',
'active User NIC with the IPv4 address of another one on the same network',
NULL, 'something may still use its address', false, NULL, '{}',
vmnet_internal.check_duplicates('ip4_address', 'address', 'host(%s)', 'NULL',
	$$CASE WHEN n.id <> g.first THEN 'CloudStack API: updateVmNicIp nicid=' || n.uuid END$$)),

('duplicate_live_ip6', 'error',
'active User NIC with the IPv6 address of another one on the same network',
NULL, 'something may still use its address', false, NULL, '{}',
vmnet_internal.check_duplicates('ip6_address', 'address', 'host(%s)', 'NULL', 'NULL::text')),

('duplicate_device_id', 'error',
'active User NIC with the device_id of another one of the same instance; not where one device moves from network to '
	|| 'network, with its MAC address, in a network migration',
NULL, 'something may still use its address', false, NULL, '{}', $$
SELECT 'nic', f.id, f.uuid, f.since,
	format('NIC %s of instance %s has device_id %s, which its NIC %s has too', f.id, f.instance_id, f.device_id, f.other),
	format('UPDATE %s.all_nics SET device_id = %s WHERE id = %s AND device_id = %s;', $2, f.free, f.mended, f.device_id), NULL::text
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
			FROM generate_series(0::bigint, (
				SELECT 2 * count(*) FROM {inv}.all_nics o WHERE o.instance_id = n.instance_id AND o.active)) s (free)
			WHERE NOT EXISTS (SELECT FROM {inv}.all_nics o WHERE o.instance_id = n.instance_id AND o.active AND o.device_id = s.free)
			ORDER BY s.free
			OFFSET (SELECT count(*) FROM {inv}.all_nics o WHERE o.instance_id = n.instance_id AND o.active
				AND o.id < CASE WHEN n.id = g.first THEN g.last ELSE n.id END)
			LIMIT 1) x
	WHERE EXISTS (
		SELECT FROM {inv}.all_nics o
		WHERE o.instance_id = n.instance_id AND o.device_id = n.device_id AND o.active AND o.vm_type = 'User' AND o.id <> n.id
			AND (o.mac_address = n.mac_address AND o.network_id <> n.network_id) IS NOT TRUE)) f$$),

-- routers and placeholders are few, and may share an address among themselves
('user_ip_held_by_other', 'error',
'active User NIC with an address that a router or a placeholder holds on the same network',
NULL, 'something may still use its address', false, NULL, '{}',
vmnet_internal.check_held_by_other('ip4_address', $$'CloudStack API: updateVmNicIp nicid=' || n.uuid$$)
	|| ' UNION ALL ' || vmnet_internal.check_held_by_other('ip6_address', 'NULL::text')),

('duplicate_secondary_ip', 'error',
'active NIC with a secondary address that an active NIC of the same network has as its own, or another one as a secondary one',
NULL, 'something may still use its address', false, NULL, NULL,
vmnet_internal.check_secondary('ip4_address', 'ip6_address') || ' UNION ALL '
	|| vmnet_internal.check_secondary('ip6_address', 'ip4_address')),

-- redundant routers share an address with their MAC; link-local addresses are
-- those of a host
('duplicate_system_ip', 'error',
'active NICs of different system instances (routers, system VMs) with one address and different MAC addresses on one network that is not '
	|| 'for control; redundant routers share the MAC address, too',
NULL, 'something may still use its address', false, NULL, '{}', $$
SELECT 'nic', n.id, n.uuid, g.since,
	format('%s NIC %s of instance %s has address %s on network %s, which NIC %s has too, with another MAC address', n.vm_type, n.id,
		n.instance_id, host(n.ip4_address), n.network_id, CASE WHEN n.id = g.first THEN g.last ELSE g.first END),
	NULL::text, NULL::text
FROM (
	SELECT network_id, ip4_address, min(id) AS first, max(id) AS last, max(created) AS since
	FROM {inv}.all_nics
	WHERE active AND vm_type <> 'User' AND instance_id IS NOT NULL AND ip4_address IS NOT NULL
	GROUP BY network_id, ip4_address
	HAVING count(DISTINCT mac_address) > 1 AND min(instance_id) <> max(instance_id)) g
	JOIN {inv}.all_networks w ON w.id = g.network_id AND w.traffic_type IS DISTINCT FROM 'Control'
	JOIN {inv}.all_nics n ON n.network_id = g.network_id AND n.ip4_address = g.ip4_address AND n.active AND n.vm_type <> 'User'
		AND n.instance_id IS NOT NULL
WHERE NOT n.ip4_address <<= '169.254.0.0/16'$$),

('default_nic_double', 'error',
'instance, not removed, with two or more active default NICs',
'default', NULL, false, NULL, '{}', $$
SELECT 'instance', i.id, i.uuid, g.since,
	format('instance %s has %s active default NICs; NIC %s comes first', i.id, g.defaults, k.id),
	format('UPDATE %s.all_nics SET default_nic = false WHERE instance_id = %s AND active AND default_nic AND id <> %s;', $2, i.id, k.id),
	NULL::text
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

-- What is missing at the end can be added; what is missing before that cannot,
-- nor is there anything to add to in the source of a mirror.
('history_chain_broken', 'error',
'NIC whose history has a gap: a state is not the one that the entry before it left, or, in a managed inventory, the '
	|| 'last one is not the NIC''s',
NULL, 'history that is missing cannot be restored', false, 'nic_history', '{}', $$
SELECT DISTINCT ON (h.nic_id) 'nic', h.nic_id, n.uuid, h.at,
	CASE WHEN h.is_gap THEN format('history of NIC %s has a gap: entry %s starts from %s, the one before it left %s',
			h.nic_id, h.seq, h.from_state, h.before)
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
('removed_nic_wrong_state', 'warning',
'NIC removed, but its state is not Deallocating, whatever the case of the letters',
NULL, 'the guards do not let its state change', false, NULL, NULL, $$
SELECT 'nic', n.id, n.uuid, n.removed,
	format('NIC %s of %s on network %s is removed, but its state is %s', n.id, n.owner, n.network_id, n.state),
	CASE WHEN NOT $3 THEN vmnet_internal.check_past_guards($2, n.id, format(
		'UPDATE %s.all_nics SET state = ''Deallocating'', state_changed = removed WHERE id = %s AND removed IS NOT NULL;', $2, n.id)) END,
	CASE WHEN n.removed < now() - interval '1 day'
		THEN format('UPDATE nics SET state = ''Deallocating'' WHERE id = %s AND removed IS NOT NULL;', n.id) END
FROM odd_nics n
WHERE n.removed IS NOT NULL AND lower(n.state COLLATE "C") <> 'deallocating'$$),

-- what did not finish is undone: back to the state before
('stuck_nic', 'warning',
'NIC held and in Reserving or Releasing, exactly spelled, for min_age or longer',
NULL, 'something may still use its address', true, NULL, '{}', $$
SELECT 'nic', n.id, n.uuid, n.state_changed,
	format('NIC %s of %s on network %s is stuck in %s%s', n.id, n.owner, n.network_id, n.state, n.when_seen),
	CASE WHEN n.strategy = 'Start' THEN u.statement WHEN NOT $3 THEN vmnet_internal.check_past_guards($2, n.id, u.statement) END,
	(SELECT 'CloudStack API: expungeVirtualMachine id=' || i.uuid FROM {inv}.all_instances i
		WHERE i.id = n.instance_id AND i.removed IS NULL AND i.type = 'User' AND i.state IN ('Expunging', 'Error'))
FROM odd_nics n
	CROSS JOIN LATERAL (SELECT CASE n.state WHEN 'Reserving' THEN 'Allocated' ELSE 'Reserved' END) b (state)
	CROSS JOIN LATERAL (SELECT format('UPDATE %s.all_nics SET state = %L WHERE id = %s AND state = %L AND removed IS NULL;',
		$2, b.state, n.id, n.state)) u (statement)
WHERE n.removed IS NULL AND n.state IN ({passing states}) AND n.state_changed <= $1$$),

-- the state that was probably meant; if unknown, one that keeps the address
('unknown_state', 'warning',
'NIC, removed or not, whose state is not exactly one of the five',
NULL, 'the guards do not let its state change', false, NULL, '{nics.state}', $$
SELECT 'nic', n.id, n.uuid, n.state_changed,
	format('NIC %s of %s on network %s%s has an unknown state: %s%s', n.id, n.owner, n.network_id,
		CASE WHEN n.removed IS NOT NULL THEN ', removed,' ELSE '' END, quote_nullable(n.state), n.when_seen),
	CASE WHEN NOT $3 THEN vmnet_internal.check_past_guards($2, n.id, format(
		'UPDATE %s.all_nics SET state = %L WHERE id = %s AND state = %L;', $2, m.state, n.id, n.state)) END,
	-- Unknown is what a state that is NULL at the source is called here
	CASE WHEN n.removed < now() - interval '1 day'
		THEN format('UPDATE nics SET state = %L WHERE id = %s AND removed IS NOT NULL AND %s = %s;', m.state, n.id,
			CASE n.state WHEN 'Unknown' THEN 'COALESCE(state, ''Unknown'')' ELSE 'state' END,
			'''' || replace(replace(n.state, '\', '\\'), '''', '''''') || '''') END
FROM odd_nics n
	CROSS JOIN LATERAL (SELECT CASE
		WHEN n.removed IS NOT NULL THEN 'Deallocating'
		WHEN initcap(n.state COLLATE "C") IN ({states}) THEN initcap(n.state)
		WHEN n.ip4_address IS NOT NULL OR n.ip6_address IS NOT NULL THEN 'Reserved'
		ELSE 'Allocated' END) m (state)
WHERE (n.state IN ({states})) IS NOT TRUE$$),

('default_nic_missing', 'warning',
'instance, not removed, with active NICs but no default one',
NULL, 'the owner has to choose the default NIC', false, NULL, '{nics.default_nic}', $$
SELECT 'instance', i.id, i.uuid, NULL::timestamptz,
	format('instance %s has %s and no default NIC; NIC %s comes first', i.id,
		CASE g.nics WHEN 1 THEN '1 active NIC' ELSE format('%s active NICs', g.nics) END, k.id),
	format('UPDATE %s.all_nics SET default_nic = true WHERE id = %s AND active;', $2, k.id),
	NULL::text
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

-- in a managed inventory this counter is not maintained, so it is set to NULL
('counter_drift', 'warning',
'network, removed or not, whose nics_count is not the number of its held User NICs in exactly Reserved',
NULL, 'the counter belongs to another system', false, NULL, '{}', $$
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

('ip_outside_cidr', 'warning',
'active NIC whose IPv4 address, its own or a secondary one, is outside the network''s network_cidr, or its cidr where it has none, and '
	|| 'outside its all_cidrs and ip_ranges',
NULL, 'something may still use its address', false, NULL, '{}', $$
SELECT 'nic', n.id, n.uuid, NULL::timestamptz,
	format('NIC %s of %s has address %s, which is outside %s of network %s', n.id,
		coalesce('instance ' || n.instance_id, 'no instance'), host(n.ip4_address), concat_ws(', ', coalesce(w.network_cidr, w.cidr),
			(SELECT string_agg(c::text, ', ') FROM unnest(w.all_cidrs) c WHERE family(c) = 4 AND c <> w.cidr)), w.id),
	format('UPDATE %s.all_nics SET ip4_address = NULL WHERE id = %s AND ip4_address = %L;', $2, n.id, host(n.ip4_address)),
	CASE WHEN n.vm_type = 'User' AND w.guest_type <> 'L2' THEN 'CloudStack API: updateVmNicIp nicid=' || n.uuid END
FROM {inv}.all_nics n
	JOIN {inv}.all_networks w ON w.id = n.network_id
WHERE n.active AND NOT n.ip4_address <<= coalesce(w.network_cidr, w.cidr)
	AND $$ || vmnet_internal.address_in_network('n.ip4_address', 'w') || $$ IS NOT TRUE
UNION ALL
SELECT 'nic', n.id, n.uuid, NULL,
	format('NIC %s of %s has secondary address %s, which is outside %s of network %s', n.id,
		coalesce('instance ' || n.instance_id, 'no instance'), host(s.ip4_address), coalesce(w.network_cidr, w.cidr), w.id),
	format('UPDATE %s.all_nic_secondary_ips SET removed = now() WHERE id = %s AND ip4_address = %L AND active;', $2, s.id,
		host(s.ip4_address)), NULL::text
FROM {inv}.all_nic_secondary_ips s
	JOIN {inv}.all_nics n ON n.id = s.nic_id
	JOIN {inv}.all_networks w ON w.id = s.network_id
WHERE s.active AND n.active AND NOT s.ip4_address <<= coalesce(w.network_cidr, w.cidr)
	AND $$ || vmnet_internal.address_in_network('s.ip4_address', 'w') || $$ IS NOT TRUE$$),

-- In a managed inventory state says what may be given, and NICs who has an address.
('ip_free_but_held', 'warning',
'address of a network that is Free though an active NIC of the network has it, also as a secondary one, for min_age or longer as far as '
	|| 'the NIC tells; not in a managed inventory',
NULL, 'something may still use its address', true, NULL, NULL, $$
SELECT 'address', a.id, a.uuid, h.since,
	format('address %s of network %s is Free, but NIC %s has it', host(a.ip_address), a.source_network_id, h.nic_id), NULL::text, NULL::text
FROM (
	SELECT x.id, min(x.nic_id) AS nic_id, min(x.since) AS since
	FROM (
		SELECT a.id, n.id, n.state_changed
		FROM {inv}.all_ip_addresses a
			JOIN {inv}.all_nics n ON n.network_id = a.source_network_id AND n.ip4_address = a.ip_address
		WHERE $3 AND a.active AND a.state = 'Free' AND n.active
		UNION ALL
		SELECT a.id, n.id, s.created
		FROM {inv}.all_ip_addresses a
			JOIN {inv}.all_nic_secondary_ips s ON s.network_id = a.source_network_id AND s.ip4_address = a.ip_address
			JOIN {inv}.all_nics n ON n.id = s.nic_id
		WHERE $3 AND a.active AND a.state = 'Free' AND s.active AND n.active) x (id, nic_id, since)
	GROUP BY x.id) h
	JOIN {inv}.all_ip_addresses a ON a.id = h.id
WHERE h.since <= $1$$),

-- A public address can be that of a load balancer or of a VPN, which no table here
-- tells; so can that of a Shared network with such services.
('ip_held_by_nothing', 'info',
'address of a Shared network that is Allocated, for min_age or longer, though no NIC that is held has it, nor has one as a secondary '
	|| 'address, and no NAT is known: it is lost to the network, unless it serves a load balancer there; not in a managed inventory',
NULL, 'something may still use its address', true, NULL, NULL, $$
SELECT 'address', a.id, a.uuid, a.allocated,
	format('address %s of network %s is Allocated, but nothing is known to have it', host(a.ip_address), w.id), NULL::text, NULL::text
FROM {inv}.all_ip_addresses a
	JOIN {inv}.all_networks w ON w.id = a.source_network_id
WHERE $3 AND a.active AND a.state = 'Allocated' AND a.allocated <= $1 AND NOT a.source_nat AND NOT a.static_nat AND a.instance_id IS NULL
	AND w.active AND w.guest_type = 'Shared' AND family(a.ip_address) = 4
	-- the source was not read at one moment
	AND NOT EXISTS (SELECT FROM {inv}.all_nics n
		WHERE n.network_id = w.id AND n.ip4_address = a.ip_address AND (n.removed IS NULL OR n.removed > $1))
	AND NOT EXISTS (SELECT FROM {inv}.all_nic_secondary_ips s WHERE s.network_id = w.id AND s.ip4_address = a.ip_address AND s.active)$$),

('ip_of_removed_network', 'warning',
'address that is not removed and not Free although the network that gives it is removed',
NULL, 'something may still use its address', false, NULL, NULL, $$
SELECT 'address', a.id, a.uuid, w.removed,
	format('address %s is %s, but its network %s has been removed', host(a.ip_address), a.state, w.id), NULL::text, NULL::text
FROM {inv}.all_ip_addresses a
	JOIN {inv}.all_networks w ON w.id = a.source_network_id
WHERE a.active AND a.state NOT IN ('Free', 'Unknown') AND w.removed IS NOT NULL$$),

-- nothing but this row keeps CloudStack from giving the address
('ip_never_allocated', 'warning',
'address of a network that is neither Free nor allocated at any time, so that CloudStack fails to give an address (CloudStack issue 7109); '
	|| 'not in a managed inventory',
NULL, 'something may still use its address', false, NULL, NULL, $$
SELECT 'address', a.id, a.uuid, a.created,
	format('address %s of network %s is %s, but was allocated at no time%s', host(a.ip_address), a.source_network_id, a.state,
		'; NIC ' || h.nic_id || ' has it'), NULL::text,
	CASE WHEN h.nic_id IS NULL
		THEN format('UPDATE user_ip_address SET state = ''Free'' WHERE id = %s AND state = %L AND allocated IS NULL;', a.id, a.state) END
FROM {inv}.all_ip_addresses a
	CROSS JOIN LATERAL (SELECT min(x.nic_id) FROM (
		SELECT n.id FROM {inv}.all_nics n
		WHERE n.network_id = a.source_network_id AND n.ip4_address = a.ip_address AND n.removed IS NULL
		UNION ALL
		SELECT s.nic_id FROM {inv}.all_nic_secondary_ips s
		WHERE s.network_id = a.source_network_id AND s.ip4_address = a.ip_address AND s.active) x (nic_id)) h (nic_id)
WHERE $3 AND a.active AND a.state NOT IN ('Free', 'Unknown') AND a.allocated IS NULL
	-- a source need not have the column
	AND EXISTS (SELECT FROM {inv}.all_ip_addresses o WHERE o.allocated IS NOT NULL)$$),

('user_ip_reserved', 'warning',
'active User NIC with the gateway, the network address or the broadcast address of its network, by its netmask or the network''s range',
NULL, 'something may still use its address', false, NULL, '{nics.vm_type}', $$
SELECT 'nic', n.id, n.uuid, n.created,
	format('NIC %s of instance %s has address %s, which is the %s of network %s', n.id, n.instance_id, host(n.ip4_address), n.role,
		n.network_id),
	format('UPDATE %s.all_nics SET ip4_address = NULL WHERE id = %s AND ip4_address = %L;', $2, n.id, host(n.ip4_address)),
	CASE WHEN n.guest_type <> 'L2' THEN 'CloudStack API: updateVmNicIp nicid=' || n.uuid END
FROM odd_addresses n
WHERE n.role IS NOT NULL AND n.vm_type = 'User' AND n.instance_id IS NOT NULL$$),

('router_ip_broadcast', 'warning',
'active NIC of a router with the broadcast address of its network (CloudStack issue 1188)',
NULL, 'something may still use its address', false, NULL, '{}', $$
SELECT 'nic', n.id, n.uuid, n.created,
	format('NIC %s of router %s has address %s, which is the %s of network %s', n.id, n.instance_id, host(n.ip4_address), n.role,
		n.network_id),
	NULL::text, NULL::text
FROM odd_addresses n
WHERE n.role = 'broadcast address' AND n.vm_type = 'DomainRouter' AND n.instance_id IS NOT NULL$$),

-- where a mirror has no history yet, nothing tells a NIC that never had an address
('address_lost', 'warning',
'User NIC in Reserved without an address, of an instance that is Running, on a network with a range that is not L2 (CloudStack issue '
	|| '10640); in a managed inventory only where history has an address of the NIC',
NULL, 'the owner has to choose the address', false, NULL, NULL, $$
SELECT 'nic', n.id, n.uuid, h.until,
	format('NIC %s of instance %s, which is Running, has no address on network %s%s', n.id, n.instance_id, n.network_id,
		'; before it had ' || host(h.address)),
	NULL::text, 'CloudStack API: updateVmNicIp nicid=' || n.uuid
FROM odd_addresses n
	JOIN {inv}.all_instances i ON i.id = n.instance_id AND i.removed IS NULL AND i.state = 'Running'
	LEFT JOIN LATERAL (
		SELECT h.until, coalesce(h.ip4_address, h.ip6_address) AS address FROM {inv}.nic_address_history h
		WHERE h.nic_id = n.id AND coalesce(h.ip4_address, h.ip6_address) IS NOT NULL
		ORDER BY h.until DESC
		LIMIT 1) h ON true
WHERE n.is_without AND ($3 OR h.until IS NOT NULL)$$),

-- since when is known where an import saw it; a managed inventory does not know
('expunge_unfinished', 'warning',
'instance that has been Expunging or Error for min_age or longer and still holds NICs, in a mirror or a live inventory',
NULL, 'something may still use its addresses', true, NULL, NULL, $$
SELECT 'instance', i.id, i.uuid, coalesce(t.since, i.created),
	format('instance %s is %s and still holds %s; the time is the %s it can be', i.id, i.state,
		CASE g.nics WHEN 1 THEN 'NIC ' || g.first ELSE g.nics || ' NICs, from NIC ' || g.first || ' on' END,
		CASE WHEN t.since IS NULL THEN 'earliest' ELSE 'latest' END),
	NULL::text, format('CloudStack API: %s id=',
		CASE i.type WHEN 'User' THEN 'expungeVirtualMachine' WHEN 'DomainRouter' THEN 'destroyRouter' ELSE 'destroySystemVm' END) || i.uuid
FROM {inv}.all_instances i
	LEFT JOIN {import states} t ON t.relation = 'instances' AND t.id = i.id AND t.since >= i.created
	CROSS JOIN LATERAL (SELECT count(*) AS nics, min(n.id) AS first FROM {inv}.all_nics n
		WHERE n.instance_id = i.id AND n.removed IS NULL) g
WHERE $3 AND i.removed IS NULL AND i.state IN ('Expunging', 'Error') AND g.nics > 0 AND coalesce(t.since, i.created) <= $1$$),

('network_stuck', 'warning',
'network, not removed, that has been Implementing for min_age or longer, in a mirror or a live inventory (CloudStack issue 12249)',
NULL, 'its owner has to mend it before anything else', true, NULL, NULL, $$
SELECT 'network', w.id, w.uuid, coalesce(t.since, w.created),
	format('network %s is stuck in Implementing; the time is the %s it can be', w.id,
		CASE WHEN t.since IS NULL THEN 'earliest' ELSE 'latest' END),
	NULL::text, NULL::text
FROM {inv}.all_networks w
	LEFT JOIN {import states} t ON t.relation = 'networks' AND t.id = w.id AND t.since >= w.created
WHERE $3 AND w.removed IS NULL AND w.state = 'Implementing' AND coalesce(t.since, w.created) <= $1$$),

-- the one that was probably meant
('unknown_instance_state', 'warning',
'instance, not removed, whose state is not exactly one of CloudStack''s: what asks for Running instances does not find it',
NULL, 'only its owner knows what the instance does', false, NULL, NULL, $$
SELECT 'instance', i.id, i.uuid, NULL::timestamptz, format('instance %s has an unknown state: %s', i.id, quote_nullable(i.state)),
	CASE WHEN k.state IS NOT NULL
		THEN format('UPDATE %s.all_instances SET state = %L WHERE id = %s AND state = %L;', $2, k.state, i.id, i.state) END, NULL::text
FROM (VALUES ('{Starting,Running,Stopping,Stopped,Destroyed,Expunging,Migrating,Error,Unknown,Shutdown,Restoring}'::text[])) s (states)
	JOIN {inv}.all_instances i ON i.removed IS NULL AND (i.state = ANY (s.states)) IS NOT TRUE
	LEFT JOIN LATERAL (SELECT u FROM unnest(s.states) u WHERE lower(u) = lower(i.state COLLATE "C")) k (state) ON true$$),

-- what came first cannot be told to be wrong, nor what came after it
('id_reused', 'warning',
'network, instance or NIC whose id was that of another one before, as an import saw; the former one is in former_rows',
NULL, 'both are as the source had them', false, 'former_rows', NULL, $$
SELECT o.type, r.id, CASE o.type
		WHEN 'network' THEN (SELECT w.uuid FROM {inv}.all_networks w WHERE w.id = r.id)
		WHEN 'instance' THEN (SELECT i.uuid FROM {inv}.all_instances i WHERE i.id = r.id)
		ELSE (SELECT n.uuid FROM {inv}.all_nics n WHERE n.id = r.id) END, r.until,
	format('%s %s was another one before: created %s UTC%s', o.name, r.id, to_char(r.created AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI:SS'),
		', uuid ' || r.uuid), NULL::text, NULL::text
FROM {inv}.former_rows r
	JOIN (VALUES ('networks', 'network', 'network'), ('instances', 'instance', 'instance'), ('nics', 'nic', 'NIC')) o (relation, type, name)
		ON o.relation = r.relation
WHERE r.reused$$),

('missing_uuid', 'info',
'NIC, instance or network without a uuid; in a mirror not where the source has no such row any more',
'uuid', NULL, false, NULL, '{nics.uuid,networks.uuid,instances.uuid}', $$
SELECT m.type, m.id, NULL::uuid, m.created, format('%s %s has no uuid', m.name, m.id),
	format('UPDATE %s.%s SET uuid = DEFAULT WHERE id = %s AND uuid IS NULL;', $2, m.here, m.id),
	format('UPDATE %s SET uuid = UUID() WHERE id = %s AND uuid IS NULL;', m.there, m.id)
FROM (
	SELECT 'nic', 'NIC', 'all_nics', 'nics', id, created FROM odd_nics WHERE uuid IS NULL
	UNION ALL
	SELECT 'instance', 'instance', 'all_instances', 'vm_instance', id, created FROM {inv}.all_instances WHERE uuid IS NULL
	UNION ALL
	SELECT 'network', 'network', 'all_networks', 'networks', id, created FROM {inv}.all_networks WHERE uuid IS NULL)
	m (type, name, here, there, id, created)
WHERE NOT EXISTS (SELECT FROM {kept} k WHERE k.id = m.id AND k.relation = m.type || 's')$$),

('nic_parent_missing', 'error',
'NIC held although there is no such network or instance; in attached tables without foreign keys',
NULL, 'something may still use its address', false, 'attached_nics', '{}', $$
SELECT 'nic', n.id, n.uuid, NULL::timestamptz,
	concat('NIC ', n.id, ' is held', ' (' || n.state || ')', ', but its ', p.what, ' ', p.key, ' does not exist'), NULL, NULL
FROM {inv}.all_nics n
	JOIN {inv}.attached_nics k ON k.id = n.id
	CROSS JOIN LATERAL (VALUES
		('network', k.network_key::text, EXISTS (SELECT FROM {inv}.all_networks w WHERE w.id = n.network_id)),
		('instance', k.instance_key::text, EXISTS (SELECT FROM {inv}.all_instances i WHERE i.id = n.instance_id))) p (what, key, is_there)
WHERE n.removed IS NULL AND p.key IS NOT NULL AND NOT p.is_there$$),

-- What was observed, and is not as the inventory says: the rows of the view reality.
-- Their own severity counts, which is at most that of the code.
('observed_but_removed', 'error',
'a MAC address was seen after its NIC was removed or became Deallocating, and no active NIC has it: what it belongs to may still run, and'
	|| ' use its address; remedy: end the domain on that host, or accept the finding',
NULL, 'it is mended where it was seen', false, 'reality', '{}', vmnet_internal.check_reality('observed_but_removed')),

('address_given_again', 'error',
'an address that a removed NIC had, or that was seen with a MAC address which no active NIC has, is that of an active NIC on the same '
	|| 'network, so two may answer for it; remedy: end the domain that was seen, before anything else',
NULL, 'it is mended where it was seen', false, 'reality', '{}', vmnet_internal.check_reality('address_given_again')),

('observed_unknown', 'error',
'a MAC address was seen that no NIC has or had; an error only on a segment that is a network, or by an observer that sees domains; '
	|| 'remedy: find out what it is and end it, or accept the finding',
NULL, 'it is mended where it was seen', false, 'reality', '{}', vmnet_internal.check_reality('observed_unknown')),

('seen_on_other_network', 'error',
'the MAC address of an active NIC was seen on a segment that is another network (segments), where no active NIC has it; remedy: connect '
	|| 'it to its own network, or correct segments',
NULL, 'it is mended where it was seen', false, 'reality', '{}', vmnet_internal.check_reality('seen_on_other_network')),

('seen_with_other_address', 'error',
'the MAC address of an active User NIC was seen with an address that the NIC does not have, though it has one of that family; remedy: '
	|| 'correct the address in the instance, or accept a floating one',
NULL, 'it is mended where it was seen', false, 'reality', '{}', vmnet_internal.check_reality('seen_with_other_address')),

('two_macs_one_ip', 'error',
'an address was seen with two MAC addresses on one network, by others than servers of leases; remedy: end the one that the inventory '
	|| 'does not have, or accept an address that moves between them',
NULL, 'it is mended where it was seen', false, 'reality', '{}', vmnet_internal.check_reality('two_macs_one_ip')),

('lease_of_removed', 'error',
'a server of leases keeps the address of a NIC that was removed or became Deallocating; the next one may get no address; remedy: '
	|| 'delete the lease there',
NULL, 'it is mended where it was seen', false, 'reality', '{}', vmnet_internal.check_reality('lease_of_removed')),

('seen_on_other_host', 'error',
'the MAC address of a Running instance was seen by an observer of domains on another host than the one that the inventory names; '
	|| 'remedy: look whether it runs twice, and end the one that should not',
NULL, 'it is mended where it was seen', false, 'reality', '{}', vmnet_internal.check_reality('seen_on_other_host')),

('live_but_unseen', 'error',
'no observer sees the MAC address of an active NIC of a Running instance, though every observer of its zone has sent a complete picture '
	|| 'within its interval and after the last change of the NIC; remedy: start the instance, or stop it in the inventory',
NULL, 'it is mended where it was seen', false, 'reality', '{}', vmnet_internal.check_reality('live_but_unseen')),

('observer_silent', 'error',
'an observer has sent no picture for longer than its interval; an error after three intervals; nothing that it saw is fresh; remedy: '
	|| 'repair its collector, or delete its row of observers',
NULL, 'it is mended where it was seen', false, 'reality', '{}', vmnet_internal.check_reality('observer_silent')),

('listed_but_not_on_network', 'error',
'the cloud''s own API lists an instance on a network where it has no active NIC (CloudStack issue 10188); remedy: upgrade the cloud; '
	|| 'until then, do not rely on its listings',
NULL, 'it is mended where it was seen', false, 'reality', '{}', vmnet_internal.check_reality('listed_but_not_on_network')),

('on_network_but_not_listed', 'error',
'a User instance has an active NIC on a network, and the cloud''s own API, which lists others there, does not list it; remedy: look '
	|| 'at the NIC in the database of the cloud',
NULL, 'it is mended where it was seen', false, 'reality', '{}', vmnet_internal.check_reality('on_network_but_not_listed'))
) AS c (code, severity, about, repair, refusal, aged, needs, attached, query)
$checks$;
COMMENT ON FUNCTION vmnet_internal.checks() IS
'Part of check_inventory(): every check, with its severity, meaning, repair and query
One row per code; nothing else has to be changed for a new one.';

CREATE FUNCTION vmnet.check_codes()
RETURNS TABLE (ord int, code text, severity text, about text)
LANGUAGE sql IMMUTABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $$ SELECT c.ord, c.code, c.severity, c.about FROM vmnet_internal.checks() c $$;
COMMENT ON FUNCTION vmnet.check_codes() IS
'Codes of the findings of check_inventory(), with their severities and what they mean
ord is the order in which check_inventory() has them.';
