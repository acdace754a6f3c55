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
typedef struct NotifyMessage
{
	int64		count;
	StringInfoData ids;			/* of the first ones, as JSON */
} NotifyMessage;

typedef void (*WrittenRow) (TupleTableSlot *old, TupleTableSlot *slot, void *arg);

extern void notify_append(NotifyMessage *notice, const char *id);
extern void notify_send(NotifyMessage *notice, TriggerData *trigdata, const char *channel);
extern void foreach_written_row(TriggerData *trigdata, WrittenRow row, void *arg);

#endif							/* VMNET_HISTORY_NOTIFY_H */
