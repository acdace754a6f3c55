# The pictures doc/model.svg and doc/states.svg, drawn from what doc/generate.pl has
# read in the catalogs.  Colours follow the scheme of the reader, light or dark.
# Lines run at right angles in lanes that have no text.
package Pictures;

use strict;
use warnings;

my $style = <<'END';
<style>
.page{fill:#fff}.box{fill:#f6f8fa;stroke:#8a96a3}.group{fill:none;stroke:#b6c0ca;stroke-dasharray:5 4}.line{fill:none;stroke:#4b5866}.tip{fill:#4b5866}
.word{fill:#1c2530}.type,.note{fill:#5a6673}.active{fill:#d3f0d6;stroke:#2f7d3b}.decides{fill:#e9f6ea}.gone{fill:#f9dcdc;stroke:#a33}.remove{fill:none;stroke:#a33}
@media (prefers-color-scheme:dark){.page{fill:#0d1117}.box{fill:#161d26;stroke:#65717e}.group{stroke:#46515c}.line{stroke:#a9b4c0}.tip{fill:#a9b4c0}
.word{fill:#e6edf3}.type,.note{fill:#9aa7b4}.active{fill:#1c4a27;stroke:#5cb56c}.decides{fill:#15301c}.gone{fill:#57201f;stroke:#e07a76}.remove{stroke:#e07a76}}
</style>
END

sub escape
{
	return $_[0] =~ s/&/&amp;/gr =~ s/</&lt;/gr =~ s/>/&gt;/gr;
}

sub svg
{
	my ($title, $width, $height, @body) = @_;
	return join '', qq(<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 $width $height" width="$width" height="$height" font-family="sans-serif" font-size="12">\n),
	  '<title>' . escape($title) . "</title>\n", $style,
	  qq(<defs><marker id="arrow" viewBox="0 0 10 10" refX="10" refY="5" markerWidth="8" markerHeight="8" orient="auto-start-reverse"><path d="M0 0L10 5L0 10z" class="tip"/></marker></defs>\n),
	  qq(<rect class="page" width="$width" height="$height"/>\n), (map { "$_\n" } @body), "</svg>\n";
}

sub words
{
	my ($x, $y, $text, $class, $more) = @_;
	return sprintf '<text x="%.0f" y="%.0f" class="%s"%s>%s</text>', $x, $y, $class // 'word', $more ? " $more" : '', escape($text);
}

sub box
{
	my ($class, $x, $y, $width, $height, $round) = @_;
	return sprintf '<rect class="%s" x="%.0f" y="%.0f" width="%.0f" height="%.0f" rx="%d"/>', $class, $x, $y, $width, $height, $round // 0;
}

# A line through points, with an arrow at its end.
sub arrow
{
	my ($class, @points) = @_;
	return qq(<path class="$class" d="M) . join('L', map { "$_->[0] $_->[1]" } @points) . '" marker-end="url(#arrow)"/>';
}

# Groups of tables: the column of the page, their title, and which tables.
my @groups = (
	[ 0, 'Instances and networks', qr/^all_(?:instances|networks)$/ ],
	[ 1, 'NICs', qr/^all_nic/ ],
	[ 2, 'Memory of NICs', qr/^nic_/ ],
	[ 2, 'Memory of earlier owners of an id (mirrors only)', qr/^former_/ ],
	[ 3, 'Addresses, from CloudStack', qr/^all_ip_/ ],
	[ 1, 'Findings', qr/^accepted_/ ],
	[ 3, 'Imports (mirrors only)', qr/^import_/ ],
	[ 0, 'Reality (with enable_reality)', qr/^(?:observers|segments|sighting|observation)/ ]);
my ($wide, $apart, $line_height) = (280, 90, 16);

# A table: its box, title and columns; notes where its columns are.
sub table
{
	my ($t, $x, $y, $at) = @_;
	my %has = map { $_->{name} => 1 } @{ $t->{columns} };
	my $height = 30 + $line_height * @{ $t->{columns} };
	my @body = (box('box', $x, $y, $wide, $height, 6), words($x + 10, $y + 18, $t->{name}, 'word', 'font-weight="bold"'));
	my $line = $y + 38;
	for my $c (@{ $t->{columns} })
	{
		my $decides = $has{active} && ($c->{name} eq 'removed' || $c->{name} eq 'state' && $t->{name} eq 'all_nics');
		$at->{"$t->{name}.$c->{name}"} = [ $x, $line - 4 ];
		push @body, box($c->{name} eq 'active' ? 'active' : 'decides', $x + 4, $line - 12, $wide - 8, $line_height, 3) if $decides || $has{active} && $c->{name} eq 'active';
		push @body, words($x + 10, $line, $c->{name}, 'word', $c->{key} ? 'text-decoration="underline"' : ''),
		  words($x + $wide - 10, $line, $c->{type} =~ s/timestamp with time zone/timestamptz/r, 'type', 'text-anchor="end"');
		$line += $line_height;
	}
	return ($height, @body);
}

# References of a table as [column, table, class].  Secondary addresses go with their
# NIC, and history outlives it, so neither has a foreign key.
sub references
{
	my ($t, $at) = @_;
	my @keys = map { [ $_->{column}, $_->{refers}, '' ] } @{ $t->{refers} // [] };
	return (@keys, map { [ $_->{name}, 'all_nics', ' stroke-dasharray="4 3"' ] } grep { !@keys && $_->{name} eq 'nic_id' && $at->{'all_nics.id'} } @{ $t->{columns} });
}

sub model
{
	my ($relations) = @_;
	my @tables = grep { $_->{kind} eq 'r' && $_->{schema} =~ /^(cloud|mirror)$/ } @$relations;
	my (@y, %at, @body, @lines, %placed);

	foreach my $group (@groups)
	{
		my ($column, $title, $names) = @$group;
		my $x = 30 + $column * ($wide + $apart);
		my $top = $y[$column] // 20;
		my $y = $top + 32;
		foreach my $t (grep { $_->{name} =~ $names } @tables)
		{
			my ($height, @drawn) = table($t, $x, $y, \%at);
			$placed{ $t->{name} } = 1;
			push @body, @drawn;
			$y += $height + 14;
		}
		push @body, box('group', $x - 10, $top, $wide + 20, $y - $top - 4, 8), words($x, $top + 20, $title, 'note', 'font-weight="bold"');
		$y[$column] = $y + 16;
	}
	my @forgotten = grep { !$placed{$_} } map { $_->{name} } @tables;
	die "doc/Pictures.pm: no group has @forgotten\n" if @forgotten;
	my $lane = 0;
	foreach my $t (@tables)
	{
		foreach my $r (references($t, \%at))
		{
			my ($from, $to) = ($at{"$t->{name}.$r->[0]"}, $at{"$r->[1].id"});
			# in the space right of the column of the table that is referred to; one
			# lane for all that refer to NICs
			my $x = $to->[0] + $wide + $apart / 2 + ($r->[1] eq 'all_nics' ? 0 : 8 * $lane++);
			my $start = $from->[0] > $to->[0] ? $from->[0] : $from->[0] + $wide;
			push @lines, arrow("line\"$r->[2] data-kind=\"reference", [ $start, $from->[1] ], [ $x, $from->[1] ], [ $x, $to->[1] ], [ $to->[0] + $wide, $to->[1] ]);
		}
	}
	my ($height) = sort { $b <=> $a } @y;
	push @lines, box('active', 30, $height + 2, 16, 14, 3), words(52, $height + 13, 'active: generated', 'note'), box('decides', 170, $height + 2, 16, 14, 3),
	  words(192, $height + 13, 'the columns that decide it', 'note'), words(370, $height + 13, 'underlined: primary key; line: foreign key; dashed: by id, without a foreign key', 'note');
	return svg('Tables of an inventory', 60 + 4 * $wide + 3 * $apart, $height + 32, @body, @lines);
}

# Where states are, and how moves run: points, then where the label is: x, y, anchor.
my %state_at = (Allocated => [ 130, 200 ], Reserving => [ 500, 70 ], Reserved => [ 870, 200 ], Releasing => [ 500, 330 ], Deallocating => [ 500, 530 ]);
my %route = (
	'Allocated|Reserving' => [ [ [ 90, 174 ], [ 90, 58 ], [ 438, 58 ] ], 264, 50, 'middle' ],
	'Reserving|Allocated' => [ [ [ 438, 84 ], [ 150, 84 ], [ 150, 174 ] ], 294, 102, 'middle' ],
	'Reserving|Reserved' => [ [ [ 562, 70 ], [ 870, 70 ], [ 870, 174 ] ], 716, 62, 'middle' ],
	'Allocated|Reserved' => [ [ [ 192, 190 ], [ 808, 190 ] ], 500, 182, 'middle' ],
	'Reserved|Allocated' => [ [ [ 808, 210 ], [ 192, 210 ] ], 500, 228, 'middle' ],
	'Reserved|Releasing' => [ [ [ 890, 226 ], [ 890, 342 ], [ 562, 342 ] ], 726, 360, 'middle' ],
	'Releasing|Reserved' => [ [ [ 562, 318 ], [ 840, 318 ], [ 840, 226 ] ], 700, 310, 'middle' ],
	'Releasing|Allocated' => [ [ [ 438, 330 ], [ 150, 330 ], [ 150, 226 ] ], 294, 322, 'middle' ],
	'Allocated|Deallocating' => [ [ [ 100, 226 ], [ 100, 530 ], [ 438, 530 ] ], 270, 522, 'middle' ],
	'Releasing|Deallocating' => [ [ [ 500, 356 ], [ 500, 504 ] ], 510, 434, 'start' ],
	'Reserved|Deallocating' => [ [ [ 916, 226 ], [ 916, 520 ], [ 562, 520 ] ], 740, 512, 'middle' ],
	'Reserving|Deallocating' => [ [ [ 500, 44 ], [ 500, 26 ], [ 970, 26 ], [ 970, 544 ], [ 562, 544 ] ], 740, 562, 'middle' ]);

sub states
{
	my ($moves) = @_;
	my (%events, %leaves, %strategies, %state, @body);

	foreach (@$moves)
	{
		push @{ $events{"$_->{from_state}|$_->{to_state}"}{ $_->{event} } }, $_->{strategy};
		$leaves{ $_->{from_state} } = $strategies{ $_->{strategy} } = 1;
		@state{ $_->{from_state}, $_->{to_state} } = ();
	}
	foreach my $pair (sort keys %events)
	{
		my ($points, $x, $y, $anchor) = @{ $route{$pair} // die "doc/Pictures.pm: %route has no $pair\n" };
		push @body, arrow($leaves{ (split /\|/, $pair)[1] } ? 'line' : 'remove', @$points);
		foreach my $event (sort keys %{ $events{$pair} })
		{
			my @s = @{ $events{$pair}{$event} };
			my $label = @s == keys %strategies || @s == 1 && $s[0] eq 'Start' ? $event : "$event: " . join ', ', @s;
			push @body, words($x, $y, $label, 'word', qq(text-anchor="$anchor"));
			$y += 15;
		}
	}
	foreach my $name (sort keys %state)
	{
		my ($x, $y) = @{ $state_at{$name} // die "doc/Pictures.pm: %state_at has no $name\n" };
		push @body, box($leaves{$name} ? 'active' : 'gone', $x - 62, $y - 26, 124, 52, 12), words($x, $y + 4, $name, 'word', 'text-anchor="middle" font-weight="bold"');
	}
	push @body, box('active', 20, 592, 16, 14, 3), words(42, 603, 'active: the instance is listed on the network', 'note'), box('gone', 340, 592, 16, 14, 3),
	  words(362, 603, 'not listed: half-removed until removed is set', 'note'),
	  words(20, 628, 'An event without strategies is of Start, or of every strategy where it leads to Deallocating.', 'note');
	return svg('States of a NIC', 1000, 645, @body);
}

1;
