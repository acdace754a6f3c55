--
-- Columns of an inventory: each is said here, and nowhere else
--

-- The columns of the tables of an inventory, in order.
-- how: serial (numbered by a sequence), default or generated (from expression).
-- required_in: kinds of inventory in which it is NOT NULL.  key: it holds the key
-- of a network, an instance or a NIC, which over attached tables has the type of
-- theirs.  in_view: the live view of the table, and what reads attached tables,
-- has it.  source_column: where an import takes it from, in CloudStack's table or
-- in the table from_lookup, which is joined by lookup_key; needed: an import
-- refuses to run without; if_absent: its value where the source has no such column.
-- In PL/pgSQL, which plans this long query once a session and not at each call.
-- table of data
CREATE FUNCTION vmnet_internal.inventory_columns()
RETURNS TABLE (relation text, name text, type text, how text, expression text, required_in text[], key text, in_view boolean,
	source_column text, from_lookup text, lookup_key text, needed boolean, if_absent text, comment text, ord int)
LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $columns$
BEGIN
RETURN QUERY SELECT c.relation, c.name, c.type, c.how, c.expression, c.required_in::text[], c.key, c.in_view,
	c.source_column, c.from_lookup, c.lookup_key, c.needed, c.if_absent, c.comment, row_number() OVER ()::int
FROM (VALUES
('all_networks', 'id', 'bigint', 'serial', NULL, '{managed,mirror}', 'network', true, 'id', NULL, NULL, true, NULL,
	'Id of the network'),
('all_networks', 'uuid', 'uuid', 'default', 'pg_catalog.gen_random_uuid()', '{managed}', NULL, true, 'uuid', NULL, NULL, false, NULL,
	'Universal id; in a mirror NULL where the source has none'),
('all_networks', 'name', 'text', NULL, NULL, NULL, NULL, true, 'name', NULL, NULL, false, NULL,
	'Name that its owner gave it, or NULL'),
('all_networks', 'state', 'text', 'default', '''Allocated''', '{managed,mirror}', NULL, true, 'state', NULL, NULL, true, NULL,
	'State of the network, as its system calls it
In CloudStack Allocated, Implementing, Implemented, Shutdown, Setup or Destroy.'),
('all_networks', 'traffic_type', 'text', 'default', '''Guest''', '{managed}', NULL, true, 'traffic_type', NULL, NULL, false, NULL,
	'What the network carries
In CloudStack Guest, Public, Management, Control or Storage.'),
('all_networks', 'guest_type', 'text', NULL, NULL, NULL, NULL, true, 'guest_type', NULL, NULL, false, NULL,
	'Isolated, Shared or L2; NULL for a network that is not for guests'),
('all_networks', 'cidr', 'cidr', NULL, NULL, NULL, NULL, true, 'cidr', NULL, NULL, false, NULL,
	'IPv4 range that addresses are given from, or NULL'),
('all_networks', 'network_cidr', 'cidr', NULL, NULL, NULL, NULL, true, 'network_cidr', NULL, NULL, false, NULL,
	'Whole IPv4 range of the network where cidr is only a part of it, else NULL
CloudStack: IP reservation.'),
('all_networks', 'gateway', 'inet', NULL, NULL, NULL, NULL, true, 'gateway', NULL, NULL, false, NULL,
	'IPv4 gateway of the network, or NULL'),
('all_networks', 'ip6_cidr', 'cidr', NULL, NULL, NULL, NULL, true, 'ip6_cidr', NULL, NULL, false, NULL,
	'IPv6 range, or NULL'),
('all_networks', 'ip6_gateway', 'inet', NULL, NULL, NULL, NULL, true, 'ip6_gateway', NULL, NULL, false, NULL,
	'IPv6 gateway, or NULL'),
('all_networks', 'all_cidrs', 'cidr[]', NULL, NULL, NULL, NULL, true, 'cidr', NULL, NULL, false, NULL,
	'All ranges of the network, IPv4 and IPv6, where the source tells them
cidr and ip6_cidr are the first of each. CloudStack 4.21 and later have lists. More ranges can be in all_ip_ranges.'),
('all_networks', 'all_gateways', 'inet[]', NULL, NULL, NULL, NULL, true, 'gateway', NULL, NULL, false, NULL,
	'All gateways of the network, IPv4 and IPv6, where the source tells them
gateway and ip6_gateway are the first of each.'),
('all_networks', 'vpc_id', 'bigint', NULL, NULL, NULL, NULL, true, 'vpc_id', NULL, NULL, false, NULL,
	'VPC that the network is a tier of, or NULL'),
('all_networks', 'zone_id', 'bigint', NULL, NULL, NULL, NULL, true, 'data_center_id', NULL, NULL, false, NULL,
	'Zone, or NULL'),
('all_networks', 'domain_id', 'bigint', NULL, NULL, NULL, NULL, true, 'domain_id', NULL, NULL, false, NULL,
	'Domain of the owner, or NULL'),
('all_networks', 'account_id', 'bigint', NULL, NULL, NULL, NULL, true, 'account_id', NULL, NULL, false, NULL,
	'Account of the owner, or NULL'),
('all_networks', 'account_name', 'text', NULL, NULL, NULL, NULL, true, 'account_name', 'account', 'account_id', false, NULL,
	'Name of the account; NULL where the source lacks it'),
('all_networks', 'domain_path', 'text', NULL, NULL, NULL, NULL, true, 'path', 'domain', 'domain_id', false, NULL,
	'Path of the domain; NULL where the source lacks it'),
('all_networks', 'zone_name', 'text', NULL, NULL, NULL, NULL, true, 'name', 'data_center', 'data_center_id', false, NULL,
	'Name of the zone; NULL where the source lacks it'),
('all_networks', 'nics_count', 'bigint', NULL, NULL, NULL, NULL, true, 'nics_count', 'op_networks', 'id', false, NULL,
	'Counter of the source, kept to be checked, never used; NULL where it has none
CloudStack: op_networks.nics_count.'),
('all_networks', 'created', 'timestamptz', 'default', 'pg_catalog.now()', '{managed,mirror}', NULL, true,
	'created', NULL, NULL, true, NULL,
	'When it was created'),
('all_networks', 'removed', 'timestamptz', NULL, NULL, NULL, NULL, true, 'removed', NULL, NULL, true, NULL,
	'When it was removed; NULL: it is not'),
('all_networks', 'active', 'boolean', 'generated', 'removed IS NULL', NULL, NULL, false, NULL, NULL, NULL, NULL, NULL,
	'Is it live: not removed'),
('all_instances', 'id', 'bigint', 'serial', NULL, '{managed,mirror}', 'instance', true, 'id', NULL, NULL, true, NULL,
	'Id of the instance'),
('all_instances', 'uuid', 'uuid', 'default', 'pg_catalog.gen_random_uuid()', '{managed}', NULL, true, 'uuid', NULL, NULL, false, NULL,
	'Universal id; in a mirror NULL where the source has none'),
('all_instances', 'name', 'text', NULL, NULL, NULL, NULL, true, 'name', NULL, NULL, false, NULL,
	'Name, or NULL'),
('all_instances', 'display_name', 'text', NULL, NULL, NULL, NULL, true, 'display_name', NULL, NULL, false, NULL,
	'Name that its owner sees, or NULL'),
('all_instances', 'instance_name', 'text', NULL, NULL, NULL, NULL, true, 'instance_name', NULL, NULL, false, NULL,
	'Name that the hypervisor knows it by (CloudStack: i-2-3-VM), or NULL'),
('all_instances', 'type', 'text', 'default', '''User''', '{managed}', NULL, true, 'type', NULL, NULL, false, NULL,
	'User, or which kind of router or system VM'),
('all_instances', 'state', 'text', 'default', '''Stopped''', '{managed,mirror}', NULL, true, 'state', NULL, NULL, true, NULL,
	'State of the instance, as its system calls it
In CloudStack Running, Stopped, Destroyed and others.'),
('all_instances', 'host_id', 'bigint', NULL, NULL, NULL, NULL, true, 'host_id', NULL, NULL, false, NULL,
	'Host that it runs on, or NULL'),
('all_instances', 'host_name', 'text', NULL, NULL, NULL, NULL, true, 'name', 'host', 'host_id', false, NULL,
	'Name of the host; NULL where the source lacks it'),
('all_instances', 'zone_id', 'bigint', NULL, NULL, NULL, NULL, true, 'data_center_id', NULL, NULL, false, NULL,
	'Zone, or NULL'),
('all_instances', 'domain_id', 'bigint', NULL, NULL, NULL, NULL, true, 'domain_id', NULL, NULL, false, NULL,
	'Domain of the owner, or NULL'),
('all_instances', 'account_id', 'bigint', NULL, NULL, NULL, NULL, true, 'account_id', NULL, NULL, false, NULL,
	'Account of the owner, or NULL'),
('all_instances', 'account_name', 'text', NULL, NULL, NULL, NULL, true, 'account_name', 'account', 'account_id', false, NULL,
	'Name of the account; NULL where the source lacks it'),
('all_instances', 'domain_path', 'text', NULL, NULL, NULL, NULL, true, 'path', 'domain', 'domain_id', false, NULL,
	'Path of the domain; NULL where the source lacks it'),
('all_instances', 'zone_name', 'text', NULL, NULL, NULL, NULL, true, 'name', 'data_center', 'data_center_id', false, NULL,
	'Name of the zone; NULL where the source lacks it'),
('all_instances', 'created', 'timestamptz', 'default', 'pg_catalog.now()', '{managed,mirror}', NULL, true,
	'created', NULL, NULL, true, NULL,
	'When it was created'),
('all_instances', 'removed', 'timestamptz', NULL, NULL, NULL, NULL, true, 'removed', NULL, NULL, true, NULL,
	'When it was removed; NULL: it is not'),
('all_instances', 'active', 'boolean', 'generated', 'removed IS NULL', NULL, NULL, false, NULL, NULL, NULL, NULL, NULL,
	'Is it live: not removed'),
('all_nics', 'id', 'bigint', 'serial', NULL, '{managed,mirror}', 'nic', true, 'id', NULL, NULL, true, NULL,
	'Id of the NIC'),
('all_nics', 'uuid', 'uuid', 'default', 'pg_catalog.gen_random_uuid()', '{managed}', NULL, true, 'uuid', NULL, NULL, false, NULL,
	'Universal id; in a mirror NULL where the source has none'),
('all_nics', 'instance_id', 'bigint', NULL, NULL, NULL, 'instance', true, 'instance_id', NULL, NULL, true, NULL,
	'Instance that the NIC belongs to; NULL for a placeholder'),
('all_nics', 'network_id', 'bigint', NULL, NULL, '{managed,mirror}', 'network', true, 'network_id', NULL, NULL, true, NULL,
	'Network that the NIC is on'),
('all_nics', 'state', 'text', 'default', '''Allocated''', '{managed,mirror}', NULL, true, 'state', NULL, NULL, true, NULL,
	replace(vmnet_internal.nic_state_list(), '''', '') || '
It moves as vmnet.nic_state_transitions() says.'),
('all_nics', 'strategy', 'text', 'default', '''Start''', '{managed}', NULL, true, 'strategy', NULL, NULL, false, NULL,
	'How the NIC gets its address: Start, Create, Managed or PlaceHolder
At each start of the instance, once, elsewhere; a placeholder parks an address.'),
('all_nics', 'reserver_name', 'text', NULL, NULL, NULL, NULL, true, 'reserver_name', NULL, NULL, false, NULL,
	'Who reserves the address (CloudStack: class of the network guru), or NULL'),
('all_nics', 'reservation_id', 'text', NULL, NULL, NULL, NULL, true, 'reservation_id', NULL, NULL, false, NULL,
	'Reservation that the address belongs to (CloudStack: one per start), or NULL'),
('all_nics', 'vm_type', 'text', 'default', '''User''', '{managed}', NULL, true, 'vm_type', NULL, NULL, false, NULL,
	'Type of the instance: User, or which kind of router or system VM'),
('all_nics', 'device_id', 'integer', NULL, NULL, NULL, NULL, true, 'device_id', NULL, NULL, false, NULL,
	'Position of the NIC in the instance, from 0, or NULL'),
-- a rule of a managed inventory, not NOT NULL: mappers would require it of every new object
('all_nics', 'default_nic', 'boolean', NULL, NULL, NULL, NULL, true, 'default_nic', NULL, NULL, false, NULL,
	'Is it the instance''s default NIC
Where an INSERT does not say, the first live NIC of an instance becomes it.'),
('all_nics', 'mac_address', 'macaddr', NULL, NULL, NULL, NULL, true, 'mac_address', NULL, NULL, false, NULL,
	'MAC address, or NULL'),
('all_nics', 'ip4_address', 'inet', NULL, NULL, NULL, NULL, true, 'ip4_address', NULL, NULL, false, NULL,
	'IPv4 address, or NULL'),
('all_nics', 'ip6_address', 'inet', NULL, NULL, NULL, NULL, true, 'ip6_address', NULL, NULL, false, NULL,
	'IPv6 address, or NULL'),
('all_nics', 'netmask', 'inet', NULL, NULL, NULL, NULL, true, 'netmask', NULL, NULL, false, NULL,
	'IPv4 netmask, or NULL'),
('all_nics', 'gateway', 'inet', NULL, NULL, NULL, NULL, true, 'gateway', NULL, NULL, false, NULL,
	'IPv4 gateway of the NIC, or NULL'),
('all_nics', 'broadcast_uri', 'text', NULL, NULL, NULL, NULL, true, 'broadcast_uri', NULL, NULL, false, NULL,
	'Where its traffic goes (CloudStack: vlan://300), or NULL'),
('all_nics', 'mtu', 'bigint', NULL, NULL, NULL, NULL, true, 'mtu', NULL, NULL, false, NULL,
	'MTU in bytes, or NULL'),
('all_nics', 'enabled', 'boolean', 'default', 'true', '{managed}', NULL, true, 'enabled', NULL, NULL, false, 'true',
	'Is the link up (CloudStack 4.23 and later; true where the source does not say)'),
('all_nics', 'created', 'timestamptz', 'default', 'pg_catalog.now()', '{managed,mirror}', NULL, true, 'created', NULL, NULL, true, NULL,
	'When it was created'),
('all_nics', 'state_changed', 'timestamptz', 'default', 'pg_catalog.now()', '{managed,mirror}', NULL, true, NULL, NULL, NULL, NULL, NULL,
	'When the state changed last; set by the inventory, a client''s value is ignored
In a mirror: when the source or the import saw the change.'),
('all_nics', 'removed', 'timestamptz', NULL, NULL, NULL, NULL, true, 'removed', NULL, NULL, true, NULL,
	'When it was removed; NULL: it is not'),
('all_nics', 'active', 'boolean', 'generated',
	'removed IS NULL AND pg_catalog.lower(state COLLATE "C") <> ''deallocating''', NULL, NULL, false,
	NULL, NULL, NULL, NULL, NULL,
	'Is the NIC live: neither removed nor Deallocating'),
('all_nics', 'ended', 'timestamptz', 'generated',
	'LEAST(removed, CASE WHEN pg_catalog.lower(state COLLATE "C") = ''deallocating'' THEN state_changed END)', NULL, NULL, false,
	NULL, NULL, NULL, NULL, NULL,
	'When it stopped being active; NULL: it is active
That is when it was removed, or became Deallocating before that.'),
('all_nic_secondary_ips', 'id', 'bigint', 'serial', NULL, '{managed,mirror}', NULL, true, 'id', NULL, NULL, true, NULL,
	'Id of the secondary address'),
('all_nic_secondary_ips', 'uuid', 'uuid', 'default', 'pg_catalog.gen_random_uuid()', '{managed}', NULL, true,
	'uuid', NULL, NULL, false, NULL,
	'Universal id; in a mirror NULL where the source has none'),
('all_nic_secondary_ips', 'nic_id', 'bigint', NULL, NULL, '{managed,mirror}', 'nic', true, 'nicId', NULL, NULL, true, NULL,
	'NIC that has the address beside its own'),
('all_nic_secondary_ips', 'network_id', 'bigint', NULL, NULL, '{managed,mirror}', 'network', true, 'network_id', NULL, NULL, true, NULL,
	'Network that the NIC is on'),
('all_nic_secondary_ips', 'ip4_address', 'inet', NULL, NULL, NULL, NULL, true, 'ip4_address', NULL, NULL, false, NULL,
	'IPv4 address, or NULL'),
('all_nic_secondary_ips', 'ip6_address', 'inet', NULL, NULL, NULL, NULL, true, 'ip6_address', NULL, NULL, false, NULL,
	'IPv6 address, or NULL'),
('all_nic_secondary_ips', 'created', 'timestamptz', 'default', 'pg_catalog.now()', '{managed,mirror}', NULL, true,
	'created', NULL, NULL, true, NULL,
	'When it was created'),
('all_nic_secondary_ips', 'removed', 'timestamptz', NULL, NULL, NULL, NULL, true, NULL, NULL, NULL, NULL, NULL,
	'When it was removed; NULL: it is not'),
('all_nic_secondary_ips', 'active', 'boolean', 'generated', 'removed IS NULL', NULL, NULL, false, NULL, NULL, NULL, NULL, NULL,
	'Is it live: not removed'),
('all_ip_ranges', 'id', 'bigint', 'serial', NULL, '{managed,mirror}', NULL, true, 'id', NULL, NULL, true, NULL,
	'Id of the range'),
('all_ip_ranges', 'uuid', 'uuid', 'default', 'pg_catalog.gen_random_uuid()', '{managed}', NULL, true, 'uuid', NULL, NULL, false, NULL,
	'Universal id; in a mirror NULL where the source has none'),
('all_ip_ranges', 'network_id', 'bigint', NULL, NULL, NULL, 'network', true, 'network_id', NULL, NULL, false, NULL,
	'Network that the range belongs to, or NULL'),
('all_ip_ranges', 'range_start', 'inet', NULL, NULL, NULL, NULL, true, 'description', NULL, NULL, false, NULL,
	'First address that the network can give; NULL where only ip6_cidr is known'),
('all_ip_ranges', 'range_end', 'inet', NULL, NULL, NULL, NULL, true, 'description', NULL, NULL, false, NULL,
	'Last address that the network can give, or NULL'),
('all_ip_ranges', 'gateway', 'inet', NULL, NULL, NULL, NULL, true, 'vlan_gateway', NULL, NULL, false, NULL,
	'IPv4 gateway of the range, or NULL'),
('all_ip_ranges', 'netmask', 'inet', NULL, NULL, NULL, NULL, true, 'vlan_netmask', NULL, NULL, false, NULL,
	'IPv4 netmask of the subnet that the range is a part of, or NULL'),
('all_ip_ranges', 'ip6_cidr', 'cidr', NULL, NULL, NULL, NULL, true, 'ip6_cidr', NULL, NULL, false, NULL,
	'IPv6 range, or NULL'),
('all_ip_ranges', 'ip6_gateway', 'inet', NULL, NULL, NULL, NULL, true, 'ip6_gateway', NULL, NULL, false, NULL,
	'IPv6 gateway, or NULL'),
('all_ip_ranges', 'type', 'text', NULL, NULL, NULL, NULL, true, 'vlan_type', NULL, NULL, false, NULL,
	'Kind of the range, as its system calls it
CloudStack: VirtualNetwork (public) or DirectAttached (of a Shared network).'),
('all_ip_ranges', 'created', 'timestamptz', 'default', 'pg_catalog.now()', '{managed,mirror}', NULL, true,
	'created', NULL, NULL, false, '''1970-01-01 00:00:00+00''',
	'When it was created
1970-01-01 UTC in a mirror where the source does not say.'),
('all_ip_ranges', 'removed', 'timestamptz', NULL, NULL, NULL, NULL, true, 'removed', NULL, NULL, false, NULL,
	'When it was removed; NULL: it is not'),
('all_ip_ranges', 'active', 'boolean', 'generated', 'removed IS NULL', NULL, NULL, false, NULL, NULL, NULL, NULL, NULL,
	'Is it live: not removed'),
('all_ip_addresses', 'id', 'bigint', 'serial', NULL, '{managed,mirror}', NULL, true, 'id', NULL, NULL, true, NULL,
	'Id of the address'),
('all_ip_addresses', 'uuid', 'uuid', 'default', 'pg_catalog.gen_random_uuid()', '{managed}', NULL, true,
	'uuid', NULL, NULL, false, NULL,
	'Universal id; in a mirror NULL where the source has none'),
('all_ip_addresses', 'ip_address', 'inet', NULL, NULL, NULL, NULL, true, 'public_ip_address', NULL, NULL, false, NULL,
	'The address, or NULL'),
('all_ip_addresses', 'state', 'text', 'default', '''Free''', '{managed,mirror}', NULL, true, 'state', NULL, NULL, false, '''Unknown''',
	'Free, or any other state, with which the network cannot give it
One that is Free can be given where no NIC has it. CloudStack: Free, Allocating, Allocated, Releasing.'),
('all_ip_addresses', 'ip_range_id', 'bigint', NULL, NULL, NULL, NULL, true, 'vlan_db_id', NULL, NULL, false, NULL,
	'Range that the address is of, or NULL'),
('all_ip_addresses', 'source_network_id', 'bigint', NULL, NULL, NULL, 'network', true, 'source_network_id', NULL, NULL, false, NULL,
	'Network that gives the address: a Shared or a Public one'),
('all_ip_addresses', 'network_id', 'bigint', NULL, NULL, NULL, 'network', true, 'network_id', NULL, NULL, false, NULL,
	'Network that a public address is used for, or NULL'),
('all_ip_addresses', 'instance_id', 'bigint', NULL, NULL, NULL, 'instance', true, 'vm_id', NULL, NULL, false, NULL,
	'Instance that a public address is mapped to, or NULL'),
('all_ip_addresses', 'account_id', 'bigint', NULL, NULL, NULL, NULL, true, 'account_id', NULL, NULL, false, NULL,
	'Account that has the address, or NULL'),
('all_ip_addresses', 'source_nat', 'boolean', NULL, NULL, NULL, NULL, true, 'source_nat', NULL, NULL, false, NULL,
	'Is it the address that the network goes out with'),
('all_ip_addresses', 'static_nat', 'boolean', NULL, NULL, NULL, NULL, true, 'one_to_one_nat', NULL, NULL, false, NULL,
	'Is it mapped to one instance'),
('all_ip_addresses', 'allocated', 'timestamptz', NULL, NULL, NULL, NULL, true, 'allocated', NULL, NULL, false, NULL,
	'When it was given, or NULL'),
('all_ip_addresses', 'created', 'timestamptz', 'default', 'pg_catalog.now()', '{managed,mirror}', NULL, true,
	'created', NULL, NULL, false, '''1970-01-01 00:00:00+00''',
	'When it was created
1970-01-01 UTC in a mirror where the source does not say.'),
('all_ip_addresses', 'removed', 'timestamptz', NULL, NULL, NULL, NULL, true, 'removed', NULL, NULL, false, NULL,
	'When it was removed; NULL: it is not'),
('all_ip_addresses', 'active', 'boolean', 'generated', 'removed IS NULL', NULL, NULL, false, NULL, NULL, NULL, NULL, NULL,
	'Is it live: not removed'),
('nic_history', 'seq', 'bigint', 'serial', NULL, '{managed,mirror,attached}', NULL, false, NULL, NULL, NULL, NULL, NULL,
	'Number of the entry: the order in which things happened to a NIC
Gaps mean nothing. The feed relies on its sequence having CACHE 1.'),
('nic_history', 'nic_id', 'bigint', NULL, NULL, '{managed,mirror,attached}', 'nic', false, NULL, NULL, NULL, NULL, NULL,
	'Id of the NIC'),
('nic_history', 'network_id', 'bigint', NULL, NULL, '{managed,mirror,attached}', 'network', false, NULL, NULL, NULL, NULL, NULL,
	'Network of the NIC, after the change'),
('nic_history', 'instance_id', 'bigint', NULL, NULL, NULL, 'instance', false, NULL, NULL, NULL, NULL, NULL,
	'Instance of the NIC; NULL for a placeholder'),
('nic_history', 'from_state', 'text', NULL, NULL, '{managed,mirror}', NULL, false, NULL, NULL, NULL, NULL, NULL,
	'State before'),
('nic_history', 'to_state', 'text', NULL, NULL, NULL, NULL, false, NULL, NULL, NULL, NULL, NULL,
	'State after; NULL in a mirror: the source has this NIC no more
It was deleted, or its id is that of another NIC from then on.'),
('nic_history', 'event', 'text', NULL, NULL, '{managed,mirror,attached}', NULL, false, NULL, NULL, NULL, NULL, NULL,
	'What was asked of the NIC; vmnet.nic_state_transitions() lists the events
Removed: removed was set on a NIC that was Deallocating already. Imported: an import saw the change.'),
('nic_history', 'removed', 'timestamptz', NULL, NULL, NULL, NULL, false, NULL, NULL, NULL, NULL, NULL,
	'When the NIC was removed, as the change set it; NULL: it was not
In a mirror, where the source has the row no more and did not say: when the import missed it.'),
('nic_history', 'at', 'timestamptz', 'default', 'pg_catalog.clock_timestamp()', '{managed,mirror,attached}', NULL, false,
	NULL, NULL, NULL, NULL, NULL,
	'When it happened, never before the NIC''s previous entry
By clock_timestamp(). In a mirror: when the import that saw it started.'),
-- a bigint, and no defaults that are calls: generators of models cannot write others
('nic_history', 'transaction_id', 'bigint', NULL, NULL, '{managed,mirror,attached}', NULL, false, NULL, NULL, NULL, NULL, NULL,
	'Transaction that made the change'),
('nic_history', 'session_username', 'text', NULL, NULL, '{managed,mirror,attached}', NULL, false, NULL, NULL, NULL, NULL, NULL,
	'Role that had logged in (session_user)'),
('nic_history', 'actor', 'text', NULL, NULL, NULL, NULL, false, NULL, NULL, NULL, NULL, NULL,
	'Setting vmnet.actor at that time: on whose behalf; NULL where it was not set'),
('nic_history', 'reason', 'text', NULL, NULL, NULL, NULL, false, NULL, NULL, NULL, NULL, NULL,
	'Setting vmnet.reason at that time; NULL where it was not set'),
('nic_history', 'application_name', 'text', NULL, NULL, NULL, NULL, false, NULL, NULL, NULL, NULL, NULL,
	'Setting application_name at that time; NULL where it was not set'),
('nic_history', 'from_network_id', 'bigint', NULL, NULL, NULL, 'network', false, NULL, NULL, NULL, NULL, NULL,
	'Network before, where an import saw the NIC moved to another one; else NULL'),
('nic_address_history', 'entry', 'bigint', 'serial', NULL, '{managed,mirror,attached}', NULL, false, NULL, NULL, NULL, NULL, NULL,
	'Number of the entry'),
('nic_address_history', 'nic_id', 'bigint', NULL, NULL, '{managed,mirror,attached}', 'nic', false, NULL, NULL, NULL, NULL, NULL,
	'Id of the NIC'),
('nic_address_history', 'mac_address', 'macaddr', NULL, NULL, NULL, NULL, false, NULL, NULL, NULL, NULL, NULL,
	'MAC address, or NULL'),
('nic_address_history', 'ip4_address', 'inet', NULL, NULL, NULL, NULL, false, NULL, NULL, NULL, NULL, NULL,
	'IPv4 address, or NULL'),
('nic_address_history', 'ip6_address', 'inet', NULL, NULL, NULL, NULL, false, NULL, NULL, NULL, NULL, NULL,
	'IPv6 address, or NULL'),
('nic_address_history', 'until', 'timestamptz', 'default', 'pg_catalog.clock_timestamp()', '{managed,mirror,attached}', NULL, false,
	NULL, NULL, NULL, NULL, NULL,
	'When the addresses changed'),
('nic_address_history', 'secondary_ip_id', 'bigint', NULL, NULL, NULL, NULL, false, NULL, NULL, NULL, NULL, NULL,
	'Secondary address that had them; NULL: the NIC itself'),
('accepted_findings', 'code', 'text', NULL, NULL, '{managed,mirror,attached,live}', NULL, false, NULL, NULL, NULL, NULL, NULL,
	'Code of the finding, as in vmnet.check_codes()'),
('accepted_findings', 'object', 'text', NULL, NULL, '{managed,mirror,attached,live}', NULL, false, NULL, NULL, NULL, NULL, NULL,
	'What the finding is about, as vmnet.check_inventory() names it'),
('accepted_findings', 'observer', 'text', NULL, NULL, NULL, NULL, false, NULL, NULL, NULL, NULL, NULL,
	'Observer that the finding depends on, or NULL'),
('accepted_findings', 'until', 'timestamptz', NULL, NULL, NULL, NULL, false, NULL, NULL, NULL, NULL, NULL,
	'From then on the finding counts again; NULL: accepted without an end'),
('accepted_findings', 'accepted_by', 'text', NULL, NULL, '{managed,mirror,attached,live}', NULL, false, NULL, NULL, NULL, NULL, NULL,
	'Role that accepted it: that of SET ROLE, or of the session
Written by the inventory; what others than its owner write is ignored.'),
('accepted_findings', 'reason', 'text', NULL, NULL, '{managed,mirror,attached,live}', NULL, false, NULL, NULL, NULL, NULL, NULL,
	'Why it was accepted'),
('accepted_findings', 'fingerprint', 'text', NULL, NULL, '{managed,mirror,attached,live}', NULL, false, NULL, NULL, NULL, NULL, NULL,
	'What was found, as a hash value: when that changes, the finding counts again'),
('accepted_findings', 'accepted_at', 'timestamptz', NULL, NULL, '{managed,mirror,attached,live}', NULL, false, NULL, NULL, NULL, NULL, NULL,
	'When it was accepted'),
('import_runs', 'run', 'bigint', 'serial', NULL, '{mirror}', NULL, false, NULL, NULL, NULL, NULL, NULL,
	'Number of the run'),
('import_runs', 'source', 'text', NULL, NULL, '{mirror}', NULL, false, NULL, NULL, NULL, NULL, NULL,
	'Schema that the run read'),
('import_runs', 'status', 'text', 'default', '''running''', '{mirror}', NULL, false, NULL, NULL, NULL, NULL, NULL,
	'running, done or failed'),
('import_runs', 'step', 'text', 'default', '''started''', '{mirror}', NULL, false, NULL, NULL, NULL, NULL, NULL,
	'What the run is doing, or did last'),
('import_runs', 'started', 'timestamptz', 'default', 'pg_catalog.clock_timestamp()', '{mirror}', NULL, false,
	NULL, NULL, NULL, NULL, NULL,
	'When the run started'),
('import_runs', 'finished', 'timestamptz', NULL, NULL, NULL, NULL, false, NULL, NULL, NULL, NULL, NULL,
	'When the run ended; NULL: it has not'),
('import_runs', 'backend_pid', 'integer', 'default', 'pg_catalog.pg_backend_pid()', '{mirror}', NULL, false, NULL, NULL, NULL, NULL, NULL,
	'Process that runs it, as in pg_stat_activity'),
('import_runs', 'networks_read', 'bigint', 'default', '0', '{mirror}', NULL, false, NULL, NULL, NULL, NULL, NULL,
	'Rows read from the source''s networks'),
('import_runs', 'instances_read', 'bigint', 'default', '0', '{mirror}', NULL, false, NULL, NULL, NULL, NULL, NULL,
	'Rows read from the source''s vm_instance'),
('import_runs', 'nics_read', 'bigint', 'default', '0', '{mirror}', NULL, false, NULL, NULL, NULL, NULL, NULL,
	'Rows read from the source''s nics'),
('import_runs', 'nic_secondary_ips_read', 'bigint', 'default', '0', '{mirror}', NULL, false, NULL, NULL, NULL, NULL, NULL,
	'Rows read from the source''s nic_secondary_ips; 0 where it has no such table'),
('import_runs', 'ip_ranges_read', 'bigint', 'default', '0', '{mirror}', NULL, false, NULL, NULL, NULL, NULL, NULL,
	'Rows read from the source''s vlan; 0 where it has no such table'),
('import_runs', 'ip_addresses_read', 'bigint', 'default', '0', '{mirror}', NULL, false, NULL, NULL, NULL, NULL, NULL,
	'Rows read from the source''s user_ip_address; 0 where it has no such table'),
('import_runs', 'rows_inserted', 'bigint', 'default', '0', '{mirror}', NULL, false, NULL, NULL, NULL, NULL, NULL,
	'Rows that were new'),
('import_runs', 'rows_updated', 'bigint', 'default', '0', '{mirror}', NULL, false, NULL, NULL, NULL, NULL, NULL,
	'Rows that had changed'),
('import_runs', 'rows_deleted', 'bigint', 'default', '0', '{mirror}', NULL, false, NULL, NULL, NULL, NULL, NULL,
	'Rows that the source has no more
They are kept as removed, unless the run was told to delete them.'),
('import_runs', 'rows_rejected', 'bigint', 'default', '0', '{mirror}', NULL, false, NULL, NULL, NULL, NULL, NULL,
	'Rows of the source that have no place here; import_log says which and why'),
('import_runs', 'values_changed', 'bigint', 'default', '0', '{mirror}', NULL, false, NULL, NULL, NULL, NULL, NULL,
	'Values that had to be changed to be stored; import_log says which and why'),
('import_runs', 'message', 'text', NULL, NULL, NULL, NULL, false, NULL, NULL, NULL, NULL, NULL,
	'Why the run failed, or NULL'),
('import_runs', 'source_kind', 'text', NULL, NULL, NULL, NULL, false, NULL, NULL, NULL, NULL, NULL,
	'Kind of the source, by the names of its tables: cloudstack'),
('import_runs', 'lacks', 'text[]', NULL, NULL, NULL, NULL, false, NULL, NULL, NULL, NULL, NULL,
	'Columns that the source did not have or did not show, as nics.uuid
What needs one of them, check_inventory() does not look for.'),
('import_log', 'entry', 'bigint', 'serial', NULL, '{mirror}', NULL, false, NULL, NULL, NULL, NULL, NULL,
	'Number of the entry'),
('import_log', 'run', 'bigint', NULL, NULL, '{mirror}', NULL, false, NULL, NULL, NULL, NULL, NULL,
	'Number of the run'),
('import_log', 'table', 'text', NULL, NULL, '{mirror}', NULL, false, NULL, NULL, NULL, NULL, NULL,
	'Table of the source'),
('import_log', 'id', 'text', NULL, NULL, NULL, NULL, false, NULL, NULL, NULL, NULL, NULL,
	'Id of the row in the source, as text; NULL where it has none'),
('import_log', 'column', 'text', NULL, NULL, NULL, NULL, false, NULL, NULL, NULL, NULL, NULL,
	'Column of the source; NULL: the whole row'),
('import_log', 'original', 'text', NULL, NULL, NULL, NULL, false, NULL, NULL, NULL, NULL, NULL,
	'What the source has there, as text'),
('import_log', 'action', 'text', NULL, NULL, '{mirror}', NULL, false, NULL, NULL, NULL, NULL, NULL,
	'rejected: the row was left out; changed: the value was stored differently
reused: the id was that of another row before.'),
('import_log', 'reason', 'text', NULL, NULL, '{mirror}', NULL, false, NULL, NULL, NULL, NULL, NULL,
	'Setting vmnet.reason at that time; NULL where it was not set'),
('import_vanished', 'relation', 'text', NULL, NULL, '{mirror}', NULL, false, NULL, NULL, NULL, NULL, NULL,
	'networks, instances, nics, nic_secondary_ips, ip_ranges or ip_addresses'),
('import_vanished', 'id', 'bigint', NULL, NULL, '{mirror}', NULL, false, NULL, NULL, NULL, NULL, NULL,
	'Id of the row'),
('import_vanished', 'uuid', 'uuid', NULL, NULL, NULL, NULL, false, NULL, NULL, NULL, NULL, NULL,
	'Universal id that the source gave the row, or NULL
The row itself loses it where the source has given it to another one.'),
('import_vanished', 'vanished', 'timestamptz', NULL, NULL, '{mirror}', NULL, false, NULL, NULL, NULL, NULL, NULL,
	'When the run started that did not find the row at the source'),
('import_states', 'relation', 'text', NULL, NULL, '{mirror}', NULL, false, NULL, NULL, NULL, NULL, NULL,
	'networks or instances'),
('import_states', 'id', 'bigint', NULL, NULL, '{mirror}', NULL, false, NULL, NULL, NULL, NULL, NULL,
	'Id of the network or instance'),
('import_states', 'since', 'timestamptz', NULL, NULL, '{mirror}', NULL, false, NULL, NULL, NULL, NULL, NULL,
	'When the run started that saw the state it has now'),
('former_rows', 'entry', 'bigint', 'serial', NULL, '{mirror}', NULL, false, NULL, NULL, NULL, NULL, NULL,
	'Number of the entry'),
('former_rows', 'relation', 'text', NULL, NULL, '{mirror}', NULL, false, NULL, NULL, NULL, NULL, NULL,
	'networks, instances, nics or nic_secondary_ips'),
('former_rows', 'id', 'bigint', NULL, NULL, '{mirror}', NULL, false, NULL, NULL, NULL, NULL, NULL,
	'Id of the row'),
('former_rows', 'uuid', 'uuid', NULL, NULL, NULL, NULL, false, NULL, NULL, NULL, NULL, NULL,
	'Universal id that it had, or NULL'),
('former_rows', 'name', 'text', NULL, NULL, NULL, NULL, false, NULL, NULL, NULL, NULL, NULL,
	'Name that it had, or NULL; NULL for a NIC or an address'),
('former_rows', 'type', 'text', NULL, NULL, NULL, NULL, false, NULL, NULL, NULL, NULL, NULL,
	'type of an instance, vm_type of a NIC, guest_type of a network'),
('former_rows', 'state', 'text', NULL, NULL, NULL, NULL, false, NULL, NULL, NULL, NULL, NULL,
	'Last state that the mirror had of it'),
('former_rows', 'network_id', 'bigint', NULL, NULL, NULL, NULL, false, NULL, NULL, NULL, NULL, NULL,
	'Network of a NIC or an address; else NULL'),
('former_rows', 'instance_id', 'bigint', NULL, NULL, NULL, NULL, false, NULL, NULL, NULL, NULL, NULL,
	'Instance of a NIC; NULL for a placeholder, an instance or a network'),
('former_rows', 'created', 'timestamptz', NULL, NULL, '{mirror}', NULL, false, NULL, NULL, NULL, NULL, NULL,
	'When it was created'),
('former_rows', 'removed', 'timestamptz', NULL, NULL, NULL, NULL, false, NULL, NULL, NULL, NULL, NULL,
	'When it was removed; NULL: it was not
The row after it then begins where this one ends.'),
('former_rows', 'until', 'timestamptz', NULL, NULL, '{mirror}', NULL, false, NULL, NULL, NULL, NULL, NULL,
	'Until when it was the row of this id (not included)'),
('former_rows', 'reused', 'boolean', NULL, NULL, '{mirror}', NULL, false, NULL, NULL, NULL, NULL, NULL,
	'Is the row that has the id after it another object
false: the same object, after a gap in which the source did not have it, or on a network or instance that is another one.'),
('former_rows', 'seq', 'bigint', NULL, NULL, '{mirror}', NULL, false, NULL, NULL, NULL, NULL, NULL,
	'Last entry of nic_history that is about it; 0: none'),
('former_rows', 'run', 'bigint', NULL, NULL, '{mirror}', NULL, false, NULL, NULL, NULL, NULL, NULL,
	'Number of the run that saw the next row of this id'),
('former_nic_intervals', 'entry', 'bigint', 'serial', NULL, '{mirror}', NULL, false, NULL, NULL, NULL, NULL, NULL,
	'Number of the entry'),
('former_nic_intervals', 'nic_id', 'bigint', NULL, NULL, '{mirror}', NULL, false, NULL, NULL, NULL, NULL, NULL,
	'Id of the NIC'),
('former_nic_intervals', 'network_id', 'bigint', NULL, NULL, '{mirror}', NULL, false, NULL, NULL, NULL, NULL, NULL,
	'Network that the NIC was on'),
('former_nic_intervals', 'instance_id', 'bigint', NULL, NULL, NULL, NULL, false, NULL, NULL, NULL, NULL, NULL,
	'Instance of the NIC; NULL for a placeholder'),
('former_nic_intervals', 'from', 'timestamptz', NULL, NULL, '{mirror}', NULL, false, NULL, NULL, NULL, NULL, NULL,
	'When it began; it holds at this moment'),
('former_nic_intervals', 'to', 'timestamptz', NULL, NULL, '{mirror}', NULL, false, NULL, NULL, NULL, NULL, NULL,
	'When it ended; it holds no more at this moment'),
('former_nic_addresses', 'entry', 'bigint', 'serial', NULL, '{mirror}', NULL, false, NULL, NULL, NULL, NULL, NULL,
	'Number of the entry'),
('former_nic_addresses', 'nic_id', 'bigint', NULL, NULL, '{mirror}', NULL, false, NULL, NULL, NULL, NULL, NULL,
	'Id of the NIC'),
('former_nic_addresses', 'mac_address', 'macaddr', NULL, NULL, NULL, NULL, false, NULL, NULL, NULL, NULL, NULL,
	'MAC address, or NULL'),
('former_nic_addresses', 'ip4_address', 'inet', NULL, NULL, NULL, NULL, false, NULL, NULL, NULL, NULL, NULL,
	'IPv4 address, or NULL'),
('former_nic_addresses', 'ip6_address', 'inet', NULL, NULL, NULL, NULL, false, NULL, NULL, NULL, NULL, NULL,
	'IPv6 address, or NULL'),
('former_nic_addresses', 'from', 'timestamptz', NULL, NULL, '{mirror}', NULL, false, NULL, NULL, NULL, NULL, NULL,
	'When it began; it holds at this moment'),
('former_nic_addresses', 'to', 'timestamptz', NULL, NULL, '{mirror}', NULL, false, NULL, NULL, NULL, NULL, NULL,
	'When it ended; it holds no more at this moment'),
('former_nic_addresses', 'secondary_ip_id', 'bigint', NULL, NULL, NULL, NULL, false, NULL, NULL, NULL, NULL, NULL,
	'Secondary address that had them; NULL: the NIC itself'),
-- what was observed
('observers', 'name', 'text', NULL, NULL, '{reality}', NULL, false, NULL, NULL, NULL, NULL, NULL,
	'Name of the observer, as vmnet.observe() takes it'),
('observers', 'kind', 'text', NULL, NULL, '{reality}', NULL, false, NULL, NULL, NULL, NULL, NULL,
	'What its pictures are: libvirt, ovs, neigh, fdb, leases, prometheus, cloudstack or csv
vmnet.read_observation() reads each of them.'),
('observers', 'host', 'text', NULL, NULL, NULL, NULL, false, NULL, NULL, NULL, NULL, NULL,
	'Host that it looks at, where its pictures do not say; NULL: they say, or there is none'),
('observers', 'zone_id', 'bigint', NULL, NULL, NULL, NULL, false, NULL, NULL, NULL, NULL, NULL,
	'Zone that it looks at; NULL: any'),
('observers', 'every', 'interval', 'default', 'pg_catalog.make_interval(mins => 5)', '{reality}', NULL, false, NULL, NULL, NULL, NULL, NULL,
	'How often a picture is expected
What was seen longer ago is not fresh.'),
('observers', 'sees_domains', 'boolean', NULL, NULL, NULL, NULL, false, NULL, NULL, NULL, NULL, NULL,
	'Do its pictures name the domains (virtual machines); NULL: as its kind does'),
('observers', 'sees_addresses', 'boolean', NULL, NULL, NULL, NULL, false, NULL, NULL, NULL, NULL, NULL,
	'Do its pictures have IP addresses; NULL: as its kind does'),
('observers', 'created', 'timestamptz', 'default', 'pg_catalog.now()', '{reality}', NULL, false, NULL, NULL, NULL, NULL, NULL,
	'When it was registered'),
('observers', 'last_at', 'timestamptz', NULL, NULL, NULL, NULL, false, NULL, NULL, NULL, NULL, NULL,
	'Time of its last picture; NULL: there was none'),
('observers', 'last_complete', 'timestamptz', NULL, NULL, NULL, NULL, false, NULL, NULL, NULL, NULL, NULL,
	'Time of its last picture that was complete; NULL: there was none'),
('observers', 'pictures', 'bigint', 'default', '0', '{reality}', NULL, false, NULL, NULL, NULL, NULL, NULL,
	'How many pictures there were'),
('observers', 'last_seen_count', 'bigint', NULL, NULL, NULL, NULL, false, NULL, NULL, NULL, NULL, NULL,
	'How many facts its last picture had; NULL: there was none'),
('observers', 'last_error', 'text', NULL, NULL, NULL, NULL, false, NULL, NULL, NULL, NULL, NULL,
	'What its last picture had that could not be read; NULL: all was read'),
('segments', 'id', 'bigint', 'serial', NULL, '{reality}', NULL, false, NULL, NULL, NULL, NULL, NULL,
	'Number of the row'),
('segments', 'host', 'text', NULL, NULL, NULL, NULL, false, NULL, NULL, NULL, NULL, NULL,
	'Host on which the segment means the network; NULL: on every host that no other row names'),
('segments', 'segment', 'text', NULL, NULL, '{reality}', NULL, false, NULL, NULL, NULL, NULL, NULL,
	'Bridge, VLAN or name of a network, as observers see it'),
('segments', 'host_segment', 'text', 'generated',
	'pg_catalog.to_hex(pg_catalog.length(host)) || '':'' || host || segment', NULL, NULL, false, NULL, NULL, NULL, NULL, NULL,
	'Host and segment as one value, by which sightings find their segment; NULL: one of them is'),
('segments', 'network_id', 'bigint', NULL, NULL, '{reality}', 'network', false, NULL, NULL, NULL, NULL, NULL,
	'Network that it is'),
('sightings', 'id', 'bigint', 'serial', NULL, '{reality}', NULL, false, NULL, NULL, NULL, NULL, NULL,
	'Number of the fact; it keeps it in sighting_history'),
('sightings', 'observer', 'text', NULL, NULL, '{reality}', NULL, false, NULL, NULL, NULL, NULL, NULL,
	'Name of the observer that saw it'),
('sightings', 'host', 'text', NULL, NULL, NULL, NULL, false, NULL, NULL, NULL, NULL, NULL,
	'Host on which it was seen, or NULL'),
('sightings', 'segment', 'text', NULL, NULL, NULL, NULL, false, NULL, NULL, NULL, NULL, NULL,
	'Bridge, VLAN or name of the network on which it was seen, or NULL'),
('sightings', 'device', 'text', NULL, NULL, NULL, NULL, false, NULL, NULL, NULL, NULL, NULL,
	'Device on which it was seen last, or NULL'),
('sightings', 'mac_address', 'macaddr', NULL, NULL, NULL, NULL, false, NULL, NULL, NULL, NULL, NULL,
	'MAC address, or NULL'),
('sightings', 'ip_address', 'inet', NULL, NULL, NULL, NULL, false, NULL, NULL, NULL, NULL, NULL,
	'IP address, or NULL'),
('sightings', 'domain', 'text', NULL, NULL, NULL, NULL, false, NULL, NULL, NULL, NULL, NULL,
	'Name of the domain (virtual machine) that has it, or NULL'),
('sightings', 'domain_uuid', 'uuid', NULL, NULL, NULL, NULL, false, NULL, NULL, NULL, NULL, NULL,
	'Universal id of the domain, or NULL'),
('sightings', 'nic_uuid', 'uuid', NULL, NULL, NULL, NULL, false, NULL, NULL, NULL, NULL, NULL,
	'Universal id of the NIC, as the observer saw it last, or NULL'),
('sightings', 'first_seen', 'timestamptz', NULL, NULL, '{reality}', NULL, false, NULL, NULL, NULL, NULL, NULL,
	'Time of the picture that had it first'),
('sightings', 'last_seen', 'timestamptz', NULL, NULL, '{reality}', NULL, false, NULL, NULL, NULL, NULL, NULL,
	'Time of the picture that had it last'),
('sightings', 'host_segment', 'text', 'generated',
	'pg_catalog.to_hex(pg_catalog.length(host)) || '':'' || host || segment', NULL, NULL, false, NULL, NULL, NULL, NULL, NULL,
	'Host and segment as one value, by which sightings find their segment; NULL: one of them is'),
('sightings', 'previous_seen', 'timestamptz', NULL, NULL, NULL, NULL, false, NULL, NULL, NULL, NULL, NULL,
	'Time of the picture before that had it; NULL: there was none'),
('sightings', 'observations', 'bigint', 'default', '1', '{reality}', NULL, false, NULL, NULL, NULL, NULL, NULL,
	'How many pictures had it'),
('sighting_history', 'id', 'bigint', NULL, NULL, '{reality}', NULL, false, NULL, NULL, NULL, NULL, NULL,
	'Number of the fact'),
('sighting_history', 'observer', 'text', NULL, NULL, '{reality}', NULL, false, NULL, NULL, NULL, NULL, NULL,
	'Name of the observer that saw it'),
('sighting_history', 'host', 'text', NULL, NULL, NULL, NULL, false, NULL, NULL, NULL, NULL, NULL,
	'Host on which it was seen, or NULL'),
('sighting_history', 'segment', 'text', NULL, NULL, NULL, NULL, false, NULL, NULL, NULL, NULL, NULL,
	'Bridge, VLAN or name of the network on which it was seen, or NULL'),
('sighting_history', 'device', 'text', NULL, NULL, NULL, NULL, false, NULL, NULL, NULL, NULL, NULL,
	'Device on which it was seen last, or NULL'),
('sighting_history', 'mac_address', 'macaddr', NULL, NULL, NULL, NULL, false, NULL, NULL, NULL, NULL, NULL,
	'MAC address, or NULL'),
('sighting_history', 'ip_address', 'inet', NULL, NULL, NULL, NULL, false, NULL, NULL, NULL, NULL, NULL,
	'IP address, or NULL'),
('sighting_history', 'domain', 'text', NULL, NULL, NULL, NULL, false, NULL, NULL, NULL, NULL, NULL,
	'Name of the domain (virtual machine) that has it, or NULL'),
('sighting_history', 'domain_uuid', 'uuid', NULL, NULL, NULL, NULL, false, NULL, NULL, NULL, NULL, NULL,
	'Universal id of the domain, or NULL'),
('sighting_history', 'nic_uuid', 'uuid', NULL, NULL, NULL, NULL, false, NULL, NULL, NULL, NULL, NULL,
	'Universal id of the NIC, as the observer saw it last, or NULL'),
('sighting_history', 'first_seen', 'timestamptz', NULL, NULL, '{reality}', NULL, false, NULL, NULL, NULL, NULL, NULL,
	'Time of the picture that had it first'),
('sighting_history', 'last_seen', 'timestamptz', NULL, NULL, '{reality}', NULL, false, NULL, NULL, NULL, NULL, NULL,
	'Time of the picture that had it last'),
('sighting_history', 'previous_seen', 'timestamptz', NULL, NULL, NULL, NULL, false, NULL, NULL, NULL, NULL, NULL,
	'Time of the picture before that had it; NULL: there was none'),
('sighting_history', 'observations', 'bigint', NULL, NULL, '{reality}', NULL, false, NULL, NULL, NULL, NULL, NULL,
	'How many pictures had it'),
('sighting_history', 'gone_since', 'timestamptz', NULL, NULL, '{reality}', NULL, false, NULL, NULL, NULL, NULL, NULL,
	'Time of the complete picture that did not have it'),
('observation_log', 'id', 'bigint', 'serial', NULL, '{reality}', NULL, false, NULL, NULL, NULL, NULL, NULL,
	'Number of the entry'),
('observation_log', 'observer', 'text', NULL, NULL, '{reality}', NULL, false, NULL, NULL, NULL, NULL, NULL,
	'Name of the observer'),
('observation_log', 'at', 'timestamptz', NULL, NULL, '{reality}', NULL, false, NULL, NULL, NULL, NULL, NULL,
	'Time of the picture'),
('observation_log', 'place', 'text', NULL, NULL, NULL, NULL, false, NULL, NULL, NULL, NULL, NULL,
	'Where in the picture it is: a line or a path'),
('observation_log', 'raw', 'text', NULL, NULL, NULL, NULL, false, NULL, NULL, NULL, NULL, NULL,
	'What could not be read, or its beginning'),
('observation_log', 'reason', 'text', NULL, NULL, '{reality}', NULL, false, NULL, NULL, NULL, NULL, NULL,
	'Why it could not be read')
) c (relation, name, type, how, expression, required_in, key, in_view, source_column, from_lookup, lookup_key, needed, if_absent, comment);
END
$columns$;
COMMENT ON FUNCTION vmnet_internal.inventory_columns() IS
'Columns of the tables of an inventory: type, default, kinds that want a value, live view, source of an import, comment';

-- The live view over a table, and the view that reads an attached one.
CREATE FUNCTION vmnet_internal.views_of_table(relation text)
RETURNS text[]
LANGUAGE sql IMMUTABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $$
SELECT CASE WHEN starts_with($1, 'all_') THEN ARRAY[substr($1, 5), 'attached_' || substr($1, 5)] ELSE '{}' END
$$;
COMMENT ON FUNCTION vmnet_internal.views_of_table(text) IS
'Views that have the columns of a table of an inventory: the live one, and the one that reads an attached table';

-- The column that says whether a row is live.  Networks and instances have an index
-- of id and removed, so that a join which needs no other column reads the index
-- only; of a view over other tables only the column active knows it.
CREATE FUNCTION vmnet_internal.live_column(kind text, relation text)
RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $$
SELECT CASE WHEN $1 IN ('managed', 'mirror') AND $2 IN ('all_networks', 'all_instances') THEN 'removed' ELSE 'active' END
$$;
COMMENT ON FUNCTION vmnet_internal.live_column(text, text) IS
'The column by which views of an inventory of a kind know the live rows of a table';

-- joined: the row may be that of an outer join which found none.
CREATE FUNCTION vmnet_internal.live_condition(kind text, relation text, alias text, joined boolean DEFAULT false)
RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $$
SELECT format(CASE WHEN vmnet_internal.live_column($1, $2) = 'active' THEN '%s.active'
	WHEN $4 THEN '%1$s.id IS NOT NULL AND %1$s.removed IS NULL'
	ELSE '%s.removed IS NULL' END, $3)
$$;
COMMENT ON FUNCTION vmnet_internal.live_condition(text, text, text, boolean) IS
'The condition by which views of an inventory of a kind know the live rows of a table';

-- The query of a live view, with the columns that users added to its table.
-- %1$I stands for the name of the inventory.
CREATE FUNCTION vmnet_internal.live_view_query(view_name text, added text[] DEFAULT '{}', kind text DEFAULT 'managed')
RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $$
SELECT format(CASE $1 WHEN 'nic_secondary_ips'
		-- those of a half-removed NIC are not live
		THEN 'SELECT %2$s FROM %%1$I.%1$I s WHERE s.active AND EXISTS (SELECT FROM %%1$I.all_nics n WHERE n.id = s.nic_id AND n.active)'
		ELSE 'SELECT %2$s FROM %%1$I.%1$I WHERE ' || vmnet_internal.live_condition($3, 'all_' || $1, 'all_' || $1) END,
	'all_' || $1, string_agg(CASE $1 WHEN 'nic_secondary_ips' THEN 's.' ELSE '' END || replace(quote_ident(l.name), '%', '%%'), ', '
		ORDER BY l.ord))
FROM (SELECT c.name, c.ord FROM vmnet_internal.inventory_columns() c WHERE c.relation = 'all_' || $1 AND c.in_view
	UNION ALL
	SELECT a.name, 10000 + a.ord FROM unnest($2) WITH ORDINALITY a (name, ord)) l
$$;
COMMENT ON FUNCTION vmnet_internal.live_view_query(text, text[], text) IS
'Part of create_inventory() and refresh_views(): the query of a live view, with columns that users added
%1$I stands for the name of the inventory.';

-- A query that has the columns of a table and no rows.
CREATE FUNCTION vmnet_internal.empty_query(relation text, key_types jsonb DEFAULT NULL)
RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $$
SELECT format('SELECT %s WHERE false', string_agg(CASE c.name WHEN 'active' THEN 'true AS active'
	ELSE format('NULL::%s AS %I', coalesce($2->>c.key, c.type), c.name) END, ', ' ORDER BY c.ord))
FROM vmnet_internal.inventory_columns() c
WHERE c.relation = $1
$$;
COMMENT ON FUNCTION vmnet_internal.empty_query(text, jsonb) IS
'Part of attach_inventory() and attach_cloudstack(): a query that has the columns of a table of an inventory and no rows';

-- Comments of columns of views that are not columns of a table, or mean something
-- else there.  relations NULL: of any view.
-- table of data
CREATE FUNCTION vmnet_internal.view_column_comments()
RETURNS TABLE (relations text[], column_name text, comment text)
LANGUAGE sql IMMUTABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $comments$
VALUES
(ARRAY['reality'], 'code', 'What differs, as in vmnet.check_codes()'),
(ARRAY['reality'], 'severity', 'warning or error
error: the evidence is fresh and was seen twice after the last change of what it contradicts; of observer_silent: for three intervals; of '
'what is not seen: the change was before the complete pictures before the last ones, too.'),
(ARRAY['reality'], 'network_id', 'Network of the NIC, or that the segment is; NULL: none is known'),
(ARRAY['reality'], 'other_network_id', 'Network on which it was seen, of seen_on_other_network; else NULL'),
(ARRAY['reality'], 'instance_id', 'Instance of the NIC, or that is listed; NULL: none is known'),
(ARRAY['reality'], 'nic_id', 'NIC that has or had the MAC address, or NULL
Of address_given_again with an unknown MAC address the NIC that has the address.'),
(ARRAY['reality'], 'mac_address', 'MAC address; NULL for an observer
accept_finding() knows the difference by it.'),
(ARRAY['reality'], 'ip_address', 'Address that was seen with it, or NULL; of what is not seen, that of the NIC'),
(ARRAY['reality'], 'observer', 'Who sees it, or does not; NULL: all of them'),
(ARRAY['reality'], 'host', 'Host on which it was seen, or NULL; of live_but_unseen the host of the instance'),
(ARRAY['reality'], 'segment', 'Segment on which it was seen, or NULL'),
(ARRAY['reality'], 'evidence', 'What was seen, and what the inventory says'),
(ARRAY['reality'], 'first_seen', 'When it was seen first; NULL: it is not seen'),
(ARRAY['reality'], 'last_seen', 'When it was seen last; of an observer its last picture'),
(ARRAY['reality'], 'observations', 'How many pictures had it; of an observer all its pictures'),
(ARRAY['reality'], 'age', 'How old the evidence is'),
(ARRAY['reality'], 'fresh', 'Is the evidence not older than the interval of its observer
Evidence that is not fresh is a warning at most.'),
(ARRAY['network_reality'], 'active_instances', 'Distinct instances with an active NIC here, not removed, of every type and state'),
(ARRAY['network_reality'], 'seen_instances', 'Those of active_instances of which an observer sees the MAC address of an active NIC here
What leases and listings of the cloud say does not count.'),
(ARRAY['network_reality'], 'differences', 'Rows of the view reality with this network'),
(ARRAY['network_reality'], 'errors', 'Those of differences that are errors'),
(ARRAY['network_reality'], 'agree', 'true: something is seen here and nothing differs; false: something differs; NULL: nothing is seen'),
(ARRAY['network_reality'], 'differing_instances', 'Ids of the instances of which something differs'),
(ARRAY['network_reality'], 'oldest_seen', 'When the instance that was seen longest ago was seen last; NULL: none is seen'),
(ARRAY['network_reality'], 'oldest_age', 'How long ago that was'),
(ARRAY['nic_intervals', 'nic_address_intervals', 'stuck_nics'], 'nic_id', 'Id of the NIC'),
(ARRAY['nic_intervals', 'stuck_nics'], 'instance_id', 'Instance of the NIC; NULL for a placeholder'),
(ARRAY['stuck_nics'], 'state', 'Reserving or Releasing'),
(NULL, 'key', 'Value by which NICs refer to it'),
(NULL, 'network_key', 'Value by which the NIC refers to its network'),
(NULL, 'instance_key', 'Value by which the NIC refers to its instance'),
(NULL, 'instance_name', 'Name of the instance, or NULL'),
(NULL, 'instance_id', 'Id of the instance'),
(NULL, 'network_id', 'Id of the network'),
(ARRAY['attached_nics', 'network_instances'], 'default_nic', 'Is it the instance''s default NIC'),
(ARRAY['nic_address_intervals'], 'kind', 'nic: addresses of the NIC itself; secondary: a secondary address'),
(ARRAY['nic_address_intervals'], 'mac_address', 'MAC address, or NULL; NULL for a secondary address'),
(ARRAY['nic_address_intervals'], 'secondary_ip_id', 'Id of the secondary address; NULL: the NIC itself'),
(ARRAY['inventory_info'], 'kind', 'managed, mirror, attached or live'),
(ARRAY['inventory_info'], 'source', 'Schema that a mirror is made from; NULL where the inventory is its own source'),
(ARRAY['inventory_info'], 'mode', 'enforce, warn or read_only
enforce: rules are kept; warn: guards warn of what breaks them; read_only: only the import writes, or, where tables are attached, nothing '
'is guarded.'),
(ARRAY['inventory_info'], 'version', 'Version of vmnet_ext that made it, or brought it up to date'),
(NULL, 'network_uuid', 'Universal id of the network'),
(NULL, 'network_name', 'Name of the network, or NULL'),
(NULL, 'network_state', 'State of the network'),
(NULL, 'instance_uuid', 'Universal id of the instance'),
(NULL, 'instance_type', 'User, or which kind of router or system VM'),
(NULL, 'instance_state', 'State of the instance'),
(ARRAY['vpc_instances'], 'nic_count', 'Active NICs of the instance on live networks of the VPC'),
(NULL, 'nic_count', 'Active NICs of the instance on the network'),
(NULL, 'network_count', 'Live networks of the VPC that the instance is active on'),
(NULL, 'nic_id', 'Id of the NIC that the row shows'),
(NULL, 'nic_state', 'State of the NIC that the row shows'),
(NULL, 'attached_nics', 'Active NICs whose instance is not removed
Placeholders, which have no instance, do not count.'),
(NULL, 'active_instances', 'Distinct instances with an active NIC here, not removed, of every type and state'),
(NULL, 'running_instances', 'Those of active_instances whose state is Running'),
(NULL, 'user_instances', 'Those of active_instances whose type is User'),
(NULL, 'other_states', 'Held NICs whose state is spelled in any other way'),
(NULL, 'used_ip4', 'Distinct IPv4 addresses of active NICs
Those of placeholders and of removed instances are included.'),
(NULL, 'from', 'When it began; it holds at this moment'),
(NULL, 'to', 'When it ended; it holds no more at this moment. NULL: it goes on'),
(NULL, 'nic_uuid', 'Universal id of the NIC; in a mirror NULL where the source has none'),
(NULL, 'age', 'How long it has been in this state'),
(NULL, 'last_event', 'Event that led there; NULL where history has none'),
(NULL, 'held_instances', 'Distinct instances with a NIC here that is not removed, half-removed ones too
What a query on removed alone counts.'),
(NULL, 'listed_instances', 'Distinct instances with any NIC row here, removed ones too
What a query that forgets removed counts (CloudStack issue 10188).'),
(NULL, 'reserved_user_nics', 'Held NICs of vm_type User in exactly Reserved: what nics_count should be'),
(NULL, 'agree', 'Do all ways of counting name the same instances
And is nics_count, where there is one, reserved_user_nics.'),
(NULL, 'differing_instances', 'Ids of the instances that some ways count and others do not, in order
None of them is active here.')
$comments$;
COMMENT ON FUNCTION vmnet_internal.view_column_comments() IS
'Comments of the columns of views of an inventory that are not columns of its tables';

-- The first row whose relations name the relation, or are NULL for any, wins.
CREATE FUNCTION vmnet_internal.inventory_column_comments()
RETURNS TABLE (relations text[], column_name text, comment text)
LANGUAGE sql IMMUTABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $$
SELECT v.relations, v.column_name, v.comment FROM vmnet_internal.view_column_comments() v
UNION ALL
SELECT NULL, s.column_name, s.comment FROM vmnet_internal.nic_state_comments() s
UNION ALL
SELECT c.relation || vmnet_internal.views_of_table(c.relation), c.name, c.comment FROM vmnet_internal.inventory_columns() c
UNION ALL
SELECT NULL, c.name, c.comment FROM vmnet_internal.inventory_columns() c
$$;
COMMENT ON FUNCTION vmnet_internal.inventory_column_comments() IS
'Comments of the columns of an inventory, by relation and column; relations NULL: any';
