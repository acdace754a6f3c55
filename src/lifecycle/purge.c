/*
 * purge.c
 *		The procedure that deletes rows that were removed before a given time.
 *
 * NICs are deleted first, then the instances and the networks that no NIC refers
 * to, in batches that commit.  In a mirror only rows are deleted that its source
 * has no more: an import would bring back the others.  The guard on deletes checks
 * the age of each row again.  Each batch runs as the owner of the inventory, whose
 * triggers and policies it executes.
 */
#include "postgres.h"

#include "access/xact.h"
#include "catalog/namespace.h"
#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "lib/stringinfo.h"
#include "miscadmin.h"
#include "nodes/parsenodes.h"
#include "storage/lmgr.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/timestamp.h"

#include "compat.h"
#include "core/counted.h"
#include "core/inventory.h"
#include "core/run_as.h"
#include "core/subtransaction.h"
#include "lifecycle/bulk_write.h"
#include "nic/guard_bypass.h"

typedef struct Purge
{
	char	   *inventory;		/* name of the schema */
	char	   *schema;			/* the same, quoted */
	Oid			nsp;			/* of this batch */
	TimestampTz before;
	int32		batch_size;
	bool		with_history;
	bool		mirror;			/* only rows that the source has no more */
	bool		former;			/* ids may have had earlier rows */
	bool		atomic;			/* inside a transaction block: no commits */
	int64		kept;			/* rows that other rows refer to */
} Purge;

/* Rows of one table. */
typedef struct Batch
{
	const Purge *purge;
	int			what;			/* of purged[] */
	int64	   *ids;
	int			count;
	int64		deleted;
} Batch;

/*
 * The tables that are purged, in this order: the first one for itself only in a
 * mirror, else with its NICs.
 */
static const struct
{
	const char *table;
	const char *relation;		/* as import_vanished and former_rows have it */
	const char *one;
	const char *several;
	const char *referring;		/* column of all_nics that refers to it */
}			purged[] = {
	{"all_nic_secondary_ips", "nic_secondary_ips", "secondary address", "secondary addresses"},
	{"all_nics", "nics", "NIC", "NICs", NULL},
	{"all_instances", "instances", "instance", "instances", "instance_id"},
	{"all_networks", "networks", "network", "networks", "network_id"},
	{"all_ip_addresses", "ip_addresses", "address of networks", "addresses of networks", NULL},
	{"all_ip_ranges", "ip_ranges", "range of addresses", "ranges of addresses", NULL}
};

/* Tables of the past of ids that had earlier rows, and when a row of them ends. */
static const struct
{
	const char *table;
	const char *end;
}			former[] = {
	{"former_nic_intervals", "\"to\""},
	{"former_nic_addresses", "\"to\""},
	{"former_rows", "until"}
};

/* Tables of the past of what was observed, and when a row of them ends. */
static const struct
{
	const char *table;
	const char *end;
}			observed[] = {
	{"sighting_history", "gone_since"},
	{"observation_log", "at"}
};

/* Raises an error for an invalid argument. */
static void
check_arguments(FunctionCallInfo fcinfo)
{
	if (PG_ARGISNULL(1))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("argument \"before\" of purge_inventory must not be null"),
				 errdetail("The second argument is NULL."),
				 errhint("CALL vmnet.purge_inventory('cloud', now() - interval '1 year');")));
	if (PG_GETARG_TIMESTAMPTZ(1) > GetCurrentTimestamp())
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("argument \"before\" of purge_inventory must not be in the future"),
				 errdetail("It is %s.", timestamptz_to_str(PG_GETARG_TIMESTAMPTZ(1))),
				 errhint("CALL vmnet.purge_inventory('cloud', now() - interval '1 year');")));
	if (PG_ARGISNULL(2) || PG_GETARG_INT32(2) < 1)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("batch_size must be at least 1"),
				 PG_ARGISNULL(2) ? errdetail("It is NULL.") :
				 errdetail("It is %d.", PG_GETARG_INT32(2)),
				 errhint("Leave it out for batches of 10000 rows.")));
}

/*
 * Raises an error unless the inventory is a managed one or a mirror, and the caller
 * has the rights of its owner.  Called after each commit, since both may change.
 *
 * An import into a mirror is kept out until the transaction ends: the source may
 * have a row again.
 */
static void
check_purge(Purge *purge)
{
	Oid			schema = get_namespace_oid(purge->inventory, false);
	InventoryInfo info;

	if (!inventory_info(schema, &info) ||
		(strcmp(info.kind, "managed") != 0 && strcmp(info.kind, "mirror") != 0))
	{
		bool		attached = info.kind && strcmp(info.kind, "attached") == 0;

		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("inventory \"%s\" is neither a managed one nor a mirror",
						purge->inventory),
				 attached ? errdetail("It shows the rows of tables that another application "
									  "maintains.") :
				 errdetail("It shows the rows of its source."),
				 attached ? errhint("Delete the removed rows from these tables; their guards "
									"allow it.") :
				 errhint("Purge the source.")));
	}
	require_owner_rights(schema);
	require_inventory_tables(schema);
	purge->nsp = schema;
	purge->mirror = strcmp(info.kind, "mirror") == 0;
	purge->former = OidIsValid(get_relname_relid("former_rows", schema));
	if (purge->mirror)
	{
		require_ordinary_table(schema, "import_runs");
		require_ordinary_table(schema, "import_vanished");
		require_ordinary_table(schema, "import_states");
		LockRelationOid(get_relname_relid("import_runs", schema), ShareUpdateExclusiveLock);
	}
}

/* Makes an array of ids, in the current memory context. */
static Datum
id_array(int64 *ids, int count)
{
	Datum	   *elements = palloc(sizeof(Datum) * count);
	int			i;

	for (i = 0; i < count; i++)
		elements[i] = Int64GetDatum(ids[i]);
	return PointerGetDatum(construct_array(elements, count, INT8OID, sizeof(int64),
										   FLOAT8PASSBYVAL, TYPALIGN_DOUBLE));
}

/*
 * Copies the ids of an array into the batch.
 */
static void
collect_ids(Batch *batch, Datum array)
{
	Datum	   *elements;
	bool	   *nulls;
	int			i;

	deconstruct_array(DatumGetArrayTypeP(array), INT8OID, sizeof(int64),
					  FLOAT8PASSBYVAL, TYPALIGN_DOUBLE, &elements, &nulls, &batch->count);
	batch->ids = palloc(sizeof(int64) * batch->count);
	for (i = 0; i < batch->count; i++)
	{
		if (nulls[i])
			elog(ERROR, "an id is NULL");
		batch->ids[i] = DatumGetInt64(elements[i]);
	}
}

/* Appends the condition that the source of a mirror has a row of a table no more. */
static void
append_vanished(StringInfo sql, const Purge *purge, int what, const char *negation)
{
	appendStringInfo(sql,
					 " AND %sEXISTS (SELECT FROM %s.import_vanished v"
					 " WHERE v.relation OPERATOR(pg_catalog.=) '%s'"
					 " AND v.id OPERATOR(pg_catalog.=) t.id)",
					 negation, purge->schema, purged[what].relation);
}

/*
 * Finds the next ids that can be deleted, after one id.  The batch is empty if
 * there are none; its ids are in the current memory context.
 */
static void
next_ids(const Purge *purge, int what, int64 after, Batch *batch)
{
	Oid			argtypes[3] = {INT8OID, TIMESTAMPTZOID, INT4OID};
	Datum		values[3];
	StringInfoData sql;
	bool		isnull;
	Datum		value;

	if (what == 0 && !purge->mirror)
		return;

	initStringInfo(&sql);
	appendStringInfo(&sql,
					 "SELECT pg_catalog.array_agg(d.id ORDER BY d.id)"
					 " FROM (SELECT t.id FROM %s.%s t"
					 " WHERE t.id OPERATOR(pg_catalog.>) $1"
					 " AND t.removed OPERATOR(pg_catalog.<) $2",
					 purge->schema, purged[what].table);
	if (purged[what].referring)
		appendStringInfo(&sql,
						 " AND NOT EXISTS (SELECT FROM %s.all_nics n"
						 " WHERE n.%s OPERATOR(pg_catalog.=) t.id)",
						 purge->schema, purged[what].referring);
	if (purge->mirror)
		append_vanished(&sql, purge, what, "");
	appendStringInfoString(&sql, " ORDER BY t.id LIMIT $3) d");

	values[0] = Int64GetDatum(after);
	values[1] = TimestampTzGetDatum(purge->before);
	values[2] = Int32GetDatum(purge->batch_size);
	if (SPI_execute_with_args(sql.data, 3, argtypes, values, NULL, false, 1) != SPI_OK_SELECT ||
		SPI_gettypeid(SPI_tuptable->tupdesc, 1) != INT8ARRAYOID)
		elog(ERROR, "could not look for what to purge");
	value = SPI_getbinval(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, 1, &isnull);
	if (!isnull)
		collect_ids(batch, value);
	SPI_freetuptable(SPI_tuptable);
}

/* Deletes the rows whose column has one of these ids; condition is added. */
static int64
delete_rows(const Purge *purge, const char *table, const char *column, Datum ids,
			const char *condition)
{
	Oid			argtypes[1] = {INT8ARRAYOID};

	return bulk_write(psprintf("DELETE FROM %s.%s t WHERE t.%s OPERATOR(pg_catalog.=) ANY ($1)%s",
							   purge->schema, table, column, condition),
					  SPI_OK_DELETE, purge->nsp, table, 1, argtypes, &ids);
}

/*
 * Deletes what is known of the ids of rows that were deleted: that the source of a
 * mirror has them no more, and earlier rows.
 */
static void
forget_ids(const Purge *purge, int what, Datum ids)
{
	char	   *gone = psprintf(" AND t.relation OPERATOR(pg_catalog.=) '%s'"
								" AND NOT EXISTS (SELECT FROM %s.%s n"
								" WHERE n.id OPERATOR(pg_catalog.=) t.id)",
								purged[what].relation, purge->schema, purged[what].table);

	if (purge->mirror)
	{
		(void) delete_rows(purge, "import_vanished", "id", ids, gone);
		(void) delete_rows(purge, "import_states", "id", ids, gone);
	}
	if (purge->former)
		(void) delete_rows(purge, "former_rows", "id", ids, gone);
}

/*
 * Deletes the history of NICs, or of secondary addresses, that were deleted.
 */
static void
forget_history(const Purge *purge, int what, Datum ids)
{
	bool		nics = strcmp(purged[what].table, "all_nics") == 0;
	const char *column = nics ? "nic_id" : "secondary_ip_id";

	/* A trigger of a user can have kept a row. */
	char	   *gone = psprintf(" AND NOT EXISTS (SELECT FROM %s.%s n"
								" WHERE n.id OPERATOR(pg_catalog.=) t.%s)",
								purge->schema, purged[what].table, column);

	(void) delete_rows(purge, "nic_address_history", column, ids, gone);
	if (purge->former)
		(void) delete_rows(purge, "former_nic_addresses", column, ids, gone);
	if (purge->former && nics)
		(void) delete_rows(purge, "former_nic_intervals", column, ids, gone);
	if (purge->with_history && nics)
		(void) delete_rows(purge, "nic_history", column, ids, gone);
}

/*
 * Deletes the rows of a batch, and the history of NICs and secondary addresses that
 * are deleted.  The guards are bypassed only for these statements.
 */
static void
purge_rows(void *arg)
{
	Batch	   *batch = (Batch *) arg;
	const Purge *purge = batch->purge;
	const char *table = purged[batch->what].table;
	Datum		ids = id_array(batch->ids, batch->count);

	guard_bypass_begin_purge(purge->nsp, purge->before);
	/* They were removed with their NIC, and refer to it. */
	if (strcmp(table, "all_nics") == 0)
		(void) delete_rows(purge, "all_nic_secondary_ips", "nic_id", ids, "");
	batch->deleted = delete_rows(purge, table, "id", ids, "");
	guard_bypass_end();
	forget_ids(purge, batch->what, ids);
	if (strcmp(table, "all_nics") == 0 || strcmp(table, "all_nic_secondary_ips") == 0)
		forget_history(purge, batch->what, ids);
}

/*
 * Deletes the rows of a batch in a subtransaction; false if another table's
 * foreign key or a guard refers to one of the rows.  Any other error is rethrown.
 */
static bool
try_purge_rows(Batch *batch)
{
	ErrorData  *edata = run_in_subtransaction(purge_rows, batch);

	if (edata == NULL)
		return true;
	if (edata->sqlerrcode != ERRCODE_FOREIGN_KEY_VIOLATION &&
		edata->sqlerrcode != ERRCODE_RESTRICT_VIOLATION)
		ReThrowError(edata);
	FreeErrorData(edata);
	return false;
}

/* Deletes the rows of a batch that no row refers to; returns their number. */
static int64
purge_batch(Purge *purge, Batch *batch)
{
	int64		deleted = 0;
	int			i;

	if (try_purge_rows(batch))
		return batch->deleted;

	for (i = 0; i < batch->count; i++)
	{
		Batch		one = *batch;

		CHECK_FOR_INTERRUPTS();
		one.ids = &batch->ids[i];
		one.count = 1;
		if (try_purge_rows(&one))
			deleted += one.deleted;
		else
			purge->kept++;
	}
	return deleted;
}

/* The part of a purge that one transaction does. */
typedef struct PurgeStep
{
	Purge	   *purge;
	int			what;			/* of purged[] */
	int64		after;			/* id of the last row that was looked at */
	bool		done;			/* was it the last one of the table? */
	int64		rows;			/* deleted, or that stay */
} PurgeStep;

/*
 * Purges the next batch of a table, as the owner of the inventory.
 */
static void
purge_next(void *arg)
{
	PurgeStep  *step = (PurgeStep *) arg;
	Purge	   *purge = step->purge;
	Batch		batch = {0};
	RunAs		saved;

	check_purge(purge);
	check_references_at_once(purge->nsp);
	batch.purge = purge;
	batch.what = step->what;

	run_as_inventory_owner_unforced(purge->nsp, &saved);
	next_ids(purge, step->what, step->after, &batch);
	if (batch.count > 0)
		step->rows = purge_batch(purge, &batch);
	run_as_end(&saved);

	step->done = batch.count == 0;
	if (!step->done)
		step->after = batch.ids[batch.count - 1];
}

/* Returns a number of rows of a table in words, as "2 NICs". */
static char *
counted_rows(int what, int64 number)
{
	return counted(number, purged[what].one, purged[what].several);
}

/*
 * Deletes the next rows of what was observed before the time of the purge; of an
 * inventory that takes no observations there are none.  what is of observed[].
 */
static void
purge_observed_next(void *arg)
{
	PurgeStep  *step = (PurgeStep *) arg;
	Purge	   *purge = step->purge;
	const char *table = observed[step->what].table;
	const char *end = observed[step->what].end;
	Oid			argtypes[2] = {TIMESTAMPTZOID, INT4OID};
	Datum		values[2];
	RunAs		saved;

	check_purge(purge);
	step->rows = 0;
	if (OidIsValid(get_relname_relid("sightings", purge->nsp)) &&
		OidIsValid(get_relname_relid(table, purge->nsp)))
	{
		require_ordinary_table(purge->nsp, table);
		values[0] = TimestampTzGetDatum(purge->before);
		values[1] = Int32GetDatum(purge->batch_size);
		run_as_inventory_owner_unforced(purge->nsp, &saved);
		step->rows = bulk_write(psprintf("DELETE FROM %1$s.%2$s t"
										 " WHERE t.id OPERATOR(pg_catalog.=) ANY (ARRAY("
										 "SELECT o.id FROM %1$s.%2$s o"
										 " WHERE o.%3$s OPERATOR(pg_catalog.<) $1 LIMIT $2))"
										 " AND t.%3$s OPERATOR(pg_catalog.<) $1",
										 purge->schema, table, end),
								SPI_OK_DELETE, purge->nsp, table, 2, argtypes, values);
		run_as_end(&saved);
	}
	step->done = step->rows == 0;
}

/* Purges what was observed, batch by batch; returns the number of rows. */
static int64
purge_observed(Purge *purge)
{
	PurgeStep	step = {.purge = purge};
	int64		total = 0;

	for (step.what = 0; step.what < lengthof(observed); step.what++)
	{
		do
		{
			CHECK_FOR_INTERRUPTS();
			run_with_clean_context(purge_observed_next, &step, true, NULL);
			total += step.rows;
			if (!purge->atomic)
				SPI_commit();
		} while (!step.done);
	}
	return total;
}

/* Purges one table, batch by batch. */
static int64
purge_table(Purge *purge, int what)
{
	MemoryContext context = AllocSetContextCreate(CurrentMemoryContext, "vmnet purge",
												  ALLOCSET_DEFAULT_SIZES);
	PurgeStep	step = {.purge = purge,.what = what,.after = PG_INT64_MIN};
	int64		total = 0;

	for (;;)
	{
		MemoryContext old = MemoryContextSwitchTo(context);

		run_with_clean_context(purge_next, &step, true, NULL);
		MemoryContextSwitchTo(old);
		MemoryContextReset(context);
		if (step.done)
			break;

		total += step.rows;
		if (!purge->atomic)
			SPI_commit();
		ereport(NOTICE,
				(errmsg("inventory \"%s\": purged %s, " INT64_FORMAT " in all",
						purge->inventory, counted_rows(what, step.rows), total)));
	}
	MemoryContextDelete(context);
	return total;
}

/*
 * Deletes earlier rows of ids that ended before the time of the purge, and counts
 * the rows that stay in a mirror since its source has them.
 */
static void
purge_former(void *arg)
{
	PurgeStep  *step = (PurgeStep *) arg;
	Purge	   *purge = step->purge;
	Oid			argtypes[1] = {TIMESTAMPTZOID};
	Datum		values[1];
	RunAs		saved;
	int			i;

	check_purge(purge);
	values[0] = TimestampTzGetDatum(purge->before);
	run_as_inventory_owner_unforced(purge->nsp, &saved);
	for (i = 0; purge->former && i < lengthof(former); i++)
		(void) bulk_write(psprintf("DELETE FROM %s.%s t WHERE t.%s OPERATOR(pg_catalog.<) $1",
								   purge->schema, former[i].table, former[i].end),
						  SPI_OK_DELETE, purge->nsp, former[i].table, 1, argtypes, values);
	for (i = 0; purge->mirror && i < lengthof(purged); i++)
	{
		StringInfoData sql;
		bool		isnull;

		initStringInfo(&sql);
		appendStringInfo(&sql, "SELECT pg_catalog.count(*) FROM %s.%s t"
						 " WHERE t.removed OPERATOR(pg_catalog.<) $1",
						 purge->schema, purged[i].table);
		append_vanished(&sql, purge, i, "NOT ");
		if (SPI_execute_with_args(sql.data, 1, argtypes, values, NULL, false, 1) != SPI_OK_SELECT)
			elog(ERROR, "could not count what stays");
		step->rows += DatumGetInt64(SPI_getbinval(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, 1,
												  &isnull));
		SPI_freetuptable(SPI_tuptable);
	}
	run_as_end(&saved);
}

/*
 * Purges an inventory.
 *
 * The procedure purge_inventory(inventory, before, batch_size, purge_history).
 */
PG_FUNCTION_INFO_V1(purge_inventory);

Datum
purge_inventory(PG_FUNCTION_ARGS)
{
	Purge		purge = {0};
	int64		totals[lengthof(purged)];
	PurgeStep	rest = {.purge = &purge};
	int64		observations = 0;
	int			i;

	/* Commits are possible only if the CALL is not in a transaction block. */
	purge.atomic = !(fcinfo->context && IsA(fcinfo->context, CallContext) &&
					 !castNode(CallContext, fcinfo->context)->atomic);
	check_arguments(fcinfo);

	if (SPI_connect_ext(purge.atomic ? 0 : SPI_OPT_NONATOMIC) != SPI_OK_CONNECT)
		elog(ERROR, "SPI_connect_ext failed");

	/* Valid until SPI_finish(), also after commits. */
	purge.inventory = pstrdup(require_namespace_name(inventory_resolve_arg(fcinfo, 0)));
	purge.schema = pstrdup(quote_identifier(purge.inventory));
	purge.before = PG_GETARG_TIMESTAMPTZ(1);
	purge.batch_size = PG_GETARG_INT32(2);
	purge.with_history = !PG_ARGISNULL(3) && PG_GETARG_BOOL(3);

	for (i = 0; i < lengthof(purged); i++)
		totals[i] = purge_table(&purge, i);
	run_with_clean_context(purge_former, &rest, true, NULL);
	if (!purge.atomic)
		SPI_commit();
	if (purge.with_history)
		observations = purge_observed(&purge);

	ereport(NOTICE,
			(errmsg("inventory \"%s\": purged %s, %s, %s; %s",
					purge.inventory, counted_rows(1, totals[1]), counted_rows(2, totals[2]),
					counted_rows(3, totals[3]),
					counted(purge.kept, "row was kept because other rows refer to it",
							"rows were kept because other rows refer to them"))));
	if (purge.mirror)
		ereport(NOTICE,
				(errmsg("mirror \"%s\": purged %s; %s",
						purge.inventory, counted_rows(0, totals[0]),
						counted(rest.rows, "removed row was kept because its source has it",
								"removed rows were kept because its source has them"))));
	if (observations > 0)
		ereport(NOTICE,
				(errmsg("inventory \"%s\": purged %s", purge.inventory,
						counted(observations, "row of what was observed",
								"rows of what was observed"))));
	SPI_finish();
	PG_RETURN_VOID();
}
