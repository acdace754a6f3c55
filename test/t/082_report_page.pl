# make report: one HTML page about an inventory.  It says what the dump's own
# files say, a real browser shows it by day and by night, nothing in it is asked
# of any network, no name breaks out of it, and it stays small.
#
# pg_regress cannot do it: it needs a browser.
use strict;
use warnings FATAL => 'all';

use lib 'contrib/report';

use Compress::Zlib;
use Encode ();
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $data = 'test/data/cloudstack-4.19';
my $tmp = PostgreSQL::Test::Utils::tempdir;
my $node = PostgreSQL::Test::Cluster->new('report_page');
$node->init;
$node->start;
$node->safe_psql('postgres', 'CREATE ROLE bi LOGIN; CREATE ROLE nobody LOGIN; CREATE EXTENSION vmnet_ext');

# Makes a page as a reader would; gives whether it was made, and what was said.
sub make_report
{
	my ($inventory, $file, %environment) = @_;
	my ($out, $err) = ('', '');
	my %variable = (INVENTORY => Encode::encode('UTF-8', $inventory), PGDATABASE => 'postgres', OUT => $file, %environment);
	local %ENV = (%ENV, PGHOST => $node->host, PGPORT => $node->port, PGUSER => 'bi', %environment);
	# of the make that runs the tests
	delete @ENV{qw(MAKEFLAGS MAKELEVEL MFLAGS PGDATABASE)};
	my $done = IPC::Run::run([ 'make', '-s', 'report', map { "$_=$variable{$_}" =~ s/\$/\$\$/gr } qw(INVENTORY PGDATABASE OUT) ], '>', \$out, '2>', \$err);
	return ($done, $out . $err);
}

# Runs the browser, which is to find no host whatever, in a folder of its own.
my $runs = 0;
sub browse
{
	my ($file, @options) = @_;
	my $home = "$tmp/browser" . ++$runs;
	my ($out, $err) = ('', '');
	mkdir $home or die "$home: $!";
	local $ENV{HOME} = $home;
	IPC::Run::run([ 'chromium', '--headless', '--no-sandbox', '--disable-gpu', '--disable-dev-shm-usage', '--hide-scrollbars', '--no-first-run',
			"--user-data-dir=$home/profile", '--host-resolver-rules=MAP * ~NOTFOUND', '--window-size=1100,3600', @options, "file://$file" ],
		'>', \$out, '2>', \$err) or die "chromium failed: $err";
	return Encode::decode('UTF-8', $out);
}

sub dom { return browse($_[0], '--dump-dom'); }

# How many pixels of a screenshot have which colour.
sub colours
{
	my ($file, @options) = @_;
	my $png = "$tmp/shot.png";
	unlink $png;
	browse($file, "--screenshot=$png", @options);
	my $bytes = slurp_file($png);
	my ($at, $width, $height, $type, $packed) = (8, 0, 0, 0, '');
	while ($at < length $bytes)
	{
		my ($length, $chunk) = unpack('N a4', substr($bytes, $at, 8));
		($width, $height, undef, $type) = unpack('N N C C', substr($bytes, $at + 8, 10)) if $chunk eq 'IHDR';
		$packed .= substr($bytes, $at + 8, $length) if $chunk eq 'IDAT';
		$at += $length + 12;
	}
	my $each = { 2 => 3, 6 => 4 }->{$type} or die "a PNG of type $type";
	my $rows = uncompress($packed) // die 'this is no PNG';
	my @before = (0) x ($width * $each);
	my %count;
	foreach my $y (0 .. $height - 1)
	{
		my ($filter, @row) = unpack('C*', substr($rows, $y * ($width * $each + 1), $width * $each + 1));
		foreach my $i ($filter ? 0 .. $#row : ())
		{
			my ($left, $up, $corner) = ($i < $each ? 0 : $row[ $i - $each ], $before[$i], $i < $each ? 0 : $before[ $i - $each ]);
			my ($p, $q, $r) = (abs($up - $corner), abs($left - $corner), abs($left + $up - 2 * $corner));
			$row[$i] = ($row[$i] + ($filter == 1 ? $left : $filter == 2 ? $up : $filter == 3 ? ($left + $up) >> 1
					: $p <= $q && $p <= $r ? $left : $q <= $r ? $up : $corner)) & 255;
		}
		for (my $i = 0; $i < @row; $i += $each) { $count{ sprintf '#%02x%02x%02x', @row[ $i .. $i + 2 ] }++; }
		@before = @row;
	}
	return \%count;
}

sub sql { return $node->safe_psql('postgres', "SET TimeZone = 'UTC'; $_[0]"); }
sub thousands { my ($n) = @_; 1 while $n =~ s/^(\d+)(\d{3})/$1,$2/; return $n; }

# What the page's text is: tags away, entities back.
sub text_of
{
	my ($html) = @_;
	my %entity = (amp => '&', lt => '<', gt => '>', quot => '"', nbsp => "\x{a0}");
	$html =~ s{<script>.*?</script>}{}gs;
	$html =~ s/<[^>]*>//g;
	$html =~ s/&(\w+);/$entity{$1} \/\/ die "&$1;"/ge;
	return $html;
}

# Rows of the table of this caption, as a list of cells each.
sub rows_of
{
	my ($dom, $caption) = @_;
	my ($body) = $dom =~ m{<caption>\Q$caption\E</caption>.*?<tbody>(.*?)</tbody>}s or return;
	return map { [ map { text_of($_) } m{<td[^>]*>(.*?)</td>}gs ] } $body =~ m{<tr>(.*?)</tr>}gs;
}

#
# The sample dump
#
my $load = qx(contrib/load-cloudstack-dump $data cloudstack);
$node->safe_psql('postgres', $load);
$node->safe_psql('postgres', q(CALL vmnet.import_cloudstack('cloudstack', 'cloud'); SELECT vmnet.create_report('cloud'); SELECT vmnet.grant_access('cloud', 'bi', 'reader')));

my $page = "$tmp/report.html";
my ($done, $said) = make_report('cloud_report', $page, DAYS => 3660);
ok($done, 'the page is made by a reader') or diag($said);
is($said, "$page: the report on cloud_report\n", 'and says so');
my $html = slurp_file($page);
my $dom = dom($page);

my $as_of = sql(q(SELECT to_char(as_of AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI') FROM vmnet.inventories WHERE name = 'cloud'));
like(text_of($html =~ s/&#39;/'/gr), qr/as of \Q$as_of\E UTC, when the last completed import began, [\d.]+ (?:s|min) before this page was made at/, 'it says what time the mirror is as of');

# Its bytes ask for nothing.
unlike($html, qr/<(link|img|iframe|object|embed|base|use|image|foreignObject)\b/i, 'nothing is loaded');
unlike($html =~ s/<a href="#[a-z-]+">/<a>/gr =~ s{<script>.*?</script>}{}sr, qr/\b(src|href|srcset|action|style|on\w+)\s*=/i, 'no attribute leads anywhere or runs anything');
unlike($html =~ s/<meta http-equiv=//r, qr{https?:|\burl\(|\@import|//\w|http}i, 'there is no address in it');
like($html, qr/Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'; script-src 'sha256-[\w+\/]+='"/, 'and the browser is told to load nothing');

my %tile = map { text_of($_) =~ /^(.*?)\n(.*?)\n(.*)$/s ? ($1 => "$2 $3") : () }
  map { s{</dt><dd>}{\n}r =~ s{<small>}{\n}r } $dom =~ m{<div class="tile[^>]*>(.*?)</div>}gs;
sub file_rows
{
	my ($file) = @_;
	open(my $fh, '<', "$data/expected/$file.tsv") or die "$file: $!";
	my ($header, @lines) = map { chomp; [ split /\t/, $_, -1 ] } <$fh>;
	return map { my %row; @row{@$header} = @$_; \%row } @lines;
}
my @counts = file_rows('network_counts');
my @members = file_rows('network_active_instances');
my %fault;
$fault{ $_->{code} }++ foreach file_rows('faults');
# of instances whose half-removed NICs are listed
$fault{expunge_unfinished} = 2;
sub total { my ($column) = @_; my $n = 0; $n += $_->{$column} foreach @counts; return $n; }
my %instances = map { $_->{instance_id} => 1 } @members;

is_deeply(\%tile, {
		'Networks' => @counts . ' ' . grep({ $_->{active_instances} } @counts) . ' in use',
		'Active instances' => keys(%instances) . ' ' . sql("SELECT count(*) FROM cloudstack.vm_instance WHERE state = 'Running' AND id::int IN (" . join(',', keys %instances) . ')') . ' running',
		'Attached NICs' => total('attached_nics') . ' of live instances',
		'IPv4 in use' => sql(q(SELECT round(100 * sum(used) / sum(usable), 1) FROM cloud_report.network_ip_usage)) . ' % '
		  . join(' of ', map { thousands($_) } split /\|/, sql('SELECT sum(used), sum(usable) FROM cloud_report.network_ip_usage')),
		'Stuck NICs' => "$fault{stuck_nic} $fault{half_removed_nic} half-removed",
		'Errors found' => join(' ', split /\|/, sql("SELECT count(*) FILTER (WHERE severity = 'error'), count(*) FILTER (WHERE severity = 'warning') FROM vmnet.check_inventory('cloud')")) . ' warnings' },
	'the tiles say what the files and the database say');

is_deeply([ map { "$_->[0] $_->[4] $_->[5] $_->[8]" } rows_of($dom, 'Networks') ],
	[ map { "$_->{network_id} $_->{active_instances} $_->{running_instances} $_->{attached_nics}" }
		  sort { $b->{active_instances} <=> $a->{active_instances} || $a->{network_id} <=> $b->{network_id} } @counts ], 'every network is there, as counted in the files');
is_deeply({ map { $_->[0] =~ s/, .*//r => $_->[1] } rows_of($dom, 'Findings by code') }, \%fault, 'findings by code');
# Rows of the tables of all codes, in the order of the page.
my @codes = $dom =~ m{<caption>Findings: (\w+)</caption>}g;
is_deeply([ map { map { "$_->[0]|$_->[1]" } rows_of($dom, "Findings: $_") } @codes ],
	[ split /\n/, sql('SELECT message, fix FROM (SELECT *, count(*) OVER (PARTITION BY code) AS many FROM cloud_report.findings WHERE NOT accepted) f
		ORDER BY severity_order, many DESC, code, object_id') ],
	'what was found, and how it is mended, whole');
my %means = $dom =~ m{<h3>.*?<code>(\w+)</code>.*?</h3><p>(.*?)</p>}g;
is_deeply({ map { $_ => text_of($means{$_}) } keys %means },
	{ map { my ($code, $about) = split /\|/, $_, 2; $code => ucfirst($about =~ s/; remedy: .*//r =~ s/\bmin_age\b/10 minutes/r) } split /\n/, sql('SELECT code, about FROM vmnet.check_codes() WHERE code IN (SELECT code FROM cloud_report.findings WHERE NOT accepted)') },
	'what each code means, from the list of checks');
my @anchors = $dom =~ /<a href="#([a-z-]+)">/g;
is_deeply([ grep { my $id = $_; 1 != (() = $dom =~ / id="$id"/g) } @anchors ], [], 'contents lead to parts of the page');
is(scalar @anchors, 10, 'to all of them');
like($dom, qr/<th scope="col"[^>]* tabindex="0"/, 'the script of the page runs');
{
	require Page;
	my %long = (severity => 'error', code => 'c', message => 'what ' . 'm' x 1000, fix => 'UPDATE ' . 'f' x 1000 . ';');
	my ($row) = rows_of(Page::findings({ findings => { codes => [ { severity => 'error', code => 'c', findings => 1, fixed => 1 } ], first => [ \%long ], accepted => 0 } }), 'Findings: c');
	is_deeply($row, [ @long{qw(message fix)} ], 'a long statement is not cut');
}
is_deeply([ map { join ' ', @$_ } rows_of($dom, 'NICs by state') ],
	[ (map { ucfirst($_) . ' ' . total($_) } qw(allocated reserving reserved releasing deallocating)), 'any other ' . total('other') ], 'NICs by state');
is_deeply([ map { $_->[0] } rows_of($dom, 'Stuck NICs') ],
	[ split /\n/, sql("SELECT id FROM cloudstack.nics WHERE removed IS NULL AND state IN ('Reserving', 'Releasing') ORDER BY update_time::timestamp, id::int") ], 'stuck NICs')
  or diag(sql("SELECT id, update_time FROM cloudstack.nics WHERE removed IS NULL AND state IN ('Reserving', 'Releasing')"));
my @days = rows_of($dom, 'Members by day');
is($days[0][1], scalar @members, 'members today');
is_deeply([ map { "$_->[0]|" . ($_->[1] =~ s/,//gr) } @days ],
	[ split /\n/, sql(q(SELECT "time"::date, sum(active_instances) FROM cloud_report.networks_daily WHERE "time" >= now() - interval '3660 days' GROUP BY 1 ORDER BY 1 DESC)) ], 'and on every day');
is((rows_of($dom, 'Fullest networks'))[0][0], sql(q(SELECT network_name || ' (' || network_id || ')' FROM cloud_report.network_ip_usage ORDER BY free NULLS LAST, percent DESC, network_id LIMIT 1)), 'the network that can give the fewest addresses');
my ($figures, $named) = (scalar(() = $dom =~ /<figure/g), scalar(() = $dom =~ m{<svg viewBox="[^"]*" role="img" aria-labelledby="chart\d+-t chart\d+-d"><title id="chart\d+-t">[^<]+</title><desc}g));
is($figures, 6, 'there are six charts');
is($named, $figures, 'each with a title and a description');
is(scalar(() = $dom =~ /<figure.*?<details>.*?<table>.*?<\/figure>/gs), $figures, 'and with a table beside it');

# What is seen.
my $light = colours($page);
cmp_ok(scalar keys %$light, '>', 50, 'the screenshot has colours');
cmp_ok($light->{'#2a66b8'} // 0, '>', 2000, 'charts are drawn');
cmp_ok($light->{'#b4572a'} // 0, '>', 500, 'and bars in their second colour');
cmp_ok($light->{'#ffffff'} // 0, '>', 300000, 'on white');
my $dark = colours($page, '--force-dark-mode');
cmp_ok($dark->{'#6ea6ee'} // 0, '>', 2000, 'charts are drawn by night');
is($dark->{'#ffffff'} // 0, 0, 'without any white');

#
# Names that mean harm, in an inventory and a schema of such names
#
my @names = ('<script>document.title = "owned"</script>', '"><img src=x onerror=alert(1)>', "it's & &amp; &lt;b&gt;", "\x{202e}evil\x{202c} \x{1f4a3} \x{e9}\x{301} \x{5e9}\x{5dc}",
	"line\nbreak\ttab \x01 \x7f", "</title></svg></style></table><h1>out</h1>", '', 'w' x 5000, '{{x}} ${x} %s $1 \\0');
my $schema = q(<i>"it's"; & $x);
sub literal { my ($t) = @_; $t =~ s/'/''/g; return Encode::encode('UTF-8', "'$t'"); }
my ($inventory, $report, $list) = (literal('<b> "x"'), literal($schema), join(',', map { literal($_) } @names));
$node->safe_psql('postgres', qq{
	SELECT vmnet.create_inventory($inventory);
	SELECT vmnet.create_report($inventory, $report);
	SELECT vmnet.grant_access($inventory, 'bi', 'reader');
	SET search_path = "<b> ""x""";
	INSERT INTO networks (name, cidr, account_name) SELECT n, '10.0.0.0/29', n FROM unnest(ARRAY[$list]) n;
	INSERT INTO instances (name) SELECT n FROM unnest(ARRAY[$list]) n;
	INSERT INTO nics (instance_id, network_id, ip4_address) SELECT i, i, '10.0.0.2' FROM generate_series(1, 9) i;
	SET session_replication_role = replica;
	UPDATE all_nics SET state = 'Reserving', state_changed = now() - interval '3 days';});
my $hostile = "$tmp/hostile's <page>.html";
($done, $said) = make_report($schema, $hostile);
ok($done, 'a page with hostile names is made') or diag($said);
my $hostile_dom = dom($hostile =~ s/ /%20/gr =~ s/</%3C/gr =~ s/>/%3E/gr);
my %element = map { lc $_ => 1 } $hostile_dom =~ /<([a-zA-Z][^\s>\/]*)/g;
my %known = map { $_ => 1 } qw(html head meta title style body header h1 p bdi main dl div dt dd small figure figcaption h2 svg desc path rect line circle text g polyline
  a nav ul li h3 input script details summary table caption thead tbody tr th td section span time footer code);
is_deeply([ grep { !$known{$_} } sort keys %element ], [], 'no name becomes an element');
my ($title) = $hostile_dom =~ m{<title>(.*?)</title>};
is(text_of($title), "Inventory report: $schema", 'the title is the name of the schema');
my @shown = map { $_->[1] } rows_of($hostile_dom, 'Networks');
my @expected = map { my $n = $_; $n =~ s/[\x01\x7f]/\x{fffd}/g; length $n > 100 ? substr($n, 0, 99) . "\x{2026}" : $n } @names;
is_deeply(\@shown, \@expected, 'every name is shown as it is');
is(scalar(rows_of($hostile_dom, 'Stuck NICs')), 9, 'stuck NICs of such instances too');

#
# Tables that exist already, with ids that are texts and without times: what the
# report lacks, the page does without
#
$node->safe_psql('postgres', q{
	CREATE TABLE subnets (id text PRIMARY KEY, name text);
	CREATE TABLE ports (id text PRIMARY KEY, subnet_id text, server_id text);
	INSERT INTO subnets VALUES ('<a>', 'one'), ('b', 'two');
	INSERT INTO ports VALUES ('p', '<a>', 's'), ('q', '<a>', 't'), ('r', 'b', 's');
	SET client_min_messages = error;
	SELECT count(*) FROM vmnet.attach_inventory('mine', 'ports', 'subnets', NULL,
		'{"nics": {"network_id": "subnet_id", "instance_id": "server_id"}}', mode => 'read_only');
	SELECT vmnet.create_report('mine'); SELECT vmnet.grant_access('mine', 'bi', 'reader')});
($done, $said) = make_report('mine', "$tmp/mine.html");
ok($done, 'a page about tables that exist already is made') or diag($said);
is_deeply([ map { "$_->[0] $_->[1] $_->[4]" } rows_of(dom("$tmp/mine.html"), 'Networks') ], [ '<a> one 2', 'b two 1' ], 'and shows their networks');
is(sql("SELECT to_regclass('mine_report.networks_daily') IS NULL"), 't', 'without the views that would need times');

#
# Nothing, and much
#
$node->safe_psql('postgres', q(SELECT vmnet.create_inventory('none'); SELECT vmnet.create_report('none'); SELECT vmnet.grant_access('none', 'bi', 'reader')));
($done, $said) = make_report('none', "$tmp/none.html");
ok($done, 'a page about nothing is made, by the name of the inventory') or diag($said);
my $none = dom("$tmp/none.html");
is(scalar(() = $none =~ /Nothing to show\./g), 6, 'no chart has anything to show');
like(text_of($none), qr{Networks00 in use}, 'there are no networks');
like($none, qr/Nothing was found/, 'and nothing is wrong');

$node->safe_psql('postgres', q(SELECT vmnet.create_inventory('many'); SELECT vmnet.create_report('many'); SELECT vmnet.grant_access('many', 'bi', 'reader');
	INSERT INTO many.networks (name, cidr, created) SELECT 'a network of some length, number ' || i, '10.0.0.0/28', now() - interval '40 days' FROM generate_series(1, 10000) i;
	INSERT INTO many.instances (name) SELECT 'i' || i FROM generate_series(1, 12000) i;
	INSERT INTO many.nics (instance_id, network_id, ip4_address, created)
		SELECT i, 1 + i % 10000, '10.0.0.1'::inet + i / 10000, now() - interval '1 day' * (i % 40) FROM generate_series(1, 12000) i;
	SET session_replication_role = replica;
	UPDATE many.all_nics SET state = 'Deallocating', state_changed = now() - interval '1 day' WHERE id % 4 = 0;));
($done, $said) = make_report('many_report', "$tmp/many.html");
ok($done, 'a page about 10,000 networks is made') or diag($said);
cmp_ok(-s "$tmp/many.html", '<', 1_000_000, 'it stays below 1 MB');
my $many = dom("$tmp/many.html");
is(scalar(rows_of($many, 'Networks')), 100, 'it shows 100 networks');
like(text_of($many), qr/The first 100 of 10,000 networks, those with the most active instances first; set TOP to see more\./, 'and says so');
like(text_of($many), qr/The first 100 of 3,000 findings, errors first; set TOP to see more\./, 'of findings too');
like(text_of($many), qr/The first 15 of 10,000 networks with a range, the fewest free addresses first\./, 'of the fullest too');
($done, $said) = make_report('many_report', "$tmp/few.html", TOP => 7);
is(scalar(rows_of(Encode::decode('UTF-8', slurp_file("$tmp/few.html")), 'Networks')), 7, 'or as many as it is told to');

#
# What goes wrong is said in a line or two, and leaves the file as it was
#
sub fails
{
	my ($inventory, $file, $environment, $like, $what) = @_;
	my ($done, $said) = make_report($inventory, $file, %$environment);
	ok(!$done, "$what: make fails");
	like($said, qr/^report: $like\nmake: \*\*\* [^\n]*\n\z/, "$what: says what is wrong");
	return;
}
append_to_file("$tmp/old.html", 'old');
fails('nowhere', "$tmp/old.html", {}, qr/there is no reporting schema "nowhere" in database "postgres", nor one of an inventory of that name\.\nThere is: .*cloud_report.*\./, 'no such schema');
fails('cloud_report', "$tmp/old.html", { PGDATABASE => 'template1' }, qr/there is no reporting schema "cloud_report" in database "template1".*\nMake one: SELECT vmnet\.create_report\(inventory\);/, 'no inventory at all');
fails('cloud_report', "$tmp/old.html", { PGUSER => 'nobody' }, qr/this role may not read the reporting schema "cloud_report" of database "postgres"\.\nIts owner can let it: .*/, 'no reader');
fails('cloud_report', "$tmp/old.html", { PGDATABASE => 'nope' }, qr/connection to server .* failed: FATAL: +database "nope" does not exist/, 'no such database');
fails('cloud_report', "$tmp/old.html", { PGHOST => "$tmp/nowhere" }, qr/connection to server .* failed: No such file or directory\n.*\?/, 'no server');
fails('cloud_report', "$tmp/none/x.html", {}, qr/cannot write .*x\.html: No such file or directory/, 'no such folder');
fails('cloud_report', "$tmp/old.html", { TOP => 'x' }, qr/TOP is a number from 1 to 1000, not "x"/, 'no number');
is(slurp_file("$tmp/old.html"), 'old', 'the file is as it was');
is_deeply([ glob "$tmp/*.part.*" ], [], 'and no part is left');

$node->stop;
done_testing();
