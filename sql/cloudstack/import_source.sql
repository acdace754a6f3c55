--
-- Checks of the source before an import, and questions to a MySQL server
--

-- Lets the owner of a mirror read the stages, and write what differs.
CREATE FUNCTION vmnet_internal.import_share(owner text)
RETURNS void
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	EXECUTE format('GRANT SELECT ON %s TO %I', (SELECT string_agg('pg_temp.vmnet_import_' || r.relation, ', ')
		FROM vmnet_internal.import_relations() r), owner);
	EXECUTE format('GRANT SELECT, INSERT ON pg_temp.vmnet_import_changes, pg_temp.vmnet_import_log TO %I', owner);
END
$$;
COMMENT ON FUNCTION vmnet_internal.import_share(text) IS
'Part of import_cloudstack(): lets the owner of the mirror read the stages';

-- Asks something of a MySQL server: one text for each row that the condition,
-- which MySQL judges, lets pass.  The foreign table that this needs is temporary.
CREATE FUNCTION vmnet_internal.import_ask_mysql(server text, remote_table text, columns text[], condition text)
RETURNS SETOF text
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	answers text[];
BEGIN
	EXECUTE format('CREATE FOREIGN TABLE pg_temp.vmnet_import_mysql (%s) SERVER %I OPTIONS (dbname ''information_schema'', table_name %L)',
		(SELECT string_agg(format('%I text', c), ', ') FROM unnest(columns) c), server, remote_table);
	EXECUTE format('SELECT array_agg(%I::text) FROM pg_temp.vmnet_import_mysql WHERE %s', columns[1], condition)
	INTO answers;
	DROP FOREIGN TABLE pg_temp.vmnet_import_mysql;
	RETURN QUERY SELECT a FROM unnest(answers) a;
END
$$;
COMMENT ON FUNCTION vmnet_internal.import_ask_mysql(text, text, text[], text) IS
'Part of import_cloudstack(): asks the information schema of a MySQL server through mysql_fdw';

-- Where the source is MySQL through mysql_fdw: says so if its account can write,
-- since then everybody can change CloudStack who may write to the foreign tables.
-- mysql_fdw runs no SHOW GRANTS; the information schema has, for each column,
-- what this account may do with it, by whatever grant.
CREATE FUNCTION vmnet_internal.import_check_account(source text)
RETURNS void
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	part record;
	writable text;
	zone text;
BEGIN
	FOR part IN
		SELECT s.srvname AS server, d.db, bool_or(c.relname = 'nics') AS has_nics,
			string_agg(format('%L', coalesce(r.name, c.relname)), ', ') AS tables
		FROM pg_catalog.pg_class c
			JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
			JOIN pg_catalog.pg_foreign_table f ON f.ftrelid = c.oid
			JOIN pg_catalog.pg_foreign_server s ON s.oid = f.ftserver
			JOIN pg_catalog.pg_foreign_data_wrapper w ON w.oid = s.srvfdw
			JOIN pg_catalog.pg_proc h ON h.oid = w.fdwhandler AND h.proname = 'mysql_fdw_handler'
			LEFT JOIN LATERAL (SELECT o.option_value FROM pg_options_to_table(f.ftoptions) o WHERE o.option_name = 'dbname') d (db) ON true
			LEFT JOIN LATERAL (SELECT o.option_value FROM pg_options_to_table(f.ftoptions) o
				WHERE o.option_name = 'table_name') r (name) ON true
		WHERE n.nspname = source AND c.relname IN ('networks', 'vm_instance', 'nics')
		GROUP BY s.srvname, d.db
		ORDER BY s.srvname, d.db
	LOOP
		BEGIN
			SELECT string_agg(DISTINCT a, ', ') INTO writable
			FROM vmnet_internal.import_ask_mysql(part.server, 'COLUMNS', ARRAY['table_name', 'table_schema', 'privileges'],
				format('table_schema = %L AND table_name IN (%s) AND (privileges LIKE ''%%insert%%'' OR privileges LIKE ''%%update%%'')',
					part.db, part.tables)) a;
		EXCEPTION WHEN OTHERS THEN
			RAISE NOTICE 'could not ask whether the account of server "%" can write: %', part.server, SQLERRM;
		END;
		IF writable IS NOT NULL THEN
			RAISE WARNING USING
				MESSAGE = format('the account of server "%s" can write to CloudStack''s database', part.server),
				DETAIL = format('It may insert or update: %s. The import never does, but whoever may write to the foreign tables can.',
					writable),
				HINT = format('In MySQL: CREATE USER vmnet_ro@''...'' IDENTIFIED BY ''...''; GRANT SELECT ON `%s`.* TO vmnet_ro@''...''; '
					'then ALTER USER MAPPING ... SERVER %I OPTIONS (SET username ''vmnet_ro'', SET password ''...'').',
					part.db, part.server);
		END IF;

		-- Columns of MySQL's type timestamp come in the zone of the session there.
		CONTINUE WHEN NOT part.has_nics
			OR vmnet_internal.import_source_type(source, 'nics', 'update_time') IS DISTINCT FROM 'timestamp'::regtype;
		BEGIN
			SELECT a INTO zone
			FROM vmnet_internal.import_ask_mysql(part.server, 'SYSTEM_VARIABLES', ARRAY['session_value', 'variable_name'],
				'variable_name = ''TIME_ZONE''') a;
			IF zone = 'SYSTEM' THEN
				SELECT a INTO zone
				FROM vmnet_internal.import_ask_mysql(part.server, 'SYSTEM_VARIABLES', ARRAY['global_value', 'variable_name'],
					'variable_name = ''SYSTEM_TIME_ZONE''') a;
			END IF;
		EXCEPTION WHEN OTHERS THEN
			zone := NULL;	-- MySQL has no such table
		END;
		IF zone NOT IN ('+00:00', 'UTC', 'Etc/UTC', 'GMT') THEN
			RAISE WARNING USING
				MESSAGE = format('server "%s" gives nics.update_time in time zone %s', part.server, zone),
				DETAIL = 'CloudStack''s times are UTC; this one is of MySQL''s type timestamp, which follows the zone of the session.',
				HINT = format('ALTER SERVER %I OPTIONS (ADD init_command ''SET time_zone = ''''+00:00'''''');', part.server);
		END IF;
	END LOOP;
END
$$;
COMMENT ON FUNCTION vmnet_internal.import_check_account(text) IS
'Part of import_cloudstack(): warns where the account of a MySQL source can write, or its time zone is not UTC';

-- A sentence that names the schemas that can be a source, for the DETAIL of an error.
CREATE FUNCTION vmnet_internal.import_schemas_found(kind text)
RETURNS text
LANGUAGE sql STABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $$
SELECT CASE WHEN count(*) = 0 THEN 'No schema of this database has them.'
	ELSE format('Schemas of this database that have them: %s.', string_agg(format('"%s"', f.nspname), ', ' ORDER BY f.nspname)) END
FROM (SELECT n.nspname
	FROM pg_catalog.pg_namespace n
	WHERE n.nspname !~ '^pg_' AND NOT EXISTS (
		SELECT FROM unnest(ARRAY['networks', 'instances', 'nics']) r
		WHERE NOT EXISTS (
			SELECT FROM pg_catalog.pg_class t
			WHERE t.relnamespace = n.oid AND t.relname = vmnet_internal.import_source_table(kind, r)
				AND t.relkind IN ('r', 'p', 'v', 'm', 'f')))) f
$$;
COMMENT ON FUNCTION vmnet_internal.import_schemas_found(text) IS
'Part of import_cloudstack(): a sentence about the schemas that have the tables of a source';

-- Refuses what cannot be a source.
CREATE FUNCTION vmnet_internal.import_check(source text, inventory text)
RETURNS void
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	kind text := vmnet_internal.import_kind(source);
	secondary text := vmnet_internal.import_source_table(kind, 'nic_secondary_ips');
	missing text;
BEGIN
	IF NOT EXISTS (SELECT FROM pg_catalog.pg_namespace n WHERE n.nspname = source) THEN
		RAISE EXCEPTION USING
			ERRCODE = 'invalid_parameter_value',
			MESSAGE = format('source schema "%s" does not exist', source),
			DETAIL = format('The source is a schema with CloudStack''s tables, loaded from a dump or foreign tables. %s',
				vmnet_internal.import_schemas_found(kind)),
			HINT = 'See "An existing CloudStack database" in doc/cloudstack.md.';
	END IF;
	IF source = inventory THEN
		RAISE EXCEPTION USING
			ERRCODE = 'invalid_parameter_value',
			MESSAGE = format('schema "%s" cannot be both the source and the inventory', source),
			DETAIL = 'The mirror is a schema of its own; the source is left as it is.',
			HINT = format('CALL vmnet.import_cloudstack(%L, %L);', source, left(inventory, 56) || '_mirror');
	END IF;

	SELECT string_agg(format('%s.%s', vmnet_internal.import_source_table(kind, r), c.source_column), ', ' ORDER BY r, c.ord)
	INTO missing
	FROM unnest(ARRAY['networks', 'instances', 'nics']) r,
		LATERAL vmnet_internal.import_columns(kind, r) c
	WHERE c.needed AND vmnet_internal.import_source_type(source, vmnet_internal.import_source_table(kind, r), c.source_column) IS NULL;
	-- this table a source need not have, but if so then as a whole
	IF missing IS NULL THEN
		SELECT string_agg(secondary || '.' || c.source_column, ', ' ORDER BY c.ord)
		INTO missing
		FROM vmnet_internal.import_columns(kind, 'nic_secondary_ips') c
		WHERE c.needed AND vmnet_internal.import_source_type(source, secondary, c.source_column) IS NULL
			AND EXISTS (SELECT FROM pg_catalog.pg_class t JOIN pg_catalog.pg_namespace n ON n.oid = t.relnamespace
				WHERE n.nspname = source AND t.relname = secondary AND t.relkind IN ('r', 'p', 'v', 'm', 'f'));
	END IF;
	IF missing IS NOT NULL THEN
		RAISE EXCEPTION USING
			ERRCODE = 'invalid_parameter_value',
			MESSAGE = format('schema "%s" does not contain CloudStack''s tables', source),
			DETAIL = format('It lacks: %s.', missing),
			HINT = 'The tables networks, vm_instance and nics are needed, with these columns.';
	END IF;
END
$$;
COMMENT ON FUNCTION vmnet_internal.import_check(text, text) IS
'Part of import_cloudstack(): checks the source';

-- How many rows a table of the source has, where another system is to give
-- them; NULL for a table that is here.
CREATE FUNCTION vmnet_internal.import_count(source text, source_table text)
RETURNS bigint
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
SET row_security = off
AS $$
DECLARE
	plan json;
	n bigint;
BEGIN
	EXECUTE format('EXPLAIN (FORMAT JSON) SELECT FROM %I.%I', source, source_table) INTO plan;
	IF plan::text LIKE '%"Foreign Scan"%' THEN
		EXECUTE format('SELECT count(*) FROM %I.%I', source, source_table) INTO n;
	END IF;
	RETURN n;
END
$$;
COMMENT ON FUNCTION vmnet_internal.import_count(text, text) IS
'Part of import_cloudstack(): number of rows of a foreign table; NULL for a table of this database';

-- Says what to do where a time of the source is none in PostgreSQL.
CREATE FUNCTION vmnet_internal.import_refuse_time(source text, source_table text, message text)
RETURNS void
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	RAISE EXCEPTION USING
		ERRCODE = 'datetime_field_overflow',
		MESSAGE = format('cannot read %I.%I: %s', source, source_table, message),
		DETAIL = 'MySQL''s zero date is no time in PostgreSQL; read as text, it is one that the import knows.',
		HINT = coalesce((SELECT format('ALTER FOREIGN TABLE %I.%I ', source, source_table)
				|| string_agg(format('ALTER COLUMN %I TYPE text', a.attname), ', ' ORDER BY a.attnum) || ';'
			FROM pg_catalog.pg_attribute a JOIN pg_catalog.pg_class c ON c.oid = a.attrelid AND c.relkind = 'f'
			WHERE c.oid = format('%I.%I', source, source_table)::regclass AND a.attnum > 0 AND NOT a.attisdropped
				AND a.atttypid IN ('timestamp'::regtype, 'timestamptz'::regtype, 'date'::regtype)
				AND a.attname IN ('created', 'removed', 'update_time')),
			'Give the column of the source as text.');
END
$$;
COMMENT ON FUNCTION vmnet_internal.import_refuse_time(text, text, text) IS
'Part of import_cloudstack(): the error where a time of the source cannot be read';
