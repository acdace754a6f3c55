/*
 * import.c
 *		The procedure that makes a mirror equal to a CloudStack database.
 *
 * It reads the source into stages, one step and one commit for each table, and
 * then changes the mirror in one transaction: readers see the last whole
 * mirror until there is a new one.  The steps themselves are SQL functions
 * (sql/parts/70_import.sql); what is here is their order, the commits, and the
 * writes that only a permit lets pass.
 */
#include "compat.h"

#include "access/table.h"
#include "access/xact.h"
#include "catalog/pg_type.h"
#include "catalog/namespace.h"
#include "common/hashfn.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "nodes/parsenodes.h"
#include "storage/lock.h"
#include "utils/builtins.h"
#include "utils/guc.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/resowner.h"

#include "vmnet_ext.h"

PG_FUNCTION_INFO_V1(import_cloudstack);

/* First half of the advisory lock that keeps imports into one mirror apart. */
#define IMPORT_LOCK_CLASS	0x766d6e65

typedef struct Import
{
	const char *source;
	const char *inventory;
	bool		atomic;			/* inside a transaction block: no commits */
	int64		run;
	bool		first_copy;
	int64		inserted;
	int64		updated;
	int64		deleted;
} Import;

static const char *const relations[] = {"networks", "instances", "nics", "nic_secondary_ips"};

/*
 * Runs a query whose parameters are $1 run, $2 source, $3 inventory and $4 a
 * text; gives the first column of its first row if it is a bigint or boolean.
 */
static Datum
run_step(const Import *import, const char *sql, const char *text)
{
	Oid			argtypes[4] = {INT8OID, TEXTOID, TEXTOID, TEXTOID};
	Datum		values[4];
	char		nulls[4] = {' ', ' ', ' ', text ? ' ' : 'n'};
	Datum		result = (Datum) 0;
	bool		isnull;

	values[0] = Int64GetDatum(import->run);
	values[1] = CStringGetTextDatum(import->source);
	values[2] = CStringGetTextDatum(import->inventory);
	values[3] = text ? CStringGetTextDatum(text) : (Datum) 0;

	if (SPI_execute_with_args(sql, 4, argtypes, values, nulls, false, 0) != SPI_OK_SELECT)
		elog(ERROR, "an import step failed: %s", sql);
	if (SPI_processed > 0 && SPI_gettypeid(SPI_tuptable->tupdesc, 1) != VOIDOID)
		result = SPI_getbinval(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, 1, &isnull);
	SPI_freetuptable(SPI_tuptable);
	return result;
}

/*
 * The columns that a table of the mirror shares with its stage, as a list with
 * this text before each; the key and state_changed, which have rules of their
 * own, are left out.  So is what a stage has for itself (raw_*, notes): a user
 * may have a column of that name in the mirror.
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
	WRITE_UPDATE,
	WRITE_INSERT
} WriteKind;

/*
 * The statement that makes one table of the mirror equal to its stage, in part.
 * The whole tables are compared once; the others touch what differs.
 */
static char *
write_statement(const Import *import, const char *relation, WriteKind kind)
{
	StringInfoData sql;
	const char *schema = pstrdup(quote_identifier(import->inventory));
	Oid			nsp = get_namespace_oid(import->inventory, false);
	Oid			base = get_relname_relid(psprintf("all_%s", relation), nsp);
	Oid			stage = get_relname_relid(psprintf("import_stage_%s", relation), nsp);
	bool		has_state_changed = strcmp(relation, "nics") == 0;
	const char *changes = psprintf("(SELECT id FROM %s.import_stage_changes WHERE relation = '%s' AND kind",
								   schema, relation);

	if (!OidIsValid(base) || !OidIsValid(stage))
		elog(ERROR, "inventory \"%s\" has lost its tables", import->inventory);

	initStringInfo(&sql);
	switch (kind)
	{
		case WRITE_CHANGES:
			appendStringInfo(&sql,
							 "INSERT INTO %s.import_stage_changes (relation, id, kind) "
							 "SELECT '%s', coalesce(t.id, s.id), CASE WHEN t.id IS NULL THEN 'insert' "
							 "WHEN s.id IS NULL THEN 'delete' ELSE 'update' END "
							 "FROM %s.all_%s t FULL JOIN %s.import_stage_%s s ON s.id = t.id "
							 "WHERE t.id IS NULL OR s.id IS NULL OR ROW(%s) IS DISTINCT FROM ROW(%s)",
							 schema, relation, schema, relation, schema, relation,
							 shared_columns(base, stage, "t."),
							 shared_columns(base, stage, "s."));
			break;
		case WRITE_FREE_UUIDS:
			/* Two rows may swap theirs, or a new row have that of a purged one. */
			appendStringInfo(&sql,
							 "UPDATE %s.all_%s t SET uuid = NULL "
							 "FROM %s IN ('update', 'delete')) c, %s IN ('update', 'insert')) d, %s.import_stage_%s s "
							 "WHERE t.id = c.id AND s.id = d.id AND s.uuid = t.uuid AND s.id <> t.id",
							 schema, relation, changes, changes, schema, relation);
			break;
		case WRITE_DELETE:
			appendStringInfo(&sql,
							 "DELETE FROM %s.all_%s t USING %s = 'delete') c WHERE t.id = c.id",
							 schema, relation, changes);
			break;
		case WRITE_UPDATE:
			appendStringInfo(&sql, "UPDATE %s.all_%s t SET (%s%s) = ROW(%s%s) FROM ",
							 schema, relation, shared_columns(base, stage, ""),
							 has_state_changed ? ", state_changed" : "",
							 shared_columns(base, stage, "s."),
							 has_state_changed ?
							 ", CASE WHEN s.removed IS NOT NULL AND ROW(t.state, t.removed) IS DISTINCT FROM ROW(s.state, s.removed) THEN s.removed"
							 " WHEN t.state IS DISTINCT FROM s.state THEN r.started ELSE t.state_changed END" : "");
			appendStringInfo(&sql,
							 "%s = 'update') c, %s.import_stage_%s s, %s.import_runs r "
							 "WHERE t.id = c.id AND s.id = c.id AND r.run = " INT64_FORMAT,
							 changes, schema, relation, schema, import->run);
			break;
		case WRITE_INSERT:
			appendStringInfo(&sql, "INSERT INTO %s.all_%s (id, %s%s) ",
							 schema, relation, shared_columns(base, stage, ""),
							 has_state_changed ? ", state_changed" : "");
			appendStringInfo(&sql, "SELECT s.id, %s%s FROM %s.import_stage_%s s",
							 shared_columns(base, stage, "s."),
							 has_state_changed ? ", s.state_changed" : "",
							 schema, relation);
			/* A first copy stays in the order of the source, that of its keys. */
			if (!import->first_copy)
				appendStringInfo(&sql, ", %s = 'insert') c WHERE s.id = c.id ORDER BY s.id", changes);
			break;
	}
	return sql.data;
}

/* Runs one such statement, the only thing that the permit is open for. */
static int64
write_rows(const Import *import, const char *relation, WriteKind kind)
{
	char	   *sql = write_statement(import, relation, kind);
	int			nestlevel = NewGUCNestLevel();
	volatile int result = 0;

	(void) set_config_option("search_path", "pg_catalog, pg_temp", PGC_USERSET,
							 PGC_S_SESSION, GUC_ACTION_SAVE, true, 0, false);
	permit_open(get_namespace_oid(import->inventory, false));
	PG_TRY();
	{
		result = SPI_execute(sql, false, 0);
	}
	PG_FINALLY();
	{
		permit_close();
	}
	PG_END_TRY();
	AtEOXact_GUC(true, nestlevel);

	if (result < 0)
		elog(ERROR, "could not write to inventory \"%s\": %s",
			 import->inventory, SPI_result_code_string(result));
	return (int64) SPI_processed;
}

/* Only an owner may have a permit opened. */
static void
check_owner(const Import *import)
{
	Oid			nsp = get_namespace_oid(import->inventory, false);
	int			i;

	for (i = 0; i < lengthof(relations); i++)
	{
		Oid			relid = get_relname_relid(psprintf("all_%s", relations[i]), nsp);

		if (!OidIsValid(relid) || !relation_ownercheck(relid, GetUserId()))
			aclcheck_error(ACLCHECK_NOT_OWNER, OBJECT_SCHEMA, import->inventory);
	}
}

/*
 * The steps.
 */

typedef void (*ImportStep) (Import *import, const char *relation);

static void
step_check(Import *import, const char *relation)
{
	Oid			schema = get_namespace_oid(import->inventory, true);
	InventoryInfo info;

	/* Nothing is done to a mirror that is somebody else's. */
	if (OidIsValid(schema) && inventory_info(schema, &info) &&
		strcmp(info.kind, "mirror") == 0)
		check_owner(import);

	run_step(import, "SELECT vmnet.import_check($2, $3)", NULL);
}

static void
step_start(Import *import, const char *relation)
{
	import->run = DatumGetInt64(run_step(import, "SELECT vmnet.import_start($2, $3)", NULL));
	check_owner(import);
}

static void
step_stage(Import *import, const char *relation)
{
	run_step(import, "SELECT vmnet.import_stage($1, $2, $3, $4)", relation);
}

static void
step_apply(Import *import, const char *unused)
{
	Oid			user;
	int			context;
	int			nestlevel = NewGUCNestLevel();
	int			i;

	check_owner(import);

	/* Whole tables are compared, as when an index or a key is made. */
	if (work_mem < maintenance_work_mem)
		(void) set_config_option("work_mem", psprintf("%d", maintenance_work_mem),
								 PGC_USERSET, PGC_S_SESSION, GUC_ACTION_SAVE,
								 true, 0, false);

	/* A policy that the owner has forced on himself hides nothing from here. */
	GetUserIdAndSecContext(&user, &context);
	SetUserIdAndSecContext(user, context | SECURITY_NOFORCE_RLS);

	run_step(import, "SELECT vmnet.import_judge($3)", NULL);
	import->first_copy = DatumGetBool(run_step(import, "SELECT vmnet.import_prepare($3)", NULL));

	/*
	 * NICs leave before what they refer to, and come after it; so do their
	 * addresses.  What is about to change is written down while both are there.
	 */
	if (!import->first_copy)
	{
		for (i = 0; i < lengthof(relations); i++)
			(void) write_rows(import, relations[i], WRITE_CHANGES);
		run_step(import, "SELECT vmnet.import_remember($1, $3)", NULL);
		import->deleted = write_rows(import, "nic_secondary_ips", WRITE_DELETE);
		import->deleted += write_rows(import, "nics", WRITE_DELETE);
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
	{
		import->deleted += write_rows(import, "instances", WRITE_DELETE);
		import->deleted += write_rows(import, "networks", WRITE_DELETE);
	}

	run_step(import,
			 psprintf("SELECT vmnet.import_finish($1, $2, $3, %s, " INT64_FORMAT ", " INT64_FORMAT ", " INT64_FORMAT ")",
					  import->first_copy ? "true" : "false",
					  import->inserted, import->updated, import->deleted),
			 NULL);
	SetUserIdAndSecContext(user, context);
	AtEOXact_GUC(true, nestlevel);
}

/*
 * Writes down that a run failed, and commits that; the error itself goes on.
 */
static void
record_failure(Import *import, ErrorData *edata)
{
	run_step(import, "SELECT vmnet.import_failed($1, $3, $4)",
			 edata->message ? edata->message : "unknown error");
	SPI_commit();
}

/*
 * Commits; gives the error where that fails.  SPI has then rolled back, and
 * begun the next transaction.
 */
static ErrorData *
commit_error(MemoryContext context)
{
	ErrorData  *volatile edata = NULL;

	PG_TRY();
	{
		SPI_commit();
	}
	PG_CATCH();
	{
		MemoryContextSwitchTo(context);
		edata = CopyErrorData();
		FlushErrorState();
	}
	PG_END_TRY();
	MemoryContextSwitchTo(context);
	return edata;
}

/*
 * Runs a step and commits it.  Where it fails, the run is marked as failed
 * first: the step is a subtransaction, so that there is still a transaction to
 * do that in.
 */
static void
run_and_commit(Import *import, ImportStep step, const char *relation)
{
	MemoryContext context = CurrentMemoryContext;
	ResourceOwner owner = CurrentResourceOwner;
	ErrorData  *volatile edata = NULL;

	if (import->atomic)
	{
		step(import, relation);
		return;
	}

	BeginInternalSubTransaction(NULL);
	MemoryContextSwitchTo(context);
	PG_TRY();
	{
		step(import, relation);
		ReleaseCurrentSubTransaction();
	}
	PG_CATCH();
	{
		MemoryContextSwitchTo(context);
		edata = CopyErrorData();
		FlushErrorState();
		RollbackAndReleaseCurrentSubTransaction();
	}
	PG_END_TRY();
	MemoryContextSwitchTo(context);
	CurrentResourceOwner = owner;

	/* What is put off to the end of the transaction can fail as well. */
	if (edata == NULL)
		edata = commit_error(context);
	if (edata)
	{
		if (import->run > 0)
			record_failure(import, edata);
		ReThrowError(edata);
	}
}

static void
import_steps(Import *import)
{
	int			i;

	/*
	 * A mirror is made in a transaction of its own: a sequence that is used
	 * where it is made forgets that in a crash, at wal_level = minimal.  And
	 * the run after it sees what was waited for, at any isolation level.
	 */
	run_and_commit(import, step_check, NULL);
	run_and_commit(import, step_start, NULL);

	/*
	 * NICs first: what they refer to is there by then, and still there when it
	 * is read, even if the source goes on changing in between.
	 */
	for (i = lengthof(relations) - 1; i >= 0; i--)
		run_and_commit(import, step_stage, relations[i]);
	run_and_commit(import, step_apply, NULL);
}

/*
 * import_cloudstack(source, inventory)
 */
Datum
import_cloudstack(PG_FUNCTION_ARGS)
{
	Import		import = {0};
	LOCKTAG		tag;

	/* Commits take place only where the CALL is a statement of its own. */
	import.atomic = !(fcinfo->context && IsA(fcinfo->context, CallContext) &&
					  !castNode(CallContext, fcinfo->context)->atomic);

	if (SPI_connect_ext(import.atomic ? 0 : SPI_OPT_NONATOMIC) != SPI_OK_CONNECT)
		elog(ERROR, "SPI_connect_ext failed");

	/* These live until SPI_finish(), commits or not. */
	if (PG_ARGISNULL(0))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("the source of an import must not be NULL"),
				 errhint("Name the schema that holds CloudStack's tables.")));
	import.source = pstrdup(NameStr(*PG_GETARG_NAME(0)));
	import.inventory = pstrdup(PG_ARGISNULL(1) ? vmnet_inventory : NameStr(*PG_GETARG_NAME(1)));

	/*
	 * One import into a mirror at a time; another one waits for its turn.  The
	 * lock has to outlive the commits, and to go with an error.
	 */
	SET_LOCKTAG_ADVISORY(tag, MyDatabaseId, IMPORT_LOCK_CLASS,
						 hash_bytes((const unsigned char *) import.inventory,
									strlen(import.inventory)), 2);
	(void) LockAcquire(&tag, ExclusiveLock, !import.atomic, false);

	PG_TRY();
	{
		import_steps(&import);
	}
	PG_FINALLY();
	{
		if (!import.atomic)
			(void) LockRelease(&tag, ExclusiveLock, true);
	}
	PG_END_TRY();

	SPI_finish();
	PG_RETURN_VOID();
}
