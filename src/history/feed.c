/*
 * feed.c
 *		The snapshot that a cursor of the feed of changes stores.
 */
#include "postgres.h"

#include "access/transam.h"
#include "access/xact.h"
#include "funcapi.h"
#include "lib/stringinfo.h"
#include "utils/builtins.h"
#include "utils/snapmgr.h"
#include "utils/xid8.h"

#include "compat.h"

/*
 * Adds the epoch to a transaction id of this server, which is not in the future.
 */
static FullTransactionId
full_xid(TransactionId xid, FullTransactionId next)
{
	uint32		epoch = EpochFromFullTransactionId(next);

	if (xid > XidFromFullTransactionId(next))
		epoch--;
	return FullTransactionIdFromEpochAndXid(epoch, xid);
}

/*
 * Compares two transaction ids for qsort().
 */
static int
compare_xids(const void *a, const void *b)
{
	uint64		x = *(const uint64 *) a;
	uint64		y = *(const uint64 *) b;

	return x < y ? -1 : (x > y ? 1 : 0);
}

/*
 * Returns the caller's snapshot as text that pg_snapshot_in() reads, with the
 * caller's own transaction as running, in the current memory context.
 */
static char *
committed_snapshot(Snapshot snapshot, FullTransactionId next)
{
	/* During recovery all running transactions are in this list. */
	TransactionId *list = snapshot->takenDuringRecovery ? snapshot->subxip : snapshot->xip;
	int			count = snapshot->takenDuringRecovery ? snapshot->subxcnt : snapshot->xcnt;
	uint64		xmax = U64FromFullTransactionId(full_xid(snapshot->xmax, next));
	uint64		own = U64FromFullTransactionId(GetTopFullTransactionIdIfAny());
	uint64	   *xids = palloc((count + 1) * sizeof(uint64));
	StringInfoData buf;
	uint64		last = 0;
	int			n = 0;
	int			i;

	for (i = 0; i < count; i++)
	{
		uint64		xid = U64FromFullTransactionId(full_xid(list[i], next));

		if (xid < xmax)
			xids[n++] = xid;
	}
	if (own != 0 && own < xmax)
		xids[n++] = own;
	qsort(xids, n, sizeof(uint64), compare_xids);

	initStringInfo(&buf);
	appendStringInfo(&buf, UINT64_FORMAT ":" UINT64_FORMAT ":", n > 0 ? xids[0] : xmax, xmax);
	for (i = 0; i < n; i++)
	{
		if (xids[i] == last)
			continue;
		appendStringInfo(&buf, "%s" UINT64_FORMAT, last ? "," : "", xids[i]);
		last = xids[i];
	}
	pfree(xids);
	return buf.data;
}

/*
 * Returns the snapshot of the caller, and the next transaction id that will be
 * assigned.
 */
PG_FUNCTION_INFO_V1(feed_moment);

Datum
feed_moment(PG_FUNCTION_ARGS)
{
	FullTransactionId next = ReadNextFullTransactionId();
	TupleDesc	desc;
	Datum		values[2];
	bool		nulls[2] = {false, false};
	char	   *snapshot;

	if (get_call_result_type(fcinfo, NULL, &desc) != TYPEFUNC_COMPOSITE)
		elog(ERROR, "return type must be a row type");
	desc = BlessTupleDesc(desc);

	snapshot = committed_snapshot(GetActiveSnapshot(), next);
	values[0] = DirectFunctionCall1(pg_snapshot_in, CStringGetDatum(snapshot));
	values[1] = FullTransactionIdGetDatum(next);
	PG_RETURN_DATUM(HeapTupleGetDatum(heap_form_tuple(desc, values, nulls)));
}
