/*
 * active.h
 *		Running a saved query into a receiver or a result set.
 */
#ifndef VMNET_ACTIVE_H
#define VMNET_ACTIVE_H

#include "executor/spi.h"
#include "nodes/execnodes.h"
#include "tcop/dest.h"

extern void read_into(SPIPlanPtr plan, int nargs, const Oid *argtypes,
					  const Datum *values, const bool *nulls, DestReceiver *dest);
extern void read_into_result(SPIPlanPtr plan, int nargs, const Oid *argtypes,
							 const Datum *values, const bool *nulls,
							 ReturnSetInfo *rsinfo);

#endif							/* VMNET_ACTIVE_H */
