/*
 * nic_rules.c
 *		The rules of a NIC, for any table whose rows can be read as NICs.
 *
 * This is the only place that decides whether a NIC may be added or changed: its
 * first state, its parents, its identity, its moves from state to state and its
 * removal.  The guards of managed and of attached tables call it, each with its
 * own way of reading a row (see NicReader).
 *
 * A refusal is an error, or a WARNING after which the next rule is checked.  What
 * it says of stored rows depends on what the user who wrote the row may see.
 */
#include "postgres.h"

#include "lib/stringinfo.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/rel.h"
#include "utils/timestamp.h"

#include "compat.h"
#include "nic/nic_rules.h"

/*
 * Tells whether a column of a NIC is NULL.
 */
bool
nic_rules_is_null(const NicRules *rules, TupleTableSlot *row, NicColumn column)
{
	bool		isnull;

	(void) rules->reader->value(rules, row, column, &isnull);
	return isnull;
}

/*
 * Returns the state of a NIC; NIC_UNKNOWN_STATE if it is NULL or not canonical.
 */
NicState
nic_rules_state(const NicRules *rules, TupleTableSlot *row)
{
	bool		isnull;
	Datum		value = rules->reader->value(rules, row, NIC_STATE, &isnull);

	return isnull ? NIC_UNKNOWN_STATE : nic_state_from_text(DatumGetTextPP(value));
}

/*
 * Returns the strategy by which the moves of a NIC are checked.
 *
 * It is Start for a NIC of an attached table that has none, or one that is not
 * canonical.
 */
NicStrategy
nic_rules_strategy(const NicRules *rules, TupleTableSlot *row)
{
	bool		isnull;
	Datum		value = rules->reader->value(rules, row, NIC_STRATEGY, &isnull);
	NicStrategy strategy = isnull ? NIC_UNKNOWN_STRATEGY :
	nic_strategy_from_text(DatumGetTextPP(value));

	return strategy == NIC_UNKNOWN_STRATEGY && !rules->managed ? NIC_START : strategy;
}

/*
 * Tells whether the user who wrote the row may see all rows of its table.
 */
static bool
may_see_nics(const NicRules *rules)
{
	return rules->reader->may_see(rules, RelationGetRelid(rules->rel));
}

/*
 * Returns a column of a stored row as text for messages, "(hidden)" if the user
 * may not see it.
 */
char *
nic_rules_shown(const NicRules *rules, TupleTableSlot *row, NicColumn column)
{
	return may_see_nics(rules) ? rules->reader->output(rules, row, column) :
		pstrdup("(hidden)");
}

/*
 * Describes a NIC for DETAIL.  A row that the user may not see is not described.
 */
char *
nic_rules_description(const NicRules *rules, TupleTableSlot *row)
{
	if (may_see_nics(rules))
		return rules->reader->description(rules, row);
	return psprintf("The NIC is not described, because rows of table \"%s\" may be hidden from "
					"role \"%s\".",
					RelationGetRelationName(rules->rel), GetUserNameFromId(rules->user, false));
}

/*
 * Refuses a new NIC in a state other than an initial one.
 */
static void
check_initial_state(const NicRules *rules, TupleTableSlot *row)
{
	NicState	state = nic_rules_state(rules, row);

	if (nic_state_initial(state) || (state == NIC_UNKNOWN_STATE && !rules->managed))
		return;

	ereport(rules->level,
			(errcode(ERRCODE_CHECK_VIOLATION),
			 errmsg("a new NIC cannot start in state \"%s\"",
					rules->reader->output(rules, row, NIC_STATE)),
			 errdetail_internal("%s", nic_rules_description(rules, row)),
			 rules->managed ?
			 errhint("Insert it as \"Allocated\", or as \"Reserved\" if its address is already in "
					 "use; then change its state with UPDATE.") :
			 errhint("Insert it with a value that is read as \"Allocated\", or as \"Reserved\" if "
					 "its address is already in use; then change its state with UPDATE."),
			 errtableconstraint(rules->rel, "nic_initial_state")));
}

/*
 * Returns the DETAIL about a NIC whose parent was refused.
 */
static char *
parent_detail(const NicRules *rules, TupleTableSlot *row, const char *noun,
			  Oid parent, ParentStatus status, TimestampTz removed)
{
	char	   *description = nic_rules_description(rules, row);

	if (status != PARENT_REMOVED || TIMESTAMP_NOT_FINITE(removed) ||
		!rules->reader->may_see(rules, parent))
		return description;
	return psprintf("%s The %s was removed at %s.", description, noun,
					timestamptz_to_str(removed));
}

/*
 * Refuses a NIC whose network or instance is removed or does not exist.
 *
 * The parent stays locked FOR KEY SHARE until the transaction ends.
 */
static void
check_parent(const NicRules *rules, TupleTableSlot *row, NicColumn column)
{
	const char *noun = column == NIC_NETWORK_ID ? "network" : "instance";
	Oid			parent = InvalidOid;
	TimestampTz removed = 0;
	ParentStatus status = rules->reader->lock_parent(rules, row, column, &removed, &parent);
	char	   *key;
	char	   *detail;

	if (status == PARENT_LIVE)
		return;

	/* A foreign key that is not deferred has refused a missing one already. */
	key = rules->reader->output(rules, row, column);
	detail = parent_detail(rules, row, noun, parent, status, removed);
	ereport(rules->level,
			(errcode(ERRCODE_FOREIGN_KEY_VIOLATION),
			 status == PARENT_REMOVED ?
			 errmsg("cannot add a NIC to %s %s, which has been removed", noun, key) :
			 errmsg("cannot add a NIC to %s %s, which does not exist", noun, key),
			 errdetail_internal("%s", detail),
			 errhint("A removed %s stays removed; choose one that is in the view \"%ss\".",
					 noun, noun),
			 errtableconstraint(rules->rel, "nic_parent_active")));
}

/*
 * Checks a new NIC.  Locks the network, then the instance.
 */
void
nic_rules_check_insert(const NicRules *rules, TupleTableSlot *row)
{
	/* An attached table may be given the past, too. */
	if (!rules->managed && !nic_rules_is_null(rules, row, NIC_REMOVED))
		return;

	check_initial_state(rules, row);
	check_parent(rules, row, NIC_NETWORK_ID);
	check_parent(rules, row, NIC_INSTANCE_ID);
}

/*
 * Refuses a change of the id, network or instance of a NIC, and in a managed
 * inventory of its creation time.
 */
static void
check_identity(const NicRules *rules, TupleTableSlot *old, TupleTableSlot *new)
{
	static const NicColumn identity[] = {
		NIC_ID, NIC_NETWORK_ID, NIC_INSTANCE_ID, NIC_CREATED
	};
	int			count = rules->managed ? lengthof(identity) : lengthof(identity) - 1;
	int			i;

	for (i = 0; i < count; i++)
	{
		if (rules->reader->same(rules, old, new, identity[i]))
			continue;

		ereport(rules->level,
				(errcode(ERRCODE_CHECK_VIOLATION),
				 errmsg("\"%s\" of NIC %s cannot change from %s to %s",
						nic_column_name(identity[i]),
						rules->reader->output(rules, old, NIC_ID),
						nic_rules_shown(rules, old, identity[i]),
						rules->reader->output(rules, new, identity[i])),
				 errdetail_internal("%s", nic_rules_description(rules, old)),
				 rules->managed ?
				 errhint("A NIC keeps its id, network, instance and creation time. Remove this NIC "
						 "and add another.") :
				 errhint("A NIC keeps its id, network and instance. Remove this NIC and add "
						 "another."),
				 errtableconstraint(rules->rel, "nic_identity_immutable")));
	}
}

/*
 * Refuses a change of the removal time of a removed NIC.
 */
static void
check_removed_once(const NicRules *rules, TupleTableSlot *old, TupleTableSlot *new)
{
	if (nic_rules_is_null(rules, old, NIC_REMOVED) ||
		rules->reader->same(rules, old, new, NIC_REMOVED))
		return;

	ereport(rules->level,
			(errcode(ERRCODE_CHECK_VIOLATION),
			 errmsg("\"removed\" of NIC %s cannot change from %s to %s",
					rules->reader->output(rules, old, NIC_ID),
					nic_rules_shown(rules, old, NIC_REMOVED),
					rules->reader->output(rules, new, NIC_REMOVED)),
			 errdetail_internal("%s", nic_rules_description(rules, old)),
			 errhint("A removed NIC stays removed. Add a new NIC instead."),
			 errtableconstraint(rules->rel, "nic_removed_once")));
}

/*
 * Returns the states that a NIC may move to, as a list for a HINT.
 */
static char *
next_states(NicStrategy strategy, NicState from)
{
	StringInfoData buf;
	int			i;

	initStringInfo(&buf);
	for (i = 0; i < nic_move_count; i++)
	{
		if (nic_moves[i].strategy != strategy || nic_moves[i].from != from)
			continue;
		appendStringInfo(&buf, "%s\"%s\" (%s)", buf.len > 0 ? ", " : "",
						 nic_state_name(nic_moves[i].to),
						 nic_event_name(nic_moves[i].event));
	}
	return buf.data;
}

/*
 * Raises the refusal of a move that the state machine does not have.
 */
static void
refuse_move(const NicRules *rules, TupleTableSlot *old, TupleTableSlot *new, NicState from)
{
	char	   *choices = next_states(nic_rules_strategy(rules, old), from);
	bool		seen = may_see_nics(rules);

	ereport(rules->level,
			(errcode(ERRCODE_CHECK_VIOLATION),
			 errmsg("NIC %s cannot move from state \"%s\" to \"%s\"",
					rules->reader->output(rules, old, NIC_ID),
					nic_rules_shown(rules, old, NIC_STATE),
					rules->reader->output(rules, new, NIC_STATE)),
			 errdetail_internal("%s", nic_rules_description(rules, old)),
			 !seen || (choices[0] == '\0' && from != NIC_DEALLOCATING) ?
			 errhint("vmnet.nic_state_transitions() lists all moves.") :
			 from == NIC_DEALLOCATING ?
			 errhint("A NIC that is being deallocated can only be removed: set \"removed\".") :
			 errhint("From here it can move to %s; see vmnet.nic_state_transitions().", choices),
			 errtableconstraint(rules->rel, "nic_state_transition")));
}

/*
 * Refuses a change of state that the state machine does not have.
 *
 * In an attached table a change from or to a state that is not canonical is
 * allowed, except that no change leaves Deallocating.
 */
static void
check_move(const NicRules *rules, TupleTableSlot *old, TupleTableSlot *new)
{
	NicState	from;
	NicState	to;

	if (rules->reader->same(rules, old, new, NIC_STATE))
		return;

	from = nic_rules_state(rules, old);
	to = nic_rules_state(rules, new);
	if (!rules->managed &&
		(from == NIC_UNKNOWN_STATE ||
		 (to == NIC_UNKNOWN_STATE && from != NIC_DEALLOCATING)))
		return;
	if (!nic_move_allowed(nic_rules_strategy(rules, old), from, to))
		refuse_move(rules, old, new, from);
}

/*
 * Refuses a change of strategy in any state but Allocated.
 */
static void
check_strategy(const NicRules *rules, TupleTableSlot *old, TupleTableSlot *new)
{
	NicState	from;

	if (rules->reader->same(rules, old, new, NIC_STRATEGY))
		return;

	/* A state and a strategy that change together could leave a dead end. */
	from = nic_rules_state(rules, old);
	if (from == NIC_ALLOCATED && nic_rules_state(rules, new) == NIC_ALLOCATED)
		return;

	ereport(rules->level,
			(errcode(ERRCODE_CHECK_VIOLATION),
			 errmsg("the strategy of NIC %s cannot change while its state is \"%s\"",
					rules->reader->output(rules, old, NIC_ID),
					nic_rules_shown(rules, from == NIC_ALLOCATED ? new : old, NIC_STATE)),
			 errdetail_internal("%s", nic_rules_description(rules, old)),
			 errhint("The strategy determines the allowed moves, so it can change only in state "
					 "\"Allocated\"."),
			 errtableconstraint(rules->rel, "nic_strategy_immutable")));
}

/*
 * Refuses changes of a removed NIC, except of the uuid and of columns that users
 * have added.
 */
static void
check_read_only(const NicRules *rules, TupleTableSlot *old, TupleTableSlot *new)
{
	const char *column;

	if (nic_rules_is_null(rules, old, NIC_REMOVED))
		return;
	column = rules->reader->changed_column(rules, old, new);
	if (column == NULL)
		return;

	ereport(rules->level,
			(errcode(ERRCODE_CHECK_VIOLATION),
			 errmsg("\"%s\" of NIC %s cannot change: the NIC has been removed",
					column, rules->reader->output(rules, old, NIC_ID)),
			 errdetail_internal("%s", nic_rules_description(rules, old)),
			 errhint("A removed NIC is read-only. Update live NICs through the view \"nics\"."),
			 errtableconstraint(rules->rel, "nic_removed_read_only")));
}

/*
 * Checks the parents of a NIC that was revived or has another parent, which was
 * refused already, but only with a WARNING.
 */
static void
check_new_parents(const NicRules *rules, TupleTableSlot *old, TupleTableSlot *new)
{
	bool		revived = !nic_rules_is_null(rules, old, NIC_REMOVED);

	if (!nic_rules_is_null(rules, new, NIC_REMOVED))
		return;
	if (revived || !rules->reader->same(rules, old, new, NIC_NETWORK_ID))
		check_parent(rules, new, NIC_NETWORK_ID);
	if (revived || !rules->reader->same(rules, old, new, NIC_INSTANCE_ID))
		check_parent(rules, new, NIC_INSTANCE_ID);
}

/*
 * Checks a changed NIC.
 */
void
nic_rules_check_update(const NicRules *rules, TupleTableSlot *old, TupleTableSlot *new)
{
	check_identity(rules, old, new);
	check_removed_once(rules, old, new);
	check_move(rules, old, new);
	if (rules->managed)
	{
		check_strategy(rules, old, new);
		rules->reader->check_times(rules, old, new);
		check_read_only(rules, old, new);
	}
	if (rules->level < ERROR)
		check_new_parents(rules, old, new);
}
