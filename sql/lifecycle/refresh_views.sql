--
-- refresh_views(): columns that users added to the tables of an inventory, and
-- defaults, in its live views
--

-- The columns of a live view and of its table.  own: the columns that an inventory
-- has itself; shown: those of the view, in order; missing: what the view lacks;
-- unknown: columns of the view that are none of the table.
CREATE FUNCTION vmnet_internal.refresh_state(inventory text)
RETURNS TABLE (table_id regclass, view_id regclass, view_name text, own text[], shown text[], missing text[], unknown text[])
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
SELECT t.oid, v.oid, v.relname, o.own, s.shown,
	ARRAY(SELECT a.attname::text FROM pg_catalog.pg_attribute a
		WHERE a.attrelid = t.oid AND a.attnum > 0 AND NOT a.attisdropped AND a.attname <> ALL (o.known || s.shown)
		ORDER BY a.attnum),
	ARRAY(SELECT c FROM unnest(s.shown) c
		WHERE NOT EXISTS (SELECT FROM pg_catalog.pg_attribute a
			WHERE a.attrelid = t.oid AND a.attname = c AND a.attnum > 0 AND NOT a.attisdropped))
FROM pg_catalog.pg_namespace n
	JOIN pg_catalog.pg_class t ON t.relnamespace = n.oid AND t.relkind IN ('r', 'p')
	JOIN (SELECT c.relation, min(c.ord) AS ord, array_agg(c.name ORDER BY c.ord) AS known,
			array_agg(c.name ORDER BY c.ord) FILTER (WHERE c.in_view) AS own
		FROM vmnet_internal.inventory_columns() c GROUP BY c.relation) o ON o.relation = t.relname AND o.own IS NOT NULL
	JOIN pg_catalog.pg_class v ON v.relnamespace = n.oid AND v.relkind = 'v' AND v.relname = substr(t.relname, length('all_') + 1)
	CROSS JOIN LATERAL (SELECT array_agg(a.attname::text ORDER BY a.attnum)
		FROM pg_catalog.pg_attribute a WHERE a.attrelid = v.oid AND a.attnum > 0) s (shown)
WHERE n.nspname = $1
ORDER BY o.ord
$$;
COMMENT ON FUNCTION vmnet_internal.refresh_state(text) IS
'Part of refresh_views(): the columns of the live views of an inventory, and those that they lack';

CREATE FUNCTION vmnet_internal.refresh_refuse(inventory text, view_name text, detail text, remedy text DEFAULT NULL)
RETURNS void
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	RAISE EXCEPTION USING
		ERRCODE = 'feature_not_supported', SCHEMA = inventory, TABLE = view_name, CONSTRAINT = 'live_view_unchanged',
		MESSAGE = format('cannot add columns to view "%s" of inventory "%s": its query has been changed', view_name, inventory),
		DETAIL = detail,
		HINT = 'Nothing was changed. ' || coalesce(remedy,
			'Add the columns with CREATE OR REPLACE VIEW at the end of the list, or give the view its old query first.');
END
$$;
COMMENT ON FUNCTION vmnet_internal.refresh_refuse(text, text, text, text) IS
'Part of refresh_views(): the error where a view was changed in a way that would be lost';

-- Refuses a view whose query is another one than that of an inventory with these
-- columns, told by a view that is made and dropped again.
CREATE FUNCTION vmnet_internal.refresh_check(inventory text, view_id regclass, view_name text, own text[], shown text[], missing text[],
	unknown text[])
RETURNS void
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	scratch text := format('%I.%I', inventory, 'vmnet_refresh_views_' || view_id::oid);
	expected text;
BEGIN
	IF unknown <> '{}' THEN
		PERFORM vmnet_internal.refresh_refuse(inventory, view_name, format('These columns are not columns of table "%s": %s.',
			'all_' || view_name, array_to_string(unknown, ', ')),
			format('If a column of the table was renamed, give that of the view the same name: ALTER VIEW %I.%I RENAME COLUMN %I TO %s; '
				'otherwise add the columns with CREATE OR REPLACE VIEW at the end of the list.', inventory, view_name, unknown[1],
				CASE cardinality(missing) WHEN 1 THEN quote_ident(missing[1]) ELSE '...' END));
	END IF;
	IF shown[1:cardinality(own)] <> own THEN
		PERFORM vmnet_internal.refresh_refuse(inventory, view_name, format('Its columns begin with %s, and not with %s.',
			array_to_string(shown[1:cardinality(own)], ', '), array_to_string(own, ', ')));
	END IF;
	EXECUTE format('CREATE VIEW %s AS ', scratch)
		|| format(vmnet_internal.live_view_query(view_name, shown[cardinality(own) + 1:]), inventory);
	expected := pg_get_viewdef(scratch::regclass);
	EXECUTE format('DROP VIEW %s', scratch);
	IF pg_get_viewdef(view_id) <> expected THEN
		PERFORM vmnet_internal.refresh_refuse(inventory, view_name, 'Its query is not the one that an inventory with these columns has.');
	END IF;
END
$$;
COMMENT ON FUNCTION vmnet_internal.refresh_check(text, regclass, text, text[], text[], text[], text[]) IS
'Part of refresh_views(): refuses a view whose query has been changed';

-- Puts columns at the end of a view.  Options, rights, comments, defaults and
-- triggers of the view stay.
CREATE FUNCTION vmnet_internal.refresh_append(inventory text, table_id regclass, view_id regclass, view_name text,
	added text[], missing text[])
RETURNS void
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	options text := (SELECT format(' WITH (%s)', string_agg(format('%I = %L', o.option_name, o.option_value), ', '))
		FROM pg_catalog.pg_class c CROSS JOIN LATERAL pg_options_to_table(c.reloptions) o
		WHERE c.oid = view_id HAVING count(*) > 0);
	col record;
BEGIN
	EXECUTE format('CREATE OR REPLACE VIEW %s%s AS ', view_id, options)
		|| format(vmnet_internal.live_view_query(view_name, added || missing), inventory);
	FOR col IN
		SELECT a.attname, col_description(a.attrelid, a.attnum) AS comment
		FROM pg_catalog.pg_attribute a
		WHERE a.attrelid = table_id AND a.attname = ANY (missing) AND col_description(a.attrelid, a.attnum) IS NOT NULL
	LOOP
		EXECUTE format('COMMENT ON COLUMN %s.%I IS %L', view_id, col.attname, col.comment);
	END LOOP;
END
$$;
COMMENT ON FUNCTION vmnet_internal.refresh_append(text, regclass, regclass, text, text[], text[]) IS
'Part of refresh_views(): puts columns at the end of a view, with the comments that they have in its table';

-- Gives the columns of a live view the defaults of its table; returns what it
-- changed.  Clients read them from the catalogs to know which columns an INSERT
-- can leave out, and UPDATE ... SET column = DEFAULT takes that of the view.  A
-- column that a sequence numbers (id, and those of users) has none: generators
-- would write it as one of type serial, which a view cannot have; an INSERT takes
-- that of the table.
CREATE FUNCTION vmnet_internal.copy_view_defaults(table_id regclass, view_id regclass)
RETURNS TABLE (column_name text, change text)
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	col record;
BEGIN
	FOR col IN
		SELECT a.attname, d.wanted
		FROM pg_catalog.pg_attribute a
			JOIN pg_catalog.pg_attribute t ON t.attrelid = table_id AND t.attname = a.attname AND t.attnum > 0
			JOIN pg_catalog.pg_class r ON r.oid = t.attrelid
			LEFT JOIN vmnet_internal.inventory_columns() c ON c.relation = r.relname AND c.name = a.attname AND c.how = 'serial'
			LEFT JOIN pg_catalog.pg_attrdef h ON h.adrelid = t.attrelid AND h.adnum = t.attnum AND t.attgenerated = '' AND c.name IS NULL
				AND NOT EXISTS (
					SELECT FROM pg_catalog.pg_depend p JOIN pg_catalog.pg_class q ON q.oid = p.refobjid AND q.relkind = 'S'
					WHERE p.classid = h.tableoid AND p.objid = h.oid AND p.refclassid = q.tableoid)
			LEFT JOIN pg_catalog.pg_attrdef s ON s.adrelid = a.attrelid AND s.adnum = a.attnum
			CROSS JOIN LATERAL (SELECT pg_get_expr(s.adbin, s.adrelid) AS shown, pg_get_expr(h.adbin, h.adrelid) AS wanted) d
		WHERE a.attrelid = view_id AND a.attnum > 0 AND d.shown IS DISTINCT FROM d.wanted
		ORDER BY a.attnum
	LOOP
		EXECUTE format('ALTER VIEW %s ALTER COLUMN %I ', view_id, col.attname) || coalesce('SET DEFAULT ' || col.wanted, 'DROP DEFAULT');
		column_name := col.attname;
		change := coalesce('default ' || col.wanted, 'no default');
		RETURN NEXT;
	END LOOP;
END
$$;
COMMENT ON FUNCTION vmnet_internal.copy_view_defaults(regclass, regclass) IS
'Part of create_inventory() and refresh_views(): gives the columns of a live view the defaults of its table; returns what it changed';

-- Locks the views of an inventory, so that their queries stay as they are while they
-- are looked at and replaced.
CREATE FUNCTION vmnet_internal.refresh_lock(inventory text)
RETURNS void
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	part record;
BEGIN
	-- a snapshot from before the locks would not contain what others change until then
	IF current_setting('transaction_isolation') NOT IN ('read committed', 'read uncommitted') THEN
		RAISE EXCEPTION USING
			ERRCODE = 'feature_not_supported',
			MESSAGE = 'refresh_views() needs isolation level READ COMMITTED',
			DETAIL = format('The transaction is %s.', upper(current_setting('transaction_isolation'))),
			HINT = format('BEGIN ISOLATION LEVEL READ COMMITTED; SELECT * FROM vmnet.refresh_views(%L); COMMIT;', inventory);
	END IF;
	-- one at a time: each makes views of the same names for comparison
	EXECUTE format('LOCK TABLE %I.inventory_info IN SHARE UPDATE EXCLUSIVE MODE', inventory);
	FOR part IN SELECT s.view_id FROM vmnet_internal.refresh_state(inventory) s LOOP
		EXECUTE format('LOCK TABLE %s IN ACCESS SHARE MODE', part.view_id);
	END LOOP;
END
$$;
COMMENT ON FUNCTION vmnet_internal.refresh_lock(text) IS
'Part of refresh_views(): locks the views of an inventory, so that nobody else changes their queries';

CREATE FUNCTION vmnet_internal.refresh_views(inventory name)
RETURNS TABLE (view_name text, column_name text, change text)
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	target text := vmnet_internal.resolve_inventory($1);
	kind text := (SELECT l.kind FROM vmnet_internal.inventory_facts(target) l);
	part record;
BEGIN
	IF kind IS NULL OR kind NOT IN ('managed', 'mirror') THEN
		RAISE EXCEPTION USING
			ERRCODE = 'invalid_parameter_value',
			MESSAGE = format('the views of inventory "%s" cannot be refreshed', target),
			DETAIL = format('Its kind is %s: it has no tables of its own that columns could be added to.', coalesce(kind, 'unknown')),
			HINT = 'The view vmnet.inventories lists what is there; refresh_views() is for managed inventories and mirrors.';
	END IF;
	PERFORM vmnet_internal.refresh_lock(target);
	FOR part IN SELECT s.* FROM vmnet_internal.refresh_state(target) s LOOP
		view_name := part.view_name;
		IF part.missing <> '{}' THEN
			PERFORM vmnet_internal.refresh_check(target, part.view_id, part.view_name, part.own, part.shown, part.missing, part.unknown);
			PERFORM vmnet_internal.refresh_append(target, part.table_id, part.view_id, part.view_name,
				part.shown[cardinality(part.own) + 1:], part.missing);
			FOREACH column_name IN ARRAY part.missing LOOP
				change := 'added';
				RETURN NEXT;
			END LOOP;
		END IF;
		FOR column_name, change IN
			SELECT d.column_name, d.change FROM vmnet_internal.copy_view_defaults(part.table_id, part.view_id) d
		LOOP
			RETURN NEXT;
		END LOOP;
	END LOOP;
END
$$;
COMMENT ON FUNCTION vmnet_internal.refresh_views(name) IS
'Body of vmnet.refresh_views(), run with the rights that this has switched to';

CREATE FUNCTION vmnet.refresh_views(inventory name DEFAULT NULL)
RETURNS TABLE (view_name text, column_name text, change text)
AS 'MODULE_PATHNAME', 'inventory_entry'
LANGUAGE C COST 1000;
COMMENT ON FUNCTION vmnet.refresh_views(name) IS
'Puts columns that were added to the tables of an inventory into its live views, and copies changed defaults; returns what it did, one '
'row each
networks, instances, nics and nic_secondary_ips get the columns of all_networks and so on that they lack, at the end, with their '
'comments. Where the default of a column of a table was changed, or the column was added, the view gets the same default; a default of a '
'view that differs from that of its table is replaced. Of id, and of other columns that a sequence numbers, the views have none: the '
'table gives it. change: added, default ... or no default. Options, rights, comments and triggers of the views stay; a second run does '
'nothing.
inventory NULL: the setting vmnet.inventory. Needs the owner of the inventory, and isolation level READ COMMITTED. Errors: 0A000 at any '
'other, and with constraint live_view_unchanged where columns are lacking in a view whose query has been changed; 22023 for an unknown '
'inventory, and for one that is neither managed nor a '
'mirror.';
