/*
 * nic_rules.h
 *		The rules of a NIC, for any table whose rows can be read as NICs.
 */
#ifndef VMNET_NIC_RULES_H
#define VMNET_NIC_RULES_H

#include "datatype/timestamp.h"
#include "executor/tuptable.h"
#include "utils/rel.h"

#include "nic/nic_state.h"
#include "nic/nic_table.h"
#include "nic/parent_lock.h"

typedef struct NicRules NicRules;

/*
 * How the rules read a row of a table as a NIC.
 *
 * There are two: by attribute number, in nic_row.c, and by the expressions of an
 * attached view, in attached_nic_row.c.  Results that are passed by reference
 * point into the row, or are allocated in the current memory context.
 */
typedef struct NicReader
{
	Datum		(*value) (const NicRules *rules, TupleTableSlot *row,
						  NicColumn column, bool *isnull);
	bool		(*same) (const NicRules *rules, TupleTableSlot *old,
						 TupleTableSlot *new, NicColumn column);

	/* A value as text, for messages. */
	char	   *(*output) (const NicRules *rules, TupleTableSlot *row, NicColumn column);

	/* A sentence about a NIC that the user may see, for DETAIL. */
	char	   *(*description) (const NicRules *rules, TupleTableSlot *row);

	/* May the user who wrote the row see all rows of a relation? */
	bool		(*may_see) (const NicRules *rules, Oid relid);

	/*
	 * Locks the network (NIC_NETWORK_ID) or the instance (NIC_INSTANCE_ID)
	 * FOR KEY SHARE until the transaction ends and returns its status.
	 * Returns PARENT_LIVE if the NIC refers to none.  *parent is set to its
	 * table.
	 */
	ParentStatus (*lock_parent) (const NicRules *rules, TupleTableSlot *row,
								 NicColumn column, TimestampTz *removed, Oid *parent);

	/*
	 * Only of a table of a managed inventory: checks the times of a change,
	 * and returns the name of a changed column that a removed NIC keeps, or
	 * NULL.
	 */
	void		(*check_times) (const NicRules *rules, TupleTableSlot *old,
								TupleTableSlot *new);
	const char *(*changed_column) (const NicRules *rules, TupleTableSlot *old,
								   TupleTableSlot *new);
} NicReader;

/* The rules for one table, while a guard checks a row of it. */
struct NicRules
{
	const NicReader *reader;
	Relation	rel;
	Oid			user;			/* who wrote the row */
	int			level;			/* of a refusal: ERROR or WARNING */

	/*
	 * Is it a table of a managed inventory?  Then states and strategies are
	 * canonical, by a CHECK.  An attached table may have others, about which
	 * the rules say nothing, and rows that were removed when they were added.
	 */
	bool		managed;
};

extern NicState nic_rules_state(const NicRules *rules, TupleTableSlot *row);
extern NicStrategy nic_rules_strategy(const NicRules *rules, TupleTableSlot *row);
extern bool nic_rules_is_null(const NicRules *rules, TupleTableSlot *row, NicColumn column);
extern char *nic_rules_shown(const NicRules *rules, TupleTableSlot *row, NicColumn column);
extern char *nic_rules_description(const NicRules *rules, TupleTableSlot *row);

extern void nic_rules_check_insert(const NicRules *rules, TupleTableSlot *row);
extern void nic_rules_check_update(const NicRules *rules, TupleTableSlot *old,
								   TupleTableSlot *new);

#endif							/* VMNET_NIC_RULES_H */
