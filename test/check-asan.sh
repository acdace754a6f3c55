#!/bin/sh
# make check-asan: regression, isolation and pgTAP tests with the extension built
# for AddressSanitizer and the sanitizer of undefined behaviour.  First it is
# checked that both report a faulty function.  Reports are counted in the
# server's log; any report and any failed test is an error.
#
#   CHECK_TESTS='a b'   only these tests, of any of the three kinds
. "$(dirname "$0")/lib.sh"

find_postgres binutils postgresql-15-pgtap libipc-run-perl libtap-parser-sourcehandler-pgtap-perl
make_work_folder
copy_installation

# -fwrapv, which PostgreSQL is built with, would hide signed overflow.
flags="-fsanitize=address,undefined -fno-sanitize-recover=address -fno-omit-frame-pointer -fno-wrapv -g -O1"
build_extension COPT="$flags" SHLIB_LINK="-fsanitize=address,undefined"

say "building the preloaded library and the faulty functions"
asan=$(gcc -print-file-name=libasan.so)
asan=$(readlink -f "$asan")
[ -f "$asan" ] || fail "gcc has no libasan"
includes="-I$("$PG_CONFIG" --includedir-server)"
as_user sh -c "cd '$work' && gcc -shared -fPIC -O1 -o gettext.so src/test/sanitizer/gettext.c &&
	gcc -shared -fPIC $flags $includes -o wrong.so src/test/sanitizer/wrong.c" >"$work/build.log" 2>&1 ||
	{ cat "$work/build.log" >&2; fail "the build failed"; }

# Only the server is preloaded, not the programs that start it.
as_user sh -c "cat >'$work/postgres'" <<END
#!/bin/sh
exec env ASAN_OPTIONS=detect_leaks=0:abort_on_error=0:exitcode=1 UBSAN_OPTIONS=print_stacktrace=1 \\
	LD_PRELOAD='$asan:$work/gettext.so' '$bindir/postgres' "\$@"
END
as_user chmod +x "$work/postgres"
postgres_program=$work/postgres
start_server "-c max_prepared_transactions=10"

# Prints the number of reports in the log from a line on.
reports()
{
	tail -n "+$1" "$work/server.log" | grep -cE 'ERROR: (Address|UndefinedBehavior)Sanitizer|runtime error: ' || :
}

lines() { wc -l <"$work/server.log"; }

say "the sanitizers at work"
library=$("$PG_CONFIG" --pkglibdir)/vmnet_ext.so
for symbol in __asan_report_load __ubsan_handle_; do
	nm -D "$library" | grep -q "$symbol" || fail "the extension is not built for it: $library has no $symbol"
done
psql -q -X -d postgres -c "CREATE FUNCTION wrong_heap(int) RETURNS int LANGUAGE c AS '$work/wrong';
	CREATE FUNCTION wrong_sum(int, int) RETURNS int LANGUAGE c AS '$work/wrong'"
psql -X -At -d postgres -c "SELECT pg_read_file('/proc/self/maps')" | grep -q libasan || fail "the server does not run with $asan"
psql -q -X -d postgres -c 'SELECT wrong_sum(2147483647, 1)' >/dev/null
grep -q 'runtime error: signed integer overflow' "$work/server.log" || fail "signed overflow is not reported"
psql -q -X -d postgres -c 'SELECT wrong_heap(8)' >/dev/null 2>&1 || :
# If the report has ended the process, the server restarts.
tries=60
until psql -q -X -d postgres -c 'SELECT 1' >/dev/null 2>&1; do
	tries=$((tries - 1))
	[ $tries -gt 0 ] || { tail -n 40 "$work/server.log" >&2; fail "the server did not come back"; }
	sleep 1
done
grep -q 'AddressSanitizer: heap-buffer-overflow' "$work/server.log" || fail "a write behind an array is not reported"
[ "$(reports 1)" -ge 2 ] || fail "reports are not counted"
psql -q -X -d postgres -c 'DROP FUNCTION wrong_heap(int), wrong_sum(int, int)'
say "  overflows of heap and int are reported"

from=$(($(lines) + 1))
run_tests regress isolation pgtap

# The messages of a backend at its exit are in the log after its end.
as_user "$bindir/pg_ctl" -D "$work/data" -m fast -w -s stop
server_started=
found=$(reports "$from")
if [ "$found" -gt 0 ]; then
	tail -n "+$from" "$work/server.log" | grep -A 25 -E 'ERROR: (Address|UndefinedBehavior)Sanitizer|runtime error: ' | head -n 300
fi
say "$passed passed, $failed failed, $found reports"
[ "$failed" -eq 0 ] && [ "$found" -eq 0 ]
