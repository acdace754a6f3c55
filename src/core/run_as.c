/*
 * run_as.c
 *		The only place that switches the current user.
 *
 * A guard runs as the owner of the table that it reads, as the triggers of
 * foreign keys do.  A function that is called on another role's inventory runs as
 * the owner of the inventory, if the caller has the owner's rights: code of the
 * owner in views, defaults, policies, operators and triggers then runs with no
 * more than the owner's rights.
 *
 * The current user is not restored in a PG_CATCH or PG_FINALLY block here: after
 * an error the abort of the transaction or subtransaction restores user, security
 * context and settings.  So no code may switch the user outside of a
 * subtransaction whose error it catches, and then continue inside it.
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "access/table.h"
#include "catalog/namespace.h"
#include "catalog/pg_class.h"
#include "catalog/pg_namespace.h"
#include "catalog/pg_type.h"
#include "miscadmin.h"
#include "storage/lmgr.h"
#include "utils/acl.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/guc.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"
#include "utils/syscache.h"

#include "compat.h"
#include "core/inventory.h"
#include "core/run_as.h"

/*
 * The relations of an inventory that functions and guards reach by name.  Which
 * of them an inventory has depends on its kind.
 */
static const char *const named_relations[] = {
	"all_nics", "all_networks", "all_instances", "all_nic_secondary_ips",
	"all_ip_ranges", "all_ip_addresses",
	"nics", "networks", "instances", "nic_secondary_ips", "ip_ranges", "ip_addresses",
	"network_instances", "network_counts", "vpc_instances", "network_validation",
	"nic_intervals", "network_instance_intervals", "nic_address_intervals",
	"stuck_nics", "nic_history", "nic_address_history", "inventory_info",
	"import_runs", "import_log", "import_vanished", "import_states", "former_rows",
	"former_nic_intervals", "former_nic_addresses", "accepted_findings",
	"observers", "segments", "sightings", "sighting_history", "observation_log", "seen",
	"reality", "network_reality",
	"attached_nics", "attached_networks", "attached_instances"
};

/*
 * Switches to the owner of a table that a guard is about to read, lock or write.
 * Row-level security is not applied to the owner, even if it is forced.
 *
 * If the current user is another role, the operation is security-restricted, and
 * settings changed by code of the owner are undone by run_as_end(): nothing is
 * left that would have an effect on the current user later, such as a deferred
 * trigger or a search path.
 */
void
run_as_table_owner(Relation rel, RunAs *saved)
{
	Oid			owner = rel->rd_rel->relowner;
	int			flags = SECURITY_LOCAL_USERID_CHANGE | SECURITY_NOFORCE_RLS;

	GetUserIdAndSecContext(&saved->user, &saved->sec_context);
	saved->guc_level = 0;
	saved->switched = true;
	if (owner == saved->user)
	{
		SetUserIdAndSecContext(owner, saved->sec_context | flags);
		return;
	}
	flags |= SECURITY_RESTRICTED_OPERATION;
	SetUserIdAndSecContext(owner, saved->sec_context | flags);
	saved->guc_level = NewGUCNestLevel();
}

/*
 * Switches to a role, if the current user is another one that has the rights of
 * the role.  Otherwise changes nothing and returns false.
 *
 * The operation is security-restricted, and settings changed by code of the role
 * are undone by run_as_end().  If the caller bypasses row-level security, it is
 * bypassed after the switch too, even if the owner of a table has it forced.
 *
 * Must not span a commit.
 */
bool
run_as_role(Oid role, RunAs *saved)
{
	int			flags = SECURITY_LOCAL_USERID_CHANGE | SECURITY_RESTRICTED_OPERATION;

	GetUserIdAndSecContext(&saved->user, &saved->sec_context);
	saved->guc_level = 0;
	saved->switched = OidIsValid(role) && role != saved->user &&
		has_privs_of_role(saved->user, role);
	if (!saved->switched)
		return false;

	if (has_bypassrls_privilege(saved->user))
		flags |= SECURITY_NOFORCE_RLS;
	SetUserIdAndSecContext(role, saved->sec_context | flags);
	saved->guc_level = NewGUCNestLevel();
	return true;
}

/*
 * Locks a relation so that its name keeps its meaning; InvalidOid if there is
 * none.  The lock is held until the transaction ends.
 */
static Oid
lock_named_relation(const char *name, Oid schema)
{
	Oid			relid;

	for (;;)
	{
		relid = get_relname_relid(name, schema);
		if (!OidIsValid(relid))
			return InvalidOid;
		LockRelationOid(relid, AccessShareLock);
		if (get_relname_relid(name, schema) == relid)
			return relid;
		UnlockRelationOid(relid, AccessShareLock);
	}
}

/*
 * Locks the relations of an inventory that are reached by name, if the schema
 * belongs to another role than the inventory.
 *
 * The owner of the schema could otherwise drop a relation and create another one
 * of the same name between the check of its owner and the query that names it.
 * If the schema belongs to the owner of the inventory, nothing is locked.  Locks
 * are held until the transaction ends.
 */
static void
lock_named_relations(Oid schema, Oid owner)
{
	HeapTuple	tuple = SearchSysCache1(NAMESPACEOID, ObjectIdGetDatum(schema));
	Oid			schema_owner = InvalidOid;
	Oid			all_nics;
	int			i;

	if (HeapTupleIsValid(tuple))
	{
		schema_owner = ((Form_pg_namespace) GETSTRUCT(tuple))->nspowner;
		ReleaseSysCache(tuple);
	}
	if (schema_owner == owner)
		return;

	all_nics = lock_named_relation("all_nics", schema);
	for (i = 0; i < lengthof(named_relations); i++)
	{
		Oid			relid = lock_named_relation(named_relations[i], schema);

		if (OidIsValid(relid))
			require_owner(relid, owner, OidIsValid(all_nics) ? all_nics : relid);
	}
}

/*
 * Switches to the owner of an inventory, as run_as_role() does.  Raises an error
 * if the inventory does not exist, or one of its relations belongs to another
 * role.
 */
bool
run_as_inventory_owner(Oid schema, RunAs *saved)
{
	Oid			owner = require_inventory_owner(schema);

	lock_named_relations(schema, owner);
	return run_as_role(owner, saved);
}

/*
 * Switches to the owner of an inventory for work on all of its rows (an import
 * or a purge), without row-level security that the owner has forced.
 *
 * The caller has checked that the current user has the rights of the owner.  If
 * the current user is the owner, nothing is switched or restricted.
 *
 * Must not span a commit.
 */
void
run_as_inventory_owner_unforced(Oid schema, RunAs *saved)
{
	Oid			user;
	int			sec_context;

	(void) run_as_inventory_owner(schema, saved);
	GetUserIdAndSecContext(&user, &sec_context);
	SetUserIdAndSecContext(user, sec_context | SECURITY_NOFORCE_RLS);
	saved->switched = true;
}

/*
 * Switches to the owner of an inventory for a caller who has a privilege on one of
 * its tables, or the rights of the owner; raises an error for others.
 *
 * The privilege stands for one function, which decides what is done with the rights
 * of the owner.  As run_as_inventory_owner_unforced() it sees all rows.  Locks the
 * table in RowExclusiveLock until the transaction ends.
 *
 * Must not span a commit.
 */
void
run_as_inventory_owner_granted(Oid schema, const char *table, AclMode privilege, RunAs *saved)
{
	Oid			owner = require_inventory_owner(schema);
	Oid			relid = get_relname_relid(table, schema);
	Relation	rel;

	if (!OidIsValid(relid))
		elog(ERROR, "inventory \"%s\" has no table \"%s\"", require_namespace_name(schema), table);
	if (!has_privs_of_role(GetUserId(), owner) &&
		pg_class_aclcheck(relid, GetUserId(), privilege) != ACLCHECK_OK)
		aclcheck_error(ACLCHECK_NO_PRIV, OBJECT_TABLE, table);

	lock_named_relations(schema, owner);
	rel = table_open(relid, RowExclusiveLock);
	if (rel->rd_rel->relnamespace != schema)
		elog(ERROR, "table \"%s\" was moved while it was being used", table);
	require_owner(relid, owner, relid);
	run_as_table_owner(rel, saved);
	table_close(rel, NoLock);
}

/*
 * Switches back to the user before one of the functions above.
 */
void
run_as_end(const RunAs *saved)
{
	if (!saved->switched)
		return;
	if (saved->guc_level > 0)
		AtEOXact_GUC(false, saved->guc_level);
	SetUserIdAndSecContext(saved->user, saved->sec_context);
}

/*
 * Returns the owner of a relation; InvalidOid if it does not exist.
 */
Oid
relation_owner(Oid relid)
{
	HeapTuple	tuple = SearchSysCache1(RELOID, ObjectIdGetDatum(relid));
	Oid			owner = InvalidOid;

	if (HeapTupleIsValid(tuple))
	{
		owner = ((Form_pg_class) GETSTRUCT(tuple))->relowner;
		ReleaseSysCache(tuple);
	}
	return owner;
}

/*
 * Returns the owner of an inventory: that of its relation all_nics, or of the
 * view inventory_info if all_nics is missing.  InvalidOid if both are missing.
 */
Oid
inventory_owner(Oid schema)
{
	Oid			relid = get_relname_relid("all_nics", schema);

	if (!OidIsValid(relid))
		relid = get_relname_relid(INVENTORY_MARK, schema);
	return OidIsValid(relid) ? relation_owner(relid) : InvalidOid;
}

/*
 * Returns the owner of an inventory; raises an error if the inventory does not
 * exist, so that the caller cannot continue with its own rights.
 */
Oid
require_inventory_owner(Oid schema)
{
	Oid			owner = inventory_owner(schema);

	if (!OidIsValid(owner))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("inventory \"%s\" is not complete", require_namespace_name(schema)),
				 errdetail("It has no relation all_nics."),
				 errhint("vmnet.check_inventory() lists what is missing.")));
	return owner;
}

/*
 * Returns the keyword of ALTER ... OWNER TO for a kind of relation.
 */
static const char *
alter_keyword(char relkind)
{
	switch (relkind)
	{
		case RELKIND_VIEW:
			return "VIEW";
		case RELKIND_MATVIEW:
			return "MATERIALIZED VIEW";
		case RELKIND_FOREIGN_TABLE:
			return "FOREIGN TABLE";
		case RELKIND_SEQUENCE:
			return "SEQUENCE";
		default:
			return "TABLE";
	}
}

/*
 * Raises an error if a relation does not belong to the owner of the relation
 * "owned".
 */
void
require_owner(Oid relid, Oid owner, Oid owned)
{
	Oid			its_owner = relation_owner(relid);
	char	   *schema;
	char	   *name;

	if (!OidIsValid(its_owner) || its_owner == owner)
		return;

	schema = require_namespace_name(get_rel_namespace(relid));
	name = get_rel_name(relid);
	ereport(ERROR,
			(errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
			 errmsg("relation \"%s.%s\" does not belong to the owner of its inventory",
					schema, name),
			 errdetail("It belongs to role \"%s\", and relation \"%s\" belongs to role \"%s\".",
					   GetUserNameFromId(its_owner, true), get_rel_name(owned),
					   GetUserNameFromId(owner, true)),
			 errhint("ALTER %s %s OWNER TO %s;",
					 alter_keyword(get_rel_relkind(relid)),
					 quote_qualified_identifier(schema, name),
					 quote_identifier(GetUserNameFromId(owner, false))),
			 err_generic_string(PG_DIAG_SCHEMA_NAME, schema),
			 err_generic_string(PG_DIAG_TABLE_NAME, name),
			 err_generic_string(PG_DIAG_CONSTRAINT_NAME, "inventory_owner")));
}

/*
 * Raises an error if a relation of an inventory that is reached by name belongs
 * to another role than the inventory.  Partitions, and relations that users have
 * added, may belong to any role.
 */
void
require_one_owner(Oid schema)
{
	Oid			owner = require_inventory_owner(schema);
	Oid			all_nics = get_relname_relid("all_nics", schema);
	int			i;

	for (i = 0; i < lengthof(named_relations); i++)
	{
		Oid			relid = get_relname_relid(named_relations[i], schema);

		if (OidIsValid(relid))
			require_owner(relid, owner, OidIsValid(all_nics) ? all_nics : relid);
	}
}

/*
 * Calls require_one_owner() for functions in SQL.  Locks the relations as
 * lock_named_relations() does.
 */
PG_FUNCTION_INFO_V1(require_one_owner_of);

Datum
require_one_owner_of(PG_FUNCTION_ARGS)
{
	Oid			schema = inventory_resolve(text_to_cstring(PG_GETARG_TEXT_PP(0)));

	require_one_owner(schema);
	lock_named_relations(schema, require_inventory_owner(schema));
	PG_RETURN_VOID();
}

/*
 * Returns the names of these relations, as an array of text.
 */
PG_FUNCTION_INFO_V1(named_relations_list);

Datum
named_relations_list(PG_FUNCTION_ARGS)
{
	Datum		names[lengthof(named_relations)];
	int			i;

	for (i = 0; i < lengthof(named_relations); i++)
		names[i] = CStringGetTextDatum(named_relations[i]);
	PG_RETURN_ARRAYTYPE_P(construct_array(names, lengthof(named_relations), TEXTOID,
										  -1, false, TYPALIGN_INT));
}
