--
-- History in partitions
--

CREATE FUNCTION vmnet_internal.partition_history(inventory name)
RETURNS regclass
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	schema text := vmnet.resolve_inventory(inventory);
	info record;
	old regclass := format('%I.nic_history', schema)::regclass;
	-- what was a mirror once may still tell where NICs were before they moved
	tells_moves boolean := to_regclass(format('%I.nic_history_move_idx', schema)) IS NOT NULL;
	part record;
BEGIN
	SELECT l.* INTO info FROM vmnet_internal.inventory_facts(schema) l;
	IF info.kind = 'live' THEN
		RAISE EXCEPTION USING
			ERRCODE = 'invalid_parameter_value',
			MESSAGE = format('inventory "%s" keeps no history', schema),
			DETAIL = 'It is a live one: it shows what another system holds at the moment, and remembers nothing.',
			HINT = 'A mirror remembers, from its first import on; see vmnet.import_cloudstack().';
	END IF;
	IF (SELECT c.relkind = 'p' FROM pg_class c WHERE c.oid = old) THEN
		RAISE EXCEPTION USING
			ERRCODE = 'invalid_parameter_value',
			MESSAGE = format('the history of inventory "%s" is partitioned already', schema),
			DETAIL = format('%s is a partitioned table.', old),
			HINT = 'Make partitions with CREATE TABLE ... PARTITION OF, or with pg_partman.';
	END IF;

	EXECUTE format('LOCK TABLE %I.all_nics IN SHARE ROW EXCLUSIVE MODE', schema);
	FOR part IN
		SELECT i.indexrelid::regclass AS index, c.relname
		FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid
		WHERE i.indrelid = old AND c.relname LIKE 'nic\_history\_%'
	LOOP
		EXECUTE format('ALTER INDEX %s RENAME TO %I', part.index, left(part.relname || '_unpartitioned', 63));
	END LOOP;
	EXECUTE format('ALTER TABLE %s RENAME TO nic_history_unpartitioned', old);
	EXECUTE format('CREATE TABLE %I.nic_history (LIKE %s INCLUDING DEFAULTS INCLUDING COMMENTS) PARTITION BY RANGE (at)', schema, old);
	EXECUTE format('COMMENT ON TABLE %I.nic_history IS %L', schema, obj_description(old, 'pg_class'));
	EXECUTE format('ALTER SEQUENCE %s OWNED BY %I.nic_history.seq', pg_get_serial_sequence(old::text, 'seq'), schema);

	FOR part IN
		SELECT replace(d.ddl, 'CREATE VIEW ', 'CREATE OR REPLACE VIEW ') AS ddl, d.object, d.comment
		FROM vmnet.inventory_definition(CASE WHEN tells_moves THEN 'mirror' ELSE info.kind END) d
		WHERE d.phase IN ('keys', 'triggers') AND d.ddl ~ '(ON|TABLE) %1\$I\.nic_history '
			OR d.phase = 'views' AND d.ddl ~ '%1\$I\.nic_history\M'
		ORDER BY d.ord
	LOOP
		EXECUTE format(part.ddl, schema, info.kind, info.source, info.mode, info.version);
		EXECUTE format('COMMENT ON ' || part.object || ' IS %2$L', schema, part.comment);
	END LOOP;

	PERFORM vmnet.renew_reports(schema);

	FOR part IN
		SELECT a.privilege_type, a.is_grantable, CASE a.grantee WHEN 0 THEN 'PUBLIC' ELSE quote_ident(r.rolname) END AS grantee
		FROM pg_class c CROSS JOIN LATERAL aclexplode(c.relacl) a LEFT JOIN pg_roles r ON r.oid = a.grantee
		WHERE c.oid = old AND a.grantee <> c.relowner
	LOOP
		EXECUTE format('GRANT %s ON %I.nic_history TO %s%s', part.privilege_type, schema, part.grantee,
			CASE WHEN part.is_grantable THEN ' WITH GRANT OPTION' ELSE '' END);
	END LOOP;
	RETURN old;
END
$$;
COMMENT ON FUNCTION vmnet_internal.partition_history(name) IS
'Body of vmnet.partition_history(), run with the rights that this has switched to';

CREATE FUNCTION vmnet.partition_history(inventory name)
RETURNS regclass
AS 'MODULE_PATHNAME', 'inventory_entry'
LANGUAGE C;
COMMENT ON FUNCTION vmnet.partition_history(name) IS
'Makes nic_history of an inventory a table partitioned by "at", without partitions yet; returns the old table
In the same transaction make partitions, by hand or with pg_partman: until there is one for now, no NIC can change its state. The rows are in nic_history_unpartitioned, from where pg_partman''s partition_data_proc() moves them; then drop it. Views of the inventory and of its reporting schemas read the new table, grants go with it; policies and views of users do not.
Needs to be run by the owner of the inventory. Error: 22023 for an unknown inventory, a live one, or one whose history is partitioned already.';
