/*
 * nic_table.h
 *		Columns of a NIC table and the tables that it refers to.
 */
#ifndef VMNET_NIC_TABLE_H
#define VMNET_NIC_TABLE_H

#include "access/attnum.h"
#include "datatype/timestamp.h"
#include "executor/tuptable.h"
#include "utils/rel.h"

#include "core/relation_cache.h"

/* A table that NICs refer to, as found by a foreign key of the NIC table. */
typedef struct ParentKey ParentKey;
struct ParentKey
{
	Oid			relid;			/* InvalidOid: no foreign key on the column */
	Oid			indexid;
	Oid			eqproc;			/* parent key = NIC's column */
	Oid			keytype;		/* type of the NIC's column */
	Oid			collation;
	AttrNumber	column;			/* the NIC's column */
	AttrNumber	key;			/* the parent's key */
	AttrNumber	removed;		/* the parent's removal time */

	/* An attached parent: tells removal in its own way, see attached_row.c. */
	bool		(*is_removed) (const ParentKey *parent, TupleTableSlot *slot,
							   TimestampTz *removed);
	struct AttachedTable *attached;
};

/* Columns of a NIC table, in the order of nic_columns[]. */
typedef enum NicColumn
{
	NIC_ID,
	NIC_UUID,
	NIC_INSTANCE_ID,
	NIC_NETWORK_ID,
	NIC_STATE,
	NIC_STRATEGY,
	NIC_RESERVER_NAME,
	NIC_RESERVATION_ID,
	NIC_VM_TYPE,
	NIC_DEVICE_ID,
	NIC_DEFAULT_NIC,
	NIC_MAC_ADDRESS,
	NIC_IP4_ADDRESS,
	NIC_IP6_ADDRESS,
	NIC_NETMASK,
	NIC_GATEWAY,
	NIC_BROADCAST_URI,
	NIC_MTU,
	NIC_ENABLED,
	NIC_CREATED,
	NIC_STATE_CHANGED,
	NIC_REMOVED
} NicColumn;

#define NIC_COLUMN_COUNT	(NIC_REMOVED + 1)

/* A NIC table; see nic_table_lookup(). */
typedef struct NicTable
{
	CachedRelation cached;		/* must be first */
	AttrNumber	attnum[NIC_COLUMN_COUNT];
	ParentKey	network;
	ParentKey	instance;
	Oid			history;		/* InvalidOid: no enabled trigger writes it */
	Oid			address_history;
} NicTable;

extern const NicTable *nic_table_lookup(Relation rel);
extern const char *nic_column_name(NicColumn column);

#endif							/* VMNET_NIC_TABLE_H */
