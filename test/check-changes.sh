#!/bin/sh
# make check-changes: a change of each usual kind touches few files, and a test
# names the file that it forgets.
#
# Each patch in test/changes is such a change.  Its first line says what it adds;
# a line "Tests: regress=a,b t=c" names tests that decide.  The patch is applied
# to a copy of the tree, doc/generate is run, and the tests pass.  Then it is applied
# without one of the files that were changed by hand, for each of them, with what
# doc/generate has written for the whole: a test fails, and its message names that
# file.  Changed by hand are all but tests, their expected output and the files that
# doc/generate writes.
#
#   CHANGES='01 07'   only these patches
#   FULL=1            every regression and isolation test for each whole patch
#
# Outputs of other tests that list what an inventory or the extension has are not part
# of a patch, since every other change would break it.  A line "Lists: a,b" names these
# tests: with FULL, no other test may fail.
. "$(dirname "$0")/lib.sh"

most_files=3

find_postgres git postgresql-15-pgtap libipc-run-perl libtap-parser-sourcehandler-pgtap-perl
make_work_folder
copy_installation
as_user mkdir "$work/tree"
# what the build needs to find, and the tests to read
(cd "$top" && tar cf - --exclude=.git --exclude='*.o' --exclude='*.so' --exclude='*.bc' \
	--exclude='sql/vmnet_ext--*.sql' --exclude=results --exclude=tmp_check .) | as_user tar xf - -C "$work/tree"
# built once: a patch builds what it changes
(cd "$work/tree" && as_user make -s with_llvm=no PG_CONFIG="$PG_CONFIG" WERROR=1 all) >"$work/build.log" 2>&1 ||
	{ cat "$work/build.log" >&2; fail "the build failed"; }

# The files of a patch that are changed by hand.
hand_files()
{
	sed -n 's,^+++ b/\([^	]*\).*,\1,p' "$1" |
		grep -vE '^(test/|expected/|doc/(reference|errors)\.md$|doc/[a-z]*\.svg$)'
}

# Runs every regression and isolation test, and checks that those that fail are named in
# the line "Lists:" of a patch.
run_all_tests()
{
	cd "$work/src"
	as_user make -s with_llvm=no PG_CONFIG="$PG_CONFIG" installcheck ISOLATION= TAP_TESTS= >"$work/run.log" 2>&1 || :
	as_user make -s with_llvm=no PG_CONFIG="$PG_CONFIG" installcheck REGRESS= TAP_TESTS= >>"$work/run.log" 2>&1 || :
	cd "$top"
	grep -qE "$regress_ok" "$work/run.log" || return 1
	lists=$(sed -n 's/^Lists: //p' "$1" | tr ',' '|')
	! grep -E "$regress_bad" "$work/run.log" | grep -vE "(^| )(${lists:-none}) "
}

# The tests that a patch names, of one kind.
tests_of()
{
	sed -n 's/^Tests: //p' "$1" | tr ' ' '\n' | sed -n "s/^$2=//p" | tr ',' ' '
}

# Makes a fresh tree with a patch, less the file that is named, and installs it.
# Context that others have changed since does not matter.
make_tree()
{
	rm -rf "$work/src"
	as_user cp -rp "$work/tree" "$work/src"
	as_user cp "$1" "$work/change.patch"
	(cd "$work/src" && as_user git apply -C1 --whitespace=nowarn ${2:+"--exclude=$2"} "$work/change.patch" &&
		as_user make -s with_llvm=no PG_CONFIG="$PG_CONFIG" WERROR=1 all install) >"$work/run.log" 2>&1
}

# Runs doc/generate in the tree of a whole patch, and keeps what it writes.
generate()
{
	rm -rf "$work/doc"
	as_user mkdir "$work/doc"
	(cd "$work/src" && as_user env PGDATABASE=postgres perl doc/generate.pl "$work/doc") >>"$work/run.log" 2>&1 &&
		as_user cp "$work"/doc/* "$work/src/doc/"
}

# Runs the tests that a patch names; what they print is in run.log.
run_change_tests()
{
	regress=$(tests_of "$1" regress)
	perl=$(tests_of "$1" t)
	result=0
	cd "$work/src"
	if [ -n "$regress" ]; then
		as_user make -s with_llvm=no PG_CONFIG="$PG_CONFIG" installcheck ISOLATION= TAP_TESTS= REGRESS="$regress" >>"$work/run.log" 2>&1 || result=1
		if [ -f regression.diffs ]; then cat regression.diffs >>"$work/run.log"; fi
	fi
	for test in $perl; do
		as_user make -s with_llvm=no PG_CONFIG="$PG_CONFIG" installcheck REGRESS= ISOLATION= \
			PROVE_TESTS="test/t/$test.pl" >>"$work/run.log" 2>&1 || result=1
	done
	cd "$top"
	return $result
}

# Whether a test that fails names a file: in its name, or in what it says of the
# failure.  In the differences of pg_regress, these lines begin with a plus sign.
names_file()
{
	grep -E '^(\+|not ok|#)' "$work/run.log" | grep -qF "$1"
}

judge()
{
	if [ "$1" -eq 0 ]; then
		passed=$((passed + 1))
		say "  ok: $2"
	else
		failed=$((failed + 1))
		say "  not ok: $2"
		tail -n 40 "$work/run.log"
	fi
}

start_server "-c max_prepared_transactions=10"
changes=0
for patch in "$top"/test/changes/*.patch; do
	number=$(basename "$patch" | cut -c 1-2)
	case " ${CHANGES:-$number} " in *" $number "*) ;; *) continue ;; esac
	changes=$((changes + 1))
	say "$(basename "$patch" .patch): $(head -n 1 "$patch")"
	: >"$work/run.log"

	count=$(hand_files "$patch" | wc -l)
	[ "$count" -ge 1 ] && [ "$count" -le $most_files ] && status=0 || status=1
	judge $status "it changes $count files by hand: $(echo $(hand_files "$patch"))"

	status=0
	make_tree "$patch" && generate && run_change_tests "$patch" || status=1
	judge $status "applied whole, its tests pass"
	if [ -n "${FULL:-}" ]; then
		status=0
		run_all_tests "$patch" || status=1
		judge $status "only tests that list what there is fail besides"
	fi

	for file in $(hand_files "$patch"); do
		status=0
		if ! make_tree "$patch" "$file"; then
			status=1
		else
			as_user cp "$work"/doc/* "$work/src/doc/"
			if run_change_tests "$patch" || ! names_file "$file"; then status=1; fi
		fi
		judge $status "without $file a test fails that names it"
	done
done

say "$changes changes: $passed passed, $failed failed"
[ "$failed" -eq 0 ] && [ "$changes" -gt 0 ]
