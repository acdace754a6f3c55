/*
 * nic_prepare.c
 *		The trigger that sets the columns of a NIC that only the inventory determines.
 *
 * It also raises the errors of CHECK constraints, with what was found and what to do.
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "access/xact.h"
#include "commands/trigger.h"
#include "executor/spi.h"
#include "executor/tuptable.h"
#include "lib/stringinfo.h"
#include "utils/rel.h"
#include "utils/timestamp.h"

#include "compat.h"
#include "core/run_as.h"
#include "core/saved_query.h"
#include "core/trigger_call.h"
#include "history/pending.h"
#include "nic/column_default.h"
#include "nic/nic_check_refusal.h"
#include "nic/nic_row.h"
#include "nic/nic_state.h"
#include "nic/nic_table.h"
#include "nic/parent_lock.h"
#include "nic/removal_time.h"

/*
 * Appends the query that finds out whether an instance has a live NIC.
 */
static void
first_live_nic_query(StringInfo sql, Oid relid, int column)
{
	appendStringInfoString(sql, "SELECT 1 FROM ");
	append_relation_name(sql, relid);
	appendStringInfoString(sql,
						   " n WHERE n.instance_id OPERATOR(pg_catalog.=) $1"
						   " AND n.active LIMIT 1");
}

/*
 * Tells whether an instance has a live NIC, by the latest snapshot and as the
 * owner of the table.
 */
static bool
instance_has_live_nic(Relation rel, const NicTable *table, Datum instance_id)
{
	Oid			argtypes[1] = {table->instance.keytype};
	Datum		values[1] = {instance_id};
	SPIPlanPtr	plan;
	bool		found;

	SPI_connect();
	plan = saved_query_lookup_as_owner(QUERY_FIRST_LIVE_NIC, rel, 0,
									   first_live_nic_query, 1, argtypes);
	saved_query_run_as_owner(plan, rel, values, 1);
	found = SPI_processed > 0;
	SPI_finish();
	return found;
}

/*
 * Tells whether a new NIC is the first live one of its instance and so becomes
 * its default NIC, if the INSERT does not set default_nic (CloudStack #7859).
 *
 * Locks the network, then the instance, so that of two sessions that add NICs to
 * one instance only one adds the first.  On an instance of another owner only the
 * lock of a foreign key is taken: a role that may refer to the table must not
 * block updates by its owner.  The locks are held until the transaction ends.
 */
static bool
is_first_nic(Relation rel, const NicTable *table, TupleTableSlot *slot)
{
	TimestampTz removed;
	Datum		instance_id;

	if (nic_null(table, slot, NIC_INSTANCE_ID) ||
		nic_null(table, slot, NIC_NETWORK_ID) ||
		nic_null(table, slot, NIC_STATE) ||
		nic_row_state(table, slot) == NIC_DEALLOCATING)
		return false;

	instance_id = nic_value(table, slot, NIC_INSTANCE_ID);
	parent_lock(&table->network, nic_value(table, slot, NIC_NETWORK_ID),
				LockTupleKeyShare, &removed);
	parent_lock(&table->instance, instance_id,
				relation_owner(table->instance.relid) == rel->rd_rel->relowner ?
				LockTupleNoKeyExclusive : LockTupleKeyShare, &removed);
	return !instance_has_live_nic(rel, table, instance_id);
}

/*
 * Returns the address of a column of eight bytes that is not NULL in a tuple.
 */
static char *
column_address(HeapTuple tuple, TupleDesc desc, AttrNumber attnum)
{
	HeapTupleHeader header = tuple->t_data;
	bool		has_nulls = HeapTupleHasNulls(tuple);
	char	   *start = (char *) header + header->t_hoff;
	Size		offset = 0;
	int			i;

	for (i = 0;; i++)
	{
		Form_pg_attribute att = TupleDescAttr(desc, i);

		if (has_nulls && att_isnull(i, header->t_bits))
			continue;
		offset = att_align_pointer(offset, att->attalign, att->attlen, start + offset);
		if (i == attnum - 1)
			return start + offset;
		offset = att_addlength_pointer(offset, att->attlen, start + offset);
	}
}

/*
 * Returns a copy of a tuple with another time in a column that is not NULL; this
 * is less work than forming it anew.
 */
static HeapTuple
tuple_with_time(HeapTuple tuple, TupleDesc desc, AttrNumber attnum, TimestampTz time)
{
	HeapTuple	copy = heap_copytuple(tuple);

	memcpy(column_address(copy, desc, attnum), &time, sizeof(time));
	return copy;
}

/*
 * Sets state_changed, and default_nic where it is NULL, of a new NIC.  Returns
 * NULL if nothing changes, otherwise a new tuple.
 */
static HeapTuple
set_new_nic_columns(Relation rel, const NicTable *table, TupleTableSlot *slot)
{
	TimestampTz now = GetCurrentTransactionStartTimestamp();
	int			columns[2];
	Datum		values[2];
	int			n = 0;

	/* A NIC of the past has been in its first state since it was made. */
	if (!nic_null(table, slot, NIC_CREATED))
		now = Min(now, DatumGetTimestampTz(nic_value(table, slot, NIC_CREATED)));
	if (nic_null(table, slot, NIC_STATE_CHANGED) ||
		DatumGetTimestampTz(nic_value(table, slot, NIC_STATE_CHANGED)) != now)
	{
		columns[n] = table->attnum[NIC_STATE_CHANGED];
		values[n++] = TimestampTzGetDatum(now);
	}
	if (nic_null(table, slot, NIC_DEFAULT_NIC))
	{
		columns[n] = table->attnum[NIC_DEFAULT_NIC];
		values[n++] = BoolGetDatum(is_first_nic(rel, table, slot));
	}
	return n > 0 ? tuple_with_columns(slot, n, columns, values) : NULL;
}

/*
 * Prepares a new NIC: columns that the INSERT sets to NULL get their defaults,
 * what a CHECK would refuse is refused, then state_changed and default_nic are set.
 * Returns the tuple of the trigger if nothing changes, otherwise a new one.
 */
static HeapTuple
prepare_insert(TriggerData *trigdata)
{
	Relation	rel = trigdata->tg_relation;
	HeapTuple	filled = fill_column_defaults(rel, trigdata->tg_trigslot);

	/* after the defaults, whose functions may change the table */
	const NicTable *table = nic_table_lookup(rel);
	TupleTableSlot *slot = trigdata->tg_trigslot;
	HeapTuple	result;

	if (filled)
	{
		slot = MakeSingleTupleTableSlot(RelationGetDescr(rel), &TTSOpsHeapTuple);
		ExecStoreHeapTuple(filled, slot, false);
	}
	nic_judge_checks(trigdata, table, slot);
	result = set_new_nic_columns(rel, table, slot);
	if (filled)
		ExecDropSingleTupleTableSlot(slot);
	if (result)
		return result;
	return filled ? filled : trigdata->tg_trigtuple;
}

/*
 * Computes the removal time of a NIC that is removed now; false if it is right.
 *
 * A time within this transaction is never before the last change of the NIC,
 * although the transaction may have begun before that change.
 */
static bool
removal_time(const NicTable *table, TupleTableSlot *old, TupleTableSlot *new,
			 TimestampTz *removed)
{
	TimestampTz last;

	if (!nic_null(table, old, NIC_REMOVED) || nic_null(table, new, NIC_REMOVED))
		return false;

	*removed = DatumGetTimestampTz(nic_value(table, new, NIC_REMOVED));
	last = Max(DatumGetTimestampTz(nic_value(table, old, NIC_CREATED)),
			   DatumGetTimestampTz(nic_value(table, old, NIC_STATE_CHANGED)));
	if (*removed >= last || removal_is_backdated(*removed))
		return false;
	*removed = last;
	return true;
}

/*
 * Computes the time of a change of state, which is always after the previous
 * one; false if state_changed is right.
 */
static bool
change_time(Relation rel, const NicTable *table, TupleTableSlot *old,
			TupleTableSlot *new, TimestampTz *changed)
{
	*changed = DatumGetTimestampTz(nic_value(table, old, NIC_STATE_CHANGED));
	if (nic_same(table, old, new, NIC_STATE))
		return !nic_same(table, old, new, NIC_STATE_CHANGED);

	*changed = Max(*changed + 1, GetCurrentTimestamp());
	history_assign_number(rel, table, DatumGetInt64(nic_value(table, old, NIC_ID)), *changed);
	return true;
}

/*
 * Refuses what a CHECK would refuse, then sets state_changed and adjusts the removal
 * time of a changed NIC.  Returns the tuple of the trigger if nothing changes,
 * otherwise a new one.
 */
static HeapTuple
prepare_update(TriggerData *trigdata, const NicTable *table)
{
	Relation	rel = trigdata->tg_relation;
	TupleTableSlot *old = trigdata->tg_trigslot;
	TupleTableSlot *new = trigdata->tg_newslot;
	TimestampTz time;
	int			columns[2];
	Datum		values[2];
	int			n = 0;

	nic_judge_checks(trigdata, table, new);
	if (change_time(rel, table, old, new, &time))
	{
		columns[n] = table->attnum[NIC_STATE_CHANGED];
		values[n++] = TimestampTzGetDatum(time);
	}
	if (removal_time(table, old, new, &time))
	{
		columns[n] = table->attnum[NIC_REMOVED];
		values[n++] = TimestampTzGetDatum(time);
	}
	if (n == 0)
		return trigdata->tg_newtuple;

	if (n > 1 || slot_attisnull(new, columns[0]) ||
		HeapTupleHeaderGetNatts(trigdata->tg_newtuple->t_data) < columns[0])
		return tuple_with_columns(new, n, columns, values);
	return tuple_with_time(trigdata->tg_newtuple, RelationGetDescr(rel), columns[0],
						   DatumGetTimestampTz(values[0]));
}

/*
 * Sets the columns of a NIC that only the inventory determines.
 *
 * A BEFORE trigger on INSERT and UPDATE of a NIC table, for each row.
 */
PG_FUNCTION_INFO_V1(nic_prepare);

Datum
nic_prepare(PG_FUNCTION_ARGS)
{
	TriggerData *trigdata = trigger_call_check(fcinfo, "nic_prepare",
											   TRIGGER_EVENT_BEFORE, TRIGGER_EVENT_ROW,
											   GUARD_INSERT | GUARD_UPDATE);

	if (TRIGGER_FIRED_BY_INSERT(trigdata->tg_event))
		return PointerGetDatum(prepare_insert(trigdata));
	return PointerGetDatum(prepare_update(trigdata, nic_table_lookup(trigdata->tg_relation)));
}
