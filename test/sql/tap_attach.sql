-- Properties of attached inventories: their tables are as they were afterwards,
-- the guards keep the rules whatever the rows, whoever writes, and whatever
-- policy is on them; and history is written once.
\i test/tap/setup.psql
\i test/tap/outcome.psql
SELECT plan(29);

CREATE SCHEMA app;
CREATE TABLE app.net (id int PRIMARY KEY, name text, gone timestamptz);
CREATE TABLE app.vm (id int PRIMARY KEY, gone timestamptz);
CREATE TABLE app.port (id int PRIMARY KEY, net int NOT NULL REFERENCES app.net, vm int REFERENCES app.vm, phase text NOT NULL DEFAULT 'free', mac macaddr, gone timestamptz);
CREATE INDEX port_net ON app.port (net) WHERE gone IS NULL;
COMMENT ON TABLE app.port IS 'ours';
INSERT INTO app.net SELECT i, 'n' || i FROM generate_series(1, 20) i;
INSERT INTO app.vm SELECT i FROM generate_series(1, 50) i;
INSERT INTO app.port SELECT i, 1 + i % 20, 1 + i % 50, (ARRAY['free', 'used', 'dying'])[1 + i % 3], NULL, CASE WHEN i % 7 = 0 THEN '2024-02-01'::timestamptz END
FROM generate_series(1, 500) i;

-- Everything that the catalogs say of the tables.
CREATE FUNCTION pg_temp.catalogs() RETURNS SETOF text
LANGUAGE sql AS $$
SELECT format('class %s %s', c.oid, to_jsonb(c) - 'relhastriggers' - 'relpages' - 'reltuples' - 'relallvisible' - 'relfrozenxid' - 'relminmxid' - 'relacl')
FROM pg_class c WHERE c.relnamespace = 'app'::regnamespace
UNION ALL SELECT format('att %s', to_jsonb(a)) FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid WHERE c.relnamespace = 'app'::regnamespace
UNION ALL SELECT format('con %s', to_jsonb(k)) FROM pg_constraint k WHERE k.connamespace = 'app'::regnamespace
UNION ALL SELECT format('index %s', to_jsonb(i)) FROM pg_index i JOIN pg_class c ON c.oid = i.indrelid WHERE c.relnamespace = 'app'::regnamespace
UNION ALL SELECT format('trigger %s', to_jsonb(t)) FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid WHERE c.relnamespace = 'app'::regnamespace
UNION ALL SELECT format('description %s', to_jsonb(d)) FROM pg_description d WHERE d.objoid IN (SELECT oid FROM pg_class WHERE relnamespace = 'app'::regnamespace UNION ALL SELECT t.oid FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid WHERE c.relnamespace = 'app'::regnamespace)
UNION ALL SELECT format('depend %s', to_jsonb(d)) FROM pg_depend d WHERE d.refobjid IN (SELECT oid FROM pg_class WHERE relnamespace = 'app'::regnamespace)
UNION ALL SELECT 'row ' || p.ctid || ' ' || p.xmin || p::text FROM app.port p
$$;
CREATE TEMP TABLE before AS SELECT * FROM pg_temp.catalogs() c (line);
CREATE TEMP TABLE schemas AS SELECT nspname FROM pg_namespace;

CREATE FUNCTION pg_temp.attach(mode text) RETURNS SETOF text LANGUAGE sql AS $$
SELECT finding FROM vmnet.attach_inventory('att', 'app.port', 'app.net', 'app.vm',
	'{"nics": {"network_id": "net", "instance_id": "vm", "state": "phase", "mac_address": "mac", "removed": "gone"},
	"networks": {"removed": "gone"}, "instances": {"removed": "gone"},
	"states": {"free": "Allocated", "taking": "Reserving", "used": "Reserved", "dying": "Deallocating"}}', $1)
$$;
SELECT set_eq($$ SELECT pg_temp.attach('enforce') $$, ARRAY['index_missing'], 'clean tables can be enforced at once');

SELECT set_eq($$ SELECT line FROM pg_temp.catalogs() c (line) WHERE line ~ '^(row|att|con|index)' $$, $$ SELECT line FROM before WHERE line ~ '^(row|att|con|index)' $$,
	'attaching changes no row, no column, no constraint and no index');

-- the views against an oracle of their own
SELECT set_eq('SELECT id::int FROM att.nics', $$ SELECT id FROM app.port WHERE gone IS NULL AND phase <> 'dying' $$, 'nics are the live ports');
SELECT results_eq('SELECT network_id::int, instance_id::int, nic_count FROM att.network_instances ORDER BY 1, 2',
	$$ SELECT net, vm, count(*) FROM app.port WHERE gone IS NULL AND phase <> 'dying' GROUP BY net, vm ORDER BY 1, 2 $$, 'network_instances is right for every network');
SELECT results_eq('SELECT w.id::int, i.instance_id::int, i.nic_count, i.nic_id::int FROM att.networks w, vmnet.network_active_instances(w.id, inventory => ''att'') i ORDER BY 1, 2',
	$$ SELECT net, vm, count(*), min(id) FROM app.port WHERE gone IS NULL AND phase <> 'dying' GROUP BY net, vm ORDER BY 1, 2 $$, 'and so is the function');
SELECT results_eq('SELECT network_id::int, attached_nics, active_instances, allocated, reserved, deallocating FROM att.network_counts ORDER BY 1',
	$$ SELECT net, count(*) FILTER (WHERE phase <> 'dying'), count(DISTINCT vm) FILTER (WHERE phase <> 'dying'), count(*) FILTER (WHERE phase = 'free'), count(*) FILTER (WHERE phase = 'used'), count(*) FILTER (WHERE phase = 'dying')
	FROM app.port WHERE gone IS NULL GROUP BY net ORDER BY 1 $$, 'network_counts too');

-- what is refused, and under which name
SELECT is(pg_temp.trial($$ UPDATE app.net SET gone = now() WHERE id = 1 $$), '23503 network_in_use', 'a network with NICs stays');
SELECT is(pg_temp.trial($$ UPDATE app.vm SET gone = now() $$), '23503 instance_in_use', 'an instance with NICs stays');
SELECT is(pg_temp.trial($$ UPDATE app.port SET gone = NULL WHERE id = 7 $$), '23514 nic_removed_once', 'a removed NIC stays removed');
SELECT is(pg_temp.trial($$ UPDATE app.port SET gone = now() WHERE id = 7 $$), '23514 nic_removed_once', 'since when, too');
SELECT is(pg_temp.trial($$ UPDATE app.port SET net = 5 WHERE id = 1 $$), '23514 nic_identity_immutable', 'a NIC stays on its network');
SELECT is(pg_temp.trial($$ INSERT INTO app.port VALUES (1000, 1, 1, 'taking') $$), '23514 nic_initial_state', 'a NIC starts where it should');
SELECT is(pg_temp.trial($$ UPDATE app.port SET phase = 'free' WHERE phase = 'dying' AND gone IS NULL $$), '23514 nic_state_transition', 'nothing leaves Deallocating');
SELECT is(pg_temp.trial($$ DELETE FROM app.port WHERE id = 1 $$), '23001 no_hard_delete', 'nothing live is deleted for good');
SELECT is(pg_temp.trial($$ DELETE FROM app.port WHERE id = 7 $$), 'accepted', 'what is removed may be purged');
SELECT is(pg_temp.trial($$ TRUNCATE app.port $$), '23001 no_hard_delete', 'nor truncated');
SELECT is(pg_temp.trial($$ INSERT INTO att.nics (id) VALUES (1000) $$), '42501 attached_view_read_only', 'the views are for reading');

-- row-level security hides nothing from a guard
CREATE ROLE attach_app;
GRANT USAGE ON SCHEMA app TO attach_app;
GRANT ALL ON ALL TABLES IN SCHEMA app TO attach_app;
ALTER TABLE app.port ENABLE ROW LEVEL SECURITY;
ALTER TABLE app.port FORCE ROW LEVEL SECURITY;
CREATE POLICY nothing ON app.port FOR SELECT USING (false);
SELECT is(pg_temp.outcome_as('attach_app', $$ UPDATE app.net SET gone = now() WHERE id = 1 $$), '23503 network_in_use', 'a policy does not hide a blocker, nor does the schema need a grant');
DROP POLICY nothing ON app.port;
ALTER TABLE app.port NO FORCE ROW LEVEL SECURITY;
ALTER TABLE app.port DISABLE ROW LEVEL SECURITY;
SELECT is(pg_temp.outcome_as('attach_app', $$ UPDATE app.port SET phase = 'taking' WHERE id = 3 $$), 'accepted', 'who may write the table needs no right on the inventory');
SELECT results_eq('SELECT nic_id, from_state, to_state, event FROM att.nic_history', $$ VALUES (3::bigint, 'Allocated', 'Reserving', 'ReservationRequested') $$, 'and history is written for him');
UPDATE app.port SET phase = 'free' WHERE id = 3;

-- a second inventory over the same tables writes its own history, once
SELECT finding FROM vmnet.attach_inventory('att2', 'app.port', 'app.net', 'app.vm',
	'{"nics": {"network_id": "net", "instance_id": "vm", "state": "phase", "removed": "gone"}, "networks": {"removed": "gone"}, "instances": {"removed": "gone"}}', 'warn') \g /dev/null
UPDATE app.port SET phase = 'dying', gone = '2024-06-01' WHERE net = 1 AND phase = 'used' AND gone IS NULL;
SELECT is((SELECT count(*) FROM att.nic_history WHERE event = 'RemoveRequested'), (SELECT count(*) FROM app.port WHERE gone = '2024-06-01'), 'a statement of many rows is recorded row by row');
SELECT is((SELECT count(*) FROM att2.nic_history), (SELECT count(*) FROM app.port WHERE gone = '2024-06-01'), 'by each inventory on its own');
SELECT lives_ok($$ SELECT vmnet.detach_inventory('att2') $$, 'one of two can be detached');

-- modes
SELECT is(pg_temp.trial($$ SET LOCAL client_min_messages = error; SELECT vmnet.set_inventory_mode('att', 'warn'); UPDATE app.net SET gone = now() WHERE id = 2 $$), 'accepted', 'warn refuses nothing');
SELECT is(pg_temp.trial($$ SET LOCAL client_min_messages = error; SELECT vmnet.set_inventory_mode('att', 'warn'); UPDATE app.net SET gone = now() WHERE id = 2; SELECT vmnet.set_inventory_mode('att', 'enforce') $$),
	'23514 attached_violations', 'enforce is refused while something is wrong');
SELECT is(pg_temp.trial($$ SET LOCAL client_min_messages = error; SELECT vmnet.set_inventory_mode('att', 'warn'); UPDATE app.net SET gone = now() WHERE id = 2; SELECT vmnet.set_inventory_mode('att', 'enforce', true); UPDATE app.net SET gone = now() WHERE id = 3 $$),
	'23503 network_in_use', 'unless it is asked for; then what is new is judged');
SELECT is(pg_temp.trial($$ SELECT vmnet.set_inventory_mode('att', 'read_only'); UPDATE app.net SET gone = now() WHERE id = 2; INSERT INTO app.port VALUES (1000, 2, 1, 'taking') $$), 'accepted', 'read_only has no guards');

-- detach: a table that nothing was written to since is compared row by row
SELECT vmnet.detach_inventory('att') \g /dev/null
DROP OWNED BY attach_app;
DROP ROLE attach_app;
SELECT set_eq($$ SELECT line FROM pg_temp.catalogs() c (line) WHERE line !~ '^row' $$,
	$$ SELECT line FROM before WHERE line !~ '^row' $$, 'after detach the catalogs say of the tables what they said before');
SELECT set_eq('SELECT nspname FROM pg_namespace', 'SELECT nspname FROM schemas UNION SELECT nspname FROM pg_namespace WHERE nspname ~ ''^pg_temp|^pg_toast_temp''', 'no schema is left');
SELECT * FROM finish();
ROLLBACK;
