/*
 * age.c
 *		How old what an inventory shows is.
 *
 * A mirror is as of the start of the last import that was completed, which the
 * snapshot sees in its table import_runs.  The table is read without executing
 * anything of its owner's: it must be an ordinary table, and the current user must
 * be able to read every row of it.
 */
#include "postgres.h"

#include "access/genam.h"
#include "access/htup_details.h"
#include "access/table.h"
#include "access/xact.h"
#include "access/xlog.h"
#include "access/xlogrecovery.h"
#include "catalog/pg_am.h"
#include "catalog/pg_class.h"
#include "catalog/pg_type.h"
#include "miscadmin.h"
#include "storage/lmgr.h"
#include "utils/acl.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"
#include "utils/relcache.h"
#include "utils/snapmgr.h"
#include "utils/timestamp.h"

#include "compat.h"
#include "core/age.h"
#include "core/inventory.h"
#include "core/relation_cache.h"
#include "core/visibility.h"
#include "vmnet_ext.h"

/* What is known of the inventory that a view inventory_info describes. */
typedef struct InventoryKind
{
	CachedRelation cached;		/* must be first */
	bool		mirror;
} InventoryKind;

static RelationCache kinds = {"vmnet kinds of inventories", sizeof(InventoryKind)};

/*
 * Tells whether an inventory is a mirror.
 */
static bool
is_mirror(Oid schema)
{
	Oid			mark = get_relname_relid(INVENTORY_MARK, schema);
	InventoryKind *kind = (InventoryKind *) relation_cache_find(&kinds, mark);
	InventoryInfo info;

	if (kind == NULL)
	{
		kind = (InventoryKind *) relation_cache_begin(&kinds, mark);
		kind->mirror = inventory_info(schema, &info) && strcmp(info.kind, "mirror") == 0;
		relation_cache_store(&kinds, &kind->cached);
	}
	return kind->mirror;
}

/*
 * Returns the number of a column of a table; InvalidAttrNumber if it has none of
 * this name and type.
 */
static AttrNumber
column_of_type(Oid relid, const char *name, Oid type)
{
	AttrNumber	attnum = get_attnum(relid, name);

	if (attnum != InvalidAttrNumber && get_atttype(relid, attnum) != type)
		return InvalidAttrNumber;
	return attnum;
}

/*
 * Finds the last completed run in an open table of runs: the entries of the index
 * are in the order of the runs, and a completed one is found among the last.
 */
static bool
last_completed(Relation runs, Relation index, TimestampTz *started)
{
	Oid			relid = RelationGetRelid(runs);
	AttrNumber	status = column_of_type(relid, "status", TEXTOID);
	AttrNumber	start = column_of_type(relid, "started", TIMESTAMPTZOID);
	SysScanDesc scan;
	HeapTuple	tuple;
	bool		found = false;

	if (status == InvalidAttrNumber || start == InvalidAttrNumber)
		return false;

	scan = systable_beginscan_ordered(runs, index, GetActiveSnapshot(), 0, NULL);
	while (!found &&
		   HeapTupleIsValid(tuple = systable_getnext_ordered(scan, BackwardScanDirection)))
	{
		bool		isnull;
		Datum		value = heap_getattr(tuple, status, RelationGetDescr(runs), &isnull);

		CHECK_FOR_INTERRUPTS();
		if (isnull || strcmp(TextDatumGetCString(value), "done") != 0)
			continue;
		value = heap_getattr(tuple, start, RelationGetDescr(runs), &isnull);
		if (isnull)
			continue;
		*started = DatumGetTimestampTz(value);
		found = true;
	}
	systable_endscan_ordered(scan);
	return found;
}

/*
 * Opens the index of a table of runs by their number; NULL if it has none.
 */
static Relation
open_run_index(Relation runs)
{
	Oid			indexoid = RelationGetPrimaryKeyIndex(runs);
	AttrNumber	run = column_of_type(RelationGetRelid(runs), "run", INT8OID);
	Relation	index;

	if (!OidIsValid(indexoid) || run == InvalidAttrNumber)
		return NULL;
	index = index_open(indexoid, AccessShareLock);
	if (index->rd_rel->relam == BTREE_AM_OID && index->rd_index->indisvalid &&
		index->rd_index->indkey.values[0] == run)
		return index;
	index_close(index, AccessShareLock);
	return NULL;
}

/*
 * Finds the start of the last completed import of a mirror; false if there is
 * none, or the current user may not read it, or, without waiting, the table is
 * locked exclusively.
 */
static bool
last_import(Oid schema, bool wait, TimestampTz *started)
{
	Oid			relid = get_relname_relid("import_runs", schema);
	Relation	runs;
	Relation	index;
	bool		found = false;

	if (!OidIsValid(relid) || get_rel_relkind(relid) != RELKIND_RELATION ||
		!may_see_relation(relid))
		return false;
	if (wait)
		LockRelationOid(relid, AccessShareLock);
	else if (!ConditionalLockRelationOid(relid, AccessShareLock))
		return false;
	runs = try_table_open(relid, NoLock);
	if (runs == NULL)
	{
		UnlockRelationOid(relid, AccessShareLock);
		return false;
	}
	index = open_run_index(runs);
	if (index)
	{
		found = last_completed(runs, index, started);
		index_close(index, AccessShareLock);
	}
	table_close(runs, AccessShareLock);
	return found;
}

/*
 * Finds the time that what an inventory of a kind shows is as of; false if it is
 * not known.  Waits for no lock.
 *
 * What is read directly is as of the transaction, and on a standby as of the last
 * transaction that was replayed.  A live inventory reads its source at the time of
 * the query.
 */
bool
inventory_as_of(Oid schema, const char *kind, TimestampTz *as_of)
{
	if (strcmp(kind, "mirror") == 0)
		return last_import(schema, false, as_of);
	if (strcmp(kind, "live") == 0 || !RecoveryInProgress())
		*as_of = GetCurrentTransactionStartTimestamp();
	else
		*as_of = GetLatestXTime();
	return *as_of != 0;
}

/*
 * Raises the error for a mirror that is too old, or whose age is not known.
 */
static void
refuse_old(Oid schema, bool known, TimestampTz as_of, TimestampTz now)
{
	char	   *name = require_namespace_name(schema);
	InventoryInfo info;
	int64		age = (now - as_of) / USECS_PER_SEC;

	if (!inventory_info(schema, &info))
		info.source = NULL;
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 known ?
			 errmsg("mirror \"%s\" is older than the setting \"vmnet.max_age\" allows", name) :
			 errmsg("the age of mirror \"%s\" is not known", name),
			 known ?
			 errdetail("It is as of %s, " INT64_FORMAT " seconds ago; the setting is %d seconds.",
					   timestamptz_to_str(as_of), age, vmnet_max_age) :
			 errdetail("No import was completed, or you may not read its table \"import_runs\"; "
					   "the setting \"vmnet.max_age\" is %d seconds.", vmnet_max_age),
			 info.source ?
			 errhint("CALL vmnet.import_cloudstack(%s, %s); brings it up to its source.",
					 quote_literal_cstr(info.source), quote_literal_cstr(name)) :
			 errhint("vmnet.import_cloudstack() brings it up to its source."),
			 err_generic_string(PG_DIAG_SCHEMA_NAME, name),
			 err_generic_string(PG_DIAG_CONSTRAINT_NAME, "inventory_too_old")));
}

/*
 * Does the same as inventory_resolve_arg(), and raises an error if the inventory is
 * a mirror that is older than vmnet.max_age.
 */
Oid
inventory_resolve_fresh_arg(FunctionCallInfo fcinfo, int argno)
{
	Oid			schema = inventory_resolve_arg(fcinfo, argno);
	TimestampTz as_of = 0;
	TimestampTz now;
	bool		known;

	if (vmnet_max_age <= 0 || !is_mirror(schema))
		return schema;

	known = last_import(schema, true, &as_of);
	now = GetCurrentTimestamp();
	if (known && now - as_of <= (int64) vmnet_max_age * USECS_PER_SEC)
		return schema;
	refuse_old(schema, known, as_of, now);
	return InvalidOid;			/* keep compiler quiet */
}
