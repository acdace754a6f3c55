/*
 * address_check.c
 *		Queries of the operations that must see all rows: the holder of an address
 *		or MAC, the next free addresses, and the next free device position.
 *
 * Row-level policies may hide a NIC from an operator who may write to the table.
 * If only the visible rows were searched, an address would be assigned twice.  So
 * the queries run as the owner of the table if the current user has INSERT or
 * UPDATE on the table of NICs, and otherwise as the current user.
 *
 * The id of a row is returned only if the current user may see all rows.
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "access/table.h"
#include "catalog/namespace.h"
#include "catalog/pg_class.h"
#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "funcapi.h"
#include "lib/stringinfo.h"
#include "miscadmin.h"
#include "utils/acl.h"
#include "utils/builtins.h"
#include "utils/datum.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"

#include "compat.h"
#include "core/inventory.h"
#include "core/run_as.h"
#include "core/visibility.h"
#include "nic/address_check.h"

#define MAX_QUESTION_ARGS	6
#define MAX_ANSWER_COLUMNS	4

/*
 * The queries.  The first %s is the table of NICs.  The last parameter tells
 * whether rows may be named.  Operators are qualified, since the search path is
 * that of the caller.  Results are cast to the types of the functions.
 */

/* $1 network, $2 address as a text, $3 NIC left out, $4 for a User NIC, $5 named */
static const char address_holder_sql[] =
"SELECT h.id IS NOT NULL, h.is_user, CASE WHEN $5 THEN h.id END"
" FROM (SELECT 1) one LEFT JOIN (SELECT n.id::pg_catalog.int8 AS id,"
"  n.vm_type OPERATOR(pg_catalog.=) 'User'::pg_catalog.text AND n.instance_id IS NOT NULL"
"  AS is_user"
"  FROM %s n WHERE n.network_id OPERATOR(pg_catalog.=) $1"
"  AND n.%s OPERATOR(pg_catalog.=) $2::pg_catalog.%s AND n.active"
"  AND ($3 IS NULL OR n.id OPERATOR(pg_catalog.<>) $3)"
"  AND ($4 OR n.vm_type OPERATOR(pg_catalog.=) 'User'::pg_catalog.text AND n.instance_id"
"  IS NOT NULL)"
"  ORDER BY n.id USING OPERATOR(pg_catalog.<) LIMIT 1) h ON true";

/* $1 network, $2 address as a text, $3 named; the second %s is the other table */
static const char secondary_holder_sql[] =
"SELECT h.id IS NOT NULL, CASE WHEN $3 THEN h.id END, CASE WHEN $3 THEN h.nic_id END"
" FROM (SELECT 1) one LEFT JOIN (SELECT s.id::pg_catalog.int8 AS id, s.nic_id::pg_catalog.int8"
"  AS nic_id"
"  FROM %s n JOIN %s s ON n.id OPERATOR(pg_catalog.=) s.nic_id AND n.active"
"  WHERE s.network_id OPERATOR(pg_catalog.=) $1"
"  AND s.%s OPERATOR(pg_catalog.=) $2::pg_catalog.inet AND s.active"
"  ORDER BY s.id USING OPERATOR(pg_catalog.<) LIMIT 1) h ON true";

/* $1 MAC address, $2 named, which is ignored */
static const char mac_held_sql[] =
"SELECT $2 IS NOT NULL AND EXISTS (SELECT FROM %s n"
"  WHERE n.mac_address OPERATOR(pg_catalog.=) $1 AND n.active)";

/* $1 instance, $2 network, $3 named */
static const char free_device_sql[] =
"SELECT (SELECT pg_catalog.min(d) FROM pg_catalog.generate_series(0, u.nics) d"
"  WHERE d OPERATOR(pg_catalog.<>) ALL (u.used)),"
" u.no_default, u.there IS NOT NULL, CASE WHEN $3 THEN u.there END"
" FROM (SELECT pg_catalog.count(*)::pg_catalog.int4 AS nics,"
"  COALESCE(pg_catalog.array_agg(n.device_id::pg_catalog.int4) FILTER"
"   (WHERE n.device_id IS NOT NULL),"
"   '{}'::pg_catalog.int4[]) AS used,"
"  NOT COALESCE(pg_catalog.bool_or(n.default_nic), false) AS no_default,"
"  pg_catalog.min(n.id::pg_catalog.int8) FILTER (WHERE n.network_id OPERATOR(pg_catalog.=) $2)"
"  AS there"
"  FROM %s n WHERE n.instance_id OPERATOR(pg_catalog.=) $1 AND n.active) u";

/* $1 instance, $2 NIC left out, $3 named */
static const char other_nics_sql[] =
"SELECT pg_catalog.count(*), pg_catalog.count(*) FILTER (WHERE n.default_nic),"
" CASE WHEN $3 THEN pg_catalog.min(n.id::pg_catalog.int8) END"
" FROM %s n WHERE n.instance_id OPERATOR(pg_catalog.=) $1 AND n.active"
" AND n.id OPERATOR(pg_catalog.<>) $2";

/*
 * Switches to the owner of a table if the current user has INSERT or UPDATE on
 * it, or on some of its columns.  Otherwise, and for a relation that is not a
 * table, changes nothing and returns false.  run_as_end() switches back.
 */
bool
run_as_owner_for_writer(Relation rel, RunAs *saved)
{
	Oid			relid = RelationGetRelid(rel);
	AclMode		write = ACL_INSERT | ACL_UPDATE;

	saved->switched = false;
	if (rel->rd_rel->relkind != RELKIND_RELATION &&
		rel->rd_rel->relkind != RELKIND_PARTITIONED_TABLE)
		return false;
	if (pg_class_aclcheck(relid, GetUserId(), write) != ACLCHECK_OK &&
		pg_attribute_aclcheck_all(relid, GetUserId(), write, ACLMASK_ANY) != ACLCHECK_OK)
		return false;

	run_as_table_owner(rel, saved);
	return true;
}

/*
 * Opens a relation of the inventory that the first argument of a call names.
 * The caller of the function needs USAGE on the schema.
 */
static Relation
open_of_inventory(FunctionCallInfo fcinfo, const char *name)
{
	Oid			schema;
	Oid			relid;

	if (PG_ARGISNULL(0))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("the inventory must not be NULL")));
	schema = LookupExplicitNamespace(NameStr(*PG_GETARG_NAME(0)), false);
	relid = get_relname_relid(name, schema);
	if (!OidIsValid(relid))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("schema \"%s\" is not an inventory", require_namespace_name(schema)),
				 errdetail("It has no relation \"%s\".", name)));
	return table_open(relid, AccessShareLock);
}

/*
 * Makes the result of a call from the row of a query.
 */
static Datum
row_result(FunctionCallInfo fcinfo)
{
	TupleDesc	desc;
	Datum		values[MAX_ANSWER_COLUMNS];
	bool		nulls[MAX_ANSWER_COLUMNS];
	int			natts = SPI_tuptable->tupdesc->natts;
	bool		is_row = get_call_result_type(fcinfo, NULL, &desc) == TYPEFUNC_COMPOSITE;
	int			i;

	if (SPI_processed != 1 || natts > MAX_ANSWER_COLUMNS || (is_row ? desc->natts : 1) != natts)
		elog(ERROR, "unexpected result of a query on NICs");
	for (i = 0; i < natts; i++)
	{
		Oid			type = is_row ? TupleDescAttr(desc, i)->atttypid : BOOLOID;

		if (SPI_gettypeid(SPI_tuptable->tupdesc, i + 1) != type)
			elog(ERROR, "unexpected type of a result of a query on NICs");
		values[i] = SPI_getbinval(SPI_tuptable->vals[0], SPI_tuptable->tupdesc,
								  i + 1, &nulls[i]);
	}

	fcinfo->isnull = !is_row && nulls[0];
	return is_row ?
		HeapTupleGetDatum(heap_form_tuple(BlessTupleDesc(desc), values, nulls)) : values[0];
}

/*
 * Runs a query for a call whose arguments with the positions argnos, in this
 * order, are the parameters; a last one says whether rows may be named.
 *
 * The result is allocated in the memory context of the caller.
 */
static Datum
run_address_query(FunctionCallInfo fcinfo, Relation nics, const char *sql, bool named,
				  int nargs, const int *argnos)
{
	MemoryContext context = CurrentMemoryContext;
	Oid		   *signature;
	int			count;
	Oid			types[MAX_QUESTION_ARGS];
	Datum		values[MAX_QUESTION_ARGS];
	char		nulls[MAX_QUESTION_ARGS];
	RunAs		saved;
	Datum		result;
	int			i;

	(void) get_func_signature(fcinfo->flinfo->fn_oid, &signature, &count);
	for (i = 0; i < nargs; i++)
	{
		types[i] = signature[argnos[i]];
		values[i] = PG_GETARG_DATUM(argnos[i]);
		nulls[i] = PG_ARGISNULL(argnos[i]) ? 'n' : ' ';
	}
	types[nargs] = BOOLOID;
	values[nargs] = BoolGetDatum(named);
	nulls[nargs] = ' ';

	SPI_connect();
	(void) run_as_owner_for_writer(nics, &saved);
	if (SPI_execute_with_args(sql, nargs + 1, types, values, nulls, false, 0) != SPI_OK_SELECT)
		elog(ERROR, "could not run a query on NICs");
	run_as_end(&saved);

	/* Every column of a result is passed by value. */
	MemoryContextSwitchTo(context);
	result = row_result(fcinfo);
	SPI_finish();
	return result;
}

/*
 * Runs a query for a call whose arguments are the parameters, the first of them the
 * inventory.  It calls a function of vmnet_internal that reads the relations of the
 * inventory by their names, so all of these must have one owner.
 *
 * The result is allocated in the memory context of the caller.
 */
static Datum
run_writer_query(FunctionCallInfo fcinfo, const char *sql, bool read_only)
{
	MemoryContext context = CurrentMemoryContext;
	Relation	nics = open_of_inventory(fcinfo, "all_nics");
	Oid		   *signature;
	int			count;
	Datum		values[MAX_QUESTION_ARGS];
	char		nulls[MAX_QUESTION_ARGS];
	RunAs		saved;
	Datum		result;
	Oid			type = get_func_rettype(fcinfo->flinfo->fn_oid);
	int			i;
	int			status;

	require_one_owner(RelationGetNamespace(nics));
	(void) get_func_signature(fcinfo->flinfo->fn_oid, &signature, &count);
	for (i = 0; i < count; i++)
	{
		values[i] = PG_GETARG_DATUM(i);
		nulls[i] = PG_ARGISNULL(i) ? 'n' : ' ';
	}

	SPI_connect();
	(void) run_as_owner_for_writer(nics, &saved);
	status = SPI_execute_with_args(sql, count, signature, values, nulls, read_only, 1);
	if (status != SPI_OK_SELECT || SPI_processed != 1 ||
		SPI_gettypeid(SPI_tuptable->tupdesc, 1) != type)
		elog(ERROR, "could not run a query on addresses");
	run_as_end(&saved);

	result = SPI_getbinval(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, 1, &fcinfo->isnull);
	if (!fcinfo->isnull)
	{
		MemoryContext old = MemoryContextSwitchTo(context);

		result = datumCopy(result, get_typbyval(type), get_typlen(type));
		MemoryContextSwitchTo(old);
	}
	SPI_finish();
	table_close(nics, NoLock);
	return result;
}

/*
 * Returns the type of a column that holds an address.
 */
static const char *
address_type(FunctionCallInfo fcinfo, int argno)
{
	const char *column = PG_ARGISNULL(argno) ? "NULL" : NameStr(*PG_GETARG_NAME(argno));

	if (strcmp(column, "mac_address") == 0)
		return "macaddr";
	if (strcmp(column, "ip4_address") != 0 && strcmp(column, "ip6_address") != 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("\"%s\" is not an address column", column)));
	return "inet";
}

/*
 * Returns whether an active NIC of a network, other than nic_id, has an address;
 * whether it is the NIC of a user's instance; and its id, if the caller may see it.
 *
 * The arguments are inventory, network_id, attribute, address, nic_id and is_user.
 * If is_user is false, only NICs of users' instances are searched.
 */
PG_FUNCTION_INFO_V1(address_holder);

Datum
address_holder(PG_FUNCTION_ARGS)
{
	static const int argnos[] = {1, 3, 4, 5};
	const char *type = address_type(fcinfo, 2);
	Relation	nics = open_of_inventory(fcinfo, "all_nics");
	StringInfoData sql;
	Datum		result;

	initStringInfo(&sql);
	appendStringInfo(&sql, address_holder_sql,
					 quote_qualified_identifier(require_namespace_name(RelationGetNamespace(nics)),
												RelationGetRelationName(nics)),
					 NameStr(*PG_GETARG_NAME(2)), type);
	result = run_address_query(fcinfo, nics, sql.data, may_see_rows(nics),
							   lengthof(argnos), argnos);
	table_close(nics, NoLock);
	return result;
}

/*
 * Returns whether an active NIC has an IP address of a network as a secondary
 * address, and the ids of the secondary address and of the NIC, if the caller may see
 * both.
 *
 * The arguments are inventory, network_id, attribute and address.  The tables must
 * have one owner.
 */
PG_FUNCTION_INFO_V1(secondary_holder);

Datum
secondary_holder(PG_FUNCTION_ARGS)
{
	static const int argnos[] = {1, 3};
	Relation	nics;
	Relation	addresses;
	StringInfoData sql;
	char	   *schema;
	bool		named;
	Datum		result;

	(void) address_type(fcinfo, 2);
	nics = open_of_inventory(fcinfo, "all_nics");
	addresses = open_of_inventory(fcinfo, "all_nic_secondary_ips");
	require_owner(RelationGetRelid(addresses), nics->rd_rel->relowner, RelationGetRelid(nics));

	schema = require_namespace_name(RelationGetNamespace(nics));
	initStringInfo(&sql);
	appendStringInfo(&sql, secondary_holder_sql,
					 quote_qualified_identifier(schema, RelationGetRelationName(nics)),
					 quote_qualified_identifier(schema, RelationGetRelationName(addresses)),
					 NameStr(*PG_GETARG_NAME(2)));
	named = may_see_rows(nics) &&
		may_see_rows(addresses);
	result = run_address_query(fcinfo, nics, sql.data, named, lengthof(argnos), argnos);
	table_close(addresses, NoLock);
	table_close(nics, NoLock);
	return result;
}

/*
 * Runs a query that names only the table of NICs.
 */
static Datum
run_nics_query(FunctionCallInfo fcinfo, const char *format, int nargs)
{
	static const int argnos[] = {1, 2};
	Relation	nics = open_of_inventory(fcinfo, "all_nics");
	StringInfoData sql;
	Datum		result;

	initStringInfo(&sql);
	appendStringInfo(&sql, format,
					 quote_qualified_identifier(require_namespace_name(RelationGetNamespace(nics)),
												RelationGetRelationName(nics)));
	result = run_address_query(fcinfo, nics, sql.data, may_see_rows(nics),
							   nargs, argnos);
	table_close(nics, NoLock);
	return result;
}

/*
 * Returns whether an active NIC of the inventory has a MAC address; false for NULL.
 *
 * The arguments are inventory and mac.
 */
PG_FUNCTION_INFO_V1(mac_held);

Datum
mac_held(PG_FUNCTION_ARGS)
{
	return run_nics_query(fcinfo, mac_held_sql, 1);
}

/*
 * Returns the lowest free device position of an instance; whether it lacks an active
 * default NIC; whether it is on a network; and the id of its NIC there, if the caller
 * may see it.
 *
 * The arguments are inventory, instance_id and network_id.
 */
PG_FUNCTION_INFO_V1(free_device);

Datum
free_device(PG_FUNCTION_ARGS)
{
	return run_nics_query(fcinfo, free_device_sql, 2);
}

/*
 * Returns how many other active NICs an instance has, how many of these are its
 * default, and their lowest id, if the caller may see them.
 *
 * The arguments are inventory, instance_id and nic_id.
 */
PG_FUNCTION_INFO_V1(other_nics);

Datum
other_nics(PG_FUNCTION_ARGS)
{
	return run_nics_query(fcinfo, other_nics_sql, 2);
}

/*
 * Returns the next free IPv4 addresses of a network, as an array; NULL if there are
 * none.
 *
 * The arguments are inventory, network_id and n.
 */
PG_FUNCTION_INFO_V1(writer_free_ips);

Datum
writer_free_ips(PG_FUNCTION_ARGS)
{
	return run_writer_query(fcinfo, "SELECT vmnet_internal.free_ips($1, $2, $3)", true);
}

/*
 * Returns whether a network can give an address; NULL if only its cidr tells.
 *
 * The arguments are inventory, network_id and address.
 */
PG_FUNCTION_INFO_V1(writer_can_give_ip);

Datum
writer_can_give_ip(PG_FUNCTION_ARGS)
{
	return run_writer_query(fcinfo, "SELECT vmnet_internal.can_give_ip($1, $2, $3)", false);
}
