/*
 * sighting_guard.c
 *		The guard of the tables of what was observed, and the entry of observe().
 *
 * INSERT on the table of sightings is the right to observe.  It does not let a role
 * write rows of its own making: the guard refuses all but the owner, and observe()
 * writes as the owner for those who have the right.
 */
#include "postgres.h"

#include "commands/trigger.h"
#include "executor/spi.h"
#include "miscadmin.h"
#include "utils/acl.h"
#include "utils/rel.h"

#include "compat.h"
#include "core/trigger_call.h"

/*
 * Refuses writes to what was observed by other roles than the owner of the table,
 * even if they were granted all rights on it.
 *
 * A BEFORE trigger on the table, for each statement.
 */
PG_FUNCTION_INFO_V1(sighting_guard);

Datum
sighting_guard(PG_FUNCTION_ARGS)
{
	TriggerData *trigdata = trigger_call_check(fcinfo, "sighting_guard",
											   TRIGGER_EVENT_BEFORE, 0,
											   GUARD_INSERT | GUARD_UPDATE |
											   GUARD_DELETE | GUARD_TRUNCATE);
	Relation	rel = trigdata->tg_relation;

	if (SPI_fnumber(RelationGetDescr(rel), "observer") <= 0)
		refuse_table(rel, "It has no column \"observer\".");
	if (has_privs_of_role(GetUserId(), rel->rd_rel->relowner))
		return PointerGetDatum(NULL);

	ereport(ERROR,
			(errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
			 errmsg("only the owner of table \"%s\" can write to it",
					RelationGetRelationName(rel)),
			 errdetail("What is observed is written by vmnet.observe()."),
			 errhint("SELECT * FROM vmnet.observe('observer', 'payload'); the owner gives the "
					 "right to call it: vmnet.grant_access(..., 'observer')."),
			 errtableconstraint(rel, "sightings_owner_only")));
	return PointerGetDatum(NULL);	/* keep compiler quiet */
}
