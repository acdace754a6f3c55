# test/lint/headers finds each fault that it is for, and no fault in code that has
# none.
use strict;
use warnings FATAL => 'all';

use File::Path qw(make_path);
use File::Temp qw(tempdir);
use Test::More;

my $top = tempdir(CLEANUP => 1);

# What the lint prints about one file.
sub findings
{
	my ($file, $text) = @_;
	my ($folder) = $file =~ m{(.*)/};

	make_path("$top/src", "$top/sql", "$top/$folder");
	open(my $fh, '>', "$top/$file") or die "$file: $!";
	print $fh $text;
	close $fh;
	my $printed = `perl test/lint/headers $top 2>&1`;
	my $status = $? >> 8;
	unlink "$top/$file" or die "$file: $!";
	is($status, $printed eq '' ? 0 : 1, '  its exit status says whether it found anything');
	return $printed;
}

my $lines = sub { join '', map { "\tx++;\n" } 1 .. $_[0] };
my $start = "/*\n * a.c\n *\t\tA file.\n */\n#include \"postgres.h\"\n\n";
my $comment = "/*\n * Counts, e.g. rows, as\n * far as they go, e.g. to 1.5.  Then they\n * are added.\n */\n";
my $function = "int\ncount_it(int x)\n{\n\treturn x;\n}\n";
my $static = sub { "static int\ncount_it(int x)\n{\n" . $lines->($_[0]) . "}\n" };

for my $case (
	[ 'a function with a comment', 'src/a.c', $start . $comment . $function, '' ],
	[ 'a comment of one line', 'src/a.c', "$start/* Counts. */\n$function", '' ],
	[ 'a function without a comment', 'src/nic/a.c', $start . $function, "src/nic/a.c:7: function count_it() has no header comment\n" ],
	[ 'a comment that another function is above', 'src/a.c', "$start$comment$function\n" . $function =~ s/count_it/other/r,
		"src/a.c:18: function other() has no header comment\n" ],
	[ 'a short static function', 'src/a.c', $start . $static->(11), '' ],
	[ 'a longer static one', 'src/a.c', $start . $static->(12), "src/a.c:7: function count_it() has no header comment\n" ],
	[ 'a long one', 'src/a.c', $start . $comment . $static->(57), "src/a.c:12: function count_it() has 61 lines, at most 60 are allowed\n" ],
	[ 'one as long as allowed', 'src/a.c', $start . $comment . $static->(56), '' ],
	[ 'a question', 'src/a.c', "$start/* Is it there? */\n$function",
		"src/a.c:8: the first sentence of the comment of count_it() is a question\n" ],
	[ 'a small letter', 'src/a.c', "$start/* counts. */\n$function",
		"src/a.c:8: the first sentence of the comment of count_it() does not begin with a capital letter\n" ],
	[ 'no period', 'src/a.c', "$start/* Counts */\n$function",
		"src/a.c:8: the first sentence of the comment of count_it() does not end with a period\n" ],
	[ 'a signature in the place of a statement', 'src/a.c', "$start/*\n * Count(x): Counts.\n */\n$function",
		"src/a.c:10: the first sentence of the comment of count_it() does not end with a period\n" ],
	[ 'a wide line', 'src/a.h', "/*\n *\t" . 'x' x 96 . "\n *\t" . 'x' x 97 . "\n */\n", "src/a.h:3: 101 columns, at most 100 are allowed\n" ],
	[ 'another first include', 'src/a.c', "#include <stdio.h>\n#include \"postgres.h\"\n", "src/a.c:1: postgres.h is not the first include\n" ],
	[ 'a version', 'src/a.c', "$start#if PG_VERSION_NUM >= 160000\n#endif\n", "src/a.c:7: PG_VERSION_NUM outside of src/compat.h\n" ],
	[ 'a version in compat.h', 'src/compat.h', "#if PG_VERSION_NUM >= 160000\n#endif\n", '' ],
	[ 'a function of SQL', 'src/a.c', "$start${comment}PG_FUNCTION_INFO_V1(f);\n\nDatum\nf(PG_FUNCTION_ARGS)\n{\n}\n", '' ],
	[ 'a macro far from its function', 'src/a.c', "${start}PG_FUNCTION_INFO_V1(f);\n\n$comment\nDatum\nf(PG_FUNCTION_ARGS)\n{\n}\n",
		"src/a.c:7: PG_FUNCTION_INFO_V1(f) is not directly above its function\n" ],
	[ 'a function in SQL', 'sql/a/b.sql', "CREATE FUNCTION a.f()\nAS \$\$\n" . "SELECT 1;\n" x 77 . "\$\$;\n", '' ],
	[ 'a long one in SQL', 'sql/a/b.sql', "CREATE FUNCTION a.f()\nAS \$\$\n" . "SELECT 1;\n" x 78 . "\$\$;\n",
		"sql/a/b.sql:1: function a.f() has 81 lines, at most 80 are allowed\n" ],
	[ 'a long one that begins atomically', 'sql/b.sql', "CREATE FUNCTION a.f()\nBEGIN ATOMIC\n" . "SELECT 1;\n" x 78 . "END;\n",
		"sql/b.sql:1: function a.f() has 81 lines, at most 80 are allowed\n" ],
	[ 'a table of data', 'sql/a/b.sql', "-- table of data\nCREATE FUNCTION a.f()\nAS \$\$\n" . "SELECT 1;\n" x 78 . "\$\$;\n", '' ],
	[ 'a wide line of SQL', 'sql/a/b.sql', '-- ' . 'x' x 138 . "\n", "sql/a/b.sql:1: 141 columns, at most 140 are allowed\n" ],
	[ 'the install script', 'sql/vmnet_ext--1.0.sql', '-- ' . 'x' x 138 . "\n", '' ])
{
	my ($title, $file, $text, $expected) = @$case;

	is(findings($file, $text), $expected, $title);
}
done_testing();
