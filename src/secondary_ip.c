/*
 * secondary_ip.c
 *		The triggers of addresses that NICs have beside their own: given to a
 *		live NIC only, removed once, and removed with their NIC.
 */
#include "compat.h"

#include "access/table.h"
#include "catalog/pg_class.h"
#include "catalog/pg_type.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/timestamp.h"

#include "vmnet_ext.h"

PG_FUNCTION_INFO_V1(secondary_ip_guard);
PG_FUNCTION_INFO_V1(nic_secondary_ips_remove);

/* The columns that the guard reads. */
typedef struct SecondaryColumns
{
	int			id;
	int			nic_id;
	int			network_id;
	int			created;
	int			removed;
} SecondaryColumns;

static int
column_of(Relation rel, const char *name, Oid type)
{
	int			attnum = SPI_fnumber(RelationGetDescr(rel), name);

	if (attnum <= 0 || SPI_gettypeid(RelationGetDescr(rel), attnum) != type)
		refuse_table(rel, psprintf("It needs a column \"%s\" of type %s.",
								   name, format_type_be(type)));
	return attnum;
}

static SecondaryColumns
find_columns(Relation rel)
{
	SecondaryColumns columns;

	columns.id = column_of(rel, "id", INT8OID);
	columns.nic_id = column_of(rel, "nic_id", INT8OID);
	columns.network_id = column_of(rel, "network_id", INT8OID);
	columns.created = column_of(rel, "created", TIMESTAMPTZOID);
	columns.removed = column_of(rel, "removed", TIMESTAMPTZOID);
	return columns;
}

/* The other table, which the trigger's argument names, in the same schema. */
static Relation
open_other_table(Relation rel, Trigger *trigger, LOCKMODE lockmode)
{
	Oid			relid = InvalidOid;

	if (trigger->tgnargs == 1)
		relid = get_relname_relid(trigger->tgargs[0], RelationGetNamespace(rel));
	if (!OidIsValid(relid) || get_rel_relkind(relid) != RELKIND_RELATION)
		refuse_table(rel, psprintf("The argument of trigger \"%s\" names no table beside it.",
								   trigger->tgname));
	return table_open(relid, lockmode);
}

/* The lock makes whoever removes the NIC wait, and waits for whoever does. */
static void
nic_query(StringInfo sql, Oid relid, int column)
{
	appendStringInfoString(sql, "SELECT n.active, n.network_id, n.state FROM ");
	append_relation_name(sql, relid);
	appendStringInfoString(sql, " n WHERE n.id OPERATOR(pg_catalog.=) $1 FOR SHARE");
}

/* Refuses an address for a NIC that is not live, or is on another network. */
static void
check_nic(Relation rel, Trigger *trigger, const SecondaryColumns *columns,
		  TupleTableSlot *slot)
{
	Relation	nics = open_other_table(rel, trigger, RowShareLock);
	Oid			argtypes[1] = {INT8OID};
	bool		isnull;
	Datum		nic = slot_getattr(slot, columns->nic_id, &isnull);
	int64		network = DatumGetInt64(slot_getattr(slot, columns->network_id, &isnull));
	long long	id = (long long) DatumGetInt64(nic);
	int64		its_network;
	HeapTuple	row;

	SPI_connect();
	plan_run_as_owner(plan_lookup_as_owner(PLAN_SECONDARY_NIC, nics, 0, nic_query, 1, argtypes),
					  nics, &nic, 0);

	if (SPI_processed == 0)
		ereport(ERROR,
				(errcode(ERRCODE_FOREIGN_KEY_VIOLATION),
				 errmsg("NIC %lld cannot have a secondary address: there is no such NIC", id),
				 errdetail("Table \"%s\" has no row with this id.", RelationGetRelationName(nics)),
				 errhint("Give the address to a live NIC; the view \"nics\" lists them."),
				 errtableconstraint(rel, "secondary_ip_nic_active")));

	row = SPI_tuptable->vals[0];
	its_network = DatumGetInt64(SPI_getbinval(row, SPI_tuptable->tupdesc, 2, &isnull));
	if (!DatumGetBool(SPI_getbinval(row, SPI_tuptable->tupdesc, 1, &isnull)))
		ereport(ERROR,
				(errcode(ERRCODE_FOREIGN_KEY_VIOLATION),
				 errmsg("NIC %lld cannot have a secondary address: it is not live", id),
				 errdetail("It is removed or being removed: its state is %s.",
						   SPI_getvalue(row, SPI_tuptable->tupdesc, 3)),
				 errhint("Give the address to a live NIC; the view \"nics\" lists them."),
				 errtableconstraint(rel, "secondary_ip_nic_active")));
	if (its_network != network)
		ereport(ERROR,
				(errcode(ERRCODE_CHECK_VIOLATION),
				 errmsg("a secondary address of NIC %lld cannot be on network %lld", id,
						(long long) network),
				 errdetail("The NIC is on network %lld.", (long long) its_network),
				 errhint("Set network_id to %lld.", (long long) its_network),
				 errtableconstraint(rel, "secondary_ip_network")));
	SPI_finish();
	table_close(nics, NoLock);
}

/* Does a column, a bigint or a time, differ? */
static bool
differs(TupleTableSlot *old, TupleTableSlot *new, int column)
{
	bool		oldnull;
	bool		newnull;
	Datum		oldvalue = slot_getattr(old, column, &oldnull);
	Datum		newvalue = slot_getattr(new, column, &newnull);

	return oldnull != newnull ||
		(!oldnull && DatumGetInt64(oldvalue) != DatumGetInt64(newvalue));
}

static void
check_change(Relation rel, const SecondaryColumns *columns,
			 TupleTableSlot *old, TupleTableSlot *new)
{
	bool		isnull;
	long long	id = (long long) DatumGetInt64(slot_getattr(old, columns->id, &isnull));

	if (differs(old, new, columns->id) || differs(old, new, columns->nic_id) ||
		differs(old, new, columns->network_id) || differs(old, new, columns->created))
		ereport(ERROR,
				(errcode(ERRCODE_CHECK_VIOLATION),
				 errmsg("id, NIC, network and creation time of secondary address %lld cannot change", id),
				 errdetail("The change would make it another one."),
				 errhint("Remove it (set removed), and add a new one."),
				 errtableconstraint(rel, "secondary_ip_identity_immutable")));

	if (!slot_attisnull(old, columns->removed) && differs(old, new, columns->removed))
		ereport(ERROR,
				(errcode(ERRCODE_CHECK_VIOLATION),
				 errmsg("\"removed\" of secondary address %lld cannot change", id),
				 errdetail("It was removed at %s.",
						   timestamptz_to_str(DatumGetTimestampTz(slot_getattr(old, columns->removed, &isnull)))),
				 errhint("A removed address stays removed. Add a new one instead."),
				 errtableconstraint(rel, "secondary_ip_removed_once")));
}

/*
 * AFTER INSERT OR UPDATE on all_nic_secondary_ips, for each row.
 */
Datum
secondary_ip_guard(PG_FUNCTION_ARGS)
{
	TriggerData *trigdata = guard_called(fcinfo, "secondary_ip_guard",
										 TRIGGER_EVENT_AFTER, TRIGGER_EVENT_ROW,
										 GUARD_INSERT | GUARD_UPDATE);
	Relation	rel = trigdata->tg_relation;
	SecondaryColumns columns = find_columns(rel);

	if (TRIGGER_FIRED_BY_UPDATE(trigdata->tg_event))
		check_change(rel, &columns, trigdata->tg_trigslot, trigdata->tg_newslot);
	else if (slot_attisnull(trigdata->tg_trigslot, columns.removed))
		check_nic(rel, trigdata->tg_trigger, &columns, trigdata->tg_trigslot);
	return PointerGetDatum(NULL);
}

static void
remove_query(StringInfo sql, Oid relid, int column)
{
	appendStringInfoString(sql, "WITH gone AS (UPDATE ");
	append_relation_name(sql, relid);
	appendStringInfoString(sql,
						   " SET removed = $2 WHERE nic_id OPERATOR(pg_catalog.=) $1"
						   " AND removed IS NULL RETURNING 1)"
						   " SELECT pg_catalog.count(*) FROM gone");
}

/*
 * AFTER UPDATE on all_nics, for each row that is removed.
 */
Datum
nic_secondary_ips_remove(PG_FUNCTION_ARGS)
{
	TriggerData *trigdata = guard_called(fcinfo, "nic_secondary_ips_remove",
										 TRIGGER_EVENT_AFTER, TRIGGER_EVENT_ROW,
										 GUARD_UPDATE);
	Relation	rel = trigdata->tg_relation;
	int			id = column_of(rel, "id", INT8OID);
	int			removed = column_of(rel, "removed", TIMESTAMPTZOID);
	Oid			argtypes[2] = {INT8OID, TIMESTAMPTZOID};
	Datum		values[2];
	bool		isnull;
	Relation	table;

	values[0] = slot_getattr(trigdata->tg_newslot, id, &isnull);
	values[1] = slot_getattr(trigdata->tg_newslot, removed, &isnull);
	table = open_other_table(rel, trigdata->tg_trigger, RowExclusiveLock);
	if (!isnull)
	{
		SPI_connect();
		plan_run_as_owner(plan_lookup_as_owner(PLAN_SECONDARY_REMOVE, table, 0, remove_query, 2, argtypes),
						  table, values, 0);
		SPI_finish();
	}
	table_close(table, NoLock);
	return PointerGetDatum(NULL);
}
