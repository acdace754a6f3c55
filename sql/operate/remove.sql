--
-- instance_expunge() and network_remove()
--

CREATE FUNCTION vmnet_internal.instance_expunge(instance_id bigint, inventory name)
RETURNS boolean
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	ok boolean;
	resolved name := vmnet_internal.operation_inventory(inventory, 'all_instances');
	vm record;
	written bigint;
BEGIN
	-- from here on no NIC can be added to it
	vm := vmnet_internal.operation_lock_instance(resolved, instance_id, 'UPDATE');
	IF vm.removed IS NOT NULL THEN
		RETURN false;
	END IF;
	EXECUTE format('SELECT id FROM %I.all_nics WHERE instance_id = $1 AND removed IS NULL ORDER BY id FOR NO KEY UPDATE', resolved)
	USING instance_id;
	EXECUTE format('UPDATE %I.all_nics SET state = ''Deallocating'', removed = greatest($2, created)
		WHERE instance_id = $1 AND removed IS NULL', resolved)
	USING instance_id, clock_timestamp();
	EXECUTE format('UPDATE %I.all_instances SET state = ''Expunging'', removed = greatest($2, created) WHERE id = $1', resolved)
	USING instance_id, clock_timestamp();
	GET DIAGNOSTICS written = ROW_COUNT;
	ok := vmnet_internal.operation_done(resolved, 'all_instances', written);
	RETURN true;
END
$$;
COMMENT ON FUNCTION vmnet_internal.instance_expunge(bigint, name) IS
'Body of vmnet.instance_expunge(), which switches to the owner of the inventory';

CREATE FUNCTION vmnet.instance_expunge(instance_id bigint, inventory name DEFAULT NULL)
RETURNS boolean
AS 'MODULE_PATHNAME', 'inventory_entry'
LANGUAGE C COST 100;
COMMENT ON FUNCTION vmnet.instance_expunge(bigint, name) IS
'Removes an instance and all its NICs, half-removed ones too, in one step; returns false if it was removed already
Its rows stay for history, its state is Expunging. The virtual machine itself is not stopped. Managed inventories only.
Errors: 22023 for an unknown id or inventory; 42501 mirror_read_only.';

CREATE FUNCTION vmnet_internal.network_remove(network_id bigint, inventory name)
RETURNS boolean
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	ok boolean;
	resolved name := vmnet_internal.operation_inventory(inventory, 'all_networks');
	net record;
	written bigint;
BEGIN
	-- waits for transactions that add NICs, so that the guard sees these
	net := vmnet_internal.operation_lock_network(resolved, network_id, 'UPDATE');
	IF net.removed IS NOT NULL THEN
		RETURN false;
	END IF;
	EXECUTE format('UPDATE %I.all_networks SET state = ''Destroy'', removed = greatest($2, created) WHERE id = $1', resolved)
	USING network_id, clock_timestamp();
	GET DIAGNOSTICS written = ROW_COUNT;
	ok := vmnet_internal.operation_done(resolved, 'all_networks', written);
	RETURN true;
END
$$;
COMMENT ON FUNCTION vmnet_internal.network_remove(bigint, name) IS
'Body of vmnet.network_remove(), which switches to the owner of the inventory';

CREATE FUNCTION vmnet.network_remove(network_id bigint, inventory name DEFAULT NULL)
RETURNS boolean
AS 'MODULE_PATHNAME', 'inventory_entry'
LANGUAGE C COST 100;
COMMENT ON FUNCTION vmnet.network_remove(bigint, name) IS
'Removes a network, whatever its state; returns false if it was removed already
Refused while it holds a NIC, half-removed ones and placeholders too; the error names them. Its row stays for history, its state is '
'Destroy. Managed inventories only.
Errors: 22023 for an unknown id or inventory; 23503 network_in_use; 42501 mirror_read_only.';
