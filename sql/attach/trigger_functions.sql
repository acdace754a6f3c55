--
-- Trigger functions for attached tables (src/attach/attached_guard.c).  They check
-- how and on what they are fired (39P01), as those of a managed inventory do.
--

CREATE FUNCTION vmnet_internal.attached_nic_guard()
RETURNS trigger
AS 'MODULE_PATHNAME', 'attached_nic_guard'
LANGUAGE C;
COMMENT ON FUNCTION vmnet_internal.attached_nic_guard() IS
'Trigger AFTER INSERT OR UPDATE on an attached table of NICs: judges a row as the inventory named by its argument reads it
In mode enforce errors, in mode warn warnings: 23514 with constraint nic_initial_state, nic_state_transition, nic_identity_immutable or '
'nic_removed_once; 23503 with nic_parent_active.';

CREATE FUNCTION vmnet_internal.attached_nic_history()
RETURNS trigger
AS 'MODULE_PATHNAME', 'attached_nic_history'
LANGUAGE C;
COMMENT ON FUNCTION vmnet_internal.attached_nic_history() IS
'Trigger AFTER UPDATE on an attached table of NICs, for each statement: writes what attached_nic_guard() saw to nic_history';

CREATE FUNCTION vmnet_internal.attached_network_guard()
RETURNS trigger
AS 'MODULE_PATHNAME', 'attached_network_guard'
LANGUAGE C;
COMMENT ON FUNCTION vmnet_internal.attached_network_guard() IS
'Trigger AFTER UPDATE OR DELETE on an attached table of networks: removed once, and only when no NIC is held
In mode enforce errors, in mode warn warnings: 23503 with constraint network_in_use, 23514 with network_removed_once.';

CREATE FUNCTION vmnet_internal.attached_instance_guard()
RETURNS trigger
AS 'MODULE_PATHNAME', 'attached_instance_guard'
LANGUAGE C;
COMMENT ON FUNCTION vmnet_internal.attached_instance_guard() IS
'Trigger AFTER UPDATE OR DELETE on an attached table of instances: removed once, and only when no NIC is held
In mode enforce errors, in mode warn warnings: 23503 with constraint instance_in_use, 23514 with instance_removed_once.';

CREATE FUNCTION vmnet_internal.attached_no_delete()
RETURNS trigger
AS 'MODULE_PATHNAME', 'attached_no_delete'
LANGUAGE C;
COMMENT ON FUNCTION vmnet_internal.attached_no_delete() IS
'Trigger BEFORE DELETE (each row) or TRUNCATE on an attached table whose rows are removed softly
In mode enforce an error, in mode warn a warning: 23001 with constraint no_hard_delete.';

CREATE FUNCTION vmnet_internal.attached_view_write()
RETURNS trigger
AS 'MODULE_PATHNAME', 'attached_view_write'
LANGUAGE C;
COMMENT ON FUNCTION vmnet_internal.attached_view_write() IS
'Trigger INSTEAD OF writes to the views of an attached inventory: refuses, and names the table to write to
Error: 42501 with constraint attached_view_read_only.';

CREATE FUNCTION vmnet_internal.attached_nic_notify()
RETURNS trigger
AS 'MODULE_PATHNAME', 'attached_nic_notify'
LANGUAGE C;
COMMENT ON FUNCTION vmnet_internal.attached_nic_notify() IS
'Trigger AFTER writes on an attached table of NICs, for each statement, made by set_inventory_notify(): tells those who listen which NICs '
'changed';
