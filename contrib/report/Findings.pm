# What is wrong: findings by code, each with its meaning and what mends it.
package Findings;

use strict;
use warnings;

use Text qw(escape number);

# Returns the section, to which Page gives the note and a function that makes tables.
sub groups
{
	my ($d, $table) = @_;
	my (%first, $html);
	push @{ $first{ $_->{code} } }, $_ foreach @{ $d->{findings}{first} };
	my %about = map { $_->{code} => $_->{about} } @{ $d->{meanings} };
	$html = '';
	foreach my $code (@{ $d->{findings}{codes} })
	{
		my @rows = @{ $first{ $code->{code} } // [] };
		my $class = $code->{severity} =~ /^(error|warning|info)$/ ? $1 : '';
		$html .= qq(<div class="finding"><h3><span class="badge $class">) . escape($code->{severity}) . '</span> <code>'
		  . escape($code->{code}) . '</code> <span class="count">' . number($code->{findings}) . '</span></h3>'
		  . '<p>' . escape(ucfirst($about{ $code->{code} } // '')) . '</p>'
		  . '<p class="todo">' . escape(advice($code)) . "</p>\n"
		  . (@rows ? '<details><summary>' . summary(scalar @rows, $code->{findings}) . "</summary>\n"
			  . $table->("Findings: $code->{code}", [ [ 'What', 'whole', sub { $_[0]{message} } ], [ 'How to mend it', 'sql', sub { $_[0]{fix} } ] ], @rows)
			  . '</details>' : '')
		  . "</div>\n";
	}
	return $html;
}

# Returns what to do about a code: its findings say so, where anything does.
sub advice
{
	my ($code) = @_;
	my ($all, $fixed) = @$code{qw(findings fixed)};
	return 'What to do: decide for each, since no statement mends it.' if !$fixed;
	return 'What to do: run what stands beside each finding, after reading it.' if $fixed == $all;
	return 'What to do: run what stands beside ' . number($fixed) . ' of them, after reading it; decide for the others.';
}

sub summary
{
	my ($shown, $all) = @_;
	return $shown < $all ? 'The first ' . number($shown) . ' of ' . number($all) : $all == 1 ? 'The finding' : 'All ' . number($all);
}

1;
