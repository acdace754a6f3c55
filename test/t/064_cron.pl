# Scheduling: what doc/cloudstack.md says makes pg_cron run the import, and the mirror
# follows MariaDB by itself; in background workers, and over the server's socket.
#
# pg_regress cannot do it: pg_cron wants to be preloaded, and another server has
# to run.  pg_cron of Debian 12 knows whole minutes only, so this takes one.
use strict;
use warnings;

use lib 'test/t';
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

use MariaDB;
use Pages;

my $dump = 'test/data/cloudstack-4.19';
my %blocks = map { $_->{kind} => $_->{text} } Pages::blocks_run_by('test/t/064_cron.pl');
my ($settings, $block) = @blocks{qw(conf sql)};

# The server of the page, and one that has pg_cron connect.
my @nodes = map { PostgreSQL::Test::Cluster->new($_) } ('workers', 'socket');
foreach my $node (@nodes)
{
	$node->init;
	$node->start;
	my $missing = MariaDB::missing($node);
	plan skip_all => $missing if defined $missing;
	is($node->safe_psql('postgres', q{SELECT count(*) FROM pg_available_extensions WHERE name = 'pg_cron'}), '1', 'pg_cron is there')
	  or BAIL_OUT('pg_cron is not there (Debian: postgresql-15-cron)');
	$node->append_conf('postgresql.conf', $settings);
}
ok(defined $settings && defined $block, 'doc/cloudstack.md says how to do it');
$nodes[1]->append_conf('postgresql.conf', "cron.use_background_workers = off\ncron.host = '" . $nodes[1]->host . "'\n");

my $mariadb = MariaDB->new;
$mariadb->load_tables($dump, $mariadb->make_tables($dump));
$mariadb->make_account('reader', 'SELECT ON cloud.*');

foreach my $node (@nodes)
{
	$node->restart;
	$node->safe_psql('postgres', 'CREATE DATABASE inventory');
	$node->safe_psql('inventory', <<"SQL");
CREATE EXTENSION mysql_fdw;
CREATE EXTENSION vmnet_ext;
SELECT * FROM vmnet.connect_cloudstack('127.0.0.1', $mariadb->{port}, username => 'reader', password => 'secret of reader');
CALL vmnet.import_cloudstack('cloudstack', 'cloud');
SQL
}

# A NIC is removed; then the block of the page is run, but for every minute.
my ($nic, $network, $instance) = split /\t/, $mariadb->sql(q{SELECT n.id, n.network_id, n.instance_id FROM nics n JOIN vm_instance v ON v.id = n.instance_id WHERE n.network_id = 204 AND n.removed IS NULL AND n.state = 'Reserved' AND v.removed IS NULL AND v.type = 'User' ORDER BY n.id LIMIT 1});
my $listed = "SELECT count(*) FROM vmnet.network_active_instances($network) WHERE instance_id = $instance";
$mariadb->sql("UPDATE nics SET state = 'Deallocating', removed = UTC_TIMESTAMP() WHERE id = $nic");
is($block =~ s{'\*/5 \* \* \* \*'}{'* * * * *'}, 1, 'its schedule is every five minutes');
foreach my $node (@nodes)
{
	is($node->safe_psql('inventory', $listed), '1', $node->name . ': the instance is listed');
	like($node->safe_psql('inventory', $block), qr/\A1\n2\z/, $node->name . ': two jobs are scheduled');
}
foreach my $node (@nodes)
{
	my $name = $node->name;

	ok($node->poll_query_until('inventory', q{SELECT count(*) > 0 FROM cron.job_run_details WHERE command LIKE 'CALL%' AND status IN ('succeeded', 'failed')}), "$name: the job has run");
	is($node->safe_psql('inventory', q{SELECT status, database, return_message LIKE 'CALL%' FROM cron.job_run_details WHERE command LIKE 'CALL%' ORDER BY runid LIMIT 1}), 'succeeded|inventory|t', "$name: and succeeded")
	  or diag($node->safe_psql('inventory', 'TABLE cron.job_run_details'));
	is($node->safe_psql('inventory', 'SELECT run, status, nics_read, rows_inserted, rows_updated, rows_deleted FROM cloud.import_runs WHERE run <= 2 ORDER BY run'), "1|done|2036|2868|0|0\n2|done|2036|0|1|0", "$name: it imported what had changed");
	is($node->safe_psql('inventory', $listed), '0', "$name: the instance is not listed any more");
	is($node->safe_psql('inventory', "SELECT from_state, to_state, event FROM cloud.nic_history WHERE nic_id = $nic"), 'Reserved|Deallocating|Imported', "$name: which is remembered");
	$node->safe_psql('inventory', q{SELECT cron.unschedule(jobid) FROM cron.job});
}

$mariadb->stop;
$_->stop foreach @nodes;
done_testing();
