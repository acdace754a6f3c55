--
-- What the database itself keeps is not searched again
--

-- The keys of inventory_keys(), by name, that keep a check from finding anything.
-- Foreign keys are none of them: a restore or a replica writes past these, but not
-- past unique indexes.
CREATE FUNCTION vmnet_internal.check_keepers()
RETURNS TABLE (code text, key text)
LANGUAGE sql IMMUTABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $$
SELECT k.code, k.key
FROM (VALUES
	('duplicate_live_mac', 'all_nics_one_mac'),
	('duplicate_live_ip4', 'all_nics_one_ip4'),
	('duplicate_live_ip6', 'all_nics_one_ip6'),
	('duplicate_device_id', 'all_nics_one_device')) k (code, key)
$$;
COMMENT ON FUNCTION vmnet_internal.check_keepers() IS
'Part of check_inventory(): which unique index keeps a check from finding anything, by its name in inventory_keys()';

-- An index is known by what it is, not by its name: unique, complete, checked with
-- each row, on the columns and the rows of the definition.  Tables that inherit
-- have rows that it does not know.
CREATE FUNCTION vmnet_internal.check_kept(inventory_name text)
RETURNS text[]
LANGUAGE sql STABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $$
SELECT coalesce(array_agg(e.code), '{}')
FROM vmnet_internal.check_keepers() e
	JOIN vmnet_internal.inventory_keys() k ON k.name = e.key AND k.sort = 'unique index'
WHERE EXISTS (
	SELECT
	FROM pg_catalog.pg_namespace s
		JOIN pg_catalog.pg_class c ON c.relnamespace = s.oid AND c.relname = k.relation AND c.relkind = 'r'
		JOIN pg_catalog.pg_index i ON i.indrelid = c.oid
	WHERE s.nspname = $1
		AND i.indisunique AND i.indisvalid AND i.indisready AND i.indislive AND i.indimmediate AND i.indexprs IS NULL
		AND NOT EXISTS (SELECT FROM pg_catalog.pg_inherits h WHERE h.inhparent = c.oid)
		AND NOT EXISTS (SELECT FROM pg_catalog.pg_opclass o WHERE o.oid = ANY (i.indclass) AND NOT o.opcdefault)
		AND k.columns = ARRAY(
			SELECT a.attname::text
			FROM generate_series(0, i.indnkeyatts - 1) p (n)
				JOIN pg_catalog.pg_attribute a ON a.attrelid = c.oid AND a.attnum = i.indkey[p.n]
			ORDER BY p.n)
		AND translate(replace(pg_get_expr(i.indpred, c.oid), '::text', ''), '() ', '') = translate(k.condition, '() ', ''))
$$;
COMMENT ON FUNCTION vmnet_internal.check_kept(text) IS
'Part of check_inventory(): codes that an inventory cannot have a finding of, since a unique index keeps it from that';
