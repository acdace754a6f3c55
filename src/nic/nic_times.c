/*
 * nic_times.c
 *		The rules about the times of a NIC.
 *
 * Answers about the past depend on state_changed and removed, so neither may
 * contradict what is recorded already.
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "lib/stringinfo.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"
#include "utils/timestamp.h"

#include "compat.h"
#include "core/saved_query.h"
#include "core/visibility.h"
#include "history/insert.h"
#include "nic/nic_row.h"
#include "nic/nic_times.h"
#include "nic/removal_time.h"

/*
 * Appends the query for the time when a NIC was last changed, by its history.
 */
static void
last_change_query(StringInfo sql, Oid relid, int column)
{
	Oid			schema = get_rel_namespace(relid);

	appendStringInfoString(sql, "SELECT GREATEST((SELECT pg_catalog.max(h.at) FROM ");
	append_relation_name(sql, get_relname_relid("nic_history", schema));
	appendStringInfoString(sql, " h WHERE h.nic_id OPERATOR(pg_catalog.=) $1),"
						   " (SELECT pg_catalog.max(a.until) FROM ");
	append_relation_name(sql, get_relname_relid("nic_address_history", schema));
	appendStringInfoString(sql, " a WHERE a.nic_id OPERATOR(pg_catalog.=) $1))");
}

/*
 * Returns when a NIC was created or last changed: its state, its addresses, and,
 * if it came from a mirror, its network.
 */
static TimestampTz
last_change(Relation rel, const NicTable *table, TupleTableSlot *old)
{
	TimestampTz last = Max(DatumGetTimestampTz(nic_value(table, old, NIC_CREATED)),
						   DatumGetTimestampTz(nic_value(table, old, NIC_STATE_CHANGED)));
	Datum		id = nic_value(table, old, NIC_ID);
	Oid			argtypes[1] = {INT8OID};
	SPIPlanPtr	plan;
	Datum		value;
	bool		isnull;

	if (!OidIsValid(table->history))
		return last;

	history_require_owner(rel, table->history);
	history_require_owner(rel, table->address_history);
	SPI_connect();
	plan = saved_query_lookup_as_owner(QUERY_LAST_CHANGE, rel, 0, last_change_query, 1, argtypes);
	saved_query_run_as_owner(plan, rel, &id, 1);
	value = SPI_getbinval(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, 1, &isnull);
	if (!isnull && SPI_gettypeid(SPI_tuptable->tupdesc, 1) == TIMESTAMPTZOID)
		last = Max(last, DatumGetTimestampTz(value));
	SPI_finish();
	return last;
}

/*
 * Refuses a removal that is dated before what is recorded of the NIC: answers
 * about the past would change.
 */
static void
check_removal_time(const NicRules *rules, TupleTableSlot *old, TupleTableSlot *new)
{
	const NicTable *table = ((const NicTableRules *) rules)->table;
	TimestampTz removed;
	TimestampTz last;

	if (!nic_null(table, old, NIC_REMOVED) || nic_null(table, new, NIC_REMOVED))
		return;
	removed = DatumGetTimestampTz(nic_value(table, new, NIC_REMOVED));
	if (!removal_is_backdated(removed))
		return;
	last = last_change(rules->rel, table, old);
	if (removed >= last)
		return;

	ereport(rules->level,
			(errcode(ERRCODE_CHECK_VIOLATION),
			 errmsg("NIC %s cannot have been removed at %s, before it was created or last changed",
					rules->reader->output(rules, old, NIC_ID),
					rules->reader->output(rules, new, NIC_REMOVED)),
			 may_see_rows(rules->rel) ?
			 errdetail("%s It was created or last changed at %s.",
					   nic_rules_description(rules, old), timestamptz_to_str(last)) :
			 errdetail_internal("%s", nic_rules_description(rules, old)),
			 errhint("Set removed = now()."),
			 errtableconstraint(rules->rel, "nic_removed_after_changes")));
}

/*
 * Refuses a state_changed that differs from what nic_prepare() set, as a trigger
 * that fires after it can do.  Answers about the past depend on it.
 */
static void
check_state_changed(const NicRules *rules, TupleTableSlot *old, TupleTableSlot *new)
{
	const NicTable *table = ((const NicTableRules *) rules)->table;
	TimestampTz before = DatumGetTimestampTz(nic_value(table, old, NIC_STATE_CHANGED));
	TimestampTz after = DatumGetTimestampTz(nic_value(table, new, NIC_STATE_CHANGED));

	if (nic_same(table, old, new, NIC_STATE) ? before == after : before < after)
		return;

	ereport(rules->level,
			(errcode(ERRCODE_CHECK_VIOLATION),
			 errmsg("\"state_changed\" of NIC %s is not the time when its state changed",
					rules->reader->output(rules, old, NIC_ID)),
			 errdetail("%s Its state goes from \"%s\" to \"%s\", and state_changed from %s to %s.",
					   nic_rules_description(rules, old),
					   nic_rules_shown(rules, old, NIC_STATE),
					   rules->reader->output(rules, new, NIC_STATE),
					   nic_rules_shown(rules, old, NIC_STATE_CHANGED),
					   rules->reader->output(rules, new, NIC_STATE_CHANGED)),
			 errhint("Only the trigger \"nic_prepare\" sets it. A trigger that changes the state "
					 "of a NIC must have a name that sorts before it, and no trigger may set "
					 "state_changed."),
			 errtableconstraint(rules->rel, "nic_state_changed")));
}

/*
 * Checks state_changed and the removal time of a changed NIC.
 */
void
nic_check_times(const NicRules *rules, TupleTableSlot *old, TupleTableSlot *new)
{
	check_state_changed(rules, old, new);
	check_removal_time(rules, old, new);
}
