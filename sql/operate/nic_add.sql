--
-- nic_add()
--

-- Returns the MAC address for the id of a NIC: locally administered, unicast.  The
-- other 46 bits are the id, combined by exclusive or with a hash of the inventory,
-- so that two inventories on one wire do not begin at the same address.  NICs that
-- are added concurrently get different addresses.
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
'Part of the operations: MAC address for the id of a NIC';

-- Returns an id for a new NIC, and a MAC address that no live NIC of the inventory
-- has.  An id whose address is in use is skipped; the index on mac_address is read.
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
'Part of the operations: next id for a NIC, and a free MAC address if none is given';

-- Returns the lowest free device position of an instance, and whether it has no
-- default NIC.  Refuses a User instance that is on the network already.  The caller
-- has locked the instance FOR NO KEY UPDATE.
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
				ELSE ' Use that one, or remove it first: ' || vmnet_internal.operation_call(inventory, 'nic_remove',
					place.there_id::text) END);
	END IF;
	device_id := place.device_id;
	default_nic := place.no_default;
END
$$;
COMMENT ON FUNCTION vmnet_internal.operation_new_device(name, bigint, bigint, boolean) IS
'Part of the operations: lowest free device position of an instance, and whether a new NIC is its default';

-- Refuses arguments of nic_add() that are never valid.
CREATE FUNCTION vmnet_internal.operation_check_new(inventory name, instance_id bigint, mac macaddr, strategy text)
RETURNS boolean
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	-- raises an error for an unknown strategy
	IF vmnet.nic_next_state('Allocated', 'RemoveRequested', strategy) IS NULL THEN
		RETURN vmnet_internal.operation_refuse('22023', inventory, 'all_nics', 'nic_strategy_valid',
			'the strategy of a NIC cannot be NULL', 'The strategy determines how the NIC gets its address.',
			'Leave it out for ''Start'', or give one that vmnet.nic_state_transitions() shows.');
	END IF;
	IF instance_id IS NULL AND strategy <> 'PlaceHolder' THEN
		RETURN vmnet_internal.operation_refuse('22023', inventory, 'all_nics', 'nic_instance_required',
			'instance NULL does not exist', format('Only a NIC of strategy "PlaceHolder" has no instance; this one is of strategy "%s".',
				strategy),
			'Give the id of a live instance, or strategy => ''PlaceHolder'' to reserve an address.');
	END IF;
	IF mac & '01:00:00:00:00:00' <> '00:00:00:00:00:00' OR mac = '00:00:00:00:00:00' THEN
		RETURN vmnet_internal.operation_refuse('22023', inventory, 'all_nics', NULL,
			format('%s is not the MAC address of one NIC', mac),
			CASE WHEN mac = '00:00:00:00:00:00' THEN 'It is all zeros.'
				ELSE 'It is a group address: the lowest bit of its first byte is set.' END,
			'Give a unicast address, or leave it out for a free one.');
	END IF;
	RETURN true;
END
$$;
COMMENT ON FUNCTION vmnet_internal.operation_check_new(name, bigint, macaddr, text) IS
'Part of the operations: refuses invalid arguments of nic_add()';

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
			format('cannot add a NIC to %s %s, which has been removed', noun, CASE noun WHEN 'network' THEN network_id
				ELSE instance_id END),
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
	-- a NIC without an instance reserves an address for a router
	SELECT NULL::bigint AS id, 'DomainRouter' AS type, NULL AS state, NULL::bigint AS zone_id, NULL::timestamptz AS removed INTO vm;
	IF instance_id IS NOT NULL THEN
		vm := vmnet_internal.operation_lock_instance(resolved, instance_id, 'NO KEY UPDATE');
	END IF;
	is_user := vm.type = 'User';
	ok := vmnet_internal.operation_check_parents(resolved, instance_id, network_id, vm.removed, net.removed, vm.zone_id, net.zone_id);
	ok := vmnet_internal.operation_check_instance_state(resolved, instance_id, vm.state);
	place := vmnet_internal.operation_new_device(resolved, instance_id, network_id, is_user);
	ok := vmnet_internal.operation_check_ips(resolved, network_id, ip4, ip6, NULL, is_user, net.subnets, net.gateways);
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
		fresh.mac_address, ip4, ip6, netmask(vmnet_internal.operation_subnet(ip4, net.subnets)),
		vmnet_internal.operation_gateway(ip4, net.subnets, net.gateways);
	GET DIAGNOSTICS written = ROW_COUNT;
	ok := vmnet_internal.operation_done(resolved, 'all_nics', written);
	RETURN fresh.id;
END
$$;
COMMENT ON FUNCTION vmnet_internal.nic_add(bigint, bigint, inet, inet, macaddr, text, name) IS
'Body of vmnet.nic_add(), which switches to the owner of the inventory';

CREATE FUNCTION vmnet.nic_add(instance_id bigint, network_id bigint, ip4 inet DEFAULT NULL, ip6 inet DEFAULT NULL,
	mac macaddr DEFAULT NULL, strategy text DEFAULT 'Start', inventory name DEFAULT NULL)
RETURNS bigint
AS 'MODULE_PATHNAME', 'inventory_entry'
LANGUAGE C COST 100;
COMMENT ON FUNCTION vmnet.nic_add(bigint, bigint, inet, inet, macaddr, text, name) IS
'Adds a NIC: puts an instance, Running or Stopped, on a network; returns the id of the NIC
It is Allocated, in the lowest free device position, and the default if the instance has none. Without a MAC address it gets a '
'locally administered one that no live NIC of the inventory has. An IP address must lie in a range of the network (coalesce(network_cidr, '
'cidr), ip6_cidr, all_cidrs or those of ip_ranges, where any is known), and not be the network''s own, its broadcast or, for a User '
'instance, its gateway. Where the network has rows in ip_addresses or ip_ranges, a User NIC gets the addresses that '
'vmnet.network_free_ips() has. MAC and IP addresses must not be in use on the network: a User NIC shares an address with no other NIC; '
'other NICs may share one. netmask and gateway are those of the address''s range if ip4 is given.
instance_id NULL and strategy PlaceHolder: reserves an address for a router, in state Reserved. Managed inventories only.
Errors: 22023 for an unknown id, strategy or inventory, or an argument that is not a single address; 23503 nic_parent_active; 23505 '
'all_nics_one_per_network, all_nics_one_mac, _ip4, _ip6, user_mac_held_by_other, user_ip_held_by_other, nic_ip_is_secondary; 23514 '
'instance_running_or_stopped, nic_same_zone, nic_ip_in_cidr, nic_ip_reserved, nic_ip_given; 42501 mirror_read_only.';
