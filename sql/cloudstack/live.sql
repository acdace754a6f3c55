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
LANGUAGE sql IMMUTABLE
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

-- The query of all_networks, all_instances, all_nics or all_nic_secondary_ips
-- over a source.  What comes from other tables is joined here, and distinct, so that the planner
-- leaves out the join where nobody asks for these columns.  (Besides, mysql_fdw
-- 2.8 fails, or crashes, on a join of which no column is asked, as in EXISTS.)
CREATE FUNCTION vmnet_internal.live_query(source text, relation text)
RETURNS text
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	source_table text := vmnet_internal.import_source_table(relation);
	col record;
	source_type regtype;
	value text;
	created text;
	removed text;
	touched text := 'NULL';
	half_removed text := $x$lower(rtrim(s.state::text)) = 'deallocating'$x$;
	targets text[] := '{}';
	joins text := '';
BEGIN
	FOR col IN SELECT * FROM vmnet_internal.import_columns(relation) ORDER BY ord LOOP
		source_type := vmnet_internal.import_source_type(source, coalesce(col.from_lookup, source_table), col.source_column);
		IF source_type IS NULL OR (col.from_lookup IS NOT NULL AND (
			vmnet_internal.import_source_type(source, col.from_lookup, 'id') IS NULL OR
			vmnet_internal.import_source_type(source, source_table, col.lookup_key) IS NULL))
		THEN
			targets := targets || format('%s::%s AS %I',
				CASE col.target WHEN 'enabled' THEN 'true' ELSE 'NULL' END, col.target_type, col.target);
			CONTINUE;
		END IF;

		IF col.from_lookup IS NOT NULL THEN
			joins := joins || format(' LEFT JOIN (SELECT DISTINCT ON (l.id) l.id, %s AS value FROM %I.%I l ORDER BY l.id) l_%s ON l_%s.id = s.%I',
				vmnet_internal.live_expression(format('l.%I', col.source_column), source_type, col.target_type),
				source, col.from_lookup, col.from_lookup, col.from_lookup, col.lookup_key);
			targets := targets || format('l_%s.value AS %I', col.from_lookup, col.target);
			CONTINUE;
		END IF;
		value := vmnet_internal.live_expression(format('s.%I', vmnet_internal.import_source_column(source, source_table, col.source_column)),
			source_type, col.target_type);
		IF col.target = 'created' THEN
			created := format('coalesce(%s, ''1970-01-01 00:00:00+00''::timestamptz)', value);
			value := created;
		ELSIF col.target = 'removed' THEN
			removed := format('CASE WHEN s.removed IS NOT NULL THEN coalesce(%s, %s) END', value, created);
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
			value := format('coalesce(%s, ''Unknown'')', value);
		END IF;
		targets := targets || format('%s AS %I', value, col.target);
	END LOOP;

	targets := targets || CASE relation WHEN 'nic_secondary_ips'
		-- CloudStack deletes them for good
		THEN ARRAY['NULL::timestamptz AS removed', 'true AS active']
		WHEN 'nics'
		-- Said as CloudStack says it, so that MySQL can judge it.  A NIC without
		-- a state is held.
		THEN ARRAY[$x$(s.removed IS NULL AND (s.state IS NULL OR lower(rtrim(s.state::text)) <> 'deallocating')) AS active$x$,
			format('LEAST(%s, CASE WHEN %s THEN %s END) AS ended', removed, half_removed, touched)]
		ELSE ARRAY['(s.removed IS NULL) AS active'] END;
	RETURN format('SELECT %s FROM %I.%I s%s', array_to_string(targets, ', '), source, source_table, joins);
END
$$;
COMMENT ON FUNCTION vmnet_internal.live_query(text, text) IS
'Part of attach_cloudstack(): the query of all_networks, all_instances, all_nics or all_nic_secondary_ips over a source';

-- The same of secondary addresses, which a source need not have.
CREATE FUNCTION vmnet_internal.live_secondary_query(source text)
RETURNS text
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
SELECT CASE WHEN vmnet_internal.import_source_type($1, 'nic_secondary_ips', 'id') IS NOT NULL
	THEN vmnet_internal.live_query($1, 'nic_secondary_ips')
	ELSE (SELECT format('SELECT %s, NULL::timestamptz AS removed, true AS active WHERE false',
			string_agg(format('NULL::%s AS %I', c.target_type, c.target), ', ' ORDER BY c.ord))
		FROM vmnet_internal.import_columns('nic_secondary_ips') c) END
$$;
COMMENT ON FUNCTION vmnet_internal.live_secondary_query(text) IS
'Part of attach_cloudstack(): the query of all_nic_secondary_ips over a source; no rows where it has none';

-- The views of a live inventory, in order.  Those of a mirror serve where they
-- need no more of MySQL than it can give; here are the others.
CREATE FUNCTION vmnet_internal.live_definition(source text)
RETURNS TABLE (ord int, relation text, ddl text, comment text)
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp
AS $definition$
WITH own (ord, relation, ddl, comment) AS (VALUES
	(1, 'all_networks', 'CREATE VIEW %1$I.all_networks AS ' || replace(vmnet_internal.live_query($1, 'networks'), '%', '%%'),
'Every network of the source, removed ones too
Read from it at the time of the query.'),
	(2, 'all_instances', 'CREATE VIEW %1$I.all_instances AS ' || replace(vmnet_internal.live_query($1, 'instances'), '%', '%%'),
'Every instance of the source, removed ones too
An instance is a virtual machine, a router or a system VM. Read from it at the time of the query.'),
	(3, 'all_nics', 'CREATE VIEW %1$I.all_nics AS ' || replace(vmnet_internal.live_query($1, 'nics'), '%', '%%'),
'Every NIC of the source, removed and half-removed ones too
Read from it at the time of the query.'),
	(4, 'all_nic_secondary_ips', 'CREATE VIEW %1$I.all_nic_secondary_ips AS ' || replace(vmnet_internal.live_secondary_query($1), '%', '%%'),
'Addresses that NICs have beside their own, as the source has them
Read from it at the time of the query. CloudStack deletes them for good.'),
	(5, 'nic_history', $$
CREATE VIEW %1$I.nic_history AS
SELECT NULL::bigint AS seq, NULL::bigint AS nic_id, NULL::bigint AS network_id, NULL::bigint AS instance_id,
	NULL::text AS from_state, NULL::text AS to_state, NULL::text AS event, NULL::timestamptz AS removed,
	NULL::timestamptz AS at, NULL::bigint AS transaction_id, NULL::text AS session_username, NULL::text AS actor,
	NULL::text AS reason, NULL::text AS application_name, NULL::bigint AS from_network_id
WHERE false$$,
'Nothing: a live inventory does not remember what happened to NICs
A mirror does, from its first import on: vmnet.import_cloudstack(). What the source''s columns tell of the past is in nic_intervals.'),
	(6, 'nic_address_history', $$
CREATE VIEW %1$I.nic_address_history AS
SELECT NULL::bigint AS entry, NULL::bigint AS nic_id, NULL::macaddr AS mac_address, NULL::inet AS ip4_address,
	NULL::inet AS ip6_address, NULL::timestamptz AS until
WHERE false$$,
'Nothing: a live inventory does not remember which addresses NICs had
A mirror does, from its first import on: vmnet.import_cloudstack().'),
	(16, 'network_instances', $$
CREATE VIEW %1$I.network_instances AS
SELECT a.network_id, a.network_uuid, a.network_name, a.network_state, a.traffic_type, a.guest_type, a.vpc_id,
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
	(17, 'network_counts', $$
CREATE VIEW %1$I.network_counts AS
SELECT w.id AS network_id, w.name AS network_name,
	coalesce(a.attached_nics, 0) AS attached_nics,
	coalesce(a.active_instances, 0) AS active_instances,
	coalesce(a.running_instances, 0) AS running_instances,
	coalesce(a.user_instances, 0) AS user_instances,
	coalesce(h.allocated, 0) AS allocated,
	coalesce(h.reserving, 0) AS reserving,
	coalesce(h.reserved, 0) AS reserved,
	coalesce(h.releasing, 0) AS releasing,
	coalesce(h.deallocating, 0) AS deallocating,
	coalesce(h.other_states, 0) AS other_states,
	coalesce(h.used_ip4, 0) AS used_ip4
FROM %1$I.all_networks w
	LEFT JOIN (
		SELECT n.network_id,
			pg_catalog.count(*) FILTER (WHERE n.state = 'Allocated') AS allocated,
			pg_catalog.count(*) FILTER (WHERE n.state = 'Reserving') AS reserving,
			pg_catalog.count(*) FILTER (WHERE n.state = 'Reserved') AS reserved,
			pg_catalog.count(*) FILTER (WHERE n.state = 'Releasing') AS releasing,
			pg_catalog.count(*) FILTER (WHERE n.state = 'Deallocating') AS deallocating,
			pg_catalog.count(*) FILTER (WHERE (n.state IN ('Allocated', 'Reserving', 'Reserved', 'Releasing', 'Deallocating')) IS NOT TRUE) AS other_states,
			pg_catalog.count(DISTINCT n.ip4_address) FILTER (WHERE n.active) AS used_ip4
		FROM ($$ || replace(vmnet_internal.live_query($1, 'nics'), '%', '%%') || $$ WHERE s.removed IS NULL) n
		GROUP BY n.network_id) h ON h.network_id = w.id
	LEFT JOIN (
		SELECT n.network_id,
			pg_catalog.count(*) AS attached_nics,
			pg_catalog.count(DISTINCT i.id) AS active_instances,
			pg_catalog.count(DISTINCT i.id) FILTER (WHERE i.state = 'Running') AS running_instances,
			pg_catalog.count(DISTINCT i.id) FILTER (WHERE i.type = 'User') AS user_instances
		FROM %1$I.all_nics n
			JOIN %1$I.all_instances i ON i.id = n.instance_id AND i.active
		WHERE n.active
		GROUP BY n.network_id) a ON a.network_id = w.id
WHERE w.active$$, NULL))
SELECT o.ord, o.relation, o.ddl, coalesce(o.comment, d.comment)
FROM own o LEFT JOIN vmnet_internal.inventory_definition('live') d ON d.object = 'VIEW %1$I.' || o.relation
UNION ALL
-- A reader has no user mapping, so these run with their owner's rights.
SELECT 100 + d.ord, split_part(d.object, '.', 2), replace(d.ddl, ' WITH (security_invoker = true)', ''), d.comment
FROM vmnet_internal.inventory_definition('live') d
WHERE d.phase = 'views' AND NOT EXISTS (SELECT FROM own o WHERE d.object = 'VIEW %1$I.' || o.relation)
ORDER BY 1
$definition$;
COMMENT ON FUNCTION vmnet_internal.live_definition(text) IS
'Part of attach_cloudstack(): every view of a live inventory over a source, in order, with its comment
In ddl, %1$I stands for the name of the inventory.';

CREATE FUNCTION vmnet_internal.live_guard()
RETURNS trigger
AS 'MODULE_PATHNAME', 'live_guard'
LANGUAGE C;
COMMENT ON FUNCTION vmnet_internal.live_guard() IS
'Trigger INSTEAD OF INSERT, UPDATE and DELETE on the views of a live inventory: it is read only
Error: 42501 with constraint live_guard.';

CREATE FUNCTION vmnet.attach_cloudstack(name text, source name)
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
		EXECUTE format(part.ddl, $1, 'live', $2, 'read_only', vmnet.version());
		EXECUTE format('COMMENT ON VIEW %I.%I IS %L', $1, part.relation, part.comment);
	END LOOP;
	FOR part IN SELECT unnest(ARRAY['all_networks', 'all_instances', 'all_nics', 'all_nic_secondary_ips',
		'networks', 'instances', 'nics', 'nic_secondary_ips']) AS relation LOOP
		EXECUTE format('CREATE TRIGGER live_guard INSTEAD OF INSERT OR UPDATE OR DELETE ON %I.%I FOR EACH ROW EXECUTE FUNCTION vmnet_internal.live_guard()',
			$1, part.relation);
		EXECUTE format('COMMENT ON TRIGGER live_guard ON %I.%I IS %L', $1, part.relation, 'A live inventory is read only');
	END LOOP;
	PERFORM vmnet_internal.comment_inventory($1);
END
$$;
COMMENT ON FUNCTION vmnet.attach_cloudstack(text, name) IS
'Makes a live inventory: a schema of that name with views over a CloudStack database, no copy
source: a schema that holds CloudStack''s tables networks, vm_instance and nics (op_networks, account, domain and data_center are used if they are there): foreign tables through mysql_fdw. Conditions on keys and numbers, on what is live, joins, counts and pages are sent to MySQL; text is compared here, exactly; addresses and times are converted here. The views run with their owner''s rights on the source: a reader needs USAGE on the schema and SELECT on them; but mysql_fdw wants a user mapping for him too, for which one FOR PUBLIC will do. Nothing is remembered: for history there is import_cloudstack(). DROP SCHEMA ... CASCADE detaches it.
Errors: 42P06 where a schema of that name exists, 22023 for a name that cannot be, or a source that is no CloudStack database.';

-- Refuses what cannot be the name or the source of a live inventory.
CREATE FUNCTION vmnet_internal.live_check(wanted text, source text)
RETURNS void
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
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
			HINT = 'See "A live CloudStack" in the README.';
	END IF;
	SELECT string_agg(format('%s.%s', vmnet_internal.import_source_table(r), c.source_column), ', ' ORDER BY r, c.ord)
	INTO missing
	FROM unnest(ARRAY['networks', 'instances', 'nics']) r,
		LATERAL vmnet_internal.import_columns(r) c
	WHERE c.needed AND vmnet_internal.import_source_type(source, vmnet_internal.import_source_table(r), c.source_column) IS NULL;
	IF missing IS NOT NULL THEN
		RAISE EXCEPTION USING
			ERRCODE = 'invalid_parameter_value',
			MESSAGE = format('schema "%s" does not hold CloudStack''s tables', source),
			DETAIL = format('It lacks: %s.', missing),
			HINT = 'The tables networks, vm_instance and nics are needed, with these columns.';
	END IF;
END
$$;
COMMENT ON FUNCTION vmnet_internal.live_check(text, text) IS
'Part of attach_cloudstack(): checks the name and the source';
