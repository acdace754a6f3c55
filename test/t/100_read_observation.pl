# Mutated payloads of every kind: vmnet.read_observation() returns rows, or raises
# the error of a malformed payload; every row is a sighting or is rejected with a
# reason; and there are as many rows as the payload has records, which are counted
# here, by the rules of doc/reality.md.
#
# The payloads are those of test/data/observations and some of kinds that cannot be
# recorded.  VMNET_MUTATIONS=10000 tries as many, VMNET_SEED makes a run again.
#
# pg_regress cannot do it: payloads are made and counted in another language.

use strict;
use warnings FATAL => 'all';

use JSON::PP;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $mutations = $ENV{VMNET_MUTATIONS} // 1000;
my $seed = $ENV{VMNET_SEED} // int(rand(2**31));
srand($seed);
note "VMNET_MUTATIONS=$mutations VMNET_SEED=$seed";

my $json = JSON::PP->new->canonical->allow_nonref->max_depth(2000);

#
# The payloads
#
my %recorded;
for my $file (glob 'test/data/observations/*')
{
	my ($kind) = $file =~ /\.(libvirt|ovs|neigh|fdb|leases|prometheus)$/ or next;

	push @{ $recorded{$kind} }, slurp_file($file);
}
my $nic = '{"id": "22222222-0000-4000-8000-00000000000%d", "networkid": "33333333-0000-4000-8000-000000000009", "macaddress": "02:00:00:00:00:0%d", "ipaddress": "10.1.0.%d", "ip6address": "fd00::%d"}';
my $nics = join ', ', map { sprintf $nic, ($_) x 4 } 1 .. 3;
push @{ $recorded{cloudstack} },
	qq({"listvirtualmachinesresponse": {"count": 2, "virtualmachine": [{"id": "11111111-0000-4000-8000-000000000001", "name": "a", "nic": [$nics]}, {"id": "11111111-0000-4000-8000-000000000002", "name": "b", "nic": []}]}}),
	qq([{"listnicsresponse": {"count": 3, "nic": [$nics]}}, {"router": [{"id": "11111111-0000-4000-8000-000000000003", "name": "r", "nic": [$nics]}]}, {"listnicsresponse": {}}]),
	'{"listsystemvmsresponse": {"count": 1, "systemvm": [{"id": "11111111-0000-4000-8000-000000000004", "name": "v", "publicmacaddress": "02:00:00:00:00:01", "publicip": "192.0.2.1", "privatemacaddress": "02:00:00:00:00:02"}]}}';
push @{ $recorded{csv} }, "host,segment,device,mac,ip,domain,domain_uuid\nkvm1,br0,vnet0,02:00:00:00:00:01,10.1.0.1,web,11111111-0000-4000-8000-000000000001\n\nkvm1,\"br0, 2\",vnet1,02:00:00:00:00:02,fd00::1,\"d\"\"b\",\n",
	"mac\r\n02:00:00:00:00:01\r\n\"02:00:00:00:00:02\"\r\n";
push @{ $recorded{leases} }, "1796025774 02:00:00:00:00:01 10.1.0.1 a *\r\nduid 00:01\n1796025774 123 fd00::1 a 00:01\n",
	'[{"ip-address": "10.1.0.1", "mac-address": "02:00:00:00:00:01", "hostname": "a"}, {"iaid": "1", "ip-address": "fd00::1"}]';

#
# How many records a payload has; undef if it is not of its kind.  "data" is the
# decoded JSON.
#
my $missing = \'missing';

# The value of a key, as vmnet_internal reads it: text of scalars.
sub text_of
{
	my ($of, $key) = @_;

	return undef if ref $of ne 'HASH' || !defined $of->{$key};
	return ref $of->{$key} ? $json->encode($of->{$key}) : $of->{$key};
}

sub no_host
{
	my ($mac) = @_;
	return 0 if !defined $mac || $mac !~ /^\s*([0-9a-f]{2})([:-]?)[0-9a-f]{2}(?:\2[0-9a-f]{2}){4}\s*$/i;
	return hex($1) % 2 == 1 || $mac =~ /^\s*[0:-]+\s*$/;
}

sub count_list
{
	my ($data, $ignored) = @_;

	return undef if ref $data ne 'ARRAY';
	return scalar grep { ref $_ ne 'HASH' || !$ignored->($_) } @$data;
}

# Is a word among the words of a value
sub among
{
	my ($value, $word) = @_;

	return 0 if !defined $value;
	return exists $value->{$word} if ref $value eq 'HASH';
	return scalar grep { defined $_ && !ref $_ && $_ eq $word } ref $value eq 'ARRAY' ? @$value : ($value);
}

sub count_ovs
{
	my ($data) = @_;

	return undef if ref $data ne 'HASH' || ref $data->{headings} ne 'ARRAY' || ref $data->{data} ne 'ARRAY';
	my @headings = map { $_ // '' } @{ $data->{headings} };
	my ($ids) = grep { $headings[$_] eq 'external_ids' } 0 .. $#headings;
	return undef if !defined $ids || !grep { $_ eq 'name' } @headings;

	my $n = 0;
	for my $row (@{ $data->{data} })
	{
		my $map = ref $row eq 'ARRAY' ? $row->[$ids] : undef;

		$n++, next if ref $map ne 'ARRAY' || !defined $map->[0] || ref $map->[0] || $map->[0] ne 'map' || ref $map->[1] ne 'ARRAY';
		$n++, next if grep { ref $_ ne 'ARRAY' || @$_ != 2 || grep { !is_text($_) } @$_ } @{ $map->[1] };
		$n++ if grep { $_->[0] =~ /^(?:attached-mac|iface-id)$/ } @{ $map->[1] };
	}
	return $n;
}

sub is_text
{
	my ($value) = @_;
	return defined $value && !ref $value && $json->encode($value) =~ /^"/;
}

sub count_prometheus
{
	my ($data) = @_;

	return undef if ref $data ne 'HASH' || (text_of($data, 'status') // '') ne 'success';
	return undef if ref $data->{warnings} eq 'ARRAY' && @{ $data->{warnings} };
	return undef if ref $data->{data} ne 'HASH' || (text_of($data->{data}, 'resultType') // '') ne 'vector' || ref $data->{data}{result} ne 'ARRAY';
	return scalar @{ $data->{data}{result} };
}

# The addresses of a NIC that are a record each
sub count_addresses
{
	my ($of) = @_;
	my @given = grep { defined && /[^ ]/ } map { text_of($of, $_) } qw(ipaddress ip6address);

	return @given || 1;
}

sub count_machine
{
	my ($kind, $machine) = @_;

	return count_addresses($machine) if $kind eq 'nic';
	return 1 if ref $machine ne 'HASH';
	if (ref $machine->{nic} eq 'ARRAY')
	{
		my $n = 0;
		$n += count_addresses($_) for @{ $machine->{nic} };
		return $n;
	}
	my $macs = grep { exists $machine->{"${_}macaddress"} } qw(public private linklocal);
	return $kind eq 'systemvm' && $macs ? $macs : 1;
}

sub count_cloudstack
{
	my ($data) = @_;
	my ($n, %counted, %announced) = (0);

	for my $page (ref $data eq 'ARRAY' ? @$data : ($data))
	{
		return undef if ref $page ne 'HASH';
		my ($key) = grep { exists $page->{$_} } qw(listvirtualmachinesresponse listroutersresponse listsystemvmsresponse listnicsresponse errorresponse);
		my $body = defined $key ? $page->{$key} : $page;
		return undef if ref $body ne 'HASH' || exists $body->{errortext} || exists $body->{errorcode};
		my ($kind) = grep { ref $body->{$_} eq 'ARRAY' } qw(virtualmachine router systemvm nic);
		my $count = text_of($body, 'count');
		if (!defined $kind)
		{
			return undef if grep { $_ ne 'count' } keys %$body;
			return undef if defined $count && $count ne '0';
			next;
		}
		$counted{$kind} += @{ $body->{$kind} };
		$announced{$kind} = $count if defined $count && $count =~ /^\d{1,9}$/ && $count > ($announced{$kind} // -1);
		$n += count_machine($kind, $_) for @{ $body->{$kind} };
	}
	return undef if grep { $counted{$_} < $announced{$_} } keys %announced;
	return $n;
}

my %counter = (
	neigh => sub { count_list($_[0], sub { my ($e) = @_; exists $e->{proxy} || no_host(text_of($e, 'lladdr')) || grep { among($e->{state}, $_) } qw(FAILED INCOMPLETE NONE) }) },
	fdb => sub { count_list($_[0], sub { (text_of($_[0], 'state') // '') eq 'permanent' || no_host(text_of($_[0], 'mac')) }) },
	leases => sub { count_list($_[0], sub { exists $_[0]{iaid} && !exists $_[0]{'mac-address'} }) },
	ovs => \&count_ovs, prometheus => \&count_prometheus, cloudstack => \&count_cloudstack);

sub count_leases
{
	my ($text) = @_;
	my $n = 0;

	for my $line (split /\n/, $text)
	{
		my @field = grep { $_ ne '' } split /[ \t\r]/, $line;

		next if !@field || $field[0] eq 'duid';
		next if @field > 2 && $field[1] =~ /^T?\d+$/a && $field[2] =~ /:/;
		$n++;
	}
	return $n;
}

#
# Mutations
#
my @values = (undef, JSON::PP::true, 0, -1, 1e30, '', ' ', 'x', 'FAILED', 'permanent', 'success', 'map', 'attached-mac', '02:00:00:00:00:0a',
	'ff:ff:ff:ff:ff:ff', '01:00:5e:00:00:01', '00-00-00-00-00-00', '10.0.0.256', '10.0.0.1/24', '::', 'fe80::1%eth0', "a\tb", 'x' x 300,
	"\x{1f600}", "\x{202e}", [], {}, ['x'], [[]], { id => 1 }, { proxy => undef }, ['FAILED'], '11111111-0000-4000-8000-00000000000z', '999999999999');

# All places of a tree: references to their holders, with index or key.
sub places
{
	my ($of) = @_;

	return map({ ([ $of, $_ ], places($of->[$_])) } 0 .. $#$of) if ref $of eq 'ARRAY';
	return map({ ([ $of, $_ ], places($of->{$_})) } sort keys %$of) if ref $of eq 'HASH';
	return;
}

sub any { return $_[ rand @_ ] }

sub copy_of { return $json->decode($json->encode($_[0])) }

sub mutate_tree
{
	my ($root) = @_;
	my @places = places($root);
	return any(@values) if !@places || rand() < 0.02;
	my ($of, $at) = @{ any(@places) };
	my $what = int rand 5;

	if (ref $of eq 'ARRAY')
	{
		if ($what == 0) { splice @$of, $at, 1 }
		elsif ($what == 1) { push @$of, copy_of($of->[$at]) }
		else { $of->[$at] = copy_of(any(@values)) }
	}
	elsif ($what == 0) { delete $of->{$at} }
	elsif ($what == 1) { $of->{"${at}x"} = delete $of->{$at} }
	elsif ($what == 2) { my ($other, $there) = @{ any(@places) }; my $value = copy_of(ref $other eq 'ARRAY' ? $other->[$there] : $other->{$there}); $of->{$at} = $value }
	else { $of->{$at} = copy_of(any(@values)) }
	return $root;
}

my @inserted = ('<', '>', '&', '"', "'", ',', ':', '{', '}', '[', ']', '\\', '\u0000', '\ud800', "\n", "\r", "\t", ' ', '0', '-', '&x;', '<!--', '<![CDATA[',
	'<interface/>', '<?x?>', "\x{feff}", "\x{1}", "\x{e9}", "\x{1f600}", '1e999999', '[' x 20000, 'x' x 5000);

sub mutate_text
{
	my ($text) = @_;

	for (0 .. rand 3)
	{
		my $at = int rand(1 + length $text);
		my $length = int rand 20;
		my $what = int rand 4;

		if ($what == 0) { substr($text, $at, $length, '') }
		elsif ($what == 1) { substr($text, $at, 0, any(@inserted)) }
		elsif ($what == 2) { substr($text, $at, 0, substr($text, rand(length $text), $length)) if $text ne '' }
		else { $text = substr($text, 0, $at) if rand() < 0.3 }
	}
	return $text;
}

# A mutated payload, and how many records it has: a number, "none" if it is not of its
# kind, or undef where that is not counted.
sub mutated
{
	my ($kind) = @_;
	my $text = any(@{ $recorded{$kind} });
	my $count;

	utf8::decode($text);
	if ($counter{$kind} && $text =~ /^\s*[\[{]/)
	{
		my $tree = $json->decode($text);

		$tree = mutate_tree($tree) for 0 .. rand 4;
		$text = $json->encode($tree);
		# a mutated file of leases need not be JSON any more
		$count = $kind eq 'leases' && ref $tree ne 'ARRAY' ? undef : $counter{$kind}->($json->decode($text)) // 'none';
		return ($text, $count) if rand() < 0.6;
	}
	$text = mutate_text($text);
	$count = undef;
	$count = count_leases($text) if $kind eq 'leases' && $text !~ /^\s*\[/ && $text !~ /\x{feff}/;
	return ($text, $count);
}

#
# The tries
#
my $node = PostgreSQL::Test::Cluster->new('read');
$node->init;
$node->append_conf('postgresql.conf', "autovacuum = off\nlog_min_messages = fatal\nlog_min_error_statement = fatal\n");
$node->start;
$node->safe_psql('postgres', <<'SQL');
CREATE EXTENSION vmnet_ext;
CREATE TABLE try (n int PRIMARY KEY, kind text, payload text, expected text);
CREATE TABLE result (n int, state text, rule text, records int, rejected int, numbered boolean, sound boolean);
CREATE PROCEDURE run_all() LANGUAGE plpgsql AS $$
DECLARE
	t try;
	r result;
BEGIN
	FOR t IN SELECT * FROM try ORDER BY n LOOP
		r := ROW(t.n);
		BEGIN
			SELECT t.n, '00000', NULL, count(*), count(o.reason), count(*) = coalesce(max(o.record), 0) AND count(*) = count(DISTINCT o.record),
				coalesce(bool_and(o.place IS NOT NULL AND CASE WHEN o.reason IS NULL THEN o.mac_address IS NOT NULL AND o.raw IS NULL
					ELSE o.reason <> '' AND o.raw IS NOT NULL AND length(o.raw) <= 200 END), true)
			INTO r FROM vmnet.read_observation(t.kind, t.payload) o;
		EXCEPTION WHEN OTHERS THEN
			r.state := SQLSTATE;
			GET STACKED DIAGNOSTICS r.rule = CONSTRAINT_NAME;
		END;
		INSERT INTO result SELECT r.*;
	END LOOP;
END $$;
SQL

# The form of a text in COPY
sub copied
{
	my ($text) = @_;
	my %escape = ("\\" => '\\\\', "\t" => '\t', "\n" => '\n', "\r" => '\r');

	return '\N' if !defined $text;
	$text =~ s/([\\\t\n\r])/$escape{$1}/g;
	return $text;
}

my $file = "${PostgreSQL::Test::Utils::tmp_check}/mutated.txt";
my @kinds = sort keys %recorded;
my %tried;
open(my $fh, '>:encoding(UTF-8)', $file) or die "$file: $!";
for my $n (1 .. $mutations)
{
	my $kind = $kinds[ $n % @kinds ];
	my ($text, $count) = mutated($kind);

	$tried{$kind}++;
	print $fh join("\t", $n, $kind, copied($text), copied($count)), "\n";
}
close $fh;
is(scalar(keys %tried), 8, 'payloads of eight kinds are mutated');

$node->safe_psql('postgres', "SET client_encoding = 'UTF8';\n\\copy try FROM '$file'\nCALL run_all()");
is($node->safe_psql('postgres', 'SELECT count(*) FROM result'), $mutations, 'each was read, by one server that did not crash');

# Prints what a query finds, and expects nothing.
sub nothing
{
	my ($query, $name) = @_;
	my $found = $node->safe_psql('postgres', "SET client_encoding = 'UTF8'; $query LIMIT 20");

	is($found, '', $name);
}

my $show = 'SELECT t.n, t.kind, t.expected, r.state, r.rule, r.records, left(t.payload, 1000) FROM try t JOIN result r USING (n) WHERE ';
nothing("$show r.state <> '00000' AND (r.state, r.rule) IS DISTINCT FROM ('22023', 'observation_malformed')", 'an error is that of a malformed payload');
nothing("$show r.state = '00000' AND NOT r.numbered", 'records are numbered from 1');
nothing("$show r.state = '00000' AND NOT r.sound", 'a record is a sighting with a MAC address, or is rejected with a reason and its text');
nothing("$show t.expected = 'none' AND r.state = '00000'", 'what is not of its kind is refused');
nothing("$show t.expected <> 'none' AND (r.state <> '00000' OR r.records <> t.expected::int)", 'no record is lost');
note $node->safe_psql('postgres', q(SELECT t.kind, count(*), count(t.expected) AS counted, count(*) FILTER (WHERE r.state <> '00000') AS refused, sum(r.records) AS records, sum(r.rejected) AS rejected
	FROM try t JOIN result r USING (n) GROUP BY t.kind ORDER BY t.kind));
cmp_ok($node->safe_psql('postgres', "SELECT min(n) FROM (SELECT count(*) AS n FROM result WHERE state = '00000' UNION ALL SELECT count(*) FROM result WHERE state <> '00000'
	UNION ALL SELECT sum(rejected) FROM result UNION ALL SELECT sum(records - rejected) FROM result) x"), '>', $mutations / 20, 'and there were many of each');

$node->stop;
done_testing();
