/*
 * error_context.c
 *		The context of errors that leave the extension.
 *
 * The CONTEXT of an error lists the calls that led to it, innermost first:
 *
 *		code of users, as a trigger of theirs, that the extension has run
 *		functions of vmnet_internal and the statements that they run, or a statement
 *			that a procedure runs
 *		code of users that called the extension
 *
 * The second part is removed, since it is of no use to users.
 */
#include "postgres.h"

#include "compat.h"
#include "core/error_context.h"

/*
 * Returns the start of the last line up to a position that begins with a message
 * of the server, in its current language, as far as its first parameter; NULL if
 * there is none.
 */
static const char *
last_line_of_message(const char *text, const char *position, const char *message)
{
	const char *parameter = strchr(message, '%');
	size_t		length = parameter ? parameter - message : strlen(message);
	const char *line;

	if (length == 0)
		return NULL;
	for (line = position;; line--)
	{
		if ((line == text ||line[-1] == '\n') &&strncmp(line, message, length) == 0)
			return line;
		if (line == text)
			return NULL;
	}
}

/*
 * Tells whether a line is about a function of vmnet_internal in PL/pgSQL, in the
 * current language of the server.
 *
 * Code of users may have the name of the schema in a statement, or in the name of a
 * function; its lines are no such lines.
 */
static bool
is_internal_function(const char *line)
{
	const char *messages[] = {
		dgettext(PG_TEXTDOMAIN("plpgsql"), "PL/pgSQL function %s line %d at %s"),
		dgettext(PG_TEXTDOMAIN("plpgsql"), "PL/pgSQL function %s line %d %s"),
		dgettext(PG_TEXTDOMAIN("plpgsql"), "PL/pgSQL function %s %s"),
		dgettext(PG_TEXTDOMAIN("plpgsql"), "PL/pgSQL function %s")
	};
	int			i;

	for (i = 0; i < lengthof(messages); i++)
	{
		const char *name = strchr(messages[i], '%');
		size_t		length = name ? name - messages[i] : 0;

		if (name && strncmp(line, messages[i], length) == 0 &&
			strncmp(line + length, "vmnet_internal.", strlen("vmnet_internal.")) == 0)
			return true;
	}
	return false;
}

/*
 * Returns the start of the lines about the extension in a context; NULL if there
 * are none.
 *
 * The first of them is the statement that a function of vmnet_internal runs, or,
 * where it runs none, the function.
 */
static const char *
find_internal_lines(const char *text)
{
	const char *statements[] = {
		_("SQL statement \"%s\""),
		_("SQL expression \"%s\""),
		_("PL/pgSQL assignment \"%s\"")
	};
	const char *internal = text;
	const char *result = NULL;
	int			i;

	while (!is_internal_function(internal))
	{
		internal = strchr(internal, '\n');
		if (internal == NULL)
			return NULL;
		internal++;
	}
	for (i = 0; i < lengthof(statements); i++)
	{
		const char *line = last_line_of_message(text, internal, statements[i]);

		if (line && (result == NULL || line > result))
			result = line;
	}
	return result ? result : internal;
}

/*
 * Returns the start of the last statement in a context; NULL if there is none.
 */
static const char *
find_last_statement(const char *text)
{
	const char *end = strchr(text, '\0');

	return last_line_of_message(text, end, _("SQL statement \"%s\""));
}

/*
 * Removes the lines about functions of vmnet_internal from the context of an
 * error, and about a statement that the extension runs itself if own_statement is
 * true: then every line of the context is about code that this statement has run.
 *
 * Called where the error is caught, with the error_context_stack of the call that
 * failed.  Errors of class XX keep their context, which a report of a bug needs,
 * and so does an error whose context does not end with that of the call.
 */
void
error_context_strip(ErrorData *edata, bool own_statement)
{
	const char *caller;
	const char *internal;
	char	   *inner;
	size_t		length;

	if (edata->context == NULL ||
		ERRCODE_TO_CATEGORY(edata->sqlerrcode) == ERRCODE_INTERNAL_ERROR)
		return;

	length = strlen(edata->context);
	caller = GetErrorContextStack();
	if (caller && *caller)
	{
		size_t		caller_length = strlen(caller);

		if (length <= caller_length ||
			strcmp(edata->context + length - caller_length, caller) != 0 ||
			edata->context[length - caller_length - 1] != '\n')
			return;
		length -= caller_length + 1;
	}
	else
		caller = NULL;

	inner = pnstrdup(edata->context, length);
	internal = find_internal_lines(inner);
	if (internal == NULL && own_statement)
		internal = find_last_statement(inner);
	if (internal == NULL)
		return;
	if (internal == inner)
		edata->context = caller ? pstrdup(caller) : NULL;
	else
	{
		inner[internal - inner - 1] = '\0';
		edata->context = caller ? psprintf("%s\n%s", inner, caller) : inner;
	}
}
