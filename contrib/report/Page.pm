# The page: the data as HTML.
package Page;

use strict;
use warnings;

use Chart;
use Findings;
use Script;
use Style;
use Text qw(escape named plain short number percent day duration label);

# Returns a table.  name and key, a function that returns what tells a row from the
# others, name the cells: <name>.<key>.<heading>, as in named().  columns: [heading,
# kind, cell], where cell returns the text of a row; kind num: a number, aligned to the right; html: the text is HTML; whole: a
# text that is never cut; sql: a statement, which is not cut either, since the
# beginning of one can be another valid one.
sub table
{
	my ($caption, $name, $key, $columns, @rows) = @_;
	my $html = '<div class="scroll"><table><caption>' . escape($caption) . "</caption>\n<thead><tr>"
	  . join('', map { '<th scope="col"' . ($_->[1] eq 'num' ? ' class="num"' : '') . '>' . escape($_->[0]) . '</th>' } @$columns) . "</tr></thead>\n<tbody>\n";
	foreach my $row (@rows)
	{
		$html .= '<tr>' . join('', map {
				my $cell = $_->[2]->($row);
				my $is = Chart::is(join '.', $name, $key->($row), anchor($_->[0]));
				$_->[1] eq 'num' ? qq(<td$is class="num") . ($_->[3] ? ' data-sort="' . escape($_->[3]->($row)) . '"' : '') . '>' . escape($cell) . '</td>'
				  : $_->[1] eq 'html' ? "<td>$cell</td>"
				  : $_->[1] eq 'sql' ? "<td$is><code>" . escape($cell) . '</code></td>'
				  : $_->[1] eq 'whole' ? "<td$is><bdi>" . escape($cell) . '</bdi></td>'
				  : "<td$is><bdi>" . escape(short($cell, 300)) . '</bdi></td>'
		} @$columns) . "</tr>\n";
	}
	return "$html</tbody></table></div>\n";
}

# Returns the anchor of a part with a title of ours.
sub anchor { my ($title) = @_; return lc($title) =~ s/[^a-z]+/-/gr; }

# Returns links to all parts of a page.
sub contents
{
	my ($parts) = @_;
	my @links;
	push @links, qq(<li><a href="#$1">$2</a></li>) while $parts =~ m{<(?:section|figure) class="card[^"]*" id="([a-z-]+)">(?:<figcaption>)?<h2>([^<]*)</h2>}g;
	return '<nav aria-label="Contents"><ul>' . join('', @links) . "</ul></nav>\n";
}

# Returns a change with its sign.
sub change { my ($n) = @_; return !defined $n ? '' : ($n > 0 ? '+' : '') . number($n); }

# Returns the change over the last 7 days of values, one for each day.
sub week { my (@values) = @_; return @values > 7 ? $values[-1] - $values[-8] : undef; }

# Returns a chart with its heading, an explanation (HTML), and its data as a table.
sub figure
{
	my ($class, $title, $note, $chart, $table) = @_;
	return qq(<figure class="card $class" id=") . anchor($title) . qq("><figcaption><h2>) . escape($title) . '</h2><p>' . $note . "</p></figcaption>\n"
	  . ($chart ? "$chart<details><summary>As a table</summary>\n$table</details>" : '<p class="none">Nothing to show.</p>') . "</figure>\n";
}

# note: HTML
sub section
{
	my ($title, $note, $content) = @_;
	return '<section class="card wide" id="' . anchor($title) . '"><h2>' . escape($title) . '</h2><p>' . $note . "</p>\n$content</section>\n";
}

# value and note: HTML
sub tile
{
	my ($name, $value, $note, $class) = @_;
	return qq(<div class="tile $class"><dt>) . escape($name) . '</dt><dd>' . $value . '<small>' . $note . "</small></dd></div>\n";
}

# Returns "The first 100 of 4,321" if not all rows are shown, as HTML.
sub shown
{
	my ($name, $shown, $all, $what, $order) = @_;
	my $many = named("$name.all", number($all));
	return $shown < $all ? 'The first ' . named("$name.shown", number($shown)) . " of $many $what, $order; set TOP to see more." : "$many $what, $order.";
}

# Returns how many findings are accepted, with what stands around it; nothing if
# there are none.
sub accepted
{
	my ($d, $name, $before, $after) = @_;
	return $d->{findings}{accepted} ? $before . named("$name.accepted", number($d->{findings}{accepted})) . ' accepted' . ($after // '') : '';
}

sub tiles
{
	my ($d) = @_;
	my %severity = (error => 0, warning => 0, info => 0);
	$severity{ $_->{severity} } += $_->{findings} foreach @{ $d->{findings}{codes} };
	my ($half, $stuck) = ($d->{totals}{deallocating}, $d->{stuck_total}{nics});
	my $tell = sub { my ($name, $n) = @_; return named("tile.$name", number($n)) };
	my ($known, $none) = (defined $d->{usage}{percent}, "\x{2013}");
	return '<dl class="tiles">' . tile('Networks', $tell->('networks', $d->{totals}{networks}), $tell->('used_networks', $d->{totals}{used_networks}) . ' in use', '')
	  . tile('Active instances', $tell->('active_instances', $d->{instances}{active}), $tell->('running_instances', $d->{instances}{running}) . ' running', '')
	  . tile('Attached NICs', $tell->('attached_nics', $d->{totals}{attached_nics}), 'of live instances', '')
	  . tile('IPv4 in use', $known ? named('tile.ip_percent', percent($d->{usage}{percent})) : $none,
		$known ? $tell->('ip_used', $d->{usage}{used}) . ' of ' . $tell->('ip_usable', $d->{usage}{usable}) : 'no network has a range', '')
	  . tile('Stuck NICs', defined $stuck ? $tell->('stuck_nics', $stuck) : $none, $tell->('half_removed', $half) . ' half-removed', ($stuck // 0) + $half ? 'warning' : 'good')
	  . tile('Errors found', $tell->('errors', $severity{error}), $tell->('warnings', $severity{warning}) . ' warnings' . accepted($d, 'tile', ', '),
		$severity{error} ? 'error' : $severity{warning} ? 'warning' : 'good')
	  . "</dl>\n";
}

sub members
{
	my ($d) = @_;
	my @days = @{ $d->{daily} };
	my $note = 'Instances on networks at the end of each day (UTC), all networks summed up: an instance on two of them counts twice.';
	return figure('wide', 'Members over time', $note) if !@days;
	my $desc = join(', ', map { my ($name, $day) = @$_; named("members.$name", number($day->{members})) . ($name eq 'first' ? ' members' : '') . ' on ' . named("members.$name.day", day($day->{day})) }
		  [ first => $days[0] ], [ last => $days[-1] ]) . '.';
	my $week = week(map { $_->{members} } @days);
	$desc .= ' Over the last 7 days: ' . named('members.week', change($week)) . '.' if defined $week;
	return figure('wide', 'Members over time', "$note $desc", Chart::line('Members over time', plain($desc), 'chart.members', 'members', map { [ $_->{day}, $_->{members} ] } @days),
		table('Members by day', 'members', sub { day($_[0]{day}) }, [ [ 'Day', 'text', sub { day($_[0]{day}) } ], [ 'Members', 'num', sub { number($_[0]{members}) } ] ], reverse @days));
}

sub movement
{
	my ($d) = @_;
	my @days = @{ $d->{daily} };
	my $title = 'Arrivals and departures';
	return figure('wide', $title, 'Instances that came to a network or left one.') if !@days;
	my $every = @days <= 92 ? 1 : @days <= 1100 ? 7 : 30;
	my @bars;
	foreach my $day (@days)
	{
		push @bars, [ $day->{day}, 0, 0 ] if !@bars || $day->{day} >= $bars[-1][0] + $every;
		$bars[-1][1] += $day->{arrived};
		$bars[-1][2] += $day->{departed};
	}
	my ($came, $went) = (0, 0);
	foreach (@bars) { $came += $_->[1]; $went += $_->[2]; }
	my $desc = named('movement.came', number($came)) . ' came, ' . named('movement.left', number($went)) . ' left since ' . named('movement.since', day($days[0]{day})) . '.';
	return figure('wide', $title, 'Instances that came to a network (up) or left one (down), '
		  . ($every > 1 ? 'every ' . named('movement.every', $every) . ' days' : 'by day') . ". $desc",
		Chart::up_and_down($title, plain($desc), 'chart.movement', $every, 'arrived', 'left', @bars),
		table("$title, from each day on", 'movement', sub { day($_[0][0]) },
			[ [ 'From', 'text', sub { day($_[0][0]) } ], [ 'Arrived', 'num', sub { number($_[0][1]) } ], [ 'Left', 'num', sub { number($_[0][2]) } ] ], reverse @bars));
}

# Networks by what they can still give; how that was counted is said with it.
sub fullest
{
	my ($d) = @_;
	my @rows = @{ $d->{fullest} };
	my $with = $d->{totals}{networks} - $d->{usage}{no_range};
	my $note = 'IPv4 addresses that the network can still give, and the share in use: of the rows of its list of addresses, of its ranges, or else of its cidr (pale: there may be fewer). '
	  . shown('fullest', scalar @rows, $with, 'networks with a range', 'the fewest free addresses first');
	$note =~ s/; set TOP to see more//;
	return figure('', 'Fullest networks', $note) if !@rows;
	return figure('', 'Fullest networks', $note,
		Chart::bars('Fullest networks', plain($note), 100, map { { name => "chart.fullest.$_->{network_id}", label => label($_, 20), value => $_->{percent},
			text => number($_->{free}) . ' of ' . number($_->{usable}) . ' free, ' . $_->{counted_by},
			class => ($_->{percent} >= 95 ? 'error' : $_->{percent} >= 80 ? 'warning' : 'bar') . " by-$_->{counted_by}" } } @rows),
		table('Fullest networks', 'fullest', sub { $_[0]{network_id} }, [ [ 'Network', 'text', sub { label($_[0], 100) } ], [ 'Range', 'text', sub { $_[0]{cidr} } ],
			[ 'Used', 'num', sub { number($_[0]{used}) } ], [ 'Usable', 'num', sub { number($_[0]{usable}) } ], [ 'Free', 'num', sub { number($_[0]{free}) } ],
			[ 'Counted by', 'text', sub { $_[0]{counted_by} } ], [ 'Use', 'num', sub { percent($_[0]{percent}) } ] ], @rows));
}

# Returns bars for numbers: [label, value, class, unit].
sub counted
{
	my ($title, $note, $heading, @bars) = @_;
	my ($all, $name) = (0, anchor($title));
	$all += $_->[1] foreach @bars;
	return figure('', $title, $note) if !$all;
	return figure('', $title, $note,
		Chart::bars($title, plain($note), 0, map { { name => "chart.$name.$_->[0]", label => $_->[0], value => $_->[1], text => join(' ', number($_->[1]), $_->[3] // ()), class => $_->[2] } } @bars),
		table($title, $name, sub { $_[0][0] }, [ [ $heading, 'text', sub { join ', ', $_[0][0], $_[0][3] // () } ], [ 'How many', 'num', sub { number($_[0][1]) } ] ], @bars));
}

sub how_full
{
	my ($d) = @_;
	my $u = $d->{usage};
	my $note = 'Networks by the share of their IPv4 range that is in use.'
	  . ($u->{outside} ? ' ' . named('usage.outside', number($u->{outside})) . ' addresses are outside of the range of their network.' : '');
	return counted('How full networks are', $note, 'In use', [ 'below 25 %', $u->{quarter}, 'bar' ], [ '25 to 50 %', $u->{half}, 'bar' ],
		[ '50 to 75 %', $u->{most}, 'bar' ], [ '75 to 90 %', $u->{full}, 'warning' ], [ '90 % and more', $u->{over}, 'error' ], [ 'no IPv4 range', $u->{no_range}, 'muted' ]);
}

sub states
{
	my ($d) = @_;
	my $t = $d->{totals};
	return counted('NICs by state', 'Held NICs of live networks, placeholders too. Deallocating ones are half-removed, and active nowhere.', 'State',
		[ 'Allocated', $t->{allocated}, 'bar' ], [ 'Reserving', $t->{reserving}, 'bar' ], [ 'Reserved', $t->{reserved}, 'bar' ],
		[ 'Releasing', $t->{releasing}, 'bar' ], [ 'Deallocating', $t->{deallocating}, 'error' ], [ 'any other', $t->{other_states}, 'warning' ]);
}

sub codes
{
	my ($d) = @_;
	return counted('Findings by code', 'What contradicts itself in the inventory: errors, warnings and remarks.', 'Code',
		map { [ $_->{code}, $_->{findings}, $_->{severity}, $_->{severity} . ($_->{findings} > 1 && $_->{severity} ne 'info' ? 's' : '') ] } @{ $d->{findings}{codes} });
}

sub networks
{
	my ($d) = @_;
	my @rows = @{ $d->{networks} };
	return section('Networks', 'There are none.', '') if !@rows;
	my ($first, $last) = @{ $d->{daily} } ? ($d->{daily}[0]{day}, $d->{daily}[-1]{day}) : (0, 1);
	my $note = shown('networks', scalar @rows, $d->{totals}{networks}, 'networks', 'those with the most active instances first');
	return section('Networks', $note, table('Networks', 'networks', sub { $_[0]{network_id} }, [
		[ 'Id', 'num', sub { $_[0]{network_id} } ], [ 'Network', 'text', sub { short($_[0]{network_name}, 100) } ],
		[ 'State', 'text', sub { $_[0]{network_state} } ], [ 'Kind', 'text', sub { join ' ', grep { defined } $_[0]{traffic_type}, $_[0]{guest_type} } ],
		[ 'Active', 'num', sub { number($_[0]{active_instances}) } ], [ 'Running', 'num', sub { number($_[0]{running_instances}) } ],
		[ 'Over time', 'html', sub { Chart::spark("networks.$_[0]{network_id}.spark", $first, $last, $_[0]{first_day}, split / /, $_[0]{members} // '') } ],
		[ '7 days', 'num', sub { change(week(split / /, $_[0]{members} // '')) } ],
		[ 'NICs', 'num', sub { number($_[0]{attached_nics}) } ], [ 'Half-removed', 'num', sub { $_[0]{deallocating} ? number($_[0]{deallocating}) : '' } ],
		[ 'Range', 'text', sub { $_[0]{cidr} } ], [ 'Used', 'num', sub { number($_[0]{used}) } ], [ 'Use', 'num', sub { percent($_[0]{percent}) } ],
		[ 'Account', 'text', sub { short($_[0]{account_name}, 100) } ] ], @rows));
}

sub findings
{
	my ($d) = @_;
	my $all = 0;
	$all += $_->{findings} foreach @{ $d->{findings}{codes} };
	return section('What is wrong', 'Nothing was found.' . accepted($d, 'findings', ' Not counted: ', '.'), '') if !$all;
	return section('What is wrong', shown('findings', scalar @{ $d->{findings}{first} }, $all, 'findings', 'errors first') . accepted($d, 'findings', ' Not counted: ', '.'),
		Findings::groups($d, \&table));
}

sub stuck
{
	my ($d) = @_;
	return '' if !@{ $d->{stuck} };
	return section('Stuck NICs', shown('stuck', scalar @{ $d->{stuck} }, $d->{stuck_total}{nics}, 'NICs that are Reserving or Releasing for ten minutes or longer', 'the longest first'),
		table('Stuck NICs', 'stuck', sub { $_[0]{nic_id} }, [ [ 'NIC', 'num', sub { $_[0]{nic_id} } ], [ 'State', 'text', sub { $_[0]{nic_state} } ], [ 'For', 'num', sub { duration($_[0]{seconds}) }, sub { $_[0]{seconds} } ],
			[ 'Network', 'text', sub { label($_[0], 100) } ], [ 'Instance', 'text', sub { short($_[0]{instance_name}, 100) } ] ], @{ $d->{stuck} }));
}

sub imports
{
	my ($d) = @_;
	return '' if !@{ $d->{imports} };
	return section('Imports', 'The last runs of the import that keeps the mirror equal to its source.',
		table('Imports', 'imports', sub { $_[0]{run} }, [ [ 'Run', 'num', sub { $_[0]{run} } ], [ 'Status', 'text', sub { $_[0]{status} } ], [ 'Source', 'text', sub { $_[0]{source} } ],
			[ 'Started (UTC)', 'text', sub { $_[0]{started} } ], [ 'Took', 'num', sub { duration($_[0]{seconds}) }, sub { $_[0]{seconds} } ], [ 'NICs read', 'num', sub { number($_[0]{nics_read}) } ],
			map { my $c = $_; [ ucfirst, 'num', sub { number($_[0]{"rows_$c"}) } ] } qw(inserted updated deleted rejected) ], @{ $d->{imports} }));
}

# Returns the time that the inventory is as of, as HTML.
sub as_of
{
	my ($d) = @_;
	my $read = '<time datetime="' . escape($d->{about}{exactly}) . '" data-number="made">' . escape($d->{about}{at}) . '</time>';
	return "as of $read UTC." if ($d->{kind}{kind} // '') ne 'mirror' && !$d->{as_of}{runs};
	return "read at $read UTC. It is a mirror into which no import was completed: it is as of no time." if !defined $d->{as_of}{at};
	return 'as of ' . named('as_of', $d->{as_of}{at}) . ' UTC, when the last completed import began, '
	  . named('as_of.age', duration($d->{as_of}{seconds})) . " before this page was made at $read.";
}

sub html
{
	my ($d) = @_;
	my $title = escape("Inventory report: $d->{schema}");
	my $parts = findings($d) . members($d) . movement($d) . '<div class="column">' . fullest($d) . how_full($d) . "</div>\n"
	  . '<div class="column">' . codes($d) . states($d) . "</div>\n" . networks($d) . stuck($d) . imports($d);
	return qq(<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'; script-src ) . Script::source() . qq(">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>$title</title>
<style>
) . Style::css() . "</style>\n</head>\n<body>\n<header><h1>$title</h1>\n<p>Database <bdi>" . escape($d->{about}{database})
	  . '</bdi>, ' . as_of($d) . ' Charts go back ' . named('days', $d->{days}) . " days at most.</p></header>\n<main>\n"
	  . tiles($d) . contents($parts) . $parts
	  . "</main>\n<footer><p>Made by vmnet_ext from the views of the reporting schema; its view data_dictionary says what each of them means.</p></footer>\n<script>\n" . Script::js() . "</script>\n</body>\n</html>\n";
}

1;
