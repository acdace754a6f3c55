#!/bin/sh
# make demo: the bug of CloudStack issue 10188, on an inventory that cannot have
# it and on the dump of a database that did.  Exits with an error if any answer
# is not the expected one.
#
#   DUMP=dir    another dump of the same layout as test/data/cloudstack-4.19
#   VERBOSE=1   every network that a listing gets wrong, not only the ten worst
#   KEEP=1      leaves the server running and prints how to connect

case "${DUMP:-}" in
	'' | /*) ;;
	*) DUMP=$PWD/$DUMP ;;
esac
. "$(dirname "$0")/lib.sh"

dump=${DUMP:-$top/test/data/cloudstack-4.19}
[ -d "$dump/tables" ] && [ -d "$dump/expected" ] ||
	fail "$dump is no dump: it needs tables/, expected/ and columns.tsv"

find_postgres
installed=$PG_CONFIG
make_work_folder
copy_installation
build_extension
start_server
createdb demo
PGDATABASE=demo
export PGDATABASE

# Runs a statement that must be refused, and shows the error.
forbidden()
{
	say ""
	say "   $1"
	say "   demo=> $2"
	status=0
	psql -X -q -v VERBOSITY=verbose -c "$2" >"$work/refused" 2>&1 || status=$?
	grep -v '^LOCATION' "$work/refused" | sed 's/^/   /'
	check "refused with $3 $4" \
		"$status $(sed -n 's/^ERROR:  \([0-9A-Z]*\):.*/\1/p' "$work/refused") $(sed -n 's/^CONSTRAINT NAME:  //p' "$work/refused")" \
		"1 $3 $4"
}

say ""
say "1. CloudStack issue 10188 on a managed inventory"
say ""
sql <<'SQL'
CREATE EXTENSION vmnet_ext;
SELECT vmnet.create_inventory('cloud') \g /dev/null
INSERT INTO cloud.networks (id, name) VALUES (1, 'network1'), (2, 'network2');
INSERT INTO cloud.instances (id, name, state) VALUES (1, 'vm1', 'Running');
INSERT INTO cloud.nics (instance_id, network_id, ip4_address)
VALUES (1, 1, '10.1.1.5'), (1, 2, '10.1.2.5');
SELECT setval('cloud.all_networks_id_seq', 2), setval('cloud.all_instances_id_seq', 1) \g /dev/null
SQL
list="SELECT instance_id, instance_name, instance_state, nic_id, default_nic, ip4_address FROM vmnet.network_active_instances"
say "   vm1 has a NIC on network1, its default, and one on network2:"
sql -c "$list(1) UNION ALL $list(2)"
check "vm1 is listed on network2" "$(value "SELECT vmnet.network_active_instance_count(2)")" 1
say ""
say "   demo=> DELETE FROM cloud.nics WHERE instance_id = 1 AND network_id = 2;"
sql -c "DELETE FROM cloud.nics WHERE instance_id = 1 AND network_id = 2"
say "   demo=> SELECT ... FROM vmnet.network_active_instances(2);"
sql -c "$list(2)"
check "vm1 is not listed on network2" "$(value "SELECT vmnet.network_active_instance_count(2)")" 0
check "vm1 is listed on network1" "$(value "SELECT vmnet.network_active_instance_count(1)")" 1
check "the row of the removed NIC is kept" \
	"$(value "SELECT state || ' ' || (removed IS NOT NULL) FROM cloud.all_nics WHERE id = 2")" "Deallocating true"

say ""
say "   Five statements that are refused for every client:"
forbidden "bring a removed NIC back" \
	"UPDATE cloud.all_nics SET removed = NULL WHERE id = 2" 23514 nic_removed_once
forbidden "skip a step of the state machine" \
	"UPDATE cloud.nics SET state = 'Reserved' WHERE id = 1" 23514 nic_state_transition
forbidden "remove a network that is in use" \
	"UPDATE cloud.networks SET removed = now() WHERE id = 1" 23503 network_in_use
forbidden "delete a row and what happened with it" \
	"DELETE FROM cloud.all_nics WHERE id = 2" 23001 no_hard_delete
sql -c "UPDATE cloud.networks SET removed = now() WHERE id = 2"
forbidden "add a NIC to a network that has been removed" \
	"INSERT INTO cloud.nics (instance_id, network_id) VALUES (1, 2)" 23503 nic_parent_active

say ""
say "2. The dump of a CloudStack database, as a mirror"
say ""
"$top/contrib/load-cloudstack-dump" "$dump" cloudstack | sql
sql -c "CALL vmnet.import_cloudstack('cloudstack', 'mirror')" 2>&1 | sed 's/^/   /'

# The listings, and the expected ones, as tables.
sql <<'SQL'
CREATE TABLE listing_4_19_1_2 AS
SELECT DISTINCT n.network_id::bigint, v.id::bigint AS instance_id
FROM cloudstack.vm_instance v JOIN cloudstack.nics n ON n.instance_id = v.id
WHERE v.type = 'User' AND v.removed IS NULL;

CREATE TABLE listing_upstream_fix AS
SELECT DISTINCT n.network_id::bigint, v.id::bigint AS instance_id
FROM cloudstack.vm_instance v JOIN cloudstack.nics n ON n.instance_id = v.id
WHERE v.type = 'User' AND v.removed IS NULL AND n.removed IS NULL;

CREATE VIEW network_active_instances AS
SELECT w.id AS network_id, i.instance_id, i.instance_type
FROM mirror.all_networks w, vmnet.network_active_instances(w.id, inventory => 'mirror') i;

CREATE VIEW counts AS
SELECT network_id, attached_nics, active_instances, running_instances, allocated, reserving,
	reserved, releasing, deallocating, other_states, used_ip4
FROM mirror.network_counts;

CREATE TABLE expected_listing_4_19_1_2 (network_id bigint, instance_id bigint);
CREATE TABLE expected_listing_upstream_fix (LIKE expected_listing_4_19_1_2);
CREATE TABLE expected_network_active_instances (LIKE expected_listing_4_19_1_2);
CREATE TABLE expected_network_counts (LIKE counts);
SQL
for name in listing_4_19_1_2 listing_upstream_fix network_active_instances network_counts; do
	tail -n +2 "$dump/expected/$name.tsv" | sql -c "COPY expected_$name FROM STDIN"
done

# Prints the rows that are only in a listing or only in the expected one.
difference()
{
	value "SELECT count(*) FROM ((TABLE $2 EXCEPT $1) UNION ALL ($1 EXCEPT TABLE $2)) d"
}

say ""
say "   (network, User instance) pairs listed, and how many of them are wrong:"
sql <<'SQL'
CREATE VIEW answers AS
SELECT 'the query of 4.19.1.2' AS listing, 1 AS ord, * FROM listing_4_19_1_2
UNION ALL SELECT 'the upstream fix', 2, * FROM listing_upstream_fix
UNION ALL SELECT 'network_active_instances', 3, network_id, instance_id
	FROM network_active_instances WHERE instance_type = 'User';
SELECT listing, count(*) AS pairs, count(*) FILTER (WHERE e.network_id IS NULL) AS wrong
FROM answers a LEFT JOIN expected_network_active_instances e USING (network_id, instance_id)
GROUP BY listing, ord ORDER BY ord;
SQL
check "the query of 4.19.1.2 lists what it is known to list" \
	"$(difference 'TABLE listing_4_19_1_2' expected_listing_4_19_1_2)" 0
check "the upstream fix lists what it is known to list" \
	"$(difference 'TABLE listing_upstream_fix' expected_listing_upstream_fix)" 0
check "network_active_instances is right for every network, all instance types" \
	"$(difference 'SELECT network_id, instance_id FROM network_active_instances' expected_network_active_instances)" 0
check "the view network_instances says the same" \
	"$(difference 'SELECT network_id, instance_id FROM mirror.network_instances' expected_network_active_instances)" 0
check "network_counts is right for every network" \
	"$(difference 'TABLE counts' expected_network_counts)" 0
check "every row of the dump is in the mirror" \
	"$(value "SELECT (SELECT count(*) FROM mirror.all_nics) + (SELECT count(*) FROM mirror.import_log WHERE action = 'rejected' AND \"table\" = 'nics')")" \
	"$(value "SELECT count(*) FROM cloudstack.nics")"

if [ -n "${VERBOSE:-}" ]; then limit=ALL; else limit=10; fi
say ""
say "   The networks with most errors in the query of 4.19.1.2:"
sql -c "
SELECT a.network_id, w.name, w.removed IS NOT NULL AS removed,
	count(*) FILTER (WHERE a.ord = 1) AS \"4.19.1.2\",
	count(*) FILTER (WHERE a.ord = 2) AS \"upstream fix\",
	count(*) FILTER (WHERE a.ord = 3) AS \"vmnet_ext\"
FROM answers a LEFT JOIN mirror.all_networks w ON w.id = a.network_id
GROUP BY a.network_id, w.name, w.removed
HAVING count(*) FILTER (WHERE a.ord = 1) <> count(*) FILTER (WHERE a.ord = 3)
ORDER BY count(*) FILTER (WHERE a.ord = 1) - count(*) FILTER (WHERE a.ord = 3) DESC, a.network_id
LIMIT $limit"

say ""
say "   Instances on a network at a time, and inconsistencies in this database:"
sql <<'SQL'
CREATE TABLE expected_as_of (ts timestamp, network_id bigint, instance_id bigint);
CREATE TABLE expected_faults (code text, "table" text, id bigint, note text);
CREATE VIEW as_of AS
SELECT s.ts, s.network_id, a.instance_id
FROM (SELECT DISTINCT ts, network_id FROM expected_as_of) s,
	vmnet.network_instances_as_of(s.network_id, s.ts AT TIME ZONE 'UTC', 'mirror') a;
CREATE VIEW faults AS
SELECT code, object_type, object_id FROM vmnet.check_inventory('mirror')
WHERE code IN (SELECT code FROM expected_faults);
CREATE VIEW known_faults AS
SELECT code, CASE "table" WHEN 'nics' THEN 'nic' WHEN 'vm_instance' THEN 'instance' ELSE 'network' END, id FROM expected_faults;
SQL
for name in as_of faults; do
	tail -n +2 "$dump/expected/$name.tsv" | sql -c "COPY expected_$name FROM STDIN"
done
sql -c "SELECT code, severity, count(*) FROM vmnet.check_inventory('mirror') GROUP BY 1, 2 ORDER BY 2, 1"
check "network_instances_as_of is right for every network and time" \
	"$(difference 'TABLE as_of' expected_as_of)" 0
check "check_inventory finds every fault there is, and no other" \
	"$(difference 'TABLE faults' known_faults)" 0

say ""
say "   A NIC is removed at the source, and the import runs again:"
nic=$(value "SELECT nic_id FROM mirror.network_instances WHERE instance_type = 'User' AND nic_count = 1 ORDER BY network_id, instance_id LIMIT 1")
if [ -n "$nic" ]; then
	pair=$(value "SELECT network_id || ', ' || instance_id FROM mirror.all_nics WHERE id = $nic")
	before=$(value "SELECT count(*) FROM mirror.network_instances")
	sql -c "UPDATE cloudstack.nics SET state = 'Deallocating', removed = to_char(created::timestamp + interval '1 day', 'YYYY-MM-DD HH24:MI:SS') WHERE id = '$nic'"
	sql -c "CALL vmnet.import_cloudstack('cloudstack', 'mirror')" 2>&1 | sed 's/^/   /'
	check "the pair ($pair) is gone" \
		"$(value "SELECT count(*) FROM mirror.network_instances WHERE (network_id, instance_id) = ($pair)")" 0
	check "and no other" "$(value "SELECT count(*) FROM mirror.network_instances")" $((before - 1))
	check "the import changed one row" \
		"$(value "SELECT rows_inserted || ' ' || rows_updated || ' ' || rows_deleted FROM mirror.import_runs ORDER BY run DESC LIMIT 1")" "0 1 0"
	say "   Its history in the mirror:"
	sql -c "SELECT event, from_state, to_state, network_id, instance_id FROM vmnet.nic_timeline($nic, 'mirror')"
	check "the pair was there when the NIC was made" \
		"$(value "SELECT count(*) FROM mirror.all_nics n, vmnet.network_instances_as_of(n.network_id, n.created, 'mirror') a
			WHERE n.id = $nic AND a.instance_id = n.instance_id")" 1
else
	say "   (this dump has no User instance on any network)"
fi

say ""
if [ -n "${KEEP:-}" ]; then
	trap - EXIT INT TERM HUP
	say "The server is still running.  To connect:"
	say "  $bindir/psql -h $work -U postgres demo"
	say "To stop it and clean up:"
	if [ "$(id -u)" -eq 0 ]; then lend='runuser -u postgres -- '; else lend=; fi
	say "  $lend$bindir/pg_ctl -D $work/data -m fast stop && rm -rf $work"
fi
if [ "$wrong" -ne 0 ]; then
	say "$wrong answers are wrong"
	exit 1
fi
say "every answer is the expected one"
say ""
say "What to type next:"
if [ -z "${KEEP:-}" ]; then
	say "  KEEP=1 make demo       the same, and the server is left running for queries of your own"
fi
say "  make demo-cloudstack   a CloudStack database in MariaDB, and its views from PostgreSQL"
say "  sudo make install PG_CONFIG=$installed"
say "                         installs the extension; then, in a database: CREATE EXTENSION vmnet_ext"
say "README.md says how to go on."
