/*
 * entry.c
 *		The entry of public functions that are written in SQL and PL/pgSQL.
 *
 * Such a function cannot switch the current user for what it does.  So what
 * users call, vmnet.f(), is a C function; it becomes the owner of the inventory
 * that its arguments name, where the caller has the owner's rights and is not
 * the owner, and runs the function of the same name and arguments in schema
 * vmnet_internal.  A part of such functions, vmnet_internal.f(), does the same
 * with vmnet_internal.f_as_owner().
 *
 * A function that makes an inventory, or something beside one, works as its
 * caller.  It is a C function, too, so that its errors have no lines about
 * functions of vmnet_internal.
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "catalog/namespace.h"
#include "catalog/pg_class.h"
#include "catalog/pg_proc.h"
#include "catalog/pg_type.h"
#include "funcapi.h"
#include "nodes/execnodes.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/syscache.h"

#include "compat.h"
#include "core/inventory.h"
#include "core/outsider.h"
#include "core/run_as.h"
#include "core/subtransaction.h"

/* A function that is called; valid as long as its FmgrInfo. */
typedef struct Entry
{
	FmgrInfo	body;			/* the function in vmnet_internal */
	int			inventory;		/* argument that names it; -1: none does */
	Oid			inventory_type; /* name or text */
} Entry;

/*
 * Finds the argument that names the inventory: "inventory", or "name" in
 * functions about an inventory as a whole.
 */
static void
find_inventory_argument(HeapTuple proc, Entry *entry)
{
	Oid		   *types;
	char	  **names;
	char	   *modes;
	int			count = get_func_arg_info(proc, &types, &names, &modes);
	int			position = 0;
	int			i;

	for (i = 0; i < count; i++)
	{
		if (modes && modes[i] != PROARGMODE_IN)
			continue;
		if ((types[i] == NAMEOID || types[i] == TEXTOID) &&
			(strcmp(names[i], "inventory") == 0 || strcmp(names[i], "name") == 0))
		{
			entry->inventory = position;
			entry->inventory_type = types[i];
			return;
		}
		position++;
	}
	elog(ERROR, "function \"%s\" has no argument that names an inventory",
		 NameStr(((Form_pg_proc) GETSTRUCT(proc))->proname));
}

/*
 * Looks up what a call needs, once for each FmgrInfo.  as_caller: it needs no
 * inventory.
 */
static Entry *
entry_lookup(FunctionCallInfo fcinfo, bool as_caller)
{
	Entry	   *entry = fcinfo->flinfo->fn_extra;
	Oid			internal = get_namespace_oid("vmnet_internal", false);
	HeapTuple	proc;
	Form_pg_proc form;
	NameData	name;
	Oid			body;

	if (entry)
		return entry;

	proc = SearchSysCache1(PROCOID, ObjectIdGetDatum(fcinfo->flinfo->fn_oid));
	if (!HeapTupleIsValid(proc))
		elog(ERROR, "cache lookup failed for function %u", fcinfo->flinfo->fn_oid);
	form = (Form_pg_proc) GETSTRUCT(proc);
	namestrcpy(&name, NameStr(form->proname));
	if (form->pronamespace == internal)
		namestrcpy(&name, psprintf("%s_as_owner", NameStr(form->proname)));
	body = GetSysCacheOid3(PROCNAMEARGSNSP, Anum_pg_proc_oid,
						   NameGetDatum(&name),
						   PointerGetDatum(&form->proargtypes),
						   ObjectIdGetDatum(internal));
	if (!OidIsValid(body) || get_func_rettype(body) != form->prorettype ||
		get_func_retset(body) != form->proretset)
		elog(ERROR, "schema \"vmnet_internal\" has no function \"%s\" for its entry",
			 NameStr(name));

	entry = MemoryContextAllocZero(fcinfo->flinfo->fn_mcxt, sizeof(Entry));
	entry->inventory = -1;
	if (!as_caller)
		find_inventory_argument(proc, entry);
	ReleaseSysCache(proc);
	fmgr_info_cxt(body, &entry->body, fcinfo->flinfo->fn_mcxt);
	fcinfo->flinfo->fn_extra = entry;
	return entry;
}

/*
 * Returns the schema of the inventory that a call is about; raises an error if
 * there is none.
 *
 * The error must not be left to the implementation: a schema of that name could
 * be created in between, and would be used with the rights of the caller.
 */
static Oid
entry_schema(FunctionCallInfo fcinfo, const Entry *entry)
{
	if (PG_ARGISNULL(entry->inventory))
		return inventory_resolve(NULL);
	if (entry->inventory_type == NAMEOID)
		return inventory_resolve(NameStr(*PG_GETARG_NAME(entry->inventory)));
	return inventory_resolve(text_to_cstring(PG_GETARG_TEXT_PP(entry->inventory)));
}

/* A call of an entry, and what its implementation returned. */
typedef struct EntryCall
{
	FunctionCallInfo fcinfo;
	Entry	   *entry;
	Datum		result;
} EntryCall;

/*
 * Calls the implementation with the arguments of the call.
 *
 * An implementation that returns a set must materialize it: all of it has run
 * when this returns.
 */
static void
call_body(void *arg)
{
	EntryCall  *entry_call = (EntryCall *) arg;
	FunctionCallInfo fcinfo = entry_call->fcinfo;
	Entry	   *entry = entry_call->entry;
	FunctionCallInfo call = palloc0(SizeForFunctionCallInfo(fcinfo->nargs));
	ReturnSetInfo *rsinfo = (ReturnSetInfo *) fcinfo->resultinfo;
	bool		has_set = rsinfo && IsA(rsinfo, ReturnSetInfo);
	int			modes = has_set ? rsinfo->allowedModes : 0;

	InitFunctionCallInfoData(*call, &entry->body, fcinfo->nargs,
							 fcinfo->fncollation, NULL, fcinfo->resultinfo);
	memcpy(call->args, fcinfo->args, fcinfo->nargs * sizeof(NullableDatum));
	if (has_set && entry->body.fn_retset)
		rsinfo->allowedModes |= SFRM_Materialize_Preferred;
	entry_call->result = FunctionCallInvoke(call);
	if (has_set)
		rsinfo->allowedModes = modes;
	fcinfo->isnull = call->isnull;
}

/*
 * Runs the implementation as the owner of the inventory, if the caller has the
 * owner's rights and is another role.
 */
static Datum
run_entry(FunctionCallInfo fcinfo, bool one_owner)
{
	Entry	   *entry = entry_lookup(fcinfo, false);
	Oid			schema = entry_schema(fcinfo, entry);
	EntryCall	call = {fcinfo, entry, (Datum) 0};
	RunAs		saved;

	if (one_owner)
	{
		require_one_owner(schema);
		(void) run_as_inventory_owner(schema, &saved);
	}
	else
		(void) run_as_role(require_inventory_owner(schema), &saved);
	run_with_clean_context(call_body, &call, false, outsider_hint(fcinfo, schema));
	run_as_end(&saved);
	return call.result;
}

/*
 * Runs a public function on an inventory whose relations must all belong to one
 * owner.
 */
PG_FUNCTION_INFO_V1(inventory_entry);

Datum
inventory_entry(PG_FUNCTION_ARGS)
{
	return run_entry(fcinfo, true);
}

/*
 * Runs a public function that reports or repairs defects of an inventory, whose
 * relations may belong to several owners.
 */
PG_FUNCTION_INFO_V1(inventory_entry_any);

Datum
inventory_entry_any(PG_FUNCTION_ARGS)
{
	return run_entry(fcinfo, false);
}

/*
 * Runs observe() as the owner of the inventory, for a caller who can insert
 * sightings: nobody but the owner writes them by hand.
 */
PG_FUNCTION_INFO_V1(observer_entry);

Datum
observer_entry(PG_FUNCTION_ARGS)
{
	Entry	   *entry = entry_lookup(fcinfo, false);
	Oid			schema = entry_schema(fcinfo, entry);
	EntryCall	call = {fcinfo, entry, (Datum) 0};
	RunAs		saved;

	require_one_owner(schema);
	if (get_rel_relkind(get_relname_relid("sightings", schema)) != RELKIND_RELATION)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("inventory \"%s\" takes no observations", require_namespace_name(schema)),
				 errdetail("It has no table of sightings."),
				 errhint("SELECT vmnet.enable_reality(%s);",
						 quote_literal_cstr(require_namespace_name(schema)))));
	run_as_inventory_owner_granted(schema, "sightings", ACL_INSERT, &saved);
	run_with_clean_context(call_body, &call, false, NULL);
	run_as_end(&saved);
	return call.result;
}

/*
 * Runs a public function as its caller.
 */
PG_FUNCTION_INFO_V1(caller_entry);

Datum
caller_entry(PG_FUNCTION_ARGS)
{
	EntryCall	call = {fcinfo, entry_lookup(fcinfo, true), (Datum) 0};

	run_with_clean_context(call_body, &call, false, NULL);
	return call.result;
}
