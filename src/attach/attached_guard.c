/*
 * attached_guard.c
 *		The guards on attached tables.
 *
 * They enforce the rules of a managed inventory as far as the table has the
 * columns of a rule: a rule about states ignores a state that is missing or not
 * canonical.  In mode warn they raise a WARNING and refuse nothing.
 *
 * A guard runs as the owner of the table that it fired on, to whom the
 * expressions of the views, and all that it reads, belong.
 */
#include "postgres.h"

#include "access/relation.h"
#include "access/table.h"
#include "catalog/pg_type.h"
#include "commands/trigger.h"
#include "executor/spi.h"
#include "executor/tuptable.h"
#include "lib/stringinfo.h"
#include "miscadmin.h"
#include "utils/acl.h"
#include "utils/builtins.h"
#include "utils/datum.h"
#include "utils/fmgrprotos.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/rel.h"
#include "utils/rls.h"
#include "utils/timestamp.h"

#include "compat.h"
#include "attach/attached_parent.h"
#include "attach/attached_row.h"
#include "core/inventory.h"
#include "core/run_as.h"
#include "core/saved_query.h"
#include "core/trigger_call.h"
#include "history/insert.h"
#include "history/pending.h"
#include "nic/nic_state.h"
#include "nic/parent_lock.h"

#define BLOCKERS_NAMED	5

/* A guard at work: the table that it fired on, how that reads, and the writer. */
typedef struct AttachedGuard
{
	Relation	rel;
	AttachedTable *table;
	RunAs		writer;
} AttachedGuard;

/* The level of a refusal. */
#define REFUSAL(guard)	((guard)->table->enforce ? ERROR : WARNING)

/*
 * Starts a guard for a role (NULL: any of the three) and switches the current
 * user to the owner of the table until guard_end().
 *
 * guard->table is valid until the end of the transaction.
 */
static void
guard_begin(AttachedGuard *guard, TriggerData *trigdata, const char *role)
{
	guard->rel = trigdata->tg_relation;
	guard->table = attached_table_of(guard->rel, trigdata->tg_trigger, role);
	run_as_table_owner(guard->rel, &guard->writer);
}

/*
 * Switches back to the user who wrote the row.
 */
static void
guard_end(AttachedGuard *guard)
{
	run_as_end(&guard->writer);
}

/*
 * Tells whether the user who wrote the row may read all rows of a table.
 *
 * If not, DETAIL and HINT name no rows.  The current user is switched back for
 * the check and is the owner of the guarded table again on return.
 */
static bool
user_may_see_rows(AttachedGuard *guard, Oid relid)
{
	bool		sees;

	run_as_end(&guard->writer);
	sees = pg_class_aclcheck(relid, GetUserId(), ACL_SELECT) == ACLCHECK_OK &&
		check_enable_rls(relid, InvalidOid, true) != RLS_ENABLED;
	run_as_table_owner(guard->rel, &guard->writer);
	return sees;
}

/*
 * Tells whether a column is NULL in a row.
 */
static bool
is_null(AttachedTable *table, TupleTableSlot *slot, AttachedColumn column)
{
	bool		isnull;

	(void) attached_value(table, slot, column, &isnull);
	return isnull;
}

/*
 * Returns a column of type text, allocated in the current memory context; NULL
 * if the column is NULL.
 */
static char *
text_of(AttachedTable *table, TupleTableSlot *slot, AttachedColumn column)
{
	bool		isnull;
	Datum		value = attached_value(table, slot, column, &isnull);

	return isnull ? NULL : TextDatumGetCString(value);
}

/*
 * Returns the state of the NIC in a row; NIC_UNKNOWN_STATE if it is NULL or not
 * a canonical state.
 */
static NicState
state_of(AttachedTable *table, TupleTableSlot *slot)
{
	char	   *state = text_of(table, slot, ATTACHED_STATE);

	return state ? nic_state_parse(state, strlen(state)) : NIC_UNKNOWN_STATE;
}

/*
 * Returns the strategy that moves are checked by; Start if there is none.
 */
static NicStrategy
strategy_of(AttachedTable *table, TupleTableSlot *slot)
{
	char	   *name = text_of(table, slot, ATTACHED_STRATEGY);
	NicStrategy strategy = name ? nic_strategy_parse(name, strlen(name)) : NIC_START;

	return strategy == NIC_UNKNOWN_STRATEGY ? NIC_START : strategy;
}

/*
 * Raises an error unless the owner of the table, as whom a guard runs its
 * queries, may use the schema of the inventory.
 */
static void
require_schema(AttachedGuard *guard)
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
			 errdetail("Its guards work as role \"%s\".", GetUserNameFromId(owner, true)),
			 errhint("GRANT USAGE ON SCHEMA %s TO %s;", quote_identifier(name),
					 quote_identifier(GetUserNameFromId(owner, false))),
			 errtableconstraint(rel, "inventory_owner")));
}

/*
 * Describes the NIC in a row for DETAIL, in the current memory context; NULL if
 * the user who wrote the row may not see it.
 */
static char *
nic_description(AttachedGuard *guard, TupleTableSlot *slot)
{
	AttachedTable *table = guard->table;
	StringInfoData buf;

	if (!user_may_see_rows(guard, RelationGetRelid(guard->rel)))
		return NULL;

	initStringInfo(&buf);
	appendStringInfo(&buf, "NIC %s on network %s, of %s %s",
					 attached_output(table, slot, ATTACHED_ID),
					 attached_output(table, slot, ATTACHED_NETWORK_KEY),
					 is_null(table, slot, ATTACHED_INSTANCE_KEY) ? "no" : "instance",
					 is_null(table, slot, ATTACHED_INSTANCE_KEY) ? "instance" :
					 attached_output(table, slot, ATTACHED_INSTANCE_KEY));
	if (!table->lacks[ATTACHED_STATE])
		appendStringInfo(&buf, ", has state \"%s\"", attached_output(table, slot, ATTACHED_STATE));
	if (!is_null(table, slot, ATTACHED_REMOVED))
		appendStringInfo(&buf, ", removed at %s", attached_output(table, slot, ATTACHED_REMOVED));
	appendStringInfoChar(&buf, '.');
	return buf.data;
}

/*
 * Sets the DETAIL of an error to the description of a NIC, if there is one.
 */
static int
nic_detail(AttachedGuard *guard, TupleTableSlot *slot)
{
	char	   *description = nic_description(guard, slot);

	return description ? errdetail_internal("%s", description) : 0;
}

/*
 * attached_nic_guard()
 */

/*
 * Returns the DETAIL of a refused parent; NULL if the user who wrote the row may
 * see neither the NIC nor the parent.  Allocated in the current memory context.
 */
static char *
parent_detail(AttachedGuard *guard, TupleTableSlot *slot, const char *what,
			  AttachedTable *parent, ParentStatus status, TimestampTz removed)
{
	char	   *description = nic_description(guard, slot);

	if (status != PARENT_REMOVED || TIMESTAMP_NOT_FINITE(removed) ||
		!user_may_see_rows(guard, parent->table))
		return description;
	return psprintf("%s%sThe %s was removed at %s.", description ? description : "",
					description ? " " : "", what, timestamptz_to_str(removed));
}

/*
 * Refuses a NIC whose network or instance is removed or does not exist.
 *
 * The parent stays locked FOR KEY SHARE until the transaction ends.
 */
static void
check_parent(AttachedGuard *guard, TupleTableSlot *slot,
			 AttachedColumn column, const char *what)
{
	Relation	rel = guard->rel;
	AttachedTable *table = guard->table;
	AttachedTable *parent;
	TimestampTz removed = 0;
	ParentStatus status;
	bool		isnull;
	Datum		key = attached_value(table, slot, column, &isnull);
	char	   *detail;

	if (isnull)
		return;
	parent = attached_related(rel, table, psprintf("%ss", what));
	if (parent == NULL)
		return;
	status = attached_parent_lock(parent, table->type[column], key, LockTupleKeyShare, &removed);
	if (status == PARENT_LIVE)
		return;

	detail = parent_detail(guard, slot, what, parent, status, removed);
	ereport(REFUSAL(guard),
			(errcode(ERRCODE_FOREIGN_KEY_VIOLATION),
			 status == PARENT_REMOVED ?
			 errmsg("cannot add a NIC to %s %s, which has been removed",
					what, attached_output(table, slot, column)) :
			 errmsg("cannot add a NIC to %s %s, which does not exist",
					what, attached_output(table, slot, column)),
			 detail ? errdetail_internal("%s", detail) : 0,
			 errhint("A removed %s stays removed; choose one that is in the view \"%ss\".",
					 what, what),
			 errtableconstraint(rel, "nic_parent_active")));
}

/*
 * Refuses a new NIC in a canonical state that is not an initial one.
 */
static void
check_initial_state(AttachedGuard *guard, TupleTableSlot *slot)
{
	Relation	rel = guard->rel;
	AttachedTable *table = guard->table;
	NicState	state = state_of(table, slot);

	if (state == NIC_UNKNOWN_STATE || nic_state_initial(state))
		return;
	ereport(REFUSAL(guard),
			(errcode(ERRCODE_CHECK_VIOLATION),
			 errmsg("a new NIC cannot start in state \"%s\"",
					attached_output(table, slot, ATTACHED_STATE)),
			 nic_detail(guard, slot),
			 errhint("Insert it as what reads as \"Allocated\", or as \"Reserved\" if its address is in use already; then move it on with UPDATE."),
			 errtableconstraint(rel, "nic_initial_state")));
}

/*
 * Checks a new NIC.
 */
static void
guard_insert(AttachedGuard *guard, TupleTableSlot *slot)
{
	/* A row that is removed already is a piece of the past. */
	if (!is_null(guard->table, slot, ATTACHED_REMOVED))
		return;
	check_initial_state(guard, slot);
	check_parent(guard, slot, ATTACHED_NETWORK_KEY, "network");
	check_parent(guard, slot, ATTACHED_INSTANCE_KEY, "instance");
}

/*
 * Refuses a change of the id, network or instance of a NIC.
 */
static void
check_identity(AttachedGuard *guard, TupleTableSlot *old, TupleTableSlot *new)
{
	Relation	rel = guard->rel;
	AttachedTable *table = guard->table;
	static const struct
	{
		AttachedColumn column;
		const char *name;
	}			identity[] = {
		{ATTACHED_ID, "id"}, {ATTACHED_NETWORK_KEY, "network_id"}, {ATTACHED_INSTANCE_KEY, "instance_id"}
	};
	int			i;

	for (i = 0; i < lengthof(identity); i++)
	{
		if (attached_same(table, old, new, identity[i].column))
			continue;
		ereport(REFUSAL(guard),
				(errcode(ERRCODE_CHECK_VIOLATION),
				 errmsg("\"%s\" of NIC %s cannot change from %s to %s", identity[i].name,
						attached_output(table, old, ATTACHED_ID),
						attached_output(table, old, identity[i].column),
						attached_output(table, new, identity[i].column)),
				 nic_detail(guard, old),
				 errhint("A NIC keeps its id, network and instance. Remove this NIC and add another."),
				 errtableconstraint(rel, "nic_identity_immutable")));
	}
}

/*
 * Refuses a change of the removal time of a removed NIC.
 */
static void
check_removed_once(AttachedGuard *guard, TupleTableSlot *old, TupleTableSlot *new)
{
	Relation	rel = guard->rel;
	AttachedTable *table = guard->table;

	if (is_null(table, old, ATTACHED_REMOVED) || attached_same(table, old, new, ATTACHED_REMOVED))
		return;
	ereport(REFUSAL(guard),
			(errcode(ERRCODE_CHECK_VIOLATION),
			 errmsg("\"removed\" of NIC %s cannot change from %s to %s",
					attached_output(table, old, ATTACHED_ID),
					attached_output(table, old, ATTACHED_REMOVED),
					attached_output(table, new, ATTACHED_REMOVED)),
			 nic_detail(guard, old),
			 errhint("A removed NIC stays removed. Add a new NIC instead."),
			 errtableconstraint(rel, "nic_removed_once")));
}

/*
 * Tells whether both states are canonical, differ, and the move is allowed.
 */
static bool
move_is_known(AttachedTable *table, TupleTableSlot *old, NicState from, NicState to)
{
	return from != NIC_UNKNOWN_STATE && to != NIC_UNKNOWN_STATE && from != to &&
		nic_move_allowed(strategy_of(table, old), from, to);
}

/*
 * Refuses a change of state that the state machine does not have.
 *
 * A change from or to a state that is not canonical is allowed, except that no
 * change leaves Deallocating.
 */
static void
check_move(AttachedGuard *guard, TupleTableSlot *old, TupleTableSlot *new)
{
	Relation	rel = guard->rel;
	AttachedTable *table = guard->table;
	NicState	from = state_of(table, old);
	NicState	to = state_of(table, new);
	StringInfoData choices;
	int			i;

	/* States that are not canonical may change freely. */
	if (attached_same(table, old, new, ATTACHED_STATE) || from == NIC_UNKNOWN_STATE ||
		(to == NIC_UNKNOWN_STATE && from != NIC_DEALLOCATING) ||
		move_is_known(table, old, from, to))
		return;

	initStringInfo(&choices);
	for (i = 0; i < nic_move_count; i++)
	{
		if (nic_moves[i].strategy == strategy_of(table, old) && nic_moves[i].from == from)
			appendStringInfo(&choices, "%s\"%s\" (%s)", choices.len > 0 ? ", " : "",
							 nic_state_name(nic_moves[i].to), nic_event_name(nic_moves[i].event));
	}
	ereport(REFUSAL(guard),
			(errcode(ERRCODE_CHECK_VIOLATION),
			 errmsg("NIC %s cannot move from state \"%s\" to \"%s\"",
					attached_output(table, old, ATTACHED_ID),
					attached_output(table, old, ATTACHED_STATE),
					attached_output(table, new, ATTACHED_STATE)),
			 nic_detail(guard, old),
			 from == NIC_DEALLOCATING ?
			 errhint("A NIC that is being deallocated can only be removed: set \"removed\".") :
			 errhint("From here it can move to %s; see vmnet.nic_state_transitions().", choices.data),
			 errtableconstraint(rel, "nic_state_transition")));
}

/*
 * Checks a changed NIC.
 */
static void
guard_update(AttachedGuard *guard, TupleTableSlot *old, TupleTableSlot *new)
{
	AttachedTable *table = guard->table;
	bool		revived = !is_null(table, old, ATTACHED_REMOVED);

	check_identity(guard, old, new);
	check_removed_once(guard, old, new);
	check_move(guard, old, new);

	/* In mode warn all that was refused may be here, with other parents. */
	if (!is_null(table, new, ATTACHED_REMOVED))
		return;
	if (revived || !attached_same(table, old, new, ATTACHED_NETWORK_KEY))
		check_parent(guard, new, ATTACHED_NETWORK_KEY, "network");
	if (revived || !attached_same(table, old, new, ATTACHED_INSTANCE_KEY))
		check_parent(guard, new, ATTACHED_INSTANCE_KEY, "instance");
}

/*
 * Finds the bigint id of a parent for nic_history: the NIC's own column, or the
 * id of the row that its key refers to.  Returns false if there is none.
 */
static bool
parent_id(AttachedGuard *guard, TupleTableSlot *slot, AttachedColumn id,
		  AttachedColumn key, const char *role, int64 *result)
{
	AttachedTable *table = guard->table;
	bool		isnull;
	Datum		value = attached_value(table, slot, id, &isnull);
	AttachedTable *parent;

	if (isnull)
		return false;
	if (table->type[id] == INT8OID)
	{
		*result = DatumGetInt64(value);
		return true;
	}
	parent = attached_related(guard->rel, table, role);
	value = attached_value(table, slot, key, &isnull);
	*result = isnull || parent == NULL ? 0 :
		attached_parent_id(parent, table->type[key], value);
	return *result != 0;
}

/*
 * Tells whether the keys are bigint, without which no history is kept.
 */
static bool
keeps_history(AttachedGuard *guard)
{
	AttachedTable *table = guard->table;
	AttachedTable *networks = attached_related(guard->rel, table, "networks");
	AttachedTable *instances = attached_related(guard->rel, table, "instances");

	return table->type[ATTACHED_ID] == INT8OID &&
		(networks ? networks : table)->type[networks ? ATTACHED_ID : ATTACHED_NETWORK_ID] == INT8OID &&
		(instances ? instances : table)->type[instances ? ATTACHED_ID : ATTACHED_INSTANCE_ID] == INT8OID;
}

/*
 * Returns the name of a state for history; valid until the end of the
 * transaction.  NULL if the state is NULL.
 */
static const char *
state_name_for_history(AttachedTable *table, TupleTableSlot *slot, NicState state)
{
	char	   *text;

	if (state != NIC_UNKNOWN_STATE)
		return nic_state_name(state);
	text = text_of(table, slot, ATTACHED_STATE);
	return text ? MemoryContextStrdup(TopTransactionContext, text) : NULL;
}

/*
 * Appends the previous addresses of a NIC to nic_address_history.
 */
static void
record_addresses(AttachedGuard *guard, Oid history, TupleTableSlot *old)
{
	static const AttachedColumn columns[4] = {
		ATTACHED_ID, ATTACHED_MAC_ADDRESS, ATTACHED_IP4_ADDRESS, ATTACHED_IP6_ADDRESS
	};
	Datum		values[4];
	char		nulls[4];
	int			i;

	for (i = 0; i < lengthof(columns); i++)
	{
		bool		isnull;

		values[i] = attached_value(guard->table, old, columns[i], &isnull);
		nulls[i] = isnull ? 'n' : ' ';
	}
	history_append_addresses(guard->rel, history, values, nulls);
}

/*
 * Appends a change of state or of the removal time to the pending history.
 *
 * A change that is not a move of the state machine is recorded as "Changed", a
 * NIC that is no longer removed as "Revived".
 */
static void
record_change(AttachedGuard *guard, Oid history,
			  TupleTableSlot *old, TupleTableSlot *new)
{
	AttachedTable *table = guard->table;
	HistoryEntry entry = {0};
	NicState	from = state_of(table, old);
	NicState	to = state_of(table, new);
	bool		isnull;

	entry.nic_id = DatumGetInt64(attached_value(table, new, ATTACHED_ID, &isnull));
	parent_id(guard, new, ATTACHED_NETWORK_ID, ATTACHED_NETWORK_KEY, "networks", &entry.network_id);
	entry.has_instance = parent_id(guard, new, ATTACHED_INSTANCE_ID, ATTACHED_INSTANCE_KEY,
								   "instances", &entry.instance_id);
	entry.removed = DatumGetTimestampTz(attached_value(table, new, ATTACHED_REMOVED, &isnull));
	entry.is_removed = !isnull;
	entry.at = GetCurrentTimestamp();
	entry.from_state = state_name_for_history(table, old, from);
	entry.to_state = state_name_for_history(table, new, to);
	if (!attached_same(table, old, new, ATTACHED_STATE) && !move_is_known(table, old, from, to))
		entry.event = "Changed";
	else if (attached_same(table, old, new, ATTACHED_STATE))
		entry.event = entry.is_removed ? "Removed" : "Revived";
	history_append(guard->rel, &entry, history, strategy_of(table, old), from, to);
}

/*
 * Returns a history table of the inventory; InvalidOid if there is none.  Raises
 * an error if the table does not belong to the owner of the guarded table.
 */
static Oid
history_table(AttachedGuard *guard, const char *name)
{
	Oid			history = get_relname_relid(name, guard->table->schema);

	if (OidIsValid(history))
	{
		require_owner(history, guard->rel->rd_rel->relowner, RelationGetRelid(guard->rel));
		require_schema(guard);
	}
	return history;
}

/*
 * Records what changed in a NIC, if the inventory keeps history.
 */
static void
record_update(AttachedGuard *guard, TupleTableSlot *old, TupleTableSlot *new)
{
	AttachedTable *table = guard->table;
	bool		changed = !attached_same(table, old, new, ATTACHED_STATE) ||
	!attached_same(table, old, new, ATTACHED_REMOVED);
	bool		moved = !attached_same(table, old, new, ATTACHED_MAC_ADDRESS) ||
	!attached_same(table, old, new, ATTACHED_IP4_ADDRESS) ||
	!attached_same(table, old, new, ATTACHED_IP6_ADDRESS);
	Oid			history;
	Oid			addresses;

	if ((!changed && !moved) || is_null(table, new, ATTACHED_ID))
		return;
	history = history_table(guard, "nic_history");
	addresses = history_table(guard, "nic_address_history");
	if (!OidIsValid(history) || !OidIsValid(addresses) || !keeps_history(guard))
		return;
	if (changed)
		record_change(guard, history, old, new);
	if (moved)
		record_addresses(guard, addresses, old);
}

/*
 * attached_nic_guard(): AFTER INSERT or UPDATE on an attached table of NICs, for
 * each row.  Checks the rules of NICs and records the change.
 */
PG_FUNCTION_INFO_V1(attached_nic_guard);

Datum
attached_nic_guard(PG_FUNCTION_ARGS)
{
	TriggerData *trigdata = trigger_call_check(fcinfo, "attached_nic_guard",
											   TRIGGER_EVENT_AFTER, TRIGGER_EVENT_ROW,
											   GUARD_INSERT | GUARD_UPDATE);
	AttachedGuard guard;

	guard_begin(&guard, trigdata, "nics");
	if (TRIGGER_FIRED_BY_INSERT(trigdata->tg_event))
		guard_insert(&guard, trigdata->tg_trigslot);
	else
	{
		guard_update(&guard, trigdata->tg_trigslot, trigdata->tg_newslot);
		record_update(&guard, trigdata->tg_trigslot, trigdata->tg_newslot);
	}
	guard_end(&guard);
	return PointerGetDatum(NULL);
}

/*
 * attached_nic_history(): AFTER UPDATE, for each statement.
 */
PG_FUNCTION_INFO_V1(attached_nic_history);

Datum
attached_nic_history(PG_FUNCTION_ARGS)
{
	TriggerData *trigdata = trigger_call_check(fcinfo, "attached_nic_history",
											   TRIGGER_EVENT_AFTER, 0, GUARD_UPDATE);
	AttachedGuard guard;
	Oid			history;

	guard_begin(&guard, trigdata, "nics");
	history = history_table(&guard, "nic_history");
	guard_end(&guard);
	if (OidIsValid(history))
		history_write_pending(guard.rel, history);
	return PointerGetDatum(NULL);
}

/*
 * attached_network_guard(), attached_instance_guard()
 */

/*
 * Appends the query for the NICs of a network or instance; relid is the view of
 * these.
 */
static void
held_query(StringInfo sql, Oid relid, int column)
{
	bool		network = column == ATTACHED_NETWORK_KEY;
	Oid			schema = get_rel_namespace(relid);
	AttachedTable *nics = attached_table_lookup(schema, "nics");
	AttachedTable *parent = attached_table_lookup(schema, network ? "networks" : "instances");

	if (nics == NULL || parent == NULL)
		elog(ERROR, "the views of inventory \"%s\" are gone", require_namespace_name(schema));
	appendStringInfo(sql, "SELECT n.id, n.state, n.%s, pg_catalog.count(*) OVER () FROM ",
					 network ? "instance_key" : "network_key");
	append_relation_name(sql, nics->view);
	appendStringInfo(sql, " n WHERE n.%s OPERATOR(pg_catalog.=) $1",
					 network ? "network_key" : "instance_key");
	attached_append_collate(sql, nics, column, parent);
	appendStringInfo(sql, " AND n.removed IS NULL ORDER BY n.id LIMIT %d", BLOCKERS_NAMED);
}

/*
 * Lists the NICs that held_query() found: "NIC 7 (Reserved, instance 3), ...".
 */
static char *
blockers(const char *other)
{
	StringInfoData buf;
	uint64		i;

	initStringInfo(&buf);
	for (i = 0; i < SPI_processed; i++)
	{
		HeapTuple	row = SPI_tuptable->vals[i];
		char	   *state = SPI_getvalue(row, SPI_tuptable->tupdesc, 2);
		char	   *key = SPI_getvalue(row, SPI_tuptable->tupdesc, 3);

		appendStringInfo(&buf, "%sNIC %s (%s%s%s %s)", i > 0 ? ", " : "",
						 SPI_getvalue(row, SPI_tuptable->tupdesc, 1),
						 state ? state : "", state ? ", " : "", other, key ? key : "none");
	}
	return buf.data;
}

/*
 * Returns the DETAIL about the NICs that held_query() found.
 */
static char *
held_detail(AttachedGuard *guard, AttachedTable *nics, bool network)
{
	bool		isnull;
	int64		total = DatumGetInt64(SPI_getbinval(SPI_tuptable->vals[0],
													SPI_tuptable->tupdesc, 4, &isnull));
	char	   *count = total == 1 ? "1 NIC is held" :
	psprintf("%lld NICs are held", (long long) total);

	if (!user_may_see_rows(guard, nics->table))
		return psprintf("%s.", count);
	return psprintf("%s: %s%s.", count, blockers(network ? "instance" : "network"),
					total > BLOCKERS_NAMED ?
					psprintf(" and %lld more", (long long) total - BLOCKERS_NAMED) : "");
}

/*
 * Refuses the removal of a network or instance, or the change of its key, while
 * it has NICs.
 *
 * The plan is saved for the view of the networks or instances, since the type of
 * the key is that of the view.
 */
static void
check_in_use(AttachedGuard *guard, TupleTableSlot *slot, bool network, bool remove)
{
	Relation	rel = guard->rel;
	AttachedTable *table = guard->table;
	AttachedTable *nics = attached_related(rel, table, "nics");
	const char *noun = network ? "network" : "instance";
	Oid			argtypes[1] = {table->type[ATTACHED_KEY]};
	Datum		values[1];
	TimestampTz removed;
	Relation	view;
	bool		isnull;

	values[0] = attached_value(table, slot, ATTACHED_KEY, &isnull);
	if (isnull || nics == NULL)
		return;
	attached_parent_lock(table, argtypes[0], values[0], LockTupleExclusive, &removed);

	require_owner(nics->table, nics->owner, nics->view);
	require_schema(guard);
	SPI_connect();
	view = relation_open(table->view, AccessShareLock);
	saved_query_run_as_owner(saved_query_lookup_as_owner(QUERY_ATTACHED_HELD, view,
														 network ? ATTACHED_NETWORK_KEY : ATTACHED_INSTANCE_KEY,
														 held_query, 1, argtypes),
							 view, values, 0);
	relation_close(view, NoLock);
	if (SPI_processed > 0)
		ereport(REFUSAL(guard),
				(errcode(ERRCODE_FOREIGN_KEY_VIOLATION),
				 remove ? errmsg("cannot remove %s %s: NICs are left on it", noun,
								 attached_output(table, slot, ATTACHED_ID)) :
				 errmsg("cannot change the key of %s %s: NICs are left on it", noun,
						attached_output(table, slot, ATTACHED_ID)),
				 errdetail_internal("%s", held_detail(guard, nics, network)),
				 errhint("Remove its NICs first."),
				 errtableconstraint(rel, network ? "network_in_use" : "instance_in_use")));
	SPI_finish();
}

/*
 * Checks that a network or instance is removed once, and only without NICs.
 */
static void
guard_parent(AttachedGuard *guard, TupleTableSlot *old, TupleTableSlot *new, bool network)
{
	Relation	rel = guard->rel;
	AttachedTable *table = guard->table;
	bool		sees;

	/* What NICs refer to is there no more, unless a foreign key sees to it. */
	if (!attached_same(table, old, new, ATTACHED_KEY) && is_null(table, old, ATTACHED_REMOVED))
		check_in_use(guard, old, network, false);
	if (attached_same(table, old, new, ATTACHED_REMOVED))
		return;
	if (is_null(table, old, ATTACHED_REMOVED))
	{
		check_in_use(guard, new, network, true);
		return;
	}
	sees = user_may_see_rows(guard, RelationGetRelid(rel));
	ereport(REFUSAL(guard),
			(errcode(ERRCODE_CHECK_VIOLATION),
			 errmsg("\"removed\" of %s %s cannot change", network ? "network" : "instance",
					attached_output(table, old, ATTACHED_ID)),
			 sees ? errdetail("It was removed at %s.", attached_output(table, old, ATTACHED_REMOVED)) : 0,
			 errhint("A removed %s stays removed. Add a new one instead.", network ? "network" : "instance"),
			 errtableconstraint(rel, network ? "network_removed_once" : "instance_removed_once")));
}

/*
 * Runs the guard of networks or of instances.
 */
static Datum
parent_guard(FunctionCallInfo fcinfo, const char *function, bool network)
{
	TriggerData *trigdata = trigger_call_check(fcinfo, function,
											   TRIGGER_EVENT_AFTER, TRIGGER_EVENT_ROW,
											   GUARD_UPDATE | GUARD_DELETE);
	AttachedGuard guard;

	guard_begin(&guard, trigdata, network ? "networks" : "instances");
	if (TRIGGER_FIRED_BY_UPDATE(trigdata->tg_event))
		guard_parent(&guard, trigdata->tg_trigslot, trigdata->tg_newslot, network);
	else if (is_null(guard.table, trigdata->tg_trigslot, ATTACHED_REMOVED))
		check_in_use(&guard, trigdata->tg_trigslot, network, true);
	guard_end(&guard);
	return PointerGetDatum(NULL);
}

/*
 * attached_network_guard(): AFTER UPDATE or DELETE on an attached table of
 * networks, for each row.
 */
PG_FUNCTION_INFO_V1(attached_network_guard);

Datum
attached_network_guard(PG_FUNCTION_ARGS)
{
	return parent_guard(fcinfo, "attached_network_guard", true);
}

/*
 * attached_instance_guard(): AFTER UPDATE or DELETE on an attached table of
 * instances, for each row.
 */
PG_FUNCTION_INFO_V1(attached_instance_guard);

Datum
attached_instance_guard(PG_FUNCTION_ARGS)
{
	return parent_guard(fcinfo, "attached_instance_guard", false);
}

/*
 * Appends the query that finds out whether any network or instance has a NIC.
 */
static void
any_held_query(StringInfo sql, Oid relid, int column)
{
	appendStringInfoString(sql, "SELECT n.id FROM ");
	append_relation_name(sql, relid);
	appendStringInfo(sql, " n WHERE n.%s IS NOT NULL AND n.removed IS NULL LIMIT 1",
					 column == ATTACHED_NETWORK_KEY ? "network_key" : "instance_key");
}

/*
 * Tells whether a foreign key of the NICs refers to a table.
 */
static bool
is_referenced(AttachedTable *nics, Relation rel)
{
	Relation	nicrel = table_open(nics->table, AccessShareLock);
	bool		referenced = false;
	ListCell   *lc;

	foreach(lc, RelationGetFKeyList(nicrel))
		referenced |= ((ForeignKeyCacheInfo *) lfirst(lc))->confrelid == RelationGetRelid(rel);
	table_close(nicrel, NoLock);
	return referenced;
}

/*
 * Refuses TRUNCATE of networks or instances that are removed by DELETE, while
 * any NIC is held.  If a foreign key refers to them, the server refuses it.
 */
static void
check_truncate(AttachedGuard *guard, bool network)
{
	Relation	rel = guard->rel;
	AttachedTable *nics = attached_related(rel, guard->table, "nics");
	Relation	view;
	bool		sees;

	if (nics == NULL)
		return;
	require_owner(nics->table, nics->owner, nics->view);
	if (is_referenced(nics, rel))
		return;

	require_schema(guard);
	SPI_connect();
	view = relation_open(nics->view, AccessShareLock);
	saved_query_run_as_owner(saved_query_lookup_as_owner(QUERY_ATTACHED_ANY_HELD, view,
														 network ? ATTACHED_NETWORK_KEY : ATTACHED_INSTANCE_KEY,
														 any_held_query, 0, NULL),
							 view, NULL, 1);
	relation_close(view, NoLock);
	if (SPI_processed > 0)
	{
		sees = user_may_see_rows(guard, nics->table);
		ereport(REFUSAL(guard),
				(errcode(ERRCODE_FOREIGN_KEY_VIOLATION),
				 errmsg("cannot truncate table \"%s\": NICs are left on its %s",
						RelationGetRelationName(rel), network ? "networks" : "instances"),
				 sees ? errdetail("NIC %s is one of them.",
								  SPI_getvalue(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, 1)) : 0,
				 errhint("Remove the NICs first."),
				 errtableconstraint(rel, network ? "network_in_use" : "instance_in_use")));
	}
	SPI_finish();
}

/* Refuses to delete a row that is not removed. */
static void
guard_delete(AttachedGuard *guard, HeapTuple row)
{
	Relation	rel = guard->rel;
	TupleTableSlot *slot = MakeSingleTupleTableSlot(RelationGetDescr(rel), &TTSOpsHeapTuple);
	bool		sees;

	ExecStoreHeapTuple(row, slot, false);
	if (is_null(guard->table, slot, ATTACHED_REMOVED))
	{
		sees = user_may_see_rows(guard, RelationGetRelid(rel));
		ereport(REFUSAL(guard),
				(errcode(ERRCODE_RESTRICT_VIOLATION),
				 errmsg("cannot delete from table \"%s\"", RelationGetRelationName(rel)),
				 sees ? errdetail("The row with id %s is not removed; it would be lost, and with it what happened to it.",
								  attached_output(guard->table, slot, ATTACHED_ID)) :
				 errdetail("The row is not removed; it would be lost, and with it what happened to it."),
				 errhint("Remove it instead, as its table does: set the column that \"removed\" is read from."),
				 errtableconstraint(rel, "no_hard_delete")));
	}
	ExecDropSingleTupleTableSlot(slot);
}

static void
refuse_truncate(AttachedGuard *guard)
{
	Relation	rel = guard->rel;

	ereport(REFUSAL(guard),
			(errcode(ERRCODE_RESTRICT_VIOLATION),
			 errmsg("cannot truncate table \"%s\"", RelationGetRelationName(rel)),
			 errdetail("All rows of inventory \"%s\" in this table would be lost.",
					   require_namespace_name(guard->table->schema)),
			 errhint("Remove rows instead, as their table does."),
			 errtableconstraint(rel, "no_hard_delete")));
}

/*
 * attached_no_delete(): BEFORE DELETE or TRUNCATE.  Where rows are removed
 * softly, a row that is not removed yet is not deleted; one that is may be,
 * since that is how such a system purges.
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
	guard_begin(&guard, trigdata, NULL);
	role = trigdata->tg_trigger->tgargs[1];
	if (!guard.table->lacks[ATTACHED_REMOVED])
	{
		if (truncate)
			refuse_truncate(&guard);
		else
			guard_delete(&guard, trigdata->tg_trigtuple);
	}
	else if (truncate && strcmp(role, "nics") != 0)
		check_truncate(&guard, strcmp(role, "networks") == 0);
	guard_end(&guard);
	return PointerGetDatum(truncate ? NULL : trigdata->tg_trigtuple);
}

/*
 * attached_view_write(): INSTEAD OF any write to a view of the inventory.
 */
PG_FUNCTION_INFO_V1(attached_view_write);

Datum
attached_view_write(PG_FUNCTION_ARGS)
{
	TriggerData *trigdata = trigger_call_check(fcinfo, "attached_view_write",
											   TRIGGER_EVENT_INSTEAD, TRIGGER_EVENT_ROW,
											   GUARD_INSERT | GUARD_UPDATE | GUARD_DELETE);
	Relation	rel = trigdata->tg_relation;
	const char *name = RelationGetRelationName(rel);
	const char *role = strncmp(name, "all_", 4) == 0 ? name + 4 : name;
	AttachedTable *table = attached_table_lookup(RelationGetNamespace(rel), role);
	StringInfoData where;

	if (attached_table_lookup(RelationGetNamespace(rel), "nics") == NULL)
		refuse_table(rel, "Its schema is not an attached inventory.");
	if (table && !OidIsValid(table->table))
		table = NULL;
	initStringInfo(&where);
	if (table)
		append_relation_name(&where, table->table);
	ereport(ERROR,
			(errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
			 errmsg("cannot write to view \"%s\" of an attached inventory", name),
			 table ? errdetail("It shows what table %s holds.", where.data) :
			 errdetail("It is made from the NICs."),
			 table ? errhint("Write to %s; its guards see to the rules.", where.data) :
			 errhint("Write to the table of the NICs."),
			 errtableconstraint(rel, "attached_view_read_only")));
	return PointerGetDatum(NULL);	/* keep compiler quiet */
}
