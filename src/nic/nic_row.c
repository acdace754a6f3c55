/*
 * nic_row.c
 *		Values of a NIC by attribute number, and the rules for such rows.
 */
#include "postgres.h"

#include "lib/stringinfo.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/datum.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"

#include "compat.h"
#include "core/visibility.h"
#include "nic/nic_columns.h"
#include "nic/nic_row.h"
#include "nic/nic_times.h"

/*
 * Tells whether a column, by its attribute number, is the same in two rows.
 */
bool
same_attribute(TupleTableSlot *a, TupleTableSlot *b, AttrNumber attnum)
{
	Form_pg_attribute att;
	bool		anull;
	bool		bnull;
	Datum		avalue = slot_getattr(a, attnum, &anull);
	Datum		bvalue = slot_getattr(b, attnum, &bnull);

	if (anull || bnull)
		return anull && bnull;

	att = TupleDescAttr(a->tts_tupleDescriptor, attnum - 1);
	if (att->attbyval)
		return avalue == bvalue;
	return datum_image_eq(avalue, bvalue, false, att->attlen);
}

/*
 * Tells whether a column is the same in two rows; true if the table lacks it.
 */
bool
nic_same(const NicTable *table, TupleTableSlot *a, TupleTableSlot *b, NicColumn column)
{
	AttrNumber	attnum = table->attnum[column];

	return attnum == InvalidAttrNumber || same_attribute(a, b, attnum);
}

/*
 * Returns the state of a NIC; NIC_UNKNOWN_STATE for NULL, which is possible only
 * if the owner has dropped NOT NULL.
 */
NicState
nic_row_state(const NicTable *table, TupleTableSlot *slot)
{
	return nic_null(table, slot, NIC_STATE) ? NIC_UNKNOWN_STATE :
		nic_state_from_text(DatumGetTextPP(nic_value(table, slot, NIC_STATE)));
}

/*
 * Returns the strategy of a NIC; NIC_UNKNOWN_STRATEGY for NULL.
 */
NicStrategy
nic_row_strategy(const NicTable *table, TupleTableSlot *slot)
{
	return nic_null(table, slot, NIC_STRATEGY) ? NIC_UNKNOWN_STRATEGY :
		nic_strategy_from_text(DatumGetTextPP(nic_value(table, slot, NIC_STRATEGY)));
}

/*
 * The functions of NicReader.
 */

static const NicTable *
table_of(const NicRules *rules)
{
	return ((const NicTableRules *) rules)->table;
}

static Datum
row_value(const NicRules *rules, TupleTableSlot *row, NicColumn column, bool *isnull)
{
	return nic_column(table_of(rules), row, column, isnull);
}

static bool
row_same(const NicRules *rules, TupleTableSlot *old, TupleTableSlot *new, NicColumn column)
{
	return nic_same(table_of(rules), old, new, column);
}

/*
 * Returns a column as text for messages; "?" if the table lacks it.
 */
static char *
row_output(const NicRules *rules, TupleTableSlot *row, NicColumn column)
{
	AttrNumber	attnum = table_of(rules)->attnum[column];
	Oid			output;
	bool		isvarlena;
	bool		isnull;
	Datum		value;

	if (attnum == InvalidAttrNumber)
		return pstrdup("?");

	value = slot_getattr(row, attnum, &isnull);
	if (isnull)
		return pstrdup("null");

	getTypeOutputInfo(TupleDescAttr(row->tts_tupleDescriptor, attnum - 1)->atttypid,
					  &output, &isvarlena);
	return OidOutputFunctionCall(output, value);
}

/*
 * Describes a NIC for DETAIL: "NIC 7 (uuid ...) on network 204, of instance 3,
 * has strategy ...".
 */
static char *
row_description(const NicRules *rules, TupleTableSlot *row)
{
	const NicTable *table = table_of(rules);
	StringInfoData buf;

	initStringInfo(&buf);
	appendStringInfo(&buf, "NIC %s (uuid %s) on network %s",
					 row_output(rules, row, NIC_ID),
					 row_output(rules, row, NIC_UUID),
					 row_output(rules, row, NIC_NETWORK_ID));
	if (nic_null(table, row, NIC_INSTANCE_ID))
		appendStringInfoString(&buf, ", of no instance,");
	else
		appendStringInfo(&buf, ", of instance %s,",
						 row_output(rules, row, NIC_INSTANCE_ID));
	appendStringInfo(&buf, " has strategy \"%s\" and state \"%s\"",
					 row_output(rules, row, NIC_STRATEGY),
					 row_output(rules, row, NIC_STATE));
	if (!nic_null(table, row, NIC_REMOVED))
		appendStringInfo(&buf, ", removed at %s",
						 row_output(rules, row, NIC_REMOVED));
	appendStringInfoChar(&buf, '.');
	return buf.data;
}

static bool
row_may_see(const NicRules *rules, Oid relid)
{
	return may_see_relation(relid);
}

/*
 * Locks the network or the instance of a NIC, found by the foreign key of the
 * column; see NicReader.
 */
static ParentStatus
row_lock_parent(const NicRules *rules, TupleTableSlot *row, NicColumn column,
				TimestampTz *removed, Oid *parent)
{
	const NicTable *table = table_of(rules);
	const ParentKey *key = column == NIC_NETWORK_ID ? &table->network : &table->instance;
	bool		isnull;
	Datum		value = slot_getattr(row, key->column, &isnull);

	/* A NIC without an instance is a placeholder; a CHECK verifies that. */
	if (isnull)
		return PARENT_LIVE;

	*parent = key->relid;
	return parent_lock(key, value, LockTupleKeyShare, removed);
}

/*
 * Returns the name of a changed column other than the uuid; NULL if there is
 * none.  Columns that users have added may change.
 */
static const char *
row_changed_column(const NicRules *rules, TupleTableSlot *old, TupleTableSlot *new)
{
	int			i;

	for (i = 0; i < NIC_COLUMN_COUNT; i++)
	{
		if (i != NIC_UUID && !nic_same(table_of(rules), old, new, i))
			return nic_column_name(i);
	}
	return nic_other_column_changed(rules->rel, old, new);
}

static const NicReader row_reader = {
	.value = row_value,
	.same = row_same,
	.output = row_output,
	.description = row_description,
	.may_see = row_may_see,
	.lock_parent = row_lock_parent,
	.check_times = nic_check_times,
	.changed_column = row_changed_column
};

/*
 * Makes the rules for a NIC table, whose rows the current user has written.
 */
void
nic_table_rules(NicTableRules *result, Relation rel, const NicTable *table)
{
	result->rules.reader = &row_reader;
	result->rules.rel = rel;
	result->rules.user = GetUserId();
	result->rules.level = ERROR;
	result->rules.managed = true;
	result->table = table;
}
