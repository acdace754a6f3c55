/*
 * attached_table.c
 *		How a guard finds the description of the table that it fired on.
 *
 * Any role can create a trigger on its table with these functions, and views of
 * these names.  So the inventory, the view and their owners are checked first.
 */
#include "postgres.h"

#include "catalog/namespace.h"
#include "catalog/pg_class.h"
#include "commands/trigger.h"
#include "nodes/readfuncs.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/rel.h"

#include "compat.h"
#include "attach/attached_row.h"
#include "attach/attached_table.h"
#include "core/inventory.h"
#include "core/run_as.h"
#include "core/trigger_call.h"

/*
 * Returns the view inventory_info whose row type the condition of a guard names.
 */
static Oid
condition_info(const char *condition)
{
	static char *known = NULL;
	static Oid	known_info = InvalidOid;
	Node	   *node;

	if (known && strcmp(known, condition) == 0)
		return known_info;

	node = stringToNode(condition);
	if (known)
		pfree(known);
	known = NULL;
	known_info = InvalidOid;
	if (node && IsA(node, NullTest) && ((NullTest *) node)->arg &&
		IsA(((NullTest *) node)->arg, Const))
		known_info = get_typ_typrelid(((Const *) ((NullTest *) node)->arg)->consttype);
	known = MemoryContextStrdup(TopMemoryContext, condition);
	return known_info;
}

/*
 * Returns the schema of the inventory that a guard belongs to.
 *
 * The condition of the trigger names the inventory and follows a renamed schema.
 * A trigger that was created by hand may have no condition; then its first
 * argument names the inventory.
 */
static Oid
attached_schema(Relation rel, Trigger *trigger)
{
	const char *name = trigger->tgargs[0];
	Oid			info = trigger->tgqual ? condition_info(trigger->tgqual) : InvalidOid;
	Oid			schema = OidIsValid(info) ? get_rel_namespace(info) : get_namespace_oid(name, true);

	if (OidIsValid(schema) && OidIsValid(get_relname_relid(INVENTORY_MARK, schema)))
		return schema;
	ereport(ERROR,
			(errcode(ERRCODE_E_R_I_E_TRIGGER_PROTOCOL_VIOLATED),
			 errmsg("table \"%s\" is guarded for inventory \"%s\", which does not exist",
					RelationGetRelationName(rel), name),
			 errdetail("Trigger \"%s\" has no condition that names the inventory.",
					   trigger->tgname),
			 errhint("Drop it and create the guards again: SELECT vmnet.set_inventory_mode('...', "
					 "'warn');")));
	return InvalidOid;			/* keep compiler quiet */
}

/*
 * Raises an error unless a guard on a table can use a description: the view can
 * be evaluated on one row, and it and inventory_info belong to the owner of the
 * table.
 */
static void
require_usable(AttachedTable *table, Relation rel)
{
	Oid			owner = rel->rd_rel->relowner;

	if (table->owner != owner)
		require_owner(table->view, owner, RelationGetRelid(rel));
	if (table->info_owner != owner)
		require_owner(table->info, owner, RelationGetRelid(rel));
	if (table->problem == NULL)
		return;
	ereport(ERROR,
			(errcode(ERRCODE_E_R_I_E_TRIGGER_PROTOCOL_VIOLATED),
			 errmsg("table \"%s\" is guarded by view \"%s\", which cannot be evaluated on one row",
					RelationGetRelationName(rel), get_rel_name(table->view)),
			 errdetail_internal("%s", table->problem),
			 errhint("vmnet.attach_inventory() makes such views: each column is an expression over "
					 "one row of an ordinary table."),
			 errtable(rel)));
}

/*
 * Returns the description of the table that a guard fired on.  role is the one
 * that the guard is for, NULL for any.
 *
 * The caller must switch to the owner of the table before it asks for a value.
 * Raises 39P01 if the trigger is not on the table of an attached inventory, and
 * 42501 if what it reads belongs to another role than the table.  The result is
 * valid until the end of the transaction.
 */
AttachedTable *
attached_table_of(Relation rel, Trigger *trigger, const char *role)
{
	AttachedTable *table;
	const char *said;

	/*
	 * A partitioned table has messages, but no guards: see
	 * attached_problems().
	 */
	if (rel->rd_rel->relkind != RELKIND_RELATION &&
		rel->rd_rel->relkind != RELKIND_PARTITIONED_TABLE)
		refuse_table(rel, "It is not a table.");
	if (trigger->tgnargs < 2)
		refuse_table(rel, "The trigger does not name its inventory.");
	said = trigger->tgargs[1];
	if (role ? strcmp(said, role) != 0 :
		strcmp(said, "nics") != 0 && strcmp(said, "networks") != 0 &&
		strcmp(said, "instances") != 0)
		refuse_table(rel, psprintf("The second argument of the trigger is \"%s\".", said));

	table = attached_table_lookup(attached_schema(rel, trigger), said);
	if (table == NULL || table->table != RelationGetRelid(rel) || !table->attached)
		refuse_table(rel, psprintf("Inventory \"%s\" does not read it.", trigger->tgargs[0]));
	require_usable(table, rel);
	return table;
}

/*
 * Returns the description of another role of the same inventory, for a guard on
 * rel; NULL if there is no such table.
 */
AttachedTable *
attached_related(Relation rel, AttachedTable *table, const char *role)
{
	AttachedTable *related = attached_table_lookup(table->schema, role);

	if (related)
		require_usable(related, rel);
	return related;
}
