# A private MariaDB with CloudStack's tables, as Debian's packages have it: no
# root, a folder of its own, a socket there and a port on loopback, ended by its
# process id.

package MariaDB;

use strict;
use warnings FATAL => 'all';

use IPC::Run;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use POSIX ();
use Test::More;
use Time::HiRes ();

my @programs = ('/usr/sbin/mariadbd', '/usr/bin/mariadb-install-db', '/usr/bin/mariadb');
my @servers;

# Why these tests cannot run against this PostgreSQL, or undef.
sub missing
{
	my ($node) = @_;

	foreach my $program (@programs)
	{
		return "$program is not there (Debian: mariadb-server-core, mariadb-client-core)"
		  unless -x $program;
	}
	return 'mysql_fdw is not there for this PostgreSQL (Debian has postgresql-15-mysql-fdw)'
	  if $node->safe_psql('postgres', q{SELECT count(*) FROM pg_available_extensions WHERE name = 'mysql_fdw'}) eq '0';
	return;
}

# A server that runs; its time zone is none that anybody else has here.
sub new
{
	my ($class, %options) = @_;
	my $self = bless {
		dir => PostgreSQL::Test::Utils::tempdir_short(),
		port => PostgreSQL::Test::Cluster::get_free_port(),
		zone => '+09:00',
		%options }, $class;

	$self->{socket} = "$self->{dir}/s";
	run_quietly('mariadb-install-db', '--no-defaults', "--datadir=$self->{dir}/data",
		'--auth-root-authentication-method=normal', '--skip-test-db', '--skip-log-bin');
	push @servers, $self;
	$self->start;
	return $self;
}

# Runs a program; what it says is shown where it fails.
sub run_quietly
{
	my @command = @_;
	my $said = '';

	IPC::Run::run(\@command, '>', \$said, '2>&1') or die "@command: $said";
	return;
}

sub start
{
	my ($self) = @_;
	my $pid = fork;

	die "fork: $!" unless defined $pid;
	if ($pid == 0)
	{
		open(STDIN, '<', '/dev/null') or POSIX::_exit(1);
		open(STDOUT, '>>', "$self->{dir}/log") or POSIX::_exit(1);
		open(STDERR, '>&', \*STDOUT) or POSIX::_exit(1);
		exec($programs[0], '--no-defaults', "--datadir=$self->{dir}/data",
			"--socket=$self->{socket}", "--pid-file=$self->{dir}/pid",
			'--bind-address=127.0.0.1', "--port=$self->{port}",
			"--default-time-zone=$self->{zone}", '--character-set-server=utf8mb3',
			'--innodb-flush-log-at-trx-commit=2', '--innodb-buffer-pool-size=256M')
		  or POSIX::_exit(1);
	}
	$self->{pid} = $pid;

	for (1 .. 600)
	{
		return if $self->answers;
		last if waitpid($pid, POSIX::WNOHANG()) != 0;
		Time::HiRes::sleep(0.1);
	}
	$self->{pid} = undef if !kill(0, $pid);
	die 'MariaDB did not start: ' . PostgreSQL::Test::Utils::slurp_file("$self->{dir}/log");
}

sub client
{
	my ($self, @arguments) = @_;
	return ('mariadb', '--no-defaults', "--socket=$self->{socket}", '-u', 'root',
		'--default-character-set=utf8mb4', '-N', '-B', '--local-infile=1', @arguments);
}

sub answers
{
	my ($self) = @_;
	my $said = '';

	return IPC::Run::run([ $self->client('-e', 'SELECT 1') ], '>', \$said, '2>&1');
}

# Runs SQL in database cloud, or in none; gives what it prints.
sub sql
{
	my ($self, $sql, @database) = @_;
	my ($output, $error) = ('', '');

	@database = ('cloud') unless @database;
	IPC::Run::run([ $self->client(grep { defined } @database) ], '<', \$sql, '>', \$output, '2>', \$error)
	  or die "MariaDB: $error in: $sql";
	chomp $output;
	return $output;
}

# Ends it at once, as a machine that fails does, or in order.
sub kill9
{
	my ($self) = @_;
	return $self->end('KILL');
}

sub stop
{
	my ($self) = @_;
	return $self->end('TERM');
}

sub end
{
	my ($self, $signal) = @_;

	return unless defined $self->{pid};
	kill($signal, $self->{pid});
	waitpid($self->{pid}, 0);
	$self->{pid} = undef;
	return;
}

# CloudStack's tables, with MySQL's own types, as columns.tsv has them.
sub make_tables
{
	my ($self, $dir) = @_;
	my (%definition, %key, @order);

	open(my $fh, '<', "$dir/columns.tsv") or die "$dir/columns.tsv: $!";
	<$fh>;    # header
	while (my $line = <$fh>)
	{
		chomp $line;
		my ($table, undef, $column, $type, $nullable, $key) = split /\t/, $line, -1;

		push @order, $table unless $definition{$table};
		push @{ $definition{$table} }, "`$column` $type " . ($nullable eq 'YES' ? 'NULL DEFAULT NULL' : 'NOT NULL');
		push @{ $key{$table} }, { PRI => 'PRIMARY KEY', UNI => 'UNIQUE KEY', MUL => 'KEY' }->{$key} . " (`$column`)"
		  if $key ne '';
	}
	close($fh);

	$self->sql('CREATE DATABASE cloud DEFAULT CHARACTER SET utf8mb3', undef);
	foreach my $table (@order)
	{
		$self->sql("CREATE TABLE `$table` (" . join(', ', @{ $definition{$table} }, @{ $key{$table} || [] })
			  . ') ENGINE=InnoDB DEFAULT CHARSET=utf8mb3');
	}
	return @order;
}

# The rows of a dump, as they are: \N, \t, \n and \\ are MySQL's own.
sub load_tables
{
	my ($self, $dir, @tables) = @_;

	foreach my $table (@tables)
	{
		$self->sql("SET sql_mode = ''; SET time_zone = '+00:00';"
			  . "LOAD DATA LOCAL INFILE '$dir/tables/$table.tsv' INTO TABLE `$table` CHARACTER SET utf8mb4");
	}
	return;
}

# An account: its name, and what it may do.
sub make_account
{
	my ($self, $name, @grants) = @_;

	$self->sql("CREATE USER '$name'\@'127.0.0.1' IDENTIFIED BY 'secret of $name'", undef);
	$self->sql("GRANT $_ TO '$name'\@'127.0.0.1'", undef) foreach @grants;
	return;
}

# What makes PostgreSQL see it: a server, and a mapping for this role.
sub server_sql
{
	my ($self, $server, $account, %options) = @_;
	my $more = join('', map { ", $_ '" . $options{$_} =~ s/'/''/gr . "'" } sort keys %options);

	return <<"SQL";
CREATE SERVER $server FOREIGN DATA WRAPPER mysql_fdw
	OPTIONS (host '127.0.0.1', port '$self->{port}'$more);
CREATE USER MAPPING FOR CURRENT_USER SERVER $server
	OPTIONS (username '$account', password 'secret of $account');
SQL
}

END
{
	my $status = $?;
	foreach my $self (@servers)
	{
		$self->kill9;
	}
	$? = $status;
}

1;
