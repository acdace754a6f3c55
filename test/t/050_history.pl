# What an inventory remembers is what its clients were told.  Clients add, move
# and remove NICs at random, at once, with savepoints and rollbacks, and write
# down what the server acknowledged and the times that it gave.  That log is
# replayed in Perl; history, as-of answers, intervals and holders of addresses
# must equal the replay.
#
# pg_regress cannot do it: it takes several clients at once.
#
# VMNET_HISTORY_OPS says how many operations there are, VMNET_HISTORY_SEED
# repeats the choices of a run.

use strict;
use warnings FATAL => 'all';

use FindBin;
use lib $FindBin::RealBin;

use Inventory;
use IPC::Run;
use List::Util qw(max min);
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $ops = $ENV{VMNET_HISTORY_OPS} // 8000;
my $seed = $ENV{VMNET_HISTORY_SEED} // time;

use constant CLIENTS => 8;
use constant TIMES => 1000;

# What every client may use from the start.
use constant NETWORKS => 12;
use constant INSTANCES => 60;

my $node = PostgreSQL::Test::Cluster->new('main');
$node->init;
$node->append_conf(
	'postgresql.conf', q(
max_connections = 40
deadlock_timeout = 50ms
TimeZone = 'Asia/Kolkata'
));
$node->start;
$node->safe_psql(
	'postgres', q(
	CREATE EXTENSION vmnet_ext;
	SELECT vmnet.create_inventory('cloud');
	-- Times are written down in microseconds.
	CREATE FUNCTION us(timestamptz) RETURNS bigint LANGUAGE sql IMMUTABLE AS $$ SELECT (extract(epoch FROM $1) * 1000000)::bigint $$;
	-- A legal move from where a NIC is; where there are two, the choice is made by a number.
	CREATE FUNCTION move(state text, strategy text, choice int) RETURNS text LANGUAGE sql IMMUTABLE AS $$
		SELECT CASE WHEN strategy <> 'Start' THEN CASE state WHEN 'Allocated' THEN 'Reserved' ELSE 'Allocated' END
			ELSE (CASE state WHEN 'Allocated' THEN '{Reserving,Reserving}' WHEN 'Reserving' THEN '{Reserved,Allocated}'
				WHEN 'Reserved' THEN '{Releasing,Releasing}' WHEN 'Releasing' THEN '{Allocated,Reserved}' END::text[])[choice] END $$;)
	  . sprintf('INSERT INTO cloud.networks (id) SELECT generate_series(1, %d); INSERT INTO cloud.instances (id) SELECT generate_series(1, %d);',
		NETWORKS, INSTANCES));

my $tmp = PostgreSQL::Test::Utils::tempdir;
note "$ops operations, seed $seed";
srand($seed);

# The event that each move is recorded under, where nobody says which.
my %event = (
	'Allocated Reserving' => 'ReservationRequested',
	'Allocated Reserved' => 'ReservationRequested',
	'Reserving Reserved' => 'OperationCompleted',
	'Reserving Allocated' => 'CancelRequested',
	'Reserved Releasing' => 'ReleaseRequested',
	'Reserved Allocated' => 'ReleaseRequested',
	'Releasing Allocated' => 'OperationCompleted',
	'Releasing Reserved' => 'OperationFailed',
	(map { ("$_ Deallocating" => 'RemoveRequested') } qw(Allocated Reserving Reserved Releasing)),
	'Deallocating Deallocating' => 'Removed');

#
# The load: one script per client.  Ids say whose a row is.
#
my @columns = qw(nic network instance state created state_changed removed ip clock xid actor);
my $told = q('nic', id, network_id, instance_id, state, us(created), us(state_changed), us(removed), host(ip4_address),
	us(clock_timestamp()), pg_current_xact_id(), current_setting('vmnet.actor'));
my %made = map { $_ => { nic => 0, network => 0, instance => 0 } } 1 .. CLIENTS;

sub one_of { return $_[ int rand @_ ]; }
sub chance { return rand() < $_[0]; }

# One of the rows that a client has made lately, or anybody has from the start.
sub some_id
{
	my ($what, $client, $window) = @_;
	my $n = $made{$client}{$what};
	return $client * 1_000_000 + max(1, $n - int rand $window) if $n > 0 && ($what eq 'nic' || chance(0.5));
	return 1 + int rand($what eq 'network' ? NETWORKS : INSTANCES);
}

sub some_nic { my ($client) = @_; return some_id('nic', chance(0.6) ? $client : 1 + int rand CLIENTS, 40); }
sub some_network { return some_id('network', 1 + int rand CLIENTS, 3); }
sub some_instance { return some_id('instance', 1 + int rand CLIENTS, 6); }
sub some_address { return '10.20.0.' . (1 + int rand 60); }

my %operation = (
	add => sub {
		my ($client) = @_;
		my $placeholder = chance(0.05);
		my $values = join ', ', $client * 1_000_000 + ++$made{$client}{nic},
		  $placeholder ? 'NULL' : some_instance(), some_network(), chance(0.7) ? "'" . some_address() . "'" : 'NULL',
		  "'" . ($placeholder ? 'PlaceHolder' : one_of(qw(Start Start Start Create))) . "'",
		  "'" . one_of(qw(User DomainRouter DomainRouter)) . "'", "'" . one_of(qw(Allocated Allocated Reserved)) . "'";
		return "INSERT INTO cloud.nics (id, instance_id, network_id, ip4_address, strategy, vm_type, state) VALUES ($values) RETURNING $told;";
	},
	move => sub { return sprintf 'UPDATE cloud.nics SET state = move(state, strategy, %d) WHERE id = %d RETURNING %s;', one_of(1, 2), some_nic(@_), $told; },
	move_many => sub {
		return sprintf 'UPDATE cloud.nics SET state = move(state, strategy, %d) WHERE network_id = %d RETURNING %s;', one_of(1, 2), some_network(), $told;
	},
	nothing => sub { return sprintf 'UPDATE cloud.nics SET state = state, mtu = %d WHERE id = %d RETURNING %s;', rand 9000, some_nic(@_), $told; },
	address => sub { return sprintf q(UPDATE cloud.all_nics SET ip4_address = '%s' WHERE id = %d RETURNING %s;), some_address(), some_nic(@_), $told; },
	move_and_address => sub {
		return sprintf q(UPDATE cloud.nics SET state = move(state, strategy, 1), ip4_address = NULL WHERE id = %d RETURNING %s;), some_nic(@_), $told;
	},
	half => sub { return sprintf q(UPDATE cloud.nics SET state = 'Deallocating' WHERE id = %d RETURNING %s;), some_nic(@_), $told; },
	finish => sub {
		return sprintf q(UPDATE cloud.all_nics SET removed = %s WHERE id = %d AND state = 'Deallocating' AND removed IS NULL RETURNING %s;),
		  one_of('clock_timestamp()', 'now()', q(now() - interval '1 second')), some_nic(@_), $told;
	},
	remove => sub {
		return sprintf q(UPDATE cloud.nics SET state = 'Deallocating', removed = %s WHERE id = %d RETURNING %s;),
		  one_of('clock_timestamp()', 'now()', q(now() + interval '1 minute')), some_nic(@_), $told;
	},
	# The view has nothing to return: what was written is read afterwards, in
	# the same transaction, and changes no more.
	delete => sub {
		my $nic = some_nic(@_);
		return "DELETE FROM cloud.nics WHERE id = $nic \\; SELECT $told FROM cloud.all_nics WHERE id = $nic AND removed IS NOT NULL;";
	},
	illegal => sub { return sprintf q(UPDATE cloud.all_nics SET state = 'Reserving' WHERE id = %d AND state IN ('Reserved', 'Deallocating') RETURNING %s;), some_nic(@_), $told; },
	make_network => sub { my ($client) = @_; return sprintf 'INSERT INTO cloud.networks (id) VALUES (%d);', $client * 1_000_000 + ++$made{$client}{network}; },
	make_instance => sub { my ($client) = @_; return sprintf 'INSERT INTO cloud.instances (id) VALUES (%d);', $client * 1_000_000 + ++$made{$client}{instance}; },
	remove_network => sub { return remove_parent('network', @_); },
	remove_instance => sub { return remove_parent('instance', @_); });

# A network or an instance goes with all its NICs.
sub remove_parent
{
	my ($what, $client) = @_;
	my $id = $client * 1_000_000 + max(1, $made{$client}{$what} - 1);
	return join ' ',
	  "UPDATE cloud.all_nics SET removed = clock_timestamp() WHERE ${what}_id = $id AND removed IS NULL AND state = 'Deallocating' RETURNING $told;",
	  "UPDATE cloud.nics SET state = 'Deallocating', removed = clock_timestamp() WHERE ${what}_id = $id RETURNING $told;",
	  "UPDATE cloud.${what}s SET removed = clock_timestamp() WHERE id = $id RETURNING '$what', id, us(removed);";
}

my %weight = (
	add => 22, move => 34, move_many => 3, nothing => 4, address => 8, move_and_address => 2, half => 4, finish => 6, remove => 3,
	delete => 4, illegal => 2, make_network => 2, make_instance => 5, remove_network => 1, remove_instance => 1);
my @choices = map { ($_) x $weight{$_} } sort keys %weight;

# What others build upon is not made in a transaction that may be undone.
sub some_operation
{
	my ($client, $undoable) = @_;
	return $operation{ one_of($undoable ? grep { !/^make_/ } @choices : @choices) }->($client);
}

# A transaction, and how many operations it has.  Savepoints have names of
# their own, so that none is taken for another.
sub transaction
{
	my ($client, $number) = @_;
	my $count = 2 + int rand 6;
	my @lines = (
		'\\echo begin', 'BEGIN ISOLATION LEVEL ' . one_of('READ COMMITTED', 'READ COMMITTED', 'REPEATABLE READ') . ';',
		'\\set ON_ERROR_ROLLBACK ' . one_of('on', 'off'));
	my @savepoints;

	push @lines, "SET LOCAL vmnet.actor = 'client $client, $number';" if chance(0.5);
	for my $i (1 .. $count)
	{
		if (chance(0.25))
		{
			push @savepoints, "s${number}_$i";
			push @lines, "SAVEPOINT $savepoints[-1];", '\\echo savepoint';
		}
		push @lines, some_operation($client, 1);
		if (@savepoints && chance(0.5))
		{
			my $savepoint = pop @savepoints;
			push @lines, one_of([ "ROLLBACK TO $savepoint; RELEASE $savepoint;", '\\echo rollback to' ], [ "RELEASE $savepoint;", '\\echo release' ])->@*;
		}
	}
	# Where an error has ended the transaction, the end is not told.
	push @lines, chance(0.85) ? (q(SELECT 'end';), 'COMMIT;') : 'ROLLBACK;';
	return ($count, @lines, '\\echo over');
}

sub script
{
	my ($client, $count) = @_;
	my @lines = ('\\set VERBOSITY sqlstate', "SET vmnet.actor = 'client $client';");
	my $number = 0;

	while ($count > 0)
	{
		my ($n, @more) = chance(0.6) ? (1, some_operation($client)) : transaction($client, ++$number);
		$count -= $n;
		push @lines, @more;
	}
	return @lines;
}

my @scripts = map { [] } 1 .. CLIENTS;
# All of them progress together, so that they meet at the same rows.
for my $round (1 .. max(1, $ops / CLIENTS / 50))
{
	push $scripts[ $_ - 1 ]->@*, script($_, 50) for 1 .. CLIENTS;
}

my @clients;
for my $c (1 .. CLIENTS)
{
	my $file = "$tmp/client_$c.sql";
	open my $script, '>', $file or die "$file: $!";
	print $script join("\n", $scripts[ $c - 1 ]->@*), "\n";
	close $script;
	my $client = { number => $c };
	local %ENV = (%ENV, PGHOST => $node->host, PGPORT => $node->port);
	$client->{run} = IPC::Run::start([ 'psql', '-X', '-q', '-A', '-t', '-f', $file, 'postgres' ],
		'<', \undef, '>', "$tmp/client_$c.out", '2>', "$tmp/client_$c.err");
	push @clients, $client;
}
$_->{run}->finish for @clients;

#
# What the clients were told.
#
my %versions;    # of each NIC, in the order in which they were
my %removed = (network => {}, instance => {});
my %count = (committed => 0, undone => 0);
my %errors;

sub take_down
{
	my (@lines) = @_;
	for my $line (@lines)
	{
		my ($what, @values) = split /\|/, $line, -1;
		if ($what eq 'nic')
		{
			my %version;
			@version{@columns} = @values;
			push $versions{ $version{nic} }->@*, \%version;
		}
		else
		{
			$removed{$what}{ $values[0] } = $values[1];
		}
	}
	$count{committed} += @lines;
	return;
}

for my $c (1 .. CLIENTS)
{
	my ($in_transaction, $end, @buffer, @savepoints) = (0, 0);
	for my $line (split /\n/, slurp_file("$tmp/client_$c.out"))
	{
		if ($line =~ /^(nic|network|instance)\|/)
		{
			if ($in_transaction) { push @buffer, $line; }
			else { take_down($line); }
		}
		elsif ($line eq 'begin') { ($in_transaction, $end, @buffer) = (1, 0); @savepoints = (); }
		elsif ($line eq 'end') { $end = 1; }
		elsif ($line eq 'savepoint') { push @savepoints, scalar @buffer; }
		elsif ($line eq 'release') { pop @savepoints; }
		elsif ($line eq 'rollback to') { $count{undone} += @buffer; $#buffer = pop(@savepoints) - 1; $count{undone} -= @buffer; }
		elsif ($line eq 'over')
		{
			if ($end) { take_down(@buffer); }
			else { $count{undone} += @buffer; }
			$in_transaction = 0;
		}
		else { die "client $c says: $line"; }
	}
	my $heard = slurp_file("$tmp/client_$c.err");
	$errors{$1}++ while $heard =~ /ERROR:  (\w+)/g;
	my @other = grep { !/ERROR:  \w{5}$/ && !/^$/ } split /\n/, $heard;
	is("@other", '', "client $c heard of nothing but errors");
}
note "$count{committed} rows committed, $count{undone} undone; errors: " . join ', ', map { "$errors{$_} x $_" } sort keys %errors;
cmp_ok($count{committed}, '>', $ops / 4, 'much was committed');
cmp_ok($count{undone}, '>', $ops / 40, 'and much undone');
# A removed parent or held NICs, duplicates, illegal moves, rows that have
# changed since, deadlocks, and what comes after an error.
is(join(' ', grep { !/^(23503|23505|23514|40001|40P01|25P02|3B001)$/ } sort keys %errors), '', 'clients were refused for the reasons that there can be');

for my $nic (keys %versions)
{
	my $list = $versions{$nic};
	@$list = sort { $a->{clock} <=> $b->{clock} } @$list;
}

# Rows of a query, each as one line.
sub rows
{
	my ($sql) = @_;
	return split /\n/, $node->safe_psql('postgres', $sql);
}

# Says of two lists where they part.
sub same_lines
{
	my ($got, $expected, $what) = @_;
	local $Test::Builder::Level = $Test::Builder::Level + 1;
	my $n = 0;
	$n++ while $n < @$got && $n < @$expected && $got->[$n] eq $expected->[$n];
	return ok(1, "$what (" . @$got . ')') if $n == @$got && $n == @$expected;
	ok(0, $what);
	diag(scalar(@$got) . ' lines, expected ' . scalar(@$expected) . ", they differ from line $n on");
	diag("got:      " . ($got->[$_] // 'nothing')) for $n .. $n + 2;
	diag("expected: " . ($expected->[$_] // 'nothing')) for $n .. $n + 2;
	return 0;
}

#
# History: exactly the acknowledged changes, in their order.
#
my @nics = sort { $a <=> $b } keys %versions;
my (@changes, @chain, %at_least);

for my $nic (@nics)
{
	my $before;
	for my $v ($versions{$nic}->@*)
	{
		if ($before && ($before->{state} ne $v->{state} || $before->{removed} ne $v->{removed}))
		{
			my $moved = $before->{state} ne $v->{state};
			push @changes, join '|', @{$v}{qw(nic network instance)}, $before->{state}, $v->{state},
			  $event{"$before->{state} $v->{state}"} // 'no such move', $v->{removed}, $moved ? $v->{state_changed} : 'later', $v->{xid}, $v->{actor};
			push $at_least{$nic}->@*, $moved ? $v->{state_changed} : $v->{clock};
		}
		$before = $v;
	}
}
same_lines(
	[ rows(q(
		SELECT nic_id, network_id, instance_id, from_state, to_state, event, us(removed), CASE WHEN event = 'Removed' THEN 'later' ELSE us(at)::text END, transaction_id, actor
		FROM cloud.nic_history ORDER BY nic_id, seq)) ],
	\@changes, 'history has exactly the changes that were acknowledged, in their order');

is($node->safe_psql('postgres', q(
	SELECT count(*) FROM (
		SELECT n.id, h.seq, h.from_state, h.at, lag(h.to_state) OVER w AS was, lag(h.at) OVER w AS last
		FROM cloud.all_nics n JOIN cloud.nic_history h ON h.nic_id = n.id WINDOW w AS (PARTITION BY n.id ORDER BY h.seq)) c
	WHERE was <> from_state OR last > at)), 0, 'the chain of every NIC is unbroken, and its times never go back');
same_lines(
	[ rows(q(
		SELECT n.id, coalesce(f.from_state, n.state), coalesce(l.to_state, n.state), n.state, l.removed IS NOT DISTINCT FROM n.removed
		FROM cloud.all_nics n
			LEFT JOIN LATERAL (SELECT from_state FROM cloud.nic_history h WHERE h.nic_id = n.id ORDER BY seq LIMIT 1) f ON true
			LEFT JOIN LATERAL (SELECT to_state, removed FROM cloud.nic_history h WHERE h.nic_id = n.id ORDER BY seq DESC LIMIT 1) l ON true
		ORDER BY n.id)) ],
	[ map { join '|', $_, $versions{$_}[0]{state}, $versions{$_}[-1]{state}, $versions{$_}[-1]{state}, 't' } @nics ],
	'every chain begins where its NIC was created and ends where it is');

# A removal that finishes another has a time of its own.
my %n;
my @early = grep { my ($nic, $at) = split /\|/; $at < $at_least{$nic}[ $n{$nic}++ ] } rows('SELECT nic_id, us(at) FROM cloud.nic_history ORDER BY nic_id, seq');
is("@early", '', 'no entry is older than its change');

#
# When each NIC was active, and which addresses it had.  The time of a change
# of address stands in nic_address_history alone: it must be between what the
# client was told in the same statement and what came next.
#
my (%interval, @address_changes, %address_until);
for my $nic (@nics)
{
	my ($first, $last) = $versions{$nic}->@[ 0, -1 ];
	my ($gone) = grep { $_->{state} eq 'Deallocating' } $versions{$nic}->@*;
	$interval{$nic} = {
		nic => $nic, network => $first->{network}, instance => $first->{instance}, from => $first->{created},
		to => $gone ? min(grep { $_ ne '' } $gone->{state_changed}, $last->{removed}) : '' };
}

for my $line (rows('SELECT nic_id, host(ip4_address), us(until) FROM cloud.nic_address_history ORDER BY nic_id, entry'))
{
	my ($nic, $ip, $until) = split /\|/, $line;
	push @address_changes, "$nic|$ip";
	push $address_until{$nic}->@*, $until;
}
my (@expected_changes, @wrong_times, @holders);
for my $nic (@nics)
{
	my ($before, @untils) = (undef, ($address_until{$nic} // [])->@*);
	my $from = $versions{$nic}[0]{created};
	my $to = $interval{$nic}{to};
	my @pieces;
	for my $v ($versions{$nic}->@*)
	{
		if ($before && $before->{ip} ne $v->{ip})
		{
			my $until = shift(@untils) // 0;
			push @expected_changes, "$nic|$before->{ip}";
			push @wrong_times, "$nic at $until" if $until < $v->{clock};
			push @pieces, [ $before->{ip}, $from, $until ];
			$from = $until;
		}
		elsif ($before && @untils && $before->{clock} > $v->{clock}) { push @wrong_times, $nic; }
		$before = $v;
	}
	push @pieces, [ $before->{ip}, $from, '' ];
	for my $piece (@pieces)
	{
		my ($ip, $since, $until) = @$piece;
		$until = $until eq '' ? $to : $to eq '' ? $until : min($until, $to);
		push @holders, { nic => $nic, ip => $ip, from => $since, to => $until } if $ip ne '' && ($until eq '' || $until > $since);
	}
}
same_lines(\@address_changes, \@expected_changes, 'every change of address that was acknowledged is kept, and no other');
is("@wrong_times", '', 'at the time at which it was made');

sub by_nic_and_time { return $a->{nic} <=> $b->{nic} || $a->{from} <=> $b->{from}; }
same_lines(
	[ rows(q(SELECT nic_id, host(ip4_address), us(held_from), us(held_to) FROM vmnet.ip_holders('10.0.0.0/8') ORDER BY nic_id, held_from)) ],
	[ map { join '|', @{$_}{qw(nic ip from to)} } sort by_nic_and_time @holders ],
	'ip_holders() equals the replay');

my @intervals = grep { $_->{to} eq '' || $_->{to} > $_->{from} } map { $interval{$_} } @nics;
same_lines(
	[ rows('SELECT nic_id, network_id, instance_id, us(i.from), us(i.to) FROM cloud.nic_intervals i ORDER BY nic_id') ],
	[ map { join '|', @{$_}{qw(nic network instance from to)} } @intervals ],
	'nic_intervals equals the replay');

# Times of the same instance on the same network, put together where they
# touch, until it or the network was removed.
sub together
{
	my %pair;
	for my $i (grep { $_->{instance} ne '' } @intervals)
	{
		my @ends = grep { defined && $_ ne '' } $i->{to}, $removed{instance}{ $i->{instance} }, $removed{network}{ $i->{network} };
		my $to = @ends ? min(@ends) : '';
		push $pair{"$i->{network}|$i->{instance}"}->@*, [ $i->{from}, $to ] if $to eq '' || $to > $i->{from};
	}
	my @lines;
	for my $pair (sort { my ($v, $w) = map { [ split /\|/ ] } $a, $b; $v->[0] <=> $w->[0] || $v->[1] <=> $w->[1] } keys %pair)
	{
		my @merged;
		for my $i (sort { $a->[0] <=> $b->[0] } $pair{$pair}->@*)
		{
			if (@merged && ($merged[-1][1] eq '' || $merged[-1][1] >= $i->[0]))
			{
				$merged[-1][1] = $merged[-1][1] eq '' || $i->[1] eq '' ? '' : max($merged[-1][1], $i->[1]);
			}
			else { push @merged, [@$i]; }
		}
		push @lines, map { "$pair|$_->[0]|$_->[1]" } @merged;
	}
	return @lines;
}
same_lines([ rows('SELECT network_id, instance_id, us(i.from), us(i.to) FROM cloud.network_instance_intervals i ORDER BY 1, 2, 3') ],
	[ together() ], 'network_instance_intervals equals the replay');

#
# As of random times, of times that the server gave, and of one microsecond
# before those.
#
my @given = grep { $_ ne '' } map { ($_->{from}, $_->{to}) } @intervals;
push @given, grep { ($_ // '') ne '' } values $removed{network}->%*, values $removed{instance}->%*;
my ($begin, $end) = (min(@given) - 1000, max(@given) + 1000);
my %of_network;
push $of_network{ $_->{network} }->@*, $_ for @intervals;
my @networks = keys %of_network;

my @questions = map { [ $_, one_of(@networks), $_ % 3 == 0 ? $begin + int rand($end - $begin) : one_of(@given) - ($_ % 3 == 1) ] } 1 .. TIMES;
# Half of them are asked of a network at a time when something happened there.
for my $question (@questions[ 0 .. TIMES / 2 ])
{
	my $i = one_of($of_network{ $question->[1] }->@*);
	$question->[2] = one_of(grep { $_ ne '' } @{$i}{qw(from to)}) - $question->[0] % 2;
}

my @answers;
for my $question (@questions)
{
	my ($number, $network, $at) = @$question;
	next if ($removed{network}{$network} // $at + 1) <= $at;
	my %member;
	for my $i (sort { $a->{nic} <=> $b->{nic} } $of_network{$network}->@*)
	{
		next if $i->{instance} eq '' || $i->{from} > $at || ($i->{to} ne '' && $i->{to} <= $at);
		next if ($removed{instance}{ $i->{instance} } // $at + 1) <= $at;
		push $member{ $i->{instance} }->@*, $i;
	}
	push @answers, map { my @n = $member{$_}->@*; join '|', $number, $_, scalar(@n), @{ $n[0] }{qw(nic from to)} } sort { $a <=> $b } keys %member;
}
cmp_ok(scalar(@answers), '>', TIMES / 2, 'there is something to answer');
my $questions = join ', ', map { "($_->[0], $_->[1], timestamptz 'epoch' + $_->[2] * interval '1 microsecond')" } @questions;
same_lines(
	[ rows(qq(
		SELECT q.n, a.instance_id, a.nic_count, a.nic_id, us(a.from), us(a.to)
		FROM (VALUES $questions) q (n, network, at), vmnet.network_instances_as_of(q.network, q.at) WITH ORDINALITY a
		ORDER BY q.n, a.ordinality)) ],
	\@answers, 'as of ' . TIMES . ' times, networks had what the replay says');

# The same from the view.
my @members = map { join '|', (split /\|/)[ 0, 1 ] } @answers;
same_lines(
	[ rows(qq(
		SELECT q.n, i.instance_id
		FROM (VALUES $questions) q (n, network, at) JOIN cloud.network_instance_intervals i
			ON i.network_id = q.network AND i.from <= q.at AND (i.to IS NULL OR i.to > q.at)
		ORDER BY q.n, i.instance_id)) ],
	\@members, 'and so says the view');

# Holders of an address at a time
my @moments = grep { $_ ne '' } map { ($_->{from}, $_->{to}) } @holders;
@questions = map { [ $_, one_of(@holders)->{ip}, one_of(@moments) - $_ % 2 ] } 1 .. TIMES;
@answers = map {
	my ($number, $ip, $at) = @$_;
	map { "$number|$_->{nic}" } sort { $a->{nic} <=> $b->{nic} } grep { $_->{ip} eq $ip && $_->{from} <= $at && ($_->{to} eq '' || $_->{to} > $at) } @holders
} @questions;
$questions = join ', ', map { "($_->[0], inet '$_->[1]', timestamptz 'epoch' + $_->[2] * interval '1 microsecond')" } @questions;
same_lines([ rows(qq(SELECT q.n, a.nic_id FROM (VALUES $questions) q (n, ip, at), vmnet.ip_holders(q.ip, q.at, q.at) a ORDER BY q.n, a.nic_id)) ],
	\@answers, 'an address was held by whom the replay says, at ' . TIMES . ' times');

is(broken_rules($node, 'postgres', 'cloud'), '', 'no rule is broken');
my $log = slurp_file($node->logfile);
unlike($log, qr/TRAP:|ERROR:  XX|PANIC|was terminated by signal/, 'and nothing failed in a way that cannot be');

$node->stop;
done_testing();
