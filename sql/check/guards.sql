--
-- Guards that are missing, disabled or on the wrong table
--

-- The triggers that an inventory should have, by relation: which function,
-- fired how (as in pg_trigger.tgtype), on which condition, with which argument.
CREATE FUNCTION vmnet_internal.check_expected_guards(inventory_name text, kind text)
RETURNS TABLE (ord int, trigger_name text, relation text, function_name text, fires int, condition text, ddl text,
	argument text)
LANGUAGE sql STABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $$
SELECT d.ord, t.name, t.relation, t.function, vmnet_internal.trigger_type(t.timing, t.events, t.level), t.condition, d.ddl || ';',
	t.argument
FROM (VALUES ($2), (CASE WHEN vmnet_internal.has_reality($1) THEN 'reality' END)) k (kind)
	CROSS JOIN LATERAL vmnet_internal.inventory_definition(k.kind, '{triggers}', or_replace => true, trigger_on => '%1$s') d
	JOIN vmnet_internal.inventory_triggers() t ON t.relation = d.relation AND t.name = d.name AND k.kind = ANY (t.kinds)
WHERE t.function NOT IN ('attached_view_write', 'live_guard')
$$;
COMMENT ON FUNCTION vmnet_internal.check_expected_guards(text, text) IS
'Part of check_inventory(): the triggers that an inventory of a kind should have
In ddl, %1$s stands for the relation.';

-- The relations that should have them: those of the definition, and what inherits
-- from a table, since its rows are in the views too, down to the fourth level.
-- (A report has this query in a view, where it may not be recursive.)  Partitions
-- of history are no such tables: they are written through their parent.
CREATE FUNCTION vmnet_internal.check_guarded_relations(inventory_name text)
RETURNS TABLE (relation text, relid oid, is_child boolean, classid oid)
LANGUAGE sql STABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $$
SELECT DISTINCT c.relname::text AS relation, f.relid, f.is_child, c.tableoid AS classid
FROM pg_catalog.pg_class c
	JOIN pg_catalog.pg_namespace s ON s.oid = c.relnamespace
	LEFT JOIN pg_catalog.pg_inherits i1 ON i1.inhparent = c.oid
	LEFT JOIN pg_catalog.pg_inherits i2 ON i2.inhparent = i1.inhrelid
	LEFT JOIN pg_catalog.pg_inherits i3 ON i3.inhparent = i2.inhrelid
	LEFT JOIN pg_catalog.pg_inherits i4 ON i4.inhparent = i3.inhrelid
	CROSS JOIN LATERAL (VALUES
		(c.oid, false), (i1.inhrelid, true), (i2.inhrelid, true), (i3.inhrelid, true), (i4.inhrelid, true)) f (relid, is_child)
	JOIN pg_catalog.pg_class m ON m.oid = f.relid AND NOT (f.is_child AND m.relispartition)
WHERE s.nspname = $1 AND c.relkind IN ('r', 'v', 'p')
$$;
COMMENT ON FUNCTION vmnet_internal.check_guarded_relations(text) IS
'Part of check_inventory(): the relations of an inventory, and what inherits from them';

-- A guard is known by its function, not by its name: the function decides.
-- Relations have the same name in messages whatever the search path of a report's
-- reader is.
CREATE FUNCTION vmnet_internal.check_guards(inventory_name text, kind text)
RETURNS TABLE (code text, message text, fix text)
LANGUAGE sql STABLE PARALLEL RESTRICTED
SET search_path = pg_catalog, pg_temp
AS $$
WITH found AS (
	SELECT x.ord, x.trigger_name, (pg_identify_object(r.classid, r.relid, 0)).identity AS relid, r.is_child,
		x.function_name, x.ddl,
		t.tgname, t.tgenabled IN ('O', 'A') AS enabled,
		t.tgtype = x.fires AND cardinality(t.tgattr::int2[]) = 0
			AND regexp_replace(lower(coalesce(substring(pg_get_triggerdef(t.oid) FROM ' WHEN \((.*)\) EXECUTE FUNCTION'), '')),
				'[\s()"]', '', 'g')
				= regexp_replace(lower(coalesce(x.condition, '')), '[\s()]', '', 'g')
			AND NOT t.tgdeferrable AS right_time,
		CASE WHEN t.tgdeferrable THEN t.tgname END AS constraint_name,
		t.tgargs = coalesce(convert_to(x.argument, getdatabaseencoding()) || '\000'::bytea, '') AS right_argument
	FROM vmnet_internal.check_expected_guards($1, $2) x
		-- a table in the place of a view cannot have a trigger INSTEAD OF
		JOIN vmnet_internal.check_guarded_relations($1) r ON r.relation = x.relation
			AND (x.fires < 64 OR EXISTS (SELECT FROM pg_catalog.pg_class c WHERE c.oid = r.relid AND c.relkind = 'v'))
		LEFT JOIN (pg_catalog.pg_trigger t JOIN pg_catalog.pg_proc p ON p.oid = t.tgfoid
			JOIN pg_catalog.pg_namespace s ON s.oid = p.pronamespace AND s.nspname = 'vmnet_internal')
			ON t.tgrelid = r.relid AND NOT t.tgisinternal AND p.proname = x.function_name
), judged AS (
	SELECT ord, trigger_name, relid, is_child, function_name, ddl,
		coalesce(bool_or(right_time AND right_argument), false) AS is_there,
		coalesce(bool_or(right_time AND right_argument AND enabled), false) AS is_armed,
		min(tgname) FILTER (WHERE right_time AND right_argument) AS right_name, min(tgname) FILTER (WHERE right_time) AS other_argument,
		min(tgname) AS other_name, min(constraint_name) AS constraint_name
	FROM found
	GROUP BY ord, trigger_name, relid, is_child, function_name, ddl
)
SELECT CASE WHEN is_there THEN 'guard_disabled' ELSE 'guard_missing' END,
	CASE WHEN is_there THEN format('guard %s of %s is disabled', right_name, relid)
		WHEN other_name IS NULL THEN format('%s%s has no guard %s', relid,
			CASE WHEN is_child THEN ', which inherits from a table of the inventory,' ELSE '' END, function_name)
		WHEN other_argument IS NOT NULL THEN format('guard %s of %s has another argument than it should', other_argument, relid)
		ELSE format('guard %s of %s fires at other times than it should', other_name, relid) END,
	CASE WHEN is_there THEN format('ALTER TABLE %s ENABLE TRIGGER %I;', relid, right_name)
		-- a trigger that can be deferred cannot be replaced
		ELSE coalesce('DROP TRIGGER ' || quote_ident(constraint_name) || ' ON ' || relid || '; ', '') || format(ddl, relid) END
FROM judged
WHERE NOT is_armed
UNION ALL
SELECT 'guard_disabled', format('foreign key %s is not checked: its triggers on %s are disabled', c.conname, y.identity),
	string_agg(format('ALTER TABLE %s ENABLE TRIGGER %I;', y.identity, t.tgname), ' ' ORDER BY t.tgname)
FROM pg_catalog.pg_constraint c
	JOIN vmnet_internal.check_guarded_relations($1) r ON r.relid = c.conrelid AND r.relation IN ('all_nics', 'nic_history')
	JOIN pg_catalog.pg_trigger t ON t.tgconstraint = c.oid AND t.tgenabled NOT IN ('O', 'A')
	CROSS JOIN LATERAL pg_identify_object(r.classid, t.tgrelid, 0) y
WHERE c.contype = 'f'
GROUP BY c.conname, y.identity
UNION ALL
SELECT a.code, a.message, a.fix FROM vmnet_internal.attached_check_guards($1) a WHERE $2 = 'attached'
UNION ALL
SELECT u.code, u.message, u.fix FROM vmnet_internal.check_rules($1, $2) u
UNION ALL
-- partitions, and relations that users added, may belong to anybody
SELECT 'owner_differs',
	format('%s belongs to role "%s", but all_nics to role "%s"', o.name, pg_get_userbyid(o.owner), pg_get_userbyid(n.relowner)),
	format('ALTER %s %s OWNER TO %I;', o.kind, o.name, pg_get_userbyid(n.relowner))
FROM pg_catalog.pg_namespace s
	JOIN pg_catalog.pg_class n ON n.relnamespace = s.oid AND n.relname = 'all_nics'
	CROSS JOIN LATERAL (
		SELECT format('%I.%I', s.nspname, c.relname) AS name, c.relowner AS owner,
			CASE c.relkind WHEN 'v' THEN 'VIEW' ELSE 'TABLE' END AS kind
		FROM pg_catalog.pg_class c
		WHERE c.relnamespace = s.oid AND c.relname = ANY (vmnet_internal.named_relations())
		UNION ALL
		SELECT format('%I', s.nspname), s.nspowner, 'SCHEMA') o
WHERE s.nspname = $1 AND o.owner <> n.relowner
$$;
COMMENT ON FUNCTION vmnet_internal.check_guards(text, text) IS
'Part of check_inventory(): guards that are missing or disabled, and what else differs from the definition, '
'with the statement that mends each';
