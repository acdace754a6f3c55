/*
 * column_default.h
 *		Defaults of columns that an INSERT sets to NULL.
 */
#ifndef VMNET_COLUMN_DEFAULT_H
#define VMNET_COLUMN_DEFAULT_H

#include "access/htup.h"
#include "executor/tuptable.h"
#include "utils/rel.h"

extern HeapTuple fill_column_defaults(Relation rel, TupleTableSlot *slot);
extern HeapTuple tuple_with_columns(TupleTableSlot *slot, int n, const int *columns,
									const Datum *new_values);

#endif							/* VMNET_COLUMN_DEFAULT_H */
