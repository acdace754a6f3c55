--
-- What an inventory consists of, as data: create_inventory() makes it, and the
-- import uses the same definitions to make indexes after a load.
--

CREATE FUNCTION vmnet_internal.inventory_definition(kind text)
RETURNS TABLE (ord int, phase text, object text, ddl text, comment text)
LANGUAGE sql IMMUTABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $definition$
-- In ddl, %1$I is the inventory.  object is what COMMENT ON takes.  The phases
-- come in the order that lets an inventory live on a Citus node: tables, keys,
-- indexes, rules, views, triggers.
SELECT pg_catalog.row_number() OVER ()::int, d.phase, d.object, d.ddl, d.comment
FROM (VALUES
-- tables: the shape that both kinds share
('tables', NULL, 'TABLE %1$I.all_networks', $$
CREATE TABLE %1$I.all_networks (
	id bigserial NOT NULL,
	uuid uuid DEFAULT pg_catalog.gen_random_uuid(),
	name text,
	state text NOT NULL DEFAULT 'Allocated',
	traffic_type text DEFAULT 'Guest',
	guest_type text,
	cidr cidr,
	network_cidr cidr,
	gateway inet,
	ip6_cidr cidr,
	ip6_gateway inet,
	vpc_id bigint,
	zone_id bigint,
	domain_id bigint,
	account_id bigint,
	account_name text,
	domain_path text,
	zone_name text,
	nics_count bigint,
	created timestamptz NOT NULL DEFAULT pg_catalog.now(),
	removed timestamptz,
	active boolean GENERATED ALWAYS AS (removed IS NULL) STORED
)$$,
'Every network, removed ones too
The live ones are in the view networks. Rows are never deleted: a network is removed by setting removed, which is refused while it holds a NIC.'),

('tables', NULL, 'TABLE %1$I.all_instances', $$
CREATE TABLE %1$I.all_instances (
	id bigserial NOT NULL,
	uuid uuid DEFAULT pg_catalog.gen_random_uuid(),
	name text,
	display_name text,
	instance_name text,
	type text DEFAULT 'User',
	state text NOT NULL DEFAULT 'Stopped',
	host_id bigint,
	zone_id bigint,
	domain_id bigint,
	account_id bigint,
	account_name text,
	domain_path text,
	zone_name text,
	created timestamptz NOT NULL DEFAULT pg_catalog.now(),
	removed timestamptz,
	active boolean GENERATED ALWAYS AS (removed IS NULL) STORED
)$$,
'Every instance (virtual machine, router, system VM), removed ones too
The live ones are in the view instances. Rows are never deleted: an instance is removed by setting removed, which is refused while it holds a NIC.'),

-- active and ended compare the state without case, as sources of mirrors do, and
-- are the same in both kinds, so that a mirror becomes managed as it is
('tables', NULL, 'TABLE %1$I.all_nics', $$
CREATE TABLE %1$I.all_nics (
	id bigserial NOT NULL,
	uuid uuid DEFAULT pg_catalog.gen_random_uuid(),
	instance_id bigint,
	network_id bigint NOT NULL,
	state text NOT NULL DEFAULT 'Allocated',
	strategy text DEFAULT 'Start',
	reserver_name text,
	reservation_id text,
	vm_type text DEFAULT 'User',
	device_id int,
	default_nic boolean,
	mac_address macaddr,
	ip4_address inet,
	ip6_address inet,
	netmask inet,
	gateway inet,
	broadcast_uri text,
	mtu bigint,
	enabled boolean DEFAULT true,
	created timestamptz NOT NULL DEFAULT pg_catalog.now(),
	state_changed timestamptz NOT NULL DEFAULT pg_catalog.now(),
	removed timestamptz,
	active boolean GENERATED ALWAYS AS (removed IS NULL AND pg_catalog.lower(state COLLATE "C") <> 'deallocating') STORED,
	ended timestamptz GENERATED ALWAYS AS (LEAST(removed, CASE WHEN pg_catalog.lower(state COLLATE "C") = 'deallocating' THEN state_changed END)) STORED
) WITH (fillfactor = 90)$$,
'Every NIC, removed and half-removed ones too
The live ones are in the view nics; the column active says which they are. '
|| CASE $1 WHEN 'mirror' THEN 'Rows are as the source has them; only the import writes here.'
	ELSE 'Rows are never deleted: a NIC is removed by state = Deallocating and removed, or by DELETE on the view nics.' END),

('tables', NULL, 'TABLE %1$I.all_nic_secondary_ips', $$
CREATE TABLE %1$I.all_nic_secondary_ips (
	id bigserial NOT NULL,
	uuid uuid DEFAULT pg_catalog.gen_random_uuid(),
	nic_id bigint NOT NULL,
	network_id bigint NOT NULL,
	ip4_address inet,
	ip6_address inet,
	created timestamptz NOT NULL DEFAULT pg_catalog.now(),
	removed timestamptz,
	active boolean GENERATED ALWAYS AS (removed IS NULL) STORED
)$$,
'Addresses that NICs have beside their own, removed ones too
The live ones are in the view nic_secondary_ips: those of active NICs. '
|| CASE $1 WHEN 'mirror' THEN 'Rows are as the source has them; only the import writes here. CloudStack deletes them for good, and the import does what it did.'
	ELSE 'Rows are never deleted: an address is removed by setting removed, and with its NIC.' END),

('tables', NULL, 'TABLE %1$I.nic_history', $$
CREATE TABLE %1$I.nic_history (
	seq bigserial NOT NULL,
	nic_id bigint NOT NULL,
	network_id bigint NOT NULL,
	instance_id bigint,
	from_state text NOT NULL,
	to_state text,
	event text NOT NULL,
	removed timestamptz,
	at timestamptz NOT NULL DEFAULT pg_catalog.clock_timestamp(),
	transaction_id bigint NOT NULL,
	session_username text NOT NULL,
	actor text,
	reason text,
	application_name text,
	from_network_id bigint
)$$,
'What happened to NICs: one row per change of state, and per removal
Written by the inventory itself, in the transaction of the change; only the owner of the table can write to it otherwise. The order is that of seq, never that of at. Creation is not here: all_nics.created says it. Rows stay when their NIC is purged. It may be partitioned by at.'),

('tables', NULL, 'TABLE %1$I.nic_address_history', $$
CREATE TABLE %1$I.nic_address_history (
	entry bigserial NOT NULL,
	nic_id bigint NOT NULL,
	mac_address macaddr,
	ip4_address inet,
	ip6_address inet,
	until timestamptz NOT NULL DEFAULT pg_catalog.clock_timestamp()
)$$,
'Addresses that NICs had before those they have now, or had last
A row says what a NIC had from the row before it (or its creation) until a change. The view nic_address_intervals puts it together.'),

('tables', 'mirror', 'TABLE %1$I.import_runs', $$
CREATE TABLE %1$I.import_runs (
	run bigserial NOT NULL,
	source text NOT NULL,
	status text NOT NULL DEFAULT 'running',
	step text NOT NULL DEFAULT 'started',
	started timestamptz NOT NULL DEFAULT pg_catalog.clock_timestamp(),
	finished timestamptz,
	backend_pid int NOT NULL DEFAULT pg_catalog.pg_backend_pid(),
	networks_read bigint NOT NULL DEFAULT 0,
	instances_read bigint NOT NULL DEFAULT 0,
	nics_read bigint NOT NULL DEFAULT 0,
	nic_secondary_ips_read bigint NOT NULL DEFAULT 0,
	rows_inserted bigint NOT NULL DEFAULT 0,
	rows_updated bigint NOT NULL DEFAULT 0,
	rows_deleted bigint NOT NULL DEFAULT 0,
	rows_rejected bigint NOT NULL DEFAULT 0,
	values_changed bigint NOT NULL DEFAULT 0,
	message text
)$$,
'One row per run of the import, which another connection can watch
It outlives the runs; delete old rows when you like.'),

('tables', 'mirror', 'TABLE %1$I.import_log', $$
CREATE TABLE %1$I.import_log (
	entry bigserial NOT NULL,
	run bigint NOT NULL,
	"table" text NOT NULL,
	id text,
	"column" text,
	original text,
	action text NOT NULL,
	reason text NOT NULL
)$$,
'What the import could not take as it was: rows rejected and values changed
A run adds what is new in it; what an earlier run has said already is not said again.'),

-- keys
('keys', NULL, 'CONSTRAINT all_networks_pkey ON %1$I.all_networks',
'ALTER TABLE %1$I.all_networks ADD CONSTRAINT all_networks_pkey PRIMARY KEY (id)',
'A network is known by its id'),
('keys', NULL, 'CONSTRAINT all_networks_uuid_key ON %1$I.all_networks',
'ALTER TABLE %1$I.all_networks ADD CONSTRAINT all_networks_uuid_key UNIQUE (uuid)',
'No two networks, removed ones included, have one uuid'),
('keys', NULL, 'CONSTRAINT all_instances_pkey ON %1$I.all_instances',
'ALTER TABLE %1$I.all_instances ADD CONSTRAINT all_instances_pkey PRIMARY KEY (id)',
'An instance is known by its id'),
('keys', NULL, 'CONSTRAINT all_instances_uuid_key ON %1$I.all_instances',
'ALTER TABLE %1$I.all_instances ADD CONSTRAINT all_instances_uuid_key UNIQUE (uuid)',
'No two instances, removed ones included, have one uuid'),
('keys', NULL, 'CONSTRAINT all_nics_pkey ON %1$I.all_nics',
'ALTER TABLE %1$I.all_nics ADD CONSTRAINT all_nics_pkey PRIMARY KEY (id)',
'A NIC is known by its id'),
('keys', NULL, 'CONSTRAINT all_nics_uuid_key ON %1$I.all_nics',
'ALTER TABLE %1$I.all_nics ADD CONSTRAINT all_nics_uuid_key UNIQUE (uuid)',
'No two NICs, removed ones included, have one uuid'),
('keys', NULL, 'CONSTRAINT all_nic_secondary_ips_pkey ON %1$I.all_nic_secondary_ips',
'ALTER TABLE %1$I.all_nic_secondary_ips ADD CONSTRAINT all_nic_secondary_ips_pkey PRIMARY KEY (id)',
'A secondary address is known by its id'),
('keys', NULL, 'CONSTRAINT all_nic_secondary_ips_uuid_key ON %1$I.all_nic_secondary_ips',
'ALTER TABLE %1$I.all_nic_secondary_ips ADD CONSTRAINT all_nic_secondary_ips_uuid_key UNIQUE (uuid)',
'No two secondary addresses, removed ones included, have one uuid'),
('keys', NULL, 'INDEX %1$I.all_nic_secondary_ips_nic_idx',
'CREATE INDEX all_nic_secondary_ips_nic_idx ON %1$I.all_nic_secondary_ips (nic_id)',
'All secondary addresses of a NIC, removed ones too'),
('keys', NULL, 'INDEX %1$I.all_nic_secondary_ips_active_idx',
'CREATE INDEX all_nic_secondary_ips_active_idx ON %1$I.all_nic_secondary_ips (network_id, nic_id) WHERE active',
'Secondary addresses in use on a network'),
('keys', NULL, 'CONSTRAINT nic_history_pkey ON %1$I.nic_history',
'ALTER TABLE %1$I.nic_history ADD CONSTRAINT nic_history_pkey PRIMARY KEY (seq, at)',
'An entry is known by its number
The time is there so that the table can be partitioned by it.'),
('keys', NULL, 'INDEX %1$I.nic_history_nic_idx',
'CREATE INDEX nic_history_nic_idx ON %1$I.nic_history (nic_id, seq)',
'What happened to a NIC, in order'),
('keys', NULL, 'INDEX %1$I.nic_history_network_idx',
'CREATE INDEX nic_history_network_idx ON %1$I.nic_history (network_id, seq)',
'What happened on a network, in order'),
('keys', 'mirror', 'INDEX %1$I.nic_history_move_idx',
'CREATE INDEX nic_history_move_idx ON %1$I.nic_history (nic_id, seq) WHERE from_network_id IS NOT NULL',
'NICs that were moved to another network, which only a mirror sees'),
('keys', NULL, 'CONSTRAINT nic_address_history_pkey ON %1$I.nic_address_history',
'ALTER TABLE %1$I.nic_address_history ADD CONSTRAINT nic_address_history_pkey PRIMARY KEY (entry)',
'An entry is known by its number'),
('keys', NULL, 'INDEX %1$I.nic_address_history_nic_idx',
'CREATE INDEX nic_address_history_nic_idx ON %1$I.nic_address_history (nic_id, entry)',
'Addresses that a NIC had, in order'),
('keys', NULL, 'INDEX %1$I.nic_address_history_mac_idx',
'CREATE INDEX nic_address_history_mac_idx ON %1$I.nic_address_history (mac_address)',
'Who had a MAC address before'),
('keys', NULL, 'INDEX %1$I.nic_address_history_ip4_idx',
'CREATE INDEX nic_address_history_ip4_idx ON %1$I.nic_address_history (ip4_address)',
'Who had an IPv4 address before'),
('keys', NULL, 'INDEX %1$I.nic_address_history_ip6_idx',
'CREATE INDEX nic_address_history_ip6_idx ON %1$I.nic_address_history (ip6_address)',
'Who had an IPv6 address before'),
('keys', 'mirror', 'CONSTRAINT import_runs_pkey ON %1$I.import_runs',
'ALTER TABLE %1$I.import_runs ADD CONSTRAINT import_runs_pkey PRIMARY KEY (run)',
'A run is known by its number'),
('keys', 'mirror', 'CONSTRAINT import_runs_status_valid ON %1$I.import_runs',
$$ALTER TABLE %1$I.import_runs ADD CONSTRAINT import_runs_status_valid CHECK (status IN ('running', 'done', 'failed'))$$,
'status is running, done or failed'),
('keys', 'mirror', 'CONSTRAINT import_log_pkey ON %1$I.import_log',
'ALTER TABLE %1$I.import_log ADD CONSTRAINT import_log_pkey PRIMARY KEY (entry)',
'An entry is known by its number'),
('keys', 'mirror', 'CONSTRAINT import_log_action_valid ON %1$I.import_log',
$$ALTER TABLE %1$I.import_log ADD CONSTRAINT import_log_action_valid CHECK (action IN ('rejected', 'changed'))$$,
'action is rejected or changed'),
('references', NULL, 'CONSTRAINT all_nics_network_id_fkey ON %1$I.all_nics',
'ALTER TABLE %1$I.all_nics ADD CONSTRAINT all_nics_network_id_fkey FOREIGN KEY (network_id) REFERENCES %1$I.all_networks (id)',
'A NIC is on a network that exists; the guards see to networks that are removed'),
('references', NULL, 'CONSTRAINT all_nics_instance_id_fkey ON %1$I.all_nics',
'ALTER TABLE %1$I.all_nics ADD CONSTRAINT all_nics_instance_id_fkey FOREIGN KEY (instance_id) REFERENCES %1$I.all_instances (id)',
'A NIC belongs to an instance that exists; the guards see to instances that are removed'),

-- indexes that reads use; none has a column that a change between live states
-- touches, so that those changes are HOT
('rules', 'managed', 'INDEX %1$I.all_networks_removed_key',
'CREATE UNIQUE INDEX all_networks_removed_key ON %1$I.all_networks (id, removed)',
'Makes removed a part of the key
A removal so waits, before it writes, for all who add NICs.'),
('rules', 'managed', 'INDEX %1$I.all_instances_removed_key',
'CREATE UNIQUE INDEX all_instances_removed_key ON %1$I.all_instances (id, removed)',
'Makes removed a part of the key
A removal so waits, before it writes, for all who add NICs.'),
('indexes', NULL, 'INDEX %1$I.all_networks_vpc_idx',
'CREATE INDEX all_networks_vpc_idx ON %1$I.all_networks (vpc_id) WHERE vpc_id IS NOT NULL',
'Tiers of a VPC'),
('indexes', NULL, 'INDEX %1$I.all_nics_active_idx',
'CREATE INDEX all_nics_active_idx ON %1$I.all_nics (network_id, instance_id) WHERE active',
'Active NICs of a network, in the order of their instances'),
('indexes', NULL, 'INDEX %1$I.all_nics_half_removed_idx',
'CREATE INDEX all_nics_half_removed_idx ON %1$I.all_nics (network_id) WHERE removed IS NULL AND NOT active',
'Half-removed NICs of a network: they are few, and block its removal'),
('indexes', NULL, 'INDEX %1$I.all_nics_instance_idx',
'CREATE INDEX all_nics_instance_idx ON %1$I.all_nics (instance_id)',
'All NICs of an instance, removed ones too'),
('indexes', NULL, 'INDEX %1$I.all_nics_network_created_idx',
'CREATE INDEX all_nics_network_created_idx ON %1$I.all_nics (network_id, created) INCLUDE (id, instance_id, ended)',
'All NICs of a network by time: who was on it when'),
('indexes', NULL, 'INDEX %1$I.all_nics_mac_idx',
'CREATE INDEX all_nics_mac_idx ON %1$I.all_nics (mac_address)',
'All NICs that have a MAC address, or had it last'),
('indexes', NULL, 'INDEX %1$I.all_nics_ip4_idx',
'CREATE INDEX all_nics_ip4_idx ON %1$I.all_nics (ip4_address) WHERE ip4_address IS NOT NULL',
'All NICs that have an IPv4 address, or had it last'),
('indexes', NULL, 'INDEX %1$I.all_nics_ip6_idx',
'CREATE INDEX all_nics_ip6_idx ON %1$I.all_nics (ip6_address) WHERE ip6_address IS NOT NULL',
'All NICs that have an IPv6 address, or had it last'),

-- rules: what a managed inventory holds declaratively
('rules', 'managed', NULL, $$
ALTER TABLE %1$I.all_networks
	ALTER COLUMN uuid SET NOT NULL,
	ALTER COLUMN traffic_type SET NOT NULL$$, NULL),
('rules', 'managed', NULL, $$
ALTER TABLE %1$I.all_instances
	ALTER COLUMN uuid SET NOT NULL,
	ALTER COLUMN type SET NOT NULL$$, NULL),
('rules', 'managed', NULL, $$
ALTER TABLE %1$I.all_nics
	ALTER COLUMN uuid SET NOT NULL,
	ALTER COLUMN strategy SET NOT NULL,
	ALTER COLUMN vm_type SET NOT NULL,
	ALTER COLUMN enabled SET NOT NULL$$, NULL),
('rules', 'managed', 'CONSTRAINT network_guest_type_valid ON %1$I.all_networks',
$$ALTER TABLE %1$I.all_networks ADD CONSTRAINT network_guest_type_valid CHECK (guest_type IN ('Isolated', 'Shared', 'L2'))$$,
'guest_type is Isolated, Shared, L2 or NULL'),
('rules', 'managed', 'CONSTRAINT network_removed_finite ON %1$I.all_networks',
'ALTER TABLE %1$I.all_networks ADD CONSTRAINT network_removed_finite CHECK (pg_catalog.isfinite(removed))',
'removed is a time, not infinity'),
('rules', 'managed', 'CONSTRAINT network_created_finite ON %1$I.all_networks',
'ALTER TABLE %1$I.all_networks ADD CONSTRAINT network_created_finite CHECK (pg_catalog.isfinite(created))',
'created is a time, not infinity'),
('rules', 'managed', 'CONSTRAINT instance_removed_finite ON %1$I.all_instances',
'ALTER TABLE %1$I.all_instances ADD CONSTRAINT instance_removed_finite CHECK (pg_catalog.isfinite(removed))',
'removed is a time, not infinity'),
('rules', 'managed', 'CONSTRAINT instance_created_finite ON %1$I.all_instances',
'ALTER TABLE %1$I.all_instances ADD CONSTRAINT instance_created_finite CHECK (pg_catalog.isfinite(created))',
'created is a time, not infinity'),
('rules', 'managed', 'CONSTRAINT nic_state_valid ON %1$I.all_nics',
$$ALTER TABLE %1$I.all_nics ADD CONSTRAINT nic_state_valid CHECK (state IN ('Allocated', 'Reserving', 'Reserved', 'Releasing', 'Deallocating'))$$,
'state is one of the five, exactly spelled'),
('rules', 'managed', 'CONSTRAINT nic_strategy_valid ON %1$I.all_nics',
$$ALTER TABLE %1$I.all_nics ADD CONSTRAINT nic_strategy_valid CHECK (strategy IN ('PlaceHolder', 'Create', 'Start', 'Managed'))$$,
'strategy is one of the four, exactly spelled'),
('rules', 'managed', 'CONSTRAINT nic_removed_is_deallocating ON %1$I.all_nics',
$$ALTER TABLE %1$I.all_nics ADD CONSTRAINT nic_removed_is_deallocating CHECK (removed IS NULL OR state = 'Deallocating')$$,
'A removed NIC is in state Deallocating'),
('rules', 'managed', 'CONSTRAINT nic_removed_finite ON %1$I.all_nics',
'ALTER TABLE %1$I.all_nics ADD CONSTRAINT nic_removed_finite CHECK (pg_catalog.isfinite(removed))',
'removed is a time, not infinity'),
('rules', 'managed', 'CONSTRAINT nic_created_finite ON %1$I.all_nics',
'ALTER TABLE %1$I.all_nics ADD CONSTRAINT nic_created_finite CHECK (pg_catalog.isfinite(created))',
'created is a time, not infinity'),
-- not NOT NULL: mappers would then refuse an object without it before they ask
('rules', 'managed', 'CONSTRAINT nic_default_nic_present ON %1$I.all_nics',
'ALTER TABLE %1$I.all_nics ADD CONSTRAINT nic_default_nic_present CHECK (default_nic IS NOT NULL)',
'default_nic is true or false; where an INSERT does not say, the inventory does'),
('rules', 'managed', 'CONSTRAINT nic_instance_required ON %1$I.all_nics',
$$ALTER TABLE %1$I.all_nics ADD CONSTRAINT nic_instance_required CHECK (instance_id IS NOT NULL OR strategy = 'PlaceHolder' OR removed IS NOT NULL)$$,
'A held NIC has an instance, unless it is a placeholder'),
('rules', 'managed', 'CONSTRAINT nic_ip4_address_valid ON %1$I.all_nics',
'ALTER TABLE %1$I.all_nics ADD CONSTRAINT nic_ip4_address_valid CHECK (pg_catalog.family(ip4_address) = 4 AND pg_catalog.masklen(ip4_address) = 32)',
'ip4_address is one IPv4 address, without a prefix length; the netmask has its own column'),
('rules', 'managed', 'CONSTRAINT nic_ip6_address_valid ON %1$I.all_nics',
'ALTER TABLE %1$I.all_nics ADD CONSTRAINT nic_ip6_address_valid CHECK (pg_catalog.family(ip6_address) = 6 AND pg_catalog.masklen(ip6_address) = 128)',
'ip6_address is one IPv6 address, without a prefix length'),
('rules', 'managed', 'INDEX %1$I.all_nics_one_per_network',
$$CREATE UNIQUE INDEX all_nics_one_per_network ON %1$I.all_nics (instance_id, network_id) WHERE active AND vm_type = 'User'$$,
'A User instance has at most one active NIC on a network'),
('rules', 'managed', 'INDEX %1$I.all_nics_one_default',
$$CREATE UNIQUE INDEX all_nics_one_default ON %1$I.all_nics (instance_id, default_nic) WHERE active AND default_nic AND vm_type = 'User'$$,
'A User instance has at most one active default NIC
To change it, clear the old one before setting the new one. default_nic is in the key so that mappers do not read it as one NIC per instance.'),
('rules', 'managed', 'INDEX %1$I.all_nics_one_device',
$$CREATE UNIQUE INDEX all_nics_one_device ON %1$I.all_nics (instance_id, device_id) WHERE active AND vm_type = 'User'$$,
'A User instance has at most one active NIC in a device position'),
('rules', 'managed', 'INDEX %1$I.all_nics_one_mac',
$$CREATE UNIQUE INDEX all_nics_one_mac ON %1$I.all_nics (network_id, mac_address) WHERE active AND vm_type = 'User'$$,
'A MAC address is held by at most one active User NIC of a network
Redundant routers may share one (CloudStack #7633).'),
('rules', 'managed', 'INDEX %1$I.all_nics_one_ip4',
$$CREATE UNIQUE INDEX all_nics_one_ip4 ON %1$I.all_nics (network_id, ip4_address) WHERE active AND vm_type = 'User'$$,
'An IPv4 address is held by at most one active User NIC of a network
See CloudStack #3103.'),
('rules', 'managed', 'INDEX %1$I.all_nics_one_ip6',
$$CREATE UNIQUE INDEX all_nics_one_ip6 ON %1$I.all_nics (network_id, ip6_address) WHERE active AND vm_type = 'User'$$,
'An IPv6 address is held by at most one active User NIC of a network'),
('rules', 'managed', NULL, $$
ALTER TABLE %1$I.all_nic_secondary_ips
	ALTER COLUMN uuid SET NOT NULL$$, NULL),
('rules', 'managed', 'CONSTRAINT secondary_ip_present ON %1$I.all_nic_secondary_ips',
'ALTER TABLE %1$I.all_nic_secondary_ips ADD CONSTRAINT secondary_ip_present CHECK (ip4_address IS NOT NULL OR ip6_address IS NOT NULL)',
'There is an address'),
('rules', 'managed', 'CONSTRAINT secondary_ip_removed_finite ON %1$I.all_nic_secondary_ips',
'ALTER TABLE %1$I.all_nic_secondary_ips ADD CONSTRAINT secondary_ip_removed_finite CHECK (pg_catalog.isfinite(removed))',
'removed is a time, not infinity'),
('rules', 'managed', 'CONSTRAINT secondary_ip_created_finite ON %1$I.all_nic_secondary_ips',
'ALTER TABLE %1$I.all_nic_secondary_ips ADD CONSTRAINT secondary_ip_created_finite CHECK (pg_catalog.isfinite(created))',
'created is a time, not infinity'),
('rules', 'managed', 'CONSTRAINT secondary_ip4_address_valid ON %1$I.all_nic_secondary_ips',
'ALTER TABLE %1$I.all_nic_secondary_ips ADD CONSTRAINT secondary_ip4_address_valid CHECK (pg_catalog.family(ip4_address) = 4 AND pg_catalog.masklen(ip4_address) = 32)',
'ip4_address is one IPv4 address, without a prefix length'),
('rules', 'managed', 'CONSTRAINT secondary_ip6_address_valid ON %1$I.all_nic_secondary_ips',
'ALTER TABLE %1$I.all_nic_secondary_ips ADD CONSTRAINT secondary_ip6_address_valid CHECK (pg_catalog.family(ip6_address) = 6 AND pg_catalog.masklen(ip6_address) = 128)',
'ip6_address is one IPv6 address, without a prefix length'),
('rules', 'managed', 'INDEX %1$I.all_nic_secondary_ips_one_ip4',
'CREATE UNIQUE INDEX all_nic_secondary_ips_one_ip4 ON %1$I.all_nic_secondary_ips (network_id, ip4_address) WHERE active',
'An IPv4 address is a secondary one of at most one NIC of a network'),
('rules', 'managed', 'INDEX %1$I.all_nic_secondary_ips_one_ip6',
'CREATE UNIQUE INDEX all_nic_secondary_ips_one_ip6 ON %1$I.all_nic_secondary_ips (network_id, ip6_address) WHERE active',
'An IPv6 address is a secondary one of at most one NIC of a network'),

-- views: what reads touch
('views', NULL, 'VIEW %1$I.inventory_info',
'CREATE VIEW %1$I.inventory_info AS SELECT %2$L::pg_catalog.text AS kind, %3$L::pg_catalog.text AS source, %4$L::pg_catalog.text AS mode, %5$L::pg_catalog.text AS version',
'What this inventory is: one row of constants
The view vmnet.inventories finds it by this.'),
('views', NULL, 'VIEW %1$I.networks', $$
CREATE VIEW %1$I.networks WITH (security_invoker = true) AS
SELECT id, uuid, name, state, traffic_type, guest_type, cidr, network_cidr, gateway,
	ip6_cidr, ip6_gateway, vpc_id, zone_id, domain_id, account_id, account_name,
	domain_path, zone_name, nics_count, created, removed
FROM %1$I.all_networks
WHERE active$$,
'Live networks: those that are not removed
INSERT, UPDATE and ON CONFLICT work here; DELETE, as setting removed, removes the network and keeps its row, and is refused while it holds a NIC.'),
('views', NULL, 'VIEW %1$I.instances', $$
CREATE VIEW %1$I.instances WITH (security_invoker = true) AS
SELECT id, uuid, name, display_name, instance_name, type, state, host_id, zone_id,
	domain_id, account_id, account_name, domain_path, zone_name, created, removed
FROM %1$I.all_instances
WHERE active$$,
'Live instances: those that are not removed, whatever their state
A Stopped or Destroyed instance still holds its NICs. INSERT, UPDATE and ON CONFLICT work here; DELETE, as setting removed, removes the instance and keeps its row, and is refused while it holds a NIC.'),
('views', NULL, 'VIEW %1$I.nics', $$
CREATE VIEW %1$I.nics WITH (security_invoker = true) AS
SELECT id, uuid, instance_id, network_id, state, strategy, reserver_name, reservation_id,
	vm_type, device_id, default_nic, mac_address, ip4_address, ip6_address, netmask,
	gateway, broadcast_uri, mtu, enabled, created, state_changed, removed
FROM %1$I.all_nics
WHERE active$$,
'Live NICs: neither removed nor being deallocated
INSERT, UPDATE and ON CONFLICT work here; DELETE removes the NIC and keeps its row.'),
('views', NULL, 'VIEW %1$I.nic_secondary_ips', $$
CREATE VIEW %1$I.nic_secondary_ips WITH (security_invoker = true) AS
SELECT s.id, s.uuid, s.nic_id, s.network_id, s.ip4_address, s.ip6_address, s.created, s.removed
FROM %1$I.all_nic_secondary_ips s
WHERE s.active AND EXISTS (SELECT FROM %1$I.all_nics n WHERE n.id = s.nic_id AND n.active)$$,
'Secondary addresses of live NICs
INSERT, UPDATE and ON CONFLICT work here. To remove an address, set removed; its row then leaves this view. With a NIC its secondary addresses are removed too; those of a half-removed NIC are not here.'),
('views', 'managed', NULL, 'SELECT vmnet_internal.copy_view_defaults(%1$L)', NULL),
('views', NULL, 'VIEW %1$I.network_instances', $$
CREATE VIEW %1$I.network_instances WITH (security_invoker = true) AS
SELECT n.network_id, w.uuid AS network_uuid, w.name AS network_name, w.state AS network_state,
	w.traffic_type, w.guest_type, w.vpc_id,
	n.instance_id, i.uuid AS instance_uuid, i.name AS instance_name, i.type AS instance_type,
	i.state AS instance_state,
	(SELECT pg_catalog.count(*) FROM %1$I.all_nics c
	 WHERE c.active AND c.network_id = n.network_id AND c.instance_id = n.instance_id) AS nic_count,
	n.id AS nic_id, n.state AS nic_state, n.device_id, n.default_nic, n.mac_address,
	n.ip4_address, n.ip6_address
FROM %1$I.all_nics n
	JOIN %1$I.all_networks w ON w.id = n.network_id AND w.active
	JOIN %1$I.all_instances i ON i.id = n.instance_id AND i.active
WHERE n.active
	AND NOT EXISTS (
		SELECT 1 FROM %1$I.all_nics o
		WHERE o.active AND o.network_id = n.network_id AND o.instance_id = n.instance_id
			AND (coalesce(o.device_id::bigint, 2147483648), o.id) < (coalesce(n.device_id::bigint, 2147483648), n.id))$$,
'One row per live network and instance active on it
An instance is active on a network when it has an active NIC there. Where it has several, the row shows that of the lowest device_id (NULLs last), then of the lowest id. The twin of vmnet.network_active_instances() for joins.'),
('views', NULL, 'VIEW %1$I.network_counts', $$
CREATE VIEW %1$I.network_counts WITH (security_invoker = true) AS
SELECT w.id AS network_id, w.name AS network_name,
	coalesce(c.attached_nics, 0)::bigint AS attached_nics,
	coalesce(c.active_instances, 0)::bigint AS active_instances,
	coalesce(c.running_instances, 0)::bigint AS running_instances,
	coalesce(c.user_instances, 0)::bigint AS user_instances,
	coalesce(c.allocated, 0)::bigint AS allocated,
	coalesce(c.reserving, 0)::bigint AS reserving,
	coalesce(c.reserved, 0)::bigint AS reserved,
	coalesce(c.releasing, 0)::bigint AS releasing,
	coalesce(c.deallocating, 0)::bigint AS deallocating,
	coalesce(c.other_states, 0)::bigint AS other_states,
	coalesce(c.used_ip4, 0)::bigint AS used_ip4
FROM %1$I.all_networks w
	LEFT JOIN (
		SELECT n.network_id,
			pg_catalog.count(*) FILTER (WHERE n.active AND i.active) AS attached_nics,
			pg_catalog.count(DISTINCT n.instance_id) FILTER (WHERE n.active AND i.active) AS active_instances,
			pg_catalog.count(DISTINCT n.instance_id) FILTER (WHERE n.active AND i.active AND i.state = 'Running') AS running_instances,
			pg_catalog.count(DISTINCT n.instance_id) FILTER (WHERE n.active AND i.active AND i.type = 'User') AS user_instances,
			pg_catalog.count(*) FILTER (WHERE n.state = 'Allocated') AS allocated,
			pg_catalog.count(*) FILTER (WHERE n.state = 'Reserving') AS reserving,
			pg_catalog.count(*) FILTER (WHERE n.state = 'Reserved') AS reserved,
			pg_catalog.count(*) FILTER (WHERE n.state = 'Releasing') AS releasing,
			pg_catalog.count(*) FILTER (WHERE n.state = 'Deallocating') AS deallocating,
			pg_catalog.count(*) FILTER (WHERE (n.state IN ('Allocated', 'Reserving', 'Reserved', 'Releasing', 'Deallocating')) IS NOT TRUE) AS other_states,
			pg_catalog.count(DISTINCT n.ip4_address) FILTER (WHERE n.active) AS used_ip4
		FROM %1$I.all_nics n
			LEFT JOIN %1$I.all_instances i ON i.id = n.instance_id
		WHERE n.removed IS NULL AND (n.active OR NOT n.active)
		GROUP BY n.network_id) c ON c.network_id = w.id
WHERE w.active$$,
'One row per live network, with counts; a network with nothing on it has zeros
System networks are there too. Each column says what it counts.'),
('views', NULL, 'VIEW %1$I.vpc_instances', $$
CREATE VIEW %1$I.vpc_instances WITH (security_invoker = true) AS
SELECT w.vpc_id, n.instance_id, i.uuid AS instance_uuid, i.name AS instance_name,
	i.type AS instance_type, i.state AS instance_state,
	pg_catalog.count(DISTINCT n.network_id) AS network_count,
	pg_catalog.count(*) AS nic_count
FROM %1$I.all_nics n
	JOIN %1$I.all_networks w ON w.id = n.network_id AND w.active
	JOIN %1$I.all_instances i ON i.id = n.instance_id AND i.active
WHERE n.active AND w.vpc_id IS NOT NULL
GROUP BY w.vpc_id, n.instance_id, i.uuid, i.name, i.type, i.state$$,
'One row per VPC and instance active on one or more of its live networks
The other half of CloudStack issue 10188: an instance on two tiers is there once.'),

('views', NULL, 'VIEW %1$I.nic_intervals', $$
CREATE VIEW %1$I.nic_intervals WITH (security_invoker = true) AS
SELECT n.id AS nic_id, n.network_id, n.instance_id, n.created AS "from", n.ended AS "to"
FROM %1$I.all_nics n CROSS JOIN (SELECT) read_only	-- a view of one table could be written to
WHERE (n.ended IS NULL OR n.ended > n.created)$$ || CASE $1 WHEN 'mirror' THEN $$
	AND NOT EXISTS (SELECT FROM %1$I.nic_history h WHERE h.nic_id = n.id AND h.from_network_id IS NOT NULL)
UNION ALL
-- where a NIC that was moved is now
SELECT n.id, n.network_id, n.instance_id, m.at, n.ended
FROM (SELECT h.nic_id, pg_catalog.max(h.at) AS at
		FROM %1$I.nic_history h
		WHERE h.from_network_id IS NOT NULL
		GROUP BY h.nic_id) m
	JOIN %1$I.all_nics n ON n.id = m.nic_id
WHERE n.ended IS NULL OR n.ended > m.at
UNION ALL
-- where it was before
SELECT n.id, m.from_network_id, n.instance_id, m.since, LEAST(m.at, n.ended)
FROM (SELECT h.nic_id, h.from_network_id, h.at,
			pg_catalog.lag(h.at) OVER (PARTITION BY h.nic_id ORDER BY h.seq) AS came
		FROM %1$I.nic_history h
		WHERE h.from_network_id IS NOT NULL) h
	JOIN %1$I.all_nics n ON n.id = h.nic_id
	CROSS JOIN LATERAL (SELECT h.from_network_id, h.at, coalesce(h.came, n.created) AS since) m
WHERE LEAST(m.at, n.ended) > m.since$$ ELSE '' END,
'When NICs were active on networks: one row per NIC and network
From "from" (included) to "to" (not included; NULL: it still is). A NIC is active from its creation until it was removed or became Deallocating, whichever was first. Placeholders, which have no instance, are there. Write i.from and i.to, with the alias of the view: alone, both are words of SQL.'),
('views', NULL, 'VIEW %1$I.network_instance_intervals', $$
CREATE VIEW %1$I.network_instance_intervals WITH (security_invoker = true) AS
SELECT g.network_id, g.instance_id, pg_catalog.lower(r.r) AS "from", pg_catalog.upper(r.r) AS "to"
FROM (SELECT s.network_id, s.instance_id,
			pg_catalog.range_agg(pg_catalog.tstzrange(s."from", LEAST(s."to", i.removed, w.removed))) AS ranges
		FROM %1$I.nic_intervals s
			JOIN %1$I.all_instances i ON i.id = s.instance_id
			JOIN %1$I.all_networks w ON w.id = s.network_id
		WHERE (i.removed IS NULL OR i.removed > s."from")
			AND (w.removed IS NULL OR w.removed > s."from")
		GROUP BY s.network_id, s.instance_id) g
	CROSS JOIN LATERAL pg_catalog.unnest(g.ranges) r (r)$$,
'When instances were active on networks
From "from" (included) to "to" (not included; NULL: it still is). One row per time that an instance was on a network, whatever number of NICs it had there; neither the instance nor the network was removed. Write i.from and i.to, with the alias of the view.'),
('views', NULL, 'VIEW %1$I.nic_address_intervals', $$
CREATE VIEW %1$I.nic_address_intervals WITH (security_invoker = true) AS
SELECT n.id AS nic_id, n.mac_address, n.ip4_address, n.ip6_address,
	coalesce((SELECT pg_catalog.max(h.until) FROM %1$I.nic_address_history h WHERE h.nic_id = n.id), n.created) AS "from",
	n.ended AS "to"
FROM %1$I.all_nics n
UNION ALL
SELECT a.nic_id, a.mac_address, a.ip4_address, a.ip6_address,
	coalesce((SELECT pg_catalog.max(h.until) FROM %1$I.nic_address_history h WHERE h.nic_id = a.nic_id AND h.entry < a.entry), n.created),
	LEAST(a.until, n.ended)
FROM %1$I.nic_address_history a
	JOIN %1$I.all_nics n ON n.id = a.nic_id$$,
'When NICs had which addresses
From "from" (included) to "to" (not included; NULL: they still have). An interval can be empty ("to" not after "from"). Write i.from and i.to, with the alias of the view.'),
('views', NULL, 'VIEW %1$I.stuck_nics', $$
CREATE VIEW %1$I.stuck_nics WITH (security_invoker = true) AS
SELECT n.id AS nic_id, n.uuid AS nic_uuid, n.network_id, n.instance_id, n.vm_type, n.state,
	n.state_changed, pg_catalog.now() - n.state_changed AS age,
	h.event AS last_event, h.session_username, h.actor, h.reason, h.application_name
FROM %1$I.all_nics n
	LEFT JOIN LATERAL (SELECT h.event, h.session_username, h.actor, h.reason, h.application_name
		FROM %1$I.nic_history h
		WHERE h.nic_id = n.id
		ORDER BY h.seq DESC
		LIMIT 1) h ON true
WHERE n.active AND n.state IN ('Reserving', 'Releasing')
	AND n.state_changed <= pg_catalog.now() - pg_catalog.make_interval(mins => 10)$$,
'NICs that have been Reserving or Releasing for ten minutes or longer
A NIC passes through these states while its instance starts or stops. For another threshold there is vmnet.stuck_nics(). A half-removed NIC is not stuck.'),

('views', NULL, 'VIEW %1$I.network_validation', $$
CREATE VIEW %1$I.network_validation WITH (security_invoker = true) AS
SELECT w.id AS network_id, w.name AS network_name,
	coalesce(c.active_instances, 0)::bigint AS active_instances,
	coalesce(c.held_instances, 0)::bigint AS held_instances,
	coalesce(c.listed_instances, 0)::bigint AS listed_instances,
	coalesce(c.reserved_user_nics, 0)::bigint AS reserved_user_nics,
	w.nics_count,
	coalesce(c.active_instances = c.listed_instances, true)
		AND coalesce(w.nics_count = coalesce(c.reserved_user_nics, 0), true) AS agree,
	coalesce(c.differing_instances, '{}'::bigint[]) AS differing_instances
FROM %1$I.all_networks w
	LEFT JOIN (
		SELECT h.network_id,
			pg_catalog.count(*) FILTER (WHERE i.active AND h.active_nics > 0) AS active_instances,
			pg_catalog.count(*) FILTER (WHERE i.active AND h.held_nics > 0) AS held_instances,
			pg_catalog.count(*) FILTER (WHERE i.active) AS listed_instances,
			pg_catalog.sum(h.reserved_user_nics) AS reserved_user_nics,
			pg_catalog.array_agg(i.id ORDER BY i.id) FILTER (WHERE i.active AND h.active_nics = 0) AS differing_instances
		FROM (
			SELECT n.network_id, n.instance_id,
				pg_catalog.count(*) FILTER (WHERE n.active) AS active_nics,
				pg_catalog.count(*) FILTER (WHERE n.removed IS NULL) AS held_nics,
				pg_catalog.count(*) FILTER (WHERE n.removed IS NULL AND n.vm_type = 'User' AND n.state = 'Reserved') AS reserved_user_nics
			FROM %1$I.all_nics n
			GROUP BY n.network_id, n.instance_id) h
			LEFT JOIN %1$I.all_instances i ON i.id = h.instance_id
		GROUP BY h.network_id) c ON c.network_id = w.id
WHERE w.active$$,
'One row per live network: its instances, counted in each way that is in use
It says whether the ways agree. What to look at before a critical operation. Only active_instances is right; where the others say more, differing_instances are the instances that a query with a forgotten condition would still show. Every count leaves out removed instances.'),

-- triggers, last; one on TRUNCATE stands alone.  The guard of NICs fires before
-- the triggers of users, whose names start with a letter, so that they see what
-- was allowed.
('triggers', 'managed', 'TRIGGER nic_prepare ON %1$I.all_nics',
'CREATE TRIGGER nic_prepare BEFORE INSERT OR UPDATE ON %1$I.all_nics FOR EACH ROW EXECUTE FUNCTION vmnet_internal.nic_prepare()',
'Sets state_changed, and the defaults of columns that an INSERT sets to NULL, default_nic included'),
('triggers', 'managed', 'TRIGGER _nic_guard ON %1$I.all_nics',
'CREATE TRIGGER _nic_guard AFTER INSERT OR UPDATE ON %1$I.all_nics FOR EACH ROW EXECUTE FUNCTION vmnet_internal.nic_guard()',
'Allows only legal states and moves, on parents that are not removed'),
('triggers', 'managed', 'TRIGGER _nic_history ON %1$I.all_nics',
'CREATE TRIGGER _nic_history AFTER UPDATE ON %1$I.all_nics FOR EACH STATEMENT EXECUTE FUNCTION vmnet_internal.nic_history()',
'Writes the changes that the guard saw to nic_history'),
-- fires before the triggers of users, so that they see the row as it will be stored
('triggers', 'managed', 'TRIGGER _fill_defaults ON %1$I.all_networks',
'CREATE TRIGGER _fill_defaults BEFORE INSERT ON %1$I.all_networks FOR EACH ROW EXECUTE FUNCTION vmnet_internal.fill_defaults()',
'A NULL in an INSERT becomes the default of its column'),
('triggers', 'managed', 'TRIGGER _fill_defaults ON %1$I.all_instances',
'CREATE TRIGGER _fill_defaults BEFORE INSERT ON %1$I.all_instances FOR EACH ROW EXECUTE FUNCTION vmnet_internal.fill_defaults()',
'A NULL in an INSERT becomes the default of its column'),
('triggers', 'managed', 'TRIGGER _fill_defaults ON %1$I.all_nic_secondary_ips',
'CREATE TRIGGER _fill_defaults BEFORE INSERT ON %1$I.all_nic_secondary_ips FOR EACH ROW EXECUTE FUNCTION vmnet_internal.fill_defaults()',
'A NULL in an INSERT becomes the default of its column'),
-- No foreign key ties secondary addresses to NICs, since a TRUNCATE of the NICs
-- would then fail for the key before the guard can say why; so the guards are
-- told where to look.
('triggers', 'managed', 'TRIGGER _nic_secondary_ips ON %1$I.all_nics',
'CREATE TRIGGER _nic_secondary_ips AFTER UPDATE ON %1$I.all_nics FOR EACH ROW WHEN (OLD.removed IS NULL AND NEW.removed IS NOT NULL) EXECUTE FUNCTION vmnet_internal.nic_secondary_ips_remove(''all_nic_secondary_ips'')',
'Removes the secondary addresses of a NIC with it'),
('triggers', 'managed', 'TRIGGER secondary_ip_guard ON %1$I.all_nic_secondary_ips',
'CREATE TRIGGER secondary_ip_guard AFTER INSERT OR UPDATE ON %1$I.all_nic_secondary_ips FOR EACH ROW EXECUTE FUNCTION vmnet_internal.secondary_ip_guard(''all_nics'')',
'A secondary address is given to a live NIC only, and removed once'),
('triggers', 'managed', 'TRIGGER network_guard ON %1$I.all_networks',
'CREATE TRIGGER network_guard AFTER UPDATE ON %1$I.all_networks FOR EACH ROW WHEN (OLD.removed IS DISTINCT FROM NEW.removed) EXECUTE FUNCTION vmnet_internal.network_guard()',
'A network is removed once, and only when it holds no NIC'),
('triggers', 'managed', 'TRIGGER instance_guard ON %1$I.all_instances',
'CREATE TRIGGER instance_guard AFTER UPDATE ON %1$I.all_instances FOR EACH ROW WHEN (OLD.removed IS DISTINCT FROM NEW.removed) EXECUTE FUNCTION vmnet_internal.instance_guard()',
'An instance is removed once, and only when it holds no NIC'),
('triggers', 'mirror', 'TRIGGER mirror_guard ON %1$I.all_networks',
'CREATE TRIGGER mirror_guard BEFORE INSERT OR UPDATE ON %1$I.all_networks FOR EACH STATEMENT EXECUTE FUNCTION vmnet_internal.mirror_guard()',
'Only the import writes to a mirror'),
('triggers', 'mirror', 'TRIGGER mirror_guard ON %1$I.all_instances',
'CREATE TRIGGER mirror_guard BEFORE INSERT OR UPDATE ON %1$I.all_instances FOR EACH STATEMENT EXECUTE FUNCTION vmnet_internal.mirror_guard()',
'Only the import writes to a mirror'),
('triggers', 'mirror', 'TRIGGER mirror_guard ON %1$I.all_nics',
'CREATE TRIGGER mirror_guard BEFORE INSERT OR UPDATE ON %1$I.all_nics FOR EACH STATEMENT EXECUTE FUNCTION vmnet_internal.mirror_guard()',
'Only the import writes to a mirror'),
('triggers', 'mirror', 'TRIGGER mirror_guard ON %1$I.all_nic_secondary_ips',
'CREATE TRIGGER mirror_guard BEFORE INSERT OR UPDATE ON %1$I.all_nic_secondary_ips FOR EACH STATEMENT EXECUTE FUNCTION vmnet_internal.mirror_guard()',
'Only the import writes to a mirror'),
('triggers', NULL, 'TRIGGER no_hard_delete ON %1$I.all_nic_secondary_ips',
'CREATE TRIGGER no_hard_delete BEFORE DELETE ON %1$I.all_nic_secondary_ips FOR EACH ROW EXECUTE FUNCTION vmnet_internal.no_hard_delete()',
'Rows are never deleted by hand'),
('triggers', NULL, 'TRIGGER no_truncate ON %1$I.all_nic_secondary_ips',
'CREATE TRIGGER no_truncate BEFORE TRUNCATE ON %1$I.all_nic_secondary_ips FOR EACH STATEMENT EXECUTE FUNCTION vmnet_internal.no_truncate()',
'Rows are never truncated by hand'),
('triggers', NULL, 'TRIGGER no_hard_delete ON %1$I.all_networks',
'CREATE TRIGGER no_hard_delete BEFORE DELETE ON %1$I.all_networks FOR EACH ROW EXECUTE FUNCTION vmnet_internal.no_hard_delete()',
'Rows are never deleted by hand'),
('triggers', NULL, 'TRIGGER no_hard_delete ON %1$I.all_instances',
'CREATE TRIGGER no_hard_delete BEFORE DELETE ON %1$I.all_instances FOR EACH ROW EXECUTE FUNCTION vmnet_internal.no_hard_delete()',
'Rows are never deleted by hand'),
('triggers', NULL, 'TRIGGER no_hard_delete ON %1$I.all_nics',
'CREATE TRIGGER no_hard_delete BEFORE DELETE ON %1$I.all_nics FOR EACH ROW EXECUTE FUNCTION vmnet_internal.no_hard_delete()',
'Rows are never deleted by hand'),
('triggers', NULL, 'TRIGGER no_truncate ON %1$I.all_networks',
'CREATE TRIGGER no_truncate BEFORE TRUNCATE ON %1$I.all_networks FOR EACH STATEMENT EXECUTE FUNCTION vmnet_internal.no_truncate()',
'Rows are never truncated by hand'),
('triggers', NULL, 'TRIGGER no_truncate ON %1$I.all_instances',
'CREATE TRIGGER no_truncate BEFORE TRUNCATE ON %1$I.all_instances FOR EACH STATEMENT EXECUTE FUNCTION vmnet_internal.no_truncate()',
'Rows are never truncated by hand'),
('triggers', NULL, 'TRIGGER no_truncate ON %1$I.all_nics',
'CREATE TRIGGER no_truncate BEFORE TRUNCATE ON %1$I.all_nics FOR EACH STATEMENT EXECUTE FUNCTION vmnet_internal.no_truncate()',
'Rows are never truncated by hand'),
('triggers', NULL, 'TRIGGER history_guard ON %1$I.nic_history',
'CREATE TRIGGER history_guard BEFORE INSERT OR UPDATE OR DELETE ON %1$I.nic_history FOR EACH STATEMENT EXECUTE FUNCTION vmnet_internal.history_guard()',
'Only the owner writes to history by hand'),
('triggers', NULL, 'TRIGGER history_no_truncate ON %1$I.nic_history',
'CREATE TRIGGER history_no_truncate BEFORE TRUNCATE ON %1$I.nic_history FOR EACH STATEMENT EXECUTE FUNCTION vmnet_internal.history_guard()',
'Only the owner truncates history'),
('triggers', NULL, 'TRIGGER history_guard ON %1$I.nic_address_history',
'CREATE TRIGGER history_guard BEFORE INSERT OR UPDATE OR DELETE ON %1$I.nic_address_history FOR EACH STATEMENT EXECUTE FUNCTION vmnet_internal.history_guard()',
'Only the owner writes to history by hand'),
('triggers', NULL, 'TRIGGER history_no_truncate ON %1$I.nic_address_history',
'CREATE TRIGGER history_no_truncate BEFORE TRUNCATE ON %1$I.nic_address_history FOR EACH STATEMENT EXECUTE FUNCTION vmnet_internal.history_guard()',
'Only the owner truncates history'),
('triggers', NULL, 'TRIGGER nic_view_delete ON %1$I.nics',
'CREATE TRIGGER nic_view_delete INSTEAD OF DELETE ON %1$I.nics FOR EACH ROW EXECUTE FUNCTION vmnet_internal.nic_view_delete()',
'DELETE on the view of live NICs is a removal'),
('triggers', NULL, 'TRIGGER network_view_delete ON %1$I.networks',
'CREATE TRIGGER network_view_delete INSTEAD OF DELETE ON %1$I.networks FOR EACH ROW EXECUTE FUNCTION vmnet_internal.parent_view_delete()',
'DELETE on the view of live networks is a removal, refused while NICs are held'),
('triggers', NULL, 'TRIGGER instance_view_delete ON %1$I.instances',
'CREATE TRIGGER instance_view_delete INSTEAD OF DELETE ON %1$I.instances FOR EACH ROW EXECUTE FUNCTION vmnet_internal.parent_view_delete()',
'DELETE on the view of live instances is a removal, refused while NICs are held')
) AS d (phase, only_kind, object, ddl, comment)
WHERE d.only_kind IS NULL OR d.only_kind = $1
$definition$;
COMMENT ON FUNCTION vmnet_internal.inventory_definition(text) IS
'What an inventory of a kind consists of: every statement that makes it, in order, with the comment of what it makes
In ddl, %1$I stands for the name of the inventory.';
