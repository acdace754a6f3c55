/*
 * guard_bypass.c
 *		The only bypass of the guards against hard deletes and writes to a mirror.
 *
 * A bypass is for one schema, and for a purge also for rows that were removed
 * before a time.  It is active around one statement that the extension runs,
 * after a check that the caller has the rights of the owner of the inventory.  It
 * is kept in variables that no setting and no SQL can reach, and is valid only
 * for triggers of that statement: statements inside of triggers of users are
 * guarded.
 *
 * No error may be caught between guard_bypass_begin() and guard_bypass_end(),
 * except by a subtransaction around both, whose abort ends the bypass.
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

/*
 * Returns the depth of nested triggers.
 */
static int
trigger_depth(void)
{
	return DatumGetInt32(DirectFunctionCall1(pg_trigger_depth, (Datum) 0));
}

/*
 * Starts a bypass for every write to the tables of a schema.
 *
 * There is one bypass at a time.  A function or trigger of a user that runs
 * inside the statement of one and asks for another is refused (0A000).
 */
void
guard_bypass_begin(Oid schema)
{
	if (OidIsValid(bypass_schema))
		ereport(ERROR,
				(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
				 errmsg("a purge or an import cannot run inside a statement of another one"),
				 errdetail("A statement that writes to inventory \"%s\" is running in this "
						   "session.",
						   require_namespace_name(bypass_schema)),
				 errhint("Call it after the other one has ended, not from a trigger of its "
						 "tables.")));

	bypass_schema = schema;
	bypass_subid = GetCurrentSubTransactionId();
	bypass_depth = trigger_depth();
	bypass_only_old = false;
}

/*
 * Starts a bypass for deleting rows that were removed before a time.
 */
void
guard_bypass_begin_purge(Oid schema, TimestampTz before)
{
	guard_bypass_begin(schema);
	bypass_only_old = true;
	bypass_before = before;
}

/*
 * Ends the bypass.
 */
void
guard_bypass_end(void)
{
	bypass_schema = InvalidOid;
	bypass_subid = InvalidSubTransactionId;
}

/*
 * Tells whether a bypass is active for the schema of a table, and the trigger
 * that asks was fired by the very statement that it was started for.
 */
static bool
guard_bypass_applies(Relation rel)
{
	return OidIsValid(bypass_schema) &&
		RelationGetNamespace(rel) == bypass_schema &&
		trigger_depth() == bypass_depth + 1;
}

/*
 * Tells whether all writes to a table are allowed by the bypass.
 */
bool
guard_bypass_covers(Relation rel)
{
	return guard_bypass_applies(rel) && !bypass_only_old;
}

/*
 * Tells whether the deletion of a row is allowed by the bypass.  A purge allows
 * it only if the row was removed before the time of the purge.
 */
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

/*
 * Registers the transaction callbacks.  Called once by _PG_init().
 */
void
guard_bypass_register(void)
{
	RegisterXactCallback(guard_bypass_xact_end, NULL);
	RegisterSubXactCallback(guard_bypass_subxact_end, NULL);
}
