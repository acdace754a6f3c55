/*
 * attached_history.h
 *		The history of NICs of attached tables.
 */
#ifndef VMNET_ATTACHED_HISTORY_H
#define VMNET_ATTACHED_HISTORY_H

#include "executor/tuptable.h"

#include "attach/attached_nic_row.h"

extern void attached_record_update(const AttachedNicRules *nics, TupleTableSlot *old,
								   TupleTableSlot *new);

#endif							/* VMNET_ATTACHED_HISTORY_H */
