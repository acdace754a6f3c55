--
-- Addresses that an operation assigns
--

-- The largest of the subnets of a network that an address is in; NULL where it is
-- in none.
CREATE FUNCTION vmnet_internal.operation_subnet(address inet, subnets cidr[])
RETURNS cidr
LANGUAGE sql IMMUTABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $$ SELECT s FROM unnest($2) s WHERE $1 <<= s ORDER BY masklen(s), s LIMIT 1 $$;
COMMENT ON FUNCTION vmnet_internal.operation_subnet(inet, cidr[]) IS
'Part of the operations: the largest of the subnets of a network that an address is in';

-- The gateway that a NIC with an address gets: the first one in its subnet, else the
-- first one.
CREATE FUNCTION vmnet_internal.operation_gateway(address inet, subnets cidr[], gateways inet[])
RETURNS inet
LANGUAGE sql IMMUTABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $$
SELECT g.gateway FROM unnest($3) WITH ORDINALITY g (gateway, ord)
WHERE family(g.gateway) = family($1)
ORDER BY (g.gateway <<= vmnet_internal.operation_subnet($1, $2)) IS NOT TRUE, g.ord
LIMIT 1
$$;
COMMENT ON FUNCTION vmnet_internal.operation_gateway(inet, cidr[], inet[]) IS
'Part of the operations: the gateway that a NIC with an address gets';

-- Refuses an address that is not a single address of its family, is outside the
-- network, or is reserved.  A router may have the address of the gateway.
CREATE FUNCTION vmnet_internal.operation_check_range(inventory name, network_id bigint, address inet, version int,
	subnets cidr[], gateways inet[], is_user boolean)
RETURNS boolean
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	bits int := CASE version WHEN 4 THEN 32 ELSE 128 END;
	refused text := format('network %s cannot assign %s', network_id, host(address));
	ranges text := (SELECT string_agg(s.subnet::text, ', ' ORDER BY s.subnet)
		FROM (SELECT DISTINCT u AS subnet FROM unnest(subnets) u WHERE family(u) = version) s);
	range cidr := vmnet_internal.operation_subnet(address, subnets);
	reserved text;
BEGIN
	IF family(address) <> version OR masklen(address) <> bits THEN
		RETURN vmnet_internal.operation_refuse('22023', inventory, 'all_nics', format('nic_ip%s_address_valid', version)::name,
			format('ip%s must be one IPv%s address', version, version),
			format('It is %s.', address),
			CASE WHEN family(address) <> version THEN format('Give it as ip%s => %L.', family(address), host(address))
				ELSE format('Give it without a prefix length: %s.', host(address)) END);
	END IF;
	IF range IS NULL AND ranges IS NOT NULL THEN
		RETURN vmnet_internal.operation_refuse('23514', inventory, 'all_nics', 'nic_ip_in_cidr', refused,
			format('It is not in %s.', ranges),
			'Choose an address of the network; see cidr, network_cidr and ip6_cidr in the view networks.');
	END IF;
	-- networks of one or two addresses have no reserved ones (RFC 3021, RFC 6164)
	reserved := CASE
		WHEN masklen(range) <= bits - 2 AND host(address) = host(network(range)) THEN 'the network address of ' || range
		WHEN version = 4 AND masklen(range) <= bits - 2 AND host(address) = host(broadcast(range)) THEN 'the broadcast address of ' || range
		WHEN is_user AND EXISTS (SELECT FROM unnest(gateways) g WHERE host(address) = host(g)) THEN 'the gateway of the network' END;
	IF reserved IS NOT NULL THEN
		RETURN vmnet_internal.operation_refuse('23514', inventory, 'all_nics', 'nic_ip_reserved', refused,
			format('It is %s.', reserved), 'Choose another address of the network.');
	END IF;
	RETURN true;
END
$$;
COMMENT ON FUNCTION vmnet_internal.operation_check_range(name, bigint, inet, int, cidr[], inet[], boolean) IS
'Part of the operations: refuses an address that a network cannot assign';

-- Refuses an address that network_free_ips() would not have: the network gives
-- addresses by rows or ranges, and it is none of these.  Routers and placeholders
-- have theirs from elsewhere.
CREATE FUNCTION vmnet_internal.operation_check_given(inventory name, network_id bigint, address inet, is_user boolean)
RETURNS boolean
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	IF is_user AND NOT vmnet_internal.writer_can_give_ip(inventory, network_id, address) THEN
		RETURN vmnet_internal.operation_refuse('23514', inventory, 'all_nics', 'nic_ip_given',
			format('network %s cannot assign %s', network_id, host(address)),
			'It gives the addresses that have a row in ip_addresses whose state is Free, or, without rows, those of its rows in ip_ranges.',
			'Choose one of these: ' || replace(vmnet_internal.operation_call(inventory, 'network_free_ips', network_id::text), 'SELECT',
				'SELECT * FROM'));
	END IF;
	RETURN true;
END
$$;
COMMENT ON FUNCTION vmnet_internal.operation_check_given(name, bigint, inet, boolean) IS
'Part of the operations: refuses an address that a network does not give to User NICs';

-- Refuses an address that is a secondary address of a live NIC of the network,
-- also of the NIC that is to get it.
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
			ELSE format('Choose another address, or remove that one first: UPDATE %I.nic_secondary_ips SET removed = now() WHERE id = '
				'%s;', inventory, holder.address_id) END);
END
$$;
COMMENT ON FUNCTION vmnet_internal.operation_check_secondary(name, bigint, name, inet) IS
'Part of the operations: refuses an IP address that is a secondary address of a live NIC of the network';

-- Refuses an address that a live NIC of the network has.  A User NIC shares its
-- address with no other NIC; routers and placeholders may share one (redundant
-- routers do, and a placeholder has the address of its router).
--
-- The unique indexes contain User NICs only.  So the caller has locked the network
-- FOR NO KEY UPDATE until the end of its transaction: calls that specify an address
-- are serialized per network.  The lock does not conflict with calls that add NICs
-- without an address.
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
		CASE WHEN holder.holder_id IS NULL THEN 'Choose another address.' ELSE 'Choose another address. Addresses in use: '
			|| replace(vmnet_internal.operation_call(inventory, 'network_active_nics', network_id::text), 'SELECT', 'SELECT * FROM') END);
END
$$;
COMMENT ON FUNCTION vmnet_internal.operation_check_free(name, bigint, name, text, text, bigint, boolean) IS
'Part of the operations: refuses a MAC or IP address that a live NIC of the network has';

-- Checks the IP addresses that a NIC is to get.
CREATE FUNCTION vmnet_internal.operation_check_ips(inventory name, network_id bigint, ip4 inet, ip6 inet, nic_id bigint,
	is_user boolean, subnets cidr[], gateways inet[])
RETURNS boolean
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	ok boolean;
BEGIN
	IF ip4 IS NOT NULL THEN
		ok := vmnet_internal.operation_check_range(inventory, network_id, ip4, 4, subnets, gateways, is_user);
		ok := vmnet_internal.operation_check_given(inventory, network_id, ip4, is_user);
		ok := vmnet_internal.operation_check_free(inventory, network_id, 'ip4_address', 'inet', host(ip4), nic_id, is_user);
	END IF;
	IF ip6 IS NOT NULL THEN
		ok := vmnet_internal.operation_check_range(inventory, network_id, ip6, 6, subnets, gateways, is_user);
		ok := vmnet_internal.operation_check_given(inventory, network_id, ip6, is_user);
		ok := vmnet_internal.operation_check_free(inventory, network_id, 'ip6_address', 'inet', host(ip6), nic_id, is_user);
	END IF;
	RETURN true;
END
$$;
COMMENT ON FUNCTION vmnet_internal.operation_check_ips(name, bigint, inet, inet, bigint, boolean, cidr[], inet[]) IS
'Part of the operations: refuses IP addresses that a NIC cannot have on a network';
