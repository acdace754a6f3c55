# Formats of texts, numbers and times in the report.
package Text;

use strict;
use warnings;

use POSIX ();

use Exporter 'import';
our @EXPORT_OK = qw(escape named plain short number percent day day_of month_name duration label);

# Returns a text as HTML, for text and quoted attributes.  Characters that are not
# allowed in a page are replaced.
sub escape
{
	my ($text) = @_;
	return '' if !defined $text;
	$text =~ s/[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\x{fffe}\x{ffff}]/\x{fffd}/g;
	$text =~ s/([&<>"'])/'&#' . ord($1) . ';'/ge;
	return $text;
}

# Returns a text as HTML that says which it is, so that a test can find it and ask
# the database for it: all numbers of the page are named.
sub named { my ($name, $text) = @_; return '<span data-number="' . escape($name) . '">' . escape($text) . '</span>'; }

# Returns the text of HTML that was made of named() and escape().
sub plain { my ($html) = @_; return $html =~ s/<[^>]*>//gr =~ s/&#(\d+);/chr $1/ger; }

sub short
{
	my ($text, $length) = @_;
	return defined $text && length $text > $length ? substr($text, 0, $length - 1) . "\x{2026}" : $text;
}

sub number
{
	my ($n) = @_;
	return '' if !defined $n;
	$n = sprintf('%.0f', $n);
	1 while $n =~ s/^(-?\d+)(\d{3})/$1,$2/;
	return $n;
}

sub percent { my ($n) = @_; return defined $n ? sprintf('%.1f %%', $n) : ''; }

# Days are counted from 1970-01-01.
sub day { my ($d) = @_; return POSIX::strftime('%Y-%m-%d', gmtime($d * 86400)); }
sub day_of { my ($y, $m) = @_; require Time::Local; return Time::Local::timegm(0, 0, 0, 1, $m - 1, $y) / 86400; }
sub month_name { my ($m) = @_; return (qw(Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec))[ $m - 1 ]; }

sub duration
{
	my ($s) = @_;
	return '' if !defined $s;
	return sprintf('%.1f s', $s) if $s < 60;
	return sprintf('%d min', $s / 60) if $s < 3600;
	return sprintf('%d h', $s / 3600) if $s < 2 * 86400;
	return number($s / 86400) . ' days';
}

# Returns a network by name and id, since names may be missing or not unique.
sub label
{
	my ($row, $length) = @_;
	my $name = short($row->{network_name}, $length);
	return defined $name && length $name ? "$name ($row->{network_id})" : "network $row->{network_id}";
}

1;
