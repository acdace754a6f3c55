--
-- A picture of what an observer sees is taken
--

CREATE FUNCTION vmnet_internal.observe_refuse(state text, rule text, inventory text, message text, detail text, hint text)
RETURNS void
LANGUAGE plpgsql STABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	RAISE EXCEPTION USING
		ERRCODE = state, CONSTRAINT = rule, SCHEMA = inventory, TABLE = 'observers', MESSAGE = message, DETAIL = detail, HINT = hint;
END
$$;
COMMENT ON FUNCTION vmnet_internal.observe_refuse(text, text, text, text, text, text) IS
'Part of observe(): raises an error';

-- Locks the row of an observer, so that its pictures are taken one after the other.
CREATE FUNCTION vmnet_internal.observe_lock(inventory text, observer text, OUT kind text, OUT host text, OUT last_at timestamptz)
RETURNS record
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	EXECUTE format('SELECT o.kind, o.host, o.last_at FROM %I.observers o WHERE o.name = $1 FOR NO KEY UPDATE', inventory)
	INTO kind, host, last_at USING observer;
	IF kind IS NULL THEN
		PERFORM vmnet_internal.observe_refuse('22023', 'observer_unknown', inventory,
			format('inventory "%s" has no observer %s', inventory, coalesce('"' || observer || '"', 'NULL')),
			'An observer is registered before its first picture, so that a wrong name does not become another observer.',
			format('INSERT INTO %I.observers (name, kind) VALUES (%L, %L);', inventory, coalesce(observer, 'kvm1'), 'libvirt'));
	END IF;
END
$$;
COMMENT ON FUNCTION vmnet_internal.observe_lock(text, text) IS
'Part of observe(): what is registered of an observer, whose row is locked FOR NO KEY UPDATE until the transaction ends
Error: 22023 with constraint observer_unknown.';

-- A clock that is ahead by more than five minutes would make all later pictures of
-- other clocks out of order.
CREATE FUNCTION vmnet_internal.observe_check_time(inventory text, observer text, at timestamptz, last_at timestamptz)
RETURNS void
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	IF at IS NULL OR NOT isfinite(at) OR at > clock_timestamp() + interval '5 minutes' THEN
		PERFORM vmnet_internal.observe_refuse('22023', 'observation_time', inventory,
			format('the time of a picture of observer "%s" must not be in the future', observer),
			format('It is %s, and now it is %s.', coalesce(at::text, 'NULL'), clock_timestamp()),
			'Give the time at which the picture was taken, or leave it out; compare the clock of the host that took it.');
	ELSIF at < last_at THEN
		PERFORM vmnet_internal.observe_refuse('22023', 'observation_out_of_order', inventory,
			format('there is a later picture of observer "%s"', observer),
			format('This one is of %s, the last one of %s.', at, last_at),
			'Take a new picture; an old one cannot say what is seen now.');
	END IF;
END
$$;
COMMENT ON FUNCTION vmnet_internal.observe_check_time(text, text, timestamptz, timestamptz) IS
'Part of observe(): refuses a picture from the future, and one that is older than the last one
Errors: 22023 with constraint observation_time or observation_out_of_order.';

-- Facts are compared in two ways: by equality of values without NULL, which can be
-- hashed, and by IS NOT DISTINCT FROM, which is exact.
CREATE FUNCTION vmnet_internal.observe_same_fact(a text, b text)
RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $$
SELECT string_agg(format('coalesce(%1$s.%3$I, %4$L) = coalesce(%2$s.%3$I, %4$L) AND %1$s.%3$I IS NOT DISTINCT FROM %2$s.%3$I',
	$1, $2, c.name, c.nothing), ' AND ')
FROM (VALUES ('mac_address', '00:00:00:00:00:00'), ('ip_address', '0.0.0.0'), ('host', ''), ('segment', ''), ('domain', ''),
	('domain_uuid', '00000000-0000-0000-0000-000000000000')) c (name, nothing)
$$;
COMMENT ON FUNCTION vmnet_internal.observe_same_fact(text, text) IS
'Part of observe(): the condition that two rows, by their aliases, are the same fact of an observer';

-- The statement that takes a picture, in one pass.  $1: observer; $2: its kind; $3:
-- its host; $4: payload; $5: time; $6: whether the picture is complete.  It returns
-- one row: records that are sightings, distinct facts, new ones, those that are
-- gone, open ones before, records that were rejected, and the first reason.
-- A fact that a picture of the same time had is not counted again.
CREATE FUNCTION vmnet_internal.observe_statement(inventory text)
RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $statement$
SELECT replace(replace($$
WITH records AS MATERIALIZED (
	SELECT r.record, r.mac_address, r.ip_address, nullif(r.segment, '') AS segment, nullif(r.device, '') AS device,
		nullif(r.domain, '') AS domain, r.domain_uuid, r.nic_uuid, coalesce(nullif(r.host, ''), $3) AS host, r.place, r.raw,
		CASE WHEN r.reason IS NULL AND octet_length(concat(r.segment, r.domain, r.host)) > 2000 THEN 'its names are too long'
			ELSE r.reason END AS reason
	FROM vmnet.read_observation($2, $4) r
), facts AS MATERIALIZED (
	SELECT DISTINCT ON (f.host, f.segment, f.mac_address, f.ip_address, f.domain, f.domain_uuid) f.*
	FROM records f
	WHERE f.reason IS NULL
	ORDER BY f.host, f.segment, f.mac_address, f.ip_address, f.domain, f.domain_uuid, f.record
), open AS MATERIALIZED (
	SELECT s.* FROM {inv}.sightings s WHERE s.observer = $1
), again AS MATERIALIZED (
	SELECT s.id, f.record, f.device, f.nic_uuid FROM open s JOIN facts f ON {same}
), repeated AS (
	UPDATE {inv}.sightings s
	SET last_seen = $5, previous_seen = CASE WHEN s.last_seen < $5 THEN s.last_seen ELSE s.previous_seen END,
		observations = s.observations + CASE WHEN s.last_seen < $5 THEN 1 ELSE 0 END,
		device = a.device, nic_uuid = a.nic_uuid
	FROM again a
	WHERE s.id = a.id AND (s.last_seen, s.device, s.nic_uuid) IS DISTINCT FROM ($5, a.device, a.nic_uuid)
), added AS (
	INSERT INTO {inv}.sightings (observer, host, segment, device, mac_address, ip_address, domain, domain_uuid, nic_uuid,
		first_seen, last_seen)
	SELECT $1, f.host, f.segment, f.device, f.mac_address, f.ip_address, f.domain, f.domain_uuid, f.nic_uuid, $5, $5
	FROM facts f
	WHERE NOT EXISTS (SELECT FROM again a WHERE a.record = f.record)
	RETURNING 1
), closed AS (
	DELETE FROM {inv}.sightings s
	USING open o
	WHERE $6 AND s.id = o.id AND NOT EXISTS (SELECT FROM again a WHERE a.id = o.id)
	RETURNING s.*
), past AS (
	INSERT INTO {inv}.sighting_history (id, observer, host, segment, device, mac_address, ip_address, domain, domain_uuid, nic_uuid,
		first_seen, last_seen, previous_seen, observations, gone_since)
	SELECT c.id, c.observer, c.host, c.segment, c.device, c.mac_address, c.ip_address, c.domain, c.domain_uuid, c.nic_uuid,
		c.first_seen, c.last_seen, c.previous_seen, c.observations, $5
	FROM closed c
	RETURNING 1
), logged AS (
	INSERT INTO {inv}.observation_log (observer, at, place, raw, reason)
	SELECT $1, $5, r.place, r.raw, r.reason
	FROM records r
	WHERE r.reason IS NOT NULL AND NOT EXISTS (
		SELECT FROM {inv}.observation_log l
		WHERE l.observer = $1 AND l.at = $5 AND coalesce(l.place, '') = coalesce(r.place, '')
			AND (l.place, l.raw, l.reason) IS NOT DISTINCT FROM (r.place, r.raw, r.reason))
)
SELECT (SELECT count(*) FROM records r WHERE r.reason IS NULL) AS seen, (SELECT count(*) FROM facts) AS facts,
	(SELECT count(*) FROM added) AS new, (SELECT count(*) FROM past) AS gone, (SELECT count(*) FROM open) AS open,
	(SELECT count(*) FROM records r WHERE r.reason IS NOT NULL) AS rejected,
	(SELECT r.reason FROM records r WHERE r.reason IS NOT NULL ORDER BY r.record LIMIT 1) AS reason$$,
	'{inv}', quote_ident($1)), '{same}', vmnet_internal.observe_same_fact('s', 'f'))
$statement$;
COMMENT ON FUNCTION vmnet_internal.observe_statement(text) IS
'Part of observe(): the statement that takes a picture, in one pass';

CREATE FUNCTION vmnet_internal.observe(observer text, payload text, at timestamptz, complete boolean, force boolean, inventory name,
	OUT seen bigint, OUT new bigint, OUT gone bigint, OUT rejected bigint)
RETURNS record
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
-- the number of records is not known beforehand: a picture of thousands must not
-- be compared row by row
SET enable_nestloop = off
SET jit = off
AS $$
DECLARE
	schema text := vmnet_internal.resolve_inventory(inventory);
	registered record;
	taken record;
BEGIN
	registered := vmnet_internal.observe_lock(schema, observer);
	PERFORM vmnet_internal.observe_check_time(schema, observer, at, registered.last_at);
	EXECUTE vmnet_internal.observe_statement(schema) INTO taken
	USING observer, registered.kind, registered.host, payload, at, coalesce(complete, true);
	IF coalesce(complete, true) AND taken.seen = 0 AND taken.open >= 10 AND force IS NOT TRUE THEN
		PERFORM vmnet_internal.observe_refuse('22023', 'observation_empty', schema,
			format('a picture of observer "%s" is empty, and its last one was not', observer),
			format('None of its %s records is a sighting; it would close %s facts.', taken.rejected, taken.open),
			'Look whether the source answers. Where it is right, say force => true; where it is a part of a picture, complete => false.');
	END IF;
	EXECUTE format('UPDATE %I.observers o SET last_at = $2, last_complete = CASE WHEN $3 THEN $2 ELSE o.last_complete END,'
		' pictures = o.pictures + CASE WHEN o.last_at = $2 THEN 0 ELSE 1 END, last_seen_count = $4, last_error = $5'
		' WHERE o.name = $1', schema)
	USING observer, at, coalesce(complete, true), taken.facts,
		CASE WHEN taken.rejected > 0 THEN format('%s of %s records were rejected; the first one: %s', taken.rejected,
			taken.seen + taken.rejected, taken.reason) END;
	seen := taken.seen;
	new := taken.new;
	gone := taken.gone;
	rejected := taken.rejected;
END
$$;
COMMENT ON FUNCTION vmnet_internal.observe(text, text, timestamptz, boolean, boolean, name) IS
'Body of vmnet.observe(), run as the owner of the inventory';

CREATE FUNCTION vmnet.observe(observer text, payload text, at timestamptz DEFAULT now(), complete boolean DEFAULT true,
	force boolean DEFAULT false, inventory name DEFAULT NULL,
	OUT seen bigint, OUT new bigint, OUT gone bigint, OUT rejected bigint)
RETURNS record
AS 'MODULE_PATHNAME', 'observer_entry'
LANGUAGE C COST 10000;
COMMENT ON FUNCTION vmnet.observe(text, text, timestamptz, boolean, boolean, name) IS
'Takes a picture: what an observer sees at a time; returns how many records are seen, new, gone and rejected
observer: a row of <inventory>.observers, whose kind says how payload is read (vmnet.read_observation() shows it). at: when the picture '
'was taken. complete: the payload has all that the observer sees, so that what it has no more is gone; false: nothing is closed. force: an '
'empty picture is taken although the observer saw ten facts or more. inventory NULL: the setting vmnet.inventory. seen: records that are '
'sightings; new: facts that the observer did not see before; gone: facts that moved to sighting_history; rejected: records that cannot be '
'read, which are in observation_log. The same picture again changes nothing. Pictures of one observer wait for each other.
Needs the owner of the inventory, or INSERT on its table sightings (grant_access() as observer); the tables are written as the owner.
Errors: 22023 for an unknown inventory, one without observations (vmnet.enable_reality()), and with constraint observer_unknown, '
'observation_time (in the future), observation_out_of_order (older than the last one), observation_empty or observation_malformed; 54000 '
'with observation_too_large; 42501 for others.';
