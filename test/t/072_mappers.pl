# One piece of work through object-relational mappers and query builders, with
# what each of them reads from the catalogs: introspect, create objects with what
# is not set left out or NULL, read, filter by address, time and state, follow a
# relation, update, be refused and read the constraint, remove, read a page.  The
# programs are in test/clients/mappers.
#
# VMNET_MAPPERS names those to try: "ci" (the default) for those that install in
# seconds, "all" for make check-clients, or their names.
#
# pg_regress cannot do it: it knows one client.

use strict;
use warnings FATAL => 'all';

use Cwd;
use File::Copy;
use IPC::Run;
use JSON::PP;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

# What each program prints.
my $expected = <<'END';
relations: instance many to one, network many to one
created: Allocated, Guest, Stopped, User, Allocated, true, true
address: 02:00:00:00:09:09
time: 1, 0
state: 1
read: back, made
listed: maker
updated: Reserved, renamed
refused: 23514, nic_state_transition
refused: 23505, all_nics_one_per_network
refused: 23503, network_in_use
refused: 23503, instance_in_use
removed: 0, 1
removed: 0
page: 1021, 1022, 1023, 1024, 1025
END

# The R driver has no fields of an error, only its text.
my %texts = (
	'23514, nic_state_transition' => 'NIC 5001 cannot move from state "Reserved" to "Allocated"',
	'23505, all_nics_one_per_network' => 'duplicate key value violates unique constraint "all_nics_one_per_network"',
	'23503, network_in_use' => 'cannot remove network 101: NICs are left on it',
	'23503, instance_in_use' => 'cannot remove instance 5001: NICs are left on it');

my $top = getcwd;
my $here = "$top/test/clients/mappers";
my $npm = PostgreSQL::Test::Utils::tempdir . '/npm';

# name, the command, what it needs of npm, what writes its models first.  %h is the
# host, %p the port, %d the database, %o the owner of the inventory.
my @tools = (
	{ name => 'django', ci => 1, run => [ '/usr/bin/python3', "$here/django_mapper.py" ] },
	{ name => 'sqlalchemy', ci => 1, run => [ '/usr/bin/python3', "$here/sqlalchemy_mapper.py" ] },
	{ name => 'active_record', ci => 1, run => [ '/usr/bin/ruby', "$here/active_record.rb" ] },
	{ name => 'dbplyr', run => [ '/usr/bin/Rscript', "$here/dbplyr.R" ], texts => 1 },
	{ name => 'knex', ci => 1, npm => [qw(knex pg)], run => [ 'node', 'knex_mapper.js' ] },
	{ name => 'kysely', npm => [qw(kysely kysely-codegen pg tsx)], run => [ 'npx', 'tsx', 'kysely_mapper.ts' ],
	  models => [ 'npx', 'kysely-codegen', '--dialect', 'postgres', '--url', 'postgres://%o@%h:%p/%d', '--include-pattern', 'cloud.*',
		'--default-schema', 'cloud', '--out-file', 'generated/kysely.d.ts' ] },
	{ name => 'sequelize', npm => [qw(sequelize sequelize-auto pg)], run => [ 'node', 'sequelize_mapper.js' ],
	  models => [ 'npx', 'sequelize-auto', '-h', '%h', '-p', '%p', '-d', '%d', '-u', '%o', '-x', 'none', '--dialect', 'postgres', '-s', 'cloud',
		'--views', '-l', 'es6', '-o', 'generated/sequelize' ] },
	{ name => 'typeorm', npm => [qw(typeorm typeorm-model-generator reflect-metadata pg tsx)], run => [ 'npx', 'tsx', 'typeorm_mapper.ts' ],
	  models => [ 'npx', 'typeorm-model-generator', '-h', '%h', '-p', '%p', '-d', '%d', '-u', '%o', '-x', 'none', '-e', 'postgres', '-s', 'cloud',
		'--noConfig', '--cp', 'none', '--ce', 'pascal', '-o', 'generated/typeorm' ] },
	{ name => 'drizzle', npm => [qw(drizzle-orm drizzle-kit pg tsx)], run => [ 'npx', 'tsx', 'drizzle_mapper.ts' ],
	  models => [ 'npx', 'drizzle-kit', 'pull', '--config', 'drizzle.config.cjs' ] },
	{ name => 'postgraphile', npm => [qw(postgraphile pg)], run => [ 'node', 'postgraphile_mapper.js', "$top/contrib/mappers/postgraphile.tags.json5" ] });

my $wanted = $ENV{VMNET_MAPPERS} || 'ci';
my %named = map { $_ => 1 } split ' ', $wanted;
my @tried = grep { $wanted eq 'all' || ($wanted eq 'ci' ? $_->{ci} : $named{ $_->{name} }) } @tools;
BAIL_OUT("VMNET_MAPPERS: there is no $wanted") if !@tried;

# A server with one database per tool.
my $node = PostgreSQL::Test::Cluster->new('mappers');
$node->init(extra => [ '--encoding=UTF8', '--locale=C.UTF-8' ]);
$node->append_conf('postgresql.conf', "listen_addresses = '127.0.0.1'\n");
unlink $node->data_dir . '/pg_hba.conf';
$node->append_conf('pg_hba.conf', "local all all trust\nhost all all 127.0.0.1/32 trust\n");
$node->start;
my $owner = 'vmnet_owner';
$node->safe_psql('postgres', "CREATE ROLE vmnet_client LOGIN; CREATE ROLE $owner SUPERUSER LOGIN; CREATE DATABASE mappers");
$node->safe_psql('mappers', slurp_file('test/clients/setup.sql') . slurp_file("$here/setup.sql"));

my %environment = (PGHOST => '127.0.0.1', PGPORT => $node->port, PGUSER => 'vmnet_client', PGOWNER => $owner, HOME => $npm, LANG => 'C.UTF-8', LC_ALL => 'C.UTF-8',
	PYTHONDONTWRITEBYTECODE => 1);

# Runs a command; what it printed, and whether it ended well.
sub output_of
{
	my ($seconds, %env) = (shift, %{ +shift });
	my $output = '';
	local %ENV = (%ENV, %environment, %env);
	my $ok = IPC::Run::run(\@_, '<', \undef, '>', \$output, '2>&1', IPC::Run::timeout($seconds * ($PostgreSQL::Test::Utils::timeout_default / 180)));
	$output .= "and ended with status $?\n" if !$ok;
	return ($output, $ok);
}

# The models that are shipped are those of an inventory as it is now.
my %shipped = (django => 'django_models.py', sqlalchemy => 'sqlalchemy_tables.py', postgraphile => 'postgraphile.tags.json5');
for my $kind (sort keys %shipped)
{
	my ($written) = output_of(60, { PGDATABASE => 'mappers', PGUSER => $owner }, "$top/contrib/mappers/generate", $kind);
	is($written, slurp_file("contrib/mappers/$shipped{$kind}"), "contrib/mappers/$shipped{$kind} is what contrib/mappers/generate $kind writes");
}

# Columns that users added, with names that Python cannot have, or that only the
# database sets.
$node->safe_psql('postgres', 'CREATE DATABASE odd_columns TEMPLATE mappers');
$node->safe_psql('odd_columns', <<'END');
ALTER TABLE cloud.all_nics ADD "sp ace" text, ADD sp_ace int, ADD "from" text, ADD network text, ADD "1x" int, ADD "a""b'c" text, ADD "100%" int,
	ADD save text, ADD objects text, ADD "_" int, ADD "²" int, ADD a__b text, ADD t_ text, ADD metadata text, ADD "Text" varchar(9), ADD models text,
	ADD twice bigint GENERATED ALWAYS AS (mtu * 2) STORED, ADD number int GENERATED ALWAYS AS IDENTITY, ADD rack text DEFAULT 'r';
ALTER TABLE cloud.all_networks ADD nics int, ADD registry text;
SELECT * FROM vmnet.refresh_views('cloud');
END
my ($odd) = output_of(120, { PGDATABASE => 'odd_columns', PGUSER => $owner }, '/usr/bin/python3', "$here/odd_columns.py");
is($odd, <<'END', 'models of columns with any names are Python, and insert what only the database sets');
System check identified no issues (0 silenced).
django: Allocated a 1 b c 2 3
sqlalchemy: Allocated a d 18 True r
END

my %packages = map { map { $_ => 1 } @{ $_->{npm} || [] } } @tried;
if (%packages)
{
	my $versions = decode_json(slurp_file("$here/package.json"))->{dependencies};
	my @packages = $wanted eq 'all' ? sort keys %$versions : sort keys %packages;

	mkdir $npm or die "$npm: $!";
	mkdir "$npm/generated" or die "$npm: $!";
	copy($_, $npm) or die "$_: $!" for grep { !/package\.json$/ } glob("$here/*.*");
	my ($output, $ok) = output_of(900, {}, 'npm', 'install', '--prefix', $npm, '--no-save', '--no-audit', '--no-fund', '--ignore-scripts',
		'--loglevel=error', map { "$_\@$versions->{$_}" } @packages);
	ok($ok, 'npm installs them') or diag($output);
}

for my $tool (@tried)
{
	my $name = $tool->{name};
	my %values = (h => '127.0.0.1', p => $node->port, d => "mapper_$name", o => $owner);
	my %env = (PGDATABASE => $values{d});

	$node->safe_psql('postgres', "CREATE DATABASE $values{d} TEMPLATE mappers");
	chdir($tool->{npm} ? $npm : $top) or die "$npm: $!";
	if ($tool->{models})
	{
		my ($output, $ok) = output_of(300, \%env, map { s/%([hpdo])\b/$values{$1}/gr } @{ $tool->{models} });
		ok($ok && $output !~ /\berror\b|unknown column type/i, "$name writes its models") or diag($output);
	}
	my $mine = $tool->{texts} ? $expected =~ s/^refused: (.*)$/refused: $texts{$1}/mgr : $expected;
	my ($output) = output_of(300, \%env, @{ $tool->{run} });
	is($output, $mine, "$name does its work, and is told why where it cannot");
	chdir $top or die "$top: $!";
}

if ($wanted eq 'all')
{
	chdir $npm or die "$npm: $!";
	is((output_of(300, {}, 'npx', 'tsc', '-p', '.'))[0], '', 'what was written in TypeScript compiles');
	chdir $top or die "$top: $!";
}

$node->stop;
done_testing();
