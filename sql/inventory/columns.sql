--
-- Comments of the columns of an inventory
--

CREATE FUNCTION vmnet_internal.inventory_column_comments()
RETURNS TABLE (relations text[], column_name text, comment text)
LANGUAGE sql IMMUTABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $comments$
-- The first row whose relations name the relation, or are NULL for any, wins.
VALUES
(ARRAY['nic_history', 'nic_address_history', 'nic_intervals', 'nic_address_intervals', 'stuck_nics'], 'nic_id', 'Id of the NIC'),
(ARRAY['nic_history'], 'network_id', 'Network of the NIC, after the change'),
(ARRAY['nic_history', 'nic_intervals', 'stuck_nics'], 'instance_id', 'Instance of the NIC; NULL for a placeholder'),
(ARRAY['nic_history'], 'removed', 'When the NIC was removed, as the change set it; NULL: it was not
In a mirror, where to_state is NULL and the source did not say: when the import missed it.'),
(ARRAY['stuck_nics'], 'state', 'Reserving or Releasing'),
(ARRAY['all_networks', 'networks', 'attached_networks'], 'id', 'Id of the network'),
(ARRAY['all_instances', 'instances', 'attached_instances'], 'id', 'Id of the instance'),
(ARRAY['all_nics', 'nics', 'attached_nics'], 'id', 'Id of the NIC'),
(NULL, 'key', 'Value by which NICs refer to it'),
(NULL, 'network_key', 'Value by which the NIC refers to its network'),
(NULL, 'instance_key', 'Value by which the NIC refers to its instance'),
(ARRAY['import_log'], 'id', 'Id of the row in the source, as text; NULL where it has none'),
(NULL, 'uuid', 'Universal id; in a mirror NULL where the source has none'),
(ARRAY['all_networks', 'networks'], 'name', 'Name that its owner gave it, or NULL'),
(NULL, 'name', 'Name, or NULL'),
(NULL, 'display_name', 'Name that its owner sees, or NULL'),
(ARRAY['all_instances', 'instances'], 'instance_name', 'Name that the hypervisor knows it by (CloudStack: i-2-3-VM), or NULL'),
(NULL, 'instance_name', 'Name of the instance, or NULL'),
(ARRAY['all_networks', 'networks', 'attached_networks'], 'state', 'State of the network, as its system calls it
In CloudStack Allocated, Implementing, Implemented, Shutdown, Setup or Destroy.'),
(ARRAY['all_instances', 'instances', 'attached_instances'], 'state', 'State of the instance, as its system calls it
In CloudStack Running, Stopped, Destroyed and others.'),
(ARRAY['all_nics', 'nics', 'attached_nics'], 'state', 'Allocated, Reserving, Reserved, Releasing or Deallocating
It moves as vmnet.nic_state_transitions() says.'),
(NULL, 'traffic_type', 'What the network carries
In CloudStack Guest, Public, Management, Control or Storage.'),
(NULL, 'guest_type', 'Isolated, Shared or L2; NULL for a network that is not for guests'),
(NULL, 'cidr', 'IPv4 range that addresses are given from, or NULL'),
(NULL, 'network_cidr', 'Whole IPv4 range of the network where cidr is only a part of it, else NULL
CloudStack: IP reservation.'),
(ARRAY['all_networks', 'networks'], 'gateway', 'IPv4 gateway of the network, or NULL'),
(NULL, 'gateway', 'IPv4 gateway of the NIC, or NULL'),
(NULL, 'ip6_cidr', 'IPv6 range, or NULL'),
(NULL, 'ip6_gateway', 'IPv6 gateway, or NULL'),
(NULL, 'vpc_id', 'VPC that the network is a tier of, or NULL'),
(NULL, 'zone_id', 'Zone, or NULL'),
(NULL, 'domain_id', 'Domain of the owner, or NULL'),
(NULL, 'account_id', 'Account of the owner, or NULL'),
(NULL, 'account_name', 'Name of the account; NULL where the source lacks it'),
(NULL, 'domain_path', 'Path of the domain; NULL where the source lacks it'),
(NULL, 'zone_name', 'Name of the zone; NULL where the source lacks it'),
(NULL, 'nics_count', 'Counter of the source, kept to be checked, never used; NULL where it has none
CloudStack: op_networks.nics_count.'),
(NULL, 'created', 'When it was created'),
(NULL, 'removed', 'When it was removed; NULL: it is not'),
(ARRAY['all_nics'], 'active', 'Is the NIC live: neither removed nor Deallocating'),
(NULL, 'active', 'Is it live: not removed'),
(NULL, 'type', 'User, or which kind of router or system VM'),
(NULL, 'host_id', 'Host that it runs on, or NULL'),
(ARRAY['all_nic_secondary_ips', 'nic_secondary_ips'], 'id', 'Id of the secondary address'),
(ARRAY['all_nic_secondary_ips', 'nic_secondary_ips'], 'nic_id', 'NIC that has the address beside its own'),
(ARRAY['all_nic_secondary_ips', 'nic_secondary_ips'], 'network_id', 'Network that the NIC is on'),
(ARRAY['all_nics', 'nics'], 'instance_id', 'Instance that the NIC belongs to; NULL for a placeholder'),
(NULL, 'instance_id', 'Id of the instance'),
(ARRAY['all_nics', 'nics'], 'network_id', 'Network that the NIC is on'),
(NULL, 'network_id', 'Id of the network'),
(NULL, 'strategy', 'How the NIC gets its address: Start, Create, Managed or PlaceHolder
At each start of the instance, once, elsewhere; a placeholder parks an address.'),
(NULL, 'reserver_name', 'Who reserves the address (CloudStack: class of the network guru), or NULL'),
(NULL, 'reservation_id', 'Reservation that the address belongs to (CloudStack: one per start), or NULL'),
(NULL, 'vm_type', 'Type of the instance: User, or which kind of router or system VM'),
(NULL, 'device_id', 'Position of the NIC in the instance, from 0, or NULL'),
(ARRAY['all_nics', 'nics'], 'default_nic', 'Is it the instance''s default NIC
Where an INSERT does not say, the first live NIC of an instance becomes it.'),
(NULL, 'default_nic', 'Is it the instance''s default NIC'),
(NULL, 'mac_address', 'MAC address, or NULL'),
(NULL, 'ip4_address', 'IPv4 address, or NULL'),
(NULL, 'ip6_address', 'IPv6 address, or NULL'),
(NULL, 'netmask', 'IPv4 netmask, or NULL'),
(NULL, 'broadcast_uri', 'Where its traffic goes (CloudStack: vlan://300), or NULL'),
(NULL, 'mtu', 'MTU in bytes, or NULL'),
(NULL, 'enabled', 'Is the link up (CloudStack 4.23 and later; true where the source does not say)'),
(NULL, 'state_changed', 'When the state changed last; set by the inventory, a client''s value is ignored
In a mirror: when the source or the import saw the change.'),
(ARRAY['inventory_info'], 'kind', 'managed, mirror, attached or live'),
(ARRAY['inventory_info'], 'source', 'Schema that a mirror is made from; NULL where the inventory is its own source'),
(ARRAY['inventory_info'], 'mode', 'enforce, warn or read_only
enforce: rules are kept; warn: guards warn of what breaks them; read_only: only the import writes, or, where tables are attached, nothing is guarded.'),
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
(NULL, 'allocated', 'Held NICs (not removed) in state Allocated, placeholders included'),
(NULL, 'reserving', 'Held NICs in state Reserving, placeholders included'),
(NULL, 'reserved', 'Held NICs in state Reserved, placeholders included'),
(NULL, 'releasing', 'Held NICs in state Releasing, placeholders included'),
(NULL, 'deallocating', 'Held NICs in state Deallocating: half-removed
They are counted in this column only.'),
(NULL, 'other_states', 'Held NICs whose state is spelled in any other way'),
(NULL, 'used_ip4', 'Distinct IPv4 addresses of active NICs
Those of placeholders and of removed instances are included.'),
(NULL, 'seq', 'Number of the entry: the order in which things happened to a NIC
Gaps mean nothing. The feed relies on its sequence having CACHE 1.'),
(NULL, 'from_state', 'State before'),
(NULL, 'to_state', 'State after; NULL in a mirror: the source has the row no more'),
(NULL, 'event', 'What was asked of the NIC; vmnet.nic_state_transitions() lists the events
Removed: removed was set on a NIC that was Deallocating already. Imported: an import saw the change.'),
(NULL, 'at', 'When it happened, never before the NIC''s previous entry
By clock_timestamp(). In a mirror: when the import that saw it started.'),
(NULL, 'transaction_id', 'Transaction that made the change'),
(NULL, 'session_username', 'Role that had logged in (session_user)'),
(NULL, 'actor', 'Setting vmnet.actor at that time: on whose behalf; NULL where it was not set'),
(NULL, 'reason', 'Setting vmnet.reason at that time; NULL where it was not set'),
(NULL, 'application_name', 'Setting application_name at that time; NULL where it was not set'),
(NULL, 'from_network_id', 'Network before, where an import saw the NIC moved to another one; else NULL'),
(NULL, 'until', 'When the addresses changed'),
(NULL, 'ended', 'When it stopped being active; NULL: it is active
That is when it was removed, or became Deallocating before that.'),
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
None of them is active here.'),
(NULL, 'run', 'Number of the run'),
(NULL, 'source', 'Schema that the run read'),
(NULL, 'status', 'running, done or failed'),
(NULL, 'step', 'What the run is doing, or did last'),
(NULL, 'started', 'When the run started'),
(NULL, 'finished', 'When the run ended; NULL: it has not'),
(NULL, 'backend_pid', 'Process that runs it, as in pg_stat_activity'),
(NULL, 'networks_read', 'Rows read from the source''s networks'),
(NULL, 'instances_read', 'Rows read from the source''s vm_instance'),
(NULL, 'nics_read', 'Rows read from the source''s nics'),
(NULL, 'nic_secondary_ips_read', 'Rows read from the source''s nic_secondary_ips; 0 where it has no such table'),
(NULL, 'rows_inserted', 'Rows that were new'),
(NULL, 'rows_updated', 'Rows that had changed'),
(NULL, 'rows_deleted', 'Rows that the source has no more'),
(NULL, 'rows_rejected', 'Rows of the source that have no place here; import_log says which and why'),
(NULL, 'values_changed', 'Values that had to be changed to be stored; import_log says which and why'),
(NULL, 'message', 'Why the run failed, or NULL'),
(NULL, 'entry', 'Number of the entry'),
(NULL, 'table', 'Table of the source'),
(NULL, 'column', 'Column of the source; NULL: the whole row'),
(NULL, 'original', 'What the source has there, as text'),
(NULL, 'action', 'rejected: the row was left out; changed: the value was stored differently'),
(NULL, 'reason', 'Why')
$comments$;
COMMENT ON FUNCTION vmnet_internal.inventory_column_comments() IS
'Comments of the columns of an inventory, by relation and column; relations NULL: any';
