# The list of columns, sql/inventory/columns.sql, is the one place that says which
# columns an inventory has.  What has to repeat a part of it, for C or for a check
# that is plain SQL, agrees with it; the name of a test is the file that does not.
#
# pg_regress cannot do it: it reads the source, and puts a column into the list.

use strict;
use warnings FATAL => 'all';

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $node = PostgreSQL::Test::Cluster->new('columns');
$node->init;
$node->start;
$node->safe_psql('postgres', q(CREATE EXTENSION vmnet_ext; SELECT vmnet.create_inventory('made'), vmnet.create_inventory('copied', 'mirror');
	SELECT vmnet.create_report('made'), vmnet.create_report('copied')));

sub rows_of
{
	my ($sql) = @_;
	return map { [ split /\|/, $_, -1 ] } split /\n/, $node->safe_psql('postgres', $sql);
}

# One line for each way in which a file and the list differ.
sub agree
{
	my ($file, $what, @faults) = @_;
	is(join("\n", @faults), '', "$file agrees with sql/inventory/columns.sql: $what");
}

#
# The list
#
my @list = rows_of(q(SELECT relation, name, type, coalesce(how, ''), in_view, coalesce(required_in::text, ''), coalesce(key, '') FROM vmnet_internal.inventory_columns() ORDER BY ord));
my %type_of = map { ("$_->[0].$_->[1]" => $_->[2]) } @list;
cmp_ok(scalar @list, '>', 100, 'sql/inventory/columns.sql lists columns');
is(scalar keys %type_of, scalar @list, 'sql/inventory/columns.sql lists each of them once');
agree('sql/inventory/columns.sql', 'what it says of a column can be',
	map({ "$_->[0].$_->[1]: type $_->[2]" } grep { $_->[2] !~ /^(bigint|boolean|cidr|inet|integer|interval|macaddr|text|timestamptz|uuid)(\[\])?$/ } @list),
	map({ "$_->[0].$_->[1]: how $_->[3]" } grep { $_->[3] !~ /^(serial|default|generated|)$/ } @list),
	map({ "$_->[0].$_->[1]: key $_->[6]" } grep { $_->[6] !~ /^(network|instance|nic|)$/ } @list),
	map({ "$_->[0].$_->[1]: has no comment" } map { [ split /\./ ] } map { $_->[0] } rows_of(q(SELECT relation || '.' || name FROM vmnet_internal.inventory_columns() WHERE coalesce(comment, '') = ''))));

#
# C: nic_columns[] and attached_columns[]
#
my %oid_of = (
	bigint => 'INT8OID', boolean => 'BOOLOID', cidr => 'CIDROID', inet => 'INETOID', integer => 'INT4OID',
	macaddr => 'MACADDROID', text => 'TEXTOID', timestamptz => 'TIMESTAMPTZOID', uuid => 'UUIDOID');

# The entries of an array of C, {"name", TYPEOID, ...}.
sub entries
{
	my ($file, $array) = @_;
	my ($text) = slurp_file($file) =~ /\b$array\[\w+\] = \{\n(.*?)\n\};/s;
	return map { [ /\{"(\w+)", (\w+)/ ] } grep { /\{"/ } split /\n/, $text // '';
}

my @nic = entries('src/nic/nic_table.c', 'nic_columns');
cmp_ok(scalar @nic, '>', 15, 'src/nic/nic_table.c has columns');
agree('src/nic/nic_table.c', 'its columns are columns of all_nics, with these types',
	map({ "all_nics has no column $_->[0]" } grep { !$type_of{"all_nics.$_->[0]"} } @nic),
	map({ "all_nics.$_->[0] is of type " . $type_of{"all_nics.$_->[0]"} . ", and not $_->[1]" }
		grep { $type_of{"all_nics.$_->[0]"} && $oid_of{ $type_of{"all_nics.$_->[0]"} } ne $_->[1] } @nic));
my @enum = slurp_file('src/nic/nic_table.h') =~ /typedef enum NicColumn\n\{\n(.*?)\n\}/s ? $1 =~ /\bNIC_(\w+)/g : ();
is(join(' ', map { lc } @enum), join(' ', map { $_->[0] } @nic), 'src/nic/nic_table.h has the columns of src/nic/nic_table.c in their order');

# Keys of attached tables have the types that they have there.
my @attached = entries('src/attach/attached_row.c', 'attached_columns');
my %own = map { $_ => 1 } qw(network_key instance_key key);
cmp_ok(scalar @attached, '>', 10, 'src/attach/attached_row.c has columns');
agree('src/attach/attached_row.c', 'its columns are columns of all_nics, all_networks or all_instances, with these types',
	map {
		my ($name, $oid) = @$_;
		my %types = map { $_ => 1 } grep { defined } map { $type_of{"$_.$name"} } qw(all_nics all_networks all_instances);
		!%types && !$own{$name} ? "there is no column $name" : $oid ne 'InvalidOid' && !grep({ $oid_of{$_} eq $oid } keys %types) ? "column $name is of type " . join(' or ', sort keys %types) . ", and not $oid" : ()
	} @attached);

#
# Definitions: what they name is there
#
agree('sql/inventory/definition.sql', 'keys, indexes and checks are about columns that there are', map { "$_->[0] of $_->[1]: $_->[2]" } rows_of(q(
	SELECT k.name, k.relation, c FROM vmnet_internal.inventory_keys() k, unnest(k.columns) c
	WHERE NOT EXISTS (SELECT FROM vmnet_internal.inventory_columns() l WHERE l.relation = k.relation AND l.name = c))));
agree('sql/inventory/definition.sql', 'the columns that a check is said to be about are those of its expression', map { "$_->[0]: {$_->[1]}, and not $_->[2]" } rows_of(q(
	SELECT DISTINCT k.name, f.columns, k.columns FROM vmnet_internal.inventory_keys() k
		JOIN pg_constraint c ON c.conname = k.name AND c.contype = 'c' AND c.connamespace IN ('made'::regnamespace, 'copied'::regnamespace)
		CROSS JOIN LATERAL (SELECT string_agg(a.attname, ',' ORDER BY a.attname) AS columns FROM pg_attribute a WHERE a.attrelid = c.conrelid AND a.attnum = ANY (c.conkey)) f
	WHERE f.columns <> (SELECT string_agg(u, ',' ORDER BY u) FROM unnest(k.columns) u))));
agree('sql/inventory/definition.sql', 'its tables are those that have columns', map { $_->[0] } rows_of(q(
	(SELECT relation FROM vmnet_internal.inventory_tables('managed') EXCEPT SELECT relation FROM vmnet_internal.inventory_columns())
	UNION ALL (SELECT relation FROM vmnet_internal.inventory_columns() EXCEPT SELECT relation FROM vmnet_internal.inventory_tables('managed')))));
agree('sql/inventory/definition.sql', 'there is a live view for each table that has columns in one', map { $_->[0] } rows_of(q(
	SELECT DISTINCT substr(relation, 5) FROM vmnet_internal.inventory_columns() WHERE in_view EXCEPT SELECT name FROM vmnet_internal.inventory_views('managed'))));
agree('sql/inventory/definition.sql', 'its triggers are on tables and views of the kind', map { "$_->[0] on $_->[1] of $_->[2]" } rows_of(q(
	SELECT t.name, t.relation, k FROM vmnet_internal.inventory_triggers() t, unnest(t.kinds) k
	WHERE NOT EXISTS (SELECT FROM vmnet_internal.inventory_tables(k) b WHERE b.relation = t.relation)
		AND NOT EXISTS (SELECT FROM vmnet_internal.inventory_views(k) v WHERE k <> 'reality' AND v.name = t.relation))));
is(join("\n", map { $_->[0] } rows_of(q(
	WITH named AS (SELECT unnest(vmnet_internal.named_relations()) AS name),
		defined AS (SELECT o.relation FROM unnest('{managed,mirror,reality}'::text[]) k, vmnet_internal.inventory_objects(k, '{tables,views}') o WHERE o.sort IN ('table', 'view', 'plain view'))
	(SELECT 'only in definition.sql: ' || relation FROM defined EXCEPT SELECT 'only in definition.sql: ' || name FROM named)
	UNION ALL (SELECT 'only in named_relations[]: ' || name FROM named WHERE name !~ '^attached_' EXCEPT SELECT 'only in named_relations[]: ' || relation FROM defined)))), '', 'named_relations[] of src/core/run_as.c has the relations of sql/inventory/definition.sql, and attached ones');
agree('sql/inventory/columns.sql', 'every column of every relation has a comment', map { "$_->[0]: $_->[1]" } rows_of(q(
	SELECT a.attrelid::regclass, a.attname FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid
	WHERE c.relnamespace IN ('made'::regnamespace, 'copied'::regnamespace) AND c.relkind IN ('r', 'v') AND a.attnum > 0 AND col_description(a.attrelid, a.attnum) IS NULL)));

#
# Reports
#
is(join("\n", map { "$_->[0]: $_->[1]" } rows_of(q(
	SELECT a.attrelid::regclass, a.attname FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid
	WHERE c.relnamespace IN ('made_report'::regnamespace, 'copied_report'::regnamespace) AND a.attnum > 0 AND col_description(a.attrelid, a.attnum) IS NULL))), '', 'sql/report/columns.sql has a comment for every column of every reporting view');
is(join("\n", map { $_->[0] } rows_of(q(
	SELECT r.column_name FROM vmnet_internal.report_column_comments() r
	WHERE NOT EXISTS (SELECT FROM information_schema.columns c WHERE c.table_schema IN ('made_report', 'copied_report') AND c.column_name = r.column_name
		AND (r.views IS NULL OR c.table_name = ANY (r.views)))))), '', 'sql/report/definition.sql has every column that sql/report/columns.sql comments on');

#
# What an inventory has that was just made, and what check_inventory() expects
#
for my $kind ([ 'made', 'managed' ], [ 'copied', 'mirror' ])
{
	my ($schema, $name) = @$kind;
	my $listed = qq(
		SELECT c.relation, c.name, c.type::regtype::text, '$name' = ANY (c.required_in) IS TRUE FROM vmnet_internal.inventory_columns() c
			JOIN vmnet_internal.inventory_tables('$name') t ON t.relation = c.relation AND '$name' = ANY (t.kinds));
	my $made = qq(
		SELECT c.relname::text, a.attname::text, format_type(a.atttypid, a.atttypmod), a.attnotnull FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid
		WHERE c.relnamespace = '$schema'::regnamespace AND c.relkind = 'r' AND a.attnum > 0);
	my $facts = qq(
		SELECT f.relation, f.object, regexp_replace(f.fact, '( NOT NULL| GENERATED .*)\$', ''), f.fact ~ ' NOT NULL\$' FROM vmnet_internal.check_expected_facts('$name') f WHERE f.sort = 'column');

	for my $with ([ 'sql/inventory/definition.sql', $made, 'tables' ], [ 'sql/check/facts.sql', $facts, 'what is expected' ])
	{
		my ($file, $query, $what) = @$with;
		agree($file, "$what of a $name inventory",
			map({ "not in the list: " . join(' ', @$_) } rows_of("$query EXCEPT ($listed)")), map({ "in the list only: " . join(' ', @$_) } rows_of("$listed EXCEPT ($query)")));
	}
	agree('sql/check/facts.sql', "live views of a $name inventory", map { "$_->[0]: $_->[1]" } rows_of(qq(
		SELECT v.view, v.columns FROM (SELECT substr(c.relation, 5) AS view, string_agg(c.name, ', ' ORDER BY c.ord) AS columns
			FROM vmnet_internal.inventory_columns() c WHERE c.in_view GROUP BY c.relation) v
			LEFT JOIN vmnet_internal.check_expected_facts('$name') f ON f.relation = v.view AND f.sort = 'view'
		WHERE f.fact IS DISTINCT FROM v.columns)));
}

#
# A column that C does not know is in the tables, the live views and the rules.
#
$node->safe_psql('postgres', q(
	ALTER FUNCTION vmnet_internal.inventory_columns() RENAME TO old_columns;
	CREATE FUNCTION vmnet_internal.inventory_columns()
	RETURNS TABLE (relation text, name text, type text, how text, expression text, required_in text[], key text, in_view boolean,
		source_column text, from_lookup text, lookup_key text, needed boolean, if_absent text, comment text, ord int)
	LANGUAGE sql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp
	AS $$ SELECT * FROM vmnet_internal.old_columns() UNION ALL
		VALUES ('all_nics', 'speed', 'bigint', NULL, NULL, NULL::text[], NULL, true, 'speed', NULL, NULL, false, NULL, 'Speed in Mbit/s', 9999) $$;
	SELECT vmnet.create_inventory('more');
	ALTER TABLE more.all_nics ADD COLUMN mine text;
	INSERT INTO more.networks (id) VALUES (1);
	INSERT INTO more.instances (id) VALUES (1);
	INSERT INTO more.nics (id, network_id, instance_id, speed) VALUES (1, 1, 1, 10);
	UPDATE more.nics SET speed = 20;
	DELETE FROM more.nics));
is($node->safe_psql('postgres', q(SELECT obj_description('more.all_nics'::regclass) IS NOT NULL, col_description(attrelid, attnum) FROM pg_attribute WHERE attrelid = 'more.nics'::regclass AND attname = 'speed')),
	't|Speed in Mbit/s', 'a column that is put into the list is in the tables and the live views, with its comment');
my ($code, $out, $err) = $node->psql('postgres', q(UPDATE more.all_nics SET speed = 30), extra_params => [ '-v', 'VERBOSITY=verbose' ]);
like($err, qr/"speed" of NIC 1 cannot change.*CONSTRAINT NAME:  nic_removed_read_only/s, 'src/nic/nic_columns.c: a removed NIC keeps a column that src/nic/nic_table.c does not have');
is($node->safe_psql('postgres', q(UPDATE more.all_nics SET mine = 'x' RETURNING mine)), 'x', 'but not one that users have added');
is($node->safe_psql('postgres', q(SELECT count(*) FROM vmnet_internal.attached_columns() WHERE relation = 'nics' AND name = 'speed')), '1', 'attached tables can have it');
$node->safe_psql('postgres', q(
	CREATE SCHEMA source;
	CREATE TABLE source.networks AS SELECT 1 AS id, 'Implemented' AS state, now() AS created, NULL::timestamptz AS removed;
	CREATE TABLE source.vm_instance AS SELECT 1 AS id, 'Running' AS state, now() AS created, NULL::timestamptz AS removed;
	CREATE TABLE source.nics AS SELECT 1 AS id, 1 AS instance_id, 1 AS network_id, 'Reserved' AS state, '40' AS speed, now() AS created, NULL::timestamptz AS removed));
$node->safe_psql('postgres', q(CALL vmnet.import_cloudstack('source', 'imported')));
$node->safe_psql('postgres', q(SELECT vmnet.attach_cloudstack('live', 'source')));
is($node->safe_psql('postgres', q(SELECT speed FROM imported.nics UNION ALL SELECT speed FROM live.nics)), "40\n40", 'an import takes it from the source, and a live inventory shows it');
done_testing();
