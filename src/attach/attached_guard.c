/*
 * attached_guard.c
 *		What the guards on attached tables have in common.
 *
 * The guards enforce the rules of a managed inventory as far as the table has the
 * columns of a rule: a rule about states ignores a state that is missing or not
 * canonical.  In mode warn they raise a WARNING and refuse nothing.
 *
 * A guard runs as the owner of the table that it fired on, to whom the
 * expressions of the views, and all that it reads, belong.
 */
#include "postgres.h"

#include "commands/trigger.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/fmgrprotos.h"
#include "utils/rel.h"

#include "compat.h"
#include "attach/attached_guard.h"
#include "attach/attached_row.h"
#include "attach/attached_table.h"
#include "core/inventory.h"
#include "core/run_as.h"
#include "core/visibility.h"

/*
 * Starts a guard for a role (NULL: any of the three) and switches the current
 * user to the owner of the table until
 * attached_guard_end().
 *
 * guard->table is valid until the end of the transaction.
 */
void
attached_guard_begin(AttachedGuard *guard, TriggerData *trigdata, const char *role)
{
	guard->rel = trigdata->tg_relation;
	guard->table = attached_table_of(guard->rel, trigdata->tg_trigger, role);
	run_as_table_owner(guard->rel, &guard->writer);
}

/*
 * Switches back to the user who wrote the row.
 */
void
attached_guard_end(AttachedGuard *guard)
{
	run_as_end(&guard->writer);
}

/*
 * Returns the level of a refusal, which is WARNING in mode warn and else ERROR.
 */
int
attached_refusal_level(const AttachedGuard *guard)
{
	return guard->table->enforce ? ERROR : WARNING;
}

/*
 * Tells whether the user who wrote the row may see all rows of a table.
 *
 * The current user is switched back for the check and is the owner of the guarded
 * table again on return.
 */
bool
attached_may_see(AttachedGuard *guard, Oid relid)
{
	bool		sees;

	run_as_end(&guard->writer);
	sees = may_see_relation(relid);
	run_as_table_owner(guard->rel, &guard->writer);
	return sees;
}

/*
 * Raises an error unless the owner of the table, as whom a guard runs its
 * queries, may use the schema of the inventory.
 */
void
attached_require_schema(AttachedGuard *guard)
{
	Relation	rel = guard->rel;
	Oid			owner = rel->rd_rel->relowner;
	Oid			schema = guard->table->schema;
	char	   *name;

	if (DatumGetBool(DirectFunctionCall3(has_schema_privilege_id_id,
										 ObjectIdGetDatum(owner),
										 ObjectIdGetDatum(schema),
										 PointerGetDatum(cstring_to_text("USAGE")))))
		return;
	name = require_namespace_name(schema);
	ereport(ERROR,
			(errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
			 errmsg("schema \"%s\" cannot be used by the owner of table \"%s\"",
					name, RelationGetRelationName(rel)),
			 errdetail("Its guards run as role \"%s\".", GetUserNameFromId(owner, true)),
			 errhint("GRANT USAGE ON SCHEMA %s TO %s;", quote_identifier(name),
					 quote_identifier(GetUserNameFromId(owner, false))),
			 errtableconstraint(rel, "inventory_owner")));
}
