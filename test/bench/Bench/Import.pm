# Imports from MariaDB through mysql_fdw, against what a good DBA would write: typed
# INSERT ... SELECT into tables with equal indexes and foreign keys.
package Bench::Import;
use strict;
use warnings;
use Time::HiRes qw(time sleep);
use POSIX ();
use Bench::Common qw(write_file one_line);
use Bench::Session;

# Tables of a mirror without triggers.
my @by_hand = (
	q(INSERT INTO by_hand.all_networks (id, uuid, name, state, traffic_type, guest_type, cidr, gateway, vpc_id, zone_id, domain_id, account_id,
			nics_count, account_name, domain_path, zone_name, created, removed)
		SELECT w.id, w.uuid::uuid, w.name, w.state, w.traffic_type, nullif(rtrim(w.guest_type), ''), w.cidr::cidr, w.gateway::inet, w.vpc_id,
			w.data_center_id, w.domain_id, w.account_id, o.nics_count, a.account_name, d.path, z.name,
			w.created AT TIME ZONE 'UTC', w.removed AT TIME ZONE 'UTC'
		FROM {source}.networks w LEFT JOIN {source}.op_networks o ON o.id = w.id LEFT JOIN {source}.account a ON a.id = w.account_id
			LEFT JOIN {source}.domain d ON d.id = w.domain_id LEFT JOIN {source}.data_center z ON z.id = w.data_center_id),
	q(INSERT INTO by_hand.all_instances (id, uuid, name, display_name, instance_name, type, state, host_id, zone_id, domain_id, account_id,
			host_name, account_name, domain_path, zone_name, created, removed)
		SELECT v.id, v.uuid::uuid, v.name, v.display_name, v.instance_name, v.type, v.state, v.host_id, v.data_center_id, v.domain_id,
			v.account_id, v.host_name, a.account_name, d.path, z.name, v.created AT TIME ZONE 'UTC', v.removed AT TIME ZONE 'UTC'
		FROM {source}.vm_instance v LEFT JOIN {source}.account a ON a.id = v.account_id
			LEFT JOIN {source}.domain d ON d.id = v.domain_id LEFT JOIN {source}.data_center z ON z.id = v.data_center_id),
	q(INSERT INTO by_hand.all_nics (id, uuid, instance_id, network_id, state, strategy, reserver_name, reservation_id, vm_type, device_id,
			default_nic, mac_address, ip4_address, ip6_address, netmask, gateway, broadcast_uri, mtu, created, state_changed, removed)
		SELECT n.id, n.uuid::uuid, n.instance_id, n.network_id, n.state, n.strategy, n.reserver_name, n.reservation_id, n.vm_type, n.device_id,
			n.default_nic <> 0, n.mac_address::macaddr, nullif(rtrim(n.ip4_address), '')::inet, nullif(rtrim(n.ip6_address), '')::inet,
			n.netmask::inet, n.gateway::inet, n.broadcast_uri, n.mtu, n.created AT TIME ZONE 'UTC',
			coalesce(n.update_time, n.created) AT TIME ZONE 'UTC', n.removed AT TIME ZONE 'UTC' FROM {source}.nics n));

sub build
{
	my ($phases) = @_;
	return "SELECT vmnet_internal.build_inventory('by_hand', 'mirror', 'cs', NULL, '{$phases}')";
}

# The private memory of a process, again and again, until the pipe is closed; the
# highest value is printed.
sub watch_memory
{
	my ($pid) = @_;

	pipe my $stop, my $keep or die "pipe: $!\n";
	open my $answer, '-|' or do
	{
		my ($most, $ready) = (0, '');

		close $keep;
		until (select($ready = do { my $bits = ''; vec($bits, fileno $stop, 1) = 1; $bits }, undef, undef, 0.02))
		{
			open my $fh, '<', "/proc/$pid/status" or last;
			while (<$fh>) { $most = $1 if /^RssAnon:\s+(\d+)/ && $1 > $most }
		}
		syswrite STDOUT, "$most\n";
		POSIX::_exit(0);
	};
	close $stop;
	return sub { close $keep; my $most = <$answer>; close $answer; chomp $most; return $most };
}

sub high_water_mark
{
	my ($pid) = @_;

	open my $fh, '<', "/proc/$pid/status" or return '';
	while (my $line = <$fh>) { return $1 if $line =~ /^VmHWM:\s+(\d+)/ }
	return '';
}

# Runs statements in a new session: CPU time, time and memory.
sub measured
{
	my ($server, $name, $size, @statements) = @_;
	my $dbh = Bench::Session::postgres($server, client_min_messages => 'warning');
	my $session = { schedstat => "/proc/$dbh->{pg_pid}/schedstat" };

	my $memory = watch_memory($dbh->{pg_pid});
	my ($cpu, $time) = (Bench::Session::cpu_ns($session), time);
	$dbh->do($_) for @statements;
	$cpu = Bench::Session::cpu_ns($session) - $cpu;
	$time = time - $time;
	my @row = ($server, $name, $size, int($cpu / 1000), int($time * 1000), $memory->(), high_water_mark($dbh->{pg_pid}));
	$dbh->disconnect;
	print "  @row[0 .. 2], $row[4] ms\n";
	return \@row;
}

# First copies and refreshes of a source, in turns; the mirror stays.
sub measure
{
	my ($dbh, $mariadb, $source, $rounds) = @_;
	my ($size) = $mariadb->selectrow_array("SELECT COUNT(*) FROM $source.nics");
	my @copy = map { one_line(s/\{source\}/$source/gr) } @by_hand;
	my @servers = ('now', $ENV{BENCH_BEFORE_HOST} ? 'before' : ());
	my @rows;

	for my $round (1 .. $rounds)
	{
		$dbh->{now}->do('CREATE SCHEMA by_hand');
		$dbh->{now}->selectrow_array(build('tables,keys,references,indexes'));
		push @rows, measured('now', 'by hand', $size, @copy);
		$dbh->{now}->do('DROP SCHEMA by_hand CASCADE; CREATE SCHEMA by_hand');
		$dbh->{now}->selectrow_array(build('tables'));
		push @rows, measured('now', 'by hand, indexes last', $size, @copy, build('keys,references,indexes'));
		$dbh->{now}->do('DROP SCHEMA by_hand CASCADE');
		for my $server (@servers)
		{
			$dbh->{$server}->do('DROP SCHEMA IF EXISTS imported CASCADE');
			push @rows, measured($server, 'first copy', $size, "CALL vmnet.import_cloudstack('$source', 'imported')");
		}
		# one NIC in a hundred has changed
		$mariadb->do("UPDATE $source.nics SET reservation_id = 'round $round' WHERE id % 100 = 0");
		push @rows, map { measured($_, 'refresh', $size, "CALL vmnet.import_cloudstack('$source', 'imported')") } @servers;
	}
	return @rows;
}

sub run
{
	my $mariadb = Bench::Session::mariadb();
	my %dbh = (now => Bench::Session::postgres('now', client_min_messages => 'warning'));
	my @rows;

	$dbh{before} = Bench::Session::postgres('before', client_min_messages => 'warning') if $ENV{BENCH_BEFORE_HOST};
	for my $source (qw(cloud_small cloud))
	{
		$_->do("CREATE SCHEMA $source; IMPORT FOREIGN SCHEMA $source LIMIT TO
			(networks, vm_instance, nics, op_networks, account, domain, data_center) FROM SERVER mariadb INTO $source") for values %dbh;
		push @rows, measure(\%dbh, $mariadb, $source, $ENV{BENCH_IMPORT_ROUNDS});
	}
	write_file('import', @rows);
	return;
}

1;
