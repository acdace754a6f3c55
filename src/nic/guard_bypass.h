/*
 * guard_bypass.h
 *		The only bypass of the guards against hard deletes and writes to a mirror.
 */
#ifndef VMNET_GUARD_BYPASS_H
#define VMNET_GUARD_BYPASS_H

#include "access/htup.h"
#include "datatype/timestamp.h"
#include "utils/rel.h"

extern void guard_bypass_begin(Oid schema);
extern void guard_bypass_begin_purge(Oid schema, TimestampTz before);
extern void guard_bypass_end(void);
extern bool guard_bypass_covers(Relation rel);
extern bool guard_bypass_covers_delete(Relation rel, HeapTuple row);
extern void guard_bypass_register(void);

#endif							/* VMNET_GUARD_BYPASS_H */
