--
-- Blockers: what prevents the removal of a network or an instance
--

CREATE FUNCTION vmnet_internal.network_blockers(network_id bigint, inventory name)
RETURNS TABLE (
	nic_id bigint,
	nic_uuid uuid,
	nic_state text,
	instance_id bigint,
	instance_uuid uuid,
	instance_name text,
	instance_state text,
	why text)
LANGUAGE plpgsql STABLE PARALLEL RESTRICTED
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	target record := vmnet_internal.check_target($2);
BEGIN
	RETURN QUERY EXECUTE format($q$
		SELECT n.id, n.uuid, n.state, i.id, i.uuid, i.name, i.state,
			CASE WHEN NOT n.active THEN 'half-removed: its address may still be in use; once it is free, set removed'
				WHEN n.instance_id IS NULL THEN 'a placeholder holds an address on the network'
				WHEN i.removed IS NOT NULL THEN format('held, although instance %%s has been removed', i.id)
				ELSE format('instance %%s is active on the network', i.id) END
		FROM %1$I.all_nics n
			LEFT JOIN %1$I.all_instances i ON i.id = n.instance_id
		WHERE n.network_id = $1 AND n.removed IS NULL AND (n.active OR NOT n.active)
			AND EXISTS (SELECT FROM %1$I.all_networks w WHERE w.id = $1 AND w.removed IS NULL)
		ORDER BY n.id$q$, target.name)
	USING network_id;
END
$$;
COMMENT ON FUNCTION vmnet_internal.network_blockers(bigint, name) IS
'Body of vmnet.network_blockers(), run with the rights that this has switched to';

CREATE FUNCTION vmnet.network_blockers(network_id bigint, inventory name DEFAULT NULL)
RETURNS TABLE (
	nic_id bigint,
	nic_uuid uuid,
	nic_state text,
	instance_id bigint,
	instance_uuid uuid,
	instance_name text,
	instance_state text,
	why text)
AS 'MODULE_PATHNAME', 'inventory_entry'
LANGUAGE C STABLE PARALLEL RESTRICTED COST 100;
COMMENT ON FUNCTION vmnet.network_blockers(bigint, name) IS
'NICs for which the removal of a network is refused: one row each, with the reason in why
Every held NIC: active ones, half-removed ones and placeholders. No row where nothing blocks, for NULL, an unknown id or a removed network. The guard looks past policies, this with the caller''s rights. Error: 22023 for an unknown inventory.';

CREATE FUNCTION vmnet_internal.instance_blockers(instance_id bigint, inventory name)
RETURNS TABLE (
	nic_id bigint,
	nic_uuid uuid,
	nic_state text,
	network_id bigint,
	network_uuid uuid,
	network_name text,
	network_state text,
	why text)
LANGUAGE plpgsql STABLE PARALLEL RESTRICTED
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	target record := vmnet_internal.check_target($2);
BEGIN
	RETURN QUERY EXECUTE format($q$
		SELECT n.id, n.uuid, n.state, w.id, w.uuid, w.name, w.state,
			CASE WHEN NOT n.active THEN 'half-removed: its address may still be in use; once it is free, set removed'
				WHEN w.removed IS NOT NULL THEN format('held, although network %%s has been removed', w.id)
				ELSE format('active on network %%s', w.id) END
		FROM %1$I.all_nics n
			LEFT JOIN %1$I.all_networks w ON w.id = n.network_id
		WHERE n.instance_id = $1 AND n.removed IS NULL
			AND EXISTS (SELECT FROM %1$I.all_instances i WHERE i.id = $1 AND i.removed IS NULL)
		ORDER BY n.id$q$, target.name)
	USING instance_id;
END
$$;
COMMENT ON FUNCTION vmnet_internal.instance_blockers(bigint, name) IS
'Body of vmnet.instance_blockers(), run with the rights that this has switched to';

CREATE FUNCTION vmnet.instance_blockers(instance_id bigint, inventory name DEFAULT NULL)
RETURNS TABLE (
	nic_id bigint,
	nic_uuid uuid,
	nic_state text,
	network_id bigint,
	network_uuid uuid,
	network_name text,
	network_state text,
	why text)
AS 'MODULE_PATHNAME', 'inventory_entry'
LANGUAGE C STABLE PARALLEL RESTRICTED COST 100;
COMMENT ON FUNCTION vmnet.instance_blockers(bigint, name) IS
'NICs for which the removal of an instance is refused: one row each, with the reason in why
Every held NIC, half-removed ones too. No row where nothing blocks, for NULL, an unknown id or a removed instance. The guard looks past policies, this with the caller''s rights. Error: 22023 for an unknown inventory.';
