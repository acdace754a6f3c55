/*
 * trigger_call.h
 *		The check that every trigger function of the extension starts with.
 */
#ifndef VMNET_TRIGGER_CALL_H
#define VMNET_TRIGGER_CALL_H

#include "commands/trigger.h"
#include "fmgr.h"
#include "nodes/pg_list.h"
#include "utils/rel.h"

#define GUARD_INSERT	0x01
#define GUARD_UPDATE	0x02
#define GUARD_DELETE	0x04
#define GUARD_TRUNCATE	0x08

extern TriggerData *trigger_call_check(FunctionCallInfo fcinfo, const char *name,
									   TriggerEvent timing, TriggerEvent level,
									   int events);
extern void refuse_table(Relation rel, const char *why);
extern List *trigger_functions(Relation rel);
extern bool function_is_ours(Oid funcid, const char *name);

#endif							/* VMNET_TRIGGER_CALL_H */
