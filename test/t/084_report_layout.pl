# The layout of the page of make report, measured in a browser by test/check-page:
# by day, by night, on paper and on a phone, of the sample dump and of a managed
# inventory with a past and with names that mean harm.  The measures are seen to fail.
#
# pg_regress cannot do it: it needs a browser.
use strict;
use warnings FATAL => 'all';

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $tmp = PostgreSQL::Test::Utils::tempdir;
my $node = PostgreSQL::Test::Cluster->new('report_layout');
$node->init;
$node->start;
my $load = qx(contrib/load-cloudstack-dump test/data/cloudstack-4.19 cloudstack);
$node->safe_psql('postgres', 'CREATE EXTENSION vmnet_ext');
$node->safe_psql('postgres', $load);
$node->safe_psql('postgres', q(CALL vmnet.import_cloudstack('cloudstack', 'cloud'); SELECT vmnet.create_report('cloud')));

sub page
{
	my ($inventory) = @_;
	local %ENV = (%ENV, PGHOST => $node->host, PGPORT => $node->port, PGDATABASE => 'postgres', DAYS => 3660);
	my ($out, $err) = ('', '');
	IPC::Run::run([ 'contrib/report/report', $inventory, "$tmp/$inventory.html" ], '>', \$out, '2>', \$err) or die $err;
	return slurp_file("$tmp/$inventory.html");
}

# Measures a page; returns whether it is as it should be, and what was said.
sub measure
{
	my ($html) = @_;
	my ($out, $err) = ('', '');
	unlink "$tmp/measured.html";
	append_to_file("$tmp/measured.html", $html);
	my $good = IPC::Run::run([ 'test/check-page', "$tmp/measured.html" ], '>', \$out, '2>', \$err);
	return ($good, $out . $err);
}

# Prints a page, and returns how many sheets it takes, and words that are outside of
# their margins, or in a row or chart of which a part is on another sheet.  Each row
# and each figure has marks of its own for that, at its beginning and its end.
sub printed
{
	my ($html) = @_;
	my ($marks, $pages, %sheet, @off) = (0, 0);
	my $mark = sub { return sprintf '<i style="position: absolute; font-size: 2px">%s%04d</i>', $_[0], $_[1]; };
	$html =~ s{(<td[^>]*>)(.*?)(</td>)}{++$marks; $1 . $mark->('QB', $marks) . $2 . $mark->('QE', $marks) . $3}ges;
	$html =~ s{(<figcaption>)(.*?)(<details>|</figure>)}{++$marks; $1 . $mark->('QB', $marks) . $2 . $mark->('QE', $marks) . $3}ges;
	unlink "$tmp/print.html";
	append_to_file("$tmp/print.html", $html);
	local $ENV{HOME} = $tmp;
	my ($out, $err) = ('', '');
	IPC::Run::run([ 'chromium', '--headless', '--no-sandbox', '--disable-gpu', '--disable-dev-shm-usage', '--no-first-run', "--user-data-dir=$tmp/profile",
			'--host-resolver-rules=MAP * ~NOTFOUND', '--no-pdf-header-footer', "--print-to-pdf=$tmp/print.pdf", "file://$tmp/print.html" ], '>', \$out, '2>', \$err) or die $err;
	IPC::Run::run([ 'pdftotext', '-bbox', "$tmp/print.pdf", "$tmp/print.bbox" ]) or die 'pdftotext';
	my ($width, $height);
	foreach (split /\n/, slurp_file("$tmp/print.bbox"))
	{
		if (/<page width="([\d.]+)" height="([\d.]+)"/) { ($width, $height) = ($1, $2); $pages++; }
		next if !/xMin="([\d.]+)" yMin="([\d.]+)" xMax="([\d.]+)" yMax="([\d.]+)">(.*?)</;
		my @box = ($1, $2, $3, $4, $5);
		push @{ $sheet{$1} }, $pages while $box[4] =~ /Q[BE](\d{4})/g;
		# 10 mm
		push @off, "sheet $pages: $box[4]" if $box[0] < 27.8 || $box[1] < 26 || $box[2] > $width - 27.8 || $box[3] > $height - 26;
	}
	push @off, map { "on sheets @{ $sheet{$_} }: $_" } grep { $sheet{$_}[0] != $sheet{$_}[-1] } sort keys %sheet;
	return ($pages, @off);
}

my $cloud = page('cloud');
my ($good, $said) = measure($cloud);
ok($good, 'the page of the sample dump') or diag($said);
like($said, qr/^light: \d{4,} texts.*^dark: \d{4,} texts, dark yes.*^print: \d{3,} texts.*^phone: \d{4,} texts/ms, 'is measured in four forms');

$node->safe_psql('postgres', q{
	SELECT vmnet.create_inventory('shop');
	SELECT vmnet.create_report('shop');
	SET search_path = shop;
	INSERT INTO networks (name, cidr, account_name, created)
		SELECT n, '10.0.0.0/29', n, now() - interval '30 days'
		FROM unnest(ARRAY['<script>document.title = "owned"</script>', '"><img src=x onerror=alert(1)>', '</title></svg></style></table><h1>out</h1>',
			repeat('w', 5000), U&'\202eevil\202c', 'a name of several words']) n;
	INSERT INTO instances (name) SELECT name FROM networks;
	INSERT INTO nics (instance_id, network_id, ip4_address, created) SELECT i, i, '10.0.0.2', now() - i * interval '4 days' FROM generate_series(1, 6) i;
	SET session_replication_role = replica;
	UPDATE all_nics SET state = 'Reserving', state_changed = now() - interval '3 days' WHERE id > 3});
my $shop = page('shop');
like($shop =~ s/<[^>]*>//gr, qr/Over the last 7 days: \+1\./, 'the change over 7 days');
($good, $said) = measure($shop);
ok($good, 'the page of an inventory with a past and hostile names') or diag($said);

# What a printer gets: sheets of A4 on their side, with nothing outside of the margins,
# no chart on two of them, and no row of a table.
SKIP:
{
	skip 'pdftotext is not installed', 4 if system('pdftotext -v >/dev/null 2>&1') != 0;
	my ($pages, @off) = printed($cloud);
	cmp_ok($pages, '>', 10, 'printed, it has pages');
	is_deeply(\@off, [], 'with nothing outside of the margins, or cut');
	($pages, @off) = printed($cloud =~ s{</style>}{\@media print { figure svg { width: 1400px !important; } }\n</style>}r);
	isnt(scalar @off, 0, 'what is off the paper is found');
	($pages, @off) = printed($cloud =~ s/figure, \.tile, tr \{ break-inside: avoid; \}//r);
	isnt(scalar @off, 0, 'and what is cut');
}

# What is broken is found.
foreach (
	[ 'small text', 'h2 { font-size: 9px; }', qr/^  below 11 px: "What is wrong" 9\.0$/m ],
	[ 'low contrast', ':root { --soft: #999999; }', qr/^  contrast: /m ],
	[ 'a wide column', 'td { white-space: nowrap; }', qr/^print: .*\n(?:  .*\n)*?  off: /m ],
	[ 'texts over others', '.tile dt { margin-bottom: -30px; }', qr/^  over: "51" "Networks"/m ],
	[ 'clipped text', 'h1 { width: 90px; white-space: nowrap; overflow: hidden; }', qr/^  clipped: "Inventory report/m ])
{
	my ($what, $rule, $like) = @$_;
	($good, $said) = measure($cloud =~ s{</style>}{$rule\n</style>}r);
	ok(!$good, "$what: found");
	like($said, $like, "$what: and said");
}

$node->stop;
done_testing();
