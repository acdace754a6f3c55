/*
 * nic_columns.c
 *		Columns of NICs that an inventory has and the guards do not read.
 *
 * vmnet_internal.inventory_columns() lists the columns of an inventory.  A rule
 * that is about every column of a NIC holds for those, too, that nic_columns[]
 * does not have; it does not hold for columns that users have added.
 */
#include "postgres.h"

#include "executor/spi.h"
#include "parser/parse_func.h"
#include "utils/builtins.h"
#include "utils/syscache.h"

#include "compat.h"
#include "core/relation_cache.h"
#include "core/run_as.h"
#include "nic/nic_columns.h"
#include "nic/nic_row.h"
#include "nic/nic_table.h"

/* The columns of a NIC table that the guards do not read. */
typedef struct OtherColumns
{
	CachedRelation cached;		/* must be first */
	uint32		list;			/* hash value of inventory_columns() */
	int			count;
	AttrNumber *attnum;
} OtherColumns;

static bool other_columns_use(const CachedRelation *description, int cacheid, uint32 hashvalue);

static RelationCache other_columns = {
	.name = "vmnet other columns",.size = sizeof(OtherColumns),.uses_object = other_columns_use
};

/*
 * Tells whether the columns were read from a function: the list of columns, which
 * another version of the extension may have replaced.
 */
static bool
other_columns_use(const CachedRelation *description, int cacheid, uint32 hashvalue)
{
	return cacheid == PROCOID &&
		(hashvalue == 0 || hashvalue == ((const OtherColumns *) description)->list);
}

/*
 * Tells whether the guards read a column of this name.
 */
static bool
is_guarded_column(const char *name)
{
	int			i;

	for (i = 0; i < NIC_COLUMN_COUNT; i++)
	{
		if (strcmp(name, nic_column_name(i)) == 0)
			return true;
	}
	return false;
}

/*
 * Returns the hash value of vmnet_internal.inventory_columns() in the syscache.
 */
static uint32
list_hash_value(void)
{
	List	   *name = list_make2(makeString("vmnet_internal"), makeString("inventory_columns"));

	return GetSysCacheHashValue1(PROCOID,
								 ObjectIdGetDatum(LookupFuncName(name, 0, NULL, false)));
}

/*
 * Fills in the columns of a NIC table that the list has, as the owner of the table.
 */
static void
read_other_columns(Relation rel, OtherColumns *columns)
{
	RunAs		saved;
	uint64		i;

	columns->list = list_hash_value();
	run_as_table_owner(rel, &saved);
	if (SPI_connect() != SPI_OK_CONNECT)
		elog(ERROR, "SPI_connect failed");
	if (SPI_execute("SELECT c.name FROM vmnet_internal.inventory_columns() c"
					" WHERE c.relation OPERATOR(pg_catalog.=) 'all_nics' AND c.in_view",
					true, 0) != SPI_OK_SELECT)
		elog(ERROR, "could not read the columns of an inventory");
	columns->attnum = MemoryContextAlloc(columns->cached.context,
										 SPI_processed * sizeof(AttrNumber));
	for (i = 0; i < SPI_processed; i++)
	{
		char	   *name = SPI_getvalue(SPI_tuptable->vals[i], SPI_tuptable->tupdesc, 1);
		int			attnum = SPI_fnumber(RelationGetDescr(rel), name);

		if (attnum > 0 && !is_guarded_column(name))
			columns->attnum[columns->count++] = attnum;
	}
	SPI_finish();
	run_as_end(&saved);
}

/*
 * Returns the name of a column that differs in two versions of a NIC, of those
 * that an inventory has and the guards do not read; NULL if there is none.
 *
 * The name is part of the descriptor of the relation.
 */
const char *
nic_other_column_changed(Relation rel, TupleTableSlot *old, TupleTableSlot *new)
{
	OtherColumns *columns;
	int			i;

	columns = (OtherColumns *) relation_cache_find(&other_columns, RelationGetRelid(rel));
	if (columns == NULL)
	{
		columns = (OtherColumns *) relation_cache_begin(&other_columns, RelationGetRelid(rel));
		read_other_columns(rel, columns);
		relation_cache_store(&other_columns, &columns->cached);
	}
	for (i = 0; i < columns->count; i++)
	{
		if (!same_attribute(old, new, columns->attnum[i]))
			return NameStr(TupleDescAttr(RelationGetDescr(rel), columns->attnum[i] - 1)->attname);
	}
	return NULL;
}
