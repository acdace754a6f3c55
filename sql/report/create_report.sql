--
-- A reporting schema is made
--

-- Schemas with a report on an inventory, of any owner.  A report has a view
-- networks that reads the networks of the inventory, and a dictionary that tells
-- its schema by the row type of this view.  (Reports on a relation itself, or on
-- its row type where the inventory is an attached one.)
CREATE FUNCTION vmnet_internal.report_candidates(inventory_name text)
RETURNS TABLE (schema_name name, tenant boolean, owners oid[])
LANGUAGE sql STABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $$
SELECT DISTINCT n.nspname, coalesce(v.reloptions @> '{security_invoker=true}', false),
	ARRAY(SELECT n.nspowner UNION
		SELECT c.relowner FROM pg_catalog.pg_class c
		WHERE c.relnamespace = n.oid AND c.relkind = 'v'
			AND c.relname IN (SELECT d.name FROM vmnet_internal.report_definition('managed') d))
FROM pg_catalog.pg_namespace i
	JOIN pg_catalog.pg_class w ON w.relname = 'all_networks' AND w.relnamespace = i.oid
	JOIN pg_catalog.pg_depend d ON d.classid = 'pg_catalog.pg_rewrite'::regclass
		AND (d.refclassid = 'pg_catalog.pg_class'::regclass AND d.refobjid = w.oid
			OR d.refclassid = 'pg_catalog.pg_type'::regclass AND d.refobjid = w.reltype)
	JOIN pg_catalog.pg_rewrite r ON r.oid = d.objid
	JOIN pg_catalog.pg_class v ON v.oid = r.ev_class AND v.relname = 'networks' AND v.relkind = 'v'
	JOIN pg_catalog.pg_namespace n ON n.oid = v.relnamespace AND n.oid <> i.oid
WHERE i.nspname = $1
	AND EXISTS (
		SELECT FROM pg_catalog.pg_class c
			JOIN pg_catalog.pg_rewrite x ON x.ev_class = c.oid
			JOIN pg_catalog.pg_depend e ON e.classid = 'pg_catalog.pg_rewrite'::regclass AND e.objid = x.oid
				AND e.refclassid = 'pg_catalog.pg_type'::regclass AND e.refobjid = v.reltype
		WHERE c.relnamespace = n.oid AND c.relname = 'data_dictionary' AND c.relkind = 'v')
$$;
COMMENT ON FUNCTION vmnet_internal.report_candidates(text) IS
'Part of report_schemas(): schemas with a report on an inventory, and all who own the schema or a view of the report';

CREATE FUNCTION vmnet.report_schemas(inventory name DEFAULT NULL)
RETURNS TABLE (schema_name name, tenant boolean)
LANGUAGE sql STABLE PARALLEL RESTRICTED
SET search_path = pg_catalog, pg_temp
AS $$
SELECT c.schema_name, c.tenant
FROM vmnet_internal.inventory_facts(vmnet_internal.resolve_inventory($1)) l, vmnet_internal.report_candidates(l.name) c
WHERE c.owners = ARRAY[l.owner_id]
ORDER BY c.schema_name
$$;
COMMENT ON FUNCTION vmnet.report_schemas(name) IS
'Reporting schemas of an inventory, and whether they are for tenants
Found from the catalogs: schemas and views that belong to the owner of the inventory. NULL: the setting vmnet.inventory. Error: 22023 for '
'an unknown inventory.';

CREATE FUNCTION vmnet_internal.report_refuse(state text, message text, detail text, hint text)
RETURNS void
LANGUAGE plpgsql STABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	RAISE EXCEPTION USING ERRCODE = state, MESSAGE = message, DETAIL = detail, HINT = hint;
END
$$;
COMMENT ON FUNCTION vmnet_internal.report_refuse(text, text, text, text) IS
'Part of create_report() and grant_access(): raises an error';

-- The inventory that a call means, whose owner the caller has to be.
CREATE FUNCTION vmnet_internal.report_inventory(wanted name, OUT name text, OUT kind text, OUT source text)
RETURNS record
LANGUAGE plpgsql STABLE PARALLEL RESTRICTED
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	resolved name := vmnet_internal.resolve_inventory(wanted);
	owner oid;
BEGIN
	SELECT l.name, l.kind, l.source, l.owner_id INTO name, kind, source, owner
	FROM vmnet_internal.inventory_facts(resolved) l;
	IF name IS NULL THEN
		PERFORM vmnet_internal.report_refuse('22023', format('inventory "%s" cannot be used', resolved),
			'Its view inventory_info does not say of which kind it is.', 'The view vmnet.inventories lists what is there.');
	ELSIF NOT pg_has_role(current_user, owner, 'USAGE') THEN
		PERFORM vmnet_internal.report_refuse('42501', format('must be owner of inventory "%s"', resolved),
			format('It belongs to role "%s".', pg_get_userbyid(owner)),
			format('Have its owner do it, or become it: SET ROLE %I;', pg_get_userbyid(owner)));
	END IF;
END
$$;
COMMENT ON FUNCTION vmnet_internal.report_inventory(name) IS
'Part of create_report() and grant_access(): the inventory that a call means, if the caller owns it
Errors: 22023 for an unknown inventory, 42501 where the caller is not its owner.';

-- Refuses where a report on an inventory does not belong to the owner of the
-- inventory, who could not renew it then: it would go on showing what the
-- inventory no longer is.  Who may read the inventory can make a schema that looks
-- like a report, which must not keep the owner from changing the inventory: where no
-- part of it belongs to the owner, and another role could have made it, there is
-- only a warning.
CREATE FUNCTION vmnet_internal.report_refuse_other(inventory_name text, wanted text DEFAULT NULL)
RETURNS void
LANGUAGE plpgsql STABLE PARALLEL RESTRICTED
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	other record;
BEGIN
	FOR other IN
		SELECT c.schema_name, pg_get_userbyid((SELECT min(o) FROM unnest(c.owners) o WHERE o <> l.owner_id)) AS its_owner,
			pg_get_userbyid(l.owner_id) AS owner, wanted IS NULL AND l.owner_id <> ALL (c.owners) AND (
				SELECT bool_and(has_schema_privilege(o, inventory_name, 'USAGE')) FROM unnest(c.owners) o) AS is_alien
		FROM vmnet_internal.inventory_facts(inventory_name) l, vmnet_internal.report_candidates(l.name) c
		WHERE c.owners <> ARRAY[l.owner_id]
			AND (wanted IS NULL OR c.schema_name = wanted)
		ORDER BY c.schema_name
	LOOP
		IF other.is_alien THEN
			RAISE WARNING USING
				MESSAGE = format('schema "%s" looks like a report on inventory "%s", but belongs to role "%s"',
					other.schema_name, inventory_name, other.its_owner),
				DETAIL = 'It is not brought up to date.',
				HINT = format('If it is a report on the inventory, make it again as role "%s": drop the schema, then '
					'SELECT vmnet.create_report(%L, %L);',
					other.owner, inventory_name, other.schema_name);
			CONTINUE;
		END IF;
		RAISE EXCEPTION USING
			ERRCODE = 'insufficient_privilege', SCHEMA = other.schema_name, CONSTRAINT = 'report_owner',
			MESSAGE = format('report "%s" does not belong to the owner of inventory "%s"', other.schema_name, inventory_name),
			DETAIL = format('It, or a part of it, belongs to role "%s", and the inventory to role "%s", which cannot bring it up to date.',
				other.its_owner, other.owner),
			HINT = format('Have "%s" give it away, ALTER SCHEMA %I OWNER TO %I and ALTER VIEW ... OWNER TO %3$I for each view in it, '
				'or drop it;'
				' then make it again: SELECT vmnet.create_report(%L, %L);',
				other.its_owner, other.schema_name, other.owner, inventory_name, other.schema_name);
	END LOOP;
END
$$;
COMMENT ON FUNCTION vmnet_internal.report_refuse_other(text, text) IS
'Part of create_report() and renew_reports(): refuses where a report belongs to another role than the inventory
wanted: look at this schema alone; NULL: at all. Error: 42501 with constraint report_owner. What a role that may use the inventory can '
'have made to look like a report is a WARNING.';

-- The name of the schema, once it is clear that a report can be made there.
CREATE FUNCTION vmnet_internal.report_target(inventory text, wanted text, for_tenants boolean)
RETURNS text
LANGUAGE plpgsql STABLE PARALLEL RESTRICTED
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	target text := coalesce(wanted, inventory || '_report');
	missing text;
BEGIN
	IF octet_length(target) NOT BETWEEN 1 AND 63 THEN
		PERFORM vmnet_internal.report_refuse('22023', 'the name of a reporting schema must have 1 to 63 bytes',
			format('"%s" has %s bytes.', target, octet_length(target)),
			format('Give another name: SELECT vmnet.create_report(%L, %L);', inventory, 'report'));
	END IF;
	IF for_tenants IS NULL THEN
		PERFORM vmnet_internal.report_refuse('22023', 'argument "tenant" must not be null',
			'It says whether the report is for tenants.', 'Omit it for a report on the whole inventory.');
	END IF;
	IF for_tenants AND (SELECT l.kind = 'live' FROM vmnet_internal.inventory_facts(inventory) l) THEN
		PERFORM vmnet_internal.report_refuse('22023', format('there can be no report for tenants on inventory "%s"', inventory),
			'It is a live inventory: row-level security cannot apply to the tables that its views read.',
			'Make the report on a mirror: vmnet.import_cloudstack() makes one.');
	END IF;
	SELECT string_agg(t, ', ' ORDER BY t) INTO missing
	FROM unnest(ARRAY['all_networks', 'all_instances', 'all_nics', 'all_nic_secondary_ips', 'all_ip_ranges', 'all_ip_addresses',
		'nic_history', 'accepted_findings']) t
	WHERE to_regclass(format('%I.%I', inventory, t)) IS NULL;
	IF missing IS NOT NULL THEN
		PERFORM vmnet_internal.report_refuse('22023', format('there can be no report on inventory "%s"', inventory),
			format('It lacks: %s.', missing), 'Make the report on an inventory that has them, for example a mirror of this one.');
	END IF;
	IF EXISTS (SELECT FROM pg_catalog.pg_namespace n WHERE n.nspname = target)
		AND NOT EXISTS (SELECT FROM vmnet.report_schemas(inventory::name) r WHERE r.schema_name = target AND r.tenant = for_tenants)
	THEN
		PERFORM vmnet_internal.report_refuse_other(inventory, target);
		PERFORM vmnet_internal.report_refuse('42P06', format('schema "%s" exists already', target),
			format('It is not a reporting schema of inventory "%s" of this kind. It was not changed.', inventory),
			'Choose another name, or move what is in it away and drop the schema.');
	END IF;
	RETURN target;
END
$$;
COMMENT ON FUNCTION vmnet_internal.report_target(text, text, boolean) IS
'Part of create_report(): the name of the schema, checked
Errors: 22023 for a name or an inventory that cannot be, 42P06 where there is another schema of that name.';

-- Makes the views of a report in a schema that is there, and comments on them.
-- This is what has to be done as the owner of the inventory: making a view
-- resolves operators and reads constants of the types that the tables have.
CREATE FUNCTION vmnet_internal.report_build_as_owner(inventory name, target text, tenant boolean)
RETURNS void
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	info record := vmnet_internal.report_inventory($1);
	part record;
BEGIN
	FOR part IN
		SELECT d.name, d.query, d.comment, o.why
		FROM vmnet_internal.report_definition(info.kind) d
			LEFT JOIN vmnet_internal.report_left_out(info.name, info.kind) o ON o.name = d.name
		-- metrics are of the whole inventory, and tell of it what no policy hides
		WHERE d.tenant OR NOT report_build_as_owner.tenant
		ORDER BY d.ord
	LOOP
		-- a view that would always be empty is left out
		IF part.why IS NOT NULL THEN
			RAISE NOTICE '%.% is left out', target, part.name USING DETAIL = part.why;
			CONTINUE;
		END IF;
		PERFORM vmnet_internal.build_object('CREATE OR REPLACE VIEW %1$I.%2$I WITH (security_barrier = true, security_invoker = %3$s)'
				' AS %4$s',
			'VIEW %1$I.%2$I', part.comment, target, part.name, CASE WHEN tenant THEN 'true' ELSE 'false' END,
			vmnet_internal.report_query(part.name, part.query, info.name, info.kind, info.source, target, tenant));
	END LOOP;
	PERFORM vmnet_internal.comment_columns(target, ARRAY(SELECT r.name FROM vmnet_internal.report_definition('managed') r),
		(SELECT jsonb_agg(to_jsonb(m)) FROM vmnet_internal.report_column_comments() m (relations, column_name, comment)));
END
$$;
COMMENT ON FUNCTION vmnet_internal.report_build_as_owner(name, text, boolean) IS
'Body of vmnet_internal.report_build(), run with the rights that this has switched to';

CREATE FUNCTION vmnet_internal.report_build(inventory name, target text, tenant boolean)
RETURNS void
AS 'MODULE_PATHNAME', 'inventory_entry'
LANGUAGE C COST 10000;
COMMENT ON FUNCTION vmnet_internal.report_build(name, text, boolean) IS
'Part of create_report(): makes the views of a report in schema target, or brings them up to date';

-- As its caller this only looks into the catalogs and makes the schema, for the
-- owner of the inventory, who may not be allowed to make one.
CREATE FUNCTION vmnet_internal.create_report(inventory name, schema_name text DEFAULT NULL, tenant boolean DEFAULT false)
RETURNS text
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	info record := vmnet_internal.report_inventory($1);
	target text := vmnet_internal.report_target(info.name, $2, $3);
BEGIN
	IF NOT EXISTS (SELECT FROM pg_catalog.pg_namespace n WHERE n.nspname = target) THEN
		EXECUTE format('CREATE SCHEMA %I AUTHORIZATION %I', target,
			(SELECT pg_get_userbyid(l.owner_id) FROM vmnet_internal.inventory_facts(info.name) l));
		EXECUTE format('COMMENT ON SCHEMA %I IS %L', target, format(
			E'Reporting views of inventory "%s" (vmnet_ext)\ndata_dictionary says what is here and what it means.', info.name));
	END IF;
	PERFORM vmnet_internal.report_build(info.name::name, target, $3);
	RETURN target;
END
$$;
COMMENT ON FUNCTION vmnet_internal.create_report(name, text, boolean) IS
'Body of vmnet.create_report(), run as the caller';

CREATE FUNCTION vmnet.create_report(inventory name, schema_name text DEFAULT NULL, tenant boolean DEFAULT false)
RETURNS text
AS 'MODULE_PATHNAME', 'caller_entry'
LANGUAGE C COST 10000;
COMMENT ON FUNCTION vmnet.create_report(name, text, boolean) IS
'Makes a reporting schema for an inventory: flat views for tools; returns its name
schema_name: NULL is <inventory>_report. inventory NULL: the setting vmnet.inventory. The views show the whole inventory to roles that can '
'read them (vmnet.grant_access), with the rights of their owner. tenant: they run with the rights of the role that reads, so that '
'policies of row-level security on the tables apply. Metrics, which are of the whole inventory, are left out then.
Where it is there already its views are brought up to date, and grants on them stay; partition_history() and manage_inventory() do that '
'of themselves.
Over an attached or a live inventory, views that need what it has not are left out, each with a NOTICE that says what: nic_history where '
'no history is kept, stuck_nics without a state and the time of its change, network_instance_intervals and networks_daily without the '
'times of creation and of removal. Ids that are no bigint are texts.
Schema and views belong to the owner of the inventory. Needs the owner of the inventory, and CREATE on the database. Errors: 22023 for an '
'unknown inventory, a name that is too long, an inventory that lacks tables, or tenants of a live one; 42P06 where there is another '
'schema of that name; 42501 for others than the owner, and with constraint report_owner where the report belongs to another role.';

-- The views of a report read the tables of the inventory: when one of these is
-- replaced, or the inventory is of another kind, so are the views, by the same
-- call.
CREATE FUNCTION vmnet_internal.renew_reports(inventory name)
RETURNS void
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	PERFORM vmnet_internal.report_refuse_other($1);
	PERFORM vmnet_internal.report_build($1, r.schema_name, r.tenant) FROM vmnet.report_schemas($1) r;
END
$$;
COMMENT ON FUNCTION vmnet_internal.renew_reports(name) IS
'Part of partition_history(), manage_inventory() and set_inventory_mode(): makes the reporting schemas of an inventory anew
Error: 42501 with constraint report_owner where one belongs to another role than the inventory.';
