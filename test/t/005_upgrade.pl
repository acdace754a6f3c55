# pg_upgrade carries an inventory over as it is.  Here from a version to the
# same one: what could go wrong with an inventory goes wrong there, too.
#
# pg_regress cannot do it: it needs two servers that are stopped, and what
# pg_upgrade makes of them.

use strict;
use warnings FATAL => 'all';

use FindBin;
use lib $FindBin::RealBin;

use Inventory;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $old = PostgreSQL::Test::Cluster->new('old');
$old->init;
$old->start;
$old->safe_psql('postgres', 'CREATE EXTENSION vmnet_ext');
create_roles($old);
create_managed($old, 'postgres', MANAGED);
create_mirror($old, 'postgres', MIRROR);

sub all_of
{
	my ($node) = @_;
	return join "\n", inventory_list($node, 'postgres'),
	  map { (rows_digest($node, 'postgres', $_), catalog_text($node, 'postgres', $_), read_answers($node, 'postgres', $_)) } MANAGED, MIRROR;
}
my $before = all_of($old);
$old->stop;

my $new = PostgreSQL::Test::Cluster->new('new');
$new->init;

# pg_upgrade leaves a script where it is called.
chdir $PostgreSQL::Test::Utils::tmp_check or die "chdir: $!";

my $bindir = $new->config_data('--bindir');
command_ok(
	[
		'pg_upgrade', '--no-sync',
		'-d', $old->data_dir, '-D', $new->data_dir,
		'-b', $bindir, '-B', $bindir,
		'-s', $new->host, '-p', $old->port, '-P', $new->port
	],
	'pg_upgrade');

$new->start;
same_text(all_of($new), $before, 'rows, definitions and answers are as they were');
same_text(guards_say($new, 'postgres', MANAGED), guards_expected(), 'the guards are armed');
same_text(mirror_guards_say($new, 'postgres', MIRROR), mirror_guards_expected(), 'and those of the mirror');
is(broken_rules($new, 'postgres', MANAGED), '', 'no rule is broken');

$new->stop;
done_testing();
