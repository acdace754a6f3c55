/*
 * parent_lock.h
 *		Locks on networks and instances, and their status under the lock.
 */
#ifndef VMNET_PARENT_LOCK_H
#define VMNET_PARENT_LOCK_H

#include "datatype/timestamp.h"
#include "nodes/lockoptions.h"

#include "nic/nic_table.h"

typedef enum ParentStatus
{
	PARENT_MISSING,
	PARENT_REMOVED,
	PARENT_LIVE
} ParentStatus;

extern ParentStatus parent_lock(const ParentKey *parent, Datum key,
								LockTupleMode mode, TimestampTz *removed);

#endif							/* VMNET_PARENT_LOCK_H */
