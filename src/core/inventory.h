/*
 * inventory.h
 *		Which schemas are inventories, and of which kind.
 */
#ifndef VMNET_INVENTORY_H
#define VMNET_INVENTORY_H

#include "fmgr.h"

/* The canonical view by which an inventory is recognized. */
#define INVENTORY_MARK	"inventory_info"

typedef struct InventoryInfo
{
	char	   *kind;
	char	   *source;			/* NULL: the inventory is its own source */
	char	   *mode;
	char	   *version;
} InventoryInfo;

extern Oid	inventory_resolve(const char *name);
extern Oid	inventory_resolve_arg(FunctionCallInfo fcinfo, int argno);
extern bool inventory_info(Oid schema, InventoryInfo *info);
extern bool inventory_is_live(Oid schema);
extern char *require_namespace_name(Oid schema);

#endif							/* VMNET_INVENTORY_H */
