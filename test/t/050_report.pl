# The reporting schema as tools meet it: every format that psql can write, a
# dump and a restore, and history that has become partitioned.
#
# pg_regress cannot do it: it writes in one format, and in one database.
use strict;
use warnings FATAL => 'all';

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $node = PostgreSQL::Test::Cluster->new('report');
$node->init;
$node->start;
$node->safe_psql('postgres', 'CREATE DATABASE a TEMPLATE template0; CREATE DATABASE b TEMPLATE template0; CREATE ROLE bi LOGIN');
my $load = qx(contrib/load-cloudstack-dump test/data/cloudstack-4.19 cloudstack);
$node->safe_psql('a', $load);
$node->safe_psql('a', q(CREATE EXTENSION vmnet_ext;
	CALL vmnet.import_cloudstack('cloudstack', 'cloud');
	SELECT vmnet.create_inventory('lab'); SELECT vmnet.create_report('lab'); SELECT vmnet.create_report('lab', 'tenants', true);
	SELECT vmnet.create_report('cloud'); SELECT vmnet.grant_access('cloud', 'bi', 'reader')));

sub psql
{
	my ($db, @arguments) = @_;
	my ($stdout, $stderr) = ('', '');
	my $done = IPC::Run::run([ 'psql', '-X', '-v', 'ON_ERROR_STOP=1', @arguments, '-d', $node->connstr($db) ],
		'<', \undef, '>', \$stdout, '2>', \$stderr);
	return ($done && $stderr eq '', $stdout, $stderr);
}

my @views = split /\n/, $node->safe_psql('a', q(SELECT relname FROM pg_class WHERE relnamespace = 'cloud_report'::regnamespace ORDER BY 1));
is(scalar @views, 17, 'the reader has seventeen views to read');
# Every view, in every format that psql can write; those of the inventory, too,
# as their owner.
sub every_format
{
	my ($schema, $view, @user) = @_;
	my $name = "$schema.$view";
	my $rows = $node->safe_psql('a', "SELECT least(count(*), 10000) FROM $name");
	my $columns = $node->safe_psql('a', "SELECT count(*) FROM pg_attribute WHERE attrelid = '$name'::regclass AND attnum > 0");

	my ($done, $html) = psql('a', @user, '-H', '-c', "SELECT * FROM $name LIMIT 10000");
	my $lines = () = $html =~ /^  <tr /mg;
	ok($done && $lines == $rows, "$name as HTML: a line for each of $rows rows") or diag($lines);

	($done, my $csv) = psql('a', @user, '--csv', '-c', "SELECT * FROM $name LIMIT 10000");
	my ($header) = $csv =~ /^(.*)$/m;
	is($done && scalar(split(/,/, $header)), $columns, "$name as CSV: a name for each of $columns columns");
	($done, my $copied) = psql('a', @user, '-c', "COPY (SELECT * FROM $name LIMIT 10000) TO STDOUT (FORMAT csv, HEADER)");
	ok($done && length $copied > 0, "$name copied as CSV");

	($done, my $json) = psql('a', @user, '-At', '-c', "SELECT json_array_length(coalesce(json_agg(x), '[]')) FROM (SELECT * FROM $name LIMIT 10000) x");
	chomp $json;
	is($json, $rows, "$name as JSON");
	return;
}
my @bi = ('-U', 'bi');
every_format('cloud_report', $_, @bi) foreach @views;
my @own = split /\n/, $node->safe_psql('a', q(SELECT relname FROM pg_class WHERE relnamespace = 'cloud'::regnamespace AND relkind = 'v' ORDER BY 1));
cmp_ok(scalar @own, '>', 10, 'the inventory has views of its own');
every_format('cloud', $_) foreach @own;

# What the views say, as one digest each; times that pass are left out.
sub digest
{
	my ($db, $schema) = @_;
	my $sql = join ' UNION ALL ', map { "SELECT '$_', count(*), md5(coalesce(string_agg(x::text, '' ORDER BY x::text), '')) FROM "
		. ($_ =~ /stuck_nics|intervals/ ? "(SELECT network_id FROM $schema.$_)" : $_ eq 'metrics' ? "(SELECT name, labels FROM $schema.$_)" : "$schema.$_") . ' x' } @views;
	return $node->safe_psql($db, $sql);
}

# A dump and a restore
my $dump = PostgreSQL::Test::Utils::tempdir . '/dump';
$node->command_ok([ 'pg_dump', '-Fc', '-f', $dump, '-d', $node->connstr('a') ], 'the dump is made');
$node->command_ok([ 'pg_restore', '--exit-on-error', '-d', $node->connstr('b'), $dump ], 'and restored');
is(digest('b', 'cloud_report'), digest('a', 'cloud_report'), 'every view of the mirror says the same');
is(digest('b', 'lab_report'), digest('a', 'lab_report'), 'and of the managed inventory');
is($node->safe_psql('b', q(SELECT string_agg(schema_name || ' ' || tenant, ', ') FROM vmnet.report_schemas('lab'))),
	'lab_report false, tenants true', 'reporting schemas are known again');
is((psql('b', @bi, '-At', '-c', 'SELECT count(*) FROM cloud_report.networks'))[1], "51\n", 'the reader still reads');
is($node->safe_psql('b', q(SELECT vmnet.create_report('cloud'))), 'cloud_report', 'a restored report can be made anew');

# History in partitions
$node->safe_psql('a', q(BEGIN; SELECT vmnet.partition_history('lab');
	CREATE TABLE lab.nic_history_default PARTITION OF lab.nic_history DEFAULT;
	COMMIT;
	INSERT INTO lab.networks (name) VALUES ('n'); INSERT INTO lab.instances (name) VALUES ('i');
	INSERT INTO lab.nics (instance_id, network_id) VALUES (1, 1); UPDATE lab.nics SET state = 'Reserving'));
is($node->safe_psql('a', 'SELECT count(*) FROM lab_report.nic_history'), '1', 'a report follows history into partitions');
is($node->safe_psql('a', 'SELECT count(*) FROM tenants.nic_history'), '1', 'that for tenants too');
$node->safe_psql('a', 'DROP TABLE lab.nic_history_unpartitioned');
is($node->safe_psql('a', q(SELECT count(*) FROM pg_indexes WHERE schemaname = 'lab' AND tablename = 'nic_history' AND indexname = 'nic_history_network_idx')),
	'1', 'and is found by network there');

# A mirror that becomes managed
$node->safe_psql('a', q(CREATE SCHEMA source;
	CREATE TABLE source.networks AS SELECT 1 AS id, 'n' AS name, 'Implemented' AS state, 'Guest' AS traffic_type, timestamp '2025-01-01' AS created, NULL::timestamp AS removed;
	CREATE TABLE source.vm_instance AS SELECT 1 AS id, 'i' AS name, 'Running' AS state, 'User' AS type, timestamp '2025-01-01' AS created, NULL::timestamp AS removed;
	CREATE TABLE source.nics AS SELECT 1 AS id, 1 AS network_id, 1 AS instance_id, 'Reserved' AS state, 'User' AS vm_type, 'Start' AS strategy,
		timestamp '2025-01-01' AS created, NULL::timestamp AS removed;
	CALL vmnet.import_cloudstack('source', 'was'); SELECT vmnet.create_report('was');
	CREATE VIEW public.own AS SELECT count(*) AS networks FROM was_report.networks;));
is($node->safe_psql('a', q(SELECT count(*) FROM was_report.imports)), '1', 'a mirror reports its imports');
$node->safe_psql('a', q(SELECT vmnet.manage_inventory('was')));
$node->safe_psql('a', q(ALTER TABLE was.all_nics DISABLE TRIGGER _nic_guard));
like($node->safe_psql('a', q(SELECT string_agg(code || ': ' || message, '; ') FROM was_report.findings)), qr/; guard_disabled: guard _nic_guard of was.all_nics is disabled$/,
	'managed, its report finds what a managed inventory has to have');
is($node->safe_psql('a', q(SELECT networks FROM public.own)), '1', 'and what reads the report goes on reading it');

$node->stop;
done_testing();
