/*
 * address_check.h
 *		Queries of the operations that must see all rows.
 */
#ifndef VMNET_ADDRESS_CHECK_H
#define VMNET_ADDRESS_CHECK_H

#include "utils/rel.h"

#include "core/run_as.h"

extern bool run_as_owner_for_writer(Relation rel, RunAs *saved);

#endif							/* VMNET_ADDRESS_CHECK_H */
