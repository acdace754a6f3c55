/*
 * permit.c
 *		The one way past the guards against hard deletes and foreign writers.
 *
 * A permit names one schema, and for a purge the time before which a row must
 * have been removed.  It lasts for one statement that the extension itself runs, after it has checked that the caller owns the inventory.  It
 * lives in memory of the backend that no setting and no SQL can reach, and is
 * gone after the statement, after an error, and when the subtransaction that
 * opened it aborts.
 */
#include "compat.h"

#include "access/xact.h"
#include "catalog/pg_type.h"
#include "utils/timestamp.h"

#include "vmnet_ext.h"

static Oid	permitted_schema = InvalidOid;
static SubTransactionId permitted_by = InvalidSubTransactionId;
static bool only_old = false;
static TimestampTz old_before = 0;

void
permit_open(Oid schema)
{
	Assert(!OidIsValid(permitted_schema));

	permitted_schema = schema;
	permitted_by = GetCurrentSubTransactionId();
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

void
permit_close(void)
{
	permitted_schema = InvalidOid;
	permitted_by = InvalidSubTransactionId;
}

/* Does the open permit, if any, cover whatever is written to this table? */
bool
permit_covers(Relation rel)
{
	return OidIsValid(permitted_schema) && !only_old &&
		RelationGetNamespace(rel) == permitted_schema;
}

/* Does it cover the deletion of this row? */
bool
permit_covers_delete(Relation rel, HeapTuple row)
{
	TupleDesc	desc = RelationGetDescr(rel);
	int			removed;
	bool		isnull;
	Datum		value;

	if (!OidIsValid(permitted_schema) ||
		RelationGetNamespace(rel) != permitted_schema)
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
	if (event == SUBXACT_EVENT_ABORT_SUB && mySubid == permitted_by)
		permit_close();
}

/* Called once, when the module is loaded. */
void
permit_register(void)
{
	RegisterXactCallback(permit_xact_end, NULL);
	RegisterSubXactCallback(permit_subxact_end, NULL);
}
