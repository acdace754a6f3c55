/*
 * nic_guard.c
 *		The trigger that checks the NICs of a managed inventory and records changes.
 *
 * It fires AFTER, so that it sees the row as it is stored, after all BEFORE
 * triggers and after the declarative constraints.
 */
#include "postgres.h"

#include "commands/trigger.h"
#include "executor/tuptable.h"
#include "utils/rel.h"

#include "compat.h"
#include "core/trigger_call.h"
#include "history/pending.h"
#include "nic/nic_row.h"
#include "nic/nic_rules.h"
#include "nic/nic_table.h"

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
 * Checks the rules of NICs on a NIC table and records the change.
 *
 * An AFTER trigger on INSERT and UPDATE, for each row.
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
	NicTableRules nics;

	nic_table_rules(&nics, rel, table);
	if (TRIGGER_FIRED_BY_INSERT(trigdata->tg_event))
		nic_rules_check_insert(&nics.rules, trigdata->tg_trigslot);
	else
	{
		nic_rules_check_update(&nics.rules, trigdata->tg_trigslot, trigdata->tg_newslot);
		record_update(rel, table, trigdata->tg_trigslot, trigdata->tg_newslot);
	}

	return PointerGetDatum(NULL);
}
