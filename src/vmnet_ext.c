/*
 * vmnet_ext.c
 *		The module: its magic block and its settings.
 */
#include "postgres.h"

#include "utils/guc.h"

#include "compat.h"
#include "history/pending.h"
#include "nic/guard_bypass.h"
#include "vmnet_ext.h"

VMNET_MODULE_MAGIC;

PGDLLEXPORT void _PG_init(void);

/* Inventory that a call means when it names none. */
char	   *vmnet_inventory = NULL;

/* On whose behalf, and why: what nic_history shall say of a change. */
char	   *vmnet_actor = NULL;
char	   *vmnet_reason = NULL;

static bool
check_inventory_name(char **newval, void **extra, GucSource source)
{
	if (strlen(*newval) < NAMEDATALEN)
		return true;

	GUC_check_errdetail("The name of a schema has at most %d bytes.",
						NAMEDATALEN - 1);
	return false;
}

/*
 * Defines the settings of the extension and registers its transaction
 * callbacks.  Called once by the server when the library is loaded.
 */
void
_PG_init(void)
{
	DefineCustomStringVariable("vmnet.inventory",
							   "Inventory that a function uses when its call names none.",
							   "The name of a schema as pg_namespace has it: not folded to lower case, without quotes.",
							   &vmnet_inventory,
							   "cloud",
							   PGC_USERSET,
							   0,
							   check_inventory_name,
							   NULL,
							   NULL);
	DefineCustomStringVariable("vmnet.actor",
							   "On whose behalf NICs are changed, as nic_history records it.",
							   "An application that shares a login sets it with SET LOCAL in each transaction. Empty: nobody is recorded.",
							   &vmnet_actor,
							   "",
							   PGC_USERSET,
							   0,
							   NULL,
							   NULL,
							   NULL);
	DefineCustomStringVariable("vmnet.reason",
							   "Why NICs are changed, as nic_history records it.",
							   "A ticket, say. Empty: no reason is recorded.",
							   &vmnet_reason,
							   "",
							   PGC_USERSET,
							   0,
							   NULL,
							   NULL,
							   NULL);
	MarkGUCPrefixReserved("vmnet");

	guard_bypass_register();
	history_register();
}
