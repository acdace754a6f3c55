/*
 * permit.c
 *		The one way past the guards against hard deletes and foreign writers.
 *
 * A permit names one schema and lasts for one statement that the extension
 * itself runs, after it has checked that the caller owns the inventory.  It
 * lives in memory of the backend that no setting and no SQL can reach, and is
 * gone after the statement, after an error, and when the subtransaction that
 * opened it aborts.
 */
#include "compat.h"

#include "access/xact.h"

#include "vmnet_ext.h"

static Oid	permitted_schema = InvalidOid;
static SubTransactionId permitted_by = InvalidSubTransactionId;

void
permit_open(Oid schema)
{
	Assert(!OidIsValid(permitted_schema));

	permitted_schema = schema;
	permitted_by = GetCurrentSubTransactionId();
}

void
permit_close(void)
{
	permitted_schema = InvalidOid;
	permitted_by = InvalidSubTransactionId;
}

/* Does the open permit, if any, cover this table? */
bool
permit_covers(Relation rel)
{
	return OidIsValid(permitted_schema) &&
		RelationGetNamespace(rel) == permitted_schema;
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
