--
-- Functions that read all rows if the caller may write to the table of NICs, also
-- rows that row-level policies hide; see src/nic/address_check.c.  Ids are NULL if
-- the caller may not see all rows.
--

CREATE FUNCTION vmnet_internal.address_holder(inventory name, network_id bigint, attribute name, address text, nic_id bigint,
	is_user boolean, OUT held boolean, OUT holder_is_user boolean, OUT holder_id bigint)
AS 'MODULE_PATHNAME', 'address_holder'
LANGUAGE C COST 100;
COMMENT ON FUNCTION vmnet_internal.address_holder(name, bigint, name, text, bigint, boolean) IS
'Part of the operations: whether an active NIC of a network has a MAC or IP address, and which one; writers read all rows';

CREATE FUNCTION vmnet_internal.secondary_holder(inventory name, network_id bigint, attribute name, address text,
	OUT held boolean, OUT address_id bigint, OUT holder_id bigint)
AS 'MODULE_PATHNAME', 'secondary_holder'
LANGUAGE C COST 100;
COMMENT ON FUNCTION vmnet_internal.secondary_holder(name, bigint, name, text) IS
'Part of the operations: whether an active NIC has an IP address as a secondary one; writers read all rows';

CREATE FUNCTION vmnet_internal.mac_held(inventory name, mac macaddr)
RETURNS boolean
AS 'MODULE_PATHNAME', 'mac_held'
LANGUAGE C COST 100;
COMMENT ON FUNCTION vmnet_internal.mac_held(name, macaddr) IS
'Part of the operations: whether an active NIC of an inventory has a MAC address; writers read all rows';

CREATE FUNCTION vmnet_internal.free_device(inventory name, instance_id bigint, network_id bigint,
	OUT device_id int, OUT no_default boolean, OUT is_there boolean, OUT there_id bigint)
AS 'MODULE_PATHNAME', 'free_device'
LANGUAGE C COST 100;
COMMENT ON FUNCTION vmnet_internal.free_device(name, bigint, bigint) IS
'Part of the operations: lowest free device position of an instance, and whether it lacks a default NIC and is on a network; '
'writers read all rows';

CREATE FUNCTION vmnet_internal.other_nics(inventory name, instance_id bigint, nic_id bigint,
	OUT others bigint, OUT defaults bigint, OUT another_id bigint)
AS 'MODULE_PATHNAME', 'other_nics'
LANGUAGE C COST 100;
COMMENT ON FUNCTION vmnet_internal.other_nics(name, bigint, bigint) IS
'Part of the operations: number of other active NICs, and of default NICs, of an instance; writers read all rows';
