--
-- Findings that are accepted: they stay visible and do not count.  A finding is
-- known by its code, its object and a fingerprint of what was found: when the
-- object changes, the fingerprint differs, and the finding counts again.
--

-- The texts below are parts of the query of check_inventory() and of that of the
-- view findings of reports, where f is a finding, {inv} the inventory, quoted, and
-- $2 the same for texts.

-- What names the object of a finding.  Findings about the inventory itself are
-- told apart by their messages, what was observed by its MAC address.
CREATE FUNCTION vmnet_internal.accepted_object()
RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $$
SELECT $object$CASE WHEN f.seen IS NOT NULL THEN f.seen WHEN f.object_type = 'inventory' THEN 'inventory '
		|| left(encode(sha256(convert_to(replace(f.message, $2 || '.', ''), getdatabaseencoding())), 'hex'), 8)
	ELSE concat_ws(' ', f.object_type, f.object_id) END$object$
$$;
COMMENT ON FUNCTION vmnet_internal.accepted_object() IS
'Part of check_inventory(): the expression that names the object of a finding';

-- What has to stay the same for a finding to stay accepted: its message, and of
-- its object what a correction, or a step backwards, would change.  Of a NIC:
-- where it is, state, addresses, the NICs that share these, removals.  Of an
-- instance: its removal and its active NICs.  Of a network: its ranges and its
-- removal.  Of an address: its state and who has it.  No time is in it as text,
-- since settings decide how that looks; the name of the inventory is not in it.
CREATE FUNCTION vmnet_internal.accepted_fingerprint()
RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $$
SELECT $fingerprint$encode(sha256(convert_to(concat_ws('|', replace(f.message, $2 || '.', ''), f.observer, CASE f.object_type
	WHEN 'nic' THEN (
		SELECT ROW(n.network_id, n.instance_id, n.state, n.vm_type, n.device_id, n.mac_address, n.ip4_address, n.ip6_address,
			extract(epoch FROM n.created), extract(epoch FROM n.state_changed), extract(epoch FROM n.removed),
			extract(epoch FROM w.removed), extract(epoch FROM i.removed), ARRAY(
				SELECT o.id FROM {inv}.all_nics o
				WHERE o.active AND o.id <> n.id AND (o.network_id = n.network_id AND (o.mac_address = n.mac_address
						OR o.ip4_address = n.ip4_address OR o.ip6_address = n.ip6_address)
					OR o.instance_id = n.instance_id AND o.device_id = n.device_id)
				ORDER BY o.id))::text
		FROM {inv}.all_nics n
			LEFT JOIN {inv}.all_networks w ON w.id = n.network_id
			LEFT JOIN {inv}.all_instances i ON i.id = n.instance_id
		WHERE n.id = f.object_id)
	WHEN 'instance' THEN (
		SELECT ROW(i.type, extract(epoch FROM i.created), extract(epoch FROM i.removed), ARRAY(
			SELECT ROW(n.id, n.network_id, n.default_nic)::text FROM {inv}.all_nics n
			WHERE n.instance_id = i.id AND n.active
			ORDER BY n.id))::text
		FROM {inv}.all_instances i
		WHERE i.id = f.object_id)
	WHEN 'network' THEN (
		SELECT ROW(w.cidr, w.network_cidr, w.gateway, w.ip6_cidr, w.ip6_gateway, w.all_cidrs, w.vpc_id,
			extract(epoch FROM w.created), extract(epoch FROM w.removed))::text
		FROM {inv}.all_networks w
		WHERE w.id = f.object_id)
	WHEN 'address' THEN (
		SELECT ROW(a.ip_address, a.state, a.source_network_id, a.network_id, a.instance_id, a.source_nat, a.static_nat,
			extract(epoch FROM a.allocated))::text
		FROM {inv}.all_ip_addresses a
		WHERE a.id = f.object_id) END), getdatabaseencoding())), 'hex')$fingerprint$
$$;
COMMENT ON FUNCTION vmnet_internal.accepted_fingerprint() IS
'Part of check_inventory(): the expression for what has to stay the same for a finding to stay accepted';

-- The object of a finding, and who accepts it.  The fingerprint is computed where
-- code and object are accepted only.  Tenants do not see who accepts what, and
-- why.
CREATE FUNCTION vmnet_internal.accepted_join(tenant boolean)
RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $$
SELECT format('CROSS JOIN LATERAL (SELECT %s) o (object) ', vmnet_internal.accepted_object()) || CASE WHEN $1
	THEN 'CROSS JOIN (VALUES (NULL::text, NULL::timestamptz, NULL::text, NULL::text)) a (code, until, accepted_by, reason)'
	ELSE format('LEFT JOIN {inv}.accepted_findings a ON a.code = f.code AND a.object = o.object'
		' AND (a.until IS NULL OR a.until > now()) AND a.fingerprint = %s', vmnet_internal.accepted_fingerprint()) END
$$;
COMMENT ON FUNCTION vmnet_internal.accepted_join(boolean) IS
'Part of check_inventory() and create_report(): joins findings to their objects, and to their acceptances';

CREATE FUNCTION vmnet_internal.accepted_columns()
RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $$ SELECT 'o.object, a.code IS NOT NULL AS accepted, a.until AS accepted_until, a.accepted_by, a.reason AS accepted_reason'::text $$;
COMMENT ON FUNCTION vmnet_internal.accepted_columns() IS
'Part of check_inventory() and create_report(): the columns that accepted_join() has';

CREATE FUNCTION vmnet_internal.accepted_guard()
RETURNS trigger
AS 'MODULE_PATHNAME', 'accepted_guard'
LANGUAGE C;
COMMENT ON FUNCTION vmnet_internal.accepted_guard() IS
'Trigger BEFORE INSERT, UPDATE and DELETE on accepted_findings: findings about the inventory itself are for its owner
It writes who accepts, and when; the owner of the table may write these, too. Error: 42501 with constraint accepted_owner_only.';

-- Refuses what cannot be accepted, whatever is found.
CREATE FUNCTION vmnet_internal.accepted_target(code text, object text, until timestamptz, reason text, wanted name)
RETURNS record
LANGUAGE plpgsql STABLE PARALLEL RESTRICTED
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	target record := vmnet_internal.check_target($5);
	lacking text := vmnet_internal.check_lacking(target.name, target.kind);
	problem text[];
BEGIN
	PERFORM vmnet_internal.check_code($1, format('SELECT code, object FROM vmnet.check_inventory(%L) lists what is found.', target.name));
	problem := CASE
		WHEN $1 IS NULL OR $2 IS NULL THEN ARRAY['code and object of a finding must not be null',
			format('%s is NULL.', CASE WHEN $1 IS NULL THEN 'code' ELSE 'object' END),
			format('SELECT code, object FROM vmnet.check_inventory(%L) lists what is found.', target.name)]
		-- nothing else is checked then, or by functions and guards
		WHEN $1 IN ('inventory_incomplete', 'owner_differs') THEN ARRAY[format('a finding "%s" cannot be accepted', $1),
			(SELECT 'It means: ' || c.about || '.' FROM vmnet.check_codes() c WHERE c.code = $1), 'Correct it.']
		WHEN lacking IS NOT NULL THEN ARRAY[format('findings of inventory "%s" cannot be accepted', target.name),
			format('It lacks: %s.', lacking), 'Correct this first.']
		WHEN coalesce($4, '') !~ '\S' THEN ARRAY['a reason for which a finding is accepted must not be empty',
			CASE WHEN $4 IS NULL THEN 'It is NULL.' ELSE 'It has no letters.' END,
			'Say why it is right, or who deals with it.']
		WHEN $3 <= now() THEN ARRAY['the time until which a finding is accepted must be in the future',
			format('It is %s.', $3), 'NULL accepts it without an end.'] END;
	IF problem IS NOT NULL THEN
		RAISE EXCEPTION USING ERRCODE = 'invalid_parameter_value', MESSAGE = problem[1], DETAIL = problem[2],
			HINT = problem[3];
	END IF;
	RETURN target;
END
$$;
COMMENT ON FUNCTION vmnet_internal.accepted_target(text, text, timestamptz, text, name) IS
'Part of accept_finding(): checks its arguments; name, kind and source of the inventory that they mean';

-- Refuses an object about which there is no such finding.
CREATE FUNCTION vmnet_internal.accepted_nothing(code text, object text, observer text, inventory_name text, others text[])
RETURNS void
LANGUAGE plpgsql STABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	RAISE EXCEPTION USING
		ERRCODE = 'invalid_parameter_value',
		MESSAGE = format('inventory "%s" has no finding "%s" of object "%s"%s', $4, $1, $2, ' of observer ' || quote_ident($3)),
		DETAIL = CASE WHEN $3 IS NOT NULL AND $1 IN (SELECT c.code FROM vmnet_internal.checks() c WHERE c.needs IS DISTINCT FROM 'reality')
				THEN 'Its findings do not depend on an observer.'
			WHEN cardinality($5) > 0 THEN format('There are such findings of: %s%s.', array_to_string($5[1:5], ', '),
				CASE WHEN cardinality($5) > 5 THEN format(' and %s more', cardinality($5) - 5) ELSE '' END)
			ELSE 'There is no such finding of any object.' END,
		HINT = format('Take code and object from: SELECT code, object, message FROM vmnet.check_inventory(%L, ''0'');', $4);
END
$$;
COMMENT ON FUNCTION vmnet_internal.accepted_nothing(text, text, text, text, text[]) IS
'Part of accept_finding(): refuses an object about which there is no such finding';

CREATE FUNCTION vmnet_internal.accept_finding(code text, object text, until timestamptz, reason text, observer text, inventory name)
RETURNS int
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
SET jit = off
AS $$
DECLARE
	target record := vmnet_internal.accepted_target($1, $2, $3, $4, $6);
	wanted text := lower(btrim($2));
	found text := replace(format('FROM (%s) f CROSS JOIN LATERAL (SELECT %s) o (object) WHERE f.code = $6',
		vmnet_internal.check_all_query(target.name), vmnet_internal.accepted_object()), '{inv}', quote_ident(target.name));
	others text[];
	accepted int;
BEGIN
	EXECUTE format('DELETE FROM %I.accepted_findings a WHERE a.code = $1 AND a.object = $2 AND ($3 IS NULL OR a.observer = $3)',
		target.name) USING code, wanted, observer;
	-- its guard writes who accepts, and when
	EXECUTE format('INSERT INTO %I.accepted_findings (code, object, observer, until, accepted_by, reason, fingerprint, accepted_at)'
		' SELECT DISTINCT f.code, o.object, f.observer, $9, NULL, $10, %s, NULL::timestamptz %s AND o.object = $7'
		' AND ($8 IS NULL OR f.observer = $8)'
		' ON CONFLICT (code, object, fingerprint) DO UPDATE SET observer = excluded.observer, until = excluded.until, accepted_by = NULL,'
		' reason = excluded.reason, accepted_at = NULL',
		target.name, replace(vmnet_internal.accepted_fingerprint(), '{inv}', quote_ident(target.name)), found)
	USING 'infinity'::timestamptz, quote_ident(target.name), target.kind IN ('mirror', 'live'), target.name, target.kind,
		code, wanted, observer, until, reason;
	GET DIAGNOSTICS accepted = ROW_COUNT;
	IF accepted = 0 THEN
		EXECUTE format('SELECT array_agg(DISTINCT o.object ORDER BY o.object) %s', found) INTO others
		USING 'infinity'::timestamptz, quote_ident(target.name), target.kind IN ('mirror', 'live'), target.name, target.kind, code;
		PERFORM vmnet_internal.accepted_nothing(code, object, observer, target.name, others);
	END IF;
	RETURN accepted;
END
$$;
COMMENT ON FUNCTION vmnet_internal.accept_finding(text, text, timestamptz, text, text, name) IS
'Body of vmnet.accept_finding(), run with the rights that this has switched to';

CREATE FUNCTION vmnet.accept_finding(code text, object text, until timestamptz, reason text, observer text DEFAULT NULL,
	inventory name DEFAULT NULL)
RETURNS int
AS 'MODULE_PATHNAME', 'inventory_entry'
LANGUAGE C COST 10000;
COMMENT ON FUNCTION vmnet.accept_finding(text, text, timestamptz, text, text, name) IS
'Accepts a finding of check_inventory(): it stays visible and does not count; returns how many findings are accepted
code, object: as in the columns of these names of check_inventory() (object: nic 42). until: from then on it counts again; NULL: without '
'an end. reason: why. object of what was observed: its MAC address, or observer NAME. observer: only what this observer sees; NULL: what '
'any sees, and other findings. inventory NULL: the setting vmnet.inventory.
An accepted finding does not count in inventory_status(), metrics and reports, and repair_inventory() leaves it alone. It counts again '
'when its time is over, its message changes or the object does: of a NIC the network, instance, state, addresses and those who share '
'them, and removals; of an instance its active NICs and its removal; of a network its ranges and its removal. Accepting again replaces '
'until and reason. Who accepts (the role of SET ROLE, or of the session), when and why is in <inventory>.accepted_findings; rows stay when '
'their time is over.
Needs the owner of the inventory, or an operator (grant_access()); findings about the inventory itself (object: inventory ...) need its '
'owner. inventory_incomplete and owner_differs cannot be accepted.
Errors: 22023 for an unknown inventory or code, an object without such a finding, a time that is over and an empty reason; 42501 for '
'roles without the privileges, with constraint accepted_owner_only for findings about the inventory itself.';

CREATE FUNCTION vmnet_internal.withdraw_acceptance(code text, object text, observer text, inventory name)
RETURNS int
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	target record := vmnet_internal.check_target($4);
	withdrawn int;
BEGIN
	EXECUTE format('DELETE FROM %I.accepted_findings a WHERE a.code = $1 AND a.object = $2 AND ($3 IS NULL OR a.observer = $3)',
		target.name) USING code, lower(btrim(object)), observer;
	GET DIAGNOSTICS withdrawn = ROW_COUNT;
	IF withdrawn = 0 THEN
		RAISE EXCEPTION USING
			ERRCODE = 'invalid_parameter_value',
			MESSAGE = format('no finding "%s" of object "%s"%s is accepted in inventory "%s"', code, object,
				' of observer ' || quote_ident(observer), target.name),
			DETAIL = 'Its table accepted_findings has no such row.',
			HINT = format('What is accepted is in the table %I.accepted_findings.', target.name);
	END IF;
	RETURN withdrawn;
END
$$;
COMMENT ON FUNCTION vmnet_internal.withdraw_acceptance(text, text, text, name) IS
'Body of vmnet.withdraw_acceptance(), run with the rights that this has switched to';

CREATE FUNCTION vmnet.withdraw_acceptance(code text, object text, observer text DEFAULT NULL, inventory name DEFAULT NULL)
RETURNS int
AS 'MODULE_PATHNAME', 'inventory_entry'
LANGUAGE C COST 100;
COMMENT ON FUNCTION vmnet.withdraw_acceptance(text, text, text, name) IS
'Takes back what accept_finding() did: the finding counts again; returns how many acceptances there were
code, object: as in accept_finding(), and in the table <inventory>.accepted_findings, where acceptances stay when their time is over. '
'observer NULL: of any. inventory NULL: the setting vmnet.inventory. Needs the same rights as accept_finding().
Errors: 22023 for an unknown inventory, and where nothing of the kind is accepted; 42501 as for accept_finding().';
