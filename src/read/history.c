/*
 * history.c
 *		The read functions about the past: instances of a network, changes of a NIC,
 *		holders of an address; and those that examine one NIC.
 *
 * Like the functions of active.c they read one inventory with the caller's
 * snapshot, and with the rights described in run_as.c, take no lock and write
 * nothing.
 */
#include "postgres.h"

#include <sys/socket.h>

#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "funcapi.h"
#include "lib/stringinfo.h"
#include "utils/builtins.h"
#include "utils/inet.h"
#include "utils/lsyscache.h"
#include "utils/timestamp.h"

#include "compat.h"
#include "attach/attached_columns.h"
#include "core/age.h"
#include "core/inventory.h"
#include "core/outsider.h"
#include "core/run_as.h"
#include "core/saved_query.h"
#include "read/active.h"

typedef enum HistoryReadKind
{
	READ_NETWORK_INSTANCES,
	READ_NIC_TIMELINE,
	READ_IP4_HOLDERS,
	READ_IP6_HOLDERS,
	READ_MAC_HOLDERS,
	READ_STUCK_NICS,
	READ_NIC_EXPLAIN,
	READ_NETWORK_EXPLAIN
} HistoryReadKind;

/*
 * The queries.  Every %s is the quoted name of the inventory; operators are
 * qualified since the search path is that of the caller.
 */

/*
 * The row that an id had at a time.  In a mirror it may have been an earlier one
 * than that of now: FORMER_ROW joins it, if there was one, and NO_FORMER_ROW joins
 * NULLs for inventories that have no such rows.  THEN picks a column.
 */
#define FORMER_ROW(alias, relation, key, time) \
" LEFT JOIN LATERAL (SELECT r.id, r.uuid, r.name, r.type, r.removed FROM %s.former_rows r" \
" WHERE r.relation OPERATOR(pg_catalog.=) '" relation "'" \
" AND r.id OPERATOR(pg_catalog.=) " key \
" AND r.until OPERATOR(pg_catalog.>) " time " ORDER BY r.until LIMIT 1) " alias " ON true"

#define NO_FORMER_ROW(alias, relation, key, time) \
" CROSS JOIN (SELECT NULL::pg_catalog.int8 AS id, NULL::pg_catalog.uuid AS uuid," \
" NULL::pg_catalog.text AS name, NULL::pg_catalog.text AS type," \
" NULL::pg_catalog.timestamptz AS removed) " alias

#define THEN(alias, present, column) \
"CASE WHEN " alias ".id IS NULL THEN " present " ELSE " alias "." column " END"

/* With OFFSET 0 the plan fetches each instance by its key. */
#define NETWORK_INSTANCES_SQL(FORMER) \
"SELECT m.instance_id, " THEN("f", "i.uuid", "uuid") ", " THEN("f", "i.name", "name") "," \
" " THEN("f", "i.type", "type") ", m.nic_count, m.nic_id, m.since, m.until" \
" FROM (SELECT DISTINCT ON (s.instance_id) s.instance_id, s.nic_id," \
"   s.\"from\" AS since, s.\"to\" AS until," \
"   pg_catalog.count(*) OVER (PARTITION BY s.instance_id) AS nic_count" \
"  FROM %s.nic_intervals s" \
"  WHERE s.network_id OPERATOR(pg_catalog.=) $1" \
"   AND s.\"from\" OPERATOR(pg_catalog.<=) $2" \
"   AND (s.\"to\" IS NULL OR s.\"to\" OPERATOR(pg_catalog.>) $2)" \
"   AND s.instance_id IS NOT NULL" \
"  ORDER BY s.instance_id, s.nic_id) m" \
" CROSS JOIN LATERAL (SELECT uuid, name, type, removed FROM %s.all_instances" \
"  WHERE id OPERATOR(pg_catalog.=) m.instance_id OFFSET 0) i" \
FORMER("f", "instances", "m.instance_id", "$2") \
" CROSS JOIN LATERAL (SELECT " THEN("f", "i.removed", "removed") " AS removed) t" \
" WHERE (t.removed IS NULL OR t.removed OPERATOR(pg_catalog.>) $2)" \
" AND EXISTS (SELECT 1 FROM %s.all_networks w" \
FORMER("f", "networks", "w.id", "$2") \
"  CROSS JOIN LATERAL (SELECT " THEN("f", "w.removed", "removed") " AS removed) t" \
"  WHERE w.id OPERATOR(pg_catalog.=) $1" \
"   AND (t.removed IS NULL OR t.removed OPERATOR(pg_catalog.>) $2))" \
" ORDER BY m.instance_id"

static const char network_instances_sql[] = NETWORK_INSTANCES_SQL(NO_FORMER_ROW);
static const char network_instances_former_sql[] = NETWORK_INSTANCES_SQL(FORMER_ROW);

/*
 * The row of the NIC, not history, has its creation, and also the removal of a NIC
 * that was removed before history began.
 */
static const char nic_timeline_sql[] =
"SELECT e.seq, e.at, e.event, e.from_state, e.to_state, e.network_id, e.instance_id, e.removed,"
" pg_catalog.lead(e.at) OVER (ORDER BY e.part, e.seq),"
" e.session_username, e.actor, e.reason, e.application_name, e.transaction_id"
" FROM (SELECT 1 AS part, NULL::pg_catalog.int8 AS seq, n.created AS at, 'Created' AS event,"
"   NULL::pg_catalog.text AS from_state,"
"   coalesce((SELECT f.from_state FROM %s.nic_history f"
"     WHERE f.nic_id OPERATOR(pg_catalog.=) $1 ORDER BY f.seq LIMIT 1),"
"    CASE WHEN n.removed IS NULL THEN n.state END) AS to_state,"
"   coalesce((SELECT f.from_network_id FROM %s.nic_history f"
"     WHERE f.nic_id OPERATOR(pg_catalog.=) $1 AND f.from_network_id IS NOT NULL"
"     ORDER BY f.seq LIMIT 1), n.network_id) AS network_id,"
"   n.instance_id, NULL::pg_catalog.timestamptz AS removed,"
"   NULL::pg_catalog.text AS session_username, NULL::pg_catalog.text AS actor,"
"   NULL::pg_catalog.text AS reason, NULL::pg_catalog.text AS application_name,"
"   NULL::pg_catalog.int8 AS transaction_id"
"  FROM %s.all_nics n WHERE n.id OPERATOR(pg_catalog.=) $1"
"  UNION ALL"
"  SELECT 2, h.seq, h.at, h.event, h.from_state, h.to_state, h.network_id, h.instance_id,"
"   h.removed, h.session_username, h.actor, h.reason, h.application_name, h.transaction_id"
"  FROM %s.nic_history h WHERE h.nic_id OPERATOR(pg_catalog.=) $1"
"  UNION ALL"
"  SELECT 3, NULL, n.removed, 'Removed', NULL, n.state, n.network_id, n.instance_id,"
"   n.removed, NULL, NULL, NULL, NULL, NULL"
"  FROM %s.all_nics n WHERE n.id OPERATOR(pg_catalog.=) $1 AND n.removed IS NOT NULL"
"   AND NOT EXISTS (SELECT 1 FROM %s.nic_history h"
"    WHERE h.nic_id OPERATOR(pg_catalog.=) $1 AND h.removed IS NOT NULL)) e"
" ORDER BY e.part, e.seq";

/*
 * The same where an id may have had several rows: one after the other, each with
 * the entries of history up to its last one.  A row is another object if the one
 * before it says so; it then has a creation of its own.
 */
static const char nic_timeline_former_sql[] =
"WITH part AS (SELECT l.*, pg_catalog.row_number() OVER w AS n,"
"  coalesce(pg_catalog.lag(l.last) OVER w, 0) AS after,"
"  GREATEST(l.created, pg_catalog.lag(l.until) OVER w) AS since,"
"  coalesce(pg_catalog.lag(l.reused) OVER w, true) AS is_new"
" FROM (SELECT r.until, r.seq AS last, r.reused, r.created, r.removed, r.state,"
"   r.network_id, r.instance_id"
"  FROM %s.former_rows r"
"  WHERE r.relation OPERATOR(pg_catalog.=) 'nics' AND r.id OPERATOR(pg_catalog.=) $1"
"  UNION ALL"
"  SELECT NULL, NULL, false, n.created, n.removed, n.state, n.network_id, n.instance_id"
"  FROM %s.all_nics n WHERE n.id OPERATOR(pg_catalog.=) $1) l"
" WINDOW w AS (ORDER BY l.until)),"
" life AS (SELECT l.*, EXISTS (SELECT 1 FROM %s.nic_history h"
"   WHERE h.nic_id OPERATOR(pg_catalog.=) $1 AND h.removed IS NOT NULL"
"    AND h.seq OPERATOR(pg_catalog.>) l.after"
"    AND (l.last IS NULL OR h.seq OPERATOR(pg_catalog.<=) l.last)) AS removal_seen FROM part l)"
" SELECT e.seq, e.at, e.event, e.from_state, e.to_state, e.network_id, e.instance_id, e.removed,"
" pg_catalog.lead(e.at) OVER (ORDER BY e.n, e.part, e.seq),"
" e.session_username, e.actor, e.reason, e.application_name, e.transaction_id"
" FROM (SELECT l.n, 1 AS part, NULL::pg_catalog.int8 AS seq, l.since AS at, 'Created' AS event,"
"   NULL::pg_catalog.text AS from_state,"
"   CASE WHEN l.removed IS NULL OR l.removal_seen THEN"
"    coalesce((SELECT f.from_state FROM %s.nic_history f"
"      WHERE f.nic_id OPERATOR(pg_catalog.=) $1 AND f.seq OPERATOR(pg_catalog.>) l.after"
"      ORDER BY f.seq LIMIT 1), l.state) END AS to_state,"
"   coalesce((SELECT f.from_network_id FROM %s.nic_history f"
"     WHERE f.nic_id OPERATOR(pg_catalog.=) $1 AND f.from_network_id IS NOT NULL"
"      AND f.seq OPERATOR(pg_catalog.>) l.after"
"      AND (l.last IS NULL OR f.seq OPERATOR(pg_catalog.<=) l.last)"
"     ORDER BY f.seq LIMIT 1), l.network_id) AS network_id,"
"   l.instance_id, NULL::pg_catalog.timestamptz AS removed,"
"   NULL::pg_catalog.text AS session_username, NULL::pg_catalog.text AS actor,"
"   NULL::pg_catalog.text AS reason, NULL::pg_catalog.text AS application_name,"
"   NULL::pg_catalog.int8 AS transaction_id"
"  FROM life l WHERE l.is_new"
"  UNION ALL"
"  SELECT 1 OPERATOR(pg_catalog.+) (SELECT pg_catalog.count(*) FROM life l"
"    WHERE l.last OPERATOR(pg_catalog.<) h.seq), 2, h.seq, h.at, h.event, h.from_state,"
"   h.to_state, h.network_id, h.instance_id,"
"   h.removed, h.session_username, h.actor, h.reason, h.application_name, h.transaction_id"
"  FROM %s.nic_history h WHERE h.nic_id OPERATOR(pg_catalog.=) $1"
"  UNION ALL"
"  SELECT l.n, 3, NULL, l.removed, 'Removed', NULL, l.state, l.network_id, l.instance_id,"
"   l.removed, NULL, NULL, NULL, NULL, NULL"
"  FROM life l WHERE l.removed IS NOT NULL AND NOT l.removal_seen"
"   AND (l.is_new OR l.removed OPERATOR(pg_catalog.>) l.since)) e"
" ORDER BY e.n, e.part, e.seq";

/*
 * Where the NIC of an address was.  The view of a mirror is a UNION ALL of joins, into
 * which no join condition is pushed: as a join, all NICs would be read.  A live
 * inventory is joined as sets, since mysql_fdw may lose parameters.
 */
#define NO_FORMER_ROW_INTERVALS \
" JOIN %s.nic_intervals s ON s.nic_id OPERATOR(pg_catalog.=) a.nic_id"
#define FORMER_ROW_INTERVALS \
" CROSS JOIN LATERAL (SELECT network_id, instance_id, \"from\", \"to\" FROM %s.nic_intervals" \
"  WHERE nic_id OPERATOR(pg_catalog.=) a.nic_id OFFSET 0) s"

/*
 * A NIC had an address, its own or a secondary one, while it was active and had
 * not been given another one.  If "from" equals "to", the period is that moment.
 */
#define HOLDERS_SQL(FORMER, mac, kind, condition) \
"SELECT a.nic_id, " THEN("fn", "n.uuid", "uuid") ", " THEN("fn", "n.vm_type", "type") "," \
" s.instance_id, " THEN("fi", "i.uuid", "uuid") ", " THEN("fi", "i.name", "name") "," \
" s.network_id, " THEN("fw", "w.name", "name") "," \
" " mac ", a.ip4_address, a.ip6_address, p.since, p.until" kind \
" FROM %s.nic_address_intervals a" \
FORMER##_INTERVALS \
" JOIN %s.all_nics n ON n.id OPERATOR(pg_catalog.=) a.nic_id" \
" JOIN %s.all_networks w ON w.id OPERATOR(pg_catalog.=) s.network_id" \
" LEFT JOIN %s.all_instances i ON i.id OPERATOR(pg_catalog.=) s.instance_id" \
" CROSS JOIN LATERAL (SELECT GREATEST(a.\"from\", s.\"from\") AS since," \
"  LEAST(a.\"to\", s.\"to\") AS until) p" \
FORMER("fn", "nics", "a.nic_id", "p.since") \
FORMER("fw", "networks", "s.network_id", "p.since") \
FORMER("fi", "instances", "s.instance_id", "p.since") \
" WHERE " condition \
" AND (p.until IS NULL OR p.until OPERATOR(pg_catalog.>) p.since)" \
" AND ($2 IS NULL OR p.until IS NULL OR p.until OPERATOR(pg_catalog.>) $2)" \
" AND ($3 IS NULL OR p.since OPERATOR(pg_catalog.<) $3 OR p.since OPERATOR(pg_catalog.=) $2)"

/*
 * With a secondary address, the MAC address that its NIC had when it began: that of
 * the first row that had not ended.
 */
#define FORMER_MAC \
" UNION ALL SELECT m.\"to\", m.mac_address FROM %s.former_nic_addresses m" \
" WHERE m.nic_id OPERATOR(pg_catalog.=) a.nic_id AND m.secondary_ip_id IS NULL"

#define HOLDER_MAC(FORMER) \
"CASE WHEN a.kind OPERATOR(pg_catalog.=) 'nic' THEN a.mac_address ELSE (SELECT m.mac_address" \
" FROM (SELECT m.until, m.mac_address FROM %s.nic_address_history m" \
"  WHERE m.nic_id OPERATOR(pg_catalog.=) a.nic_id AND m.secondary_ip_id IS NULL" FORMER \
"  UNION ALL SELECT NULL, n.mac_address) m" \
" WHERE m.until IS NULL OR m.until OPERATOR(pg_catalog.>) p.since ORDER BY m.until LIMIT 1) END"

/*
 * An address that is Allocated and that no live NIC of its networks has: one that a
 * network or an instance has by NAT.  Only the present allocation is known.
 */
#define PUBLIC_HOLDERS_SQL(column, ip4, ip6, bits) \
"SELECT NULL, NULL, NULL, p.instance_id, i.uuid, i.name, w.id, w.name, NULL, " ip4 ", " ip6 "," \
" COALESCE(p.allocated, p.created), NULL, 'public', p.id" \
" FROM %s.ip_addresses p" \
" LEFT JOIN %s.all_networks w ON w.id OPERATOR(pg_catalog.=)" \
"  COALESCE(p.network_id, p.source_network_id)" \
" LEFT JOIN %s.all_instances i ON i.id OPERATOR(pg_catalog.=) p.instance_id" \
" WHERE " IN_NETWORK("p.ip_address", bits) \
" AND pg_catalog.family(p.ip_address) OPERATOR(pg_catalog.=) pg_catalog.family($1)" \
" AND p.state OPERATOR(pg_catalog.=) 'Allocated'" \
" AND ($3 IS NULL OR COALESCE(p.allocated, p.created) OPERATOR(pg_catalog.<) $3" \
"  OR COALESCE(p.allocated, p.created) OPERATOR(pg_catalog.=) $2)" \
" AND NOT EXISTS (SELECT 1 FROM %s.nics n WHERE n." column " OPERATOR(pg_catalog.=) p.ip_address" \
"  AND (n.network_id OPERATOR(pg_catalog.=) p.source_network_id" \
"   OR n.network_id OPERATOR(pg_catalog.=) p.network_id))" \
" AND NOT EXISTS (SELECT 1 FROM %s.nic_secondary_ips o" \
"  WHERE o." column " OPERATOR(pg_catalog.=) p.ip_address" \
"  AND (o.network_id OPERATOR(pg_catalog.=) p.source_network_id" \
"   OR o.network_id OPERATOR(pg_catalog.=) p.network_id))"

/* In the order of times; those of one NIC with its own addresses first. */
#define IP_HOLDERS_SQL(FORMER, former_mac, column, ip4, ip6, bits) \
"SELECT h.nic_id, h.nic_uuid, h.vm_type, h.instance_id, h.instance_uuid, h.instance_name," \
" h.network_id, h.network_name, h.mac_address, h.ip4_address, h.ip6_address," \
" h.since, h.until, h.kind FROM (" \
HOLDERS_SQL(FORMER, HOLDER_MAC(former_mac), ", a.kind, a.secondary_ip_id", \
			IN_NETWORK("a." column, bits)) \
" UNION ALL " PUBLIC_HOLDERS_SQL(column, ip4, ip6, bits) \
") h (nic_id, nic_uuid, vm_type, instance_id, instance_uuid, instance_name, network_id," \
" network_name, mac_address, ip4_address, ip6_address, since, until, kind, address_id)" \
" ORDER BY h.since, h.nic_id, h.network_id, h.kind, h.address_id"

#define IP4_HOLDERS_SQL(FORMER, former_mac) \
IP_HOLDERS_SQL(FORMER, former_mac, "ip4_address", "p.ip_address", "NULL", "32")
#define IP6_HOLDERS_SQL(FORMER, former_mac) \
IP_HOLDERS_SQL(FORMER, former_mac, "ip6_address", "NULL", "p.ip_address", "128")

#define MAC_HOLDERS_SQL(FORMER) \
HOLDERS_SQL(FORMER, "a.mac_address", "", "a.mac_address OPERATOR(pg_catalog.=) $1") \
" ORDER BY p.since, a.nic_id, s.network_id"

/* Addresses between the first and the last one of $1, and in it. */
#define IN_NETWORK(column, bits) \
column " OPERATOR(pg_catalog.>=) pg_catalog.network($1)" \
" AND " column " OPERATOR(pg_catalog.<=)" \
" pg_catalog.set_masklen(pg_catalog.broadcast($1), " bits ")" \
" AND " column " OPERATOR(pg_catalog.<<=) $1"

static const char ip4_holders_sql[] =
IP4_HOLDERS_SQL(NO_FORMER_ROW, "");
static const char ip6_holders_sql[] =
IP6_HOLDERS_SQL(NO_FORMER_ROW, "");
static const char mac_holders_sql[] = MAC_HOLDERS_SQL(NO_FORMER_ROW);

static const char ip4_holders_former_sql[] =
IP4_HOLDERS_SQL(FORMER_ROW, FORMER_MAC);
static const char ip6_holders_former_sql[] =
IP6_HOLDERS_SQL(FORMER_ROW, FORMER_MAC);
static const char mac_holders_former_sql[] = MAC_HOLDERS_SQL(FORMER_ROW);

static const char nics_stuck_for_sql[] =
"SELECT n.id, n.uuid, n.network_id, n.instance_id, n.vm_type, n.state, n.state_changed,"
" pg_catalog.now() OPERATOR(pg_catalog.-) n.state_changed,"
" h.event, h.session_username, h.actor, h.reason, h.application_name"
" FROM %s.all_nics n LEFT JOIN LATERAL ("
"  SELECT h.event, h.session_username, h.actor, h.reason, h.application_name"
"  FROM %s.nic_history h WHERE h.nic_id OPERATOR(pg_catalog.=) n.id"
"  ORDER BY h.seq DESC LIMIT 1) h ON true"
" WHERE n.active"
" AND (n.state OPERATOR(pg_catalog.=) 'Reserving' OR n.state OPERATOR(pg_catalog.=) 'Releasing')"
" AND n.state_changed OPERATOR(pg_catalog.<=) (pg_catalog.now() OPERATOR(pg_catalog.-) $1)"
" ORDER BY n.state_changed, n.id";

/* The conditions for a NIC to be listed on its network, in order. */
static const char nic_explain_sql[] =
"SELECT r.rule, r.verdict, r.value, r.explanation"
" FROM (SELECT $1 AS id) k"
" LEFT JOIN %s.all_nics n ON n.id OPERATOR(pg_catalog.=) k.id"
" LEFT JOIN %s.all_networks w ON w.id OPERATOR(pg_catalog.=) n.network_id"
" LEFT JOIN %s.all_instances i ON i.id OPERATOR(pg_catalog.=) n.instance_id"
" CROSS JOIN LATERAL (SELECT pg_catalog.string_agg(v.kind OPERATOR(pg_catalog.||)"
"   pg_catalog.host(v.address), ', ' ORDER BY v.kind, v.address) AS value"
"  FROM (VALUES ('', n.ip4_address), ('', n.ip6_address)"
"   UNION ALL SELECT 'secondary ', x.address FROM %s.all_nic_secondary_ips o"
"    CROSS JOIN LATERAL (VALUES (o.ip4_address), (o.ip6_address)) x (address)"
"    WHERE o.nic_id OPERATOR(pg_catalog.=) n.id AND o.active) v (kind, address)"
"  WHERE v.address IS NOT NULL) d"
" CROSS JOIN LATERAL (VALUES"
"  (1, 'the NIC exists', n.id IS NOT NULL, 'id ' OPERATOR(pg_catalog.||) k.id::pg_catalog.text,"
"   'There is a row with this id in all_nics.'),"
"  (2, 'the NIC is not removed', n.removed IS NULL,"
"   'removed ' OPERATOR(pg_catalog.||) coalesce(n.removed::pg_catalog.text, 'is NULL'),"
"   'A removed NIC is gone for good.'),"
"  (3, 'the NIC is not being deallocated', n.active OR n.removed IS NOT NULL AND (n.state IS NULL "
"OR pg_catalog.lower(n.state COLLATE \"C\") OPERATOR(pg_catalog.<>) 'deallocating'),"
"   'state ' OPERATOR(pg_catalog.||) coalesce(n.state, 'is NULL'),"
"   'A NIC whose removal stopped half-way is Deallocating and not active.'),"
"  (4, 'the NIC is active', n.active,"
"   'active is ' OPERATOR(pg_catalog.||) n.active::pg_catalog.text,"
"   'Both of the rules before: this is what the view nics shows.'),"
"  (5, 'the NIC belongs to an instance', n.instance_id IS NOT NULL,"
"   'instance ' OPERATOR(pg_catalog.||) coalesce(n.instance_id::pg_catalog.text, 'is NULL'),"
"   'A placeholder has no instance: it keeps an address, and is listed as no instance.'),"
"  (6, 'the instance is not removed', CASE WHEN n.instance_id IS NOT NULL THEN i.id IS NOT NULL "
"AND i.removed IS NULL END,"
"   'instance ' OPERATOR(pg_catalog.||) n.instance_id::pg_catalog.text OPERATOR(pg_catalog.||)"
"    CASE WHEN i.id IS NULL THEN ' does not exist' ELSE ': removed ' OPERATOR(pg_catalog.||)"
"    coalesce(i.removed::pg_catalog.text, 'is NULL' OPERATOR(pg_catalog.||) coalesce(', state ' "
"OPERATOR(pg_catalog.||) i.state, '')) END,"
"   CASE WHEN n.active AND i.removed IS NOT NULL"
"    AND i.state OPERATOR(pg_catalog.=) 'Expunging'"
"    THEN 'Perhaps preserved on purpose: CloudStack leaves the NICs of an instance that it "
"unmanages, where unmanage.vm.preserve.nics is true, to keep their MAC addresses taken.'"
"    ELSE 'An instance counts in every state until it is removed: a stopped one keeps its "
"NICs.' END),"
"  (7, 'the network is not removed', w.id IS NOT NULL AND w.removed IS NULL,"
"   'network ' OPERATOR(pg_catalog.||) n.network_id::pg_catalog.text OPERATOR(pg_catalog.||)"
"    CASE WHEN w.id IS NULL THEN ' does not exist' ELSE ': removed ' OPERATOR(pg_catalog.||)"
"    coalesce(w.removed::pg_catalog.text, 'is NULL' OPERATOR(pg_catalog.||) coalesce(', state ' "
"OPERATOR(pg_catalog.||) w.state, '')) END,"
"   'Nothing is active on a removed network.'),"
"  (8, 'the instance is listed on the network',"
"   n.active AND i.id IS NOT NULL AND i.removed IS NULL AND w.id IS NOT NULL AND w.removed IS "
"NULL, NULL,"
"   'All of the rules before: this is what network_active_instances() returns.'),"
"  (9, 'the NIC holds its addresses', CASE WHEN d.value IS NOT NULL THEN n.active END, d.value,"
"   'While it is active, ip_holders() finds it by its own address and by secondary ones.')"
" ) r (ord, rule, verdict, value, explanation)"
" WHERE n.id IS NOT NULL OR r.ord OPERATOR(pg_catalog.=) 1"
" ORDER BY r.ord";

/*
 * What is known of a network, in order.  ABSENT is when its source had it no
 * more, and how many networks had its id before, as far as a mirror knows.
 */
#define NETWORK_EXPLAIN_SQL(absent) \
"SELECT r.rule, r.verdict, r.value, r.explanation" \
" FROM (SELECT $1 AS id) k" \
" LEFT JOIN %s.all_networks w ON w.id OPERATOR(pg_catalog.=) k.id" \
" CROSS JOIN LATERAL (SELECT" \
"  pg_catalog.count(*) FILTER (WHERE n.active OR n.removed IS NULL) AS held," \
"  pg_catalog.count(*) FILTER (WHERE NOT n.active AND n.removed IS NULL) AS half_removed," \
"  pg_catalog.count(*) FILTER (WHERE n.active) AS active," \
"  pg_catalog.count(*) FILTER (WHERE n.active AND n.instance_id IS NULL) AS placeholders," \
"  pg_catalog.count(*) FILTER (WHERE n.active AND n.instance_id IS NOT NULL" \
"   AND i.active IS NOT TRUE) AS orphans," \
"  pg_catalog.count(DISTINCT n.instance_id) FILTER (WHERE n.active AND i.active) AS instances" \
"  FROM %s.all_nics n LEFT JOIN %s.all_instances i ON i.id OPERATOR(pg_catalog.=) n.instance_id" \
"  WHERE n.network_id OPERATOR(pg_catalog.=) k.id) c" \
" CROSS JOIN LATERAL (SELECT pg_catalog.count(DISTINCT h.nic_id) AS nics FROM %s.nic_history h" \
"  WHERE h.network_id OPERATOR(pg_catalog.=) k.id AND NOT EXISTS (SELECT 1 FROM %s.all_nics n" \
"   WHERE n.id OPERATOR(pg_catalog.=) h.nic_id)) p" \
absent \
" CROSS JOIN LATERAL (VALUES" \
"  (1, 'the network exists', w.id IS NOT NULL," \
"   'id ' OPERATOR(pg_catalog.||) k.id::pg_catalog.text" \
"    OPERATOR(pg_catalog.||) CASE WHEN w.id IS NULL AND (a.former OPERATOR(pg_catalog.>) 0" \
"    OR p.nics OPERATOR(pg_catalog.>) 0) THEN ', which history has: it was purged' ELSE '' END," \
"   'There is a row with this id in all_networks.')," \
"  (2, 'the network is not removed', w.active," \
"   'removed ' OPERATOR(pg_catalog.||) coalesce(w.removed::pg_catalog.text, 'is NULL')" \
"    OPERATOR(pg_catalog.||) coalesce(', state ' OPERATOR(pg_catalog.||) w.state, '')," \
"   'Nothing is active on a removed network, and its row stays.')," \
"  (3, 'the source has the network', CASE WHEN a.former IS NOT NULL" \
"    THEN a.vanished IS NULL END," \
"   'missing since ' OPERATOR(pg_catalog.||) a.vanished::pg_catalog.text," \
"   'A mirror keeps as removed what its source has no more. Other inventories have no source.')," \
"  (4, 'no other network had this id', a.former OPERATOR(pg_catalog.=) 0," \
"   a.former::pg_catalog.text OPERATOR(pg_catalog.||) ' former rows'," \
"   'A mirror keeps former rows of an id in former_rows.')," \
"  (5, 'the network holds no NIC', c.held OPERATOR(pg_catalog.=) 0," \
"   c.held::pg_catalog.text OPERATOR(pg_catalog.||) ' held NICs, of which '" \
"    OPERATOR(pg_catalog.||) c.half_removed::pg_catalog.text" \
"    OPERATOR(pg_catalog.||) ' are half-removed'," \
"   'A held NIC keeps the network from being removed, a half-removed one too.')," \
"  (6, 'the network has active NICs', c.active OPERATOR(pg_catalog.>) 0," \
"   c.active::pg_catalog.text OPERATOR(pg_catalog.||) ' active NICs, of which '" \
"    OPERATOR(pg_catalog.||) c.placeholders::pg_catalog.text" \
"    OPERATOR(pg_catalog.||) ' are placeholders'," \
"   'A placeholder has no instance: it keeps an address, and is listed as no instance.')," \
"  (7, 'no active NIC is of a removed instance', c.orphans OPERATOR(pg_catalog.=) 0," \
"   c.orphans::pg_catalog.text OPERATOR(pg_catalog.||) ' active NICs of removed instances'," \
"   'Such a NIC is not listed, and its address is taken.')," \
"  (8, 'no NIC of the network was purged', p.nics OPERATOR(pg_catalog.=) 0," \
"   p.nics::pg_catalog.text OPERATOR(pg_catalog.||) ' purged NICs in history'," \
"   'History keeps entries of NICs whose rows were deleted for good, unless it was purged too.')," \
"  (9, 'instances are listed on the network', w.active AND c.instances OPERATOR(pg_catalog.>) 0," \
"   CASE WHEN w.active THEN c.instances ELSE 0 END::pg_catalog.text" \
"    OPERATOR(pg_catalog.||) ' active instances'," \
"   'The network is not removed and has active NICs of instances that are not removed: '" \
"    OPERATOR(pg_catalog.||) 'this is what network_active_instances() returns.')" \
" ) r (ord, rule, verdict, value, explanation)" \
" WHERE w.id IS NOT NULL OR r.ord OPERATOR(pg_catalog.=) 1" \
" ORDER BY r.ord"

static const char network_explain_sql[] =
NETWORK_EXPLAIN_SQL(" CROSS JOIN (SELECT NULL::pg_catalog.timestamptz AS vanished,"
					" NULL::pg_catalog.int8 AS former) a");

static const char network_explain_former_sql[] =
NETWORK_EXPLAIN_SQL(" CROSS JOIN LATERAL (SELECT (SELECT v.vanished FROM %s.import_vanished v"
					"  WHERE v.relation OPERATOR(pg_catalog.=) 'networks'"
					"  AND v.id OPERATOR(pg_catalog.=) k.id) AS vanished,"
					" (SELECT pg_catalog.count(*) FROM %s.former_rows f"
					"  WHERE f.relation OPERATOR(pg_catalog.=) 'networks'"
					"  AND f.id OPERATOR(pg_catalog.=) k.id) AS former) a");

/* Refuses a query whose columns an attached inventory does not have. */
static void
check_columns(Oid schema, HistoryReadKind kind)
{
	attached_check_keys(schema);
	switch (kind)
	{
		case READ_NETWORK_INSTANCES:
			attached_check_column(schema, "nics", "removed");
			attached_check_column(schema, "nics", "created");
			attached_check_times(schema, "nics");
			attached_check_times(schema, "networks");
			attached_check_times(schema, "instances");
			break;
		case READ_NIC_TIMELINE:
			attached_check_history(schema);
			break;
		case READ_IP4_HOLDERS:
		case READ_IP6_HOLDERS:
		case READ_MAC_HOLDERS:
			attached_check_column(schema, "nics", kind == READ_IP4_HOLDERS ? "ip4_address" :
								  kind == READ_IP6_HOLDERS ? "ip6_address" : "mac_address");
			attached_check_column(schema, "nics", "created");
			attached_check_times(schema, "nics");
			break;
		case READ_STUCK_NICS:
			attached_check_column(schema, "nics", "state");
			attached_check_column(schema, "nics", "state_changed");
			break;
		case READ_NIC_EXPLAIN:
		case READ_NETWORK_EXPLAIN:
			break;
	}
}

/* Added to a HistoryReadKind: ids may have had several rows. */
#define WITH_FORMER_ROWS	100

/*
 * Appends the text of a query, for saved_query_lookup(); column is the
 * HistoryReadKind, with WITH_FORMER_ROWS added or not.
 */
static void
history_read_query(StringInfo sql, Oid schema, int column)
{
	static const char *const texts[] = {
		network_instances_sql, nic_timeline_sql, ip4_holders_sql,
		ip6_holders_sql, mac_holders_sql, nics_stuck_for_sql, nic_explain_sql,
		network_explain_sql
	};
	static const char *const former_texts[] = {
		network_instances_former_sql, nic_timeline_former_sql, ip4_holders_former_sql,
		ip6_holders_former_sql, mac_holders_former_sql, nics_stuck_for_sql, nic_explain_sql,
		network_explain_former_sql
	};
	const char *name = quote_identifier(require_namespace_name(schema));
	const char *text = column >= WITH_FORMER_ROWS ? former_texts[column - WITH_FORMER_ROWS] :
	texts[column];

	require_one_owner(schema);
	check_columns(schema, column % WITH_FORMER_ROWS);

	/* No query names the inventory more than fifteen times. */
	appendStringInfo(sql, text, name, name, name, name, name, name, name, name, name, name,
					 name, name, name, name, name);
}

/*
 * Returns the rows of a query with the first arguments of the function; the
 * inventory is the argument after them.  No rows if the first one is NULL.
 */
static Datum
history_read_set(FunctionCallInfo fcinfo, HistoryReadKind kind, int nargs,
				 Oid *argtypes, int options)
{
	ReturnSetInfo *rsinfo = (ReturnSetInfo *) fcinfo->resultinfo;
	Datum		values[3];
	bool		nulls[3];
	Oid			schema;
	RunAs		saved;
	int			query;
	int			i;

	InitMaterializedSRF(fcinfo, 0);
	schema = kind == READ_NIC_EXPLAIN || kind == READ_NETWORK_EXPLAIN ?
		inventory_resolve_fresh_arg(fcinfo, nargs) : inventory_resolve_arg(fcinfo, nargs);
	if (PG_ARGISNULL(0))
		return (Datum) 0;

	for (i = 0; i < nargs; i++)
	{
		nulls[i] = PG_ARGISNULL(i);
		values[i] = nulls[i] ? (Datum) 0 : PG_GETARG_DATUM(i);
	}

	query = kind;
	if (OidIsValid(get_relname_relid("former_rows", schema)))
		query += WITH_FORMER_ROWS;

	run_as_inventory_owner(schema, &saved);
	refuse_outsider(fcinfo, schema);
	SPI_connect();
	read_into_result(saved_query_lookup(QUERY_HISTORY_READ, schema, query, history_read_query,
										nargs, argtypes, options),
					 nargs, argtypes, values, nulls, rsinfo);
	SPI_finish();
	run_as_end(&saved);
	return (Datum) 0;
}

/*
 * Returns the instances that were active on a network at a time.
 */
PG_FUNCTION_INFO_V1(network_instances_as_of);

Datum
network_instances_as_of(PG_FUNCTION_ARGS)
{
	Oid			argtypes[2] = {INT8OID, TIMESTAMPTZOID};

	return history_read_set(fcinfo, READ_NETWORK_INSTANCES, 2, argtypes,
							CURSOR_OPT_GENERIC_PLAN);
}

/*
 * Returns the changes of a NIC, in their order.
 */
PG_FUNCTION_INFO_V1(nic_timeline);

Datum
nic_timeline(PG_FUNCTION_ARGS)
{
	Oid			argtypes[1] = {INT8OID};

	return history_read_set(fcinfo, READ_NIC_TIMELINE, 1, argtypes, CURSOR_OPT_GENERIC_PLAN);
}

/*
 * Raises an error if the start of a period is after its end.
 */
static void
check_period(FunctionCallInfo fcinfo)
{
	if (PG_ARGISNULL(1) || PG_ARGISNULL(2) ||
		PG_GETARG_TIMESTAMPTZ(1) <= PG_GETARG_TIMESTAMPTZ(2))
		return;

	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("\"from\" must not be after \"to\""),
			 errdetail("\"from\" is %s, \"to\" is earlier.",
					   timestamptz_to_str(PG_GETARG_TIMESTAMPTZ(1))),
			 errhint("Leave one out, or give NULL, for a period without that end; give the same "
					 "time twice for a moment.")));
}

/*
 * Returns the NICs that had an IP address, or one in a range, in a period.
 */
PG_FUNCTION_INFO_V1(ip_holders);

Datum
ip_holders(PG_FUNCTION_ARGS)
{
	Oid			argtypes[3] = {INETOID, TIMESTAMPTZOID, TIMESTAMPTZOID};
	bool		ip6 = !PG_ARGISNULL(0) && ip_family(PG_GETARG_INET_PP(0)) == PGSQL_AF_INET6;

	check_period(fcinfo);
	/* A custom plan: the number of rows depends on the prefix length. */
	return history_read_set(fcinfo, ip6 ? READ_IP6_HOLDERS : READ_IP4_HOLDERS, 3, argtypes,
							CURSOR_OPT_CUSTOM_PLAN);
}

/*
 * Returns the NICs that had a MAC address in a period.
 */
PG_FUNCTION_INFO_V1(mac_holders);

Datum
mac_holders(PG_FUNCTION_ARGS)
{
	Oid			argtypes[3] = {MACADDROID, TIMESTAMPTZOID, TIMESTAMPTZOID};

	check_period(fcinfo);
	return history_read_set(fcinfo, READ_MAC_HOLDERS, 3, argtypes, CURSOR_OPT_CUSTOM_PLAN);
}

/*
 * Refuses an argument older_than, the first, of more than 2000 years, since it
 * is subtracted from the present time.  Each part of an interval is subtracted
 * by itself, so each has to be in range.
 */
static void
check_older_than(FunctionCallInfo fcinfo)
{
	const int64 hour = INT64CONST(3600) * 1000000;
	Interval   *age;

	if (PG_ARGISNULL(0))
		return;

	age = PG_GETARG_INTERVAL_P(0);
	if (age->month >= -2000 * 12 && age->month <= 2000 * 12 &&
		age->day >= -730000 && age->day <= 730000 &&
		age->time >= -17520000 * hour && age->time <= 17520000 * hour)
		return;

	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("older_than must be an interval of at most 2000 years"),
			 errdetail("It is %s.",
					   DatumGetCString(DirectFunctionCall1(interval_out, PG_GETARG_DATUM(0)))),
			 errhint("Omit it for 10 minutes.")));
}

/*
 * Returns the NICs that have been Reserving or Releasing for longer than a time.
 */
PG_FUNCTION_INFO_V1(nics_stuck_for);

Datum
nics_stuck_for(PG_FUNCTION_ARGS)
{
	Oid			argtypes[1] = {INTERVALOID};

	check_older_than(fcinfo);
	return history_read_set(fcinfo, READ_STUCK_NICS, 1, argtypes, CURSOR_OPT_CUSTOM_PLAN);
}

/*
 * Returns the conditions for a NIC to be listed, and whether it meets them.
 */
PG_FUNCTION_INFO_V1(nic_explain);

Datum
nic_explain(PG_FUNCTION_ARGS)
{
	Oid			argtypes[1] = {INT8OID};

	return history_read_set(fcinfo, READ_NIC_EXPLAIN, 1, argtypes, CURSOR_OPT_GENERIC_PLAN);
}

/*
 * Returns what is known of a network, one row per rule.
 */
PG_FUNCTION_INFO_V1(network_explain);

Datum
network_explain(PG_FUNCTION_ARGS)
{
	Oid			argtypes[1] = {INT8OID};

	return history_read_set(fcinfo, READ_NETWORK_EXPLAIN, 1, argtypes, CURSOR_OPT_GENERIC_PLAN);
}
