# Whose rights an import and a purge have.  The owner of an inventory puts code
# of his into everything that they touch; whoever calls them, that code runs as
# the owner and as nobody else, and the source is read as the caller.
#
# pg_regress cannot do it: its connections are those of one superuser, and a
# role that is set is not a role that has logged in.
use strict;
use warnings;

use lib 'test/t';
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $node = PostgreSQL::Test::Cluster->new('rights');
$node->init;
$node->start;

# Runs SQL as a role that logs in; gives SQLSTATE and message of an error, or "".
sub call_as
{
	my ($role, $sql) = @_;
	my ($status, $output, $error) = $node->psql('postgres', "\\set VERBOSITY verbose\nSET client_min_messages = warning;\n$sql",
		on_error_stop => 1, extra_params => $role ? [ '-U', $role ] : []);
	return '' if $status == 0;
	my ($said) = $error =~ /ERROR:  (\w{5}: .*)/;
	return $said // $error;
}

sub ask { return $node->safe_psql('postgres', $_[0]); }

# Who ran what of the owner's code since the last question.
sub ran
{
	my $ran = ask(q{SELECT string_agg(DISTINCT who, ' ' ORDER BY who) FROM public.ran_as});
	ask('TRUNCATE public.ran_as');
	return $ran;
}

ask(<<'SQL');
CREATE EXTENSION vmnet_ext;
CREATE ROLE inv_owner LOGIN;
CREATE ROLE inv_member LOGIN IN ROLE inv_owner;
CREATE ROLE inv_cold LOGIN NOINHERIT;
GRANT inv_owner TO inv_cold;
CREATE ROLE inv_operator LOGIN;
CREATE ROLE inv_nobody LOGIN;
CREATE ROLE inv_other LOGIN;
CREATE ROLE inv_root LOGIN SUPERUSER;
DO $$ BEGIN EXECUTE format('GRANT CREATE ON DATABASE %I TO inv_owner, inv_other', current_database()); END $$;

CREATE TABLE public.ran_as (who text, what text);
GRANT INSERT ON public.ran_as TO PUBLIC;

-- the owner of the mirror may not read the source
CREATE SCHEMA source;
CREATE TABLE source.networks (id bigint, uuid text, name text, state text, created timestamp, removed timestamp);
CREATE TABLE source.vm_instance (id bigint, uuid text, name text, state text, type text, created timestamp, removed timestamp);
CREATE TABLE source.nics (id bigint, uuid text, instance_id bigint, network_id bigint, state text, reserver_name text, created timestamp, removed timestamp);
CREATE TABLE source.nic_secondary_ips (id bigint, uuid text, "nicId" bigint, network_id bigint, ip4_address text, created timestamp);
INSERT INTO source.networks SELECT g, NULL, 'net', 'Setup', '2025-01-01', NULL FROM generate_series(1, 3) g;
INSERT INTO source.vm_instance SELECT g, NULL, 'vm', 'Running', 'User', '2025-01-01', NULL FROM generate_series(1, 5) g;
INSERT INTO source.nics SELECT g, NULL, g, 1, 'Reserved', 'DirectNetworkGuru', '2025-01-01', NULL FROM generate_series(1, 5) g;
INSERT INTO source.nic_secondary_ips VALUES (1, NULL, 1, 1, '10.0.0.9', '2025-01-01'), (2, NULL, 1, 1, 'none', '2025-01-01');
GRANT USAGE ON SCHEMA source TO inv_member, inv_cold, inv_operator, inv_other;
GRANT SELECT ON ALL TABLES IN SCHEMA source TO inv_member, inv_cold, inv_operator, inv_other;
SQL

# The owner's traps, in an inventory SCHEMA: everything that a table or a view can
# be made to run, and operators and functions for who has SCHEMA in his path.
my $traps = <<'SQL';
CREATE FUNCTION SCHEMA.note(what text) RETURNS boolean LANGUAGE plpgsql VOLATILE AS $$
BEGIN INSERT INTO public.ran_as VALUES (current_user, what); RETURN true; END $$;
CREATE FUNCTION SCHEMA.noted(what text) RETURNS boolean LANGUAGE plpgsql IMMUTABLE AS $$
BEGIN PERFORM SCHEMA.note(what); RETURN true; END $$;
CREATE FUNCTION SCHEMA.same(a bigint, b bigint) RETURNS boolean LANGUAGE plpgsql IMMUTABLE AS $$
BEGIN PERFORM SCHEMA.note('operator'); RETURN a OPERATOR(pg_catalog.=) b; END $$;
CREATE FUNCTION SCHEMA.same(a text, b text) RETURNS boolean LANGUAGE plpgsql IMMUTABLE AS $$
BEGIN PERFORM SCHEMA.note('operator'); RETURN a OPERATOR(pg_catalog.=) b; END $$;
CREATE OPERATOR SCHEMA.= (FUNCTION = SCHEMA.same, LEFTARG = bigint, RIGHTARG = bigint);
CREATE OPERATOR SCHEMA.= (FUNCTION = SCHEMA.same, LEFTARG = text, RIGHTARG = text);
CREATE FUNCTION SCHEMA.format(text, VARIADIC text[]) RETURNS text LANGUAGE plpgsql IMMUTABLE AS $$
BEGIN PERFORM SCHEMA.note('function'); RETURN ''; END $$;
CREATE FUNCTION SCHEMA.trap() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN PERFORM SCHEMA.note('trigger ' || TG_NAME); RETURN CASE TG_OP WHEN 'DELETE' THEN OLD ELSE NEW END; END $$;
CREATE DOMAIN SCHEMA.trapped AS text CHECK (SCHEMA.noted('domain'));
CREATE TYPE SCHEMA.made AS (t text);
CREATE FUNCTION SCHEMA.make(text) RETURNS SCHEMA.made LANGUAGE plpgsql IMMUTABLE AS $$
BEGIN PERFORM SCHEMA.note('cast'); RETURN ROW($1)::SCHEMA.made; END $$;
CREATE CAST (text AS SCHEMA.made) WITH FUNCTION SCHEMA.make(text) AS ASSIGNMENT;
DO $do$
DECLARE
	t text;
BEGIN
	FOREACH t IN ARRAY ARRAY['TABLES'] LOOP
		EXECUTE format('ALTER TABLE SCHEMA.%I ADD trap_default boolean DEFAULT SCHEMA.note(''default''), ADD trap_domain SCHEMA.trapped DEFAULT ''x'', ADD trap_cast SCHEMA.made DEFAULT ''x''::text', t);
		EXECUTE format('ALTER TABLE SCHEMA.%I ADD trap_generated boolean GENERATED ALWAYS AS (SCHEMA.noted(''generated'')) STORED, ADD CHECK (SCHEMA.noted(''check''))', t);
		EXECUTE format('CREATE INDEX ON SCHEMA.%I ((SCHEMA.noted(''index''))) WHERE SCHEMA.noted(''predicate'')', t);
		EXECUTE format('CREATE TRIGGER "AA" BEFORE INSERT OR UPDATE OR DELETE ON SCHEMA.%I FOR EACH ROW EXECUTE FUNCTION SCHEMA.trap()', t);
		EXECUTE format('CREATE TRIGGER "AB" BEFORE INSERT OR UPDATE OR DELETE ON SCHEMA.%I FOR EACH STATEMENT EXECUTE FUNCTION SCHEMA.trap()', t);
		EXECUTE format('CREATE TRIGGER zz AFTER INSERT OR UPDATE OR DELETE ON SCHEMA.%I FOR EACH ROW EXECUTE FUNCTION SCHEMA.trap()', t);
		EXECUTE format('CREATE CONSTRAINT TRIGGER zd AFTER INSERT OR UPDATE OR DELETE ON SCHEMA.%I DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION SCHEMA.trap()', t);
		EXECUTE format('ALTER TABLE SCHEMA.%I ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY', t);
		EXECUTE format('CREATE POLICY trap ON SCHEMA.%I USING (SCHEMA.note(''policy'') AND false)', t);
	END LOOP;
	FOREACH t IN ARRAY ARRAY['nics', 'networks', 'instances'] LOOP
		EXECUTE (SELECT format('CREATE OR REPLACE VIEW SCHEMA.%1$I AS SELECT %2$s FROM SCHEMA.all_%1$s WHERE SCHEMA.note(''view'')', t,
			string_agg(quote_ident(attname), ', ' ORDER BY attnum))
			FROM pg_attribute WHERE attrelid = ('SCHEMA.' || t)::regclass AND attnum > 0 AND NOT attisdropped);
	END LOOP;
END $do$;
-- what once was a stage
CREATE TABLE SCHEMA.vmnet_import_nics AS SELECT 99::bigint AS id; CREATE TABLE SCHEMA.vmnet_import_log AS SELECT 'forged' AS reason;
SQL

sub trap
{
	my ($schema, @tables) = @_;
	my $sql = $traps;
	my $list = join q{', '}, @tables;
	$sql =~ s/SCHEMA/$schema/g;
	$sql =~ s/TABLES/$list/;
	is(call_as('inv_owner', $sql), '', "the owner sets traps in $schema");
	isnt(ask("SELECT count(*) FROM pg_trigger WHERE tgname = 'AA' AND tgrelid::regclass::text ~ '^$schema'"), '0', 'and they are there');
	ask('TRUNCATE public.ran_as');
	return;
}

my $import = q{SET search_path = m, public, pg_catalog; CALL vmnet.import_cloudstack('source', 'm')};
my $state = q{SELECT string_agg(id || ' ' || state || CASE WHEN removed IS NOT NULL THEN ' removed' ELSE '' END, ', ' ORDER BY id) FROM m.all_nics};
my $changed = 0;

# Changes the source, calls the import, and looks who ran the owner's code.
sub import_as
{
	my ($role, $who, $sql) = @_;
	$changed++;
	ask(qq{UPDATE source.nics SET state = 'State$changed', uuid = md5('$changed' || id)::uuid::text; UPDATE source.networks SET name = 'net$changed'; UPDATE source.vm_instance SET name = 'vm$changed';
		DELETE FROM source.nics WHERE id = 5; INSERT INTO source.nics VALUES (10 + $changed, NULL, 1, 1, 'State$changed', NULL, '2025-01-01', NULL);
		UPDATE source.nic_secondary_ips SET ip4_address = 'none$changed' WHERE id = 2});
	ask('TRUNCATE public.ran_as');
	is(call_as($role, $sql // $import), '', "$who imports");
	is(ran(), 'inv_owner', "$who: the owner's code ran as the owner");
	is(ask($state), ask(q{SELECT string_agg(id || ' ' || state, ', ' ORDER BY id) FROM source.nics}), "$who: and the mirror is what the source is");
	is(ask(q{SELECT status || ' ' || values_changed FROM m.import_runs ORDER BY run DESC LIMIT 1}), 'done 1', "$who: the run is written down");
	return;
}

#
# Import
#
is(call_as('inv_owner', q{SELECT vmnet.create_inventory('m', 'mirror')}), '', 'the owner makes a mirror');
ask(q{SELECT vmnet.grant_access('m', 'inv_operator', 'operator')});
trap('m', 'all_nics', 'all_networks', 'all_instances', 'all_nic_secondary_ips', 'nic_history', 'nic_address_history', 'import_runs', 'import_log');

my @traps = ('cast', 'check', 'default', 'domain', 'generated', 'index', 'predicate', 'trigger AA', 'trigger AB', 'trigger zd', 'trigger zz');
import_as('inv_root', 'a superuser, for the first time', "$import; CREATE TABLE public.ran_what AS SELECT DISTINCT what FROM public.ran_as");
is(ask(q{SELECT string_agg(what, ', ' ORDER BY what COLLATE "C") FROM public.ran_what}), join(', ', @traps), 'every trap is one, and operators, functions, policies and views are passed by');
import_as('inv_root', 'a superuser');
import_as('inv_root', 'a superuser in a transaction block', "BEGIN; $import; COMMIT");
import_as('inv_root', 'a superuser in a DO block', q{SET search_path = m, pg_catalog; DO $$ BEGIN CALL vmnet.import_cloudstack('source', 'm'); COMMIT; END $$});
import_as('inv_root', 'a superuser as a member', "SET ROLE inv_member; $import");
import_as('inv_member', 'a member');
is(ask(q{SELECT count(*) FROM m.import_log WHERE reason = 'forged'}), '0', 'tables of the owner are no stages');

# who may not
ask('TRUNCATE public.ran_as');
like(call_as('inv_owner', $import), qr/^42501: permission denied for schema source/, 'the owner has no right to the source');
is(ran(), 'inv_owner', 'and writes that down himself');
foreach my $case ([ 'inv_operator', 'an operator' ], [ 'inv_nobody', 'nobody' ], [ 'inv_other', 'another role' ], [ 'inv_cold', 'a member without INHERIT' ])
{
	my ($role, $who) = @$case;
	is(call_as($role, q{CALL vmnet.import_cloudstack('source', 'm')}), '42501: must be owner of schema m', "$who does not import");
}
is(ran(), '', 'and nothing ran');
ask('GRANT USAGE ON SCHEMA source TO inv_owner; GRANT SELECT ON ALL TABLES IN SCHEMA source TO inv_owner');
import_as('inv_owner', 'the owner');
import_as('inv_cold', 'a member without INHERIT, as the owner', "SET ROLE inv_owner; $import");

# a run that fails is closed as the owner, too
ask(q{ALTER TABLE source.vm_instance RENAME TO rows; CREATE VIEW source.vm_instance AS SELECT id, uuid, name, (1 / (id - 3))::text AS state, type, created, removed FROM source.rows});
ask('TRUNCATE public.ran_as');
is(call_as('inv_root', $import), '22012: division by zero', 'an import of a superuser fails');
is(ran(), 'inv_owner', 'the owner\'s code ran as the owner');
is(ask('SELECT status FROM m.import_runs ORDER BY run DESC LIMIT 1'), 'failed', 'and the run is closed');
ask(q{DROP VIEW source.vm_instance; ALTER TABLE source.rows RENAME TO vm_instance});

# the owner's code fails
call_as('inv_owner', q{CREATE FUNCTION m.fails() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN PERFORM m.note('fails'); RAISE 'no'; END $$; CREATE TRIGGER fails AFTER UPDATE ON m.all_nics FOR EACH ROW WHEN (NEW.id = 3) EXECUTE FUNCTION m.fails()});
ask(q{UPDATE source.nics SET state = 'Fails'});
ask('TRUNCATE public.ran_as');
is(call_as('inv_root', $import), 'P0001: no', 'an import whose mirror\'s trigger fails');
is(ran(), 'inv_owner', 'the owner\'s code ran as the owner');
my $after = $node->psql('postgres', "CALL vmnet.import_cloudstack('source', 'm');\nINSERT INTO public.ran_as VALUES (session_user || current_user, 'me')", on_error_stop => 0, extra_params => [ '-U', 'inv_root' ]);
is(ask(q{SELECT who FROM public.ran_as WHERE what = 'me'}), 'inv_rootinv_root', 'and the superuser is one again afterwards');
ran();

# a trigger cannot become the caller, nor use his rights later on
call_as('inv_owner', q{DROP TRIGGER fails ON m.all_nics; CREATE OR REPLACE FUNCTION m.fails() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN EXECUTE NEW.trap_statement; RETURN NEW; END $$;
	ALTER TABLE m.import_runs ADD trap_statement text DEFAULT 'SELECT 1'; CREATE TRIGGER a_fails BEFORE INSERT ON m.import_runs FOR EACH ROW EXECUTE FUNCTION m.fails()});
foreach my $case (
	[ 'RESET ROLE', '42501' ], [ 'RESET SESSION AUTHORIZATION', '42501' ], [ 'SET ROLE inv_root', '42501' ],
	[ 'CREATE TEMP TABLE nics (id int)', '42501' ], [ 'DROP TABLE pg_temp.vmnet_import_log', '42501' ],
	[ 'DELETE FROM pg_temp.vmnet_import_log', '42501' ], [ 'SELECT count(*) FROM source.nics', '42501' ])
{
	my ($statement, $state) = @$case;
	ask('REVOKE ALL ON SCHEMA source FROM inv_owner');
	call_as('inv_owner', "ALTER TABLE m.import_runs ALTER trap_statement SET DEFAULT " . ($statement =~ s/'/''/gr =~ s/^(.*)$/'$1'/r));
	like(call_as('inv_root', $import), qr/^$state: /, "the owner's code may not: $statement");
}
call_as('inv_owner', q{ALTER TABLE m.import_runs ALTER trap_statement SET DEFAULT 'SET search_path = m'});
is(call_as('inv_root', "SET search_path = public;\n" . q{CALL vmnet.import_cloudstack('source', 'm'); DO $$ BEGIN ASSERT current_setting('search_path') = 'public' AND current_user = 'inv_root'; END $$}), '', 'what the owner\'s code sets is undone');
call_as('inv_owner', q{DROP TRIGGER a_fails ON m.import_runs});
ran();

# a relation of another owner
ask('GRANT CREATE ON SCHEMA m TO inv_other; ALTER TABLE m.import_log OWNER TO inv_other');
like(call_as('inv_root', $import), qr/^42501: relation "m.import_log" does not belong to the owner of its inventory/, 'a relation of somebody else is refused');
is(ran(), '', 'before anything runs');
ask('ALTER TABLE m.import_log OWNER TO inv_owner');

# the mirror changes hands
ask(q{REASSIGN OWNED BY inv_owner TO inv_other; GRANT inv_owner TO inv_other});
is(call_as('inv_root', $import), '', 'a superuser imports after REASSIGN OWNED');
is(ran(), 'inv_other', 'as who owns the mirror now');
is(call_as('inv_member', q{CALL vmnet.import_cloudstack('source', 'm')}), '42501: must be owner of schema m', 'members of the old owner do not');
ask(q{REVOKE inv_owner FROM inv_other; REASSIGN OWNED BY inv_other TO inv_owner});

# a mirror that is not there belongs to who makes it
is(call_as('inv_other', q{CALL vmnet.import_cloudstack('source', 'new')}), '', 'another role makes a mirror of its own');
is(ask(q{SELECT owner FROM vmnet.inventories WHERE name = 'new'}), 'inv_other', 'and owns it');
like(call_as('inv_operator', q{CALL vmnet.import_cloudstack('source', 'more')}), qr/^42501: permission denied for database/, 'who may not make a schema makes none');

#
# Purge
#
is(call_as('inv_owner', q{SELECT vmnet.create_inventory('p');
	INSERT INTO p.networks (id) VALUES (1);
	INSERT INTO p.instances (id) SELECT generate_series(1, 20);
	INSERT INTO p.nics (id, instance_id, network_id, ip4_address) SELECT g, g, 1, '10.0.0.1'::inet + g FROM generate_series(1, 20) g;
	INSERT INTO p.nic_secondary_ips (nic_id, network_id, ip4_address) SELECT g, 1, '10.0.1.1'::inet + g FROM generate_series(1, 20) g;
	UPDATE p.nics SET state = 'Deallocating', removed = now() WHERE id <= 18;
	UPDATE p.instances SET removed = now() WHERE id <= 18}), '', 'the owner makes a managed inventory, and removes most of it');
# what refers to it: rows 1 to 3 stay
ask(q{CREATE SCHEMA notes; CREATE TABLE notes.notes (nic_id bigint REFERENCES p.all_nics DEFERRABLE INITIALLY DEFERRED); INSERT INTO notes.notes VALUES (1), (2), (3);
	SELECT vmnet.grant_access('p', 'inv_operator', 'operator')});
trap('p', 'all_nics', 'all_networks', 'all_instances', 'all_nic_secondary_ips', 'nic_history', 'nic_address_history');
my $left = q{SELECT count(*) || ' ' || count(removed) FROM p.all_nics};

foreach my $case ([ 'inv_operator', 'an operator' ], [ 'inv_nobody', 'nobody' ], [ 'inv_other', 'another role' ], [ 'inv_cold', 'a member without INHERIT' ])
{
	my ($role, $who) = @$case;
	is(call_as($role, q{CALL vmnet.purge_inventory('p', '2020-01-01')}), '42501: must be owner of schema p', "$who does not purge");
}
is(ran(), '', 'and nothing ran');

sub purge_as
{
	my ($role, $who, $before, $after) = @_;
	is(call_as($role, "SET search_path = p, public, pg_catalog; $before CALL vmnet.purge_inventory('p', pg_catalog.clock_timestamp(), 2, true); $after"), '', "$who purges");
	is(ran(), 'inv_owner', "$who: the owner's code ran as the owner");
	is(ask($left), '5 3', "$who: what is referred to stays, and so does what is not removed");
	# the next one has something to do, too
	# (the owner's deferred trigger on history would refuse a guarded removal)
	ask(q{SET session_replication_role = replica;
		INSERT INTO p.all_instances (id) SELECT 100 + max(id) FROM p.all_instances;
		INSERT INTO p.all_nics (id, instance_id, network_id, default_nic, state, removed) SELECT max(id), max(id), 1, false, 'Deallocating', now() FROM p.all_instances});
	ran();
	return;
}
purge_as('inv_root', 'a superuser', '', '');
purge_as('inv_root', 'a superuser in a transaction block', 'BEGIN;', 'COMMIT;');
purge_as('inv_root', 'a superuser in a DO block', 'DO $$ BEGIN', q{COMMIT; END $$;});
purge_as('inv_root', 'a superuser as a member', 'SET ROLE inv_member;', '');
purge_as('inv_member', 'a member', '', '');
purge_as('inv_cold', 'a member without INHERIT, as the owner', 'SET ROLE inv_owner;', '');
purge_as('inv_owner', 'the owner', '', '');

# the guards are on for all of them
ask('ALTER TABLE p.all_nics NO FORCE ROW LEVEL SECURITY');
foreach my $role ('inv_root', 'inv_member', 'inv_owner')
{
	like(call_as($role, 'DELETE FROM p.all_nics WHERE id = 1'), qr/^23001: /, "$role cannot delete by hand");
	like(call_as($role, q{UPDATE m.all_nics SET state = 'x'}), qr/^42501: cannot write to table/, "$role cannot write to the mirror");
}

done_testing();
