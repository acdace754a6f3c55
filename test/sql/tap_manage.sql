-- manage_inventory(): what comes out is what create_inventory() makes, with
-- every guard armed; what a rule would refuse is named; the past stays.
\i test/tap/setup.psql
SELECT plan(125);

--
-- A source whose rows no rule minds, unless a test spoils them
--
SET LOCAL client_min_messages = warning;
CREATE SCHEMA source;
CREATE TABLE source.networks (id bigint, uuid text, name text, state text, traffic_type text, guest_type text, cidr text, created text, removed text);
CREATE TABLE source.vm_instance (id bigint, uuid text, name text, state text, type text, created text, removed text);
CREATE TABLE source.nics (id bigint, uuid text, instance_id bigint, network_id bigint, state text, strategy text, vm_type text, device_id int, default_nic smallint,
	mac_address text, ip4_address text, ip6_address text, created text, removed text);
INSERT INTO source.networks SELECT g, 'a0000000-0000-0000-0000-00000000000' || g, 'n' || g, 'Implemented', 'Guest', 'Isolated', '10.0.0.0/8', '2025-01-01 00:00:00' FROM generate_series(1, 4) g;
INSERT INTO source.vm_instance SELECT g, 'b0000000-0000-0000-0000-00000000000' || g, 'i' || g, 'Running', 'User', '2025-01-01 00:00:00' FROM generate_series(1, 6) g;
UPDATE source.vm_instance SET type = 'DomainRouter' WHERE id = 5;
UPDATE source.vm_instance SET state = 'Expunging', removed = '2025-06-01 00:00:00' WHERE id = 6;
INSERT INTO source.nics VALUES
	(1, 'c0000000-0000-0000-0000-000000000001', 1, 1, 'Reserved', 'Start', 'User', 0, 1, '02:00:00:00:00:01', '10.0.0.1', 'fd00::1', '2025-01-01 00:00:00'),
	(2, 'c0000000-0000-0000-0000-000000000002', 1, 2, 'Allocated', 'Start', 'User', 1, 0, '02:00:00:00:00:02', '10.0.0.2', NULL, '2025-01-01 00:00:00'),
	(3, 'c0000000-0000-0000-0000-000000000003', 2, 1, 'Releasing', 'Start', 'User', 0, 1, '02:00:00:00:00:03', '10.0.0.3', NULL, '2025-01-01 00:00:00'),
	(4, 'c0000000-0000-0000-0000-000000000004', 3, 2, 'Reserved', 'Create', 'User', 0, 1, '02:00:00:00:00:04', '10.0.0.4', NULL, '2025-01-01 00:00:00'),
	(5, 'c0000000-0000-0000-0000-000000000005', 5, 1, 'Reserved', 'Start', 'DomainRouter', 0, 1, '02:00:00:00:00:05', '10.0.0.5', NULL, '2025-01-01 00:00:00'),
	(6, 'c0000000-0000-0000-0000-000000000006', NULL, 1, 'Reserved', 'PlaceHolder', 'DomainRouter', NULL, 0, NULL, '10.0.0.6', NULL, '2025-01-01 00:00:00'),
	(7, 'c0000000-0000-0000-0000-000000000007', 4, 3, 'Allocated', 'Start', 'User', 0, 1, '02:00:00:00:00:01', '10.0.0.1', NULL, '2025-01-01 00:00:00'),
	(8, 'c0000000-0000-0000-0000-000000000008', 6, 3, 'Deallocating', 'Start', 'User', 0, 1, '02:00:00:00:00:08', '10.0.0.8', NULL, '2025-01-01 00:00:00');
UPDATE source.nics SET removed = '2025-05-01 00:00:00' WHERE id = 8;
CALL vmnet.import_cloudstack('source', 'm');
SELECT is_empty($$SELECT * FROM vmnet.manage_blockers('m')$$, 'nothing is in the way of the mirror that the tests spoil');

--
-- What is in the way: each spoils one thing
--
-- What manage_inventory() says after a statement, undone again: what is listed,
-- what is refused without repair, and with it ("done" where it is not).
CREATE FUNCTION outcome(statement text, young boolean DEFAULT false, OUT listed text, OUT plain text, OUT repaired text) LANGUAGE plpgsql AS $$
DECLARE
	repair boolean;
	said text;
	named text;
BEGIN
	EXECUTE statement;
	CALL vmnet.import_cloudstack('source', 'm');
	-- what the import has just seen has been so for long
	SET LOCAL session_replication_role = replica;
	UPDATE m.all_nics SET state_changed = created WHERE NOT young AND NOT active AND removed IS NULL;
	SET LOCAL session_replication_role = origin;
	SELECT string_agg(format('%s %s %s%s', b.code, b.object_type, b.object_id, CASE WHEN b.mendable THEN ' mendable' ELSE '' END), ', ' ORDER BY b.code COLLATE "C", b.object_id)
	INTO listed FROM vmnet.manage_blockers('m') b;
	FOREACH repair IN ARRAY ARRAY[false, true] LOOP
		BEGIN
			PERFORM vmnet.manage_inventory('m', repair);
			SELECT 'done' || string_agg(format(', %s is left: %s', f.code, f.message), '') INTO said FROM vmnet.check_inventory('m', '0') f WHERE f.severity = 'error';
			RAISE SQLSTATE 'VM000';
		EXCEPTION
			WHEN SQLSTATE 'VM000' THEN said := coalesce(said, 'done');
			WHEN OTHERS THEN
				GET STACKED DIAGNOSTICS said = PG_EXCEPTION_DETAIL, named = CONSTRAINT_NAME;
				IF SQLSTATE <> '23514' OR named <> 'manage_without_findings' THEN
					said := SQLSTATE || ' ' || SQLERRM;
				END IF;
		END;
		IF repair THEN repaired := said; ELSE plain := said; END IF;
	END LOOP;
	RAISE SQLSTATE 'VM001';
EXCEPTION
	WHEN SQLSTATE 'VM001' THEN RETURN;
END $$;

CREATE FUNCTION refused(statement text, findings text, message text, what text) RETURNS SETOF text LANGUAGE sql AS $$
	SELECT is(o.listed || ' / ' || o.plain || ' / ' || o.repaired, format('%s / %s / %s', findings, message, message), what) FROM outcome(statement) o
$$;
CREATE FUNCTION settled(statement text, findings text, message text, what text) RETURNS SETOF text LANGUAGE sql AS $$
	SELECT is(coalesce(o.listed, '') || ' / ' || o.plain || ' / ' || o.repaired, format('%s / %s / done', findings, message), what) FROM outcome(statement) o
$$;

SELECT settled('', '', 'done', 'a mirror without contradictions');
-- what is filled in whether or not repair is asked for
SELECT settled('UPDATE source.nics SET uuid = NULL, default_nic = NULL; UPDATE source.networks SET uuid = NULL; UPDATE source.vm_instance SET uuid = NULL', '', 'done', 'missing uuids and defaults');
-- what no rule minds
SELECT settled('UPDATE source.nics SET ip4_address = ''192.0.2.1'' WHERE id = 1; UPDATE source.nics SET state = ''Reserving'' WHERE id = 2', '', 'done', 'an address outside the network, a stuck NIC');
SELECT settled('UPDATE source.nics SET mac_address = ''02:00:00:00:00:05'', ip4_address = ''10.0.0.5'' WHERE id = 6', '', 'done', 'a router and its placeholder share an address');
-- what is mended, if that is wanted
SELECT settled('UPDATE source.nics SET state = ''Deallocating'', ip4_address = NULL, ip6_address = NULL WHERE id = 1',
	'half_removed_nic nic 1 mendable', 'half_removed_nic (1): NIC 1.', 'a half-removed NIC without an address');
SELECT settled('UPDATE source.vm_instance SET state = ''Stopped'' WHERE id = 1; UPDATE source.nics SET state = ''Deallocating'' WHERE id = 1',
	'half_removed_nic nic 1 mendable', 'half_removed_nic (1): NIC 1.', 'a half-removed NIC of a stopped instance');
SELECT settled('UPDATE source.vm_instance SET removed = ''2025-06-01 00:00:00'' WHERE id = 1',
	'live_nic_on_removed_instance nic 1 mendable, live_nic_on_removed_instance nic 2 mendable', 'live_nic_on_removed_instance (2): NIC 1, NIC 2.', 'NICs of a removed instance');
SELECT settled('UPDATE source.nics SET default_nic = 1 WHERE id = 2', 'default_nic_double instance 1 mendable', 'default_nic_double (1): instance 1.', 'two defaults');
SELECT settled('UPDATE source.vm_instance SET removed = ''2025-06-01 00:00:00'' WHERE id = 1; UPDATE source.nics SET ip4_address = ''10.0.0.1'' WHERE id = 3',
	'duplicate_live_ip4 nic 1 mendable, duplicate_live_ip4 nic 3, live_nic_on_removed_instance nic 1 mendable, live_nic_on_removed_instance nic 2 mendable',
	E'live_nic_on_removed_instance (2): NIC 1, NIC 2.\nduplicate_live_ip4 (2): NIC 1, NIC 3.', 'a duplicate of a NIC whose instance is removed goes with that');
SELECT is((outcome('UPDATE source.nics SET state = ''Deallocating'' WHERE id = 1', true)).plain, 'done, half_removed_nic is left: NIC 1 of instance 1 on network 1 is half-removed: Deallocating, but not removed; its address 10.0.0.1 may still be in use',
	'a removal that has begun just now is let go on');
-- what is not
SELECT refused('UPDATE source.nics SET state = ''Deallocating'' WHERE id = 1', 'half_removed_nic nic 1', 'half_removed_nic (1): NIC 1.', 'a half-removed NIC of a running instance');
SELECT is((outcome('UPDATE source.nics SET state = ''deallocating'', ip4_address = NULL, ip6_address = NULL WHERE id = 1')).repaired,
	E'half_removed_nic (1): NIC 1.\nunknown_state (1): NIC 1.', 'a half-removed NIC that is spelled differently');
SELECT is((outcome('UPDATE source.vm_instance SET removed = ''2025-06-01 00:00:00'' WHERE id = 1; UPDATE source.nics SET strategy = NULL WHERE id = 1')).repaired,
	E'live_nic_on_removed_instance (1): NIC 1.\nmissing_strategy (1): NIC 1.', 'a NIC that the guards do not let go');
SELECT refused('UPDATE source.networks SET removed = ''2025-06-01 00:00:00'' WHERE id = 3', 'live_nic_on_removed_network nic 7', 'live_nic_on_removed_network (1): NIC 7.', 'a NIC on a removed network');
SELECT refused('UPDATE source.nics SET state = ''Reserved'' WHERE id = 8', 'removed_nic_wrong_state nic 8', 'removed_nic_wrong_state (1): NIC 8.', 'a removed NIC in another state');
SELECT refused('UPDATE source.nics SET state = ''reserved'' WHERE id = 1', 'unknown_state nic 1', 'unknown_state (1): NIC 1.', 'a state spelled differently');
SELECT refused('UPDATE source.nics SET state = ''deallocating'' WHERE id = 8', 'unknown_state nic 8', 'unknown_state (1): NIC 8.', 'also of a removed NIC');
SELECT refused('UPDATE source.nics SET mac_address = ''02:00:00:00:00:01'' WHERE id = 3', 'duplicate_live_mac nic 1, duplicate_live_mac nic 3', 'duplicate_live_mac (2): NIC 1, NIC 3.', 'a MAC address twice');
SELECT refused('UPDATE source.nics SET ip4_address = ''10.0.0.1'' WHERE id = 3', 'duplicate_live_ip4 nic 1, duplicate_live_ip4 nic 3', 'duplicate_live_ip4 (2): NIC 1, NIC 3.', 'an IPv4 address twice');
SELECT refused('UPDATE source.nics SET ip6_address = ''fd00::1'' WHERE id = 3', 'duplicate_live_ip6 nic 1, duplicate_live_ip6 nic 3', 'duplicate_live_ip6 (2): NIC 1, NIC 3.', 'an IPv6 address twice');
SELECT refused('UPDATE source.nics SET ip4_address = ''10.0.0.6'' WHERE id = 3', 'user_ip_held_by_other nic 3', 'user_ip_held_by_other (1): NIC 3.', 'an address that a placeholder holds');
SELECT refused('UPDATE source.nics SET device_id = 0 WHERE id = 2', 'duplicate_device_id nic 1, duplicate_device_id nic 2', 'duplicate_device_id (2): NIC 1, NIC 2.', 'a device twice');
SELECT refused('UPDATE source.nics SET device_id = 0, mac_address = ''02:00:00:00:00:01'' WHERE id = 2', 'all_nics_one_device nic 1, all_nics_one_device nic 2', 'all_nics_one_device (2): NIC 1, NIC 2.', 'a device in a network migration, which the check lets pass');
SELECT refused('UPDATE source.nics SET network_id = 1 WHERE id = 2', 'all_nics_one_per_network nic 1, all_nics_one_per_network nic 2', 'all_nics_one_per_network (2): NIC 1, NIC 2.', 'two NICs of an instance on one network');
SELECT refused('UPDATE source.nics SET strategy = ''Other'' WHERE id = 8', 'nic_strategy_valid nic 8', 'nic_strategy_valid (1): NIC 8.', 'an unknown strategy, of a removed NIC too');
SELECT refused('UPDATE source.nics SET strategy = NULL WHERE id = 1', 'missing_strategy nic 1', 'missing_strategy (1): NIC 1.', 'no strategy');
SELECT refused('UPDATE source.nics SET vm_type = NULL WHERE id = 1', 'missing_vm_type nic 1', 'missing_vm_type (1): NIC 1.', 'no vm_type');
SELECT refused('UPDATE source.vm_instance SET type = NULL WHERE id = 1', 'missing_type instance 1', 'missing_type (1): instance 1.', 'no type of an instance');
SELECT refused('UPDATE source.networks SET traffic_type = NULL WHERE id = 1', 'missing_traffic_type network 1', 'missing_traffic_type (1): network 1.', 'no traffic type');
SELECT refused('UPDATE source.networks SET guest_type = ''isolated'' WHERE id = 1', 'network_guest_type_valid network 1', 'network_guest_type_valid (1): network 1.', 'an unknown type of network');
SELECT refused('UPDATE source.nics SET instance_id = NULL WHERE id = 1', 'nic_instance_required nic 1', 'nic_instance_required (1): NIC 1.', 'a NIC of no instance that is no placeholder');
SELECT refused('UPDATE source.nics SET ip4_address = ''10.0.0.1/24'' WHERE id = 1', 'nic_ip4_address_valid nic 1', 'nic_ip4_address_valid (1): NIC 1.', 'an address with a prefix');
SELECT refused('UPDATE source.nics SET ip4_address = ''fd00::9'' WHERE id = 1', 'nic_ip4_address_valid nic 1', 'nic_ip4_address_valid (1): NIC 1.', 'an address of the other family');
SELECT refused('UPDATE source.nics SET ip6_address = ''fd00::1/64'' WHERE id = 1', 'nic_ip6_address_valid nic 1', 'nic_ip6_address_valid (1): NIC 1.', 'an IPv6 address with a prefix');
SELECT refused('UPDATE source.nics SET ip6_address = ''10.0.0.77'' WHERE id = 1', 'nic_ip6_address_valid nic 1', 'nic_ip6_address_valid (1): NIC 1.', 'an IPv6 address of the other family');
-- times that are no time are changed by the import
SELECT settled('ALTER TABLE source.nics ALTER removed TYPE timestamptz USING removed::timestamptz; UPDATE source.nics SET removed = ''infinity'' WHERE id = 8', '', 'done', 'a NIC removed at no time');
SELECT settled('ALTER TABLE source.vm_instance ALTER removed TYPE timestamptz USING removed::timestamptz; UPDATE source.vm_instance SET removed = ''infinity'' WHERE id = 6', '', 'done', 'an instance');
SELECT settled('ALTER TABLE source.networks ALTER removed TYPE timestamptz USING removed::timestamptz; UPDATE source.networks SET removed = ''-infinity'' WHERE id = 4', '', 'done', 'a network');
SELECT settled('ALTER TABLE source.nics ALTER created TYPE timestamptz USING created::timestamptz; UPDATE source.nics SET created = ''infinity'' WHERE id = 8', '', 'done', 'a NIC made at no time');
SELECT settled('ALTER TABLE source.vm_instance ALTER created TYPE timestamptz USING created::timestamptz; UPDATE source.vm_instance SET created = ''infinity'' WHERE id = 6', '', 'done', 'an instance');
SELECT settled('ALTER TABLE source.networks ALTER created TYPE timestamptz USING created::timestamptz; UPDATE source.networks SET created = ''-infinity'' WHERE id = 4', '', 'done', 'a network');
-- guards first
SELECT refused('ALTER TABLE m.all_nics DISABLE TRIGGER no_hard_delete', 'guard_disabled inventory ', 'guard_disabled (1): guard no_hard_delete of m.all_nics is disabled.', 'a guard that is disabled');
SELECT refused('ALTER TABLE m.all_nics DISABLE TRIGGER mirror_guard', 'guard_disabled inventory ', 'guard_disabled (1): guard mirror_guard of m.all_nics is disabled.', 'also one that would go');
-- more than five
SELECT is((outcome('UPDATE source.nics SET vm_type = NULL')).repaired, 'missing_vm_type (8): NIC 1, NIC 2, NIC 3, NIC 4, NIC 5 and 3 more.', 'up to five are named');
-- of every rule of the definition there is such a test, or a code of check_inventory()
SELECT set_eq($$SELECT o.name FROM vmnet_internal.inventory_objects('managed') o WHERE o.phase = 'rules' AND o.sort <> 'not null'$$,
	ARRAY['network_created_finite', 'instance_created_finite', 'nic_created_finite', 'secondary_ip_created_finite', 'network_guest_type_valid', 'network_removed_finite', 'instance_removed_finite', 'nic_state_valid', 'nic_strategy_valid', 'nic_removed_is_deallocating', 'nic_removed_finite',
		'nic_default_nic_present', 'nic_instance_required', 'nic_ip4_address_valid', 'nic_ip6_address_valid', 'all_nics_one_per_network', 'all_nics_one_default', 'all_nics_one_device', 'all_nics_one_mac', 'all_nics_one_ip4', 'all_nics_one_ip6',
		-- a mirror has no such addresses, as read_inet() and the import make them
		'ip_range_removed_finite', 'ip_range_valid', 'ip_address_removed_finite', 'ip_address_valid',
		-- those are tested in secondary_ips.sql
		'secondary_ip_present', 'secondary_ip_removed_finite', 'secondary_ip4_address_valid', 'secondary_ip6_address_valid', 'all_nic_secondary_ips_one_ip4', 'all_nic_secondary_ips_one_ip6'], 'these are the rules; a new one needs a test here');
SELECT matches(vmnet_internal.manage_rules_query('m'), 'nic_strategy_valid.*all_nics_one_device', 'and each is a part of the query');
CREATE TEMP TABLE messages AS SELECT ''::text AS message WHERE false;
CREATE FUNCTION message(statement text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	said text;
BEGIN
	EXECUTE statement;
	CALL vmnet.import_cloudstack('source', 'm');
	SELECT string_agg(b.message, E'\n' ORDER BY b.object_id) INTO said FROM vmnet.manage_blockers('m') b;
	RAISE SQLSTATE 'VM001';
EXCEPTION
	WHEN SQLSTATE 'VM001' THEN RETURN said;
END $$;
SELECT is(message('UPDATE source.nics SET strategy = ''Other'' WHERE id = 1'), 'NIC 1 has strategy Other; rule: strategy is one of the four, exactly spelled', 'a message says what was found and what the rule is');
SELECT is(message('UPDATE source.nics SET vm_type = NULL WHERE id = 1'), 'NIC 1 has no vm_type', 'or what is missing');
SELECT is(message('UPDATE source.nics SET instance_id = NULL WHERE id = 1'), 'NIC 1 has instance_id NULL, strategy Start, removed NULL; rule: A held NIC has an instance, unless it is a placeholder', 'or all that the rule is about');
SELECT is(message('UPDATE source.nics SET network_id = 1 WHERE id = 2'), E'NIC 1 has instance_id 1, network_id 1, as has NIC 2; rule: A User instance has at most one active NIC on a network\nNIC 2 has instance_id 1, network_id 1, as has NIC 1; rule: A User instance has at most one active NIC on a network', 'or which other one');

--
-- Who and what is refused
--
SELECT throws_ok($$SELECT vmnet.manage_inventory('nowhere')$$, '22023', 'inventory "nowhere" does not exist', 'an unknown inventory');
SELECT throws_ok($$SELECT vmnet.manage_inventory('source')$$, '22023', 'inventory "source" does not exist', 'a schema that is none');
SELECT throws_ok($$SELECT vmnet.manage_inventory('cloud')$$, '22023', 'inventory "cloud" is not a mirror', 'a managed one');
SELECT throws_ok($$SELECT vmnet.manage_inventory(NULL)$$, '22023', 'inventory "cloud" is not a mirror', 'NULL is the inventory of the setting');
SELECT is_empty($$SELECT * FROM vmnet.manage_blockers('cloud')$$, 'nothing is in the way of one that is managed already');
CREATE ROLE vmnet_manage_other;
CALL vmnet.import_cloudstack('source', 'u');
GRANT USAGE ON SCHEMA u TO vmnet_manage_other;
GRANT ALL ON ALL TABLES IN SCHEMA u TO vmnet_manage_other;
CREATE FUNCTION as_other(statement text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	said text;
BEGIN
	SET LOCAL ROLE vmnet_manage_other;
	EXECUTE statement;
	RESET ROLE;
	RETURN 'done';
EXCEPTION WHEN OTHERS THEN
	GET STACKED DIAGNOSTICS said = PG_EXCEPTION_DETAIL;
	RETURN SQLSTATE || ' ' || SQLERRM || '; ' || said;
END $$;
SELECT is(as_other($$SELECT vmnet.manage_inventory('u')$$), '42501 must be owner of schema u; u.all_instances belongs to somebody else.', 'somebody who may do all else with the tables');
SELECT is(as_other($$SELECT count(*) FROM vmnet.manage_blockers('u')$$), 'done', 'who may only read can look what is in the way');
CREATE TABLE m.child () INHERITS (m.all_nics);
SELECT throws_ok($$SELECT vmnet.manage_inventory('m')$$, '22023', 'mirror "m" cannot become a managed inventory: other tables inherit from its tables', 'tables that inherit');
DROP TABLE m.child;

--
-- What comes out
--
-- All that the catalogs say of an inventory, one line per object, without its
-- name; also the numbers of columns, which a dropped one would shift.
CREATE FUNCTION catalog(inv name) RETURNS SETOF text LANGUAGE sql AS $$
	SELECT replace(x, quote_ident(inv) || '.', '') FROM (
		SELECT concat_ws('|', 'relation', relkind, relname, relowner::regrole, relpersistence, relreplident, relrowsecurity, reloptions, relacl, relchecks, relhastriggers, obj_description(oid, 'pg_class'),
			CASE WHEN relkind = 'v' AND relname <> 'inventory_info' THEN pg_get_viewdef(oid) END)
		FROM pg_class WHERE relnamespace = quote_ident(inv)::regnamespace AND relkind <> 'i'
		UNION ALL
		SELECT concat_ws('|', 'column', relname, attnum, attname, format_type(atttypid, atttypmod), attnotnull, atthasdef, attgenerated, attislocal, attcollation, pg_get_expr(adbin, adrelid), attacl, col_description(attrelid, attnum))
		FROM pg_attribute a JOIN pg_class c ON c.oid = attrelid LEFT JOIN pg_attrdef ON adrelid = attrelid AND adnum = attnum
		WHERE relnamespace = quote_ident(inv)::regnamespace AND relkind IN ('r', 'v') AND attnum > 0
		UNION ALL
		SELECT concat_ws('|', 'depends', relname, adnum, p.deptype, coalesce(b.attname, p.refclassid::regclass::text))
		FROM pg_attrdef d JOIN pg_class c ON c.oid = adrelid JOIN pg_depend p ON p.classid = 'pg_attrdef'::regclass AND p.objid = d.oid
			LEFT JOIN pg_attribute b ON p.refclassid = 'pg_class'::regclass AND b.attrelid = p.refobjid AND b.attnum = p.refobjsubid
		WHERE relnamespace = quote_ident(inv)::regnamespace
		UNION ALL
		SELECT concat_ws('|', 'constraint', conrelid::regclass, conname, contype, convalidated, condeferrable, conislocal, pg_get_constraintdef(oid), obj_description(oid, 'pg_constraint'))
		FROM pg_constraint WHERE connamespace = quote_ident(inv)::regnamespace
		UNION ALL
		SELECT concat_ws('|', 'index', pg_get_indexdef(indexrelid), indisvalid, indisready, obj_description(indexrelid, 'pg_class'))
		FROM pg_index JOIN pg_class c ON c.oid = indexrelid WHERE relnamespace = quote_ident(inv)::regnamespace
		UNION ALL
		SELECT concat_ws('|', 'trigger', pg_get_triggerdef(t.oid), tgenabled, obj_description(t.oid, 'pg_trigger'))
		FROM pg_trigger t JOIN pg_class c ON c.oid = tgrelid WHERE relnamespace = quote_ident(inv)::regnamespace AND NOT tgisinternal) c (x)
	WHERE x !~ '^relation\|(r|S)\|import_|^(column|constraint|depends)\|((m|cloud|nomads)\.)?import_|^index\|.* ON \w+\.import_'
$$;
-- It changes with what it is to tell.
SELECT isnt_empty($$SELECT catalog('m') EXCEPT ALL SELECT catalog('cloud')$$, 'a mirror is another thing');

-- what users have built on the mirror
ALTER TABLE u.all_nics ADD note text DEFAULT 'x';
CREATE VIEW u.mine AS SELECT id, active, ended, note FROM u.all_nics WHERE active;
CREATE VIEW u.mine_too AS SELECT id FROM u.nics;
CREATE INDEX "my index" ON u.all_nics (ended) WHERE active;
CREATE POLICY "mine alone" ON u.all_nics USING (active OR note IS NOT NULL);
CREATE TEMP TABLE users AS SELECT pg_get_viewdef('u.mine') AS mine, pg_get_viewdef('u.mine_too') AS mine_too, pg_get_indexdef('u."my index"'::regclass) AS index,
	(SELECT pg_get_expr(polqual, polrelid) FROM pg_policy WHERE polrelid = 'u.all_nics'::regclass) AS policy;
CREATE TEMP TABLE nics AS SELECT id, to_jsonb(n) AS row FROM u.all_nics n;
CREATE FUNCTION columns_of(inv name) RETURNS TABLE (place text, type text, said text) LANGUAGE sql AS $$
	SELECT format('%s %s.%s', a.attnum, c.relname, a.attname), format_type(a.atttypid, a.atttypmod) || a.attgenerated::text, replace(pg_get_expr(d.adbin, d.adrelid), quote_ident(inv) || '.', '')
	FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 LEFT JOIN pg_attrdef d ON d.adrelid = c.oid AND d.adnum = a.attnum
	WHERE c.relnamespace = quote_ident(inv)::regnamespace AND c.relname LIKE 'all\_%' AND c.relkind = 'r'
$$;
SELECT set_eq($$SELECT * FROM columns_of('m')$$, $$SELECT * FROM columns_of('cloud')$$, 'a mirror has the columns of a managed inventory, generated ones too');
CREATE TEMP TABLE stored AS SELECT c.oid, c.relfilenode, array_agg(d.oid ORDER BY d.oid) AS defaults FROM pg_class c JOIN pg_attrdef d ON d.adrelid = c.oid WHERE c.relnamespace = 'u'::regnamespace AND c.relkind = 'r' AND c.relname !~ '^former_' GROUP BY c.oid;
SELECT vmnet.manage_inventory('u') \g /dev/null
SELECT set_eq($$SELECT c.oid, c.relfilenode, array_agg(d.oid ORDER BY d.oid) FROM pg_class c JOIN pg_attrdef d ON d.adrelid = c.oid WHERE c.relnamespace = 'u'::regnamespace AND c.relkind = 'r' AND c.relname !~ '^former_' GROUP BY c.oid$$, 'TABLE stored', 'tables, expressions and defaults are left as they are');
SELECT results_eq($$SELECT pg_get_viewdef('u.mine'), pg_get_viewdef('u.mine_too'), pg_get_indexdef('u."my index"'::regclass), pg_get_expr(polqual, polrelid) FROM pg_policy WHERE polrelid = 'u.all_nics'::regclass$$, 'TABLE users', 'what users built is there');
SELECT ok(has_table_privilege('vmnet_manage_other', 'u.nics', 'SELECT') AND has_table_privilege('vmnet_manage_other', 'u.nic_intervals', 'SELECT') AND has_table_privilege('vmnet_manage_other', 'u.inventory_info', 'SELECT'), 'and what they granted');
SELECT results_eq('SELECT id FROM u.mine', $$SELECT id FROM u.all_nics WHERE removed IS NULL AND state <> 'Deallocating'$$, 'and answers');
SELECT results_eq('SELECT id, to_jsonb(n) FROM u.all_nics n ORDER BY id', 'SELECT id, row FROM nics ORDER BY id', 'no row has changed');
SELECT is_empty($$SELECT oid::regclass FROM pg_class WHERE oid = ANY ('{u.all_networks,u.all_instances,u.all_nics,u.nic_history}'::regclass[]) AND reltuples < 0$$, 'the planner knows the tables');
-- what an import leaves that is killed
INSERT INTO m.import_runs (source) VALUES ('source');
-- sequences that are behind, and one that is ahead
SELECT setval('m.all_nics_id_seq', 3), setval('m.all_instances_id_seq', 1, false), setval('m.all_networks_id_seq', 1000) \g /dev/null
SELECT vmnet.manage_inventory('m') \g /dev/null
SELECT is((SELECT string_agg(status || coalesce(' ' || message, ''), ', ' ORDER BY run) FROM m.import_runs), 'done, failed interrupted', 'an import that was killed has failed');
SELECT is_empty($$SELECT catalog('m') EXCEPT ALL SELECT catalog('cloud')$$, 'nothing is there that create_inventory() does not make');
SELECT is_empty($$SELECT catalog('cloud') EXCEPT ALL SELECT catalog('m')$$, 'and nothing is missing');
SELECT is((SELECT string_agg(relname::text, ' ' ORDER BY relname COLLATE "C") FROM pg_class WHERE relnamespace = 'm'::regnamespace AND relname NOT IN (SELECT relname FROM pg_class WHERE relnamespace = 'cloud'::regnamespace)),
	'import_log import_log_entry_seq import_log_pkey import_runs import_runs_pkey import_runs_run_seq', 'but for the records of imports');
SELECT results_eq('TABLE m.inventory_info', 'TABLE cloud.inventory_info', 'it says of itself what a new one says');
SELECT is_empty($$SELECT * FROM vmnet.check_inventory('m', '0') WHERE severity = 'error'$$, 'it is clean of errors, of guards too');

--
-- Its guards are armed
--
WITH n AS (INSERT INTO m.instances (name) VALUES ('new') RETURNING id) SELECT is(id, 7::bigint, 'ids of new instances come after those that are there') FROM n;
WITH n AS (INSERT INTO m.networks (name) VALUES ('new') RETURNING id) SELECT is(id, 1001::bigint, 'and no id is given twice') FROM n;
WITH n AS (INSERT INTO m.nics (instance_id, network_id) VALUES (4, 4) RETURNING id) SELECT is(id, 9::bigint, 'ids of new rows come after those that are there') FROM n;
SELECT throws_ok('UPDATE m.nics SET state = ''Allocated'' WHERE id = 1', '23514', 'NIC 1 cannot move from state "Reserved" to "Allocated"', 'moves');
SELECT throws_ok('UPDATE m.nics SET network_id = 4 WHERE id = 1', '23514', NULL, 'identity');
SELECT throws_ok('UPDATE m.all_nics SET removed = NULL WHERE id = 8', '23514', NULL, 'removed once');
SELECT throws_ok('INSERT INTO m.nics (instance_id, network_id) VALUES (6, 1)', '23503', 'cannot add a NIC to instance 6, which has been removed', 'parents');
SELECT throws_ok('UPDATE m.networks SET removed = now() WHERE id = 1', '23503', 'cannot remove network 1: NICs are left on it', 'networks in use');
SELECT throws_ok('UPDATE m.instances SET removed = now() WHERE id = 1', '23503', NULL, 'instances in use');
SELECT throws_ok('INSERT INTO m.nics (instance_id, network_id) VALUES (1, 1)', '23505', NULL, 'one NIC per network');
SELECT throws_ok('INSERT INTO m.nics (instance_id, network_id, mac_address) VALUES (4, 1, ''02:00:00:00:00:01'')', '23505', NULL, 'one MAC address');
SELECT throws_ok('INSERT INTO m.nics (instance_id, network_id, ip4_address) VALUES (4, 1, ''10.0.0.1'')', '23505', NULL, 'one IPv4 address');
SELECT throws_ok('INSERT INTO m.nics (instance_id, network_id, ip6_address) VALUES (4, 1, ''fd00::1'')', '23505', NULL, 'one IPv6 address');
SELECT throws_ok('UPDATE m.nics SET default_nic = true WHERE id = 2', '23505', NULL, 'one default');
SELECT throws_ok('UPDATE m.nics SET device_id = 0 WHERE id = 2', '23505', NULL, 'one device');
SELECT throws_ok('UPDATE m.nics SET uuid = NULL WHERE id = 2', '23502', NULL, 'a uuid');
SELECT throws_ok('UPDATE m.nics SET strategy = ''Other'' WHERE id = 2', '23514', NULL, 'a strategy');
SELECT throws_ok('DELETE FROM m.all_nics', '23001', NULL, 'no DELETE');
SELECT throws_ok('TRUNCATE m.all_nics', '23001', NULL, 'no TRUNCATE');
SELECT throws_ok($$CALL vmnet.import_cloudstack('source', 'm')$$, '22023', 'cannot import into "m"', 'no import');
SELECT lives_ok('UPDATE m.nics SET state = ''Reserving'' WHERE id = 2', 'a move that is one');
SELECT results_eq('SELECT nic_id, event, from_state, to_state FROM m.nic_history', $$VALUES (2::bigint, 'ReservationRequested', 'Allocated', 'Reserving')$$, 'is remembered');
SELECT lives_ok('DELETE FROM m.nics WHERE id = 2', 'so is a removal');
SELECT is((SELECT format('%s %s %s', state, removed IS NOT NULL, ended IS NOT NULL) FROM m.all_nics WHERE id = 2), 'Deallocating t t', 'that is one');
SELECT is((SELECT active FROM m.all_nics WHERE id = 2), false, 'of a NIC that is active no more');
SELECT is((SELECT device_id FROM m.nics WHERE id = 2), NULL, 'reads go on');
SELECT lives_ok($$SELECT vmnet.nic_add(1, 4, inventory => 'm')$$, 'operations work');
SELECT is((SELECT kind FROM vmnet.inventories WHERE name = 'm'), 'managed', 'it is listed as what it is');

--
-- The past: NICs that moved, that the source had lost for a while, and that
-- were half-removed when they were first seen
--
UPDATE source.nics SET state = 'Deallocating', ip4_address = NULL, ip6_address = NULL WHERE id = 7;
CALL vmnet.import_cloudstack('source', 'nomads');
UPDATE source.nics SET network_id = 2 WHERE id = 3;
CREATE TABLE source.away AS TABLE source.nics;
DELETE FROM source.nics WHERE id IN (2, 5);
UPDATE source.nics SET removed = '2025-06-15 00:00:00' WHERE id = 7;
UPDATE source.nics SET state = 'Deallocating' WHERE id = 4;
CALL vmnet.import_cloudstack('source', 'nomads');
INSERT INTO source.nics SELECT * FROM source.away WHERE id IN (2, 5);
UPDATE source.nics SET network_id = 3 WHERE id = 3;
UPDATE source.nics SET removed = '2025-06-20 00:00:00' WHERE id = 4;
CALL vmnet.import_cloudstack('source', 'nomads');
SELECT is((SELECT string_agg(id::text, ' ' ORDER BY id) FROM nomads.former_rows), '2 5', 'the source had lost two');
CREATE TEMP TABLE times AS SELECT at FROM nomads.nic_history UNION SELECT '2025-06-10' UNION SELECT '2025-06-17';
CREATE FUNCTION intervals() RETURNS SETOF text LANGUAGE sql AS $$
	SELECT row(v.*)::text FROM nomads.nic_intervals v UNION ALL SELECT row(v.*)::text FROM nomads.network_instance_intervals v UNION ALL SELECT row(v.*)::text FROM nomads.nic_address_intervals v
	UNION ALL SELECT row(g, t.at, a.*)::text FROM generate_series(1, 4) g, times t, vmnet.network_instances_as_of(g, t.at, 'nomads') a
$$;
CREATE TEMP TABLE past AS SELECT intervals() AS line;
SELECT is((SELECT string_agg(network_id::text, ' ' ORDER BY "from") FROM nomads.nic_intervals WHERE nic_id = 3), '1 2 3', 'one was on three networks');
SELECT is((SELECT count(*) FROM nomads.nic_intervals WHERE nic_id = 7 AND "to" = '2025-06-15 00:00:00+00'), 1::bigint, 'of another one it turned out how long it was there');
SELECT is_empty($$SELECT * FROM vmnet.manage_blockers('nomads')$$, 'that is in nobody''s way');
SELECT vmnet.manage_inventory('nomads') \g /dev/null
SELECT bag_eq('SELECT intervals()', 'SELECT line FROM past', 'the past is as it was');
SELECT is_empty($$SELECT id FROM nomads.all_nics WHERE ended IS DISTINCT FROM CASE WHEN state = 'Deallocating' THEN LEAST(state_changed, removed) END$$, 'and is what state and times say');
SELECT is((SELECT string_agg(substring(c FROM '^(?:relation\|v|index)\|(?:CREATE INDEX )?\w+'), ', ' ORDER BY c COLLATE "C") FROM (SELECT catalog('nomads') EXCEPT ALL SELECT catalog('cloud')) x (c)), 'index|CREATE INDEX former_nic_addresses_ip4_idx, index|CREATE INDEX former_nic_addresses_ip6_idx, index|CREATE INDEX former_nic_addresses_mac_idx, index|CREATE INDEX former_nic_addresses_nic_idx, index|CREATE INDEX former_nic_intervals_network_idx, index|CREATE INDEX former_nic_intervals_nic_idx, index|CREATE INDEX former_rows_until_idx, index|CREATE INDEX nic_history_move_idx, index|CREATE, index|CREATE, index|CREATE, relation|v|network_instance_intervals, relation|v|nic_address_intervals, relation|v|nic_intervals', 'what tells it stays');
SELECT results_eq('SELECT nic_id, from_state, to_state, event FROM nomads.nic_history WHERE nic_id IN (2, 5) ORDER BY nic_id, seq', $$VALUES
	(2::bigint, 'Allocated', 'Deallocating', 'Imported'), (2, 'Deallocating', 'Allocated', 'Imported'),
	(5, 'Reserved', 'Deallocating', 'Imported'), (5, 'Deallocating', 'Reserved', 'Imported')$$, 'histories end with the states of the NICs');
SELECT is_empty($$SELECT * FROM vmnet.check_inventory('nomads', '0') WHERE severity = 'error'$$, 'it is clean of errors');
UPDATE nomads.nics SET state = 'Reserved' WHERE id = 3;
SELECT is((SELECT string_agg(format('%s %s', network_id, "to" IS NULL), ', ' ORDER BY "from") FROM nomads.nic_intervals WHERE nic_id = 3), '1 f, 2 f, 3 t', 'and goes on being told');
SELECT is((SELECT string_agg(event, ' ' ORDER BY seq) FROM vmnet.nic_timeline(3, 'nomads') t WHERE seq IS NOT NULL), 'Imported Imported OperationFailed', 'with what happens now');

-- also from a history in partitions
CREATE TEMP TABLE later AS SELECT intervals() AS line;
SELECT vmnet.partition_history('nomads') \g /dev/null
CREATE TABLE nomads.everything PARTITION OF nomads.nic_history DEFAULT;
INSERT INTO nomads.nic_history SELECT * FROM nomads.nic_history_unpartitioned;
SELECT lives_ok('DROP TABLE nomads.nic_history_unpartitioned', 'nothing reads the old table any more');
SELECT bag_eq('SELECT intervals()', 'SELECT line FROM later', 'the past is told from the partitions');

-- Mends are in history, with who and why; the settings are as before.
CALL vmnet.import_cloudstack('source', 'mended') ;
SET LOCAL vmnet.actor = 'operator';
SET LOCAL vmnet.reason = 'ticket 7';
UPDATE source.vm_instance SET removed = '2025-06-25 00:00:00' WHERE id IN (1, 2);
UPDATE source.nics SET default_nic = 1 WHERE id = 2;
CALL vmnet.import_cloudstack('source', 'mended');
SELECT vmnet.manage_inventory('mended', true) \g /dev/null
SELECT results_eq('SELECT nic_id, from_state, to_state, event, removed BETWEEN now() AND clock_timestamp(), actor, reason FROM mended.nic_history WHERE reason ~ ''manage'' ORDER BY nic_id', $$VALUES
	(1::bigint, 'Reserved', 'Deallocating', 'RemoveRequested', true, 'operator', 'manage_inventory: live_nic_on_removed_instance'),
	(2, 'Allocated', 'Deallocating', 'RemoveRequested', true, 'operator', 'manage_inventory: live_nic_on_removed_instance'),
	(3, 'Releasing', 'Deallocating', 'RemoveRequested', true, 'operator', 'manage_inventory: live_nic_on_removed_instance')$$, 'history says who mended what, and why');
SELECT is(current_setting('vmnet.actor') || ' ' || current_setting('vmnet.reason'), 'operator ticket 7', 'the settings are as before');

-- of several defaults the lowest device_id stays, of routers too
UPDATE source.vm_instance SET removed = NULL WHERE id IN (1, 2);
INSERT INTO source.nics SELECT 10 + g, NULL, 5, 1 + g, 'Reserved', 'Start', 'DomainRouter', 5 - g, 1, NULL, NULL, NULL, '2025-01-01 00:00:00' FROM generate_series(1, 2) g;
UPDATE source.nics SET device_id = NULL WHERE id = 5;
CALL vmnet.import_cloudstack('source', 'defaults');
-- with a trigger of somebody's that would fire at commit
CREATE TEMP TABLE fired (nic_id bigint);
CREATE FUNCTION pg_temp.fire() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN INSERT INTO pg_temp.fired VALUES (NEW.id); RETURN NULL; END $$;
CREATE CONSTRAINT TRIGGER zz_mine AFTER UPDATE ON defaults.all_nics DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION pg_temp.fire();
SELECT lives_ok($$SELECT vmnet.manage_inventory('defaults', true)$$, 'a trigger that is deferred is in nobody''s way');
SELECT set_eq('SELECT nic_id FROM fired', ARRAY[2, 5, 11, 12]::bigint[], 'and fires');
SELECT is((SELECT string_agg(id::text, ' ' ORDER BY id) FROM defaults.nics WHERE default_nic AND instance_id = 5), '12', 'the default with the lowest device_id stays');
SELECT is((SELECT string_agg(id::text, ' ' ORDER BY id) FROM defaults.nics WHERE default_nic AND instance_id = 1), '1', 'of User instances too');

-- What a policy hides from the owner is not missed.
CALL vmnet.import_cloudstack('source', 'hidden');
CREATE ROLE vmnet_manage_owner;
GRANT vmnet_manage_owner TO vmnet_manage_other;
DO $$ BEGIN EXECUTE format('ALTER SCHEMA hidden OWNER TO vmnet_manage_owner');
	EXECUTE (SELECT string_agg(format('ALTER %s hidden.%I OWNER TO vmnet_manage_owner;', CASE relkind WHEN 'v' THEN 'VIEW' ELSE 'TABLE' END, relname), ' ') FROM pg_class WHERE relnamespace = 'hidden'::regnamespace AND relkind IN ('r', 'v')); END $$;
ALTER TABLE hidden.all_nics ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY first ON hidden.all_nics USING (id < 5);
SELECT matches(as_other($$SELECT vmnet.manage_inventory('hidden', true)$$), '^42501 query would be affected by row-level security policy', 'a policy on the owner himself');
ALTER TABLE hidden.all_nics NO FORCE ROW LEVEL SECURITY;
SELECT is(as_other($$SELECT vmnet.manage_inventory('hidden', true)$$), 'done', 'a member of the owner can');
SELECT is((SELECT string_agg(DISTINCT relowner::regrole::text, ' ') FROM pg_class WHERE relnamespace = 'hidden'::regnamespace), 'vmnet_manage_owner', 'and all still belongs to the owner');

-- A mirror that nothing was imported into yet, of a name that has to be quoted.
SELECT vmnet.create_inventory('em"pty''s %I', 'mirror') \g /dev/null
SELECT lives_ok($$SELECT vmnet.manage_inventory('em"pty''s %I')$$, 'an empty mirror');
INSERT INTO "em""pty's %I".networks (name) VALUES ('first');
SELECT is((SELECT id FROM "em""pty's %I".networks), 1::bigint, 'whose ids begin with 1');

SELECT * FROM finish();
ROLLBACK;
