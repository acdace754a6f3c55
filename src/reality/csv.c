/*
 * csv.c
 *		Records of a CSV text (RFC 4180).
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "utils/array.h"
#include "utils/builtins.h"

#include "compat.h"

/*
 * Fields of a record that are kept; no kind has so many columns, and a line can
 * have as many commas as bytes.
 */
#define MOST_FIELDS		64

/* A place in a text, and the field that is being read. */
typedef struct CsvReader
{
	const char *next;
	const char *end;
	int			line;
	StringInfoData field;
} CsvReader;

static void
malformed(int line, const char *what)
{
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("the payload is not of kind \"csv\""),
			 errdetail("Line %d: %s", line, what),
			 errhint("A field with commas, quotes or line breaks is in double quotes, and a "
					 "double quote in it is doubled (RFC 4180)."),
			 err_generic_string(PG_DIAG_CONSTRAINT_NAME, "observation_malformed")));
}

/* Reads what is between double quotes; the reader is behind the first one. */
static void
read_quoted(CsvReader *reader)
{
	int			first = reader->line;

	for (;;)
	{
		char		c;

		if (reader->next == reader->end)
			malformed(first, "The double quotes of a field are not closed.");
		c = *reader->next++;
		if (c == '"')
		{
			if (reader->next == reader->end || *reader->next != '"')
				return;
			reader->next++;
		}
		if (c == '\n')
			reader->line++;
		appendStringInfoChar(&reader->field, c);
	}
}

/* Tells whether the reader is at the end of a line, or of the text. */
static bool
at_end_of_line(const CsvReader *reader)
{
	const char *next = reader->next;

	if (next < reader->end && *next == '\r')
		next++;
	return next == reader->end || *next == '\n';
}

/* Reads a field up to the comma or the end of line behind it. */
static void
read_field(CsvReader *reader)
{
	resetStringInfo(&reader->field);
	if (reader->next < reader->end && *reader->next == '"')
	{
		reader->next++;
		read_quoted(reader);
		if (!at_end_of_line(reader) && *reader->next != ',')
			malformed(reader->line, "Text follows the double quotes of a field.");
		return;
	}
	while (!at_end_of_line(reader) && *reader->next != ',')
		appendStringInfoChar(&reader->field, *reader->next++);
}

/*
 * Reads a line as an array of its first MOST_FIELDS fields.  The reader is at the start of a line
 * before, and after.
 */
static ArrayType *
read_record(CsvReader *reader)
{
	ArrayBuildState *fields = initArrayResult(TEXTOID, CurrentMemoryContext, false);
	StringInfo	field = &reader->field;
	int			count = 0;

	for (;;)
	{
		read_field(reader);
		if (count++ < MOST_FIELDS)
			accumArrayResult(fields,
							 PointerGetDatum(cstring_to_text_with_len(field->data, field->len)),
							 false, TEXTOID, CurrentMemoryContext);
		if (at_end_of_line(reader))
			break;
		reader->next++;
	}
	while (reader->next < reader->end && *reader->next++ != '\n')
		;
	reader->line++;
	return DatumGetArrayTypeP(makeArrayResult(fields, CurrentMemoryContext));
}

/*
 * Returns the records of a CSV text, with the number of the line where each begins.
 * Lines without a character are left out.
 *
 * Raises an error if double quotes are not closed, or are followed by text.
 */
PG_FUNCTION_INFO_V1(csv_records);

Datum
csv_records(PG_FUNCTION_ARGS)
{
	ReturnSetInfo *rsinfo = (ReturnSetInfo *) fcinfo->resultinfo;
	text	   *payload = PG_GETARG_TEXT_PP(0);
	MemoryContext row;
	MemoryContext caller;
	CsvReader	reader;

	InitMaterializedSRF(fcinfo, 0);
	reader.next = VARDATA_ANY(payload);
	reader.end = reader.next + VARSIZE_ANY_EXHDR(payload);
	reader.line = 1;
	initStringInfo(&reader.field);

	row = AllocSetContextCreate(CurrentMemoryContext, "vmnet CSV record",
								ALLOCSET_DEFAULT_SIZES);
	caller = MemoryContextSwitchTo(row);
	while (reader.next < reader.end)
	{
		Datum		values[2];
		bool		nulls[2] = {false, false};
		bool		empty = at_end_of_line(&reader);

		CHECK_FOR_INTERRUPTS();
		values[0] = Int32GetDatum(reader.line);
		values[1] = PointerGetDatum(read_record(&reader));
		if (!empty)
			tuplestore_putvalues(rsinfo->setResult, rsinfo->setDesc, values, nulls);
		MemoryContextReset(row);
	}
	MemoryContextSwitchTo(caller);
	MemoryContextDelete(row);
	return (Datum) 0;
}
