/*
 * json.c
 *		Checks of records that are JSON.
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/jsonb.h"

#include "compat.h"

/*
 * Returns why a record cannot be read: it is not an object, or the value of one of
 * the named keys is not a scalar; NULL if nothing is wrong.
 *
 * A key that is missing, or null, is no fault.  A number is read as text.
 */
PG_FUNCTION_INFO_V1(json_fault);

Datum
json_fault(PG_FUNCTION_ARGS)
{
	Jsonb	   *record = PG_GETARG_JSONB_P(0);
	ArrayType  *keys = PG_GETARG_ARRAYTYPE_P(1);
	Datum	   *values;
	bool	   *nulls;
	int			nkeys;
	int			i;

	if (!JB_ROOT_IS_OBJECT(record))
		PG_RETURN_TEXT_P(cstring_to_text("the record is not an object"));

	deconstruct_array(keys, TEXTOID, -1, false, TYPALIGN_INT, &values, &nulls, &nkeys);
	for (i = 0; i < nkeys; i++)
	{
		JsonbValue	found;

		if (nulls[i])
			continue;
		if (getKeyJsonValueFromContainer(&record->root, VARDATA_ANY(values[i]),
										 VARSIZE_ANY_EXHDR(values[i]), &found) == NULL)
			continue;
		if (found.type == jbvBinary || found.type == jbvBool)
			PG_RETURN_TEXT_P(cstring_to_text(psprintf("\"%s\" is not a text",
													  TextDatumGetCString(values[i]))));
	}
	PG_RETURN_NULL();
}
