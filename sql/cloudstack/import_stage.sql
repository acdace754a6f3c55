--
-- Copies of the source in temporary tables
--

-- Drops the stages that this session has.
CREATE FUNCTION vmnet_internal.import_drop_stages()
RETURNS void
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	stage record;
BEGIN
	FOR stage IN
		SELECT c.relname, c.relkind FROM pg_catalog.pg_class c
		WHERE c.relnamespace = pg_my_temp_schema() AND c.relkind IN ('r', 'f') AND c.relname IN (
			SELECT 'vmnet_import_' || r.relation FROM vmnet_internal.import_relations() r
			UNION ALL
			VALUES ('vmnet_import_log'), ('vmnet_import_changes'), ('vmnet_import_mysql'), ('vmnet_import_unreadable'))
	LOOP
		EXECUTE format('DROP %s pg_temp.%I', CASE stage.relkind WHEN 'f' THEN 'FOREIGN TABLE' ELSE 'TABLE' END, stage.relname);
	END LOOP;
END
$$;
COMMENT ON FUNCTION vmnet_internal.import_drop_stages() IS
'Part of import_cloudstack(): drops the stages';

-- Makes the stages for what is found; those for the tables of the source are
-- made when they are read.
CREATE FUNCTION vmnet_internal.import_make_stages()
RETURNS void
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	PERFORM vmnet_internal.import_drop_stages();
	CREATE TEMPORARY TABLE vmnet_import_log ("table" text, id text, "column" text, original text, action text, reason text);
	CREATE TEMPORARY TABLE vmnet_import_changes (relation text, id bigint, kind text);
	CREATE TEMPORARY TABLE vmnet_import_unreadable ("table" text, id bigint, "column" text, original text);
END
$$;
COMMENT ON FUNCTION vmnet_internal.import_make_stages() IS
'Part of import_cloudstack(): makes temporary tables for what is found';

-- How one column of the source is stored: raw, what is kept of a key that cannot
-- be read; final, its value; and under which conditions it could not be taken as
-- it was, with the reasons.  conv is the converted value, created the time that a
-- removal at an unknown time gets.  is_key: a row of which it cannot be read is
-- rejected.  is_list: the value can be a list, whose first element conv is.  needed:
-- every source has a value.
CREATE FUNCTION vmnet_internal.import_column(target text, target_type text, source_type regtype, value text, conv text, created text,
	is_key boolean, is_list boolean, needed boolean,
	OUT raw text, OUT final text, OUT lost text, OUT lost_reason text, OUT changed text, OUT changed_reason text)
LANGUAGE plpgsql STABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	whole boolean := source_type IN ('bigint'::regtype, 'integer'::regtype, 'smallint'::regtype);
	filled text := format(CASE WHEN whole OR source_type IN ('timestamp'::regtype, 'timestamptz'::regtype, 'date'::regtype)
		THEN '%s IS NOT NULL' ELSE 'btrim(%s::text) <> ''''' END, value);
BEGIN
	final := conv;
	-- a value of the same type needs no look, nor does a flag that is a number
	-- what is lost of a list is said of its columns
	IF target_type <> 'text' AND source_type <> target_type::regtype AND NOT (target_type = 'boolean' AND whole)
		AND target_type NOT LIKE '%[]' THEN
		lost := format('%s IS NULL AND %s', conv, filled);
		lost_reason := format('not a value of type %s; stored as NULL', target_type);
	END IF;
	IF is_key THEN
		-- a key that cannot be read is not changed: its row is rejected
		raw := format('CASE WHEN %s IS NULL THEN %s::text END', conv, value);
		lost := NULL;
	ELSIF target = 'created' THEN
		final := format('coalesce(%s, ''1970-01-01 00:00:00+00''::timestamptz)', conv);
		lost := format(CASE WHEN needed THEN '%s IS NULL' ELSE '%s IS NULL AND %s' END, conv, filled);
		lost_reason := 'no time; stored as 1970-01-01 00:00:00 UTC';
	ELSIF target = 'removed' THEN
		final := format('CASE WHEN %s THEN coalesce(%s, %s) END', filled, conv, created);
		lost := format('%s IS NULL AND %s', conv, filled);
		lost_reason := 'no time, so removed at an unknown time; stored as created';
	ELSIF target = 'state' THEN
		final := format('coalesce(%s, ''Unknown'')', conv);
		lost := format('%s IS NULL', conv);
		lost_reason := 'no state; stored as Unknown';
	ELSIF target_type = 'integer' THEN
		final := format('CASE WHEN %s BETWEEN -2147483648 AND 2147483647 THEN (%s)::integer END', conv, conv);
		IF lost IS NOT NULL THEN
			lost := format('%s AND (%s BETWEEN -2147483648 AND 2147483647) IS NOT TRUE', filled, conv);
		END IF;
	END IF;

	-- what can be stored, but not as it was
	IF target_type = 'text' AND source_type IN ('text'::regtype, 'varchar'::regtype) THEN
		changed := format('%s::text <> %s', value, conv);
		changed_reason := 'blanks at the end were cut off';
	ELSIF target_type = 'cidr' AND is_list THEN
		changed := format('vmnet_internal.read_inet_list(%1$s::text) <> vmnet_internal.read_cidr_list(%1$s::text)::inet[]', value);
		changed_reason := 'bits right of the prefix length were cleared';
	ELSIF target_type = 'cidr' AND source_type <> 'cidr'::regtype THEN
		changed := format('vmnet_internal.read_inet(%s::text) <> %s::inet', value, conv);
		changed_reason := 'bits right of the prefix length were cleared';
	END IF;
END
$$;
COMMENT ON FUNCTION vmnet_internal.import_column(text, text, regtype, text, text, text, boolean, boolean, boolean) IS
'Part of import_cloudstack(): how one column of the source is stored, and when it could not be taken as it was';

-- The condition that a part of a list cannot be read, and another one can.
CREATE FUNCTION vmnet_internal.import_part_lost(value text, target_type text)
RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $$
SELECT format('(SELECT count(*) FROM unnest(string_to_array(%1$s::text, '','')) l WHERE btrim(l) <> '''')'
	' > cardinality(vmnet_internal.read_%2$s_list(%1$s::text))', $1, $2)
$$;
COMMENT ON FUNCTION vmnet_internal.import_part_lost(text, text) IS
'Part of import_cloudstack(): the condition that a part of a list cannot be read';

-- How a column of the plan of an import is read, in the inner query of
-- import_query(): its value, under the name that the outer query knows, and the
-- converted value.
CREATE FUNCTION vmnet_internal.import_read(value text, name text, is_made boolean, conv text, source_type regtype, target_type text,
	is_list boolean)
RETURNS text[]
LANGUAGE sql STABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $$
SELECT ARRAY[$1 || CASE WHEN $3 THEN ' AS ' || substr($2, 3) ELSE '' END,
	format('%s AS %s', CASE WHEN $7 THEN vmnet_internal.import_first($1, $6)
		ELSE vmnet_internal.import_bulk_expression($1, $5, $6) END, substr($4, 3))]
$$;
COMMENT ON FUNCTION vmnet_internal.import_read(text, text, boolean, text, regtype, text, boolean) IS
'Part of import_cloudstack(): how a column of the source is read';

-- Part of import_query(): the query of its parts.
CREATE FUNCTION vmnet_internal.import_query_text(source text, relation text, row_id bigint, targets text[], bads text[], notes text[],
	read text[])
RETURNS text
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
SELECT format('SELECT %s, CASE WHEN %s THEN array_remove(ARRAY[%s]::jsonb[], NULL) END AS notes FROM (SELECT %s FROM %I.%I s%s OFFSET 0) '
		's%s', array_to_string($4, ', '), coalesce(nullif(array_to_string($5, ' OR '), ''), 'false'), array_to_string($6, ', '),
	(SELECT string_agg(DISTINCT r, ', ') FROM unnest($7) r), $1, t.name,
	CASE WHEN $3 IS NULL THEN vmnet_internal.import_readable(t.name) ELSE format(' WHERE s.id = %L::bigint', $3) END,
	vmnet_internal.import_lookups($1, $2))
FROM vmnet_internal.import_source_table(vmnet_internal.import_kind($1), $2) t (name)
$$;
COMMENT ON FUNCTION vmnet_internal.import_query_text(text, text, bigint, text[], text[], text[], text[]) IS
'Part of import_cloudstack(): puts the parts of import_query() together';

-- The query that reads one table of the source: every column converted, and
-- in "notes" what could not be taken as it was.  Each value is converted once,
-- in the inner query (as c_1, c_2 ...); the outer one looks at both.
-- row_id: reads only this row, without those of its numbers that cannot be read.
CREATE FUNCTION vmnet_internal.import_query(source text, relation text, row_id bigint DEFAULT NULL)
RETURNS text
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	source_table text := vmnet_internal.import_source_table(vmnet_internal.import_kind(source), relation);
	col record;
	stored record;
	note record;
	source_type regtype;
	unread text;
	created text := quote_literal('1970-01-01 00:00:00+00') || '::timestamptz';	-- where there is no such column
	removed text;
	state_changed text := 'NULL::timestamptz';
	read text[] := '{}';
	targets text[] := '{}';
	bads text[] := '{}';
	notes text[] := '{}';
BEGIN
	FOR col IN
		SELECT p.*, format('s.c_%s', p.ord) AS conv, CASE WHEN p.is_made THEN format('s.v_%s', p.ord) ELSE p.value END AS name,
			p.target = 'id' OR relation IN ('nics', 'nic_secondary_ips') AND p.target IN ('network_id', 'instance_id', 'nic_id') AS is_key
		FROM vmnet_internal.import_plan(source, relation) p
		ORDER BY p.ord
	LOOP
		IF col.absent IS NOT NULL THEN
			targets := targets || format('%s AS %I', col.absent, col.target);
		ELSIF col.from_lookup IS NOT NULL THEN
			read := read || format(CASE WHEN vmnet_internal.import_unread(source_table, row_id, col.lookup_key) IS NULL THEN 's.%I'
				ELSE 'NULL::bigint AS %I' END, col.lookup_key);
			targets := targets || format('l_%I.%I AS %I', col.target, col.target, col.target);
		ELSIF vmnet_internal.import_unread(source_table, row_id, col.source_column) IS NOT NULL THEN
			unread := vmnet_internal.import_unread(source_table, row_id, col.source_column);
			IF col.is_key THEN
				targets := targets || format('%L::text AS %I', unread, 'raw_' || col.target);
			ELSE
				bads := bads || 'true'::text;
				notes := notes || format('jsonb_build_array(%L, %L::text, %L)', col.source_column, unread,
					format('not a value of type %s; stored as NULL', col.target_type));
			END IF;
			targets := targets || format('NULL::%s AS %I', col.target_type, col.target);
		ELSE
			read := read || vmnet_internal.import_read(col.value, col.name, col.is_made, col.conv, col.source_type, col.target_type,
				col.is_list);
			stored := vmnet_internal.import_column(col.target, col.target_type, col.source_type, col.name, col.conv, created, col.is_key,
				col.is_list, col.needed);
			targets := array_remove(targets || (stored.raw || format(' AS %I', 'raw_' || col.target)), NULL)
				|| format('%s AS %I', stored.final, col.target);
			created := CASE col.target WHEN 'created' THEN stored.final ELSE created END;
			removed := CASE col.target WHEN 'removed' THEN stored.final ELSE removed END;
			FOR note IN
				SELECT n.bad, n.reason
				FROM (VALUES (stored.lost, stored.lost_reason), (stored.changed, stored.changed_reason),
					(CASE WHEN col.is_list THEN vmnet_internal.import_part_lost(col.value, col.target_type) END,
						'a part of the list cannot be read; left out')) n (bad, reason)
				WHERE n.bad IS NOT NULL
			LOOP
				bads := bads || format('(%s)', note.bad);
				notes := notes || format('CASE WHEN %s THEN jsonb_build_array(%L, %s::text, %L) END',
					note.bad, col.source_column, col.name, note.reason);
			END LOOP;
		END IF;
	END LOOP;

	IF relation = 'nics' THEN
		-- CloudStack does not keep when a state changed; this is the best it has
		source_type := vmnet_internal.import_source_type(source, source_table, 'update_time');
		IF source_type IS NOT NULL THEN
			read := read || 's.update_time'::text;
			state_changed := vmnet_internal.import_bulk_expression('s.update_time', source_type, 'timestamptz');
		END IF;
		targets := targets || format('coalesce(%s, %s, %s) AS state_changed', removed, state_changed, created);
	END IF;

	RETURN vmnet_internal.import_query_text(source, relation, row_id, targets, bads, notes, read);
END
$$;
COMMENT ON FUNCTION vmnet_internal.import_query(text, text, bigint) IS
'Part of import_cloudstack(): the query that reads one table of the source, with every column converted';

-- A table of the source behind a fence: what is asked of its rows is asked here,
-- not of another system that may spell a function in another way, or compare
-- text without case.
CREATE FUNCTION vmnet_internal.import_fenced(source text, source_table text)
RETURNS text
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp
AS $$ SELECT format('(SELECT * FROM %I.%I s%s OFFSET 0)', $1, $2, vmnet_internal.import_readable($2)) $$;
COMMENT ON FUNCTION vmnet_internal.import_fenced(text, text) IS
'Part of import_cloudstack(): a table of the source, of which only rows are asked';

-- The joins that bring in names and counters from other tables of the source;
-- each gives at most one row, the same one every time, whatever the source
-- holds twice.
CREATE FUNCTION vmnet_internal.import_lookups(source text, relation text)
RETURNS text
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
SELECT coalesce(string_agg(format(
	' LEFT JOIN (SELECT DISTINCT ON (1) %1$s AS key, %2$s AS %3$I FROM %4$s l ORDER BY 1, 2) l_%3$I ON l_%3$I.key = %5$s',
	vmnet_internal.import_expression('l.id', vmnet_internal.import_source_type(source, p.from_lookup, 'id'), 'bigint'),
	vmnet_internal.import_expression(p.value, p.source_type, p.target_type),
	p.target, vmnet_internal.import_fenced(source, p.from_lookup),
	vmnet_internal.import_expression(format('s.%I', p.lookup_key),
		vmnet_internal.import_source_type(source,
			vmnet_internal.import_source_table(vmnet_internal.import_kind(source), relation), p.lookup_key),
		'bigint')), '' ORDER BY p.ord), '')
FROM vmnet_internal.import_plan(source, relation) p
WHERE p.from_lookup IS NOT NULL AND p.absent IS NULL
$$;
COMMENT ON FUNCTION vmnet_internal.import_lookups(text, text) IS
'Part of import_cloudstack(): the joins that bring in names and counters';

-- Makes stand-ins of the source's tables in the temporary schema, whose numbers
-- are of any size: what MySQL holds in a bigint unsigned can be too large for the
-- column of a foreign table.  Returns the name of that schema.
CREATE FUNCTION vmnet_internal.import_make_stand_ins(source text)
RETURNS text
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	part record;
BEGIN
	FOR part IN
		SELECT c.relname, c.relkind, s.srvname,
			(SELECT string_agg(format('%I %s', a.attname, CASE WHEN a.atttypid
					IN ('bigint'::regtype, 'integer'::regtype, 'smallint'::regtype)
					THEN 'numeric' ELSE format_type(a.atttypid, a.atttypmod) END)
				|| coalesce((SELECT format(' OPTIONS (%s)', string_agg(format('%I %L', o.option_name, o.option_value), ', '))
					FROM pg_options_to_table(a.attfdwoptions) o HAVING count(*) > 0), ''), ', ' ORDER BY a.attnum)
				FROM pg_catalog.pg_attribute a WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped) AS columns,
			(SELECT format(' OPTIONS (%s)', string_agg(format('%I %L', o.option_name, o.option_value), ', '))
				FROM pg_options_to_table(f.ftoptions) o HAVING count(*) > 0) AS options
		FROM pg_catalog.pg_class c
			JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
			LEFT JOIN pg_catalog.pg_foreign_table f ON f.ftrelid = c.oid
			LEFT JOIN pg_catalog.pg_foreign_server s ON s.oid = f.ftserver
		WHERE n.nspname = source AND c.relkind IN ('r', 'p', 'v', 'm', 'f') AND c.relname IN (
			SELECT coalesce(i.from_lookup, vmnet_internal.import_source_table(k.kind, r.relation))
			FROM vmnet_internal.import_kind(source) k (kind), vmnet_internal.import_relations() r,
				vmnet_internal.import_columns(k.kind, r.relation) i)
	LOOP
		IF part.relkind = 'f' THEN
			EXECUTE format('CREATE FOREIGN TABLE pg_temp.%I (%s) SERVER %I', part.relname, part.columns, part.srvname)
				|| coalesce(part.options, '');
		ELSE
			EXECUTE format('CREATE TEMPORARY VIEW %I AS SELECT * FROM %I.%I', part.relname, source, part.relname);
		END IF;
	END LOOP;
	RETURN pg_my_temp_schema()::regnamespace::text;
END
$$;
COMMENT ON FUNCTION vmnet_internal.import_make_stand_ins(text) IS
'Part of import_cloudstack(): makes temporary stand-ins of the source''s tables, whose numbers are of any size';

-- Drops what import_make_stand_ins() has made.
CREATE FUNCTION vmnet_internal.import_drop_stand_ins(source text)
RETURNS void
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	part record;
BEGIN
	FOR part IN
		SELECT c.relname, c.relkind
		FROM pg_catalog.pg_class c
			JOIN pg_catalog.pg_class s ON s.relname = c.relname
			JOIN pg_catalog.pg_namespace n ON n.oid = s.relnamespace AND n.nspname = source
		WHERE c.relnamespace = pg_my_temp_schema() AND c.relkind IN ('v', 'f') AND c.relname IN (
			SELECT coalesce(i.from_lookup, vmnet_internal.import_source_table(k.kind, r.relation))
			FROM vmnet_internal.import_kind(source) k (kind), vmnet_internal.import_relations() r,
				vmnet_internal.import_columns(k.kind, r.relation) i)
	LOOP
		EXECUTE format('DROP %s pg_temp.%I', CASE part.relkind WHEN 'f' THEN 'FOREIGN TABLE' ELSE 'VIEW' END, part.relname);
	END LOOP;
END
$$;
COMMENT ON FUNCTION vmnet_internal.import_drop_stand_ins(text) IS
'Part of import_cloudstack(): drops the stand-ins of the source''s tables';

-- Copies one table of the source into a stage, converted.  A policy that hides
-- rows of the source from the caller is an error: they would look deleted.
CREATE FUNCTION vmnet_internal.import_stage(source text, relation text)
RETURNS bigint
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
SET DateStyle = 'ISO, YMD'
SET TimeZone = 'UTC'
SET row_security = off
AS $$
DECLARE
	source_table text := vmnet_internal.import_source_table(vmnet_internal.import_kind(source), relation);
	there bigint;
	n bigint;
	too_large boolean := false;
	reader text := source;
BEGIN
	IF NOT (SELECT r.needed FROM vmnet_internal.import_relations() r WHERE r.relation = import_stage.relation)
		AND vmnet_internal.import_source_type(source, source_table, 'id') IS NULL THEN
		EXECUTE format('CREATE TEMPORARY TABLE %I (raw_id text, raw_nic_id text, raw_network_id text, notes jsonb[], ',
			'vmnet_import_' || relation) || (SELECT string_agg(format('%I %s', c.target, c.target_type), ', ' ORDER BY c.ord)
				FROM vmnet_internal.import_columns(vmnet_internal.import_kind(source), relation) c) || ')';
		RETURN -1;
	END IF;

	there := vmnet_internal.import_count(source, source_table);
	BEGIN
		EXECUTE format('CREATE TEMPORARY TABLE %I AS ', 'vmnet_import_' || relation)
			|| vmnet_internal.import_query(source, relation);
		GET DIAGNOSTICS n = ROW_COUNT;
	EXCEPTION WHEN datetime_field_overflow OR invalid_datetime_format THEN
		PERFORM vmnet_internal.import_refuse_time(source, source_table, SQLERRM);
	WHEN numeric_value_out_of_range THEN
		too_large := true;
	END;
	IF too_large THEN
		SELECT l.n, l.reader INTO n, reader FROM vmnet_internal.import_stage_large(source, relation) l;
	END IF;
	-- A row that was purged meanwhile is missing in the second count, too.
	IF n < there THEN
		BEGIN
			there := vmnet_internal.import_count(source, source_table);
		EXCEPTION WHEN OTHERS THEN
			RAISE EXCEPTION USING
				ERRCODE = 'connection_failure',
				MESSAGE = format('the source of table %s went away: %s', format('%I.%I', source, source_table), translate(SQLERRM, E'\n',
					' ')),
				DETAIL = format('It gave %s of %s.', n, vmnet_internal.counted(there, 'row', 'rows')),
				HINT = 'The mirror is what it was. Run the import again when the source is back.';
		END;
	END IF;
	IF n < there THEN
		RAISE EXCEPTION USING
			ERRCODE = 'connection_failure',
			MESSAGE = format('the source gave %s of %s of %s', n, vmnet_internal.counted(there, 'row', 'rows'),
				format('%I.%I', source, source_table)),
			DETAIL = 'mysql_fdw takes an error in the middle of a table for its end.',
			HINT = 'The mirror is what it was. Run the import again.';
	END IF;
	IF relation = 'networks' THEN
		PERFORM vmnet_internal.import_judge_lookups(reader);
	END IF;
	IF too_large THEN
		PERFORM vmnet_internal.import_drop_stand_ins(source);
	END IF;
	-- only what the steps that follow join by
	EXECUTE format('ANALYZE pg_temp.%I (%s)', 'vmnet_import_' || relation,
		CASE relation WHEN 'nics' THEN 'id, uuid, network_id, instance_id' ELSE 'id, uuid' END);
	RETURN n;
END
$$;
COMMENT ON FUNCTION vmnet_internal.import_stage(text, text) IS
'Part of import_cloudstack(): copies one table of the source into a stage
Returns the number of rows, -1 where the source has no such table.';
