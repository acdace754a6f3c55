/*
 * attached_row.h
 *		How the rows of an attached table read: see attached_row.c.
 */
#ifndef VMNET_ATTACHED_ROW_H
#define VMNET_ATTACHED_ROW_H

#include "access/attnum.h"
#include "executor/tuptable.h"
#include "nodes/execnodes.h"

#include "core/relation_cache.h"

/* Columns of an attached view, in the order of attached_columns[]. */
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

/*
 * An attached view as it was when it was read; a newer reading is another
 * struct.  Valid until the end of the transaction.
 */
typedef struct AttachedTable
{
	CachedRelation cached;		/* of the view; must be first */
	Oid			view;			/* attached_nics and the like */
	Oid			table;			/* what the view reads; InvalidOid: see
								 * problem */
	Oid			schema;			/* the inventory */
	Oid			info;			/* its view inventory_info */
	Oid			owner;			/* of the view */
	Oid			info_owner;
	bool		attached;		/* is the inventory of kind attached? */
	bool		enforce;
	bool		no_time;		/* is it not known when a row was removed? */
	bool		lacks_name;		/* no guard reads the column "name" */
	const char *problem;		/* why a guard cannot judge by it, or NULL */
	bool		lacks[ATTACHED_COLUMN_COUNT];	/* NULL in every row */
	Oid			type[ATTACHED_COLUMN_COUNT];	/* a base type */
	Oid			collation[ATTACHED_COLUMN_COUNT];
	AttrNumber	attnum[ATTACHED_COLUMN_COUNT];	/* where it is a plain column */
	Expr	   *trees[ATTACHED_COLUMN_COUNT];	/* as the view has them */
	ExprState  *exprs[ATTACHED_COLUMN_COUNT];	/* NULL until first needed */
	List	   *functions;		/* PlanInvalItems of what exprs are made of */
	ExprContext *econtext;
	bool		busy;			/* one of exprs is being evaluated */
} AttachedTable;

extern AttachedTable *attached_table_lookup(Oid schema, const char *role);
extern bool attached_lacks_column(AttachedTable *table, const char *column);
extern Datum attached_value(AttachedTable *table, TupleTableSlot *slot,
							AttachedColumn column, bool *isnull);
extern bool attached_is_null(AttachedTable *table, TupleTableSlot *slot,
							 AttachedColumn column);
extern bool attached_same(AttachedTable *table, TupleTableSlot *a,
						  TupleTableSlot *b, AttachedColumn column);
extern char *attached_output(AttachedTable *table, TupleTableSlot *slot,
							 AttachedColumn column);

#endif							/* VMNET_ATTACHED_ROW_H */
