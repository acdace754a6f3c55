-- check_inventory(): every code finds what was planted and nothing else, its
-- fix runs as it stands and mends it, and what is legitimate is no finding.
\i test/tap/setup.psql
SELECT plan(153);

-- What is found, as text; the fixes are run as they stand.
-- Rules that are let go of below, so that rows can break them, are left out.
CREATE TEMP TABLE let_go (message text);
CREATE FUNCTION checked(inventory name DEFAULT NULL, min_age interval DEFAULT '10 minutes')
RETURNS TABLE (code text, severity text, object_type text, object_id bigint, object_uuid uuid, since timestamptz, message text, fix text) LANGUAGE sql AS $$
SELECT f.code, f.severity, f.object_type, f.object_id, f.object_uuid, f.since, f.message, f.fix FROM vmnet.check_inventory($1, $2) f WHERE NOT EXISTS (SELECT FROM let_go l WHERE l.message = f.message)
$$;
CREATE FUNCTION found(min_age interval DEFAULT '10 minutes') RETURNS SETOF text LANGUAGE sql AS $$
SELECT format('%s %s %s %s', f.severity, f.code, f.object_type, f.object_id) FROM checked('cloud', min_age) f
$$;
CREATE FUNCTION mend() RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
	mended bigint := 0;
	statement text;
BEGIN
	FOR statement IN SELECT DISTINCT fix FROM checked('cloud') LOOP
		EXECUTE statement;
		mended := mended + 1;
	END LOOP;
	RETURN mended;
END $$;
-- Does something that the guards would refuse.
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

SELECT is_empty('SELECT * FROM vmnet.check_inventory()', 'an empty inventory has no findings');

--
-- A clean inventory, with everything in it that is legitimate
--
INSERT INTO cloud.networks (id, name, guest_type, cidr, network_cidr, ip6_cidr) VALUES
	(1, 'isolated', 'Isolated', '10.1.1.0/24', NULL, NULL), (2, 'same range', 'Isolated', '10.1.1.0/24', NULL, 'fd00::/64'),
	(3, 'reserved range', 'Isolated', '10.2.0.0/25', '10.2.0.0/24', NULL), (4, 'no range', 'L2', NULL, NULL, NULL),
	(5, 'gone', 'Isolated', '10.5.0.0/24', NULL, NULL), (6, 'public', NULL, NULL, NULL, NULL);
INSERT INTO cloud.instances (id, name, type, state) VALUES
	(1, 'a', 'User', 'Running'), (2, 'b', 'User', 'Stopped'), (3, 'c', 'User', 'Destroyed'), (4, 'no NICs', 'User', 'Stopped'),
	(5, 'gone', 'User', 'Expunging'), (6, 'd', 'User', 'Running'), (10, 'r-10', 'DomainRouter', 'Running'), (11, 'r-11', 'DomainRouter', 'Running');
-- a removed NIC holds nothing: not its address, MAC, device or default
INSERT INTO cloud.nics (id, instance_id, network_id, state, device_id, mac_address, ip4_address)
VALUES (26, 6, 1, 'Reserved', 0, '02:00:00:00:00:06', '10.1.1.6');
DELETE FROM cloud.nics WHERE id = 26;
INSERT INTO cloud.nics (id, instance_id, network_id, state, strategy, vm_type, device_id, default_nic, mac_address, ip4_address, ip6_address, created) VALUES
	(1, 1, 1, 'Reserved', 'Start', 'User', 0, true, '02:00:00:00:00:01', '10.1.1.1', NULL, '2025-01-01 00:00:00+00'),
	(2, 1, 2, 'Reserved', 'Start', 'User', 1, false, '02:00:00:00:00:02', '10.1.1.2', 'fd00::2', '2025-01-02 00:00:00+00'),
	-- the same address and MAC on another network, where the ranges overlap
	(3, 2, 2, 'Allocated', 'Start', 'User', 0, true, '02:00:00:00:00:01', '10.1.1.1', 'fd00::1', '2025-01-03 00:00:00+00'),
	-- in the reserved range; no address; no range
	(4, 3, 3, 'Reserved', 'Start', 'User', 0, true, NULL, '10.2.0.200', NULL, '2025-01-04 00:00:00+00'),
	(5, 3, 4, 'Allocated', 'Create', 'User', 1, false, NULL, '192.0.2.1', NULL, '2025-01-05 00:00:00+00'),
	(6, 6, 1, 'Reserved', 'Start', 'User', 0, true, '02:00:00:00:00:06', '10.1.1.6', NULL, '2025-01-06 00:00:00+00'),
	-- two redundant routers share a public address and MAC; a placeholder holds that of a router
	(10, 10, 6, 'Reserved', 'Start', 'DomainRouter', 0, true, '02:00:00:00:00:10', '203.0.113.10', NULL, '2025-01-07 00:00:00+00'),
	(11, 11, 6, 'Reserved', 'Start', 'DomainRouter', 0, true, '02:00:00:00:00:10', '203.0.113.10', NULL, '2025-01-07 00:00:00+00'),
	(12, 10, 1, 'Reserved', 'Start', 'DomainRouter', 1, false, '02:00:00:00:00:12', '10.1.1.254', NULL, '2025-01-07 00:00:00+00'),
	(13, 11, 1, 'Reserved', 'Start', 'DomainRouter', 1, false, '02:00:00:00:00:12', '10.1.1.254', NULL, '2025-01-07 00:00:00+00'),
	(14, NULL, 1, 'Reserved', 'PlaceHolder', 'DomainRouter', NULL, false, NULL, '10.1.1.254', NULL, '2025-01-07 00:00:00+00'),
	-- one that says nothing of a router, but has no instance
	(15, NULL, 1, 'Reserved', 'PlaceHolder', 'User', NULL, false, NULL, '10.1.1.254', NULL, '2025-01-07 00:00:00+00'),
	(20, 5, 5, 'Reserved', 'Start', 'User', 0, true, '02:00:00:00:00:20', '10.5.0.1', NULL, '2025-01-08 00:00:00+00');
DELETE FROM cloud.nics WHERE id = 20;
UPDATE cloud.instances SET removed = now() WHERE id = 5;
UPDATE cloud.networks SET removed = now(), state = 'Destroy' WHERE id = 5;
-- a removal and a start that are under way
INSERT INTO cloud.nics (id, instance_id, network_id, state, device_id, ip4_address) VALUES
	(24, 6, 2, 'Reserved', 1, '10.1.1.24'), (25, 6, 3, 'Allocated', 2, '10.2.0.25');
UPDATE cloud.all_nics SET state = 'Deallocating' WHERE id = 24;
UPDATE cloud.all_nics SET state = 'Reserving' WHERE id = 25;
UPDATE cloud.all_nics SET state = 'Releasing' WHERE id = 2;
-- NICs for what is to come, which have no history yet
INSERT INTO cloud.instances (id, name) SELECT g, 'later' FROM generate_series(50, 59) g;
INSERT INTO cloud.nics (id, instance_id, network_id, device_id) SELECT g, g, 4, 0 FROM generate_series(50, 59) g;
SELECT is_empty('SELECT * FROM vmnet.check_inventory()', 'a clean inventory has no findings, whatever is legitimate in it');
SELECT is(vmnet.inventory_status(), 0, 'its status is 0');
SELECT is_empty('SELECT * FROM cloud.network_validation WHERE NOT agree AND network_id NOT IN (2)', 'and the ways of counting agree, but where a removal is under way');

-- min_age: age >= min_age counts; it has no say in other codes
SELECT set_eq($$SELECT found('0')$$, ARRAY['error half_removed_nic nic 24', 'warning stuck_nic nic 25', 'warning stuck_nic nic 2'], 'what is under way is found with min_age 0');
SELECT plant($$UPDATE cloud.all_nics SET state_changed = now() - interval '9 minutes 59.999999 seconds' WHERE id IN (2, 24, 25)$$);
SELECT is_empty('SELECT found()', 'an age of just under ten minutes is too young');
SELECT plant($$UPDATE cloud.all_nics SET state_changed = now() - interval '10 minutes' WHERE id IN (2, 24, 25)$$);
SELECT set_eq('SELECT found()', ARRAY['error half_removed_nic nic 24', 'warning stuck_nic nic 25', 'warning stuck_nic nic 2'], 'an age of ten minutes counts');
SELECT is_empty($$SELECT found('10 minutes 1 microsecond')$$, 'a longer min_age is asked for');
SELECT results_eq($$SELECT code, object_uuid = n.uuid, since = now() - interval '10 minutes', message, fix FROM vmnet.check_inventory('cloud') f JOIN cloud.all_nics n ON n.id = f.object_id ORDER BY object_id$$,
	$$VALUES ('stuck_nic', true, true, 'NIC 2 of instance 1 on network 2 is stuck in Releasing', 'UPDATE cloud.all_nics SET state = ''Reserved'' WHERE id = 2 AND state = ''Releasing'' AND removed IS NULL;'),
	('half_removed_nic', true, true, 'NIC 24 of instance 6 on network 2 is half-removed: Deallocating, but not removed; its address 10.1.1.24 may still be in use', 'UPDATE cloud.all_nics SET removed = now() WHERE id = 24 AND removed IS NULL;'),
	('stuck_nic', true, true, 'NIC 25 of instance 6 on network 3 is stuck in Reserving', 'UPDATE cloud.all_nics SET state = ''Allocated'' WHERE id = 25 AND state = ''Reserving'' AND removed IS NULL;')$$,
	'each says what, since when, why and how to mend it');
SELECT is(vmnet.inventory_status('cloud'), 3, 'an error makes the status 3');
SELECT is(mend(), 3::bigint, 'the fixes run as they stand');
SELECT is_empty($$SELECT found('0')$$, 'and mend');
SELECT results_eq('SELECT id, state, removed IS NOT NULL FROM cloud.all_nics WHERE id IN (2, 24, 25) ORDER BY id', $$VALUES (2::bigint, 'Reserved', false), (24, 'Deallocating', true), (25, 'Allocated', false)$$, 'what was half done is finished or undone');
SELECT plant($$UPDATE cloud.all_nics SET state = 'Releasing', state_changed = '2025-02-01' WHERE id = 50$$);
SELECT is(vmnet.inventory_status('cloud'), 0, 'a warning does not change the status');
SELECT is(mend(), 1::bigint, 'it is mended');
SELECT plant($$UPDATE cloud.all_nics SET state = 'Reserving', strategy = 'Create', state_changed = '2025-02-01' WHERE id = 51$$);
SELECT set_eq('SELECT found()', ARRAY['warning stuck_nic nic 51'], 'stuck_nic, where no event leads out');
SELECT is(mend(), 1::bigint, 'it is mended');
SELECT is_empty($$SELECT found('0')$$, 'and gone');

--
-- Arguments
--
SELECT throws_ok($$SELECT * FROM vmnet.check_inventory('nowhere')$$, '22023', 'inventory "nowhere" does not exist', 'an unknown inventory is an error');
SELECT throws_ok($$SELECT * FROM vmnet.check_inventory('pg_catalog')$$, '22023', 'inventory "pg_catalog" does not exist', 'as is a schema that is none');
SELECT throws_ok($$SELECT vmnet.inventory_status('nowhere')$$, '22023', NULL, 'for the status too');
SELECT throws_ok($$SELECT * FROM vmnet.network_blockers(1, 'nowhere')$$, '22023', NULL, 'and the blockers of a network');
SELECT throws_ok($$SELECT * FROM vmnet.instance_blockers(1, 'nowhere')$$, '22023', NULL, 'and of an instance');
SELECT throws_ok($$SELECT * FROM vmnet.check_inventory('cloud', NULL)$$, '22023', 'min_age must be an interval that is not negative', 'min_age cannot be NULL');
SELECT throws_ok($$SELECT * FROM vmnet.check_inventory('cloud', '-1 second')$$, '22023', 'min_age must be an interval that is not negative', 'nor negative');
SET LOCAL vmnet.inventory = 'elsewhere';
SELECT throws_ok('SELECT * FROM vmnet.check_inventory()', '22023', 'inventory "elsewhere" does not exist', 'the setting decides where the call does not');
RESET vmnet.inventory;

--
-- Every other code.  What the tables themselves would refuse is let in.
--
ALTER TABLE cloud.all_nics DROP CONSTRAINT nic_state_valid, DROP CONSTRAINT nic_removed_is_deallocating, ALTER uuid DROP NOT NULL, DROP CONSTRAINT nic_default_nic_present;
ALTER TABLE cloud.all_instances ALTER uuid DROP NOT NULL;
ALTER TABLE cloud.all_networks ALTER uuid DROP NOT NULL;
DROP INDEX cloud.all_nics_one_per_network, cloud.all_nics_one_default, cloud.all_nics_one_device, cloud.all_nics_one_mac, cloud.all_nics_one_ip4, cloud.all_nics_one_ip6;
SELECT results_eq($$SELECT code, count(*) FROM vmnet.check_inventory('cloud', '0') GROUP BY 1 ORDER BY 1$$, $$VALUES ('column_differs', 3::bigint), ('rule_missing', 9)$$, 'rules that are gone are findings');
INSERT INTO let_go SELECT message FROM vmnet.check_inventory('cloud');
SELECT is_empty($$SELECT found('0')$$, 'and there are no others');

-- half-removed in other letters: not live, so the same; but an unknown state too
SELECT plant($$UPDATE cloud.all_nics SET state = 'DEALLOCATING', state_changed = '2025-02-01' WHERE id = 52$$);
SELECT set_eq('SELECT found()', ARRAY['error half_removed_nic nic 52', 'warning unknown_state nic 52'], 'half_removed_nic ignores case, unknown_state does not');
SELECT is(mend(), 2::bigint, 'they are mended');
SELECT is_empty($$SELECT found('0')$$, 'both');
SELECT is((SELECT (state, removed IS NOT NULL)::text FROM cloud.all_nics WHERE id = 52), '(Deallocating,t)', 'and the NIC is removed');

-- unknown_state
SELECT plant($$UPDATE cloud.all_nics SET state = 'releasing', state_changed = '2025-02-01' WHERE id = 53$$);
SELECT set_eq('SELECT found()', ARRAY['warning unknown_state nic 53'], 'unknown_state: in other letters; stuck_nic does not ignore case');
SELECT is((SELECT message FROM checked()), 'NIC 53 of instance 53 on network 4 has an unknown state: ''releasing''', 'says which');
SELECT is(mend(), 1::bigint, 'it is mended');
SELECT set_eq($$SELECT found('0')$$, ARRAY['warning stuck_nic nic 53'], 'to the state that was meant');
SELECT plant($$UPDATE cloud.all_nics SET state_changed = '2025-02-01' WHERE id = 53$$);
SELECT is(mend(), 1::bigint, 'which is mended too');
SELECT plant($$UPDATE cloud.all_nics SET state = 'It''s \odd', ip4_address = '192.0.2.54' WHERE id = 54$$);
SELECT plant($$UPDATE cloud.all_nics SET state = 'Bogus' WHERE id = 55$$);
SELECT set_eq('SELECT found()', ARRAY['warning unknown_state nic 54', 'warning unknown_state nic 55'], 'unknown_state, that nobody knows');
SELECT is(mend(), 2::bigint, 'they are mended');
SELECT results_eq('SELECT id, state FROM cloud.all_nics WHERE id IN (54, 55) ORDER BY 1', $$VALUES (54::bigint, 'Reserved'), (55, 'Allocated')$$, 'so that an address is kept');
SELECT is_empty($$SELECT found('0')$$, 'and gone');

-- removed_nic_wrong_state
CREATE FUNCTION plant_removed(id bigint, state text) RETURNS void LANGUAGE sql AS $$
SELECT plant(format('INSERT INTO cloud.all_nics (id, instance_id, network_id, default_nic, state, removed) VALUES (%s, 6, 4, false, %L, ''2025-03-03 12:00:00+00'')', id, state))
$$;
SELECT plant_removed(60, 'Reserved');
SELECT results_eq('SELECT severity, code, object_type, object_id, since, message FROM checked()', $$VALUES ('warning', 'removed_nic_wrong_state', 'nic', 60::bigint, '2025-03-03 12:00:00+00'::timestamptz, 'NIC 60 of instance 6 on network 4 is removed, but its state is Reserved')$$, 'removed_nic_wrong_state');
SELECT is(mend(), 1::bigint, 'it is mended');
SELECT is_empty($$SELECT found('0')$$, 'and gone');
SELECT is((SELECT (state, state_changed = removed)::text FROM cloud.all_nics WHERE id = 60), '(Deallocating,t)', 'with the state changed when it was removed');
SELECT plant_removed(61, 'deallocating');
SELECT set_eq('SELECT found()', ARRAY['warning unknown_state nic 61'], 'removed_nic_wrong_state ignores case');
SELECT is((SELECT message FROM checked()), 'NIC 61 of instance 6 on network 4, removed, has an unknown state: ''deallocating''', 'the other code does not');
SELECT plant_removed(62, 'reserved');
SELECT set_eq('SELECT found()', ARRAY['warning unknown_state nic 61', 'warning removed_nic_wrong_state nic 62', 'warning unknown_state nic 62'], 'both');
SELECT is(mend(), 3::bigint, 'they are mended');
SELECT is_empty($$SELECT found('0')$$, 'all');
SELECT throws_ok('UPDATE cloud.all_nics SET state = ''Releasing'' WHERE id = 3', '23514', NULL, 'and the guard is back');

-- live_nic_on_removed_instance, half-removed ones too
SAVEPOINT before;
SELECT plant($$UPDATE cloud.all_instances SET removed = '2025-03-01 12:00:00+00' WHERE id = 3$$);
SELECT plant($$UPDATE cloud.all_nics SET state = 'Deallocating', state_changed = clock_timestamp() WHERE id = 5$$);
SELECT set_eq('SELECT found()', ARRAY['error live_nic_on_removed_instance nic 4', 'error live_nic_on_removed_instance nic 5'], 'live_nic_on_removed_instance, of held NICs');
SELECT results_eq('SELECT since, message FROM checked() WHERE object_id = 4', $$VALUES ('2025-03-01 12:00:00+00'::timestamptz, 'NIC 4 on network 3 is held (Reserved), but its instance 3 has been removed')$$, 'says since when');
SELECT is(mend(), 2::bigint, 'they are mended');
SELECT is_empty($$SELECT found('0')$$, 'and gone');
ROLLBACK TO before;

-- live_nic_on_removed_network, placeholders too
SELECT plant($$UPDATE cloud.all_networks SET removed = '2025-03-02 12:00:00+00' WHERE id = 1$$);
SELECT set_eq('SELECT found()', $$SELECT 'error live_nic_on_removed_network nic ' || g FROM unnest(ARRAY[1, 6, 12, 13, 14, 15]) g$$, 'live_nic_on_removed_network, of held NICs');
SELECT results_eq('SELECT since, message FROM checked() WHERE object_id = 14', $$VALUES ('2025-03-02 12:00:00+00'::timestamptz, 'NIC 14 of no instance is held (Reserved), but its network 1 has been removed')$$, 'says since when');
SELECT is(mend(), 6::bigint, 'they are mended');
SELECT is_empty($$SELECT f FROM found('0') f WHERE f LIKE '%live_nic%'$$, 'and gone');
ROLLBACK TO before;

-- history_chain_broken
CREATE FUNCTION plant_history(nic_id bigint, VARIADIC states text[]) RETURNS void LANGUAGE sql AS $$
INSERT INTO cloud.nic_history (nic_id, network_id, from_state, to_state, event, at, session_username, transaction_id)
SELECT nic_id, 4, split_part(s, ' ', 1), nullif(split_part(s, ' ', 2), 'NULL'), 'Planted', '2025-05-05 12:00:00+00'::timestamptz + ord * interval '1 minute', session_user, 1
FROM unnest(states) WITH ORDINALITY u (s, ord)
$$;
SELECT plant_history(56, 'Allocated Reserving', 'Reserving Reserved', 'Reserved Releasing', 'Releasing Allocated');
SELECT plant_history(99, 'Allocated Reserving', 'Reserving NULL', 'Bogus Reserved');
SELECT is_empty($$SELECT found('0')$$, 'a whole chain is no finding, nor is one of a NIC that is no more');
SELECT plant_history(57, 'Allocated Reserving', 'Reserving Reserved');
SELECT results_eq('SELECT f.severity, f.code, f.object_type, f.object_id, n.uuid = f.object_uuid, f.since, f.message FROM checked() f JOIN cloud.all_nics n ON n.id = f.object_id',
	$$VALUES ('error', 'history_chain_broken', 'nic', 57::bigint, true, '2025-05-05 12:02:00+00'::timestamptz, 'history of NIC 57 ends with Reserved, but its state is Allocated')$$, 'history_chain_broken: at its end');
SELECT is(mend(), 1::bigint, 'it is mended');
SELECT is_empty($$SELECT found('0')$$, 'and gone');
SELECT results_eq('SELECT from_state, to_state, network_id, instance_id FROM cloud.nic_history WHERE nic_id = 57 ORDER BY seq DESC LIMIT 1', $$VALUES ('Reserved', 'Allocated', 4::bigint, 57::bigint)$$, 'by an entry');
SAVEPOINT before_history;
-- three gaps are one finding, that of the first; the order is that of seq, not of the time
SELECT plant_history(58, 'Allocated Reserving', 'Reserved Releasing', 'Reserved Releasing', 'Allocated Reserving');
UPDATE cloud.nic_history SET at = '2025-05-05 11:00:00+00' WHERE nic_id = 58 AND from_state = 'Allocated' AND seq = (SELECT max(seq) FROM cloud.nic_history);
SELECT plant_history(99, 'Releasing Allocated');
SELECT results_eq('SELECT code, object_id, since, message ~ ''^history of NIC (58|99) has a gap: entry \d+ starts from (Reserved|Releasing), the one before it left (Reserving|Reserved)$'', fix FROM checked() ORDER BY 2',
	$$VALUES ('history_chain_broken', 58::bigint, '2025-05-05 12:02:00+00'::timestamptz, true, NULL::text), ('history_chain_broken', 99, '2025-05-05 12:01:00+00', true, NULL)$$,
	'history_chain_broken: in between, of a NIC that is no more too; no statement can mend it');
ROLLBACK TO before_history;
-- what goes past the guard leaves an entry
SELECT plant($$UPDATE cloud.all_nics SET state = 'Bogus', state_changed = '2025-02-01' WHERE id = 57$$);
SELECT set_eq($$SELECT found('0')$$, ARRAY['error history_chain_broken nic 57', 'warning unknown_state nic 57'], 'a state that changed behind the guard''s back is both');
DO $$ BEGIN EXECUTE (SELECT fix FROM checked() WHERE code = 'unknown_state'); END $$;
SELECT is_empty($$SELECT found('0')$$, 'and mended by one fix');
ROLLBACK TO before;

-- duplicate_live_mac: three of them, the first keeps it
SELECT plant($$UPDATE cloud.all_nics SET mac_address = '02:00:00:00:00:aa' WHERE id IN (1, 6)$$);
SELECT plant($$INSERT INTO cloud.all_nics (id, instance_id, network_id, state, device_id, default_nic, mac_address, created) VALUES (30, 2, 1, 'Reserved', 1, false, '02:00:00:00:00:aa', '2025-04-01 00:00:00+00')$$);
SELECT set_eq('SELECT found()', ARRAY['error duplicate_live_mac nic 1', 'error duplicate_live_mac nic 6', 'error duplicate_live_mac nic 30'], 'duplicate_live_mac');
SELECT results_eq('SELECT object_id, since, message FROM checked() ORDER BY 1', $$VALUES
	(1::bigint, '2025-04-01 00:00:00+00'::timestamptz, 'NIC 1 of instance 1 has MAC address 02:00:00:00:00:aa on network 1, which NIC 30 has too, and 1 more'),
	(6, '2025-04-01 00:00:00+00', 'NIC 6 of instance 6 has MAC address 02:00:00:00:00:aa on network 1, which NIC 1 has too, and 1 more'),
	(30, '2025-04-01 00:00:00+00', 'NIC 30 of instance 2 has MAC address 02:00:00:00:00:aa on network 1, which NIC 1 has too, and 1 more')$$, 'says which');
SELECT is(mend(), 1::bigint, 'one statement mends them');
SELECT is_empty($$SELECT found('0')$$, 'all');
SELECT is((SELECT string_agg((mac_address = '02:00:00:00:00:aa')::text, ' ' ORDER BY id) FROM cloud.all_nics WHERE id IN (1, 6, 30)), 'true false false', 'the oldest keeps its address');
SELECT ok((SELECT bool_and(get_byte(decode(replace(mac_address::text, ':', ''), 'hex'), 0) = 2) FROM cloud.all_nics WHERE id IN (6, 30)), 'the others have one that is locally administered');
SELECT plant($$UPDATE cloud.all_nics SET mac_address = '02:00:00:00:00:aa', vm_type = 'ConsoleProxy' WHERE id = 30$$);
SELECT is_empty('SELECT found()', 'another type of NIC may share a MAC address');
SELECT plant($$UPDATE cloud.all_nics SET vm_type = 'User', state = 'Deallocating', state_changed = now() WHERE id = 30$$);
SELECT is_empty('SELECT found()', 'and one that is not live');
SELECT plant($$UPDATE cloud.all_nics SET state = 'Reserved', mac_address = NULL WHERE id IN (1, 6, 30)$$);
SELECT is_empty('SELECT found()', 'and none shares no address');

-- duplicate_live_ip4
SELECT plant($$UPDATE cloud.all_nics SET ip4_address = '10.1.1.6' WHERE id = 30$$);
SELECT results_eq('SELECT severity, code, object_type, object_id, since, message FROM checked() ORDER BY 4', $$VALUES
	('error', 'duplicate_live_ip4', 'nic', 6::bigint, '2025-04-01 00:00:00+00'::timestamptz, 'NIC 6 of instance 6 has address 10.1.1.6 on network 1, which NIC 30 has too'),
	('error', 'duplicate_live_ip4', 'nic', 30, '2025-04-01 00:00:00+00', 'NIC 30 of instance 2 has address 10.1.1.6 on network 1, which NIC 6 has too')$$, 'duplicate_live_ip4');
SELECT is(mend(), 1::bigint, 'it is mended');
SELECT is_empty($$SELECT found('0')$$, 'and gone');
SELECT is((SELECT string_agg(coalesce(host(ip4_address), 'none'), ' ' ORDER BY id) FROM cloud.all_nics WHERE id IN (6, 30)), '10.1.1.6 none', 'the oldest keeps its address');
SELECT plant($$UPDATE cloud.all_nics SET ip4_address = '10.1.1.6', state = 'Deallocating', state_changed = now() WHERE id = 30$$);
SELECT is_empty('SELECT found()', 'a half-removed one is not live');
SELECT plant($$UPDATE cloud.all_nics SET ip4_address = NULL, state = 'Reserved' WHERE id = 30$$);

-- duplicate_live_ip6
SELECT plant($$UPDATE cloud.all_nics SET ip6_address = 'fd00::1' WHERE id IN (1, 2, 6)$$);
SELECT set_eq('SELECT found()', ARRAY['error duplicate_live_ip6 nic 1', 'error duplicate_live_ip6 nic 6', 'error duplicate_live_ip6 nic 2', 'error duplicate_live_ip6 nic 3'], 'duplicate_live_ip6, on each network');
SELECT is(mend(), 2::bigint, 'they are mended');
SELECT is_empty($$SELECT found('0')$$, 'and gone');
SELECT is((SELECT string_agg(coalesce(host(ip6_address), 'none'), ' ' ORDER BY id) FROM cloud.all_nics WHERE id IN (1, 2, 3, 6)), 'fd00::1 fd00::1 none none', 'the oldest keeps its address');

-- duplicate_device_id: numbers 0, 1 and 2 of instance 6 are taken, by two NICs each
SELECT plant($$UPDATE cloud.all_nics SET device_id = 3 WHERE id = 25;
	INSERT INTO cloud.all_nics (id, instance_id, network_id, state, device_id, default_nic, created) VALUES
	(40, 6, 4, 'Reserved', 0, false, '2025-05-01 00:00:00+00'), (41, 6, 6, 'Reserved', 0, false, '2025-05-02 00:00:00+00'), (42, 6, 3, 'Reserved', 3, false, '2025-05-03 00:00:00+00')$$);
SELECT set_eq('SELECT found()', $$SELECT 'error duplicate_device_id nic ' || g FROM unnest(ARRAY[6, 25, 40, 41, 42]) g$$, 'duplicate_device_id');
SELECT results_eq('SELECT since, message FROM checked() WHERE object_id IN (6, 40) ORDER BY object_id', $$VALUES
	('2025-05-02 00:00:00+00'::timestamptz, 'NIC 6 of instance 6 has device_id 0, which its NIC 41 has too'),
	('2025-05-02 00:00:00+00', 'NIC 40 of instance 6 has device_id 0, which its NIC 6 has too')$$, 'says which');
SELECT is(mend(), 3::bigint, 'each but the first gets another');
SELECT is_empty($$SELECT found('0')$$, 'that nobody has');
SELECT is((SELECT string_agg(device_id::text, ' ' ORDER BY id) FROM cloud.all_nics WHERE id IN (6, 25)), '0 3', 'the first keeps its own');
SELECT plant($$UPDATE cloud.all_nics SET device_id = 0, mac_address = '02:00:00:00:00:06' WHERE id IN (6, 40)$$);
SELECT is_empty('SELECT found()', 'a network migration has one device on two networks, with one MAC address');
SELECT plant($$UPDATE cloud.all_nics SET mac_address = '02:00:00:00:00:07' WHERE id = 40$$);
SELECT is((SELECT count(*) FROM found()), 2::bigint, 'with another it is a duplicate');
SELECT plant($$UPDATE cloud.all_nics SET mac_address = NULL WHERE id IN (6, 40)$$);
SELECT is((SELECT count(*) FROM found()), 2::bigint, 'and so it is without one');
SELECT is(mend(), 1::bigint, 'it is mended');
SELECT plant($$UPDATE cloud.all_nics SET vm_type = 'DomainRouter', device_id = 0 WHERE id = 41$$);
SELECT is_empty('SELECT found()', 'a router''s devices are its own affair');

-- user_ip_held_by_other
SELECT plant($$UPDATE cloud.all_nics SET ip4_address = '203.0.113.10' WHERE id = 42;
	UPDATE cloud.all_nics SET network_id = 6 WHERE id = 42$$);
SELECT results_eq('SELECT severity, code, object_type, object_id, since, message FROM checked()', $$VALUES
	('error', 'user_ip_held_by_other', 'nic', 42::bigint, '2025-05-03 00:00:00+00'::timestamptz, 'NIC 42 of instance 6 has address 203.0.113.10 on network 6, which router or system NIC 10 holds')$$, 'user_ip_held_by_other: a router''s');
SELECT is(mend(), 1::bigint, 'it is mended');
SELECT is((SELECT string_agg(coalesce(host(ip4_address), 'none'), ' ' ORDER BY id) FROM cloud.all_nics WHERE id IN (10, 11, 42)), '203.0.113.10 203.0.113.10 none', 'the router keeps it');
SELECT plant($$UPDATE cloud.all_nics SET ip4_address = '203.0.113.10', network_id = 4 WHERE id = 42$$);
SELECT is_empty('SELECT found()', 'on another network it is another address');
SELECT plant($$UPDATE cloud.all_nics SET ip4_address = '10.1.1.253' WHERE id IN (14, 1)$$);
SELECT set_eq('SELECT found()', ARRAY['error user_ip_held_by_other nic 1'], 'a placeholder''s');
SELECT is((SELECT message FROM checked()), 'NIC 1 of instance 1 has address 10.1.1.253 on network 1, which placeholder NIC 14 holds', 'says which');
SELECT is(mend(), 1::bigint, 'it is mended');
SELECT plant($$UPDATE cloud.all_nics SET ip6_address = 'fd00::a' WHERE id IN (6, 12)$$);
SELECT set_eq('SELECT found()', ARRAY['error user_ip_held_by_other nic 6'], 'of an IPv6 address too');
SELECT is(mend(), 1::bigint, 'it is mended');
SELECT plant($$UPDATE cloud.all_nics SET ip6_address = 'fd00::a' WHERE id IN (6, 12); UPDATE cloud.all_nics SET state = 'Deallocating', removed = now(), state_changed = now() WHERE id = 12$$);
SELECT is_empty('SELECT found()', 'a removed router holds nothing');

-- ip_outside_cidr: the network's whole range counts, IPv6 is not looked at
SELECT plant($$UPDATE cloud.all_nics SET ip4_address = '10.1.2.1' WHERE id = 1; UPDATE cloud.all_nics SET ip4_address = '10.2.1.0' WHERE id = 4$$);
SELECT set_eq('SELECT found()', ARRAY['warning ip_outside_cidr nic 1', 'warning ip_outside_cidr nic 4'], 'ip_outside_cidr');
SELECT is((SELECT string_agg(message, '; ' ORDER BY object_id) FROM checked()), 'NIC 1 of instance 1 has address 10.1.2.1, which is outside 10.1.1.0/24 of network 1; NIC 4 of instance 3 has address 10.2.1.0, which is outside 10.2.0.0/24 of network 3', 'says which');
SELECT is(mend(), 2::bigint, 'they are mended');
SELECT is_empty($$SELECT found('0')$$, 'and gone');

-- default_nic_double, system VMs too
SELECT plant($$UPDATE cloud.all_nics SET default_nic = true WHERE id IN (2, 13); UPDATE cloud.all_nics SET device_id = 7 WHERE id = 1$$);
SELECT results_eq('SELECT f.severity, f.code, f.object_type, f.object_id, i.uuid = f.object_uuid, f.since, f.message FROM checked() f JOIN cloud.all_instances i ON i.id = f.object_id ORDER BY 4', $$VALUES
	('error', 'default_nic_double', 'instance', 1::bigint, true, '2025-01-02 00:00:00+00'::timestamptz, 'instance 1 has 2 active default NICs; NIC 2 comes first'),
	('error', 'default_nic_double', 'instance', 11, true, '2025-01-07 00:00:00+00', 'instance 11 has 2 active default NICs; NIC 11 comes first')$$, 'default_nic_double');
SELECT plant($$UPDATE cloud.all_nics SET state = 'Deallocating', removed = now(), state_changed = now() WHERE id = 1$$);
SELECT set_eq('SELECT found()', ARRAY['error default_nic_double instance 11'], 'one that is not live is no default');
SELECT plant($$UPDATE cloud.all_nics SET state = 'Reserved', removed = NULL, state_changed = now() WHERE id = 1$$);
SELECT is(mend(), 2::bigint, 'they are mended');
SELECT results_eq('SELECT id, default_nic FROM cloud.all_nics WHERE id IN (1, 2, 11, 13) ORDER BY 1', $$VALUES (1::bigint, false), (2, true), (11, true), (13, false)$$, 'the lowest device keeps it');
SELECT plant($$UPDATE cloud.all_instances SET removed = now() WHERE id = 11; UPDATE cloud.all_nics SET default_nic = true WHERE id = 13$$);
SELECT is_empty($$SELECT f FROM found() f WHERE f LIKE '%default%'$$, 'a removed instance needs no default, and may have two');
SELECT plant($$UPDATE cloud.all_instances SET removed = NULL WHERE id = 11$$);

-- default_nic_missing, also where nobody knows
SELECT plant($$UPDATE cloud.all_nics SET default_nic = false WHERE instance_id = 1; UPDATE cloud.all_nics SET default_nic = NULL WHERE instance_id = 11$$);
SELECT results_eq('SELECT severity, code, object_type, object_id, message FROM checked() ORDER BY 4', $$VALUES
	('warning', 'default_nic_missing', 'instance', 1::bigint, 'instance 1 has 2 active NICs and no default NIC; NIC 2 comes first'),
	('warning', 'default_nic_missing', 'instance', 11, 'instance 11 has 2 active NICs and no default NIC; NIC 11 comes first')$$, 'default_nic_missing');
SELECT plant($$UPDATE cloud.all_instances SET removed = now() WHERE id = 11$$);
SELECT is_empty($$SELECT f FROM found() f WHERE f LIKE '%default_nic_missing instance 11'$$, 'a removed instance needs no default');
SELECT plant($$UPDATE cloud.all_instances SET removed = NULL WHERE id = 11$$);
SELECT is(mend(), 2::bigint, 'they are mended');
SELECT is_empty($$SELECT found('0')$$, 'and gone');

-- counter_drift: what counts are held User NICs in exactly Reserved
SELECT is((SELECT count(*) FROM cloud.all_nics WHERE network_id = 1 AND removed IS NULL AND vm_type = 'User' AND state = 'Reserved'), 4::bigint, 'network 1 has four that count');
SELECT plant($$UPDATE cloud.all_networks SET nics_count = 4 WHERE id = 1; UPDATE cloud.all_networks SET nics_count = 0 WHERE id = 5$$);
SELECT is_empty('SELECT found()', 'a counter that is right is no finding');
SELECT plant($$UPDATE cloud.all_networks SET nics_count = 0 WHERE id = 1; UPDATE cloud.all_networks SET nics_count = 1 WHERE id = 5$$);
SELECT results_eq('SELECT f.severity, f.code, f.object_type, f.object_id, w.uuid = f.object_uuid, f.message FROM checked() f JOIN cloud.all_networks w ON w.id = f.object_id ORDER BY 4', $$VALUES
	('warning', 'counter_drift', 'network', 1::bigint, true, 'nics_count of network 1 is 0, but its User NICs in Reserved are 4'),
	('warning', 'counter_drift', 'network', 5, true, 'nics_count of network 5 is 1, but its User NICs in Reserved are 0')$$, 'counter_drift, removed networks too');
SELECT is(mend(), 2::bigint, 'they are mended');
SELECT is_empty($$SELECT found('0')$$, 'and gone');

-- missing_uuid, of removed ones too
SELECT plant($$UPDATE cloud.all_nics SET uuid = NULL WHERE id IN (1, 20); UPDATE cloud.all_instances SET uuid = NULL WHERE id = 5; UPDATE cloud.all_networks SET uuid = NULL WHERE id = 5$$);
SELECT set_eq('SELECT found()', ARRAY['info missing_uuid nic 1', 'info missing_uuid nic 20', 'info missing_uuid instance 5', 'info missing_uuid network 5'], 'missing_uuid');
SELECT is((SELECT string_agg(message, '; ' ORDER BY message COLLATE "C") FROM checked()), 'NIC 1 has no uuid; NIC 20 has no uuid; instance 5 has no uuid; network 5 has no uuid', 'says which');
SELECT is((SELECT count(*) FROM checked() WHERE severity = 'error'), 0::bigint, 'no error');
SELECT is(mend(), 4::bigint, 'they are mended');
SELECT is_empty($$SELECT found('0')$$, 'and gone');

--
-- Guards: by function and whether it fires, not by name
--
CREATE FUNCTION guards() RETURNS SETOF text LANGUAGE sql AS $$
SELECT format('%s %s %s', f.code, coalesce(f.object_id::text, '-'), f.message) FROM checked('cloud') f WHERE f.severity = 'error' AND f.object_type = 'inventory'
$$;
CREATE FUNCTION guard_name() RETURNS name LANGUAGE sql AS $$
SELECT tgname FROM pg_trigger WHERE tgrelid = 'cloud.all_nics'::regclass AND tgfoid = 'vmnet_internal.nic_guard'::regproc
$$;
DO $$ BEGIN EXECUTE format('ALTER TRIGGER %I ON cloud.all_nics RENAME TO zz', guard_name()); END $$;
SELECT is_empty('SELECT found()', 'a guard of another name is a guard');
ALTER TABLE cloud.all_nics DISABLE TRIGGER zz;
SELECT set_eq('SELECT guards()', ARRAY['guard_disabled - guard zz of cloud.all_nics is disabled'], 'guard_disabled');
SELECT is((SELECT count(*) > 0 FROM checked() WHERE severity = 'error'), true, 'is an error');
SELECT is(mend(), 1::bigint, 'it is mended');
SELECT is_empty('SELECT found()', 'and gone');
ALTER TABLE cloud.all_nics ENABLE REPLICA TRIGGER zz;
SELECT set_eq('SELECT guards()', ARRAY['guard_disabled - guard zz of cloud.all_nics is disabled'], 'one that fires for replicas only is disabled');
ALTER TABLE cloud.all_nics ENABLE ALWAYS TRIGGER zz;
SELECT is_empty('SELECT found()', 'one that fires always is not');
CREATE TRIGGER another AFTER INSERT OR UPDATE ON cloud.all_nics FOR EACH ROW EXECUTE FUNCTION vmnet_internal.nic_guard();
ALTER TABLE cloud.all_nics DISABLE TRIGGER zz;
SELECT is_empty('SELECT found()', 'one of two is enough');
DROP TRIGGER another ON cloud.all_nics;
DROP TRIGGER zz ON cloud.all_nics;
SELECT set_eq('SELECT guards()', ARRAY['guard_missing - cloud.all_nics has no guard nic_guard'], 'guard_missing');
SELECT is(mend(), 1::bigint, 'it is mended');
SELECT throws_ok('UPDATE cloud.all_nics SET state = ''Releasing'' WHERE id = 25 AND state = ''Allocated'' OR id = 3', '23514', NULL, 'and guards again');

-- a guard that is there but does not fire when it should
CREATE OR REPLACE TRIGGER network_guard AFTER UPDATE ON cloud.all_networks FOR EACH ROW WHEN (false) EXECUTE FUNCTION vmnet_internal.network_guard();
DO $$ BEGIN EXECUTE format('CREATE OR REPLACE TRIGGER %I AFTER INSERT ON cloud.all_nics FOR EACH ROW EXECUTE FUNCTION vmnet_internal.nic_guard()', guard_name()); END $$;
CREATE OR REPLACE TRIGGER nic_prepare BEFORE INSERT OR UPDATE OF mtu ON cloud.all_nics FOR EACH ROW EXECUTE FUNCTION vmnet_internal.nic_prepare();
CREATE OR REPLACE TRIGGER no_hard_delete BEFORE DELETE ON cloud.all_nics FOR EACH ROW WHEN (OLD.id < 0) EXECUTE FUNCTION vmnet_internal.no_hard_delete();
SELECT set_eq('SELECT guards()', ARRAY['guard_missing - guard network_guard of cloud.all_networks fires at other times than it should',
	format('guard_missing - guard %s of cloud.all_nics fires at other times than it should', guard_name()),
	'guard_missing - guard nic_prepare of cloud.all_nics fires at other times than it should',
	'guard_missing - guard no_hard_delete of cloud.all_nics fires at other times than it should'], 'guard_missing: not for every event, column and row');
SELECT is(mend(), 4::bigint, 'they are mended');
SELECT is_empty('SELECT found()', 'and gone');

-- foreign keys are checked by triggers, too
ALTER TABLE cloud.all_nics DISABLE TRIGGER ALL;
ALTER TABLE cloud.all_nics ENABLE TRIGGER USER;
SELECT set_eq('SELECT guards()', ARRAY['guard_disabled - foreign key all_nics_instance_id_fkey is not checked: its triggers on cloud.all_nics are disabled',
	'guard_disabled - foreign key all_nics_network_id_fkey is not checked: its triggers on cloud.all_nics are disabled'], 'guard_disabled: foreign keys');
SELECT is(mend(), 2::bigint, 'they are mended');
SELECT is_empty('SELECT found()', 'and gone');

-- every guard of the inventory is looked for
SELECT set_eq($$SELECT DISTINCT p.proname || ' ' || x.relation FROM pg_trigger t JOIN pg_proc p ON p.oid = t.tgfoid JOIN vmnet_internal.check_guarded_relations('cloud') x ON x.relid = t.tgrelid WHERE NOT t.tgisinternal$$,
	$$SELECT function_name || ' ' || relation FROM vmnet_internal.check_expected_guards('cloud', 'managed')$$, 'every guard is known');
DO $$
DECLARE
	t record;
BEGIN
	FOR t IN SELECT tgname, tgrelid::regclass AS rel FROM pg_trigger WHERE NOT tgisinternal AND tgrelid IN (SELECT oid FROM pg_class WHERE relnamespace = 'cloud'::regnamespace) LOOP
		EXECUTE format('DROP TRIGGER %I ON %s', t.tgname, t.rel);
	END LOOP;
END $$;
SELECT is((SELECT count(*) FROM guards() WHERE guards LIKE 'guard_missing%'), (SELECT count(*) FROM vmnet_internal.inventory_definition('managed') WHERE phase = 'triggers'), 'without any, every one is missing');
SELECT is(mend(), (SELECT count(*) FROM vmnet_internal.inventory_definition('managed') WHERE phase = 'triggers'), 'they are mended');
SELECT is_empty('SELECT found()', 'and gone');

-- what inherits from a table is in the views, so it needs the guards
CREATE TABLE cloud."Child's NICs" () INHERITS (cloud.all_nics);
CREATE TABLE grandchild () INHERITS (cloud."Child's NICs");
SELECT is((SELECT count(*) FROM guards()), 2 * (SELECT count(*) FROM vmnet_internal.check_expected_guards('cloud', 'managed') WHERE relation = 'all_nics'), 'a child of all_nics, and its child, lack every guard');
SELECT ok('guard_missing - cloud."Child''s NICs", which inherits from a table of the inventory, has no guard nic_guard' IN (SELECT guards()), 'says which');
SELECT cmp_ok(mend(), '>', 0::bigint, 'they are mended');
SELECT is_empty('SELECT found()', 'and gone');

SELECT * FROM finish();
ROLLBACK;
