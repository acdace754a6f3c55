#!/bin/sh
# make check-clients: every object-relational mapper and query builder that
# test/t/072_mappers.pl knows, installed from Debian and npm, against a private
# server.  make test tries those that install in seconds.
#
#   VMNET_MAPPERS='django knex'   only these
. "$(dirname "$0")/lib.sh"

find_postgres libipc-run-perl
need_packages python3-psycopg2 python3-django python3-sqlalchemy python3-pandas ruby-activerecord ruby-pg r-cran-dbplyr r-cran-rpostgresql
# may be there from elsewhere, and then Debian's would not go with it
command -v npm >/dev/null || need_packages nodejs npm
make_work_folder
copy_installation
build_extension
start_server
cd "$work/src"
VMNET_MAPPERS=${VMNET_MAPPERS:-all}
export VMNET_MAPPERS
run "mappers" '^ok [0-9]' '^not ok [0-9]|Dubious' \
	make -s with_llvm=no PG_CONFIG="$PG_CONFIG" installcheck REGRESS= ISOLATION= PROVE_FLAGS=-v PROVE_TESTS=test/t/072_mappers.pl
say "$passed passed, $failed failed"
[ "$failed" -eq 0 ]
