/*
 * removal_time.h
 *		Whether a removal time means "now" or an earlier time.
 */
#ifndef VMNET_REMOVAL_TIME_H
#define VMNET_REMOVAL_TIME_H

#include "datatype/timestamp.h"

extern bool removal_is_backdated(TimestampTz removed);

#endif							/* VMNET_REMOVAL_TIME_H */
