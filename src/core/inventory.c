/*
 * inventory.c
 *		Which schemas are inventories, and of which kind.
 *
 * An inventory is recognized by its view inventory_info, whose columns are
 * constants.  They are read from the definition of the view in the catalog.  The
 * view is never executed, so that a view of that name made by another role runs
 * nothing with the rights of the caller, and it is never locked.
 */
#include "postgres.h"

#include "access/detoast.h"
#include "access/genam.h"
#include "access/htup_details.h"
#include "access/table.h"
#include "catalog/indexing.h"
#include "catalog/namespace.h"
#include "catalog/pg_class.h"
#include "catalog/pg_rewrite.h"
#include "catalog/pg_type.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "nodes/parsenodes.h"
#include "nodes/primnodes.h"
#include "nodes/readfuncs.h"
#include "rewrite/rewriteSupport.h"
#include "utils/builtins.h"
#include "utils/fmgroids.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"
#include "utils/syscache.h"
#include "utils/timestamp.h"

#include "compat.h"
#include "core/age.h"
#include "core/inventory.h"
#include "core/run_as.h"
#include "vmnet_ext.h"

#define LIST_INVENTORIES_COLUMNS	7

/* How many inventories an error names. */
#define LISTED_INVENTORIES	5

/* A view of four constants is shorter; a longer one is not read at all. */
#define LONGEST_INFO	65536

/*
 * Stores one column of the view's query in info; false if it is not a constant.
 */
static bool
store_constant(TargetEntry *entry, InventoryInfo *info)
{
	Const	   *constant = (Const *) entry->expr;
	char	   *value;

	if (entry->resjunk || entry->resname == NULL ||
		!IsA(constant, Const) || constant->consttype != TEXTOID)
		return false;

	value = constant->constisnull ? NULL : TextDatumGetCString(constant->constvalue);

	if (strcmp(entry->resname, "kind") == 0)
		info->kind = value;
	else if (strcmp(entry->resname, "source") == 0)
		info->source = value;
	else if (strcmp(entry->resname, "mode") == 0)
		info->mode = value;
	else if (strcmp(entry->resname, "version") == 0)
		info->version = value;
	return true;
}

/*
 * Reads the query of a view from the catalog, as a copy in the current memory
 * context; NULL if the relation is not a view or does not exist.
 *
 * Takes no lock: a lock that another session holds on the view of one inventory
 * must not block a list of all inventories.
 */
static Query *
view_query(Oid relid)
{
	HeapTuple	tuple;
	Datum		action;
	bool		isnull;
	List	   *queries;

	if (get_rel_relkind(relid) != RELKIND_VIEW)
		return NULL;
	tuple = SearchSysCache2(RULERELNAME, ObjectIdGetDatum(relid),
							PointerGetDatum(ViewSelectRuleName));
	if (!HeapTupleIsValid(tuple))
		return NULL;
	action = SysCacheGetAttr(RULERELNAME, tuple, Anum_pg_rewrite_ev_action, &isnull);
	queries = isnull || toast_raw_datum_size(action) > LONGEST_INFO ? NIL :
		(List *) stringToNode(TextDatumGetCString(action));
	ReleaseSysCache(tuple);
	return list_length(queries) == 1 ? linitial_node(Query, queries) : NULL;
}

/*
 * Reads the facts of an inventory; false if the schema is not an inventory.  The
 * strings are allocated in the current memory context.
 */
bool
inventory_info(Oid schema, InventoryInfo *info)
{
	Oid			relid = get_relname_relid(INVENTORY_MARK, schema);
	Query	   *query = OidIsValid(relid) ? view_query(relid) : NULL;
	ListCell   *lc;

	memset(info, 0, sizeof(*info));
	if (query == NULL)
		return false;

	foreach(lc, query->targetList)
	{
		if (!store_constant(lfirst_node(TargetEntry, lc), info))
			return false;
	}
	return info->kind && info->mode && info->version;
}

/*
 * Tells whether the views of an inventory read another system's tables directly.
 */
bool
inventory_is_live(Oid schema)
{
	InventoryInfo info;

	return inventory_info(schema, &info) && strcmp(info.kind, "live") == 0;
}

/*
 * Returns the names of the first inventories of this database, quoted, in the
 * current memory context; NULL if it has none.
 */
static char *
first_inventories(void)
{
	Relation	pg_class = table_open(RelationRelationId, AccessShareLock);
	StringInfoData names;
	SysScanDesc scan;
	ScanKeyData key;
	HeapTuple	tuple;
	int			count = 0;

	initStringInfo(&names);
	ScanKeyInit(&key, Anum_pg_class_relname, BTEqualStrategyNumber, F_NAMEEQ,
				CStringGetDatum(INVENTORY_MARK));
	scan = systable_beginscan(pg_class, ClassNameNspIndexId, true, NULL, 1, &key);
	while (count < LISTED_INVENTORIES && HeapTupleIsValid(tuple = systable_getnext(scan)))
	{
		char	   *name = get_namespace_name(((Form_pg_class) GETSTRUCT(tuple))->relnamespace);

		if (name && ((Form_pg_class) GETSTRUCT(tuple))->relkind == RELKIND_VIEW)
			appendStringInfo(&names, "%s\"%s\"", count++ > 0 ? ", " : "", name);
	}
	systable_endscan(scan);
	table_close(pg_class, AccessShareLock);
	return count > 0 ? names.data : NULL;
}

/*
 * Returns the schema of an inventory by its name as in pg_namespace; NULL means
 * the setting vmnet.inventory.  Raises an error if there is no such inventory.
 */
Oid
inventory_resolve(const char *name)
{
	Oid			schema;
	char	   *others;
	bool		from_setting = name == NULL;

	if (from_setting)
		name = vmnet_inventory;

	schema = get_namespace_oid(name, true);
	if (OidIsValid(schema) &&
		get_rel_relkind(get_relname_relid(INVENTORY_MARK, schema)) == RELKIND_VIEW)
		return schema;

	others = from_setting ? first_inventories() : NULL;
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("inventory \"%s\" does not exist", name),
			 OidIsValid(schema) ?
			 errdetail("There is a schema of this name, but it is not an inventory.") :
			 others ?
			 errdetail("There is no schema of this name. Inventories of this database: %s.",
					   others) :
			 errdetail("There is no schema of this name."),
			 from_setting ?
			 errhint("The name comes from the setting \"vmnet.inventory\". The view "
					 "vmnet.inventories lists the inventories; vmnet.create_inventory() creates "
					 "one.") :
			 errhint("The view vmnet.inventories lists the inventories; vmnet.create_inventory() "
					 "creates one.")));
	return InvalidOid;			/* keep compiler quiet */
}

/*
 * Returns the name of a schema, in the current memory context; raises an error
 * if the schema was dropped concurrently.
 */
char *
require_namespace_name(Oid schema)
{
	char	   *name = get_namespace_name(schema);

	if (name == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("an inventory was dropped while it was being used"),
				 errdetail("Its schema had OID %u.", schema),
				 errhint("The view vmnet.inventories lists what is there.")));
	return name;
}

/*
 * Returns the schema of the inventory that an argument of type name names; NULL
 * means the setting vmnet.inventory.
 */
Oid
inventory_resolve_arg(FunctionCallInfo fcinfo, int argno)
{
	return inventory_resolve(PG_ARGISNULL(argno) ? NULL : NameStr(*PG_GETARG_NAME(argno)));
}

static Datum
text_or_null(const char *value, bool *isnull)
{
	*isnull = value == NULL;
	return value ? CStringGetTextDatum(value) : (Datum) 0;
}

/*
 * Adds the row of one schema to the result; nothing if it is not an inventory.
 */
static void
put_inventory(ReturnSetInfo *rsinfo, Oid schema)
{
	Datum		values[LIST_INVENTORIES_COLUMNS] = {0};
	bool		nulls[LIST_INVENTORIES_COLUMNS] = {0};
	InventoryInfo info;
	char	   *name = get_namespace_name(schema);
	TimestampTz as_of = 0;
	int			i = 0;

	if (name == NULL || !inventory_info(schema, &info))
		return;

	values[i++] = DirectFunctionCall1(namein, CStringGetDatum(name));
	values[i] = text_or_null(info.kind, &nulls[i]);
	i++;
	values[i] = text_or_null(info.source, &nulls[i]);
	i++;
	values[i] = text_or_null(info.mode, &nulls[i]);
	i++;
	values[i] = text_or_null(info.version, &nulls[i]);
	i++;
	values[i++] = ObjectIdGetDatum(inventory_owner(schema));
	/* Only list_inventories() has this column. */
	if (rsinfo->setDesc->natts == LIST_INVENTORIES_COLUMNS)
		nulls[i] = !inventory_as_of(schema, info.kind, &as_of);
	values[i++] = TimestampTzGetDatum(as_of);
	Assert(i == LIST_INVENTORIES_COLUMNS);

	tuplestore_putvalues(rsinfo->setResult, rsinfo->setDesc, values, nulls);
}

/*
 * Returns one row per inventory of this database.
 */
PG_FUNCTION_INFO_V1(list_inventories);

Datum
list_inventories(PG_FUNCTION_ARGS)
{
	ReturnSetInfo *rsinfo = (ReturnSetInfo *) fcinfo->resultinfo;
	Relation	pg_class;
	SysScanDesc scan;
	ScanKeyData key;
	HeapTuple	tuple;

	InitMaterializedSRF(fcinfo, 0);

	pg_class = table_open(RelationRelationId, AccessShareLock);
	ScanKeyInit(&key, Anum_pg_class_relname, BTEqualStrategyNumber, F_NAMEEQ,
				CStringGetDatum(INVENTORY_MARK));
	scan = systable_beginscan(pg_class, ClassNameNspIndexId, true, NULL, 1, &key);

	while (HeapTupleIsValid(tuple = systable_getnext(scan)))
	{
		CHECK_FOR_INTERRUPTS();
		put_inventory(rsinfo, ((Form_pg_class) GETSTRUCT(tuple))->relnamespace);
	}

	systable_endscan(scan);
	table_close(pg_class, AccessShareLock);
	return (Datum) 0;
}

/*
 * Returns the row of one inventory, by its exact name; no row if there is no
 * inventory of that name.
 */
PG_FUNCTION_INFO_V1(inventory_facts);

Datum
inventory_facts(PG_FUNCTION_ARGS)
{
	char	   *name = text_to_cstring(PG_GETARG_TEXT_PP(0));
	Oid			schema;

	InitMaterializedSRF(fcinfo, 0);
	schema = strlen(name) < NAMEDATALEN ? get_namespace_oid(name, true) : InvalidOid;
	if (OidIsValid(schema))
		put_inventory((ReturnSetInfo *) fcinfo->resultinfo, schema);
	return (Datum) 0;
}

/*
 * Returns the name of the inventory that an argument names; NULL means the
 * setting vmnet.inventory.  Raises an error if there is no such inventory.
 */
PG_FUNCTION_INFO_V1(resolve_inventory);

Datum
resolve_inventory(PG_FUNCTION_ARGS)
{
	Oid			schema = inventory_resolve_arg(fcinfo, 0);

	PG_RETURN_DATUM(DirectFunctionCall1(namein, CStringGetDatum(require_namespace_name(schema))));
}
