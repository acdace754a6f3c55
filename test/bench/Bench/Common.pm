# Sizes of a run of make bench, and functions that its parts share.
package Bench::Common;
use strict;
use warnings;
use Exporter 'import';
use List::Util qw(min max);

our @EXPORT_OK = qw(%size thousands median ratio file_rows write_file one_line);

# As data.sql makes them.
our %size;
$size{live} = $ENV{BENCH_ROWS};
$size{network} = min(20000, int($size{live} / 5));
$size{large} = max(1, min(5, int($size{live} / 300000)));
$size{small} = int(($size{live} - $size{large} * $size{network}) / 130);
$size{instances} = int($size{live} * 2 / 3);
$size{write_live} = $ENV{BENCH_WRITE_ROWS};
$size{write_instances} = int($size{write_live} * 2 / 3);
$size{write_networks} = 1 + int(($size{write_live} - min(20000, int($size{write_live} / 5))) / 130);

sub thousands { my $n = reverse sprintf '%.0f', $_[0]; $n =~ s/(\d{3})(?=\d)/$1,/g; return scalar reverse $n }
sub ratio { my ($x) = @_; return sprintf $x < 9.995 ? '%.2f' : $x < 99.95 ? '%.1f' : '%.0f', $x }
sub one_line { return $_[0] =~ s/\s+/ /gr }

sub median
{
	my @x = sort { $a <=> $b } @_;

	return @x % 2 ? $x[ $#x / 2 ] : ($x[ @x / 2 - 1 ] + $x[ @x / 2 ]) / 2;
}

# Results go from one phase to the next as files in BENCH_WORK.
sub write_file
{
	my ($name, @rows) = @_;

	open my $fh, '>', "$ENV{BENCH_WORK}/$name" or die "cannot write $name: $!\n";
	print $fh map { join("\t", @$_) . "\n" } @rows;
	close $fh;
	return;
}

sub file_rows
{
	my ($name) = @_;

	open my $fh, '<', "$ENV{BENCH_WORK}/$name" or return ();
	return map { chomp; [ split /\t/ ] } <$fh>;
}

1;
