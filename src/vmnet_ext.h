/*
 * vmnet_ext.h
 *		What the parts of the extension share.
 */
#ifndef VMNET_EXT_H
#define VMNET_EXT_H

#include "compat.h"

#include "access/attnum.h"
#include "commands/trigger.h"
#include "datatype/timestamp.h"
#include "executor/spi.h"
#include "executor/tuptable.h"
#include "lib/stringinfo.h"
#include "nodes/execnodes.h"
#include "nodes/lockoptions.h"
#include "tcop/dest.h"
#include "utils/rel.h"

#include "nic/nic_state.h"

/* vmnet_ext.c */

extern char *vmnet_inventory;
extern char *vmnet_actor;
extern char *vmnet_reason;

/* inventory.c */

/* The canonical view that tells an inventory from any other schema. */
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

/* saved_query.c */

typedef enum PlanKind
{
	PLAN_FIRST_LIVE_NIC,
	PLAN_HELD_NICS_ANY,
	PLAN_HELD_NICS_LIST,
	PLAN_VIEW_REMOVE,
	PLAN_ATTACHED_HELD,
	PLAN_ATTACHED_ANY_HELD,
	PLAN_SECONDARY_NIC,
	PLAN_SECONDARY_REMOVE,
	PLAN_HISTORY,
	PLAN_ADDRESS_HISTORY,
	PLAN_LAST_CHANGE,
	PLAN_LAST_REMOVAL,
	PLAN_PAST,					/* queries of history.c, by its PastKind */
	PLAN_READ					/* the first of the read queries, see active.c */
} PlanKind;

typedef void (*PlanTextFunction) (StringInfo sql, Oid object, int column);

extern SPIPlanPtr plan_lookup(int kind, Oid object, int column,
							  PlanTextFunction text,
							  int nargs, Oid *argtypes, int options);
extern SPIPlanPtr plan_lookup_as_owner(int kind, Relation rel, int column,
									   PlanTextFunction text,
									   int nargs, Oid *argtypes);
extern void plan_run_as_owner(SPIPlanPtr plan, Relation rel, Datum *values,
							  long count);
extern void append_relation_name(StringInfo buf, Oid relid);

/* nic_table.c */

/* A table that NICs refer to, as found by a foreign key of the NIC table. */
typedef struct ParentKey ParentKey;
struct ParentKey
{
	Oid			relid;			/* InvalidOid: no foreign key on the column */
	Oid			indexid;
	Oid			eqproc;			/* parent key = NIC's column */
	Oid			keytype;		/* type of the NIC's column */
	Oid			collation;
	AttrNumber	column;			/* the NIC's column */
	AttrNumber	key;			/* the parent's key */
	AttrNumber	removed;		/* the parent's removal time */

	/* An attached parent: tells removal in its own way, see attached_row.c. */
	bool		(*is_removed) (const ParentKey *parent, TupleTableSlot *slot,
							   TimestampTz *removed);
	struct AttachedTable *attached;
};

/* Columns of a NIC table, in the order of nic_columns[]. */
typedef enum NicColumn
{
	NIC_ID,
	NIC_UUID,
	NIC_INSTANCE_ID,
	NIC_NETWORK_ID,
	NIC_STATE,
	NIC_STRATEGY,
	NIC_RESERVER_NAME,
	NIC_RESERVATION_ID,
	NIC_VM_TYPE,
	NIC_DEVICE_ID,
	NIC_DEFAULT_NIC,
	NIC_MAC_ADDRESS,
	NIC_IP4_ADDRESS,
	NIC_IP6_ADDRESS,
	NIC_NETMASK,
	NIC_GATEWAY,
	NIC_BROADCAST_URI,
	NIC_MTU,
	NIC_ENABLED,
	NIC_CREATED,
	NIC_STATE_CHANGED,
	NIC_REMOVED
} NicColumn;

#define NIC_COLUMN_COUNT	(NIC_REMOVED + 1)

typedef struct NicTable
{
	Oid			relid;			/* hash key, must be first */
	AttrNumber	attnum[NIC_COLUMN_COUNT];
	ParentKey	network;
	ParentKey	instance;
	Oid			history;		/* InvalidOid: no enabled trigger writes it */
	Oid			address_history;
	bool		valid;			/* set last */
} NicTable;

extern const NicTable *nic_table_lookup(Relation rel);
extern const char *nic_column_name(NicColumn column);

/* active.c */

extern void read_into(SPIPlanPtr plan, int nargs, const Oid *argtypes,
					  const Datum *values, const bool *nulls, DestReceiver *dest);
extern void read_into_result(SPIPlanPtr plan, int nargs, const Oid *argtypes,
							 const Datum *values, const bool *nulls,
							 ReturnSetInfo *rsinfo);

/* pending.c */

struct HistoryEntry;

extern void history_number(Relation rel, const NicTable *table,
						   int64 nic_id, TimestampTz at);
extern void history_add(Relation rel, const NicTable *table,
						TupleTableSlot *old, TupleTableSlot *new);
extern void history_add_addresses(Relation rel, const NicTable *table,
								  TupleTableSlot *old);
extern void history_take(Relation rel, struct HistoryEntry *entry, Oid history,
						 NicStrategy strategy, NicState from, NicState to);
extern void history_take_addresses(Relation rel, Oid address_history,
								   Datum *values, const char *nulls);
extern void history_write_pending(Relation rel, Oid history);
extern void history_register(void);

/* insert.c */

/* A change of a NIC, as it waits for the end of the statement. */
typedef struct HistoryEntry
{
	Oid			table;			/* NIC table */
	Oid			history;		/* where it is written */
	SubTransactionId subid;
	int64		seq;
	int64		nic_id;
	int64		network_id;
	int64		instance_id;
	bool		has_instance;
	bool		is_removed;
	TimestampTz removed;
	TimestampTz at;
	const char *from_state;		/* these three last for ever; states can be NULL */
	const char *to_state;
	const char *event;
} HistoryEntry;

extern Oid	history_sequence(Relation rel, Oid history);
extern void history_require_owner(Relation rel, Oid history);
extern void history_write(Relation rel, Oid history,
						  HistoryEntry **entries, int count);

/* parent_lock.c */

typedef enum ParentStatus
{
	PARENT_MISSING,
	PARENT_REMOVED,
	PARENT_LIVE
} ParentStatus;

extern ParentStatus parent_lock(const ParentKey *parent, Datum key,
								LockTupleMode mode, TimestampTz *removed);

/* attached_columns.c */

extern void attached_check_keys(Oid schema);
extern void attached_check_column(Oid schema, const char *role, const char *column);
extern void attached_check_times(Oid schema, const char *role);
extern void attached_check_past(Oid schema);

/* trigger_call.c */

#define GUARD_INSERT	0x01
#define GUARD_UPDATE	0x02
#define GUARD_DELETE	0x04
#define GUARD_TRUNCATE	0x08

extern TriggerData *guard_called(FunctionCallInfo fcinfo, const char *name,
								 TriggerEvent timing, TriggerEvent level,
								 int events);
extern void refuse_table(Relation rel, const char *why);
extern List *trigger_functions(Relation rel);
extern bool function_is_ours(Oid funcid, const char *name);

/* guard_bypass.c */

extern void permit_open(Oid schema);
extern void permit_open_purge(Oid schema, TimestampTz before);
extern void permit_close(void);
extern bool permit_covers(Relation rel);
extern bool permit_covers_delete(Relation rel, HeapTuple row);
extern void permit_register(void);

/* notify.c: one message of a statement that changed NICs */
typedef struct NicNotice
{
	int64		count;
	StringInfoData ids;			/* of the first ones, as JSON */
} NicNotice;

typedef void (*WrittenRow) (TupleTableSlot *old, TupleTableSlot *slot, void *arg);

extern void notice_nic(NicNotice *notice, const char *id);
extern void notice_send(NicNotice *notice, TriggerData *trigdata, const char *channel);
extern void each_written_row(TriggerData *trigdata, WrittenRow row, void *arg);

#endif							/* VMNET_EXT_H */
