# What is wrong: findings by code, each with its meaning and what mends it.
package Findings;

use strict;
use warnings;

use Text qw(escape named number);

# The view findings lists what is that old, where a check waits at all.
my $min_age = '10 minutes';

# Returns the section, to which Page gives the note and a function that makes tables.
sub groups
{
	my ($d, $table) = @_;
	my (%first, %checks, $html);
	push @{ $first{ $_->{code} } }, $_ foreach @{ $d->{findings}{first} };
	$checks{ $_->{code} } = $_ foreach @{ $d->{meanings} };
	$html = '';
	foreach my $code (@{ $d->{findings}{codes} })
	{
		my @rows = @{ $first{ $code->{code} } // [] };
		my $class = $code->{severity} =~ /^(error|warning|info)$/ ? $1 : '';
		my $name = "findings.$code->{code}";
		my ($about, $todo) = meaning($checks{ $code->{code} } // {}, $d->{kind}{kind} // '');
		my $n = 0;
		$html .= qq(<div class="finding"><h3><span class="badge $class">) . escape($code->{severity}) . '</span> <code>'
		  . escape($code->{code}) . '</code> <span class="count">' . named($name, number($code->{findings})) . '</span></h3>'
		  . '<p>' . named("$name.about", $about) . '</p>'
		  . '<p class="todo">' . named("$name.todo", $todo) . "</p>\n"
		  . (@rows ? '<details><summary>' . summary($name, scalar @rows, $code->{findings}) . "</summary>\n"
			  . $table->("Findings: $code->{code}", $name, sub { $_[0]{finding} // ++$n },
				[ [ 'What', 'whole', sub { $_[0]{message} } ], [ 'How to mend it', 'sql', sub { $_[0]{fix} } ] ], @rows)
			  . '</details>' : '')
		  . "</div>\n";
	}
	return $html;
}

# Returns what a code means and what to do about it: what its row of checks() says.
sub meaning
{
	my ($check, $kind) = @_;
	my ($about, $remedy) = split /; remedy: /, ($check->{about} // '') =~ s/\bmin_age\b/$min_age/gr, 2;
	my $beside = 'as stands beside each finding, where anything does';
	my $todo = $remedy // (defined $check->{refusal} ? "decide for each, since $check->{refusal}; mend it $beside"
		: !defined $check->{repair} ? "mend it $beside"
		: $kind eq 'managed' ? "vmnet.repair_inventory(inventory, '$check->{code}', dry_run => false) mends it; without dry_run it says what it would do"
		: "mend it at the source, $beside");
	return (ucfirst($about // ''), "What to do: $todo.");
}

# Returns how many rows are folded below, as HTML.
sub summary
{
	my ($name, $shown, $all) = @_;
	my $many = named("$name.all", number($all));
	return $shown < $all ? 'The first ' . named("$name.shown", number($shown)) . " of $many" : $all == 1 ? 'The finding' : "All $many";
}

1;
