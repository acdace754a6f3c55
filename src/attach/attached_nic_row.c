/*
 * attached_nic_row.c
 *		The rules of a NIC for rows that are read through an attached view.
 *
 * The functions of NicReader.  The current user is the owner of the table, as
 * whom the expressions of the view are evaluated.
 */
#include "postgres.h"

#include "lib/stringinfo.h"
#include "utils/builtins.h"
#include "utils/rel.h"

#include "compat.h"
#include "attach/attached_guard.h"
#include "attach/attached_nic_row.h"
#include "attach/attached_parent.h"
#include "attach/attached_row.h"
#include "attach/attached_table.h"
#include "nic/nic_rules.h"
#include "nic/parent_lock.h"

static AttachedGuard *
guard_of(const NicRules *rules)
{
	return ((const AttachedNicRules *) rules)->guard;
}

/*
 * Returns the column of the view in which the rules find a column of a NIC.
 * Parents are referred to by their keys.
 */
static AttachedColumn
view_column(NicColumn column)
{
	switch (column)
	{
		case NIC_ID:
			return ATTACHED_ID;
		case NIC_NETWORK_ID:
			return ATTACHED_NETWORK_KEY;
		case NIC_INSTANCE_ID:
			return ATTACHED_INSTANCE_KEY;
		case NIC_STATE:
			return ATTACHED_STATE;
		case NIC_STRATEGY:
			return ATTACHED_STRATEGY;
		case NIC_REMOVED:
			return ATTACHED_REMOVED;
		default:
			elog(ERROR, "column \"%s\" of attached NICs is not checked", nic_column_name(column));
			return ATTACHED_ID; /* keep compiler quiet */
	}
}

static Datum
row_value(const NicRules *rules, TupleTableSlot *row, NicColumn column, bool *isnull)
{
	return attached_value(guard_of(rules)->table, row, view_column(column), isnull);
}

static bool
row_same(const NicRules *rules, TupleTableSlot *old, TupleTableSlot *new, NicColumn column)
{
	return attached_same(guard_of(rules)->table, old, new, view_column(column));
}

static char *
row_output(const NicRules *rules, TupleTableSlot *row, NicColumn column)
{
	return attached_output(guard_of(rules)->table, row, view_column(column));
}

/*
 * Describes a NIC for DETAIL: "NIC 7 on network 204, of instance 3, has state ...".
 */
static char *
row_description(const NicRules *rules, TupleTableSlot *row)
{
	AttachedTable *table = guard_of(rules)->table;
	StringInfoData buf;

	initStringInfo(&buf);
	appendStringInfo(&buf, "NIC %s on network %s, of %s",
					 attached_output(table, row, ATTACHED_ID),
					 attached_output(table, row, ATTACHED_NETWORK_KEY),
					 attached_is_null(table, row, ATTACHED_INSTANCE_KEY) ? "no instance" :
					 psprintf("instance %s", attached_output(table, row, ATTACHED_INSTANCE_KEY)));
	if (!table->lacks[ATTACHED_STATE])
		appendStringInfo(&buf, ", has state \"%s\"", attached_output(table, row, ATTACHED_STATE));
	if (!attached_is_null(table, row, ATTACHED_REMOVED))
		appendStringInfo(&buf, ", removed at %s", attached_output(table, row, ATTACHED_REMOVED));
	appendStringInfoChar(&buf, '.');
	return buf.data;
}

static bool
row_may_see(const NicRules *rules, Oid relid)
{
	return attached_may_see(guard_of(rules), relid);
}

/*
 * Locks the network or the instance of a NIC, found by its key; see NicReader.
 * One that has no table is not checked.
 */
static ParentStatus
row_lock_parent(const NicRules *rules, TupleTableSlot *row, NicColumn column,
				TimestampTz *removed, Oid *parent)
{
	AttachedTable *table = guard_of(rules)->table;
	AttachedColumn key = view_column(column);
	AttachedTable *parent_table;
	bool		isnull;
	Datum		value = attached_value(table, row, key, &isnull);

	if (isnull)
		return PARENT_LIVE;
	parent_table = attached_related(rules->rel, table,
									column == NIC_NETWORK_ID ? "networks" : "instances");
	if (parent_table == NULL)
		return PARENT_LIVE;

	*parent = parent_table->table;
	return attached_parent_lock(parent_table, table->type[key], value,
								LockTupleKeyShare, removed);
}

static const NicReader row_reader = {
	.value = row_value,
	.same = row_same,
	.output = row_output,
	.description = row_description,
	.may_see = row_may_see,
	.lock_parent = row_lock_parent
};

/*
 * Makes the rules for the table that a guard fired on; they are valid until
 * attached_guard_end().
 */
void
attached_nic_rules(AttachedNicRules *result, AttachedGuard *guard)
{
	result->rules.reader = &row_reader;
	result->rules.rel = guard->rel;
	result->rules.user = guard->writer.user;
	result->rules.level = attached_refusal_level(guard);
	result->rules.managed = false;
	result->guard = guard;
}
