# Monitoring: the metrics of an inventory as postgres_exporter scrapes them from
# a server, as sql_exporter would, and as a file for node_exporter; and the alert
# rules, which promtool tests.
#
# pg_regress cannot do it: it takes programs that ask the server by themselves.

use strict;
use warnings FATAL => 'all';

use HTTP::Tiny;
use IPC::Run;
use JSON::PP ();
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

# The tools; test.sh installs them.
my ($exporter) = grep { -x } grep { defined } $ENV{POSTGRES_EXPORTER}, '/usr/bin/prometheus-postgres-exporter';
my ($promtool) = grep { -x } grep { defined } $ENV{PROMTOOL}, '/usr/bin/promtool';
BAIL_OUT('there is no prometheus-postgres-exporter: install it, or say where it is in POSTGRES_EXPORTER') if !$exporter;
BAIL_OUT('there is no promtool: install it, or say where it is in PROMTOOL') if !$promtool;

my $files = 'contrib/monitoring';
my $tmp = PostgreSQL::Test::Utils::tempdir;

# What a program prints on either channel, given some input; that it ends well
# is a test.
sub output_of
{
	my ($what, $input, @command) = @_;
	my $output = '';
	my $ok = IPC::Run::run(\@command, '<', \$input, '>', \$output, '2>&1', IPC::Run::timeout($PostgreSQL::Test::Utils::timeout_default));
	ok($ok, $what) or diag($output);
	return $output;
}

sub yaml
{
	my ($file) = @_;
	return JSON::PP->new->utf8->decode(output_of("$file is YAML", '', '/usr/bin/python3', '-c',
			'import json, sys, yaml; print(json.dumps(yaml.safe_load(open(sys.argv[1], encoding="utf-8"))))', $file));
}

# A series as one text, whatever the order of its labels; a label that is empty
# is one that is not there.
sub series
{
	my ($name, %labels) = @_;
	return $name . '{' . join(',', map { "$_=$labels{$_}" } grep { defined $labels{$_} && $labels{$_} ne '' } sort keys %labels) . '}';
}

# Prometheus' text format: { series => value }, and { name => type }.
sub parse
{
	my ($text) = @_;
	my (%values, %types);

	foreach my $line (split /\n/, $text)
	{
		$types{$1} = $2 if $line =~ /^# TYPE (\S+) (\S+)$/;
		next if $line =~ /^#/ || $line eq '';
		my ($name, $labels, $value) = $line =~ /^([a-zA-Z_:][\w:]*)(?:\{(.*)\})? (\S+)$/ or die "no such line: $line";
		my %labels;
		while (defined $labels && length $labels)
		{
			$labels =~ s/^(\w+)="((?:[^"\\]|\\.)*)",?// or die "no such labels: $labels";
			my ($label, $said) = ($1, $2);
			$said =~ s/\\(.)/$1 eq 'n' ? "\n" : $1/ge;
			$labels{$label} = $said;
		}
		delete $labels{server};
		my $series = series($name, %labels);
		die "twice: $series" if exists $values{$series};
		$values{$series} = $value + 0;
	}
	return (\%values, \%types);
}

# Those of them that stand still while the test runs.
sub still
{
	my ($values) = @_;
	return { map { $_ => $values->{$_} } grep { !/_age_seconds|_oldest_seconds|^vmnet_table_/ } keys %$values };
}

sub names
{
	my %names = map { s/\{.*//sr => 1 } @_;
	return sort keys %names;
}

my $node = PostgreSQL::Test::Cluster->new('metrics');
$node->init(extra => [ '--encoding=UTF8', '--locale=C.UTF-8' ]);
$node->start;
$node->safe_psql('postgres', 'CREATE DATABASE mirror; CREATE DATABASE managed; CREATE ROLE monitor LOGIN; ALTER ROLE monitor SET jit = off');
my $load = qx(contrib/load-cloudstack-dump test/data/cloudstack-4.19 cloudstack);
$node->safe_psql('mirror', $load);
$node->safe_psql('mirror', q(CREATE EXTENSION vmnet_ext; CALL vmnet.import_cloudstack('cloudstack', 'cloud');
	SELECT vmnet.create_report('cloud'); SELECT vmnet.grant_access('cloud', 'monitor', 'reader')));
$node->safe_psql('managed', <<'END');
CREATE EXTENSION vmnet_ext;
SELECT vmnet.create_inventory('cloud');
SELECT vmnet.create_report('cloud');
SELECT vmnet.grant_access('cloud', 'monitor', 'reader');
INSERT INTO cloud.networks (name, cidr) VALUES ('web', '10.1.1.0/30'), (E'\\"büro", 網=1,\n', '10.1.2.0/29'), (NULL, NULL), ('gone', '10.1.4.0/24');
INSERT INTO cloud.instances (name, state, type) VALUES ('a', 'Running', 'User'), ('b', 'Dreaming', 'DomainRouter'), ('c', 'Stopped', 'User');
INSERT INTO cloud.nics (instance_id, network_id, ip4_address) VALUES (1, 1, '10.1.1.1'), (2, 1, '10.1.1.2'), (3, 3, NULL), (3, 2, '10.1.2.1'), (1, 2, '10.9.9.9'), (2, 2, NULL);
INSERT INTO cloud.nics (network_id, strategy, ip4_address, state) VALUES (2, 'PlaceHolder', '10.1.2.2', 'Reserved');
UPDATE cloud.nics SET state = 'Reserving' WHERE id IN (1, 2, 3);
UPDATE cloud.nics SET state = 'Deallocating' WHERE id = 6;
ALTER TABLE cloud.all_nics DISABLE TRIGGER USER;
UPDATE cloud.all_nics SET state_changed = now() - interval '2 hours' WHERE id = 1;
UPDATE cloud.all_nics SET state_changed = now() - interval '3 hours' WHERE id IN (2, 6);
UPDATE cloud.all_nics SET state_changed = now() - interval '9 hours' WHERE id = 4;
ALTER TABLE cloud.all_nics ENABLE TRIGGER USER;
ALTER TABLE cloud.all_networks DISABLE TRIGGER network_guard;
END

# Starts an exporter for a database, asks it once, and ends it.
sub scrape
{
	my ($db) = @_;
	my $port = PostgreSQL::Test::Cluster::get_free_port();
	my $address = "127.0.0.1:$port";
	local $ENV{DATA_SOURCE_NAME} = 'host=' . $node->host . ' port=' . $node->port . " user=monitor dbname=$db sslmode=disable";
	my $run = IPC::Run::start([ $exporter, "--web.listen-address=$address", "--extend.query-path=$files/postgres_exporter.yml",
			'--disable-default-metrics', '--disable-settings-metrics', '--no-collector.database', '--no-collector.bgwriter' ],
		'<', \undef, '>', "$tmp/exporter.log", '2>&1');
	my $answer;
	for my $try (1 .. 10 * $PostgreSQL::Test::Utils::timeout_default)
	{
		$answer = HTTP::Tiny->new(timeout => $PostgreSQL::Test::Utils::timeout_default)->get("http://$address/metrics");
		last if $answer->{success} || !$run->pumpable;
		select undef, undef, undef, 0.1;
	}
	$run->signal('TERM');
	$run->finish;
	unlike(slurp_file("$tmp/exporter.log"), qr/level=(error|warn)|err=/, "$db: the exporter has nothing to complain of");
	return $answer->{success} ? $answer->{content} : '';
}

# The rows of the views, as series.
sub views
{
	my ($db) = @_;
	my $text = $node->safe_psql($db, join(' UNION ALL ', map { "SELECT name || '{' || labels || '} ' || value FROM cloud_report.$_" }
			'metrics', 'metrics_networks', 'metrics_findings'), extra_params => [ '-U', 'monitor' ]);
	return (parse($text))[0];
}

my (%scraped, %types);
foreach my $db ('mirror', 'managed')
{
	my $text = scrape($db);
	my ($values, $types) = parse($text);
	is($values->{'pg_up{}'}, 1, "$db: the exporter reaches the server");
	is($values->{'pg_exporter_last_scrape_error{}'}, 0, "$db: every query ran, as a reader");
	$scraped{$db} = { map { $_ => $values->{$_} } grep { /^vmnet_/ } keys %$values };
	%types = (%types, %$types);

	my $views = views($db);
	is_deeply(still($scraped{$db}), still($views), "$db: the exporter has every series of the views, with its value, and no other");
	is_deeply([ sort keys %{ $scraped{$db} } ], [ sort keys %$views ], "$db: and those that move on, too");
	is(output_of("$db: promtool finds the metrics well made", join('', map { "$_\n" } grep { /^(# \w+ )?vmnet_/ } split /\n/, $text),
			$promtool, 'check', 'metrics'), '', "$db: and has nothing to say of them");

	# a file for node_exporter
	my $file = output_of("$db: the file for node_exporter is written", '', 'psql', '-AtqX', '-v', 'report=cloud_report', '-f', "$files/textfile.sql",
		'-U', 'monitor', '-d', $node->connstr($db));
	is_deeply(still((parse($file))[0]), still($views), "$db: it has every series");
	is_deeply((parse($file))[1], { map { $_ => $types->{$_} } grep { /^vmnet_/ } keys %$types }, "$db: and types, as the exporter");
	is(output_of("$db: promtool reads it", $file, $promtool, 'check', 'metrics'), '', "$db: and has nothing to say of it");
}

# the probes: one line, and the exit status of a plugin
{
	local $ENV{PGUSER} = 'monitor';
	foreach my $case (
		[ 'minute', 'cloud_report', 'mirror', 2, qr/^CRITICAL cloud_report: half_removed_nic 6 \(error\), live_nic_on_removed_instance 7 \(error\), live_nic_on_removed_network 3 \(error\)$/ ],
		[ 'hour', 'cloud_report', 'mirror', 2, qr/^CRITICAL cloud_report: .*\bduplicate_live_mac 4 \(error\).*\bcounter_drift 20 \(warning\)/ ],
		[ 'minute', 'cloud_report', 'managed', 2, qr/^CRITICAL cloud_report: guard_disabled \d+ \(error\)/ ],
		[ 'minute', 'none', 'mirror', 3, qr/^UNKNOWN none: .*does not exist/ ],
		[ 'daily', 'cloud_report', 'mirror', 3, qr/^usage: probe/ ])
	{
		my ($which, $report, $db, $status, $line) = @$case;
		my $output = '';
		IPC::Run::run([ "$files/probe", $which, $report, $node->connstr($db) ], '>', \$output, '2>&1', IPC::Run::timeout($PostgreSQL::Test::Utils::timeout_default));
		is($? >> 8, $status, "probe $which $report of $db: exit status");
		like($output, $line, "probe $which $report of $db: its line");
	}
}

# sql_exporter is not in Debian: what it would make of the collectors.
foreach my $db ('mirror', 'managed')
{
	my %made;
	foreach my $name ('vmnet', 'vmnet_networks', 'vmnet_findings')
	{
		my $collector = yaml("$files/$name.collector.yml");
		my %queries = map { $_->{query_name} => $_->{query} } @{ $collector->{queries} };
		my %used;
		is($collector->{collector_name}, $name, "$name: the collector is called so");
		like($collector->{min_interval}, qr/^\d+[smh]$/, "$name: it is not run at each scrape");
		foreach my $metric (@{ $collector->{metrics} })
		{
			my $query = $queries{ $metric->{query_ref} };
			my ($value) = @{ $metric->{values} };
			$used{ $metric->{query_ref} } = 1;
			is($metric->{type}, $types{ $metric->{metric_name} }, "$metric->{metric_name} is what postgres_exporter says it is") if $db eq 'mirror';
			my $rows = JSON::PP->new->decode($node->safe_psql($db, "SELECT coalesce(json_agg(q), '[]') FROM ($query) q", extra_params => [ '-U', 'monitor' ]));
			foreach my $row (@$rows)
			{
				die "$metric->{metric_name}: no such columns" if grep { !exists $row->{$_} } $value, @{ $metric->{key_labels} };
				$made{ series($metric->{metric_name}, map { $_ => $row->{$_} } @{ $metric->{key_labels} }) } = $row->{$value} + 0 if defined $row->{$value};
			}
		}
		is_deeply([ sort keys %used ], [ sort keys %queries ], "$name: every query is used");
	}
	is_deeply([ sort keys %made ], [ sort keys %{ $scraped{$db} } ], "$db: sql_exporter has the same series");
	is_deeply(still(\%made), still($scraped{$db}), "$db: with the same values");
}

# What the numbers are, by CloudStack's own rows.
my $cloud = $scraped{mirror};
my %raw = map { split /\|/ } split /\n/, $node->safe_psql('mirror', <<'END');
SELECT 'held ' || s, count(n.id) FROM (VALUES ('Allocated'), ('Reserving'), ('Reserved'), ('Releasing'), ('Deallocating')) v (s)
	LEFT JOIN cloudstack.nics n ON n.state = s AND n.removed IS NULL GROUP BY s
UNION ALL SELECT 'held other', count(*) FROM cloudstack.nics WHERE removed IS NULL AND state NOT IN ('Allocated', 'Reserving', 'Reserved', 'Releasing', 'Deallocating')
UNION ALL SELECT 'half', count(*) FROM cloudstack.nics WHERE removed IS NULL AND lower(state) = 'deallocating'
UNION ALL SELECT 'placeholders', count(*) FROM cloudstack.nics WHERE removed IS NULL AND lower(state) <> 'deallocating' AND instance_id IS NULL
UNION ALL SELECT 'networks', count(*) FROM cloudstack.networks WHERE removed IS NULL
UNION ALL SELECT 'instances', count(*) FROM cloudstack.vm_instance WHERE removed IS NULL
UNION ALL SELECT 'running', count(*) FROM cloudstack.vm_instance WHERE removed IS NULL AND state = 'Running' AND type = 'User'
UNION ALL SELECT 'with range', count(*) FROM cloudstack.networks WHERE removed IS NULL AND cidr IS NOT NULL
UNION ALL SELECT 'on 204', count(DISTINCT i.id) FROM cloudstack.nics n JOIN cloudstack.vm_instance i ON i.id = n.instance_id
	WHERE n.network_id = '204' AND n.removed IS NULL AND lower(n.state) <> 'deallocating' AND i.removed IS NULL
END
sub total
{
	my ($values, $pattern) = @_;
	my $sum = 0;
	$sum += $values->{$_} foreach grep { /$pattern/ } keys %$values;
	return $sum;
}
is($cloud->{"vmnet_nics_held{inventory=cloud,state=$_}"}, $raw{"held $_"}, "NICs held, $_")
  foreach 'Allocated', 'Reserving', 'Reserved', 'Releasing', 'Deallocating', 'other';
is($cloud->{'vmnet_nics_half_removed{inventory=cloud}'}, $raw{half}, 'half-removed NICs, however they are spelled');
cmp_ok($raw{half}, '>', 0, 'there are some');
is(total($cloud, qr/^vmnet_nics_placeholders/), $raw{placeholders}, 'placeholders');
is($cloud->{'vmnet_networks_active{inventory=cloud}'}, $raw{networks}, 'networks');
is(total($cloud, qr/^vmnet_instances_active/), $raw{instances}, 'instances');
is($cloud->{'vmnet_instances_active{instance_type=User,inventory=cloud,state=Running}'}, $raw{running}, 'instances of users that run');
is(scalar(grep { /^vmnet_network_instances_active/ } keys %$cloud), $raw{networks}, 'each live network has its series');
is(scalar(grep { /^vmnet_network_ips_used/ } keys %$cloud), $raw{'with range'}, 'those with a range have others');
my ($shared) = grep { /^vmnet_network_instances_active\{.*network_id=204,/ } keys %$cloud;
is($cloud->{$shared}, $raw{'on 204'}, 'instances active on network 204');
is(total($cloud, qr/^vmnet_findings_open/), $node->safe_psql('mirror', q(SELECT count(*) FROM vmnet.check_inventory('cloud'))), 'findings');
is(scalar(grep { /^vmnet_findings_open/ } keys %$cloud), $node->safe_psql('mirror', 'SELECT count(*) FROM vmnet.check_codes()'), 'zeros of findings are kept');
is($cloud->{'vmnet_import_last_run{inventory=cloud,status=done}'}, 1, 'the last import was done');
is(int $cloud->{'vmnet_import_last_success_timestamp_seconds{inventory=cloud}'},
	$node->safe_psql('mirror', 'SELECT floor(extract(epoch FROM finished)) FROM cloud.import_runs'), 'when it was');
is(int $cloud->{'vmnet_inventory_as_of_timestamp_seconds{inventory=cloud}'},
	$node->safe_psql('mirror', 'SELECT floor(extract(epoch FROM as_of)) FROM vmnet.inventories'), 'what time the mirror is as of');
is($cloud->{'vmnet_inventory_info{inventory=cloud,kind=mirror,version=' . $node->safe_psql('mirror', q(SELECT extversion FROM pg_extension WHERE extname = 'vmnet_ext')) . '}'},
	1, 'the inventory says what it is');
cmp_ok($cloud->{'vmnet_table_bytes{inventory=cloud,table_name=all_nics}'}, '>=', 2036 * 100, 'the table of NICs has a size');

# And by what was put in.
my $own = $scraped{managed};
my $odd = qq(\\"büro", 網=1,\n);
is($own->{"vmnet_network_ips_used{inventory=cloud,network_id=2,network_name=$odd}"}, 2, 'a name with everything that has to be escaped; addresses in use inside the range');
is($own->{"vmnet_network_ips_usable{inventory=cloud,network_id=2,network_name=$odd}"}, 6, 'addresses of the range for use');
is($own->{"vmnet_network_instances_active{inventory=cloud,network_id=2,network_name=$odd}"}, 2, 'instances active on it: neither for a placeholder nor for a half-removed NIC');
is($own->{'vmnet_network_instances_active{inventory=cloud,network_id=3}'}, 1, 'a network that has no name');
is($own->{'vmnet_network_ips_used{inventory=cloud,network_id=3}'}, undef, 'and no range, so that nothing is said of its addresses');
is($own->{'vmnet_nics_stuck{inventory=cloud,state=Reserving}'}, 2, 'stuck NICs');
is($own->{'vmnet_nics_stuck{inventory=cloud,state=Allocated}'}, 0, 'a NIC may be Allocated for ever');
cmp_ok($own->{'vmnet_nics_stuck_oldest_seconds{inventory=cloud,state=Reserving}'}, '>=', 3 * 3600, 'the oldest stuck NIC');
cmp_ok($own->{'vmnet_nics_stuck_oldest_seconds{inventory=cloud,state=Reserving}'}, '<', 9 * 3600, 'and not one in another state');
cmp_ok($own->{'vmnet_nics_half_removed_oldest_seconds{inventory=cloud}'}, '>=', 3 * 3600, 'the oldest half-removed NIC');
is($own->{'vmnet_nics_placeholders{inventory=cloud,state=Reserved}'}, 1, 'the placeholder');
is($own->{'vmnet_instances_active{instance_type=other,inventory=cloud,state=other}'}, 1, 'a state that nobody knows makes no new series');
is($own->{'vmnet_history_entries_total{inventory=cloud}'}, $node->safe_psql('managed', 'SELECT count(*) FROM cloud.nic_history'), 'history');
is($types{vmnet_history_entries_total}, 'counter', 'which is a counter');
is($own->{'vmnet_findings_open{code=guard_disabled,inventory=cloud,severity=error}'}, 1, 'a guard that is disabled');
is($own->{'vmnet_inventory_as_of_timestamp_seconds{inventory=cloud}'}, undef, 'one that is its own source is as of now');
is(scalar(grep { /^vmnet_import/ } keys %$own), 0, 'no imports into an inventory that is its own source');
is_deeply([ grep { !/_total$/ && $types{$_} eq 'counter' || /_total$/ && $types{$_} ne 'counter' } grep { /^vmnet_/ } keys %types ], [], 'what counts ends in _total, and nothing else');

# A network that is removed has no series any more; what is left of the others is as it was.
$node->safe_psql('managed', q(ALTER TABLE cloud.all_networks ENABLE TRIGGER network_guard; UPDATE cloud.networks SET removed = now() WHERE name = 'gone'));
my ($after) = parse(scrape('managed'));
my @lost = grep { !exists $after->{$_} } sort keys %$own;
is_deeply(\@lost, [ map { "vmnet_network_$_\{inventory=cloud,network_id=4,network_name=gone}" } 'instances_active', 'ips_usable', 'ips_used' ],
	'a removed network loses its series, and no other does');
is($after->{'vmnet_networks_active{inventory=cloud}'}, 3, 'it is counted no more');

# History in partitions has the size of these, and goes on being counted.
$node->safe_psql('managed', q(BEGIN; SELECT vmnet.partition_history('cloud');
	CREATE TABLE cloud.nic_history_default PARTITION OF cloud.nic_history DEFAULT; COMMIT;
	DROP TABLE cloud.nic_history_unpartitioned;
	INSERT INTO cloud.networks (name) SELECT 'n' || g FROM generate_series(1, 300) g;
	INSERT INTO cloud.nics (instance_id, network_id) SELECT 1, id FROM cloud.networks WHERE name ~ '^n\d+$';
	UPDATE cloud.nics SET state = 'Reserving' WHERE state = 'Allocated';
	ANALYZE cloud.nic_history));
is($node->safe_psql('managed', q(SELECT round((m.value - h.rows)::numeric, 3) FROM cloud_report.metrics m, (SELECT count(*) AS rows FROM cloud.nic_history) h
	WHERE name = 'vmnet_table_rows' AND table_name = 'nic_history' AND h.rows > 300)), '0.000', 'rows of history in partitions');
is($node->safe_psql('managed', q(SELECT m.value = pg_total_relation_size('cloud.nic_history_default') FROM cloud_report.metrics m
	WHERE name = 'vmnet_table_bytes' AND table_name = 'nic_history')), 't', 'and its size');
is($node->safe_psql('managed', q(SELECT value - (SELECT max(seq) FROM cloud.nic_history) FROM cloud_report.metrics WHERE name = 'vmnet_history_entries_total')),
	'0', 'and its last entry');

# An import that fails, and one that runs.
my $status = q(SELECT string_agg(status || ' ' || value, ', ' ORDER BY status) || ', ' || max(value) FILTER (WHERE name LIKE '%rejected_rows')
	FROM cloud_report.metrics WHERE name IN ('vmnet_import_last_run', 'vmnet_import_last_success_rejected_rows'));
foreach my $new ('failed', 'running')
{
	$node->safe_psql('mirror', "SET session_replication_role = replica; INSERT INTO cloud.import_runs (source, status) VALUES ('cloudstack', '$new')");
	is($node->safe_psql('mirror', $status), join(', ', map { "$_ " . ($_ eq $new ? 1 : 0) } 'done', 'failed', 'running') . ', 0', "an import that is $new, and what the last good one said");
}

# A condition on name saves the look at the NICs; the views can be left out one by one.
my $plan = $node->safe_psql('managed', q(EXPLAIN (ANALYZE, COSTS OFF, TIMING OFF, SUMMARY OFF)
	SELECT * FROM cloud_report.metrics WHERE name IN ('vmnet_networks_active', 'vmnet_history_entries_total')), extra_params => [ '-U', 'monitor' ]);
is_deeply([ grep { / on all_(nics|instances) / && !/never executed/ } split /\n/, $plan ], [], 'who asks for networks only does not wait for NICs');
$plan = $node->safe_psql('managed', q(EXPLAIN (ANALYZE, COSTS OFF, TIMING OFF, SUMMARY OFF) SELECT * FROM cloud_report.metrics));
is(scalar(grep { / on all_nics / } split /\n/, $plan), 2, 'metrics looks at NICs once, and at those half-removed');

# Who asks for one network does not wait for the others.
$node->safe_psql('managed', 'ANALYZE cloud.all_nics, cloud.all_networks, cloud.all_instances');
$plan = $node->safe_psql('managed', q(SET enable_seqscan = off; SET enable_sort = off;
	EXPLAIN (COSTS OFF) SELECT * FROM cloud_report.metrics_networks WHERE network_id = 2), extra_params => [ '-U', 'monitor' ]);
unlike($plan, qr/CTE/, 'no branch of metrics_networks keeps a condition on the network out');
is(scalar(() = $plan =~ /Index Cond: \(?.*network_id = '?2/g) > 0, 1, 'which comes to the NICs');

# The reader has the views, and nothing else.
my ($status_code, $stdout, $stderr) = $node->psql('managed', 'SELECT count(*) FROM cloud.all_nics', extra_params => [ '-U', 'monitor' ]);
like($stderr, qr/permission denied for schema cloud/, 'who scrapes cannot read the tables');

# Alert rules: well made, tested one and all, and about metrics that there are.
output_of('promtool finds the rules well made', '', $promtool, 'check', 'rules', "$files/alerts.yml");
output_of('promtool tests the rules', '', $promtool, 'test', 'rules', "$files/alerts_test.yml");
my @rules = map { @{ $_->{rules} } } @{ yaml("$files/alerts.yml")->{groups} };
my @cases = map { @{ $_->{alert_rule_test} } } @{ yaml("$files/alerts_test.yml")->{tests} };
is_deeply([ grep { my $alert = $_; !grep { $_->{alertname} eq $alert && $_->{exp_alerts} } @cases } map { $_->{alert} } @rules ], [], 'every alert is seen to fire');
is_deeply([ grep { my $alert = $_; !grep { $_->{alertname} eq $alert && !$_->{exp_alerts} } @cases } map { $_->{alert} } @rules ], [], 'and not to fire');
my %there = map { $_ => 1 } names(keys %$cloud, keys %$own), 'pg_exporter_last_scrape_error';
my %asked = map { $_ => 1 } map { $_->{expr} =~ /\b((?:vmnet|pg)_\w+)/g } @rules;
cmp_ok(scalar keys %asked, '>=', 10, 'the rules ask for metrics');
is_deeply([ grep { !$there{$_} } sort keys %asked ], [], 'and for none that a scrape does not have');
foreach my $label (map { $_->{expr} =~ /\{(\w+)[!=]/g } @rules)
{
	ok(scalar(grep { /\b$label=/ } keys %$cloud), "a label that they ask for is there: $label");
}

$node->stop;
done_testing();
