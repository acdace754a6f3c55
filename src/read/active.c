/*
 * active.c
 *		The read functions: which instances and NICs are active where.
 *
 * They read only the canonical views of one inventory, with the caller's
 * snapshot, take no lock and write nothing.  They run with the rights of the
 * owner of the inventory if the caller has these, otherwise with the caller's:
 * see run_as.c.
 * Each query is saved per inventory, as a generic plan: planning it costs more
 * than reading a network of a hundred NICs.
 */
#include "postgres.h"

#include "access/relation.h"
#include "access/tupconvert.h"
#include "catalog/pg_type.h"
#include "executor/executor.h"
#include "executor/spi.h"
#include "executor/tstoreReceiver.h"
#include "executor/tuptable.h"
#include "funcapi.h"
#include "lib/stringinfo.h"
#include "nodes/params.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"
#include "utils/tuplestore.h"

#include "compat.h"
#include "attach/attached_columns.h"
#include "core/age.h"
#include "core/inventory.h"
#include "core/outsider.h"
#include "core/run_as.h"
#include "core/saved_query.h"
#include "nic/address_check.h"
#include "read/active.h"

typedef enum ReadKind
{
	READ_NETWORK_INSTANCES = QUERY_READ,
	READ_NETWORK_NICS,
	READ_INSTANCE_NETWORKS,
	READ_VPC_INSTANCES,
	READ_INSTANCE_COUNT,
	READ_IN_USE,
	READ_NETWORK_ID,
	READ_INSTANCE_ID
} ReadKind;

/*
 * The queries.  Every %s is the quoted name of the inventory; operators are
 * qualified since the search path is that of the caller.
 */

/*
 * All NICs of a network in the order of their instances, from an index;
 * CollapseReceiver makes one row per instance of them.
 *
 * A saved plan has to suit a network of any size, and tables that were empty
 * when it was made.  So the queries leave the planner no choice that
 * reads more than the network: ordering by both columns of the index of active
 * NICs, with the network as a list or a range (which does not fix its value for
 * the planner, so that the order is useful), selects that index;
 * OFFSET 0 has the instance fetched for each NIC; and a LIMIT that is known
 * only at run time, and is always NULL, tells the planner that the reader may stop
 * early.
 * That the network is live is asked where its id is taken from: as a condition of
 * its own it would be a node above the join, which projects every row once more.
 * The last column is there to be sorted by, without a junk filter for each row.
 */
static const char network_instances_sql[] =
"SELECT n.instance_id, i.uuid, i.name, i.type, i.state, 1::pg_catalog.int8,"
" n.id, n.state, n.device_id, n.default_nic, n.mac_address, n.ip4_address, n.ip6_address,"
" n.network_id"
" FROM %s.nics n, LATERAL (SELECT uuid, name, type, state FROM %s.instances"
"  WHERE id OPERATOR(pg_catalog.=) n.instance_id OFFSET 0) i"
" WHERE n.network_id OPERATOR(pg_catalog.=) ANY (ARRAY["
"  (SELECT $1 FROM %s.networks WHERE id OPERATOR(pg_catalog.=) $1 LIMIT 1)])"
" AND n.instance_id OPERATOR(pg_catalog.>=) $2"
" ORDER BY n.network_id, n.instance_id LIMIT (SELECT $3)";

static const char network_nics_sql[] =
"SELECT n.id, n.uuid, n.state, n.vm_type, n.instance_id, i.uuid, i.name, i.type, i.state,"
" n.device_id, n.default_nic, n.mac_address, n.ip4_address, n.ip6_address,"
" n.created, n.state_changed"
" FROM %s.nics n LEFT JOIN LATERAL (SELECT id, uuid, name, type, state FROM %s.instances"
"  WHERE id OPERATOR(pg_catalog.=) n.instance_id OFFSET 0) i ON true"
" WHERE n.network_id OPERATOR(pg_catalog.>=) $1 AND n.network_id OPERATOR(pg_catalog.<=) $1"
" AND (n.instance_id IS NULL OR i.id IS NOT NULL)"
" AND EXISTS (SELECT 1 FROM %s.networks WHERE id OPERATOR(pg_catalog.=) $1)"
" ORDER BY n.id";

static const char instance_networks_sql[] =
"SELECT network_id, network_uuid, network_name, network_state, traffic_type, guest_type,"
" nic_count, nic_id, nic_state, device_id, default_nic, mac_address, ip4_address, ip6_address"
" FROM %s.network_instances"
" WHERE instance_id OPERATOR(pg_catalog.=) $1 ORDER BY network_id";

static const char vpc_instances_sql[] =
"SELECT instance_id, instance_uuid, instance_name, instance_type, instance_state,"
" network_count, nic_count"
" FROM %s.vpc_instances"
" WHERE vpc_id OPERATOR(pg_catalog.=) $1 ORDER BY instance_id";

static const char instance_count_sql[] =
"SELECT pg_catalog.count(DISTINCT n.instance_id)"
" FROM %s.nics n, LATERAL (SELECT 1 FROM %s.instances"
"  WHERE id OPERATOR(pg_catalog.=) n.instance_id OFFSET 0) i"
" WHERE n.network_id OPERATOR(pg_catalog.>=) $1 AND n.network_id OPERATOR(pg_catalog.<=) $1"
" AND EXISTS (SELECT 1 FROM %s.networks WHERE id OPERATOR(pg_catalog.=) $1)";

static const char in_use_sql[] =
"SELECT EXISTS (SELECT 1 FROM %s.networks WHERE id OPERATOR(pg_catalog.=) $1)"
" AND ((SELECT true FROM %s.all_nics n"
"  WHERE n.network_id OPERATOR(pg_catalog.>=) $1 AND n.network_id OPERATOR(pg_catalog.<=) $1"
"  AND n.active ORDER BY n.network_id, n.instance_id LIMIT 1) IS NOT NULL"
" OR (SELECT true FROM %s.all_nics n"
"  WHERE n.network_id OPERATOR(pg_catalog.>=) $1 AND n.network_id OPERATOR(pg_catalog.<=) $1"
"  AND n.removed IS NULL AND NOT n.active ORDER BY n.network_id LIMIT 1) IS NOT NULL)";

static const char network_id_sql[] =
"SELECT id FROM %s.networks WHERE uuid OPERATOR(pg_catalog.=) $1";

static const char instance_id_sql[] =
"SELECT id FROM %s.instances WHERE uuid OPERATOR(pg_catalog.=) $1";

/*
 * The same for another system's tables: joined as sets, since fetching an
 * instance for each NIC would send one query to that system for each.
 */
static const char live_network_instances_sql[] =
"SELECT instance_id, instance_uuid, instance_name, instance_type, instance_state, nic_count,"
" nic_id, nic_state, device_id, default_nic, mac_address, ip4_address, ip6_address"
" FROM %s.network_instances"
" WHERE network_id OPERATOR(pg_catalog.=) $1 AND instance_id OPERATOR(pg_catalog.>=) $2"
" ORDER BY instance_id";

static const char live_network_nics_sql[] =
"SELECT n.id, n.uuid, n.state, n.vm_type, n.instance_id, i.uuid, i.name, i.type, i.state,"
" n.device_id, n.default_nic, n.mac_address, n.ip4_address, n.ip6_address,"
" n.created, n.state_changed"
" FROM %s.nics n LEFT JOIN %s.instances i ON i.id OPERATOR(pg_catalog.=) n.instance_id"
" WHERE n.network_id OPERATOR(pg_catalog.=) $1"
" AND (n.instance_id IS NULL OR i.id IS NOT NULL)"
" AND EXISTS (SELECT 1 FROM %s.networks WHERE id OPERATOR(pg_catalog.=) $1)"
" ORDER BY n.id";

static const char live_instance_count_sql[] =
"SELECT pg_catalog.count(DISTINCT n.instance_id)"
" FROM %s.nics n JOIN %s.instances i ON i.id OPERATOR(pg_catalog.=) n.instance_id"
" WHERE n.network_id OPERATOR(pg_catalog.=) $1"
" AND EXISTS (SELECT 1 FROM %s.networks WHERE id OPERATOR(pg_catalog.=) $1)";

/*
 * Appends the text of a read query, for saved_query_lookup(); column is the
 * ReadKind.
 */
static void
read_query(StringInfo sql, Oid schema, int column)
{
	static const char *const texts[] = {
		network_instances_sql, network_nics_sql, instance_networks_sql,
		vpc_instances_sql, instance_count_sql, in_use_sql,
		network_id_sql, instance_id_sql
	};
	const char *text = texts[column - QUERY_READ];
	const char *name = quote_identifier(require_namespace_name(schema));

	require_one_owner(schema);
	attached_check_keys(schema);
	if (column == READ_VPC_INSTANCES)
		attached_check_column(schema, "networks", "vpc_id");
	else if (column == READ_NETWORK_ID)
		attached_check_column(schema, "networks", "uuid");
	else if (column == READ_INSTANCE_ID)
		attached_check_column(schema, "instances", "uuid");

	if (inventory_is_live(schema))
	{
		if (column == READ_NETWORK_INSTANCES)
			text = live_network_instances_sql;

		else if (column == READ_NETWORK_NICS)
			text = live_network_nics_sql;

		else if (column == READ_INSTANCE_COUNT)
			text = live_instance_count_sql;
	}

	/* No query names the inventory more than three times. */
	appendStringInfo(sql, text, name, name, name);
}

static SPIPlanPtr
read_plan(ReadKind kind, Oid schema, int nargs, Oid *argtypes)
{
	return saved_query_lookup(QUERY_READ, schema, kind, read_query, nargs, argtypes,
							  CURSOR_OPT_GENERIC_PLAN);
}

/* The views may be made by hand, with columns of any type. */
static const char columns_differ[] = gettext_noop("the columns of a view of an inventory are not "
												  "the expected ones");

/*
 * Runs a query with parameters, and sends its rows to a receiver.
 *
 * The caller must be connected to SPI; the active snapshot is used.
 */
void
read_into(SPIPlanPtr plan, int nargs, const Oid *argtypes,
		  const Datum *values, const bool *nulls, DestReceiver *dest)
{
	SPIExecuteOptions options = {0};
	ParamListInfo params = makeParamList(nargs);
	int			i;

	for (i = 0; i < nargs; i++)
	{
		params->params[i].value = values[i];
		params->params[i].isnull = nulls[i];
		params->params[i].pflags = PARAM_FLAG_CONST;
		params->params[i].ptype = argtypes[i];
	}
	options.params = params;
	options.read_only = true;
	options.dest = dest;

	if (SPI_execute_plan_extended(plan, &options) != SPI_OK_SELECT)
		elog(ERROR, "could not read an inventory");
}

/*
 * Runs a query with parameters, and returns its rows as the result of a
 * set-returning function.  The caller must be connected to SPI.
 */
void
read_into_result(SPIPlanPtr plan, int nargs, const Oid *argtypes,
				 const Datum *values, const bool *nulls, ReturnSetInfo *rsinfo)
{
	DestReceiver *dest = CreateDestReceiver(DestTuplestore);

	SetTuplestoreDestReceiverParams(dest, rsinfo->setResult,
									rsinfo->econtext->ecxt_per_query_memory, false,
									rsinfo->setDesc,
									columns_differ);
	read_into(plan, nargs, argtypes, values, nulls, dest);
	dest->rDestroy(dest);
}

/*
 * A receiver that makes one row per instance of rows that come in the order
 * of their instances, and stops the query when a page is full.
 *
 * The row kept is that of the NIC with the lowest device id (NULLs last), then
 * the lowest NIC id; the sixth column becomes the number of NICs.  Columns of the
 * query after those of the result are left out.
 */
#define COLUMN_INSTANCE_ID	1
#define COLUMN_NIC_COUNT	6
#define COLUMN_NIC_ID		7
#define COLUMN_DEVICE_ID	9
#define RESULT_COLUMNS		13

typedef struct CollapseReceiver
{
	DestReceiver pub;			/* must be first */
	Tuplestorestate *result;
	TupleDesc	columns;		/* those of the result */
	TupleTableSlot *best;		/* of the current instance; empty: none yet */
	int64		instance_id;
	int64		nic_count;
	int64		room;			/* how many more rows the page takes */
} CollapseReceiver;

static int64
slot_bigint(TupleTableSlot *slot, int column)
{
	bool		isnull;

	return DatumGetInt64(slot_getattr(slot, column, &isnull));
}

/*
 * Tells whether the NIC of a row sorts before the one kept so far.
 */
static bool
nic_sorts_before(TupleTableSlot *slot, TupleTableSlot *best)
{
	bool		null;
	bool		best_null;
	int32		device = DatumGetInt32(slot_getattr(slot, COLUMN_DEVICE_ID, &null));
	int32		best_device = DatumGetInt32(slot_getattr(best, COLUMN_DEVICE_ID, &best_null));

	if (null != best_null)
		return best_null;
	if (!null && device != best_device)
		return device < best_device;
	return slot_bigint(slot, COLUMN_NIC_ID) < slot_bigint(best, COLUMN_NIC_ID);
}

/* Keeps the row of a NIC as that of the current instance. */
static void
keep_row(CollapseReceiver *self, TupleTableSlot *slot)
{
	MemoryContext oldcontext = MemoryContextSwitchTo(self->best->tts_mcxt);
	MinimalTuple row;

	slot_getsomeattrs(slot, self->columns->natts);
	row = heap_form_minimal_tuple(self->columns, slot->tts_values, slot->tts_isnull);
	MemoryContextSwitchTo(oldcontext);
	ExecStoreMinimalTuple(row, self->best, true);
}

/* Adds the row of the current instance to the result. */
static void
collapse_emit(CollapseReceiver *self)
{
	TupleTableSlot *best = self->best;

	if (TTS_EMPTY(best))
		return;

	if (self->nic_count == 1)
		tuplestore_puttupleslot(self->result, best);
	else
	{
		slot_getallattrs(best);
		best->tts_values[COLUMN_NIC_COUNT - 1] = Int64GetDatum(self->nic_count);
		tuplestore_putvalues(self->result, best->tts_tupleDescriptor,
							 best->tts_values, best->tts_isnull);
	}
	ExecClearTuple(best);
	self->room--;
}

static void
collapse_startup(DestReceiver *pub, int operation, TupleDesc typeinfo)
{
	CollapseReceiver *self = (CollapseReceiver *) pub;
	TupleDesc	kept = CreateTemplateTupleDesc(Min(typeinfo->natts, RESULT_COLUMNS));
	int			i;

	for (i = 1; i <= kept->natts; i++)
		TupleDescCopyEntry(kept, i, typeinfo, i);

	/* Raises an error if a type differs. */
	(void) convert_tuples_by_position(kept, self->columns, columns_differ);

	self->best = MakeSingleTupleTableSlot(self->columns, &TTSOpsMinimalTuple);
}

/*
 * Handles one row of the query; returns false to stop it.
 */
static bool
collapse_receive(TupleTableSlot *slot, DestReceiver *pub)
{
	CollapseReceiver *self = (CollapseReceiver *) pub;
	int64		instance_id = slot_bigint(slot, COLUMN_INSTANCE_ID);

	if (!TTS_EMPTY(self->best) && self->instance_id == instance_id)
	{
		self->nic_count++;
		if (nic_sorts_before(slot, self->best))
			keep_row(self, slot);
		return true;
	}

	collapse_emit(self);
	if (self->room <= 0)
		return false;

	self->instance_id = instance_id;
	self->nic_count = 1;
	keep_row(self, slot);
	return true;
}

static void
collapse_shutdown(DestReceiver *pub)
{
	CollapseReceiver *self = (CollapseReceiver *) pub;

	collapse_emit(self);
	ExecDropSingleTupleTableSlot(self->best);
}

static void
collapse_destroy(DestReceiver *pub)
{
	pfree(pub);
}

static DestReceiver *
collapse_create(Tuplestorestate *result, TupleDesc columns, int64 page_size)
{
	CollapseReceiver *self = palloc0(sizeof(CollapseReceiver));

	self->pub.receiveSlot = collapse_receive;
	self->pub.rStartup = collapse_startup;
	self->pub.rShutdown = collapse_shutdown;
	self->pub.rDestroy = collapse_destroy;
	self->pub.mydest = DestTuplestore;
	self->result = result;
	self->columns = columns;
	self->room = page_size;
	return &self->pub;
}

/*
 * Returns the page size that an argument asks for; NULL means no limit.
 */
static int64
page_size_arg(FunctionCallInfo fcinfo, int argno)
{
	int32		page_size;

	if (PG_ARGISNULL(argno))
		return PG_INT64_MAX;

	page_size = PG_GETARG_INT32(argno);
	if (page_size < 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("page_size must not be negative"),
				 errdetail("It is %d.", page_size),
				 errhint("Leave it out, or give NULL, for all instances.")));
	return page_size;
}

/*
 * Returns the active instances of a network, one row each.
 *
 * network_active_instances(net_id, after_instance_id, page_size, inventory).
 */
PG_FUNCTION_INFO_V1(network_active_instances);

Datum
network_active_instances(PG_FUNCTION_ARGS)
{
	ReturnSetInfo *rsinfo = (ReturnSetInfo *) fcinfo->resultinfo;
	Oid			argtypes[3] = {INT8OID, INT8OID, INT8OID};
	Datum		values[3];
	bool		nulls[3] = {false, false, true};
	int64		page_size = page_size_arg(fcinfo, 2);
	int64		first = PG_INT64_MIN;
	Oid			schema;
	DestReceiver *dest;
	RunAs		saved;

	InitMaterializedSRF(fcinfo, MAT_SRF_USE_EXPECTED_DESC);
	schema = inventory_resolve_fresh_arg(fcinfo, 3);

	if (!PG_ARGISNULL(1))
	{
		/* No instance id is greater than the largest bigint. */
		if (PG_GETARG_INT64(1) == PG_INT64_MAX)
			return (Datum) 0;
		first = PG_GETARG_INT64(1) + 1;
	}
	if (PG_ARGISNULL(0) || page_size == 0)
		return (Datum) 0;

	values[0] = Int64GetDatum(PG_GETARG_INT64(0));
	values[1] = Int64GetDatum(first);
	values[2] = (Datum) 0;

	run_as_inventory_owner(schema, &saved);
	refuse_outsider(fcinfo, schema);
	SPI_connect();
	dest = collapse_create(rsinfo->setResult, rsinfo->setDesc, page_size);
	read_into(read_plan(READ_NETWORK_INSTANCES, schema, 3, argtypes),
			  3, argtypes, values, nulls, dest);
	dest->rDestroy(dest);
	SPI_finish();
	run_as_end(&saved);
	return (Datum) 0;
}

/*
 * Runs a set-returning read with one bigint argument.
 */
static Datum
read_set(FunctionCallInfo fcinfo, ReadKind kind)
{
	ReturnSetInfo *rsinfo = (ReturnSetInfo *) fcinfo->resultinfo;
	Oid			argtypes[1] = {INT8OID};
	Datum		values[1];
	bool		nulls[1] = {false};
	Oid			schema;
	RunAs		saved;

	InitMaterializedSRF(fcinfo, 0);
	schema = inventory_resolve_fresh_arg(fcinfo, 1);
	if (PG_ARGISNULL(0))
		return (Datum) 0;

	values[0] = PG_GETARG_DATUM(0);

	run_as_inventory_owner(schema, &saved);
	refuse_outsider(fcinfo, schema);
	SPI_connect();
	read_into_result(read_plan(kind, schema, 1, argtypes),
					 1, argtypes, values, nulls, rsinfo);
	SPI_finish();
	run_as_end(&saved);
	return (Datum) 0;
}

/*
 * Returns the active NICs of a network.
 */
PG_FUNCTION_INFO_V1(network_active_nics);

Datum
network_active_nics(PG_FUNCTION_ARGS)
{
	return read_set(fcinfo, READ_NETWORK_NICS);
}

/*
 * Returns the networks that an instance is active on, one row per live NIC.
 */
PG_FUNCTION_INFO_V1(instance_active_networks);

Datum
instance_active_networks(PG_FUNCTION_ARGS)
{
	return read_set(fcinfo, READ_INSTANCE_NETWORKS);
}

/*
 * Returns the active instances of the networks of a VPC.
 */
PG_FUNCTION_INFO_V1(vpc_active_instances);

Datum
vpc_active_instances(PG_FUNCTION_ARGS)
{
	return read_set(fcinfo, READ_VPC_INSTANCES);
}

/*
 * Runs a read of one value; false if there is no row, or the value is NULL.
 */
static bool
read_value(FunctionCallInfo fcinfo, ReadKind kind, Oid argtype, Datum *result)
{
	Oid			argtypes[1] = {argtype};
	Datum		values[1];
	Oid			schema = inventory_resolve_fresh_arg(fcinfo, 1);
	bool		isnull = true;
	RunAs		saved;

	if (PG_ARGISNULL(0))
		return false;

	values[0] = PG_GETARG_DATUM(0);

	run_as_inventory_owner(schema, &saved);
	refuse_outsider(fcinfo, schema);
	SPI_connect();
	if (SPI_execute_plan(read_plan(kind, schema, 1, argtypes), values, NULL,
						 true, 1) != SPI_OK_SELECT)
		elog(ERROR, "could not read an inventory");
	if (SPI_gettypeid(SPI_tuptable->tupdesc, 1) != get_func_rettype(fcinfo->flinfo->fn_oid))
		ereport(ERROR,
				(errcode(ERRCODE_DATATYPE_MISMATCH),
				 errmsg("%s", _(columns_differ))));
	if (SPI_processed > 0)
		*result = SPI_getbinval(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, 1, &isnull);
	SPI_finish();
	run_as_end(&saved);
	return !isnull;
}

/*
 * Returns the number of active instances of a network.
 */
PG_FUNCTION_INFO_V1(network_active_instance_count);

Datum
network_active_instance_count(PG_FUNCTION_ARGS)
{
	Datum		count;

	if (!read_value(fcinfo, READ_INSTANCE_COUNT, INT8OID, &count))
		PG_RETURN_INT64(0);
	PG_RETURN_DATUM(count);
}

/*
 * Tells whether a network has a held NIC.
 *
 * Reads all rows, as the guard of a removal does, if the current user may write to
 * the table of NICs; otherwise the rows that the current user may see.
 */
PG_FUNCTION_INFO_V1(network_in_use);

Datum
network_in_use(PG_FUNCTION_ARGS)
{
	Oid			schema = inventory_resolve_arg(fcinfo, 1);
	Oid			nics = get_relname_relid("all_nics", schema);
	Relation	rel = OidIsValid(nics) ? try_relation_open(nics, AccessShareLock) : NULL;
	RunAs		saved = {0};
	Datum		in_use;

	if (rel)
		(void) run_as_owner_for_writer(rel, &saved);
	if (!read_value(fcinfo, READ_IN_USE, INT8OID, &in_use))
		in_use = BoolGetDatum(false);
	run_as_end(&saved);
	if (rel)
		relation_close(rel, AccessShareLock);
	PG_RETURN_DATUM(in_use);
}

/*
 * Returns the id of the live network that has a uuid; NULL if there is none.
 */
PG_FUNCTION_INFO_V1(network_id);

Datum
network_id(PG_FUNCTION_ARGS)
{
	Datum		id;

	if (!read_value(fcinfo, READ_NETWORK_ID, UUIDOID, &id))
		PG_RETURN_NULL();
	PG_RETURN_DATUM(id);
}

/*
 * Returns the id of the live instance that has a uuid; NULL if there is none.
 */
PG_FUNCTION_INFO_V1(instance_id);

Datum
instance_id(PG_FUNCTION_ARGS)
{
	Datum		id;

	if (!read_value(fcinfo, READ_INSTANCE_ID, UUIDOID, &id))
		PG_RETURN_NULL();
	PG_RETURN_DATUM(id);
}
