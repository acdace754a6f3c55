/*
 * import.c
 *		The procedure that makes a mirror equal to a CloudStack database.
 *
 * It reads the source into stages, one step and one commit for each table, and
 * then changes the mirror in one transaction: readers see the previous mirror
 * until the new one is complete.  The steps are SQL functions
 * (vmnet_internal.import_*); this file has their order, the commits, the switches
 * of the user, and the writes for which the guards are bypassed.
 *
 * The source is read and checked as the caller, into temporary tables, which no
 * other session can change between two commits.  Statements that write to the
 * mirror run as its owner, whose triggers, views, defaults and policies they
 * execute.
 */
#include "postgres.h"

#include "access/table.h"
#include "access/xact.h"
#include "catalog/namespace.h"
#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "lib/stringinfo.h"
#include "mb/pg_wchar.h"
#include "miscadmin.h"
#include "nodes/makefuncs.h"
#include "nodes/parsenodes.h"
#include "storage/lmgr.h"
#include "utils/acl.h"
#include "utils/builtins.h"
#include "utils/guc.h"
#include "utils/inval.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"

#include "compat.h"
#include "core/error_context.h"
#include "core/inventory.h"
#include "core/run_as.h"
#include "core/subtransaction.h"
#include "lifecycle/bulk_write.h"
#include "nic/guard_bypass.h"
#include "vmnet_ext.h"

/* Beginning of the names of the stages, which are temporary tables. */
#define STAGE	"vmnet_import_"

typedef struct Import
{
	const char *source;
	const char *inventory;
	bool		atomic;			/* inside a transaction block: no commits */
	LockRelId	runs;			/* the table import_runs, locked */
	bool		locked;			/* for the session, beyond commits */
	Oid			schema;			/* of the mirror, in this step */
	int64		run;
	bool		deleting;		/* rows that the source has no more */
	bool		force;			/* also if the source lacks most rows */
	bool		first_copy;
	int64		inserted;
	int64		updated;
	int64		deleted;
} Import;

typedef void (*ImportStep) (Import *import, const char *relation);

/* The tables that an import fills, as vmnet_internal.import_relations() lists them. */
static const char *const relations[] = {
	"networks", "instances", "nics", "nic_secondary_ips", "ip_ranges", "ip_addresses"
};

/* What an import writes besides these, apart from history. */
static const char *const records[] = {
	"import_runs", "import_log", "import_vanished", "import_states", "former_rows",
	"former_nic_intervals", "former_nic_addresses"
};

/* An import is running in this session. */
static bool running = false;

/*
 * Runs a query whose parameters are $1 run, $2 source, $3 inventory and $4 a
 * text; returns the first column of its first row, which must be a bigint or a
 * boolean; 0 if it is NULL or void.
 */
static Datum
run_step(const Import *import, const char *sql, const char *text)
{
	Oid			argtypes[4] = {INT8OID, TEXTOID, TEXTOID, TEXTOID};
	Datum		values[4];
	char		nulls[4] = {' ', ' ', ' ', ' '};
	Datum		result = (Datum) 0;
	bool		isnull = false;

	values[0] = Int64GetDatum(import->run);
	values[1] = CStringGetTextDatum(import->source);
	values[2] = CStringGetTextDatum(import->inventory);
	values[3] = text ? CStringGetTextDatum(text) : (Datum) 0;

	if (text == NULL)
		nulls[3] = 'n';

	if (SPI_execute_with_args(sql, 4, argtypes, values, nulls, false, 0) != SPI_OK_SELECT)
		elog(ERROR, "an import step failed: %s", sql);
	if (SPI_processed > 0 && SPI_gettypeid(SPI_tuptable->tupdesc, 1) != VOIDOID)
		result = SPI_getbinval(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, 1, &isnull);
	if (isnull)
		result = (Datum) 0;
	SPI_freetuptable(SPI_tuptable);
	return result;
}

/*
 * Returns the list of columns that a table of the mirror shares with its stage,
 * with a text before each, in the current memory context.
 *
 * The list does not contain the key and state_changed, which are handled apart,
 * nor the columns that only a stage has (raw_*, notes): a column that a user added
 * to the mirror may have such a name.
 */
static char *
shared_columns(Oid base, Oid stage, const char *before)
{
	Relation	rel = table_open(base, AccessShareLock);
	TupleDesc	desc = RelationGetDescr(rel);
	StringInfoData buf;
	int			i;

	initStringInfo(&buf);
	for (i = 0; i < desc->natts; i++)
	{
		Form_pg_attribute att = TupleDescAttr(desc, i);
		const char *name = NameStr(att->attname);

		if (att->attisdropped || att->attgenerated != '\0' ||
			get_attnum(stage, name) == InvalidAttrNumber ||
			strcmp(name, "id") == 0 || strcmp(name, "state_changed") == 0 ||
			strcmp(name, "notes") == 0 || strncmp(name, "raw_", 4) == 0)
			continue;
		appendStringInfo(&buf, "%s%s%s", buf.len > 0 ? ", " : "", before,
						 quote_identifier(name));
	}
	table_close(rel, AccessShareLock);
	return buf.data;
}

typedef enum WriteKind
{
	WRITE_CHANGES,				/* into a stage: which rows differ, and how */
	WRITE_FREE_UUIDS,
	WRITE_DELETE,
	WRITE_REMOVE,				/* rows that are kept as removed */
	WRITE_RESTORE,				/* addresses that the source has again */
	WRITE_UPDATE,
	WRITE_INSERT
} WriteKind;

/*
 * Appends the statement that stores which rows of a table differ from its stage.
 * Rows of which it is known that the source has them no more are left out, unless
 * they are to be deleted.
 */
static void
append_comparison(StringInfo sql, const char *schema, const char *relation,
				  const char *stage, Oid base_id, Oid stage_id, bool deleting)
{
	appendStringInfo(sql,
					 "INSERT INTO pg_temp." STAGE "changes (relation, id, kind) "
					 "SELECT '%s', coalesce(t.id, s.id), CASE WHEN t.id IS NULL THEN 'insert' "
					 "WHEN s.id IS NULL THEN 'delete' ELSE 'update' END "
					 "FROM %s.all_%s t FULL JOIN %s s ON s.id = t.id "
					 "WHERE t.id IS NULL OR CASE WHEN s.id IS NULL THEN %s"
					 " ELSE ROW(%s) IS DISTINCT FROM ROW(%s) END",
					 relation, schema, relation, stage,
					 deleting ? "true" :
					 psprintf("t.id NOT IN (SELECT v.id FROM %s.import_vanished v "
							  "WHERE v.relation = '%s')", schema, relation),
					 shared_columns(base_id, stage_id, "t."),
					 shared_columns(base_id, stage_id, "s."));
}

/*
 * Appends the statement that marks rows as removed that the source has no more.
 *
 * A time of removal that is known stays, and so does that of a removal that has
 * stopped half-way.  A secondary address is removed with its NIC.
 */
static void
append_removal(StringInfo sql, const char *schema, const char *relation, const char *changes,
			   int64 run)
{
	bool		nics = strcmp(relation, "nics") == 0;
	bool		addresses = strcmp(relation, "nic_secondary_ips") == 0;

	appendStringInfo(sql,
					 "UPDATE %s.all_%s t SET removed = coalesce(t.removed, "
					 "GREATEST(%s, t.created))",
					 schema, relation,
					 addresses ? psprintf("LEAST(r.started, (SELECT n.removed "
										  "FROM %s.all_nics n WHERE n.id = t.nic_id))",
										  schema) : "r.started");
	if (nics)
		appendStringInfoString(sql,
							   ", state = 'Deallocating', state_changed ="
							   " CASE WHEN lower(t.state COLLATE \"C\") = 'deallocating'"
							   " THEN t.state_changed ELSE coalesce(t.removed,"
							   " GREATEST(r.started, t.created)) END");
	else if (strcmp(relation, "networks") == 0)
		appendStringInfoString(sql, ", nics_count = NULL");
	appendStringInfo(sql, " FROM %s = 'delete') c, %s.import_runs r"
					 " WHERE t.id = c.id AND r.run = " INT64_FORMAT,
					 changes, schema, run);
	if (nics)
		appendStringInfoString(sql,
							   " AND (t.removed IS NULL"
							   " OR lower(t.state COLLATE \"C\") <> 'deallocating')");
	else
		appendStringInfoString(sql, " AND t.removed IS NULL");
}

/*
 * Appends the beginning of the UPDATE of a table from its stage, with what is
 * assigned to its columns.
 */
static void
append_assignments(StringInfo sql, const char *schema, const char *relation,
				   Oid base_id, Oid stage_id, bool has_state_changed)
{
	appendStringInfo(sql, "UPDATE %s.all_%s t SET (%s%s) = ROW(%s",
					 schema, relation, shared_columns(base_id, stage_id, ""),
					 has_state_changed ? ", state_changed" : "",
					 shared_columns(base_id, stage_id, "s."));
	if (has_state_changed)
		appendStringInfoString(sql,
							   ", CASE WHEN c.id IN (SELECT k.id"
							   " FROM pg_temp." STAGE "changes k WHERE k.relation = 'nics'"
							   " AND k.kind = 'reused') THEN s.state_changed"
							   " WHEN s.removed IS NOT NULL"
							   " AND ROW(t.state, t.removed)"
							   " IS DISTINCT FROM ROW(s.state, s.removed)"
							   " THEN s.removed"
							   " WHEN t.state IS DISTINCT FROM s.state THEN r.started"
							   " ELSE t.state_changed END");
	appendStringInfoString(sql, ") FROM ");
}

/*
 * Appends the statement that inserts the rows of a stage into its table: those of
 * changes, or, where that is NULL, all of them, in the order of the stage.
 */
static void
append_insert(StringInfo sql, const char *schema, const char *relation,
			  Oid base_id, Oid stage_id, const char *changes)
{
	bool		has_state_changed = strcmp(relation, "nics") == 0;

	appendStringInfo(sql, "INSERT INTO %s.all_%s (id, %s%s) ",
					 schema, relation, shared_columns(base_id, stage_id, ""),
					 has_state_changed ? ", state_changed" : "");
	appendStringInfo(sql, "SELECT s.id, %s%s FROM pg_temp." STAGE "%s s",
					 shared_columns(base_id, stage_id, "s."),
					 has_state_changed ? ", s.state_changed" : "", relation);
	if (changes)
		appendStringInfo(sql, ", %s = 'insert') c WHERE s.id = c.id ORDER BY s.id", changes);
}

/*
 * Returns one of the statements that make a table of the mirror equal to its
 * stage, in the current memory context.
 *
 * The first compares whole tables; the others touch only the rows that differ.
 */
static char *
write_statement(const Import *import, const char *relation, WriteKind kind)
{
	StringInfoData sql;
	const char *schema = pstrdup(quote_identifier(import->inventory));
	char	   *stage = psprintf("pg_temp." STAGE "%s", relation);
	Oid			base_id = get_relname_relid(psprintf("all_%s", relation), import->schema);
	RangeVar   *stage_name = makeRangeVar("pg_temp", psprintf(STAGE "%s", relation), -1);
	Oid			stage_id = RangeVarGetRelid(stage_name, NoLock, false);
	bool		has_state_changed = strcmp(relation, "nics") == 0;
	const char *changes = psprintf("(SELECT id FROM pg_temp." STAGE "changes "
								   "WHERE relation = '%s' AND kind", relation);

	initStringInfo(&sql);
	switch (kind)
	{
		case WRITE_CHANGES:
			append_comparison(&sql, schema, relation, stage, base_id, stage_id,
							  import->deleting);
			break;
		case WRITE_FREE_UUIDS:
			/* Rows may swap uuids, or get that of a row that is no more. */
			appendStringInfo(&sql,
							 "UPDATE %s.all_%s t SET uuid = NULL "
							 "FROM %s IN ('update', 'insert')) d, %s s "
							 "WHERE s.id = d.id AND s.uuid = t.uuid AND s.id <> t.id",
							 schema, relation, changes, stage);
			break;
		case WRITE_DELETE:
			appendStringInfo(&sql,
							 "DELETE FROM %s.all_%s t USING %s = 'delete') c WHERE t.id = c.id",
							 schema, relation, changes);
			break;
		case WRITE_REMOVE:
			append_removal(&sql, schema, relation, changes, import->run);
			break;
		case WRITE_RESTORE:
			appendStringInfo(&sql,
							 "UPDATE %s.all_%s t SET removed = NULL FROM %s s, "
							 "%s.import_vanished v WHERE s.id = t.id AND v.id = t.id "
							 "AND v.relation = '%s' AND t.removed IS NOT NULL",
							 schema, relation, stage, schema, relation);
			break;
		case WRITE_UPDATE:
			append_assignments(&sql, schema, relation, base_id, stage_id, has_state_changed);
			appendStringInfo(&sql,
							 "%s = 'update') c, %s s, %s.import_runs r "
							 "WHERE t.id = c.id AND s.id = c.id AND r.run = " INT64_FORMAT,
							 changes, stage, schema, import->run);
			break;
		case WRITE_INSERT:
			append_insert(&sql, schema, relation, base_id, stage_id,
						  import->first_copy ? NULL : changes);
			break;
	}
	return sql.data;
}

/*
 * Runs a statement of write_statement() as the owner of the mirror, with the
 * guards bypassed; returns the number of rows.
 */
static int64
write_rows(const Import *import, const char *relation, WriteKind kind)
{
	char	   *sql = write_statement(import, relation, kind);
	int			expected = kind == WRITE_DELETE ? SPI_OK_DELETE :
	kind == WRITE_CHANGES || kind == WRITE_INSERT ? SPI_OK_INSERT : SPI_OK_UPDATE;
	int			nestlevel = NewGUCNestLevel();
	int64		rows;

	(void) set_config_option("search_path", "pg_catalog, pg_temp", PGC_USERSET,
							 PGC_S_SESSION, GUC_ACTION_SAVE, true, 0, false);
	if (kind != WRITE_CHANGES)
		guard_bypass_begin(import->schema);
	rows = bulk_write(sql, expected, import->schema, psprintf("all_%s", relation),
					  0, NULL, NULL);
	guard_bypass_end();
	AtEOXact_GUC(true, nestlevel);
	return rows;
}

/* Raises the error about a schema that is not a mirror. */
static void
refuse_target(const Import *import, const char *kind)
{
	const char *name = import->inventory;
	int			length = pg_mbcharcliplen(name, strlen(name), 56);

	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("cannot import into \"%s\"", name),
			 kind == NULL ?
			 errdetail("There is a schema of this name that is not an inventory.") :
			 errdetail("It is an inventory of kind %s; an import replaces all rows, which only a "
					   "mirror allows.", kind),
			 errhint("CALL vmnet.import_cloudstack(%s, %s);",
					 quote_literal_cstr(import->source),
					 quote_literal_cstr(psprintf("%.*s_mirror", length, name)))));
}

/*
 * Raises an error unless the inventory exists, is a mirror, and the caller has the
 * rights of its owner.
 *
 * Called after each commit, since all of this may change; the table that the
 * import has locked must be the same.
 */
static void
check_mirror(Import *import)
{
	InventoryInfo info;
	Oid			runs;

	import->schema = get_namespace_oid(import->inventory, false);
	if (!inventory_info(import->schema, &info))
		refuse_target(import, NULL);
	if (strcmp(info.kind, "mirror") != 0)
		refuse_target(import, info.kind);
	require_owner_rights(import->schema);

	runs = get_relname_relid("import_runs", import->schema);
	if (OidIsValid(import->runs.relId) && runs != import->runs.relId)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("mirror \"%s\" was replaced during the import",
						import->inventory),
				 errdetail("Its table import_runs is not the one that the import has locked."),
				 errhint("Run the import again.")));
}

/* Creates the mirror, which then belongs to the caller. */
static void
make_mirror(void *arg)
{
	run_step((Import *) arg, "SELECT vmnet.create_inventory($3, 'mirror')", NULL);
}

/*
 * Creates the mirror if there is no schema of its name.  If another session
 * creates it at the same time, that one is used.
 */
static void
make_missing_mirror(Import *import)
{
	ErrorData  *edata;

	if (OidIsValid(get_namespace_oid(import->inventory, true)))
		return;
	edata = run_in_subtransaction(make_mirror, import);
	if (edata == NULL)
	{
		ereport(NOTICE,
				(errmsg("created inventory \"%s\", a mirror", import->inventory)));
		return;
	}
	AcceptInvalidationMessages();
	if ((edata->sqlerrcode != ERRCODE_DUPLICATE_SCHEMA &&
		 edata->sqlerrcode != ERRCODE_UNIQUE_VIOLATION) ||
		!OidIsValid(get_namespace_oid(import->inventory, true)))
		ReThrowError(edata);
}

/*
 * Locks the mirror against other imports; waits for one that is running.
 *
 * The lock is held until the end of the transaction, or of the call if the import
 * commits.  It is the lock of VACUUM: a role that may only read can neither take a
 * lock that conflicts with it nor wait for it.  Returns false if the mirror was
 * replaced meanwhile.
 */
static bool
lock_mirror(Import *import)
{
	Oid			relid = get_relname_relid("import_runs", import->schema);

	/* Raises an error if it does not exist. */
	require_ordinary_table(import->schema, "import_runs");

	import->runs.dbId = MyDatabaseId;
	import->runs.relId = relid;
	if (import->atomic)
		LockRelationOid(relid, ShareUpdateExclusiveLock);
	else
	{
		LockRelationIdForSession(&import->runs, ShareUpdateExclusiveLock);
		import->locked = true;
	}

	AcceptInvalidationMessages();
	if (get_relname_relid("import_runs", get_namespace_oid(import->inventory, true)) == relid)
		return true;

	if (import->locked)
		UnlockRelationIdForSession(&import->runs, ShareUpdateExclusiveLock);
	import->locked = false;
	import->runs.relId = InvalidOid;
	return false;
}

/*
 * Runs a part of a step as the owner of the mirror, whose code it may run.
 *
 * Deferrable constraints are checked immediately: nothing can be deferred after
 * a switch of the user, and a first copy alters the tables afterwards.
 */
static void
run_as_owner(Import *import, ImportStep part, const char *relation)
{
	RunAs		saved;

	check_references_at_once(import->schema);
	run_as_inventory_owner_unforced(import->schema, &saved);
	part(import, relation);
	run_as_end(&saved);
}

/*
 * The steps, and their parts.
 */

static void
step_check(Import *import, const char *unused)
{
	run_step(import, "SELECT vmnet_internal.import_check($2, $3)", NULL);
	do
	{
		make_missing_mirror(import);
		check_mirror(import);
	} while (!lock_mirror(import));
	run_step(import, "SELECT vmnet_internal.import_check_account($2)", NULL);
}

static void
start_run(Import *import, const char *unused)
{
	Datum		run = run_step(import, "SELECT vmnet_internal.import_start($2, $3)", NULL);

	import->run = DatumGetInt64(run);
}

static void
step_start(Import *import, const char *unused)
{
	check_mirror(import);
	run_step(import, "SELECT vmnet_internal.import_make_stages()", NULL);
	run_as_owner(import, start_run, NULL);
}

/* Records the progress of the run in import_runs, and reports it. */
static void
record_progress(Import *import, const char *text)
{
	run_step(import, "SELECT vmnet_internal.import_progress($1, $2, $3, $4)", text);
}

static void
step_stage(Import *import, const char *relation)
{
	Datum		result = run_step(import, "SELECT vmnet_internal.import_stage($2, $4)", relation);
	int64		rows = DatumGetInt64(result);

	if (rows < 0)				/* the source has no such table */
		return;
	check_mirror(import);
	run_as_owner(import, record_progress, psprintf("%s " INT64_FORMAT, relation, rows));
}

static void
prepare_mirror(Import *import, const char *unused)
{
	Datum		first = run_step(import, "SELECT vmnet_internal.import_prepare($3)", NULL);
	int			i;

	import->first_copy = DatumGetBool(first);
	if (import->first_copy)
		return;
	for (i = 0; i < lengthof(relations); i++)
		(void) write_rows(import, relations[i], WRITE_CHANGES);
}

/*
 * Records what is about to change, before the first write: what is new in
 * history, which rows the source has no more, and which it has again.
 */
static void
record_changes(Import *import)
{
	const char *deleting = import->deleting ? "true" : "false";
	Datum		missed;

	if (!import->force)
		run_step(import, psprintf("SELECT vmnet_internal.import_refuse_few($3, $2, %s)", deleting),
				 NULL);
	run_step(import, "SELECT vmnet_internal.import_compare($2, $3)", NULL);
	run_step(import, psprintf("SELECT vmnet_internal.import_remember($1, $3, %s)", deleting), NULL);
	(void) write_rows(import, "nic_secondary_ips", WRITE_RESTORE);
	missed = run_step(import,
					  psprintf("SELECT vmnet_internal.import_keep($1, $2, $3, %s)", deleting),
					  NULL);
	import->deleted = DatumGetInt64(missed);
}

/*
 * Removes or deletes rows of a list of tables, in its order, that the source has
 * no more.
 */
static void
write_missing(Import *import, const char *const *tables, int count)
{
	int			i;

	for (i = 0; i < count; i++)
	{
		if (import->deleting)
			import->deleted += write_rows(import, tables[i], WRITE_DELETE);
		else
			(void) write_rows(import, tables[i], WRITE_REMOVE);
	}
}

/*
 * NICs are deleted before the rows that they refer to, and inserted after them; so
 * are their addresses.  Addresses are removed after their NICs, whose times they
 * have.
 */
static void
write_mirror(Import *import, const char *unused)
{
	static const char *const nics_last[] = {
		"ip_addresses", "ip_ranges", "nic_secondary_ips", "nics"
	};
	static const char *const nics_first[] = {
		"nics", "nic_secondary_ips", "ip_ranges", "ip_addresses"
	};
	static const char *const parents[] = {"instances", "networks"};
	int			i;

	if (!import->first_copy)
	{
		record_changes(import);
		write_missing(import, import->deleting ? nics_last : nics_first, lengthof(nics_first));
	}
	for (i = 0; i < lengthof(relations); i++)
	{
		if (!import->first_copy)
		{
			(void) write_rows(import, relations[i], WRITE_FREE_UUIDS);
			import->updated += write_rows(import, relations[i], WRITE_UPDATE);
		}
		import->inserted += write_rows(import, relations[i], WRITE_INSERT);
	}
	if (!import->first_copy)
		write_missing(import, parents, lengthof(parents));
	run_step(import,
			 psprintf("SELECT vmnet_internal.import_finish($1, $2, $3, %s, "
					  INT64_FORMAT ", " INT64_FORMAT ", " INT64_FORMAT ", %s)",
					  import->first_copy ? "true" : "false",
					  import->inserted, import->updated, import->deleted,
					  import->deleting ? "true" : "false"),
			 NULL);
}

/*
 * Makes the mirror equal to the stages, in one transaction.
 */
static void
step_apply(Import *import, const char *unused)
{
	Oid			owner;
	int			nestlevel = NewGUCNestLevel();
	int			i;

	check_mirror(import);
	require_inventory_tables(import->schema);
	for (i = 0; i < lengthof(records); i++)
		require_ordinary_table(import->schema, records[i]);

	/* Whole tables are compared, as when an index or a key is made. */
	if (work_mem < maintenance_work_mem)
		(void) set_config_option("work_mem", psprintf("%d", maintenance_work_mem),
								 PGC_USERSET, PGC_S_SESSION, GUC_ACTION_SAVE,
								 true, 0, false);

	run_step(import, "SELECT vmnet_internal.import_judge($2)", NULL);
	owner = inventory_owner(import->schema);
	if (owner != GetUserId())
		run_step(import, "SELECT vmnet_internal.import_share($4)", GetUserNameFromId(owner, false));
	run_as_owner(import, prepare_mirror, NULL);
	if (!import->first_copy)
		run_step(import, "SELECT vmnet_internal.import_analyze_changes()", NULL);
	run_as_owner(import, write_mirror, NULL);
	run_step(import, "SELECT vmnet_internal.import_drop_stages()", NULL);
	AtEOXact_GUC(true, nestlevel);
}

/*
 * Recording a failure.
 */

typedef struct Failure
{
	Import	   *import;
	const char *message;
} Failure;

static void
mark_failed(Import *import, const char *message)
{
	run_step(import, "SELECT vmnet_internal.import_failed($1, $3, $4)", message);
}

static void
record_failure(void *arg)
{
	Failure    *failure = (Failure *) arg;

	check_mirror(failure->import);
	run_as_owner(failure->import, mark_failed, failure->message);
}

static void
drop_stages(void *arg)
{
	run_step((Import *) arg, "SELECT vmnet_internal.import_drop_stages()", NULL);
}

/*
 * Commits; returns the error if that fails.  The lock of the session is released
 * then: the abort of a whole transaction releases it.
 */
static ErrorData *
commit_step(Import *import)
{
	ErrorData  *edata = commit_in_procedure();

	if (edata)
		import->locked = false;
	return edata;
}

/*
 * Marks a run as failed, drops its stages, and rethrows the error.
 *
 * An error of these two steps is reported as a WARNING.
 */
static void
raise_failure(Import *import, ErrorData *edata)
{
	Failure		failure = {import, edata->message ? edata->message : "unknown error"};
	ErrorData  *another;
	ErrorData  *unsaved;

	if (import->run > 0)
	{
		(void) run_in_subtransaction(drop_stages, import);
		another = run_in_subtransaction(record_failure, &failure);
		unsaved = commit_step(import);
		if (another == NULL)
			another = unsaved;
		if (another)
			ereport(WARNING,
					(errmsg("could not mark run " INT64_FORMAT " of mirror \"%s\" as failed: %s",
							import->run, import->inventory, another->message)));
	}
	ReThrowError(edata);
}

typedef struct Step
{
	Import	   *import;
	ImportStep	step;
	const char *relation;
} Step;

static void
run_import(void *arg)
{
	Step	   *step = (Step *) arg;

	step->step(step->import, step->relation);
}

/*
 * Runs a step and commits it.  If it fails, the run is marked as failed: the step
 * is a subtransaction, so that a transaction is open for that.
 */
static void
run_and_commit(Import *import, ImportStep step, const char *relation)
{
	Step		arg = {import, step, relation};
	ErrorData  *edata;

	if (import->atomic)
	{
		run_with_clean_context(run_import, &arg, true, NULL);
		return;
	}

	edata = run_in_subtransaction(run_import, &arg);
	if (edata)
		error_context_strip(edata, true);
	/* Deferred triggers can fail at the commit. */
	else
		edata = commit_step(import);
	if (edata)
		raise_failure(import, edata);
}

/*
 * Runs the steps of an import, each in a transaction of its own.
 */
static void
import_steps(Import *import)
{
	int			i;

	/*
	 * A mirror is created in a separate transaction: with wal_level =
	 * minimal, a crash loses the use of a sequence by the transaction that
	 * creates it.  And the run has a snapshot that is taken after the wait
	 * for another import, at any isolation level.
	 */
	run_and_commit(import, step_check, NULL);
	run_and_commit(import, step_start, NULL);

	/*
	 * NICs first: the rows that they refer to exist before them, and are read
	 * after them, even if the source changes meanwhile.
	 */
	for (i = lengthof(relations) - 1; i >= 0; i--)
		run_and_commit(import, step_stage, relations[i]);
	run_and_commit(import, step_apply, NULL);
}

/* Raises an error for an invalid argument or an import inside another one. */
static void
check_call(FunctionCallInfo fcinfo)
{
	if (PG_ARGISNULL(0))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("the source of an import must not be NULL"),
				 errhint("Give the name of the schema that contains CloudStack's tables.")));
	if (running)
		ereport(ERROR,
				(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
				 errmsg("an import cannot run inside another one"),
				 errdetail("An import is running in this session."),
				 errhint("Call it after the other one has ended, not from a view of its source or "
						 "a trigger of its mirror.")));
}

/* Tells whether rows that the source has no more are to be deleted. */
static bool
wants_deletion(FunctionCallInfo fcinfo)
{
	char	   *on_vanish = PG_ARGISNULL(2) ? NULL : text_to_cstring(PG_GETARG_TEXT_PP(2));

	if (on_vanish == NULL || (strcmp(on_vanish, "keep") != 0 && strcmp(on_vanish, "delete") != 0))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("on_vanish must be keep or delete"),
				 on_vanish == NULL ? errdetail("It is NULL.") :
				 errdetail("It is \"%s\".", on_vanish),
				 errhint("Omit it to keep rows, as removed, that the source has no more.")));
	return strcmp(on_vanish, "delete") == 0;
}

/*
 * Imports a CloudStack database into a mirror.
 *
 * The procedure import_cloudstack(source, inventory, on_vanish, force).
 */
PG_FUNCTION_INFO_V1(import_cloudstack);

Datum
import_cloudstack(PG_FUNCTION_ARGS)
{
	Import		import = {0};

	/* Commits are possible only if the CALL is not in a transaction block. */
	import.atomic = !(fcinfo->context && IsA(fcinfo->context, CallContext) &&
					  !castNode(CallContext, fcinfo->context)->atomic);
	check_call(fcinfo);
	import.deleting = wants_deletion(fcinfo);
	import.force = !PG_ARGISNULL(3) && PG_GETARG_BOOL(3);

	if (SPI_connect_ext(import.atomic ? 0 : SPI_OPT_NONATOMIC) != SPI_OK_CONNECT)
		elog(ERROR, "SPI_connect_ext failed");

	/* Valid until SPI_finish(), also after commits. */
	import.source = pstrdup(NameStr(*PG_GETARG_NAME(0)));
	import.inventory = pstrdup(PG_ARGISNULL(1) ? vmnet_inventory : NameStr(*PG_GETARG_NAME(1)));

	/* The lock is held across commits, and released by an error. */
	running = true;
	PG_TRY();
	{
		import_steps(&import);
	}
	PG_FINALLY();
	{
		running = false;
		if (import.locked)
			UnlockRelationIdForSession(&import.runs, ShareUpdateExclusiveLock);
	}
	PG_END_TRY();

	SPI_finish();
	PG_RETURN_VOID();
}
