# The model of locks in test/model/locks: spin finds no error in it, and finds one
# in each mutant, in which a rule of the code is broken.
#
# LOCK_MODEL_FULL=1 also explores two transactions a session: 59 million states,
# 5 GB, about two minutes.

use strict;
use warnings FATAL => 'all';

use Cwd qw(abs_path);
use IPC::Run;
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

my ($states, $errors, $error) = explore();
is("$errors $error", '0 ', 'no removed parent of a held NIC, no duplicate, no deadlock');
cmp_ok($states, '>=', 1_000_000, "at least 1 million states ($states)");
($states, $errors) = explore('IMPORT');
is($errors, 0, 'a reader never sees half of what an import applies');
if ($ENV{LOCK_MODEL_FULL})
{
	($states, $errors, $error) = explore('TRANSACTIONS=2');
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

done_testing();
