--
-- What keeps tables from being attached, and what is then not checked
--

-- Is each row told by this column?  Children that inherit share no index; of a
-- view nobody knows.
CREATE FUNCTION vmnet_internal.attached_unique(rel regclass, column_name text)
RETURNS boolean
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
SELECT c.relkind NOT IN ('r', 'p') OR EXISTS (
		SELECT FROM pg_catalog.pg_index x JOIN pg_catalog.pg_attribute a ON a.attrelid = x.indrelid AND a.attnum = x.indkey[0]
		WHERE x.indrelid = $1 AND x.indisunique AND x.indisvalid AND x.indnkeyatts = 1 AND x.indpred IS NULL AND a.attname = $2)
	AND NOT (c.relkind = 'r' AND EXISTS (SELECT FROM pg_catalog.pg_inherits h WHERE h.inhparent = $1))
FROM pg_catalog.pg_class c WHERE c.oid = $1
$$;
COMMENT ON FUNCTION vmnet_internal.attached_unique(regclass, text) IS
'Part of attach_inventory(): whether a unique index keeps the values of a column apart; true for a view';

-- The collation in which a column of NICs is compared with the key that it
-- refers to: that of the key, as for a foreign key.  NULL where it need not be
-- said, since both columns hold the same for equal and one yields to the other.
CREATE FUNCTION vmnet_internal.attached_collation(nics regclass, nic_column text, parent regclass, key text)
RETURNS text
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
SELECT format('%I.%I', s.nspname, k.collname)
FROM pg_catalog.pg_attribute a
	JOIN pg_catalog.pg_collation n ON n.oid = a.attcollation
	CROSS JOIN pg_catalog.pg_attribute b
	JOIN pg_catalog.pg_collation k ON k.oid = b.attcollation
	JOIN pg_catalog.pg_namespace s ON s.oid = k.collnamespace
WHERE a.attrelid = $1 AND a.attname = $2 AND b.attrelid = $3 AND b.attname = $4 AND n.oid <> k.oid
	AND NOT (n.collisdeterministic AND k.collisdeterministic AND 'default' IN (n.collname, k.collname))
$$;
COMMENT ON FUNCTION vmnet_internal.attached_collation(regclass, text, regclass, text) IS
'Part of attach_inventory(): the collation in which a column of NICs is compared with the key that it refers to; NULL where it need not '
'be said';

CREATE FUNCTION vmnet_internal.attached_refuse(inventory text, problems text[],
	message text DEFAULT 'these tables cannot be attached as inventory "%s"',
	hint text DEFAULT 'columns says which column is meant, as {"nics": {"network_id": "net_id", "removed": {"column": "deleted", '
		'"removed_when": "not_zero", "time": "deleted_at"}}}.')
RETURNS void
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	IF cardinality(problems) > 0 THEN
		RAISE EXCEPTION USING
			ERRCODE = 'invalid_parameter_value',
			MESSAGE = format(message, inventory),
			DETAIL = array_to_string(problems, E'\n'),
			HINT = hint;
	END IF;
END
$$;
COMMENT ON FUNCTION vmnet_internal.attached_refuse(text, text[], text, text) IS
'Part of attach_inventory(): one error that lists all that is in the way (22023)';

-- What is wrong with the call itself, before any table is looked at closely.
CREATE FUNCTION vmnet_internal.attached_problems(nics regclass, networks regclass, instances regclass, columns jsonb, mode text)
RETURNS text[]
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
SELECT coalesce(array_agg(p.p), '{}') FROM (
	SELECT 'nics: a table is needed' WHERE $1 IS NULL
	UNION ALL SELECT format('mode "%s" is unknown; there are enforce, warn, read_only', coalesce($5, 'NULL'))
	WHERE $5 IS NULL OR $5 NOT IN ('enforce', 'warn', 'read_only')
	UNION ALL SELECT 'columns must be a JSON object of JSON objects, by table'
	WHERE jsonb_typeof($4) IS DISTINCT FROM 'object'
	UNION ALL SELECT format('columns: "%s" is unknown or not a JSON object; there are nics, networks, instances, states', e.key)
	FROM jsonb_each(CASE jsonb_typeof($4) WHEN 'object' THEN $4 ELSE '{}' END) e
	WHERE e.key NOT IN ('nics', 'networks', 'instances', 'states') OR jsonb_typeof(e.value) <> 'object'
	UNION ALL SELECT format('columns: %s has no canonical column "%s"', e.key, f.key)
	FROM jsonb_each(CASE jsonb_typeof($4) WHEN 'object' THEN $4 ELSE '{}' END) e,
		jsonb_object_keys(CASE jsonb_typeof(e.value) WHEN 'object' THEN e.value ELSE '{}' END) f (key)
	WHERE e.key IN ('nics', 'networks', 'instances')
		AND NOT EXISTS (SELECT FROM vmnet_internal.attached_columns() a WHERE a.relation = e.key AND a.name = f.key)
		AND NOT (e.key = 'nics' AND f.key = 'states') AND NOT (e.key <> 'nics' AND f.key = 'key')
	UNION ALL SELECT format('columns: %s.%s must be the name of a column, or null%s', e.key, f.key,
		CASE f.key WHEN 'removed' THEN ', or an object with "column", and "removed_when" and "time" if they are needed, each a text'
			ELSE '' END)
	FROM jsonb_each(CASE jsonb_typeof($4) WHEN 'object' THEN $4 ELSE '{}' END) e,
		jsonb_each(CASE jsonb_typeof(e.value) WHEN 'object' THEN e.value ELSE '{}' END) f
	WHERE e.key IN ('nics', 'networks', 'instances') AND f.key <> 'states' AND jsonb_typeof(f.value) NOT IN ('string', 'null')
		AND NOT (f.key = 'removed' AND jsonb_typeof(f.value) = 'object' AND f.value ? 'column' AND NOT EXISTS (
			SELECT FROM jsonb_each(CASE jsonb_typeof(f.value) WHEN 'object' THEN f.value ELSE '{}' END) o
			WHERE o.key NOT IN ('column', 'removed_when', 'time') OR jsonb_typeof(o.value) <> 'string'))
	UNION ALL SELECT format('columns: states must map each of their states to the name of one, but "%s" is %s', t.key, t.value)
	FROM (VALUES ($4->'states'), ($4->'nics'->'states')) v (states), jsonb_each(CASE jsonb_typeof(v.states) WHEN 'object' THEN v.states
		ELSE '{}' END) t
	WHERE jsonb_typeof(t.value) <> 'string'
	UNION ALL SELECT 'columns: states must be a JSON object' WHERE jsonb_typeof($4 #> '{nics,states}') <> 'object'
	UNION ALL SELECT format('columns: "%s" is mapped, but no such table is given', t.relation)
	FROM (VALUES ('networks', $2), ('instances', $3)) t (relation, rel)
	WHERE t.rel IS NULL AND jsonb_typeof($4->t.relation) = 'object' AND $4->t.relation <> '{}'
	UNION ALL SELECT format('%s: table %s has children, which its guards would not see; only mode read_only can have it', t.what, t.rel)
	FROM (VALUES ('nics', $1), ('networks', $2), ('instances', $3)) t (what, rel) JOIN pg_catalog.pg_class c ON c.oid = t.rel
	WHERE c.relkind = 'r' AND $5 <> 'read_only' AND EXISTS (SELECT FROM pg_catalog.pg_inherits h WHERE h.inhparent = t.rel)
	UNION ALL SELECT format('%s: %s is a %s; guards need an ordinary table, so only mode read_only can have it', t.what, t.rel,
		CASE c.relkind WHEN 'v' THEN 'view' WHEN 'm' THEN 'materialized view' WHEN 'f' THEN 'foreign table' WHEN 'p'
			THEN 'partitioned table' ELSE 'relation of another kind' END)
	FROM (VALUES ('nics', $1), ('networks', $2), ('instances', $3)) t (what, rel) JOIN pg_catalog.pg_class c ON c.oid = t.rel
	WHERE c.relkind <> 'r' AND ($5 <> 'read_only' OR c.relkind NOT IN ('v', 'm', 'f', 'p'))
	UNION ALL SELECT format('%s: table %s is temporary', t.what, t.rel)
	FROM (VALUES ('nics', $1), ('networks', $2), ('instances', $3)) t (what, rel) JOIN pg_catalog.pg_class c ON c.oid = t.rel
	WHERE c.relpersistence = 't') p (p)
$$;
COMMENT ON FUNCTION vmnet_internal.attached_problems(regclass, regclass, regclass, jsonb, text) IS
'Part of attach_inventory(): what is wrong with its arguments';

-- A policy hides rows from a guard never, but from who looks for violations.
CREATE FUNCTION vmnet_internal.attached_hidden(nics regclass, networks regclass, instances regclass)
RETURNS text
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
SELECT string_agg(t.rel::text, ', ' ORDER BY t.ord)
FROM unnest(ARRAY[$1, $2, $3]) WITH ORDINALITY t (rel, ord)
WHERE t.rel IS NOT NULL AND pg_catalog.row_security_active(t.rel::oid)
$$;
COMMENT ON FUNCTION vmnet_internal.attached_hidden(regclass, regclass, regclass) IS
'Part of attach_inventory(): the tables of which row-level policies may hide rows from the caller; NULL where there are none';

CREATE FUNCTION vmnet_internal.attached_refuse_hidden(inventory text, nics regclass, networks regclass, instances regclass)
RETURNS void
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	hidden text := vmnet_internal.attached_hidden(nics, networks, instances);
BEGIN
	IF hidden IS NOT NULL THEN
		RAISE EXCEPTION USING
			ERRCODE = 'insufficient_privilege',
			CONSTRAINT = 'attached_rows_hidden',
			SCHEMA = inventory,
			MESSAGE = format('inventory "%s" cannot enforce its rules: this role does not see every row', inventory),
			DETAIL = format('Row-level policies of %s may hide rows that violate them.', hidden),
			HINT = format('Ask as a role with BYPASSRLS, or take mode warn first and then say: SELECT vmnet.set_inventory_mode(%L, '
				'''enforce'', force => true);', inventory);
	END IF;
END
$$;
COMMENT ON FUNCTION vmnet_internal.attached_refuse_hidden(text, regclass, regclass, regclass) IS
'Part of attach_inventory(): the error where violations cannot be looked for';

-- What can be read, but perhaps not as it was meant.
CREATE FUNCTION vmnet_internal.attached_notes(nics regclass, networks regclass, instances regclass, columns jsonb)
RETURNS TABLE (finding text, message text)
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
WITH item AS (
	SELECT t.relation, t.rel, a.name, a.type, i.*, coalesce(columns->t.relation, '{}') ? a.name AS said
	FROM (VALUES ('nics', nics), ('networks', networks), ('instances', instances)) t (relation, rel)
		JOIN vmnet_internal.attached_columns() a ON a.relation = t.relation,
		vmnet_internal.attached_item(t.relation, t.rel, coalesce(columns->t.relation, '{}') || CASE WHEN columns ? 'states'
			THEN jsonb_build_object('states', columns->'states') ELSE '{}' END, a.name, a.type, a.needed) i
	WHERE t.rel IS NOT NULL
)
SELECT 'removed_unmapped', format('%1$s: no column says which rows are removed, so all of %2$s read as live; if "%3$s" says it: {"%1$s": '
	'{"removed": "%3$s"}}', i.relation, i.rel, c.attname)
FROM item i CROSS JOIN LATERAL (
	SELECT a.attname FROM pg_catalog.pg_attribute a
	WHERE a.attrelid = i.rel AND a.attnum > 0 AND NOT a.attisdropped
		AND a.attname ~* '(delet|remov|discard|destroy|archiv|trash|purge|expung|deactivat|terminat|retire)'
		AND vmnet_internal.attached_column_type(i.rel, a.attname) IN ('boolean'::regtype, 'smallint', 'int', 'bigint', 'numeric', 'date',
			'timestamp', 'timestamptz')
	ORDER BY a.attnum) c
WHERE i.type = 'removed' AND i.expression IS NULL AND NOT i.said
UNION ALL
SELECT 'column_unread', i.note || ': it reads as NULL' FROM item i WHERE i.note IS NOT NULL AND i.problem IS NULL
UNION ALL
SELECT 'rows_hidden', format('row-level policies of %s hide rows from this role, so violations among them are not seen',
	vmnet_internal.attached_hidden(nics, networks, instances))
WHERE vmnet_internal.attached_hidden(nics, networks, instances) IS NOT NULL
UNION ALL
SELECT 'id_not_unique', format('nics.id: %s."%s" has no unique index, so two NICs could have one id', i.rel, i.col)
FROM item i WHERE i.relation = 'nics' AND i.name = 'id' AND i.expression IS NOT NULL AND NOT vmnet_internal.attached_unique(i.rel, i.col)
$$;
COMMENT ON FUNCTION vmnet_internal.attached_notes(regclass, regclass, regclass, jsonb) IS
'Part of attach_inventory(): columns that may be meant otherwise, as rows';

-- The column of a parent that the NICs' column means: where its foreign key
-- leads, else, for a uuid, the parent's uuid, else its id.
CREATE FUNCTION vmnet_internal.attached_key(nics regclass, nic_column text, parent regclass, spec jsonb)
RETURNS text
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
SELECT coalesce($4->>'key',
	(SELECT r.attname FROM pg_catalog.pg_constraint k
		JOIN pg_catalog.pg_attribute a ON a.attrelid = k.conrelid AND k.conkey = ARRAY[a.attnum]
		JOIN pg_catalog.pg_attribute r ON r.attrelid = k.confrelid AND k.confkey = ARRAY[r.attnum]
	WHERE k.contype = 'f' AND k.conrelid = $1 AND k.confrelid = $3 AND a.attname = $2
	ORDER BY k.oid LIMIT 1),
	CASE WHEN vmnet_internal.attached_column_type($1, $2) = 'uuid'::regtype
			AND vmnet_internal.attached_column_type($3, coalesce($4->>'id', 'id')) <> 'uuid'::regtype
		THEN coalesce($4->>'uuid', 'uuid') ELSE coalesce($4->>'id', 'id') END)
$$;
COMMENT ON FUNCTION vmnet_internal.attached_key(regclass, text, regclass, jsonb) IS
'Part of attach_inventory(): the column of networks or instances that the NICs refer to';

-- A table of networks or of instances: its attached view, the column that NICs
-- refer to, and what is in the way of that.
CREATE FUNCTION vmnet_internal.attached_parent(nics regclass, nic_column text, relation text, noun text, rel regclass, spec jsonb,
	OUT query text, OUT key text, OUT id_column text, OUT problems text[])
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	nic_type regtype := vmnet_internal.attached_column_type(nics, nic_column);
	key_type regtype;
BEGIN
	key := vmnet_internal.attached_key(nics, nic_column, rel, spec);
	key_type := vmnet_internal.attached_column_type(rel, key);
	SELECT v.query, v.problems, v.key_columns->>'id' INTO query, problems, id_column
	FROM vmnet_internal.attached_view(relation, rel, spec || jsonb_build_object('key', key), '{}') v;
	IF (nic_type = 'uuid'::regtype) <> (key_type = 'uuid'::regtype)
		OR (nic_type IN ('text'::regtype, 'varchar', 'bpchar')) <> (key_type IN ('text'::regtype, 'varchar', 'bpchar')) THEN
		problems := problems || format('nics.%s_id is of type %s, but %s."%s" is of type %s; {"%s": {"key": ...}} names the column that '
			'is meant',
			noun, nic_type, rel, key, key_type, relation);
	END IF;
	IF key_type IS NOT NULL AND NOT vmnet_internal.attached_unique(rel, key) THEN
		problems := problems || format('%s."%s" has no unique index, so a NIC could be on several of its rows', rel, key);
	END IF;
END
$$;
COMMENT ON FUNCTION vmnet_internal.attached_parent(regclass, text, text, text, regclass, jsonb) IS
'Part of attach_inventory(): the view over a table of networks or instances, and the column that NICs refer to';

-- Whether all_nics looks for the parent of a NIC by the key that the NIC stores,
-- since its id is another one.
CREATE FUNCTION vmnet_internal.attached_joins(inventory text, key_column text)
RETURNS boolean
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
SELECT EXISTS (
	SELECT FROM pg_catalog.pg_rewrite r
		JOIN pg_catalog.pg_depend d ON d.classid = 'pg_catalog.pg_rewrite'::regclass AND d.objid = r.oid
			AND d.refclassid = 'pg_catalog.pg_class'::regclass
		JOIN pg_catalog.pg_attribute a ON a.attrelid = d.refobjid AND a.attnum = d.refobjsubid
	WHERE r.ev_class = to_regclass(format('%I.all_nics', $1)) AND a.attname = $2
		AND d.refobjid = to_regclass(format('%I.attached_nics', $1)))
$$;
COMMENT ON FUNCTION vmnet_internal.attached_joins(text, text) IS
'Part of attach_inventory(): whether all_nics looks for a parent by the key that NICs store';

-- Can the views find the NICs of a network, or of an instance, by an index that
-- is there?  The best one leaves out what is removed and nothing else: then the
-- guard of a removal, which looks for half-removed NICs too, can use it.
CREATE FUNCTION vmnet_internal.attached_index(inventory text, live text, parent text, OUT usable boolean, OUT statement text)
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
SET enable_seqscan = off
AS $$
DECLARE
	plan jsonb;
	rel regclass := vmnet_internal.attached_table(inventory, 'nics');
	-- where ids come from a join with the parent, the stored key is looked for
	network text := CASE WHEN vmnet_internal.attached_joins(inventory, 'network_key') THEN 'network_key' ELSE 'network_id' END;
	instance text := CASE WHEN vmnet_internal.attached_joins(inventory, 'instance_key') THEN 'instance_key' ELSE 'instance_id' END;
	wanted text := CASE parent WHEN 'network' THEN network ELSE instance END;
	keys text[];
BEGIN
	EXECUTE format('EXPLAIN (FORMAT JSON, COSTS OFF) SELECT instance_key FROM %1$I.attached_nics WHERE active AND %2$I = (SELECT %2$I '
		'FROM %1$I.attached_nics LIMIT 1)',
		inventory, wanted) INTO plan;
	-- the expressions that the view has, by which alone an index is found
	keys := ARRAY(
		SELECT CASE WHEN e.is_column THEN e.expression ELSE '(' || e.expression || ')' END
		FROM vmnet_internal.attached_expressions(inventory) e
		WHERE e.relation = 'nics' AND e.name IN (wanted, instance)
		ORDER BY e.name = network DESC);
	-- one that is searched for another column, or for a later one, is of no use
	-- and where a table is so small that it does not matter which index is taken,
	-- the plan does not tell of one without a condition or with the same one
	usable := EXISTS (
		SELECT FROM pg_catalog.pg_index x
			JOIN pg_catalog.pg_class c ON c.oid = x.indexrelid
			JOIN pg_catalog.pg_am m ON m.oid = c.relam AND m.amname IN ('btree', 'hash')
		WHERE x.indisvalid AND x.indrelid IN (SELECT rel UNION SELECT t.relid FROM pg_catalog.pg_partition_tree(rel) t)
			AND (c.relname IN (SELECT n.name #>> '{}' FROM jsonb_path_query(plan, '$.** ? (exists (@."Index Cond"))."Index Name"') n (name))
				OR x.indrelid = rel AND (x.indpred IS NULL OR pg_get_expr(x.indpred, x.indrelid) IN (live, '(' || live || ')')))
			AND regexp_replace(pg_get_indexdef(x.indexrelid, 1, true), '[()]', '', 'g') = regexp_replace(regexp_replace(keys[1],
				' COLLATE .*$', ''), '[()]', '', 'g')
			AND x.indcollation[0] = (SELECT a.attcollation FROM pg_catalog.pg_attribute a
				WHERE a.attrelid = format('%I.attached_nics', inventory)::regclass AND a.attname = wanted));
	statement := format('CREATE INDEX ON %s (%s)%s;', rel, array_to_string(keys, ', '), coalesce(' WHERE ' || nullif(live, 'true'), ''));
END
$$;
COMMENT ON FUNCTION vmnet_internal.attached_index(text, text, text) IS
'Part of attach_inventory(): whether EXPLAIN shows an index for the NICs of a parent, and the statement that makes the best one';
