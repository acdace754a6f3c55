/*
 * nic_state_sql.c
 *		The state machine, readable from SQL.
 */
#include "postgres.h"

#include "funcapi.h"
#include "lib/stringinfo.h"
#include "utils/builtins.h"

#include "compat.h"
#include "nic/nic_state.h"

#define NIC_STATE_TRANSITIONS_COLUMNS	4

/*
 * Returns all moves, as rows.
 */
PG_FUNCTION_INFO_V1(nic_state_transitions);

Datum
nic_state_transitions(PG_FUNCTION_ARGS)
{
	ReturnSetInfo *rsinfo = (ReturnSetInfo *) fcinfo->resultinfo;
	int			i;

	InitMaterializedSRF(fcinfo, 0);

	for (i = 0; i < nic_move_count; i++)
	{
		const NicMove *move = &nic_moves[i];
		Datum		values[NIC_STATE_TRANSITIONS_COLUMNS] = {0};
		bool		nulls[NIC_STATE_TRANSITIONS_COLUMNS] = {0};

		values[0] = CStringGetTextDatum(nic_strategy_name(move->strategy));
		values[1] = CStringGetTextDatum(nic_state_name(move->from));
		values[2] = CStringGetTextDatum(nic_event_name(move->event));
		values[3] = CStringGetTextDatum(nic_state_name(move->to));
		tuplestore_putvalues(rsinfo->setResult, rsinfo->setDesc, values, nulls);
	}
	return (Datum) 0;
}

/*
 * Raises the error about a name that is not in a list; its HINT has the list.
 */
static void
unknown_name(const char *what, const char *name, const char *(*known) (int), int count)
{
	StringInfoData list;
	int			i;

	initStringInfo(&list);
	for (i = 0; i < count; i++)
		appendStringInfo(&list, "%s%s", i > 0 ? ", " : "", known(i));

	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("unknown %s of a NIC: \"%s\"", what, name),
			 errdetail("Valid values are: %s (case-sensitive).", list.data),
			 errhint("See vmnet.nic_state_transitions().")));
}

static const char *
known_state(int i)
{
	return nic_state_name((NicState) i);
}

static const char *
known_event(int i)
{
	return nic_event_name((NicEvent) i);
}

static const char *
known_strategy(int i)
{
	return nic_strategy_name((NicStrategy) i);
}

/*
 * Returns the state that an event leads to; NULL if there is no such move.
 *
 * The arguments are state, event and strategy.
 */
PG_FUNCTION_INFO_V1(nic_next_state);

Datum
nic_next_state(PG_FUNCTION_ARGS)
{
	char	   *state_arg = text_to_cstring(PG_GETARG_TEXT_PP(0));
	char	   *event_arg = text_to_cstring(PG_GETARG_TEXT_PP(1));
	char	   *strategy_arg = text_to_cstring(PG_GETARG_TEXT_PP(2));
	NicState	state = nic_state_parse(state_arg, strlen(state_arg));
	NicEvent	event = nic_event_parse(event_arg, strlen(event_arg));
	NicStrategy strategy = nic_strategy_parse(strategy_arg, strlen(strategy_arg));
	int			i;

	if (state == NIC_UNKNOWN_STATE)
		unknown_name("state", state_arg, known_state, NIC_STATE_COUNT);
	if (event == NIC_UNKNOWN_EVENT)
		unknown_name("event", event_arg, known_event, NIC_EVENT_COUNT);
	if (strategy == NIC_UNKNOWN_STRATEGY)
		unknown_name("strategy", strategy_arg, known_strategy, NIC_STRATEGY_COUNT);

	for (i = 0; i < nic_move_count; i++)
	{
		if (nic_moves[i].strategy == strategy &&
			nic_moves[i].from == state &&
			nic_moves[i].event == event)
			PG_RETURN_TEXT_P(cstring_to_text(nic_state_name(nic_moves[i].to)));
	}
	PG_RETURN_NULL();
}
