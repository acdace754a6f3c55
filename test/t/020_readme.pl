# The README, doc/concepts.md and doc/recipes.md: every SQL block is run, and its
# output compared.
#
# pg_regress cannot do it: the blocks stand in a document, and some of them are
# settings of a database that the next block connects to.
use strict;
use warnings;

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

# Blocks of a document, in order: [database, SQL, line, output or undef].
# "<!-- database: x -->" says in which database the blocks below it run; a block
# below "<!-- ... run by ... -->" needs another server, and is run by that test.
sub blocks_of
{
	my $file = shift;
	my ($database, $kind, $text, $start, $elsewhere, @blocks);

	open(my $fh, '<', $file) or die "$file: $!";
	while (my $line = <$fh>)
	{
		$database = $1 if $line =~ /^<!-- database: (\w+) -->$/;
		$elsewhere = 1 if $line =~ /^<!-- .*\brun by test\/t\/\w+\.pl -->$/;
		if (!defined $kind)
		{
			($kind, $text, $start) = ($1, '', $.) if $line =~ /^```(\w+)$/;
		}
		elsif ($line =~ /^```$/)
		{
			push @blocks, [ $database, $text, $start, undef, $elsewhere ] if $kind eq 'sql';
			$blocks[-1][3] = $text if $kind eq 'text';
			undef $elsewhere if $kind eq 'sql';
			undef $kind;
		}
		else
		{
			$text .= $line;
		}
	}
	return @blocks;
}

# Statements of a block: one ends with a line that ends with a semicolon, outside
# the body of a function.
sub statements_of
{
	my ($sql) = @_;
	my ($inside, @statements) = (0, '');

	foreach my $line (split /(?<=\n)/, $sql)
	{
		$statements[-1] .= $line;
		$inside ^= 1 & (() = $line =~ /\$\$/g);
		push @statements, '' if !$inside && $line =~ /;$/;
	}
	return grep { /\S/ } @statements;
}

my $node = PostgreSQL::Test::Cluster->new('readme');
$node->init;
$node->append_conf('postgresql.conf', "TimeZone = 'UTC'");
$node->start;

# The databases that the documents take for granted.
$node->safe_psql('postgres', "CREATE DATABASE $_") foreach qw(inventory cloudstack concepts recipes_managed);
my $load = qx(contrib/load-cloudstack-dump test/data/cloudstack-4.19 cloudstack);
is($?, 0, 'the loader prints what loads the sample dump');
$node->safe_psql('cloudstack', $load);
$node->safe_psql('postgres', 'CREATE DATABASE recipes TEMPLATE cloudstack');

my @blocks;
foreach my $file (qw(README.md doc/concepts.md doc/recipes.md))
{
	my @here = grep { !$_->[4] } blocks_of($file);
	ok(@here >= 3, "$file has its SQL blocks");
	push @blocks, map { [ @$_[0 .. 3], $file ] } @here;
}

# pg_partman as Debian 12 has it, which test.sh installs for its PostgreSQL; its
# functions are others from release 5 on.
my $has_partman = $node->safe_psql('postgres',
	"SELECT count(*) FROM pg_available_extensions WHERE name = 'pg_partman' AND default_version LIKE '4.%'");
is($has_partman, 1, 'pg_partman is there') if $node->pg_version < 16;

foreach my $block (@blocks)
{
	my ($database, $sql, $line, $expected, $file) = @$block;
	my $output = '';

	next if $sql =~ /partman/ && !$has_partman;

	# What psql prints, errors where they come; notices are not shown.
	IPC::Run::run(
		[
			'psql', '-X', '-v', 'SHOW_CONTEXT=never', '-d', $node->connstr($database),
			'-c', 'SET client_min_messages = warning',
			map { ('-c', $_) } statements_of($sql)
		],
		'>', \$output, '2>&1');
	$output =~ s/^SET\n//;
	if (defined $expected)
	{
		# A DETAIL that a document leaves out, as it holds a uuid, is not compared.
		$output =~ s/^DETAIL:  Failing row.*\n//mg;
		is($output, $expected, "$file, SQL block in line $line");
	}
	else
	{
		unlike($output, qr/ERROR/, "$file, SQL block in line $line");
	}
}

$node->stop;
done_testing();
