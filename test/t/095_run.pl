# The functions of test/lib.sh that run tests: a test that fails shows its
# diagnostics, wherever in the output they are.
#
# pg_regress cannot do it: a test has to fail.

use strict;
use warnings FATAL => 'all';

use Cwd qw(abs_path);
use File::Temp qw(tempdir);
use FindBin;
use Test::More;

my $folder = tempdir(CLEANUP => 1);
my $lib = abs_path("$FindBin::RealBin/../lib.sh");

# Far more lines are between the diagnostics and the end than are printed of it.
open my $file, '>', "$folder/fails.pl" or die $!;
print $file <<'TEST';
use Test::More;
ok(1, 'fine') for 1 .. 100;
is('this', 'that', 'deliberate');
ok(1, "later $_") for 1 .. 100;
done_testing();
TEST
close $file;
open $file, '>', "$folder/run.sh" or die $!;
print $file <<'RUN';
. "$1"
cd "$2"
work=$2
run "TAP" '^ok [0-9]' '^not ok [0-9]|Dubious' prove -v fails.pl
echo "$passed $failed"
RUN
close $file;

# $0 has to be a file beside lib.sh.
my $output = do
{
	local @ENV{qw(HARNESS_ACTIVE PERL5OPT)};
	open my $pipe, '-|', 'sh', '-c', ". $folder/run.sh", "$FindBin::RealBin/../test.sh", $lib, $folder
	  or die $!;
	local $/;
	<$pipe>;
};
like($output, qr/^not ok 101 - deliberate$/m, 'the test that failed is named');
like($output, qr/^#   Failed test 'deliberate'$/m, 'its diagnostics are printed');
like($output, qr/^# +got: 'this'\n# +expected: 'that'$/m, 'with what was expected');
like($output, qr/ 200 passed, [12] failed$/m, 'tests are counted');

done_testing();
