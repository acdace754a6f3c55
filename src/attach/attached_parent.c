/*
 * attached_parent.c
 *		Networks and instances of attached inventories, by their keys.
 *
 * NICs refer to a network or an instance by any column that has a unique index.
 * A key is compared as a foreign key to that column would: by the operator "="
 * of pg_catalog, in the collation of the parent's column.
 */
#include "postgres.h"

#include "access/genam.h"
#include "access/htup_details.h"
#include "access/nbtree.h"
#include "access/skey.h"
#include "access/stratnum.h"
#include "access/table.h"
#include "catalog/pg_am.h"
#include "catalog/pg_collation.h"
#include "catalog/pg_index.h"
#include "catalog/pg_type.h"
#include "executor/tuptable.h"
#include "lib/stringinfo.h"
#include "nodes/makefuncs.h"
#include "parser/parse_oper.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/rel.h"
#include "utils/relcache.h"
#include "utils/snapmgr.h"
#include "utils/syscache.h"
#include "utils/timestamp.h"

#include "compat.h"
#include "attach/attached_parent.h"
#include "attach/attached_row.h"
#include "core/inventory.h"
#include "core/run_as.h"
#include "core/trigger_call.h"
#include "nic/nic_table.h"
#include "nic/parent_lock.h"

/* Types whose values are text. */
static bool
is_texty(Oid type)
{
	return type == TEXTOID || type == VARCHAROID || type == BPCHAROID;
}

/*
 * Tells whether two collations treat the same values as equal.
 *
 * All deterministic collations do: values that differ in a byte are not equal.
 */
static bool
same_equality(Oid a, Oid b)
{
	if (a == b)
		return true;
	return OidIsValid(a) && OidIsValid(b) &&
		get_collation_isdeterministic(a) && get_collation_isdeterministic(b);
}

/*
 * Tells whether a key can be searched for in an index.
 *
 * Such an index has all rows, by the values of the column, and the operator
 * belongs to its ordering.
 */
static bool
index_serves(Relation index, AttrNumber key, Oid eqop, Oid keytype, Oid collation)
{
	Form_pg_index form = index->rd_index;

	return index->rd_rel->relam == BTREE_AM_OID &&
		form->indisunique && form->indnkeyatts == 1 &&
		form->indisvalid && form->indisready && form->indislive &&
		form->indkey.values[0] == key &&
		heap_attisnull(index->rd_indextuple, Anum_pg_index_indpred, NULL) &&
		heap_attisnull(index->rd_indextuple, Anum_pg_index_indexprs, NULL) &&
		get_opfamily_member(index->rd_opfamily[0], index->rd_opcintype[0], keytype,
							BTEqualStrategyNumber) == eqop &&
		OidIsValid(get_opfamily_proc(index->rd_opfamily[0], index->rd_opcintype[0],
									 keytype, BTORDER_PROC)) &&
		same_equality(index->rd_indcollation[0], collation);
}

/*
 * Finds the index by which a parent is found; without one, the whole table is
 * read.  An index of another collation is searched in its own.
 */
static void
find_index(Relation rel, Oid eqop, ParentKey *parent)
{
	List	   *indexes = RelationGetIndexList(rel);
	ListCell   *lc;

	foreach(lc, indexes)
	{
		Relation	index = index_open(lfirst_oid(lc), AccessShareLock);

		if (index_serves(index, parent->key, eqop, parent->keytype, parent->collation))
		{
			parent->indexid = lfirst_oid(lc);
			parent->collation = index->rd_indcollation[0];
		}
		index_close(index, AccessShareLock);
		if (OidIsValid(parent->indexid))
			break;
	}
	list_free(indexes);
}

static bool
parent_removed(const ParentKey *parent, TupleTableSlot *slot, TimestampTz *removed)
{
	bool		isnull;
	Datum		value = attached_value(parent->attached, slot, ATTACHED_REMOVED, &isnull);

	if (!isnull)
		*removed = DatumGetTimestampTz(value);
	return !isnull;
}

static void
refuse_key(AttachedTable *table, const char *why)
{
	ereport(ERROR,
			(errcode(ERRCODE_E_R_I_E_TRIGGER_PROTOCOL_VIOLATED),
			 errmsg("NICs cannot refer to column \"key\" of view \"%s.%s\"",
					require_namespace_name(table->schema), get_rel_name(table->view)),
			 errdetail_internal("%s", why),
			 errhint("vmnet.attach_inventory() makes such views; its argument \"columns\" names "
					 "the key.")));
}

/*
 * Fills in how a parent is found by a key of a type; returns the key to look up.
 *
 * A text is converted to the type of the parent's column, so that trailing
 * blanks of char(n) are insignificant.
 */
static Datum
parent_key(AttachedTable *table, Relation rel, Oid keytype, Datum key, ParentKey *parent)
{
	Oid			type = table->type[ATTACHED_KEY];
	AttrNumber	attnum = table->attnum[ATTACHED_KEY];
	Oid			eqop;

	if (!AttributeNumberIsValid(attnum))
		refuse_key(table, "It is not a column of the table.");
	if (is_texty(type) && is_texty(keytype))
	{
		if (keytype == BPCHAROID && type != BPCHAROID)
			key = DirectFunctionCall1(rtrim1, key);
		keytype = type = type == BPCHAROID ? BPCHAROID : TEXTOID;
	}
	eqop = compatible_oper_opid(list_make2(makeString("pg_catalog"), makeString("=")),
								type, keytype, true);
	if (!OidIsValid(eqop))
		refuse_key(table, psprintf("It is of type %s, and the column of the NICs that refers to it "
								   "is of type %s.",
								   format_type_be(type), format_type_be(keytype)));

	memset(parent, 0, sizeof(*parent));
	parent->relid = table->table;
	parent->key = attnum;
	parent->eqproc = get_opcode(eqop);
	parent->keytype = keytype;
	parent->collation = TupleDescAttr(RelationGetDescr(rel), attnum - 1)->attcollation;
	parent->is_removed = parent_removed;
	parent->attached = table;
	find_index(rel, eqop, parent);
	return key;
}

/*
 * Opens the table of networks or instances.  A table that does not belong to the
 * owner of its view is not locked.
 */
static Relation
open_parent(AttachedTable *table, LOCKMODE lockmode)
{
	Relation	rel;

	require_owner(table->table, table->owner, table->view);
	rel = table_open(table->table, lockmode);
	if (rel->rd_rel->relowner != table->owner)
		require_owner(table->table, table->owner, table->view);
	if (rel->rd_rel->relkind != RELKIND_RELATION || RELATION_IS_OTHER_TEMP(rel))
		refuse_table(rel, "It is not an ordinary table that this session can read.");
	return rel;
}

/*
 * Locks a network or an instance of an attached inventory; returns its status
 * under the lock.
 *
 * The lock is held until the transaction ends.  The current user must be the
 * owner of the table.
 */
ParentStatus
attached_parent_lock(AttachedTable *table, Oid keytype, Datum key,
					 LockTupleMode mode, TimestampTz *removed)
{
	Relation	rel = open_parent(table, RowShareLock);
	ParentKey	parent;
	ParentStatus status;

	key = parent_key(table, rel, keytype, key, &parent);
	status = parent_lock(&parent, key, mode, removed);
	table_close(rel, NoLock);
	return status;
}

/*
 * Returns the id of the parent with a key; 0 if there is none, or its id is not
 * a bigint.  The current user must be the owner of the table.
 */
int64
attached_parent_id(AttachedTable *table, Oid keytype, Datum key)
{
	Relation	rel = open_parent(table, AccessShareLock);
	TupleTableSlot *slot = MakeSingleTupleTableSlot(RelationGetDescr(rel), &TTSOpsHeapTuple);
	Snapshot	snapshot = RegisterSnapshot(GetLatestSnapshot());
	ParentKey	parent;
	ScanKeyData skey;
	SysScanDesc scan;
	HeapTuple	tuple;
	Datum		id = 0;
	bool		isnull = true;

	key = parent_key(table, rel, keytype, key, &parent);
	ScanKeyEntryInitialize(&skey, 0, parent.key, BTEqualStrategyNumber,
						   parent.keytype, parent.collation, parent.eqproc, key);
	scan = systable_beginscan(rel, parent.indexid, OidIsValid(parent.indexid), snapshot, 1, &skey);
	tuple = systable_getnext(scan);
	if (tuple && table->type[ATTACHED_ID] == INT8OID)
	{
		ExecStoreHeapTuple(tuple, slot, false);
		id = attached_value(table, slot, ATTACHED_ID, &isnull);
	}
	ExecDropSingleTupleTableSlot(slot);
	systable_endscan(scan);
	UnregisterSnapshot(snapshot);
	table_close(rel, AccessShareLock);
	return isnull ? 0 : DatumGetInt64(id);
}

/*
 * Appends the collation in which a key of NICs is compared with the parent's,
 * where the two columns differ in what is equal: that of the parent.
 */
void
attached_append_collate(StringInfo sql, AttachedTable *nics,
						AttachedColumn column, AttachedTable *parent)
{
	Oid			collation = parent->collation[ATTACHED_KEY];
	HeapTuple	tuple;
	Form_pg_collation form;

	if (!OidIsValid(collation) || same_equality(collation, nics->collation[column]) ||
		!is_texty(nics->type[column]))
		return;
	tuple = SearchSysCache1(COLLOID, ObjectIdGetDatum(collation));
	if (!HeapTupleIsValid(tuple))
		elog(ERROR, "cache lookup failed for collation %u", collation);
	form = (Form_pg_collation) GETSTRUCT(tuple);
	appendStringInfo(sql, " COLLATE %s",
					 quote_qualified_identifier(get_namespace_name(form->collnamespace),
												NameStr(form->collname)));
	ReleaseSysCache(tuple);
}
