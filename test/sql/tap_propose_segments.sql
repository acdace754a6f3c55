-- vmnet.propose_segments(): which network a bridge or a VLAN seems to be, by its name
-- and the VLANs of NICs; what is there already is not proposed.
\i test/tap/setup.psql
SELECT plan(31);
SET LOCAL client_min_messages = error;

CREATE ROLE vmnet_test_owner;
CREATE ROLE vmnet_test_observer;
CREATE ROLE vmnet_test_operator;
CREATE ROLE vmnet_test_stranger;
GRANT CREATE ON DATABASE :DBNAME TO vmnet_test_owner;
SET LOCAL ROLE vmnet_test_owner;
SELECT vmnet.create_inventory('my "cloud') \g /dev/null
SELECT throws_ok($$ SELECT * FROM vmnet.propose_segments('my "cloud') $$, '22023', 'inventory "my "cloud" takes no observations', 'without observations there is nothing to propose');
SELECT vmnet.enable_reality('my "cloud'), vmnet.grant_access('my "cloud', 'vmnet_test_observer', 'observer'),
	vmnet.grant_access('my "cloud', 'vmnet_test_operator', 'operator') \g /dev/null
SELECT set_config('vmnet.inventory', 'my "cloud', true) \g /dev/null
SET LOCAL search_path = "my ""cloud", public;
INSERT INTO networks (id, name) VALUES (1, 'front'), (2, 'back'), (3, 'twin'), (4, 'gone'), (5, 'overlay'), (6, NULL), (7, 'released');
INSERT INTO instances (id, name) SELECT i, 'i' || i FROM generate_series(1, 4) i;
INSERT INTO nics (id, instance_id, network_id, mac_address, broadcast_uri) VALUES
	(1, 1, 1, '02:00:00:00:00:01', 'vlan://101'), (2, 2, 1, '02:00:00:00:00:02', 'vlan://101'),
	(3, 1, 2, '02:00:00:00:00:03', 'vlan://102'), (4, 2, 3, '02:00:00:00:00:04', 'vlan://102'),
	(5, 1, 4, '02:00:00:00:00:05', 'vlan://104'), (6, 1, 5, '02:00:00:00:00:06', 'vxlan://5001'), (7, 2, 6, '02:00:00:00:00:07', 'vlan://0106'),
	(8, 2, 7, '02:00:00:00:00:08', 'vlan://107'), (9, 2, 2, '02:00:00:00:00:09', 'vlan://untagged'), (10, 4, 5, '02:00:00:00:00:0a', NULL),
	(11, 2, 5, '02:00:00:00:00:0b', 'pvlan://108-i109'), (12, 3, 5, '02:00:00:00:00:0c', 'vlan://99999999999999999999');
DELETE FROM nics WHERE id IN (5, 8);
DELETE FROM networks WHERE id = 4;
INSERT INTO observers (name, kind, host) VALUES ('kvm1', 'csv', NULL), ('api', 'cloudstack', NULL);

-- Takes a picture of segments, each with the ends of MAC addresses that are seen there.
CREATE FUNCTION pg_temp.seen(VARIADIC places text[]) RETURNS void LANGUAGE sql AS $$
SELECT vmnet.observe('kvm1', E'mac,segment,host\n' || string_agg(format('02:00:00:00:00:%s,%s,%s', split_part(p, ' ', 3), split_part(p, ' ', 2),
	split_part(p, ' ', 1)), E'\n'), clock_timestamp()) FROM unnest(places) p $$;
CREATE FUNCTION pg_temp.proposed() RETURNS text LANGUAGE sql AS $$
SELECT coalesce(string_agg(concat_ws(' ', coalesce(host, '*'), segment, network_id), ', ' ORDER BY ord), 'nothing')
FROM vmnet.propose_segments() WITH ORDINALITY p (host, segment, network_id, network_name, why, ord) $$;
-- How a segment of a name is proposed.
CREATE FUNCTION pg_temp.named(segment text) RETURNS text LANGUAGE plpgsql AS $$
BEGIN PERFORM pg_temp.seen('h1 ' || segment || ' ff'); RETURN pg_temp.proposed(); END $$;

SELECT is(pg_temp.proposed(), 'nothing', 'where nothing was seen, nothing is proposed');
SELECT pg_temp.seen('h1 br101 01', 'h1 br101 02', 'h1 br101 ff', 'h2 brbond0-101 ff') \g /dev/null
SELECT results_eq('SELECT * FROM vmnet.propose_segments()', $$ VALUES
	('h1', 'br101', 1::bigint, 'front', 'NICs of the network have vlan://101; 2 of 3 MAC addresses that are seen there are theirs'),
	('h2', 'brbond0-101', 1, 'front', 'NICs of the network have vlan://101; 0 of 1 MAC addresses that are seen there are theirs') $$,
	'a segment is the network whose NICs have its VLAN');
SELECT is(pg_temp.named(s), 'h1 ' || s || ' 1', s || ' ends in 101') FROM unnest('{br101,brbond0-101,bond0.101,breth1-101,br0101,101,é101}'::text[]) s;
SELECT is(pg_temp.named('brvx-5001'), 'h1 brvx-5001 5', 'a VXLAN, too');
SELECT is(pg_temp.named('br-106'), 'h1 br-106 6', 'and a network without a name');
SELECT is(pg_temp.named(s), 'nothing', s || ' is no VLAN of a live NIC of a live network')
FROM unnest('{br1101,br1010,br101x,br-int,br104,br107,br108,br109,br0,br99999999999999999999}'::text[]) s;
SELECT pg_temp.seen('h1 br102 ff', ' br102 04') \g /dev/null
SELECT is(pg_temp.proposed(), 'h1 br102 2, h1 br102 3, * br102 3', 'of networks with the same VLAN those that have most of what is seen there');
SELECT is((SELECT why FROM vmnet.propose_segments() WHERE network_id = 2),
	'NICs of the network have vlan://102; 0 of 1 MAC addresses that are seen there are theirs; so have NICs of network 3', 'it says that there are others');
SELECT pg_temp.seen('h1 br101 01', 'h2 br101 01', 'h3 br101 01') \g /dev/null
INSERT INTO segments (host, segment, network_id) VALUES ('h1', 'br101', 1);
SELECT is(pg_temp.proposed(), 'h2 br101 1, h3 br101 1', 'a segment that is there is not proposed');
INSERT INTO segments (host, segment, network_id) SELECT host, segment, network_id FROM vmnet.propose_segments() WHERE host = 'h2';
SELECT is(pg_temp.proposed(), 'h3 br101 1', 'a proposal is confirmed by an INSERT');
INSERT INTO segments (segment, network_id) VALUES ('br101', 1);
SELECT is(pg_temp.proposed(), 'nothing', 'one for every host is for every host');
DELETE FROM segments;
SELECT pg_temp.seen('h1 br-int 01') \g /dev/null
SELECT vmnet.observe('api', '{"count": 1, "nic": [{"macaddress": "02:00:00:00:00:01", "networkid": "11111111-0000-4000-8000-000000000101"}]}') \g /dev/null
SELECT is(pg_temp.proposed(), 'nothing', 'the cloud''s own API does not see segments');
RESET ROLE;

SET LOCAL ROLE vmnet_test_operator;
SELECT lives_ok('SELECT * FROM vmnet.propose_segments()', 'an operator may ask');
SET LOCAL ROLE vmnet_test_observer;
SELECT throws_ok('SELECT * FROM vmnet.propose_segments()', '42501', NULL, 'an observer reads no NICs');
SET LOCAL ROLE vmnet_test_stranger;
SELECT throws_ok('SELECT * FROM vmnet.propose_segments()', '42501', NULL, 'nor does a stranger');
RESET ROLE;
SELECT * FROM finish();
ROLLBACK;
