# The page doc/dashboards.md: each panel of the dashboards of contrib/grafana with
# its question, its query and what this answers on the sample dump.
package DashboardsPage;

use strict;
use warnings;

use lib 'contrib/grafana', 'test/t';
use Dashboards;
use Pages;

my $rows = 5;
my ($from, $to) = ('2025-01-01', '2025-07-01');

# What Grafana makes of a query: all networks, the default schema, a fixed time
# range, one day as the interval.
sub as_sent
{
	my ($sql) = @_;
	$sql =~ s/\$\{schema:doublequote\}/"cloud_report"/g;
	$sql =~ s/\$__timeFilter\((\w+)\)/"$1" BETWEEN '$from' AND '$to'/g;
	$sql =~ s/\$__timeGroupAlias\((\w+), \$__interval\)/floor(extract(epoch FROM "$1") \/ 86400) * 86400 AS "time"/g;
	$sql =~ s/\$network\b/network_id/g;
	die "something is left to replace: $sql\n" if $sql =~ /\$/;
	return $sql;
}

# The first rows of an answer; columns that depend on when it is asked are dots.
sub answer
{
	my ($database, $sql, $title) = @_;
	return "(the time since the import, in seconds)\n" if $title eq 'Age';
	my ($columns) = Pages::output_of('/dev/null', 'psql', '-XAtq', '-d', $database, '-c', "SELECT string_agg(quote_ident(key), '|' ORDER BY ord)
		FROM (SELECT row_to_json(x) AS j FROM ($sql) x LIMIT 1) r, json_object_keys(j) WITH ORDINALITY k (key, ord)");
	chomp $columns;
	return "(no rows)\n" if $columns eq '';
	my %moves = map { $_ => 1 } '"For"', '"Took"', '"Started"';
	my $list = join ', ', map { $moves{$_} ? "'...' AS $_" : $_ } split /\|/, $columns;
	my $output = Pages::run_sql($database, "SELECT $list FROM ($sql) x LIMIT $rows;\n");
	die "$title fails:\n$output" if Pages::has_error($output);
	return $output =~ s/ +$//mgr =~ s/\n\n\z/\n/r;
}

sub panel_text
{
	my ($database, $panel, $title_of) = @_;
	my $target = $panel->{targets}[0];
	my $text = "### $panel->{title}\n\n$panel->{description}\n\n";
	return $text . "Shows what \"$title_of->{ $target->{panelId} }\" has asked.\n\n" if defined $target->{panelId};
	my $sql = as_sent($target->{rawSql});
	return "$text```sql\n$sql;\n```\n\n```text\n" . answer($database, $sql, $panel->{title}) . "```\n\n";
}

# The text of the page; the database has the sample, its mirror and its report.
sub text
{
	my ($database) = @_;
	my $text = "# Dashboards\n\n<!-- every block of this page: run by test/t/071_doc.pl -->\n\nMade by `doc/generate` from `contrib/grafana/Dashboards.pm`; do not edit it. "
	  . "Each panel with what it shows, its query for all networks, and the first $rows rows of the answer on the sample dump. "
	  . "Charts are of $from to $to. [monitoring.md](monitoring.md#dashboards) says how to set the dashboards up.\n\n";
	my @dashboards = Dashboards::dashboards();
	while (my ($name, $dashboard) = splice @dashboards, 0, 2)
	{
		my @panels = Dashboards::all_panels(@{ $dashboard->{panels} });
		my %title = map { $_->{id} => $_->{title} } @panels;
		$text .= "## $dashboard->{title}\n\n$dashboard->{description} File: `contrib/grafana/$name.json`.\n\n";
		$text .= panel_text($database, $_, \%title) foreach grep { $_->{type} ne 'row' } @panels;
	}
	return $text =~ s/\n+\z/\n/r;
}

1;
