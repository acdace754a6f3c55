--
-- A live CloudStack database as an inventory: views over its foreign tables, no
-- copy.  What MySQL can judge as PostgreSQL would (keys, numbers, what is NULL)
-- stands in the views as a plain column, which mysql_fdw sends there.  Text
-- stands inside a CASE, which it never sends: MySQL would compare it without
-- case.  So do functions that MySQL has not, or has with other arguments.
--

-- A value of the source as one of the inventory, as the import would store it.
CREATE FUNCTION vmnet_internal.live_expression(value text, source_type regtype, target_type text)
RETURNS text
LANGUAGE sql STABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $$
SELECT format(
	CASE
	WHEN $3 IN ('bigint', 'integer') AND $2 IN ('bigint'::regtype, 'integer'::regtype, 'smallint'::regtype) THEN
		CASE WHEN $2 = $3::regtype THEN '%1$s' ELSE '%1$s::' || $3 END
	WHEN $3 = 'integer' THEN 'CASE WHEN %2$s BETWEEN -2147483648 AND 2147483647 THEN (%2$s)::integer END'
	WHEN $3 = 'boolean' AND $2 IN ('bigint'::regtype, 'integer'::regtype, 'smallint'::regtype) THEN '(%1$s <> 0)'
	WHEN $3 IN ('text', 'timestamptz') THEN 'CASE WHEN %1$s IS NOT NULL THEN %2$s END'
	ELSE '%2$s'
	END, $1, vmnet_internal.import_expression($1, $2, $3))
$$;
COMMENT ON FUNCTION vmnet_internal.live_expression(text, regtype, text) IS
'Part of attach_cloudstack(): expression that turns a value of the source into one of the inventory, where it is read';

-- The query of all_networks, all_instances and so on over a source.  What comes from
-- other tables is joined here, and distinct, so that the planner leaves out the join
-- where nobody asks for these columns.  (Besides, mysql_fdw 2.8 fails, or crashes, on
-- a join of which no column is asked, as in EXISTS.)
CREATE FUNCTION vmnet_internal.live_query(source text, relation text)
RETURNS text
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	source_table text := vmnet_internal.import_source_table(vmnet_internal.import_kind(source), relation);
	col record;
	source_type regtype;
	value text;
	created text := quote_literal('1970-01-01 00:00:00+00') || '::timestamptz';	-- where there is no such column
	removed text;
	touched text := 'NULL';
	source_state text;
	source_removed text := 'NULL';
	targets text[] := '{}';
	joins text := '';
BEGIN
	FOR col IN SELECT p.* FROM vmnet_internal.import_plan(source, relation) p ORDER BY p.ord LOOP
		IF col.absent IS NOT NULL THEN
			targets := targets || format('%s AS %I', col.absent, col.target);
			CONTINUE;
		END IF;
		value := CASE WHEN col.is_list THEN vmnet_internal.import_first(col.value, col.target_type)
			ELSE vmnet_internal.live_expression(col.value, col.source_type, col.target_type) END;
		IF col.from_lookup IS NOT NULL THEN
			joins := joins || format(' LEFT JOIN (SELECT DISTINCT ON (l.id) l.id, %s AS value FROM %I.%I l ORDER BY l.id) l_%s ON l_%s.id '
				'= s.%I',
				value, source, col.from_lookup, col.from_lookup, col.from_lookup, col.lookup_key);
			targets := targets || format('l_%s.value AS %I', col.from_lookup, col.target);
			CONTINUE;
		END IF;
		IF col.target = 'created' THEN
			created := format('coalesce(%s, ''1970-01-01 00:00:00+00''::timestamptz)', value);
			value := created;
		ELSIF col.target = 'removed' THEN
			source_removed := col.value;
			removed := format('CASE WHEN %s IS NOT NULL THEN coalesce(%s, %s) END', col.value, value, created);
			value := removed;
			IF relation = 'nics' THEN
				source_type := vmnet_internal.import_source_type(source, source_table, 'update_time');
				IF source_type IS NOT NULL THEN
					touched := vmnet_internal.live_expression('s.update_time', source_type, 'timestamptz');
				END IF;
				touched := format('coalesce(%s, %s, %s)', removed, touched, created);
				targets := targets || format('%s AS state_changed', touched);
			END IF;
		ELSIF col.target = 'state' THEN
			source_state := col.value;
			value := format('coalesce(%s, ''Unknown'')', value);
		END IF;
		targets := targets || format('%s AS %I', value, col.target);
	END LOOP;

	-- columns that no source has
	targets := targets || ARRAY(
		SELECT format('NULL::%s AS %I', c.type, c.name) FROM vmnet_internal.inventory_columns() c
		WHERE c.relation = 'all_' || live_query.relation AND c.in_view AND c.source_column IS NULL AND c.name <> 'state_changed'
		ORDER BY c.ord);
	targets := targets || CASE relation WHEN 'nic_secondary_ips'
		-- CloudStack deletes them for good
		THEN ARRAY['true AS active']
		WHEN 'nics'
		-- Said as CloudStack says it, so that MySQL can judge it.  A NIC without
		-- a state is held.
		THEN ARRAY[format($x$(%s IS NULL AND (%s IS NULL OR lower(rtrim(%2$s::text)) <> 'deallocating')) AS active$x$,
				source_removed, source_state),
			format($x$LEAST(%s, CASE WHEN lower(rtrim(%s::text)) = 'deallocating' THEN %s END) AS ended$x$,
				removed, source_state, touched)]
		ELSE ARRAY[format('(%s IS NULL) AS active', source_removed)] END;
	RETURN format('SELECT %s FROM %I.%I s%s', array_to_string(targets, ', '), source, source_table, joins);
END
$$;
COMMENT ON FUNCTION vmnet_internal.live_query(text, text) IS
'Part of attach_cloudstack(): the query of all_networks, all_instances and so on over a source';

-- The same of a table that a source need not have.
CREATE FUNCTION vmnet_internal.live_optional_query(source text, relation text)
RETURNS text
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
SELECT CASE WHEN vmnet_internal.import_source_type($1,
		vmnet_internal.import_source_table(vmnet_internal.import_kind($1), $2), 'id') IS NOT NULL
	THEN vmnet_internal.live_query($1, $2)
	ELSE vmnet_internal.empty_query('all_' || $2) END
$$;
COMMENT ON FUNCTION vmnet_internal.live_optional_query(text, text) IS
'Part of attach_cloudstack(): the query of a table that a source need not have; no rows where it has none';

-- The views of a live inventory, in order.  Those of a mirror serve where they
-- need no more of MySQL than it can give; here are the others.
CREATE FUNCTION vmnet_internal.live_definition(source text)
RETURNS TABLE (ord int, relation text, query text, comment text)
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp
AS $definition$
WITH own (ord, relation, query, comment) AS (VALUES
	(1, 'all_networks', replace(vmnet_internal.live_query($1, 'networks'), '%', '%%'),
'Every network of the source, removed ones too
Read from it at the time of the query.'),
	(2, 'all_instances', replace(vmnet_internal.live_query($1, 'instances'), '%', '%%'),
'Every instance of the source, removed ones too
An instance is a virtual machine, a router or a system VM. Read from it at the time of the query.'),
	(3, 'all_nics', replace(vmnet_internal.live_query($1, 'nics'), '%', '%%'),
'Every NIC of the source, removed and half-removed ones too
Read from it at the time of the query.'),
	(4, 'all_nic_secondary_ips', replace(vmnet_internal.live_optional_query($1, 'nic_secondary_ips'), '%', '%%'),
'Addresses that NICs have beside their own, as the source has them
Read from it at the time of the query. CloudStack deletes them for good.'),
	(7, 'all_ip_ranges', replace(vmnet_internal.live_optional_query($1, 'ip_ranges'), '%', '%%'),
'Ranges of addresses that networks can give, removed ones too
Read from the source''s table vlan at the time of the query; no rows where it has none.'),
	(8, 'all_ip_addresses', replace(vmnet_internal.live_optional_query($1, 'ip_addresses'), '%', '%%'),
'Addresses that networks can give or have given, removed ones too
Read from the source''s table user_ip_address at the time of the query; no rows where it has none.'),
	(5, 'nic_history', vmnet_internal.empty_query('nic_history'),
'Nothing: a live inventory does not remember what happened to NICs
A mirror does, from its first import on: vmnet.import_cloudstack(). What the source''s columns tell of the past is in nic_intervals.'),
	(6, 'nic_address_history', vmnet_internal.empty_query('nic_address_history'),
'Nothing: a live inventory does not remember which addresses NICs had
A mirror does, from its first import on: vmnet.import_cloudstack().'),
	(16, 'network_instances', $$SELECT a.network_id, a.network_uuid, a.network_name, a.network_state, a.traffic_type, a.guest_type,
		a.vpc_id,
	a.instance_id, a.instance_uuid, a.instance_name, a.instance_type, a.instance_state, a.nic_count,
	a.nic_id, a.nic_state, a.device_id, a.default_nic, a.mac_address, a.ip4_address, a.ip6_address
FROM (
	SELECT n.network_id, w.uuid AS network_uuid, w.name AS network_name, w.state AS network_state,
		w.traffic_type, w.guest_type, w.vpc_id,
		n.instance_id, i.uuid AS instance_uuid, i.name AS instance_name, i.type AS instance_type,
		i.state AS instance_state,
		pg_catalog.count(*) OVER (PARTITION BY n.network_id, n.instance_id) AS nic_count,
		pg_catalog.row_number() OVER (PARTITION BY n.network_id, n.instance_id ORDER BY n.device_id, n.id) AS place,
		n.id AS nic_id, n.state AS nic_state, n.device_id, n.default_nic, n.mac_address,
		n.ip4_address, n.ip6_address
	FROM %1$I.all_nics n
		JOIN %1$I.all_networks w ON w.id = n.network_id AND w.active
		JOIN %1$I.all_instances i ON i.id = n.instance_id AND i.active
	WHERE n.active) a
WHERE a.place = 1$$, NULL),
	(17, 'network_counts', replace(vmnet_internal.network_counts_live(
		replace(vmnet_internal.live_query($1, 'nics'), '%', '%%')
		|| (SELECT format(' WHERE %s IS NULL', p.value) FROM vmnet_internal.import_plan($1, 'nics') p WHERE p.target = 'removed')),
		'{inv}', '%1$I'), NULL))
SELECT coalesce(100 + d.ord, o.ord), coalesce(d.name, o.relation), coalesce(o.query, d.body), coalesce(o.comment, d.comment)
FROM own o FULL JOIN vmnet_internal.inventory_objects('live', '{views}') d ON d.name = o.relation
ORDER BY 1
$definition$;
COMMENT ON FUNCTION vmnet_internal.live_definition(text) IS
'Part of attach_cloudstack(): the query of every view of a live inventory over a source, in order, with its comment
In query, %1$I stands for the name of the inventory.';

CREATE FUNCTION vmnet_internal.live_guard()
RETURNS trigger
AS 'MODULE_PATHNAME', 'live_guard'
LANGUAGE C;
COMMENT ON FUNCTION vmnet_internal.live_guard() IS
'Trigger INSTEAD OF INSERT, UPDATE and DELETE on the views of a live inventory: it is read only
Error: 42501 with constraint live_guard.';

CREATE FUNCTION vmnet_internal.attach_cloudstack(name text, source name)
RETURNS void
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	part record;
BEGIN
	PERFORM vmnet_internal.live_check($1, $2);

	EXECUTE format('CREATE SCHEMA %I', $1);
	EXECUTE format('COMMENT ON SCHEMA %I IS %L', $1,
		'Live inventory of networks, instances and NICs (vmnet_ext): views over CloudStack''s database, no copy
DROP SCHEMA detaches it; the source is left as it is.');
	FOR part IN SELECT * FROM vmnet_internal.live_definition($2::text) d ORDER BY d.ord LOOP
		PERFORM vmnet_internal.build_object(format('CREATE VIEW %%1$I.%I AS %s', part.relation, part.query),
			format('VIEW %%1$I.%I', part.relation), part.comment, $1, 'live', $2, 'read_only', vmnet.version());
	END LOOP;
	PERFORM vmnet_internal.build_inventory($1, 'live', $2, 'read_only', ARRAY['tables', 'keys', 'triggers']);
	PERFORM vmnet_internal.comment_inventory($1);
END
$$;
COMMENT ON FUNCTION vmnet_internal.attach_cloudstack(text, name) IS
'Body of vmnet.attach_cloudstack(), run as the caller';

CREATE FUNCTION vmnet.attach_cloudstack(name text, source name)
RETURNS void
AS 'MODULE_PATHNAME', 'caller_entry'
LANGUAGE C COST 10000;
COMMENT ON FUNCTION vmnet.attach_cloudstack(text, name) IS
'Makes a live inventory: a schema of that name with views over a CloudStack database, no copy
source: a schema that holds CloudStack''s tables networks, vm_instance and nics (op_networks, account, domain and data_center are used if '
'they are there): foreign tables through mysql_fdw. Conditions on keys and numbers, on what is live, joins, counts and pages are sent to '
'MySQL; text is compared here, exactly; addresses and times are converted here. The views run with their owner''s rights on the source: a '
'reader needs USAGE on the schema and SELECT on them; but mysql_fdw wants a user mapping for him too, for which one FOR PUBLIC will do. '
'Nothing is remembered: for history there is import_cloudstack(). DROP SCHEMA ... CASCADE detaches it.
Errors: 42P06 where a schema of that name exists, 22023 for a name that cannot be, or a source that is no CloudStack database.';

-- Refuses what cannot be the name or the source of a live inventory.
CREATE FUNCTION vmnet_internal.live_check(wanted text, source text)
RETURNS void
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	kind text := vmnet_internal.import_kind(source);
	missing text;
BEGIN
	IF wanted IS NULL OR wanted = '' OR octet_length(wanted) > 63 THEN
		RAISE EXCEPTION USING
			ERRCODE = 'invalid_parameter_value',
			MESSAGE = 'the name of an inventory must have 1 to 63 bytes',
			DETAIL = CASE WHEN wanted IS NULL THEN 'It is NULL.' ELSE format('It has %s bytes.', octet_length(wanted)) END,
			HINT = 'An inventory is a schema, so its name is the name of a schema.';
	END IF;
	IF EXISTS (SELECT FROM pg_catalog.pg_namespace n WHERE n.nspname = wanted) THEN
		RAISE EXCEPTION USING
			ERRCODE = 'duplicate_schema',
			MESSAGE = format('schema "%s" exists already', wanted),
			DETAIL = CASE WHEN wanted = source THEN 'It is the source itself; the inventory is a schema of its own.'
				ELSE 'Nothing in it was touched.' END,
			HINT = 'Choose another name.';
	END IF;
	IF source IS NULL OR NOT EXISTS (SELECT FROM pg_catalog.pg_namespace n WHERE n.nspname = source) THEN
		RAISE EXCEPTION USING
			ERRCODE = 'invalid_parameter_value',
			MESSAGE = format('source schema %s does not exist', coalesce('"' || source || '"', 'NULL')),
			DETAIL = 'The source is a schema with CloudStack''s tables, foreign tables of its database.',
			HINT = 'See "A live CloudStack" in doc/cloudstack.md.';
	END IF;
	SELECT string_agg(format('%s.%s', vmnet_internal.import_source_table(kind, r), c.source_column), ', ' ORDER BY r, c.ord)
	INTO missing
	FROM unnest(ARRAY['networks', 'instances', 'nics']) r,
		LATERAL vmnet_internal.import_columns(kind, r) c
	WHERE c.needed AND vmnet_internal.import_source_type(source, vmnet_internal.import_source_table(kind, r), c.source_column) IS NULL;
	IF missing IS NOT NULL THEN
		RAISE EXCEPTION USING
			ERRCODE = 'invalid_parameter_value',
			MESSAGE = format('schema "%s" does not contain CloudStack''s tables', source),
			DETAIL = format('It lacks: %s.', missing),
			HINT = 'The tables networks, vm_instance and nics are needed, with these columns.';
	END IF;
END
$$;
COMMENT ON FUNCTION vmnet_internal.live_check(text, text) IS
'Part of attach_cloudstack(): checks the name and the source';
