/*
 * nic_state.c
 *		The state machine of a NIC, as data.
 *
 * The states and the moves are those of nic_machine.h.  The guards,
 * nic_state_transitions() and nic_next_state() read them here.
 */
#include "postgres.h"

#include "compat.h"
#include "nic/nic_state.h"

#define STATE_NAME(symbol, name) [symbol] = name,
#define MOVE(strategy, from, event, to) {strategy, from, event, to},

static const char *const state_names[NIC_STATE_COUNT] = {NIC_STATES(STATE_NAME)};

static const char *const event_names[NIC_EVENT_COUNT] = {
	[NIC_RESERVATION_REQUESTED] = "ReservationRequested",
	[NIC_RELEASE_REQUESTED] = "ReleaseRequested",
	[NIC_CANCEL_REQUESTED] = "CancelRequested",
	[NIC_OPERATION_COMPLETED] = "OperationCompleted",
	[NIC_OPERATION_FAILED] = "OperationFailed",
	[NIC_REMOVE_REQUESTED] = "RemoveRequested"
};

static const char *const strategy_names[NIC_STRATEGY_COUNT] = {
	[NIC_START] = "Start",
	[NIC_CREATE] = "Create",
	[NIC_MANAGED] = "Managed",
	[NIC_PLACEHOLDER] = "PlaceHolder"
};

const NicMove nic_moves[] = {NIC_MOVES(MOVE)};

const int	nic_move_count = lengthof(nic_moves);

/*
 * Returns the name of a state; a static string.
 */
const char *
nic_state_name(NicState state)
{
	return state_names[state];
}

/*
 * Returns the name of an event; a static string.
 */
const char *
nic_event_name(NicEvent event)
{
	return event_names[event];
}

/*
 * Returns the name of a strategy; a static string.
 */
const char *
nic_strategy_name(NicStrategy strategy)
{
	return strategy_names[strategy];
}

/* Position of a name in a list of names, exact spelling; -1 if it is not there. */
static int
find_name(const char *const *names, int count, const char *name, int len)
{
	int			i;

	for (i = 0; i < count; i++)
	{
		if (strncmp(names[i], name, len) == 0 && names[i][len] == '\0')
			return i;
	}
	return -1;
}

/*
 * Returns the state of a name, exact spelling; NIC_UNKNOWN_STATE if none.
 */
NicState
nic_state_parse(const char *name, int len)
{
	return (NicState) find_name(state_names, NIC_STATE_COUNT, name, len);
}

/*
 * Returns the event of a name, exact spelling; NIC_UNKNOWN_EVENT if none.
 */
NicEvent
nic_event_parse(const char *name, int len)
{
	return (NicEvent) find_name(event_names, NIC_EVENT_COUNT, name, len);
}

/*
 * Returns the strategy of a name, exact spelling; NIC_UNKNOWN_STRATEGY if none.
 */
NicStrategy
nic_strategy_parse(const char *name, int len)
{
	return (NicStrategy) find_name(strategy_names, NIC_STRATEGY_COUNT, name, len);
}

/*
 * Returns the state of a name, as nic_state_parse() does.
 */
NicState
nic_state_from_text(const text *name)
{
	return nic_state_parse(VARDATA_ANY(name), VARSIZE_ANY_EXHDR(name));
}

/*
 * Returns the strategy of a name, as nic_strategy_parse() does.
 */
NicStrategy
nic_strategy_from_text(const text *name)
{
	return nic_strategy_parse(VARDATA_ANY(name), VARSIZE_ANY_EXHDR(name));
}

/*
 * Tells whether an event moves a NIC of a strategy from one state to another.
 */
bool
nic_move_allowed(NicStrategy strategy, NicState from, NicState to)
{
	int			i;

	for (i = 0; i < nic_move_count; i++)
	{
		if (nic_moves[i].strategy == strategy &&
			nic_moves[i].from == from &&
			nic_moves[i].to == to)
			return true;
	}
	return false;
}

/*
 * Tells whether a new NIC may start in a state.
 *
 * CloudStack's allocateNic starts in Allocated; importNic and savePlaceholderNic
 * start in Reserved.
 */
bool
nic_state_initial(NicState state)
{
	return state == NIC_ALLOCATED || state == NIC_RESERVED;
}
