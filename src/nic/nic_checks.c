/*
 * nic_checks.c
 *		Conditions of CHECK constraints of an inventory.
 *
 * The server reads the text of a CHECK, and prepares it, in every statement that
 * writes to the table.  A call of one of these functions is a fraction of the
 * text that it replaces.  Their names and arguments are part of the format of a
 * dump, and they decide by their arguments only: a row that was stored stays valid.
 *
 * All are strict: a CHECK lets NULL pass.
 */
#include "postgres.h"

#include <sys/socket.h>

#include "fmgr.h"
#include "utils/inet.h"

#include "compat.h"
#include "nic/nic_checks.h"
#include "nic/nic_state.h"

/*
 * Tells whether a text is the name of a state of a NIC, exactly spelled.
 */
PG_FUNCTION_INFO_V1(nic_state_valid);

Datum
nic_state_valid(PG_FUNCTION_ARGS)
{
	PG_RETURN_BOOL(nic_state_from_text(PG_GETARG_TEXT_PP(0)) != NIC_UNKNOWN_STATE);
}

/*
 * Tells whether a text is the name of a strategy of a NIC, exactly spelled.
 */
PG_FUNCTION_INFO_V1(nic_strategy_valid);

Datum
nic_strategy_valid(PG_FUNCTION_ARGS)
{
	PG_RETURN_BOOL(nic_strategy_from_text(PG_GETARG_TEXT_PP(0)) != NIC_UNKNOWN_STRATEGY);
}

/*
 * Tells whether an inet is one address of a family, without a prefix length.
 */
bool
is_one_address(const inet *address, int family)
{
	return ip_family(address) == family && ip_bits(address) == ip_maxbits(address);
}

/*
 * Tells whether an inet is one IPv4 address, without a prefix length.
 */
PG_FUNCTION_INFO_V1(ip4_address_valid);

Datum
ip4_address_valid(PG_FUNCTION_ARGS)
{
	PG_RETURN_BOOL(is_one_address(PG_GETARG_INET_PP(0), PGSQL_AF_INET));
}

/*
 * Tells whether an inet is one IPv6 address, without a prefix length.
 */
PG_FUNCTION_INFO_V1(ip6_address_valid);

Datum
ip6_address_valid(PG_FUNCTION_ARGS)
{
	PG_RETURN_BOOL(is_one_address(PG_GETARG_INET_PP(0), PGSQL_AF_INET6));
}
