# The past of a network with 130 NICs and eleven times as many former ones.
package Bench::Past;
use strict;
use warnings;
use Bench::Common qw(%size one_line);

my $at = q('2026-06-01');
my %query = (
	hand => [ 'by hand: one row for each instance, from all_nics', "SELECT DISTINCT ON (n.instance_id) n.instance_id, i.uuid, i.name, n.id
		FROM bench_1.all_nics n JOIN bench_1.all_instances i ON i.id = n.instance_id AND i.created <= $at AND (i.removed IS NULL OR i.removed > $at)
		WHERE n.network_id = \$1 AND n.created <= $at AND (n.ended IS NULL OR n.ended > $at) ORDER BY n.instance_id, n.device_id, n.id" ],
	intervals => [ 'by hand: from the view nic_intervals', "SELECT DISTINCT i.instance_id FROM bench_1.nic_intervals i
		WHERE i.network_id = \$1 AND i.from <= $at AND (i.to IS NULL OR i.to > $at)" ],
	ours => [ 'vmnet_ext: network_instances_as_of()', "SELECT instance_id, instance_uuid, instance_name, nic_id
		FROM vmnet.network_instances_as_of(\$1, $at, 'bench_1')" ]);

sub variant
{
	my ($key, $server) = @_;

	return { key => "$key $server", name => $query{$key}[0], server => $server, mode => 'generic', rpc => 4, set => 1,
		sql => one_line($query{$key}[1]) };
}

sub cases
{
	my @variants = map { variant($_, 'now') } qw(hand intervals ours);

	push @variants, variant('ours', 'before') if $ENV{BENCH_BEFORE_HOST};
	return { kind => 'past', section => 'The past', name => 'Who was on a network of 130 that has 1,430 former NICs',
		arguments => sub { $size{large} + $size{small} }, variants => \@variants,
		tables => [
			[ 'by hand', 'by hand', map { [ "$_ now", 'hand now' ] } qw(hand intervals ours) ],
			[ 'before', 'before', map { [ "ours $_", 'ours before' ] } qw(before now) ] ] };
}

1;
