-- network_blockers() and instance_blockers() name what the guards refuse a
-- removal for; network_validation shows the ways of counting side by side.
\i test/tap/setup.psql
SELECT plan(32);

INSERT INTO cloud.networks (id, name) SELECT g, 'n' || g FROM generate_series(1, 6) g;
INSERT INTO cloud.instances (id, name, type, state) SELECT g, 'i' || g, CASE WHEN g = 8 THEN 'DomainRouter' ELSE 'User' END, 'Running' FROM generate_series(1, 9) g;
-- network 1: NICs in every state, a placeholder (Reserved, and of vm_type User) and one that has left
INSERT INTO cloud.nics (id, instance_id, network_id, state) SELECT g, g, 1, 'Allocated' FROM generate_series(1, 7) g;
INSERT INTO cloud.nics (id, network_id, strategy, state) VALUES (10, 1, 'PlaceHolder', 'Reserved');
UPDATE cloud.nics SET state = 'Reserving' WHERE id IN (2, 3, 4);
UPDATE cloud.nics SET state = 'Reserved' WHERE id IN (3, 4);
UPDATE cloud.nics SET state = 'Releasing' WHERE id = 4;
UPDATE cloud.nics SET state = 'Deallocating' WHERE id IN (5, 6);
DELETE FROM cloud.nics WHERE id = 7;
-- network 2: a router; instance 1 too, and half of it is gone; 3: nobody any more; 4: a placeholder; 5: never anybody; 6: removed
INSERT INTO cloud.nics (id, instance_id, network_id, vm_type) VALUES (20, 8, 2, 'DomainRouter'), (21, 8, 2, 'DomainRouter'), (22, 1, 2, 'User'), (30, 9, 3, 'User');
UPDATE cloud.nics SET state = 'Deallocating' WHERE id = 22;
DELETE FROM cloud.nics WHERE id = 30;
INSERT INTO cloud.nics (id, network_id, strategy) VALUES (40, 4, 'PlaceHolder');
UPDATE cloud.networks SET removed = now() WHERE id = 6;

-- What the guard says: how many NICs it found, and which it named first.
CREATE FUNCTION refusal(parent text, parent_id bigint) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	detail text;
BEGIN
	EXECUTE format('UPDATE cloud.%ss SET removed = now() WHERE id = %s', parent, parent_id);
	RETURN 'not refused';
EXCEPTION WHEN foreign_key_violation THEN
	GET STACKED DIAGNOSTICS detail = PG_EXCEPTION_DETAIL;
	RETURN concat(substring(detail FROM '^\d+'), ': ',
		(SELECT string_agg(m[1], ' ' ORDER BY ord) FROM regexp_matches(detail, 'NIC (\d+)', 'g') WITH ORDINALITY r (m, ord)));
END $$;
CREATE FUNCTION blockers(parent text, parent_id bigint) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	said text;
BEGIN
	EXECUTE format('SELECT count(*) || '': '' || string_agg(nic_id::text, '' '' ORDER BY nic_id) FILTER (WHERE nr <= 5)
		FROM (SELECT nic_id, row_number() OVER () AS nr FROM vmnet.%s_blockers($1)) b HAVING count(*) > 0', parent) INTO said USING parent_id;
	RETURN coalesce(said, 'not refused');
END $$;

SAVEPOINT removals;
SELECT is(blockers('network', g), refusal('network', g), 'network ' || g || ': the blockers are those of the refusal') FROM generate_series(1, 5) g;
ROLLBACK TO removals;
SELECT is(blockers('instance', g), refusal('instance', g), 'instance ' || g || ': the blockers are those of the refusal') FROM generate_series(1, 9) g;
ROLLBACK TO removals;
SELECT is(refusal('network', 1), '7: 1 2 3 4 5', 'network 1 is refused for seven NICs');
SELECT is(refusal('instance', 1), '2: 1 22', 'instance 1 for two, on two networks');
SELECT results_eq('SELECT network_id, (SELECT count(*) FROM vmnet.network_blockers(w.network_id)) > 0 FROM cloud.network_counts w', 'SELECT network_id, vmnet.network_in_use(network_id) FROM cloud.network_counts', 'network_in_use() says the same');

SELECT results_eq('SELECT nic_id, nic_state, instance_id, instance_name, instance_state, why FROM vmnet.network_blockers(1)', $$VALUES
	(1::bigint, 'Allocated', 1::bigint, 'i1', 'Running', 'instance 1 is active on the network'),
	(2, 'Reserving', 2, 'i2', 'Running', 'instance 2 is active on the network'),
	(3, 'Reserved', 3, 'i3', 'Running', 'instance 3 is active on the network'),
	(4, 'Releasing', 4, 'i4', 'Running', 'instance 4 is active on the network'),
	(5, 'Deallocating', 5, 'i5', 'Running', 'half-removed: its address may still be in use; once it is free, set removed'),
	(6, 'Deallocating', 6, 'i6', 'Running', 'half-removed: its address may still be in use; once it is free, set removed'),
	(10, 'Reserved', NULL, NULL, NULL, 'a placeholder holds an address on the network')$$, 'network_blockers() says which and why');
SELECT results_eq('SELECT nic_id, nic_state, network_id, network_name, network_state, why FROM vmnet.instance_blockers(1)', $$VALUES
	(1::bigint, 'Allocated', 1::bigint, 'n1', 'Allocated', 'active on network 1'),
	(22, 'Deallocating', 2, 'n2', 'Allocated', 'half-removed: its address may still be in use; once it is free, set removed')$$, 'instance_blockers() too');
SELECT is((SELECT count(*) FROM vmnet.network_blockers(1) b JOIN cloud.all_nics n ON n.id = b.nic_id AND n.uuid = b.nic_uuid LEFT JOIN cloud.instances i ON i.id = b.instance_id WHERE i.uuid IS NOT DISTINCT FROM b.instance_uuid), 7::bigint, 'with their uuids');
SELECT is((SELECT count(*) FROM vmnet.instance_blockers(1) b JOIN cloud.all_nics n ON n.id = b.nic_id AND n.uuid = b.nic_uuid JOIN cloud.networks w ON w.id = b.network_id AND w.uuid = b.network_uuid), 2::bigint, 'both');
SELECT is_empty('SELECT FROM unnest(ARRAY[NULL, 5, 6, 99, -1, 9223372036854775807]) g, vmnet.network_blockers(g)', 'nothing blocks NULL, an empty, a removed or an unknown network');
SELECT is_empty('SELECT FROM unnest(ARRAY[NULL, 7, 9, 99, -1, 9223372036854775807]) g, vmnet.instance_blockers(g)', 'nor such an instance');

-- Once they are gone, the removal is not refused.
UPDATE cloud.nics SET state = 'Deallocating', removed = now() WHERE id IN (SELECT nic_id FROM vmnet.network_blockers(2) WHERE nic_state <> 'Deallocating');
UPDATE cloud.all_nics SET removed = now() WHERE id IN (SELECT nic_id FROM vmnet.network_blockers(2));
SELECT lives_ok('UPDATE cloud.networks SET removed = now() WHERE id = 2', 'a network whose blockers are removed can be removed');
UPDATE cloud.all_nics SET removed = now() WHERE id IN (SELECT nic_id FROM vmnet.instance_blockers(5));
SELECT lives_ok('UPDATE cloud.instances SET removed = now() WHERE id = 5', 'as can an instance');
ROLLBACK TO removals;

-- Held on a parent that is removed, which only a fault can do.
ALTER TABLE cloud.all_networks DISABLE TRIGGER USER;
ALTER TABLE cloud.all_instances DISABLE TRIGGER USER;
UPDATE cloud.all_networks SET removed = now() WHERE id = 1;
UPDATE cloud.all_instances SET removed = now() WHERE id = 8;
SELECT results_eq('SELECT nic_id, why FROM vmnet.instance_blockers(2)', $$VALUES (2::bigint, 'held, although network 1 has been removed')$$, 'a NIC on a removed network blocks its instance');
SELECT results_eq('SELECT nic_id, why FROM vmnet.network_blockers(2) WHERE nic_id < 22', $$VALUES (20::bigint, 'held, although instance 8 has been removed'), (21, 'held, although instance 8 has been removed')$$, 'and one of a removed instance its network');
SELECT is_empty('SELECT * FROM vmnet.network_blockers(1) UNION ALL SELECT b.*, NULL FROM (SELECT nic_id, nic_uuid, nic_state, network_id, network_uuid, network_name, network_state FROM vmnet.instance_blockers(8)) b', 'what is removed is not blocked any more');
ROLLBACK TO removals;

--
-- network_validation
--
SELECT results_eq('TABLE cloud.network_validation ORDER BY network_id', $$VALUES
	(1::bigint, 'n1', 4::bigint, 6::bigint, 7::bigint, 2::bigint, NULL::bigint, false, ARRAY[5, 6, 7]::bigint[]),
	(2, 'n2', 1, 2, 2, 0, NULL, false, ARRAY[1]),
	(3, 'n3', 0, 0, 1, 0, NULL, false, ARRAY[9]),
	(4, 'n4', 0, 0, 0, 0, NULL, true, '{}'),
	(5, 'n5', 0, 0, 0, 0, NULL, true, '{}')$$, 'network_validation: every live network, each way of counting, and who differs');
-- the counter of another system, right, wrong and 0 where it should be
UPDATE cloud.networks SET nics_count = CASE id WHEN 4 THEN 1 ELSE 0 END WHERE id IN (4, 5);
SELECT results_eq('SELECT network_id, agree FROM cloud.network_validation WHERE network_id > 3 ORDER BY 1', 'VALUES (4::bigint, false), (5, true)', 'a counter that drifted does not agree');
ALTER TABLE cloud.all_instances DISABLE TRIGGER USER;
UPDATE cloud.all_instances SET removed = now() WHERE id IN (1, 5, 6, 7);
SELECT results_eq('SELECT active_instances, held_instances, listed_instances, agree, differing_instances FROM cloud.network_validation WHERE network_id IN (1, 2) ORDER BY network_id',
	$$VALUES (3::bigint, 3::bigint, 3::bigint, true, '{}'::bigint[]), (1, 1, 1, true, '{}')$$, 'no way counts a removed instance');
-- a question about one network does not count all the others
CREATE FUNCTION plan_of(query text) RETURNS SETOF text LANGUAGE plpgsql AS $$ BEGIN RETURN QUERY EXECUTE 'EXPLAIN (COSTS OFF) ' || query; END $$;
SET LOCAL enable_seqscan = off;
SELECT cmp_ok((SELECT count(*) FROM plan_of('SELECT * FROM cloud.network_validation WHERE network_id = 1') p WHERE p ~ 'Index Cond: \((n\.)?network_id = ''?1'), '=', 1::bigint, 'one network is read through an index');

SELECT * FROM finish();
ROLLBACK;
