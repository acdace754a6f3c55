# Sessions with the servers that are compared, and the CPU time of their backends.
#
# A variant names its server (now, before, mariadb), how its statement is planned
# (generic, auto; text: not prepared) and random_page_cost.
package Bench::Session;
use strict;
use warnings;
use DBI;

my %sessions;

sub postgres
{
	my ($server, %setting) = @_;
	my $host = $server eq 'before' ? $ENV{BENCH_BEFORE_HOST} : $ENV{PGHOST};
	my $dbh = DBI->connect("dbi:Pg:host=$host;dbname=bench", 'postgres', '', { RaiseError => 1, PrintError => 0 });

	$dbh->do("SET $_ = $setting{$_}") for sort keys %setting;
	return $dbh;
}

sub mariadb
{
	return DBI->connect("dbi:MariaDB:database=cloud;mariadb_socket=$ENV{BENCH_MARIADB_SOCKET}", 'root', '',
		{ RaiseError => 1, PrintError => 0, mariadb_server_prepare => 1, mariadb_server_prepare_disable_fallback => 1 });
}

# The file that has the CPU time of the thread that works for a session.
sub schedstat
{
	my ($server, $dbh) = @_;

	return "/proc/$dbh->{pg_pid}/schedstat" if $server ne 'mariadb';
	my ($tid) = $dbh->selectrow_array('SELECT tid FROM information_schema.processlist WHERE id = CONNECTION_ID()');
	return "/proc/$ENV{BENCH_MARIADB_PID}/task/$tid/schedstat";
}

# One session for each way of planning, so that no variant gets the plans of another.
sub of
{
	my ($v) = @_;
	my $key = join ' ', $v->{server}, $v->{mode}, $v->{rpc};

	$sessions{$key} //= do
	{
		my $dbh = $v->{server} eq 'mariadb' ? mariadb() : postgres($v->{server}, random_page_cost => $v->{rpc},
			plan_cache_mode => $v->{mode} eq 'generic' ? 'force_generic_plan' : 'auto');
		{ dbh => $dbh, schedstat => schedstat($v->{server}, $dbh) };
	};
	return $sessions{$key};
}

# Nanoseconds that a backend, which is waiting for us, has been on a CPU.
sub cpu_ns
{
	my ($session) = @_;

	open my $fh, '<', $session->{schedstat} or die "there is no $session->{schedstat}\n";
	my ($ns) = split ' ', <$fh>;
	return $ns;
}

# A statement with the arguments written into it.
sub literal
{
	my ($sql, @arguments) = @_;

	return $sql =~ s/\$(\d)/$arguments[$1 - 1]/gr;
}

# Gives a function that runs the statement of a variant with arguments.
sub runner
{
	my ($v) = @_;
	my $dbh = of($v)->{dbh};

	return sub { $dbh->do(literal($v->{sql}, @_)); return } if $v->{mode} eq 'text';
	# MariaDB's parameters have no numbers
	my @order = map { $_ - 1 } $v->{sql} =~ /\$(\d)/g;
	my $mariadb = $v->{server} eq 'mariadb';
	my $statement = $dbh->prepare($mariadb ? $v->{sql} =~ s/\$\d/?/gr : $v->{sql}, $mariadb ? {} : { pg_prepare_now => 1 });
	return sub
	{
		$statement->execute($mariadb ? @_[@order] : @_);
		# a client reads what it has asked for
		$statement->fetchall_arrayref if $mariadb && $statement->{NUM_OF_FIELDS};
		$statement->finish;
		return;
	};
}

1;
