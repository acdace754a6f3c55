# Functions of test.sh, lint.sh, the checks, bench.sh and the demos.  They install the
# packages that are needed, build the extension in a copy of this tree against a
# private copy of the installation, and run a private server.  The PostgreSQL of the
# system is not changed, and all files are removed at the end.

set -eu

top=$(cd "$(dirname "$0")/.." && pwd)
work=
server_started=
mariadb_job=

say() { printf '%s\n' "$*"; }
fail() { printf '%s: %s\n' "$(basename "$0")" "$*" >&2; exit 1; }

# Runs a command as user postgres if the caller is root, since the server refuses to
# run as root.  That user may not be able to enter the folder of the caller, so the
# command runs in $work, unless the caller is below it.
as_user()
{
	if [ "$(id -u)" -eq 0 ]; then
		case $PWD in
			"$work" | "$work"/*) runuser -u postgres -- "$@" ;;
			*) (cd "${work:-/}" && exec runuser -u postgres -- "$@") ;;
		esac
	else
		"$@"
	fi
}

as_root()
{
	if [ "$(id -u)" -eq 0 ]; then "$@"; else sudo "$@"; fi
}

# Says how many packages apt-get would install, and their size on disk.
say_packages()
{
	plan=$(as_root env LC_ALL=C apt-get install --assume-no --no-install-recommends "$@" 2>/dev/null || :)
	count=$(printf '%s\n' "$plan" | sed -n 's/.* \([0-9]*\) newly installed.*/\1/p')
	size=$(printf '%s\n' "$plan" | sed -n 's/^After this operation, \(.*\) of additional disk space.*/\1/p')
	say "installing ${count:-some} packages of Debian, ${size:-an unknown size} on disk: $*, and what they need"
}

# Runs apt-get install.  Installing a server makes and starts a cluster 15/main,
# unless a file of createcluster.d forbids it; that file exists only meanwhile.
install_packages()
(
	folder=/etc/postgresql-common/createcluster.d
	file=$folder/zz-vmnet_ext.conf
	existed=yes
	[ -d $folder ] || existed=
	restore()
	{
		as_root rm -f $file
		[ -n "$existed" ] || dpkg-query -S $folder >/dev/null 2>&1 || as_root rmdir -p $folder 2>/dev/null || :
	}
	trap restore EXIT
	trap 'exit 130' INT
	trap 'exit 143' TERM HUP
	as_root mkdir -p $folder
	echo 'create_main_cluster = false' | as_root tee $file >/dev/null
	as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "$@"
)

# Installs those of the named Debian packages that are missing.
need_packages()
{
	missing=
	for package in "$@"; do
		dpkg-query -W -f '${Status}\n' "$package" 2>/dev/null | grep -q 'ok installed' ||
			missing="$missing $package"
	done
	[ -n "$missing" ] || return 0
	as_root apt-get update -qq >/dev/null
	say_packages $missing
	install_packages $missing >"${TMPDIR:-/tmp}/vmnet-apt.$$" 2>&1 || {
		cat "${TMPDIR:-/tmp}/vmnet-apt.$$" >&2
		fail "apt-get could not install$missing"
	}
	rm -f "${TMPDIR:-/tmp}/vmnet-apt.$$"
}

# Uses PG_CONFIG, or Debian's PostgreSQL 15, which is installed if it is missing.
find_postgres()
{
	if [ -z "${PG_CONFIG:-}" ]; then
		need_packages gcc libc6-dev make perl postgresql-15 postgresql-server-dev-15 "$@"
		PG_CONFIG=/usr/lib/postgresql/15/bin/pg_config
	fi
	PG_CONFIG=$(command -v "$PG_CONFIG") || fail "there is no $PG_CONFIG"
	# Debian's wrapper selects a version; this is the program of the version itself.
	PG_CONFIG=$("$PG_CONFIG" --bindir)/pg_config
}

# What soak.sh has to end, too.
stop_busy() { :; }

cleanup()
{
	status=$?
	trap - EXIT INT TERM HUP
	stop_busy
	if [ -n "$server_started" ]; then
		as_user "$bindir/pg_ctl" -D "$work/data" -m immediate -w stop >/dev/null 2>&1 || :
	fi
	stop_mariadb
	[ -z "$work" ] || rm -rf "$work"
	exit $status
}

# Stops MariaDB by its pid file, or by the id of the job if the file does not exist
# yet.
stop_mariadb()
{
	[ -n "$mariadb_job" ] || return 0
	as_user sh -c 'kill "$(cat "$1")"' - "$work/mariadb/pid" 2>/dev/null || kill "$mariadb_job" 2>/dev/null || :
	wait "$mariadb_job" 2>/dev/null || :
	mariadb_job=
}

make_work_folder()
{
	work=$(mktemp -d "${TMPDIR:-/tmp}/vmnet.XXXXXX")
	trap cleanup EXIT
	trap 'exit 130' INT
	trap 'exit 143' TERM HUP
	if [ "$(id -u)" -eq 0 ]; then chown postgres "$work"; fi
	chmod 700 "$work"
}

# Makes a copy of the installation under $work, which finds its files relative to its
# programs; large folders are links.
copy_installation()
{
	bin=$("$PG_CONFIG" --bindir)
	lib=$("$PG_CONFIG" --pkglibdir)
	share=$("$PG_CONFIG" --sharedir)
	as_user mkdir -p "$work/pg$bin" "$work/pg$lib" "$work/pg$share"
	as_user cp "$bin"/* "$work/pg$bin/"
	as_user cp -rs "$lib"/. "$work/pg$lib/"
	as_user cp -rs "$share"/. "$work/pg$share/"
	as_user find "$work/pg" -name 'vmnet_ext*' -exec rm -rf {} +
	include=$("$PG_CONFIG" --includedir-server)
	as_user mkdir -p "$work/pg$(dirname "$include")"
	as_user ln -s "$include" "$work/pg$include"
	bindir=$work/pg$bin
	PG_CONFIG=$bindir/pg_config
	export PG_CONFIG
}

# Builds and installs the extension, in a copy of the tree.
build_extension()
{
	say "building with $("$PG_CONFIG" --version)"
	as_user mkdir "$work/src"
	(cd "$top" && tar cf - --exclude=.git --exclude='*.o' --exclude='*.so' --exclude='*.bc' \
		--exclude='sql/vmnet_ext--*.sql' \
		--exclude=results --exclude=tmp_check .) | as_user tar xf - -C "$work/src"
	(cd "$work/src" && as_user make -s with_llvm=no PG_CONFIG="$PG_CONFIG" "$@" all install) \
		>"$work/build.log" 2>&1 || { cat "$work/build.log" >&2; fail "the build failed"; }
	if grep -E 'warning:' "$work/build.log" >&2; then fail "the build has warnings"; fi
}

start_server()
{
	as_user "$bindir/initdb" -D "$work/data" -U postgres -A trust -N -E UTF8 --locale=C.UTF-8 \
		>"$work/initdb.log" 2>&1 || { cat "$work/initdb.log" >&2; fail "initdb failed"; }
	as_user "$bindir/pg_ctl" -D "$work/data" -l "$work/server.log" -w -s ${postgres_program:+-p "$postgres_program"} -t "${start_timeout:-60}" \
		-o "-c listen_addresses= -c unix_socket_directories='$work' -c fsync=off ${*:-}" start ||
		{ cat "$work/server.log" >&2; fail "the server did not start"; }
	server_started=yes
	PGHOST=$work PGPORT=5432 PGUSER=postgres
	export PGHOST PGPORT PGUSER
	unset PGDATABASE PGSERVICE PGOPTIONS || :
	PATH=$bindir:$PATH
	export PATH
}

# Starts a private MariaDB with a socket and a port on loopback, and more options.
start_mariadb()
{
	mkdir "$work/mariadb"
	if [ "$(id -u)" -eq 0 ]; then chown postgres "$work/mariadb"; fi
	as_user mariadb-install-db --no-defaults --datadir="$work/mariadb/data" \
		--auth-root-authentication-method=normal --skip-test-db --skip-log-bin \
		>"$work/mariadb.log" 2>&1 || { cat "$work/mariadb.log" >&2; fail "mariadb-install-db failed"; }
	mariadb_port=$(perl -MIO::Socket::INET -e 'print IO::Socket::INET->new(Listen => 1, LocalAddr => "127.0.0.1")->sockport')
	as_user /usr/sbin/mariadbd --no-defaults --datadir="$work/mariadb/data" \
		--socket="$work/mariadb/s" --pid-file="$work/mariadb/pid" --bind-address=127.0.0.1 --port="$mariadb_port" \
		--character-set-server=utf8mb3 --innodb-flush-log-at-trx-commit=2 --local-infile=1 "$@" \
		</dev/null >>"$work/mariadb.log" 2>&1 &
	mariadb_job=$!
	tries=300
	until mysql_sql -e 'SELECT 1' >/dev/null 2>&1; do
		tries=$((tries - 1))
		[ $tries -gt 0 ] && kill -0 "$mariadb_job" 2>/dev/null ||
			{ cat "$work/mariadb.log" >&2; fail "MariaDB did not start"; }
		sleep 0.1
	done
}

# Runs the client of MariaDB as an administrator.
mysql_sql()
{
	mariadb --no-defaults --socket="$work/mariadb/s" -u root -N -B --default-character-set=utf8mb4 --local-infile=1 "$@"
}

# Installs what all tests need, makes the folder of the work, and finds a server.
prepare_all_tests()
{
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
}

# For the demos: run SQL, get one value, compare an answer.
wrong=0
sql() { psql -X -q -v ON_ERROR_STOP=1 "$@"; }
value() { sql -At -c "$1"; }

check()
{
	if [ "$2" = "$3" ]; then
		say "   ok: $1"
	else
		say "   WRONG: $1: expected \"$3\", got \"$2\""
		wrong=$((wrong + 1))
	fi
}

passed=0
failed=0

# Counts the lines of passed and failed tests in a log; a run that fails without a
# failed test counts as one.
count()
{
	log=$1 status=$2 ok=$3 bad=$4
	p=$(grep -cE "$ok" "$log" || :)
	f=$(grep -cE "$bad" "$log" || :)
	if [ "$status" -ne 0 ] && [ "$f" -eq 0 ]; then f=1; fi
	if [ "$p" -eq 0 ] && [ "$f" -eq 0 ]; then f=1; fi
	passed=$((passed + p))
	failed=$((failed + f))
	say "  $p passed, $f failed"
}

# pg_regress prints TAP from 16 on.
regress_ok='^(test )?[a-z0-9_]+ +\.\.\. ok|^ok [0-9]'
regress_bad='^(test )?[a-z0-9_]+ +\.\.\. (FAILED|failed)|^not ok [0-9]'

run()
{
	title=$1 ok=$2 bad=$3
	shift 3
	say "$title"
	status=0
	as_user "$@" >"$work/run.log" 2>&1 || status=$?
	if [ $status -ne 0 ]; then
		# diagnostics of TAP tests are on stderr, far from the line of the test
		grep -A 12 -E '^(not ok|# +Failed test)' "$work/run.log" | head -n 300 || :
		tail -n 60 "$work/run.log"
		if [ -f regression.diffs ]; then head -n 300 regression.diffs; as_user rm -f regression.diffs; fi
	fi
	count "$work/run.log" $status "$ok" "$bad"
}

# Runs the tests of some kinds: regress, isolation, pgtap.  If CHECK_TESTS is set,
# only the tests that it names.
run_tests()
{
	cd "$work/src"
	CHECK_TESTS=$(echo ${CHECK_TESTS:-})
	mk="make -s with_llvm=no PG_CONFIG=$PG_CONFIG"
	for kind in "$@"; do
		case $kind in
			regress) tests=$(named_tests sql | grep -v '^tap_' || :) ;;
			isolation) tests=$(named_tests specs) ;;
			pgtap) tests=$(named_tests sql | grep '^tap_' || :) ;;
		esac
		[ -n "$tests" ] || continue
		case $kind in
			regress)
				run "pg_regress" "$regress_ok" "$regress_bad" \
					$mk installcheck ISOLATION= TAP_TESTS= ${CHECK_TESTS:+REGRESS="$(echo $tests)"}
				;;
			isolation)
				run "isolation" "$regress_ok" "$regress_bad" \
					$mk installcheck REGRESS= TAP_TESTS= ${CHECK_TESTS:+ISOLATION="$(echo $tests)"}
				;;
			pgtap)
				createdb tap
				psql -q -X -d tap -c 'CREATE EXTENSION vmnet_ext; CREATE EXTENSION pgtap'
				run "pgTAP" '^ok [0-9]' '^not ok [0-9]|No subtests run|Dubious' \
					pg_prove -v -d tap --ext .sql $(for t in $tests; do echo "test/sql/$t.sql"; done)
				;;
		esac
	done
}

# Prints the names of the tests in a folder that are to be run.
named_tests()
{
	for file in test/"$1"/*; do
		name=$(basename "$file" | sed 's/\.[a-z]*$//')
		case " ${CHECK_TESTS:-$name} " in
			*" $name "*) echo "$name" ;;
		esac
	done
}
