/*
 * run_as.h
 *		Switches of the current user.
 */
#ifndef VMNET_RUN_AS_H
#define VMNET_RUN_AS_H

#include "utils/rel.h"

/* The user before a switch, which run_as_end() restores. */
typedef struct RunAs
{
	Oid			user;
	int			sec_context;
	int			guc_level;		/* 0: settings are not restored */
	bool		switched;
} RunAs;

extern void run_as_table_owner(Relation rel, RunAs *saved);
extern bool run_as_role(Oid role, RunAs *saved);
extern bool run_as_inventory_owner(Oid schema, RunAs *saved);
extern void run_as_inventory_owner_unforced(Oid schema, RunAs *saved);
extern void run_as_inventory_owner_granted(Oid schema, const char *table,
										   AclMode privilege, RunAs *saved);
extern void run_as_end(const RunAs *saved);

extern Oid	relation_owner(Oid relid);
extern Oid	inventory_owner(Oid schema);
extern Oid	require_inventory_owner(Oid schema);
extern void require_owner(Oid relid, Oid owner, Oid owned);
extern void require_one_owner(Oid schema);

#endif							/* VMNET_RUN_AS_H */
