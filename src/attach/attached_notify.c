/*
 * attached_notify.c
 *		Messages about NICs of an attached table.
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "commands/trigger.h"
#include "executor/tuptable.h"
#include "lib/stringinfo.h"
#include "utils/builtins.h"
#include "utils/json.h"
#include "utils/memutils.h"

#include "compat.h"
#include "attach/attached_row.h"
#include "attach/attached_table.h"
#include "core/run_as.h"
#include "core/trigger_call.h"
#include "history/notify.h"

typedef struct AttachedNotify
{
	NotifyMessage notice;
	AttachedTable *table;
	MemoryContext context;		/* for one row */
} AttachedNotify;

/*
 * Adds a NIC to the message, if it was added or deleted, or its state, removal
 * or network changed.
 */
static void
notify_row(TupleTableSlot *old, TupleTableSlot *slot, void *arg)
{
	AttachedNotify *state = arg;
	AttachedTable *table = state->table;
	MemoryContext oldcontext = MemoryContextSwitchTo(state->context);
	StringInfoData id;

	if (old == NULL || !attached_same(table, old, slot, ATTACHED_STATE) ||
		!attached_same(table, old, slot, ATTACHED_REMOVED) ||
		!attached_same(table, old, slot, ATTACHED_NETWORK_KEY))
	{
		initStringInfo(&id);
		if (table->type[ATTACHED_ID] == INT8OID)
			appendStringInfoString(&id, attached_output(table, slot, ATTACHED_ID));
		else
			escape_json(&id, attached_output(table, slot, ATTACHED_ID));
		notify_append(&state->notice, id.data);
	}
	MemoryContextSwitchTo(oldcontext);
	MemoryContextReset(state->context);
}

/*
 * Sends a message about the NICs that a statement changed in an attached table.
 *
 * An AFTER trigger on INSERT, UPDATE and DELETE, for each statement, with transition
 * tables; created by set_inventory_notify().  The channel is the third argument of
 * the trigger.  Rows are read as the owner of their table; the message is sent as the
 * current user.
 */
PG_FUNCTION_INFO_V1(attached_nic_notify);

Datum
attached_nic_notify(PG_FUNCTION_ARGS)
{
	TriggerData *trigdata = trigger_call_check(fcinfo, "attached_nic_notify",
											   TRIGGER_EVENT_AFTER, 0,
											   GUARD_INSERT | GUARD_UPDATE | GUARD_DELETE);
	AttachedNotify state = {0};
	RunAs		writer;

	state.table = attached_table_of(trigdata->tg_relation, trigdata->tg_trigger, "nics");
	if (trigdata->tg_trigger->tgnargs != 3)
		refuse_table(trigdata->tg_relation, "Its trigger names no channel.");

	initStringInfo(&state.notice.ids);
	state.context = AllocSetContextCreate(CurrentMemoryContext, "vmnet message",
										  ALLOCSET_SMALL_SIZES);
	run_as_table_owner(trigdata->tg_relation, &writer);
	foreach_written_row(trigdata, notify_row, &state);
	run_as_end(&writer);
	MemoryContextDelete(state.context);
	notify_send(&state.notice, trigdata, trigdata->tg_trigger->tgargs[2]);
	return PointerGetDatum(NULL);
}
