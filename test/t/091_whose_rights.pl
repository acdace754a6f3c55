# Whose rights the code of an inventory's owner runs with.  Views, policies,
# defaults, checks, generated columns, index expressions and predicates, casts,
# operators, domains, rules and triggers of an owner record as whom they run,
# while every function of the extension, and every trigger function by way of a
# write, is called by somebody with no rights, an operator, a member of the
# owner's role, the owner and a superuser.
#
# What was recorded is test/data/whose_rights.tsv, row by row: a function without
# a row fails, and a row without a function.  VMNET_WRITE_TABLE=file writes what
# was found; read it before you keep it.  Whatever the table says, code of the
# owner never runs with the rights of a superuser or a member who calls a public
# function.
#
# pg_regress cannot do it: the table is made from the catalog.

use strict;
use warnings FATAL => 'all';

use FindBin;
use lib $FindBin::RealBin;

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Session;
use Test::More;

my $table = 'test/data/whose_rights.tsv';
my $node = PostgreSQL::Test::Cluster->new('rights');
$node->init;
$node->append_conf('postgresql.conf', "autovacuum = off\nlog_min_messages = fatal\nlog_min_error_statement = fatal\n");
$node->start;

my @callers = qw(nobody operator member owner superuser);
my $superuser = $node->safe_psql('postgres', 'SELECT current_user');
my %role_of = (map({ $_ => "whose_$_" } @callers), superuser => $superuser);

$node->safe_psql('postgres', join ";\n", 'CREATE EXTENSION vmnet_ext', map({ "CREATE ROLE $role_of{$_} LOGIN" } @callers[ 0 .. 3 ]),
	'GRANT whose_owner TO whose_member', 'GRANT CREATE ON DATABASE postgres TO whose_owner, whose_member');
$node->safe_psql('postgres', <<"SQL");
-- One sequence for each user and each kind of code: what it counts is not
-- undone with the transaction.
CREATE SCHEMA ran;
GRANT USAGE ON SCHEMA ran TO PUBLIC;
CREATE FUNCTION ran.note(what text) RETURNS void LANGUAGE plpgsql VOLATILE AS \$\$
BEGIN
	PERFORM pg_catalog.nextval(pg_catalog.format('ran.%I', pg_catalog.format('%s:%s', current_user, what)));
END \$\$;
SELECT format('CREATE SEQUENCE ran.%I', r || ':' || w)
FROM unnest(ARRAY['whose_nobody', 'whose_operator', 'whose_member', 'whose_owner', '$superuser']) r,
	unnest(ARRAY['view', 'planned', 'policy', 'default', 'check', 'generated', 'index', 'predicate', 'cast', 'operator', 'domain', 'rule', 'row trigger', 'statement trigger', 'deferred trigger']) w \\gexec
SELECT format('GRANT USAGE ON SEQUENCE %s TO PUBLIC', oid::regclass) FROM pg_class WHERE relkind = 'S' AND relnamespace = 'ran'::regnamespace \\gexec
SQL
$node->safe_psql('postgres', <<'SQL');
SET ROLE whose_owner;
CREATE SCHEMA w;
GRANT USAGE ON SCHEMA w TO PUBLIC;
-- The owner's code.  What is IMMUTABLE is called when a query is planned.
CREATE FUNCTION w.yes(what text) RETURNS boolean LANGUAGE plpgsql VOLATILE AS $$ BEGIN PERFORM ran.note(what); RETURN true; END $$;
CREATE FUNCTION w.planned(what text) RETURNS boolean LANGUAGE plpgsql IMMUTABLE AS $$ BEGIN PERFORM ran.note(what); RETURN true; END $$;
CREATE FUNCTION w.value(what text, value text) RETURNS text LANGUAGE plpgsql IMMUTABLE AS $$ BEGIN PERFORM ran.note(what); RETURN value; END $$;
CREATE FUNCTION w.default() RETURNS text LANGUAGE plpgsql VOLATILE AS $$ BEGIN PERFORM ran.note('default'); RETURN 'x'; END $$;
CREATE TYPE w.mark AS (id bigint);
CREATE FUNCTION w.to_mark(bigint) RETURNS w.mark LANGUAGE plpgsql VOLATILE AS $$ BEGIN PERFORM ran.note('cast'); RETURN ROW($1)::w.mark; END $$;
CREATE CAST (bigint AS w.mark) WITH FUNCTION w.to_mark(bigint);
CREATE FUNCTION w.same(bigint, bigint) RETURNS boolean LANGUAGE plpgsql VOLATILE AS $$ BEGIN PERFORM ran.note('operator'); RETURN $1 = $2; END $$;
CREATE OPERATOR w.=== (FUNCTION = w.same, LEFTARG = bigint, RIGHTARG = bigint);
CREATE DOMAIN w.checked AS text CHECK (w.yes('domain') AND VALUE IS NOT NULL);
CREATE FUNCTION w.row_trigger() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN PERFORM ran.note('row trigger'); RETURN CASE TG_OP WHEN 'DELETE' THEN OLD ELSE NEW END; END $$;
CREATE FUNCTION w.statement_trigger() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN PERFORM ran.note('statement trigger'); RETURN NULL; END $$;
CREATE FUNCTION w.deferred_trigger() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN PERFORM ran.note('deferred trigger'); RETURN NULL; END $$;

-- Sets traps at a table.
CREATE FUNCTION w.trap_table(rel regclass, deferred boolean DEFAULT false, policies boolean DEFAULT true) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
	key text := (SELECT quote_ident(attname) FROM pg_attribute WHERE attrelid = rel AND attnum = 1);
BEGIN
	IF deferred THEN
		EXECUTE format('CREATE CONSTRAINT TRIGGER zz_deferred AFTER INSERT OR UPDATE OR DELETE ON %s DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION w.deferred_trigger()', rel);
		RETURN;
	END IF;
	EXECUTE format('ALTER TABLE %s ADD COLUMN w_default text DEFAULT w.default(), ADD COLUMN w_checked text CHECK (w.yes(''check'')), ADD COLUMN w_domain w.checked DEFAULT ''x'',
		ADD COLUMN w_generated text GENERATED ALWAYS AS (w.value(''generated'', %s::text)) STORED', rel, key);
	EXECUTE format('CREATE INDEX ON %s (w.value(''index'', %s::text))', rel, key);
	EXECUTE format('CREATE INDEX ON %s (%s) WHERE w.planned(''predicate'')', rel, key);
	EXECUTE format('CREATE TRIGGER a_row BEFORE INSERT OR UPDATE OR DELETE ON %s FOR EACH ROW EXECUTE FUNCTION w.row_trigger()', rel);
	EXECUTE format('CREATE TRIGGER zz_statement AFTER INSERT OR UPDATE OR DELETE ON %s FOR EACH STATEMENT EXECUTE FUNCTION w.statement_trigger()', rel);
	IF NOT policies THEN
		RETURN;
	END IF;
	EXECUTE format('CREATE POLICY w ON %s USING (w.yes(''policy'') AND w.planned(''planned''))', rel);
	EXECUTE format('ALTER TABLE %s ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY', rel);
END $$;
-- And at a view, which keeps its options: one that no longer reads with its reader's rights is a finding.
CREATE FUNCTION w.options(rel regclass) RETURNS text LANGUAGE sql AS $$
	SELECT coalesce('WITH (' || array_to_string(reloptions, ', ') || ')', '') FROM pg_class WHERE oid = rel;
$$;
CREATE FUNCTION w.trap_view(rel regclass) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
	query text := rtrim(pg_get_viewdef(rel), ';');
	key text := (SELECT quote_ident(attname) FROM pg_attribute WHERE attrelid = rel AND attnum = 1);
BEGIN
	IF query NOT LIKE '%UNION%' AND query NOT LIKE '%GROUP BY%' AND query NOT LIKE '%WITH %' AND query NOT LIKE '%ORDER BY%' AND query LIKE '%FROM%' THEN
		EXECUTE format('CREATE OR REPLACE VIEW %s %s AS %s %s w.yes(''view'') AND w.planned(''planned'')', rel, w.options(rel), query, CASE WHEN query LIKE '%WHERE%' THEN 'AND' ELSE 'WHERE' END);
	END IF;
END $$;
-- Those that are written to keep a simple form, which can be written through.
CREATE FUNCTION w.trap_live_view(rel regclass) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
	query text := rtrim(pg_get_viewdef(rel), ';');
	key text := substring(query FROM 'SELECT\s+([^ ,]+)');
BEGIN
	EXECUTE format('CREATE OR REPLACE VIEW %s %s AS %s %s w.yes(''view'') AND w.planned(''planned'') AND (%s::bigint)::w.mark IS NOT NULL AND (%5$s::bigint OPERATOR(w.===) %5$s::bigint)', rel, w.options(rel), query,
		CASE WHEN query LIKE '%WHERE%' THEN 'AND' ELSE 'WHERE' END, key);
END $$;
CREATE FUNCTION w.trap_inventory(name text, except_for text[] DEFAULT '{}', policies boolean DEFAULT true) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
	rel regclass;
BEGIN
	FOR rel IN SELECT oid FROM pg_class WHERE relnamespace = quote_ident(name)::regnamespace AND relkind = 'v' AND relname IN ('nics', 'networks', 'instances') AND relname <> ALL (except_for) ORDER BY relname LOOP
		PERFORM w.trap_live_view(rel);
	END LOOP;
	FOR rel IN SELECT oid FROM pg_class WHERE relnamespace = quote_ident(name)::regnamespace AND relkind = 'v'
		-- a guard refuses to judge by a view with a condition
		AND relname NOT IN ('nics', 'networks', 'instances', 'inventory_info', 'attached_nics', 'attached_networks', 'attached_instances') AND relname <> ALL (except_for) ORDER BY relname LOOP
		PERFORM w.trap_view(rel);
	END LOOP;
	FOR rel IN SELECT oid FROM pg_class WHERE relnamespace = quote_ident(name)::regnamespace AND relkind = 'r' AND relname <> ALL (except_for) ORDER BY relname LOOP
		PERFORM w.trap_table(rel, policies => policies);
	END LOOP;
END $$;

CREATE FUNCTION w.fill(name text) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
	EXECUTE format('INSERT INTO %1$I.networks (id, name, vpc_id, cidr, state) VALUES (1, ''one'', 10, ''10.0.1.0/24'', ''Implemented''), (2, ''two'', 10, NULL, ''Implemented''), (3, ''empty'', 10, NULL, ''Implemented''), (4, ''gone'', 10, NULL, ''Implemented''), (5, ''free'', 10, NULL, ''Implemented'');
	INSERT INTO %1$I.instances (id, name, state) VALUES (1, ''one'', ''Stopped''), (2, ''two'', ''Running''), (3, ''gone'', ''Destroyed''), (4, ''destroyed'', ''Destroyed''), (5, ''unused'', ''Stopped'');
	INSERT INTO %1$I.nics (id, network_id, instance_id, mac_address, ip4_address) VALUES (1, 1, 1, ''02:00:00:00:00:01'', ''10.0.1.1''), (2, 2, 1, NULL, NULL), (3, 1, 2, NULL, NULL), (4, 2, 2, NULL, NULL), (5, 3, 3, NULL, NULL), (6, 3, 2, NULL, NULL), (7, 1, 4, NULL, NULL);
	INSERT INTO %1$I.nic_secondary_ips (nic_id, network_id, ip4_address) VALUES (1, 1, ''10.0.1.77'');
	UPDATE %1$I.nics SET state = ''Reserving'' WHERE id IN (2, 4);
	UPDATE %1$I.nics SET ip4_address = ''10.0.1.3'' WHERE id = 3;
	DELETE FROM %1$I.nics WHERE id = 5;
	UPDATE %1$I.nics SET state = ''Deallocating'' WHERE id = 6;
	UPDATE %1$I.instances SET removed = now() WHERE id = 3;
	UPDATE %1$I.networks SET removed = now() WHERE id = 4;
	SELECT setval(''%1$I.all_nics_id_seq'', 100), setval(''%1$I.all_networks_id_seq'', 100), setval(''%1$I.all_instances_id_seq'', 100)', name);
END $$;

-- managed: everything is trapped; parents, nics, rest: managed, traps at some
-- tables only, so that what a guard does is not mixed with what a write to the
-- table does that the guard stands on; deferred: a deferred trigger alone.
SELECT vmnet.create_inventory(n), w.fill(n) FROM unnest(ARRAY['managed', 'parents', 'nics', 'deferred']) n;
SELECT vmnet.set_inventory_notify(n, true) FROM unnest(ARRAY['managed', 'parents', 'nics']) n;
CREATE SCHEMA source;
CREATE TABLE source.networks AS SELECT g AS id, 'net' || g AS name, 'Implemented' AS state, 'Guest' AS traffic_type, 10 AS vpc_id, timestamp '2025-01-06' AS created, NULL::timestamp AS removed FROM generate_series(1, 3) g;
CREATE TABLE source.vm_instance AS SELECT g AS id, 'vm' || g AS name, 'Running' AS state, 'User' AS type, timestamp '2025-01-06' AS created, NULL::timestamp AS removed FROM generate_series(1, 5) g;
CREATE TABLE source.nics AS SELECT g AS id, 1 + g % 5 AS instance_id, 1 + g % 3 AS network_id, 'Reserved' AS state, 'Start' AS strategy, 'User' AS vm_type, timestamp '2025-01-06' AS created, NULL::timestamp AS removed FROM generate_series(1, 9) g;
CALL vmnet.import_cloudstack('source', 'mirror');
CREATE SCHEMA live_source;
CREATE TABLE live_source.networks AS TABLE source.networks;
CREATE TABLE live_source.vm_instance AS TABLE source.vm_instance;
CREATE TABLE live_source.nics AS TABLE source.nics;
SELECT vmnet.attach_cloudstack('live', 'live_source');
CREATE FUNCTION w.attach(name text) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
	theirs text := 'their_' || name;
BEGIN
	EXECUTE format('CREATE SCHEMA %1$I;
	CREATE TABLE %1$I.networks (id bigint PRIMARY KEY, name text, vpc_id bigint, removed timestamptz);
	CREATE TABLE %1$I.instances (id bigint PRIMARY KEY, name text, state text, removed timestamptz);
	CREATE TABLE %1$I.nics (id bigint PRIMARY KEY, network_id bigint REFERENCES %1$I.networks, instance_id bigint REFERENCES %1$I.instances, state text, ip4_address inet, removed timestamptz);
	INSERT INTO %1$I.networks VALUES (1, ''one'', 10, NULL), (2, ''two'', 10, NULL), (3, ''empty'', 10, NULL);
	INSERT INTO %1$I.instances VALUES (1, ''one'', ''Stopped'', NULL), (2, ''two'', ''Running'', NULL), (3, ''none'', ''Stopped'', NULL);
	INSERT INTO %1$I.nics VALUES (1, 1, 1, ''Allocated'', ''10.0.1.1'', NULL), (2, 2, 1, ''Reserving'', NULL, NULL), (3, 1, 2, ''Allocated'', NULL, NULL)', theirs);
	PERFORM vmnet.attach_inventory(name, (theirs || '.nics')::regclass, (theirs || '.networks')::regclass, (theirs || '.instances')::regclass, mode => 'enforce');
	PERFORM vmnet.set_inventory_notify(name, true);
END $$;
SELECT w.attach(n) FROM unnest(ARRAY['attached', 'attached_parents', 'attached_nics', 'free']) n;
SELECT vmnet.detach_inventory('free');
SELECT w.attach('open');
SELECT vmnet.create_report(n) FROM unnest(ARRAY['managed', 'mirror', 'attached', 'live']) n;
-- The import and attach_inventory() refuse where policies may hide rows.
CALL vmnet.import_cloudstack('source', 'imported');
CALL vmnet.import_cloudstack('source', 'untrapped');
-- What is observed.
SELECT vmnet.enable_reality(n) FROM unnest(ARRAY['managed', 'untrapped']::name[]) n;
INSERT INTO managed.observers (name, kind) VALUES ('x', 'csv');
SELECT w.trap_inventory(n, policies => false) FROM unnest(ARRAY['imported', 'their_free', 'open', 'their_open']) n;
-- What the inventory says of itself.
SELECT vmnet.create_inventory('facts');
SELECT format('CREATE OR REPLACE VIEW facts.inventory_info AS %s WHERE w.yes(''view'')', rtrim(pg_get_viewdef('facts.inventory_info'), ';')) \gexec
UPDATE source.nics SET state = 'Allocated', network_id = 3 WHERE id < 3;
SELECT w.trap_inventory(n) FROM unnest(ARRAY['managed', 'mirror', 'attached', 'their_attached', 'live']) n;
SELECT w.trap_inventory('parents', ARRAY['all_nics', 'nics', 'all_nic_secondary_ips', 'nic_secondary_ips']), w.trap_inventory('nics', ARRAY['all_networks', 'all_instances', 'networks', 'instances', 'nics', 'nic_history']),
	w.trap_inventory('attached_parents', ARRAY['nics']), w.trap_inventory('attached_nics', ARRAY['networks', 'instances']), w.trap_inventory('their_attached_parents', ARRAY['nics']), w.trap_inventory('their_attached_nics', ARRAY['networks', 'instances']);
SELECT w.trap_table(format('deferred.%I', t), true) FROM unnest(ARRAY['all_nics', 'all_networks', 'all_instances', 'nic_history']) t;
CREATE RULE w_rule AS ON UPDATE TO managed.all_networks DO ALSO SELECT w.yes('rule');

-- An operator has what operations need.
SELECT vmnet.grant_access(n, 'whose_operator', 'operator') FROM unnest(ARRAY['managed', 'parents', 'nics', 'deferred', 'mirror', 'imported', 'untrapped', 'facts']) n;
SELECT vmnet.grant_access(n, 'whose_operator', 'observer') FROM unnest(ARRAY['managed', 'untrapped']) n;
GRANT USAGE ON SCHEMA attached, attached_parents, attached_nics, their_attached, their_attached_parents, their_attached_nics, their_free, live TO whose_operator;
GRANT SELECT ON ALL TABLES IN SCHEMA attached, attached_parents, attached_nics, live TO whose_operator;
GRANT SELECT, INSERT, UPDATE ON ALL TABLES IN SCHEMA their_attached, their_attached_parents, their_attached_nics, their_free TO whose_operator;
SQL
cmp_ok($node->safe_psql('postgres', "SELECT count(*) FROM pg_views WHERE definition LIKE '%w.yes%'"), '>=', 40, 'traps are set in views');

#
# How each function is called.  $i stands for the inventory.  A function that is
# not here is called with values that go by the names and types of its arguments.
#
my @kinds = qw(managed mirror attached live);
my %calls = (
	'accept_finding(text,text,timestamp with time zone,text,text,name)' =>
	  q(SELECT vmnet.accept_finding('half_removed_nic', 'nic 6', NULL, 'x', inventory => '$i')),
	'attach_cloudstack(text,name)' => q(SELECT vmnet.attach_cloudstack('new', 'live_source')),
	'attach_inventory(text,regclass,regclass,regclass,jsonb,text)' =>
	  q(SELECT * FROM vmnet.attach_inventory('new', 'their_free.nics', 'their_free.networks', 'their_free.instances', mode => 'enforce')),
	'attached_table(text,text)' => q(SELECT vmnet_internal.attached_table('$i', 'nics')),
	'check_inventory(name,interval,text[])' => q(SELECT * FROM vmnet.check_inventory('$i', '0', NULL)),
	'connect_cloudstack(text,integer,text,text,text,text,text,boolean,jsonb)' => q(SELECT * FROM vmnet.connect_cloudstack('127.0.0.1', 1, password => 'secret', source => 'new')),
	'copy_view_defaults(regclass,regclass)' => q(SELECT * FROM vmnet_internal.copy_view_defaults('$i.all_nics', '$i.nics')),
	'create_inventory(text,text)' => q(SELECT vmnet.create_inventory('new')),
	'create_report(name,text,boolean)' => q(SELECT vmnet.create_report('$i')),
	'grant_access(name,name,text)' => q(SELECT vmnet.grant_access('$i', 'whose_nobody', 'reader')),
	'revoke_access(name,name,text)' => q(SELECT vmnet.revoke_access('$i', 'whose_nobody', 'reader')),
	'import_cloudstack(name,name,text,boolean)' => q(CALL vmnet.import_cloudstack('source', '$i')),
	'instance_expunge(bigint,name)' => q(SELECT vmnet.instance_expunge(4, '$i')),
	'ip_holders(inet,timestamp with time zone,timestamp with time zone,name)' => q(SELECT * FROM vmnet.ip_holders('10.0.0.0/8', inventory => '$i')),
	'mac_holders(macaddr,timestamp with time zone,timestamp with time zone,name)' => q(SELECT * FROM vmnet.mac_holders('02:00:00:00:00:01', inventory => '$i')),
	'manage_inventory(name,boolean)' => q(SELECT vmnet.manage_inventory('$i', true)),
	'network_remove(bigint,name)' => q(SELECT vmnet.network_remove(5, '$i')),
	'nic_add(bigint,bigint,inet,inet,macaddr,text,name)' => q(SELECT vmnet.nic_add(1, 3, '10.0.1.9', inventory => '$i')),
	'nic_changes_since(text,integer,name)' => q(SELECT * FROM vmnet.nic_changes_since(NULL, 3, '$i')),
	'nic_event(bigint,text,text,name)' => q(SELECT vmnet.nic_event(1, 'ReservationRequested', inventory => '$i')),
	'nic_remove(bigint,boolean,name)' => q(SELECT vmnet.nic_remove(3, true, '$i')),
	'nic_set_default(bigint,name)' => q(SELECT vmnet.nic_set_default(2, '$i')),
	'nic_set_ip(bigint,inet,inet,name)' => q(SELECT vmnet.nic_set_ip(1, '10.0.1.9', inventory => '$i')),
	'network_instances_as_of(bigint,timestamp with time zone,name)' => q(SELECT * FROM vmnet.network_instances_as_of(1, '2026-01-01', '$i')),
	'observe(text,text,timestamp with time zone,boolean,boolean,name)' => q(SELECT * FROM vmnet.observe('x', E'mac\n02:00:00:00:00:01\nx', inventory => '$i')),
	'purge_inventory(name,timestamp with time zone,integer,boolean)' => q(CALL vmnet.purge_inventory('$i', clock_timestamp(), 1, true)),
	'repair_inventory(name,text,boolean,interval)' => q(SELECT * FROM vmnet.repair_inventory('$i', dry_run => false, min_age => '0')),
	'set_inventory_mode(text,text,boolean)' => q(SELECT vmnet.set_inventory_mode('$i', 'read_only'), vmnet.set_inventory_mode('$i', 'enforce')),
	'set_inventory_notify(name,boolean)' => q(SELECT vmnet.set_inventory_notify('$i', false), vmnet.set_inventory_notify('$i', true)),
	'nics_stuck_for(interval,name)' => q(SELECT * FROM vmnet.nics_stuck_for('0', '$i')),
	'vpc_active_instances(bigint,name)' => q(SELECT * FROM vmnet.vpc_active_instances(10, '$i')));

# What is run besides: plans of reads, work that commits, views, triggers that
# are deferred.
my @more = (
	map({ [ "EXPLAIN of $_", $kinds[0], "EXPLAIN SELECT * FROM vmnet.$_(1, inventory => '\$i')" ], [ "EXPLAIN of $_", 'live', "EXPLAIN SELECT * FROM vmnet.$_(1, inventory => '\$i')" ] }
		qw(network_active_instances network_active_nics instance_active_networks vpc_active_instances)),
	[ 'EXPLAIN of network_active_instances, prepared', 'managed', q(PREPARE p(bigint) AS SELECT * FROM vmnet.network_active_instances($1, inventory => '$i'); EXPLAIN EXECUTE p(1); DEALLOCATE p) ],
	[ 'inventories, a view', '-', q(SELECT * FROM vmnet.inventories) ],
	[ 'inventory_status of all', '-', q(SELECT name, vmnet.inventory_status(name) FROM vmnet.inventories WHERE has_schema_privilege(name, 'USAGE')) ],
	[ 'inventory_status of a changed inventory_info', 'facts', q(SELECT vmnet.inventory_status('$i')) ],
	[ 'import_cloudstack without policies', 'imported', q(CALL vmnet.import_cloudstack('source', '$i')) ],
	[ 'manage_inventory without policies', 'imported', q(SELECT vmnet.manage_inventory('$i', true)) ],
	[ 'set_inventory_mode without policies', 'open', q(SELECT vmnet.set_inventory_mode('$i', 'read_only'), vmnet.set_inventory_mode('$i', 'enforce')) ],
	[ 'detach_inventory without a report', 'open', q(SELECT vmnet.detach_inventory('$i')) ],
	[ 'nic_event, deferred trigger', 'deferred', q(SELECT vmnet.nic_event(1, 'ReservationRequested', inventory => '$i'); SET CONSTRAINTS ALL IMMEDIATE) ],
	[ 'network_remove, deferred trigger', 'deferred', q(SELECT vmnet.network_remove((SELECT id FROM deferred.all_networks WHERE id = 5), '$i'); SET CONSTRAINTS ALL IMMEDIATE) ]);

# A write for each trigger function.
my %writes = (
	'accepted_guard()' => [ 'untrapped', q(INSERT INTO untrapped.accepted_findings (code, object, reason, fingerprint) VALUES ('x', 'nic 1', 'x', 'x')) ],
	'attached_instance_guard()' => [ 'attached_nics', q(UPDATE their_attached_nics.instances SET removed = now() WHERE id = 3) ],
	'attached_network_guard()' => [ 'attached_nics', q(UPDATE their_attached_nics.networks SET removed = now() WHERE id = 3) ],
	'attached_nic_guard()' => [ 'attached_parents', q(INSERT INTO their_attached_parents.nics VALUES (9, 1, 1, 'Allocated')) ],
	'attached_nic_history()' => [ 'attached_parents', q(UPDATE their_attached_parents.nics SET state = 'Reserving' WHERE id = 1) ],
	'attached_nic_notify()' => [ 'attached_parents', q(UPDATE their_attached_parents.nics SET state = 'Reserving' WHERE id = 3) ],
	'attached_no_delete()' => [ 'attached_parents', q(DELETE FROM their_attached_parents.nics WHERE id = 1) ],
	'attached_view_write()' => [ 'attached_parents', q(INSERT INTO attached_parents.all_nics (id) VALUES (99)) ],
	'fill_defaults()' => [ 'nics', q(INSERT INTO nics.all_networks (uuid) VALUES (NULL)) ],
	'history_guard()' => [ 'nics', q(UPDATE nics.nic_history SET reason = 'x' WHERE false) ],
	'instance_guard()' => [ 'nics', q(UPDATE nics.all_instances SET removed = now() WHERE id = 5) ],
	'live_guard()' => [ 'live', q(INSERT INTO live.all_nics (id) VALUES (99)) ],
	'mirror_guard()' => [ 'untrapped', q(UPDATE untrapped.all_nics SET mtu = 1 WHERE false) ],
	'network_guard()' => [ 'nics', q(UPDATE nics.all_networks SET removed = now() WHERE id = 5) ],
	'nic_guard()' => [ 'parents', q(INSERT INTO parents.all_nics (network_id, instance_id, default_nic) VALUES (3, 1, false)) ],
	'nic_history()' => [ 'parents', q(UPDATE parents.all_nics SET state = 'Reserving' WHERE id = 1) ],
	'nic_notify()' => [ 'parents', q(UPDATE parents.all_nics SET state = 'Reserving' WHERE id = 3) ],
	'nic_prepare()' => [ 'parents', q(INSERT INTO parents.all_nics (network_id, instance_id, default_nic) VALUES (3, 2, NULL)) ],
	'nic_secondary_ips_remove()' => [ 'parents', q(UPDATE parents.all_nics SET state = 'Deallocating', removed = now() WHERE id = 1) ],
	'nic_view_delete()' => [ 'parents', q(DELETE FROM parents.nics WHERE id = 1) ],
	'parent_view_delete()' => [ 'nics', q(DELETE FROM nics.networks WHERE id = 5) ],
	'no_hard_delete()' => [ 'parents', q(DELETE FROM parents.all_nics WHERE id = 1) ],
	'no_truncate()' => [ 'parents', q(TRUNCATE parents.all_nics, parents.all_nic_secondary_ips) ],
	'sighting_guard()' => [ 'untrapped', q(INSERT INTO untrapped.sightings (observer, first_seen, last_seen) SELECT 'x', now(), now() WHERE false) ],
	'secondary_ip_guard()' => [ 'parents', q(INSERT INTO parents.all_nic_secondary_ips (nic_id, network_id, ip4_address) VALUES (3, 1, '10.0.1.99')) ]);

#
# The functions of the extension.
#
my @functions = map { my %f; @f{qw(schema signature name kind returns internal set arguments)} = split /\|/, $_, 8; \%f } split /\n/, $node->safe_psql('postgres', q(
	SELECT p.pronamespace::regnamespace, p.proname || '(' || replace(oidvectortypes(p.proargtypes), ', ', ',') || ')', p.proname, p.prokind, p.prorettype::regtype,
		p.pronamespace <> 'vmnet'::regnamespace, p.proretset,
		(SELECT string_agg(concat_ws(' ', coalesce(p.proargnames[i], ''), CASE WHEN i > p.pronargs - p.pronargdefaults THEN 'default' ELSE 'needed' END, (p.proargtypes::oid[])[i - 1]::regtype), ';' ORDER BY i)
		 FROM generate_series(1, p.pronargs) i)
	FROM pg_proc p JOIN pg_depend d ON d.classid = 'pg_proc'::regclass AND d.objid = p.oid AND d.deptype = 'e'
	WHERE d.refclassid = 'pg_extension'::regclass AND d.refobjid = (SELECT oid FROM pg_extension WHERE extname = 'vmnet_ext')
	ORDER BY 1, 2));

$_->{key} = "$_->{schema}.$_->{signature}" for @functions;

# A value for an argument of an internal function.
sub value_of
{
	my ($name, $type) = @_;
	my $is_inventory = $name =~ /^(inventory|inventory_name|inventory_ident|name|resolved|wanted|schema)$/;

	return q('$i') if $is_inventory && $type =~ /^(text|name)$/;
	return q('their_attached.) . ($name =~ /^(networks|instances|nics)$/ ? $1 : 'nics') . q('::regclass) if $type eq 'regclass';
	return {
		kind => q('managed'), access => q('operator'), role => q('whose_nobody'), event => q('ReservationRequested'), relation => q('nics'), source => q('source'),
		lock => q('UPDATE'), strategy => q('Start'), state => q('Allocated'), query => q('SELECT 1'), attribute => q('ip4_address'), mode => q('enforce'), report_schema => q('$i_report'), remedy => q('uuid'), history => q('nic_history')
	}->{$name} // q('x') if $type =~ /^(text|name)$/ && $name =~ /^(kind|access|role|event|relation|source|lock|strategy|state|query|attribute|mode|report_schema|remedy|history)$/;
	return {
		'bigint' => '1', 'integer' => '1', 'boolean' => 'true', 'interval' => q('0'), 'inet' => q('10.0.1.9'), 'cidr' => q('10.0.1.0/24'), 'macaddr' => q('02:00:00:00:00:01'), 'uuid' => q('00000000-0000-0000-0000-000000000001'),
		'jsonb' => q('{}'), 'text[]' => q('{}'), 'regtype' => q('text'), 'timestamp with time zone' => q('2026-01-01'), 'timestamp without time zone' => q('2026-01-01'), 'pg_snapshot' => q('10:20:'), 'xid8' => q('10'), 'internal' => 'NULL'
	  }->{$type} // q('x');
}

my @rows;    # function, inventory, statement, whether the owner's rights must be kept
for my $f (@functions)
{
	if ($f->{returns} eq 'trigger')
	{
		push @rows, [ $f->{key}, @{ $writes{ $f->{signature} } }, 1 ] if $writes{ $f->{signature} };
		next;
	}
	my $call = $calls{ $f->{signature} };
	if (!defined $call)
	{
		my @arguments = map { my ($name, $needed, $type) = split / /, $_, 3; [ $name, $needed, $type ] } split /;/, $f->{arguments};
		my $list = join ', ', map { ($_->[0] eq '' ? '' : qq("$_->[0]" => )) . value_of($_->[0], $_->[2]) . "::$_->[2]" }
		  grep { $_->[1] eq 'needed' || value_of($_->[0], $_->[2]) =~ /\$i/ } @arguments;
		$call = ($f->{kind} eq 'p' ? 'CALL ' : $f->{set} eq 't' ? 'SELECT * FROM ' : 'SELECT ') . "$f->{schema}.$f->{name}($list)";
	}
	$call =~ s/\bvmnet\./$f->{schema}./g if $f->{schema} ne 'vmnet';
	my @on = $call !~ /\$i/ ? ('-') : $f->{internal} ne 't' ? @kinds : $f->{name} =~ /^attached_/ ? ('attached') : $f->{name} =~ /^(import|manage)_/ ? ('mirror') : $f->{name} =~ /^live_/ ? ('live') : ('managed');
	push @rows, [ $f->{key}, $_, $call =~ s/\$i/$_/gr, $f->{internal} ne 't' ] for @on;
}
push @rows, [ $_->[0], $_->[1], $_->[2] =~ s/\$i/$_->[1]/gr, 1 ] for @more;

my %have = map { $_->[0] => 1 } @rows;
is(join("\n", grep { !$have{$_} } map { $_->{key} } @functions), '', 'every function is called, and every trigger function fired');
my %signatures = map { $_->{signature} => 1 } @functions;
is(join("\n", sort grep { !$signatures{$_} } keys %calls, keys %writes), '', 'and what is called is a function of the extension');
for my $trigger (sort keys %writes)
{
	my ($inventory) = @{ $writes{$trigger} };
	my $name = $trigger =~ s/\(\)//r;
	isnt($node->safe_psql('postgres', "SELECT count(*) FROM pg_trigger t JOIN pg_proc p ON p.oid = t.tgfoid JOIN pg_class c ON c.oid = t.tgrelid
		WHERE p.proname = '$name' AND c.relnamespace::regnamespace::text IN ('$inventory', 'their_$inventory')"), '0', "$name stands on a table of inventory $inventory");
}

#
# The calls.  Each is undone.
#
my $control = Session->new($node, 'postgres', $superuser, 'SET client_min_messages = error');
my %sessions = map { $_ => Session->new($node, 'postgres', $role_of{$_}, 'SET client_min_messages = error; SET statement_timeout = 60000') } @callers;
my %user_of = reverse %role_of;
$control->must("CREATE VIEW ran.seen AS SELECT n.relname::text AS name FROM pg_class n WHERE n.relkind = 'S' AND n.relnamespace = 'ran'::regnamespace AND CASE WHEN n.relkind = 'S' THEN pg_sequence_last_value(n.oid) IS NOT NULL END");

# What ran as whom, and what came of it.
sub run_as
{
	my ($caller, $sql) = @_;
	my $said = $sessions{$caller}->ask("BEGIN;\n$sql;\nROLLBACK");
	if ($sessions{$caller}{ended})
	{
		diag("$caller: the process has ended: $sql");
		$sessions{$caller}->connect;
		$said .= 'ERROR:  crash';
	}
	my ($state) = $said =~ /^ERROR:  (\w+)$/m;
	my @seen = split /\n/, $control->must("SELECT name FROM ran.seen ORDER BY name; SELECT setval(format('ran.%I', name)::regclass, 1, false) FROM ran.seen \\g /dev/null");
	my (%users, %what);
	for (@seen)
	{
		my ($user, $what) = split /:/, $_, 2;
		my $label = $user eq $role_of{$caller} && $caller ne 'owner' ? 'caller' : $user_of{$user} // $user;
		$users{$label} = 1;
		$what{"$label $what"} = 1;
	}
	return (join(' ', join('+', sort keys %users) || '-', $state // ()), join(', ', sort keys %what), $said);
}

my @found;
my @wrong;
run_as('owner', 'SELECT 1');
for my $row (@rows)
{
	my ($function, $inventory, $sql, $protected) = @$row;
	my @cells;

	for my $caller (@callers)
	{
		my ($cell, $what, $said) = run_as($caller, $sql);
		push @cells, $cell;
		note "$function, $inventory, $caller: $cell ($what) $sql" if $ENV{VMNET_SAY_ALL};
		my $users = $cell =~ s/ .*//r;
		my $bad = $said =~ /server closed the connection|crash of another server process/ || $users =~ /superuser|member|operator|nobody/;
		$bad = 1 if $protected && $caller =~ /superuser|member/ && $users =~ /caller/;
		push @wrong, "$function, $inventory, $caller: $cell: $what" if $bad;
	}
	push @found, join "\t", $function, $inventory, @cells;
}

# The procedures that commit, last: they change what there is.
for my $row ([ 'purge_inventory, committing', 'managed', q(CALL vmnet.purge_inventory('managed', clock_timestamp(), 1, true)) ],
	[ 'import_cloudstack, committing', 'imported', q(CALL vmnet.import_cloudstack('source', 'imported')) ])
{
	my @cells;
	for my $caller (@callers)
	{
		$control->must('SET session_replication_role = replica; INSERT INTO managed.all_nics (id, network_id, instance_id, state, default_nic, state_changed, removed) SELECT max(id) + 1, 1, 1, $$Deallocating$$, false, now(), now() FROM managed.all_nics; RESET session_replication_role;
			UPDATE source.nics SET state = $$State of $$ || id || $$ ' . $caller . '$$ WHERE id = 1; SELECT setval(format($$ran.%I$$, name)::regclass, 1, false) FROM ran.seen \g /dev/null');
		my ($cell, $what, $said) = run_as($caller, "COMMIT; $row->[2]; BEGIN");
		push @cells, $cell;
		push @wrong, "$row->[0], $row->[1], $caller: $cell: $what" if $caller =~ /superuser|member/ && $cell =~ /caller/;
	}
	push @found, join "\t", $row->[0], $row->[1], @cells;
}

is(scalar(@wrong), 0, "code of the owner ran with nobody's rights but his own, where a superuser or a member of his role called a public function");
diag($_) for @wrong[ 0 .. ($#wrong > 30 ? 30 : $#wrong) ];

my $header = join "\t", 'function', 'inventory', @callers;
if ($ENV{VMNET_WRITE_TABLE})
{
	open my $fh, '>', $ENV{VMNET_WRITE_TABLE} or die "$ENV{VMNET_WRITE_TABLE}: $!";
	print $fh map { "$_\n" } $header, @found;
	close $fh;
}
my @expected = split /\n/, slurp_file($table);
is(shift @expected, $header, 'the columns of the table');
my %expected = map { /^([^\t]*\t[^\t]*)\t(.*)/ ? ($1 => $2) : () } @expected;
my %found = map { /^([^\t]*\t[^\t]*)\t(.*)/ ? ($1 => $2) : () } @found;
is(join("\n", sort grep { !exists $expected{$_} } keys %found), '', "every function has its rows in $table");
is(join("\n", sort grep { !exists $found{$_} } keys %expected), '', 'and every row has its function');
my @differing = sort grep { exists $expected{$_} && $expected{$_} ne $found{$_} } keys %found;
is(scalar(@differing), 0, 'what ran, ran as the table says');
diag("$_\n  table: $expected{$_}\n  found: $found{$_}") for @differing[ 0 .. ($#differing > 40 ? 40 : $#differing) ];

$_->quit for $control, values %sessions;
done_testing();
