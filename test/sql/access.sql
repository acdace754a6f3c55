-- Who may do what: readers, operators, and tenants by policies on the tables.
\set VERBOSITY terse
SET client_min_messages = warning;
CREATE ROLE vmnet_t_owner;
CREATE ROLE vmnet_t_reader;
CREATE ROLE vmnet_t_operator;
CREATE ROLE vmnet_t_stranger;
CREATE ROLE vmnet_t_tenant1;
CREATE ROLE vmnet_t_tenant2;
SELECT format('GRANT CREATE ON DATABASE %I TO vmnet_t_owner', current_database()) \gexec
CREATE FUNCTION public.attempt(command text) RETURNS text
LANGUAGE plpgsql AS $$
BEGIN
	EXECUTE command;
	RETURN 'ok';
EXCEPTION WHEN OTHERS THEN
	RETURN SQLSTATE || ' ' || SQLERRM;
END
$$;
-- every privilege in the two schemas, but those of the owner
CREATE FUNCTION public.grants() RETURNS TABLE (grantee text, object text, privileges text)
LANGUAGE sql AS $$
	SELECT pg_get_userbyid(a.grantee)::text, x.object, string_agg(a.privilege_type || CASE WHEN a.is_grantable THEN '*' ELSE '' END, ',' ORDER BY a.privilege_type)
	FROM (SELECT c.relkind::text || ' ' || c.oid::regclass::text AS object, c.relacl, c.relowner FROM pg_class c
			WHERE c.relnamespace IN (SELECT oid FROM pg_namespace WHERE nspname IN ('cloud', 'cloud_report', 'tenants'))
		UNION ALL SELECT 'schema ' || n.nspname, n.nspacl, n.nspowner FROM pg_namespace n WHERE n.nspname IN ('cloud', 'cloud_report', 'tenants', 'vmnet')
		UNION ALL SELECT 'column ' || a.attrelid::regclass::text, a.attacl, 0::oid FROM pg_attribute a WHERE a.attacl IS NOT NULL
			AND a.attrelid IN (SELECT c.oid FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE n.nspname IN ('cloud', 'cloud_report'))) x (object, acl, owner)
		CROSS JOIN LATERAL aclexplode(x.acl) a
	WHERE a.grantee <> x.owner AND a.grantee <> 0
	GROUP BY 1, 2
$$;
SET ROLE vmnet_t_owner;
SELECT vmnet.create_inventory('cloud');
INSERT INTO cloud.networks (name, account_id, cidr) VALUES ('one', 1, '10.1.1.0/24'), ('two', 2, '10.1.1.0/24'), ('two-b', 2, NULL);
INSERT INTO cloud.instances (name, account_id, state) VALUES ('a', 1, 'Running'), ('b', 2, 'Running'), ('c', 2, 'Stopped');
INSERT INTO cloud.nics (instance_id, network_id, ip4_address) VALUES (1, 1, '10.1.1.5'), (2, 2, '10.1.1.5'), (3, 2, '10.1.1.6'), (3, 3, NULL);
INSERT INTO cloud.nics (network_id, strategy, ip4_address) VALUES (1, 'PlaceHolder', '10.1.1.9'), (2, 'PlaceHolder', '10.1.1.9');
INSERT INTO cloud.nic_secondary_ips (nic_id, network_id, ip4_address) VALUES (1, 1, '10.1.1.77'), (2, 2, '10.1.1.77');
UPDATE cloud.nics SET state = 'Reserving' WHERE id IN (1, 2);
UPDATE cloud.nics SET ip4_address = '10.1.1.8' WHERE id IN (1, 2);
UPDATE cloud.nics SET state = 'Deallocating' WHERE id = 4;

-- Refused: nothing to read, an unknown role, access or inventory, somebody else.
SELECT attempt($$SELECT vmnet.grant_access('cloud', 'vmnet_t_reader', 'reader')$$);
SELECT vmnet.create_report('cloud');
SELECT vmnet.create_report('cloud', 'tenants', true);
SELECT attempt($$SELECT vmnet.grant_access('cloud', 'vmnet_t_nobody', 'reader')$$);
SELECT attempt($$SELECT vmnet.revoke_access('cloud', 'vmnet_t_nobody', 'reader')$$);
SELECT attempt($$SELECT vmnet.grant_access('cloud', 'public', 'reader')$$);
SELECT attempt($$SELECT vmnet.grant_access('cloud', NULL, 'reader')$$);
SELECT attempt($$SELECT vmnet.grant_access('cloud', 'vmnet_t_reader', 'admin')$$);
SELECT attempt($$SELECT vmnet.revoke_access('cloud', 'vmnet_t_reader', NULL)$$);
SELECT attempt($$SELECT vmnet.grant_access('nowhere', 'vmnet_t_reader', 'reader')$$);
SELECT attempt($$SELECT vmnet.revoke_access('nowhere', 'vmnet_t_reader', 'reader')$$);
RESET ROLE;
SET ROLE vmnet_t_stranger;
SELECT attempt($$SELECT vmnet.grant_access('cloud', 'vmnet_t_stranger', 'reader')$$);
SELECT attempt($$SELECT vmnet.revoke_access('cloud', 'vmnet_t_reader', 'reader')$$);
SELECT attempt($$SELECT vmnet.create_report('cloud', 'mine')$$);
RESET ROLE;
SELECT * FROM grants();

-- What is granted, and that a revoke takes back just that.
SET ROLE vmnet_t_owner;
GRANT SELECT ON cloud.inventory_info TO vmnet_t_stranger;
SELECT vmnet.grant_access('cloud', 'vmnet_t_reader', 'reader');
SELECT vmnet.grant_access('cloud', 'vmnet_t_operator', 'operator');
RESET ROLE;
SELECT grantee, privileges, count(*), CASE WHEN privileges <> 'SELECT' THEN string_agg(object, ', ' ORDER BY object COLLATE "C") END AS objects
FROM grants() GROUP BY 1, 2 ORDER BY 1, 2;
SELECT object FROM grants() WHERE grantee = 'vmnet_t_operator' AND privileges = 'SELECT' ORDER BY object COLLATE "C";
SET ROLE vmnet_t_owner;
SELECT vmnet.grant_access('cloud', 'vmnet_t_operator', 'reader');
SELECT vmnet.revoke_access('cloud', 'vmnet_t_operator', 'operator');
SELECT grantee, object LIKE '%cloud_report%' AS report, count(*) FROM grants() GROUP BY 1, 2 ORDER BY 1, 2;
SELECT vmnet.revoke_access('cloud', 'vmnet_t_operator', 'reader');
SELECT vmnet.revoke_access('cloud', 'vmnet_t_reader', 'reader');
-- a second time does no harm
SELECT vmnet.revoke_access('cloud', 'vmnet_t_reader', 'reader');
SELECT * FROM grants();
SELECT vmnet.grant_access('cloud', 'vmnet_t_reader', 'reader');
SELECT vmnet.grant_access('cloud', 'vmnet_t_operator', 'operator');
RESET ROLE;

-- A reader reads every reporting view, and nothing else.
SET ROLE vmnet_t_reader;
SELECT count(*) FILTER (WHERE attempt(format('SELECT * FROM cloud_report.%I', view_name)) = 'ok') AS readable, count(*)
FROM cloud_report.data_dictionary WHERE column_name IS NULL;
SELECT network_id, active_instances, placeholders FROM cloud_report.network_counts ORDER BY 1;
SELECT attempt('SELECT * FROM cloud.all_nics');
SELECT attempt('SELECT * FROM cloud.networks');
SELECT attempt('SELECT * FROM tenants.networks');
SELECT attempt('SELECT * FROM vmnet.network_active_instances(1)');
SELECT attempt('SELECT * FROM vmnet.check_inventory()');
SELECT attempt('SELECT vmnet.nic_remove(1)');
SELECT attempt('SELECT * FROM vmnet.repair_inventory(''cloud'', dry_run => false)');
SELECT attempt('UPDATE cloud_report.networks SET network_name = ''x''');
SELECT attempt('INSERT INTO cloud_report.networks (network_id) VALUES (99)');
SELECT attempt('CREATE TABLE cloud_report.t ()');
-- a condition that tells on what it sees comes after those of the view
CREATE FUNCTION pg_temp.tell(bigint, timestamptz) RETURNS boolean LANGUAGE plpgsql COST 0.0000001 AS $$ BEGIN RAISE NOTICE 'NIC %', $1; RETURN true; END $$;
SET client_min_messages = notice;
SELECT count(*) FROM cloud_report.nics WHERE pg_temp.tell(nic_id, created) AND nic_id > 3;
SET client_min_messages = warning;
RESET ROLE;

-- An operator reads, adds, changes, removes and operates; deletes no row of a table, and writes no history.
SET ROLE vmnet_t_operator;
SELECT attempt('SELECT * FROM vmnet.network_active_instances(1)');
SELECT attempt('INSERT INTO cloud.networks (name, account_id, cidr) VALUES (''op'', 1, ''10.9.9.0/24'')');
SELECT attempt('INSERT INTO cloud.all_instances (name, account_id) VALUES (''op'', 1)');
SELECT attempt('SELECT vmnet.nic_add((SELECT id FROM cloud.instances WHERE name = ''op''), (SELECT id FROM cloud.networks WHERE name = ''op''))');
SELECT attempt('SELECT vmnet.nic_event(max(id), ''ReservationRequested'') FROM cloud.nics');
SELECT attempt('SELECT vmnet.nic_event(max(id), ''OperationCompleted'') FROM cloud.nics');
SELECT attempt('SELECT vmnet.nic_set_ip(max(id), ''10.9.9.9'') FROM cloud.nics');
SELECT attempt('INSERT INTO cloud.nic_secondary_ips (nic_id, network_id, ip4_address) SELECT id, network_id, ''10.9.9.10'' FROM cloud.nics ORDER BY id DESC LIMIT 1');
SELECT attempt('SELECT vmnet.nic_remove(max(id), true) FROM cloud.nics');
SELECT attempt('SELECT vmnet.instance_expunge(id) FROM cloud.instances WHERE name = ''op''');
SELECT attempt('SELECT vmnet.network_remove(id) FROM cloud.networks WHERE name = ''op''');
SELECT count(*) AS recorded FROM cloud.nic_history WHERE session_username = session_user AND nic_id = (SELECT max(id) FROM cloud.all_nics);
SELECT count(*) AS removed_with_it FROM cloud.all_nic_secondary_ips WHERE ip4_address = '10.9.9.10' AND removed IS NOT NULL;
SELECT attempt('SELECT * FROM vmnet.check_inventory(''cloud'')'), attempt('SELECT * FROM vmnet.nic_timeline(1)'), attempt('SELECT * FROM cloud.nic_address_intervals');
SELECT attempt('DELETE FROM cloud.nic_secondary_ips'), attempt('DELETE FROM cloud.all_nics'), attempt('TRUNCATE cloud.all_networks');
-- on the live views DELETE is the removal
BEGIN;
INSERT INTO cloud.networks (name, account_id) VALUES ('deleted', 1);
INSERT INTO cloud.instances (name, account_id) VALUES ('deleted', 1);
INSERT INTO cloud.nics (instance_id, network_id) SELECT i.id, w.id FROM cloud.instances i, cloud.networks w WHERE i.name = 'deleted' AND w.name = 'deleted';
SELECT attempt('DELETE FROM cloud.networks WHERE name = ''deleted''');
SELECT attempt('DELETE FROM cloud.instances WHERE name = ''deleted''');
SELECT attempt('DELETE FROM cloud.nics n USING cloud.instances i WHERE i.id = n.instance_id AND i.name = ''deleted''');
SELECT attempt('DELETE FROM cloud.instances WHERE name = ''deleted'''), attempt('DELETE FROM cloud.networks WHERE name = ''deleted''');
SELECT (SELECT count(*) FROM cloud.all_instances WHERE name = 'deleted' AND removed IS NOT NULL) AS instances,
	(SELECT count(*) FROM cloud.all_networks WHERE name = 'deleted' AND removed IS NOT NULL) AS networks;
ROLLBACK;
SELECT attempt('INSERT INTO cloud.nic_history (nic_id, network_id, from_state, event) VALUES (1, 1, ''a'', ''b'')'),
	attempt('UPDATE cloud.nic_history SET reason = ''x'''), attempt('DELETE FROM cloud.nic_address_history');
SELECT attempt('ALTER TABLE cloud.all_nics DISABLE TRIGGER ALL'), attempt('SELECT setval(''cloud.all_nics_id_seq'', 1)'), attempt('CALL vmnet.purge_inventory(''cloud'', now())');
SELECT attempt('SELECT * FROM cloud_report.networks');
RESET ROLE;

--
-- Tenants: the recipe of doc/recipes.md.  Who is which account is a table.
--
SET ROLE vmnet_t_owner;
CREATE TABLE cloud.tenants (role name PRIMARY KEY, account_id bigint NOT NULL);
INSERT INTO cloud.tenants VALUES ('vmnet_t_tenant1', 1), ('vmnet_t_tenant2', 2);
ALTER TABLE cloud.tenants ENABLE ROW LEVEL SECURITY;
ALTER TABLE cloud.all_networks ENABLE ROW LEVEL SECURITY;
ALTER TABLE cloud.all_instances ENABLE ROW LEVEL SECURITY;
ALTER TABLE cloud.all_nics ENABLE ROW LEVEL SECURITY;
ALTER TABLE cloud.all_nic_secondary_ips ENABLE ROW LEVEL SECURITY;
ALTER TABLE cloud.nic_history ENABLE ROW LEVEL SECURITY;
ALTER TABLE cloud.nic_address_history ENABLE ROW LEVEL SECURITY;
CREATE POLICY own ON cloud.tenants FOR SELECT USING (role = current_user);
CREATE POLICY tenant ON cloud.all_networks FOR SELECT USING
	(account_id = (SELECT t.account_id FROM cloud.tenants t WHERE t.role = current_user));
CREATE POLICY tenant ON cloud.all_instances FOR SELECT USING
	(account_id = (SELECT t.account_id FROM cloud.tenants t WHERE t.role = current_user));
CREATE POLICY tenant ON cloud.all_nics FOR SELECT USING
	(CASE WHEN instance_id IS NULL THEN EXISTS (SELECT FROM cloud.all_networks w WHERE w.id = network_id)
		ELSE EXISTS (SELECT FROM cloud.all_instances i WHERE i.id = instance_id) END);
CREATE POLICY tenant ON cloud.all_nic_secondary_ips FOR SELECT USING
	(EXISTS (SELECT FROM cloud.all_nics n WHERE n.id = nic_id));
CREATE POLICY tenant ON cloud.nic_history FOR SELECT USING
	(EXISTS (SELECT FROM cloud.all_nics n WHERE n.id = nic_id));
CREATE POLICY tenant ON cloud.nic_address_history FOR SELECT USING
	(EXISTS (SELECT FROM cloud.all_nics n WHERE n.id = nic_id));
GRANT USAGE ON SCHEMA cloud, tenants TO vmnet_t_tenant1, vmnet_t_tenant2;
GRANT SELECT ON ALL TABLES IN SCHEMA cloud, tenants TO vmnet_t_tenant1, vmnet_t_tenant2;
RESET ROLE;

-- Every live view of the inventory, tenant report view and read function: what
-- each tenant sees, row by row, and whether any row is seen by both.
CREATE TABLE public.seen (who name, what text, row jsonb);
CREATE FUNCTION public.look() RETURNS void
LANGUAGE plpgsql AS $$
DECLARE
	target text;
BEGIN
	FOR target IN
		SELECT format('%I.%I', n.nspname, c.relname) FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
		WHERE n.nspname IN ('cloud', 'tenants') AND c.relkind IN ('v', 'r')
			AND c.relname NOT IN ('inventory_info', 'data_dictionary')
		UNION ALL SELECT unnest(ARRAY[
			'generate_series(1, 5) g, vmnet.network_active_instances(g)', 'generate_series(1, 5) g, vmnet.network_active_nics(g)',
			'generate_series(1, 5) g, vmnet.instance_active_networks(g)', 'generate_series(1, 5) g, vmnet.network_instances_as_of(g, now())',
			'generate_series(1, 9) g, vmnet.nic_timeline(g)', 'vmnet.ip_holders(''10.1.1.0/24'')', 'vmnet.nic_changes_since()',
			'vmnet.nics_stuck_for(''0'')', 'vmnet.check_inventory()', 'generate_series(1, 5) g, vmnet.network_blockers(g)',
			'generate_series(1, 5) g, vmnet.instance_blockers(g)', 'vmnet.vpc_active_instances(1)', 'vmnet.mac_holders(''00:00:00:00:00:01'')',
			'(SELECT g, vmnet.network_active_instance_count(g) AS c FROM generate_series(1, 5) g OFFSET 0) x WHERE c > 0',
			'(SELECT g, vmnet.network_in_use(g) AS c FROM generate_series(1, 5) g OFFSET 0) x WHERE c',
			'(SELECT vmnet.network_id(uuid) AS id FROM public.uuids OFFSET 0) x WHERE id IS NOT NULL'])
	LOOP
		EXECUTE format('INSERT INTO public.seen SELECT current_user, %L, (to_jsonb(x) - ''next_cursor'') FROM (SELECT * FROM %s) x', target, target);
	END LOOP;
END
$$;
CREATE TABLE public.uuids AS SELECT uuid FROM cloud.all_networks;
GRANT SELECT ON public.uuids TO PUBLIC;
GRANT SELECT, INSERT ON public.seen TO PUBLIC;
UPDATE cloud.nics SET mac_address = '00:00:00:00:00:01' WHERE id IN (1, 2);
UPDATE cloud.networks SET vpc_id = 1, nics_count = 9 WHERE id IN (1, 2);
ALTER TABLE cloud.all_nics DISABLE TRIGGER USER;
UPDATE cloud.all_nics SET state_changed = now() - interval '1 hour' WHERE id IN (1, 2);
ALTER TABLE cloud.all_nics ENABLE TRIGGER USER;
-- One session, and plans that were kept from the tenant before.
SET ROLE vmnet_t_tenant1;
SELECT look();
RESET ROLE;
SET ROLE vmnet_t_tenant2;
SELECT look();
RESET ROLE;
SET ROLE vmnet_t_tenant1;
SELECT look();
RESET ROLE;
SELECT what, count(*) FILTER (WHERE who = 'vmnet_t_tenant1') / 2 AS tenant1, count(*) FILTER (WHERE who = 'vmnet_t_tenant2') AS tenant2
FROM public.seen GROUP BY what ORDER BY what COLLATE "C";
SELECT what, row FROM public.seen WHERE who = 'vmnet_t_tenant1' INTERSECT SELECT what, row FROM public.seen WHERE who = 'vmnet_t_tenant2';
-- the third look saw what the first one saw
SELECT what, row, count(*) FROM public.seen WHERE who = 'vmnet_t_tenant1' AND what NOT LIKE '%stuck%' AND what NOT LIKE '%interval%'
	AND what NOT LIKE '%as_of%' GROUP BY 1, 2 HAVING count(*) % 2 <> 0;
-- nobody reads through the report that shows all, and the reader still sees all
SELECT DISTINCT who, what FROM public.seen WHERE what LIKE 'cloud_report%';
SET ROLE vmnet_t_tenant1;
SELECT attempt('SELECT * FROM cloud_report.networks');
SELECT attempt('INSERT INTO cloud.networks (name) VALUES (''x'')'), attempt('SELECT vmnet.nic_remove(1)');
-- prepared by one, run as the other
PREPARE members AS SELECT network_id, instance_id FROM tenants.network_instances UNION SELECT 1, instance_id FROM vmnet.network_active_instances(1) ORDER BY 1, 2;
SET plan_cache_mode = force_generic_plan;
EXECUTE members;
SET ROLE vmnet_t_tenant2;
EXECUTE members;
SET ROLE vmnet_t_tenant1;
EXECUTE members;
RESET ROLE;
RESET plan_cache_mode;
SET ROLE vmnet_t_reader;
SELECT count(*) FROM cloud_report.networks;
RESET ROLE;
-- The guards look past the policies: a network that a tenant cannot see into is still in use.
SELECT attempt('UPDATE cloud.networks SET removed = now() WHERE id = 2');

DROP OWNED BY vmnet_t_owner, vmnet_t_reader, vmnet_t_operator, vmnet_t_stranger, vmnet_t_tenant1, vmnet_t_tenant2 CASCADE;
DROP ROLE vmnet_t_owner, vmnet_t_reader, vmnet_t_operator, vmnet_t_stranger, vmnet_t_tenant1, vmnet_t_tenant2;
DROP TABLE public.seen, public.uuids;
DROP FUNCTION public.attempt(text), public.grants(), public.look();
SELECT name FROM vmnet.inventories;
