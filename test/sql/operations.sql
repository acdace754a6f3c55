-- Operations: what a user types, and what comes back; every refusal with all
-- that it says.
SET TimeZone = 'UTC';
SET DateStyle = 'ISO';
\pset format unaligned
\pset tuples_only on

CREATE TEMP TABLE said (ord serial, command text, state text, constraint_name text, schema_name text, table_name text,
	message text, detail text, hint text);
CREATE FUNCTION pg_temp.refusal(command text) RETURNS SETOF text
LANGUAGE plpgsql AS $$
DECLARE
	s said;
	result text;
BEGIN
	EXECUTE 'SELECT ' || command INTO result;
	RETURN NEXT 'accepted: ' || coalesce(result, 'NULL');
EXCEPTION WHEN OTHERS THEN
	GET STACKED DIAGNOSTICS s.state = RETURNED_SQLSTATE, s.constraint_name = CONSTRAINT_NAME,
		s.schema_name = SCHEMA_NAME, s.table_name = TABLE_NAME, s.message = MESSAGE_TEXT,
		s.detail = PG_EXCEPTION_DETAIL, s.hint = PG_EXCEPTION_HINT;
	s.command := command;
	s.ord := nextval('said_ord_seq');
	s.detail := regexp_replace(s.detail, 'removed at \d{4}-.*\+00', 'removed at (a time)');
	INSERT INTO said SELECT s.*;
	RETURN NEXT concat_ws(' ', s.state, nullif(s.constraint_name, ''), 'on ' || nullif(concat_ws('.', nullif(s.schema_name, ''), nullif(s.table_name, '')), ''));
	RETURN NEXT s.message;
	RETURN NEXT s.detail;
	RETURN NEXT s.hint;
END
$$;
SELECT vmnet.create_inventory('cloud') \g /dev/null
CREATE FUNCTION pg_temp.show(id bigint) RETURNS text LANGUAGE sql AS $$
	SELECT concat_ws(' ', 'NIC', n.id, 'instance', coalesce(n.instance_id::text, '-'), 'network', n.network_id, n.state, n.strategy, n.vm_type,
		'device', coalesce(n.device_id::text, '-'), CASE WHEN default_nic THEN 'default' END,
		n.ip4_address, n.ip6_address, 'netmask ' || host(n.netmask), 'gateway ' || host(n.gateway), CASE WHEN removed IS NOT NULL THEN 'removed' END)
	FROM cloud.all_nics n WHERE n.id = $1
$$;
INSERT INTO cloud.networks (id, name, cidr, gateway, ip6_cidr, ip6_gateway, zone_id) VALUES
	(1, 'net1', '10.1.1.0/24', '10.1.1.1', 'fd00:1::/64', 'fd00:1::1', 1),
	(2, 'net2', '10.1.2.0/24', '10.1.2.1', NULL, NULL, NULL), (3, 'net3', NULL, NULL, NULL, NULL, 2), (9, 'gone', NULL, NULL, NULL, NULL, NULL);
INSERT INTO cloud.networks (id, name, cidr, network_cidr, guest_type, state) VALUES (4, 'reserved range', '10.1.4.0/25', '10.1.4.0/24', 'Isolated', 'Implementing'),
	(5, 'two hosts', '10.1.5.0/31', NULL, NULL, 'Implemented'), (6, 'layer 2', NULL, NULL, 'L2', 'Implemented');
INSERT INTO cloud.instances (id, name, type, state, zone_id) VALUES (1, 'vm1', 'User', 'Running', 1), (2, 'vm2', 'User', 'Stopped', NULL),
	(3, 'r-3', 'DomainRouter', 'Running', NULL), (4, 'vm4', 'User', 'Migrating', NULL), (5, 'vm5', 'User', 'Running', NULL), (9, 'gone', 'User', 'Expunging', NULL);
UPDATE cloud.networks SET created = '2024-01-01 00:00+00', removed = '2024-04-01 00:00+00' WHERE id = 9;
UPDATE cloud.instances SET created = '2024-01-01 00:00+00', removed = '2024-04-01 00:00+00' WHERE id = 9;

-- nic_add: positions, defaults, what goes with an address
SELECT vmnet.nic_add(1, 1, '10.1.1.5', 'fd00:1::5');
SELECT vmnet.nic_add(1, 2);
SELECT vmnet.nic_add(2, 2, mac => '02:00:00:00:00:02', strategy => 'Create');
SELECT pg_temp.show(i) FROM generate_series(1::bigint, 3) i;
SELECT mac_address FROM cloud.nics WHERE id = 3;
-- a router has the gateway's address, another router and a placeholder share it
SELECT vmnet.nic_add(3, 1, '10.1.1.1', 'fd00:1::1'), vmnet.nic_add(NULL, 1, '10.1.1.1', strategy => 'PlaceHolder');
SELECT pg_temp.show(i) FROM generate_series(4::bigint, 5) i;
SELECT mac_address IS NULL FROM cloud.nics WHERE id = 5;
-- the range is the whole network where only a part is handed out, and a network of two has no address to spare
SELECT vmnet.nic_add(1, 4, '10.1.4.200'), vmnet.nic_add(1, 5, '10.1.5.0'), vmnet.nic_add(2, 5, '10.1.5.1');
-- where no range is known, any address is in it
SELECT vmnet.nic_add(2, 3, '172.16.0.1', 'fe80::1');

-- nic_add: refusals.  What there is not
SELECT pg_temp.refusal('vmnet.nic_add(77, 1)');
SELECT pg_temp.refusal('vmnet.nic_add(1, 77)');
SELECT pg_temp.refusal('vmnet.nic_add(1, NULL)');
SELECT pg_temp.refusal('vmnet.nic_add(NULL, 1)');
SELECT pg_temp.refusal('vmnet.nic_add(5, 1, inventory => ''nowhere'')');
SELECT pg_temp.refusal('vmnet.nic_add(5, 1, strategy => ''start'')');
SELECT pg_temp.refusal('vmnet.nic_add(5, 1, strategy => NULL)');
-- parents
SELECT pg_temp.refusal('vmnet.nic_add(5, 9)');
SELECT pg_temp.refusal('vmnet.nic_add(9, 1)');
SELECT pg_temp.refusal('vmnet.nic_add(4, 1)');
SELECT pg_temp.refusal('vmnet.nic_add(1, 3)');
SELECT pg_temp.refusal('vmnet.nic_add(1, 1)');
-- addresses that cannot be
SELECT pg_temp.refusal('vmnet.nic_add(5, 1, ''10.1.1.7/24'')');
SELECT pg_temp.refusal('vmnet.nic_add(5, 1, ''fd00:1::7'')');
SELECT pg_temp.refusal('vmnet.nic_add(5, 1, ip6 => ''10.1.1.7'')');
SELECT pg_temp.refusal('vmnet.nic_add(5, 1, ip6 => ''fd00:1::7/64'')');
SELECT pg_temp.refusal('vmnet.nic_add(5, 1, ''10.1.2.7'')');
SELECT pg_temp.refusal('vmnet.nic_add(5, 1, ip6 => ''fd00:2::7'')');
SELECT pg_temp.refusal('vmnet.nic_add(5, 4, ''10.1.5.7'')');
SELECT pg_temp.refusal('vmnet.nic_add(5, 1, ''10.1.1.0'')');
SELECT pg_temp.refusal('vmnet.nic_add(5, 1, ''10.1.1.255'')');
SELECT pg_temp.refusal('vmnet.nic_add(5, 1, ip6 => ''fd00:1::'')');
SELECT pg_temp.refusal('vmnet.nic_add(5, 2, ''10.1.2.1'')');
SELECT pg_temp.refusal('vmnet.nic_add(5, 1, mac => ''03:00:00:00:00:01'')');
SELECT pg_temp.refusal('vmnet.nic_add(5, 1, mac => ''00:00:00:00:00:00'')');
-- a router may not have the network's address either
SELECT pg_temp.refusal('vmnet.nic_add(3, 2, ''10.1.2.255'')');
-- addresses that are taken: by a User NIC, by a router, for a router by a User NIC
SELECT pg_temp.refusal('vmnet.nic_add(5, 1, ''10.1.1.5'')');
SELECT pg_temp.refusal('vmnet.nic_add(5, 1, ip6 => ''fd00:1::5'')');
SELECT pg_temp.refusal('vmnet.nic_add(5, 2, mac => ''02:00:00:00:00:02'')');
UPDATE cloud.networks SET gateway = NULL, ip6_gateway = NULL WHERE id = 1;
SELECT pg_temp.refusal('vmnet.nic_add(5, 1, ''10.1.1.1'')');
SELECT pg_temp.refusal('vmnet.nic_add(5, 1, ip6 => ''fd00:1::1'')');
SELECT pg_temp.refusal('vmnet.nic_add(3, 1, ''10.1.1.5'')');
SELECT pg_temp.refusal('vmnet.nic_add(3, 2, mac => ''02:00:00:00:00:02'')');
SELECT pg_temp.refusal('vmnet.nic_add(NULL, 1, ''10.1.1.5'', strategy => ''PlaceHolder'')');

-- nic_event: a whole life; events that lead nowhere
SELECT vmnet.nic_event(1, 'ReservationRequested'), vmnet.nic_event(1, 'OperationCompleted'), vmnet.nic_event(1, 'ReleaseRequested', 'stopped'), vmnet.nic_event(1, 'OperationFailed');
SELECT vmnet.nic_event(3, 'ReservationRequested', NULL, 'cloud'), vmnet.nic_event(3, 'ReleaseRequested');
SELECT pg_temp.refusal('vmnet.nic_event(1, ''ReservationRequested'')');
SELECT pg_temp.refusal('vmnet.nic_event(3, ''OperationCompleted'')');
SELECT pg_temp.refusal('vmnet.nic_event(1, ''Reserve'')');
SELECT pg_temp.refusal('vmnet.nic_event(1, NULL)');
SELECT pg_temp.refusal('vmnet.nic_event(77, ''ReleaseRequested'')');
SELECT vmnet.nic_event(8, 'RemoveRequested');
SELECT pg_temp.refusal('vmnet.nic_event(8, ''RemoveRequested'')');
-- nic_remove finishes what is half-removed
SELECT vmnet.nic_remove(8);
SELECT pg_temp.refusal('vmnet.nic_event(8, ''RemoveRequested'')');

-- history has the event that was said, of several that lead the same way, and why
SET vmnet.reason = 'maintenance';
SELECT vmnet.nic_event(2, 'ReservationRequested'), vmnet.nic_event(2, 'CancelRequested', 'changed our mind'), vmnet.nic_event(2, 'ReservationRequested', ''), vmnet.nic_event(2, 'OperationFailed');
SHOW vmnet.reason;
RESET vmnet.reason;
SELECT nic_id, from_state, to_state, event, reason FROM cloud.nic_history ORDER BY seq;

-- nic_remove and nic_set_default
SELECT pg_temp.refusal('vmnet.nic_remove(1)');
SELECT vmnet.nic_set_default(2);
SELECT pg_temp.show(id) FROM cloud.nics WHERE instance_id = 1 ORDER BY id;
SELECT pg_temp.refusal('vmnet.nic_set_default(2)');
SELECT pg_temp.refusal('vmnet.nic_set_default(8)');
SELECT pg_temp.refusal('vmnet.nic_set_default(5)');
SELECT pg_temp.refusal('vmnet.nic_set_default(77)');
SELECT vmnet.nic_remove(1), vmnet.nic_remove(1);
SELECT pg_temp.show(1);
SELECT pg_temp.refusal('vmnet.nic_remove(77)');
SELECT pg_temp.refusal('vmnet.nic_remove(NULL)');
-- with force the default goes as well; then another is made the default, or comes as it
SELECT vmnet.nic_remove(2, force => true);
SELECT count(*) FILTER (WHERE default_nic), count(*) FROM cloud.nics WHERE instance_id = 1;
SELECT vmnet.nic_set_default(6) IS NULL AS there_was_none;
SELECT vmnet.nic_remove(6, true), vmnet.nic_add(1, 2);
SELECT pg_temp.show(id) FROM cloud.nics WHERE instance_id = 1 ORDER BY id;
-- a router's default is not asked for; an instance that is on the move is
SELECT vmnet.nic_add(3, 2), vmnet.nic_remove(4);
SELECT vmnet.nic_add(5, 2, '10.1.2.5') AS nic \gset
UPDATE cloud.instances SET state = 'Migrating' WHERE id = 5;
SELECT pg_temp.refusal(format('vmnet.nic_remove(%s)', :nic));
UPDATE cloud.all_nics SET default_nic = false WHERE id = :nic;
SELECT pg_temp.refusal(format('vmnet.nic_set_default(%s)', :nic));
UPDATE cloud.instances SET state = 'Running' WHERE id = 5;

-- nic_set_ip
SELECT vmnet.nic_set_ip(:nic, '10.1.2.6'), vmnet.nic_set_ip(:nic, '10.1.2.6'), vmnet.nic_set_ip(:nic, ip6 => 'fd00:2::6');
SELECT regexp_replace(pg_temp.show(:nic), 'NIC \d+', 'it');
SELECT pg_temp.refusal(format('vmnet.nic_set_ip(%s)', :nic));
SELECT pg_temp.refusal(format('vmnet.nic_set_ip(%s, ''10.1.2.0'')', :nic));
SELECT pg_temp.refusal(format('vmnet.nic_set_ip(%s, ''10.1.1.6'')', :nic));
SELECT vmnet.nic_add(2, 4, '10.1.4.9') AS nic \gset
SELECT pg_temp.refusal(format('vmnet.nic_set_ip(%s, ''10.1.4.10'')', :nic));
SELECT vmnet.nic_add(5, 6) AS nic \gset
SELECT pg_temp.refusal(format('vmnet.nic_set_ip(%s, ''10.1.4.10'')', :nic));
SELECT pg_temp.refusal('vmnet.nic_set_ip(5, ''10.1.1.9'')');
SELECT pg_temp.refusal('vmnet.nic_set_ip(1, ''10.1.1.9'')');
SELECT pg_temp.refusal('vmnet.nic_set_ip(77, ''10.1.1.9'')');

-- instance_expunge and network_remove
SELECT vmnet.nic_event((SELECT id FROM cloud.nics WHERE instance_id = 5 AND network_id = 2), 'RemoveRequested');
SELECT pg_temp.refusal('vmnet.network_remove(2)');
SELECT vmnet.instance_expunge(5), vmnet.instance_expunge(5), vmnet.instance_expunge(9);
SELECT i.state, i.removed IS NOT NULL, count(*), count(n.removed), bool_and(n.removed <= i.removed)
FROM cloud.all_instances i JOIN cloud.all_nics n ON n.instance_id = i.id WHERE i.id = 5 GROUP BY 1, 2;
SELECT vmnet.instance_expunge(i) FROM generate_series(1, 3) i;
SELECT vmnet.network_remove(2), vmnet.network_remove(2), vmnet.network_remove(4);
SELECT state, removed IS NOT NULL FROM cloud.all_networks WHERE id IN (2, 4);
SELECT pg_temp.refusal('vmnet.network_remove(1)');
-- a placeholder is removed like any NIC; then nothing holds the network
SELECT vmnet.nic_remove(5), vmnet.network_remove(1);
SELECT pg_temp.refusal('vmnet.instance_expunge(77)');
SELECT pg_temp.refusal('vmnet.network_remove(77)');

-- other inventories: a mirror is refused, and HINTs name an inventory that is not the default
SELECT vmnet.create_inventory('mirror', 'mirror') \g /dev/null
SELECT pg_temp.refusal(format('vmnet.%s, inventory => ''mirror'')', call))
FROM unnest(ARRAY['nic_add(1, 1', 'nic_event(1, ''RemoveRequested''', 'nic_remove(1', 'nic_set_default(1', 'nic_set_ip(1, ''10.1.1.1''',
	'instance_expunge(1', 'network_remove(1']) call;
SELECT vmnet.create_inventory('Region "two"') \g /dev/null
INSERT INTO "Region ""two""".networks (name) VALUES ('a'), ('b');
INSERT INTO "Region ""two""".instances (name) VALUES ('vm');
SELECT vmnet.nic_add(1, 1, inventory => 'Region "two"'), vmnet.nic_add(1, 2, inventory => 'Region "two"');
SELECT pg_temp.refusal('vmnet.nic_remove(1, inventory => ''Region "two"'')');
SELECT vmnet.nic_set_default(2, inventory => 'Region "two"');
SELECT vmnet.nic_remove(1, inventory => 'Region "two"');
SET vmnet.inventory = 'Region "two"';
SELECT pg_temp.refusal('vmnet.nic_add(1, 2)');
SELECT vmnet.instance_expunge(1), vmnet.network_remove(1), vmnet.network_remove(2);
RESET vmnet.inventory;

-- The user's own mistakes are of no class that a gateway takes for its server's,
-- and every refusal says all that there is to say.
SELECT count(*), count(*) FILTER (WHERE left(state, 2) IN ('55', '09', '38', '39', 'P0', 'XX')),
	count(*) FILTER (WHERE detail = '' OR hint = ''),
	count(*) FILTER (WHERE state <> '22023' AND (constraint_name = '' OR table_name = '' OR schema_name = '')),
	count(*) FILTER (WHERE state = '22023' AND message NOT LIKE 'unknown%' AND message NOT LIKE '%nowhere%' AND (schema_name = '' OR table_name = ''))
FROM said;

SET client_min_messages = warning;
DROP SCHEMA cloud, mirror, "Region ""two""" CASCADE;
