--
-- manage_blockers(): rows of a mirror that the rules of a managed inventory reject
--

-- One query over all rules of a managed inventory that can be told from rows,
-- made from the definition itself.  Columns: ord, code, object_type,
-- object_id, object_uuid, message.  Left out is what check_inventory() reports
-- under a code of its own, and what manage_fill() fills in.
CREATE FUNCTION vmnet_internal.manage_rules_query(inventory_name text)
RETURNS text
LANGUAGE sql STABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $$
WITH rule AS (
	SELECT o.ord, o.name, o.relation, o.columns, CASE o.sort WHEN 'unique index' THEN array_to_string(o.columns, ', ') END AS keys,
		coalesce(o.condition, o.body) AS condition, m.missing, o.comment, format('%I.%I', $1, o.relation) AS relid,
		CASE o.relation WHEN 'all_nics' THEN 'nic' WHEN 'all_instances' THEN 'instance'
			WHEN 'all_nic_secondary_ips' THEN 'secondary address' WHEN 'all_ip_ranges' THEN 'IP range'
			WHEN 'all_ip_addresses' THEN 'IP address' ELSE 'network' END AS what
	FROM vmnet_internal.inventory_objects('managed', '{rules}') o
		LEFT JOIN LATERAL unnest(CASE o.sort WHEN 'not null' THEN o.columns END) m (missing) ON true
	WHERE o.sort = 'check' AND o.name NOT IN ('nic_state_valid', 'nic_removed_is_deallocating', 'nic_default_nic_present')
		-- one without a condition keeps nothing apart that the key does not
		OR o.sort = 'unique index' AND o.condition IS NOT NULL
			AND o.name NOT IN ('all_nics_one_default', 'all_nics_one_mac', 'all_nics_one_ip4', 'all_nics_one_ip6')
		OR o.sort = 'not null' AND m.missing NOT IN ('uuid', 'enabled')
), shown AS (
	-- "strategy Start, removed NULL": the columns that the rule is about
	SELECT r.*, CASE r.what WHEN 'nic' THEN 'NIC' ELSE r.what END AS title,
		(SELECT format('concat_ws('', '', %s)', string_agg(format('%L || coalesce(r.%I::text, ''NULL'')', a.attname || ' ', a.attname),
			', ' ORDER BY a.attnum))
		 FROM pg_catalog.pg_attribute a
		 WHERE a.attrelid = to_regclass(r.relid) AND a.attnum > 0
			AND a.attname = ANY (r.columns)) AS seen
	FROM rule r
)
SELECT string_agg(format('SELECT %s, %L, %L, r.id, r.uuid, ', s.ord, coalesce(s.name, 'missing_' || s.missing), s.what) || CASE
	WHEN s.missing IS NOT NULL THEN format('format(''%s %%s has no %s'', r.id) FROM %s r WHERE r.%I IS NULL', s.title, s.missing, s.relid,
		s.missing)
	WHEN s.keys IS NULL THEN format('format(''%s %%s has %%s; rule: %%s'', r.id, %s, %L) FROM %s r WHERE NOT (%s)',
		s.title, s.seen, s.comment, s.relid, s.condition)
	ELSE format('format(''%1$s %%s has %%s, as has %1$s %%s; rule: %%s'', r.id, %2$s, CASE WHEN r.id = g.first THEN g.last ELSE g.first '
		'END, %3$L)'
		' FROM (SELECT %4$s, min(id) AS first, max(id) AS last FROM %5$s WHERE %6$s AND num_nulls(%4$s) = 0 GROUP BY %4$s HAVING count(*) '
			'> 1) g'
		' JOIN %5$s r USING (%4$s) WHERE %6$s', s.title, s.seen, s.comment, s.keys, s.relid, s.condition)
	END, ' UNION ALL ' ORDER BY s.ord, s.name, s.missing)
FROM shown s
$$;
COMMENT ON FUNCTION vmnet_internal.manage_rules_query(text) IS
'Part of manage_inventory(): the query over what a managed inventory would refuse';

-- History whose last entry is not the state that the NIC has.  A row that the
-- source had lost and had again is none: manage_history() closes that.
CREATE FUNCTION vmnet_internal.manage_history_query(inventory_name text)
RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $$
SELECT format('SELECT 0, ''history_chain_broken'', ''nic'', n.id, n.uuid, format(''history of NIC %%s ends with %%s, but its state is '
	'%%s'', n.id, h.to_state, n.state)'
	' FROM (SELECT nic_id, max(seq) AS seq FROM %1$I.nic_history GROUP BY nic_id) l'
	' JOIN %1$I.nic_history h ON h.nic_id = l.nic_id AND h.seq = l.seq'
	' JOIN %1$I.all_nics n ON n.id = l.nic_id'
	' WHERE h.to_state <> n.state', $1)
$$;
COMMENT ON FUNCTION vmnet_internal.manage_history_query(text) IS
'Part of manage_inventory(): the query over histories that do not lead to a state';

-- The mends of repair_inventory() that the guards will let pass.
CREATE FUNCTION vmnet_internal.manage_mends(inventory_name name)
RETURNS TABLE (code text, remedy text, object_type text, object_id bigint)
LANGUAGE plpgsql STABLE PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	RETURN QUERY EXECUTE format($q$
		SELECT p.code, p.remedy, p.object_type, p.object_id
		FROM vmnet_internal.repair_plan($1, NULL, '10 minutes') p
			LEFT JOIN %I.all_nics n ON p.object_type = 'nic' AND n.id = p.object_id
		WHERE p.remedy = 'default'
			OR p.remedy = 'remove' AND EXISTS (
				SELECT FROM vmnet.nic_state_transitions() t
				WHERE t.strategy = n.strategy
					AND (n.state = 'Deallocating' OR t.from_state = n.state AND t.event = 'RemoveRequested'))$q$, inventory_name)
	USING inventory_name;
END
$$;
COMMENT ON FUNCTION vmnet_internal.manage_mends(name) IS
'Part of manage_inventory(): what it mends, if that is wanted';

CREATE FUNCTION vmnet_internal.manage_blockers(inventory name)
RETURNS TABLE (
	code text,
	object_type text,
	object_id bigint,
	object_uuid uuid,
	message text,
	fix text,
	mendable boolean)
LANGUAGE plpgsql STABLE PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
SET jit = off
AS $$
DECLARE
	target record := vmnet_internal.check_target($1);
BEGIN
	IF target.kind <> 'mirror' THEN
		RETURN;
	END IF;
	RETURN QUERY EXECUTE format($q$
		WITH finding AS (
			SELECT row_number() OVER () AS ord, c.code, c.object_type, c.object_id, c.object_uuid, c.message, c.fix
			FROM vmnet.check_inventory($1) c
			WHERE c.severity = 'error' OR c.code IN ('removed_nic_wrong_state', 'unknown_state')
		), rule AS (%s UNION ALL %s
		), mend AS (
			SELECT m.object_type, m.object_id, m.code, m.remedy FROM vmnet_internal.manage_mends($1) m
		), blocker AS (
			SELECT 0 AS part, f.ord, f.code, f.object_type, f.object_id, f.object_uuid, f.message, f.fix FROM finding f
			UNION ALL
			SELECT 1, r.ord, r.code, r.object_type, r.object_id, r.object_uuid, r.message, NULL
			FROM rule r (ord, code, object_type, object_id, object_uuid, message)
			-- what is said of an object already is not said again
			WHERE NOT EXISTS (SELECT FROM finding f
				WHERE f.object_type = r.object_type AND f.object_id = r.object_id
					AND f.code IN (r.code, CASE r.code WHEN 'all_nics_one_device' THEN 'duplicate_device_id' END)))
		SELECT b.code, b.object_type, b.object_id, b.object_uuid, b.message, b.fix,
			EXISTS (SELECT FROM mend m WHERE m.object_type = b.object_type AND m.object_id = b.object_id
				AND (m.code = b.code OR m.remedy = 'remove' AND b.code ~
					'^(half_removed|live_nic|duplicate|user_ip|all_nics_one|nic_instance_required)'))
		FROM blocker b
		ORDER BY b.part, b.ord, b.code, b.object_id$q$,
		vmnet_internal.manage_rules_query(target.name), vmnet_internal.manage_history_query(target.name))
	USING target.name::name;
END
$$;
COMMENT ON FUNCTION vmnet_internal.manage_blockers(name) IS
'Body of vmnet.manage_blockers(), run with the rights that this has switched to';

CREATE FUNCTION vmnet.manage_blockers(inventory name DEFAULT NULL)
RETURNS TABLE (
	code text,
	object_type text,
	object_id bigint,
	object_uuid uuid,
	message text,
	fix text,
	mendable boolean)
AS 'MODULE_PATHNAME', 'inventory_entry'
LANGUAGE C STABLE PARALLEL UNSAFE COST 100;
COMMENT ON FUNCTION vmnet.manage_blockers(name) IS
'What is in the way of manage_inventory(): one row per finding and object
None where nothing is. Every error that check_inventory() finds, with its fix, which belongs to the source of the mirror; '
'removed_nic_wrong_state and unknown_state; and what a rule of a managed inventory would refuse, under the name of the '
'constraint, the unique index (all_nics_one_device: one device on two networks, as in a network migration, is fine in a mirror only) or as '
'missing_vm_type and the like, with the rule in message. mendable: manage_inventory(..., true) settles it; a duplicate can also be '
'settled by the removal of the other one.
No row for an inventory that is no mirror. NULL: the setting vmnet.inventory. Reads only, with the caller''s rights. Error: 22023 for an '
'unknown inventory.';

-- Refuses with what is in the way: up to five objects for each code, and how
-- many there are.  about_guards: only what is said of guards, only the rest,
-- or NULL for everything.
CREATE FUNCTION vmnet_internal.manage_refuse(target name, repaired boolean, about_guards boolean)
RETURNS void
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	found record;
BEGIN
	WITH blocker AS MATERIALIZED (
		SELECT row_number() OVER () AS ord, b.*
		FROM (
			SELECT m.code, m.object_type, m.object_id, m.message, m.mendable
			FROM vmnet.manage_blockers(target) m
			WHERE about_guards IS NOT TRUE AND (about_guards IS NULL OR m.object_type <> 'inventory')
			UNION ALL
			SELECT g.code, 'inventory', NULL, g.message, false
			FROM vmnet_internal.check_guards(target, 'mirror') g
			WHERE about_guards) b
	), numbered AS (
		SELECT b.*, row_number() OVER (PARTITION BY b.code ORDER BY b.ord) AS place FROM blocker b
	), line AS (
		SELECT n.code, min(n.ord) AS ord, count(*) AS n, bool_or(n.mendable) AS mendable, min(n.object_type) AS object_type,
			string_agg(CASE n.object_type WHEN 'inventory' THEN n.message WHEN 'nic' THEN 'NIC ' || n.object_id
				ELSE n.object_type || ' ' || n.object_id END, ', ' ORDER BY n.ord) FILTER (WHERE n.place <= 5) AS named
		FROM numbered n
		GROUP BY n.code)
	SELECT sum(l.n) AS n, bool_or(l.mendable) AS mendable,
		(array_agg(l.object_type ORDER BY l.ord))[1] AS object_type,
		string_agg(format('%s (%s): %s%s.', l.code, l.n, l.named, ' and ' || nullif(greatest(l.n - 5, 0), 0) || ' more'), E'\n'
			ORDER BY l.ord) AS lines
	INTO found
	FROM line l;

	IF found.n > 0 THEN
		RAISE EXCEPTION USING
			ERRCODE = 'check_violation',
			CONSTRAINT = 'manage_without_findings',
			SCHEMA = target,
			TABLE = CASE found.object_type WHEN 'instance' THEN 'all_instances' WHEN 'network' THEN 'all_networks' ELSE 'all_nics' END,
			MESSAGE = format('mirror "%s" cannot become a managed inventory: %s %s in the way%s', target, found.n,
				CASE found.n WHEN 1 THEN 'finding is' ELSE 'findings are' END,
				CASE WHEN repaired THEN ', which no mend settles without loss' ELSE '' END),
			DETAIL = found.lines,
			HINT = format('Mend them at the source, and import again. All of them: SELECT * FROM vmnet.manage_blockers(%L);%s', target,
				CASE WHEN found.mendable AND NOT repaired
					THEN format(' What loses nothing is mended by: SELECT vmnet.manage_inventory(%L, true);', target)
					ELSE '' END);
	END IF;
END
$$;
COMMENT ON FUNCTION vmnet_internal.manage_refuse(name, boolean, boolean) IS
'Part of manage_inventory(): refuses with what is in the way';

-- A mirror that is the caller's, and that nobody has built upon in a way that
-- a change of its tables would not reach.
CREATE FUNCTION vmnet_internal.manage_check(target name)
RETURNS void
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	kind text;
	relation regclass;
BEGIN
	SELECT l.kind INTO kind FROM vmnet_internal.inventory_facts(target) l;
	IF kind IS DISTINCT FROM 'mirror' THEN
		RAISE EXCEPTION USING
			ERRCODE = 'invalid_parameter_value',
			MESSAGE = format('inventory "%s" is not a mirror', target),
			DETAIL = CASE WHEN kind IS NULL THEN 'Its view inventory_info does not say of which kind it is.'
				ELSE format('It is of kind %s.', kind) END,
			HINT = 'The view vmnet.inventories lists what is there.';
	END IF;

	SELECT c.oid INTO relation
	FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace s ON s.oid = c.relnamespace
	WHERE s.nspname = target AND NOT pg_has_role(c.relowner, 'USAGE')
		AND c.relname IN ('all_networks', 'all_instances', 'all_nics', 'nic_history', 'nic_address_history', 'import_runs', 'import_log',
			'nic_intervals', 'inventory_info')
	ORDER BY c.relname COLLATE "C"
	LIMIT 1;
	IF FOUND THEN
		RAISE EXCEPTION USING
			ERRCODE = 'insufficient_privilege',
			SCHEMA = target,
			MESSAGE = format('must be owner of schema %s', target),
			DETAIL = format('%s belongs to somebody else.', relation),
			HINT = 'Only the owner of a mirror can make it a managed inventory.';
	END IF;

	SELECT i.inhrelid INTO relation
	FROM pg_catalog.pg_inherits i
		JOIN pg_catalog.pg_class c ON c.oid = i.inhparent
		JOIN pg_catalog.pg_namespace s ON s.oid = c.relnamespace
	WHERE s.nspname = target AND c.relname IN ('all_networks', 'all_instances', 'all_nics')
	ORDER BY i.inhrelid
	LIMIT 1;
	IF FOUND THEN
		RAISE EXCEPTION USING
			ERRCODE = 'invalid_parameter_value',
			SCHEMA = target,
			MESSAGE = format('mirror "%s" cannot become a managed inventory: other tables inherit from its tables', target),
			DETAIL = format('%s does.', relation),
			HINT = format('Detach it first: ALTER TABLE %s NO INHERIT ...;', relation);
	END IF;
END
$$;
COMMENT ON FUNCTION vmnet_internal.manage_check(name) IS
'Part of manage_inventory(): refuses what is not a mirror of the caller''s';
