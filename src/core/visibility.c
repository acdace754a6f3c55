/*
 * visibility.c
 *		What the messages of a refusal may contain.
 *
 * A guard decides by all rows, as the owner of the table that it reads.  Its
 * messages depend on the caller: if rows may be hidden from the caller, DETAIL and
 * HINT contain counts and name no row.
 */
#include "postgres.h"

#include "miscadmin.h"
#include "utils/acl.h"
#include "utils/rel.h"
#include "utils/rls.h"

#include "compat.h"
#include "core/visibility.h"

/*
 * Tells whether the current user may read every row and every column of a table:
 * it has SELECT on the table, and row-level security does not apply to it.
 *
 * Must be called as the caller, not as the owner of the table.
 */
bool
may_see_relation(Oid relid)
{
	if (check_enable_rls(relid, InvalidOid, true) == RLS_ENABLED)
		return false;
	return pg_class_aclcheck(relid, GetUserId(), ACL_SELECT) == ACLCHECK_OK ||
		pg_attribute_aclcheck_all(relid, GetUserId(), ACL_SELECT,
								  ACLMASK_ALL) == ACLCHECK_OK;
}

/*
 * Does the same for a relation that is open.
 */
bool
may_see_rows(Relation rel)
{
	return may_see_relation(RelationGetRelid(rel));
}
