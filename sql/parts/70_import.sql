--
-- Import of CloudStack's tables into a mirror.  The procedure is in
-- src/import.c; it calls the functions here, step by step.  They do nothing that
-- their user could not do by hand.
--
-- What reads the source and the stages, which are temporary tables, runs as the
-- caller of the procedure; what takes the name of the mirror runs as the owner of
-- the mirror.
--

-- Where each column of an inventory comes from.  from_lookup names a table of
-- the source that is joined by key; needed: the import refuses to run without.
CREATE FUNCTION vmnet_internal.import_columns(relation text)
RETURNS TABLE (ord int, target text, target_type text, source_column text,
	from_lookup text, lookup_key text, needed boolean)
LANGUAGE sql IMMUTABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $$
SELECT pg_catalog.row_number() OVER ()::int, m.target, m.target_type, m.source_column, m.from_lookup,
	m.lookup_key, m.needed
FROM (VALUES
	('networks', 'id', 'bigint', 'id', NULL, NULL, true),
	('networks', 'uuid', 'uuid', 'uuid', NULL, NULL, false),
	('networks', 'name', 'text', 'name', NULL, NULL, false),
	('networks', 'state', 'text', 'state', NULL, NULL, true),
	('networks', 'traffic_type', 'text', 'traffic_type', NULL, NULL, false),
	('networks', 'guest_type', 'text', 'guest_type', NULL, NULL, false),
	('networks', 'cidr', 'cidr', 'cidr', NULL, NULL, false),
	('networks', 'network_cidr', 'cidr', 'network_cidr', NULL, NULL, false),
	('networks', 'gateway', 'inet', 'gateway', NULL, NULL, false),
	('networks', 'ip6_cidr', 'cidr', 'ip6_cidr', NULL, NULL, false),
	('networks', 'ip6_gateway', 'inet', 'ip6_gateway', NULL, NULL, false),
	('networks', 'vpc_id', 'bigint', 'vpc_id', NULL, NULL, false),
	('networks', 'zone_id', 'bigint', 'data_center_id', NULL, NULL, false),
	('networks', 'domain_id', 'bigint', 'domain_id', NULL, NULL, false),
	('networks', 'account_id', 'bigint', 'account_id', NULL, NULL, false),
	('networks', 'account_name', 'text', 'account_name', 'account', 'account_id', false),
	('networks', 'domain_path', 'text', 'path', 'domain', 'domain_id', false),
	('networks', 'zone_name', 'text', 'name', 'data_center', 'data_center_id', false),
	('networks', 'nics_count', 'bigint', 'nics_count', 'op_networks', 'id', false),
	('networks', 'created', 'timestamptz', 'created', NULL, NULL, true),
	('networks', 'removed', 'timestamptz', 'removed', NULL, NULL, true),
	('instances', 'id', 'bigint', 'id', NULL, NULL, true),
	('instances', 'uuid', 'uuid', 'uuid', NULL, NULL, false),
	('instances', 'name', 'text', 'name', NULL, NULL, false),
	('instances', 'display_name', 'text', 'display_name', NULL, NULL, false),
	('instances', 'instance_name', 'text', 'instance_name', NULL, NULL, false),
	('instances', 'type', 'text', 'type', NULL, NULL, false),
	('instances', 'state', 'text', 'state', NULL, NULL, true),
	('instances', 'host_id', 'bigint', 'host_id', NULL, NULL, false),
	('instances', 'zone_id', 'bigint', 'data_center_id', NULL, NULL, false),
	('instances', 'domain_id', 'bigint', 'domain_id', NULL, NULL, false),
	('instances', 'account_id', 'bigint', 'account_id', NULL, NULL, false),
	('instances', 'account_name', 'text', 'account_name', 'account', 'account_id', false),
	('instances', 'domain_path', 'text', 'path', 'domain', 'domain_id', false),
	('instances', 'zone_name', 'text', 'name', 'data_center', 'data_center_id', false),
	('instances', 'created', 'timestamptz', 'created', NULL, NULL, true),
	('instances', 'removed', 'timestamptz', 'removed', NULL, NULL, true),
	('nics', 'id', 'bigint', 'id', NULL, NULL, true),
	('nics', 'uuid', 'uuid', 'uuid', NULL, NULL, false),
	('nics', 'instance_id', 'bigint', 'instance_id', NULL, NULL, true),
	('nics', 'network_id', 'bigint', 'network_id', NULL, NULL, true),
	('nics', 'state', 'text', 'state', NULL, NULL, true),
	('nics', 'strategy', 'text', 'strategy', NULL, NULL, false),
	('nics', 'reserver_name', 'text', 'reserver_name', NULL, NULL, false),
	('nics', 'reservation_id', 'text', 'reservation_id', NULL, NULL, false),
	('nics', 'vm_type', 'text', 'vm_type', NULL, NULL, false),
	('nics', 'device_id', 'integer', 'device_id', NULL, NULL, false),
	('nics', 'default_nic', 'boolean', 'default_nic', NULL, NULL, false),
	('nics', 'mac_address', 'macaddr', 'mac_address', NULL, NULL, false),
	('nics', 'ip4_address', 'inet', 'ip4_address', NULL, NULL, false),
	('nics', 'ip6_address', 'inet', 'ip6_address', NULL, NULL, false),
	('nics', 'netmask', 'inet', 'netmask', NULL, NULL, false),
	('nics', 'gateway', 'inet', 'gateway', NULL, NULL, false),
	('nics', 'broadcast_uri', 'text', 'broadcast_uri', NULL, NULL, false),
	('nics', 'mtu', 'bigint', 'mtu', NULL, NULL, false),
	('nics', 'enabled', 'boolean', 'enabled', NULL, NULL, false),
	('nics', 'created', 'timestamptz', 'created', NULL, NULL, true),
	('nics', 'removed', 'timestamptz', 'removed', NULL, NULL, true),
	('nic_secondary_ips', 'id', 'bigint', 'id', NULL, NULL, true),
	('nic_secondary_ips', 'uuid', 'uuid', 'uuid', NULL, NULL, false),
	('nic_secondary_ips', 'nic_id', 'bigint', 'nicId', NULL, NULL, true),
	('nic_secondary_ips', 'network_id', 'bigint', 'network_id', NULL, NULL, true),
	('nic_secondary_ips', 'ip4_address', 'inet', 'ip4_address', NULL, NULL, false),
	('nic_secondary_ips', 'ip6_address', 'inet', 'ip6_address', NULL, NULL, false),
	('nic_secondary_ips', 'created', 'timestamptz', 'created', NULL, NULL, true)
) m (relation, target, target_type, source_column, from_lookup, lookup_key, needed)
WHERE m.relation = $1
$$;
COMMENT ON FUNCTION vmnet_internal.import_columns(text) IS
'Where the columns of networks, instances, nics or nic_secondary_ips come from in CloudStack''s tables';

CREATE FUNCTION vmnet_internal.import_source_table(relation text)
RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $$ SELECT CASE relation WHEN 'instances' THEN 'vm_instance' ELSE relation END $$;
COMMENT ON FUNCTION vmnet_internal.import_source_table(text) IS
'CloudStack''s table that networks, instances, nics or nic_secondary_ips come from';

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
	WHEN $3 = 'inet' AND $2 = 'cidr'::regtype THEN '%1$s::inet'
	ELSE 'vmnet_internal.read_' || $3 || '(%1$s::text)'
	END, $1)
$$;
COMMENT ON FUNCTION vmnet_internal.import_expression(text, regtype, text) IS
'Expression that turns a value of the source into one of the inventory';

-- The same for millions of rows: what PostgreSQL's own functions do slowly is
-- done by ours.
CREATE FUNCTION vmnet_internal.import_bulk_expression(value text, source_type regtype, target_type text)
RETURNS text
LANGUAGE sql STABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $$
SELECT CASE
	WHEN $3 = 'text' THEN format('vmnet_internal.read_text(%s::text)', $1)
	WHEN $3 = 'timestamptz' AND $2 IN ('timestamp'::regtype, 'date'::regtype) THEN format('vmnet_internal.read_utc(%s::timestamp)', $1)
	ELSE vmnet_internal.import_expression($1, $2, $3) END
$$;
COMMENT ON FUNCTION vmnet_internal.import_bulk_expression(text, regtype, text) IS
'Expression that turns a value of the source into one of the inventory, for whole tables';

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
		WHERE c.relnamespace = pg_my_temp_schema() AND c.relkind IN ('r', 'f') AND c.relname IN
			('vmnet_import_networks', 'vmnet_import_instances', 'vmnet_import_nics', 'vmnet_import_nic_secondary_ips',
			'vmnet_import_log', 'vmnet_import_changes', 'vmnet_import_mysql')
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
END
$$;
COMMENT ON FUNCTION vmnet_internal.import_make_stages() IS
'Part of import_cloudstack(): makes temporary tables for what is found';

-- Lets the owner of a mirror read the stages, and write what differs.
CREATE FUNCTION vmnet_internal.import_share(owner text)
RETURNS void
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	EXECUTE format('GRANT SELECT ON pg_temp.vmnet_import_networks, pg_temp.vmnet_import_instances, pg_temp.vmnet_import_nics,'
		' pg_temp.vmnet_import_nic_secondary_ips, pg_temp.vmnet_import_log TO %I', owner);
	EXECUTE format('GRANT SELECT, INSERT ON pg_temp.vmnet_import_changes TO %I', owner);
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
			LEFT JOIN LATERAL (SELECT o.option_value FROM pg_options_to_table(f.ftoptions) o WHERE o.option_name = 'table_name') r (name) ON true
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
				DETAIL = format('It may insert or update: %s. The import never does, but whoever may write to the foreign tables can.', writable),
				HINT = format('In MySQL: CREATE USER vmnet_ro@''...'' IDENTIFIED BY ''...''; GRANT SELECT ON `%s`.* TO vmnet_ro@''...''; then ALTER USER MAPPING ... SERVER %I OPTIONS (SET username ''vmnet_ro'', SET password ''...'').',
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

-- Refuses what cannot be a source.
CREATE FUNCTION vmnet_internal.import_check(source text, inventory text)
RETURNS void
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	missing text;
BEGIN
	IF NOT EXISTS (SELECT FROM pg_catalog.pg_namespace n WHERE n.nspname = source) THEN
		RAISE EXCEPTION USING
			ERRCODE = 'invalid_parameter_value',
			MESSAGE = format('source schema "%s" does not exist', source),
			DETAIL = 'The source is a schema with CloudStack''s tables, loaded from a dump or foreign tables.',
			HINT = 'See "An existing CloudStack database" in the README.';
	END IF;
	IF source = inventory THEN
		RAISE EXCEPTION USING
			ERRCODE = 'invalid_parameter_value',
			MESSAGE = format('schema "%s" cannot be both the source and the inventory', source),
			DETAIL = 'The mirror is a schema of its own; the source is left as it is.',
			HINT = format('CALL vmnet.import_cloudstack(%L, %L);', source, left(inventory, 56) || '_mirror');
	END IF;

	SELECT string_agg(format('%s.%s', vmnet_internal.import_source_table(r), c.source_column), ', ' ORDER BY r, c.ord)
	INTO missing
	FROM unnest(ARRAY['networks', 'instances', 'nics']) r,
		LATERAL vmnet_internal.import_columns(r) c
	WHERE c.needed AND vmnet_internal.import_source_type(source, vmnet_internal.import_source_table(r), c.source_column) IS NULL;
	-- this table a source need not have, but if so then as a whole
	IF missing IS NULL THEN
		SELECT string_agg('nic_secondary_ips.' || c.source_column, ', ' ORDER BY c.ord)
		INTO missing
		FROM vmnet_internal.import_columns('nic_secondary_ips') c
		WHERE c.needed AND vmnet_internal.import_source_type(source, 'nic_secondary_ips', c.source_column) IS NULL
			AND EXISTS (SELECT FROM pg_catalog.pg_class t JOIN pg_catalog.pg_namespace n ON n.oid = t.relnamespace
				WHERE n.nspname = source AND t.relname = 'nic_secondary_ips' AND t.relkind IN ('r', 'p', 'v', 'm', 'f'));
	END IF;
	IF missing IS NOT NULL THEN
		RAISE EXCEPTION USING
			ERRCODE = 'invalid_parameter_value',
			MESSAGE = format('schema "%s" does not hold CloudStack''s tables', source),
			DETAIL = format('It lacks: %s.', missing),
			HINT = 'The tables networks, vm_instance and nics are needed, with these columns.';
	END IF;
END
$$;
COMMENT ON FUNCTION vmnet_internal.import_check(text, text) IS
'Part of import_cloudstack(): checks the source';

-- Opens a run.  The lock on the import is held: no other one is running.
CREATE FUNCTION vmnet_internal.import_start(source text, inventory text)
RETURNS bigint
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	run bigint;
BEGIN
	EXECUTE format('UPDATE %I.import_runs SET status = ''failed'', finished = $1, message = ''interrupted'' WHERE status = ''running''', inventory)
	USING clock_timestamp();
	EXECUTE format('INSERT INTO %I.import_runs (source) VALUES ($1) RETURNING run', inventory)
	INTO run USING source;
	RETURN run;
END
$$;
COMMENT ON FUNCTION vmnet_internal.import_start(text, text) IS
'Part of import_cloudstack(): opens a run';

-- Says how far a run is.  progress: a table of the inventory, and how many rows
-- of it were read.
CREATE FUNCTION vmnet_internal.import_progress(run bigint, inventory text, progress text)
RETURNS void
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	relation text := split_part(progress, ' ', 1);
BEGIN
	EXECUTE format('UPDATE %I.import_runs SET step = $1, %I = $2 WHERE run = $3', inventory, relation || '_read')
	USING 'read ' || vmnet_internal.import_source_table(relation), split_part(progress, ' ', 2)::bigint, run;
END
$$;
COMMENT ON FUNCTION vmnet_internal.import_progress(bigint, text, text) IS
'Part of import_cloudstack(): says how far a run is';

-- The query that reads one table of the source: every column converted, and
-- in "notes" what could not be taken as it was.  Each value is converted once,
-- in the inner query (as c_1, c_2 ...); the outer one looks at both.
CREATE FUNCTION vmnet_internal.import_query(source text, relation text)
RETURNS text
LANGUAGE plpgsql STABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	source_table text := vmnet_internal.import_source_table(relation);
	col record;
	source_type regtype;
	value text;
	conv text;
	filled text;
	final text;
	bad text;
	reason text;
	created text;
	removed text;
	state_changed text := 'NULL::timestamptz';
	read text[] := '{}';
	targets text[] := '{}';
	bads text[] := '{}';
	notes text[] := '{}';
BEGIN
	FOR col IN SELECT * FROM vmnet_internal.import_columns(relation) ORDER BY ord LOOP
		source_type := vmnet_internal.import_source_type(source, coalesce(col.from_lookup, source_table), col.source_column);
		IF source_type IS NULL OR (col.from_lookup IS NOT NULL AND (
			vmnet_internal.import_source_type(source, col.from_lookup, 'id') IS NULL OR
			vmnet_internal.import_source_type(source, source_table, col.lookup_key) IS NULL))
		THEN
			-- a version of CloudStack that has no such column
			targets := targets || format('%s::%s AS %I',
				CASE col.target WHEN 'enabled' THEN 'true' ELSE 'NULL' END, col.target_type, col.target);
			CONTINUE;
		END IF;

		IF col.from_lookup IS NOT NULL THEN
			read := read || format('s.%I', col.lookup_key);
			targets := targets || format('l_%I.%I AS %I', col.target, col.target, col.target);
			CONTINUE;
		END IF;

		value := format('s.%I', vmnet_internal.import_source_column(source, source_table, col.source_column));
		conv := format('s.c_%s', col.ord);
		read := read || value || format('%s AS c_%s',
			vmnet_internal.import_bulk_expression(value, source_type, col.target_type), col.ord);
		filled := CASE
			WHEN source_type IN ('timestamp'::regtype, 'timestamptz'::regtype, 'date'::regtype,
				'bigint'::regtype, 'integer'::regtype, 'smallint'::regtype)
				THEN format('%s IS NOT NULL', value)
			ELSE format('btrim(%s::text) <> ''''', value) END;
		final := conv;
		bad := format('%s IS NULL AND %s', conv, filled);
		reason := format('not a value of type %s; stored as NULL', col.target_type);

		IF col.target IN ('id', 'network_id', 'instance_id', 'nic_id') THEN
			-- a key that cannot be read is not changed: its row is rejected
			targets := targets || format('CASE WHEN %s IS NULL THEN %s::text END AS %I',
				conv, value, 'raw_' || col.target);
			bad := NULL;
		ELSIF col.target = 'created' THEN
			final := format('coalesce(%s, ''1970-01-01 00:00:00+00''::timestamptz)', conv);
			created := final;
			bad := format('%s IS NULL', conv);
			reason := 'no time; stored as 1970-01-01 00:00:00 UTC';
		ELSIF col.target = 'removed' THEN
			final := format('CASE WHEN %s THEN coalesce(%s, %s) END', filled, conv, created);
			removed := final;
			reason := 'no time, so removed at an unknown time; stored as created';
		ELSIF col.target = 'state' THEN
			final := format('coalesce(%s, ''Unknown'')', conv);
			bad := format('%s IS NULL', conv);
			reason := 'no state; stored as Unknown';
		ELSIF col.target_type = 'text' THEN
			bad := NULL;
		ELSIF col.target_type = 'integer' THEN
			final := format('CASE WHEN %s BETWEEN -2147483648 AND 2147483647 THEN (%s)::integer END', conv, conv);
			bad := format('%s AND (%s BETWEEN -2147483648 AND 2147483647) IS NOT TRUE', filled, conv);
		END IF;
		targets := targets || format('%s AS %I', final, col.target);

		-- a value of the same type needs no look, nor does a flag that is a number
		IF col.target NOT IN ('created', 'removed', 'state') AND (source_type = col.target_type::regtype OR
			col.target_type = 'boolean' AND source_type IN ('bigint'::regtype, 'integer'::regtype, 'smallint'::regtype))
		THEN
			bad := NULL;
		END IF;
		IF bad IS NOT NULL THEN
			bads := bads || format('(%s)', bad);
			notes := notes || format('CASE WHEN %s THEN jsonb_build_array(%L, %s::text, %L) END',
				bad, col.source_column, value, reason);
		END IF;

		-- what can be stored, but not as it was
		bad := CASE
			WHEN col.target_type = 'text' AND source_type IN ('text'::regtype, 'varchar'::regtype)
				THEN format('%s::text <> %s', value, conv)
			WHEN col.target_type = 'cidr' AND source_type <> 'cidr'::regtype
				THEN format('vmnet_internal.read_inet(%s::text) <> %s::inet', value, conv)
			END;
		IF bad IS NOT NULL THEN
			bads := bads || format('(%s)', bad);
			notes := notes || format('CASE WHEN %s THEN jsonb_build_array(%L, %s::text, %L) END',
				bad, col.source_column, value,
				CASE col.target_type WHEN 'text' THEN 'blanks at the end were cut off'
					ELSE 'bits right of the prefix length were cleared' END);
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

	RETURN format('SELECT %s, CASE WHEN %s THEN array_remove(ARRAY[%s], NULL)::jsonb[] END AS notes FROM (SELECT %s FROM %I.%I s OFFSET 0) s%s',
		array_to_string(targets, ', '), coalesce(nullif(array_to_string(bads, ' OR '), ''), 'false'),
		array_to_string(notes, ', '),
		(SELECT string_agg(DISTINCT r, ', ') FROM unnest(read) r),
		source, source_table, vmnet_internal.import_lookups(source, relation));
END
$$;
COMMENT ON FUNCTION vmnet_internal.import_query(text, text) IS
'Part of import_cloudstack(): the query that reads one table of the source, with every column converted';

-- A table of the source behind a fence: what is asked of its rows is asked here,
-- not of another system that may spell a function in another way, or compare
-- text without case.
CREATE FUNCTION vmnet_internal.import_fenced(source text, source_table text)
RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $$ SELECT format('(SELECT * FROM %I.%I OFFSET 0)', $1, $2) $$;
COMMENT ON FUNCTION vmnet_internal.import_fenced(text, text) IS
'Part of import_cloudstack(): a table of the source, of which only rows are asked';

-- The joins that bring in names and counters from other tables of the source;
-- each gives at most one row, the same one every time, whatever the source
-- holds twice.
CREATE FUNCTION vmnet_internal.import_lookups(source text, relation text)
RETURNS text
LANGUAGE sql STABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $$
SELECT coalesce(string_agg(format(
	' LEFT JOIN (SELECT DISTINCT ON (1) %1$s AS key, %2$s AS %3$I FROM %4$s l ORDER BY 1, 2) l_%3$I ON l_%3$I.key = %5$s',
	vmnet_internal.import_expression('l.id', k.type, 'bigint'),
	vmnet_internal.import_expression(format('l.%I', c.source_column), v.type, c.target_type),
	c.target, vmnet_internal.import_fenced(source, c.from_lookup),
	vmnet_internal.import_expression(format('s.%I', c.lookup_key), r.type, 'bigint')), '' ORDER BY c.ord), '')
FROM vmnet_internal.import_columns(relation) c,
	LATERAL (SELECT vmnet_internal.import_source_type(source, c.from_lookup, 'id')) k (type),
	LATERAL (SELECT vmnet_internal.import_source_type(source, c.from_lookup, c.source_column)) v (type),
	LATERAL (SELECT vmnet_internal.import_source_type(source, vmnet_internal.import_source_table(relation), c.lookup_key)) r (type)
WHERE c.from_lookup IS NOT NULL AND k.type IS NOT NULL AND v.type IS NOT NULL AND r.type IS NOT NULL
$$;
COMMENT ON FUNCTION vmnet_internal.import_lookups(text, text) IS
'Part of import_cloudstack(): the joins that bring in names and counters';

-- Writes down what the tables that are joined by key hold but an inventory
-- cannot: once for each of their rows, not for all that refer to it.
CREATE FUNCTION vmnet_internal.import_judge_lookups(source text)
RETURNS void
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
SET row_security = off
AS $$
DECLARE
	col record;
	source_type regtype;
BEGIN
	FOR col IN
		SELECT DISTINCT c.from_lookup, c.source_column, c.target_type
		FROM unnest(ARRAY['networks', 'instances', 'nics']) r, LATERAL vmnet_internal.import_columns(r) c
		WHERE c.from_lookup IS NOT NULL AND vmnet_internal.import_source_type(source, c.from_lookup, 'id') IS NOT NULL
	LOOP
		source_type := vmnet_internal.import_source_type(source, col.from_lookup, col.source_column);
		IF col.target_type = 'text' AND source_type IN ('text'::regtype, 'varchar'::regtype) THEN
			EXECUTE format($f$
				INSERT INTO pg_temp.vmnet_import_log
				SELECT %2$L, l.id::text, %3$L, l.%3$I::text, 'changed', 'blanks at the end were cut off'
				FROM %1$s l WHERE l.%3$I::text <> rtrim(l.%3$I::text, ' ')$f$,
				vmnet_internal.import_fenced(source, col.from_lookup), col.from_lookup, col.source_column);
		ELSIF col.target_type <> 'text' AND source_type IS NOT NULL THEN
			EXECUTE format($f$
				INSERT INTO pg_temp.vmnet_import_log
				SELECT %2$L, l.id::text, %3$L, l.%3$I::text, 'changed', %4$L
				FROM %1$s l WHERE btrim(l.%3$I::text) <> '' AND %5$s IS NULL$f$,
				vmnet_internal.import_fenced(source, col.from_lookup), col.from_lookup, col.source_column,
				format('not a value of type %s; stored as NULL', col.target_type),
				vmnet_internal.import_expression(format('l.%I', col.source_column), source_type, col.target_type));
		END IF;
	END LOOP;
END
$$;
COMMENT ON FUNCTION vmnet_internal.import_judge_lookups(text) IS
'Part of import_cloudstack(): writes down what tables joined by key hold but an inventory cannot';

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
	source_table text := vmnet_internal.import_source_table(relation);
	there bigint;
	n bigint;
BEGIN
	IF relation = 'nic_secondary_ips' AND vmnet_internal.import_source_type(source, source_table, 'id') IS NULL THEN
		EXECUTE 'CREATE TEMPORARY TABLE vmnet_import_nic_secondary_ips (raw_id text, raw_nic_id text, raw_network_id text, notes jsonb[], '
			|| (SELECT string_agg(format('%I %s', c.target, c.target_type), ', ' ORDER BY c.ord) FROM vmnet_internal.import_columns(relation) c) || ')';
		RETURN -1;
	END IF;

	there := vmnet_internal.import_count(source, source_table);
	BEGIN
		EXECUTE format('CREATE TEMPORARY TABLE %I AS ', 'vmnet_import_' || relation)
			|| vmnet_internal.import_query(source, relation);
		GET DIAGNOSTICS n = ROW_COUNT;
	EXCEPTION WHEN datetime_field_overflow OR invalid_datetime_format THEN
		PERFORM vmnet_internal.import_refuse_time(source, source_table, SQLERRM);
	END;
	-- A row that was purged meanwhile is missing in the second count, too.
	IF n < there THEN
		BEGIN
			there := vmnet_internal.import_count(source, source_table);
		EXCEPTION WHEN OTHERS THEN
			RAISE EXCEPTION USING
				ERRCODE = 'connection_failure',
				MESSAGE = format('the source of table %s went away: %s', format('%I.%I', source, source_table), translate(SQLERRM, E'\n', ' ')),
				DETAIL = format('It gave %s of %s rows.', n, there),
				HINT = 'The mirror is what it was. Run the import again when the source is back.';
		END;
	END IF;
	IF n < there THEN
		RAISE EXCEPTION USING
			ERRCODE = 'connection_failure',
			MESSAGE = format('the source gave %s of %s rows of %s', n, there, format('%I.%I', source, source_table)),
			DETAIL = 'mysql_fdw takes an error in the middle of a table for its end.',
			HINT = 'The mirror is what it was. Run the import again.';
	END IF;
	IF relation = 'networks' THEN
		PERFORM vmnet_internal.import_judge_lookups(source);
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

-- Most often nothing is wrong with a stage, which one look says: does a row lack
-- its id, are ids or uuids there twice, has a row notes, does one name an
-- instance that cannot be read?
CREATE FUNCTION vmnet_internal.import_look(relation text,
	OUT lacks_id boolean, OUT ids_twice boolean, OUT uuids_twice boolean, OUT has_notes boolean, OUT bad_instance boolean)
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	EXECUTE format('SELECT count(*) <> count(id), count(id) <> count(DISTINCT id), count(uuid) <> count(DISTINCT uuid), count(notes) > 0, %s FROM pg_temp.%I',
		CASE relation WHEN 'nics' THEN 'count(raw_instance_id) > 0' ELSE 'false' END,
		'vmnet_import_' || relation)
	INTO lacks_id, ids_twice, uuids_twice, has_notes, bad_instance;
END
$$;
COMMENT ON FUNCTION vmnet_internal.import_look(text) IS
'Part of import_cloudstack(): what may be wrong with the rows of a stage';

-- Takes rows of a stage that have no id of their own out of it.
CREATE FUNCTION vmnet_internal.import_judge_ids(relation text, lacks_id boolean, ids_twice boolean)
RETURNS void
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	IF lacks_id THEN
		EXECUTE format($f$
			WITH gone AS (DELETE FROM pg_temp.%1$I WHERE id IS NULL RETURNING raw_id)
			INSERT INTO pg_temp.vmnet_import_log
			SELECT %2$L, raw_id, 'id', raw_id, 'rejected', 'the row has no id that can be read' FROM gone$f$,
			'vmnet_import_' || relation, vmnet_internal.import_source_table(relation));
	END IF;
	IF ids_twice THEN
		EXECUTE format($f$
			WITH twice AS (SELECT id, min(ctid) AS first FROM pg_temp.%1$I GROUP BY id HAVING count(*) > 1),
				gone AS (DELETE FROM pg_temp.%1$I s USING twice t WHERE s.id = t.id AND s.ctid <> t.first RETURNING s.id)
			INSERT INTO pg_temp.vmnet_import_log
			SELECT %2$L, id::text, 'id', id::text, 'rejected', 'another row has the same id' FROM gone$f$,
			'vmnet_import_' || relation, vmnet_internal.import_source_table(relation));
	END IF;
END
$$;
COMMENT ON FUNCTION vmnet_internal.import_judge_ids(text, boolean, boolean) IS
'Part of import_cloudstack(): rejects rows without an id, or with that of another one';

-- Takes NICs out of their stage that have no network, or name an instance that
-- is not there.
CREATE FUNCTION vmnet_internal.import_judge_nics(bad_instance boolean)
RETURNS void
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	some_orphans boolean;
BEGIN
	SELECT count(*) <> count(w.id) OR count(n.instance_id) <> count(i.id)
	INTO some_orphans
	FROM pg_temp.vmnet_import_nics n
		LEFT JOIN pg_temp.vmnet_import_networks w ON w.id = n.network_id
		LEFT JOIN pg_temp.vmnet_import_instances i ON i.id = n.instance_id;
	IF some_orphans THEN
		WITH gone AS (
			DELETE FROM pg_temp.vmnet_import_nics n
			WHERE NOT EXISTS (SELECT FROM pg_temp.vmnet_import_networks w WHERE w.id = n.network_id)
			RETURNING n.id, n.network_id, n.raw_network_id)
		INSERT INTO pg_temp.vmnet_import_log
		SELECT 'nics', id::text, 'network_id', coalesce(network_id::text, raw_network_id), 'rejected',
			CASE WHEN network_id IS NULL THEN 'the row names no network that can be read'
				ELSE 'the source has no network of this id' END
		FROM gone;
	END IF;
	IF bad_instance THEN
		WITH gone AS (
			DELETE FROM pg_temp.vmnet_import_nics n
			WHERE btrim(n.raw_instance_id) <> ''
			RETURNING n.id, n.raw_instance_id)
		INSERT INTO pg_temp.vmnet_import_log
		SELECT 'nics', id::text, 'instance_id', raw_instance_id, 'rejected',
			'the row names an instance that cannot be read'
		FROM gone;
	END IF;
	IF some_orphans THEN
		WITH gone AS (
			DELETE FROM pg_temp.vmnet_import_nics n
			WHERE n.instance_id IS NOT NULL
				AND NOT EXISTS (SELECT FROM pg_temp.vmnet_import_instances i WHERE i.id = n.instance_id)
			RETURNING n.id, n.instance_id)
		INSERT INTO pg_temp.vmnet_import_log
		SELECT 'nics', id::text, 'instance_id', instance_id::text, 'rejected',
			'the source has no instance of this id'
		FROM gone;
	END IF;
END
$$;
COMMENT ON FUNCTION vmnet_internal.import_judge_nics(boolean) IS
'Part of import_cloudstack(): rejects NICs whose network or instance is not there';

-- Takes secondary addresses out of their stage that have no place.
CREATE FUNCTION vmnet_internal.import_judge_secondary()
RETURNS void
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	WITH gone AS (
		DELETE FROM pg_temp.vmnet_import_nic_secondary_ips s
		WHERE s.network_id IS NULL
			OR NOT EXISTS (SELECT FROM pg_temp.vmnet_import_nics n WHERE n.id = s.nic_id)
		RETURNING s.id, s.nic_id, s.raw_nic_id, s.network_id, s.raw_network_id)
	INSERT INTO pg_temp.vmnet_import_log
	SELECT 'nic_secondary_ips', id::text,
		CASE WHEN network_id IS NULL THEN 'network_id' ELSE 'nicId' END,
		CASE WHEN network_id IS NULL THEN raw_network_id ELSE coalesce(nic_id::text, raw_nic_id) END, 'rejected',
		CASE WHEN network_id IS NULL THEN 'the row names no network that can be read'
			WHEN nic_id IS NULL THEN 'the row names no NIC that can be read'
			ELSE 'the mirror has no NIC of this id' END
	FROM gone;
END
$$;
COMMENT ON FUNCTION vmnet_internal.import_judge_secondary() IS
'Part of import_cloudstack(): rejects secondary addresses that have no place';

-- Writes down what was changed in the rows of a stage; where two rows have one
-- uuid, one of them keeps it.
CREATE FUNCTION vmnet_internal.import_judge_values(relation text, uuids_twice boolean, has_notes boolean)
RETURNS void
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	IF uuids_twice THEN
		EXECUTE format($f$
			WITH twice AS (SELECT uuid, min(id) AS first FROM pg_temp.%1$I WHERE uuid IS NOT NULL GROUP BY uuid HAVING count(*) > 1),
				mended AS (UPDATE pg_temp.%1$I s SET uuid = NULL FROM twice t WHERE s.uuid = t.uuid AND s.id <> t.first RETURNING s.id, t.uuid)
			INSERT INTO pg_temp.vmnet_import_log
			SELECT %2$L, id::text, 'uuid', uuid::text, 'changed', 'another row has the same uuid; stored as NULL' FROM mended$f$,
			'vmnet_import_' || relation, vmnet_internal.import_source_table(relation));
	END IF;
	IF has_notes THEN
		EXECUTE format($f$
			INSERT INTO pg_temp.vmnet_import_log
			SELECT %2$L, s.id::text, note->>0, note->>1, 'changed', note->>2
			FROM pg_temp.%1$I s, unnest(s.notes) note
			WHERE s.notes IS NOT NULL$f$,
			'vmnet_import_' || relation, vmnet_internal.import_source_table(relation));
	END IF;
END
$$;
COMMENT ON FUNCTION vmnet_internal.import_judge_values(text, boolean, boolean) IS
'Part of import_cloudstack(): writes down what was changed in the rows of a stage';

-- Takes rows that have no place out of the stages, and writes down why: ids first,
-- then what refers to them, then what is left.
CREATE FUNCTION vmnet_internal.import_judge()
RETURNS void
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	relations CONSTANT text[] := ARRAY['networks', 'instances', 'nics', 'nic_secondary_ips'];
	looks jsonb := '{}';
	look jsonb;
	relation text;
BEGIN
	FOREACH relation IN ARRAY relations LOOP
		SELECT to_jsonb(l) INTO look FROM vmnet_internal.import_look(relation) l;
		looks := looks || jsonb_build_object(relation, look);
		PERFORM vmnet_internal.import_judge_ids(relation, (look->>'lacks_id')::boolean, (look->>'ids_twice')::boolean);
	END LOOP;
	PERFORM vmnet_internal.import_judge_nics((looks->'nics'->>'bad_instance')::boolean);
	PERFORM vmnet_internal.import_judge_secondary();
	FOREACH relation IN ARRAY relations LOOP
		look := looks->relation;
		PERFORM vmnet_internal.import_judge_values(relation, (look->>'uuids_twice')::boolean, (look->>'has_notes')::boolean);
	END LOOP;
END
$$;
COMMENT ON FUNCTION vmnet_internal.import_judge() IS
'Part of import_cloudstack(): takes rows that have no place out of the stages, and writes down why';

-- Keeps other writers out until the transaction ends.  A first copy goes into
-- bare tables: what reads and references need is made after it.
CREATE FUNCTION vmnet_internal.import_prepare(inventory text)
RETURNS boolean
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	part record;
	first_copy boolean;
BEGIN
	EXECUTE format('LOCK TABLE %1$I.all_networks, %1$I.all_instances, %1$I.all_nics, %1$I.all_nic_secondary_ips IN SHARE ROW EXCLUSIVE MODE', inventory);
	EXECUTE format('SELECT NOT EXISTS (SELECT FROM %1$I.all_networks) AND NOT EXISTS (SELECT FROM %1$I.all_instances)', inventory)
	INTO first_copy;
	IF NOT first_copy THEN
		RETURN false;
	END IF;

	FOR part IN
		SELECT d.phase, d.object FROM vmnet_internal.inventory_definition('mirror') d
		WHERE d.phase IN ('references', 'indexes')
			OR d.phase = 'keys' AND d.object ~ '^CONSTRAINT all_(networks|instances|nics)_(pkey|uuid_key) '
		ORDER BY d.ord DESC
	LOOP
		IF part.phase = 'indexes' THEN
			EXECUTE format('DROP ' || replace(part.object, 'INDEX ', 'INDEX IF EXISTS '), inventory);
			CONTINUE;
		END IF;
		BEGIN
			EXECUTE format('ALTER TABLE ' || split_part(part.object, ' ON ', 2) || ' DROP CONSTRAINT IF EXISTS %2$I',
				inventory, split_part(part.object, ' ', 2));
		EXCEPTION WHEN dependent_objects_still_exist THEN
			NULL;	-- a user's own foreign key or view needs it: it stays
		END;
	END LOOP;
	RETURN true;
END
$$;
COMMENT ON FUNCTION vmnet_internal.import_prepare(text) IS
'Part of import_cloudstack(): locks the mirror; true where it is empty, with its indexes and references dropped';

-- Makes the keys again that import_prepare() has dropped.
CREATE FUNCTION vmnet_internal.import_build_keys(inventory text)
RETURNS void
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	part record;
BEGIN
	FOR part IN
		SELECT d.ddl, d.object, d.comment
		FROM vmnet_internal.inventory_definition('mirror') d
		WHERE d.phase = 'keys' AND d.object LIKE 'CONSTRAINT %'
			AND NOT EXISTS (SELECT FROM pg_catalog.pg_constraint c
				WHERE c.connamespace = (SELECT n.oid FROM pg_catalog.pg_namespace n WHERE n.nspname = inventory)
					AND c.conname = split_part(d.object, ' ', 2))
		ORDER BY d.ord
	LOOP
		EXECUTE format(part.ddl, inventory);
		EXECUTE format('COMMENT ON ' || part.object || ' IS %2$L', inventory, part.comment);
		EXECUTE format('COMMENT ON INDEX %I.%I IS %L', inventory, split_part(part.object, ' ', 2), part.comment);
	END LOOP;
END
$$;
COMMENT ON FUNCTION vmnet_internal.import_build_keys(text) IS
'Part of import_cloudstack(): makes the keys of a mirror that are not there';

-- What differs is known now, and so how much of it there is.
CREATE FUNCTION vmnet_internal.import_analyze_changes()
RETURNS void
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	ANALYZE pg_temp.vmnet_import_changes;
END
$$;
COMMENT ON FUNCTION vmnet_internal.import_analyze_changes() IS
'Part of import_cloudstack(): has statistics of what differs';

-- Writes down what the mirror is about to see of NICs: changes of state,
-- removals, moves to another network, rows that the source has no more, and the
-- addresses that NICs had until now.  The time is that of the run, and never
-- before the last entry of the NIC, should the clock have been set back.
CREATE FUNCTION vmnet_internal.import_remember(run bigint, inventory text)
RETURNS void
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	-- The transaction has its id before its entries have their numbers, as the
	-- change feed wants it.
	PERFORM pg_current_xact_id();
	EXECUTE format($f$
		INSERT INTO %1$I.nic_history (nic_id, network_id, instance_id, from_state, to_state,
			event, removed, at, from_network_id)
		SELECT c.*
		FROM (SELECT t.id, coalesce(s.network_id, t.network_id) AS network_id,
				CASE WHEN s.id IS NULL THEN t.instance_id ELSE s.instance_id END,
				t.state AS from_state, s.state AS to_state, 'Imported',
				CASE WHEN s.id IS NULL THEN coalesce(t.removed, r.started) ELSE s.removed END,
				greatest(r.started, l.at),
				CASE WHEN s.network_id <> t.network_id THEN t.network_id END
			FROM %1$I.import_runs r
				CROSS JOIN pg_temp.vmnet_import_changes c
				JOIN %1$I.all_nics t ON t.id = c.id
				LEFT JOIN pg_temp.vmnet_import_nics s ON s.id = c.id
				LEFT JOIN LATERAL (SELECT h.at FROM %1$I.nic_history h
					WHERE h.nic_id = t.id ORDER BY h.seq DESC LIMIT 1) l ON true
			WHERE r.run = $1 AND c.relation = 'nics'
				AND (s.id IS NULL OR s.state <> t.state OR s.network_id <> t.network_id
					OR s.removed IS DISTINCT FROM t.removed)
			ORDER BY t.id) c$f$, inventory)
	USING run;
	EXECUTE format($f$
		INSERT INTO %1$I.nic_address_history (nic_id, mac_address, ip4_address, ip6_address, until)
		SELECT t.id, t.mac_address, t.ip4_address, t.ip6_address, r.started
		FROM %1$I.import_runs r
			CROSS JOIN pg_temp.vmnet_import_changes c
			JOIN %1$I.all_nics t ON t.id = c.id
			JOIN pg_temp.vmnet_import_nics s ON s.id = c.id
		WHERE r.run = $1 AND c.relation = 'nics'
			AND (s.mac_address IS DISTINCT FROM t.mac_address
				OR s.ip4_address IS DISTINCT FROM t.ip4_address
				OR s.ip6_address IS DISTINCT FROM t.ip6_address)
		ORDER BY t.id$f$, inventory)
	USING run;
	-- Of a row that is gone nothing is left that its addresses would belong to.
	EXECUTE format($f$
		DELETE FROM %1$I.nic_address_history a USING pg_temp.vmnet_import_changes c
		WHERE c.relation = 'nics' AND c.kind = 'delete' AND a.nic_id = c.id$f$, inventory);
END
$$;
COMMENT ON FUNCTION vmnet_internal.import_remember(bigint, text) IS
'Part of import_cloudstack(): writes down in history what the run is about to change';

-- Closes a run: log, sequences, source, statistics.
CREATE FUNCTION vmnet_internal.import_finish(run bigint, source text, inventory text, first_copy boolean,
	inserted bigint, updated bigint, deleted bigint)
RETURNS void
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	info record;
	relation text;
	rejected bigint;
	changed bigint;
BEGIN
	IF first_copy THEN
		PERFORM vmnet_internal.import_build_keys(inventory);
		PERFORM vmnet_internal.build_inventory(inventory, 'mirror', source, 'read_only', ARRAY['references', 'indexes']);
	END IF;

	SELECT count(*) FILTER (WHERE action = 'rejected'), count(*) FILTER (WHERE action = 'changed')
	INTO rejected, changed
	FROM pg_temp.vmnet_import_log;
	EXECUTE format($f$
		INSERT INTO %1$I.import_log (run, "table", id, "column", original, action, reason)
		SELECT $1, s."table", s.id, s."column", s.original, s.action, s.reason
		FROM (SELECT "table", id, "column", original, action, reason FROM pg_temp.vmnet_import_log
			EXCEPT ALL
			SELECT "table", id, "column", original, action, reason FROM %1$I.import_log) s
		ORDER BY s."table", vmnet_internal.read_bigint(s.id), s.id, s."column"$f$, inventory)
	USING run;

	FOREACH relation IN ARRAY ARRAY['all_networks', 'all_instances', 'all_nics', 'all_nic_secondary_ips'] LOOP
		EXECUTE format('SELECT setval(pg_get_serial_sequence(%L, ''id''), max(id)) FROM %I.%I HAVING max(id) >= 1',
			format('%I.%I', inventory, relation), inventory, relation);
		IF first_copy THEN
			EXECUTE format('ANALYZE %I.%I', inventory, relation);
		END IF;
	END LOOP;

	SELECT l.* INTO info FROM vmnet_internal.inventory_facts(inventory) l;
	IF info.source IS DISTINCT FROM source THEN
		EXECUTE format('CREATE OR REPLACE VIEW %I.inventory_info AS SELECT %L::text AS kind, %L::text AS source, %L::text AS mode, %L::text AS version',
			inventory, info.kind, source, info.mode, info.version);
	END IF;

	EXECUTE format('UPDATE %I.import_runs SET status = ''done'', step = ''done'', finished = $7, rows_inserted = $2, rows_updated = $3, rows_deleted = $4, rows_rejected = $5, values_changed = $6 WHERE run = $1', inventory)
	USING run, inserted, updated, deleted, rejected, changed, clock_timestamp();

	RAISE NOTICE 'inventory "%": % rows inserted, % updated, % deleted', inventory, inserted, updated, deleted;
	IF rejected > 0 OR changed > 0 THEN
		RAISE NOTICE '% rows rejected, % values changed; see %', rejected, changed, format('%I.import_log', inventory);
	END IF;
END
$$;
COMMENT ON FUNCTION vmnet_internal.import_finish(bigint, text, text, boolean, bigint, bigint, bigint) IS
'Part of import_cloudstack(): closes a run';

-- Marks a run as failed.
CREATE FUNCTION vmnet_internal.import_failed(run bigint, inventory text, message text)
RETURNS void
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	EXECUTE format('UPDATE %I.import_runs SET status = ''failed'', finished = $3, message = $2 WHERE run = $1', inventory)
	USING run, message, clock_timestamp();
END
$$;
COMMENT ON FUNCTION vmnet_internal.import_failed(bigint, text, text) IS
'Part of import_cloudstack(): marks a run as failed';

CREATE PROCEDURE vmnet.import_cloudstack(source name, inventory name DEFAULT NULL)
AS 'MODULE_PATHNAME', 'import_cloudstack'
LANGUAGE C;
COMMENT ON PROCEDURE vmnet.import_cloudstack(name, name) IS
'Makes a mirror of a CloudStack database, or makes it equal to the source again
source: a schema that holds CloudStack''s tables networks, vm_instance and nics (nic_secondary_ips, op_networks, account, domain and data_center are used if they are there), loaded from a dump or foreign tables. inventory: a mirror, or a name that is free; NULL: the setting vmnet.inventory. Neither name is folded or unquoted.
Rows are kept as they are. A row that has no place is left out, a value that cannot be stored is changed; each is a row of import_log. Reads in steps that commit, so that import_runs shows how far it is, and changes the mirror in one transaction; inside a transaction block nothing commits. It never writes to the source.
Only the owner of the mirror, or a role that has his rights, can run it. The source is read with the rights of the caller, into temporary tables; the mirror is written to with those of its owner. Needs TEMPORARY on the database.
Errors: 22023 where the source is no CloudStack database, or the inventory is no mirror; 0A000 inside another import; 42501 for another role.';

