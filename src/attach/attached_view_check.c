/*
 * attached_view_check.c
 *		Which views of an attached inventory a guard can evaluate on one row.
 */
#include "postgres.h"

#include "catalog/pg_attribute.h"
#include "catalog/pg_class.h"
#include "nodes/nodeFuncs.h"
#include "nodes/parsenodes.h"
#include "parser/parsetree.h"
#include "utils/lsyscache.h"

#include "compat.h"
#include "attach/attached_view_check.h"

/*
 * Returns why the query of a view is not a list of columns of one ordinary
 * table; NULL if it is.  *rte is set to its only relation, if it has one.
 */
const char *
view_query_problem(Query *query, Index *varno, RangeTblEntry **rte)
{
	FromExpr   *from = query->jointree;

	*rte = NULL;
	if (query->setOperations || query->cteList || from == NULL ||
		list_length(from->fromlist) != 1 || !IsA(linitial(from->fromlist), RangeTblRef))
		return "It does not read exactly one table.";
	*varno = linitial_node(RangeTblRef, from->fromlist)->rtindex;
	if (rt_fetch(*varno, query->rtable)->rtekind != RTE_RELATION)
		return "It does not read exactly one table.";
	*rte = rt_fetch(*varno, query->rtable);
	if (get_rel_relkind((*rte)->relid) != RELKIND_RELATION &&
		get_rel_relkind((*rte)->relid) != RELKIND_PARTITIONED_TABLE)
		return psprintf("It reads \"%s\", which is not a table.",
						get_rel_name((*rte)->relid));
	if (from->quals || (*rte)->tablesample || query->limitCount || query->limitOffset)
		return "It shows only some of the rows.";
	if (query->groupClause || query->groupingSets || query->havingQual ||
		query->distinctClause || query->hasAggs || query->hasWindowFuncs ||
		query->hasTargetSRFs)
		return "It does not show one row for each row of the table.";
	if (query->rowMarks)
		return "It locks rows.";
	return NULL;
}

/* The state of expression_check(). */
typedef struct ExpressionCheck
{
	Index		varno;
	Oid			relid;
	const char *problem;
} ExpressionCheck;

/*
 * Finds what cannot be evaluated on one row of the table; a tree walker.
 */
static bool
expression_check(Node *node, ExpressionCheck *check)
{
	if (node == NULL)
		return false;
	if (IsA(node, Var))
	{
		Var		   *var = (Var *) node;
		char		generated;

		if (var->varno != check->varno || var->varlevelsup != 0)
			check->problem = "reads another relation";
		else if (var->varattno <= 0)
			check->problem = "reads a system column or the whole row";
		else
		{
			generated = get_attgenerated(check->relid, var->varattno);
			if (generated != '\0' && generated != ATTRIBUTE_GENERATED_STORED)
				check->problem = "reads a generated column that is not stored";
		}
		return check->problem != NULL;
	}
	if (IsA(node, SubLink) || IsA(node, SubPlan) || IsA(node, Param) ||
		IsA(node, Aggref) || IsA(node, WindowFunc) || IsA(node, GroupingFunc) ||
		IsA(node, CurrentOfExpr) || IsA(node, Query))
	{
		check->problem = "is more than an expression over one row";
		return true;
	}
	return expression_tree_walker(node, expression_check, check);
}

/*
 * Returns why an expression cannot be evaluated on one row of a table, as the end
 * of a sentence; NULL if it can.  varno is that of the table.
 */
const char *
view_expression_problem(Expr *expr, Index varno, Oid relid)
{
	ExpressionCheck check = {0};

	check.varno = varno;
	check.relid = relid;
	return expression_check((Node *) expr, &check) ? check.problem : NULL;
}
