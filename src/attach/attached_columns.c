/*
 * attached_columns.c
 *		What read functions say where attached tables cannot answer.
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
 * The read functions take and return bigint.  An inventory with other keys is
 * read through its views.
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
				 errdetail("The ids of its view \"%s\" are of type %s.", relations[i], format_type_be(type)),
				 errhint("Use its views: %s says which instances are active where.",
						 quote_qualified_identifier(require_namespace_name(schema), "network_instances"))));
	}
}

/*
 * Has an attached inventory the column that a question needs?  An error that
 * names it, where it has not.  Networks and instances that are made from the
 * NICs have their id only.
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
			 errmsg("inventory \"%s\" cannot answer this: its %s have no column \"%s\"",
					require_namespace_name(schema), strcmp(role, "nics") == 0 ? "NICs" : role, column),
			 table && OidIsValid(table->table) ?
			 errdetail("It stands on table \"%s\".", get_rel_name(table->table)) :
			 errdetail("It has no table of %s.", role),
			 errhint("If there is such a column under another name, detach it and attach it again with that in \"columns\".")));
}

/*
 * Where rows of an attached table can be removed, is it known when?  What has
 * no column for it has only rows that are there.
 */
void
attached_check_times(Oid schema, const char *role)
{
	AttachedTable *table = attached_table_lookup(schema, role);

	if (table == NULL || !table->no_time)
		return;
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("inventory \"%s\" cannot answer this: its %s have no column \"removed\" with a time",
					require_namespace_name(schema), strcmp(role, "nics") == 0 ? "NICs" : role),
			 errdetail("Table \"%s\" tells that a row was removed, but not when.",
					   get_rel_name(OidIsValid(table->table) ? table->table : table->view)),
			 errhint("If it has such a column, detach the inventory and attach it again with that as \"time\" of \"removed\" in \"columns\".")));
}

/*
 * Is there anything that a table of NICs tells of the past?
 */
void
attached_check_history(Oid schema)
{
	AttachedTable *table = attached_table_lookup(schema, "nics");

	if (table && table->lacks[ATTACHED_STATE] && table->lacks[ATTACHED_REMOVED])
		attached_check_column(schema, "nics", "created");
}
