#!/bin/sh
# make demo-cloudstack: a CloudStack database in MariaDB, and its views from
# PostgreSQL: the mirror, the live inventory, and the bug's own query beside
# them, before and after a NIC is removed.  Exits with an error if any answer is
# not the expected one.
#
#   DUMP=dir    another dump of the same layout as test/data/cloudstack-4.19

case "${DUMP:-}" in
	'' | /*) ;;
	*) DUMP=$PWD/$DUMP ;;
esac
. "$(dirname "$0")/lib.sh"

dump=${DUMP:-$top/test/data/cloudstack-4.19}
[ -d "$dump/tables" ] && [ -d "$dump/expected" ] ||
	fail "$dump is no dump: it needs tables/, expected/ and columns.tsv"

find_postgres postgresql-15-mysql-fdw
need_packages mariadb-server-core mariadb-client-core
[ -e "$("$PG_CONFIG" --sharedir)/extension/mysql_fdw.control" ] ||
	fail "this PostgreSQL has no mysql_fdw"
make_work_folder
copy_installation
build_extension
start_server
start_mariadb
createdb demo
PGDATABASE=demo
export PGDATABASE

say ""
say "1. CloudStack's database, in MariaDB"
say ""
# CREATE TABLE with MySQL's types, from columns.tsv.
awk -F '\t' '
	NR > 1 && $1 != last { if (last) print last_line ") ENGINE=InnoDB;"; print "CREATE TABLE `" $1 "` ("; last = $1; last_line = "" }
	NR > 1 { if (last_line) print last_line ","; last_line = "`" $3 "` " $4 ($5 == "YES" ? " NULL DEFAULT NULL" : " NOT NULL") ($6 == "PRI" ? " PRIMARY KEY" : $6 == "UNI" ? " UNIQUE KEY" : "") }
	END { if (last) print last_line ") ENGINE=InnoDB;" }' "$dump/columns.tsv" >"$work/tables.sql"
mysql_sql -e "CREATE DATABASE cloud DEFAULT CHARACTER SET utf8mb3"
mysql_sql cloud <"$work/tables.sql"
for file in "$dump"/tables/*.tsv; do
	mysql_sql cloud -e "SET sql_mode = ''; LOAD DATA LOCAL INFILE '$file' INTO TABLE \`$(basename "$file" .tsv)\` CHARACTER SET utf8mb4"
done
mysql_sql -e "CREATE USER vmnet_ro@'127.0.0.1' IDENTIFIED BY 'of the demo'; GRANT SELECT ON cloud.* TO vmnet_ro@'127.0.0.1'"
mysql_sql cloud -e "SELECT CONCAT('   ', (SELECT COUNT(*) FROM networks), ' networks, ', (SELECT COUNT(*) FROM vm_instance), ' instances, ', (SELECT COUNT(*) FROM nics), ' NICs, ', (SELECT COUNT(*) FROM nics WHERE removed IS NOT NULL), ' of them removed')"

say ""
say "2. Connected from PostgreSQL, with an account that can only read"
say ""
say "   demo=> SELECT * FROM vmnet.connect_cloudstack('127.0.0.1', ...);"
sql -c "CREATE EXTENSION vmnet_ext" -c "CREATE EXTENSION mysql_fdw"
sql <<SQL
CREATE TEMPORARY TABLE secret (password text);
COPY secret FROM STDIN;
of the demo
\\.
SELECT * FROM vmnet.connect_cloudstack('127.0.0.1', $mariadb_port, password => (SELECT password FROM secret));
SQL
say "   demo=> CALL vmnet.import_cloudstack('cloudstack', 'mirror');"
sql -c "CALL vmnet.import_cloudstack('cloudstack', 'mirror')" 2>&1 | sed 's/^/   /'
say "   demo=> SELECT vmnet.attach_cloudstack('live', 'cloudstack');"
sql -c "SELECT vmnet.attach_cloudstack('live', 'cloudstack')" >/dev/null
say ""

# The listings, and the expected ones, as tables.
sql <<'SQL'
CREATE VIEW as_4_19_1_2_has_it AS
SELECT DISTINCT n.network_id, v.id AS instance_id
FROM cloudstack.vm_instance v JOIN cloudstack.nics n ON n.instance_id = v.id
WHERE v.type = 'User' AND v.removed IS NULL;
CREATE TABLE expected_listing_4_19_1_2 (network_id bigint, instance_id bigint);
CREATE TABLE expected_network_active_instances (network_id bigint, instance_id bigint);
SQL
for name in listing_4_19_1_2 network_active_instances; do
	tail -n +2 "$dump/expected/$name.tsv" | sql -c "COPY expected_$name FROM STDIN"
done

# Prints the rows that are only in a listing or only in the expected one.
difference()
{
	value "SELECT count(*) FROM ((TABLE $2 EXCEPT $1) UNION ALL ($1 EXCEPT TABLE $2)) d"
}
check "the mirror gives the expected answer for every network" \
	"$(difference 'SELECT network_id, instance_id FROM mirror.network_instances' expected_network_active_instances)" 0
check "so does the live inventory, straight from MariaDB" \
	"$(difference 'SELECT network_id, instance_id FROM live.network_instances' expected_network_active_instances)" 0
check "the query of 4.19.1.2 lists what it is known to list" \
	"$(difference 'TABLE as_4_19_1_2_has_it' expected_listing_4_19_1_2)" 0

# A network with a live NIC and about six past and present instances, chosen in
# MariaDB, independent of the code that is shown here.
set -- $(mysql_sql cloud -e "
	SELECT n.network_id, n.id, n.instance_id
	FROM nics n JOIN vm_instance v ON v.id = n.instance_id JOIN networks w ON w.id = n.network_id
		JOIN (SELECT network_id, COUNT(DISTINCT instance_id) AS ever FROM nics GROUP BY network_id) c ON c.network_id = n.network_id
	WHERE n.removed IS NULL AND n.state <> 'Deallocating' AND v.removed IS NULL AND v.type = 'User' AND w.removed IS NULL
		AND (SELECT COUNT(*) FROM nics o WHERE o.network_id = n.network_id AND o.instance_id = n.instance_id) = 1
	ORDER BY ABS(c.ever - 6), n.id LIMIT 1")
[ $# -eq 3 ] || fail "this dump has no User instance on any network"
network=$1 nic=$2 instance=$3

# The instances on the network, with one column for each answer.
side_by_side()
{
	sql -c "
	WITH bug AS MATERIALIZED (SELECT network_id, instance_id FROM as_4_19_1_2_has_it),
		mirror AS MATERIALIZED (SELECT instance_id FROM vmnet.network_active_instances($network, inventory => 'mirror')),
		live AS MATERIALIZED (SELECT instance_id FROM vmnet.network_active_instances($network, inventory => 'live'))
	SELECT v.name AS instance,
		CASE WHEN ($network, v.id) IN (TABLE bug) THEN 'listed' ELSE '-' END AS \"query of 4.19.1.2\",
		CASE WHEN v.id IN (TABLE mirror) THEN 'listed' ELSE '-' END AS mirror,
		CASE WHEN v.id IN (TABLE live) THEN 'listed' ELSE '-' END AS live
	FROM mirror.all_instances v
	WHERE v.type = 'User' AND v.removed IS NULL AND v.id IN (SELECT instance_id FROM mirror.all_nics WHERE network_id = $network)
	ORDER BY v.id"
}
mirror="SELECT count(instance_id) FROM vmnet.network_active_instances($network, inventory => 'mirror') WHERE instance_id = $instance"
live="SELECT count(instance_id) FROM vmnet.network_active_instances($network, inventory => 'live') WHERE instance_id = $instance"
bug="SELECT count(instance_id) FROM as_4_19_1_2_has_it WHERE (network_id, instance_id) = ($network, $instance)"
before=$(value "SELECT count(*) FROM mirror.network_instances")
name=$(value "SELECT name FROM mirror.all_instances WHERE id = $instance")

say ""
say "3. Instances on network $network"
say ""
side_by_side
check "$name is there, for all three" "$(value "$bug") $(value "$mirror") $(value "$live")" "1 1 1"

say ""
say "   CloudStack takes $name off the network:"
say "   MariaDB> UPDATE nics SET state = 'Deallocating', removed = UTC_TIMESTAMP() WHERE id = $nic;"
mysql_sql cloud -e "UPDATE nics SET state = 'Deallocating', removed = UTC_TIMESTAMP() WHERE id = $nic"
check "the live inventory has it at once" "$(value "$live")" 0
check "the mirror is as of its last import" "$(value "$mirror")" 1
say "   demo=> CALL vmnet.import_cloudstack('cloudstack', 'mirror');"
sql -c "CALL vmnet.import_cloudstack('cloudstack', 'mirror')" 2>&1 | sed 's/^/   /'
say ""
side_by_side
check "$name is gone from the mirror, too" "$(value "$mirror")" 0
check "and nothing else is" "$(value "SELECT count(*) FROM mirror.network_instances")" $((before - 1))
check "CloudStack's own query still lists it: issue 10188" "$(value "$bug")" 1
say ""
say "   The history in the mirror:"
sql -c "SELECT event, from_state, to_state, network_id, instance_id FROM vmnet.nic_timeline($nic, 'mirror')"

if [ "$wrong" -ne 0 ]; then
	say "$wrong answers are wrong"
	exit 1
fi
say "every answer is the expected one"
