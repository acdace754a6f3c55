/*
 * live_guard.c
 *		Refuses writes to a live inventory.
 *
 * Its views read foreign tables, and mysql_fdw can write if its account has
 * the rights: a write would change CloudStack's database without CloudStack.
 */
#include "postgres.h"

#include "commands/trigger.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"

#include "compat.h"
#include "core/inventory.h"
#include "core/trigger_call.h"

/*
 * Refuses a write to a view of a live inventory.
 *
 * An INSTEAD OF trigger on INSERT, UPDATE and DELETE, for each row.
 */
PG_FUNCTION_INFO_V1(live_guard);

Datum
live_guard(PG_FUNCTION_ARGS)
{
	TriggerData *trigdata = trigger_call_check(fcinfo, "live_guard",
											   TRIGGER_EVENT_INSTEAD, TRIGGER_EVENT_ROW,
											   GUARD_INSERT | GUARD_UPDATE | GUARD_DELETE);
	Relation	rel = trigdata->tg_relation;

	if (!inventory_is_live(RelationGetNamespace(rel)))
		refuse_table(rel, "Its schema is not a live inventory.");

	ereport(ERROR,
			(errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
			 errmsg("cannot write to view \"%s\": inventory \"%s\" is live",
					RelationGetRelationName(rel),
					require_namespace_name(RelationGetNamespace(rel))),
			 errdetail("The view reads CloudStack's database and is read-only."),
			 errhint("Make the change with CloudStack."),
			 errtableconstraint(rel, "live_guard")));
	return PointerGetDatum(NULL);	/* keep compiler quiet */
}
