/*
 * attached_nic_row.h
 *		The rules of a NIC for rows that are read through an attached view.
 */
#ifndef VMNET_ATTACHED_NIC_ROW_H
#define VMNET_ATTACHED_NIC_ROW_H

#include "attach/attached_guard.h"
#include "nic/nic_rules.h"

/* The rules for an attached table of NICs. */
typedef struct AttachedNicRules
{
	NicRules	rules;			/* must be first */
	AttachedGuard *guard;
} AttachedNicRules;

extern void attached_nic_rules(AttachedNicRules *result, AttachedGuard *guard);

#endif							/* VMNET_ATTACHED_NIC_ROW_H */
