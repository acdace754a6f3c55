/*
 * pending.c
 *		Pending changes of NICs, which are written to nic_history together at the end
 *		of the statement.
 *
 * nic_guard() appends each change that it has accepted; the trigger nic_history(),
 * which fires after all rows of the statement, writes them.  So the rows of a
 * statement cost as much as the rows of one INSERT, and each entry has the number
 * (seq) of the moment of its change, whatever other triggers change in between.
 */
#include "postgres.h"

#include "access/table.h"
#include "access/xact.h"
#include "catalog/pg_type.h"
#include "commands/sequence.h"
#include "commands/trigger.h"
#include "executor/spi.h"
#include "executor/tuptable.h"
#include "lib/stringinfo.h"
#include "miscadmin.h"
#include "utils/acl.h"
#include "utils/builtins.h"
#include "utils/hsearch.h"
#include "utils/memutils.h"
#include "utils/rel.h"
#include "utils/snapmgr.h"
#include "utils/timestamp.h"

#include "compat.h"
#include "core/run_as.h"
#include "core/saved_query.h"
#include "core/trigger_call.h"
#include "history/insert.h"
#include "history/pending.h"
#include "nic/nic_row.h"
#include "nic/nic_state.h"
#include "nic/nic_table.h"

/* A statement of more rows than this is written in parts. */
#define HISTORY_BATCH	1000

static HistoryEntry *pending = NULL;
static int	pending_count = 0;
static int	pending_room = 0;

/* The event set by set_next_nic_event(); used for the first change that it makes. */
static NicEvent next_event = NIC_UNKNOWN_EVENT;
static int64 next_event_nic = 0;

/*
 * Numbers assigned to changes at the moment of the change, by NIC and time.  The
 * guard sees a change later, and not always in that order: it sees first what a
 * trigger of a user, or a function in RETURNING, did to a NIC of the same
 * statement.
 */
typedef struct NumberKey
{
	Oid			table;
	int32		unused;			/* the key has no holes */
	int64		nic_id;
	TimestampTz at;
} NumberKey;

typedef struct NumberEntry
{
	NumberKey	key;			/* must be first */
	int64		seq;
} NumberEntry;

static HTAB *numbers = NULL;

static NumberKey
number_key(Relation rel, int64 nic_id, TimestampTz at)
{
	NumberKey	key = {0};

	key.table = RelationGetRelid(rel);
	key.nic_id = nic_id;
	key.at = at;
	return key;
}

/*
 * Assigns a number (seq) to a change of state at the moment of the change.
 *
 * claim_number() returns it for the same NIC and time.  Numbers that are not
 * claimed are dropped at the end of the transaction.
 */
void
history_assign_number(Relation rel, const NicTable *table, int64 nic_id, TimestampTz at)
{
	NumberKey	key = number_key(rel, nic_id, at);
	NumberEntry *entry;
	int64		seq;

	if (!OidIsValid(table->history))
		return;

	if (numbers == NULL)
	{
		HASHCTL		ctl = {0};

		ctl.keysize = sizeof(NumberKey);
		ctl.entrysize = sizeof(NumberEntry);
		ctl.hcxt = TopTransactionContext;
		numbers = hash_create("vmnet numbers of changes", 16, &ctl,
							  HASH_ELEM | HASH_BLOBS | HASH_CONTEXT);
	}
	seq = nextval_internal(history_sequence(rel, table->history), false);
	entry = hash_search(numbers, &key, HASH_ENTER, NULL);
	entry->seq = seq;
}

/*
 * Returns the number assigned to a change, or the next one if there is none.
 */
static int64
claim_number(Relation rel, const NicTable *table, int64 nic_id, TimestampTz at)
{
	NumberKey	key = number_key(rel, nic_id, at);
	NumberEntry *entry = numbers ? hash_search(numbers, &key, HASH_REMOVE, NULL) : NULL;

	if (entry)
		return entry->seq;
	return nextval_internal(history_sequence(rel, table->history), false);
}

/*
 * Pending entries of a statement; those of an aborted one are discarded.
 */

static void write_all_pending(void);

/*
 * Writes what is pending before the transaction commits or is prepared, and
 * discards all state when it ends.
 */
static void
history_xact_callback(XactEvent event, void *arg)
{
	switch (event)
	{
		case XACT_EVENT_PRE_COMMIT:
		case XACT_EVENT_PRE_PREPARE:
			write_all_pending();
			break;
		case XACT_EVENT_COMMIT:
		case XACT_EVENT_ABORT:
		case XACT_EVENT_PREPARE:
			pending_count = 0;
			next_event = NIC_UNKNOWN_EVENT;
			numbers = NULL;		/* freed with the transaction */
			break;
		default:
			break;
	}
}

/*
 * Discards the entries of an aborted subtransaction, and reassigns those of a
 * committed one to its parent.
 */
static void
history_subxact_callback(SubXactEvent event, SubTransactionId mySubid,
						 SubTransactionId parentSubid, void *arg)
{
	int			kept = 0;
	int			i;

	if (event == SUBXACT_EVENT_START_SUB)
		return;
	if (event == SUBXACT_EVENT_ABORT_SUB)
		next_event = NIC_UNKNOWN_EVENT;

	for (i = 0; i < pending_count; i++)
	{
		if (pending[i].subid == mySubid)
		{
			if (event == SUBXACT_EVENT_ABORT_SUB)
				continue;
			if (event == SUBXACT_EVENT_COMMIT_SUB)
				pending[i].subid = parentSubid;
		}
		pending[kept++] = pending[i];
	}
	pending_count = kept;
}

/*
 * Registers the transaction callbacks.  Called once by _PG_init().
 */
void
history_register(void)
{
	RegisterXactCallback(history_xact_callback, NULL);
	RegisterSubXactCallback(history_subxact_callback, NULL);
}

/*
 * Writes the pending entries of a NIC table that the current subtransaction has
 * made.
 *
 * Entries of an outer subtransaction stay pending: they must not be undone
 * together with the current one.
 */
void
history_write_pending(Relation rel, Oid history)
{
	SubTransactionId subid = GetCurrentSubTransactionId();
	HistoryEntry *copies;
	HistoryEntry **entries;
	int			count = 0;
	int			kept = 0;
	int			i;

	if (pending_count == 0)
		return;

	copies = palloc(pending_count * sizeof(HistoryEntry));
	entries = palloc(pending_count * sizeof(HistoryEntry *));
	for (i = 0; i < pending_count; i++)
	{
		if (pending[i].table == RelationGetRelid(rel) &&
			pending[i].history == history && pending[i].subid == subid)
		{
			copies[count] = pending[i];
			entries[count] = &copies[count];
			count++;
		}
		else
			pending[kept++] = pending[i];
	}

	/* Removed first: triggers fired by the write may change NICs again. */
	pending_count = kept;
	if (count > 0)
		history_write(rel, history, entries, count);
	pfree(entries);
	pfree(copies);
}

/*
 * Writes entries that no statement trigger has written: a statement on a table
 * that the NIC table inherits from fires only the row triggers of the NIC table.
 */
static void
write_all_pending(void)
{
	int			i;

	for (i = 0; i < pending_count; i++)
		pending[i].subid = GetCurrentSubTransactionId();

	while (pending_count > 0)
	{
		Relation	rel = try_table_open(pending[0].table, RowExclusiveLock);

		/* The entries of a dropped table are discarded. */
		if (rel == NULL)
		{
			pending[0] = pending[--pending_count];
			continue;
		}
		PushActiveSnapshot(GetTransactionSnapshot());
		history_write_pending(rel, pending[0].history);
		PopActiveSnapshot();
		table_close(rel, NoLock);
	}
}

/*
 * Returns the place of the next pending entry, zeroed; pending_count is not
 * changed.  The pointer is valid until the next call.
 */
static HistoryEntry *
next_pending(Relation rel, Oid history)
{
	if (pending_count >= HISTORY_BATCH)
		history_write_pending(rel, history);

	if (pending_count == pending_room)
	{
		int			room = Max(pending_room * 2, 64);

		/* The size is noted last: an allocation that fails changes nothing. */
		pending = pending ?
			repalloc(pending, room * sizeof(HistoryEntry)) :
			MemoryContextAlloc(TopMemoryContext, room * sizeof(HistoryEntry));
		pending_room = room;
	}
	memset(&pending[pending_count], 0, sizeof(HistoryEntry));
	return &pending[pending_count];
}

/*
 * Returns the name of the event that a change is recorded under: the one that
 * set_next_nic_event() set, if it makes this move, otherwise the first that does.
 */
static const char *
move_event(int64 nic_id, NicStrategy strategy, NicState from, NicState to)
{
	NicEvent	announced = next_event_nic == nic_id ? next_event : NIC_UNKNOWN_EVENT;
	NicEvent	first = NIC_UNKNOWN_EVENT;
	int			i;

	for (i = 0; i < nic_move_count; i++)
	{
		if (nic_moves[i].strategy != strategy ||
			nic_moves[i].from != from || nic_moves[i].to != to)
			continue;
		if (nic_moves[i].event == announced)
		{
			next_event = NIC_UNKNOWN_EVENT;
			return nic_event_name(announced);
		}
		if (first == NIC_UNKNOWN_EVENT)
			first = nic_moves[i].event;
	}
	return nic_event_name(first);
}

/*
 * Returns the name of a state for history.
 *
 * A state that is not canonical occurs only if the CHECK on states was dropped;
 * its text is copied to TopTransactionContext.
 */
static const char *
state_text(const NicTable *table, TupleTableSlot *slot, NicState state)
{
	bool		isnull;
	Datum		value;

	if (state != NIC_UNKNOWN_STATE)
		return nic_state_name(state);

	value = nic_column(table, slot, NIC_STATE, &isnull);
	return isnull ? "" :
		MemoryContextStrdup(TopTransactionContext, TextDatumGetCString(value));
}

/*
 * Appends an entry to the pending ones.  Sets its number and its event, unless
 * they are set.
 *
 * The entry is copied; its strings must be valid until the end of the
 * transaction.
 */
void
history_append(Relation rel, HistoryEntry *entry, Oid history,
			   NicStrategy strategy, NicState from, NicState to)
{
	HistoryEntry *place = next_pending(rel, history);

	entry->table = RelationGetRelid(rel);
	entry->history = history;
	entry->subid = GetCurrentSubTransactionId();
	if (entry->event == NULL)
		entry->event = from == to ? "Removed" :
			move_event(entry->nic_id, strategy, from, to);
	if (entry->seq == 0)
		entry->seq = nextval_internal(history_sequence(rel, history), false);
	*place = *entry;
	pending_count++;
}

/*
 * Appends the change of state, or the removal, of a NIC to the pending entries.
 *
 * nic_prepare() has set state_changed, which never decreases.  A removal later
 * than the last change of state has its own time, and is the last entry.
 */
void
history_record_change(Relation rel, const NicTable *table,
					  TupleTableSlot *old, TupleTableSlot *new)
{
	NicState	from = nic_row_state(table, old);
	NicState	to = nic_row_state(table, new);
	HistoryEntry entry = {0};
	bool		isnull;

	entry.nic_id = DatumGetInt64(nic_column(table, new, NIC_ID, &isnull));
	entry.network_id = DatumGetInt64(nic_column(table, new, NIC_NETWORK_ID, &isnull));
	entry.instance_id = DatumGetInt64(nic_column(table, new, NIC_INSTANCE_ID, &isnull));
	entry.has_instance = !isnull;
	entry.removed = DatumGetTimestampTz(nic_column(table, new, NIC_REMOVED, &isnull));
	entry.is_removed = !isnull;
	entry.at = DatumGetTimestampTz(nic_column(table, new, NIC_STATE_CHANGED, &isnull));
	entry.from_state = state_text(table, old, from);
	entry.to_state = state_text(table, new, to);
	if (from == to)
		entry.at = Max(entry.at, GetCurrentTimestamp());
	entry.seq = claim_number(rel, table, entry.nic_id, entry.at);
	history_append(rel, &entry, table->history, nic_row_strategy(table, old), from, to);
}

static void
address_history_query(StringInfo sql, Oid relid, int column)
{
	appendStringInfoString(sql, "INSERT INTO ");
	append_relation_name(sql, relid);
	appendStringInfoString(sql,
						   " (nic_id, mac_address, ip4_address, ip6_address, secondary_ip_id)"
						   " VALUES ($1, $2, $3, $4, $5)");
}

/*
 * Inserts the previous addresses of a NIC into nic_address_history.
 */
void
history_record_addresses(Relation rel, const NicTable *table, TupleTableSlot *old)
{
	static const NicColumn columns[4] = {
		NIC_ID, NIC_MAC_ADDRESS, NIC_IP4_ADDRESS, NIC_IP6_ADDRESS
	};
	Datum		values[5] = {0};
	char		nulls[5] = {' ', ' ', ' ', ' ', 'n'};
	int			i;

	for (i = 0; i < lengthof(columns); i++)
	{
		bool		isnull = table->attnum[columns[i]] == InvalidAttrNumber;

		values[i] = isnull ? (Datum) 0 : nic_column(table, old, columns[i], &isnull);
		nulls[i] = isnull ? 'n' : ' ';
	}
	history_append_addresses(rel, table->address_history, values, nulls);
}

/*
 * Inserts a row into nic_address_history, as the owner of the table: the id of
 * the NIC, the MAC, IPv4 and IPv6 address, and the id of the secondary address
 * that had them, or NULL for the NIC itself.
 *
 * nulls is in the format of SPI.  The table stays locked in RowExclusiveLock.
 */
void
history_append_addresses(Relation rel, Oid address_history, Datum *values, const char *nulls)
{
	Oid			argtypes[5] = {INT8OID, MACADDROID, INETOID, INETOID, INT8OID};
	Relation	history;
	RunAs		saved;
	SPIPlanPtr	plan;

	history_require_owner(rel, address_history);
	history = table_open(address_history, RowExclusiveLock);
	SPI_connect();
	run_as_table_owner(history, &saved);
	plan = saved_query_lookup(QUERY_ADDRESS_HISTORY, address_history, 0,
							  address_history_query, 5, argtypes, 0);
	if (SPI_execute_plan(plan, values, nulls, false, 0) != SPI_OK_INSERT)
		elog(ERROR, "could not write to \"nic_address_history\"");
	run_as_end(&saved);
	SPI_finish();
	table_close(history, NoLock);
}

/*
 * Writes the pending entries of a NIC table; an AFTER UPDATE trigger on it, for
 * each statement.
 */
PG_FUNCTION_INFO_V1(nic_history);

Datum
nic_history(PG_FUNCTION_ARGS)
{
	TriggerData *trigdata = trigger_call_check(fcinfo, "nic_history",
											   TRIGGER_EVENT_AFTER, 0, GUARD_UPDATE);
	Relation	rel = trigdata->tg_relation;
	const NicTable *table = nic_table_lookup(rel);

	history_write_pending(rel, table->history);
	next_event = NIC_UNKNOWN_EVENT;
	return PointerGetDatum(NULL);
}

/*
 * Refuses writes to a history table by other roles than its owner, even if they
 * were granted all rights on the tables of the schema.
 *
 * A BEFORE trigger on the table, for each statement.
 */
PG_FUNCTION_INFO_V1(history_guard);

Datum
history_guard(PG_FUNCTION_ARGS)
{
	TriggerData *trigdata = trigger_call_check(fcinfo, "history_guard",
											   TRIGGER_EVENT_BEFORE, 0,
											   GUARD_INSERT | GUARD_UPDATE |
											   GUARD_DELETE | GUARD_TRUNCATE);
	Relation	rel = trigdata->tg_relation;

	if (SPI_fnumber(RelationGetDescr(rel), "nic_id") <= 0)
		refuse_table(rel, "It has no column \"nic_id\".");
	if (has_privs_of_role(GetUserId(), rel->rd_rel->relowner))
		return PointerGetDatum(NULL);

	ereport(ERROR,
			(errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
			 errmsg("only the owner of table \"%s\" can write to it",
					RelationGetRelationName(rel)),
			 errdetail("The guards of the inventory write history when a NIC changes."),
			 errhint("To record a user and a reason with a change, set \"vmnet.actor\" and "
					 "\"vmnet.reason\"."),
			 errtableconstraint(rel, "history_owner_only")));
	return PointerGetDatum(NULL);	/* keep compiler quiet */
}

/*
 * Sets the event that the next change of a NIC is recorded under, if that event
 * makes the move.  Several events can lead from one state to another.
 */
PG_FUNCTION_INFO_V1(set_next_nic_event);

Datum
set_next_nic_event(PG_FUNCTION_ARGS)
{
	text	   *event = PG_GETARG_TEXT_PP(1);

	next_event_nic = PG_GETARG_INT64(0);
	next_event = nic_event_parse(VARDATA_ANY(event), VARSIZE_ANY_EXHDR(event));
	PG_RETURN_VOID();
}
