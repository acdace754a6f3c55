# make bench at its smallest size: everything that it measures is measured, and the
# page has the form that it promises.  No figure is judged.
#
# pg_regress cannot do it: other servers have to run.
use strict;
use warnings FATAL => 'all';

use Cwd qw(abs_path);
use File::Temp qw(tempdir);
use FindBin;
use Test::More;

my $top = abs_path("$FindBin::RealBin/../..");
my $folder = tempdir(CLEANUP => 1);
my $page = "$top/doc/benchmarks.md";

foreach my $program (qw(/usr/sbin/mariadbd /usr/bin/valgrind))
{
	plan skip_all => "$program is not there (Debian: mariadb-server-core, valgrind)" unless -x $program;
}
foreach my $extension (qw(mysql_fdw periods))
{
	my $sharedir = qx($ENV{PG_CONFIG} --sharedir);

	chomp $sharedir;
	plan skip_all => "$extension is not there for this PostgreSQL" unless -f "$sharedir/extension/$extension.control";
}
plan skip_all => 'DBD::Pg or DBD::MariaDB is not there (Debian: libdbd-pg-perl, libdbd-mariadb-perl)'
  unless eval { require DBD::Pg; require DBD::MariaDB; 1 };

sub content
{
	my ($file) = @_;

	open my $fh, '<', $file or return '';
	local $/;
	return scalar <$fh>;
}

# The tables of a page: lists of rows, which are lists of cells.
sub tables
{
	my @tables;

	foreach my $part (split /\n\n+/, $_[0])
	{
		push @tables, [ map { [ split / \| /, s/^\| | \|$//gr ] } split /\n/, $part ] if $part =~ /^\|/;
	}
	return @tables;
}

# What is wrong with the form of a page.
sub faults
{
	my @faults;

	foreach my $table (tables($_[0]))
	{
		my ($head, $line, @rows) = @$table;
		my @columns = @$head[ 1 .. $#$head ];
		my %base = map { /against (.*)/ ? ($1 => 1) : () } @columns;
		my @figures = grep { !/against/ } @columns;

		push @faults, "$head->[0]: ratios to " . join(', ', sort keys %base) . ', not to one base' if keys %base != 1;
		push @faults, "$head->[0]: no absolute figures" unless grep { /^(instructions|CPU, us)$/ } @figures;
		push @faults, "$head->[0]: no rows" unless @rows;
		push @faults, "$head->[0]: no row has the base's ratio of 1.00" unless grep { grep { $_ eq '1.00' } @$_ } @rows;
		foreach my $row (@rows)
		{
			my ($name, @cells) = @$row;
			push @faults, "$head->[0]: \"$name\" lacks figures"
			  if @cells != @columns || grep { !/^(?:[\d,]+|[\d.]+|-)$/ } @cells;
		}
	}
	return join "\n", @faults;
}

# The checks see what they are for.
like(faults("| a | CPU, us | CPU against b | CPU against c |\n| --- | --: | --: | --: |\n| x | 1 | 1.00 | 1.00 |\n"),
	qr/not to one base/, 'two bases in one table are seen');
like(faults("| a | CPU against b |\n| --- | --: |\n| x | 1.00 |\n"), qr/no absolute figures/, 'ratios without figures are seen');

my $before = content($page);
{
	# private servers are not those of this test
	local %ENV = %ENV;
	delete @ENV{ grep { /^(?:PG(?!_CONFIG)|BENCH_)/ } keys %ENV };
	@ENV{qw(BENCH_SIZE BENCH_OUT BENCH_BEFORE)} = ('toy', "$folder/page.md", $top);
	my $said = qx(sh $top/test/bench.sh 2>&1);
	is($?, 0, 'the bench runs') or diag($said);
}
is(content($page), $before, 'the page of this tree is left alone');

my $written = content("$folder/page.md");
is(faults($written), '', 'every table has absolute figures, and ratios to the base that it names');
like($written, qr/^\| \Q$_\E \|/m, "there is a table of $_")
  foreach 'Listing of 130', 'Count of 130', 'INSERT of one NIC, default_nic said', 'UPDATE of the state of one NIC by key',
  'check_inventory() of a mirror', 'import';
like($written, qr/against \Q$_\E \|/, "something is compared with: $_")
  foreach 'by hand', 'before', 'no removed rows', q(MariaDB with CloudStack's indexes), 'the bare table', 'the faster one by hand';
like($written, qr/^- Machine: .+, \d+ cores, \d+ GB of memory/m, 'the machine is described');
like($written, qr/^- Versions: PostgreSQL \d+.*MariaDB \d+.*valgrind \d+/m, 'so are the versions');
is(faults($before), '', 'the page of this tree has the same form');

done_testing();
