/*
 * guard_bypass.h
 *		The one way past the guards against hard deletes and foreign writers.
 */
#ifndef VMNET_GUARD_BYPASS_H
#define VMNET_GUARD_BYPASS_H

#include "access/htup.h"
#include "datatype/timestamp.h"
#include "utils/rel.h"

extern void permit_open(Oid schema);
extern void permit_open_purge(Oid schema, TimestampTz before);
extern void permit_close(void);
extern bool permit_covers(Relation rel);
extern bool permit_covers_delete(Relation rel, HeapTuple row);
extern void permit_register(void);

#endif						/* VMNET_GUARD_BYPASS_H */
