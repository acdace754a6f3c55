--
-- Reads of history (src/read/history.c).  "from" and "to" are the columns of the
-- views nic_intervals and network_instance_intervals.
--

CREATE FUNCTION vmnet.network_instances_as_of(
	net_id bigint,
	at timestamptz,
	inventory name DEFAULT NULL,
	OUT instance_id bigint,
	OUT instance_uuid uuid,
	OUT instance_name text,
	OUT instance_type text,
	OUT nic_count bigint,
	OUT nic_id bigint,
	OUT "from" timestamptz,
	OUT "to" timestamptz)
RETURNS SETOF record
AS 'MODULE_PATHNAME', 'network_instances_as_of'
LANGUAGE C STABLE PARALLEL RESTRICTED ROWS 100 COST 100;
COMMENT ON FUNCTION vmnet.network_instances_as_of(bigint, timestamptz, name) IS
'Instances that were active on a network at a time, one row each, in the order of their ids
Active: a NIC created by then, not yet removed nor Deallocating, and neither the instance nor the network removed by '
'then; changes made exactly at that time are included, and so are networks that were removed later. nic_count is the number of such NICs '
'of the instance; nic_id, "from" and "to" (NULL: still active) are those of the NIC with the lowest id. Names and types are the present '
'ones.
In a mirror the times are those of the source; a half-removed NIC whose time is unknown is not included, and a move to another network '
'has the time of the import that found it.
No row for NULL or an unknown id. Error: 22023 for an unknown inventory.';

CREATE FUNCTION vmnet.nic_timeline(
	nic_id bigint,
	inventory name DEFAULT NULL,
	OUT seq bigint,
	OUT at timestamptz,
	OUT event text,
	OUT from_state text,
	OUT to_state text,
	OUT network_id bigint,
	OUT instance_id bigint,
	OUT removed timestamptz,
	OUT until timestamptz,
	OUT session_username text,
	OUT actor text,
	OUT reason text,
	OUT application_name text,
	OUT transaction_id bigint)
RETURNS SETOF record
AS 'MODULE_PATHNAME', 'nic_timeline'
LANGUAGE C STABLE PARALLEL RESTRICTED ROWS 10 COST 100;
COMMENT ON FUNCTION vmnet.nic_timeline(bigint, name) IS
'Changes of a NIC from its creation on, in their order
The rows of nic_history, after a row Created (seq NULL; to_state NULL if the first state is unknown); for a NIC that was removed before '
'history began, the last row is Removed (seq NULL). until: time of the next change; NULL: no later change. Of a purged NIC only the rows '
'of nic_history are returned.
No row for NULL or an unknown id. Error: 22023 for an unknown inventory.';

CREATE FUNCTION vmnet.ip_holders(
	address inet,
	"from" timestamptz DEFAULT NULL,
	"to" timestamptz DEFAULT NULL,
	inventory name DEFAULT NULL,
	OUT nic_id bigint, OUT nic_uuid uuid, OUT vm_type text,
	OUT instance_id bigint, OUT instance_uuid uuid, OUT instance_name text,
	OUT network_id bigint, OUT network_name text,
	OUT mac_address macaddr, OUT ip4_address inet, OUT ip6_address inet,
	OUT held_from timestamptz, OUT held_to timestamptz,
	OUT kind text)
RETURNS SETOF record
AS 'MODULE_PATHNAME', 'ip_holders'
LANGUAGE C STABLE PARALLEL RESTRICTED ROWS 10 COST 100;
COMMENT ON FUNCTION vmnet.ip_holders(inet, timestamptz, timestamptz, name) IS
'Who had an IPv4 or IPv6 address at some time between "from" and "to", and when: NICs, and networks and instances by NAT
"to" is exclusive; NULL: no limit; the same time twice means that moment. An address with a prefix length (10.20.0.0/24) means all '
'addresses in it. held_from is inclusive, held_to exclusive (NULL: still held). A NIC has an address while it is active, until it gets '
'another one; placeholders and routers are included. Isolated networks use the same addresses: see network_id.
kind: nic, the address of the NIC itself; secondary, a row of all_nic_secondary_ips: ip4_address and ip6_address are those of this row, '
'mac_address is that of the NIC at held_from; public, an Allocated row of ip_addresses that no live NIC of its networks has: network and '
'instance are those that it is allocated to (NULL: none is known), the columns of NICs are NULL, held_from is the time of the '
'allocation. Who had a public address before is not known.
No row for NULL. Errors: 22023 if "from" is after "to", or for an unknown inventory.';

CREATE FUNCTION vmnet.mac_holders(
	address macaddr,
	"from" timestamptz DEFAULT NULL,
	"to" timestamptz DEFAULT NULL,
	inventory name DEFAULT NULL,
	OUT nic_id bigint, OUT nic_uuid uuid, OUT vm_type text,
	OUT instance_id bigint, OUT instance_uuid uuid, OUT instance_name text,
	OUT network_id bigint, OUT network_name text,
	OUT mac_address macaddr, OUT ip4_address inet, OUT ip6_address inet,
	OUT held_from timestamptz, OUT held_to timestamptz)
RETURNS SETOF record
AS 'MODULE_PATHNAME', 'mac_holders'
LANGUAGE C STABLE PARALLEL RESTRICTED ROWS 10 COST 100;
COMMENT ON FUNCTION vmnet.mac_holders(macaddr, timestamptz, timestamptz, name) IS
'NICs that had a MAC address at some time between "from" and "to", and when
As ip_holders(). No row for NULL. Errors: 22023 if "from" is after "to", or for an unknown inventory.';

CREATE FUNCTION vmnet.nics_stuck_for(
	older_than interval DEFAULT '10 minutes',
	inventory name DEFAULT NULL,
	OUT nic_id bigint,
	OUT nic_uuid uuid,
	OUT network_id bigint,
	OUT instance_id bigint,
	OUT vm_type text,
	OUT state text,
	OUT state_changed timestamptz,
	OUT age interval,
	OUT last_event text,
	OUT session_username text,
	OUT actor text,
	OUT reason text,
	OUT application_name text)
RETURNS SETOF record
AS 'MODULE_PATHNAME', 'nics_stuck_for'
LANGUAGE C STABLE PARALLEL RESTRICTED ROWS 10 COST 100;
COMMENT ON FUNCTION vmnet.nics_stuck_for(interval, name) IS
'NICs that have been Reserving or Releasing for older_than or longer, the oldest first
age: how long it has been in this state. last_event and the columns after it are from its last entry in nic_history; NULL without an '
'entry. A half-removed NIC (Deallocating) is not stuck. No row for NULL. Errors: 22023 for an unknown '
'inventory, and for an older_than of more than 2000 years.';

CREATE FUNCTION vmnet.nic_explain(
	nic_id bigint,
	inventory name DEFAULT NULL,
	OUT rule text,
	OUT verdict boolean,
	OUT value text,
	OUT explanation text)
RETURNS SETOF record
AS 'MODULE_PATHNAME', 'nic_explain'
LANGUAGE C STABLE PARALLEL RESTRICTED ROWS 9 COST 100;
COMMENT ON FUNCTION vmnet.nic_explain(bigint, name) IS
'Conditions for a NIC to be active, one row per rule, with the value that was found
verdict: whether the rule holds; NULL: it does not apply. The last row has its addresses, secondary ones too. For an unknown id there is '
'one row. No row for NULL. Error: 22023 for an unknown inventory.';

CREATE FUNCTION vmnet.network_explain(
	net_id bigint,
	inventory name DEFAULT NULL,
	OUT rule text,
	OUT verdict boolean,
	OUT value text,
	OUT explanation text)
RETURNS SETOF record
AS 'MODULE_PATHNAME', 'network_explain'
LANGUAGE C STABLE PARALLEL RESTRICTED ROWS 9 COST 100;
COMMENT ON FUNCTION vmnet.network_explain(bigint, name) IS
'What is known of a network, one row per rule, with the value that was found
Whether it exists, is removed and since when, whether the source of a mirror still has it and its id had other rows before, how many NICs '
'it holds and has active, how many of these belong to removed instances, how many were purged, as far as history tells, and how many '
'instances are listed on it. verdict: whether the rule holds; NULL: it does not apply. For an unknown id there is one row. No row for '
'NULL. Error: 22023 for an unknown inventory.';
