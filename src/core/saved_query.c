/*
 * saved_query.c
 *		Saved plans of the queries that guards and read functions run.
 *
 * A plan is saved for a query and the object that the query reads: a schema for
 * reads, a table (and one of its columns) for guards.  Its text is made again
 * whenever the server has invalidated the plan, so that renamed or altered
 * tables, schemas and columns are followed.
 */
#include "postgres.h"

#include "access/xact.h"
#include "executor/spi.h"
#include "lib/stringinfo.h"
#include "utils/builtins.h"
#include "utils/hsearch.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/rel.h"
#include "utils/snapmgr.h"
#include "utils/syscache.h"

#include "compat.h"
#include "core/inventory.h"
#include "core/run_as.h"
#include "core/saved_query.h"

typedef struct SavedQueryKey
{
	int			kind;
	Oid			object;
	int			column;
} SavedQueryKey;

typedef struct SavedQuery
{
	SavedQueryKey key;			/* must be first */
	SPIPlanPtr	plan;
} SavedQuery;

static HTAB *query_cache = NULL;
static MemoryContext query_context = NULL;

/* Plans that were replaced; they may be running, further up the stack. */
static List *replaced_plans = NIL;

/*
 * Frees the plans that were replaced during the transaction.
 */
static void
free_replaced_plans(XactEvent event, void *arg)
{
	ListCell   *lc;

	if (event != XACT_EVENT_COMMIT && event != XACT_EVENT_ABORT &&
		event != XACT_EVENT_PREPARE)
		return;

	foreach(lc, replaced_plans)
		SPI_freeplan(lfirst(lc));
	list_free(replaced_plans);
	replaced_plans = NIL;
}

/*
 * Creates the cache and registers its transaction callback.
 */
static void
query_cache_init(void)
{
	HASHCTL		ctl = {0};

	ctl.keysize = sizeof(SavedQueryKey);
	ctl.entrysize = sizeof(SavedQuery);
	query_context = AllocSetContextCreate(TopMemoryContext, "vmnet plan cache",
										  ALLOCSET_SMALL_SIZES);
	ctl.hcxt = query_context;
	query_cache = hash_create("vmnet plans", 32, &ctl,
							  HASH_ELEM | HASH_BLOBS | HASH_CONTEXT);
	RegisterXactCallback(free_replaced_plans, NULL);
}

/*
 * Puts a plan on the list of plans to free at the end of the transaction: it may
 * be running.
 */
static void
replace_plan(SPIPlanPtr plan)
{
	MemoryContext oldcontext = MemoryContextSwitchTo(query_context);

	replaced_plans = lappend(replaced_plans, plan);
	MemoryContextSwitchTo(oldcontext);
}

/*
 * Tells whether the schema or table that a plan reads was dropped.
 */
static bool
object_is_gone(const SavedQueryKey *key)
{
	if (key->kind == QUERY_READ || key->kind == QUERY_HISTORY_READ)
		return !SearchSysCacheExists1(NAMESPACEOID, ObjectIdGetDatum(key->object));
	return !SearchSysCacheExists1(RELOID, ObjectIdGetDatum(key->object));
}

/*
 * Drops the plans of dropped objects.  Called whenever a plan is added, so that a
 * session that creates and drops inventories does not collect plans.
 */
static void
drop_plans_of_gone_objects(void)
{
	HASH_SEQ_STATUS status;
	SavedQuery *entry;

	hash_seq_init(&status, query_cache);
	while ((entry = hash_seq_search(&status)) != NULL)
	{
		if (!object_is_gone(&entry->key))
			continue;
		replace_plan(entry->plan);
		hash_search(query_cache, &entry->key, HASH_REMOVE, NULL);
	}
}

/*
 * Returns the saved plan of a query, which is prepared on first use.
 *
 * The caller must be connected to SPI.  append_query() makes the text, which has
 * to qualify every name and operator: the search path may differ when the plan is
 * analyzed again.  The plan is valid until the end of the transaction.
 */
SPIPlanPtr
saved_query_lookup(int kind, Oid object, int column, QueryTextFunction append_query,
				   int nargs, Oid *argtypes, int options)
{
	SavedQueryKey key = {0};
	SavedQuery *entry;
	StringInfoData sql;
	SPIPlanPtr	plan;
	bool		found;

	if (query_cache == NULL)
		query_cache_init();

	key.kind = kind;
	key.object = object;
	key.column = column;

	entry = hash_search(query_cache, &key, HASH_FIND, NULL);
	if (entry && SPI_plan_is_valid(entry->plan))
		return entry->plan;

	/*
	 * mysql_fdw up to 2.9.2 may send a parameter as NULL; a custom plan has
	 * constants instead.
	 */
	if ((kind == QUERY_READ || kind == QUERY_HISTORY_READ) && inventory_is_live(object))
		options = CURSOR_OPT_CUSTOM_PLAN;

	initStringInfo(&sql);
	append_query(&sql, object, column);

	plan = SPI_prepare_cursor(sql.data, nargs, argtypes, options);
	if (plan == NULL)
		elog(ERROR, "could not prepare \"%s\": %s",
			 sql.data, SPI_result_code_string(SPI_result));
	if (SPI_keepplan(plan) != 0)
		elog(ERROR, "could not keep a plan");
	pfree(sql.data);

	entry = hash_search(query_cache, &key, HASH_ENTER, &found);
	if (found)
		replace_plan(entry->plan);
	entry->plan = plan;
	if (!found)
		drop_plans_of_gone_objects();
	return plan;
}

/*
 * Returns the saved plan of a guard's query on a table, prepared as the owner of
 * the table.  The user who fired the guard may lack USAGE on the schema.
 */
SPIPlanPtr
saved_query_lookup_as_owner(int kind, Relation rel, int column, QueryTextFunction append_query,
							int nargs, Oid *argtypes)
{
	RunAs		saved;
	SPIPlanPtr	plan;

	run_as_table_owner(rel, &saved);
	plan = saved_query_lookup(kind, RelationGetRelid(rel), column, append_query,
							  nargs, argtypes, 0);
	run_as_end(&saved);
	return plan;
}

/*
 * Runs a guard's query as the owner of the table, with the latest snapshot.
 *
 * Row-level security, the rights of the user who fired the guard and the age of
 * the transaction have no effect on what a guard sees.  The result is in
 * SPI_tuptable; the caller must be connected to SPI.
 */
void
saved_query_run_as_owner(SPIPlanPtr plan, Relation rel, Datum *values, long count)
{
	RunAs		saved;
	int			result;

	run_as_table_owner(rel, &saved);
	result = SPI_execute_snapshot(plan, values, NULL, GetLatestSnapshot(),
								  InvalidSnapshot, false, false, count);
	if (result != SPI_OK_SELECT)
		elog(ERROR, "could not look into table \"%s\": %s",
			 RelationGetRelationName(rel), SPI_result_code_string(result));

	run_as_end(&saved);
}

/*
 * Appends the quoted, qualified name of a relation; raises an error if it does
 * not exist.
 */
void
append_relation_name(StringInfo buf, Oid relid)
{
	char	   *relname = get_rel_name(relid);
	Oid			schema = get_rel_namespace(relid);

	if (relname == NULL || !OidIsValid(schema))
		elog(ERROR, "cache lookup failed for relation %u", relid);

	appendStringInfoString(buf,
						   quote_qualified_identifier(require_namespace_name(schema),
													  relname));
}
