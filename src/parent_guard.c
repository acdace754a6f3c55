/*
 * parent_guard.c
 *		The triggers of networks and instances: removed once, and only when no
 *		held NIC is left.
 *
 * A half-removed NIC blocks too: its address may still be in use.
 */
#include "compat.h"

#include "access/table.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/timestamp.h"

#include "vmnet_ext.h"

PG_FUNCTION_INFO_V1(network_guard);
PG_FUNCTION_INFO_V1(instance_guard);

/* How many blockers a refusal names. */
#define BLOCKERS_NAMED	5

typedef struct ParentKind
{
	const char *noun;
	const char *function;
	const char *in_use;			/* constraint names */
	const char *removed_once;
	NicColumn	column;			/* of the NIC that refers to it */
	NicColumn	other;			/* of the NIC's other parent */
	const char *other_noun;
} ParentKind;

static const ParentKind network_kind = {
	"network", "network_guard", "network_in_use", "network_removed_once",
	NIC_NETWORK_ID, NIC_INSTANCE_ID, "instance"
};

static const ParentKind instance_kind = {
	"instance", "instance_guard", "instance_in_use", "instance_removed_once",
	NIC_INSTANCE_ID, NIC_NETWORK_ID, "network"
};

/* Does the table carry the guard of a NIC table, enabled or not? */
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

/* The held NICs of one parent. */
static void
append_held_nics(StringInfo sql, Oid relid, int column)
{
	appendStringInfoString(sql, " FROM ");
	append_relation_name(sql, relid);
	appendStringInfo(sql, " n WHERE n.%s OPERATOR(pg_catalog.=) $1 AND n.removed IS NULL",
					 nic_column_name(column));
}

/*
 * Is there a held NIC?  Active and half-removed ones are asked for apart, in
 * the order of an index each: such a plan stays right when the tables grow.
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

static void
held_nics_list_query(StringInfo sql, Oid relid, int column)
{
	appendStringInfo(sql,
					 "SELECT n.id, n.state, n.%s, NOT n.active, pg_catalog.count(*) OVER (),"
					 " pg_catalog.count(*) FILTER (WHERE NOT n.active) OVER ()",
					 nic_column_name(column == NIC_NETWORK_ID ? NIC_INSTANCE_ID : NIC_NETWORK_ID));
	append_held_nics(sql, relid, column);
	appendStringInfo(sql, " ORDER BY n.id LIMIT %d", BLOCKERS_NAMED);
}

/* Runs one of these queries with the latest snapshot, as the table's owner. */
static void
look_for_nics(Relation nics, const ParentKind *kind, Oid keytype, Datum key,
			  PlanKind plankind, PlanTextFunction text)
{
	Oid			argtypes[1] = {keytype};
	Datum		values[1] = {key};
	SPIPlanPtr	plan;

	plan = plan_lookup_as_owner(plankind, nics, kind->column, text, 1, argtypes);
	plan_run_as_owner(plan, nics, values, 0);
}

static char *
column_text(int row, int column)
{
	char	   *value = SPI_getvalue(SPI_tuptable->vals[row], SPI_tuptable->tupdesc, column);

	return value ? value : pstrdup("none");
}

static int64
column_bigint(int row, int column)
{
	bool		isnull;

	return DatumGetInt64(SPI_getbinval(SPI_tuptable->vals[row], SPI_tuptable->tupdesc,
									   column, &isnull));
}

/* Raises the refusal, from the result of held_nics_list_query(). */
static void
refuse_removal(Relation rel, Relation nics, const ParentKind *kind, char *id)
{
	StringInfoData blockers;
	StringInfoData half;
	StringInfoData name;
	int64		total = column_bigint(0, 5);
	int64		half_removed = column_bigint(0, 6);
	uint64		i;

	initStringInfo(&blockers);
	initStringInfo(&half);
	initStringInfo(&name);
	append_relation_name(&name, RelationGetRelid(nics));

	for (i = 0; i < SPI_processed; i++)
	{
		appendStringInfo(&blockers, "%sNIC %s (%s, %s %s)",
						 i > 0 ? ", " : "", column_text(i, 1), column_text(i, 2),
						 kind->other_noun, column_text(i, 3));
		if (strcmp(column_text(i, 4), "t") == 0)
			appendStringInfo(&half, "%s%s", half.len > 0 ? ", " : "", column_text(i, 1));
	}

	ereport(ERROR,
			(errcode(ERRCODE_FOREIGN_KEY_VIOLATION),
			 errmsg("cannot remove %s %s: NICs are left on it", kind->noun, id),
			 errdetail("%s held%s: %s%s.",
					   total == 1 ? "1 NIC is" : psprintf("%lld NICs are", (long long) total),
					   half_removed > 0 ?
					   psprintf(", %lld of them half-removed", (long long) half_removed) : "",
					   blockers.data, total > BLOCKERS_NAMED ?
					   psprintf(" and %lld more", (long long) total - BLOCKERS_NAMED) : ""),
			 half.len > 0 ?
			 errhint("Remove its NICs first. A half-removed one still holds its address; once that is free, finish it: UPDATE %s SET removed = now() WHERE id IN (%s).",
					 name.data, half.data) :
			 errhint("Remove its NICs first: UPDATE %s SET state = 'Deallocating', removed = now() WHERE %s = %s AND removed IS NULL.",
					 name.data, nic_column_name(kind->column), id),
			 errtableconstraint(rel, kind->in_use)));
}

/*
 * Refuses the removal if this NIC table holds a NIC of the parent.  False if
 * it is another column of the NICs that refers to it.
 */
static bool
check_nic_table(Relation rel, Relation nics, const ParentKind *kind,
				TupleTableSlot *slot)
{
	const NicTable *table = nic_table_lookup(nics);
	ParentKey	parent = kind->column == NIC_NETWORK_ID ? table->network : table->instance;
	Oid			keytype;
	Oid			output;
	bool		isvarlena;
	bool		isnull;
	Datum		key;
	TimestampTz removed;

	if (parent.relid != RelationGetRelid(rel))
		return false;

	/*
	 * By key, not by position: the command that removes the row may have
	 * written it once more, in a trigger or in RETURNING.
	 */
	key = slot_getattr(slot, parent.key, &isnull);
	parent_lock(&parent, key, LockTupleExclusive, &removed);
	keytype = TupleDescAttr(RelationGetDescr(rel), parent.key - 1)->atttypid;

	SPI_connect();
	look_for_nics(nics, kind, keytype, key, PLAN_HELD_NICS_ANY, held_nics_any_query);
	if (SPI_processed > 0)
	{
		look_for_nics(nics, kind, keytype, key, PLAN_HELD_NICS_LIST, held_nics_list_query);
		getTypeOutputInfo(keytype, &output, &isvarlena);
		if (SPI_processed > 0)
			refuse_removal(rel, nics, kind, OidOutputFunctionCall(output, key));
	}
	SPI_finish();
	return true;
}

/*
 * The tables that refer to this one.  They are known by the triggers of their
 * foreign keys, which stand on this table.
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
 * Looks into every NIC table that refers to this one.  Where there is none, it
 * has lost its foreign key or its guard: then nobody can tell.
 */
static void
check_in_use(Relation rel, const ParentKind *kind, TupleTableSlot *slot)
{
	bool		found = false;
	ListCell   *lc;

	foreach(lc, referring_tables(rel))
	{
		Relation	nics = table_open(lfirst_oid(lc), AccessShareLock);

		if (is_nic_table(nics) && check_nic_table(rel, nics, kind, slot))
			found = true;
		table_close(nics, NoLock);
	}

	if (!found)
		refuse_table(rel, "No guarded table of NICs refers to it, so nobody can tell whether it holds any.");
}

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
		ereport(ERROR,
				(errcode(ERRCODE_CHECK_VIOLATION),
				 errmsg("\"removed\" of %s %s cannot change", kind->noun,
						SPI_getvalue(trigdata->tg_trigtuple, desc, id)),
				 errdetail("It was removed at %s.",
						   timestamptz_to_str(DatumGetTimestampTz(oldvalue))),
				 errhint("A removed %s stays removed. Add a new one instead.", kind->noun),
				 errtableconstraint(rel, kind->removed_once)));

	if (!oldnull || newnull)
		return;

	check_in_use(rel, kind, trigdata->tg_newslot);
}

static Datum
parent_guard(FunctionCallInfo fcinfo, const ParentKind *kind)
{
	TriggerData *trigdata = guard_called(fcinfo, kind->function,
										 TRIGGER_EVENT_AFTER, TRIGGER_EVENT_ROW,
										 GUARD_UPDATE);

	guard_removal(trigdata, kind);
	return PointerGetDatum(NULL);
}

Datum
network_guard(PG_FUNCTION_ARGS)
{
	return parent_guard(fcinfo, &network_kind);
}

Datum
instance_guard(PG_FUNCTION_ARGS)
{
	return parent_guard(fcinfo, &instance_kind);
}
