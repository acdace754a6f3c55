# The dashboards for Grafana: what each panel asks and shows, and how Grafana wants
# it.  contrib/grafana/generate writes the files of this folder from it, and
# doc/generate.pl the page doc/dashboards.md.
#
# A panel that has "from" asks nothing: it shows what another panel of the dashboard
# has asked.
package Dashboards;

use strict;
use warnings;

my %source = (type => 'grafana-postgresql-datasource', uid => '${datasource}');
my %shared = (type => 'datasource', uid => '-- Dashboard --');
my $false = \0;
my $true = \1;

#
# Columns of tables
#

sub field
{
	my ($name, %properties) = @_;
	return { matcher => { id => 'byName', options => $name }, properties => [ map { { id => $_, value => $properties{$_} } } sort keys %properties ] };
}

sub network_link
{
	return field('Network', links => [ { title => 'Network overview', targetBlank => $false,
		url => '/d/vmnet-network-overview?var-network=${__data.fields.Id}&${schema:queryparam}&${datasource:queryparam}&${__url_time_range}' } ]);
}

sub duration { return field($_[0], unit => 's', decimals => 1); }

sub hidden { return field($_[0], 'custom.hidden' => $true); }

sub percentage
{
	return field($_[0], unit => 'percent', decimals => 1, min => 0, max => 100, thresholds => thresholds('green 80:orange 95:red'),
		color => { mode => 'thresholds' }, 'custom.cellOptions' => { type => 'gauge', mode => 'basic', valueDisplayMode => 'text' });
}

sub severity
{
	my @colors = ([ error => 'red' ], [ warning => 'orange' ], [ info => 'blue' ]);
	return field('Severity', 'custom.cellOptions' => { type => 'color-text' },
		mappings => [ { type => 'value', options => { map { $colors[$_][0] => { color => $colors[$_][1], index => $_ } } 0 .. $#colors } } ]);
}

# "green 80:orange": green, and orange from 80 on.
sub thresholds
{
	return { mode => 'absolute', steps => [ map { /^(\d+):(\w+)$/ ? { color => $2, value => $1 + 0 } : { color => $_, value => undef } } split / /, $_[0] ] };
}

#
# Kinds of panels: fieldConfig.defaults and options
#

sub reduced
{
	my ($fields, $values, @limit) = @_;
	return (reduceOptions => { calcs => ['lastNotNull'], fields => $fields, values => $values, @limit });
}

my %legend = (displayMode => 'list', placement => 'bottom', calcs => []);
my %nowhere = (hideFrom => { legend => $false, tooltip => $false, viz => $false });
my %kind = (
	stat => sub {
		my ($p) = @_;
		return ({ color => { mode => 'thresholds' }, mappings => [] },
			{ colorMode => 'value', graphMode => 'none', justifyMode => 'auto', orientation => 'auto', textMode => 'auto', wideLayout => $true, reduced($p->{shows} // '', $false) });
	},
	gauge => sub {
		return ({ color => { mode => 'thresholds' }, mappings => [], min => 0, max => 100 },
			{ orientation => 'auto', showThresholdLabels => $false, showThresholdMarkers => $true, sizing => 'auto', minVizHeight => 75, minVizWidth => 75, reduced('', $false) });
	},
	bargauge => sub {
		my ($p) = @_;
		return ({ color => { mode => 'thresholds' }, mappings => [], min => 0, $p->{max} ? (max => $p->{max}) : () },
			{ displayMode => 'basic', orientation => 'horizontal', valueMode => 'color', namePlacement => 'left', showUnfilled => $true, sizing => 'auto', minVizHeight => 16,
				minVizWidth => 8, maxVizHeight => 300, legend => { %legend, showLegend => $false }, reduced($p->{shows} // '/^value$/', $true, limit => 50) });
	},
	piechart => sub {
		return ({ color => { mode => 'palette-classic' }, mappings => [], custom => {%nowhere} },
			{ pieType => 'donut', displayLabels => [], legend => { displayMode => 'table', placement => 'right', showLegend => $true, values => ['value'] },
				tooltip => { mode => 'single', sort => 'none' }, reduced('/^value$/', $true) });
	},
	timeseries => sub {
		my ($p) = @_;
		my $bars = $p->{bars};
		return ({ color => { mode => 'palette-classic' }, mappings => [], min => 0, custom => {
				drawStyle => $bars ? 'bars' : 'line', lineInterpolation => $bars ? 'linear' : 'stepAfter', lineWidth => $bars ? 1 : 2, fillOpacity => $p->{fill} // ($bars ? 70 : 10),
				showPoints => 'never', spanNulls => $false, stacking => { mode => $p->{stacked} ? 'normal' : 'none', group => 'A' }, axisPlacement => 'auto', axisLabel => '',
				gradientMode => 'none', pointSize => 4, scaleDistribution => { type => 'linear' }, thresholdsStyle => { mode => 'off' }, %nowhere } },
			{ legend => { %legend, showLegend => $true }, tooltip => { mode => 'multi', sort => 'desc' } });
	},
	table => sub {
		return ({ mappings => [], custom => { align => 'auto', cellOptions => { type => 'auto' }, filterable => $true, inspect => $false } },
			{ cellHeight => 'sm', showHeader => $true, footer => { show => $false, countRows => $false, fields => '', reducer => ['sum'] }, sortBy => [] });
	});
my %unit = (stat => 'locale', gauge => 'percent', bargauge => 'locale', piechart => 'locale', timeseries => 'locale');
my %decimals = (stat => 0, gauge => 1, bargauge => 0, piechart => 0, timeseries => 0);

sub target
{
	my ($sql, %more) = @_;
	chomp $sql;
	return { refId => 'A', datasource => {%source}, editorMode => 'code', format => 'table', rawQuery => $true, rawSql => $sql, %more };
}

# A panel: its kind, title, what it shows, its place and its query.
sub panel
{
	my ($type, $title, $description, $at, $sql, %more) = @_;
	my ($defaults, $options) = $kind{$type}->(\%more);
	$defaults->{thresholds} = thresholds($more{steps} // 'green') if $type ne 'piechart';
	my $unit = $more{unit} // $unit{$type};
	$defaults->{unit} = $unit if defined $unit;
	$defaults->{decimals} = $more{decimals} // $decimals{$type} if defined $decimals{$type};
	$defaults->{noValue} = $more{without} if defined $more{without};
	$defaults->{mappings} = [ { type => 'value', options => { map { $_ => { index => 0, text => $more{texts}{$_} } } keys %{ $more{texts} } } } ] if $more{texts};
	return { type => $type, title => $title, description => $description, gridPos => place(@$at), fieldConfig => { defaults => $defaults, overrides => $more{fields} // [] },
		options => $options, $more{transformations} ? (transformations => $more{transformations}) : (),
		defined $more{from} ? (from => $more{from}, datasource => {%shared})
		: (datasource => {%source}, targets => [ target($sql, $type eq 'timeseries' ? (format => 'time_series') : ()) ]) };
}

sub place
{
	my %at;
	@at{qw(x y w h)} = @_;
	return \%at;
}

# A heading; the panels below it are folded away if it has any.
sub row
{
	my ($title, $y, @panels) = @_;
	return { type => 'row', title => $title, collapsed => @panels ? $true : $false, panels => \@panels, gridPos => place(0, $y, 24, 1) };
}

sub age
{
	return panel('stat', 'Age', 'Time since the start of the last import that was done: what all panels are as of. An inventory that is its own source is as of now. A mirror without such an import is as of no time: the query returns -1.',
		\@_, <<'END', steps => 'red 0:green 7200:orange 86400:red', unit => 'dtdurations', without => 'now', texts => { -1 => 'no import done' });
SELECT coalesce(extract(epoch FROM now()) - max(value) FILTER (WHERE name = 'vmnet_inventory_as_of_timestamp_seconds'),
  CASE WHEN max(kind) = 'mirror' THEN -1 END) AS seconds
FROM ${schema:doublequote}.metrics
WHERE name IN ('vmnet_inventory_as_of_timestamp_seconds', 'vmnet_inventory_info')
END
}

my @dashboards = (
	'network-overview' => { title => 'vmnet: network overview', description => 'Which instances are on which network, now and over time.', from => 'now-90d', panels => [
		panel('stat', 'Networks', 'Live networks.', [ 0, 0, 4, 4 ], <<'END', steps => 'text'),
SELECT count(*) AS networks
FROM ${schema:doublequote}.networks
WHERE network_id IN ($network)
END
		panel('stat', 'Active instances', 'Instances that are active on at least one of the networks, each counted once.', [ 4, 0, 4, 4 ], <<'END', steps => 'blue'),
SELECT count(DISTINCT instance_id) AS instances
FROM ${schema:doublequote}.network_instances
WHERE network_id IN ($network)
END
		panel('stat', 'Running instances', 'Those of them that run, each counted once.', [ 8, 0, 4, 4 ], <<'END', steps => 'green'),
SELECT count(DISTINCT instance_id) AS instances
FROM ${schema:doublequote}.network_instances
WHERE network_id IN ($network) AND instance_state = 'Running'
END
		panel('stat', 'Attached NICs', 'Active NICs of instances that are not removed.', [ 12, 0, 3, 4 ], <<'END', steps => 'text'),
SELECT coalesce(sum(attached_nics), 0) AS nics
FROM ${schema:doublequote}.network_counts
WHERE network_id IN ($network)
END
		panel('stat', 'Networks in use', 'Networks with an active instance.', [ 15, 0, 3, 4 ], <<'END', steps => 'text'),
SELECT count(*) FILTER (WHERE active_instances > 0) AS networks
FROM ${schema:doublequote}.network_counts
WHERE network_id IN ($network)
END
		panel('stat', 'Findings: errors', 'Contradictions in the whole inventory, whatever network is chosen.', [ 18, 0, 3, 4 ], <<'END', steps => 'green 1:red'),
SELECT count(*) AS findings
FROM ${schema:doublequote}.findings
WHERE severity = 'error' AND NOT accepted
END
		age(21, 0, 3, 4),
		row('Over time', 4),
		panel('timeseries', 'Members', 'Instances on networks, by day (UTC), summed up over the networks: an instance on two networks counts twice.', [ 0, 5, 12, 9 ], <<'END'),
SELECT "time", sum(active_instances)::bigint AS members
FROM ${schema:doublequote}.networks_daily
WHERE $__timeFilter(time) AND network_id IN ($network)
GROUP BY "time"
ORDER BY "time"
END
		panel('timeseries', 'Members of the ten largest networks', 'The ten live networks with the most active instances today.', [ 12, 5, 12, 9 ], <<'END', fill => 0),
SELECT "time", concat_ws(' ', network_name, '(' || network_id || ')') AS metric, active_instances AS members
FROM ${schema:doublequote}.networks_daily
WHERE $__timeFilter(time) AND network_id IN (
  SELECT network_id FROM ${schema:doublequote}.network_counts
  WHERE network_id IN ($network)
  ORDER BY active_instances DESC, network_id
  LIMIT 10)
ORDER BY "time", network_id
END
		panel('timeseries', 'Arrivals and departures', 'Instances that came to a network and went from one, by day (UTC).', [ 0, 14, 24, 7 ], <<'END', bars => 1),
SELECT "time", sum(arrived_instances)::bigint AS arrived, sum(departed_instances)::bigint AS departed
FROM ${schema:doublequote}.networks_daily
WHERE $__timeFilter(time) AND network_id IN ($network)
GROUP BY "time"
ORDER BY "time"
END
		row('Now', 21),
		panel('piechart', 'Instances by state', 'Instances active on the networks, each counted once.', [ 0, 22, 8, 9 ], <<'END'),
SELECT instance_state AS state, count(DISTINCT instance_id) AS value
FROM ${schema:doublequote}.network_instances
WHERE network_id IN ($network)
GROUP BY instance_state
ORDER BY value DESC, state
END
		panel('piechart', 'Instances by type', 'User instances, routers and system VMs.', [ 8, 22, 8, 9 ], <<'END'),
SELECT instance_type AS type, count(DISTINCT instance_id) AS value
FROM ${schema:doublequote}.network_instances
WHERE network_id IN ($network)
GROUP BY instance_type
ORDER BY value DESC, type
END
		panel('bargauge', 'Largest networks', 'The ten with the most active instances.', [ 16, 22, 8, 9 ], <<'END', steps => 'blue'),
SELECT concat_ws(' ', network_name, '(' || network_id || ')') AS network, active_instances AS value
FROM ${schema:doublequote}.network_counts
WHERE network_id IN ($network)
ORDER BY active_instances DESC, network_id
LIMIT 10
END
		panel('table', 'Counts by network', 'The 1000 with the most active instances.', [ 0, 31, 24, 12 ], <<'END', fields => [ network_link() ]),
SELECT network_id AS "Id", network_name AS "Network", network_state AS "State", traffic_type AS "Traffic", guest_type AS "Type",
  active_instances AS "Active", running_instances AS "Running", user_instances AS "User", routers AS "Routers",
  attached_nics AS "NICs", deallocating AS "Half-removed", account_name AS "Account", zone_name AS "Zone"
FROM ${schema:doublequote}.network_counts
WHERE network_id IN ($network)
ORDER BY active_instances DESC, network_id
LIMIT 1000
END
		row('Who is where', 43,
			panel('table', 'Instances on the networks', 'One row per network and active instance; the first 1000.', [ 0, 44, 24, 14 ], <<'END', fields => [ network_link() ]),
SELECT network_id AS "Id", network_name AS "Network", instance_id AS "Instance id", instance_name AS "Instance", instance_type AS "Type", instance_state AS "State",
  ip4_address AS "IPv4", ip6_address AS "IPv6", mac_address AS "MAC", nic_state AS "NIC", nic_count AS "NICs", default_nic AS "Default", account_name AS "Account"
FROM ${schema:doublequote}.network_instances
WHERE network_id IN ($network)
ORDER BY network_id, instance_id
LIMIT 1000
END
		),
	] },
	'nic-health' => { title => 'vmnet: NIC health', description => 'NICs by state, those that hang between states, and what contradicts itself.', from => 'now-7d', panels => [
		panel('stat', 'Live NICs', 'Neither removed nor being deallocated; placeholders too.', [ 0, 0, 4, 4 ], <<'END', steps => 'text'),
SELECT count(*) AS nics
FROM ${schema:doublequote}.nics
WHERE network_id IN ($network)
END
		panel('stat', 'Stuck NICs', 'Reserving or Releasing for ten minutes or longer.', [ 4, 0, 4, 4 ], <<'END', steps => 'green 1:orange'),
SELECT count(*) AS nics
FROM ${schema:doublequote}.stuck_nics
WHERE network_id IN ($network)
END
		panel('stat', 'Half-removed NICs', 'Deallocating, but not removed: a removal that stopped half-way, or one under way.', [ 8, 0, 4, 4 ], <<'END', steps => 'green 1:red'),
SELECT coalesce(sum(deallocating), 0) AS nics
FROM ${schema:doublequote}.network_counts
WHERE network_id IN ($network)
END
		panel('stat', 'Unknown states', 'Held NICs whose state is none of the five.', [ 12, 0, 3, 4 ], <<'END', steps => 'green 1:orange'),
SELECT coalesce(sum(other_states), 0) AS nics
FROM ${schema:doublequote}.network_counts
WHERE network_id IN ($network)
END
		panel('stat', 'Findings: errors', 'In the whole inventory, whatever network is chosen; accepted ones do not count.', [ 15, 0, 3, 4 ], undef,
			from => 'What is wrong', shows => '/^Errors$/', steps => 'green 1:red', without => '0'),
		panel('stat', 'Findings: warnings', 'In the whole inventory, whatever network is chosen; accepted ones do not count.', [ 18, 0, 3, 4 ], undef,
			from => 'What is wrong', shows => '/^Warnings$/', steps => 'green 1:orange', without => '0'),
		age(21, 0, 3, 4),
		row('States', 4),
		panel('bargauge', 'NICs by state', 'Held NICs of live networks, placeholders too.', [ 0, 5, 12, 8 ], <<'END', steps => 'blue'),
SELECT v.state, coalesce(sum(v.nics), 0) AS value
FROM ${schema:doublequote}.network_counts
  CROSS JOIN LATERAL (VALUES (1, 'Allocated', allocated), (2, 'Reserving', reserving), (3, 'Reserved', reserved),
    (4, 'Releasing', releasing), (5, 'Deallocating', deallocating), (6, 'other', other_states)) v (ord, state, nics)
WHERE network_id IN ($network)
GROUP BY v.ord, v.state
ORDER BY v.ord
END
		panel('timeseries', 'Changes of state', 'Changes that history holds, by what they came to. A mirror sees what its imports see.', [ 12, 5, 12, 8 ], <<'END', bars => 1, stacked => 1),
SELECT $__timeGroupAlias(time, $__interval), coalesce(to_state, 'removed') AS metric, count(*) AS changes
FROM ${schema:doublequote}.nic_history
WHERE $__timeFilter(time) AND network_id IN ($network)
GROUP BY 1, 2
ORDER BY 1, 2
END
		panel('table', 'What is stuck', 'Reserving or Releasing for ten minutes or longer; the longest first.', [ 0, 13, 24, 8 ], <<'END', fields => [ network_link(), duration('For') ]),
SELECT nic_id AS "NIC", nic_state AS "State", seconds AS "For", network_id AS "Id", network_name AS "Network", instance_id AS "Instance id", instance_name AS "Instance",
  last_event AS "Last event", session_username AS "By", actor AS "Actor", reason AS "Reason", state_changed AS "Since"
FROM ${schema:doublequote}.stuck_nics
WHERE network_id IN ($network)
ORDER BY seconds DESC, nic_id
LIMIT 1000
END
		row('Findings (whole inventory)', 21),
		panel('bargauge', 'Findings by code', 'How many of each, but for accepted ones; errors first.', [ 0, 22, 8, 12 ], undef, from => 'What is wrong', shows => '/^Of the code/', steps => 'orange',
			transformations => [
				{ id => 'groupBy', options => { fields => { Code => { aggregations => [], operation => 'groupby' }, 'Of the code' => { aggregations => ['max'], operation => 'aggregate' } } } },
				{ id => 'filterByValue', options => { type => 'include', match => 'all', filters => [ { fieldName => 'Of the code (max)', config => { id => 'greater', options => { value => 0 } } } ] } } ]),
		panel('table', 'What is wrong', 'The first 100 of each code, errors first; the column Fix says how to mend it.', [ 8, 22, 16, 12 ], <<'END', fields => [ severity(), hidden('Errors'), hidden('Warnings') ]),
SELECT severity AS "Severity", code AS "Code", object_type AS "Object", object_id AS "Id", since AS "Since", message AS "Message", fix AS "Fix", accepted_by AS "Accepted by", accepted_reason AS "Reason",
  of_code AS "Of the code", errors AS "Errors", warnings AS "Warnings"
FROM (
  SELECT f.*, row_number() OVER (PARTITION BY code ORDER BY accepted, object_id) AS n,
    count(*) FILTER (WHERE NOT accepted) OVER (PARTITION BY code) AS of_code,
    count(*) FILTER (WHERE severity = 'error' AND NOT accepted) OVER () AS errors,
    count(*) FILTER (WHERE severity = 'warning' AND NOT accepted) OVER () AS warnings
  FROM ${schema:doublequote}.findings f) f
WHERE n <= 100
ORDER BY severity_order, code, n
END
		row('What happened', 34,
			panel('table', 'Last changes', 'The last 500 in the time range.', [ 0, 35, 24, 14 ], <<'END', fields => [ network_link() ]),
SELECT "time" AS "Time", nic_id AS "NIC", event AS "Event", from_state AS "From", to_state AS "To", network_id AS "Id", network_name AS "Network",
  instance_id AS "Instance id", instance_name AS "Instance", session_username AS "By", actor AS "Actor", reason AS "Reason", application_name AS "Application"
FROM ${schema:doublequote}.nic_history
WHERE $__timeFilter(time) AND network_id IN ($network)
ORDER BY seq DESC
LIMIT 500
END
			panel('table', 'Imports', 'Runs of the import, the last first; an inventory that is its own source has none.', [ 0, 49, 24, 8 ], <<'END', fields => [ duration('Took') ]),
SELECT run AS "Run", status AS "Status", step AS "Step", source AS "Source", started AS "Started", seconds AS "Took", nics_read AS "NICs read",
  rows_inserted AS "Inserted", rows_updated AS "Updated", rows_deleted AS "Deleted", rows_rejected AS "Rejected", message AS "Message"
FROM ${schema:doublequote}.imports
ORDER BY run DESC
LIMIT 100
END
		),
	] },
	'capacity' => { title => 'vmnet: capacity', description => 'How full the address ranges of networks are, and how fast networks grow.', from => 'now-90d', panels => [
		panel('gauge', 'IPv4 use', 'Addresses in use of all that the ranges of the networks have.', [ 0, 0, 6, 8 ], <<'END', steps => 'green 80:orange 95:red'),
SELECT 100 * sum(used)::double precision / nullif(sum(usable), 0) AS percent
FROM ${schema:doublequote}.network_ip_usage
WHERE network_id IN ($network)
END
		panel('stat', 'Addresses in use', 'IPv4, inside the ranges; the same address in one network counts once.', [ 6, 0, 5, 4 ], <<'END', steps => 'blue'),
SELECT coalesce(sum(used), 0) AS addresses
FROM ${schema:doublequote}.network_ip_usage
WHERE network_id IN ($network)
END
		panel('stat', 'Free addresses', 'IPv4, of all ranges.', [ 11, 0, 5, 4 ], <<'END', steps => 'green'),
SELECT coalesce(sum(free), 0) AS addresses
FROM ${schema:doublequote}.network_ip_usage
WHERE network_id IN ($network)
END
		panel('stat', 'Networks 80 % full or more', 'IPv4 or IPv6.', [ 16, 0, 4, 4 ], <<'END', steps => 'green 1:orange'),
SELECT count(*) FILTER (WHERE greatest(percent, ip6_percent) >= 80) AS networks
FROM ${schema:doublequote}.network_ip_usage
WHERE network_id IN ($network)
END
		age(20, 0, 4, 4),
		panel('stat', 'Addresses outside their range', 'IPv4, in use on a network whose range does not hold them.', [ 6, 4, 6, 4 ], <<'END', steps => 'green 1:orange'),
SELECT coalesce(sum(outside_cidr), 0) AS addresses
FROM ${schema:doublequote}.network_ip_usage
WHERE network_id IN ($network)
END
		panel('stat', 'Networks without a range', 'Neither IPv4 nor IPv6.', [ 12, 4, 6, 4 ], <<'END', steps => 'text'),
SELECT count(*) FILTER (WHERE usable IS NULL AND ip6_usable IS NULL) AS networks
FROM ${schema:doublequote}.network_ip_usage
WHERE network_id IN ($network)
END
		panel('stat', 'IPv6 addresses in use', 'Inside the ranges.', [ 18, 4, 6, 4 ], <<'END', steps => 'blue'),
SELECT coalesce(sum(ip6_used), 0) AS addresses
FROM ${schema:doublequote}.network_ip_usage
WHERE network_id IN ($network)
END
		row('How full', 8),
		panel('bargauge', 'Fullest networks', 'The twenty with the highest percentage, IPv4.', [ 0, 9, 12, 13 ], <<'END', steps => 'green 80:orange 95:red', unit => 'percent', max => 100, decimals => 1),
SELECT concat_ws(' ', network_name, '(' || network_id || ')') AS network, percent AS value
FROM ${schema:doublequote}.network_ip_usage
WHERE network_id IN ($network) AND percent IS NOT NULL
ORDER BY percent DESC, network_id
LIMIT 20
END
		panel('table', 'By zone', 'IPv4 ranges of each zone, summed up.', [ 12, 9, 12, 13 ], <<'END', fields => [ percentage('Use') ]),
SELECT zone_name AS "Zone", count(*) AS "Networks", coalesce(sum(usable), 0) AS "Usable", coalesce(sum(used), 0) AS "Used", coalesce(sum(free), 0) AS "Free",
  100 * sum(used)::double precision / nullif(sum(usable), 0) AS "Use"
FROM ${schema:doublequote}.network_ip_usage
WHERE network_id IN ($network)
GROUP BY zone_name
ORDER BY zone_name
END
		panel('table', 'Address ranges', 'The 1000 fullest, IPv4 and IPv6.', [ 0, 22, 24, 12 ], <<'END', fields => [ network_link(), percentage('Use'), percentage('IPv6 use') ]),
SELECT network_id AS "Id", network_name AS "Network", cidr AS "IPv4 range", usable AS "Usable", used AS "Used", free AS "Free", percent AS "Use", outside_cidr AS "Outside",
  ip6_cidr AS "IPv6 range", ip6_used AS "IPv6 used", ip6_percent AS "IPv6 use", account_name AS "Account", zone_name AS "Zone"
FROM ${schema:doublequote}.network_ip_usage
WHERE network_id IN ($network)
ORDER BY greatest(percent, ip6_percent) DESC NULLS LAST, network_id
LIMIT 1000
END
		row('How fast', 34),
		panel('timeseries', 'Members', 'Instances on networks, by day (UTC), summed up over the networks.', [ 0, 35, 12, 11 ], <<'END'),
SELECT "time", sum(active_instances)::bigint AS members
FROM ${schema:doublequote}.networks_daily
WHERE $__timeFilter(time) AND network_id IN ($network)
GROUP BY "time"
ORDER BY "time"
END
		panel('table', 'Growth', 'Members at the first and at the last day of the time range; the hundred that grew most.', [ 12, 35, 12, 11 ], <<'END', fields => [ network_link() ]),
SELECT network_id AS "Id", network_name AS "Network", first_day AS "First day", last_day AS "Last day", last_day - first_day AS "Growth"
FROM (
  SELECT network_id, network_name,
    (array_agg(active_instances ORDER BY "time"))[1] AS first_day,
    (array_agg(active_instances ORDER BY "time" DESC))[1] AS last_day
  FROM ${schema:doublequote}.networks_daily
  WHERE $__timeFilter(time) AND network_id IN ($network)
  GROUP BY network_id, network_name) d
ORDER BY last_day - first_day DESC, network_id
LIMIT 100
END
	] },
);

#
# A whole dashboard
#

sub variables
{
	my $networks = "SELECT concat_ws(' ', network_name, '(' || network_id || ')') AS __text, network_id AS __value\nFROM \${schema:doublequote}.networks\nORDER BY network_name, network_id";
	my %schema = (selected => $true, text => 'cloud_report', value => 'cloud_report');
	return [
		{ name => 'datasource', label => 'Database', type => 'datasource', query => 'grafana-postgresql-datasource', description => 'PostgreSQL data source whose role is a reader of the inventory',
			current => { text => '${DS_VMNET}', value => '${DS_VMNET}' }, hide => 0, includeAll => $false, multi => $false, options => [], refresh => 1, regex => '', skipUrlSync => $false },
		{ name => 'schema', label => 'Reporting schema', type => 'textbox', query => 'cloud_report', description => 'Schema that vmnet.create_report() made',
			current => {%schema}, hide => 0, options => [ {%schema} ], skipUrlSync => $false },
		{ name => 'network', label => 'Network', type => 'query', datasource => {%source}, definition => $networks, query => $networks, description => 'All, or some live networks',
			allValue => 'network_id', current => { selected => $true, text => ['All'], value => ['$__all'] }, hide => 0, includeAll => $true, multi => $true, options => [],
			refresh => 1, regex => '', sort => 0, skipUrlSync => $false } ];
}

sub annotations
{
	return [
		{ builtIn => 1, datasource => { type => 'grafana', uid => '-- Grafana --' }, enable => $true, hide => $true, iconColor => 'rgba(0, 211, 255, 1)', name => 'Annotations & Alerts', type => 'dashboard' },
		{ name => 'Imports', datasource => {%source}, enable => $true, hide => $false, iconColor => 'blue', target => { %{ target(<<'END') }, refId => 'Anno' } } ];
SELECT started AS "time", finished AS timeend, concat('import ', run, ': ', status) AS text, 'import' AS tags
FROM ${schema:doublequote}.imports
WHERE $__timeFilter(started)
ORDER BY started
END
}

# What a Grafana that imports a file has to have, and asks for.
sub requirements
{
	my ($panels) = @_;
	my %types = map { $_->{type} => 1 } grep { $_->{type} ne 'row' } @$panels;
	return (
		__inputs => [ { name => 'DS_VMNET', label => 'Database', description => 'PostgreSQL data source whose role is a reader of the inventory', type => 'datasource',
			pluginId => 'grafana-postgresql-datasource', pluginName => 'PostgreSQL' } ],
		__requires => [
			{ type => 'grafana', id => 'grafana', name => 'Grafana', version => '10.3.0' },
			{ type => 'datasource', id => 'grafana-postgresql-datasource', name => 'PostgreSQL', version => '1.0.0' },
			map { { type => 'panel', id => $_, name => $_, version => '' } } sort keys %types ]);
}

sub all_panels
{
	return map { ($_, all_panels(@{ $_->{panels} // [] })) } @_;
}

# Gives panels their ids in the order of the page, and those that show what another
# has asked its id.
sub link_panels
{
	my @panels = @_;
	my ($id, %id) = (0);
	$id{ $_->{title} } = $_->{id} = ++$id foreach @panels;
	foreach my $panel (grep { defined $_->{from} } @panels)
	{
		my $from = delete $panel->{from};
		$panel->{targets} = [ { refId => 'A', datasource => {%shared}, panelId => $id{$from} // die("$panel->{title}: there is no panel $from\n") } ];
	}
	return;
}

# Pairs of names and dashboards as Grafana wants them.
sub dashboards
{
	my @result;
	while (my ($name, $is) = splice @dashboards, 0, 2)
	{
		my @panels = all_panels(@{ $is->{panels} });
		link_panels(@panels);
		push @result, $name, { requirements(\@panels), uid => "vmnet-$name", title => $is->{title}, description => $is->{description}, tags => ['vmnet_ext'], schemaVersion => 41, version => 1,
			editable => $true, graphTooltip => 1, timezone => 'utc', weekStart => '', fiscalYearStartMonth => 0, liveNow => $false, refresh => '15m',
			time => { from => $is->{from}, to => 'now' }, timepicker => { refresh_intervals => [qw(15m 30m 1h 2h 1d)] },
			links => [ { type => 'dashboards', title => 'vmnet_ext', tags => ['vmnet_ext'], asDropdown => $true, includeVars => $true, keepTime => $true, targetBlank => $false,
				icon => 'external link', tooltip => '', url => '' } ],
			templating => { list => variables() }, annotations => { list => annotations() }, panels => $is->{panels} };
	}
	return @result;
}

1;
