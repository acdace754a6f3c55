# README.md, CONTRIBUTING.md and doc/*.md: each page is run as one sequence, in the
# database that it names, and its output is compared; links resolve.
#
# pg_regress cannot do it: the blocks stand in documents, and some of them are
# shell commands, or settings of a database that the next block connects to.
use strict;
use warnings;

use lib 'test/t';
use Cwd qw(abs_path getcwd);
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

use Pages;

# Blocks that no test runs, by page: they install software or run for minutes.
# test/t/020_pages.pl parses them, and asks make for the targets that they name.
my %not_run = ('README.md' => 2, 'CONTRIBUTING.md' => 4, 'doc/cloudstack.md' => 1);

# Places that the pages name, and what stands for them here.
my $elsewhere = PostgreSQL::Test::Utils::tempdir();
my $top = getcwd();
my @places = (
	[ qr{/var/tmp/cs\b}, "$top/test/data/cloudstack-4.19" ],
	[ qr{/var/www/}, "$elsewhere/" ]);

my $node = PostgreSQL::Test::Cluster->new('pages');
$node->init;
$node->append_conf('postgresql.conf', "TimeZone = 'UTC'");
$node->start;
local %ENV = (%ENV, PGHOST => $node->host, PGPORT => $node->port);
delete $ENV{PGDATABASE};

# pg_partman as Debian 12 has it, which test.sh installs for its PostgreSQL; its
# functions are others from release 5 on.
my $has_partman = $node->safe_psql('postgres',
	"SELECT count(*) FROM pg_available_extensions WHERE name = 'pg_partman' AND default_version LIKE '4.%'");
is($has_partman, 1, 'pg_partman is there') if $node->pg_version < 16;

# Shell blocks run in a folder that has what the tree has, and takes what they write.
my $folder = "$elsewhere/tree";
mkdir $folder or die "$folder: $!";
symlink "$top/$_", "$folder/$_" or die "$_: $!" foreach glob '*';

sub check_not_run
{
	my ($block, $name) = @_;

	is((Pages::output_of('/dev/null', 'bash', '-n', '-c', $block->{text}))[0], '', "$name is a shell script");
	foreach my $target ($block->{text} =~ /^(?:sudo )?make +([a-z-]+)(?=\s)/mg)
	{
		is((Pages::output_of('/dev/null', 'make', '-n', $target))[1], 0, "$name: make knows $target");
	}
}

sub check_sh
{
	my ($block, $name) = @_;
	my $text = $block->{text};

	$text =~ s/$_->[0]/$_->[1]/g foreach @places;
	chdir $folder or die "$folder: $!";
	my ($output, $status) = Pages::run_sh($text);
	chdir $top or die "$top: $!";
	is($status, $block->{status} // 0, "$name ends as it should") or diag($output);
	if (defined $block->{expected})
	{
		is($output, $block->{expected}, "$name prints what the page says");
	}
	else
	{
		ok(!Pages::has_error($output), "$name has no error") or diag($output);
	}
}

sub check_sql
{
	my ($block, $name) = @_;
	my $output = Pages::run_sql($block->{database}, $block->{text});

	if (defined $block->{expected})
	{
		is($output, $block->{expected}, "$name prints what the page says");
	}
	else
	{
		ok(!Pages::has_error($output), "$name has no error") or diag($output);
	}
}

# Databases and roles that a page has made are gone when the next begins.
sub clean_up
{
	my $roles = q(SELECT rolname FROM pg_roles WHERE oid >= 16384);
	my $databases = q(SELECT datname FROM pg_database WHERE datname !~ '^(template|postgres$)');

	$node->safe_psql('postgres', "DROP DATABASE $_") foreach split /\n/, $node->safe_psql('postgres', $databases);
	$node->safe_psql('postgres', "DROP ROLE $_") foreach split /\n/, $node->safe_psql('postgres', $roles);
}

foreach my $page (Pages::pages())
{
	my %not_run_here;

	foreach my $block (Pages::blocks($page))
	{
		my $name = "$page, block in line $block->{line},";

		if (defined $block->{run_by})
		{
			ok(-e $block->{run_by} && slurp_file($block->{run_by}) =~ /\bPages::|doc\/generate/, "$name is run by $block->{run_by}");
		}
		elsif (defined $block->{not_run})
		{
			$not_run_here{$page}++;
			check_not_run($block, $name);
		}
		elsif ($block->{kind} eq 'sh')
		{
			check_sh($block, $name);
		}
		elsif ($block->{kind} eq 'sql')
		{
			next if $block->{text} =~ /partman/ && !$has_partman;
			ok(defined $block->{database}, "$name has a database that the page names") or next;
			check_sql($block, $name);
		}
		else
		{
			fail("$name is neither SQL nor shell: which test runs it?");
		}
	}
	is($not_run_here{$page} // 0, $not_run{$page} // 0, "$page: as many blocks as test/t/020_pages.pl knows of are not run");
	clean_up();
}

# Links, and paths of the tree that a text names.
foreach my $page (Pages::pages(), 'SECURITY.md', 'CHANGELOG.md', glob 'src/*.md')
{
	my @broken;

	foreach my $link (Pages::links($page))
	{
		my ($target, $anchor) = @$link;
		next if -e $target && (!defined $anchor || grep { $_ eq $anchor } Pages::anchors($target));
		push @broken, $target . (defined $anchor ? "#$anchor" : '');
	}
	is_deeply(\@broken, [], "$page: every link resolves");
}
my %linked = map { $_->[0] => 1 } Pages::links('README.md');
is_deeply([ grep { !$linked{$_} } grep { $_ ne 'README.md' } Pages::pages() ], [], 'the README links to every page');
foreach my $page ('README.md', 'CONTRIBUTING.md')
{
	next if !-e $page;
	my @named = slurp_file($page) =~ m{`((?:doc|test|contrib|sql|src)/[\w./-]*\w)}g;
	is_deeply([ grep { !/\bNAME\b/ && !-e } @named ], [], "$page: every file that it names is there");
}

$node->stop;
done_testing();
