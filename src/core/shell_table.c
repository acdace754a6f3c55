/*
 * shell_table.c
 *		Tables whose rows are on another node.
 *
 * A distributed table is on each node as an empty local table, its shell, which
 * the planner of the distributing extension replaces in every query.  Code that
 * reads the heap of a shell directly finds no rows, and rows that it writes there
 * are lost.  A shell is recognized by an internal trigger on TRUNCATE, which
 * PostgreSQL itself never creates.
 */
#include "postgres.h"

#include "access/relation.h"
#include "catalog/pg_trigger.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"
#include "utils/reltrigger.h"

#include "compat.h"
#include "core/inventory.h"
#include "core/shell_table.h"

/*
 * Tells whether the rows of a table are on another node.  The relation is open
 * and locked; no other relation is opened.
 */
bool
table_is_shell(Relation rel)
{
	int			i;

	for (i = 0; rel->trigdesc && i < rel->trigdesc->numtriggers; i++)
	{
		Trigger    *trigger = &rel->trigdesc->triggers[i];

		if (trigger->tgisinternal && TRIGGER_FOR_TRUNCATE(trigger->tgtype))
			return true;
	}
	return false;
}

/*
 * Raises an error if the rows of a table are on another node.
 *
 * "what" completes the message "cannot ... on this node".
 */
void
refuse_shell(Relation rel, const char *what)
{
	const char *schema;

	if (!table_is_shell(rel))
		return;

	schema = require_namespace_name(RelationGetNamespace(rel));
	ereport(ERROR,
			(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
			 errmsg("cannot %s on this node", what),
			 errdetail("The rows of table \"%s.%s\" are on another node; this node has only the "
					   "shell of the distributed table.",
					   schema, RelationGetRelationName(rel)),
			 errhint("Connect to the node that holds the table, and repeat the call there."),
			 errtable(rel)));
}

/*
 * Calls refuse_shell() for functions in SQL.  Does nothing if the oid is not that
 * of a relation.
 */
PG_FUNCTION_INFO_V1(refuse_shell_table);

Datum
refuse_shell_table(PG_FUNCTION_ARGS)
{
	Relation	rel = try_relation_open(PG_GETARG_OID(0), AccessShareLock);

	if (rel == NULL)
		PG_RETURN_VOID();
	refuse_shell(rel, text_to_cstring(PG_GETARG_TEXT_PP(1)));
	relation_close(rel, AccessShareLock);
	PG_RETURN_VOID();
}
