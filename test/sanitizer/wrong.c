/*
 * wrong.c
 *		Functions that are wrong, to see that a checker says so.
 *
 * They are built with the flags of the extension, as a library of their own.
 */
#include "postgres.h"

#include <limits.h>

#include "fmgr.h"

PG_MODULE_MAGIC;

PG_FUNCTION_INFO_V1(wrong_heap);
PG_FUNCTION_INFO_V1(wrong_sum);

/*
 * Writes one byte behind an array of malloc(), of the size that is given.
 */
Datum
wrong_heap(PG_FUNCTION_ARGS)
{
	int32		size = PG_GETARG_INT32(0);
	volatile char *array = malloc(size);

	array[size] = 'x';
	size = array[size];
	free((char *) array);
	PG_RETURN_INT32(size);
}

/*
 * Adds two numbers, whatever the sum is.
 */
Datum
wrong_sum(PG_FUNCTION_ARGS)
{
	int32		a = PG_GETARG_INT32(0);
	int32		b = PG_GETARG_INT32(1);

	PG_RETURN_INT32(a + b);
}
