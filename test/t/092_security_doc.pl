# doc/security.md says of every trigger function, and of every function that users
# call and that works otherwise than as the owner, as whom it works; and it says so
# of no other.
#
# pg_regress cannot do it: it is about a document.
use strict;
use warnings FATAL => 'all';

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $node = PostgreSQL::Test::Cluster->new('security');
$node->init;
$node->start;
$node->safe_psql('postgres', 'CREATE EXTENSION vmnet_ext');

my $doc = slurp_file('doc/security.md');

# The names in backquotes in one column of the rows of a section.
sub names_in
{
	my ($section, $column) = @_;
	my ($text) = $doc =~ /^### \Q$section\E\n(.*?)(?=^##)/ms or die "no section $section";
	return map { /`(\w+)`/g } map { (split /\|/)[$column] } grep { /^\| (?!works as|fires on)/ } split /\n/, $text;
}

sub twice
{
	my %count;
	$count{$_}++ for @_;
	return [ grep { $count{$_} > 1 } sort keys %count ];
}

my @public = sort split /\n/, $node->safe_psql('postgres', q(SELECT DISTINCT proname FROM pg_proc
	WHERE pronamespace = 'vmnet'::regnamespace AND prorettype <> 'trigger'::regtype
		AND coalesce(obj_description(oid, 'pg_proc'), '') !~ '^(Part of|Planner support)'));
my @triggers = sort split /\n/, $node->safe_psql('postgres', q(SELECT DISTINCT proname FROM pg_proc p JOIN pg_depend d ON d.classid = 'pg_proc'::regclass AND d.objid = p.oid AND d.deptype = 'e'
	WHERE prorettype = 'trigger'::regtype AND d.refobjid = (SELECT oid FROM pg_extension WHERE extname = 'vmnet_ext')));
cmp_ok(scalar @public, '>', 40, 'there are functions');
my %public = map { $_ => 1 } @public;
is_deeply([ grep { !$public{$_} } names_in('Functions', 2) ], [], 'doc/security.md names functions that there are');
is_deeply(twice(names_in('Functions', 2)), [], 'once');
is_deeply([ sort(names_in('Trigger functions', 2)) ], \@triggers, 'the same of trigger functions');
is_deeply(twice(names_in('Trigger functions', 2)), [], 'once');

# What the table says is what a superuser's calls did.
my %as;
for (split /\n/, slurp_file('test/data/whose_rights.tsv'))
{
	my ($function, $inventory, @callers) = split /\t/;
	my ($name) = $function =~ /^vmnet\.(\w+)\(/ or next;
	$as{$name} = 'the owner' if $callers[4] =~ /owner/;
	$as{$name} //= 'the caller';
}
my ($section) = $doc =~ /^### Functions\n(.*?)(?=^##)/ms;
for my $row (grep { /^\| the / } split /\n/, $section)
{
	my ($said, $names) = (split /\|/, $row)[ 1, 2 ];
	next if $said !~ /^ the caller;/;
	is_deeply([ grep { ($as{$_} // 'none') ne 'the caller' } $names =~ /`(\w+)`/g ], [], "recorded rights:$said");
}
my %named = map { $_ => 1 } names_in('Functions', 2);
like($section, qr/^\| the owner \| every function that no row below names \|$/m, 'the others work as the owner');
is_deeply([ grep { !$named{$_} && ($as{$_} // 'none') ne 'the owner' } @public ], [], 'doc/security.md names each function that works otherwise, as test/data/whose_rights.tsv says');
$node->stop;
done_testing();
