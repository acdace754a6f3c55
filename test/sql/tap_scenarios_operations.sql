-- Failures of CloudStack that operations must not have, each by its number in
-- the list of scenarios, with the CloudStack issue or change that it comes from.
-- Those that need many clients at once (27, 28, 37) are in test/t/040_operations.pl too.
\i test/tap/setup.psql
\i test/tap/outcome.psql

SELECT plan(79);

-- A place to start from anew for each scenario: networks 1 to 3 with their
-- routers' addresses, instances 1 to 4 of which 3 is a router.
CREATE FUNCTION pg_temp.begin_anew() RETURNS void LANGUAGE plpgsql AS $$
BEGIN
	SET LOCAL client_min_messages = warning;
	DROP SCHEMA cloud CASCADE;
	PERFORM vmnet.create_inventory('cloud');
	INSERT INTO cloud.networks (id, name, traffic_type, guest_type, state, cidr, gateway)
	SELECT i, 'network' || i, 'Guest', 'Isolated', 'Implemented', format('10.1.%s.0/24', i)::cidr, format('10.1.%s.1', i)::inet FROM generate_series(1, 3) i;
	INSERT INTO cloud.instances (id, name, type, state) VALUES (1, 'vm1', 'User', 'Running'), (2, 'vm2', 'User', 'Stopped'), (3, 'r-3', 'DomainRouter', 'Running'), (4, 'vm4', 'User', 'Running');
END $$;
-- Events of a NIC, one after the other; its state after the last.
CREATE FUNCTION pg_temp.goes(nic_id bigint, VARIADIC events text[]) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	event text;
	state text;
BEGIN
	FOREACH event IN ARRAY events LOOP
		state := vmnet.nic_event(nic_id, event);
	END LOOP;
	RETURN state;
END $$;

-- 13: Stopped, then Running by a power report: the VLAN was released under live NICs (#14177)
SELECT pg_temp.begin_anew() \g /dev/null
SELECT vmnet.nic_add(1, 1, '10.1.1.5') AS nic \gset
SELECT is(pg_temp.goes(:nic, 'ReservationRequested', 'OperationCompleted'), 'Reserved', '13: an instance has started, its NIC is reserved');
UPDATE cloud.instances SET state = 'Stopped' WHERE id = 1;
SELECT is(pg_temp.goes(:nic, 'ReleaseRequested', 'OperationCompleted'), 'Allocated', '13: it stops out of band, and the NIC is released');
UPDATE cloud.networks SET nics_count = 0 WHERE id = 1;
UPDATE cloud.instances SET state = 'Running' WHERE id = 1;
SELECT is(pg_temp.outcome('SELECT vmnet.network_remove(1)'), '23503 network_in_use', '13: it runs again by a power report: the network stays, whatever the NIC''s state');
SELECT results_eq('SELECT running_instances, allocated, reserved FROM cloud.network_counts WHERE network_id = 1', 'VALUES (1::bigint, 1::bigint, 0::bigint)', '13: the counts show that a NIC of a running instance is not reserved');
SELECT is(pg_temp.goes(:nic, 'ReservationRequested', 'OperationCompleted'), 'Reserved', '13: and it is reserved again');
SELECT results_eq('SELECT nic_state, ip4_address FROM vmnet.network_active_instances(1)', 'VALUES (''Reserved'', ''10.1.1.5''::inet)', '13: with the address that it had');

-- 14: a network shut down under running instances by a counter (CLOUDSTACK-7872)
SELECT pg_temp.begin_anew() \g /dev/null
SELECT vmnet.nic_add(1, 1) AS nic \gset
UPDATE cloud.networks SET nics_count = 0;
SELECT is(pg_temp.outcome('SELECT vmnet.network_remove(1)'), '23503 network_in_use', '14: a counter of 0 removes no network that a NIC is on');
UPDATE cloud.networks SET nics_count = 7;
SELECT is(pg_temp.outcome('SELECT vmnet.network_remove(2)'), 'accepted', '14: and one of 7 keeps none that is empty');
SELECT is(vmnet.nic_remove(:nic) AND vmnet.network_remove(1), true, '14: the network goes after its last NIC');

-- 16: a router lost its address when it was stopped out of band (#8284, #8371)
SELECT pg_temp.begin_anew() \g /dev/null
SELECT vmnet.nic_add(3, 1, '10.1.1.1', mac => '02:00:00:00:00:01') AS nic \gset
SELECT is(pg_temp.goes(:nic, 'ReservationRequested', 'OperationCompleted', 'ReleaseRequested', 'OperationCompleted'), 'Allocated', '16: a router starts and stops');
SELECT results_eq('SELECT ip4_address, mac_address, device_id FROM cloud.nics', 'VALUES (''10.1.1.1''::inet, ''02:00:00:00:00:01''::macaddr, 0)', '16: stopped, it keeps its address');
SELECT is(pg_temp.outcome('SELECT vmnet.nic_add(1, 1, ''10.1.1.1'')'), '23514 nic_ip_reserved', '16: which nobody else gets meanwhile');
UPDATE cloud.networks SET gateway = NULL;
SELECT is(pg_temp.outcome('SELECT vmnet.nic_add(1, 1, ''10.1.1.1'')'), '23505 user_ip_held_by_other', '16: be it the gateway or not');
SELECT is(pg_temp.goes(:nic, 'ReservationRequested', 'OperationCompleted'), 'Reserved', '16: and started again');
SELECT results_eq('SELECT ip4_address, mac_address, device_id FROM cloud.nics', 'VALUES (''10.1.1.1''::inet, ''02:00:00:00:00:01''::macaddr, 0)', '16: it is the same NIC');

-- 18: a network could not be deleted after a NIC had failed to start and was removed (#10261)
SELECT pg_temp.begin_anew() \g /dev/null
SELECT vmnet.nic_add(2, 1) AS nic \gset
SELECT is(pg_temp.goes(:nic, 'ReservationRequested', 'OperationFailed'), 'Allocated', '18: a start fails');
UPDATE cloud.instances SET state = 'Error' WHERE id = 2;
SELECT is(vmnet.nic_remove(:nic), true, '18: the NIC is removed');
SELECT is(vmnet.network_remove(1), true, '18: and then its network');
SELECT vmnet.nic_add(1, 2) AS nic \gset
SELECT is(pg_temp.goes(:nic, 'ReservationRequested'), 'Reserving', '18: a start hangs');
SELECT is(vmnet.nic_remove(:nic) AND vmnet.network_remove(2), true, '18: NIC and network go all the same');

-- 19: a network stuck in Implementing could be neither shut down nor deleted (#12249)
SELECT pg_temp.begin_anew() \g /dev/null
UPDATE cloud.networks SET state = 'Implementing' WHERE id IN (1, 2);
SELECT is(vmnet.network_remove(1), true, '19: a network that is stuck in Implementing can be removed');
SELECT is((SELECT state || ' ' || (removed IS NOT NULL)::text FROM cloud.all_networks WHERE id = 1), 'Destroy true', '19: and then is');
SELECT is(pg_temp.outcome('UPDATE cloud.networks SET state = ''Shutdown'' WHERE id = 2'), 'accepted', '19: or be sent to another state');
UPDATE cloud.networks SET state = 'Implementing' WHERE id = 3;
SELECT vmnet.nic_add(1, 3) AS nic \gset
SELECT is(pg_temp.outcome('SELECT vmnet.network_remove(3)'), '23503 network_in_use', '19: but not while a NIC is on it');

-- 21: a NIC that was left behind when plugging it in had failed (CLOUDSTACK-8091)
SELECT pg_temp.begin_anew() \g /dev/null
SELECT vmnet.nic_add(1, 1) AS nic \gset
SELECT is(pg_temp.outcome(format('SELECT vmnet.nic_add(1, 2, ''10.1.2.9''), vmnet.nic_event(%s, ''OperationCompleted'')', :nic)), '23514 nic_state_transition', '21: what fails in the transaction of the add');
SELECT is((SELECT count(*) FROM cloud.all_nics), 1::bigint, '21: leaves no NIC');
SELECT vmnet.nic_add(1, 2, '10.1.2.9') AS nic \gset
SELECT is(pg_temp.goes(:nic, 'ReservationRequested', 'OperationFailed'), 'Allocated', '21: what fails later');
SELECT is(vmnet.nic_remove(:nic), true, '21: is taken back by one call');
SELECT is_empty('SELECT FROM cloud.nics WHERE network_id = 2', '21: and no live NIC is left');
SELECT is(pg_temp.outcome('SELECT vmnet.nic_add(4, 2, ''10.1.2.9'')'), 'accepted', '21: nor its address held');

-- 22: expunging failed, since the default NIC went first (#3592, #3547, #3645)
CREATE FUNCTION pg_temp.expunge_in_order(first int, second int, third int) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	nics bigint[];
	said text;
BEGIN
	PERFORM pg_temp.begin_anew();
	nics := ARRAY[vmnet.nic_add(1, 1), vmnet.nic_add(1, 2), vmnet.nic_add(1, 3)];
	said := concat_ws(' ', vmnet.nic_remove(nics[first], force => true), vmnet.nic_remove(nics[second], force => true), vmnet.nic_remove(nics[third]), vmnet.instance_expunge(1));
	RETURN concat_ws(' ', said, (SELECT count(*) FROM cloud.all_nics WHERE removed IS NULL));
END $$;
SELECT is(pg_temp.expunge_in_order(a, b, 6 - a - b), 't t t t 0', format('22: NICs removed in the order %s %s %s, then the instance', a, b, 6 - a - b)) FROM generate_series(1, 3) a, generate_series(1, 3) b WHERE a <> b;
SELECT pg_temp.begin_anew() \g /dev/null
SELECT vmnet.nic_add(1, i) FROM generate_series(1, 3) i \g /dev/null
UPDATE cloud.nics SET default_nic = false;
UPDATE cloud.nics SET default_nic = true WHERE network_id = 2;
SELECT pg_temp.goes(id, 'ReservationRequested') FROM cloud.nics WHERE network_id = 1 \g /dev/null
SELECT pg_temp.goes(id, 'RemoveRequested') FROM cloud.nics WHERE network_id = 3 \g /dev/null
SELECT is(vmnet.instance_expunge(1), true, '22: all at once, the default in the middle, one reserving, one half-removed');
SELECT results_eq('SELECT count(*), count(removed), min(state), max(state) FROM cloud.all_nics WHERE instance_id = 1', 'VALUES (3::bigint, 3::bigint, ''Deallocating'', ''Deallocating'')', '22: every NIC is removed');
SELECT results_eq('SELECT state, removed IS NOT NULL FROM cloud.all_instances WHERE id = 1', 'VALUES (''Expunging'', true)', '22: and the instance');
SELECT is((SELECT bool_and(vmnet.network_remove(i)) FROM generate_series(1, 3) i), true, '22: nothing holds the networks');

-- 27: MAC addresses that came twice in a zone (#7633, #7634)
SELECT pg_temp.begin_anew() \g /dev/null
INSERT INTO cloud.instances (id, state) SELECT i, 'Stopped' FROM generate_series(100, 399) i;
SELECT vmnet.nic_add(i, 1 + i % 3) FROM generate_series(100, 399) i \g /dev/null
SELECT is((SELECT count(DISTINCT mac_address) FROM cloud.nics), 300::bigint, '27: 300 NICs on three networks have 300 MAC addresses');
SELECT is(pg_temp.outcome(format('SELECT vmnet.nic_add(1, 1, mac => %L)', (SELECT mac_address FROM cloud.nics WHERE network_id = 1 LIMIT 1))), '23505 all_nics_one_mac', '27: nobody takes one of them');
SELECT id AS nic, mac_address AS mac FROM cloud.nics WHERE network_id = 1 LIMIT 1 \gset
SELECT vmnet.nic_remove(:nic) \g /dev/null
SELECT is(pg_temp.outcome(format('SELECT vmnet.nic_add(1, 1, mac => %L)', :'mac')), 'accepted', '27: but that of a removed NIC is free (#6282)');

-- 28: device positions were the number of NICs, so that they collided (CLOUDSTACK-9134)
SELECT pg_temp.begin_anew() \g /dev/null
SELECT vmnet.nic_add(1, i) AS nic FROM generate_series(1, 3) i \g /dev/null
SELECT vmnet.nic_remove((SELECT id FROM cloud.nics WHERE device_id = 1)) AS done, vmnet.nic_add(1, 2) AS nic \gset
SELECT results_eq('SELECT device_id FROM cloud.nics ORDER BY 1', 'VALUES (0), (1), (2)', '28: the middle NIC goes and another comes: three positions');
SELECT is((SELECT device_id FROM cloud.nics WHERE id = :nic), 1, '28: the new one in the middle');

-- 29: a removal refused for the rule of another instance that has the same address elsewhere (CLOUDSTACK-6223, -7548)
SELECT pg_temp.begin_anew() \g /dev/null
UPDATE cloud.networks SET cidr = '10.1.0.0/16';
SELECT vmnet.nic_add(1, 1, '10.1.9.9') AS nic1, vmnet.nic_add(4, 2, '10.1.9.9') AS nic2 \gset
CREATE TABLE cloud.port_rules (port int, nic_id bigint REFERENCES cloud.all_nics);
INSERT INTO cloud.port_rules VALUES (22, :nic1);
CREATE FUNCTION cloud.keep_ruled() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
	IF EXISTS (SELECT FROM cloud.port_rules WHERE nic_id = NEW.id) THEN
		RAISE EXCEPTION USING ERRCODE = '23503', CONSTRAINT = 'port_rules_in_use', MESSAGE = 'a rule is on it';
	END IF;
	RETURN NEW;
END $$;
CREATE TRIGGER keep_ruled BEFORE UPDATE OF removed ON cloud.all_nics FOR EACH ROW WHEN (NEW.removed IS NOT NULL) EXECUTE FUNCTION cloud.keep_ruled();
SELECT is(pg_temp.outcome(format('SELECT vmnet.nic_remove(%s)', :nic1)), '23503 port_rules_in_use', '29: a rule is on a NIC, by its id, and holds it');
SELECT is(pg_temp.outcome(format('SELECT vmnet.nic_remove(%s)', :nic2)), 'accepted', '29: not the one that has the same address on another network');
SELECT is((SELECT count(*) FROM cloud.nics WHERE ip4_address = '10.1.9.9'), 1::bigint, '29: whose removal leaves the other its address');

-- 30: routers were not told whom to forget: the removal says address and MAC (#3721)
SELECT pg_temp.begin_anew() \g /dev/null
CREATE TABLE cloud.forget (nic_id bigint, network_id bigint, ip4 inet, mac macaddr);
CREATE FUNCTION cloud.tell() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
	INSERT INTO cloud.forget VALUES (NEW.id, NEW.network_id, NEW.ip4_address, NEW.mac_address);
	RETURN NULL;
END $$;
CREATE TRIGGER tell AFTER UPDATE ON cloud.all_nics FOR EACH ROW WHEN (OLD.removed IS NULL AND NEW.removed IS NOT NULL) EXECUTE FUNCTION cloud.tell();
SELECT vmnet.nic_add(1, 1, '10.1.1.30', mac => '02:00:00:00:00:30') AS nic1, vmnet.nic_add(1, 2, '10.1.2.31', mac => '02:00:00:00:00:31') AS nic2 \gset
SELECT vmnet.nic_remove(:nic2), vmnet.instance_expunge(1) \g /dev/null
SELECT results_eq('SELECT network_id, ip4, mac FROM cloud.forget ORDER BY 1', 'VALUES (1::bigint, ''10.1.1.30''::inet, ''02:00:00:00:00:30''::macaddr), (2, ''10.1.2.31'', ''02:00:00:00:00:31'')', '30: a trigger of the user''s sees what each removed NIC had');
SELECT results_eq('SELECT ip4_address, mac_address FROM cloud.all_nics WHERE removed IS NOT NULL ORDER BY id', 'VALUES (''10.1.1.30''::inet, ''02:00:00:00:00:30''::macaddr), (''10.1.2.31'', ''02:00:00:00:00:31'')', '30: and the rows keep it');

SELECT results_eq('SELECT h.event, n.ip4_address, n.mac_address FROM cloud.nic_history h JOIN cloud.all_nics n ON n.id = h.nic_id ORDER BY h.seq', 'VALUES (''RemoveRequested'', ''10.1.2.31''::inet, ''02:00:00:00:00:31''::macaddr), (''RemoveRequested'', ''10.1.1.30'', ''02:00:00:00:00:30'')', '30: so history can say it later');

-- 33: an instance that had no default NIC (#7859)
SELECT pg_temp.begin_anew() \g /dev/null
SELECT vmnet.nic_add(1, 1) \g /dev/null
SELECT results_eq('SELECT network_id, default_nic FROM cloud.nics', 'VALUES (1::bigint, true)', '33: the first NIC becomes the default');
SELECT vmnet.nic_add(1, 2) \g /dev/null
SELECT results_eq('SELECT network_id, default_nic FROM cloud.nics ORDER BY 1', 'VALUES (1::bigint, true), (2, false)', '33: the second does not');
UPDATE cloud.nics SET default_nic = false;
SELECT vmnet.nic_add(1, 3) \g /dev/null
SELECT results_eq('SELECT network_id, default_nic FROM cloud.nics ORDER BY 1', 'VALUES (1::bigint, false), (2, false), (3, true)', '33: where NICs are there without a default, the next becomes it');
SELECT vmnet.nic_remove(id, force => true) FROM cloud.nics WHERE network_id = 3 \g /dev/null
SELECT is(vmnet.nic_set_default((SELECT id FROM cloud.nics WHERE network_id = 2)), NULL, '33: or one of them is made it');
SELECT results_eq('SELECT network_id, default_nic FROM cloud.nics ORDER BY 1', 'VALUES (1::bigint, false), (2, true)', '33: and then there is one');

-- 35: a destroyed system VM kept its address (#10872, #11992)
SELECT pg_temp.begin_anew() \g /dev/null
INSERT INTO cloud.instances (id, type, state) VALUES (5, 'ConsoleProxy', 'Running'), (6, 'ConsoleProxy', 'Running');
SELECT vmnet.nic_add(5, 1, '10.1.1.50') \g /dev/null
SELECT is(pg_temp.outcome('SELECT vmnet.nic_add(1, 1, ''10.1.1.50'')'), '23505 user_ip_held_by_other', '35: the address of a system VM is its own');
SELECT is(vmnet.instance_expunge(5), true, '35: the system VM is destroyed');
SELECT is((SELECT ip4_address FROM cloud.all_nics WHERE instance_id = 5), '10.1.1.50', '35: its row still says what it had');
SELECT is(pg_temp.outcome('SELECT vmnet.nic_add(1, 1, ''10.1.1.50'')'), 'accepted', '35: and the address is free');

-- 36: the address of a router was given to an instance (#4968, #11607)
SELECT pg_temp.begin_anew() \g /dev/null
UPDATE cloud.networks SET gateway = NULL;
INSERT INTO cloud.instances (id, type, state) VALUES (5, 'DomainRouter', 'Running');
SELECT vmnet.nic_add(3, 1, '10.1.1.1') AS router, vmnet.nic_add(NULL, 2, '10.1.2.1', strategy => 'PlaceHolder') AS placeholder, vmnet.nic_add(1, 1, '10.1.1.7') AS nic \gset
SELECT is(pg_temp.outcome('SELECT vmnet.nic_add(2, 1, ''10.1.1.1'')'), '23505 user_ip_held_by_other', '36: the address of a router is not for an instance');
SELECT is(pg_temp.outcome('SELECT vmnet.nic_add(2, 2, ''10.1.2.1'')'), '23505 user_ip_held_by_other', '36: nor that of a placeholder');
SELECT is(pg_temp.outcome(format('SELECT vmnet.nic_set_ip(%s, ''10.1.1.1'')', :nic)), '23505 user_ip_held_by_other', '36: nor by a change of address');
SELECT is(pg_temp.outcome('SELECT vmnet.nic_add(3, 2, ''10.1.2.1'')'), 'accepted', '36: a router and its placeholder share one');
SELECT is(pg_temp.outcome('SELECT vmnet.nic_add(NULL, 1, ''10.1.1.1'', strategy => ''PlaceHolder'')'), 'accepted', '36: whichever came first');
SELECT is(pg_temp.outcome('SELECT vmnet.nic_add(5, 1, ''10.1.1.1'')'), 'accepted', '36: as redundant routers do');
SELECT is(pg_temp.outcome('SELECT vmnet.nic_add(5, 1, ''10.1.1.7'')'), '23505 user_ip_held_by_other', '36: nor does a router take an instance''s');
SELECT vmnet.nic_remove(id) FROM cloud.nics WHERE network_id = 2 \g /dev/null
SELECT is(pg_temp.outcome('SELECT vmnet.nic_add(2, 2, ''10.1.2.1'')'), 'accepted', '36: until all who had it are removed');

-- 37: private addresses that came twice (#3103); clients at once are in test/t/040_operations.pl
SELECT pg_temp.begin_anew() \g /dev/null
SELECT is(pg_temp.outcome('SELECT vmnet.nic_add(1, 1, ''10.1.1.5''), vmnet.nic_add(2, 1, ''10.1.1.5'')'), '23505 all_nics_one_ip4', '37: one address is not given twice');
SELECT is(pg_temp.outcome('SELECT vmnet.nic_add(1, 1, ''10.1.1.5''), vmnet.nic_add(2, 1, ''10.1.1.6'')'), 'accepted', '37: two are');
SELECT is(pg_temp.outcome(format('SELECT vmnet.nic_set_ip(%s, ''10.1.1.5'')', (SELECT id FROM cloud.nics WHERE instance_id = 2))), '23505 all_nics_one_ip4', '37: nor by a change');

-- 39: a NIC shown with another network's name and type (#4770, #4772)
SELECT pg_temp.begin_anew() \g /dev/null
UPDATE cloud.networks SET guest_type = 'Shared', cidr = '10.1.2.0/25' WHERE id = 2;
SELECT vmnet.nic_add(1, 1, '10.1.1.9'), vmnet.nic_add(1, 2, '10.1.2.9') \g /dev/null
SELECT results_eq('SELECT network_name, guest_type, ip4_address FROM vmnet.instance_active_networks(1)', 'VALUES (''network1'', ''Isolated'', ''10.1.1.9''::inet), (''network2'', ''Shared'', ''10.1.2.9'')', '39: each NIC is shown with its own network');
SELECT results_eq('SELECT network_id, host(netmask), host(gateway) FROM cloud.nics ORDER BY 1', 'VALUES (1::bigint, ''255.255.255.0'', ''10.1.1.1''), (2, ''255.255.255.128'', ''10.1.2.1'')', '39: and has its own network''s netmask and gateway');

-- 40: rules and DHCP kept the old address (#5757, #5058, #5059)
SELECT pg_temp.begin_anew() \g /dev/null
SELECT vmnet.nic_add(1, 1, '10.1.1.40') AS nic \gset
SELECT mac_address AS mac FROM cloud.nics WHERE id = :nic \gset
SELECT is(vmnet.nic_set_ip(:nic, '10.1.1.41'), true, '40: a NIC gets another address');
SELECT results_eq('SELECT ip4_address, count(*) FROM cloud.nics GROUP BY 1', 'VALUES (''10.1.1.41''::inet, 1::bigint)', '40: one address is live');
SELECT is((SELECT (id, mac_address::text, device_id, default_nic, state)::text FROM cloud.nics), format('(%s,%s,0,t,Allocated)', :nic, :'mac'), '40: of the same NIC');
SELECT results_eq('SELECT ip4_address FROM vmnet.network_active_instances(1)', 'VALUES (''10.1.1.41''::inet)', '40: which every list shows');
SELECT is(pg_temp.outcome('SELECT vmnet.nic_add(2, 1, ''10.1.1.40'')'), 'accepted', '40: the old one is free');
SELECT is(pg_temp.outcome(format('SELECT vmnet.nic_set_ip(%s, ''10.1.1.40'')', :nic)), '23505 all_nics_one_ip4', '40: and belongs to another now');

SELECT * FROM finish();
ROLLBACK;
