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
#include "nodes/pg_list.h"
#include "utils/datum.h"
#include "utils/memutils.h"

#include "compat.h"
#include "core/run_as.h"
#include "nic/nic_columns.h"
#include "nic/nic_table.h"

/* Names, in TopMemoryContext; valid once is_known is set. */
static List *other_columns = NIL;
static bool is_known = false;

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
 * Reads the list of columns, once for each session, as the owner of the table.
 */
static void
load_other_columns(Relation rel)
{
	List	   *names = NIL;
	RunAs		saved;
	uint64		i;

	run_as_table_owner(rel, &saved);
	if (SPI_connect() != SPI_OK_CONNECT)
		elog(ERROR, "SPI_connect failed");
	if (SPI_execute("SELECT c.name FROM vmnet_internal.inventory_columns() c"
					" WHERE c.relation OPERATOR(pg_catalog.=) 'all_nics' AND c.in_view",
					true, 0) != SPI_OK_SELECT)
		elog(ERROR, "could not read the columns of an inventory");
	for (i = 0; i < SPI_processed; i++)
	{
		char	   *name = SPI_getvalue(SPI_tuptable->vals[i], SPI_tuptable->tupdesc, 1);
		MemoryContext oldcontext;

		if (is_guarded_column(name))
			continue;
		oldcontext = MemoryContextSwitchTo(TopMemoryContext);
		names = lappend(names, pstrdup(name));
		MemoryContextSwitchTo(oldcontext);
	}
	SPI_finish();
	run_as_end(&saved);
	other_columns = names;
	is_known = true;
}

/*
 * Tells whether a column has the same image in two rows.
 */
static bool
is_same(TupleTableSlot *a, TupleTableSlot *b, AttrNumber attnum)
{
	Form_pg_attribute att = TupleDescAttr(a->tts_tupleDescriptor, attnum - 1);
	bool		anull;
	bool		bnull;
	Datum		avalue = slot_getattr(a, attnum, &anull);
	Datum		bvalue = slot_getattr(b, attnum, &bnull);

	if (anull || bnull)
		return anull && bnull;
	return datum_image_eq(avalue, bvalue, att->attbyval, att->attlen);
}

/*
 * Returns the name of a column that differs in two versions of a NIC, of those
 * that an inventory has and the guards do not read; NULL if there is none.
 *
 * The name is a string that stays allocated.
 */
const char *
nic_other_column_changed(Relation rel, TupleTableSlot *old, TupleTableSlot *new)
{
	ListCell   *lc;

	if (!is_known)
		load_other_columns(rel);
	foreach(lc, other_columns)
	{
		const char *name = lfirst(lc);
		int			attnum = SPI_fnumber(RelationGetDescr(rel), name);

		if (attnum > 0 && !is_same(old, new, attnum))
			return name;
	}
	return NULL;
}
