--
-- Operations on NICs, instances and networks of a managed inventory, each of them
-- atomic.  They run with the rights that src/core/entry.c has switched to, and use
-- no other rights, except for the functions in address_check.sql.
--

-- Locks are taken in the order of the guards: network, then instance, then NICs by
-- id.  So operations cannot deadlock with each other.
--
-- A lock makes a transaction with one snapshot (REPEATABLE READ) wait, but does not
-- refresh the snapshot.  So an operation that changes which NICs an instance has,
-- or which addresses of a network are in use, also updates the locked row without
-- a change.  Then such a transaction fails with 40001 and can be retried.

-- Raises the error of a refused operation.  The checks below return true or raise
-- an error.
CREATE FUNCTION vmnet_internal.operation_refuse(state text, inventory name, relation name, rule name,
	message text, detail text, hint text)
RETURNS boolean
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	RAISE EXCEPTION USING
		ERRCODE = state, SCHEMA = inventory, TABLE = relation, CONSTRAINT = coalesce(rule, ''),
		MESSAGE = message, DETAIL = detail, HINT = hint;
END
$$;
COMMENT ON FUNCTION vmnet_internal.operation_refuse(text, name, name, name, text, text, text) IS
'Part of the operations: raises an error with SQLSTATE, schema, table, constraint, DETAIL and HINT';

-- Returns the inventory of a call; raises an error if it is not a managed one.
CREATE FUNCTION vmnet_internal.operation_inventory(inventory name, relation name)
RETURNS name
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	ok boolean;
	resolved name;
	kind text;
	source text;
BEGIN
	resolved := vmnet_internal.resolve_inventory(inventory);
	SELECT l.kind, coalesce('"' || l.source || '"', 'the system that it mirrors') INTO kind, source
	FROM vmnet_internal.inventory_facts(resolved) l;

	IF kind = 'mirror' THEN
		ok := vmnet_internal.operation_refuse('42501', resolved, relation, 'mirror_read_only',
			format('cannot operate on inventory "%s": it is a mirror', resolved),
			format('It holds what %s holds; only the import can write to it.', source),
			format('Make the change at the source, %s, and run vmnet.import_cloudstack() again.', source));
	ELSIF kind IS DISTINCT FROM 'managed' THEN
		ok := vmnet_internal.operation_refuse('22023', resolved, relation, NULL,
			format('cannot operate on inventory "%s": it is not a managed one', resolved),
			coalesce(format('It is of kind %s.', kind), 'Its view inventory_info does not say of which kind it is.'),
			'Make the change with the application that its tables belong to. '
			'The view vmnet.inventories shows the kind of each inventory.');
	END IF;
	RETURN resolved;
END
$$;
COMMENT ON FUNCTION vmnet_internal.operation_inventory(name, name) IS
'Part of the operations: resolves the inventory and refuses one that is not managed';

-- Returns a call for a HINT; it names the inventory unless that is the default.
CREATE FUNCTION vmnet_internal.operation_call(resolved name, function name, arguments text)
RETURNS text
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
SELECT format('SELECT vmnet.%s(%s%s);', function, arguments,
	CASE WHEN resolved <> current_setting('vmnet.inventory')::name THEN format(', inventory => %L', resolved) END)
$$;
COMMENT ON FUNCTION vmnet_internal.operation_call(name, name, text) IS
'Part of the operations: a complete statement for a HINT';

-- Raises the error for an unknown id of a network, instance or NIC.
CREATE FUNCTION vmnet_internal.operation_unknown(inventory name, noun text, id bigint)
RETURNS boolean
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	plural text := lower(noun) || 's';
BEGIN
	RETURN vmnet_internal.operation_refuse('22023', inventory, ('all_' || plural)::name, NULL,
		format('%s %s does not exist', noun, coalesce(id::text, 'NULL')),
		CASE WHEN id IS NULL THEN format('The id of the %s is NULL.', noun)
			ELSE format('Inventory "%s" has no %s with this id, not even a removed one.', inventory, noun) END,
		format('The view %I.%s lists those that are live%s.', inventory, plural,
			CASE WHEN noun <> 'NIC' THEN format('; vmnet.%s_id() finds the id for a uuid', noun) END));
END
$$;
COMMENT ON FUNCTION vmnet_internal.operation_unknown(name, text, bigint) IS
'Part of the operations: raises the error for an unknown id';

-- Locks a network, and returns its columns as they are under the lock.  subnets and
-- gateways are those that its addresses can be of.
CREATE FUNCTION vmnet_internal.operation_lock_network(inventory name, network_id bigint, lock text,
	OUT id bigint, OUT state text, OUT guest_type text, OUT zone_id bigint, OUT subnets cidr[], OUT gateways inet[],
	OUT removed timestamptz)
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	ok boolean;
BEGIN
	EXECUTE replace(format('SELECT w.id, w.state, w.guest_type, w.zone_id, %s, %s, w.removed
		FROM {inv}.all_networks w WHERE w.id = $1 FOR %s OF w',
		vmnet_internal.network_subnets('w'), vmnet_internal.network_gateways('w'), lock), '{inv}', quote_ident(inventory))
	INTO id, state, guest_type, zone_id, subnets, gateways, removed USING network_id;
	IF id IS NULL THEN
		ok := vmnet_internal.operation_unknown(inventory, 'network', network_id);
	END IF;
END
$$;
COMMENT ON FUNCTION vmnet_internal.operation_lock_network(name, bigint, text) IS
'Part of the operations: locks a network (KEY SHARE, NO KEY UPDATE, UPDATE) and returns its columns';

-- Locks an instance, and returns its columns as they are under the lock.
CREATE FUNCTION vmnet_internal.operation_lock_instance(inventory name, instance_id bigint, lock text,
	OUT id bigint, OUT type text, OUT state text, OUT zone_id bigint, OUT removed timestamptz)
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	ok boolean;
BEGIN
	EXECUTE format('SELECT id, type, state, zone_id, removed FROM %I.all_instances WHERE id = $1 FOR ' || lock, inventory)
	INTO id, type, state, zone_id, removed USING instance_id;
	IF id IS NULL THEN
		ok := vmnet_internal.operation_unknown(inventory, 'instance', instance_id);
	END IF;
END
$$;
COMMENT ON FUNCTION vmnet_internal.operation_lock_instance(name, bigint, text) IS
'Part of the operations: locks an instance (NO KEY UPDATE, UPDATE) and returns its columns';

-- Returns the columns of a NIC, and locks it if "locked" is true.  The network and
-- the instance of a NIC never change, so they can be read first and locked before
-- the NIC.
CREATE FUNCTION vmnet_internal.operation_nic(inventory name, nic_id bigint, locked boolean,
	OUT id bigint, OUT network_id bigint, OUT instance_id bigint, OUT vm_type text, OUT strategy text, OUT state text,
	OUT device_id int, OUT default_nic boolean, OUT ip4 inet, OUT ip6 inet, OUT removed timestamptz, OUT description text)
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	ok boolean;
BEGIN
	EXECUTE format('SELECT id, network_id, instance_id, vm_type, strategy, state, device_id, default_nic, ip4_address, ip6_address, removed
		FROM %I.all_nics WHERE id = $1' || CASE WHEN locked THEN ' FOR NO KEY UPDATE' ELSE '' END, inventory)
	INTO id, network_id, instance_id, vm_type, strategy, state, device_id, default_nic, ip4, ip6, removed USING nic_id;
	IF id IS NULL THEN
		ok := vmnet_internal.operation_unknown(inventory, 'NIC', nic_id);
	END IF;
	description := format('NIC %s on network %s, of %s, has strategy "%s" and state "%s"%s.', id, network_id,
		coalesce('instance ' || instance_id, 'no instance'), strategy, state, ', removed at ' || removed);
END
$$;
COMMENT ON FUNCTION vmnet_internal.operation_nic(name, bigint, boolean) IS
'Part of the operations: returns the columns of a NIC, and locks it on request';

-- Updates a row without a change, so that transactions with an older snapshot
-- fail; see above.  The column is not in a key, which would need a stronger lock,
-- and no trigger depends on it.
CREATE FUNCTION vmnet_internal.operation_touch(inventory name, relation name, id bigint)
RETURNS boolean
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	EXECUTE format('UPDATE %I.%I SET zone_name = zone_name WHERE id = $1', inventory, relation) USING id;
	RETURN true;
END
$$;
COMMENT ON FUNCTION vmnet_internal.operation_touch(name, name, bigint) IS
'Part of the operations: updates a network or an instance without a change, so that older snapshots conflict';

-- Raises an error if no row was written: a trigger of a user may have prevented it.
CREATE FUNCTION vmnet_internal.operation_done(inventory name, relation name, written bigint)
RETURNS boolean
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	IF written = 0 THEN
		RETURN vmnet_internal.operation_refuse('23514', inventory, relation, 'operation_written',
			format('a trigger prevented the operation from writing to table "%s"', relation),
			'A BEFORE trigger returned NULL, so no row was written.',
			format('The triggers are listed by: \d %I.%I', inventory, relation));
	END IF;
	RETURN true;
END
$$;
COMMENT ON FUNCTION vmnet_internal.operation_done(name, name, bigint) IS
'Part of the operations: raises an error if a trigger prevented a write';

-- Refuses an instance that is neither Running nor Stopped: another operation on it
-- is in progress, or it is being removed.
CREATE FUNCTION vmnet_internal.operation_check_instance_state(inventory name, instance_id bigint, state text)
RETURNS boolean
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	IF state NOT IN ('Running', 'Stopped') THEN
		RETURN vmnet_internal.operation_refuse('23514', inventory, 'all_instances', 'instance_running_or_stopped',
			format('instance %s is neither Running nor Stopped', instance_id),
			format('Its state is "%s".', state),
			'Repeat the call when the instance is Running or Stopped.');
	END IF;
	RETURN true;
END
$$;
COMMENT ON FUNCTION vmnet_internal.operation_check_instance_state(name, bigint, text) IS
'Part of the operations: refuses an instance that is neither Running nor Stopped';

-- Refuses a NIC that is not live.
CREATE FUNCTION vmnet_internal.operation_check_live(inventory name, nic_id bigint, state text, removed timestamptz, description text)
RETURNS boolean
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	IF removed IS NOT NULL OR state = 'Deallocating' THEN
		RETURN vmnet_internal.operation_refuse('23514', inventory, 'all_nics', 'nic_live',
			format('NIC %s %s', nic_id, CASE WHEN removed IS NULL THEN 'is being removed' ELSE 'has been removed' END),
			description, format('Choose a live NIC; the view %I.nics lists them.', inventory));
	END IF;
	RETURN true;
END
$$;
COMMENT ON FUNCTION vmnet_internal.operation_check_live(name, bigint, text, timestamptz, text) IS
'Part of the operations: refuses a NIC that is removed or half-removed';
