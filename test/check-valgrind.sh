#!/bin/sh
# make check-valgrind: tests of the guards, history, attached tables and the
# import, with the whole server under valgrind.  First it is checked that
# valgrind reports a faulty function.  An error with a frame of the extension and a
# failed test fail the check; errors elsewhere are only counted.
#
#   CHECK_TESTS='a b'   other tests
. "$(dirname "$0")/lib.sh"

: "${CHECK_TESTS:=errors guard_session nic_copy past past_mirror secondary_ips partition_history attach_errors import_errors import_planted
	tap_guard_scenarios tap_history tap_attach tap_nic_moves tap_purge
	iso_attach iso_remove_network iso_secondary_ip}"

find_postgres postgresql-15-pgtap libipc-run-perl libtap-parser-sourcehandler-pgtap-perl
need_packages valgrind libc6-dbg
make_work_folder
copy_installation
build_extension COPT="-g -O1"

as_user sh -c "cd '$work' && gcc -shared -fPIC -g -O0 -I'$("$PG_CONFIG" --includedir-server)' -o wrong.so src/test/sanitizer/wrong.c" >"$work/build.log" 2>&1 ||
	{ cat "$work/build.log" >&2; fail "the build failed"; }

# No --error-exitcode: the server would treat the exit as a crash, and end all other
# processes.
as_user mkdir "$work/valgrind"
as_user sh -c "cat >'$work/postgres'" <<END
#!/bin/sh
exec valgrind --quiet --trace-children=yes --leak-check=no --track-origins=yes --num-callers=40 --fullpath-after= \\
	--error-markers=ERROR-BEGIN,ERROR-END --suppressions='$work/src/test/sanitizer/valgrind.supp' \\
	--log-file='$work/valgrind/%p.log' '$bindir/postgres' "\$@"
END
as_user chmod +x "$work/postgres"
postgres_program=$work/postgres
start_timeout=600
PGISOLATIONTIMEOUT=3600
export PGISOLATIONTIMEOUT
say "starting the server under valgrind"
start_server -c max_prepared_transactions=10 -c autovacuum=off -c max_parallel_workers_per_gather=0 -c jit=off \
	-c authentication_timeout=600s

# Prints how many errors in the logs have a frame that matches: in the stack of the
# error itself, or at the top of the one where the value was created.  Deeper frames
# of that one are only callers, for example of the planner.
errors()
{
	cat "$work"/valgrind/*.log 2>/dev/null | awk -v frame="$1" '
		/ERROR-BEGIN/ { found = 0; text = ""; depth = -1 }
		{ text = text $0 "\n" }
		/^==[0-9]+==  [A-Z]/ { depth = 0 }
		/(at|by) 0x/ { if ($0 ~ frame && depth < 4) found = 1; if (depth >= 0) depth++ }
		/ERROR-END/ { if (found) { n++; if (shown++ < 20) print text > "/dev/stderr" } }
		END { print n + 0 }'
}

say "valgrind at work"
psql -q -X -d postgres -c "CREATE FUNCTION wrong_heap(int) RETURNS int LANGUAGE c AS '$work/wrong'"
psql -q -X -d postgres -c 'SELECT wrong_heap(8)' >/dev/null
tries=60
until [ "$(errors 'test/sanitizer/wrong\.c' 2>/dev/null)" -ge 1 ]; do
	tries=$((tries - 1))
	[ $tries -gt 0 ] || fail "a write behind an array is not reported"
	sleep 1
done
psql -q -X -d postgres -c 'DROP FUNCTION wrong_heap(int)'
as_user find "$work/valgrind" -name '*.log' -exec sh -c ': >"$1"' - {} \;
say "  a write behind an array is reported"

run_tests regress isolation pgtap

as_user "$bindir/pg_ctl" -D "$work/data" -m fast -w -s -t 600 stop
server_started=
found=$(errors "$work/src/src/|vmnet_ext")
all=$(errors '.' 2>/dev/null)
say "$passed passed, $failed failed, $found errors with a frame of the extension, $((all - found)) others"
[ "$failed" -eq 0 ] && [ "$found" -eq 0 ]
