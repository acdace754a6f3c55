--
-- What checks say of the source of a mirror or a live inventory
--

-- Of a code whose finding has a cause in the source:
-- reads	columns that a source need not have, as <relation>.<column>, and without
--			which the check would take for a fault what it cannot see.  What a row
--			of checks() says of attached tables holds for sources, too.
-- only_cloudstack	the check is about names that are CloudStack's.
-- reason	why neither a statement nor a call of CloudStack's API mends it, where
--			the query names none; at the end of the message.
-- table of data
CREATE FUNCTION vmnet_internal.check_sources()
RETURNS TABLE (code text, reads text[], only_cloudstack boolean, reason text)
LANGUAGE sql IMMUTABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $$
SELECT s.code, s.reads::text[], s.code = 'unknown_instance_state', s.reason
FROM (VALUES
('half_removed_nic', '{}',
'something may still use the NIC; once its instance is stopped, removeNicFromVirtualMachine ends a NIC that is not its default one'),
('live_nic_on_removed_instance', '{}',
'no call of its API reaches a NIC of a removed instance, and the instance may still run'),
('live_nic_on_removed_network', '{}',
'no call of its API reaches a removed network; the NIC ends with its instance'),
('duplicate_live_mac', '{}',
'no call of its API changes a MAC address; removeNicFromVirtualMachine and addNicToVirtualMachine replace a NIC once its instance can be '
	|| 'without it'),
('duplicate_live_ip4', '{}',
'updateVmNicIp gives another address to a NIC that came later'),
('duplicate_live_ip6', '{}',
'no call of its API changes an IPv6 address; removeNicFromVirtualMachine and addNicToVirtualMachine replace a NIC once its instance can '
	|| 'be without it'),
-- a network migration has one device on two networks, with one MAC address
('duplicate_device_id', '{nics.mac_address}',
'no call of its API changes a device_id; removeNicFromVirtualMachine and addNicToVirtualMachine replace a NIC once its instance can be '
	|| 'without it'),
('user_ip_held_by_other', '{}',
'no call of its API changes an IPv6 address; removeNicFromVirtualMachine and addNicToVirtualMachine replace a NIC once its instance can '
	|| 'be without it'),
('default_nic_double', '{}',
'updateDefaultNicForVirtualMachine refuses a NIC that is the default one already'),
('removed_nic_wrong_state', '{}',
'the row was removed less than a day ago, and may be written to again'),
('stuck_nic', '{}',
'the next stop and start of its instance writes the state again'),
('unknown_state', '{}',
'something may use the NIC, and what it does is not known'),
('default_nic_missing', '{}',
'updateDefaultNicForVirtualMachine refuses an instance without a default NIC; the next NIC that addNicToVirtualMachine adds becomes it'),
-- a NIC counts as one of a user's by its vm_type
('counter_drift', '{nics.vm_type}', NULL),
-- addresses outside cidr are right where it is a part of network_cidr
('ip_outside_cidr', '{networks.network_cidr}',
'no call of its API changes the address of such a NIC; removeIpFromNic ends a secondary address once nothing uses it'),
('duplicate_secondary_ip', '{}',
'removeIpFromNic ends a secondary address once nothing uses it'),
('ip_never_allocated', '{}',
'a NIC has the address, so its row is not to be Free'),
('duplicate_system_ip', '{}',
'a router or system VM that is stopped gets its addresses when it is started again'),
('user_ip_reserved', '{}',
'no call of its API changes the address of such a NIC'),
('router_ip_broadcast', '{}',
'a router gets its addresses anew where restartNetwork with cleanup=true replaces it'),
('address_lost', '{nics.ip4_address,nics.ip6_address,networks.guest_type}', NULL),
('network_stuck', '{}',
'no call of its API leads out of Implementing'),
('unknown_instance_state', '{}',
'what the instance does is not known'),
('ip_free_but_held', '{}',
'no call of its API sets the state of an address; until the NIC ends, the address may be given to another one'),
('ip_held_by_nothing', '{ip_addresses.source_nat,ip_addresses.static_nat,ip_addresses.instance_id,ip_addresses.allocated,nics.ip4_address,'
	'nic_secondary_ips.id,nic_secondary_ips.ip4_address,networks.guest_type}',
'whether something else uses the address, as a load balancer does, is not known here'),
('ip_of_removed_network', '{}',
'no call of its API reaches a removed network')
) s (code, reads, reason)
$$;
COMMENT ON FUNCTION vmnet_internal.check_sources() IS
'Part of check_inventory(): what a check needs of a source, and why nothing mends a finding there';

-- The columns that the views of a live inventory do not read, as nics.uuid.
CREATE FUNCTION vmnet_internal.live_lacks(inventory text, source text)
RETURNS text[]
LANGUAGE sql STABLE PARALLEL RESTRICTED
SET search_path = pg_catalog, pg_temp
AS $$
SELECT coalesce(array_agg(r || '.' || c.target ORDER BY r, c.ord), '{}')
FROM vmnet_internal.import_kind($2) k (kind)
	CROSS JOIN (SELECT i.relation FROM vmnet_internal.import_relations() i) i (r)
	CROSS JOIN LATERAL vmnet_internal.import_columns(k.kind, r) c
WHERE NOT EXISTS (
	SELECT FROM pg_catalog.pg_rewrite w
		JOIN pg_catalog.pg_depend d ON d.classid = w.tableoid AND d.objid = w.oid AND d.refclassid = 'pg_catalog.pg_class'::regclass
		JOIN pg_catalog.pg_class t ON t.oid = d.refobjid
		JOIN pg_catalog.pg_attribute a ON a.attrelid = d.refobjid AND a.attnum = d.refobjsubid
	WHERE w.ev_class = to_regclass(format('%I.%I', $1, 'all_' || r))
		AND t.relname = coalesce(c.from_lookup, vmnet_internal.import_source_table(k.kind, r))
		AND a.attname IN (c.source_column, lower(c.source_column)))
$$;
COMMENT ON FUNCTION vmnet_internal.live_lacks(text, text) IS
'Part of check_inventory(): columns that the source of a live inventory did not have when it was attached';

-- A query of one row: the kind of the source, and the columns that it lacks.
CREATE FUNCTION vmnet_internal.check_source_query(inventory text)
RETURNS text
LANGUAGE sql STABLE PARALLEL RESTRICTED
SET search_path = pg_catalog, pg_temp
AS $$
SELECT CASE
	WHEN f.kind = 'live' OR f.kind = 'mirror' AND NOT EXISTS (
			SELECT FROM pg_catalog.pg_attribute a
			WHERE a.attrelid = to_regclass(format('%I.import_runs', $1)) AND a.attname = 'lacks' AND NOT a.attisdropped)
		THEN format('SELECT %L::text AS kind, %L::text[] AS lacks', vmnet_internal.import_kind(f.source),
			CASE f.kind WHEN 'live' THEN vmnet_internal.live_lacks($1, f.source) ELSE '{}' END)
	WHEN f.kind = 'mirror' THEN 'SELECT coalesce(r.source_kind, ''cloudstack'') AS kind, coalesce(r.lacks, ''{}'') AS lacks'
		' FROM (VALUES (true)) o (one) LEFT JOIN (SELECT r.source_kind, r.lacks FROM {inv}.import_runs r WHERE r.status = ''done'''
		' ORDER BY r.run DESC LIMIT 1) r ON o.one' END
FROM vmnet_internal.inventory_facts($1::name) f
$$;
COMMENT ON FUNCTION vmnet_internal.check_source_query(text) IS
'Part of check_inventory(): the query for the kind of an inventory''s source, and the columns that it lacks
NULL for an inventory that has no source.';

-- How a finding f is shown: its message with what is to be done at the source, and
-- its fix, as expressions.
CREATE FUNCTION vmnet_internal.check_output(kind text, source text, OUT message text, OUT fix text)
LANGUAGE sql IMMUTABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $$
SELECT CASE WHEN $1 IN ('mirror', 'live')
		THEN format('f.message || CASE WHEN f.source_fix IS NOT NULL THEN %L WHEN f.reason IS NOT NULL THEN %L || f.reason ELSE '''' END',
			'; to be mended ' || s.place, '; ' || s.place || ': ')
		ELSE 'f.message' END,
	CASE WHEN $1 IN ('mirror', 'live') THEN 'CASE WHEN f.object_type = ''inventory'' THEN f.fix ELSE f.source_fix END'
		WHEN $1 = 'attached' THEN 'CASE WHEN f.object_type = ''inventory'' THEN f.fix END'
		ELSE 'f.fix' END
FROM (SELECT concat('at the source', ', ' || quote_ident($2))) s (place)
$$;
COMMENT ON FUNCTION vmnet_internal.check_output(text, text) IS
'Part of check_inventory() and create_report(): how the message and the fix of a finding are shown';
