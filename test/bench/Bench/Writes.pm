# Writes, to inventories that are equal but for what looks after them.
package Bench::Writes;
use strict;
use warnings;
use Bench::Common qw(%size one_line);

my @variants = (
	{ key => 'bare', name => 'by hand: primary key, foreign keys and an index on network_id; no trigger, no CHECK' },
	{ key => 'plain', name => 'by hand: all indexes and CHECKs of vmnet_ext, no trigger' },
	{ key => 'guarded', name => 'vmnet_ext: guards and history' },
	{ key => 'plpgsql', name => 'guards in PL/pgSQL, no history; all indexes and CHECKs' },
	{ key => 'periods', name => 'periods 1.2: system versioning of the bare table, no guards' });

sub variant
{
	my ($v, $sql, $server) = @_;

	return { key => "$v->{key} $server", name => $v->{name}, server => $server, mode => 'generic', rpc => 4,
		sql => $sql =~ s/\{nics\}/bench_$v->{key}.all_nics/r };
}

sub write_case
{
	my ($name, $sql, %case) = @_;
	my @found = map { variant($_, $sql, 'now') } @variants;
	my @tables = [ 'by hand', 'the bare table', map { [ "$_->{key} now", 'bare now' ] } @variants ];

	push @found, variant($variants[2], $sql, 'before') if $ENV{BENCH_BEFORE_HOST};
	push @tables, [ 'before', 'before', [ 'guarded before', 'guarded before' ], [ 'guarded now', 'guarded before' ] ];
	return { kind => 'write', section => 'Writes', name => $name, variants => \@found, tables => \@tables, %case };
}

# Instances that have no NIC yet, each for one INSERT.
my $spare = $size{write_instances};

sub spare_instances
{
	my ($n) = @_;
	my $first = $spare + 1;

	$spare += $n;
	die "no instances are left: set BENCH_WRITE_ROWS higher\n" if $spare > $size{write_instances} + $size{write_live};
	return $first;
}

# Where one phase has stopped taking them, and the next one starts.
sub spare { $spare = $_[0] if @_; return $spare }

# New NICs go to the last hundred networks.
sub insert
{
	my ($default_nic, $from) = @_;
	my ($column, $value) = $default_nic ? (', default_nic', ', true') : ('', '');
	my $first = $size{write_networks} - 99;

	return one_line("INSERT INTO {nics} (instance_id, network_id, mac_address, ip4_address, netmask, gateway, device_id$column)
		SELECT i, $first + i % 100, lpad(to_hex(3299023255552 + i), 12, '0')::macaddr,
			'20.0.0.0'::inet + i, '255.0.0.0', '10.0.0.1', 0$value FROM $from");
}

sub update
{
	my ($where) = @_;

	return one_line("UPDATE {nics} SET state = CASE state WHEN 'Reserved' THEN 'Releasing' WHEN 'Releasing' THEN 'Allocated'
		WHEN 'Allocated' THEN 'Reserving' ELSE 'Reserved' END WHERE $where");
}

sub cases
{
	my @cases;

	for my $said (1, 0)
	{
		my $how = 'default_nic ' . ($said ? 'said' : 'not said');

		push @cases, write_case("INSERT of one NIC, $how", insert($said, '(SELECT $1::bigint) r (i)'), rows => 1,
			arguments => sub { spare_instances(1) });
		push @cases, write_case("INSERT of 200 NICs, $how", insert($said, 'generate_series($1::bigint, $1 + 199) i'), rows => 200,
			arguments => sub { spare_instances(200) });
	}
	push @cases, write_case('UPDATE of the state of one NIC by key', update('id = $1'), rows => 1,
		arguments => sub { 1 + $_[0] * 37 % $size{write_live} });
	push @cases, write_case('UPDATE of the states of the 130 NICs of a network', update('network_id = $1 AND active'), rows => 130,
		arguments => sub { 2 + $_[0] % ($size{write_networks} - 120) });
	return @cases;
}

1;
