--
-- Views of an inventory, for the check
--

-- columns: those of the view; NULL: those of its table that are in live views.
-- reads: the columns that decide which rows a view shows and what they say, as
-- relation.column: a view that reads one of them no more was changed, though it
-- has its columns.  Those that a view only passes on are not here.
-- table of data
CREATE FUNCTION vmnet_internal.check_views_of_inventory()
RETURNS TABLE (view text, columns text[], reads text[])
LANGUAGE sql IMMUTABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $views$
VALUES
('inventory_info', '{kind,source,mode,version}'::text[], NULL::text[]),
('networks', NULL, '{all_networks.active}'),
('instances', NULL, '{all_instances.active}'),
('nics', NULL, '{all_nics.active}'),
('nic_secondary_ips', NULL, '{all_nic_secondary_ips.active,all_nics.active}'),
('network_instances',
	'{network_id,network_uuid,network_name,network_state,traffic_type,guest_type,vpc_id,instance_id,instance_uuid,instance_name,'
	'instance_type,instance_state,nic_count,nic_id,nic_state,device_id,default_nic,mac_address,ip4_address,ip6_address}',
	'{all_nics.active,all_networks.active,all_instances.active}'),
('network_counts', '{network_id,network_name}'::text[]
	|| ARRAY(SELECT c.name FROM vmnet_internal.network_counts_columns() c WHERE NOT c.only_report ORDER BY c.ord),
	'{all_nics.active,all_nics.removed,all_nics.state,all_networks.active,all_instances.active}'),
('vpc_instances', '{vpc_id,instance_id,instance_uuid,instance_name,instance_type,instance_state,network_count,nic_count}',
	'{all_nics.active,all_networks.active,all_instances.active}'),
('nic_intervals', '{nic_id,network_id,instance_id,from,to}', '{all_nics.created,all_nics.ended}'),
('network_instance_intervals', '{network_id,instance_id,from,to}',
	'{nic_intervals.from,nic_intervals.to,all_instances.removed,all_networks.removed}'),
('nic_address_intervals', '{nic_id,mac_address,ip4_address,ip6_address,from,to}',
	'{all_nics.created,all_nics.ended,nic_address_history.until}'),
('stuck_nics',
	'{nic_id,nic_uuid,network_id,instance_id,vm_type,state,state_changed,age,last_event,session_username,actor,reason,application_name}',
	'{all_nics.active,all_nics.state,all_nics.state_changed,nic_history.event}'),
('network_validation',
	'{network_id,network_name,active_instances,held_instances,listed_instances,reserved_user_nics,nics_count,agree,differing_instances}',
	'{all_nics.active,all_nics.removed,all_nics.state,all_networks.active,all_instances.active}')
$views$;
COMMENT ON FUNCTION vmnet_internal.check_views_of_inventory() IS
'Part of check_inventory(): columns that the views of an inventory have, and those that they have to read';
