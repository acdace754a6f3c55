--
-- Inventories are made
--

-- Runs the statements of some phases of a definition, and comments on what
-- they make.
CREATE FUNCTION vmnet_internal.build_inventory(inventory text, inventory_kind text, source text, mode text, phases text[])
RETURNS void
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	part record;
BEGIN
	FOR part IN
		SELECT d.ddl, d.object, d.comment
		FROM vmnet_internal.inventory_definition(inventory_kind) d
		WHERE d.phase = ANY (phases)
		ORDER BY d.ord
	LOOP
		EXECUTE format(part.ddl, inventory, inventory_kind, source, mode, vmnet.version());
		IF part.object IS NOT NULL THEN
			EXECUTE format('COMMENT ON ' || part.object || ' IS %2$L', inventory, part.comment);
		END IF;
	END LOOP;
END
$$;
COMMENT ON FUNCTION vmnet_internal.build_inventory(text, text, text, text, text[]) IS
'Part of create_inventory(): runs the statements of some phases of inventory_definition(), as the caller';

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
	FOR target IN
		SELECT c.relname, a.attname, m.comment
		FROM pg_catalog.pg_class c
			JOIN pg_catalog.pg_namespace s ON s.oid = c.relnamespace
			JOIN pg_catalog.pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
			CROSS JOIN LATERAL (
				SELECT d.comment
				FROM vmnet_internal.inventory_column_comments() WITH ORDINALITY d (relations, column_name, comment, ord)
				WHERE d.column_name = a.attname AND (d.relations IS NULL OR c.relname = ANY (d.relations))
				ORDER BY d.relations IS NULL, d.ord
				LIMIT 1) m
		WHERE s.nspname = inventory AND c.relkind IN ('r', 'v')
	LOOP
		EXECUTE format('COMMENT ON COLUMN %I.%I.%I IS %L',
			inventory, target.relname, target.attname, target.comment);
	END LOOP;

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

CREATE FUNCTION vmnet.create_inventory(name text, kind text DEFAULT 'managed')
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
	PERFORM vmnet_internal.comment_inventory($1);
END
$$;
COMMENT ON FUNCTION vmnet.create_inventory(text, text) IS
'Makes an inventory: a schema of that name with tables, views and guards, owned by the caller
kind: managed (the default: PostgreSQL is the source of truth and every rule is enforced) or mirror (rows of another system as they are; only the import writes). The name is taken as it is, neither folded nor unquoted. Needs CREATE on the database.
Errors: 42P06 where a schema of that name exists, 22023 for a name or a kind that cannot be.';
