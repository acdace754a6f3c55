-- Who had a secondary address, and when, in a managed inventory: as long as its
-- row has it and its NIC is active; and who is told.
\i test/tap/setup.psql
SELECT plan(42);

INSERT INTO cloud.networks (id, name, cidr, created) VALUES (1, 'n1', '10.0.0.0/24', '2026-01-01'), (2, 'n2', '10.0.0.0/24', '2026-01-01');
INSERT INTO cloud.instances (id, name, created) SELECT g, 'vm' || g, '2026-01-01' FROM generate_series(1, 3) g;
INSERT INTO cloud.nics (id, instance_id, network_id, state, mac_address, ip4_address, created)
SELECT g, g, 1 + g / 3, 'Reserved', ('02:00:00:00:00:0' || g)::macaddr, ('10.0.0.' || g)::inet, '2026-01-01' FROM generate_series(1, 3) g;
INSERT INTO cloud.nic_secondary_ips (id, nic_id, network_id, ip4_address, ip6_address, created) VALUES
	(1, 1, 1, '10.0.0.50', 'fd00::50', '2026-02-01'), (2, 3, 2, '10.0.0.50', NULL, '2026-02-01');
-- Holders as text; change is the time of the only entry in the history of addresses.
CREATE FUNCTION pg_temp.holders(address inet, at timestamptz DEFAULT NULL, inventory name DEFAULT 'cloud') RETURNS SETOF text LANGUAGE sql AS $$
SELECT concat_ws(' ', h.kind, 'NIC', h.nic_id, 'of', h.instance_name, 'on', h.network_name, h.mac_address, host(h.ip4_address), host(h.ip6_address), 'from', coalesce(to_char(h.held_from, 'YYYY-MM-DD'), '-'), 'to ' || to_char(h.held_to, 'YYYY-MM-DD'))
FROM vmnet.ip_holders($1, $2, $2, $3) h
$$;
SELECT results_eq($$SELECT pg_temp.holders('10.0.0.50')$$, ARRAY['secondary NIC 1 of vm1 on n1 02:00:00:00:00:01 10.0.0.50 fd00::50 from 2026-02-01',
	'secondary NIC 3 of vm3 on n2 02:00:00:00:00:03 10.0.0.50 from 2026-02-01'], 'a secondary address, on each of its networks');
SELECT results_eq($$SELECT pg_temp.holders('fd00::50')$$, ARRAY['secondary NIC 1 of vm1 on n1 02:00:00:00:00:01 10.0.0.50 fd00::50 from 2026-02-01'], 'an IPv6 one');
SELECT is_empty($$SELECT pg_temp.holders('10.0.0.50', '2026-01-31')$$, 'nobody had it before');
SELECT results_eq($$SELECT count(*) FROM pg_temp.holders('10.0.0.50', '2026-02-01')$$, ARRAY[2::bigint], 'from the moment on, that it was given');
SELECT results_eq($$SELECT pg_temp.holders('10.0.0.0/26', '2026-03-01')$$, ARRAY['nic NIC 1 of vm1 on n1 02:00:00:00:00:01 10.0.0.1 from 2026-01-01',
	'nic NIC 2 of vm2 on n1 02:00:00:00:00:02 10.0.0.2 from 2026-01-01', 'nic NIC 3 of vm3 on n2 02:00:00:00:00:03 10.0.0.3 from 2026-01-01',
	'secondary NIC 1 of vm1 on n1 02:00:00:00:00:01 10.0.0.50 fd00::50 from 2026-02-01', 'secondary NIC 3 of vm3 on n2 02:00:00:00:00:03 10.0.0.50 from 2026-02-01'], 'those of a range, in the order of time');
SELECT is((SELECT count(*) FROM vmnet.mac_holders('02:00:00:00:00:01')), 1::bigint, 'mac_holders() has NICs');

-- Another address
UPDATE cloud.nic_secondary_ips SET ip4_address = '10.0.0.51' WHERE id = 1;
SELECT results_eq('SELECT nic_id, mac_address, ip4_address, ip6_address, secondary_ip_id, until >= now() FROM cloud.nic_address_history',
	$$VALUES (1::bigint, NULL::macaddr, '10.0.0.50'::inet, 'fd00::50'::inet, 1::bigint, true)$$, 'what it was is written down');
SELECT results_eq($$SELECT held_from, held_to FROM vmnet.ip_holders('10.0.0.50') h WHERE nic_id = 1$$, $$SELECT '2026-02-01'::timestamptz, until FROM cloud.nic_address_history$$, 'it had that until then');
SELECT results_eq($$SELECT held_from, held_to FROM vmnet.ip_holders('10.0.0.51')$$, 'SELECT until, NULL::timestamptz FROM cloud.nic_address_history', 'and has this since then');
SELECT results_eq($$SELECT held_from, held_to IS NULL FROM vmnet.ip_holders('fd00::50')$$, $$SELECT '2026-02-01'::timestamptz, false UNION ALL SELECT until, true FROM cloud.nic_address_history$$, 'what stays beside it is there twice');
SELECT results_eq('SELECT ip4_address, h.from, h.to FROM cloud.nic_address_intervals h WHERE nic_id = 1 AND kind = ''nic''', $$VALUES ('10.0.0.1'::inet, '2026-01-01'::timestamptz, NULL::timestamptz)$$, 'nothing happened to the address of the NIC');
UPDATE cloud.nic_secondary_ips SET ip4_address = ip4_address, uuid = gen_random_uuid() WHERE id = 1;
SELECT is((SELECT count(*) FROM cloud.nic_address_history), 1::bigint, 'the same address again is no change');
UPDATE cloud.nics SET ip4_address = '10.0.0.11' WHERE id = 1;
SELECT results_eq($$SELECT held_from FROM vmnet.ip_holders('10.0.0.51')$$, 'SELECT until FROM cloud.nic_address_history WHERE secondary_ip_id = 1', 'nor is one of the NIC itself');
SELECT is((SELECT count(*) FROM vmnet.ip_holders('10.0.0.1')), 1::bigint, 'which is known, too');

-- Removed, and what it was cannot be changed afterwards
UPDATE cloud.nic_secondary_ips SET removed = '2026-03-03' WHERE id = 2;
SELECT results_eq($$SELECT pg_temp.holders('10.0.0.50') LIMIT 1 OFFSET 1$$, ARRAY['secondary NIC 3 of vm3 on n2 02:00:00:00:00:03 10.0.0.50 from 2026-02-01 to 2026-03-03'], 'until it is removed');
UPDATE cloud.all_nic_secondary_ips SET ip4_address = '10.0.0.66' WHERE id = 2;
SELECT is_empty($$SELECT pg_temp.holders('10.0.0.66')$$, 'a change of a removed one does not change the past');
SELECT is((SELECT count(*) FROM pg_temp.holders('10.0.0.50', '2026-02-15')), 2::bigint, 'which is what it was');
INSERT INTO cloud.nic_secondary_ips (id, nic_id, network_id, ip4_address, created) VALUES (3, 3, 2, '10.0.0.50', '2026-04-01'), (4, 2, 1, '10.0.0.99', '2026-04-01');
SELECT results_eq($$SELECT held_from, held_to FROM vmnet.ip_holders('10.0.0.50') WHERE nic_id = 3$$, $$VALUES ('2026-02-01'::timestamptz, '2026-03-03'::timestamptz), ('2026-04-01', NULL)$$, 'given again');

-- With its NIC
UPDATE cloud.nics SET state = 'Deallocating' WHERE id = 2;
SELECT results_eq($$SELECT held_to FROM vmnet.ip_holders('10.0.0.99')$$, 'SELECT state_changed FROM cloud.all_nics WHERE id = 2', 'a NIC that is being deallocated holds none');
SELECT results_eq($$SELECT verdict, value FROM vmnet.nic_explain(2) WHERE rule = 'the NIC holds its addresses'$$, $$VALUES (false, '10.0.0.2, secondary 10.0.0.99')$$, 'nic_explain() says so');
UPDATE cloud.all_nics SET removed = now() WHERE id = 2;
SELECT is((SELECT count(*) FROM vmnet.ip_holders('10.0.0.99') WHERE held_to IS NOT NULL), 1::bigint, 'nor does a removed one');
SELECT results_eq($$SELECT verdict, value FROM vmnet.nic_explain(3) WHERE rule = 'the NIC holds its addresses'$$, $$VALUES (true, '10.0.0.3, secondary 10.0.0.50')$$, 'nic_explain() has those that it holds');
SELECT vmnet.create_report('cloud') \g /dev/null
SELECT results_eq('SELECT key, kind, ip_version, network_name, instance_name, secondary_ip_id FROM cloud_report.nic_addresses ORDER BY key', $$VALUES
	('1/10.0.0.11', 'nic', 4, 'n1', 'vm1', NULL::bigint), ('1/10.0.0.51', 'secondary', 4, 'n1', 'vm1', 1), ('1/fd00::50', 'secondary', 6, 'n1', 'vm1', 1),
	('3/10.0.0.3', 'nic', 4, 'n2', 'vm3', NULL), ('3/10.0.0.50', 'secondary', 4, 'n2', 'vm3', 3)$$, 'so does the report');

-- Public addresses, of networks and instances that have them by NAT
INSERT INTO cloud.ip_addresses (id, ip_address, state, source_network_id, network_id, instance_id, allocated, created) VALUES
	(1, '203.0.113.5', 'Allocated', 2, 1, NULL, '2026-05-01', '2026-01-01'), (2, '203.0.113.6', 'Allocated', 2, 1, 1, '2026-05-02', '2026-01-01'),
	(3, '203.0.113.7', 'Free', 2, NULL, NULL, NULL, '2026-01-01'), (4, '10.0.0.3', 'Allocated', 2, NULL, 3, '2026-05-01', '2026-01-01'),
	(5, '10.0.0.50', 'Allocated', 2, NULL, 3, '2026-05-01', '2026-01-01'), (6, '2001:db8::5', 'Allocated', 2, NULL, NULL, NULL, '2026-01-01');
SELECT results_eq($$SELECT pg_temp.holders('203.0.113.0/24')$$, ARRAY['public NIC of on n1 203.0.113.5 from 2026-05-01', 'public NIC of vm1 on n1 203.0.113.6 from 2026-05-02'], 'an address that is allocated has a holder without a NIC');
SELECT results_eq($$SELECT nic_id, nic_uuid, vm_type, instance_id, network_id, mac_address, ip4_address, ip6_address, held_to, kind FROM vmnet.ip_holders('203.0.113.6')$$,
	$$VALUES (NULL::bigint, NULL::uuid, NULL::text, 1::bigint, 1::bigint, NULL::macaddr, '203.0.113.6'::inet, NULL::inet, NULL::timestamptz, 'public')$$, 'the columns of a NIC are NULL');
SELECT results_eq($$SELECT pg_temp.holders('10.0.0.3')$$, ARRAY['nic NIC 3 of vm3 on n2 02:00:00:00:00:03 10.0.0.3 from 2026-01-01'], 'one that a NIC has is there once');
SELECT is((SELECT count(*) FROM vmnet.ip_holders('10.0.0.50') WHERE kind = 'public'), 0::bigint, 'as one that a NIC has as a secondary one');
SELECT results_eq($$SELECT pg_temp.holders('2001:db8::/32')$$, ARRAY['public NIC of on n2 2001:db8::5 from 2026-01-01'], 'without a time of the allocation it is that of the row; and the network is the one that it is from');
SELECT is_empty($$SELECT pg_temp.holders('203.0.113.6', '2026-05-01')$$, 'nobody is known to have had it before');
SELECT results_eq($$SELECT count(*) FROM pg_temp.holders('203.0.113.6', '2026-05-02')$$, ARRAY[1::bigint], 'from the moment of the allocation on');
UPDATE cloud.all_ip_addresses SET removed = '2026-06-01' WHERE id IN (1, 2);
SELECT is_empty($$SELECT pg_temp.holders('203.0.113.0/24')$$, 'a removed address has no holder');
SELECT throws_ok($$UPDATE cloud.all_nics SET state = 'Deallocating', removed = '2026-06-01' WHERE id = 1$$, '23514', NULL, 'a removal is not dated before a change of a secondary address');

-- A fault and its mend: the address of a live NIC; that of a removed one is free
INSERT INTO cloud.nic_secondary_ips (id, nic_id, network_id, ip4_address, ip6_address) VALUES (5, 3, 2, '10.0.0.3', 'fd00::3'), (6, 1, 1, '10.0.0.2', NULL);
SELECT results_eq($$SELECT message, fix FROM vmnet.check_inventory('cloud') WHERE code = 'duplicate_secondary_ip'$$,
	$$VALUES ('NIC 3 of instance 3 has secondary address 10.0.0.3 on network 2, which is its own address', 'UPDATE cloud.all_nic_secondary_ips SET ip4_address = NULL WHERE id = 5 AND active;')$$, 'a fault, with what keeps the other address');
UPDATE cloud.all_nic_secondary_ips SET ip4_address = NULL WHERE id = 5 AND active;
SELECT is_empty($$SELECT message FROM vmnet.check_inventory('cloud') WHERE code = 'duplicate_secondary_ip'$$, 'mended');
SELECT is((SELECT count(*) FROM cloud.nic_secondary_ips WHERE id = 5), 1::bigint, 'the other one is still there');

-- Names, rights and row-level security
SELECT vmnet.create_inventory('Odd "name"') \g /dev/null
INSERT INTO "Odd ""name""".networks (name) VALUES ('n'); INSERT INTO "Odd ""name""".instances (name) VALUES ('it''s'), ('theirs');
INSERT INTO "Odd ""name""".nics (network_id, instance_id, ip4_address) VALUES (1, 1, '10.0.0.1'), (1, 2, '10.0.0.2');
INSERT INTO "Odd ""name""".nic_secondary_ips (nic_id, network_id, ip4_address) VALUES (1, 1, '10.0.0.9'), (2, 1, '10.0.0.8');
CREATE ROLE regress_addr_operator; CREATE ROLE regress_addr_tenant;
SELECT vmnet.grant_access('Odd "name"', 'regress_addr_operator', 'operator'), vmnet.grant_access('Odd "name"', 'regress_addr_tenant', 'operator') \g /dev/null
SET ROLE regress_addr_operator;
UPDATE "Odd ""name""".nic_secondary_ips SET ip4_address = '10.0.0.10' WHERE id = 1;
RESET ROLE;
SELECT results_eq($$SELECT nic_id, ip4_address, secondary_ip_id FROM "Odd ""name""".nic_address_history$$, $$VALUES (1::bigint, '10.0.0.9'::inet, 1::bigint)$$, 'a change of a role that may not write history is recorded');
SELECT is((SELECT count(*) FROM vmnet.ip_holders('10.0.0.8/30', inventory => 'Odd "name"')), 3::bigint, 'odd names do no harm');
ALTER TABLE "Odd ""name""".all_nic_secondary_ips ENABLE ROW LEVEL SECURITY;
CREATE POLICY own ON "Odd ""name""".all_nic_secondary_ips FOR SELECT USING (nic_id = 1);
ALTER TABLE "Odd ""name""".nic_address_history ENABLE ROW LEVEL SECURITY;
CREATE POLICY own ON "Odd ""name""".nic_address_history FOR SELECT USING (nic_id = 1);
SET ROLE regress_addr_tenant;
SELECT is((SELECT string_agg(host(ip4_address), ' ' ORDER BY ip4_address) FROM vmnet.ip_holders('10.0.0.0/24', inventory => 'Odd "name"')), '10.0.0.1 10.0.0.2 10.0.0.9 10.0.0.10', 'what a policy hides is not found');
SELECT is((SELECT value FROM vmnet.nic_explain(2, 'Odd "name"') WHERE rule = 'the NIC holds its addresses'), '10.0.0.2', 'nor explained');
RESET ROLE;
ALTER TABLE "Odd ""name""".all_nics ENABLE ROW LEVEL SECURITY;
CREATE POLICY own ON "Odd ""name""".all_nics FOR SELECT USING (id <> 1);
SET ROLE regress_addr_tenant;
SELECT is((SELECT string_agg(host(ip4_address), ' ' ORDER BY ip4_address) FROM vmnet.ip_holders('10.0.0.0/24', inventory => 'Odd "name"')), '10.0.0.2', 'nor is what belongs to a hidden NIC');
RESET ROLE;
REVOKE SELECT ON "Odd ""name""".all_nic_secondary_ips FROM regress_addr_tenant;
SET ROLE regress_addr_tenant;
SELECT throws_ok($$SELECT * FROM vmnet.ip_holders('10.0.0.9', inventory => 'Odd "name"')$$, '42501', 'permission denied for table all_nic_secondary_ips', 'who may not read secondary addresses is told');
RESET ROLE;
ALTER TABLE "Odd ""name""".all_nic_secondary_ips OWNER TO regress_addr_operator;
SELECT results_eq($$SELECT message FROM vmnet.check_inventory('Odd "name"') WHERE code = 'owner_differs' AND message ~ 'all_nic_secondary_ips'$$,
	$$SELECT message FROM vmnet.check_inventory('Odd "name"') WHERE code = 'owner_differs' LIMIT 1$$, 'owner_differs knows the table');

SELECT * FROM finish();
ROLLBACK;
