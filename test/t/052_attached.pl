# Attached inventories where one session and one database are not enough: the
# change feed and messages, a dump and a restore.
use strict;
use warnings FATAL => 'all';

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $node = PostgreSQL::Test::Cluster->new('attached');
$node->init;
$node->start;

sub sql { my ($sql, $db) = @_; return $node->safe_psql($db // 'postgres', $sql); }

sql('CREATE EXTENSION vmnet_ext');
$node->psql('postgres', slurp_file('test/tap/attached.psql'), on_error_die => 1);
is(sql('SELECT string_agg(name, $$ $$ ORDER BY name) FROM vmnet.inventories'), 'few full live uuids', 'the inventories are there');

#
# The change feed
#
my $cursor = sql(q{SELECT vmnet.nic_changes_cursor('full')});
sql(q{UPDATE theirs.nic SET state = 'Releasing' WHERE id = 1});
sql(q{UPDATE theirs.nic SET state = 'Deallocating', removed = now() WHERE id = 3});
is(sql(qq{SELECT nic_id, from_state, to_state, event, removed IS NOT NULL FROM vmnet.nic_changes_since('$cursor', inventory => 'full') ORDER BY seq}),
	"1|Reserved|Releasing|ReleaseRequested|f\n3|Reserving|Deallocating|RemoveRequested|t", 'what is written to an attached table is told');
my ($first, $next) = split /\|/, sql(qq{SELECT nic_id, next_cursor FROM vmnet.nic_changes_since('$cursor', 1, 'full')});
is(sql(qq{SELECT nic_id FROM vmnet.nic_changes_since('$next', inventory => 'full')}), '3', 'in batches, too');

#
# Messages
#
# The payloads that a session gets of its own statements.
sub payloads
{
	my ($channel, $sql) = @_;
	my ($status, $out, $err) = $node->psql('postgres', "LISTEN $channel;\n$sql");

	return join("\n", $err, $out =~ /^Asynchronous notification "\w+" with payload "(.*)" received/mg);
}
is(sql(q{SELECT vmnet.set_inventory_notify('full', true)}), 'vmnet_full', 'messages are turned on');
sql(q{SELECT vmnet.set_inventory_notify('few', true), vmnet.set_inventory_notify('uuids', true)});
is(payloads('vmnet_full', q{INSERT INTO theirs.nic (id, instance_id, network_id, state, created) SELECT i, 1, 1, 'Allocated', now() FROM generate_series(11, 12) i}),
	"\n" . '{"event": "insert", "count": 2, "nic_ids": [11, 12]}', 'NICs that were added');
is(payloads('vmnet_full', q{UPDATE theirs.nic SET state = 'Reserving' WHERE id = 11; UPDATE theirs.nic SET reserver_name = 'x'}),
	"\n" . '{"event": "update", "count": 1, "nic_ids": [11]}', 'NICs that changed; what is in no history sends nothing');
is(payloads('vmnet_full', q{SET client_min_messages = error; DELETE FROM theirs.nic WHERE id = 12}),
	"\n" . '{"event": "delete", "count": 1, "nic_ids": [12]}', 'a NIC that was deleted for good');
is(payloads('vmnet_few', q{DELETE FROM theirs.port WHERE id = 2}), "\n" . '{"event": "delete", "count": 1, "nic_ids": [2]}', 'that is all that a table without states can tell');
is(payloads('vmnet_uuids', q{UPDATE theirs.unic SET state = 'Releasing' WHERE state = 'Reserved'}),
	"\n" . '{"event": "update", "count": 1, "nic_ids": ["00000000-0000-0000-0000-0000000000c1"]}', 'ids that are no bigint are texts');
sql(q{CREATE TABLE theirs.text_nic (id text PRIMARY KEY, network_id text, instance_id text); SELECT vmnet.attach_inventory('texts', 'theirs.text_nic'); SELECT vmnet.set_inventory_notify('texts', true)});
is(payloads('vmnet_texts', q{INSERT INTO theirs.text_nic SELECT repeat('x', 500) || i, 'n' FROM generate_series(1, 20) i; INSERT INTO theirs.text_nic VALUES ('a"\b', 'n')}),
	"\n" . '{"event": "insert", "count": 20, "nic_ids": null}' . "\n" . '{"event": "insert", "count": 1, "nic_ids": ["a\"\\\\b"]}', 'what a message cannot hold is counted');
is(payloads('vmnet_full', q{SELECT vmnet.set_inventory_mode('full', 'read_only'); UPDATE theirs.nic SET state = 'Reserved' WHERE id = 1}),
	"\n" . '{"event": "update", "count": 1, "nic_ids": [1]}', 'messages need no guards');
is(sql(q{SELECT vmnet.set_inventory_notify('full', false) IS NULL; UPDATE theirs.nic SET state = 'Releasing' WHERE id = 1; SELECT count(*) FROM pg_trigger WHERE tgrelid = 'theirs.nic'::regclass AND NOT tgisinternal}),
	"t\n0", 'turned off, nothing is left of them');

#
# A partition, written to through its parent, which fires no statement trigger
#
sql(q{CREATE TABLE theirs.whole (id int PRIMARY KEY, network_id int, instance_id int, state text) PARTITION BY RANGE (id);
	CREATE TABLE theirs.part PARTITION OF theirs.whole DEFAULT; SELECT vmnet.attach_inventory('part', 'theirs.part'); INSERT INTO theirs.whole VALUES (1, 1, 1, 'Reserved')});
sql(q{UPDATE theirs.whole SET state = 'Releasing'});
is(sql('SELECT nic_id, to_state FROM part.nic_history'), '1|Releasing', 'history is written at the latest when the transaction ends');
sql(q{SELECT vmnet.detach_inventory('part')});

#
# A dump and a restore
#
sql(q{SELECT vmnet.set_inventory_mode('full', 'enforce', true); SELECT vmnet.set_inventory_notify('full', true)});
sql(q{SET client_min_messages = error; SELECT vmnet.create_report(n) FROM unnest('{full,few,uuids,live}'::name[]) n});
sql('CREATE DATABASE restored');
my $dump = $node->basedir . '/dump';
$node->command_ok([ 'pg_dump', '-Fc', '-f', $dump, $node->connstr('postgres') ], 'a database with attached inventories is dumped');
$node->command_ok([ 'pg_restore', '-e', '-j', '2', '-d', $node->connstr('restored'), $dump ], 'and restored');
foreach my $query (
	'SELECT name, kind, source, mode FROM vmnet.inventories ORDER BY 1',
	'SELECT * FROM "full".all_nics ORDER BY id', 'SELECT * FROM few.network_counts ORDER BY 1', 'SELECT * FROM uuids.network_instances ORDER BY 1, 2', 'SELECT * FROM live.network_instances ORDER BY 1, 2',
	'SELECT nic_id, event FROM "full".nic_history ORDER BY seq',
	q{SELECT code, message FROM vmnet.check_inventory('full')},
	'SELECT nic_id, nic_state, network_name FROM full_report.nics ORDER BY 1', 'SELECT * FROM uuids_report.network_instances ORDER BY 1',
	'SELECT n, (SELECT schema_name FROM vmnet.report_schemas(n)) FROM unnest($${full,few,uuids,live}$$::name[]) n ORDER BY 1',
	q{SELECT tgrelid::regclass, tgname, pg_get_triggerdef(oid) FROM pg_trigger WHERE tgname ~ '^_vmnet' ORDER BY tgrelid::regclass::text, 2})
{
	is(sql($query, 'restored'), sql($query), "the same comes of $query");
}
my ($status, $out, $err) = $node->psql('restored', q{UPDATE theirs.net SET removed = now() WHERE id = 1}, extra_params => [ '-v', 'VERBOSITY=verbose' ]);
like($err, qr/ERROR:  23503: cannot remove network 1.*CONSTRAINT NAME:  network_in_use/s, 'the restored guards guard');
is(sql(q{UPDATE theirs.nic SET state = 'Allocated' WHERE id = 1; SELECT to_state FROM "full".nic_history ORDER BY seq DESC LIMIT 1}, 'restored'), 'Allocated', 'and write history');
sql('DROP SCHEMA full_report, few_report, uuids_report CASCADE', 'restored');
sql(q{SELECT vmnet.detach_inventory(n) FROM unnest('{full,few,uuids,texts}'::text[]) n}, 'restored');
is(sql(q{SELECT (SELECT count(*) FROM pg_trigger WHERE tgname ~ '^_vmnet'), (SELECT string_agg(name, ' ') FROM vmnet.inventories)}, 'restored'), '0|live', 'what was restored can be detached');

#
# A restore with --no-owner into schemas that are there already, one of them
# another role's: all that a guard reads belongs to the role that restores
#
sql('CREATE ROLE plain LOGIN; CREATE ROLE plain_writer LOGIN');
sql('CREATE DATABASE unowned OWNER plain');
sql('CREATE EXTENSION vmnet_ext', 'unowned');
sql(q{CREATE SCHEMA theirs AUTHORIZATION plain; CREATE SCHEMA "full" AUTHORIZATION plain; CREATE SCHEMA few; GRANT ALL ON SCHEMA few TO plain;
	CREATE SCHEMA uuids AUTHORIZATION plain; CREATE SCHEMA texts AUTHORIZATION plain}, 'unowned');
$node->command_ok([ 'pg_restore', '-e', '--no-owner', '--no-privileges', (map { ('-n', $_) } qw(theirs full few uuids texts)), '-d', $node->connstr('unowned') . ' user=plain', $dump ],
	'a role that is no superuser restores with --no-owner');
sql('GRANT USAGE ON SCHEMA theirs TO plain_writer; GRANT ALL ON ALL TABLES IN SCHEMA theirs TO plain_writer', 'unowned');
foreach my $who ('plain', 'plain_writer')
{
	my (undef, undef, $error) = $node->psql('unowned', q{UPDATE theirs.net SET removed = now() WHERE id = 1}, extra_params => [ '-v', 'VERBOSITY=verbose', '-U', $who ]);
	like($error, qr/ERROR:  23503: cannot remove network 1.*CONSTRAINT NAME:  network_in_use/s, "its guards judge what $who writes");
}
is($node->safe_psql('unowned', q{SET client_min_messages = error; UPDATE theirs.nic SET state = 'Allocated' WHERE id = 1; DELETE FROM theirs.port; SELECT count(*) FROM theirs.port}, extra_params => [ '-U', 'plain_writer' ]), '0', 'and let through what they should');
is(sql(q{SELECT to_state FROM "full".nic_history ORDER BY seq DESC LIMIT 1}, 'unowned'), 'Allocated', 'and write history');
is($node->safe_psql('unowned', q{SET client_min_messages = error; SELECT vmnet.set_inventory_mode('full', 'warn', true)}, extra_params => [ '-U', 'plain' ]), '', 'the role is the owner of the inventory');
# the table of NICs alone is restored as another role's
sql('ALTER TABLE theirs.nic OWNER TO plain_writer', 'unowned');
(undef, undef, my $refused) = $node->psql('unowned', q{UPDATE theirs.nic SET state = 'Reserving' WHERE id = 1}, extra_params => [ '-U', 'plain_writer' ]);
like($refused, qr/does not belong to the owner of its inventory.*HINT:  ALTER VIEW "full"\.attached_nics OWNER TO plain_writer;/s, 'a table of another role is refused, and the HINT says how it is mended');
sql('ALTER TABLE theirs.nic OWNER TO plain', 'unowned');
is($node->safe_psql('unowned', q{UPDATE theirs.nic SET state = 'Reserving' WHERE id = 1; SELECT state FROM theirs.nic WHERE id = 1}, extra_params => [ '-U', 'plain' ]), 'Reserving', 'with one owner it is written');

$node->stop;
done_testing();
