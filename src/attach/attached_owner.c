/*
 * attached_owner.c
 *		The part of attach_inventory() that works as the owner of the tables.
 */
#include "postgres.h"

#include "catalog/namespace.h"
#include "catalog/pg_namespace.h"
#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "executor/tstoreReceiver.h"
#include "funcapi.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/syscache.h"

#include "compat.h"
#include "core/inventory.h"
#include "core/run_as.h"

#define ATTACH_ARGS	6

/*
 * Returns the owner of a schema by its name; raises an error if it does not
 * exist.
 */
static Oid
schema_owner(const char *name)
{
	Oid			schema = get_namespace_oid(name, false);
	HeapTuple	tuple = SearchSysCache1(NAMESPACEOID, ObjectIdGetDatum(schema));
	Oid			owner;

	if (!HeapTupleIsValid(tuple))
		elog(ERROR, "cache lookup failed for schema %u", schema);
	owner = ((Form_pg_namespace) GETSTRUCT(tuple))->nspowner;
	ReleaseSysCache(tuple);
	return owner;
}

/*
 * Runs attached_build() with the arguments of the call; its rows become the
 * result.
 */
static void
build_into_result(FunctionCallInfo fcinfo)
{
	static const Oid types[ATTACH_ARGS] = {
		TEXTOID, REGCLASSOID, REGCLASSOID, REGCLASSOID, JSONBOID, TEXTOID
	};
	ReturnSetInfo *rsinfo = (ReturnSetInfo *) fcinfo->resultinfo;
	ParamListInfo params = makeParamList(ATTACH_ARGS);
	SPIExecuteOptions options = {0};
	DestReceiver *dest = CreateDestReceiver(DestTuplestore);
	char	   *schema = require_namespace_name(get_func_namespace(fcinfo->flinfo->fn_oid));
	int			i;

	for (i = 0; i < ATTACH_ARGS; i++)
	{
		params->params[i].value = PG_GETARG_DATUM(i);
		params->params[i].isnull = PG_ARGISNULL(i);
		params->params[i].pflags = PARAM_FLAG_CONST;
		params->params[i].ptype = types[i];
	}
	SetTuplestoreDestReceiverParams(dest, rsinfo->setResult,
									rsinfo->econtext->ecxt_per_query_memory,
									false, NULL, NULL);
	options.params = params;
	options.dest = dest;

	SPI_connect();
	if (SPI_execute_extended(psprintf("SELECT * FROM %s($1, $2, $3, $4, $5, $6)",
									  quote_qualified_identifier(schema, "attached_build")),
							 &options) != SPI_OK_SELECT)
		elog(ERROR, "could not build an attached inventory");
	SPI_finish();
	dest->rDestroy(dest);
}

/*
 * Creates the views of an attached inventory, and the guards, as the owner of the
 * schema if the caller has the owner's rights, otherwise as the caller.
 *
 * The arguments are name, nics, networks, instances, columns and mode.  Called by
 * attach_inventory() after it has created the schema.  All queries on the tables are
 * run here: planning them runs code of their owner.  Returns no rows if the name is
 * NULL.
 */
PG_FUNCTION_INFO_V1(attach_as_owner);

Datum
attach_as_owner(PG_FUNCTION_ARGS)
{
	RunAs		caller;

	InitMaterializedSRF(fcinfo, 0);
	if (PG_ARGISNULL(0))
		return (Datum) 0;
	run_as_role(schema_owner(text_to_cstring(PG_GETARG_TEXT_PP(0))), &caller);
	build_into_result(fcinfo);
	run_as_end(&caller);
	return (Datum) 0;
}
