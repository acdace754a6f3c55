/*
 * removal_time.h
 *		Which times of removal are times of now.
 */
#ifndef VMNET_REMOVAL_TIME_H
#define VMNET_REMOVAL_TIME_H

#include "datatype/timestamp.h"

extern bool removal_is_backdated(TimestampTz removed);

#endif							/* VMNET_REMOVAL_TIME_H */
