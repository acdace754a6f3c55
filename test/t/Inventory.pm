# What the TAP tests share: an inventory that holds every kind of row, and ways
# to say of a database what is in it, what it answers and what it refuses.

package Inventory;

use strict;
use warnings FATAL => 'all';

use Exporter 'import';
use PostgreSQL::Test::Utils;
use Test::More;

our @EXPORT = qw(
  MANAGED MIRROR
  quote_ident quote_literal
  create_roles create_managed create_mirror
  same_text rows_digest catalog_text read_answers inventory_list
  guards_say guards_expected mirror_guards_say mirror_guards_expected
  broken_rules
);

# Names that go wrong wherever a quote is forgotten.
use constant MANAGED => qq(Cloud "eu"; it's);
use constant MIRROR => "mirror\nof cloud";

sub quote_ident
{
	my ($name) = @_;
	$name =~ s/"/""/g;
	return qq("$name");
}

sub quote_literal
{
	my ($text) = @_;
	$text =~ s/'/''/g;
	return "'$text'";
}

# The owner of the inventories, and somebody who may only read.  Roles belong
# to the whole server, so they are made once.
sub create_roles
{
	my ($node) = @_;
	$node->safe_psql(
		'postgres', q(
		CREATE ROLE vmnet_owner LOGIN;
		CREATE ROLE vmnet_reader LOGIN;
		CREATE ROLE vmnet_operator LOGIN;));
	return;
}

# A managed inventory, made by an ordinary role and filled as a client would
# fill it: every state, removed in one step and in two, half-removed,
# placeholders, defaults given and not given.  NIC ids are given, so that
# tests can name them.
sub create_managed
{
	my ($node, $db, $name) = @_;
	my $s = quote_ident($name);
	my $l = quote_literal($name);

	$node->safe_psql(
		$db, qq(
		DO \$\$ BEGIN
			EXECUTE pg_catalog.format('GRANT CREATE ON DATABASE %I TO vmnet_owner', pg_catalog.current_database());
		END \$\$;
		SET ROLE vmnet_owner;
		SELECT vmnet.create_inventory($l);

		INSERT INTO $s.networks (name, vpc_id, cidr, created) VALUES
			('one', 10, '10.0.1.0/24', '2020-01-01'), ('two', 10, '10.0.2.0/24', '2020-01-02'),
			('empty', NULL, NULL, '2020-01-03'), ('gone', 10, NULL, '2020-01-04'),
			('placeholder only', NULL, NULL, '2020-01-05'), ('half-removed only', NULL, NULL, '2020-01-06');
		INSERT INTO $s.instances (name, type, state) VALUES
			('web', 'User', 'Running'), ('db', 'User', 'Stopped'), ('router', 'DomainRouter', 'Running'),
			('gone', 'User', 'Destroyed'), ('batch', 'User', 'Running'), ('no NIC', 'User', 'Stopped');

		INSERT INTO $s.nics (id, instance_id, network_id, mac_address, ip4_address, device_id)
			VALUES (1, 1, 1, '02:00:00:00:00:01', '10.0.1.1', 0);
		INSERT INTO $s.nics (id, instance_id, network_id) VALUES (2, 1, 2);
		INSERT INTO $s.nics (id, instance_id, network_id, default_nic) VALUES (3, 2, 1, NULL);
		INSERT INTO $s.nics (id, instance_id, network_id, default_nic) VALUES (4, 2, 2, false);
		INSERT INTO $s.nics (id, instance_id, network_id, vm_type, default_nic, mac_address) VALUES
			(5, 3, 1, 'DomainRouter', false, '02:00:00:00:00:05'),
			(6, 3, 2, 'DomainRouter', false, '02:00:00:00:00:05');
		INSERT INTO $s.nics (id, network_id, state, strategy, ip4_address) VALUES
			(7, 5, 'Reserved', 'PlaceHolder', '10.0.5.7'), (13, 1, 'Allocated', 'PlaceHolder', '10.0.1.13');
		INSERT INTO $s.nics (id, instance_id, network_id) VALUES (8, 5, 6);
		INSERT INTO $s.nics (id, instance_id, network_id) VALUES (9, 4, 4);
		INSERT INTO $s.nics (id, instance_id, network_id, state, strategy, default_nic)
			VALUES (10, 5, 1, 'Reserved', 'Create', false);
		INSERT INTO $s.nics (id, instance_id, network_id, created) VALUES (11, 5, 3, '2024-01-31 12:00:00.654321+00');

		UPDATE $s.nics SET state = 'Reserving' WHERE id IN (1, 4, 5, 6);
		UPDATE $s.nics SET state = 'Reserved' WHERE id IN (1, 5, 6);
		UPDATE $s.nics SET state = 'Releasing' WHERE id = 5;
		DELETE FROM $s.nics WHERE id IN (2, 9);
		UPDATE $s.nics SET state = 'Deallocating' WHERE id = 8;
		UPDATE $s.all_nics SET state = 'Deallocating', removed = '2024-02-29 12:00:00.123456+00' WHERE id = 11;
		INSERT INTO $s.nics (id, instance_id, network_id, default_nic) VALUES (12, 1, 2, false);
		UPDATE $s.networks SET removed = now() WHERE id = 4;
		UPDATE $s.instances SET removed = now() WHERE id = 4;
		SELECT setval(${\quote_literal("$s.all_nics_id_seq")}, 41);));
	return;
}

# A mirror: contradictions that a managed inventory would refuse.  Only the
# import may write to one, so its work is done here in replica mode, which
# fires no trigger.
sub create_mirror
{
	my ($node, $db, $name) = @_;
	my $s = quote_ident($name);
	my $l = quote_literal($name);

	$node->safe_psql(
		$db, qq(
		DO \$\$ BEGIN
			EXECUTE pg_catalog.format('GRANT CREATE ON DATABASE %I TO vmnet_owner', pg_catalog.current_database());
		END \$\$;
		SET ROLE vmnet_owner;
		SELECT vmnet.create_inventory($l, 'mirror');
		RESET ROLE;
		SET session_replication_role = replica;
		INSERT INTO $s.all_networks (id, uuid, name, state, traffic_type, vpc_id, nics_count, created, removed) VALUES
			(204, NULL, 'padded ', 'Implemented', NULL, 1, -3, 'epoch', NULL),
			(205, gen_random_uuid(), NULL, 'Destroy', 'Guest', 1, 0, 'epoch', 'epoch');
		INSERT INTO $s.all_instances (id, uuid, name, type, state, removed) VALUES
			(1, NULL, 'a', NULL, 'Running', NULL), (2, gen_random_uuid(), 'b', 'User', 'Expunging', 'epoch');
		INSERT INTO $s.all_nics (id, uuid, instance_id, network_id, state, strategy, vm_type, default_nic, mac_address, removed) VALUES
			(1, NULL, 1, 204, 'Reserved', 'Other', NULL, NULL, '02:00:00:00:00:01', NULL),
			(2, gen_random_uuid(), 1, 204, 'Reserved', 'Start', 'User', true, '02:00:00:00:00:01', NULL),
			(3, gen_random_uuid(), 2, 204, 'Allocated', 'Start', 'User', true, NULL, NULL),
			(4, gen_random_uuid(), 1, 204, 'deallocating', 'Start', 'User', false, NULL, NULL),
			(5, gen_random_uuid(), 1, 205, 'Reserved', 'Start', 'User', false, NULL, 'epoch'),
			(6, gen_random_uuid(), 1, 205, 'no such state', 'Start', 'User', false, NULL, NULL);
		SELECT setval(pg_get_serial_sequence(format('%I.%I', $l, t), 'id'), n)
		FROM (VALUES ('all_nics', 6), ('all_instances', 2), ('all_networks', 205)) v (t, n);
		INSERT INTO $s.import_runs (source, status) VALUES ('cloudstack', 'done');
		INSERT INTO $s.import_log (run, "table", id, "column", original, action, reason)
			VALUES (1, 'nics', '7', NULL, NULL, 'rejected', 'its network is not there');));
	return;
}

# Every row of every table of an inventory, as one line per table: how many,
# and a digest of all columns in a fixed order.
sub rows_digest
{
	my ($node, $db, $name) = @_;
	my $s = quote_ident($name);
	my @tables = split /\n/, $node->safe_psql(
		$db, q(
		SELECT quote_ident(relname) FROM pg_class
		WHERE relkind = 'r' AND relnamespace = ) . quote_literal($s) . q(::regnamespace
		ORDER BY relname COLLATE "C"));

	return $node->safe_psql(
		$db,
		"SET TimeZone = 'UTC';\n" . join ";\n",
		map {
			"SELECT '$_', count(*), md5(string_agg(t::text, E'\\n' ORDER BY t)) FROM $s.$_ t"
		} @tables);
}

# All that the catalogs say of an inventory, names and texts only, one line
# per object.  Where a grant stands for the default it is written out, since a
# restore may do so.
my @catalog_queries = (
	q(SELECT 'schema', nspowner::regrole, pg_temp.acl(coalesce(nspacl, acldefault('n', nspowner))), obj_description(oid, 'pg_namespace')
	  FROM pg_namespace WHERE oid = $schema),

	q(SELECT 'relation', relkind, relname, relowner::regrole, relpersistence, relreplident, relrowsecurity, relforcerowsecurity, reloptions,
		pg_temp.acl(coalesce(relacl, acldefault(CASE relkind WHEN 'S' THEN 's' ELSE 'r' END::"char", relowner))),
		obj_description(oid, 'pg_class'), CASE WHEN relkind = 'v' THEN pg_get_viewdef(oid) END
	  FROM pg_class WHERE relnamespace = $schema AND relkind <> 'i' ORDER BY relkind, relname COLLATE "C"),

	q(SELECT 'column', relname, row_number() OVER (PARTITION BY attrelid ORDER BY attnum), attname, format_type(atttypid, atttypmod),
		attnotnull, attgenerated, attidentity, pg_get_expr(adbin, adrelid), pg_temp.acl(attacl), col_description(attrelid, attnum)
	  FROM pg_attribute a JOIN pg_class c ON c.oid = attrelid LEFT JOIN pg_attrdef ON adrelid = attrelid AND adnum = attnum
	  WHERE relnamespace = $schema AND relkind IN ('r', 'v') AND attnum > 0 AND NOT attisdropped ORDER BY relname COLLATE "C", attnum),

	q(SELECT 'constraint', conrelid::regclass, conname, convalidated, condeferrable, pg_get_constraintdef(oid), obj_description(oid, 'pg_constraint')
	  FROM pg_constraint WHERE connamespace = $schema ORDER BY conrelid::regclass::text COLLATE "C", conname COLLATE "C"),

	q(SELECT 'index', pg_get_indexdef(indexrelid), indisvalid, indisreplident, obj_description(indexrelid, 'pg_class')
	  FROM pg_index JOIN pg_class c ON c.oid = indexrelid WHERE relnamespace = $schema ORDER BY relname COLLATE "C"),

	q(SELECT 'trigger', pg_get_triggerdef(t.oid), tgenabled, obj_description(t.oid, 'pg_trigger')
	  FROM pg_trigger t JOIN pg_class c ON c.oid = tgrelid WHERE relnamespace = $schema AND NOT tgisinternal
	  ORDER BY relname COLLATE "C", tgname COLLATE "C"),

	q(SELECT 'policy', polrelid::regclass, polname, polcmd, polpermissive, polroles::regrole[],
		pg_get_expr(polqual, polrelid), pg_get_expr(polwithcheck, polrelid), obj_description(p.oid, 'pg_policy')
	  FROM pg_policy p JOIN pg_class c ON c.oid = polrelid WHERE relnamespace = $schema ORDER BY relname COLLATE "C", polname COLLATE "C"),

	q(SELECT 'statistics', pg_get_statisticsobjdef(oid) FROM pg_statistic_ext WHERE stxnamespace = $schema ORDER BY stxname COLLATE "C"),

	q(SELECT 'function', pg_get_functiondef(oid), proowner::regrole, pg_temp.acl(coalesce(proacl, acldefault('f', proowner)))
	  FROM pg_proc WHERE pronamespace = $schema ORDER BY proname COLLATE "C"),

	# Moves that are tried and undone take numbers of nic_history.
	q(SELECT 'sequence', sequencename, CASE WHEN sequencename <> 'nic_history_seq_seq' THEN last_value END, data_type, increment_by, max_value, cycle,
		(SELECT format('%s.%s', refobjid::regclass, attname) FROM pg_depend JOIN pg_attribute ON attrelid = refobjid AND attnum = refobjsubid
		 WHERE classid = 'pg_class'::regclass AND objid = c.oid AND refclassid = 'pg_class'::regclass AND deptype = 'a') AS owned_by
	  FROM pg_sequences JOIN pg_class c ON relname = sequencename
	  WHERE relnamespace = $schema AND quote_ident(schemaname)::regnamespace = $schema ORDER BY sequencename COLLATE "C"));

sub catalog_text
{
	my ($node, $db, $name) = @_;
	my $schema = quote_literal(quote_ident($name)) . '::regnamespace';

	return $node->safe_psql(
		$db, q(
		SET search_path = pg_catalog;
		CREATE FUNCTION pg_temp.acl(acl aclitem[]) RETURNS text LANGUAGE sql AS $$
			SELECT string_agg(format('%s:%s:%s:%s', grantor::regrole, CASE grantee WHEN 0 THEN 'PUBLIC' ELSE grantee::regrole::text END,
				privilege_type, is_grantable), ' ' ORDER BY grantor::regrole::text, grantee::regrole::text, privilege_type)
			FROM aclexplode(acl) $$;)
		  . join ";\n", map { 'SELECT to_json(q) FROM (' . s/\$schema/$schema/gr . ') q' } @catalog_queries);
}

# is() for long texts: where they differ it shows the lines that do.
sub same_text
{
	my ($got, $expected, $what) = @_;
	local $Test::Builder::Level = $Test::Builder::Level + 1;
	return ok(1, $what) if $got eq $expected;

	my %got = map { $_ => 1 } split /\n/, $got;
	my %expected = map { $_ => 1 } split /\n/, $expected;
	diag("missing: $_") for grep { !$got{$_} } split /\n/, $expected;
	diag("too much: $_") for grep { !$expected{$_} } split /\n/, $got;
	return ok(0, $what);
}

# Everything that the read functions and the views of an inventory answer, for
# the ids that it may have and a few that it has not.
sub read_answers
{
	my ($node, $db, $name, %options) = @_;
	my $s = quote_ident($name);
	my $l = quote_literal($name);
	my $role = $options{role} ? "SET ROLE $options{role};" : '';
	my $ids = 'unnest(ARRAY[-1, 0, 1, 2, 3, 4, 5, 6, 7, 10, 204, 205, 999, NULL]::bigint[]) AS x(id)';

	return $node->safe_psql(
		$db, qq(
		$role
		SET TimeZone = 'UTC';
		SELECT 'network_active_instances', id, a FROM $ids, vmnet.network_active_instances(id, inventory => $l) a;
		SELECT 'network_active_instances page', id, a FROM $ids, vmnet.network_active_instances(id, 1, 2, $l) a;
		SELECT 'network_active_nics', id, a FROM $ids, vmnet.network_active_nics(id, $l) a;
		SELECT 'instance_active_networks', id, a FROM $ids, vmnet.instance_active_networks(id, $l) a;
		SELECT 'vpc_active_instances', id, a FROM $ids, vmnet.vpc_active_instances(id, $l) a;
		SELECT 'network', id, vmnet.network_active_instance_count(id, $l), vmnet.network_in_use(id, $l) FROM $ids;
		SELECT 'network_id', id, vmnet.network_id(uuid, $l) FROM $s.all_networks ORDER BY id;
		SELECT 'network_id of a text', id, vmnet.network_id(id::text, $l) FROM $s.all_networks ORDER BY id;
		SELECT 'network_explain', id, a FROM $s.all_networks, vmnet.network_explain(id, $l) a;
		SELECT 'network_preflight', id, a.ord, a.question, a.answer, a.verdict FROM $ids, vmnet.network_preflight(id, $l) WITH ORDINALITY a (question, answer, verdict, next, ord)
		WHERE question NOT IN ('age of the data', 'the inventory itself', 'overall') ORDER BY id, ord;
		SELECT 'instance_preflight', id, a.ord, a.question, a.answer, a.verdict FROM $ids, vmnet.instance_preflight(id, $l) WITH ORDINALITY a (question, answer, verdict, next, ord)
		WHERE question NOT IN ('age of the data', 'the inventory itself', 'overall') ORDER BY id, ord;
		SELECT 'propose_segments', p FROM (SELECT CAST($l AS name) AS i WHERE vmnet_internal.has_reality($l)) r, vmnet.propose_segments(r.i) p;
		SELECT 'network_free_ips', id, a FROM $s.all_networks, vmnet.network_free_ips(id, 3, $l) a;
		SELECT 'instance_id', id, vmnet.instance_id(uuid, $l) FROM $s.all_instances ORDER BY id;
		SELECT 'network_instances_as_of', id, at, a FROM $ids, unnest(ARRAY['-infinity', '2020-01-01', now(), 'infinity', NULL]::timestamptz[]) WITH ORDINALITY t (time, at),
			vmnet.network_instances_as_of(id, time, $l) a;
		SELECT 'nic_timeline', n.id, a FROM $s.all_nics n, vmnet.nic_timeline(n.id, $l) a ORDER BY n.id, a.at, a.seq;
		SELECT 'ip_holders', a FROM vmnet.ip_holders('0.0.0.0/0', inventory => $l) a;
		SELECT 'ip_holders', a FROM vmnet.ip_holders('::/0', inventory => $l) a;
		SELECT 'mac_holders', m, a FROM (SELECT DISTINCT mac_address AS m FROM $s.all_nics) n, vmnet.mac_holders(m, inventory => $l) a ORDER BY m, a;
		SELECT 'nic_explain', n.id, a FROM $s.all_nics n, vmnet.nic_explain(n.id, $l) a;
		SELECT 'stuck_nics', nic_id, state, last_event FROM vmnet.nics_stuck_for('0', $l);
		SELECT 'nic_changes_since', seq, nic_id, from_state, to_state, event, at, transaction_id FROM vmnet.nic_changes_since(NULL, NULL, $l);
		SELECT 'nic_changes_since', count(*) FROM vmnet.nic_changes_since(vmnet.nic_changes_cursor($l), NULL, $l);
		SELECT 'report_schemas', r FROM vmnet.report_schemas($l) r;
		SELECT 'nic_history', v FROM $s.nic_history v ORDER BY v;
		SELECT 'nic_intervals', v FROM $s.nic_intervals v ORDER BY v;
		SELECT 'network_instance_intervals', v FROM $s.network_instance_intervals v ORDER BY v;
		SELECT 'nic_address_intervals', v FROM $s.nic_address_intervals v ORDER BY v;
		SELECT 'stuck_nics', nic_id FROM $s.stuck_nics ORDER BY nic_id;
		SELECT 'network_blockers', id, a FROM $ids, vmnet.network_blockers(id, $l) a;
		SELECT 'instance_blockers', id, a FROM $ids, vmnet.instance_blockers(id, $l) a;
		SELECT 'check_inventory', a FROM vmnet.check_inventory($l, '0') a WHERE a.object_type <> 'inventory';
		SELECT 'manage_blockers', a FROM vmnet.manage_blockers($l) a;
		SELECT 'networks', v FROM $s.networks v ORDER BY v;
		SELECT 'instances', v FROM $s.instances v ORDER BY v;
		SELECT 'nics', v FROM $s.nics v ORDER BY v;
		SELECT 'network_instances', v FROM $s.network_instances v ORDER BY v;
		SELECT 'network_counts', v FROM $s.network_counts v ORDER BY v;
		SELECT 'vpc_instances', v FROM $s.vpc_instances v ORDER BY v;
		SELECT 'network_validation', v FROM $s.network_validation v ORDER BY v;
		SELECT 'inventory_info', v FROM $s.inventory_info v;));
}

sub inventory_list
{
	my ($node, $db) = @_;
	# only what a mirror is as of does not follow the clock
	return $node->safe_psql($db, q(SELECT name, kind, source, mode, version, owner, CASE WHEN kind = 'mirror' THEN as_of END, as_of IS NULL
		FROM vmnet.inventories ORDER BY name COLLATE "C"));
}

# Tries statements one by one, each undone again, and says of each what came
# of it: SQLSTATE and constraint, or "accepted".
sub outcomes
{
	my ($node, $db, @statements) = @_;
	my $list = join ",\n", map { quote_literal($_) } @statements;

	return $node->safe_psql(
		$db, qq(
		SET client_min_messages = warning;
		CREATE FUNCTION pg_temp.outcome(statement text) RETURNS text LANGUAGE plpgsql AS \$\$
		DECLARE
			name text;
		BEGIN
			EXECUTE statement;
			RAISE SQLSTATE 'VM000';
		EXCEPTION
			WHEN SQLSTATE 'VM000' THEN RETURN 'accepted';
			WHEN OTHERS THEN
				GET STACKED DIAGNOSTICS name = CONSTRAINT_NAME;
				RETURN trim(SQLSTATE || ' ' || name);
		END \$\$;
		SELECT pg_temp.outcome(s) FROM unnest(ARRAY[$list]) WITH ORDINALITY u (s, n) ORDER BY n;));
}

# What the guards of create_managed()'s inventory must say.  Ids are given: a
# sequence does not go back when a statement is undone.
my @guard_cases = (
	[ q(UPDATE $s.nics SET state = 'Reserving' WHERE id = 3), 'accepted' ],
	[ q(UPDATE $s.nics SET state = 'Allocated' WHERE id = 10), 'accepted' ],
	[ q(DELETE FROM $s.nics WHERE id = 1), 'accepted' ],
	[ q(UPDATE $s.all_nics SET removed = now() WHERE id = 8), 'accepted' ],
	[ q(INSERT INTO $s.nics (id, instance_id, network_id) VALUES (100, 6, 3)), 'accepted' ],
	[ q(UPDATE $s.networks SET removed = now() WHERE id = 3), 'accepted' ],
	[ q(UPDATE $s.nics SET state = 'Reserved' WHERE id = 3), '23514 nic_state_transition' ],
	[ q(UPDATE $s.nics SET state = 'Reserving' WHERE id = 1), '23514 nic_state_transition' ],
	[ q(UPDATE $s.all_nics SET state = 'Allocated' WHERE id = 8), '23514 nic_state_transition' ],
	[ q(INSERT INTO $s.nics (id, instance_id, network_id, state) VALUES (100, 6, 3, 'Reserving')), '23514 nic_initial_state' ],
	[ q(UPDATE $s.nics SET network_id = 3 WHERE id = 3), '23514 nic_identity_immutable' ],
	[ q(UPDATE $s.all_nics SET removed = NULL WHERE id = 2), '23514 nic_removed_once' ],
	[ q(UPDATE $s.all_nics SET device_id = 9 WHERE id = 2), '23514 nic_removed_read_only' ],
	[ q(UPDATE $s.nics SET removed = now() WHERE id = 1), '23514 nic_removed_is_deallocating' ],
	[ q(INSERT INTO $s.nics (id, instance_id, network_id) VALUES (100, 6, 4)), '23503 nic_parent_active' ],
	[ q(INSERT INTO $s.nics (id, instance_id, network_id) VALUES (100, 4, 3)), '23503 nic_parent_active' ],
	[ q(INSERT INTO $s.nics (id, instance_id, network_id, default_nic) VALUES (100, 6, 99, true)), '23503 all_nics_network_id_fkey' ],
	[ q(INSERT INTO $s.nics (id, instance_id, network_id, default_nic) VALUES (100, 1, 1, false)), '23505 all_nics_one_per_network' ],
	[ q(UPDATE $s.networks SET removed = now() WHERE id = 1), '23503 network_in_use' ],
	[ q(UPDATE $s.networks SET removed = now() WHERE id = 5), '23503 network_in_use' ],
	[ q(UPDATE $s.networks SET removed = now() WHERE id = 6), '23503 network_in_use' ],
	[ q(UPDATE $s.instances SET removed = now() WHERE id = 1), '23503 instance_in_use' ],
	[ q(UPDATE $s.all_networks SET removed = NULL WHERE id = 4), '23514 network_removed_once' ],
	[ q(UPDATE $s.all_instances SET removed = NULL WHERE id = 4), '23514 instance_removed_once' ],
	[ q(DELETE FROM $s.all_nics WHERE id = 2), '23001 no_hard_delete' ],
	[ q(DELETE FROM $s.all_networks WHERE id = 3), '23001 no_hard_delete' ],
	[ q(DELETE FROM $s.all_instances WHERE id = 6), '23001 no_hard_delete' ],
	[ q(TRUNCATE $s.all_nics), '23001 no_hard_delete' ],
	[ q(TRUNCATE $s.all_nics, $s.all_networks, $s.all_instances), '23001 no_hard_delete' ]);

my @mirror_cases = (
	[ q(UPDATE $s.all_nics SET state = 'Reserved' WHERE id = 4), '42501 mirror_read_only' ],
	[ q(INSERT INTO $s.instances (id, name) VALUES (100, 'x')), '42501 mirror_read_only' ],
	[ q(UPDATE $s.networks SET name = 'x'), '42501 mirror_read_only' ],
	[ q(DELETE FROM $s.nics WHERE id = 1), '42501 mirror_read_only' ],
	[ q(DELETE FROM $s.all_nics WHERE id = 1), '23001 no_hard_delete' ],
	[ q(TRUNCATE $s.all_nics), '23001 no_hard_delete' ]);

# One line per case, with the statement in front, to be compared with what
# is expected in one go.
sub say_cases
{
	my ($node, $db, $name, @cases) = @_;
	my $s = quote_ident($name);
	my @statements = map { $_->[0] =~ s/\$s/$s/gr } @cases;
	my @outcomes = split /\n/, outcomes($node, $db, @statements);

	return join "\n", map { "$cases[$_][0] -> " . ($outcomes[$_] // '?') } 0 .. $#cases;
}

sub expected_cases
{
	return join "\n", map { "$_->[0] -> $_->[1]" } @_;
}

sub guards_say { return say_cases(@_, @guard_cases); }
sub guards_expected { return expected_cases(@guard_cases); }
sub mirror_guards_say { return say_cases(@_, @mirror_cases); }
sub mirror_guards_expected { return expected_cases(@mirror_cases); }

# Rows that break a rule of a managed inventory, counted rule by rule straight
# from the tables; no index and no trigger is believed.
sub broken_rules
{
	my ($node, $db, $name) = @_;
	my $s = quote_ident($name);
	my $live_user = q(removed IS NULL AND state <> 'Deallocating' AND vm_type = 'User');
	my %duplicate = (
		'one NIC per network' => 'instance_id, network_id',
		'one device position' => 'instance_id, device_id',
		'one MAC' => 'network_id, mac_address',
		'one IPv4 address' => 'network_id, ip4_address',
		'one IPv6 address' => 'network_id, ip6_address');
	my @queries = (
		qq(SELECT 'held NIC on a removed network', count(*) FROM $s.all_nics n JOIN $s.all_networks p ON p.id = n.network_id WHERE n.removed IS NULL AND p.removed IS NOT NULL),
		qq(SELECT 'held NIC of a removed instance', count(*) FROM $s.all_nics n JOIN $s.all_instances p ON p.id = n.instance_id WHERE n.removed IS NULL AND p.removed IS NOT NULL),
		qq(SELECT 'NIC without its network', count(*) FROM $s.all_nics n WHERE NOT EXISTS (SELECT FROM $s.all_networks p WHERE p.id = n.network_id)),
		qq(SELECT 'NIC without its instance', count(*) FROM $s.all_nics n WHERE instance_id IS NOT NULL AND NOT EXISTS (SELECT FROM $s.all_instances p WHERE p.id = n.instance_id)),
		qq(SELECT 'removed in another state', count(*) FROM $s.all_nics WHERE removed IS NOT NULL AND state <> 'Deallocating'),
		qq(SELECT 'no such state', count(*) FROM $s.all_nics WHERE state NOT IN ('Allocated', 'Reserving', 'Reserved', 'Releasing', 'Deallocating')),
		qq(SELECT 'active is wrong', count(*) FROM $s.all_nics WHERE active IS DISTINCT FROM (removed IS NULL AND state <> 'Deallocating')),
		qq(SELECT 'two defaults', count(*) FROM (SELECT FROM $s.all_nics WHERE $live_user AND default_nic GROUP BY instance_id HAVING count(*) > 1) d),
		map {
			qq(SELECT '$_', count(*) FROM (SELECT FROM $s.all_nics WHERE $live_user AND ($duplicate{$_}) IS NOT NULL GROUP BY $duplicate{$_} HAVING count(*) > 1) d)
		} sort keys %duplicate);

	my $found = $node->safe_psql(
		$db,
		"SET enable_indexscan = off; SET enable_indexonlyscan = off; SET enable_bitmapscan = off;\n"
		  . join ";\n", @queries);
	my @lines = split /\n/, $found;
	die "not every rule was looked at" if @lines != @queries;
	return join "\n", grep { !/\|0$/ } @lines;
}

1;
