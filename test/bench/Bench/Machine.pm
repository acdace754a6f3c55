# What a run is measured on.
package Bench::Machine;
use strict;
use warnings;
use Bench::Common qw(%size thousands file_rows write_file);
use Bench::Session;

sub first_match
{
	my ($file, $pattern) = @_;

	open my $fh, '<', $file or return 'unknown';
	while (<$fh>) { return $1 if /$pattern/ }
	return 'unknown';
}

sub cores { open my $fh, '<', '/proc/cpuinfo' or return 'unknown'; return scalar grep { /^processor/ } <$fh> }

sub versions
{
	my $dbh = Bench::Session::postgres('now');
	my $value = sub { my ($x) = $dbh->selectrow_array($_[0]); return $x };
	my $version = sub { $value->("SELECT extversion FROM pg_extension WHERE extname = '$_[0]'") };
	my ($valgrind) = qx(valgrind --version) =~ /valgrind-(.*)/;

	return join ', ', 'PostgreSQL ' . $value->('SHOW server_version'), "vmnet_ext " . $value->('SELECT vmnet.version()')
		. ($ENV{BENCH_REVISION} ? " ($ENV{BENCH_REVISION})" : ''),
		'MariaDB ' . (Bench::Session::mariadb()->selectrow_array('SELECT VERSION()'))[0],
		'mysql_fdw ' . $version->('mysql_fdw'), 'periods ' . $version->('periods'), "valgrind $valgrind";
}

# The servers are asked while they run; later what they said is read.
sub lines
{
	my @said = map { $_->[0] } file_rows('machine');

	return @said if @said;
	@said = described();
	write_file('machine', map { [$_] } @said);
	return @said;
}

sub described
{
	my $memory = first_match('/proc/meminfo', qr/^MemTotal:\s+(\d+)/);
	my @sets = map { $_ ? thousands($_ * $size{live}) : 0 } split / /, $ENV{BENCH_SETS};
	my @loads = map { sprintf '%s', (split ' ', $_)[0] } $ENV{BENCH_LOAD}, do { open my $fh, '<', '/proc/loadavg'; scalar <$fh> };

	return ('- Versions: ' . versions() . '.',
		'- Before: ' . ($ENV{BENCH_BEFORE_HOST} ? "$ENV{BENCH_BEFORE_NAME}, in an installation and a server of its own." : 'not measured.'),
		'- Machine: ' . first_match('/proc/cpuinfo', qr/^model name\s*:\s*(.*)/) . ', ' . cores() . ' cores, '
			. sprintf('%.0f GB of memory', $memory / 1048576) . ". Load average at the start $loads[0], at the end $loads[1].",
		'- Data to read: ' . thousands($size{live}) . ' live NICs, ' . join(', ', @sets) . ' removed ones, '
			. thousands($size{instances}) . ' instances; ' . $size{large} . ' network(s) of ' . thousands($size{network}) . ', '
			. thousands($size{small}) . ' of 130.',
		'- Data to write to: ' . thousands($size{write_live}) . " NICs. Rounds: $ENV{BENCH_ROUNDS}, in each of which a variant takes"
			. " $ENV{BENCH_MS} ms or one execution.");
}

1;
