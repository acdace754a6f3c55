/*
 * attach_read.c
 *		What read functions say where attached tables cannot answer.
 */
#include "compat.h"

#include "catalog/pg_type.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"

#include "attach.h"

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
						get_namespace_name(schema)),
				 errdetail("The ids of its view \"%s\" are of type %s.", relations[i], format_type_be(type)),
				 errhint("Use its views: %s says which instances are active where.",
						 quote_qualified_identifier(get_namespace_name(schema), "network_instances"))));
	}
}

/*
 * Has the inventory's table of NICs what a question about the past or about
 * states needs?  An error that names the column, where it has not.
 */
void
attached_check_column(Oid schema, const char *column)
{
	AttachedTable *table = attached_table_lookup(schema, "nics");
	bool		lacks;
	bool		no_time = false;

	if (table == NULL)
		return;
	if (strcmp(column, "removed") == 0)
	{
		no_time = table->no_time;
		lacks = table->lacks[ATTACHED_REMOVED] || no_time;
	}
	else if (strcmp(column, "created") == 0)
		lacks = table->lacks[ATTACHED_CREATED];
	else if (strcmp(column, "state") == 0)
		lacks = table->lacks[ATTACHED_STATE];
	else
		lacks = table->lacks[ATTACHED_STATE_CHANGED];
	if (!lacks)
		return;
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("inventory \"%s\" cannot answer this: its NICs have no column \"%s\"%s",
					get_namespace_name(schema), column, no_time ? " with a time" : ""),
			 errdetail("It stands on table \"%s\".", get_rel_name(table->table)),
			 errhint("If the table has such a column under another name, detach it and attach it again with that in \"columns\".")));
}
