/*
 * saved_query.h
 *		Saved plans of the queries that guards and read functions run.
 */
#ifndef VMNET_SAVED_QUERY_H
#define VMNET_SAVED_QUERY_H

#include "executor/spi.h"
#include "lib/stringinfo.h"
#include "utils/rel.h"

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
	PLAN_PAST,					/* queries of read/history.c, by its PastKind */
	PLAN_READ					/* the first of the read queries, see read/active.c */
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

#endif						/* VMNET_SAVED_QUERY_H */
