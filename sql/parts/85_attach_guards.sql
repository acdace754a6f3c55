--
-- The guards of attached inventories, their modes, and the way out.
--

-- The table that an attached view reads.
CREATE FUNCTION vmnet_internal.attached_table(inventory text, relation text)
RETURNS regclass
LANGUAGE sql STABLE
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
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
SELECT g.relation, r.rel, '_vmnet_' || g.prefix || '_', g.timing, g.level, g.function,
	-- as in pg_trigger.tgtype
	(g.level = 'ROW')::int + 2 * (g.timing ~ 'BEFORE')::int + 4 * (g.timing ~ 'INSERT')::int + 8 * (g.timing ~ 'DELETE')::int
		+ 16 * (g.timing ~ 'UPDATE')::int + 32 * (g.timing ~ 'TRUNCATE')::int
FROM (VALUES
	('nics', 'guard', 'AFTER INSERT OR UPDATE', 'ROW', 'attached_nic_guard'),
	('nics', 'history', 'AFTER UPDATE', 'STATEMENT', 'attached_nic_history'),
	('networks', 'network', 'AFTER UPDATE OR DELETE', 'ROW', 'attached_network_guard'),
	('instances', 'instance', 'AFTER UPDATE OR DELETE', 'ROW', 'attached_instance_guard'),
	('nics', 'nic_delete', 'BEFORE DELETE', 'ROW', 'attached_no_delete'),
	('networks', 'network_delete', 'BEFORE DELETE', 'ROW', 'attached_no_delete'),
	('instances', 'instance_delete', 'BEFORE DELETE', 'ROW', 'attached_no_delete'),
	('nics', 'nic_truncate', 'BEFORE TRUNCATE', 'STATEMENT', 'attached_no_delete'),
	('networks', 'network_truncate', 'BEFORE TRUNCATE', 'STATEMENT', 'attached_no_delete'),
	('instances', 'instance_truncate', 'BEFORE TRUNCATE', 'STATEMENT', 'attached_no_delete')
	) g (relation, prefix, timing, level, function)
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
	call text, about text)
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
		trigger_name, split_part(timing, ' REFERENCING', 1), rel,
		CASE WHEN timing ~ 'REFERENCING' THEN 'REFERENCING' || split_part(timing, ' REFERENCING', 2) ELSE '' END,
		level, inventory, call);
	EXECUTE format('COMMENT ON TRIGGER %I ON %s IS %L', trigger_name, rel, about);
END
$$;
COMMENT ON FUNCTION vmnet_internal.attached_make_trigger(text, regclass, text, text, text, text, text) IS
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

CREATE FUNCTION vmnet_internal.attached_nic_notify()
RETURNS trigger
AS 'MODULE_PATHNAME', 'attached_nic_notify'
LANGUAGE C;
COMMENT ON FUNCTION vmnet_internal.attached_nic_notify() IS
'Trigger AFTER writes on an attached table of NICs, for each statement, made by set_inventory_notify(): tells those who listen which NICs changed';

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
	SELECT c.relkind IN ('r', 'p') AS table, c.relowner = v.relowner AND pg_catalog.pg_has_role(current_user, c.relowner, 'USAGE') AS owned INTO info
	FROM pg_catalog.pg_class c, pg_catalog.pg_class v
	WHERE c.oid = nics AND v.oid = format('%I.attached_nics', inventory)::regclass;
	IF "on" AND NOT (info.table AND info.owned) THEN
		RAISE EXCEPTION USING
			ERRCODE = CASE WHEN info.table THEN 'insufficient_privilege' ELSE 'invalid_parameter_value' END,
			MESSAGE = format('there can be no messages about inventory "%s"', inventory),
			DETAIL = CASE WHEN info.table THEN format('Its NICs are in table %s, which belongs to somebody else.', nics)
				ELSE format('Its NICs are in %s, which is no table.', nics) END,
			HINT = CASE WHEN info.table THEN 'Have it done by a role that owns both.' ELSE 'Only what is written to a table can be told.' END;
	END IF;
	FOR t IN SELECT g.rel, g.name FROM vmnet_internal.attached_guards(inventory) g WHERE g.function = 'attached_nic_notify' LOOP
		EXECUTE format('DROP TRIGGER %I ON %s', t.name, t.rel);
	END LOOP;
	IF "on" THEN
		PERFORM vmnet_internal.attached_make_trigger(inventory, nics, '_vmnet_notify_' || v.event || '_',
			format('AFTER %s REFERENCING %s', upper(v.event), v.tables), 'STATEMENT',
			format('attached_nic_notify(%L, %L, %L)', inventory, 'nics', channel),
			format('Tells those who LISTEN %I which NICs changed; see vmnet.set_inventory_notify()', channel))
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
LANGUAGE sql STABLE
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

-- Name of an attached inventory, or an error.
CREATE FUNCTION vmnet_internal.attached_target(inventory text)
RETURNS text
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	found record;
BEGIN
	SELECT l.name, l.kind INTO found FROM vmnet_internal.inventory_facts(inventory) l;
	IF found.kind IS DISTINCT FROM 'attached' THEN
		RAISE EXCEPTION USING
			ERRCODE = 'invalid_parameter_value',
			MESSAGE = CASE WHEN found.kind IS NULL THEN format('inventory "%s" does not exist', coalesce(inventory, 'NULL'))
				ELSE format('inventory "%s" is not attached', inventory) END,
			DETAIL = CASE WHEN found.kind IS NULL THEN 'There is no inventory of this name.' ELSE format('Its kind is %s.', found.kind) END,
			HINT = 'The view vmnet.inventories lists what is there; vmnet.attach_inventory() attaches tables.';
	END IF;
	RETURN inventory;
END
$$;
COMMENT ON FUNCTION vmnet_internal.attached_target(text) IS
'Part of set_inventory_mode() and detach_inventory(): the name of an attached inventory; 22023 where it is none';

-- A guard works as the owner of its table, so all that it reads belongs to him.
CREATE FUNCTION vmnet_internal.attached_refuse_owners(inventory text)
RETURNS void
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	inventory_owner oid := (SELECT c.relowner FROM pg_catalog.pg_class c WHERE c.oid = format('%I.all_nics', inventory)::regclass);
	others record;
BEGIN
	SELECT string_agg(format('%s belongs to role "%s".', r.rel, pg_catalog.pg_get_userbyid(c.relowner)), E'\n' ORDER BY r.ord) AS detail,
		string_agg(format('ALTER %s %s OWNER TO %I;', CASE c.relkind WHEN 'v' THEN 'VIEW' ELSE 'TABLE' END, r.rel, pg_catalog.pg_get_userbyid(inventory_owner)), ' ' ORDER BY r.ord) AS hint
	INTO others
	FROM (
		SELECT vmnet_internal.attached_table(inventory, t.name), t.ord FROM unnest(ARRAY['nics', 'networks', 'instances']) WITH ORDINALITY t (name, ord)
		UNION ALL
		SELECT c.oid::regclass, 3 + n.ord
		FROM unnest(ARRAY['attached_nics', 'attached_networks', 'attached_instances', 'inventory_info', 'nic_history', 'nic_address_history']) WITH ORDINALITY n (name, ord)
			JOIN pg_catalog.pg_class c ON c.relname = n.name AND c.relnamespace = quote_ident(inventory)::regnamespace) r (rel, ord)
		JOIN pg_catalog.pg_class c ON c.oid = r.rel
	WHERE c.relowner <> inventory_owner;
	IF others.detail IS NOT NULL THEN
		RAISE EXCEPTION USING
			ERRCODE = 'insufficient_privilege',
			CONSTRAINT = 'inventory_owner',
			SCHEMA = inventory,
			MESSAGE = format('inventory "%s" cannot have guards: not all that they read belongs to its owner, role "%s"', inventory, pg_catalog.pg_get_userbyid(inventory_owner)),
			DETAIL = others.detail,
			HINT = others.hint;
	END IF;
END
$$;
COMMENT ON FUNCTION vmnet_internal.attached_refuse_owners(text) IS
'Part of set_inventory_mode(): the error where guards would read what does not belong to the owner of the inventory (42501, constraint inventory_owner)';

-- Turns guards on, which looks at the rows: so it works as the owner.
CREATE FUNCTION vmnet_internal.attached_arm_as_owner(name text, mode text, force boolean)
RETURNS void
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	inventory text := vmnet_internal.attached_target($1);
BEGIN
	PERFORM vmnet_internal.attached_refuse_owners(inventory);
	IF $2 = 'enforce' AND $3 IS NOT TRUE THEN
		PERFORM vmnet_internal.attached_refuse_hidden(inventory, vmnet_internal.attached_table(inventory, 'nics'),
			vmnet_internal.attached_table(inventory, 'networks'), vmnet_internal.attached_table(inventory, 'instances'));
	END IF;
	PERFORM vmnet_internal.attached_say_mode(inventory, $2);
	PERFORM vmnet_internal.attached_triggers(inventory, true);
	-- now nobody writes what is not judged
	IF $2 = 'enforce' AND $3 IS NOT TRUE AND EXISTS (SELECT FROM vmnet_internal.attached_violations(inventory)) THEN
		PERFORM vmnet_internal.attached_refuse_enforce(inventory);
	END IF;
	-- with guards there is a history to report
	PERFORM vmnet_internal.renew_reports(inventory);
END
$$;
COMMENT ON FUNCTION vmnet_internal.attached_arm_as_owner(text, text, boolean) IS
'Body of vmnet_internal.attached_arm(), run with the rights that this has switched to';

CREATE FUNCTION vmnet_internal.attached_arm(name text, mode text, force boolean)
RETURNS void
AS 'MODULE_PATHNAME', 'inventory_entry_any'
LANGUAGE C;
COMMENT ON FUNCTION vmnet_internal.attached_arm(text, text, boolean) IS
'Part of set_inventory_mode(): turns the guards of an attached inventory on, in mode enforce or warn';

CREATE FUNCTION vmnet_internal.attached_say_mode(inventory text, mode text)
RETURNS void
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	EXECUTE format((SELECT replace(d.ddl, 'CREATE VIEW', 'CREATE OR REPLACE VIEW') FROM vmnet_internal.inventory_definition('managed') d
		WHERE d.object = 'VIEW %1$I.inventory_info'), inventory, 'attached', NULL, mode, vmnet.version());
END
$$;
COMMENT ON FUNCTION vmnet_internal.attached_say_mode(text, text) IS
'Part of set_inventory_mode(): writes the mode into the view inventory_info';

-- Taking guards away looks at the catalogs alone.  It is done as the caller, who
-- may have the rights of both owners where table and inventory have two.
CREATE FUNCTION vmnet.set_inventory_mode(name text, mode text, force boolean DEFAULT false)
RETURNS void
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	inventory text := vmnet_internal.attached_target($1);
BEGIN
	PERFORM vmnet_internal.attached_refuse(inventory, vmnet_internal.attached_problems(
		vmnet_internal.attached_table(inventory, 'nics'), vmnet_internal.attached_table(inventory, 'networks'), vmnet_internal.attached_table(inventory, 'instances'), '{}', $2),
		'the mode of inventory "%s" cannot change', 'Guards need ordinary tables; read_only needs none.');
	IF $2 = 'read_only' THEN
		PERFORM vmnet_internal.attached_say_mode(inventory, $2);
		PERFORM vmnet_internal.attached_triggers(inventory, false);
	ELSE
		PERFORM vmnet_internal.attached_arm(inventory, $2, $3);
	END IF;
END
$$;
COMMENT ON FUNCTION vmnet.set_inventory_mode(text, text, boolean) IS
'Changes what the guards of an attached inventory do: enforce (errors), warn (warnings), read_only (no guards)
enforce is refused while the tables violate the rules (23514, constraint attached_violations), unless force is true: then only what is new is judged. It makes the guards anew.
Errors: 42501 with constraint attached_rows_hidden for enforce where row-level policies may hide violations from the caller, unless force is true; 42501 with constraint inventory_owner for enforce and warn where the tables, or views that guards read, belong to another role than the inventory; 22023 for an inventory that is not attached and an unknown mode.';

-- This drops what is there and runs nothing of it, so it works as the caller.
CREATE FUNCTION vmnet.detach_inventory(name text)
RETURNS void
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	inventory text := vmnet_internal.attached_target($1);
	part record;
BEGIN
	FOR part IN SELECT g.rel, g.name FROM vmnet_internal.attached_guards(inventory) g LOOP
		EXECUTE format('DROP TRIGGER %I ON %s', part.name, part.rel);
	END LOOP;
	-- without CASCADE: what others have built on the views is not taken along
	FOR part IN
		SELECT c.relname, c.relkind FROM pg_catalog.pg_class c
		WHERE c.relnamespace = quote_ident(inventory)::regnamespace AND (c.relkind = 'v'
			OR c.relname IN ('nic_history', 'nic_address_history', 'nic_history_unpartitioned') AND c.relkind IN ('r', 'p'))
		-- partition_history() leaves a table behind that counts with nic_history
		ORDER BY c.relkind <> 'v', c.relname = 'nic_history', c.oid DESC
	LOOP
		EXECUTE format('DROP %s %I.%I', CASE part.relkind WHEN 'v' THEN 'VIEW' ELSE 'TABLE' END, inventory, part.relname);
	END LOOP;
	EXECUTE format('DROP SCHEMA %I', inventory);
END
$$;
COMMENT ON FUNCTION vmnet.detach_inventory(text) IS
'Takes an attached inventory away: its guards, its views, its history and its schema; the tables stay as they were
What others have built on its views is in the way (2BP01). The history is lost: copy nic_history first if it matters.
Error: 22023 for an inventory that is not attached.';

--
-- Over attached tables check_inventory() looks for what their columns can tell.
--

CREATE FUNCTION vmnet_internal.attached_lacks(inventory text)
RETURNS text[]
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
SELECT coalesce(array_agg(r.relation || '.' || m.m[1]), '{}')
FROM unnest(ARRAY['nics', 'networks', 'instances']) r (relation),
	regexp_matches(pg_get_viewdef(to_regclass(format('%I.%I', $1, 'attached_' || r.relation))), 'NULL::[a-z ]+ AS (\w+)', 'g') m (m)
$$;
COMMENT ON FUNCTION vmnet_internal.attached_lacks(text) IS
'Canonical columns that attached tables lack, as nics.state; none for another inventory';

CREATE FUNCTION vmnet_internal.attached_untimed(inventory text)
RETURNS text[]
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
SELECT coalesce(array_agg(r.relation || '.removed'), '{}')
FROM unnest(ARRAY['nics', 'networks', 'instances']) r (relation)
WHERE pg_get_viewdef(to_regclass(format('%I.%I', $1, 'attached_' || r.relation)))
	~ 'ELSE ''-infinity''::timestamp with time zone\s+END AS removed'
$$;
COMMENT ON FUNCTION vmnet_internal.attached_untimed(text) IS
'Part of create_report(): where attached tables tell that a row was removed, but not when, as nics.removed';

CREATE FUNCTION vmnet_internal.attached_unchecked(inventory text)
RETURNS text[]
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
SELECT coalesce(array_agg(c.code), '{}')
FROM vmnet_internal.attached_lacks($1) l (lacks),
	(VALUES ('removed_nic_wrong_state', NULL), ('missing_uuid', 'nics.uuid'), ('missing_uuid', 'networks.uuid'), ('missing_uuid', 'instances.uuid'),
		('default_nic_missing', 'nics.default_nic'), ('unknown_state', 'nics.state')) c (code, needs)
WHERE to_regclass(format('%I.attached_nics', $1)) IS NOT NULL AND (c.needs IS NULL OR c.needs = ANY (l.lacks))
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
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp
AS $query$
SELECT format($$
SELECT CASE WHEN t.tgname IS NULL THEN 'guard_missing' ELSE 'guard_disabled' END,
	format(CASE WHEN t.tgname IS NULL THEN '%%s has no guard %%s (%%s)' ELSE 'guard %%2$s (%%3$s) of %%1$s is disabled' END, e.rel, e.function, e.timing),
	CASE WHEN t.tgname IS NULL THEN format('SELECT vmnet.set_inventory_mode(%%L, %%L, force => true);', s.nspname, i.mode)
		ELSE format('ALTER TABLE %%s ENABLE TRIGGER %%I;', e.rel, t.tgname) END
FROM (VALUES %1$s) e (rel, function, timing, fires)
	CROSS JOIN %2$I.inventory_info i
	JOIN pg_catalog.pg_class c ON c.reltype = pg_catalog.pg_typeof(NULL::%2$I.inventory_info)
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
LANGUAGE plpgsql STABLE
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
