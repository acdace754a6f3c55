# Crashes: a backend is killed, the postmaster is killed, the server is stopped
# at once, while clients add, move and remove.  Afterwards no rule is broken and every change
# that a client was told of is there.  A prepared transaction outlives such a
# stop, and so does what it holds back.
#
# pg_regress cannot do it: it does not survive the loss of its server.
#
# VMNET_CRASH_ROUNDS says how often each crash is made; one is the default.

use strict;
use warnings FATAL => 'all';

use FindBin;
use lib $FindBin::RealBin;

use Inventory;
use IPC::Run;
use List::Util qw(shuffle);
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use Time::HiRes qw(usleep);

my $rounds = $ENV{VMNET_CRASH_ROUNDS} // 1;

# Clients with NICs of their own, the NICs of each, and the changes that each
# must have been told of before the crash comes.
use constant CLIENTS => 4;
use constant NICS => 2000;
use constant CHANGES => 150;

# Networks that one client puts NICs on while another removes them, and how
# often each of them must have had its way by then.
use constant NETWORKS => 300;
use constant WON => 25;

my $node = PostgreSQL::Test::Cluster->new('main');
$node->init;
$node->append_conf(
	'postgresql.conf', q(
restart_after_crash = on
max_prepared_transactions = 10
max_connections = 40
checkpoint_timeout = 30s
));
$node->start;
$node->safe_psql(
	'postgres', q(
	CREATE EXTENSION vmnet_ext;
	SELECT vmnet.create_inventory('cloud');));

my $tmp = PostgreSQL::Test::Utils::tempdir;
my $amcheck = $node->safe_psql('postgres', q(SELECT count(*) FROM pg_available_extensions WHERE name = 'amcheck'));
$node->safe_psql('postgres', 'CREATE EXTENSION amcheck') if $amcheck;

#
# The load.  Client c of a round works on NICs that nobody else touches, one
# change after another, so that what it was told says what must be there.
# Every NIC goes through a life of its own; the last change of each life is a
# removal for two of three.  A change is told by the NIC's id and what it is
# now, printed by psql when the server has said that it is committed.  Who is
# through waits for the crash.
#
my $wait = 'SELECT pg_sleep(1000);';
my @lives = (
	[qw(Allocated Reserving Reserved Releasing Allocated removed)],
	[qw(Allocated Reserving Reserved)],
	[qw(Allocated Reserving Allocated Deallocating removed)]);

sub life_of
{
	my ($nic) = @_;
	return @{ $lives[ $nic % @lives ] };
}

sub change_sql
{
	my ($nic, $step, $network, $instance) = @_;
	my ($before, $now) = ((undef, life_of($nic))[ $step, $step + 1 ]);

	return "INSERT INTO cloud.nics (id, instance_id, network_id) VALUES ($nic, $instance, $network) RETURNING id || ' ' || state;"
	  if $step == 0;
	return "UPDATE cloud.all_nics SET removed = now() WHERE id = $nic RETURNING id || ' removed';"
	  if $now eq 'removed' && $before eq 'Deallocating';
	return "DELETE FROM cloud.nics WHERE id = $nic RETURNING id || ' removed';" if $now eq 'removed';
	return "UPDATE cloud.nics SET state = '$now' WHERE id = $nic RETURNING id || ' ' || state;";
}

sub write_script
{
	my ($name, @lines) = @_;
	my $file = "$tmp/$name.sql";
	open my $script, '>', $file or die "$file: $!";
	print $script join("\n", @lines), "\n";
	close $script;
	return $file;
}

# The changes of a client, in order: [nic, step].
sub client_changes
{
	my ($base) = @_;
	return map {
		my $nic = $base + $_;
		map { [ $nic, $_ ] } 0 .. life_of($nic) - 1
	} 1 .. NICS;
}

sub start_client
{
	my ($name, @lines) = @_;
	my $client = { name => $name, out => '', err => '' };
	local %ENV = (%ENV, PGHOST => $node->host, PGPORT => $node->port);

	$client->{run} = IPC::Run::start(
		[ 'psql', '-X', '-q', '-A', '-t', '-f', write_script($name, @lines), 'postgres' ],
		'<', \undef, '>', \$client->{out}, '2>', \$client->{err},
		IPC::Run::timeout($PostgreSQL::Test::Utils::timeout_default));
	return $client;
}

sub start_load
{
	my ($round) = @_;
	my $first = $round * 1_000_000;

	# Networks and instances of the round; ids say whose they are.
	$node->safe_psql(
		'postgres', qq(
		INSERT INTO cloud.networks (id) SELECT $first + n FROM generate_series(0, ${\NETWORKS}) n;
		INSERT INTO cloud.instances (id)
			SELECT $first + c * 100000 + n FROM generate_series(1, ${\CLIENTS}) c, generate_series(1, ${\NICS}) n
			UNION ALL SELECT $first + n FROM generate_series(1, ${\NETWORKS}) n;));

	my @clients;
	for my $c (1 .. CLIENTS)
	{
		my $base = $first + $c * 100_000;
		my $client = start_client(
			"client_${round}_$c",
			(map { change_sql(@$_, $first, $_->[0]) } client_changes($base)), $wait);
		$client->{base} = $base;
		$client->{changes} = [ client_changes($base) ];
		push @clients, $client;
	}

	# The racers go through the same networks, each in an order of its own, so
	# that each comes first to about half of them.  A few each has for itself.
	my @networks = map { $first + $_ } 1 .. NETWORKS;
	my @to_add = splice @networks, 0, WON;
	my @to_remove = splice @networks, 0, WON;
	push @clients,
	  start_client(
		"adder_$round",
		(map { "INSERT INTO cloud.nics (id, instance_id, network_id) VALUES ($_, $_, $_) RETURNING id || ' ' || state;" } @to_add, shuffle(@networks)),
		$wait),
	  start_client(
		"remover_$round",
		(map { "UPDATE cloud.networks SET removed = now() WHERE id = $_ RETURNING 'network ' || id;" } @to_remove, shuffle(@networks)),
		$wait);
	return @clients;
}

# Waits until every client with NICs of its own has been told of enough.
sub wait_for_changes
{
	my (@clients) = @_;
	for my $tries (1 .. 100 * $PostgreSQL::Test::Utils::timeout_default)
	{
		$_->{run}->pump_nb for @clients;
		return 1 if !grep { ($_->{out} =~ tr/\n//) < ($_->{changes} ? CHANGES : WON) } @clients;
		usleep(10_000);
	}
	return 0;
}

sub finish_clients
{
	my (@clients) = @_;
	$_->{run}->finish for @clients;
	return;
}

#
# What must be there.
#
sub check_changes
{
	my ($what, @clients) = @_;
	local $Test::Builder::Level = $Test::Builder::Level + 1;

	my %nic = map { split / /, $_, 2 } split /\n/, $node->safe_psql(
		'postgres', q(SELECT id || ' ' || CASE WHEN removed IS NULL THEN state ELSE 'removed' END FROM cloud.all_nics));
	my %network = map { $_ => 1 } split /\n/, $node->safe_psql('postgres', 'SELECT id FROM cloud.all_networks WHERE removed IS NOT NULL');
	my ($told, $ahead) = (0, 0);
	my @wrong;

	for my $client (@clients)
	{
		my @lines = split /\n/, $client->{out};
		$told += @lines;

		if (!$client->{changes})
		{
			push @wrong, grep { !(/^network (\d+)$/ ? $network{$1} : /^(\d+) (\w+)$/ && ($nic{$1} // '') eq $2) } @lines;
			next;
		}

		# Told of the first so many of its changes, all of them in order.
		my @changes = @{ $client->{changes} };
		my @expected = map { "$_->[0] " . (life_of($_->[0]))[ $_->[1] ] } @changes[ 0 .. $#lines ];
		push @wrong, "$client->{name} was told of other things" if "@lines" ne "@expected";

		my %last = map { split / / } @expected;
		my ($next, $step) = @{ $changes[@lines] // [ 0, 0 ] };
		for my $id (sort { $a <=> $b } keys %last)
		{
			my $is = $nic{$id} // 'missing';
			next if $is eq $last{$id};

			# The change that was under way may be there without a word.
			if ($id == $next && $is eq (life_of($id))[$step])
			{
				$ahead++;
				next;
			}
			push @wrong, "NIC $id is $is, not $last{$id}";
		}
		push @wrong, map { "NIC $_ is there, of which nobody was told" }
		  grep { $_ > $client->{base} && $_ <= $client->{base} + NICS && !$last{$_} && $_ != $next } keys %nic;
	}

	is(join("\n", @wrong), '', "$what: every change that a client was told of is there, and no other");
	note "$told changes were told, $ahead more were made";
	return;
}

sub check_server
{
	my ($what) = @_;
	local $Test::Builder::Level = $Test::Builder::Level + 1;

	is(broken_rules($node, 'postgres', 'cloud'), '', "$what: no rule is broken");
  SKIP:
	{
		skip 'amcheck is not installed', 1 unless $amcheck;
		is( $node->safe_psql(
				'postgres', q(
				SELECT bt_index_check(i.indexrelid, true) FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid WHERE c.relnamespace = 'cloud'::regnamespace;
				SELECT c.relname, v.* FROM pg_class c, verify_heapam(c.oid) v WHERE c.relnamespace = 'cloud'::regnamespace AND c.relkind = 'r')) =~ s/\s//gr,
			'',
			"$what: tables and indexes agree");
	}
	is( $node->safe_psql(
			'postgres', q(
			SELECT count(*) FROM cloud.networks w
			WHERE vmnet.network_active_instance_count(w.id) <> (
				SELECT count(DISTINCT instance_id) FROM cloud.all_nics n JOIN cloud.all_instances i ON i.id = n.instance_id
				WHERE n.network_id = w.id AND n.removed IS NULL AND n.state <> 'Deallocating' AND i.removed IS NULL))),
		0,
		"$what: reads count what is there");
	return;
}

# The racers are refused for the reason that holds, and for no other.
sub check_races
{
	my ($what, @clients) = @_;
	local $Test::Builder::Level = $Test::Builder::Level + 1;
	my %reason = (
		adder => qr/cannot add a NIC to network \d+, which has been removed/,
		remover => qr/cannot remove network \d+: NICs are left on it/);

	for my $client (grep { !$_->{changes} } @clients)
	{
		my ($racer) = $client->{name} =~ /^([a-z]+)/;
		my @refused = grep { /ERROR:/ } split /\n/, $client->{err};
		is(join("\n", grep { !/$reason{$racer}/ } @refused), '', "$what: the $racer was refused for one reason alone");
		note sprintf '%s: %d done, %d refused', $racer, $client->{out} =~ tr/\n//, scalar @refused;
	}
	return;
}

# Makes the server fail, waits until its clients know, and has it work again.
sub crash
{
	my ($how, @clients) = @_;

	if ($how eq 'backend killed')
	{
		my $pid = $node->safe_psql('postgres',
			q(SELECT pid FROM pg_stat_activity WHERE backend_type = 'client backend' AND query ~ 'cloud' AND pid <> pg_backend_pid() LIMIT 1));
		kill('KILL', $pid) == 1 or die "cannot kill $pid";
		finish_clients(@clients);
		$node->poll_query_until('postgres', 'SELECT true') or die 'the server did not come back';
		return;
	}

	if ($how eq 'immediate stop')
	{
		$node->stop('immediate');
		finish_clients(@clients);
		$node->start;
		return;
	}

	# What a killed postmaster shared is free only when the last of its
	# processes has noticed.
	my ($postmaster) = slurp_file($node->data_dir . '/postmaster.pid') =~ /^(\d+)/;
	$node->kill9;
	finish_clients(@clients);
	for my $tries (1 .. 100)
	{
		usleep(100_000);
		next if kill(0, $postmaster);
		return if $node->start(fail_ok => 1);
	}
	die 'the server did not come back';
}

my $number = 0;
for my $round (1 .. $rounds)
{
	for my $crash ('backend killed', 'postmaster killed', 'immediate stop')
	{
		my $what = $rounds == 1 ? $crash : "$crash $round";
		my @clients = start_load(++$number);
		ok(wait_for_changes(@clients), "$what: clients are at work");
		crash($crash, @clients);
		is(scalar(grep { $_->{err} !~ /server closed the connection|connection to server was lost/ } @clients), 0, "$what: all of them lost their server");
		check_changes($what, @clients);
		check_server($what);
		check_races($what, @clients);
	}
}

#
# Prepared transactions.
#
sub outcome
{
	my ($statement) = @_;
	my ($status, $stdout, $stderr) = $node->psql('postgres', "SET lock_timeout = '100ms'; $statement",
		extra_params => [ '-q', '-v', 'VERBOSITY=verbose' ]);
	return 'done' if $status == 0;
	my ($state) = $stderr =~ /ERROR:  (\w{5}):/;
	my ($constraint) = $stderr =~ /^CONSTRAINT NAME:  (\w+)/m;
	return join ' ', grep { defined } $state // $stderr, $constraint;
}

my $networks = 90_000_000;
$node->safe_psql(
	'postgres', qq(
	INSERT INTO cloud.networks (id) SELECT $networks + n FROM generate_series(1, 6) n;
	INSERT INTO cloud.instances (id) SELECT $networks + n FROM generate_series(1, 6) n;

	-- A NIC on network 1, of an instance whose default it is, and one on 2.
	BEGIN;
	INSERT INTO cloud.nics (id, instance_id, network_id) VALUES ($networks + 1, $networks + 1, $networks + 1);
	PREPARE TRANSACTION 'added';
	BEGIN;
	INSERT INTO cloud.nics (id, instance_id, network_id, default_nic) VALUES ($networks + 2, $networks + 2, $networks + 2, true);
	PREPARE TRANSACTION 'given up';

	-- Network 3 removed.
	BEGIN;
	UPDATE cloud.networks SET removed = now() WHERE id = $networks + 3;
	PREPARE TRANSACTION 'removed';

	-- The NIC of network 4 removed.
	INSERT INTO cloud.nics (id, instance_id, network_id) VALUES ($networks + 4, $networks + 4, $networks + 4);
	BEGIN;
	DELETE FROM cloud.nics WHERE id = $networks + 4;
	PREPARE TRANSACTION 'nic removed';));

for my $when ('before a stop', 'after it')
{
	is(outcome("UPDATE cloud.networks SET removed = now() WHERE id = $networks + 1"), '55P03', "$when, a prepared NIC holds back the removal of its network");
	is(outcome("UPDATE cloud.instances SET removed = now() WHERE id = $networks + 1"), '55P03', "$when, and of its instance");
	is(outcome("UPDATE cloud.networks SET removed = now() WHERE id = $networks + 2"), '55P03', "$when, also where it says that it is the default");
	is(outcome("INSERT INTO cloud.nics (instance_id, network_id, default_nic) VALUES ($networks + 5, $networks + 3, true)"), '55P03', "$when, a prepared removal holds back a NIC");
	is(outcome("UPDATE cloud.networks SET removed = now() WHERE id = $networks + 4"), '23503 network_in_use', "$when, a NIC whose removal is prepared is still there");
	is(outcome("BEGIN; UPDATE cloud.networks SET removed = now() WHERE id = $networks + 6; ROLLBACK"), 'done', "$when, another network can be removed");
	is($node->safe_psql('postgres', "SELECT count(*) FROM cloud.nics WHERE id IN ($networks + 1, $networks + 2)"), 0, "$when, a prepared NIC is not seen");
	if ($when eq 'before a stop')
	{
		$node->stop('immediate');
		$node->start;
	}
}

$node->safe_psql(
	'postgres', q(
	COMMIT PREPARED 'added';
	ROLLBACK PREPARED 'given up';
	COMMIT PREPARED 'removed';
	COMMIT PREPARED 'nic removed';));
is($node->safe_psql('postgres', "SELECT id - $networks, state, default_nic FROM cloud.nics WHERE id BETWEEN $networks + 1 AND $networks + 6"),
	'1|Allocated|t', 'what was prepared is there once it is committed');
is(outcome("UPDATE cloud.networks SET removed = now() WHERE id = $networks + 1"), '23503 network_in_use', 'a committed NIC keeps its network');
is(outcome("UPDATE cloud.networks SET removed = now() WHERE id = $networks + 2"), 'done', 'one that was given up does not');
is(outcome("INSERT INTO cloud.nics (instance_id, network_id, default_nic) VALUES ($networks + 5, $networks + 3, true)"), '23503 nic_parent_active', 'a committed removal refuses a NIC');
is(outcome("UPDATE cloud.networks SET removed = now() WHERE id = $networks + 4"), 'done', 'with its NIC removed, a network can be removed');
check_server('in the end');

# A crash of ours would be in the log, too.
my $log = slurp_file($node->logfile);
is(scalar(() = $log =~ /was terminated by signal (?!9\b)/g), 0, 'no backend crashed of itself');
unlike($log, qr/TRAP:|ERROR:  XX|PANIC/, 'nor failed in a way that cannot be');

$node->stop;
done_testing();
