# The change feed loses nothing and tells nothing twice: with many writers that
# commit late or not at all, after crashes, after a restore, on a standby.
# Messages: one per statement, however many rows it changes.
#
# pg_regress cannot do it: it takes several clients at once, and the loss of
# their server.
#
# VMNET_FEED_SECONDS says how long the writers write.

use strict;
use warnings FATAL => 'all';

use FindBin;
use lib $FindBin::RealBin;

use IPC::Run;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $seconds = $ENV{VMNET_FEED_SECONDS} // 8;

use constant WRITERS => 16;
use constant NICS => 20;

my $primary = PostgreSQL::Test::Cluster->new('primary');
$primary->init(allows_streaming => 1);
# What is not flushed by a commit stays unflushed: see "crash" below.
$primary->append_conf('postgresql.conf', "max_connections = 60\nmax_prepared_transactions = 10\nwal_writer_delay = 10s\nbgwriter_delay = 10s\n");
$primary->start;
$primary->safe_psql(
	'postgres', q(
	CREATE EXTENSION vmnet_ext;
	SELECT vmnet.create_inventory('cloud');
	CREATE FUNCTION next_state(state text) RETURNS text LANGUAGE sql IMMUTABLE AS $$
		SELECT CASE state WHEN 'Allocated' THEN 'Reserving' WHEN 'Reserving' THEN 'Reserved' WHEN 'Reserved' THEN 'Releasing' ELSE 'Allocated' END $$;
	CREATE TABLE over (yes boolean);
	INSERT INTO over VALUES (false);
	INSERT INTO cloud.networks (id) SELECT generate_series(0, 20);)
	  . sprintf('INSERT INTO cloud.instances (id) SELECT generate_series(1, %d);', WRITERS * 100 + 1000)
	  . sprintf('INSERT INTO cloud.nics (id, instance_id, network_id) SELECT w * 100 + n, w * 100 + n, w FROM generate_series(0, %d) w, generate_series(1, %d) n;', WRITERS - 1, NICS));

$primary->backup('base');
my $standby = PostgreSQL::Test::Cluster->new('standby');
$standby->init_from_backup($primary, 'base', has_streaming => 1);
$standby->start;

my $tmp = PostgreSQL::Test::Utils::tempdir;

sub write_file
{
	my ($name, $text) = @_;
	open my $file, '>', "$tmp/$name" or die "$tmp/$name: $!";
	print $file $text;
	close $file;
	return "$tmp/$name";
}

# A client runs the same lines until it says that it is over.
sub start_client
{
	my ($node, $name, $settings, $lines) = @_;
	my $loop = write_file("$name.loop", "$lines\n");
	my $script = write_file("$name.sql", "\\set VERBOSITY sqlstate\n$settings\n" . "\\i $loop\n\\if :over\n\\q\n\\endif\n" x 100_000);
	local %ENV = (%ENV, PGHOST => $node->host, PGPORT => $node->port);
	return {
		name => $name,
		run => IPC::Run::start([ 'psql', '-X', '-q', '-A', '-t', '-f', $script, 'postgres' ],
			'<', \undef, '>', "$tmp/$name.out", '2>', "$tmp/$name.err") };
}

#
# Writers and pollers.
#
sub start_writer
{
	my ($w) = @_;
	my $move = sub { "UPDATE cloud.nics SET state = next_state(state) WHERE id = $w * 100 + 1 + floor(random() * ${\NICS});" };
	my $nap = sub { "SELECT pg_sleep(random() * $_[0]) \\g /dev/null" };
	return start_client(
		$primary, "writer_$w", '',
		join "\n",
		$move->(), $nap->(0.05),
		# commits late
		'BEGIN;', $move->(), $nap->(0.3), $move->(), 'COMMIT;',
		# several changes of one NIC, some of them undone
		'BEGIN;', $move->(), 'SAVEPOINT a;', $move->(), $move->(), 'ROLLBACK TO a;', $move->(), 'SAVEPOINT b;', $move->(), 'RELEASE b;', $nap->(0.1), 'COMMIT;',
		# is undone
		'BEGIN;', $move->(), $nap->(0.05), 'ROLLBACK;',
		# many at once
		"UPDATE cloud.nics SET state = next_state(state) WHERE network_id = $w AND id % 3 = " . $w % 3 . ';', $nap->(0.1),
		"SELECT now() > timestamptz 'epoch' + interval '" . (time + $seconds) . " s' AS over \\gset");
}

# What a poller has been told is written down only with the cursor that it
# keeps: cursor and entries come from the same row.
sub poll
{
	my ($rows, $keep) = @_;
	return qq(
		SELECT coalesce(max(next_cursor) FILTER (WHERE n = kept), :'cursor') AS cursor,
			coalesce(string_agg(seq::text, ' ' ORDER BY n) FILTER (WHERE n <= kept), '') AS told,
			count(*) = 0 AND (SELECT yes FROM over) AS over
		FROM (SELECT n, next_cursor, seq, $keep AS kept
			FROM (SELECT row_number() OVER () AS n, count(*) OVER () AS c, f.* FROM vmnet.nic_changes_since(NULLIF(:'cursor', ''), $rows) f) r) k \\gset
		\\echo :told);
}

my %pollers = (
	'by 1' => [ $primary, poll(1, 'c') ],
	'by 7' => [ $primary, poll(7, 'c') ],
	'by 1000' => [ $primary, poll(1000, 'c') . "\nSELECT pg_sleep(0.2) \\g /dev/null" ],
	'by all' => [ $primary, poll('NULL', 'c') . "\nSELECT pg_sleep(0.05) \\g /dev/null" ],
	# one that keeps the cursor of a row in the middle, as after a crash
	'from the middle' => [ $primary, "SELECT random() AS share \\gset\n" . poll(100, 'least(c, 1 + floor(:share * c))') ],
	# one whose snapshot is old by the time it polls, and that polls twice by it
	'repeatable read' => [
		$primary,
		"BEGIN ISOLATION LEVEL REPEATABLE READ;\nSELECT pg_sleep(0.1), (SELECT count(*) FROM over) \\g /dev/null\n"
		  . poll(50, 'c') . poll(50, 'c') . "\nCOMMIT;" ],
	# one that writes in the same transaction, and another time undoes it
	'that writes' => [
		$primary,
		"BEGIN;\nUPDATE cloud.nics SET state = next_state(state) WHERE id = 1 AND NOT (SELECT yes FROM over);\n"
		  . poll(200, 'c') . "\nCOMMIT;\nBEGIN;\nUPDATE cloud.nics SET state = next_state(state) WHERE id = 2 AND NOT (SELECT yes FROM over);\nROLLBACK;\nSELECT pg_sleep(0.05) \\g /dev/null" ],
	'on a standby' => [ $standby, poll(100, 'c') . "\nSELECT pg_sleep(0.02) \\g /dev/null" ],
	'on a standby, by 3' => [ $standby, poll(3, 'c') ]);

my @writers = map { start_writer($_) } 1 .. WRITERS - 1;
my %running = map { $_ => start_client($pollers{$_}[0], $_ =~ s/\W+/_/gr, '\\set cursor', $pollers{$_}[1]) } sort keys %pollers;
$_->{run}->finish for @writers;
# The poller that writes may have a transaction open: its change has to be committed
# before pollers are told that no more will come.
$primary->safe_psql('postgres', 'BEGIN; LOCK TABLE cloud.all_nics IN SHARE ROW EXCLUSIVE MODE; UPDATE over SET yes = true; COMMIT');
$_->{run}->finish for values %running;

is(join('', map { slurp_file("$tmp/$_->{name}.err") } @writers, values %running), '', 'no client met with an error');
my @entries = split /\n/, $primary->safe_psql('postgres', 'SELECT seq FROM cloud.nic_history ORDER BY seq');
my %entry = map { $_ => 1 } @entries;
cmp_ok(scalar(@entries), '>', $seconds * 50, 'writers wrote (' . @entries . ')');

for my $name (sort keys %pollers)
{
	my (%told, $unordered);
	for my $batch (split /\n/, slurp_file("$tmp/$running{$name}{name}.out"))
	{
		my @seqs = split / /, $batch;
		$unordered++ if "@seqs" ne join ' ', sort { $a <=> $b } @seqs;
		$told{$_}++ for @seqs;
	}
	my $lost = grep { !$told{$_} } @entries;
	my $repeated = grep { $_ > 1 } values %told;
	my $invented = grep { !$entry{$_} } keys %told;
	is("lost $lost, repeated $repeated, invented $invented", 'lost 0, repeated 0, invented 0', "a poller $name is told every entry once");
	is($unordered // 0, 0, '... in the order of seq');
}
$standby->stop;

#
# One poller, step by step.
#
my $node = $primary;
my $cursor;

# Returns the NICs of the entries that are new.
sub changes
{
	my ($before) = @_;
	my $sql = 'SELECT next_cursor, nic_id FROM vmnet.nic_changes_since(' . (defined $cursor ? "'$cursor'" : 'NULL') . ', NULL)';
	my @rows = map { [ split /\|/ ] } split /\n/, $node->safe_psql('postgres', ($before // '') . $sql);
	$cursor = $rows[-1][0] if @rows;
	return join ' ', map { $_->[1] } @rows;
}

sub move { return join ' ', map { "UPDATE cloud.nics SET state = next_state(state) WHERE id = $_;" } @_; }

$cursor = $node->safe_psql('postgres', 'SELECT vmnet.nic_changes_cursor()');
is(changes(), '', 'a cursor of now begins with nothing');
is(changes('BEGIN; ' . move(1)), '', 'a transaction that polls is not told of its own changes');
is(changes(), '', 'nor is anybody, where it was undone');
$node->safe_psql('postgres', move(3));
$node->safe_psql('postgres', 'BEGIN; ' . move(4) . " PREPARE TRANSACTION 'late';" . move(5));
is(changes(), '3 5', 'a prepared change is not told');
$node->safe_psql('postgres', move(6) . "COMMIT PREPARED 'late';" . move(7));
is(changes(), '4 6 7', 'before it is committed, and then once');
is(changes(), '', 'nothing is told twice');

$node->safe_psql('postgres', 'BEGIN; ' . move(8) . " PREPARE TRANSACTION 'outlives';" . move(9));
is(changes(), '9', 'what is prepared');
$node->stop('immediate');
$node->start;
is(changes(), '', 'is not told for a crash');
$node->safe_psql('postgres', "COMMIT PREPARED 'outlives'");
is(changes(), '8', 'but when it is committed');

# A crash gives the ids of transactions that left nothing behind to others.
# A cursor that saw them end must not take the changes of those for known.
# Their end must not have come to disk: the processes that bring it there are
# stopped, however long the rest takes.  Should something else have written it,
# the next try may do.
my $given_out_again;
$node->safe_psql('postgres', move(10));
is(changes(), '10', 'before the crash');
foreach my $try (1 .. 10)
{
	my $writers = "FROM pg_stat_activity WHERE backend_type IN ('walwriter', 'background writer', 'checkpointer', 'autovacuum launcher')";
	$node->poll_query_until('postgres', "SELECT count(*) = 4 $writers") or die 'processes of the server are missing';
	kill 'STOP', split /\n/, $node->safe_psql('postgres', "SELECT pid $writers");
	$node->safe_psql('postgres', 'DO $$ BEGIN FOR i IN 1 .. 50 LOOP PERFORM pg_current_xact_id(); ROLLBACK; END LOOP; END $$');
	changes();
	my $next = $node->safe_psql('postgres', 'SELECT pg_snapshot_xmax(pg_current_snapshot())');
	$node->stop('immediate');
	$node->start;
	$given_out_again = $node->safe_psql('postgres', 'SELECT pg_snapshot_xmax(pg_current_snapshot())') < $next;
	last if $given_out_again;
}
ok($given_out_again, 'after a crash, ids of transactions are given out again');
$node->safe_psql('postgres', move(11));
is(changes(), '11', 'what such a transaction changes is told');
is(changes(), '', 'once');

#
# A restore into a server whose transaction ids are lower.
#
$node->safe_psql('postgres', 'DO $$ BEGIN FOR i IN 1 .. 300 LOOP PERFORM pg_current_xact_id(); COMMIT; END LOOP; END $$');
$node->safe_psql('postgres', move(12));
my $dump = "$tmp/dump.sql";
$node->command_ok([ 'pg_dump', '-f', $dump, '-d', $node->connstr('postgres') ], 'a dump');
my $restored = PostgreSQL::Test::Cluster->new('restored');
$restored->init;
$restored->append_conf("postgresql.conf", "max_prepared_transactions = 10");
$restored->start;
$restored->command_ok([ 'psql', '-X', '-q', '-v', 'ON_ERROR_STOP=1', '-f', $dump, '-o', '/dev/null', '-d', $restored->connstr('postgres') ], 'is restored');
my $all = $node->safe_psql('postgres', 'SELECT string_agg(nic_id::text, $$ $$ ORDER BY seq) FROM cloud.nic_history');
$node->stop;
$node = $restored;

# Entries that bear ids which this server will give out only later.
is($node->safe_psql('postgres', q(UPDATE cloud.nic_history SET transaction_id = pg_current_xact_id()::text::bigint + 5 + seq % 200; SELECT max(transaction_id) > pg_current_xact_id()::text::bigint FROM cloud.nic_history)),
	't', 'history has transaction ids that the server does not know');
$cursor = undef;
my $long = $node->background_psql('postgres');
$long->query_safe('BEGIN; SELECT pg_current_xact_id();');
is(changes(), $all, 'a NULL cursor tells all that was restored');
is(changes(), '', 'once');
my @told;
for my $i (1 .. 60)
{
	# one of the ids in question is in use while the feed is polled
	my $open = $i % 10 == 0 ? $node->background_psql('postgres') : undef;
	$open->query_safe('BEGIN; SELECT pg_current_xact_id();') if $open;
	$node->safe_psql('postgres', move(101 + $i % 10));
	push @told, changes();
	$open->quit if $open;
	push @told, grep { $_ ne '' } changes();
}
is("@told", join(' ', map { 101 + $_ % 10 } 1 .. 60), 'later polls tell what is new, and no more, while a transaction from before them lasts');
$long->quit;
is(changes(), '', 'and after it has ended');
is($node->safe_psql('postgres', 'SELECT count(*) FROM vmnet.nic_changes_since(NULL, NULL)'), $node->safe_psql('postgres', 'SELECT count(*) FROM cloud.nic_history'), 'a NULL cursor still tells all');

#
# What is no cursor
#
for my $bad ('', '1', 'yesterday', '2/0/3/0/0/3/3:3:', '1/0/3/0/0/3/3:3', '1/0/3/0/0/3/3:3:x', '1/-1/3/0/0/3/3:3:', "$cursor/5", "$cursor ", "x$cursor", $cursor x 2,
	# of the right form, but out of bounds
	$cursor =~ s{/\d+}{/9999999999999999999}r, map { $cursor =~ s{[^/]*$}{$_}r } '5:3:', '3:5:9', '3:9:5,4', '0:0:', '99999999999999999999:99999999999999999999:')
{
	my ($status, $out, $err) = $node->psql('postgres', "SELECT count(*) FROM vmnet.nic_changes_since('$bad')", extra_params => [ '-v', 'VERBOSITY=sqlstate' ]);
	like($err, qr/ERROR:  22023/, 'no cursor: ' . substr($bad, 0, 40));
}

#
# Messages.  A session hears what it has sent itself.
#
# What a message names is put in order: nobody promises one.
sub messages
{
	my ($sql) = @_;
	my ($status, $out, $err) = $node->psql('postgres', "LISTEN vmnet_cloud;\n$sql", extra_params => [ '-v', 'VERBOSITY=sqlstate' ]);
	my @payloads = $out =~ /^Asynchronous notification "vmnet_cloud" with payload "(.*)" received/mg;
	s/\[(.*)\]/'[' . join(', ', sort { $a <=> $b } split \/, \/, $1) . ']'/e for @payloads;
	return wantarray ? @payloads : join ' ', @payloads, $err =~ /ERROR:  (\w+)/g;
}
my $prepare = 'BEGIN; ' . move(1) . " PREPARE TRANSACTION 'p';";

is(scalar messages(move(1)), '', 'off: no message');
is(scalar messages($prepare . "ROLLBACK PREPARED 'p';"), '', 'and PREPARE TRANSACTION works');
is($node->safe_psql('postgres', q(SELECT vmnet.set_inventory_notify('cloud', true))), 'vmnet_cloud', 'on');
is(scalar messages(move(1)), '{"event": "update", "count": 1, "nic_ids": [1]}', 'a change of one NIC');
is(scalar messages('UPDATE cloud.nics SET state = next_state(state) WHERE id IN (1, 2, 3);'), '{"event": "update", "count": 3, "nic_ids": [1, 2, 3]}', 'of three');
is(scalar messages("UPDATE cloud.nics SET state = state, mtu = 1500 WHERE id < 10; UPDATE cloud.nics SET ip4_address = '10.0.0.1' WHERE id = 1;"), '', 'where no state changes there is none');
is(scalar messages('UPDATE cloud.nics SET state = next_state(state) WHERE id = 0;'), '', 'nor where no row does');
is(scalar messages('BEGIN; ' . move(1) . ' ROLLBACK;'), '', 'nor where it is undone');
is(scalar messages('BEGIN; ' . move(1) . ' SAVEPOINT a; ' . move(2) . ' ROLLBACK TO a; COMMIT;'), '{"event": "update", "count": 1, "nic_ids": [1]}', 'nor for the part that is');
is(scalar messages('INSERT INTO cloud.nics (id, instance_id, network_id, default_nic) SELECT 90000 + n, 1600 + n, 20, false FROM generate_series(1, 2) n;'),
	'{"event": "insert", "count": 2, "nic_ids": [90001, 90002]}', 'NICs that are added');
is(scalar messages('UPDATE cloud.nics SET state = next_state(state) WHERE id IN (90001, 90002) RETURNING 1 \\g /dev/null'), '{"event": "update", "count": 2, "nic_ids": [90001, 90002]}', 'or changed through the view');
is(scalar messages('DELETE FROM cloud.nics WHERE id = 90001;'), '{"event": "update", "count": 1, "nic_ids": [90001]}', 'a removal is a change');
is(scalar messages(q(UPDATE cloud.all_nics SET state = 'Deallocating', removed = now() WHERE id = 90002; SET client_min_messages = warning; CALL vmnet.purge_inventory('cloud', now());)),
	'{"event": "update", "count": 1, "nic_ids": [90002]} {"event": "delete", "count": 2, "nic_ids": [90001, 90002]}', 'and a purge a deletion');
is(scalar messages($prepare), '0A000', 'a transaction that sends cannot be prepared');
is(scalar messages('INSERT INTO cloud.nics (id, instance_id, network_id, vm_type) VALUES (1, 1, 0, $$User$$) ON CONFLICT (id) DO UPDATE SET state = next_state(all_nics.state);') =~ s/"nic_ids.*//r,
	'42P01', 'a mistake sends nothing');

my ($at_limit) = messages('INSERT INTO cloud.instances (id) SELECT generate_series(100001, 200000); '
	  . 'INSERT INTO cloud.nics (id, instance_id, network_id, default_nic) SELECT 9000000000000000000 + n, 100000 + n, 20, false FROM generate_series(1, 100) n;');
like($at_limit, qr/"count": 100, "nic_ids": \[9000000000000000001, .* 9000000000000000100\]\}$/, 'the longest message names 100 NICs');
cmp_ok(length($at_limit), '<', 3000, 'and is far below 8,000 bytes');
is(scalar messages('INSERT INTO cloud.nics (id, instance_id, network_id, default_nic) SELECT 100000 + n, 100100 + n, 19, false FROM generate_series(1, 99900) n;'), '{"event": "insert", "count": 99900, "nic_ids": null}', 'of more it says how many');
is(scalar messages('UPDATE cloud.nics SET state = next_state(state) WHERE network_id IN (19, 20);'), '{"event": "update", "count": 100000, "nic_ids": null}', 'an UPDATE of 100,000 rows sends one message');
is($node->safe_psql('postgres', q(SELECT vmnet.set_inventory_notify('cloud', false) IS NULL)), 't', 'off again');
is(scalar messages(move(1) . $prepare . "ROLLBACK PREPARED 'p';"), '', 'nothing is left of it');

unlike(slurp_file($_->logfile), qr/TRAP:|ERROR:  XX|PANIC|was terminated by signal/, 'nothing failed in a way that cannot be') for $primary, $standby, $node;
$node->stop;
done_testing();
