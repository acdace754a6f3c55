/*
 * nic_columns.h
 *		Columns of NICs that an inventory has and the guards do not read.
 */
#ifndef VMNET_NIC_COLUMNS_H
#define VMNET_NIC_COLUMNS_H

#include "executor/tuptable.h"
#include "utils/rel.h"

extern const char *nic_other_column_changed(Relation rel, TupleTableSlot *old,
											TupleTableSlot *new);

#endif							/* VMNET_NIC_COLUMNS_H */
