/*
 * parent_rules.h
 *		The refusals of networks and instances, of managed and attached tables.
 */
#ifndef VMNET_PARENT_RULES_H
#define VMNET_PARENT_RULES_H

#include "datatype/timestamp.h"
#include "utils/rel.h"

#include "nic/nic_table.h"

/* How many held NICs a refusal names. */
#define HELD_NICS_NAMED	5

/* What differs between networks and instances. */
typedef struct ParentKind
{
	const char *noun;
	const char *in_use;			/* constraint names */
	const char *removed_once;
	const char *after_created;
	const char *after_nics;
	NicColumn	column;			/* of the NIC that refers to it */
	NicColumn	other;			/* of the NIC's other parent */
	const char *other_noun;
} ParentKind;

extern const ParentKind network_kind;
extern const ParentKind instance_kind;

/* A network or instance whose change is refused. */
typedef struct ParentRefusal
{
	const ParentKind *kind;
	Relation	rel;			/* its table */
	int			level;			/* ERROR or WARNING */
	const char *id;
	bool		may_see;		/* the rows that DETAIL and HINT would name? */
} ParentRefusal;

/* The held NICs of a network or instance. */
typedef struct HeldNics
{
	int64		total;
	int64		half_removed;
	char	   *named;			/* HELD_NICS_NAMED of them: "NIC 7 (Reserved,
								 * instance 3), ..." */
	char	   *half_removed_ids;	/* those of the named ones; empty: none */
} HeldNics;

extern void held_nics_read(HeldNics *nics, const ParentKind *kind);
extern void refuse_in_use(const ParentRefusal *refusal, bool removal, const HeldNics *nics,
						  const char *table, const char *hint);
extern void refuse_second_removal(const ParentRefusal *refusal, TimestampTz removed);

#endif							/* VMNET_PARENT_RULES_H */
