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
	GRANT SELECT ON cloud.all_networks, cloud.all_instances, cloud.all_nics, cloud.nic_history, cloud.nic_history_seq_seq TO PUBLIC;
	REVOKE SELECT ON cloud.all_networks, cloud.all_instances, cloud.all_nics, cloud.nic_history, cloud.nic_history_seq_seq FROM PUBLIC;
	ANALYZE cloud.all_networks, cloud.all_instances, cloud.all_nics, cloud.nic_history;
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
is( $node->safe_psql('postgres', q{
		SELECT count(*) = (SELECT count(*) FROM cloud.all_nics), count(*) FILTER (WHERE states <> 'Reserving,Deallocating')
		FROM (SELECT string_agg(to_state, ',' ORDER BY seq) AS states FROM cloud.nic_history GROUP BY nic_id) h}),
	't|0', 'and the history of each has its states');

# What a session knows of a history table is not kept when another session changes it.
{
	my $session = $node->background_psql('postgres', on_error_stop => 1);
	$session->query_safe(q{SELECT vmnet.create_inventory('other');
		INSERT INTO other.networks (id) VALUES (1); INSERT INTO cloud.networks (id) VALUES (-1);
		INSERT INTO other.nics (id, network_id, strategy) VALUES (1, 1, 'PlaceHolder');
		INSERT INTO cloud.nics (id, network_id, strategy) VALUES (-1, -1, 'PlaceHolder');
		UPDATE other.nics SET state = 'Reserved'; UPDATE cloud.nics SET state = 'Reserved' WHERE id = -1;});
	$node->safe_psql('postgres', q{
		CREATE SEQUENCE other.entries START 1000;
		ALTER TABLE other.nic_history ALTER seq SET DEFAULT nextval('other.entries');
		ALTER TABLE cloud.nic_history ADD note text NOT NULL DEFAULT 'noted';});
	$session->query_safe(q{UPDATE other.nics SET state = 'Allocated'; UPDATE cloud.nics SET state = 'Allocated' WHERE id = -1;});
	is($node->safe_psql('postgres', q{SELECT seq FROM other.nic_history ORDER BY seq}), "1\n1000", 'another sequence is used at once');
	is($node->safe_psql('postgres', q{SELECT note, to_state FROM cloud.nic_history WHERE nic_id = -1 ORDER BY seq}),
		"noted|Reserved\nnoted|Allocated", 'so is the default of a column');
	$session->quit;
}

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
