/*
 * inventory.c
 *		Which schemas are inventories, and of which kind.
 *
 * An inventory is known by its view inventory_info, whose columns are
 * constants.  They are read from the view's definition: the view is never
 * run, so a view of that name that somebody else has made cannot run
 * anything on behalf of whoever looks.
 */
#include "compat.h"

#include "access/genam.h"
#include "access/htup_details.h"
#include "access/relation.h"
#include "access/table.h"
#include "catalog/indexing.h"
#include "catalog/namespace.h"
#include "catalog/pg_class.h"
#include "catalog/pg_type.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "nodes/parsenodes.h"
#include "nodes/primnodes.h"
#include "rewrite/rewriteHandler.h"
#include "utils/builtins.h"
#include "utils/fmgroids.h"
#include "utils/lsyscache.h"

#include "vmnet_ext.h"

PG_FUNCTION_INFO_V1(list_inventories);

#define LIST_INVENTORIES_COLUMNS	6

/* Stores one constant of the view in its place; false if it is none. */
static bool
take_constant(TargetEntry *entry, InventoryInfo *info)
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

static bool
view_constants(Relation view, InventoryInfo *info)
{
	ListCell   *lc;

	if (view->rd_rel->relkind != RELKIND_VIEW)
		return false;

	foreach(lc, get_view_query(view)->targetList)
	{
		if (!take_constant(lfirst_node(TargetEntry, lc), info))
			return false;
	}
	return info->kind && info->mode && info->version;
}

/* What a schema says of itself; false if it is not an inventory. */
bool
inventory_info(Oid schema, InventoryInfo *info)
{
	Oid			relid = get_relname_relid(INVENTORY_MARK, schema);
	Relation	view;
	bool		found;

	memset(info, 0, sizeof(*info));
	if (!OidIsValid(relid))
		return false;

	view = try_relation_open(relid, AccessShareLock);
	if (view == NULL)
		return false;
	found = view_constants(view, info);
	relation_close(view, AccessShareLock);
	return found;
}

/* Are its views straight over another system's tables? */
bool
inventory_is_live(Oid schema)
{
	InventoryInfo info;

	return inventory_info(schema, &info) && strcmp(info.kind, "live") == 0;
}

/*
 * The schema of an inventory, by its name as pg_namespace has it; NULL means
 * the one that the setting vmnet.inventory names.
 */
Oid
inventory_resolve(const char *name)
{
	Oid			schema;
	bool		from_setting = name == NULL;

	if (from_setting)
		name = vmnet_inventory;

	schema = get_namespace_oid(name, true);
	if (OidIsValid(schema) &&
		get_rel_relkind(get_relname_relid(INVENTORY_MARK, schema)) == RELKIND_VIEW)
		return schema;

	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("inventory \"%s\" does not exist", name),
			 OidIsValid(schema) ?
			 errdetail("There is a schema of this name, but it is not an inventory.") :
			 errdetail("There is no schema of this name."),
			 from_setting ?
			 errhint("The name comes from the setting \"vmnet.inventory\". The view vmnet.inventories lists what is there; vmnet.create_inventory() makes one.") :
			 errhint("The view vmnet.inventories lists what is there; vmnet.create_inventory() makes one.")));
	return InvalidOid;			/* keep compiler quiet */
}

/* The inventory that an argument of type name says. */
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
 * list_inventories(): one row per inventory of this database.
 */
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
		Form_pg_class form = (Form_pg_class) GETSTRUCT(tuple);
		Datum		values[LIST_INVENTORIES_COLUMNS] = {0};
		bool		nulls[LIST_INVENTORIES_COLUMNS] = {0};
		InventoryInfo info;
		char	   *schema = get_namespace_name(form->relnamespace);
		int			i = 0;

		CHECK_FOR_INTERRUPTS();

		if (schema == NULL || !inventory_info(form->relnamespace, &info))
			continue;

		values[i++] = DirectFunctionCall1(namein, CStringGetDatum(schema));
		values[i] = text_or_null(info.kind, &nulls[i]);
		i++;
		values[i] = text_or_null(info.source, &nulls[i]);
		i++;
		values[i] = text_or_null(info.mode, &nulls[i]);
		i++;
		values[i] = text_or_null(info.version, &nulls[i]);
		i++;
		values[i++] = ObjectIdGetDatum(form->relowner);
		Assert(i == LIST_INVENTORIES_COLUMNS);

		tuplestore_putvalues(rsinfo->setResult, rsinfo->setDesc, values, nulls);
	}

	systable_endscan(scan);
	table_close(pg_class, AccessShareLock);
	return (Datum) 0;
}
