/*
 * payload.c
 *		The size of a payload, and its first bytes.
 */
#include "postgres.h"

#include "access/detoast.h"
#include "utils/builtins.h"

#include "compat.h"
#include "vmnet_ext.h"

/* The byte order mark, in UTF-8. */
#define BYTE_ORDER_MARK	"\xEF\xBB\xBF"

/*
 * Returns a payload without the byte order mark that it may begin with.
 *
 * Raises an error if it is larger than the setting vmnet.max_payload.  The size is
 * that of the text, not of its compressed form; it is known before the text is
 * fetched or decompressed.
 */
PG_FUNCTION_INFO_V1(payload_text);

Datum
payload_text(PG_FUNCTION_ARGS)
{
	Datum		arg = PG_GETARG_DATUM(0);
	int64		size = (int64) toast_raw_datum_size(arg) - VARHDRSZ;
	int			mark = strlen(BYTE_ORDER_MARK);
	text	   *payload;

	if (size > (int64) vmnet_max_payload * 1024)
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("the payload is larger than the setting \"vmnet.max_payload\" allows"),
				 errdetail("It has " INT64_FORMAT " bytes; the setting is %d kB.",
						   size, vmnet_max_payload),
				 errhint("Divide what is observed between several observers, or raise the "
						 "setting as a superuser."),
				 err_generic_string(PG_DIAG_CONSTRAINT_NAME, "observation_too_large")));

	payload = DatumGetTextPP(arg);
	if (size >= mark && memcmp(VARDATA_ANY(payload), BYTE_ORDER_MARK, mark) == 0)
		PG_RETURN_TEXT_P(cstring_to_text_with_len(VARDATA_ANY(payload) + mark,
												  size - mark));
	PG_RETURN_TEXT_P(payload);
}
