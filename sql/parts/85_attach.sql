
--
-- Inventories over tables that exist already.  The views attached_networks,
-- attached_instances and attached_nics of such an inventory say how a row of
-- theirs reads; the canonical views stand on them, and the guards (src/attach*.c)
-- judge a row by the same expressions.
--

CREATE FUNCTION vmnet_internal.attached_nic_guard()
RETURNS trigger
AS 'MODULE_PATHNAME', 'attached_nic_guard'
LANGUAGE C;
COMMENT ON FUNCTION vmnet_internal.attached_nic_guard() IS
'Trigger AFTER INSERT OR UPDATE on an attached table of NICs: judges a row as the inventory named by its argument reads it
In mode enforce errors, in mode warn warnings: 23514 with constraint nic_initial_state, nic_state_transition, nic_identity_immutable or nic_removed_once; 23503 with nic_parent_active.';

CREATE FUNCTION vmnet_internal.attached_nic_history()
RETURNS trigger
AS 'MODULE_PATHNAME', 'attached_nic_history'
LANGUAGE C;
COMMENT ON FUNCTION vmnet_internal.attached_nic_history() IS
'Trigger AFTER UPDATE on an attached table of NICs, for each statement: writes what attached_nic_guard() saw to nic_history';

CREATE FUNCTION vmnet_internal.attached_network_guard()
RETURNS trigger
AS 'MODULE_PATHNAME', 'attached_network_guard'
LANGUAGE C;
COMMENT ON FUNCTION vmnet_internal.attached_network_guard() IS
'Trigger AFTER UPDATE OR DELETE on an attached table of networks: removed once, and only when no NIC is held
In mode enforce errors, in mode warn warnings: 23503 with constraint network_in_use, 23514 with network_removed_once.';

CREATE FUNCTION vmnet_internal.attached_instance_guard()
RETURNS trigger
AS 'MODULE_PATHNAME', 'attached_instance_guard'
LANGUAGE C;
COMMENT ON FUNCTION vmnet_internal.attached_instance_guard() IS
'Trigger AFTER UPDATE OR DELETE on an attached table of instances: removed once, and only when no NIC is held
In mode enforce errors, in mode warn warnings: 23503 with constraint instance_in_use, 23514 with instance_removed_once.';

CREATE FUNCTION vmnet_internal.attached_no_delete()
RETURNS trigger
AS 'MODULE_PATHNAME', 'attached_no_delete'
LANGUAGE C;
COMMENT ON FUNCTION vmnet_internal.attached_no_delete() IS
'Trigger BEFORE DELETE (each row) or TRUNCATE on an attached table whose rows are removed softly
In mode enforce an error, in mode warn a warning: 23001 with constraint no_hard_delete.';

CREATE FUNCTION vmnet_internal.attached_view_write()
RETURNS trigger
AS 'MODULE_PATHNAME', 'attached_view_write'
LANGUAGE C;
COMMENT ON FUNCTION vmnet_internal.attached_view_write() IS
'Trigger INSTEAD OF writes to the views of an attached inventory: refuses, and names the table to write to
Error: 42501 with constraint attached_view_read_only.';

-- The canonical columns, in the order of the views.  A key is of type key.
CREATE FUNCTION vmnet_internal.attached_columns()
RETURNS TABLE (relation text, name text, type text, needed boolean, ord int)
LANGUAGE sql IMMUTABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $columns$
SELECT r.relation, split_part(c.c, ' ', 1), split_part(c.c, ' ', 2), split_part(c.c, ' ', 3) = '!', c.ord::int
FROM (VALUES
	('networks', 'id key !,uuid uuid,name text,state text,traffic_type text,guest_type text,cidr cidr,network_cidr cidr,gateway inet,ip6_cidr cidr,ip6_gateway inet,vpc_id bigint,zone_id bigint,domain_id bigint,account_id bigint,account_name text,domain_path text,zone_name text,nics_count bigint,created timestamptz,removed removed'),
	('instances', 'id key !,uuid uuid,name text,display_name text,instance_name text,type text,state text,host_id bigint,zone_id bigint,domain_id bigint,account_id bigint,account_name text,domain_path text,zone_name text,created timestamptz,removed removed'),
	('nics', 'id key !,uuid uuid,instance_id key !,network_id key !,state text,strategy text,reserver_name text,reservation_id text,vm_type text,device_id int,default_nic boolean,mac_address macaddr,ip4_address inet,ip6_address inet,netmask inet,gateway inet,broadcast_uri text,mtu bigint,enabled boolean,created timestamptz,state_changed timestamptz,removed removed')
	) r (relation, columns), unnest(string_to_array(r.columns, ',')) WITH ORDINALITY c (c, ord)
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
	WHEN $3 IN ('bigint', 'int') THEN CASE
		WHEN $2 = $3::regtype THEN '%1$I'
		WHEN $2 = 'smallint'::regtype OR $2 = 'int'::regtype THEN '%1$I::pg_catalog.' || t.number
		WHEN $2 IN ('bigint'::regtype, 'numeric') THEN
			'CASE WHEN %1$I OPERATOR(pg_catalog.>=) (' || t.least || ') AND %1$I OPERATOR(pg_catalog.<=) ' || t.greatest || ' THEN %1$I::pg_catalog.' || t.number || ' END' END
	WHEN $3 = 'boolean' THEN CASE
		WHEN $2 = 'boolean'::regtype THEN '%1$I'
		WHEN $2 IN ('bigint'::regtype, 'int', 'smallint') THEN '(%1$I OPERATOR(pg_catalog.<>) 0)' END
	WHEN $3 = 'timestamptz' THEN CASE
		WHEN $2 = 'timestamptz'::regtype THEN '%1$I'
		WHEN $2 IN ('timestamp'::regtype, 'date') THEN 'pg_catalog.timezone(''UTC'', %1$I::pg_catalog.timestamp)' END
	WHEN $3 = 'uuid' THEN CASE
		WHEN $2 = 'uuid'::regtype THEN '%1$I'
		WHEN t.texty THEN 'CASE WHEN %1$I::pg_catalog.text OPERATOR(pg_catalog.~*) ''^([0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}|[0-9a-f]{32})$'' THEN %1$I::pg_catalog.text::pg_catalog.uuid END' END
	WHEN $3 = 'macaddr' THEN CASE
		WHEN $2 = 'macaddr'::regtype THEN '%1$I'
		WHEN t.texty THEN 'CASE WHEN %1$I::pg_catalog.text OPERATOR(pg_catalog.~*) ''^([0-9a-f]{2}:?){5}[0-9a-f]{2}$|^([0-9a-f]{2}-){5}[0-9a-f]{2}$|^([0-9a-f]{4}[.-]){2}[0-9a-f]{4}$'' THEN %1$I::pg_catalog.text::pg_catalog.macaddr END' END
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
		CASE right($3, 1) WHEN 't' THEN '%1$I' ELSE 'CASE WHEN pg_catalog.family(%1$I) OPERATOR(pg_catalog.=) ' || right($3, 1) || ' THEN %1$I END' END,
		'CASE WHEN ' || concat_ws(' OR ', CASE WHEN $3 <> 'inet6' THEN k.four END, CASE WHEN $3 <> 'inet4' THEN k.six END) || ' THEN %1$I::pg_catalog.text::pg_catalog.inet END'
	FROM (SELECT $2 IN ('text'::regtype, 'varchar', 'bpchar'), CASE $3 WHEN 'int' THEN 'int4' ELSE 'int8' END,
		CASE $3 WHEN 'int' THEN '-2147483648' ELSE '-9223372036854775808' END, CASE $3 WHEN 'int' THEN '2147483647' ELSE '9223372036854775807' END,
		'%1$I::pg_catalog.text OPERATOR(pg_catalog.~) ''^((25[0-5]|2[0-4][0-9]|1[0-9][0-9]|[1-9]?[0-9])[.]){3}(25[0-5]|2[0-4][0-9]|1[0-9][0-9]|[1-9]?[0-9])(/(3[0-2]|[12]?[0-9]))?$''',
		'%1$I::pg_catalog.text OPERATOR(pg_catalog.~*) ''^([0-9a-f]{1,4}:){7}[0-9a-f]{1,4}(/(12[0-8]|1[01][0-9]|[1-9]?[0-9]))?$'''
		' OR %1$I::pg_catalog.text OPERATOR(pg_catalog.~*) ''^::(ffff:)?((25[0-5]|2[0-4][0-9]|1[0-9][0-9]|[1-9]?[0-9])[.]){3}(25[0-5]|2[0-4][0-9]|1[0-9][0-9]|[1-9]?[0-9])$'''
		' OR %1$I::pg_catalog.text OPERATOR(pg_catalog.~*) ''^([0-9a-f]{1,4}(:[0-9a-f]{1,4})*)?::([0-9a-f]{1,4}(:[0-9a-f]{1,4})*)?(/(12[0-8]|1[01][0-9]|[1-9]?[0-9]))?$'''
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
			WHEN texty THEN format('(pg_catalog.lower(%I::pg_catalog.text) = ANY (''{t,true,y,yes,on,1}''::pg_catalog.text[])) IS NOT TRUE', col) END
		WHEN 'false' THEN CASE WHEN col_type = 'boolean'::regtype THEN format('%I IS NOT FALSE', col) END
		WHEN 'not_zero' THEN CASE WHEN whole
			THEN format(CASE WHEN never_null THEN '%1$I = 0' ELSE '(%1$I = 0 OR %1$I IS NULL)' END, col) END END;
	IF live IS NULL THEN
		problem := CASE WHEN how IS NULL THEN format('column "%s" is of type %s, so say as removed_when how it tells: not_null, or true where a text is a flag', col, col_type)
			WHEN how IN ('true', 'false', 'not_zero', 'not_infinity')
			THEN format('column "%s" is of type %s, which does not go with removed_when "%s"', col, col_type, how)
			ELSE format('removed_when "%s" is unknown; there are not_null, not_infinity, true, false, not_zero', how) END;
	ELSIF how = 'not_null' AND never_null THEN
		problem := format('column "%s" is NOT NULL, so every row would read as removed; "removed_when" or another column must say which are', col);
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
			FILTER (WHERE s.value NOT IN (SELECT t.from_state FROM vmnet.nic_state_transitions() t) AND s.value <> 'Deallocating') AS unknown,
		string_agg(format('"%s"', s.key), ', ' ORDER BY s.key)
			FILTER (WHERE is_enum AND NOT EXISTS (SELECT FROM pg_catalog.pg_enum e WHERE e.enumtypid = col_type AND e.enumlabel = s.key)) AS no_label
	INTO pairs
	FROM jsonb_each_text(coalesce(states, '{}')) s;
	problem := nullif(concat_ws('; ', 'states names ' || pairs.no_label || ', which type ' || col_type || ' does not have',
		'states lead to ' || pairs.unknown || ', but there are Allocated, Reserving, Reserved, Releasing, Deallocating'), '');
	state := coalesce('CASE ' || as_text || ' ' || pairs.cases || ' ELSE ' || as_text || ' END', as_text);

	SELECT array_agg(g.g ORDER BY g.g) INTO gone
	FROM (SELECT s.key FROM jsonb_each_text(coalesce(states, '{}')) s WHERE s.value = 'Deallocating'
		UNION SELECT 'Deallocating' WHERE NOT coalesce(states, '{}') ? 'Deallocating') g (g)
	WHERE NOT is_enum OR EXISTS (SELECT FROM pg_catalog.pg_enum e WHERE e.enumtypid = col_type AND e.enumlabel = g.g);
	SELECT string_agg(CASE
			WHEN is_enum THEN format('%I IS DISTINCT FROM %L::%s', col, g.g, col_type)
			WHEN col_type IN ('bigint'::regtype, 'int', 'smallint') THEN CASE WHEN g.g ~ '^[0-9]{1,4}$' THEN format('%I IS DISTINCT FROM %s', col, g.g) END
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
			WHEN relation = 'nics' AND canonical = 'state' AND spec ? 'states' THEN format('states are given, but table %s has no column "state"', rel) END;
	ELSIF type = 'removed' THEN
		SELECT r.removed, r.live, format('%s.%s: ', relation, canonical) || r.problem INTO expression, condition, problem
		FROM vmnet_internal.attached_removed(rel, CASE jsonb_typeof(spec->canonical)
			WHEN 'object' THEN spec->canonical ELSE jsonb_build_object('column', col) END) r;
	ELSIF canonical = 'state' AND relation = 'nics' THEN
		SELECT t.state, t.held, format('%s.%s: ', relation, canonical) || t.problem INTO expression, condition, problem
		FROM vmnet_internal.attached_state(rel, col, spec->'states') t;
	ELSE
		expression := vmnet_internal.attached_cast(col, col_type, CASE canonical WHEN 'ip4_address' THEN 'inet4' WHEN 'ip6_address' THEN 'inet6' ELSE type END);
		IF expression IS NULL THEN
			note := format('%s.%s: column "%s" of table %s is of type %s, which does not read as %s', relation, canonical, col, rel, col_type,
				CASE type WHEN 'key' THEN 'bigint, uuid or text' ELSE type END);
			problem := CASE WHEN said OR needed THEN note END;
		END IF;
	END IF;
	-- a view shows what a domain is made of
	IF expression = quote_ident(col) AND EXISTS (SELECT FROM pg_catalog.pg_attribute a WHERE a.attrelid = rel AND a.attname = col AND a.atttypid <> col_type) THEN
		expression := format('%I::%s', col, col_type);
	END IF;
END
$$;
COMMENT ON FUNCTION vmnet_internal.attached_item(text, regclass, jsonb, text, text, boolean) IS
'Part of attach_inventory(): how one canonical column reads, and what of it cannot be';

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

-- A column of a canonical type that is NULL in every row.
CREATE FUNCTION vmnet_internal.attached_null(type text)
RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $$
SELECT 'NULL::pg_catalog.' || CASE $1 WHEN 'removed' THEN 'timestamptz' WHEN 'boolean' THEN 'bool'
	WHEN 'bigint' THEN 'int8' WHEN 'int' THEN 'int4' WHEN 'key' THEN 'int8' ELSE $1 END
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
		items := items || format('%s%s AS %I', coalesce(item.expression, vmnet_internal.attached_null(c.type)), ' COLLATE ' || (collations->>c.name), c.name);
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
'Part of attach_inventory(): the collation in which a column of NICs is compared with the key that it refers to; NULL where it need not be said';

CREATE FUNCTION vmnet_internal.attached_refuse(inventory text, problems text[],
	message text DEFAULT 'these tables cannot be attached as inventory "%s"',
	hint text DEFAULT 'columns says which column is meant, as {"nics": {"network_id": "net_id", "removed": {"column": "deleted", "removed_when": "not_zero", "time": "deleted_at"}}}.')
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
		CASE f.key WHEN 'removed' THEN ', or an object with "column", and "removed_when" and "time" if they are needed, each a text' ELSE '' END)
	FROM jsonb_each(CASE jsonb_typeof($4) WHEN 'object' THEN $4 ELSE '{}' END) e,
		jsonb_each(CASE jsonb_typeof(e.value) WHEN 'object' THEN e.value ELSE '{}' END) f
	WHERE e.key IN ('nics', 'networks', 'instances') AND f.key <> 'states' AND jsonb_typeof(f.value) NOT IN ('string', 'null')
		AND NOT (f.key = 'removed' AND jsonb_typeof(f.value) = 'object' AND f.value ? 'column' AND NOT EXISTS (
			SELECT FROM jsonb_each(CASE jsonb_typeof(f.value) WHEN 'object' THEN f.value ELSE '{}' END) o
			WHERE o.key NOT IN ('column', 'removed_when', 'time') OR jsonb_typeof(o.value) <> 'string'))
	UNION ALL SELECT format('columns: states must map each of their states to the name of one, but "%s" is %s', t.key, t.value)
	FROM (VALUES ($4->'states'), ($4->'nics'->'states')) v (states), jsonb_each(CASE jsonb_typeof(v.states) WHEN 'object' THEN v.states ELSE '{}' END) t
	WHERE jsonb_typeof(t.value) <> 'string'
	UNION ALL SELECT 'columns: states must be a JSON object' WHERE jsonb_typeof($4 #> '{nics,states}') <> 'object'
	UNION ALL SELECT format('columns: "%s" is mapped, but no such table is given', t.relation)
	FROM (VALUES ('networks', $2), ('instances', $3)) t (relation, rel)
	WHERE t.rel IS NULL AND jsonb_typeof($4->t.relation) = 'object' AND $4->t.relation <> '{}'
	UNION ALL SELECT format('%s: table %s has children, which its guards would not see; only mode read_only can have it', t.what, t.rel)
	FROM (VALUES ('nics', $1), ('networks', $2), ('instances', $3)) t (what, rel) JOIN pg_catalog.pg_class c ON c.oid = t.rel
	WHERE c.relkind = 'r' AND $5 <> 'read_only' AND EXISTS (SELECT FROM pg_catalog.pg_inherits h WHERE h.inhparent = t.rel)
	UNION ALL SELECT format('%s: %s is a %s; guards need an ordinary table, so only mode read_only can have it', t.what, t.rel,
		CASE c.relkind WHEN 'v' THEN 'view' WHEN 'm' THEN 'materialized view' WHEN 'f' THEN 'foreign table' WHEN 'p' THEN 'partitioned table' ELSE 'relation of another kind' END)
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
			HINT = format('Ask as a role with BYPASSRLS, or take mode warn first and then say: SELECT vmnet.set_inventory_mode(%L, ''enforce'', force => true);', inventory);
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
		vmnet_internal.attached_item(t.relation, t.rel, coalesce(columns->t.relation, '{}') || CASE WHEN columns ? 'states' THEN jsonb_build_object('states', columns->'states') ELSE '{}' END, a.name, a.type, a.needed) i
	WHERE t.rel IS NOT NULL
)
SELECT 'removed_unmapped', format('%1$s: no column says which rows are removed, so all of %2$s read as live; if "%3$s" says it: {"%1$s": {"removed": "%3$s"}}', i.relation, i.rel, c.attname)
FROM item i CROSS JOIN LATERAL (
	SELECT a.attname FROM pg_catalog.pg_attribute a
	WHERE a.attrelid = i.rel AND a.attnum > 0 AND NOT a.attisdropped
		AND a.attname ~* '(delet|remov|discard|destroy|archiv|trash|purge|expung|deactivat|terminat|retire)'
		AND vmnet_internal.attached_column_type(i.rel, a.attname) IN ('boolean'::regtype, 'smallint', 'int', 'bigint', 'numeric', 'date', 'timestamp', 'timestamptz')
	ORDER BY a.attnum) c
WHERE i.type = 'removed' AND i.expression IS NULL AND NOT i.said
UNION ALL
SELECT 'column_unread', i.note || ': it reads as NULL' FROM item i WHERE i.note IS NOT NULL AND i.problem IS NULL
UNION ALL
SELECT 'rows_hidden', format('row-level policies of %s hide rows from this role, so violations among them are not seen', vmnet_internal.attached_hidden(nics, networks, instances))
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
		problems := problems || format('nics.%s_id is of type %s, but %s."%s" is of type %s; {"%s": {"key": ...}} names the column that is meant',
			noun, nic_type, rel, key, key_type, relation);
	END IF;
	IF key_type IS NOT NULL AND NOT vmnet_internal.attached_unique(rel, key) THEN
		problems := problems || format('%s."%s" has no unique index, so a NIC could be on several of its rows', rel, key);
	END IF;
END
$$;
COMMENT ON FUNCTION vmnet_internal.attached_parent(regclass, text, text, text, regclass, jsonb) IS
'Part of attach_inventory(): the view over a table of networks or instances, and the column that NICs refer to';

-- The canonical columns of a relation as a list; what comes from elsewhere
-- (the id of a parent from a join with it) is in joined.
CREATE FUNCTION vmnet_internal.attached_column_list(relation text, alias text, joined jsonb DEFAULT '{}')
RETURNS text
LANGUAGE sql STABLE
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
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
SELECT CASE WHEN $1 = 'nics' THEN (
		SELECT format('SELECT %s, n.active, n.ended FROM %s n%s',
			vmnet_internal.attached_column_list('nics', 'n', coalesce(jsonb_object_agg(p.noun || '_id', format('%1$s.id AS %1$s_id', p.noun)) FILTER (WHERE p.joined), '{}')),
			$2->>'nics', string_agg(format(' LEFT JOIN %1$s %2$s ON %2$s.key = n.%2$s_key', p.source, p.noun), '' ORDER BY p.noun DESC) FILTER (WHERE p.joined))
		FROM (SELECT v.noun, v.noun = ANY ($3) AS joined, $2->>(v.noun || 's') AS source FROM (VALUES ('network'), ('instance')) v (noun)) p)
	WHEN $2 ? $1 THEN format('SELECT %s, a.active FROM %s a', vmnet_internal.attached_column_list($1, 'a'), $2->>$1)
	ELSE format('SELECT %s, true AS active FROM (%s) n WHERE n.%3$s IS NOT NULL GROUP BY n.%3$s', (
			SELECT string_agg(CASE a.name WHEN 'id' THEN format('n.%I', rtrim($1, 's') || '_id') ELSE vmnet_internal.attached_null(a.type) END
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
			vmnet_internal.attached_parent(nics, nic.key_columns->>(p.noun || '_id'), p.relation, p.noun, p.rel, coalesce(columns->p.relation, '{}')) v
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

-- Secondary addresses, which nothing attaches: the views and reports of any
-- other inventory stand on them, and find none.
CREATE FUNCTION vmnet_internal.attached_secondary_ips(inventory text, nic_key text, network_key text)
RETURNS void
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	EXECUTE format('CREATE VIEW %I.all_nic_secondary_ips WITH (security_invoker = true) AS
SELECT NULL::bigint AS id, NULL::uuid AS uuid, NULL::%s AS nic_id, NULL::%s AS network_id, NULL::inet AS ip4_address,
	NULL::inet AS ip6_address, NULL::timestamptz AS created, NULL::timestamptz AS removed, true AS active
WHERE false', inventory, nic_key, network_key);
	EXECUTE format('COMMENT ON VIEW %I.all_nic_secondary_ips IS %L', inventory,
		'Nothing: an attached inventory has no secondary addresses
The view is there so that what reads it in other inventories works here.');
END
$$;
COMMENT ON FUNCTION vmnet_internal.attached_secondary_ips(text, text, text) IS
'Part of attach_inventory(): makes all_nic_secondary_ips, which is empty';

CREATE FUNCTION vmnet_internal.attached_comments(inventory text)
RETURNS void
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	part record;
BEGIN
	FOR part IN
		SELECT r.name, r.said, vmnet_internal.attached_table(inventory, r.name)::text AS their_table
		FROM (VALUES ('networks', 'network'), ('instances', 'instance'), ('nics', 'NIC')) r (name, said)
	LOOP
		IF part.their_table IS NOT NULL THEN
			EXECUTE format('COMMENT ON VIEW %I.%I IS %L', inventory, 'attached_' || part.name, format('How the rows of %s read: one per %s, removed ones too
The guards judge a row as it reads here. The other views of the inventory stand on this one.', part.their_table, part.said));
		END IF;
		EXECUTE format('COMMENT ON VIEW %I.%I IS %L', inventory, 'all_' || part.name, format('Every %s, removed ones too: the live ones are in %s
%s', part.said, part.name, coalesce(format('Read from table %s.', part.their_table), 'Made from the ids that NICs have.')));
	END LOOP;
END
$$;
COMMENT ON FUNCTION vmnet_internal.attached_comments(text) IS
'Part of attach_inventory(): comments on the views that read the attached tables';

-- Everything that stands on the three relations, as in any other inventory;
-- keys that are no bigint have their own type in the tables of history.
CREATE FUNCTION vmnet_internal.attached_rest(inventory text, mode text)
RETURNS void
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	part record;
	nic_key text := vmnet_internal.attached_column_type(format('%I.all_nics', inventory)::regclass, 'id');
	network_key text := vmnet_internal.attached_column_type(format('%I.all_nics', inventory)::regclass, 'network_id');
	instance_key text := vmnet_internal.attached_column_type(format('%I.all_nics', inventory)::regclass, 'instance_id');
	ddl text;
BEGIN
	PERFORM vmnet_internal.attached_secondary_ips(inventory, nic_key, network_key);
	PERFORM vmnet_internal.attached_comments(inventory);
	FOR part IN
		SELECT d.phase, d.object, d.ddl, d.comment FROM vmnet_internal.inventory_definition('managed') d
		WHERE (d.phase = 'views' OR d.ddl ~ '(nic_history|nic_address_history)' AND d.ddl !~ 'ON %1\$I\.all_nics')
		ORDER BY d.ord
	LOOP
		ddl := part.ddl;
		IF part.phase = 'tables' THEN
			ddl := replace(replace(replace(replace(ddl, 'nic_id bigint', 'nic_id ' || nic_key), 'network_id bigint', 'network_id ' || network_key),
				'instance_id bigint', 'instance_id ' || instance_key), 'from_state text NOT NULL', 'from_state text');
		END IF;
		ddl := replace(ddl, '''{}''::bigint[]', format('''{}''::%s[]', instance_key));
		EXECUTE format(ddl, inventory, 'attached', NULL, mode, vmnet.version());
		IF part.object IS NOT NULL THEN
			EXECUTE format('COMMENT ON ' || part.object || ' IS %2$L', inventory, part.comment);
		END IF;
	END LOOP;
	FOR part IN SELECT unnest(ARRAY['networks', 'instances', 'nics', 'nic_secondary_ips',
		'all_networks', 'all_instances', 'all_nics', 'all_nic_secondary_ips']) AS name LOOP
		EXECUTE format('CREATE TRIGGER attached_view_write INSTEAD OF INSERT OR UPDATE OR DELETE ON %I.%I FOR EACH ROW EXECUTE FUNCTION vmnet_internal.attached_view_write()',
			inventory, part.name);
		EXECUTE format('COMMENT ON TRIGGER attached_view_write ON %I.%I IS ''Writes go to the attached table itself''', inventory, part.name);
	END LOOP;
	PERFORM vmnet_internal.comment_inventory(inventory);
END
$$;
COMMENT ON FUNCTION vmnet_internal.attached_rest(text, text) IS
'Part of attach_inventory(): the live views, the tables of history and their guards';

CREATE FUNCTION vmnet_internal.attached_violations(inventory text)
RETURNS TABLE (rule text, nics bigint, message text)
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	RETURN QUERY EXECUTE format($q$
		SELECT f.rule, count(*), format('%%s: %%s%%s', f.what, array_to_string((array_agg(f.id::text ORDER BY f.id))[1:5], ', '),
			CASE WHEN count(*) > 5 THEN format(' and %%s more', count(*) - 5) ELSE '' END)
		FROM (
			SELECT 'nic_parent_active' AS rule, 'held NICs on a removed network' AS what, n.id
			FROM %1$I.all_nics n JOIN %1$I.all_networks w ON w.id = n.network_id WHERE n.removed IS NULL AND w.removed IS NOT NULL
			UNION ALL
			SELECT 'nic_parent_active', 'held NICs of a removed instance', n.id
			FROM %1$I.all_nics n JOIN %1$I.all_instances i ON i.id = n.instance_id WHERE n.removed IS NULL AND i.removed IS NOT NULL
			UNION ALL
			SELECT 'nic_parent_active', 'held NICs on a network that does not exist', n.id
			FROM %1$I.all_nics n WHERE n.removed IS NULL AND NOT EXISTS (SELECT FROM %1$I.all_networks w WHERE w.id = n.network_id)
				AND EXISTS (SELECT FROM %1$I.attached_nics k WHERE k.id = n.id AND k.network_key IS NOT NULL)
			UNION ALL
			SELECT 'nic_parent_active', 'held NICs of an instance that does not exist', n.id
			FROM %1$I.all_nics n WHERE n.removed IS NULL AND NOT EXISTS (SELECT FROM %1$I.all_instances i WHERE i.id = n.instance_id)
				AND EXISTS (SELECT FROM %1$I.attached_nics k WHERE k.id = n.id AND k.instance_key IS NOT NULL)) f
		GROUP BY f.rule, f.what
		ORDER BY f.rule, f.what$q$, inventory);
END
$$;
COMMENT ON FUNCTION vmnet_internal.attached_violations(text) IS
'Part of attach_inventory(): what already violates the rules, one row for each way, with up to five NICs';

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
	base text := pg_get_viewdef(format('%I.all_nics', inventory)::regclass);
	network text := CASE WHEN base ~ 'network_key' THEN 'network_key' ELSE 'network_id' END;
	instance text := CASE WHEN base ~ 'instance_key' THEN 'instance_key' ELSE 'instance_id' END;
	wanted text := CASE parent WHEN 'network' THEN network ELSE instance END;
	item text;
	keys text[] := '{}';
BEGIN
	EXECUTE format('EXPLAIN (FORMAT JSON, COSTS OFF) SELECT instance_key FROM %1$I.attached_nics WHERE active AND %2$I = (SELECT %2$I FROM %1$I.attached_nics LIMIT 1)',
		inventory, wanted) INTO plan;
	-- the expressions that the view has, by which alone an index is found
	FOR item IN
		SELECT regexp_replace(trim(trailing ',' FROM regexp_replace(m.m, '^ *(SELECT )?', '')), ' AS [a-z_]+$', '')
		FROM unnest(string_to_array(pg_get_viewdef(format('%I.attached_nics', inventory)::regclass, true), E'\n')) m (m)
		WHERE m.m ~ format('[ .](%s|%s),?$', wanted, instance)
		ORDER BY m.m ~ format('[ .]%s,?$', network) DESC
	LOOP
		item := replace(item, quote_ident((SELECT c.relname FROM pg_catalog.pg_class c WHERE c.oid = rel)) || '.', '');
		keys := keys || CASE WHEN item ~ '::' THEN '(' || item || ')' ELSE item END;
	END LOOP;
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
			AND regexp_replace(pg_get_indexdef(x.indexrelid, 1, true), '[()]', '', 'g') = regexp_replace(regexp_replace(keys[1], ' COLLATE .*$', ''), '[()]', '', 'g')
			AND x.indcollation[0] = (SELECT a.attcollation FROM pg_catalog.pg_attribute a
				WHERE a.attrelid = format('%I.attached_nics', inventory)::regclass AND a.attname = wanted));
	statement := format('CREATE INDEX ON %s (%s)%s;', rel, array_to_string(keys, ', '), coalesce(' WHERE ' || nullif(live, 'true'), ''));
END
$$;
COMMENT ON FUNCTION vmnet_internal.attached_index(text, text, text) IS
'Part of attach_inventory(): whether EXPLAIN shows an index for the NICs of a parent, and the statement that makes the best one';

-- One inventory, one owner: who owns everything in it.  That is the owner of the
-- tables, if all have the same and the caller has his rights.  Else it is the
-- caller, and there can be no guards: a guard works as the owner of its table.
CREATE FUNCTION vmnet_internal.attached_owner(inventory text, nics regclass, networks regclass, instances regclass, mode text)
RETURNS name
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	owners name[] := ARRAY(SELECT DISTINCT pg_catalog.pg_get_userbyid(c.relowner) FROM pg_catalog.pg_class c WHERE c.oid IN (nics, networks, instances));
	wanted name := (SELECT pg_catalog.pg_get_userbyid(c.relowner) FROM pg_catalog.pg_class c WHERE c.oid = nics);
BEGIN
	IF cardinality(owners) = 1 AND pg_catalog.pg_has_role(current_user, wanted, 'USAGE') THEN
		RETURN wanted;
	ELSIF mode = 'read_only' THEN
		RETURN current_user;
	END IF;
	IF NOT pg_catalog.pg_has_role(current_user, wanted, 'USAGE') THEN
		wanted := current_user;
	END IF;
	RAISE EXCEPTION USING
		ERRCODE = 'insufficient_privilege',
		CONSTRAINT = 'inventory_owner',
		SCHEMA = inventory,
		MESSAGE = format('inventory "%s" cannot have guards: its tables do not all belong to one role whose rights this role has', inventory),
		DETAIL = (SELECT string_agg(format('Table %s belongs to role "%s".', t.rel, pg_catalog.pg_get_userbyid(c.relowner)), E'\n' ORDER BY t.ord)
			FROM unnest(ARRAY[nics, networks, instances]) WITH ORDINALITY t (rel, ord) JOIN pg_catalog.pg_class c ON c.oid = t.rel),
		HINT = (SELECT string_agg(format('ALTER TABLE %s OWNER TO %I;', t.rel, wanted), ' ' ORDER BY t.ord)
			FROM unnest(ARRAY[nics, networks, instances]) WITH ORDINALITY t (rel, ord) JOIN pg_catalog.pg_class c ON c.oid = t.rel
			WHERE pg_catalog.pg_get_userbyid(c.relowner) <> wanted) || ' Mode read_only needs none of this.';
END
$$;
COMMENT ON FUNCTION vmnet_internal.attached_owner(text, regclass, regclass, regclass, text) IS
'Part of attach_inventory(): the role that everything in it belongs to; 42501 with constraint inventory_owner where guards are wanted and the tables are not of one role whose rights the caller has';

CREATE FUNCTION vmnet.attach_inventory(
	name text,
	nics regclass,
	networks regclass DEFAULT NULL,
	instances regclass DEFAULT NULL,
	columns jsonb DEFAULT '{}',
	mode text DEFAULT 'warn')
RETURNS TABLE (finding text, rule text, message text, statement text)
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict use_column
DECLARE
	owner name;
BEGIN
	PERFORM vmnet_internal.attached_refuse(coalesce($1, 'NULL'), vmnet_internal.attached_problems($2, $3, $4, $5, $6)
		|| CASE WHEN $1 IS NULL OR octet_length($1) NOT BETWEEN 1 AND 63 THEN ARRAY['the name of an inventory must have 1 to 63 bytes'] ELSE '{}' END);
	IF EXISTS (SELECT FROM pg_catalog.pg_namespace n WHERE n.nspname = $1) THEN
		RAISE EXCEPTION USING
			ERRCODE = 'duplicate_schema',
			MESSAGE = format('schema "%s" exists already', $1),
			DETAIL = 'An attached inventory gets a schema of its own. Nothing was touched.',
			HINT = 'Choose another name; vmnet.detach_inventory() takes an attached inventory away.';
	END IF;
	owner := vmnet_internal.attached_owner($1, $2, $3, $4, $6);
	IF $6 = 'enforce' AND owner = current_user THEN
		PERFORM vmnet_internal.attached_refuse_hidden($1, $2, $3, $4);
	END IF;

	-- the caller makes the schema, its owner all that is in it
	EXECUTE format('CREATE SCHEMA %I AUTHORIZATION %I', $1, owner);
	RETURN QUERY SELECT a.* FROM vmnet_internal.attach_as_owner($1, $2, $3, $4, $5, $6) a;
END
$$;
COMMENT ON FUNCTION vmnet.attach_inventory(text, regclass, regclass, regclass, jsonb, text) IS
'Makes an inventory over tables that exist already: views in a new schema of that name, and guards as triggers on the tables
Their columns, types and data stay as they are. columns maps canonical names to theirs, by table: {"nics": {"network_id": "net_id", "removed": "deleted_at"}}; a name that is the same need not be said, null leaves a column out, and what is lacking reads as NULL (needed: id of each table, network_id and instance_id of nics). removed may be {"column": ..., "removed_when": ..., "time": ...}: not_null (a time, the default), not_infinity (a time), true (a flag, the default of boolean; a text like Y), false (a flag of what is there), not_zero (a number, the default); without a time it is -infinity. "states" of nics maps their states to the canonical ones: {"up": "Reserved"}. "key" of networks or instances names the column that NICs refer to, where no foreign key says. Times without a zone are UTC. networks or instances NULL: made from the NICs.
mode: warn (the default: guards give warnings), enforce (errors), read_only (no guards). Needs CREATE on the database. Schema and views belong to the owner of the tables, if they have one owner and the caller has his rights; guards need that. Else they belong to the caller, who can have mode read_only.
Rows: what already violates the rules (violation), what may be meant otherwise (removed_unmapped, column_unread, id_not_unique, rows_hidden, history_not_kept), and the indexes that the views want (index_found, index_missing). Errors: 22023 with all that is in the way, 42P06 where the schema exists, 23514 for enforce while there are violations, 42501 with constraint attached_rows_hidden for enforce where row-level policies may hide some, 42501 with constraint inventory_owner for guards on tables of several owners, or of one whose rights the caller has not.';

-- Runs as the owner of the schema.
CREATE FUNCTION vmnet_internal.attached_build(name text, nics regclass, networks regclass, instances regclass, columns jsonb, mode text)
RETURNS TABLE (finding text, rule text, message text, statement text)
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict use_column
DECLARE
	live text;
	violations bigint;
BEGIN
	PERFORM vmnet_internal.attached_refuse($1, (SELECT array_agg(n.message) FROM vmnet_internal.attached_notes($2, $3, $4, $5) n WHERE n.finding = 'id_not_unique' AND $6 <> 'read_only'));
	IF $6 = 'enforce' THEN
		PERFORM vmnet_internal.attached_refuse_hidden($1, $2, $3, $4);
	END IF;

	EXECUTE format('COMMENT ON SCHEMA %I IS %L', $1, format('Inventory over table %s (vmnet_ext)
networks, instances and nics are what is live; all_networks, all_instances and all_nics have the rest too.', $2));
	live := (SELECT b.live FROM vmnet_internal.attached_base_views($1, $2, $3, $4, $5) b);
	PERFORM vmnet_internal.attached_rest($1, $6);

	-- first the guards, which wait for writers; then what is found is all there is
	IF $6 <> 'read_only' THEN
		PERFORM vmnet_internal.attached_triggers($1, true);
	END IF;
	SELECT sum(v.nics) INTO violations FROM vmnet_internal.attached_violations($1) v;
	IF $6 = 'enforce' AND violations > 0 THEN
		PERFORM vmnet_internal.attached_refuse_enforce($1);
	END IF;

	RETURN QUERY SELECT 'violation', v.rule, v.message, NULL::text FROM vmnet_internal.attached_violations($1) v;
	RETURN QUERY SELECT n.finding, NULL::text, n.message, NULL::text FROM vmnet_internal.attached_notes($2, $3, $4, $5) n;
	RETURN QUERY SELECT 'history_not_kept', NULL::text, format('ids of type %s: history, as-of and the functions, which take bigint, are not for this inventory; its views are', k.type), NULL::text
	FROM (SELECT string_agg(DISTINCT t.type, ', ') AS type FROM unnest(ARRAY['id', 'network_id', 'instance_id']) c (name),
		format_type(vmnet_internal.attached_column_type(format('%I.all_nics', $1)::regclass, c.name), NULL) t (type) WHERE t.type <> 'bigint') k
	WHERE k.type IS NOT NULL;
	IF (SELECT c.relkind FROM pg_catalog.pg_class c WHERE c.oid = $2) IN ('r', 'p', 'm') THEN
		RETURN QUERY SELECT CASE WHEN i.usable THEN 'index_found' ELSE 'index_missing' END, NULL::text,
			format(CASE WHEN i.usable THEN 'EXPLAIN shows that an index finds the NICs of %s; this one would serve best'
				ELSE 'EXPLAIN shows no index by which the NICs of %s are found: each look reads the whole table' END, p.said), i.statement
		FROM (VALUES ('network', 'a network'), ('instance', 'an instance')) p (parent, said), vmnet_internal.attached_index($1, live, p.parent) i;
	END IF;
END
$$;
COMMENT ON FUNCTION vmnet_internal.attached_build(text, regclass, regclass, regclass, jsonb, text) IS
'Part of attach_inventory(): makes what is in the schema, and the guards; the rows are those of attach_inventory()';

CREATE FUNCTION vmnet_internal.attach_as_owner(name text, nics regclass, networks regclass, instances regclass, columns jsonb, mode text)
RETURNS TABLE (finding text, rule text, message text, statement text)
AS 'MODULE_PATHNAME', 'attach_as_owner'
LANGUAGE C;
COMMENT ON FUNCTION vmnet_internal.attach_as_owner(text, regclass, regclass, regclass, jsonb, text) IS
'Part of attach_inventory(): attached_build() as the owner of the schema, if the caller has his rights';

CREATE FUNCTION vmnet_internal.attached_refuse_enforce(inventory text)
RETURNS void
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	RAISE EXCEPTION USING
		ERRCODE = 'check_violation',
		CONSTRAINT = 'attached_violations',
		SCHEMA = inventory,
		MESSAGE = format('inventory "%s" cannot enforce its rules: its tables violate them already', inventory),
		DETAIL = (SELECT string_agg(v.message, E'\n' ORDER BY v.message) FROM vmnet_internal.attached_violations(inventory) v),
		HINT = format('Mend these, or take mode warn first and then say: SELECT vmnet.set_inventory_mode(%L, ''enforce'', force => true);', inventory);
END
$$;
COMMENT ON FUNCTION vmnet_internal.attached_refuse_enforce(text) IS
'Part of attach_inventory(): the error where rules cannot be enforced yet';
