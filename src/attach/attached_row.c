/*
 * attached_row.c
 *		Values of the rows of an attached table.
 *
 * The view attached_nics of an inventory (and attached_networks,
 * attached_instances) defines them: each of its columns is an expression over one
 * row of the table.  A guard evaluates these expressions on the row that it
 * checks, so that it sees the same values as the views, and follows a renamed
 * column.
 *
 * The expressions are code of the owner of the view.  A guard uses them only if
 * the table has the same owner, and they are planned and evaluated while the
 * owner is the current user: see attached_table_of().  Reading the definition of
 * the view runs none of them and needs no rights.
 *
 * Any role can create a view of these names, and a trigger that names its schema.
 * The definition is checked when it is read; attach_inventory() creates views that
 * pass.
 */
#include "postgres.h"

#include "access/relation.h"
#include "catalog/pg_class.h"
#include "catalog/pg_type.h"
#include "executor/executor.h"
#include "executor/tuptable.h"
#include "miscadmin.h"
#include "nodes/nodeFuncs.h"
#include "nodes/plannodes.h"
#include "optimizer/optimizer.h"
#include "rewrite/rewriteHandler.h"
#include "utils/builtins.h"
#include "utils/datum.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"
#include "utils/timestamp.h"

#include "compat.h"
#include "attach/attached_row.h"
#include "attach/attached_view_check.h"
#include "core/inventory.h"
#include "core/relation_cache.h"
#include "core/run_as.h"

/* Columns that are read here, and their types; InvalidOid: of any type. */
static const struct
{
	const char *name;
	Oid			type;
}			attached_columns[ATTACHED_COLUMN_COUNT] = {
	[ATTACHED_ID] = {"id", InvalidOid},
	[ATTACHED_UUID] = {"uuid", InvalidOid},
	[ATTACHED_NETWORK_ID] = {"network_id", InvalidOid},
	[ATTACHED_INSTANCE_ID] = {"instance_id", InvalidOid},
	[ATTACHED_STATE] = {"state", TEXTOID},
	[ATTACHED_STRATEGY] = {"strategy", TEXTOID},
	[ATTACHED_REMOVED] = {"removed", TIMESTAMPTZOID},
	[ATTACHED_CREATED] = {"created", TIMESTAMPTZOID},
	[ATTACHED_STATE_CHANGED] = {"state_changed", TIMESTAMPTZOID},
	[ATTACHED_MAC_ADDRESS] = {"mac_address", MACADDROID},
	[ATTACHED_IP4_ADDRESS] = {"ip4_address", INETOID},
	[ATTACHED_IP6_ADDRESS] = {"ip6_address", INETOID},
	[ATTACHED_NETWORK_KEY] = {"network_key", InvalidOid},
	[ATTACHED_INSTANCE_KEY] = {"instance_key", InvalidOid},
	[ATTACHED_KEY] = {"key", InvalidOid},
	[ATTACHED_VPC_ID] = {"vpc_id", InvalidOid}
};

static bool view_uses_relation(const CachedRelation *description, Oid relid);
static bool view_uses_object(const CachedRelation *description, int cacheid, uint32 hashvalue);

static RelationCache attached_views = {
	.name = "vmnet attached views",.size = sizeof(AttachedTable),
	.uses_relation = view_uses_relation,.uses_object = view_uses_object
};

/*
 * Tells whether the description of a view was read from another relation too.
 */
static bool
view_uses_relation(const CachedRelation *description, Oid relid)
{
	const AttachedTable *table = (const AttachedTable *) description;

	return relid == table->table || relid == table->info;
}

/*
 * Tells whether the expressions of a view use a function or a type.  A function
 * may have been inlined.
 */
static bool
view_uses_object(const CachedRelation *description, int cacheid, uint32 hashvalue)
{
	ListCell   *lc;

	foreach(lc, ((const AttachedTable *) description)->functions)
	{
		PlanInvalItem *item = lfirst_node(PlanInvalItem, lc);

		if (item->cacheId == cacheid && (hashvalue == 0 || item->hashValue == hashvalue))
			return true;
	}
	return false;
}

/*
 * Returns why a guard cannot use a column of the view; NULL if it can.
 */
static const char *
column_problem(AttachedTable *table, AttachedColumn column, Index varno)
{
	Oid			type = table->type[column];
	Oid			wanted = attached_columns[column].type;
	const char *problem;

	if (OidIsValid(wanted) && type != wanted && !(wanted == TEXTOID && type == VARCHAROID))
		return psprintf("Its column \"%s\" is of type %s, not %s.",
						attached_columns[column].name,
						format_type_be(type), format_type_be(wanted));
	if (get_typtype(type) == TYPTYPE_PSEUDO)
		return psprintf("Its column \"%s\" is of type %s.",
						attached_columns[column].name, format_type_be(type));
	problem = view_expression_problem(table->trees[column], varno, table->table);
	if (problem)
		return psprintf("Its column \"%s\" %s.", attached_columns[column].name, problem);
	return NULL;
}

static bool
is_unknown_time(Expr *expr)
{
	return IsA(expr, Const) && !((Const *) expr)->constisnull &&
		((Const *) expr)->consttype == TIMESTAMPTZOID &&
		TIMESTAMP_IS_NOBEGIN(DatumGetTimestampTz(((Const *) expr)->constvalue));
}

/*
 * Stores one column of the view in the description.  Runs none of its code.
 */
static void
read_column(AttachedTable *table, TargetEntry *entry, Index varno)
{
	Expr	   *expr = entry->expr;
	int			i;

	if (entry->resjunk || entry->resname == NULL)
		return;
	if (strcmp(entry->resname, "name") == 0)
		table->lacks_name = IsA(expr, Const) && ((Const *) expr)->constisnull;
	for (i = 0; i < ATTACHED_COLUMN_COUNT; i++)
	{
		if (strcmp(entry->resname, attached_columns[i].name) == 0)
			break;
	}
	if (i == ATTACHED_COLUMN_COUNT)
		return;

	table->trees[i] = copyObject(expr);
	table->lacks[i] = IsA(expr, Const) && ((Const *) expr)->constisnull;
	table->type[i] = getBaseType(exprType((Node *) expr));
	table->collation[i] = exprCollation((Node *) expr);
	if (IsA(expr, Var))
		table->attnum[i] = ((Var *) expr)->varattno;
	/* The time is the same whatever the row: -infinity. */
	if (i == ATTACHED_REMOVED && IsA(expr, CaseExpr) && ((CaseExpr *) expr)->defresult)
		table->no_time = is_unknown_time(((CaseExpr *) expr)->defresult);
	if (table->problem == NULL)
		table->problem = column_problem(table, i, varno);
}

/*
 * Opens a view of an inventory and gets the facts about the inventory; NULL if
 * the relation is not a view of an inventory.
 */
static Relation
open_view(Oid viewid, Oid schema, InventoryInfo *info)
{
	Relation	view;

	if (!inventory_info(schema, info))
		return NULL;
	view = try_relation_open(viewid, AccessShareLock);
	if (view && view->rd_rel->relkind != RELKIND_VIEW)
	{
		relation_close(view, AccessShareLock);
		return NULL;
	}
	return view;
}

/*
 * Reads the definition of a view; NULL if it is not a view of an inventory.
 */
static AttachedTable *
read_view(Oid viewid, Oid schema)
{
	AttachedTable *table = (AttachedTable *) relation_cache_begin(&attached_views, viewid);
	MemoryContext oldcontext;
	InventoryInfo info;
	RangeTblEntry *rte;
	Relation	view = open_view(viewid, schema, &info);
	Query	   *query;
	Index		varno = 0;
	ListCell   *lc;

	if (view == NULL)
		return NULL;

	oldcontext = MemoryContextSwitchTo(table->cached.context);
	table->view = viewid;
	table->schema = schema;
	table->info = get_relname_relid(INVENTORY_MARK, schema);
	table->info_owner = relation_owner(table->info);
	table->owner = view->rd_rel->relowner;
	table->attached = strcmp(info.kind, "attached") == 0;
	table->enforce = strcmp(info.mode, "enforce") == 0;
	memset(table->lacks, true, sizeof(table->lacks));

	query = get_view_query(view);
	table->problem = view_query_problem(query, &varno, &rte);
	table->table = rte ? rte->relid : InvalidOid;
	foreach(lc, query->targetList)
		read_column(table, lfirst_node(TargetEntry, lc), varno);
	table->econtext = CreateStandaloneExprContext();
	MemoryContextSwitchTo(oldcontext);
	relation_close(view, AccessShareLock);
	return table;
}

/*
 * Returns the description of a view of an inventory by its role (networks,
 * instances, nics); NULL if the inventory has no such view.
 *
 * Runs no code of the inventory.  The result is valid until the end of the
 * transaction.  It may have a problem, and it may belong to any role: guards call
 * attached_table_of() and attached_related() instead.
 */
AttachedTable *
attached_table_lookup(Oid schema, const char *role)
{
	Oid			viewid = get_relname_relid(psprintf("attached_%s", role), schema);
	AttachedTable *table;

	if (!OidIsValid(viewid))
		return NULL;
	table = (AttachedTable *) relation_cache_find(&attached_views, viewid);
	if (table && !table->busy)
		return table;

	table = read_view(viewid, schema);
	if (table)
		relation_cache_store(&attached_views, &table->cached);
	return table;
}

/*
 * Tells whether a column, by its canonical name, is NULL in every row.
 */
bool
attached_lacks_column(AttachedTable *table, const char *column)
{
	int			i;

	if (strcmp(column, "name") == 0)
		return table->lacks_name;
	for (i = 0; i < ATTACHED_COLUMN_COUNT; i++)
	{
		if (strcmp(column, attached_columns[i].name) == 0)
			return table->lacks[i];
	}
	elog(ERROR, "\"%s\" is not a column that is read", column);
	return true;				/* keep compiler quiet */
}

/*
 * Prepares the expression of a column for evaluation.  Planning it evaluates
 * functions that are declared immutable.
 */
static void
prepare_column(AttachedTable *table, AttachedColumn column)
{
	uint64		before = attached_views.invalidations;
	List	   *relations = NIL;
	List	   *items = NIL;
	Expr	   *expr = expression_planner_with_deps(copyObject(table->trees[column]),
													&relations, &items);
	MemoryContext oldcontext = MemoryContextSwitchTo(table->cached.context);
	ExprState  *state = ExecInitExpr(copyObject(expr), NULL);

	table->functions = list_concat(table->functions, copyObject(items));
	table->exprs[column] = state;
	MemoryContextSwitchTo(oldcontext);
	if (attached_views.invalidations != before)
		table->cached.stale = true;
}

/*
 * Returns the value of a column in a row; *isnull tells whether it is NULL.
 *
 * The current user must be the owner of the view, whose expressions are
 * evaluated.  A value that is passed by reference points into the slot, or is
 * allocated in the current memory context.
 */
Datum
attached_value(AttachedTable *table, TupleTableSlot *slot, AttachedColumn column, bool *isnull)
{
	Datum		value;

	Assert(table->problem == NULL);
	if (AttributeNumberIsValid(table->attnum[column]))
		return slot_getattr(slot, table->attnum[column], isnull);
	if (table->lacks[column])
	{
		*isnull = true;
		return (Datum) 0;
	}

	if (GetUserId() != table->owner)
		elog(ERROR, "view \"%s\" is evaluated by another role than its owner",
			 get_rel_name(table->view));
	if (table->exprs[column] == NULL)
		prepare_column(table, column);

	/* A guard that fires meanwhile, or after an error, reads the view anew. */
	table->busy = true;
	table->econtext->ecxt_scantuple = slot;
	value = ExecEvalExpr(table->exprs[column], table->econtext, isnull);
	table->busy = false;
	return value;
}

/*
 * Tells whether a column is NULL in a row.
 */
bool
attached_is_null(AttachedTable *table, TupleTableSlot *slot, AttachedColumn column)
{
	bool		isnull;

	(void) attached_value(table, slot, column, &isnull);
	return isnull;
}

/*
 * Tells whether a column has the same value in two rows.
 */
bool
attached_same(AttachedTable *table, TupleTableSlot *a, TupleTableSlot *b, AttachedColumn column)
{
	bool		anull;
	bool		bnull;
	Datum		avalue = attached_value(table, a, column, &anull);
	Datum		bvalue = attached_value(table, b, column, &bnull);
	int16		len;
	bool		byval;

	if (anull || bnull)
		return anull && bnull;
	get_typlenbyval(table->type[column], &len, &byval);
	return datum_image_eq(avalue, bvalue, byval, len);
}

/*
 * Returns a value as text for messages, in the current memory context.
 */
char *
attached_output(AttachedTable *table, TupleTableSlot *slot, AttachedColumn column)
{
	Oid			output;
	bool		isvarlena;
	bool		isnull;
	Datum		value = attached_value(table, slot, column, &isnull);

	if (isnull)
		return pstrdup("null");
	getTypeOutputInfo(table->type[column], &output, &isvarlena);
	return OidOutputFunctionCall(output, value);
}
