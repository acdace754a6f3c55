# What make bench measures.
#
# A case has variants, the first of which is what the others are compared with,
# and arguments: a function that gives those of the n-th execution.  Reads have
# their variants twice, for the sets 0 (no removed NICs) and 1 (as many removed
# as live ones).
package Cases;
use strict;
use warnings;
use List::Util qw(min max);

# The sizes, as data.sql makes them.
my $live = $ENV{BENCH_ROWS};
my $size = min(20000, int($live / 5));
my $large = max(1, min(5, int($live / 300000)));
my $small = int(($live - $large * $size) / 130);
my $instances = int($live * 2 / 3);

my $write_live = $ENV{BENCH_WRITE_ROWS};
my $write_instances = int($write_live * 2 / 3);
my $write_networks = 1 + int(($write_live - min(20000, int($write_live / 5))) / 130);

my @cases;

sub thousands { my $n = reverse $_[0]; $n =~ s/(\d{3})(?=\d)/$1,/g; return scalar reverse $n }

#
# Reads
#

my $of_nic = 'instance_id, id, state, device_id, default_nic, mac_address, ip4_address, ip6_address';
my $joined = 'JOIN {instances} i ON i.id = n.instance_id AND i.removed IS NULL';
my $network_lives = 'EXISTS (SELECT FROM {networks} w WHERE w.id = $1 AND w.removed IS NULL)';

# The columns of vmnet.network_active_instances().
sub columns
{
	my ($nic_count, $nic) = @_;

	return "n.instance_id, i.uuid, i.name, i.type, i.state, $nic_count, " . join ', ',
		map { "$nic.$_" } qw(id state device_id default_nic mac_address ip4_address ip6_address);
}

my $all_columns = 'instance_id, instance_uuid, instance_name, instance_type, instance_state,'
	. ' nic_count, nic_id, nic_state, device_id, default_nic, mac_address, ip4_address, ip6_address';

# The best SQL found; $1 is the network, $2 the instance a page comes after, $3
# its size.  "right" is so whatever the inventory holds; "simple" only where an
# instance has one NIC on a network and no removed instance has a live one.
my %listing = (
	right => 'SELECT ' . columns('n.nic_count', 'n') . " FROM (
		SELECT DISTINCT ON (instance_id) $of_nic, count(*) OVER (PARTITION BY instance_id) AS nic_count
		FROM {nics} WHERE network_id = \$1 AND {live} ORDER BY instance_id, device_id, id) n
		$joined WHERE $network_lives ORDER BY n.instance_id",
	simple => 'SELECT ' . columns('1::bigint', 'n') . " FROM {nics} n
		$joined WHERE n.network_id = \$1 AND {live of n} AND $network_lives ORDER BY n.instance_id",
	ours => "SELECT $all_columns FROM vmnet.network_active_instances(\$1, inventory => '{inventory}')",
	view => "SELECT $all_columns FROM {inventory}.network_instances WHERE network_id = \$1 ORDER BY instance_id",
);
my %page = (
	right => 'SELECT ' . columns('n.nic_count', 'b') . " FROM (
		SELECT instance_id, count(*) AS nic_count FROM {nics}
		WHERE network_id = \$1 AND {live} AND instance_id > \$2 GROUP BY instance_id) n
		$joined CROSS JOIN LATERAL (
			SELECT $of_nic FROM {nics} WHERE network_id = \$1 AND {live} AND instance_id = n.instance_id
			ORDER BY device_id, id LIMIT 1) b
		WHERE $network_lives ORDER BY n.instance_id LIMIT \$3",
	# OFFSET 0 and a LIMIT that is not known keep the planner from sorting the
	# whole network.
	simple => 'SELECT ' . columns('1::bigint', 'n') . " FROM {nics} n,
		LATERAL (SELECT * FROM {instances} WHERE id = n.instance_id AND removed IS NULL OFFSET 0) i
		WHERE n.network_id = \$1 AND n.instance_id > \$2 AND {live of n} AND $network_lives
		ORDER BY n.instance_id LIMIT \$3",
	ours => "SELECT $all_columns FROM vmnet.network_active_instances(\$1, \$2, \$3, '{inventory}')",
);
my %count = (
	right => "SELECT count(DISTINCT n.instance_id) FROM {nics} n
		$joined WHERE n.network_id = \$1 AND {live of n} AND $network_lives",
	simple => "SELECT count(DISTINCT instance_id) FROM {nics}
		WHERE network_id = \$1 AND {live} AND $network_lives",
	ours => "SELECT vmnet.network_active_instance_count(\$1, '{inventory}')",
);

# The variants of every read, but for those it has no query for.
my @read_variants = (
	{ name => 'hand-written SQL, generic plan', query => 'right' },
	{ name => 'same, plan_cache_mode = auto', query => 'right', auto => 1 },
	{ name => 'vmnet_ext', query => 'ours' },
	{ name => 'view network_instances', query => 'view' },
	{ name => 'simpler SQL, not always right', query => 'simple' },
	{ name => 'first one, with single-column indexes only', query => 'right', single => 1 },
);

# A query on the tables of bench_0 or bench_1, or on the copy of its NICs that
# has CloudStack's indexes; "active" is what our own indexes know.
sub on_tables
{
	my ($sql, $set, $single) = @_;
	my $nics = $single ? "bench_single.nics_$set" : "bench_$set.all_nics";
	my $is_live = sub { $single ? "$_[0]removed IS NULL AND $_[0]state <> 'Deallocating'" : "$_[0]active" };

	$sql =~ s/\{nics\}/$nics/g;
	$sql =~ s/\{(networks|instances)\}/bench_$set.all_$1/g;
	$sql =~ s/\{inventory\}/bench_$set/g;
	$sql =~ s/\{live\}/$is_live->('')/ge;
	$sql =~ s/\{live of n\}/$is_live->('n.')/ge;
	return $sql =~ s/\s+/ /gr;
}

sub read_case
{
	my ($name, $queries, %case) = @_;
	my @variants;

	for my $set (0, 1)
	{
		for my $v (grep { $queries->{ $_->{query} } } @read_variants)
		{
			push @variants, { %$v, set => $set,
				target => $v->{query} eq 'ours' ? $case{target} : undef,
				sql => on_tables($queries->{ $v->{query} }, $set, $v->{single}) };
		}
	}

	# Counting instructions takes fifty times as long as running them.
	for my $v (grep { !$_->{auto} } @variants)
	{
		$v->{count} = $case{large} ? $ENV{BENCH_FULL} && !$v->{single} && $v->{query} =~ /right|ours/
			: !($v->{single} && $queries == \%page);
	}
	push @cases, { kind => 'read', name => $name, variants => \@variants, %case };
}

sub small_network { my ($n) = @_; return $large + 1 + $n * 97 % $small }
sub large_network { my ($n) = @_; return 1 + $n % $large }

read_case('list a network of 130 instances', \%listing, target => '<= 1.00',
	arguments => sub { small_network($_[0]) });
read_case('list a network of ' . thousands($size), \%listing, target => '<= 1.00', large => 1,
	arguments => sub { large_network($_[0]) });
read_case('first page of 50 of ' . thousands($size), \%page, target => '<= 1.00',
	arguments => sub { (large_network($_[0]), 0, 50) });
read_case('page of 50 in the middle of ' . thousands($size), \%page, target => '<= 1.00',
	arguments => sub { (large_network($_[0]), int($instances / 2) + $_[0] * 37 % 1000, 50) });
read_case('count a network of 130', \%count,
	arguments => sub { small_network($_[0]) });
read_case('count a network of ' . thousands($size), \%count, large => 1,
	arguments => sub { large_network($_[0]) });

#
# Reports, on the set that has removed NICs: what a tool asks of one network or
# of all, against SQL on the tables for the same columns
#

my $is_live = "n.removed IS NULL AND n.state <> 'Deallocating'";
my $members = "count(*) FILTER (WHERE i.removed IS NULL AND $is_live) AS attached_nics,
	count(DISTINCT n.instance_id) FILTER (WHERE i.removed IS NULL AND $is_live) AS active_instances,
	count(DISTINCT n.instance_id) FILTER (WHERE i.removed IS NULL AND i.state = 'Running' AND $is_live) AS running_instances";
my $states = join ', ', map { "count(*) FILTER (WHERE n.state = '\u$_') AS $_" } qw(allocated reserving reserved releasing deallocating);
my $intervals = 'SELECT n.network_id, n.instance_id, lower(r) AS active_from, upper(r) AS active_to
	FROM (SELECT n.network_id, n.instance_id, range_agg(tstzrange(n.created, least(n.removed, i.removed, w.removed))) AS ranges
		FROM {nics} n JOIN {instances} i ON i.id = n.instance_id JOIN {networks} w ON w.id = n.network_id
		WHERE (n.removed IS NULL OR n.removed > n.created) {and network} GROUP BY 1, 2) n CROSS JOIN LATERAL unnest(n.ranges) r';
my $events = "SELECT n.network_id, date_trunc('day', x.at, 'UTC') AS day, sum(x.arrived) AS arrived, sum(x.departed) AS departed
	FROM ($intervals) n CROSS JOIN LATERAL (VALUES (n.active_from, 1, 0), (n.active_to, 0, 1)) x (at, arrived, departed)
	WHERE x.at IS NOT NULL GROUP BY 1, 2";

# A view, the columns that are asked, and the same by hand; {network} is a
# condition on n.network_id, or on w.id where there is no n.
my @reports = (
	[ 'nics', 'nic_id, nic_state, network_id, network_name, instance_id, instance_name, mac_address, ip4_address',
		"SELECT n.id, n.state, n.network_id, w.name, n.instance_id, i.name, n.mac_address::text, host(n.ip4_address)
		FROM {nics} n LEFT JOIN {networks} w ON w.id = n.network_id LEFT JOIN {instances} i ON i.id = n.instance_id
		WHERE $is_live {and network}" ],
	[ 'network_instances', 'network_id, network_name, instance_id, instance_name, instance_state, nic_count, nic_id, nic_state, ip4_address',
		"SELECT n.network_id, w.name, n.instance_id, i.name, i.state, n.nic_count, n.id, n.state, host(n.ip4_address)
		FROM (SELECT DISTINCT ON (n.network_id, n.instance_id) n.*, count(*) OVER (PARTITION BY n.network_id, n.instance_id) AS nic_count
			FROM {nics} n WHERE $is_live {and network} ORDER BY n.network_id, n.instance_id, n.device_id, n.id) n
			JOIN {networks} w ON w.id = n.network_id AND w.removed IS NULL
			JOIN {instances} i ON i.id = n.instance_id AND i.removed IS NULL" ],
	[ 'network_counts', 'network_id, attached_nics, active_instances, running_instances, allocated, reserving, reserved, releasing, deallocating, used_ip4',
		"SELECT w.id, coalesce(c.attached_nics, 0), coalesce(c.active_instances, 0), coalesce(c.running_instances, 0),
			coalesce(c.allocated, 0), coalesce(c.reserving, 0), coalesce(c.reserved, 0), coalesce(c.releasing, 0),
			coalesce(c.deallocating, 0), coalesce(c.used_ip4, 0)
		FROM {networks} w LEFT JOIN (SELECT n.network_id, $members, $states,
				count(DISTINCT n.ip4_address) FILTER (WHERE $is_live) AS used_ip4
			FROM {nics} n LEFT JOIN {instances} i ON i.id = n.instance_id
			WHERE n.removed IS NULL {and network} GROUP BY n.network_id) c ON c.network_id = w.id
		WHERE w.removed IS NULL {and network of w}" ],
	[ 'network_ip_usage', 'network_id, used, free',
		"SELECT w.id, coalesce(u.used, 0), (1::bigint << (32 - masklen(w.cidr))) - 2 - coalesce(u.used, 0)
		FROM {networks} w LEFT JOIN (SELECT n.network_id, count(DISTINCT n.ip4_address) FILTER (WHERE n.ip4_address <<= w.cidr) AS used
			FROM (SELECT n.network_id, n.ip4_address FROM {nics} n WHERE $is_live {and network}
				UNION ALL SELECT n.network_id, s.ip4_address FROM {secondary} s JOIN {nics} n ON n.id = s.nic_id
				WHERE s.removed IS NULL AND $is_live {and network}) n JOIN {networks} w ON w.id = n.network_id
			GROUP BY n.network_id) u ON u.network_id = w.id
		WHERE w.removed IS NULL {and network of w}" ],
	[ 'nic_history', 'seq, "time", nic_id, event, network_id, network_name, instance_id, instance_name',
		'SELECT n.seq, n.at, n.nic_id, n.event, n.network_id, w.name, n.instance_id, i.name
		FROM {history} n LEFT JOIN {networks} w ON w.id = n.network_id LEFT JOIN {instances} i ON i.id = n.instance_id
		WHERE true {and network}' ],
	[ 'network_instance_intervals', 'network_id, instance_id, active_from, active_to',
		$intervals ],
	[ 'networks_daily', '"time", network_id, active_instances',
		"SELECT t, d.network_id, d.members FROM (SELECT n.network_id, n.day,
				sum(n.arrived - n.departed) OVER days::bigint AS members, lead(n.day) OVER days AS next_day
			FROM (SELECT network_id, day, sum(arrived) AS arrived, sum(departed) AS departed FROM ($events
				UNION ALL SELECT n.id, date_trunc('day', n.created, 'UTC'), 0, 0 FROM {networks} n) n GROUP BY 1, 2) n
			WHERE true {and network} WINDOW days AS (PARTITION BY n.network_id ORDER BY n.day)) d
			CROSS JOIN LATERAL generate_series(d.day, coalesce(d.next_day - interval '24 hours', date_trunc('day', now(), 'UTC')), interval '24 hours') t" ],
	[ 'stuck_nics', 'nic_id, nic_state, network_id, network_name, instance_id, instance_name, last_event',
		"SELECT n.id, n.state, n.network_id, w.name, n.instance_id, i.name,
			(SELECT h.event FROM {history} h WHERE h.nic_id = n.id ORDER BY h.seq DESC LIMIT 1)
		FROM {nics} n LEFT JOIN {networks} w ON w.id = n.network_id LEFT JOIN {instances} i ON i.id = n.instance_id
		WHERE n.state IN ('Reserving', 'Releasing') AND n.removed IS NULL
			AND n.state_changed <= now() - interval '10 minutes' {and network}" ],
);

sub report_sql
{
	my ($sql, $one) = @_;
	my %condition = ('{and network}' => 'AND n.network_id = $1', '{and network of w}' => 'AND w.id = $1');

	$sql =~ s/(\{and network(?: of w)?\})/$one ? $condition{$1} : ''/ge;
	$sql =~ s/\{secondary\}/bench_1.all_nic_secondary_ips/g;
	$sql =~ s/\{history\}/bench_1.nic_history/g;
	return on_tables($sql, 1);
}

sub report_case
{
	my ($view, $columns, $sql, $one) = @_;

	push @cases, { kind => 'report', name => "report $view, " . ($one ? 'a network of 130' : 'all networks'),
		sorted => 1, arguments => sub { $one ? small_network($_[0]) : () },
		rounds => $one ? undef : max(3, int($ENV{BENCH_ROUNDS} / 4)),
		variants => [
			{ name => 'hand-written SQL, generic plan', count => $one, sql => report_sql($sql, $one) },
			{ name => "view $view", count => $one, target => $one ? '< 10 ms' : '<= 2.00',
				sql => "SELECT $columns FROM bench_1_report.$view" . ($one ? ' WHERE network_id = $1' : '') } ] };
}

report_case(@$_, 1), report_case(@$_, 0) for @reports;
push @cases, { kind => 'report', name => 'report findings, all of them', sorted => 1, arguments => sub { () },
	rounds => max(3, int($ENV{BENCH_ROUNDS} / 4)),
	variants => [
		{ name => 'check_inventory()', sql => "SELECT code, object_type, object_id FROM vmnet.check_inventory('bench_1')" },
		{ name => 'view findings', target => '<= 2.00', sql => 'SELECT code, object_type, object_id FROM bench_1_report.findings' } ] };

# Metrics: one look at the held NICs, whatever else there is to tell.
push @cases, { kind => 'report', name => 'report metrics, held NICs by state', sorted => 1, arguments => sub { () },
	rounds => max(3, int($ENV{BENCH_ROUNDS} / 4)),
	variants => [
		{ name => 'hand-written SQL', sql => on_tables('SELECT n.state, count(*) FROM {nics} n WHERE n.removed IS NULL GROUP BY n.state', 1) },
		{ name => 'view metrics', target => '<= 2.00',
			sql => "SELECT state, value::bigint FROM bench_1_report.metrics WHERE name = 'vmnet_nics_held' AND value > 0" } ] };

#
# The past of a network with 130 NICs and eleven times as many former ones
#

push @cases, { kind => 'past', name => 'who was on a network of 130, with 1,430 former NICs',
	arguments => sub { $large + $small },
	variants => [
		{ name => 'who is on it: network_active_instances()', set => 1, count => 1,
			sql => on_tables($listing{ours}, 1) },
		{ name => 'who was on it: network_instances_as_of()', set => 1, count => 1, target => '<= 2.00',
			sql => "SELECT instance_id, instance_uuid, instance_name, nic_count, nic_id FROM vmnet.network_instances_as_of(\$1, '2026-06-01', 'bench_1')" },
		{ name => 'the same from nic_intervals by hand', set => 1, count => 1,
			sql => "SELECT DISTINCT i.instance_id FROM bench_1.nic_intervals i
				WHERE i.network_id = \$1 AND i.from <= '2026-06-01' AND (i.to IS NULL OR i.to > '2026-06-01')" =~ s/\s+/ /gr } ] };

#
# Writes, to inventories that are equal but for their triggers
#

my @write_variants = (
	{ inventory => 'plain', name => 'foreign keys, indexes and checks, no guard' },
	{ inventory => 'guarded', name => 'vmnet_ext, guards and history' },
	{ inventory => 'plpgsql', name => 'the guards in PL/pgSQL, no history' },
	{ inventory => 'empty', name => "no guard, core's least BEFORE trigger in C" },
);

sub write_case
{
	my ($name, $sql, %case) = @_;
	my @variants;

	for my $v (@write_variants)
	{
		# The least trigger is one on UPDATE.
		next if $v->{inventory} eq 'empty' && $sql !~ /^UPDATE/;
		push @variants, { name => $v->{name}, count => !$case{varies},
			target => $v->{inventory} eq 'guarded' ? $case{target} : undef,
			sql => $sql =~ s/\{nics\}/bench_$v->{inventory}.all_nics/r };
	}
	push @cases, { kind => 'write', name => $name, variants => \@variants, %case };
}

# Instances that have no NIC yet, each for one INSERT.
my $spare = $write_instances;

sub spare_instances
{
	my ($n) = @_;
	my $first = $spare + 1;

	$spare += $n;
	die "no instances are left: set BENCH_WRITE_ROWS higher\n" if $spare > $write_instances + $write_live;
	return $first;
}

# Where one phase has stopped taking them, and the next one starts.
sub spare { $spare = $_[0] if @_; return $spare }

# New NICs go to the last hundred networks.
my $new_network = $write_networks - 99;

sub insert
{
	my ($default_nic, $from) = @_;
	my ($column, $value) = $default_nic ? (', default_nic', ', true') : ('', '');

	return "INSERT INTO {nics} (instance_id, network_id, mac_address, ip4_address, netmask, gateway, device_id$column)
		SELECT i, $new_network + i % 100, lpad(to_hex(3299023255552 + i), 12, '0')::macaddr,
			'20.0.0.0'::inet + i, '255.0.0.0', '10.0.0.1', 0$value FROM $from" =~ s/\s+/ /gr;
}

sub update
{
	my ($where) = @_;

	return "UPDATE {nics} SET state = CASE state WHEN 'Reserved' THEN 'Releasing' WHEN 'Releasing' THEN 'Allocated'
		WHEN 'Allocated' THEN 'Reserving' ELSE 'Reserved' END WHERE $where" =~ s/\s+/ /gr;
}

for my $said (1, 0)
{
	my $how = 'default_nic ' . ($said ? 'said' : 'not said');

	write_case("insert a NIC, $how", insert($said, '(SELECT $1::bigint) r (i)'), target => '<= 1.50', rows => 1,
		arguments => sub { spare_instances(1) });
	write_case("insert 1,000 NICs, $how", insert($said, 'generate_series($1::bigint, $1 + $2 - 1) i'),
		target => '<= 1.50', rows => 1000,
		arguments => sub { my ($n, $rows) = @_; (spare_instances($rows), $rows) });
}
write_case('change the state of a NIC', update('id = $1'), target => '<= 1.25', rows => 1,
	arguments => sub { 1 + $_[0] * 37 % $write_live });
write_case('change the states of the 130 NICs of a network', update('network_id = $1 AND active'),
	target => '<= 1.40', rows => 130,
	arguments => sub { 2 + $_[0] % ($write_networks - 120) });
# NICs next to each other fill their pages: how many of these updates are HOT,
# and with that the number of instructions, differs from table to table.
write_case('change the states of 1,000 NICs in a row', update('id BETWEEN $1 AND $1 + $2 - 1'),
	target => '<= 1.40', rows => 1000, varies => 1,
	arguments => sub { my ($n, $rows) = @_; (1 + $n * $rows % ($write_live - $rows), $rows) });

sub all
{
	return grep { !$ENV{BENCH_CASES} || $_->{name} =~ /$ENV{BENCH_CASES}/ } @cases;
}

1;
