/*
 * parent_lock.c
 *		Locks on networks and instances, and their status under the lock.
 *
 * A foreign key does not protect a soft delete: setting "removed" does not
 * conflict with the lock that a foreign key takes.  So a session that adds a NIC
 * to a network locks the network FOR KEY SHARE and then checks whether it is
 * removed; a session that removes a network locks it FOR UPDATE and then searches
 * for NICs.  Both read with the latest snapshot, at every isolation level, as the
 * triggers of foreign keys do.  Rows are read directly from the table: rights,
 * policies and functions of users have no effect.
 */
#include "postgres.h"

#include "access/genam.h"
#include "access/htup_details.h"
#include "access/skey.h"
#include "access/stratnum.h"
#include "access/table.h"
#include "access/tableam.h"
#include "access/xact.h"
#include "executor/tuptable.h"
#include "miscadmin.h"
#include "utils/rel.h"
#include "utils/snapmgr.h"
#include "utils/timestamp.h"

#include "compat.h"
#include "nic/nic_table.h"
#include "nic/parent_lock.h"

#define FOLLOW_FLAGS \
	(TUPLE_LOCK_FLAG_LOCK_UPDATE_IN_PROGRESS | TUPLE_LOCK_FLAG_FIND_LAST_VERSION)

/*
 * Returns whether the parent in a row is live or removed; sets *removed to the
 * removal time of a removed one.
 */
static ParentStatus
parent_status(Relation rel, const ParentKey *parent, HeapTuple tuple, TimestampTz *removed)
{
	TupleTableSlot *slot;
	bool		isnull;
	Datum		value;

	if (parent->is_removed)
	{
		slot = MakeSingleTupleTableSlot(RelationGetDescr(rel), &TTSOpsHeapTuple);
		ExecStoreHeapTuple(tuple, slot, false);
		isnull = !parent->is_removed(parent, slot, removed);
		ExecDropSingleTupleTableSlot(slot);
	}
	else
	{
		value = heap_getattr(tuple, parent->removed, RelationGetDescr(rel), &isnull);
		if (!isnull)
			*removed = DatumGetTimestampTz(value);
	}
	return isnull ? PARENT_LIVE : PARENT_REMOVED;
}

/*
 * Returns the status of the parent with a key for a snapshot, its position, and
 * its removal time if it is removed.
 */
static ParentStatus
parent_find(Relation rel, const ParentKey *parent, Datum key, Snapshot snapshot,
			ItemPointer tid, TimestampTz *removed)
{
	ScanKeyData skey;
	SysScanDesc scan;
	HeapTuple	tuple;
	ParentStatus status = PARENT_MISSING;

	ScanKeyEntryInitialize(&skey, 0, parent->key, BTEqualStrategyNumber,
						   parent->keytype, parent->collation, parent->eqproc, key);
	scan = systable_beginscan(rel, parent->indexid, OidIsValid(parent->indexid),
							  snapshot, 1, &skey);
	tuple = systable_getnext(scan);
	if (tuple)
	{
		status = parent_status(rel, parent, tuple, removed);
		*tid = tuple->t_self;
	}
	systable_endscan(scan);
	return status;
}

/*
 * Locks a row; false if that is impossible, since the row was deleted.
 *
 * *current tells whether the slot certainly has the newest version: a lock FOR
 * KEY SHARE is granted on a version that has been updated concurrently, without
 * reporting the update.
 */
static bool
lock_row(Relation rel, ItemPointer tid, Snapshot snapshot, LockTupleMode mode,
		 TupleTableSlot *slot, bool *current)
{
	TM_FailureData tmfd;
	TM_Result	result;
	HeapTuple	tuple;
	bool		shouldFree;

	*current = false;
	result = table_tuple_lock(rel, tid, snapshot, slot,
							  GetCurrentCommandId(false), mode, LockWaitBlock,
							  FOLLOW_FLAGS, &tmfd);
	if (result != TM_Ok)
		return false;

	if (TTS_IS_BUFFERTUPLE(slot) && !tmfd.traversed)
	{
		tuple = ExecFetchSlotHeapTuple(slot, false, &shouldFree);
		*current = (tuple->t_data->t_infomask & HEAP_XMAX_INVALID) != 0 ||
			HEAP_XMAX_IS_LOCKED_ONLY(tuple->t_data->t_infomask);
	}
	return true;
}

/*
 * Locks the parent that a NIC refers to and returns its status under the lock.
 *
 * *removed is set if it is removed.  The row lock and RowShareLock on the table
 * are held until the transaction ends, so the status cannot change: a removal
 * waits for the lock.
 */
ParentStatus
parent_lock(const ParentKey *parent, Datum key, LockTupleMode mode,
			TimestampTz *removed)
{
	Relation	rel = table_open(parent->relid, RowShareLock);
	TupleTableSlot *slot = table_slot_create(rel, NULL);
	ParentStatus status;
	bool		current = false;

	/* Make what this command has done so far visible to us. */
	CommandCounterIncrement();

	/*
	 * Once the lock is held, the row is read again with a newer snapshot,
	 * unless the version that was locked is certainly the newest.
	 */
	for (;;)
	{
		Snapshot	snapshot = RegisterSnapshot(GetLatestSnapshot());
		ItemPointerData tid;
		bool		locked = true;

		status = parent_find(rel, parent, key, snapshot, &tid, removed);
		if (status != PARENT_MISSING)
			locked = lock_row(rel, &tid, snapshot, mode, slot, &current);
		ExecClearTuple(slot);
		UnregisterSnapshot(snapshot);

		if (status == PARENT_MISSING || current)
			break;
		if (locked)
		{
			snapshot = RegisterSnapshot(GetLatestSnapshot());
			status = parent_find(rel, parent, key, snapshot, &tid, removed);
			UnregisterSnapshot(snapshot);
			break;
		}
		CHECK_FOR_INTERRUPTS();
	}

	ExecDropSingleTupleTableSlot(slot);
	table_close(rel, NoLock);

	return status;
}
