--
-- Queries of a reporting schema about the inventory as a whole
--

-- In what an inventory differs from its definition, as plain SQL: the queries of
-- the functions that check_rules() calls, with what is expected as constants.
CREATE FUNCTION vmnet_internal.report_rules(inventory text, kind text)
RETURNS text
LANGUAGE sql STABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $$
SELECT string_agg(format('(%s)', replace(p.prosrc, 'vmnet_internal.check_relations($1, $2) e', format('(%s) e (%s)',
		replace(replace(r.prosrc, 'vmnet_internal.check_expected($1, $2) x', f.facts), 's.nspname = $1', 's.nspname = {schema}'),
		array_to_string(r.proargnames[3:], ', ')))), E'\nUNION ALL\n' ORDER BY c.ord)
FROM (VALUES (1, 'check_keys', '{table,constraint,index}'::text[]), (2, 'check_columns', '{column,default}'),
		(3, 'check_views', '{view,plain view,reads}'), (4, 'check_tables', '{table}')) c (ord, name, sorts)
	JOIN pg_catalog.pg_proc p ON p.oid = format('vmnet_internal.%I(text, text)', c.name)::regprocedure
	JOIN pg_catalog.pg_proc r ON r.oid = 'vmnet_internal.check_relations(text, text)'::regprocedure
	CROSS JOIN LATERAL (
		SELECT '(' || coalesce('VALUES ' || string_agg(
				format('(%L::text, %L::text, %L::text, %L::text)', f.relation, f.sort, f.object, f.fact),
				', ' ORDER BY f.relation COLLATE "C", f.sort COLLATE "C", f.object COLLATE "C"),
			'SELECT NULL::text, NULL::text, NULL::text, NULL::text WHERE false') || ') x (relation, sort, object, fact)'
		FROM vmnet_internal.check_expected($1, $2) f
		WHERE f.sort = ANY (c.sorts)) f (facts)
$$;
COMMENT ON FUNCTION vmnet_internal.report_rules(text, text) IS
'Part of create_report(): the query of check_rules(), for an inventory';

CREATE FUNCTION vmnet_internal.report_codes()
RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $$
SELECT format('(VALUES %s)', string_agg(format('(%L, %L)', c.code, c.severity), ', ' ORDER BY c.ord))
FROM vmnet.check_codes() c
$$;
COMMENT ON FUNCTION vmnet_internal.report_codes() IS
'Part of create_report(): codes of findings and their severities, as a list of values';

-- What check_inventory() finds, as plain SQL that calls no function of the
-- extension: the queries of its codes with their parameters filled in, and the
-- look at the guards with what is expected of them as constants.  Statements
-- that would put a guard out of the way are left out.
CREATE FUNCTION vmnet_internal.report_findings(inventory text, kind text, source text, tenant boolean)
RETURNS text
LANGUAGE sql STABLE PARALLEL RESTRICTED
SET search_path = pg_catalog, pg_temp
AS $$
WITH rows AS (
	SELECT replace(replace(replace(replace(replace(
			vmnet_internal.check_query_template($1),
			'vmnet_internal.check_past_guards(', 'format(NULL::text, '), 'vmnet_internal.check_close_gap(', 'format(NULL::text, '),
			'$1', 'now() - interval ''10 minutes'''), '$2', '{name}'), '$3', ($2 IN ('mirror', 'live'))::text) AS query
), guards AS (
	SELECT replace(replace(replace(replace(replace(replace(
			(SELECT prosrc FROM pg_catalog.pg_proc WHERE oid = 'vmnet_internal.check_guards(text, text)'::regprocedure),
			'vmnet_internal.check_expected_guards($1, $2) x',
			(SELECT format('(VALUES %s) x (ord, trigger_name, relation, function_name, fires, condition, ddl, argument)',
					-- a live inventory has none
					coalesce(string_agg(format('(%s, %L::text, %L::text, %L::text, %s, %L::text, %L::text, %L::text)',
						e.ord, e.trigger_name, e.relation, e.function_name, e.fires, e.condition, e.ddl, e.argument), ', ' ORDER BY e.ord),
						'(0, '''', '''', '''', 0, '''', '''', '''')'))
				FROM vmnet_internal.check_expected_guards($1, $2) e)),
			'vmnet_internal.check_guarded_relations($1) r',
			format('(%s) r', replace((SELECT prosrc FROM pg_catalog.pg_proc
				WHERE oid = 'vmnet_internal.check_guarded_relations(text)'::regprocedure), '$1', '{schema}'))),
			'vmnet_internal.attached_check_guards($1) a WHERE $2 = ''attached''',
			CASE $2 WHEN 'attached' THEN format('(%s) a (code, message, fix)', vmnet_internal.attached_guards_query($1))
				ELSE '(VALUES (NULL::text, NULL::text, NULL::text)) a (code, message, fix) WHERE false' END),
			'vmnet_internal.named_relations()', format('%L::text[]', vmnet_internal.named_relations())),
			's.nspname = $1 AND o.owner', 's.nspname = {schema} AND o.owner'),
			'vmnet_internal.check_rules($1, $2) u', format('(%s) u (code, message, fix)', vmnet_internal.report_rules($1, $2))) AS query
)
SELECT format($q$
SELECT f.code, f.severity, f.object_type, f.object_id, f.object_uuid, f.since, %s, %s, %s
FROM (%s
	UNION ALL
	SELECT 0, g.code, coalesce(c.severity, 'error'), 'inventory', NULL, NULL, NULL, g.message, g.fix, NULL, NULL, NULL, NULL
	FROM (%s) g (code, message, fix)
		LEFT JOIN %s c (code, severity) ON c.code = g.code) f (ord, code, severity, object_type, object_id, object_uuid, since, message,
			fix, source_fix, reason, seen, observer)
	%s$q$, output.message, output.fix, vmnet_internal.accepted_columns(), rows.query, guards.query, vmnet_internal.report_codes(),
	replace(vmnet_internal.accepted_join($4), '$2', '{name}'))
FROM rows, guards, vmnet_internal.check_output($2, $3) output
$$;
COMMENT ON FUNCTION vmnet_internal.report_findings(text, text, text, boolean) IS
'Part of create_report(): the query of the view findings';

-- The first line of the query of a view of metrics names the columns that are
-- labels; inventory is one always.
CREATE FUNCTION vmnet_internal.report_metrics(query text)
RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $metrics$
SELECT replace(replace(replace(replace($1,
	substring($1 FROM '{metrics} [^\n]*'), format($$SELECT m.name, concat_ws(',', %s) AS labels, m.value,
	CASE WHEN right(m.name, 6) = '_total' THEN 'counter' ELSE 'gauge' END AS metric_type, m.help,
	s.nspname::text AS inventory, %s, concat(m.name, '{', concat_ws(',', %s), '}') AS key$$,
		string_agg(l.text, ', ' ORDER BY l.ord), string_agg('m.' || l.name, ', ' ORDER BY l.ord) FILTER (WHERE l.name <> 'inventory'),
		string_agg(l.text, ', ' ORDER BY l.ord) FILTER (WHERE l.name <> 'inventory'))),
	'{of metrics}', 'FROM ('),
	'{end of metrics}', E') m\n	JOIN pg_namespace s ON s.oid = {namespace}'),
	'{codes}', vmnet_internal.report_codes())
FROM (
	SELECT c.name, c.ord, format($$%L || replace(replace(replace(%s::text, '\', '\\'), '"', '\"'), E'\n', '\n') || '"'$$,
		c.name || '="', CASE c.name WHEN 'inventory' THEN 's.nspname' ELSE 'm.' || c.name END) AS text
	FROM regexp_split_to_table('inventory, ' || substring($1 FROM '{metrics} ([^\n]*)'), ', ') WITH ORDINALITY c (name, ord)) l
$metrics$;
COMMENT ON FUNCTION vmnet_internal.report_metrics(text) IS
'Part of create_report(): the query of a view of metrics
Around what each series is; its labels as a text, too.';

-- The query of a view of the inventory, with {inv} for its name.
CREATE FUNCTION vmnet_internal.report_source(kind text, view_name text)
RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $$
SELECT replace(v.body, '%1$I', '{inv}')
FROM vmnet_internal.inventory_views($1) v
WHERE v.name = $2
$$;
COMMENT ON FUNCTION vmnet_internal.report_source(text, text) IS
'Part of create_report(): the query of a view of the inventory';

-- What stands for a relation of an inventory in a reporting view.  The views of
-- an attached inventory need the rights of the role that reads, so that their
-- queries over the tables are written out; for tenants that is as it should be.
-- Ids that are no bigint are texts in reports.
CREATE FUNCTION vmnet_internal.report_relation(inventory text, kind text, relation text, tenant boolean)
RETURNS text
LANGUAGE plpgsql STABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	rel regclass := format('%I.%I', inventory, relation);
	result text := format('%I.%I', inventory, relation);
BEGIN
	IF kind <> 'attached' THEN
		RETURN result;
	END IF;
	IF relation LIKE 'attached\_%' AND NOT tenant THEN
		result := format('(%s)', rtrim(pg_get_viewdef(rel), ';'));
	ELSIF relation IN ('all_networks', 'all_instances', 'all_nics') AND NOT tenant THEN
		result := format('(%s)', vmnet_internal.attached_canonical(substring(relation FROM 5),
			(SELECT jsonb_object_agg(r.name, '(' || rtrim(pg_get_viewdef(r.view), ';') || ')')
			FROM (SELECT n, to_regclass(format('%I.%I', inventory, 'attached_' || n))
				FROM unnest(ARRAY['networks', 'instances', 'nics']) n) r (name, view)
			WHERE r.view IS NOT NULL),
			(SELECT coalesce(array_agg(DISTINCT rtrim(substring(p.relname FROM 10), 's')), '{}')
			FROM pg_catalog.pg_rewrite w
				JOIN pg_catalog.pg_depend d ON d.classid = 'pg_catalog.pg_rewrite'::regclass AND d.objid = w.oid
					AND d.refclassid = 'pg_catalog.pg_class'::regclass
				JOIN pg_catalog.pg_class p ON p.oid = d.refobjid AND p.relname IN ('attached_networks', 'attached_instances')
			WHERE w.ev_class = format('%I.all_nics', inventory)::regclass)));
	END IF;
	IF (SELECT o.view IS NOT NULL FROM vmnet_internal.attached_other_keys(inventory) o) THEN
		result := (SELECT format('(SELECT %s FROM %s x)', string_agg(format(
				CASE WHEN a.attname IN ('nic_id', 'network_id', 'instance_id', 'from_network_id', 'source_network_id')
						OR a.attname = 'id' AND relation <> 'all_nic_secondary_ips'
					THEN 'x.%1$I::text AS %1$I' ELSE 'x.%1$I' END, a.attname), ', ' ORDER BY a.attnum), result)
			FROM pg_catalog.pg_attribute a WHERE a.attrelid = rel AND a.attnum > 0 AND NOT a.attisdropped);
	END IF;
	RETURN result;
END
$$;
COMMENT ON FUNCTION vmnet_internal.report_relation(text, text, text, boolean) IS
'Part of create_report(): what a reporting view reads for a relation of the inventory';

-- The OID of a schema, by the row type of one of its relations.  A constant of
-- type regnamespace would be written out as a name.
CREATE FUNCTION vmnet_internal.report_namespace(schema_name text, relation text)
RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $$
SELECT format('(SELECT y.typnamespace FROM pg_catalog.pg_type y WHERE y.oid = pg_catalog.pg_typeof(NULL::%I.%I))', $1, $2)
$$;
COMMENT ON FUNCTION vmnet_internal.report_namespace(text, text) IS
'Part of create_report(): the expression for the OID of a schema in a view';

-- Puts what they stand for into a query, in one pass: what has been put there
-- is not looked at again.  What is in parentheses needs an alias; where a word of
-- SQL, in capitals, follows a relation, it has none.
CREATE FUNCTION vmnet_internal.report_fill(query text, inventory text, kind text, tenant boolean)
RETURNS text
LANGUAGE sql STABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $$
WITH template AS (
	SELECT CASE $3 WHEN 'attached' THEN regexp_replace($1, '(\{inv\}\.(\w+))(?=\s*$|\s*[),]|\s+[A-Z])', '\1 \2', 'g') ELSE $1 END AS text,
		'\{inv\}\.\w+|\{inv\}|\{namespace\}|\{name\}|\{schema\}' AS token
), value AS MATERIALIZED (
	SELECT t.token, CASE
		WHEN t.token = '{namespace}' THEN vmnet_internal.report_namespace($2, 'inventory_info')
		WHEN t.token IN ('{name}', '{schema}') THEN format('(SELECT %s FROM pg_catalog.pg_namespace z WHERE z.oid = %s)',
			CASE t.token WHEN '{name}' THEN 'pg_catalog.quote_ident(z.nspname)' ELSE 'z.nspname::text' END,
			vmnet_internal.report_namespace($2, 'inventory_info'))
		WHEN t.token = '{inv}' THEN quote_ident($2)
		ELSE vmnet_internal.report_relation($2, $3, substring(t.token FROM 7), $4) END AS value
	FROM (SELECT DISTINCT m.m[1] AS token FROM template, regexp_matches(text, '(' || template.token || ')', 'g') m (m)) t
)
SELECT string_agg(p.piece || coalesce(v.value, ''), '' ORDER BY p.ord)
FROM template
	CROSS JOIN LATERAL regexp_split_to_table(text, template.token) WITH ORDINALITY p (piece, ord)
	LEFT JOIN LATERAL regexp_matches(text, '(' || template.token || ')', 'g') WITH ORDINALITY m (m, ord) ON m.ord = p.ord
	LEFT JOIN value v ON v.token = m.m[1]
$$;
COMMENT ON FUNCTION vmnet_internal.report_fill(text, text, text, boolean) IS
'Part of create_report(): a query with what stands for the inventory and its relations';

-- The query of a reporting view, for one inventory.
CREATE FUNCTION vmnet_internal.report_query(name text, query text, inventory text, kind text, source text, report_schema text,
	tenant boolean)
RETURNS text
LANGUAGE sql STABLE PARALLEL RESTRICTED
SET search_path = pg_catalog, pg_temp
AS $$
SELECT CASE WHEN position('{report}' IN $2) > 0 THEN replace($2, '{report}', vmnet_internal.report_namespace($6, 'networks'))
	ELSE vmnet_internal.report_fill(replace(replace(replace(replace(
		CASE WHEN position('{metrics}' IN $2) > 0 THEN vmnet_internal.report_metrics($2) ELSE $2 END,
		'{network_counts}', (SELECT d.query FROM vmnet_internal.report_definition($4) d WHERE d.name = 'network_counts')),
		'{network_ip_usage}', (SELECT d.query FROM vmnet_internal.report_definition($4) d WHERE d.name = 'network_ip_usage')),
		'{findings}', CASE WHEN position('{findings}' IN $2) > 0 THEN vmnet_internal.report_findings($3, $4, $5, $7) ELSE '' END),
		'{network_instance_intervals}', replace(vmnet_internal.report_source($4, 'network_instance_intervals'),
			'{inv}.nic_intervals', '(' || vmnet_internal.report_source($4, 'nic_intervals') || ')')), $3, $4, $7)
	-- by which report_schemas() knows it, and DROP SCHEMA ... CASCADE
	|| CASE WHEN $4 = 'attached' AND $1 = 'networks' THEN format(' AND NULL::%I.all_networks IS NULL', $3) ELSE '' END END
$$;
COMMENT ON FUNCTION vmnet_internal.report_query(text, text, text, text, text, text, boolean) IS
'Part of create_report(): the query of a reporting view, for one inventory';

-- Why an inventory has not what a reporting view needs; no row where it has.
CREATE FUNCTION vmnet_internal.report_left_out(inventory text, kind text)
RETURNS TABLE (name text, why text)
LANGUAGE sql STABLE PARALLEL RESTRICTED
SET search_path = pg_catalog, pg_temp
AS $$
SELECT 'nic_history', k.detail FROM vmnet_internal.history_kept($1::name) k WHERE NOT k.kept
UNION ALL
SELECT n.name, format('There is no %s.', string_agg(DISTINCT l.lacks, ', ' ORDER BY l.lacks))
FROM vmnet_internal.report_definition($2) n
	CROSS JOIN LATERAL (
		-- from 18 on the planner knows the arguments, and would look for itself
		SELECT u FROM unnest(CASE WHEN $2 = 'attached' THEN vmnet_internal.attached_lacks($1) END) u WHERE u = ANY (n.needs)
		UNION ALL
		SELECT u || ' with a time' FROM unnest(CASE WHEN $2 = 'attached' THEN vmnet_internal.attached_untimed($1) END) u
			WHERE n.timed) l (lacks)
WHERE $2 = 'attached'
GROUP BY n.name
$$;
COMMENT ON FUNCTION vmnet_internal.report_left_out(text, text) IS
'Part of create_report(): the views that there cannot be for an inventory, and why';
