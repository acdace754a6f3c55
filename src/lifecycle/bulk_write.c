/*
 * bulk_write.c
 *		Checks and statements that a purge and an import share.
 */
#include "postgres.h"

#include "access/relation.h"
#include "catalog/namespace.h"
#include "catalog/pg_class.h"
#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "miscadmin.h"
#include "storage/lockdefs.h"
#include "utils/acl.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"

#include "compat.h"
#include "core/inventory.h"
#include "core/run_as.h"
#include "core/shell_table.h"
#include "lifecycle/bulk_write.h"

/* Columns whose values are read or compared as bigint or timestamptz. */
static const struct
{
	const char *table;
	const char *column;
	Oid			type;
}			needed[] = {
	{"all_networks", "id", INT8OID},
	{"all_networks", "removed", TIMESTAMPTZOID},
	{"all_instances", "id", INT8OID},
	{"all_instances", "removed", TIMESTAMPTZOID},
	{"all_nics", "id", INT8OID},
	{"all_nics", "network_id", INT8OID},
	{"all_nics", "instance_id", INT8OID},
	{"all_nics", "removed", TIMESTAMPTZOID},
	{"all_nic_secondary_ips", "id", INT8OID},
	{"all_nic_secondary_ips", "nic_id", INT8OID},
	{"all_ip_ranges", "id", INT8OID},
	{"all_ip_ranges", "removed", TIMESTAMPTZOID},
	{"all_ip_addresses", "id", INT8OID},
	{"all_ip_addresses", "removed", TIMESTAMPTZOID},
	{"nic_history", "nic_id", INT8OID},
	{"nic_address_history", "nic_id", INT8OID}
};

/*
 * Raises an error unless the current user has the rights of the owner of an
 * inventory, and all of its relations are the owner's.  Takes no lock.
 */
void
require_owner_rights(Oid schema)
{
	Oid			owner = inventory_owner(schema);

	if (!OidIsValid(owner) || !has_privs_of_role(GetUserId(), owner))
		aclcheck_error(ACLCHECK_NOT_OWNER, OBJECT_SCHEMA, require_namespace_name(schema));
	require_one_owner(schema);
}

/* Raises the error about a table without the structure that is needed. */
static void
refuse_shape(Oid schema, const char *table, const char *why)
{
	char	   *name = require_namespace_name(schema);

	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("table \"%s\" of inventory \"%s\" does not have the structure that an "
					"inventory needs",
					table, name),
			 errdetail_internal("%s", why),
			 errhint("SELECT * FROM vmnet.check_inventory(%s); shows what differs.",
					 quote_literal_cstr(name)),
			 err_generic_string(PG_DIAG_SCHEMA_NAME, name),
			 err_generic_string(PG_DIAG_TABLE_NAME, table)));
}

/*
 * Opens a table of an inventory that is about to be written to, and raises an
 * error if it is not an ordinary table.  It stays locked in AccessShareLock until
 * the transaction ends, so that it is not altered meanwhile.
 */
static Relation
open_table(Oid schema, const char *name)
{
	Oid			relid = get_relname_relid(name, schema);
	Relation	rel;

	if (!OidIsValid(relid))
		refuse_shape(schema, name, "It does not exist.");
	rel = relation_open(relid, AccessShareLock);
	if (rel->rd_rel->relkind != RELKIND_RELATION &&
		rel->rd_rel->relkind != RELKIND_PARTITIONED_TABLE)
		refuse_shape(schema, name, "It is not an ordinary table.");

	refuse_shell(rel, psprintf("write inventory \"%s\"", require_namespace_name(schema)));
	return rel;
}

/* Raises an error unless a table is an ordinary one; locks it as open_table(). */
void
require_ordinary_table(Oid schema, const char *name)
{
	relation_close(open_table(schema, name), NoLock);
}

/*
 * Raises an error if the tables of an inventory are not ordinary ones, or their
 * columns have other types than those that are read.  A domain is another type.
 * The tables are locked as by open_table().
 */
void
require_inventory_tables(Oid schema)
{
	int			i;

	for (i = 0; i < lengthof(needed); i++)
	{
		Relation	rel = open_table(schema, needed[i].table);
		TupleDesc	desc = RelationGetDescr(rel);
		int			column = SPI_fnumber(desc, needed[i].column);

		if (column <= 0)
			refuse_shape(schema, needed[i].table,
						 psprintf("It has no column \"%s\".", needed[i].column));
		if (SPI_gettypeid(desc, column) != needed[i].type)
			refuse_shape(schema, needed[i].table,
						 psprintf("Its column \"%s\" is of type %s, and must be of type %s.",
								  needed[i].column,
								  format_type_be(SPI_gettypeid(desc, column)),
								  format_type_be(needed[i].type)));
		relation_close(rel, NoLock);
	}
}

/*
 * Sets deferrable constraints on the tables of an inventory, and foreign keys
 * that refer to them, to IMMEDIATE until the transaction ends.
 *
 * Must be called before the current user is switched: in a security-restricted
 * operation nothing can be deferred.
 */
void
check_references_at_once(Oid schema)
{
	static const char *const query =
	"SELECT CASE WHEN pg_catalog.bool_and(pg_catalog.has_schema_privilege(c.connamespace, 'USAGE'))"
	" THEN pg_catalog.string_agg(DISTINCT pg_catalog.format('%I.%I', n.nspname, c.conname), ', ')"
	" ELSE 'ALL' END"
	" FROM pg_catalog.pg_constraint c"
	" JOIN pg_catalog.pg_namespace n ON n.oid OPERATOR(pg_catalog.=) c.connamespace"
	" JOIN pg_catalog.pg_class t ON t.oid OPERATOR(pg_catalog.=)"
	" CASE WHEN c.contype OPERATOR(pg_catalog.=) 'f' THEN c.confrelid"
	" WHEN c.contype OPERATOR(pg_catalog.=) 't' THEN c.conrelid END"
	" WHERE c.condeferrable AND t.relnamespace OPERATOR(pg_catalog.=) $1"
	" HAVING pg_catalog.count(*) OPERATOR(pg_catalog.>) 0";
	Oid			argtypes[1] = {OIDOID};
	Datum		values[1];
	char	   *names;

	values[0] = ObjectIdGetDatum(schema);
	if (SPI_execute_with_args(query, 1, argtypes, values, NULL, false, 1) != SPI_OK_SELECT)
		elog(ERROR, "could not look for deferrable constraints");
	if (SPI_processed == 0)
		return;
	names = SPI_getvalue(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, 1);
	SPI_freetuptable(SPI_tuptable);
	if (SPI_execute(psprintf("SET CONSTRAINTS %s IMMEDIATE", names), false, 0) != SPI_OK_UTILITY)
		elog(ERROR, "could not have constraints checked at once");
}

/*
 * Runs a statement that writes to a table of an inventory; returns the number of
 * rows.  expected is the result code of SPI that the statement has without rules.
 */
int64
bulk_write(const char *sql, int expected, Oid schema, const char *table,
		   int nargs, Oid *argtypes, Datum *values)
{
	int			result = SPI_execute_with_args(sql, nargs, argtypes, values, NULL, false, 0);

	if (result != expected)
		ereport(ERROR,
				(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
				 errmsg("could not write to table \"%s\" of inventory \"%s\"",
						table, require_namespace_name(schema)),
				 errdetail("A rule on the table rewrites the statement."),
				 errhint("Drop the rule; a purge and an import must write to the table itself.")));
	return (int64) SPI_processed;
}
