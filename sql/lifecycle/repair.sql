--
-- repair_inventory(): corrections of findings that lose nothing, made through the
-- guards like any other write
--

-- What can be done for a finding.  In statements, which run in this order, {inv}
-- is the inventory, {type} nic, instance or network, and $1 the id of the object.
-- Each looks again, since others may have been there meanwhile; the last one
-- writes.  A row of checks() names the one that is applied.
-- table of data
CREATE FUNCTION vmnet_internal.repair_remedies()
RETURNS TABLE (remedy text, statements text[])
LANGUAGE sql IMMUTABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $remedies$
VALUES
('remove', ARRAY[$$
UPDATE {inv}.all_nics n SET state = 'Deallocating', removed = now()
WHERE n.id = $1 AND n.removed IS NULL
	AND (NOT n.active OR EXISTS (SELECT FROM {inv}.all_instances i WHERE i.id = n.instance_id AND i.removed IS NOT NULL))$$]),
-- wait for those who are settling it themselves, and only then look
('default', ARRAY[$$
SELECT FROM {inv}.all_nics WHERE instance_id = $1 AND active AND default_nic ORDER BY id FOR NO KEY UPDATE$$, $$
UPDATE {inv}.all_nics SET default_nic = false
WHERE instance_id = $1 AND active AND default_nic AND id <>
	(SELECT n.id FROM {inv}.all_nics n WHERE n.instance_id = $1 AND n.active AND n.default_nic ORDER BY n.device_id, n.id LIMIT 1)$$]),
('uuid', ARRAY[$$
UPDATE {inv}.all_{type}s SET uuid = DEFAULT WHERE id = $1 AND uuid IS NULL$$])
$remedies$;
COMMENT ON FUNCTION vmnet_internal.repair_remedies() IS
'Part of repair_inventory(): the statements of each remedy';

-- What a repair would do, and why it leaves the rest alone.  remedy is NULL where
-- it refuses.  A NIC that two findings want removed is there once.
CREATE FUNCTION vmnet_internal.repair_plan(inventory_name name, only_code text, min_age interval)
RETURNS TABLE (code text, object_type text, object_id bigint, object_uuid uuid, remedy text, why text)
LANGUAGE plpgsql STABLE PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	RETURN QUERY EXECUTE format($q$
		SELECT p.code, p.object_type, p.object_id, p.object_uuid,
			CASE WHEN p.refusal IS NULL THEN p.remedy END, coalesce(p.refusal, p.message)
		FROM (
			SELECT j.*, row_number() OVER (PARTITION BY j.object_type, j.object_id, coalesce(j.remedy, j.code || j.message)
				ORDER BY j.refusal IS NOT NULL, j.ord) AS place
			FROM (
				SELECT f.*, r.repair AS remedy, CASE
					WHEN f.accepted THEN concat('accepted by ', f.accepted_by, ' until ' || f.accepted_until, ': ', f.accepted_reason)
					WHEN r.repair IS NULL THEN coalesce(r.refusal, 'its owner has to mend it before anything else')
					WHEN f.since > now() - $2 THEN 'younger than min_age'
					WHEN r.repair = 'remove' AND k.kind = 'mirror' AND n.active AND i.removed IS NOT NULL AND i.state = 'Expunging'
						THEN format('instance %%s may have been unmanaged, and run elsewhere with MAC address %%s', i.id, n.mac_address)
					-- its address may be in use at this moment
					WHEN r.repair = 'remove' AND coalesce(n.ip4_address, n.ip6_address) IS NOT NULL
						AND i.removed IS NULL AND i.state IS NULL
						THEN format('no instance says that its address %%s is free', host(coalesce(n.ip4_address, n.ip6_address)))
					WHEN r.repair = 'remove' AND coalesce(n.ip4_address, n.ip6_address) IS NOT NULL
						AND i.removed IS NULL AND i.state NOT IN ('Stopped', 'Destroyed', 'Expunging', 'Error')
						THEN format('instance %%s is %%s and may still use its address %%s', i.id, i.state,
							host(coalesce(n.ip4_address, n.ip6_address)))
					END AS refusal
				FROM (SELECT c.*, row_number() OVER () AS ord FROM vmnet.check_inventory($1, '0') c) f
					LEFT JOIN vmnet_internal.checks() r ON r.code = f.code
					LEFT JOIN %1$I.all_nics n ON f.object_type = 'nic' AND n.id = f.object_id
					LEFT JOIN %1$I.all_instances i ON i.id = n.instance_id
					CROSS JOIN vmnet_internal.inventory_facts($1) k
				WHERE ($3 IS NULL OR f.code = $3)
					-- what is too young to be a finding, and would be refused anyway
					AND (r.aged AND r.repair IS NULL AND f.since > now() - $2) IS NOT TRUE) j) p
		WHERE p.remedy IS NULL OR p.place = 1
		ORDER BY p.ord$q$, inventory_name)
	USING inventory_name, min_age, only_code;
END
$$;
COMMENT ON FUNCTION vmnet_internal.repair_plan(name, text, interval) IS
'Part of repair_inventory(): what a repair would mend, and why it leaves the rest alone';

CREATE FUNCTION vmnet_internal.repair_object(inventory_name name, remedy text, object_type text, object_id bigint)
RETURNS boolean
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	statement text;
	mended bigint := 0;
BEGIN
	FOR statement IN
		SELECT unnest(r.statements) FROM vmnet_internal.repair_remedies() r WHERE r.remedy = $2
	LOOP
		EXECUTE replace(replace(statement, '{inv}', quote_ident(inventory_name)), '{type}', object_type) USING object_id;
		GET DIAGNOSTICS mended = ROW_COUNT;
	END LOOP;
	RETURN mended > 0;
END
$$;
COMMENT ON FUNCTION vmnet_internal.repair_object(name, text, text, bigint) IS
'Part of repair_inventory(): one mend; false where there is nothing left to mend';

-- Refuses what cannot be repaired, or asked for.
CREATE FUNCTION vmnet_internal.repair_target(wanted name, code text, min_age interval)
RETURNS name
LANGUAGE plpgsql STABLE PARALLEL RESTRICTED
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	target record := vmnet_internal.check_target($1);
BEGIN
	PERFORM vmnet_internal.check_code($2, 'Omit it, or use NULL, for all codes.');
	PERFORM vmnet_internal.check_min_age($3, 'Omit it for 10 minutes.');
	IF target.kind <> 'managed' THEN
		RAISE EXCEPTION USING
			ERRCODE = 'invalid_parameter_value',
			MESSAGE = format('inventory "%s" cannot be repaired here', target.name),
			DETAIL = format('It is of kind %s: it shows what %s holds, where it has to be repaired.', target.kind,
				CASE target.kind WHEN 'attached' THEN format('table %s', vmnet_internal.attached_table(target.name, 'nics'))
					ELSE coalesce('"' || target.source || '"', 'the system that it mirrors') END),
			HINT = CASE target.kind WHEN 'attached' THEN format('vmnet.check_inventory(%L) says which rows it is about.', target.name)
				ELSE format('vmnet.check_inventory(%L) says in "fix" what to do at the source%s.', target.name,
					CASE target.kind WHEN 'mirror' THEN '; run vmnet.import_cloudstack() after that' ELSE '' END) END;
	END IF;
	RETURN target.name;
END
$$;
COMMENT ON FUNCTION vmnet_internal.repair_target(name, text, interval) IS
'Part of repair_inventory(): checks its arguments, and says which inventory they mean';

CREATE FUNCTION vmnet_internal.repair_inventory(
	inventory name,
	code text,
	dry_run boolean,
	min_age interval)
RETURNS TABLE (
	finding text,
	object_type text,
	object_id bigint,
	object_uuid uuid,
	outcome text,
	why text)
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	target name := vmnet_internal.repair_target($1, $2, $4);
	old_actor text := current_setting('vmnet.actor', true);
	old_reason text := current_setting('vmnet.reason', true);
	part record;
BEGIN
	FOR part IN SELECT p.* FROM vmnet_internal.repair_plan(target, $2, $4) p LOOP
		finding := part.code;
		object_type := part.object_type;
		object_id := part.object_id;
		object_uuid := part.object_uuid;
		why := part.why;
		outcome := CASE WHEN part.remedy IS NULL THEN 'refused' WHEN dry_run IS NOT FALSE THEN 'would be mended' END;
		IF outcome IS NULL THEN
			BEGIN
				-- what history says of who and why
				IF old_reason IS NOT NULL THEN
					PERFORM set_config('vmnet.reason', 'repair_inventory: ' || part.code, true);
				END IF;
				IF old_actor = '' THEN
					PERFORM set_config('vmnet.actor', session_user, true);
				END IF;
				IF vmnet_internal.repair_object(target, part.remedy, part.object_type, part.object_id) THEN
					outcome := 'mended';
				ELSE
					outcome := 'nothing left to mend';
				END IF;
				IF old_reason IS NOT NULL THEN
					PERFORM set_config('vmnet.reason', old_reason, true), set_config('vmnet.actor', old_actor, true);
				END IF;
			EXCEPTION WHEN integrity_constraint_violation OR insufficient_privilege THEN
				outcome := 'refused';
				why := SQLERRM;
			END;
		END IF;
		RETURN NEXT;
	END LOOP;
END
$$;
COMMENT ON FUNCTION vmnet_internal.repair_inventory(name, text, boolean, interval) IS
'Body of vmnet.repair_inventory(), run with the rights that this has switched to';

CREATE FUNCTION vmnet.repair_inventory(
	inventory name,
	code text DEFAULT NULL,
	dry_run boolean DEFAULT true,
	min_age interval DEFAULT '10 minutes')
RETURNS TABLE (
	finding text,
	object_type text,
	object_id bigint,
	object_uuid uuid,
	outcome text,
	why text)
AS 'MODULE_PATHNAME', 'inventory_entry'
LANGUAGE C COST 10000;
COMMENT ON FUNCTION vmnet.repair_inventory(name, text, boolean, interval) IS
'Repairs findings of check_inventory() where no data can be lost: one row per object, with the outcome
It finishes a half-done removal, removes the NICs of a removed instance, leaves an instance one of several default NICs (the lowest '
'device_id, then the lowest id) and fills in a missing uuid. outcome: mended; would be mended (dry_run, the default: nothing is changed); '
'refused, with the reason in why; nothing left to mend, where others were faster. It never frees an address that something may still use: '
'such findings are refused, as are half-removed NICs with an address whose instance is not known to be stopped, and accepted findings '
'(accept_finding()).
inventory NULL: the setting vmnet.inventory. code: one code of vmnet.check_codes(); NULL: all. dry_run NULL: true. min_age: what is '
'younger is refused. It goes through the guards with the caller''s rights; history gets vmnet.actor (the session''s user, where it is not '
'set) and a reason.
Errors: 22023 for an unknown inventory or code, a min_age that is NULL, negative or longer than 2000 years, and for a mirror, which has '
'to be mended at its source.';
