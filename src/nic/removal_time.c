/*
 * removal_time.c
 *		Which times of removal are times of now.
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
 * Tells whether a time lies before the current transaction.  Clients that keep
 * whole seconds say the beginning of the second, so that counts as now, too.
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
