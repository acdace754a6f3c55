/*
 * outsider.h
 *		Calls by roles that have no access to the schema of an inventory.
 */
#ifndef VMNET_OUTSIDER_H
#define VMNET_OUTSIDER_H

#include "fmgr.h"

extern char *outsider_hint(FunctionCallInfo fcinfo, Oid schema);
extern void refuse_outsider(FunctionCallInfo fcinfo, Oid schema);

#endif							/* VMNET_OUTSIDER_H */
