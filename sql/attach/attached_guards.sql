--
-- Guards on attached tables, and what check_inventory() says of them
--

-- The table that an attached view reads.
CREATE FUNCTION vmnet_internal.attached_table(inventory text, relation text)
RETURNS regclass
LANGUAGE sql STABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $$
SELECT d.refobjid::regclass
FROM pg_catalog.pg_class v
	JOIN pg_catalog.pg_namespace s ON s.oid = v.relnamespace
	JOIN pg_catalog.pg_rewrite r ON r.ev_class = v.oid
	JOIN pg_catalog.pg_depend d ON d.classid = 'pg_catalog.pg_rewrite'::regclass AND d.objid = r.oid
		AND d.refclassid = 'pg_catalog.pg_class'::regclass AND d.refobjid <> v.oid
WHERE s.nspname = $1 AND v.relname = 'attached_' || $2
LIMIT 1
$$;
COMMENT ON FUNCTION vmnet_internal.attached_table(text, text) IS
'Table that an attached inventory reads its nics, networks or instances from; NULL where it has none';

-- The guards that the tables of an attached inventory should have.
CREATE FUNCTION vmnet_internal.attached_expected_guards(inventory text)
RETURNS TABLE (relation text, rel regclass, prefix text, timing text, level text, function text, fires int)
LANGUAGE sql STABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $$
SELECT g.relation, r.rel, '_vmnet_' || g.prefix || '_', concat(g.timing, ' ', array_to_string(g.events::text[], ' OR ')),
	g.level, g.function, vmnet_internal.trigger_type(g.timing, g.events::text[], g.level)
FROM (VALUES
	('nics', 'guard', 'AFTER', '{INSERT,UPDATE}', 'ROW', 'attached_nic_guard'),
	('nics', 'history', 'AFTER', '{UPDATE}', 'STATEMENT', 'attached_nic_history'),
	('networks', 'network', 'AFTER', '{UPDATE,DELETE}', 'ROW', 'attached_network_guard'),
	('instances', 'instance', 'AFTER', '{UPDATE,DELETE}', 'ROW', 'attached_instance_guard'),
	('nics', 'nic_delete', 'BEFORE', '{DELETE}', 'ROW', 'attached_no_delete'),
	('networks', 'network_delete', 'BEFORE', '{DELETE}', 'ROW', 'attached_no_delete'),
	('instances', 'instance_delete', 'BEFORE', '{DELETE}', 'ROW', 'attached_no_delete'),
	('nics', 'nic_truncate', 'BEFORE', '{TRUNCATE}', 'STATEMENT', 'attached_no_delete'),
	('networks', 'network_truncate', 'BEFORE', '{TRUNCATE}', 'STATEMENT', 'attached_no_delete'),
	('instances', 'instance_truncate', 'BEFORE', '{TRUNCATE}', 'STATEMENT', 'attached_no_delete')
	) g (relation, prefix, timing, events, level, function)
	CROSS JOIN LATERAL (SELECT vmnet_internal.attached_table($1, g.relation)) r (rel)
WHERE r.rel IS NOT NULL
$$;
COMMENT ON FUNCTION vmnet_internal.attached_expected_guards(text) IS
'Part of attach_inventory(): the guards that the tables of an attached inventory should have';

-- The triggers that an attached inventory has.  The row type in their WHEN says
-- whose they are, whatever became of names; and it has DROP SCHEMA ... CASCADE
-- take them too: what judges by an inventory goes with it.
CREATE FUNCTION vmnet_internal.attached_guards(inventory text)
RETURNS TABLE (rel regclass, name name, function text, fires int, enabled boolean)
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
SELECT DISTINCT t.tgrelid::regclass, t.tgname, p.proname::text, t.tgtype::int, t.tgenabled IN ('O', 'A')
FROM pg_catalog.pg_class c
	JOIN pg_catalog.pg_namespace s ON s.oid = c.relnamespace
	JOIN pg_catalog.pg_depend d ON d.classid = 'pg_catalog.pg_trigger'::regclass
		AND d.refclassid = 'pg_catalog.pg_type'::regclass AND d.refobjid = c.reltype
	JOIN pg_catalog.pg_trigger t ON t.oid = d.objid
	JOIN pg_catalog.pg_proc p ON p.oid = t.tgfoid
	JOIN pg_catalog.pg_namespace f ON f.oid = p.pronamespace AND f.nspname = 'vmnet_internal'
WHERE s.nspname = $1 AND c.relname = 'inventory_info'
$$;
COMMENT ON FUNCTION vmnet_internal.attached_guards(text) IS
'Part of attach_inventory(): the triggers that an attached inventory has on its tables';

-- A trigger on one of their tables that belongs to the inventory.
CREATE FUNCTION vmnet_internal.attached_make_trigger(inventory text, rel regclass, prefix text, timing text, level text,
	call text, about text, transition_tables text DEFAULT NULL)
RETURNS void
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	trigger_name text := prefix || inventory;
BEGIN
	-- too long, or taken by an inventory that had this name before
	IF octet_length(trigger_name) > 63
		OR EXISTS (SELECT FROM pg_catalog.pg_trigger t WHERE t.tgrelid = rel AND t.tgname = trigger_name) THEN
		trigger_name := prefix || md5(format('%s %s', inventory, quote_ident(inventory)::regnamespace::oid));
	END IF;
	EXECUTE format('CREATE TRIGGER %I %s ON %s %s FOR EACH %s WHEN (NULL::%I.inventory_info IS NULL) EXECUTE FUNCTION vmnet_internal.%s',
		trigger_name, timing, rel, coalesce('REFERENCING ' || transition_tables, ''), level, inventory, call);
	EXECUTE format('COMMENT ON TRIGGER %I ON %s IS %L', trigger_name, rel, about);
END
$$;
COMMENT ON FUNCTION vmnet_internal.attached_make_trigger(text, regclass, text, text, text, text, text, text) IS
'Part of attach_inventory(): makes a trigger on one of the attached tables';

CREATE FUNCTION vmnet_internal.attached_triggers(inventory text, make boolean)
RETURNS void
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	t record;
BEGIN
	FOR t IN
		SELECT g.rel, g.name FROM vmnet_internal.attached_guards(inventory) g
		WHERE g.function IN (SELECT e.function FROM vmnet_internal.attached_expected_guards(inventory) e)
	LOOP
		EXECUTE format('DROP TRIGGER %I ON %s', t.name, t.rel);
	END LOOP;
	IF make THEN
		PERFORM vmnet_internal.attached_make_trigger(inventory, e.rel, e.prefix, e.timing, e.level,
			format('%I(%L, %L)', e.function, inventory, e.relation), format('Guard of inventory %s (vmnet_ext)', inventory))
		FROM vmnet_internal.attached_expected_guards(inventory) e;
	END IF;
END
$$;
COMMENT ON FUNCTION vmnet_internal.attached_triggers(text, boolean) IS
'Part of attach_inventory(): drops the guards on their tables, and makes them anew';

-- Messages need no guards, so they work in mode read_only, too; but a table of
-- somebody else's is not made to send any.
CREATE FUNCTION vmnet_internal.attached_notify(inventory text, channel text, "on" boolean)
RETURNS void
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	nics regclass := vmnet_internal.attached_table(inventory, 'nics');
	info record;
	t record;
BEGIN
	SELECT c.relkind IN ('r', 'p') AS table, c.relowner = v.relowner AND pg_catalog.pg_has_role(current_user, c.relowner,
		'USAGE') AS owned INTO info
	FROM pg_catalog.pg_class c, pg_catalog.pg_class v
	WHERE c.oid = nics AND v.oid = format('%I.attached_nics', inventory)::regclass;
	IF "on" AND NOT (info.table AND info.owned) THEN
		RAISE EXCEPTION USING
			ERRCODE = CASE WHEN info.table THEN 'insufficient_privilege' ELSE 'invalid_parameter_value' END,
			MESSAGE = format('cannot send messages about inventory "%s"', inventory),
			DETAIL = CASE WHEN info.table THEN format('Its NICs are in table %s, which belongs to somebody else.', nics)
				ELSE format('Its NICs are in %s, which is no table.', nics) END,
			HINT = CASE WHEN info.table THEN 'Have it done by a role that owns both.'
				ELSE 'Only what is written to a table can be told.' END;
	END IF;
	FOR t IN SELECT g.rel, g.name FROM vmnet_internal.attached_guards(inventory) g WHERE g.function = 'attached_nic_notify' LOOP
		EXECUTE format('DROP TRIGGER %I ON %s', t.name, t.rel);
	END LOOP;
	IF "on" THEN
		PERFORM vmnet_internal.attached_make_trigger(inventory, nics, '_vmnet_notify_' || v.event || '_',
			format('AFTER %s', upper(v.event)), 'STATEMENT',
			format('attached_nic_notify(%L, %L, %L)', inventory, 'nics', channel),
			format('Sends a message on channel %I that names the changed NICs; see vmnet.set_inventory_notify()', channel), v.tables)
		FROM (VALUES
			('insert', 'NEW TABLE AS new_nics'),
			('update', 'OLD TABLE AS old_nics NEW TABLE AS new_nics'),
			('delete', 'OLD TABLE AS old_nics')) v (event, tables);
	END IF;
END
$$;
COMMENT ON FUNCTION vmnet_internal.attached_notify(text, text, boolean) IS
'Part of set_inventory_notify(): the triggers on an attached table of NICs, dropped and made anew';

-- The first view of the inventory whose ids are no bigint, and their type.
CREATE FUNCTION vmnet_internal.attached_other_keys(inventory text, OUT view text, OUT type text)
RETURNS record
LANGUAGE sql STABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $$
SELECT c.relname, a.atttypid::regtype::text
FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace s ON s.oid = c.relnamespace
	JOIN pg_catalog.pg_attribute a ON a.attrelid = c.oid
WHERE s.nspname = $1 AND c.relname IN ('all_networks', 'all_instances', 'all_nics')
	AND a.attname = 'id' AND a.atttypid <> 'bigint'::regtype
ORDER BY c.relname DESC
LIMIT 1
$$;
COMMENT ON FUNCTION vmnet_internal.attached_other_keys(text) IS
'Part of check_inventory() and others: the first view of an inventory whose ids are no bigint; NULL where all are';

--
-- Over attached tables check_inventory() looks for what their columns can tell.
--

-- is_column: it is a column as it is.  is_null: the table lacks it.  is_untimed: it tells that a row was removed, but
-- not when.
CREATE FUNCTION vmnet_internal.attached_expressions(
	inventory text,
	OUT relation text,
	OUT name text,
	OUT expression text,
	OUT is_column boolean,
	OUT is_null boolean,
	OUT is_untimed boolean)
RETURNS SETOF record
AS 'MODULE_PATHNAME', 'attached_expressions'
LANGUAGE C STABLE STRICT PARALLEL RESTRICTED ROWS 60 COST 100;
COMMENT ON FUNCTION vmnet_internal.attached_expressions(text) IS
'How the columns of attached tables read, as expressions over one row of the table; none for another inventory
expression is NULL where it is no expression over one row.';

CREATE FUNCTION vmnet_internal.attached_lacks(inventory text)
RETURNS text[]
LANGUAGE sql STABLE PARALLEL RESTRICTED
SET search_path = pg_catalog, pg_temp
AS $$
SELECT coalesce(array_agg(e.relation || '.' || e.name), '{}')
FROM vmnet_internal.attached_expressions($1) e
WHERE e.is_null
$$;
COMMENT ON FUNCTION vmnet_internal.attached_lacks(text) IS
'Canonical columns that attached tables lack, as nics.state; none for another inventory';

CREATE FUNCTION vmnet_internal.attached_untimed(inventory text)
RETURNS text[]
LANGUAGE sql STABLE PARALLEL RESTRICTED
SET search_path = pg_catalog, pg_temp
AS $$
SELECT coalesce(array_agg(e.relation || '.' || e.name), '{}')
FROM vmnet_internal.attached_expressions($1) e
WHERE e.is_untimed
$$;
COMMENT ON FUNCTION vmnet_internal.attached_untimed(text) IS
'Part of create_report(): where attached tables tell that a row was removed, but not when, as nics.removed';

CREATE FUNCTION vmnet_internal.attached_unchecked(inventory text)
RETURNS text[]
LANGUAGE sql STABLE PARALLEL RESTRICTED
SET search_path = pg_catalog, pg_temp
AS $$
SELECT coalesce(array_agg(c.code), '{}')
FROM vmnet_internal.checks() c
WHERE to_regclass(format('%I.attached_nics', $1)) IS NOT NULL
	AND (c.attached IS NULL OR c.attached && vmnet_internal.attached_lacks($1))
$$;
COMMENT ON FUNCTION vmnet_internal.attached_unchecked(text) IS
'Part of check_inventory(): codes of findings that attached tables have no columns for; none for another inventory
A removed row keeps its state in most systems, so that is no finding here.';

-- As plain SQL that calls no function of the extension, for reports.  A table is
-- known by the view that reads it: a view that named the row type of the table
-- would keep its owner from altering it.  Tables are
-- told by their row types, since a constant of type regclass would be written out
-- as a name.
CREATE FUNCTION vmnet_internal.attached_guards_query(inventory text)
RETURNS text
LANGUAGE sql STABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $query$
SELECT format($$
SELECT CASE WHEN t.tgname IS NULL THEN 'guard_missing' ELSE 'guard_disabled' END,
	format(CASE WHEN t.tgname IS NULL THEN '%%s has no guard %%s (%%s)' ELSE 'guard %%2$s (%%3$s) of %%1$s is disabled' END,
		y.identity, e.function, e.timing),
	CASE WHEN t.tgname IS NULL THEN format('SELECT vmnet.set_inventory_mode(%%L, %%L, force => true);', s.nspname, i.mode)
		ELSE format('ALTER TABLE %%s ENABLE TRIGGER %%I;', y.identity, t.tgname) END
FROM (VALUES %1$s) e (rel, function, timing, fires)
	CROSS JOIN %2$I.inventory_info i
	JOIN pg_catalog.pg_class c ON c.reltype = pg_catalog.pg_typeof(NULL::%2$I.inventory_info)
	CROSS JOIN LATERAL pg_catalog.pg_identify_object(c.tableoid, e.rel, 0) y
	JOIN pg_catalog.pg_namespace s ON s.oid = c.relnamespace
	LEFT JOIN (pg_catalog.pg_trigger t
		JOIN pg_catalog.pg_proc p ON p.oid = t.tgfoid
		JOIN pg_catalog.pg_namespace f ON f.oid = p.pronamespace AND f.nspname = 'vmnet_internal')
		ON t.tgrelid = e.rel AND p.proname = e.function AND t.tgtype = e.fires
			AND EXISTS (SELECT FROM pg_catalog.pg_depend d
				JOIN pg_catalog.pg_type y ON y.tableoid = d.refclassid AND y.oid = d.refobjid
				WHERE d.classid = t.tableoid AND d.objid = t.oid AND y.oid = c.reltype)
WHERE i.mode <> 'read_only' AND coalesce(t.tgenabled, 'D') NOT IN ('O', 'A')$$,
	string_agg(format('((SELECT d.refobjid FROM pg_catalog.pg_class v JOIN pg_catalog.pg_rewrite r ON r.ev_class = v.oid'
		' JOIN pg_catalog.pg_depend d ON d.classid = r.tableoid AND d.objid = r.oid AND d.refclassid = v.tableoid AND d.refobjid <> v.oid'
		' WHERE v.reltype = pg_catalog.pg_typeof(NULL::%I.%I) LIMIT 1)::regclass, %L, %L, %s)',
		$1, 'attached_' || g.relation, g.function, g.timing, g.fires), ', '), $1)
FROM vmnet_internal.attached_expected_guards($1) g
$query$;
COMMENT ON FUNCTION vmnet_internal.attached_guards_query(text) IS
'Part of check_inventory() and create_report(): the query over guards of an attached inventory that are missing or disabled';

CREATE FUNCTION vmnet_internal.attached_check_guards(inventory text)
RETURNS TABLE (code text, message text, fix text)
LANGUAGE plpgsql STABLE PARALLEL RESTRICTED
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	IF to_regclass(format('%I.attached_nics', inventory)) IS NOT NULL THEN
		RETURN QUERY EXECUTE vmnet_internal.attached_guards_query(inventory);
	END IF;
END
$$;
COMMENT ON FUNCTION vmnet_internal.attached_check_guards(text) IS
'Part of check_inventory(): guards of an attached inventory that are missing or disabled';
