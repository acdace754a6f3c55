/*
 * subtransaction.c
 *		The only place that opens a subtransaction or catches an error.
 *
 * An error that is rethrown while its subtransaction is open leaves the session
 * inside the subtransaction, and work committed later would be lost.  So the
 * subtransaction is rolled back after every error, and the error is returned to
 * the caller.
 */
#include "postgres.h"

#include "access/xact.h"
#include "executor/spi.h"
#include "utils/memutils.h"
#include "utils/resowner.h"

#include "compat.h"
#include "core/error_context.h"
#include "core/subtransaction.h"

/*
 * Runs work in a subtransaction; returns NULL on success, otherwise the error.
 *
 * On success the subtransaction is part of the transaction.  After an error it
 * was rolled back, and the error is a copy in the caller's memory context; the
 * caller rethrows it by ReThrowError() unless it is an expected one, in
 * particular an error that cancels the query.  User, security context, settings,
 * locks and the connection to SPI are those of before the call in either case.
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
 * Commits the work of a procedure and starts the next transaction; returns NULL
 * on success, otherwise the error.
 *
 * The error is a copy in the caller's memory context.  The transaction was rolled
 * back then, and a new one was started; the caller rethrows the error.
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

/*
 * Runs work; an error that it raises loses the lines of its context about the
 * extension, see error_context_strip(), and is raised again.
 *
 * own_statements: the work runs code of users only by statements of its own.
 * denied_hint: NULL, or the hint of a refusal of access by the server, which then
 * does not show the statement that was refused.
 */
void
run_with_clean_context(SubtransactionWork work, void *arg, bool own_statements,
					   const char *denied_hint)
{
	MemoryContext context = CurrentMemoryContext;

	PG_TRY();
	{
		work(arg);
	}
	PG_CATCH();
	{
		ErrorData  *edata;

		MemoryContextSwitchTo(context);
		edata = CopyErrorData();
		FlushErrorState();
		error_context_strip(edata, own_statements);
		if (denied_hint && edata->hint == NULL &&
			edata->sqlerrcode == ERRCODE_INSUFFICIENT_PRIVILEGE)
		{
			edata->hint = pstrdup(denied_hint);
			edata->internalquery = NULL;
			edata->internalpos = 0;
			edata->context = GetErrorContextStack();
		}
		ReThrowError(edata);
	}
	PG_END_TRY();
}
