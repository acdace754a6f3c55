--
-- A mirror becomes a managed inventory: what its rules would refuse is found
-- first, and named; what loses nothing is mended, if that is wanted; then
-- everything is made that a managed inventory has and a mirror has not.
--

-- One query over all rules of a managed inventory that can be told from rows,
-- made from the definition itself.  Columns: ord, code, object_type,
-- object_id, object_uuid, message.  Left out is what check_inventory() reports
-- under a code of its own, and what manage_fill() fills in.
CREATE FUNCTION vmnet_internal.manage_rules_query(inventory_name text)
RETURNS text
LANGUAGE sql STABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $$
WITH rule AS (
	SELECT d.ord, m.name, m.relation, m.keys, m.condition, m.missing, d.comment,
		format('%I.%I', $1, m.relation) AS relid,
		CASE m.relation WHEN 'all_nics' THEN 'nic' WHEN 'all_instances' THEN 'instance'
			WHEN 'all_nic_secondary_ips' THEN 'secondary address' ELSE 'network' END AS what
	FROM vmnet_internal.inventory_definition('managed') d
		CROSS JOIN LATERAL (
			SELECT c.m[2] AS name, c.m[1] AS relation, NULL AS keys, c.m[3] AS condition, NULL AS missing
			FROM regexp_match(d.ddl, '^ALTER TABLE %1\$I\.(\w+) ADD CONSTRAINT (\w+) CHECK \((.*)\)$') c (m)
			WHERE c.m[2] NOT IN ('nic_state_valid', 'nic_removed_is_deallocating')
			UNION ALL
			SELECT u.m[1], u.m[2], u.m[3], u.m[4], NULL
			FROM regexp_match(d.ddl, '^CREATE UNIQUE INDEX (\w+) ON %1\$I\.(\w+) \((.*)\) WHERE (.*)$') u (m)
			WHERE u.m[1] NOT IN ('all_nics_one_default', 'all_nics_one_mac', 'all_nics_one_ip4', 'all_nics_one_ip6')
			UNION ALL
			SELECT 'missing_' || n.m[1], substring(d.ddl FROM 'ALTER TABLE %1\$I\.(\w+)'), NULL, NULL, n.m[1]
			FROM regexp_matches(d.ddl, 'ALTER COLUMN (\w+) SET NOT NULL', 'g') n (m)
			WHERE n.m[1] NOT IN ('uuid', 'default_nic', 'enabled')) m
	WHERE d.phase = 'rules'
), shown AS (
	-- "strategy Start, removed NULL": the columns that the rule is about
	SELECT r.*, CASE r.what WHEN 'nic' THEN 'NIC' ELSE r.what END AS title,
		(SELECT format('concat_ws('', '', %s)', string_agg(format('%L || coalesce(r.%I::text, ''NULL'')', a.attname || ' ', a.attname), ', ' ORDER BY a.attnum))
		 FROM pg_catalog.pg_attribute a
		 WHERE a.attrelid = to_regclass(r.relid) AND a.attnum > 0
			AND a.attname = ANY (SELECT w.m[1] FROM regexp_matches(coalesce(r.keys, r.condition), '\m[a-z]\w*\M', 'g') w (m))) AS seen
	FROM rule r
)
SELECT string_agg(format('SELECT %s, %L, %L, r.id, r.uuid, ', s.ord, s.name, s.what) || CASE
	WHEN s.missing IS NOT NULL THEN format('format(''%s %%s has no %s'', r.id) FROM %s r WHERE r.%I IS NULL', s.title, s.missing, s.relid, s.missing)
	WHEN s.keys IS NULL THEN format('format(''%s %%s has %%s; rule: %%s'', r.id, %s, %L) FROM %s r WHERE NOT (%s)',
		s.title, s.seen, s.comment, s.relid, s.condition)
	ELSE format('format(''%1$s %%s has %%s, as has %1$s %%s; rule: %%s'', r.id, %2$s, CASE WHEN r.id = g.first THEN g.last ELSE g.first END, %3$L)'
		' FROM (SELECT %4$s, min(id) AS first, max(id) AS last FROM %5$s WHERE %6$s AND num_nulls(%4$s) = 0 GROUP BY %4$s HAVING count(*) > 1) g'
		' JOIN %5$s r USING (%4$s) WHERE %6$s', s.title, s.seen, s.comment, s.keys, s.relid, s.condition)
	END, ' UNION ALL ' ORDER BY s.ord, s.name)
FROM shown s
$$;
COMMENT ON FUNCTION vmnet_internal.manage_rules_query(text) IS
'Part of manage_inventory(): the query over what a managed inventory would refuse';

-- History whose last entry is not the state that the NIC has.  A row that the
-- source had lost and had again is none: manage_history() closes that.
CREATE FUNCTION vmnet_internal.manage_history_query(inventory_name text)
RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $$
SELECT format('SELECT 0, ''history_chain_broken'', ''nic'', n.id, n.uuid, format(''history of NIC %%s ends with %%s, but its state is %%s'', n.id, h.to_state, n.state)'
	' FROM (SELECT nic_id, max(seq) AS seq FROM %1$I.nic_history GROUP BY nic_id) l'
	' JOIN %1$I.nic_history h ON h.nic_id = l.nic_id AND h.seq = l.seq'
	' JOIN %1$I.all_nics n ON n.id = l.nic_id'
	' WHERE h.to_state <> n.state', $1)
$$;
COMMENT ON FUNCTION vmnet_internal.manage_history_query(text) IS
'Part of manage_inventory(): the query over histories that do not lead to a state';

-- The mends of repair_inventory() that the guards will let pass.
CREATE FUNCTION vmnet_internal.manage_mends(inventory_name name)
RETURNS TABLE (code text, remedy text, object_type text, object_id bigint)
LANGUAGE plpgsql STABLE PARALLEL RESTRICTED
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	RETURN QUERY EXECUTE format($q$
		SELECT p.code, p.remedy, p.object_type, p.object_id
		FROM vmnet_internal.repair_plan($1, NULL, '10 minutes') p
			LEFT JOIN %I.all_nics n ON p.object_type = 'nic' AND n.id = p.object_id
		WHERE p.remedy = 'default'
			OR p.remedy = 'remove' AND EXISTS (
				SELECT FROM vmnet.nic_state_transitions() t
				WHERE t.strategy = n.strategy
					AND (n.state = 'Deallocating' OR t.from_state = n.state AND t.event = 'RemoveRequested'))$q$, inventory_name)
	USING inventory_name;
END
$$;
COMMENT ON FUNCTION vmnet_internal.manage_mends(name) IS
'Part of manage_inventory(): what it mends, if that is wanted';

CREATE FUNCTION vmnet_internal.manage_blockers(inventory name)
RETURNS TABLE (
	code text,
	object_type text,
	object_id bigint,
	object_uuid uuid,
	message text,
	fix text,
	mendable boolean)
LANGUAGE plpgsql STABLE PARALLEL RESTRICTED
SET search_path = pg_catalog, pg_temp
SET jit = off
AS $$
DECLARE
	target record := vmnet_internal.check_target($1);
BEGIN
	IF target.kind <> 'mirror' THEN
		RETURN;
	END IF;
	RETURN QUERY EXECUTE format($q$
		WITH finding AS (
			SELECT row_number() OVER () AS ord, c.code, c.object_type, c.object_id, c.object_uuid, c.message, c.fix
			FROM vmnet.check_inventory($1) c
			WHERE c.severity = 'error' OR c.code IN ('removed_nic_wrong_state', 'unknown_state')
		), rule AS (%s UNION ALL %s
		), mend AS (
			SELECT m.object_type, m.object_id, m.code, m.remedy FROM vmnet_internal.manage_mends($1) m
		), blocker AS (
			SELECT 0 AS part, f.ord, f.code, f.object_type, f.object_id, f.object_uuid, f.message, f.fix FROM finding f
			UNION ALL
			SELECT 1, r.ord, r.code, r.object_type, r.object_id, r.object_uuid, r.message, NULL
			FROM rule r (ord, code, object_type, object_id, object_uuid, message)
			-- what is said of an object already is not said again
			WHERE NOT EXISTS (SELECT FROM finding f
				WHERE f.object_type = r.object_type AND f.object_id = r.object_id
					AND f.code IN (r.code, CASE r.code WHEN 'all_nics_one_device' THEN 'duplicate_device_id' END)))
		SELECT b.code, b.object_type, b.object_id, b.object_uuid, b.message, b.fix,
			EXISTS (SELECT FROM mend m WHERE m.object_type = b.object_type AND m.object_id = b.object_id
				AND (m.code = b.code OR m.remedy = 'remove' AND b.code ~ '^(half_removed|live_nic|duplicate|user_ip|all_nics_one|nic_instance_required)'))
		FROM blocker b
		ORDER BY b.part, b.ord, b.code, b.object_id$q$,
		vmnet_internal.manage_rules_query(target.name), vmnet_internal.manage_history_query(target.name))
	USING target.name::name;
END
$$;
COMMENT ON FUNCTION vmnet_internal.manage_blockers(name) IS
'Body of vmnet.manage_blockers(), run with the rights that this has switched to';

CREATE FUNCTION vmnet.manage_blockers(inventory name DEFAULT NULL)
RETURNS TABLE (
	code text,
	object_type text,
	object_id bigint,
	object_uuid uuid,
	message text,
	fix text,
	mendable boolean)
AS 'MODULE_PATHNAME', 'inventory_entry'
LANGUAGE C STABLE PARALLEL RESTRICTED;
COMMENT ON FUNCTION vmnet.manage_blockers(name) IS
'What is in the way of manage_inventory(): one row per finding and object
None where nothing is. Every error that check_inventory() finds, with its fix, which belongs to the source of the mirror; removed_nic_wrong_state and unknown_state; and what a rule of a managed inventory would refuse, under the name of the constraint, the unique index (all_nics_one_device: one device on two networks, as in a network migration, is fine in a mirror only) or as missing_vm_type and the like, with the rule in message. mendable: manage_inventory(..., true) settles it; a duplicate can also be settled by the removal of the other one.
No row for an inventory that is no mirror. NULL: the setting vmnet.inventory. Reads only, with the caller''s rights. Error: 22023 for an unknown inventory.';

-- Refuses with what is in the way: up to five objects for each code, and how
-- many there are.  about_guards: only what is said of guards, only the rest,
-- or NULL for everything.
CREATE FUNCTION vmnet_internal.manage_refuse(target name, repaired boolean, about_guards boolean)
RETURNS void
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	found record;
BEGIN
	WITH blocker AS MATERIALIZED (
		SELECT row_number() OVER () AS ord, b.*
		FROM (
			SELECT m.code, m.object_type, m.object_id, m.message, m.mendable
			FROM vmnet.manage_blockers(target) m
			WHERE about_guards IS NOT TRUE AND (about_guards IS NULL OR m.object_type <> 'inventory')
			UNION ALL
			SELECT g.code, 'inventory', NULL, g.message, false
			FROM vmnet_internal.check_guards(target, 'mirror') g
			WHERE about_guards) b
	), numbered AS (
		SELECT b.*, row_number() OVER (PARTITION BY b.code ORDER BY b.ord) AS place FROM blocker b
	), line AS (
		SELECT n.code, min(n.ord) AS ord, count(*) AS n, bool_or(n.mendable) AS mendable, min(n.object_type) AS object_type,
			string_agg(CASE n.object_type WHEN 'inventory' THEN n.message WHEN 'nic' THEN 'NIC ' || n.object_id
				ELSE n.object_type || ' ' || n.object_id END, ', ' ORDER BY n.ord) FILTER (WHERE n.place <= 5) AS named
		FROM numbered n
		GROUP BY n.code)
	SELECT sum(l.n) AS n, bool_or(l.mendable) AS mendable,
		(array_agg(l.object_type ORDER BY l.ord))[1] AS object_type,
		string_agg(format('%s (%s): %s%s.', l.code, l.n, l.named, ' and ' || nullif(greatest(l.n - 5, 0), 0) || ' more'), E'\n' ORDER BY l.ord) AS lines
	INTO found
	FROM line l;

	IF found.n > 0 THEN
		RAISE EXCEPTION USING
			ERRCODE = 'check_violation',
			CONSTRAINT = 'manage_without_findings',
			SCHEMA = target,
			TABLE = CASE found.object_type WHEN 'instance' THEN 'all_instances' WHEN 'network' THEN 'all_networks' ELSE 'all_nics' END,
			MESSAGE = format('mirror "%s" cannot become a managed inventory: %s %s in the way%s', target, found.n,
				CASE found.n WHEN 1 THEN 'finding is' ELSE 'findings are' END,
				CASE WHEN repaired THEN ', which no mend settles without loss' ELSE '' END),
			DETAIL = found.lines,
			HINT = format('Mend them at the source, and import again. All of them: SELECT * FROM vmnet.manage_blockers(%L);%s', target,
				CASE WHEN found.mendable AND NOT repaired
					THEN format(' What loses nothing is mended by: SELECT vmnet.manage_inventory(%L, true);', target)
					ELSE '' END);
	END IF;
END
$$;
COMMENT ON FUNCTION vmnet_internal.manage_refuse(name, boolean, boolean) IS
'Part of manage_inventory(): refuses with what is in the way';

-- A mirror that is the caller's, and that nobody has built upon in a way that
-- a change of its tables would not reach.
CREATE FUNCTION vmnet_internal.manage_check(target name)
RETURNS void
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	kind text;
	relation regclass;
BEGIN
	SELECT l.kind INTO kind FROM vmnet_internal.inventory_facts(target) l;
	IF kind IS DISTINCT FROM 'mirror' THEN
		RAISE EXCEPTION USING
			ERRCODE = 'invalid_parameter_value',
			MESSAGE = format('inventory "%s" is not a mirror', target),
			DETAIL = CASE WHEN kind IS NULL THEN 'Its view inventory_info does not say of which kind it is.'
				ELSE format('It is of kind %s.', kind) END,
			HINT = 'The view vmnet.inventories lists what is there.';
	END IF;

	SELECT c.oid INTO relation
	FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace s ON s.oid = c.relnamespace
	WHERE s.nspname = target AND NOT pg_has_role(c.relowner, 'USAGE')
		AND c.relname IN ('all_networks', 'all_instances', 'all_nics', 'nic_history', 'nic_address_history', 'import_runs', 'import_log', 'nic_intervals', 'inventory_info')
	ORDER BY c.relname COLLATE "C"
	LIMIT 1;
	IF FOUND THEN
		RAISE EXCEPTION USING
			ERRCODE = 'insufficient_privilege',
			SCHEMA = target,
			MESSAGE = format('must be owner of schema %s', target),
			DETAIL = format('%s belongs to somebody else.', relation),
			HINT = 'Only the owner of a mirror can make it a managed inventory.';
	END IF;

	SELECT i.inhrelid INTO relation
	FROM pg_catalog.pg_inherits i
		JOIN pg_catalog.pg_class c ON c.oid = i.inhparent
		JOIN pg_catalog.pg_namespace s ON s.oid = c.relnamespace
	WHERE s.nspname = target AND c.relname IN ('all_networks', 'all_instances', 'all_nics')
	ORDER BY i.inhrelid
	LIMIT 1;
	IF FOUND THEN
		RAISE EXCEPTION USING
			ERRCODE = 'invalid_parameter_value',
			SCHEMA = target,
			MESSAGE = format('mirror "%s" cannot become a managed inventory: other tables inherit from its tables', target),
			DETAIL = format('%s does.', relation),
			HINT = format('Detach it first: ALTER TABLE %s NO INHERIT ...;', relation);
	END IF;
END
$$;
COMMENT ON FUNCTION vmnet_internal.manage_check(name) IS
'Part of manage_inventory(): refuses what is not a mirror of the caller''s';

-- The name of the mirror, with every import into it kept out until the
-- transaction ends.
CREATE FUNCTION vmnet_internal.manage_target(wanted name)
RETURNS name
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	target name := vmnet_internal.resolve_inventory(wanted);
BEGIN
	-- With the eyes of the time before it waited, it could miss what an import
	-- has brought meanwhile.
	IF current_setting('transaction_isolation') NOT IN ('read committed', 'read uncommitted') THEN
		RAISE EXCEPTION USING
			ERRCODE = 'feature_not_supported',
			MESSAGE = 'manage_inventory() needs isolation level READ COMMITTED',
			DETAIL = format('The transaction is %s.', upper(current_setting('transaction_isolation'))),
			HINT = format('BEGIN ISOLATION LEVEL READ COMMITTED; SELECT vmnet.manage_inventory(%L); COMMIT;', target);
	END IF;
	PERFORM vmnet_internal.manage_check(target);

	-- the lock of import.c
	EXECUTE format('LOCK TABLE %I.import_runs IN SHARE UPDATE EXCLUSIVE MODE', target);
	PERFORM vmnet_internal.manage_check(target);
	RETURN target;
END
$$;
COMMENT ON FUNCTION vmnet_internal.manage_target(name) IS
'Part of manage_inventory(): checks what can be told at once, keeps imports out';

-- What the mirror lacks since its source did, and what nobody reads differently
-- afterwards.
CREATE FUNCTION vmnet_internal.manage_fill(target name)
RETURNS text[]
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	relation text;
	filled bigint;
	done text[] := '{}';
BEGIN
	FOREACH relation IN ARRAY ARRAY['network', 'instance', 'nic'] LOOP
		EXECUTE format('UPDATE %I.%I SET uuid = DEFAULT WHERE uuid IS NULL', target, 'all_' || relation || 's');
		GET DIAGNOSTICS filled = ROW_COUNT;
		IF filled > 0 THEN
			done := done || format('filled in missing uuids, %ss: %s', replace(relation, 'nic', 'NIC'), filled);
		END IF;
	END LOOP;
	-- CloudStack deletes the addresses of a removed NIC later, or never
	EXECUTE format('UPDATE %I.all_nic_secondary_ips SET uuid = DEFAULT WHERE uuid IS NULL', target);
	EXECUTE format('UPDATE %1$I.all_nic_secondary_ips s SET removed = n.removed FROM %1$I.all_nics n'
		' WHERE n.id = s.nic_id AND s.removed IS NULL AND n.removed IS NOT NULL', target);
	EXECUTE format('UPDATE %I.all_nics SET default_nic = coalesce(default_nic, false), enabled = coalesce(enabled, true)'
		' WHERE default_nic IS NULL OR enabled IS NULL', target);
	RETURN done;
END
$$;
COMMENT ON FUNCTION vmnet_internal.manage_fill(name) IS
'Part of manage_inventory(): fills in what a managed inventory needs
Returns what to say of it.';

-- Takes away what only a mirror has, and gives what only a managed inventory
-- has, of some phases.  moved: the mirror saw NICs move from network to network,
-- so the view that tells their past stays, with its index.
CREATE FUNCTION vmnet_internal.manage_build(target name, phases text[], moved boolean)
RETURNS void
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	part record;
BEGIN
	FOR part IN
		SELECT replace(d.ddl, 'CREATE VIEW ', 'CREATE OR REPLACE VIEW ') AS ddl, d.object, d.comment
		FROM vmnet_internal.inventory_definition('managed') d
			LEFT JOIN vmnet_internal.inventory_definition('mirror') m ON m.phase = d.phase AND m.ddl = d.ddl
		WHERE d.phase = ANY (phases) AND m.ddl IS NULL
			AND NOT (moved AND d.object IS NOT DISTINCT FROM 'VIEW %1$I.nic_intervals')
		ORDER BY d.ord
	LOOP
		EXECUTE format(part.ddl, target);
		IF part.object IS NOT NULL THEN
			EXECUTE format('COMMENT ON ' || part.object || ' IS %2$L', target, part.comment);
		END IF;
	END LOOP;
END
$$;
COMMENT ON FUNCTION vmnet_internal.manage_build(name, text[], boolean) IS
'Part of manage_inventory(): makes what only a managed inventory has';

-- The guards of a mirror go, known by their function.
CREATE FUNCTION vmnet_internal.manage_guards(target name)
RETURNS void
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	guard record;
BEGIN
	FOR guard IN
		SELECT t.tgname, t.tgrelid::regclass AS relation
		FROM pg_catalog.pg_trigger t
			JOIN pg_catalog.pg_class c ON c.oid = t.tgrelid
			JOIN pg_catalog.pg_namespace s ON s.oid = c.relnamespace
			JOIN pg_catalog.pg_proc p ON p.oid = t.tgfoid
		WHERE s.nspname = target AND p.proname = 'mirror_guard' AND p.pronamespace = 'vmnet_internal'::regnamespace
	LOOP
		EXECUTE format('DROP TRIGGER %I ON %s', guard.tgname, guard.relation);
	END LOOP;
END
$$;
COMMENT ON FUNCTION vmnet_internal.manage_guards(name) IS
'Part of manage_inventory(): takes the guards of a mirror away';

-- Mends, through the guards, which write them to history.
CREATE FUNCTION vmnet_internal.manage_mend(target name)
RETURNS text[]
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	old_actor text := current_setting('vmnet.actor', true);
	old_reason text := current_setting('vmnet.reason', true);
	part record;
	mended bigint;
	done text[] := '{}';
BEGIN
	FOR part IN
		SELECT m.code, m.remedy, array_agg(m.object_id ORDER BY m.object_id) AS ids
		FROM vmnet_internal.manage_mends(target) m
		GROUP BY m.code, m.remedy
		ORDER BY m.code
	LOOP
		PERFORM set_config('vmnet.reason', 'manage_inventory: ' || part.code, true),
			set_config('vmnet.actor', coalesce(nullif(old_actor, ''), session_user), true);
		IF part.remedy = 'remove' THEN
			-- not now(): an import may have been waited for since
			EXECUTE format('UPDATE %I.all_nics n SET state = ''Deallocating'', removed = $2'
				' FROM unnest($1) u (id) WHERE n.id = u.id AND n.removed IS NULL', target)
			USING part.ids, clock_timestamp();
		ELSE
			EXECUTE format('UPDATE %1$I.all_nics n SET default_nic = false'
				' FROM (SELECT DISTINCT ON (d.instance_id) d.instance_id, d.id'
				'  FROM unnest($1) u (id) JOIN %1$I.all_nics d ON d.instance_id = u.id'
				'  WHERE d.active AND d.default_nic'
				'  ORDER BY d.instance_id, d.device_id, d.id) k'
				' WHERE n.instance_id = k.instance_id AND n.active AND n.default_nic AND n.id <> k.id', target)
			USING part.ids;
		END IF;
		GET DIAGNOSTICS mended = ROW_COUNT;
		done := done || format('mended %s, NICs: %s', part.code, mended);
		PERFORM set_config('vmnet.reason', coalesce(old_reason, ''), true), set_config('vmnet.actor', coalesce(old_actor, ''), true);
	END LOOP;
	RETURN done;
END
$$;
COMMENT ON FUNCTION vmnet_internal.manage_mend(name) IS
'Part of manage_inventory(): applies the mends that lose nothing
Returns what to say of them.';

-- A row that the source had lost, and then had again, has a history that ends
-- with no state; in a managed inventory it ends with that of the NIC.
CREATE FUNCTION vmnet_internal.manage_history(target name)
RETURNS void
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	-- the transaction has its id before its entries have their numbers
	PERFORM pg_current_xact_id();
	EXECUTE format($q$
		INSERT INTO %1$I.nic_history (nic_id, network_id, instance_id, from_state, to_state, event, removed, at, reason)
		SELECT n.id, n.network_id, n.instance_id, n.state, n.state, 'Imported', n.removed, greatest(clock_timestamp(), h.at),
			'manage_inventory: the source has it again'
		FROM %1$I.nic_history h
			JOIN %1$I.all_nics n ON n.id = h.nic_id
		WHERE h.to_state IS NULL
			AND NOT EXISTS (SELECT FROM %1$I.nic_history l WHERE l.nic_id = h.nic_id AND l.seq > h.seq)
		ORDER BY n.id$q$, target);
END
$$;
COMMENT ON FUNCTION vmnet_internal.manage_history(name) IS
'Part of manage_inventory(): closes histories of NICs that were lost for a while';

-- What the inventory says of itself; and the numbers of new rows, which come
-- after all that are there.
CREATE FUNCTION vmnet_internal.manage_finish(target name)
RETURNS void
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	part record;
	sequence regclass;
BEGIN
	FOR part IN
		SELECT d.object, d.comment
		FROM vmnet_internal.inventory_definition('managed') d
			JOIN vmnet_internal.inventory_definition('mirror') m ON m.object = d.object
		WHERE m.comment <> d.comment
	LOOP
		EXECUTE format('COMMENT ON ' || part.object || ' IS %2$L', target, part.comment);
	END LOOP;
	-- an import that was killed
	EXECUTE format('UPDATE %I.import_runs SET status = ''failed'', finished = $1, message = ''interrupted'' WHERE status = ''running''', target)
	USING clock_timestamp();
	EXECUTE format('COMMENT ON TABLE %I.import_runs IS %L', target,
		'Imports that were run while this inventory was a mirror
A record that nothing writes to any more; drop it when you like.');
	EXECUTE format('COMMENT ON TABLE %I.import_log IS %L', target,
		'What those imports could not take as it was, while this inventory was a mirror
A record that nothing writes to any more; drop it when you like.');
	EXECUTE format('CREATE OR REPLACE VIEW %I.inventory_info AS SELECT %L::text AS kind, NULL::text AS source, %L::text AS mode, %L::text AS version',
		target, 'managed', 'enforce', (SELECT l.version FROM vmnet_internal.inventory_facts(target) l));

	FOR part IN SELECT format('%I.%I', target, r) AS relation FROM unnest(ARRAY['all_networks', 'all_instances', 'all_nics', 'all_nic_secondary_ips']) r LOOP
		sequence := pg_get_serial_sequence(part.relation, 'id');
		EXECUTE format('SELECT setval(%L, m.id) FROM (SELECT max(id) AS id FROM %s) m, %s s WHERE m.id >= s.last_value',
			sequence, part.relation, sequence);
	END LOOP;
END
$$;
COMMENT ON FUNCTION vmnet_internal.manage_finish(name) IS
'Part of manage_inventory(): says what the inventory is now, and sets sequences';

-- Keeps everybody out until the transaction ends.  Who waits for one table
-- holds none of the others for longer than a moment: a reader who has locked
-- some of them and wants more must not be the victim of a deadlock.
CREATE FUNCTION vmnet_internal.manage_lock(target name)
RETURNS void
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	patience text := current_setting('lock_timeout');
	started timestamptz := clock_timestamp();
BEGIN
	LOOP
		BEGIN
			PERFORM set_config('lock_timeout', '100ms', true);
			EXECUTE format('LOCK TABLE %1$I.inventory_info, %1$I.nic_intervals, %1$I.all_networks, %1$I.all_instances,'
				' %1$I.all_nics, %1$I.nic_history IN ACCESS EXCLUSIVE MODE', target);
			PERFORM set_config('lock_timeout', patience, true);
			RETURN;
		EXCEPTION WHEN lock_not_available THEN
			IF patience <> '0' AND clock_timestamp() >= started + patience::interval THEN
				RAISE;
			END IF;
			PERFORM pg_sleep(0.2);
		END;
	END LOOP;
END
$$;
COMMENT ON FUNCTION vmnet_internal.manage_lock(name) IS
'Part of manage_inventory(): waits until nobody reads, and keeps everybody out
No longer than lock_timeout, if that is set.';

CREATE FUNCTION vmnet_internal.manage_inventory(name name, repair boolean)
RETURNS void
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
-- what a policy hides must not be missed: where one does, this is an error
SET row_security = off
SET jit = off
AS $$
DECLARE
	target name := vmnet_internal.manage_target($1);
	moved boolean;
	done text[];
	line text;
BEGIN
	-- readers go on while it looks; nobody writes to a mirror but the import
	EXECUTE format('LOCK TABLE %1$I.all_networks, %1$I.all_instances, %1$I.all_nics, %1$I.nic_history IN SHARE ROW EXCLUSIVE MODE', target);
	PERFORM vmnet_internal.manage_refuse(target, false, CASE WHEN repair THEN true END);

	PERFORM vmnet_internal.manage_lock(target);
	-- a table with a trigger that has yet to fire cannot be altered
	SET CONSTRAINTS ALL IMMEDIATE;
	EXECUTE format('SELECT EXISTS (SELECT FROM %1$I.nic_history h JOIN %1$I.all_nics n ON n.id = h.nic_id WHERE h.from_network_id IS NOT NULL)', target)
	INTO moved;
	PERFORM vmnet_internal.manage_guards(target);
	done := vmnet_internal.manage_fill(target);
	PERFORM vmnet_internal.manage_build(target, ARRAY['triggers'], moved);
	IF repair THEN
		done := done || vmnet_internal.manage_mend(target);
		PERFORM vmnet_internal.manage_refuse(target, true, false);
	END IF;
	PERFORM vmnet_internal.manage_history(target);
	PERFORM vmnet_internal.manage_build(target, ARRAY['keys', 'references', 'indexes', 'rules', 'views'], moved);
	IF NOT moved THEN
		EXECUTE format('DROP INDEX IF EXISTS %I.nic_history_move_idx', target);
	END IF;
	PERFORM vmnet_internal.manage_finish(target);
	PERFORM vmnet_internal.renew_reports(target);
	FOREACH line IN ARRAY done LOOP
		RAISE NOTICE '%', line;
	END LOOP;
END
$$;
COMMENT ON FUNCTION vmnet_internal.manage_inventory(name, boolean) IS
'Body of vmnet.manage_inventory(), run with the rights that this has switched to';

CREATE FUNCTION vmnet.manage_inventory(name name, repair boolean DEFAULT false)
RETURNS void
AS 'MODULE_PATHNAME', 'inventory_entry'
LANGUAGE C;
COMMENT ON FUNCTION vmnet.manage_inventory(name, boolean) IS
'Makes a mirror a managed inventory, in one transaction
From then on PostgreSQL is the source of truth. It refuses while something is in the way of the rules of a managed inventory; manage_blockers() lists it. repair: first it mends what loses nothing, as repair_inventory() does, with history: it finishes half-done removals, removes NICs of removed instances and settles double defaults; then it refuses what is left. A half-removed NIC that is younger than ten minutes is neither in the way nor mended. In either case it fills in missing uuids, default_nic (false) and enabled (true) where they are NULL, adds constraints, indexes and guards, and sets the sequences. Nothing else is changed, and where it refuses nothing is.
import_runs and import_log stay as records; nic_history_move_idx and the longer form of the view nic_intervals do where an import saw a NIC move to another network. In all else the inventory is as create_inventory() makes one. An import refuses it from then on.
Deferred constraints are checked at once from then on in the transaction. Waits for an import that is running, and for readers (no longer than lock_timeout, if that is set); while it works, readers wait for it.
NULL: the setting vmnet.inventory; repair NULL: false. Only the owner can run it, at READ COMMITTED (else 0A000). Errors: 22023 for an unknown inventory or one that is no mirror, 23514 with constraint manage_without_findings, which names up to five objects for each code.';
