/*
 * names.c
 *		Networks and instances by what users call them: id, uuid or name.
 */
#include "postgres.h"

#include <ctype.h>

#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "lib/stringinfo.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/uuid.h"

#include "compat.h"
#include "attach/attached_columns.h"
#include "attach/attached_row.h"
#include "core/age.h"
#include "core/inventory.h"
#include "core/outsider.h"
#include "core/run_as.h"
#include "core/saved_query.h"
#include "core/visibility.h"

/*
 * Names of more bytes are in no index: the condition of the indexes in
 * sql/inventory/definition.sql.
 */
#define LONGEST_INDEXED_NAME	"2000"

/* How many rows a message names. */
#define NAMED_ROWS	5

/*
 * What a query looks for besides the name, as bits.  Conditions that cannot hold
 * are left out: the caller needs no right to read their columns then.
 */
#define LOOK_FOR_ID			1
#define LOOK_FOR_UUID		2
#define LOOK_IN_INSTANCES	4
#define LOOK_FOR_DETAILS	8
#define LOOK_FOR_LONG_NAME	16

/* What an argument can mean. */
typedef struct Wanted
{
	int			look;			/* the bits above */
	int64		id;
	pg_uuid_t	uuid;
} Wanted;

static const char *
relation_of(int look)
{
	return look & LOOK_IN_INSTANCES ? "instances" : "networks";
}

/*
 * Appends the text of a query, for saved_query_lookup(); column is what it looks
 * for.  Parameters are the name, the id and the uuid.
 *
 * Each condition is a query of its own, so that each can use an index.
 */
static void
name_query(StringInfo sql, Oid schema, int column)
{
	static const char *const conditions[] = {
		"name OPERATOR(pg_catalog.=) $1",
		"id OPERATOR(pg_catalog.=) $2",
		"uuid OPERATOR(pg_catalog.=) $3"
	};
	const bool	wanted[] = {
		true, (column & LOOK_FOR_ID) != 0, (column & LOOK_FOR_UUID) != 0
	};
	const char *columns = column & LOOK_FOR_DETAILS ? "id, uuid, account_name, zone_name" : "id";
	const char *relation = relation_of(column);
	const char *view = quote_qualified_identifier(require_namespace_name(schema), relation);
	int			i;

	require_one_owner(schema);
	attached_check_keys(schema);
	if (column & LOOK_FOR_UUID)
		attached_check_column(schema, relation, "uuid");
	else if (!(column & LOOK_FOR_ID))
		attached_check_column(schema, relation, "name");

	appendStringInfo(sql, "SELECT %s, pg_catalog.count(*) OVER () FROM (", columns);
	for (i = 0; i < lengthof(conditions); i++)
	{
		if (wanted[i])
			appendStringInfo(sql, "%sSELECT %s FROM %s WHERE %s%s", i > 0 ? " UNION " : "",
							 columns, view, conditions[i],
							 i > 0 || (column & LOOK_FOR_LONG_NAME) ? "" :
							 " AND pg_catalog.octet_length(name) OPERATOR(pg_catalog.<=) "
							 LONGEST_INDEXED_NAME);
	}
	appendStringInfo(sql, ") m ORDER BY id LIMIT %d", NAMED_ROWS);
}

/*
 * Tells whether a text is a uuid, in groups of 8-4-4-4-12 hex digits or in one.
 */
static bool
is_uuid(const char *value)
{
	size_t		length = strlen(value);
	size_t		i;

	if (length != 32 && length != 36)
		return false;
	for (i = 0; i < length; i++)
	{
		bool		dash = length == 36 && (i == 8 || i == 13 || i == 18 || i == 23);

		if (dash ? value[i] != '-' : !isxdigit((unsigned char) value[i]))
			return false;
	}
	return true;
}

/*
 * Finds out what an argument can mean besides a name.
 */
static void
read_wanted(const char *value, Wanted *wanted)
{
	char	   *end;

	if (strlen(value) > atoi(LONGEST_INDEXED_NAME))
		wanted->look |= LOOK_FOR_LONG_NAME;
	if (is_uuid(value))
	{
		wanted->look |= LOOK_FOR_UUID;
		wanted->uuid = *DatumGetUUIDP(DirectFunctionCall1(uuid_in, CStringGetDatum(value)));
	}
	if (*value != '-' && !isdigit((unsigned char) *value))
		return;
	errno = 0;
	wanted->id = strtoll(value, &end, 10);
	if (errno == 0 && end > value && *end == '\0')
		wanted->look |= LOOK_FOR_ID;
}

/*
 * Runs a query for what is wanted; its result is that of SPI.  Returns how many
 * rows there are in all.
 */
static int64
run_name_query(Oid schema, const Wanted *wanted, int look, Datum name)
{
	Oid			argtypes[3] = {TEXTOID, INT8OID, UUIDOID};
	Datum		values[3];
	bool		isnull;
	int			natts;
	SPIPlanPtr	plan = saved_query_lookup(QUERY_NAME_READ, schema, look, name_query, 3, argtypes,
										  CURSOR_OPT_GENERIC_PLAN);

	values[0] = name;
	values[1] = Int64GetDatum(wanted->id);
	values[2] = UUIDPGetDatum(&wanted->uuid);
	if (SPI_execute_plan(plan, values, NULL, true, 0) != SPI_OK_SELECT)
		elog(ERROR, "could not read an inventory");
	if (SPI_gettypeid(SPI_tuptable->tupdesc, 1) != INT8OID)
		ereport(ERROR,
				(errcode(ERRCODE_DATATYPE_MISMATCH),
				 errmsg("the columns of a view of an inventory are not the expected ones")));
	if (SPI_processed == 0)
		return 0;
	natts = SPI_tuptable->tupdesc->natts;
	return DatumGetInt64(SPI_getbinval(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, natts,
									   &isnull));
}

/*
 * Tells whether a message may name rows: the caller has SELECT, and row-level
 * security applies to no relation that they come from.  Must be called as the
 * caller.
 */
static bool
may_name_rows(Oid schema, const char *relation)
{
	const char *all = psprintf("all_%s", relation);
	AttachedTable *attached = attached_table_lookup(schema, relation);
	Oid			relids[3];
	int			i;

	relids[0] = get_relname_relid(relation, schema);
	relids[1] = get_relname_relid(all, schema);
	relids[2] = attached ? attached->table : InvalidOid;
	for (i = 0; i < lengthof(relids); i++)
	{
		if (OidIsValid(relids[i]) && !may_see_relation(relids[i]))
			return false;
	}
	return true;
}

/*
 * Returns what a message says of the rows of the SPI result, in the current memory
 * context.
 */
static char *
describe_rows(int64 total)
{
	static const char *const labels[] = {NULL, "id", "uuid", "account", "zone"};
	StringInfoData buf;
	uint64		i;
	int			column;

	initStringInfo(&buf);
	for (i = 0; i < SPI_processed; i++)
	{
		appendStringInfoString(&buf, i > 0 ? "; " : "");
		for (column = 1; column < lengthof(labels); column++)
		{
			char	   *value = SPI_getvalue(SPI_tuptable->vals[i], SPI_tuptable->tupdesc, column);

			if (value)
				appendStringInfo(&buf, "%s%s %s", column > 1 ? ", " : "", labels[column], value);
		}
	}
	if (total > (int64) SPI_processed)
		appendStringInfo(&buf, "; and " INT64_FORMAT " more", total - (int64) SPI_processed);
	return buf.data;
}

/*
 * Raises the error for an argument that means several rows.
 */
static void
refuse_ambiguous(Oid schema, const char *value, const char *relation, int64 total,
				 const char *rows)
{
	char	   *inventory = require_namespace_name(schema);

	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("\"%s\" means " INT64_FORMAT " live %s of inventory \"%s\"", value, total,
					relation, inventory),
			 rows ? errdetail("These have it as id, uuid or name: %s.", rows) :
			 errdetail("They have it as id, uuid or name."),
			 errhint("Give the uuid of one of them, or the id as a bigint instead of a name."),
			 err_generic_string(PG_DIAG_SCHEMA_NAME, inventory),
			 err_generic_string(PG_DIAG_TABLE_NAME, relation),
			 err_generic_string(PG_DIAG_CONSTRAINT_NAME, "ambiguous_name")));
}

/*
 * Finds the id of the live row that the first argument means; false if there is
 * none.  Raises an error if there are several.
 */
static bool
id_of_text(FunctionCallInfo fcinfo, int relation_bit, int64 *id)
{
	Oid			schema = inventory_resolve_fresh_arg(fcinfo, 1);
	Wanted		wanted = {relation_bit};
	const char *relation = relation_of(relation_bit);
	char	   *argument;
	char	   *rows = NULL;
	bool		may_name;
	bool		isnull;
	int64		total;
	RunAs		saved;

	if (PG_ARGISNULL(0))
		return false;
	argument = text_to_cstring(PG_GETARG_TEXT_PP(0));
	read_wanted(argument, &wanted);
	may_name = may_name_rows(schema, relation);

	run_as_inventory_owner(schema, &saved);
	refuse_outsider(fcinfo, schema);
	SPI_connect();
	total = run_name_query(schema, &wanted, wanted.look, PG_GETARG_DATUM(0));
	if (total == 1)
		*id = DatumGetInt64(SPI_getbinval(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, 1,
										  &isnull));
	else if (total > 1)
	{
		if (may_name)
		{
			total = run_name_query(schema, &wanted, wanted.look | LOOK_FOR_DETAILS,
								   PG_GETARG_DATUM(0));
			rows = describe_rows(total);
		}
		refuse_ambiguous(schema, argument, relation, total, rows);
	}
	SPI_finish();
	run_as_end(&saved);
	return total == 1;
}

/*
 * Returns the id of the live network that a text means; NULL if there is none.
 */
PG_FUNCTION_INFO_V1(network_id_of_text);

Datum
network_id_of_text(PG_FUNCTION_ARGS)
{
	int64		id;

	if (!id_of_text(fcinfo, 0, &id))
		PG_RETURN_NULL();
	PG_RETURN_INT64(id);
}

/*
 * Returns the id of the live instance that a text means; NULL if there is none.
 */
PG_FUNCTION_INFO_V1(instance_id_of_text);

Datum
instance_id_of_text(PG_FUNCTION_ARGS)
{
	int64		id;

	if (!id_of_text(fcinfo, LOOK_IN_INSTANCES, &id))
		PG_RETURN_NULL();
	PG_RETURN_INT64(id);
}
