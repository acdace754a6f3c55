#!/bin/sh
# make bench: what reads, writes, reports, checks and imports cost, beside what others
# take for the same in the same run.  Writes doc/benchmarks.md; nothing passes or fails
# by a time.
#
#   BENCH_SIZE=toy        seconds to measure on 20,000 NICs, for tests of this bench
#   BENCH_FULL=1          1.5 million live NICs; 0, 1.5 and 15 million removed ones; hours
#   BENCH_BEFORE=what     what is compared as "before": a revision of git, or a folder with
#                         a tree; empty for none
#   BENCH_CASES=regex     only the cases whose names match; then give BENCH_OUT, too
#   BENCH_OUT=file        writes this file instead of doc/benchmarks.md
#   BENCH_ROUNDS=n        turns that every variant of a case gets
#   BENCH_MS=n            milliseconds of CPU that a turn takes
. "$(dirname "$0")/lib.sh"

if [ -n "${BENCH_FULL:-}" ]; then
	: "${BENCH_ROWS:=1500000}" "${BENCH_WRITE_ROWS:=300000}" "${BENCH_ROUNDS:=15}" "${BENCH_MS:=30}" "${BENCH_IMPORT_ROUNDS:=3}"
	BENCH_SETS="0 1 10"
elif [ "${BENCH_SIZE:-}" = toy ]; then
	: "${BENCH_ROWS:=20000}" "${BENCH_WRITE_ROWS:=20000}" "${BENCH_ROUNDS:=1}" "${BENCH_MS:=1}" "${BENCH_IMPORT_ROUNDS:=1}"
	BENCH_SETS="0 1"
else
	: "${BENCH_ROWS:=300000}" "${BENCH_WRITE_ROWS:=60000}" "${BENCH_ROUNDS:=9}" "${BENCH_MS:=15}" "${BENCH_IMPORT_ROUNDS:=3}"
	BENCH_SETS="0 1"
fi
# the parent of the first change that was made for speed
: "${BENCH_BEFORE=2b6c892}" "${BENCH_OUT:=$top/doc/benchmarks.md}"
[ "$BENCH_ROWS" -ge 20000 ] && [ "$BENCH_WRITE_ROWS" -ge 20000 ] || fail "BENCH_ROWS and BENCH_WRITE_ROWS must be 20000 or more"
case $BENCH_OUT in /*) ;; *) BENCH_OUT=$PWD/$BENCH_OUT ;; esac
BENCH_LOAD=$(cat /proc/loadavg)
export BENCH_ROWS BENCH_WRITE_ROWS BENCH_ROUNDS BENCH_MS BENCH_IMPORT_ROUNDS BENCH_SETS BENCH_LOAD

find_postgres
need_packages libdbd-pg-perl libdbd-mariadb-perl valgrind mariadb-server-core mariadb-client-core \
	postgresql-15-mysql-fdw postgresql-15-periods

# An eighth of the memory for each server, four gigabytes at most.
buffers=$(awk '$1 == "MemTotal:" { m = int($2 / 8192); print (m > 4096 ? 4096 : m) }' /proc/meminfo)
settings="-c shared_buffers=${buffers}MB -c autovacuum=off -c synchronous_commit=off -c full_page_writes=off
	-c wal_level=minimal -c max_wal_senders=0 -c max_wal_size=16GB -c checkpoint_timeout=1h
	-c jit=off -c max_parallel_workers_per_gather=0"
settings=$(echo $settings)
# not for the single-user backends
statistics="-c shared_preload_libraries=pg_stat_statements -c pg_stat_statements.track=none"

# Builds what is "before" into a second installation, and starts its server.
start_before()
{
	as_user mkdir "$work/before" "$work/before/src"
	if [ -d "$BENCH_BEFORE" ]; then
		BENCH_BEFORE_NAME="the tree of a folder"
		(cd "$BENCH_BEFORE" && tar cf - --exclude=.git --exclude='*.o' --exclude='*.so' --exclude='*.bc' \
			--exclude='sql/vmnet_ext--*.sql' .) | as_user tar xf - -C "$work/before/src"
	else
		BENCH_BEFORE_NAME=$(git -C "$top" log -1 --format='revision %h of %cs' "$BENCH_BEFORE") ||
			fail "there is no revision $BENCH_BEFORE here: set BENCH_BEFORE"
		git -C "$top" archive "$BENCH_BEFORE" | as_user tar xf - -C "$work/before/src"
	fi
	as_user cp -r "$work/pg" "$work/before/pg"
	as_user find "$work/before/pg" -name 'vmnet_ext*' -exec rm -rf {} +
	before_bindir=$work/before${bindir#"$work"}
	(cd "$work/before/src" && as_user make -s with_llvm=no PG_CONFIG="$before_bindir/pg_config" all install) \
		>"$work/build.log" 2>&1 || { cat "$work/build.log" >&2; fail "the build of $BENCH_BEFORE failed"; }
	as_user "$before_bindir/initdb" -D "$work/before/data" -U postgres -A trust -N -E UTF8 --locale=C.UTF-8 >"$work/initdb.log" 2>&1 ||
		{ cat "$work/initdb.log" >&2; fail "initdb failed"; }
	as_user "$before_bindir/pg_ctl" -D "$work/before/data" -l "$work/before.log" -w -s \
		-o "-c listen_addresses= -c unix_socket_directories='$work/before' -c fsync=off $settings $statistics" start ||
		{ cat "$work/before.log" >&2; fail "the server of $BENCH_BEFORE did not start"; }
	before_started=yes
	BENCH_BEFORE_HOST=$work/before
	export BENCH_BEFORE_HOST BENCH_BEFORE_NAME
}

stop_before()
{
	[ -n "$before_started" ] || return 0
	as_user "$before_bindir/pg_ctl" -D "$work/before/data" -m fast -w -s stop || :
	before_started=
}

# Counts instructions of what bench.pl has written for an installation.
count_instructions()
(
	# pg_sleep() marks where one count ends and the next one begins.
	as_user valgrind -q --tool=callgrind --collect-atstart=no --toggle-collect=ExecuteQuery --toggle-collect=DoCopy \
		--dump-before=pg_sleep --callgrind-out-file="$BENCH_WORK/ir.$1.out" \
		"$2/postgres" --single -D "$3" -c fsync=off $settings bench \
		<"$BENCH_WORK/ir.$1.sql" >"$BENCH_WORK/ir.$1.log" 2>&1 || { tail -n 30 "$BENCH_WORK/ir.$1.log" >&2; exit 1; }
	if grep -A 2 -E 'ERROR:|FATAL:' "$BENCH_WORK/ir.$1.log" >&2; then exit 1; fi
)

before_started= before_bindir=
make_work_folder
trap 'stop_before; cleanup' EXIT
copy_installation
build_extension
start_server $settings $statistics
BENCH_WORK=$work/bench
BENCH_REVISION=$(git -C "$top" log -1 --format='revision %h of %cs' 2>/dev/null) || BENCH_REVISION=
export BENCH_WORK BENCH_REVISION
as_user mkdir "$BENCH_WORK"
if [ "$(id -u)" -eq 0 ]; then chmod 777 "$BENCH_WORK"; fi
if [ -n "$BENCH_BEFORE" ]; then start_before; fi

say "making the data"
createdb bench
psql -X -q -v live="$BENCH_ROWS" -v write_live="$BENCH_WRITE_ROWS" -v sets="$BENCH_SETS" -v peers=1 -d bench -f "$top/test/bench/data.sql" >/dev/null
if [ -n "$BENCH_BEFORE" ]; then
	createdb -h "$BENCH_BEFORE_HOST" bench
	psql -X -q -v live="$BENCH_ROWS" -v write_live="$BENCH_WRITE_ROWS" -v sets=1 -v peers=0 -h "$BENCH_BEFORE_HOST" -d bench \
		-f "$top/test/bench/data.sql" >/dev/null
fi
start_mariadb --innodb-buffer-pool-size="${buffers}M"
BENCH_MARIADB_SOCKET=$work/mariadb/s BENCH_MARIADB_PORT=$mariadb_port BENCH_MARIADB_PID=$(cat "$work/mariadb/pid")
export BENCH_MARIADB_SOCKET BENCH_MARIADB_PORT BENCH_MARIADB_PID
bench() { perl "$top/test/bench/bench.pl" "$@"; }
bench mariadb "$top/test/data/cloudstack-4.19/columns.tsv"
say "importing"
bench import
bench check
say "measuring CPU time and buffers"
bench measure
bench ir
# asks the servers what they are, too
bench doc "$work/without-instructions.md"

say "counting instructions"
as_user "$bindir/pg_ctl" -D "$work/data" -m fast -w -s stop
server_started=
stop_before
jobs=
if [ -n "$BENCH_BEFORE" ]; then
	count_instructions before "$before_bindir" "$work/before/data" &
	jobs=$!
fi
count_instructions now "$bindir" "$work/data" || fail "callgrind failed"
[ -z "$jobs" ] || wait $jobs || fail "callgrind failed before"

bench doc "$BENCH_OUT"
say "wrote $BENCH_OUT"
