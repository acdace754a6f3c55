# The data of the report, read from the reporting schema by psql: one snapshot,
# each result as JSON.
package Data;

use strict;
use warnings;

use Encode ();
use File::Temp ();
use JSON::PP ();

# The largest networks, for the queries below: as values, so that each view reads
# only these.
my $largest = q{
	SELECT coalesce(array_agg(network_id), '{}') AS largest
	FROM (SELECT network_id FROM :"schema".network_counts ORDER BY active_instances DESC, network_id LIMIT :top) n \gset
};

# Nothing is known after the last import of a mirror that was done: lines end there.
sub line_end
{
	my ($views) = @_;
	return 'SELECT ' . ($views->{imports} ? q{coalesce((SELECT max(started) FROM :"schema".imports WHERE status = 'done'), now())} : 'now()')
	  . " AS until \\gset\n";
}

# What codes mean, and what mends them or why nothing does, stands in the list of
# checks; a report outlives the extension.
my $meanings = q{SELECT coalesce(has_schema_privilege(to_regnamespace('vmnet_internal'), 'USAGE')
	AND has_function_privilege(to_regprocedure('vmnet_internal.checks()'), 'EXECUTE'), false) AS known \gset
\if :known
SELECT coalesce(jsonb_agg(jsonb_build_object('code', code, 'about', about, 'repair', repair, 'refusal', refusal)), '[]') FROM vmnet_internal.checks();
\else
SELECT '[]';
\endif
};

# The queries by name; psql replaces :"schema", :top, :days and :'largest'.  one: a
# single row.
my @queries = (
	[ about => 'one', q{
		SELECT current_database() AS database, to_char(now(), 'YYYY-MM-DD HH24:MI') AS at,
			to_char(now(), 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') AS exactly,
			floor(extract(epoch FROM now()) / 86400)::int AS today} ],

	[ kind => 'one', q{SELECT kind FROM :"schema".metrics WHERE name = 'vmnet_inventory_info'} ],

	# a mirror is as of the start of its last import that was done
	[ as_of => 'one', q{
		SELECT count(*) AS runs, to_char(max(started) FILTER (WHERE status = 'done'), 'YYYY-MM-DD HH24:MI') AS at,
			extract(epoch FROM now() - max(started) FILTER (WHERE status = 'done')) AS seconds
		FROM :"schema".imports} ],

	[ totals => 'one', q{
		SELECT count(*) AS networks, count(*) FILTER (WHERE active_instances > 0) AS used_networks,
			coalesce(sum(attached_nics), 0) AS attached_nics, coalesce(sum(allocated), 0) AS allocated,
			coalesce(sum(reserving), 0) AS reserving, coalesce(sum(reserved), 0) AS reserved,
			coalesce(sum(releasing), 0) AS releasing, coalesce(sum(deallocating), 0) AS deallocating,
			coalesce(sum(other_states), 0) AS other_states
		FROM :"schema".network_counts} ],

	[ instances => 'one', q{
		SELECT count(*) AS active, count(*) FILTER (WHERE instance_state = 'Running') AS running
		FROM (SELECT DISTINCT instance_id, instance_state FROM :"schema".network_instances) i} ],

	[ daily => 'all', q{
		SELECT floor(extract(epoch FROM "time") / 86400)::int AS day, sum(active_instances) AS members,
			sum(arrived_instances) AS arrived, sum(departed_instances) AS departed
		FROM :"schema".networks_daily
		WHERE "time" >= now() - :days * interval '24 hours' AND "time" <= :'until'
		GROUP BY "time"
		ORDER BY "time"} ],

	[ usage => 'one', q{
		SELECT sum(usable) AS usable, sum(used) AS used, coalesce(sum(outside_cidr), 0) AS outside,
			100 * sum(used)::double precision / nullif(sum(usable), 0) AS percent,
			count(*) FILTER (WHERE percent IS NULL) AS no_range, count(*) FILTER (WHERE percent < 25) AS quarter,
			count(*) FILTER (WHERE percent >= 25 AND percent < 50) AS half,
			count(*) FILTER (WHERE percent >= 50 AND percent < 75) AS most,
			count(*) FILTER (WHERE percent >= 75 AND percent < 90) AS full,
			count(*) FILTER (WHERE percent >= 90) AS over
		FROM :"schema".network_ip_usage} ],

	[ fullest => 'all', q{
		SELECT network_id, network_name, cidr, used, usable, free, counted_by, percent
		FROM :"schema".network_ip_usage
		WHERE percent IS NOT NULL
		ORDER BY free, percent DESC, network_id
		LIMIT 15} ],

	[ networks => 'all', q{
		SELECT c.network_id, c.network_name, c.network_state, c.traffic_type, c.guest_type, c.active_instances,
			c.running_instances, c.attached_nics, c.deallocating, c.account_name, u.cidr, u.used, u.usable, u.percent,
			d.first_day, d.members
		FROM :"schema".network_counts c
			LEFT JOIN (SELECT * FROM :"schema".network_ip_usage WHERE network_id = ANY (:'largest')) u USING (network_id)
			LEFT JOIN (
				SELECT network_id, floor(extract(epoch FROM min("time")) / 86400)::int AS first_day,
					string_agg(active_instances::text, ' ' ORDER BY "time") AS members
				FROM :"schema".networks_daily
				WHERE "time" >= now() - :days * interval '24 hours' AND "time" <= :'until' AND network_id = ANY (:'largest')
				GROUP BY network_id) d USING (network_id)
		WHERE c.network_id = ANY (:'largest')
		ORDER BY c.active_instances DESC, c.network_id} ],

	# Looking for findings is the dearest of all, and done once.
	[ findings => 'one', q{
		WITH f AS MATERIALIZED (SELECT * FROM :"schema".findings)
		SELECT (SELECT coalesce(jsonb_agg(to_jsonb(c)), '[]') FROM (
				SELECT code, severity, count(*) AS findings
				FROM f
				WHERE NOT accepted
				GROUP BY code, severity, severity_order
				ORDER BY severity_order, findings DESC, code) c) AS codes,
			(SELECT coalesce(jsonb_agg(to_jsonb(t)), '[]') FROM (
				SELECT severity, code, finding, message, fix
				FROM f
				WHERE NOT accepted
				ORDER BY severity_order, code, object_id
				LIMIT :top) t) AS first,
			(SELECT count(*) FROM f WHERE accepted) AS accepted} ],

	[ stuck_total => 'one', q{SELECT count(*) AS nics FROM :"schema".stuck_nics} ],

	[ stuck => 'all', q{
		SELECT nic_id, nic_state, network_id, network_name, instance_id, instance_name, seconds
		FROM :"schema".stuck_nics
		ORDER BY seconds DESC, nic_id
		LIMIT :top} ],

	[ imports => 'all', q{
		SELECT run, status, source, to_char(started, 'YYYY-MM-DD HH24:MI') AS started, seconds, nics_read,
			rows_inserted, rows_updated, rows_deleted, rows_rejected
		FROM :"schema".imports
		ORDER BY run DESC
		LIMIT 10} ]);

# Reports of attached and live inventories lack the views whose columns, such as
# times, the inventory does not have.  Without its view a query returns no rows; the
# one of the networks omits the days.
my $no_days = q{(SELECT now() AS "time", network_id, 0 AS active_instances, 0 AS arrived_instances, 0 AS departed_instances
	FROM :"schema".network_counts WHERE false) AS no_days};

sub query
{
	my ($query, $views) = @_;
	my ($name, undef, $sql) = @$query;
	$sql =~ s/:"schema"\.networks_daily/$no_days/g if !$views->{networks_daily};
	my @missing = grep { !$views->{$_} } $sql =~ /:"schema"\.(\w+)/g;
	return @missing ? "SELECT '[]';\n" : "SELECT coalesce(jsonb_agg(to_jsonb(q)), '[]') FROM ($sql) q;\n";
}

# Runs a script in psql; returns its output, or dies with its error.
sub psql
{
	my ($script, %variables) = @_;
	local $ENV{PGCLIENTENCODING} = 'UTF8';
	local $ENV{PGOPTIONS} = ($ENV{PGOPTIONS} // '') . ' -c client_min_messages=error';
	local $ENV{PGTZ} = 'UTC';
	my @command = (qw(psql -X -q -A -t -v ON_ERROR_STOP=1), map { ('-v', "$_=$variables{$_}") } sort keys %variables);
	my ($in, $said) = (File::Temp->new, File::Temp->new);

	print $in $script;
	close $in;
	my $pid = open(my $out, '-|') // die "cannot start a process: $!\n";
	if (!$pid)
	{
		open(STDIN, '<', "$in") && open(STDERR, '>', "$said") && exec { $command[0] } @command;
		print STDERR "psql was not found: install postgresql-client\n";
		require POSIX;
		POSIX::_exit(127);
	}
	my $answer = do { local $/; <$out> };
	return Encode::decode('UTF-8', $answer // '') if close $out;

	open(my $error, '<:encoding(UTF-8)', "$said") or die "psql failed\n";
	my $why = do { local $/; <$error> };
	$why =~ s/^psql:(?:<stdin>:\d+: )? ?(?:error: )?//mg;
	utf8::encode($why);
	die length $why ? $why : "psql failed\n";
}

# Returns the reporting schema of a name, or of the inventory of that name, and its
# views.
sub schema
{
	my ($wanted) = @_;
	my $answer = JSON::PP->new->decode(psql(q{
		SELECT json_build_object('database', current_database(), 'schemas', coalesce(json_agg(json_build_object('name', n.nspname,
				'views', (SELECT json_object_agg(v.relname, 1) FROM pg_catalog.pg_class v WHERE v.relnamespace = n.oid AND v.relkind = 'v'), 'open', has_schema_privilege(n.oid, 'USAGE')
				AND has_table_privilege(c.oid, 'SELECT')) ORDER BY n.nspname), '[]'))
		FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
		WHERE c.relkind = 'v' AND c.relname = 'network_counts'
			AND EXISTS (SELECT FROM pg_catalog.pg_class d WHERE d.relnamespace = n.oid AND d.relname = 'data_dictionary');}));
	my ($database, $found) = @$answer{qw(database schemas)};
	utf8::decode($wanted);
	my ($schema) = map { my $name = $_; grep { $_->{name} eq $name } @$found } ($wanted, "${wanted}_report");
	my $text = defined $schema && !$schema->{open}
	  ? "this role may not read the reporting schema \"$schema->{name}\" of database \"$database\".\nIts owner can let it: SELECT vmnet.grant_access(inventory, role, 'reader');\n"
	  : defined $schema ? ''
	  : "there is no reporting schema \"$wanted\" in database \"$database\", nor one of an inventory of that name.\n"
	  . (@$found ? 'There is: ' . join(', ', map { $_->{name} } @$found) . ".\n" : "Make one: SELECT vmnet.create_report(inventory);\n");
	utf8::encode($text);
	die $text if length $text;
	return $schema;
}

# Returns all data, in one snapshot.
sub read
{
	my ($schema, $top, $days) = @_;
	my $script = "SET search_path = pg_catalog;\nBEGIN ISOLATION LEVEL REPEATABLE READ, READ ONLY;\n$largest" . line_end($schema->{views}) . $meanings
	  . join('', map { query($_, $schema->{views}) } @queries) . "COMMIT;\n";
	my %variables = (schema => $schema->{name}, top => $top, days => $days);
	utf8::encode($variables{schema});

	my @answers = split /\n/, psql($script, %variables);
	die "the database gave " . @answers . " answers, not " . (1 + @queries) . "\n" if @answers != 1 + @queries;
	my %data = (schema => $schema->{name}, top => $top, days => $days, meanings => JSON::PP->new->decode(shift @answers));
	foreach my $query (@queries)
	{
		my $rows = JSON::PP->new->decode(shift @answers);
		$data{ $query->[0] } = $query->[1] eq 'one' ? $rows->[0] // {} : $rows;
	}
	return \%data;
}

1;
