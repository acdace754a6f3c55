-- What check_inventory() costs grows with the inventory and not faster: the
-- rows that each step of its plan handles are counted, never its time.
SELECT vmnet.create_inventory('cloud');

-- Rows that all steps of a query together read, join or throw away.
CREATE FUNCTION rows_handled(step jsonb) RETURNS numeric LANGUAGE sql AS $$
SELECT ((step ->> 'Actual Rows')::numeric + coalesce((step ->> 'Rows Removed by Filter')::numeric, 0)
		+ coalesce((step ->> 'Rows Removed by Join Filter')::numeric, 0)) * (step ->> 'Actual Loops')::numeric
	+ coalesce((SELECT sum(rows_handled(s)) FROM jsonb_array_elements(step -> 'Plans') s), 0)
$$;
CREATE FUNCTION check_cost() RETURNS numeric LANGUAGE plpgsql AS $$
DECLARE
	plan json;
BEGIN
	EXECUTE 'PREPARE the_check (timestamptz, text, boolean) AS ' || vmnet_internal.check_query('cloud');
	EXECUTE 'EXPLAIN (ANALYZE, TIMING OFF, FORMAT JSON) EXECUTE the_check(now() - interval ''10 minutes'', ''cloud'', false)' INTO plan;
	DEALLOCATE the_check;
	RETURN rows_handled((plan -> 0 -> 'Plan')::jsonb);
END $$;
CREATE FUNCTION view_cost() RETURNS numeric LANGUAGE plpgsql AS $$
DECLARE
	plan json;
BEGIN
	EXECUTE 'EXPLAIN (ANALYZE, TIMING OFF, FORMAT JSON) TABLE cloud.network_validation' INTO plan;
	RETURN rows_handled((plan -> 0 -> 'Plan')::jsonb);
END $$;

-- 5,000 instances with two NICs each, one of three of them removed, on 50
-- networks, each with a history; nothing is wrong.
ALTER TABLE cloud.all_nics DISABLE TRIGGER USER;
INSERT INTO cloud.all_networks (id, cidr) SELECT g, '10.0.0.0/8' FROM generate_series(1, 50) g;
INSERT INTO cloud.all_instances (id, removed) SELECT g, CASE WHEN g % 5 = 0 THEN now() END FROM generate_series(1, 5000) g;
INSERT INTO cloud.all_nics (instance_id, network_id, default_nic, device_id, mac_address, ip4_address, state, removed)
SELECT i, 1 + (i + d) % 50, d = 0, d, ('02' || lpad(to_hex(2 * i + d), 10, '0'))::macaddr, '10.0.0.0'::inet + (2 * i + d),
	CASE WHEN gone THEN 'Deallocating' ELSE 'Reserved' END, CASE WHEN gone THEN now() END
FROM generate_series(1, 5000) i, generate_series(0, 1) d, LATERAL (SELECT i % 5 = 0 OR d = 1 AND i % 3 = 0) g (gone);
ALTER TABLE cloud.all_nics ENABLE TRIGGER USER;
INSERT INTO cloud.nic_history (nic_id, network_id, from_state, to_state, event, session_username, transaction_id) SELECT id, network_id, 'Allocated', 'Reserving', 'Loaded', session_user, 1 FROM cloud.all_nics;
INSERT INTO cloud.nic_history (nic_id, network_id, from_state, to_state, event, session_username, transaction_id) SELECT id, network_id, 'Reserving', state, 'Loaded', session_user, 1 FROM cloud.all_nics;

-- as loaded, without statistics
SELECT count(*) AS findings, check_cost() < 30 * 15000 AS linear, check_cost() > 10000 AS is_counted FROM vmnet.check_inventory('cloud');
SELECT view_cost() < 5 * 15000 AS linear FROM cloud.network_validation LIMIT 1;
ANALYZE cloud.all_networks, cloud.all_instances, cloud.all_nics, cloud.nic_history;
SELECT count(*) AS findings, check_cost() < 30 * 15000 AS linear FROM vmnet.check_inventory('cloud');
SELECT view_cost() < 5 * 15000 AS linear FROM cloud.network_validation LIMIT 1;

-- Everything is wrong: the NICs share their addresses, MACs and devices,
-- no instance has one default, no uuid is left, every state is misspelt.
ALTER TABLE cloud.all_nics DISABLE TRIGGER USER;
DROP INDEX cloud.all_nics_one_mac, cloud.all_nics_one_ip4, cloud.all_nics_one_device, cloud.all_nics_one_default;
ALTER TABLE cloud.all_nics DROP CONSTRAINT nic_state_valid, DROP CONSTRAINT nic_removed_is_deallocating, ALTER uuid DROP NOT NULL;
UPDATE cloud.all_nics SET uuid = NULL, default_nic = instance_id % 2 = 0, device_id = 0, mac_address = CASE WHEN instance_id % 2 = 0 THEN '02:00:00:00:00:01'::macaddr END, ip4_address = '192.0.2.1', state = lower(state);
ALTER TABLE cloud.all_nics ENABLE TRIGGER USER;
SELECT count(*) > 35000 AS many_findings, check_cost() < 90 * 15000 AS linear FROM vmnet.check_inventory('cloud');
ANALYZE cloud.all_nics;
SELECT count(*) > 35000 AS many_findings, check_cost() < 90 * 15000 AS linear FROM vmnet.check_inventory('cloud');
SELECT code, count(*) FROM vmnet.check_inventory('cloud') GROUP BY 1 ORDER BY 1;

-- The blockers of a network and an instance cost what they are.
CREATE FUNCTION blocks(call text) RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
	plan json;
BEGIN
	EXECUTE 'EXPLAIN (ANALYZE, BUFFERS, TIMING OFF, FORMAT JSON) SELECT * FROM vmnet.' || call INTO plan;
	RETURN (plan -> 0 -> 'Plan' ->> 'Shared Hit Blocks')::bigint + (plan -> 0 -> 'Plan' ->> 'Shared Read Blocks')::bigint;
END $$;
SELECT count(*) > 90 AS many, blocks('network_blockers(7)') < 8 * count(*) + 200 AS few_blocks FROM vmnet.network_blockers(7);
SELECT blocks('network_blockers(7)') < 8 * count(*) + 200 AS few_blocks FROM vmnet.network_blockers(7);
SELECT count(*), blocks('instance_blockers(7)') < 200 AS few_blocks FROM vmnet.instance_blockers(7);
SELECT count(*), blocks('instance_blockers(7)') < 50 AS few_blocks FROM vmnet.instance_blockers(7);

SET client_min_messages = warning;
DROP SCHEMA cloud CASCADE;
DROP FUNCTION rows_handled(jsonb), check_cost(), view_cost(), blocks(text);
