/*
 * history_write.c
 *		Writes entries to nic_history.
 *
 * The rows go straight into the table, with the rights of its owner, where it
 * is as create_inventory() made it.  A table that somebody has partitioned, or
 * given triggers, constraints or columns of his own, is written by an INSERT
 * that the owner runs, which knows about all of that.
 */
#include "compat.h"

#include "access/genam.h"
#include "access/heapam.h"
#include "access/table.h"
#include "access/tableam.h"
#include "access/xact.h"
#include "catalog/pg_type.h"
#include "executor/executor.h"
#include "miscadmin.h"
#include "nodes/primnodes.h"
#include "rewrite/rewriteHandler.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/fmgroids.h"
#include "utils/guc.h"
#include "utils/inval.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/timestamp.h"
#include "utils/xid8.h"

#include "utils/syscache.h"

#include "vmnet_ext.h"

/* Rows that are written at a time. */
#define WRITE_BATCH	100

typedef enum HistoryColumn
{
	HISTORY_SEQ,
	HISTORY_NIC_ID,
	HISTORY_NETWORK_ID,
	HISTORY_INSTANCE_ID,
	HISTORY_FROM_STATE,
	HISTORY_TO_STATE,
	HISTORY_EVENT,
	HISTORY_REMOVED,
	HISTORY_AT,
	HISTORY_TRANSACTION_ID,
	HISTORY_SESSION_USERNAME,
	HISTORY_ACTOR,
	HISTORY_REASON,
	HISTORY_APPLICATION_NAME
} HistoryColumn;

#define HISTORY_COLUMN_COUNT	(HISTORY_APPLICATION_NAME + 1)

static const struct
{
	const char *name;
	Oid			type;
	Oid			array_type;
}			history_columns[HISTORY_COLUMN_COUNT] = {
	[HISTORY_SEQ] = {"seq", INT8OID, INT8ARRAYOID},
	[HISTORY_NIC_ID] = {"nic_id", INT8OID, INT8ARRAYOID},
	[HISTORY_NETWORK_ID] = {"network_id", INT8OID, INT8ARRAYOID},
	[HISTORY_INSTANCE_ID] = {"instance_id", INT8OID, INT8ARRAYOID},
	[HISTORY_FROM_STATE] = {"from_state", TEXTOID, TEXTARRAYOID},
	[HISTORY_TO_STATE] = {"to_state", TEXTOID, TEXTARRAYOID},
	[HISTORY_EVENT] = {"event", TEXTOID, TEXTARRAYOID},
	[HISTORY_REMOVED] = {"removed", TIMESTAMPTZOID, TIMESTAMPTZARRAYOID},
	[HISTORY_AT] = {"at", TIMESTAMPTZOID, TIMESTAMPTZARRAYOID},
	[HISTORY_TRANSACTION_ID] = {"transaction_id", XID8OID, XID8ARRAYOID},
	[HISTORY_SESSION_USERNAME] = {"session_username", TEXTOID, TEXTARRAYOID},
	[HISTORY_ACTOR] = {"actor", TEXTOID, TEXTARRAYOID},
	[HISTORY_REASON] = {"reason", TEXTOID, TEXTARRAYOID},
	[HISTORY_APPLICATION_NAME] = {"application_name", TEXTOID, TEXTARRAYOID}
};

/* What is known of the nic_history that was written last. */
static struct
{
	Oid			relid;			/* InvalidOid: nothing is known */
	Oid			sequence;
	bool		direct;			/* is it as create_inventory() made it? */
	AttrNumber	attnum[HISTORY_COLUMN_COUNT];
}			known;

static void
history_invalidate(Datum arg, Oid relid)
{
	if (!OidIsValid(relid) || relid == known.relid)
		known.relid = InvalidOid;
}

/* The sequence that a column takes its default from. */
static Oid
default_sequence(Relation rel, AttrNumber attnum)
{
	Node	   *expr = build_column_default(rel, attnum);

	if (expr && IsA(expr, NextValueExpr))
		return ((NextValueExpr *) expr)->seqid;
	if (expr && IsA(expr, FuncExpr) && ((FuncExpr *) expr)->funcid == F_NEXTVAL)
	{
		Node	   *arg = linitial(((FuncExpr *) expr)->args);

		if (IsA(arg, Const) && !((Const *) arg)->constisnull)
			return DatumGetObjectId(((Const *) arg)->constvalue);
	}
	refuse_table(rel, "The default of its column \"seq\" is not the next value of a sequence.");
	return InvalidOid;			/* keep compiler quiet */
}

/* Do only statement triggers, which a direct write need not fire, stand there? */
static bool
has_row_triggers(Relation rel)
{
	TriggerDesc *desc = rel->trigdesc;

	return desc && (desc->trig_insert_before_row || desc->trig_insert_after_row ||
					desc->trig_insert_new_table);
}

/* Indexes with expressions run functions, which the owner has to run. */
static bool
has_index_expressions(Relation rel)
{
	List	   *indexes = RelationGetIndexList(rel);
	bool		found = false;
	ListCell   *lc;

	foreach(lc, indexes)
	{
		Relation	index = index_open(lfirst_oid(lc), AccessShareLock);

		if (RelationGetIndexExpressions(index) != NIL)
			found = true;
		index_close(index, AccessShareLock);
	}
	list_free(indexes);
	return found;
}

/*
 * May rows be put into the table without asking the executor?  Columns that
 * users have added have to be without default and nullable.
 */
static bool
is_plain(Relation rel)
{
	TupleDesc	desc = RelationGetDescr(rel);
	TupleConstr *constr = desc->constr;
	int			ours = 0;
	int			i;

	if (rel->rd_rel->relkind != RELKIND_RELATION || rel->rd_rel->relispartition ||
		has_row_triggers(rel) || has_index_expressions(rel) || rel->rd_rules != NULL ||
		(constr && (constr->num_check > 0 || constr->has_generated_stored)))
		return false;

	for (i = 0; i < desc->natts; i++)
	{
		Form_pg_attribute att = TupleDescAttr(desc, i);
		int			c;

		if (att->attisdropped)
			continue;
		for (c = 0; c < HISTORY_COLUMN_COUNT; c++)
		{
			if (strcmp(NameStr(att->attname), history_columns[c].name) == 0)
				break;
		}
		if (c < HISTORY_COLUMN_COUNT)
		{
			/* Nobody would look whether a value is there that users demand. */
			if (att->attnotnull &&
				(c == HISTORY_INSTANCE_ID || c == HISTORY_TO_STATE ||
				 c == HISTORY_REMOVED || c == HISTORY_ACTOR ||
				 c == HISTORY_REASON || c == HISTORY_APPLICATION_NAME))
				return false;
			ours++;
		}
		else if (att->attnotnull || att->atthasdef || att->attidentity != '\0')
			return false;
	}
	return ours == HISTORY_COLUMN_COUNT;
}

static void
learn(Relation rel)
{
	static bool registered = false;
	TupleDesc	desc = RelationGetDescr(rel);
	AttrNumber	attnum[HISTORY_COLUMN_COUNT];
	Oid			sequence;
	bool		direct;
	int			i;

	if (!registered)
	{
		CacheRegisterRelcacheCallback(history_invalidate, (Datum) 0);
		registered = true;
	}

	for (i = 0; i < HISTORY_COLUMN_COUNT; i++)
	{
		attnum[i] = SPI_fnumber(desc, history_columns[i].name);
		if (attnum[i] <= 0 || SPI_gettypeid(desc, attnum[i]) != history_columns[i].type)
			refuse_table(rel, psprintf("It has no column \"%s\" of type %s.",
									   history_columns[i].name,
									   format_type_be(history_columns[i].type)));
	}
	sequence = default_sequence(rel, attnum[HISTORY_SEQ]);
	direct = is_plain(rel);

	memcpy(known.attnum, attnum, sizeof(attnum));
	known.sequence = sequence;
	known.direct = direct;
	known.relid = RelationGetRelid(rel);
}

/* The sequence that numbers the entries of a history. */
Oid
history_sequence(Oid history)
{
	if (known.relid != history)
	{
		Relation	rel = table_open(history, RowExclusiveLock);

		learn(rel);
		table_close(rel, NoLock);
	}
	return known.sequence;
}

static Datum
setting_datum(const char *value, bool *isnull)
{
	*isnull = value == NULL || value[0] == '\0';
	return *isnull ? (Datum) 0 : CStringGetTextDatum(value);
}

/*
 * Values of an entry, by HistoryColumn; those that are the same for all
 * entries of a statement are there already.
 */
static void
entry_values(const HistoryEntry *entry, Datum *values, bool *nulls)
{
	values[HISTORY_SEQ] = Int64GetDatum(entry->seq);
	values[HISTORY_NIC_ID] = Int64GetDatum(entry->nic_id);
	values[HISTORY_NETWORK_ID] = Int64GetDatum(entry->network_id);
	values[HISTORY_INSTANCE_ID] = Int64GetDatum(entry->instance_id);
	nulls[HISTORY_INSTANCE_ID] = !entry->has_instance;
	nulls[HISTORY_FROM_STATE] = entry->from_state == NULL;
	nulls[HISTORY_TO_STATE] = entry->to_state == NULL;
	values[HISTORY_FROM_STATE] = entry->from_state ? CStringGetTextDatum(entry->from_state) : (Datum) 0;
	values[HISTORY_TO_STATE] = entry->to_state ? CStringGetTextDatum(entry->to_state) : (Datum) 0;
	values[HISTORY_EVENT] = CStringGetTextDatum(entry->event);
	values[HISTORY_REMOVED] = TimestampTzGetDatum(entry->removed);
	nulls[HISTORY_REMOVED] = !entry->is_removed;
	values[HISTORY_AT] = TimestampTzGetDatum(entry->at);
}

static void
statement_values(Datum *values, bool *nulls)
{
	memset(nulls, false, HISTORY_COLUMN_COUNT * sizeof(bool));
	values[HISTORY_TRANSACTION_ID] = FullTransactionIdGetDatum(GetTopFullTransactionId());
	values[HISTORY_SESSION_USERNAME] =
		CStringGetTextDatum(GetUserNameFromId(GetSessionUserId(), false));
	values[HISTORY_ACTOR] = setting_datum(vmnet_actor, &nulls[HISTORY_ACTOR]);
	values[HISTORY_REASON] = setting_datum(vmnet_reason, &nulls[HISTORY_REASON]);
	values[HISTORY_APPLICATION_NAME] =
		setting_datum(application_name, &nulls[HISTORY_APPLICATION_NAME]);
}

static void
fill_slot(TupleTableSlot *slot, const Datum *values, const bool *nulls)
{
	int			i;

	ExecClearTuple(slot);
	memset(slot->tts_isnull, true, slot->tts_tupleDescriptor->natts * sizeof(bool));
	for (i = 0; i < HISTORY_COLUMN_COUNT; i++)
	{
		slot->tts_values[known.attnum[i] - 1] = values[i];
		slot->tts_isnull[known.attnum[i] - 1] = nulls[i];
	}
	ExecStoreVirtualTuple(slot);
}

/*
 * Puts the rows into the table and its indexes.
 */
static void
write_direct(Relation history, HistoryEntry **entries, int count)
{
	EState	   *estate = CreateExecutorState();
	ResultRelInfo *result_rel = makeNode(ResultRelInfo);
	TupleTableSlot *slots[WRITE_BATCH];
	MemoryContext oldcontext = MemoryContextSwitchTo(estate->es_query_cxt);
	CommandId	cid = GetCurrentCommandId(true);
	Datum		values[HISTORY_COLUMN_COUNT];
	bool		nulls[HISTORY_COLUMN_COUNT];
	int			room = Min(count, WRITE_BATCH);
	int			done;
	int			i;

	InitResultRelInfo(result_rel, history, 0, NULL, 0);
	ExecOpenIndices(result_rel, false);
	for (i = 0; i < room; i++)
		slots[i] = table_slot_create(history, NULL);
	statement_values(values, nulls);

	for (done = 0; done < count; done += room)
	{
		int			n = Min(room, count - done);

		MemoryContextSwitchTo(GetPerTupleMemoryContext(estate));
		for (i = 0; i < n; i++)
		{
			entry_values(entries[done + i], values, nulls);
			fill_slot(slots[i], values, nulls);
		}
		if (n == 1)
			table_tuple_insert(history, slots[0], cid, 0, NULL);
		else
			table_multi_insert(history, slots, n, cid, 0, NULL);
		for (i = 0; i < n; i++)
			list_free(insert_index_tuples(result_rel, slots[i], estate));
		ResetPerTupleExprContext(estate);
	}

	for (i = 0; i < room; i++)
		ExecDropSingleTupleTableSlot(slots[i]);
	ExecCloseIndices(result_rel);
	MemoryContextSwitchTo(oldcontext);
	FreeExecutorState(estate);
}

static void
history_query(StringInfo sql, Oid relid, int column)
{
	StringInfoData names;
	StringInfoData params;
	int			i;

	initStringInfo(&names);
	initStringInfo(&params);
	for (i = 0; i < HISTORY_COLUMN_COUNT; i++)
	{
		appendStringInfo(&names, "%s%s", i > 0 ? ", " : "", history_columns[i].name);
		appendStringInfo(&params, "%s$%d", i > 0 ? ", " : "", i + 1);
	}
	appendStringInfoString(sql, "INSERT INTO ");
	append_relation_name(sql, relid);
	/* unnest() of several arrays is syntax, which has no qualified form. */
	appendStringInfo(sql, " (%s) OVERRIDING SYSTEM VALUE"
					 " SELECT %s FROM unnest(%s) AS e (%s)",
					 names.data, names.data, params.data, names.data);
}

/* One array per column. */
static void
column_arrays(HistoryEntry **entries, int count, Datum *arrays)
{
	Datum	   *values = palloc(count * HISTORY_COLUMN_COUNT * sizeof(Datum));
	bool	   *nulls = palloc(count * HISTORY_COLUMN_COUNT * sizeof(bool));
	Datum		row[HISTORY_COLUMN_COUNT];
	bool		row_nulls[HISTORY_COLUMN_COUNT];
	int			lower = 1;
	int			c;
	int			i;

	statement_values(row, row_nulls);
	for (i = 0; i < count; i++)
	{
		entry_values(entries[i], row, row_nulls);
		for (c = 0; c < HISTORY_COLUMN_COUNT; c++)
		{
			values[c * count + i] = row[c];
			nulls[c * count + i] = row_nulls[c];
		}
	}
	for (c = 0; c < HISTORY_COLUMN_COUNT; c++)
	{
		int16		typlen;
		bool		typbyval;
		char		typalign;

		get_typlenbyvalalign(history_columns[c].type, &typlen, &typbyval, &typalign);
		arrays[c] = PointerGetDatum(construct_md_array(values + c * count, nulls + c * count,
													   1, &count, &lower,
													   history_columns[c].type,
													   typlen, typbyval, typalign));
	}
}

/* Who owns a relation; InvalidOid where it is not there. */
static Oid
relation_owner(Oid relid)
{
	HeapTuple	tuple = SearchSysCache1(RELOID, ObjectIdGetDatum(relid));
	Oid			owner = InvalidOid;

	if (HeapTupleIsValid(tuple))
	{
		owner = ((Form_pg_class) GETSTRUCT(tuple))->relowner;
		ReleaseSysCache(tuple);
	}
	return owner;
}

/*
 * Who writes history: the owner of the NIC table.  An attached table may belong
 * to somebody else than the inventory; its guard has seen to it that the owner
 * of the inventory has the rights of the table's owner.  He lends them to a
 * history that is his own only.
 */
Oid
history_writer(Relation rel, Oid history)
{
	Oid			schema = get_rel_namespace(history);
	Oid			owner;

	if (schema == RelationGetNamespace(rel))
		return rel->rd_rel->relowner;
	owner = relation_owner(get_relname_relid("attached_nics", schema));
	if (!OidIsValid(owner) || owner != relation_owner(history))
		return rel->rd_rel->relowner;
	return owner;
}

/*
 * Has the writer insert the rows.
 */
static void
write_by_query(Relation rel, Oid history, HistoryEntry **entries, int count)
{
	Oid			argtypes[HISTORY_COLUMN_COUNT];
	Datum		arrays[HISTORY_COLUMN_COUNT];
	Oid			saved_user;
	int			saved_context;
	SPIPlanPtr	plan;
	int			i;

	for (i = 0; i < HISTORY_COLUMN_COUNT; i++)
		argtypes[i] = history_columns[i].array_type;

	SPI_connect();
	column_arrays(entries, count, arrays);
	GetUserIdAndSecContext(&saved_user, &saved_context);
	SetUserIdAndSecContext(history_writer(rel, history),
						   saved_context | SECURITY_LOCAL_USERID_CHANGE |
						   SECURITY_NOFORCE_RLS);
	plan = plan_lookup(PLAN_HISTORY, history, 0, history_query,
					   HISTORY_COLUMN_COUNT, argtypes, 0);
	if (SPI_execute_plan(plan, arrays, NULL, false, 0) != SPI_OK_INSERT)
		elog(ERROR, "could not write to \"nic_history\"");
	SetUserIdAndSecContext(saved_user, saved_context);
	SPI_finish();
}

/*
 * Writes entries, in their order.
 */
void
history_write(Relation rel, Oid history, HistoryEntry **entries, int count)
{
	Relation	historyrel = table_open(history, RowExclusiveLock);

	if (known.relid != history)
		learn(historyrel);

	/* A table of somebody else's is written with no more than his rights. */
	if (known.direct && historyrel->rd_rel->relowner == history_writer(rel, history))
		write_direct(historyrel, entries, count);
	else
		write_by_query(rel, history, entries, count);
	table_close(historyrel, NoLock);
}
