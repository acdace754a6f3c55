# MariaDB with CloudStack's tables, all columns and indexes of them, and the NICs of
# bench_1; a second database with a quarter of them, for the import.
package Bench::MariaDB;
use strict;
use warnings;
use Bench::Session;

# The columns that are not NULL or constant, from an inventory.
my %export = (
	networks => q(SELECT id, uuid, name, 'Guest', 'Vlan', '10.0.0.1', '10.0.0.0/8', 1, 1, 'ExternalGuestNetworkGuru', 'Implemented', id, 1, 2,
		0, 0, 0, 'Isolated', '2025-01-01', 1 FROM bench_1.all_networks),
	vm_instance => q(SELECT id, uuid, name, instance_name, state, 1, 1, 1, host_id, '', 0, 0, 5, '2025-06-01', '2025-01-01', 'User', 'User',
		2, 1, 1, 'admin', display_name, 1, 'PowerOn', 1 FROM bench_1.all_instances),
	nics => q(SELECT id, uuid, instance_id, mac_address, host(ip4_address), host(netmask), host(gateway), 'Ip4', broadcast_uri, network_id,
		'Dhcp', state, strategy, reserver_name, device_id, '2025-06-01', default_nic::int, 'User', created AT TIME ZONE 'UTC',
		removed AT TIME ZONE 'UTC', 0, 1 FROM bench_1.all_nics ORDER BY id));
my %columns = (
	networks => 'id, uuid, name, traffic_type, broadcast_domain_type, gateway, cidr, network_offering_id, data_center_id, guru_name, state,
		related, domain_id, account_id, set_fields, restart_required, specify_ip_ranges, guest_type, created, display_network',
	vm_instance => 'id, uuid, name, instance_name, state, guest_os_id, pod_id, data_center_id, host_id, vnc_password, ha_enabled, limit_cpu_use,
		update_count, update_time, created, type, vm_type, account_id, domain_id, service_offering_id, owner, display_name, display_vm,
		power_state, user_id',
	nics => 'id, uuid, instance_id, mac_address, ip4_address, netmask, gateway, ip_type, broadcast_uri, network_id, mode, state, strategy,
		reserver_name, device_id, update_time, default_nic, vm_type, created, removed, secondary_ip, display_nic');

# The tables, with MySQL's own types and the indexes that columns.tsv tells of.
sub definitions
{
	my ($file) = @_;
	my (%parts, %keys);
	my %kind = (PRI => 'PRIMARY KEY', UNI => 'UNIQUE KEY', MUL => 'KEY');

	open my $fh, '<', $file or die "there is no $file\n";
	<$fh>;
	while (<$fh>)
	{
		chomp;
		my ($table, undef, $column, $type, $nullable, $key) = split /\t/, $_, -1;

		push @{ $parts{$table} }, "`$column` $type " . ($nullable eq 'YES' ? 'NULL DEFAULT NULL' : 'NOT NULL');
		push @{ $keys{$table} }, "$kind{$key} (`$column`)" if $key;
	}
	return map { ($_ => "CREATE TABLE `$_` (" . join(', ', @{ $parts{$_} }, @{ $keys{$_} // [] }) . ') ENGINE=InnoDB') } keys %parts;
}

sub fill
{
	my ($mariadb, $postgres) = @_;
	my $file = "$ENV{BENCH_WORK}/rows.tsv";

	for my $table (qw(networks vm_instance nics))
	{
		open my $fh, '>', $file or die "cannot write $file: $!\n";
		my $line = '';
		$postgres->do("COPY ($export{$table}) TO STDOUT");
		print $fh $line while $postgres->pg_getcopydata($line) >= 0;
		close $fh;
		$mariadb->do("LOAD DATA LOCAL INFILE '$file' INTO TABLE $table ($columns{$table})");
	}
	unlink $file;
	return;
}

# An index that CloudStack does not have, on NICs of their own.
sub add_indexed
{
	my ($mariadb) = @_;

	$mariadb->do('CREATE TABLE nics_indexed LIKE nics');
	$mariadb->do('ALTER TABLE nics_indexed ADD KEY members (network_id, removed, state, instance_id)');
	$mariadb->do('INSERT INTO nics_indexed SELECT * FROM nics');
	$mariadb->do('ANALYZE TABLE networks, vm_instance, nics, nics_indexed');
	return;
}

sub server_sql
{
	return "CREATE EXTENSION mysql_fdw;
		CREATE SERVER mariadb FOREIGN DATA WRAPPER mysql_fdw OPTIONS (host '127.0.0.1', port '$ENV{BENCH_MARIADB_PORT}', fetch_size '10000',
			init_command 'SET time_zone = ''+00:00''');
		CREATE USER MAPPING FOR CURRENT_USER SERVER mariadb OPTIONS (username 'reader', password 'reader')";
}

sub run
{
	my ($columns_file) = @_;
	my $postgres = Bench::Session::postgres('now', client_min_messages => 'warning');
	my %definition = definitions($columns_file);

	my $mariadb = DBI->connect("dbi:MariaDB:mariadb_socket=$ENV{BENCH_MARIADB_SOCKET};mariadb_local_infile=1", 'root', '',
		{ RaiseError => 1, PrintError => 0 });
	$mariadb->do("SET sql_mode = ''");
	$mariadb->do('CREATE DATABASE cloud DEFAULT CHARACTER SET utf8mb3');
	$mariadb->do('USE cloud');
	$mariadb->do($definition{$_}) for sort keys %definition;
	$mariadb->do("INSERT INTO account (id, account_name) VALUES (2, 'admin')");
	$mariadb->do("INSERT INTO domain (id, path) VALUES (1, '/')");
	$mariadb->do("INSERT INTO data_center (id, name) VALUES (1, 'zone')");
	fill($mariadb, $postgres);
	add_indexed($mariadb);

	$mariadb->do('CREATE DATABASE cloud_small DEFAULT CHARACTER SET utf8mb3');
	for my $table (sort keys %definition)
	{
		my $condition = { nics => 'WHERE instance_id % 4 = 0', vm_instance => 'WHERE id % 4 = 0' }->{$table} // '';

		$mariadb->do("CREATE TABLE cloud_small.$table LIKE cloud.$table");
		$mariadb->do("INSERT INTO cloud_small.$table SELECT * FROM cloud.$table $condition");
	}
	$mariadb->do(q(CREATE USER 'reader'@'127.0.0.1' IDENTIFIED BY 'reader'));
	$mariadb->do(qq(GRANT SELECT ON $_.* TO 'reader'\@'127.0.0.1')) for qw(cloud cloud_small);
	$_->do(server_sql()) for $postgres, $ENV{BENCH_BEFORE_HOST} ? Bench::Session::postgres('before', client_min_messages => 'warning') : ();
	return;
}

1;
