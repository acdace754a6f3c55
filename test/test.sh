#!/bin/sh
# make test: all tests, against a private server.
. "$(dirname "$0")/lib.sh"

prepare_all_tests
copy_installation
build_extension ${CI:+WERROR=1}
start_server "-c max_prepared_transactions=10"

run_tests regress isolation pgtap

if ls test/t/*.pl >/dev/null 2>&1; then
	run "TAP" '^ok [0-9]' '^not ok [0-9]|Dubious' \
		$mk installcheck REGRESS= ISOLATION= PROVE_FLAGS=-v
fi

say "$passed passed, $failed failed"
[ "$failed" -eq 0 ]
