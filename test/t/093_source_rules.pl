# Rules about the source that no compiler knows: what is dangerous is done in one
# place each, so that one place has to be right.
use strict;
use warnings FATAL => 'all';

use Test::More;

# The files of src/ that contain what a pattern matches, comments left out.
sub files_with
{
	my ($pattern) = @_;
	my @found;

	for my $file (sort map { glob $_ } 'src/*.[ch]', 'src/*/*.[ch]')
	{
		open(my $fh, '<', $file) or die "$file: $!";
		my $text = do { local $/; <$fh> };
		$text =~ s{/\*.*?\*/}{}gs;
		(my $name = $file) =~ s{.*/}{};
		push @found, $name if $text =~ $pattern;
	}
	return \@found;
}

cmp_ok(scalar @{ files_with(qr/ereport/) }, '>', 10, 'the source is there');

my @rules = (
	[ qr/SetUserIdAndSecContext/, ['run_as.c'], 'switches the current user' ],
	[ qr/SECURITY_(LOCAL_USERID_CHANGE|RESTRICTED_OPERATION|NOFORCE_RLS)/, ['run_as.c'], 'names a security context' ],
	[ qr/BeginInternalSubTransaction|RollbackAndReleaseCurrentSubTransaction/, ['subtransaction.c'], 'opens or ends a subtransaction' ],
	[ qr/PG_CATCH/, ['subtransaction.c'], 'catches an error' ],
	[ qr/\bPG_VERSION_NUM\b/, ['compat.h'], 'looks at the version of PostgreSQL' ],
	[ qr/ADVISORY|advisory_lock/, [], 'takes an advisory lock, which anybody can take' ],
	[ qr/superuser\s*\(/, [], 'asks for a superuser' ]);
for my $rule (@rules)
{
	my ($pattern, $allowed, $what) = @$rule;
	my %allowed = map { $_ => 1 } @$allowed;
	is_deeply([ grep { !$allowed{$_} } @{ files_with($pattern) } ], [],
		@$allowed ? "only $allowed->[0] $what" : "nothing $what");
}
#
# A function of SQL that is in C stands in two files.  The file where its other half
# is missing is known by its neighbours: where those have their other halves.
#
my (%declared, %defined);
for my $file (sort glob 'sql/*/*.sql')
{
	open(my $fh, '<', $file) or die "$file: $!";
	my $text = do { local $/; <$fh> };
	$declared{$_}{$file} = 1 for $text =~ /^AS 'MODULE_PATHNAME', '(\w+)'/mg;
}
for my $file (sort glob 'src/*/*.c')
{
	open(my $fh, '<', $file) or die "$file: $!";
	my $text = do { local $/; <$fh> };
	$defined{$_}{$file} = 1 for $text =~ /^PG_FUNCTION_INFO_V1\((\w+)\);/mg;
}
cmp_ok(scalar keys %declared, '>', 50, 'functions in C are declared in sql/');

# What has no other half, with the files where the other halves of its neighbours are.
sub halves
{
	my ($here, $there) = @_;
	my @found;

	for my $name (grep { !$there->{$_} } sort keys %$here)
	{
		for my $file (sort keys %{ $here->{$name} })
		{
			my %near = map { $_ => 1 } map { keys %{ $there->{$_} // {} } } grep { $here->{$_}{$file} } keys %$here;
			push @found, "$name of $file is not in " . (join(' or ', sort keys %near) || 'any file');
		}
	}
	return join "\n", @found;
}
is(halves(\%declared, \%defined), '', 'each of them is in src/');
is(halves(\%defined, \%declared), '', 'and each function of src/ that SQL can call is declared in sql/');
done_testing();
