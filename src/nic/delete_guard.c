/*
 * delete_guard.c
 *		Triggers that refuse DELETE and TRUNCATE, refuse writes to a mirror that are
 *		not those of the import, and turn DELETE on a live view into a removal.
 */
#include "postgres.h"

#include "access/xact.h"
#include "catalog/pg_type.h"
#include "commands/trigger.h"
#include "executor/spi.h"
#include "lib/stringinfo.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"
#include "utils/timestamp.h"

#include "compat.h"
#include "core/inventory.h"
#include "core/saved_query.h"
#include "core/trigger_call.h"
#include "core/visibility.h"
#include "nic/guard_bypass.h"

static const char *
schema_name(Relation rel)
{
	return require_namespace_name(RelationGetNamespace(rel));
}

/*
 * Returns the source of a mirror for messages, in the current memory context.
 */
static const char *
mirror_source(Relation rel)
{
	InventoryInfo info;

	if (!inventory_info(RelationGetNamespace(rel), &info) || info.source == NULL)
		return "the system that it mirrors";
	return psprintf("\"%s\"", info.source);
}

static bool
is_mirror(Relation rel)
{
	InventoryInfo info;

	return inventory_info(RelationGetNamespace(rel), &info) &&
		strcmp(info.kind, "mirror") == 0;
}

/*
 * Raises 39P01 if a table does not belong to an inventory.  A table that was
 * moved out of its schema is recognized by its columns.
 */
static void
check_inventory(Relation rel)
{
	TupleDesc	desc = RelationGetDescr(rel);
	InventoryInfo info;
	int			removed;
	int			active;

	if (inventory_info(RelationGetNamespace(rel), &info))
		return;

	removed = SPI_fnumber(desc, "removed");
	active = SPI_fnumber(desc, "active");
	if (removed <= 0 || SPI_gettypeid(desc, removed) != TIMESTAMPTZOID ||
		active <= 0 || SPI_gettypeid(desc, active) != BOOLOID)
		refuse_table(rel, "Its schema is not an inventory.");
}

static int
hint_instead_of_delete(Relation rel)
{
	if (is_mirror(rel))
		return errhint("Delete at the source, %s, and run vmnet.import_cloudstack() again.",
					   mirror_source(rel));
	if (SPI_fnumber(RelationGetDescr(rel), "network_id") > 0 &&
		SPI_fnumber(RelationGetDescr(rel), "nic_id") <= 0)
		return errhint("Remove the NIC instead, which keeps its history: DELETE from the view %s, "
					   "or set state = 'Deallocating' and \"removed\".",
					   quote_qualified_identifier(schema_name(rel), "nics"));
	return errhint("Remove it instead, which keeps its history: set \"removed\".");
}

/*
 * Refuses to delete a row of an inventory, unless the guards are bypassed for it.
 *
 * A BEFORE trigger on DELETE, for each row.
 */
PG_FUNCTION_INFO_V1(no_hard_delete);

Datum
no_hard_delete(PG_FUNCTION_ARGS)
{
	TriggerData *trigdata = trigger_call_check(fcinfo, "no_hard_delete",
											   TRIGGER_EVENT_BEFORE, TRIGGER_EVENT_ROW,
											   GUARD_DELETE);
	Relation	rel = trigdata->tg_relation;
	TupleDesc	desc = RelationGetDescr(rel);
	int			id = SPI_fnumber(desc, "id");

	check_inventory(rel);
	if (guard_bypass_covers_delete(rel, trigdata->tg_trigtuple))
		return PointerGetDatum(trigdata->tg_trigtuple);

	ereport(ERROR,
			(errcode(ERRCODE_RESTRICT_VIOLATION),
			 errmsg("cannot delete from table \"%s\"", RelationGetRelationName(rel)),
			 id > 0 && may_see_rows(rel) ?
			 errdetail("Deleting the row with id %s would lose its history.",
					   SPI_getvalue(trigdata->tg_trigtuple, desc, id)) :
			 errdetail("Deleting a row would lose its history."),
			 hint_instead_of_delete(rel),
			 errtableconstraint(rel, "no_hard_delete")));
	return PointerGetDatum(NULL);	/* keep compiler quiet */
}

/*
 * Refuses TRUNCATE of a table of an inventory, unless the guards are bypassed.
 *
 * A BEFORE trigger on TRUNCATE, for each statement; row triggers do not fire for it.
 */
PG_FUNCTION_INFO_V1(no_truncate);

Datum
no_truncate(PG_FUNCTION_ARGS)
{
	TriggerData *trigdata = trigger_call_check(fcinfo, "no_truncate",
											   TRIGGER_EVENT_BEFORE, 0, GUARD_TRUNCATE);
	Relation	rel = trigdata->tg_relation;

	check_inventory(rel);
	if (guard_bypass_covers(rel))
		return PointerGetDatum(NULL);

	ereport(ERROR,
			(errcode(ERRCODE_RESTRICT_VIOLATION),
			 errmsg("cannot truncate table \"%s\"", RelationGetRelationName(rel)),
			 errdetail("All rows of inventory \"%s\" in this table would be lost.",
					   schema_name(rel)),
			 hint_instead_of_delete(rel),
			 errtableconstraint(rel, "no_hard_delete")));
	return PointerGetDatum(NULL);	/* keep compiler quiet */
}

/*
 * Refuses writes to a table of a mirror that are not those of the import.
 *
 * A BEFORE trigger on INSERT and UPDATE, for each statement.
 */
PG_FUNCTION_INFO_V1(mirror_guard);

Datum
mirror_guard(PG_FUNCTION_ARGS)
{
	TriggerData *trigdata = trigger_call_check(fcinfo, "mirror_guard",
											   TRIGGER_EVENT_BEFORE, 0,
											   GUARD_INSERT | GUARD_UPDATE);
	Relation	rel = trigdata->tg_relation;

	check_inventory(rel);
	if (guard_bypass_covers(rel))
		return PointerGetDatum(NULL);

	ereport(ERROR,
			(errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
			 errmsg("cannot write to table \"%s\": inventory \"%s\" is a mirror",
					RelationGetRelationName(rel), schema_name(rel)),
			 errdetail("It holds what %s holds; only the import can write to it.",
					   mirror_source(rel)),
			 errhint("Make the change at the source, %s, and run vmnet.import_cloudstack() again.",
					 mirror_source(rel)),
			 errtableconstraint(rel, "mirror_read_only")));
	return PointerGetDatum(NULL);	/* keep compiler quiet */
}

static void
view_remove_query(StringInfo sql, Oid relid, int column)
{
	appendStringInfoString(sql, "UPDATE ");
	append_relation_name(sql, relid);
	/* A NIC may have come after this transaction began. */
	appendStringInfoString(sql,
						   " SET state = 'Deallocating', removed = GREATEST($2, created)"
						   " WHERE id OPERATOR(pg_catalog.=) $1");
}

static void
parent_view_remove_query(StringInfo sql, Oid relid, int column)
{
	appendStringInfoString(sql, "UPDATE ");
	append_relation_name(sql, relid);
	appendStringInfoString(sql,
						   " SET removed = GREATEST($2, created)"
						   " WHERE id OPERATOR(pg_catalog.=) $1");
}

/*
 * Refuses a DELETE on a view of a mirror.
 */
static void
refuse_view_delete(Relation rel)
{
	ereport(ERROR,
			(errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
			 errmsg("cannot delete from view \"%s\": inventory \"%s\" is a mirror",
					RelationGetRelationName(rel), schema_name(rel)),
			 errdetail("It holds what %s holds; only the import can write to it.",
					   mirror_source(rel)),
			 errhint("Remove it at the source, %s, and run vmnet.import_cloudstack() again.",
					 mirror_source(rel)),
			 errtableconstraint(rel, "mirror_read_only")));
}

/*
 * Removes the row that a DELETE on a live view is about, by a query of that kind.
 * Returns the result of the trigger: NULL if the row is no longer there.
 */
static Datum
remove_through_view(TriggerData *trigdata, SavedQueryKind kind, QueryTextFunction query)
{
	Relation	rel = trigdata->tg_relation;
	TupleDesc	desc = RelationGetDescr(rel);
	int			id = SPI_fnumber(desc, "id");
	Oid			argtypes[2] = {INT8OID, TIMESTAMPTZOID};
	Datum		values[2];
	SPIPlanPtr	plan;
	bool		isnull;
	uint64		removed;

	check_inventory(rel);
	if (id <= 0 || SPI_gettypeid(desc, id) != INT8OID)
		refuse_table(rel, "It has no column \"id\" of type bigint.");
	if (is_mirror(rel))
		refuse_view_delete(rel);

	values[0] = SPI_getbinval(trigdata->tg_trigtuple, desc, id, &isnull);
	values[1] = TimestampTzGetDatum(GetCurrentTransactionStartTimestamp());

	SPI_connect();
	plan = saved_query_lookup(kind, RelationGetRelid(rel), 0, query, 2, argtypes, 0);
	if (SPI_execute_plan(plan, values, NULL, false, 0) != SPI_OK_UPDATE)
		elog(ERROR, "could not remove a row of view \"%s\"", RelationGetRelationName(rel));
	removed = SPI_processed;
	SPI_finish();

	/* Another session may have removed it meanwhile. */
	return PointerGetDatum(removed > 0 ? trigdata->tg_trigtuple : NULL);
}

/*
 * Removes a NIC that is deleted from a view of live NICs, in one statement.
 *
 * An INSTEAD OF trigger on DELETE, for each row.
 */
PG_FUNCTION_INFO_V1(nic_view_delete);

Datum
nic_view_delete(PG_FUNCTION_ARGS)
{
	TriggerData *trigdata = trigger_call_check(fcinfo, "nic_view_delete",
											   TRIGGER_EVENT_INSTEAD, TRIGGER_EVENT_ROW,
											   GUARD_DELETE);

	return remove_through_view(trigdata, QUERY_VIEW_REMOVE, view_remove_query);
}

/*
 * Removes a network or instance that is deleted from a view of live ones, which
 * its guard refuses while it holds NICs.
 *
 * An INSTEAD OF trigger on DELETE, for each row.
 */
PG_FUNCTION_INFO_V1(parent_view_delete);

Datum
parent_view_delete(PG_FUNCTION_ARGS)
{
	TriggerData *trigdata = trigger_call_check(fcinfo, "parent_view_delete",
											   TRIGGER_EVENT_INSTEAD, TRIGGER_EVENT_ROW,
											   GUARD_DELETE);

	return remove_through_view(trigdata, QUERY_PARENT_VIEW_REMOVE, parent_view_remove_query);
}
