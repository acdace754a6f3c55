# A live inventory, straight over CloudStack's tables in MariaDB: every answer
# is the expected one, MySQL does the work that it can do right, and nobody
# writes.
#
# pg_regress cannot do it: another server has to run.  The blocks of doc/cloudstack.md on a
# live CloudStack are run here as well.
use strict;
use warnings;

use lib 'test/t';
use IPC::Run;
use JSON::PP ();
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

use MariaDB;
use Pages;

my $dump = 'test/data/cloudstack-4.19';

my $node = PostgreSQL::Test::Cluster->new('live');
$node->init;
$node->start;

my $missing = MariaDB::missing($node);
plan skip_all => $missing if defined $missing;

my $mariadb = MariaDB->new;
$mariadb->load_tables($dump, $mariadb->make_tables($dump));
$mariadb->make_account('reader', 'SELECT ON cloud.*');
$mariadb->make_account('writer', 'ALL ON cloud.*');

$node->safe_psql('postgres', q{ALTER DATABASE postgres SET timezone = 'America/Sao_Paulo'});
$node->safe_psql('postgres', 'CREATE EXTENSION mysql_fdw; CREATE EXTENSION vmnet_ext; CREATE SCHEMA cs; CREATE SCHEMA writable;'
	  . $mariadb->server_sql('cs', 'reader', init_command => q{SET time_zone = '+00:00'})
	  . $mariadb->server_sql('writable', 'writer', init_command => q{SET time_zone = '+00:00'})
	  . join('', map { "IMPORT FOREIGN SCHEMA cloud LIMIT TO (networks, vm_instance, nics, nic_secondary_ips, op_networks, account, domain, data_center, user_ip_address) FROM SERVER $_ INTO $_;" } qw(cs writable)));

sub sql { return $node->safe_psql('postgres', shift); }

# What an error says, without where it happened.
sub error_of
{
	my ($statement, @options) = @_;
	my ($code, undef, $error) = $node->psql('postgres', $statement, extra_params => [ '-v', 'VERBOSITY=verbose', @options ]);

	$error =~ s/^psql:<stdin>:\d+: //mg;
	return $code == 0 ? 'no error' : $error;
}

sql(q{SELECT vmnet.attach_cloudstack('live', 'cs'); ALTER DATABASE postgres SET vmnet.inventory = 'live'});
is(sql('SELECT name, kind, source, mode FROM vmnet.inventories'), 'live|live|cs|read_only', 'it is an inventory of kind live');
is(sql(q{SELECT string_agg(relname, ' ' ORDER BY relname) FROM pg_class WHERE relnamespace = 'live'::regnamespace AND relkind <> 'v'}), 'accepted_findings accepted_findings_pkey',
	'of views, and of the findings that are accepted');

#
# It holds what a mirror of the text dump holds
#
my $load = qx(contrib/load-cloudstack-dump $dump cloudstack);
sql($load);
sql(q{CALL vmnet.import_cloudstack('cloudstack', 'mirror')});
my $views = sql(q{SELECT string_agg(relname, ' ' ORDER BY relname) FROM pg_class WHERE relnamespace = 'mirror'::regnamespace AND (relkind = 'v' OR relname LIKE 'all\_%' AND relkind = 'r') AND relname NOT IN ('inventory_info', 'stuck_nics')});
cmp_ok(scalar(split(/ /, $views)), '>=', 13, 'there are views to compare');
foreach my $view (split / /, $views)
{
	is(sql("SELECT string_agg(attname || ' ' || format_type(atttypid, atttypmod), ', ' ORDER BY attnum) FROM pg_attribute WHERE attrelid = 'live.$view'::regclass AND attnum > 0"),
		sql("SELECT string_agg(attname || ' ' || format_type(atttypid, atttypmod), ', ' ORDER BY attnum) FROM pg_attribute WHERE attrelid = 'mirror.$view'::regclass AND attnum > 0"),
		"$view has the columns of a mirror's");
	# the sample has no table vlan
	is(sql("SELECT (SELECT count(*) > 0 OR '$view' ~ 'ip_ranges\$' FROM live.$view), (SELECT count(*) FROM (TABLE live.$view EXCEPT ALL TABLE mirror.$view) d), (SELECT count(*) FROM (TABLE mirror.$view EXCEPT ALL TABLE live.$view) d)"),
		't|0|0', "$view has its rows");
}
is(sql('SELECT string_agg(nic_id || state, $$ $$ ORDER BY nic_id) FROM live.stuck_nics'), sql('SELECT string_agg(nic_id || state, $$ $$ ORDER BY nic_id) FROM mirror.stuck_nics'), 'so has stuck_nics');

#
# The answers of expected/
#
sub load_expected
{
	my ($table, $columns) = @_;
	my $rows = slurp_file("$dump/expected/$table.tsv") =~ s/\A.*\n//r;

	sql("CREATE SCHEMA IF NOT EXISTS expected; CREATE TABLE expected.$table ($columns);\nCOPY expected.$table FROM STDIN;\n$rows\\.\n");
	return;
}
load_expected('network_active_instances', 'network_id bigint, instance_id bigint');
load_expected('network_counts', 'network_id bigint, attached_nics bigint, active_instances bigint, running_instances bigint, allocated bigint, reserving bigint, reserved bigint, releasing bigint, deallocating bigint, other_states bigint, used_ip4 bigint');
load_expected('as_of', 'ts timestamp, network_id bigint, instance_id bigint');
load_expected('faults', 'code text, "table" text, id bigint, note text');

sub answers_as
{
	my ($query, $expected, $title) = @_;

	is(sql("WITH answer AS MATERIALIZED ($query), wanted AS ($expected)
		SELECT (SELECT count(*) > 0 FROM wanted), (SELECT count(*) FROM (TABLE wanted EXCEPT ALL TABLE answer) d), (SELECT count(*) FROM (TABLE answer EXCEPT ALL TABLE wanted) d)"),
		't|0|0', $title);
	return;
}
answers_as('SELECT w.id, a.instance_id FROM mirror.all_networks w, vmnet.network_active_instances(w.id) a',
	'TABLE expected.network_active_instances', 'network_active_instances() gives the right answer for every network');
answers_as('SELECT network_id, instance_id FROM live.network_instances',
	'TABLE expected.network_active_instances', 'so does the view');
answers_as('SELECT network_id, attached_nics, active_instances, running_instances, allocated, reserving, reserved, releasing, deallocating, other_states, used_ip4 FROM live.network_counts',
	'TABLE expected.network_counts', 'every count of every network is right');
answers_as('SELECT w.id, vmnet.network_active_instance_count(w.id) FROM mirror.networks w',
	'SELECT network_id, active_instances FROM expected.network_counts', 'so is the function that counts');
answers_as(q{SELECT s.ts, s.network_id, a.instance_id FROM (SELECT DISTINCT ts, network_id FROM expected.as_of) s, vmnet.network_instances_as_of(s.network_id, s.ts AT TIME ZONE 'UTC') a},
	'TABLE expected.as_of', 'so is who was there when');
answers_as('SELECT code, object_type, object_id FROM vmnet.check_inventory()',
	q{SELECT code, CASE "table" WHEN 'nics' THEN 'nic' WHEN 'vm_instance' THEN 'instance' ELSE 'network' END, id FROM expected.faults
		UNION ALL VALUES ('expunge_unfinished', 'instance', 52), ('expunge_unfinished', 'instance', 265)},
	'the check finds every fault, the expunges that half-removed NICs are of, and nothing else');

# Each read function, over live and mirror.
foreach my $call (
	[ 'network_active_instances', 'vmnet.network_active_instances(o.id, inventory => %s)', 'networks' ],
	[ 'pages of it', 'vmnet.network_active_instances(o.id, 100, 2, %s)', 'networks' ],
	[ 'network_active_nics', 'vmnet.network_active_nics(o.id, %s)', 'networks' ],
	[ 'network_in_use', 'vmnet.network_in_use(o.id, %s)', 'networks' ],
	[ 'network_id', 'vmnet.network_id(o.uuid, %s)', 'networks' ],
	[ 'network_id of a text', 'vmnet.network_id(o.id::text, %s)', 'networks' ],
	[ 'network_explain', q{(SELECT array_agg(e ORDER BY e.rule) FROM vmnet.network_explain(o.id, %s) e WHERE e.rule !~ '^(the source|no other)')}, 'networks WHERE id % 5 = 0' ],
	[ 'instance_id', 'vmnet.instance_id(o.uuid, %s)', 'instances WHERE id % 20 = 0' ],
	[ 'instance_active_networks', 'vmnet.instance_active_networks(o.id, %s)', 'instances' ],
	[ 'vpc_active_instances', 'vmnet.vpc_active_instances(o.vpc_id, %s)', 'networks' ],
	[ 'nic_timeline', 'vmnet.nic_timeline(o.id, %s)', 'nics WHERE id % 50 = 0' ])
{
	my ($name, $function, $objects) = @$call;
	my ($live, $mirror) = map { my $f = sprintf($function, "'$_'"); "SELECT o.id, f::text FROM (SELECT * FROM mirror.all_$objects) o, LATERAL $f f" } qw(live mirror);

	answers_as($live, $mirror, "$name is the same");
}

#
# What goes to MySQL
#
# The plan of a query as a list of nodes: type and remote query.
sub nodes
{
	my ($plan) = @_;
	return ([ $plan->{'Node Type'}, $plan->{'Remote query'} // $plan->{'Remote Query'} // '' ], map { nodes($_) } @{ $plan->{Plans} || [] });
}

sub plan_of
{
	my ($query) = @_;
	my $plan = JSON::PP::decode_json(sql("EXPLAIN (VERBOSE, FORMAT JSON) $query"));
	return nodes($plan->[0]{Plan});
}

# Is it one foreign scan and nothing else, whose query has all of these words?
sub all_remote
{
	my ($query, $title, @words) = @_;
	my @nodes = plan_of($query);

	is(join(' ', map { $_->[0] } @nodes), 'Foreign Scan', "$title: nothing is left to do here");
	like($nodes[0][1], $_, "$title: MySQL is asked for $_") foreach @words;
	return;
}
my $live_only = qr/`removed` IS NULL.*deallocating/;
all_remote('SELECT id, instance_id FROM live.nics WHERE network_id = 204', 'filter', $live_only, qr/network_id` = 204/);
all_remote('SELECT count(*) FROM live.nics WHERE network_id = 204', 'count', qr/count\(\*\)/, $live_only);
all_remote('SELECT network_id, count(*) FROM live.nics GROUP BY network_id', 'counts of all networks', qr/GROUP BY/, $live_only);
all_remote('SELECT count(DISTINCT instance_id) FROM live.nics WHERE default_nic', 'flag', qr/default_nic` <> 0/);
all_remote('SELECT id FROM live.nics WHERE id > 100 ORDER BY id LIMIT 10', 'page', qr/ORDER BY.*LIMIT 10/);
all_remote('SELECT count(*) FROM live.networks', 'networks without what other tables add', qr/FROM `cloud`\.`networks` WHERE/);
all_remote('SELECT n.id, w.name, i.name FROM live.nics n JOIN live.networks w ON w.id = n.network_id JOIN live.instances i ON i.id = n.instance_id WHERE w.id = 204',
	'join of three', qr/`nics`.*INNER JOIN.*INNER JOIN/, qr/ = 204/);
is(scalar(grep { $_->[0] eq 'Foreign Scan' && $_->[1] !~ /= 204/ } plan_of('SELECT * FROM live.network_instances WHERE network_id = 204')), 0, 'of one network\'s instances nothing else is read');
is(scalar(grep { $_->[0] eq 'Foreign Scan' && $_->[1] !~ /= 204/ && $_->[1] !~ /`(account|domain|data_center|op_networks)`/ } plan_of('SELECT * FROM live.network_counts WHERE network_id = 204')), 0, 'nor for its counts');

# Text is not compared there: MySQL ignores case, accents and blanks at the end.
my $states = q{SELECT COUNT(*) FROM nics WHERE removed IS NULL AND BINARY state = '%s'};
foreach my $state ('Reserved', 'reserved', 'Deallocating')
{
	is(sql("SELECT count(*) FROM live.all_nics WHERE removed IS NULL AND state = '$state'"), $mariadb->sql(sprintf $states, $state), "$state is compared exactly");
}
unlike(join(' ', map { $_->[1] } plan_of(q{SELECT id FROM live.nics WHERE state = 'Reserved' AND strategy LIKE 'S%' AND uuid IS NOT NULL})), qr/Reserved|LIKE|uuid` IS/, 'since no condition on text goes there');
is(sql(q{SELECT count(*) FROM live.nics n JOIN live.networks w ON lower(w.name) = w.name AND w.id = n.network_id WHERE n.removed IS NULL}), sql(q{SELECT count(*) FROM mirror.nics n JOIN mirror.networks w ON lower(w.name) = w.name AND w.id = n.network_id WHERE n.removed IS NULL}), 'functions of text stay here, too');
is(sql(q{SELECT count(*) FROM live.nics WHERE ip4_address <<= '10.0.0.0/8' AND created > '2025-03-01'}), sql(q{SELECT count(*) FROM mirror.nics WHERE ip4_address <<= '10.0.0.0/8' AND created > '2025-03-01'}), 'addresses and times are what they are');
# while active ignores case, as CloudStack does
$mariadb->sql(q{UPDATE nics SET state = 'dEALLOCATING ' WHERE id = (SELECT id FROM (SELECT MIN(id) AS id FROM nics WHERE removed IS NULL AND state = 'Reserved' AND network_id = 204) n)});
is(sql('SELECT count(*) FROM live.nics WHERE network_id = 204'), sql('SELECT count(*) - 1 FROM mirror.nics WHERE network_id = 204'), 'a change in MySQL is seen at once, and active ignores case');
is(sql('SELECT count(*) FROM live.all_nics WHERE network_id = 204 AND removed IS NULL AND active'), sql('SELECT count(*) - 1 FROM mirror.nics WHERE network_id = 204'), 'also where it is judged here');
$mariadb->sql(q{UPDATE nics SET state = 'Reserved' WHERE state = 'dEALLOCATING' AND BINARY state LIKE 'dEALL%'});

# A NIC without a state, which other versions of CloudStack's tables may have, is
# on its network, wherever that is judged.
$mariadb->sql('ALTER TABLE nics MODIFY state varchar(32) NULL');
sql('ALTER FOREIGN TABLE cs.nics ALTER state DROP NOT NULL');
$live_only = qr/`removed` IS NULL.*`state` IS NULL\)? OR .*deallocating/;
all_remote('SELECT count(*) FROM live.nics WHERE network_id = 204', 'a state that is NULL', $live_only);
my $stateless = $mariadb->sql(q{SELECT MIN(id) FROM nics WHERE removed IS NULL AND state = 'Reserved' AND network_id = 204});
$mariadb->sql("UPDATE nics SET state = NULL WHERE id = $stateless");
is(sql('SELECT count(*), bool_or(id = ' . $stateless . ') FROM live.nics WHERE network_id = 204'), sql('SELECT count(*), true FROM mirror.nics WHERE network_id = 204'), 'a NIC whose state is NULL is live');
is(sql("SELECT active, state, ended IS NULL FROM live.all_nics WHERE id = $stateless"), 't|Unknown|t', 'also where it is judged here');
is(sql('SELECT count(*) FROM vmnet.network_active_instances(204)'), sql(q{SELECT count(*) FROM vmnet.network_active_instances(204, inventory => 'mirror')}), 'its instance is listed');
is(sql('SELECT attached_nics, other_states FROM live.network_counts WHERE network_id = 204'), sql('SELECT attached_nics, other_states + 1 FROM mirror.network_counts WHERE network_id = 204'), 'and counted');
is(sql("SELECT fix IS NULL, message ~ '; at the source, cs: ' FROM vmnet.check_inventory() WHERE code = 'unknown_state' AND object_id = $stateless"), 't|t', 'the check proposes no statement for what may run');
$mariadb->sql("UPDATE nics SET state = 'Reserved' WHERE id = $stateless");
my $gone = $mariadb->sql('SELECT MIN(id) FROM nics WHERE removed IS NOT NULL');
$mariadb->sql("UPDATE nics SET state = NULL WHERE id = $gone");
my $mend = sql("SELECT fix FROM vmnet.check_inventory() WHERE code = 'unknown_state' AND object_id = $gone");
$mariadb->sql($mend);
is($mariadb->sql("SELECT state FROM nics WHERE id = $gone"), 'Deallocating', 'that which it proposes for a removed NIC finds it');
$mariadb->sql('ALTER TABLE nics MODIFY state varchar(32) NOT NULL');

# A parameter may reach MySQL as NULL (mysql_fdw up to 2.9.2): the functions
# send constants, however often they are called.
is(sql(join ';', ('SELECT count(*) FROM vmnet.network_active_nics(204)') x 8), join("\n", (sql(q{SELECT count(*) FROM vmnet.network_active_nics(204, 'mirror')})) x 8), 'the eighth call is right as the first');

#
# Nobody writes, and readers need nothing on the source
#
sql(q{SELECT vmnet.attach_cloudstack('writable live', 'writable')});
foreach my $statement (q{UPDATE %s.nics SET state = 'Allocated' WHERE id > 0}, q{DELETE FROM %s.nics}, q{INSERT INTO %s.networks (id, name) VALUES (1, 'x')},
	q{UPDATE %s.all_instances SET host_id = 1}, q{UPDATE %s.all_nics SET network_id = 1}, q{DELETE FROM %s.instances})
{
	my $error = error_of(sprintf $statement, '"writable live"');
	like($error, qr/^ERROR:  42501: cannot write to view "\w+": inventory "writable live" is live\nDETAIL:  .*read-only\.\nHINT:  Make the change with CloudStack\.$/m, "refused: $statement");
}
sql('CREATE VIEW public.on_top AS SELECT id, network_id FROM "writable live".all_nics');
like(error_of(q{UPDATE public.on_top SET network_id = 1}), qr/^ERROR:  42501: cannot write to view "all_nics"/, 'refused: a write through a view on top');
sql('DROP VIEW public.on_top');
like(error_of(q{UPDATE "writable live".nic_intervals SET network_id = 1}), qr/^ERROR:  55000: cannot update view "nic_intervals"/, 'and one to the view of intervals');
is($mariadb->sql('SELECT COUNT(*), SUM(network_id), SUM(id) FROM nics'), join("\t", split /\|/, sql('SELECT count(*), sum(network_id), sum(id) FROM mirror.all_nics')), 'nothing was written');
like(error_of(q{SELECT vmnet.nic_remove(14)}), qr/^ERROR:  (22023|42501|0A000): .*live/m, 'an operation on a live inventory is refused');

sql('CREATE ROLE reader LOGIN; GRANT USAGE ON SCHEMA live TO reader; GRANT SELECT ON ALL TABLES IN SCHEMA live TO reader');
like(error_of('SELECT count(*) FROM live.nics', '-U', 'reader'), qr/user mapping not found for "reader"/, 'mysql_fdw wants a user mapping for a reader of a view');
sql(q{CREATE USER MAPPING FOR PUBLIC SERVER cs OPTIONS (username 'reader', password 'secret of reader')});
my (undef, $read) = $node->psql('postgres', 'SELECT count(*) FROM vmnet.network_active_instances(204)', extra_params => [ '-U', 'reader' ]);
is($read, sql(q{SELECT count(*) FROM vmnet.network_active_instances(204, inventory => 'mirror')}), 'one for all is enough');
like(error_of('SELECT count(*) FROM cs.nics', '-U', 'reader'), qr/permission denied/, 'he needs no rights on the source, and has none');

#
# What it cannot do, and what is refused
#
is(sql('SELECT count(*) FROM live.nic_history'), '0', 'it remembers nothing');
like(error_of(q{SELECT vmnet.attach_cloudstack('live', 'cs')}), qr/^ERROR:  42P06: schema "live" exists already\nDETAIL:  Nothing in it was touched\.\nHINT:  /m, 'a schema that exists is refused');
like(error_of(q{SELECT vmnet.attach_cloudstack('cs', 'cs')}), qr/^ERROR:  42P06: .*\nDETAIL:  It is the source itself/m, 'the source itself, too');
like(error_of(q{SELECT vmnet.attach_cloudstack('x', 'nowhere')}), qr/^ERROR:  22023: source schema "nowhere" does not exist\n/m, 'and a source that is not there');
like(error_of(q{SELECT vmnet.attach_cloudstack('x', NULL)}), qr/^ERROR:  22023: source schema NULL does not exist\n/m, 'or is NULL');
like(error_of(q{SELECT vmnet.attach_cloudstack('', 'cs')}), qr/^ERROR:  22023: the name of an inventory must have 1 to 63 bytes\n/m, 'and a name that is none');
like(error_of(q{SELECT vmnet.attach_cloudstack('x', 'expected')}), qr/^ERROR:  22023: schema "expected" does not contain CloudStack's tables\nDETAIL:  It lacks: vm_instance\.id, vm_instance\.state, /m, 'and a schema that is no CloudStack');
is(sql(q{SELECT count(*) FROM pg_namespace WHERE nspname = 'x'}), '0', 'of which nothing is left');
is(sql(q{SELECT count(*) FROM pg_class c LEFT JOIN pg_description d ON d.objoid = c.oid AND d.objsubid = 0 WHERE c.relnamespace = 'live'::regnamespace AND d.description IS NULL}), '0', 'every view says what it is');
is(sql(q{SELECT string_agg(c.relname || '.' || a.attname, ' ') FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 WHERE c.relnamespace = 'live'::regnamespace AND c.relkind <> 'i' AND col_description(c.oid, a.attnum) IS NULL}), '', 'and so does every column');

# Without the tables that only add names, and with columns of other types.
sql(q{CREATE SCHEMA bare; IMPORT FOREIGN SCHEMA cloud LIMIT TO (networks, vm_instance, nics) FROM SERVER cs INTO bare;
	ALTER FOREIGN TABLE bare.nics ALTER created TYPE text, ALTER removed TYPE text, ALTER update_time TYPE text, ALTER network_id TYPE numeric, DROP mtu;
	SELECT vmnet.attach_cloudstack('bare live', 'bare')});
$mariadb->sql(q{SET sql_mode = ''; UPDATE nics SET created = '0000-00-00 00:00:00' WHERE id = 1});
answers_as('SELECT network_id, instance_id FROM "bare live".network_instances', 'TABLE expected.network_active_instances', 'a source with fewer tables and other types answers right');
is(sql(q{SELECT created AT TIME ZONE 'UTC', removed AT TIME ZONE 'UTC' FROM "bare live".all_nics WHERE id = 1}), '1970-01-01 00:00:00|2025-04-22 20:54:36', 'a zero date is what the import makes of it');

#
# Detached
#
my $before = sql(q{SELECT count(*) FROM pg_class WHERE relnamespace IN ('cs'::regnamespace, 'bare'::regnamespace)});
sql('SET client_min_messages = warning; DROP SCHEMA live, "bare live", "writable live" CASCADE');
is(sql(q{SELECT string_agg(name, ' ') FROM vmnet.inventories}), 'mirror', 'dropped, it is gone');
is(sql(q{SELECT count(*) FROM pg_class WHERE relnamespace IN ('cs'::regnamespace, 'bare'::regnamespace)}), $before, 'and the source is what it was');

#
# The blocks of the pages that need a MariaDB, those of a page in a database of their own
#
my @blocks = Pages::blocks_run_by('test/t/061_live.pl');
my ($grant) = map { $_->{text} =~ /^mysql -e "(CREATE USER vmnet_ro\@'pg\.example' IDENTIFIED BY 'change me'; GRANT .*)"$/m } grep { $_->{kind} eq 'sh' } @blocks;
@blocks = grep { $_->{kind} eq 'sql' } @blocks;
cmp_ok(scalar @blocks, '>=', 4, 'the pages have their blocks');
ok(defined $grant, 'and say how to make the account');

# The machine of the pages is this one, at another port; their file is another one.
sub elsewhere
{
	my ($text, $file) = @_;
	$text =~ s/'db\.example'/'127.0.0.1', $mariadb->{port}/g;
	$text =~ s/'vmnet_ro\.password'/'$file'/g;
	return $text;
}

$mariadb->sql(q{UPDATE nics SET created = '2025-01-06 00:10:00' WHERE id = 1});
$mariadb->sql($grant =~ s/pg\.example/127.0.0.1/gr, undef);
my $file = PostgreSQL::Test::Utils::tempdir() . '/password';
append_to_file($file, "change me\n");
my $page = '';
foreach my $block (@blocks)
{
	if ($block->{file} ne $page)
	{
		$page = $block->{file};
		sql('DROP DATABASE IF EXISTS pages');
		sql('CREATE DATABASE pages');
		sql(q{ALTER DATABASE pages SET log_statement = 'none'});    # as servers have it
	}
	my $output = '';
	my $commands = "SET client_min_messages = warning;\n" . elsewhere($block->{text}, $file);

	IPC::Run::run([ 'psql', '-X', '-v', 'SHOW_CONTEXT=never', '-d', $node->connstr('pages') ], '<', \$commands, '>', \$output, '2>&1');
	$output =~ s/^SET\n//;
	is($output =~ s/^CREATE EXTENSION\n//mgr, $block->{expected} // '', "$block->{file}, block in line $block->{line}, prints what the page says");
}

$mariadb->stop;
$node->stop;
done_testing();
