/*
 * nic_table.c
 *		Cache of the columns of a NIC table and of the tables that it refers to.
 *
 * A guard finds the networks and the instances by the foreign keys of the NIC
 * table, never by a name, so that it works on any node and in any schema.
 */
#include "postgres.h"

#include "access/genam.h"
#include "access/htup_details.h"
#include "access/stratnum.h"
#include "access/table.h"
#include "catalog/pg_am.h"
#include "catalog/pg_attribute.h"
#include "catalog/pg_constraint.h"
#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"
#include "utils/syscache.h"

#include "compat.h"
#include "core/relation_cache.h"
#include "core/trigger_call.h"
#include "nic/nic_table.h"

typedef struct NicColumnDef
{
	const char *name;
	Oid			type;
	bool		needed;			/* by the guards */
} NicColumnDef;

static const NicColumnDef nic_columns[NIC_COLUMN_COUNT] = {
	[NIC_ID] = {"id", INT8OID, true},
	[NIC_UUID] = {"uuid", UUIDOID, false},
	[NIC_INSTANCE_ID] = {"instance_id", INT8OID, true},
	[NIC_NETWORK_ID] = {"network_id", INT8OID, true},
	[NIC_STATE] = {"state", TEXTOID, true},
	[NIC_STRATEGY] = {"strategy", TEXTOID, true},
	[NIC_RESERVER_NAME] = {"reserver_name", TEXTOID, false},
	[NIC_RESERVATION_ID] = {"reservation_id", TEXTOID, false},
	[NIC_VM_TYPE] = {"vm_type", TEXTOID, false},
	[NIC_DEVICE_ID] = {"device_id", INT4OID, false},
	[NIC_DEFAULT_NIC] = {"default_nic", BOOLOID, true},
	[NIC_MAC_ADDRESS] = {"mac_address", MACADDROID, false},
	[NIC_IP4_ADDRESS] = {"ip4_address", INETOID, false},
	[NIC_IP6_ADDRESS] = {"ip6_address", INETOID, false},
	[NIC_NETMASK] = {"netmask", INETOID, false},
	[NIC_GATEWAY] = {"gateway", INETOID, false},
	[NIC_BROADCAST_URI] = {"broadcast_uri", TEXTOID, false},
	[NIC_MTU] = {"mtu", INT8OID, false},
	[NIC_ENABLED] = {"enabled", BOOLOID, false},
	[NIC_CREATED] = {"created", TIMESTAMPTZOID, true},
	[NIC_STATE_CHANGED] = {"state_changed", TIMESTAMPTZOID, true},
	[NIC_REMOVED] = {"removed", TIMESTAMPTZOID, true}
};

static bool nic_table_uses(const CachedRelation *description, Oid relid);

static RelationCache nic_tables = {
	.name = "vmnet NIC tables",.size = sizeof(NicTable),.uses_relation = nic_table_uses
};

/*
 * Returns the name of a column of a NIC table; a static string.
 */
const char *
nic_column_name(NicColumn column)
{
	return nic_columns[column].name;
}

/*
 * Tells whether the description of a NIC table was read from another relation
 * too.
 */
static bool
nic_table_uses(const CachedRelation *description, Oid relid)
{
	const NicTable *table = (const NicTable *) description;

	return relid == table->network.relid || relid == table->instance.relid ||
		relid == table->history || relid == table->address_history;
}

/*
 * Tells whether a column has its values in the rows.  One that is computed when
 * it is read has none there.
 */
static bool
column_is_stored(TupleDesc desc, int attnum)
{
	char		generated = TupleDescAttr(desc, attnum - 1)->attgenerated;

	return generated == '\0' || generated == ATTRIBUTE_GENERATED_STORED;
}

/*
 * Fills in the columns of a NIC table; raises 39P01 if one is missing or has
 * another type.
 */
static void
find_columns(Relation rel, NicTable *table)
{
	TupleDesc	desc = RelationGetDescr(rel);
	int			i;

	for (i = 0; i < NIC_COLUMN_COUNT; i++)
	{
		const NicColumnDef *def = &nic_columns[i];
		int			attnum = SPI_fnumber(desc, def->name);

		if (attnum <= 0)
		{
			if (def->needed)
				refuse_table(rel, psprintf("It has no column \"%s\".", def->name));
			attnum = InvalidAttrNumber;
		}
		else if (SPI_gettypeid(desc, attnum) != def->type)
			refuse_table(rel, psprintf("Its column \"%s\" is of type %s, not %s.",
									   def->name,
									   format_type_be(SPI_gettypeid(desc, attnum)),
									   format_type_be(def->type)));
		else if (!column_is_stored(desc, attnum))
			refuse_table(rel, psprintf("Its column \"%s\" is a virtual generated column.",
									   def->name));
		table->attnum[i] = attnum;
	}
}

/*
 * Returns the unique index that a foreign key refers to.
 */
static Oid
foreign_key_index(Oid constraint)
{
	HeapTuple	tuple = SearchSysCache1(CONSTROID, ObjectIdGetDatum(constraint));
	Oid			indexid;

	if (!HeapTupleIsValid(tuple))
		elog(ERROR, "cache lookup failed for constraint %u", constraint);
	indexid = ((Form_pg_constraint) GETSTRUCT(tuple))->conindid;
	ReleaseSysCache(tuple);
	return indexid;
}

/*
 * Tells whether the operator of a foreign key compares the parent's key with
 * values of the column as they are, and finds them in the index.  Where the
 * column's values are converted first (a bigint column that refers to a numeric
 * one), it does not.
 */
static bool
key_is_comparable(Oid indexid, Oid operator, Oid keytype)
{
	Relation	index = index_open(indexid, AccessShareLock);
	Oid			left;
	Oid			right;
	bool		result;

	op_input_types(operator, &left, &right);
	result = right == keytype && index->rd_rel->relam == BTREE_AM_OID &&
		left == index->rd_opcintype[0] &&
		get_op_opfamily_strategy(operator, index->rd_opfamily[0]) == BTEqualStrategyNumber;
	index_close(index, AccessShareLock);
	return result;
}

/* Fills in the parent that a foreign key of one column refers to. */
static void
fill_parent(Relation rel, const ForeignKeyCacheInfo *fkey, ParentKey *parent)
{
	Relation	parentrel = table_open(fkey->confrelid, AccessShareLock);
	TupleDesc	desc = RelationGetDescr(parentrel);
	Form_pg_attribute att = TupleDescAttr(RelationGetDescr(rel), fkey->conkey[0] - 1);

	parent->relid = fkey->confrelid;
	parent->indexid = foreign_key_index(fkey->conoid);
	parent->eqproc = get_opcode(fkey->conpfeqop[0]);
	parent->keytype = att->atttypid;
	parent->collation = att->attcollation;
	parent->column = fkey->conkey[0];
	parent->key = fkey->confkey[0];
	parent->removed = SPI_fnumber(desc, "removed");
	if (parentrel->rd_rel->relkind != RELKIND_RELATION ||
		parent->removed <= 0 ||
		SPI_gettypeid(desc, parent->removed) != TIMESTAMPTZOID ||
		!column_is_stored(desc, parent->removed))
		refuse_table(rel, psprintf("Table \"%s\", which it refers to, is not an ordinary table "
								   "with a column \"removed\" of type %s.",
								   RelationGetRelationName(parentrel),
								   format_type_be(TIMESTAMPTZOID)));
	if (!key_is_comparable(parent->indexid, fkey->conpfeqop[0], parent->keytype))
		refuse_table(rel, psprintf("Its column \"%s\" refers to a key of type %s, which is "
								   "compared with type %s only after a conversion.",
								   NameStr(att->attname),
								   format_type_be(SPI_gettypeid(desc, parent->key)),
								   format_type_be(parent->keytype)));
	table_close(parentrel, AccessShareLock);
}

/* Fills in the parent that a column refers to; false where it refers to none. */
static bool
find_parent(Relation rel, AttrNumber column, ParentKey *parent)
{
	/* A copy: opening another table may have the relcache replace the list. */
	List	   *fkeys = copyObject(RelationGetFKeyList(rel));
	ListCell   *lc;

	foreach(lc, fkeys)
	{
		ForeignKeyCacheInfo *fkey = lfirst(lc);

		if (fkey->nkeys != 1 || fkey->conkey[0] != column)
			continue;
		fill_parent(rel, fkey, parent);
		return true;
	}
	return false;
}

/*
 * Fills in the two history tables, in the schema of the NIC table, if an enabled
 * trigger writes them.
 */
static void
find_history(Relation rel, NicTable *table)
{
	Oid			schema = RelationGetNamespace(rel);
	List	   *functions = NIL;
	ListCell   *lc;
	int			i;

	/* Copied first: a catalog lookup may let the relcache replace trigdesc. */
	for (i = 0; rel->trigdesc && i < rel->trigdesc->numtriggers; i++)
	{
		Trigger    *trigger = &rel->trigdesc->triggers[i];

		if (trigger->tgenabled == TRIGGER_FIRES_ON_ORIGIN ||
			trigger->tgenabled == TRIGGER_FIRES_ALWAYS)
			functions = lappend_oid(functions, trigger->tgfoid);
	}

	foreach(lc, functions)
	{
		if (!function_is_ours(lfirst_oid(lc), "nic_history"))
			continue;
		table->history = get_relname_relid("nic_history", schema);
		table->address_history = get_relname_relid("nic_address_history", schema);
		if (!OidIsValid(table->history) || !OidIsValid(table->address_history))
			refuse_table(rel, "Its schema lacks the table \"nic_history\" or "
						 "\"nic_address_history\".");
		break;
	}
	list_free(functions);
}

/*
 * Returns the description of a NIC table; raises 39P01 if it is not one.
 *
 * The result is valid until the end of the transaction.
 */
const NicTable *
nic_table_lookup(Relation rel)
{
	NicTable   *table = (NicTable *) relation_cache_find(&nic_tables, RelationGetRelid(rel));

	if (table)
		return table;

	table = (NicTable *) relation_cache_begin(&nic_tables, RelationGetRelid(rel));
	find_columns(rel, table);
	if (!find_parent(rel, table->attnum[NIC_NETWORK_ID], &table->network))
		refuse_table(rel, "Its column \"network_id\" has no foreign key.");
	if (!find_parent(rel, table->attnum[NIC_INSTANCE_ID], &table->instance))
		refuse_table(rel, "Its column \"instance_id\" has no foreign key.");
	find_history(rel, table);
	relation_cache_store(&nic_tables, &table->cached);
	return table;
}
