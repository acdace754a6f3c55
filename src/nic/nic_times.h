/*
 * nic_times.h
 *		The rules about the times of a NIC.
 */
#ifndef VMNET_NIC_TIMES_H
#define VMNET_NIC_TIMES_H

#include "executor/tuptable.h"

#include "nic/nic_rules.h"

extern void nic_check_times(const NicRules *rules, TupleTableSlot *old, TupleTableSlot *new);

#endif							/* VMNET_NIC_TIMES_H */
