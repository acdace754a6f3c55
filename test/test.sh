#!/bin/sh
# make test: all tests, against a private server.
. "$(dirname "$0")/lib.sh"

# Clients of all kinds.  java and npm may be installed from elsewhere, and then
# conflict with Debian's packages.
clients="python3-psycopg2 python3-psycopg python3-pyodbc odbc-postgresql libpostgresql-jdbc-java libpq-dev
	python3-django python3-sqlalchemy python3-pandas ruby-activerecord ruby-pg"
command -v javac >/dev/null || clients="$clients default-jdk-headless"
command -v npm >/dev/null || clients="$clients nodejs npm"

# All at once, so that the number and size that are printed are those of all.
find_postgres $clients python3-yaml postgresql-15-pgtap postgresql-15-partman postgresql-15-mysql-fdw \
	mariadb-server-core mariadb-client-core pgloader postgresql-15-cron postgresql-15-periods libdbd-pg-perl libdbd-mariadb-perl valgrind \
	chromium fonts-dejavu-core poppler-utils \
	libipc-run-perl libtap-parser-sourcehandler-pgtap-perl spin
make_work_folder

# Installing Prometheus and its exporter would start services, so their packages are
# unpacked.  They need only the C library.
need_packages $clients python3-yaml
PROMTOOL=/usr/bin/promtool POSTGRES_EXPORTER=/usr/bin/prometheus-postgres-exporter
if [ ! -x $PROMTOOL ] || [ ! -x $POSTGRES_EXPORTER ]; then
	as_root apt-get update -qq >/dev/null
	mkdir "$work/prometheus"
	# after Debian 12 promtool is a package of its own
	(cd "$work/prometheus" && as_root apt-get download -qq prometheus prometheus-postgres-exporter \
			$(apt-cache pkgnames promtool | grep -x promtool) &&
		for package in *.deb; do dpkg-deb -x "$package" .; done) >"$work/apt.log" 2>&1 || {
		cat "$work/apt.log" >&2
		fail "apt-get could not download prometheus and prometheus-postgres-exporter"
	}
	chmod -R a+rX "$work/prometheus"
	PROMTOOL=$work/prometheus$PROMTOOL POSTGRES_EXPORTER=$work/prometheus$POSTGRES_EXPORTER
fi
export PROMTOOL POSTGRES_EXPORTER

# Installing pgbouncer would start a service, so its package is unpacked, and only
# the libraries that it needs are installed.
PGBOUNCER=/usr/sbin/pgbouncer
if [ ! -x $PGBOUNCER ]; then
	as_root apt-get update -qq >/dev/null
	need_packages $(apt-cache depends --important pgbouncer | sed -n 's/.*Depends: \(lib.*\)/\1/p')
	mkdir "$work/pgbouncer"
	(cd "$work/pgbouncer" && as_root apt-get download -qq pgbouncer && dpkg-deb -x pgbouncer_*.deb .) >"$work/apt.log" 2>&1 || {
		cat "$work/apt.log" >&2
		fail "apt-get could not download pgbouncer"
	}
	chmod -R a+rX "$work/pgbouncer"
	PGBOUNCER=$work/pgbouncer/usr/sbin/pgbouncer
fi
export PGBOUNCER

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
