/*
 * estimate.c
 *		Estimates of the number of rows of read functions, for the planner.
 *
 * The estimate comes from the statistics of the inventory's tables, as the
 * planner would use them for the plain query.  No query is run, and none is
 * planned: planning evaluates immutable functions, so that it would run functions which the
 * owner of the inventory has put into a view with the rights of the caller.
 *
 * If an inventory has no tables of its own (attached and live ones), or a table
 * was never analyzed, the planner uses the number of rows that the function
 * declares.
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "access/table.h"
#include "catalog/namespace.h"
#include "catalog/pg_class.h"
#include "catalog/pg_statistic.h"
#include "catalog/pg_type.h"
#include "nodes/primnodes.h"
#include "nodes/supportnodes.h"
#include "optimizer/plancat.h"
#include "storage/lmgr.h"
#include "utils/builtins.h"
#include "utils/fmgrprotos.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"
#include "utils/selfuncs.h"
#include "utils/syscache.h"

#include "compat.h"
#include "vmnet_ext.h"

/*
 * Returns an argument whose value the planner knows; otherwise NULL.
 */
static Const *
known_arg(List *args, int argno)
{
	Node	   *arg = argno < list_length(args) ? list_nth(args, argno) : NULL;

	return arg && IsA(arg, Const) ? (Const *) arg : NULL;
}

/*
 * Returns the inventory of a call; InvalidOid if it is not known yet.
 */
static Oid
known_inventory(List *args)
{
	Const	   *name = known_arg(args, list_length(args) - 1);
	Oid			schema;

	if (name == NULL)
		return InvalidOid;
	schema = get_namespace_oid(name->constisnull ? vmnet_inventory :
							   NameStr(*DatumGetName(name->constvalue)), true);
	if (!OidIsValid(schema))
		return InvalidOid;

	/* No estimate for a role without USAGE on the schema. */
	if (!DatumGetBool(DirectFunctionCall2(has_schema_privilege_id,
										  ObjectIdGetDatum(schema),
										  CStringGetTextDatum("USAGE"))))
		return InvalidOid;
	return schema;
}

/*
 * Estimates the number of rows of a table from its present size; negative if the
 * relation is not an ordinary table, or is locked.  No lock is held on return.
 */
static double
table_rows(Oid relid)
{
	Relation	rel;
	BlockNumber pages;
	double		tuples;
	double		allvisible;

	if (get_rel_relkind(relid) != RELKIND_RELATION ||
		!ConditionalLockRelationOid(relid, AccessShareLock))
		return -1;
	rel = try_table_open(relid, NoLock);
	if (rel == NULL)
	{
		UnlockRelationOid(relid, AccessShareLock);
		return -1;
	}
	estimate_rel_size(rel, NULL, &pages, &tuples, &allvisible);
	table_close(rel, AccessShareLock);
	return tuples;
}

/*
 * Returns the share of rows that have a given value; negative if it is not one of
 * the most common values.
 */
static double
common_share(const AttStatsSlot *slot, Datum value)
{
	int			i;

	for (i = 0; i < slot->nvalues; i++)
	{
		/* bigint and boolean are passed by value */
		if (slot->values[i] == value)
			return slot->numbers[i];
	}
	return -1;
}

/*
 * Estimates the share of a table's rows in which a column has a value; NULL means
 * a value that is not known yet.  The type of the column is passed by value.
 * Returns fallback if there are no statistics.
 */
static double
column_share(Oid relid, const char *column, Oid type, const Datum *value,
			 double rows, double fallback)
{
	AttrNumber	attnum = get_attnum(relid, column);
	HeapTuple	tuple;
	Form_pg_statistic stats;
	AttStatsSlot slot;
	double		share = -1;
	double		distinct;
	double		common = 0;
	int			i;

	if (attnum == InvalidAttrNumber || get_atttype(relid, attnum) != type)
		return fallback;
	tuple = SearchSysCache3(STATRELATTINH, ObjectIdGetDatum(relid),
							Int16GetDatum(attnum), BoolGetDatum(false));
	if (!HeapTupleIsValid(tuple))
		return fallback;

	stats = (Form_pg_statistic) GETSTRUCT(tuple);
	distinct = stats->stadistinct < 0 ? -stats->stadistinct * rows : stats->stadistinct;
	distinct = Max(distinct, 1);
	if (!get_attstatsslot(&slot, tuple, STATISTIC_KIND_MCV, InvalidOid,
						  ATTSTATSSLOT_VALUES | ATTSTATSSLOT_NUMBERS))
		memset(&slot, 0, sizeof(slot));

	if (value)
		share = common_share(&slot, *value);
	if (share < 0)
	{
		for (i = 0; value && i < slot.nnumbers; i++)
			common += slot.numbers[i];
		share = Max(0, 1 - stats->stanullfrac - common) /
			Max(1, distinct - (value ? slot.nvalues : 0));
	}
	free_attstatsslot(&slot);
	ReleaseSysCache(tuple);
	return share;
}

/*
 * Returns the number of active NICs, of all or where a column has a value;
 * negative if unknown.
 */
static double
active_nics(Oid schema, const char *column, const Datum *value)
{
	Oid			nics = get_relname_relid("all_nics", schema);
	double		rows = OidIsValid(nics) ? table_rows(nics) : -1;
	Datum		active = BoolGetDatum(true);

	if (rows < 0)
		return -1;
	rows *= column_share(nics, "active", BOOLOID, &active, rows, 0.5);
	if (column)
		rows *= column_share(nics, column, INT8OID, value, rows, 0.005);
	return rows;
}

/*
 * Returns the number of active NICs of the networks of a VPC, on the assumption
 * that all networks are alike.
 */
static double
active_nics_of_vpc(Oid schema, const Datum *value)
{
	Oid			networks = get_relname_relid("all_networks", schema);
	double		rows = OidIsValid(networks) ? table_rows(networks) : -1;
	double		nics = active_nics(schema, NULL, NULL);

	if (rows < 0 || nics < 0)
		return -1;
	return nics * column_share(networks, "vpc_id", INT8OID, value, rows, 0.005);
}

/*
 * Estimates a call whose first argument selects NICs by a column, or networks by
 * their VPC (column NULL).  page_argno is the position of the size of a page, 0
 * for a function without pages.
 */
static Node *
estimate(Node *rawreq, const char *column, int page_argno)
{
	SupportRequestRows *req = (SupportRequestRows *) rawreq;
	List	   *args;
	Const	   *id;
	Const	   *page;
	const Datum *value;
	Oid			schema;
	double		rows;

	if (!IsA(rawreq, SupportRequestRows) || !IsA(req->node, FuncExpr))
		return NULL;

	args = ((FuncExpr *) req->node)->args;
	id = known_arg(args, 0);
	schema = known_inventory(args);
	if (!OidIsValid(schema))
		return NULL;

	value = id && !id->constisnull ? &id->constvalue : NULL;
	if (id && id->constisnull)
		rows = 1;
	else if (column)
		rows = active_nics(schema, column, value);
	else
		rows = active_nics_of_vpc(schema, value);
	if (rows < 0)
		return NULL;

	page = page_argno > 0 ? known_arg(args, page_argno) : NULL;
	if (page && !page->constisnull && DatumGetInt32(page->constvalue) >= 0)
		rows = Min(rows, DatumGetInt32(page->constvalue));

	req->rows = Max(rows, 1);
	return (Node *) req;
}

/*
 * Supports the planner for functions whose first argument is a network.
 */
PG_FUNCTION_INFO_V1(network_read_support);

Datum
network_read_support(PG_FUNCTION_ARGS)
{
	Node	   *req = (Node *) PG_GETARG_POINTER(0);
	int			page_argno = 0;

	/* network_active_instances() is the one with pages. */
	if (IsA(req, SupportRequestRows) &&
		IsA(((SupportRequestRows *) req)->node, FuncExpr) &&
		list_length(((FuncExpr *) ((SupportRequestRows *) req)->node)->args) == 4)
		page_argno = 2;

	PG_RETURN_POINTER(estimate(req, "network_id", page_argno));
}

/*
 * Supports the planner for functions whose first argument is an instance.
 */
PG_FUNCTION_INFO_V1(instance_read_support);

Datum
instance_read_support(PG_FUNCTION_ARGS)
{
	PG_RETURN_POINTER(estimate((Node *) PG_GETARG_POINTER(0), "instance_id", 0));
}

/*
 * Supports the planner for functions whose first argument is a VPC.
 */
PG_FUNCTION_INFO_V1(vpc_read_support);

Datum
vpc_read_support(PG_FUNCTION_ARGS)
{
	PG_RETURN_POINTER(estimate((Node *) PG_GETARG_POINTER(0), NULL, 0));
}
