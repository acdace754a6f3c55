# connect_cloudstack(): the statement that calls it, which may hold the password,
# is in no log entry and in no CONTEXT of what is raised while it runs, however it
# is called; and no other statement is kept out of the log.
#
# pg_regress cannot do it: the server's log has to be read.  No MySQL is needed:
# arguments are refused, and nothing listens on port 1.
use strict;
use warnings;

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $node = PostgreSQL::Test::Cluster->new('connect_log');
$node->init;
$node->append_conf('postgresql.conf', <<'EOC');
log_statement = 'none'
log_min_error_statement = 'warning'
log_min_messages = 'info'
log_error_verbosity = verbose
log_parameter_max_length_on_error = -1
EOC
$node->start;
$node->safe_psql('postgres', <<'SQL');
CREATE EXTENSION vmnet_ext;
CREATE ROLE caller LOGIN;
GRANT CREATE ON DATABASE postgres TO caller;
CREATE FUNCTION caught(password text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	context text;
BEGIN
	EXECUTE format('SELECT count(*) FROM vmnet.connect_cloudstack(%L, 0, password => %L)', '127.0.0.1', password);
	RETURN 'connected';
EXCEPTION WHEN OTHERS THEN
	GET STACKED DIAGNOSTICS context = PG_EXCEPTION_CONTEXT;
	RETURN SQLSTATE || ' ' || context;
END
$$;
CREATE FUNCTION thrown_on(password text) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
	EXECUTE format('SELECT count(*) FROM vmnet.connect_cloudstack(%L, 0, password => %L)', '127.0.0.1', password);
EXCEPTION WHEN OTHERS THEN
	RAISE;
END
$$;
-- what others do while it runs: warnings, notices, and an error of their own
CREATE FUNCTION told() RETURNS event_trigger LANGUAGE plpgsql AS $$
BEGIN
	IF tg_tag = current_setting('test.told', true) THEN
		RAISE WARNING 'a warning at %', tg_tag;
		RAISE NOTICE 'a notice at %', tg_tag;
		RAISE INFO 'an information at %', tg_tag;
		PERFORM 1 / current_setting('test.divisor')::int, pg_sleep(coalesce(current_setting('test.sleep', true), '0')::int);
	END IF;
END
$$;
CREATE EVENT TRIGGER told ON ddl_command_start EXECUTE FUNCTION told();
SQL
my $has_fdw = $node->safe_psql('postgres', q(SELECT count(*) FROM pg_available_extensions WHERE name = 'mysql_fdw'));
if ($has_fdw)
{
	$node->safe_psql('postgres', 'CREATE EXTENSION mysql_fdw');
}
else
{
	# The functions know the wrapper by the name of its handler.
	$node->safe_psql('postgres', q(CREATE FUNCTION mysql_fdw_handler() RETURNS fdw_handler AS 'file_fdw', 'file_fdw_handler' LANGUAGE C STRICT;
		CREATE FOREIGN DATA WRAPPER mysql_fdw HANDLER mysql_fdw_handler));
}

# Runs statements that end with a failure; what the log and the client were told
# must not hold the password, and the next statement that fails is logged again.
sub quiet
{
	my ($title, $statements, $error, %options) = @_;
	my $offset = -s $node->logfile;
	my (undef, $output, $said) = $node->psql('postgres', <<"SQL", extra_params => [ '-v', 'SHOW_CONTEXT=always', '-v', 'VERBOSITY=verbose', @{ $options{extra} // [] } ], on_error_stop => 0);
$statements
SELECT 'the next ' || 1 / (count(*) - count(*)) FROM pg_class;
SELECT 'sound ' || count(*) FROM pg_namespace WHERE nspname = 'cloudstack';
SQL
	my $log = slurp_file($node->logfile, $offset);

	like($said . $output, $error, "$title: it fails");
	like($log, $error, "$title: the log says so") unless $options{caught};
	unlike($log, qr/pass-word/, "$title: the log has no password");
	unlike($said . $output, qr/pass-word/, "$title: nor what the client is told");
	like($log, qr/STATEMENT:  SELECT 'the next '/, "$title: the next statement that fails is logged");
	like($output, qr/^sound 0$/m, "$title: the session is sound, and nothing was made");
	return $log;
}

my $call = q{vmnet.connect_cloudstack('127.0.0.1', 0, password => 'a pass-word')};
my $refused = qr/port must be between 1 and 65535/;

quiet('plain', "SELECT * FROM $call;", $refused);
quiet('in the select list', "SELECT $call;", $refused);
quiet('in a set', "SELECT 1 FROM pg_class c, LATERAL $call LIMIT 1;", $refused);
quiet('in DO', "DO \$\$ BEGIN PERFORM FROM $call; END \$\$;", $refused);
quiet('in two blocks', "DO \$\$ BEGIN BEGIN PERFORM FROM $call; EXCEPTION WHEN division_by_zero THEN NULL; END; END \$\$;", $refused);
quiet('thrown on', "SELECT thrown_on('a ' || 'pass' || '-' || 'word');", $refused);
quiet('caught', "SELECT caught('a ' || 'pass' || '-' || 'word');", qr/22023 /, caught => 1);
quiet('prepared', "PREPARE p (text) AS SELECT * FROM vmnet.connect_cloudstack('127.0.0.1', 0, password => \$1);\nEXECUTE p ('a pass-word');", $refused);
quiet('in a cursor', "BEGIN; DECLARE c CURSOR FOR SELECT * FROM $call; FETCH c; ROLLBACK;", $refused);
quiet('in a table', "CREATE TEMPORARY TABLE t AS SELECT * FROM $call;", $refused);
quiet('in COPY', "COPY (SELECT * FROM $call) TO STDOUT;", $refused);
quiet('explained', "EXPLAIN ANALYZE SELECT * FROM $call;", $refused);
quiet('in a subtransaction', "BEGIN; SAVEPOINT s; SELECT * FROM $call; ROLLBACK TO s; COMMIT;", $refused);
quiet('by a role without rights', q{SELECT * FROM vmnet.connect_cloudstack('127.0.0.1', 1, password => 'a pass-word');},
	qr/permission denied for foreign-data wrapper mysql_fdw/, extra => [ '-U', 'caller' ]);
quiet('an error of an event trigger', "SET test.divisor = 0; SET test.told = 'CREATE SERVER';\nSELECT * FROM vmnet.connect_cloudstack('127.0.0.1', 1, password => 'a pass-word');", qr/division by zero/);
quiet('after the user mapping', "SET test.divisor = 0; SET test.told = 'CREATE FOREIGN TABLE';\nSELECT * FROM vmnet.connect_cloudstack('127.0.0.1', 1, password => 'a pass-word');", qr/division by zero/);
my $log = quiet('with warnings', "SET test.divisor = 0; SET test.told = 'CREATE SCHEMA';\nSELECT * FROM vmnet.connect_cloudstack('127.0.0.1', 1, password => 'a pass-word');", qr/division by zero/);
like($log, qr/WARNING:  01000: a warning at CREATE SCHEMA.*NOTICE:  00000: a notice at CREATE SCHEMA.*INFO:  00000: an information at CREATE SCHEMA/s, 'which are in the log');
quiet('canceled', "SET test.told = 'CREATE SCHEMA'; SET test.divisor = 1; SET test.sleep = 600; SET statement_timeout = 200;\nSELECT * FROM vmnet.connect_cloudstack('127.0.0.1', 1, password => 'a pass-word');\nRESET statement_timeout;", qr/canceling statement due to statement timeout/);
quiet('nothing listens', q{SELECT * FROM vmnet.connect_cloudstack('127.0.0.1', 1, password => 'a pass-word');}, qr/cannot read CloudStack's database/)
	if $has_fdw;

# Parameters of the protocol, which are logged with a statement that fails
my $offset = -s $node->logfile;
$node->pgbench('--no-vacuum -c1 -t1 -M extended', 2, [], [ $refused ], 'by the extended protocol it fails',
	{ '065_extended' => q{\set secret 4711 * 100000 + 815
SELECT * FROM vmnet.connect_cloudstack('127.0.0.1', 0, password => :secret::text)} });
$log = slurp_file($node->logfile, $offset);
like($log, $refused, 'with parameters: the log says so');
unlike($log, qr/471100815/, 'with parameters: the log has no password');
$offset = -s $node->logfile;
$node->pgbench('--no-vacuum -c1 -t1 -M extended', 2, [], [ qr/division by zero/ ], 'another statement fails',
	{ '065_other' => q{\set secret 4711 * 100000 + 815
SELECT 1 / (:secret::int - 471100815)} });
like(slurp_file($node->logfile, $offset), qr/portal with parameters: \$1 = '471100815'/, 'with parameters: those of other statements are logged');

# What the function changes is not more than that.
is($node->safe_psql('postgres', q{SELECT count(*) FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace
	WHERE n.nspname LIKE 'vmnet%' AND (p.prosrc ~ 'log_min_error_statement' OR p.proname = 'connect_quietly')}), '0', 'no function changes what the administrator has set');
$node->stop;
done_testing();
