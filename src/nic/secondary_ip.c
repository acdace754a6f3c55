/*
 * secondary_ip.c
 *		The triggers of secondary addresses: assigned to live NICs only, removed
 *		once, and removed with their NIC.  Their changes are recorded.
 */
#include "postgres.h"

#include "access/table.h"
#include "catalog/pg_class.h"
#include "catalog/pg_type.h"
#include "commands/trigger.h"
#include "executor/spi.h"
#include "executor/tuptable.h"
#include "lib/stringinfo.h"
#include "utils/builtins.h"
#include "utils/datum.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"
#include "utils/snapmgr.h"
#include "utils/timestamp.h"

#include "compat.h"
#include "core/run_as.h"
#include "core/saved_query.h"
#include "core/trigger_call.h"
#include "core/visibility.h"
#include "history/pending.h"
#include "nic/nic_table.h"
#include "nic/removal_time.h"

/* The columns that the guard reads. */
typedef struct SecondaryColumns
{
	int			id;
	int			nic_id;
	int			network_id;
	int			created;
	int			removed;
	int			ip4_address;	/* 0: there is no such column, nor history */
	int			ip6_address;
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

static int
optional_column(Relation rel, const char *name, Oid type)
{
	return get_attnum(RelationGetRelid(rel), name) > 0 ? column_of(rel, name, type) : 0;
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
	columns.ip4_address = optional_column(rel, "ip4_address", INETOID);
	columns.ip6_address = optional_column(rel, "ip6_address", INETOID);
	return columns;
}

/*
 * Opens the other table, which the trigger's argument names, in the same schema.
 *
 * It has to belong to the owner of this one, as whom it is read or written; any
 * role that may create tables in the schema can create one of that name.  The
 * owner is checked before the lock is requested, and again when it is held.
 */
static Relation
open_other_table(Relation rel, Trigger *trigger, LOCKMODE lockmode)
{
	Oid			relid = InvalidOid;
	Relation	other;

	if (trigger->tgnargs == 1)
		relid = get_relname_relid(trigger->tgargs[0], RelationGetNamespace(rel));
	if (!OidIsValid(relid) || get_rel_relkind(relid) != RELKIND_RELATION)
		refuse_table(rel, psprintf("The argument of trigger \"%s\" is not the name of a table in "
								   "the same schema.",
								   trigger->tgname));
	require_owner(relid, rel->rd_rel->relowner, RelationGetRelid(rel));
	other = table_open(relid, lockmode);

	require_owner(relid, rel->rd_rel->relowner, RelationGetRelid(rel));
	return other;
}

/*
 * Appends the query that locks a NIC: a removal of the NIC waits for the lock.
 */
static void
nic_query(StringInfo sql, Oid relid, int column)
{
	appendStringInfoString(sql, "SELECT n.active, n.network_id, n.state FROM ");
	append_relation_name(sql, relid);
	appendStringInfoString(sql, " n WHERE n.id OPERATOR(pg_catalog.=) $1 FOR SHARE");
}

/*
 * Raises the error about an address for a NIC that is not live or is missing.
 */
static void
refuse_nic(Relation rel, Relation nics, int64 id, const char *state)
{
	ereport(ERROR,
			(errcode(ERRCODE_FOREIGN_KEY_VIOLATION),
			 state == NULL ?
			 errmsg("NIC %lld cannot have a secondary address: it does not exist", (long long) id) :
			 errmsg("NIC %lld cannot have a secondary address: it is not live", (long long) id),
			 state == NULL ?
			 errdetail("Table \"%s\" has no row with this id.", RelationGetRelationName(nics)) :
			 may_see_rows(nics) ?
			 errdetail("It is removed or being removed: its state is %s.", state) :
			 errdetail("It is removed or being removed."),
			 errhint("Assign the address to a live NIC; the view \"nics\" lists them."),
			 errtableconstraint(rel, "secondary_ip_nic_active")));
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
	int64		id = DatumGetInt64(nic);
	int64		its_network;
	SPIPlanPtr	plan;
	char	   *state;
	HeapTuple	row;

	(void) nic_table_lookup(nics);
	(void) column_of(nics, "active", BOOLOID);
	SPI_connect();
	plan = saved_query_lookup_as_owner(QUERY_SECONDARY_NIC, nics, 0, nic_query, 1, argtypes);
	saved_query_run_as_owner(plan, nics, &nic, 0);
	if (SPI_processed == 0)
		refuse_nic(rel, nics, id, NULL);

	row = SPI_tuptable->vals[0];
	state = SPI_getvalue(row, SPI_tuptable->tupdesc, 3);
	its_network = DatumGetInt64(SPI_getbinval(row, SPI_tuptable->tupdesc, 2, &isnull));
	if (!DatumGetBool(SPI_getbinval(row, SPI_tuptable->tupdesc, 1, &isnull)))
		refuse_nic(rel, nics, id, state ? state : "unknown");
	if (its_network != network)
		ereport(ERROR,
				(errcode(ERRCODE_CHECK_VIOLATION),
				 errmsg("a secondary address of NIC %lld cannot be on network %lld",
						(long long) id, (long long) network),
				 may_see_rows(nics) ?
				 errdetail("The NIC is on network %lld.", (long long) its_network) :
				 errdetail("The NIC is on another network."),
				 may_see_rows(nics) ?
				 errhint("Set network_id to %lld.", (long long) its_network) :
				 errhint("Set network_id to the network of the NIC."),
				 errtableconstraint(rel, "secondary_ip_network")));
	SPI_finish();
	table_close(nics, NoLock);
}

/* Tells whether a column, a bigint or a time, differs. */
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

/*
 * Refuses a change of the identity or of the removal time of an address.
 */
static void
check_change(Relation rel, const SecondaryColumns *columns,
			 TupleTableSlot *old, TupleTableSlot *new)
{
	bool		isnull;
	long long	id = (long long) DatumGetInt64(slot_getattr(old, columns->id, &isnull));
	TimestampTz removed = DatumGetTimestampTz(slot_getattr(old, columns->removed, &isnull));

	if (differs(old, new, columns->id) || differs(old, new, columns->nic_id) ||
		differs(old, new, columns->network_id) || differs(old, new, columns->created))
		ereport(ERROR,
				(errcode(ERRCODE_CHECK_VIOLATION),
				 errmsg("id, NIC, network and creation time of secondary address %lld cannot "
						"change", id),
				 errdetail("They identify the address."),
				 errhint("Remove it (set removed), and add a new one."),
				 errtableconstraint(rel, "secondary_ip_identity_immutable")));

	if (!isnull && differs(old, new, columns->removed))
		ereport(ERROR,
				(errcode(ERRCODE_CHECK_VIOLATION),
				 errmsg("\"removed\" of secondary address %lld cannot change", id),
				 may_see_rows(rel) ?
				 errdetail("It was removed at %s.", timestamptz_to_str(removed)) :
				 errdetail("It has been removed."),
				 errhint("A removed address stays removed. Add a new one instead."),
				 errtableconstraint(rel, "secondary_ip_removed_once")));
}

/* Tells whether an address of a row differs from that of another one. */
static bool
address_differs(TupleTableSlot *old, TupleTableSlot *new, int column)
{
	bool		oldnull = true;
	bool		newnull = true;
	Datum		oldvalue = column > 0 ? slot_getattr(old, column, &oldnull) : (Datum) 0;
	Datum		newvalue = column > 0 ? slot_getattr(new, column, &newnull) : (Datum) 0;

	return oldnull != newnull ||
		(!oldnull && !datum_image_eq(oldvalue, newvalue, false, -1));
}

/*
 * Inserts the previous addresses of a row into nic_address_history, if history is
 * kept.
 */
static void
record_addresses(Relation rel, Trigger *trigger, const SecondaryColumns *columns,
				 TupleTableSlot *old)
{
	Relation	nics = open_other_table(rel, trigger, AccessShareLock);
	Oid			history = nic_table_lookup(nics)->address_history;
	int			attnums[5] = {
		columns->nic_id, 0, columns->ip4_address, columns->ip6_address, columns->id
	};
	Datum		values[5] = {0};
	char		nulls[5];
	int			i;

	for (i = 0; i < lengthof(attnums); i++)
	{
		bool		isnull = attnums[i] == 0;

		if (!isnull)
			values[i] = slot_getattr(old, attnums[i], &isnull);
		nulls[i] = isnull ? 'n' : ' ';
	}
	if (OidIsValid(history))
		history_append_addresses(rel, history, values, nulls);
	table_close(nics, NoLock);
}

/* Refuses a removal that is dated before the address was assigned. */
static void
check_removal_time(Relation rel, const SecondaryColumns *columns, TupleTableSlot *slot)
{
	bool		isnull;
	TimestampTz removed = DatumGetTimestampTz(slot_getattr(slot, columns->removed, &isnull));
	TimestampTz created;

	if (isnull || !removal_is_backdated(removed))
		return;
	created = DatumGetTimestampTz(slot_getattr(slot, columns->created, &isnull));
	if (isnull || created <= removed)
		return;

	ereport(ERROR,
			(errcode(ERRCODE_CHECK_VIOLATION),
			 errmsg("secondary address %lld cannot have been removed at %s, before it was assigned "
					"to the NIC",
					(long long) DatumGetInt64(slot_getattr(slot, columns->id, &isnull)),
					pstrdup(timestamptz_to_str(removed))),
			 may_see_rows(rel) ?
			 errdetail("It was assigned to the NIC at %s.", timestamptz_to_str(created)) :
			 errdetail("It was assigned to the NIC later."),
			 errhint("Set removed = now()."),
			 errtableconstraint(rel, "secondary_ip_removed_after_created")));
}

/*
 * Checks the rules of secondary addresses, and records which ones they were.
 *
 * An AFTER trigger on INSERT and UPDATE of all_nic_secondary_ips, for each row.
 */
PG_FUNCTION_INFO_V1(secondary_ip_guard);

Datum
secondary_ip_guard(PG_FUNCTION_ARGS)
{
	TriggerData *trigdata = trigger_call_check(fcinfo, "secondary_ip_guard",
											   TRIGGER_EVENT_AFTER, TRIGGER_EVENT_ROW,
											   GUARD_INSERT | GUARD_UPDATE);
	Relation	rel = trigdata->tg_relation;
	SecondaryColumns columns = find_columns(rel);

	if (TRIGGER_FIRED_BY_UPDATE(trigdata->tg_event))
	{
		check_change(rel, &columns, trigdata->tg_trigslot, trigdata->tg_newslot);
		if (slot_attisnull(trigdata->tg_trigslot, columns.removed))
			check_removal_time(rel, &columns, trigdata->tg_newslot);
		if (address_differs(trigdata->tg_trigslot, trigdata->tg_newslot, columns.ip4_address) ||
			address_differs(trigdata->tg_trigslot, trigdata->tg_newslot, columns.ip6_address))
			record_addresses(rel, trigdata->tg_trigger, &columns, trigdata->tg_trigslot);
	}
	else if (slot_attisnull(trigdata->tg_trigslot, columns.removed))
		check_nic(rel, trigdata->tg_trigger, &columns, trigdata->tg_trigslot);
	return PointerGetDatum(NULL);
}

/*
 * Appends the query that removes the live addresses of a NIC and returns when the
 * last of them was created.
 */
static void
remove_query(StringInfo sql, Oid relid, int column)
{
	appendStringInfoString(sql, "WITH gone AS (UPDATE ");
	append_relation_name(sql, relid);

	/*
	 * An address may have come after the transaction that removes the NIC
	 * began.
	 */
	appendStringInfoString(sql,
						   " SET removed = GREATEST($2, created)"
						   " WHERE nic_id OPERATOR(pg_catalog.=) $1"
						   " AND removed IS NULL RETURNING created)"
						   " SELECT pg_catalog.max(created) FROM gone");
}

/*
 * Removes the live addresses of a NIC, as the owner of their table, with the
 * latest snapshot.  The table's triggers fire here, so that they are run by its
 * owner, too.  Sets *last to when the last of them was assigned; returns false if
 * there were none.
 */
static bool
remove_addresses(Relation table, Datum *values, TimestampTz *last)
{
	Oid			argtypes[2] = {INT8OID, TIMESTAMPTZOID};
	RunAs		saved;
	SPIPlanPtr	plan;
	Datum		value;
	bool		isnull;

	SPI_connect();
	run_as_table_owner(table, &saved);
	plan = saved_query_lookup(QUERY_SECONDARY_REMOVE, RelationGetRelid(table), 0, remove_query,
							  2, argtypes, 0);
	if (SPI_execute_snapshot(plan, values, NULL, GetLatestSnapshot(), InvalidSnapshot,
							 false, true, 0) != SPI_OK_SELECT)
		elog(ERROR, "could not remove secondary addresses");
	value = SPI_getbinval(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, 1, &isnull);
	if (!isnull)
		*last = DatumGetTimestampTz(value);
	run_as_end(&saved);
	SPI_finish();
	return !isnull;
}

/*
 * Removes the secondary addresses of a NIC that is removed.
 *
 * An AFTER trigger on UPDATE of all_nics, for each row that is removed.
 */
PG_FUNCTION_INFO_V1(nic_secondary_ips_remove);

Datum
nic_secondary_ips_remove(PG_FUNCTION_ARGS)
{
	TriggerData *trigdata = trigger_call_check(fcinfo, "nic_secondary_ips_remove",
											   TRIGGER_EVENT_AFTER, TRIGGER_EVENT_ROW,
											   GUARD_UPDATE);
	Relation	rel = trigdata->tg_relation;
	const NicTable *nics = nic_table_lookup(rel);
	Datum		values[2];
	bool		isnull;
	Relation	table;
	TimestampTz removed;
	TimestampTz last = 0;

	values[0] = slot_getattr(trigdata->tg_newslot, nics->attnum[NIC_ID], &isnull);
	values[1] = slot_getattr(trigdata->tg_newslot, nics->attnum[NIC_REMOVED], &isnull);
	table = open_other_table(rel, trigdata->tg_trigger, RowExclusiveLock);
	(void) find_columns(table);
	if (isnull)
	{
		table_close(table, NoLock);
		return PointerGetDatum(NULL);
	}

	removed = DatumGetTimestampTz(values[1]);
	if (remove_addresses(table, values, &last) && last > removed && removal_is_backdated(removed))
		ereport(ERROR,
				(errcode(ERRCODE_CHECK_VIOLATION),
				 errmsg("NIC %lld cannot have been removed at %s, before a secondary address was "
						"assigned to it",
						(long long) DatumGetInt64(values[0]), pstrdup(timestamptz_to_str(removed))),
				 may_see_rows(table) ?
				 errdetail("The last one was assigned at %s.", timestamptz_to_str(last)) :
				 errdetail("The last one was assigned later."),
				 errhint("Set removed = now()."),
				 errtableconstraint(rel, "nic_removed_after_changes")));
	table_close(table, NoLock);
	return PointerGetDatum(NULL);
}
