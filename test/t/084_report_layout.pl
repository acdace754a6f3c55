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
like($shop, qr/Over the last 7 days: \+1\./, 'the change over 7 days');
($good, $said) = measure($shop);
ok($good, 'the page of an inventory with a past and hostile names') or diag($said);

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
