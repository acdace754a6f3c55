--
-- Before a critical operation: what is known of a network or an instance, as
-- questions with a verdict each.  They only read, with the rights of the owner of
-- the inventory where the caller has these.
--
-- A verdict is go, look or stop.  An id that means nothing is stop; what was not
-- observed is said, and is go, since an inventory need not have observers.

-- What of an inventory decides about one network or instance ($6), as CTEs that
-- stand for its tables in the queries of checks(): NICs that share a network or an
-- instance with it, and their instances, networks and entries of history.
CREATE FUNCTION vmnet_internal.preflight_near(what text, has_history boolean)
RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $$
SELECT CASE $1 WHEN 'network' THEN $q$
WITH near_nics AS MATERIALIZED (
	SELECT n.* FROM {inv}.all_nics n WHERE n.network_id = $6
	UNION ALL
	SELECT n.* FROM {inv}.all_nics n
	WHERE n.network_id <> $6 AND n.instance_id IN (
		SELECT o.instance_id FROM {inv}.all_nics o
		WHERE o.network_id = $6 AND o.removed IS NULL AND (o.active OR NOT o.active))),
$q$ ELSE $q$
WITH near_nics AS MATERIALIZED (
	SELECT n.* FROM {inv}.all_nics n WHERE n.instance_id = $6
	UNION ALL
	SELECT n.* FROM {inv}.all_nics n
	WHERE n.instance_id IS DISTINCT FROM $6 AND n.active AND n.network_id IN (
		SELECT o.network_id FROM {inv}.all_nics o WHERE o.instance_id = $6 AND o.removed IS NULL)),
$q$ END || format($q$near_instances AS MATERIALIZED (
	SELECT i.* FROM {inv}.all_instances i WHERE i.id IN (SELECT n.instance_id FROM near_nics n%s)),
near_networks AS MATERIALIZED (
	SELECT w.* FROM {inv}.all_networks w WHERE w.id IN (SELECT n.network_id FROM near_nics n%s))$q$,
	CASE $1 WHEN 'instance' THEN ' UNION ALL SELECT $6' END, CASE $1 WHEN 'network' THEN ' UNION ALL SELECT $6' END)
	|| CASE WHEN $2 THEN $q$,
near_history AS MATERIALIZED (
	SELECT h.* FROM {inv}.nic_history h WHERE h.nic_id IN (SELECT n.id FROM near_nics n))
$q$ ELSE '' END
$$;
COMMENT ON FUNCTION vmnet_internal.preflight_near(text, boolean) IS
'Part of network_preflight(): the rows that a check of one network or instance has to read';

-- Which findings f are about the network or instance ($6), or the inventory itself.
CREATE FUNCTION vmnet_internal.preflight_about(what text)
RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $$
SELECT $q$f.object_type = 'inventory' OR f.object_type = $q$ || quote_literal($1) || $q$ AND f.object_id = $6
	OR f.object_type = 'nic' AND EXISTS (
		SELECT FROM near_nics n WHERE n.id = f.object_id AND n.{own} = $6)
	OR f.object_type = 'instance' AND $q$ || CASE $1 WHEN 'network' THEN $q$EXISTS (
		SELECT FROM near_nics n WHERE n.instance_id = f.object_id AND n.network_id = $6 AND n.removed IS NULL)
	OR f.object_type = 'address' AND EXISTS (
		SELECT FROM {inv}.all_ip_addresses a WHERE a.id = f.object_id AND a.source_network_id = $6)$q$
	ELSE $q$false
	OR f.object_type = 'address' AND EXISTS (
		SELECT FROM {inv}.all_ip_addresses a WHERE a.id = f.object_id AND (a.instance_id = $6 OR EXISTS (
			SELECT FROM near_nics n WHERE n.instance_id = $6 AND n.active AND n.network_id = a.source_network_id
				AND n.ip4_address = a.ip_address)))$q$ END
$$;
COMMENT ON FUNCTION vmnet_internal.preflight_about(text) IS
'Part of network_preflight(): the condition that a finding is about the network or the instance';

-- Findings of check_inventory() about one network or instance, with the question
-- that each of them is an answer to.
CREATE FUNCTION vmnet_internal.preflight_findings(what text, id bigint, inventory text, kind text, source text)
RETURNS TABLE (question text, code text, severity text, message text, fix text, accepted text)
LANGUAGE plpgsql STABLE PARALLEL RESTRICTED
SET search_path = pg_catalog, pg_temp
SET jit = off
SET max_parallel_workers_per_gather = 0
AS $$
DECLARE
	has_history boolean := to_regclass(format('%I.nic_history', inventory)) IS NOT NULL;
	-- what was observed is a question of its own
	found text := vmnet_internal.check_all_query(inventory,
		ARRAY(SELECT c.code FROM vmnet_internal.checks() c WHERE c.needs IS DISTINCT FROM 'reality'));
	shown record := vmnet_internal.check_output(kind, source);
BEGIN
	found := replace(replace(replace(found, '{inv}.all_nics', 'near_nics'), '{inv}.all_instances', 'near_instances'),
		'{inv}.all_networks', 'near_networks');
	IF has_history THEN
		found := replace(found, '{inv}.nic_history', 'near_history');
	END IF;
	RETURN QUERY EXECUTE replace(format($q$
		%s SELECT CASE WHEN a.code IS NOT NULL THEN 'accepted findings' WHEN f.object_type = 'inventory' THEN 'the inventory itself'
				WHEN f.code = 'half_removed_nic' THEN 'half-removed NICs'
				WHEN f.code IN ('stuck_nic', 'network_stuck', 'expunge_unfinished') THEN 'stuck' ELSE 'other contradictions' END,
			f.code, f.severity, %s, %s, CASE WHEN a.code IS NOT NULL
				THEN concat(f.code, ' of ', o.object, ', by ' || a.accepted_by, ' until ' || a.until, ': ' || a.reason) END
		FROM (%s) f %s
		WHERE %s
		ORDER BY f.ord, f.object_type, f.object_id, f.message$q$, vmnet_internal.preflight_near(what, has_history),
		shown.message, shown.fix, found, vmnet_internal.accepted_join(false),
		replace(vmnet_internal.preflight_about(what), '{own}', what || '_id')), '{inv}', quote_ident(inventory))
	USING now() - interval '10 minutes', quote_ident(inventory), kind IN ('mirror', 'live'), inventory, kind, id;
END
$$;
COMMENT ON FUNCTION vmnet_internal.preflight_findings(text, bigint, text, text, text) IS
'Part of network_preflight(): findings of check_inventory() about one network or instance, and what accepted ones are accepted for';

-- What the rows say of a network or an instance.
CREATE FUNCTION vmnet_internal.preflight_rows(what text, id bigint, inventory text)
RETURNS TABLE (label text, removed timestamptz, active bigint, names text, placeholders bigint, held bigint, half bigint[],
	moving bigint[], changed timestamptz)
LANGUAGE plpgsql STABLE PARALLEL RESTRICTED
SET search_path = pg_catalog, pg_temp
SET jit = off
AS $$
DECLARE
	other text := CASE what WHEN 'network' THEN 'instance' ELSE 'network' END;
BEGIN
	RETURN QUERY EXECUTE format(vmnet_internal.nic_state_fill($q$
		SELECT concat_ws(', ', w.name, 'uuid ' || w.uuid, 'state ' || w.state), w.removed, g.active, g.names, g.placeholders, g.held,
			g.half, g.moving, greatest(w.created, w.removed, g.changed)
		FROM %1$I.all_%2$ss w
			CROSS JOIN LATERAL (
				SELECT count(DISTINCT o.id) FILTER (WHERE n.active AND o.removed IS NULL) AS active,
					array_to_string((array_agg(DISTINCT coalesce(o.name, o.id::text))
						FILTER (WHERE n.active AND o.removed IS NULL))[1:5], ', ') AS names,
					count(*) FILTER (WHERE n.active AND n.instance_id IS NULL) AS placeholders,
					count(*) AS held, array_agg(n.id ORDER BY n.id) FILTER (WHERE NOT n.active) AS half,
					array_agg(n.id ORDER BY n.id) FILTER (WHERE n.state IN ({passing states})) AS moving,
					max(n.state_changed) AS changed
				FROM %1$I.all_nics n
					LEFT JOIN %1$I.all_%3$ss o ON o.id = n.%3$s_id
				WHERE n.%2$s_id = w.id AND n.removed IS NULL AND (n.active OR NOT n.active)) g
		WHERE w.id = $1$q$), inventory, what, other)
	USING id;
END
$$;
COMMENT ON FUNCTION vmnet_internal.preflight_rows(text, bigint, text) IS
'Part of network_preflight(): what the rows say of a network or an instance; no row for an unknown id';

-- The last change that history has of a NIC there, as a text; NULL if it has none.
CREATE FUNCTION vmnet_internal.preflight_last_change(what text, id bigint, inventory text)
RETURNS text
LANGUAGE plpgsql STABLE PARALLEL RESTRICTED
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	answer text;
BEGIN
	IF to_regclass(format('%I.nic_history', inventory)) IS NULL THEN
		RETURN NULL;
	END IF;
	EXECUTE format($q$
		SELECT concat('NIC ', h.nic_id, ': ', h.event, ' to ' || h.to_state, ' at ', h.at, ' by ', coalesce(h.actor, h.session_username),
			': ' || h.reason)
		FROM %s
		ORDER BY h.seq DESC
		LIMIT 1$q$, CASE what WHEN 'network' THEN format('%I.nic_history h WHERE h.network_id = $1', inventory)
			ELSE format('%1$I.all_nics n CROSS JOIN LATERAL (SELECT h.* FROM %1$I.nic_history h WHERE h.nic_id = n.id'
				' ORDER BY h.seq DESC LIMIT 1) h WHERE n.instance_id = $1', inventory) END)
	INTO answer USING id;
	RETURN answer;
END
$$;
COMMENT ON FUNCTION vmnet_internal.preflight_last_change(text, bigint, text) IS
'Part of network_preflight(): the last change that history has of a NIC there; NULL where it has none';

-- How old what the inventory shows is.
CREATE FUNCTION vmnet_internal.preflight_age(inventory text, kind text, source text, OUT answer text, OUT verdict text, OUT next text)
RETURNS record
LANGUAGE sql STABLE PARALLEL RESTRICTED
SET search_path = pg_catalog, pg_temp
AS $$
SELECT CASE WHEN g.as_of IS NULL THEN CASE $2 WHEN 'mirror' THEN 'not known: no import was completed, or you may not read import_runs'
			ELSE 'not known: no transaction was replayed since the server was started' END
		WHEN NOT g.copied THEN 'as of now: rows are read where they are'
		ELSE format('as of %s, %s ago', g.as_of, date_trunc('second', now() - g.as_of)) END
		|| CASE WHEN pg_is_in_recovery() THEN '; this server is a standby' ELSE '' END,
	g.verdict,
	CASE WHEN g.verdict = 'go' THEN NULL
		WHEN $2 = 'mirror' THEN format('CALL vmnet.import_cloudstack(%L, %L);', $3, $1)
		ELSE 'SELECT status, latest_end_time FROM pg_stat_wal_receiver;' END
FROM (
	SELECT l.as_of, $2 = 'mirror' OR pg_is_in_recovery() AND $2 <> 'live' AS copied, CASE
			WHEN l.as_of IS NOT NULL
				AND now() - l.as_of <= CASE WHEN m.age > interval '0' THEN m.age ELSE interval '15 minutes' END THEN 'go'
			WHEN m.age > interval '0' AND $2 = 'mirror' THEN 'stop'
			ELSE 'look' END AS verdict
	FROM vmnet.inventories l
		CROSS JOIN (SELECT current_setting('vmnet.max_age')::interval) m (age)
	WHERE l.name = $1::name) g
$$;
COMMENT ON FUNCTION vmnet_internal.preflight_age(text, text, text) IS
'Part of network_preflight(): how old what an inventory shows is';

-- What of the view reality is about a network or an instance ($1), as findings f
-- with their acceptances a.
CREATE FUNCTION vmnet_internal.preflight_differences(what text, inventory text)
RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $$
SELECT replace(format($q$(
	SELECT r.code, r.severity, r.evidence AS message, r.observer, lower(coalesce(r.mac_address::text, 'observer ' || r.observer)) AS seen,
		CASE WHEN r.nic_id IS NOT NULL THEN 'nic' WHEN r.instance_id IS NOT NULL THEN 'instance' ELSE 'network' END AS object_type,
		coalesce(r.nic_id, r.instance_id, r.network_id) AS object_id
	FROM (%s) r) f %s$q$,
	CASE $1 WHEN 'network' THEN $q$
		SELECT * FROM {inv}.reality WHERE network_id = $1
		UNION ALL
		SELECT * FROM {inv}.reality WHERE other_network_id = $1 AND network_id IS DISTINCT FROM $1$q$
	ELSE 'SELECT * FROM {inv}.reality WHERE instance_id = $1' END, vmnet_internal.accepted_join(false)), '{inv}', quote_ident($2))
$$;
COMMENT ON FUNCTION vmnet_internal.preflight_differences(text, text) IS
'Part of network_preflight(): what was observed otherwise than the inventory says, of a network or an instance';

-- How old the evidence is that observers of an inventory have sent.
CREATE FUNCTION vmnet_internal.preflight_evidence(inventory text, OUT answer text, OUT verdict text, OUT next text)
RETURNS record
LANGUAGE plpgsql STABLE PARALLEL RESTRICTED
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	EXECUTE format($q$
		SELECT CASE WHEN max(o.last_at) IS NULL THEN 'no observer has sent a picture: what hypervisors run is not known'
				WHEN bool_or(o.last_at >= now() - o.every) THEN NULL
				ELSE format('no observer has sent a picture within its interval; the last one is of %%s', max(o.last_at)) END,
			CASE WHEN bool_or(o.last_at >= now() - o.every) THEN 'go' WHEN max(o.last_at) IS NULL THEN 'go' ELSE 'look' END,
			CASE WHEN bool_or(o.last_at >= now() - o.every) IS NOT TRUE AND max(o.last_at) IS NOT NULL
				THEN format('SELECT name, last_at, last_error FROM %%I.observers;', $1) END
		FROM %I.observers o$q$, inventory)
	INTO answer, verdict, next USING inventory;
END
$$;
COMMENT ON FUNCTION vmnet_internal.preflight_evidence(text) IS
'Part of network_preflight(): whether an observer has sent a picture within its interval';

-- What was observed, where the inventory has a view reality; without it, that is
-- said.
CREATE FUNCTION vmnet_internal.preflight_reality(what text, id bigint, inventory text,
	OUT answer text, OUT verdict text, OUT next text)
RETURNS record
LANGUAGE plpgsql STABLE PARALLEL RESTRICTED
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	evidence record;
BEGIN
	IF to_regclass(format('%I.reality', inventory)) IS NULL THEN
		answer := 'reality is not enabled: what hypervisors run is not known';
		verdict := 'go';
	ELSE
		EXECUTE format($q$
			SELECT CASE count(*) FILTER (WHERE a.code IS NULL) WHEN 0 THEN 'nothing that was observed differs'
					ELSE format('%%s: %%s', count(*) FILTER (WHERE a.code IS NULL),
						string_agg(DISTINCT f.code, ', ') FILTER (WHERE a.code IS NULL)) END
					|| coalesce('; accepted: ' || nullif(count(a.code), 0), ''),
				CASE WHEN bool_or(f.severity = 'error' AND a.code IS NULL) THEN 'stop'
					WHEN bool_or(f.severity = 'warning' AND a.code IS NULL) THEN 'look' ELSE 'go' END,
				CASE WHEN bool_or(f.severity IN ('error', 'warning') AND a.code IS NULL)
					THEN format('SELECT * FROM %%s.reality WHERE %%I = %%s;', $2, $3, $1) END
			FROM %s$q$, vmnet_internal.preflight_differences(what, inventory))
		INTO answer, verdict, next USING id, quote_ident(inventory), what || '_id';
		evidence := vmnet_internal.preflight_evidence(inventory);
		answer := CASE WHEN evidence.answer IS NULL THEN answer WHEN verdict = 'go' THEN evidence.answer
			ELSE answer || '; ' || evidence.answer END;
		IF verdict = 'go' THEN
			verdict := evidence.verdict;
			next := evidence.next;
		END IF;
	END IF;
END
$$;
COMMENT ON FUNCTION vmnet_internal.preflight_reality(text, bigint, text) IS
'Part of network_preflight(): what was observed of a network or an instance';

-- The answer to the questions that findings answer, one row for each of them; a
-- NIC whose removal, reservation or release began just now is worth a look.
CREATE FUNCTION vmnet_internal.preflight_checks(what text, id bigint, inventory text, kind text, source text, half bigint[],
	moving bigint[])
RETURNS TABLE (question text, answer text, verdict text, next text)
LANGUAGE sql STABLE PARALLEL RESTRICTED
SET search_path = pg_catalog, pg_temp
AS $$
WITH found AS MATERIALIZED (
	SELECT *
	FROM vmnet_internal.preflight_findings($1, $2, $3, $4, $5)
		WITH ORDINALITY f (question, code, severity, message, fix, accepted, ord)
)
SELECT q.question,
	CASE WHEN g.found > 0 THEN g.answer WHEN q.young IS NOT NULL THEN format('under way since less than 10 minutes, or accepted: NICs %s',
		array_to_string(q.young, ', ')) ELSE 'none' END,
	CASE WHEN q.question = 'accepted findings' THEN 'go' WHEN g.is_error THEN 'stop' WHEN g.is_warning THEN 'look'
		WHEN q.young IS NOT NULL AND a.found = 0 THEN 'look' ELSE 'go' END,
	CASE WHEN q.question = 'accepted findings' THEN NULL
		WHEN g.is_error OR g.is_warning THEN coalesce(g.fix, format(
			'SELECT code, message, fix FROM vmnet.check_inventory(%L, codes => %L);', $3, g.codes))
		WHEN q.young IS NOT NULL AND a.found = 0 THEN format('SELECT * FROM vmnet.nic_explain(%s, %L);', q.young[1], $3) END
FROM (VALUES ('the inventory itself', NULL), ('half-removed NICs', $6), ('stuck', $7), ('other contradictions', NULL),
		('accepted findings', NULL)) q (question, young)
	CROSS JOIN LATERAL (
		SELECT count(*) AS found, coalesce(bool_or(f.severity = 'error'), false) AS is_error,
			coalesce(bool_or(f.severity = 'warning'), false) AS is_warning,
			string_agg(coalesce(f.accepted, f.message), '; ' ORDER BY f.ord) AS answer,
			(array_agg(f.fix ORDER BY f.ord) FILTER (WHERE f.severity <> 'info'))[1] AS fix, array_agg(DISTINCT f.code) AS codes
		FROM found f WHERE f.question = q.question) g
	CROSS JOIN LATERAL (
		SELECT count(*) AS found FROM found f WHERE f.question = 'accepted findings' AND f.code IN ('half_removed_nic', 'stuck_nic')) a
$$;
COMMENT ON FUNCTION vmnet_internal.preflight_checks(text, bigint, text, text, text, bigint[], bigint[]) IS
'Part of network_preflight(): the questions that findings answer';

-- Whether policies may hide rows from the current user.
CREATE FUNCTION vmnet_internal.preflight_hidden(inventory text, OUT answer text, OUT verdict text, OUT next text)
RETURNS record
LANGUAGE sql STABLE PARALLEL RESTRICTED
SET search_path = pg_catalog, pg_temp
AS $$
SELECT CASE WHEN r.hidden THEN 'row-level security is active for you: what it hides is not known' ELSE 'none' END,
	CASE WHEN r.hidden THEN 'look' ELSE 'go' END,
	CASE WHEN r.hidden THEN format('SELECT tablename, policyname, qual FROM pg_policies WHERE schemaname = %L;', $1) END
FROM (SELECT bool_or(row_security_active(c.oid))
	FROM pg_catalog.pg_class c
		JOIN pg_catalog.pg_namespace s ON s.oid = c.relnamespace
	WHERE s.nspname = $1 AND c.relname = ANY (vmnet_internal.named_relations()) AND c.relkind IN ('r', 'p')) r (hidden)
$$;
COMMENT ON FUNCTION vmnet_internal.preflight_hidden(text) IS
'Part of network_preflight(): whether policies may hide rows of an inventory from the current user';

-- All questions but the last one.  Of a network or an instance that is not there,
-- nothing else is asked.
CREATE FUNCTION vmnet_internal.preflight_questions(what text, id bigint, inventory text, kind text, source text)
RETURNS TABLE (question text, answer text, verdict text, next text)
LANGUAGE plpgsql STABLE PARALLEL RESTRICTED
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	facts record;
BEGIN
	SELECT * INTO facts FROM vmnet_internal.preflight_rows(what, id, inventory);
	question := what;
	answer := CASE WHEN facts.label IS NULL THEN format('inventory %I has no %s %s', inventory, what, coalesce('with id ' || id, 'NULL'))
		WHEN facts.removed IS NOT NULL
			THEN concat(facts.label, ', removed', CASE WHEN isfinite(facts.removed) THEN ' at ' || facts.removed END)
		ELSE facts.label END;
	verdict := CASE WHEN facts.label IS NULL OR facts.removed IS NOT NULL THEN 'stop' ELSE 'go' END;
	next := CASE WHEN verdict = 'stop' THEN format('SELECT id, uuid, name FROM %I.%ss ORDER BY name;', inventory, what) END;
	RETURN NEXT;
	RETURN QUERY SELECT 'age of the data', a.* FROM vmnet_internal.preflight_age(inventory, kind, source) a
		UNION ALL SELECT 'rows that you cannot see', h.* FROM vmnet_internal.preflight_hidden(inventory) h;
	IF facts.label IS NULL THEN
		RETURN;
	END IF;
	verdict := 'go';
	next := NULL;
	question := CASE what WHEN 'network' THEN 'active instances' ELSE 'active on networks' END;
	answer := concat(facts.active, ': ' || nullif(facts.names, ''), CASE WHEN facts.active > 5 THEN ' ...' END,
		'; placeholders: ' || nullif(facts.placeholders, 0));
	RETURN NEXT;
	question := 'what its removal waits for';
	answer := CASE facts.held WHEN 0 THEN 'nothing' ELSE format('held NICs: %s; its removal would be refused', facts.held) END;
	RETURN NEXT;
	RETURN QUERY SELECT c.* FROM vmnet_internal.preflight_checks(what, id, inventory, kind, source, facts.half, facts.moving) c;
	RETURN QUERY SELECT 'seen in reality', r.* FROM vmnet_internal.preflight_reality(what, id, inventory) r;
	question := 'last change';
	answer := coalesce(nullif(concat_ws('; in history: ', 'at ' || facts.changed || ', as its rows say',
		vmnet_internal.preflight_last_change(what, id, inventory)), ''), 'not known');
	RETURN NEXT;
END
$$;
COMMENT ON FUNCTION vmnet_internal.preflight_questions(text, bigint, text, text, text) IS
'Part of network_preflight(): all questions but the last one';

CREATE FUNCTION vmnet_internal.preflight(what text, id bigint, wanted name)
RETURNS TABLE (question text, answer text, verdict text, next text)
LANGUAGE plpgsql STABLE PARALLEL RESTRICTED
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	target record := vmnet_internal.check_target(wanted);
	lacking text := vmnet_internal.check_lacking(target.name, target.kind);
BEGIN
	IF lacking IS NOT NULL THEN
		RETURN QUERY SELECT s.question, 'it lacks: ' || lacking, 'stop', format('SELECT * FROM vmnet.check_inventory(%L);', target.name)
		FROM (VALUES ('the inventory itself'), ('overall')) s (question);
		RETURN;
	END IF;
	RETURN QUERY
		WITH asked AS MATERIALIZED (
			SELECT q.* FROM vmnet_internal.preflight_questions(what, id, target.name, target.kind, target.source)
				WITH ORDINALITY q (question, answer, verdict, next, ord)),
		worst (verdict) AS (
			SELECT CASE WHEN bool_or(a.verdict = 'stop') THEN 'stop' WHEN bool_or(a.verdict = 'look') THEN 'look' ELSE 'go' END
			FROM asked a)
		SELECT s.question, s.answer, s.verdict, s.next
		FROM (
			SELECT a.question, a.answer, a.verdict, a.next, a.ord FROM asked a
			UNION ALL
			SELECT 'overall', CASE w.verdict WHEN 'go' THEN 'nothing is known against it'
					ELSE 'because of: ' || string_agg(a.question, ', ' ORDER BY a.ord) END,
				w.verdict, CASE WHEN w.verdict <> 'go' THEN (array_agg(a.next ORDER BY a.ord))[1] END, 99
			FROM worst w JOIN asked a ON a.verdict = w.verdict
			GROUP BY w.verdict) s
		ORDER BY s.ord;
END
$$;
COMMENT ON FUNCTION vmnet_internal.preflight(text, bigint, name) IS
'Part of network_preflight() and instance_preflight(): all questions, with the sum of them at the end';

CREATE FUNCTION vmnet_internal.network_preflight(net_id bigint, inventory name)
RETURNS TABLE (question text, answer text, verdict text, next text)
LANGUAGE sql STABLE PARALLEL RESTRICTED
SET search_path = pg_catalog, pg_temp
AS $$ SELECT * FROM vmnet_internal.preflight('network', $1, $2) $$;
COMMENT ON FUNCTION vmnet_internal.network_preflight(bigint, name) IS
'Body of vmnet.network_preflight(), run with the rights that this has switched to';

CREATE FUNCTION vmnet.network_preflight(net_id bigint, inventory name DEFAULT NULL)
RETURNS TABLE (question text, answer text, verdict text, next text)
AS 'MODULE_PATHNAME', 'inventory_entry'
LANGUAGE C STABLE PARALLEL RESTRICTED COST 10000 ROWS 12;
COMMENT ON FUNCTION vmnet.network_preflight(bigint, name) IS
'Before an operation on a network: one row per question, with the verdict go, look or stop
Questions, in this order: which network it is; how old the data are (look: a mirror older than 15 minutes, where '
'vmnet.max_age is not set; stop: older than vmnet.max_age); whether row-level security may hide rows from the caller (look); which '
'instances are active on it; what its removal waits for; '
'what check_inventory() finds about the inventory itself, half-removed NICs, NICs and networks that are '
'stuck, and what else it finds about the network, its NICs, its addresses and the instances that hold NICs there (error: stop, warning: '
'look, info: go); findings that are accepted, which do not count; what was seen in reality, where the inventory has a view reality; the '
'last change. The last row, overall, has the worst verdict. next: what to run next; NULL where the verdict is go. A network in use is '
'no reason to look: that its removal would be refused is said. An unknown id, NULL and a removed network are stop. Works on a standby, and '
'in inventories of every kind whose ids are bigint. Error: 22023 for an unknown inventory.';

CREATE FUNCTION vmnet_internal.instance_preflight(instance_id bigint, inventory name)
RETURNS TABLE (question text, answer text, verdict text, next text)
LANGUAGE sql STABLE PARALLEL RESTRICTED
SET search_path = pg_catalog, pg_temp
AS $$ SELECT * FROM vmnet_internal.preflight('instance', $1, $2) $$;
COMMENT ON FUNCTION vmnet_internal.instance_preflight(bigint, name) IS
'Body of vmnet.instance_preflight(), run with the rights that this has switched to';

CREATE FUNCTION vmnet.instance_preflight(instance_id bigint, inventory name DEFAULT NULL)
RETURNS TABLE (question text, answer text, verdict text, next text)
AS 'MODULE_PATHNAME', 'inventory_entry'
LANGUAGE C STABLE PARALLEL RESTRICTED COST 10000 ROWS 12;
COMMENT ON FUNCTION vmnet.instance_preflight(bigint, name) IS
'Before an operation on an instance: one row per question, with the verdict go, look or stop
The questions are those of network_preflight(), about the instance, its NICs and their addresses, and the networks that it is active on. '
'The last row, overall, has the worst verdict. next: what to run next; NULL where the verdict is go. An unknown id, NULL and a removed '
'instance are stop. Error: 22023 for an unknown inventory.';
