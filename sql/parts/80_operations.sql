--
-- Operations on a managed inventory: what an operator does to NICs, instances
-- and networks, each in one step that is refused as a whole or done as a whole.
-- They run with the rights that src/core/entry.c has switched to, and do nothing that
-- these could not do by hand, but for what address_check.sql answers.
--
-- Locks are taken in one order everywhere, which is that of the guards:
-- network, then instance, then NICs by id.  So no two operations can wait for
-- each other.
--
-- A lock tells a transaction that keeps one snapshot (REPEATABLE READ) only to
-- wait, not that what it sees is out of date.  So whoever changes what others
-- decide by, which NICs an instance has or which addresses of a network are
-- taken, also writes the locked row, unchanged.  Then such a transaction fails
-- with 40001 and is tried again, instead of choosing what is taken.
--

-- Refuses, with all that a refusal has to say.  The checks below return true or
-- do not return.  They are called by assignment, which adds one line to the
-- CONTEXT that a user sees; PERFORM would add the whole statement.
CREATE FUNCTION vmnet_internal.operation_refuse(state text, inventory name, relation name, rule name,
	message text, detail text, hint text)
RETURNS boolean
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	RAISE EXCEPTION USING
		ERRCODE = state, SCHEMA = inventory, TABLE = relation, CONSTRAINT = coalesce(rule, ''),
		MESSAGE = message, DETAIL = detail, HINT = hint;
END
$$;
COMMENT ON FUNCTION vmnet_internal.operation_refuse(text, name, name, name, text, text, text) IS
'Part of the operations: raises an error with SQLSTATE, schema, table, constraint, DETAIL and HINT';

-- The inventory that a call means; an error if it is not one to operate on.
CREATE FUNCTION vmnet_internal.operation_inventory(inventory name, relation name)
RETURNS name
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	ok boolean;
	resolved name;
	kind text;
	source text;
BEGIN
	resolved := vmnet_internal.resolve_inventory(inventory);
	SELECT l.kind, coalesce('"' || l.source || '"', 'the system that it mirrors') INTO kind, source
	FROM vmnet_internal.inventory_facts(resolved) l;

	IF kind = 'mirror' THEN
		ok := vmnet_internal.operation_refuse('42501', resolved, relation, 'mirror_read_only',
			format('cannot operate on inventory "%s": it is a mirror', resolved),
			format('It holds what %s holds; only the import writes to it.', source),
			format('Make the change at the source, %s, and run vmnet.import_cloudstack() again.', source));
	ELSIF kind IS DISTINCT FROM 'managed' THEN
		ok := vmnet_internal.operation_refuse('22023', resolved, relation, NULL,
			format('cannot operate on inventory "%s": it is not a managed one', resolved),
			coalesce(format('It is of kind %s.', kind), 'Its view inventory_info does not say of which kind it is.'),
			'Make the change with the application that its tables belong to. The view vmnet.inventories says of which kind an inventory is.');
	END IF;
	RETURN resolved;
END
$$;
COMMENT ON FUNCTION vmnet_internal.operation_inventory(name, name) IS
'Part of the operations: resolves the inventory and refuses one that is not managed';

-- A call that a HINT proposes; it names the inventory where it has to.
CREATE FUNCTION vmnet_internal.operation_call(resolved name, function name, arguments text)
RETURNS text
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
SELECT format('SELECT vmnet.%s(%s%s);', function, arguments,
	CASE WHEN resolved <> current_setting('vmnet.inventory')::name THEN format(', inventory => %L', resolved) END)
$$;
COMMENT ON FUNCTION vmnet_internal.operation_call(name, name, text) IS
'Part of the operations: a statement for a HINT, which works as it stands';

-- Refuses an id that no network, instance or NIC has.
CREATE FUNCTION vmnet_internal.operation_unknown(inventory name, noun text, id bigint)
RETURNS boolean
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	plural text := lower(noun) || 's';
BEGIN
	RETURN vmnet_internal.operation_refuse('22023', inventory, ('all_' || plural)::name, NULL,
		format('%s %s does not exist', noun, coalesce(id::text, 'NULL')),
		CASE WHEN id IS NULL THEN format('The id of the %s is NULL.', noun)
			ELSE format('Inventory "%s" has no %s with this id, not even a removed one.', inventory, noun) END,
		format('The view %I.%s lists those that are live%s.', inventory, plural,
			CASE WHEN noun <> 'NIC' THEN format('; vmnet.%s_id() finds the id for a uuid', noun) END));
END
$$;
COMMENT ON FUNCTION vmnet_internal.operation_unknown(name, text, bigint) IS
'Part of the operations: refuses an id that nothing has';

-- Locks a network and tells what it is once the lock is there.  range4 and
-- range6 are where its addresses lie.
CREATE FUNCTION vmnet_internal.operation_lock_network(inventory name, network_id bigint, lock text,
	OUT id bigint, OUT state text, OUT guest_type text, OUT zone_id bigint, OUT range4 cidr, OUT gateway inet,
	OUT range6 cidr, OUT ip6_gateway inet, OUT removed timestamptz)
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	ok boolean;
BEGIN
	EXECUTE format('SELECT id, state, guest_type, zone_id, coalesce(network_cidr, cidr), gateway, ip6_cidr, ip6_gateway, removed
		FROM %I.all_networks WHERE id = $1 FOR ' || lock, inventory)
	INTO id, state, guest_type, zone_id, range4, gateway, range6, ip6_gateway, removed USING network_id;
	IF id IS NULL THEN
		ok := vmnet_internal.operation_unknown(inventory, 'network', network_id);
	END IF;
END
$$;
COMMENT ON FUNCTION vmnet_internal.operation_lock_network(name, bigint, text) IS
'Part of the operations: locks a network (KEY SHARE, NO KEY UPDATE, UPDATE) and tells what it is';

-- Locks an instance and tells what it is once the lock is there.
CREATE FUNCTION vmnet_internal.operation_lock_instance(inventory name, instance_id bigint, lock text,
	OUT id bigint, OUT type text, OUT state text, OUT zone_id bigint, OUT removed timestamptz)
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	ok boolean;
BEGIN
	EXECUTE format('SELECT id, type, state, zone_id, removed FROM %I.all_instances WHERE id = $1 FOR ' || lock, inventory)
	INTO id, type, state, zone_id, removed USING instance_id;
	IF id IS NULL THEN
		ok := vmnet_internal.operation_unknown(inventory, 'instance', instance_id);
	END IF;
END
$$;
COMMENT ON FUNCTION vmnet_internal.operation_lock_instance(name, bigint, text) IS
'Part of the operations: locks an instance (NO KEY UPDATE, UPDATE) and tells what it is';

-- What a NIC is; with locked, it stays so until the transaction ends.  The
-- network and the instance of a NIC never change, so they may be asked for
-- first and locked, and the NIC after them.
CREATE FUNCTION vmnet_internal.operation_nic(inventory name, nic_id bigint, locked boolean,
	OUT id bigint, OUT network_id bigint, OUT instance_id bigint, OUT vm_type text, OUT strategy text, OUT state text,
	OUT device_id int, OUT default_nic boolean, OUT ip4 inet, OUT ip6 inet, OUT removed timestamptz, OUT description text)
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	ok boolean;
BEGIN
	EXECUTE format('SELECT id, network_id, instance_id, vm_type, strategy, state, device_id, default_nic, ip4_address, ip6_address, removed
		FROM %I.all_nics WHERE id = $1' || CASE WHEN locked THEN ' FOR NO KEY UPDATE' ELSE '' END, inventory)
	INTO id, network_id, instance_id, vm_type, strategy, state, device_id, default_nic, ip4, ip6, removed USING nic_id;
	IF id IS NULL THEN
		ok := vmnet_internal.operation_unknown(inventory, 'NIC', nic_id);
	END IF;
	description := format('NIC %s on network %s, of %s, has strategy "%s" and state "%s"%s.', id, network_id,
		coalesce('instance ' || instance_id, 'no instance'), strategy, state, ', removed at ' || removed);
END
$$;
COMMENT ON FUNCTION vmnet_internal.operation_nic(name, bigint, boolean) IS
'Part of the operations: tells what a NIC is, and locks it on request';

-- Tells transactions that keep one snapshot that the NICs of an instance, or
-- the addresses of a network, have changed; see above.  The column is in no
-- key, which would take a stronger lock, and one that no trigger waits for.
CREATE FUNCTION vmnet_internal.operation_touch(inventory name, relation name, id bigint)
RETURNS boolean
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	EXECUTE format('UPDATE %I.%I SET zone_name = zone_name WHERE id = $1', inventory, relation) USING id;
	RETURN true;
END
$$;
COMMENT ON FUNCTION vmnet_internal.operation_touch(name, name, bigint) IS
'Part of the operations: writes a network or an instance, unchanged, so that older snapshots conflict';

-- Refuses to say that something was done when nothing was written: a trigger of
-- the user's may have left the row out.
CREATE FUNCTION vmnet_internal.operation_done(inventory name, relation name, written bigint)
RETURNS boolean
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	IF written = 0 THEN
		RETURN vmnet_internal.operation_refuse('23514', inventory, relation, 'operation_written',
			format('a trigger kept the operation from writing to table "%s"', relation),
			'A BEFORE trigger returned NULL, so that no row was written; nothing was done.',
			format('The triggers are listed by: \d %I.%I', inventory, relation));
	END IF;
	RETURN true;
END
$$;
COMMENT ON FUNCTION vmnet_internal.operation_done(name, name, bigint) IS
'Part of the operations: refuses a write that a trigger left out';

-- Refuses an instance that is neither Running nor Stopped: somebody else is at
-- work on it, or it is on its way out.
CREATE FUNCTION vmnet_internal.operation_check_instance_state(inventory name, instance_id bigint, state text)
RETURNS boolean
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	IF state NOT IN ('Running', 'Stopped') THEN
		RETURN vmnet_internal.operation_refuse('23514', inventory, 'all_instances', 'instance_running_or_stopped',
			format('instance %s is neither Running nor Stopped', instance_id),
			format('Its state is "%s".', state),
			'NICs are added, and the default NIC is chosen, while an instance is Running or Stopped. Try again when it is.');
	END IF;
	RETURN true;
END
$$;
COMMENT ON FUNCTION vmnet_internal.operation_check_instance_state(name, bigint, text) IS
'Part of the operations: refuses an instance that is neither Running nor Stopped';

-- Refuses an address that is not one address of its family, lies outside the
-- network, or is not for hosts.  A router may have the gateway's address.
CREATE FUNCTION vmnet_internal.operation_check_range(inventory name, network_id bigint, address inet, version int,
	range cidr, gateway inet, is_user boolean)
RETURNS boolean
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	bits int := CASE version WHEN 4 THEN 32 ELSE 128 END;
	refused text := format('network %s cannot give out %s', network_id, host(address));
	reserved text;
BEGIN
	IF family(address) <> version OR masklen(address) <> bits THEN
		RETURN vmnet_internal.operation_refuse('22023', inventory, 'all_nics', format('nic_ip%s_address_valid', version)::name,
			format('ip%s must be one IPv%s address', version, version),
			format('It is %s.', address),
			CASE WHEN family(address) <> version THEN format('Give it as ip%s => %L.', family(address), host(address))
				ELSE format('Give it without a prefix length: %s.', host(address)) END);
	END IF;
	IF NOT address <<= range THEN
		RETURN vmnet_internal.operation_refuse('23514', inventory, 'all_nics', 'nic_ip_in_cidr', refused,
			format('It is not in %s.', range),
			'Choose an address of the network; see cidr, network_cidr and ip6_cidr in the view networks.');
	END IF;
	-- networks of one or two addresses have none to spare (RFC 3021, RFC 6164)
	reserved := CASE
		WHEN masklen(range) <= bits - 2 AND host(address) = host(network(range)) THEN 'the network address of ' || range
		WHEN version = 4 AND masklen(range) <= bits - 2 AND host(address) = host(broadcast(range)) THEN 'the broadcast address of ' || range
		WHEN is_user AND host(address) = host(gateway) THEN 'the gateway of the network' END;
	IF reserved IS NOT NULL THEN
		RETURN vmnet_internal.operation_refuse('23514', inventory, 'all_nics', 'nic_ip_reserved', refused,
			format('It is %s.', reserved), 'Choose another address of the network.');
	END IF;
	RETURN true;
END
$$;
COMMENT ON FUNCTION vmnet_internal.operation_check_range(name, bigint, inet, int, cidr, inet, boolean) IS
'Part of the operations: refuses an address that a network cannot give out';

-- Refuses an address that a live NIC of the network has beside its own, be it the
-- one that asks.
CREATE FUNCTION vmnet_internal.operation_check_secondary(inventory name, network_id bigint, attribute name, address inet)
RETURNS boolean
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	holder record;
BEGIN
	holder := vmnet_internal.secondary_holder(inventory, network_id, attribute, address::text);
	IF NOT holder.held THEN
		RETURN true;
	END IF;

	RETURN vmnet_internal.operation_refuse('23505', inventory, 'all_nics', 'nic_ip_is_secondary',
		format('%s is taken on network %s', host(address), network_id),
		CASE WHEN holder.holder_id IS NULL THEN 'A NIC that you may not see has it as a secondary address.'
			ELSE format('NIC %s has it as secondary address %s.', holder.holder_id, holder.address_id) END,
		CASE WHEN holder.holder_id IS NULL THEN 'Choose another address.'
			ELSE format('Choose another address, or remove that one first: UPDATE %I.nic_secondary_ips SET removed = now() WHERE id = %s;', inventory, holder.address_id) END);
END
$$;
COMMENT ON FUNCTION vmnet_internal.operation_check_secondary(name, bigint, name, inet) IS
'Part of the operations: refuses an IP address that a live NIC of the network has beside its own';

-- Refuses an address that a live NIC of the network has.  What belongs to a
-- User NIC is its own; routers and placeholders may share one (redundant
-- routers do, and a placeholder holds the address of the router it stands for).
--
-- The unique indexes know User NICs only.  So the caller holds the network FOR
-- NO KEY UPDATE, from before this look to the end of its transaction: two who
-- want addresses on one network take turns, whatever their NICs are.  That lock
-- does not wait for those who add NICs without naming an address, nor they for it.
CREATE FUNCTION vmnet_internal.operation_check_free(inventory name, network_id bigint, attribute name, type text,
	address text, nic_id bigint, is_user boolean)
RETURNS boolean
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	holder record;
	nic record;
	ok boolean;
BEGIN
	IF type = 'inet' THEN
		ok := vmnet_internal.operation_check_secondary(inventory, network_id, attribute, address::inet);
	END IF;
	holder := vmnet_internal.address_holder(inventory, network_id, attribute, address, nic_id, is_user);
	IF NOT holder.held THEN
		RETURN true;
	END IF;
	SELECT NULL::text AS vm_type, NULL::text AS state, NULL::bigint AS instance_id INTO nic;
	IF holder.holder_id IS NOT NULL THEN
		EXECUTE format('SELECT vm_type, state, instance_id FROM %I.all_nics WHERE id = $1', inventory)
		INTO nic USING holder.holder_id;
	END IF;

	RETURN vmnet_internal.operation_refuse('23505', inventory, 'all_nics',
		CASE WHEN is_user AND holder.holder_is_user THEN 'all_nics_one_' || split_part(attribute, '_', 1)
			ELSE 'user_' || rtrim(split_part(attribute, '_', 1), '46') || '_held_by_other' END::name,
		format('%s is taken on network %s', address, network_id),
		CASE WHEN holder.holder_id IS NULL THEN 'A NIC that you may not see has it.'
			ELSE format('NIC %s (%s, %s, %s) has it.', holder.holder_id, nic.vm_type, nic.state,
				coalesce('instance ' || nic.instance_id, 'no instance')) END,
		CASE WHEN holder.holder_id IS NULL THEN 'Choose another address.' ELSE 'Choose another address. Which are taken: ' || replace(vmnet_internal.operation_call(inventory, 'network_active_nics', network_id::text), 'SELECT', 'SELECT * FROM') END);
END
$$;
COMMENT ON FUNCTION vmnet_internal.operation_check_free(name, bigint, name, text, text, bigint, boolean) IS
'Part of the operations: refuses a MAC or IP address that a live NIC of the network has';

-- The IP addresses that a NIC wants, checked; and what goes with them.
CREATE FUNCTION vmnet_internal.operation_check_ips(inventory name, network_id bigint, ip4 inet, ip6 inet, nic_id bigint,
	is_user boolean, range4 cidr, gateway inet, range6 cidr, ip6_gateway inet)
RETURNS boolean
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	ok boolean;
BEGIN
	IF ip4 IS NOT NULL THEN
		ok := vmnet_internal.operation_check_range(inventory, network_id, ip4, 4, range4, gateway, is_user);
		ok := vmnet_internal.operation_check_free(inventory, network_id, 'ip4_address', 'inet', host(ip4), nic_id, is_user);
	END IF;
	IF ip6 IS NOT NULL THEN
		ok := vmnet_internal.operation_check_range(inventory, network_id, ip6, 6, range6, ip6_gateway, is_user);
		ok := vmnet_internal.operation_check_free(inventory, network_id, 'ip6_address', 'inet', host(ip6), nic_id, is_user);
	END IF;
	RETURN true;
END
$$;
COMMENT ON FUNCTION vmnet_internal.operation_check_ips(name, bigint, inet, inet, bigint, boolean, cidr, inet, cidr, inet) IS
'Part of the operations: refuses IP addresses that a NIC cannot have on a network';

-- The MAC address that goes with the id of a NIC: locally administered, unicast.
-- The other 46 bits are the id, shifted round by what differs from one inventory
-- to the next, so that two inventories on one wire do not both begin at the same
-- address.  Two NICs cannot get the same, however many are added at once.
CREATE FUNCTION vmnet_internal.operation_mac(resolved name, id bigint)
RETURNS macaddr
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
SELECT lpad(to_hex((m.bits >> 40 << 42) | (2::bigint << 40) | (m.bits & ((1::bigint << 40) - 1))), 12, '0')::macaddr
FROM (SELECT (id # hashtextextended(resolved::text, c.system_identifier)) & ((1::bigint << 46) - 1)
	FROM pg_control_system() c) m (bits)
$$;
COMMENT ON FUNCTION vmnet_internal.operation_mac(name, bigint) IS
'Part of the operations: MAC address that goes with the id of a NIC';

-- An id for a new NIC, and a MAC address that no live NIC of the inventory has.
-- Somebody may have been given by hand the one that goes with an id; then that
-- id is left out.  The look goes by the index on mac_address.
CREATE FUNCTION vmnet_internal.operation_new_id(inventory name, mac macaddr, want_mac boolean, OUT id bigint, OUT mac_address macaddr)
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	sequence regclass := pg_get_serial_sequence(format('%I.all_nics', inventory), 'id');
	taken boolean := true;
BEGIN
	WHILE taken LOOP
		id := nextval(sequence);
		mac_address := coalesce(mac, CASE WHEN want_mac THEN vmnet_internal.operation_mac(inventory, id) END);
		taken := vmnet_internal.mac_held(inventory, CASE WHEN mac IS NULL THEN mac_address END);
	END LOOP;
END
$$;
COMMENT ON FUNCTION vmnet_internal.operation_new_id(name, macaddr, boolean) IS
'Part of the operations: takes the next id for a NIC, and a free MAC address where none is given';

-- What a new NIC of an instance gets: the lowest free device position, and
-- whether it is the default because no other is.  Refuses a User instance that
-- is on the network already.  The caller holds the instance FOR NO KEY UPDATE.
CREATE FUNCTION vmnet_internal.operation_new_device(inventory name, instance_id bigint, network_id bigint, is_user boolean,
	OUT device_id int, OUT default_nic boolean)
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	ok boolean;
	place record := vmnet_internal.free_device(inventory, instance_id, network_id);
	nic record;
BEGIN
	IF is_user AND place.is_there THEN
		SELECT NULL::text AS description INTO nic;
		IF place.there_id IS NOT NULL THEN
			nic := vmnet_internal.operation_nic(inventory, place.there_id, false);
		END IF;
		ok := vmnet_internal.operation_refuse('23505', inventory, 'all_nics', 'all_nics_one_per_network',
			format('instance %s is on network %s already', instance_id, network_id),
			coalesce(nic.description, 'Its NIC there is one that you may not see.'),
			'A User instance has one live NIC on a network.' || CASE WHEN place.there_id IS NULL THEN ''
				ELSE ' Use that one, or remove it first: ' || vmnet_internal.operation_call(inventory, 'nic_remove', place.there_id::text) END);
	END IF;
	device_id := place.device_id;
	default_nic := place.no_default;
END
$$;
COMMENT ON FUNCTION vmnet_internal.operation_new_device(name, bigint, bigint, boolean) IS
'Part of the operations: lowest free device position of an instance, and whether a new NIC is its default';

-- Refuses what cannot be the arguments of nic_add(), whatever is stored.
CREATE FUNCTION vmnet_internal.operation_check_new(inventory name, instance_id bigint, mac macaddr, strategy text)
RETURNS boolean
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	-- which refuses an unknown strategy by itself
	IF vmnet.nic_next_state('Allocated', 'RemoveRequested', strategy) IS NULL THEN
		RETURN vmnet_internal.operation_refuse('22023', inventory, 'all_nics', 'nic_strategy_valid',
			'the strategy of a NIC cannot be NULL', 'It says how the NIC gets its address.',
			'Leave it out for ''Start'', or give one that vmnet.nic_state_transitions() shows.');
	END IF;
	IF instance_id IS NULL AND strategy <> 'PlaceHolder' THEN
		RETURN vmnet_internal.operation_refuse('22023', inventory, 'all_nics', 'nic_instance_required',
			'instance NULL does not exist', format('Only a NIC of strategy "PlaceHolder" has no instance; this one is of strategy "%s".', strategy),
			'Give the id of a live instance, or strategy => ''PlaceHolder'' to park an address.');
	END IF;
	IF mac & '01:00:00:00:00:00' <> '00:00:00:00:00:00' OR mac = '00:00:00:00:00:00' THEN
		RETURN vmnet_internal.operation_refuse('22023', inventory, 'all_nics', NULL,
			format('%s is not the MAC address of one NIC', mac),
			CASE WHEN mac = '00:00:00:00:00:00' THEN 'It is all zeros.' ELSE 'It is a group address: the lowest bit of its first byte is set.' END,
			'Give a unicast address, or leave it out for a free one.');
	END IF;
	RETURN true;
END
$$;
COMMENT ON FUNCTION vmnet_internal.operation_check_new(name, bigint, macaddr, text) IS
'Part of the operations: refuses what nic_add() can never do';

-- Refuses a parent that is removed, or an instance of another zone.
CREATE FUNCTION vmnet_internal.operation_check_parents(inventory name, instance_id bigint, network_id bigint,
	instance_removed timestamptz, network_removed timestamptz, instance_zone bigint, network_zone bigint)
RETURNS boolean
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	noun text := CASE WHEN network_removed IS NOT NULL THEN 'network' ELSE 'instance' END;
BEGIN
	IF network_removed IS NOT NULL OR instance_removed IS NOT NULL THEN
		RETURN vmnet_internal.operation_refuse('23503', inventory, 'all_nics', 'nic_parent_active',
			format('cannot add a NIC to %s %s, which has been removed', noun, CASE noun WHEN 'network' THEN network_id ELSE instance_id END),
			format('It was removed at %s.', coalesce(network_removed, instance_removed)),
			format('A removed %s stays removed; choose one that is in the view "%ss".', noun, noun));
	END IF;
	IF instance_zone <> network_zone THEN
		RETURN vmnet_internal.operation_refuse('23514', inventory, 'all_nics', 'nic_same_zone',
			format('instance %s and network %s are in different zones', instance_id, network_id),
			format('The instance is in zone %s, the network in zone %s.', instance_zone, network_zone),
			'Choose a network of the zone that the instance is in.');
	END IF;
	RETURN true;
END
$$;
COMMENT ON FUNCTION vmnet_internal.operation_check_parents(name, bigint, bigint, timestamptz, timestamptz, bigint, bigint) IS
'Part of the operations: refuses a network or an instance that a NIC cannot be added to';

CREATE FUNCTION vmnet_internal.nic_add(instance_id bigint, network_id bigint, ip4 inet, ip6 inet,
	mac macaddr, strategy text, inventory name)
RETURNS bigint
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	ok boolean;
	resolved name := vmnet_internal.operation_inventory(inventory, 'all_nics');
	names_address boolean := coalesce(ip4, ip6) IS NOT NULL OR mac IS NOT NULL;
	is_user boolean;
	net record;
	vm record;
	place record;
	fresh record;
	written bigint;
BEGIN
	ok := vmnet_internal.operation_check_new(resolved, instance_id, mac, strategy);
	net := vmnet_internal.operation_lock_network(resolved, network_id,
		CASE WHEN names_address THEN 'NO KEY UPDATE' ELSE 'KEY SHARE' END);
	-- a NIC of no instance parks an address for a router
	SELECT NULL::bigint AS id, 'DomainRouter' AS type, NULL AS state, NULL::bigint AS zone_id, NULL::timestamptz AS removed INTO vm;
	IF instance_id IS NOT NULL THEN
		vm := vmnet_internal.operation_lock_instance(resolved, instance_id, 'NO KEY UPDATE');
	END IF;
	is_user := vm.type = 'User';
	ok := vmnet_internal.operation_check_parents(resolved, instance_id, network_id, vm.removed, net.removed, vm.zone_id, net.zone_id);
	ok := vmnet_internal.operation_check_instance_state(resolved, instance_id, vm.state);
	place := vmnet_internal.operation_new_device(resolved, instance_id, network_id, is_user);
	ok := vmnet_internal.operation_check_ips(resolved, network_id, ip4, ip6, NULL, is_user, net.range4, net.gateway, net.range6, net.ip6_gateway);
	IF mac IS NOT NULL THEN
		ok := vmnet_internal.operation_check_free(resolved, network_id, 'mac_address', 'macaddr', mac::text, NULL, is_user);
	END IF;

	fresh := vmnet_internal.operation_new_id(resolved, mac, instance_id IS NOT NULL);
	IF names_address THEN
		ok := vmnet_internal.operation_touch(resolved, 'all_networks', network_id);
	END IF;
	ok := vmnet_internal.operation_touch(resolved, 'all_instances', instance_id);
	EXECUTE format('INSERT INTO %I.all_nics (id, instance_id, network_id, state, strategy, vm_type, device_id, default_nic,
			mac_address, ip4_address, ip6_address, netmask, gateway)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)', resolved)
	USING fresh.id, instance_id, network_id, CASE WHEN instance_id IS NULL THEN 'Reserved' ELSE 'Allocated' END, strategy, vm.type,
		CASE WHEN instance_id IS NOT NULL THEN place.device_id END, instance_id IS NOT NULL AND place.default_nic,
		fresh.mac_address, ip4, ip6, CASE WHEN ip4 IS NOT NULL THEN netmask(net.range4) END, CASE WHEN ip4 IS NOT NULL THEN net.gateway END;
	GET DIAGNOSTICS written = ROW_COUNT;
	ok := vmnet_internal.operation_done(resolved, 'all_nics', written);
	RETURN fresh.id;
END
$$;
COMMENT ON FUNCTION vmnet_internal.nic_add(bigint, bigint, inet, inet, macaddr, text, name) IS
'Body of vmnet.nic_add(), run with the rights that this has switched to';

CREATE FUNCTION vmnet.nic_add(instance_id bigint, network_id bigint, ip4 inet DEFAULT NULL, ip6 inet DEFAULT NULL,
	mac macaddr DEFAULT NULL, strategy text DEFAULT 'Start', inventory name DEFAULT NULL)
RETURNS bigint
AS 'MODULE_PATHNAME', 'inventory_entry'
LANGUAGE C;
COMMENT ON FUNCTION vmnet.nic_add(bigint, bigint, inet, inet, macaddr, text, name) IS
'Adds a NIC: puts an instance, Running or Stopped, on a network; returns the id of the NIC
It is Allocated, in the lowest free device position, and the default if the instance has none. Where no MAC address is given it gets a locally administered one that no live NIC of the inventory has. An IP address must lie in the network''s range, coalesce(network_cidr, cidr) or ip6_cidr where that is known, and not be the network''s own, its broadcast or, for a User instance, its gateway. MAC and IP addresses must not be held live on the network: a User NIC shares one with nobody, others only among themselves. netmask and gateway are those of the network where ip4 is given.
instance_id NULL and strategy PlaceHolder: parks an address for a router, in state Reserved. Managed inventories only.
Errors: 22023 for an unknown id, strategy or inventory, or what is not one address; 23503 nic_parent_active; 23505 all_nics_one_per_network, all_nics_one_mac, _ip4, _ip6, user_mac_held_by_other, user_ip_held_by_other, nic_ip_is_secondary; 23514 instance_running_or_stopped, nic_same_zone, nic_ip_in_cidr, nic_ip_reserved; 42501 mirror_read_only.';

-- The moves that a NIC can make from where it is, for people.
CREATE FUNCTION vmnet_internal.operation_moves(strategy text, state text)
RETURNS text
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
SELECT string_agg(format('%s (to "%s")', t.event, t.to_state), ', ')
FROM vmnet.nic_state_transitions() t WHERE t.strategy = $1 AND t.from_state = $2
$$;
COMMENT ON FUNCTION vmnet_internal.operation_moves(text, text) IS
'Part of the operations: events that a NIC can take in a state, as a list for people; NULL: none';

CREATE FUNCTION vmnet_internal.nic_event(nic_id bigint, event text, reason text, inventory name)
RETURNS text
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	ok boolean;
	resolved name := vmnet_internal.operation_inventory(inventory, 'all_nics');
	nic record;
	vm record;
	next_state text;
	reason_before text := current_setting('vmnet.reason');
	written bigint;
BEGIN
	nic := vmnet_internal.operation_nic(resolved, nic_id, false);
	-- which NICs an instance has changes by this event alone
	IF event = 'RemoveRequested' AND nic.instance_id IS NOT NULL THEN
		vm := vmnet_internal.operation_lock_instance(resolved, nic.instance_id, 'NO KEY UPDATE');
		ok := vmnet_internal.operation_touch(resolved, 'all_instances', nic.instance_id);
	END IF;
	nic := vmnet_internal.operation_nic(resolved, nic_id, true);

	-- which refuses an unknown event by itself
	next_state := vmnet.nic_next_state(nic.state, coalesce(event, 'NULL'), nic.strategy);
	IF next_state IS NULL THEN
		ok := vmnet_internal.operation_refuse('23514', resolved, 'all_nics', 'nic_state_transition',
			format('event "%s" leads nowhere for NIC %s in state "%s"', event, nic_id, nic.state),
			nic.description,
			coalesce('From here it can take ' || vmnet_internal.operation_moves(nic.strategy, nic.state) || '; see vmnet.nic_state_transitions().',
				CASE WHEN nic.removed IS NULL THEN 'It is half-removed; once its address is free, finish it: ' || vmnet_internal.operation_call(resolved, 'nic_remove', nic_id::text)
					ELSE 'A removed NIC stays removed. Add a new NIC instead.' END));
	END IF;

	-- what nic_history is to say of the one statement that follows; the memory of
	-- this backend tells a guard on another node nothing
	PERFORM vmnet_internal.refuse_shell_table(format('%I.all_nics', resolved)::regclass, format('move a NIC of inventory "%s" by an event', resolved));
	PERFORM vmnet_internal.announce_nic_event(nic_id, event);
	PERFORM set_config('vmnet.reason', coalesce(reason, reason_before), true);
	EXECUTE format('UPDATE %I.all_nics SET state = $2 WHERE id = $1', resolved) USING nic_id, next_state;
	GET DIAGNOSTICS written = ROW_COUNT;
	PERFORM set_config('vmnet.reason', reason_before, true);
	ok := vmnet_internal.operation_done(resolved, 'all_nics', written);
	RETURN next_state;
END
$$;
COMMENT ON FUNCTION vmnet_internal.nic_event(bigint, text, text, name) IS
'Body of vmnet.nic_event(), run with the rights that this has switched to';

CREATE FUNCTION vmnet.nic_event(nic_id bigint, event text, reason text DEFAULT NULL, inventory name DEFAULT NULL)
RETURNS text
AS 'MODULE_PATHNAME', 'inventory_entry'
LANGUAGE C;
COMMENT ON FUNCTION vmnet.nic_event(bigint, text, text, name) IS
'Moves a NIC by an event of the state machine; returns its new state
nic_history records the event, and the reason where one is given, else the setting vmnet.reason. The moves are those of vmnet.nic_state_transitions() for the strategy of the NIC. RemoveRequested leaves it half-removed, for a removal in two steps, whether it is a default or not: nic_remove() finishes it. Managed inventories only.
Errors: 22023 for an unknown id, event or inventory; 23514 nic_state_transition where the event leads nowhere; 42501 mirror_read_only.';

-- Refuses to take from a User instance a NIC that it still needs: its default
-- while it has others, or any while somebody else is at work on the instance.
CREATE FUNCTION vmnet_internal.operation_check_removal(inventory name, nic_id bigint, instance_id bigint, state text, default_nic boolean)
RETURNS boolean
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	rest record;
	forced text := vmnet_internal.operation_call(inventory, 'nic_remove', nic_id || ', force => true');
BEGIN
	IF state IN ('Starting', 'Stopping', 'Migrating', 'Restoring') THEN
		RETURN vmnet_internal.operation_refuse('23514', inventory, 'all_nics', 'instance_in_transition',
			format('cannot remove NIC %s while instance %s is %s', nic_id, instance_id, state),
			'Whoever changes the instance may be using the NIC.',
			'Wait until it is Running or Stopped; if it never will be: ' || forced);
	END IF;
	IF NOT default_nic THEN
		RETURN true;
	END IF;
	rest := vmnet_internal.other_nics(inventory, instance_id, nic_id);
	IF rest.others > 0 THEN
		RETURN vmnet_internal.operation_refuse('23514', inventory, 'all_nics', 'nic_default_needed',
			format('cannot remove NIC %s: it is the default of instance %s', nic_id, instance_id),
			format('The instance has %s, and needs a default.', CASE rest.others WHEN 1 THEN 'another NIC' ELSE rest.others || ' other NICs' END),
			format('Choose another default first%s do without: %s',
				CASE WHEN rest.another_id IS NULL THEN ', or'
					ELSE format(': %s Or', vmnet_internal.operation_call(inventory, 'nic_set_default', rest.another_id::text)) END, forced));
	END IF;
	RETURN true;
END
$$;
COMMENT ON FUNCTION vmnet_internal.operation_check_removal(name, bigint, bigint, text, boolean) IS
'Part of the operations: refuses to remove a NIC that a User instance still needs';

CREATE FUNCTION vmnet_internal.nic_remove(nic_id bigint, force boolean, inventory name)
RETURNS boolean
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	ok boolean;
	resolved name := vmnet_internal.operation_inventory(inventory, 'all_nics');
	nic record;
	vm record;
	written bigint;
BEGIN
	nic := vmnet_internal.operation_nic(resolved, nic_id, false);
	IF nic.removed IS NOT NULL THEN
		RETURN false;
	END IF;
	IF nic.instance_id IS NOT NULL THEN
		vm := vmnet_internal.operation_lock_instance(resolved, nic.instance_id, 'NO KEY UPDATE');
	END IF;
	nic := vmnet_internal.operation_nic(resolved, nic_id, true);
	IF nic.removed IS NOT NULL THEN
		RETURN false;
	END IF;

	-- of a removal that stopped half-way only the end is left to do
	IF nic.state <> 'Deallocating' AND force IS NOT TRUE AND nic.instance_id IS NOT NULL THEN
		IF vm.type = 'User' THEN
			ok := vmnet_internal.operation_check_removal(resolved, nic_id, nic.instance_id, vm.state, nic.default_nic);
		END IF;
	END IF;
	ok := vmnet_internal.operation_touch(resolved, 'all_instances', nic.instance_id);
	EXECUTE format('UPDATE %I.all_nics SET state = ''Deallocating'', removed = greatest($2, created) WHERE id = $1', resolved)
	USING nic_id, clock_timestamp();
	GET DIAGNOSTICS written = ROW_COUNT;
	ok := vmnet_internal.operation_done(resolved, 'all_nics', written);
	RETURN true;
END
$$;
COMMENT ON FUNCTION vmnet_internal.nic_remove(bigint, boolean, name) IS
'Body of vmnet.nic_remove(), run with the rights that this has switched to';

CREATE FUNCTION vmnet.nic_remove(nic_id bigint, force boolean DEFAULT false, inventory name DEFAULT NULL)
RETURNS boolean
AS 'MODULE_PATHNAME', 'inventory_entry'
LANGUAGE C;
COMMENT ON FUNCTION vmnet.nic_remove(bigint, boolean, name) IS
'Removes a NIC, in one step; returns false where it was removed already
Its row stays for history, its addresses and its device position are free. A half-removed NIC is finished. Refused for the default NIC of a User instance that has others, and while a User instance is Starting, Stopping, Migrating or Restoring, unless force is true; an instance that has lost its default so gets one by nic_set_default(), or with the next nic_add(). Managed inventories only.
Errors: 22023 for an unknown id or inventory; 23514 nic_default_needed, instance_in_transition; 42501 mirror_read_only.';

-- Refuses a NIC that is not live.
CREATE FUNCTION vmnet_internal.operation_check_live(inventory name, nic_id bigint, state text, removed timestamptz, description text)
RETURNS boolean
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	IF removed IS NOT NULL OR state = 'Deallocating' THEN
		RETURN vmnet_internal.operation_refuse('23514', inventory, 'all_nics', 'nic_live',
			format('NIC %s %s', nic_id, CASE WHEN removed IS NULL THEN 'is being removed' ELSE 'has been removed' END),
			description, format('Choose a live NIC; the view %I.nics lists them.', inventory));
	END IF;
	RETURN true;
END
$$;
COMMENT ON FUNCTION vmnet_internal.operation_check_live(name, bigint, text, timestamptz, text) IS
'Part of the operations: refuses a NIC that is removed or half-removed';

-- Refuses where a third NIC has the device position that one of the two would
-- get, since a User instance has one NIC in each.
CREATE FUNCTION vmnet_internal.operation_check_swap(inventory name, instance_id bigint, old_id bigint, old_device int,
	new_id bigint, new_device int)
RETURNS boolean
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	third record;
BEGIN
	EXECUTE format('SELECT s.id, s.device_id, n.id AS holder
		FROM (VALUES ($4, $3), ($2, $5)) s (id, device_id)
			JOIN %1$I.all_nics m ON m.id = s.id AND m.vm_type = ''User''
			JOIN %1$I.all_nics n ON n.instance_id = $1 AND n.active AND n.vm_type = ''User'' AND n.device_id = s.device_id AND n.id NOT IN ($2, $4)
		ORDER BY s.id <> $4
		LIMIT 1', inventory)
	INTO third USING instance_id, old_id, old_device, new_id, new_device;
	IF third.holder IS NOT NULL THEN
		RETURN vmnet_internal.operation_refuse('23505', inventory, 'all_nics', 'all_nics_one_device',
			format('cannot make NIC %s the default of instance %s', new_id, instance_id),
			format('It would swap device positions with NIC %s, so that NIC %s gets position %s, which NIC %s has.',
				old_id, third.id, third.device_id, third.holder),
			format('Give NIC %1$s another position first: UPDATE %2$I.all_nics SET device_id = ... WHERE id = %1$s;', third.holder, inventory));
	END IF;
	RETURN true;
END
$$;
COMMENT ON FUNCTION vmnet_internal.operation_check_swap(name, bigint, bigint, int, bigint, int) IS
'Part of the operations: refuses to swap the device positions of two NICs where a third one has one of them';

-- Makes one live NIC of an instance the default and gives it the device
-- position of the old one, which gets its in return.  The unique indexes are
-- looked at row by row, so the old one first lets go of both, and takes the
-- position that is free then last.
CREATE FUNCTION vmnet_internal.operation_swap_default(inventory name, instance_id bigint, old_id bigint, old_device int,
	new_id bigint, new_device int)
RETURNS boolean
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	ok boolean;
	rest record;
	written bigint;
BEGIN
	EXECUTE format('UPDATE %I.all_nics SET default_nic = false, device_id = CASE WHEN id = $2 THEN NULL ELSE device_id END
		WHERE instance_id = $1 AND active AND default_nic', inventory)
	USING instance_id, CASE WHEN old_device IS NOT NULL THEN old_id END;
	-- what a policy, or a trigger, keeps from being changed is still the default
	rest := vmnet_internal.other_nics(inventory, instance_id, new_id);
	IF rest.defaults > 0 THEN
		IF NOT row_security_active(format('%I.all_nics', inventory)) THEN
			ok := vmnet_internal.operation_done(inventory, 'all_nics', 0);
		END IF;
		ok := vmnet_internal.operation_refuse('42501', inventory, 'all_nics', 'nic_default_hidden',
			format('cannot make NIC %s the default of instance %s', new_id, instance_id),
			'Its default is a NIC that you may not change.',
			'Have it done by a role whose row-level policies allow it.');
	END IF;
	EXECUTE format('UPDATE %I.all_nics SET default_nic = true, device_id = coalesce($2, device_id) WHERE id = $1', inventory)
	USING new_id, old_device;
	GET DIAGNOSTICS written = ROW_COUNT;
	ok := vmnet_internal.operation_done(inventory, 'all_nics', written);
	IF old_device IS NOT NULL THEN
		EXECUTE format('UPDATE %I.all_nics SET device_id = $2 WHERE id = $1', inventory)
		USING old_id, new_device;
	END IF;
	RETURN true;
END
$$;
COMMENT ON FUNCTION vmnet_internal.operation_swap_default(name, bigint, bigint, int, bigint, int) IS
'Part of the operations: swaps default flag and device position of two NICs';

CREATE FUNCTION vmnet_internal.nic_set_default(nic_id bigint, inventory name)
RETURNS bigint
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	ok boolean;
	resolved name := vmnet_internal.operation_inventory(inventory, 'all_nics');
	nic record;
	vm record;
	old record;
BEGIN
	nic := vmnet_internal.operation_nic(resolved, nic_id, false);
	IF nic.instance_id IS NULL THEN
		ok := vmnet_internal.operation_refuse('22023', resolved, 'all_nics', NULL,
			format('NIC %s belongs to no instance', nic_id), nic.description, 'Only a NIC of an instance can be a default.');
	END IF;
	vm := vmnet_internal.operation_lock_instance(resolved, nic.instance_id, 'NO KEY UPDATE');
	EXECUTE format('SELECT id FROM %I.all_nics WHERE instance_id = $1 AND (active AND default_nic OR id = $2) ORDER BY id FOR NO KEY UPDATE', resolved)
	USING nic.instance_id, nic_id;
	nic := vmnet_internal.operation_nic(resolved, nic_id, true);
	ok := vmnet_internal.operation_check_live(resolved, nic_id, nic.state, nic.removed, nic.description);
	ok := vmnet_internal.operation_check_instance_state(resolved, nic.instance_id, vm.state);
	IF nic.default_nic THEN
		ok := vmnet_internal.operation_refuse('23514', resolved, 'all_nics', 'nic_default_already',
			format('NIC %s is the default of instance %s already', nic_id, nic.instance_id), nic.description, 'There is nothing to do.');
	END IF;
	EXECUTE format('SELECT id, device_id FROM %I.all_nics WHERE instance_id = $1 AND active AND default_nic ORDER BY device_id, id LIMIT 1', resolved)
	INTO old USING nic.instance_id;
	IF old.device_id IS NOT NULL THEN
		ok := vmnet_internal.operation_check_swap(resolved, nic.instance_id, old.id, old.device_id, nic_id, nic.device_id);
	END IF;
	ok := vmnet_internal.operation_touch(resolved, 'all_instances', nic.instance_id);
	ok := vmnet_internal.operation_swap_default(resolved, nic.instance_id, old.id, old.device_id, nic_id, nic.device_id);
	RETURN old.id;
END
$$;
COMMENT ON FUNCTION vmnet_internal.nic_set_default(bigint, name) IS
'Body of vmnet.nic_set_default(), run with the rights that this has switched to';

CREATE FUNCTION vmnet.nic_set_default(nic_id bigint, inventory name DEFAULT NULL)
RETURNS bigint
AS 'MODULE_PATHNAME', 'inventory_entry'
LANGUAGE C;
COMMENT ON FUNCTION vmnet.nic_set_default(bigint, name) IS
'Makes a live NIC the default of its instance; returns the id of the one that was
The two swap device positions, so that the default keeps its place. NULL: the instance had no default; then only the flag is set. The instance must be Running or Stopped. Managed inventories only.
Errors: 22023 for an unknown id or inventory, or a NIC of no instance; 23514 nic_live, nic_default_already, instance_running_or_stopped; 23505 all_nics_one_device where a third NIC has one of the two positions; 42501 mirror_read_only, nic_default_hidden.';

-- Refuses to give another IP address to a NIC whose address is not its own to
-- change.
CREATE FUNCTION vmnet_internal.operation_check_set_ip(inventory name, nic_id bigint, is_user boolean, description text,
	network_id bigint, network_state text, guest_type text)
RETURNS boolean
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	IF NOT is_user THEN
		RETURN vmnet_internal.operation_refuse('23514', inventory, 'all_nics', 'nic_set_ip_user',
			format('NIC %s is not the NIC of a User instance', nic_id), description,
			'Routers, system VMs and placeholders keep their address; remove this NIC and add another.');
	ELSIF guest_type = 'L2' THEN
		RETURN vmnet_internal.operation_refuse('23514', inventory, 'all_networks', 'nic_set_ip_not_l2',
			format('network %s gives out no IP addresses', network_id), 'Its guest type is "L2".',
			'Instances on an L2 network choose their own addresses.');
	ELSIF network_state NOT IN ('Allocated', 'Implemented', 'Setup') THEN
		RETURN vmnet_internal.operation_refuse('23514', inventory, 'all_networks', 'network_ready',
			format('network %s is in no state to give out an address', network_id),
			format('Its state is "%s".', network_state),
			'Try again when it is Allocated, Implemented or Setup.');
	END IF;
	RETURN true;
END
$$;
COMMENT ON FUNCTION vmnet_internal.operation_check_set_ip(name, bigint, boolean, text, bigint, text, text) IS
'Part of the operations: refuses NICs and networks that nic_set_ip() is not for';

CREATE FUNCTION vmnet_internal.nic_set_ip(nic_id bigint, ip4 inet, ip6 inet, inventory name)
RETURNS boolean
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	ok boolean;
	resolved name := vmnet_internal.operation_inventory(inventory, 'all_nics');
	nic record;
	net record;
	is_user boolean;
	written bigint;
BEGIN
	IF coalesce(ip4, ip6) IS NULL THEN
		ok := vmnet_internal.operation_refuse('22023', resolved, 'all_nics', NULL,
			format('no address is given for NIC %s', coalesce(nic_id::text, 'NULL')), 'Both ip4 and ip6 are NULL, which leaves them as they are.',
			'Give ip4, ip6 or both.');
	END IF;
	nic := vmnet_internal.operation_nic(resolved, nic_id, false);
	net := vmnet_internal.operation_lock_network(resolved, nic.network_id, 'NO KEY UPDATE');
	nic := vmnet_internal.operation_nic(resolved, nic_id, true);
	ok := vmnet_internal.operation_check_live(resolved, nic_id, nic.state, nic.removed, nic.description);
	is_user := nic.vm_type = 'User' AND nic.instance_id IS NOT NULL;
	ok := vmnet_internal.operation_check_set_ip(resolved, nic_id, is_user, nic.description, net.id, net.state, net.guest_type);
	ip4 := nullif(ip4, nic.ip4);
	ip6 := nullif(ip6, nic.ip6);
	IF coalesce(ip4, ip6) IS NULL THEN
		RETURN false;
	END IF;
	ok := vmnet_internal.operation_check_ips(resolved, net.id, ip4, ip6, nic_id, is_user, net.range4, net.gateway, net.range6, net.ip6_gateway);

	ok := vmnet_internal.operation_touch(resolved, 'all_networks', net.id);
	EXECUTE format('UPDATE %I.all_nics SET ip4_address = coalesce($2, ip4_address), ip6_address = coalesce($3, ip6_address),
			netmask = CASE WHEN $2 IS NULL THEN netmask ELSE $4 END, gateway = CASE WHEN $2 IS NULL THEN gateway ELSE $5 END
		WHERE id = $1', resolved)
	USING nic_id, ip4, ip6, netmask(net.range4), net.gateway;
	GET DIAGNOSTICS written = ROW_COUNT;
	ok := vmnet_internal.operation_done(resolved, 'all_nics', written);
	RETURN true;
END
$$;
COMMENT ON FUNCTION vmnet_internal.nic_set_ip(bigint, inet, inet, name) IS
'Body of vmnet.nic_set_ip(), run with the rights that this has switched to';

CREATE FUNCTION vmnet.nic_set_ip(nic_id bigint, ip4 inet DEFAULT NULL, ip6 inet DEFAULT NULL, inventory name DEFAULT NULL)
RETURNS boolean
AS 'MODULE_PATHNAME', 'inventory_entry'
LANGUAGE C;
COMMENT ON FUNCTION vmnet.nic_set_ip(bigint, inet, inet, name) IS
'Gives a live User NIC other IP addresses; returns false where it has them already
NULL leaves an address as it is. The old address is free at once; the NIC keeps its id, MAC address and device position. Rules for addresses are those of nic_add(). The network must be Allocated, Implemented or Setup, and not L2. Managed inventories only.
Errors: 22023 for an unknown id or inventory, no address, or what is not one address; 23505 all_nics_one_ip4, _ip6, user_ip_held_by_other, nic_ip_is_secondary; 23514 nic_live, nic_set_ip_user, nic_set_ip_not_l2, network_ready, nic_ip_in_cidr, nic_ip_reserved; 42501 mirror_read_only.';

CREATE FUNCTION vmnet_internal.instance_expunge(instance_id bigint, inventory name)
RETURNS boolean
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	ok boolean;
	resolved name := vmnet_internal.operation_inventory(inventory, 'all_instances');
	vm record;
	written bigint;
BEGIN
	-- from here on nobody can add a NIC to it
	vm := vmnet_internal.operation_lock_instance(resolved, instance_id, 'UPDATE');
	IF vm.removed IS NOT NULL THEN
		RETURN false;
	END IF;
	EXECUTE format('SELECT id FROM %I.all_nics WHERE instance_id = $1 AND removed IS NULL ORDER BY id FOR NO KEY UPDATE', resolved)
	USING instance_id;
	EXECUTE format('UPDATE %I.all_nics SET state = ''Deallocating'', removed = greatest($2, created)
		WHERE instance_id = $1 AND removed IS NULL', resolved)
	USING instance_id, clock_timestamp();
	EXECUTE format('UPDATE %I.all_instances SET state = ''Expunging'', removed = greatest($2, created) WHERE id = $1', resolved)
	USING instance_id, clock_timestamp();
	GET DIAGNOSTICS written = ROW_COUNT;
	ok := vmnet_internal.operation_done(resolved, 'all_instances', written);
	RETURN true;
END
$$;
COMMENT ON FUNCTION vmnet_internal.instance_expunge(bigint, name) IS
'Body of vmnet.instance_expunge(), run with the rights that this has switched to';

CREATE FUNCTION vmnet.instance_expunge(instance_id bigint, inventory name DEFAULT NULL)
RETURNS boolean
AS 'MODULE_PATHNAME', 'inventory_entry'
LANGUAGE C;
COMMENT ON FUNCTION vmnet.instance_expunge(bigint, name) IS
'Removes an instance and all its NICs, half-removed ones too, in one step; returns false where it was removed already
Its rows stay for history, its state is Expunging. Nothing stops the machine itself: do that first. Managed inventories only.
Errors: 22023 for an unknown id or inventory; 42501 mirror_read_only.';

CREATE FUNCTION vmnet_internal.network_remove(network_id bigint, inventory name)
RETURNS boolean
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	ok boolean;
	resolved name := vmnet_internal.operation_inventory(inventory, 'all_networks');
	net record;
	written bigint;
BEGIN
	-- waits for those who are adding NICs; the guard then sees them all
	net := vmnet_internal.operation_lock_network(resolved, network_id, 'UPDATE');
	IF net.removed IS NOT NULL THEN
		RETURN false;
	END IF;
	EXECUTE format('UPDATE %I.all_networks SET state = ''Destroy'', removed = greatest($2, created) WHERE id = $1', resolved)
	USING network_id, clock_timestamp();
	GET DIAGNOSTICS written = ROW_COUNT;
	ok := vmnet_internal.operation_done(resolved, 'all_networks', written);
	RETURN true;
END
$$;
COMMENT ON FUNCTION vmnet_internal.network_remove(bigint, name) IS
'Body of vmnet.network_remove(), run with the rights that this has switched to';

CREATE FUNCTION vmnet.network_remove(network_id bigint, inventory name DEFAULT NULL)
RETURNS boolean
AS 'MODULE_PATHNAME', 'inventory_entry'
LANGUAGE C;
COMMENT ON FUNCTION vmnet.network_remove(bigint, name) IS
'Removes a network, whatever its state; returns false where it was removed already
Refused while it holds a NIC, half-removed ones and placeholders too; the error names them. Its row stays for history, its state is Destroy. Managed inventories only.
Errors: 22023 for an unknown id or inventory; 23503 network_in_use; 42501 mirror_read_only.';
