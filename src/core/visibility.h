/*
 * visibility.h
 *		What the messages of a refusal may contain.
 */
#ifndef VMNET_VISIBILITY_H
#define VMNET_VISIBILITY_H

#include "utils/rel.h"

extern bool may_see_relation(Oid relid);
extern bool may_see_rows(Relation rel);

#endif							/* VMNET_VISIBILITY_H */
