-- repair_inventory(): mends what cannot lose anything, through the guards, and
-- leaves the rest alone with a reason.
\i test/tap/setup.psql
SELECT plan(41);

CREATE FUNCTION plant(statement text) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
	ALTER TABLE cloud.all_networks DISABLE TRIGGER USER;
	ALTER TABLE cloud.all_instances DISABLE TRIGGER USER;
	ALTER TABLE cloud.all_nics DISABLE TRIGGER USER;
	EXECUTE statement;
	ALTER TABLE cloud.all_networks ENABLE TRIGGER USER;
	ALTER TABLE cloud.all_instances ENABLE TRIGGER USER;
	ALTER TABLE cloud.all_nics ENABLE TRIGGER USER;
END $$;
-- Every row of every table and sequence of the inventory.
CREATE FUNCTION checksum() RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	rel regclass;
	part text;
	sum text := '';
BEGIN
	FOR rel IN SELECT oid::regclass FROM pg_class WHERE relnamespace = 'cloud'::regnamespace AND relkind IN ('r', 'S') ORDER BY relname LOOP
		EXECUTE format('SELECT md5(string_agg(row(t.*)::text, '' '' ORDER BY row(t.*)::text)) FROM %s t', rel) INTO part;
		sum := sum || coalesce(part, '-');
	END LOOP;
	RETURN md5(sum);
END $$;

SELECT is_empty($$SELECT * FROM vmnet.repair_inventory('cloud', dry_run => false)$$, 'there is nothing to mend in an empty inventory');

INSERT INTO cloud.networks (id, name, cidr) VALUES (1, 'a', '10.1.0.0/16'), (2, 'b', '10.2.0.0/16'), (3, 'gone', NULL);
INSERT INTO cloud.instances (id, name, type, state) VALUES (1, 'stopped', 'User', 'Stopped'), (2, 'running', 'User', 'Running'), (3, 'gone', 'User', 'Running'),
	(4, 'router', 'DomainRouter', 'Running'), (5, 'fine', 'User', 'Running'), (6, 'unknown', 'User', 'Unknown');
ALTER TABLE cloud.all_nics ALTER uuid DROP NOT NULL, DROP CONSTRAINT nic_state_valid, DROP CONSTRAINT nic_removed_is_deallocating;
DROP INDEX cloud.all_nics_one_ip4, cloud.all_nics_one_default, cloud.all_nics_one_per_network;
SELECT plant($$INSERT INTO cloud.all_nics (id, instance_id, network_id, state, default_nic, device_id, ip4_address, vm_type, strategy, created, state_changed) VALUES
	-- half-removed: of a stopped instance; of a running one, with and without an address; of a removed one; of one nobody knows of; young
	(1, 1, 1, 'Deallocating', false, 0, '10.1.0.1', 'User', 'Start', '2025-01-01', '2025-01-02'),
	(2, 2, 1, 'Deallocating', false, 1, '10.1.0.2', 'User', 'Start', '2025-01-01', '2025-01-02'),
	(3, 2, 2, 'Deallocating', false, 2, NULL, 'User', 'Start', '2025-01-01', '2025-01-02'),
	(4, 3, 1, 'Deallocating', false, 0, '10.1.0.4', 'User', 'Start', '2025-01-01', '2025-01-02'),
	(5, NULL, 1, 'Deallocating', false, NULL, '10.1.0.5', 'DomainRouter', 'PlaceHolder', '2025-01-01', '2025-01-02'),
	(6, 1, 2, 'Deallocating', false, 1, '10.2.0.6', 'User', 'Start', '2025-01-01', now() - interval '5 minutes'),
	(7, 6, 2, 'Deallocating', false, 1, '10.2.0.7', 'User', 'Start', '2025-01-01', '2025-01-02'),
	-- live, of a removed instance; on a removed network
	(10, 3, 2, 'Reserved', false, 1, '10.2.0.10', 'User', 'Start', '2025-01-01', '2025-01-02'),
	(11, 5, 3, 'Reserved', false, 2, '10.2.0.11', 'User', 'Start', '2025-01-01', '2025-01-02'),
	-- two and three defaults
	(20, 4, 1, 'Reserved', true, 1, '10.1.0.20', 'DomainRouter', 'Start', '2025-01-01', '2025-01-02'),
	(21, 4, 2, 'Reserved', true, 0, '10.2.0.21', 'DomainRouter', 'Start', '2025-01-01', '2025-01-02'),
	(22, 4, 2, 'Reserved', true, NULL, NULL, 'DomainRouter', 'Start', '2025-01-01', '2025-01-02'),
	-- the same address twice; outside; stuck; in a state nobody knows; removed in a wrong one
	(30, 5, 1, 'Reserved', true, 0, '10.1.0.30', 'User', 'Start', '2025-01-01', '2025-01-02'),
	(31, 2, 1, 'Reserved', true, 0, '10.1.0.30', 'User', 'Start', '2025-01-01', '2025-01-02'),
	(32, 5, 2, 'Reserved', false, 3, '192.0.2.32', 'User', 'Start', '2025-01-01', '2025-01-02'),
	(33, 2, 2, 'Reserving', false, 3, NULL, 'User', 'Start', '2025-01-01', '2025-01-02'),
	(34, 2, 2, 'Bogus', false, 4, NULL, 'User', 'Start', '2025-01-01', '2025-01-02'),
	(36, 2, 2, 'Reserving', false, 5, NULL, 'User', 'Start', '2025-01-01', now() - interval '5 minutes');
	INSERT INTO cloud.all_nics (id, instance_id, network_id, state, default_nic, created, removed) VALUES (35, 2, 2, 'Reserved', false, '2025-01-01', '2025-01-03');
	UPDATE cloud.all_nics SET uuid = NULL WHERE id IN (30, 35);
	UPDATE cloud.all_instances SET removed = '2025-02-01' WHERE id = 3;
	UPDATE cloud.all_networks SET removed = '2025-02-01' WHERE id = 3;
	UPDATE cloud.all_networks SET nics_count = 77 WHERE id = 1$$);

--
-- A dry run says what it would do, and does nothing
--
CREATE TEMP TABLE before_it AS SELECT checksum() AS sum;
CREATE TEMP TABLE dry AS SELECT * FROM vmnet.repair_inventory('cloud');
SELECT is(checksum(), sum, 'a dry run changes nothing, in any table') FROM before_it;
SELECT is_empty('SELECT * FROM dry EXCEPT ALL SELECT * FROM vmnet.repair_inventory(''cloud'', NULL, NULL)', 'dry_run NULL is a dry run');
SELECT results_eq($$SELECT object_type, object_id, string_agg(finding, ' ') FROM dry WHERE outcome = 'would be mended' GROUP BY 1, 2 ORDER BY 1, 2$$, $$VALUES
	('instance', 4::bigint, 'default_nic_double'), ('nic', 1, 'half_removed_nic'), ('nic', 3, 'half_removed_nic'), ('nic', 4, 'half_removed_nic'),
	('nic', 10, 'live_nic_on_removed_instance'), ('nic', 30, 'missing_uuid'), ('nic', 35, 'missing_uuid')$$, 'it would mend these');
SELECT results_eq($$SELECT object_id, finding, why FROM dry WHERE outcome = 'refused' ORDER BY 1, 2$$, $$VALUES
	(1::bigint, 'counter_drift', 'the counter belongs to another system'),
	(2, 'half_removed_nic', 'instance 2 is Running and may still use its address 10.1.0.2'),
	(5, 'half_removed_nic', 'no instance says that its address 10.1.0.5 is free'),
	(6, 'half_removed_nic', 'younger than min_age'),
	(7, 'half_removed_nic', 'instance 6 is Unknown and may still use its address 10.2.0.7'),
	(11, 'live_nic_on_removed_network', 'something may still use its address'),
	(30, 'duplicate_live_ip4', 'something may still use its address'),
	(31, 'duplicate_live_ip4', 'something may still use its address'),
	(32, 'ip_outside_cidr', 'something may still use its address'),
	(33, 'stuck_nic', 'something may still use its address'),
	(34, 'unknown_state', 'the guards do not let its state change'),
	(35, 'removed_nic_wrong_state', 'the guards do not let its state change'),
	-- the rules that were out of the way of all that
	(NULL, 'column_differs', 'its owner has to mend it before anything else'),
	(NULL, 'rule_missing', 'its owner has to mend it before anything else'),
	(NULL, 'rule_missing', 'its owner has to mend it before anything else'),
	(NULL, 'rule_missing', 'its owner has to mend it before anything else'),
	(NULL, 'rule_missing', 'its owner has to mend it before anything else'),
	(NULL, 'rule_missing', 'its owner has to mend it before anything else')$$, 'and leaves these alone, with a reason');
SELECT is((SELECT count(*) FROM dry), 25::bigint, 'and that is all');
SELECT is((SELECT count(*) FROM dry d LEFT JOIN cloud.all_nics n ON n.id = d.object_id WHERE d.object_type = 'nic' AND d.object_uuid IS DISTINCT FROM n.uuid), 0::bigint, 'with their uuids');

-- one code alone
SELECT results_eq($$SELECT finding, object_id, outcome FROM vmnet.repair_inventory('cloud', 'missing_uuid') ORDER BY 2$$, $$VALUES ('missing_uuid', 30::bigint, 'would be mended'), ('missing_uuid', 35, 'would be mended')$$, 'one code can be asked for');
SELECT results_eq($$SELECT object_id FROM vmnet.repair_inventory('cloud', 'live_nic_on_removed_instance') ORDER BY 1$$, $$VALUES (4::bigint), (10)$$, 'half-removed ones of a removed instance are among its NICs');
SAVEPOINT one_code;
SELECT results_eq($$SELECT object_id, outcome FROM vmnet.repair_inventory('cloud', 'missing_uuid', false) ORDER BY 1$$, $$VALUES (30::bigint, 'mended'), (35, 'mended')$$, 'and mended alone');
SELECT is((SELECT count(*) FROM cloud.all_nics WHERE removed IS NULL AND NOT active), 7::bigint, 'nothing else is');
ROLLBACK TO one_code;

-- min_age
SELECT results_eq($$SELECT object_id, outcome, why FROM vmnet.repair_inventory('cloud', 'half_removed_nic', true, '5 minutes') WHERE object_id IN (1, 6) ORDER BY 1$$, $$VALUES
	(1::bigint, 'would be mended', 'NIC 1 of instance 1 on network 1 is half-removed: Deallocating, but not removed; its address 10.1.0.1 may still be in use'),
	(6, 'would be mended', 'NIC 6 of instance 1 on network 2 is half-removed: Deallocating, but not removed; its address 10.2.0.6 may still be in use')$$, 'min_age decides what is too young');
SELECT is((SELECT count(*) FROM vmnet.repair_inventory('cloud', 'stuck_nic', true, '5 minutes')), 2::bigint, 'and what is stuck');
SELECT is((SELECT string_agg(DISTINCT outcome || ' ' || why, '; ') FROM vmnet.repair_inventory('cloud', 'missing_uuid', false, '10000 days')), 'refused younger than min_age', 'for every code');

--
-- It is done
--
CREATE TEMP TABLE nics_before AS TABLE cloud.all_nics;
CREATE TEMP TABLE done AS SELECT * FROM vmnet.repair_inventory('cloud', dry_run => false);
SELECT results_eq('SELECT finding, object_type, object_id, object_uuid, replace(outcome, ''would be mended'', ''mended''), why FROM dry', 'SELECT finding, object_type, object_id, object_uuid, outcome, why FROM done', 'a run does what the dry run said');
SELECT results_eq('SELECT id FROM cloud.all_nics n JOIN nics_before b USING (id) WHERE n.removed IS DISTINCT FROM b.removed ORDER BY 1', 'VALUES (1::bigint), (3), (4), (10)', 'these are removed');
SELECT is((SELECT string_agg(DISTINCT state || ' ' || (removed = now()), ', ') FROM cloud.all_nics WHERE id IN (1, 3, 4, 10)), 'Deallocating true', 'as of now');
SELECT results_eq('SELECT id, default_nic FROM cloud.all_nics WHERE instance_id = 4 ORDER BY 1', 'VALUES (20::bigint, false), (21, true), (22, false)', 'the default with the lowest device_id stays');
SELECT is((SELECT count(*) FROM cloud.all_nics WHERE uuid IS NULL), 0::bigint, 'every uuid is filled in');
SELECT is((SELECT count(*) FROM cloud.all_nics n JOIN nics_before b USING (id) WHERE (n.id, n.instance_id, n.network_id, n.ip4_address, n.device_id, n.created) IS DISTINCT FROM (b.id, b.instance_id, b.network_id, b.ip4_address, b.device_id, b.created)
	OR n.state <> b.state AND n.id <> 10 OR n.uuid <> b.uuid), 0::bigint, 'nothing else about the NICs has changed');
SELECT is_empty($$SELECT code, object_type, object_id FROM vmnet.check_inventory('cloud', '0') EXCEPT SELECT finding, object_type, object_id FROM dry WHERE outcome = 'refused' EXCEPT SELECT 'stuck_nic', 'nic', 36$$, 'what is found now is what was refused');

SELECT results_eq('SELECT nic_id, from_state, to_state, removed = now(), event, actor = session_user, reason FROM cloud.nic_history ORDER BY nic_id', $$VALUES
	(1::bigint, 'Deallocating', 'Deallocating', true, 'Removed', true, 'repair_inventory: half_removed_nic'), (3, 'Deallocating', 'Deallocating', true, 'Removed', true, 'repair_inventory: half_removed_nic'),
	(4, 'Deallocating', 'Deallocating', true, 'Removed', true, 'repair_inventory: half_removed_nic'), (10, 'Reserved', 'Deallocating', true, 'RemoveRequested', true, 'repair_inventory: live_nic_on_removed_instance')$$, 'history says who and why');
SELECT is(current_setting('vmnet.actor') || current_setting('vmnet.reason'), '', 'the settings are as before');

-- again: nothing
UPDATE before_it SET sum = checksum();
SELECT is_empty($$SELECT * FROM vmnet.repair_inventory('cloud', dry_run => false) WHERE outcome <> 'refused'$$, 'a second run mends nothing');
SELECT is(checksum(), sum, 'and changes nothing') FROM before_it;

-- what a trigger refuses, it reports
SELECT plant($$INSERT INTO cloud.all_nics (id, instance_id, network_id, state, default_nic, created, state_changed) VALUES (40, 1, 1, 'Deallocating', false, '2025-01-01', '2025-01-02'), (41, 1, 1, 'Deallocating', false, '2025-01-01', '2025-01-02')$$);
CREATE FUNCTION keep_40() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE check_violation USING MESSAGE = 'not this one'; END $$;
CREATE TRIGGER keep_40 BEFORE UPDATE ON cloud.all_nics FOR EACH ROW WHEN (NEW.id = 40) EXECUTE FUNCTION keep_40();
SELECT results_eq($$SELECT object_id, outcome, left(why, 12) FROM vmnet.repair_inventory('cloud', 'half_removed_nic', false) WHERE object_id >= 40 ORDER BY 1$$, $$VALUES (40::bigint, 'refused', 'not this one'), (41, 'mended', 'NIC 41 of in')$$, 'what a guard refuses is refused, the rest is mended');
SELECT is((SELECT string_agg((removed IS NULL)::text, ' ' ORDER BY id) FROM cloud.all_nics WHERE id >= 40), 'true false', 'as it says');
DROP TRIGGER keep_40 ON cloud.all_nics;

-- an instance may be removed once its half-removed NICs are finished
SELECT throws_ok('UPDATE cloud.instances SET removed = now() WHERE id = 1', '23503', NULL, 'a half-removed NIC is in the way of a removal');
SET LOCAL vmnet.actor = 'operator';
SET LOCAL vmnet.reason = 'ticket 7';
SELECT is((SELECT count(*) FROM vmnet.repair_inventory('cloud', 'half_removed_nic', false, '5 minutes') WHERE outcome = 'mended'), 2::bigint, 'it is mended');
SELECT is((SELECT string_agg(DISTINCT actor || ': ' || reason, '; ') FROM cloud.nic_history WHERE nic_id IN (6, 40)), 'operator: repair_inventory: half_removed_nic', 'by whom vmnet.actor says');
SELECT is(current_setting('vmnet.actor') || ' ' || current_setting('vmnet.reason'), 'operator ticket 7', 'whose settings are as before');
SELECT lives_ok('UPDATE cloud.instances SET removed = now() WHERE id = 1', 'and out of the way');

--
-- What it refuses as a whole
--
SELECT throws_ok($$SELECT * FROM vmnet.repair_inventory('nowhere')$$, '22023', 'inventory "nowhere" does not exist', 'an unknown inventory');
SELECT throws_ok($$SELECT * FROM vmnet.repair_inventory('cloud', 'nonsense')$$, '22023', 'unknown code of a finding: "nonsense"', 'an unknown code');
SELECT throws_ok($$SELECT * FROM vmnet.repair_inventory('cloud', min_age => NULL)$$, '22023', 'min_age must be an interval that is not negative', 'min_age NULL');
SELECT throws_ok($$SELECT * FROM vmnet.repair_inventory('cloud', min_age => '-1 day')$$, '22023', 'min_age must be an interval that is not negative', 'or negative');
SELECT vmnet.create_inventory('mirror', 'mirror') \g /dev/null
SELECT throws_ok($$SELECT * FROM vmnet.repair_inventory('mirror')$$, '22023', 'inventory "mirror" cannot be repaired here', 'a mirror is mended at its source');
SELECT throws_ok($$SELECT * FROM vmnet.repair_inventory('mirror', NULL, false)$$, '22023', 'inventory "mirror" cannot be repaired here', 'dry or not');
SELECT lives_ok($$SELECT * FROM vmnet.repair_inventory(NULL)$$, 'NULL is the inventory of the setting');

-- who has no right to write has none here
CREATE ROLE vmnet_repair_reader;
GRANT USAGE ON SCHEMA cloud TO vmnet_repair_reader;
GRANT SELECT ON ALL TABLES IN SCHEMA cloud TO vmnet_repair_reader;
SELECT plant('UPDATE cloud.all_nics SET uuid = NULL WHERE id = 30');
SET ROLE vmnet_repair_reader;
CREATE TEMP TABLE as_reader AS SELECT outcome, why FROM vmnet.repair_inventory('cloud', 'missing_uuid', false);
RESET ROLE;
SELECT results_eq('TABLE as_reader', $$VALUES ('refused', 'permission denied for table all_nics')$$, 'a reader cannot mend');
SELECT is((SELECT uuid FROM cloud.all_nics WHERE id = 30), NULL, 'and did not');

SELECT * FROM finish();
ROLLBACK;
