/*
 * insert.h
 *		Entries of nic_history, and writing them.
 */
#ifndef VMNET_HISTORY_INSERT_H
#define VMNET_HISTORY_INSERT_H

#include "datatype/timestamp.h"
#include "utils/rel.h"

/* A change of a NIC that is kept until the end of the statement. */
typedef struct HistoryEntry
{
	Oid			table;			/* NIC table */
	Oid			history;		/* table that it is written to */
	SubTransactionId subid;
	int64		seq;
	int64		nic_id;
	int64		network_id;
	int64		instance_id;
	bool		has_instance;
	bool		is_removed;
	TimestampTz removed;
	TimestampTz at;
	const char *from_state;		/* these three are never freed; states can be
								 * NULL */
	const char *to_state;
	const char *event;
} HistoryEntry;

extern Oid	history_sequence(Relation rel, Oid history);
extern void history_require_owner(Relation rel, Oid history);
extern void history_write(Relation rel, Oid history,
						  HistoryEntry **entries, int count);

#endif							/* VMNET_HISTORY_INSERT_H */
