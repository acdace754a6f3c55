-- What payloads of observations say: recorded ones, written ones of each kind, and
-- hostile ones.
\set VERBOSITY default
\set SHOW_CONTEXT never
\pset null -

--
-- Recorded payloads (test/data/observations): no record is rejected
--
\set libvirt `cat test/data/observations/test.libvirt`
\set ovs `cat test/data/observations/server.ovs`
\set bridge_neigh `cat test/data/observations/bridge.neigh`
\set details_neigh `cat test/data/observations/details.neigh`
\set incomplete_neigh `cat test/data/observations/incomplete.neigh`
\set empty_neigh `cat test/data/observations/empty.neigh`
\set fdb `cat test/data/observations/bridge.fdb`
\set leases `cat test/data/observations/dnsmasq.leases`
\set prometheus `cat test/data/observations/query.prometheus`
\set ECHO none
CREATE TEMP TABLE recorded (name text, kind text, payload text);
INSERT INTO recorded VALUES ('test.libvirt', 'libvirt', :'libvirt'), ('server.ovs', 'ovs', :'ovs'),
	('bridge.neigh', 'neigh', :'bridge_neigh'), ('details.neigh', 'neigh', :'details_neigh'),
	('incomplete.neigh', 'neigh', :'incomplete_neigh'), ('empty.neigh', 'neigh', :'empty_neigh'),
	('bridge.fdb', 'fdb', :'fdb'), ('dnsmasq.leases', 'leases', :'leases'), ('query.prometheus', 'prometheus', :'prometheus');
\set ECHO all
SELECT r.name, count(o.record) AS records, count(o.reason) AS rejected FROM recorded r LEFT JOIN LATERAL vmnet.read_observation(r.kind, r.payload) o ON true
GROUP BY r.name ORDER BY r.name;
SELECT r.name, o.record, o.mac_address, o.ip_address, o.segment, o.device, o.domain, o.domain_uuid, o.nic_uuid, o.host
FROM recorded r, vmnet.read_observation(r.kind, r.payload) o WHERE r.name NOT IN ('details.neigh', 'incomplete.neigh') ORDER BY r.name, o.mac_address;

--
-- Each kind: what is a sighting, what is left out, what is rejected
--
\set show 'SELECT record, mac_address, ip_address, segment, device, domain, right(domain_uuid::text, 3) AS duuid, right(nic_uuid::text, 3) AS nuuid, host, place, reason, raw FROM vmnet.read_observation'
-- libvirt: a bridge before a network before a device; one domain without <domains>
:show('libvirt', $$<?xml version="1.0" encoding="ISO-8859-1"?>
<!-- all --><domains xmlns:qemu="http://libvirt.org/schemas/domain/qemu/1.0"><domain type='kvm'><name>i-2-7-VM</name><uuid>11111111-0000-4000-8000-000000000007</uuid>
<metadata><my:interface xmlns:my="urn:my"><my:mac address="02:00:00:00:00:99"/></my:interface></metadata>
<devices><interface type='network'><mac address='02:00:00:00:00:01'/><source network='default' bridge='virbr0'/><target dev='vnet0'/></interface>
<interface type='network'><mac address='02-00-00-00-00-02'/><source network='default'/></interface>
<interface type='direct'><mac address='0200000000AB'/><source dev='eth0'/></interface>
<interface type='bridge'><source bridge='a&amp;b &#x107;'/><mac address=' 02:00:00:00:00:03 '/><virtualport><parameters interfaceid='22222222-0000-4000-8000-000000000008'/></virtualport></interface>
<interface type='user'/><interface><mac address='02:00:00:00:00'/></interface><interface><mac address='ff:ff:ff:ff:ff:ff'/></interface>
<interface><mac address='02:00:00:00:00:04'/><virtualport><parameters interfaceid='eth0'/></virtualport></interface></devices><qemu:commandline/></domain>
<domain><name>none</name></domain><domain><uuid>no</uuid><devices><interface><mac address='02:00:00:00:00:05'/></interface></devices></domain></domains>$$);
:show('libvirt', $$<domain><name>only</name><devices><interface><mac address='02:00:00:00:00:01'/></interface></devices></domain>$$);
:show('libvirt', '<domains/>');
-- ovs
:show('ovs', $$ {"data": [["tap1", ["map", [["attached-mac", "02:00:00:00:00:01"], ["iface-id", "22222222-0000-4000-8000-000000000008"], ["vm-uuid", "11111111-0000-4000-8000-000000000007"]]]],
["tap2", ["map", [["attached-mac", "02:00:00:00:00:02"], ["iface-id", "ns_pod"], ["vm-id", "machine 7"]]]], ["tap3", ["map", [["iface-id", "ns_pod"]]]],
["br-int", ["map", []]], ["patch", ["map", [["other", "x"]]]], ["tap4", ["set", []]], ["tap5"], {}, 5, ["tap6", ["map", [["attached-mac"]]]], [7, ["map", [["attached-mac", "02:00:00:00:00:02"]]]],
["tap8", ["map", [["attached-mac", ["set", []]]]]]], "headings": ["name", "external_ids"]}$$);
-- neigh
:show('neigh', $$[{"dst": "10.1.0.1", "dev": "br0", "lladdr": "02:00:00:00:00:01", "state": ["REACHABLE"]}, {"dst": "fd00::1", "dev": "br0", "lladdr": "02:00:00:00:00:01", "router": null, "state": ["STALE"]},
{"dst": "10.1.0.2", "dev": "br0", "state": ["FAILED"]}, {"dst": "10.1.0.3", "dev": "br0", "state": ["INCOMPLETE"]}, {"dst": "ff02::1", "dev": "br0", "lladdr": "33:33:00:00:00:01", "state": ["NOARP"]},
{"dst": "127.0.0.1", "dev": "lo", "lladdr": "00:00:00:00:00:00", "state": ["NOARP"]}, {"dst": "10.1.0.4", "dev": "br0", "proxy": null}, {"dst": "10.1.0.5", "dev": "br0", "state": ["STALE"]},
{"dst": "10.1.0.6", "dev": "tun0", "lladdr": "192.0.2.1", "state": ["STALE"]}, {"dst": "10.1", "dev": "br0", "lladdr": "02:00:00:00:00:01"}, {"dev": "br0", "lladdr": "02:00:00:00:00:01"},
{"dst": "224.0.0.1", "dev": "br0", "lladdr": "02:00:00:00:00:01"}, {"dst": 5, "dev": "br0", "lladdr": "02:00:00:00:00:01"}, {"dst": "10.1.0.7", "dev": ["br0"], "lladdr": "02:00:00:00:00:01"}, null, [], {}]$$);
-- fdb: the name of older versions, VLANs
:show('fdb', $$[{"mac": "02:00:00:00:00:01", "ifname": "vnet1", "vlan": 101, "flags": [], "master": "br0", "state": ""}, {"mac": "02:00:00:00:00:02", "dev": "vnet2", "master": "br0"},
{"mac": "02:00:00:00:00:03", "ifname": "vxlan1", "dst": "192.0.2.1", "flags": ["self"], "state": "static"}, {"mac": "02:00:00:00:00:04", "ifname": "vnet1", "master": "br0", "state": "permanent"},
{"mac": "33:33:00:00:00:01", "ifname": "vnet1", "state": ""}, {"mac": "00:00:00:00:00:00", "ifname": "vxlan1", "dst": "192.0.2.1"}, {"ifname": "vnet1"}, {"mac": true}, "02:00:00:00:00:01"]$$);
-- leases: a file of dnsmasq, one of libvirt, an empty one
:show('leases', E'1796025774 02:00:00:00:00:01 10.1.0.90 guest2 01:02:00:00:00:00:01\r\n0 02:00:00:00:00:02  10.1.0.91 * *\n\nduid 00:01:00:01:32:9f\n1796025774 123456 fd00::5 guest2 00:01\n1796025774 T123456 fd00::6 guest2 00:01\n'
	'06-02:00:00:00:00:03 10.1.0.92 x *\n1796025774 06-02:00:00:00:00:03 10.1.0.92 x *\n1796025774 02:00:00:00:00:03\n1796025774 02:00:00:00:00:04 nowhere x *');
:show('leases', E'\n [{"ip-address": "10.1.0.90", "mac-address": "02:00:00:00:00:01", "hostname": "web", "client-id": "01", "expiry-time": 1796025774},
{"iaid": "123", "ip-address": "fd00::5"}, {"iaid": "123", "ip-address": "fd00::6", "mac-address": "02:00:00:00:00:02"}, {"ip-address": "10.1.0.91"}, {"mac-address": "02:00:00:00:00:03"}]');
:show('leases', '');
-- prometheus
:show('prometheus', $${"status": "success", "data": {"resultType": "vector", "result": [
{"metric": {"domain": "i-2-7-VM", "instance": "kvm1.example:9177", "mac_address": "02:00:00:00:00:01", "source_bridge": "br0", "target_device": "vnet0", "uuid": "11111111-0000-4000-8000-000000000007"}, "value": [1, "1"]},
{"metric": {"domain": "i-2-8-VM"}, "value": [1, "1"]}, {"value": [1, "1"]}, 7, {"metric": {"domain": {}, "mac_address": "02:00:00:00:00:01"}}]}, "infos": ["x"]}$$);
-- cloudstack: answers of four calls in one list; one answer, as CloudMonkey writes it
:show('cloudstack', $$[{"listvirtualmachinesresponse": {"count": 2, "virtualmachine": [
{"id": "11111111-0000-4000-8000-000000000007", "name": "web", "instancename": "i-2-7-VM", "hostname": "kvm1", "nic": [
	{"id": "22222222-0000-4000-8000-000000000008", "networkid": "33333333-0000-4000-8000-000000000009", "macaddress": "02:00:00:00:00:01", "ipaddress": "10.1.0.90", "ip6address": "fd00::1", "secondaryip": [{"ipaddress": "10.1.0.91"}]},
	{"id": "22222222-0000-4000-8000-000000000018", "networkid": "33333333-0000-4000-8000-000000000009", "macaddress": "02:00:00:00:00:02", "ip6address": "fd00::2"},
	{"id": "22222222-0000-4000-8000-000000000028", "macaddress": "02:00:00:00:00:03", "ipaddress": ""}, 7, {"id": "x", "macaddress": "02:00:00:00:00:04"}]},
{"id": "11111111-0000-4000-8000-000000000017", "name": "db"}]}},
{"listroutersresponse": {"router": [{"id": "11111111-0000-4000-8000-000000000027", "name": "r-4-VM", "publicip": "192.0.2.9", "nic": [{"macaddress": "02:00:00:00:00:05", "ipaddress": "192.0.2.9"}]}]}},
{"listsystemvmsresponse": {"count": 2, "systemvm": [{"id": "11111111-0000-4000-8000-000000000037", "name": "v-1-VM", "publicip": "192.0.2.8", "publicmacaddress": "02:00:00:00:00:06", "linklocalip": "169.254.1.1", "linklocalmacaddress": "0e:00:a9:fe:01:01"}, []]}},
{"listnicsresponse": {"count": 1, "nic": [{"id": "22222222-0000-4000-8000-000000000038", "networkid": "n", "virtualmachineid": "11111111-0000-4000-8000-000000000047", "macaddress": "02:00:00:00:00:07", "ipaddress": "10.1.0.97"}]}},
{"listnicsresponse": {}}, {"count": 0}]$$);
:show('cloudstack', $${"count": 1, "virtualmachine": [{"id": "11111111-0000-4000-8000-000000000007", "name": "web", "nic": [{"macaddress": "02:00:00:00:00:01"}]}]}$$);
:show('cloudstack', '{"listvirtualmachinesresponse": {}}');
-- csv: columns by name, quotes, line breaks in a field, empty lines
:show('csv', E'MAC , ip,segment,domain_uuid,host\r\n02:00:00:00:00:01,10.1.0.90/24,"br0, ""x""",11111111-0000-4000-8000-000000000007,kvm1\r\n\r\n"02:00:00:00:00:02",,,,\n02:00:00:00:00:03,fd00::1\n'
	'02:00:00:00:00:04,10.1.0.91,"two\nlines",,\n02:00:00:00:00:05,,,no uuid,\n,10.1.0.92,,,\n02:00:00:00:00:06,,a"b,,""');
:show('csv', 'mac');

--
-- A payload that is not of its kind: 22023, observation_malformed
--
CREATE FUNCTION pg_temp.outcome(kind text, payload text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	rule text;
	detail text;
	n int;
	rejected int;
BEGIN
	SELECT count(*), count(reason) INTO n, rejected FROM vmnet.read_observation(kind, payload);
	RETURN format('%s records, %s rejected', n, rejected);
EXCEPTION WHEN OTHERS THEN
	GET STACKED DIAGNOSTICS rule = CONSTRAINT_NAME, detail = PG_EXCEPTION_DETAIL;
	-- libxml's texts differ between its versions
	RETURN concat_ws(' ', SQLSTATE, rule, left(regexp_replace(detail, '^(It is not XML: line \d+).*', '\1'), 250));
END $$;
SELECT kind, pg_temp.outcome(kind, NULL) AS "NULL", pg_temp.outcome(kind, E' \n') AS "empty"
FROM unnest('{libvirt,ovs,neigh,fdb,leases,prometheus,cloudstack,csv}'::text[]) kind;
SELECT * FROM vmnet.read_observation('arp', '[]');
SELECT * FROM vmnet.read_observation(NULL, '[]');
SELECT * FROM vmnet.read_observation('neigh', '[{"dst": }]');
SELECT * FROM vmnet.read_observation('libvirt', E'<domains>\n<domain>\n</domains>');
SELECT * FROM vmnet.read_observation('csv', E'mac,ip\n02:00:00:00:00:01,"10.1');
SELECT v.kind, v.what, pg_temp.outcome(v.kind, v.payload) FROM (VALUES
	('libvirt', 'two roots', '<domains/><domains/>'),
	('libvirt', 'another root', '<domstatus><domain/></domstatus>'),
	('libvirt', 'something else in the root', '<domains><network/></domains>'),
	('libvirt', 'another namespace', '<domains xmlns="urn:x"><domain/></domains>'),
	('libvirt', 'domains of another namespace', '<domains><domain xmlns="urn:x"/></domains>'),
	('libvirt', 'an entity that is not known', '<domain>&x;</domain>'),
	('libvirt', 'a prefix that is not defined', '<domain x:y="z"/>'),
	('libvirt', 'a prefix that is broken', '<domain x:y:="z"/>'),
	('libvirt', 'not XML', '[]'),
	('ovs', 'no object', '[]'),
	('ovs', 'no headings', '{"data": []}'),
	('ovs', 'no list of data', '{"headings": ["name", "external_ids"], "data": {}}'),
	('ovs', 'other columns', '{"headings": ["name", 5, null], "data": []}'),
	('neigh', 'an object', '{}'),
	('neigh', 'two documents', '[][]'),
	('fdb', 'a text', '"x"'),
	('leases', 'JSON with an error', '[{]'),
	('prometheus', 'no object', '[]'),
	('prometheus', 'an error', '{"status": "error", "errorType": "bad_data", "error": "parse error"}'),
	('prometheus', 'warnings', '{"status": "success", "warnings": ["remote read failed"], "data": {"resultType": "vector", "result": []}}'),
	('prometheus', 'a matrix', '{"status": "success", "data": {"resultType": "matrix", "result": []}}'),
	('cloudstack', 'a number', '5'),
	('cloudstack', 'an error', '{"listvirtualmachinesresponse": {"uuidList": [], "errorcode": 401, "errortext": "unable to verify user credentials"}}'),
	('cloudstack', 'another error', '{"errorresponse": {"errorcode": 431}}'),
	('cloudstack', 'another call', '{"listnetworksresponse": {"count": 1, "network": []}}'),
	('cloudstack', 'a list of texts', '["x"]'),
	('cloudstack', 'one page of two', '{"count": 1200, "virtualmachine": [{"id": "x"}]}'),
	('csv', 'no column mac', 'ip'),
	('csv', 'a column that is not known', 'mac,vlan'),
	('csv', 'a column twice', 'mac,MAC'),
	('csv', 'text behind quotes', E'mac\n"a"b')) v (kind, what, payload);

--
-- Hostile payloads
--
SELECT v.what, pg_temp.outcome(v.kind, v.payload) FROM (VALUES
	('NUL in JSON', 'neigh', '[{"dst": "10.1.0.1", "lladdr": "02:00:00:00:00:01", "dev": "a\u0000b"}]'),
	('half of a surrogate pair', 'neigh', '[{"dst": "\ud800"}]'),
	('levels of JSON', 'neigh', repeat('[', 1000000)),
	('a number', 'neigh', '[{"dst": 1e1000000}]'),
	('a large number in a field', 'fdb', '[{"mac": "02:00:00:00:00:01", "vlan": 1e1000}]'),
	('keys twice: the last one counts', 'neigh', '[{"dst": "x", "lladdr": "02:00:00:00:00:01", "dst": "10.1.0.1"}]'),
	('a byte order mark', 'neigh', U&'\FEFF[]'),
	('a byte order mark', 'libvirt', U&'\FEFF<domains/>'),
	('a byte order mark', 'csv', E'\uFEFFmac\r\n02:00:00:00:00:01\r\n'),
	('a long name', 'fdb', '[{"mac": "02:00:00:00:00:01", "ifname": "' || repeat('x', 300) || '"}]'),
	('a long MAC address', 'fdb', '[{"mac": "' || repeat('02:', 300000) || '"}]'),
	('control characters', 'fdb', '[{"mac": "02:00:00:00:00:01", "ifname": "a\u001b[2Jb"}]'),
	('levels of XML', 'libvirt', '<domains>' || repeat('<domain>', 1000)),
	('an entity bomb', 'libvirt', '<!DOCTYPE d [<!ENTITY a "aaaaaaaaaa">' || (SELECT string_agg(format('<!ENTITY %s "%s">', chr(97 + n), repeat('&' || chr(96 + n) || ';', 10)), '' ORDER BY n)
		FROM generate_series(1, 20) n) || ']><domains><domain><name>&u;</name></domain></domains>'),
	('an external entity', 'libvirt', '<!DOCTYPE d [<!ENTITY x SYSTEM "file:///etc/passwd">]><domain><name>&x;</name><devices><interface><mac address="02:00:00:00:00:01"/></interface></devices></domain>'),
	('an external document type', 'libvirt', '<!DOCTYPE d SYSTEM "file:///etc/passwd"><domain/>'),
	('a long attribute', 'libvirt', '<domain><devices><interface><mac address="02:00:00:00:00:01"/><source bridge="' || repeat('x', 1000000) || '"/></interface></devices></domain>'),
	('a text instead of a list', 'cloudstack', '{"virtualmachine": [{"nic": "x"}, {"nic": {"macaddress": "02:00:00:00:00:01"}}, {"nic": [[]]}]}'),
	('many elements beside many interfaces', 'libvirt', '<domain>' || repeat('<a/>', 50000) || '<devices>' || repeat('<interface/>', 20000) || '</devices></domain>'),
	('a million commas', 'csv', E'mac,ip\n' || repeat(',', 1000000)),
	('a million line feeds', 'csv', 'mac' || repeat(E'\n', 1000000)),
	('a million line feeds', 'leases', repeat(E'\n', 1000000)),
	('a million blanks', 'leases', repeat(' ', 1000000))) v (what, kind, payload);
SELECT domain FROM vmnet.read_observation('libvirt', '<!DOCTYPE d [<!ENTITY x SYSTEM "file:///etc/passwd">]><domain><name>a&x;b</name><devices><interface/></devices></domain>');

--
-- Size: looked at before anything is parsed, whatever the kind
--
SHOW vmnet.max_payload;
SET vmnet.max_payload = '2kB';
SELECT * FROM vmnet.read_observation('neigh', repeat('[', 2049));
SELECT pg_temp.outcome('neigh', repeat(' ', 2046) || '[]'), pg_temp.outcome('neigh', repeat(' ', 2047) || '[]'), pg_temp.outcome('csv', repeat(E'\u0107', 1025));
-- a compressed one has its own size
CREATE TEMP TABLE big (payload text);
INSERT INTO big VALUES (repeat(' ', 1000000));
SELECT pg_column_size(payload) < 20000 AS compressed, pg_temp.outcome('leases', payload) FROM big;
RESET vmnet.max_payload;
CREATE ROLE vmnet_test_reader;
SET ROLE vmnet_test_reader;
SET vmnet.max_payload = '1GB';
SELECT count(*) FROM vmnet.read_observation('leases', '1 02:00:00:00:00:01 10.1.0.1 * *');
RESET ROLE;
DROP ROLE vmnet_test_reader;
