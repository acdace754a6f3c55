/*
 * attached_columns.c
 *		Errors of read functions where an attached inventory lacks a column.
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"

#include "compat.h"
#include "attach/attached_columns.h"
#include "attach/attached_row.h"
#include "core/inventory.h"

/*
 * Raises an error unless the keys of an attached inventory are bigint.
 *
 * The read functions have bigint arguments and results.  An inventory with
 * other keys is read through its views.
 */
void
attached_check_keys(Oid schema)
{
	static const char *const relations[] = {"all_networks", "all_instances", "all_nics"};
	int			i;

	if (!OidIsValid(get_relname_relid("attached_nics", schema)))
		return;
	for (i = 0; i < lengthof(relations); i++)
	{
		Oid			relid = get_relname_relid(relations[i], schema);
		AttrNumber	id = OidIsValid(relid) ? get_attnum(relid, "id") : InvalidAttrNumber;
		Oid			type = id != InvalidAttrNumber ? get_atttype(relid, id) : INT8OID;

		if (type == INT8OID)
			continue;
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("inventory \"%s\" cannot be read by functions that take bigint",
						require_namespace_name(schema)),
				 errdetail("The ids of its view \"%s\" are of type %s.",
						   relations[i], format_type_be(type)),
				 errhint("Use its views: %s lists the active instances of each network.",
						 quote_qualified_identifier(require_namespace_name(schema),
													"network_instances"))));
	}
}

/*
 * Raises an error if an attached inventory lacks a column that a query needs.
 *
 * The error names the column.  Networks and instances that are derived from
 * the NICs have the column "id" only.
 */
void
attached_check_column(Oid schema, const char *role, const char *column)
{
	AttachedTable *nics = attached_table_lookup(schema, "nics");
	AttachedTable *table;

	if (nics == NULL)
		return;
	table = attached_table_lookup(schema, role);
	if (table && !attached_lacks_column(table, column))
		return;
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("this function cannot read inventory \"%s\": its %s have no column \"%s\"",
					require_namespace_name(schema), strcmp(role, "nics") == 0 ? "NICs" : role,
					column),
			 table && OidIsValid(table->table) ?
			 errdetail("They are read from table \"%s\".", get_rel_name(table->table)) :
			 errdetail("It has no table of %s.", role),
			 errhint("If the table has this column under another name, detach the inventory and "
					 "attach it again with that name in \"columns\".")));
}

/*
 * Raises an error if an attached table records removal without its time.
 *
 * A table that has no column for removal holds only rows that exist.
 */
void
attached_check_times(Oid schema, const char *role)
{
	AttachedTable *table = attached_table_lookup(schema, role);

	if (table == NULL || !table->no_time)
		return;
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("this function cannot read inventory \"%s\": its %s have no column \"removed\" "
					"with a time",
					require_namespace_name(schema), strcmp(role, "nics") == 0 ? "NICs" : role),
			 errdetail("Table \"%s\" records that a row was removed, but not when.",
					   get_rel_name(OidIsValid(table->table) ? table->table : table->view)),
			 errhint("If it has a column for the time, detach the inventory and attach it again "
					 "with that name as \"time\" of \"removed\" in \"columns\".")));
}

/*
 * Raises an error if the table of NICs records nothing about the past.
 */
void
attached_check_history(Oid schema)
{
	AttachedTable *table = attached_table_lookup(schema, "nics");

	if (table && table->lacks[ATTACHED_STATE] && table->lacks[ATTACHED_REMOVED])
		attached_check_column(schema, "nics", "created");
}
