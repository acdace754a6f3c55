--
-- nic_set_default()
--

-- Refuses the change if a third NIC has the device position that one of the two
-- NICs would get, since a User instance has one NIC per position.
CREATE FUNCTION vmnet_internal.operation_check_swap(inventory name, instance_id bigint, old_id bigint, old_device int,
	new_id bigint, new_device int)
RETURNS boolean
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	third record;
BEGIN
	EXECUTE format('SELECT s.id, s.device_id, n.id AS holder
		FROM (VALUES ($4, $3), ($2, $5)) s (id, device_id)
			JOIN %1$I.all_nics m ON m.id = s.id AND m.vm_type = ''User''
			JOIN %1$I.all_nics n ON n.instance_id = $1 AND n.active AND n.vm_type = ''User'' AND n.device_id = s.device_id AND n.id NOT
				IN ($2, $4)
		ORDER BY s.id <> $4
		LIMIT 1', inventory)
	INTO third USING instance_id, old_id, old_device, new_id, new_device;
	IF third.holder IS NOT NULL THEN
		RETURN vmnet_internal.operation_refuse('23505', inventory, 'all_nics', 'all_nics_one_device',
			format('cannot make NIC %s the default of instance %s', new_id, instance_id),
			format('It would swap device positions with NIC %s, so that NIC %s gets position %s, which NIC %s has.',
				old_id, third.id, third.device_id, third.holder),
			format('Give NIC %1$s another position first: UPDATE %2$I.all_nics SET device_id = ... WHERE id = %1$s;', third.holder,
				inventory));
	END IF;
	RETURN true;
END
$$;
COMMENT ON FUNCTION vmnet_internal.operation_check_swap(name, bigint, bigint, int, bigint, int) IS
'Part of the operations: refuses to swap the device positions of two NICs if a third one has one of them';

-- Makes a live NIC of an instance the default, and swaps its device position with
-- that of the old default.  The unique indexes are checked row by row, so the old
-- default first loses both, and gets the position that is free then at the end.
CREATE FUNCTION vmnet_internal.operation_swap_default(inventory name, instance_id bigint, old_id bigint, old_device int,
	new_id bigint, new_device int)
RETURNS boolean
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	ok boolean;
	rest record;
	written bigint;
BEGIN
	EXECUTE format('UPDATE %I.all_nics SET default_nic = false, device_id = CASE WHEN id = $2 THEN NULL ELSE device_id END
		WHERE instance_id = $1 AND active AND default_nic', inventory)
	USING instance_id, CASE WHEN old_device IS NOT NULL THEN old_id END;
	-- a policy or a trigger may have prevented the change
	rest := vmnet_internal.other_nics(inventory, instance_id, new_id);
	IF rest.defaults > 0 THEN
		IF NOT row_security_active(format('%I.all_nics', inventory)) THEN
			ok := vmnet_internal.operation_done(inventory, 'all_nics', 0);
		END IF;
		ok := vmnet_internal.operation_refuse('42501', inventory, 'all_nics', 'nic_default_hidden',
			format('cannot make NIC %s the default of instance %s', new_id, instance_id),
			'Its default is a NIC that you may not change.',
			'Call the function as a role whose row-level policies allow the change.');
	END IF;
	EXECUTE format('UPDATE %I.all_nics SET default_nic = true, device_id = coalesce($2, device_id) WHERE id = $1', inventory)
	USING new_id, old_device;
	GET DIAGNOSTICS written = ROW_COUNT;
	ok := vmnet_internal.operation_done(inventory, 'all_nics', written);
	IF old_device IS NOT NULL THEN
		EXECUTE format('UPDATE %I.all_nics SET device_id = $2 WHERE id = $1', inventory)
		USING old_id, new_device;
	END IF;
	RETURN true;
END
$$;
COMMENT ON FUNCTION vmnet_internal.operation_swap_default(name, bigint, bigint, int, bigint, int) IS
'Part of the operations: swaps default flag and device position of two NICs';

CREATE FUNCTION vmnet_internal.nic_set_default(nic_id bigint, inventory name)
RETURNS bigint
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	ok boolean;
	resolved name := vmnet_internal.operation_inventory(inventory, 'all_nics');
	nic record;
	vm record;
	old record;
BEGIN
	nic := vmnet_internal.operation_nic(resolved, nic_id, false);
	IF nic.instance_id IS NULL THEN
		ok := vmnet_internal.operation_refuse('22023', resolved, 'all_nics', NULL,
			format('NIC %s belongs to no instance', nic_id), nic.description, 'Only a NIC of an instance can be a default.');
	END IF;
	vm := vmnet_internal.operation_lock_instance(resolved, nic.instance_id, 'NO KEY UPDATE');
	EXECUTE format('SELECT id FROM %I.all_nics WHERE instance_id = $1 AND (active AND default_nic OR id = $2) ORDER BY id FOR NO KEY '
		'UPDATE', resolved)
	USING nic.instance_id, nic_id;
	nic := vmnet_internal.operation_nic(resolved, nic_id, true);
	ok := vmnet_internal.operation_check_live(resolved, nic_id, nic.state, nic.removed, nic.description);
	ok := vmnet_internal.operation_check_instance_state(resolved, nic.instance_id, vm.state);
	IF nic.default_nic THEN
		ok := vmnet_internal.operation_refuse('23514', resolved, 'all_nics', 'nic_default_already',
			format('NIC %s is the default of instance %s already', nic_id, nic.instance_id), nic.description, 'There is nothing to do.');
	END IF;
	EXECUTE format('SELECT id, device_id FROM %I.all_nics WHERE instance_id = $1 AND active AND default_nic ORDER BY device_id, id LIMIT '
		'1', resolved)
	INTO old USING nic.instance_id;
	IF old.device_id IS NOT NULL THEN
		ok := vmnet_internal.operation_check_swap(resolved, nic.instance_id, old.id, old.device_id, nic_id, nic.device_id);
	END IF;
	ok := vmnet_internal.operation_touch(resolved, 'all_instances', nic.instance_id);
	ok := vmnet_internal.operation_swap_default(resolved, nic.instance_id, old.id, old.device_id, nic_id, nic.device_id);
	RETURN old.id;
END
$$;
COMMENT ON FUNCTION vmnet_internal.nic_set_default(bigint, name) IS
'Body of vmnet.nic_set_default(), which switches to the owner of the inventory';

CREATE FUNCTION vmnet.nic_set_default(nic_id bigint, inventory name DEFAULT NULL)
RETURNS bigint
AS 'MODULE_PATHNAME', 'inventory_entry'
LANGUAGE C COST 100;
COMMENT ON FUNCTION vmnet.nic_set_default(bigint, name) IS
'Makes a live NIC the default of its instance; returns the id of the previous default
The two swap device positions, so that the default keeps its place. NULL: the instance had no default; then only the flag is set. The '
'instance must be Running or Stopped. Managed inventories only.
Errors: 22023 for an unknown id or inventory, or a NIC of no instance; 23514 nic_live, nic_default_already, instance_running_or_stopped; '
'23505 all_nics_one_device if a third NIC has one of the two positions; 42501 mirror_read_only, nic_default_hidden.';
