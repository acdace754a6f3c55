--
-- The views of an attached inventory, made from its mapping.  The views
-- attached_networks, attached_instances and attached_nics contain the expressions
-- by which a row of a table is read; the canonical views are built on them, and
-- the guards (src/attach/) evaluate the same expressions.
--

-- The canonical columns, in the order of the views.  A key is of type key.
CREATE FUNCTION vmnet_internal.attached_columns()
RETURNS TABLE (relation text, name text, type text, needed boolean, ord int)
LANGUAGE sql IMMUTABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $columns$
SELECT substr(c.relation, length('all_') + 1), c.name, CASE WHEN c.key IS NOT NULL THEN 'key' WHEN c.name = 'removed' THEN 'removed'
	ELSE c.type END,
	c.key IS NOT NULL, c.ord
FROM vmnet_internal.inventory_columns() c
WHERE c.in_view AND c.relation IN ('all_networks', 'all_instances', 'all_nics')
$columns$;
COMMENT ON FUNCTION vmnet_internal.attached_columns() IS
'Part of attach_inventory(): the canonical columns and their types';

-- How a column reads as a canonical type; NULL where it cannot.  Text that is
-- no address reads as NULL, since one bad row must not break every query.
CREATE FUNCTION vmnet_internal.attached_cast(column_name text, from_type regtype, to_type text)
RETURNS text
LANGUAGE sql STABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $cast$
SELECT format(CASE
	WHEN $3 = 'key' THEN CASE
		WHEN $2 IN ('bigint'::regtype, 'uuid', 'text') THEN '%1$I'
		WHEN $2 IN ('int'::regtype, 'smallint') THEN '%1$I::pg_catalog.int8'
		WHEN $2 IN ('varchar'::regtype, 'bpchar') THEN '%1$I::pg_catalog.text' END
	WHEN $3 = 'text' THEN CASE WHEN $2 = 'text'::regtype THEN '%1$I' ELSE '%1$I::pg_catalog.text' END
	WHEN $3 IN ('bigint', 'integer') THEN CASE
		WHEN $2 = $3::regtype THEN '%1$I'
		WHEN $2 = 'smallint'::regtype OR $2 = 'int'::regtype THEN '%1$I::pg_catalog.' || t.number
		WHEN $2 IN ('bigint'::regtype, 'numeric') THEN
			'CASE WHEN %1$I OPERATOR(pg_catalog.>=) (' || t.least || ') AND %1$I OPERATOR(pg_catalog.<=) ' || t.greatest
				|| ' THEN %1$I::pg_catalog.' || t.number || ' END' END
	WHEN $3 = 'boolean' THEN CASE
		WHEN $2 = 'boolean'::regtype THEN '%1$I'
		WHEN $2 IN ('bigint'::regtype, 'int', 'smallint') THEN '(%1$I OPERATOR(pg_catalog.<>) 0)' END
	WHEN $3 = 'timestamptz' THEN CASE
		WHEN $2 = 'timestamptz'::regtype THEN '%1$I'
		WHEN $2 IN ('timestamp'::regtype, 'date') THEN 'pg_catalog.timezone(''UTC'', %1$I::pg_catalog.timestamp)' END
	WHEN $3 = 'uuid' THEN CASE
		WHEN $2 = 'uuid'::regtype THEN '%1$I'
		WHEN t.texty THEN 'CASE WHEN %1$I::pg_catalog.text OPERATOR(pg_catalog.~*) '
			'''^([0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}|[0-9a-f]{32})$'' THEN %1$I::pg_catalog.text::pg_catalog.uuid END' END
	WHEN $3 = 'macaddr' THEN CASE
		WHEN $2 = 'macaddr'::regtype THEN '%1$I'
		WHEN t.texty THEN 'CASE WHEN %1$I::pg_catalog.text OPERATOR(pg_catalog.~*) '
			'''^([0-9a-f]{2}:?){5}[0-9a-f]{2}$|^([0-9a-f]{2}-){5}[0-9a-f]{2}$|^([0-9a-f]{4}[.-]){2}[0-9a-f]{4}$'' THEN '
			'%1$I::pg_catalog.text::pg_catalog.macaddr END' END
	WHEN $3 = 'cidr' THEN CASE
		WHEN $2 = 'cidr'::regtype THEN '%1$I'
		WHEN $2 = 'inet'::regtype THEN 'pg_catalog.network(%1$I)'
		WHEN t.texty THEN 'pg_catalog.network(' || t.address || ')' END
	WHEN $3 IN ('inet', 'inet4', 'inet6') THEN CASE
		WHEN $2 = 'inet'::regtype THEN t.family
		WHEN $2 = 'cidr'::regtype THEN replace(t.family, '%1$I', '%1$I::pg_catalog.inet')
		WHEN t.texty THEN t.address END
	END, $1)
FROM (SELECT k.texty, k.number, k.least, k.greatest,
		CASE right($3, 1) WHEN 't' THEN '%1$I' ELSE 'CASE WHEN pg_catalog.family(%1$I) OPERATOR(pg_catalog.=) ' || right($3, 1)
			|| ' THEN %1$I END' END,
		'CASE WHEN ' || concat_ws(' OR ', CASE WHEN $3 <> 'inet6' THEN k.four END, CASE WHEN $3 <> 'inet4' THEN k.six END)
			|| ' THEN %1$I::pg_catalog.text::pg_catalog.inet END'
	FROM (SELECT $2 IN ('text'::regtype, 'varchar', 'bpchar'), CASE $3 WHEN 'integer' THEN 'int4' ELSE 'int8' END,
		CASE $3 WHEN 'integer' THEN '-2147483648' ELSE '-9223372036854775808' END, CASE $3 WHEN 'integer' THEN '2147483647'
			ELSE '9223372036854775807' END,
		'%1$I::pg_catalog.text OPERATOR(pg_catalog.~) ''^('
			'(25[0-5]|2[0-4][0-9]|1[0-9][0-9]|[1-9]?[0-9])[.]){3}'
			'(25[0-5]|2[0-4][0-9]|1[0-9][0-9]|[1-9]?[0-9])(/(3[0-2]|[12]?[0-9]))?$''',
		'%1$I::pg_catalog.text OPERATOR(pg_catalog.~*) ''^([0-9a-f]{1,4}:){7}[0-9a-f]{1,4}(/(12[0-8]|1[01][0-9]|[1-9]?[0-9]))?$'''
		' OR %1$I::pg_catalog.text OPERATOR(pg_catalog.~*) ''^::(ffff:)?'
			'((25[0-5]|2[0-4][0-9]|1[0-9][0-9]|[1-9]?[0-9])[.]){3}'
			'(25[0-5]|2[0-4][0-9]|1[0-9][0-9]|[1-9]?[0-9])$'''
		' OR %1$I::pg_catalog.text OPERATOR(pg_catalog.~*) ''^'
			'([0-9a-f]{1,4}(:[0-9a-f]{1,4})*)?::([0-9a-f]{1,4}(:[0-9a-f]{1,4})*)?(/(12[0-8]|1[01][0-9]|[1-9]?[0-9]))?$'''
		' AND pg_catalog.regexp_count(pg_catalog.split_part(%1$I::pg_catalog.text, ''/'', 1), ''[0-9A-Fa-f]+'') OPERATOR(pg_catalog.<=) 7'
		) k (texty, number, least, greatest, four, six)) t (texty, number, least, greatest, family, address)
$cast$;
COMMENT ON FUNCTION vmnet_internal.attached_cast(text, regtype, text) IS
'Part of attach_inventory(): how a column of theirs reads as a canonical type; NULL where it cannot';

CREATE FUNCTION vmnet_internal.attached_column_type(rel regclass, column_name text)
RETURNS regtype
LANGUAGE sql STABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $$
WITH RECURSIVE base AS (
	SELECT a.atttypid AS type
	FROM pg_catalog.pg_attribute a
	WHERE a.attrelid = $1 AND a.attname = $2 AND a.attnum > 0 AND NOT a.attisdropped
	UNION ALL
	SELECT t.typbasetype FROM base b JOIN pg_catalog.pg_type t ON t.oid = b.type WHERE t.typtype = 'd')
SELECT b.type::regtype FROM base b JOIN pg_catalog.pg_type t ON t.oid = b.type WHERE t.typtype <> 'd'
$$;
COMMENT ON FUNCTION vmnet_internal.attached_column_type(regclass, text) IS
'Part of attach_inventory(): type of a column (of a domain: its base type), NULL where there is none';

-- "Is not removed", written out over their column, and when it was removed.
CREATE FUNCTION vmnet_internal.attached_removed(rel regclass, spec jsonb, OUT live text, OUT removed text, OUT problem text)
LANGUAGE plpgsql STABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	col text := spec->>'column';
	col_type regtype := vmnet_internal.attached_column_type(rel, col);
	at_col text := spec->>'time';
	at_time text;
	whole boolean := col_type IN ('bigint'::regtype, 'int', 'smallint', 'numeric');
	texty boolean := col_type IN ('text'::regtype, 'varchar', 'bpchar');
	never_null boolean := (SELECT a.attnotnull FROM pg_catalog.pg_attribute a WHERE a.attrelid = rel AND a.attname = col);
	timed boolean := col_type IN ('timestamptz'::regtype, 'timestamp', 'date');
	how text := coalesce(spec->>'removed_when', CASE
		WHEN col_type = 'boolean'::regtype THEN 'true'
		WHEN whole THEN 'not_zero'
		WHEN timed THEN 'not_null' END);
BEGIN
	live := CASE how
		WHEN 'not_null' THEN format('%I IS NULL', col)
		WHEN 'not_infinity' THEN CASE WHEN timed THEN format('(%1$I IS NULL OR %1$I = ''infinity'')', col) END
		WHEN 'true' THEN CASE WHEN col_type = 'boolean'::regtype THEN format('%I IS NOT TRUE', col)
			WHEN texty THEN format('(pg_catalog.lower(%I::pg_catalog.text) = ANY (''{t,true,y,yes,on,1}''::pg_catalog.text[])) IS NOT '
				'TRUE', col) END
		WHEN 'false' THEN CASE WHEN col_type = 'boolean'::regtype THEN format('%I IS NOT FALSE', col) END
		WHEN 'not_zero' THEN CASE WHEN whole
			THEN format(CASE WHEN never_null THEN '%1$I = 0' ELSE '(%1$I = 0 OR %1$I IS NULL)' END, col) END END;
	IF live IS NULL THEN
		problem := CASE WHEN how IS NULL THEN format('column "%s" is of type %s, so say as removed_when how it tells: not_null, or true '
			'where a text is a flag', col, col_type)
			WHEN how IN ('true', 'false', 'not_zero', 'not_infinity')
			THEN format('column "%s" is of type %s, which does not go with removed_when "%s"', col, col_type, how)
			ELSE format('removed_when "%s" is unknown; there are not_null, not_infinity, true, false, not_zero', how) END;
	ELSIF how = 'not_null' AND never_null THEN
		problem := format('column "%s" is NOT NULL, so every row would read as removed; "removed_when" or another column must say which '
			'are', col);
	ELSIF how = 'not_infinity' AND at_col IS NULL THEN
		removed := format('CASE WHEN %s THEN NULL ELSE %s END', live, vmnet_internal.attached_cast(col, col_type, 'timestamptz'));
	ELSIF how = 'not_null' AND at_col IS NULL THEN
		removed := vmnet_internal.attached_cast(col, col_type, 'timestamptz');
		IF removed IS NULL THEN
			removed := format('CASE WHEN %s THEN NULL ELSE ''-infinity''::pg_catalog.timestamptz END', live);
		END IF;
	ELSE
		at_time := vmnet_internal.attached_cast(at_col, vmnet_internal.attached_column_type(rel, at_col), 'timestamptz');
		IF at_col IS NOT NULL AND at_time IS NULL THEN
			problem := format('column "%s" is not there, or no time', at_col);
		END IF;
		removed := format('CASE WHEN %s THEN NULL ELSE %s END', live,
			coalesce('coalesce(' || at_time || ', ''-infinity''::pg_catalog.timestamptz)', '''-infinity''::pg_catalog.timestamptz'));
	END IF;
END
$$;
COMMENT ON FUNCTION vmnet_internal.attached_removed(regclass, jsonb) IS
'Part of attach_inventory(): the condition "not removed" over their column, and the time of removal (-infinity: unknown)';

-- The state as the canonical ones call it, and "is not being deallocated"
-- written out over their column, without a cast where an index needs none.
CREATE FUNCTION vmnet_internal.attached_state(rel regclass, col text, states jsonb, OUT state text, OUT held text, OUT problem text)
LANGUAGE plpgsql STABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	col_type regtype := vmnet_internal.attached_column_type(rel, col);
	is_enum boolean := EXISTS (SELECT FROM pg_catalog.pg_type t WHERE t.oid = col_type AND t.typtype = 'e');
	as_text text := vmnet_internal.attached_cast(col, col_type, 'text');
	gone text[];
	pairs record;
BEGIN
	SELECT string_agg(format('WHEN %L', s.key) || format(' THEN %L', s.value), ' ' ORDER BY s.key) AS cases,
		string_agg(format('"%s"', s.value), ', ' ORDER BY s.value)
			FILTER (WHERE s.value NOT IN (SELECT t.state FROM vmnet_internal.nic_states() t)) AS unknown,
		string_agg(format('"%s"', s.key), ', ' ORDER BY s.key)
			FILTER (WHERE is_enum AND NOT EXISTS (SELECT FROM pg_catalog.pg_enum e WHERE e.enumtypid = col_type
				AND e.enumlabel = s.key)) AS no_label
	INTO pairs
	FROM jsonb_each_text(coalesce(states, '{}')) s;
	problem := nullif(concat_ws('; ', 'states names ' || pairs.no_label || ', which type ' || col_type || ' does not have',
		'states lead to ' || pairs.unknown || ', but there are '
			|| (SELECT string_agg(t.state, ', ' ORDER BY t.ord) FROM vmnet_internal.nic_states() t)), '');
	state := coalesce('CASE ' || as_text || ' ' || pairs.cases || ' ELSE ' || as_text || ' END', as_text);

	SELECT array_agg(g.g ORDER BY g.g) INTO gone
	FROM (SELECT s.key FROM jsonb_each_text(coalesce(states, '{}')) s WHERE s.value = 'Deallocating'
		UNION SELECT 'Deallocating' WHERE NOT coalesce(states, '{}') ? 'Deallocating') g (g)
	WHERE NOT is_enum OR EXISTS (SELECT FROM pg_catalog.pg_enum e WHERE e.enumtypid = col_type AND e.enumlabel = g.g);
	SELECT string_agg(CASE
			WHEN is_enum THEN format('%I IS DISTINCT FROM %L::%s', col, g.g, col_type)
			WHEN col_type IN ('bigint'::regtype, 'int', 'smallint') THEN CASE WHEN g.g ~ '^[0-9]{1,4}$'
				THEN format('%I IS DISTINCT FROM %s', col, g.g) END
			ELSE format('%s IS DISTINCT FROM %L', as_text, g.g) END, ' AND ')
	INTO held
	FROM unnest(gone) g (g);
END
$$;
COMMENT ON FUNCTION vmnet_internal.attached_state(regclass, text, jsonb) IS
'Part of attach_inventory(): the state in canonical words, and the condition "not Deallocating" over their column';

-- How one canonical column reads, and under which condition a row is not
-- removed, or not being deallocated, where the column tells that.
CREATE FUNCTION vmnet_internal.attached_item(relation text, rel regclass, spec jsonb, canonical text, type text, needed boolean,
	OUT col text, OUT expression text, OUT condition text, OUT problem text, OUT note text)
LANGUAGE plpgsql STABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	said boolean := spec ? canonical;
	col_type regtype;
	other jsonb;
BEGIN
	col := CASE WHEN NOT said THEN canonical
		WHEN jsonb_typeof(spec->canonical) = 'object' THEN spec->canonical->>'column'
		ELSE spec->>canonical END;
	col_type := vmnet_internal.attached_column_type(rel, col);
	-- a column of addresses of both families need be said only once
	IF col_type IS NULL AND NOT said AND canonical IN ('ip4_address', 'ip6_address') THEN
		other := spec->CASE canonical WHEN 'ip4_address' THEN 'ip6_address' ELSE 'ip4_address' END;
		col := coalesce(other->>'column', other #>> '{}');
		col_type := vmnet_internal.attached_column_type(rel, col);
	END IF;
	IF col_type IS NULL THEN
		problem := CASE WHEN said AND col IS NOT NULL THEN format('%s.%s: table %s has no column "%s"', relation, canonical, rel, col)
			WHEN needed THEN format('%s.%s is needed, and table %s has no column of that name', relation, canonical, rel)
			WHEN relation = 'nics' AND canonical = 'state' AND spec ? 'states'
				THEN format('states are given, but table %s has no column "state"', rel) END;
	ELSIF type = 'removed' THEN
		SELECT r.removed, r.live, format('%s.%s: ', relation, canonical) || r.problem INTO expression, condition, problem
		FROM vmnet_internal.attached_removed(rel, CASE jsonb_typeof(spec->canonical)
			WHEN 'object' THEN spec->canonical ELSE jsonb_build_object('column', col) END) r;
	ELSIF canonical = 'state' AND relation = 'nics' THEN
		SELECT t.state, t.held, format('%s.%s: ', relation, canonical) || t.problem INTO expression, condition, problem
		FROM vmnet_internal.attached_state(rel, col, spec->'states') t;
	ELSE
		expression := vmnet_internal.attached_cast(col, col_type, CASE canonical WHEN 'ip4_address' THEN 'inet4' WHEN 'ip6_address'
			THEN 'inet6' ELSE type END);
		IF expression IS NULL THEN
			note := format('%s.%s: column "%s" of table %s is of type %s, which does not read as %s', relation, canonical, col, rel,
				col_type,
				CASE type WHEN 'key' THEN 'bigint, uuid or text' ELSE type END);
			problem := CASE WHEN said OR needed THEN note END;
		END IF;
	END IF;
	-- a view shows what a domain is made of
	IF expression = quote_ident(col) AND EXISTS (SELECT FROM pg_catalog.pg_attribute a WHERE a.attrelid = rel AND a.attname = col
		AND a.atttypid <> col_type) THEN
		expression := format('%I::%s', col, col_type);
	END IF;
END
$$;
COMMENT ON FUNCTION vmnet_internal.attached_item(text, regclass, jsonb, text, text, boolean) IS
'Part of attach_inventory(): how one canonical column reads, and what of it cannot be';

-- A column of a canonical type that is NULL in every row.
CREATE FUNCTION vmnet_internal.attached_null(type text)
RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $$
SELECT 'NULL::pg_catalog.' || CASE $1 WHEN 'removed' THEN 'timestamptz' WHEN 'boolean' THEN 'bool'
	WHEN 'bigint' THEN 'int8' WHEN 'integer' THEN 'int4' WHEN 'key' THEN 'int8' ELSE $1 END
$$;
COMMENT ON FUNCTION vmnet_internal.attached_null(text) IS
'Part of attach_inventory(): NULL of a canonical type';

-- One table: the text of its attached view, what cannot be, and its condition
-- "not removed".  spec maps canonical names; names that are the same need no word.
CREATE FUNCTION vmnet_internal.attached_view(relation text, rel regclass, spec jsonb, collations jsonb,
	OUT query text, OUT live text, OUT key_columns jsonb, OUT problems text[])
LANGUAGE plpgsql STABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	c record;
	item record;
	items text[] := '{}';
	held text;
	removed text := vmnet_internal.attached_null('removed');
	changed text := '''-infinity''::pg_catalog.timestamptz';
BEGIN
	problems := '{}';
	key_columns := '{}';
	FOR c IN SELECT a.name, a.type, a.needed FROM vmnet_internal.attached_columns() a WHERE a.relation = $1 ORDER BY a.ord LOOP
		SELECT i.* INTO item FROM vmnet_internal.attached_item(relation, rel, spec, c.name, c.type, c.needed) i;
		problems := array_remove(problems || item.problem, NULL);
		items := items || format('%s%s AS %I', coalesce(item.expression, vmnet_internal.attached_null(c.type)), ' COLLATE '
			|| (collations->>c.name), c.name);
		IF c.type = 'removed' THEN
			removed := coalesce(item.expression, removed);
			live := item.condition;
		ELSIF c.type = 'key' AND vmnet_internal.attached_column_type(rel, item.col) IS NOT NULL THEN
			key_columns := key_columns || jsonb_build_object(c.name, item.col);
		ELSIF c.name = 'state' THEN
			held := item.condition;
		ELSIF c.name = 'state_changed' THEN
			changed := coalesce('coalesce(' || item.expression || ', ' || changed || ')', changed);
		END IF;
	END LOOP;
	items := items || format('(%s) AS active', coalesce(live || coalesce(' AND ' || held, ''), held, 'true'));
	live := coalesce(live, 'true');
	IF relation = 'nics' THEN
		items := items || (CASE WHEN held IS NULL THEN removed
				ELSE format('CASE WHEN %s THEN %s ELSE coalesce(%s, %s) END', held, removed, removed, changed) END || ' AS ended')
			|| format('%I%s AS network_key', coalesce(key_columns->>'network_id', ''), ' COLLATE ' || (collations->>'network_id'))
			|| format('%I%s AS instance_key', coalesce(key_columns->>'instance_id', ''), ' COLLATE ' || (collations->>'instance_id'));
	ELSE
		key_columns := key_columns || jsonb_build_object('key', coalesce(spec->>'key', key_columns->>'id'));
		items := items || format('%I AS key', coalesce(key_columns->>'key', ''));
		IF vmnet_internal.attached_column_type(rel, key_columns->>'key') IS NULL AND key_columns ? 'id' THEN
			problems := problems || format('%s.key: table %s has no column "%s"', relation, rel, key_columns->>'key');
		END IF;
	END IF;
	query := format('SELECT %s FROM %s', array_to_string(items, E',\n\t'), rel);
END
$$;
COMMENT ON FUNCTION vmnet_internal.attached_view(text, regclass, jsonb, jsonb) IS
'Part of attach_inventory(): the view that says how the rows of one table read, and what of it cannot be';

-- The canonical columns of a relation as a list; what comes from elsewhere
-- (the id of a parent from a join with it) is in joined.
CREATE FUNCTION vmnet_internal.attached_column_list(relation text, alias text, joined jsonb DEFAULT '{}')
RETURNS text
LANGUAGE sql STABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $$
SELECT string_agg(coalesce($3->>a.name, $2 || '.' || quote_ident(a.name)), ', ' ORDER BY a.ord)
FROM vmnet_internal.attached_columns() a WHERE a.relation = $1
$$;
COMMENT ON FUNCTION vmnet_internal.attached_column_list(text, text, jsonb) IS
'Part of attach_inventory(): the canonical columns of a relation as a list';

-- The query of a canonical relation.  sources says what stands for the attached
-- view of each table; joined are the parents whose id is not what NICs store.
-- Networks or instances without a table are made from the ids that NICs have.
CREATE FUNCTION vmnet_internal.attached_canonical(relation text, sources jsonb, joined text[])
RETURNS text
LANGUAGE sql STABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $$
SELECT CASE WHEN $1 = 'nics' THEN (
		SELECT format('SELECT %s, n.active, n.ended FROM %s n%s',
			vmnet_internal.attached_column_list('nics', 'n', coalesce(jsonb_object_agg(p.noun || '_id', format('%1$s.id AS %1$s_id',
				p.noun)) FILTER (WHERE p.joined), '{}')),
			$2->>'nics', string_agg(format(' LEFT JOIN %1$s %2$s ON %2$s.key = n.%2$s_key', p.source, p.noun), ''
				ORDER BY p.noun DESC) FILTER (WHERE p.joined))
		FROM (SELECT v.noun, v.noun = ANY ($3) AS joined, $2->>(v.noun || 's') AS source FROM (VALUES ('network'),
			('instance')) v (noun)) p)
	WHEN $2 ? $1 THEN format('SELECT %s, a.active FROM %s a', vmnet_internal.attached_column_list($1, 'a'), $2->>$1)
	ELSE format('SELECT %s, true AS active FROM (%s) n WHERE n.%3$s IS NOT NULL GROUP BY n.%3$s', (
			SELECT string_agg(CASE a.name WHEN 'id' THEN format('n.%I', rtrim($1, 's') || '_id')
				ELSE vmnet_internal.attached_null(a.type) END
				|| format(' AS %I', a.name), ', ' ORDER BY a.ord)
			FROM vmnet_internal.attached_columns() a WHERE a.relation = $1),
		vmnet_internal.attached_canonical('nics', $2, $3), rtrim($1, 's') || '_id') END
$$;
COMMENT ON FUNCTION vmnet_internal.attached_canonical(text, jsonb, text[]) IS
'Part of attach_inventory() and create_report(): the query of networks, instances or nics over what stands for the attached views';

-- The three canonical relations, over the attached views.
CREATE FUNCTION vmnet_internal.attached_base_views(inventory text, nics regclass, networks regclass, instances regclass, columns jsonb)
RETURNS TABLE (live text)
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	nic record;
	parent record;
	problems text[];
	sources jsonb;
	queries jsonb;
	joined text[] := '{}';
	part record;
	nic_spec jsonb := coalesce(columns->'nics', '{}')
		|| CASE WHEN columns ? 'states' THEN jsonb_build_object('states', columns->'states') ELSE '{}' END;
	collations jsonb := '{}';
BEGIN
	SELECT v.* INTO nic FROM vmnet_internal.attached_view('nics', nics, nic_spec, '{}') v;
	problems := nic.problems;
	queries := '{}';
	FOR parent IN
		SELECT p.relation, p.noun, p.rel, v.*
		FROM (VALUES ('networks', 'network', networks), ('instances', 'instance', instances)) p (relation, noun, rel),
			vmnet_internal.attached_parent(nics, nic.key_columns->>(p.noun || '_id'), p.relation, p.noun, p.rel,
				coalesce(columns->p.relation, '{}')) v
		WHERE p.rel IS NOT NULL
	LOOP
		problems := problems || parent.problems;
		queries := queries || jsonb_build_object(parent.relation, parent.query);
		IF parent.key <> parent.id_column THEN
			joined := joined || parent.noun;
		END IF;
		collations := collations || jsonb_build_object(parent.noun || '_id', vmnet_internal.attached_collation(nics,
			nic.key_columns->>(parent.noun || '_id'), parent.rel, parent.key));
	END LOOP;
	PERFORM vmnet_internal.attached_refuse(inventory, problems);
	queries := queries || jsonb_build_object('nics', (vmnet_internal.attached_view('nics', nics, nic_spec, collations)).query);

	SELECT jsonb_object_agg(q.key, format('%I.%I', inventory, 'attached_' || q.key)) INTO sources FROM jsonb_object_keys(queries) q (key);
	FOR part IN
		SELECT 'attached_' || q.key AS name, q.value AS query, 1 AS ord FROM jsonb_each_text(queries) q
		UNION ALL
		SELECT 'all_' || r, vmnet_internal.attached_canonical(r, sources, joined), 2 FROM unnest(ARRAY['networks', 'instances', 'nics']) r
		ORDER BY ord, name
	LOOP
		EXECUTE format('CREATE VIEW %I.%I WITH (security_invoker = true) AS ', inventory, part.name) || part.query;
	END LOOP;
	RETURN QUERY SELECT nic.live;
END
$$;
COMMENT ON FUNCTION vmnet_internal.attached_base_views(text, regclass, regclass, regclass, jsonb) IS
'Part of attach_inventory(): makes all_networks, all_instances and all_nics; returns the condition "not removed" of a NIC';

-- Secondary addresses, ranges and addresses, which nothing attaches: the views and
-- reports of any other inventory stand on them, and find none.
CREATE FUNCTION vmnet_internal.attached_empty_views(inventory text, key_types jsonb)
RETURNS void
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	part record;
BEGIN
	FOR part IN
		SELECT * FROM (VALUES ('all_nic_secondary_ips', 'secondary addresses'), ('all_ip_ranges', 'ranges of addresses'),
			('all_ip_addresses', 'addresses of networks')) v (name, what)
	LOOP
		PERFORM vmnet_internal.build_object('CREATE VIEW %1$I.%2$I WITH (security_invoker = true) AS %3$s', 'VIEW %1$I.%2$I',
			format('Nothing: an attached inventory has no %s
The view is there so that what reads it in other inventories works here.', part.what),
			inventory, part.name, vmnet_internal.empty_query(part.name, key_types));
	END LOOP;
END
$$;
COMMENT ON FUNCTION vmnet_internal.attached_empty_views(text, jsonb) IS
'Part of attach_inventory(): makes all_nic_secondary_ips, all_ip_ranges and all_ip_addresses, which are empty';
