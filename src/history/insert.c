/*
 * insert.c
 *		Writes entries to nic_history.
 *
 * If the table is as create_inventory() made it, the rows are inserted directly.
 * A table that was partitioned, or has triggers, constraints, indexes or columns
 * that users added, or whose rows are on another node, is written by an INSERT,
 * which handles all of that.  In both cases the rows are written as the owner of
 * the NIC table, to whom the table and the sequence of its entries must belong.
 */
#include "postgres.h"

#include "access/genam.h"
#include "access/heapam.h"
#include "access/htup_details.h"
#include "access/table.h"
#include "access/tableam.h"
#include "access/transam.h"
#include "access/xact.h"
#include "catalog/pg_index.h"
#include "catalog/pg_type.h"
#include "executor/executor.h"
#include "executor/spi.h"
#include "executor/tuptable.h"
#include "lib/stringinfo.h"
#include "miscadmin.h"
#include "nodes/primnodes.h"
#include "rewrite/rewriteHandler.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/fmgroids.h"
#include "utils/guc.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/rel.h"
#include "utils/timestamp.h"

#include "compat.h"
#include "core/inventory.h"
#include "core/relation_cache.h"
#include "core/run_as.h"
#include "core/saved_query.h"
#include "core/shell_table.h"
#include "core/trigger_call.h"
#include "history/insert.h"
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
	[HISTORY_TRANSACTION_ID] = {"transaction_id", INT8OID, INT8ARRAYOID},
	[HISTORY_SESSION_USERNAME] = {"session_username", TEXTOID, TEXTARRAYOID},
	[HISTORY_ACTOR] = {"actor", TEXTOID, TEXTARRAYOID},
	[HISTORY_REASON] = {"reason", TEXTOID, TEXTARRAYOID},
	[HISTORY_APPLICATION_NAME] = {"application_name", TEXTOID, TEXTARRAYOID}
};

/* Description of a history table. */
typedef struct HistoryTable
{
	CachedRelation cached;		/* must be first */
	Oid			sequence;		/* numbers the entries */
	bool		direct;			/* unchanged since create_inventory() */
	AttrNumber	attnum[HISTORY_COLUMN_COUNT];
} HistoryTable;

static bool history_table_uses(const CachedRelation *description, Oid relid);

static RelationCache history_tables = {
	.name = "vmnet history tables",.size = sizeof(HistoryTable),.uses_relation = history_table_uses
};

/*
 * Tells whether the description of a history table was read from another relation
 * too.
 */
static bool
history_table_uses(const CachedRelation *description, Oid relid)
{
	return relid == ((const HistoryTable *) description)->sequence;
}

/*
 * Returns the sequence that is the default of a column; raises 39P01 for any
 * other default, and for an oid that is not that of a sequence.
 */
static Oid
default_sequence(Relation rel, AttrNumber attnum)
{
	Node	   *expr = build_column_default(rel, attnum);

	if (expr && IsA(expr, NextValueExpr))
		return ((NextValueExpr *) expr)->seqid;
	if (expr && IsA(expr, FuncExpr) && ((FuncExpr *) expr)->funcid == F_NEXTVAL)
	{
		Node	   *arg = linitial(((FuncExpr *) expr)->args);

		if (IsA(arg, Const) && !((Const *) arg)->constisnull &&
			get_rel_relkind(DatumGetObjectId(((Const *) arg)->constvalue)) == RELKIND_SEQUENCE)
			return DatumGetObjectId(((Const *) arg)->constvalue);
	}
	refuse_table(rel, "The default of its column \"seq\" is not the next value of a sequence.");
	return InvalidOid;			/* keep compiler quiet */
}

/*
 * Raises an error if the sequence that numbers the entries belongs to another
 * role than the table: nextval() is called without a check of rights.
 */
static void
require_sequence_owner(Relation rel, Oid sequence)
{
	Oid			owner = rel->rd_rel->relowner;
	Oid			its_owner = relation_owner(sequence);
	char	   *name;
	char	   *table;

	if (its_owner == owner)
		return;

	name = quote_qualified_identifier(require_namespace_name(get_rel_namespace(sequence)),
									  get_rel_name(sequence));
	table = quote_qualified_identifier(require_namespace_name(RelationGetNamespace(rel)),
									   RelationGetRelationName(rel));
	ereport(ERROR,
			(errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
			 errmsg("sequence %s, which numbers the entries of table %s, does not belong to the "
					"owner of the table",
					name, table),
			 errdetail("The sequence belongs to role \"%s\", and the table to role \"%s\".",
					   GetUserNameFromId(its_owner, true), GetUserNameFromId(owner, true)),
			 errhint("ALTER SEQUENCE %s OWNER TO %s; or make nextval() of another sequence the "
					 "default of column \"seq\".",
					 name, quote_identifier(GetUserNameFromId(owner, false))),
			 errtableconstraint(rel, "inventory_owner")));
}

/*
 * Tells whether the only triggers of the table are those that refuse other
 * writers.  Every other one, also an internal one of a foreign key or of a
 * distributed table, has to fire, or means that the rows are on another node.
 */
static bool
has_own_triggers_only(Relation rel)
{
	List	   *functions = trigger_functions(rel);
	bool		result = !table_is_shell(rel);
	ListCell   *lc;

	foreach(lc, functions)
	{
		if (!function_is_ours(lfirst_oid(lc), "history_guard"))
			result = false;
	}
	list_free(functions);
	return result;
}

/*
 * Tells whether an index holds every row by plain columns and built-in operator
 * classes, and checks it at once: no code of a user runs where a row is put in.
 * Looks into the catalog, since the relcache evaluates expressions that are
 * constant, here with the rights of the caller.
 */
static bool
index_is_plain(Oid indexid)
{
	Relation	index = index_open(indexid, AccessShareLock);
	bool		result;
	int			i;

	result = heap_attisnull(index->rd_indextuple, Anum_pg_index_indexprs, NULL) &&
		heap_attisnull(index->rd_indextuple, Anum_pg_index_indpred, NULL) &&
		!index->rd_index->indisexclusion && index->rd_index->indimmediate;
	for (i = 0; i < IndexRelationGetNumberOfKeyAttributes(index); i++)
	{
		if (index->rd_opfamily[i] >= FirstNormalObjectId)
			result = false;
	}
	index_close(index, AccessShareLock);
	return result;
}

static bool
has_plain_indexes_only(Relation rel)
{
	List	   *indexes = RelationGetIndexList(rel);
	bool		result = true;
	ListCell   *lc;

	foreach(lc, indexes)
	{
		if (!index_is_plain(lfirst_oid(lc)))
			result = false;
	}
	list_free(indexes);
	return result;
}

/*
 * Tells whether rows can be inserted without the executor.  Columns that users
 * have added must be nullable and without a default.
 */
static bool
is_plain(Relation rel)
{
	TupleDesc	desc = RelationGetDescr(rel);
	TupleConstr *constr = desc->constr;
	int			ours = 0;
	int			i;

	if (rel->rd_rel->relkind != RELKIND_RELATION || rel->rd_rel->relispartition ||
		rel->rd_tableam != GetHeapamTableAmRoutine() || rel->rd_rules != NULL ||
		(constr && (constr->num_check > 0 || constr->has_generated_stored)) ||
		!has_own_triggers_only(rel) || !has_plain_indexes_only(rel))
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
			/* A NOT NULL that users added would not be checked. */
			if (att->attnotnull &&
				(c == HISTORY_INSTANCE_ID || c == HISTORY_TO_STATE ||
				 c == HISTORY_REMOVED || c == HISTORY_ACTOR ||
				 c == HISTORY_REASON || c == HISTORY_APPLICATION_NAME))
				return false;
			if (att->attgenerated != '\0')
				return false;
			ours++;
		}
		else if (att->attnotnull || att->atthasdef || att->attidentity != '\0' ||
				 att->attgenerated != '\0' || get_typtype(att->atttypid) == TYPTYPE_DOMAIN)
			return false;
	}
	return ours == HISTORY_COLUMN_COUNT;
}

/*
 * Returns the description of a history table: its columns, its sequence and the way
 * of writing.  Raises 39P01 if it is not such a table.
 *
 * The result is valid until the end of the transaction.
 */
static const HistoryTable *
history_table_lookup(Relation rel)
{
	TupleDesc	desc = RelationGetDescr(rel);
	HistoryTable *table;
	int			i;

	table = (HistoryTable *) relation_cache_find(&history_tables, RelationGetRelid(rel));
	if (table)
		return table;

	table = (HistoryTable *) relation_cache_begin(&history_tables, RelationGetRelid(rel));
	if (rel->rd_rel->relkind != RELKIND_RELATION &&
		rel->rd_rel->relkind != RELKIND_PARTITIONED_TABLE)
		refuse_table(rel, "It is not a table.");
	for (i = 0; i < HISTORY_COLUMN_COUNT; i++)
	{
		int			attnum = SPI_fnumber(desc, history_columns[i].name);

		if (attnum <= 0 || SPI_gettypeid(desc, attnum) != history_columns[i].type)
			refuse_table(rel, psprintf("It has no column \"%s\" of type %s.",
									   history_columns[i].name,
									   format_type_be(history_columns[i].type)));
		table->attnum[i] = attnum;
	}
	table->sequence = default_sequence(rel, table->attnum[HISTORY_SEQ]);
	require_sequence_owner(rel, table->sequence);
	table->direct = is_plain(rel);
	relation_cache_store(&history_tables, &table->cached);
	return table;
}

/*
 * Returns the sequence that numbers the entries of a history table.
 *
 * The sequence and the table belong to the owner of the NIC table, or an error
 * is raised.
 */
Oid
history_sequence(Relation rel, Oid history)
{
	const HistoryTable *table;
	Relation	historyrel;

	history_require_owner(rel, history);
	table = (const HistoryTable *) relation_cache_find(&history_tables, history);
	if (table == NULL)
	{
		historyrel = table_open(history, RowExclusiveLock);
		table = history_table_lookup(historyrel);
		table_close(historyrel, NoLock);
	}
	return table->sequence;
}

/*
 * Raises an error if a history table does not belong to the owner of the NIC
 * table, with whose rights it is written.
 */
void
history_require_owner(Relation rel, Oid history)
{
	if (relation_owner(history) != rel->rd_rel->relowner)
		require_owner(history, rel->rd_rel->relowner, RelationGetRelid(rel));
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
	values[HISTORY_FROM_STATE] = entry->from_state ?
		CStringGetTextDatum(entry->from_state) : (Datum) 0;
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
	values[HISTORY_TRANSACTION_ID] =
		Int64GetDatum((int64) U64FromFullTransactionId(GetTopFullTransactionId()));
	values[HISTORY_SESSION_USERNAME] =
		CStringGetTextDatum(GetUserNameFromId(GetSessionUserId(), false));
	values[HISTORY_ACTOR] = setting_datum(vmnet_actor, &nulls[HISTORY_ACTOR]);
	values[HISTORY_REASON] = setting_datum(vmnet_reason, &nulls[HISTORY_REASON]);
	values[HISTORY_APPLICATION_NAME] =
		setting_datum(application_name, &nulls[HISTORY_APPLICATION_NAME]);
}

static void
fill_slot(const HistoryTable *table, TupleTableSlot *slot, const Datum *values, const bool *nulls)
{
	int			i;

	ExecClearTuple(slot);
	memset(slot->tts_isnull, true, slot->tts_tupleDescriptor->natts * sizeof(bool));
	for (i = 0; i < HISTORY_COLUMN_COUNT; i++)
	{
		slot->tts_values[table->attnum[i] - 1] = values[i];
		slot->tts_isnull[table->attnum[i] - 1] = nulls[i];
	}
	ExecStoreVirtualTuple(slot);
}

/*
 * Puts the rows into the table and its indexes.
 */
static void
write_direct(Relation history, const HistoryTable *table, HistoryEntry **entries, int count)
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
			fill_slot(table, slots[i], values, nulls);
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

/*
 * Appends the INSERT of history entries, one array parameter per column.
 */
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

/*
 * Inserts the entries by a query that runs as the owner of the NIC table.
 */
static void
write_by_query(Relation history, HistoryEntry **entries, int count)
{
	Oid			argtypes[HISTORY_COLUMN_COUNT];
	Datum		arrays[HISTORY_COLUMN_COUNT];
	RunAs		saved;
	SPIPlanPtr	plan;
	int			i;

	for (i = 0; i < HISTORY_COLUMN_COUNT; i++)
		argtypes[i] = history_columns[i].array_type;

	SPI_connect();
	column_arrays(entries, count, arrays);
	run_as_table_owner(history, &saved);
	plan = saved_query_lookup(QUERY_HISTORY, RelationGetRelid(history), 0, history_query,
							  HISTORY_COLUMN_COUNT, argtypes, 0);
	if (SPI_execute_plan(plan, arrays, NULL, false, 0) != SPI_OK_INSERT)
		elog(ERROR, "could not write to \"nic_history\"");
	run_as_end(&saved);
	SPI_finish();
}

/*
 * Writes entries, in their order, to the history of a NIC table.
 */
void
history_write(Relation rel, Oid history, HistoryEntry **entries, int count)
{
	Relation	historyrel;
	const HistoryTable *table;

	history_require_owner(rel, history);
	historyrel = table_open(history, RowExclusiveLock);
	table = history_table_lookup(historyrel);
	if (table->direct)
		write_direct(historyrel, table, entries, count);
	else
		write_by_query(historyrel, entries, count);
	table_close(historyrel, NoLock);
}
