/*
 * attach.h
 *		How the rows of an attached table read: see attach.c.
 */
#ifndef VMNET_ATTACH_H
#define VMNET_ATTACH_H

#include "nic_state.h"
#include "vmnet_ext.h"

/* Columns of an attached view, in the order of attached_names[]. */
typedef enum AttachedColumn
{
	ATTACHED_ID,
	ATTACHED_UUID,
	ATTACHED_NETWORK_ID,
	ATTACHED_INSTANCE_ID,
	ATTACHED_STATE,
	ATTACHED_STRATEGY,
	ATTACHED_REMOVED,
	ATTACHED_CREATED,
	ATTACHED_STATE_CHANGED,
	ATTACHED_MAC_ADDRESS,
	ATTACHED_IP4_ADDRESS,
	ATTACHED_IP6_ADDRESS,
	ATTACHED_NETWORK_KEY,		/* what refers to a parent, as it is stored */
	ATTACHED_INSTANCE_KEY,
	ATTACHED_KEY,				/* of a parent: what NICs refer to */
	ATTACHED_VPC_ID
} AttachedColumn;

#define ATTACHED_COLUMN_COUNT	(ATTACHED_VPC_ID + 1)

typedef struct AttachedTable
{
	Oid			view;			/* hash key: attached_nics and the like */
	Oid			table;			/* what the view reads */
	Oid			schema;			/* the inventory */
	Oid			info;			/* its view inventory_info */
	Oid			owner;			/* of the view */
	bool		enforce;
	bool		no_time;		/* is it not known when a row was removed? */
	bool		lacks[ATTACHED_COLUMN_COUNT];	/* NULL in every row */
	Oid			type[ATTACHED_COLUMN_COUNT];
	AttrNumber	attnum[ATTACHED_COLUMN_COUNT];	/* where it is a plain column */
	ExprState  *exprs[ATTACHED_COLUMN_COUNT];
	ExprContext *econtext;
	MemoryContext context;
	bool		valid;
} AttachedTable;

extern Oid	attached_schema(Relation rel, Trigger *trigger);
extern AttachedTable *attached_table_lookup(Oid schema, const char *role);
extern AttachedTable *attached_table_of(Relation rel, Trigger *trigger);
extern bool attached_lacks_column(AttachedTable *table, const char *column);
extern Datum attached_value(AttachedTable *table, TupleTableSlot *slot,
							AttachedColumn column, bool *isnull);
extern bool attached_same(AttachedTable *table, TupleTableSlot *a,
						  TupleTableSlot *b, AttachedColumn column);
extern char *attached_output(AttachedTable *table, TupleTableSlot *slot,
							 AttachedColumn column);
extern ParentStatus attached_parent_lock(AttachedTable *parent, Oid keytype, Datum key,
										 LockTupleMode mode, TimestampTz *removed);
extern int64 attached_parent_id(AttachedTable *parent, Oid keytype, Datum key);

#endif							/* VMNET_ATTACH_H */
