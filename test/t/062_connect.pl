# connect_cloudstack(): one call makes all that is needed to read a CloudStack in
# MariaDB, whatever its version; the password is in no result, message, log or
# statistics; and where it fails, nothing is left of it.
#
# pg_regress cannot do it: another server has to run, and the log to be read.
use strict;
use warnings;

use lib 'test/t';
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

use MariaDB;

my $dump = 'test/data/cloudstack-4.19';

# Everything that could keep the text of a statement does.
my $node = PostgreSQL::Test::Cluster->new('connect');
$node->init;
$node->append_conf('postgresql.conf', <<'EOC');
shared_preload_libraries = 'pg_stat_statements, auto_explain'
pg_stat_statements.track = 'all'
auto_explain.log_min_duration = 0
auto_explain.log_nested_statements = on
log_statement = 'all'
log_min_messages = debug1
log_error_verbosity = verbose
log_parameter_max_length_on_error = -1
EOC
$node->start;

my $missing = MariaDB::missing($node);
plan skip_all => $missing if defined $missing;

my $mariadb = MariaDB->new;
my @tables = $mariadb->make_tables($dump);
$mariadb->load_tables($dump, @tables);
$mariadb->make_account('reader', 'SELECT ON *.*');
$mariadb->make_account('writer', 'SELECT ON cloud.*', 'INSERT, UPDATE ON cloud.nics');
$mariadb->make_account('nobody');

sub sql { return $node->safe_psql('postgres', shift); }

# Connects with the password of an account, or another one, that no statement
# holds: COPY brings it.  Gives the exit code, the output and what was said.
sub connect_as
{
	my ($account, $arguments, %options) = @_;
	my $password = $options{password} // "secret of $account";
	my ($code, $output, $said) = $node->psql($options{database} // 'postgres', <<"SQL", extra_params => [ '-v', 'VERBOSITY=verbose', @{ $options{extra} // [] } ], on_error_stop => 1);
SET client_min_messages = debug1;
@{[$options{first} // '']};
CREATE TEMPORARY TABLE secret (password text);
COPY secret FROM STDIN;
$password
\\.
SELECT * FROM vmnet.connect_cloudstack('127.0.0.1', @{[$options{port} // $mariadb->{port}]}, username => '$account', password => (SELECT password FROM secret)$arguments);
SQL
	$said =~ s/^psql:<stdin>:\d+: //mg;
	return ($code, $output, $said);
}

my %said_everywhere;    # what clients were told, by title

# Connecting fails: with this error, and nothing is left.
sub fails
{
	my ($account, $arguments, $error, $title, %options) = @_;
	my $count = q{SELECT (SELECT count(*) FROM pg_foreign_server), (SELECT count(*) FROM pg_user_mapping), (SELECT count(*) FROM pg_namespace WHERE nspname !~ '^pg_(toast_)?temp'), (SELECT count(*) FROM pg_class WHERE relpersistence <> 't')};
	my $before = sql($count);
	my ($code, undef, $said) = connect_as($account, $arguments, %options);
	my ($shown) = $said =~ /^((?:ERROR|FATAL):.*)/ms;

	$said_everywhere{$title} = $said;
	isnt($code, 0, "refused: $title");
	like($shown, $error, "$title: the error says so");
	is(sql($count), $before, "$title: nothing is left");
	return;
}

#
# Without mysql_fdw
#
sql('CREATE EXTENSION vmnet_ext');
fails('reader', '', qr/^ERROR:  0A000: mysql_fdw is not installed in database "postgres"\nDETAIL:  .*\nHINT:  Install its package \(Debian: .*CREATE EXTENSION mysql_fdw;$/m, 'no mysql_fdw');
sql('CREATE EXTENSION mysql_fdw; CREATE EXTENSION pg_stat_statements');

#
# The sample database
#
my ($code, $output, $said) = connect_as('reader', '');
is($code, 0, 'one call connects') or diag($said);
$said_everywhere{connected} = $said;
is($output, join("\n", 'networks|t|', 'vm_instance|t|', 'nics|t|enabled', 'nic_secondary_ips|t|', 'vlan|f|', 'user_ip_address|t|', 'account|t|', 'data_center|t|', 'domain|t|', 'host|f|', 'op_networks|t|'),
	'and says what it found, and what this version lacks');
unlike($said, qr/WARNING/, 'nothing is wrong');
is(sql(q{SELECT string_agg(foreign_table_name, ' ' ORDER BY foreign_table_name) FROM information_schema.foreign_tables WHERE foreign_table_schema = 'cloudstack' AND foreign_server_name = 'cloudstack'}),
	'account data_center domain networks nic_secondary_ips nics op_networks user_ip_address vm_instance', 'the foreign tables are there');
is(sql(q{SELECT string_agg(attname || ' ' || format_type(atttypid, atttypmod), ', ' ORDER BY attname) FROM pg_attribute WHERE attrelid = 'cloudstack.nics'::regclass AND attnum > 0 AND attname IN ('id', 'instance_id', 'device_id', 'default_nic', 'mtu', 'ip4_address', 'created', 'update_time', 'state')}),
	'created text, default_nic smallint, device_id integer, id bigint, instance_id bigint, ip4_address text, mtu bigint, state text, update_time text', 'with types that take whatever MySQL has');
is(sql(q{SELECT count(*) FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid WHERE c.relnamespace = 'cloudstack'::regnamespace AND (attname LIKE '%password%' OR attname IN ('private_ip_address', 'display_text'))}), '0', 'and no column that is not read');
is(sql(q{SELECT umuser::regrole FROM pg_user_mapping JOIN pg_foreign_server s ON s.oid = umserver WHERE srvname = 'cloudstack'}), $node->safe_psql('postgres', 'SELECT current_user'), 'the user mapping is the caller\'s');
is(sql(q{SELECT count(*) FROM pg_class c LEFT JOIN pg_description d ON d.objoid = c.oid AND d.objsubid = 0 WHERE c.relnamespace = 'cloudstack'::regnamespace AND d.description IS NULL}), '0', 'every foreign table says what it is');

# Rows by which two inventories differ, in any column.
sub differences
{
	my ($a, $b, @relations) = @_;
	@relations = qw(all_networks all_instances all_nics all_nic_secondary_ips) unless @relations;
	return sql(join(' + ', map {
		"(SELECT count(*) FROM ((TABLE $a.$_ EXCEPT ALL TABLE $b.$_) UNION ALL (TABLE $b.$_ EXCEPT ALL TABLE $a.$_)) d)"
	} @relations) =~ s/^/SELECT /r);
}

sub import_from
{
	my ($source, $inventory) = @_;
	my ($failed, undef, $error) = $node->psql('postgres', "CALL vmnet.import_cloudstack('$source', '$inventory')");
	is($failed, 0, "$source is imported") or diag($error);
	return $error;
}
sql(scalar qx(contrib/load-cloudstack-dump $dump dump));
sql(q{CALL vmnet.import_cloudstack('dump', 'from_dump')});
unlike(import_from('cloudstack', 'cloud'), qr/WARNING/, 'without a warning');
is(differences('cloud', 'from_dump'), '0', 'as the mirror that the dump makes, in every column');
is(sql('SELECT count(*) FROM cloud.all_nics'), '2036', 'of all its rows');
is(sql('SELECT count(*) FROM cloud.import_log'), '0', 'no value of which was changed');

sql(q{SELECT vmnet.attach_cloudstack('live', 'cloudstack')});
is(differences('live', 'cloud', 'network_instances', 'network_counts', 'nics', 'networks', 'instances', 'nic_secondary_ips'), '0', 'a live inventory over it has the rows of the mirror');
my $plan = sql('EXPLAIN VERBOSE SELECT n.id, i.id FROM live.nics n JOIN live.instances i ON i.id = n.instance_id WHERE n.network_id = 204 AND n.default_nic');
is(scalar(() = $plan =~ /->|Scan|Join/g), 1, 'whose conditions on keys, flags and what is live are judged by MySQL') or diag($plan);
like($plan, qr/`removed` IS NULL.*lower\(rtrim\(r\d+\.`state`\)\) <> 'deallocating'/, 'all of them');

#
# Other versions
#
# A copy of the database, changed.
sub version_of
{
	my ($name, @changes) = @_;
	$mariadb->sql(join(';', "CREATE DATABASE `$name` DEFAULT CHARACTER SET utf8mb3",
			map {; "CREATE TABLE `$name`.`$_` LIKE cloud.`$_`", "INSERT INTO `$name`.`$_` SELECT * FROM cloud.`$_`" } @tables), undef);
	$mariadb->sql("SET sql_mode = ''; $_", $name) foreach @changes;
	return;
}

# 4.11: no mtu, and what else came later.  Zero dates are where a NIC was removed.
my ($zero_removed, $zero_created) = split /\t/, $mariadb->sql('SELECT MIN(id), MAX(id) FROM nics WHERE removed IS NOT NULL');
version_of('cloud411',
	'ALTER TABLE nics DROP COLUMN mtu',
	'ALTER TABLE networks DROP COLUMN public_mtu, DROP COLUMN private_mtu',
	"UPDATE nics SET removed = '0000-00-00 00:00:00' WHERE id = $zero_removed; UPDATE nics SET created = '0000-00-00 00:00:00' WHERE id = $zero_created");
($code, $output, $said) = connect_as('reader', q{, dbname => 'cloud411', source => 'v411', server => 'old server'});
is($code, 0, 'a database of 4.11 is connected') or diag($said);
is($output, join("\n", 'networks|t|', 'vm_instance|t|', 'nics|t|mtu, enabled', 'nic_secondary_ips|t|', 'vlan|f|', 'user_ip_address|t|', 'account|t|', 'data_center|t|', 'domain|t|', 'host|f|', 'op_networks|t|'), 'without the columns that it lacks');
is(sql(q{SELECT srvname FROM pg_foreign_server WHERE srvname LIKE 'old%'}), 'old server', 'by the server name asked for');
import_from('v411', 'from_411');
is(sql('SELECT count(*), count(mtu), bool_and(enabled) FROM from_411.all_nics'), '2036|0|t', 'they are NULL, and NICs are enabled');
is(sql(q{SELECT id, "column", original FROM from_411.import_log ORDER BY "column" DESC}), "$zero_removed|removed|0000-00-00 00:00:00\n$zero_created|created|0000-00-00 00:00:00", 'zero dates need nothing else to be done');
is(sql("SELECT removed = created FROM from_411.all_nics WHERE id = $zero_removed"), 't', 'a zero removed is what an import makes of it');
is(sql("SELECT created AT TIME ZONE 'UTC' FROM from_411.all_nics WHERE id = $zero_created"), '1970-01-01 00:00:00', 'so is a zero created');
is(differences('from_411', 'cloud', 'network_instances', 'network_counts', 'all_networks', 'all_instances', 'all_nic_secondary_ips'), '0', 'all else is the same');

# 4.23: enabled, and columns of types that PostgreSQL has not; a flag may be an int.
version_of('cloud423',
	'ALTER TABLE nics ADD COLUMN enabled tinyint(1) NOT NULL DEFAULT 1, ADD COLUMN later json, ADD COLUMN bits bit(3), MODIFY default_nic int(1) unsigned NOT NULL, MODIFY device_id bigint unsigned',
	q{ALTER TABLE networks ADD COLUMN kind set('a', 'b'), MODIFY traffic_type enum('Guest', 'Public', 'Control', 'Management', 'Storage') NOT NULL, ADD COLUMN picture blob},
	'UPDATE nics SET enabled = 0 WHERE id IN (14, 20)');
($code, $output, $said) = connect_as('reader', q{, dbname => 'cloud423', source => 'v423'});
is($code, 0, 'a database of 4.23 is connected') or diag($said);
is($output, join("\n", (map { "$_|t|" } qw(networks vm_instance nics nic_secondary_ips)), 'vlan|f|', 'user_ip_address|t|', (map { "$_|t|" } qw(account data_center domain)), 'host|f|', 'op_networks|t|'),
	'nothing is lacking, but for tables that the sample does not have');
import_from('v423', 'from_423');
is(sql('SELECT string_agg(id::text, $$ $$ ORDER BY id) FROM from_423.all_nics WHERE NOT enabled'), '14 20', 'a NIC may be disabled');
is(differences('from_423', 'cloud', 'all_networks', 'all_instances', 'network_instances', 'network_counts'), '0', 'all else is the same');

# As little as there can be: three tables, and the columns that are needed.
$mariadb->sql(<<'SQL', undef);
CREATE DATABASE `Little ``one'`;
CREATE TABLE `Little ``one'`.networks AS SELECT id, state, created, removed FROM cloud.networks;
CREATE TABLE `Little ``one'`.vm_instance AS SELECT id, state, created, removed FROM cloud.vm_instance;
CREATE TABLE `Little ``one'`.nics AS SELECT id, instance_id, network_id, state, created, removed FROM cloud.nics;
CREATE TABLE `Little ``one'`.nic_secondary_ips AS SELECT id, created FROM cloud.nic_secondary_ips;
CREATE DATABASE `little ``one'`;
SQL
($code, $output, $said) = connect_as('reader', q{, dbname => 'Little `one''', source => 'Its "schema"'});
is($code, 0, 'a database with what is needed and no more is connected, whatever its name') or diag($said);
is($output, join("\n", 'networks|t|uuid, name, traffic_type, guest_type, cidr, network_cidr, gateway, ip6_cidr, ip6_gateway, vpc_id, data_center_id, domain_id, account_id',
		'vm_instance|t|uuid, name, display_name, instance_name, type, host_id, data_center_id, domain_id, account_id',
		'nics|t|uuid, strategy, reserver_name, reservation_id, vm_type, device_id, default_nic, mac_address, ip4_address, ip6_address, netmask, gateway, broadcast_uri, mtu, enabled, update_time',
		'nic_secondary_ips|f|uuid, nicId, network_id, ip4_address, ip6_address', map { "$_|f|" } qw(vlan user_ip_address account data_center domain host op_networks)),
	'and it says what is not there');
import_from('Its "schema"', 'little');
is(sql('SELECT count(*) FROM ((SELECT network_id, instance_id FROM little.network_instances EXCEPT ALL SELECT network_id, instance_id FROM cloud.network_instances) UNION ALL (SELECT network_id, instance_id FROM cloud.network_instances EXCEPT ALL SELECT network_id, instance_id FROM little.network_instances)) d'), '0', 'even so every answer is right');
sql(q{SELECT vmnet.attach_cloudstack('little live', 'Its "schema"')});
is(sql('SELECT count(*) FROM ((SELECT network_id, instance_id FROM "little live".network_instances EXCEPT ALL SELECT network_id, instance_id FROM cloud.network_instances) UNION ALL (SELECT network_id, instance_id FROM cloud.network_instances EXCEPT ALL SELECT network_id, instance_id FROM "little live".network_instances)) d'), '0', 'also live');

#
# What cannot be connected
#
fails('reader', q{, source => 'x'}, qr/^ERROR:  HV00N: cannot read CloudStack's database: failed to connect to MySQL: Access denied.*\nDETAIL:  No object was created\.\nHINT:  /m, 'wrong password', password => 'a wrong secret');
fails('reader', q{, source => 'x'}, qr/^ERROR:  HV00N: .*Can't connect/m, 'wrong port', port => PostgreSQL::Test::Cluster::get_free_port());
fails('stranger', q{, source => 'x'}, qr/^ERROR:  HV00N: .*Access denied/m, 'no such account');
fails('nobody', q{, source => 'x'}, qr/^ERROR:  22023: database "cloud" does not contain CloudStack's tables\nDETAIL:  Account "nobody" cannot see: networks\.id, networks\.state, .*nics\.removed\.\nHINT:  In MySQL: GRANT SELECT ON `cloud`\.\* TO 'nobody'/m, 'an account that may see nothing');
fails('reader', q{, source => 'x', dbname => 'Cloud'}, qr/^ERROR:  22023: database "Cloud" does not contain/m, 'no such database, but for its letters\' case');
fails('reader', q{, source => 'cloud'}, qr/^ERROR:  42P06: schema "cloud" already exists/m, 'a schema that is there already');
fails('reader', q{, source => 'x', server => 'cloudstack'}, qr/^ERROR:  42710: server "cloudstack" already exists/m, 'a server that is there already');
fails('reader', q{, source => 'pg_x'}, qr/^ERROR:  42939: /m, 'a name that PostgreSQL keeps for itself');
fails('reader', q{, source => 'x', options => '{"colour": "red"}'}, qr/^ERROR:  22023: mysql_fdw does not accept these options\nDETAIL:  Its error is: invalid option "colour"\.\nHINT:  Valid options/m, 'an option that mysql_fdw does not know');
fails('reader', q{, source => 'x', options => '{"fetch_size": "many"}'}, qr/^ERROR:  22023: mysql_fdw does not accept these options\nDETAIL:  Its error is: "fetch_size" requires/m, 'an option with a value that it cannot have');
fails('reader', q{, source => 'x', options => '{"password": "an optional secret"}'}, qr/^ERROR:  22023: "password" cannot be one of the options\nDETAIL:  It is a separate argument/m, 'a password among the options');
fails('reader', q{, source => 'x', options => '{"init_command": "SET no_such_variable = 1"}'}, qr/^ERROR:  HV00\w: .*cannot read CloudStack's database/m, 'a session that MySQL refuses');
version_of('broken', 'DROP TABLE nics', 'ALTER TABLE networks DROP COLUMN removed');
fails('reader', q{, source => 'x', dbname => 'broken'}, qr/^ERROR:  22023: database "broken" .*\nDETAIL:  .* cannot see: networks\.removed, nics\.id, nics\.instance_id, nics\.network_id, nics\.state, nics\.created, nics\.removed\.$/m, 'a database without a table and a column that are needed');

# Each step that makes something fails once.
sql(<<'SQL');
CREATE FUNCTION refuse() RETURNS event_trigger LANGUAGE plpgsql AS $$
BEGIN
	IF tg_tag = current_setting('test.refused', true) THEN
		RAISE EXCEPTION 'refused: %', tg_tag USING DETAIL = current_query();
	END IF;
END
$$;
CREATE EVENT TRIGGER refuse_start ON ddl_command_start EXECUTE FUNCTION refuse();
SQL
foreach my $moment ('start', 'end')
{
	foreach my $tag ('CREATE SCHEMA', 'CREATE SERVER', 'CREATE USER MAPPING', 'CREATE FOREIGN TABLE', 'DROP FOREIGN TABLE', 'COMMENT')
	{
		fails('reader', q{, source => 'x'}, qr/^ERROR:  P0001: refused: $tag$/m, "$tag is refused at its $moment", first => "SET test.refused = '$tag'");
	}
	sql('DROP EVENT TRIGGER refuse_start; CREATE EVENT TRIGGER refuse_end ON ddl_command_end EXECUTE FUNCTION refuse()') if $moment eq 'start';
}
sql('DROP EVENT TRIGGER refuse_end');

#
# Who may do what
#
($code, $output, $said) = connect_as('writer', q{, source => 'writable', for_public => true});
is($code, 0, 'an account that can write is no error');
like($said, qr/^WARNING:  01000: the account of server "writable" can write to CloudStack's database$/m, 'but a warning');
is(sql(q{SELECT count(*) FROM pg_user_mapping JOIN pg_foreign_server s ON s.oid = umserver WHERE srvname = 'writable' AND umuser = 0}), '1', 'a mapping can be for everybody');
sql(<<'SQL');
CREATE ROLE analyst LOGIN;
CREATE ROLE operator LOGIN;
GRANT CREATE, TEMPORARY ON DATABASE postgres TO operator;
SELECT vmnet.attach_cloudstack('shared', 'writable');
GRANT USAGE ON SCHEMA shared TO analyst;
GRANT SELECT ON ALL TABLES IN SCHEMA shared TO analyst;
SQL
my (undef, $read) = $node->psql('postgres', q{SELECT count(*) FROM vmnet.network_active_instances(204, inventory => 'shared')}, extra_params => [ '-U', 'analyst' ]);
is($read, sql(q{SELECT count(*) FROM vmnet.network_active_instances(204, inventory => 'cloud')}), 'with which readers read a live inventory');
fails('reader', q{, source => 'x'}, qr/^ERROR:  42501: permission denied for foreign-data wrapper mysql_fdw/m, 'a role that may not make a server', extra => [ '-U', 'operator' ]);
sql('GRANT USAGE ON FOREIGN DATA WRAPPER mysql_fdw TO operator');
($code, $output, $said) = connect_as('reader', q{, source => 'own'}, extra => [ '-U', 'operator' ]);
is($code, 0, 'one that may connects, superuser or not') or diag($said);
($code, undef, $said) = $node->psql('postgres', q{CALL vmnet.import_cloudstack('own', 'own_mirror')}, extra_params => [ '-U', 'operator' ]);
is($code, 0, 'and imports') or diag($said);
is(differences('own_mirror', 'cloud'), '0', 'the same');

# A name is what it is, also where the locale of the database is C.
$mariadb->sql(q{SET NAMES utf8mb4; UPDATE networks SET name = 'Zürich – Öffentlich' WHERE id = 204});
sql(q{CREATE DATABASE plain TEMPLATE template0 ENCODING 'UTF8' LOCALE 'C'});
$node->safe_psql('plain', 'CREATE EXTENSION vmnet_ext; CREATE EXTENSION mysql_fdw');
($code, $output, $said) = connect_as('reader', '', database => 'plain');
is($node->safe_psql('plain', q{SELECT name FROM cloudstack.networks WHERE id = 204}), 'Zürich – Öffentlich', 'text is not mangled by the locale');

# Again, after an upgrade of CloudStack: the mirror stays.
sql('SET client_min_messages = warning; DROP SERVER cloudstack CASCADE; DROP SCHEMA cloudstack');
($code, $output, $said) = connect_as('reader', q{, dbname => 'cloud423'});
is($code, 0, 'it connects again');
import_from('cloudstack', 'cloud');
is(sql('SELECT rows_inserted, rows_updated, rows_deleted FROM cloud.import_runs ORDER BY run DESC LIMIT 1'), '0|2|0', 'and the mirror goes on from where it was');

#
# The password
#
my $secret = qr/secret of \w+|a wrong secret/;
unlike($said_everywhere{'a password among the options'} =~ s/^.*^ERROR/ERROR/msr, qr/an optional secret/, 'an error does not repeat the options');
foreach my $title (sort keys %said_everywhere)
{
	unlike($said_everywhere{$title}, $secret, "no message holds the password: $title");
}
my $log = slurp_file($node->logfile);
like($log, qr/LOG: .*statement: SELECT \* FROM vmnet\.connect_cloudstack/, 'the statements are in the log');
unlike($log, qr/STATEMENT: .*SELECT \* FROM vmnet\.connect_cloudstack/, 'once: not again where they fail');
like($log, qr/Query Text: .*connect_needs/, 'and those of functions');
unlike($log, $secret, 'the password is not');
cmp_ok(sql(q{SELECT count(*) FROM pg_stat_statements WHERE query ~ 'USER MAPPING'}), '>', 0, 'the statistics have the user mapping');
is(sql(q{SELECT count(*) FROM pg_stat_statements WHERE query ~ 'secret of|wrong secret'}), '0', 'but not its password');

# A statement that holds it is logged as all others are, which is said.
my ($literal, undef, $warned) = $node->psql('postgres', "SELECT * FROM vmnet.connect_cloudstack('127.0.0.1', $mariadb->{port}, username => 'reader', password => 'secret of reader', source => 'literal')");
is($literal, 0, 'a password in the statement works');
like($warned, qr/WARNING:  the password is in the log of this server\nDETAIL:  .*log_statement is "all"\.\nHINT:  .*doc\/cloudstack\.md/, 'with a warning where log_statement is "all"');
like(slurp_file($node->logfile), qr/secret of reader/, 'since that is so');
my $offset = -s $node->logfile;
($literal, undef, $warned) = $node->psql('postgres', "SET log_statement = 'ddl'; SET auto_explain.log_min_duration = -1; SELECT * FROM vmnet.connect_cloudstack('127.0.0.1', $mariadb->{port}, username => 'reader', password => 'secret of reader', source => 'literal2')");
is($literal, 0, 'with log_statement at "ddl"');
unlike($warned, qr/WARNING/, 'there is no warning');
unlike(slurp_file($node->logfile, $offset), qr/secret of reader/, 'and no password');

$offset = -s $node->logfile;
my ($failed) = $node->psql('postgres', "SET log_statement = 'none'; SET auto_explain.log_min_duration = -1; SELECT * FROM vmnet.connect_cloudstack('127.0.0.1', $mariadb->{port}, username => 'reader', password => 'secret of nobody', source => 'literal3'); SHOW log_min_error_statement");
$log = slurp_file($node->logfile, $offset);
isnt($failed, 0, 'with a wrong password it fails');
like($log, qr/ERROR: .*reader/, 'the log says so');
unlike($log, qr/secret of nobody/, 'without the statement that holds it');
is(sql(q{SELECT current_setting('log_min_error_statement') FROM (SELECT count(*) FROM (SELECT * FROM vmnet.connect_cloudstack('127.0.0.1', } . $mariadb->{port} . q{, username => 'reader', password => 'secret of reader', source => 'literal4')) c) d}), 'error',
	'other statements that fail are in the log as before');

$mariadb->stop;
$node->stop;
done_testing();
