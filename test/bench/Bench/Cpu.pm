# CPU time: variants take turns, so that whatever else the machine does strikes all of
# them; ratios are of what was measured next to each other.
package Bench::Cpu;
use strict;
use warnings;
use List::Util qw(max);
use Bench::Session;

# CPU time of one execution, on average.
sub run_batch
{
	my ($v, @arguments) = @_;
	my $session = Bench::Session::of($v);
	my $before = Bench::Session::cpu_ns($session);

	$v->{run}->(@$_) for @arguments;
	return int((Bench::Session::cpu_ns($session) - $before) / @arguments);
}

# One row per round: the CPU times of all variants.  Writes have to be the same ones
# for all variants; a slow read is read less often.
sub measure
{
	my ($case) = @_;
	my @variants = @{ $case->{variants} };
	my $done = 0;
	my $take = sub { map { [ $case->{arguments}->($done++, $case->{rows}) ] } 1 .. $_[0] };
	my @rows;

	$_->{run} = Bench::Session::runner($_) for @variants;
	# six times where the server may then keep a plan
	my @warm_up = $take->($case->{slow} ? 1 : 6);
	run_batch($_, @warm_up[0 .. ($_->{mode} eq 'auto' ? $#warm_up : 0)]) for @variants;
	my @probe = $take->($case->{slow} || $case->{large} ? 1 : 3);
	my @n = map { max(1, int($ENV{BENCH_MS} * 1e6 / (run_batch($_, @probe) || 1))) } @variants;
	@n = ($n[0]) x @n if $case->{kind} eq 'write';

	for my $round (1 .. ($case->{slow} ? max(3, int($ENV{BENCH_ROUNDS} / 3)) : $ENV{BENCH_ROUNDS}))
	{
		my @arguments = $take->(max(@n));
		my @turns = map { ($_ + $round) % @variants } 0 .. $#variants;
		my @ns;

		@turns = reverse @turns if $round % 2;
		$ns[$_] = run_batch($variants[$_], @arguments[0 .. $n[$_] - 1]) for @turns;
		push @rows, \@ns;
	}
	delete $_->{run} for @variants;
	return @rows;
}

1;
