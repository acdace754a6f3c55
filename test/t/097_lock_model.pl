# The model of locks in test/model/locks: spin finds no error in it, and finds one
# in each mutant, in which a rule of the code is broken.  Schedules that spin
# chooses are run by the server too, which has to do what the model says.
#
# LOCK_MODEL_FULL=1 also explores two transactions a session: about 70 million
# states, 6 GB, some minutes.  LOCK_MODEL_SCHEDULES is the number of schedules,
# LOCK_MODEL_SEED the seed of the first one.

use strict;
use warnings FATAL => 'all';

use Cwd qw(abs_path);
use IPC::Run;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $model = abs_path('test/model/locks/locks.pml');
my $spin = (grep { -x "$_/spin" } split /:/, $ENV{PATH})[0];
plan(skip_all => 'spin is not there (Debian: spin)') unless $spin;

# Runs a command in a folder; returns whether it succeeded, and what it printed.
sub run_in
{
	my ($dir, @command) = @_;
	my $output = '';
	my $success = IPC::Run::run(\@command, '>', \$output, '2>&1', init => sub { chdir $dir or die "chdir: $!" });

	return ($success, $output);
}

# The same for a command that has to succeed.
sub run_ok
{
	my ($success, $output) = run_in(@_);

	die "@_: $output" unless $success;
	return;
}

# Explores the model with macros; returns the number of states, the number of
# errors, and the first error.
sub explore
{
	my (@macros) = @_;
	my $dir = PostgreSQL::Test::Utils::tempdir();

	run_ok($dir, 'spin', '-a', (map { "-D$_" } @macros), $model);
	run_ok($dir, 'cc', '-O2', '-w', '-DSAFETY', '-DCOLLAPSE', '-DVECTORSZ=2048', '-o', 'pan', 'pan.c');
	my (undef, $output) = run_in($dir, "$dir/pan", '-m200000');
	my ($states) = $output =~ /(\d+) states, stored/;
	my ($errors) = $output =~ /errors: (\d+)/;
	my ($error) = $output =~ /^pan:1: (assertion violated|invalid end state)/m;

	die "pan: $output" unless defined $errors;
	die "the search is not complete: $output" if !$errors && $output =~ /not completed|max search depth/;
	return ($states, $errors, $error // '');
}

my ($states, $errors, $error) = explore('FOREIGN_KEYS');
is("$errors $error", '0 ', 'no removed parent of a held NIC, no duplicate, no deadlock');
cmp_ok($states, '>=', 1_000_000, "at least 1 million states ($states)");
($states, $errors, $error) = explore();
is("$errors $error", '0 ', "the same without the locks of foreign keys ($states states)");
($states, $errors) = explore('IMPORT');
is($errors, 0, 'a reader never sees half of what an import applies');
if ($ENV{LOCK_MODEL_FULL})
{
	($states, $errors, $error) = explore('FOREIGN_KEYS', 'TRANSACTIONS=2');
	is("$errors $error", '0 ', "the same with two transactions a session ($states states)");
}

# What each mutant leaves out or turns round, and what spin has to find.
my $lost = 'assertion violated';
my $deadlock = 'invalid end state';
my @mutants = (
	[ $lost, 'a new NIC does not lock its network', 'M_NO_NETWORK_LOCK' ],
	[ $lost, 'a new NIC does not lock its instance', 'M_NO_INSTANCE_LOCK' ],
	[ $lost, 'its locks end with the statement', 'M_LOCK_TILL_END_OF_STATEMENT' ],
	[ $lost, 'it looks at its parents before it locks them', 'M_LOOK_BEFORE_LOCK' ],
	[ $lost, 'it looks at its network with the snapshot of the transaction', 'M_OLD_SNAPSHOT' ],
	[ $lost, 'a removal does not lock its row FOR UPDATE', 'M_NO_REMOVAL_LOCK' ],
	[ $lost, 'a removal looks for NICs before it locks', 'M_LOOK_BEFORE_REMOVAL_LOCK' ],
	[ $lost, 'a removal looks for NICs with the snapshot of the transaction', 'M_REMOVAL_OLD_SNAPSHOT' ],
	[ $lost, 'a half-removed NIC does not hold its parents', 'M_HALF_REMOVED_IS_GONE' ],
	[ $lost, 'a secondary address does not lock its NIC', 'M_NO_SHARE_LOCK' ],
	[ $lost, 'a removal of a NIC looks for addresses with the snapshot of the transaction', 'M_SECONDARY_OLD_SNAPSHOT' ],
	[ $lost, 'there is no unique index', 'M_NO_UNIQUE_INDEX' ],
	[ $lost, 'an import applies its changes in two transactions', 'IMPORT', 'M_IMPORT_IN_TWO' ],
	[ $deadlock, 'a change of default locks NICs in another order, and not the instance',
		'M_NIC_ORDER_TURNED', 'M_NO_DEFAULT_LOCK' ],
);

foreach my $mutant (@mutants)
{
	my ($expected, $what, @macros) = @$mutant;

	(undef, undef, $error) = explore(@macros);
	is($error, $expected, "refused: $what");
}

# What each of these leaves out is not needed for the rules above: another lock
# or the unique index is enough.
foreach my $macro ('M_NO_DEFAULT_LOCK', 'M_NIC_ORDER_TURNED', 'M_ORDER_TURNED')
{
	(undef, $errors) = explore($macro);
	is($errors, 0, "not needed: $macro");
}

#
# Conformance
#

# What a statement of the model is in SQL, on a network or NIC.
my %sql = (
	insert_default => q{INSERT INTO lab.all_nics (id, instance_id, network_id, default_nic) VALUES (3 + {session}, 1, {which}, true)},
	insert_other => q{INSERT INTO lab.all_nics (id, instance_id, network_id, default_nic) VALUES (3 + {session}, 1, {which}, false)},
	insert_first => q{INSERT INTO lab.all_nics (id, instance_id, network_id) VALUES (3 + {session}, 1, {which})},
	nic_add_mac => q{SELECT vmnet.nic_add(1, {which}, mac => '02:00:00:00:00:0{session}') > 0},
	nic_add => q{SELECT vmnet.nic_add(1, {which}) > 0},
	move => q{UPDATE lab.all_nics SET state = 'Releasing' WHERE id = {which}},
	half_remove => q{UPDATE lab.all_nics SET state = 'Deallocating' WHERE id = {which}},
	remove => q{UPDATE lab.all_nics SET state = 'Deallocating', removed = now() WHERE id = {which}},
	remove_network => q{UPDATE lab.all_networks SET removed = now() WHERE id = {which}},
	remove_instance => q{UPDATE lab.all_instances SET removed = now() WHERE id = 1},
	network_remove => q{SELECT vmnet.network_remove({which})},
	instance_expunge => q{SELECT vmnet.instance_expunge(1)},
	nic_remove => q{SELECT vmnet.nic_remove({which}, force => true)},
	nic_set_default => q{SELECT vmnet.nic_set_default({which}) > 0},
	insert_secondary => q{INSERT INTO lab.nic_secondary_ips (nic_id, network_id, ip4_address) VALUES ({which}, {which}, '10.0.0.1{session}')},
);

# The states of NICs 1 and 2 at the start.
my @starts = ([ 'Reserved', 'Reserved' ], [ 'Reserved', 'Deallocating' ], [ 'Deallocating', 'removed' ]);

# Makes a schedule by simulation of the model: the steps, what each statement ends
# with (0 good, 1 refused, 2 40001), and the rows at the end.
sub schedule
{
	my ($seed) = @_;
	my (undef, $output) = run_in('.', 'spin', '-T', "-n$seed", '-DCONFORM', '-DFOREIGN_KEYS', $model);
	my (@steps, %result, @rows, @nics, %secondary);

	foreach (split /\n/, $output)
	{
		push @steps, "start$1" if /^\s*start (\d)/;
		push @steps, "b$1$2" if /^\s*begin (\d) (\w+)/;
		push @steps, "s$1_$2_$3" if /^\s*statement (\d) (\w+) (\d)/;
		$result{$1} = $2 if /^\s*done (\d) (\d)/;
		push @steps, ($2 eq 'commit' ? 'c' : 'r') . $3 if /^\s*((commit|rollback) (\d))/;
		$rows[$1] = $2 if /^\s*row (\d+) (\d)/;
		push @nics, [ $1, $2, $3 ] if /^\s*nic (\d) (\d) (\d)/;
		$secondary{$1} = $2 if /^\s*secondary (\d) (\d)/;
	}
	die "no schedule: $output" unless @rows == 9;

	my @are = map { $_->[1] + 1 . ':' . $rows[ 3 + $_->[0] ] . ($rows[ 3 + $_->[0] ] == 1 && $_->[2] ? 'd' : '') }
		grep { $rows[ 3 + $_->[0] ] } @nics;
	my @addresses = map { $secondary{$_} + 1 . ':' . $rows[ 7 + $_ ] } grep { $rows[ 7 + $_ ] } sort keys %secondary;
	return {
		seed => $seed, steps => \@steps, results => "$result{0} $result{1}",
		rows => join(' ', @rows[ 0 .. 2 ], sort(@are), '/', sort(@addresses)) };
}

# The input of isolationtester for schedules.
sub spec
{
	my (@schedules) = @_;
	my $spec = "setup { SELECT; }\n";

	foreach my $session (0, 1)
	{
		$spec .= "session p$session\nsetup { SET vmnet.inventory = 'lab'; }\n"
			. "step b${session}rc { BEGIN ISOLATION LEVEL READ COMMITTED; }\n"
			. "step b${session}rr { BEGIN ISOLATION LEVEL REPEATABLE READ; DO 'BEGIN END'; }\n"
			. "step c$session { COMMIT; }\nstep r$session { ROLLBACK; }\n";
		foreach my $name (sort keys %sql)
		{
			foreach my $choice (0, 1)
			{
				my $which = $choice + 1;

				$spec .= "step s${session}_${name}_$choice { "
					. ($sql{$name} =~ s/\{session\}/$session/gr =~ s/\{which\}/$which/gr) . "; }\n";
			}
		}
	}
	$spec .= "session k\n";
	$spec .= "step start$_ { SELECT iso.start('$starts[$_][0]', '$starts[$_][1]'); }\n" foreach 0 .. 2;
	$spec .= "step look { SELECT iso.look(); }\n";
	$spec .= 'permutation ' . join(' ', @{ $_->{steps} }, 'look') . "\n" foreach @schedules;
	return $spec;
}

# What the server did: results and rows of each permutation, as schedule() has them.
sub outcomes
{
	my ($output) = @_;
	my @outcomes;

	foreach my $run (split /^starting permutation: /m, $output)
	{
		my %result = (0 => 0, 1 => 0);
		my $session = '';

		next unless $run =~ /^start/;
		foreach (split /\n/, $run)
		{
			$session = $1 if /^step (?:s|c|r|b)(\d)/;
			$result{$session} = /could not serialize access/ ? 2 : /deadlock|canceling/ ? 9 : 1 if /^ERROR:/;
		}
		my ($rows) = $run =~ /^(rows .*?)\s*$/m;
		push @outcomes, [ "$result{0} $result{1}", substr($rows // 'rows none', 5), $run ];
	}
	return @outcomes;
}

my $node = PostgreSQL::Test::Cluster->new('model');
$node->init;
$node->append_conf('postgresql.conf', 'fsync = off');
$node->start;
$node->safe_psql('postgres', q{CREATE EXTENSION vmnet_ext; SELECT vmnet.create_inventory('lab'); CREATE SCHEMA iso;
	CREATE FUNCTION iso.start(text, text) RETURNS void LANGUAGE sql SET session_replication_role = replica AS $$
		TRUNCATE lab.all_networks, lab.all_instances, lab.all_nics, lab.all_nic_secondary_ips RESTART IDENTITY;
		INSERT INTO lab.all_networks (id, name) VALUES (1, 'one'), (2, 'two');
		INSERT INTO lab.all_instances (id, name) VALUES (1, 'it');
		INSERT INTO lab.all_nics (id, instance_id, network_id, state, default_nic, device_id, removed)
		VALUES (1, 1, 1, $1, true, 0, NULL),
			(2, 1, 2, CASE $2 WHEN 'removed' THEN 'Deallocating' ELSE $2 END, false, 1, CASE $2 WHEN 'removed' THEN now() END);
		SELECT setval('lab.all_nics_id_seq', 10)
	$$;
	CREATE FUNCTION iso.look() RETURNS text LANGUAGE sql AS $$
		SELECT format('rows %s %s %s / %s',
			(SELECT string_agg(CASE WHEN removed IS NULL THEN '1' ELSE '3' END, ' ' ORDER BY id) FROM lab.all_networks),
			(SELECT CASE WHEN removed IS NULL THEN 1 ELSE 3 END FROM lab.all_instances),
			(SELECT string_agg(t, ' ' ORDER BY t COLLATE "C") FROM (SELECT format('%s:%s', network_id,
				CASE WHEN removed IS NOT NULL THEN '3' WHEN state = 'Deallocating' THEN '2' WHEN default_nic THEN '1d' ELSE '1' END)
				FROM lab.all_nics) n (t)),
			(SELECT string_agg(t, ' ' ORDER BY t COLLATE "C") FROM (SELECT format('%s:%s', nic_id,
				CASE WHEN removed IS NULL THEN 1 ELSE 3 END) FROM lab.all_nic_secondary_ips) s (t)))
	$$});

my $first = $ENV{LOCK_MODEL_SEED} // 1;
my $number = $ENV{LOCK_MODEL_SCHEDULES} // 100;
note("schedules of seeds $first to " . ($first + $number - 1));
my @schedules = map { schedule($_) } $first .. $first + $number - 1;
my (undef, $pgxs) = run_in('.', $ENV{PG_CONFIG} // 'pg_config', '--pgxs');
my $isolationtester = $pgxs =~ s{makefiles/pgxs\.mk\s*$}{test/isolation/isolationtester}r;
my ($spec, $output) = (spec(@schedules), '');
$ENV{PGISOLATIONTIMEOUT} //= 120;    # a session that waits where the model says that it does not
IPC::Run::run([ $isolationtester, $node->connstr('postgres') ], '<', \$spec, '>', \$output, '2>&1');
my @outcomes = outcomes($output);
is(scalar @outcomes, $number, 'the server ran all schedules') or diag(substr($output, -2000));

my @wrong;
foreach my $i (0 .. $#outcomes)
{
	my ($schedule, $outcome) = ($schedules[$i], $outcomes[$i]);

	$schedule->{rows} =~ s/\s+$//;
	next if $outcome->[0] eq $schedule->{results} && $outcome->[1] eq $schedule->{rows};
	push @wrong, "seed $schedule->{seed}: the model says $schedule->{results}, $schedule->{rows}; the server "
		. "$outcome->[0], $outcome->[1]\n$outcome->[2]";
}
is(scalar @wrong, 0, 'it does what the model says');
diag($_) foreach @wrong[ 0 .. ($#wrong < 2 ? $#wrong : 2) ];
my %met;
$met{$_}++ foreach map { @{ $_->{steps} } } @schedules;
cmp_ok(scalar(grep { /^s/ } keys %met), '>=', 30, 'schedules are of many kinds');
cmp_ok(scalar(grep { $_->[2] =~ /<waiting/ } @outcomes), '>', 0, 'in some, a session waits');

done_testing();
