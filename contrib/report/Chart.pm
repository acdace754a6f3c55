# Charts as SVG inside the page: colours are classes, with a light and a dark variant
# in the style of the page; each mark has a tooltip with its value.
package Chart;

use strict;
use warnings;

use POSIX ();
use Text qw(escape short number day day_of month_name);

my $charts = 0;

# Returns a chart of a size, with a name and a description for screen readers.
sub svg
{
	my ($width, $height, $title, $desc, $content) = @_;
	my $id = 'chart' . ++$charts;
	return qq(<div class="scroll"><svg viewBox="0 0 $width $height" role="img" aria-labelledby="$id-t $id-d">)
	  . qq(<title id="$id-t">) . escape($title) . qq(</title><desc id="$id-d">) . escape($desc) . qq(</desc>\n$content</svg></div>\n);
}

# more: attributes, such as is() and scale()
sub text
{
	my ($x, $y, $class, $text, $more) = @_;
	return sprintf('<text x="%.1f" y="%.1f" class="%s"%s>%s</text>', $x, $y, $class, $more // '', escape($text)) . "\n";
}

# Return attributes: what a mark or a text shows, and that a text is one of a scale.
sub is { my ($name) = @_; return ' data-number="' . escape($name) . '"'; }
sub scale { my ($axis) = @_; return qq( data-scale="$axis"); }

sub rect
{
	my ($x, $y, $w, $h, $class, $title, $name) = @_;
	my $r = sprintf('<rect x="%.1f" y="%.1f" width="%.1f" height="%.1f" class="%s"', $x, $y, $w, $h, $class) . (defined $name ? is($name) : '');
	return defined $title ? "$r><title>" . escape($title) . "</title></rect>\n" : "$r/>\n";
}

# Returns round steps from 0 to at least max.
sub steps
{
	my ($max) = @_;
	return (0, 1) if $max <= 1;
	my $power = 10**POSIX::floor(log($max / 4) / log(10));
	$power = 1 if $power < 1;
	my ($step) = grep { $_ * 4 >= $max } map { $_ * $power } (1, 2, 2.5, 5, 10, 20);
	$step = POSIX::ceil($step);
	return map { $_ * $step } 0 .. POSIX::ceil($max / $step);
}

# Returns the labels of a time axis: months, or days for a short period.
sub ticks
{
	my ($first, $last) = @_;
	my $span = $last - $first || 1;
	return map { [ $_, substr(day($_), 5) ] } grep { ($_ - $first) % POSIX::ceil($span / 8) == 0 } $first .. $last if $span < 100;
	my ($every) = (grep { $span / 30.4 / $_ <= 12 } 1, 2, 3, 6, 12, 24)[0] // 24;
	my ($year) = day($first) =~ /^(\d+)/;
	my @ticks;
	for (my $month = 0; (my $day = day_of($year + int($month / 12), $month % 12 + 1)) <= $last; $month += $every)
	{
		my $m = $month % 12 + 1;
		push @ticks, [ $day, $m == 1 || !@ticks ? month_name($m) . ' ' . ($year + int($month / 12)) : month_name($m) ] if $day >= $first;
	}
	return @ticks;
}

# Returns the frame of a chart over days (grid, scale and time axis), and functions
# for the coordinates of a day and a value.
sub frame
{
	my ($width, $height, $first, $last, $low, $high) = @_;
	my @up = steps($high);
	my ($right, $top, $bottom) = (16, 12, 28);
	my $left = 20 + 8 * length number($up[-1]);
	my $span = $last - $first || 1;
	my $x = sub { $left + ($_[0] - $first) / $span * ($width - $left - $right) };
	my @down = map { $_ * $up[1] } 1 .. POSIX::ceil($low / $up[1]);
	my ($most, $least) = ($up[-1], @down ? $down[-1] : 0);
	my $y = sub { $top + ($most - $_[0]) / ($most + $least) * ($height - $top - $bottom) };
	my $content = '';
	foreach my $step (@up, map { -$_ } @down)
	{
		$content .= sprintf('<line x1="%d" x2="%d" y1="%.1f" y2="%.1f" class="%s"/>', $left, $width - $right, $y->($step), $y->($step), $step ? 'grid' : 'axis') . "\n"
		  . text($left - 8, $y->($step) + 4, 'end', number(abs $step), scale('y'));
	}
	$content .= text($x->($_->[0]), $height - 8, 'middle', $_->[1], scale('x')) foreach grep { $x->($_->[0]) < $width - $right - 10 } ticks($first, $last);
	return ($content, $x, $y);
}

# Returns a line over days: points are [day, value], one for each day.  name: what
# the values are, as in named().
sub line
{
	my ($title, $desc, $name, $unit, @points) = @_;
	my ($width, $height) = (1080, 280);
	my $max = 0;
	foreach (@points) { $max = $_->[1] if $_->[1] > $max; }
	my ($content, $x, $y) = frame($width, $height, $points[0][0], $points[-1][0], 0, $max);
	my $path = '';
	# a value holds until the day after
	foreach (@points) { $path .= length $path ? sprintf('H%.1fV%.1f', $x->($_->[0]), $y->($_->[1])) : sprintf('M%.1f %.1f', $x->($_->[0]), $y->($_->[1])); }
	$path .= 'h6' if @points == 1;
	my $ground = sprintf('V%.1fH%.1fZ', $y->(0), $x->($points[0][0]));
	$content .= qq(<path d="$path$ground" class="area"/>\n<path d="$path" class="line"/>\n);
	my $every = POSIX::ceil(@points / 400);
	my $step = ($x->(1) - $x->(0)) * $every;
	foreach my $point (@points[ grep { $_ % $every == 0 } 0 .. $#points ])
	{
		$content .= rect($x->($point->[0]) - $step / 2, 0, $step, $height - 28, 'touch', day($point->[0]) . ": $unit " . number($point->[1]), "$name." . day($point->[0]));
	}
	$content .= sprintf('<circle cx="%.1f" cy="%.1f" r="4" class="dot"/>', $x->($points[-1][0]), $y->($points[-1][1])) . "\n";
	return svg($width, $height, $title, $desc, $content);
}

# Returns bars over days, upwards and downwards: bars are [day, up, down].
sub up_and_down
{
	my ($title, $desc, $name, $days, $up, $down, @bars) = @_;
	my ($width, $height) = (1080, 220);
	my ($high, $low) = (0, 0);
	foreach (@bars) { $high = $_->[1] if $_->[1] > $high; $low = $_->[2] if $_->[2] > $low; }
	my ($content, $x, $y) = frame($width, $height, $bars[0][0], $bars[-1][0] + $days, $low, $high || $low || 1);
	my $wide = $x->($days) - $x->(0);
	my $gap = $wide > 6 ? 2 : $wide * .2;
	foreach my $bar (@bars)
	{
		my $when = $days > 1 ? day($bar->[0]) . " and $days days on" : day($bar->[0]);
		my $at = $x->($bar->[0]) + $gap / 2;
		$content .= rect($at, $y->($bar->[1]), $wide - $gap, $y->(0) - $y->($bar->[1]), 'up', "$when: $up " . number($bar->[1]), "$name." . day($bar->[0]) . '.up') if $bar->[1];
		$content .= rect($at, $y->(0), $wide - $gap, $y->(-$bar->[2]) - $y->(0), 'down', "$when: $down " . number($bar->[2]), "$name." . day($bar->[0]) . '.down') if $bar->[2];
	}
	return svg($width, $height, $title, $desc, $content);
}

# Returns how wide a text is at most, about; letters of other scripts count as wide ones.
sub wide { my ($text) = @_; my $many = () = $text =~ /[mwMW@%]|[^\x20-\x7e]/g; return 7.8 * length($text) + 4.2 * $many; }

# Returns horizontal bars: bars are {name, label, value, text, class}.
sub bars
{
	my ($title, $desc, $max, @bars) = @_;
	my ($width, $row) = (530, 26);
	my ($widest) = sort { $b <=> $a } map { wide(short($_->{label}, 30)) } @bars;
	my ($longest) = sort { $b <=> $a } 80, map { wide($_->{text}) } @bars;
	my ($left, $right) = (20 + $widest, 24 + $longest);
	my $content = '';
	$max ||= (sort { $b <=> $a } map { $_->{value} } @bars)[0] || 1;
	foreach my $i (0 .. $#bars)
	{
		my ($bar, $y) = ($bars[$i], $i * $row + 4);
		my $long = ($width - $left - $right) * ($bar->{value} > $max ? 1 : $bar->{value} / $max);
		$content .= '<g' . is("$bar->{name}.bar") . '><title>' . escape("$bar->{label}: $bar->{text}") . "</title>\n"
		  . text($left - 10, $y + 14, 'end label', short($bar->{label}, 30), is("$bar->{name}.label"))
		  . rect($left, $y, $width - $left - $right, 18, 'track')
		  . rect($left, $y, $bar->{value} > 0 && $long < 2 ? 2 : $long, 18, $bar->{class} // 'bar')
		  . text($width - $right + 8, $y + 14, 'value', $bar->{text}, is("$bar->{name}.text")) . "</g>\n";
	}
	return svg($width, @bars * $row + 4, $title, $desc, $content);
}

# Returns a small line without a scale, from a first day to a last.  name: as in named().
sub spark
{
	my ($name, $first, $last, $from, @values) = @_;
	my ($width, $height) = (120, 22);
	return '' if !@values;
	my $span = $last - $first || 1;
	my $max = (sort { $b <=> $a } @values)[0] || 1;
	my $every = POSIX::ceil(@values / 60);
	my @at = grep { $_ % $every == 0 || $_ == $#values } 0 .. $#values;
	my $points = join ' ', map { sprintf '%.0f,%.1f', ($from + $_ - $first) / $span * $width, $height - 2 - $values[$_] / $max * ($height - 4) } @at;
	return qq(<svg viewBox="0 0 $width $height" class="spark" role="img") . is($name) . qq( aria-label=")
	  . escape("from $values[0] to $values[-1], at most $max") . qq("><polyline points="$points" class="line"/></svg>);
}

1;
