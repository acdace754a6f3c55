/*
 * nic_check_refusal.c
 *		Refusals of what the CHECK constraints of a NIC table refuse.
 *
 * The server says of a CHECK only its name and the row.  nic_prepare() judges the
 * same rules before it, with the names of the constraints and in the order of
 * these, so that an error says what was found and what to do.  The constraints
 * decide: where the table lacks one, or a trigger that fires later may still
 * change the row, nothing is refused here.
 */
#include "postgres.h"

#include <sys/socket.h>

#include "catalog/pg_trigger.h"
#include "lib/stringinfo.h"
#include "utils/inet.h"
#include "utils/rel.h"
#include "utils/timestamp.h"

#include "compat.h"
#include "nic/nic_check_refusal.h"
#include "nic/nic_checks.h"
#include "nic/nic_row.h"
#include "nic/nic_rules.h"
#include "nic/nic_state.h"

/* A CHECK of a NIC table.  As in the constraint, a NULL that it compares holds. */
typedef struct NicCheck
{
	const char *constraint;
	bool		(*holds) (const NicTable *table, TupleTableSlot *row);
	NicColumn	column;			/* that the refusal names */
	const char *hint;			/* NULL: the states or the strategies */
} NicCheck;

/*
 * Tells whether a time, or NULL, is finite.
 */
static bool
is_finite(const NicTable *table, TupleTableSlot *row, NicColumn column)
{
	bool		isnull;
	TimestampTz time = DatumGetTimestampTz(nic_column(table, row, column, &isnull));

	return isnull || !TIMESTAMP_NOT_FINITE(time);
}

static bool
created_finite(const NicTable *table, TupleTableSlot *row)
{
	return is_finite(table, row, NIC_CREATED);
}

static bool
removed_finite(const NicTable *table, TupleTableSlot *row)
{
	return is_finite(table, row, NIC_REMOVED);
}

static bool
default_nic_present(const NicTable *table, TupleTableSlot *row)
{
	return !nic_null(table, row, NIC_DEFAULT_NIC);
}

static bool
instance_required(const NicTable *table, TupleTableSlot *row)
{
	return !nic_null(table, row, NIC_INSTANCE_ID) || nic_null(table, row, NIC_STRATEGY) ||
		!nic_null(table, row, NIC_REMOVED) ||
		nic_row_strategy(table, row) == NIC_PLACEHOLDER;
}

/*
 * Tells whether an address of a NIC is one of a family; true if there is none.
 */
static bool
address_valid(const NicTable *table, TupleTableSlot *row, NicColumn column, int family)
{
	bool		isnull = true;
	Datum		value = (Datum) 0;

	if (table->attnum[column] != InvalidAttrNumber)
		value = nic_column(table, row, column, &isnull);
	return isnull || is_one_address(DatumGetInetPP(value), family);
}

static bool
ip4_valid(const NicTable *table, TupleTableSlot *row)
{
	return address_valid(table, row, NIC_IP4_ADDRESS, PGSQL_AF_INET);
}

static bool
ip6_valid(const NicTable *table, TupleTableSlot *row)
{
	return address_valid(table, row, NIC_IP6_ADDRESS, PGSQL_AF_INET6);
}

static bool
removed_is_deallocating(const NicTable *table, TupleTableSlot *row)
{
	return nic_null(table, row, NIC_REMOVED) || nic_null(table, row, NIC_STATE) ||
		nic_row_state(table, row) == NIC_DEALLOCATING;
}

static bool
state_valid(const NicTable *table, TupleTableSlot *row)
{
	return nic_null(table, row, NIC_STATE) || nic_row_state(table, row) != NIC_UNKNOWN_STATE;
}

static bool
strategy_valid(const NicTable *table, TupleTableSlot *row)
{
	return nic_null(table, row, NIC_STRATEGY) ||
		nic_row_strategy(table, row) != NIC_UNKNOWN_STRATEGY;
}

/* In the order of their names, in which the server judges them. */
static const NicCheck nic_checks[] = {
	{"nic_created_finite", created_finite, NIC_CREATED,
	"Set it to a time, or leave it out for now()."},
	{"nic_default_nic_present", default_nic_present, NIC_DEFAULT_NIC,
	"Set it to true or false."},
	{"nic_instance_required", instance_required, NIC_INSTANCE_ID,
	"Set instance_id. Only a NIC of strategy \"PlaceHolder\" has no instance."},
	{"nic_ip4_address_valid", ip4_valid, NIC_IP4_ADDRESS,
	"Give one IPv4 address without a prefix length. The netmask has a column of its own."},
	{"nic_ip6_address_valid", ip6_valid, NIC_IP6_ADDRESS,
	"Give one IPv6 address without a prefix length."},
	{"nic_removed_finite", removed_finite, NIC_REMOVED,
	"Set it to a time, as now(), or leave it NULL."},
	{"nic_removed_is_deallocating", removed_is_deallocating, NIC_REMOVED,
	"A removal sets state to \"Deallocating\", too, as DELETE on the view \"nics\" does."},
	{"nic_state_valid", state_valid, NIC_STATE, NULL},
	{"nic_strategy_valid", strategy_valid, NIC_STRATEGY, NULL}
};

/*
 * Tells whether a table has a CHECK of this name, so that the row is refused anyway.
 */
static bool
has_check(Relation rel, const char *name)
{
	TupleConstr *constr = RelationGetDescr(rel)->constr;
	int			i;

	for (i = 0; constr && i < constr->num_check; i++)
	{
		if (strcmp(constr->check[i].ccname, name) == 0)
			return check_is_enforced(&constr->check[i]);
	}
	return false;
}

/*
 * Tells whether another BEFORE trigger may fire for the row after this one.
 */
static bool
may_change_later(const TriggerData *trigdata)
{
	TriggerDesc *triggers = trigdata->tg_relation->trigdesc;
	int16		event = TRIGGER_FIRED_BY_INSERT(trigdata->tg_event) ?
	TRIGGER_TYPE_INSERT : TRIGGER_TYPE_UPDATE;
	int			i;

	for (i = 0; triggers && i < triggers->numtriggers; i++)
	{
		const Trigger *trigger = &triggers->triggers[i];

		if (TRIGGER_TYPE_MATCHES(trigger->tgtype, TRIGGER_TYPE_ROW, TRIGGER_TYPE_BEFORE, event) &&
			trigger->tgenabled != TRIGGER_DISABLED &&
			strcmp(trigger->tgname, trigdata->tg_trigger->tgname) > 0)
			return true;
	}
	return false;
}

/*
 * Returns the names that a state or a strategy may have, as a sentence for a HINT.
 */
static char *
valid_names(NicColumn column)
{
	int			count = column == NIC_STATE ? NIC_STATE_COUNT : NIC_STRATEGY_COUNT;
	StringInfoData buf;
	int			i;

	initStringInfo(&buf);
	appendStringInfoString(&buf, column == NIC_STATE ? "States are " : "Strategies are ");
	for (i = 0; i < count; i++)
		appendStringInfo(&buf, "%s\"%s\"", i == 0 ? "" : i < count - 1 ? ", " : " and ",
						 column == NIC_STATE ? nic_state_name(i) : nic_strategy_name(i));
	appendStringInfoString(&buf, ", exactly spelled.");
	return buf.data;
}

/*
 * Raises the error of a CHECK that does not hold.
 */
static void
refuse(Relation rel, const NicTable *table, TupleTableSlot *row, const NicCheck *check)
{
	NicTableRules nics;
	char	   *id;

	nic_table_rules(&nics, rel, table);
	id = nics.rules.reader->output(&nics.rules, row, NIC_ID);
	ereport(ERROR,
			(errcode(ERRCODE_CHECK_VIOLATION),
			 nic_null(table, row, check->column) ?
			 errmsg("\"%s\" of NIC %s cannot be NULL", nic_column_name(check->column), id) :
			 check->holds == removed_is_deallocating ?
			 errmsg("NIC %s cannot be in state \"%s\" when it is removed", id,
					nic_rules_shown(&nics.rules, row, NIC_STATE)) :
			 errmsg("\"%s\" of NIC %s cannot be \"%s\"", nic_column_name(check->column), id,
					nics.rules.reader->output(&nics.rules, row, check->column)),
			 errdetail_internal("%s", nic_rules_description(&nics.rules, row)),
			 errhint("%s", check->hint ? check->hint : valid_names(check->column)),
			 errtableconstraint(rel, check->constraint)));
}

/*
 * Refuses a row, as nic_prepare() is to store it, that a CHECK of its table would
 * refuse.
 */
void
nic_judge_checks(const TriggerData *trigdata, const NicTable *table, TupleTableSlot *row)
{
	int			i;

	for (i = 0; i < lengthof(nic_checks); i++)
	{
		if (nic_checks[i].holds(table, row))
			continue;

		/* nic_prepare() sets it where an INSERT does not. */
		if (nic_checks[i].column == NIC_DEFAULT_NIC && TRIGGER_FIRED_BY_INSERT(trigdata->tg_event))
			continue;
		if (has_check(trigdata->tg_relation, nic_checks[i].constraint) &&
			!may_change_later(trigdata))
			refuse(trigdata->tg_relation, table, row, &nic_checks[i]);
	}
}
