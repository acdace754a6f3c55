--
-- repair_inventory(): corrections of findings that lose nothing, made through the
-- guards like any other write
--

-- What a repair would do, and why it leaves the rest alone.  remedy: remove,
-- default, uuid; NULL where it refuses.  A NIC that two findings want removed
-- is there once.
CREATE FUNCTION vmnet_internal.repair_plan(inventory_name name, only_code text, min_age interval)
RETURNS TABLE (code text, object_type text, object_id bigint, object_uuid uuid, remedy text, why text)
LANGUAGE plpgsql STABLE PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	RETURN QUERY EXECUTE format($q$
		SELECT p.code, p.object_type, p.object_id, p.object_uuid, CASE WHEN p.refusal IS NULL THEN p.remedy END, coalesce(p.refusal, p.message)
		FROM (
			SELECT j.*, row_number() OVER (PARTITION BY j.object_type, j.object_id, coalesce(j.remedy, j.code || j.message)
				ORDER BY j.refusal IS NOT NULL, j.ord) AS place
			FROM (
				SELECT f.*, r.remedy, CASE
					WHEN r.remedy IS NULL THEN r.reason
					WHEN f.since > now() - $2 THEN 'younger than min_age'
					-- somebody may be using its address at this moment
					WHEN f.code = 'half_removed_nic' AND coalesce(n.ip4_address, n.ip6_address) IS NOT NULL
						AND i.removed IS NULL AND i.state IS NULL
						THEN format('no instance says that its address %%s is free', host(coalesce(n.ip4_address, n.ip6_address)))
					WHEN f.code = 'half_removed_nic' AND coalesce(n.ip4_address, n.ip6_address) IS NOT NULL
						AND i.removed IS NULL AND i.state NOT IN ('Stopped', 'Destroyed', 'Expunging', 'Error')
						THEN format('instance %%s is %%s and may still use its address %%s', i.id, i.state, host(coalesce(n.ip4_address, n.ip6_address)))
					END AS refusal
				FROM (
					SELECT c.*, row_number() OVER () AS ord FROM vmnet.check_inventory($1, '0') c
					WHERE ($3 IS NULL OR c.code = $3)
						AND (c.code <> 'stuck_nic' OR c.since <= now() - $2)) f
					CROSS JOIN LATERAL (VALUES
						('half_removed_nic', 'remove', NULL),
						('live_nic_on_removed_instance', 'remove', NULL),
						('default_nic_double', 'default', NULL),
						('missing_uuid', 'uuid', NULL),
						(f.code, NULL, CASE
							WHEN f.object_type = 'inventory' THEN 'its owner has to mend it before anything else'
							WHEN f.code = 'history_chain_broken' THEN 'what happened cannot be made up'
							WHEN f.code IN ('removed_nic_wrong_state', 'unknown_state') THEN 'the guards do not let its state change'
							WHEN f.code = 'default_nic_missing' THEN 'which NIC it should be is for its owner to say'
							WHEN f.code = 'counter_drift' THEN 'the counter belongs to another system'
							ELSE 'something may still use its address' END)) r (code, remedy, reason)
					LEFT JOIN %1$I.all_nics n ON f.object_type = 'nic' AND n.id = f.object_id
					LEFT JOIN %1$I.all_instances i ON i.id = n.instance_id
				WHERE r.code = f.code
					AND (r.remedy IS NOT NULL OR f.code NOT IN ('half_removed_nic', 'live_nic_on_removed_instance', 'default_nic_double', 'missing_uuid'))) j) p
		WHERE p.remedy IS NULL OR p.place = 1
		ORDER BY p.ord$q$, inventory_name)
	USING inventory_name, min_age, only_code;
END
$$;
COMMENT ON FUNCTION vmnet_internal.repair_plan(name, text, interval) IS
'Part of repair_inventory(): what a repair would mend, and why it leaves the rest alone';

-- One mend.  Each looks again, since others may have been there meanwhile.
-- False: there is nothing left to mend.
CREATE FUNCTION vmnet_internal.repair_object(inventory_name name, remedy text, object_type text, object_id bigint)
RETURNS boolean
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	mended bigint;
BEGIN
	IF remedy = 'remove' THEN
		EXECUTE format('UPDATE %1$I.all_nics n SET state = ''Deallocating'', removed = now() WHERE n.id = $1 AND n.removed IS NULL'
			' AND (NOT n.active OR EXISTS (SELECT FROM %1$I.all_instances i WHERE i.id = n.instance_id AND i.removed IS NOT NULL))', inventory_name)
		USING object_id;
	ELSIF remedy = 'default' THEN
		-- wait for those who are settling it themselves, and only then look
		EXECUTE format('SELECT FROM %I.all_nics WHERE instance_id = $1 AND active AND default_nic ORDER BY id FOR NO KEY UPDATE', inventory_name)
		USING object_id;
		EXECUTE format('UPDATE %1$I.all_nics SET default_nic = false WHERE instance_id = $1 AND active AND default_nic AND id <>'
			' (SELECT n.id FROM %1$I.all_nics n WHERE n.instance_id = $1 AND n.active AND n.default_nic ORDER BY n.device_id, n.id LIMIT 1)', inventory_name)
		USING object_id;
	ELSE
		EXECUTE format('UPDATE %I.%I SET uuid = DEFAULT WHERE id = $1 AND uuid IS NULL', inventory_name, 'all_' || object_type || 's')
		USING object_id;
	END IF;
	GET DIAGNOSTICS mended = ROW_COUNT;
	RETURN mended > 0;
END
$$;
COMMENT ON FUNCTION vmnet_internal.repair_object(name, text, text, bigint) IS
'Part of repair_inventory(): one mend; false where there is nothing left to mend';

-- Refuses what cannot be repaired, or asked for.
CREATE FUNCTION vmnet_internal.repair_target(wanted name, code text, min_age interval)
RETURNS name
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	target record := vmnet_internal.check_target($1);
BEGIN
	IF code IS NOT NULL AND NOT EXISTS (SELECT FROM vmnet.check_codes() c WHERE c.code = $2) THEN
		RAISE EXCEPTION USING
			ERRCODE = 'invalid_parameter_value',
			MESSAGE = format('unknown code of a finding: "%s"', code),
			DETAIL = format('There are: %s.', (SELECT string_agg(c.code, ', ' ORDER BY c.ord) FROM vmnet.check_codes() c)),
			HINT = 'Leave it out, or give NULL, for all of them.';
	END IF;
	PERFORM vmnet_internal.check_min_age($3, 'Leave it out for 10 minutes.');
	IF target.kind <> 'managed' THEN
		RAISE EXCEPTION USING
			ERRCODE = 'invalid_parameter_value',
			MESSAGE = format('inventory "%s" cannot be repaired here', target.name),
			DETAIL = format('It is of kind %s: it holds what %s holds, and the mend belongs there.', target.kind,
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
LANGUAGE C COST 100;
COMMENT ON FUNCTION vmnet.repair_inventory(name, text, boolean, interval) IS
'Mends what check_inventory() finds, where that cannot lose anything: one row per object, with what came of it
It finishes a half-done removal, removes the NICs of a removed instance, leaves an instance one of several default NICs (the lowest device_id, then the lowest id) and fills in a missing uuid. outcome: mended; would be mended (dry_run, the default: nothing is changed); refused, with the reason in why; nothing left to mend, where others were faster. It never frees an address that something may still use: such findings are refused, as are half-removed NICs with an address whose instance is not known to be stopped.
inventory NULL: the setting vmnet.inventory. code: one code of vmnet.check_codes(); NULL: all. dry_run NULL: true. min_age: what is younger is refused. It goes through the guards with the caller''s rights; history gets vmnet.actor (the session''s user, where it is not set) and a reason.
Errors: 22023 for an unknown inventory or code, a min_age that is NULL, negative or longer than 2000 years, and for a mirror, which has to be mended at its source.';
