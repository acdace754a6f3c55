-- What could bring a server down or let a read go wrong: a schema dressed up
-- as an inventory, a plan that is made anew while it runs, a caller who may
-- not look into the schema.
\i test/tap/setup.psql

SELECT plan(20);

-- Anybody who may make a schema can call it an inventory.  Columns of other
-- types are refused, never taken for what they are not.
SET LOCAL client_min_messages = warning;
CREATE SCHEMA dressed;
CREATE VIEW dressed.inventory_info AS
SELECT 'managed'::text AS kind, NULL::text AS source, 'enforce'::text AS mode, '0.1.0'::text AS version;
CREATE FUNCTION pg_temp.dress(network text, instance text, nic text) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
	DROP VIEW IF EXISTS dressed.networks, dressed.instances, dressed.nics, dressed.all_nics;
	EXECUTE 'CREATE VIEW dressed.networks AS SELECT ' || coalesce(network, '1::bigint AS id, md5(''a'')::uuid AS uuid');
	EXECUTE 'CREATE VIEW dressed.instances AS SELECT ' || coalesce(instance, '1::bigint AS id, md5(''a'')::uuid AS uuid, ''n''::text AS name, ''User''::text AS type, ''Running''::text AS state');
	EXECUTE 'CREATE VIEW dressed.nics AS SELECT ' || coalesce(nic, '7::bigint AS id, md5(''b'')::uuid AS uuid, 1::bigint AS instance_id, 1::bigint AS network_id, ''Reserved''::text AS state,
		''User''::text AS vm_type, 0 AS device_id, true AS default_nic, NULL::macaddr AS mac_address, NULL::inet AS ip4_address, NULL::inet AS ip6_address, now() AS created, now() AS state_changed');
	CREATE VIEW dressed.all_nics AS SELECT *, true AS active, NULL::timestamptz AS removed FROM dressed.nics;
END $$;
CREATE FUNCTION pg_temp.listed() RETURNS text LANGUAGE plpgsql AS $$
BEGIN
	RETURN (SELECT f::text FROM vmnet.network_active_instances(1, inventory => 'dressed') f);
EXCEPTION WHEN OTHERS THEN
	RETURN SQLSTATE;
END $$;
SELECT pg_temp.dress(NULL, NULL, NULL) \g /dev/null
SELECT is(pg_temp.listed(), '(1,0cc175b9-c0f1-b6a8-31c3-99e269772661,n,User,Running,1,7,Reserved,0,t,,,)', 'a schema that offers the canonical views is an inventory');

-- a number that would be taken for the address or the length of a text
SELECT pg_temp.dress(NULL, '1::bigint AS id, md5(''a'')::uuid AS uuid, 4::bigint AS name, ''User''::text AS type, ''Running''::text AS state', NULL) \g /dev/null
SELECT is(pg_temp.listed(), '42804', 'network_active_instances(): a name that is a number');
SELECT pg_temp.dress(NULL, '1::bigint AS id, 1::bigint AS uuid, ''n''::text AS name, ''User''::text AS type, ''Running''::text AS state', NULL) \g /dev/null
SELECT is(pg_temp.listed(), '42804', 'network_active_instances(): a uuid that is a number');
SELECT pg_temp.dress(NULL, NULL, '7::bigint AS id, 1::bigint AS instance_id, 1::bigint AS network_id, 5 AS state, ''0'' AS device_id, true AS default_nic,
	NULL::macaddr AS mac_address, NULL::inet AS ip4_address, NULL::inet AS ip6_address') \g /dev/null
SELECT is(pg_temp.listed(), '42804', 'network_active_instances(): a device id that is a text');
SELECT pg_temp.dress(NULL, NULL, '7::bigint AS id, 1::int AS instance_id, 1::bigint AS network_id, ''Reserved''::text AS state, 0 AS device_id, true AS default_nic,
	NULL::macaddr AS mac_address, NULL::inet AS ip4_address, NULL::inet AS ip6_address') \g /dev/null
SELECT is(pg_temp.listed(), '42804', 'network_active_instances(): an instance id that is an int');
SELECT pg_temp.dress(NULL, NULL, '7::numeric AS id, md5(''b'')::uuid AS uuid, 1::bigint AS instance_id, 1::bigint AS network_id, ''Reserved''::text AS state,
	''User''::text AS vm_type, 0 AS device_id, true AS default_nic, NULL::macaddr AS mac_address, NULL::inet AS ip4_address, NULL::inet AS ip6_address, now() AS created, now() AS state_changed') \g /dev/null
SELECT is(pg_temp.listed(), '42804', 'network_active_instances(): a NIC id that is a numeric');
SELECT throws_ok('SELECT * FROM vmnet.network_active_nics(1, ''dressed'')', '42804', NULL, 'network_active_nics(): the same');
SELECT pg_temp.dress('''abc''::text AS id, md5(''a'')::uuid AS uuid', '1.5::numeric AS id, md5(''a'')::uuid AS uuid', NULL) \g /dev/null
SELECT throws_ok('SELECT vmnet.network_id(md5(''a'')::uuid, ''dressed'')', '42804', NULL, 'network_id(): an id that is a text');
SELECT throws_ok('SELECT vmnet.instance_id(md5(''a'')::uuid, ''dressed'')', '42804', NULL, 'instance_id(): an id that is a numeric');

-- A policy that itself reads the inventory, while other sessions or the policy
-- invalidate every plan: the read that is under way ends well.
INSERT INTO cloud.networks (id, name) VALUES (1, 'n1'), (2, 'n2');
INSERT INTO cloud.instances (id, name) VALUES (1, 'vm1'), (2, 'vm2'), (3, 'vm3');
INSERT INTO cloud.nics (network_id, instance_id) VALUES (1, 1), (1, 2), (1, 3);
CREATE FUNCTION public.reentrant(nic_id bigint) RETURNS boolean LANGUAGE plpgsql AS $$
BEGIN
	IF current_setting('regress.depth') = '0' THEN
		PERFORM set_config('regress.depth', '1', true);
		CREATE SCHEMA invalidates_every_plan;
		DROP SCHEMA invalidates_every_plan;
		PERFORM count(*) FROM vmnet.network_active_instances(1);
		PERFORM count(*) FROM vmnet.network_active_nics(1);
		PERFORM count(*) FROM vmnet.instance_active_networks(1);
		PERFORM vmnet.network_active_instance_count(1), vmnet.network_in_use(1);
		FOR i IN 1..20 LOOP
			EXECUTE 'SELECT ' || i;
		END LOOP;
		PERFORM set_config('regress.depth', '0', true);
	END IF;
	RETURN true;
END $$;
CREATE ROLE regress_vmnet_reader;
GRANT USAGE ON SCHEMA cloud TO regress_vmnet_reader;
GRANT SELECT ON ALL TABLES IN SCHEMA cloud TO regress_vmnet_reader;
DO $$ BEGIN EXECUTE format('GRANT CREATE ON DATABASE %I TO regress_vmnet_reader', current_database()); END $$;
ALTER TABLE cloud.all_nics ENABLE ROW LEVEL SECURITY;
CREATE POLICY reads_itself ON cloud.all_nics USING (public.reentrant(id));
SET LOCAL regress.depth = '0';
SET LOCAL ROLE regress_vmnet_reader;
SELECT count(*) AS n1 FROM vmnet.network_active_instances(1) \gset
SELECT count(*) AS n2 FROM vmnet.network_active_instances(1) \gset
SELECT count(*) AS n3 FROM vmnet.network_active_nics(1) \gset
SELECT count(*) AS n4 FROM vmnet.network_active_nics(1) \gset
SELECT count(*) AS n5 FROM vmnet.instance_active_networks(1) \gset
SELECT count(*) AS n6 FROM vmnet.instance_active_networks(1) \gset
SELECT vmnet.network_active_instance_count(1) AS n7, vmnet.network_in_use(1) AS n8 \gset
SELECT vmnet.network_active_instance_count(1) AS n9, vmnet.network_in_use(1) AS n10 \gset
RESET ROLE;
SELECT is(concat_ws(' ', :n1, :n2, :n3, :n4, :n5, :n6, :n7, :'n8', :n9, :'n10'), '3 3 3 3 1 1 3 t 3 t', 'a plan made anew while it runs');
ALTER TABLE cloud.all_nics DISABLE ROW LEVEL SECURITY;

-- Whoever writes through a view of the owner's need not be allowed into the
-- schema: the guards look as the owner, from the first time on.
CREATE SCHEMA desk;
CREATE VIEW desk.networks AS SELECT * FROM cloud.all_networks;
CREATE VIEW desk.instances AS SELECT * FROM cloud.all_instances;
CREATE VIEW desk.nics AS SELECT * FROM cloud.all_nics;
CREATE ROLE regress_vmnet_clerk;
GRANT USAGE ON SCHEMA desk TO regress_vmnet_clerk;
GRANT ALL ON ALL TABLES IN SCHEMA desk TO regress_vmnet_clerk;
CREATE FUNCTION pg_temp.as_clerk(command text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	name text;
BEGIN
	SET LOCAL ROLE regress_vmnet_clerk;
	EXECUTE command;
	RESET ROLE;
	RETURN 'done';
EXCEPTION WHEN OTHERS THEN
	GET STACKED DIAGNOSTICS name = CONSTRAINT_NAME;
	RETURN concat_ws(' ', SQLSTATE, nullif(name, ''));
END $$;
CREATE FUNCTION pg_temp.clerk_test(command text, expected text, what text) RETURNS text LANGUAGE sql AS $$
	SELECT is(pg_temp.as_clerk(command), expected, what)
$$;
INSERT INTO cloud.networks (id) VALUES (11), (12), (13);
INSERT INTO cloud.instances (id) VALUES (11), (12);
INSERT INTO cloud.nics (id, network_id, instance_id) VALUES (11, 11, 11), (12, 12, 12);
DISCARD PLANS;
SELECT pg_temp.clerk_test('UPDATE desk.networks SET removed = now() WHERE id = 11', '23503 network_in_use', 'a network in use is refused as such');
DISCARD PLANS;
SELECT pg_temp.clerk_test('UPDATE desk.instances SET removed = now() WHERE id = 11', '23503 instance_in_use', 'an instance too');
DISCARD PLANS;
SELECT pg_temp.clerk_test('INSERT INTO desk.nics (id, network_id, instance_id) VALUES (13, 13, 12)', 'done', 'a NIC is added');
DISCARD PLANS;
SELECT pg_temp.clerk_test('UPDATE desk.nics SET state = ''Reserving'' WHERE id = 13', 'done', 'moved');
SELECT pg_temp.clerk_test('UPDATE desk.nics SET state = ''Deallocating'', removed = now() WHERE id IN (11, 12, 13)', 'done', 'removed');
DISCARD PLANS;
SELECT pg_temp.clerk_test('UPDATE desk.networks SET removed = now() WHERE id = 13', 'done', 'and then its network');
DISCARD PLANS;
SELECT pg_temp.clerk_test('UPDATE desk.instances SET removed = now() WHERE id = 11', 'done', 'and its instance');
SELECT pg_temp.clerk_test('SELECT * FROM vmnet.network_active_instances(1)', '42501', 'but a read is made with the caller''s rights');
SELECT pg_temp.clerk_test('SELECT vmnet.network_in_use(1)', '42501', 'each of them');

-- Where a query only mentions a call, what it reads need not be readable.
SELECT pg_temp.clerk_test('EXPLAIN SELECT CASE WHEN false THEN (SELECT count(*) FROM vmnet.network_active_instances(1)) END', 'done', 'planning a call needs no rights on the inventory');

SELECT * FROM finish();
ROLLBACK;
