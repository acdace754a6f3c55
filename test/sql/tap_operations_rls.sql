-- What an operation decides it decides by all rows, whatever policies hide from the
-- one who may write; what a refusal says follows what he may see.
\i test/tap/setup.psql
\i test/tap/outcome.psql
SELECT plan(95);
SET LOCAL client_min_messages = error;
CREATE ROLE regress_rls_owner;
CREATE ROLE regress_rls_tenant;		-- an operator under policies
CREATE ROLE regress_rls_operator;	-- one whom policies let see everything, but they are active
CREATE ROLE regress_rls_bypass BYPASSRLS;
CREATE ROLE regress_rls_blind;		-- may write to the table of NICs, not read it
CREATE ROLE regress_rls_columns;	-- may write to some columns, and read some
CREATE ROLE regress_rls_updater;	-- may update, not insert
CREATE ROLE regress_rls_reader;		-- may only read, under policies
CREATE ROLE regress_rls_nobody;
DO $$ BEGIN EXECUTE format('GRANT CREATE ON DATABASE %I TO regress_rls_owner', current_database()); END $$;

SET LOCAL ROLE regress_rls_owner;
SELECT vmnet.create_inventory('shop') \g /dev/null
SELECT vmnet.grant_access('shop', r, 'operator') FROM unnest('{regress_rls_tenant,regress_rls_operator,regress_rls_bypass,regress_rls_blind,regress_rls_columns,regress_rls_updater}'::name[]) r \g /dev/null
GRANT USAGE ON SCHEMA shop TO regress_rls_reader, regress_rls_nobody;
GRANT SELECT ON ALL TABLES IN SCHEMA shop TO regress_rls_reader;
REVOKE SELECT ON shop.all_nics, shop.all_nic_secondary_ips FROM regress_rls_blind;
REVOKE ALL ON shop.all_nics FROM regress_rls_columns;
GRANT INSERT, UPDATE (ip4_address, ip6_address, netmask, gateway) ON shop.all_nics TO regress_rls_columns;
GRANT SELECT (id, network_id, instance_id, vm_type, strategy, state, device_id, default_nic, ip4_address, ip6_address, removed, netmask, gateway) ON shop.all_nics TO regress_rls_columns;
REVOKE INSERT ON shop.all_nics FROM regress_rls_updater;

-- ids that nobody can mistake: NICs 71.., instances 81.., addresses 91..
INSERT INTO shop.all_networks (id, name, cidr, ip6_cidr) VALUES (1, 'blue', '10.0.0.0/24', '2001:db8::/64'), (2, 'red', '10.0.1.0/24', NULL), (3, 'green', NULL, NULL);
INSERT INTO shop.all_instances (id, name, type, state, account_id) VALUES (1, 'mine', 'User', 'Running', 5), (2, 'mine too', 'User', 'Running', 5), (4, 'my router', 'DomainRouter', 'Running', 5),
	(8101, 'another''s', 'User', 'Running', 6), (8102, 'router', 'DomainRouter', 'Running', 1);
INSERT INTO shop.all_nics (id, instance_id, network_id, vm_type, strategy, state, device_id, default_nic, mac_address, ip4_address, ip6_address) VALUES
	(1, 1, 1, 'User', 'Start', 'Reserved', 1, false, '02:00:00:00:00:01', '10.0.0.101', NULL),
	(7101, 8101, 1, 'User', 'Start', 'Reserved', 0, true, '02:00:00:00:71:01', '10.0.0.11', '2001:db8::11'),
	(7102, 8102, 1, 'DomainRouter', 'Start', 'Reserved', 0, true, '02:00:00:00:71:02', '10.0.0.12', '2001:db8::12'),
	(7103, NULL, 1, 'DomainRouter', 'PlaceHolder', 'Reserved', NULL, false, NULL, '10.0.0.13', '2001:db8::13'),
	-- of an instance that is the tenant's, on a network that is hidden from him
	(7104, 1, 2, 'User', 'Start', 'Reserved', 0, true, '02:00:00:00:71:04', '10.0.1.14', NULL),
	(7105, 1, 3, 'User', 'Start', 'Allocated', 3, false, '02:00:00:00:71:05', NULL, NULL);
INSERT INTO shop.all_nic_secondary_ips (id, nic_id, network_id, ip4_address) VALUES (9101, 7101, 1, '10.0.0.21');
INSERT INTO shop.all_nic_secondary_ips (id, nic_id, network_id, ip6_address) VALUES (9102, 7102, 1, '2001:db8::22');
SELECT setval('shop.all_nics_id_seq', 100) \g /dev/null
ALTER TABLE shop.all_nics ENABLE ROW LEVEL SECURITY;
ALTER TABLE shop.all_nic_secondary_ips ENABLE ROW LEVEL SECURITY;
CREATE POLICY own ON shop.all_nics USING (id < 7000 AND (current_user <> 'regress_rls_tenant' OR id < 7000)) WITH CHECK (true);
CREATE POLICY all_of_them ON shop.all_nics TO regress_rls_operator, regress_rls_columns, regress_rls_blind, regress_rls_updater USING (true);
CREATE POLICY own ON shop.all_nic_secondary_ips USING (id < 9000) WITH CHECK (true);
CREATE POLICY all_of_them ON shop.all_nic_secondary_ips TO regress_rls_operator, regress_rls_columns, regress_rls_blind USING (true);
RESET ROLE;
SELECT pg_temp.outcome_as('regress_rls_tenant', 'SELECT 1 / (count(*) - 1) FROM shop.all_nics WHERE id > 0') = '22012' AS sees_one \gset
SELECT ok(:'sees_one', 'the tenant sees one NIC');

-- Runs a call as a role, and undoes it: what it comes to, and what it says.
CREATE FUNCTION pg_temp.call_as(who name, command text, OUT outcome text, OUT said text) LANGUAGE plpgsql AS $$
DECLARE
	rule text;
	detail text;
	hint text;
	message text;
	value text;
BEGIN
	PERFORM set_config('role', who, true);
	BEGIN
		EXECUTE command INTO value;
		outcome := 'accepted';
		RAISE EXCEPTION USING ERRCODE = 'UNDO1';
	EXCEPTION WHEN SQLSTATE 'UNDO1' THEN
		NULL;
	WHEN OTHERS THEN
		GET STACKED DIAGNOSTICS message = MESSAGE_TEXT, detail = PG_EXCEPTION_DETAIL, hint = PG_EXCEPTION_HINT, rule = CONSTRAINT_NAME;
		outcome := concat_ws(' ', SQLSTATE, nullif(rule, ''));
		said := concat_ws(E'\n', message, detail, hint);
	END;
	PERFORM set_config('role', 'none', true);
END
$$;
CREATE TEMP TABLE call (n serial, command text, hidden boolean, wanted text);
INSERT INTO call (command, hidden, wanted) VALUES
	-- addresses that hidden NICs have
	($$vmnet.nic_add(2, 1, '10.0.0.11', inventory => 'shop')$$, true, '23505 all_nics_one_ip4'),
	($$vmnet.nic_add(2, 1, '10.0.0.12', inventory => 'shop')$$, true, '23505 user_ip_held_by_other'),
	($$vmnet.nic_add(2, 1, '10.0.0.13', inventory => 'shop')$$, true, '23505 user_ip_held_by_other'),
	($$vmnet.nic_add(2, 1, '10.0.0.21', inventory => 'shop')$$, true, '23505 nic_ip_is_secondary'),
	($$vmnet.nic_add(2, 1, ip6 => '2001:db8::11', inventory => 'shop')$$, true, '23505 all_nics_one_ip6'),
	($$vmnet.nic_add(2, 1, ip6 => '2001:db8::12', inventory => 'shop')$$, true, '23505 user_ip_held_by_other'),
	($$vmnet.nic_add(2, 1, ip6 => '2001:db8::13', inventory => 'shop')$$, true, '23505 user_ip_held_by_other'),
	($$vmnet.nic_add(2, 1, ip6 => '2001:db8::22', inventory => 'shop')$$, true, '23505 nic_ip_is_secondary'),
	($$vmnet.nic_add(2, 1, mac => '02:00:00:00:71:01', inventory => 'shop')$$, true, '23505 all_nics_one_mac'),
	($$vmnet.nic_add(2, 1, mac => '02:00:00:00:71:02', inventory => 'shop')$$, true, '23505 user_mac_held_by_other'),
	($$vmnet.nic_add(4, 1, '10.0.0.11', inventory => 'shop')$$, true, '23505 user_ip_held_by_other'),
	($$vmnet.nic_add(NULL, 1, '10.0.0.11', strategy => 'PlaceHolder', inventory => 'shop')$$, true, '23505 user_ip_held_by_other'),
	($$vmnet.nic_add(NULL, 1, '10.0.0.21', strategy => 'PlaceHolder', inventory => 'shop')$$, true, '23505 nic_ip_is_secondary'),
	($$vmnet.nic_set_ip(1, '10.0.0.12', inventory => 'shop')$$, true, '23505 user_ip_held_by_other'),
	($$vmnet.nic_set_ip(1, '10.0.0.21', inventory => 'shop')$$, true, '23505 nic_ip_is_secondary'),
	($$vmnet.nic_set_ip(1, NULL, '2001:db8::11', inventory => 'shop')$$, true, '23505 all_nics_one_ip6'),
	-- a NIC of his instance that he does not see
	($$vmnet.nic_add(1, 2, inventory => 'shop')$$, true, '23505 all_nics_one_per_network'),
	-- and what is free
	($$vmnet.nic_add(2, 1, '10.0.0.31', '2001:db8::31', '02:00:00:00:00:31', inventory => 'shop')$$, false, 'accepted'),
	($$vmnet.nic_add(2, 2, '10.0.1.11', inventory => 'shop')$$, false, 'accepted'),
	($$vmnet.nic_add(4, 1, '10.0.0.12', mac => '02:00:00:00:71:02', inventory => 'shop')$$, false, 'accepted'),
	($$vmnet.nic_add(NULL, 1, '10.0.0.12', strategy => 'PlaceHolder', inventory => 'shop')$$, false, 'accepted'),
	($$vmnet.nic_set_ip(1, '10.0.0.33', '2001:db8::33', inventory => 'shop')$$, false, 'accepted'),
	($$vmnet.nic_set_ip(1, '10.0.0.101', inventory => 'shop')$$, false, 'accepted'),
	($$vmnet.nic_remove(1, inventory => 'shop')$$, false, 'accepted');

SELECT is(o.outcome, c.wanted, 'the owner: ' || c.command) FROM call c, pg_temp.call_as('regress_rls_owner', 'SELECT ' || c.command) o ORDER BY c.n;
CREATE TEMP TABLE answer AS
SELECT c.n, c.command, c.hidden, c.wanted, r.who, o.outcome, o.said
FROM call c, unnest('{regress_rls_owner,regress_rls_tenant,regress_rls_operator,regress_rls_bypass,regress_rls_blind,regress_rls_columns,regress_rls_updater}'::name[]) r (who),
	pg_temp.call_as(r.who, 'SELECT ' || c.command) o;
SELECT is(t.outcome, t.wanted, 'the tenant: ' || t.command) FROM answer t WHERE t.who = 'regress_rls_tenant' ORDER BY t.n;
SELECT is_empty(format('SELECT command, outcome, wanted FROM answer WHERE who = %L AND outcome <> wanted', w), 'so is it for ' || w)
FROM unnest('{regress_rls_operator,regress_rls_bypass}'::text[]) w;
SELECT is_empty($$ SELECT command, outcome, said FROM answer WHERE who = 'regress_rls_blind' AND command ~ 'nic_add' AND outcome <> wanted $$, 'who may not read the table adds NICs by the same rules');
SELECT is_empty($$ SELECT command, outcome FROM answer WHERE who = 'regress_rls_blind' AND command !~ 'nic_add' AND outcome <> '42501' $$, 'and cannot do what looks at a NIC');
SELECT is_empty($$ SELECT command, outcome, said FROM answer WHERE who = 'regress_rls_columns' AND command !~ 'nic_remove' AND outcome <> wanted $$, 'who may write to some columns does by the same rules, too');
SELECT is_empty($$ SELECT command, outcome FROM answer WHERE who = 'regress_rls_updater' AND command !~ 'nic_add' AND outcome <> wanted $$, 'and who may only update');
SELECT is_empty($$ SELECT command, outcome FROM answer WHERE who = 'regress_rls_updater' AND command ~ 'nic_add' AND hidden AND outcome <> wanted $$, 'who is refused for the same reason');
SELECT is_empty($$ SELECT command, outcome FROM answer WHERE who = 'regress_rls_updater' AND command ~ 'nic_add' AND NOT hidden AND outcome <> '42501' $$, 'and adds nothing');

-- what is said
SELECT is_empty($$ SELECT who, said FROM answer WHERE who IN ('regress_rls_tenant', 'regress_rls_operator', 'regress_rls_blind', 'regress_rls_columns', 'regress_rls_updater') AND hidden AND said ~ '\m(71|81|91)\d\d\M' $$,
	'where policies are in force, or the table may not be read, nothing names a row');
SELECT is_empty($$ SELECT command, said FROM answer WHERE who IN ('regress_rls_owner', 'regress_rls_bypass') AND hidden AND said !~ '\mNIC (71)\d\d\M' $$, 'elsewhere each refusal names the NIC');
SELECT is((SELECT said FROM answer WHERE who = 'regress_rls_tenant' AND n = 2), '10.0.0.12 is taken on network 1
A NIC that you may not see has it.
Choose another address.', 'an address is taken');
SELECT is((SELECT said FROM answer WHERE who = 'regress_rls_tenant' AND n = 4), '10.0.0.21 is taken on network 1
A NIC that you may not see has it as a secondary address.
Choose another address.', 'a secondary one, too');
SELECT is((SELECT said FROM answer WHERE who = 'regress_rls_tenant' AND n = 17), 'instance 1 is on network 2 already
Its NIC there is one that you may not see.
A User instance has one live NIC on a network.', 'an instance is there already');

-- the next free one
CREATE FUNCTION pg_temp.added(who name, command text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	nic bigint;
	result text;
BEGIN
	PERFORM set_config('role', who, true);
	EXECUTE 'SELECT ' || command INTO nic;
	PERFORM set_config('role', 'none', true);
	result := (SELECT concat_ws(' ', n.device_id, n.default_nic, (SELECT count(*) FROM shop.all_nics o WHERE o.mac_address = n.mac_address AND o.active)) FROM shop.all_nics n WHERE n.id = nic);
	RAISE EXCEPTION USING ERRCODE = 'UNDO1';
EXCEPTION WHEN SQLSTATE 'UNDO1' THEN
	RETURN result;
END
$$;
UPDATE shop.all_nics SET mac_address = vmnet_internal.operation_mac('shop', (SELECT last_value + k FROM shop.all_nics_id_seq)) FROM (VALUES (7101, 1), (7102, 2), (7104, 3)) v (i, k) WHERE id = i;
INSERT INTO shop.all_networks (id) VALUES (4);
SELECT is(pg_temp.added(w, $$ vmnet.nic_add(1, 4, inventory => 'shop') $$), '2 f 1', 'the next free device position, no second default, a MAC address that nobody has: ' || w)
FROM unnest('{regress_rls_owner,regress_rls_tenant,regress_rls_operator,regress_rls_blind}'::name[]) w;
SELECT is(pg_temp.added('regress_rls_tenant', $$ vmnet.nic_add(2, 4, inventory => 'shop') $$), '0 t 1', 'the first NIC of an instance');

-- a default that is hidden: of a User instance, and of a router, which no index guards
SELECT is(o.outcome, '42501 nic_default_hidden', 'the tenant gets no second default') FROM pg_temp.call_as('regress_rls_tenant', $$ SELECT vmnet.nic_set_default(1, inventory => 'shop') $$) o;
SELECT is(o.outcome, 'accepted', 'the owner changes it') FROM pg_temp.call_as('regress_rls_owner', $$ SELECT vmnet.nic_set_default(1, inventory => 'shop') $$) o;
SET LOCAL ROLE regress_rls_owner;
INSERT INTO shop.all_nics (id, instance_id, network_id, vm_type, state, device_id, default_nic) VALUES (5, 4, 1, 'DomainRouter', 'Reserved', 0, false), (7106, 4, 2, 'DomainRouter', 'Reserved', 1, true);
RESET ROLE;
SELECT is(o.outcome, '42501 nic_default_hidden', 'nor does a router') FROM pg_temp.call_as('regress_rls_tenant', $$ SELECT vmnet.nic_set_default(5, inventory => 'shop') $$) o;
SELECT unalike(o.said, '%7106%', 'the hidden one is not named') FROM pg_temp.call_as('regress_rls_tenant', $$ SELECT vmnet.nic_set_default(5, inventory => 'shop') $$) o;

-- a default that is needed by NICs which are hidden
SET LOCAL ROLE regress_rls_owner;
UPDATE shop.all_nics SET default_nic = false WHERE id = 7104;
UPDATE shop.all_nics SET default_nic = true WHERE id = 1;
RESET ROLE;
SELECT is(o.outcome || E'\n' || o.said, '23514 nic_default_needed
cannot remove NIC 1: it is the default of instance 1
The instance has 2 other NICs, and needs a default.
Choose another default first, or force the removal: SELECT vmnet.nic_remove(1, force => true, inventory => ''shop'');', 'the tenant does not remove a default that other NICs need')
FROM pg_temp.call_as('regress_rls_tenant', $$ SELECT vmnet.nic_remove(1, inventory => 'shop') $$) o;
SELECT matches(o.said, 'first: SELECT vmnet\.nic_set_default\(7104, ', 'the owner is told which') FROM pg_temp.call_as('regress_rls_owner', $$ SELECT vmnet.nic_remove(1, inventory => 'shop') $$) o;

-- forced on the owner, it hides nothing from what is decided
SET LOCAL ROLE regress_rls_owner;
ALTER TABLE shop.all_nics FORCE ROW LEVEL SECURITY;
ALTER TABLE shop.all_nic_secondary_ips FORCE ROW LEVEL SECURITY;
RESET ROLE;
SELECT is_empty($$ SELECT c.command, o.outcome, o.said FROM call c, pg_temp.call_as('regress_rls_owner', 'SELECT ' || c.command) o WHERE c.n < 23 AND c.command !~ 'mac =>' AND (o.outcome <> c.wanted OR c.hidden AND o.said ~ '\m(71|81|91)\d\d\M') $$, 'nor does it where it is forced on the owner, who is not told either');
SELECT is((SELECT outcome FROM pg_temp.call_as('regress_rls_tenant', $$ SELECT vmnet.nic_add(2, 1, '10.0.0.13', inventory => 'shop') $$)), '23505 user_ip_held_by_other', 'nor from those of the tenant');

-- The questions themselves, asked by hand
SELECT is(pg_temp.outcome_as('regress_rls_nobody', $$ SELECT vmnet_internal.mac_held('shop', '02:00:00:00:71:05') $$), '42501', 'who has no right on the table gets no answer');
CREATE FUNCTION pg_temp.asked(who name, question text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	result text;
BEGIN
	PERFORM set_config('role', who, true);
	EXECUTE 'SELECT ' || question INTO result;
	PERFORM set_config('role', 'none', true);
	RETURN result;
EXCEPTION WHEN OTHERS THEN
	RETURN SQLSTATE;
END
$$;
SELECT is(pg_temp.asked('regress_rls_reader', $$ vmnet_internal.address_holder('shop', 1, 'ip4_address', a, NULL, true) FROM unnest(ARRAY['10.0.0.12']) a $$), '(f,,)', 'who only reads gets one by the rows that he sees');
SELECT is(pg_temp.asked('regress_rls_reader', $$ vmnet_internal.mac_held('shop', '02:00:00:00:00:01') $$), 'true', 'which he does get');
SELECT is(pg_temp.asked('regress_rls_tenant', $$ vmnet_internal.address_holder('shop', 1, 'ip4_address', '10.0.0.12', NULL, true) $$), '(t,f,)', 'who writes is told that there is one, not which');
SELECT is(pg_temp.asked('regress_rls_tenant', $$ vmnet_internal.free_device('shop', 1, 2) $$), '(2,f,t,)', 'which position is free');
SELECT is(pg_temp.asked('regress_rls_tenant', $$ vmnet_internal.other_nics('shop', 1, 1) $$), '(2,0,)', 'and how many there are');
SELECT is(pg_temp.asked('regress_rls_bypass', $$ vmnet_internal.secondary_holder('shop', 1, 'ip4_address', '10.0.0.21') $$), '(t,9101,7101)', 'who sees everything is told all of it');
SELECT is(pg_temp.asked('regress_rls_tenant', q), s, 'odd arguments: ' || q)
FROM (VALUES ($$ vmnet_internal.address_holder('shop', 1, 'id', '1', NULL, true) $$, '22023'), ($$ vmnet_internal.address_holder('shop', 1, NULL, '1', NULL, true) $$, '22023'),
	($$ vmnet_internal.address_holder('shop', NULL, 'ip4_address', NULL, NULL, NULL) $$, '(f,,)'), ($$ vmnet_internal.address_holder('shop', 1, 'ip4_address', 'x', NULL, true) $$, '22P02'),
	($$ vmnet_internal.mac_held(NULL, NULL) $$, '22023'), ($$ vmnet_internal.mac_held('shop', NULL) $$, 'false'), ($$ vmnet_internal.mac_held('nowhere', NULL) $$, '3F000'),
	($$ vmnet_internal.mac_held('pg_catalog', NULL) $$, '22023'), ($$ vmnet_internal.free_device('shop', NULL, NULL) $$, '(0,t,f,)'), ($$ vmnet_internal.other_nics('shop', NULL, NULL) $$, '(0,0,)')) v (q, s);
-- the rights are those of the moment, the code of the owner's is his
SET LOCAL ROLE regress_rls_owner;
ALTER TABLE shop.all_nic_secondary_ips NO FORCE ROW LEVEL SECURITY;
ALTER TABLE shop.all_nics NO FORCE ROW LEVEL SECURITY;
REVOKE INSERT, UPDATE ON shop.all_nics FROM regress_rls_tenant;
RESET ROLE;
SELECT is(pg_temp.asked('regress_rls_tenant', $$ vmnet_internal.address_holder('shop', 1, 'ip4_address', '10.0.0.12', NULL, true) $$), '(f,,)', 'without the right to write, it is by his rows');
ALTER TABLE shop.all_nic_secondary_ips OWNER TO regress_rls_nobody;
SELECT is(pg_temp.outcome_as('regress_rls_operator', $$ SELECT vmnet_internal.secondary_holder('shop', 1, 'ip4_address', '10.0.0.21') $$), '42501 inventory_owner', 'two tables of two owners are not read as one of them');
SELECT is(current_user, session_user, 'the user is who he was');
SELECT * FROM finish();
ROLLBACK;
