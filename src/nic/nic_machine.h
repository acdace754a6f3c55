/*
 * nic_machine.h
 *		The state machine of a NIC, as data: its states and the moves between them.
 *
 * This is the only list of both in C.  vmnet_internal.nic_states() has the same
 * states, in this order, for SQL.
 *
 * The moves of strategy Start are those that CloudStack declares in Nic.java.
 * CloudStack itself reserves and releases NICs of the other strategies in one
 * step (NetworkOrchestrator.prepareNic, releaseNic), and removes a NIC from
 * any state (removeNic); these moves are not in Nic.java.
 */
#ifndef VMNET_NIC_MACHINE_H
#define VMNET_NIC_MACHINE_H

/* STATE(symbol, name) */
#define NIC_STATES(STATE) \
	STATE(NIC_ALLOCATED, "Allocated") \
	STATE(NIC_RESERVING, "Reserving") \
	STATE(NIC_RESERVED, "Reserved") \
	STATE(NIC_RELEASING, "Releasing") \
	STATE(NIC_DEALLOCATING, "Deallocating")

/* NICs of these strategies are reserved and released in one step. */
#define ONE_STEP_MOVES(MOVE, strategy) \
	MOVE(strategy, NIC_ALLOCATED, NIC_RESERVATION_REQUESTED, NIC_RESERVED) \
	MOVE(strategy, NIC_RESERVED, NIC_RELEASE_REQUESTED, NIC_ALLOCATED)

/* A NIC of any strategy can be removed from every state but the last. */
#define REMOVE_MOVES(MOVE, strategy) \
	MOVE(strategy, NIC_ALLOCATED, NIC_REMOVE_REQUESTED, NIC_DEALLOCATING) \
	MOVE(strategy, NIC_RESERVING, NIC_REMOVE_REQUESTED, NIC_DEALLOCATING) \
	MOVE(strategy, NIC_RESERVED, NIC_REMOVE_REQUESTED, NIC_DEALLOCATING) \
	MOVE(strategy, NIC_RELEASING, NIC_REMOVE_REQUESTED, NIC_DEALLOCATING)

/* MOVE(strategy, from, event, to) */
#define NIC_MOVES(MOVE) \
	MOVE(NIC_START, NIC_ALLOCATED, NIC_RESERVATION_REQUESTED, NIC_RESERVING) \
	MOVE(NIC_START, NIC_RESERVING, NIC_CANCEL_REQUESTED, NIC_ALLOCATED) \
	MOVE(NIC_START, NIC_RESERVING, NIC_OPERATION_FAILED, NIC_ALLOCATED) \
	MOVE(NIC_START, NIC_RESERVING, NIC_OPERATION_COMPLETED, NIC_RESERVED) \
	MOVE(NIC_START, NIC_RESERVED, NIC_RELEASE_REQUESTED, NIC_RELEASING) \
	MOVE(NIC_START, NIC_RELEASING, NIC_OPERATION_COMPLETED, NIC_ALLOCATED) \
	MOVE(NIC_START, NIC_RELEASING, NIC_OPERATION_FAILED, NIC_RESERVED) \
	REMOVE_MOVES(MOVE, NIC_START) \
	ONE_STEP_MOVES(MOVE, NIC_CREATE) \
	REMOVE_MOVES(MOVE, NIC_CREATE) \
	ONE_STEP_MOVES(MOVE, NIC_MANAGED) \
	REMOVE_MOVES(MOVE, NIC_MANAGED) \
	ONE_STEP_MOVES(MOVE, NIC_PLACEHOLDER) \
	REMOVE_MOVES(MOVE, NIC_PLACEHOLDER)

#endif							/* VMNET_NIC_MACHINE_H */
