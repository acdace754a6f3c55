/*
 * The piece of work of 070_clients.pl through libpq: parameters of stated
 * types (bigint, varchar), results in text and in binary.  Where to connect to
 * is in the environment.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <arpa/inet.h>

#include <libpq-fe.h>

#define BIGINT 20
#define VARCHAR 1043

static PGconn *conn;

static void
fail(const char *what)
{
	fprintf(stderr, "%s: %s", what, PQerrorMessage(conn));
	exit(1);
}

/*
 * Runs a statement; types has one letter per parameter, i for bigint and v for
 * varchar.
 */
static PGresult *
run(const char *sql, const char *types, const char *a, const char *b, const char *c)
{
	const char *values[3] = {a, b, c};
	Oid			oids[3];
	int			n = (int) strlen(types);

	for (int i = 0; i < n; i++)
		oids[i] = types[i] == 'i' ? BIGINT : VARCHAR;
	return PQexecParams(conn, sql, n, oids, values, NULL, NULL, 0);
}

static PGresult *
must(PGresult *r)
{
	if (PQresultStatus(r) != PGRES_TUPLES_OK && PQresultStatus(r) != PGRES_COMMAND_OK)
		fail("refused");
	return r;
}

static void
command(const char *sql)
{
	PQclear(must(PQexec(conn, sql)));
}

static const char *
value(const PGresult *r, int row, int column)
{
	return PQgetisnull(r, row, column) ? "-" : PQgetvalue(r, row, column);
}

static void
say_rows(const char *what, PGresult *r)
{
	must(r);
	for (int row = 0; row < PQntuples(r); row++)
		for (int column = 0; column < PQnfields(r); column++)
			printf("%s%s%s", column == 0 ? what : ", ", value(r, row, column), column == PQnfields(r) - 1 ? "\n" : "");
	PQclear(r);
}

static void
as_actor(const char *actor)
{
	command("BEGIN");
	PQclear(must(run("SELECT set_config('vmnet.actor', $1, true)", "v", actor, NULL, NULL)));
}

static void
refused(PGresult *r)
{
	static const int fields[] = {PG_DIAG_SQLSTATE, PG_DIAG_CONSTRAINT_NAME, PG_DIAG_SCHEMA_NAME, PG_DIAG_TABLE_NAME,
	PG_DIAG_MESSAGE_PRIMARY, PG_DIAG_MESSAGE_DETAIL, PG_DIAG_MESSAGE_HINT};
	static const char *const before[] = {"refused: ", ", ", ", ", ", ", "\n  ", "\n  ", "\n  "};

	for (int i = 0; i < 7; i++)
	{
		const char *said = PQresultErrorField(r, fields[i]);

		printf("%s%s", before[i], said ? said : "-");
	}
	printf("\n");
	PQclear(r);
}

/* A cursor, 100 rows at a time, ids in binary. */
static void
fetch(const char *declare)
{
	int			batches = 0,
				fetched = 0,
				ordered = 1;
	long		sum = 0,
				last = 0;

	command("BEGIN");
	PQclear(must(run(declare, "i", "3", NULL, NULL)));
	for (;;)
	{
		PGresult   *r = must(PQexecParams(conn, "FETCH FORWARD 100 FROM listing", 0, NULL, NULL, NULL, NULL, 1));
		int			n = PQntuples(r);

		for (int row = 0; row < n; row++)
		{
			uint32_t	half[2];
			long		id;

			memcpy(half, PQgetvalue(r, row, 0), 8);
			id = (long) ntohl(half[0]) << 32 | ntohl(half[1]);
			ordered &= id > last;
			sum += last = id;
		}
		PQclear(r);
		if (n == 0)
			break;
		if (batches++ == 0)
			PQclear(must(run("DELETE FROM cloud.nics WHERE instance_id = $1", "i", "2000", NULL, NULL)));
		fetched += n;
	}
	printf("fetched: %d, %d, %ld, %s\n", batches, fetched, sum, ordered ? "t" : "f");
	say_rows("left: ", run("SELECT count(*) FROM vmnet.network_active_instances($1)", "i", "3", NULL, NULL));
	command("ROLLBACK");
}

int
main(void)
{
	static const char *const states[] = {"Reserving", "Reserved", "Releasing", "Reserved", "Releasing", "Allocated", "Reserving"};
	char	   *added,
			   *inserted;
	PGresult   *r;

	setvbuf(stdout, NULL, _IOLBF, 0);
	conn = PQconnectdb("");
	if (PQstatus(conn) != CONNECTION_OK)
		fail("no connection");
	say_rows("bound: ", run("SELECT CAST(pg_typeof($1) AS text)", "v", "x", NULL, NULL));
	say_rows("listed: ", run("SELECT instance_id, instance_name, instance_state, nic_id, nic_state, default_nic, mac_address, ip4_address, ip6_address"
							 " FROM vmnet.network_active_instances($1)", "i", "1", NULL, NULL));

	as_actor("alice");
	r = must(run("SELECT vmnet.nic_add($1, $2, $3::inet)", "iiv", "3", "1", "10.1.0.30"));
	added = strdup(value(r, 0, 0));
	PQclear(r);
	printf("added: %s\n", added);
	r = must(run("INSERT INTO cloud.nics (instance_id, network_id) VALUES ($1, $2) RETURNING id, state, default_nic", "ii", "3", "2", NULL));
	inserted = strdup(value(r, 0, 0));
	say_rows("inserted: ", r);
	command("COMMIT");

	as_actor("bob");
	for (int i = 0; i < 7; i++)
	{
		r = must(run("UPDATE cloud.nics SET state = $1 WHERE id = $2", "vi", states[i], added, NULL));
		printf("moved: %s, %s, ", states[i], PQcmdTuples(r));
		PQclear(r);
		say_rows("", run("SELECT count(*) FROM cloud.nics WHERE state = $1 AND network_id <> 3", "v", states[i], NULL, NULL));
	}
	command("COMMIT");

	as_actor("mallory");
	PQclear(must(run("UPDATE cloud.nics SET state = $1 WHERE id = $2", "vi", "Reserved", added, NULL)));
	command("ROLLBACK");

	refused(run("UPDATE cloud.nics SET state = $1 WHERE id = $2", "vi", "Releasing", "1", NULL));
	refused(run("UPDATE cloud.networks SET removed = now() WHERE id = $1", "i", "1", NULL, NULL));
	refused(run("INSERT INTO cloud.nics (instance_id, network_id) VALUES ($1, $2)", "ii", "1", "1", NULL));
	refused(run("SELECT vmnet.nic_add($1, $2, $3::inet)", "iiv", "1", "2", "10.2.0.255"));
	refused(run("SELECT vmnet.nic_remove($1)", "i", added, NULL, NULL));

	for (int again = 0; again < 2; again++)
	{
		r = must(run("DELETE FROM cloud.nics WHERE id = $1", "i", inserted, NULL, NULL));
		printf("deleted: %s\n", PQcmdTuples(r));
		PQclear(r);
	}
	for (int again = 0; again < 2; again++)
		say_rows("removed: ", run("SELECT vmnet.nic_remove($1)", "i", added, NULL, NULL));

	fetch("DECLARE listing CURSOR FOR SELECT instance_id, instance_name FROM vmnet.network_active_instances($1)");
	fetch("DECLARE listing CURSOR FOR SELECT instance_id, instance_name FROM cloud.network_instances WHERE network_id = $1 ORDER BY instance_id");

	say_rows("history: ", run("SELECT h.nic_id, h.event, h.from_state, h.to_state, h.removed IS NOT NULL, h.session_username, h.actor, h.application_name"
							  " FROM cloud.nic_history h ORDER BY h.seq", "", NULL, NULL, NULL));
	PQfinish(conn);
	return 0;
}
