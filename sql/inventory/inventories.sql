--
-- Inventories
--

CREATE FUNCTION vmnet_internal.list_inventories(
	OUT name name,
	OUT kind text,
	OUT source text,
	OUT mode text,
	OUT version text,
	OUT owner_id oid,
	OUT as_of timestamptz)
RETURNS SETOF record
AS 'MODULE_PATHNAME', 'list_inventories'
LANGUAGE C STABLE STRICT PARALLEL RESTRICTED ROWS 10 COST 100;
COMMENT ON FUNCTION vmnet_internal.list_inventories() IS
'Inventories of this database, found from the catalogs; the view vmnet.inventories shows them';

CREATE FUNCTION vmnet_internal.inventory_facts(
	wanted text,
	OUT name name,
	OUT kind text,
	OUT source text,
	OUT mode text,
	OUT version text,
	OUT owner_id oid)
RETURNS SETOF record
AS 'MODULE_PATHNAME', 'inventory_facts'
LANGUAGE C STABLE STRICT PARALLEL RESTRICTED ROWS 1 COST 100;
COMMENT ON FUNCTION vmnet_internal.inventory_facts(text) IS
'The row of one inventory as list_inventories() has it, by its exact name; no row where there is none';

CREATE FUNCTION vmnet_internal.named_relations()
RETURNS text[]
AS 'MODULE_PATHNAME', 'named_relations_list'
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION vmnet_internal.named_relations() IS
'Relations of an inventory that functions and guards reach by name, so that all have to belong to one owner';

CREATE FUNCTION vmnet_internal.require_one_owner(inventory text)
RETURNS void
AS 'MODULE_PATHNAME', 'require_one_owner_of'
LANGUAGE C STABLE STRICT PARALLEL RESTRICTED COST 100;
COMMENT ON FUNCTION vmnet_internal.require_one_owner(text) IS
'Raises an error where relations of an inventory that are reached by name belong to several roles
Errors: 42501 with constraint inventory_owner, 22023 for an unknown inventory.';

CREATE VIEW vmnet.inventories AS
SELECT l.name, l.kind, l.source, l.mode, l.version,
	pg_catalog.pg_get_userbyid(l.owner_id) AS owner,
	l.as_of
FROM vmnet_internal.list_inventories() l;
COMMENT ON VIEW vmnet.inventories IS
'Inventories of this database
Found from the catalogs: a schema is an inventory when it has a view inventory_info of constants.';
COMMENT ON COLUMN vmnet.inventories.name IS 'Name of the inventory: its schema, as in pg_namespace';
COMMENT ON COLUMN vmnet.inventories.kind IS 'managed, mirror, attached or live
managed: PostgreSQL is the source of truth. mirror: a copy of another system. attached: views over tables of yours. live: views over '
'another system.';
COMMENT ON COLUMN vmnet.inventories.source IS 'Schema that a mirror is made from; NULL where the inventory is its own source';
COMMENT ON COLUMN vmnet.inventories.mode IS 'enforce: rules are kept; read_only: only the import writes';
COMMENT ON COLUMN vmnet.inventories.version IS 'Version of vmnet_ext that made it, or brought it up to date';
COMMENT ON COLUMN vmnet.inventories.owner IS 'Role that owns it: the owner of all_nics';
COMMENT ON COLUMN vmnet.inventories.as_of IS 'Time that what it shows is as of
A mirror: start of its last import that was completed. Others: the present transaction; on a standby the last transaction replayed, but '
'a live one reads its source at the time of the query. NULL: not known, since no import was completed, or its import_runs may not be read '
'or is locked.';
GRANT SELECT ON vmnet.inventories TO PUBLIC;

CREATE FUNCTION vmnet.version()
RETURNS text
LANGUAGE sql STABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $$ SELECT extversion FROM pg_catalog.pg_extension WHERE extname = 'vmnet_ext' $$;
COMMENT ON FUNCTION vmnet.version() IS 'Version of vmnet_ext that is installed in this database';
