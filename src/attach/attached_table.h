/*
 * attached_table.h
 *		How a guard finds the description of the table that it fired on.
 */
#ifndef VMNET_ATTACHED_TABLE_H
#define VMNET_ATTACHED_TABLE_H

#include "commands/trigger.h"
#include "utils/rel.h"

#include "attach/attached_row.h"

extern AttachedTable *attached_table_of(Relation rel, Trigger *trigger, const char *role);
extern AttachedTable *attached_related(Relation rel, AttachedTable *table, const char *role);

#endif							/* VMNET_ATTACHED_TABLE_H */
