/*
 * vmnet_ext.c
 *		The module: its magic block and its settings.
 */
#include "postgres.h"

#include <limits.h>

#include "utils/guc.h"

#include "compat.h"
#include "history/pending.h"
#include "nic/guard_bypass.h"
#include "vmnet_ext.h"

VMNET_MODULE_MAGIC;

PGDLLEXPORT void _PG_init(void);

/* Inventory that a call uses if it does not name one. */
char	   *vmnet_inventory = NULL;

/* User and reason that nic_history records with a change. */
char	   *vmnet_actor = NULL;
char	   *vmnet_reason = NULL;

/* Seconds after which read functions refuse a mirror; 0: never. */
int			vmnet_max_age = 0;

/* Kilobytes that a payload of observations may have. */
int			vmnet_max_payload = 16 * 1024;

static bool
check_inventory_name(char **newval, void **extra, GucSource source)
{
	if (strlen(*newval) < NAMEDATALEN)
		return true;

	GUC_check_errdetail("The name of a schema has at most %d bytes.",
						NAMEDATALEN - 1);
	return false;
}

/* Defines the settings that are texts. */
static void
define_texts(void)
{
	DefineCustomStringVariable("vmnet.inventory",
							   "Inventory that a call uses if it does not name one.",
							   "The name of the schema as in pg_namespace: case-sensitive, "
							   "without quotes.",
							   &vmnet_inventory,
							   "cloud",
							   PGC_USERSET,
							   0,
							   check_inventory_name,
							   NULL,
							   NULL);
	DefineCustomStringVariable("vmnet.actor",
							   "User on whose behalf NICs are changed, recorded in nic_history.",
							   "An application that shares a login sets it with SET LOCAL in each "
							   "transaction. If it is empty, no user is recorded.",
							   &vmnet_actor,
							   "",
							   PGC_USERSET,
							   0,
							   NULL,
							   NULL,
							   NULL);
	DefineCustomStringVariable("vmnet.reason",
							   "Reason for changes of NICs, recorded in nic_history.",
							   "For example, the number of a ticket. If it is empty, no reason is "
							   "recorded.",
							   &vmnet_reason,
							   "",
							   PGC_USERSET,
							   0,
							   NULL,
							   NULL,
							   NULL);
}

/* Defines the settings that are numbers. */
static void
define_numbers(void)
{
	DefineCustomIntVariable("vmnet.max_age",
							"Age of a mirror above which read functions fail.",
							"The time since the start of its last completed import. 0 turns the "
							"check off.",
							&vmnet_max_age,
							0,
							0,
							INT_MAX,
							PGC_USERSET,
							GUC_UNIT_S,
							NULL,
							NULL,
							NULL);
	DefineCustomIntVariable("vmnet.max_payload",
							"Size above which a payload of observations is refused.",
							"It is compared before anything of the payload is parsed.",
							&vmnet_max_payload,
							16 * 1024,
							1,
							1024 * 1024,
							PGC_SUSET,
							GUC_UNIT_KB,
							NULL,
							NULL,
							NULL);
}

/*
 * Defines the settings of the extension and registers its transaction
 * callbacks.  Called once by the server when the library is loaded.
 */
void
_PG_init(void)
{
	define_texts();
	define_numbers();
	MarkGUCPrefixReserved("vmnet");

	guard_bypass_register();
	history_register();
}
