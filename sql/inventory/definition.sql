--
-- What an inventory consists of, as rows: create_inventory() makes it, others
-- make parts of it or compare with it.  inventory_definition() alone puts
-- statements together; everything else reads the rows.
--
-- What enable_reality() adds to an inventory of any kind is here as kind reality.
--
-- In bodies, %1$I is the inventory, %2$L its kind, %3$L its source, %4$L its mode
-- and %5$L the version.
--

-- The tables; their columns are in inventory_columns().
-- table of data
CREATE FUNCTION vmnet_internal.inventory_tables(kind text)
RETURNS TABLE (kinds text[], relation text, storage text, comment text)
LANGUAGE sql IMMUTABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $tables$
SELECT t.kinds::text[], t.relation, t.storage, t.comment
FROM (VALUES
('{managed,mirror}', 'all_networks', NULL,
'Every network, removed ones too
The live ones are in the view networks. Rows are never deleted: a network is removed by setting removed, which is refused while it holds a '
'NIC.'),
('{managed,mirror}', 'all_instances', NULL,
'Every instance (virtual machine, router, system VM), removed ones too
The live ones are in the view instances. Rows are never deleted: an instance is removed by setting removed, which is refused while it '
'holds a NIC.'),
('{managed,mirror}', 'all_nics', 'fillfactor = 90',
'Every NIC, removed and half-removed ones too
The live ones are in the view nics; the column active says which they are. '
|| CASE $1 WHEN 'mirror' THEN 'Rows are as the source has them; only the import writes here.'
	ELSE 'Rows are never deleted: a NIC is removed by state = Deallocating and removed, or by DELETE on the view nics.' END),
('{managed,mirror}', 'all_nic_secondary_ips', NULL,
'Addresses that NICs have beside their own, removed ones too
The live ones are in the view nic_secondary_ips: those of active NICs. '
|| CASE $1 WHEN 'mirror' THEN 'Rows are as the source has them; only the import writes here. CloudStack deletes them for good, and the '
'import does what it did.'
	ELSE 'Rows are never deleted: an address is removed by setting removed, and with its NIC.' END),
('{managed,mirror}', 'all_ip_ranges', NULL,
'Ranges of addresses that networks can give, removed ones too
The live ones are in the view ip_ranges. '
|| CASE $1 WHEN 'mirror' THEN 'Rows are as the source has them (CloudStack: vlan), network_id included, even of a network that it does not '
	'have; only the import writes here. No rows where the source has no such table.'
	ELSE 'Where a network has a range but no rows in all_ip_addresses, its free addresses are those of the range. Rows are never deleted: '
	'a range is removed by setting removed.' END),
('{managed,mirror}', 'all_ip_addresses', NULL,
'Addresses that networks can give or have given, removed ones too
The live ones are in the view ip_addresses. '
|| CASE $1 WHEN 'mirror' THEN 'Rows are as the source has them (CloudStack: user_ip_address, of Shared and Public networks), ids of '
	'networks and instances included, even if it does not have these; only the import writes here. No rows where the source has no such '
	'table.'
	ELSE 'Where a network has rows here, it gives those that are Free and that no NIC has: which NIC has an address, NICs tell. Rows are '
	'never deleted: an address is removed by setting removed.' END),
('{managed,mirror,attached}', 'nic_history', NULL,
'What happened to NICs: one row per change of state, and per removal
Written by the inventory itself, in the transaction of the change; only the owner of the table can write to it otherwise. The order is '
'that of seq, never that of at. Creation is not here: all_nics.created says it. Rows stay when their NIC is purged. It may be partitioned '
'by at.'),
('{managed,mirror,attached}', 'nic_address_history', NULL,
'Addresses that NICs had before those they have now, or had last
A row says what a NIC, or a secondary address, had from the row before it (or its creation) until a change. The view '
'nic_address_intervals puts it together.'),
('{managed,mirror,attached,live}', 'accepted_findings', NULL,
'Findings of vmnet.check_inventory() that are accepted: they do not count
vmnet.accept_finding() writes here. A row counts until its time is over, or what was found changes; it stays until it is accepted again or '
'withdrawn. Delete old rows when you like.'),
('{mirror}', 'import_runs', NULL,
'One row per run of the import, which another connection can watch
It outlives the runs; delete old rows when you like.'),
('{mirror}', 'import_log', NULL,
'What the import could not take as it was: rows rejected and values changed
A run adds what is new in it; what an earlier run has said already is not said again.'),
('{mirror}', 'import_vanished', NULL,
'Rows that the mirror keeps as removed although the source has them no more
One row for each of them. Only purge_inventory() deletes them.'),
('{mirror}', 'import_states', NULL,
'Since when networks and instances have their states, at the latest
One row for each whose state an import saw change.'),
('{mirror}', 'former_rows', NULL,
'Earlier rows of ids: before a gap, or before another object had the id
The row of now is in all_networks, all_instances, all_nics or all_nic_secondary_ips; the row that an id had at a time is the first one '
'whose until is after it. '
'Written by the import; purge_inventory() deletes it.'),
('{mirror}', 'former_nic_intervals', NULL,
'When NICs of former_rows were active on networks
The view nic_intervals has these rows, too.'),
('{mirror}', 'former_nic_addresses', NULL,
'When NICs and secondary addresses of former_rows had which addresses
The view nic_address_intervals has these rows, too.'),
('{reality}', 'observers', NULL,
'Who observes: one row for each host, switch, server of leases or API whose pictures vmnet.observe() takes
Rows are for the owner to insert and to change. The columns about pictures are written by vmnet.observe().'),
('{reality}', 'segments', NULL,
'Which network a bridge, a VLAN or a name of a network on a host is'),
-- half of a page is free, so that a picture which has all facts again changes
-- all rows where they are
('{reality}', 'sightings', 'fillfactor = 45',
'What observers see: the facts of their last pictures
Written by vmnet.observe() only; INSERT is the right to call it. A fact that a complete picture has no more moves to sighting_history.'),
('{reality}', 'sighting_history', NULL,
'What observers saw: facts that a later picture did not have
Written by vmnet.observe() only. The view seen has these rows and those of sightings. Delete old rows as the owner.'),
('{reality}', 'observation_log', NULL,
'What pictures had that could not be read: one row for each record
Written by vmnet.observe() only. Delete old rows as the owner.')
) t (kinds, relation, storage, comment)
$tables$;
COMMENT ON FUNCTION vmnet_internal.inventory_tables(text) IS
'Tables of an inventory of a kind, with the kinds that have them';

-- Constraints and indexes.  columns: the columns of a key or an index, and those
-- that a check is about.  body: the expression of a check, what a foreign key
-- refers to, what an index includes.  condition: which rows an index has.
-- table of data
CREATE FUNCTION vmnet_internal.inventory_keys()
RETURNS TABLE (phase text, kinds text[], sort text, relation text, name text, columns text[], body text, condition text, comment text)
LANGUAGE sql IMMUTABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $keys$
SELECT k.phase, k.kinds::text[], k.sort, k.relation, k.name, k.columns::text[], k.body, k.condition, k.comment
FROM (VALUES
-- keys
('keys', '{managed,mirror}', 'primary key', 'all_networks', 'all_networks_pkey', '{id}', NULL, NULL,
	'A network is known by its id'),
('keys', '{managed,mirror}', 'unique', 'all_networks', 'all_networks_uuid_key', '{uuid}', NULL, NULL,
	'No two networks, removed ones included, have one uuid'),
('keys', '{managed,mirror}', 'primary key', 'all_instances', 'all_instances_pkey', '{id}', NULL, NULL,
	'An instance is known by its id'),
('keys', '{managed,mirror}', 'unique', 'all_instances', 'all_instances_uuid_key', '{uuid}', NULL, NULL,
	'No two instances, removed ones included, have one uuid'),
('keys', '{managed,mirror}', 'primary key', 'all_nics', 'all_nics_pkey', '{id}', NULL, NULL,
	'A NIC is known by its id'),
('keys', '{managed,mirror}', 'unique', 'all_nics', 'all_nics_uuid_key', '{uuid}', NULL, NULL,
	'No two NICs, removed ones included, have one uuid'),
('keys', '{managed,mirror}', 'primary key', 'all_nic_secondary_ips', 'all_nic_secondary_ips_pkey', '{id}', NULL, NULL,
	'A secondary address is known by its id'),
('keys', '{managed,mirror}', 'unique', 'all_nic_secondary_ips', 'all_nic_secondary_ips_uuid_key', '{uuid}', NULL, NULL,
	'No two secondary addresses, removed ones included, have one uuid'),
('keys', '{managed,mirror}', 'index', 'all_nic_secondary_ips', 'all_nic_secondary_ips_nic_idx', '{nic_id}', NULL, NULL,
	'All secondary addresses of a NIC, removed ones too'),
('keys', '{managed,mirror}', 'index', 'all_nic_secondary_ips', 'all_nic_secondary_ips_active_idx', '{network_id,nic_id}', NULL, 'active',
	'Secondary addresses in use on a network'),
('keys', '{managed,mirror}', 'primary key', 'all_ip_ranges', 'all_ip_ranges_pkey', '{id}', NULL, NULL,
	'A range is known by its id'),
('keys', '{managed,mirror}', 'unique', 'all_ip_ranges', 'all_ip_ranges_uuid_key', '{uuid}', NULL, NULL,
	'No two ranges, removed ones included, have one uuid'),
('keys', '{managed,mirror}', 'index', 'all_ip_ranges', 'all_ip_ranges_network_idx', '{network_id}', NULL, 'active',
	'Ranges of a network'),
('keys', '{managed,mirror}', 'primary key', 'all_ip_addresses', 'all_ip_addresses_pkey', '{id}', NULL, NULL,
	'An address is known by its id'),
('keys', '{managed,mirror}', 'unique', 'all_ip_addresses', 'all_ip_addresses_uuid_key', '{uuid}', NULL, NULL,
	'No two addresses, removed ones included, have one uuid'),
('keys', '{managed,mirror}', 'index', 'all_ip_addresses', 'all_ip_addresses_network_idx', '{source_network_id,ip_address}', NULL, 'active',
	'Addresses that a network can give or has given, in order'),
('keys', '{managed,mirror}', 'index', 'all_ip_addresses', 'all_ip_addresses_ip_idx', '{ip_address}', NULL, NULL,
	'All addresses by their value'),
('keys', '{managed,mirror,attached}', 'primary key', 'nic_history', 'nic_history_pkey', '{seq,at}', NULL, NULL,
	'An entry is known by its number
The time is there so that the table can be partitioned by it.'),
('keys', '{managed,mirror,attached}', 'index', 'nic_history', 'nic_history_nic_idx', '{nic_id,seq}', NULL, NULL,
	'What happened to a NIC, in order'),
('keys', '{managed,mirror,attached}', 'index', 'nic_history', 'nic_history_network_idx', '{network_id,seq}', NULL, NULL,
	'What happened on a network, in order'),
('keys', '{mirror}', 'index', 'nic_history', 'nic_history_move_idx', '{nic_id,seq}', NULL, 'from_network_id IS NOT NULL',
	'NICs that were moved to another network, which only a mirror sees'),
('keys', '{managed,mirror,attached}', 'primary key', 'nic_address_history', 'nic_address_history_pkey', '{entry}', NULL, NULL,
	'An entry is known by its number'),
('keys', '{managed,mirror,attached}', 'index', 'nic_address_history', 'nic_address_history_nic_idx', '{nic_id,entry}', NULL, NULL,
	'Addresses that a NIC had, in order'),
('keys', '{managed,mirror,attached}', 'index', 'nic_address_history', 'nic_address_history_mac_idx', '{mac_address}', NULL, NULL,
	'Who had a MAC address before'),
('keys', '{managed,mirror,attached}', 'index', 'nic_address_history', 'nic_address_history_ip4_idx', '{ip4_address}', NULL, NULL,
	'Who had an IPv4 address before'),
('keys', '{managed,mirror,attached}', 'index', 'nic_address_history', 'nic_address_history_ip6_idx', '{ip6_address}', NULL, NULL,
	'Who had an IPv6 address before'),
('keys', '{managed,mirror,attached,live}', 'primary key', 'accepted_findings', 'accepted_findings_pkey', '{code,object,fingerprint}',
	NULL, NULL,
	'A finding is accepted once'),
('keys', '{mirror}', 'primary key', 'import_runs', 'import_runs_pkey', '{run}', NULL, NULL,
	'A run is known by its number'),
('keys', '{mirror}', 'check', 'import_runs', 'import_runs_status_valid', '{status}',
	'status IN (''running'', ''done'', ''failed'')', NULL,
	'status is running, done or failed'),
('keys', '{mirror}', 'primary key', 'import_log', 'import_log_pkey', '{entry}', NULL, NULL,
	'An entry is known by its number'),
('keys', '{mirror}', 'check', 'import_log', 'import_log_action_valid', '{action}',
	'action IN (''rejected'', ''changed'', ''reused'')', NULL,
	'action is rejected, changed or reused'),
('keys', '{mirror}', 'primary key', 'import_vanished', 'import_vanished_pkey', '{relation,id}', NULL, NULL,
	'A row vanishes once, until the source has it again'),
('keys', '{mirror}', 'primary key', 'import_states', 'import_states_pkey', '{relation,id}', NULL, NULL,
	'A network or an instance has one state'),
('keys', '{mirror}', 'primary key', 'former_rows', 'former_rows_pkey', '{entry}', NULL, NULL,
	'An entry is known by its number'),
('keys', '{mirror}', 'index', 'former_rows', 'former_rows_until_idx', '{relation,id,until}', NULL, NULL,
	'Which row an id had at a time'),
('keys', '{mirror}', 'primary key', 'former_nic_intervals', 'former_nic_intervals_pkey', '{entry}', NULL, NULL,
	'An entry is known by its number'),
('keys', '{mirror}', 'index', 'former_nic_intervals', 'former_nic_intervals_nic_idx', '{nic_id}', NULL, NULL,
	'Where a NIC was'),
('keys', '{mirror}', 'index', 'former_nic_intervals', 'former_nic_intervals_network_idx', '{network_id,from}', NULL, NULL,
	'Who was on a network when'),
('keys', '{mirror}', 'primary key', 'former_nic_addresses', 'former_nic_addresses_pkey', '{entry}', NULL, NULL,
	'An entry is known by its number'),
('keys', '{mirror}', 'index', 'former_nic_addresses', 'former_nic_addresses_nic_idx', '{nic_id}', NULL, NULL,
	'Addresses that a NIC had'),
('keys', '{mirror}', 'index', 'former_nic_addresses', 'former_nic_addresses_mac_idx', '{mac_address}', NULL, NULL,
	'Who had a MAC address'),
('keys', '{mirror}', 'index', 'former_nic_addresses', 'former_nic_addresses_ip4_idx', '{ip4_address}', NULL, NULL,
	'Who had an IPv4 address'),
('keys', '{mirror}', 'index', 'former_nic_addresses', 'former_nic_addresses_ip6_idx', '{ip6_address}', NULL, NULL,
	'Who had an IPv6 address'),
('keys', '{reality}', 'primary key', 'observers', 'observers_pkey', '{name}', NULL, NULL,
	'An observer is known by its name'),
('keys', '{reality}', 'check', 'observers', 'observer_kind_valid', '{kind}',
	'kind IN (''libvirt'', ''ovs'', ''neigh'', ''fdb'', ''leases'', ''prometheus'', ''cloudstack'', ''csv'')', NULL,
	'kind is one of the kinds of pictures'),
('keys', '{reality}', 'check', 'observers', 'observer_every_positive', '{every}', 'every > pg_catalog.make_interval()', NULL,
	'every is longer than nothing'),
('keys', '{reality}', 'primary key', 'segments', 'segments_pkey', '{id}', NULL, NULL,
	'A row is known by its number'),
('keys', '{reality}', 'unique nulls not distinct', 'segments', 'segments_host_segment_key', '{host,segment}', NULL, NULL,
	'A segment of a host is one network'),
('keys', '{reality}', 'primary key', 'sightings', 'sightings_pkey', '{id}', NULL, NULL,
	'A fact is known by its number'),
('keys', '{reality}', 'unique nulls not distinct', 'sightings', 'sightings_fact_key',
	'{observer,host,segment,mac_address,ip_address,domain,domain_uuid}', NULL, NULL,
	'An observer sees a fact once'),
('keys', '{reality}', 'index', 'sightings', 'sightings_mac_idx', '{mac_address}', NULL, NULL,
	'Who sees a MAC address'),
('keys', '{reality}', 'index', 'sightings', 'sightings_ip_idx', '{ip_address}', NULL, NULL,
	'Who sees an IP address'),
('keys', '{reality}', 'index', 'sightings', 'sightings_segment_idx', '{segment}', NULL, NULL,
	'What is seen on segments of a name'),
('keys', '{reality}', 'index', 'sightings', 'sightings_host_segment_idx', '{host_segment}', NULL, NULL,
	'What is seen on a segment of a host'),
('keys', '{reality}', 'index', 'segments', 'segments_host_segment_idx', '{host_segment}', NULL, NULL,
	'Which network a segment of a host is'),
('keys', '{reality}', 'index', 'segments', 'segments_network_idx', '{network_id}', NULL, NULL,
	'Which segments a network is'),
('keys', '{reality}', 'index', 'sightings', 'sightings_nic_idx', '{nic_uuid}', NULL, 'nic_uuid IS NOT NULL',
	'Who sees a NIC'),
('keys', '{reality}', 'primary key', 'sighting_history', 'sighting_history_pkey', '{id,gone_since}', NULL, NULL,
	'A fact is known by its number
The time is there so that the table can be partitioned by it.'),
('keys', '{reality}', 'index', 'sighting_history', 'sighting_history_mac_idx', '{mac_address,gone_since}', NULL, NULL,
	'Who saw a MAC address'),
('keys', '{reality}', 'index', 'sighting_history', 'sighting_history_ip_idx', '{ip_address,gone_since}', NULL, NULL,
	'Who saw an IP address'),
('keys', '{reality}', 'primary key', 'observation_log', 'observation_log_pkey', '{id}', NULL, NULL,
	'An entry is known by its number'),
('keys', '{reality}', 'index', 'observation_log', 'observation_log_observer_idx', '{observer,at}', NULL, NULL,
	'What an observer''s pictures had that could not be read'),
-- references
('references', '{managed,mirror}', 'foreign key', 'all_nics', 'all_nics_network_id_fkey', '{network_id}',
	'REFERENCES %1$I.all_networks (id)', NULL,
	'A NIC is on a network that exists; the guards see to networks that are removed'),
('references', '{managed,mirror}', 'foreign key', 'all_nics', 'all_nics_instance_id_fkey', '{instance_id}',
	'REFERENCES %1$I.all_instances (id)', NULL,
	'A NIC belongs to an instance that exists; the guards see to instances that are removed'),
-- indexes that reads use; none has a column that a change between live states
-- touches, so that those changes are HOT
('indexes', '{managed,mirror}', 'unique index', 'all_networks', 'all_networks_removed_key', '{id,removed}', NULL, NULL,
	'Makes removed a part of the key
A removal so waits, before it writes, for all who add NICs. Joins that need only to know whether a row is live read this index alone.'),
('indexes', '{managed,mirror}', 'unique index', 'all_instances', 'all_instances_removed_key', '{id,removed}', NULL, NULL,
	'Makes removed a part of the key
A removal so waits, before it writes, for all who add NICs. Joins that need only to know whether a row is live read this index alone.'),
('indexes', '{managed,mirror}', 'index', 'all_networks', 'all_networks_vpc_idx', '{vpc_id}', NULL, 'vpc_id IS NOT NULL',
	'Tiers of a VPC'),
('indexes', '{managed,mirror}', 'index', 'all_networks', 'all_networks_name_idx', '{name}', NULL,
	'removed IS NULL AND octet_length(name) <= 2000',
	'Live networks by name; longer names do not fit an index'),
('indexes', '{managed,mirror}', 'index', 'all_instances', 'all_instances_name_idx', '{name}', NULL,
	'removed IS NULL AND octet_length(name) <= 2000',
	'Live instances by name; longer names do not fit an index'),
('indexes', '{managed,mirror}', 'index', 'all_nics', 'all_nics_active_idx', '{network_id,instance_id}', NULL, 'active',
	'Active NICs of a network, in the order of their instances'),
('indexes', '{managed,mirror}', 'index', 'all_nics', 'all_nics_half_removed_idx', '{network_id}', NULL, 'removed IS NULL AND NOT active',
	'Half-removed NICs of a network: they are few, and block its removal'),
('indexes', '{managed,mirror}', 'index', 'all_nics', 'all_nics_instance_idx', '{instance_id}', NULL, NULL,
	'All NICs of an instance, removed ones too'),
('indexes', '{managed,mirror}', 'index', 'all_nics', 'all_nics_network_created_idx', '{network_id,created}',
	'INCLUDE (id, instance_id, ended)', NULL,
	'All NICs of a network by time: who was on it when'),
('indexes', '{managed,mirror}', 'index', 'all_nics', 'all_nics_mac_idx', '{mac_address}', NULL, NULL,
	'All NICs that have a MAC address, or had it last'),
('indexes', '{managed,mirror}', 'index', 'all_nics', 'all_nics_ip4_idx', '{ip4_address}', NULL, 'ip4_address IS NOT NULL',
	'All NICs that have an IPv4 address, or had it last'),
('indexes', '{managed,mirror}', 'index', 'all_nics', 'all_nics_ip6_idx', '{ip6_address}', NULL, 'ip6_address IS NOT NULL',
	'All NICs that have an IPv6 address, or had it last'),
('indexes', '{managed,mirror}', 'index', 'all_nic_secondary_ips', 'all_nic_secondary_ips_ip4_idx', '{ip4_address}', NULL,
	'ip4_address IS NOT NULL',
	'All secondary IPv4 addresses by their value, removed ones too'),
('indexes', '{managed,mirror}', 'index', 'all_nic_secondary_ips', 'all_nic_secondary_ips_ip6_idx', '{ip6_address}', NULL,
	'ip6_address IS NOT NULL',
	'All secondary IPv6 addresses by their value, removed ones too'),
-- rules: what a managed inventory holds declaratively
('rules', '{managed}', 'check', 'all_networks', 'network_guest_type_valid', '{guest_type}',
	'guest_type IN (''Isolated'', ''Shared'', ''L2'')', NULL,
	'guest_type is Isolated, Shared, L2 or NULL'),
('rules', '{managed}', 'check', 'all_networks', 'network_removed_finite', '{removed}', 'pg_catalog.isfinite(removed)', NULL,
	'removed is a time, not infinity'),
('rules', '{managed}', 'check', 'all_networks', 'network_created_finite', '{created}', 'pg_catalog.isfinite(created)', NULL,
	'created is a time, not infinity'),
('rules', '{managed}', 'check', 'all_instances', 'instance_removed_finite', '{removed}', 'pg_catalog.isfinite(removed)', NULL,
	'removed is a time, not infinity'),
('rules', '{managed}', 'check', 'all_instances', 'instance_created_finite', '{created}', 'pg_catalog.isfinite(created)', NULL,
	'created is a time, not infinity'),
('rules', '{managed}', 'check', 'all_nics', 'nic_state_valid', '{state}',
	'vmnet_internal.nic_state_valid(state)', NULL,
	'state is one of those of vmnet.nic_state_transitions(), exactly spelled'),
('rules', '{managed}', 'check', 'all_nics', 'nic_strategy_valid', '{strategy}',
	'vmnet_internal.nic_strategy_valid(strategy)', NULL,
	'strategy is one of the four, exactly spelled'),
('rules', '{managed}', 'check', 'all_nics', 'nic_removed_is_deallocating', '{removed,state}',
	'removed IS NULL OR state = ''Deallocating''', NULL,
	'A removed NIC is in state Deallocating'),
('rules', '{managed}', 'check', 'all_nics', 'nic_removed_finite', '{removed}', 'pg_catalog.isfinite(removed)', NULL,
	'removed is a time, not infinity'),
('rules', '{managed}', 'check', 'all_nics', 'nic_created_finite', '{created}', 'pg_catalog.isfinite(created)', NULL,
	'created is a time, not infinity'),
('rules', '{managed}', 'check', 'all_nics', 'nic_default_nic_present', '{default_nic}', 'default_nic IS NOT NULL', NULL,
	'default_nic is true or false; where an INSERT does not say, the inventory does'),
('rules', '{managed}', 'check', 'all_nics', 'nic_instance_required', '{instance_id,strategy,removed}',
	'instance_id IS NOT NULL OR strategy = ''PlaceHolder'' OR removed IS NOT NULL', NULL,
	'A held NIC has an instance, unless it is a placeholder'),
('rules', '{managed}', 'check', 'all_nics', 'nic_ip4_address_valid', '{ip4_address}',
	'vmnet_internal.ip4_address_valid(ip4_address)', NULL,
	'ip4_address is one IPv4 address, without a prefix length; the netmask has its own column'),
('rules', '{managed}', 'check', 'all_nics', 'nic_ip6_address_valid', '{ip6_address}',
	'vmnet_internal.ip6_address_valid(ip6_address)', NULL,
	'ip6_address is one IPv6 address, without a prefix length'),
('rules', '{managed}', 'unique index', 'all_nics', 'all_nics_one_per_network', '{instance_id,network_id}',
	NULL, 'active AND vm_type = ''User''',
	'A User instance has at most one active NIC on a network'),
('rules', '{managed}', 'unique index', 'all_nics', 'all_nics_one_default', '{instance_id,default_nic}',
	NULL, 'active AND default_nic AND vm_type = ''User''',
	'A User instance has at most one active default NIC
To change it, clear the old one before setting the new one. default_nic is in the key so that mappers do not read it as one NIC per '
'instance.'),
('rules', '{managed}', 'unique index', 'all_nics', 'all_nics_one_device', '{instance_id,device_id}',
	NULL, 'active AND vm_type = ''User''',
	'A User instance has at most one active NIC in a device position'),
('rules', '{managed}', 'unique index', 'all_nics', 'all_nics_one_mac', '{network_id,mac_address}', NULL, 'active AND vm_type = ''User''',
	'A MAC address is held by at most one active User NIC of a network
Redundant routers may share one (CloudStack #7633).'),
('rules', '{managed}', 'unique index', 'all_nics', 'all_nics_one_ip4', '{network_id,ip4_address}', NULL, 'active AND vm_type = ''User''',
	'An IPv4 address is held by at most one active User NIC of a network
See CloudStack #3103.'),
('rules', '{managed}', 'unique index', 'all_nics', 'all_nics_one_ip6', '{network_id,ip6_address}', NULL, 'active AND vm_type = ''User''',
	'An IPv6 address is held by at most one active User NIC of a network'),
('rules', '{managed}', 'check', 'all_nic_secondary_ips', 'secondary_ip_present', '{ip4_address,ip6_address}',
	'ip4_address IS NOT NULL OR ip6_address IS NOT NULL', NULL,
	'There is an address'),
('rules', '{managed}', 'check', 'all_nic_secondary_ips', 'secondary_ip_removed_finite', '{removed}', 'pg_catalog.isfinite(removed)', NULL,
	'removed is a time, not infinity'),
('rules', '{managed}', 'check', 'all_nic_secondary_ips', 'secondary_ip_created_finite', '{created}', 'pg_catalog.isfinite(created)', NULL,
	'created is a time, not infinity'),
('rules', '{managed}', 'check', 'all_nic_secondary_ips', 'secondary_ip4_address_valid', '{ip4_address}',
	'vmnet_internal.ip4_address_valid(ip4_address)', NULL,
	'ip4_address is one IPv4 address, without a prefix length'),
('rules', '{managed}', 'check', 'all_nic_secondary_ips', 'secondary_ip6_address_valid', '{ip6_address}',
	'vmnet_internal.ip6_address_valid(ip6_address)', NULL,
	'ip6_address is one IPv6 address, without a prefix length'),
('rules', '{managed}', 'unique index', 'all_nic_secondary_ips', 'all_nic_secondary_ips_one_ip4', '{network_id,ip4_address}',
	NULL, 'active',
	'An IPv4 address is a secondary one of at most one NIC of a network'),
('rules', '{managed}', 'unique index', 'all_nic_secondary_ips', 'all_nic_secondary_ips_one_ip6', '{network_id,ip6_address}',
	NULL, 'active',
	'An IPv6 address is a secondary one of at most one NIC of a network'),
('rules', '{managed}', 'check', 'all_ip_addresses', 'ip_address_valid', '{ip_address}',
	'pg_catalog.masklen(ip_address) = CASE pg_catalog.family(ip_address) WHEN 4 THEN 32 ELSE 128 END', NULL,
	'ip_address is one address, without a prefix length'),
('rules', '{managed}', 'check', 'all_ip_addresses', 'ip_address_removed_finite', '{removed}', 'pg_catalog.isfinite(removed)', NULL,
	'removed is a time, not infinity'),
('rules', '{managed}', 'check', 'all_ip_ranges', 'ip_range_valid', '{range_start,range_end}',
	'range_start <= range_end AND pg_catalog.family(range_start) = pg_catalog.family(range_end)', NULL,
	'range_start is not after range_end, and of the same family'),
('rules', '{managed}', 'check', 'all_ip_ranges', 'ip_range_removed_finite', '{removed}', 'pg_catalog.isfinite(removed)', NULL,
	'removed is a time, not infinity')
) k (phase, kinds, sort, relation, name, columns, body, condition, comment)
$keys$;
COMMENT ON FUNCTION vmnet_internal.inventory_keys() IS
'Constraints and indexes of an inventory, with the kinds that have them';

-- Joins to the row that an id of networks or instances had at a time: in a mirror
-- it may have been an earlier one than that of now.  alias.removed is its end.
CREATE FUNCTION vmnet_internal.rows_then(kind text, relation text, alias text, id text, at text)
RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $$
SELECT format(CASE $1 WHEN 'mirror' THEN
		'%%1$I.all_%1$s %2$s_now ON %2$s_now.id = %3$s'
		' LEFT JOIN (SELECT f.id, f.removed, f.until, pg_catalog.lag(f.until) OVER (PARTITION BY f.id ORDER BY f.until) AS since'
		' FROM %%1$I.former_rows f WHERE f.relation = ''%1$s'') %2$s_then'
		' ON %2$s_then.id = %3$s AND %2$s_then.until > %4$s AND (%2$s_then.since IS NULL OR %2$s_then.since <= %4$s)'
		' CROSS JOIN LATERAL (SELECT CASE WHEN %2$s_then.id IS NULL THEN %2$s_now.removed ELSE %2$s_then.removed END AS removed) %2$s'
	ELSE '%%1$I.all_%1$s %2$s ON %2$s.id = %3$s' END, $2, $3, $4, $5)
$$;
COMMENT ON FUNCTION vmnet_internal.rows_then(text, text, text, text, text) IS
'Part of create_inventory(): joins to the row that an id had at a time
%1$I stands for the name of the inventory.';

-- The query of nic_address_intervals.  A NIC and a secondary address have what
-- their rows say since their last change (since they began, in a mirror), and had
-- before what nic_address_history says.
CREATE FUNCTION vmnet_internal.address_intervals_query(kind text)
RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $query$
SELECT string_agg(format($$SELECT %1$s AS nic_id, %2$s AS mac_address, %3$s.ip4_address, %3$s.ip6_address,
	coalesce(%4$s, %3$s.created) AS "from", %5$s AS "to", %6$L::text AS kind, %7$s AS secondary_ip_id
FROM %8$s
UNION ALL
SELECT a.nic_id, a.mac_address, a.ip4_address, a.ip6_address,
	coalesce(%9$s, %3$s.created), LEAST(a.until, %5$s), %6$L, a.secondary_ip_id
FROM %%1$I.nic_address_history a
	JOIN %8$s ON %1$s = a.nic_id AND a.secondary_ip_id %10$s$$,
		k.nic, k.mac, k.alias, format(c.change, ''), k.ended, k.kind, k.address, k.rows, format(c.change, ' AND h.entry < a.entry'), k.its),
	E'\nUNION ALL\n' ORDER BY k.kind)
	|| CASE $1 WHEN 'mirror' THEN $$
UNION ALL
SELECT f.nic_id, f.mac_address, f.ip4_address, f.ip6_address, f."from", f."to",
	CASE WHEN f.secondary_ip_id IS NULL THEN 'nic' ELSE 'secondary' END, f.secondary_ip_id
FROM %1$I.former_nic_addresses f$$ ELSE '' END
FROM (VALUES
	('nic', 'nics', 'n', 'n.id', 'n.mac_address', 'IS NULL', 'n.ended', 'NULL::bigint', '%1$I.all_nics n'),
	('secondary', 'nic_secondary_ips', 's', 's.nic_id', 'NULL::macaddr', '= s.id', 'LEAST(s.removed, n.ended)', 's.id',
		'(%1$I.all_nic_secondary_ips s JOIN %1$I.all_nics n ON n.id = s.nic_id)'))
		k (kind, relation, alias, nic, mac, its, ended, address, rows)
	-- when the row changed last, or began in a mirror; %s is a condition
	CROSS JOIN LATERAL (SELECT format(CASE $1
		WHEN 'mirror' THEN 'GREATEST(%1$s, (SELECT pg_catalog.max(f.until) FROM %%%%1$I.former_rows f'
			' WHERE f.relation = %2$L AND f.id = %3$s.id))'
		ELSE '%1$s' END,
		format('(SELECT pg_catalog.max(h.until) FROM %%%%1$I.nic_address_history h WHERE h.nic_id = %s AND h.secondary_ip_id %s%%s)',
			k.nic, k.its), k.relation, k.alias)) c (change)
$query$;
COMMENT ON FUNCTION vmnet_internal.address_intervals_query(text) IS
'Part of create_inventory(): the query of the view nic_address_intervals of an inventory of a kind
%1$I stands for the name of the inventory.';

-- The views: what reads touch.  Each kind has all of them.  A view of one table
-- could be written to, so those that are for reading only join (SELECT).
-- table of data
CREATE FUNCTION vmnet_internal.inventory_views(kind text)
RETURNS TABLE (name text, body text, comment text)
LANGUAGE sql IMMUTABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $views$
VALUES
('inventory_info',
'SELECT %2$L::pg_catalog.text AS kind, %3$L::pg_catalog.text AS source,
%4$L::pg_catalog.text AS mode, %5$L::pg_catalog.text AS version',
'What this inventory is: one row of constants
The view vmnet.inventories finds it by this.'),
('networks', vmnet_internal.live_view_query('networks', kind => $1),
'Live networks: those that are not removed
INSERT, UPDATE and ON CONFLICT work here; DELETE, as setting removed, removes the network and keeps its row, and is refused while it '
'holds a NIC.'),
('instances', vmnet_internal.live_view_query('instances', kind => $1),
'Live instances: those that are not removed, whatever their state
A Stopped or Destroyed instance still holds its NICs. INSERT, UPDATE and ON CONFLICT work here; DELETE, as setting removed, removes the '
'instance and keeps its row, and is refused while it holds a NIC.'),
('nics', vmnet_internal.live_view_query('nics', kind => $1),
'Live NICs: neither removed nor being deallocated
INSERT, UPDATE and ON CONFLICT work here; DELETE removes the NIC and keeps its row.'),
('nic_secondary_ips', vmnet_internal.live_view_query('nic_secondary_ips', kind => $1),
'Secondary addresses of live NICs
INSERT, UPDATE and ON CONFLICT work here. To remove an address, set removed; its row then leaves this view. With a NIC its secondary '
'addresses are removed too; those of a half-removed NIC are not here.'),
('ip_ranges', vmnet_internal.live_view_query('ip_ranges', kind => $1),
'Live ranges of addresses: those that are not removed
From CloudStack''s table vlan, where the source has it; in a managed inventory INSERT, UPDATE and ON CONFLICT work here. To remove a '
'range, set removed.'),
('ip_addresses', vmnet_internal.live_view_query('ip_addresses', kind => $1),
'Live addresses that Shared and Public networks can give or have given
From CloudStack''s table user_ip_address, where the source has it; in a managed inventory INSERT, UPDATE and ON CONFLICT work here. To '
'remove an address, set removed. vmnet.network_free_ips() has those that are free.'),
('network_instances', $$SELECT n.network_id, w.uuid AS network_uuid, w.name AS network_name, w.state AS network_state,
	w.traffic_type, w.guest_type, w.vpc_id,
	n.instance_id, i.uuid AS instance_uuid, i.name AS instance_name, i.type AS instance_type,
	i.state AS instance_state,
	(SELECT pg_catalog.count(*) FROM %1$I.all_nics c
	 WHERE c.active AND c.network_id = n.network_id AND c.instance_id = n.instance_id) AS nic_count,
	n.id AS nic_id, n.state AS nic_state, n.device_id, n.default_nic, n.mac_address,
	n.ip4_address, n.ip6_address
FROM %1$I.all_nics n
	JOIN %1$I.all_networks w ON w.id = n.network_id AND $$ || vmnet_internal.live_condition($1, 'all_networks', 'w') || $$
	JOIN %1$I.all_instances i ON i.id = n.instance_id AND $$ || vmnet_internal.live_condition($1, 'all_instances', 'i') || $$
WHERE n.active
	AND NOT EXISTS (
		SELECT 1 FROM %1$I.all_nics o
		WHERE o.active AND o.network_id = n.network_id AND o.instance_id = n.instance_id
			AND (coalesce(o.device_id::bigint, 2147483648), o.id) < (coalesce(n.device_id::bigint, 2147483648), n.id))$$,
'One row per live network and instance active on it
An instance is active on a network when it has an active NIC there. Where it has several, the row shows that of the lowest device_id '
'(NULLs last), then of the lowest id. The twin of vmnet.network_active_instances() for joins.'),
('network_counts', replace(vmnet_internal.network_counts_query($1), '{inv}', '%1$I'),
'One row per live network, with counts; a network with nothing on it has zeros
System networks are there too. Each column says what it counts.'),
('vpc_instances', $$SELECT w.vpc_id, n.instance_id, i.uuid AS instance_uuid, i.name AS instance_name,
	i.type AS instance_type, i.state AS instance_state,
	pg_catalog.count(DISTINCT n.network_id) AS network_count,
	pg_catalog.count(*) AS nic_count
FROM %1$I.all_nics n
	JOIN %1$I.all_networks w ON w.id = n.network_id AND $$ || vmnet_internal.live_condition($1, 'all_networks', 'w') || $$
	JOIN %1$I.all_instances i ON i.id = n.instance_id AND $$ || vmnet_internal.live_condition($1, 'all_instances', 'i') || $$
WHERE n.active AND w.vpc_id IS NOT NULL
GROUP BY w.vpc_id, n.instance_id, i.uuid, i.name, i.type, i.state$$,
'One row per VPC and instance active on one or more of its live networks
The other half of CloudStack issue 10188: an instance on two tiers is there once.'),
('nic_intervals', $$SELECT n.id AS nic_id, n.network_id, n.instance_id, n.created AS "from", n.ended AS "to"
FROM %1$I.all_nics n CROSS JOIN (SELECT) read_only
WHERE (n.ended IS NULL OR n.ended > n.created)$$ || CASE $1 WHEN 'mirror' THEN $$
	AND NOT EXISTS (SELECT FROM %1$I.nic_history h WHERE h.nic_id = n.id AND h.from_network_id IS NOT NULL)
	AND NOT EXISTS (SELECT FROM %1$I.former_rows f WHERE f.relation = 'nics' AND f.id = n.id)
UNION ALL
-- where a NIC that was moved, or had an earlier row, is now
SELECT n.id, n.network_id, n.instance_id, m.at, n.ended
FROM (SELECT c.nic_id, pg_catalog.max(c.at) AS at
		FROM (SELECT h.nic_id, h.at FROM %1$I.nic_history h WHERE h.from_network_id IS NOT NULL
			UNION ALL
			SELECT f.id, f.until FROM %1$I.former_rows f WHERE f.relation = 'nics') c
		GROUP BY c.nic_id) m
	JOIN %1$I.all_nics n ON n.id = m.nic_id
WHERE n.ended IS NULL OR n.ended > m.at
UNION ALL
-- where it was before, as the same row; moves of earlier rows are not after its beginning
SELECT n.id, m.from_network_id, n.instance_id, m.since, LEAST(m.at, n.ended)
FROM (SELECT h.nic_id, h.from_network_id, h.at,
			pg_catalog.lag(h.at) OVER (PARTITION BY h.nic_id ORDER BY h.seq) AS came
		FROM %1$I.nic_history h
		WHERE h.from_network_id IS NOT NULL) h
	JOIN %1$I.all_nics n ON n.id = h.nic_id
	LEFT JOIN (SELECT f.id, pg_catalog.max(f.until) AS began FROM %1$I.former_rows f WHERE f.relation = 'nics' GROUP BY f.id) f
		ON f.id = h.nic_id
	CROSS JOIN LATERAL (SELECT h.from_network_id, h.at, coalesce(GREATEST(h.came, f.began), n.created) AS since) m
WHERE LEAST(m.at, n.ended) > m.since
UNION ALL
SELECT f.nic_id, f.network_id, f.instance_id, f."from", f."to"
FROM %1$I.former_nic_intervals f$$ ELSE '' END,
'When NICs were active on networks: one row per NIC and network
From "from" (included) to "to" (not included; NULL: it still is). A NIC is active from its creation until it was removed or became '
'Deallocating, whichever was first. Placeholders, which have no instance, are there. Write i.from and i.to, with the alias of the view: '
'alone, both are words of SQL.'),
('network_instance_intervals', $$SELECT g.network_id, g.instance_id, pg_catalog.lower(r.r) AS "from", pg_catalog.upper(r.r) AS "to"
FROM (SELECT s.network_id, s.instance_id,
			pg_catalog.range_agg(pg_catalog.tstzrange(s."from", LEAST(s."to", i.removed, w.removed))) AS ranges
		FROM %1$I.nic_intervals s
			JOIN $$ || vmnet_internal.rows_then($1, 'instances', 'i', 's.instance_id', 's."from"') || $$
			JOIN $$ || vmnet_internal.rows_then($1, 'networks', 'w', 's.network_id', 's."from"') || $$
		WHERE (i.removed IS NULL OR i.removed > s."from")
			AND (w.removed IS NULL OR w.removed > s."from")
		GROUP BY s.network_id, s.instance_id) g
	CROSS JOIN LATERAL pg_catalog.unnest(g.ranges) r (r)$$,
'When instances were active on networks
From "from" (included) to "to" (not included; NULL: it still is). One row per time that an instance was on a network, whatever number of '
'NICs it had there; neither the instance nor the network was removed. Write i.from and i.to, with the alias of the view.'),
('nic_address_intervals', vmnet_internal.address_intervals_query($1),
'When NICs had which addresses, their own and secondary ones
One row for what a NIC, or a secondary address, had until one of its addresses changed. From "from" (included) to "to" (not included; '
'NULL: they still have). An interval can be empty ("to" not after "from"). Write i.from and i.to, with the alias of the view.'),
('stuck_nics', $$SELECT n.id AS nic_id, n.uuid AS nic_uuid, n.network_id, n.instance_id, n.vm_type, n.state,
	n.state_changed, pg_catalog.now() - n.state_changed AS age,
	h.event AS last_event, h.session_username, h.actor, h.reason, h.application_name
FROM %1$I.all_nics n
	LEFT JOIN LATERAL (SELECT h.event, h.session_username, h.actor, h.reason, h.application_name
		FROM %1$I.nic_history h
		WHERE h.nic_id = n.id
		ORDER BY h.seq DESC
		LIMIT 1) h ON true
WHERE n.active AND n.state IN ($$ || vmnet_internal.nic_state_list('{passing}') || $$)
	AND n.state_changed <= pg_catalog.now() - pg_catalog.make_interval(mins => 10)$$,
'NICs that have been Reserving or Releasing for ten minutes or longer
A NIC passes through these states while its instance starts or stops. For another threshold there is vmnet.nics_stuck_for(). A '
'half-removed NIC is not stuck.'),
('network_validation', $$SELECT w.id AS network_id, w.name AS network_name,
	coalesce(c.active_instances, 0)::bigint AS active_instances,
	coalesce(c.held_instances, 0)::bigint AS held_instances,
	coalesce(c.listed_instances, 0)::bigint AS listed_instances,
	coalesce(c.reserved_user_nics, 0)::bigint AS reserved_user_nics,
	w.nics_count,
	coalesce(c.active_instances = c.listed_instances, true)
		AND coalesce(w.nics_count = coalesce(c.reserved_user_nics, 0), true) AS agree,
	coalesce(c.differing_instances, '{}') AS differing_instances
FROM %1$I.all_networks w
	LEFT JOIN (
		SELECT h.network_id,
			pg_catalog.count(*) FILTER (WHERE l.live AND h.active_nics > 0) AS active_instances,
			pg_catalog.count(*) FILTER (WHERE l.live AND h.held_nics > 0) AS held_instances,
			pg_catalog.count(*) FILTER (WHERE l.live) AS listed_instances,
			pg_catalog.sum(h.reserved_user_nics) AS reserved_user_nics,
			pg_catalog.array_agg(i.id ORDER BY i.id) FILTER (WHERE l.live AND h.active_nics = 0) AS differing_instances
		FROM (
			SELECT n.network_id, n.instance_id,
				pg_catalog.count(*) FILTER (WHERE n.active) AS active_nics,
				pg_catalog.count(*) FILTER (WHERE n.removed IS NULL) AS held_nics,
				pg_catalog.count(*) FILTER (WHERE n.removed IS NULL AND n.vm_type = 'User' AND n.state = 'Reserved') AS reserved_user_nics
			FROM %1$I.all_nics n
			GROUP BY n.network_id, n.instance_id) h
			LEFT JOIN %1$I.all_instances i ON i.id = h.instance_id
			CROSS JOIN LATERAL (SELECT $$ || vmnet_internal.live_condition($1, 'all_instances', 'i', true) || $$ AS live) l
		GROUP BY h.network_id) c ON c.network_id = w.id
WHERE $$ || vmnet_internal.live_condition($1, 'all_networks', 'w'),
'One row per live network: its instances, counted in each way that is in use
It says whether the ways agree. What to look at before a critical operation. Only active_instances is right; where the others say more, '
'differing_instances are the instances that a query with a forgotten condition would still show. Every count leaves out removed instances.')
$views$;
COMMENT ON FUNCTION vmnet_internal.inventory_views(text) IS
'Views of an inventory of a kind: their queries, in an order in which they can be made';

-- What check_inventory() wants of these views.
-- columns: those of the view; NULL: those of its table that are in live views.
-- reads: the columns that decide which rows a view shows and what they say, as
-- relation.column: a view that reads one of them no more was changed, though it
-- has its columns.  Those that a view only passes on are not here; of one that it
-- passes on and has a condition on, the condition is.
-- table of data
CREATE FUNCTION vmnet_internal.inventory_view_columns()
RETURNS TABLE (view text, columns text[], reads text[])
LANGUAGE sql IMMUTABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $views$
VALUES
('inventory_info', '{kind,source,mode,version}'::text[], NULL::text[]),
('networks', NULL, '{all_networks.removed IS NULL}'),
('instances', NULL, '{all_instances.removed IS NULL}'),
('nics', NULL, '{all_nics.active}'),
('nic_secondary_ips', NULL, '{all_nic_secondary_ips.active,all_nics.active}'),
('ip_ranges', NULL, '{all_ip_ranges.active}'),
('ip_addresses', NULL, '{all_ip_addresses.active}'),
('network_instances',
	'{network_id,network_uuid,network_name,network_state,traffic_type,guest_type,vpc_id,instance_id,instance_uuid,instance_name,'
	'instance_type,instance_state,nic_count,nic_id,nic_state,device_id,default_nic,mac_address,ip4_address,ip6_address}',
	'{all_nics.active,all_networks.removed,all_instances.removed}'),
('network_counts', '{network_id,network_name}'::text[]
	|| ARRAY(SELECT c.name FROM vmnet_internal.network_counts_columns('managed') c WHERE NOT c.only_report ORDER BY c.ord),
	'{all_nics.active,all_nics.removed,all_nics.state,all_networks.removed,all_instances.removed}'),
('vpc_instances', '{vpc_id,instance_id,instance_uuid,instance_name,instance_type,instance_state,network_count,nic_count}',
	'{all_nics.active,all_networks.removed,all_instances.removed}'),
('nic_intervals', '{nic_id,network_id,instance_id,from,to}', '{all_nics.created,all_nics.ended}'),
('network_instance_intervals', '{network_id,instance_id,from,to}',
	'{nic_intervals.from,nic_intervals.to,all_instances.removed,all_networks.removed}'),
('nic_address_intervals', '{nic_id,mac_address,ip4_address,ip6_address,from,to,kind,secondary_ip_id}',
	'{all_nics.created,all_nics.ended,all_nic_secondary_ips.created,all_nic_secondary_ips.removed,nic_address_history.until}'),
('stuck_nics',
	'{nic_id,nic_uuid,network_id,instance_id,vm_type,state,state_changed,age,last_event,session_username,actor,reason,application_name}',
	'{all_nics.active,all_nics.state,all_nics.state_changed,nic_history.event}'),
('network_validation',
	'{network_id,network_name,active_instances,held_instances,listed_instances,reserved_user_nics,nics_count,agree,differing_instances}',
	'{all_nics.active,all_nics.removed,all_nics.state,all_networks.removed,all_instances.removed}')
$views$;
COMMENT ON FUNCTION vmnet_internal.inventory_view_columns() IS
'Columns that the views of an inventory have, and those that they have to read';

-- The triggers; one on TRUNCATE stands alone.  The guard of NICs fires before
-- the triggers of users, whose names start with a letter, so that they see what
-- was allowed.
-- No foreign key ties secondary addresses to NICs, since a TRUNCATE of the NICs
-- would then fail for the key before the guard can say why; so the guards are
-- told where to look.
-- table of data
CREATE FUNCTION vmnet_internal.inventory_triggers()
RETURNS TABLE (kinds text[], relation text, name text, timing text, events text[], level text, condition text,
	function text, argument text, comment text)
LANGUAGE sql IMMUTABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $triggers$
SELECT t.kinds::text[], t.relation, t.name, t.timing, t.events::text[], t.level, t.condition, t.function, t.argument, t.comment
FROM (VALUES
('{managed}', 'all_nics', 'nic_prepare', 'BEFORE', '{INSERT,UPDATE}', 'ROW', NULL, 'nic_prepare', NULL,
	'Sets state_changed, and the defaults of columns that an INSERT sets to NULL, default_nic included'),
('{managed}', 'all_nics', '_nic_guard', 'AFTER', '{INSERT,UPDATE}', 'ROW', NULL, 'nic_guard', NULL,
	'Allows only legal states and moves, on parents that are not removed'),
('{managed}', 'all_nics', '_nic_history', 'AFTER', '{UPDATE}', 'STATEMENT', NULL, 'nic_history', NULL,
	'Writes the changes that the guard saw to nic_history'),
('{managed}', 'all_nics', '_nic_secondary_ips', 'AFTER', '{UPDATE}', 'ROW',
	'OLD.removed IS NULL AND NEW.removed IS NOT NULL', 'nic_secondary_ips_remove', 'all_nic_secondary_ips',
	'Removes the secondary addresses of a NIC with it'),
-- before the triggers of users, so that they see the row as it will be stored; of
-- NICs, nic_prepare does it after those that may still change the state
('{managed}', 'all_networks', '_fill_defaults', 'BEFORE', '{INSERT}', 'ROW', NULL, 'fill_defaults', NULL,
	'A NULL in an INSERT becomes the default of its column'),
('{managed}', 'all_instances', '_fill_defaults', 'BEFORE', '{INSERT}', 'ROW', NULL, 'fill_defaults', NULL,
	'A NULL in an INSERT becomes the default of its column'),
('{managed}', 'all_nic_secondary_ips', '_fill_defaults', 'BEFORE', '{INSERT}', 'ROW', NULL, 'fill_defaults', NULL,
	'A NULL in an INSERT becomes the default of its column'),
('{managed}', 'all_nic_secondary_ips', 'secondary_ip_guard', 'AFTER', '{INSERT,UPDATE}', 'ROW', NULL, 'secondary_ip_guard', 'all_nics',
	'A secondary address is given to a live NIC only, and removed once'),
('{managed}', 'all_networks', 'network_guard', 'AFTER', '{UPDATE}', 'ROW',
	'OLD.removed IS DISTINCT FROM NEW.removed', 'network_guard', NULL,
	'A network is removed once, and only when it holds no NIC'),
('{managed}', 'all_instances', 'instance_guard', 'AFTER', '{UPDATE}', 'ROW',
	'OLD.removed IS DISTINCT FROM NEW.removed', 'instance_guard', NULL,
	'An instance is removed once, and only when it holds no NIC'),
('{mirror}', 'all_networks', 'mirror_guard', 'BEFORE', '{INSERT,UPDATE}', 'STATEMENT', NULL, 'mirror_guard', NULL,
	'Only the import writes to a mirror'),
('{mirror}', 'all_instances', 'mirror_guard', 'BEFORE', '{INSERT,UPDATE}', 'STATEMENT', NULL, 'mirror_guard', NULL,
	'Only the import writes to a mirror'),
('{mirror}', 'all_nics', 'mirror_guard', 'BEFORE', '{INSERT,UPDATE}', 'STATEMENT', NULL, 'mirror_guard', NULL,
	'Only the import writes to a mirror'),
('{mirror}', 'all_nic_secondary_ips', 'mirror_guard', 'BEFORE', '{INSERT,UPDATE}', 'STATEMENT', NULL, 'mirror_guard', NULL,
	'Only the import writes to a mirror'),
('{managed,mirror}', 'all_nic_secondary_ips', 'no_hard_delete', 'BEFORE', '{DELETE}', 'ROW', NULL, 'no_hard_delete', NULL,
	'Rows are never deleted by hand'),
('{managed,mirror}', 'all_nic_secondary_ips', 'no_truncate', 'BEFORE', '{TRUNCATE}', 'STATEMENT', NULL, 'no_truncate', NULL,
	'Rows are never truncated by hand'),
('{managed,mirror}', 'all_networks', 'no_hard_delete', 'BEFORE', '{DELETE}', 'ROW', NULL, 'no_hard_delete', NULL,
	'Rows are never deleted by hand'),
('{managed,mirror}', 'all_instances', 'no_hard_delete', 'BEFORE', '{DELETE}', 'ROW', NULL, 'no_hard_delete', NULL,
	'Rows are never deleted by hand'),
('{managed,mirror}', 'all_nics', 'no_hard_delete', 'BEFORE', '{DELETE}', 'ROW', NULL, 'no_hard_delete', NULL,
	'Rows are never deleted by hand'),
('{managed,mirror}', 'all_networks', 'no_truncate', 'BEFORE', '{TRUNCATE}', 'STATEMENT', NULL, 'no_truncate', NULL,
	'Rows are never truncated by hand'),
('{managed,mirror}', 'all_instances', 'no_truncate', 'BEFORE', '{TRUNCATE}', 'STATEMENT', NULL, 'no_truncate', NULL,
	'Rows are never truncated by hand'),
('{managed,mirror}', 'all_nics', 'no_truncate', 'BEFORE', '{TRUNCATE}', 'STATEMENT', NULL, 'no_truncate', NULL,
	'Rows are never truncated by hand'),
('{managed}', 'all_ip_ranges', '_fill_defaults', 'BEFORE', '{INSERT}', 'ROW', NULL, 'fill_defaults', NULL,
	'A NULL in an INSERT becomes the default of its column'),
('{managed}', 'all_ip_addresses', '_fill_defaults', 'BEFORE', '{INSERT}', 'ROW', NULL, 'fill_defaults', NULL,
	'A NULL in an INSERT becomes the default of its column'),
('{mirror}', 'all_ip_ranges', 'mirror_guard', 'BEFORE', '{INSERT,UPDATE}', 'STATEMENT', NULL, 'mirror_guard', NULL,
	'Only the import writes to a mirror'),
('{mirror}', 'all_ip_addresses', 'mirror_guard', 'BEFORE', '{INSERT,UPDATE}', 'STATEMENT', NULL, 'mirror_guard', NULL,
	'Only the import writes to a mirror'),
('{managed,mirror}', 'all_ip_ranges', 'no_hard_delete', 'BEFORE', '{DELETE}', 'ROW', NULL, 'no_hard_delete', NULL,
	'Rows are never deleted by hand'),
('{managed,mirror}', 'all_ip_ranges', 'no_truncate', 'BEFORE', '{TRUNCATE}', 'STATEMENT', NULL, 'no_truncate', NULL,
	'Rows are never truncated by hand'),
('{managed,mirror}', 'all_ip_addresses', 'no_hard_delete', 'BEFORE', '{DELETE}', 'ROW', NULL, 'no_hard_delete', NULL,
	'Rows are never deleted by hand'),
('{managed,mirror}', 'all_ip_addresses', 'no_truncate', 'BEFORE', '{TRUNCATE}', 'STATEMENT', NULL, 'no_truncate', NULL,
	'Rows are never truncated by hand'),
('{managed,mirror,attached}', 'nic_history', 'history_guard', 'BEFORE', '{INSERT,UPDATE,DELETE}', 'STATEMENT',
	NULL, 'history_guard', NULL,
	'Only the owner writes to history by hand'),
('{managed,mirror,attached}', 'nic_history', 'history_no_truncate', 'BEFORE', '{TRUNCATE}', 'STATEMENT', NULL, 'history_guard', NULL,
	'Only the owner truncates history'),
('{managed,mirror,attached}', 'nic_address_history', 'history_guard', 'BEFORE', '{INSERT,UPDATE,DELETE}', 'STATEMENT',
	NULL, 'history_guard', NULL,
	'Only the owner writes to history by hand'),
('{managed,mirror,attached}', 'nic_address_history', 'history_no_truncate', 'BEFORE', '{TRUNCATE}', 'STATEMENT',
	NULL, 'history_guard', NULL,
	'Only the owner truncates history'),
('{reality}', 'sightings', 'sighting_guard', 'BEFORE', '{INSERT,UPDATE,DELETE}', 'STATEMENT', NULL, 'sighting_guard', NULL,
	'Others than the owner write here by taking pictures only'),
('{reality}', 'sightings', 'sighting_no_truncate', 'BEFORE', '{TRUNCATE}', 'STATEMENT', NULL, 'sighting_guard', NULL,
	'Only the owner truncates what was observed'),
('{reality}', 'sighting_history', 'sighting_guard', 'BEFORE', '{INSERT,UPDATE,DELETE}', 'STATEMENT', NULL, 'sighting_guard', NULL,
	'Others than the owner write here by taking pictures only'),
('{reality}', 'sighting_history', 'sighting_no_truncate', 'BEFORE', '{TRUNCATE}', 'STATEMENT', NULL, 'sighting_guard', NULL,
	'Only the owner truncates what was observed'),
('{reality}', 'observation_log', 'sighting_guard', 'BEFORE', '{INSERT,UPDATE,DELETE}', 'STATEMENT', NULL, 'sighting_guard', NULL,
	'Others than the owner write here by taking pictures only'),
('{reality}', 'observation_log', 'sighting_no_truncate', 'BEFORE', '{TRUNCATE}', 'STATEMENT', NULL, 'sighting_guard', NULL,
	'Only the owner truncates what was observed'),
('{managed,mirror,attached,live}', 'accepted_findings', 'accepted_guard', 'BEFORE', '{INSERT,UPDATE,DELETE}', 'ROW', NULL,
	'accepted_guard', NULL,
	'Findings about the inventory itself are accepted by its owner only; who accepts what is written'),
('{managed,mirror}', 'nics', 'nic_view_delete', 'INSTEAD OF', '{DELETE}', 'ROW', NULL, 'nic_view_delete', NULL,
	'DELETE on the view of live NICs is a removal'),
('{managed,mirror}', 'networks', 'network_view_delete', 'INSTEAD OF', '{DELETE}', 'ROW', NULL, 'parent_view_delete', NULL,
	'DELETE on the view of live networks is a removal, refused while NICs are held'),
('{managed,mirror}', 'instances', 'instance_view_delete', 'INSTEAD OF', '{DELETE}', 'ROW', NULL, 'parent_view_delete', NULL,
	'DELETE on the view of live instances is a removal, refused while NICs are held'),
('{attached}', 'networks', 'attached_view_write', 'INSTEAD OF', '{INSERT,UPDATE,DELETE}', 'ROW', NULL, 'attached_view_write', NULL,
	'Writes go to the attached table itself'),
('{attached}', 'instances', 'attached_view_write', 'INSTEAD OF', '{INSERT,UPDATE,DELETE}', 'ROW', NULL, 'attached_view_write', NULL,
	'Writes go to the attached table itself'),
('{attached}', 'nics', 'attached_view_write', 'INSTEAD OF', '{INSERT,UPDATE,DELETE}', 'ROW', NULL, 'attached_view_write', NULL,
	'Writes go to the attached table itself'),
('{attached}', 'nic_secondary_ips', 'attached_view_write', 'INSTEAD OF', '{INSERT,UPDATE,DELETE}', 'ROW', NULL, 'attached_view_write', NULL,
	'Writes go to the attached table itself'),
('{attached}', 'all_networks', 'attached_view_write', 'INSTEAD OF', '{INSERT,UPDATE,DELETE}', 'ROW', NULL, 'attached_view_write', NULL,
	'Writes go to the attached table itself'),
('{attached}', 'all_instances', 'attached_view_write', 'INSTEAD OF', '{INSERT,UPDATE,DELETE}', 'ROW', NULL, 'attached_view_write', NULL,
	'Writes go to the attached table itself'),
('{attached}', 'all_nics', 'attached_view_write', 'INSTEAD OF', '{INSERT,UPDATE,DELETE}', 'ROW', NULL, 'attached_view_write', NULL,
	'Writes go to the attached table itself'),
('{attached}', 'all_nic_secondary_ips', 'attached_view_write', 'INSTEAD OF', '{INSERT,UPDATE,DELETE}', 'ROW',
	NULL, 'attached_view_write', NULL,
	'Writes go to the attached table itself'),
('{attached}', 'ip_ranges', 'attached_view_write', 'INSTEAD OF', '{INSERT,UPDATE,DELETE}', 'ROW', NULL, 'attached_view_write', NULL,
	'Writes go to the attached table itself'),
('{live}', 'ip_ranges', 'live_guard', 'INSTEAD OF', '{INSERT,UPDATE,DELETE}', 'ROW', NULL, 'live_guard', NULL,
	'A live inventory is read only'),
('{attached}', 'ip_addresses', 'attached_view_write', 'INSTEAD OF', '{INSERT,UPDATE,DELETE}', 'ROW', NULL, 'attached_view_write', NULL,
	'Writes go to the attached table itself'),
('{live}', 'ip_addresses', 'live_guard', 'INSTEAD OF', '{INSERT,UPDATE,DELETE}', 'ROW', NULL, 'live_guard', NULL,
	'A live inventory is read only'),
('{attached}', 'all_ip_ranges', 'attached_view_write', 'INSTEAD OF', '{INSERT,UPDATE,DELETE}', 'ROW', NULL, 'attached_view_write', NULL,
	'Writes go to the attached table itself'),
('{live}', 'all_ip_ranges', 'live_guard', 'INSTEAD OF', '{INSERT,UPDATE,DELETE}', 'ROW', NULL, 'live_guard', NULL,
	'A live inventory is read only'),
('{attached}', 'all_ip_addresses', 'attached_view_write', 'INSTEAD OF', '{INSERT,UPDATE,DELETE}', 'ROW', NULL, 'attached_view_write', NULL,
	'Writes go to the attached table itself'),
('{live}', 'all_ip_addresses', 'live_guard', 'INSTEAD OF', '{INSERT,UPDATE,DELETE}', 'ROW', NULL, 'live_guard', NULL,
	'A live inventory is read only'),
('{live}', 'networks', 'live_guard', 'INSTEAD OF', '{INSERT,UPDATE,DELETE}', 'ROW', NULL, 'live_guard', NULL,
	'A live inventory is read only'),
('{live}', 'instances', 'live_guard', 'INSTEAD OF', '{INSERT,UPDATE,DELETE}', 'ROW', NULL, 'live_guard', NULL,
	'A live inventory is read only'),
('{live}', 'nics', 'live_guard', 'INSTEAD OF', '{INSERT,UPDATE,DELETE}', 'ROW', NULL, 'live_guard', NULL,
	'A live inventory is read only'),
('{live}', 'nic_secondary_ips', 'live_guard', 'INSTEAD OF', '{INSERT,UPDATE,DELETE}', 'ROW', NULL, 'live_guard', NULL,
	'A live inventory is read only'),
('{live}', 'all_networks', 'live_guard', 'INSTEAD OF', '{INSERT,UPDATE,DELETE}', 'ROW', NULL, 'live_guard', NULL,
	'A live inventory is read only'),
('{live}', 'all_instances', 'live_guard', 'INSTEAD OF', '{INSERT,UPDATE,DELETE}', 'ROW', NULL, 'live_guard', NULL,
	'A live inventory is read only'),
('{live}', 'all_nics', 'live_guard', 'INSTEAD OF', '{INSERT,UPDATE,DELETE}', 'ROW', NULL, 'live_guard', NULL,
	'A live inventory is read only'),
('{live}', 'all_nic_secondary_ips', 'live_guard', 'INSTEAD OF', '{INSERT,UPDATE,DELETE}', 'ROW', NULL, 'live_guard', NULL,
	'A live inventory is read only')
) t (kinds, relation, name, timing, events, level, condition, function, argument, comment)
$triggers$;
COMMENT ON FUNCTION vmnet_internal.inventory_triggers() IS
'Triggers of an inventory, with the kinds that have them: when they fire, on which condition, what they call';

-- When a trigger fires, as pg_trigger.tgtype says it.
CREATE FUNCTION vmnet_internal.trigger_type(timing text, events text[], level text)
RETURNS int
LANGUAGE sql IMMUTABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $$
SELECT ($3 = 'ROW')::int + CASE $1 WHEN 'BEFORE' THEN 2 WHEN 'INSTEAD OF' THEN 64 ELSE 0 END
	+ 4 * ('INSERT' = ANY ($2))::int + 8 * ('DELETE' = ANY ($2))::int
	+ 16 * ('UPDATE' = ANY ($2))::int + 32 * ('TRUNCATE' = ANY ($2))::int
$$;
COMMENT ON FUNCTION vmnet_internal.trigger_type(text, text[], text) IS
'When a trigger fires (BEFORE, AFTER or INSTEAD OF; events; ROW or STATEMENT), as pg_trigger.tgtype says it';

-- Every object of an inventory of a kind, in an order in which they can be made,
-- which is also the one that lets an inventory live on a Citus node: tables,
-- keys, indexes, rules, views, triggers.  sort: table, primary key, unique,
-- check, foreign key, index, unique index, not null, view (which reads with the
-- rights of its reader), plain view or trigger.  phases NULL: all.
CREATE FUNCTION vmnet_internal.inventory_objects(kind text, phases text[] DEFAULT NULL)
RETURNS TABLE (ord int, phase text, sort text, relation text, name text, columns text[], body text, condition text, comment text)
LANGUAGE sql IMMUTABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $$
SELECT row_number() OVER (ORDER BY o.place, o.ord)::int, o.phase, o.sort, o.relation, o.name, o.columns, o.body, o.condition, o.comment
FROM (
	SELECT 1 AS place, t.ord, 'tables' AS phase, 'table' AS sort, t.relation, t.relation AS name, NULL::text[] AS columns,
		t.storage AS body, NULL AS condition, t.comment
	FROM vmnet_internal.inventory_tables($1) WITH ORDINALITY t (kinds, relation, storage, comment, ord)
	WHERE $1 = ANY (t.kinds) AND ($2 IS NULL OR 'tables' = ANY ($2))
	UNION ALL
	-- in one statement for each table, which reads it once
	SELECT 2, min(c.ord), 'rules', 'not null', c.relation, NULL, array_agg(c.name ORDER BY c.ord), NULL, NULL, NULL
	FROM vmnet_internal.inventory_columns() c
	WHERE $1 = ANY (c.required_in) AND $1 = 'managed' AND 'mirror' <> ALL (c.required_in) AND ($2 IS NULL OR 'rules' = ANY ($2))
	GROUP BY c.relation
	UNION ALL
	SELECT 3, k.ord, k.phase, k.sort, k.relation, k.name, k.columns, k.body, k.condition, k.comment
	FROM vmnet_internal.inventory_keys() WITH ORDINALITY k (phase, kinds, sort, relation, name, columns, body, condition, comment, ord)
	WHERE $1 = ANY (k.kinds) AND ($2 IS NULL OR k.phase = ANY ($2))
	UNION ALL
	-- A reader of a live inventory has no user mapping, so its views run with
	-- their owner's rights.
	SELECT 4, v.ord, 'views', CASE WHEN $1 = 'live' OR v.name = 'inventory_info' THEN 'plain view' ELSE 'view' END,
		v.name, v.name, NULL, v.body, NULL, v.comment
	FROM vmnet_internal.inventory_views($1) WITH ORDINALITY v (name, body, comment, ord)
	WHERE $1 <> 'reality' AND ($2 IS NULL OR 'views' = ANY ($2))
	UNION ALL
	SELECT 4, v.ord, 'views', 'view', v.name, v.name, NULL, v.body, NULL, v.comment
	FROM vmnet_internal.reality_views() WITH ORDINALITY v (name, columns, body, comment, ord)
	WHERE $1 = 'reality' AND ($2 IS NULL OR 'views' = ANY ($2))
	UNION ALL
	SELECT 5, t.ord, 'triggers', 'trigger', t.relation, t.name, NULL, t.function, t.condition, t.comment
	FROM vmnet_internal.inventory_triggers()
		WITH ORDINALITY t (kinds, relation, name, timing, events, level, condition, function, argument, comment, ord)
	WHERE $1 = ANY (t.kinds) AND ($2 IS NULL OR 'triggers' = ANY ($2))) o
$$;
COMMENT ON FUNCTION vmnet_internal.inventory_objects(text, text[]) IS
'Objects of an inventory of a kind: phase, sort, relation, name, columns, body, condition and comment, in order';

-- The columns of a table as CREATE TABLE takes them.  Over attached tables keys
-- have the types that key_types says: {"network": "uuid"}.
CREATE FUNCTION vmnet_internal.column_definitions(relation text, kind text, key_types jsonb)
RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $$
SELECT string_agg(concat(format(E'\n\t%I ', c.name),
		CASE c.how WHEN 'serial' THEN 'bigserial' ELSE coalesce($3->>c.key, c.type) END,
		-- what only a managed inventory wants is a rule of it
		CASE WHEN CASE $2 WHEN 'managed' THEN 'mirror' ELSE $2 END = ANY (c.required_in) THEN ' NOT NULL' END,
		CASE c.how WHEN 'default' THEN ' DEFAULT ' || c.expression
			WHEN 'generated' THEN format(' GENERATED ALWAYS AS (%s) STORED', c.expression) END), ',' ORDER BY c.ord)
FROM vmnet_internal.inventory_columns() c
WHERE c.relation = $1
$$;
COMMENT ON FUNCTION vmnet_internal.column_definitions(text, text, jsonb) IS
'Part of create_inventory(): the columns of a table as CREATE TABLE takes them';

-- The statement that makes each object.  object is what COMMENT ON takes.
-- or_replace: views and triggers that are there already are replaced.  trigger_on:
-- what stands for the table in the statement of a trigger; NULL: its name.
CREATE FUNCTION vmnet_internal.inventory_definition(kind text, phases text[] DEFAULT NULL, key_types jsonb DEFAULT NULL,
	or_replace boolean DEFAULT false, trigger_on text DEFAULT NULL)
RETURNS TABLE (ord int, phase text, sort text, relation text, name text, object text, ddl text, comment text)
LANGUAGE sql IMMUTABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $definition$
SELECT o.ord, o.phase, o.sort, o.relation, o.name, CASE
		WHEN o.sort = 'table' THEN format('TABLE %%1$I.%I', o.name)
		WHEN o.sort IN ('view', 'plain view') THEN format('VIEW %%1$I.%I', o.name)
		WHEN o.sort IN ('index', 'unique index') THEN format('INDEX %%1$I.%I', o.name)
		WHEN o.sort = 'trigger' THEN format('TRIGGER %I ON %%1$I.%I', o.name, o.relation)
		WHEN o.sort <> 'not null' THEN format('CONSTRAINT %I ON %%1$I.%I', o.name, o.relation) END,
	CASE o.sort
		WHEN 'table' THEN format('CREATE TABLE %%1$I.%I (%s)%s', o.name,
			vmnet_internal.column_definitions(o.relation, $1, $3), ' WITH (' || o.body || ')')
		WHEN 'not null' THEN format('ALTER TABLE %%1$I.%I %s', o.relation,
			(SELECT string_agg(format('ALTER COLUMN %I SET NOT NULL', c), ', ') FROM unnest(o.columns) c))
		WHEN 'index' THEN format('CREATE INDEX %I ON %%1$I.%I (%s)%s%s', o.name, o.relation, k.columns,
			' ' || o.body, ' WHERE ' || o.condition)
		WHEN 'unique index' THEN format('CREATE UNIQUE INDEX %I ON %%1$I.%I (%s)%s', o.name, o.relation, k.columns,
			' WHERE ' || o.condition)
		WHEN 'view' THEN format('CREATE %sVIEW %%1$I.%I WITH (security_invoker = true) AS %s', r.or_replace, o.name, o.body)
		WHEN 'plain view' THEN format('CREATE %sVIEW %%1$I.%I AS %s', r.or_replace, o.name, o.body)
		WHEN 'trigger' THEN format('CREATE %sTRIGGER %I %s %s ON %s FOR EACH %s%s EXECUTE FUNCTION vmnet_internal.%I(%s)', r.or_replace,
			o.name, t.timing, array_to_string(t.events, ' OR '), coalesce($5, format('%%1$I.%I', o.relation)), t.level,
			' WHEN (' || o.condition || ')', o.body, quote_literal(t.argument))
		ELSE format('ALTER TABLE %%1$I.%I ADD CONSTRAINT %I %s (%s)%s', o.relation, o.name, upper(o.sort),
			CASE o.sort WHEN 'check' THEN o.body ELSE k.columns END, CASE o.sort WHEN 'foreign key' THEN ' ' || o.body END) END,
	o.comment
FROM vmnet_internal.inventory_objects($1, $2) o
	LEFT JOIN vmnet_internal.inventory_triggers() t ON o.sort = 'trigger' AND t.relation = o.relation AND t.name = o.name
		AND $1 = ANY (t.kinds)
	CROSS JOIN LATERAL (SELECT string_agg(quote_ident(c), ', ') FROM unnest(o.columns) c) k (columns)
	CROSS JOIN (VALUES (CASE WHEN $4 THEN 'OR REPLACE ' ELSE '' END)) r (or_replace)
$definition$;
COMMENT ON FUNCTION vmnet_internal.inventory_definition(text, text[], jsonb, boolean, text) IS
'What an inventory of a kind consists of: every statement that makes it, in order, with the comment of what it makes
In ddl, %1$I stands for the name of the inventory.';
