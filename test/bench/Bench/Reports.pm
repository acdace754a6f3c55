# Reports: what a tool asks of one network or of all, against SQL on the tables for the
# same columns.
package Bench::Reports;
use strict;
use warnings;
use Bench::Common qw(%size one_line);

my $is_live = "n.removed IS NULL AND n.state <> 'Deallocating'";
my $members = "count(*) FILTER (WHERE i.removed IS NULL AND $is_live) AS attached_nics,
	count(DISTINCT n.instance_id) FILTER (WHERE i.removed IS NULL AND $is_live) AS active_instances,
	count(DISTINCT n.instance_id) FILTER (WHERE i.removed IS NULL AND i.state = 'Running' AND $is_live) AS running_instances";
my $states = join ', ', map { "count(*) FILTER (WHERE n.state = '\u$_') AS $_" } qw(allocated reserving reserved releasing deallocating);
my $intervals = 'SELECT n.network_id, n.instance_id, lower(r) AS active_from, upper(r) AS active_to
	FROM (SELECT n.network_id, n.instance_id, range_agg(tstzrange(n.created, least(n.removed, i.removed, w.removed))) AS ranges
		FROM bench_1.all_nics n JOIN bench_1.all_instances i ON i.id = n.instance_id JOIN bench_1.all_networks w ON w.id = n.network_id
		WHERE (n.removed IS NULL OR n.removed > n.created) {and network} GROUP BY 1, 2) n CROSS JOIN LATERAL unnest(n.ranges) r';
my $events = "SELECT n.network_id, date_trunc('day', x.at, 'UTC') AS day, sum(x.arrived) AS arrived, sum(x.departed) AS departed
	FROM ($intervals) n CROSS JOIN LATERAL (VALUES (n.active_from, 1, 0), (n.active_to, 0, 1)) x (at, arrived, departed)
	WHERE x.at IS NOT NULL GROUP BY 1, 2";

# A view, the columns that are asked, and the same by hand; {network} is a
# condition on n.network_id, or on w.id where there is no n.
my @reports = (
	[ 'nics', 'nic_id, nic_state, network_id, network_name, instance_id, instance_name, mac_address, ip4_address',
		"SELECT n.id, n.state, n.network_id, w.name, n.instance_id, i.name, n.mac_address::text, host(n.ip4_address)
		FROM bench_1.all_nics n LEFT JOIN bench_1.all_networks w ON w.id = n.network_id LEFT JOIN bench_1.all_instances i ON i.id = n.instance_id
		WHERE $is_live {and network}" ],
	[ 'network_instances', 'network_id, network_name, instance_id, instance_name, instance_state, nic_count, nic_id, nic_state, ip4_address',
		"SELECT n.network_id, w.name, n.instance_id, i.name, i.state, n.nic_count, n.id, n.state, host(n.ip4_address)
		FROM (SELECT DISTINCT ON (n.network_id, n.instance_id) n.*, count(*) OVER (PARTITION BY n.network_id, n.instance_id) AS nic_count
			FROM bench_1.all_nics n WHERE $is_live {and network} ORDER BY n.network_id, n.instance_id, n.device_id, n.id) n
			JOIN bench_1.all_networks w ON w.id = n.network_id AND w.removed IS NULL
			JOIN bench_1.all_instances i ON i.id = n.instance_id AND i.removed IS NULL" ],
	[ 'network_counts', 'network_id, attached_nics, active_instances, running_instances, allocated, reserving, reserved, releasing, deallocating, used_ip4',
		"SELECT w.id, coalesce(c.attached_nics, 0), coalesce(c.active_instances, 0), coalesce(c.running_instances, 0),
			coalesce(c.allocated, 0), coalesce(c.reserving, 0), coalesce(c.reserved, 0), coalesce(c.releasing, 0),
			coalesce(c.deallocating, 0), coalesce(c.used_ip4, 0)
		FROM bench_1.all_networks w LEFT JOIN (SELECT n.network_id, $members, $states,
				count(DISTINCT n.ip4_address) FILTER (WHERE $is_live) AS used_ip4
			FROM bench_1.all_nics n LEFT JOIN bench_1.all_instances i ON i.id = n.instance_id
			WHERE n.removed IS NULL {and network} GROUP BY n.network_id) c ON c.network_id = w.id
		WHERE w.removed IS NULL {and network of w}" ],
	[ 'network_ip_usage', 'network_id, used, free',
		"SELECT w.id, coalesce(u.used, 0), (1::bigint << (32 - masklen(w.cidr))) - 2 - coalesce(u.used, 0)
		FROM bench_1.all_networks w LEFT JOIN (SELECT n.network_id, count(DISTINCT n.ip4_address) FILTER (WHERE n.ip4_address <<= w.cidr) AS used
			FROM (SELECT n.network_id, n.ip4_address FROM bench_1.all_nics n WHERE $is_live {and network}
				UNION ALL SELECT n.network_id, s.ip4_address FROM bench_1.all_nic_secondary_ips s JOIN bench_1.all_nics n ON n.id = s.nic_id
				WHERE s.removed IS NULL AND $is_live {and network}) n JOIN bench_1.all_networks w ON w.id = n.network_id
			GROUP BY n.network_id) u ON u.network_id = w.id
		WHERE w.removed IS NULL {and network of w}" ],
	[ 'nic_history', 'seq, "time", nic_id, event, network_id, network_name, instance_id, instance_name',
		'SELECT n.seq, n.at, n.nic_id, n.event, n.network_id, w.name, n.instance_id, i.name
		FROM bench_1.nic_history n LEFT JOIN bench_1.all_networks w ON w.id = n.network_id LEFT JOIN bench_1.all_instances i ON i.id = n.instance_id
		WHERE true {and network}' ],
	[ 'network_instance_intervals', 'network_id, instance_id, active_from, active_to',
		$intervals ],
	[ 'networks_daily', '"time", network_id, active_instances',
		"SELECT t, d.network_id, d.members FROM (SELECT n.network_id, n.day,
				sum(n.arrived - n.departed) OVER days::bigint AS members, lead(n.day) OVER days AS next_day
			FROM (SELECT network_id, day, sum(arrived) AS arrived, sum(departed) AS departed FROM ($events
				UNION ALL SELECT n.id, date_trunc('day', n.created, 'UTC'), 0, 0 FROM bench_1.all_networks n) n GROUP BY 1, 2) n
			WHERE true {and network} WINDOW days AS (PARTITION BY n.network_id ORDER BY n.day)) d
			CROSS JOIN LATERAL generate_series(d.day, coalesce(d.next_day - interval '24 hours', date_trunc('day', now(), 'UTC')), interval '24 hours') t" ],
	[ 'stuck_nics', 'nic_id, nic_state, network_id, network_name, instance_id, instance_name, last_event',
		"SELECT n.id, n.state, n.network_id, w.name, n.instance_id, i.name,
			(SELECT h.event FROM bench_1.nic_history h WHERE h.nic_id = n.id ORDER BY h.seq DESC LIMIT 1)
		FROM bench_1.all_nics n LEFT JOIN bench_1.all_networks w ON w.id = n.network_id LEFT JOIN bench_1.all_instances i ON i.id = n.instance_id
		WHERE n.state IN ('Reserving', 'Releasing') AND n.removed IS NULL
			AND n.state_changed <= now() - interval '10 minutes' {and network}" ],
);

sub hand_sql
{
	my ($sql, $one) = @_;
	my %condition = ('{and network}' => 'AND n.network_id = $1', '{and network of w}' => 'AND w.id = $1');

	return one_line($sql =~ s/(\{and network(?: of w)?\})/$one ? $condition{$1} : ''/ger);
}

sub report_case
{
	my ($name, $hand, $ours, %case) = @_;
	my $variant = sub { my ($key, $title, $server, $sql) = @_;
		return { key => $key, name => $title, server => $server, mode => 'generic', rpc => 4, set => 1, sql => one_line($sql) } };
	my @variants = ($variant->('hand', 'by hand', 'now', $hand), $variant->('ours', 'vmnet_ext: view', 'now', $ours));

	push @variants, $variant->('before', 'vmnet_ext: view, before', 'before', $ours) if $ENV{BENCH_BEFORE_HOST};
	return { kind => 'report', section => 'Reports', name => "View $name", sorted => 1, arguments => sub { () }, variants => \@variants,
		tables => [ [ 'by hand', 'by hand', [ 'hand', 'hand' ], [ 'ours', 'hand' ] ],
			[ 'before', 'before', [ 'before', 'before' ], [ 'ours', 'before' ] ] ], %case };
}

sub cases
{
	my @cases;

	for my $report (@reports)
	{
		my ($view, $columns, $sql) = @$report;

		push @cases, report_case("$view, a network of 130", hand_sql($sql, 1), "SELECT $columns FROM bench_1_report.$view WHERE network_id = \$1",
			arguments => sub { $size{large} + 1 + $_[0] * 97 % $size{small} });
		push @cases, report_case("$view, all networks", hand_sql($sql, 0), "SELECT $columns FROM bench_1_report.$view", slow => 1);
	}
	push @cases, report_case('metrics, held NICs by state',
		'SELECT n.state, count(*) FROM bench_1.all_nics n WHERE n.removed IS NULL GROUP BY n.state',
		q(SELECT state, value::bigint FROM bench_1_report.metrics WHERE name = 'vmnet_nics_held' AND value > 0), slow => 1);
	return @cases;
}

1;
