/*
 * attached_parent.h
 *		Networks and instances of an attached inventory: their locks and ids.
 */
#ifndef VMNET_ATTACHED_PARENT_H
#define VMNET_ATTACHED_PARENT_H

#include "datatype/timestamp.h"
#include "lib/stringinfo.h"
#include "nodes/lockoptions.h"

#include "attach/attached_row.h"
#include "nic/parent_lock.h"

extern void attached_append_collate(StringInfo sql, AttachedTable *nics,
									AttachedColumn column, AttachedTable *parent);
extern ParentStatus attached_parent_lock(AttachedTable *parent, Oid keytype, Datum key,
										 LockTupleMode mode, TimestampTz *removed);
extern int64 attached_parent_id(AttachedTable *parent, Oid keytype, Datum key);

#endif							/* VMNET_ATTACHED_PARENT_H */
