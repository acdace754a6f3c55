/*
 * subtransaction.c
 *		The only place that opens a subtransaction and catches an error.
 *
 * An error that is thrown on while its subtransaction is open leaves the session
 * inside of it: what is committed later would be lost.  So the subtransaction is
 * rolled back whatever the error is, and the error is given back to the caller,
 * who decides what becomes of it.
 */
#include "postgres.h"

#include "access/xact.h"
#include "executor/spi.h"
#include "utils/memutils.h"
#include "utils/resowner.h"

#include "compat.h"
#include "core/subtransaction.h"

/*
 * Runs work in a subtransaction.  NULL where it succeeded, and the
 * subtransaction is then part of the transaction; else the error, after the
 * subtransaction was rolled back, as a copy in the caller's memory context.
 * The caller throws it on with ReThrowError() unless it is one that he expects.
 *
 * An error that cancels the whole query is an error like others: the caller must
 * throw it on.  User, security context, settings, locks and the connection to
 * SPI are those of before the call in either case.
 */
ErrorData *
run_in_subtransaction(SubtransactionWork work, void *arg)
{
	MemoryContext context = CurrentMemoryContext;
	ResourceOwner owner = CurrentResourceOwner;
	ErrorData  *volatile edata = NULL;

	BeginInternalSubTransaction(NULL);
	MemoryContextSwitchTo(context);
	PG_TRY();
	{
		work(arg);
		ReleaseCurrentSubTransaction();
	}
	PG_CATCH();
	{
		MemoryContextSwitchTo(context);
		edata = CopyErrorData();
		FlushErrorState();
		RollbackAndReleaseCurrentSubTransaction();
	}
	PG_END_TRY();
	MemoryContextSwitchTo(context);
	CurrentResourceOwner = owner;
	return edata;
}

/*
 * Commits what a procedure has done so far, and begins the next transaction.
 * NULL where that succeeded, else the error, as a copy in the caller's memory
 * context; what was to be committed is then rolled back, and there is a new
 * transaction all the same.  The caller throws the error on.
 */
ErrorData *
commit_in_procedure(void)
{
	MemoryContext context = CurrentMemoryContext;
	ErrorData  *volatile edata = NULL;

	PG_TRY();
	{
		SPI_commit();
	}
	PG_CATCH();
	{
		MemoryContextSwitchTo(context);
		edata = CopyErrorData();
		FlushErrorState();
	}
	PG_END_TRY();
	MemoryContextSwitchTo(context);
	return edata;
}
