#!/bin/sh
# make soak: tests that wait, poll or take several clients, again and again beside busy
# processes, and the whole suite several times, once beside them.
#
#   SOAK_TIMES=20   runs of each test that waits, beside the busy processes
#   SOAK_BUSY=30    busy processes
#   SOAK_SUITE=5    runs of the whole suite; the first one is beside the busy processes
#   SOAK_TESTS=...  only these files of test/t, in place of those that wait
. "$(dirname "$0")/lib.sh"

: "${SOAK_TIMES:=20}" "${SOAK_BUSY:=30}" "${SOAK_SUITE:=5}"
busy=

stop_busy()
{
	[ -z "$busy" ] || kill $busy 2>/dev/null || :
	busy=
}

start_busy()
{
	n=0
	while [ $n -lt "$SOAK_BUSY" ]; do
		sh -c 'while :; do :; done' &
		busy="$busy $!"
		n=$((n + 1))
	done
}

# Runs one test, and keeps the output of a run that fails.
soak()
{
	name=$1
	shift
	good=0 bad=0 time=0
	while [ $time -lt "$SOAK_TIMES" ]; do
		time=$((time + 1))
		if as_user "$@" >"$work/run.log" 2>&1; then
			good=$((good + 1))
		else
			bad=$((bad + 1))
			say "  run $time of $name:"
			grep -A 12 -E '^(not ok|# +Failed test)' "$work/run.log" | head -n 60 || :
		fi
	done
	say "$name: $good of $SOAK_TIMES"
	passed=$((passed + good))
	failed=$((failed + bad))
}

prepare_all_tests
copy_installation
build_extension
start_server "-c max_prepared_transactions=10"
cd "$work/src"
mk="make -s with_llvm=no PG_CONFIG=$PG_CONFIG"

soak_some=${SOAK_TESTS:-}
: "${SOAK_TESTS:=$(grep -lE 'sleep|poll_query_until|wait_for|IPC::Run::start' test/t/*.pl)}"
say "$SOAK_TIMES runs of each test that waits, beside $SOAK_BUSY busy processes"
start_busy
for file in $SOAK_TESTS; do
	soak "$(basename "$file")" $mk installcheck REGRESS= ISOLATION= PROVE_TESTS="$file"
done
if [ -z "${soak_some:-}" ]; then
	for spec in $(named_tests specs); do
		soak "$spec" $mk installcheck REGRESS= TAP_TESTS= ISOLATION="$spec"
	done
fi

turn=0
while [ $turn -lt "$SOAK_SUITE" ]; do
	turn=$((turn + 1))
	say "the whole suite, run $turn of $SOAK_SUITE"
	psql -q -X -d postgres -c 'DROP DATABASE IF EXISTS tap'
	run_tests regress isolation pgtap
	run "TAP" '^ok [0-9]' '^not ok [0-9]|Dubious' $mk installcheck REGRESS= ISOLATION= PROVE_FLAGS=-v
	stop_busy
done
say "$passed passed, $failed failed"
[ "$failed" -eq 0 ]
