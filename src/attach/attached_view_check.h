/*
 * attached_view_check.h
 *		Which views of an attached inventory a guard can evaluate on one row.
 */
#ifndef VMNET_ATTACHED_VIEW_CHECK_H
#define VMNET_ATTACHED_VIEW_CHECK_H

#include "nodes/parsenodes.h"
#include "nodes/primnodes.h"

extern const char *view_query_problem(Query *query, Index *varno, RangeTblEntry **rte);
extern const char *view_expression_problem(Expr *expr, Index varno, Oid relid);

#endif							/* VMNET_ATTACHED_VIEW_CHECK_H */
