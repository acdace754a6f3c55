/*
 * nic_row.h
 *		Values of a NIC by attribute number, and the rules for such rows.
 */
#ifndef VMNET_NIC_ROW_H
#define VMNET_NIC_ROW_H

#include "executor/tuptable.h"
#include "utils/rel.h"

#include "nic/nic_rules.h"
#include "nic/nic_table.h"

/* The rules for a NIC table of a managed inventory. */
typedef struct NicTableRules
{
	NicRules	rules;			/* must be first */
	const NicTable *table;
} NicTableRules;

extern void nic_table_rules(NicTableRules *result, Relation rel, const NicTable *table);
extern bool same_attribute(TupleTableSlot *a, TupleTableSlot *b, AttrNumber attnum);
extern bool nic_same(const NicTable *table, TupleTableSlot *a, TupleTableSlot *b,
					 NicColumn column);

extern NicState nic_row_state(const NicTable *table, TupleTableSlot *slot);
extern NicStrategy nic_row_strategy(const NicTable *table, TupleTableSlot *slot);

/*
 * Tells whether a column of a NIC is NULL.
 */
static inline bool
nic_null(const NicTable *table, TupleTableSlot *slot, NicColumn column)
{
	return slot_attisnull(slot, table->attnum[column]);
}

/*
 * Returns the value of a column of a NIC; *isnull tells whether it is NULL.
 */
static inline Datum
nic_column(const NicTable *table, TupleTableSlot *slot, NicColumn column, bool *isnull)
{
	return slot_getattr(slot, table->attnum[column], isnull);
}

/*
 * Returns the value of a column of a NIC that is not NULL.
 */
static inline Datum
nic_value(const NicTable *table, TupleTableSlot *slot, NicColumn column)
{
	bool		isnull;

	return slot_getattr(slot, table->attnum[column], &isnull);
}

#endif							/* VMNET_NIC_ROW_H */
