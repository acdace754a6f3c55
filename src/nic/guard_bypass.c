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
 * An error is never caught between permit_open() and permit_close(), except by
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

static Oid	permitted_schema = InvalidOid;
static SubTransactionId permitted_by = InvalidSubTransactionId;
static int	permitted_depth = 0;
static bool only_old = false;
static TimestampTz old_before = 0;

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
permit_open(Oid schema)
{
	if (OidIsValid(permitted_schema))
		ereport(ERROR,
				(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
				 errmsg("a purge or an import cannot run inside a statement of another one"),
				 errdetail("A statement that writes to inventory \"%s\" is running in this session.",
						   require_namespace_name(permitted_schema)),
				 errhint("Call it after the other one has ended, not from a trigger or a function of its tables.")));

	permitted_schema = schema;
	permitted_by = GetCurrentSubTransactionId();
	permitted_depth = trigger_depth();
	only_old = false;
}

/* The same, for deleting rows that were removed before a time. */
void
permit_open_purge(Oid schema, TimestampTz before)
{
	permit_open(schema);
	only_old = true;
	old_before = before;
}

/* Closes the permit. */
void
permit_close(void)
{
	permitted_schema = InvalidOid;
	permitted_by = InvalidSubTransactionId;
}

/*
 * True if a permit is open for the schema of a table, and the trigger that asks
 * was fired by the very statement that it was opened for.
 */
static bool
permit_is_for(Relation rel)
{
	return OidIsValid(permitted_schema) &&
		RelationGetNamespace(rel) == permitted_schema &&
		trigger_depth() == permitted_depth + 1;
}

/* True if the open permit covers everything that is written to a table. */
bool
permit_covers(Relation rel)
{
	return permit_is_for(rel) && !only_old;
}

/* True if the open permit covers the deletion of a row. */
bool
permit_covers_delete(Relation rel, HeapTuple row)
{
	TupleDesc	desc = RelationGetDescr(rel);
	int			removed;
	bool		isnull;
	Datum		value;

	if (!permit_is_for(rel))
		return false;
	if (!only_old)
		return true;

	removed = SPI_fnumber(desc, "removed");
	if (removed <= 0 || SPI_gettypeid(desc, removed) != TIMESTAMPTZOID)
		return false;
	value = SPI_getbinval(row, desc, removed, &isnull);
	return !isnull && DatumGetTimestampTz(value) < old_before;
}

static void
permit_xact_end(XactEvent event, void *arg)
{
	permit_close();
}

static void
permit_subxact_end(SubXactEvent event, SubTransactionId mySubid,
				   SubTransactionId parentSubid, void *arg)
{
	if (event == SUBXACT_EVENT_ABORT_SUB && permitted_by >= mySubid)
		permit_close();
}

/* Called once, when the module is loaded. */
void
permit_register(void)
{
	RegisterXactCallback(permit_xact_end, NULL);
	RegisterSubXactCallback(permit_subxact_end, NULL);
}
