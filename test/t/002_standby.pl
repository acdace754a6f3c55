# A hot standby answers as its primary does, and is armed once it is promoted.
#
# pg_regress cannot do it: it needs a second server that follows the first, and
# the loss of the first.

use strict;
use warnings FATAL => 'all';

use FindBin;
use lib $FindBin::RealBin;

use Inventory;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $primary = PostgreSQL::Test::Cluster->new('primary');
$primary->init(allows_streaming => 1);
$primary->start;

my $managed = quote_ident(MANAGED);
my $name = quote_literal(MANAGED);

$primary->safe_psql('postgres', 'CREATE EXTENSION vmnet_ext');
create_roles($primary);
create_managed($primary, 'postgres', MANAGED);
create_mirror($primary, 'postgres', MIRROR);
$primary->safe_psql(
	'postgres', qq(
	SET ROLE vmnet_owner;
	ALTER TABLE $managed.all_nics ENABLE ROW LEVEL SECURITY;
	CREATE POLICY own ON $managed.all_nics FOR SELECT TO vmnet_reader USING (network_id <> 2);
	GRANT USAGE ON SCHEMA $managed TO vmnet_reader;
	GRANT SELECT ON ALL TABLES IN SCHEMA $managed TO vmnet_reader;));

$primary->backup('base');
my $standby = PostgreSQL::Test::Cluster->new('standby');
$standby->init_from_backup($primary, 'base', has_streaming => 1);
$standby->start;
$primary->wait_for_catchup($standby, 'replay');

sub both_ok
{
	my ($what, $answer) = @_;
	local $Test::Builder::Level = $Test::Builder::Level + 1;
	return same_text($answer->($standby), $answer->($primary), $what);
}

#
# Reads.
#
is($standby->safe_psql('postgres', 'SELECT pg_is_in_recovery()'), 't', 'the standby is one');
is( $standby->safe_psql(
		'postgres', qq(
		SELECT w, string_agg(instance_id || ' ' || nic_state, ', ')
		FROM generate_series(1, 6) w LEFT JOIN LATERAL vmnet.network_active_instances(w, inventory => $name) ON true
		GROUP BY w ORDER BY w)),
	"1|1 Reserved, 2 Allocated, 3 Releasing, 5 Reserved\n2|1 Allocated, 2 Reserving, 3 Reserved\n3|\n4|\n5|\n6|",
	'the standby lists what is active on each network, and nothing else');
both_ok('every read function and view answers the same', sub { read_answers($_[0], 'postgres', MANAGED) });
both_ok('and over a mirror', sub { read_answers($_[0], 'postgres', MIRROR) });
both_ok('and to a role with a policy', sub { read_answers($_[0], 'postgres', MANAGED, role => 'vmnet_reader') });
isnt(read_answers($standby, 'postgres', MANAGED, role => 'vmnet_reader'),
	read_answers($standby, 'postgres', MANAGED), 'which sees less than the owner');
both_ok('a check finds the same', sub {
	my ($node) = @_;
	return $node->safe_psql('postgres', join ';', map { my $l = quote_literal($_); "SELECT c FROM vmnet.check_inventory($l, '0') c; SELECT vmnet.inventory_status($l)" } MANAGED, MIRROR); });
isnt($standby->safe_psql('postgres', "SELECT count(*) FROM vmnet.check_inventory($name, '0')"), '0', 'and finds something');

# What differs from the definition of an inventory.
$primary->safe_psql('postgres', q(
	SELECT vmnet.create_inventory('changed');
	ALTER TABLE changed.all_nics DROP CONSTRAINT nic_removed_is_deallocating, DISABLE TRIGGER _nic_guard, ALTER id DROP DEFAULT;
	DROP INDEX changed.all_nics_one_ip4;
	CREATE RULE swallow AS ON UPDATE TO changed.all_nics DO INSTEAD NOTHING;
	CREATE OR REPLACE VIEW changed.instances WITH (security_invoker) AS SELECT id, uuid, name, display_name, instance_name, type, state, host_id, host_name, zone_id,
		domain_id, account_id, account_name, domain_path, zone_name, created, removed FROM changed.all_instances;));
$primary->wait_for_catchup($standby, 'replay');
is($standby->safe_psql('postgres', q(SELECT string_agg(code, ' ' ORDER BY code) FROM vmnet.check_inventory('changed'))),
	'column_differs guard_disabled rule_missing rule_missing table_differs view_differs', 'it finds what was changed in an inventory');
both_ok('the inventories are listed', sub { inventory_list($_[0], 'postgres') });
both_ok(
	'the state machine is told',
	sub { $_[0]->safe_psql('postgres', q(SELECT t, vmnet.nic_next_state(from_state, event, strategy) FROM vmnet.nic_state_transitions() t)) });

# read_answers() must know every read function, or the above says too little.
is( $standby->safe_psql(
		'postgres', q(
		SELECT string_agg(proname, ' ' ORDER BY proname COLLATE "C") FROM pg_proc
		WHERE pronamespace = 'vmnet'::regnamespace AND prokind = 'f' AND provolatile = 's'
			-- parts of others take the name that was found, as text
			AND (proargtypes::oid[])[array_position(proargnames, 'inventory') - 1] = 'name'::regtype)),
	'check_inventory instance_active_networks instance_blockers instance_id instance_id instance_preflight inventory_status ip_holders '
	  . 'mac_holders manage_blockers network_active_instance_count network_active_instances network_active_nics network_blockers network_explain network_free_ips network_id network_id network_in_use network_instances_as_of network_preflight nic_changes_cursor '
	  . 'nic_changes_since nic_explain nic_timeline nics_stuck_for propose_segments report_schemas vpc_active_instances',
	'these are all the functions that read an inventory');

#
# A session of the standby that has its plans already keeps up with what the
# primary does to rows and to tables.
#
my $session = $standby->background_psql('postgres', on_error_stop => 0);
my $listing = qq(SELECT string_agg(instance_id || ' ' || nic_state, ', ') FROM vmnet.network_active_instances(2, inventory => $name););

is($session->query_safe($listing), '1 Allocated, 2 Reserving, 3 Reserved', 'a session reads a network');

$primary->safe_psql('postgres', qq(DELETE FROM $managed.nics WHERE id = 12; UPDATE $managed.nics SET state = 'Reserved' WHERE id = 4;));
$primary->wait_for_catchup($standby, 'replay');
is($session->query_safe($listing), '2 Reserved, 3 Reserved', 'a NIC that the primary removed is gone, one that it moved has moved');

$primary->safe_psql(
	'postgres', qq(
	ALTER TABLE $managed.all_nics ADD COLUMN early int DEFAULT 1;
	ALTER TABLE $managed.all_nics DROP COLUMN early;
	DROP INDEX $managed.all_nics_active_idx;
	ALTER TABLE $managed.all_instances ADD COLUMN late text DEFAULT 'late';));
$primary->wait_for_catchup($standby, 'replay');
is($session->query_safe($listing), '2 Reserved, 3 Reserved', 'the plans survive changes to the tables');

$primary->safe_psql('postgres', q(SELECT vmnet.create_inventory('third'); INSERT INTO third.networks (name) VALUES ('n')));
$primary->wait_for_catchup($standby, 'replay');
is( $session->query_safe(q(SELECT name, kind, (SELECT count(*) FROM vmnet.network_active_nics(1, name)), vmnet.network_in_use(1, name) FROM vmnet.inventories WHERE name = 'third';)),
	'third|managed|0|f', 'a new inventory can be read at once');

# A snapshot stays what it is, and an inventory that went is unknown.
$session->query_safe(
	qq(BEGIN ISOLATION LEVEL REPEATABLE READ; DECLARE c CURSOR FOR SELECT instance_id FROM vmnet.network_active_instances(1, inventory => $name);));
is($session->query_safe('FETCH 1 FROM c;'), '1', 'a cursor on the standby');
$primary->safe_psql('postgres', qq(DELETE FROM $managed.nics WHERE id = 5));
$primary->wait_for_catchup($standby, 'replay');
is($session->query_safe('FETCH ALL FROM c;'), "2\n3\n5", 'reads on as of its own time');
is($session->query_safe(qq(SELECT vmnet.network_active_instance_count(1, $name);)), '4', 'as does its transaction');
$session->query_safe('COMMIT;');
is($session->query_safe(qq(SELECT vmnet.network_active_instance_count(1, $name);)), '3', 'the next one sees the removal');

$primary->safe_psql('postgres', 'SET client_min_messages = warning; DROP SCHEMA third CASCADE');
$primary->wait_for_catchup($standby, 'replay');
is( $standby->psql('postgres', q(SELECT vmnet.network_in_use(1, 'third')), extra_params => [ '-v', 'VERBOSITY=sqlstate' ], stderr => \my $stderr), 3,
	'an inventory that the primary dropped cannot be read');
like($stderr, qr/22023/, 'for it is unknown');

#
# Writes: the server itself refuses them, before any guard.
#
for my $statement (
	"INSERT INTO $managed.nics (instance_id, network_id) VALUES (6, 3)",
	"UPDATE $managed.nics SET state = 'Reserving' WHERE id = 3",
	"DELETE FROM $managed.nics WHERE id = 3",
	"UPDATE $managed.networks SET removed = now() WHERE id = 3",
	"SELECT vmnet.create_inventory('fourth')")
{
	$standby->psql('postgres', $statement, extra_params => [ '-v', 'VERBOSITY=sqlstate' ], stderr => \$stderr);
	like($stderr, qr/25006/, 'the standby refuses: ' . $statement =~ s/\Q$managed\E\.//r);
}

#
# The primary is lost.
#
my %last = map { $_ => rows_digest($primary, 'postgres', $_) } MANAGED, MIRROR;
my $answers = read_answers($primary, 'postgres', MANAGED);
$primary->stop('immediate');
$standby->promote;

is(rows_digest($standby, 'postgres', $_), $last{$_}, 'promoted, it has every row: ' . ($_ eq MANAGED ? 'managed' : 'mirror')) for MANAGED, MIRROR;
same_text(read_answers($standby, 'postgres', MANAGED), $answers, 'promoted, it answers as the primary did');
is(broken_rules($standby, 'postgres', MANAGED), '', 'no rule is broken');

same_text(guards_say($standby, 'postgres', MANAGED), guards_expected(), 'its guards are armed');
same_text(mirror_guards_say($standby, 'postgres', MIRROR), mirror_guards_expected(), 'and those of the mirror');

# The session that has read since it was a standby.
$session->query(qq(UPDATE $managed.nics SET state = 'Releasing' WHERE id = 3;));
like($session->{stderr}, qr/cannot move from state "Allocated" to "Releasing"/, 'a session from before cannot make an illegal move');
$session->{stderr} = '';
is( $session->query_safe(
		qq(INSERT INTO $managed.nics (instance_id, network_id, state_changed) VALUES (6, 3, 'epoch') RETURNING id > 41, default_nic, state_changed = now();)),
	't|t|t',
	'and can add a NIC');
$session->quit;

$standby->stop;
done_testing();
