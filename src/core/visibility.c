/*
 * visibility.c
 *		What the messages of a refusal may say.
 *
 * A guard decides by all rows, as the owner of the table that it reads.  What it
 * says follows the caller: where rows may be hidden from him, DETAIL and HINT
 * give numbers and name no row.
 */
#include "postgres.h"

#include "miscadmin.h"
#include "utils/acl.h"
#include "utils/rel.h"
#include "utils/rls.h"

#include "compat.h"
#include "core/visibility.h"

/*
 * Tells whether the current user may read every row and every column of a
 * table: he has the right to SELECT, and row-level security is not active for
 * him.  To be called as the caller, not as the owner of the table.
 */
bool
may_see_rows(Relation rel)
{
	Oid			relid = RelationGetRelid(rel);

	if (check_enable_rls(relid, InvalidOid, true) == RLS_ENABLED)
		return false;
	return pg_class_aclcheck(relid, GetUserId(), ACL_SELECT) == ACLCHECK_OK ||
		pg_attribute_aclcheck_all(relid, GetUserId(), ACL_SELECT,
								  ACLMASK_ALL) == ACLCHECK_OK;
}
