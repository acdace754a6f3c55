/*
 * attached_expressions.c
 *		The expressions of the attached views, readable from SQL.
 */
#include "postgres.h"

#include "access/relation.h"
#include "catalog/namespace.h"
#include "catalog/pg_class.h"
#include "funcapi.h"
#include "nodes/nodeFuncs.h"
#include "optimizer/optimizer.h"
#include "parser/parsetree.h"
#include "rewrite/rewriteHandler.h"
#include "rewrite/rewriteManip.h"
#include "utils/builtins.h"
#include "utils/fmgrprotos.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"

#include "compat.h"
#include "attach/attached_row.h"

#define ATTACHED_EXPRESSIONS_COLUMNS	6

/*
 * Returns the text of an expression over one row of the relation that a query
 * reads, as PostgreSQL prints it; false where the expression is more than that.
 */
static bool
expression_text(Expr *expr, Query *query, Datum *result)
{
	Node	   *node = (Node *) copyObject(expr);
	Bitmapset  *varnos = pull_varnos(NULL, node);
	int			varno;
	RangeTblEntry *rte;

	if (checkExprHasSubLink(node) || !bms_get_singleton_member(varnos, &varno))
		return false;
	rte = rt_fetch(varno, query->rtable);
	if (rte->rtekind != RTE_RELATION)
		return false;
	ChangeVarNodes(node, varno, 1, 0);
	*result = DirectFunctionCall3(pg_get_expr_ext,
								  CStringGetTextDatum(nodeToString(node)),
								  ObjectIdGetDatum(rte->relid), BoolGetDatum(true));
	return true;
}

/*
 * Tells whether an expression is a column as it is, with or without a collation.
 */
static bool
is_column(Expr *expr)
{
	if (IsA(expr, CollateExpr))
		expr = ((CollateExpr *) expr)->arg;
	return IsA(expr, Var);
}

/*
 * Adds one row for each column of an attached view.  Runs none of its code.
 */
static void
put_expressions(ReturnSetInfo *rsinfo, Oid schema, const char *role)
{
	Oid			viewid = get_relname_relid(psprintf("attached_%s", role), schema);
	AttachedTable *table = OidIsValid(viewid) ? attached_table_lookup(schema, role) : NULL;
	Relation	view;
	Query	   *query;
	ListCell   *lc;

	if (table == NULL)
		return;
	view = try_relation_open(viewid, AccessShareLock);
	if (view == NULL)
		return;
	query = get_view_query(view);
	foreach(lc, query->targetList)
	{
		TargetEntry *entry = lfirst_node(TargetEntry, lc);
		Datum		values[ATTACHED_EXPRESSIONS_COLUMNS] = {0};
		bool		nulls[ATTACHED_EXPRESSIONS_COLUMNS] = {0};

		if (entry->resjunk || entry->resname == NULL)
			continue;
		values[0] = CStringGetTextDatum(role);
		values[1] = CStringGetTextDatum(entry->resname);
		nulls[2] = !expression_text(entry->expr, query, &values[2]);
		values[3] = BoolGetDatum(is_column(entry->expr));
		values[4] = BoolGetDatum(IsA(entry->expr, Const) && ((Const *) entry->expr)->constisnull);
		values[5] = BoolGetDatum(table->no_time && strcmp(entry->resname, "removed") == 0);
		tuplestore_putvalues(rsinfo->setResult, rsinfo->setDesc, values, nulls);
	}
	relation_close(view, AccessShareLock);
}

/*
 * Returns one row for each column of the attached views: how it reads.  There is no
 * row for another inventory.
 */
PG_FUNCTION_INFO_V1(attached_expressions);

Datum
attached_expressions(PG_FUNCTION_ARGS)
{
	static const char *const roles[] = {"nics", "networks", "instances"};
	ReturnSetInfo *rsinfo = (ReturnSetInfo *) fcinfo->resultinfo;
	char	   *name = text_to_cstring(PG_GETARG_TEXT_PP(0));
	Oid			schema = strlen(name) < NAMEDATALEN ? get_namespace_oid(name, true) : InvalidOid;
	int			i;

	InitMaterializedSRF(fcinfo, 0);
	for (i = 0; OidIsValid(schema) && i < lengthof(roles); i++)
		put_expressions(rsinfo, schema, roles[i]);
	return (Datum) 0;
}
