--
-- Access for those who do not own an inventory.  Roles are not made here: they
-- belong to the whole server.
--

-- What each kind of access is made of.
CREATE FUNCTION vmnet_internal.access_privileges(inventory text, kind text, access text)
RETURNS TABLE (privileges text, object text)
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
-- reader: the reporting views, and nothing else
SELECT 'USAGE', format('SCHEMA %I', r.schema_name)
FROM vmnet.report_schemas($1::name) r
WHERE $3 = 'reader' AND NOT r.tenant
UNION ALL
SELECT 'SELECT', format('TABLE %I.%I', r.schema_name, d.name)
FROM vmnet.report_schemas($1::name) r, vmnet_internal.report_definition($2) d
WHERE $3 = 'reader' AND NOT r.tenant AND to_regclass(format('%I.%I', r.schema_name, d.name)) IS NOT NULL
UNION ALL
-- operator: reads all there is, writes to what operations write to; DELETE is on
-- the views on which it is the removal, and on what accepts findings
SELECT 'USAGE', format('SCHEMA %I', $1)
WHERE $3 = 'operator'
UNION ALL
SELECT CASE WHEN t.name IN ('networks', 'instances', 'nics', 'accepted_findings') THEN 'SELECT, INSERT, UPDATE, DELETE'
		WHEN t.name IN ('all_networks', 'all_instances', 'all_nics', 'all_nic_secondary_ips', 'nic_secondary_ips')
		THEN 'SELECT, INSERT, UPDATE' ELSE 'SELECT' END,
	format('TABLE %I.%I', $1, t.name)
FROM (SELECT o.sort, o.name FROM vmnet_internal.inventory_objects($2) o
	UNION ALL
	SELECT o.sort, o.name FROM vmnet_internal.inventory_objects('reality') o WHERE vmnet_internal.has_reality($1)) t
WHERE $3 = 'operator' AND t.sort IN ('table', 'view', 'plain view')
	AND to_regclass(format('%I.%I', $1, t.name)) IS NOT NULL
UNION ALL
SELECT 'USAGE', format('SEQUENCE %s', pg_get_serial_sequence(format('%I.%I', $1, t.name), 'id'))
FROM unnest(ARRAY['all_networks', 'all_instances', 'all_nics', 'all_nic_secondary_ips']) t (name)
WHERE $3 = 'operator' AND pg_get_serial_sequence(format('%I.%I', $1, t.name), 'id') IS NOT NULL
UNION ALL
-- observer: INSERT on sightings, which the guard refuses to others than the owner,
-- is the right to call observe(); no row can be written by hand
SELECT p.privileges, format(p.object, $1)
FROM (VALUES ('USAGE', 'SCHEMA %I'), ('SELECT', 'TABLE %I.observers'), ('SELECT', 'TABLE %I.observation_log'),
	('INSERT', 'TABLE %I.sightings')) p (privileges, object)
WHERE $3 = 'observer'
$$;
COMMENT ON FUNCTION vmnet_internal.access_privileges(text, text, text) IS
'Part of grant_access() and revoke_access(): which privileges on which objects an access is made of';

-- Checks what grant_access() and revoke_access() were given.
CREATE FUNCTION vmnet_internal.access_target(wanted name, role name, access text, OUT name text, OUT kind text)
RETURNS record
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	SELECT i.name, i.kind INTO name, kind FROM vmnet_internal.report_inventory(wanted) i;
	IF access IS NULL OR access NOT IN ('reader', 'operator', 'observer') THEN
		PERFORM vmnet_internal.report_refuse('22023', format('unknown access: %s', coalesce('"' || access || '"', 'NULL')),
			'There are: reader (the reporting views), operator (the inventory and its operations), observer (pictures of what is seen).',
			format('SELECT vmnet.grant_access(%L, %L, %L);', name, coalesce(role, 'alice'), 'reader'));
	END IF;
	IF access = 'operator' AND kind IN ('attached', 'live') THEN
		PERFORM vmnet_internal.report_refuse('22023', format('inventory "%s" has no operators', name),
			CASE kind WHEN 'live' THEN 'It is a live one: it only shows what another system holds.'
				ELSE 'It is an attached one: its views are for reading, and what is written is written to tables of your own.' END,
			CASE kind WHEN 'live' THEN format('Give access to the reports: SELECT vmnet.grant_access(%L, %L, %L);', name, coalesce(role,
				'alice'), 'reader')
				ELSE 'GRANT rights on these tables; their guards keep the rules whoever writes. A reader reads the reports.' END);
	END IF;
	IF access = 'observer' AND NOT vmnet_internal.has_reality(name) THEN
		PERFORM vmnet_internal.report_refuse('22023', format('inventory "%s" takes no observations', name),
			'An observer calls vmnet.observe(), and nothing else.',
			format('Make the tables first: SELECT vmnet.enable_reality(%L);', name));
	END IF;
	IF role IS NULL OR NOT EXISTS (SELECT FROM pg_catalog.pg_roles r WHERE r.rolname = role) THEN
		PERFORM vmnet_internal.report_refuse('22023', format('there is no role %s', coalesce('"' || role || '"', 'NULL')),
			'Access is given to a role of this server, by its name as in pg_roles.',
			format('Make it first: CREATE ROLE %I LOGIN;', coalesce(role, 'alice')));
	END IF;
	IF access = 'reader' AND NOT EXISTS (SELECT FROM vmnet.report_schemas(name::name) r WHERE NOT r.tenant) THEN
		PERFORM vmnet_internal.report_refuse('22023', format('inventory "%s" has no reporting schema', name),
			'A reader reads the reporting views, and nothing else.',
			format('Make it first: SELECT vmnet.create_report(%L);', name));
	END IF;
END
$$;
COMMENT ON FUNCTION vmnet_internal.access_target(name, name, text) IS
'Part of grant_access() and revoke_access(): checks what they were given
Errors: 22023 for an unknown inventory, role or access, for a reader where there is no reporting schema, for an operator of an '
'attached or a live inventory, and for an observer where there are no observations; 42501 for others than the owner.';

CREATE FUNCTION vmnet_internal.grant_access(inventory name, role name, access text)
RETURNS void
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	target record := vmnet_internal.access_target($1, $2, $3);
	part record;
BEGIN
	FOR part IN SELECT p.privileges, p.object FROM vmnet_internal.access_privileges(target.name, target.kind, $3) p LOOP
		EXECUTE format('GRANT %s ON %s TO %I', part.privileges, part.object, $2);
	END LOOP;
END
$$;
COMMENT ON FUNCTION vmnet_internal.grant_access(name, name, text) IS
'Body of vmnet.grant_access(), run with the rights that this has switched to';

CREATE FUNCTION vmnet.grant_access(inventory name, role name, access text)
RETURNS void
AS 'MODULE_PATHNAME', 'inventory_entry'
LANGUAGE C COST 100;
COMMENT ON FUNCTION vmnet.grant_access(name, name, text) IS
'Gives a role access to an inventory: as a reader of its reports, as an operator, or as an observer
reader: SELECT on the views of its reporting schemas (not those for tenants), and nothing else. operator: SELECT on the tables and views '
'of the inventory, INSERT and UPDATE on its base tables and live views, but for ranges and addresses of networks, USAGE on their '
'sequences: what the operations (vmnet.nic_add() and so on) need; and DELETE on the live views nics, networks and instances, which is the '
'removal. No DELETE on tables, and no write to history. All but TRUNCATE on accepted_findings, for accept_finding().
observer: vmnet.observe() and nothing else, with SELECT on observers and observation_log; needs vmnet.enable_reality(). Rows of sightings '
'cannot be written by hand.
inventory NULL: the setting vmnet.inventory. The role has to be there. A reporting schema that is made later needs another call. Needs '
'the owner of the inventory.
Errors: 22023 for an unknown inventory, role or access, for a reader where there is no reporting schema, for an operator of an '
'attached or a live inventory, and for an observer where there are no observations; 42501 for others than the owner.';

CREATE FUNCTION vmnet_internal.revoke_access(inventory name, role name, access text)
RETURNS void
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	target record := vmnet_internal.access_target($1, $2, $3);
	part record;
BEGIN
	FOR part IN SELECT p.privileges, p.object FROM vmnet_internal.access_privileges(target.name, target.kind, $3) p LOOP
		EXECUTE format('REVOKE %s ON %s FROM %I', part.privileges, part.object, $2);
	END LOOP;
END
$$;
COMMENT ON FUNCTION vmnet_internal.revoke_access(name, name, text) IS
'Body of vmnet.revoke_access(), run with the rights that this has switched to';

CREATE FUNCTION vmnet.revoke_access(inventory name, role name, access text)
RETURNS void
AS 'MODULE_PATHNAME', 'inventory_entry'
LANGUAGE C COST 100;
COMMENT ON FUNCTION vmnet.revoke_access(name, name, text) IS
'Takes back what grant_access() gave to a role, and nothing else
The arguments are those of grant_access(). The other access of the role stays, if it has it. Needs the owner of the inventory.
Errors: 22023 for an unknown inventory, role or access, for a reader where there is no reporting schema, for an operator of an '
'attached or a live inventory, and for an observer where there are no observations; 42501 for others than the owner.';
