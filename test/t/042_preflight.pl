# contrib/vmnet-preflight ends with 0, 1 or 2, whatever the names are; the answers
# of network_preflight() on a standby.
#
# pg_regress cannot do it: it needs a program and a standby.

use strict;
use warnings FATAL => 'all';

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $node = PostgreSQL::Test::Cluster->new('main');
$node->init(allows_streaming => 1);
$node->start;
$node->safe_psql(
	'postgres', q(
	CREATE EXTENSION vmnet_ext;
	SELECT vmnet.create_inventory('cloud'), vmnet.create_inventory('it''s "one"');
	INSERT INTO "it's ""one""".networks (id, name) VALUES (7, 'seven');
	INSERT INTO cloud.networks (id, name) VALUES (1, 'clean'), (2, 'it''s "moving" $HOME'), (3, 'half'), (4, 'gone'), (5, 'twice'), (6, 'twice'), (8, 'empty');
	UPDATE cloud.networks SET removed = now() WHERE id = 4;
	INSERT INTO cloud.instances (id, name) VALUES (1, 'a'), (2, 'b'), (3, 'c');
	INSERT INTO cloud.nics (id, instance_id, network_id) VALUES (1, 1, 1), (2, 2, 2), (3, 3, 3);
	UPDATE cloud.nics SET state = 'Reserving' WHERE id = 2;
	UPDATE cloud.nics SET state = 'Deallocating' WHERE id = 3;
	SET session_replication_role = replica;
	UPDATE cloud.all_nics SET state_changed = now() - interval '1 day' WHERE id = 3));

local $ENV{PGHOST} = $node->host;
local $ENV{PGPORT} = $node->port;
local $ENV{PGDATABASE} = 'postgres';

# Runs the program; returns its exit status and what it prints.
sub preflight
{
	my @arguments = @_;
	my ($stdout, $stderr) = ('', '');
	IPC::Run::run([ 'sh', 'contrib/vmnet-preflight', @arguments ], '>', \$stdout, '2>', \$stderr);
	return ($? >> 8, $stdout, $stderr);
}

for my $case (
	[ 0, 'a clean network', '1' ],
	[ 0, 'by its name', 'clean' ],
	[ 0, 'by its uuid', $node->safe_psql('postgres', 'SELECT uuid FROM cloud.networks WHERE id = 1') ],
	[ 0, 'in another inventory', '-i', q(it's "one"), 'seven' ],
	[ 0, 'in a named database', '-d', 'dbname=postgres', '1' ],
	[ 0, 'an instance', '-m', 'a' ],
	[ 1, 'a network with a NIC that is Reserving', q(it's "moving" $HOME) ],
	[ 1, 'its instance', '-m', '2' ],
	[ 2, 'a half-removed NIC', '3' ],
	[ 2, 'a removed network', '4' ],
	[ 2, 'an unknown id', '99' ],
	[ 2, 'a number that is no id', '99999999999999999999' ],
	[ 2, 'an unknown name', q(no'ne) ],
	[ 2, 'an unknown instance', '-m', '99' ],
	[ 2, 'a name that means two', 'twice' ],
	[ 2, 'an unknown inventory', '-i', 'none', '1' ],
	[ 2, 'an unknown database', '-d', 'none', '1' ],
	[ 2, 'no network' ],
	[ 2, 'an empty name', '' ],
	[ 2, 'two networks', '1', '2' ],
	[ 2, 'an unknown option', '-x', '1' ],
	[ 2, 'for a removal, a network in use', '-r', '1' ],
	[ 0, 'for a removal, an empty network', '-r', '8' ])
{
	my ($status, $what, @arguments) = @$case;
	my ($is, $stdout, $stderr) = preflight(@arguments);
	is($is, $status, "$what: $status") or diag($stdout, $stderr);
}
like((preflight('3'))[1], qr/^stop  half-removed NICs .*\n +UPDATE cloud\.all_nics SET removed/m, 'it prints what comes next');

# a standby
$node->backup('backup');
my $standby = PostgreSQL::Test::Cluster->new('standby');
$standby->init_from_backup($node, 'backup', has_streaming => 1);
$standby->start;
$node->safe_psql('postgres', 'CREATE TABLE public.written ()');
$node->wait_for_catchup($standby);
$ENV{PGHOST} = $standby->host;
$ENV{PGPORT} = $standby->port;
my ($status, $stdout) = preflight('1');
is($status, 0, 'a standby answers') or diag($stdout);
like($stdout, qr/this server is a standby/, 'and says what it is');
is((preflight('3'))[0], 2, 'as the primary does');

done_testing();
