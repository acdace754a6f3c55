--
-- Steps of an import.  The procedure (src/cloudstack/import.c) calls these functions
-- one after the other; they do nothing that their caller could not do by hand.  What
-- reads the source and the stages, which are temporary tables, runs as the caller of
-- the procedure; what has the name of the mirror as an argument runs as the owner of
-- the mirror.
--

-- Opens a run.  The lock on the import is held: no other one is running.
CREATE FUNCTION vmnet_internal.import_start(source text, inventory text)
RETURNS bigint
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	run bigint;
BEGIN
	EXECUTE format('UPDATE %I.import_runs SET status = ''failed'', finished = $1, message = ''interrupted'' WHERE status = ''running''',
		inventory)
	USING clock_timestamp();
	EXECUTE format('INSERT INTO %I.import_runs (source, source_kind, lacks) VALUES ($1, $2, $3) RETURNING run', inventory)
	INTO run USING source, vmnet_internal.import_kind(source), ARRAY(
		-- of a table that is not there the id stands for all
		SELECT r.relation || '.' || p.target
		FROM vmnet_internal.import_relations() r, LATERAL vmnet_internal.import_plan(source, r.relation) p
		WHERE p.absent IS NOT NULL AND (p.target = 'id' OR vmnet_internal.import_source_type(source,
			vmnet_internal.import_source_table(vmnet_internal.import_kind(source), r.relation), 'id') IS NOT NULL)
		ORDER BY r.ord, p.ord);
	RETURN run;
END
$$;
COMMENT ON FUNCTION vmnet_internal.import_start(text, text) IS
'Part of import_cloudstack(): opens a run';

-- Says how far a run is.  progress: a table of the inventory, and how many rows
-- of it were read.
CREATE FUNCTION vmnet_internal.import_progress(run bigint, source text, inventory text, progress text)
RETURNS void
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	relation text := split_part(progress, ' ', 1);
	source_table text := vmnet_internal.import_source_table(vmnet_internal.import_kind(source), relation);
BEGIN
	EXECUTE format('UPDATE %I.import_runs SET step = $1, %I = $2 WHERE run = $3', inventory, relation || '_read')
	USING 'read ' || source_table, split_part(progress, ' ', 2)::bigint, run;
	RAISE NOTICE 'read % of %.%', vmnet_internal.counted(split_part(progress, ' ', 2)::bigint, 'row', 'rows'), source, source_table;
END
$$;
COMMENT ON FUNCTION vmnet_internal.import_progress(bigint, text, text, text) IS
'Part of import_cloudstack(): says how far a run is';

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
	EXECUTE format('LOCK TABLE %s IN SHARE ROW EXCLUSIVE MODE', (SELECT string_agg(format('%I.%I', inventory, 'all_' || r.relation), ', '
			ORDER BY r.ord) FROM vmnet_internal.import_relations() r));
	EXECUTE format('SELECT NOT EXISTS (SELECT FROM %1$I.all_networks) AND NOT EXISTS (SELECT FROM %1$I.all_instances)', inventory)
	INTO first_copy;
	IF NOT first_copy THEN
		RETURN false;
	END IF;

	FOR part IN
		SELECT o.phase, o.relation, o.name FROM vmnet_internal.inventory_objects('mirror') o
		WHERE o.phase IN ('references', 'indexes')
			OR o.sort IN ('primary key', 'unique') AND o.relation IN ('all_networks', 'all_instances', 'all_nics')
		ORDER BY o.ord DESC
	LOOP
		IF part.phase = 'indexes' THEN
			EXECUTE format('DROP INDEX IF EXISTS %I.%I', inventory, part.name);
			CONTINUE;
		END IF;
		BEGIN
			EXECUTE format('ALTER TABLE %I.%I DROP CONSTRAINT IF EXISTS %I', inventory, part.relation, part.name);
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
		SELECT d.ddl, d.object, d.name, d.comment
		FROM vmnet_internal.inventory_definition('mirror') d
		WHERE d.sort IN ('primary key', 'unique')
			AND NOT EXISTS (SELECT FROM pg_catalog.pg_constraint c
				WHERE c.connamespace = (SELECT n.oid FROM pg_catalog.pg_namespace n WHERE n.nspname = inventory)
					AND c.conname = d.name)
		ORDER BY d.ord
	LOOP
		PERFORM vmnet_internal.build_object(part.ddl, part.object, part.comment, inventory);
		EXECUTE format('COMMENT ON INDEX %I.%I IS %L', inventory, part.name, part.comment);
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
-- removals, moves to another network, rows that the source has no more or has
-- again, and the addresses that NICs had until now.  The time is that of the run,
-- and never before the last entry of the NIC, should the clock have been set back.
-- A removed row that the source has no more is what it was: no entry, unless its
-- state is changed.  deleting: such rows are deleted.
CREATE FUNCTION vmnet_internal.import_remember(run bigint, inventory text, deleting boolean)
RETURNS void
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	times record := vmnet_internal.import_run_times(inventory, run);
BEGIN
	-- The transaction has its id before its entries have their numbers, as the
	-- change feed wants it.
	PERFORM pg_current_xact_id();
	-- the last entry of a NIC whose id is that of another one now
	EXECUTE format($f$
		INSERT INTO %1$I.nic_history (nic_id, network_id, instance_id, from_state, to_state, event, removed, at,
			transaction_id, session_username, actor, reason, application_name)
		SELECT t.id, t.network_id, t.instance_id, t.state, NULL, 'Imported',
			CASE WHEN t.removed IS NULL THEN CASE WHEN s.created > $2 THEN s.created ELSE $1 END END, GREATEST($1, l.at),
			pg_current_xact_id()::text::bigint, session_user, nullif(current_setting('vmnet.actor', true), ''),
			nullif(current_setting('vmnet.reason', true), ''), nullif(current_setting('application_name'), '')
		FROM pg_temp.vmnet_import_changes c
			JOIN %1$I.all_nics t ON t.id = c.id
			JOIN pg_temp.vmnet_import_nics s ON s.id = c.id
			LEFT JOIN LATERAL (SELECT h.at FROM %1$I.nic_history h WHERE h.nic_id = t.id ORDER BY h.seq DESC LIMIT 1) l ON true
		WHERE c.relation = 'nics' AND c.kind = 'reused'
		ORDER BY t.id$f$, inventory)
	USING times.started, times.last_seen;
	PERFORM vmnet_internal.import_close(run, inventory);
	PERFORM vmnet_internal.import_note_states(run, inventory);
	EXECUTE format($f$
		INSERT INTO %1$I.nic_history (nic_id, network_id, instance_id, from_state, to_state,
			event, removed, at, from_network_id, transaction_id, session_username, actor, reason, application_name)
		SELECT c.*, pg_current_xact_id()::text::bigint, session_user, nullif(current_setting('vmnet.actor', true), ''),
			nullif(current_setting('vmnet.reason', true), ''), nullif(current_setting('application_name'), '')
		FROM (SELECT t.id, coalesce(s.network_id, t.network_id) AS network_id,
				CASE WHEN s.id IS NULL THEN t.instance_id ELSE s.instance_id END,
				t.state AS from_state, CASE WHEN s.id IS NULL AND NOT $2 THEN 'Deallocating' ELSE s.state END AS to_state, 'Imported',
				CASE WHEN s.id IS NOT NULL THEN s.removed WHEN $2 THEN coalesce(t.removed, $1)
					WHEN t.removed IS NULL THEN GREATEST($1, t.created) END,
				greatest($1, l.at),
				CASE WHEN s.network_id <> t.network_id AND k.id IS NULL THEN t.network_id END
			FROM pg_temp.vmnet_import_changes c
				JOIN %1$I.all_nics t ON t.id = c.id
				LEFT JOIN pg_temp.vmnet_import_nics s ON s.id = c.id
				LEFT JOIN pg_temp.vmnet_import_changes k ON k.relation = 'nics' AND k.kind IN ('reused', 'returned') AND k.id = c.id
				LEFT JOIN LATERAL (SELECT h.at FROM %1$I.nic_history h
					WHERE h.nic_id = t.id ORDER BY h.seq DESC LIMIT 1) l ON true
			WHERE c.relation = 'nics' AND c.kind IN ('update', 'delete') AND k.kind IS DISTINCT FROM 'reused'
				AND (s.state <> t.state OR s.network_id <> t.network_id OR s.removed IS DISTINCT FROM t.removed AND s.id IS NOT NULL
					OR s.id IS NULL AND ($2 OR t.removed IS NULL OR lower(t.state COLLATE "C") <> 'deallocating'))
			ORDER BY t.id) c$f$, inventory)
	USING times.started, deleting;
	EXECUTE format($f$
		INSERT INTO %1$I.nic_address_history (nic_id, mac_address, ip4_address, ip6_address, until)
		SELECT t.id, t.mac_address, t.ip4_address, t.ip6_address, $1
		FROM pg_temp.vmnet_import_changes c
			JOIN %1$I.all_nics t ON t.id = c.id
			JOIN pg_temp.vmnet_import_nics s ON s.id = c.id
		WHERE c.relation = 'nics' AND c.kind = 'update'
			AND (s.mac_address IS DISTINCT FROM t.mac_address
				OR s.ip4_address IS DISTINCT FROM t.ip4_address
				OR s.ip6_address IS DISTINCT FROM t.ip6_address)
			-- those of a row that ended are with it
			AND NOT EXISTS (SELECT FROM pg_temp.vmnet_import_changes k
				WHERE k.relation = 'nics' AND k.kind IN ('reused', 'returned') AND k.id = c.id)
		ORDER BY t.id$f$, inventory)
	USING times.started;
	EXECUTE format($f$
		INSERT INTO %1$I.nic_address_history (nic_id, ip4_address, ip6_address, until, secondary_ip_id)
		SELECT t.nic_id, t.ip4_address, t.ip6_address, $1, t.id
		FROM pg_temp.vmnet_import_changes c
			JOIN %1$I.all_nic_secondary_ips t ON t.id = c.id
			JOIN pg_temp.vmnet_import_nic_secondary_ips s ON s.id = c.id
		WHERE c.relation = 'nic_secondary_ips' AND c.kind = 'update'
			AND (s.ip4_address IS DISTINCT FROM t.ip4_address OR s.ip6_address IS DISTINCT FROM t.ip6_address)
			AND NOT EXISTS (SELECT FROM pg_temp.vmnet_import_changes k
				WHERE k.relation = c.relation AND k.kind IN ('reused', 'returned') AND k.id = c.id)
		ORDER BY t.id$f$, inventory)
	USING times.started;
END
$$;
COMMENT ON FUNCTION vmnet_internal.import_remember(bigint, text, boolean) IS
'Part of import_cloudstack(): writes down in history what the run is about to change';

-- Closes a run: log, sequences, source, statistics.
CREATE FUNCTION vmnet_internal.import_finish(run bigint, source text, inventory text, first_copy boolean,
	inserted bigint, updated bigint, deleted bigint, deleting boolean)
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

	IF EXISTS (SELECT FROM pg_temp.vmnet_import_changes c WHERE c.kind IN ('reused', 'returned')) THEN
		PERFORM vmnet_internal.import_split(run, inventory);
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

	FOR relation IN SELECT 'all_' || r.relation FROM vmnet_internal.import_relations() r ORDER BY r.ord LOOP
		EXECUTE format('SELECT setval(pg_get_serial_sequence(%L, ''id''), max(id)) FROM %I.%I HAVING max(id) >= 1',
			format('%I.%I', inventory, relation), inventory, relation);
		IF first_copy THEN
			EXECUTE format('ANALYZE %I.%I', inventory, relation);
		END IF;
	END LOOP;

	SELECT l.* INTO info FROM vmnet_internal.inventory_facts(inventory) l;
	IF info.source IS DISTINCT FROM source THEN
		PERFORM vmnet_internal.build_info(inventory, info.kind, source, info.mode, info.version);
	END IF;

	EXECUTE format('UPDATE %I.import_runs SET status = ''done'', step = ''done'', finished = $7, rows_inserted = $2, rows_updated = $3, '
		'rows_deleted = $4, rows_rejected = $5, values_changed = $6 WHERE run = $1', inventory)
	USING run, inserted, updated, deleted, rejected, changed, clock_timestamp();

	RAISE NOTICE 'inventory "%": % inserted, % updated, % %', inventory, vmnet_internal.counted(inserted, 'row', 'rows'), updated, deleted,
		CASE WHEN deleting THEN 'deleted' ELSE 'kept as removed' END;
	IF rejected > 0 OR changed > 0 THEN
		RAISE NOTICE '% rejected, % changed; see %', vmnet_internal.counted(rejected, 'row', 'rows'),
			vmnet_internal.counted(changed, 'value', 'values'), format('%I.import_log', inventory);
	END IF;
END
$$;
COMMENT ON FUNCTION vmnet_internal.import_finish(bigint, text, text, boolean, bigint, bigint, bigint, boolean) IS
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

CREATE PROCEDURE vmnet.import_cloudstack(source name, inventory name DEFAULT NULL, on_vanish text DEFAULT 'keep',
	force boolean DEFAULT false)
AS 'MODULE_PATHNAME', 'import_cloudstack'
LANGUAGE C;
COMMENT ON PROCEDURE vmnet.import_cloudstack(name, name, text, boolean) IS
'Makes a mirror of a CloudStack database, or brings it up to the source again
source: a schema that holds CloudStack''s tables networks, vm_instance and nics (nic_secondary_ips, op_networks, account, domain and '
'data_center are used if they are there), loaded from a dump or foreign tables. inventory: a mirror, or a name that is free; NULL: the '
'setting vmnet.inventory. Neither name is folded or unquoted.
Rows are kept as they are. A row that has no place is left out, a value that cannot be stored is changed; each is a row of import_log. '
'Reads in steps that commit, so that import_runs shows how far it is, and changes the mirror in one transaction; inside a transaction '
'block nothing commits. It never writes to the source.
on_vanish: what becomes of a row that the source has no more. keep: it stays as removed, with its past, until purge_inventory() deletes '
'it; if the source has it again, its intervals end and begin again; if its id is that of another object then, the former one stays in '
'history. delete: it is deleted, with its past; so is a former one whose id is that of another object. force: also where '
'the source lacks more than half of the live NICs, instances or networks, the last ones, '
'or all NICs of a zone, of a mirror that has more than 20 of them.
Only the owner of the mirror, or a role that has his rights, can run it. The source is read with the rights of the caller, into temporary '
'tables; the mirror is written to with those of its owner. Needs TEMPORARY on the database.
Errors: 22023 where the source is no CloudStack database, the inventory is no mirror, on_vanish is neither of the two, or (import_too_few) '
'the source lacks too much; 0A000 inside another import; 42501 for another role.';
