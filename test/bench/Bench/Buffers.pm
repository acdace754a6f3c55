# Buffers that one execution looks at, in tables, indexes and catalogs, as
# pg_stat_statements counts them: triggers and functions included.
package Bench::Buffers;
use strict;
use warnings;
use Bench::Session;

# undef where the server has no such count
sub count
{
	my ($case, $v) = @_;

	return undef if $v->{server} eq 'mariadb';
	my $session = Bench::Session::of($v);
	my $run = Bench::Session::runner($v);
	my $n = $case->{slow} || $case->{large} || ($case->{rows} // 0) > 100 ? 2 : 6;
	# the same for all variants
	my @arguments = @{ $case->{looked_at} //= [ map { [ $case->{arguments}->(9000 + $_, $case->{rows}) ] } 1 .. $n ] };
	my $observer = Bench::Session::of({ server => $v->{server}, mode => 'observer', rpc => 4 })->{dbh};

	$run->(@{ shift @arguments });
	$observer->do('SELECT bench.pg_stat_statements_reset()');
	$session->{dbh}->do("SET pg_stat_statements.track = 'top'");
	$run->(@$_) for @arguments;
	$session->{dbh}->do("SET pg_stat_statements.track = 'none'");
	my ($buffers) = $observer->selectrow_array('SELECT sum(shared_blks_hit + shared_blks_read) FROM bench.pg_stat_statements');
	return $buffers / @arguments;
}

1;
