/*
 * attach.c
 *		How the rows of an attached table read.
 *
 * The view attached_nics of an inventory (and attached_networks,
 * attached_instances) says it: each of its columns is an expression over one
 * row of the table.  A guard evaluates these expressions on the row at hand,
 * so that it cannot judge by another reading than the views show, and follows
 * a column that is renamed.
 */
#include "compat.h"

#include "access/genam.h"
#include "access/skey.h"
#include "access/stratnum.h"
#include "access/table.h"
#include "catalog/index.h"
#include "catalog/namespace.h"
#include "catalog/pg_type.h"
#include "executor/executor.h"
#include "miscadmin.h"
#include "nodes/makefuncs.h"
#include "nodes/nodeFuncs.h"
#include "nodes/readfuncs.h"
#include "optimizer/optimizer.h"
#include "parser/parse_oper.h"
#include "parser/parsetree.h"
#include "rewrite/rewriteHandler.h"
#include "utils/acl.h"
#include "utils/builtins.h"
#include "utils/datum.h"
#include "utils/hsearch.h"
#include "utils/inval.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/snapmgr.h"

#include "attach.h"

static const char *const attached_names[ATTACHED_COLUMN_COUNT] = {
	[ATTACHED_ID] = "id",
	[ATTACHED_UUID] = "uuid",
	[ATTACHED_NETWORK_ID] = "network_id",
	[ATTACHED_INSTANCE_ID] = "instance_id",
	[ATTACHED_STATE] = "state",
	[ATTACHED_STRATEGY] = "strategy",
	[ATTACHED_REMOVED] = "removed",
	[ATTACHED_CREATED] = "created",
	[ATTACHED_STATE_CHANGED] = "state_changed",
	[ATTACHED_MAC_ADDRESS] = "mac_address",
	[ATTACHED_IP4_ADDRESS] = "ip4_address",
	[ATTACHED_IP6_ADDRESS] = "ip6_address",
	[ATTACHED_NETWORK_KEY] = "network_key",
	[ATTACHED_INSTANCE_KEY] = "instance_key",
	[ATTACHED_KEY] = "key",
	[ATTACHED_VPC_ID] = "vpc_id"
};

static HTAB *attached_tables = NULL;

static void
attached_invalidate(Datum arg, Oid relid)
{
	HASH_SEQ_STATUS status;
	AttachedTable *table;

	hash_seq_init(&status, attached_tables);
	while ((table = hash_seq_search(&status)) != NULL)
	{
		if (!OidIsValid(relid) || relid == table->view ||
			relid == table->table || relid == table->info)
			table->valid = false;
	}
}

static void
attached_init(void)
{
	HASHCTL		ctl = {0};

	ctl.keysize = sizeof(Oid);
	ctl.entrysize = sizeof(AttachedTable);
	ctl.hcxt = AllocSetContextCreate(TopMemoryContext, "vmnet attached tables",
									 ALLOCSET_SMALL_SIZES);
	attached_tables = hash_create("vmnet attached tables", 8, &ctl,
								  HASH_ELEM | HASH_BLOBS | HASH_CONTEXT);
	CacheRegisterRelcacheCallback(attached_invalidate, (Datum) 0);
}

/* The one table that a view reads. */
static Oid
view_table(Query *query)
{
	RangeTblRef *ref;

	if (query->jointree == NULL || list_length(query->jointree->fromlist) != 1 ||
		!IsA(linitial(query->jointree->fromlist), RangeTblRef))
		return InvalidOid;
	ref = linitial_node(RangeTblRef, query->jointree->fromlist);
	return rt_fetch(ref->rtindex, query->rtable)->relid;
}

/* Takes one column of the view down, ready to be evaluated. */
static void
take_column(AttachedTable *table, TargetEntry *entry)
{
	Expr	   *expr = expression_planner(copyObject(entry->expr));
	int			i;

	for (i = 0; i < ATTACHED_COLUMN_COUNT; i++)
	{
		if (strcmp(entry->resname, attached_names[i]) != 0)
			continue;
		table->lacks[i] = IsA(expr, Const) && ((Const *) expr)->constisnull;
		table->type[i] = getBaseType(exprType((Node *) expr));
		if (IsA(expr, Var))
			table->attnum[i] = ((Var *) expr)->varattno;
		table->exprs[i] = ExecInitExpr(expr, NULL);
		/* The time is the same whatever the row: -infinity. */
		if (i == ATTACHED_REMOVED && IsA(expr, CaseExpr))
			table->no_time = IsA(((CaseExpr *) expr)->defresult, Const);
	}
}

static void
read_view(AttachedTable *table, Relation view)
{
	Query	   *query = get_view_query(view);
	MemoryContext oldcontext;
	ListCell   *lc;
	int			i;

	table->context = AllocSetContextCreate(CurrentMemoryContext, "vmnet attached view",
										   ALLOCSET_SMALL_SIZES);
	oldcontext = MemoryContextSwitchTo(table->context);
	table->table = view_table(query);
	table->owner = view->rd_rel->relowner;
	for (i = 0; i < ATTACHED_COLUMN_COUNT; i++)
		table->lacks[i] = true;
	foreach(lc, query->targetList)
		take_column(table, lfirst_node(TargetEntry, lc));
	table->econtext = CreateStandaloneExprContext();
	MemoryContextSwitchTo(oldcontext);
}

/*
 * How the rows of a role (networks, instances, nics) read; NULL where the
 * inventory has no such table.
 */
AttachedTable *
attached_table_lookup(Oid schema, const char *role)
{
	Oid			viewid = get_relname_relid(psprintf("attached_%s", role), schema);
	AttachedTable fresh = {0};
	AttachedTable *table;
	InventoryInfo info;
	Relation	view;
	bool		found;

	if (!OidIsValid(viewid) || get_rel_relkind(viewid) != RELKIND_VIEW)
		return NULL;
	if (attached_tables == NULL)
		attached_init();
	table = hash_search(attached_tables, &viewid, HASH_FIND, NULL);
	if (table && table->valid)
		return table;

	fresh.view = viewid;
	fresh.schema = schema;
	fresh.info = get_relname_relid(INVENTORY_MARK, schema);
	if (!inventory_info(schema, &info))
		return NULL;
	fresh.enforce = strcmp(info.mode, "enforce") == 0;
	view = table_open(viewid, AccessShareLock);
	read_view(&fresh, view);
	table_close(view, AccessShareLock);
	MemoryContextSetParent(fresh.context, TopMemoryContext);

	table = hash_search(attached_tables, &viewid, HASH_ENTER, &found);
	/* What it replaces may be in use further up the stack. */
	if (found && table->context)
		MemoryContextSetParent(table->context, TopTransactionContext);
	*table = fresh;
	table->valid = true;
	return table;
}

/* The view inventory_info whose row type the condition of a guard names. */
static Oid
condition_info(const char *condition)
{
	static char *known = NULL;
	static Oid	known_info = InvalidOid;
	Node	   *node;

	if (known && strcmp(known, condition) == 0)
		return known_info;

	node = stringToNode(condition);
	known_info = InvalidOid;
	if (IsA(node, NullTest) && IsA(((NullTest *) node)->arg, Const))
		known_info = get_typ_typrelid(((Const *) ((NullTest *) node)->arg)->consttype);
	if (known)
		pfree(known);
	known = NULL;
	known = MemoryContextStrdup(TopMemoryContext, condition);
	return known_info;
}

/*
 * The inventory that a guard is of.  Its condition names the inventory, and
 * follows when the schema is renamed; one that was made by hand may have none.
 */
Oid
attached_schema(Relation rel, Trigger *trigger)
{
	const char *name = trigger->tgargs[0];
	Oid			info = trigger->tgqual ? condition_info(trigger->tgqual) : InvalidOid;
	Oid			schema = OidIsValid(info) ? get_rel_namespace(info) : get_namespace_oid(name, true);

	if (OidIsValid(schema) && OidIsValid(get_relname_relid(INVENTORY_MARK, schema)))
		return schema;
	ereport(ERROR,
			(errcode(ERRCODE_E_R_I_E_TRIGGER_PROTOCOL_VIOLATED),
			 errmsg("table \"%s\" is guarded for inventory \"%s\", which is not there",
					RelationGetRelationName(rel), name),
			 errdetail("Trigger \"%s\" has no condition that names the inventory.", trigger->tgname),
			 errhint("Drop it, and make the guards anew: SELECT vmnet.set_inventory_mode('...', 'warn');")));
	return InvalidOid;			/* keep compiler quiet */
}

/*
 * How the rows of the table read that a guard fired on.  Its view belongs to
 * who has the rights of the table's owner: nobody else says what runs here.
 */
AttachedTable *
attached_table_of(Relation rel, Trigger *trigger)
{
	AttachedTable *table;

	if (trigger->tgnargs < 2)
		refuse_table(rel, "The trigger does not say of which inventory it is.");
	table = attached_table_lookup(attached_schema(rel, trigger), trigger->tgargs[1]);
	if (table == NULL || table->table != RelationGetRelid(rel))
		refuse_table(rel, psprintf("Inventory \"%s\" does not read it.", trigger->tgargs[0]));
	if (!has_privs_of_role(table->owner, rel->rd_rel->relowner))
		ereport(ERROR,
				(errcode(ERRCODE_E_R_I_E_TRIGGER_PROTOCOL_VIOLATED),
				 errmsg("table \"%s\" is guarded for an inventory whose owner has not the rights of its own",
						RelationGetRelationName(rel)),
				 errdetail("Inventory \"%s\" belongs to role \"%s\".",
						   get_namespace_name(table->schema), GetUserNameFromId(table->owner, true)),
				 errhint("Make that role a member of the table's owner, or drop trigger \"%s\".", trigger->tgname)));
	return table;
}

/* Is a column, by its canonical name, NULL in every row? */
bool
attached_lacks_column(AttachedTable *table, const char *column)
{
	int			i;

	for (i = 0; i < ATTACHED_COLUMN_COUNT; i++)
	{
		if (strcmp(column, attached_names[i]) == 0)
			return table->lacks[i];
	}
	elog(ERROR, "\"%s\" is none of the columns that are taken down", column);
	return true;				/* keep compiler quiet */
}

Datum
attached_value(AttachedTable *table, TupleTableSlot *slot, AttachedColumn column, bool *isnull)
{
	if (table->exprs[column] == NULL)
	{
		*isnull = true;
		return (Datum) 0;
	}
	table->econtext->ecxt_scantuple = slot;
	return ExecEvalExpr(table->exprs[column], table->econtext, isnull);
}

/* Does a column read the same in two rows? */
bool
attached_same(AttachedTable *table, TupleTableSlot *a, TupleTableSlot *b, AttachedColumn column)
{
	bool		anull;
	bool		bnull;
	Datum		avalue = attached_value(table, a, column, &anull);
	Datum		bvalue = attached_value(table, b, column, &bnull);
	int16		len;
	bool		byval;

	if (anull || bnull)
		return anull && bnull;
	get_typlenbyval(table->type[column], &len, &byval);
	return datum_image_eq(avalue, bvalue, byval, len);
}

/* A value as text, for messages. */
char *
attached_output(AttachedTable *table, TupleTableSlot *slot, AttachedColumn column)
{
	Oid			output;
	bool		isvarlena;
	bool		isnull;
	Datum		value = attached_value(table, slot, column, &isnull);

	if (isnull)
		return pstrdup("null");
	getTypeOutputInfo(table->type[column], &output, &isvarlena);
	return OidOutputFunctionCall(output, value);
}

/* The unique index by which a parent is found by its key. */
static Oid
key_index(Relation rel, AttrNumber key)
{
	List	   *indexes = RelationGetIndexList(rel);
	Oid			result = InvalidOid;
	ListCell   *lc;

	foreach(lc, indexes)
	{
		Relation	index = index_open(lfirst_oid(lc), AccessShareLock);
		Form_pg_index form = index->rd_index;

		if (form->indisunique && form->indisvalid && form->indnkeyatts == 1 &&
			form->indkey.values[0] == key && RelationGetIndexPredicate(index) == NIL)
			result = lfirst_oid(lc);
		index_close(index, AccessShareLock);
		if (OidIsValid(result))
			break;
	}
	list_free(indexes);
	return result;
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

/* Types whose values are text. */
static bool
is_texty(Oid type)
{
	return type == TEXTOID || type == VARCHAROID || type == BPCHAROID;
}

/*
 * How a parent is found by a key of that type.  A text is looked for as what
 * the parent has: blanks at the end of a char(n) count for nothing.
 */
static Datum
parent_key(AttachedTable *table, Relation rel, Oid keytype, Datum key, ParentKey *parent)
{
	Oid			type = table->type[ATTACHED_KEY];

	if (is_texty(type) && is_texty(keytype))
	{
		if (keytype == BPCHAROID && type != BPCHAROID)
			key = DirectFunctionCall1(rtrim1, key);
		keytype = type = type == BPCHAROID ? BPCHAROID : TEXTOID;
	}
	if (!AttributeNumberIsValid(table->attnum[ATTACHED_KEY]))
		refuse_table(rel, psprintf("In view \"%s\" the column \"key\" is none of its columns.",
								   get_rel_name(table->view)));
	memset(parent, 0, sizeof(*parent));
	parent->relid = table->table;
	parent->key = table->attnum[ATTACHED_KEY];
	parent->indexid = key_index(rel, parent->key);
	parent->eqproc = get_opcode(compatible_oper_opid(list_make2(makeString("pg_catalog"), makeString("=")),
													 type, keytype, false));
	parent->keytype = keytype;
	parent->collation = TupleDescAttr(RelationGetDescr(rel), parent->key - 1)->attcollation;
	parent->is_removed = parent_removed;
	parent->attached = table;
	return key;
}

/*
 * Locks a network or an instance of an attached inventory, and tells what it
 * is at that moment.
 */
ParentStatus
attached_parent_lock(AttachedTable *table, Oid keytype, Datum key,
					 LockTupleMode mode, TimestampTz *removed)
{
	Relation	rel = table_open(table->table, RowShareLock);
	ParentKey	parent;
	ParentStatus status;

	key = parent_key(table, rel, keytype, key, &parent);
	status = parent_lock(&parent, key, mode, removed);
	table_close(rel, NoLock);
	return status;
}

/* The id of the parent with this key; 0 where there is none. */
int64
attached_parent_id(AttachedTable *table, Oid keytype, Datum key)
{
	Relation	rel = table_open(table->table, AccessShareLock);
	TupleTableSlot *slot = MakeSingleTupleTableSlot(RelationGetDescr(rel), &TTSOpsHeapTuple);
	Snapshot	snapshot = RegisterSnapshot(GetLatestSnapshot());
	ParentKey	parent;
	ScanKeyData skey;
	SysScanDesc scan;
	HeapTuple	tuple;
	bool		isnull = true;
	Datum		id = (Datum) 0;

	key = parent_key(table, rel, keytype, key, &parent);
	ScanKeyEntryInitialize(&skey, 0, parent.key, BTEqualStrategyNumber,
						   parent.keytype, parent.collation, parent.eqproc, key);
	scan = systable_beginscan(rel, parent.indexid, OidIsValid(parent.indexid), snapshot, 1, &skey);
	tuple = systable_getnext(scan);
	if (tuple)
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
