--
-- nic_event() and nic_remove()
--

-- Returns the events that a state allows, as text for a HINT.
CREATE FUNCTION vmnet_internal.operation_moves(strategy text, state text)
RETURNS text
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
SELECT string_agg(format('%s (to "%s")', t.event, t.to_state), ', ')
FROM vmnet.nic_state_transitions() t WHERE t.strategy = $1 AND t.from_state = $2
$$;
COMMENT ON FUNCTION vmnet_internal.operation_moves(text, text) IS
'Part of the operations: events that a state of a NIC allows, as text for a HINT; NULL: none';

CREATE FUNCTION vmnet_internal.nic_event(nic_id bigint, event text, reason text, inventory name)
RETURNS text
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	ok boolean;
	resolved name := vmnet_internal.operation_inventory(inventory, 'all_nics');
	nic record;
	vm record;
	next_state text;
	reason_before text := current_setting('vmnet.reason');
	written bigint;
BEGIN
	nic := vmnet_internal.operation_nic(resolved, nic_id, false);
	-- only this event changes which NICs an instance has
	IF event = 'RemoveRequested' AND nic.instance_id IS NOT NULL THEN
		vm := vmnet_internal.operation_lock_instance(resolved, nic.instance_id, 'NO KEY UPDATE');
		ok := vmnet_internal.operation_touch(resolved, 'all_instances', nic.instance_id);
	END IF;
	nic := vmnet_internal.operation_nic(resolved, nic_id, true);

	-- raises an error for an unknown event
	next_state := vmnet.nic_next_state(nic.state, coalesce(event, 'NULL'), nic.strategy);
	IF next_state IS NULL THEN
		ok := vmnet_internal.operation_refuse('23514', resolved, 'all_nics', 'nic_state_transition',
			format('event "%s" is not allowed for NIC %s in state "%s"', event, nic_id, nic.state),
			nic.description,
			coalesce('Allowed events: ' || vmnet_internal.operation_moves(nic.strategy, nic.state)
				|| '; see vmnet.nic_state_transitions().',
				CASE WHEN nic.removed IS NULL THEN 'It is half-removed; once its address is free, finish it: '
					|| vmnet_internal.operation_call(resolved, 'nic_remove', nic_id::text)
					ELSE 'A removed NIC stays removed. Add a new NIC instead.' END));
	END IF;

	-- event and reason that nic_history records for the next statement; they are in
	-- the memory of this backend, so the table must be on this node
	PERFORM vmnet_internal.refuse_shell_table(format('%I.all_nics', resolved)::regclass,
		format('move a NIC of inventory "%s" by an event', resolved));
	PERFORM vmnet_internal.set_next_nic_event(nic_id, event);
	PERFORM set_config('vmnet.reason', coalesce(reason, reason_before), true);
	EXECUTE format('UPDATE %I.all_nics SET state = $2 WHERE id = $1', resolved) USING nic_id, next_state;
	GET DIAGNOSTICS written = ROW_COUNT;
	PERFORM set_config('vmnet.reason', reason_before, true);
	ok := vmnet_internal.operation_done(resolved, 'all_nics', written);
	RETURN next_state;
END
$$;
COMMENT ON FUNCTION vmnet_internal.nic_event(bigint, text, text, name) IS
'Body of vmnet.nic_event(), which switches to the owner of the inventory';

CREATE FUNCTION vmnet.nic_event(nic_id bigint, event text, reason text DEFAULT NULL, inventory name DEFAULT NULL)
RETURNS text
AS 'MODULE_PATHNAME', 'inventory_entry'
LANGUAGE C COST 100;
COMMENT ON FUNCTION vmnet.nic_event(bigint, text, text, name) IS
'Moves a NIC by an event of the state machine; returns its new state
nic_history records the event, and the reason, by default that of the setting vmnet.reason. The moves are those of '
'vmnet.nic_state_transitions() for the strategy of the NIC. RemoveRequested leaves it half-removed, for a removal in two steps, whether '
'it is a default or not: nic_remove() finishes it. Managed inventories only.
Errors: 22023 for an unknown id, event or inventory; 23514 nic_state_transition for an event that the state does not allow; '
'42501 mirror_read_only.';

-- Refuses to remove a NIC that a User instance needs: its default while it has
-- others, or any while another operation on the instance is in progress.
CREATE FUNCTION vmnet_internal.operation_check_removal(inventory name, nic_id bigint, instance_id bigint, state text, default_nic boolean)
RETURNS boolean
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	rest record;
	forced text := vmnet_internal.operation_call(inventory, 'nic_remove', nic_id || ', force => true');
BEGIN
	IF state IN ('Starting', 'Stopping', 'Migrating', 'Restoring') THEN
		RETURN vmnet_internal.operation_refuse('23514', inventory, 'all_nics', 'instance_in_transition',
			format('cannot remove NIC %s while instance %s is %s', nic_id, instance_id, state),
			'The operation in progress on the instance may use the NIC.',
			'Wait until it is Running or Stopped, or force the removal: ' || forced);
	END IF;
	IF NOT default_nic THEN
		RETURN true;
	END IF;
	rest := vmnet_internal.other_nics(inventory, instance_id, nic_id);
	IF rest.others > 0 THEN
		RETURN vmnet_internal.operation_refuse('23514', inventory, 'all_nics', 'nic_default_needed',
			format('cannot remove NIC %s: it is the default of instance %s', nic_id, instance_id),
			format('The instance has %s, and needs a default.', CASE rest.others WHEN 1 THEN 'another NIC' ELSE rest.others
				|| ' other NICs' END),
			format('Choose another default first%s force the removal: %s',
				CASE WHEN rest.another_id IS NULL THEN ', or'
					ELSE format(': %s Or', vmnet_internal.operation_call(inventory, 'nic_set_default', rest.another_id::text)) END,
						forced));
	END IF;
	RETURN true;
END
$$;
COMMENT ON FUNCTION vmnet_internal.operation_check_removal(name, bigint, bigint, text, boolean) IS
'Part of the operations: refuses to remove a NIC that a User instance still needs';

CREATE FUNCTION vmnet_internal.nic_remove(nic_id bigint, force boolean, inventory name)
RETURNS boolean
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	ok boolean;
	resolved name := vmnet_internal.operation_inventory(inventory, 'all_nics');
	nic record;
	vm record;
	written bigint;
BEGIN
	nic := vmnet_internal.operation_nic(resolved, nic_id, false);
	IF nic.removed IS NOT NULL THEN
		RETURN false;
	END IF;
	IF nic.instance_id IS NOT NULL THEN
		vm := vmnet_internal.operation_lock_instance(resolved, nic.instance_id, 'NO KEY UPDATE');
	END IF;
	nic := vmnet_internal.operation_nic(resolved, nic_id, true);
	IF nic.removed IS NOT NULL THEN
		RETURN false;
	END IF;

	-- a removal that stopped half-way is only completed
	IF nic.state <> 'Deallocating' AND force IS NOT TRUE AND nic.instance_id IS NOT NULL THEN
		IF vm.type = 'User' THEN
			ok := vmnet_internal.operation_check_removal(resolved, nic_id, nic.instance_id, vm.state, nic.default_nic);
		END IF;
	END IF;
	ok := vmnet_internal.operation_touch(resolved, 'all_instances', nic.instance_id);
	EXECUTE format('UPDATE %I.all_nics SET state = ''Deallocating'', removed = greatest($2, created) WHERE id = $1', resolved)
	USING nic_id, clock_timestamp();
	GET DIAGNOSTICS written = ROW_COUNT;
	ok := vmnet_internal.operation_done(resolved, 'all_nics', written);
	RETURN true;
END
$$;
COMMENT ON FUNCTION vmnet_internal.nic_remove(bigint, boolean, name) IS
'Body of vmnet.nic_remove(), which switches to the owner of the inventory';

CREATE FUNCTION vmnet.nic_remove(nic_id bigint, force boolean DEFAULT false, inventory name DEFAULT NULL)
RETURNS boolean
AS 'MODULE_PATHNAME', 'inventory_entry'
LANGUAGE C COST 100;
COMMENT ON FUNCTION vmnet.nic_remove(bigint, boolean, name) IS
'Removes a NIC, in one step; returns false if it was removed already
Its row stays for history, its addresses and its device position are free. A half-removed NIC is finished. Refused for the default NIC of '
'a User instance that has others, and while a User instance is Starting, Stopping, Migrating or Restoring, unless force is true; an '
'instance that has lost its default so gets one by nic_set_default(), or with the next nic_add(). Managed inventories only.
Errors: 22023 for an unknown id or inventory; 23514 nic_default_needed, instance_in_transition; 42501 mirror_read_only.';
