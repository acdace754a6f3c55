#!/bin/sh
# make bench: the cost of reads and guards, as ratios of times measured alternately in
# one run.  Only CPU time of the backend; there is no pass or fail.
#
#   BENCH_FULL=1         1.5 million live NICs and more rounds, up to 25 minutes;
#                        without it a tenth of that
#   BENCH_IR=1 or 0      count instructions too (installs valgrind), or not;
#                        by default if valgrind is installed
#   BENCH_CASES=regex    only the cases whose names match
#   BENCH_ROWS=n         live NICs to read, and as many removed ones
#   BENCH_WRITE_ROWS=n   live NICs of the inventories that are written to
#   BENCH_ROUNDS=n       turns that every variant of a case gets
#   BENCH_MS=n           milliseconds of CPU that a turn takes
. "$(dirname "$0")/lib.sh"

if [ -n "${BENCH_FULL:-}" ]; then
	: "${BENCH_ROWS:=1500000}" "${BENCH_WRITE_ROWS:=300000}" "${BENCH_ROUNDS:=21}" "${BENCH_MS:=50}"
	say "full mode: $BENCH_ROWS live NICs, $BENCH_ROUNDS rounds"
else
	: "${BENCH_ROWS:=150000}" "${BENCH_WRITE_ROWS:=60000}" "${BENCH_ROUNDS:=7}" "${BENCH_MS:=15}"
	say "quick mode: $BENCH_ROWS live NICs, $BENCH_ROUNDS rounds; BENCH_FULL=1 measures on ten times as many"
fi
[ "$BENCH_ROWS" -ge 100000 ] && [ "$BENCH_WRITE_ROWS" -ge 40000 ] ||
	fail "BENCH_ROWS must be 100000 or more, BENCH_WRITE_ROWS 40000 or more"
export BENCH_ROWS BENCH_WRITE_ROWS BENCH_ROUNDS BENCH_MS

find_postgres
need_packages libdbd-pg-perl
if [ -z "${BENCH_IR:-}" ]; then
	BENCH_IR=0
	if command -v valgrind >/dev/null; then BENCH_IR=1; fi
elif [ "$BENCH_IR" != 0 ]; then
	command -v valgrind >/dev/null || need_packages valgrind
fi

# A quarter of the memory, four gigabytes at most.
buffers=$(awk '$1 == "MemTotal:" { m = int($2 / 4096); print (m > 4096 ? 4096 : m) "MB" }' /proc/meminfo)
settings="-c shared_buffers=$buffers -c autovacuum=off -c synchronous_commit=off -c full_page_writes=off
	-c wal_level=minimal -c max_wal_senders=0 -c max_wal_size=16GB -c checkpoint_timeout=1h
	-c jit=off -c max_parallel_workers_per_gather=0"

make_work_folder
copy_installation
build_extension
start_server $settings
createdb bench
PGDATABASE=bench BENCH_WORK=$work/bench
export PGDATABASE BENCH_WORK
as_user mkdir -p "$BENCH_WORK/ir"

say "making the data"
psql -X -q -v live="$BENCH_ROWS" -v write_live="$BENCH_WRITE_ROWS" -f "$top/test/bench/data.sql" >/dev/null
bench() { perl "$top/test/bench/bench.pl" "$1"; }
bench check
say "measuring CPU time"
bench cpu

if [ "$BENCH_IR" != 0 ]; then
	say "counting instructions"
	bench ir
	as_user "$bindir/pg_ctl" -D "$work/data" -m fast -w -s stop
	server_started=
	# pg_sleep() marks where one count ends and the next one begins.
	as_user valgrind -q --tool=callgrind --dump-before=pg_sleep \
		--callgrind-out-file="$BENCH_WORK/ir/cg.out" \
		"$bindir/postgres" --single -D "$work/data" -c fsync=off $settings bench \
		<"$BENCH_WORK/ir.sql" >"$BENCH_WORK/ir.log" 2>&1 || { cat "$BENCH_WORK/ir.log" >&2; fail "callgrind failed"; }
	if grep -A 2 -E 'ERROR:|FATAL:' "$BENCH_WORK/ir.log" >&2; then fail "a statement failed"; fi
fi

say ""
say "$("$PG_CONFIG" --version), $(uname -m)"
bench table
say ""
say "CPU: median of the paired ratios to the first line of each block, and their quartiles.  Instructions are the"
say "same in every run; CPU ratios within 0.10 of 1.00 are ties.  Prepared statements over a unix socket, everything"
say "cached; fsync, synchronous_commit and jit are off.  Targets are for information."
