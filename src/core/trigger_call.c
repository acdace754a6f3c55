/*
 * trigger_call.c
 *		The check that every trigger function of the extension starts with.
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "catalog/namespace.h"
#include "catalog/pg_language.h"
#include "catalog/pg_proc.h"
#include "commands/trigger.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"
#include "utils/syscache.h"

#include "compat.h"
#include "core/trigger_call.h"

static const char *
timing_name(TriggerEvent timing)
{
	switch (timing)
	{
		case TRIGGER_EVENT_BEFORE:
			return "BEFORE";
		case TRIGGER_EVENT_AFTER:
			return "AFTER";
		default:
			return "INSTEAD OF";
	}
}

static int
event_mask(TriggerEvent event)
{
	if (TRIGGER_FIRED_BY_INSERT(event))
		return GUARD_INSERT;
	if (TRIGGER_FIRED_BY_UPDATE(event))
		return GUARD_UPDATE;
	if (TRIGGER_FIRED_BY_DELETE(event))
		return GUARD_DELETE;
	return GUARD_TRUNCATE;
}

/*
 * Returns the data of a trigger call; raises 39P01 unless the function is called
 * as a trigger with the given timing, level and events.
 *
 * The owner of any table can create a trigger on it with any trigger function.
 */
TriggerData *
trigger_call_check(FunctionCallInfo fcinfo, const char *name,
				   TriggerEvent timing, TriggerEvent level, int events)
{
	TriggerData *trigdata;

	if (!CALLED_AS_TRIGGER(fcinfo))
		ereport(ERROR,
				(errcode(ERRCODE_E_R_I_E_TRIGGER_PROTOCOL_VIOLATED),
				 errmsg("function \"%s\" was not called by the trigger manager", name)));

	trigdata = (TriggerData *) fcinfo->context;

	if ((trigdata->tg_event & TRIGGER_EVENT_TIMINGMASK) != timing ||
		(trigdata->tg_event & TRIGGER_EVENT_ROW) != level)
		ereport(ERROR,
				(errcode(ERRCODE_E_R_I_E_TRIGGER_PROTOCOL_VIOLATED),
				 errmsg("function \"%s\" must be fired %s, FOR EACH %s",
						name, timing_name(timing),
						level == TRIGGER_EVENT_ROW ? "ROW" : "STATEMENT"),
				 errdetail("Trigger \"%s\" on table \"%s\" is another kind of trigger.",
						   trigdata->tg_trigger->tgname,
						   RelationGetRelationName(trigdata->tg_relation))));

	if ((event_mask(trigdata->tg_event) & events) == 0)
		ereport(ERROR,
				(errcode(ERRCODE_E_R_I_E_TRIGGER_PROTOCOL_VIOLATED),
				 errmsg("function \"%s\" was fired by an event that it is not for", name),
				 errdetail("Trigger \"%s\" on table \"%s\" fires on other events than "
						   "create_inventory() says.",
						   trigdata->tg_trigger->tgname,
						   RelationGetRelationName(trigdata->tg_relation))));

	return trigdata;
}

/*
 * Raises 39P01 for a table that a trigger function does not support.
 */
void
refuse_table(Relation rel, const char *why)
{
	ereport(ERROR,
			(errcode(ERRCODE_E_R_I_E_TRIGGER_PROTOCOL_VIOLATED),
			 errmsg("table \"%s\" is not one that this trigger function is for",
					RelationGetRelationName(rel)),
			 errdetail_internal("%s", why),
			 errhint("vmnet.create_inventory() makes the tables together with their guards.")));
}

/*
 * Returns the functions of a table's triggers, enabled or not, as a list of oids
 * in the current memory context.
 */
List *
trigger_functions(Relation rel)
{
	List	   *result = NIL;
	int			i;

	if (rel->trigdesc == NULL)
		return NIL;

	/* A list, since a catalog lookup may let the relcache replace trigdesc. */
	for (i = 0; i < rel->trigdesc->numtriggers; i++)
		result = lappend_oid(result, rel->trigdesc->triggers[i].tgfoid);
	return result;
}

/*
 * Tells whether a function is the one of that name in schema vmnet_internal,
 * written in C.
 */
bool
function_is_ours(Oid funcid, const char *name)
{
	HeapTuple	tuple;
	Form_pg_proc proc;
	bool		result;

	tuple = SearchSysCache1(PROCOID, ObjectIdGetDatum(funcid));
	if (!HeapTupleIsValid(tuple))
		return false;

	proc = (Form_pg_proc) GETSTRUCT(tuple);
	result = strcmp(NameStr(proc->proname), name) == 0 &&
		proc->prolang == ClanguageId &&
		proc->pronamespace == get_namespace_oid("vmnet_internal", true);
	ReleaseSysCache(tuple);
	return result;
}
