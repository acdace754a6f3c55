# The Grafana dashboards of contrib/grafana: each is one that Grafana takes, and
# each of their queries is run as Grafana's PostgreSQL data source would send
# it, by a reader, on two inventories, for all networks, for one and for some.
#
# Grafana itself is not in Debian: its variables and macros are replaced here.
use strict;
use warnings FATAL => 'all';

use JSON::PP;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

use FindBin;
use lib $FindBin::RealBin;
use Inventory;

my $data = 'test/data/cloudstack-4.19';
my %builtin = map { $_ => 1 } qw(stat gauge bargauge piechart timeseries table row);
my $range_from = '2025-01-01T00:00:00Z';
my $range_to = '2100-01-01T00:00:00Z';

#
# The files
#

# Panels as they lie in the file: those of a collapsed row are inside it.
sub panels
{
	return map { ($_, panels(@{ $_->{panels} // [] })) } @_;
}

sub overlap
{
	my ($p, $q) = map { $_->{gridPos} } @_;
	return $p->{x} < $q->{x} + $q->{w} && $q->{x} < $p->{x} + $p->{w} && $p->{y} < $q->{y} + $q->{h} && $q->{y} < $p->{y} + $p->{h};
}

# What is wrong with the places of panels that are shown together.
sub misplaced
{
	my @panels = @_;
	my @wrong;
	for my $i (0 .. $#panels)
	{
		my $at = $panels[$i]{gridPos};
		push @wrong, "$panels[$i]{title} is outside"
		  if $at->{x} < 0 || $at->{y} < 0 || $at->{w} < 1 || $at->{h} < 1 || $at->{x} + $at->{w} > 24;
		push @wrong, map { "$panels[$i]{title} is on $_->{title}" } grep { overlap($panels[$i], $_) } @panels[ $i + 1 .. $#panels ];
	}
	return @wrong;
}

my %board;
foreach my $file (sort glob 'contrib/grafana/*.json')
{
	my ($name) = $file =~ m{([^/]+)\.json$};
	my $json = eval { JSON::PP->new->utf8->decode(slurp_file($file)) };
	ok(ref $json eq 'HASH', "$name: is JSON") or next;
	$board{$name} = $json;

	my @panels = panels(@{ $json->{panels} });
	is($json->{uid}, "vmnet-$name", "$name: its uid is that of its file");
	ok($json->{title} && $json->{description} && $json->{schemaVersion} >= 36, "$name: has title, description and a version of the schema");
	ok(!exists $json->{id}, "$name: holds no id of the Grafana it was made in");
	is_deeply([ map { "$_->{name} $_->{type} $_->{pluginId}" } @{ $json->{__inputs} } ], ['DS_VMNET datasource grafana-postgresql-datasource'], "$name: asks for its data source");
	my %types = map { $_->{type} => 1 } grep { $_->{type} ne 'row' } @panels;
	is_deeply([ sort map { "$_->{type} $_->{id}" } @{ $json->{__requires} } ],
		[ sort 'grafana grafana', 'datasource grafana-postgresql-datasource', map { "panel $_" } keys %types ], "$name: says what it requires");
	is($json->{refresh}, '15m', "$name: refreshes every 15 minutes");
	is_deeply([ grep { !/^(?:15m|30m|\d+[hd])$/ } @{ $json->{timepicker}{refresh_intervals} } ], [], "$name: and offers no shorter interval");
	my %asks = map { $_->{id} => 1 } grep { defined $_->{targets}[0]{rawSql} } @panels;
	my @shared = grep { ($_->{datasource}{uid} // '') eq '-- Dashboard --' } @panels;
	is_deeply([ map { $_->{title} } grep { !$asks{ $_->{targets}[0]{panelId} } } @shared ], [], "$name: shared answers are of panels that ask");
	is_deeply([ map { $_->{title} } grep { $_->{type} ne 'row' && !$asks{ $_->{id} } && $_->{datasource}{uid} ne '-- Dashboard --' } @panels ], [], "$name: the others ask");
	cmp_ok(scalar(grep { ($_->{targets}[0]{rawSql} // '') =~ /\.findings\b/ } @panels), '<=', 1, "$name: findings are queried once");
	is(scalar(grep { $_->{title} eq 'Age' && $_->{type} eq 'stat' } @panels), 1, "$name: shows the age");
	my %seen;
	is_deeply([ grep { $seen{ $_->{id} }++ } @panels ], [], "$name: ids of panels are unique");
	my %title;
	is_deeply([ grep { $title{$_}++ } map { $_->{title} } @panels ], [], "$name: and their titles");
	is_deeply([ sort map { "$_->{title}: $_->{type}" } grep { !$builtin{ $_->{type} } } @panels ], [], "$name: panels need no plugin");
	is_deeply([ map { "$_->{id}" } grep { !length $_->{title} || ($_->{type} ne 'row' && !length $_->{description}) } @panels ], [], "$name: panels say what they show");
	is_deeply([ misplaced(@{ $json->{panels} }) ], [], "$name: panels do not overlap");
	is_deeply([ misplaced(@{ $_->{panels} }) ], [], "$name: nor do those of row $_->{title}") foreach grep { @{ $_->{panels} // [] } } @panels;
	is_deeply([ map { $_->{name} } @{ $json->{templating}{list} } ], [qw(datasource schema network)], "$name: its variables");
}
is_deeply([ sort keys %board ], [qw(capacity network-overview nic-health)], 'there are three dashboards');

my $generated = PostgreSQL::Test::Utils::tempdir;
command_ok([ 'perl', 'contrib/grafana/generate', $generated ], 'contrib/grafana/generate runs');
ok(slurp_file("$generated/$_.json") eq slurp_file("contrib/grafana/$_.json"), "$_: is what contrib/grafana/generate writes") foreach sort keys %board;

foreach my $file (glob 'contrib/grafana/provisioning/*/*.yaml')
{
	command_ok([ '/usr/bin/python3', '-c', 'import sys; t = open(sys.argv[1]).read(); assert "apiVersion: 1" in t and "\t" not in t', $file ], "$file is for Grafana");
}

#
# Their queries
#

# What a variable becomes. One that can have several values is quoted, "All" is
# its allValue as it stands, others are put in with quotes doubled.
sub interpolate
{
	my ($sql, $variables, $value) = @_;
	my $replace = sub {
		my ($name, $format) = @_;
		die "there is no variable $name" if !exists $value->{$name} || !exists $variables->{$name};
		my $is = $value->{$name};
		return $variables->{$name}{allValue} if $is eq '$__all';
		my @is = ref $is ? @$is : ($is);
		return join ',', map { '"' . s/"/\\"/gr . '"' } @is if ($format // '') eq 'doublequote';
		die "format $format is not known here" if defined $format;
		return join ',', map { quote_literal($_) } @is if $variables->{$name}{multi};
		return join ',', map { s/'/''/gr } @is;
	};
	$sql =~ s/\$__interval_ms/3600000/g;
	$sql =~ s/\$__interval/1h/g;
	$sql =~ s/\$\{(\w+)(?::(\w+))?\}|\$(?!__)(\w+)/$replace->($1 \/\/ $3, $2)/ge;
	return $sql;
}

my %macro = (
	__timeFilter => sub { "$_[0] BETWEEN '$range_from' AND '$range_to'" },
	__timeFrom => sub { "'$range_from'" },
	__timeTo => sub { "'$range_to'" },
	__timeGroupAlias => sub { my ($n, $u) = $_[1] =~ /^(\d+)([mhd])$/ or die "no interval: $_[1]";
		my $s = $n * { m => 60, h => 3600, d => 86400 }->{$u};
		return "floor(extract(epoch from $_[0])/$s)*$s AS \"time\""; });

sub expand
{
	my ($sql) = @_;
	$sql =~ s/\$(\w+)\(([^)]*)\)/($macro{$1} or die "there is no macro $1")->(split m{\s*,\s*}, $2)/ge;
	die "something is left to replace: $sql" if $sql =~ /\$|\[\[/;
	return $sql;
}

# Every query of a dashboard: what it is for, how Grafana wants it, its text.
sub queries
{
	my ($name) = @_;
	my $json = $board{$name};
	my @queries = (
		(map { { of => "variable $_->{name}", kind => 'variable', sql => $_->{query}, asks => [ $_->{datasource} ] } } grep { $_->{type} eq 'query' } @{ $json->{templating}{list} }),
		(map { { of => "annotation $_->{name}", kind => 'annotation', sql => $_->{target}{rawSql}, asks => [ $_->{datasource}, $_->{target}{datasource} ] } } grep { !$_->{builtIn} } @{ $json->{annotations}{list} }));
	foreach my $panel (panels(@{ $json->{panels} }))
	{
		push @queries, map { { of => $panel->{title}, kind => $panel->{type}, sql => $_->{rawSql}, format => $_->{format},
			panel => $panel, asks => [ $panel->{datasource}, $_->{datasource} ] } } grep { defined $_->{rawSql} } @{ $panel->{targets} // [] };
	}
	return map { $_->{name} = "$name, $_->{of}"; $_ } @queries;
}

my $node = PostgreSQL::Test::Cluster->new('grafana');
$node->init;
$node->start;
$node->safe_psql('postgres', 'CREATE ROLE bi LOGIN');
my $load = qx(contrib/load-cloudstack-dump $data cloudstack);
$node->safe_psql('postgres', $load);
create_roles($node);
$node->safe_psql('postgres', 'CREATE EXTENSION vmnet_ext');
create_managed($node, 'postgres', MANAGED);
my $managed = quote_literal(MANAGED);
$node->safe_psql('postgres', qq{
	CALL vmnet.import_cloudstack('cloudstack', 'cloud');
	SELECT vmnet.create_report('cloud');
	SELECT vmnet.grant_access('cloud', 'bi', 'reader');
	SET ROLE vmnet_owner;
	SELECT vmnet.create_report($managed, 'its; reports');
	SELECT vmnet.grant_access($managed, 'bi', 'reader')});

# Columns with their types, and rows, as a reader gets them; nothing is found
# that is not named with its schema.
sub ask
{
	my ($sql) = @_;
	my ($out, $err) = ('', '');
	my $script = "SET search_path = '';\n$sql\n\\gdesc\n\\echo ---\nSELECT coalesce(json_agg(to_json(x)), '[]') FROM (\n$sql\n) x;\n";
	IPC::Run::run([ 'psql', '-X', '-q', '-At', '-v', 'ON_ERROR_STOP=1', '-U', 'bi', '-d', $node->connstr('postgres') ], '<', \$script, '>', \$out, '2>', \$err);
	return { error => $err } if $err ne '';
	my ($columns, $rows) = split /^---\n/m, $out;
	my @columns = map { [ split /\|/ ] } split /\n/, $columns;
	return { columns => [ map { $_->[0] } @columns ], type => { map { @$_ } @columns }, rows => JSON::PP->new->utf8->decode($rows) };
}

# What a panel of its kind cannot do with an answer.
sub unfit
{
	my ($query, $got) = @_;
	my ($kind, $type, $rows) = ($query->{kind}, $got->{type}, scalar @{ $got->{rows} });
	my $number = qr/^(bigint|integer|numeric|double precision)$/;
	my %count;
	my @wrong = map { "two columns $_" } grep { $count{$_}++ } @{ $got->{columns} };

	if ($kind eq 'variable') { push @wrong, 'columns' if "@{ $got->{columns} }" ne '__text __value'; }
	elsif ($kind eq 'annotation')
	{
		push @wrong, 'times' if grep { ($type->{$_} // '') ne 'timestamp with time zone' } qw(time timeend);
		push @wrong, 'text' if ($type->{text} // '') ne 'text';
	}
	elsif ($kind eq 'timeseries')
	{
		push @wrong, 'format' if $query->{format} ne 'time_series';
		push @wrong, 'no time' if ($type->{time} // '') !~ /^(timestamp with time zone|numeric)$/;
		push @wrong, 'no value' if !grep { $_ ne 'time' && $type->{$_} =~ $number } @{ $got->{columns} };
		push @wrong, 'text besides metric' if grep { $type->{$_} eq 'text' && $_ ne 'metric' } @{ $got->{columns} };
		my $last;
		foreach (@{ $got->{rows} }) { push @wrong, 'order' if defined $last && $_->{time} lt $last; $last = $_->{time}; }
	}
	elsif ($kind eq 'stat' || $kind eq 'gauge')
	{
		push @wrong, "$rows rows" if $rows != 1;
		push @wrong, 'not one number' if @{ $got->{columns} } != 1 || $type->{ $got->{columns}[0] } !~ $number;
	}
	elsif ($kind eq 'bargauge' || $kind eq 'piechart')
	{
		push @wrong, 'value' if ($type->{value} // '') !~ $number;
		push @wrong, 'name' if ($type->{ $got->{columns}[0] } // '') ne 'text' || @{ $got->{columns} } != 2;
		push @wrong, 'options' if $query->{panel}{options}{reduceOptions}{fields} ne '/^value$/' || !$query->{panel}{options}{reduceOptions}{values};
	}
	push @wrong, 'format' if ($query->{format} // 'table') ne ($kind eq 'timeseries' ? 'time_series' : 'table');
	foreach my $override (@{ $query->{panel}{fieldConfig}{overrides} // [] })
	{
		push @wrong, "no column $override->{matcher}{options}" if !exists $type->{ $override->{matcher}{options} };
		push @wrong, 'no column Id' if JSON::PP->new->encode($override) =~ /fields\.Id/ && !exists $type->{Id};
	}
	return @wrong;
}

# Relations that a query names itself and that are no views of the schema, and
# functions and types that are not PostgreSQL's own, as the server understands
# it.  (It notes no dependency on its own catalogs, but the tree has them.)
sub foreign_names
{
	my ($sql, $schema) = @_;
	return $node->safe_psql('postgres', qq{
		BEGIN;
		CREATE TEMP VIEW q AS $sql;
		SELECT m[1]::oid::regclass::text
		FROM pg_rewrite r CROSS JOIN LATERAL regexp_matches(r.ev_action::text, ':relid ([1-9][0-9]*)', 'g') m
			LEFT JOIN pg_class c ON c.oid = m[1]::oid
		WHERE r.ev_class = 'pg_temp.q'::regclass AND m[1]::oid <> r.ev_class
			AND (c.relkind = 'v' AND c.relnamespace = '"$schema"'::regnamespace) IS NOT TRUE
		UNION
		SELECT pg_describe_object(d.refclassid, d.refobjid, 0)
		FROM pg_rewrite r JOIN pg_depend d ON d.classid = 'pg_rewrite'::regclass AND d.objid = r.oid
		WHERE r.ev_class = 'pg_temp.q'::regclass AND d.refclassid <> 'pg_class'::regclass;
		ROLLBACK});
}

my %some = ('cloud_report' => [ '204', [ 204, 211 ] ], 'its; reports' => [ '1', [ 1, 2 ] ]);
my (%answer, $asked);
foreach my $name (sort keys %board)
{
	my %variable = map { $_->{name} => $_ } @{ $board{$name}{templating}{list} };
	is($variable{schema}{query}, 'cloud_report', "$name: the schema is the default one");
	like($board{$name}{uid}, qr/^[a-z-]{1,40}$/, "$name: its uid is one");
	foreach my $query (queries($name))
	{
		is_deeply([ grep { ($_->{uid} // '') ne '${datasource}' || $_->{type} ne 'grafana-postgresql-datasource' } @{ $query->{asks} } ], [],
			"$query->{name}: asks the database that was chosen");
		foreach my $schema (sort keys %some)
		{
			my @wrong;
			foreach my $networks ('$__all', @{ $some{$schema} })
			{
				my $sql = expand(interpolate($query->{sql}, \%variable, { schema => $schema, network => $networks }));
				my $got = ask($sql);
				push @wrong, $got->{error} // map { "$_: $sql" } unfit($query, $got);
				push @wrong, "names $_" foreach split /\n/, foreign_names($sql, $schema);
				$answer{ $query->{name} }{ ref $networks ? 'some' : $networks eq '$__all' ? 'all' : 'one' } = $got->{rows} if $schema eq 'cloud_report';
				$asked++;
			}
			is("@wrong", '', "$query->{name}: $schema answers");
		}
	}
}
cmp_ok($asked, '>', 200, 'queries were found');

# A query that names something else is found out.
is(foreign_names('SELECT 1 AS a FROM cloud_report.networks', 'cloud_report'), '', 'a view of the schema is none of others');
isnt(foreign_names('SELECT 1 AS a FROM cloud_report.networks, cloud.all_nics', 'cloud_report'), '', 'a table of the inventory is');
isnt(foreign_names('SELECT 1 AS a FROM cloud_report.networks, pg_catalog.pg_class', 'cloud_report'), '', 'a catalog is');
isnt(foreign_names("SELECT vmnet_internal.resolve_inventory('cloud') AS a", 'cloud_report'), '', 'a function of the extension is');

#
# What they answer, against the files of the dump
#

sub tsv
{
	my ($file) = @_;
	open(my $fh, '<:encoding(UTF-8)', "$data/$file") or die "$file: $!";
	my @lines = map { chomp; [ map { $_ eq '\\N' ? undef : $_ } split /\t/, $_, -1 ] } <$fh>;
	my @names = map { $_->[2] } grep { $_->[0] eq ($file =~ m{^tables/(.*)\.tsv})[0] } @{ $file =~ /^tables/ ? tsv_lines() : [] };
	@names = @{ shift @lines } if $file !~ /^tables/;
	return map { my %row; @row{@names} = @$_; \%row } @lines;
}

sub tsv_lines
{
	return [ map { [ split /\t/ ] } split /\n/, slurp_file("$data/columns.tsv") ];
}

sub total { my ($column, @rows) = @_; my $n = 0; $n += $_->{$column} // 0 foreach @rows; return $n; }
sub distinct { my %d = map { $_ => 1 } @_; return scalar keys %d; }
sub value { my ($panel, $which) = @_; return (values %{ $answer{$panel}{ $which // 'all' }[0] })[0]; }

my @counts = tsv('expected/network_counts.tsv');
my @members = tsv('expected/network_active_instances.tsv');
my %instance = map { $_->{id} => $_ } tsv('tables/vm_instance.tsv');
my %network = map { $_->{id} => $_ } tsv('tables/networks.tsv');

is_deeply([ map { $_->{name} } grep { $_->{kind} ne 'variable' && $_->{kind} ne 'annotation' && !@{ $answer{ $_->{name} }{all} } && $_->{sql} !~ /\.nic_history\b/ } map { queries($_) } sort keys %board ], [],
	'every panel has rows on the sample, except those of history, which begins with a second import');
is(value('network-overview, Networks'), scalar @counts, 'networks');
cmp_ok(value('network-overview, Age'), '>=', 0, 'the age of the mirror');
cmp_ok(value('network-overview, Age'), '<', 3600, 'is that of its import');
foreach my $case ([ 'a mirror without a completed import', 'cloud_report', -1 ], [ 'an inventory that is its own source', 'its; reports', undef ])
{
	my ($what, $schema, $age) = @$case;
	my ($panel) = grep { $_->{of} eq 'Age' } queries('network-overview');
	$node->safe_psql('postgres', "UPDATE cloud.import_runs SET status = 'failed', message = 'interrupted'");
	is_deeply(ask($panel->{sql} =~ s/\$\{schema:doublequote\}/"$schema"/r)->{rows}, [ { seconds => $age } ], "$what: its age");
	$node->safe_psql('postgres', "UPDATE cloud.import_runs SET status = 'done', message = NULL");
	is($panel->{panel}{fieldConfig}{defaults}{mappings}[0]{options}{-1}{text}, 'no import done', "$what: is told from the other");
}
is(value('network-overview, Networks', 'some'), 2, 'two networks');
is(value('network-overview, Active instances'), distinct(map { $_->{instance_id} } @members), 'active instances');
is(value('network-overview, Running instances'),
	distinct(map { $_->{instance_id} } grep { $instance{ $_->{instance_id} }{state} eq 'Running' } @members), 'running instances');
is(value('network-overview, Attached NICs'), total('attached_nics', @counts), 'attached NICs');
is(value('network-overview, Attached NICs', 'one'), total('attached_nics', grep { $_->{network_id} == 204 } @counts), 'attached NICs of a network');
is(value('network-overview, Networks in use'), scalar(grep { $_->{active_instances} > 0 } @counts), 'networks in use');
is_deeply([ map { "$_->{'Id'}/$_->{'Instance id'}" } @{ $answer{'network-overview, Instances on the networks'}{all} } ],
	[ map { "$_->{network_id}/$_->{instance_id}" } sort { $a->{network_id} <=> $b->{network_id} || $a->{instance_id} <=> $b->{instance_id} } @members ],
	'who is where');

is_deeply({ map { $_->{Id} => "$_->{Active} $_->{Running} $_->{NICs} $_->{'Half-removed'}" } @{ $answer{'network-overview, Counts by network'}{all} } },
	{ map { $_->{network_id} => "$_->{active_instances} $_->{running_instances} $_->{attached_nics} $_->{deallocating}" } @counts }, 'counts by network');
my %by_state;
$by_state{ $instance{$_}{state} }++ foreach keys %{ { map { $_->{instance_id} => 1 } @members } };
is_deeply({ map { $_->{state} => $_->{value} } @{ $answer{'network-overview, Instances by state'}{all} } }, \%by_state, 'instances by state');

my %fault;
$fault{ $_->{code} }++ foreach tsv('expected/faults.tsv');
# of instances whose half-removed NICs are listed
$fault{expunge_unfinished} = 2;
is(value('nic-health, Half-removed NICs'), total('deallocating', @counts), 'half-removed NICs');
is(value('nic-health, Stuck NICs'), $fault{stuck_nic}, 'stuck NICs');
is(value('nic-health, Unknown states'), total('other', @counts), 'unknown states');
is_deeply([ map { "$_->{state} $_->{value}" } @{ $answer{'nic-health, NICs by state'}{all} } ],
	[ map { ($_ eq 'other' ? $_ : ucfirst) . ' ' . total($_, @counts) } qw(allocated reserving reserved releasing deallocating other) ], 'NICs by state');
my @wrong = @{ $answer{'nic-health, What is wrong'}{all} };
my %shared = map { $_->{title} => $_ } grep { ($_->{datasource}{uid} // '') eq '-- Dashboard --' } panels(@{ $board{'nic-health'}{panels} });
is_deeply([ sort keys %shared ], [ 'Findings by code', 'Findings: errors', 'Findings: warnings' ], 'what is shared');
foreach my $panel (values %shared)
{
	my ($column) = grep { $_ =~ ($panel->{options}{reduceOptions}{fields} =~ m{^/(.*)/$})[0] } keys %{ $wrong[0] };
	ok(defined $column, "nic-health, $panel->{title}: shows a column of the answer");
}
is_deeply({ map { $_->{Code} => $_->{'Of the code'} } grep { $_->{'Of the code'} > 0 } @wrong }, \%fault, 'findings by code');
is($wrong[0]{Errors} + $wrong[0]{Warnings} + $fault{missing_uuid}, tsv('expected/faults.tsv') + 2,
	'errors and warnings are all but a missing uuid');

# Members by day: who was there at the end of it, by the columns of the source.
# A NIC that was half-removed when it was first seen was never there.
sub members_on
{
	my ($day, $only) = @_;
	my $end = "$day 23:59:59";
	return distinct(map { "$_->{network_id}/$_->{instance_id}" } grep {
			my $n = $_;
			(!$only || $only == $n->{network_id}) && defined $n->{instance_id}
			  && $n->{created} le $end
			  && !grep { defined $_->{removed} && $_->{removed} le $end } ($n, $instance{ $n->{instance_id} }, $network{ $n->{network_id} })
	} grep { !(lc($_->{state}) eq 'deallocating' && !defined $_->{removed}) } tsv_nics());
}
my @nics;
sub tsv_nics { @nics = tsv('tables/nics.tsv') if !@nics; return @nics; }

foreach my $which ([ 'all' ], [ 'one', 204 ])
{
	my %got = map { substr($_->{time}, 0, 10) => $_->{members} } @{ $answer{'network-overview, Members'}{ $which->[0] } };
	my @days = ('2025-01-08', '2025-02-28', '2025-04-01', '2025-06-15', '2025-07-04', (sort keys %got)[-1]);
	is_deeply([ map { "$_ " . ($got{$_} // '?') } @days ], [ map { "$_ " . members_on($_, $which->[1]) } @days ], "members by day, $which->[0]");
}
is($answer{'network-overview, Members'}{all}[-1]{members}, scalar @members, 'members today');

# Addresses in use inside the range of each live network.
sub number { my $n = 0; $n = $n * 256 + $_ foreach split /\./, $_[0]; return $n; }
my (%used, %usable, %nic_network);
foreach my $nic (grep { !defined $_->{removed} && lc $_->{state} ne 'deallocating' } tsv_nics())
{
	$nic_network{ $nic->{id} } = $nic->{network_id};
	$used{ $nic->{network_id} }{ $nic->{ip4_address} } = 1 if $nic->{ip4_address};
}
foreach my $more (tsv('tables/nic_secondary_ips.tsv'))
{
	my $at = $nic_network{ $more->{nicId} } or next;
	$used{$at}{ $more->{ip4_address} } = 1 if $more->{ip4_address};
}
my %given;
$given{ $_->{source_network_id} }{ $_->{public_ip_address} } = $_->{state} foreach grep { !defined $_->{removed} } tsv('tables/user_ip_address.tsv');
my ($all_used, $all_usable, $outside) = (0, 0, 0);
foreach my $net (grep { !defined $_->{removed} && $_->{cidr} } values %network)
{
	my $rows = $given{ $net->{id} };
	if ($rows)
	{
		# what the network can give are rows, whatever its cidr is
		$all_usable += keys %$rows;
		$all_used += grep { $rows->{$_} ne 'Free' || $used{ $net->{id} }{$_} } keys %$rows;
		next;
	}
	my ($base, $bits) = split m{/}, $net->{cidr};
	my $size = 2**(32 - $bits);
	my @in = grep { int(number($_) / $size) == int(number($base) / $size) } keys %{ $used{ $net->{id} } };
	$all_usable += $size > 2 ? $size - 2 : $size;
	$all_used += @in;
	$outside += keys(%{ $used{ $net->{id} } }) - @in;
}
is(value('capacity, Addresses in use'), $all_used, 'addresses in use');
is(value('capacity, Free addresses'), $all_usable - $all_used, 'free addresses');
is(value('capacity, Addresses outside their range'), $outside, 'addresses outside');
cmp_ok(abs(value('capacity, IPv4 use') - 100 * $all_used / $all_usable), '<', 1e-9, 'IPv4 use');
is($answer{'capacity, By zone'}{all}[0]{Used}, $all_used, 'the zone has them all');
my ($largest) = sort { $b->{active_instances} <=> $a->{active_instances} || $a->{network_id} <=> $b->{network_id} } @counts;
is($answer{'network-overview, Largest networks'}{all}[0]{value}, $largest->{active_instances}, 'the largest network');

$node->stop;
done_testing();
