--
-- manage_inventory(): a mirror becomes a managed inventory.  Rows that the rules
-- would reject are reported first, what loses nothing is repaired on request, and
-- then the objects are made that only a managed inventory has.
--

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
	EXECUTE format('UPDATE %I.all_ip_ranges SET uuid = DEFAULT WHERE uuid IS NULL', target);
	EXECUTE format('UPDATE %I.all_ip_addresses SET uuid = DEFAULT WHERE uuid IS NULL', target);
	-- from now on NICs alone tell that they have an address: without them it can be given
	EXECUTE format('UPDATE %1$I.all_ip_addresses a SET state = ''Free'''
		' WHERE a.active AND a.state = ''Allocated'' AND NOT coalesce(a.source_nat OR a.static_nat, false) AND EXISTS ('
		'  SELECT FROM %1$I.all_nics n LEFT JOIN %1$I.all_nic_secondary_ips s ON s.nic_id = n.id AND s.active'
		'  WHERE n.network_id = a.source_network_id AND n.active'
		'   AND a.ip_address IN (n.ip4_address, n.ip6_address, s.ip4_address, s.ip6_address))', target);
	GET DIAGNOSTICS filled = ROW_COUNT;
	IF filled > 0 THEN
		done := done || format('addresses that NICs have, now Free for the time after these: %s', filled);
	END IF;
	RETURN done;
END
$$;
COMMENT ON FUNCTION vmnet_internal.manage_fill(name) IS
'Part of manage_inventory(): fills in what a managed inventory needs
Returns what to say of it.';

-- Takes away what only a mirror has, and gives what only a managed inventory
-- has, of some phases.  moved: the mirror saw NICs move from network to network,
-- or has earlier rows of ids, so the views that tell of the past stay, with the
-- index.
CREATE FUNCTION vmnet_internal.manage_build(target name, phases text[], moved boolean)
RETURNS void
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	part record;
BEGIN
	FOR part IN
		SELECT d.ddl, v.ddl AS replacing, d.object, d.comment
		FROM vmnet_internal.inventory_definition('managed', phases) d
			LEFT JOIN vmnet_internal.inventory_definition('managed', '{views}', or_replace => true) v
				ON v.phase = d.phase AND v.name = d.name
			LEFT JOIN vmnet_internal.inventory_definition('mirror', phases) m ON m.phase = d.phase AND m.ddl = d.ddl
		WHERE m.ddl IS NULL AND NOT (moved AND d.phase = 'views'
				AND d.name IN ('nic_intervals', 'network_instance_intervals', 'nic_address_intervals'))
		ORDER BY d.ord
	LOOP
		PERFORM vmnet_internal.build_object(coalesce(part.replacing, part.ddl), part.object, part.comment, target::text);
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

-- A history that ends with no state is that of an earlier row of the id; in a
-- managed inventory it ends with that of the NIC.
CREATE FUNCTION vmnet_internal.manage_history(target name)
RETURNS void
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	-- the transaction has its id before its entries have their numbers
	PERFORM pg_current_xact_id();
	EXECUTE format($q$
		INSERT INTO %1$I.nic_history (nic_id, network_id, instance_id, from_state, to_state, event, removed, at, reason,
			transaction_id, session_username, actor, application_name)
		SELECT n.id, n.network_id, n.instance_id, n.state, n.state, 'Imported', n.removed, greatest(clock_timestamp(), h.at),
			'manage_inventory: an earlier row had the id', pg_current_xact_id()::text::bigint, session_user,
			nullif(current_setting('vmnet.actor', true), ''), nullif(current_setting('application_name'), '')
		FROM %1$I.nic_history h
			JOIN %1$I.all_nics n ON n.id = h.nic_id
		WHERE h.to_state IS NULL
			AND NOT EXISTS (SELECT FROM %1$I.nic_history l WHERE l.nic_id = h.nic_id AND l.seq > h.seq)
		ORDER BY n.id$q$, target);
END
$$;
COMMENT ON FUNCTION vmnet_internal.manage_history(name) IS
'Part of manage_inventory(): closes histories that end with an earlier row of an id';

-- Drops the tables that only a mirror needs: rows that its source had no more are
-- removed ones now.  Earlier rows of ids stay, if there are any.
CREATE FUNCTION vmnet_internal.manage_drop(target name, moved boolean)
RETURNS void
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	relation text;
BEGIN
	FOREACH relation IN ARRAY ARRAY['import_vanished', 'import_states', 'former_rows', 'former_nic_intervals',
		'former_nic_addresses'] LOOP
		CONTINUE WHEN moved AND relation LIKE 'former%';
		BEGIN
			EXECUTE format('DROP TABLE IF EXISTS %I.%I', target, relation);
		EXCEPTION WHEN dependent_objects_still_exist THEN
			NULL;	-- a user's own view needs it: it stays
		END;
	END LOOP;
END
$$;
COMMENT ON FUNCTION vmnet_internal.manage_drop(name, boolean) IS
'Part of manage_inventory(): drops the tables that only a mirror needs';

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
	EXECUTE format('UPDATE %I.import_runs SET status = ''failed'', finished = $1, message = ''interrupted'' WHERE status = ''running''',
		target)
	USING clock_timestamp();
	EXECUTE format('COMMENT ON TABLE %I.import_runs IS %L', target,
		'Imports that were run while this inventory was a mirror
A record that nothing writes to any more; drop it when you like.');
	EXECUTE format('COMMENT ON TABLE %I.import_log IS %L', target,
		'What those imports could not take as it was, while this inventory was a mirror
A record that nothing writes to any more; drop it when you like.');
	PERFORM vmnet_internal.build_info(target, 'managed', NULL, 'enforce',
		(SELECT l.version FROM vmnet_internal.inventory_facts(target) l));

	FOR part IN SELECT format('%I.%I', target, 'all_' || r.relation) AS relation FROM vmnet_internal.import_relations() r ORDER BY r.ord
	LOOP
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
	EXECUTE format('SELECT EXISTS (SELECT FROM %1$I.nic_history h JOIN %1$I.all_nics n ON n.id = h.nic_id WHERE h.from_network_id IS NOT '
		'NULL) OR EXISTS (SELECT FROM %1$I.former_rows)', target)
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
	PERFORM vmnet_internal.manage_drop(target, moved);
	-- what was filled in, and the history that was written, is new to the planner
	EXECUTE format('ANALYZE %1$I.all_networks, %1$I.all_instances, %1$I.all_nics, %1$I.all_nic_secondary_ips, %1$I.nic_history', target);
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
LANGUAGE C COST 100;
COMMENT ON FUNCTION vmnet.manage_inventory(name, boolean) IS
'Makes a mirror a managed inventory, in one transaction
From then on PostgreSQL is the source of truth. It refuses while something is in the way of the rules of a managed inventory; '
'manage_blockers() lists it. repair: first it mends what loses nothing, as repair_inventory() does, with history: it finishes half-done '
'removals, removes NICs of removed instances and settles double defaults; then it refuses what is left. A half-removed NIC that is '
'younger than ten minutes is neither in the way nor mended. In either case it fills in missing uuids, default_nic (false) and enabled '
'(true) where they are NULL, adds constraints, indexes and guards, and sets the sequences. all_ip_ranges and all_ip_addresses stay; an '
'Allocated address that a live NIC has, and that is no NAT, becomes Free: NICs tell from then on who has it, and without one it can be '
'given. Nothing else is changed, and where it refuses nothing is.
import_runs and import_log stay as records. Where an import saw a NIC move to another network, or kept an earlier row of an id, so do '
'former_rows, former_nic_intervals, former_nic_addresses, nic_history_move_idx and the longer forms of the views of intervals. In all '
'else the inventory is as create_inventory() makes one. An import refuses it from then on.
Deferred constraints are checked at once from then on in the transaction. Waits for an import that is running, and for readers (no longer '
'than lock_timeout, if that is set); while it works, readers wait for it.
NULL: the setting vmnet.inventory; repair NULL: false. Only the owner can run it, at READ COMMITTED (else 0A000). Errors: 22023 for an '
'unknown inventory or one that is no mirror, 23514 with constraint manage_without_findings, which names up to five objects for each code.';
