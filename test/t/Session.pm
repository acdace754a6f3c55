# A psql that stays: statements go to one session, one after another, and what
# it says comes back as text, errors too.  Statements can be sent without
# waiting for them, so that something else can be done to the session meanwhile.

package Session;

use strict;
use warnings FATAL => 'all';

use IO::Select;
use PostgreSQL::Test::Utils;

# Connects to a database of a node as a role, and runs "setup" there.
sub new
{
	my ($class, $node, $db, $role, $setup) = @_;
	my $self = bless { node => $node, db => $db, role => $role, setup => $setup // '', count => 0 }, $class;

	return $self->connect;
}

sub connect
{
	my ($self) = @_;

	pipe(my $from_psql, my $psql_out) or die "pipe: $!";
	pipe(my $psql_in, my $to_psql) or die "pipe: $!";
	$self->{child} = fork // die "fork: $!";
	if ($self->{child} == 0)
	{
		open STDIN, '<&', $psql_in or die;
		open STDOUT, '>&', $psql_out or die;
		open STDERR, '>&', $psql_out or die;
		close $_ for $from_psql, $psql_out, $psql_in, $to_psql;
		exec 'psql', '-X', '-A', '-t', '-v', 'VERBOSITY=sqlstate', '-d', $self->{node}->connstr($self->{db}) . " user=$self->{role}"
		  or die "psql: $!";
	}
	close $psql_out;
	close $psql_in;
	$to_psql->autoflush(1);
	@$self{qw(in out ended)} = ($to_psql, $from_psql, 0);
	$self->ask($self->{setup});
	($self->{pid}) = $self->ask('SELECT pg_backend_pid()') =~ /^(\d+)$/m or die 'no connection';
	return $self;
}

sub send
{
	my ($self, $sql) = @_;

	local $SIG{PIPE} = 'IGNORE';
	$self->{count}++;
	print { $self->{in} } "$sql\n;\n\\echo -- end $self->{count}\n";
	return;
}

# Waits for what was sent, and returns what psql has printed.  If the session
# has ended, "ended" is set.
sub receive
{
	my ($self) = @_;
	my $text = '';
	my $deadline = time + $PostgreSQL::Test::Utils::timeout_default;
	my $select = IO::Select->new($self->{out});

	until ($text =~ s/^-- end $self->{count}\n\z//m)
	{
		die "psql says nothing any more; it said: $text" if time > $deadline;
		next unless $select->can_read(1);
		next if sysread $self->{out}, $text, 65536, length $text;
		$self->{ended} = 1;
		waitpid $self->{child}, 0;
		last;
	}
	$text =~ s/\n\z//;
	return $text;
}

sub ask
{
	my ($self, $sql) = @_;

	$self->send($sql);
	return $self->receive;
}

# The same, where an error is one of the test.
sub must
{
	my ($self, $sql) = @_;
	my $text = $self->ask($sql);

	die "$text\nof: $sql" if $text =~ /ERROR:|FATAL:/ || $self->{ended};
	return $text;
}

sub reconnect
{
	my ($self) = @_;

	unless ($self->{ended})
	{
		close $self->{in};
		waitpid $self->{child}, 0;
	}
	return $self->connect;
}

sub quit
{
	my ($self) = @_;

	return if $self->{ended};
	close $self->{in};
	waitpid $self->{child}, 0;
	$self->{ended} = 1;
	return;
}

1;
