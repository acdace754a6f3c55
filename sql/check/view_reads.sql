--
-- What the views of an inventory have to read
--

-- The columns that decide which rows a view shows and what they say: a view that
-- reads one of them no more was changed, though it has its columns.  Those that a
-- view only passes on are not here.
-- table of data
CREATE FUNCTION vmnet_internal.check_view_reads()
RETURNS TABLE (view text, reads text[])
LANGUAGE sql IMMUTABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $reads$
VALUES
('networks', '{all_networks.active}'::text[]),
('instances', '{all_instances.active}'),
('nics', '{all_nics.active}'),
('nic_secondary_ips', '{all_nic_secondary_ips.active,all_nics.active}'),
('network_instances', '{all_nics.active,all_networks.active,all_instances.active}'),
('network_counts', '{all_nics.active,all_nics.removed,all_nics.state,all_networks.active,all_instances.active}'),
('vpc_instances', '{all_nics.active,all_networks.active,all_instances.active}'),
('nic_intervals', '{all_nics.created,all_nics.ended}'),
('network_instance_intervals', '{nic_intervals.from,nic_intervals.to,all_instances.removed,all_networks.removed}'),
('nic_address_intervals', '{all_nics.created,all_nics.ended,nic_address_history.until}'),
('stuck_nics', '{all_nics.active,all_nics.state,all_nics.state_changed,nic_history.event}'),
('network_validation', '{all_nics.active,all_nics.removed,all_nics.state,all_networks.active,all_instances.active}')
$reads$;
COMMENT ON FUNCTION vmnet_internal.check_view_reads() IS
'Part of check_inventory(): columns that the views of an inventory have to read, as relation.column';
