/*
 * connect.c
 *		What keeps the password that connect_cloudstack() is given to itself.
 *
 * As SQL its text would hold the password, and so would the CONTEXT of an error,
 * and whatever keeps the text of statements that functions run (auditing,
 * pg_stat_statements).  The statement is made as a node instead; its text for
 * those who ask has no options.
 */
#include "compat.h"

#include "access/xact.h"
#include "nodes/makefuncs.h"
#include "nodes/parsenodes.h"
#include "tcop/dest.h"
#include "tcop/utility.h"
#include "utils/builtins.h"
#include "utils/guc.h"

#include "vmnet_ext.h"

PG_FUNCTION_INFO_V1(connect_map_user);
PG_FUNCTION_INFO_V1(connect_quietly);

static DefElem *
text_option(char *name, Datum value)
{
	return makeDefElem(name, (Node *) makeString(TextDatumGetCString(value)), -1);
}

/*
 * connect_map_user(server, username, password, for_public)
 *
 * CREATE USER MAPPING FOR CURRENT_USER, or for PUBLIC; without a password where
 * it is NULL.  Always true: a value lets PL/pgSQL call it as an expression, which
 * no hook of the executor sees with its parameters.
 */
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
 * connect_quietly()
 *
 * Keeps the caller's own statement, which most likely holds the password, out of
 * the log where it fails or warns: the log has the message alone.  The setting is
 * one that a role without superuser's rights cannot make, so that no SET clause
 * of the function serves.  It ends with those of connect_cloudstack(), an error
 * being reported before.
 */
Datum
connect_quietly(PG_FUNCTION_ARGS)
{
	(void) set_config_option("log_min_error_statement", "panic", PGC_SUSET,
							 PGC_S_SESSION, GUC_ACTION_SAVE, true, 0, false);
	PG_RETURN_VOID();
}
