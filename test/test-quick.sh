#!/bin/sh
# make test-quick: the tests that need only the server and its headers: pg_regress
# without pgTAP and without the two of scale, which run for minutes. "make test" runs
# all, also isolation and TAP.
. "$(dirname "$0")/lib.sh"

find_postgres
make_work_folder
copy_installation
build_extension ${CI:+WERROR=1}
start_server "-c max_prepared_transactions=10"

cd "$top"
CHECK_TESTS=$(named_tests sql | grep -v -e "^tap_" -e "_scale$")
run_tests regress

say "$passed passed, $failed failed"
[ "$failed" -eq 0 ]
