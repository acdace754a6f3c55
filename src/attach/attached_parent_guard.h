/*
 * attached_parent_guard.h
 *		The checks of attached networks and instances that another guard calls.
 */
#ifndef VMNET_ATTACHED_PARENT_GUARD_H
#define VMNET_ATTACHED_PARENT_GUARD_H

#include "attach/attached_guard.h"
#include "nic/parent_rules.h"

extern void attached_check_truncate(AttachedGuard *guard, const ParentKind *kind);

#endif							/* VMNET_ATTACHED_PARENT_GUARD_H */
