-- Values that are odd in one way or another end no import: they are changed and
-- logged, or the row is rejected.
\i test/tap/setup.psql

SELECT plan(12);

CREATE SCHEMA src;
CREATE TABLE src.networks (id numeric, uuid text, name text, state text, traffic_type text, vpc_id double precision, mtu int, gateway text, cidr text, created date, removed date);
CREATE TABLE src.vm_instance (id text, uuid text, name text, state text, type text, host_id numeric, created timestamptz, removed timestamptz);
CREATE TABLE src.nics (id bigint, uuid text, instance_id text, network_id numeric, state text, strategy text, vm_type text, default_nic numeric,
	device_id bigint, mtu text, created timestamp, removed text, update_time timestamp);
INSERT INTO src.networks (id, name, state, created, removed, vpc_id) VALUES
	(1, 'a date', 'Setup', '2025-01-01', NULL, 3), (2, 'the last date', 'Setup', '5874897-12-31', NULL, 1e30),
	(3, 'infinity', 'Setup', 'infinity', '-infinity', 'NaN'), (4, 'before Christ', 'Setup', '4713-01-01 BC', '5874897-12-31', -1), (5.5, 'a fraction', 'Setup', NULL, NULL, 1),
	('NaN', 'no number', 'Setup', NULL, NULL, NULL), (18446744073709551615, 'too large', 'Setup', NULL, NULL, NULL), (-6, 'negative', 'Setup', '2025-01-01', NULL, 'Infinity'), (NULL, 'none', 'Setup', NULL, NULL, NULL);
INSERT INTO src.vm_instance (id, name, state, host_id, created, removed) VALUES
	('1', repeat('long ', 10000), 'Running', 1.5, 'infinity', NULL), ('2', 'x', NULL, 9223372036854775808, '-infinity', 'infinity'), ('9223372036854775807', 'the last', 'Running', -1, '2025-01-01', NULL),
	('9223372036854775808', 'above', 'Running', 1, '2025-01-01', NULL), (' 3 ', 'blanks', 'Running', 1, '2025-01-01', NULL), ('4e0', 'no number', 'Running', 1, '2025-01-01', NULL), ('', 'empty', 'Running', 1, '2025-01-01', NULL);
INSERT INTO src.nics (id, instance_id, network_id, state, default_nic, device_id, mtu, created, removed, update_time) VALUES
	(1, '1', 1, 'Reserved', 1.0, 2147483648, '1500.5', 'infinity', NULL, 'infinity'), (2, '1', 1, 'Reserved', 18446744073709551615, -1, '18446744073709551616', '2025-01-01 00:00:00.1234567', '2025-01-01 23:59:60', '-infinity'),
	(3, '1', 18446744073709551615, 'Reserved', 0, 0, '', '294276-12-31', '99999-01-01 00:00:00', NULL), (4, '9223372036854775808', 1, 'Reserved', 0.0, 0, '-1', '4713-01-01 BC', '2025-13-01', NULL),
	(5, '1', 2, 'Reserved', 'NaN', -9223372036854775808, ' 1500 ', '2025-01-01', '2025-02-29 00:00:00.5', '2025-01-01'), (6, '1', 4, 'Reserved', 2, 0, '1', '2025-01-01', '2024-02-29T12:00:00.123456789+05:30', NULL),
	(-7, '9223372036854775807', -6, 'Reserved', 0, 0, '1', '2025-01-01', 'infinity', NULL);

SET LOCAL client_min_messages = warning;
SELECT lives_ok($$CALL vmnet.import_cloudstack('src', 'm')$$, 'the import ends well');
SELECT is((SELECT string_agg(id::text, ' ' ORDER BY id) FROM m.all_networks), '-6 1 2 3 4', 'networks');
SELECT is((SELECT string_agg(id::text, ' ' ORDER BY id) FROM m.all_instances), '1 2 3 9223372036854775807', 'instances');
SELECT is((SELECT string_agg(id::text, ' ' ORDER BY id) FROM m.all_nics), '-7 1 2 5 6', 'NICs');
SELECT is((SELECT string_agg(t, ' ') FROM (SELECT 'network ' || id AS t FROM m.all_networks WHERE NOT isfinite(created) OR NOT isfinite(removed)
	UNION ALL SELECT 'instance ' || id FROM m.all_instances WHERE NOT isfinite(created) OR NOT isfinite(removed)
	UNION ALL SELECT 'NIC ' || id FROM m.all_nics WHERE NOT isfinite(created) OR NOT isfinite(removed) OR NOT isfinite(state_changed)) x), NULL, 'every time is finite');
SELECT results_eq($$SELECT concat_ws(' ', "table", id, "column", left(original, 40), action) FROM m.import_log ORDER BY "table" COLLATE "C", id COLLATE "C", "column" COLLATE "C"$$, ARRAY[
	'networks -6 vpc_id Infinity changed',
	'networks 18446744073709551615 id 18446744073709551615 rejected',
	'networks 2 created 5874897-12-31 changed',
	'networks 2 vpc_id 1e+30 changed',
	'networks 3 created infinity changed',
	'networks 3 removed -infinity changed',
	'networks 3 vpc_id NaN changed',
	'networks 4 created 4713-01-01 BC changed',
	'networks 4 removed 5874897-12-31 changed',
	'networks 5.5 id 5.5 rejected',
	'networks NaN id NaN rejected',
	'networks id rejected',
	'nics -7 removed infinity changed',
	'nics 1 created infinity changed',
	'nics 1 device_id 2147483648 changed',
	'nics 1 mtu 1500.5 changed',
	'nics 2 mtu 18446744073709551616 changed',
	'nics 2 removed 2025-01-01 23:59:60 changed',
	'nics 3 network_id 18446744073709551615 rejected',
	'nics 4 instance_id 9223372036854775808 rejected',
	'nics 5 default_nic NaN changed',
	'nics 5 device_id -9223372036854775808 changed',
	'nics 5 removed 2025-02-29 00:00:00.5 changed',
	'vm_instance  id  rejected',
	'vm_instance 1 created infinity changed',
	'vm_instance 1 host_id 1.5 changed',
	'vm_instance 1 name long long long long long long long long  changed',
	'vm_instance 2 created -infinity changed',
	'vm_instance 2 host_id 9223372036854775808 changed',
	'vm_instance 2 removed infinity changed',
	'vm_instance 2 state changed',
	'vm_instance 4e0 id 4e0 rejected',
	'vm_instance 9223372036854775808 id 9223372036854775808 rejected'], 'all of it is written down');
SELECT is((SELECT string_agg(id || ':' || default_nic, ' ' ORDER BY id) FROM m.all_nics), '-7:false 1:true 2:true 6:true', 'flags that are numbers with a fraction');
SELECT lives_ok($$CALL vmnet.import_cloudstack('src', 'm')$$, 'again');
SELECT is((SELECT rows_inserted + rows_updated + rows_deleted FROM m.import_runs ORDER BY run DESC LIMIT 1), 0::bigint, 'which changes nothing');
SELECT lives_ok($$SELECT count(*) FROM vmnet.check_inventory('m')$$, 'the mirror can be checked');
SELECT vmnet.create_report('m') \g /dev/null
SELECT lives_ok($$SELECT count(*) FROM m_report.metrics; SELECT count(*) FROM m_report.networks_daily; SELECT count(*) FROM m_report.stuck_nics$$, 'and reported');
SELECT is(vmnet.instance_id(repeat('long ', 9999) || 'long', 'm'), 1::bigint, 'a name that fits no index is found');

SELECT * FROM finish();
ROLLBACK;
