/*
 * counted.c
 *		Numbers in messages.
 */
#include "postgres.h"

#include "compat.h"
#include "core/counted.h"

/*
 * Returns a number and what is counted, "1 row" or "2 rows"; allocated in the
 * current memory context.
 *
 * errmsg_plural() knows one number in a message, this one any.
 */
char *
counted(int64 number, const char *one, const char *several)
{
	return psprintf(INT64_FORMAT " %s", number, number == 1 ? one : several);
}
