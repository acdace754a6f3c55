#!/usr/bin/perl
# The measuring part of make bench; test/bench.sh calls it in phases:
#
#   bench.pl mariadb FILE   fills MariaDB with what bench_1 has; FILE: CloudStack's columns
#   bench.pl import         imports from MariaDB
#   bench.pl check          every variant of a read gives the same rows
#   bench.pl measure        CPU time and buffers, all variants of a case in turn
#   bench.pl ir             what the single-user backends are to run under callgrind
#   bench.pl doc FILE       writes FILE
#
# Results go from one phase to the next as files in BENCH_WORK.
use strict;
use warnings;
use FindBin;
use lib $FindBin::Bin;
use Bench::Buffers;
use Bench::Checks;
use Bench::Common qw(write_file file_rows);
use Bench::Cpu;
use Bench::Doc;
use Bench::Import;
use Bench::Instructions;
use Bench::MariaDB;
use Bench::Past;
use Bench::Reads;
use Bench::Reports;
use Bench::Session;
use Bench::Writes;

my ($phase, $file) = @ARGV;
die "bench.pl is called by test/bench.sh\n" unless $ENV{BENCH_WORK};
my @cases = grep { !$ENV{BENCH_CASES} || $_->{name} =~ /$ENV{BENCH_CASES}/ }
	map { $_->() } \&Bench::Reads::cases, \&Bench::Past::cases, \&Bench::Reports::cases, \&Bench::Writes::cases, \&Bench::Checks::cases;

$| = 1;

# Variants that have the same columns give the same rows.
sub check
{
	for my $case (grep { $_->{kind} =~ /read|report/ } @cases)
	{
		my %expected;

		for my $v (grep { $_->{server} ne 'mariadb' } @{ $case->{variants} })
		{
			my $of = $case->{sorted} ? 'sum(hashtextextended(r::text, 0))' : 'md5(string_agg(r::text, chr(10)))';
			my $sql = Bench::Session::literal($v->{sql}, $case->{arguments}->(1));
			my ($rows, $digest) = Bench::Session::of($v)->{dbh}->selectrow_array("SELECT count(*), $of FROM ($sql) r");

			# reports may have nothing to tell, and uuids differ between servers and sets
			next if !$rows && $case->{kind} eq 'report';
			my $set = "$v->{server} $v->{set}";
			$expected{$set} //= $digest;
			die "\"$v->{name}\" differs in \"$case->{name}\"\n" if $digest ne $expected{$set};
		}
	}
	return;
}

sub measure
{
	my (@cpu, @buffers);

	for my $index (0 .. $#cases)
	{
		my $case = $cases[$index];
		my $n = $#{ $case->{variants} };

		print "  $case->{name}\n";
		push @cpu, map { [ $index, @$_ ] } Bench::Cpu::measure($case);
		push @buffers, grep { defined $_->[2] } map { [ $index, $_, Bench::Buffers::count($case, $case->{variants}[$_]) ] } 0 .. $n;
	}
	write_file('cpu', @cpu);
	write_file('buffers', @buffers);
	write_file('spare', [ Bench::Writes::spare() ]);
	return;
}

sub ir
{
	Bench::Writes::spare(map { @$_ } file_rows('spare'));
	Bench::Instructions::script($_, @cases) for qw(now before);
	return;
}

sub doc
{
	open my $in, '<', "$FindBin::Bin/intro.md" or die "there is no intro.md\n";
	my $intro = do { local $/; <$in> };
	my $text = Bench::Doc::text($intro, Bench::Instructions::found(), @cases);

	open my $out, '>', $file or die "cannot write $file: $!\n";
	print $out $text;
	close $out or die "cannot write $file: $!\n";
	return;
}

my %phases = (mariadb => sub { Bench::MariaDB::run($file) }, import => \&Bench::Import::run, check => \&check, measure => \&measure,
	ir => \&ir, doc => \&doc);
($phases{ $phase // '' } or die "there is no such phase\n")->();
