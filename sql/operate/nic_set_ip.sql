--
-- nic_set_ip()
--

-- Refuses to change the IP address of a NIC that is not one of a User instance, or
-- whose network assigns no addresses.
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
			format('network %s assigns no IP addresses', network_id), 'Its guest type is "L2".',
			'Instances on an L2 network choose their own addresses.');
	ELSIF network_state NOT IN ('Allocated', 'Implemented', 'Setup') THEN
		RETURN vmnet_internal.operation_refuse('23514', inventory, 'all_networks', 'network_ready',
			format('network %s is not ready to assign an address', network_id),
			format('Its state is "%s".', network_state),
			'Try again when it is Allocated, Implemented or Setup.');
	END IF;
	RETURN true;
END
$$;
COMMENT ON FUNCTION vmnet_internal.operation_check_set_ip(name, bigint, boolean, text, bigint, text, text) IS
'Part of the operations: refuses NICs and networks that nic_set_ip() does not support';

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
			format('no address is given for NIC %s', coalesce(nic_id::text, 'NULL')),
				'Both ip4 and ip6 are NULL, which leaves them as they are.',
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
	ok := vmnet_internal.operation_check_ips(resolved, net.id, ip4, ip6, nic_id, is_user, net.subnets, net.gateways);

	ok := vmnet_internal.operation_touch(resolved, 'all_networks', net.id);
	EXECUTE format('UPDATE %I.all_nics SET ip4_address = coalesce($2, ip4_address), ip6_address = coalesce($3, ip6_address),
			netmask = CASE WHEN $2 IS NULL THEN netmask ELSE $4 END, gateway = CASE WHEN $2 IS NULL THEN gateway ELSE $5 END
		WHERE id = $1', resolved)
	USING nic_id, ip4, ip6, netmask(vmnet_internal.operation_subnet(ip4, net.subnets)),
		vmnet_internal.operation_gateway(ip4, net.subnets, net.gateways);
	GET DIAGNOSTICS written = ROW_COUNT;
	ok := vmnet_internal.operation_done(resolved, 'all_nics', written);
	RETURN true;
END
$$;
COMMENT ON FUNCTION vmnet_internal.nic_set_ip(bigint, inet, inet, name) IS
'Body of vmnet.nic_set_ip(), which switches to the owner of the inventory';

CREATE FUNCTION vmnet.nic_set_ip(nic_id bigint, ip4 inet DEFAULT NULL, ip6 inet DEFAULT NULL, inventory name DEFAULT NULL)
RETURNS boolean
AS 'MODULE_PATHNAME', 'inventory_entry'
LANGUAGE C COST 100;
COMMENT ON FUNCTION vmnet.nic_set_ip(bigint, inet, inet, name) IS
'Gives a live User NIC other IP addresses; returns false if it has them already
NULL leaves an address unchanged. The old address is free at once; the NIC keeps its id, MAC address and device position. Rules for '
'addresses are those of nic_add(). The network must be Allocated, Implemented or Setup, and not L2. Managed inventories only.
Errors: 22023 for an unknown id or inventory, no address, or an argument that is not a single address; 23505 all_nics_one_ip4, _ip6, '
'user_ip_held_by_other, nic_ip_is_secondary; 23514 nic_live, nic_set_ip_user, nic_set_ip_not_l2, network_ready, nic_ip_in_cidr, '
'nic_ip_reserved, nic_ip_given; 42501 mirror_read_only.';
