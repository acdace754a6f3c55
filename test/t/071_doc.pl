# What doc/generate makes of the catalogs and of doc/examples is what is in doc/, so
# that the reference, the table of errors and the pictures cannot drift from the
# code; every name of schema vmnet has an example, which is run.
#
# pg_regress cannot do it: files are compared, and a program is run.
use strict;
use warnings FATAL => 'all';

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

use lib 'test/t';
use Pages;

my $node = PostgreSQL::Test::Cluster->new('doc');
$node->init;
$node->start;

# A name without an example, or an example without a name.
$node->safe_psql('postgres', 'CREATE DATABASE names');
$node->safe_psql('names', 'CREATE EXTENSION vmnet_ext');
my @names = split /\n/, $node->safe_psql('names', q(SELECT DISTINCT proname FROM pg_proc WHERE pronamespace = 'vmnet'::regnamespace
	UNION SELECT relname FROM pg_class WHERE relnamespace = 'vmnet'::regnamespace AND relkind IN ('r', 'p', 'v', 'm', 'S', 'f')
	UNION SELECT typname FROM pg_type WHERE typnamespace = 'vmnet'::regnamespace AND typtype <> 'c' AND typcategory <> 'A' ORDER BY 1));
$node->safe_psql('postgres', 'DROP DATABASE names');
is_deeply([ grep { !-e } map { "doc/examples/$_.sql" } @names ], [], 'every name of schema vmnet has an example, doc/examples/NAME.sql');
my %named = map { $_ => 1 } @names;
is_deeply([ grep { !$named{s{.*/(\w+)\..*}{$1}r} } glob 'doc/examples/*.*' ], [], 'every example is of a name of schema vmnet');

my $folder = PostgreSQL::Test::Utils::tempdir;
{
	local %ENV = (%ENV, PGHOST => $node->host, PGPORT => $node->port, PGDATABASE => 'postgres');
	command_ok([ 'perl', 'doc/generate.pl', $folder ], 'doc/generate.pl runs');
}
is($node->safe_psql('postgres', q(SELECT (SELECT count(*) FROM pg_namespace WHERE nspname !~ '^(pg_|public$|information_schema$)')
	+ (SELECT count(*) FROM pg_database WHERE oid >= 16384) + (SELECT count(*) FROM pg_roles WHERE oid >= 16384))), 0, 'and leaves nothing behind');

my %text;
for my $file (qw(reference.md errors.md dashboards.md model.svg states.svg))
{
	my ($got, $expected) = (slurp_file("$folder/$file"), slurp_file("doc/$file"));
	my @got = split /\n/, $got;
	my @expected = split /\n/, $expected;
	my ($line) = grep { ($got[$_] // '') ne ($expected[$_] // '') } 0 .. ($#got > $#expected ? $#got : $#expected);
	ok($got eq $expected, "doc/$file is what doc/generate writes")
	  or diag("Once the change is what you want, write it anew: sh doc/generate\n", defined $line ? 'line ' . ($line + 1) . ":\n  is:        " . ($expected[$line] // '') . "\n  should be: " . ($got[$line] // '') : '');
	$text{$file} = $got;
}

# Nothing was left out.
$node->safe_psql('postgres', q(CREATE EXTENSION vmnet_ext; SELECT vmnet.create_inventory('cloud'); SELECT vmnet.create_inventory('mirror', 'mirror');
	SELECT vmnet.create_report('cloud'); CREATE TABLE ports (id bigint PRIMARY KEY, network_id bigint, instance_id bigint);
	SELECT vmnet.attach_inventory('attached', 'ports')));
is_deeply([ grep { $text{'reference.md'} !~ /^### `$_`$/m } @names ], [], 'every name of schema vmnet is in the reference');
my ($ten) = $text{'reference.md'} =~ /^## Ten functions that most people need\n(.*?)^##/ms or die 'doc/generate.pl: no ten functions';
my ($readme_ten) = slurp_file('README.md') =~ /^## Ten functions that most people need\n(.*?)^##/ms or die 'README.md: no ten functions';
is_deeply([ $readme_ten =~ /^\| `(?:CALL )?vmnet\.(\w+)/mg ], [ $ten =~ /^\| \[`(\w+)`/mg ], 'the README begins with the ten functions that the reference begins with');
my @codes = split /\n/, $node->safe_psql('postgres', q(SELECT code FROM vmnet.check_codes()));
is_deeply([ grep { $text{'reference.md'} !~ /^\| `$_` \| (error|warning|info) \| \w/m } @codes ], [], 'so is every code of a finding');
my @columns = split /\n/, $node->safe_psql('postgres', q(SELECT DISTINCT relname, attname FROM pg_class c JOIN pg_attribute ON attrelid = c.oid
	WHERE relnamespace::regnamespace::text IN ('cloud', 'cloud_report', 'mirror', 'attached', 'vmnet') AND relkind IN ('r', 'v') AND attnum > 0));
my ($relation, %there) = ('');
for (split /\n/, $text{'reference.md'})
{
	$relation = $1 if /^### `(\w+)`/;
	$there{"$relation|$1"} = 1 if /^\| `(\w+)` \|[^|]+\| [^|]+/;
}
is_deeply([ grep { !$there{$_} } @columns ], [], 'so is every column, with its comment');
my @states = split /\n/, $node->safe_psql('postgres', 'SELECT from_state FROM vmnet.nic_state_transitions() UNION SELECT to_state FROM vmnet.nic_state_transitions() UNION SELECT event FROM vmnet.nic_state_transitions()');
is_deeply([ grep { $text{'states.svg'} !~ />$_:?</ } @states ], [], 'every state and event is in the picture');
my @arrows = $text{'states.svg'} =~ /marker-end/g;
is(scalar @arrows, $node->safe_psql('postgres', 'SELECT count(DISTINCT (from_state, to_state)) FROM vmnet.nic_state_transitions()'), 'with an arrow from each state to each that it leads to');
my @lines = $text{'model.svg'} =~ /data-kind="reference"/g;
is(scalar @lines, 7, 'the tables have their references: of NICs to networks and instances, of secondary addresses, both histories and both tables of former NICs to NICs');

# The picture in doc/concepts.md, in letters, names what there is.
my ($drawn) = slurp_file("doc/concepts.md") =~ /^```\n( live .*?)^```$/ms;
my %known = map { $_ => 1 } qw(live all removed with their NIC), split /\n/, $node->safe_psql('postgres', q(SELECT relname FROM pg_class WHERE relnamespace = 'cloud'::regnamespace
	UNION SELECT attname FROM pg_attribute WHERE attrelid IN ('cloud.all_nics'::regclass, 'cloud.all_networks'::regclass, 'cloud.all_instances'::regclass, 'cloud.nic_history'::regclass)));
is_deeply([ grep { !$known{$_} } ($drawn // 'missing') =~ /\w+/g ], [], 'every name in the picture of doc/concepts.md is one of the inventory');

for my $file (qw(model.svg states.svg))
{
	command_ok([ '/usr/bin/python3', '-c', 'import sys, xml.dom.minidom; xml.dom.minidom.parse(sys.argv[1])', "doc/$file" ], "doc/$file is well-formed");
}

$node->stop;
done_testing();
