/*
 * nic_guard.c
 *		The triggers of a NIC table: nic_prepare() sets columns, nic_guard() checks.
 *
 * nic_prepare() fires BEFORE and sets the columns that only the inventory
 * determines.  nic_guard() fires AFTER, so that it sees the row as it is stored,
 * after all BEFORE triggers and after the declarative constraints.
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "access/table.h"
#include "access/xact.h"
#include "catalog/pg_type.h"
#include "commands/trigger.h"
#include "executor/spi.h"
#include "executor/tuptable.h"
#include "lib/stringinfo.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/datum.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"
#include "utils/timestamp.h"

#include "compat.h"
#include "core/run_as.h"
#include "core/saved_query.h"
#include "core/trigger_call.h"
#include "core/visibility.h"
#include "history/insert.h"
#include "history/pending.h"
#include "nic/column_default.h"
#include "nic/nic_state.h"
#include "nic/nic_table.h"
#include "nic/parent_lock.h"
#include "nic/removal_time.h"

/*
 * Values of a NIC, by column.
 */

/*
 * Tells whether a column of a NIC is NULL.
 */
static bool
nic_null(const NicTable *table, TupleTableSlot *slot, NicColumn column)
{
	return slot_attisnull(slot, table->attnum[column]);
}

/*
 * Returns the value of a column of a NIC that is not NULL.
 */
static Datum
nic_value(const NicTable *table, TupleTableSlot *slot, NicColumn column)
{
	bool		isnull;

	return slot_getattr(slot, table->attnum[column], &isnull);
}

/*
 * Returns the state of a NIC; NIC_UNKNOWN_STATE for NULL, which is possible only
 * if the owner has dropped NOT NULL.
 */
static NicState
nic_state(const NicTable *table, TupleTableSlot *slot)
{
	text	   *state;

	if (nic_null(table, slot, NIC_STATE))
		return NIC_UNKNOWN_STATE;
	state = DatumGetTextPP(nic_value(table, slot, NIC_STATE));
	return nic_state_parse(VARDATA_ANY(state), VARSIZE_ANY_EXHDR(state));
}

/*
 * Returns the strategy of a NIC; NIC_UNKNOWN_STRATEGY for NULL.
 */
static NicStrategy
nic_strategy(const NicTable *table, TupleTableSlot *slot)
{
	text	   *strategy;

	if (nic_null(table, slot, NIC_STRATEGY))
		return NIC_UNKNOWN_STRATEGY;
	strategy = DatumGetTextPP(nic_value(table, slot, NIC_STRATEGY));
	return nic_strategy_parse(VARDATA_ANY(strategy), VARSIZE_ANY_EXHDR(strategy));
}

/*
 * Tells whether a column is the same in two rows; true if the table lacks it.
 */
static bool
nic_same(const NicTable *table, TupleTableSlot *a, TupleTableSlot *b, NicColumn column)
{
	AttrNumber	attnum = table->attnum[column];
	Form_pg_attribute att;
	bool		anull;
	bool		bnull;
	Datum		avalue;
	Datum		bvalue;

	if (attnum == InvalidAttrNumber)
		return true;

	avalue = slot_getattr(a, attnum, &anull);
	bvalue = slot_getattr(b, attnum, &bnull);
	if (anull || bnull)
		return anull && bnull;

	att = TupleDescAttr(a->tts_tupleDescriptor, attnum - 1);
	if (att->attbyval)
		return avalue == bvalue;
	return datum_image_eq(avalue, bvalue, false, att->attlen);
}

/*
 * Returns a column as text for messages, in the current memory context.
 */
static char *
nic_output(const NicTable *table, TupleTableSlot *slot, NicColumn column)
{
	AttrNumber	attnum = table->attnum[column];
	Oid			output;
	bool		isvarlena;
	bool		isnull;
	Datum		value;

	if (attnum == InvalidAttrNumber)
		return pstrdup("?");

	value = slot_getattr(slot, attnum, &isnull);
	if (isnull)
		return pstrdup("null");

	getTypeOutputInfo(TupleDescAttr(slot->tts_tupleDescriptor, attnum - 1)->atttypid,
					  &output, &isvarlena);
	return OidOutputFunctionCall(output, value);
}

/*
 * Returns a column of a stored row as text, "(hidden)" if the caller may not see
 * it.
 */
static char *
nic_shown(Relation rel, const NicTable *table, TupleTableSlot *slot, NicColumn column)
{
	return may_see_rows(rel) ? nic_output(table, slot, column) : pstrdup("(hidden)");
}

/*
 * Describes a NIC for DETAIL ("NIC 7 (uuid ...) on network 204 ..."), in the
 * current memory context.  A row that the caller may not see is not described.
 */
static char *
nic_description(Relation rel, const NicTable *table, TupleTableSlot *slot)
{
	StringInfoData buf;

	if (!may_see_rows(rel))
		return psprintf("Rows of table \"%s\" may be hidden from role \"%s\", so it is not described.",
						RelationGetRelationName(rel), GetUserNameFromId(GetUserId(), false));
	initStringInfo(&buf);
	appendStringInfo(&buf, "NIC %s (uuid %s) on network %s",
					 nic_output(table, slot, NIC_ID),
					 nic_output(table, slot, NIC_UUID),
					 nic_output(table, slot, NIC_NETWORK_ID));
	if (nic_null(table, slot, NIC_INSTANCE_ID))
		appendStringInfoString(&buf, ", of no instance,");
	else
		appendStringInfo(&buf, ", of instance %s,",
						 nic_output(table, slot, NIC_INSTANCE_ID));
	appendStringInfo(&buf, " has strategy \"%s\" and state \"%s\"",
					 nic_output(table, slot, NIC_STRATEGY),
					 nic_output(table, slot, NIC_STATE));
	if (!nic_null(table, slot, NIC_REMOVED))
		appendStringInfo(&buf, ", removed at %s",
						 nic_output(table, slot, NIC_REMOVED));
	appendStringInfoChar(&buf, '.');
	return buf.data;
}

/*
 * nic_prepare(): columns that the inventory sets.
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
		nic_state(table, slot) == NIC_DEALLOCATING)
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
 * then state_changed and default_nic are set.  Returns the tuple of the trigger if
 * nothing changes, otherwise a new one.
 */
static HeapTuple
prepare_insert(TriggerData *trigdata)
{
	Relation	rel = trigdata->tg_relation;
	HeapTuple	filled = fill_column_defaults(rel, trigdata->tg_trigslot);

	/* after the defaults, whose functions may invalidate the entry */
	const NicTable *table = nic_table_lookup(rel);
	TupleTableSlot *slot = trigdata->tg_trigslot;
	HeapTuple	result;

	if (filled)
	{
		slot = MakeSingleTupleTableSlot(RelationGetDescr(rel), &TTSOpsHeapTuple);
		ExecStoreHeapTuple(filled, slot, false);
	}
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
 * Sets state_changed and adjusts the removal time of a changed NIC.  Returns the
 * tuple of the trigger if nothing changes, otherwise a new one.
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
 * nic_prepare(): BEFORE INSERT or UPDATE on a NIC table, for each row.
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

/*
 * nic_guard(): checks of an INSERT.
 */

/*
 * Refuses a new NIC in a state other than an initial one.
 */
static void
check_initial_state(Relation rel, const NicTable *table, TupleTableSlot *slot)
{
	if (nic_state_initial(nic_state(table, slot)))
		return;

	ereport(ERROR,
			(errcode(ERRCODE_CHECK_VIOLATION),
			 errmsg("a new NIC cannot start in state \"%s\"",
					nic_output(table, slot, NIC_STATE)),
			 errdetail_internal("%s", nic_description(rel, table, slot)),
			 errhint("Insert it as \"Allocated\", or as \"Reserved\" if its address is in use already; then move it on with UPDATE."),
			 errtableconstraint(rel, "nic_initial_state")));
}

/* Tells whether the caller may know when a parent was removed. */
static bool
parent_is_visible(const ParentKey *parent)
{
	Relation	parentrel = table_open(parent->relid, AccessShareLock);
	bool		result = may_see_rows(parentrel);

	table_close(parentrel, AccessShareLock);
	return result;
}

/*
 * Refuses a NIC whose network or instance is removed or does not exist.
 *
 * The parent stays locked FOR KEY SHARE until the transaction ends.
 */
static void
check_parent(Relation rel, const NicTable *table, TupleTableSlot *slot,
			 const ParentKey *parent, const char *what)
{
	NicColumn	column = parent == &table->network ? NIC_NETWORK_ID : NIC_INSTANCE_ID;
	TimestampTz removed;
	ParentStatus status;
	bool		isnull;
	Datum		key = slot_getattr(slot, parent->column, &isnull);

	/* A NIC without an instance is a placeholder, which a CHECK sees to. */
	if (isnull)
		return;

	status = parent_lock(parent, key, LockTupleKeyShare, &removed);
	if (status == PARENT_LIVE)
		return;

	/* A foreign key that is not deferred has refused a missing one already. */
	ereport(ERROR,
			(errcode(ERRCODE_FOREIGN_KEY_VIOLATION),
			 status == PARENT_REMOVED ?
			 errmsg("cannot add a NIC to %s %s, which has been removed",
					what, nic_output(table, slot, column)) :
			 errmsg("cannot add a NIC to %s %s, which does not exist",
					what, nic_output(table, slot, column)),
			 status == PARENT_REMOVED && parent_is_visible(parent) ?
			 errdetail("%s The %s was removed at %s.",
					   nic_description(rel, table, slot), what, timestamptz_to_str(removed)) :
			 errdetail_internal("%s", nic_description(rel, table, slot)),
			 errhint("A removed %s stays removed; choose one that is in the view \"%ss\".",
					 what, what),
			 errtableconstraint(rel, "nic_parent_active")));
}

/*
 * Checks a new NIC.  Locks the network, then the instance.
 */
static void
guard_insert(Relation rel, const NicTable *table, TupleTableSlot *slot)
{
	check_initial_state(rel, table, slot);
	check_parent(rel, table, slot, &table->network, "network");
	check_parent(rel, table, slot, &table->instance, "instance");
}

/*
 * nic_guard(): checks of an UPDATE.
 */

/*
 * Refuses a change of the id, network, instance or creation time of a NIC.
 */
static void
check_identity(Relation rel, const NicTable *table,
			   TupleTableSlot *old, TupleTableSlot *new)
{
	static const NicColumn identity[] = {
		NIC_ID, NIC_NETWORK_ID, NIC_INSTANCE_ID, NIC_CREATED
	};
	int			i;

	for (i = 0; i < lengthof(identity); i++)
	{
		if (nic_same(table, old, new, identity[i]))
			continue;

		ereport(ERROR,
				(errcode(ERRCODE_CHECK_VIOLATION),
				 errmsg("\"%s\" of NIC %s cannot change from %s to %s",
						nic_column_name(identity[i]),
						nic_output(table, old, NIC_ID),
						nic_shown(rel, table, old, identity[i]),
						nic_output(table, new, identity[i])),
				 errdetail_internal("%s", nic_description(rel, table, old)),
				 errhint("A NIC keeps its id, network, instance and creation time. Remove this NIC and add another."),
				 errtableconstraint(rel, "nic_identity_immutable")));
	}
}

/*
 * Refuses a change of the removal time of a removed NIC.
 */
static void
check_removed_once(Relation rel, const NicTable *table,
				   TupleTableSlot *old, TupleTableSlot *new)
{
	if (nic_null(table, old, NIC_REMOVED) ||
		nic_same(table, old, new, NIC_REMOVED))
		return;

	ereport(ERROR,
			(errcode(ERRCODE_CHECK_VIOLATION),
			 errmsg("\"removed\" of NIC %s cannot change from %s to %s",
					nic_output(table, old, NIC_ID),
					nic_shown(rel, table, old, NIC_REMOVED),
					nic_output(table, new, NIC_REMOVED)),
			 errdetail_internal("%s", nic_description(rel, table, old)),
			 errhint("A removed NIC stays removed. Add a new NIC instead."),
			 errtableconstraint(rel, "nic_removed_once")));
}

static void
last_change_query(StringInfo sql, Oid relid, int column)
{
	Oid			schema = get_rel_namespace(relid);

	appendStringInfoString(sql, "SELECT GREATEST((SELECT pg_catalog.max(h.at) FROM ");
	append_relation_name(sql, get_relname_relid("nic_history", schema));
	appendStringInfoString(sql, " h WHERE h.nic_id OPERATOR(pg_catalog.=) $1),"
						   " (SELECT pg_catalog.max(a.until) FROM ");
	append_relation_name(sql, get_relname_relid("nic_address_history", schema));
	appendStringInfoString(sql, " a WHERE a.nic_id OPERATOR(pg_catalog.=) $1))");
}

/*
 * Returns when a NIC was created or last changed: its state, its addresses, and,
 * if it came from a mirror, its network.
 */
static TimestampTz
last_change(Relation rel, const NicTable *table, TupleTableSlot *old)
{
	TimestampTz last = Max(DatumGetTimestampTz(nic_value(table, old, NIC_CREATED)),
						   DatumGetTimestampTz(nic_value(table, old, NIC_STATE_CHANGED)));
	Datum		id = nic_value(table, old, NIC_ID);
	Oid			argtypes[1] = {INT8OID};
	Datum		value;
	bool		isnull;

	if (!OidIsValid(table->history))
		return last;

	history_require_owner(rel, table->history);
	history_require_owner(rel, table->address_history);
	SPI_connect();
	saved_query_run_as_owner(saved_query_lookup_as_owner(QUERY_LAST_CHANGE, rel, 0, last_change_query, 1, argtypes),
							 rel, &id, 1);
	value = SPI_getbinval(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, 1, &isnull);
	if (!isnull && SPI_gettypeid(SPI_tuptable->tupdesc, 1) == TIMESTAMPTZOID)
		last = Max(last, DatumGetTimestampTz(value));
	SPI_finish();
	return last;
}

/*
 * Refuses a removal that is dated before what is recorded of the NIC: answers
 * about the past would change.
 */
static void
check_removal_time(Relation rel, const NicTable *table,
				   TupleTableSlot *old, TupleTableSlot *new)
{
	TimestampTz removed;
	TimestampTz last;

	if (!nic_null(table, old, NIC_REMOVED) || nic_null(table, new, NIC_REMOVED))
		return;
	removed = DatumGetTimestampTz(nic_value(table, new, NIC_REMOVED));
	if (!removal_is_backdated(removed))
		return;
	last = last_change(rel, table, old);
	if (removed >= last)
		return;

	ereport(ERROR,
			(errcode(ERRCODE_CHECK_VIOLATION),
			 errmsg("NIC %s cannot have been removed at %s, before it was made or changed last",
					nic_output(table, old, NIC_ID), nic_output(table, new, NIC_REMOVED)),
			 may_see_rows(rel) ?
			 errdetail("%s It was made or changed last at %s.",
					   nic_description(rel, table, old), timestamptz_to_str(last)) :
			 errdetail_internal("%s", nic_description(rel, table, old)),
			 errhint("Set removed = now()."),
			 errtableconstraint(rel, "nic_removed_after_changes")));
}

/*
 * Returns the states that a NIC may move to, as a list for a HINT.
 */
static char *
next_states(NicStrategy strategy, NicState from)
{
	StringInfoData buf;
	int			i;

	initStringInfo(&buf);
	for (i = 0; i < nic_move_count; i++)
	{
		if (nic_moves[i].strategy != strategy || nic_moves[i].from != from)
			continue;
		appendStringInfo(&buf, "%s\"%s\" (%s)", buf.len > 0 ? ", " : "",
						 nic_state_name(nic_moves[i].to),
						 nic_event_name(nic_moves[i].event));
	}
	return buf.data;
}

/*
 * Raises the error about a move that the state machine does not have.
 */
static void
refuse_move(Relation rel, const NicTable *table,
			TupleTableSlot *old, TupleTableSlot *new)
{
	NicState	from = nic_state(table, old);
	bool		seen = may_see_rows(rel);
	char	   *choices = next_states(nic_strategy(table, old), from);

	ereport(ERROR,
			(errcode(ERRCODE_CHECK_VIOLATION),
			 errmsg("NIC %s cannot move from state \"%s\" to \"%s\"",
					nic_output(table, old, NIC_ID),
					nic_shown(rel, table, old, NIC_STATE),
					nic_output(table, new, NIC_STATE)),
			 errdetail_internal("%s", nic_description(rel, table, old)),
			 !seen ?
			 errhint("vmnet.nic_state_transitions() lists the moves that there are.") :
			 from == NIC_DEALLOCATING ?
			 errhint("A NIC that is being deallocated can only be removed: set \"removed\".") :
			 errhint("From here it can move to %s; see vmnet.nic_state_transitions().", choices),
			 errtableconstraint(rel, "nic_state_transition")));
}

/*
 * Refuses a change of strategy in any state but Allocated.
 */
static void
check_strategy(Relation rel, const NicTable *table,
			   TupleTableSlot *old, TupleTableSlot *new)
{
	/* A state and a strategy that change together could leave a dead end. */
	if (nic_same(table, old, new, NIC_STRATEGY) ||
		(nic_state(table, old) == NIC_ALLOCATED &&
		 nic_state(table, new) == NIC_ALLOCATED))
		return;

	ereport(ERROR,
			(errcode(ERRCODE_CHECK_VIOLATION),
			 errmsg("the strategy of NIC %s cannot change while its state is \"%s\"",
					nic_output(table, old, NIC_ID),
					nic_shown(rel, table, nic_state(table, old) == NIC_ALLOCATED ? new : old, NIC_STATE)),
			 errdetail_internal("%s", nic_description(rel, table, old)),
			 errhint("Moves are judged by the strategy, so it changes in state \"Allocated\" only."),
			 errtableconstraint(rel, "nic_strategy_immutable")));
}

/*
 * Refuses a state_changed that differs from what nic_prepare() set, as a trigger
 * that fires after it can do.  Answers about the past depend on it.
 */
static void
check_state_changed(Relation rel, const NicTable *table,
					TupleTableSlot *old, TupleTableSlot *new)
{
	TimestampTz before = DatumGetTimestampTz(nic_value(table, old, NIC_STATE_CHANGED));
	TimestampTz after = DatumGetTimestampTz(nic_value(table, new, NIC_STATE_CHANGED));

	if (nic_same(table, old, new, NIC_STATE) ? before == after : before < after)
		return;

	ereport(ERROR,
			(errcode(ERRCODE_CHECK_VIOLATION),
			 errmsg("\"state_changed\" of NIC %s does not say when its state changed",
					nic_output(table, old, NIC_ID)),
			 errdetail("%s Its state goes from \"%s\" to \"%s\", and state_changed from %s to %s.",
					   nic_description(rel, table, old),
					   nic_shown(rel, table, old, NIC_STATE), nic_output(table, new, NIC_STATE),
					   nic_shown(rel, table, old, NIC_STATE_CHANGED),
					   nic_output(table, new, NIC_STATE_CHANGED)),
			 errhint("Only the trigger \"nic_prepare\" sets it. Let a trigger that changes the state of a NIC have a name that comes before, and none set state_changed."),
			 errtableconstraint(rel, "nic_state_changed")));
}

/*
 * Refuses changes of a removed NIC, except of the uuid and of columns that users
 * have added.
 */
static void
check_read_only(Relation rel, const NicTable *table,
				TupleTableSlot *old, TupleTableSlot *new)
{
	int			i;

	if (nic_null(table, old, NIC_REMOVED))
		return;

	for (i = 0; i < NIC_COLUMN_COUNT; i++)
	{
		if (i == NIC_UUID || nic_same(table, old, new, i))
			continue;

		ereport(ERROR,
				(errcode(ERRCODE_CHECK_VIOLATION),
				 errmsg("\"%s\" of NIC %s cannot change: the NIC has been removed",
						nic_column_name(i), nic_output(table, old, NIC_ID)),
				 errdetail_internal("%s", nic_description(rel, table, old)),
				 errhint("A removed NIC is kept as it was. Update the live NICs through the view \"nics\"."),
				 errtableconstraint(rel, "nic_removed_read_only")));
	}
}

/*
 * Checks a changed NIC.
 */
static void
guard_update(Relation rel, const NicTable *table,
			 TupleTableSlot *old, TupleTableSlot *new)
{
	check_identity(rel, table, old, new);
	check_removed_once(rel, table, old, new);
	if (!nic_same(table, old, new, NIC_STATE) &&
		!nic_move_allowed(nic_strategy(table, old),
						  nic_state(table, old), nic_state(table, new)))
		refuse_move(rel, table, old, new);
	check_strategy(rel, table, old, new);
	check_state_changed(rel, table, old, new);
	check_removal_time(rel, table, old, new);
	check_read_only(rel, table, old, new);
}

/*
 * Records a change of state, removal or addresses, if history is kept.
 */
static void
record_update(Relation rel, const NicTable *table,
			  TupleTableSlot *old, TupleTableSlot *new)
{
	if (!OidIsValid(table->history))
		return;

	if (!nic_same(table, old, new, NIC_STATE) ||
		!nic_same(table, old, new, NIC_REMOVED))
		history_record_change(rel, table, old, new);
	if (!nic_same(table, old, new, NIC_IP4_ADDRESS) ||
		!nic_same(table, old, new, NIC_IP6_ADDRESS) ||
		!nic_same(table, old, new, NIC_MAC_ADDRESS))
		history_record_addresses(rel, table, old);
}

/*
 * nic_guard(): AFTER INSERT or UPDATE on a NIC table, for each row.  Checks the
 * rules of NICs and records the change.
 */
PG_FUNCTION_INFO_V1(nic_guard);

Datum
nic_guard(PG_FUNCTION_ARGS)
{
	TriggerData *trigdata = trigger_call_check(fcinfo, "nic_guard",
											   TRIGGER_EVENT_AFTER, TRIGGER_EVENT_ROW,
											   GUARD_INSERT | GUARD_UPDATE);
	Relation	rel = trigdata->tg_relation;
	const NicTable *table = nic_table_lookup(rel);

	if (TRIGGER_FIRED_BY_INSERT(trigdata->tg_event))
		guard_insert(rel, table, trigdata->tg_trigslot);
	else
	{
		guard_update(rel, table, trigdata->tg_trigslot, trigdata->tg_newslot);
		record_update(rel, table, trigdata->tg_trigslot, trigdata->tg_newslot);
	}

	return PointerGetDatum(NULL);
}
