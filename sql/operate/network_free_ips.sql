--
-- Ranges and free addresses of networks
--

-- Parts of queries about a network and its ranges, whose rows have the aliases
-- "network" and "range": each is an expression.  Checks, reports and operations are
-- made of them.  {inv} stands for the inventory.
--
-- The subnet that a range is a part of; NULL where it is not known.
CREATE FUNCTION vmnet_internal.range_subnet(range text)
RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $$
SELECT format('CASE WHEN family(%1$s.netmask) = 4 AND family(coalesce(%1$s.gateway, %1$s.range_start)) = 4'
	' THEN network(set_masklen(coalesce(%1$s.gateway, %1$s.range_start), bit_count((%1$s.netmask - ''0.0.0.0'')::bit(32))::int)) END', $1)
$$;
COMMENT ON FUNCTION vmnet_internal.range_subnet(text) IS
'Expression: the subnet that a row of all_ip_ranges is a part of';

-- Is an address in one of the ranges of a network, whoever tells them; NULL where
-- the network has none.
CREATE FUNCTION vmnet_internal.address_in_network(address text, network text)
RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $$
SELECT format('(%1$s <<= coalesce(%2$s.network_cidr, %2$s.cidr) OR %1$s <<= %2$s.ip6_cidr OR %1$s <<= ANY (%2$s.all_cidrs)'
	' OR EXISTS (SELECT FROM {inv}.all_ip_ranges r WHERE r.network_id = %2$s.id AND r.active'
	' AND (%1$s BETWEEN r.range_start AND r.range_end OR %1$s <<= %3$s OR %1$s <<= r.ip6_cidr)))',
	$1, $2, vmnet_internal.range_subnet('r'))
$$;
COMMENT ON FUNCTION vmnet_internal.address_in_network(text, text) IS
'Condition: an address is in one of the ranges of a network';

-- The ranges and the gateways of a network, as two arrays: what tells one twice has it
-- twice.
CREATE FUNCTION vmnet_internal.network_subnets(network text)
RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $$
SELECT format('array_remove(%1$s.all_cidrs || coalesce(%1$s.network_cidr, %1$s.cidr) || %1$s.ip6_cidr || ARRAY('
	'SELECT s.subnet::cidr FROM {inv}.all_ip_ranges r CROSS JOIN LATERAL (VALUES (%2$s), (r.ip6_cidr)) s (subnet)'
	' WHERE r.network_id = %1$s.id AND r.active), NULL)', $1, vmnet_internal.range_subnet('r'))
$$;
COMMENT ON FUNCTION vmnet_internal.network_subnets(text) IS
'Expression: the ranges of a network, as an array of cidr';

CREATE FUNCTION vmnet_internal.network_gateways(network text)
RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $$
SELECT format('array_remove(%1$s.all_gateways || %1$s.gateway || %1$s.ip6_gateway || ARRAY('
	'SELECT g.gateway FROM {inv}.all_ip_ranges r CROSS JOIN LATERAL (VALUES (r.gateway), (r.ip6_gateway)) g (gateway)'
	' WHERE r.network_id = %1$s.id AND r.active), NULL)', $1)
$$;
COMMENT ON FUNCTION vmnet_internal.network_gateways(text) IS
'Expression: the gateways of a network, as an array of inet';

-- By what it is known which IPv4 addresses a network can give: addresses (it has rows
-- in all_ip_addresses), ranges (it has some in all_ip_ranges) or cidr.
CREATE FUNCTION vmnet_internal.network_counted_by(network text)
RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $$
SELECT format('CASE WHEN EXISTS (SELECT FROM {inv}.all_ip_addresses a WHERE a.source_network_id = %1$s.id AND a.active'
	' AND family(a.ip_address) = 4) THEN ''addresses'''
	' WHEN EXISTS (SELECT FROM {inv}.all_ip_ranges r WHERE r.network_id = %1$s.id AND r.active'
	' AND family(r.range_start) = 4 AND family(r.range_end) = 4) THEN ''ranges'''
	' WHEN family(%1$s.cidr) = 4 THEN ''cidr'' END', $1)
$$;
COMMENT ON FUNCTION vmnet_internal.network_counted_by(text) IS
'Expression: by what it is known which IPv4 addresses a network can give, as a text';

-- The next n IPv4 addresses that a network can give and that no NIC has; NULL where
-- there are none.  Of the addresses of a range as many are looked at as could be in
-- use, and n more.
CREATE FUNCTION vmnet_internal.free_ips(inventory name, network_id bigint, n int)
RETURNS inet[]
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
SET jit = off
AS $$
DECLARE
	counted_by text;
	reserved inet[];
	candidates text;
	result inet[];
BEGIN
	EXECUTE replace(format('SELECT %s, %s FROM {inv}.all_networks w WHERE w.id = $1 AND w.active',
		vmnet_internal.network_counted_by('w'), vmnet_internal.network_gateways('w')), '{inv}', quote_ident(inventory))
	INTO counted_by, reserved USING network_id;
	candidates := CASE counted_by
		WHEN 'addresses' THEN 'SELECT a.ip_address FROM {inv}.all_ip_addresses a'
			' WHERE a.source_network_id = $1 AND a.active AND a.state = ''Free'' AND family(a.ip_address) = 4'
		WHEN 'ranges' THEN 'SELECT r.range_start + g FROM {inv}.all_ip_ranges r CROSS JOIN LATERAL'
			' generate_series(0, LEAST(r.range_end - r.range_start, (SELECT count(*) FROM used) + $2)) g'
			' WHERE r.network_id = $1 AND r.active AND family(r.range_start) = 4 AND family(r.range_end) = 4'
		-- a network of one or two addresses has no reserved ones (RFC 3021)
		WHEN 'cidr' THEN 'SELECT host(s.base + f.first + g)::inet FROM (SELECT c AS cidr, network(c)::inet AS base, masklen(c) AS bits'
			'  FROM {inv}.all_networks w, unnest(coalesce(w.all_cidrs, ''{}'') || w.cidr) c WHERE w.id = $1 AND family(c) = 4) s'
			' CROSS JOIN LATERAL (SELECT CASE WHEN s.bits <= 30 THEN 1 ELSE 0 END) f (first) CROSS JOIN LATERAL'
			' generate_series(0, LEAST((1::bigint << 32 - s.bits) - 1 - 2 * f.first, (SELECT count(*) FROM used) + $2)) g' END;
	IF candidates IS NULL THEN
		RETURN NULL;
	END IF;
	EXECUTE replace('WITH used (address) AS MATERIALIZED (SELECT unnest($3)'
		' UNION SELECT n.ip4_address FROM {inv}.all_nics n WHERE n.network_id = $1 AND n.active AND n.ip4_address IS NOT NULL'
		' UNION SELECT s.ip4_address FROM {inv}.all_nic_secondary_ips s JOIN {inv}.all_nics n ON n.id = s.nic_id'
		'  WHERE s.network_id = $1 AND s.active AND n.active AND s.ip4_address IS NOT NULL)'
		' SELECT array_agg(f.address) FROM (SELECT DISTINCT c.address FROM (' || candidates || ') c (address)'
		'  WHERE NOT EXISTS (SELECT FROM used u WHERE u.address = c.address) ORDER BY c.address LIMIT $2) f',
		'{inv}', quote_ident(inventory))
	INTO result
	-- a row that is Free can be given even if it is that of a gateway
	USING network_id, n, CASE counted_by WHEN 'addresses' THEN '{}'::inet[] ELSE reserved END;
	RETURN result;
END
$$;
COMMENT ON FUNCTION vmnet_internal.free_ips(name, bigint, int) IS
'Part of network_free_ips(): the next free IPv4 addresses of a network';

-- Can a network give an address: it is one of its rows that are Free, or in one of
-- its ranges; NULL where it has neither of this family.
CREATE FUNCTION vmnet_internal.can_give_ip(inventory name, network_id bigint, address inet)
RETURNS boolean
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	result boolean;
BEGIN
	EXECUTE format('SELECT coalesce('
		'(SELECT bool_or(a.ip_address = $2 AND a.state = ''Free'') FROM %1$I.all_ip_addresses a'
		'  WHERE a.source_network_id = $1 AND a.active AND family(a.ip_address) = family($2)),'
		'(SELECT bool_or($2 BETWEEN r.range_start AND r.range_end) FROM %1$I.all_ip_ranges r'
		'  WHERE r.network_id = $1 AND r.active AND family(r.range_start) = family($2) AND family(r.range_end) = family($2)))', inventory)
	INTO result USING network_id, address;
	RETURN result;
END
$$;
COMMENT ON FUNCTION vmnet_internal.can_give_ip(name, bigint, inet) IS
'Part of the operations: whether a network can give an address; NULL where only its cidr tells';

-- The same two by all rows for who may write to the table of NICs, else by the rows
-- that the caller sees; see src/nic/address_check.c.
CREATE FUNCTION vmnet_internal.writer_free_ips(inventory name, network_id bigint, n int)
RETURNS inet[]
AS 'MODULE_PATHNAME', 'writer_free_ips'
LANGUAGE C STABLE COST 1000;
COMMENT ON FUNCTION vmnet_internal.writer_free_ips(name, bigint, int) IS
'Part of network_free_ips(): free_ips() by all rows for writers';

CREATE FUNCTION vmnet_internal.writer_can_give_ip(inventory name, network_id bigint, address inet)
RETURNS boolean
AS 'MODULE_PATHNAME', 'writer_can_give_ip'
LANGUAGE C COST 100;
COMMENT ON FUNCTION vmnet_internal.writer_can_give_ip(name, bigint, inet) IS
'Part of the operations: can_give_ip() by all rows for writers';

CREATE FUNCTION vmnet_internal.network_free_ips(net_id bigint, n int, inventory name)
RETURNS TABLE (ip_address inet)
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	target name := vmnet_internal.resolve_inventory(inventory);
	other_view text;
	other_type text;
BEGIN
	SELECT o.view, o.type INTO other_view, other_type FROM vmnet_internal.attached_other_keys(target) o;
	IF other_view IS NOT NULL THEN
		RAISE EXCEPTION USING
			ERRCODE = 'invalid_parameter_value',
			MESSAGE = format('inventory "%s" cannot be read by functions that take bigint', target),
			DETAIL = format('The ids of its view "%s" are of type %s.', other_view, other_type),
			HINT = format('Use its views: %I.network_instances lists the active instances of each network.', target);
	END IF;
	IF n IS NULL OR n NOT BETWEEN 0 AND 65536 THEN
		RAISE EXCEPTION USING
			ERRCODE = 'invalid_parameter_value',
			MESSAGE = 'n must be between 0 and 65536',
			DETAIL = format('It is %s.', coalesce(n::text, 'NULL')),
			HINT = 'Leave it out for 10 addresses.';
	END IF;
	RETURN QUERY SELECT unnest(vmnet_internal.writer_free_ips(target, net_id, n));
END
$$;
COMMENT ON FUNCTION vmnet_internal.network_free_ips(bigint, int, name) IS
'Body of vmnet.network_free_ips(), which switches to the owner of the inventory';

CREATE FUNCTION vmnet.network_free_ips(net_id bigint, n int DEFAULT 10, inventory name DEFAULT NULL)
RETURNS TABLE (ip_address inet)
AS 'MODULE_PATHNAME', 'inventory_entry'
LANGUAGE C STABLE PARALLEL UNSAFE COST 1000 ROWS 10;
COMMENT ON FUNCTION vmnet.network_free_ips(bigint, int, name) IS
'The next free IPv4 addresses of a network, in order, at most n
Of a network that has rows in ip_addresses (CloudStack: Shared and Public networks) those that are Free; of another one that has ranges in '
'ip_ranges the addresses in these; else those of its cidr and all_cidrs, without the network''s own and its broadcast. No address that an '
'active NIC of the network has, also as a secondary one; no gateway, unless its row is Free. nic_add() and nic_set_ip() give User NICs '
'the same addresses, and the rest of network_cidr where a network has only a cidr.
Who may write to all_nics is answered by all rows, everybody else by the rows that he sees. No row for NULL, an unknown id or a removed '
'network. Errors: 22023 for an unknown inventory, and for n that is NULL, negative or more than 65536.';
