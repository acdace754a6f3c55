/*
 * attached_parent_guard.c
 *		The triggers of attached networks and instances: removed once, and only when
 *		no held NIC is left.
 */
#include "postgres.h"

#include "access/relation.h"
#include "access/table.h"
#include "commands/trigger.h"
#include "executor/spi.h"
#include "executor/tuptable.h"
#include "lib/stringinfo.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"
#include "utils/timestamp.h"

#include "compat.h"
#include "attach/attached_guard.h"
#include "attach/attached_parent.h"
#include "attach/attached_parent_guard.h"
#include "attach/attached_row.h"
#include "attach/attached_table.h"
#include "core/inventory.h"
#include "core/run_as.h"
#include "core/saved_query.h"
#include "core/trigger_call.h"
#include "nic/parent_rules.h"

/*
 * Returns what a refusal says of a network or instance.  named is the table whose
 * rows DETAIL and HINT would name.
 */
static ParentRefusal
parent_refusal(AttachedGuard *guard, TupleTableSlot *slot, const ParentKind *kind, Oid named)
{
	ParentRefusal refusal = {
		.kind = kind,
		.rel = guard->rel,
		.level = attached_refusal_level(guard),
		.id = attached_output(guard->table, slot, ATTACHED_ID),
		.may_see = attached_may_see(guard, named)
	};

	return refusal;
}

/*
 * Appends the query for the held NICs of a network or instance, with the columns
 * that held_nics_read() reads; relid is the view of networks or instances.
 */
static void
held_query(StringInfo sql, Oid relid, int column)
{
	static const char half_removed[] =
	"n.state::pg_catalog.text COLLATE pg_catalog.\"C\" OPERATOR(pg_catalog.=) 'Deallocating'";
	bool		network = column == ATTACHED_NETWORK_KEY;
	Oid			schema = get_rel_namespace(relid);
	AttachedTable *nics = attached_table_lookup(schema, "nics");
	AttachedTable *parent = attached_table_lookup(schema, network ? "networks" : "instances");

	if (nics == NULL || parent == NULL)
		elog(ERROR, "the views of inventory \"%s\" are missing", require_namespace_name(schema));
	appendStringInfo(sql, "SELECT n.id, n.state, n.%s, %s, pg_catalog.count(*) OVER (),"
					 " pg_catalog.count(*) FILTER (WHERE %s) OVER () FROM ",
					 network ? "instance_key" : "network_key", half_removed, half_removed);
	append_relation_name(sql, nics->view);
	appendStringInfo(sql, " n WHERE n.%s OPERATOR(pg_catalog.=) $1",
					 network ? "network_key" : "instance_key");
	attached_append_collate(sql, nics, column, parent);
	appendStringInfo(sql, " AND n.removed IS NULL ORDER BY n.id LIMIT %d", HELD_NICS_NAMED);
}

/*
 * Returns the HINT about held NICs.
 */
static char *
held_nics_hint(AttachedTable *nics, const HeldNics *held)
{
	if (held->half_removed_ids[0] == '\0')
		return "Remove its NICs first.";
	return psprintf("Remove its NICs first. A half-removed one still holds its address; once that "
					"is free, finish it by %s (NIC %s).",
					nics->lacks[ATTACHED_REMOVED] ? "deleting its row" :
					"setting the column that \"removed\" is read from",
					held->half_removed_ids);
}

/*
 * Runs a query on the NICs, which is saved for a view; the result is in
 * SPI_tuptable.
 */
static void
query_view(Oid viewid, SavedQueryKind query, const ParentKind *kind,
		   QueryTextFunction text, int nargs, Oid *argtypes, Datum *values)
{
	Relation	view = relation_open(viewid, AccessShareLock);
	int			column = kind == &network_kind ? ATTACHED_NETWORK_KEY : ATTACHED_INSTANCE_KEY;
	SPIPlanPtr	plan = saved_query_lookup_as_owner(query, view, column, text, nargs, argtypes);

	saved_query_run_as_owner(plan, view, values, 0);
	relation_close(view, NoLock);
}

/*
 * Refuses the removal of a network or instance, or the change of its key, while
 * it has NICs.
 *
 * The plan is saved for the view of the networks or instances, since the type of
 * the key is that of the view.
 */
static void
check_in_use(AttachedGuard *guard, TupleTableSlot *slot, const ParentKind *kind, bool remove)
{
	AttachedTable *table = guard->table;
	AttachedTable *nics = attached_related(guard->rel, table, "nics");
	Oid			argtypes[1] = {table->type[ATTACHED_KEY]};
	Datum		values[1];
	TimestampTz removed;
	bool		isnull;

	values[0] = attached_value(table, slot, ATTACHED_KEY, &isnull);
	if (isnull || nics == NULL)
		return;
	attached_parent_lock(table, argtypes[0], values[0], LockTupleExclusive, &removed);

	require_owner(nics->table, nics->owner, nics->view);
	attached_require_schema(guard);
	SPI_connect();
	query_view(table->view, QUERY_ATTACHED_HELD, kind, held_query, 1, argtypes, values);
	if (SPI_processed > 0)
	{
		ParentRefusal refusal = parent_refusal(guard, slot, kind, nics->table);
		HeldNics	held;

		held_nics_read(&held, kind);
		refuse_in_use(&refusal, remove, &held, get_rel_name(nics->table),
					  held_nics_hint(nics, &held));
	}
	SPI_finish();
}

/*
 * Checks that a network or instance is removed once, and only without NICs.
 */
static void
check_update(AttachedGuard *guard, TupleTableSlot *old, TupleTableSlot *new,
			 const ParentKind *kind)
{
	AttachedTable *table = guard->table;
	ParentRefusal refusal;
	bool		isnull;
	Datum		removed = attached_value(table, old, ATTACHED_REMOVED, &isnull);

	/* NICs would refer to a key that is gone. */
	if (!attached_same(table, old, new, ATTACHED_KEY) && isnull)
		check_in_use(guard, old, kind, false);
	if (attached_same(table, old, new, ATTACHED_REMOVED))
		return;
	if (isnull)
	{
		check_in_use(guard, new, kind, true);
		return;
	}
	refusal = parent_refusal(guard, old, kind, RelationGetRelid(guard->rel));
	refuse_second_removal(&refusal, DatumGetTimestampTz(removed));
}

/*
 * Runs the guard of networks or of instances.
 */
static Datum
parent_guard(FunctionCallInfo fcinfo, const char *function, const ParentKind *kind)
{
	TriggerData *trigdata = trigger_call_check(fcinfo, function,
											   TRIGGER_EVENT_AFTER, TRIGGER_EVENT_ROW,
											   GUARD_UPDATE | GUARD_DELETE);
	AttachedGuard guard;

	attached_guard_begin(&guard, trigdata, kind == &network_kind ? "networks" : "instances");
	if (TRIGGER_FIRED_BY_UPDATE(trigdata->tg_event))
		check_update(&guard, trigdata->tg_trigslot, trigdata->tg_newslot, kind);
	else if (attached_is_null(guard.table, trigdata->tg_trigslot, ATTACHED_REMOVED))
		check_in_use(&guard, trigdata->tg_trigslot, kind, true);
	attached_guard_end(&guard);
	return PointerGetDatum(NULL);
}

/*
 * Checks the removal of networks in an attached table of networks.
 *
 * An AFTER trigger on UPDATE and DELETE, for each row.
 */
PG_FUNCTION_INFO_V1(attached_network_guard);

Datum
attached_network_guard(PG_FUNCTION_ARGS)
{
	return parent_guard(fcinfo, "attached_network_guard", &network_kind);
}

/*
 * Checks the removal of instances in an attached table of instances.
 *
 * An AFTER trigger on UPDATE and DELETE, for each row.
 */
PG_FUNCTION_INFO_V1(attached_instance_guard);

Datum
attached_instance_guard(PG_FUNCTION_ARGS)
{
	return parent_guard(fcinfo, "attached_instance_guard", &instance_kind);
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
void
attached_check_truncate(AttachedGuard *guard, const ParentKind *kind)
{
	Relation	rel = guard->rel;
	AttachedTable *nics = attached_related(rel, guard->table, "nics");

	if (nics == NULL)
		return;
	require_owner(nics->table, nics->owner, nics->view);
	if (is_referenced(nics, rel))
		return;

	attached_require_schema(guard);
	SPI_connect();
	query_view(nics->view, QUERY_ATTACHED_ANY_HELD, kind, any_held_query, 0, NULL, NULL);
	if (SPI_processed > 0)
		ereport(attached_refusal_level(guard),
				(errcode(ERRCODE_FOREIGN_KEY_VIOLATION),
				 errmsg("cannot truncate table \"%s\": NICs are left on its %ss",
						RelationGetRelationName(rel), kind->noun),
				 attached_may_see(guard, nics->table) ?
				 errdetail("NIC %s is one of them.",
						   SPI_getvalue(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, 1)) :
				 errdetail("They are not named, because rows of table \"%s\" may be hidden from "
						   "the current role.",
						   get_rel_name(nics->table)),
				 errhint("Remove the NICs first."),
				 errtableconstraint(rel, kind->in_use)));
	SPI_finish();
}
