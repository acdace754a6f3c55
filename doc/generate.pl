#!/usr/bin/perl
# Writes into a folder what can be told from the catalogs of a database that has
# vmnet_ext: reference.md, errors.md, model.svg, states.svg.  The examples of the
# reference are doc/examples/NAME.sql, one for each name of schema vmnet; they are
# run, and their output is shown.  Where the server is is in the environment;
# databases and roles that are made there are dropped.  Run from the top of the
# tree by a superuser.  doc/generate starts a server for it.
use strict;
use warnings;
use utf8;
use JSON::PP;

use lib 'test/t';
use Pages;

my ($folder) = @ARGV;
die "usage: doc/generate.pl folder\n" if !defined $folder;

# The catalogs, asked in one transaction that is undone.
sub ask
{
	my ($sql) = @_;
	open my $fh, '>', "$folder/ask.sql" or die "$folder: $!\n";
	print $fh "SET client_min_messages = warning;\nBEGIN;\nCREATE EXTENSION IF NOT EXISTS vmnet_ext;\n",
	  "SELECT vmnet.create_inventory('cloud') \\g /dev/null\n\\i test/include/errors.psql\n",
	  "SELECT vmnet.create_report('cloud'), vmnet.attach_cloudstack('live', 'small') \\g /dev/null\n",
	  "SELECT FROM vmnet.attach_inventory('attached', 'small.ports', 'small.nets') \\g /dev/null\n", $sql, "ROLLBACK;\n";
	close $fh;
	my $answer = qx(psql -X -q -A -t -v ON_ERROR_STOP=1 -f "$folder/ask.sql");
	die "psql failed\n" if $?;
	unlink "$folder/ask.sql";
	return decode_json($answer);
}

my $catalog = ask(<<'END');
SET LOCAL search_path = pg_catalog;
SELECT json_build_object(
	'version', vmnet.version(),
	'functions', (SELECT json_agg(f ORDER BY f.name COLLATE "C", f.arguments COLLATE "C") FROM (
		SELECT p.proname AS name, p.pronamespace::regnamespace AS schema, p.prokind AS kind, pg_get_function_arguments(p.oid) AS arguments,
			pg_get_function_result(p.oid) AS result, format_type(p.prorettype, NULL) AS type, p.proretset AS set,
			obj_description(p.oid, 'pg_proc') AS comment,
			(SELECT json_agg(json_build_object('name', a.name, 'type', format_type(a.type, NULL), 'mode', a.mode) ORDER BY a.ord)
			 FROM unnest(p.proargnames, p.proallargtypes, p.proargmodes) WITH ORDINALITY a (name, type, mode, ord)
			 WHERE a.mode IN ('o', 't')) AS columns
		FROM pg_proc p WHERE p.pronamespace IN ('vmnet'::regnamespace, 'vmnet_internal'::regnamespace)) f),
	'settings', (SELECT json_agg(json_build_object('name', name, 'default', boot_val, 'comment', short_desc) ORDER BY name COLLATE "C")
		FROM pg_settings WHERE name LIKE 'vmnet.%'),
	'relations', (SELECT json_agg(r ORDER BY r.schema COLLATE "C", r.kind, r.name COLLATE "C") FROM (
		SELECT n.nspname AS schema, c.relname AS name, c.relkind AS kind, obj_description(c.oid, 'pg_class') AS comment,
			(SELECT json_agg(json_build_object('name', a.attname, 'type', format_type(a.atttypid, a.atttypmod),
					'key', EXISTS (SELECT FROM pg_constraint k WHERE k.conrelid = c.oid AND k.contype = 'p' AND a.attnum = ANY (k.conkey)),
					'comment', col_description(c.oid, a.attnum)) ORDER BY a.attnum)
			 FROM pg_attribute a WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped) AS columns,
			(SELECT json_agg(json_build_object('column', a.attname, 'refers', t.relname) ORDER BY a.attnum)
			 FROM pg_constraint k JOIN pg_class t ON t.oid = k.confrelid JOIN pg_attribute a ON a.attrelid = k.conrelid AND a.attnum = k.conkey[1]
			 WHERE k.conrelid = c.oid AND k.contype = 'f') AS refers
		FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
		WHERE c.relkind IN ('r', 'v') AND (n.nspname IN ('cloud', 'cloud_report', 'vmnet')
			OR n.nspname IN ('mirror', 'attached', 'live') AND NOT EXISTS (SELECT FROM pg_class o WHERE o.relnamespace = 'cloud'::regnamespace AND o.relname = c.relname))) r),
	'errors', (SELECT json_agg(e ORDER BY e.rule = '', e.rule COLLATE "C", e.state COLLATE "C") FROM (SELECT rule, state, meaning, pg_temp.http_status(state, '') AS http FROM pg_temp.error) e),
	'checks', (SELECT json_agg(c ORDER BY c.ord) FROM vmnet_internal.checks() c),
	'moves', (SELECT json_agg(m) FROM vmnet.nic_state_transitions() m))
;
END

sub save
{
	my ($name, $text) = @_;
	open my $fh, '>:encoding(UTF-8)', "$folder/$name" or die "$folder/$name: $!\n";
	print $fh $text;
	close $fh or die "$folder/$name: $!\n";
	return;
}

# Text for a cell of a table.  The first line of a comment has no period.
sub cell
{
	my ($text) = @_;
	return ($text // '') =~ s/\|/\\|/gr =~ s/\n/. /r =~ s/\n/ /gr;
}

# A comment: its first line stands out, the others are paragraphs.
sub comment
{
	my ($first, @rest) = split /\n/, $_[0] // die "something has no comment\n";
	return join '', "$first.\n", map { "\n$_\n" } @rest;
}

sub columns_table
{
	my ($columns) = @_;
	return join '', "\n| column | type | |\n|---|---|---|\n",
	  map { "| `$_->{name}` | $_->{type} | " . cell($_->{comment}) . " |\n" } @$columns;
}

#
# Examples
#

# Statements for the server, in a database that exists.
sub run_statements
{
	my @statements = @_;
	my ($output, $status) = Pages::output_of('/dev/null', 'psql', '-XAtq', '-v', 'ON_ERROR_STOP=1', map { ('-c', $_) } 'SET client_min_messages = warning', @statements);
	die "@statements\n$output" if $status;
	return split /\n/, $output;
}

# The databases of the examples; each example runs in a copy of one.
my @databases = map { m{(\w+)\.sql$} } sort glob 'doc/examples/setup/*.sql';
my $prefix = 'vmnet_doc_';

sub drop_databases
{
	run_statements(map { "DROP DATABASE IF EXISTS $prefix$_" } @_);
	return;
}

sub make_database
{
	my ($name) = @_;
	my $setup = "doc/examples/setup/$name.sql";
	my $load = $name eq 'mirror' ? "contrib/load-cloudstack-dump test/data/cloudstack-4.19 cloudstack | psql -Xq $prefix$name; " : '';

	run_statements("CREATE DATABASE $prefix$name");
	my ($output, $status) = Pages::run_sh("$load psql -Xq -v ON_ERROR_STOP=1 -d $prefix$name -f $setup");
	die "$setup fails:\n$output" if $status;
	return;
}

sub roles
{
	return run_statements('SELECT rolname FROM pg_roles ORDER BY 1');
}

# What an example prints, in a copy of its database.
sub run_example
{
	my ($file, $database, $sql) = @_;

	run_statements("DROP DATABASE IF EXISTS ${prefix}example", "CREATE DATABASE ${prefix}example TEMPLATE $prefix$database");
	my $output = Pages::run_sql("${prefix}example", $sql);
	die "$file fails:\n$output" if Pages::has_error($output);
	return $output;
}

# The example of a name of schema vmnet, as it stands in the reference.  Its first
# line says in which database it runs, or which test runs it; the output of the
# latter is in a file of its own.
sub example_text
{
	my ($name) = @_;
	my $file = "doc/examples/$name.sql";

	die "vmnet.$name has no example: write $file\n" if !-e $file;
	my ($first, $sql) = Pages::slurp($file) =~ /^([^\n]*)\n(.*)\z/s;
	die "$file does not name vmnet.$name\n" if $sql !~ /\bvmnet\.$name\b/;
	return "Example:\n\n<!-- run by $1 -->\n```sql\n$sql```\n\n```text\n" . Pages::slurp("doc/examples/$name.out") . "```\n\n"
	  if $first =~ /^-- run by (test\/t\/\w+\.pl)$/;
	my ($database) = grep { $first eq "-- database: $_" } @databases;
	die "$file: its first line is not \"-- database: \" and one of @databases\n" if !defined $database;
	return "Example, in a copy of the database [`$database`](#databases-of-the-examples):\n\n```sql\n$sql```\n\n```text\n" . run_example($file, $database, $sql) . "```\n\n";
}

#
# reference.md
#

# What most people need, in this order; the README begins with the same.
my @most_used = qw(create_inventory import_cloudstack network_active_instances instance_active_networks nic_add nic_remove
	network_blockers network_instances_as_of ip_holders check_inventory);

# A function; those of one name have one heading and one example.
sub function_text
{
	my ($f, $before, $after) = @_;
	# the columns of a result have a table of their own
	my $arguments = join ', ', map { s/::[a-z ]+$//r =~ s/^IN //r =~ s/timestamp with time zone/timestamptz/r } grep { !/^(OUT|TABLE) / } split /, /, $f->{arguments};
	my $result = $f->{kind} eq 'p' ? '' : $f->{columns} ? ($f->{set} ? 'rows' : 'a row') : $f->{set} ? "rows of $f->{type}" : $f->{type};
	my $text = ($before && $before->{name} eq $f->{name} ? '' : "### `$f->{name}`\n\n") . "`vmnet.$f->{name}($arguments)`" . ($result ? " → $result" : ', a procedure') . "\n\n" . comment($f->{comment});
	$text .= "\n| column | type |\n|---|---|\n" . join '', map { "| `$_->{name}` | $_->{type} |\n" } @{ $f->{columns} } if $f->{columns};
	return "$text\n" . ($after && $after->{name} eq $f->{name} ? '' : example_text($f->{name}));
}

# What schema vmnet holds is for users.
sub is_part
{
	my ($f) = @_;
	return $f->{schema} eq 'vmnet_internal';
}
my @triggers = grep { $_->{type} eq 'trigger' } @{ $catalog->{functions} };
my @others = grep { $_->{type} ne 'trigger' } @{ $catalog->{functions} };
my @parts = grep { is_part($_) } @others;
my @public = grep { !is_part($_) } @others;

sub relations_text
{
	my ($schema, $kind) = @_;
	return map { "### `$_->{name}`\n\n" . comment($_->{comment}) . columns_table($_->{columns}) . "\n" . ($schema eq 'vmnet' ? example_text($_->{name}) : '') }
	  grep { $_->{schema} eq $schema && $_->{kind} eq $kind } @{ $catalog->{relations} };
}

# A link to a function, by its name.
sub link_to
{
	return "[`$_[0]`](#$_[0])";
}

my %first_line = map { $_->{name} => (split /\n/, $_->{comment})[0] } @public;
$ENV{PGTZ} = 'UTC';
drop_databases(@databases, 'example');
my @missing = grep { !-e } map { "doc/examples/$_->{name}.sql" } @public;
die "write these examples: @missing\n" if @missing;
my %known_role = map { $_ => 1 } roles();
END
{
	if (%known_role)
	{
		my $status = $?;
		drop_databases(@databases, 'example');
		run_statements(map { "DROP ROLE $_" } grep { !$known_role{$_} } roles());
		$? = $status;
	}
}
make_database($_) foreach @databases;

save('reference.md', join '',
	"# Reference\n\n<!-- every block of this page: run by test/t/071_doc.pl -->\n\n",
	"Of vmnet_ext $catalog->{version}. Made by `doc/generate` from the comments in the catalogs and from `doc/examples`; do not edit it.\n\n",
	"## Ten functions that most people need\n\n| function | |\n|---|---|\n",
	(map { '| ' . link_to($_) . ' | ' . cell($first_line{$_} // die "there is no vmnet.$_\n") . " |\n" } @most_used),
	"\nAll functions: ", join(' · ', map { link_to($_) } sort keys %{ { map { $_->{name} => 1 } @public } }), "\n\n",
	"[Functions](#functions) · [Findings](#findings) · [Views of the extension](#views-of-the-extension) · [Views of an inventory](#views-of-an-inventory) · ",
	"[Tables of an inventory](#tables-of-an-inventory) · [Tables of a mirror](#tables-of-a-mirror) · ",
	"[Views of an attached inventory](#views-of-an-attached-inventory) · [Reporting views](#reporting-views) · [Settings](#settings) · [Triggers](#triggers) · [Parts](#parts) · [Databases of the examples](#databases-of-the-examples)\n\n",
	"![Tables](model.svg)\n\n![States of a NIC](states.svg)\n\n",
	"## Functions\n\n",
	"Functions for users are in schema `vmnet`. Schema `vmnet_internal` holds their parts and the trigger functions, which are not to be called directly. ",
	"A function that reads an inventory or changes NICs takes `inventory name DEFAULT NULL` as its last argument: the name of the schema as in `pg_namespace`, neither folded to lower case nor unquoted. ",
	"NULL means the setting `vmnet.inventory` (default `cloud`). A function runs with the privileges of its caller. ",
	"If the caller is a superuser or a member of the owner's role, it runs as the owner of the inventory ([security.md](security.md)). ",
	"Functions that only read also work on a hot standby. They return no row for NULL, an unknown id or a removed network.\n\n",
	(map { function_text($public[$_], $_ > 0 ? $public[ $_ - 1 ] : undef, $public[ $_ + 1 ]) } 0 .. $#public),
	"## Findings\n\nCodes of `vmnet.check_inventory`, in the order of its rows, and whether `vmnet.repair_inventory` mends them.\n\n",
	"| code | severity | meaning | repaired |\n|---|---|---|---|\n",
	(map { "| `$_->{code}` | $_->{severity} | " . cell($_->{about}) . ' | ' . ($_->{repair} ? 'yes' : 'no: ' . cell($_->{refusal})) . " |\n" } @{ $catalog->{checks} }),
	"\n## Views of the extension\n\n", relations_text('vmnet', 'v'),
	"## Views of an inventory\n\n", relations_text('cloud', 'v'),
	"## Tables of an inventory\n\n", relations_text('cloud', 'r'),
	"## Tables of a mirror\n\n", relations_text('mirror', 'r'),
	"## Views of an attached inventory\n\nViews that only attached inventories have. A live inventory has no views of its own.\n\n", relations_text('attached', 'v'),
	"## Reporting views\n\nViews that `create_report` makes, in the schema `<inventory>_report`.\n\n", relations_text('cloud_report', 'v'),
	"## Settings\n\n| setting | default | |\n|---|---|---|\n",
	(map { "| `$_->{name}` | " . ($_->{default} eq '' ? '' : "`$_->{default}`") . ' | ' . cell($_->{comment}) . " |\n" } @{ $catalog->{settings} }),
	"\n## Triggers\n\nTrigger functions of inventories.\n\n| function | |\n|---|---|\n",
	(map { "| `$_->{schema}.$_->{name}()` | " . cell($_->{comment}) . " |\n" } @triggers),
	"\n## Parts\n\nFunctions of schema `vmnet_internal`, which other functions use. Any version can change or drop them.\n\n| function | |\n|---|---|\n",
	(map { "| `$_->{schema}.$_->{name}` | " . cell((split /\n/, $_->{comment})[0]) . " |\n" } @parts),
	"\n## Databases of the examples\n\nEach example runs in a copy of one of these databases. Times are in UTC. The source of the mirror is the sample dump in `test/data/cloudstack-4.19`, loaded with `contrib/load-cloudstack-dump`.\n",
	(map { "\n`$_`:\n\n```sql\n" . Pages::slurp("doc/examples/setup/$_.sql") . "```\n" } @databases));

#
# errors.md
#

save('errors.md', join '',
	"# Errors\n\nMade by `doc/generate` from the list that the tests use; do not edit it. Each error is raised by a test, and the extension raises no others.\n\n",
	"An error has SQLSTATE, constraint name, schema, table, DETAIL (what was found) and HINT (what to do). Test the constraint, not the text, which can change. ",
	"The last column is the HTTP status of a REST gateway such as PostgREST (42501: 401 for a client that has not logged in). ",
	"Where a CHECK constraint or unique index of PostgreSQL and a guard both refuse a row, the error is that of the constraint or index.\n\n",
	"| constraint | SQLSTATE | when, or what it keeps | HTTP |\n|---|---|---|---|\n",
	map {
		'| ' . ($_->{rule} ? "`$_->{rule}`" : '-') . " | $_->{state} | " . cell($_->{meaning}) . " | $_->{http} |\n"
	} @{ $catalog->{errors} });

#
# Pictures
#

sub escape
{
	return $_[0] =~ s/&/&amp;/gr =~ s/</&lt;/gr =~ s/>/&gt;/gr;
}

sub svg
{
	my ($title, $width, $height, @body) = @_;
	return join '', qq(<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 $width $height" width="$width" height="$height" font-family="sans-serif" font-size="12">\n),
	  "<title>" . escape($title) . "</title>\n",
	  qq(<defs><marker id="arrow" viewBox="0 0 10 10" refX="10" refY="5" markerWidth="8" markerHeight="8" orient="auto-start-reverse"><path d="M0 0L10 5L0 10z" fill="#555"/></marker></defs>\n),
	  qq(<rect width="$width" height="$height" fill="#fff"/>\n), (map { "$_\n" } @body), "</svg>\n";
}

sub words
{
	my ($x, $y, $text, $style) = @_;
	return sprintf '<text x="%.0f" y="%.0f" %s>%s</text>', $x, $y, $style // '', escape($text);
}

# Tables: those that others refer to on the left; those that refer in the middle,
# and below them what only a mirror has; those that stand alone on the right.
sub model_svg
{
	my @tables = grep { $_->{kind} eq 'r' && $_->{schema} =~ /^(cloud|mirror)$/ } @{ $catalog->{relations} };
	my %referred = map { $_->{refers} => 1 } map { @{ $_->{refers} // [] } } @tables;
	my @y = (20, 20, 20);
	my (%box, @body, @lines);

	for my $t (@tables)
	{
		my $observed = $t->{name} =~ /^(observers|segments|sighting(s|_history)|observation_log)$/;
		my $place = $t->{name} =~ /^former_/ ? 2 : $t->{name} =~ /^sighting/ ? 0 : $t->{refers} || $t->{schema} eq 'mirror' ? 1 : $referred{ $t->{name} } ? 0 : 2;
		my ($x, $y, $height) = (20 + $place * 330, $y[$place], 30 + 16 * @{ $t->{columns} });
		$y[$place] += $height + 30;
		push @body, qq(<rect x="$x" y="$y" width="250" height="$height" rx="6" fill="#f4f7fb" stroke="#567"/>),
		  words($x + 10, $y + 17, $t->{name}, 'font-weight="bold"');
		push @body, words($x + 240, $y + 17, 'mirrors only', 'text-anchor="end" fill="#678"') if $t->{schema} eq 'mirror';
		push @body, words($x + 240, $y + 17, 'with enable_reality', 'text-anchor="end" fill="#678"') if $observed;
		my $line = $y + 36;
		for my $c (@{ $t->{columns} })
		{
			$box{"$t->{name}.$c->{name}"} = [ $x, $line - 4 ];
			push @body, words($x + 10, $line, $c->{name}, $c->{key} ? 'text-decoration="underline"' : ''),
			  words($x + 240, $line, $c->{type} =~ s/timestamp with time zone/timestamptz/r, 'text-anchor="end" fill="#678"');
			$line += 16;
		}
	}
	for my $t (@tables)
	{
		my @refers = map { [ $_->{column}, $_->{refers}, '' ] } @{ $t->{refers} // [] };
		# secondary addresses go with their NIC, and history outlives it, so
		# neither has a foreign key
		push @refers, map { [ $_->{name}, 'all_' . $_->{name} =~ s/_id$/s/r, ' stroke-dasharray="4 3"' ] }
		  grep { !$t->{refers} && $_->{name} eq 'nic_id' && $box{'all_nics.id'} } @{ $t->{columns} };
		for my $r (@refers)
		{
			my ($from, $to) = ($box{"$t->{name}.$r->[0]"}, $box{"$r->[1].id"});
			my ($x1, $x2) = $from->[0] > $to->[0] ? ($from->[0], $to->[0] + 250) : ($from->[0] + 250, $to->[0]);
			my $middle = ($x1 + $x2) / 2;
			push @lines, qq(<path d="M$x1 $from->[1]C$middle $from->[1] $middle $to->[1] $x2 $to->[1]" fill="none" stroke="#555"$r->[2] marker-end="url(#arrow)"/>);
		}
	}
	my ($height) = sort { $b <=> $a } @y;
	push @lines, words(20, $height + 10, 'underlined: primary key; line: foreign key; dashed: by id, without a foreign key', 'fill="#678"');
	return svg('Tables of an inventory', 950, $height + 30, @body, @lines);
}

# States on an ellipse in the order in which they are reached; those that nothing
# leaves are in the middle.
sub states_svg
{
	my @moves = @{ $catalog->{moves} };
	my %leaves = map { $_->{from_state} => 1 } @moves;
	my (@order, %seen);
	for (my @queue = ($moves[0]{from_state}); defined(my $state = shift @queue);)
	{
		next if $seen{$state}++;
		push @order, $state;
		push @queue, map { $_->{to_state} } grep { $_->{from_state} eq $state && $_->{strategy} eq 'Start' && $leaves{ $_->{to_state} } } @moves;
	}
	my ($x0, $y0, $n, $i, %at) = (460, 300, scalar @order, 0);
	for (@order)
	{
		my $angle = 3.14159265 - 2 * 3.14159265 * $i++ / $n;
		$at{$_} = [ $x0 + 340 * cos $angle, $y0 - 230 * sin $angle ];
	}
	$at{$_} //= [ $x0, $y0 ] for map { $_->{to_state} } @moves;

	# one arrow for all moves between two states
	my (%events, @body);
	push @{ $events{"$_->{from_state}|$_->{to_state}"}{ $_->{event} } }, $_->{strategy} for @moves;
	my %strategies = map { $_->{strategy} => 1 } @moves;
	for my $pair (sort keys %events)
	{
		my ($from, $to) = map { $at{$_} } split /\|/, $pair;
		my ($dx, $dy) = ($to->[0] - $from->[0], $to->[1] - $from->[1]);
		my $length = sqrt($dx * $dx + $dy * $dy);
		my ($ux, $uy) = ($dx / $length, $dy / $length);
		my $final = !$leaves{ (split /\|/, $pair)[1] };
		# to the left of the way there, so that the way back is elsewhere
		my ($mx, $my) = (($from->[0] + $to->[0]) / 2, ($from->[1] + $to->[1]) / 2);
		my $across = abs($mx - $x0) + abs($my - $y0) < 1;
		my $inwards = ($x0 - $mx) * $uy - ($y0 - $my) * $ux > 0;
		my $bend = $final ? 0 : $across ? 150 : $inwards ? 28 : 46;
		($mx, $my) = ($mx + $uy * $bend, $my - $ux * $bend);
		my @end = map {
			my ($p, $q) = @$_;
			my ($ex, $ey) = ($mx - $p->[0], $my - $p->[1]);
			my $r = 1 / sqrt(($ex / 62) ** 2 + ($ey / 26) ** 2);
			[ $p->[0] + $ex * $r, $p->[1] + $ey * $r ]
		} [$from], [$to];
		push @body, sprintf '<path d="M%.0f %.0fQ%.0f %.0f %.0f %.0f" fill="none" stroke="%s" marker-end="url(#arrow)"/>',
		  @{ $end[0] }, $mx, $my, @{ $end[1] }, $final ? '#b55' : '#555';

		my @labels = map {
			my @s = @{ $events{$pair}{$_} };
			@s == keys %strategies || @s == 1 && $s[0] eq 'Start' ? $_ : ("$_:", join ', ', @s)
		} sort keys %{ $events{$pair} };
		# where on the curve: away from the labels of others
		my $at = $final ? (abs $dx > abs $dy ? 0.5 : 0.35) : $across ? 0.66 : $inwards ? 0.45 : 0.5;
		my ($lx, $ly) = map { (1 - $at) ** 2 * $from->[$_] + 2 * $at * (1 - $at) * ($mx, $my)[$_] + $at ** 2 * $to->[$_] } 0, 1;
		$ly -= 7 * $#labels;
		# beside it, on the side that it bends to, or below a wide bend; on a line
		$ly += $my < $y0 ? 20 : -20 if $across;
		my $side = $final || $across ? 0 : ($lx < $x0 xor $inwards) ? -1 : 1;
		$lx += 6 * $side;
		my $anchor = $side ? $side < 0 ? 'end' : 'start' : 'middle';
		for my $label (@labels)
		{
			push @body, words($lx, $ly + 4, $label, qq(text-anchor="$anchor" stroke="#fff" stroke-width="4" paint-order="stroke" fill="#333"));
			$ly += 14;
		}
	}
	for my $state (sort keys %at)
	{
		my ($x, $y) = @{ $at{$state} };
		push @body, sprintf('<ellipse cx="%.0f" cy="%.0f" rx="62" ry="26" fill="%s" stroke="#567"/>', $x, $y, $leaves{$state} ? '#eef5ea' : '#fbeaea'),
		  words($x, $y + 4, $state, 'text-anchor="middle" font-weight="bold"');
	}
	push @body, words(20, 590, 'An event without a strategy: of Start, or of every strategy where it leads to the middle.', 'fill="#678"');
	return svg('States of a NIC', 920, 600, @body);
}

save('model.svg', model_svg());
save('states.svg', states_svg());
