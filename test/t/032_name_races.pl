# The owner of a schema renames, exchanges or drops what is in it, over and over,
# while others call functions on it.  Whatever comes first: code of the owner runs
# as nobody but the owner, and no server process ends.
use strict;
use warnings;

use FindBin;
use lib $FindBin::RealBin;

use IPC::Run ();
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

use Session;

use constant WORKERS => 4;
use constant ROUNDS => 50;		# of each, each in a new connection

my $node = PostgreSQL::Test::Cluster->new('races');
$node->init;
$node->start;

# Sequences count what has happened: they keep it where a transaction fails.
$node->safe_psql('postgres', q{
	CREATE EXTENSION vmnet_ext;
	CREATE ROLE forger LOGIN;
	CREATE ROLE dropper LOGIN;
	CREATE ROLE member LOGIN IN ROLE forger;
	GRANT CREATE, TEMPORARY ON DATABASE postgres TO forger, dropper;
	CREATE SCHEMA seen;
	GRANT USAGE ON SCHEMA seen TO PUBLIC;
	CREATE SEQUENCE seen.as_owner; CREATE SEQUENCE seen.as_other; CREATE SEQUENCE seen.rounds;
	GRANT ALL ON ALL SEQUENCES IN SCHEMA seen TO PUBLIC;
	CREATE TABLE seen.stop (a int);
	GRANT SELECT ON seen.stop TO PUBLIC;
	CREATE UNLOGGED TABLE seen.alive AS SELECT 1;
	CREATE SCHEMA src;
	CREATE TABLE src.networks (id bigint, uuid text, name text, state text, traffic_type text, guest_type text, created timestamp, removed timestamp);
	CREATE TABLE src.vm_instance (id bigint, uuid text, name text, state text, type text, created timestamp, removed timestamp);
	CREATE TABLE src.nics (id bigint, uuid text, instance_id bigint, network_id bigint, state text, created timestamp, removed timestamp);
	-- the commands, each in a transaction, until it is told to stop; up to "pause"
	-- milliseconds after each
	CREATE PROCEDURE seen.repeat(pause int, VARIADIC commands text[]) LANGUAGE plpgsql AS $$
	DECLARE
		command text;
		round int := 0;
	BEGIN
		WHILE NOT EXISTS (SELECT FROM seen.stop) LOOP
			FOREACH command IN ARRAY commands LOOP
				BEGIN
					EXECUTE command;
				EXCEPTION WHEN OTHERS THEN
					NULL;
				END;
				COMMIT;
				PERFORM pg_sleep(0.001 * (round % (pause + 1)));
				round := round + 1;
			END LOOP;
			PERFORM nextval('seen.rounds');
		END LOOP;
	END $$;
});

# Code that the owner puts wherever there is a place for it.
$node->safe_psql('postgres', q{
	SET ROLE forger;
	CREATE SCHEMA helper;
	GRANT USAGE ON SCHEMA helper TO PUBLIC;
	CREATE FUNCTION helper.note() RETURNS boolean LANGUAGE plpgsql VOLATILE AS $$
	BEGIN
		PERFORM nextval(CASE WHEN current_user = 'forger' THEN 'seen.as_owner' ELSE 'seen.as_other' END);
		RETURN true;
	END $$;
	CREATE FUNCTION helper.evil(int) RETURNS boolean LANGUAGE plpgsql IMMUTABLE AS $$ BEGIN RETURN helper.note(); END $$;
	CREATE FUNCTION helper.fired() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN PERFORM helper.note(); RETURN CASE TG_OP WHEN 'DELETE' THEN OLD ELSE NEW END; END $$;
	SELECT vmnet.create_inventory('trap'), vmnet.create_inventory('other'), vmnet.create_inventory('mir', 'mirror');
	INSERT INTO trap.networks (id) VALUES (1);
	INSERT INTO trap.instances (id, state) SELECT generate_series(1, 1000), 'Running';
	INSERT INTO trap.nics (id, instance_id, network_id) VALUES (1, 1, 1);
	CREATE INDEX ON trap.all_nics (network_id) WHERE helper.evil(1);
	CREATE INDEX ON trap.all_instances (id) WHERE helper.evil(1);
	CREATE TRIGGER z BEFORE INSERT OR UPDATE OR DELETE ON trap.all_nics FOR EACH ROW EXECUTE FUNCTION helper.fired();
	CREATE TRIGGER z BEFORE INSERT OR UPDATE ON mir.import_runs FOR EACH ROW EXECUTE FUNCTION helper.fired();
	SELECT format('CREATE OR REPLACE VIEW trap.%1$I AS SELECT %2$s FROM trap.all_%1$I WHERE removed IS NULL AND helper.evil(1)',
		v, string_agg(quote_ident(attname), ', ' ORDER BY attnum))
	FROM unnest(ARRAY['nics', 'networks', 'instances']) v JOIN pg_attribute a ON attrelid = ('trap.' || v)::regclass AND attnum > 0 AND NOT attisdropped GROUP BY v \gexec
});

sub count_of
{
	my ($sequence) = @_;

	return $node->safe_psql('postgres', "SELECT CASE WHEN is_called THEN last_value ELSE 0 END FROM seen.$sequence");
}

# Calls in new connections, as a role, while others change what they are about.
sub race
{
	my ($name, $role, $pause, $changes, @calls) = @_;
	my @changers = map { Session->new($node, 'postgres', $_->[0]) } @$changes;
	my @workers;

	for my $i (0 .. $#changers)
	{
		my (undef, @commands) = @{ $changes->[$i] };
		$changers[$i]->send('CALL seen.repeat(' . $pause . ', ' . join(', ', map { "\$c\$$_\$c\$" } @commands) . ')');
	}
	my $before = count_of('rounds');
	$node->poll_query_until('postgres', "SELECT last_value > $before FROM seen.rounds") or die 'nothing is changed';

	for my $worker (1 .. WORKERS)
	{
		my $script = join '', map { $calls[($worker + $_) % @calls] . ";\n\\c\n" } 1 .. ROUNDS;
		my ($out, $err) = ('', '');

		push @workers, IPC::Run::start([ 'psql', '-XqAt', '-d', $node->connstr('postgres') . ($role ? " user=$role" : '') ],
			'<', \$script, '>', \$out, '2>', \$err, IPC::Run::timeout(20 * $PostgreSQL::Test::Utils::timeout_default));
	}
	$_->finish for @workers;

	if (slurp_file($node->logfile) =~ /was terminated by signal|PANIC/)
	{
		fail("$name: no server process has ended");
		BAIL_OUT('the server has crashed');
	}
	is($node->safe_psql('postgres', 'SELECT count(*) FROM seen.alive'), '1', "$name: no server process has ended");
	is(count_of('as_other'), '0', "$name: code of the owner ran as nobody else");
	$node->safe_psql('postgres', 'SELECT setval(\'seen.as_other\', 1, false); INSERT INTO seen.stop VALUES (1)');
	$_->receive for @changers;
	$_->quit for @changers;
	$node->safe_psql('postgres', 'TRUNCATE seen.stop');
	return;
}

# There is code to be run, and without a race it runs as the owner.
for my $call (q{SELECT count(*) FROM vmnet.network_blockers(1, 'trap')}, q{SELECT vmnet.network_in_use(1, 'trap')},
	q{SELECT vmnet.nic_event(1, 'ReservationRequested', inventory => 'trap')}, q{CALL vmnet.import_cloudstack('src', 'mir')})
{
	my $before = count_of('as_owner');

	$node->safe_psql('postgres', $call);
	cmp_ok(count_of('as_owner'), '>', $before, "code of the owner is run by $call");
	is(count_of('as_other'), '0', 'as the owner');
}

my @reads = (
	q{SELECT count(*) FROM vmnet.network_blockers(1, 'trap')},
	q{SELECT vmnet.network_id('00000000-0000-0000-0000-000000000000', 'trap')},
	q{SELECT count(*) FROM vmnet.network_active_instances(1, inventory => 'trap')},
	q{SELECT vmnet.inventory_status('trap')},
	q{SELECT vmnet.network_in_use(1, 'trap')},
	q{SELECT count(*) FROM vmnet.nic_explain(1, 'trap')},
	q{SELECT count(*) FROM vmnet.network_instances_as_of(1, now(), 'trap')});
my @writes = (
	q{SELECT vmnet.nic_add((random() * 998)::int + 2, 1, inventory => 'trap')},
	q{SELECT vmnet.nic_event(1, 'ReservationRequested', inventory => 'trap')},
	q{SELECT vmnet.nic_event(1, 'CancelRequested', inventory => 'trap')},
	q{SELECT count(*) FROM vmnet.repair_inventory('trap', dry_run => false)},
	q{SELECT vmnet.instance_expunge((random() * 998)::int + 2, 'trap')},
	q{CALL vmnet.purge_inventory('trap', now() - interval '1 year')});
my @there_and_back = ([ 'forger', 'ALTER SCHEMA trap RENAME TO x', 'ALTER SCHEMA x RENAME TO trap' ]);

race('a schema is renamed, a superuser reads', undef, 16, \@there_and_back, @reads);
race('a schema is renamed, a superuser writes', undef, 16, \@there_and_back, @writes);
race('a schema is renamed, a member of the owner\'s role reads and writes', 'member', 16, \@there_and_back, @reads, @writes);
race('two inventories exchange their names', undef, 16,
	[ [ 'forger', 'ALTER SCHEMA trap RENAME TO x', 'ALTER SCHEMA other RENAME TO trap', 'ALTER SCHEMA trap RENAME TO other', 'ALTER SCHEMA x RENAME TO trap' ] ], @reads, @writes);
race('the tables of a mirror are renamed while a superuser imports', undef, 16,
	[ [ 'forger', 'ALTER VIEW mir.inventory_info RENAME TO y; ALTER TABLE mir.all_nics RENAME TO z', 'ALTER VIEW mir.y RENAME TO inventory_info; ALTER TABLE mir.z RENAME TO all_nics' ] ],
	q{CALL vmnet.import_cloudstack('src', 'mir')});
$node->safe_psql('postgres', 'SET ROLE forger; ALTER TABLE trap.all_nics RENAME TO nics_of_mine');
race('an inventory without all_nics is marked and unmarked', undef, 0,
	[ [ 'forger', 'ALTER VIEW trap.inventory_info RENAME TO y', 'ALTER VIEW trap.y RENAME TO inventory_info' ] ], @reads);

# Schemas that come and go, looked at by somebody without rights on them.
sub come_and_go
{
	my ($name) = @_;

	return [ 'dropper', "CREATE SCHEMA $name; CREATE VIEW $name.inventory_info AS SELECT 'managed'::text AS kind, NULL::text AS source, 'enforce'::text AS mode, '1'::text AS version",
		"DROP SCHEMA $name CASCADE" ];
}
race('schemas are dropped', 'member', 0, [ come_and_go('comes'), come_and_go('goes') ],
	q{SELECT vmnet.network_active_nics(1, 'comes')},
	q{SELECT vmnet_internal.resolve_inventory('goes')},
	q{SELECT vmnet.network_active_nics(1, 'goes')},
	q{SELECT count(*) FROM vmnet.nics_stuck_for(inventory => 'comes')},
	q{SELECT count(*) FROM vmnet.inventories},
	q{CALL vmnet.purge_inventory('comes', now() - interval '1 year')},
	q{SELECT vmnet.inventory_status('goes')});

$node->stop;
done_testing();
