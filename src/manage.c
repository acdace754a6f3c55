/*
 * manage.c
 *		Gives a stored generated column another expression, and its rows no
 *		other values.
 *
 * Whether a NIC is active is worked out differently in a mirror and in a
 * managed inventory.  Before PostgreSQL 17 no statement changes the expression
 * of a column; to drop the column would take every view, index and policy that
 * reads it along, those of users too.  From 17 on the statement writes the
 * whole table again.  manage_inventory() has made sure that both expressions
 * agree on every row, so the catalog is all that has to change.
 */
#include "compat.h"

#include "access/table.h"
#include "access/xact.h"
#include "catalog/dependency.h"
#include "catalog/heap.h"
#include "catalog/namespace.h"
#include "catalog/pg_attrdef.h"
#include "catalog/pg_attribute.h"
#include "commands/tablecmds.h"
#include "miscadmin.h"
#include "nodes/parsenodes.h"
#include "parser/parser.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"

#include "vmnet_ext.h"

PG_FUNCTION_INFO_V1(manage_generated);

/* The expression alone, out of "SELECT expression". */
static Node *
parse_expression(const char *text)
{
	List	   *parsed = raw_parser(psprintf("SELECT (%s)", text), RAW_PARSE_DEFAULT);
	Node	   *stmt = list_length(parsed) == 1 ? linitial_node(RawStmt, parsed)->stmt : NULL;

	if (stmt == NULL || !IsA(stmt, SelectStmt) ||
		list_length(((SelectStmt *) stmt)->targetList) != 1)
		ereport(ERROR,
				(errcode(ERRCODE_SYNTAX_ERROR),
				 errmsg("not one expression: %s", text)));
	return linitial_node(ResTarget, ((SelectStmt *) stmt)->targetList)->val;
}

/*
 * The same steps as ALTER COLUMN ... SET EXPRESSION of PostgreSQL 17, but for
 * the rewriting.
 */
static void
set_expression(Relation rel, AttrNumber attnum, const char *text)
{
	Oid			relid = RelationGetRelid(rel);
	RawColumnDefault *raw = palloc0(sizeof(RawColumnDefault));

	raw->attnum = attnum;
	raw->raw_default = parse_expression(text);
	raw->generated = ATTRIBUTE_GENERATED_STORED;

	/* The old expression depends on its own column, which would keep it. */
	(void) deleteDependencyRecordsFor(AttrDefaultRelationId,
									  GetAttrDefaultOid(relid, attnum), false);
	CommandCounterIncrement();
	RemoveAttrDefault(relid, attnum, DROP_RESTRICT, true, true);
	CommandCounterIncrement();
	(void) AddRelationNewConstraints(rel, list_make1(raw), NIL, false, true, false, NULL);
	CommandCounterIncrement();
}

/*
 * manage_generated(inventory, column, expression): of all_nics.  What the
 * owner makes of his own table with it, he can make of it in other ways.
 */
Datum
manage_generated(PG_FUNCTION_ARGS)
{
	Oid			schema = inventory_resolve(text_to_cstring(PG_GETARG_TEXT_PP(0)));
	char	   *column = text_to_cstring(PG_GETARG_TEXT_PP(1));
	Oid			relid = get_relname_relid("all_nics", schema);
	AttrNumber	attnum = OidIsValid(relid) ? get_attnum(relid, column) : InvalidAttrNumber;
	Relation	rel;

	if (!OidIsValid(relid) || !relation_ownercheck(relid, GetUserId()))
		aclcheck_error(ACLCHECK_NOT_OWNER, OBJECT_SCHEMA, get_namespace_name(schema));

	rel = table_open(relid, AccessExclusiveLock);
	CheckTableNotInUse(rel, "manage_inventory");
	if (attnum <= 0 ||
		TupleDescAttr(RelationGetDescr(rel), attnum - 1)->attgenerated != ATTRIBUTE_GENERATED_STORED)
		refuse_table(rel, psprintf("It has no stored generated column \"%s\".", column));
	set_expression(rel, attnum, text_to_cstring(PG_GETARG_TEXT_PP(2)));
	table_close(rel, NoLock);
	PG_RETURN_VOID();
}
