# Instructions: a single-user backend of each installation runs everything under
# callgrind, which counts inside ExecuteQuery() and DoCopy() only, and begins a new
# file whenever pg_sleep() is called.
#
# Every statement has run before it is counted, so that its buffers, its plan and
# the caches of the backend are there.
package Bench::Instructions;
use strict;
use warnings;
use Bench::Common qw(write_file file_rows);
use Bench::Session;

my $mark = 'SELECT pg_sleep(0)';

# All columns of all rows are made, and none is printed.
sub unprinted { my ($case, $v) = @_; return $case->{kind} eq 'write' ? $v->{sql} : "SELECT * FROM ($v->{sql}) q OFFSET 1000000000" }

sub settings
{
	my ($v) = @_;

	return ("SET random_page_cost = $v->{rpc}", 'SET plan_cache_mode = ' . ($v->{mode} eq 'generic' ? 'force_generic_plan' : 'auto'),
		'DISCARD PLANS');
}

# Under callgrind all takes fifty times as long: what is large is counted in one way
# of planning only.
sub is_counted
{
	my ($case, $v, $server) = @_;

	return 0 if $v->{server} ne $server || $case->{slow};
	return !$case->{large} || $ENV{BENCH_FULL} || ($v->{mode} eq 'generic' && $v->{rpc} == 4);
}

# What a variant runs before it is counted, and what is counted.
sub calls
{
	my ($case, $v, $name) = @_;
	my $n = $case->{large} || ($case->{rows} // 0) > 100 ? 1 : 3;
	my $warm = $v->{mode} eq 'auto' ? 6 : 1;

	$case->{counted} //= [ map { [ $case->{arguments}->(7000 + $_, $case->{rows}) ] } 1 .. (($case->{rows} // 0) > 100 ? 7 : 16) ];
	my @arguments = @{ $case->{counted} };
	my $call = $v->{mode} eq 'text' ? sub { 'COPY (' . Bench::Session::literal($v->{sql}, @_) . ") TO '/dev/null'" }
		: sub { "EXECUTE $name" . (@_ ? '(' . join(', ', @_) . ')' : '') };
	my @counted = map { $call->(@$_) } @arguments[ 6 .. 5 + $n ];
	my @first = map { $call->(@$_) } @arguments[ 0 .. $warm - 1 ];

	# A write changes what it finds, so it is not run twice.
	if ($case->{kind} ne 'write')
	{
		@first = () if $v->{mode} ne 'auto';
		push @first, @counted;
	}
	unshift @first, "PREPARE $name AS " . unprinted($case, $v) if $v->{mode} ne 'text';
	return (\@first, \@counted);
}

# Writes what the backend of an installation is to run.
sub script
{
	my ($server, @cases) = @_;
	my @lines = ($mark);
	my @counted;

	for my $index (0 .. $#cases)
	{
		my $case = $cases[$index];

		for my $k (grep { is_counted($case, $case->{variants}[$_], $server) } 0 .. $#{ $case->{variants} })
		{
			my ($first, $counted) = calls($case, $case->{variants}[$k], "q_${index}_$k");

			push @lines, settings($case->{variants}[$k]), @$first, $mark, @$counted, $mark;
			push @counted, [ $index, $k, scalar @$counted ];
		}
	}
	write_file("ir.$server.sql", map { [ "$_;" ] } @lines);
	write_file("ir.$server.counted", @counted);
	return;
}

# The instructions that the n-th file of callgrind has.
sub total
{
	my ($server, $n) = @_;

	open my $fh, '<', "$ENV{BENCH_WORK}/ir.$server.out.$n" or return undef;
	while (<$fh>) { return $1 if /^(?:totals|summary): (\d+)/ }
	return undef;
}

# Instructions of one execution, by case and variant.  File 1 is the start; then
# there are two for each variant, one for what went before and one for what counts.
sub found
{
	my %ir;

	for my $server (qw(now before))
	{
		my $n = 1;

		for my $counted (file_rows("ir.$server.counted"))
		{
			my ($index, $k, $calls) = @$counted;
			my $total = total($server, $n += 2);

			$ir{$index}{$k} = $total / $calls if $total;
		}
	}
	return \%ir;
}

1;
