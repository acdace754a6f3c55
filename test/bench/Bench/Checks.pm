# check_inventory() of a managed inventory and of a mirror.
package Bench::Checks;
use strict;
use warnings;

sub check_case
{
	my ($name, $inventory) = @_;
	my $variant = sub { return { key => $_[0], name => "vmnet_ext $_[0]", server => $_[0], mode => 'generic', rpc => 4,
		sql => "SELECT code, object_type, object_id FROM vmnet.check_inventory('$inventory')" } };

	return { kind => 'check', section => 'Checks', name => "check_inventory() of $name", slow => 1, arguments => sub { () },
		variants => [ map { $variant->($_) } 'now', $ENV{BENCH_BEFORE_HOST} ? 'before' : () ],
		tables => [ [ 'before', 'before', [ 'before', 'before' ], [ 'now', 'before' ] ] ] };
}

sub cases
{
	return (check_case('a managed inventory', 'bench_1'), check_case('a mirror', 'imported'));
}

1;
