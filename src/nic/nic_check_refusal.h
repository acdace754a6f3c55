/*
 * nic_check_refusal.h
 *		Refusals of what the CHECK constraints of a NIC table refuse.
 */
#ifndef VMNET_NIC_CHECK_REFUSAL_H
#define VMNET_NIC_CHECK_REFUSAL_H

#include "commands/trigger.h"
#include "executor/tuptable.h"

#include "nic/nic_table.h"

extern void nic_judge_checks(const TriggerData *trigdata, const NicTable *table,
							 TupleTableSlot *row);

#endif							/* VMNET_NIC_CHECK_REFUSAL_H */
