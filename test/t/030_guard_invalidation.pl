# Guards while other sessions change what is known of their tables.
#
# A GRANT, an ANALYZE or a CREATE INDEX CONCURRENTLY of another session makes a
# backend build its knowledge of a table anew, at any lock that it takes: also
# in the middle of a guard, which must not use what it had before.  It takes
# many sessions and many turns to meet, so pg_regress cannot do it.
use strict;
use warnings;

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $node = PostgreSQL::Test::Cluster->new('invalidation');
$node->init;
$node->append_conf('postgresql.conf', 'autovacuum = off');
$node->start;

$node->safe_psql('postgres', q{
	CREATE EXTENSION vmnet_ext;
	SELECT vmnet.create_inventory('cloud');
	CREATE SEQUENCE turn;
	INSERT INTO cloud.instances (id, name) VALUES (1000000, 'vm');
});

# A network and an instance come, have a NIC each way, and go.
my $work = q{
	SELECT nextval('turn') AS id \gset
	INSERT INTO cloud.networks (id) VALUES (:id);
	INSERT INTO cloud.instances (id) VALUES (:id);
	INSERT INTO cloud.nics (id, instance_id, network_id) VALUES (:id, :id, :id);
	UPDATE cloud.nics SET state = 'Reserving' WHERE id = :id;
	DELETE FROM cloud.nics WHERE id = :id;
	UPDATE cloud.networks SET removed = now() WHERE id = :id;
	UPDATE cloud.instances SET removed = now() WHERE id = :id;
};

# Two GRANTs at once on one table are an error of their own, so one at a time.
my $disturb = q{
	SELECT pg_advisory_lock(1);
	GRANT SELECT ON cloud.all_networks, cloud.all_instances, cloud.all_nics TO PUBLIC;
	REVOKE SELECT ON cloud.all_networks, cloud.all_instances, cloud.all_nics FROM PUBLIC;
	ANALYZE cloud.all_networks, cloud.all_instances, cloud.all_nics;
	SELECT pg_advisory_unlock(1);
};

$node->pgbench(
	'-n -c 5 -j 2 -t 500',
	0,
	[qr{processed: 2500/2500}],
	[qr{^$}],
	'guards work while their tables are granted, revoked and analyzed',
	{ '030_work@4' => $work, '030_disturb@1' => $disturb });

is( $node->safe_psql('postgres', q{
		SELECT count(*) > 1500, count(*) FILTER (WHERE w.removed IS NULL OR i.removed IS NULL OR n.removed IS NULL)
		FROM cloud.all_nics n JOIN cloud.all_networks w ON w.id = n.network_id JOIN cloud.all_instances i ON i.id = n.instance_id}),
	't|0', 'all that came has gone');

# The guards still find what they guard.
my ($result, $stdout, $stderr) = $node->psql('postgres', q{
	INSERT INTO cloud.networks (id) VALUES (0);
	INSERT INTO cloud.nics (id, instance_id, network_id) VALUES (0, 1000000, 0);
	UPDATE cloud.networks SET removed = now() WHERE id = 0;});
like($stderr, qr/cannot remove network 0: NICs are left on it/, 'a network in use is kept');

unlike(slurp_file($node->logfile), qr/terminated by signal|PANIC|TRAP|could not open relation/,
	'no backend came to harm');

$node->stop;
done_testing();
