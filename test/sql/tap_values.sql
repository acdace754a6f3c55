-- Values of another system, read from text: what PostgreSQL's own casts read
-- is read alike, and what is no such value is NULL, never an error.
\i test/tap/setup.psql

SELECT plan(33);

-- neither decides what a text says
SET LOCAL TimeZone = 'America/Sao_Paulo';
SET LOCAL DateStyle = 'SQL, DMY';
SET LOCAL IntervalStyle = 'postgres_verbose';

-- Whole numbers
CREATE TEMP TABLE number (said text, means bigint);
INSERT INTO number VALUES
	('0', 0), ('1', 1), ('-1', -1), ('+5', 5), ('007', 7), ('-0', 0), ('204', 204),
	(' 7', 7), ('7 ', 7), (E'\t7\n', 7), ('  -7  ', -7),
	('2147483648', 2147483648), ('9223372036854775807', 9223372036854775807),
	('-9223372036854775808', -9223372036854775808),
	-- as a numeric column says it
	('204.0', 204), ('204.000', 204), ('-3.0', -3),
	-- not whole, not a number, too large
	('204.5', NULL), ('204.05', NULL), ('0.1', NULL), ('.', NULL), ('-', NULL), ('+', NULL), ('--1', NULL), ('1-', NULL),
	('1 2', NULL), ('1,000', NULL), ('1e3', NULL), ('0x10', NULL), ('5abc', NULL), ('abc', NULL), ('NULL', NULL), (E'\\N', NULL),
	('NaN', NULL), ('Infinity', NULL), ('', NULL), (' ', NULL), ('.0', NULL), ('1.0.0', NULL), ('1.0x', NULL),
	('9223372036854775808', NULL), ('-9223372036854775809', NULL), ('18446744073709551615', NULL),
	(repeat('9', 40), NULL), (repeat('9', 1000), NULL), (repeat('0', 5000) || '1', NULL), ('٣', NULL), ('１', NULL);
SELECT is_empty('SELECT said, vmnet_internal.read_bigint(said), means FROM number WHERE vmnet_internal.read_bigint(said) IS DISTINCT FROM means',
	'read_bigint() reads whole numbers and nothing else');
SELECT is_empty($$SELECT g FROM (SELECT (g * 922337203685477)::bigint AS g FROM generate_series(-10000, 10000) g) r
	WHERE vmnet_internal.read_bigint(g::text) IS DISTINCT FROM g OR vmnet_internal.read_bigint(g::text) IS DISTINCT FROM g::text::bigint$$,
	'read_bigint() reads 20,001 numbers as the cast does');
SELECT is(vmnet_internal.read_bigint(NULL), NULL, 'read_bigint(NULL) is NULL');

-- Flags
CREATE TEMP TABLE flag (said text, means boolean);
INSERT INTO flag VALUES
	('0', false), ('1', true), ('2', true), ('-1', true), ('00', false), ('255', true),
	('t', true), ('f', false), ('true', true), ('FALSE', false), ('True', true), ('y', true), ('n', false),
	('yes', true), ('no', false), ('on', true), ('off', false), (' 1 ', true), (' true', true),
	('', NULL), (' ', NULL), ('o', NULL), ('x', NULL), ('tru e', NULL), ('truee', NULL), ('1x', NULL), ('0x0', NULL),
	('1.5', NULL), ('NULL', NULL), (repeat('t', 100), NULL), ('ﬀ', NULL), (E'\x01', NULL);
SELECT is_empty('SELECT said, vmnet_internal.read_boolean(said), means FROM flag WHERE vmnet_internal.read_boolean(said) IS DISTINCT FROM means',
	'read_boolean() reads numbers as MySQL does, and the words that PostgreSQL has');
SELECT is_empty($$SELECT said FROM unnest(ARRAY['0', '1', 't', 'f', 'tr', 'fal', 'true', 'false', 'y', 'n', 'ye', 'yes', 'no', 'on', 'of', 'off', 'TRUE', 'Off']) said
	WHERE vmnet_internal.read_boolean(said) IS DISTINCT FROM said::boolean$$,
	'read_boolean() reads words as the cast does');
SELECT is(vmnet_internal.read_boolean(NULL), NULL, 'read_boolean(NULL) is NULL');

-- Addresses
CREATE TEMP TABLE address (said text);
INSERT INTO address
SELECT format('%s.%s.%s.%s', a, b, c, d)
FROM unnest(ARRAY[0, 1, 10, 127, 192, 255]) a, unnest(ARRAY[0, 9, 168, 255]) b, unnest(ARRAY[0, 10, 255]) c, unnest(ARRAY[0, 1, 100, 255]) d;
INSERT INTO address SELECT format('10.1.2.3/%s', bits) FROM generate_series(0, 32) bits;
INSERT INTO address SELECT format('2001:db8:1:2:3:4:5:6/%s', bits) FROM generate_series(0, 128) bits;
INSERT INTO address SELECT format('2001:db8::%s', to_hex(x)) FROM generate_series(0, 65535, 641) x;
INSERT INTO address VALUES
	('::'), ('::1'), ('::1/128'), ('::/0'), ('fe80::1'), ('FD00::AbCd'), ('1:2:3:4:5:6:7:8'), ('0:0:0:0:0:0:0:0'),
	('::ffff:10.1.1.1'), ('::10.1.1.1'), ('64:ff9b::192.0.2.33'), ('2001:DB8::/32'), ('fe80::'), ('1::8'), ('::2:3:4:5:6:7:8');
SELECT ok((SELECT count(*) > 500 FROM address), 'there are addresses to read');
SELECT is_empty('SELECT said, vmnet_internal.read_inet(said) FROM address WHERE vmnet_internal.read_inet(said) IS DISTINCT FROM said::inet',
	'read_inet() reads addresses as the cast does');
SELECT is_empty($$SELECT said FROM address WHERE vmnet_internal.read_inet('  ' || said || ' ') IS DISTINCT FROM said::inet$$,
	'blanks around an address do not matter');
SELECT is_empty('SELECT said, vmnet_internal.read_cidr(said), network(said::inet) FROM address WHERE vmnet_internal.read_cidr(said) IS DISTINCT FROM network(said::inet)::cidr',
	'read_cidr() reads the network of each, host bits cleared');
SELECT is_empty('SELECT network(said::inet) FROM address WHERE vmnet_internal.read_cidr(network(said::inet)::text) IS DISTINCT FROM network(said::inet)::text::cidr',
	'read_cidr() reads networks as the cast does');

CREATE TEMP TABLE no_address (said text);
INSERT INTO no_address VALUES
	(''), (' '), ('x'), ('10'), ('10.1'), ('10.1.1'), ('10.1.1.'), ('.1.1.1'), ('1...'), ('...'), ('10.1.1.256'), ('10.1.1.5.6'), ('999.1.1.1'),
	('10.1.1.5/33'), ('10.1.1.5/-1'), ('10.1.1.5/'), ('10.1.1.5/24/24'), ('10.1.1.5 /24'), ('10.1.1.5/24x'), ('10.1.1.5x'), ('10. 1.1.5'),
	('10.1.1.5:80'), ('-1.1.1.1'), ('1e1.1.1.1'), ('0x0a.1.1.1'), ('10.1.1.5,10.1.1.6'), ('10.1.1.5-10.1.1.9'), ('vm-1.example.org'),
	(':'), (':::'), ('::::'), ('1::2::3'), ('1:2:3:4:5:6:7'), ('1:2:3:4:5:6:7:8:9'), ('g::1'), ('fd00::12345'), ('::1/129'), ('::1/'), ('[::1]'),
	('fe80::1%eth0'), ('::1.2.3.256'), ('1:2:3:4:5:6:7:8:'), ('１０.1.1.5'), ('NULL'), (E'\\N'), ('0'), ('3232235521'),
	(repeat('1', 64)), (repeat('1.', 40)), (repeat(':', 63)), (repeat('1', 100000)), (repeat(' ', 100000)), (E'10.1.1.5\x01'), ('é');
SELECT is_empty('SELECT said, vmnet_internal.read_inet(said) FROM no_address WHERE vmnet_internal.read_inet(said) IS NOT NULL', 'read_inet() gives NULL for what is no address');
SELECT is_empty('SELECT said, vmnet_internal.read_cidr(said) FROM no_address WHERE vmnet_internal.read_cidr(said) IS NOT NULL', 'read_cidr() gives NULL for what is no network');
SELECT is(vmnet_internal.read_inet(repeat(' ', 100000) || '10.1.1.5' || repeat(' ', 100000)), '10.1.1.5'::inet, 'an address in a sea of blanks is read');
SELECT is(vmnet_internal.read_cidr('2001:db8::1/33'), '2001:db8::/33'::cidr, 'bits inside a byte are cleared, too');

-- MAC addresses
CREATE TEMP TABLE mac (said text);
INSERT INTO mac SELECT regexp_replace(lpad(to_hex(n), 12, '0'), '(..)(?!$)', '\1' || s, 'g')
FROM (SELECT (g * 281474976710655 / 499)::bigint AS n FROM generate_series(0, 499) g) r, unnest(ARRAY[':', '-', '']) s;
INSERT INTO mac VALUES ('02:00:0A:fF:Aa:05'), ('FF-FF-FF-FF-FF-FF'), ('00:00:00:00:00:00');
SELECT is_empty('SELECT said, vmnet_internal.read_macaddr(said) FROM mac WHERE vmnet_internal.read_macaddr(said) IS DISTINCT FROM said::macaddr',
	'read_macaddr() reads 1,503 addresses as the cast does');
SELECT is_empty($$SELECT said FROM mac WHERE vmnet_internal.read_macaddr(E' \t' || said || ' ') IS DISTINCT FROM said::macaddr$$,
	'blanks around a MAC address do not matter');
SELECT is_empty($$SELECT said FROM unnest(ARRAY['', ' ', 'x', '02:00:0a:01:01', '02:00:0a:01:01:05:06', '02:00:0a:01:01:0g', '02-00:0a-01:01-05',
	'02:00:0a:01:01:', ':02:00:0a:01:01:05', '02::0a:01:01:05', '02 00 0a 01 01 05', '02000a01010', '02000a0101055', '02:00:0a:01:01:05x',
	'+2:00:0a:01:01:05', '-2:00:0a:01:01:05', ' 2:00:0a:01:01:05', '02: 0:0a:01:01:05', '0x:00:0a:01:01:05', '０2:00:0a:01:01:05', repeat('0', 63), repeat('02:', 10000)]) said
	WHERE vmnet_internal.read_macaddr(said) IS NOT NULL$$, 'read_macaddr() gives NULL for what is none');

-- uuids
CREATE TEMP TABLE id (said text);
INSERT INTO id SELECT md5(g::text)::uuid::text FROM generate_series(1, 2000) g;
INSERT INTO id SELECT upper(said) FROM id LIMIT 500;
INSERT INTO id SELECT replace(said, '-', '') FROM id LIMIT 500;
INSERT INTO id VALUES ('00000000-0000-0000-0000-000000000000'), ('ffffffff-ffff-ffff-ffff-ffffffffffff');
SELECT is_empty('SELECT said, vmnet_internal.read_uuid(said) FROM id WHERE vmnet_internal.read_uuid(said) IS DISTINCT FROM said::uuid',
	'read_uuid() reads 3,002 uuids as the cast does');
SELECT is_empty($$SELECT said FROM id WHERE vmnet_internal.read_uuid(rpad(said, 40)) IS DISTINCT FROM said::uuid$$,
	'a uuid that is padded to char(40) is read');
SELECT is_empty($$SELECT said FROM unnest(ARRAY['', ' ', '-', 'x', '05e96759-4e68-4b6a-a45d-78f5fa4cbd7', '05e96759-4e68-4b6a-a45d-78f5fa4cbd722',
	'05e96759-4e68-4b6a-a45d-78f5fa4cbd7g', '05e96759x4e68-4b6a-a45d-78f5fa4cbd72', '05e96759-4e68-4b6a-a45d+78f5fa4cbd72',
	'05e96759--e68-4b6a-a45d-78f5fa4cbd72', '05e967594e684b6aa45d78f5fa4cbd7', '05e967594e684b6aa45d78f5fa4cbd722', '------------------------------------',
	'{05e96759-4e68-4b6a-a45d-78f5fa4cbd72', 'i-2-10-VM', 'é5e96759-4e68-4b6a-a45d-78f5fa4cbd72', repeat('0', 63), repeat('0', 64), repeat('a', 100000)]) said
	WHERE vmnet_internal.read_uuid(said) IS NOT NULL$$, 'read_uuid() gives NULL for what is none');

-- Times: one without a zone is UTC, whatever the session's
CREATE TEMP TABLE moment (said text);
INSERT INTO moment SELECT to_char(t, 'YYYY-MM-DD HH24:MI:SS')
FROM generate_series('0001-01-01 00:00:00'::timestamp, '9999-12-31', '1237 days 01:59:57') t;
INSERT INTO moment SELECT to_char(t, 'YYYY-MM-DD"T"HH24:MI:SS.US') FROM generate_series('2023-12-30'::timestamp, '2024-03-02', '13:13:13.131313') t;
INSERT INTO moment SELECT to_char(d, 'YYYY-MM-DD') FROM generate_series('1999-12-25'::timestamp, '2000-03-05', '1 day') d;
INSERT INTO moment VALUES ('1970-01-01 00:00:00'), ('2024-02-29 23:59:59'), ('2000-02-29'), ('9999-12-31 23:59:59.999999'), ('2025-1-6 1:2:3'), ('2025-01-06 10:11:12.5');
SELECT ok((SELECT count(*) > 2000 FROM moment), 'there are times to read');
SELECT is_empty($$SELECT said, vmnet_internal.read_timestamptz(said) FROM moment
	WHERE vmnet_internal.read_timestamptz(said) IS DISTINCT FROM said::timestamp AT TIME ZONE 'UTC'$$,
	'read_timestamptz() reads times as the cast does, in UTC');
SELECT is_empty($$SELECT said || zone FROM moment, unnest(ARRAY['Z', '+00', '+05:30', '-0330', '-03', '+14', '-00:30', '+15:59']) zone
	WHERE said ~ ':' AND vmnet_internal.read_timestamptz(said || zone) IS DISTINCT FROM (said || zone)::timestamptz$$,
	'a time that names its zone is in that zone');
SELECT is_empty($$SELECT said FROM moment WHERE vmnet_internal.read_timestamptz(' ' || said || '  ') IS DISTINCT FROM vmnet_internal.read_timestamptz(said)$$,
	'blanks around a time do not matter');
SELECT is(vmnet_internal.read_timestamptz('2025-01-06 00:00:00')::text, '05/01/2025 21:00:00 -03', 'midnight in UTC is nine in the evening in Sao Paulo');
-- MySQL's zero dates, whole and in part; days and hours that do not exist;
-- what could be read in more than one way
SELECT is_empty($$SELECT said, vmnet_internal.read_timestamptz(said) FROM unnest(ARRAY['0000-00-00 00:00:00', '0000-00-00', '2025-00-10', '2025-00-10 00:00:00', '2025-10-00', '0000-01-01 00:00:00',
	'2025-02-29', '1900-02-29', '2025-04-31', '2025-13-01', '2025-01-32', '2025-01-06 24:00:00', '2025-01-06 25:00:00', '2025-01-06 10:60:00', '2025-01-06 10:11:60',
	'25-01-06', '225-01-06', '+202-01-06', '-025-01-06', '12025-01-06', '2025- 1- 6', '2025-+1-+6', '2025-001-06', '06/01/2025', '20250106', '20250106101112',
	'2025-01-06 10:11', '2025-01-06 10', '2025-01-06T', '2025-01-06 10:11:12x', '2025-01-06x', '2025-01-06 -1:00:00', '2025-01-06 10:-1:00', '2025-01-06 10:11:12+',
	'2025-01-06 10:11:12+16', '2025-01-06 10:11:12+99', '2025-01-06 10:11:12+05:60', '2025-01-06 10:11:12+-5', '2025-01-06 10:11:12+053', '2025-01-06 10:11:12+05:3',
	'2025-01-06 10:11:12 Mars/Phobos', '2025-01-06 10:11:12 BC', 'infinity', '-infinity', 'now', 'today', 'epoch', 'allballs', '', ' ', 'x', '-', '--', '1736121600', 'NULL', E'\\N',
	'２025-01-06', repeat('2025-01-06', 10000), '2025-01-06 10:11:12.' || repeat('1', 100000)]) said
	WHERE vmnet_internal.read_timestamptz(said) IS NOT NULL$$, 'read_timestamptz() gives NULL for what is no time, and for what could be more than one');

-- Every function on every byte and on what comes from toast
SELECT lives_ok($$SELECT vmnet_internal.read_bigint(v), vmnet_internal.read_boolean(v), vmnet_internal.read_inet(v), vmnet_internal.read_cidr(v), vmnet_internal.read_macaddr(v), vmnet_internal.read_uuid(v), vmnet_internal.read_timestamptz(v)
	FROM (SELECT repeat(chr(c), n) || t AS v FROM generate_series(1, 1200) c, unnest(ARRAY[1, 2, 4, 31, 32, 36, 62, 63, 64, 65]) n, unnest(ARRAY['', '1', ':', '-', '.']) t WHERE c NOT BETWEEN 55296 AND 57343) r$$,
	'no character of any number is too much');
CREATE TEMP TABLE said_text (v text);
INSERT INTO said_text VALUES (NULL), (''), (' '), ('   '), ('a'), ('a '), (' a'), (' a b  '), (E'a\t '), (E'a \t'), (E'a\n'), (U&'\00fc '), (U&'\6771\4eac  '), (U&'a\00a0'), (U&'a\3000 '), (repeat('x', 300) || repeat(' ', 300));
CREATE TEMP TABLE said_timestamp (v timestamp);
INSERT INTO said_timestamp VALUES (NULL), ('infinity'), ('-infinity'), ('1970-01-01'), ('2000-01-01'), ('2018-11-04 00:30'), ('2018-02-17 23:30'), ('0001-01-01'), ('4713-01-01 BC'), ('294276-12-31 23:59:59.999999'), ('2025-07-06 03:04:05.678');
CREATE TEMP TABLE toasted (v text);
ALTER TABLE toasted ALTER v SET STORAGE EXTERNAL;
INSERT INTO toasted SELECT repeat(' ', 200000) || x FROM unnest(ARRAY['7', 'true', '10.1.1.5', '10.1.0.0/16', '02:00:0a:01:01:05', '05e96759-4e68-4b6a-a45d-78f5fa4cbd72', '2025-01-06 00:00:00']) x;
SELECT results_eq('SELECT count(vmnet_internal.read_bigint(v)), count(vmnet_internal.read_boolean(v)), count(vmnet_internal.read_inet(v)), count(vmnet_internal.read_cidr(v)), count(vmnet_internal.read_macaddr(v)), count(vmnet_internal.read_uuid(v)), count(vmnet_internal.read_timestamptz(v)) FROM toasted',
	'VALUES (1::bigint, 2::bigint, 2::bigint, 2::bigint, 1::bigint, 1::bigint, 1::bigint)', 'values stored out of line are read');
SELECT results_eq($$SELECT v, vmnet_internal.read_text(v) FROM said_text$$, $$SELECT v, rtrim(v, ' ') FROM said_text$$,
	'read_text() cuts off the blanks that rtrim() does, and nothing else');
SELECT results_eq('SELECT vmnet_internal.read_text(v) FROM toasted', 'SELECT v FROM toasted', 'also of a value stored out of line');
SELECT results_eq($$SELECT v, vmnet_internal.read_utc(v) FROM said_timestamp$$, $$SELECT v, v AT TIME ZONE 'UTC' FROM said_timestamp$$,
	'read_utc() gives what AT TIME ZONE does, at the ends of time and where clocks change');
SELECT results_eq($$SELECT proname::text FROM pg_proc WHERE pronamespace = 'vmnet_internal'::regnamespace AND proname LIKE 'read\_%' AND NOT proretset
	AND (provolatile <> 'i' OR proparallel <> 's' OR NOT proisstrict OR proleakproof)$$,
	$$SELECT NULL::text WHERE false$$, 'all of them are immutable, strict and parallel safe, and none is leakproof');

SELECT * FROM finish();
ROLLBACK;
