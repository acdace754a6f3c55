/* vmnet_ext install script; joined by make from sql/ */

-- complain if script is sourced in psql, rather than via CREATE EXTENSION
\echo Use "CREATE EXTENSION vmnet_ext" to load this file. \quit

-- CREATE EXTENSION uses a schema vmnet that exists already.  Its owner, and roles
-- with CREATE on it, could add functions to it.
DO $$
DECLARE
	stranger text;
BEGIN
	SELECT CASE WHEN a.grantee OPERATOR(pg_catalog.=) 0 THEN 'PUBLIC'
		ELSE pg_catalog.pg_get_userbyid(a.grantee) END
	INTO stranger
	FROM pg_catalog.pg_namespace n,
		LATERAL (SELECT n.nspowner AS grantee
			UNION ALL
			SELECT x.grantee FROM pg_catalog.aclexplode(n.nspacl) x
			WHERE x.privilege_type OPERATOR(pg_catalog.=) 'CREATE') a
	WHERE n.nspname OPERATOR(pg_catalog.=) 'vmnet'
		AND NOT EXISTS (SELECT FROM pg_catalog.pg_roles r
			WHERE r.oid OPERATOR(pg_catalog.=) a.grantee
				AND (r.rolsuper OR r.rolname OPERATOR(pg_catalog.=) current_user))
	LIMIT 1;
	IF FOUND THEN
		RAISE EXCEPTION USING
			ERRCODE = 'insufficient_privilege',
			MESSAGE = 'schema "vmnet" exists already, and another role can create objects in it',
			DETAIL = pg_catalog.format('This role is: %s.', stranger),
			HINT = 'Drop or rename the schema; CREATE EXTENSION creates a new one.';
	END IF;
END
$$;

GRANT USAGE ON SCHEMA vmnet TO PUBLIC;
COMMENT ON SCHEMA vmnet IS
'Functions of vmnet_ext: inventories of virtual machines, networks and NICs that cannot show a removed NIC as live';


CREATE SCHEMA vmnet_internal;
GRANT USAGE ON SCHEMA vmnet_internal TO PUBLIC;
COMMENT ON SCHEMA vmnet_internal IS
'Internal functions of schema vmnet; not for users
Called directly, they run with the rights of the caller.';
