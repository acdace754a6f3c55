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
done_testing();
