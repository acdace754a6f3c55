--
-- Trigger functions.  An owner's CREATE TRIGGER and a restore need EXECUTE, so
-- PUBLIC has it; each of them checks how and on what it was fired (39P01).
--

CREATE FUNCTION vmnet_internal.nic_prepare()
RETURNS trigger
AS 'MODULE_PATHNAME', 'nic_prepare'
LANGUAGE C;
COMMENT ON FUNCTION vmnet_internal.nic_prepare() IS
'Trigger BEFORE INSERT OR UPDATE on all_nics: sets state_changed, and default_nic where an INSERT does not say
A NULL in an INSERT becomes the default of its column, as with fill_defaults(). A removal at a time within the transaction is dated no '
'earlier than the creation and the last change of state of the NIC, so that removed = now() is always accepted.';

CREATE FUNCTION vmnet_internal.fill_defaults()
RETURNS trigger
AS 'MODULE_PATHNAME', 'fill_defaults'
LANGUAGE C;
COMMENT ON FUNCTION vmnet_internal.fill_defaults() IS
'Trigger BEFORE INSERT on the tables of an inventory: a NULL becomes the default of its column
For columns that the inventory has defined, if they are NOT NULL and have a default; columns that users have added keep their NULL. The '
'default is evaluated as the current user. ON CONFLICT sees the row with the defaults, in EXCLUDED too.';

CREATE FUNCTION vmnet_internal.nic_guard()
RETURNS trigger
AS 'MODULE_PATHNAME', 'nic_guard'
LANGUAGE C;
COMMENT ON FUNCTION vmnet_internal.nic_guard() IS
'Trigger AFTER INSERT OR UPDATE on all_nics: allows only legal states and moves, on parents that are not removed
Errors: 23514 with constraint nic_state_transition, nic_initial_state, nic_identity_immutable, nic_removed_once, nic_strategy_immutable, '
'nic_state_changed, nic_removed_after_changes or nic_removed_read_only; 23503 with nic_parent_active.';

CREATE FUNCTION vmnet_internal.nic_history()
RETURNS trigger
AS 'MODULE_PATHNAME', 'nic_history'
LANGUAGE C;
COMMENT ON FUNCTION vmnet_internal.nic_history() IS
'Trigger AFTER UPDATE on all_nics, for each statement: writes the changes that nic_guard() saw to nic_history
Error: 42501 with constraint inventory_owner where nic_history, or the sequence of its entries, belongs to another role.';

CREATE FUNCTION vmnet_internal.history_guard()
RETURNS trigger
AS 'MODULE_PATHNAME', 'history_guard'
LANGUAGE C;
COMMENT ON FUNCTION vmnet_internal.history_guard() IS
'Trigger BEFORE writes to the tables of history, for each statement: only their owner writes there by hand
Error: 42501 with constraint history_owner_only.';

CREATE FUNCTION vmnet_internal.network_guard()
RETURNS trigger
AS 'MODULE_PATHNAME', 'network_guard'
LANGUAGE C;
COMMENT ON FUNCTION vmnet_internal.network_guard() IS
'Trigger AFTER UPDATE on all_networks: a network is removed once, and only when it holds no NIC
Errors: 23503 with constraint network_in_use; 23514 with network_removed_once, network_removed_after_created or '
'network_removed_after_nics.';

CREATE FUNCTION vmnet_internal.instance_guard()
RETURNS trigger
AS 'MODULE_PATHNAME', 'instance_guard'
LANGUAGE C;
COMMENT ON FUNCTION vmnet_internal.instance_guard() IS
'Trigger AFTER UPDATE on all_instances: an instance is removed once, and only when it holds no NIC
Errors: 23503 with constraint instance_in_use; 23514 with instance_removed_once, instance_removed_after_created or '
'instance_removed_after_nics.';

CREATE FUNCTION vmnet_internal.secondary_ip_guard()
RETURNS trigger
AS 'MODULE_PATHNAME', 'secondary_ip_guard'
LANGUAGE C;
COMMENT ON FUNCTION vmnet_internal.secondary_ip_guard() IS
'Trigger AFTER INSERT OR UPDATE on all_nic_secondary_ips: an address for a live NIC only, removed once
Errors: 23503 with constraint secondary_ip_nic_active; 23514 with secondary_ip_network, secondary_ip_identity_immutable, '
'secondary_ip_removed_once or secondary_ip_removed_after_created; 42501 with inventory_owner.';

CREATE FUNCTION vmnet_internal.nic_secondary_ips_remove()
RETURNS trigger
AS 'MODULE_PATHNAME', 'nic_secondary_ips_remove'
LANGUAGE C;
COMMENT ON FUNCTION vmnet_internal.nic_secondary_ips_remove() IS
'Trigger AFTER UPDATE on all_nics, where a NIC is removed: removes its secondary addresses with it
Errors: 23514 with constraint nic_removed_after_changes where the NIC was given one after the time of the removal; 42501 with '
'inventory_owner where the table that the argument names belongs to another role.';

CREATE FUNCTION vmnet_internal.no_hard_delete()
RETURNS trigger
AS 'MODULE_PATHNAME', 'no_hard_delete'
LANGUAGE C;
COMMENT ON FUNCTION vmnet_internal.no_hard_delete() IS
'Trigger BEFORE DELETE on the tables of an inventory: rows are never deleted by hand
Error: 23001 with constraint no_hard_delete.';

CREATE FUNCTION vmnet_internal.no_truncate()
RETURNS trigger
AS 'MODULE_PATHNAME', 'no_truncate'
LANGUAGE C;
COMMENT ON FUNCTION vmnet_internal.no_truncate() IS
'Trigger BEFORE TRUNCATE on the tables of an inventory: rows are never truncated by hand
Error: 23001 with constraint no_hard_delete.';

CREATE FUNCTION vmnet_internal.mirror_guard()
RETURNS trigger
AS 'MODULE_PATHNAME', 'mirror_guard'
LANGUAGE C;
COMMENT ON FUNCTION vmnet_internal.mirror_guard() IS
'Trigger BEFORE INSERT OR UPDATE on the tables of a mirror: only the import writes to it
Error: 42501 with constraint mirror_read_only; it names the source.';

CREATE FUNCTION vmnet_internal.nic_view_delete()
RETURNS trigger
AS 'MODULE_PATHNAME', 'nic_view_delete'
LANGUAGE C;
COMMENT ON FUNCTION vmnet_internal.nic_view_delete() IS
'Trigger INSTEAD OF DELETE on the view nics: removes the NIC, state Deallocating and removed in one step
Error: 42501 with constraint mirror_read_only in a mirror.';

CREATE FUNCTION vmnet_internal.parent_view_delete()
RETURNS trigger
AS 'MODULE_PATHNAME', 'parent_view_delete'
LANGUAGE C;
COMMENT ON FUNCTION vmnet_internal.parent_view_delete() IS
'Trigger INSTEAD OF DELETE on the views networks and instances: removes the network or instance, which never removes a NIC
Errors: those of network_guard() and instance_guard(), 23503 while NICs are held; 42501 with constraint mirror_read_only in a mirror.';

CREATE FUNCTION vmnet_internal.refuse_shell_table(rel regclass, what text)
RETURNS void
AS 'MODULE_PATHNAME', 'refuse_shell_table'
LANGUAGE C STABLE STRICT PARALLEL SAFE COST 100;
COMMENT ON FUNCTION vmnet_internal.refuse_shell_table(regclass, text) IS
'Part of the functions that read or write rows past the planner: raises an error if those of a table are on another node
what says what cannot be done, as in "cannot ... on this node". Error: 0A000.';

CREATE FUNCTION vmnet_internal.sighting_guard()
RETURNS trigger
AS 'MODULE_PATHNAME', 'sighting_guard'
LANGUAGE C;
COMMENT ON FUNCTION vmnet_internal.sighting_guard() IS
'Trigger BEFORE writes to the tables of what was observed, for each statement: only their owner writes there by hand
Error: 42501 with constraint sightings_owner_only.';
