--
-- Source columns of an import
--

-- What reads the source and the stages, which are temporary tables, runs as the
-- caller of the procedure; what takes the name of the mirror runs as the owner of
-- the mirror.
--
-- Names of the tables and columns of sources.  A source is of the first kind whose
-- tables for networks, instances and nics it has, else of kind cloudstack.  name: the
-- column of the inventory, NULL for the table.  What has no row here has the name
-- that inventory_columns() says; a column that has one is read from the table itself.
-- table of data
CREATE FUNCTION vmnet_internal.import_names()
RETURNS TABLE (kind text, relation text, name text, source_name text)
LANGUAGE sql IMMUTABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $$
VALUES
('cloudstack', 'networks', NULL, 'networks'),
('cloudstack', 'instances', NULL, 'vm_instance'),
('cloudstack', 'nics', NULL, 'nics'),
('cloudstack', 'nic_secondary_ips', NULL, 'nic_secondary_ips'),
('cloudstack', 'ip_ranges', NULL, 'vlan'),
('cloudstack', 'ip_addresses', NULL, 'user_ip_address')
$$;
COMMENT ON FUNCTION vmnet_internal.import_names() IS
'Names that tables and columns have in each kind of source of an import';

-- The tables of an inventory that an import fills, in the order in which it writes
-- them.  needed: a source has to have the table.
CREATE FUNCTION vmnet_internal.import_relations()
RETURNS TABLE (relation text, needed boolean, ord int)
LANGUAGE sql IMMUTABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $$
VALUES ('networks', true, 1), ('instances', true, 2), ('nics', true, 3), ('nic_secondary_ips', false, 4), ('ip_ranges', false, 5),
	('ip_addresses', false, 6)
$$;
COMMENT ON FUNCTION vmnet_internal.import_relations() IS
'Tables that an import fills, and whether a source has to have them';

-- Columns whose value is made of one or several columns of the source, as texts; a
-- column that the source lacks is left out.  value: %s stands for the list of them.
CREATE FUNCTION vmnet_internal.import_made_columns()
RETURNS TABLE (relation text, name text, made_of text[], value text)
LANGUAGE sql IMMUTABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $$
VALUES
('networks', 'all_cidrs', '{cidr,ip6_cidr}'::text[], 'concat_ws('','', %s)'),
('networks', 'all_gateways', '{gateway,ip6_gateway}', 'concat_ws('','', %s)'),
-- of a range with addresses of both families, the IPv4 ones; one address is a range of one
('ip_ranges', 'range_start', '{description,ip6_range}', 'split_part(coalesce(%s), ''-'', 1)'),
('ip_ranges', 'range_end', '{description,ip6_range}', 'split_part(concat_ws(''-'', coalesce(%1$s), coalesce(%1$s)), ''-'', 2)')
$$;
COMMENT ON FUNCTION vmnet_internal.import_made_columns() IS
'Columns of an inventory that are made of parts of columns of the source, or of several of them';

CREATE FUNCTION vmnet_internal.import_kind(source text)
RETURNS text
LANGUAGE sql STABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $$
SELECT coalesce((
	SELECT k.kind
	FROM (
		SELECT n.kind, min(n.ord) AS ord, array_agg(n.source_name) AS tables
		FROM vmnet_internal.import_names() WITH ORDINALITY n (kind, relation, name, source_name, ord)
		WHERE n.name IS NULL AND n.relation IN (SELECT r.relation FROM vmnet_internal.import_relations() r WHERE r.needed)
		GROUP BY n.kind) k
	WHERE NOT EXISTS (
		SELECT FROM unnest(k.tables) t
		WHERE NOT EXISTS (SELECT FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace s ON s.oid = c.relnamespace
			WHERE s.nspname = $1 AND c.relname = t AND c.relkind IN ('r', 'p', 'v', 'm', 'f')))
	ORDER BY k.ord LIMIT 1), 'cloudstack')
$$;
COMMENT ON FUNCTION vmnet_internal.import_kind(text) IS
'Kind of a source of an import, by the tables that it has';

-- Where each column of an inventory comes from, in a source of a kind.  made_of,
-- made: the columns of the source that it is made of, and how; else NULL.  is_list:
-- the column of the source can be a list, of which it has the first element.
CREATE FUNCTION vmnet_internal.import_columns(kind text, relation text)
RETURNS TABLE (ord int, target text, target_type text, source_column text,
	from_lookup text, lookup_key text, needed boolean, if_absent text, made_of text[], made text, is_list boolean)
LANGUAGE sql IMMUTABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $$
SELECT c.ord, c.name, c.type, coalesce(n.source_name, c.source_column), CASE WHEN n.source_name IS NULL THEN c.from_lookup END,
	c.lookup_key, c.needed, c.if_absent, CASE WHEN n.source_name IS NULL THEN m.made_of END, m.value,
	EXISTS (SELECT FROM vmnet_internal.import_made_columns() l
		WHERE l.relation = $2 AND c.name = ANY (l.made_of) AND l.name IN ('all_cidrs', 'all_gateways'))
FROM vmnet_internal.inventory_columns() c
	LEFT JOIN vmnet_internal.import_names() n ON n.kind = $1 AND n.relation = $2 AND n.name = c.name
	LEFT JOIN vmnet_internal.import_made_columns() m ON m.relation = $2 AND m.name = c.name
WHERE c.relation = 'all_' || $2 AND c.source_column IS NOT NULL
$$;
COMMENT ON FUNCTION vmnet_internal.import_columns(text, text) IS
'Where the columns of a table of an inventory come from in a source of a kind';

CREATE FUNCTION vmnet_internal.import_source_table(kind text, relation text)
RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $$
SELECT n.source_name FROM vmnet_internal.import_names() n WHERE n.kind = $1 AND n.relation = $2 AND n.name IS NULL
$$;
COMMENT ON FUNCTION vmnet_internal.import_source_table(text, text) IS
'Table that the rows of a table of an inventory come from in a source of a kind';

-- A column of the source under the name it has there: nicId, which loaders that
-- fold names to lower case made nicid.
CREATE FUNCTION vmnet_internal.import_source_column(source text, source_table text, source_column text)
RETURNS text
LANGUAGE sql STABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $$
SELECT a.attname
FROM pg_catalog.pg_namespace s
	JOIN pg_catalog.pg_class c ON c.relnamespace = s.oid AND c.relkind IN ('r', 'p', 'v', 'm', 'f')
	JOIN pg_catalog.pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
WHERE s.nspname = $1 AND c.relname = $2 AND a.attname IN ($3, lower($3))
ORDER BY a.attname <> $3
LIMIT 1
$$;
COMMENT ON FUNCTION vmnet_internal.import_source_column(text, text, text) IS
'Name of a column of the source, as it is or in lower case; NULL where it has no such column';

-- The type of a column of the source, or NULL where it has none.
CREATE FUNCTION vmnet_internal.import_source_type(source text, source_table text, source_column text)
RETURNS regtype
LANGUAGE sql STABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $$
SELECT CASE WHEN t.typtype = 'd' THEN t.typbasetype ELSE t.oid END::regtype
FROM pg_catalog.pg_namespace s
	JOIN pg_catalog.pg_class c ON c.relnamespace = s.oid AND c.relkind IN ('r', 'p', 'v', 'm', 'f')
	JOIN pg_catalog.pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
	JOIN pg_catalog.pg_type t ON t.oid = a.atttypid
WHERE s.nspname = $1 AND c.relname = $2 AND a.attname = vmnet_internal.import_source_column($1, $2, $3)
$$;
COMMENT ON FUNCTION vmnet_internal.import_source_type(text, text, text) IS
'Type of a column of the source, NULL where it has no such column';

-- How a value of the source becomes one of the inventory: an expression over
-- "value", which is quoted already.  NULL for what cannot be read.
CREATE FUNCTION vmnet_internal.import_expression(value text, source_type regtype, target_type text)
RETURNS text
LANGUAGE sql STABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $$
SELECT format(
	CASE
	WHEN $3 = 'text' THEN 'rtrim(%1$s::text, '' '')'
	WHEN $3 IN ('bigint', 'integer') AND $2 IN ('bigint'::regtype, 'integer'::regtype, 'smallint'::regtype) THEN '%1$s::bigint'
	WHEN $3 IN ('bigint', 'integer') THEN 'vmnet_internal.read_bigint(%1$s::text)'
	WHEN $3 = 'boolean' AND $2 IN ('bigint'::regtype, 'integer'::regtype, 'smallint'::regtype) THEN '(%1$s <> 0)'
	WHEN $3 = 'timestamptz' AND $2 = 'timestamptz'::regtype THEN '%1$s::timestamptz'
	WHEN $3 = 'timestamptz' AND $2 IN ('timestamp'::regtype, 'date'::regtype) THEN '(%1$s::timestamp AT TIME ZONE ''UTC'')'
	WHEN $2 = $3::regtype THEN '%1$s::' || $3
	WHEN $3 LIKE '%%[]' THEN 'vmnet_internal.read_' || rtrim($3, '[]') || '_list(%1$s::text)'
	WHEN $3 = 'inet' AND $2 = 'cidr'::regtype THEN '%1$s::inet'
	ELSE 'vmnet_internal.read_' || $3 || '(%1$s::text)'
	END, $1)
$$;
COMMENT ON FUNCTION vmnet_internal.import_expression(text, regtype, text) IS
'Expression that turns a value of the source into one of the inventory';

-- The same of a value that can be a list: its first element.
CREATE FUNCTION vmnet_internal.import_first(value text, target_type text)
RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $$ SELECT format('(vmnet_internal.read_%s_list(%s::text))[1]', $2, $1) $$;
COMMENT ON FUNCTION vmnet_internal.import_first(text, text) IS
'Expression that turns the first element of a list of the source into a value of the inventory';

-- The same for millions of rows: what PostgreSQL's own functions do slowly is
-- done by ours.
CREATE FUNCTION vmnet_internal.import_bulk_expression(value text, source_type regtype, target_type text)
RETURNS text
LANGUAGE sql STABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $$
SELECT CASE
	WHEN $3 = 'text' THEN format('vmnet_internal.read_text(%s::text)', $1)
	WHEN $3 = 'timestamptz' AND $2 = 'timestamp'::regtype THEN format('vmnet_internal.read_finite(vmnet_internal.read_utc(%s))', $1)
	WHEN $3 = 'timestamptz' AND $2 = 'timestamptz'::regtype THEN format('vmnet_internal.read_finite(%s)', $1)
	-- a date can be one that no timestamp can be
	WHEN $3 = 'timestamptz' AND $2 = 'date'::regtype THEN format('vmnet_internal.read_timestamptz(%s::text)', $1)
	ELSE vmnet_internal.import_expression($1, $2, $3) END
$$;
COMMENT ON FUNCTION vmnet_internal.import_bulk_expression(text, regtype, text) IS
'Expression that turns a value of the source into one of the inventory, for whole tables';

-- The value of a column as a text or a column of s, the source's table.  NULL where
-- the source has none of the columns that it is made of.
CREATE FUNCTION vmnet_internal.import_value(source text, source_table text, source_column text, made_of text[], made text)
RETURNS text
LANGUAGE sql STABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $$
SELECT CASE WHEN $4 IS NULL THEN 's.' || quote_ident(vmnet_internal.import_source_column($1, $2, $3))
	ELSE format($5, (SELECT string_agg(format('nullif(btrim(s.%I::text), '''')', c.name), ', ' ORDER BY m.ord)
		FROM unnest($4) WITH ORDINALITY m (name, ord)
			CROSS JOIN LATERAL (SELECT vmnet_internal.import_source_column($1, $2, m.name)) c (name)
		WHERE c.name IS NOT NULL)) END
$$;
COMMENT ON FUNCTION vmnet_internal.import_value(text, text, text, text[], text) IS
'Part of import_cloudstack() and attach_cloudstack(): a value of the source, as an expression';

-- The columns of an inventory as a source gives them, in order.  absent: what
-- stands for a column that the source has not, as a version of CloudStack that
-- has no such column; else NULL.  value: the column of the source, quoted, of s,
-- the source's table, or of l, the table from_lookup.  is_list: it is a text that can
-- be a list, of which the first element counts.  is_made: value is an expression.
CREATE FUNCTION vmnet_internal.import_plan(source text, relation text)
RETURNS TABLE (ord int, target text, target_type text, source_column text, from_lookup text, lookup_key text,
	source_type regtype, value text, absent text, is_list boolean, is_made boolean, needed boolean)
LANGUAGE sql STABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $$
SELECT c.ord, c.target, c.target_type, c.source_column, c.from_lookup, c.lookup_key, t.type,
	CASE WHEN c.from_lookup IS NULL THEN vmnet_internal.import_value($1, t.source_table, c.source_column, c.made_of, c.made)
		ELSE format('l.%I', c.source_column) END,
	CASE WHEN t.type IS NULL OR c.from_lookup IS NOT NULL AND (vmnet_internal.import_source_type($1, c.from_lookup, 'id') IS NULL
			OR vmnet_internal.import_source_type($1, t.source_table, c.lookup_key) IS NULL)
		THEN format('%s::%s', coalesce(c.if_absent, 'NULL'), c.target_type) END,
	c.is_list AND t.type NOT IN ('inet'::regtype, 'cidr'::regtype), c.made_of IS NOT NULL, c.needed
FROM vmnet_internal.import_kind($1) k (kind)
	CROSS JOIN LATERAL vmnet_internal.import_columns(k.kind, $2) c
	CROSS JOIN LATERAL (
		SELECT n.source_table, CASE WHEN c.made_of IS NULL
			THEN vmnet_internal.import_source_type($1, coalesce(c.from_lookup, n.source_table), c.source_column)
			WHEN EXISTS (SELECT FROM unnest(c.made_of) m WHERE vmnet_internal.import_source_type($1, n.source_table, m) IS NOT NULL)
			THEN 'text'::regtype END AS type
		FROM vmnet_internal.import_source_table(k.kind, $2) n (source_table)) t
ORDER BY c.ord
$$;
COMMENT ON FUNCTION vmnet_internal.import_plan(text, text) IS
'Part of import_cloudstack() and attach_cloudstack(): the columns of an inventory as a source gives them';
