/*
 * attached_guard.h
 *		What the guards on attached tables have in common.
 */
#ifndef VMNET_ATTACHED_GUARD_H
#define VMNET_ATTACHED_GUARD_H

#include "commands/trigger.h"
#include "utils/rel.h"

#include "attach/attached_row.h"
#include "core/run_as.h"

/* A guard at work: the table that it fired on, how that reads, and the writer. */
typedef struct AttachedGuard
{
	Relation	rel;
	AttachedTable *table;
	RunAs		writer;
} AttachedGuard;

extern void attached_guard_begin(AttachedGuard *guard, TriggerData *trigdata, const char *role);
extern void attached_guard_end(AttachedGuard *guard);
extern int	attached_refusal_level(const AttachedGuard *guard);
extern bool attached_may_see(AttachedGuard *guard, Oid relid);
extern void attached_require_schema(AttachedGuard *guard);

#endif							/* VMNET_ATTACHED_GUARD_H */
