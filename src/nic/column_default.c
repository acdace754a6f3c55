/*
 * column_default.c
 *		NULL in an INSERT stands for the default of the column.
 *
 * Object-relational mappers send every column of a row, those that were not set
 * as NULL.  So a NULL becomes the default of its column, if the inventory has
 * defined the column, it is NOT NULL and it has a default.  Columns that users
 * have added keep their NULL.
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "catalog/pg_type.h"
#include "commands/trigger.h"
#include "executor/executor.h"
#include "executor/spi.h"
#include "optimizer/optimizer.h"
#include "rewrite/rewriteHandler.h"
#include "utils/builtins.h"
#include "utils/datum.h"
#include "utils/rel.h"

#include "compat.h"
#include "core/relation_cache.h"
#include "core/trigger_call.h"
#include "nic/column_default.h"

/*
 * Columns of the tables of an inventory that are NOT NULL and have a default;
 * tap_null_default.sql compares them with inventory_columns().
 */
static const char *const filled_columns[] = {
	"id", "uuid", "state", "traffic_type", "type", "strategy", "vm_type", "enabled",
	"created", "state_changed"
};

typedef struct ColumnDefault
{
	AttrNumber	attnum;
	Node	   *expr;			/* NULL: value is the default */
	Datum		value;
} ColumnDefault;

/* The defaults of a table; see table_defaults_lookup(). */
typedef struct TableDefaults
{
	CachedRelation cached;		/* must be first */
	int			n;
	ColumnDefault columns[lengthof(filled_columns)];
} TableDefaults;

static RelationCache table_defaults = {
	.name = "vmnet column defaults",
	.size = sizeof(TableDefaults)
};

/*
 * Raises 39P01 if a table has not the columns that all tables of an inventory
 * have.
 */
static void
check_table(Relation rel)
{
	static const struct
	{
		const char *name;
		Oid			type;
	}			needed[] = {
		{"id", INT8OID}, {"created", TIMESTAMPTZOID},
		{"removed", TIMESTAMPTZOID}, {"active", BOOLOID}
	};
	TupleDesc	desc = RelationGetDescr(rel);
	int			i;

	for (i = 0; i < lengthof(needed); i++)
	{
		int			attnum = SPI_fnumber(desc, needed[i].name);

		if (attnum <= 0 || SPI_gettypeid(desc, attnum) != needed[i].type)
			refuse_table(rel, psprintf("It has no column \"%s\" of type %s.", needed[i].name,
									   format_type_be(needed[i].type)));
	}
}

/*
 * Adds the default of a column to those of its table, in the current memory context.
 *
 * A constant is kept as a value.  Another expression is kept as it is and
 * initialized for each row, so that the right to call its functions is that of
 * the current user.
 */
static void
add_column(TableDefaults *defaults, Relation rel, AttrNumber attnum)
{
	Form_pg_attribute att = TupleDescAttr(RelationGetDescr(rel), attnum - 1);
	ColumnDefault *column;
	Node	   *expr;

	if (!att->attnotnull || !(att->atthasdef || att->attidentity) || att->attgenerated)
		return;
	expr = build_column_default(rel, attnum);
	if (expr == NULL)
		return;

	column = &defaults->columns[defaults->n];
	column->attnum = attnum;
	if (IsA(expr, Const))
	{
		Const	   *constant = (Const *) expr;

		if (constant->constisnull)
			return;
		column->expr = NULL;
		column->value = datumCopy(constant->constvalue, att->attbyval, att->attlen);
	}
	else
		column->expr = expr;
	defaults->n++;
}

/*
 * Returns the defaults of a table; raises 39P01 if it is not one of an inventory.
 *
 * The result is valid until the end of the transaction.
 */
static TableDefaults *
table_defaults_lookup(Relation rel)
{
	TableDefaults *defaults = (TableDefaults *)
	relation_cache_find(&table_defaults, RelationGetRelid(rel));
	MemoryContext old;
	int			i;

	if (defaults)
		return defaults;

	check_table(rel);
	defaults = (TableDefaults *) relation_cache_begin(&table_defaults, RelationGetRelid(rel));
	old = MemoryContextSwitchTo(defaults->cached.context);
	for (i = 0; i < lengthof(filled_columns); i++)
	{
		int			attnum = SPI_fnumber(RelationGetDescr(rel), filled_columns[i]);

		if (attnum > 0)
			add_column(defaults, rel, attnum);
	}
	MemoryContextSwitchTo(old);
	relation_cache_store(&table_defaults, &defaults->cached);
	return defaults;
}

/*
 * Evaluates the default of a column as the current user; the value is in the
 * current memory context.  Returns false if it is NULL.
 */
static bool
default_value(Relation rel, const ColumnDefault *column, Datum *value)
{
	Form_pg_attribute att = TupleDescAttr(RelationGetDescr(rel), column->attnum - 1);
	ExprContext *econtext;
	ExprState  *state;
	bool		isnull;

	if (column->expr == NULL)
	{
		*value = column->value;
		return true;
	}
	state = ExecInitExpr(expression_planner(copyObject((Expr *) column->expr)), NULL);
	econtext = CreateStandaloneExprContext();
	*value = ExecEvalExprSwitchContext(state, econtext, &isnull);
	if (!isnull)
		*value = datumCopy(*value, att->attbyval, att->attlen);
	FreeExprContext(econtext, true);
	return !isnull;
}

/*
 * Returns the row of a slot as a new tuple, with some columns replaced, in the
 * current memory context.
 *
 * heap_modify_tuple() would deform the tuple again, whose values the slot has.
 */
HeapTuple
tuple_with_columns(TupleTableSlot *slot, int n, const int *columns, const Datum *new_values)
{
	TupleDesc	desc = slot->tts_tupleDescriptor;
	Datum	   *values = palloc(desc->natts * sizeof(Datum));
	bool	   *nulls = palloc(desc->natts * sizeof(bool));
	HeapTuple	tuple;
	int			i;

	slot_getallattrs(slot);
	memcpy(values, slot->tts_values, desc->natts * sizeof(Datum));
	memcpy(nulls, slot->tts_isnull, desc->natts * sizeof(bool));
	for (i = 0; i < n; i++)
	{
		values[columns[i] - 1] = new_values[i];
		nulls[columns[i] - 1] = false;
	}

	tuple = heap_form_tuple(desc, values, nulls);
	pfree(values);
	pfree(nulls);
	return tuple;
}

/*
 * Replaces the NULLs of a new row by the defaults of their columns.  Returns NULL
 * if there is nothing to replace, otherwise a new tuple in the current memory
 * context.
 */
HeapTuple
fill_column_defaults(Relation rel, TupleTableSlot *slot)
{
	TableDefaults *defaults = table_defaults_lookup(rel);
	ColumnDefault *missing[lengthof(filled_columns)];
	int			columns[lengthof(filled_columns)];
	Datum		values[lengthof(filled_columns)];
	int			found = 0;
	int			n = 0;
	int			i;

	for (i = 0; i < defaults->n; i++)
	{
		if (slot_attisnull(slot, defaults->columns[i].attnum))
			missing[found++] = &defaults->columns[i];
	}
	if (found == 0)
		return NULL;

	for (i = 0; i < found; i++)
	{
		columns[n] = missing[i]->attnum;
		if (default_value(rel, missing[i], &values[n]))
			n++;
	}
	return tuple_with_columns(slot, n, columns, values);
}

/*
 * Replaces the NULLs of a new row by the defaults of their columns.
 *
 * A BEFORE trigger on INSERT of a table of an inventory, for each row.
 */
PG_FUNCTION_INFO_V1(fill_defaults);

Datum
fill_defaults(PG_FUNCTION_ARGS)
{
	TriggerData *trigdata = trigger_call_check(fcinfo, "fill_defaults",
											   TRIGGER_EVENT_BEFORE, TRIGGER_EVENT_ROW,
											   GUARD_INSERT);
	HeapTuple	filled = fill_column_defaults(trigdata->tg_relation, trigdata->tg_trigslot);

	return PointerGetDatum(filled ? filled : trigdata->tg_trigtuple);
}
