/*
 * estimate.c
 *		How many rows a read function returns, for the planner.
 *
 * A call with a constant is estimated by planning the plain query on the view
 * of live NICs, whose statistics the planner knows; a call with a value that
 * is known only later, by the average.
 */
#include "compat.h"

#include "catalog/namespace.h"
#include "catalog/pg_type.h"
#include "nodes/plannodes.h"
#include "nodes/primnodes.h"
#include "nodes/supportnodes.h"
#include "utils/builtins.h"
#include "utils/fmgrprotos.h"
#include "utils/lsyscache.h"
#include "utils/plancache.h"

#include "vmnet_ext.h"

PG_FUNCTION_INFO_V1(network_read_support);
PG_FUNCTION_INFO_V1(instance_read_support);
PG_FUNCTION_INFO_V1(vpc_read_support);

/* An argument that the planner knows the value of. */
static Const *
known_arg(List *args, int argno)
{
	Node	   *arg = argno < list_length(args) ? list_nth(args, argno) : NULL;

	return arg && IsA(arg, Const) ? (Const *) arg : NULL;
}

/* The inventory that a call means, or 0 where that is not known yet. */
static Oid
known_inventory(List *args)
{
	Const	   *name = known_arg(args, list_length(args) - 1);
	Oid			schema;

	if (name == NULL)
		return InvalidOid;
	schema = get_namespace_oid(name->constisnull ? vmnet_inventory :
							   NameStr(*DatumGetName(name->constvalue)), true);
	if (!OidIsValid(schema) || !OidIsValid(get_relname_relid("nics", schema)) ||
		!OidIsValid(get_relname_relid("networks", schema)))
		return InvalidOid;

	/* Whoever may not look into the schema plans without an estimate. */
	if (!DatumGetBool(DirectFunctionCall2(has_schema_privilege_id,
										  ObjectIdGetDatum(schema),
										  CStringGetTextDatum("USAGE"))))
		return InvalidOid;
	return schema;
}

/* The planner's own estimate of a query's rows; negative if there is none. */
static double
planned_rows(const char *sql, Oid *argtypes, int nargs)
{
	double		rows = -1;
	SPIPlanPtr	plan;

	SPI_connect();
	plan = SPI_prepare_cursor(sql, nargs, argtypes, CURSOR_OPT_GENERIC_PLAN);
	if (plan)
	{
		CachedPlan *cached = SPI_plan_get_cached_plan(plan);

		if (cached)
		{
			PlannedStmt *stmt = linitial_node(PlannedStmt, cached->stmt_list);

			rows = stmt->planTree->plan_rows;
			/* The plan is not saved, so no resource owner knows of it. */
			ReleaseCachedPlan(cached, NULL);
		}
	}
	SPI_finish();
	return rows;
}

/*
 * Estimates a call whose first argument selects rows of "from" by "column".
 */
static Node *
estimate(Node *rawreq, const char *from, const char *column, int page_argno)
{
	SupportRequestRows *req = (SupportRequestRows *) rawreq;
	StringInfoData sql;
	List	   *args;
	Const	   *id;
	Const	   *page;
	Oid			argtypes[1] = {INT8OID};
	Oid			schema;
	char	   *name;
	double		rows;

	if (!IsA(rawreq, SupportRequestRows) || !IsA(req->node, FuncExpr))
		return NULL;

	args = ((FuncExpr *) req->node)->args;
	id = known_arg(args, 0);
	schema = known_inventory(args);
	if (!OidIsValid(schema))
		return NULL;

	attached_check_keys(schema);
	initStringInfo(&sql);
	name = pstrdup(quote_identifier(get_namespace_name(schema)));
	appendStringInfo(&sql, from, name, name);
	if (id == NULL)
		appendStringInfo(&sql, " WHERE %s OPERATOR(pg_catalog.=) $1", column);
	else if (!id->constisnull)
		appendStringInfo(&sql, " WHERE %s OPERATOR(pg_catalog.=) '%lld'::pg_catalog.int8",
						 column, (long long) DatumGetInt64(id->constvalue));
	rows = id && id->constisnull ? 1 : planned_rows(sql.data, argtypes, id ? 0 : 1);
	if (rows < 0)
		return NULL;

	page = page_argno > 0 ? known_arg(args, page_argno) : NULL;
	if (page && !page->constisnull && DatumGetInt32(page->constvalue) >= 0)
		rows = Min(rows, DatumGetInt32(page->constvalue));

	req->rows = Max(rows, 1);
	return (Node *) req;
}

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

	PG_RETURN_POINTER(estimate(req, "SELECT 1 FROM %s.nics", "network_id", page_argno));
}

Datum
instance_read_support(PG_FUNCTION_ARGS)
{
	PG_RETURN_POINTER(estimate((Node *) PG_GETARG_POINTER(0),
							   "SELECT 1 FROM %s.nics", "instance_id", 0));
}

Datum
vpc_read_support(PG_FUNCTION_ARGS)
{
	PG_RETURN_POINTER(estimate((Node *) PG_GETARG_POINTER(0),
							   "SELECT 1 FROM %s.nics n JOIN %s.networks w"
							   " ON w.id OPERATOR(pg_catalog.=) n.network_id",
							   "w.vpc_id", 0));
}
