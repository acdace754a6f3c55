# The blocks of README.md, CONTRIBUTING.md and doc/*.md, and what runs them.
#
# A page is run as one sequence, in the order of the page.  The sentence
# "The examples of this page use the database `NAME`" says in which database the
# SQL blocks below it run.  A text block below an SQL or shell block holds its
# output.  A comment above a block changes how it is run:
#
#   <!-- run by test/t/NAME.pl -->  it needs another server; that test runs it
#   <!-- not run: REASON -->        it is only parsed; test/t/020_pages.pl lists these
#   <!-- exit status: N -->         a shell block that does not end with 0
#   <!-- every block of this page: run by test/t/NAME.pl -->
#
# Needs nothing but perl and psql, since doc/generate.pl uses it, too.
package Pages;

use strict;
use warnings FATAL => 'all';

# The pages, as paths from the top of the tree.
sub pages
{
	return grep { -e $_ } 'README.md', 'CONTRIBUTING.md', sort glob 'doc/*.md';
}

sub slurp
{
	my ($file) = @_;
	open my $fh, '<', $file or die "$file: $!\n";
	local $/;
	my $text = <$fh>;
	close $fh;
	return $text;
}

# The blocks of a page, in order: hashes with file, line, database, kind, text,
# and where they are said, expected (output), run_by, not_run, status.
sub blocks
{
	my ($file) = @_;
	my ($database, $block, $every, %said, @blocks);
	my $number = 0;

	foreach my $line (split /(?<=\n)/, slurp($file))
	{
		$number++;
		if (!defined $block)
		{
			$database = $1 if $line =~ /^The examples (?:of this page|below) use the database `(\w+)`/;
			%said = (%said, run_by => $1) if $line =~ /^<!-- run by (test\/t\/\w+\.pl) -->$/;
			%said = (%said, not_run => $1) if $line =~ /^<!-- not run: (.+) -->$/;
			%said = (%said, status => $1) if $line =~ /^<!-- exit status: (\d+) -->$/;
			$block = { file => $file, line => $number, kind => $1, text => '', database => $database } if $line =~ /^```(\w*)$/;
			$every = $1 if $line =~ /^<!-- every block of this page: run by (test\/t\/\w+\.pl) -->$/;
			die "$file:$number: a block that begins in no known way\n" if !defined $block && $line =~ /^\s*```/;
		}
		elsif ($line =~ /^```$/)
		{
			if ($block->{kind} eq 'text')
			{
				die "$file:$block->{line}: output of no block\n" if !@blocks || defined $blocks[-1]{expected};
				$blocks[-1]{expected} = $block->{text};
			}
			elsif ($block->{kind} =~ /^(?:sql|sh|conf|json|c)$/)
			{
				push @blocks, { %$block, defined $every ? (run_by => $every) : (), %said };
				%said = ();
			}
			elsif ($block->{kind} ne '')
			{
				die "$file:$block->{line}: a block of an unknown kind, \"$block->{kind}\"\n";
			}
			undef $block;
		}
		else
		{
			$block->{text} .= $line;
		}
	}
	die "$file:$block->{line}: a block without an end\n" if defined $block;
	return @blocks;
}

# The blocks that a test other than that of the pages runs.
sub blocks_run_by
{
	my ($test) = @_;
	return grep { ($_->{run_by} // '') eq $test } map { blocks($_) } pages();
}

# Statements of an SQL block: one ends with a line that ends with a semicolon,
# outside the body of a function.  A comment may follow it.
sub statements
{
	my ($sql) = @_;
	my ($inside, @statements) = (0, '');

	foreach my $line (split /(?<=\n)/, $sql)
	{
		$statements[-1] .= $line;
		$inside ^= 1 & (() = $line =~ /\$\$/g);
		push @statements, '' if !$inside && $line =~ /;\s*(?:--.*)?$/;
	}
	return grep { /\S/ } @statements;
}

# Runs a program with a file as its input; returns what it prints, errors where
# they come, and its exit status.
sub output_of
{
	my ($input, @command) = @_;

	my $pid = open(my $fh, '-|') // die "fork: $!\n";
	if (!$pid)
	{
		open STDIN, '<', $input or die "$input: $!\n";
		open STDERR, '>&', \*STDOUT or die "stderr: $!\n";
		exec @command or die "$command[0]: $!\n";
	}
	my $output = do { local $/; <$fh> };
	close $fh;
	return ($output // '', $? >> 8);
}

# What psql prints for an SQL block, each statement sent by itself and all of them
# in one session; notices are not shown.  The server is that of the environment.
sub run_sql
{
	my ($database, $sql) = @_;
	my ($output) = output_of('/dev/null',
		'psql', '-X', '-v', 'SHOW_CONTEXT=never', '-d', $database,
		'-c', 'SET client_min_messages = warning',
		map { ('-c', $_) } statements($sql));

	$output =~ s/^SET\n//;
	# A DETAIL that pages leave out, as it holds a uuid.
	$output =~ s/^DETAIL:  (?:Failing row|NIC \d+ \(uuid ).*\n//mg;
	return $output;
}

# Whether a program says in its output that something failed.
sub has_error
{
	return $_[0] =~ /^(?:psql:.*)?(?:ERROR|FATAL|PANIC|error): /m;
}

# What a shell prints for a block, and its exit status: that of the first command
# that fails.
sub run_sh
{
	my ($text) = @_;
	local %ENV = (%ENV, PSQLRC => '/dev/null', PGOPTIONS => '-c client_min_messages=warning');
	return output_of('/dev/null', 'bash', '-e', '-o', 'pipefail', '-c', $text);
}

# Headings of a page as the anchors that they get.
sub anchors
{
	my ($file) = @_;
	my (%count, @anchors);

	foreach my $heading (slurp($file) =~ /^#+ (.*)$/mg)
	{
		my $anchor = lc $heading =~ s/[^\w\- ]//gr =~ s/ /-/gr;
		push @anchors, $count{$anchor}++ ? "$anchor-" . ($count{$anchor} - 1) : $anchor;
	}
	return @anchors;
}

# Links of a page to others and to itself, as [target, anchor]; not those to the web.
sub links
{
	my ($file) = @_;
	my ($folder) = $file =~ m{^(.*/)?};
	my $text = slurp($file) =~ s/^```.*?^```$//msgr;
	my @links;

	foreach my $link ($text =~ /\]\(([^)\s]+)\)/g)
	{
		next if $link =~ /^[a-z]+:/;
		my ($target, $anchor) = split /#/, $link, 2;
		my $path = $target eq '' ? $file : ($folder // '') . $target;
		1 while $path =~ s{[^/]+/\.\./}{};
		push @links, [ $path, $anchor ];
	}
	return @links;
}

1;
