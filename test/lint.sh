#!/bin/sh
# make lint: the form of the code in src/ and sql/, and the labels of the
# functions in the catalog of a private server.  All checks run, also after a
# finding.
. "$(dirname "$0")/lib.sh"

find_postgres postgresql-15-pgtap libtap-parser-sourcehandler-pgtap-perl
need_packages pg-bsd-indent
# npm may be installed from elsewhere, and then conflicts with Debian's package
command -v npm >/dev/null || need_packages nodejs npm

check_source()
{
	say "$1"
	shift
	if "$@"; then
		passed=$((passed + 1))
	else
		failed=$((failed + 1))
	fi
}

check_source "indentation" "$top/test/lint/indent" --check
check_source "headers, lengths and includes" "$top/test/lint/headers"
check_source "clones" "$top/test/lint/clones"

make_work_folder
copy_installation
build_extension
start_server
CHECK_TESTS=$(cd "$top/test/sql" && ls tap_lint*.sql | sed 's/\.sql$//')
run_tests pgtap

say "$passed passed, $failed failed"
[ "$failed" -eq 0 ]
