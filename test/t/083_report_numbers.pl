# Every number on the page of make report says which it is, and equals what a query
# of the views of the reporting schema says that it is, for the sample dump, for a
# mirror whose last import was days ago, and for a managed inventory with a past.
# Scales of charts are read, and lines and bars have the length of their values.  A
# wrong number, one without a name and a wrong line are seen to be found.
#
# pg_regress cannot do it: it runs a script that makes files.
use strict;
use warnings FATAL => 'all';

use Encode ();
use JSON::PP ();
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $tmp = PostgreSQL::Test::Utils::tempdir;
my $node = PostgreSQL::Test::Cluster->new('report_numbers');
$node->init;
$node->start;
$node->safe_psql('postgres', 'CREATE EXTENSION vmnet_ext');

#
# What the page says
#

sub page
{
	my ($inventory, %environment) = @_;
	local %ENV = (%ENV, PGHOST => $node->host, PGPORT => $node->port, PGDATABASE => 'postgres', DAYS => 3660, %environment);
	my ($out, $err) = ('', '');
	IPC::Run::run([ 'contrib/report/report', $inventory, "$tmp/page.html" ], '>', \$out, '2>', \$err) or die $err;
	return Encode::decode('UTF-8', slurp_file("$tmp/page.html"));
}

sub text_of
{
	my ($html) = @_;
	$html =~ s/<[^>]*>//g;
	$html =~ s/&#(\d+);/chr $1/ge;
	return $html;
}

# The texts of a page by what they say that they are; a name that stands twice is
# said by its second text.
sub named
{
	my ($html) = @_;
	my %named;
	while ($html =~ /<(\w+)([^>]*) data-number="([^"]*)"([^>]*)>(?=(.*?)<\/\1>)/gs)
	{
		my ($tag, $name, $more, $content) = ($1, text_of($3), "$2$4", $5);
		my $text = $tag eq 'svg' ? ($more =~ /aria-label="([^"]*)"/)[0] : $tag =~ /^(?:g|rect)$/ ? ($content =~ m{<title>(.*?)</title>}s)[0] : $content;
		$named{ exists $named{$name} ? "twice: $name" : $name } = text_of($text);
	}
	return \%named;
}

# Texts with digits that do not say what they are, but for those of scales, of names
# of codes, and what is a word with a digit.
sub nameless
{
	my ($html) = @_;
	my ($body) = $html =~ m{<body>(.*)</body>}s;
	my @captions = map { text_of($_) } $body =~ m{<figcaption>(.*?)</figcaption>}gs;
	my @nameless;
	foreach my $desc (map { text_of($_) } $body =~ m{<desc id=[^>]*>(.*?)</desc>}gs)
	{
		push @nameless, "description: $desc" if !grep { index($_, $desc) >= 0 } @captions;
	}
	$body =~ s{<(script)>.*?</\1>|<(desc) id=.*?</\2>|<(svg)[^>]* class="spark".*?</\3>}{}gs;
	$body =~ s{(<g data-number="[^"]*">)<title>.*?</title>}{$1}gs;
	$body =~ s{<(rect)[^>]* data-number="[^"]*"[^>]*>.*?</\1>}{}gs;
	$body =~ s{<(span|td|text|time)[^>]* data-number="[^"]*"[^>]*>.*?</\1>}{}gs;
	$body =~ s{<(text)[^>]* data-scale="[xy]"[^>]*>.*?</\1>}{}gs;
	$body =~ s{<(code)>\w+</\1>|<(caption)>Findings: \w+</\2>}{}g;
	push @nameless, grep { s/\bIPv4\b//gr =~ s/\b7 days\b//gr =~ /\d/ } map { text_of($_) } $body =~ />([^<]*\d[^<]*)</g;
	return @nameless;
}

sub number { return $_[0] =~ s/,//gr; }

# What is wrong with the line and the bars, as differences of what they show from
# the values that stand beside them; also how many marks were read.
sub drawn
{
	my ($html) = @_;
	my ($read, @wrong) = (0);
	foreach my $svg ($html =~ m{<svg viewBox="[^"]*" role="img" aria-labelledby.*?</svg>}gs)
	{
		my ($title) = $svg =~ m{<title id="[^"]*">([^<]*)};
		my %scale = map { my ($y, $n) = ($_->[0], number($_->[1])); ($y => $n) } pairs($svg =~ m{<text x="[\d.]+" y="([\d.]+)" class="end" data-scale="y">([^<]*)}g);
		if (my ($path) = $svg =~ /<path d="([^"]*)" class="line"/)
		{
			my ($zero) = grep { $scale{$_} == 0 } keys %scale;
			my ($top) = sort { $a <=> $b } keys %scale;
			my @ys = $path =~ /[V ]([\d.]+)/g;
			my @values = map { number($_) } $svg =~ m{data-number="chart\.members\.[^"]*"><title>[^<]*: members ([\d,]+)}g;
			my $every = int((@ys + 399) / 400);
			@ys = @ys[ grep { $_ % $every == 0 } 0 .. $#ys ];
			my $unit = $scale{$top} / ($zero - $top);
			push @wrong, "$title: " . @ys . ' points of ' . @values if @ys != @values;
			foreach my $i (0 .. ($#ys < $#values ? $#ys : $#values))
			{
				my $shows = ($zero - 4 - $ys[$i]) * $unit;
				push @wrong, "$title: point $i is at $shows, not $values[$i]" if abs($shows - $values[$i]) > .15 * $unit + .001;
				$read++;
			}
		}
		foreach my $way ($svg =~ m{<rect[^>]*class="(?:up|down)"[^>]*>.*?</rect>}gs)
		{
			my ($height) = $way =~ / height="([\d.]+)"/;
			my ($value) = $way =~ m{: \w+ ([\d,]+)</title>};
			my ($zero, $top) = ((grep { $scale{$_} == 0 } keys %scale), (sort { $a <=> $b } keys %scale)[0]);
			my $unit = $scale{$top} / ($zero - $top);
			push @wrong, "$title: a bar of " . $height * $unit . " for $value" if abs($height * $unit - number($value)) > .15 * $unit + .001;
			$read++;
		}
		my @bars = map { [ m{<rect x="[\d.]+" y="[\d.]+" width="([\d.]+)" height="18\.0" class="track"/>\s*<rect x="[\d.]+" y="[\d.]+" width="([\d.]+)"}, text_of(m{class="value"[^>]*>(.*?)</text>}) ] }
		  $svg =~ m{<g data-number.*?</g>}gs;
		my $max = 0;
		my $value = sub {
			my ($text) = @_;
			return $text =~ /^([\d,]+) of ([\d,]+) free/ ? 100 * (1 - number($1) / number($2)) : number(($text =~ /^([\d,]+)/)[0]);
		};
		foreach (@bars) { my $v = $value->($_->[2]); $max = $v if $v > $max; }
		$max = 100 if $title eq 'Fullest networks';
		foreach (@bars)
		{
			my ($track, $bar, $text) = @$_;
			my $should = $track * $value->($text) / $max;
			$should = 2 if $should > 0 && $should < 2;
			push @wrong, "$title: a bar of $bar of $track for $text" if abs($should - $bar) > .2;
			$read++;
		}
	}
	return ($read, @wrong);
}

sub pairs { my @is = @_; return map { [ @is[ 2 * $_, 2 * $_ + 1 ] ] } 0 .. @is / 2 - 1; }

#
# What the database says
#

# Formats of the page.
my $formats = q{
	CREATE FUNCTION pg_temp.n(x numeric) RETURNS text RETURN to_char(x, 'FM999,999,999,999,990');
	CREATE FUNCTION pg_temp.pc(x double precision) RETURNS text RETURN to_char(x, 'FM990.0') || ' %';
	CREATE FUNCTION pg_temp.signed(x numeric) RETURNS text RETURN CASE WHEN x > 0 THEN '+' ELSE '' END || pg_temp.n(x);
	CREATE FUNCTION pg_temp.age(s double precision) RETURNS text RETURN CASE WHEN s < 60 THEN to_char(s, 'FM990.0') || ' s'
		WHEN s < 3600 THEN trunc(s / 60) || ' min' WHEN s < 172800 THEN trunc(s / 3600) || ' h' ELSE pg_temp.n((s / 86400)::numeric) || ' days' END;
	CREATE FUNCTION pg_temp.label(name text, id text) RETURNS text RETURN coalesce(nullif(name, '') || ' (' || id || ')', 'network ' || id);
	CREATE FUNCTION pg_temp.cut(t text, n int) RETURNS text RETURN CASE WHEN length(t) > n THEN left(t, n - 1) || U&'\2026' ELSE t END;
};

# Names and texts of everything on the page of a reporting schema that was made at a
# time.  What the page reads of network_counts is counted in rows here, but for NICs
# that are half-removed: no other view has them.
my $all = q{
	CREATE TEMP VIEW made AS SELECT timestamptz ':made' AS at;
	CREATE TEMP VIEW until AS SELECT coalesce((SELECT max(started) FROM imports WHERE finished IS NOT NULL AND status = 'done'), (SELECT at FROM made)) AS at;
	CREATE TEMP TABLE found AS SELECT * FROM findings WHERE NOT accepted;
	CREATE TEMP TABLE per_day AS
		SELECT (d."time" AT TIME ZONE 'UTC')::date AS day, sum(active_instances) AS n, sum(arrived_instances) AS came, sum(departed_instances) AS went
		FROM networks_daily d WHERE d."time" <= (SELECT at FROM until) GROUP BY 1;
	CREATE TEMP VIEW steps AS SELECT CASE WHEN count(*) <= 92 THEN 1 WHEN count(*) <= 1100 THEN 7 ELSE 30 END AS every, min(day) AS first, count(*) AS days FROM per_day;
	CREATE TEMP VIEW moved AS
		SELECT first + (day - first) / every * every AS day, sum(came) AS came, sum(went) AS went, every FROM per_day, steps GROUP BY 1, every;
	CREATE TEMP VIEW members AS
		SELECT network_id, count(*) AS active, count(*) FILTER (WHERE instance_state = 'Running') AS running, sum(nic_count) AS nics FROM network_instances GROUP BY 1;
	CREATE TEMP TABLE history AS
		SELECT network_id, array_agg(active_instances ORDER BY "time") AS n FROM networks_daily WHERE "time" <= (SELECT at FROM until) GROUP BY 1;
	CREATE TEMP VIEW emptiest AS SELECT * FROM network_ip_usage WHERE usable IS NOT NULL ORDER BY greatest(usable - used, 0), used::float8 / usable DESC, network_id LIMIT 15;
	CREATE TEMP VIEW meant AS SELECT c.code, c.repair, c.refusal, regexp_split_to_array(replace(c.about, 'min_age', '10 minutes'), '; remedy: ') AS about FROM vmnet_internal.checks() c;
	CREATE TEMP VIEW per_code AS SELECT code, severity, count(*) AS n FROM found GROUP BY 1, 2;
	CREATE TEMP VIEW shares AS
		SELECT label, count(u.network_id) AS n
		FROM (VALUES ('below 25 %', -1, 25), ('25 to 50 %', 25, 50), ('50 to 75 %', 50, 75), ('75 to 90 %', 75, 90), ('90 % and more', 90, 101), ('no IPv4 range', NULL, NULL)) b (label, least, below)
			LEFT JOIN network_ip_usage u ON CASE WHEN least IS NULL THEN u.usable IS NULL ELSE 100.0 * u.used / u.usable >= least AND 100.0 * u.used / u.usable < below END
		GROUP BY 1;
	CREATE TEMP VIEW by_state AS
		SELECT s AS label, CASE s WHEN 'Deallocating' THEN (SELECT sum(deallocating) FROM network_counts) ELSE (SELECT count(*) FROM nics n JOIN networks w USING (network_id)
			WHERE CASE s WHEN 'any other' THEN n.nic_state NOT IN ('Allocated', 'Reserving', 'Reserved', 'Releasing') ELSE n.nic_state = s END) END AS n
		FROM unnest('{Allocated,Reserving,Reserved,Releasing,Deallocating,any other}'::text[]) s;
	SELECT jsonb_object_agg(name, coalesce(text, '')) FROM (
		SELECT 'made', to_char(at AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI') FROM made
		UNION ALL SELECT 'days', '3660'
		UNION ALL SELECT x.* FROM until, made, (SELECT FROM imports WHERE status = 'done' LIMIT 1) i, LATERAL (VALUES ('as_of', to_char(until.at AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI')),
			('as_of.age', pg_temp.age(extract(epoch FROM made.at - until.at)))) x
		UNION ALL SELECT 'tile.' || t, pg_temp.n(n) FROM (
			SELECT 'networks', count(*) FROM networks
			UNION ALL SELECT 'used_networks', count(DISTINCT network_id) FROM network_instances
			UNION ALL SELECT 'active_instances', count(DISTINCT instance_id) FROM network_instances
			UNION ALL SELECT 'running_instances', count(DISTINCT instance_id) FROM network_instances WHERE instance_state = 'Running'
			UNION ALL SELECT 'attached_nics', sum(nic_count) FROM network_instances
			UNION ALL SELECT 'ip_used', sum(used) FROM network_ip_usage WHERE usable IS NOT NULL
			UNION ALL SELECT 'ip_usable', sum(usable) FROM network_ip_usage
			UNION ALL SELECT 'stuck_nics', count(*) FROM nics, made WHERE nic_state IN ('Reserving', 'Releasing') AND state_changed <= made.at - interval '10 minutes'
			UNION ALL SELECT 'half_removed', sum(deallocating) FROM network_counts
			UNION ALL SELECT 'errors', count(*) FROM found WHERE severity = 'error'
			UNION ALL SELECT 'warnings', count(*) FROM found WHERE severity = 'warning'
			UNION ALL SELECT 'accepted', nullif(count(*), 0) FROM findings WHERE accepted) x (t, n) WHERE n IS NOT NULL
		UNION ALL SELECT 'tile.ip_percent', pg_temp.pc(100 * sum(used)::float8 / sum(usable)) FROM network_ip_usage
		UNION ALL SELECT 'findings.accepted', pg_temp.n(count(*)) FROM findings WHERE accepted HAVING count(*) > 0
		UNION ALL SELECT 'findings.all', pg_temp.n(count(*)) FROM found HAVING count(*) > 0
		UNION ALL SELECT x.* FROM per_code p JOIN meant m USING (code), LATERAL (VALUES ('findings.' || code, pg_temp.n(p.n)), ('findings.' || code || '.all', pg_temp.n(nullif(p.n, 1))),
			('findings.' || code || '.about', upper(left(m.about[1], 1)) || substr(m.about[1], 2)),
			('findings.' || code || '.todo', 'What to do: ' || coalesce(m.about[2], 'decide for each, since ' || m.refusal || '; mend it as stands beside each finding, where anything does',
				CASE WHEN EXISTS (SELECT FROM imports) THEN 'mend it at the source, as stands beside each finding, where anything does'
				ELSE 'vmnet.repair_inventory(inventory, ''' || code || ''', dry_run => false) mends it; without dry_run it says what it would do' END) || '.'),
			('chart.findings-by-code.' || code || '.bar', code || ': ' || pg_temp.n(n) || ' ' || severity || CASE WHEN n > 1 AND severity <> 'info' THEN 's' ELSE '' END),
			('chart.findings-by-code.' || code || '.label', code),
			('chart.findings-by-code.' || code || '.text', pg_temp.n(n) || ' ' || severity || CASE WHEN n > 1 AND severity <> 'info' THEN 's' ELSE '' END),
			('findings-by-code.' || code || '.code', code || ', ' || severity || CASE WHEN n > 1 AND severity <> 'info' THEN 's' ELSE '' END),
			('findings-by-code.' || code || '.how-many', pg_temp.n(n))) x WHERE x.column2 IS NOT NULL
		UNION ALL SELECT 'findings.' || code || '.' || finding || v.c, v.t FROM found, LATERAL (VALUES ('.what', message), ('.how-to-mend-it', fix)) v (c, t)
		UNION ALL SELECT x.* FROM per_day, LATERAL (VALUES ('members.' || day || '.day', day::text), ('members.' || day || '.members', pg_temp.n(n))) x
		UNION ALL SELECT 'chart.members.' || day, day || ': members ' || pg_temp.n(n) FROM per_day, steps WHERE (day - first) % ((days + 399) / 400) = 0
		UNION ALL SELECT x.* FROM (SELECT *, row_number() OVER (ORDER BY day) AS a, row_number() OVER (ORDER BY day DESC) AS z FROM per_day) d,
			LATERAL (SELECT CASE i WHEN 1 THEN 'first' ELSE 'last' END FROM generate_series(1, 2) i WHERE (i = 1 AND a = 1) OR (i = 2 AND z = 1)) e (e),
			LATERAL (VALUES ('members.' || e, pg_temp.n(n)), ('members.' || e || '.day', day::text)) x
		UNION ALL SELECT 'members.week', pg_temp.signed(z.n - a.n) FROM per_day z JOIN per_day a ON a.day = z.day - 7 WHERE z.day = (SELECT max(day) FROM per_day)
		UNION ALL SELECT x.* FROM steps, (SELECT sum(came) AS came, sum(went) AS went FROM per_day) s, LATERAL (VALUES ('movement.came', pg_temp.n(came)), ('movement.left', pg_temp.n(went)),
			('movement.since', first::text), ('movement.every', CASE WHEN every > 1 THEN every::text END)) x WHERE x.column2 IS NOT NULL
		UNION ALL SELECT x.* FROM moved, LATERAL (VALUES ('movement.' || day || '.from', day::text), ('movement.' || day || '.arrived', pg_temp.n(came)), ('movement.' || day || '.left', pg_temp.n(went)),
			('chart.movement.' || day || '.up', day || CASE WHEN every > 1 THEN ' and ' || every || ' days on' ELSE '' END || ': arrived ' || pg_temp.n(nullif(came, 0))),
			('chart.movement.' || day || '.down', day || CASE WHEN every > 1 THEN ' and ' || every || ' days on' ELSE '' END || ': left ' || pg_temp.n(nullif(went, 0)))) x WHERE x.column2 IS NOT NULL
		UNION ALL SELECT 'fullest.all', pg_temp.n(count(*)) FROM network_ip_usage WHERE usable IS NOT NULL
		UNION ALL SELECT 'fullest.shown', '15' FROM network_ip_usage WHERE usable IS NOT NULL HAVING count(*) > 15
		UNION ALL SELECT x.* FROM emptiest e, LATERAL (SELECT used::float8 / usable * 100, pg_temp.n(greatest(usable - used, 0)) || ' of ' || pg_temp.n(usable) || ' free, ' || counted_by) p (p, t),
			LATERAL (VALUES ('fullest.' || network_id || '.network', pg_temp.label(pg_temp.cut(network_name, 100), network_id::text)), ('fullest.' || network_id || '.range', cidr),
			('fullest.' || network_id || '.used', pg_temp.n(used)), ('fullest.' || network_id || '.usable', pg_temp.n(usable)), ('fullest.' || network_id || '.free', pg_temp.n(usable - used)),
			('fullest.' || network_id || '.counted-by', counted_by), ('fullest.' || network_id || '.use', pg_temp.pc(p)),
			('chart.fullest.' || network_id || '.label', pg_temp.label(pg_temp.cut(network_name, 20), network_id::text)),
			('chart.fullest.' || network_id || '.text', t), ('chart.fullest.' || network_id || '.bar', pg_temp.label(pg_temp.cut(network_name, 20), network_id::text) || ': ' || t)) x
		UNION ALL SELECT x.* FROM (SELECT 'how-full-networks-are', 'in-use', * FROM shares WHERE EXISTS (SELECT FROM shares WHERE n > 0)
			UNION ALL SELECT 'nics-by-state', 'state', * FROM by_state WHERE EXISTS (SELECT FROM by_state WHERE n > 0)) c (c, heading, label, n),
			LATERAL (VALUES ('chart.' || c || '.' || label || '.bar', label || ': ' || pg_temp.n(n)), ('chart.' || c || '.' || label || '.label', label), ('chart.' || c || '.' || label || '.text', pg_temp.n(n)),
			(c || '.' || label || '.' || heading, label), (c || '.' || label || '.how-many', pg_temp.n(n))) x
		UNION ALL SELECT 'usage.outside', pg_temp.n(sum(outside_cidr)) FROM network_ip_usage HAVING sum(outside_cidr) > 0
		UNION ALL SELECT 'networks.all', pg_temp.n(count(*)) FROM networks
		UNION ALL SELECT x.* FROM networks w LEFT JOIN members m USING (network_id) LEFT JOIN network_ip_usage u USING (network_id) LEFT JOIN history h USING (network_id),
			LATERAL (SELECT deallocating AS half FROM network_counts c WHERE c.network_id = w.network_id) d,
			LATERAL (VALUES ('id', network_id::text), ('network', pg_temp.cut(w.network_name, 100)), ('state', w.network_state), ('kind', concat_ws(' ', w.traffic_type, w.guest_type)),
				('active', pg_temp.n(coalesce(active, 0))), ('running', pg_temp.n(coalesce(running, 0))), ('nics', pg_temp.n(coalesce(m.nics, 0))), ('half-removed', pg_temp.n(nullif(half, 0))),
				('-days', pg_temp.signed(h.n[cardinality(h.n)] - h.n[cardinality(h.n) - 7])), ('range', u.cidr), ('used', pg_temp.n(u.used)), ('use', pg_temp.pc(100 * u.used::float8 / u.usable)),
				('account', pg_temp.cut(w.account_name, 100)),
				('spark', 'from ' || h.n[1] || ' to ' || h.n[cardinality(h.n)] || ', at most ' || greatest((SELECT max(m) FROM unnest(h.n) m), 0))) v (c, t),
			LATERAL (VALUES ('networks.' || network_id || '.' || c, t)) x WHERE c <> 'spark' OR h.n IS NOT NULL
		UNION ALL SELECT 'stuck.all', pg_temp.n(count(*)) FROM stuck_nics HAVING count(*) > 0
		UNION ALL SELECT x.* FROM made, nics n, LATERAL (VALUES ('nic', nic_id::text), ('state', nic_state), ('for', pg_temp.age(extract(epoch FROM made.at - state_changed))),
				('network', pg_temp.label(pg_temp.cut(network_name, 100), network_id::text)), ('instance', pg_temp.cut(instance_name, 100))) v (c, t),
			LATERAL (VALUES ('stuck.' || nic_id || '.' || c, t)) x WHERE nic_state IN ('Reserving', 'Releasing') AND state_changed <= made.at - interval '10 minutes'
		UNION ALL SELECT x.* FROM imports i, LATERAL (VALUES ('run', run::text), ('status', status), ('source', source), ('started-utc-', to_char(started AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI')),
				('took', pg_temp.age(extract(epoch FROM finished - started))), ('nics-read', pg_temp.n(nics_read)), ('inserted', pg_temp.n(rows_inserted)), ('updated', pg_temp.n(rows_updated)),
				('deleted', pg_temp.n(rows_deleted)), ('rejected', pg_temp.n(rows_rejected))) v (c, t),
			LATERAL (VALUES ('imports.' || run || '.' || c, t)) x) a (name, text);
};

# Compares a page with its reporting schema; returns what differs, and how many
# texts of it have digits.
sub differences
{
	my ($html, $schema) = @_;
	my ($made) = $html =~ /<time datetime="([^"]+)"/ or die 'no time';
	my $said = JSON::PP->new->decode(Encode::decode('UTF-8', $node->safe_psql('postgres', "SET client_min_messages = error; $formats SET search_path = $schema; " . $all =~ s/:made/$made/gr)));
	my $named = named($html);
	my @differ;
	foreach my $name (sort keys %{ { %$said, %$named } })
	{
		my ($is, $should) = ($named->{$name}, $said->{$name});
		push @differ, "$name: " . ($is // 'is not there') . ', not ' . ($should // 'there') if !defined $is || !defined $should || $is ne $should;
	}
	return (scalar(grep { /\d/ } values %$named), @differ);
}

sub compare
{
	my ($html, $schema, $least, $what) = @_;
	my ($many, @differ) = differences($html, $schema);
	is_deeply(\@differ, [], "$what: every number is that of the database") or diag(join "\n", @differ);
	cmp_ok($many, '>=', $least, "$what: of $many texts with digits");
	is_deeply([ nameless($html) ], [], "$what: every one says what it is") or diag(explain [ nameless($html) ]);
	my ($read, @wrong) = drawn($html);
	is_deeply(\@wrong, [], "$what: $read points and bars are where their values are");
	return;
}

my $load = qx(contrib/load-cloudstack-dump test/data/cloudstack-4.19 cloudstack);
$node->safe_psql('postgres', $load);
$node->safe_psql('postgres', q(CALL vmnet.import_cloudstack('cloudstack', 'cloud'); SELECT vmnet.create_report('cloud')));
my $cloud = page('cloud');
compare($cloud, 'cloud_report', 2000, 'the sample dump');

#
# The checks of this test are seen to fail
#
foreach (
	[ 'a tile', 'tile.active_instances', '203', '204' ],
	[ 'a cell', '(networks\.\d+\.active)', '\d+', '99999' ],
	[ 'a bar', '(chart\.nics-by-state\.Reserved\.text)', '\d+', '1' ],
	[ 'a day', '(members\.2025-03-01\.members)', '\d+', '3' ])
{
	my ($what, $name, $is, $instead) = @$_;
	my $html = $cloud;
	$html =~ s/(data-number="$name"[^>]*>)$is</$1$instead</ or die $name;
	is(scalar(() = (differences($html, 'cloud_report'))), 2, "$what that is wrong is found");
}
is_deeply([ nameless($cloud =~ s{<span data-number="tile.networks">(\d+)</span>}{$1}r) ], ['51'], 'a number that does not say what it is is found');
is_deeply([ nameless($cloud =~ s{<h2>NICs by state}{<h2>12 NICs by state}r) ], ['12 NICs by state'], 'one in a heading, too');
is(scalar(my @moved = drawn($cloud =~ s/(<path d="M[\d.]+ )[\d.]+([^"]*" class="line")/${1}20.0$2/r)) - 1, 1, 'a point of a line at another place is found');

#
# The last import was days ago: nothing is known of the days since
#
$node->safe_psql('postgres', q(UPDATE cloud.import_runs SET started = started - interval '9 days', finished = finished - interval '9 days'));
my $old = page('cloud');
compare($old, 'cloud_report', 2000, 'an import nine days ago');
my $day = $node->safe_psql('postgres', q(SELECT (max(started) AT TIME ZONE 'UTC')::date FROM cloud.import_runs WHERE status = 'done'));
is(named($old)->{'members.last.day'}, $day, 'the line ends on the day of the import');
is(named($old)->{'as_of.age'}, '9 days', 'nine days before the page');
is_deeply([ grep { /^(?:chart\.)?members\.(\d{4}-\d\d-\d\d)/ && $1 gt $day } keys %{ named($old) } ], [], 'and has no later day');

# A mirror into which no import was completed is as of no time.
$node->safe_psql('postgres', q(UPDATE cloud.import_runs SET status = 'failed', message = 'interrupted'));
like(text_of(page('cloud')), qr/read at [\d: -]+ UTC\. It is a mirror into which no import was completed: it is as of no time\./, 'no completed import: said');
$node->safe_psql('postgres', q(DELETE FROM cloud.import_runs));
like(text_of(page('cloud')), qr/read at [\d: -]+ UTC\. It is a mirror into which no import was completed: it is as of no time\./, 'no import at all: said');

#
# A managed inventory with a past, a list of addresses, ranges, and an accepted finding
#
$node->safe_psql('postgres', q{
	SELECT vmnet.create_inventory('shop');
	SELECT vmnet.create_report('shop');
	SET search_path = shop;
	INSERT INTO networks (name, cidr, account_name, created)
		SELECT 'network ' || i, CASE WHEN i < 20 THEN '10.0.0.0/' || 20 + i % 10 END::cidr, 'account ' || i, now() - interval '40 days' FROM generate_series(1, 22) i;
	INSERT INTO all_ip_ranges (network_id, range_start, range_end) VALUES (9, '10.0.0.1', '10.0.0.3'), (1, '10.0.0.1', '10.0.0.120');
	INSERT INTO instances (name, state) SELECT 'instance ' || i, CASE WHEN i % 3 > 0 THEN 'Running' ELSE 'Stopped' END FROM generate_series(1, 60) i;
	INSERT INTO nics (instance_id, network_id, ip4_address, created)
		SELECT i, 1 + i % 22, '10.0.0.1'::inet + i / 22, now() - i * interval '15 hours' FROM generate_series(1, 60) i;
	UPDATE nics SET state = 'Reserving' WHERE id % 4 = 0;
	UPDATE nics SET state = 'Reserved' WHERE id % 4 = 0;
	SELECT vmnet.nic_remove(id, true, 'shop') FROM nics WHERE id IN (5, 10);
	SET session_replication_role = replica;
	UPDATE all_nics SET state = 'Reserving', state_changed = now() - id * interval '10 hours' WHERE id % 17 = 0;
	UPDATE all_nics SET state = 'Deallocating', state_changed = now() - interval '1 hour' WHERE id IN (3, 30);
	RESET session_replication_role;
	SELECT vmnet.accept_finding('stuck_nic', 'nic 17', NULL, 'known', inventory => 'shop');});
compare(page('shop'), 'shop_report', 300, 'a managed inventory');

$node->stop;
done_testing();
