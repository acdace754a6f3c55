--
-- Inventories are made
--

-- Executes a statement and comments on what it makes.  ddl and object (as COMMENT
-- ON takes it; NULL: no comment) are formats for the arguments.
CREATE FUNCTION vmnet_internal.build_object(ddl text, object text, comment text, VARIADIC args text[])
RETURNS void
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	EXECUTE format(ddl, VARIADIC args);
	IF object IS NOT NULL THEN
		EXECUTE format('COMMENT ON %s IS %L', format(object, VARIADIC args), comment);
	END IF;
END
$$;
COMMENT ON FUNCTION vmnet_internal.build_object(text, text, text, text[]) IS
'Executes a statement and comments on what it makes; ddl and object are formats for the arguments';

-- Comments on the columns of relations of a schema; relations NULL: of all of
-- them.  comments: rows of relations, column_name and comment.  The first row that
-- names the relation wins, then the first one whose relations are NULL.
CREATE FUNCTION vmnet_internal.comment_columns(schema_name text, relations text[], comments jsonb)
RETURNS void
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	target record;
BEGIN
	FOR target IN
		WITH said AS MATERIALIZED (
			SELECT r.ord, r.value->>'column_name' AS column_name, r.value->>'comment' AS comment,
				CASE jsonb_typeof(r.value->'relations')
					WHEN 'array' THEN ARRAY(SELECT jsonb_array_elements_text(r.value->'relations')) END AS relations
			FROM jsonb_array_elements(comments) WITH ORDINALITY r (value, ord))
		SELECT c.relname, a.attname, m.comment
		FROM pg_catalog.pg_class c
			JOIN pg_catalog.pg_namespace s ON s.oid = c.relnamespace
			JOIN pg_catalog.pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
			CROSS JOIN LATERAL (
				SELECT d.comment
				FROM said d
				WHERE d.column_name = a.attname AND (d.relations IS NULL OR c.relname = ANY (d.relations))
				ORDER BY d.relations IS NULL, d.ord
				LIMIT 1) m
		WHERE s.nspname = schema_name AND c.relkind IN ('r', 'v')
			AND (comment_columns.relations IS NULL OR c.relname = ANY (comment_columns.relations))
	LOOP
		EXECUTE format('COMMENT ON COLUMN %I.%I.%I IS %L', schema_name, target.relname, target.attname, target.comment);
	END LOOP;
END
$$;
COMMENT ON FUNCTION vmnet_internal.comment_columns(text, text[], jsonb) IS
'Part of create_inventory() and create_report(): comments on columns';

-- Makes the objects of some phases of a definition, with their comments.
CREATE FUNCTION vmnet_internal.build_inventory(inventory text, inventory_kind text, source text, mode text, phases text[],
	key_types jsonb DEFAULT NULL)
RETURNS void
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	version text := vmnet.version();
	part record;
BEGIN
	FOR part IN
		SELECT d.ddl, d.object, d.comment
		FROM vmnet_internal.inventory_definition(inventory_kind, phases, key_types) d
		ORDER BY d.ord
	LOOP
		PERFORM vmnet_internal.build_object(part.ddl, part.object, part.comment, inventory, inventory_kind, source, mode, version);
	END LOOP;
END
$$;
COMMENT ON FUNCTION vmnet_internal.build_inventory(text, text, text, text, text[], jsonb) IS
'Part of create_inventory(): makes the objects of some phases of inventory_definition(), as the caller';

-- What an inventory says of itself.
CREATE FUNCTION vmnet_internal.build_info(inventory text, inventory_kind text, source text, mode text, version text)
RETURNS void
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	PERFORM vmnet_internal.build_object(d.ddl, d.object, d.comment, inventory, inventory_kind, source, mode, version)
	FROM vmnet_internal.inventory_definition(inventory_kind, '{views}', or_replace => true) d
	WHERE d.name = 'inventory_info';
END
$$;
COMMENT ON FUNCTION vmnet_internal.build_info(text, text, text, text, text) IS
'Writes what an inventory says of itself into its view inventory_info';

-- Comments on every column of every relation of an inventory, on its
-- sequences, and on the indexes of its keys.
CREATE FUNCTION vmnet_internal.comment_inventory(inventory text)
RETURNS void
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	target record;
BEGIN
	PERFORM vmnet_internal.comment_columns(inventory, NULL,
		(SELECT jsonb_agg(to_jsonb(m)) FROM vmnet_internal.inventory_column_comments() m));

	FOR target IN
		SELECT c.relname, c.relkind,
			CASE WHEN c.relkind = 'S' THEN 'Next ' || a.attname || ' of ' || t.relname
				ELSE obj_description(k.oid, 'pg_constraint') END AS comment
		FROM pg_catalog.pg_class c
			JOIN pg_catalog.pg_namespace s ON s.oid = c.relnamespace
			LEFT JOIN pg_catalog.pg_depend d ON c.relkind = 'S' AND d.deptype = 'a'
				AND d.classid = 'pg_catalog.pg_class'::regclass AND d.objid = c.oid
				AND d.refclassid = 'pg_catalog.pg_class'::regclass
			LEFT JOIN pg_catalog.pg_class t ON t.oid = d.refobjid
			LEFT JOIN pg_catalog.pg_attribute a ON a.attrelid = t.oid AND a.attnum = d.refobjsubid
			LEFT JOIN pg_catalog.pg_constraint k ON c.relkind = 'i' AND k.conindid = c.oid AND k.contype IN ('p', 'u')
		WHERE s.nspname = inventory AND c.relkind IN ('S', 'i')
			AND obj_description(c.oid, 'pg_class') IS NULL
	LOOP
		EXECUTE format('COMMENT ON %s %I.%I IS %L',
			CASE target.relkind WHEN 'S' THEN 'SEQUENCE' ELSE 'INDEX' END,
			inventory, target.relname, target.comment);
	END LOOP;
END
$$;
COMMENT ON FUNCTION vmnet_internal.comment_inventory(text) IS
'Part of create_inventory(): comments on columns, sequences and the indexes of keys, as the caller';

CREATE FUNCTION vmnet_internal.create_inventory(name text, kind text DEFAULT 'managed')
RETURNS void
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	is_inventory boolean;
BEGIN
	IF $1 IS NULL OR $1 = '' OR octet_length($1) > 63 THEN
		RAISE EXCEPTION USING
			ERRCODE = 'invalid_parameter_value',
			MESSAGE = 'the name of an inventory must have 1 to 63 bytes',
			DETAIL = CASE WHEN $1 IS NULL THEN 'It is NULL.' ELSE format('It has %s bytes.', octet_length($1)) END,
			HINT = 'An inventory is a schema, so its name is the name of a schema.';
	END IF;
	IF $2 IS NULL OR $2 NOT IN ('managed', 'mirror') THEN
		RAISE EXCEPTION USING
			ERRCODE = 'invalid_parameter_value',
			MESSAGE = format('unknown kind of inventory: %s', coalesce('"' || $2 || '"', 'NULL')),
			DETAIL = 'There are: managed (PostgreSQL is the source of truth), mirror (of another system).',
			HINT = format('SELECT vmnet.create_inventory(%L);', $1);
	END IF;
	IF EXISTS (SELECT FROM pg_catalog.pg_namespace n WHERE n.nspname = $1) THEN
		is_inventory := EXISTS (SELECT FROM vmnet_internal.inventory_facts($1) l);
		RAISE EXCEPTION USING
			ERRCODE = 'duplicate_schema',
			MESSAGE = format('schema "%s" exists already', $1),
			DETAIL = CASE WHEN is_inventory THEN 'It is an inventory; the view vmnet.inventories says of which kind.'
				ELSE 'It is not an inventory, or only half of one. Nothing in it was touched.' END,
			HINT = CASE WHEN is_inventory THEN 'Use it as it is, or choose another name.'
				ELSE 'Choose another name, or move what is in it away and drop the schema.' END;
	END IF;

	EXECUTE format('CREATE SCHEMA %I', $1);
	EXECUTE format('COMMENT ON SCHEMA %I IS %L', $1,
		'Inventory of networks, instances and NICs (vmnet_ext)
networks, instances and nics are what is live; all_networks, all_instances and all_nics have the rest too.');
	PERFORM vmnet_internal.build_inventory($1, $2, NULL,
		CASE $2 WHEN 'managed' THEN 'enforce' ELSE 'read_only' END,
		ARRAY['tables', 'keys', 'references', 'indexes', 'rules', 'views', 'triggers']);
	PERFORM d.change FROM vmnet_internal.refresh_state($1) s CROSS JOIN LATERAL vmnet_internal.copy_view_defaults(s.table_id, s.view_id) d;
	PERFORM vmnet_internal.comment_inventory($1);
END
$$;
COMMENT ON FUNCTION vmnet_internal.create_inventory(text, text) IS
'Body of vmnet.create_inventory(), run as the caller';

CREATE FUNCTION vmnet.create_inventory(name text, kind text DEFAULT 'managed')
RETURNS void
AS 'MODULE_PATHNAME', 'caller_entry'
LANGUAGE C COST 10000;
COMMENT ON FUNCTION vmnet.create_inventory(text, text) IS
'Makes an inventory: a schema of that name with tables, views and guards, owned by the caller
kind: managed (the default: PostgreSQL is the source of truth and every rule is enforced) or mirror (rows of another system as they are; '
'only the import writes). The name is taken as it is, neither folded nor unquoted. Needs CREATE on the database.
Errors: 42P06 where a schema of that name exists, 22023 for a name or a kind that cannot be.';
