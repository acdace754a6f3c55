# Logical replication of an inventory into the inventory of another server.
# The guards are ordinary triggers, so that the apply worker, whose rows were
# judged where they came from, is not judged again.
#
# pg_regress cannot do it: it needs two servers and the workers between them.

use strict;
use warnings FATAL => 'all';

use FindBin;
use lib $FindBin::RealBin;

use Inventory;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $here = PostgreSQL::Test::Cluster->new('here');
$here->init(allows_streaming => 'logical');
$here->start;
my $there = PostgreSQL::Test::Cluster->new('there');
$there->init(allows_streaming => 'logical');
$there->start;

my $managed = quote_ident(MANAGED);
my $mirror = quote_ident(MIRROR);

for my $node ($here, $there)
{
	$node->safe_psql('postgres', 'CREATE EXTENSION vmnet_ext');
	create_roles($node);
}
create_managed($here, 'postgres', MANAGED);
create_mirror($here, 'postgres', MIRROR);

# The same schema, without rows.
$there->safe_psql(
	'postgres', qq(
	SELECT vmnet.create_inventory(${\quote_literal(MANAGED)});
	SELECT vmnet.create_inventory(${\quote_literal(MIRROR)}, 'mirror');));

my $tables = join ', ', map { my $s = $_; map { "$s.$_" } qw(all_networks all_instances all_nics nic_history nic_address_history) } $managed, $mirror;

sub converged_ok
{
	my ($what) = @_;
	local $Test::Builder::Level = $Test::Builder::Level + 1;

	$here->wait_for_catchup('inventory');
	for my $name (MANAGED, MIRROR)
	{
		my $kind = $name eq MANAGED ? 'managed' : 'mirror';
		same_text(
			join("\n", grep { /^all_/ } split /\n/, rows_digest($there, 'postgres', $name)),
			join("\n", grep { /^all_/ } split /\n/, rows_digest($here, 'postgres', $name)),
			"$what: every row is there, $kind");
		same_text(read_answers($there, 'postgres', $name), read_answers($here, 'postgres', $name), "$what: reads answer the same, $kind");
	}
	is(broken_rules($there, 'postgres', MANAGED), '', "$what: no rule is broken");
	is($there->safe_psql('postgres', 'SELECT apply_error_count, sync_error_count FROM pg_stat_subscription_stats'),
		'0|0', "$what: no worker has failed");
	return;
}

#
# The rows that are there already: every state, removed and half-removed NICs,
# NICs on a network that has been removed since.
#
$here->safe_psql('postgres', "CREATE PUBLICATION inventory FOR TABLE $tables");
$there->safe_psql('postgres',
	"CREATE SUBSCRIPTION inventory CONNECTION '${\$here->connstr} dbname=postgres' PUBLICATION inventory");
$there->wait_for_subscription_sync($here, 'inventory');
converged_ok('first copy');
is( $there->safe_psql(
		'postgres', qq(
		SELECT string_agg(id || ' ' || state || CASE WHEN removed IS NULL THEN '' ELSE ' removed' END, ', ' ORDER BY id)
		FROM $managed.all_nics)),
	'1 Reserved, 2 Deallocating removed, 3 Allocated, 4 Reserving, 5 Releasing, 6 Reserved, '
	  . '7 Reserved, 8 Deallocating, 9 Deallocating removed, 10 Reserved, 11 Deallocating removed, '
	  . '12 Allocated, 13 Allocated',
	'NICs in every state have come over');

#
# Changes.  Each transaction has its own time, which must arrive as it is.
#
$here->safe_psql(
	'postgres', qq(
	INSERT INTO $managed.nics (id, instance_id, network_id) VALUES (30, 6, 3), (31, 6, 1);
	UPDATE $managed.nics SET state = 'Reserving' WHERE id IN (3, 30);
	UPDATE $managed.nics SET state = 'Reserved' WHERE id IN (3, 4, 30);
	UPDATE $managed.nics SET state = 'Releasing' WHERE id IN (1, 3);
	UPDATE $managed.nics SET state = 'Allocated' WHERE id IN (1, 5, 10);
	UPDATE $managed.nics SET ip4_address = '10.0.1.3', reserver_name = 'DirectNetworkGuru' WHERE id = 3;));
converged_ok('moves');

# Removals, and the end of one that stopped half-way; with them, in the same
# transaction, that of their networks and their instance.  Then a removal that
# stops half-way, and another default.
$here->safe_psql(
	'postgres', qq(
	BEGIN;
	DELETE FROM $managed.nics WHERE id IN (30, 31);
	UPDATE $managed.all_nics SET removed = now() WHERE id = 8;
	UPDATE $managed.networks SET removed = now() WHERE id IN (3, 6);
	UPDATE $managed.instances SET removed = now() WHERE id = 6;
	COMMIT;
	UPDATE $managed.nics SET state = 'Deallocating' WHERE id = 12;
	UPDATE $managed.nics SET default_nic = false WHERE id = 3;
	UPDATE $managed.nics SET default_nic = true WHERE id = 4;
	SET session_replication_role = replica;
	UPDATE $mirror.all_nics SET state = 'Deallocating', removed = 'epoch' WHERE id IN (2, 4);
	DELETE FROM $mirror.all_nics WHERE id = 5;));
converged_ok('removals');
is($there->safe_psql('postgres', "SELECT string_agg(nic_id::text, ', ') FROM vmnet.network_active_nics(2, ${\quote_literal(MANAGED)})"),
	'4, 6', 'a half-removed NIC is not listed there, either');

# What is undone here never arrives there.
$here->safe_psql('postgres', "BEGIN; DELETE FROM $managed.nics; ROLLBACK; UPDATE $managed.nics SET mtu = 1500;");
converged_ok('rollback');

#
# The guards of the other server stood still for the apply worker alone.
#
is( $there->safe_psql(
		'postgres', q(
		SELECT string_agg(DISTINCT tgenabled::text, '') FROM pg_trigger JOIN pg_proc p ON p.oid = tgfoid
		WHERE pronamespace IN ('vmnet'::regnamespace, 'vmnet_internal'::regnamespace))),
	'O',
	'the guards are ordinary triggers');
for my $case (
	[ "UPDATE $managed.nics SET state = 'Reserving' WHERE id = 4", 'nic_state_transition' ],
	[ "UPDATE $managed.all_nics SET removed = NULL WHERE id = 8", 'nic_removed_once' ],
	[ "INSERT INTO $managed.nics (id, instance_id, network_id) VALUES (99, 5, 6)", 'nic_parent_active' ],
	[ "UPDATE $managed.networks SET removed = now() WHERE id = 2", 'network_in_use' ],
	[ "DELETE FROM $managed.all_nics WHERE id = 8", 'no_hard_delete' ],
	[ "UPDATE $mirror.all_nics SET state = 'Reserved'", 'mirror_read_only' ])
{
	my ($status, $stdout, $stderr) = $there->psql('postgres', $case->[0], extra_params => [ '-v', 'VERBOSITY=verbose' ]);
	like($stderr, qr/^CONSTRAINT NAME:  $case->[1]$/m, "a client there is refused: $case->[1]");
}

#
# History alone, as a log that other programs read: what doc/history.md publishes.
#
$there->safe_psql('postgres', q(
	CREATE DATABASE log;));
$there->safe_psql('log', qq(
	CREATE SCHEMA $managed;
	CREATE TABLE $managed.nic_history (seq bigint, nic_id bigint, network_id bigint, instance_id bigint, from_state text,
		to_state text, event text, removed timestamptz, at timestamptz, transaction_id bigint, session_username text,
		actor text, reason text, application_name text, from_network_id bigint)));
$here->safe_psql('postgres', "CREATE PUBLICATION history FOR TABLE $managed.nic_history WITH (publish = 'insert', publish_via_partition_root = true)");
$there->safe_psql('log', "CREATE SUBSCRIPTION history CONNECTION '${\$here->connstr} dbname=postgres' PUBLICATION history");
$there->wait_for_subscription_sync($here, 'history', 'log');
$here->safe_psql('postgres', qq(
	SET vmnet.actor = 'logical';
	BEGIN; UPDATE $managed.nics SET state = 'Reserving' WHERE id = 1; SAVEPOINT a;
	UPDATE $managed.nics SET state = 'Reserved' WHERE id = 1; ROLLBACK TO a; COMMIT;
	BEGIN; UPDATE $managed.nics SET state = 'Reserved' WHERE id = 1; ROLLBACK;
	UPDATE $managed.nics SET state = 'Allocated' WHERE id = 1;));
$here->wait_for_catchup('history');
is($there->safe_psql('log', "SELECT string_agg(nic_id || ' ' || to_state || ' ' || actor, ', ' ORDER BY seq) FROM $managed.nic_history WHERE actor = 'logical'"),
	'1 Reserving logical, 1 Allocated logical', 'a published history has what was committed, in order');
same_text(
	$there->safe_psql('log', "SELECT h FROM $managed.nic_history h ORDER BY seq"),
	$here->safe_psql('postgres', "SELECT h FROM $managed.nic_history h ORDER BY seq"), 'and all of it');
$here->wait_for_catchup('inventory');
$there->safe_psql('log', 'DROP SUBSCRIPTION history');

# When the other server takes over, sequences have to follow by hand: they are
# not replicated.
$there->safe_psql(
	'postgres', qq(
	DROP SUBSCRIPTION inventory;
	SELECT setval(pg_get_serial_sequence(${\quote_literal("$managed.all_nics")}, 'id'), max(id)) FROM $managed.all_nics;
	SELECT setval(pg_get_serial_sequence(${\quote_literal("$managed.nic_history")}, 'seq'), max(seq)) FROM $managed.nic_history;));
is( $there->safe_psql(
		'postgres', qq(
		INSERT INTO $managed.nics (instance_id, network_id, default_nic) VALUES (5, 2, false) RETURNING id;
		UPDATE $managed.nics SET state = 'Reserving' WHERE id = 32 RETURNING state, state_changed BETWEEN now() AND clock_timestamp();)),
	"32\nReserving|t",
	'after a switch the other server leads');

$there->stop;
$here->stop;
done_testing();
