-- Who was on which network when, over the dump of a CloudStack 4.19 database:
-- as expected/as_of.tsv has it, and as the trace of all writes to NICs says.
\i test/include/load_dump.psql
\set ECHO none
CREATE TABLE expected.as_of (ts timestamp, network_id bigint, instance_id bigint);
\copy expected.as_of FROM 'test/data/cloudstack-4.19/expected/as_of.tsv' WITH (HEADER)
CREATE TABLE expected.as_of_excluded (ts timestamp, network_id bigint, instance_id bigint, was_active int, reason text);
\copy expected.as_of_excluded FROM 'test/data/cloudstack-4.19/expected/as_of_excluded.tsv' WITH (HEADER)
CREATE TABLE expected.trace (ord bigserial, at timestamp, op text, nic_id bigint, instance_id bigint, network_id bigint, from_state text, to_state text);
\copy expected.trace (at, op, nic_id, instance_id, network_id, from_state, to_state) FROM 'test/data/cloudstack-4.19/trace.tsv' WITH (HEADER)
\set ECHO all
SET client_min_messages = warning;
-- a source's times have no zone: they are UTC, whatever zone the session is in
SET TimeZone = 'America/Sao_Paulo';
CALL vmnet.import_cloudstack('cloudstack', 'cloud');

CREATE TABLE expected.sample AS
SELECT DISTINCT ts, network_id FROM expected.as_of;
CREATE TABLE answer AS
SELECT s.ts, s.network_id, a.instance_id
FROM expected.sample s, vmnet.network_instances_as_of(s.network_id, s.ts AT TIME ZONE 'UTC') a;
SELECT count(*) AS pairs, count(DISTINCT (ts, network_id)) AS samples FROM answer;
(TABLE answer EXCEPT ALL TABLE expected.as_of) UNION ALL (TABLE expected.as_of EXCEPT ALL TABLE answer);

-- the view for joins says the same
SELECT count(*) AS pairs, count(a.instance_id) AS of_the_answer
FROM expected.sample s
	JOIN cloud.network_instance_intervals i ON i.network_id = s.network_id
		AND i.from <= s.ts AT TIME ZONE 'UTC' AND (i.to IS NULL OR i.to > s.ts AT TIME ZONE 'UTC')
	LEFT JOIN answer a ON (a.ts, a.network_id, a.instance_id) = (s.ts, i.network_id, i.instance_id);

-- now is what is active now
SELECT count(*) AS differences FROM (
	(SELECT w.id, a.instance_id FROM cloud.all_networks w, vmnet.network_instances_as_of(w.id, now()) a
	EXCEPT TABLE expected.network_active_instances)
	UNION ALL
	(TABLE expected.network_active_instances
	EXCEPT SELECT w.id, a.instance_id FROM cloud.all_networks w, vmnet.network_instances_as_of(w.id, now()) a)) d
WHERE instance_id IN (SELECT id FROM cloud.instances WHERE type = 'User');

-- of a pair that the columns cannot tell a half-removed NIC is never one
SELECT e.reason, count(*) AS pairs, count(a.instance_id) AS answered
FROM expected.as_of_excluded e
	LEFT JOIN LATERAL (SELECT a.instance_id FROM vmnet.network_instances_as_of(e.network_id, e.ts AT TIME ZONE 'UTC') a
		WHERE a.instance_id = e.instance_id) a ON true
WHERE e.reason = 'half_removed_nic'
GROUP BY 1;

-- Every NIC that the columns can tell was active from the first write to the
-- one that set removed; the half-removed ones (set Deallocating, never removed)
-- were never.
CREATE TABLE expected.life AS
SELECT nic_id, min(at) AT TIME ZONE 'UTC' AS began,
	max(at) FILTER (WHERE op IN ('remove', 'remove_kept')) AT TIME ZONE 'UTC' AS ended,
	bool_or(lower(to_state) = 'deallocating') AS deallocating
FROM expected.trace GROUP BY nic_id;
SELECT CASE WHEN l.ended IS NOT NULL THEN 'removed' WHEN l.deallocating THEN 'half-removed' ELSE 'active' END AS nic,
	count(*) AS nics, count(v.nic_id) AS with_interval,
	count(*) FILTER (WHERE v.from = l.began AND v.to IS NOT DISTINCT FROM l.ended) AS as_traced
FROM expected.life l
	JOIN cloud.all_nics n ON n.id = l.nic_id
	LEFT JOIN cloud.nic_intervals v ON v.nic_id = l.nic_id
GROUP BY 1 ORDER BY 1;

-- a network that has been removed since answers for its own time, and not after
SELECT count(DISTINCT w.id) > 0 AS removed_networks,
	count(*) FILTER (WHERE before.n > 0) > 0 AS had_instances,
	count(*) FILTER (WHERE after.n > 0) AS has_them_still
FROM cloud.all_networks w,
	LATERAL (SELECT count(*) AS n FROM vmnet.network_instances_as_of(w.id, w.removed - interval '1 day')) before,
	LATERAL (SELECT count(*) AS n FROM vmnet.network_instances_as_of(w.id, w.removed)) after
WHERE w.removed IS NOT NULL;

-- the first copy has no history: nothing changed
SELECT count(*) FROM cloud.nic_history;

DROP SCHEMA cloud CASCADE;
DROP SCHEMA cloudstack CASCADE;
DROP SCHEMA expected CASCADE;
DROP TABLE answer;
