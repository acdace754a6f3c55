-- What no two live User NICs may share, each rule by itself: with which other
-- NIC it collides, and with which it does not.
\i test/tap/setup.psql
\i test/tap/outcome.psql

SELECT plan(48);

INSERT INTO cloud.networks (id, name) VALUES (1, 'net1'), (2, 'net2'), (3, 'net3');
INSERT INTO cloud.instances (id, name) SELECT i, 'vm' || i FROM generate_series(1, 5) i;

-- Two NICs: the first is there, the second is added.  They differ in all that
-- rules are about, but for what a rule is about.
CREATE TEMP TABLE rule (ord serial, name text, first text, second text, scope text);
INSERT INTO rule (name, first, second, scope) VALUES
	('all_nics_one_per_network', 'instance_id=1 network_id=1', 'instance_id=1 network_id=1', 'instance_id=2'),
	('all_nics_one_default', 'instance_id=1 network_id=1 default_nic=true', 'instance_id=1 network_id=2 default_nic=true', 'instance_id=2'),
	('all_nics_one_device', 'instance_id=1 network_id=1 device_id=0', 'instance_id=1 network_id=2 device_id=0', 'instance_id=2'),
	('all_nics_one_mac', 'instance_id=1 network_id=1 mac_address=02:00:00:00:00:01', 'instance_id=2 network_id=1 mac_address=02:00:00:00:00:01', 'network_id=2'),
	('all_nics_one_ip4', 'instance_id=1 network_id=1 ip4_address=10.1.1.5', 'instance_id=2 network_id=1 ip4_address=10.1.1.5', 'network_id=2'),
	('all_nics_one_ip6', 'instance_id=1 network_id=1 ip6_address=fd00::5', 'instance_id=2 network_id=1 ip6_address=fd00::5', 'network_id=2');

-- "a=1 b=2" with "b=3" laid over it, as an INSERT
CREATE FUNCTION pg_temp.add(nic bigint, said text, over text DEFAULT '') RETURNS text
LANGUAGE sql AS $$
	SELECT format('INSERT INTO cloud.nics (id, %s) VALUES (%s, %s);',
		string_agg(name, ', ' ORDER BY name), nic, string_agg(quote_literal(value), ', ' ORDER BY name))
	FROM (SELECT DISTINCT ON (1) split_part(w, '=', 1) AS name, split_part(w, '=', 2) AS value
		FROM unnest(string_to_array('default_nic=false ' || said || ' ' || over, ' ')) WITH ORDINALITY u (w, ord)
		WHERE w <> '' ORDER BY 1, ord DESC) w
$$;

SELECT is(pg_temp.trial(pg_temp.add(1, r.first) || pg_temp.add(2, r.second, c.over)),
	CASE WHEN c.collides THEN '23505 ' || r.name ELSE 'accepted' END, r.name || ': ' || c.title)
FROM (SELECT * FROM rule ORDER BY ord) r, LATERAL (VALUES
		('a second User NIC is refused', '', true),
		('a second one in state Reserved is refused', 'state=Reserved', true),
		('a router may share it', 'vm_type=DomainRouter', false),
		('in another scope it is another thing', r.scope, false)) c (title, over, collides);

-- routers among themselves: redundant routers share MAC and address
SELECT is(pg_temp.trial(pg_temp.add(1, r.first, 'vm_type=DomainRouter') || pg_temp.add(2, r.second, 'vm_type=DomainRouter')),
	'accepted', r.name || ': two routers may share it')
FROM (SELECT * FROM rule ORDER BY ord) r;

-- a removed row holds nothing (scenario 35)
SELECT is(pg_temp.trial(pg_temp.add(1, r.first) || 'DELETE FROM cloud.nics WHERE id = 1;' || pg_temp.add(2, r.second)),
	'accepted', r.name || ': scenario 35: what a removed NIC had is free again')
FROM (SELECT * FROM rule ORDER BY ord) r;

-- by UPDATE, where the column may change
SELECT is(pg_temp.trial(pg_temp.add(1, r.first) || pg_temp.add(2, r.second, 'default_nic=false device_id=9 mac_address=02:00:00:00:00:99 ip4_address=10.9.9.9 ip6_address=fd00::99')
		|| format('UPDATE cloud.nics SET %s = %L WHERE id = 2', split_part(w.word, '=', 1), split_part(w.word, '=', 2))),
	'23505 ' || r.name, r.name || ': an UPDATE cannot take it, either')
FROM (SELECT * FROM rule WHERE name <> 'all_nics_one_per_network' ORDER BY ord) r,
	LATERAL (SELECT split_part(r.first, ' ', 3) AS word) w;

-- CloudStack #2540: empty MACs compared equal
SELECT is(pg_temp.trial(pg_temp.add(1, 'instance_id=1 network_id=1') || pg_temp.add(2, 'instance_id=2 network_id=1')),
	'accepted', 'scenario 26: two NICs without a given MAC on one network');
SELECT is(pg_temp.trial($$INSERT INTO cloud.nics (instance_id, network_id, mac_address) VALUES (1, 1, '')$$), '22P02',
	'scenario 26: an empty text is no MAC');

-- an address is one address
SELECT is(pg_temp.trial(pg_temp.add(1, 'instance_id=1 network_id=1 ' || word)), expected, title) FROM (VALUES
	(1, 'ip4_address=10.1.1.5/24', '23514 nic_ip4_address_valid', 'ip4_address has no prefix length'),
	(2, 'ip4_address=fd00::5', '23514 nic_ip4_address_valid', 'and is no IPv6 address'),
	(3, 'ip6_address=fd00::5/64', '23514 nic_ip6_address_valid', 'ip6_address has no prefix length'),
	(4, 'ip6_address=10.1.1.5', '23514 nic_ip6_address_valid', 'and is no IPv4 address'),
	(5, 'ip4_address=10.1.1.5/32 ip6_address=fd00::5/128', 'accepted', 'the whole length is the address itself')
	) a (ord, word, expected, title) ORDER BY ord;

SELECT * FROM finish();
ROLLBACK;
