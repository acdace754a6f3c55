/*
 * notify.c
 *		One message per statement that changed NICs, for sessions that LISTEN, and
 *		the loop over the rows that a statement wrote.
 */
#include "postgres.h"

#include "commands/async.h"
#include "commands/trigger.h"
#include "executor/executor.h"
#include "executor/tuptable.h"
#include "lib/stringinfo.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/datum.h"
#include "utils/rel.h"
#include "utils/tuplestore.h"

#include "compat.h"
#include "core/trigger_call.h"
#include "history/notify.h"
#include "nic/nic_table.h"

/* Number of NICs that a message lists; further ones are only counted. */
#define NOTIFY_NICS	100

/* Limit of the length of their ids: a message has at most 8000 bytes. */
#define NOTIFY_BYTES	7800

/* Tell whether a column differs between the two rows of an UPDATE. */
static bool
column_changed(const NicTable *table, TupleTableSlot *old, TupleTableSlot *new,
			   NicColumn column)
{
	AttrNumber	attnum = table->attnum[column];
	Form_pg_attribute att = TupleDescAttr(old->tts_tupleDescriptor, attnum - 1);
	bool		oldnull;
	bool		newnull;
	Datum		oldvalue = slot_getattr(old, attnum, &oldnull);
	Datum		newvalue = slot_getattr(new, attnum, &newnull);

	if (oldnull || newnull)
		return oldnull != newnull;
	return !datum_image_eq(oldvalue, newvalue, att->attbyval, att->attlen);
}

/*
 * Appends a NIC to a message; beyond NOTIFY_NICS only the number is counted.
 *
 * id is the id of the NIC as JSON, and is copied.
 */
void
notify_append(NotifyMessage *notice, const char *id)
{
	if (notice->count++ >= NOTIFY_NICS || notice->ids.len > NOTIFY_BYTES)
		return;
	appendStringInfo(&notice->ids, "%s%s", notice->count > 1 ? ", " : "", id);
}

/*
 * Sends the message of a statement on a channel, unless it has no NIC.
 */
void
notify_send(NotifyMessage *notice, TriggerData *trigdata, const char *channel)
{
	StringInfoData payload;

	if (notice->count == 0)
		return;
	initStringInfo(&payload);
	appendStringInfo(&payload, "{\"event\": \"%s\", \"count\": " INT64_FORMAT ", \"nic_ids\": ",
					 TRIGGER_FIRED_BY_INSERT(trigdata->tg_event) ? "insert" :
					 TRIGGER_FIRED_BY_UPDATE(trigdata->tg_event) ? "update" : "delete",
					 notice->count);
	if (notice->count > NOTIFY_NICS || notice->ids.len > NOTIFY_BYTES)
		appendStringInfoString(&payload, "null}");
	else
		appendStringInfo(&payload, "[%s]}", notice->ids.data);
	Async_Notify(channel, payload.data);
	pfree(payload.data);
}

/*
 * Starts to read a transition table from its first row; returns the read pointer
 * to use.
 *
 * All triggers of a table share its transition tables, and the active read
 * pointer is where the last reader left it.  So each reader has its own pointer,
 * as SQL functions have.
 */
static int
transition_start(Tuplestorestate *rows)
{
	int			pointer = tuplestore_alloc_read_pointer(rows, EXEC_FLAG_REWIND);

	tuplestore_select_read_pointer(rows, pointer);
	tuplestore_rescan(rows);
	return pointer;
}

/* Reads the next row with a pointer of transition_start(); false at the end. */
static bool
transition_next(Tuplestorestate *rows, int pointer, TupleTableSlot *slot)
{
	tuplestore_select_read_pointer(rows, pointer);
	return tuplestore_gettupleslot(rows, true, false, slot);
}

/*
 * Calls a function for each row that a statement inserted, updated or deleted.
 *
 * The function gets the old and the new row of an UPDATE, otherwise NULL and the
 * row; the slots are valid until it returns.  The two transition tables of an
 * UPDATE are filled together, and are read in step.  Afterwards the first read
 * pointer of each table, which is not moved here, is the active one: a trigger of
 * another extension that reads without a pointer of its own finds every row.
 */
void
foreach_written_row(TriggerData *trigdata, WrittenRow row, void *arg)
{
	Relation	rel = trigdata->tg_relation;
	bool		both = TRIGGER_FIRED_BY_UPDATE(trigdata->tg_event);
	Tuplestorestate *rows = TRIGGER_FIRED_BY_DELETE(trigdata->tg_event) ?
	trigdata->tg_oldtable : trigdata->tg_newtable;
	Tuplestorestate *oldrows = both ? trigdata->tg_oldtable : NULL;
	TupleTableSlot *slot;
	TupleTableSlot *old;
	int			pointer;
	int			oldpointer = 0;

	if (rows == NULL || (both && oldrows == NULL))
		refuse_table(rel, both ? "Its trigger lacks one of the two transition tables, or both." :
					 "Its trigger has no transition table.");

	slot = MakeSingleTupleTableSlot(RelationGetDescr(rel), &TTSOpsMinimalTuple);
	old = MakeSingleTupleTableSlot(RelationGetDescr(rel), &TTSOpsMinimalTuple);
	pointer = transition_start(rows);

	if (both)
		oldpointer = transition_start(oldrows);

	while (transition_next(rows, pointer, slot))
	{
		CHECK_FOR_INTERRUPTS();
		if (both && !transition_next(oldrows, oldpointer, old))
			elog(ERROR, "the transition tables of an UPDATE differ in length");
		row(both ? old : NULL, slot, arg);
	}

	tuplestore_select_read_pointer(rows, 0);
	if (both)
		tuplestore_select_read_pointer(oldrows, 0);
	ExecDropSingleTupleTableSlot(slot);
	ExecDropSingleTupleTableSlot(old);
}

typedef struct NotifyState
{
	NotifyMessage notice;
	const NicTable *table;
} NotifyState;

/*
 * Adds a NIC to the message, if it was added or deleted, or its state, removal
 * or network changed.
 */
static void
notify_row(TupleTableSlot *old, TupleTableSlot *slot, void *arg)
{
	NotifyState *state = arg;
	char		id[MAXINT8LEN + 1] = "null";
	Datum		value;
	bool		isnull;

	if (old && !column_changed(state->table, old, slot, NIC_STATE) &&
		!column_changed(state->table, old, slot, NIC_REMOVED) &&
		!column_changed(state->table, old, slot, NIC_NETWORK_ID))
		return;
	value = slot_getattr(slot, state->table->attnum[NIC_ID], &isnull);
	if (!isnull)
		pg_lltoa(DatumGetInt64(value), id);
	notify_append(&state->notice, id);
}

/*
 * Sends the message of a statement that wrote to a NIC table.
 *
 * An AFTER trigger, for each statement, with transition tables; created by
 * set_inventory_notify().  The channel is the argument of the trigger.
 */
PG_FUNCTION_INFO_V1(nic_notify);

Datum
nic_notify(PG_FUNCTION_ARGS)
{
	TriggerData *trigdata = trigger_call_check(fcinfo, "nic_notify",
											   TRIGGER_EVENT_AFTER, 0,
											   GUARD_INSERT | GUARD_UPDATE | GUARD_DELETE);
	NotifyState state = {0};

	if (trigdata->tg_trigger->tgnargs != 1)
		refuse_table(trigdata->tg_relation, "Its trigger names no channel.");

	state.table = nic_table_lookup(trigdata->tg_relation);
	initStringInfo(&state.notice.ids);
	foreach_written_row(trigdata, notify_row, &state);
	notify_send(&state.notice, trigdata, trigdata->tg_trigger->tgargs[0]);
	return PointerGetDatum(NULL);
}
