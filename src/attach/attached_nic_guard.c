/*
 * attached_nic_guard.c
 *		The trigger that checks the NICs of attached tables and records changes.
 */
#include "postgres.h"

#include "commands/trigger.h"

#include "compat.h"
#include "attach/attached_guard.h"
#include "attach/attached_history.h"
#include "attach/attached_nic_row.h"
#include "core/trigger_call.h"
#include "nic/nic_rules.h"

/*
 * Checks the rules of NICs on an attached table of NICs and records the change.
 *
 * An AFTER trigger on INSERT and UPDATE, for each row.
 */
PG_FUNCTION_INFO_V1(attached_nic_guard);

Datum
attached_nic_guard(PG_FUNCTION_ARGS)
{
	TriggerData *trigdata = trigger_call_check(fcinfo, "attached_nic_guard",
											   TRIGGER_EVENT_AFTER, TRIGGER_EVENT_ROW,
											   GUARD_INSERT | GUARD_UPDATE);
	AttachedGuard guard;
	AttachedNicRules nics;

	attached_guard_begin(&guard, trigdata, "nics");
	attached_nic_rules(&nics, &guard);
	if (TRIGGER_FIRED_BY_INSERT(trigdata->tg_event))
		nic_rules_check_insert(&nics.rules, trigdata->tg_trigslot);
	else
	{
		nic_rules_check_update(&nics.rules, trigdata->tg_trigslot, trigdata->tg_newslot);
		attached_record_update(&nics, trigdata->tg_trigslot, trigdata->tg_newslot);
	}
	attached_guard_end(&guard);
	return PointerGetDatum(NULL);
}
