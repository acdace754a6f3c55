# Imports that are killed: the backend's process, and the server's.  The mirror
# stays what it was, and the next import finds nothing in its way.
#
# pg_regress and the isolation tester cannot do it: their connections and their
# server have to stay.
use strict;
use warnings;

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $node = PostgreSQL::Test::Cluster->new('interrupted');
$node->init;
$node->start;

# Gate 1 stops an import while it reads, gate 2 while it writes: whoever holds
# the lock of that number keeps it shut.
$node->safe_psql('postgres', <<'SQL');
CREATE EXTENSION vmnet_ext;
CREATE SCHEMA source;
CREATE TABLE source.gates (n int);
CREATE TABLE source.crashed (stage oid);
CREATE FUNCTION source.gate(n int) RETURNS boolean LANGUAGE plpgsql AS $$
BEGIN
	WHILE EXISTS (SELECT FROM source.gates g WHERE g.n = gate.n) LOOP
		PERFORM pg_sleep(0.01);
	END LOOP;
	RETURN true;
END
$$;
CREATE FUNCTION source.gate() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
	PERFORM source.gate(2);
	RETURN NULL;
END
$$;
CREATE TABLE source.networks AS SELECT g AS id, 'net' || g AS name, 'Implemented' AS state, timestamp '2025-01-06' AS created, NULL::timestamp AS removed FROM generate_series(1, 20) g;
CREATE TABLE source.vm_rows AS SELECT g AS id, 'vm' || g AS name, 'Running' AS state, timestamp '2025-01-06' AS created, NULL::timestamp AS removed FROM generate_series(1, 200) g;
CREATE TABLE source.nics AS SELECT g AS id, 1 + g % 200 AS instance_id, 1 + g % 20 AS network_id, 'Reserved' AS state, timestamp '2025-01-06' AS created, NULL::timestamp AS removed FROM generate_series(1, 2000) g;
CREATE VIEW source.vm_instance AS SELECT v.* FROM source.vm_rows v WHERE source.gate(1);
CALL vmnet.import_cloudstack('source', 'cloud');
CREATE TRIGGER gate AFTER UPDATE ON cloud.all_nics FOR EACH STATEMENT EXECUTE FUNCTION source.gate();
SQL

my $digest = q{SELECT md5(string_agg(x, ',' ORDER BY x)) FROM (SELECT t::text AS x FROM cloud.all_networks t UNION ALL SELECT t::text FROM cloud.all_instances t UNION ALL SELECT t::text FROM cloud.all_nics t) d};
my $wrong = q{SELECT count(*) FROM (SELECT n.* FROM cloud.all_nics n LEFT JOIN cloud.import_vanished v ON v.relation = 'nics' AND v.id = n.id WHERE v.id IS NULL) t FULL JOIN source.nics s USING (id) WHERE (t.state, t.network_id, t.instance_id, t.removed) IS DISTINCT FROM (s.state, s.network_id, s.instance_id, s.removed AT TIME ZONE 'UTC')};
my $changes = 0;

# Starts an import that comes to a shut gate, after something has changed at
# the source, and does not wait for its end.
sub start_import
{
	my ($gate, $step) = @_;
	my ($output, $error) = ('', '');

	$changes++;
	$node->safe_psql('postgres', "INSERT INTO source.gates VALUES ($gate); UPDATE source.nics SET state = 'State$changes' WHERE id % 10 = $changes; DELETE FROM source.nics WHERE id = $changes");
	my $import = IPC::Run::start(
		[ 'psql', '-X', '-d', $node->connstr('postgres'), '-c', "CALL vmnet.import_cloudstack('source', 'cloud')" ],
		'>', \$output, '2>', \$error);
	# how far it is can be seen from here
	$node->poll_query_until('postgres', "SELECT step = '$step' AND pid IS NOT NULL FROM cloud.import_runs LEFT JOIN pg_stat_activity ON pid = backend_pid WHERE status = 'running'")
	  or die 'the import did not come to the gate';
	return $import;
}

# What is left is the mirror as it was; the next import makes it right.
sub check_and_mend
{
	my ($title, $before) = @_;

	is($node->safe_psql('postgres', $digest), $before, "$title: the mirror is what it was");
	isnt($node->safe_psql('postgres', $wrong), '0', "$title: so it is not what the source is now");
	is($node->safe_psql('postgres', q{SELECT count(*) FROM pg_locks WHERE mode = 'ShareUpdateExclusiveLock' AND relation = 'cloud.import_runs'::regclass}), '0', "$title: no lock is left");
	$node->safe_psql('postgres', 'TRUNCATE source.gates');
	$node->safe_psql('postgres', q{SET statement_timeout = '120s'; CALL vmnet.import_cloudstack('source', 'cloud')});
	is($node->safe_psql('postgres', $wrong), '0', "$title: the next import makes it what the source is");
	is($node->safe_psql('postgres', q{SELECT string_agg(status || coalesce(' ' || message, ''), ', ' ORDER BY run) FROM (SELECT * FROM cloud.import_runs ORDER BY run DESC LIMIT 2) r}),
		'failed interrupted, done', "$title: the run that was killed is closed as interrupted");
	# temporary tables of a server that crashed are dropped when their schema is used again
	is($node->safe_psql('postgres', q{SELECT count(*) FROM pg_class WHERE relname LIKE 'vmnet\_import\_%' AND relpersistence = 't' AND oid NOT IN (SELECT stage FROM source.crashed)}), '0', "$title: and its stages are gone")
	  if $title =~ /^terminated/;
	is($node->safe_psql('postgres', q{SELECT count(*) FROM pg_class WHERE relname LIKE '%import\_%' AND relname <> 'import_states' AND relnamespace = 'cloud'::regnamespace AND relkind = 'r'}), '3', "$title: and no table is left in the mirror");
	return;
}

foreach my $case ([ 1, 'read nics', 'while it reads' ], [ 2, 'read networks', 'while it writes' ])
{
	my ($gate, $step, $when) = @$case;

	# its process
	my $before = $node->safe_psql('postgres', $digest);
	my $import = start_import($gate, $step);
	is($node->safe_psql('postgres', q{SELECT pg_terminate_backend(backend_pid, 60000) FROM cloud.import_runs WHERE status = 'running'}), 't', "an import is terminated $when");
	$import->finish;
	check_and_mend("terminated $when", $before);

	# the server
	$before = $node->safe_psql('postgres', $digest);
	$import = start_import($gate, $step);
	$node->stop('immediate');
	$import->finish;
	$node->start;
	$node->safe_psql('postgres', q{INSERT INTO source.crashed SELECT oid FROM pg_class WHERE relname LIKE 'vmnet\_import\_%' AND relpersistence = 't'});
	check_and_mend("server stopped $when", $before);
}

# The first import of all, killed while it writes: what create_inventory() makes is whole.
$node->safe_psql('postgres', q{INSERT INTO source.gates VALUES (1)});
my ($output, $error) = ('', '');
my $import = IPC::Run::start(
	[ 'psql', '-X', '-d', $node->connstr('postgres'), '-c', "CALL vmnet.import_cloudstack('source', 'first')" ],
	'>', \$output, '2>', \$error);
# (its stages would not tell: those of a server that crashed may still be there)
$node->poll_query_until('postgres', q{SELECT step = 'read nics' AND pid IS NOT NULL FROM first.import_runs LEFT JOIN pg_stat_activity ON pid = backend_pid WHERE status = 'running'})
  or die 'the import did not come to the gate';
$node->stop('immediate');
$import->finish;
$node->start;
$node->safe_psql('postgres', 'TRUNCATE source.gates');
is($node->safe_psql('postgres', q{SELECT kind FROM vmnet.inventories WHERE name = 'first'}), 'mirror', 'a first import that is killed leaves a mirror');
$node->safe_psql('postgres', q{CALL vmnet.import_cloudstack('source', 'first')});
is($node->safe_psql('postgres', q{SELECT (SELECT count(*) FROM first.nics) = (SELECT count(*) FROM source.nics)}), 't', 'and the next one fills it');
is($node->safe_psql('postgres', q{SELECT count(*) FROM pg_constraint WHERE conrelid = 'first.all_nics'::regclass AND contype = 'f'}), '2', 'with its references');

my $log = slurp_file($node->logfile);
unlike($log, qr/PANIC|TRAP|signal 11|SPI stack|leak/, 'the server has nothing worse to say');

$node->stop;
done_testing();
