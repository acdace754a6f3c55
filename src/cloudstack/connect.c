/*
 * connect.c
 *		Calls connect_cloudstack() without its password in the log or in errors.
 *
 * The statement that calls connect_cloudstack() may contain the password.  It is
 * kept out of the log entry and of the CONTEXT of every message that is raised
 * while the function runs; no setting is changed for that.
 *
 * As SQL, CREATE USER MAPPING would hold the password, and so would the CONTEXT
 * of an error and the records of modules that keep the text of statements which
 * functions run (auditing, pg_stat_statements).  The statement is made as a node
 * instead; its text, for modules that ask, has no options.
 */
#include "postgres.h"

#include "access/xact.h"
#include "catalog/namespace.h"
#include "nodes/makefuncs.h"
#include "nodes/parsenodes.h"
#include "parser/parse_func.h"
#include "tcop/dest.h"
#include "tcop/utility.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"

#include "compat.h"

/* Makes an option of a statement from an argument of type text. */
static DefElem *
text_option(char *name, Datum value)
{
	return makeDefElem(name, (Node *) makeString(TextDatumGetCString(value)), -1);
}

/*
 * Creates a user mapping for the current user, or for PUBLIC; without a password
 * if it is NULL.
 *
 * Rights, event triggers and the refusal in a read-only transaction are those of
 * CREATE USER MAPPING.  Returns true: with a result PL/pgSQL can call the function
 * as an expression, whose parameters no hook of the executor sees.
 */
PG_FUNCTION_INFO_V1(connect_map_user);

Datum
connect_map_user(PG_FUNCTION_ARGS)
{
	CreateUserMappingStmt *stmt = makeNode(CreateUserMappingStmt);
	PlannedStmt *utility = makeNode(PlannedStmt);
	RoleSpec   *role = makeNode(RoleSpec);

	if (PG_ARGISNULL(0) || PG_ARGISNULL(1) || PG_ARGISNULL(3))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("a user mapping needs a server and a name")));

	role->roletype = PG_GETARG_BOOL(3) ? ROLESPEC_PUBLIC : ROLESPEC_CURRENT_USER;
	role->location = -1;
	stmt->user = role;
	stmt->servername = TextDatumGetCString(PG_GETARG_DATUM(0));
	stmt->options = list_make1(text_option("username", PG_GETARG_DATUM(1)));
	if (!PG_ARGISNULL(2))
		stmt->options = lappend(stmt->options, text_option("password", PG_GETARG_DATUM(2)));

	utility->commandType = CMD_UTILITY;
	utility->canSetTag = false;
	utility->utilityStmt = (Node *) stmt;
	utility->stmt_location = -1;

	ProcessUtility(utility, "CREATE USER MAPPING", false, PROCESS_UTILITY_QUERY,
				   NULL, NULL, None_Receiver, NULL);
	CommandCounterIncrement();
	PG_RETURN_BOOL(true);
}

/*
 * Keeps the statement of the client out of the log entry of a message.
 */
static void
hide_statement(void *arg)
{
	(void) errhidestmt(true);
}

/*
 * Finds the function of schema vmnet_internal that has the name and the arguments
 * of the one that is called.  The result is valid as long as the FmgrInfo.
 */
static FmgrInfo *
connect_body(FunctionCallInfo fcinfo)
{
	FmgrInfo   *caller = fcinfo->flinfo;
	Oid		   *argtypes;
	int			nargs;
	List	   *name;

	if (caller->fn_extra)
		return caller->fn_extra;

	(void) get_func_signature(caller->fn_oid, &argtypes, &nargs);
	name = list_make2(makeString(pstrdup("vmnet_internal")),
					  makeString(get_func_name(caller->fn_oid)));
	caller->fn_extra = MemoryContextAllocZero(caller->fn_mcxt, sizeof(FmgrInfo));
	fmgr_info_cxt(LookupFuncName(name, nargs, argtypes, false),
				  caller->fn_extra, caller->fn_mcxt);
	return caller->fn_extra;
}

/*
 * Runs the function of the same name in vmnet_internal, as the caller, with the
 * same arguments.
 *
 * Messages that are raised meanwhile have neither the statement of the client in
 * their log entries nor the statements of calling functions in their CONTEXT: the
 * stack of error contexts is empty here.  The block that catches an error restores
 * its own stack.
 */
PG_FUNCTION_INFO_V1(connect_cloudstack);

Datum
connect_cloudstack(PG_FUNCTION_ARGS)
{
	FmgrInfo   *body = connect_body(fcinfo);
	FunctionCallInfo call = palloc0(SizeForFunctionCallInfo(fcinfo->nargs));
	ErrorContextCallback *context = error_context_stack;
	ErrorContextCallback quiet = {NULL, hide_statement, NULL};
	Datum		result;

	InitFunctionCallInfoData(*call, body, fcinfo->nargs, fcinfo->fncollation,
							 NULL, fcinfo->resultinfo);
	memcpy(call->args, fcinfo->args, fcinfo->nargs * sizeof(NullableDatum));

	error_context_stack = &quiet;
	result = FunctionCallInvoke(call);
	error_context_stack = context;

	fcinfo->isnull = call->isnull;
	return result;
}
