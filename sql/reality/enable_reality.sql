--
-- An inventory takes observations
--

-- Whether enable_reality() was called for an inventory.
CREATE FUNCTION vmnet_internal.has_reality(inventory_name text)
RETURNS boolean
LANGUAGE sql STABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $$
SELECT EXISTS (
	SELECT FROM pg_catalog.pg_namespace s
		JOIN pg_catalog.pg_class c ON c.relnamespace = s.oid AND c.relname IN ('sightings', 'sighting_history') AND c.relkind IN ('r', 'p')
		JOIN pg_catalog.pg_attribute a ON a.attrelid = c.oid AND a.attname = 'observations' AND NOT a.attisdropped
	WHERE s.nspname = $1)
$$;
COMMENT ON FUNCTION vmnet_internal.has_reality(text) IS
'Whether enable_reality() was called for an inventory: it has a table of what is seen, or of what was';

CREATE FUNCTION vmnet_internal.reality_refuse_names(inventory text)
RETURNS void
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	taken text := (SELECT string_agg(o.name, ', ' ORDER BY o.ord)
		FROM vmnet_internal.inventory_objects('reality', '{tables,views}') o
		WHERE to_regclass(format('%I.%I', inventory, o.name)) IS NOT NULL);
BEGIN
	IF taken IS NOT NULL AND NOT vmnet_internal.has_reality(inventory) THEN
		RAISE EXCEPTION USING
			ERRCODE = 'invalid_parameter_value', SCHEMA = inventory,
			MESSAGE = format('inventory "%s" has relations with names that are needed for observations', inventory),
			DETAIL = format('They are: %s. They were not changed.', taken),
			HINT = 'Rename them, or move them to another schema.';
	END IF;
END
$$;
COMMENT ON FUNCTION vmnet_internal.reality_refuse_names(text) IS
'Part of enable_reality(): refuses where a relation that is none of its own has a name that it needs';

-- Makes what is not there; views and triggers are replaced.
CREATE FUNCTION vmnet_internal.enable_reality(name name)
RETURNS void
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	info record := vmnet_internal.report_inventory($1);
	version text := vmnet.version();
	key_types jsonb;
	part record;
BEGIN
	PERFORM vmnet_internal.reality_refuse_names(info.name);
	key_types := jsonb_build_object('network', (SELECT format_type(a.atttypid, NULL)
		FROM pg_catalog.pg_attribute a
		WHERE a.attrelid = format('%I.all_networks', info.name)::regclass AND a.attname = 'id'));
	FOR part IN
		SELECT d.ddl, d.object, d.comment
		FROM vmnet_internal.inventory_definition('reality', NULL, key_types, or_replace => true) d
		WHERE d.phase IN ('views', 'triggers')
			OR to_regclass(format('%I.%I', info.name, d.name)) IS NULL AND NOT EXISTS (
				SELECT FROM pg_catalog.pg_constraint c
				WHERE c.conrelid = to_regclass(format('%I.%I', info.name, d.relation)) AND c.conname = d.name)
		ORDER BY d.ord
	LOOP
		PERFORM vmnet_internal.build_object(part.ddl, part.object, part.comment, info.name, info.kind, info.source, NULL, version);
	END LOOP;
	PERFORM vmnet_internal.comment_inventory(info.name);
	PERFORM vmnet_internal.renew_reports(info.name);
END
$$;
COMMENT ON FUNCTION vmnet_internal.enable_reality(name) IS
'Body of vmnet.enable_reality(), run with the rights that this has switched to';

CREATE FUNCTION vmnet.enable_reality(name name)
RETURNS void
AS 'MODULE_PATHNAME', 'inventory_entry'
LANGUAGE C COST 10000;
COMMENT ON FUNCTION vmnet.enable_reality(name) IS
'Lets an inventory of any kind take observations: what hypervisors, switches, leases and the cloud''s own API say
Makes the tables observers, segments, sightings, sighting_history and observation_log, and the view seen, in its schema. NULL: the setting '
'vmnet.inventory. An inventory that has them already gets what it lacks of them. Nothing that is observed changes the inventory itself. '
'Register who observes by INSERT INTO <inventory>.observers (name, kind); then call vmnet.observe().
Needs the owner of the inventory. Errors: 22023 for an unknown inventory, and where other relations have these names; 42501 for others '
'than the owner.';
