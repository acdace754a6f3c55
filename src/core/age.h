/*
 * age.h
 *		How old what an inventory shows is.
 */
#ifndef VMNET_AGE_H
#define VMNET_AGE_H

#include "datatype/timestamp.h"

extern bool inventory_as_of(Oid schema, const char *kind, TimestampTz *as_of);
extern Oid	inventory_resolve_fresh_arg(FunctionCallInfo fcinfo, int argno);

#endif							/* VMNET_AGE_H */
