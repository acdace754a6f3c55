/*
 * run_as.h
 *		Whose rights the code of the extension runs with.
 */
#ifndef VMNET_RUN_AS_H
#define VMNET_RUN_AS_H

#include "utils/rel.h"

/* What the current user was before a switch; run_as_end() goes back to it. */
typedef struct RunAs
{
	Oid			user;
	int			sec_context;
	int			guc_level;		/* 0: settings are left alone */
	bool		switched;
} RunAs;

extern void run_as_table_owner(Relation rel, RunAs *saved);
extern bool run_as_role(Oid role, RunAs *saved);
extern bool run_as_inventory_owner(Oid schema, RunAs *saved);
extern void run_as_inventory_owner_unforced(Oid schema, RunAs *saved);
extern void run_as_end(const RunAs *saved);

extern Oid	relation_owner(Oid relid);
extern Oid	inventory_owner(Oid schema);
extern Oid	require_inventory_owner(Oid schema);
extern void require_owner(Oid relid, Oid owner, Oid owned);
extern void require_one_owner(Oid schema);

#endif							/* VMNET_RUN_AS_H */
