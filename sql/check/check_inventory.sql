--
-- check_inventory() and inventory_status().  They only read, with the rights of
-- the owner of the inventory where the caller has these.
--

CREATE FUNCTION vmnet_internal.check_target(wanted name, OUT name text, OUT kind text, OUT source text, OUT owner_id oid)
RETURNS record
LANGUAGE plpgsql STABLE PARALLEL RESTRICTED
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	resolved name := vmnet_internal.resolve_inventory(wanted);
BEGIN
	SELECT l.name, l.kind, l.source, l.owner_id INTO name, kind, source, owner_id
	FROM vmnet_internal.inventory_facts(resolved) l;
	IF name IS NULL THEN
		RAISE EXCEPTION USING
			ERRCODE = 'invalid_parameter_value',
			MESSAGE = format('inventory "%s" cannot be checked', resolved),
			DETAIL = 'Its view inventory_info does not say of which kind it is.',
			HINT = 'The view vmnet.inventories lists what is there.';
	END IF;
	IF kind = 'attached' AND (SELECT o.view IS NOT NULL FROM vmnet_internal.attached_other_keys(resolved) o) THEN
		RAISE EXCEPTION USING
			ERRCODE = 'invalid_parameter_value',
			MESSAGE = format('inventory "%s" cannot be checked', resolved),
			DETAIL = 'Not all of its ids are of type bigint, by which findings identify objects.',
			HINT = format('Its views answer: %I.network_validation shows where ways of counting differ.', resolved);
	END IF;
END
$$;
COMMENT ON FUNCTION vmnet_internal.check_target(name) IS
'Part of check_inventory(): name, kind and source of the inventory that a call means
NULL: the setting vmnet.inventory. Error: 22023 for an unknown inventory.';

CREATE FUNCTION vmnet_internal.check_code(code text, hint text)
RETURNS void
LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	IF code IS NOT NULL AND NOT EXISTS (SELECT FROM vmnet.check_codes() c WHERE c.code = $1) THEN
		RAISE EXCEPTION USING
			ERRCODE = 'invalid_parameter_value',
			MESSAGE = format('unknown code of a finding: "%s"', code),
			DETAIL = format('Valid codes are: %s.', (SELECT string_agg(c.code, ', ' ORDER BY c.ord) FROM vmnet.check_codes() c)),
			HINT = hint;
	END IF;
END
$$;
COMMENT ON FUNCTION vmnet_internal.check_code(text, text) IS
'Part of repair_inventory() and accept_finding(): refuses a code that no finding has; NULL is none';

-- Each part of an interval is subtracted by itself, so each has to be in range.
CREATE FUNCTION vmnet_internal.check_min_age(min_age interval, hint text)
RETURNS void
LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	IF min_age IS NULL OR min_age < interval '0' THEN
		RAISE EXCEPTION USING
			ERRCODE = 'invalid_parameter_value',
			MESSAGE = 'min_age must be an interval that is not negative',
			DETAIL = format('It is %s.', coalesce(min_age::text, 'NULL')),
			HINT = hint;
	ELSIF abs(extract(year FROM min_age)) > 2000 OR abs(extract(day FROM min_age)) > 730000
		OR abs(extract(hour FROM min_age)) > 17520000 THEN
		RAISE EXCEPTION USING
			ERRCODE = 'invalid_parameter_value',
			MESSAGE = 'min_age must be an interval of at most 2000 years',
			DETAIL = format('It is %s.', min_age),
			HINT = hint;
	END IF;
END
$$;
COMMENT ON FUNCTION vmnet_internal.check_min_age(interval, text) IS
'Part of check_inventory() and repair_inventory(): refuses a min_age that is NULL, negative or longer than there has been time';

-- The relations that an inventory of a kind consists of and this one lacks; NULL
-- where it lacks none.
CREATE FUNCTION vmnet_internal.check_lacking(inventory_name text, kind text)
RETURNS text
LANGUAGE sql STABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $$
SELECT string_agg(w.relation, ', ' ORDER BY w.relation)
FROM (
	SELECT f.relation
	FROM vmnet_internal.check_expected_facts(CASE WHEN $2 IN ('mirror', 'attached', 'live') THEN $2 ELSE 'managed' END) f
	WHERE f.sort IN ('table', 'view', 'plain view') AND f.relation !~ '^import_'
	UNION
	SELECT 'attached_nics' WHERE $2 = 'attached') w (relation)
WHERE NOT EXISTS (
	SELECT FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace s ON s.oid = c.relnamespace
	WHERE s.nspname = $1 AND c.relname = w.relation AND c.relkind IN ('r', 'p', 'v'))
$$;
COMMENT ON FUNCTION vmnet_internal.check_lacking(text, text) IS
'Part of check_inventory(): the relations that an inventory lacks, as a list; NULL where it lacks none';

CREATE FUNCTION vmnet_internal.check_incomplete(message text)
RETURNS TABLE (code text, severity text, object_type text, object_id bigint, object_uuid uuid, since timestamptz, message text, fix text)
LANGUAGE sql STABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $$
SELECT c.code, c.severity, 'inventory', NULL::bigint, NULL::uuid, NULL::timestamptz, $1, NULL::text
FROM vmnet.check_codes() c WHERE c.code = 'inventory_incomplete'
$$;
COMMENT ON FUNCTION vmnet_internal.check_incomplete(text) IS
'Part of check_inventory(): the finding that an inventory is not complete';

CREATE FUNCTION vmnet_internal.check_inventory(
	inventory name,
	min_age interval,
	codes text[])
RETURNS TABLE (
	code text,
	severity text,
	object_type text,
	object_id bigint,
	object_uuid uuid,
	since timestamptz,
	message text,
	fix text,
	object text,
	accepted boolean,
	accepted_until timestamptz,
	accepted_by text,
	accepted_reason text)
LANGUAGE plpgsql STABLE PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
-- compiling so many expressions takes longer than running them, and workers
-- would each group all NICs again
SET jit = off
SET max_parallel_workers_per_gather = 0
AS $$
DECLARE
	target record := vmnet_internal.check_target($1);
	lacking text;
BEGIN
	PERFORM vmnet_internal.check_min_age($2, 'Omit it for 10 minutes; 0 finds everything.');
	IF array_position($3, NULL) IS NOT NULL THEN
		RAISE EXCEPTION USING
			ERRCODE = 'invalid_parameter_value',
			MESSAGE = 'codes must not contain NULL',
			DETAIL = format('It is %s.', $3),
			HINT = 'Omit codes to search all of them.';
	END IF;
	PERFORM vmnet_internal.check_code(c, 'SELECT code, about FROM vmnet.check_codes() lists the codes.') FROM unnest($3) c;
	lacking := vmnet_internal.check_lacking(target.name, target.kind);
	IF lacking IS NOT NULL THEN
		RETURN QUERY SELECT f.*, 'inventory', false, NULL::timestamptz, NULL, NULL
		FROM vmnet_internal.check_incomplete(format('inventory "%s" of kind %s lacks: %s', target.name, target.kind, lacking)) f;
		RETURN;
	END IF;
	BEGIN
		PERFORM vmnet_internal.require_one_owner(target.name);
		RETURN QUERY EXECUTE (SELECT replace(format($q$
			SELECT f.code, f.severity, f.object_type, f.object_id, f.object_uuid, f.since, %s, %s, %s
			FROM (%s) f %s
			ORDER BY f.ord, f.object_type, f.object_id, f.message$q$, o.message, o.fix, vmnet_internal.accepted_columns(),
			vmnet_internal.check_all_query(target.name, $3), vmnet_internal.accepted_join(false)), '{inv}', quote_ident(target.name))
			FROM vmnet_internal.check_output(target.kind, target.source) o)
		-- with an age of 0, changes of this transaction are old enough, too
		USING CASE WHEN min_age = interval '0' THEN 'infinity' ELSE now() - min_age END, quote_ident(target.name),
			target.kind IN ('mirror', 'live'), target.name, target.kind;
	EXCEPTION WHEN OTHERS THEN
		-- a caller without rights on the inventory gets the error; a check of all
		-- inventories continues after one that is damaged, or is none
		IF SQLSTATE = '42501' AND NOT pg_has_role(current_user, target.owner_id, 'USAGE') THEN
			RAISE;
		END IF;
		RETURN QUERY SELECT i.*, 'inventory', false, NULL::timestamptz, NULL, NULL
		FROM (
			SELECT f.* FROM vmnet_internal.check_incomplete(format('the rows of inventory "%s" cannot be checked: %s',
				target.name, SQLERRM)) f
			UNION ALL
			SELECT g.code, coalesce(c.severity, 'error'), 'inventory', NULL, NULL, NULL, g.message, g.fix
			FROM vmnet_internal.check_guards(target.name, target.kind) g LEFT JOIN vmnet.check_codes() c ON c.code = g.code
			WHERE $3 IS NULL OR g.code = ANY ($3)) i;
	END;
END
$$;
COMMENT ON FUNCTION vmnet_internal.check_inventory(name, interval, text[]) IS
'Body of vmnet.check_inventory(), run with the rights that this has switched to';

CREATE FUNCTION vmnet.check_inventory(
	inventory name DEFAULT NULL,
	min_age interval DEFAULT '10 minutes',
	codes text[] DEFAULT NULL)
RETURNS TABLE (
	code text,
	severity text,
	object_type text,
	object_id bigint,
	object_uuid uuid,
	since timestamptz,
	message text,
	fix text,
	object text,
	accepted boolean,
	accepted_until timestamptz,
	accepted_by text,
	accepted_reason text)
AS 'MODULE_PATHNAME', 'inventory_entry_any'
LANGUAGE C STABLE PARALLEL UNSAFE COST 10000;
COMMENT ON FUNCTION vmnet.check_inventory(name, interval, text[]) IS
'Contradictions in an inventory: one row per finding, the most severe first; no row where there is none
code, severity (error, warning, info) and their meanings: vmnet.check_codes(). object_type (nic, instance, network, address; observer '
'for what was seen and is of no object; inventory for a guard, and for what differs from the definition of the inventory), object_id and '
'object_uuid say what it is about, since when it has been so as far as the rows tell (NULL: they do not), message what was found, fix '
'the statement that mends it. Several statements in one fix belong into one transaction. fix NULL: no statement can mend it. '
'object: what accept_finding() takes; accepted: whether it is '
'accepted now (an accepted finding does not count in inventory_status() and metrics), until when (NULL: without an end), by which role '
'and why.
In a mirror, and a live inventory, rows are mended at the source: fix is the call of CloudStack''s API that does it, as "CloudStack API: '
'updateVmNicIp nicid=...", or, where nothing but the database knows (a uuid, a counter, the state of a row that was removed more than a '
'day ago), a statement for its MySQL tables; NULL where neither is safe, with the reason at the end of message. A source of another kind '
'has no fix. Only guards, and what differs from the definition, are mended here. What needs a column that the source lacks is not looked '
'for. Over attached tables rows are mended in these, so fix is NULL but for what the '
'inventory itself consists of, and what needs a column that they lack is not looked for; without a vm_type every NIC counts as User.
inventory NULL: the setting vmnet.inventory. min_age: half_removed_nic and stuck_nic are findings from that age on. codes: only these '
'are searched (NULL: all); inventory_incomplete is reported in any case. What a valid unique index of the definition keeps is not searched '
'again. Reads only, with the '
'caller''s rights: what a policy hides from the caller is not checked. Constraints and indexes are known by what they are, not by their '
'names; of a view the names of its columns are looked at, and what it reads.
Errors: 22023 for an unknown inventory, for a min_age that is NULL, negative or longer than 2000 years, and for an unknown code or a NULL '
'in codes.';

CREATE FUNCTION vmnet_internal.inventory_status(inventory name)
RETURNS int
LANGUAGE sql STABLE PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
AS $$
SELECT CASE WHEN EXISTS (
		SELECT FROM vmnet.check_inventory($1, codes => ARRAY(SELECT c.code FROM vmnet.check_codes() c WHERE c.severity = 'error')) f
		WHERE NOT f.accepted AND f.severity = 'error') THEN 3 ELSE 0 END
$$;
COMMENT ON FUNCTION vmnet_internal.inventory_status(name) IS
'Body of vmnet.inventory_status(), run with the rights that this has switched to';

CREATE FUNCTION vmnet.inventory_status(inventory name DEFAULT NULL)
RETURNS int
AS 'MODULE_PATHNAME', 'inventory_entry_any'
LANGUAGE C STABLE PARALLEL UNSAFE COST 10000;
COMMENT ON FUNCTION vmnet.inventory_status(name) IS
'0: check_inventory() finds no error in an inventory; 3: it does
For a monitoring probe. Warnings do not count, nor do accepted findings (accept_finding()). NULL: the setting vmnet.inventory. Error: '
'22023 for an unknown inventory.';
