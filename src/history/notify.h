/*
 * notify.h
 *		Messages about changed NICs, and the loop over the rows of a statement.
 */
#ifndef VMNET_HISTORY_NOTIFY_H
#define VMNET_HISTORY_NOTIFY_H

#include "commands/trigger.h"
#include "executor/tuptable.h"
#include "lib/stringinfo.h"

/* The message of one statement that changed NICs. */
typedef struct NicNotice
{
	int64		count;
	StringInfoData ids;			/* of the first ones, as JSON */
} NicNotice;

typedef void (*WrittenRow) (TupleTableSlot *old, TupleTableSlot *slot, void *arg);

extern void notice_nic(NicNotice *notice, const char *id);
extern void notice_send(NicNotice *notice, TriggerData *trigdata, const char *channel);
extern void each_written_row(TriggerData *trigdata, WrittenRow row, void *arg);

#endif						/* VMNET_HISTORY_NOTIFY_H */
