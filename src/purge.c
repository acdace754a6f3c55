/*
 * purge.c
 *		The procedure that deletes for good what was removed long ago.
 *
 * NICs go first, then the instances and the networks that no NIC refers to any
 * more, in batches that commit.  The guard on deletes looks at the age of each
 * row once more.
 */
#include "compat.h"

#include "access/xact.h"
#include "catalog/namespace.h"
#include "catalog/pg_type.h"
#include "miscadmin.h"
#include "nodes/parsenodes.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/resowner.h"
#include "utils/timestamp.h"

#include "vmnet_ext.h"

PG_FUNCTION_INFO_V1(purge_inventory);

typedef struct Purge
{
	char	   *inventory;		/* name of the schema */
	char	   *schema;			/* the same, quoted */
	TimestampTz before;
	int32		batch_size;
	bool		with_history;
	bool		atomic;			/* inside a transaction block: no commits */
	int64		kept;			/* rows that something else refers to */
} Purge;

/* What is purged, in this order. */
static const struct
{
	const char *table;
	const char *name;
	const char *referring;		/* column of all_nics that refers to it */
}			purged[] = {
	{"all_nics", "NICs", NULL},
	{"all_instances", "instances", "instance_id"},
	{"all_networks", "networks", "network_id"}
};

static void
check_arguments(FunctionCallInfo fcinfo)
{
	if (PG_ARGISNULL(1))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("say before which time what is purged was removed"),
				 errdetail("The second argument is NULL."),
				 errhint("CALL vmnet.purge_inventory('cloud', now() - interval '1 year');")));
	if (PG_GETARG_TIMESTAMPTZ(1) > GetCurrentTimestamp())
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("\"before\" must not be in the future"),
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

/* Only the owner of a managed inventory purges it. */
static void
check_purge(const Purge *purge)
{
	Oid			schema = get_namespace_oid(purge->inventory, false);
	InventoryInfo info;
	int			i;

	if (!inventory_info(schema, &info) || strcmp(info.kind, "managed") != 0)
	{
		bool		attached = info.kind && strcmp(info.kind, "attached") == 0;

		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("inventory \"%s\" is not a managed one", purge->inventory),
				 attached ? errdetail("It shows what tables of your own hold.") :
				 errdetail("It holds what its source holds."),
				 attached ? errhint("Delete what is removed from these tables: their guards let it go.") :
				 errhint("Purge the source%s.", info.kind && strcmp(info.kind, "live") == 0 ? "" :
						 ", and run vmnet.import_cloudstack() again")));
	}

	for (i = 0; i < lengthof(purged); i++)
	{
		Oid			relid = get_relname_relid(purged[i].table, schema);

		if (!OidIsValid(relid) || !relation_ownercheck(relid, GetUserId()))
			aclcheck_error(ACLCHECK_NOT_OWNER, OBJECT_SCHEMA, purge->inventory);
	}
}

/*
 * The next ids that can go, after one id; NULL where there are none.  The
 * array is the caller's.
 */
static ArrayType *
next_ids(const Purge *purge, int what, int64 after)
{
	Oid			argtypes[3] = {INT8OID, TIMESTAMPTZOID, INT4OID};
	Datum		values[3];
	StringInfoData sql;
	ArrayType  *ids = NULL;
	bool		isnull;
	Datum		value;

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
	appendStringInfoString(&sql, " ORDER BY t.id LIMIT $3) d");

	values[0] = Int64GetDatum(after);
	values[1] = TimestampTzGetDatum(purge->before);
	values[2] = Int32GetDatum(purge->batch_size);
	if (SPI_execute_with_args(sql.data, 3, argtypes, values, NULL, false, 1) != SPI_OK_SELECT)
		elog(ERROR, "could not look for what to purge");
	value = SPI_getbinval(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, 1, &isnull);
	if (!isnull)
		ids = DatumGetArrayTypePCopy(value);
	SPI_freetuptable(SPI_tuptable);
	return ids;
}

static int64
delete_rows(const Purge *purge, const char *table, const char *column, Datum ids)
{
	Oid			argtypes[1] = {INT8ARRAYOID};
	char	   *sql = psprintf("DELETE FROM %s.%s WHERE %s OPERATOR(pg_catalog.=) ANY ($1)",
							   purge->schema, table, column);

	if (SPI_execute_with_args(sql, 1, argtypes, &ids, NULL, false, 0) != SPI_OK_DELETE)
		elog(ERROR, "could not delete from inventory \"%s\"", purge->inventory);
	return (int64) SPI_processed;
}

/* Deletes rows by id, the only thing that the permit is open for. */
static int64
purge_rows(const Purge *purge, int what, Datum ids)
{
	volatile int64 count = 0;

	permit_open_purge(get_namespace_oid(purge->inventory, false), purge->before);
	PG_TRY();
	{
		/* They were removed with their NIC, and refer to it. */
		if (purged[what].referring == NULL)
			(void) delete_rows(purge, "all_nic_secondary_ips", "nic_id", ids);
		count = delete_rows(purge, purged[what].table, "id", ids);
	}
	PG_FINALLY();
	{
		permit_close();
	}
	PG_END_TRY();

	/* A reference that is to be looked at later is looked at now. */
	if (SPI_execute("SET CONSTRAINTS ALL IMMEDIATE", false, 0) != SPI_OK_UTILITY)
		elog(ERROR, "could not look at references");

	if (purged[what].referring == NULL)
	{
		(void) delete_rows(purge, "nic_address_history", "nic_id", ids);
		if (purge->with_history)
			(void) delete_rows(purge, "nic_history", "nic_id", ids);
	}
	return count;
}

/*
 * The same, as a whole or not at all: -1 where something else, a table of
 * somebody's say, refers to one of the rows.
 */
static int64
try_purge_rows(const Purge *purge, int what, Datum ids)
{
	MemoryContext context = CurrentMemoryContext;
	ResourceOwner owner = CurrentResourceOwner;
	volatile int64 count = -1;

	BeginInternalSubTransaction(NULL);
	MemoryContextSwitchTo(context);
	PG_TRY();
	{
		count = purge_rows(purge, what, ids);
		ReleaseCurrentSubTransaction();
	}
	PG_CATCH();
	{
		int			code = geterrcode();

		if (code != ERRCODE_FOREIGN_KEY_VIOLATION && code != ERRCODE_RESTRICT_VIOLATION)
			PG_RE_THROW();
		MemoryContextSwitchTo(context);
		FlushErrorState();
		RollbackAndReleaseCurrentSubTransaction();
	}
	PG_END_TRY();
	MemoryContextSwitchTo(context);
	CurrentResourceOwner = owner;
	return count;
}

/* Deletes what of a batch nothing refers to. */
static int64
purge_batch(Purge *purge, int what, ArrayType *ids)
{
	int64		count = try_purge_rows(purge, what, PointerGetDatum(ids));
	Datum	   *elements;
	int			n;
	int			i;

	if (count >= 0)
		return count;

	count = 0;
	deconstruct_array(ids, INT8OID, sizeof(int64), FLOAT8PASSBYVAL, TYPALIGN_DOUBLE,
					  &elements, NULL, &n);
	for (i = 0; i < n; i++)
	{
		Datum		one = PointerGetDatum(construct_array(&elements[i], 1, INT8OID,
														  sizeof(int64), FLOAT8PASSBYVAL,
														  TYPALIGN_DOUBLE));
		int64		done = try_purge_rows(purge, what, one);

		CHECK_FOR_INTERRUPTS();
		if (done < 0)
			purge->kept++;
		else
			count += done;
	}
	return count;
}

static int64
last_id(ArrayType *ids)
{
	return ((int64 *) ARR_DATA_PTR(ids))[ArrayGetNItems(ARR_NDIM(ids), ARR_DIMS(ids)) - 1];
}

/* Purges one table, batch by batch. */
static int64
purge_table(Purge *purge, int what)
{
	int64		after = PG_INT64_MIN;
	int64		total = 0;
	ArrayType  *ids;

	for (;;)
	{
		Oid			user;
		int			context;
		int64		count = 0;

		/* A policy that the owner has forced on himself hides nothing here. */
		GetUserIdAndSecContext(&user, &context);
		SetUserIdAndSecContext(user, context | SECURITY_NOFORCE_RLS);
		check_purge(purge);
		ids = next_ids(purge, what, after);
		if (ids)
			count = purge_batch(purge, what, ids);
		SetUserIdAndSecContext(user, context);
		if (ids == NULL)
			return total;

		after = last_id(ids);
		total += count;
		pfree(ids);
		if (!purge->atomic)
			SPI_commit();
		ereport(NOTICE,
				(errmsg("inventory \"%s\": purged " INT64_FORMAT " %s, " INT64_FORMAT " in all",
						purge->inventory, count, purged[what].name, total)));
	}
}

/*
 * purge_inventory(inventory, before, batch_size, purge_history)
 */
Datum
purge_inventory(PG_FUNCTION_ARGS)
{
	Purge		purge = {0};
	int64		totals[lengthof(purged)];
	int			i;

	/* Commits take place only where the CALL is a statement of its own. */
	purge.atomic = !(fcinfo->context && IsA(fcinfo->context, CallContext) &&
					 !castNode(CallContext, fcinfo->context)->atomic);
	check_arguments(fcinfo);

	if (SPI_connect_ext(purge.atomic ? 0 : SPI_OPT_NONATOMIC) != SPI_OK_CONNECT)
		elog(ERROR, "SPI_connect_ext failed");

	/* These live until SPI_finish(), commits or not. */
	purge.inventory = pstrdup(get_namespace_name(inventory_resolve_arg(fcinfo, 0)));
	purge.schema = pstrdup(quote_identifier(purge.inventory));
	purge.before = PG_GETARG_TIMESTAMPTZ(1);
	purge.batch_size = PG_GETARG_INT32(2);
	purge.with_history = !PG_ARGISNULL(3) && PG_GETARG_BOOL(3);

	check_purge(&purge);
	for (i = 0; i < lengthof(purged); i++)
		totals[i] = purge_table(&purge, i);

	ereport(NOTICE,
			(errmsg("inventory \"%s\": purged " INT64_FORMAT " NICs, " INT64_FORMAT
					" instances, " INT64_FORMAT " networks; " INT64_FORMAT
					" rows stay since something else refers to them",
					purge.inventory, totals[0], totals[1], totals[2], purge.kept)));
	SPI_finish();
	PG_RETURN_VOID();
}
