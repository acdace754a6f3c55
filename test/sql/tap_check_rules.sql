-- check_inventory() compares an inventory with its definition: what was dropped,
-- changed or switched off is found, its fix mends it, and the report says the
-- same; what users may do to an inventory is no finding.
\i test/tap/setup.psql
\i test/tap/attached.psql
SELECT plan(236);
SET LOCAL client_min_messages = error;
SELECT vmnet.create_inventory('m', 'mirror') \g /dev/null
SELECT vmnet.create_inventory('a "b" it''s $1 %s USING') \g /dev/null
INSERT INTO cloud.networks (id, name) VALUES (1, 'n1'), (2, 'n2');
INSERT INTO cloud.instances (id, name) VALUES (1, 'i1');
INSERT INTO cloud.nics (id, instance_id, network_id, device_id, ip4_address) VALUES (1, 1, 1, 0, '10.0.0.1'), (2, 1, 2, 1, '10.0.0.2');

--
-- What is expected is what inventories consist of that have just been made.
--
CREATE FUNCTION pg_temp.has(schema text) RETURNS TABLE (relation text, sort text, object text, fact text) LANGUAGE sql SET search_path = pg_catalog, pg_temp AS $$
WITH rel AS (SELECT c.* FROM pg_class c JOIN pg_namespace s ON s.oid = c.relnamespace WHERE s.nspname = $1)
SELECT c.relname::text, 'table', NULL::text, NULL::text FROM rel c WHERE relkind IN ('r', 'p')
UNION ALL
SELECT c.relname, CASE WHEN c.reloptions @> '{security_invoker=true}' THEN 'view' ELSE 'plain view' END, NULL,
	(SELECT string_agg(a.attname, ', ' ORDER BY a.attname COLLATE "C") FROM pg_attribute a WHERE a.attrelid = c.oid AND a.attnum > 0)
FROM rel c WHERE relkind = 'v'
UNION ALL
SELECT c.relname, 'column', a.attname, format_type(a.atttypid, a.atttypmod) || CASE WHEN a.attnotnull THEN ' NOT NULL' ELSE '' END
	|| coalesce(' GENERATED ALWAYS AS (' || regexp_replace(pg_get_expr(d.adbin, d.adrelid), '\s+', ' ', 'g') || ') STORED', '')
FROM rel c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0
	LEFT JOIN pg_attrdef d ON d.adrelid = c.oid AND d.adnum = a.attnum AND a.attgenerated <> ''
WHERE relkind IN ('r', 'p')
UNION ALL
SELECT c.relname, 'constraint', k.conname, replace(pg_get_constraintdef(k.oid), quote_ident($1) || '.', '%1$s.')
FROM rel c JOIN pg_constraint k ON k.conrelid = c.oid AND k.contype IN ('p', 'u', 'c', 'f')
UNION ALL
SELECT c.relname, 'index', i.relname, CASE WHEN x.indisunique THEN 'UNIQUE ' ELSE '' END || substring(pg_get_indexdef(x.indexrelid) FROM 'USING .*')
FROM rel c JOIN pg_index x ON x.indrelid = c.oid JOIN pg_class i ON i.oid = x.indexrelid
WHERE NOT EXISTS (SELECT FROM pg_constraint k WHERE k.conindid = x.indexrelid AND k.conrelid = c.oid)
$$;
CREATE FUNCTION pg_temp.expected(kind text) RETURNS TABLE (relation text, sort text, object text, fact text) LANGUAGE sql AS $$
SELECT f.relation, f.sort, f.object, CASE WHEN f.sort ~ 'view' THEN (SELECT string_agg(c, ', ' ORDER BY c COLLATE "C") FROM unnest(string_to_array(f.fact, ', ')) c) ELSE f.fact END
FROM vmnet_internal.check_expected_facts(kind) f
WHERE f.sort NOT IN ('reads', 'default')
$$;
-- without what PostgreSQL adds to a text
CREATE FUNCTION pg_temp.plain(fact text) RETURNS text LANGUAGE sql AS $$
SELECT regexp_replace(regexp_replace(translate($1, E'\n\t "()', ''), '::text|pg_catalog\.|ELSENULL::timestampwithtimezone', '', 'g'), '=ANYARRAY\[([^]]*)\]', 'IN\1', 'g')
$$;
CREATE FUNCTION pg_temp.drift(schema text, kind text) RETURNS TABLE (what text) LANGUAGE sql AS $$
SELECT format('%s is expected, but inventories do not have it (views: sql/inventory/definition.sql): %s', concat_ws(' ', d.sort, d.relation, d.object), d.fact)
FROM (SELECT relation, sort, object, pg_temp.plain(fact) AS fact FROM pg_temp.expected($2) EXCEPT SELECT relation, sort, object, pg_temp.plain(fact) FROM pg_temp.has($1)) d
UNION ALL
SELECT format('%s of inventories is not expected (views: sql/inventory/definition.sql): %s', concat_ws(' ', d.sort, d.relation, d.object), d.fact)
FROM (SELECT relation, sort, object, pg_temp.plain(fact) AS fact FROM pg_temp.has($1) EXCEPT SELECT relation, sort, object, pg_temp.plain(fact) FROM pg_temp.expected($2)) d
$$;
SELECT is_empty($$SELECT * FROM pg_temp.drift('cloud', 'managed')$$, 'a managed inventory is what is expected of one, object by object');
SELECT is_empty($$SELECT * FROM pg_temp.drift('m', 'mirror')$$, 'so is a mirror');
SELECT is_empty($$SELECT * FROM pg_temp.drift('live', 'live') WHERE what !~ '^(plain )?view \w+ of inventories'$$, 'a live inventory has every view that is expected');
SELECT is_empty($$SELECT * FROM pg_temp.drift('full', 'attached') d
	WHERE d.what !~ '^(plain )?view (attached_\w+ of inventories|all_)' AND d.what !~ '^column nic_(address_)?history (nic_id|network_id|instance_id|from_network_id) of inventories'$$,
	'one over attached tables has the views and the tables of history that are expected, and but for their keys no other columns');
SELECT is_empty($$SELECT i, f.code, f.message FROM unnest('{cloud,m,full,few,live}'::name[]) i, vmnet.check_inventory(i) f WHERE f.object_type = 'inventory'$$, 'and none of them has a finding about it');
SELECT is_empty($$SELECT * FROM vmnet_internal.check_rules('uuids', 'attached')$$, 'nor has one with other keys');
SELECT is_empty($$SELECT * FROM vmnet.check_inventory('a "b" it''s $1 %s USING')$$, 'whatever its name');

--
-- One fault of each kind: which code, which words; mended by its fix, where there is one
--
SELECT vmnet.create_report(i) FROM unnest('{cloud,m,full,live}'::name[]) i \g /dev/null
CREATE FUNCTION pg_temp.finds(inventory name, fault text, wanted text, mendable boolean DEFAULT true) RETURNS SETOF text LANGUAGE plpgsql AS $$
DECLARE
	found text;
	reported text;
	statement text;
BEGIN
	BEGIN
		EXECUTE fault;
		found := (SELECT string_agg(concat_ws(' ', f.severity, f.code, f.object_type, '-', f.message), E'\n' ORDER BY f.message) FROM vmnet.check_inventory(inventory) f WHERE f.object_type = 'inventory');
		RETURN NEXT is(found, wanted, fault);
		EXECUTE format('SELECT string_agg(concat_ws('' '', f.severity, f.code, f.object_type, ''-'', f.message), E''\n'' ORDER BY f.message) FROM %I.findings f WHERE f.object_type = ''inventory''', inventory || '_report') INTO reported;
		RETURN NEXT is(reported, found, 'the report says the same');
		IF mendable THEN
			FOR statement IN SELECT f.fix FROM vmnet.check_inventory(inventory) f WHERE f.object_type = 'inventory' LOOP
				EXECUTE statement;
			END LOOP;
			RETURN NEXT is((SELECT string_agg(f.message, E'\n') FROM vmnet.check_inventory(inventory) f WHERE f.object_type = 'inventory'), NULL, 'and its fix mends it');
		ELSE
			RETURN NEXT is((SELECT string_agg(f.fix, E'\n') FROM vmnet.check_inventory(inventory) f WHERE f.object_type = 'inventory'), NULL, 'and no statement mends it');
			RAISE EXCEPTION 'undo' USING ERRCODE = 'UNDO0';
		END IF;
	EXCEPTION WHEN SQLSTATE 'UNDO0' THEN
		NULL;
	END;
END
$$;

-- constraints
SELECT pg_temp.finds('cloud', 'ALTER TABLE cloud.all_nics DROP CONSTRAINT nic_removed_is_deallocating',
	'error rule_missing inventory - cloud.all_nics has no constraint nic_removed_is_deallocating: CHECK (removed IS NULL OR state = ''Deallocating'')');
SELECT pg_temp.finds('cloud', 'ALTER TABLE cloud.all_nics DROP CONSTRAINT nic_state_valid, ADD CONSTRAINT nic_state_valid CHECK (state <> '''')',
	'error rule_missing inventory - constraint nic_state_valid of cloud.all_nics is not CHECK (vmnet_internal.nic_state_valid(state)), but CHECK ((state <> ''''::text))');
SELECT pg_temp.finds('cloud', 'ALTER TABLE cloud.all_networks DROP CONSTRAINT network_created_finite, ADD CONSTRAINT network_created_finite CHECK (isfinite(created)) NOT VALID',
	'error rule_missing inventory - constraint network_created_finite of cloud.all_networks is not CHECK (pg_catalog.isfinite(created)), but CHECK (isfinite(created)) NOT VALID');
SELECT pg_temp.finds('cloud', 'ALTER TABLE cloud.all_instances DROP CONSTRAINT instance_removed_finite, ADD CONSTRAINT instance_removed_finite CHECK (isfinite(removed)) NO INHERIT',
	'error rule_missing inventory - constraint instance_removed_finite of cloud.all_instances is not CHECK (pg_catalog.isfinite(removed)), but CHECK (isfinite(removed)) NO INHERIT');
SELECT pg_temp.finds('cloud', 'ALTER TABLE cloud.all_nics DROP CONSTRAINT all_nics_network_id_fkey',
	'error rule_missing inventory - cloud.all_nics has no constraint all_nics_network_id_fkey: FOREIGN KEY (network_id) REFERENCES cloud.all_networks (id)');
SELECT pg_temp.finds('cloud', 'ALTER TABLE cloud.all_nics DROP CONSTRAINT all_nics_network_id_fkey, ADD CONSTRAINT all_nics_network_id_fkey FOREIGN KEY (network_id) REFERENCES cloud.all_networks (id) NOT VALID',
	'error rule_missing inventory - constraint all_nics_network_id_fkey of cloud.all_nics is not FOREIGN KEY (network_id) REFERENCES cloud.all_networks (id), but FOREIGN KEY (network_id) REFERENCES cloud.all_networks(id) NOT VALID');
SELECT pg_temp.finds('cloud', 'ALTER TABLE cloud.all_nics ALTER CONSTRAINT all_nics_instance_id_fkey DEFERRABLE INITIALLY DEFERRED',
	'error rule_missing inventory - constraint all_nics_instance_id_fkey of cloud.all_nics is not FOREIGN KEY (instance_id) REFERENCES cloud.all_instances (id), but FOREIGN KEY (instance_id) REFERENCES cloud.all_instances(id) DEFERRABLE INITIALLY DEFERRED');
SELECT pg_temp.finds('cloud', 'ALTER TABLE cloud.all_nics DROP CONSTRAINT all_nics_instance_id_fkey, ADD CONSTRAINT all_nics_instance_id_fkey FOREIGN KEY (instance_id) REFERENCES cloud.all_instances (id) ON DELETE CASCADE',
	'error rule_missing inventory - constraint all_nics_instance_id_fkey of cloud.all_nics is not FOREIGN KEY (instance_id) REFERENCES cloud.all_instances (id), but FOREIGN KEY (instance_id) REFERENCES cloud.all_instances(id) ON DELETE CASCADE');
CREATE SCHEMA elsewhere;
CREATE TABLE elsewhere.all_networks (id bigint PRIMARY KEY);
INSERT INTO elsewhere.all_networks VALUES (1), (2);
SELECT pg_temp.finds('cloud', 'ALTER TABLE cloud.all_nics DROP CONSTRAINT all_nics_network_id_fkey, ADD CONSTRAINT all_nics_network_id_fkey FOREIGN KEY (network_id) REFERENCES elsewhere.all_networks (id)',
	'error rule_missing inventory - constraint all_nics_network_id_fkey of cloud.all_nics is not FOREIGN KEY (network_id) REFERENCES cloud.all_networks (id), but FOREIGN KEY (network_id) REFERENCES elsewhere.all_networks(id)');
SELECT pg_temp.finds('cloud', 'ALTER TABLE cloud.nic_address_history DROP CONSTRAINT nic_address_history_pkey',
	'error rule_missing inventory - cloud.nic_address_history has no constraint nic_address_history_pkey: PRIMARY KEY (entry)');
SELECT pg_temp.finds('cloud', 'ALTER TABLE cloud.all_nics DROP CONSTRAINT all_nics_uuid_key, ADD CONSTRAINT all_nics_uuid_key UNIQUE (uuid) DEFERRABLE',
	'error rule_missing inventory - constraint all_nics_uuid_key of cloud.all_nics is not UNIQUE (uuid), but UNIQUE (uuid) DEFERRABLE');
SELECT pg_temp.finds('m', 'ALTER TABLE m.import_log DROP CONSTRAINT import_log_action_valid',
	'error rule_missing inventory - m.import_log has no constraint import_log_action_valid: CHECK (action IN (''rejected'', ''changed'', ''reused''))');

-- indexes
SELECT pg_temp.finds('cloud', 'DROP INDEX cloud.all_nics_one_ip4',
	'error rule_missing inventory - cloud.all_nics has no index all_nics_one_ip4: UNIQUE USING btree (network_id, ip4_address) WHERE active AND vm_type = ''User''');
SELECT pg_temp.finds('cloud', 'DROP INDEX cloud.all_nics_one_mac; CREATE INDEX all_nics_one_mac ON cloud.all_nics (network_id, mac_address) WHERE active AND vm_type = ''User''',
	'error rule_missing inventory - index all_nics_one_mac of cloud.all_nics is not UNIQUE USING btree (network_id, mac_address) WHERE active AND vm_type = ''User'', but USING btree (network_id, mac_address) WHERE (active AND (vm_type = ''User''::text))');
SELECT pg_temp.finds('cloud', 'DROP INDEX cloud.all_nics_one_device; CREATE UNIQUE INDEX all_nics_one_device ON cloud.all_nics (instance_id, device_id) WHERE active AND vm_type = ''User'' AND mtu > 0',
	'error rule_missing inventory - index all_nics_one_device of cloud.all_nics is not UNIQUE USING btree (instance_id, device_id) WHERE active AND vm_type = ''User'', but UNIQUE USING btree (instance_id, device_id) WHERE (active AND (vm_type = ''User''::text) AND (mtu > 0))');
SELECT pg_temp.finds('cloud', 'DROP INDEX cloud.all_nic_secondary_ips_one_ip6',
	'error rule_missing inventory - cloud.all_nic_secondary_ips has no index all_nic_secondary_ips_one_ip6: UNIQUE USING btree (network_id, ip6_address) WHERE active');
SELECT pg_temp.finds('cloud', 'UPDATE pg_index SET indisvalid = false WHERE indexrelid = ''cloud.all_nics_one_per_network''::regclass',
	'error rule_missing inventory - index all_nics_one_per_network of cloud.all_nics is invalid');
SELECT pg_temp.finds('cloud', 'DROP INDEX cloud.all_nics_active_idx',
	'error index_missing inventory - cloud.all_nics has no index all_nics_active_idx: USING btree (network_id, instance_id) WHERE active');
SELECT pg_temp.finds('cloud', 'DROP INDEX cloud.nic_history_network_idx; CREATE INDEX nic_history_network_idx ON cloud.nic_history (seq, network_id)',
	'error index_missing inventory - index nic_history_network_idx of cloud.nic_history is not USING btree (network_id, seq), but USING btree (seq, network_id)');
SELECT pg_temp.finds('cloud', 'UPDATE pg_index SET indisvalid = false WHERE indexrelid = ''cloud.all_nics_mac_idx''::regclass',
	'error index_missing inventory - index all_nics_mac_idx of cloud.all_nics is invalid');
SELECT pg_temp.finds('m', 'DROP INDEX m.nic_history_move_idx',
	'error index_missing inventory - m.nic_history has no index nic_history_move_idx: USING btree (nic_id, seq) WHERE from_network_id IS NOT NULL');

-- tables
SELECT pg_temp.finds('cloud', 'CREATE RULE swallow AS ON UPDATE TO cloud.all_nics DO INSTEAD NOTHING',
	'error table_differs inventory - table cloud.all_nics has a rule, swallow, which rewrites what is written to it');
SELECT pg_temp.finds('m', 'CREATE RULE "Its Rule" AS ON INSERT TO m.import_runs DO ALSO NOTIFY x',
	'error table_differs inventory - table m.import_runs has a rule, "Its Rule", which rewrites what is written to it');
SELECT pg_temp.finds('cloud', 'ALTER TABLE cloud.nic_history SET UNLOGGED', 'error table_differs inventory - table cloud.nic_history is unlogged: a crash empties it');
SELECT pg_temp.finds('cloud', 'ALTER TABLE cloud.all_nics SET UNLOGGED', 'error table_differs inventory - table cloud.all_nics is unlogged: a crash empties it');
SELECT pg_temp.finds('full', 'ALTER TABLE "full".nic_address_history SET UNLOGGED',
	'error table_differs inventory - table "full".nic_address_history is unlogged: a crash empties it');
SELECT pg_temp.finds('m', 'ALTER TABLE m.import_log RENAME TO elsewhere', 'error table_differs inventory - there is no table m.import_log', false);

-- columns
SELECT pg_temp.finds('cloud', 'ALTER TABLE cloud.all_nics ALTER vm_type DROP NOT NULL',
	'error column_differs inventory - column vm_type of cloud.all_nics is not text NOT NULL, but text');
SELECT pg_temp.finds('cloud', 'ALTER TABLE cloud.nic_history ALTER event DROP NOT NULL',
	'error column_differs inventory - column event of cloud.nic_history is not text NOT NULL, but text');
SELECT pg_temp.finds('m', 'ALTER TABLE m.import_log ALTER original TYPE varchar(10)',
	'error column_differs inventory - column original of m.import_log is not text, but character varying(10)');
SELECT pg_temp.finds('m', 'ALTER TABLE m.import_log ALTER reason TYPE text COLLATE "C"',
	'error column_differs inventory - column reason of m.import_log is not text NOT NULL, but text COLLATE C NOT NULL');
SELECT pg_temp.finds('m', 'ALTER TABLE m.import_log DROP original', 'error column_differs inventory - m.import_log has no column original: text');
SELECT pg_temp.finds('m', 'ALTER TABLE m.import_log DROP reason', 'error column_differs inventory - m.import_log has no column reason: text NOT NULL', false);
SELECT pg_temp.finds('cloud', 'ALTER TABLE cloud.all_nics ALTER active DROP EXPRESSION',
	'error column_differs inventory - column active of cloud.all_nics is not boolean GENERATED ALWAYS AS (removed IS NULL AND pg_catalog.lower(state COLLATE "C") <> ''deallocating'') STORED, but boolean', false);
SELECT pg_temp.finds('cloud', 'ALTER TABLE cloud.all_nic_secondary_ips DROP active CASCADE; ALTER TABLE cloud.all_nic_secondary_ips ADD active boolean GENERATED ALWAYS AS (removed IS NULL OR id < 0) STORED;
	CREATE VIEW cloud.nic_secondary_ips WITH (security_invoker) AS SELECT id, uuid, nic_id, network_id, ip4_address, ip6_address, created, removed FROM cloud.all_nic_secondary_ips s
		WHERE active AND EXISTS (SELECT FROM cloud.all_nics n WHERE n.id = s.nic_id AND n.active);
	CREATE UNIQUE INDEX ON cloud.all_nic_secondary_ips (network_id, ip4_address) WHERE active; CREATE UNIQUE INDEX ON cloud.all_nic_secondary_ips (network_id, ip6_address) WHERE active;
	CREATE INDEX ON cloud.all_nic_secondary_ips (network_id, nic_id) WHERE active; SELECT vmnet.create_report(''cloud'')',
	'error column_differs inventory - column active of cloud.all_nic_secondary_ips is not boolean GENERATED ALWAYS AS (removed IS NULL) STORED, but boolean GENERATED ALWAYS AS (((removed IS NULL) OR (id < 0))) STORED', false);

-- views
SELECT pg_temp.finds('cloud', 'ALTER VIEW cloud.nics RESET (security_invoker)',
	'error view_differs inventory - view cloud.nics reads with the rights of its owner, not with those of its reader');
SELECT pg_temp.finds('m', 'ALTER VIEW m.stuck_nics SET (security_invoker = false)',
	'error view_differs inventory - view m.stuck_nics reads with the rights of its owner, not with those of its reader');
SELECT pg_temp.finds('cloud', 'DROP VIEW cloud.vpc_instances; CREATE VIEW cloud.vpc_instances WITH (security_invoker) AS SELECT 1 AS vpc_id, 2 AS instance_id, 3 AS network_count, 4 AS nic_count',
	'error view_differs inventory - view cloud.vpc_instances lacks: instance_uuid, instance_name, instance_type, instance_state', false);
SELECT pg_temp.finds('live', 'ALTER VIEW live.vpc_instances RENAME instance_id TO other',
	'error view_differs inventory - view live.vpc_instances lacks: instance_id', false);
SELECT pg_temp.finds('full', 'ALTER VIEW "full".stuck_nics RENAME age TO since',
	'error view_differs inventory - view "full".stuck_nics lacks: age', false);
SELECT pg_temp.finds('cloud', 'CREATE OR REPLACE VIEW cloud.networks WITH (security_invoker) AS SELECT id, uuid, name, state, traffic_type, guest_type, cidr, network_cidr, gateway,
	ip6_cidr, ip6_gateway, all_cidrs, all_gateways, vpc_id, zone_id, domain_id, account_id, account_name, domain_path, zone_name, nics_count, created, removed FROM cloud.all_networks',
	'error view_differs inventory - view cloud.networks does not read: all_networks.removed IS NULL', false);
SELECT pg_temp.finds('m', 'CREATE OR REPLACE VIEW m.nic_intervals WITH (security_invoker) AS SELECT id AS nic_id, network_id, instance_id, created AS "from", removed AS "to" FROM m.all_nics',
	'error view_differs inventory - view m.nic_intervals does not read: all_nics.ended', false);
SELECT pg_temp.finds('cloud', 'DROP VIEW cloud.vpc_instances; CREATE VIEW cloud.vpc_instances WITH (security_invoker) AS SELECT 1::bigint AS vpc_id, 2::bigint AS instance_id, NULL::uuid AS instance_uuid,
	NULL::text AS instance_name, NULL::text AS instance_type, NULL::text AS instance_state, 3::bigint AS network_count, 4::bigint AS nic_count',
	'error view_differs inventory - view cloud.vpc_instances does not read: all_nics.active, all_networks.removed, all_instances.removed', false);
SELECT pg_temp.finds('cloud', 'DROP VIEW cloud.nic_secondary_ips; CREATE VIEW cloud.nic_secondary_ips WITH (security_invoker) AS
	SELECT s.id, s.uuid::text AS uuid, s.nic_id, s.network_id, s.ip4_address::text AS ip4_address, s.ip6_address, s.created, s.removed FROM cloud.all_nic_secondary_ips s
	WHERE s.active AND EXISTS (SELECT FROM cloud.all_nics n WHERE n.id = s.nic_id AND n.active)',
	'error view_differs inventory - view cloud.nic_secondary_ips has columns of other types than its table: uuid, ip4_address', false);
SELECT pg_temp.finds('cloud', 'DROP VIEW cloud.instances; CREATE TABLE cloud.instances AS TABLE cloud.all_instances',
	'error view_differs inventory - cloud.instances is no view', false);
SELECT pg_temp.finds('cloud', 'CREATE RULE r AS ON DELETE TO cloud.nics DO INSTEAD NOTHING',
	'error view_differs inventory - view cloud.nics has a rule, r, which rewrites what is written to it');
SELECT pg_temp.finds('m', 'CREATE RULE "Its Rule" AS ON INSERT TO m.networks DO INSTEAD NOTHING',
	'error view_differs inventory - view m.networks has a rule, "Its Rule", which rewrites what is written to it');

-- defaults
SELECT pg_temp.finds('cloud', 'ALTER TABLE cloud.all_nics ALTER id DROP DEFAULT',
	'error column_differs inventory - column id of cloud.all_nics has no default');
SELECT pg_temp.finds('cloud', 'ALTER TABLE cloud.nic_history ALTER at SET DEFAULT ''epoch''',
	'error column_differs inventory - column at of cloud.nic_history has the default ''1970-01-01 00:00:00+00''::timestamp with time zone, not pg_catalog.clock_timestamp()');
SELECT pg_temp.finds('full', 'ALTER TABLE "full".nic_address_history ALTER until SET DEFAULT ''epoch''',
	'error column_differs inventory - column until of "full".nic_address_history has the default ''1970-01-01 00:00:00+00''::timestamp with time zone, not pg_catalog.clock_timestamp()');
-- the order of history is that of its numbers
SELECT pg_temp.finds('cloud', 'ALTER SEQUENCE cloud.nic_history_seq_seq CACHE 10; ALTER SEQUENCE cloud.all_nics_id_seq CACHE 10',
	'error column_differs inventory - sequence cloud.nic_history_seq_seq gives column seq of cloud.nic_history numbers out of order: CACHE 10, INCREMENT 1, NO CYCLE');
SELECT pg_temp.finds('m', 'ALTER TABLE m.nic_address_history ALTER entry DROP DEFAULT, ALTER entry ADD GENERATED BY DEFAULT AS IDENTITY (SEQUENCE NAME m."Its %s" INCREMENT -2 CYCLE)',
	'error column_differs inventory - sequence m."Its %s" gives column entry of m.nic_address_history numbers out of order: CACHE 1, INCREMENT -2, CYCLE');
SELECT pg_temp.finds('full', 'ALTER SEQUENCE "full".nic_address_history_entry_seq CYCLE; ALTER SEQUENCE "full".nic_history_seq_seq INCREMENT 2',
	'error column_differs inventory - sequence "full".nic_address_history_entry_seq gives column entry of "full".nic_address_history numbers out of order: CACHE 1, INCREMENT 1, CYCLE');
SELECT pg_temp.finds('m', 'ALTER TABLE m.import_runs ALTER status SET DEFAULT ''done'', ALTER run DROP DEFAULT',
	'error column_differs inventory - column run of m.import_runs has no default
error column_differs inventory - column status of m.import_runs has the default ''done''::text, not ''running''');

-- guards
CREATE FUNCTION public.does_nothing() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN NULL; END $$;
SELECT pg_temp.finds('cloud', 'CREATE OR REPLACE TRIGGER _nic_guard AFTER INSERT OR UPDATE ON cloud.all_nics FOR EACH ROW EXECUTE FUNCTION public.does_nothing()',
	'error guard_missing inventory - cloud.all_nics has no guard nic_guard');
SELECT pg_temp.finds('cloud', 'CREATE OR REPLACE TRIGGER _nic_guard AFTER INSERT OR UPDATE ON cloud.all_nics FOR EACH ROW WHEN (NEW.id > 100) EXECUTE FUNCTION vmnet_internal.nic_guard()',
	'error guard_missing inventory - guard _nic_guard of cloud.all_nics fires at other times than it should');
SELECT pg_temp.finds('cloud', 'CREATE OR REPLACE TRIGGER network_guard AFTER UPDATE ON cloud.all_networks FOR EACH ROW WHEN (OLD.removed IS NOT DISTINCT FROM NEW.removed) EXECUTE FUNCTION vmnet_internal.network_guard()',
	'error guard_missing inventory - guard network_guard of cloud.all_networks fires at other times than it should');
SELECT pg_temp.finds('cloud', 'DROP TRIGGER _nic_guard ON cloud.all_nics; CREATE CONSTRAINT TRIGGER _nic_guard AFTER INSERT OR UPDATE ON cloud.all_nics INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION vmnet_internal.nic_guard()',
	'error guard_missing inventory - guard _nic_guard of cloud.all_nics fires at other times than it should');
SELECT pg_temp.finds('cloud', 'CREATE OR REPLACE TRIGGER secondary_ip_guard AFTER INSERT OR UPDATE ON cloud.all_nic_secondary_ips FOR EACH ROW EXECUTE FUNCTION vmnet_internal.secondary_ip_guard(''networks'')',
	'error guard_missing inventory - guard secondary_ip_guard of cloud.all_nic_secondary_ips has another argument than it should');
SELECT pg_temp.finds('m', 'ALTER TABLE m.nic_history ENABLE REPLICA TRIGGER history_guard',
	'error guard_disabled inventory - guard history_guard of m.nic_history is disabled');
SELECT is((SELECT code || ': ' || message FROM vmnet.check_inventory('cloud')), NULL, 'all of it is mended, or undone');

-- several at once, and an odd name
ALTER TABLE "a ""b"" it's $1 %s USING".all_nics DROP CONSTRAINT nic_strategy_valid, DROP CONSTRAINT all_nics_network_id_fkey, ALTER uuid DROP NOT NULL;
DROP INDEX "a ""b"" it's $1 %s USING".all_nics_one_ip6;
CREATE RULE "it's" AS ON DELETE TO "a ""b"" it's $1 %s USING".all_networks DO INSTEAD NOTHING;
ALTER VIEW "a ""b"" it's $1 %s USING".nics SET (security_invoker = off);
SELECT results_eq($$SELECT code FROM vmnet.check_inventory('a "b" it''s $1 %s USING')$$, ARRAY['rule_missing', 'rule_missing', 'rule_missing', 'column_differs', 'view_differs', 'table_differs'], 'an inventory with an odd name that lacks much');
DO $$
DECLARE
	statement text;
BEGIN
	FOR statement IN SELECT fix FROM vmnet.check_inventory('a "b" it''s $1 %s USING') LOOP
		EXECUTE statement;
	END LOOP;
END $$;
SELECT is_empty($$SELECT code, message FROM vmnet.check_inventory('a "b" it''s $1 %s USING')$$, 'is mended by the fixes');
SELECT is_empty($$SELECT * FROM pg_temp.drift('a "b" it''s $1 %s USING', 'managed')$$, 'and is what it was');

--
-- What is no finding
--
ALTER TABLE cloud.all_nics ADD color text DEFAULT 'red' CHECK (color <> ''), ADD rack int, ADD twice bigint GENERATED ALWAYS AS (id * 2) STORED;
CREATE INDEX by_color ON cloud.all_nics (color);
CREATE UNIQUE INDEX by_rack ON cloud.all_nics (rack);
ALTER TABLE cloud.all_nics ADD CONSTRAINT far FOREIGN KEY (rack) REFERENCES cloud.all_networks (id) DEFERRABLE;
CREATE TABLE cloud.ours (id int);
CREATE UNLOGGED TABLE cloud.scratch (id int);
CREATE RULE r AS ON INSERT TO cloud.ours DO INSTEAD NOTHING;
SELECT is_empty($$SELECT code, message FROM vmnet.check_inventory('cloud')$$, 'columns, indexes, constraints and tables that users added');
ALTER TABLE cloud.all_nics RENAME CONSTRAINT nic_state_valid TO our_states;
ALTER TABLE cloud.all_nics RENAME CONSTRAINT all_nics_network_id_fkey TO "on a network";
ALTER TABLE cloud.all_nics RENAME CONSTRAINT all_nics_pkey TO key;
ALTER INDEX cloud.all_nics_one_ip4 RENAME TO "One address";
ALTER INDEX cloud.all_nics_active_idx SET (fillfactor = 70);
DROP INDEX cloud.all_nics_mac_idx;
CREATE INDEX ON cloud.all_nics (mac_address) WITH (fillfactor = 80);
DROP INDEX cloud.all_nics_ip6_idx;
CREATE INDEX all_nics_ip6_idx ON cloud.all_nics USING btree (ip6_address ASC NULLS LAST) WHERE ip6_address IS NOT NULL;
SELECT is_empty($$SELECT code, message FROM vmnet.check_inventory('cloud')$$, 'constraints and indexes that were renamed, made anew or given parameters');
ALTER TABLE cloud.all_networks ALTER state SET DEFAULT 'Setup', ALTER traffic_type DROP DEFAULT;
ALTER TABLE cloud.nic_history ALTER actor SET DEFAULT 'somebody';
ALTER TABLE cloud.all_nics ALTER id SET DEFAULT nextval('cloud.all_networks_id_seq');
SELECT is_empty($$SELECT code, message FROM vmnet.check_inventory('cloud')$$, 'defaults that are for users to change');
ALTER TRIGGER nic_prepare ON cloud.all_nics RENAME TO prepare;
ALTER TABLE cloud.all_nics ENABLE ALWAYS TRIGGER _nic_guard;
CREATE TRIGGER theirs BEFORE UPDATE ON cloud.all_nics FOR EACH ROW WHEN (false) EXECUTE FUNCTION public.does_nothing();
SELECT is_empty($$SELECT code, message FROM vmnet.check_inventory('cloud')$$, 'a guard of another name or one that always fires, and a trigger of a user');
ALTER VIEW cloud.nics SET (security_invoker = on, security_barrier);
CREATE OR REPLACE VIEW cloud.networks WITH (security_invoker = 1) AS SELECT id, uuid, name, state, traffic_type, guest_type, cidr, network_cidr, gateway,
	ip6_cidr, ip6_gateway, all_cidrs, all_gateways, vpc_id, zone_id, domain_id, account_id, account_name, domain_path, zone_name, nics_count, created, removed, 'ours' AS ours FROM cloud.all_networks WHERE active;
SELECT is_empty($$SELECT code, message FROM vmnet.check_inventory('cloud')$$, 'views with more columns and options');
CREATE RULE later AS ON UPDATE TO cloud.all_nics DO INSTEAD NOTHING;
ALTER TABLE cloud.all_nics DISABLE RULE later;
SELECT is_empty($$SELECT code, message FROM vmnet.check_inventory('cloud')$$, 'a rule that is disabled');
ALTER TABLE m.all_nics ALTER vm_type SET NOT NULL, ALTER uuid SET NOT NULL;
SELECT is_empty($$SELECT code, message FROM vmnet.check_inventory('m')$$, 'a column of a mirror that is NOT NULL');
SET LOCAL quote_all_identifiers = on;
SELECT is_empty($$SELECT code, message FROM vmnet.check_inventory('cloud')$$, 'nor do settings of the session matter');
SET LOCAL search_path = cloud, public;
SELECT is_empty($$SELECT code, message FROM cloud_report.findings$$, 'nor its search_path to the report');
SET LOCAL search_path = public, m, pg_catalog;
SELECT is_empty($$SELECT code, message FROM m_report.findings$$, 'nor that of another inventory');
RESET quote_all_identifiers;
RESET search_path;

-- partitioned history
SELECT vmnet.partition_history('cloud') \g /dev/null
SELECT is_empty($$SELECT code, message FROM vmnet.check_inventory('cloud')$$, 'history that was partitioned');
CREATE TABLE cloud.nic_history_p PARTITION OF cloud.nic_history FOR VALUES FROM ('2020-01-01') TO ('2100-01-01');
SELECT is_empty($$SELECT code, message FROM vmnet.check_inventory('cloud')$$, 'with partitions');
DROP INDEX cloud.nic_history_nic_idx;
SELECT is((SELECT code || ': ' || message FROM vmnet.check_inventory('cloud')), 'index_missing: cloud.nic_history has no index nic_history_nic_idx: USING btree (nic_id, seq)', 'it needs its indexes, too');
DO $$ BEGIN EXECUTE (SELECT fix FROM vmnet.check_inventory('cloud')); END $$;
SELECT is_empty($$SELECT code, message FROM vmnet.check_inventory('cloud')$$, 'which are made on all partitions');

-- a mirror, after an import, after moves, and as a managed inventory
UPDATE cs.nics SET state = 'Reserved', removed = NULL;
DELETE FROM cs.nics WHERE id = 2;
CALL vmnet.import_cloudstack('cs', 'copy');
SELECT is_empty($$SELECT code, message FROM vmnet.check_inventory('copy') WHERE object_type = 'inventory'$$, 'a mirror after its first copy');
UPDATE cs.nics SET network_id = 3 - network_id;
CALL vmnet.import_cloudstack('cs', 'copy');
SELECT is_empty($$SELECT code, message FROM vmnet.check_inventory('copy') WHERE object_type = 'inventory'$$, 'and after NICs were moved');
SAVEPOINT before;
DROP INDEX copy.all_nics_ip4_idx;
SELECT is((SELECT string_agg(code || ' ' || mendable, ', ') FROM vmnet.manage_blockers('copy') WHERE code ~ '_missing'), 'index_missing false', 'what a mirror lacks is in the way of manage_inventory()');
SELECT throws_ok($$SELECT vmnet.manage_inventory('copy')$$, '23514', NULL, 'which refuses');
SELECT throws_ok($$SELECT vmnet.manage_inventory('copy', true)$$, '23514', NULL, 'with repairs, too');
ROLLBACK TO before;
SELECT vmnet.manage_inventory('copy', true) \g /dev/null
SELECT is((SELECT kind FROM vmnet.inventories WHERE name = 'copy'), 'managed', 'a mirror becomes managed');
SELECT is_empty($$SELECT code, message FROM vmnet.check_inventory('copy') WHERE object_type = 'inventory'$$, 'and has what a managed inventory has');
SELECT vmnet.partition_history('copy') \g /dev/null
SELECT is_empty($$SELECT code, message FROM vmnet.check_inventory('copy') WHERE object_type = 'inventory'$$, 'with its history partitioned, too');

-- a repair leaves it to the owner
ALTER TABLE cloud.all_nics DROP CONSTRAINT nic_strategy_valid, ALTER enabled DROP NOT NULL;
SELECT results_eq($$SELECT finding, outcome, why FROM vmnet.repair_inventory('cloud')$$,
	$$VALUES ('rule_missing', 'refused', 'its owner has to mend it before anything else'), ('column_differs', 'refused', 'its owner has to mend it before anything else')$$, 'repair_inventory() refuses');
SELECT is(vmnet.inventory_status('cloud'), 3, 'the status says so');

-- an age that no time is that far back
SELECT throws_ok(format('SELECT * FROM vmnet.check_inventory(''cloud'', %L)', i), '22023', 'min_age must be an interval of at most 2000 years', i || ' is too long for check_inventory()')
FROM unnest('{300000 years,4000000 days,99000000 hours,100000 years -30000000 days}'::text[]) i;
SELECT throws_ok($$SELECT * FROM vmnet.repair_inventory('cloud', min_age => '300000 years')$$, '22023', 'min_age must be an interval of at most 2000 years', 'and for repair_inventory()');
SELECT throws_ok(format('SELECT * FROM vmnet.nics_stuck_for(%L, ''cloud'')', i), '22023', 'older_than must be an interval of at most 2000 years', i || ' is too long for nics_stuck_for()')
FROM unnest('{300000 years,4000000 days,99000000 hours,100000 years -30000000 days,-300000 years}'::text[]) i;
SELECT lives_ok($$SELECT * FROM vmnet.check_inventory('cloud', '1999 years')$$, 'a long one is not');
SELECT lives_ok($$SELECT * FROM vmnet.nics_stuck_for('1999 years', 'cloud')$$, 'nor for nics_stuck_for()');

-- names that a text of the catalogs can contain: of a schema, of functions in it
SELECT vmnet.create_inventory(n) FROM unnest('{catalog,g,"all_nics USING btree","a WITH (","::text"}'::text[]) n \g /dev/null
SELECT is_empty(format('SELECT code, message FROM vmnet.check_inventory(%L)', n), format('nothing is found in inventory %s', n))
FROM unnest('{catalog,g,"all_nics USING btree","a WITH (","::text"}'::text[]) n;
SELECT vmnet.create_inventory('_catalog', 'mirror') \g /dev/null
SELECT is_empty($$SELECT code, message FROM vmnet.check_inventory('_catalog')$$, 'nor in a mirror');
CREATE FUNCTION g.isfinite(timestamptz) RETURNS boolean LANGUAGE sql IMMUTABLE AS 'SELECT true';
ALTER TABLE g.all_networks DROP CONSTRAINT network_removed_finite, ADD CONSTRAINT network_removed_finite CHECK (g.isfinite(removed));
SELECT results_eq($$SELECT code, message FROM vmnet.check_inventory('g')$$,
	$$VALUES ('rule_missing', 'constraint network_removed_finite of g.all_networks is not CHECK (pg_catalog.isfinite(removed)), but CHECK (g.isfinite(removed))')$$,
	'a function of the inventory is another one than that of PostgreSQL');
DO $$ BEGIN EXECUTE (SELECT fix FROM vmnet.check_inventory('g')); END $$;
SELECT is_empty($$SELECT code, message FROM vmnet.check_inventory('g')$$, 'and the fix mends it');
SELECT vmnet.partition_history('all_nics USING btree') \g /dev/null
SELECT is_empty($$SELECT code, message FROM vmnet.check_inventory('all_nics USING btree')$$, 'indexes of partitioned tables are recognized');

SELECT * FROM finish();
ROLLBACK;
