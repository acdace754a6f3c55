# A live CloudStack on MariaDB: an import over foreign tables is what one of the
# dump is, and follows the source; what is odd about MySQL is known.
#
# pg_regress cannot do it: another server has to run, and to fail.
# VMNET_MYSQL_ROWS=500000 measures instead how long an import of so many NICs
# takes, beside a plain copy of the same foreign tables.
use strict;
use warnings;

use lib 'test/t';
use IPC::Run;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use Time::HiRes qw(time);

use MariaDB;

my $dump = 'test/data/cloudstack-4.19';
my @read = qw(networks vm_instance nics nic_secondary_ips op_networks account domain data_center);

my $node = PostgreSQL::Test::Cluster->new('mysql');
$node->init;
$node->start;

my $missing = MariaDB::missing($node);
plan skip_all => $missing if defined $missing;

my $mariadb = MariaDB->new;
my @tables = $mariadb->make_tables($dump);
is(scalar @tables, 12, 'CloudStack\'s tables are there');
is($mariadb->sql(q{SELECT CONCAT(data_type, ' ', column_type) FROM information_schema.columns WHERE table_schema = 'cloud' AND table_name = 'nics' AND column_name IN ('id', 'ip4_address', 'default_nic', 'created', 'update_time') ORDER BY ordinal_position}),
	"bigint bigint(20) unsigned\nchar char(40)\ntimestamp timestamp\ntinyint tinyint(4)\ndatetime datetime", 'with the types that they have in MySQL');
$mariadb->make_account('reader', 'SELECT ON *.*');
$mariadb->make_account('writer', 'SELECT ON cloud.*', 'INSERT, UPDATE ON cloud.nics');

# The session is in Sao Paulo, MariaDB in Tokyo, CloudStack writes UTC.
my %utc = (init_command => q{SET time_zone = '+00:00'});
$node->safe_psql('postgres', q{ALTER DATABASE postgres SET timezone = 'America/Sao_Paulo'});
$node->safe_psql('postgres', 'CREATE EXTENSION mysql_fdw; CREATE EXTENSION vmnet_ext; CREATE SCHEMA cs;'
	  . $mariadb->server_sql('cs', 'reader', %utc, fetch_size => 100)
	  . $mariadb->server_sql('tokyo', 'reader')
	  . $mariadb->server_sql('writable', 'writer', %utc));

sub import_schema
{
	my ($database, $server, $schema, @names) = @_;

	@names = @read unless @names;
	$node->safe_psql('postgres', "CREATE SCHEMA IF NOT EXISTS $schema; IMPORT FOREIGN SCHEMA $database LIMIT TO ("
		  . join(', ', @names) . ") FROM SERVER $server INTO $schema");
	return;
}

# Runs an import; gives its exit code and what it said, without line numbers.
sub import_from
{
	my ($source, $inventory) = @_;
	my ($code, undef, $said) = $node->psql('postgres', "CALL vmnet.import_cloudstack('$source', '$inventory')");
	$said =~ s/^psql:<stdin>:\d+: //mg;
	return ($code, $said);
}

sub last_run
{
	my ($inventory) = @_;
	return $node->safe_psql('postgres', "SELECT status, nics_read, rows_inserted, rows_updated, rows_deleted, rows_rejected, values_changed FROM $inventory.import_runs ORDER BY run DESC LIMIT 1");
}

# Rows by which two inventories differ, in any column.
sub differences
{
	my ($a, $b) = @_;
	return $node->safe_psql('postgres', join(' UNION ALL ', map {
		"SELECT count(*) FROM ((TABLE $a.$_ EXCEPT ALL TABLE $b.$_) UNION ALL (TABLE $b.$_ EXCEPT ALL TABLE $a.$_)) d"
	} qw(all_networks all_instances all_nics all_nic_secondary_ips)));
}

if (my $rows = $ENV{VMNET_MYSQL_ROWS})
{
	measure($rows);
	$node->stop;
	done_testing();
	exit;
}

$mariadb->load_tables($dump, @tables);
is($mariadb->sql('SELECT COUNT(*), COUNT(DISTINCT network_id), SUM(id) FROM nics'), "2036\t71\t2073666", 'and the rows of the dump');

#
# The first copy is what the dump gives
#
my $load = qx(contrib/load-cloudstack-dump $dump cloudstack);
is($?, 0, 'the dump is there as text, too');
$node->safe_psql('postgres', $load);
$node->safe_psql('postgres', q{CALL vmnet.import_cloudstack('cloudstack', 'from_dump')});
import_schema('cloud', 'cs', 'cs');

my ($code, $said) = import_from('cs', 'cloud');
is($code, 0, 'foreign tables are imported');
is($said, join("\n", 'NOTICE:  created inventory "cloud", a mirror',
	'NOTICE:  read 81 rows of cs.nic_secondary_ips', 'NOTICE:  read 2036 rows of cs.nics',
	'NOTICE:  read 420 rows of cs.vm_instance', 'NOTICE:  read 71 rows of cs.networks',
	'NOTICE:  inventory "cloud": 2608 rows inserted, 0 updated, 0 kept as removed'), 'and nothing else is said');
is(last_run('cloud'), 'done|2036|2608|0|0|0|0', 'all rows are there, none rejected, no value changed');
is(differences('cloud', 'from_dump'), "0\n0\n0\n0", 'every column of every row is what the text dump gives');
is($node->safe_psql('postgres', q{SELECT count(*) FROM cloud.all_nics WHERE ip4_address IS NOT NULL}),
	$mariadb->sql('SELECT COUNT(ip4_address) FROM nics'), 'no address is lost to the blanks of char(40)');
is($node->safe_psql('postgres', q{SELECT count(*) FROM pg_class WHERE relnamespace = 'cloud'::regnamespace AND (relkind = 'f' OR relname LIKE 'import\_stage%')}), '0', 'nothing of the import is left in the mirror');

# The answers of expected/
sub load_expected
{
	my ($table, $columns) = @_;
	my $file = "$dump/expected/$table.tsv";
	my $rows = slurp_file($file);

	$rows =~ s/\A.*\n//;
	$node->safe_psql('postgres', "CREATE SCHEMA IF NOT EXISTS expected; CREATE TABLE expected.$table ($columns);\nCOPY expected.$table FROM STDIN;\n$rows\\.\n");
	return;
}
load_expected('network_active_instances', 'network_id bigint, instance_id bigint');
load_expected('listing_4_19_1_2', 'network_id bigint, instance_id bigint');
load_expected('listing_upstream_fix', 'network_id bigint, instance_id bigint');
load_expected('network_counts', 'network_id bigint, attached_nics bigint, active_instances bigint, running_instances bigint, allocated bigint, reserving bigint, reserved bigint, releasing bigint, deallocating bigint, other_states bigint, used_ip4 bigint');
load_expected('as_of', 'ts timestamp, network_id bigint, instance_id bigint');
load_expected('as_of_excluded', 'ts timestamp, network_id bigint, instance_id bigint, was_active int, reason text');
load_expected('faults', 'code text, "table" text, id bigint, note text');

# Is the answer of a query, every row of it, that of expected/?
sub answers_as
{
	my ($query, $expected, $title) = @_;

	is($node->safe_psql('postgres', "WITH answer AS ($query), wanted AS ($expected)
		SELECT (SELECT count(*) > 0 FROM wanted), (SELECT count(*) FROM (TABLE wanted EXCEPT ALL TABLE answer) d), (SELECT count(*) FROM (TABLE answer EXCEPT ALL TABLE wanted) d)"),
		't|0|0', $title);
	return;
}
answers_as(q{SELECT w.id, a.instance_id FROM cloud.all_networks w, vmnet.network_active_instances(w.id) a},
	'TABLE expected.network_active_instances', 'network_active_instances() gives the right answer for every network');
answers_as('SELECT network_id, instance_id FROM cloud.network_instances',
	'TABLE expected.network_active_instances', 'so does the view');
answers_as('SELECT network_id, attached_nics, active_instances, running_instances, allocated, reserving, reserved, releasing, deallocating, other_states, used_ip4 FROM cloud.network_counts',
	'TABLE expected.network_counts', 'every count of every network is right');
answers_as(q{SELECT s.ts, s.network_id, a.instance_id FROM (SELECT DISTINCT ts, network_id FROM expected.as_of) s, vmnet.network_instances_as_of(s.network_id, s.ts AT TIME ZONE 'UTC') a},
	'TABLE expected.as_of', 'so is who was there when, at UTC');
answers_as(q{SELECT code, object_type, object_id FROM vmnet.check_inventory('cloud')},
	q{SELECT code, CASE "table" WHEN 'nics' THEN 'nic' WHEN 'vm_instance' THEN 'instance' ELSE 'network' END, id FROM expected.faults
		UNION ALL VALUES ('expunge_unfinished', 'instance', 52), ('expunge_unfinished', 'instance', 265)},
	'the check finds every fault, the expunges that half-removed NICs are of, and nothing else');
# the queries that CloudStack has had, on its own database
answers_as(q{SELECT DISTINCT n.network_id, v.id FROM cs.vm_instance v JOIN cs.nics n ON n.instance_id = v.id WHERE v.removed IS NULL AND v.type = 'User'},
	'TABLE expected.listing_4_19_1_2', 'CloudStack 4.19.1.2 itself would list removed NICs (issue 10188)');
answers_as(q{SELECT DISTINCT n.network_id, v.id FROM cs.vm_instance v JOIN cs.nics n ON n.instance_id = v.id WHERE v.removed IS NULL AND v.type = 'User' AND n.removed IS NULL},
	'TABLE expected.listing_upstream_fix', 'and its next release half-removed ones');

#
# Whatever changes at the source changes here, and is remembered
#
($code, $said) = import_from('cs', 'cloud');
is(last_run('cloud'), 'done|2036|0|0|0|0|0', 'a refresh without a change changes nothing');

my $live = $mariadb->sql(q{SELECT GROUP_CONCAT(id ORDER BY id) FROM (SELECT id FROM nics WHERE removed IS NULL AND BINARY state = 'Reserved' AND instance_id IS NOT NULL ORDER BY id LIMIT 5) n});
my ($removed, $changed, $moved, $purged, $case) = split /,/, $live;
my $net = $mariadb->sql("SELECT MAX(id) FROM networks WHERE removed IS NULL AND id <> (SELECT network_id FROM nics WHERE id = $moved)");
my $from = $mariadb->sql("SELECT network_id FROM nics WHERE id = $moved");
$mariadb->sql(<<"SQL");
UPDATE nics SET state = 'Deallocating', removed = '2025-07-06 03:04:05' WHERE id = $removed;
UPDATE nics SET ip4_address = '10.99.0.1', state = 'Releasing', update_time = NULL WHERE id = $changed;
UPDATE nics SET network_id = $net WHERE id = $moved;
DELETE FROM nics WHERE id = $purged;
UPDATE nics SET state = 'reserved' WHERE id = $case;
INSERT INTO nics (id, uuid, instance_id, network_id, state, strategy, vm_type, default_nic, display_nic, created)
	SELECT 90001, '00000000-0000-4000-8000-000000090001', instance_id, $net, 'Reserved', 'Start', 'User', 0, 1, '2025-07-06 04:00:00' FROM nics WHERE id = $moved;
SQL
($code, $said) = import_from('cs', 'cloud');
is(last_run('cloud'), 'done|2036|1|4|1|0|0', 'rows that were added, changed, removed and purged are followed');
is($node->safe_psql('postgres', "SELECT state, removed AT TIME ZONE 'UTC', active FROM cloud.all_nics WHERE id = $removed"), 'Deallocating|2025-07-06 03:04:05|f', 'the removed one, at its time');
is($node->safe_psql('postgres', "SELECT state, host(ip4_address) FROM cloud.nics WHERE id = $changed"), 'Releasing|10.99.0.1', 'the changed one');
is($node->safe_psql('postgres', "SELECT network_id = $net FROM cloud.nics WHERE id = $moved"), 't', 'the moved one');
is($node->safe_psql('postgres', "SELECT state, removed = (SELECT max(started) FROM cloud.import_runs) FROM cloud.all_nics WHERE id = $purged"), 'Deallocating|t', 'the purged one is kept as removed');
is($node->safe_psql('postgres', "SELECT state FROM cloud.nics WHERE id = $case"), 'reserved', 'a state that differs in its letters\' case only is changed');
is($node->safe_psql('postgres', "SELECT nic_id, from_state, to_state, event, from_network_id FROM cloud.nic_history ORDER BY nic_id"),
	join("\n", "$removed|Reserved|Deallocating|Imported|", "$changed|Reserved|Releasing|Imported|", "$moved|Reserved|Reserved|Imported|$from",
		"$purged|Reserved|Deallocating|Imported|", "$case|Reserved|reserved|Imported|"), 'history has them as Imported');

#
# Traps
#

# Letters' case: what MySQL takes for equal is told apart.
is($node->safe_psql('postgres', q{SELECT count(*) FROM cs.nics WHERE state = 'reserved'}) > 100 ? 'blind' : 'exact', 'blind', 'a condition that goes to MySQL ignores case');
is($node->safe_psql('postgres', q{SELECT count(*) FROM cloud.nics WHERE state = 'reserved'}),
	$mariadb->sql(q{SELECT COUNT(*) FROM nics WHERE removed IS NULL AND BINARY state = 'reserved'}), 'in the mirror it does not');
$mariadb->sql(q{UPDATE nics SET state = 'DEALLOCATING ' WHERE id = 90001});
import_from('cs', 'cloud');
is($node->safe_psql('postgres', 'SELECT state, active FROM cloud.all_nics WHERE id = 90001'), 'DEALLOCATING|f', 'a NIC that CloudStack takes for half-removed is not active, however that is spelled');
is($node->safe_psql('postgres', q{SELECT id, "column", original, reason FROM cloud.import_log}), '90001|state|DEALLOCATING |blanks at the end were cut off', 'what was cut off is written down');

# Time zones: a datetime is UTC whatever anybody's zone is; a timestamp comes in
# the zone of MySQL's session, which is said.
$mariadb->sql(q{SET time_zone = '+00:00'; UPDATE nics SET update_time = '2025-07-06 05:06:07' WHERE id = 90001});
import_schema('cloud', 'tokyo', 'tokyo');
($code, $said) = import_from('tokyo', 'from_tokyo');
is($code, 0, 'a server in another zone is imported');
like($said, qr/^WARNING:  server "tokyo" gives nics\.update_time in time zone \+09:00\nDETAIL: .*\nHINT:  (ALTER SERVER .*;)$/m, 'with a warning that says so');
my ($hint) = $said =~ /^HINT:  (ALTER SERVER .*;)$/m;
is($node->safe_psql('postgres', q{SELECT created AT TIME ZONE 'UTC', state_changed AT TIME ZONE 'UTC' FROM from_tokyo.all_nics WHERE id = 90001}), '2025-07-06 04:00:00|2025-07-06 14:06:07', 'created is right, a timestamp is off by the zone');
$node->safe_psql('postgres', "$hint; DROP SCHEMA from_tokyo CASCADE");
($code, $said) = import_from('tokyo', 'from_tokyo');
unlike($said, qr/WARNING/, 'after what the hint says, there is no warning');
is($node->safe_psql('postgres', q{SELECT created AT TIME ZONE 'UTC', state_changed AT TIME ZONE 'UTC' FROM from_tokyo.all_nics WHERE id = 90001}), '2025-07-06 04:00:00|2025-07-06 05:06:07', 'and the time is right');

# An account that can write.
import_schema('cloud', 'writable', 'writable');
($code, $said) = import_from('writable', 'from_writable');
is($code, 0, 'an account that can write is no error');
like($said, qr/^WARNING:  the account of server "writable" can write to CloudStack's database\nDETAIL:  It may insert or update: nics\. .*\nHINT:  In MySQL: CREATE USER .*GRANT SELECT ON `cloud`\.\*.*ALTER USER MAPPING/m, 'a warning says so, and how to make one that cannot');
is($node->safe_psql('postgres', q{UPDATE writable.nics SET reserver_name = 'somebody' WHERE id = 90001; SELECT 1}), '1', 'it is true: such a foreign table can be written to');
is($mariadb->sql('SELECT reserver_name FROM nics WHERE id = 90001'), 'somebody', 'and CloudStack has it');
my ($refused, undef, $why) = $node->psql('postgres', q{UPDATE cs.nics SET reserver_name = NULL WHERE id = 90001});
isnt($refused, 0, 'the account that can only read cannot');
like($why, qr/command denied/, 'says MySQL');
# one who may read the foreign tables but not make any is told that nobody looked
$node->safe_psql('postgres', <<'SQL');
CREATE ROLE importer LOGIN;
GRANT CREATE ON DATABASE postgres TO importer;
GRANT USAGE ON SCHEMA writable TO importer;
GRANT SELECT ON ALL TABLES IN SCHEMA writable TO importer;
CREATE USER MAPPING FOR importer SERVER writable OPTIONS (username 'writer', password 'secret of writer');
SQL
(undef, undef, $said) = $node->psql('postgres', q{CALL vmnet.import_cloudstack('writable', 'own')}, extra_params => [ '-U', 'importer' ]);
like($said, qr/NOTICE:  could not ask whether the account of server "writable" can write: permission denied for foreign server writable/, 'who may not ask is told that nobody looked');
like($said, qr/inventory "own": 2608 rows inserted/, 'and has the mirror');

# Numbers above 2^63, which mysql_fdw refuses for columns of type bigint: they are
# changed, and the import says which.
my $most = '18446744073709551615';
$mariadb->sql(qq{SET FOREIGN_KEY_CHECKS = 0; SET sql_mode = ''; UPDATE nics SET mtu = $most WHERE id = 90001; UPDATE networks SET vpc_id = 9223372036854775808 WHERE id = 204; UPDATE vm_instance SET host_id = $most WHERE id = 3; INSERT INTO nics (id, network_id, instance_id, state, created, default_nic, strategy) VALUES ($most, 204, 3, 'Reserved', '2025-01-01', 0, 'Start')});
($code, $said) = import_from('cs', 'cloud');
is($code, 0, 'a number that does not fit is no error') or diag $said;
is($node->safe_psql('postgres', qq{SELECT string_agg(concat_ws(' ', "table", id, "column", original, action), ', ' ORDER BY "table", "column") FROM cloud.import_log WHERE original IN ('$most', '9223372036854775808')}),
	"networks 204 vpc_id 9223372036854775808 changed, nics $most id $most rejected, nics 90001 mtu $most changed, vm_instance 3 host_id $most changed", 'it is written down with table, column and row');
is($node->safe_psql('postgres', q{SELECT (SELECT mtu FROM cloud.all_nics WHERE id = 90001) IS NULL, (SELECT vpc_id FROM cloud.all_networks WHERE id = 204) IS NULL, (SELECT host_id FROM cloud.all_instances WHERE id = 3) IS NULL}), 't|t|t', 'and NULL in the mirror');
is($node->safe_psql('postgres', q{SELECT count(*) FROM pg_class WHERE relname IN ('nics', 'networks') AND relpersistence = 't'}), '0', 'nothing is left of how it was read');
# Who has no USAGE on the server cannot read them as another type; nor can views.
$mariadb->sql(qq{SET FOREIGN_KEY_CHECKS = 0; SET sql_mode = ''; UPDATE networks SET account_id = 9223372036854775809 WHERE id = 205; INSERT INTO nics (id, network_id, instance_id, state, created, default_nic, strategy) VALUES (90077, 9223372036854775810, 3, 'Reserved', '2025-01-01', 0, 'Start'); INSERT INTO account (id, account_name, uuid) VALUES (9223372036854775811, 'too large', NULL)});
$node->safe_psql('postgres', <<'SQL');
CREATE SCHEMA seen;
SELECT format('CREATE VIEW seen.%1$I AS SELECT * FROM cs.%1$I', relname) FROM pg_class WHERE relnamespace = 'cs'::regnamespace AND relkind = 'f' \gexec
SQL
my $logged = q{SELECT string_agg(concat_ws(' ', "table", id, "column", original, action), ', ' ORDER BY "table", "column", id) FROM %s.import_log WHERE length(original) >= 19 AND original ~ '^9223372036854|^18446744073709'};
foreach my $way ([ 'writable', 'own', 'importer' ], [ 'seen', 'over views', $node->safe_psql('postgres', 'SELECT current_user') ])
{
	my ($source, $mirror, $user) = @$way;
	(undef, undef, $said) = $node->psql('postgres', qq{CALL vmnet.import_cloudstack('$source', '$mirror')}, extra_params => [ '-U', $user ]);
	unlike($said, qr/ERROR/, "$source: numbers that cannot be read do not end the import") or diag $said;
	is($node->safe_psql('postgres', sprintf $logged, qq("$mirror")), "account 9223372036854775811 id 9223372036854775811 changed, networks 205 account_id 9223372036854775809 changed, networks 204 vpc_id 9223372036854775808 changed, "
		. "nics $most id $most rejected, nics 90001 mtu $most changed, nics 90077 network_id 9223372036854775810 rejected, vm_instance 3 host_id $most changed", 'they are written down');
	is($node->safe_psql('postgres', qq{SELECT count(*) FROM "$mirror".all_nics}), $mariadb->sql('SELECT COUNT(*) - 2 FROM nics'), 'all other rows are there');
}
$mariadb->sql(qq{SET FOREIGN_KEY_CHECKS = 0; UPDATE networks SET account_id = 1 WHERE id = 205; DELETE FROM nics WHERE id = 90077; DELETE FROM account WHERE id > 9223372036854775807});
$node->safe_psql('postgres', 'SET client_min_messages = warning; DROP SCHEMA seen CASCADE');
$mariadb->sql(qq{DELETE FROM nics WHERE id = $most; UPDATE nics SET mtu = NULL WHERE id = 90001; UPDATE networks SET vpc_id = NULL WHERE id = 204; UPDATE vm_instance SET host_id = NULL WHERE id = 3});
($code, $said) = import_from('cs', 'cloud');
is($code, 0, 'nor is it one that it fits again');

# Zero dates: mysql_fdw cannot read them as times; the mirror stays, and the
# hint is the statement that helps.
$mariadb->sql(q{SET sql_mode = ''; UPDATE nics SET removed = '0000-00-00 00:00:00' WHERE id = 90001; UPDATE nics SET created = '0000-00-00 00:00:00' WHERE id = } . $changed);
my $before = $node->safe_psql('postgres', q{SELECT md5(string_agg(t::text, ',' ORDER BY id)) FROM cloud.all_nics t});
($code, $said) = import_from('cs', 'cloud');
isnt($code, 0, 'a zero date that comes as a time is an error');
like($said, qr/^ERROR:  cannot read cs\.nics: date\/time field value out of range: "0000-00-00 00:00:00"\nDETAIL: .*zero date.*\nHINT:  ALTER FOREIGN TABLE cs\.nics ALTER COLUMN update_time TYPE text, ALTER COLUMN created TYPE text, ALTER COLUMN removed TYPE text;$/m, 'which says what to do');
is($node->safe_psql('postgres', q{SELECT status, message FROM cloud.import_runs ORDER BY run DESC LIMIT 1}), 'failed|cannot read cs.nics: date/time field value out of range: "0000-00-00 00:00:00"', 'the run has failed');
is($node->safe_psql('postgres', q{SELECT md5(string_agg(t::text, ',' ORDER BY id)) FROM cloud.all_nics t}), $before, 'the mirror is what it was');
my ($alter) = $said =~ /^HINT:  (ALTER FOREIGN TABLE .*;)$/m;
$node->safe_psql('postgres', $alter);
($code, $said) = import_from('cs', 'cloud');
is($code, 0, 'after it, the import runs');
is($node->safe_psql('postgres', qq{SELECT created AT TIME ZONE 'UTC', removed = created FROM cloud.all_nics WHERE id IN (90001, $changed) ORDER BY id DESC}), "2025-07-06 04:00:00|t\n1970-01-01 00:00:00|", 'zero dates are what the import makes of them');
is($node->safe_psql('postgres', q{SELECT string_agg("column" || ' ' || original, ', ' ORDER BY "column") FROM cloud.import_log WHERE original LIKE '0000%'}), 'created 0000-00-00 00:00:00, removed 0000-00-00 00:00:00', 'and are written down');

# Row estimates: mysql_fdw says 1000 rows of any table; the mirror's are true.
is($node->safe_psql('postgres', q{EXPLAIN (FORMAT JSON) SELECT * FROM cs.nics}) =~ /"Plan Rows": (\d+)/ ? $1 : '', '1000', 'a foreign table is always 1000 rows');
cmp_ok($node->safe_psql('postgres', q{EXPLAIN (FORMAT JSON) SELECT * FROM cloud.all_nics}) =~ /"Plan Rows": (\d+)/ ? $1 : 0, '>', 1900, 'the mirror knows how many there are');

# Numeric keys, as pgloader makes them of bigint unsigned.
$node->safe_psql('postgres', <<'SQL');
CREATE SCHEMA pgloader;
CREATE TABLE pgloader.networks AS SELECT * FROM cs.networks;
CREATE TABLE pgloader.vm_instance AS SELECT * FROM cs.vm_instance;
CREATE TABLE pgloader.nics AS SELECT * FROM cs.nics;
CREATE TABLE pgloader.op_networks AS SELECT * FROM cs.op_networks;
CREATE TABLE pgloader.nic_secondary_ips AS SELECT * FROM cs.nic_secondary_ips;
ALTER TABLE pgloader.nic_secondary_ips RENAME COLUMN "nicId" TO nicid;
CREATE TABLE pgloader.account AS SELECT * FROM cs.account;
CREATE TABLE pgloader.domain AS SELECT * FROM cs.domain;
CREATE TABLE pgloader.data_center AS SELECT * FROM cs.data_center;
ALTER TABLE pgloader.nics ALTER network_id TYPE numeric(20), ALTER instance_id TYPE numeric(20), ALTER mtu TYPE numeric(20),
	ALTER default_nic TYPE boolean USING default_nic <> 0, ALTER ip4_address TYPE inet USING nullif(btrim(ip4_address), '')::inet;
ALTER TABLE pgloader.networks ALTER account_id TYPE numeric(20), ALTER domain_id TYPE numeric(20), ALTER vpc_id TYPE numeric(20), ALTER data_center_id TYPE numeric(20);
ALTER TABLE pgloader.vm_instance ALTER account_id TYPE numeric(20), ALTER domain_id TYPE numeric(20), ALTER host_id TYPE numeric(20), ALTER data_center_id TYPE numeric(20);
SQL
import_from('pgloader', 'from_pgloader');
$node->safe_psql('postgres', 'DROP SCHEMA IF EXISTS fresh CASCADE');
import_from('cs', 'fresh');
is(differences('fresh', 'from_pgloader'), "0\n0\n0\n0", 'tables as pgloader makes them give the same mirror');
# the state that an import saw change has another time than one at first sight
is($node->safe_psql('postgres', q{SELECT count(*) FROM ((SELECT id, state, network_id, removed, ip4_address FROM (SELECT * FROM cloud.all_nics c WHERE NOT EXISTS (SELECT FROM cloud.import_vanished v WHERE v.relation = 'nics' AND v.id = c.id)) c EXCEPT ALL SELECT id, state, network_id, removed, ip4_address FROM fresh.all_nics) UNION ALL (SELECT id, state, network_id, removed, ip4_address FROM fresh.all_nics EXCEPT ALL SELECT id, state, network_id, removed, ip4_address FROM (SELECT * FROM cloud.all_nics c WHERE NOT EXISTS (SELECT FROM cloud.import_vanished v WHERE v.relation = 'nics' AND v.id = c.id)) c)) d}), '0', 'a mirror that was refreshed is what a new one is');

# A table that ends before its end, for whatever reason, is not taken for all of
# it: this one lacks a row when it is read, and has it when it is counted.
$node->safe_psql('postgres', <<'SQL');
CREATE SCHEMA leaky;
CREATE SEQUENCE leaky.s;
CREATE FUNCTION leaky.passes(id bigint) RETURNS boolean LANGUAGE sql AS $$ SELECT id <> 200 OR nextval('leaky.s') <> 2 $$;
CREATE VIEW leaky.networks AS TABLE cs.networks;
CREATE VIEW leaky.vm_instance AS TABLE cs.vm_instance;
CREATE VIEW leaky.nics AS SELECT * FROM cs.nics n WHERE leaky.passes(n.id);
SQL
($code, $said) = import_from('leaky', 'from_leaky');
isnt($code, 0, 'the import takes no part of a table for all of it');
like($said, qr/^ERROR:  the source gave 2035 of 2036 rows of leaky\.nics\nDETAIL:  .*\nHINT:  .*Run the import again/m, 'and says so');
($code, $said) = import_from('leaky', 'from_leaky');
is($code, 0, 'the next one has all of it');

#
# The source goes away in the middle
#
$mariadb->sql(qq{UPDATE nics SET removed = NULL, state = 'Allocated' WHERE id = 90001; UPDATE nics SET created = '2025-02-03 04:05:06' WHERE id = $changed});

# Whoever reads the key 150 waits until the gate is open.  The rows before it
# have come by then, and by far not all of those after it.
import_schema('cloud', 'cs', 'gated');
$node->safe_psql('postgres', <<'SQL');
CREATE TABLE gated.gate (shut boolean);
INSERT INTO gated.gate VALUES (false);
CREATE FUNCTION gated.wait(id bigint) RETURNS boolean LANGUAGE plpgsql AS $$
BEGIN
	IF id = 150 THEN
		WHILE (SELECT shut FROM gated.gate) LOOP
			PERFORM pg_sleep(0.01);
		END LOOP;
	END IF;
	RETURN true;
END
$$;
CREATE DOMAIN gated.key AS bigint CHECK (gated.wait(VALUE));
ALTER FOREIGN TABLE gated.nics ALTER id TYPE gated.key;
SQL
($code, $said) = import_from('gated', 'cloud');
is($code, 0, 'through an open gate all goes well') or diag($said);
$before = $node->safe_psql('postgres', q{SELECT md5(string_agg(t::text, ',' ORDER BY id)) FROM cloud.all_nics t});

# A statement that is at the gate when MariaDB is killed.
sub killed_at_the_gate
{
	my ($sql) = @_;
	my ($output, $error) = ('', '');

	$node->safe_psql('postgres', 'UPDATE gated.gate SET shut = true');
	my $session = IPC::Run::start([ 'psql', '-X', '-A', '-t', '-d', $node->connstr('postgres'), '-c', $sql ],
		'<', \undef, '>', \$output, '2>', \$error);
	$node->poll_query_until('postgres', q{SELECT count(*) = 1 FROM pg_stat_activity WHERE wait_event = 'PgSleep'})
	  or die "nobody is at the gate: $output $error";
	$mariadb->kill9;
	$node->safe_psql('postgres', 'UPDATE gated.gate SET shut = false');
	return ($session->finish ? 0 : 1, $output, $error);
}

my ($result, $output, $error) = killed_at_the_gate('SELECT count(id) FROM (SELECT id, mac_address FROM gated.nics OFFSET 0) n');
is($result, 0, 'mysql_fdw takes a lost connection for the end of a table');
cmp_ok($output, '<', 2000, 'so a part of it looks like all of it');
$mariadb->start;

$mariadb->sql("UPDATE nics SET state = 'Releasing' WHERE id = $moved");
($result, $output, $error) = killed_at_the_gate(q{CALL vmnet.import_cloudstack('gated', 'cloud')});
isnt($result, 0, 'an import whose source goes away fails');
like($error, qr/^ERROR:  the source of table gated\.nics went away: .*\nDETAIL:  .*\nHINT:  .*Run the import again/m, 'and says that it was the source');
is($node->safe_psql('postgres', q{SELECT md5(string_agg(t::text, ',' ORDER BY id)) FROM cloud.all_nics t}), $before, 'the last good mirror stays');
is($node->safe_psql('postgres', q{SELECT status, message LIKE 'the source of table gated.nics went away: %', finished IS NOT NULL FROM cloud.import_runs ORDER BY run DESC LIMIT 1}), 'failed|t|t', 'the run is marked as failed');
is($node->safe_psql('postgres', q{SELECT count(*) FROM pg_class WHERE relnamespace = 'cloud'::regnamespace AND relname LIKE 'import\_stage%'}), '0', 'its stages are gone');
($code, $said) = import_from('gated', 'cloud');
isnt($code, 0, 'while MariaDB is down, the next one fails');
like($said, qr/^ERROR:  .*connect to MySQL/m, 'since it cannot connect');
is($node->safe_psql('postgres', q{SELECT md5(string_agg(t::text, ',' ORDER BY id)) FROM cloud.all_nics t}), $before, 'and the mirror still stays');

# A session that was connected before: it finds its connection lost, once.
my $marker = PostgreSQL::Test::Utils::tempdir_short() . '/wait';
$mariadb->start;
append_to_file($marker, '');
append_to_file("$marker.sql", "SELECT count(*) FROM cs.networks;\n\\! rm $marker; while ! test -e $marker; do sleep 0.1; done\n"
	  . "CALL vmnet.import_cloudstack('gated', 'cloud');\nCALL vmnet.import_cloudstack('gated', 'cloud');\n");
($output, $error) = ('', '');
my $session = IPC::Run::start([ 'psql', '-X', '-A', '-t', '-d', $node->connstr('postgres'), '-f', "$marker.sql" ], '<', \undef, '>', \$output, '2>', \$error);
for (1 .. 600)
{
	last if !-e $marker;
	Time::HiRes::sleep(0.1);
}
$mariadb->kill9;
$mariadb->start;
append_to_file($marker, '');
$session->finish;
like($output, qr/CALL\n\z/, 'a session whose connection was lost has another one, at the second try at the latest') or diag($error);
is($node->safe_psql('postgres', q{SELECT status, nics_read, sum(rows_updated) FROM cloud.import_runs WHERE status = 'done' AND run > (SELECT max(run) FROM cloud.import_runs WHERE status = 'failed' AND message LIKE '%connect to MySQL%') GROUP BY 1, 2}), 'done|2036|1', 'which follows what changed');
is($node->safe_psql('postgres', "SELECT state FROM cloud.nics WHERE id = $moved"), 'Releasing', 'as it is at the source');

$mariadb->stop;
$node->stop;
done_testing();

# How long a first copy and a refresh take, beside a plain copy of the same
# foreign tables.
sub measure
{
	my ($rows) = @_;
	my %took;

	$mariadb->sql(<<"SQL");
SET sql_mode = '';
INSERT INTO account (id, account_name) SELECT seq, CONCAT('account', seq) FROM seq_1_to_10;
INSERT INTO domain (id, path) VALUES (1, '/');
INSERT INTO data_center (id, name) VALUES (1, 'zone');
INSERT INTO networks (id, uuid, name, state, traffic_type, guest_type, cidr, gateway, account_id, domain_id, data_center_id, created)
	SELECT seq, UUID(), CONCAT('net', seq), 'Implemented', 'Guest', 'Isolated', '10.0.0.0/8', '10.0.0.1', 2, 1, 1, '2025-01-06' FROM seq_1_to_@{[$rows / 100]};
INSERT INTO op_networks (id, nics_count) SELECT seq, 3 FROM seq_1_to_@{[$rows / 100]};
INSERT INTO vm_instance (id, uuid, name, instance_name, state, type, vm_type, account_id, domain_id, data_center_id, created)
	SELECT seq, UUID(), CONCAT('vm-', seq), CONCAT('i-2-', seq, '-VM'), IF(seq % 3, 'Running', 'Stopped'), 'User', 'User', 2 + seq % 8, 1, 1, '2025-01-06' FROM seq_1_to_@{[$rows / 10]};
INSERT INTO nics (id, uuid, instance_id, mac_address, ip4_address, netmask, gateway, ip_type, broadcast_uri, network_id, mode, state, strategy, reserver_name, reservation_id, device_id, default_nic, vm_type, created, removed)
	SELECT seq, UUID(), 1 + (seq DIV 10) % @{[$rows / 10]}, CONCAT_WS(':', '02', '00', SUBSTR(LPAD(HEX(seq), 8, '0'), 1, 2), SUBSTR(LPAD(HEX(seq), 8, '0'), 3, 2), SUBSTR(LPAD(HEX(seq), 8, '0'), 5, 2), SUBSTR(LPAD(HEX(seq), 8, '0'), 7, 2)),
		CONCAT_WS('.', 10, seq DIV 65536 % 256, seq DIV 256 % 256, seq % 256), '255.255.255.0', '10.0.0.1', 'Ip4', 'vlan://300', 1 + seq % @{[$rows / 100]}, 'Dhcp',
		IF(seq % 3, 'Deallocating', 'Reserved'), 'Start', 'ExternalGuestNetworkGuru', UUID(), seq % 10, seq % 10 = 0, 'User', '2025-01-06', IF(seq % 3, '2025-07-01', NULL) FROM seq_1_to_$rows;
ANALYZE TABLE nics, vm_instance, networks;
SQL
	$node->safe_psql('postgres', q{ALTER SERVER cs OPTIONS (SET fetch_size '10000')});
	import_schema('cloud', 'cs', 'cs');

	foreach my $round (1 .. 3)
	{
		$node->safe_psql('postgres', 'CREATE SCHEMA plain; CREATE TABLE plain.networks (LIKE cs.networks); CREATE TABLE plain.vm_instance (LIKE cs.vm_instance); CREATE TABLE plain.nics (LIKE cs.nics)');
		foreach my $step (
			[ 'plain copy' => join('; ', map { "INSERT INTO plain.$_ SELECT * FROM cs.$_" } qw(nics vm_instance networks)) ],
			[ 'first copy' => q{CALL vmnet.import_cloudstack('cs', 'cloud')} ],
			[ 'refresh' => q{CALL vmnet.import_cloudstack('cs', 'cloud')} ])
		{
			my ($name, $sql) = @$step;
			# one row in a hundred has changed
			$mariadb->sql("UPDATE nics SET state = 'Releasing$round' WHERE id % 100 = 0") if $name eq 'refresh';
			my $start = time;
			$node->safe_psql('postgres', $sql);
			my $seconds = time - $start;
			$took{$name} = $seconds if !defined $took{$name} || $seconds < $took{$name};
		}
		is($node->safe_psql('postgres', 'SELECT rows_inserted, rows_updated FROM cloud.import_runs ORDER BY run'),
			sprintf("%d|0\n0|%d", $rows + $rows / 10 + $rows / 100, $rows / 100), "round $round: it did what it had to");
		$node->safe_psql('postgres', 'SET client_min_messages = warning; DROP SCHEMA cloud, plain CASCADE');
	}
	foreach my $name ('first copy', 'refresh')
	{
		my $ratio = $took{$name} / $took{'plain copy'};
		note(sprintf '%s of %d NICs: %.2f s, %.2f times the plain copy of %.2f s (best of 3)', $name, $rows, $took{$name}, $ratio, $took{'plain copy'});
		cmp_ok($ratio, '<=', 2, "$name takes no more than twice as long as a plain copy");
	}
	return;
}
