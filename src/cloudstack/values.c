/*
 * values.c
 *		Values of another system, read from text; NULL for what cannot be read.
 *
 * PostgreSQL's own input functions raise an error for such a value, and before
 * version 16 only a subtransaction per value can avoid that, which is too slow
 * for an import of millions of rows.
 */
#include "postgres.h"

#include <ctype.h>

#include "common/ip.h"
#include "utils/builtins.h"
#include "utils/datetime.h"
#include "utils/inet.h"
#include "utils/timestamp.h"
#include "utils/uuid.h"

#include "compat.h"

/* Longer values cannot be read. */
#define LONGEST_VALUE	64

/*
 * Copies a text argument without blanks around it; false if it is empty or too
 * long.
 */
static bool
copy_trimmed(FunctionCallInfo fcinfo, char *buf)
{
	text	   *arg = PG_GETARG_TEXT_PP(0);
	const char *start = VARDATA_ANY(arg);
	const char *end = start + VARSIZE_ANY_EXHDR(arg);

	while (start < end && isspace((unsigned char) *start))
		start++;
	while (end > start && isspace((unsigned char) end[-1]))
		end--;
	if (start == end || end - start >= LONGEST_VALUE)
		return false;

	memcpy(buf, start, end - start);
	buf[end - start] = '\0';
	return strlen(buf) == end - start;
}

/*
 * Reads a whole number, also in the form "204.0", which numeric columns may
 * contain.
 */
PG_FUNCTION_INFO_V1(read_bigint);

Datum
read_bigint(PG_FUNCTION_ARGS)
{
	char		buf[LONGEST_VALUE];
	char	   *end;
	long long	value;

	if (!copy_trimmed(fcinfo, buf))
		PG_RETURN_NULL();

	errno = 0;
	value = strtoll(buf, &end, 10);
	if (errno != 0 || end == buf)
		PG_RETURN_NULL();
	if (*end == '.')
		end += 1 + strspn(end + 1, "0");
	if (*end != '\0')
		PG_RETURN_NULL();
	PG_RETURN_INT64(value);
}

/*
 * Reads a boolean: a number, where all but 0 are true, as in MySQL, or a word that
 * PostgreSQL accepts.
 */
PG_FUNCTION_INFO_V1(read_boolean);

Datum
read_boolean(PG_FUNCTION_ARGS)
{
	char		buf[LONGEST_VALUE];
	char	   *end;
	long		number;
	bool		value;

	if (!copy_trimmed(fcinfo, buf))
		PG_RETURN_NULL();

	number = strtol(buf, &end, 10);
	if (end != buf && *end == '.')
		end += 1 + strspn(end + 1, "0");
	if (end != buf && *end == '\0')
		PG_RETURN_BOOL(number != 0);
	if (parse_bool(buf, &value))
		PG_RETURN_BOOL(value);
	PG_RETURN_NULL();
}

/* Reads an address with or without a prefix length. */
static bool
parse_inet(char *buf, inet_struct *addr)
{
	int			family = strchr(buf, ':') ? PGSQL_AF_INET6 : PGSQL_AF_INET;
	int			maxbits = family == PGSQL_AF_INET ? 32 : 128;
	int			bits;

	memset(addr, 0, sizeof(*addr));
	addr->family = family;

	/*
	 * Abbreviations such as "10.1" mean different things to different
	 * systems.
	 */
	if (family == PGSQL_AF_INET)
	{
		const char *dot = buf;
		int			dots = 0;

		while ((dot = strchr(dot, '.')) != NULL)
		{
			dots++;
			dot++;
		}
		if (dots != 3)
			return false;
	}

	bits = pg_inet_net_pton(family, buf, addr->ipaddr, -1);
	if (bits < 0 || bits > maxbits)
		return false;
	addr->bits = bits;
	return true;
}

static Datum
inet_datum(const inet_struct *addr)
{
	int			size = VARHDRSZ + offsetof(inet_struct, ipaddr) +
	(addr->family == PGSQL_AF_INET ? 4 : 16);
	inet	   *result = palloc0(size);

	SET_VARSIZE(result, size);
	memcpy(VARDATA(result), addr, size - VARHDRSZ);
	return InetPGetDatum(result);
}

/*
 * Reads an IP address with or without a prefix length, for SQL.
 */
PG_FUNCTION_INFO_V1(read_inet);

Datum
read_inet(PG_FUNCTION_ARGS)
{
	char		buf[LONGEST_VALUE];
	inet_struct addr;

	if (!copy_trimmed(fcinfo, buf) || !parse_inet(buf, &addr))
		PG_RETURN_NULL();
	PG_RETURN_DATUM(inet_datum(&addr));
}

/*
 * Reads a network; bits right of the prefix length are cleared.
 */
PG_FUNCTION_INFO_V1(read_cidr);

Datum
read_cidr(PG_FUNCTION_ARGS)
{
	char		buf[LONGEST_VALUE];
	inet_struct addr;
	int			nbytes;
	int			i;

	if (!copy_trimmed(fcinfo, buf) || !parse_inet(buf, &addr))
		PG_RETURN_NULL();

	nbytes = addr.family == PGSQL_AF_INET ? 4 : 16;
	for (i = 0; i < nbytes; i++)
	{
		int			keep = Min(8, Max(0, addr.bits - i * 8));

		addr.ipaddr[i] &= (unsigned char) (0xff00 >> keep);
	}
	PG_RETURN_DATUM(inet_datum(&addr));
}

/* Reads pairs of hex digits, each pair after the first behind the separator. */
static bool
parse_hex_pairs(const char *buf, char separator, int count, unsigned char *bytes)
{
	int			i;

	for (i = 0; i < count; i++)
	{
		char		pair[3];

		if (i > 0 && separator != '\0' && *buf++ != separator)
			return false;
		if (!isxdigit((unsigned char) buf[0]) || !isxdigit((unsigned char) buf[1]))
			return false;
		pair[0] = buf[0];
		pair[1] = buf[1];
		pair[2] = '\0';
		bytes[i] = (unsigned char) strtol(pair, NULL, 16);
		buf += 2;
	}
	return *buf == '\0';
}

/*
 * Reads a MAC address: six pairs of hex digits, separated by ":" or "-", or not
 * separated.
 */
PG_FUNCTION_INFO_V1(read_macaddr);

Datum
read_macaddr(PG_FUNCTION_ARGS)
{
	char		buf[LONGEST_VALUE];
	unsigned char bytes[6];
	macaddr    *result;

	if (!copy_trimmed(fcinfo, buf) ||
		!(parse_hex_pairs(buf, ':', 6, bytes) ||
		  parse_hex_pairs(buf, '-', 6, bytes) ||
		  parse_hex_pairs(buf, '\0', 6, bytes)))
		PG_RETURN_NULL();

	result = palloc(sizeof(macaddr));
	result->a = bytes[0];
	result->b = bytes[1];
	result->c = bytes[2];
	result->d = bytes[3];
	result->e = bytes[4];
	result->f = bytes[5];
	PG_RETURN_MACADDR_P(result);
}

/*
 * Reads a UUID: 32 hex digits, in groups of 8-4-4-4-12 or in one.
 */
PG_FUNCTION_INFO_V1(read_uuid);

Datum
read_uuid(PG_FUNCTION_ARGS)
{
	static const int dashes[] = {8, 13, 18, 23};
	char		buf[LONGEST_VALUE];
	char		digits[LONGEST_VALUE];
	pg_uuid_t  *result;
	int			from;
	int			to = 0;
	int			i;

	if (!copy_trimmed(fcinfo, buf))
		PG_RETURN_NULL();

	if (strlen(buf) == 36)
	{
		for (i = 0; i < lengthof(dashes); i++)
		{
			if (buf[dashes[i]] != '-')
				PG_RETURN_NULL();
		}
		for (from = 0; buf[from] != '\0'; from++)
		{
			if (from != 8 && from != 13 && from != 18 && from != 23)
				digits[to++] = buf[from];
		}
		digits[to] = '\0';
	}
	else
		strcpy(digits, buf);

	result = palloc(sizeof(pg_uuid_t));
	if (!parse_hex_pairs(digits, '\0', UUID_LEN, result->data))
		PG_RETURN_NULL();
	PG_RETURN_UUID_P(result);
}

/* Reads a given number of digits, without blanks or sign, and skips them. */
static bool
parse_digits(const char **s, int least, int most, int *value)
{
	int			n = 0;

	*value = 0;
	while (n < most && isdigit((unsigned char) **s))
	{
		*value = *value * 10 + (**s - '0');
		(*s)++;
		n++;
	}
	return n >= least;
}

/* Reads the text after the seconds: a fraction, then a zone or nothing (UTC). */
static bool
parse_time_tail(const char *s, fsec_t *fsec, int *zone)
{
	int			sign;
	int			hours = 0;
	int			minutes = 0;

	*fsec = 0;
	*zone = 0;

	if (*s == '.')
	{
		int			digit = USECS_PER_SEC / 10;

		for (s++; isdigit((unsigned char) *s); s++, digit /= 10)
			*fsec += (*s - '0') * digit;
	}
	if (*s == '\0' || strcmp(s, "Z") == 0)
		return true;
	if (*s != '+' && *s != '-')
		return false;

	sign = *s++ == '-' ? 1 : -1;
	if (!parse_digits(&s, 1, 2, &hours))
		return false;
	if (*s == ':')
		s++;
	if (*s != '\0' && !parse_digits(&s, 2, 2, &minutes))
		return false;
	if (*s != '\0' || hours > 15 || minutes > 59)
		return false;
	*zone = sign * (hours * SECS_PER_HOUR + minutes * SECS_PER_MINUTE);
	return true;
}

static bool
valid_date(const struct pg_tm *tm)
{
	return tm->tm_year >= 1 && tm->tm_mon >= 1 && tm->tm_mon <= 12 &&
		tm->tm_mday >= 1 &&
		tm->tm_mday <= day_tab[isleap(tm->tm_year)][tm->tm_mon - 1] &&
		tm->tm_hour >= 0 && tm->tm_hour < 24 &&
		tm->tm_min >= 0 && tm->tm_min < 60 &&
		tm->tm_sec >= 0 && tm->tm_sec < 60;
}

/*
 * Reads a time as written by MySQL or in ISO 8601; without a zone it is UTC.  A
 * zero date (0000-00-00) is NULL.
 */
PG_FUNCTION_INFO_V1(read_timestamptz);

Datum
read_timestamptz(PG_FUNCTION_ARGS)
{
	char		buf[LONGEST_VALUE];
	struct pg_tm tm = {0};
	fsec_t		fsec = 0;
	int			zone = 0;
	const char *s = buf;
	Timestamp	result;

	if (!copy_trimmed(fcinfo, buf))
		PG_RETURN_NULL();

	if (!parse_digits(&s, 4, 4, &tm.tm_year) || *s++ != '-' ||
		!parse_digits(&s, 1, 2, &tm.tm_mon) || *s++ != '-' ||
		!parse_digits(&s, 1, 2, &tm.tm_mday))
		PG_RETURN_NULL();
	if (*s == ' ' || *s == 'T')
	{
		s++;
		if (!parse_digits(&s, 1, 2, &tm.tm_hour) || *s++ != ':' ||
			!parse_digits(&s, 1, 2, &tm.tm_min) || *s++ != ':' ||
			!parse_digits(&s, 1, 2, &tm.tm_sec) ||
			!parse_time_tail(s, &fsec, &zone))
			PG_RETURN_NULL();
	}
	else if (*s != '\0')
		PG_RETURN_NULL();

	if (!valid_date(&tm) || tm2timestamp(&tm, fsec, &zone, &result) != 0)
		PG_RETURN_NULL();
	PG_RETURN_TIMESTAMPTZ(result);
}

/*
 * Returns the text without trailing blanks.
 *
 * rtrim(value, ' ') returns the same, but examines every character in a multibyte
 * encoding.
 */
PG_FUNCTION_INFO_V1(read_text);

Datum
read_text(PG_FUNCTION_ARGS)
{
	text	   *arg = PG_GETARG_TEXT_PP(0);
	const char *start = VARDATA_ANY(arg);
	int			length = VARSIZE_ANY_EXHDR(arg);
	int			keep = length;

	while (keep > 0 && start[keep - 1] == ' ')
		keep--;
	if (keep == length)
		PG_RETURN_TEXT_P(arg);
	PG_RETURN_TEXT_P(cstring_to_text_with_len(start, keep));
}

/*
 * Returns a timestamp as a time in UTC.
 *
 * AT TIME ZONE 'UTC' returns the same, but looks up the zone for every value.  Both
 * types count from the same moment.
 */
PG_FUNCTION_INFO_V1(read_utc);

Datum
read_utc(PG_FUNCTION_ARGS)
{
	PG_RETURN_TIMESTAMPTZ((TimestampTz) PG_GETARG_TIMESTAMP(0));
}

/*
 * Returns a time; NULL if it is infinite.
 */
PG_FUNCTION_INFO_V1(read_finite);

Datum
read_finite(PG_FUNCTION_ARGS)
{
	TimestampTz value = PG_GETARG_TIMESTAMPTZ(0);

	if (TIMESTAMP_NOT_FINITE(value))
		PG_RETURN_NULL();
	PG_RETURN_TIMESTAMPTZ(value);
}
