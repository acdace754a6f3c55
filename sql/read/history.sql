--
-- Reads that remember (src/read/history.c).  "from" and "to" are the columns of the
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
LANGUAGE C STABLE PARALLEL RESTRICTED ROWS 100;
COMMENT ON FUNCTION vmnet.network_instances_as_of(bigint, timestamptz, name) IS
'Instances that were active on a network at a time: one row each, in the order of their ids
Active: a NIC created by then, not yet removed nor Deallocating, and neither the instance nor the network removed by then; what was written exactly at that time has happened. A network that has been removed since still answers. nic_count says how many such NICs it had there; nic_id, "from" and "to" (NULL: it still is) are of the one with the lowest id. Names and types are those of today.
In a mirror the times are the source''s; a half-removed NIC whose time nobody knows was never there, and a move to another network counts from the import that saw it.
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
LANGUAGE C STABLE PARALLEL RESTRICTED ROWS 10;
COMMENT ON FUNCTION vmnet.nic_timeline(bigint, name) IS
'What happened to a NIC, from its creation on, in order
The rows of nic_history, after a row Created (seq NULL; to_state NULL where the first state is not known); a NIC that was removed before history began ends with a row Removed (seq NULL). until: when the next thing happened; NULL: nothing has since. Of a purged NIC only nic_history is left.
No row for NULL or an unknown id. Error: 22023 for an unknown inventory.';

CREATE FUNCTION vmnet.ip_holders(
	address inet,
	"from" timestamptz DEFAULT NULL,
	"to" timestamptz DEFAULT NULL,
	inventory name DEFAULT NULL,
	OUT nic_id bigint,
	OUT nic_uuid uuid,
	OUT vm_type text,
	OUT instance_id bigint,
	OUT instance_uuid uuid,
	OUT instance_name text,
	OUT network_id bigint,
	OUT network_name text,
	OUT mac_address macaddr,
	OUT ip4_address inet,
	OUT ip6_address inet,
	OUT held_from timestamptz,
	OUT held_to timestamptz)
RETURNS SETOF record
AS 'MODULE_PATHNAME', 'ip_holders'
LANGUAGE C STABLE PARALLEL RESTRICTED ROWS 10;
COMMENT ON FUNCTION vmnet.ip_holders(inet, timestamptz, timestamptz, name) IS
'NICs that had an IPv4 or IPv6 address at some time between "from" and "to", and when
"to" is not included; NULL: no such end; the same time twice asks for that moment. An address with a prefix length (10.20.0.0/24) asks for all addresses in it. held_from is included, held_to (NULL: it still has it) is not. A NIC has an address while it is active, and until it is given another one; placeholders and routers are there. Isolated networks use the same addresses: see network_id.
No row for NULL. Errors: 22023 where "from" is after "to", or for an unknown inventory.';

CREATE FUNCTION vmnet.mac_holders(
	address macaddr,
	"from" timestamptz DEFAULT NULL,
	"to" timestamptz DEFAULT NULL,
	inventory name DEFAULT NULL,
	OUT nic_id bigint,
	OUT nic_uuid uuid,
	OUT vm_type text,
	OUT instance_id bigint,
	OUT instance_uuid uuid,
	OUT instance_name text,
	OUT network_id bigint,
	OUT network_name text,
	OUT mac_address macaddr,
	OUT ip4_address inet,
	OUT ip6_address inet,
	OUT held_from timestamptz,
	OUT held_to timestamptz)
RETURNS SETOF record
AS 'MODULE_PATHNAME', 'mac_holders'
LANGUAGE C STABLE PARALLEL RESTRICTED ROWS 10;
COMMENT ON FUNCTION vmnet.mac_holders(macaddr, timestamptz, timestamptz, name) IS
'NICs that had a MAC address at some time between "from" and "to", and when
As ip_holders(). No row for NULL. Errors: 22023 where "from" is after "to", or for an unknown inventory.';

CREATE FUNCTION vmnet.stuck_nics(
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
AS 'MODULE_PATHNAME', 'stuck_nics'
LANGUAGE C STABLE PARALLEL RESTRICTED ROWS 10;
COMMENT ON FUNCTION vmnet.stuck_nics(interval, name) IS
'NICs that have been Reserving or Releasing for older_than or longer, the oldest first
age: how long it has been in this state. last_event and what follows is from its last entry in nic_history; NULL where it has none. A half-removed NIC (Deallocating) is not stuck. No row for NULL. Error: 22023 for an unknown inventory.';

CREATE FUNCTION vmnet.nic_explain(
	nic_id bigint,
	inventory name DEFAULT NULL,
	OUT rule text,
	OUT verdict boolean,
	OUT value text,
	OUT explanation text)
RETURNS SETOF record
AS 'MODULE_PATHNAME', 'nic_explain'
LANGUAGE C STABLE PARALLEL RESTRICTED ROWS 8;
COMMENT ON FUNCTION vmnet.nic_explain(bigint, name) IS
'Why a NIC counts as active, or does not: one row per rule, with the value that was seen
verdict: does the rule hold; NULL: it does not apply. For an unknown id there is one row, which says so. No row for NULL. Error: 22023 for an unknown inventory.';
