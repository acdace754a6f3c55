/*
 * pending.h
 *		Changes of NICs that are kept until the end of the statement.
 */
#ifndef VMNET_HISTORY_PENDING_H
#define VMNET_HISTORY_PENDING_H

#include "datatype/timestamp.h"
#include "executor/tuptable.h"
#include "utils/rel.h"

#include "history/insert.h"
#include "nic/nic_state.h"
#include "nic/nic_table.h"

extern void history_assign_number(Relation rel, const NicTable *table,
								  int64 nic_id, TimestampTz at);
extern void history_record_change(Relation rel, const NicTable *table,
								  TupleTableSlot *old, TupleTableSlot *new);
extern void history_record_addresses(Relation rel, const NicTable *table,
									 TupleTableSlot *old);
extern void history_append(Relation rel, HistoryEntry *entry, Oid history,
						   NicStrategy strategy, NicState from, NicState to);
extern void history_append_addresses(Relation rel, Oid address_history,
									 Datum *values, const char *nulls);
extern void history_write_pending(Relation rel, Oid history);
extern void history_register(void);

#endif							/* VMNET_HISTORY_PENDING_H */
