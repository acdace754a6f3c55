/*
 * attached_delete_guard.c
 *		The trigger that refuses DELETE and TRUNCATE on attached tables.
 */
#include "postgres.h"

#include "commands/trigger.h"
#include "executor/tuptable.h"
#include "utils/rel.h"

#include "compat.h"
#include "attach/attached_guard.h"
#include "attach/attached_parent_guard.h"
#include "attach/attached_row.h"
#include "core/inventory.h"
#include "core/trigger_call.h"
#include "nic/parent_rules.h"

/*
 * Refuses to delete a row that is not removed.
 */
static void
check_delete(AttachedGuard *guard, HeapTuple row)
{
	Relation	rel = guard->rel;
	TupleTableSlot *slot = MakeSingleTupleTableSlot(RelationGetDescr(rel), &TTSOpsHeapTuple);
	bool		sees;

	ExecStoreHeapTuple(row, slot, false);
	if (attached_is_null(guard->table, slot, ATTACHED_REMOVED))
	{
		sees = attached_may_see(guard, RelationGetRelid(rel));
		ereport(attached_refusal_level(guard),
				(errcode(ERRCODE_RESTRICT_VIOLATION),
				 errmsg("cannot delete from table \"%s\"", RelationGetRelationName(rel)),
				 sees ? errdetail("The row with id %s is not removed; deleting it would lose its "
								  "history.",
								  attached_output(guard->table, slot, ATTACHED_ID)) :
				 errdetail("The row is not removed; deleting it would lose its history."),
				 errhint("Remove it instead: set the column that \"removed\" is read from."),
				 errtableconstraint(rel, "no_hard_delete")));
	}
	ExecDropSingleTupleTableSlot(slot);
}

/*
 * Refuses TRUNCATE of a table whose rows are not removed by DELETE.
 */
static void
refuse_truncate(AttachedGuard *guard)
{
	Relation	rel = guard->rel;

	ereport(attached_refusal_level(guard),
			(errcode(ERRCODE_RESTRICT_VIOLATION),
			 errmsg("cannot truncate table \"%s\"", RelationGetRelationName(rel)),
			 errdetail("All rows of inventory \"%s\" in this table would be lost.",
					   require_namespace_name(guard->table->schema)),
			 errhint("Remove the rows instead: set the column that \"removed\" is read from."),
			 errtableconstraint(rel, "no_hard_delete")));
}

/*
 * Refuses to delete a row of an attached table that is not removed.
 *
 * A BEFORE trigger on DELETE, for each row, and on TRUNCATE.  A removed row may be
 * deleted: such systems purge in this way.  If rows of the table are removed by
 * DELETE, only a TRUNCATE of networks or instances that have NICs is refused.
 */
PG_FUNCTION_INFO_V1(attached_no_delete);

Datum
attached_no_delete(PG_FUNCTION_ARGS)
{
	TriggerData *trigdata = CALLED_AS_TRIGGER(fcinfo) ? (TriggerData *) fcinfo->context : NULL;
	bool		truncate = trigdata && TRIGGER_FIRED_BY_TRUNCATE(trigdata->tg_event);
	AttachedGuard guard;
	const char *role;

	trigdata = trigger_call_check(fcinfo, "attached_no_delete", TRIGGER_EVENT_BEFORE,
								  truncate ? 0 : TRIGGER_EVENT_ROW, GUARD_DELETE | GUARD_TRUNCATE);
	attached_guard_begin(&guard, trigdata, NULL);
	role = trigdata->tg_trigger->tgargs[1];
	if (!guard.table->lacks[ATTACHED_REMOVED])
	{
		if (truncate)
			refuse_truncate(&guard);
		else
			check_delete(&guard, trigdata->tg_trigtuple);
	}
	else if (truncate && strcmp(role, "nics") != 0)
		attached_check_truncate(&guard, strcmp(role, "networks") == 0 ?
								&network_kind : &instance_kind);
	attached_guard_end(&guard);
	return PointerGetDatum(truncate ? NULL : trigdata->tg_trigtuple);
}
