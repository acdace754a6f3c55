--
-- Rows that the source has no more, has again, or whose ids it has given to other
-- objects: steps of an import that run as the owner of the mirror
--

-- Part of the queries below: the start of the run, and that of the last whole run
-- before it, which saw the source as the mirror is now; NULL where no run is known.
CREATE FUNCTION vmnet_internal.import_run_times(inventory text, run bigint, OUT started timestamptz, OUT last_seen timestamptz)
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	EXECUTE format('SELECT (SELECT started FROM %1$I.import_runs WHERE run = $1),'
		' (SELECT max(started) FROM %1$I.import_runs WHERE status = ''done'' AND run < $1)', inventory)
	INTO started, last_seen USING run;
	-- without it nothing is known of the time before the run
	last_seen := coalesce(last_seen, started);
END
$$;
COMMENT ON FUNCTION vmnet_internal.import_run_times(text, bigint) IS
'Part of import_cloudstack(): when a run started, and the last whole one before it';

-- Zones of which the source has no NIC any more, although it had more than 20 live
-- ones: it is a part of what it was.  relation: the table of the inventory whose
-- rows are missing; NICs without their networks or instances are lost with these.
CREATE FUNCTION vmnet_internal.import_lost_zones(inventory text)
RETURNS TABLE (relation text, lacks text, found text)
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	RETURN QUERY EXECUTE format($f$
		SELECT CASE WHEN count(m.id) = count(*) THEN 'networks' WHEN count(i.id) = count(n.instance_id) THEN 'instances' ELSE 'nics' END,
			format('all live NICs of zone %%s', w.zone_id),
			format('%%s of %%1$s live rows of %%s.all_nics in zone %%s%%s', count(*), $1, w.zone_id, ' (' || min(w.zone_name) || ')')
		FROM %1$I.all_nics n
			JOIN %1$I.all_networks w ON w.id = n.network_id AND w.zone_id IS NOT NULL
			LEFT JOIN pg_temp.vmnet_import_changes l ON l.relation = 'nics' AND l.kind = 'delete' AND l.id = n.id
			LEFT JOIN pg_temp.vmnet_import_changes m ON m.relation = 'networks' AND m.kind = 'delete' AND m.id = n.network_id
			LEFT JOIN pg_temp.vmnet_import_changes i ON i.relation = 'instances' AND i.kind = 'delete' AND i.id = n.instance_id
		WHERE n.active AND (SELECT count(*) FROM pg_temp.vmnet_import_changes c WHERE c.relation = 'nics' AND c.kind = 'delete') > 20
		GROUP BY w.zone_id
		HAVING count(*) > 20 AND count(l.id) = count(*)
		ORDER BY w.zone_id$f$, inventory) USING quote_ident(inventory);
END
$$;
COMMENT ON FUNCTION vmnet_internal.import_lost_zones(text) IS
'Part of import_cloudstack(): zones of which the source has no NIC any more';

-- How many live NICs an import loses with their networks, or with their instances.
CREATE FUNCTION vmnet_internal.import_lost_with(inventory text, relation text)
RETURNS bigint
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	nics bigint;
BEGIN
	EXECUTE format('SELECT count(*) FROM pg_temp.vmnet_import_changes c JOIN %I.all_nics n ON n.id = c.id AND n.active'
		' JOIN pg_temp.vmnet_import_changes m ON m.relation = $1 AND m.kind = ''delete'' AND m.id = n.%I'
		' WHERE c.relation = ''nics'' AND c.kind = ''delete''', inventory,
		CASE relation WHEN 'networks' THEN 'network_id' ELSE 'instance_id' END)
	INTO nics USING relation;
	RETURN nics;
END
$$;
COMMENT ON FUNCTION vmnet_internal.import_lost_with(text, text) IS
'Part of import_cloudstack(): how many live NICs it loses with their networks or instances';

-- Refuses an import that would lose most of the mirror, the end of one of its tables
-- or a zone: a source that is empty, cut off or exported in part is more likely than
-- one that lost the rows.  Few rows, unless
-- these are the last networks or instances and have many NICs, and mirrors of few
-- rows do not count.
CREATE FUNCTION vmnet_internal.import_refuse_few(inventory text, source text, deleting boolean)
RETURNS void
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	relation text;
	first text;
	lacks text;
	lost bigint;
	live bigint;
	at_end boolean;
	counts text[] := '{}';
BEGIN
	-- NICs of instances and networks that are not there are lost, too
	FOREACH relation IN ARRAY ARRAY['networks', 'instances', 'nics'] LOOP
		EXECUTE format($f$
			SELECT count(*), min(t.id) > (SELECT max(s.id) FROM pg_temp.%3$I s)
			FROM pg_temp.vmnet_import_changes c JOIN %1$I.%2$I t ON t.id = c.id AND t.active
			WHERE c.relation = $1 AND c.kind = 'delete'$f$, inventory, 'all_' || relation, 'vmnet_import_' || relation)
		INTO lost, at_end USING relation;
		CONTINUE WHEN lost <= 10 AND (at_end AND lost > 2 AND relation <> 'nics'
			AND vmnet_internal.import_lost_with(inventory, relation) > 10) IS NOT TRUE;
		EXECUTE format('SELECT count(*) FROM %I.%I t WHERE t.active', inventory, 'all_' || relation) INTO live;
		CONTINUE WHEN live <= 20;
		IF 2 * lost > live OR at_end THEN
			lacks := coalesce(lacks, CASE WHEN 2 * lost > live THEN 'more than half of the live ' ELSE 'the last live ' END
				|| replace(relation, 'nics', 'NICs'));
			first := coalesce(first, relation);
			counts := counts || format('%s of %s live rows of %I.%I%s', lost, live, inventory, 'all_' || relation,
				CASE WHEN at_end THEN ' (the last ones)' ELSE '' END);
		END IF;
	END LOOP;
	IF first IS NULL THEN
		SELECT p.relation, p.lacks, ARRAY[p.found] INTO first, lacks, counts
		FROM vmnet_internal.import_lost_zones(inventory) p LIMIT 1;
	END IF;
	IF first IS NOT NULL THEN
		RAISE EXCEPTION USING
			ERRCODE = 'invalid_parameter_value', SCHEMA = inventory, TABLE = 'all_' || first, CONSTRAINT = 'import_too_few',
			MESSAGE = format('source "%s" lacks %s of mirror "%s"', source, lacks, inventory),
			DETAIL = format('It lacks %s.', array_to_string(counts, ', ')),
			HINT = format('Nothing was changed. If they are gone: CALL vmnet.import_cloudstack(%L, %L, %sforce => true);', source,
				inventory, CASE WHEN deleting THEN 'on_vanish => ''delete'', ' ELSE '' END);
	END IF;
END
$$;
COMMENT ON FUNCTION vmnet_internal.import_refuse_few(text, text, boolean) IS
'Part of import_cloudstack(): refuses a source that lacks most of what the mirror has';

-- Adds to the changes which rows are other objects than those that had their ids
-- (reused), and which the source has again after a gap (returned).  A row that it
-- says was removed before the mirror missed it has no gap.  A NIC that belongs to
-- another instance counts as returned, too: until then it was that of the former
-- one; so does an address that another NIC has.  A time or a uuid that is not
-- known differs from none.
CREATE FUNCTION vmnet_internal.import_compare(source text, inventory text)
RETURNS void
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	kind text := vmnet_internal.import_kind(source);
	relation text;
	unknown CONSTANT timestamptz := '1970-01-01 00:00:00+00';
BEGIN
	FOREACH relation IN ARRAY ARRAY['networks', 'instances', 'nics', 'nic_secondary_ips'] LOOP
		EXECUTE format($f$
			WITH pairs AS MATERIALIZED (
				SELECT s.id, coalesce(v.uuid, t.uuid) AS uuid, s.uuid AS new_uuid, t.created, s.created AS new_created,
					coalesce(coalesce(v.uuid, t.uuid) <> s.uuid, false) AS other_uuid,
					s.created <> t.created AND s.created <> $2 AND t.created <> $2 AS other_created,
					%4$s AS is_back
				-- the source has no time of removal of an address: one that is back need not differ
				FROM (SELECT c.id FROM pg_temp.vmnet_import_changes c WHERE c.relation = $1 AND c.kind = 'update'
						UNION SELECT r.id FROM %1$I.import_vanished r WHERE r.relation = $1) c
					JOIN %1$I.%2$I t ON t.id = c.id
					JOIN pg_temp.%3$I s ON s.id = c.id
					LEFT JOIN %1$I.import_vanished v ON v.relation = $1 AND v.id = c.id
			), logged AS (
				INSERT INTO pg_temp.vmnet_import_log
				SELECT $3, p.id::text, CASE WHEN p.other_uuid THEN 'uuid' ELSE 'created' END,
					CASE WHEN p.other_uuid THEN p.new_uuid::text
						ELSE to_char(p.new_created AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI:SS') END,
					'reused', format('another row had the id before: %%s', CASE WHEN p.other_uuid THEN 'uuid ' || p.uuid
						ELSE 'created ' || to_char(p.created AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI:SS') END)
				FROM pairs p
				WHERE p.other_uuid OR p.other_created
			)
			INSERT INTO pg_temp.vmnet_import_changes (relation, id, kind)
			SELECT $1, p.id, CASE WHEN p.other_uuid OR p.other_created THEN 'reused' ELSE 'returned' END
			FROM pairs p
			WHERE p.other_uuid OR p.other_created OR p.is_back$f$, inventory, 'all_' || relation, 'vmnet_import_' || relation,
			CASE relation WHEN 'nic_secondary_ips' THEN 'v.id IS NOT NULL OR s.nic_id <> t.nic_id'
				ELSE 'v.id IS NOT NULL AND (s.removed IS NULL OR s.removed > t.removed)' END
				|| CASE relation WHEN 'nics' THEN ' OR s.instance_id IS DISTINCT FROM t.instance_id' ELSE '' END)
		USING relation, unknown, vmnet_internal.import_source_table(kind, relation);
	END LOOP;
END
$$;
COMMENT ON FUNCTION vmnet_internal.import_compare(text, text) IS
'Part of import_cloudstack(): which rows are back, and which ids belong to other objects';

-- Copies the past of rows that end with this run, since their ids are those of
-- other objects or they come back after a gap, and of NICs whose network or
-- instance ends so: then each interval has one network and one instance.
-- until: when the row of now began.  Where it is another object, the source says it,
-- unless the mirror has seen the former one, or its absence, after that time.  Else
-- it is the time of the run for NICs; networks and instances began as soon as they
-- can have: NICs that came with them may be older than the run.
CREATE FUNCTION vmnet_internal.import_close(run bigint, inventory text)
RETURNS void
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	times record := vmnet_internal.import_run_times(inventory, run);
	relation text;
BEGIN
	IF NOT EXISTS (SELECT FROM pg_temp.vmnet_import_changes c WHERE c.kind IN ('reused', 'returned')) THEN RETURN; END IF;
	FOREACH relation IN ARRAY ARRAY['networks', 'instances'] LOOP
		EXECUTE format($f$
			INSERT INTO %1$I.former_rows (relation, id, uuid, name, type, state, created, removed, until, reused, seq, run)
			SELECT $1, t.id, coalesce(v.uuid, t.uuid), t.name, t.%4$I, t.state, t.created,
				CASE WHEN c.kind = 'reused' THEN LEAST(t.removed, u.until) ELSE t.removed END, u.until, c.kind = 'reused', 0, $3
			FROM pg_temp.vmnet_import_changes c
				JOIN %1$I.%2$I t ON t.id = c.id
				JOIN pg_temp.%3$I s ON s.id = c.id
				LEFT JOIN %1$I.import_vanished v ON v.relation = $1 AND v.id = c.id
				CROSS JOIN LATERAL (SELECT GREATEST(t.removed, CASE WHEN c.kind = 'reused' AND s.created > $2 THEN s.created
					ELSE $2 + interval '1 microsecond' END)) u (until)
			WHERE c.relation = $1 AND c.kind IN ('reused', 'returned')
			ORDER BY t.id$f$, inventory, 'all_' || relation, 'vmnet_import_' || relation,
			CASE relation WHEN 'instances' THEN 'type' ELSE 'guest_type' END)
		USING relation, times.last_seen, run;
	END LOOP;
	-- all parts see the views as they were before it
	EXECUTE format($f$
		WITH ending AS (
			SELECT c.id, true AS ends, c.kind = 'reused' AS reused
			FROM pg_temp.vmnet_import_changes c
			WHERE c.relation = 'nics' AND c.kind IN ('reused', 'returned')
			UNION ALL
			SELECT n.id, false, false
			FROM %1$I.former_rows p
				JOIN %1$I.all_nics n ON n.instance_id = p.id
			WHERE p.run = $1 AND p.relation = 'instances' AND n.active
			UNION ALL
			SELECT n.id, false, false
			FROM %1$I.former_rows p
				JOIN %1$I.all_nics n ON n.network_id = p.id
			WHERE p.run = $1 AND p.relation = 'networks' AND n.active
		), closed AS (
			INSERT INTO %1$I.former_rows (relation, id, uuid, type, state, network_id, instance_id, created, removed, until, reused,
				seq, run)
			SELECT DISTINCT ON (t.id) 'nics', t.id, coalesce(v.uuid, t.uuid), t.vm_type, t.state, t.network_id, t.instance_id, t.created,
				CASE WHEN e.reused THEN coalesce(t.removed, u.until) ELSE t.removed END, u.until, e.reused, coalesce(l.seq, 0), $1
			FROM ending e
				JOIN %1$I.all_nics t ON t.id = e.id
				JOIN pg_temp.vmnet_import_nics s ON s.id = e.id
				LEFT JOIN %1$I.import_vanished v ON v.relation = 'nics' AND v.id = e.id
				LEFT JOIN LATERAL (SELECT h.seq FROM %1$I.nic_history h WHERE h.nic_id = e.id ORDER BY h.seq DESC LIMIT 1) l ON true
				CROSS JOIN LATERAL (SELECT CASE WHEN e.reused THEN GREATEST(CASE WHEN s.created > $3 THEN s.created ELSE $2 END, t.removed)
					WHEN e.ends THEN GREATEST($2, t.removed)
					ELSE GREATEST(t.created, (SELECT max(p.until) FROM %1$I.former_rows p WHERE p.run = $1
						AND (p.relation = 'instances' AND p.id = t.instance_id OR p.relation = 'networks' AND p.id = t.network_id))) END)
					u (until)
			ORDER BY t.id, e.ends DESC
			RETURNING id, until
		), began AS (
			SELECT c.id, c.until, (SELECT max(f.until) FROM %1$I.former_rows f WHERE f.relation = 'nics' AND f.id = c.id) AS since
			FROM closed c
		), networks AS (
			INSERT INTO %1$I.former_nic_intervals (nic_id, network_id, instance_id, "from", "to")
			SELECT i.nic_id, i.network_id, i.instance_id, i."from", LEAST(i."to", b.until)
			FROM %1$I.nic_intervals i JOIN began b ON b.id = i.nic_id
			WHERE LEAST(i."to", b.until) > i."from" AND (b.since IS NULL OR i."from" >= b.since)
			ORDER BY i.nic_id, i."from"
		)
		INSERT INTO %1$I.former_nic_addresses (nic_id, mac_address, ip4_address, ip6_address, "from", "to")
		SELECT i.nic_id, i.mac_address, i.ip4_address, i.ip6_address, i."from", LEAST(i."to", b.until)
		FROM %1$I.nic_address_intervals i JOIN began b ON b.id = i.nic_id AND i.kind = 'nic'
		WHERE LEAST(i."to", b.until) > i."from" AND (b.since IS NULL OR i."from" >= b.since)
		ORDER BY i.nic_id, i."from"$f$, inventory) USING run, times.started, times.last_seen;
	EXECUTE format('DELETE FROM %1$I.nic_address_history a USING %1$I.former_rows f'
		' WHERE f.run = $1 AND f.relation = ''nics'' AND a.nic_id = f.id AND a.secondary_ip_id IS NULL', inventory) USING run;
	PERFORM vmnet_internal.import_close_secondary(run, inventory);
END
$$;
COMMENT ON FUNCTION vmnet_internal.import_close(bigint, text) IS
'Part of import_cloudstack(): copies the past of rows that end with the run';

-- The same of secondary addresses.  What they had while their NIC was not there is
-- left out by those who ask, with the intervals of the NIC.
CREATE FUNCTION vmnet_internal.import_close_secondary(run bigint, inventory text)
RETURNS void
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	times record := vmnet_internal.import_run_times(inventory, run);
BEGIN
	EXECUTE format($f$
		WITH closed AS (
			INSERT INTO %1$I.former_rows (relation, id, uuid, network_id, created, removed, until, reused, seq, run)
			SELECT 'nic_secondary_ips', t.id, coalesce(v.uuid, t.uuid), t.network_id, t.created,
				CASE WHEN c.kind = 'reused' THEN coalesce(t.removed, u.until) ELSE t.removed END, u.until, c.kind = 'reused', 0, $1
			FROM pg_temp.vmnet_import_changes c
				JOIN %1$I.all_nic_secondary_ips t ON t.id = c.id
				JOIN pg_temp.vmnet_import_nic_secondary_ips s ON s.id = c.id
				LEFT JOIN %1$I.import_vanished v ON v.relation = 'nic_secondary_ips' AND v.id = c.id
				CROSS JOIN LATERAL (SELECT GREATEST(t.removed, CASE WHEN c.kind = 'reused' AND s.created > $3 THEN s.created
					ELSE $2 END)) u (until)
			WHERE c.relation = 'nic_secondary_ips' AND c.kind IN ('reused', 'returned')
			ORDER BY t.id
			RETURNING id, until
		), began AS (
			SELECT c.id, c.until, (SELECT max(f.until) FROM %1$I.former_rows f
				WHERE f.relation = 'nic_secondary_ips' AND f.id = c.id) AS since
			FROM closed c
		)
		INSERT INTO %1$I.former_nic_addresses (nic_id, ip4_address, ip6_address, "from", "to", secondary_ip_id)
		SELECT i.nic_id, i.ip4_address, i.ip6_address, i."from", LEAST(i."to", b.until), b.id
		FROM %1$I.nic_address_intervals i JOIN began b ON b.id = i.secondary_ip_id
		WHERE LEAST(i."to", b.until) > i."from" AND (b.since IS NULL OR i."from" >= b.since)
		ORDER BY b.id, i."from"$f$, inventory) USING run, times.started, times.last_seen;
	EXECUTE format('DELETE FROM %1$I.nic_address_history a USING %1$I.former_rows f, %1$I.all_nic_secondary_ips t'
		' WHERE f.run = $1 AND f.relation = ''nic_secondary_ips'' AND t.id = f.id'
		' AND a.nic_id = t.nic_id AND a.secondary_ip_id = t.id', inventory) USING run;
END
$$;
COMMENT ON FUNCTION vmnet_internal.import_close_secondary(bigint, text) IS
'Part of import_cloudstack(): copies the past of secondary addresses that end with the run';

-- After the rows are written: a NIC that the mirror has never seen may be older
-- than the network or instance that came under the id of a former one in this run.
-- Until that began it was that of the former one.
CREATE FUNCTION vmnet_internal.import_split(run bigint, inventory text)
RETURNS void
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	EXECUTE format($f$
		WITH parents AS (
			SELECT n.id, p.until FROM %1$I.former_rows p JOIN %1$I.all_nics n ON n.instance_id = p.id
			WHERE p.run = $1 AND p.relation = 'instances'
			UNION ALL
			SELECT n.id, p.until FROM %1$I.former_rows p JOIN %1$I.all_nics n ON n.network_id = p.id
			WHERE p.run = $1 AND p.relation = 'networks'
		), split AS (
			SELECT n.*, p.until, coalesce(f.until, n.created) AS began, coalesce(f.seq, 0) AS seq
			FROM (SELECT id, max(until) AS until FROM parents GROUP BY id) p
				JOIN %1$I.all_nics n ON n.id = p.id
				LEFT JOIN LATERAL (SELECT r.until, r.seq FROM %1$I.former_rows r WHERE r.relation = 'nics' AND r.id = n.id
					ORDER BY r.until DESC LIMIT 1) f ON true
			WHERE coalesce(f.until, n.created) < p.until AND (n.ended IS NULL OR n.ended > p.until)
				AND EXISTS (SELECT FROM pg_temp.vmnet_import_changes c
					WHERE c.relation = 'nics' AND c.id = n.id AND c.kind IN ('insert', 'reused', 'returned'))
		), closed AS (
			INSERT INTO %1$I.former_rows (relation, id, uuid, type, state, network_id, instance_id, created, until, reused, seq, run)
			SELECT 'nics', s.id, s.uuid, s.vm_type, s.state, s.network_id, s.instance_id, s.created, s.until, false, s.seq, $1
			FROM split s
		), networks AS (
			INSERT INTO %1$I.former_nic_intervals (nic_id, network_id, instance_id, "from", "to")
			SELECT s.id, s.network_id, s.instance_id, s.began, s.until FROM split s
		)
		INSERT INTO %1$I.former_nic_addresses (nic_id, mac_address, ip4_address, ip6_address, "from", "to")
		SELECT s.id, s.mac_address, s.ip4_address, s.ip6_address, s.began, s.until FROM split s$f$, inventory)
	USING run;
END
$$;
COMMENT ON FUNCTION vmnet_internal.import_split(bigint, text) IS
'Part of import_cloudstack(): gives NICs that are older than their networks and instances to the former ones until these began';

-- Deletes the past of rows that are deleted, or whose ids belong to other objects
-- now: those are no more either.  A NIC that goes on keeps the end of its time on a
-- network or an instance that is no more, but not that time.
CREATE FUNCTION vmnet_internal.import_forget(run bigint, inventory text)
RETURNS void
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	relation text;
BEGIN
	EXECUTE format('DELETE FROM %I.import_vanished v USING pg_temp.vmnet_import_changes c'
		' WHERE c.kind = ''delete'' AND v.relation = c.relation AND v.id = c.id', inventory);
	EXECUTE format($f$
		DELETE FROM %1$I.former_nic_addresses a
		USING %1$I.former_rows f, pg_temp.vmnet_import_changes c
		WHERE f.run = $1 AND f.relation = 'nics' AND a.nic_id = f.id AND c.kind = 'reused'
			AND (c.relation = 'instances' AND c.id = f.instance_id OR c.relation = 'networks' AND c.id = f.network_id)$f$, inventory)
	USING run;
	EXECUTE format($f$
		DELETE FROM %1$I.former_nic_intervals i
		USING pg_temp.vmnet_import_changes c
		WHERE c.kind = 'reused'
			AND (c.relation = 'instances' AND c.id = i.instance_id OR c.relation = 'networks' AND c.id = i.network_id)$f$, inventory);
	EXECUTE format('DELETE FROM %I.former_rows f USING pg_temp.vmnet_import_changes c'
		' WHERE c.kind IN (''delete'', ''reused'') AND f.relation = c.relation AND f.id = c.id', inventory);
	FOREACH relation IN ARRAY ARRAY['nic_address_history', 'former_nic_intervals', 'former_nic_addresses'] LOOP
		EXECUTE format('DELETE FROM %I.%I a USING pg_temp.vmnet_import_changes c'
			' WHERE c.relation = ''nics'' AND c.kind IN (''delete'', ''reused'') AND a.nic_id = c.id', inventory, relation);
	END LOOP;
	FOREACH relation IN ARRAY ARRAY['nic_address_history', 'former_nic_addresses'] LOOP
		EXECUTE format('DELETE FROM %I.%I a USING pg_temp.vmnet_import_changes c'
			' WHERE c.relation = ''nic_secondary_ips'' AND c.kind IN (''delete'', ''reused'') AND a.secondary_ip_id = c.id',
			inventory, relation);
	END LOOP;
	-- for those who read the feed, the last entry of a deleted NIC stays until its id is used again
	EXECUTE format('DELETE FROM %I.nic_history h USING pg_temp.vmnet_import_changes c'
		' WHERE c.relation = ''nics'' AND c.kind = ''reused'' AND h.nic_id = c.id', inventory);
END
$$;
COMMENT ON FUNCTION vmnet_internal.import_forget(bigint, text) IS
'Part of import_cloudstack(): deletes the past of rows that are deleted, and of those whose ids belong to other objects';

-- A NIC that is new to the mirror may have the id of one of which only history is
-- left, after it was deleted or purged.  That history ends before the NIC begins,
-- or, where rows are deleted with their past, goes.
CREATE FUNCTION vmnet_internal.import_bound(run bigint, inventory text, deleting boolean)
RETURNS void
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	IF deleting THEN
		EXECUTE format('DELETE FROM %I.nic_history h USING pg_temp.vmnet_import_changes c'
			' WHERE c.relation = ''nics'' AND c.kind = ''insert'' AND h.nic_id = c.id', inventory);
		RETURN;
	END IF;
	EXECUTE format($f$
		INSERT INTO %1$I.former_rows (relation, id, state, network_id, instance_id, created, removed, until, reused, seq, run)
		SELECT 'nics', c.id, coalesce(l.to_state, l.from_state), l.network_id, l.instance_id, f.at, coalesce(l.removed, l.at),
			GREATEST(l.at, l.removed, s.created), true, l.seq, $1
		FROM pg_temp.vmnet_import_changes c
			JOIN pg_temp.vmnet_import_nics s ON s.id = c.id
			CROSS JOIN LATERAL (SELECT h.* FROM %1$I.nic_history h WHERE h.nic_id = c.id ORDER BY h.seq DESC LIMIT 1) l
			CROSS JOIN LATERAL (SELECT h.at FROM %1$I.nic_history h WHERE h.nic_id = c.id ORDER BY h.seq LIMIT 1) f
		WHERE c.relation = 'nics' AND c.kind = 'insert'
		ORDER BY c.id$f$, inventory)
	USING run;
END
$$;
COMMENT ON FUNCTION vmnet_internal.import_bound(bigint, text, boolean) IS
'Part of import_cloudstack(): keeps a new NIC apart from the history that is left of a former one with its id';

-- Writes down which rows the source has no more, and which it has again; logs the
-- uuids that it has given to other rows.  Returns the number of rows that it has
-- no more.  deleting: they are deleted with all that is known of their ids.
CREATE FUNCTION vmnet_internal.import_keep(run bigint, source text, inventory text, deleting boolean)
RETURNS bigint
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	kind text := vmnet_internal.import_kind(source);
	relation text;
	had_some boolean;
	missed bigint := 0;
	n bigint;
BEGIN
	EXECUTE format('SELECT EXISTS (SELECT FROM %I.import_vanished)', inventory) INTO had_some;
	FOR relation IN SELECT r.relation FROM vmnet_internal.import_relations() r ORDER BY r.ord LOOP
		IF had_some THEN
			EXECUTE format('DELETE FROM %I.import_vanished v USING pg_temp.%I s WHERE v.relation = $1 AND v.id = s.id', inventory,
				'vmnet_import_' || relation)
			USING relation;
		END IF;
		CONTINUE WHEN deleting;
		EXECUTE format('INSERT INTO %1$I.import_vanished (relation, id, uuid, vanished)'
			' SELECT $1, t.id, t.uuid, (SELECT r.started FROM %1$I.import_runs r WHERE r.run = $2)'
			' FROM pg_temp.vmnet_import_changes c JOIN %1$I.%2$I t ON t.id = c.id WHERE c.relation = $1 AND c.kind = ''delete''',
			inventory, 'all_' || relation)
		USING relation, run;
		GET DIAGNOSTICS n = ROW_COUNT;
		missed := missed + n;
		CONTINUE WHEN n = 0 AND NOT had_some;
		EXECUTE format($f$
			INSERT INTO pg_temp.vmnet_import_log
			SELECT $2, v.id::text, 'uuid', t.uuid::text, 'changed',
				format('the source has no such row any more, and gives its uuid to row %%s; stored as NULL', s.id)
			FROM %1$I.import_vanished v
				JOIN %1$I.%2$I t ON t.id = v.id
				JOIN pg_temp.%3$I s ON s.uuid = t.uuid
			WHERE v.relation = $1$f$, inventory, 'all_' || relation, 'vmnet_import_' || relation)
		USING relation, vmnet_internal.import_source_table(kind, relation);
	END LOOP;
	IF deleting AND EXISTS (SELECT FROM pg_temp.vmnet_import_changes c WHERE c.kind IN ('delete', 'reused')) THEN
		PERFORM vmnet_internal.import_forget(run, inventory);
	END IF;
	PERFORM vmnet_internal.import_bound(run, inventory, deleting);
	RETURN missed;
END
$$;
COMMENT ON FUNCTION vmnet_internal.import_keep(bigint, text, text, boolean) IS
'Part of import_cloudstack(): writes down which rows the source has no more, and which it has again';
