/*
 * attached_history.c
 *		The history of NICs of attached tables.
 *
 * Changes of these tables are recorded as they are, even those that the rules
 * refuse or do not know.
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "commands/trigger.h"
#include "executor/tuptable.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/rel.h"
#include "utils/timestamp.h"

#include "compat.h"
#include "attach/attached_guard.h"
#include "attach/attached_history.h"
#include "attach/attached_nic_row.h"
#include "attach/attached_parent.h"
#include "attach/attached_row.h"
#include "attach/attached_table.h"
#include "core/run_as.h"
#include "core/trigger_call.h"
#include "history/insert.h"
#include "history/pending.h"
#include "nic/nic_rules.h"
#include "nic/nic_state.h"

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
	Oid			network_type = networks ? networks->type[ATTACHED_ID] :
	table->type[ATTACHED_NETWORK_ID];
	Oid			instance_type = instances ? instances->type[ATTACHED_ID] :
	table->type[ATTACHED_INSTANCE_ID];

	return table->type[ATTACHED_ID] == INT8OID &&
		network_type == INT8OID && instance_type == INT8OID;
}

/*
 * Returns the name of a state for history; valid until the end of the
 * transaction.  NULL if the state is NULL.
 */
static const char *
state_name_for_history(AttachedTable *table, TupleTableSlot *slot, NicState state)
{
	Datum		value;
	bool		isnull;

	if (state != NIC_UNKNOWN_STATE)
		return nic_state_name(state);
	value = attached_value(table, slot, ATTACHED_STATE, &isnull);
	return isnull ? NULL :
		MemoryContextStrdup(TopTransactionContext, TextDatumGetCString(value));
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
	Datum		values[5] = {0};
	char		nulls[5] = {' ', ' ', ' ', ' ', 'n'};
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
record_change(const AttachedNicRules *nics, Oid history,
			  TupleTableSlot *old, TupleTableSlot *new)
{
	AttachedGuard *guard = nics->guard;
	AttachedTable *table = guard->table;
	HistoryEntry entry = {0};
	NicState	from = nic_rules_state(&nics->rules, old);
	NicState	to = nic_rules_state(&nics->rules, new);
	NicStrategy strategy = nic_rules_strategy(&nics->rules, old);
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
	if (attached_same(table, old, new, ATTACHED_STATE))
		entry.event = entry.is_removed ? "Removed" : "Revived";
	else if (from == NIC_UNKNOWN_STATE || to == NIC_UNKNOWN_STATE || from == to ||
			 !nic_move_allowed(strategy, from, to))
		entry.event = "Changed";
	history_append(guard->rel, &entry, history, strategy, from, to);
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
		attached_require_schema(guard);
	}
	return history;
}

/*
 * Records what changed in a NIC, if the inventory keeps history.
 */
void
attached_record_update(const AttachedNicRules *nics, TupleTableSlot *old, TupleTableSlot *new)
{
	AttachedGuard *guard = nics->guard;
	AttachedTable *table = guard->table;
	bool		changed = !attached_same(table, old, new, ATTACHED_STATE) ||
	!attached_same(table, old, new, ATTACHED_REMOVED);
	bool		moved = !attached_same(table, old, new, ATTACHED_MAC_ADDRESS) ||
	!attached_same(table, old, new, ATTACHED_IP4_ADDRESS) ||
	!attached_same(table, old, new, ATTACHED_IP6_ADDRESS);
	Oid			history;
	Oid			addresses;

	if ((!changed && !moved) || attached_is_null(table, new, ATTACHED_ID))
		return;
	history = history_table(guard, "nic_history");
	addresses = history_table(guard, "nic_address_history");
	if (!OidIsValid(history) || !OidIsValid(addresses) || !keeps_history(guard))
		return;
	if (changed)
		record_change(nics, history, old, new);
	if (moved)
		record_addresses(guard, addresses, old);
}

/*
 * Writes the pending entries of an attached table of NICs.
 *
 * An AFTER trigger on UPDATE, for each statement.
 */
PG_FUNCTION_INFO_V1(attached_nic_history);

Datum
attached_nic_history(PG_FUNCTION_ARGS)
{
	TriggerData *trigdata = trigger_call_check(fcinfo, "attached_nic_history",
											   TRIGGER_EVENT_AFTER, 0, GUARD_UPDATE);
	AttachedGuard guard;
	Oid			history;

	attached_guard_begin(&guard, trigdata, "nics");
	history = history_table(&guard, "nic_history");
	attached_guard_end(&guard);
	if (OidIsValid(history))
		history_write_pending(guard.rel, history);
	return PointerGetDatum(NULL);
}
