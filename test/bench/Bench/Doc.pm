# Writes what has been found as a page of tables.  A table has absolute figures, and
# ratios to one base, which the heads of the columns name.
package Bench::Doc;
use strict;
use warnings;
use Bench::Common qw(thousands ratio median file_rows);
use Bench::Machine;

sub figure { my ($x) = @_; return defined $x ? thousands($x) : '-' }
sub part { my ($x, $base) = @_; return $x && $base ? ratio($x / $base) : '-' }
sub row { return '| ' . join(' | ', @_) . " |\n" }

sub head
{
	my ($first, @columns) = @_;

	return row($first, @columns) . row('---', map { '---:' } @columns);
}

# One table of a case: pairs of a variant and the one that it is compared with.
sub table
{
	my ($case, $label, @pairs) = @_;
	my %place = map { $case->{variants}[$_]{key} => $_ } 0 .. $#{ $case->{variants} };
	my $rows = '';

	for my $pair (@pairs)
	{
		my ($k, $base) = map { $place{$_} } @$pair;
		next unless defined $k && defined $base;
		my $v = $case->{variants}[$k];
		my $name = $label eq 'no removed rows' ? "$v->{name}, " . ($v->{set} ? "$v->{set} removed for each live one" : 'none removed')
			: $label eq 'before' ? "$v->{name}, $v->{server}" =~ s/(before|now), \1$/$1/r : $v->{name};

		$rows .= row($name, figure($case->{ir}{$k}), figure(median(map { $_->[$k] } @{ $case->{cpu} }) / 1000), figure($case->{buffers}{$k}),
			part($case->{ir}{$k}, $case->{ir}{$base}), ratio(median(map { $_->[$k] / ($_->[$base] || 1) } @{ $case->{cpu} })));
	}
	return '' unless $rows;
	return head($case->{name}, 'instructions', 'CPU, us', 'buffers', "instructions against $label", "CPU against $label") . $rows . "\n";
}

sub import_table
{
	my ($label, $base, %found) = @_;
	my $text = '';

	for my $size (sort { $a <=> $b } keys %found)
	{
		my $name = $base->($found{$size});
		for my $key (sort keys %{ $found{$size} })
		{
			my $against = ref $name ? $name->{$key} : $name;
			next unless $against && $found{$size}{$against};
			my ($of, $to) = map { $found{$size}{$_} } $key, $against;

			$text .= row($key, thousands($size), figure($of->[0]), figure($of->[1]), figure($of->[2]), figure($of->[3]),
				part($of->[0], $to->[0]), part($of->[1], $to->[1]));
		}
	}
	return '' unless $text;
	return head('import', 'NICs', 'CPU, us', 'time, ms', 'memory of its own, kB', 'VmHWM, kB', "CPU against $label", "time against $label")
		. "$text\n";
}

# Of several runs the median of each figure.
sub imports
{
	my %rows;
	my %found;

	push @{ $rows{ $_->[2] }{ $_->[1] . ($_->[1] =~ /hand/ ? '' : ", $_->[0]") } }, $_ for file_rows('import');
	for my $size (keys %rows)
	{
		for my $key (keys %{ $rows{$size} })
		{
			my @of = @{ $rows{$size}{$key} };
			$found{$size}{$key} = [ map { my $column = $_; median(map { $_->[$column] } @of) } 3 .. 6 ];
		}
	}
	my $faster = sub { my ($of) = @_; return (sort { $of->{$a}[1] <=> $of->{$b}[1] } grep { /hand/ } keys %$of)[0] };
	my %before = map { ("$_, now" => "$_, before", "$_, before" => "$_, before") } 'first copy', 'refresh';
	return "## Imports\n\n" . import_table('the faster one by hand', $faster, %found) . import_table('before', sub { \%before }, %found);
}

sub text
{
	my ($intro, $ir, @cases) = @_;
	my $text = $intro =~ s/\{machine\}/join "\n", Bench::Machine::lines()/er;
	my $section = '';

	for my $row (file_rows('buffers'))
	{
		my ($index, $k, $n) = @$row;
		$cases[$index]{buffers}{$k} = $n;
	}
	push @{ $cases[ shift @$_ ]{cpu} }, $_ for file_rows('cpu');
	for my $index (0 .. $#cases)
	{
		my $case = $cases[$index];

		$case->{ir} = $ir->{$index} // {};
		$text .= "## $case->{section}\n\n" if $case->{section} ne $section;
		$section = $case->{section};
		$text .= "### $case->{name}\n\n";
		$text .= table($case, @$_) for map { my (undef, $label, @pairs) = @$_; [ $label, @pairs ] } @{ $case->{tables} };
	}
	$text .= imports();
	return $text =~ s/\n+\z/\n/r;
}

1;
