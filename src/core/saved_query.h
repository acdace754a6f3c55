/*
 * saved_query.h
 *		Saved plans of the queries that guards and read functions run.
 */
#ifndef VMNET_SAVED_QUERY_H
#define VMNET_SAVED_QUERY_H

#include "executor/spi.h"
#include "lib/stringinfo.h"
#include "utils/rel.h"

typedef enum SavedQueryKind
{
	QUERY_FIRST_LIVE_NIC,
	QUERY_HELD_NICS_ANY,
	QUERY_HELD_NICS_LIST,
	QUERY_VIEW_REMOVE,
	QUERY_PARENT_VIEW_REMOVE,
	QUERY_ATTACHED_HELD,
	QUERY_ATTACHED_ANY_HELD,
	QUERY_SECONDARY_NIC,
	QUERY_SECONDARY_REMOVE,
	QUERY_HISTORY,
	QUERY_ADDRESS_HISTORY,
	QUERY_LAST_CHANGE,
	QUERY_LAST_REMOVAL,
	QUERY_HISTORY_READ,			/* queries of read/history.c, by its
								 * HistoryReadKind */
	QUERY_NAME_READ,			/* queries of read/names.c */
	QUERY_READ					/* the first of the read queries, see
								 * read/active.c */
} SavedQueryKind;

typedef void (*QueryTextFunction) (StringInfo sql, Oid object, int column);

extern SPIPlanPtr saved_query_lookup(int kind, Oid object, int column,
									 QueryTextFunction append_query,
									 int nargs, Oid *argtypes, int options);
extern SPIPlanPtr saved_query_lookup_as_owner(int kind, Relation rel, int column,
											  QueryTextFunction append_query,
											  int nargs, Oid *argtypes);
extern void saved_query_run_as_owner(SPIPlanPtr plan, Relation rel, Datum *values,
									 long count);
extern void append_relation_name(StringInfo buf, Oid relid);

#endif							/* VMNET_SAVED_QUERY_H */
