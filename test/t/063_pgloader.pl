# contrib/cloudstack.load: what pgloader brings from MariaDB, an import takes, and
# gives the expected answers; what pgloader could not bring is not imported.
#
# pg_regress cannot do it: another server has to run, and pgloader.
use strict;
use warnings;

use lib 'test/t';
use IPC::Run;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

use MariaDB;
use Pages;

my $dump = 'test/data/cloudstack-4.19';

my $node = PostgreSQL::Test::Cluster->new('pgloader');
$node->init;
$node->start;

my $missing = MariaDB::missing($node);
plan skip_all => $missing if defined $missing;
ok(-x '/usr/bin/pgloader', 'pgloader is there') or BAIL_OUT('pgloader is not there (Debian: pgloader)');

my $mariadb = MariaDB->new;
$mariadb->load_tables($dump, $mariadb->make_tables($dump));
$mariadb->make_account('reader', 'SELECT ON cloud.*');
# Defaults and types that CloudStack's own tables have, or may get.
$mariadb->sql(<<'SQL');
ALTER TABLE nics ALTER state SET DEFAULT 'Allocated', ALTER default_nic SET DEFAULT 0, MODIFY created datetime NOT NULL DEFAULT '2000-01-01 00:00:00';
ALTER TABLE networks ADD picture blob, ADD bits bit(3), ADD kind enum('a', 'b') NOT NULL DEFAULT 'b', ADD notes longtext, ADD share double NOT NULL DEFAULT 0;
SQL

$node->safe_psql('postgres', 'CREATE EXTENSION vmnet_ext');
sub sql { return $node->safe_psql('postgres', shift); }

# The two lines of doc/cloudstack.md, run by a shell.
my ($settings, $command) = map { $_->{text} =~ /\A(export CLOUDSTACK_URL=.*)\n(pgloader .*(?:\\\n.*)*)\n\z/ } Pages::blocks_run_by('test/t/063_pgloader.pl');
ok(defined $command, 'doc/cloudstack.md says how to do it');
$settings =~ s{db\.example}{127.0.0.1:$mariadb->{port}};
$settings =~ s{vmnet_ro}{reader};
$settings =~ s{change me}{secret of reader};
$settings =~ s{postgresql:///inventory}{'postgresql://' . $node->safe_psql('postgres', 'SELECT current_user') . '@unix:' . $node->host . ':' . $node->port . '/postgres'}e;
$command =~ s{psql inventory}{"psql -X -q '" . $node->connstr('postgres') . "'"}e;
$command =~ s{^pgloader}{"pgloader --root-dir " . PostgreSQL::Test::Utils::tempdir()}e;

sub load
{
	my ($output, $error) = ('', '');
	my $succeeded = IPC::Run::run([ 'sh', '-c', "$settings\n$command" ], '<', \undef, '>', \$output, '2>', \$error);

	return ($succeeded ? 1 : 0, $output . $error);
}

my ($succeeded, $said) = load();
is($succeeded, 1, 'it loads and imports') or diag($said);
is(sql(q{SELECT string_agg(DISTINCT data_type, ', ' ORDER BY data_type) FROM information_schema.columns WHERE table_schema = 'cloudstack' AND column_name IN ('id', 'network_id', 'instance_id', 'nicid', 'account_id', 'nics_count', 'mtu')}), 'bigint', 'keys and counters are bigint');
is(sql(q{SELECT string_agg(DISTINCT data_type, ', ' ORDER BY data_type) FROM information_schema.columns WHERE table_schema = 'cloudstack' AND table_name IN ('nics', 'networks') AND column_name IN ('ip4_address', 'mac_address', 'created', 'removed', 'update_time', 'state', 'uuid')}), 'text', 'what an import has to read is text');

# The same rows as the dump gives, in every column.
sql(scalar qx(contrib/load-cloudstack-dump $dump dump));
sql(q{CALL vmnet.import_cloudstack('dump', 'from_dump')});
foreach my $table ('all_networks', 'all_instances', 'all_nics', 'all_nic_secondary_ips')
{
	is(sql("SELECT (SELECT count(*) > 0 FROM cloud.$table), (SELECT count(*) FROM ((TABLE cloud.$table EXCEPT ALL TABLE from_dump.$table) UNION ALL (TABLE from_dump.$table EXCEPT ALL TABLE cloud.$table)) d)"), 't|0', "$table is what the dump gives");
}
my $rows = slurp_file("$dump/expected/network_active_instances.tsv") =~ s/\A.*\n//r;
sql("CREATE TABLE expected (network_id bigint, instance_id bigint);\nCOPY expected FROM STDIN;\n$rows\\.\n");
is(sql('SELECT count(*) FROM ((TABLE expected EXCEPT ALL SELECT network_id, instance_id FROM cloud.network_instances) UNION ALL (SELECT network_id, instance_id FROM cloud.network_instances EXCEPT ALL TABLE expected)) d'), '0', 'every network has the expected instances');

# Again, with all that is odd: nothing is lost, and it is written down.
my ($removed, $created, $address) = split /,/, $mariadb->sql(q{SELECT CONCAT(MIN(id), ',', MAX(id), ',', (SELECT MIN(id) FROM nics WHERE removed IS NULL AND ip4_address IS NOT NULL)) FROM nics WHERE removed IS NOT NULL});
$mariadb->sql(<<"SQL");
SET sql_mode = '', time_zone = '+00:00';
UPDATE nics SET removed = '0000-00-00 00:00:00' WHERE id = $removed;
UPDATE nics SET created = '0000-00-00 00:00:00' WHERE id = $created;
UPDATE nics SET ip4_address = 'nowhere', reserver_name = CONCAT('a', CHAR(0), 'b'), update_time = '2025-03-04 05:06:07' WHERE id = $address;
UPDATE networks SET name = 'Zürich – 東京' WHERE id = 204;
SQL
($succeeded, $said) = load();
is($succeeded, 1, 'it does so again') or diag($said);
is(sql('SELECT id, "column", original FROM cloud.import_log ORDER BY id::int = ' . $address . ', "column"'), "$created|created|0000-00-00 00:00:00\n$removed|removed|0000-00-00 00:00:00\n$address|ip4_address|nowhere", 'zero dates and what is no address are written down');
is(sql("SELECT active FROM cloud.all_nics WHERE id = $removed"), 'f', 'a NIC removed at a zero date is not live');
is(sql("SELECT reserver_name FROM cloud.nics WHERE id = $address"), 'ab', 'a zero byte is left out');
is(sql("SELECT update_time FROM cloudstack.nics WHERE id = $address"), '2025-03-04 05:06:07', 'a timestamp is UTC, whatever the zone of MariaDB');
is(sql('SELECT name FROM cloud.networks WHERE id = 204'), 'Zürich – 東京', 'text is what it was');
is(sql('SELECT count(*) FROM cloud.all_nics'), $mariadb->sql('SELECT COUNT(*) FROM nics'), 'every NIC is there');

# Where one value cannot be loaded, pgloader leaves the table empty and ends well.
my $before = sql('SELECT md5(string_agg(t::text, $$,$$ ORDER BY id)) FROM cloud.all_nics t');
$mariadb->sql("UPDATE nics SET mtu = 9223372036854775808 WHERE id = $address");
($succeeded, $said) = load();
is($succeeded, 0, 'a load that failed fails');
like($said, qr/out of range for type bigint/, 'and says why');
is(sql('SELECT count(*) FROM cloudstack.nics'), '0', 'a table was left empty');
is(sql('SELECT md5(string_agg(t::text, $$,$$ ORDER BY id)) FROM cloud.all_nics t'), $before, 'but not imported: the mirror is what it was');
$mariadb->sql("UPDATE nics SET mtu = NULL WHERE id = $address");
$mariadb->stop;
($succeeded, $said) = load();
is($succeeded, 0, 'so does one that could not connect');
$mariadb->start;
($succeeded, $said) = load();
is($succeeded, 1, 'the next one is good');
is(sql('SELECT status, nics_read, rows_deleted FROM cloud.import_runs ORDER BY run DESC LIMIT 1'), 'done|2036|0', 'and imports all');

$mariadb->stop;
$node->stop;
done_testing();
