-- A NIC whose state is NULL, or is none that is known, is held and on its
-- network, in every kind of inventory; and whatever answers agrees with that.
\i test/tap/setup.psql

SELECT plan(119);

-- One NIC of an instance of its own on network 1 for each state that a source may
-- have: the state there, and whether the NIC is active.
CREATE TABLE said (id bigint, state text, removed timestamp, active boolean, active_exactly boolean);
INSERT INTO said VALUES
	(1, NULL, NULL, true, true), (2, 'Unknown', NULL, true, true), (3, '', NULL, true, true), (4, ' Deallocating ', NULL, true, true),
	(5, 'DEALLOCATING', NULL, false, true), (6, 'deallocating', NULL, false, true), (7, 'Deallocating', NULL, false, false),
	(8, 'Reserved', NULL, true, true), (9, 'Dealloc', NULL, true, true), (10, 'reserved', NULL, true, true),
	(11, NULL, '2025-02-01', false, false), (12, 'Unknown', '2025-02-01', false, false), (13, 'Deallocating', '2025-02-01', false, false);

CREATE SCHEMA src;
CREATE TABLE src.networks (id bigint PRIMARY KEY, name text, state text, created timestamp, removed timestamp);
INSERT INTO src.networks VALUES (1, 'n', 'Setup', '2025-01-01', NULL);
CREATE TABLE src.vm_instance (id bigint PRIMARY KEY, name text, state text, type text, created timestamp, removed timestamp);
INSERT INTO src.vm_instance SELECT id, 'i' || id, 'Running', 'User', '2025-01-01', NULL FROM said;
CREATE TABLE src.nics (id bigint PRIMARY KEY, uuid uuid, instance_id bigint, network_id bigint, state text, vm_type text, default_nic boolean, created timestamp, removed timestamp);
INSERT INTO src.nics SELECT id, gen_random_uuid(), id, 1, state, 'User', true, '2025-01-01', removed FROM said;

SET LOCAL client_min_messages = warning;
CALL vmnet.import_cloudstack('src', 'mirror');
SELECT vmnet.attach_cloudstack('live', 'src') \g /dev/null
SELECT count(*) FROM vmnet.attach_inventory('attached', 'src.nics', 'src.networks', 'src.vm_instance',
	columns => '{"states": {"DEALLOCATING": "Deallocating", "deallocating": "Deallocating"}}') \g /dev/null
SELECT count(*) FROM vmnet.attach_inventory('exact', 'src.nics', 'src.networks', 'src.vm_instance') \g /dev/null
RESET client_min_messages;

-- A managed inventory has none of them, unless somebody has taken its rules
-- away; what it works out is right even so.
SELECT throws_ok(format('INSERT INTO cloud.all_nics (instance_id, network_id, state) VALUES (1, 1, %L)', v.state), v.code, NULL, format('a managed inventory refuses state %s', quote_nullable(v.state)))
FROM (VALUES (2, 'Unknown', '23514'), (3, '', '23514'), (4, ' Deallocating ', '23514'), (5, 'DEALLOCATING', '23514'), (6, 'deallocating', '23514')) v (ord, state, code) ORDER BY v.ord;
ALTER TABLE cloud.all_nics DROP CONSTRAINT nic_state_valid, DROP CONSTRAINT nic_removed_is_deallocating;
SET LOCAL session_replication_role = replica;
INSERT INTO cloud.all_networks (id, name) VALUES (1, 'n');
INSERT INTO cloud.all_instances (id, name, state) SELECT id, 'i' || id, 'Running' FROM said;
INSERT INTO cloud.all_nics (id, instance_id, network_id, state, vm_type, default_nic, created, state_changed, removed)
SELECT id, id, 1, coalesce(state, 'Unknown'), 'User', true, '2025-01-01', '2025-01-01', removed FROM said;
SET LOCAL session_replication_role = origin;
SELECT throws_ok('UPDATE cloud.all_nics SET state = NULL WHERE id = 8', '23502', NULL, 'also where a state is changed');

-- Everything that answers, for one inventory.
CREATE FUNCTION same_everywhere(inv name) RETURNS SETOF text LANGUAGE plpgsql AS $$
DECLARE
	live bigint[];
	half bigint[];
	held bigint[];
	found bigint[];
	n bigint;
	other bigint;
BEGIN
	SELECT array_agg(s.id ORDER BY s.id) FILTER (WHERE a), array_agg(s.id ORDER BY s.id) FILTER (WHERE NOT a AND s.removed IS NULL),
		array_agg(s.id ORDER BY s.id) FILTER (WHERE s.removed IS NULL)
	INTO live, half, held
	FROM said s, LATERAL (SELECT CASE inv WHEN 'exact' THEN s.active_exactly ELSE s.active END) x (a);

	EXECUTE format('SELECT array_agg(id ORDER BY id) FROM %I.all_nics WHERE active', inv) INTO found;
	RETURN NEXT is(found, live, inv || ': active');
	EXECUTE format('SELECT array_agg(id ORDER BY id) FROM %I.all_nics WHERE NOT active', inv) INTO found;
	RETURN NEXT is(cardinality(found), 13 - cardinality(live), 'every other one is not active, and none is neither');
	EXECUTE format('SELECT array_agg(id ORDER BY id) FROM %I.all_nics WHERE ended IS NULL', inv) INTO found;
	RETURN NEXT is(found, live, 'what is active has not ended, and what is not has');
	EXECUTE format('SELECT array_agg(id ORDER BY id) FROM %I.all_nics WHERE removed IS NOT NULL AND ended = removed OR id = 13 AND ended <= removed', inv) INTO found;
	RETURN NEXT is(found, '{11,12,13}', 'what is removed ended then');
	EXECUTE format('SELECT array_agg(id ORDER BY id) FROM %I.nics', inv) INTO found;
	RETURN NEXT is(found, live, 'the view of live NICs');
	EXECUTE format('SELECT array_agg(nic_id ORDER BY nic_id) FROM %I.network_instances', inv) INTO found;
	RETURN NEXT is(found, live, 'the view of instances on networks');
	SELECT array_agg(r.nic_id ORDER BY r.nic_id) INTO found FROM vmnet.network_active_instances(1, inventory => inv) r;
	RETURN NEXT is(found, live, 'network_active_instances()');
	SELECT array_agg(r.nic_id ORDER BY r.nic_id) INTO found FROM vmnet.network_active_nics(1, inv) r;
	RETURN NEXT is(found, live, 'network_active_nics()');
	RETURN NEXT is(vmnet.network_active_instance_count(1, inv), cardinality(live)::bigint, 'network_active_instance_count()');
	SELECT array_agg(s.id ORDER BY s.id) INTO found FROM said s WHERE EXISTS (SELECT FROM vmnet.instance_active_networks(s.id, inv));
	RETURN NEXT is(found, live, 'instance_active_networks()');
	SELECT array_agg(r.instance_id ORDER BY r.instance_id) INTO found FROM vmnet.network_instances_as_of(1, now(), inv) r;
	RETURN NEXT is(found, live, 'network_instances_as_of() now');

	EXECUTE format('SELECT attached_nics, allocated + reserving + reserved + releasing + deallocating + other_states FROM %I.network_counts', inv) INTO n, other;
	RETURN NEXT is(n, cardinality(live)::bigint, 'network_counts: attached NICs');
	RETURN NEXT is(other, cardinality(held)::bigint, 'network_counts: every held NIC is counted in one state');
	EXECUTE format('SELECT other_states - (SELECT count(*) FROM %1$I.all_nics WHERE removed IS NULL AND (state IS NULL OR state NOT IN (SELECT from_state FROM vmnet.nic_state_transitions() UNION SELECT ''Deallocating'')))'
		' FROM %1$I.network_counts', inv) INTO n;
	RETURN NEXT is(n, 0::bigint, 'network_counts: what is none of the five is another state');

	SELECT array_agg(s.id ORDER BY s.id) INTO found FROM said s, vmnet.nic_explain(s.id, inv) e WHERE e.rule = 'the NIC is not being deallocated' AND e.verdict AND s.removed IS NULL;
	RETURN NEXT is(found, live, 'nic_explain(): not being deallocated');
	SELECT array_agg(s.id ORDER BY s.id) INTO found FROM said s, vmnet.nic_explain(s.id, inv) e WHERE e.rule = 'the instance is listed on the network' AND e.verdict;
	RETURN NEXT is(found, live, 'nic_explain(): listed');
	SELECT array_agg(b.nic_id ORDER BY b.nic_id) INTO found FROM vmnet.network_blockers(1, inv) b;
	RETURN NEXT is(found, held, 'every held NIC is in the way of the removal of the network');
	SELECT array_agg(b.nic_id ORDER BY b.nic_id) INTO found FROM vmnet.network_blockers(1, inv) b WHERE b.why ~ 'half-removed';
	RETURN NEXT is(found, half, 'those that are not active since they are half-removed');

	SELECT array_agg(c.object_id ORDER BY c.object_id) INTO found FROM vmnet.check_inventory(inv, '0') c WHERE c.code = 'half_removed_nic';
	RETURN NEXT is(found, half, 'check_inventory(): half-removed is what is held and not active');
	EXECUTE format('SELECT array_agg(id ORDER BY id) FROM %I.all_nics WHERE (state IN (SELECT from_state FROM vmnet.nic_state_transitions() UNION SELECT ''Deallocating'')) IS NOT TRUE', inv) INTO held;
	SELECT array_agg(c.object_id ORDER BY c.object_id) INTO found FROM vmnet.check_inventory(inv) c WHERE c.code = 'unknown_state';
	RETURN NEXT is(found, held, 'check_inventory(): an unknown state is one that is none of the five, and none at all');

	PERFORM vmnet.create_report(inv);
	EXECUTE format('SELECT sum(value) FROM %I.metrics WHERE name = ''vmnet_nics_held''', inv || '_report') INTO n;
	SELECT count(*) INTO other FROM said s WHERE s.removed IS NULL;
	RETURN NEXT is(n, other, 'metrics: held NICs');
	EXECUTE format('SELECT sum(value) FROM %I.metrics WHERE name = ''vmnet_nics_half_removed''', inv || '_report') INTO n;
	RETURN NEXT is(n, cardinality(half)::bigint, 'metrics: half-removed ones');
	RETURN;
END
$$;
SET LOCAL client_min_messages = warning;
SELECT same_everywhere(k) FROM unnest('{cloud,mirror,live,attached,exact}'::name[]) k;
-- What has no state is said so, and nothing is proposed: something may use the NIC.
SELECT is((SELECT message FROM vmnet.check_inventory('attached') WHERE code = 'unknown_state' AND object_id = 1),
	'NIC 1 of instance 1 on network 1 has an unknown state: NULL', 'a state that is NULL is called so');
SELECT results_eq($$SELECT fix, message ~ 'what it does is not known$' FROM vmnet.check_inventory('live') WHERE code = 'unknown_state' AND object_id = 1$$,
	'VALUES (NULL::text, true)', 'no statement sets a state that is NULL');
UPDATE src.nics SET state = 'Allocated' WHERE state IS NULL OR state = 'Unknown';
SELECT is_empty($$SELECT object_id FROM vmnet.check_inventory('live') WHERE code = 'unknown_state' AND message ~ 'NULL'$$, 'one that is set is known');

SELECT * FROM finish();
ROLLBACK;
