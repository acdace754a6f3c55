# Owners that change: by another session, while this one knows the tables, and by
# a restore without owners into a schema that is there already.
use strict;
use warnings;

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $node = PostgreSQL::Test::Cluster->new('owners');
$node->init;
$node->start;

$node->safe_psql('postgres', q{
	CREATE EXTENSION vmnet_ext;
	CREATE ROLE alice; CREATE ROLE bob LOGIN; CREATE ROLE operator;
	GRANT CREATE ON DATABASE postgres TO alice;
	SET ROLE alice;
	SELECT vmnet.create_inventory('cloud');
	INSERT INTO cloud.networks (id) VALUES (1);
	INSERT INTO cloud.instances (id) SELECT generate_series(1, 100);
	INSERT INTO cloud.nics (id, instance_id, network_id, default_nic) SELECT n, n, 1, false FROM generate_series(1, 100) n;
	INSERT INTO cloud.nic_secondary_ips (nic_id, network_id, ip4_address) SELECT n, 1, '10.0.0.0'::inet + n FROM generate_series(1, 100) n;
	GRANT USAGE ON SCHEMA cloud TO operator, bob;
	GRANT SELECT, UPDATE ON ALL TABLES IN SCHEMA cloud TO operator;
});

# A session that has used every guard.
my $session = $node->background_psql('postgres', on_error_stop => 0);
my $next = 0;
my $outcome = q{
	CREATE FUNCTION pg_temp.outcome(command text) RETURNS text LANGUAGE plpgsql AS $$
	DECLARE name text; rel text;
	BEGIN
		EXECUTE command;
		RETURN 'accepted';
	EXCEPTION WHEN OTHERS THEN
		GET STACKED DIAGNOSTICS name = CONSTRAINT_NAME, rel = TABLE_NAME;
		RETURN concat_ws(' ', SQLSTATE, nullif(name, ''), nullif(rel, ''));
	END $$;
};
$session->query_safe($outcome);
$session->query_safe('SET ROLE operator');

# What a change of state, of an address, and a removal of a NIC each come to.
sub changes
{
	my $id = ++$next;

	return $session->query_safe(qq{
		SELECT string_agg(pg_temp.outcome(command), ', ' ORDER BY ord) FROM (VALUES
			(1, 'UPDATE cloud.nics SET state = ''Reserving'' WHERE id = $id'),
			(2, 'UPDATE cloud.nics SET ip4_address = ''10.1.0.0''::inet + $id WHERE id = $id'),
			(3, 'UPDATE cloud.nics SET state = ''Deallocating'', removed = now() WHERE id = $id + 50')) v (ord, command)});
}

is(changes(), 'accepted, accepted, accepted', 'all is the owner\'s');
for my $case (
	[ 'nic_history', '42501 inventory_owner nic_history, accepted, 42501 inventory_owner nic_history' ],
	[ 'nic_address_history', 'accepted, 42501 inventory_owner nic_address_history, accepted' ],
	[ 'all_nic_secondary_ips', 'accepted, accepted, 42501 inventory_owner all_nic_secondary_ips' ],
	[ 'all_nics', '42501 inventory_owner nic_history, 42501 inventory_owner nic_address_history, 42501 inventory_owner nic_history' ])
{
	my ($table, $expected) = @$case;

	$node->safe_psql('postgres', "ALTER TABLE cloud.$table OWNER TO bob");
	is(changes(), $expected, "another session gave $table away");
	$node->safe_psql('postgres', "ALTER TABLE cloud.$table OWNER TO alice");
	is(changes(), 'accepted, accepted, accepted', 'and back');
}
for my $table ('all_networks', 'all_instances')
{
	$node->safe_psql('postgres', "ALTER TABLE cloud.$table OWNER TO bob");
	is(changes(), 'accepted, accepted, accepted', "$table is read as its own owner");
	$node->safe_psql('postgres', "ALTER TABLE cloud.$table OWNER TO alice");
}
$node->safe_psql('postgres', 'REASSIGN OWNED BY alice TO bob');
is(changes(), 'accepted, accepted, accepted', 'REASSIGN OWNED');
$node->safe_psql('postgres', 'REASSIGN OWNED BY bob TO alice; GRANT CREATE ON DATABASE postgres TO alice');
is(changes(), 'accepted, accepted, accepted', 'and back');
$session->quit;

# Without owners, as bob, into a schema that alice made for him.
my $dump = $node->basedir . '/cloud.dump';
$node->command_ok([ 'pg_dump', '-h', $node->host, '-p', $node->port, '-Fc', '--schema=cloud', '--no-owner', '--no-privileges', '-f', $dump, 'postgres' ], 'a dump of the schema');
$node->safe_psql('postgres', q{CREATE DATABASE target});
$node->safe_psql('target', q{
	CREATE EXTENSION vmnet_ext;
	CREATE SCHEMA cloud AUTHORIZATION alice;
	GRANT USAGE, CREATE ON SCHEMA cloud TO bob;
});
$node->command_checks_all([ 'pg_restore', '-h', $node->host, '-p', $node->port, '-U', 'bob', '--no-owner', '-d', 'target', $dump ],
	1, [qr/^$/], [qr/schema "cloud" already exists|permission denied for database/], 'is restored but for the schema, which is there');
is($node->safe_psql('target', q{SELECT string_agg(DISTINCT relowner::regrole::text, ' ') FROM pg_class WHERE relnamespace = 'cloud'::regnamespace}), 'bob', 'all is his');
is($node->safe_psql('target', q{SELECT nspowner::regrole FROM pg_namespace WHERE nspname = 'cloud'}), 'alice', 'but for the schema');
$node->safe_psql('target', q{
	GRANT USAGE ON SCHEMA cloud TO operator;
	GRANT SELECT, UPDATE ON ALL TABLES IN SCHEMA cloud TO operator;
});
is($node->safe_psql('target', $outcome . q{
	SET ROLE operator;
	SELECT pg_temp.outcome('UPDATE cloud.nics SET state = ''Reserving'', ip4_address = ''10.2.0.1'' WHERE id = 40'),
		pg_temp.outcome('UPDATE cloud.nics SET state = ''Deallocating'', removed = now() WHERE id = 40'),
		pg_temp.outcome('UPDATE cloud.networks SET removed = now()');
	SELECT (SELECT count(*) FROM cloud.nic_history WHERE nic_id = 40), (SELECT count(*) FROM cloud.nic_secondary_ips WHERE nic_id = 40)}),
	"accepted|accepted|23503 network_in_use all_networks\n2|0", 'and the guards work');

# What a superuser restores becomes his; one table that is given away is told of.
$node->safe_psql('target', 'ALTER TABLE cloud.nic_history OWNER TO alice');
my ($ret, $stdout, $stderr) = $node->psql('target', q{UPDATE cloud.nics SET state = 'Reserving' WHERE id = 41});
like($stderr, qr/relation "cloud\.nic_history" does not belong to the owner of its inventory\nDETAIL:  It belongs to role "alice", and relation "all_nics" belongs to role "bob"\.\nHINT:  ALTER TABLE cloud\.nic_history OWNER TO bob;/, 'who owns what, and how to mend it');

$node->stop;
done_testing();
