--
-- Codes of check_inventory()
--

CREATE FUNCTION vmnet.check_codes()
RETURNS TABLE (ord int, code text, severity text, about text)
LANGUAGE sql IMMUTABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $codes$
VALUES
(1, 'inventory_incomplete', 'error', 'a relation that an inventory of this kind consists of is not there, or its rows cannot be checked; nothing else is looked for then'),
(2, 'owner_differs', 'error', 'a relation of the inventory, or its schema, belongs to another role than all_nics; functions and guards refuse to read such a relation'),
(3, 'guard_missing', 'error', 'a guard of the inventory, or of a table that inherits from one of its tables, is not there or fires at other times than it should'),
(4, 'guard_disabled', 'error', 'a guard, or a trigger of a foreign key, is there but disabled'),
(5, 'rule_missing', 'error', 'a constraint or unique index of the inventory''s definition is not there, is not validated, can be deferred or says something else'),
(6, 'index_missing', 'error', 'an index of the inventory''s definition is not there, is invalid or is on something else'),
(7, 'column_differs', 'error', 'a column of the inventory''s definition is not there, has another type or generation expression, or lacks NOT NULL'),
(8, 'view_differs', 'error', 'a view of the inventory''s definition is not there, lacks columns, or reads with the rights of its owner where it should read with those of its reader'),
(9, 'table_differs', 'error', 'a table of the inventory''s definition is not there, is unlogged, or has a rule, which rewrites what is written to it'),
(10, 'half_removed_nic', 'error', 'NIC held and Deallocating, whatever the case of the letters, for min_age or longer: a removal that stopped half-way'),
(11, 'live_nic_on_removed_instance', 'error', 'NIC held although its instance is removed'),
(12, 'live_nic_on_removed_network', 'error', 'NIC held although its network is removed'),
(13, 'duplicate_live_mac', 'error', 'active User NIC with the MAC address of another one on the same network'),
(14, 'duplicate_live_ip4', 'error', 'active User NIC with the IPv4 address of another one on the same network'),
(15, 'duplicate_live_ip6', 'error', 'active User NIC with the IPv6 address of another one on the same network'),
(16, 'duplicate_device_id', 'error', 'active User NIC with the device_id of another one of the same instance; not where one device moves from network to network, with its MAC address, in a network migration'),
(17, 'user_ip_held_by_other', 'error', 'active User NIC with an address that a router or a placeholder holds on the same network'),
(18, 'default_nic_double', 'error', 'instance, not removed, with two or more active default NICs'),
(19, 'history_chain_broken', 'error', 'NIC whose history has a gap: a state is not the one that the entry before it left, or, in a managed inventory, the last one is not the NIC''s'),
(20, 'removed_nic_wrong_state', 'warning', 'NIC removed, but its state is not Deallocating, whatever the case of the letters'),
(21, 'stuck_nic', 'warning', 'NIC held and in Reserving or Releasing, exactly spelled, for min_age or longer'),
(22, 'unknown_state', 'warning', 'NIC, removed or not, whose state is not exactly one of the five'),
(23, 'default_nic_missing', 'warning', 'instance, not removed, with active NICs but no default one'),
(24, 'counter_drift', 'warning', 'network, removed or not, whose nics_count is not the number of its held User NICs in exactly Reserved'),
(25, 'ip_outside_cidr', 'warning', 'active NIC whose IPv4 address is outside the network''s network_cidr, or its cidr where it has none'),
(26, 'missing_uuid', 'info', 'NIC, instance or network without a uuid'),
(27, 'nic_parent_missing', 'error', 'NIC held although there is no such network or instance; in attached tables without foreign keys')
$codes$;
COMMENT ON FUNCTION vmnet.check_codes() IS
'Codes of the findings of check_inventory(), with their severities and what they mean
ord is the order in which check_inventory() has them.';
