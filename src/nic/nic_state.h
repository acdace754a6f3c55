/*
 * nic_state.h
 *		States, events, strategies of a NIC and the moves between states.
 */
#ifndef VMNET_NIC_STATE_H
#define VMNET_NIC_STATE_H

#include "nic/nic_machine.h"

#define NIC_STATE_SYMBOL(symbol, name) symbol,

typedef enum NicState
{
	NIC_UNKNOWN_STATE = -1,
	NIC_STATES(NIC_STATE_SYMBOL)
	NIC_STATE_COUNT
} NicState;

typedef enum NicEvent
{
	NIC_UNKNOWN_EVENT = -1,
	NIC_RESERVATION_REQUESTED,
	NIC_RELEASE_REQUESTED,
	NIC_CANCEL_REQUESTED,
	NIC_OPERATION_COMPLETED,
	NIC_OPERATION_FAILED,
	NIC_REMOVE_REQUESTED
} NicEvent;

#define NIC_EVENT_COUNT	(NIC_REMOVE_REQUESTED + 1)

typedef enum NicStrategy
{
	NIC_UNKNOWN_STRATEGY = -1,
	NIC_START,
	NIC_CREATE,
	NIC_MANAGED,
	NIC_PLACEHOLDER
} NicStrategy;

#define NIC_STRATEGY_COUNT	(NIC_PLACEHOLDER + 1)

typedef struct NicMove
{
	NicStrategy strategy;
	NicState	from;
	NicEvent	event;
	NicState	to;
} NicMove;

extern const NicMove nic_moves[];
extern const int nic_move_count;

extern const char *nic_state_name(NicState state);
extern const char *nic_event_name(NicEvent event);
extern const char *nic_strategy_name(NicStrategy strategy);

extern NicState nic_state_parse(const char *name, int len);
extern NicEvent nic_event_parse(const char *name, int len);
extern NicStrategy nic_strategy_parse(const char *name, int len);
extern NicState nic_state_from_text(const text *name);
extern NicStrategy nic_strategy_from_text(const text *name);

extern bool nic_move_allowed(NicStrategy strategy, NicState from, NicState to);
extern bool nic_state_initial(NicState state);

#endif							/* VMNET_NIC_STATE_H */
