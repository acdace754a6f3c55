# One piece of work through every client that people use, once straight and once
# through pgbouncer in transaction mode: list a network, add NICs, move them with
# a bound varchar, be refused, remove them, fetch a large listing in batches, and
# read what history says of it.  The programs are in test/clients.
#
# pg_regress cannot do it: it knows one client.

use strict;
use warnings FATAL => 'all';

use IPC::Run;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

# What each client prints.  %s is its own name, which is its application_name.
my $expected = <<'END';
bound: character varying
listed: 1, web, Running, 1, Allocated, t, 02:00:00:00:00:01, 10.1.0.10, fd00::10
listed: 2, büro '2' | "網", Stopped, 2, Reserved, f, -, -, -
added: 5001
inserted: 5002, Allocated, f
moved: Reserving, 1, 1
moved: Reserved, 1, 2
moved: Releasing, 1, 1
moved: Reserved, 1, 2
moved: Releasing, 1, 1
moved: Allocated, 1, 3
moved: Reserving, 1, 1
refused: 23514, nic_state_transition, cloud, all_nics
  NIC 1 cannot move from state "Allocated" to "Releasing"
  NIC 1 (uuid 00000000-0000-0000-0000-000000000001) on network 1, of instance 1, has strategy "Start" and state "Allocated".
  From here it can move to "Reserving" (ReservationRequested), "Deallocating" (RemoveRequested); see vmnet.nic_state_transitions().
refused: 23503, network_in_use, cloud, all_networks
  cannot remove network 1: NICs are left on it
  3 NICs are held: NIC 1 (Allocated, instance 1), NIC 2 (Reserved, instance 2), NIC 5001 (Reserving, instance 3).
  Remove its NICs first: UPDATE cloud.all_nics SET state = 'Deallocating', removed = now() WHERE network_id = 1 AND removed IS NULL.
refused: 23505, all_nics_one_per_network, cloud, all_nics
  duplicate key value violates unique constraint "all_nics_one_per_network"
  Key (instance_id, network_id)=(1, 1) already exists.
  -
refused: 23514, nic_ip_reserved, cloud, all_nics
  network 2 cannot assign 10.2.0.255
  It is the broadcast address of 10.2.0.0/24.
  Choose another address of the network.
refused: 23514, nic_default_needed, cloud, all_nics
  cannot remove NIC 5001: it is the default of instance 3
  The instance has another NIC, and needs a default.
  Choose another default first: SELECT vmnet.nic_set_default(5002); Or force the removal: SELECT vmnet.nic_remove(5001, force => true);
deleted: 1
deleted: 0
removed: t
removed: f
fetched: 10, 1000, 1500500, t
left: 999
fetched: 10, 1000, 1500500, t
left: 999
history: 5001, ReservationRequested, Allocated, Reserving, f, vmnet_client, bob, %s
history: 5001, OperationCompleted, Reserving, Reserved, f, vmnet_client, bob, %s
history: 5001, ReleaseRequested, Reserved, Releasing, f, vmnet_client, bob, %s
history: 5001, OperationFailed, Releasing, Reserved, f, vmnet_client, bob, %s
history: 5001, ReleaseRequested, Reserved, Releasing, f, vmnet_client, bob, %s
history: 5001, OperationCompleted, Releasing, Allocated, f, vmnet_client, bob, %s
history: 5001, ReservationRequested, Allocated, Reserving, f, vmnet_client, bob, %s
history: 5002, RemoveRequested, Allocated, Deallocating, t, vmnet_client, -, %s
history: 5001, RemoveRequested, Reserving, Deallocating, t, vmnet_client, -, %s
END

sub expected_of
{
	my ($name) = @_;
	my $text = sprintf $expected, ($name) x 9;

	# ODBC has no fields of an error but the SQLSTATE, and no HINT
	$text =~ s/^(refused: \w+).*\n(  .*\n  .*\n)  .*\n/$1\n$2/mg if $name =~ /odbc/;
	return $text;
}

# The tools; test.sh installs them.
my $tmp = PostgreSQL::Test::Utils::tempdir;
my $driver = '/usr/share/java/postgresql.jar';
my ($pgbouncer) = grep { -x } grep { defined } $ENV{PGBOUNCER}, '/usr/sbin/pgbouncer';
BAIL_OUT('there is no pgbouncer: install it, or say where it is in PGBOUNCER') if !$pgbouncer;

sub build
{
	my ($what, @command) = @_;
	my $output = '';
	my $ok = IPC::Run::run(\@command, '<', \undef, '>', \$output, '2>&1');
	diag($output) if !$ok;
	return ok($ok, $what);
}

my ($include, $lib) = map { my $d = qx(pg_config $_); chomp $d; $d } '--includedir', '--libdir';
build('the client in C is built without a warning', 'cc', '-O1', '-Wall', '-Wextra', '-Werror', '-o', "$tmp/client",
	'test/clients/client.c', "-I$include", '-I/usr/include/postgresql', "-L$lib", '-lpq');
{
	local $ENV{HOME} = $tmp;
	build('npm installs node-postgres', 'npm', 'install', '--prefix', "$tmp/npm", '--no-save', '--no-audit', '--no-fund',
		'--ignore-scripts', '--loglevel=error', 'pg@8.13.1', 'pg-cursor@2.12.1');
}

# As Debian installs the driver, it logs to /tmp.
append_to_file("$tmp/odbcinst.ini", "[PostgreSQL Unicode]\nDriver = psqlodbcw.so\nCommLog = 0\nDebug = 0\n");

# A server with one database per client.
my $node = PostgreSQL::Test::Cluster->new('clients');
my $pool_port = PostgreSQL::Test::Cluster::get_free_port();
$node->init(extra => [ '--encoding=UTF8', '--locale=C.UTF-8' ]);
$node->append_conf('postgresql.conf', "listen_addresses = '127.0.0.1'\nlog_statement = all\nlog_line_prefix = '%d '\n");
unlink $node->data_dir . '/pg_hba.conf';
$node->append_conf('pg_hba.conf', "local all all trust\nhost all vmnet_client 127.0.0.1/32 scram-sha-256\n");
$node->start;
my $password = 'a; "long" one';
$node->safe_psql('postgres', qq(CREATE ROLE vmnet_client LOGIN PASSWORD '$password'; CREATE DATABASE clients));
$node->safe_psql('clients', slurp_file('test/clients/setup.sql'));

# pgbouncer in front of it: two connections for all clients of a database.
append_to_file("$tmp/users", q("vmnet_client" ") . $password =~ s/"/""/gr . qq("\n));
append_to_file("$tmp/pgbouncer.ini", <<"END");
[databases]
* = host=${\$node->host} port=${\$node->port}
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = $pool_port
unix_socket_dir =
auth_type = scram-sha-256
auth_file = $tmp/users
pool_mode = transaction
default_pool_size = 2
ignore_startup_parameters = extra_float_digits
logfile = $tmp/pgbouncer.log
END
my $bouncer = IPC::Run::start([ $pgbouncer, '-q', "$tmp/pgbouncer.ini" ], '<', \undef, '>', "$tmp/pgbouncer.out", '2>&1');

my %environment = (
	PGHOST => '127.0.0.1', PGUSER => 'vmnet_client', PGPASSWORD => $password,
	NODE_PATH => "$tmp/npm/node_modules", ODBCSYSINI => $tmp, LANG => 'C.UTF-8', LC_ALL => 'C.UTF-8');

for my $try (1 .. 10 * $PostgreSQL::Test::Utils::timeout_default)
{
	local %ENV = (%ENV, %environment, PGPORT => $pool_port, PGDATABASE => 'clients');
	last if IPC::Run::run([ 'psql', '-Xqc', 'SELECT' ], '<', \undef, '&>', '/dev/null');
	select undef, undef, undef, 0.1;
}
# a template must have no connection to it
$node->safe_psql('postgres', "SELECT pg_terminate_backend(pid, 10000) FROM pg_stat_activity WHERE datname = 'clients'");

# Runs a client on a database of its own; what it printed, on either channel.
sub run_client
{
	my ($name, $pooled, @command) = @_;
	my $output = '';

	$node->safe_psql('postgres', "CREATE DATABASE $name TEMPLATE clients");
	local %ENV = (%ENV, %environment, PGDATABASE => $name, PGAPPNAME => $name, PGPORT => $pooled ? $pool_port : $node->port);
	$ENV{VMNET_POOLED} = 1 if $pooled;
	IPC::Run::run(\@command, '<', \undef, '>', \$output, '2>&1', IPC::Run::timeout($PostgreSQL::Test::Utils::timeout_default))
	  or $output .= "and ended with status $?\n";
	return $output;
}

# name, command
my @clients = (
	[ 'psycopg2', '/usr/bin/python3', 'test/clients/client.py', 'psycopg2' ],
	[ 'psycopg', '/usr/bin/python3', 'test/clients/client.py', 'psycopg' ],
	[ 'odbc', '/usr/bin/python3', 'test/clients/client.py', 'pyodbc' ],
	[ 'jdbc', 'java', '-XX:TieredStopAtLevel=1', '-XX:+UseSerialGC', '-cp', $driver, 'test/clients/Client.java' ],
	[ 'node', 'node', 'test/clients/client.js' ],
	[ 'libpq', "$tmp/client" ]);

for my $pooled (0, 1)
{
	for my $client (@clients)
	{
		my ($kind, @command) = @$client;
		my $name = $pooled ? "${kind}_pooled" : $kind;
		my $before = -s $node->logfile;

		is(run_client($name, $pooled, @command), expected_of($name), "$name does its work, and is told why where it cannot");
		is($node->safe_psql($name, q(SELECT count(*), string_agg(DISTINCT application_name, ' '), string_agg(DISTINCT actor, ' '), count(*) FILTER (WHERE actor IS NULL) FROM cloud.nic_history)),
			"9|$name|bob|2", "$name: history has who did it, through what, and nothing that was rolled back");

		# what the server saw of it
		my @log = grep { /^$name / } split /\n/, substr slurp_file($node->logfile), $before;
		my $fetches = grep { /fetch (forward 100 from|100 in) |execute fetch from/i } @log;
		cmp_ok($fetches, '>=', 18, "$name: the listings came in batches");
		my $named = grep { /execute (S_|_pg3_)/ } @log;
		is($named > 0, ($kind =~ /jdbc|psycopg$/ && !$pooled) || '', "$name: statements that the server keeps are used only straight");
	}
}

# Eight clients, two connections: what one says of itself is not said of another.
my ($head, $kept) = split /^(?=\d+\|)/m, run_client('pool', 1, '/usr/bin/python3', 'test/clients/pool.py'), 2;
is($head, <<'END', 'SET LOCAL is gone with its transaction, where SET would have been left to the next client');
same connection: True
after SET LOCAL: .
after SET: talker.
connections: 2
failures: 
END
my @kept = split /\n/, $kept // '';
cmp_ok(scalar @kept, '>', 100, 'eight clients at once changed their NICs');
is($node->safe_psql('pool', q(SELECT nic_id, event, actor, reason, application_name FROM cloud.nic_history ORDER BY nic_id, seq)),
	join("\n", @kept), 'each change has the actor, the reason and the application that its own client named, or none');

$bouncer->signal('TERM');
$bouncer->finish;
$node->stop;
done_testing();
