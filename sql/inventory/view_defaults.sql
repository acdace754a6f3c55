--
-- The live views have the defaults of the tables, for clients that read the
-- catalogs to know which columns an INSERT can leave out
--

CREATE FUNCTION vmnet_internal.copy_view_defaults(inventory text)
RETURNS void
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	part record;
BEGIN
	FOR part IN
		SELECT v.relname AS view_name, a.attname AS column_name, pg_get_expr(d.adbin, d.adrelid) AS expression
		FROM pg_catalog.pg_namespace s
			JOIN pg_catalog.pg_class v ON v.relnamespace = s.oid AND v.relkind = 'v'
				AND v.relname IN ('networks', 'instances', 'nics', 'nic_secondary_ips')
			JOIN pg_catalog.pg_attribute a ON a.attrelid = v.oid AND a.attnum > 0 AND NOT a.attisdropped
			JOIN pg_catalog.pg_class t ON t.relnamespace = s.oid AND t.relname = 'all_' || v.relname
			JOIN pg_catalog.pg_attribute b ON b.attrelid = t.oid AND b.attname = a.attname
			-- generators write a default of a sequence as one of a column of type serial, which a view cannot have
			LEFT JOIN pg_catalog.pg_attrdef d ON d.adrelid = b.attrelid AND d.adnum = b.attnum AND b.attgenerated = '' AND a.attname <> 'id'
			LEFT JOIN pg_catalog.pg_attrdef o ON o.adrelid = a.attrelid AND o.adnum = a.attnum
		WHERE s.nspname = inventory
			AND pg_get_expr(d.adbin, d.adrelid) IS DISTINCT FROM pg_get_expr(o.adbin, o.adrelid)
	LOOP
		EXECUTE format('ALTER VIEW %I.%I ALTER COLUMN %I %s', inventory, part.view_name, part.column_name,
			coalesce('SET DEFAULT ' || part.expression, 'DROP DEFAULT'));
	END LOOP;
END
$$;
COMMENT ON FUNCTION vmnet_internal.copy_view_defaults(text) IS
'Gives the columns of the live views of an inventory the defaults that the columns of the tables have now, as the caller
That of id is left out: where an INSERT does not say it, that of the table applies.';
