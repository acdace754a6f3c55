/*
 * guard_bypass.c
 *		The one way past the guards against hard deletes and foreign writers.
 *
 * A permit names one schema, and for a purge the time before which a row must
 * have been removed.  It is open around one statement that the extension itself
 * runs, after it has checked that the caller has the rights of the owner of the
 * inventory.  It lives in memory of the backend that no setting and no SQL can
 * reach, and covers the triggers of that statement alone: what a trigger of a
 * user does meanwhile is guarded.
 *
 * An error is never caught between guard_bypass_begin() and guard_bypass_end(), except by
 * a subtransaction around both, whose abort closes the permit.
 */
#include "postgres.h"

#include "access/xact.h"
#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "utils/fmgrprotos.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"
#include "utils/timestamp.h"

#include "compat.h"
#include "core/inventory.h"
#include "nic/guard_bypass.h"

static Oid	bypass_schema = InvalidOid;
static SubTransactionId bypass_subid = InvalidSubTransactionId;
static int	bypass_depth = 0;
static bool bypass_only_old = false;
static TimestampTz bypass_before = 0;

/* How many triggers the code that runs now is inside of. */
static int
trigger_depth(void)
{
	return DatumGetInt32(DirectFunctionCall1(pg_trigger_depth, (Datum) 0));
}

/*
 * Opens a permit for every write to tables of a schema.
 *
 * There is one permit at a time.  A function or a trigger of a user that runs
 * inside the statement of one and calls for another is refused.
 */
void
guard_bypass_begin(Oid schema)
{
	if (OidIsValid(bypass_schema))
		ereport(ERROR,
				(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
				 errmsg("a purge or an import cannot run inside a statement of another one"),
				 errdetail("A statement that writes to inventory \"%s\" is running in this session.",
						   require_namespace_name(bypass_schema)),
				 errhint("Call it after the other one has ended, not from a trigger or a function of its tables.")));

	bypass_schema = schema;
	bypass_subid = GetCurrentSubTransactionId();
	bypass_depth = trigger_depth();
	bypass_only_old = false;
}

/* The same, for deleting rows that were removed before a time. */
void
guard_bypass_begin_purge(Oid schema, TimestampTz before)
{
	guard_bypass_begin(schema);
	bypass_only_old = true;
	bypass_before = before;
}

/* Closes the permit. */
void
guard_bypass_end(void)
{
	bypass_schema = InvalidOid;
	bypass_subid = InvalidSubTransactionId;
}

/*
 * True if a permit is open for the schema of a table, and the trigger that asks
 * was fired by the very statement that it was opened for.
 */
static bool
guard_bypass_applies(Relation rel)
{
	return OidIsValid(bypass_schema) &&
		RelationGetNamespace(rel) == bypass_schema &&
		trigger_depth() == bypass_depth + 1;
}

/* True if the open permit covers everything that is written to a table. */
bool
guard_bypass_covers(Relation rel)
{
	return guard_bypass_applies(rel) && !bypass_only_old;
}

/* True if the open permit covers the deletion of a row. */
bool
guard_bypass_covers_delete(Relation rel, HeapTuple row)
{
	TupleDesc	desc = RelationGetDescr(rel);
	int			removed;
	bool		isnull;
	Datum		value;

	if (!guard_bypass_applies(rel))
		return false;
	if (!bypass_only_old)
		return true;

	removed = SPI_fnumber(desc, "removed");
	if (removed <= 0 || SPI_gettypeid(desc, removed) != TIMESTAMPTZOID)
		return false;
	value = SPI_getbinval(row, desc, removed, &isnull);
	return !isnull && DatumGetTimestampTz(value) < bypass_before;
}

static void
guard_bypass_xact_end(XactEvent event, void *arg)
{
	guard_bypass_end();
}

static void
guard_bypass_subxact_end(SubXactEvent event, SubTransactionId mySubid,
				   SubTransactionId parentSubid, void *arg)
{
	if (event == SUBXACT_EVENT_ABORT_SUB && bypass_subid >= mySubid)
		guard_bypass_end();
}

/* Called once, when the module is loaded. */
void
guard_bypass_register(void)
{
	RegisterXactCallback(guard_bypass_xact_end, NULL);
	RegisterSubXactCallback(guard_bypass_subxact_end, NULL);
}
