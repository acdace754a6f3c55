--
-- Connects a CloudStack database on MySQL or MariaDB: server, user mapping and
-- foreign tables in one call.  The foreign tables have only the columns that are
-- read here (CloudStack keeps secrets in others), with types that accept every value
-- of MySQL: times and addresses are text, since zero dates and blanks are not valid
-- for PostgreSQL's own types.
--

-- The password is in no statement of these functions and in no message: see
-- src/cloudstack/connect.c.
--
-- The columns that an import and a live inventory read, by CloudStack's tables.
CREATE FUNCTION vmnet_internal.connect_columns()
RETURNS TABLE (table_name text, column_name text, target_type text, needed boolean, place int)
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
WITH wanted (table_name, column_name, target_type, needed, place) AS (
	SELECT coalesce(c.from_lookup, vmnet_internal.import_source_table('cloudstack', r.relation)), s.source_column,
		CASE WHEN c.made_of IS NULL THEN c.target_type ELSE 'text' END, c.needed AND c.from_lookup IS NULL, r.ord * 100 + c.ord
	FROM vmnet_internal.import_relations() r,
		LATERAL vmnet_internal.import_columns('cloudstack', r.relation) c,
		LATERAL unnest(coalesce(c.made_of, ARRAY[c.source_column])) s (source_column)
	UNION ALL
	SELECT c.from_lookup, 'id', 'bigint', false, 0
	FROM unnest(ARRAY['networks', 'instances']) r (relation), LATERAL vmnet_internal.import_columns('cloudstack', r.relation) c
	WHERE c.from_lookup IS NOT NULL
	UNION ALL
	VALUES ('nics', 'update_time', 'timestamptz', false, 399))
SELECT w.table_name, w.column_name, min(w.target_type), bool_or(w.needed), min(w.place)
FROM wanted w
GROUP BY w.table_name, w.column_name
$$;
COMMENT ON FUNCTION vmnet_internal.connect_columns() IS
'Part of connect_cloudstack(): the columns of CloudStack''s tables that are read';

-- Returns the type of a column of MySQL in a foreign table.  Numbers stay numbers,
-- so that conditions on them are sent to MySQL.
CREATE FUNCTION vmnet_internal.connect_type(data_type text, column_type text, target_type text)
RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $$
SELECT CASE
	WHEN lower($1) NOT IN ('tinyint', 'smallint', 'mediumint', 'int', 'bigint') THEN 'text'
	WHEN $3 = 'bigint' OR lower($1) = 'bigint' THEN 'bigint'
	WHEN lower($1) = 'tinyint' THEN 'smallint'
	WHEN lower($2) LIKE '%unsigned%' THEN CASE lower($1) WHEN 'int' THEN 'bigint' ELSE 'integer' END
	WHEN lower($1) = 'smallint' THEN 'smallint'
	ELSE 'integer' END
$$;
COMMENT ON FUNCTION vmnet_internal.connect_type(text, text, text) IS
'Part of connect_cloudstack(): the type in PostgreSQL of a column of MySQL';

-- Refuses invalid arguments before any object is created.
CREATE FUNCTION vmnet_internal.connect_check(host text, port integer, dbname text, username text, source text, server text,
	options jsonb)
RETURNS void
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	part record;
BEGIN
	FOR part IN
		SELECT * FROM (VALUES
			('host', host, NULL::int, 'The name or address of the machine that MySQL runs on.'),
			('dbname', dbname, 64, 'CloudStack calls its database "cloud".'),
			('username', username, NULL, 'Make an account in MySQL that can only read: GRANT SELECT ON cloud.* TO ...'),
			('source', source, 63, 'It names the schema that the foreign tables go into.'),
			('server', server, 63, 'It names the server in PostgreSQL; NULL means the name of the schema.')) v (name, value, most, hint)
	LOOP
		IF part.value IS NULL OR part.value = '' OR octet_length(part.value) > part.most THEN
			RAISE EXCEPTION USING
				ERRCODE = 'invalid_parameter_value',
				MESSAGE = format('%s must have %s', part.name,
					CASE WHEN part.most IS NULL THEN 'a value' ELSE format('1 to %s bytes', part.most) END),
				DETAIL = CASE WHEN part.value IS NULL THEN 'It is NULL.' ELSE format('It has %s bytes.', octet_length(part.value)) END,
				HINT = part.hint;
		END IF;
	END LOOP;
	IF port IS NULL OR port NOT BETWEEN 1 AND 65535 THEN
		RAISE EXCEPTION USING
			ERRCODE = 'invalid_parameter_value',
			MESSAGE = 'port must be between 1 and 65535',
			DETAIL = format('It is %s.', coalesce(port::text, 'NULL')),
			HINT = 'The default port of MySQL and MariaDB is 3306.';
	END IF;
	IF options IS NULL OR jsonb_typeof(options) <> 'object' THEN
		RAISE EXCEPTION USING
			ERRCODE = 'invalid_parameter_value',
			MESSAGE = 'options must be a JSON object',
			DETAIL = format('It is %s.', coalesce('of type ' || jsonb_typeof(options), 'NULL')),
			HINT = 'For example {"ssl_ca": "/etc/mysql/ca.pem"}.';
	END IF;
	FOR part IN SELECT o.key, jsonb_typeof(o.value) AS type FROM jsonb_each(options) o ORDER BY o.key LOOP
		IF part.key IN ('host', 'port', 'username', 'password', 'dbname') OR part.type NOT IN ('string', 'number', 'boolean') THEN
			RAISE EXCEPTION USING
				ERRCODE = 'invalid_parameter_value',
				MESSAGE = format('"%s" cannot be one of the options', part.key),
				DETAIL = CASE WHEN part.key IN ('host', 'port', 'username', 'password', 'dbname') THEN 'It is a separate argument.'
					ELSE format('Its value is of JSON type %s.', part.type) END,
				HINT = 'Options are those of a server of mysql_fdw, each a string, a number or a boolean.';
		END IF;
	END LOOP;
END
$$;
COMMENT ON FUNCTION vmnet_internal.connect_check(text, integer, text, text, text, text, jsonb) IS
'Part of connect_cloudstack(): checks the arguments';

-- Returns the name of the foreign-data wrapper of mysql_fdw in this database.
CREATE FUNCTION vmnet_internal.connect_wrapper()
RETURNS text
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	wrapper text;
BEGIN
	SELECT w.fdwname INTO wrapper
	FROM pg_catalog.pg_foreign_data_wrapper w JOIN pg_catalog.pg_proc h ON h.oid = w.fdwhandler
	WHERE h.proname = 'mysql_fdw_handler'
	ORDER BY w.fdwname <> 'mysql_fdw', w.fdwname
	LIMIT 1;
	IF wrapper IS NULL THEN
		RAISE EXCEPTION USING
			ERRCODE = 'feature_not_supported',
			MESSAGE = format('mysql_fdw is not installed in database "%s"', current_database()),
			DETAIL = 'It is the extension through which PostgreSQL reads MySQL and MariaDB.',
			HINT = 'Install its package (Debian: postgresql-15-mysql-fdw and the like), then, as a superuser: CREATE EXTENSION mysql_fdw;';
	END IF;
	RETURN wrapper;
END
$$;
COMMENT ON FUNCTION vmnet_internal.connect_wrapper() IS
'Part of connect_cloudstack(): the foreign-data wrapper for MySQL';

-- Creates the server.  Times of MySQL's type timestamp are UTC, as CloudStack's
-- other times are; text is sent in the encoding of this database, not in that of
-- the operating system's locale.
CREATE FUNCTION vmnet_internal.connect_server(server text, host text, port integer, options jsonb)
RETURNS void
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	wanted jsonb := jsonb_build_object('host', host, 'port', port, 'fetch_size', 10000,
			'init_command', 'SET time_zone = ''+00:00''')
		|| CASE current_setting('server_encoding') WHEN 'UTF8' THEN '{"character_set": "utf8mb4"}' ELSE '{}' END::jsonb
		|| options;
	valid text;
BEGIN
	EXECUTE format('CREATE SERVER %I FOREIGN DATA WRAPPER %I OPTIONS (%s)', server, vmnet_internal.connect_wrapper(),
		(SELECT string_agg(format('%I %L', o.key, o.value), ', ' ORDER BY o.key) FROM jsonb_each_text(wanted) o));
	EXECUTE format('COMMENT ON SERVER %I IS %L', server, 'CloudStack''s database (created by vmnet.connect_cloudstack())');
EXCEPTION WHEN fdw_invalid_option_name OR syntax_error THEN
	GET STACKED DIAGNOSTICS valid = PG_EXCEPTION_HINT;
	RAISE EXCEPTION USING
		ERRCODE = 'invalid_parameter_value',
		MESSAGE = 'mysql_fdw does not accept these options',
		DETAIL = format('Its error is: %s.', SQLERRM),
		HINT = coalesce(nullif(valid, ''), 'The options of a server are in the documentation of mysql_fdw.');
END
$$;
COMMENT ON FUNCTION vmnet_internal.connect_server(text, text, integer, jsonb) IS
'Part of connect_cloudstack(): creates the server';

CREATE FUNCTION vmnet_internal.connect_map_user(server text, username text, password text, for_public boolean)
RETURNS boolean
AS 'MODULE_PATHNAME', 'connect_map_user'
LANGUAGE C COST 100;
COMMENT ON FUNCTION vmnet_internal.connect_map_user(text, text, text, boolean) IS
'Part of connect_cloudstack(): creates the user mapping, without the password in the text of a statement';

-- Returns the columns of CloudStack's tables that the account in MySQL can see.
-- Names of tables are compared exactly, those of columns without case, as MySQL
-- does.
CREATE FUNCTION vmnet_internal.connect_ask(source text, server text, dbname text)
RETURNS TABLE (table_name text, column_name text, type text)
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	answers jsonb;
BEGIN
	EXECUTE format('CREATE FOREIGN TABLE %I.connect_columns ("TABLE_SCHEMA" text, "TABLE_NAME" text, "COLUMN_NAME" text, "DATA_TYPE" '
		'text, "COLUMN_TYPE" text) SERVER %I OPTIONS (dbname ''information_schema'', table_name ''COLUMNS'')',
		source, server);
	EXECUTE format('SELECT jsonb_agg(to_jsonb(c)) FROM %I.connect_columns c WHERE "TABLE_SCHEMA" = %L', source, dbname)
	INTO answers;
	EXECUTE format('DROP FOREIGN TABLE %I.connect_columns', source);
	RETURN QUERY
		SELECT w.table_name, w.column_name, vmnet_internal.connect_type(a."DATA_TYPE", a."COLUMN_TYPE", w.target_type)
		FROM vmnet_internal.connect_columns() w
			JOIN jsonb_to_recordset(answers) a ("TABLE_SCHEMA" text, "TABLE_NAME" text, "COLUMN_NAME" text, "DATA_TYPE" text,
				"COLUMN_TYPE" text)
				ON a."TABLE_SCHEMA" = dbname AND a."TABLE_NAME" = w.table_name AND lower(a."COLUMN_NAME") = lower(w.column_name);
EXCEPTION WHEN fdw_unable_to_establish_connection OR fdw_unable_to_create_execution OR fdw_error THEN
	RAISE EXCEPTION USING
		ERRCODE = SQLSTATE,
		MESSAGE = format('cannot read CloudStack''s database: %s', translate(SQLERRM, E'\n', ' ')),
		DETAIL = 'No object was created.',
		HINT = 'Try host, port, username and password with a client of MySQL on this machine; an account in MySQL may be valid for '
			'certain hosts only.';
END
$$;
COMMENT ON FUNCTION vmnet_internal.connect_ask(text, text, text) IS
'Part of connect_cloudstack(): the columns that MySQL has, with their types';

-- Refuses a database without the columns that an inventory needs.
CREATE FUNCTION vmnet_internal.connect_needs(dbname text, username text, there jsonb)
RETURNS void
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	missing text;
BEGIN
	SELECT string_agg(w.table_name || '.' || w.column_name, ', ' ORDER BY w.place)
	INTO missing
	FROM vmnet_internal.connect_columns() w
	WHERE w.needed AND w.table_name IN (SELECT vmnet_internal.import_source_table('cloudstack', r.relation)
			FROM vmnet_internal.import_relations() r WHERE r.needed)
		AND NOT coalesce(there->w.table_name ? w.column_name, false);
	IF missing IS NOT NULL THEN
		RAISE EXCEPTION USING
			ERRCODE = 'invalid_parameter_value',
			MESSAGE = format('database "%s" does not contain CloudStack''s tables', dbname),
			DETAIL = format('Account "%s" cannot see: %s.', username, missing),
			HINT = format('In MySQL: GRANT SELECT ON `%s`.* TO ''%s''@''...''; the tables networks, vm_instance and nics are needed, with '
				'these columns.',
				replace(dbname, '`', '``'), replace(username, '''', ''''''));
	END IF;
END
$$;
COMMENT ON FUNCTION vmnet_internal.connect_needs(text, text, jsonb) IS
'Part of connect_cloudstack(): raises an error if needed columns are missing';

CREATE FUNCTION vmnet_internal.connect_cloudstack(host text, port integer, dbname text, username text, password text,
	source text, server text, for_public boolean, options jsonb)
RETURNS TABLE (table_name text, present boolean, lacks text)
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict use_column
DECLARE
	server_name text := coalesce($7, $6);
	-- The password is in expressions only: modules that record the statements of
	-- functions may also record their parameters.
	logged text := CASE WHEN $5 <> '' AND position($5 IN current_query()) > 0 THEN CASE
		WHEN current_setting('log_statement') = 'all' THEN 'log_statement is "all"'
		WHEN current_setting('log_min_duration_statement') <> '-1' THEN 'log_min_duration_statement is set'
		WHEN current_setting('log_min_duration_sample') <> '-1' THEN 'log_min_duration_sample is set' END END;
	mapped boolean;
	there jsonb;
	part record;
BEGIN
	PERFORM vmnet_internal.connect_check($1, $2, $3, $4, $6, server_name, $9);
	PERFORM vmnet_internal.connect_wrapper();
	EXECUTE format('CREATE SCHEMA %I', $6);
	EXECUTE format('COMMENT ON SCHEMA %I IS %L', $6, 'Foreign tables of CloudStack''s database (created by vmnet.connect_cloudstack())');
	PERFORM vmnet_internal.connect_server(server_name, $1, $2, $9);
	mapped := vmnet_internal.connect_map_user(server_name, $4, $5, coalesce($8, false));

	SELECT coalesce(jsonb_object_agg(a.table_name, a.columns), '{}') INTO there
	FROM (SELECT c.table_name, jsonb_object_agg(c.column_name, c.type) AS columns
		FROM vmnet_internal.connect_ask($6, server_name, $3) c GROUP BY c.table_name) a;
	PERFORM vmnet_internal.connect_needs($3, $4, there);

	FOR part IN
		SELECT w.table_name,
			bool_and(NOT w.needed OR coalesce(there->w.table_name ? w.column_name, false))
				AND there ? w.table_name AS usable,
			string_agg(w.column_name, ', ' ORDER BY w.place)
				FILTER (WHERE NOT coalesce(there->w.table_name ? w.column_name, false) AND there ? w.table_name) AS lacking,
			string_agg(format('%I %s', w.column_name, there->w.table_name->>w.column_name), ', ' ORDER BY w.place)
				FILTER (WHERE there->w.table_name ? w.column_name) AS definition
		FROM vmnet_internal.connect_columns() w
		GROUP BY w.table_name
		ORDER BY min(w.place) = 0, min(w.place), w.table_name
	LOOP
		table_name := part.table_name;
		present := part.usable;
		lacks := part.lacking;
		IF part.usable THEN
			EXECUTE format('CREATE FOREIGN TABLE %I.%I (%s) SERVER %I OPTIONS (dbname %L, table_name %L)',
				$6, part.table_name, part.definition, server_name, $3, part.table_name);
			EXECUTE format('COMMENT ON FOREIGN TABLE %I.%I IS %L', $6, part.table_name,
				'CloudStack''s table of this name: the columns that vmnet_ext reads');
		END IF;
		RETURN NEXT;
	END LOOP;
	PERFORM vmnet_internal.import_check_account($6);
	IF logged IS NOT NULL THEN
		RAISE WARNING USING
			MESSAGE = 'the password is in the log of this server',
			DETAIL = format('The statement contains it, and %s.', logged),
			HINT = 'Change the password in MySQL, and read the next one from a table: see "A live CloudStack" in doc/cloudstack.md.';
	END IF;
END
$$;
COMMENT ON FUNCTION vmnet_internal.connect_cloudstack(text, integer, text, text, text, text, text, boolean, jsonb) IS
'Body of vmnet.connect_cloudstack(), which keeps the statement of the client out of the log';

-- A C function, which keeps the statement of the client out of the log and out of
-- the CONTEXT of errors, since it may contain the password.  See
-- src/cloudstack/connect.c.
CREATE FUNCTION vmnet.connect_cloudstack(host text, port integer DEFAULT 3306, dbname text DEFAULT 'cloud',
	username text DEFAULT 'vmnet_ro', password text DEFAULT NULL, source text DEFAULT 'cloudstack',
	server text DEFAULT NULL, for_public boolean DEFAULT false, options jsonb DEFAULT '{}')
RETURNS TABLE (table_name text, present boolean, lacks text)
AS 'MODULE_PATHNAME', 'connect_cloudstack'
LANGUAGE C COST 100;
COMMENT ON FUNCTION vmnet.connect_cloudstack(text, integer, text, text, text, text, text, boolean, jsonb) IS
'Connects a CloudStack database on MySQL or MariaDB: server and foreign tables
Creates a server, a user mapping, and a schema with foreign tables for CloudStack''s tables. host: the machine of MySQL; "localhost" '
'means its socket on this machine, 127.0.0.1 its port. username, password: an account that can only read; NULL means no password. '
'source: the schema of the foreign tables, which must not exist yet; it is the argument of import_cloudstack() and attach_cloudstack(). '
'server: the name of the server; NULL means that of the schema. for_public: creates the user mapping for PUBLIC, which readers of a '
'live inventory and jobs of other roles need. options: further options of a server of mysql_fdw (ssl_ca, ssl_cert, fetch_size ...).
Returns a row for each table: whether it exists, and which columns this version of CloudStack lacks. Results and messages do not '
'contain the password, but a statement that contains it can be logged: see doc/cloudstack.md. To connect again, for example after an '
'upgrade of '
'CloudStack: DROP SERVER ... CASCADE, DROP SCHEMA ..., and call it again; a mirror stays.
Errors: 22023 for invalid arguments, or a database without CloudStack''s tables; 42P06 or 42710 if the schema or the server exists; '
'0A000 without mysql_fdw; HV00N if MySQL cannot be reached or refuses the account.';
