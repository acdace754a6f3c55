/*
 * removal_time.c
 *		Whether a removal time means "now" or an earlier time.
 *
 * A row may be changed after the transaction that removes it has begun, by the
 * transaction itself or by another one.  A removal at now() is then dated before
 * the last change, although it comes after it.  So a time of removal that lies
 * within the transaction means "now", and never contradicts what is recorded.
 */
#include "postgres.h"

#include "access/xact.h"
#include "utils/timestamp.h"

#include "compat.h"
#include "nic/removal_time.h"

/*
 * Tells whether a time lies before the current transaction.
 *
 * Clients that round to whole seconds send the beginning of the second in which
 * the transaction began; that means "now", too.
 */
bool
removal_is_backdated(TimestampTz removed)
{
	TimestampTz start = GetCurrentTransactionStartTimestamp();
	int64		fraction = start % USECS_PER_SEC;

	if (fraction < 0)
		fraction += USECS_PER_SEC;
	return removed < start - fraction;
}
