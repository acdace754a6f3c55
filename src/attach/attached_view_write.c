/*
 * attached_view_write.c
 *		The trigger that refuses writes to the views of an attached inventory.
 */
#include "postgres.h"

#include "commands/trigger.h"
#include "lib/stringinfo.h"
#include "utils/rel.h"

#include "compat.h"
#include "attach/attached_row.h"
#include "core/inventory.h"
#include "core/saved_query.h"
#include "core/trigger_call.h"

/*
 * Tells whether the tables of an attached inventory have guards.
 */
static bool
has_guards(Oid schema)
{
	InventoryInfo info;

	return inventory_info(schema, &info) && info.mode && strcmp(info.mode, "read_only") != 0;
}

/*
 * Refuses writes to a view of an attached inventory.
 *
 * An INSTEAD OF trigger on INSERT, UPDATE and DELETE, for each row.
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
			 table ? errdetail("It shows the rows of table %s.", where.data) :
			 errdetail("It is derived from the table of NICs."),
			 table && has_guards(RelationGetNamespace(rel)) ?
			 errhint("Write to %s, whose guards check the rules.", where.data) :
			 table ? errhint("Write to %s.", where.data) :
			 errhint("Write to the table of NICs."),
			 errtableconstraint(rel, "attached_view_read_only")));
	return PointerGetDatum(NULL);	/* keep compiler quiet */
}
