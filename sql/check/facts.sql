--
-- Rules of an inventory, compared with the catalogs
--

-- What an inventory of a kind should have.  sort: table, column, constraint,
-- index, view (that reads with its reader's rights), plain view, reads or default.
-- fact: of a column its type, how it is generated and NOT NULL; of a constraint
-- and an index its definition, with %1$s for the inventory; of a view its columns;
-- of reads the columns that a view has to read, and conditions that it has to have;
-- of default an expression, or NULL for any.  Over attached tables an inventory has
-- tables of history only, whose keys have the types of the keys of those; a live
-- one has none.  What is a table in others is a view there.
CREATE FUNCTION vmnet_internal.check_expected_facts(kind text)
RETURNS TABLE (relation text, sort text, object text, fact text)
LANGUAGE sql IMMUTABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $$
WITH tables AS (
	SELECT t.relation FROM vmnet_internal.inventory_tables($1) t WHERE $1 = ANY (t.kinds)
)
SELECT t.relation, 'table', NULL, NULL FROM tables t
UNION ALL
SELECT c.relation, 'column', c.name, format_type(c.type::regtype, NULL)
	|| CASE WHEN c.how = 'generated' THEN ' GENERATED ALWAYS AS (' || c.expression || ') STORED' ELSE '' END
	|| CASE WHEN $1 = ANY (c.required_in) THEN ' NOT NULL' ELSE '' END
FROM vmnet_internal.inventory_columns() c JOIN tables t ON t.relation = c.relation
WHERE $1 <> 'attached' OR c.key IS NULL
UNION ALL
-- What numbers the rows may be any default.  Those of other columns are for users
-- to change, but for what history says of itself.
SELECT c.relation, 'default', c.name, c.expression
FROM vmnet_internal.inventory_columns() c JOIN tables t ON t.relation = c.relation
WHERE $1 = ANY (c.required_in) AND (c.how = 'serial' OR c.how = 'default' AND c.relation !~ '^all_')
UNION ALL
SELECT o.relation, CASE WHEN o.sort ~ 'index' THEN 'index' ELSE 'constraint' END, o.name, CASE
	WHEN o.sort ~ 'index' THEN concat(CASE o.sort WHEN 'unique index' THEN 'UNIQUE ' END, 'USING btree (', k.columns, ')', ' ' || o.body,
		' WHERE ' || o.condition)
	WHEN o.sort = 'check' THEN format('CHECK (%s)', o.body)
	ELSE concat(upper(o.sort), ' (', k.columns, ')', ' ' || replace(o.body, '%1$I', '%1$s')) END
FROM vmnet_internal.inventory_objects($1, '{keys,references,indexes,rules}') o
	CROSS JOIN LATERAL (SELECT string_agg(quote_ident(c), ', ') FROM unnest(o.columns) c) k (columns)
WHERE o.sort IN ('primary key', 'unique', 'unique nulls not distinct', 'foreign key', 'check', 'index', 'unique index')
UNION ALL
SELECT v.view, CASE WHEN $1 = 'live' OR v.view = 'inventory_info' THEN 'plain view' ELSE 'view' END, NULL,
	coalesce(array_to_string(v.columns, ', '), (
		SELECT string_agg(c.name, ', ' ORDER BY c.ord)
		FROM vmnet_internal.inventory_columns() c
		WHERE c.relation = 'all_' || v.view AND c.in_view))
FROM vmnet_internal.inventory_view_columns() v
WHERE $1 <> 'reality'
UNION ALL
SELECT v.name, 'view', NULL, array_to_string(v.columns, ', ')
FROM vmnet_internal.reality_views() v
WHERE $1 = 'reality'
UNION ALL
SELECT v.view, 'reads', NULL, array_to_string(v.reads, ', ')
FROM vmnet_internal.inventory_view_columns() v
WHERE $1 IN ('managed', 'mirror')
UNION ALL
SELECT t.relation, 'plain view', NULL,
	(SELECT string_agg(c.name, ', ' ORDER BY c.ord) FROM vmnet_internal.inventory_columns() c WHERE c.relation = t.relation)
FROM vmnet_internal.inventory_tables('managed') t
WHERE $1 IN ('attached', 'live') AND 'managed' = ANY (t.kinds) AND t.relation NOT IN (SELECT o.relation FROM tables o)
$$;
COMMENT ON FUNCTION vmnet_internal.check_expected_facts(text) IS
'Part of check_inventory(): what an inventory of a kind should have, as the catalogs tell it';

-- What an inventory should have: what its kind has, and what enable_reality() has
-- added to it.
CREATE FUNCTION vmnet_internal.check_expected(inventory_name text, kind text)
RETURNS TABLE (relation text, sort text, object text, fact text)
LANGUAGE sql STABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $$
SELECT * FROM vmnet_internal.check_expected_facts($2)
UNION ALL
SELECT * FROM vmnet_internal.check_expected_facts('reality') WHERE vmnet_internal.has_reality($1)
$$;
COMMENT ON FUNCTION vmnet_internal.check_expected(text, text) IS
'Part of check_inventory(): what an inventory should have, as the catalogs tell it';

-- What is expected, with the relation that there is.
CREATE FUNCTION vmnet_internal.check_relations(inventory_name text, kind text)
RETURNS TABLE (relation text, sort text, object text, fact text, schema_id oid, schema text, name text,
	relid oid, classid oid, relkind "char", relpersistence "char", reloptions text[])
LANGUAGE sql STABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $$
SELECT x.relation, x.sort, x.object, replace(x.fact, '%1$s', quote_ident(s.nspname)), s.oid, quote_ident(s.nspname),
	quote_ident(s.nspname) || '.' || x.relation, c.oid, c.tableoid, c.relkind, c.relpersistence, c.reloptions
FROM pg_catalog.pg_namespace s
	CROSS JOIN vmnet_internal.check_expected($1, $2) x
	LEFT JOIN pg_catalog.pg_class c ON c.relnamespace = s.oid AND c.relname = x.relation
WHERE s.nspname = $1
$$;
COMMENT ON FUNCTION vmnet_internal.check_relations(text, text) IS
'Part of check_inventory(): check_expected() with the relations of an inventory';

-- A constraint and an index are known by what they are, not by their name, so
-- that one which was renamed, or made anew, is as good.  Texts are compared
-- without quotes, spaces, parentheses and what PostgreSQL adds: no rule has
-- operators that parentheses could group in another way.
CREATE FUNCTION vmnet_internal.check_keys(inventory_name text, kind text)
RETURNS TABLE (code text, message text, fix text)
LANGUAGE sql STABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $$
WITH expected AS MATERIALIZED (
	SELECT * FROM vmnet_internal.check_relations($1, $2) e WHERE e.sort IN ('table', 'constraint', 'index') AND e.relkind IN ('r', 'p')
), found AS MATERIALIZED (
	SELECT 'constraint' AS sort, b.relid, k.conname::text AS name, pg_get_constraintdef(k.oid) AS fact,
		-- one that refers to a table of the same name elsewhere is another one
		k.confrelid = 0 OR (SELECT r.relnamespace FROM pg_catalog.pg_class r WHERE r.oid = k.confrelid) = b.schema_id AS in_force
	FROM expected b
		JOIN pg_catalog.pg_constraint k ON k.conrelid = b.relid AND k.contype IN ('c', 'f', 'p', 'u')
	WHERE b.sort = 'table'
	UNION ALL
	SELECT 'index', b.relid, c.relname, p.prefix || substr(pg_get_indexdef(i.indexrelid),
			length(format('CREATE %sINDEX %I ON %s%s.%I ', p.prefix, c.relname, CASE c.relkind WHEN 'I' THEN 'ONLY ' END, b.schema,
				b.relation)) + 1),
		i.indisvalid AND i.indisready AND i.indimmediate
	FROM expected b
		JOIN pg_catalog.pg_index i ON i.indrelid = b.relid
		JOIN pg_catalog.pg_class c ON c.oid = i.indexrelid
		CROSS JOIN (VALUES (true, 'UNIQUE '), (false, '')) p (is_unique, prefix)
	WHERE b.sort = 'table' AND p.is_unique = i.indisunique
), compared AS MATERIALIZED (
	SELECT t.*, regexp_replace(regexp_replace(translate(regexp_replace(
		replace(t.fact, ' REFERENCES ' || t.schema || '.', ' REFERENCES '), ' WITH \([^)]*\)', ''), E'\t\n "()', ''),
		'::text|pg_catalog\.', '', 'g'), '=ANYARRAY\[([^]]*)\]', 'IN\1', 'g') AS plain
	FROM (
		SELECT true AS is_expected, e.sort, e.relid, e.object AS name, e.fact, true AS in_force, e.name AS relation, e.schema
		FROM expected e
		WHERE e.sort <> 'table'
		UNION ALL
		SELECT false, f.sort, f.relid, f.name, f.fact, f.in_force, NULL, (SELECT e.schema FROM expected e LIMIT 1)
		FROM found f) t
), lacking AS (
	SELECT d.sort, d.name AS object, d.relation AS name, d.schema, d.plain, d.fact, d.sort = 'constraint' OR d.fact ~ '^UNIQUE ' AS is_rule,
		n.name IS NOT NULL AS is_other, n.fact AS other, CASE WHEN n.in_force THEN n.plain END AS other_plain
	FROM compared d
		LEFT JOIN compared n ON NOT n.is_expected AND n.sort = d.sort AND n.relid = d.relid AND n.name = d.name
	WHERE d.is_expected AND NOT EXISTS (
		SELECT FROM compared o WHERE NOT o.is_expected AND o.in_force AND o.sort = d.sort AND o.relid = d.relid AND o.plain = d.plain)
)
SELECT CASE WHEN l.is_rule THEN 'rule_missing' ELSE 'index_missing' END,
	CASE WHEN NOT l.is_other THEN format('%s has no %s %I: %s', l.name, l.sort, l.object, l.fact)
		WHEN l.other_plain IS NULL AND l.sort = 'index' THEN format('index %I of %s is invalid', l.object, l.name)
		ELSE format('%s %I of %s is not %s, but %s', l.sort, l.object, l.name, l.fact, l.other) END,
	CASE l.sort WHEN 'index' THEN
			CASE WHEN l.is_other THEN format('DROP INDEX %s.%I; ', l.schema, l.object) ELSE '' END
				|| format('CREATE %sINDEX %I ON %s %s;', substring(l.fact FROM '^UNIQUE '), l.object, l.name,
					substring(l.fact FROM 'USING .*'))
		ELSE format('ALTER TABLE %s ', l.name) || CASE
			WHEN NOT l.is_other THEN format('ADD CONSTRAINT %I %s;', l.object, l.fact)
			WHEN l.other_plain = l.plain || 'NOTVALID' THEN format('VALIDATE CONSTRAINT %I;', l.object)
			WHEN l.fact ~ '^FOREIGN KEY' AND l.other_plain IN (l.plain || 'DEFERRABLE', l.plain || 'DEFERRABLEINITIALLYDEFERRED')
				THEN format('ALTER CONSTRAINT %I NOT DEFERRABLE;', l.object)
			ELSE format('DROP CONSTRAINT %1$I, ADD CONSTRAINT %1$I %2$s;', l.object, l.fact) END END
FROM lacking l
$$;
COMMENT ON FUNCTION vmnet_internal.check_keys(text, text) IS
'Part of check_inventory(): constraints and indexes that an inventory lacks, with the statement that mends each';

CREATE FUNCTION vmnet_internal.check_columns(inventory_name text, kind text)
RETURNS TABLE (code text, message text, fix text)
LANGUAGE sql STABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $$
WITH expected AS MATERIALIZED (
	SELECT * FROM vmnet_internal.check_relations($1, $2) e WHERE e.sort IN ('column', 'default')
)
SELECT 'column_differs',
	CASE WHEN a.attname IS NULL THEN format('%s has no column %I: %s', e.name, e.object, e.fact)
		ELSE format('column %I of %s is not %s, but %s', e.object, e.name, e.fact,
			v.fact || CASE WHEN a.attnotnull THEN ' NOT NULL' ELSE '' END) END,
	CASE WHEN a.attname IS NULL AND e.fact !~ ' NOT NULL$' THEN format('ALTER TABLE %s ADD COLUMN %I %s;', e.name, e.object, e.fact)
		WHEN e.fact = v.fact || ' NOT NULL' THEN format('ALTER TABLE %s ALTER COLUMN %I SET NOT NULL;', e.name, e.object)
		-- nor can the type of a column change that a view reads
		WHEN a.attgenerated = '' AND e.fact !~ ' GENERATED ' AND NOT EXISTS (
			SELECT FROM pg_catalog.pg_depend p JOIN pg_catalog.pg_rewrite r ON r.oid = p.objid AND r.tableoid = p.classid
			WHERE p.refclassid = e.classid AND p.refobjid = e.relid AND p.refobjsubid = a.attnum)
			THEN format('ALTER TABLE %s ALTER COLUMN %I TYPE %s;', e.name, e.object, replace(e.fact, ' NOT NULL', '')) END
FROM expected e
	LEFT JOIN pg_catalog.pg_attribute a ON a.attrelid = e.relid AND a.attname = e.object AND NOT a.attisdropped
	LEFT JOIN pg_catalog.pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum AND a.attgenerated <> ''
	CROSS JOIN LATERAL (SELECT format_type(a.atttypid, a.atttypmod)
		-- 100 is the collation of the database
		|| CASE WHEN a.attcollation IN (0, 100) THEN '' ELSE ' COLLATE '
			|| (SELECT o.collname FROM pg_catalog.pg_collation o WHERE o.oid = a.attcollation) END
		|| coalesce(' GENERATED ALWAYS AS (' || pg_get_expr(d.adbin, d.adrelid)
			|| CASE a.attgenerated WHEN 's' THEN ') STORED' ELSE ') VIRTUAL' END, '')) v (fact)
WHERE e.sort = 'column' AND e.relkind IN ('r', 'p')
	AND (e.fact = v.fact OR a.attnotnull AND e.fact = v.fact || ' NOT NULL'
		OR translate(replace(e.fact, 'pg_catalog.', ''), E'\t\n "()', '')
			= regexp_replace(translate(v.fact || CASE WHEN e.fact ~ ' NOT NULL$' AND a.attnotnull THEN ' NOT NULL' ELSE '' END,
				E'\t\n "()', ''),
				'::text|pg_catalog\.|ELSENULL::timestampwithtimezone', '', 'g')) IS NOT TRUE
UNION ALL
SELECT 'column_differs',
	format('column %I of %s has %s', e.object, e.name,
		CASE WHEN d.oid IS NULL THEN 'no default' ELSE format('the default %s, not %s', d.fact, e.fact) END),
	format('ALTER TABLE %s ALTER COLUMN %I SET DEFAULT %s;', e.name, e.object,
		coalesce(e.fact, format('nextval(%L)', pg_get_serial_sequence(e.name, e.object))))
FROM expected e
	JOIN pg_catalog.pg_attribute a ON a.attrelid = e.relid AND a.attname = e.object AND NOT a.attisdropped
	LEFT JOIN LATERAL (
		SELECT d.oid, pg_get_expr(d.adbin, d.adrelid) AS fact
		FROM pg_catalog.pg_attrdef d
		WHERE d.adrelid = e.relid AND d.adnum = a.attnum) d ON true
WHERE e.sort = 'default' AND e.relkind IN ('r', 'p') AND a.attidentity = ''
	AND (d.oid IS NULL OR regexp_replace(d.fact, '\mpg_catalog"?\.|::"?text"?|[\s"]', '', 'g')
		<> regexp_replace(e.fact, '\mpg_catalog\.|[\s"]', '', 'g'))
UNION ALL
-- The numbers of history are the order in which things happened, so that no
-- session may take some for later.
SELECT 'column_differs',
	format('sequence %s gives column %I of %s numbers out of order: CACHE %s, INCREMENT %s, %sCYCLE', v.name, e.object, e.name,
		q.seqcache, q.seqincrement, CASE WHEN q.seqcycle THEN '' ELSE 'NO ' END),
	format('ALTER SEQUENCE %s CACHE 1 INCREMENT %s NO CYCLE;', v.name, abs(q.seqincrement))
FROM expected e
	JOIN pg_catalog.pg_attribute a ON a.attrelid = e.relid AND a.attname = e.object AND NOT a.attisdropped
	CROSS JOIN LATERAL (
		SELECT p.refobjid AS oid
		FROM pg_catalog.pg_attrdef d
			JOIN pg_catalog.pg_depend p ON p.classid = d.tableoid AND p.objid = d.oid AND p.refclassid = e.classid
		WHERE d.adrelid = e.relid AND d.adnum = a.attnum
		UNION
		-- of an identity column
		SELECT p.objid
		FROM pg_catalog.pg_depend p
		WHERE p.classid = e.classid AND p.refclassid = e.classid AND p.refobjid = e.relid AND p.refobjsubid = a.attnum
			AND p.deptype = 'i') s
	JOIN pg_catalog.pg_sequence q ON q.seqrelid = s.oid
	JOIN pg_catalog.pg_class c ON c.oid = q.seqrelid
	JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
	CROSS JOIN LATERAL (SELECT format('%I.%I', n.nspname, c.relname)) v (name)
WHERE e.sort = 'default' AND e.relation ~ '^nic_' AND e.relkind IN ('r', 'p')
	AND (q.seqcache > 1 OR q.seqincrement < 0 OR q.seqcycle)
$$;
COMMENT ON FUNCTION vmnet_internal.check_columns(text, text) IS
'Part of check_inventory(): columns and defaults that differ from the definition of an inventory, with the statement that mends each';

CREATE FUNCTION vmnet_internal.check_views(inventory_name text, kind text)
RETURNS TABLE (code text, message text, fix text)
LANGUAGE sql STABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $$
WITH expected AS MATERIALIZED (
	SELECT * FROM vmnet_internal.check_relations($1, $2) e WHERE e.sort IN ('view', 'plain view', 'reads')
)
SELECT 'view_differs',
	CASE WHEN e.relid IS NULL THEN format('there is no view %s', e.name)
		WHEN e.relkind <> 'v' THEN format('%s is no view', e.name)
		WHEN m.columns IS NOT NULL THEN format('view %s lacks: %s', e.name, m.columns)
		WHEN t.columns IS NOT NULL THEN format('view %s has columns of other types than its table: %s', e.name, t.columns)
		WHEN u.columns IS NOT NULL THEN format('view %s does not read: %s', e.name, u.columns)
		ELSE format('view %s reads with the rights of its owner, not with those of its reader', e.name) END,
	CASE WHEN e.relkind = 'v' AND num_nonnulls(m.columns, t.columns, u.columns) = 0
		THEN format('ALTER VIEW %s SET (security_invoker = true);', e.name) END
FROM expected e
	LEFT JOIN expected y ON y.sort = 'reads' AND y.relation = e.relation
	CROSS JOIN LATERAL (
		SELECT string_agg(w.name, ', ' ORDER BY w.ord)
		FROM unnest(string_to_array(e.fact, ', ')) WITH ORDINALITY w (name, ord)
		WHERE NOT EXISTS (
			SELECT FROM pg_catalog.pg_attribute a
			WHERE a.attrelid = e.relid AND a.attname = w.name AND NOT a.attisdropped)) m (columns)
	CROSS JOIN LATERAL (
		SELECT string_agg(v.attname, ', ' ORDER BY v.attnum)
		FROM pg_catalog.pg_class b
			JOIN pg_catalog.pg_attribute a ON a.attrelid = b.oid AND a.attnum > 0 AND NOT a.attisdropped
			JOIN pg_catalog.pg_attribute v ON v.attrelid = e.relid AND v.attname = a.attname
		WHERE b.relnamespace = e.schema_id AND b.relname = 'all_' || e.relation AND b.relkind IN ('r', 'p')
			AND (v.atttypid, v.atttypmod) <> (a.atttypid, a.atttypmod)) t (columns)
	CROSS JOIN LATERAL (
		SELECT array_agg(b.relname || '.' || a.attname)
		FROM pg_catalog.pg_rewrite r
			JOIN pg_catalog.pg_depend p ON p.classid = r.tableoid AND p.objid = r.oid AND p.refclassid = e.classid
			JOIN pg_catalog.pg_class b ON b.oid = p.refobjid AND b.relnamespace = e.schema_id
			JOIN pg_catalog.pg_attribute a ON a.attrelid = b.oid AND a.attnum = p.refobjsubid
		WHERE r.ev_class = e.relid) d (columns)
	CROSS JOIN LATERAL (
		SELECT string_agg(w.name, ', ' ORDER BY w.ord)
		FROM unnest(string_to_array(y.fact, ', ')) WITH ORDINALITY w (name, ord)
		WHERE (w.name = ANY (d.columns)) IS NOT TRUE
			-- a condition on a column that the view passes on; active says the same
			AND (w.name !~ ' IS NULL$' OR (split_part(w.name, '.', 1) || '.active' = ANY (d.columns)) IS NOT TRUE
				AND strpos(translate(pg_get_viewdef(e.relid), '"', ''), split_part(w.name, '.', 2)) = 0)) u (columns)
WHERE e.sort IN ('view', 'plain view')
	AND (e.relkind IS DISTINCT FROM 'v' OR num_nonnulls(m.columns, t.columns, u.columns) > 0
		OR e.sort = 'view' AND (array_to_string(e.reloptions, ' ') ~ '\msecurity_invoker=(t|y|on|1)') IS NOT TRUE)
UNION ALL
SELECT 'view_differs', format('view %s has a rule, %I, which rewrites what is written to it', e.name, r.rulename),
	format('DROP RULE %I ON %s;', r.rulename, e.name)
FROM expected e
	JOIN pg_catalog.pg_rewrite r ON r.ev_class = e.relid AND r.ev_type <> '1' AND r.ev_enabled IN ('O', 'A')
WHERE e.sort IN ('view', 'plain view') AND e.relkind = 'v'
$$;
COMMENT ON FUNCTION vmnet_internal.check_views(text, text) IS
'Part of check_inventory(): views that differ from the definition of an inventory, with the statement that mends each';

CREATE FUNCTION vmnet_internal.check_tables(inventory_name text, kind text)
RETURNS TABLE (code text, message text, fix text)
LANGUAGE sql STABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $$
WITH expected AS MATERIALIZED (
	SELECT * FROM vmnet_internal.check_relations($1, $2) e WHERE e.sort = 'table'
)
SELECT 'table_differs',
	CASE WHEN e.relid IS NULL THEN format('there is no table %s', e.name)
		WHEN e.relkind NOT IN ('r', 'p') THEN format('%s is no table', e.name)
		ELSE format('table %s is unlogged: a crash empties it', e.name) END,
	CASE WHEN e.relkind IN ('r', 'p') THEN format('ALTER TABLE %s SET LOGGED;', e.name) END
FROM expected e
WHERE (e.relkind IS NULL OR e.relkind NOT IN ('r', 'p') OR e.relpersistence <> 'p')
UNION ALL
SELECT 'table_differs', format('table %s has a rule, %I, which rewrites what is written to it', b.name, r.rulename),
	format('DROP RULE %I ON %s;', r.rulename, b.name)
FROM expected b
	JOIN pg_catalog.pg_rewrite r ON r.ev_class = b.relid AND r.ev_enabled IN ('O', 'A')
WHERE b.relkind IN ('r', 'p')
$$;
COMMENT ON FUNCTION vmnet_internal.check_tables(text, text) IS
'Part of check_inventory(): tables that are missing, unlogged or have rules, with the statement that mends each';

CREATE FUNCTION vmnet_internal.check_rules(inventory_name text, kind text)
RETURNS TABLE (code text, message text, fix text)
LANGUAGE sql STABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $$
SELECT * FROM vmnet_internal.check_keys($1, $2)
UNION ALL
SELECT * FROM vmnet_internal.check_columns($1, $2)
UNION ALL
SELECT * FROM vmnet_internal.check_views($1, $2)
UNION ALL
SELECT * FROM vmnet_internal.check_tables($1, $2)
$$;
COMMENT ON FUNCTION vmnet_internal.check_rules(text, text) IS
'Part of check_inventory(): in what an inventory differs from its definition, with the statement that mends each';
