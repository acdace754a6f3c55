# contrib/observe/: what programs of a host print gets to vmnet.observe() unchanged,
# by a role that may do nothing else; where a program fails, nothing is sent.
#
# pg_regress cannot do it: it needs programs, which are stood in for by ones that
# print what was recorded, or fail.

use strict;
use warnings FATAL => 'all';

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $node = PostgreSQL::Test::Cluster->new('main');
$node->init;
$node->start;
$node->safe_psql(
	'postgres', q(
	CREATE EXTENSION vmnet_ext;
	CREATE ROLE collector LOGIN;
	CREATE ROLE stranger LOGIN;
	SELECT vmnet.create_inventory('it''s "one"'), vmnet.enable_reality('it''s "one"'), vmnet.grant_access('it''s "one"', 'collector', 'observer');
	INSERT INTO "it's ""one""".observers (name, kind, host)
	SELECT k, k, 'h1' FROM unnest('{libvirt,ovs,neigh,fdb,leases,prometheus,cloudstack,csv}'::text[]) k;
	INSERT INTO "it's ""one""".observers (name, kind) VALUES ('o''ne $x "\', 'csv')));

my $folder = PostgreSQL::Test::Utils::tempdir();
mkdir "$folder/$_" or die "$folder/$_: $!" foreach 'bin', 'tmp', "it's a \$folder";
my $data = 'test/data/observations';
local %ENV = (%ENV, PGHOST => $node->host, PGPORT => $node->port, PGDATABASE => 'postgres',
	PATH => "$folder/bin:$ENV{PATH}", TMPDIR => "$folder/tmp", FAKE => $folder);
delete $ENV{VMNET_SSH};

sub write_file
{
	my ($file, $text) = @_;
	open my $fh, '>:raw', $file or die "$file: $!";
	print $fh $text;
	close $fh;
	return;
}

# A program that logs how it is called, and runs a script.
sub program
{
	my ($name, $script) = @_;
	write_file("$folder/bin/$name", "#!/bin/sh\nprintf '%s\\n' \"$name \$*\" >>\"\$FAKE/calls\"\n$script\n");
	chmod 0755, "$folder/bin/$name" or die "$name: $!";
	return;
}

my $role = 'collector';

# Runs a collector; returns its exit status, what it prints, its errors, and how the
# programs were called.
sub collector
{
	my ($kind, @arguments) = @_;
	my ($stdout, $stderr) = ('', '');
	local $ENV{PGUSER} = $role;
	unlink "$folder/calls";
	IPC::Run::run([ 'sh', "contrib/observe/$kind", @arguments ], '<', \'not the payload', '>', \$stdout, '2>', \$stderr);
	my $status = $? >> 8;
	is(join(' ', glob "$folder/tmp/*"), '', "$kind leaves no file");
	return ($status, $stdout, $stderr, -e "$folder/calls" ? slurp_file("$folder/calls") : '');
}

sub query
{
	return $node->safe_psql('postgres', q(SET search_path = "it's ""one"""; ) . $_[0]);
}

# What an observer has: pictures, and open facts.
sub state_of
{
	my ($observer) = @_;
	return query("SELECT pictures, (SELECT count(*) FROM sightings s WHERE s.observer = o.name) FROM observers o WHERE o.name = '$observer'");
}

my @here = ('-i', q(it's "one"));

# Programs that print a file, and end with a status of another one.
my $print = 'cat "$FAKE/payload"; exit "$(cat "$FAKE/status")"';
program($_, $print) foreach 'ovs-vsctl', 'ip', 'bridge', 'curl';
program('ssh', 'for last; do :; done; exec sh -c "$last"');
write_file("$folder/status", "0\n");

#
# Each kind: what was recorded is seen; a program that fails sends nothing.
#
my %kinds = (
	ovs => [ 'server.ovs', 'ovs-vsctl --timeout=30 --format=json --columns=name,external_ids,error,mac_in_use list Interface', 3 ],
	neigh => [ 'bridge.neigh', 'ip -j neigh', 4 ],
	fdb => [ 'bridge.fdb', 'bridge -j fdb show' ],
	prometheus => [ 'query.prometheus',
		'curl -fsS --max-time 60 -G --data-urlencode query=libvirt_domain_interface_stats_info -- http://localhost:9090/api/v1/query', 3 ]);
foreach my $kind (sort keys %kinds)
{
	my ($file, $call, $count) = @{ $kinds{$kind} };
	my $payload = slurp_file("$data/$file");
	$count //= $node->safe_psql('postgres', "SELECT count(*) FROM vmnet.read_observation('$kind', \$p\$$payload\$p\$) WHERE reason IS NULL");
	write_file("$folder/payload", $payload);
	my ($status, $stdout, $stderr, $calls) = collector($kind, @here, $kind);
	is($status, 0, "$kind: 0") or diag($stderr);
	is($stdout, "observer $kind: seen $count, new $count, gone 0, rejected 0\n", "$kind: what was recorded is seen");
	is($calls, "$call\n", "$kind: by one program");
	is(state_of($kind), "1|$count", "$kind: it is there");
	is((collector($kind, @here, '-n', $kind))[1], $payload, "$kind: -n prints the payload");

	($status, $stdout, $stderr, $calls) = collector($kind, @here, '-h', 'host-1', $kind);
	is($stdout, "observer $kind: seen $count, new 0, gone 0, rejected 0\n", "$kind: by ssh") or diag($stderr);
	like($calls, qr/^ssh -o BatchMode=yes -o ConnectTimeout=10 -- host-1 sh -c '.*\Q$call\E\n\z/s, "$kind: on that host");
	is(state_of($kind), "2|$count", "$kind: that is the second picture");

	# all is printed, or nothing, and then the program fails
	foreach my $printed ($payload, '', '[]')
	{
		write_file("$folder/payload", $printed);
		write_file("$folder/status", "3\n");
		foreach my $far ([], [ '-h', 'host-1' ])
		{
			($status, $stdout, $stderr) = collector($kind, @here, @$far, $kind);
			is($status, 1, "$kind: a failure is one");
			like($stderr, qr/nothing is sent for observer $kind/, "$kind: and is said");
		}
		write_file("$folder/status", "0\n");
	}
	write_file("$folder/payload", '');
	is((collector($kind, @here, $kind))[0], 1, "$kind: no output is a failure");
	is(state_of($kind), "2|$count", "$kind: nothing was sent");
}

#
# libvirt: each domain by itself.  One that ends in between is none.
#
my @domains = slurp_file("$data/test.libvirt") =~ m{(<domain .*?</domain>\n)}sg;
my @uuids = map { m{<uuid>(.*?)</uuid>} } @domains;
write_file("$folder/$uuids[$_].xml", $domains[$_]) foreach 0 .. $#domains;
write_file("$folder/domains", join("\n", @uuids) . "\n\n");
program('virsh', <<'SH');
case $* in
	*" list --uuid") cat "$FAKE/domains" ;;
	*" dumpxml "*)
		for last; do :; done
		if [ "$last" = "$(cat "$FAKE/ended" 2>/dev/null)" ]; then grep -v "$last" "$FAKE/domains" >"$FAKE/d"; mv "$FAKE/d" "$FAKE/domains"; exit 1; fi
		cat "$FAKE/$last.xml" ;;
	*) exit 9 ;;
esac
SH
my ($status, $stdout, $stderr, $calls) = collector('libvirt', @here, 'libvirt');
is($stdout, "observer libvirt: seen 4, new 4, gone 0, rejected 0\n", 'libvirt: what was recorded is seen') or diag($stderr);
like($calls, qr/\Avirsh -q -r -c qemu:\/\/\/system list --uuid\n(virsh -q -r -c qemu:\/\/\/system dumpxml [0-9a-f-]+\n){2}\z/, 'read only');
($status, $stdout, $stderr, $calls) = collector('libvirt', @here, '-h', 'kvm-1', '-c', q(test:///it's $x), 'libvirt');
is($stdout, "observer libvirt: seen 4, new 0, gone 0, rejected 0\n", 'libvirt: by ssh') or diag($stderr);
like($calls, qr/^virsh -q -r -c test:\/\/\/it's \$x list --uuid\n/m, 'with any URI');
rename "$folder/$uuids[1].xml", "$folder/kept" or die $!;
($status, $stdout, $stderr) = collector('libvirt', @here, 'libvirt');
is($status, 1, 'libvirt: a domain that is there and cannot be read is a failure') or diag($stdout);
is(state_of('libvirt'), '2|4', 'libvirt: nothing was sent');
write_file("$folder/ended", "$uuids[1]\n");
($status, $stdout, $stderr) = collector('libvirt', @here, 'libvirt');
is($stdout, "observer libvirt: seen 1, new 0, gone 3, rejected 0\n", 'libvirt: one that ended is none') or diag($stderr);
unlink "$folder/domains";
is((collector('libvirt', @here, 'libvirt'))[0], 1, 'libvirt: no list is a failure');
write_file("$folder/domains", "\n");
is((collector('libvirt', @here, 'libvirt'))[1], "observer libvirt: seen 0, new 0, gone 1, rejected 0\n", 'libvirt: a host that runs nothing is none');

#
# Files: leases and csv.
#
my $leases = "$folder/it's a \$folder/dns masq.leases";
write_file($leases, slurp_file("$data/dnsmasq.leases"));
foreach my $far ([], [ '-h', 'router' ])
{
	($status, $stdout, $stderr) = collector('leases', @here, @$far, '-f', $leases, 'leases');
	like($stdout, qr/^observer leases: seen 2, new \d, gone 0, rejected 0$/, 'leases: of a file with any name') or diag($stderr);
	is((collector('leases', @here, @$far, '-f', "$leases.none", 'leases'))[0], 1, 'leases: no file is a failure');
}
write_file($leases, "\0\0");
isnt((collector('leases', @here, '-f', $leases, 'leases'))[0], 0, 'leases: bytes that are zero are a failure');
write_file($leases, "\xff\xfe\n");
isnt((collector('leases', @here, '-f', $leases, 'leases'))[0], 0, 'leases: what is not UTF-8 is a failure');
is(state_of('leases'), '2|2', 'leases: nothing was sent');
write_file($leases, '');
is((collector('leases', @here, '-f', $leases, 'leases'))[1], "observer leases: seen 0, new 0, gone 2, rejected 0\n", 'leases: an empty file is no lease');

# What would be something else in a shell, in psql or in SQL.
my $hostile = qq(it's \\'; DROP TABLE x; -- \$(touch "\$FAKE/pwned") `touch \$FAKE/pwned` :'observer' :observer \\! touch \$FAKE/pwned )
  . qq(\\gexec %s %n \\\\ \$p\$ E'\\x00' <&3 \xc3\xa9 \x{27}\x{27} . \\);
write_file("$folder/hostile", "mac,segment,host,domain\n02:00:00:00:00:01,\"" . $hostile =~ s/"/""/gr . "\",h2,.\n\\.\n.\n\n");
($status, $stdout, $stderr) = collector('csv', @here, '-f', "$folder/hostile", q(o'ne $x "\\));
is($stdout, qq(observer o'ne \$x "\\: seen 1, new 1, gone 0, rejected 2\n), 'csv: a hostile payload is read') or diag($stderr);
is(query('SELECT segment FROM sightings WHERE observer LIKE \'o\'\'%\''), $hostile, 'and arrived unchanged');
ok(!-e "$folder/pwned", 'and was run by nothing');
is((collector('csv', @here, '-n', '-f', "$folder/hostile", 'csv'))[1], slurp_file("$folder/hostile"), 'and is printed unchanged');
foreach my $text ("\\set payload x\n", "\\q\n", "\\! touch $folder/pwned\n", "';SELECT 1;\n", '$$', "\\\n")
{
	write_file("$folder/hostile", $text);
	($status, $stdout, $stderr) = collector('csv', @here, '-f', "$folder/hostile", 'csv');
	isnt($status, 0, 'csv: what is no CSV is refused');
	like($stderr, qr/the payload is not of kind "csv"/, 'by the reader');
}
ok(!-e "$folder/pwned", 'and was run by nothing');
write_file("$folder/large", "mac,segment\n" . join('', map { sprintf "02:00:00:%02x:%02x:%02x,%s\n", $_ >> 16, $_ >> 8 & 255, $_ & 255, 'x' x 200 } 1 .. 10000));
is((collector('csv', @here, '-f', "$folder/large", 'csv'))[1], "observer csv: seen 10000, new 10000, gone 0, rejected 0\n", 'csv: two megabytes');

#
# cloudstack: pages of every list, of projects, too
#
my $machine = '{"id":"11111111-0000-4000-8000-%012d","instancename":"i-2-%d-VM","name":"]}[{\\\\\"[{\"count\": 9","nic":[{"id":"22222222-0000-4000-8000-%012d",'
  . '"networkid":"33333333-0000-4000-8000-000000000001","macaddress":"02:00:%02x:00:%02x:%02x","ipaddress":"10.1.%d.%d"}]}';
sub answer
{
	my ($list, $count, @numbers) = @_;
	my @machines = map { sprintf $machine, $_, $_, $_, ord $list, $_ >> 8, $_ & 255, $_ >> 8, $_ & 255 } @numbers;
	return sprintf '{"count": %d, "%s": [%s]}', $count, $list, join(",\n", @machines);
}
write_file("$folder/virtualmachines-1-", answer('virtualmachine', 501, 1 .. 500));
write_file("$folder/virtualmachines-2-", answer('virtualmachine', 501, 501));
write_file("$folder/virtualmachines-1-projectid=-1", answer('virtualmachine', 1, 502));
write_file("$folder/routers-1-", answer('router', 1, 1));
write_file("$folder/routers-1-projectid=-1", '{}');
program('cmk', '[ "$1 $2 $3 $5 $6" = "-o json list listall=true pagesize=500" ] || exit 9; cat "$FAKE/$4-${7#page=}-$8"');
($status, $stdout, $stderr, $calls) = collector('cloudstack', @here, 'cloudstack');
is($stdout, "observer cloudstack: seen 503, new 503, gone 0, rejected 0\n", 'cloudstack: all pages of all lists') or diag($stderr, $calls);
is(scalar(() = $calls =~ /^cmk /mg), 5, 'and no more');
is((collector('cloudstack', @here, '-l', 'Routers', '-p', 'cloudstack'))[1],
	"observer cloudstack: seen 1, new 0, gone 0, rejected 0\n", 'cloudstack: -p closes nothing');
program('curl', <<'SH');
for last; do :; done
list=${last#*command=list} page=${last#*&page=} projects=
case $page in *projectid*) projects=${page#*&} page=${page%%&*} ;; esac
list=$(printf '%s' "${list%%&*}" | tr '[:upper:]' '[:lower:]')
printf '{"list%sresponse": ' "$list"; cat "$FAKE/$list-$page-$projects" && echo '}'
SH
($status, $stdout, $stderr, $calls) = collector('cloudstack', @here, '-h', 'mgmt', '-u', 'http://localhost:8096/client/api', 'cloudstack');
is($stdout, "observer cloudstack: seen 503, new 0, gone 0, rejected 0\n", 'cloudstack: by the integration port') or diag($stderr, $calls);
like($calls, qr{^curl -fsS --max-time 120 -- http://localhost:8096/client/api\?command=listVirtualMachines&response=json&listall=true&pagesize=500&page=2$}m,
	'as the API is asked');
unlink "$folder/virtualmachines-2-";
is((collector('cloudstack', @here, 'cloudstack'))[0], 1, 'cloudstack: a page that fails is a failure');
write_file("$folder/virtualmachines-2-", '');
is((collector('cloudstack', @here, 'cloudstack'))[0], 1, 'cloudstack: one of nothing, too');
write_file("$folder/virtualmachines-2-", answer('virtualmachine', 501));
($status, $stdout, $stderr) = collector('cloudstack', @here, 'cloudstack');
is($status, 1, 'cloudstack: one that lacks a record, too');
like($stderr, qr/^listVirtualMachines: 500 of 501 records$/m, 'cloudstack: although there are as many with those of projects');
write_file("$folder/virtualmachines-1-", '{"errorcode": 401, "errortext": "no"}');
isnt((collector('cloudstack', @here, 'cloudstack'))[0], 0, 'cloudstack: an error, too');
is(state_of('cloudstack'), '3|503', 'cloudstack: nothing was sent');

#
# An empty picture where there was one, other roles, wrong calls
#
write_file("$folder/hostile", "mac,segment\n");
isnt((collector('csv', @here, '-f', "$folder/hostile", 'csv'))[0], 0, 'an empty picture is refused');
is((collector('csv', @here, '-F', '-f', "$folder/hostile", 'csv'))[1], "observer csv: seen 0, new 0, gone 10000, rejected 0\n", '-F takes it');
is((collector('csv', @here, '-f', "$folder/hostile", 'nobody'))[0], 1, 'an observer that is not registered is a failure');
is((collector('csv', '-i', 'none', '-f', "$folder/hostile", 'csv'))[0], 1, 'and an unknown inventory');
is((collector('csv', @here, '-d', 'none', '-f', "$folder/hostile", 'csv'))[0], 1, 'and an unknown database');
$role = 'stranger';
is((collector('csv', @here, '-f', "$folder/hostile", 'csv'))[0], 1, 'and a role without access');
$role = 'collector';
is((collector('csv', @here, 'csv'))[0], 2, 'a csv of no file is a wrong call');
is((collector('neigh', @here))[0], 2, 'no observer, too');
is((collector('neigh', @here, 'a', 'b'))[0], 2, 'two, too');
is((collector('neigh', '-x', 'neigh'))[0], 2, 'and an unknown option');
is( $node->safe_psql('postgres',
		q(SELECT count(*) FROM information_schema.role_table_grants WHERE grantee = 'collector' AND privilege_type NOT IN ('SELECT', 'INSERT'))),
	'0', 'the role of the collectors has few rights');

done_testing();
