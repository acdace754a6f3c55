#!/usr/bin/perl
# The measuring part of make bench; test/bench.sh calls it in four phases:
#
#   bench.pl check   every variant of a read gives the same rows
#   bench.pl cpu     CPU time of the backend, all variants of a case in turn
#   bench.pl ir      what a single-user backend is to run under callgrind
#   bench.pl table   what has been found
#
# Results go from one phase to the next as files in BENCH_WORK.
use strict;
use warnings;
use DBI;
use FindBin;
use List::Util qw(max);
use lib $FindBin::Bin;
use Cases;

my ($phase) = @ARGV;
my $work = $ENV{BENCH_WORK} or die "bench.pl is called by test/bench.sh\n";
my @cases = Cases::all() or die "there is no such case\n";

$| = 1;

sub connection
{
	my ($plan_cache_mode) = @_;
	my $dbh = DBI->connect('dbi:Pg:', '', '', { RaiseError => 1, PrintError => 0 });

	$dbh->do("SET plan_cache_mode = $plan_cache_mode");
	return $dbh;
}

sub write_rows
{
	my ($name, @rows) = @_;

	open my $fh, '>', "$work/$name" or die "cannot write $work/$name: $!\n";
	print $fh map { join("\t", @$_) . "\n" } @rows;
	close $fh;
}

sub read_rows
{
	my ($name) = @_;

	open my $fh, '<', "$work/$name" or return ();
	return map { chomp; [ split /\t/ ] } <$fh>;
}

#
# check
#

sub check
{
	my $dbh = connection('auto');

	for my $case (grep { $_->{kind} =~ /read|report/ } @cases)
	{
		my %expected;

		for my $v (@{ $case->{variants} })
		{
			my ($rows, $digest) = $dbh->selectrow_array(
				'SELECT count(*), ' . ($case->{sorted} ? 'sum(hashtextextended(r::text, 0))' : 'md5(string_agg(r::text, chr(10)))')
					. " FROM ($v->{sql}) r", undef,
				$case->{arguments}->(1));

			# reports may have nothing to tell
			next if !$rows && $case->{kind} eq 'report' && !$expected{ $v->{set} // 1 };
			$expected{ $v->{set} // 1 } //= $digest;
			die "\"$v->{name}\" differs in \"$case->{name}\"\n"
				if !$rows || $digest ne $expected{ $v->{set} // 1 };
		}
	}
}

#
# cpu: variants take turns, so that whatever else the machine does strikes all
# of them; ratios are of what was measured next to each other.
#

# Nanoseconds that a backend, which is waiting for us, has been on a CPU.
sub cpu_ns
{
	my ($pid) = @_;

	if (open my $fh, '<', "/proc/$pid/schedstat")
	{
		my ($ns) = split ' ', <$fh>;
		return $ns if $ns;
	}
	open my $fh, '<', "/proc/$pid/stat" or die "there is no /proc/$pid/stat\n";
	my @field = split ' ', <$fh> =~ s/.*\) //r;
	return ($field[11] + $field[12]) * 1e7;
}

# CPU time of one execution, on average.
sub run_batch
{
	my ($v, @arguments) = @_;
	my $before = cpu_ns($v->{pid});

	for my $arguments (@arguments)
	{
		$v->{statement}->execute(@$arguments);
		$v->{statement}->finish;
	}
	return int((cpu_ns($v->{pid}) - $before) / @arguments);
}

# How often each variant runs in its turn.  Writes have to be the same ones for
# all variants; a slow read is read less often.
sub batch_sizes
{
	my ($case, @ns) = @_;
	my @n = map { int($ENV{BENCH_MS} * 1e6 / ($_ || 1)) || 1 } @ns;

	return $case->{kind} eq 'write' ? ($n[0]) x @n : @n;
}

# One row per round: the CPU times of all variants.
sub measure
{
	my ($case) = @_;
	my @variants = @{ $case->{variants} };
	my $done = 0;
	my $take = sub { map { [ $case->{arguments}->($done++, $case->{rows}) ] } 1 .. $_[0] };
	my @rows;

	my @warm_up = $take->(2);
	run_batch($_, @warm_up) for @variants;
	my @probe = $take->(3);
	my @n = batch_sizes($case, map { run_batch($_, @probe) } @variants);

	for my $round (1 .. ($case->{rounds} // $ENV{BENCH_ROUNDS}))
	{
		my @arguments = $take->(max(@n));
		my @turns = map { ($_ + $round) % @variants } 0 .. $#variants;
		my @ns;

		@turns = reverse @turns if $round % 2;
		$ns[$_] = run_batch($variants[$_], @arguments[0 .. $n[$_] - 1]) for @turns;
		push @rows, \@ns;
	}
	return @rows;
}

# How many updates of the guarded inventory there were, and how many were HOT.
sub hot_updates
{
	my ($dbh) = @_;

	$dbh->do('SELECT pg_stat_force_next_flush()');
	return $dbh->selectrow_array("SELECT n_tup_upd, n_tup_hot_upd FROM pg_stat_all_tables
		WHERE relid = 'bench_guarded.all_nics'::regclass");
}

sub cpu
{
	my $generic = connection('force_generic_plan');
	my $auto = connection('auto');
	my (@found, @hot);

	for my $index (0 .. $#cases)
	{
		my $case = $cases[$index];
		my @before = hot_updates($generic);

		print "  $case->{name}\n";
		for my $v (@{ $case->{variants} })
		{
			my $dbh = $v->{auto} ? $auto : $generic;

			$v->{pid} = $dbh->{pg_pid};
			$v->{statement} = $dbh->prepare($v->{sql}, { pg_prepare_now => 1 });
		}
		push @found, [ $index, @$_ ] for measure($case);
		delete $_->{statement} for @{ $case->{variants} };

		my @after = hot_updates($generic);
		push @hot, [ $index, $after[0] - $before[0], $after[1] - $before[1] ];
	}
	write_rows('cpu', @found);
	write_rows('hot', @hot);
	write_rows('spare', [ Cases::spare() ]);
}

#
# ir: one single-user backend runs everything under callgrind, which writes a
# file and begins to count anew whenever pg_sleep() is called.
#

my $mark = 'SELECT pg_sleep(0)';

# The rows of a read go to PL/pgSQL, not to the log of the backend.
sub read_calls
{
	my ($dbh, $name, $case, $v) = @_;
	my $query = $v->{sql} =~ s/^SELECT/PERFORM/r;
	my @parameters = ('the_network', 'the_instance', 'page_size');

	$query =~ s/\$(\d)/$parameters[$1 - 1]/g;
	$dbh->do("CREATE OR REPLACE FUNCTION bench.$name(the_network bigint, the_instance bigint DEFAULT NULL, page_size int DEFAULT NULL)
		RETURNS void LANGUAGE plpgsql AS \$\$ BEGIN $query; END \$\$");

	my @calls = map { "SELECT bench.$name(" . join(', ', $case->{arguments}->($_)) . ')' }
		1 .. ($case->{large} ? 1 : 10);
	return (\@calls, \@calls);
}

# Of a thousand rows a fifth will do.
sub write_calls
{
	my ($name, $case, $v) = @_;
	my ($n, $rows) = $case->{rows} < 1000 ? (10, $case->{rows}) : (1, 200);

	$case->{counted} //= [ map { [ $case->{arguments}->(7000 + $_, $rows) ] } 0 .. $n ];
	my ($first, @calls) = map { "EXECUTE $name(" . join(', ', @$_) . ')' } @{ $case->{counted} };
	return ([ "PREPARE $name AS $v->{sql}", $first ], \@calls);
}

sub ir
{
	my $dbh = connection('auto');
	my @lines = ('SET plan_cache_mode = force_generic_plan', $mark, $mark);
	my @counted;

	Cases::spare(map { @$_ } read_rows('spare'));
	for my $index (0 .. $#cases)
	{
		my $case = $cases[$index];

		for my $k (grep { $case->{variants}[$_]{count} } 0 .. $#{ $case->{variants} })
		{
			my $v = $case->{variants}[$k];
			my $name = "q_${index}_$k";
			my ($warm_up, $calls) = $case->{kind} ne 'write' ?
				read_calls($dbh, $name, $case, $v) : write_calls($name, $case, $v);

			push @lines, @$warm_up, $mark, @$calls, $mark;
			push @counted, [ $index, $k, scalar @$calls ];
		}
	}
	write_rows('ir.sql', map { [ "$_;" ] } @lines);
	write_rows('ir.counted', @counted);
}

# The instructions that the n-th file of callgrind has.
sub callgrind_total
{
	my ($n) = @_;

	open my $fh, '<', "$work/ir/cg.out.$n" or return undef;
	while (<$fh>) { return $1 if /^(?:totals|summary): (\d+)/ }
	return undef;
}

# Instructions of one execution, by case and variant.  File 1 is the start,
# file 2 what a mark costs; then there are two for each variant, one for what
# went before and one for what counts.
sub instructions
{
	my %ir;
	my $n = 2;
	my $nothing = callgrind_total($n);

	for my $counted (read_rows('ir.counted'))
	{
		my ($index, $k, $calls) = @$counted;
		my $total = callgrind_total($n += 2);

		$ir{$index}{$k} = ($total - $nothing) / $calls if $total;
	}
	return \%ir;
}

#
# table
#

my $line = "  %-44s %6s %11s %6s %11s  %s\n";

sub quantile
{
	my ($q, @x) = @_;
	@x = sort { $a <=> $b } @x;

	my $at = $q * $#x;
	my $below = int $at;
	return $x[$below] + ($at - $below) * ($x[ $below < $#x ? $below + 1 : $below ] - $x[$below]);
}

sub ratio { my ($x) = @_; return sprintf $x < 9.995 ? '%.2f' : $x < 99.95 ? '%.1f' : '%.0f', $x }

sub print_line
{
	my ($case, $k, $base, $cost, $target) = @_;
	my ($cpu, $ir) = @$case{qw(cpu ir)};
	my @ratios = map { $_->[$k] / ($_->[$base] || 1) } @$cpu;

	printf $line, $case->{variants}[$k]{name}, ratio(quantile(0.5, @ratios)),
		$k == $base ? '' : ratio(quantile(0.25, @ratios)) . '-' . ratio(quantile(0.75, @ratios)),
		$ir->{$k} && $ir->{$base} ? ratio($ir->{$k} / $ir->{$base}) : '',
		$cost ? Cases::thousands(sprintf '%.0f', quantile(0.5, map { $_->[$k] } @$cpu) / 1000) . ' us' : '',
		$target ? "target $target" : '';
}

sub print_read
{
	my ($case) = @_;
	my @v = @{ $case->{variants} };
	my $removed = Cases::thousands($ENV{BENCH_ROWS}) . ' removed NICs';

	for my $set (0, 1)
	{
		my @ks = grep { $v[$_]{set} == $set } 0 .. $#v;

		print "\n$case->{name}, ", $set ? $removed : 'no removed NICs', "\n";
		print_line($case, $_, $ks[0], 1, $v[$_]{target}) for @ks;
	}

	print "\n$case->{name}, $removed against none\n";
	for my $k (grep { $v[$_]{set} == 1 && !$v[$_]{auto} } 0 .. $#v)
	{
		print_line($case, $k, $k - @v / 2, 0, $v[$k]{query} eq 'ours' ? '<= 1.10' : undef);
	}
}

sub print_write
{
	my ($case) = @_;
	my @v = @{ $case->{variants} };
	my ($updates, $hot) = @{ $case->{hot} };

	print "\n$case->{name}", $updates ? sprintf(' (%.0f %% HOT)', 100 * $hot / $updates) : '', "\n";
	print_line($case, $_, 0, 1, $v[$_]{target}) for 0 .. $#v;
}

sub table
{
	my $ir = instructions();

	$cases[ shift @$_ ]{hot} = $_ for read_rows('hot');
	push @{ $cases[ shift @$_ ]{cpu} }, $_ for read_rows('cpu');

	printf $line, '', 'CPU', 'quartiles', 'instr', 'CPU time', '';
	for my $index (0 .. $#cases)
	{
		my $case = $cases[$index];

		$case->{ir} = $ir->{$index} // {};
		if ($case->{kind} eq 'read') { print_read($case) } else { print_write($case) }
	}
}

my %phases = (check => \&check, cpu => \&cpu, ir => \&ir, table => \&table);
($phases{ $phase // '' } or die "there is no such phase\n")->();
