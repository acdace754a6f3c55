--
-- Reads (src/read/active.c), and planner support functions for their row estimates
--

CREATE FUNCTION vmnet_internal.network_read_support(internal)
RETURNS internal
AS 'MODULE_PATHNAME', 'network_read_support'
LANGUAGE C STRICT;
COMMENT ON FUNCTION vmnet_internal.network_read_support(internal) IS
'Planner support: rows of a read function whose argument is a network';

CREATE FUNCTION vmnet_internal.instance_read_support(internal)
RETURNS internal
AS 'MODULE_PATHNAME', 'instance_read_support'
LANGUAGE C STRICT;
COMMENT ON FUNCTION vmnet_internal.instance_read_support(internal) IS
'Planner support: rows of a read function whose argument is an instance';

CREATE FUNCTION vmnet_internal.vpc_read_support(internal)
RETURNS internal
AS 'MODULE_PATHNAME', 'vpc_read_support'
LANGUAGE C STRICT;
COMMENT ON FUNCTION vmnet_internal.vpc_read_support(internal) IS
'Planner support: rows of a read function whose argument is a VPC';

REVOKE ALL ON FUNCTION vmnet_internal.network_read_support(internal) FROM PUBLIC;
REVOKE ALL ON FUNCTION vmnet_internal.instance_read_support(internal) FROM PUBLIC;
REVOKE ALL ON FUNCTION vmnet_internal.vpc_read_support(internal) FROM PUBLIC;

CREATE FUNCTION vmnet.network_active_instances(
	net_id bigint,
	after_instance_id bigint DEFAULT NULL,
	page_size int DEFAULT NULL,
	inventory name DEFAULT NULL,
	OUT instance_id bigint,
	OUT instance_uuid uuid,
	OUT instance_name text,
	OUT instance_type text,
	OUT instance_state text,
	OUT nic_count bigint,
	OUT nic_id bigint,
	OUT nic_state text,
	OUT device_id int,
	OUT default_nic boolean,
	OUT mac_address macaddr,
	OUT ip4_address inet,
	OUT ip6_address inet)
RETURNS SETOF record
AS 'MODULE_PATHNAME', 'network_active_instances'
LANGUAGE C STABLE PARALLEL RESTRICTED COST 100
SUPPORT vmnet_internal.network_read_support;
COMMENT ON FUNCTION vmnet.network_active_instances(bigint, bigint, int, name) IS
'Instances that are active on a network, one row each, in the order of their ids
Active: at least one active NIC there (not removed, not Deallocating), and neither the instance nor the network removed; every instance '
'type and state. nic_count is the number of active NICs of the instance there; the other columns are those of the NIC with the lowest '
'device_id (NULLs last), then of the lowest id.
after_instance_id and page_size select a page: the first page_size instances whose id is greater; NULL: from the first, no limit.
No row for NULL, an unknown id or a removed network. Errors: 22023 for an unknown inventory or a negative page_size.';

CREATE FUNCTION vmnet.network_active_nics(
	net_id bigint,
	inventory name DEFAULT NULL,
	OUT nic_id bigint,
	OUT nic_uuid uuid,
	OUT nic_state text,
	OUT vm_type text,
	OUT instance_id bigint,
	OUT instance_uuid uuid,
	OUT instance_name text,
	OUT instance_type text,
	OUT instance_state text,
	OUT device_id int,
	OUT default_nic boolean,
	OUT mac_address macaddr,
	OUT ip4_address inet,
	OUT ip6_address inet,
	OUT created timestamptz,
	OUT state_changed timestamptz)
RETURNS SETOF record
AS 'MODULE_PATHNAME', 'network_active_nics'
LANGUAGE C STABLE PARALLEL RESTRICTED COST 100
SUPPORT vmnet_internal.network_read_support;
COMMENT ON FUNCTION vmnet.network_active_nics(bigint, name) IS
'Active NICs of a network, in the order of their ids
Placeholders, which have no instance, are included; NICs of removed instances are not. No row for NULL, an unknown id or a removed '
'network. '
'Error: 22023 for an unknown inventory.';

CREATE FUNCTION vmnet.instance_active_networks(
	instance_id bigint,
	inventory name DEFAULT NULL,
	OUT network_id bigint,
	OUT network_uuid uuid,
	OUT network_name text,
	OUT network_state text,
	OUT traffic_type text,
	OUT guest_type text,
	OUT nic_count bigint,
	OUT nic_id bigint,
	OUT nic_state text,
	OUT device_id int,
	OUT default_nic boolean,
	OUT mac_address macaddr,
	OUT ip4_address inet,
	OUT ip6_address inet)
RETURNS SETOF record
AS 'MODULE_PATHNAME', 'instance_active_networks'
LANGUAGE C STABLE PARALLEL RESTRICTED COST 100
SUPPORT vmnet_internal.instance_read_support;
COMMENT ON FUNCTION vmnet.instance_active_networks(bigint, name) IS
'Networks that an instance is active on, one row each, in the order of their ids
No row for NULL, an unknown id or a removed instance; removed networks are left out. Error: 22023 for an unknown inventory.';

CREATE FUNCTION vmnet.vpc_active_instances(
	vpc_id bigint,
	inventory name DEFAULT NULL,
	OUT instance_id bigint,
	OUT instance_uuid uuid,
	OUT instance_name text,
	OUT instance_type text,
	OUT instance_state text,
	OUT network_count bigint,
	OUT nic_count bigint)
RETURNS SETOF record
AS 'MODULE_PATHNAME', 'vpc_active_instances'
LANGUAGE C STABLE PARALLEL RESTRICTED COST 100
SUPPORT vmnet_internal.vpc_read_support;
COMMENT ON FUNCTION vmnet.vpc_active_instances(bigint, name) IS
'Instances that are active on at least one live network of a VPC, one row each, in the order of their ids
See CloudStack issue 10188. No row for NULL or an unknown VPC. Error: 22023 for an unknown inventory.';

CREATE FUNCTION vmnet.network_active_instance_count(net_id bigint, inventory name DEFAULT NULL)
RETURNS bigint
AS 'MODULE_PATHNAME', 'network_active_instance_count'
LANGUAGE C STABLE PARALLEL RESTRICTED COST 100;
COMMENT ON FUNCTION vmnet.network_active_instance_count(bigint, name) IS
'Number of instances that are active on a network, the number of rows of network_active_instances()
0 for NULL, an unknown id or a removed network. Error: 22023 for an unknown inventory.';

CREATE FUNCTION vmnet.network_in_use(net_id bigint, inventory name DEFAULT NULL)
RETURNS boolean
AS 'MODULE_PATHNAME', 'network_in_use'
LANGUAGE C STABLE PARALLEL RESTRICTED COST 100;
COMMENT ON FUNCTION vmnet.network_in_use(bigint, name) IS
'Whether a live network has a held NIC, so that its removal would be refused
Half-removed NICs and placeholders count, since their addresses may be in use. false for NULL, an unknown id or a removed network. Error: '
'22023 for an unknown inventory.';

CREATE FUNCTION vmnet.network_id(uuid uuid, inventory name DEFAULT NULL)
RETURNS bigint
AS 'MODULE_PATHNAME', 'network_id'
LANGUAGE C STABLE PARALLEL RESTRICTED COST 100;
COMMENT ON FUNCTION vmnet.network_id(uuid, name) IS
'Id of the live network that has a uuid; NULL if there is none
Error: 22023 for an unknown inventory.';

CREATE FUNCTION vmnet.instance_id(uuid uuid, inventory name DEFAULT NULL)
RETURNS bigint
AS 'MODULE_PATHNAME', 'instance_id'
LANGUAGE C STABLE PARALLEL RESTRICTED COST 100;
COMMENT ON FUNCTION vmnet.instance_id(uuid, name) IS
'Id of the live instance that has a uuid; NULL if there is none
Error: 22023 for an unknown inventory.';

CREATE FUNCTION vmnet.network_id(network text, inventory name DEFAULT NULL)
RETURNS bigint
AS 'MODULE_PATHNAME', 'network_id_of_text'
LANGUAGE C STABLE PARALLEL RESTRICTED COST 100;
COMMENT ON FUNCTION vmnet.network_id(text, name) IS
'Id of the live network that a text means by its id, uuid or name; NULL if there is none
Names are compared exactly. In managed and mirror inventories an index finds them; otherwise all live networks are read. Errors: 22023 '
'with constraint ambiguous_name where several live networks are meant, also where it is the id of one and the name of another one (DETAIL '
'has their ids and uuids, unless row-level security is active for the caller), and 22023 for an unknown inventory.';

CREATE FUNCTION vmnet.instance_id(instance text, inventory name DEFAULT NULL)
RETURNS bigint
AS 'MODULE_PATHNAME', 'instance_id_of_text'
LANGUAGE C STABLE PARALLEL RESTRICTED COST 100;
COMMENT ON FUNCTION vmnet.instance_id(text, name) IS
'Id of the live instance that a text means by its id, uuid or name; NULL if there is none
Names are compared exactly. In managed and mirror inventories an index finds them; otherwise all live instances are read. Errors: 22023 '
'with constraint ambiguous_name where several live instances are meant, also where it is the id of one and the name of another one (DETAIL '
'has their ids and uuids, unless row-level security is active for the caller), and 22023 for an unknown inventory.';
