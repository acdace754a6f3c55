--
-- Numbers of a source that PostgreSQL cannot read: a foreign table, or a view over
-- one, has bigint where MySQL has bigint unsigned, and reading a number above 2^63
-- is an error.  Where the caller cannot read it as another type (see
-- import_make_stand_ins()), the rows are found by halving ranges of ids, which the
-- other system judges.  They are in the temporary table vmnet_import_unreadable:
-- id NULL is a row whose id itself cannot be read.
--

-- The error of reading columns of those rows for which a condition holds; NULL if
-- they can be read.
CREATE FUNCTION vmnet_internal.import_try(source text, source_table text, columns text[], condition text)
RETURNS text
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
SET row_security = off
AS $$
DECLARE
	list text := (SELECT string_agg(format('s.%I', c), ', ') FROM unnest(columns) c);
BEGIN
	EXECUTE format('SELECT count(*) FROM (SELECT %1$s FROM %2$I.%3$I s WHERE %4$s OFFSET 0) s WHERE num_nulls(%1$s) < 0',
		list, source, source_table, condition);
	RETURN NULL;
EXCEPTION WHEN numeric_value_out_of_range THEN
	RETURN SQLERRM;
END
$$;
COMMENT ON FUNCTION vmnet_internal.import_try(text, text, text[], text) IS
'Part of import_cloudstack(): the error of reading columns of a table of the source, NULL if there is none';

-- The whole numbers of a table that an import reads.
CREATE FUNCTION vmnet_internal.import_numbers(source text, source_table text)
RETURNS text[]
LANGUAGE sql STABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $$
SELECT array_agg(DISTINCT vmnet_internal.import_source_column($1, $2, n.name))
FROM vmnet_internal.import_kind($1) k (kind)
	CROSS JOIN unnest(ARRAY['networks', 'instances', 'nics', 'nic_secondary_ips']) r
	CROSS JOIN LATERAL vmnet_internal.import_columns(k.kind, r) c
	CROSS JOIN LATERAL (VALUES
		(vmnet_internal.import_source_table(k.kind, r), CASE WHEN c.from_lookup IS NULL THEN c.source_column ELSE c.lookup_key END),
		(c.from_lookup, c.source_column), (c.from_lookup, 'id')) n (source_table, name)
WHERE n.source_table = $2
	AND vmnet_internal.import_source_type($1, $2, n.name) IN ('bigint'::regtype, 'integer'::regtype, 'smallint'::regtype)
$$;
COMMENT ON FUNCTION vmnet_internal.import_numbers(text, text) IS
'Part of import_cloudstack(): columns of whole numbers that are read of a table of the source';

-- Condition for the rows of a table all of whose numbers can be read, of table s;
-- with what stands before it.
CREATE FUNCTION vmnet_internal.import_readable(source_table text)
RETURNS text
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
SELECT coalesce(' WHERE ' || string_agg(DISTINCT CASE
	WHEN u.id IS NULL THEN '(s.id IS NULL OR s.id <= 9223372036854775807)'
	ELSE format('(s.id IS NULL OR s.id <> %L::bigint)', u.id) END, ' AND '), '')
FROM pg_temp.vmnet_import_unreadable u
WHERE u."table" = $1
$$;
COMMENT ON FUNCTION vmnet_internal.import_readable(text) IS
'Part of import_cloudstack(): condition for the rows of a table of the source whose numbers can be read';

-- A number of a row that cannot be read, as text; NULL if it can.
CREATE FUNCTION vmnet_internal.import_unread(source_table text, row_id bigint, source_column text)
RETURNS text
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
SELECT coalesce(u.original, 'unknown')
FROM pg_temp.vmnet_import_unreadable u
WHERE u."table" = $1 AND u.id = $2 AND lower(u."column") = lower($3)
$$;
COMMENT ON FUNCTION vmnet_internal.import_unread(text, bigint, text) IS
'Part of import_cloudstack(): a number of a row of the source that cannot be read';

-- Writes down the rows whose id cannot be read.  Their ids less 2^63 can, where the
-- other system computes the difference.
CREATE FUNCTION vmnet_internal.import_find_ids(source text, source_table text, message text)
RETURNS void
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
SET row_security = off
AS $$
BEGIN
	EXECUTE format($f$
		INSERT INTO pg_temp.vmnet_import_unreadable ("table", "column", original)
		SELECT %1$L, 'id', (d.above + 9223372036854775808)::text
		FROM (SELECT s.id - 9223372036854775807 - 1 AS above, count(*) AS rows FROM %2$I.%1$I s WHERE s.id > 9223372036854775807
			GROUP BY s.id - 9223372036854775807 - 1) d, generate_series(1, d.rows)$f$, source_table, source);
EXCEPTION WHEN numeric_value_out_of_range THEN
	INSERT INTO pg_temp.vmnet_import_unreadable ("table", "column", original)
	VALUES (source_table, 'id', substring(message FROM '-?[0-9]+'));
END
$$;
COMMENT ON FUNCTION vmnet_internal.import_find_ids(text, text, text) IS
'Part of import_cloudstack(): writes down ids of the source that cannot be read';

-- Writes down the numbers of a table that cannot be read.  Does nothing where the
-- condition on the id is not judged by the other system: then the error is the
-- same for any rows.
CREATE FUNCTION vmnet_internal.import_find_unreadable(source text, source_table text)
RETURNS void
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	bad text[] := ARRAY(SELECT c FROM unnest(vmnet_internal.import_numbers(source, source_table)) c
		WHERE vmnet_internal.import_try(source, source_table, ARRAY[c], 'true') IS NOT NULL);
	first numeric[] := '{-9223372036854775808}';
	last numeric[] := '{9223372036854775807}';
	low numeric;
	high numeric;
	middle numeric;
	found int := 0;
BEGIN
	IF bad = '{}' OR EXISTS (SELECT FROM pg_temp.vmnet_import_unreadable u WHERE u."table" = source_table)
		OR vmnet_internal.import_try(source, source_table, bad, 's.id = -9223372036854775808') IS NOT NULL
	THEN
		RETURN;
	END IF;
	IF 'id' = ANY (bad) THEN
		PERFORM vmnet_internal.import_find_ids(source, source_table, vmnet_internal.import_try(source, source_table, '{id}', 'true'));
		bad := array_remove(bad, 'id');
	END IF;
	WHILE bad <> '{}' AND first <> '{}' LOOP
		low := first[cardinality(first)];
		high := last[cardinality(last)];
		first := trim_array(first, 1);
		last := trim_array(last, 1);
		CONTINUE WHEN vmnet_internal.import_try(source, source_table, bad, format('s.id >= %s AND s.id <= %s', low, high)) IS NULL;
		IF low < high THEN
			middle := floor((low + high) / 2);
			first := first || ARRAY[middle + 1, low];
			last := last || ARRAY[high, middle];
			CONTINUE;
		END IF;
		INSERT INTO pg_temp.vmnet_import_unreadable ("table", id, "column", original)
		SELECT source_table, low, c, substring(t.message FROM '-?[0-9]+')
		FROM unnest(bad) c, vmnet_internal.import_try(source, source_table, ARRAY[c], format('s.id = %s', low)) t (message)
		WHERE t.message IS NOT NULL;
		found := found + 1;
		-- so many are no accident; the error is raised again
		EXIT WHEN found = 1000;
	END LOOP;
END
$$;
COMMENT ON FUNCTION vmnet_internal.import_find_unreadable(text, text) IS
'Part of import_cloudstack(): writes down which numbers of a table of the source cannot be read';

-- Copies one table of the source into a stage, of which a number cannot be read:
-- through stand-ins; or, where the caller may not make them, or they do not help,
-- all rows that can be read, and the others without what cannot.  reader: the schema
-- that was read.
CREATE FUNCTION vmnet_internal.import_stage_large(source text, relation text, OUT n bigint, OUT reader text)
RETURNS record
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
SET row_security = off
AS $$
DECLARE
	kind text := vmnet_internal.import_kind(source);
	source_table text := vmnet_internal.import_source_table(kind, relation);
	stage text := 'vmnet_import_' || relation;
	part text;
	row_id bigint;
BEGIN
	BEGIN
		reader := vmnet_internal.import_make_stand_ins(source);
		EXECUTE format('CREATE TEMPORARY TABLE %I AS ', stage) || vmnet_internal.import_query(reader, relation);
		GET DIAGNOSTICS n = ROW_COUNT;
		RETURN;
	EXCEPTION WHEN insufficient_privilege OR numeric_value_out_of_range THEN
		reader := source;
	END;
	FOR part IN
		SELECT source_table
		UNION
		SELECT p.from_lookup FROM vmnet_internal.import_plan(source, relation) p WHERE p.from_lookup IS NOT NULL AND p.absent IS NULL
	LOOP
		PERFORM vmnet_internal.import_find_unreadable(source, part);
	END LOOP;
	EXECUTE format('CREATE TEMPORARY TABLE %I AS ', stage) || vmnet_internal.import_query(source, relation);
	FOR row_id IN SELECT DISTINCT u.id FROM pg_temp.vmnet_import_unreadable u WHERE u."table" = source_table AND u.id IS NOT NULL LOOP
		EXECUTE format('INSERT INTO pg_temp.%I ', stage) || vmnet_internal.import_query(source, relation, row_id);
	END LOOP;
	EXECUTE format('INSERT INTO pg_temp.%I (raw_id) SELECT u.original FROM pg_temp.vmnet_import_unreadable u'
		' WHERE u."table" = %L AND u.id IS NULL', stage, source_table);
	EXECUTE format('SELECT count(*) FROM pg_temp.%I', stage) INTO n;
END
$$;
COMMENT ON FUNCTION vmnet_internal.import_stage_large(text, text) IS
'Part of import_cloudstack(): copies a table of the source into a stage, of which a number cannot be read';
