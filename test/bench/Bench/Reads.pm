# Listings, pages and counts of one network.
package Bench::Reads;
use strict;
use warnings;
use Bench::Common qw(%size thousands one_line);

my $of_nic = 'instance_id, id, state, device_id, default_nic, mac_address, ip4_address, ip6_address';
my $joined = 'JOIN {inventory}.all_instances i ON i.id = n.instance_id AND i.removed IS NULL';
my $network_lives = 'EXISTS (SELECT FROM {inventory}.all_networks w WHERE w.id = $1 AND w.removed IS NULL)';

# The columns of vmnet.network_active_instances().
sub columns
{
	my ($nic_count, $nic) = @_;

	return "n.instance_id, i.uuid, i.name, i.type, i.state, $nic_count, " . join ', ',
		map { "$nic.$_" } qw(id state device_id default_nic mac_address ip4_address ip6_address);
}

my $all_columns = 'instance_id, instance_uuid, instance_name, instance_type, instance_state,'
	. ' nic_count, nic_id, nic_state, device_id, default_nic, mac_address, ip4_address, ip6_address';

# $1 is the network, $2 the instance a page comes after.  hand: right where an
# instance has one NIC on a network, which is what the unique index of a managed
# inventory keeps for User VMs; right: whatever the inventory holds.
my %listing = (
	hand => 'SELECT ' . columns('1::bigint', 'n') . " FROM {inventory}.all_nics n $joined
		WHERE n.network_id = \$1 AND n.active ORDER BY n.instance_id",
	right => 'SELECT ' . columns('n.nic_count', 'n') . " FROM (
		SELECT DISTINCT ON (instance_id) $of_nic, count(*) OVER (PARTITION BY instance_id) AS nic_count
		FROM {inventory}.all_nics WHERE network_id = \$1 AND active ORDER BY instance_id, device_id, id) n
		$joined WHERE $network_lives ORDER BY n.instance_id",
	ours => "SELECT $all_columns FROM vmnet.network_active_instances(\$1, inventory => '{inventory}')",
	view => "SELECT $all_columns FROM {inventory}.network_instances WHERE network_id = \$1 ORDER BY instance_id",
);
my %page = (
	hand => 'SELECT ' . columns('1::bigint', 'n') . " FROM {inventory}.all_nics n $joined
		WHERE n.network_id = \$1 AND n.instance_id > \$2 AND n.active ORDER BY n.instance_id LIMIT 50",
	right => 'SELECT ' . columns('n.nic_count', 'b') . " FROM (
		SELECT instance_id, count(*) AS nic_count FROM {inventory}.all_nics
		WHERE network_id = \$1 AND active AND instance_id > \$2 GROUP BY instance_id) n
		$joined CROSS JOIN LATERAL (
			SELECT $of_nic FROM {inventory}.all_nics WHERE network_id = \$1 AND active AND instance_id = n.instance_id
			ORDER BY device_id, id LIMIT 1) b
		WHERE $network_lives ORDER BY n.instance_id LIMIT 50",
	ours => "SELECT $all_columns FROM vmnet.network_active_instances(\$1, \$2, 50, '{inventory}')",
);
my %count = (
	hand => "SELECT count(*) FROM {inventory}.all_nics n $joined WHERE n.network_id = \$1 AND n.active",
	right => "SELECT count(DISTINCT n.instance_id) FROM {inventory}.all_nics n
		$joined WHERE n.network_id = \$1 AND n.active AND $network_lives",
	unjoined => 'SELECT count(*) FROM {inventory}.all_nics n WHERE n.network_id = $1 AND n.active',
	ours => "SELECT vmnet.network_active_instance_count(\$1, '{inventory}')",
);

# The same of CloudStack: the conditions of the listing of 4.19.2, the columns of ours.
my $cloudstack = 'FROM vm_instance v INNER JOIN {nics} n ON n.instance_id = v.id
	WHERE v.removed IS NULL AND n.removed IS NULL AND n.network_id = $1';
my $cloudstack_columns = 'SELECT v.id, v.uuid, v.name, v.type, v.state, 1, n.id AS nic_id, n.state AS nic_state, n.device_id,
	n.default_nic, n.mac_address, n.ip4_address, n.ip6_address';
$listing{cloudstack} = "$cloudstack_columns $cloudstack ORDER BY v.id";
$page{cloudstack} = "$cloudstack_columns $cloudstack AND v.id > \$2 ORDER BY v.id LIMIT 50";
$count{cloudstack} = "SELECT COUNT(DISTINCT v.id) $cloudstack";

my %title = (
	hand => 'by hand: plain join',
	right => 'by hand: one row for each instance, live network',
	unjoined => 'by hand, no join: right while no removed instance has a live NIC',
	ours => 'vmnet_ext: function',
	view => 'vmnet_ext: view network_instances');

# Ways to run a query, each of which is compared with the plain join run in that way.
my @ways = (
	{ key => 'generic', mode => 'generic', rpc => 4, title => 'prepared, generic plan' },
	{ key => 'auto', mode => 'auto', rpc => 4, title => 'prepared, plan_cache_mode = auto' },
	{ key => 'ssd', mode => 'generic', rpc => 1.1, title => 'prepared, generic plan, random_page_cost = 1.1' },
	{ key => 'text', mode => 'text', rpc => 4, title => 'not prepared, as text' });

sub variant
{
	my ($queries, $query, $way, $set, $server) = @_;

	return { key => "$query $way->{key} $set $server", name => ($title{$query} // '') . ", $way->{title}", server => $server,
		mode => $way->{mode}, rpc => $way->{rpc}, set => $set,
		sql => one_line($queries->{$query} =~ s/\{inventory\}/bench_$set/gr) };
}

sub mariadb_variant
{
	my ($queries, $nics, $title) = @_;

	return { key => $nics, name => "MariaDB, $title", server => 'mariadb', mode => 'generic', rpc => 4,
		sql => one_line($queries->{cloudstack} =~ s/\{nics\}/$nics/r) };
}

# The tables of a case: title, what it is compared with, and pairs of variants.
sub tables
{
	my ($queries) = @_;
	my $pair = sub { my ($query, $way, $set, $server, $base) = @_; return [ "$query $way $set $server", $base ] };
	my (@hand, @before, @growth);

	for my $way (map { $_->{key} } @ways)
	{
		push @hand, map { $pair->($_, $way, 1, 'now', "hand $way 1 now") }
			grep { $queries->{$_} } qw(hand right unjoined ours view);
		push @before, map { my $query = $_; map { $pair->($query, $way, 1, $_, "$query $way 1 before") } qw(before now) }
			grep { $queries->{$_} } qw(ours view);
	}
	for my $query (qw(hand ours))
	{
		push @growth, map { $pair->($query, 'generic', $_, 'now', "$query generic 0 now") } split / /, $ENV{BENCH_SETS};
	}
	return ([ 'by hand', 'by hand', @hand ], [ 'before', 'before', @before ],
		[ 'no removed rows', 'no removed rows', @growth ],
		[ 'MariaDB', 'MariaDB with CloudStack\'s indexes',
			map { [ $_, 'nics' ] } 'nics', 'nics_indexed', 'ours generic 1 now' ]);
}

sub read_case
{
	my ($name, $queries, %case) = @_;
	my @variants;

	for my $way (@ways)
	{
		push @variants, map { variant($queries, $_, $way, 1, 'now') } grep { $queries->{$_} } qw(hand right unjoined ours view);
		push @variants, map { variant($queries, $_, $way, 1, 'before') } grep { $queries->{$_} } qw(ours view)
			if $ENV{BENCH_BEFORE_HOST};
	}
	for my $set (grep { $_ != 1 } split / /, $ENV{BENCH_SETS})
	{
		push @variants, map { variant($queries, $_, $ways[0], $set, 'now') } qw(hand ours);
	}
	push @variants, mariadb_variant($queries, 'nics', 'CloudStack\'s indexes'),
		mariadb_variant($queries, 'nics_indexed', 'and an index on (network_id, removed, state, instance_id)');
	return { kind => 'read', section => 'Reads', name => $name, variants => \@variants, tables => [ tables($queries) ], %case };
}

sub small_network { my ($n) = @_; return $size{large} + 1 + $n * 97 % $size{small} }
sub large_network { my ($n) = @_; return 1 + $n % $size{large} }

sub cases
{
	my $large = thousands($size{network});

	return (
		read_case('Listing of 130', \%listing, arguments => \&small_network),
		read_case("Listing of $large", \%listing, large => 1, arguments => \&large_network),
		read_case("First page of 50 of $large", \%page, arguments => sub { (large_network($_[0]), 0) }),
		read_case("Page of 50 in the middle of $large", \%page,
			arguments => sub { (large_network($_[0]), int($size{instances} / 2) + $_[0] * 37 % 1000) }),
		read_case('Count of 130', \%count, arguments => \&small_network),
		read_case("Count of $large", \%count, large => 1, arguments => \&large_network));
}

1;
