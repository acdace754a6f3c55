# A mirror that has become a managed inventory is one after a dump and a
# restore, too: rows, catalog, answers and guards.
#
# pg_regress cannot do it: it needs pg_dump, pg_restore and several databases.

use strict;
use warnings FATAL => 'all';

use FindBin;
use lib $FindBin::RealBin;

use Inventory;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $node = PostgreSQL::Test::Cluster->new('main');
$node->init;
$node->start;

my $tmp = PostgreSQL::Test::Utils::tempdir;
my $managed = quote_ident(MANAGED);
my $mirror = quote_ident(MIRROR);
my $literal = quote_literal(MIRROR);

# A managed inventory, and a mirror that holds the same rows.
$node->safe_psql('postgres', 'CREATE DATABASE source TEMPLATE template0');
$node->safe_psql('source', 'CREATE EXTENSION vmnet_ext');
create_roles($node);
create_managed($node, 'source', MANAGED);
$node->safe_psql('source', "SET ROLE vmnet_owner; SELECT vmnet.create_inventory($literal, 'mirror')");
for my $table (qw(all_networks all_instances all_nics nic_history nic_address_history))
{
	my $columns = $node->safe_psql(
		'source', qq(
		SELECT string_agg(quote_ident(attname), ', ' ORDER BY attnum) FROM pg_attribute
		WHERE attrelid = ${\quote_literal("$managed.$table")}::regclass AND attnum > 0 AND NOT attisdropped AND attgenerated = ''));
	$node->safe_psql(
		'source', qq(
		SET session_replication_role = replica;
		INSERT INTO $mirror.$table ($columns) SELECT $columns FROM $managed.$table));
}
$node->safe_psql(
	'source', qq(
	SET session_replication_role = replica;
	INSERT INTO $mirror.import_runs (source, status) VALUES ('cloudstack', 'done');
	UPDATE $mirror.all_nics SET uuid = NULL WHERE id = 3));

# A half-removed NIC is as old as the inventory, so it is in nobody's way yet.
my ($status, $stdout, $stderr) =
  $node->psql('source', "SET ROLE vmnet_reader; SELECT vmnet.manage_inventory($literal)");
isnt($status, 0, 'a role that does not own the mirror cannot make it a managed inventory');
like($stderr, qr/must be owner of schema/, 'and is told so');
like(mirror_guards_say($node, 'source', MIRROR), qr/mirror_read_only/, 'it is a mirror still');
$node->safe_psql('source', "SET ROLE vmnet_owner; SELECT vmnet.manage_inventory($literal)");

# Sequences differ, and what records the imports; a policy or a view of users
# would be in both.
sub comparable
{
	my ($name) = @_;
	my $text = catalog_text($node, 'source', $name);
	my $json = quote_ident($name);
	$json =~ s/(["\\])/\\$1/g;
	$json =~ s/\n/\\n/g;
	(my $in_literal = $json) =~ s/'/''/g;
	$text =~ s/(?:\Q$json\E|\Q$in_literal\E)\.//g;
	return join "\n", grep { !/import_(runs|log)/ && !/^\{"\?column\?":"(sequence|schema)"/ && !/inventory_info/ } split /\n/, $text;
}
same_text(comparable(MIRROR), comparable(MANAGED), 'the catalogs say of it what they say of one that create_inventory() made');
same_text(guards_say($node, 'source', MIRROR), guards_expected(), 'its guards are armed');
is(broken_rules($node, 'source', MIRROR), '', 'no row breaks a rule');
is($node->safe_psql('source', "SELECT count(*) FROM $mirror.all_nics m JOIN $managed.all_nics n USING (id) WHERE to_jsonb(m) - 'uuid'::text <> to_jsonb(n) - 'uuid'::text"),
	0, 'its rows are as they were');

my %source = (
	rows => rows_digest($node, 'source', MIRROR),
	catalog => catalog_text($node, 'source', MIRROR),
	answers => read_answers($node, 'source', MIRROR),
	list => inventory_list($node, 'source'));

foreach my $how ([ 'plain', 'a restored plain dump' ], [ 'custom', 'pg_restore -j' ])
{
	my ($format, $what) = @$how;
	my $db = "restored_$format";
	my $file = "$tmp/$db";
	local %ENV = (%ENV, PGHOST => $node->host, PGPORT => $node->port);

	$node->safe_psql('postgres', "CREATE DATABASE $db TEMPLATE template0");
	command_ok([ 'pg_dump', '-F', $format, '-f', $file, 'source' ], "pg_dump -F $format");
	command_ok(
		$format eq 'plain'
		? [ 'psql', '-X', '-q', '-v', 'ON_ERROR_STOP=1', '-o', "$tmp/out", '-f', $file, '-d', $db ]
		: [ 'pg_restore', '-e', '-j', '2', '-d', $db, $file ],
		$what);
	is(rows_digest($node, $db, MIRROR), $source{rows}, "$what: every row is as it was");
	same_text(catalog_text($node, $db, MIRROR), $source{catalog}, "$what: the catalogs say the same");
	same_text(read_answers($node, $db, MIRROR), $source{answers}, "$what: reads answer the same");
	is(inventory_list($node, $db), $source{list}, "$what: it is the inventory that it was");
	same_text(guards_say($node, $db, MIRROR), guards_expected(), "$what: its guards are armed");
	is(broken_rules($node, $db, MIRROR), '', "$what: no row breaks a rule");
}

$node->stop;
done_testing();
