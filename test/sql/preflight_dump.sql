-- network_preflight() and instance_preflight() on the sample dump: each fault that
-- is known to be in it turns the answers about its network or instance that it
-- should, and no others; what has no fault is go.
\i test/include/load_dump.psql
CREATE TABLE expected.faults (code text, "table" text, id bigint, note text);
\copy expected.faults FROM 'test/data/cloudstack-4.19/expected/faults.tsv' WITH (HEADER)
SET client_min_messages = warning;
CALL vmnet.import_cloudstack('cloudstack', 'cloud');
RESET client_min_messages;

-- what the codes turn
CREATE TABLE expected.turns (code text, question text, verdict text);
INSERT INTO expected.turns VALUES
	('half_removed_nic', 'half-removed NICs', 'stop'),
	('live_nic_on_removed_instance', 'other contradictions', 'stop'), ('live_nic_on_removed_network', 'other contradictions', 'stop'),
	('duplicate_live_mac', 'other contradictions', 'stop'), ('duplicate_live_ip4', 'other contradictions', 'stop'),
	('default_nic_double', 'other contradictions', 'stop'), ('default_nic_missing', 'other contradictions', 'look'),
	('removed_nic_wrong_state', 'other contradictions', 'look'), ('unknown_state', 'other contradictions', 'look'),
	('counter_drift', 'other contradictions', 'look'), ('stuck_nic', 'stuck', 'look'), ('expunge_unfinished', 'stuck', 'look');
-- where the faults are: the objects and their networks; missing uuids are no reason to look
CREATE TABLE expected.places AS
SELECT f.code, n.network_id::bigint, n.instance_id::bigint FROM expected.faults f JOIN cloudstack.nics n ON f."table" = 'nics' AND n.id::bigint = f.id
UNION ALL
SELECT f.code, f.id, NULL FROM expected.faults f WHERE f."table" = 'op_networks'
UNION ALL
SELECT f.code, n.network_id::bigint, f.id FROM expected.faults f JOIN cloudstack.nics n ON n.instance_id::bigint = f.id
WHERE f."table" = 'vm_instance' AND n.removed IS NULL
UNION ALL
-- their expunge ended between the two writes of a NIC's removal
SELECT 'expunge_unfinished', n.network_id::bigint, i.id::bigint FROM cloudstack.vm_instance i JOIN cloudstack.nics n ON n.instance_id = i.id AND n.removed IS NULL
WHERE i.state = 'Expunging' AND i.removed IS NULL AND EXISTS (SELECT FROM cloudstack.nics o JOIN expected.faults f ON f.id::text = o.id
	WHERE o.instance_id = i.id AND f.code = 'half_removed_nic' AND f.note = 'crash during expunge between the two removal writes');

CREATE TABLE expected.rows AS
SELECT 'network' AS what, p.network_id AS id, t.question, max(t.verdict) AS verdict FROM expected.places p JOIN expected.turns t USING (code)
GROUP BY 2, 3
UNION ALL
SELECT 'instance', p.instance_id, t.question, max(t.verdict) FROM expected.places p JOIN expected.turns t USING (code)
WHERE p.instance_id IS NOT NULL
GROUP BY 2, 3
UNION ALL
SELECT 'network', w.id::bigint, 'network', 'stop' FROM cloudstack.networks w WHERE w.removed IS NOT NULL
UNION ALL
SELECT 'instance', i.id::bigint, 'instance', 'stop' FROM cloudstack.vm_instance i WHERE i.removed IS NOT NULL;

CREATE TABLE expected.answers AS
SELECT 'network' AS what, w.id, p.* FROM cloud.all_networks w, vmnet.network_preflight(w.id, 'cloud') p
UNION ALL
-- those of which something is expected, and some of the others
SELECT 'instance', i.id, p.* FROM cloud.all_instances i, vmnet.instance_preflight(i.id, 'cloud') p
WHERE i.id IN (SELECT e.instance_id FROM expected.places e) OR i.id % 8 = 0;
DELETE FROM expected.rows e WHERE e.what = 'instance' AND e.question = 'instance' AND e.id NOT IN (SELECT a.id FROM expected.answers a WHERE a.what = 'instance');
SELECT what, question, verdict, count(*) FROM expected.answers WHERE verdict <> 'go' AND question <> 'overall' GROUP BY 1, 2, 3 ORDER BY 1, 2, 3;
-- none is missing, and none too many
SELECT * FROM (TABLE expected.rows EXCEPT ALL
	SELECT what, id, question, verdict FROM expected.answers WHERE verdict <> 'go' AND question <> 'overall') missing ORDER BY 1, 2, 3;
SELECT * FROM (SELECT what, id, question, verdict FROM expected.answers WHERE verdict <> 'go' AND question <> 'overall'
	EXCEPT ALL TABLE expected.rows) too_many ORDER BY 1, 2, 3;

-- the last row is the worst of the others, and says what comes next unless it is go
SELECT a.what, a.verdict, count(*), bool_and(a.next IS NULL) AS nothing_next,
	bool_and(a.verdict = coalesce((SELECT max(e.verdict) FROM expected.rows e WHERE (e.what, e.id) = (a.what, a.id)), 'go')) AS as_expected
FROM expected.answers a WHERE a.question = 'overall' GROUP BY 1, 2 ORDER BY 1, 2;
SELECT count(*) FILTER (WHERE (verdict = 'go') <> (next IS NULL)) AS next_at_the_wrong_place FROM expected.answers;

-- the questions, in their order, of a network without a fault
SELECT question, verdict, next FROM vmnet.network_preflight((SELECT min(id) FROM expected.answers
	WHERE what = 'network' AND question = 'overall' AND verdict = 'go'), 'cloud');

SET client_min_messages = warning;
DROP SCHEMA cloudstack, cloud, expected CASCADE;
