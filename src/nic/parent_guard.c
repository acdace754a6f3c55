/*
 * parent_guard.c
 *		The triggers of networks and instances: removed once, and only when no
 *		held NIC is left.
 *
 * A half-removed NIC blocks too: its address may still be in use.
 */
#include "postgres.h"

#include "access/table.h"
#include "catalog/pg_type.h"
#include "commands/trigger.h"
#include "executor/spi.h"
#include "executor/tuptable.h"
#include "lib/stringinfo.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"
#include "utils/timestamp.h"

#include "compat.h"
#include "core/run_as.h"
#include "core/saved_query.h"
#include "core/trigger_call.h"
#include "core/visibility.h"
#include "nic/nic_table.h"
#include "nic/parent_lock.h"
#include "nic/parent_rules.h"
#include "nic/removal_time.h"

/*
 * Tells whether a table has the guard of a NIC table, enabled or not.
 */
static bool
is_nic_table(Relation rel)
{
	ListCell   *lc;

	foreach(lc, trigger_functions(rel))
	{
		if (function_is_ours(lfirst_oid(lc), "nic_guard"))
			return true;
	}
	return false;
}

/*
 * Appends the query that finds out whether a parent has a held NIC.
 *
 * Active and half-removed NICs are searched for separately, each in the order of
 * an index: such a plan stays right as the tables grow.
 */
static void
held_nics_any_query(StringInfo sql, Oid relid, int column)
{
	const char *name = nic_column_name(column);
	const char *order = column == NIC_NETWORK_ID ? "n.network_id, n.instance_id" : name;
	int			i;

	for (i = 0; i < 2; i++)
	{
		appendStringInfoString(sql, i == 0 ? "SELECT 1 WHERE (" : ") IS NOT NULL OR (");
		appendStringInfoString(sql, "SELECT true FROM ");
		append_relation_name(sql, relid);
		appendStringInfo(sql,
						 " n WHERE n.%s OPERATOR(pg_catalog.>=) $1"
						 " AND n.%s OPERATOR(pg_catalog.<=) $1"
						 " AND n.removed IS NULL AND %s ORDER BY %s LIMIT 1",
						 name, name, i == 0 ? "n.active" : "NOT n.active",
						 i == 0 ? order : name);
	}
	appendStringInfoString(sql, ") IS NOT NULL");
}

/*
 * Appends the query for the held NICs of a parent that a refusal names, with the
 * columns that held_nics_read() reads.
 */
static void
held_nics_list_query(StringInfo sql, Oid relid, int column)
{
	appendStringInfo(sql,
					 "SELECT n.id, n.state, n.%s, NOT n.active, pg_catalog.count(*) OVER (),"
					 " pg_catalog.count(*) FILTER (WHERE NOT n.active) OVER ()",
					 nic_column_name(column == NIC_NETWORK_ID ? NIC_INSTANCE_ID : NIC_NETWORK_ID));
	appendStringInfoString(sql, " FROM ");
	append_relation_name(sql, relid);
	appendStringInfo(sql,
					 " n WHERE n.%s OPERATOR(pg_catalog.=) $1 AND n.removed IS NULL"
					 " ORDER BY n.id LIMIT %d",
					 nic_column_name(column), HELD_NICS_NAMED);
}

/*
 * Appends the query for the time when the last NIC of a parent was removed.
 */
static void
last_removal_query(StringInfo sql, Oid relid, int column)
{
	appendStringInfoString(sql, "SELECT pg_catalog.max(n.removed) FROM ");
	append_relation_name(sql, relid);
	appendStringInfo(sql, " n WHERE n.%s OPERATOR(pg_catalog.=) $1", nic_column_name(column));
}

/*
 * Runs one of these queries with the latest snapshot, as the owner of the table.
 */
static void
query_nics(Relation nics, const ParentKind *kind, Datum key,
		   SavedQueryKind query, QueryTextFunction text)
{
	Oid			argtypes[1] = {INT8OID};
	Datum		values[1] = {key};
	SPIPlanPtr	plan;

	plan = saved_query_lookup_as_owner(query, nics, kind->column, text, 1, argtypes);
	saved_query_run_as_owner(plan, nics, values, 0);
}

/*
 * Refuses the removal, from the result of held_nics_list_query().
 */
static void
refuse_removal(Relation rel, Relation nics, const ParentKind *kind, int64 id)
{
	ParentRefusal refusal = {
		.kind = kind,
		.rel = rel,
		.level = ERROR,
		.id = psprintf("%lld", (long long) id),
		.may_see = may_see_rows(nics)
	};
	HeldNics	held;
	StringInfoData name;
	char	   *hint;

	held_nics_read(&held, kind);
	initStringInfo(&name);
	append_relation_name(&name, RelationGetRelid(nics));
	if (held.half_removed_ids[0] != '\0')
		hint = psprintf("Remove its NICs first. A half-removed one still holds its address; once "
						"that is free, finish it: UPDATE %s SET removed = now() WHERE id IN (%s).",
						name.data, held.half_removed_ids);
	else
		hint = psprintf("Remove its NICs first: UPDATE %s SET state = 'Deallocating', removed = "
						"now() WHERE %s = %lld AND removed IS NULL.",
						name.data, nic_column_name(kind->column), (long long) id);
	refuse_in_use(&refusal, true, &held, RelationGetRelationName(nics), hint);
}

/*
 * Refuses a removal that is dated before the last NIC was removed: the answers
 * about the past would lose that NIC.
 */
static void
check_removed_after_nics(Relation rel, Relation nics, const ParentKind *kind,
						 Datum key, TimestampTz removed)
{
	Datum		last;
	bool		isnull;

	query_nics(nics, kind, key, QUERY_LAST_REMOVAL, last_removal_query);
	last = SPI_getbinval(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, 1, &isnull);
	if (isnull || DatumGetTimestampTz(last) <= removed)
		return;

	ereport(ERROR,
			(errcode(ERRCODE_CHECK_VIOLATION),
			 errmsg("%s %lld cannot have been removed at %s, before its NICs were", kind->noun,
					(long long) DatumGetInt64(key), timestamptz_to_str(removed)),
			 may_see_rows(nics) ?
			 errdetail("Its last NIC was removed at %s.",
					   pstrdup(timestamptz_to_str(DatumGetTimestampTz(last)))) :
			 errdetail("Its last NIC was removed later."),
			 errhint("Set removed = now()."),
			 errtableconstraint(rel, kind->after_nics)));
}

/*
 * Converts a key to bigint, the type of the NICs' columns that refer to it.
 */
static Datum
key_as_bigint(Relation rel, AttrNumber attnum, Datum key)
{
	switch (getBaseType(TupleDescAttr(RelationGetDescr(rel), attnum - 1)->atttypid))
	{
		case INT2OID:
			return Int64GetDatum((int64) DatumGetInt16(key));
		case INT4OID:
			return Int64GetDatum((int64) DatumGetInt32(key));
		case INT8OID:
			return key;
		default:
			refuse_table(rel, "Its key is not an integer.");
			return (Datum) 0;	/* keep compiler quiet */
	}
}

/*
 * Refuses the removal if this NIC table holds a NIC of the parent.  False if
 * it is another column of the NICs that refers to it.
 */
static bool
check_nic_table(Relation rel, Relation nics, const ParentKind *kind,
				TupleTableSlot *slot, TimestampTz removed)
{
	const NicTable *table = nic_table_lookup(nics);
	ParentKey	parent = kind->column == NIC_NETWORK_ID ? table->network : table->instance;
	bool		isnull;
	Datum		key;
	TimestampTz ignored;

	if (parent.relid != RelationGetRelid(rel))
		return false;

	/*
	 * By key, not by position: the command that removes the row may have
	 * written it once more, in a trigger or in RETURNING.
	 */
	key = key_as_bigint(rel, parent.key, slot_getattr(slot, parent.key, &isnull));
	parent_lock(&parent, key, LockTupleExclusive, &ignored);

	SPI_connect();
	query_nics(nics, kind, key, QUERY_HELD_NICS_ANY, held_nics_any_query);
	if (SPI_processed > 0)
	{
		query_nics(nics, kind, key, QUERY_HELD_NICS_LIST, held_nics_list_query);
		if (SPI_processed > 0)
			refuse_removal(rel, nics, kind, DatumGetInt64(key));
	}
	if (removal_is_backdated(removed))
		check_removed_after_nics(rel, nics, kind, key, removed);
	SPI_finish();
	return true;
}

/*
 * Returns the tables that refer to this one, found by the triggers of their
 * foreign keys on this table.
 */
static List *
referring_tables(Relation rel)
{
	List	   *result = NIL;
	int			i;

	for (i = 0; i < rel->trigdesc->numtriggers; i++)
	{
		Trigger    *trigger = &rel->trigdesc->triggers[i];

		if (trigger->tgisinternal && OidIsValid(trigger->tgconstrrelid))
			result = list_append_unique_oid(result, trigger->tgconstrrelid);
	}
	return result;
}

/*
 * Checks the NIC tables that refer to this one: those of its owner, or those of
 * others.  Returns false if there is none.
 */
static bool
check_nic_tables(Relation rel, const ParentKind *kind, TupleTableSlot *slot,
				 TimestampTz removed, bool of_owner)
{
	bool		found = false;
	ListCell   *lc;

	foreach(lc, referring_tables(rel))
	{
		Relation	nics;

		if ((relation_owner(lfirst_oid(lc)) == rel->rd_rel->relowner) != of_owner)
			continue;
		nics = table_open(lfirst_oid(lc), AccessShareLock);
		if (is_nic_table(nics) && check_nic_table(rel, nics, kind, slot, removed))
			found = true;
		table_close(nics, NoLock);
	}
	return found;
}

/*
 * Refuses the removal of a network or instance that has held NICs.
 *
 * If the owner has a NIC table, those of other roles are ignored: a role that may
 * refer to the table must not prevent its owner from removals.  If there is no
 * NIC table, it has lost its foreign key or its guard, and the removal is refused.
 */
static void
check_in_use(Relation rel, const ParentKind *kind, TupleTableSlot *slot, TimestampTz removed)
{
	if (!check_nic_tables(rel, kind, slot, removed, true) &&
		!check_nic_tables(rel, kind, slot, removed, false))
		refuse_table(rel, "No guarded table of NICs refers to it, so its held NICs cannot be "
					 "found.");
}

/*
 * Refuses a removal that is dated before the row was made.
 */
static void
check_removed_after_created(TriggerData *trigdata, const ParentKind *kind, int id,
							TimestampTz removed)
{
	Relation	rel = trigdata->tg_relation;
	TupleDesc	desc = RelationGetDescr(rel);
	int			created = SPI_fnumber(desc, "created");
	Datum		value;
	bool		isnull;

	if (created <= 0 || SPI_gettypeid(desc, created) != TIMESTAMPTZOID ||
		!removal_is_backdated(removed))
		return;
	value = slot_getattr(trigdata->tg_newslot, created, &isnull);
	if (isnull || DatumGetTimestampTz(value) <= removed)
		return;

	ereport(ERROR,
			(errcode(ERRCODE_CHECK_VIOLATION),
			 errmsg("%s %s cannot have been removed at %s, before it was created", kind->noun,
					SPI_getvalue(trigdata->tg_trigtuple, desc, id),
					pstrdup(timestamptz_to_str(removed))),
			 may_see_rows(rel) ?
			 errdetail("It was created at %s.", timestamptz_to_str(DatumGetTimestampTz(value))) :
			 errdetail("It was created later."),
			 errhint("Set removed = now()."),
			 errtableconstraint(rel, kind->after_created)));
}

/*
 * Checks an UPDATE of "removed": once, without held NICs, not backdated.
 */
static void
guard_removal(TriggerData *trigdata, const ParentKind *kind)
{
	Relation	rel = trigdata->tg_relation;
	TupleDesc	desc = RelationGetDescr(rel);
	int			removed = SPI_fnumber(desc, "removed");
	int			id = SPI_fnumber(desc, "id");
	Datum		oldvalue;
	Datum		newvalue;
	bool		oldnull;
	bool		newnull;

	if (removed <= 0 || id <= 0 || SPI_gettypeid(desc, removed) != TIMESTAMPTZOID)
		refuse_table(rel, psprintf("It needs a column \"id\" and a column \"removed\" of type %s.",
								   format_type_be(TIMESTAMPTZOID)));

	oldvalue = slot_getattr(trigdata->tg_trigslot, removed, &oldnull);
	newvalue = slot_getattr(trigdata->tg_newslot, removed, &newnull);

	if (!oldnull &&
		(newnull || DatumGetTimestampTz(oldvalue) != DatumGetTimestampTz(newvalue)))
	{
		ParentRefusal refusal = {
			.kind = kind,
			.rel = rel,
			.level = ERROR,
			.id = SPI_getvalue(trigdata->tg_trigtuple, desc, id),
			.may_see = may_see_rows(rel)
		};

		refuse_second_removal(&refusal, DatumGetTimestampTz(oldvalue));
	}
	if (!oldnull || newnull)
		return;

	check_in_use(rel, kind, trigdata->tg_newslot, DatumGetTimestampTz(newvalue));
	check_removed_after_created(trigdata, kind, id, DatumGetTimestampTz(newvalue));
}

/*
 * Runs the guard of networks or of instances.
 */
static Datum
parent_guard(FunctionCallInfo fcinfo, const char *function, const ParentKind *kind)
{
	TriggerData *trigdata = trigger_call_check(fcinfo, function,
											   TRIGGER_EVENT_AFTER, TRIGGER_EVENT_ROW,
											   GUARD_UPDATE);

	guard_removal(trigdata, kind);
	return PointerGetDatum(NULL);
}

/*
 * Checks the removal of networks.
 *
 * An AFTER trigger on UPDATE of a table of networks, for each row.
 */
PG_FUNCTION_INFO_V1(network_guard);

Datum
network_guard(PG_FUNCTION_ARGS)
{
	return parent_guard(fcinfo, "network_guard", &network_kind);
}

/*
 * Checks the removal of instances.
 *
 * An AFTER trigger on UPDATE of a table of instances, for each row.
 */
PG_FUNCTION_INFO_V1(instance_guard);

Datum
instance_guard(PG_FUNCTION_ARGS)
{
	return parent_guard(fcinfo, "instance_guard", &instance_kind);
}
