/*
 * outsider.c
 *		Calls by roles that have no access to the schema of an inventory.
 *
 * A reader of the reporting views has none.  The error of a function that it calls
 * names the view that shows the same, or the access that the function needs.
 */
#include "postgres.h"

#include "catalog/namespace.h"
#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "lib/stringinfo.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"

#include "compat.h"
#include "core/inventory.h"
#include "core/outsider.h"
#include "core/run_as.h"

/* A function, and the reporting view that has its rows or what they are made of. */
typedef struct Counterpart
{
	const char *function;
	const char *view;
} Counterpart;

static const Counterpart counterparts[] = {
	{"check_inventory", "findings"},
	{"instance_active_networks", "network_instances"},
	{"instance_blockers", "nics"},
	{"instance_id", "instances"},
	{"inventory_status", "findings"},
	{"ip_holders", "nic_addresses"},
	{"mac_holders", "nics"},
	{"network_active_instance_count", "network_counts"},
	{"network_active_instances", "network_instances"},
	{"network_active_nics", "nics"},
	{"network_blockers", "nics"},
	{"network_explain", "network_counts"},
	{"network_free_ips", "network_ip_usage"},
	{"network_id", "networks"},
	{"network_in_use", "network_counts"},
	{"network_instances_as_of", "network_instance_intervals"},
	{"nic_changes_since", "nic_history"},
	{"nic_explain", "nics"},
	{"nic_timeline", "nic_history"},
	{"nics_stuck_for", "stuck_nics"},
	{"vpc_active_instances", "network_instances"}
};

/* The reporting schemas that the current user may read, of one inventory. */
static const char *const readable_reports_sql =
"SELECT pg_catalog.quote_ident(r.schema_name) "
"FROM vmnet.report_schemas($1) r "
"JOIN pg_catalog.pg_namespace n ON n.nspname OPERATOR(pg_catalog.=) r.schema_name "
"JOIN pg_catalog.pg_class v ON v.relnamespace OPERATOR(pg_catalog.=) n.oid "
" AND v.relname OPERATOR(pg_catalog.=) $2 "
"WHERE pg_catalog.has_schema_privilege(v.relnamespace, 'USAGE') "
"AND pg_catalog.has_table_privilege(v.oid, 'SELECT') "
"ORDER BY r.tenant, r.schema_name";

/*
 * Returns the name of a view of a reporting schema that the current user may read,
 * quoted, in the caller's memory context; NULL if there is none.
 */
static char *
readable_view(Oid schema, const char *view)
{
	MemoryContext context = CurrentMemoryContext;
	Oid			argtypes[2] = {NAMEOID, NAMEOID};
	Datum		values[2];
	char	   *result = NULL;

	values[0] = DirectFunctionCall1(namein, CStringGetDatum(require_namespace_name(schema)));
	values[1] = DirectFunctionCall1(namein, CStringGetDatum(view));
	SPI_connect();
	if (SPI_execute_with_args(readable_reports_sql, 2, argtypes, values, NULL,
							  true, 1) != SPI_OK_SELECT)
		elog(ERROR, "could not read the reporting schemas");
	if (SPI_processed > 0)
	{
		char	   *report = SPI_getvalue(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, 1);
		MemoryContext old = MemoryContextSwitchTo(context);

		result = psprintf("%s.%s", report, view);
		MemoryContextSwitchTo(old);
	}
	SPI_finish();
	return result;
}

/*
 * Appends which access to ask for.
 */
static void
append_access(StringInfo hint, Oid schema)
{
	char	   *owner = GetUserNameFromId(require_inventory_owner(schema), true);
	char	   *name = require_namespace_name(schema);
	InventoryInfo info;

	if (inventory_info(schema, &info) && strcmp(info.kind, "managed") != 0 &&
		strcmp(info.kind, "mirror") != 0)
		appendStringInfo(hint, "Functions need USAGE on schema %s and SELECT on its views, which "
						 "role \"%s\" can grant.", quote_identifier(name), owner);
	else
		appendStringInfo(hint, "Functions need the access of an operator, which role \"%s\" can "
						 "give: SELECT vmnet.grant_access(%s, %s, 'operator');", owner,
						 quote_literal_cstr(name),
						 quote_literal_cstr(GetUserNameFromId(GetUserId(), false)));
}

/*
 * Returns the hint for a call of a function by a user who has no access to the
 * schema of the inventory; NULL if the user has it.
 *
 * The current user is the one with whose rights the function reads.  The string is
 * allocated in the current memory context.
 */
char *
outsider_hint(FunctionCallInfo fcinfo, Oid schema)
{
	StringInfoData hint;
	char	   *function;
	char	   *view = NULL;
	int			i;

	if (may_use_schema(schema, GetUserId()))
		return NULL;

	initStringInfo(&hint);
	function = get_func_name(fcinfo->flinfo->fn_oid);
	for (i = 0; function && i < lengthof(counterparts); i++)
	{
		if (strcmp(counterparts[i].function, function) == 0)
			view = readable_view(schema, counterparts[i].view);
	}
	if (view)
		appendStringInfo(&hint, "Read the view %s instead. ", view);
	append_access(&hint, schema);
	return hint.data;
}

/*
 * Raises an error if the current user has no access to the schema of an inventory
 * that a function is about to read.
 */
void
refuse_outsider(FunctionCallInfo fcinfo, Oid schema)
{
	char	   *hint = outsider_hint(fcinfo, schema);

	if (hint)
		ereport(ERROR,
				(errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
				 errmsg("permission denied for schema %s", require_namespace_name(schema)),
				 errhint("%s", hint)));
}
