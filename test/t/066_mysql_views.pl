# contrib/cloudstack-views.sql: views of MySQL and MariaDB over CloudStack's own
# tables say of every network what a mirror says, and are what their generator
# makes of the definitions of today.
#
# pg_regress cannot do it: another server has to run.
use strict;
use warnings FATAL => 'all';

use lib 'test/t';
use IPC::Run;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

use MariaDB;
use Pages;

my $dump = 'test/data/cloudstack-4.19';
my $file = 'contrib/cloudstack-views.sql';

my $node = PostgreSQL::Test::Cluster->new('views');
$node->init;
$node->start;
$node->safe_psql('postgres', 'CREATE EXTENSION vmnet_ext');

# The file is what its generator writes, with the definitions of today.
my ($written, $said) = ('', '');
{
	local %ENV = (%ENV, PGHOST => $node->host, PGPORT => $node->port, PGDATABASE => 'postgres');
	IPC::Run::run([ 'contrib/generate-cloudstack-views' ], '>', \$written, '2>', \$said);
	is($said, '', 'contrib/generate-cloudstack-views runs');
}
ok($written eq slurp_file($file), "$file is what it writes")
  or diag("Once the change is what you want: contrib/generate-cloudstack-views > $file, with a database that has the extension");

my $missing = MariaDB::missing($node);
if (defined $missing)
{
	note("nothing else can be tested: $missing");
	done_testing();
	exit;
}

my $mariadb = MariaDB->new;
$mariadb->load_tables($dump, $mariadb->make_tables($dump));

# The lines of doc/cloudstack.md, run by a shell.
my ($block) = Pages::blocks_run_by('test/t/066_mysql_views.pl');
my $shown = '';
IPC::Run::run([ 'sh', '-c', "mysql() { mariadb --no-defaults --socket='$mariadb->{socket}' -u root \"\$@\"; }\n$block->{text}" ],
	'>', \$shown, '2>&1');
is($shown, $block->{expected}, 'doc/cloudstack.md says how to make them, and what they say');
$mariadb->sql('DROP DATABASE cloud_views; CREATE DATABASE cloud_views', undef);

# One account makes the views, one reads them, and nothing else.
$mariadb->make_account('maker', 'SELECT ON cloud.*', 'CREATE VIEW, DROP, SELECT ON cloud_views.*');
$mariadb->make_account('reader', 'SELECT ON cloud_views.*');

# Runs SQL as an account; gives what it prints, or the error.
sub sql_as
{
	my ($account, $sql) = @_;
	my $output = '';

	IPC::Run::run([ 'mariadb', '--no-defaults', '--host=127.0.0.1', "--port=$mariadb->{port}", '-u', $account,
		"--password=secret of $account", '--default-character-set=utf8mb4', '-N', '-B', 'cloud_views' ],
		'<', \$sql, '>', \$output, '2>&1');
	chomp $output;
	return $output;
}
is(sql_as('maker', slurp_file($file)), '', 'the views are made with SELECT on cloud, and rights on a database of their own');
is(sql_as('maker', slurp_file($file)), '', 'and made again');
is(sql_as('reader', q{SELECT table_name FROM information_schema.tables WHERE table_schema = 'cloud_views' ORDER BY 1}),
	"half_removed_nics\nnetwork_counts\nnetwork_instances\nstuck_nics", 'a reader sees the four views');
like(sql_as('reader', 'SELECT COUNT(*) FROM cloud.nics'), qr/ERROR 1142 .*denied/, 'and no table of CloudStack');
like(sql_as('reader', 'DELETE FROM half_removed_nics'), qr/ERROR 1142 .*denied/, 'and can change nothing');

# A mirror of the same database.
$node->safe_psql('postgres', "CREATE EXTENSION mysql_fdw; CREATE SCHEMA cs; " . $mariadb->server_sql('cs', 'maker', init_command => q{SET time_zone = '+00:00'})
	  . "IMPORT FOREIGN SCHEMA cloud LIMIT TO (networks, vm_instance, nics) FROM SERVER cs INTO cs;");

# The rows of a view, as psql and as the client of MariaDB print them.
my @columns = split /,/, $node->safe_psql('postgres', q{SELECT array_to_string(columns, ',') FROM vmnet_internal.inventory_view_columns() v (name, columns, reads) WHERE name = 'network_instances'});
my @counts = split /,/, $node->safe_psql('postgres', q{SELECT array_to_string(columns, ',') FROM vmnet_internal.inventory_view_columns() v (name, columns, reads) WHERE name = 'network_counts'});

sub postgres_says
{
	my ($sql) = @_;
	return $node->safe_psql('postgres', $sql, extra_params => [ '-A', '-t', '-F', "\t", '-P', 'null=NULL' ]);
}

sub same_answers
{
	my ($title) = @_;
	my $postgres = join(', ', map { $_ eq 'default_nic' ? "$_\::int" : $_ } @columns);

	$node->safe_psql('postgres', q{CALL vmnet.import_cloudstack('cs', 'm')});
	ok(sql_as('reader', "SELECT " . join(', ', @columns) . ' FROM network_instances ORDER BY network_id, instance_id')
		  eq postgres_says("SELECT $postgres FROM m.network_instances ORDER BY network_id, instance_id"), "$title: every column of network_instances");
	is(sql_as('reader', "SELECT " . join(', ', @counts) . ' FROM network_counts ORDER BY network_id'),
		postgres_says('SELECT ' . join(', ', @counts) . ' FROM m.network_counts ORDER BY network_id'), "$title: every count of every network");
	is(sql_as('reader', 'SELECT nic_id, state FROM half_removed_nics ORDER BY 1'),
		postgres_says(q{SELECT object_id, n.state FROM vmnet.check_inventory('m', '0') JOIN m.all_nics n ON n.id = object_id WHERE code = 'half_removed_nic' ORDER BY 1}),
		"$title: half-removed NICs");
	is(sql_as('reader', 'SELECT nic_id, state FROM stuck_nics ORDER BY 1'),
		postgres_says(q{SELECT nic_id, state FROM m.stuck_nics ORDER BY 1}), "$title: stuck NICs");
	return;
}

# Every answer of the sample is the expected one.
sub expected
{
	my ($name) = @_;
	return slurp_file("$dump/expected/$name.tsv") =~ s/\A.*\n//r =~ s/\n\z//r;
}
is(sql_as('reader', 'SELECT network_id, instance_id FROM network_instances ORDER BY 1, 2'), expected('network_active_instances'),
	'network_instances gives the right answer for every network');
is(sql_as('reader', 'SELECT network_id, attached_nics, active_instances, running_instances, allocated, reserving, reserved, releasing, deallocating, other_states, used_ip4 FROM network_counts ORDER BY 1'),
	expected('network_counts'), 'network_counts too');
my %faults;
push @{ $faults{ (split /\t/)[0] } }, (split /\t/)[2] foreach split /\n/, expected('faults');
is(sql_as('reader', 'SELECT nic_id FROM half_removed_nics ORDER BY 1'), join("\n", sort { $a <=> $b } @{ $faults{half_removed_nic} }), 'half_removed_nics too');
is(sql_as('reader', 'SELECT nic_id FROM stuck_nics ORDER BY 1'), join("\n", sort { $a <=> $b } @{ $faults{stuck_nic} }), 'stuck_nics too');
same_answers('sample');
is(sql_as('reader', q{SELECT CONCAT(table_name, ' ', GROUP_CONCAT(column_name ORDER BY ordinal_position)) FROM information_schema.columns WHERE table_schema = 'cloud_views' AND table_name LIKE 'network%' GROUP BY table_name ORDER BY 1}),
	join("\n", 'network_counts ' . join(',', @counts), 'network_instances ' . join(',', @columns)), 'the columns are those of the views of an inventory');

# Rows that are odd: letters, blanks, no state, no time, no instance, no device; one
# instance twice on a network; what was updated a moment ago, whatever the time zone.
my ($network) = split /\t/, $mariadb->sql('SELECT MIN(id) FROM networks WHERE removed IS NULL');
my $sql = "SET sql_mode = '';ALTER TABLE nics MODIFY state varchar(32) NULL;";
my $id = 90000;
foreach my $state ("'DEALLOCATING'", "'deallocating  '", "'déallocating'", "'reserved'", "'Reserved '", 'NULL', "''", "'Allocated'", "'Reserving'")
{
	foreach my $removed ('NULL', "'0000-00-00 00:00:00'", "'2025-03-01 00:00:00'")
	{
		$id++;
		$sql .= "INSERT INTO vm_instance (id, uuid, name, instance_name, state, type, data_center_id, created, removed) SELECT $id, UUID(), 'odd $id ', 'odd', "
		  . ($id % 2 ? "'running'" : "'Running '") . ', ' . ($id % 3 ? "'User'" : "'user'") . ", 1, '2025-01-01', " . ($id % 7 ? 'NULL' : "'0000-00-00 00:00:00'") . ";\n"
		  . "INSERT INTO nics (id, uuid, instance_id, network_id, state, strategy, vm_type, ip4_address, default_nic, display_nic, created, removed)"
		  . " VALUES ($id, UUID(), " . ($id % 5 ? $id : 'NULL') . ", $network, $state, 'Start', 'User', " . ($id % 5 == 0 ? "'10.99.0.'" : $id % 2 ? sprintf("'10.99.1.%d'", $id - 90000) : "'10.99.0.1 '") . ", 2, 1, '2025-01-01', $removed);\n"
		  . "INSERT INTO nics (id, uuid, instance_id, network_id, state, strategy, vm_type, device_id, default_nic, display_nic, created)"
		  . " VALUES (1000 + $id, UUID(), $id, $network, 'Reserved', 'Start', 'User', $id % 2, 0, 1, '2025-01-01');\n";
	}
}
$sql .= "INSERT INTO nics (id, uuid, network_id, state, strategy, vm_type, default_nic, display_nic, created, update_time)"
  . " VALUES (99001, UUID(), $network, 'Releasing', 'Start', 'User', 0, 1, '2025-01-01', NOW() - INTERVAL 5 MINUTE),"
  . " (99002, UUID(), $network, 'Releasing', 'Start', 'User', 0, 1, '2025-01-01', NOW() - INTERVAL 15 MINUTE), (99003, UUID(), $network, 'Releasing', 'Start', 'User', 0, 1, '2025-01-01', NULL);";
$mariadb->sql($sql =~ s/\n//gr);
$node->safe_psql('postgres', q{ALTER FOREIGN TABLE cs.} . "$_->[0] ALTER $_->[1] TYPE text") foreach [ nics => 'removed' ], [ vm_instance => 'removed' ], [ nics => 'update_time' ];
$node->safe_psql('postgres', q{DROP SCHEMA m CASCADE});
same_answers('odd rows');
is(sql_as('reader', "SET time_zone = '$_'; SELECT nic_id FROM stuck_nics WHERE nic_id > 99000 ORDER BY 1"), "99002\n99003", "the time zone of a session, $_, does not matter")
  foreach '+00:00', '-10:00';

$node->stop;
done_testing();
