--
-- Modes of an attached inventory, and how it is detached
--

-- Name of an attached inventory, or an error.
CREATE FUNCTION vmnet_internal.attached_target(inventory text)
RETURNS text
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	found record;
BEGIN
	SELECT l.name, l.kind INTO found FROM vmnet_internal.inventory_facts(inventory) l;
	IF found.kind IS DISTINCT FROM 'attached' THEN
		RAISE EXCEPTION USING
			ERRCODE = 'invalid_parameter_value',
			MESSAGE = CASE WHEN found.kind IS NULL THEN format('inventory "%s" does not exist', coalesce(inventory, 'NULL'))
				ELSE format('inventory "%s" is not attached', inventory) END,
			DETAIL = CASE WHEN found.kind IS NULL THEN 'There is no inventory of this name.' ELSE format('Its kind is %s.', found.kind) END,
			HINT = 'The view vmnet.inventories lists what is there; vmnet.attach_inventory() attaches tables.';
	END IF;
	RETURN inventory;
END
$$;
COMMENT ON FUNCTION vmnet_internal.attached_target(text) IS
'Part of set_inventory_mode() and detach_inventory(): the name of an attached inventory; 22023 where it is none';

-- A guard works as the owner of its table, so all that it reads belongs to him.
CREATE FUNCTION vmnet_internal.attached_refuse_owners(inventory text)
RETURNS void
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	inventory_owner oid := (SELECT c.relowner FROM pg_catalog.pg_class c WHERE c.oid = format('%I.all_nics', inventory)::regclass);
	others record;
BEGIN
	SELECT string_agg(format('%s belongs to role "%s".', r.rel, pg_catalog.pg_get_userbyid(c.relowner)), E'\n' ORDER BY r.ord) AS detail,
		string_agg(format('ALTER %s %s OWNER TO %I;', CASE c.relkind WHEN 'v' THEN 'VIEW' ELSE 'TABLE' END, r.rel,
			pg_catalog.pg_get_userbyid(inventory_owner)), ' ' ORDER BY r.ord) AS hint
	INTO others
	FROM (
		SELECT vmnet_internal.attached_table(inventory, t.name), t.ord FROM unnest(ARRAY['nics', 'networks',
			'instances']) WITH ORDINALITY t (name, ord)
		UNION ALL
		SELECT c.oid::regclass, 3 + n.ord
		FROM unnest(ARRAY['attached_nics', 'attached_networks', 'attached_instances', 'inventory_info', 'nic_history',
			'nic_address_history']) WITH ORDINALITY n (name, ord)
			JOIN pg_catalog.pg_class c ON c.relname = n.name AND c.relnamespace = quote_ident(inventory)::regnamespace) r (rel, ord)
		JOIN pg_catalog.pg_class c ON c.oid = r.rel
	WHERE c.relowner <> inventory_owner;
	IF others.detail IS NOT NULL THEN
		RAISE EXCEPTION USING
			ERRCODE = 'insufficient_privilege',
			CONSTRAINT = 'inventory_owner',
			SCHEMA = inventory,
			MESSAGE = format('inventory "%s" cannot have guards: not all that they read belongs to its owner, role "%s"', inventory,
				pg_catalog.pg_get_userbyid(inventory_owner)),
			DETAIL = others.detail,
			HINT = others.hint;
	END IF;
END
$$;
COMMENT ON FUNCTION vmnet_internal.attached_refuse_owners(text) IS
'Part of set_inventory_mode(): the error where guards would read what does not belong to the owner of the inventory (42501, constraint '
'inventory_owner)';

-- Turns guards on, which looks at the rows: so it works as the owner.
CREATE FUNCTION vmnet_internal.attached_arm_as_owner(name text, mode text, force boolean)
RETURNS void
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	inventory text := vmnet_internal.attached_target($1);
BEGIN
	PERFORM vmnet_internal.attached_refuse_owners(inventory);
	IF $2 = 'enforce' AND $3 IS NOT TRUE THEN
		PERFORM vmnet_internal.attached_refuse_hidden(inventory, vmnet_internal.attached_table(inventory, 'nics'),
			vmnet_internal.attached_table(inventory, 'networks'), vmnet_internal.attached_table(inventory, 'instances'));
	END IF;
	PERFORM vmnet_internal.attached_say_mode(inventory, $2);
	PERFORM vmnet_internal.attached_triggers(inventory, true);
	-- now nobody writes what is not judged
	IF $2 = 'enforce' AND $3 IS NOT TRUE AND EXISTS (SELECT FROM vmnet_internal.attached_violations(inventory)) THEN
		PERFORM vmnet_internal.attached_refuse_enforce(inventory);
	END IF;
	-- with guards there is a history to report
	PERFORM vmnet_internal.renew_reports(inventory);
END
$$;
COMMENT ON FUNCTION vmnet_internal.attached_arm_as_owner(text, text, boolean) IS
'Body of vmnet_internal.attached_arm(), run with the rights that this has switched to';

CREATE FUNCTION vmnet_internal.attached_arm(name text, mode text, force boolean)
RETURNS void
AS 'MODULE_PATHNAME', 'inventory_entry_any'
LANGUAGE C COST 100;
COMMENT ON FUNCTION vmnet_internal.attached_arm(text, text, boolean) IS
'Part of set_inventory_mode(): turns the guards of an attached inventory on, in mode enforce or warn';

CREATE FUNCTION vmnet_internal.attached_say_mode(inventory text, mode text)
RETURNS void
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	PERFORM vmnet_internal.build_info(inventory, 'attached', NULL, mode, vmnet.version());
END
$$;
COMMENT ON FUNCTION vmnet_internal.attached_say_mode(text, text) IS
'Part of set_inventory_mode(): writes the mode into the view inventory_info';

-- Taking guards away looks at the catalogs alone.  It is done as the caller, who
-- may have the rights of both owners where table and inventory have two.
CREATE FUNCTION vmnet_internal.set_inventory_mode(name text, mode text, force boolean DEFAULT false)
RETURNS void
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	inventory text := vmnet_internal.attached_target($1);
BEGIN
	PERFORM vmnet_internal.attached_refuse(inventory, vmnet_internal.attached_problems(
		vmnet_internal.attached_table(inventory, 'nics'), vmnet_internal.attached_table(inventory, 'networks'),
			vmnet_internal.attached_table(inventory, 'instances'), '{}', $2),
		'the mode of inventory "%s" cannot change', 'Guards need ordinary tables; read_only needs none.');
	IF $2 = 'read_only' THEN
		PERFORM vmnet_internal.attached_say_mode(inventory, $2);
		PERFORM vmnet_internal.attached_triggers(inventory, false);
	ELSE
		PERFORM vmnet_internal.attached_arm(inventory, $2, $3);
	END IF;
END
$$;
COMMENT ON FUNCTION vmnet_internal.set_inventory_mode(text, text, boolean) IS
'Body of vmnet.set_inventory_mode(), run as the caller';

CREATE FUNCTION vmnet.set_inventory_mode(name text, mode text, force boolean DEFAULT false)
RETURNS void
AS 'MODULE_PATHNAME', 'caller_entry'
LANGUAGE C COST 10000;
COMMENT ON FUNCTION vmnet.set_inventory_mode(text, text, boolean) IS
'Changes what the guards of an attached inventory do: enforce (errors), warn (warnings), read_only (no guards)
enforce is refused while the tables violate the rules (23514, constraint attached_violations), unless force is true: then only what is '
'new is judged. It makes the guards anew.
Errors: 42501 with constraint attached_rows_hidden for enforce where row-level policies may hide violations from the caller, unless force '
'is true; 42501 with constraint inventory_owner for enforce and warn where the tables, or views that guards read, belong to another role '
'than the inventory; 22023 for an inventory that is not attached and an unknown mode.';

-- This drops what is there and runs nothing of it, so it works as the caller.
CREATE FUNCTION vmnet_internal.detach_inventory(name text)
RETURNS void
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	inventory text := vmnet_internal.attached_target($1);
	part record;
BEGIN
	FOR part IN SELECT g.rel, g.name FROM vmnet_internal.attached_guards(inventory) g LOOP
		EXECUTE format('DROP TRIGGER %I ON %s', part.name, part.rel);
	END LOOP;
	-- without CASCADE: what others have built on the views is not taken along
	FOR part IN
		SELECT c.relname, c.relkind FROM pg_catalog.pg_class c
		WHERE c.relnamespace = quote_ident(inventory)::regnamespace AND (c.relkind = 'v'
			OR c.relkind IN ('r', 'p')
				AND (c.relname IN ('nic_history', 'nic_address_history', 'nic_history_unpartitioned', 'accepted_findings')
					OR vmnet_internal.has_reality(inventory) AND c.relname IN ('observers', 'segments', 'sightings', 'sighting_history',
						'sighting_history_unpartitioned', 'observation_log')))
		-- partition_history() leaves a table behind that counts with nic_history
		ORDER BY c.relkind <> 'v', c.relname = 'nic_history', c.oid DESC
	LOOP
		EXECUTE format('DROP %s %I.%I', CASE part.relkind WHEN 'v' THEN 'VIEW' ELSE 'TABLE' END, inventory, part.relname);
	END LOOP;
	EXECUTE format('DROP SCHEMA %I', inventory);
END
$$;
COMMENT ON FUNCTION vmnet_internal.detach_inventory(text) IS
'Body of vmnet.detach_inventory(), run as the caller';

CREATE FUNCTION vmnet.detach_inventory(name text)
RETURNS void
AS 'MODULE_PATHNAME', 'caller_entry'
LANGUAGE C COST 10000;
COMMENT ON FUNCTION vmnet.detach_inventory(text) IS
'Takes an attached inventory away: its guards, its views, its history, its acceptances and its schema; the tables stay as they were
What others have built on its views is in the way (2BP01). The history is lost: copy nic_history first if it matters.
Error: 22023 for an inventory that is not attached.';
