--
-- Rules of an inventory, compared with the catalogs
--

-- What an inventory should have, as the catalogs tell it.  sort: table, column,
-- constraint, index, view (that reads with its reader's rights) or plain view.
-- fact: of a column its type, NOT NULL and how it is generated; of a constraint
-- and an index its definition, with %1$s for the inventory; of a view its columns.
-- A test compares this with inventories that have just been made.
CREATE FUNCTION vmnet_internal.check_facts()
RETURNS TABLE (only_kind text, relation text, sort text, object text, fact text)
LANGUAGE sql IMMUTABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $facts$
VALUES
(NULL, 'all_instances', 'table', NULL, NULL),
(NULL, 'all_instances', 'column', 'account_id', 'bigint'),
(NULL, 'all_instances', 'column', 'account_name', 'text'),
(NULL, 'all_instances', 'column', 'active', 'boolean GENERATED ALWAYS AS ((removed IS NULL)) STORED'),
(NULL, 'all_instances', 'column', 'created', 'timestamp with time zone NOT NULL'),
(NULL, 'all_instances', 'column', 'display_name', 'text'),
(NULL, 'all_instances', 'column', 'domain_id', 'bigint'),
(NULL, 'all_instances', 'column', 'domain_path', 'text'),
(NULL, 'all_instances', 'column', 'host_id', 'bigint'),
(NULL, 'all_instances', 'column', 'id', 'bigint NOT NULL'),
(NULL, 'all_instances', 'column', 'instance_name', 'text'),
(NULL, 'all_instances', 'column', 'name', 'text'),
(NULL, 'all_instances', 'column', 'removed', 'timestamp with time zone'),
(NULL, 'all_instances', 'column', 'state', 'text NOT NULL'),
('managed', 'all_instances', 'column', 'type', 'text NOT NULL'),
('mirror', 'all_instances', 'column', 'type', 'text'),
('managed', 'all_instances', 'column', 'uuid', 'uuid NOT NULL'),
('mirror', 'all_instances', 'column', 'uuid', 'uuid'),
(NULL, 'all_instances', 'column', 'zone_id', 'bigint'),
(NULL, 'all_instances', 'column', 'zone_name', 'text'),
(NULL, 'all_instances', 'constraint', 'all_instances_pkey', 'PRIMARY KEY (id)'),
(NULL, 'all_instances', 'constraint', 'all_instances_uuid_key', 'UNIQUE (uuid)'),
('managed', 'all_instances', 'constraint', 'instance_created_finite', 'CHECK (isfinite(created))'),
('managed', 'all_instances', 'constraint', 'instance_removed_finite', 'CHECK (isfinite(removed))'),
('managed', 'all_instances', 'index', 'all_instances_removed_key', 'UNIQUE USING btree (id, removed)'),
(NULL, 'all_networks', 'table', NULL, NULL),
(NULL, 'all_networks', 'column', 'account_id', 'bigint'),
(NULL, 'all_networks', 'column', 'account_name', 'text'),
(NULL, 'all_networks', 'column', 'active', 'boolean GENERATED ALWAYS AS ((removed IS NULL)) STORED'),
(NULL, 'all_networks', 'column', 'cidr', 'cidr'),
(NULL, 'all_networks', 'column', 'created', 'timestamp with time zone NOT NULL'),
(NULL, 'all_networks', 'column', 'domain_id', 'bigint'),
(NULL, 'all_networks', 'column', 'domain_path', 'text'),
(NULL, 'all_networks', 'column', 'gateway', 'inet'),
(NULL, 'all_networks', 'column', 'guest_type', 'text'),
(NULL, 'all_networks', 'column', 'id', 'bigint NOT NULL'),
(NULL, 'all_networks', 'column', 'ip6_cidr', 'cidr'),
(NULL, 'all_networks', 'column', 'ip6_gateway', 'inet'),
(NULL, 'all_networks', 'column', 'name', 'text'),
(NULL, 'all_networks', 'column', 'network_cidr', 'cidr'),
(NULL, 'all_networks', 'column', 'nics_count', 'bigint'),
(NULL, 'all_networks', 'column', 'removed', 'timestamp with time zone'),
(NULL, 'all_networks', 'column', 'state', 'text NOT NULL'),
('managed', 'all_networks', 'column', 'traffic_type', 'text NOT NULL'),
('mirror', 'all_networks', 'column', 'traffic_type', 'text'),
('managed', 'all_networks', 'column', 'uuid', 'uuid NOT NULL'),
('mirror', 'all_networks', 'column', 'uuid', 'uuid'),
(NULL, 'all_networks', 'column', 'vpc_id', 'bigint'),
(NULL, 'all_networks', 'column', 'zone_id', 'bigint'),
(NULL, 'all_networks', 'column', 'zone_name', 'text'),
(NULL, 'all_networks', 'constraint', 'all_networks_pkey', 'PRIMARY KEY (id)'),
(NULL, 'all_networks', 'constraint', 'all_networks_uuid_key', 'UNIQUE (uuid)'),
('managed', 'all_networks', 'constraint', 'network_created_finite', 'CHECK (isfinite(created))'),
('managed', 'all_networks', 'constraint', 'network_guest_type_valid', 'CHECK ((guest_type = ANY (ARRAY[''Isolated''::text, ''Shared''::text, ''L2''::text])))'),
('managed', 'all_networks', 'constraint', 'network_removed_finite', 'CHECK (isfinite(removed))'),
('managed', 'all_networks', 'index', 'all_networks_removed_key', 'UNIQUE USING btree (id, removed)'),
(NULL, 'all_networks', 'index', 'all_networks_vpc_idx', 'USING btree (vpc_id) WHERE (vpc_id IS NOT NULL)'),
(NULL, 'all_nic_secondary_ips', 'table', NULL, NULL),
(NULL, 'all_nic_secondary_ips', 'column', 'active', 'boolean GENERATED ALWAYS AS ((removed IS NULL)) STORED'),
(NULL, 'all_nic_secondary_ips', 'column', 'created', 'timestamp with time zone NOT NULL'),
(NULL, 'all_nic_secondary_ips', 'column', 'id', 'bigint NOT NULL'),
(NULL, 'all_nic_secondary_ips', 'column', 'ip4_address', 'inet'),
(NULL, 'all_nic_secondary_ips', 'column', 'ip6_address', 'inet'),
(NULL, 'all_nic_secondary_ips', 'column', 'network_id', 'bigint NOT NULL'),
(NULL, 'all_nic_secondary_ips', 'column', 'nic_id', 'bigint NOT NULL'),
(NULL, 'all_nic_secondary_ips', 'column', 'removed', 'timestamp with time zone'),
('managed', 'all_nic_secondary_ips', 'column', 'uuid', 'uuid NOT NULL'),
('mirror', 'all_nic_secondary_ips', 'column', 'uuid', 'uuid'),
(NULL, 'all_nic_secondary_ips', 'constraint', 'all_nic_secondary_ips_pkey', 'PRIMARY KEY (id)'),
(NULL, 'all_nic_secondary_ips', 'constraint', 'all_nic_secondary_ips_uuid_key', 'UNIQUE (uuid)'),
('managed', 'all_nic_secondary_ips', 'constraint', 'secondary_ip4_address_valid', 'CHECK (((family(ip4_address) = 4) AND (masklen(ip4_address) = 32)))'),
('managed', 'all_nic_secondary_ips', 'constraint', 'secondary_ip6_address_valid', 'CHECK (((family(ip6_address) = 6) AND (masklen(ip6_address) = 128)))'),
('managed', 'all_nic_secondary_ips', 'constraint', 'secondary_ip_created_finite', 'CHECK (isfinite(created))'),
('managed', 'all_nic_secondary_ips', 'constraint', 'secondary_ip_present', 'CHECK (((ip4_address IS NOT NULL) OR (ip6_address IS NOT NULL)))'),
('managed', 'all_nic_secondary_ips', 'constraint', 'secondary_ip_removed_finite', 'CHECK (isfinite(removed))'),
(NULL, 'all_nic_secondary_ips', 'index', 'all_nic_secondary_ips_active_idx', 'USING btree (network_id, nic_id) WHERE active'),
(NULL, 'all_nic_secondary_ips', 'index', 'all_nic_secondary_ips_nic_idx', 'USING btree (nic_id)'),
('managed', 'all_nic_secondary_ips', 'index', 'all_nic_secondary_ips_one_ip4', 'UNIQUE USING btree (network_id, ip4_address) WHERE active'),
('managed', 'all_nic_secondary_ips', 'index', 'all_nic_secondary_ips_one_ip6', 'UNIQUE USING btree (network_id, ip6_address) WHERE active'),
(NULL, 'all_nics', 'table', NULL, NULL),
(NULL, 'all_nics', 'column', 'active', 'boolean GENERATED ALWAYS AS (((removed IS NULL) AND (lower((state COLLATE "C")) <> ''deallocating''::text))) STORED'),
(NULL, 'all_nics', 'column', 'broadcast_uri', 'text'),
(NULL, 'all_nics', 'column', 'created', 'timestamp with time zone NOT NULL'),
(NULL, 'all_nics', 'column', 'default_nic', 'boolean'),
(NULL, 'all_nics', 'column', 'device_id', 'integer'),
('managed', 'all_nics', 'column', 'enabled', 'boolean NOT NULL'),
('mirror', 'all_nics', 'column', 'enabled', 'boolean'),
(NULL, 'all_nics', 'column', 'ended', 'timestamp with time zone GENERATED ALWAYS AS (LEAST(removed, CASE WHEN (lower((state COLLATE "C")) = ''deallocating''::text) THEN state_changed ELSE NULL::timestamp with time zone END)) STORED'),
(NULL, 'all_nics', 'column', 'gateway', 'inet'),
(NULL, 'all_nics', 'column', 'id', 'bigint NOT NULL'),
(NULL, 'all_nics', 'column', 'instance_id', 'bigint'),
(NULL, 'all_nics', 'column', 'ip4_address', 'inet'),
(NULL, 'all_nics', 'column', 'ip6_address', 'inet'),
(NULL, 'all_nics', 'column', 'mac_address', 'macaddr'),
(NULL, 'all_nics', 'column', 'mtu', 'bigint'),
(NULL, 'all_nics', 'column', 'netmask', 'inet'),
(NULL, 'all_nics', 'column', 'network_id', 'bigint NOT NULL'),
(NULL, 'all_nics', 'column', 'removed', 'timestamp with time zone'),
(NULL, 'all_nics', 'column', 'reservation_id', 'text'),
(NULL, 'all_nics', 'column', 'reserver_name', 'text'),
(NULL, 'all_nics', 'column', 'state', 'text NOT NULL'),
(NULL, 'all_nics', 'column', 'state_changed', 'timestamp with time zone NOT NULL'),
('managed', 'all_nics', 'column', 'strategy', 'text NOT NULL'),
('mirror', 'all_nics', 'column', 'strategy', 'text'),
('managed', 'all_nics', 'column', 'uuid', 'uuid NOT NULL'),
('mirror', 'all_nics', 'column', 'uuid', 'uuid'),
('managed', 'all_nics', 'column', 'vm_type', 'text NOT NULL'),
('mirror', 'all_nics', 'column', 'vm_type', 'text'),
(NULL, 'all_nics', 'constraint', 'all_nics_instance_id_fkey', 'FOREIGN KEY (instance_id) REFERENCES %1$s.all_instances(id)'),
(NULL, 'all_nics', 'constraint', 'all_nics_network_id_fkey', 'FOREIGN KEY (network_id) REFERENCES %1$s.all_networks(id)'),
(NULL, 'all_nics', 'constraint', 'all_nics_pkey', 'PRIMARY KEY (id)'),
(NULL, 'all_nics', 'constraint', 'all_nics_uuid_key', 'UNIQUE (uuid)'),
('managed', 'all_nics', 'constraint', 'nic_created_finite', 'CHECK (isfinite(created))'),
('managed', 'all_nics', 'constraint', 'nic_default_nic_present', 'CHECK ((default_nic IS NOT NULL))'),
('managed', 'all_nics', 'constraint', 'nic_instance_required', 'CHECK (((instance_id IS NOT NULL) OR (strategy = ''PlaceHolder''::text) OR (removed IS NOT NULL)))'),
('managed', 'all_nics', 'constraint', 'nic_ip4_address_valid', 'CHECK (((family(ip4_address) = 4) AND (masklen(ip4_address) = 32)))'),
('managed', 'all_nics', 'constraint', 'nic_ip6_address_valid', 'CHECK (((family(ip6_address) = 6) AND (masklen(ip6_address) = 128)))'),
('managed', 'all_nics', 'constraint', 'nic_removed_finite', 'CHECK (isfinite(removed))'),
('managed', 'all_nics', 'constraint', 'nic_removed_is_deallocating', 'CHECK (((removed IS NULL) OR (state = ''Deallocating''::text)))'),
('managed', 'all_nics', 'constraint', 'nic_state_valid', 'CHECK ((state = ANY (ARRAY[''Allocated''::text, ''Reserving''::text, ''Reserved''::text, ''Releasing''::text, ''Deallocating''::text])))'),
('managed', 'all_nics', 'constraint', 'nic_strategy_valid', 'CHECK ((strategy = ANY (ARRAY[''PlaceHolder''::text, ''Create''::text, ''Start''::text, ''Managed''::text])))'),
(NULL, 'all_nics', 'index', 'all_nics_active_idx', 'USING btree (network_id, instance_id) WHERE active'),
(NULL, 'all_nics', 'index', 'all_nics_half_removed_idx', 'USING btree (network_id) WHERE ((removed IS NULL) AND (NOT active))'),
(NULL, 'all_nics', 'index', 'all_nics_instance_idx', 'USING btree (instance_id)'),
(NULL, 'all_nics', 'index', 'all_nics_ip4_idx', 'USING btree (ip4_address) WHERE (ip4_address IS NOT NULL)'),
(NULL, 'all_nics', 'index', 'all_nics_ip6_idx', 'USING btree (ip6_address) WHERE (ip6_address IS NOT NULL)'),
(NULL, 'all_nics', 'index', 'all_nics_mac_idx', 'USING btree (mac_address)'),
(NULL, 'all_nics', 'index', 'all_nics_network_created_idx', 'USING btree (network_id, created) INCLUDE (id, instance_id, ended)'),
('managed', 'all_nics', 'index', 'all_nics_one_default', 'UNIQUE USING btree (instance_id, default_nic) WHERE (active AND default_nic AND (vm_type = ''User''::text))'),
('managed', 'all_nics', 'index', 'all_nics_one_device', 'UNIQUE USING btree (instance_id, device_id) WHERE (active AND (vm_type = ''User''::text))'),
('managed', 'all_nics', 'index', 'all_nics_one_ip4', 'UNIQUE USING btree (network_id, ip4_address) WHERE (active AND (vm_type = ''User''::text))'),
('managed', 'all_nics', 'index', 'all_nics_one_ip6', 'UNIQUE USING btree (network_id, ip6_address) WHERE (active AND (vm_type = ''User''::text))'),
('managed', 'all_nics', 'index', 'all_nics_one_mac', 'UNIQUE USING btree (network_id, mac_address) WHERE (active AND (vm_type = ''User''::text))'),
('managed', 'all_nics', 'index', 'all_nics_one_per_network', 'UNIQUE USING btree (instance_id, network_id) WHERE (active AND (vm_type = ''User''::text))'),
('mirror', 'import_log', 'table', NULL, NULL),
('mirror', 'import_log', 'column', 'action', 'text NOT NULL'),
('mirror', 'import_log', 'column', 'column', 'text'),
('mirror', 'import_log', 'column', 'entry', 'bigint NOT NULL'),
('mirror', 'import_log', 'column', 'id', 'text'),
('mirror', 'import_log', 'column', 'original', 'text'),
('mirror', 'import_log', 'column', 'reason', 'text NOT NULL'),
('mirror', 'import_log', 'column', 'run', 'bigint NOT NULL'),
('mirror', 'import_log', 'column', 'table', 'text NOT NULL'),
('mirror', 'import_log', 'constraint', 'import_log_action_valid', 'CHECK ((action = ANY (ARRAY[''rejected''::text, ''changed''::text])))'),
('mirror', 'import_log', 'constraint', 'import_log_pkey', 'PRIMARY KEY (entry)'),
('mirror', 'import_runs', 'table', NULL, NULL),
('mirror', 'import_runs', 'column', 'backend_pid', 'integer NOT NULL'),
('mirror', 'import_runs', 'column', 'finished', 'timestamp with time zone'),
('mirror', 'import_runs', 'column', 'instances_read', 'bigint NOT NULL'),
('mirror', 'import_runs', 'column', 'message', 'text'),
('mirror', 'import_runs', 'column', 'networks_read', 'bigint NOT NULL'),
('mirror', 'import_runs', 'column', 'nic_secondary_ips_read', 'bigint NOT NULL'),
('mirror', 'import_runs', 'column', 'nics_read', 'bigint NOT NULL'),
('mirror', 'import_runs', 'column', 'rows_deleted', 'bigint NOT NULL'),
('mirror', 'import_runs', 'column', 'rows_inserted', 'bigint NOT NULL'),
('mirror', 'import_runs', 'column', 'rows_rejected', 'bigint NOT NULL'),
('mirror', 'import_runs', 'column', 'rows_updated', 'bigint NOT NULL'),
('mirror', 'import_runs', 'column', 'run', 'bigint NOT NULL'),
('mirror', 'import_runs', 'column', 'source', 'text NOT NULL'),
('mirror', 'import_runs', 'column', 'started', 'timestamp with time zone NOT NULL'),
('mirror', 'import_runs', 'column', 'status', 'text NOT NULL'),
('mirror', 'import_runs', 'column', 'step', 'text NOT NULL'),
('mirror', 'import_runs', 'column', 'values_changed', 'bigint NOT NULL'),
('mirror', 'import_runs', 'constraint', 'import_runs_pkey', 'PRIMARY KEY (run)'),
('mirror', 'import_runs', 'constraint', 'import_runs_status_valid', 'CHECK ((status = ANY (ARRAY[''running''::text, ''done''::text, ''failed''::text])))'),
(NULL, 'instances', 'view', NULL, 'id, uuid, name, display_name, instance_name, type, state, host_id, zone_id, domain_id, account_id, account_name, domain_path, zone_name, created, removed'),
(NULL, 'inventory_info', 'plain view', NULL, 'kind, source, mode, version'),
(NULL, 'network_counts', 'view', NULL, 'network_id, network_name, attached_nics, active_instances, running_instances, user_instances, allocated, reserving, reserved, releasing, deallocating, other_states, used_ip4'),
(NULL, 'network_instance_intervals', 'view', NULL, 'network_id, instance_id, from, to'),
(NULL, 'network_instances', 'view', NULL, 'network_id, network_uuid, network_name, network_state, traffic_type, guest_type, vpc_id, instance_id, instance_uuid, instance_name, instance_type, instance_state, nic_count, nic_id, nic_state, device_id, default_nic, mac_address, ip4_address, ip6_address'),
(NULL, 'network_validation', 'view', NULL, 'network_id, network_name, active_instances, held_instances, listed_instances, reserved_user_nics, nics_count, agree, differing_instances'),
(NULL, 'networks', 'view', NULL, 'id, uuid, name, state, traffic_type, guest_type, cidr, network_cidr, gateway, ip6_cidr, ip6_gateway, vpc_id, zone_id, domain_id, account_id, account_name, domain_path, zone_name, nics_count, created, removed'),
(NULL, 'nic_address_history', 'table', NULL, NULL),
(NULL, 'nic_address_history', 'column', 'entry', 'bigint NOT NULL'),
(NULL, 'nic_address_history', 'column', 'ip4_address', 'inet'),
(NULL, 'nic_address_history', 'column', 'ip6_address', 'inet'),
(NULL, 'nic_address_history', 'column', 'mac_address', 'macaddr'),
(NULL, 'nic_address_history', 'column', 'nic_id', 'bigint NOT NULL'),
(NULL, 'nic_address_history', 'column', 'until', 'timestamp with time zone NOT NULL'),
(NULL, 'nic_address_history', 'constraint', 'nic_address_history_pkey', 'PRIMARY KEY (entry)'),
(NULL, 'nic_address_history', 'index', 'nic_address_history_ip4_idx', 'USING btree (ip4_address)'),
(NULL, 'nic_address_history', 'index', 'nic_address_history_ip6_idx', 'USING btree (ip6_address)'),
(NULL, 'nic_address_history', 'index', 'nic_address_history_mac_idx', 'USING btree (mac_address)'),
(NULL, 'nic_address_history', 'index', 'nic_address_history_nic_idx', 'USING btree (nic_id, entry)'),
(NULL, 'nic_address_intervals', 'view', NULL, 'nic_id, mac_address, ip4_address, ip6_address, from, to'),
(NULL, 'nic_history', 'table', NULL, NULL),
(NULL, 'nic_history', 'column', 'actor', 'text'),
(NULL, 'nic_history', 'column', 'application_name', 'text'),
(NULL, 'nic_history', 'column', 'at', 'timestamp with time zone NOT NULL'),
(NULL, 'nic_history', 'column', 'event', 'text NOT NULL'),
(NULL, 'nic_history', 'column', 'from_network_id', 'bigint'),
(NULL, 'nic_history', 'column', 'from_state', 'text NOT NULL'),
(NULL, 'nic_history', 'column', 'instance_id', 'bigint'),
(NULL, 'nic_history', 'column', 'network_id', 'bigint NOT NULL'),
(NULL, 'nic_history', 'column', 'nic_id', 'bigint NOT NULL'),
(NULL, 'nic_history', 'column', 'reason', 'text'),
(NULL, 'nic_history', 'column', 'removed', 'timestamp with time zone'),
(NULL, 'nic_history', 'column', 'seq', 'bigint NOT NULL'),
(NULL, 'nic_history', 'column', 'session_username', 'text NOT NULL'),
(NULL, 'nic_history', 'column', 'to_state', 'text'),
(NULL, 'nic_history', 'column', 'transaction_id', 'bigint NOT NULL'),
(NULL, 'nic_history', 'constraint', 'nic_history_pkey', 'PRIMARY KEY (seq, at)'),
('mirror', 'nic_history', 'index', 'nic_history_move_idx', 'USING btree (nic_id, seq) WHERE (from_network_id IS NOT NULL)'),
(NULL, 'nic_history', 'index', 'nic_history_network_idx', 'USING btree (network_id, seq)'),
(NULL, 'nic_history', 'index', 'nic_history_nic_idx', 'USING btree (nic_id, seq)'),
(NULL, 'nic_intervals', 'view', NULL, 'nic_id, network_id, instance_id, from, to'),
(NULL, 'nic_secondary_ips', 'view', NULL, 'id, uuid, nic_id, network_id, ip4_address, ip6_address, created, removed'),
(NULL, 'nics', 'view', NULL, 'id, uuid, instance_id, network_id, state, strategy, reserver_name, reservation_id, vm_type, device_id, default_nic, mac_address, ip4_address, ip6_address, netmask, gateway, broadcast_uri, mtu, enabled, created, state_changed, removed'),
(NULL, 'stuck_nics', 'view', NULL, 'nic_id, nic_uuid, network_id, instance_id, vm_type, state, state_changed, age, last_event, session_username, actor, reason, application_name'),
(NULL, 'vpc_instances', 'view', NULL, 'vpc_id, instance_id, instance_uuid, instance_name, instance_type, instance_state, network_count, nic_count')
$facts$;
COMMENT ON FUNCTION vmnet_internal.check_facts() IS
'Part of check_inventory(): tables, columns, constraints, indexes and views of managed inventories and mirrors
only_kind NULL: of both.';

-- Over attached tables an inventory has tables of history only, whose keys have
-- the types of the keys of those; a live one has none.  What is a table in others
-- is a view there.
CREATE FUNCTION vmnet_internal.check_expected_facts(kind text)
RETURNS TABLE (relation text, sort text, object text, fact text)
LANGUAGE sql IMMUTABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $$
SELECT f.relation, f.sort, f.object, f.fact
FROM vmnet_internal.check_facts() f
WHERE $1 IN ('managed', 'mirror') AND (f.only_kind IS NULL OR f.only_kind = $1)
UNION ALL
SELECT f.relation, CASE WHEN $1 = 'live' AND f.sort = 'view' THEN 'plain view' ELSE f.sort END, f.object, f.fact
FROM vmnet_internal.check_facts() f
WHERE $1 IN ('attached', 'live') AND f.only_kind IS DISTINCT FROM 'mirror'
	AND (f.sort IN ('view', 'plain view')
		OR $1 = 'attached' AND f.relation IN ('nic_history', 'nic_address_history')
			AND coalesce(f.object <> ALL (ARRAY['nic_id', 'network_id', 'instance_id', 'from_network_id', 'from_state']), true))
UNION ALL
SELECT f.relation, 'plain view', NULL, string_agg(DISTINCT f.object, ', ')
FROM vmnet_internal.check_facts() f
WHERE $1 IN ('attached', 'live') AND f.only_kind IS DISTINCT FROM 'mirror' AND f.sort = 'column'
	AND ($1 = 'live' OR f.relation NOT IN ('nic_history', 'nic_address_history'))
GROUP BY f.relation
$$;
COMMENT ON FUNCTION vmnet_internal.check_expected_facts(text) IS
'Part of check_inventory(): check_facts() for an inventory of a kind';

-- A constraint and an index are known by what they are, not by their name, so
-- that one which was renamed, or made anew, is as good.  Texts are compared
-- without quotes, spaces and what the search_path adds.
CREATE FUNCTION vmnet_internal.check_rules(inventory_name text, kind text)
RETURNS TABLE (code text, message text, fix text)
LANGUAGE sql STABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $$
WITH expected AS MATERIALIZED (
	SELECT x.relation, x.sort, x.object, replace(x.fact, '%1$s', quote_ident(s.nspname)) AS fact,
		s.oid AS schema_id, quote_ident(s.nspname) AS schema, quote_ident(s.nspname) || '.' || x.relation AS name,
		c.oid AS relid, c.tableoid AS classid, c.relkind, c.relpersistence, c.reloptions
	FROM pg_catalog.pg_namespace s
		CROSS JOIN vmnet_internal.check_expected_facts($2) x
		LEFT JOIN pg_catalog.pg_class c ON c.relnamespace = s.oid AND c.relname = x.relation
	WHERE s.nspname = $1
), base AS MATERIALIZED (
	SELECT e.relid, e.schema_id, e.name, e.relation FROM expected e WHERE e.sort = 'table' AND e.relkind IN ('r', 'p')
), found AS MATERIALIZED (
	SELECT 'constraint' AS sort, b.relid, k.conname::text AS name, pg_get_constraintdef(k.oid) AS fact,
		-- one that refers to a table of the same name elsewhere is another one
		k.confrelid = 0 OR (SELECT r.relnamespace FROM pg_catalog.pg_class r WHERE r.oid = k.confrelid) = b.schema_id AS in_force
	FROM base b
		JOIN pg_catalog.pg_constraint k ON k.conrelid = b.relid AND k.contype IN ('c', 'f', 'p', 'u')
	UNION ALL
	SELECT 'index', b.relid, c.relname, CASE WHEN i.indisunique THEN 'UNIQUE ' ELSE '' END || substr(d.def, strpos(d.def, b.relation || ' USING ') + length(b.relation) + 1),
		i.indisvalid AND i.indisready AND i.indimmediate
	FROM base b
		JOIN pg_catalog.pg_index i ON i.indrelid = b.relid
		JOIN pg_catalog.pg_class c ON c.oid = i.indexrelid
		CROSS JOIN LATERAL (SELECT replace(pg_get_indexdef(i.indexrelid), '"', '')) d (def)
), differing AS MATERIALIZED (
	SELECT e.sort, e.relid, e.object, e.name, e.schema, e.fact, regexp_replace(replace(e.fact, e.schema || '.', ''), '[\s"]', '', 'g') AS plain
	FROM expected e
	WHERE e.sort IN ('constraint', 'index') AND e.relkind IN ('r', 'p')
		AND (e.sort, e.relid, e.fact) NOT IN (SELECT f.sort, f.relid, f.fact FROM found f WHERE f.in_force AND f.fact IS NOT NULL)
), lacking AS (
	SELECT d.sort, d.object, d.name, d.schema, d.plain, d.fact, d.sort = 'constraint' OR d.fact ~ '^UNIQUE ' AS is_rule,
		n.name IS NOT NULL AS is_other, n.fact AS other, n.plain AS other_plain
	FROM differing d
		CROSS JOIN LATERAL (
			SELECT min(f.name) FILTER (WHERE f.name = d.object) AS name, min(f.fact) FILTER (WHERE f.name = d.object) AS fact,
				min(f.plain) FILTER (WHERE f.name = d.object) AS plain, bool_or(f.plain = d.plain) AS is_there
			FROM (
				SELECT o.name, o.fact, CASE WHEN o.in_force THEN
					regexp_replace(replace(o.fact, d.schema || '.', ''), '[\s"]|\mpg_catalog\.|\mWITH \([^)]*\)', '', 'g') END AS plain
				FROM found o
				WHERE o.sort = d.sort AND o.relid = d.relid) f) n
	WHERE n.is_there IS NOT TRUE
)
SELECT CASE WHEN l.is_rule THEN 'rule_missing' ELSE 'index_missing' END,
	CASE WHEN NOT l.is_other THEN format('%s has no %s %I: %s', l.name, l.sort, l.object, l.fact)
		WHEN l.other_plain IS NULL AND l.sort = 'index' THEN format('index %I of %s is invalid', l.object, l.name)
		ELSE format('%s %I of %s is not %s, but %s', l.sort, l.object, l.name, l.fact, l.other) END,
	CASE l.sort WHEN 'index' THEN
			CASE WHEN l.is_other THEN format('DROP INDEX %s.%I; ', l.schema, l.object) ELSE '' END
				|| format('CREATE %sINDEX %I ON %s %s;', substring(l.fact FROM '^UNIQUE '), l.object, l.name, substring(l.fact FROM 'USING .*'))
		ELSE format('ALTER TABLE %s ', l.name) || CASE
			WHEN NOT l.is_other THEN format('ADD CONSTRAINT %I %s;', l.object, l.fact)
			WHEN l.other_plain = l.plain || 'NOTVALID' THEN format('VALIDATE CONSTRAINT %I;', l.object)
			WHEN l.fact ~ '^FOREIGN KEY' AND l.other_plain IN (l.plain || 'DEFERRABLE', l.plain || 'DEFERRABLEINITIALLYDEFERRED') THEN format('ALTER CONSTRAINT %I NOT DEFERRABLE;', l.object)
			ELSE format('DROP CONSTRAINT %1$I, ADD CONSTRAINT %1$I %2$s;', l.object, l.fact) END END
FROM lacking l
UNION ALL
SELECT 'column_differs',
	CASE WHEN a.attname IS NULL THEN format('%s has no column %I: %s', e.name, e.object, e.fact)
		ELSE format('column %I of %s is not %s, but %s', e.object, e.name, e.fact, v.fact || CASE WHEN a.attnotnull THEN ' NOT NULL' ELSE '' END) END,
	CASE WHEN a.attname IS NULL AND e.fact !~ ' NOT NULL$' THEN format('ALTER TABLE %s ADD COLUMN %I %s;', e.name, e.object, e.fact)
		WHEN e.fact = v.fact || ' NOT NULL' THEN format('ALTER TABLE %s ALTER COLUMN %I SET NOT NULL;', e.name, e.object)
		-- nor can the type of a column change that a view reads
		WHEN a.attgenerated = '' AND e.fact !~ ' GENERATED ' AND NOT EXISTS (
			SELECT FROM pg_catalog.pg_depend p JOIN pg_catalog.pg_rewrite r ON r.oid = p.objid AND r.tableoid = p.classid
			WHERE p.refclassid = e.classid AND p.refobjid = e.relid AND p.refobjsubid = a.attnum)
			THEN format('ALTER TABLE %s ALTER COLUMN %I TYPE %s;', e.name, e.object, replace(e.fact, ' NOT NULL', '')) END
FROM expected e
	LEFT JOIN pg_catalog.pg_attribute a ON a.attrelid = e.relid AND a.attname = e.object AND NOT a.attisdropped
	LEFT JOIN pg_catalog.pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum AND a.attgenerated <> ''
	CROSS JOIN LATERAL (SELECT format_type(a.atttypid, a.atttypmod)
		-- 100 is the collation of the database
		|| CASE WHEN a.attcollation IN (0, 100) THEN '' ELSE ' COLLATE ' || (SELECT o.collname FROM pg_catalog.pg_collation o WHERE o.oid = a.attcollation) END
		|| coalesce(' GENERATED ALWAYS AS (' || pg_get_expr(d.adbin, d.adrelid) || CASE a.attgenerated WHEN 's' THEN ') STORED' ELSE ') VIRTUAL' END, '')) v (fact)
WHERE e.sort = 'column' AND e.relkind IN ('r', 'p')
	AND (e.fact = v.fact OR a.attnotnull AND e.fact = v.fact || ' NOT NULL'
		OR regexp_replace(e.fact, '[\s"]', '', 'g') = regexp_replace(v.fact || CASE WHEN e.fact ~ ' NOT NULL$' AND a.attnotnull THEN ' NOT NULL' ELSE '' END, '[\s"]|\mpg_catalog\.', '', 'g')) IS NOT TRUE
UNION ALL
SELECT 'view_differs',
	CASE WHEN e.relid IS NULL THEN format('there is no view %s', e.name)
		WHEN e.relkind <> 'v' THEN format('%s is no view', e.name)
		WHEN m.columns IS NOT NULL THEN format('view %s lacks: %s', e.name, m.columns)
		ELSE format('view %s reads with the rights of its owner, not with those of its reader', e.name) END,
	CASE WHEN e.relkind = 'v' AND m.columns IS NULL THEN format('ALTER VIEW %s SET (security_invoker = true);', e.name) END
FROM expected e
	CROSS JOIN LATERAL (
		SELECT string_agg(w.name, ', ' ORDER BY w.ord)
		FROM unnest(string_to_array(e.fact, ', ')) WITH ORDINALITY w (name, ord)
		WHERE NOT EXISTS (SELECT FROM pg_catalog.pg_attribute a WHERE a.attrelid = e.relid AND a.attname = w.name AND NOT a.attisdropped)) m (columns)
WHERE e.sort IN ('view', 'plain view')
	AND (e.relkind IS DISTINCT FROM 'v' OR m.columns IS NOT NULL OR e.sort = 'view' AND (array_to_string(e.reloptions, ' ') ~ '\msecurity_invoker=(t|y|on|1)') IS NOT TRUE)
UNION ALL
SELECT 'table_differs',
	CASE WHEN e.relid IS NULL THEN format('there is no table %s', e.name)
		WHEN e.relkind NOT IN ('r', 'p') THEN format('%s is no table', e.name)
		ELSE format('table %s is unlogged: a crash empties it', e.name) END,
	CASE WHEN e.relkind IN ('r', 'p') THEN format('ALTER TABLE %s SET LOGGED;', e.name) END
FROM expected e
WHERE e.sort = 'table' AND (e.relkind IS NULL OR e.relkind NOT IN ('r', 'p') OR e.relpersistence <> 'p')
UNION ALL
SELECT 'table_differs', format('table %s has a rule, %I, which rewrites what is written to it', b.name, r.rulename),
	format('DROP RULE %I ON %s;', r.rulename, b.name)
FROM base b
	JOIN pg_catalog.pg_rewrite r ON r.ev_class = b.relid AND r.ev_enabled IN ('O', 'A')
$$;
COMMENT ON FUNCTION vmnet_internal.check_rules(text, text) IS
'Part of check_inventory(): in what an inventory differs from its definition, with the statement that mends each';
