/*
 * accepted_guard.c
 *		The guard of the table in which findings are accepted.
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "catalog/pg_type.h"
#include "commands/trigger.h"
#include "executor/spi.h"
#include "miscadmin.h"
#include "utils/acl.h"
#include "utils/builtins.h"
#include "utils/rel.h"
#include "utils/timestamp.h"

#include "compat.h"
#include "core/trigger_call.h"

/* How the objects of findings about the inventory itself begin. */
#define INVENTORY_OBJECT "inventory"

/*
 * Returns the number of a column; raises 39P01 if the table has no column of that
 * name and type.
 */
static int
column_number(Relation rel, const char *name, Oid type)
{
	int			attnum = SPI_fnumber(RelationGetDescr(rel), name);

	if (attnum <= 0 || SPI_gettypeid(RelationGetDescr(rel), attnum) != type)
		refuse_table(rel, psprintf("It has no column \"%s\" of type %s.", name,
								   format_type_be(type)));
	return attnum;
}

/*
 * Raises an error if a row accepts a finding about the inventory itself.
 */
static void
refuse_inventory_object(Relation rel, HeapTuple tuple, int object)
{
	char	   *value = SPI_getvalue(tuple, RelationGetDescr(rel), object);

	if (value == NULL || pg_strncasecmp(value, INVENTORY_OBJECT, strlen(INVENTORY_OBJECT)) != 0)
		return;
	ereport(ERROR,
			(errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
			 errmsg("only the owner of an inventory can accept findings about the inventory "
					"itself"),
			 errdetail("Object \"%s\" is a guard, or differs from the definition of the "
					   "inventory.", value),
			 errhint("Have the owner correct what is found, or accept it."),
			 errtableconstraint(rel, "accepted_owner_only")));
}

/*
 * Writes into a row who accepts the finding, and when.
 *
 * The role is that of SET ROLE, or of the session: the current user may be the
 * owner of the inventory, for whom a function has switched.  only_missing: values
 * that are not NULL are kept.
 */
static HeapTuple
sign_row(Relation rel, HeapTuple tuple, int accepted_by, int accepted_at, bool only_missing)
{
	TupleDesc	desc = RelationGetDescr(rel);
	int			columns[] = {accepted_by, accepted_at};
	Datum		values[] = {
		CStringGetTextDatum(GetUserNameFromId(GetOuterUserId(), false)),
		TimestampTzGetDatum(GetCurrentTransactionStartTimestamp())
	};
	bool		nulls[] = {false, false};
	int			i;

	for (i = 0; i < lengthof(columns); i++)
	{
		bool		isnull;

		(void) heap_getattr(tuple, columns[i], desc, &isnull);
		if (only_missing && !isnull)
			continue;
		tuple = heap_modify_tuple_by_cols(tuple, desc, 1, &columns[i], &values[i], &nulls[i]);
	}
	return tuple;
}

/*
 * Lets only the owner of an inventory accept findings about the inventory itself,
 * and signs the row.
 *
 * A BEFORE trigger on INSERT, UPDATE and DELETE, for each row.  Other roles with
 * the privileges on the table cannot sign as another role; the owner can, for
 * rows that come from another inventory.
 */
PG_FUNCTION_INFO_V1(accepted_guard);

Datum
accepted_guard(PG_FUNCTION_ARGS)
{
	TriggerData *trigdata = trigger_call_check(fcinfo, "accepted_guard",
											   TRIGGER_EVENT_BEFORE, TRIGGER_EVENT_ROW,
											   GUARD_INSERT | GUARD_UPDATE | GUARD_DELETE);
	Relation	rel = trigdata->tg_relation;
	int			object = column_number(rel, "object", TEXTOID);
	int			accepted_by = column_number(rel, "accepted_by", TEXTOID);
	int			accepted_at = column_number(rel, "accepted_at", TIMESTAMPTZOID);
	bool		is_update = TRIGGER_FIRED_BY_UPDATE(trigdata->tg_event);
	HeapTuple	result = is_update ? trigdata->tg_newtuple : trigdata->tg_trigtuple;
	bool		is_owner = has_privs_of_role(GetUserId(), rel->rd_rel->relowner);

	if (!is_owner)
	{
		refuse_inventory_object(rel, trigdata->tg_trigtuple, object);
		if (is_update)
			refuse_inventory_object(rel, trigdata->tg_newtuple, object);
	}
	if (!TRIGGER_FIRED_BY_DELETE(trigdata->tg_event))
		result = sign_row(rel, result, accepted_by, accepted_at, is_owner);
	return PointerGetDatum(result);
}
