# Dump and restore: nothing of an inventory is lost, and its guards are armed
# afterwards.
#
# pg_regress cannot do it: it runs SQL in one database, while this needs
# pg_dump and pg_restore, several of each, and a fresh database for each
# restore.

use strict;
use warnings FATAL => 'all';

use FindBin;
use lib $FindBin::RealBin;

use Inventory;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $node = PostgreSQL::Test::Cluster->new('main');
$node->init;
$node->start;

my $tmp = PostgreSQL::Test::Utils::tempdir;
my $managed = quote_ident(MANAGED);
my $mirror = quote_ident(MIRROR);
my ($managed_name, $mirror_name) = map { quote_literal($_) } MANAGED, MIRROR;

# Runs a program to its end; true if it succeeded without a word.
sub quiet_ok
{
	my ($what, @command) = @_;
	local $Test::Builder::Level = $Test::Builder::Level + 1;
	my ($stdout, $stderr);
	local %ENV = (%ENV, PGHOST => $node->host, PGPORT => $node->port);
	my $done = IPC::Run::run(\@command, '<', \undef, '>', \$stdout, '2>', \$stderr);
	ok($done && $stderr eq '', $what) or diag("@command: $stderr");
	return;
}

# Runs a program that must fail, with this in its messages.
sub fails_ok
{
	my ($what, $pattern, @command) = @_;
	local $Test::Builder::Level = $Test::Builder::Level + 1;
	my ($stdout, $stderr);
	local %ENV = (%ENV, PGHOST => $node->host, PGPORT => $node->port);
	my $done = IPC::Run::run(\@command, '<', \undef, '>', \$stdout, '2>', \$stderr);
	ok(!$done && $stderr =~ $pattern, $what) or diag("@command: $stderr");
	return;
}

sub fresh_database
{
	my ($db, @statements) = @_;
	$node->safe_psql('postgres', "CREATE DATABASE $db TEMPLATE template0");
	$node->safe_psql($db, join ';', @statements) if @statements;
	return $db;
}

#
# The source: two inventories, and what users add to one.
#
fresh_database('source', 'CREATE EXTENSION vmnet_ext');
create_roles($node);
create_managed($node, 'source', MANAGED);
create_mirror($node, 'source', MIRROR);

$node->safe_psql(
	'source', qq(
	SET ROLE vmnet_owner;

	-- What is observed, and was.
	SELECT vmnet.enable_reality(i) FROM unnest(ARRAY[$managed_name, $mirror_name]::name[]) i;
	INSERT INTO $managed.observers (name, kind) VALUES ('switch', 'csv');
	INSERT INTO $managed.segments (segment, network_id) VALUES ('br1', 1);
	SELECT vmnet.observe('switch', E'mac,ip\\n02:00:00:00:00:01,\\n02:00:00:00:00:02,10.0.0.2\\nx,', now() - interval '1 hour', inventory => $managed_name),
		vmnet.observe('switch', E'mac,ip\\n02:00:00:00:00:01,', inventory => $managed_name);

	-- A column that went leaves a hole in the numbers of columns, which a
	-- restore closes.
	ALTER TABLE $managed.all_nics ADD COLUMN gone int DEFAULT 1;
	ALTER TABLE $managed.all_nics ADD COLUMN note text, ADD COLUMN "Rack Unit" int NOT NULL DEFAULT 7;
	ALTER TABLE $managed.all_nics DROP COLUMN gone;
	COMMENT ON COLUMN $managed.all_nics.note IS 'what its owner says of it';
	UPDATE $managed.all_nics SET note = 'note ' || id, "Rack Unit" = id;
	CREATE INDEX "nics by note" ON $managed.all_nics (lower(note)) INCLUDE ("Rack Unit") WHERE active;
	CREATE STATISTICS $managed.nics_statistics ON network_id, state FROM $managed.all_nics;
	CREATE VIEW $managed.my_nics AS SELECT id, note FROM $managed.all_nics WHERE active;

	ALTER TABLE $managed.all_nics ENABLE ROW LEVEL SECURITY;
	CREATE POLICY "one's own" ON $managed.all_nics FOR SELECT TO vmnet_reader USING (network_id <> 2);
	CREATE POLICY operators ON $managed.all_nics TO vmnet_operator USING (true) WITH CHECK (state <> 'Deallocating');

	CREATE FUNCTION $managed.my_trigger() RETURNS trigger LANGUAGE plpgsql AS
		'BEGIN NEW.note = upper(NEW.note); RETURN NEW; END';
	CREATE TRIGGER zz_note BEFORE UPDATE ON $managed.all_nics FOR EACH ROW EXECUTE FUNCTION $managed.my_trigger();
	CREATE TRIGGER zz_disabled BEFORE INSERT ON $managed.all_nics FOR EACH ROW EXECUTE FUNCTION $managed.my_trigger();
	CREATE TRIGGER zz_always BEFORE UPDATE ON $managed.all_nics FOR EACH ROW EXECUTE FUNCTION $managed.my_trigger();
	CREATE TRIGGER zz_replica BEFORE UPDATE ON $managed.all_nics FOR EACH ROW EXECUTE FUNCTION $managed.my_trigger();
	ALTER TABLE $managed.all_nics DISABLE TRIGGER zz_disabled;
	ALTER TABLE $managed.all_nics ENABLE ALWAYS TRIGGER zz_always;
	ALTER TABLE $managed.all_nics ENABLE REPLICA TRIGGER zz_replica;

	GRANT USAGE ON SCHEMA $managed, $mirror TO vmnet_reader, vmnet_operator;
	GRANT SELECT ON ALL TABLES IN SCHEMA $managed TO vmnet_reader WITH GRANT OPTION;
	GRANT UPDATE (state, note) ON $managed.all_nics TO vmnet_operator;
	GRANT USAGE ON SEQUENCE $managed.all_nics_id_seq TO vmnet_operator;
	REVOKE DELETE ON $managed.all_nics FROM vmnet_owner;
	SELECT vmnet.accept_finding('half_removed_nic', 'nic 8', NULL, 'known', inventory => ${\quote_literal(MANAGED)});));

my %source;
for my $name (MANAGED, MIRROR)
{
	$source{$name} = {
		rows => rows_digest($node, 'source', $name),
		catalog => catalog_text($node, 'source', $name),
		answers => read_answers($node, 'source', $name)
	};
}
$source{inventories} = inventory_list($node, 'source');
$source{reader} = read_answers($node, 'source', MANAGED, role => 'vmnet_reader');

# What the source is, said by hand, so that all that is compared with it below
# is worth the comparison.
is( $node->safe_psql(
		'source', qq(
		SELECT string_agg(id || ' ' || state || CASE WHEN removed IS NULL THEN '' ELSE ' removed' END, ', ' ORDER BY id)
		FROM $managed.all_nics)),
	'1 Reserved, 2 Deallocating removed, 3 Allocated, 4 Reserving, 5 Releasing, 6 Reserved, '
	  . '7 Reserved, 8 Deallocating, 9 Deallocating removed, 10 Reserved, 11 Deallocating removed, '
	  . '12 Allocated, 13 Allocated',
	'the source has NICs in every state, half-removed and removed');
is( $node->safe_psql(
		'source', qq(
		SELECT w, string_agg(instance_id || ' ' || nic_state, ', ')
		FROM generate_series(1, 6) w LEFT JOIN LATERAL vmnet.network_active_instances(w, inventory => ${\quote_literal(MANAGED)}) ON true
		GROUP BY w ORDER BY w)),
	"1|1 Reserved, 2 Allocated, 3 Releasing, 5 Reserved\n2|1 Allocated, 2 Reserving, 3 Reserved\n3|\n4|\n5|\n6|",
	'the source lists what is active on each network, and nothing else');
is($node->safe_psql('source', "SELECT string_agg(id::text, ', ' ORDER BY id) FROM $managed.all_nics WHERE default_nic"),
	'1, 3, 8, 9', 'the first NICs that did not say became defaults');
is($source{inventories} =~ s/\|[^|\n]*\|[tf]$//mgr,
	"Cloud \"eu\"; it's|managed||enforce|0.1.0|vmnet_owner\nmirror\nof cloud|mirror||read_only|0.1.0|vmnet_owner",
	'the source has a managed inventory and a mirror');
same_text(guards_say($node, 'source', MANAGED), guards_expected(), 'the guards of the source are armed');
same_text(mirror_guards_say($node, 'source', MIRROR), mirror_guards_expected(), 'the guards of the mirror are armed');
isnt($source{reader}, $source{ (MANAGED) }{answers}, 'the policy hides NICs from the reader');
like($source{ (MANAGED) }{answers}, qr/^check_inventory\|\(half_removed_nic,.*,"nic 8",t,,vmnet_owner,known\)$/m, 'a finding of the source is accepted');
is( $node->safe_psql(
		'source', qq(
		SELECT count(*) FROM pg_depend
		WHERE deptype = 'e' AND (classid, objid) IN (
			SELECT 'pg_class'::regclass, oid FROM pg_class WHERE relnamespace IN (${\quote_literal($managed)}::regnamespace, ${\quote_literal($mirror)}::regnamespace)
			UNION ALL SELECT 'pg_namespace'::regclass, oid FROM pg_namespace WHERE oid IN (${\quote_literal($managed)}::regnamespace, ${\quote_literal($mirror)}::regnamespace)))
	),
	0,
	'nothing of an inventory belongs to the extension');

#
# What a restored database must be.
#
sub is_rows
{
	my ($db, $how, @names) = @_;
	local $Test::Builder::Level = $Test::Builder::Level + 1;
	is(join("\n", map { rows_digest($node, $db, $_) } @names),
		join("\n", map { $source{$_}{rows} } @names), "$how: every row is as it was");
	return;
}

sub is_whole
{
	my ($db, $how, @names) = @_;
	local $Test::Builder::Level = $Test::Builder::Level + 1;

	is_rows($db, $how, @names);
	for my $name (@names)
	{
		my $kind = $name eq MANAGED ? 'managed' : 'mirror';
		same_text(catalog_text($node, $db, $name), $source{$name}{catalog},
			"$how: tables, rules, indexes, policies, triggers, grants and comments are as they were, $kind");
		same_text(read_answers($node, $db, $name), $source{$name}{answers}, "$how: reads answer the same, $kind");
	}
	if (@names == 2)
	{
		is(inventory_list($node, $db), $source{inventories}, "$how: the inventories are listed as they were");
	}
	is_armed($db, $how, @names);
	return;
}

sub is_armed
{
	my ($db, $how, @names) = @_;
	local $Test::Builder::Level = $Test::Builder::Level + 1;

	for my $name (@names)
	{
		if ($name eq MIRROR)
		{
			same_text(mirror_guards_say($node, $db, MIRROR), mirror_guards_expected(), "$how: only the import may write to the mirror");
			next;
		}
		same_text(guards_say($node, $db, MANAGED), guards_expected(), "$how: the guards are armed");
		same_text(read_answers($node, $db, MANAGED, role => 'vmnet_reader'), $source{reader}, "$how: the reader sees as much as before");

		is( $node->safe_psql(
				$db, qq(
				INSERT INTO $managed.networks (name) VALUES ('new') RETURNING id;
				INSERT INTO $managed.instances (name) VALUES ('new') RETURNING id;
				INSERT INTO $managed.nics (instance_id, network_id, state_changed) VALUES (7, 7, 'epoch') RETURNING id, default_nic, state_changed = now();)
			),
			"7\n7\n42|t|t",
			"$how: ids go on where they were, and a new NIC is filled in");
		is(broken_rules($node, $db, MANAGED), '', "$how: no rule is broken");
	}
	return;
}

#
# Whole databases, in every format.
#
quiet_ok('pg_dump, plain', 'pg_dump', '-f', "$tmp/plain.sql", 'source');
fresh_database('plain');
quiet_ok('psql reads it', 'psql', '-X', '-q', '-v', 'ON_ERROR_STOP=1', '-o', '/dev/null', '-f', "$tmp/plain.sql", 'plain');
is_whole('plain', 'pg_dump | psql', MANAGED, MIRROR);

quiet_ok('pg_dump -Fc', 'pg_dump', '-Fc', '-f', "$tmp/custom", 'source');
for my $run (1 .. 3)
{
	fresh_database("custom$run");
	quiet_ok("pg_restore -j4, run $run", 'pg_restore', '-j4', '-d', "custom$run", "$tmp/custom");
	is_whole("custom$run", "pg_dump -Fc | pg_restore -j4, run $run", MANAGED, MIRROR);
}

quiet_ok('pg_dump -Fd -j2', 'pg_dump', '-Fd', '-j2', '-f', "$tmp/directory", 'source');
fresh_database('directory');
quiet_ok('pg_restore -j2', 'pg_restore', '-j2', '-d', 'directory', "$tmp/directory");
is_whole('directory', 'pg_dump -Fd -j2 | pg_restore -j2', MANAGED, MIRROR);

# A copy of the copy, rows as INSERT commands.
fresh_database('again');
quiet_ok('pg_dump --inserts', 'pg_dump', '--inserts', '-f', "$tmp/inserts.sql", 'source');
quiet_ok('psql reads it', 'psql', '-X', '-q', '-v', 'ON_ERROR_STOP=1', '-o', '/dev/null', '-f', "$tmp/inserts.sql", 'again');
is_whole('again', 'pg_dump --inserts', MANAGED, MIRROR);

# In sections, as one does who loads before making indexes.
fresh_database('sections');
quiet_ok("pg_restore --section=$_", 'pg_restore', "--section=$_", '-d', 'sections', "$tmp/custom")
  for qw(pre-data data post-data);
is_whole('sections', 'pg_restore by section', MANAGED, MIRROR);

#
# Definitions and rows apart.
#
fresh_database('apart');
quiet_ok('pg_dump -s', 'pg_dump', '-s', '-f', "$tmp/schema.sql", 'source');
quiet_ok('psql reads it', 'psql', '-X', '-q', '-v', 'ON_ERROR_STOP=1', '-o', '/dev/null', '-f', "$tmp/schema.sql", 'apart');
unlike(rows_digest($node, 'apart', MANAGED), qr/\|[1-9]\d*\|/, '-s brings no rows');
same_text(
	join("\n", grep { !/"sequence"/ } split /\n/, catalog_text($node, 'apart', MANAGED)),
	join("\n", grep { !/"sequence"/ } split /\n/, $source{ (MANAGED) }{catalog}),
	'-s brings every definition');
# without the rows of its runs, nothing tells what time a mirror is as of
is(inventory_list($node, 'apart'), $source{inventories} =~ s/\|[^|\n]*\|f\z/||t/r, '-s brings inventories that are listed');

# Rows alone meet guards that are armed: they are refused, for a row that
# says it was removed last year is not a new NIC.
quiet_ok('pg_dump -a', 'pg_dump', '-a', '-Fc', '-f', "$tmp/data", 'source');
fails_ok('-a into an armed inventory is refused', qr/a new NIC cannot start in state/,
	'pg_restore', '-1', '-n', MANAGED, '-d', 'apart', "$tmp/data");
fails_ok('-a into an armed mirror is refused', qr/is a mirror/,
	'pg_restore', '-1', '-n', MIRROR, '-d', 'apart', "$tmp/data");
unlike(join("\n", map { rows_digest($node, 'apart', $_) } MANAGED, MIRROR),
	qr/\|[1-9]\d*\|/, 'and nothing of it stays');

# --disable-triggers is PostgreSQL's way to say that they were judged before.
quiet_ok('pg_restore -a --disable-triggers', 'pg_restore', '-1', '-a', '--disable-triggers', '-d', 'apart', "$tmp/data");
is_rows('apart', '-a --disable-triggers', MANAGED, MIRROR);
is( $node->safe_psql(
		'apart', qq(
		SELECT string_agg(DISTINCT tgenabled::text, '') FROM pg_trigger WHERE tgfoid::regproc::text LIKE 'vmnet\_internal.%')),
	'O',
	'-a --disable-triggers: the guards are enabled again');
is_armed('apart', '-a --disable-triggers', MANAGED, MIRROR);

# So does replica mode.
fresh_database('replica');
quiet_ok('psql reads it', 'psql', '-X', '-q', '-v', 'ON_ERROR_STOP=1', '-o', '/dev/null', '-f', "$tmp/schema.sql", 'replica');
{
	local $ENV{PGOPTIONS} = '-c session_replication_role=replica';
	quiet_ok('pg_restore -a in replica mode', 'pg_restore', '-1', '-d', 'replica', "$tmp/data");
}
is_whole('replica', '-a in replica mode', MANAGED, MIRROR);

#
# One inventory, by its owner, who is nobody special.
#
fresh_database('one', 'CREATE EXTENSION vmnet_ext', 'GRANT CREATE ON DATABASE one TO vmnet_owner');
quiet_ok('the owner dumps one inventory', 'pg_dump', '-U', 'vmnet_owner', '-n', $managed, '-Fc', '-f', "$tmp/one", 'source');
quiet_ok('the owner restores it', 'pg_restore', '-U', 'vmnet_owner', '-d', 'one', "$tmp/one");
is_whole('one', '-n, by the owner', MANAGED);

# The functions of the guards come with the extension: -n leaves it out, and
# where it is missing the restore says so.
fresh_database('without_extension');
fails_ok('without the extension the restore says what is missing', qr/schema "vmnet_internal" does not exist/,
	'pg_restore', '-d', 'without_extension', "$tmp/one");
# CHECKs of all_nics call functions of the extension: that table, and so its rows,
# are restored only where the extension is.
is( $node->safe_psql(
		'without_extension', q(
		SELECT string_agg(relname, ' ' ORDER BY relname COLLATE "C") FROM pg_class
		WHERE relkind = 'r' AND relname IN ('all_networks', 'all_instances', 'all_nics', 'all_nic_secondary_ips', 'nic_history'))),
	'all_instances all_networks nic_history',
	'which brings networks, instances and history, not the NICs');
$node->safe_psql('without_extension', "DROP SCHEMA $managed CASCADE; CREATE EXTENSION vmnet_ext");
quiet_ok('the same dump, after CREATE EXTENSION', 'pg_restore', '-d', 'without_extension', "$tmp/one");
is_whole('without_extension', '-n, once the extension is there', MANAGED);

# The extension's schema stands by itself in a dump, as for every extension
# with a schema of its own, so it is named, too.
quiet_ok('pg_dump -n -e', 'pg_dump', '-n', $managed, '-n', 'vmnet', '-n', 'vmnet_internal', '-e', 'vmnet_ext', '-Fc', '-f', "$tmp/with", 'source');
fresh_database('with_extension');
quiet_ok('pg_restore', 'pg_restore', '-d', 'with_extension', "$tmp/with");
is_whole('with_extension', '-n with -e', MANAGED);

# -t takes relations, not their schema; -n vmnet has no row of any inventory.
fresh_database('tables', 'CREATE EXTENSION vmnet_ext', "CREATE SCHEMA $mirror");
quiet_ok('pg_dump -t', 'pg_dump', '-t', "$mirror.*", '-Fc', '-f', "$tmp/tables", 'source');
quiet_ok('pg_restore', 'pg_restore', '-d', 'tables', "$tmp/tables");
is_rows('tables', '-t', MIRROR);
is_armed('tables', '-t', MIRROR);

#
# DROP EXTENSION.
#
my ($status, $stdout, $stderr) = $node->psql('plain', 'DROP EXTENSION vmnet_ext');
isnt($status, 0, 'DROP EXTENSION is refused while an inventory stands');
like($stderr, qr/cannot drop extension vmnet_ext because other objects depend on it.*trigger _nic_guard on table .*all_nics depends on function vmnet_internal\.nic_guard\(\)/s,
	'and says what stands in the way');

my $before = join "\n", map { rows_digest($node, 'custom1', $_), catalog_text($node, 'custom1', $_) } MANAGED, MIRROR;
$node->psql('custom1', 'DROP EXTENSION vmnet_ext');
same_text(join("\n", map { rows_digest($node, 'custom1', $_), catalog_text($node, 'custom1', $_) } MANAGED, MIRROR),
	$before, 'nothing is lost by the attempt');
same_text(guards_say($node, 'custom1', MANAGED), guards_expected(), 'nor is a guard');

# With CASCADE the guards go, and the CHECKs that call functions of the extension;
# tables, rows, views and all other rules are the owner's.  To create the extension
# again brings the reads back, not the guards.
$node->safe_psql('custom1', 'SET client_min_messages = warning; DROP EXTENSION vmnet_ext CASCADE');
same_text(
	join("\n", map { rows_digest($node, 'custom1', $_), catalog_text($node, 'custom1', $_) } MANAGED, MIRROR),
	join("\n", grep { !/"trigger".* EXECUTE FUNCTION vmnet_internal\./ && !/CHECK \(vmnet_internal\./ } split /\n/, $before),
	'DROP EXTENSION CASCADE drops the guards, the CHECKs that call the extension, and nothing else');
# What is refused with no guard and no function of ours left.
$node->safe_psql('custom1', qq(INSERT INTO $managed.all_networks (id, name) VALUES (900, 'n');
	INSERT INTO $managed.all_instances (id, name) VALUES (900, 'i'), (901, 'j');
	INSERT INTO $managed.all_nics (id, network_id, instance_id, device_id, default_nic, mac_address, ip4_address)
	VALUES (900, 900, 900, 0, true, '02:00:00:00:09:00', '10.9.0.1')));
foreach my $case (
	[ 'UPDATE all_nics SET removed = now() WHERE id = 900', 'nic_removed_is_deallocating' ],
	[ q(UPDATE all_nics SET state = 'Deallocating', removed = 'infinity' WHERE id = 900), 'nic_removed_finite' ],
	[ 'UPDATE all_nics SET default_nic = NULL WHERE id = 900', 'nic_default_nic_present' ],
	[ 'UPDATE all_nics SET instance_id = NULL WHERE id = 900', 'nic_instance_required' ],
	[ 'UPDATE all_nics SET network_id = 99999 WHERE id = 900', 'all_nics_network_id_fkey' ],
	[ 'DELETE FROM all_networks WHERE id = 900', 'all_nics_network_id_fkey' ],
	[ q(INSERT INTO all_nics (network_id, instance_id, device_id, default_nic, ip4_address) VALUES (900, 901, 0, true, '10.9.0.1')), 'all_nics_one_ip4' ],
	[ 'UPDATE all_nics SET state = NULL WHERE id = 900', 'null value in column "state"' ])
{
	my ($statement, $refusal) = @$case;
	my ($code, undef, $message) = $node->psql('custom1', "SET search_path = $managed; $statement", on_error_stop => 1);
	ok($code && $message =~ /\Q$refusal\E/, "without the extension it is still refused: $statement") or diag($message);
}
my $unguarded = read_answers($node, 'custom2', MANAGED);
$node->safe_psql(
	'custom2', q(
	SET client_min_messages = warning;
	DROP EXTENSION vmnet_ext CASCADE;
	CREATE EXTENSION vmnet_ext;));
same_text(read_answers($node, 'custom2', MANAGED), $unguarded, 'created again, the extension reads the inventory as before');
is( $node->safe_psql('custom2', q(SELECT count(*) FROM pg_trigger JOIN pg_proc p ON p.oid = tgfoid WHERE pronamespace = 'vmnet_internal'::regnamespace)),
	0,
	'but the guards stay away');

# Without any inventory it drops, and leaves nothing of its own.
fresh_database('empty', 'CREATE EXTENSION vmnet_ext', 'DROP EXTENSION vmnet_ext');
is($node->safe_psql('empty', q(SELECT count(*) FROM pg_proc WHERE probin LIKE '%vmnet_ext%')),
	0, 'DROP EXTENSION works where no inventory stands');
$node->safe_psql(
	'with_extension', qq(
	SET client_min_messages = warning;
	DROP SCHEMA $managed CASCADE;
	DROP EXTENSION vmnet_ext;
	CREATE EXTENSION vmnet_ext;
	SELECT vmnet.create_inventory('cloud');));
is($node->safe_psql('with_extension', 'SELECT name, kind FROM vmnet.inventories'),
	'cloud|managed', 'an owner who drops the inventory can drop and create the extension again');

$node->stop;
done_testing();
