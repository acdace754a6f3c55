-- Trigger functions in the wrong place.  PUBLIC may execute them, so anybody
-- may attach them to a table of their own, in any way.  Each is refused: by the
-- server at CREATE TRIGGER, or by the function with 39P01 when it fires.
\i test/tap/setup.psql
\i test/tap/outcome.psql

SELECT plan(34);

CREATE TEMP TABLE trigger_function AS
SELECT p.proname::text AS name FROM pg_proc p
WHERE p.pronamespace = 'vmnet_internal'::regnamespace AND p.prorettype = 'trigger'::regtype;
SELECT set_eq('SELECT name FROM trigger_function',
	ARRAY['nic_prepare', 'nic_guard', 'network_guard', 'instance_guard', 'no_hard_delete', 'no_truncate', 'mirror_guard', 'nic_view_delete',
		'nic_history', 'history_guard', 'nic_notify', 'attached_nic_guard', 'attached_nic_history', 'attached_network_guard',
		'attached_instance_guard', 'attached_no_delete', 'attached_nic_notify', 'attached_view_write', 'live_guard',
		'secondary_ip_guard', 'nic_secondary_ips_remove', 'fill_defaults', 'parent_view_delete', 'accepted_guard', 'sighting_guard'],
	'the trigger functions that there are');

SELECT is(pg_temp.trial(format('SELECT vmnet_internal.%I()', name)), '39P01', format('%s() called as a function', name))
FROM (SELECT name FROM trigger_function ORDER BY name COLLATE "C") f;

-- Targets.  Each has a row to update and to delete.
CREATE SCHEMA own;
CREATE TABLE own.parent (id bigint PRIMARY KEY, removed timestamptz);
CREATE TABLE own.bare_parent (id bigint PRIMARY KEY);
CREATE TABLE own.odd_parent (id bigint PRIMARY KEY, removed text);
CREATE TABLE own.split_parent (id bigint PRIMARY KEY, removed timestamptz) PARTITION BY RANGE (id);
CREATE TABLE own.split_parent_1 PARTITION OF own.split_parent FOR VALUES FROM (0) TO (1000);
INSERT INTO own.parent VALUES (1), (2);
INSERT INTO own.bare_parent VALUES (1), (2);
INSERT INTO own.odd_parent VALUES (1), (2);
INSERT INTO own.split_parent VALUES (1), (2);

-- a table that has nothing in common with a NIC
CREATE TABLE own.plain (x int);
-- the columns of one, with other types
CREATE TABLE own.wrong_types (id text, uuid text, instance_id text, network_id text, state int, strategy int,
	default_nic int, created text, state_changed text, removed text);
-- the columns and types, without foreign keys
CREATE TABLE own.no_references (id bigint, uuid uuid, instance_id bigint, network_id bigint, state text, strategy text,
	default_nic boolean, created timestamptz, state_changed timestamptz, removed timestamptz);
-- with foreign keys, to tables that are no parents
CREATE TABLE own.one_reference (LIKE own.no_references, FOREIGN KEY (network_id) REFERENCES own.parent);
CREATE TABLE own.bare_references (LIKE own.no_references,
	FOREIGN KEY (network_id) REFERENCES own.bare_parent, FOREIGN KEY (instance_id) REFERENCES own.bare_parent);
CREATE TABLE own.odd_references (LIKE own.no_references,
	FOREIGN KEY (network_id) REFERENCES own.odd_parent, FOREIGN KEY (instance_id) REFERENCES own.odd_parent);
CREATE TABLE own.split_references (LIKE own.no_references,
	FOREIGN KEY (network_id) REFERENCES own.split_parent, FOREIGN KEY (instance_id) REFERENCES own.split_parent);
-- with foreign keys to parents, and other types
CREATE TABLE own.number_states (id bigint, uuid uuid, instance_id bigint REFERENCES own.parent, network_id bigint REFERENCES own.parent,
	state int, strategy int, default_nic boolean, created timestamptz, state_changed timestamptz, removed timestamptz);
CREATE TABLE own.narrow_keys (id int, uuid uuid, instance_id smallint REFERENCES own.parent, network_id int REFERENCES own.parent,
	state text, strategy text, default_nic boolean, created timestamptz, state_changed timestamptz, removed timestamptz);
CREATE TABLE own.text_times (id bigint, uuid uuid, instance_id bigint REFERENCES own.parent, network_id bigint REFERENCES own.parent,
	state text, strategy text, default_nic text, created text, state_changed text, removed text);
-- partitioned itself
CREATE TABLE own.parted (x int) PARTITION BY RANGE (x);
CREATE TABLE own.parted_1 PARTITION OF own.parted FOR VALUES FROM (0) TO (1000);

CREATE TEMP TABLE target (ord serial, name text, insert_one text, change text);
INSERT INTO target (name, insert_one, change) VALUES
	('plain', 'INSERT INTO own.plain VALUES (1)', 'x = 2'),
	('wrong_types', 'INSERT INTO own.wrong_types VALUES (''1'', ''u'', ''1'', ''1'', 1, 1, 1, ''c'', ''s'', NULL)', 'removed = ''r'''),
	('number_states', 'INSERT INTO own.number_states VALUES (1, gen_random_uuid(), 1, 1, 1, 1, NULL, now(), now(), NULL)', 'state = 2, removed = now()'),
	('narrow_keys', 'INSERT INTO own.narrow_keys VALUES (1, gen_random_uuid(), 1, 1, ''Allocated'', ''Start'', NULL, now(), now(), NULL)', 'state = ''Releasing'', removed = now()'),
	('text_times', 'INSERT INTO own.text_times VALUES (1, gen_random_uuid(), 1, 1, ''Allocated'', ''Start'', ''t'', ''c'', ''s'', NULL)', 'removed = ''r'''),
	('parted', 'INSERT INTO own.parted VALUES (1)', 'x = 2');
INSERT INTO target (name, insert_one, change)
SELECT t, format('INSERT INTO own.%I VALUES (1, gen_random_uuid(), 1, 1, ''Allocated'', ''Start'', NULL, now(), now(), NULL)', t),
	'state = ''Releasing'', removed = now()'
FROM unnest(ARRAY['no_references', 'one_reference', 'bare_references', 'odd_references', 'split_references']) t;
SELECT pg_temp.outcome(insert_one) FROM target \g /dev/null

CREATE TEMP TABLE attempt AS
SELECT f.name AS function, t.name AS target, timing, level, event, kind,
	format('CREATE %s TRIGGER wrong %s %s ON own.%I %s FOR EACH %s EXECUTE FUNCTION vmnet_internal.%I()',
		CASE kind WHEN 'constraint' THEN 'CONSTRAINT' ELSE '' END, timing, event, t.name,
		CASE kind WHEN 'constraint' THEN 'DEFERRABLE INITIALLY DEFERRED' ELSE '' END, level, f.name) AS attach,
	CASE event
		WHEN 'INSERT' THEN t.insert_one
		WHEN 'UPDATE' THEN format('UPDATE own.%I SET %s', t.name, t.change)
		WHEN 'DELETE' THEN format('DELETE FROM own.%I', t.name)
		ELSE format('TRUNCATE own.%I', t.name)
	END || '; SET CONSTRAINTS ALL IMMEDIATE' AS fire,
	NULL::text AS attached, NULL::text AS fired
FROM trigger_function f, target t,
	unnest(ARRAY['BEFORE', 'AFTER', 'INSTEAD OF']) timing,
	unnest(ARRAY['ROW', 'STATEMENT']) level,
	unnest(ARRAY['INSERT', 'UPDATE', 'DELETE', 'TRUNCATE']) event,
	unnest(ARRAY['plain', 'constraint']) kind;

DO $$
DECLARE
	a attempt;
	r text[];
BEGIN
	FOR a IN SELECT * FROM attempt LOOP
		BEGIN
			r := ARRAY[pg_temp.outcome(a.attach), NULL];
			IF r[1] = 'accepted' THEN
				r[2] := pg_temp.outcome(a.fire);
			END IF;
			RAISE EXCEPTION USING ERRCODE = 'UNDO1';
		EXCEPTION WHEN SQLSTATE 'UNDO1' THEN
			UPDATE attempt t SET attached = r[1], fired = r[2] WHERE t.attach = a.attach;
		END;
	END LOOP;
END
$$;

SELECT is((SELECT count(*) FROM attempt), 25 * 11 * 3 * 2 * 4 * 2::bigint, 'every function was attached in every way to every table');
SELECT is_empty($$SELECT function, target, timing, level, event, kind, attached FROM attempt
	WHERE attached <> 'accepted' AND left(attached, 2) NOT IN ('42', '0A')$$,
	'where the server refuses the trigger, it does so as for any function');
-- by hand: for an ordinary table BEFORE and AFTER, each ROW with 3 events and
-- STATEMENT with 4, and constraint triggers AFTER ROW with 3; a partitioned
-- one the same
SELECT is((SELECT count(*) FROM attempt WHERE attached = 'accepted'), 25 * 11 * (2 * (3 + 4) + 3)::bigint,
	'the server refuses no other');
-- These three keep rows whatever the table is, so their own refusal is as good.
CREATE TEMP VIEW own_refusal (function, timing, level, event, refusal) AS VALUES
	('no_hard_delete', 'BEFORE', 'ROW', 'DELETE', '23001 no_hard_delete'),
	('no_truncate', 'BEFORE', 'STATEMENT', 'TRUNCATE', '23001 no_hard_delete'),
	('mirror_guard', 'BEFORE', 'STATEMENT', 'INSERT', '42501 mirror_read_only'),
	('mirror_guard', 'BEFORE', 'STATEMENT', 'UPDATE', '42501 mirror_read_only');
SELECT is_empty($$
	SELECT a.function, a.target, a.timing, a.level, a.event, a.kind, a.fired
	FROM attempt a LEFT JOIN own_refusal r USING (function, timing, level, event)
	WHERE a.attached = 'accepted' AND a.fired <> '39P01' AND a.fired IS DISTINCT FROM r.refusal$$,
	'a trigger function that fires on a table that is no inventory''s refuses with 39P01');

-- views
CREATE VIEW own.no_id AS SELECT 1 AS x;
CREATE VIEW own.text_id AS SELECT '1'::text AS id;
CREATE VIEW own.bare_id AS SELECT 1::bigint AS id;
SELECT is_empty($$
	SELECT function, view, event, got
	FROM (SELECT f.name AS function, view, event, pg_temp.trial(format(
			'CREATE TRIGGER wrong INSTEAD OF %s ON own.%I FOR EACH ROW EXECUTE FUNCTION vmnet_internal.%I(); %s', event, view, f.name,
			CASE event WHEN 'INSERT' THEN format('INSERT INTO own.%I VALUES (1)', view)
				WHEN 'UPDATE' THEN format('UPDATE own.%I SET %s', view, CASE view WHEN 'no_id' THEN 'x = 2' ELSE 'id = 2' END)
				ELSE format('DELETE FROM own.%I', view) END)) AS got
		FROM trigger_function f, unnest(ARRAY['no_id', 'text_id', 'bare_id']) view, unnest(ARRAY['INSERT', 'UPDATE', 'DELETE']) event) t
	WHERE got <> '39P01'$$,
	'nor is there a view of one''s own that it works on');

-- On an inventory's own table, fired by what it is not for: refused as well,
-- or else an UPDATE would be undone or a DELETE let through in silence.
SELECT is_empty($$
	SELECT function, target, timing, level, event, got
	FROM (SELECT f.name AS function, target, timing, level, event, pg_temp.trial(format(
			'CREATE TRIGGER wrong %s %s ON cloud.%I FOR EACH %s EXECUTE FUNCTION vmnet_internal.%I(); %s', timing, event, target, level, f.name,
			CASE event WHEN 'INSERT' THEN 'INSERT INTO cloud.networks (id) VALUES (7); INSERT INTO cloud.instances (id) VALUES (7);
					INSERT INTO cloud.nics (id, instance_id, network_id) VALUES (7, 7, 7)'
				WHEN 'UPDATE' THEN 'INSERT INTO cloud.networks (id) VALUES (7); INSERT INTO cloud.instances (id) VALUES (7);
					INSERT INTO cloud.nics (id, instance_id, network_id) VALUES (7, 7, 7);
					UPDATE cloud.networks SET name = ''x''; UPDATE cloud.instances SET name = ''x''; UPDATE cloud.nics SET mtu = 1' END)) AS got
		FROM trigger_function f, unnest(ARRAY['all_networks', 'all_instances', 'all_nics']) target,
			unnest(ARRAY['BEFORE', 'AFTER']) timing, unnest(ARRAY['ROW', 'STATEMENT']) level, unnest(ARRAY['INSERT', 'UPDATE']) event) t
	WHERE got <> '39P01'
		AND (function, target, timing, level, event) NOT IN (
			('nic_prepare', 'all_nics', 'BEFORE', 'ROW', 'INSERT'), ('nic_prepare', 'all_nics', 'BEFORE', 'ROW', 'UPDATE'),
			('fill_defaults', 'all_networks', 'BEFORE', 'ROW', 'INSERT'), ('fill_defaults', 'all_instances', 'BEFORE', 'ROW', 'INSERT'), ('fill_defaults', 'all_nics', 'BEFORE', 'ROW', 'INSERT'),
			('nic_guard', 'all_nics', 'AFTER', 'ROW', 'INSERT'), ('nic_guard', 'all_nics', 'AFTER', 'ROW', 'UPDATE'),
			('nic_history', 'all_nics', 'AFTER', 'STATEMENT', 'UPDATE'),
			('network_guard', 'all_networks', 'AFTER', 'ROW', 'UPDATE'), ('instance_guard', 'all_instances', 'AFTER', 'ROW', 'UPDATE'),
			-- the tables of networks and instances are alike
			('network_guard', 'all_instances', 'AFTER', 'ROW', 'UPDATE'), ('instance_guard', 'all_networks', 'AFTER', 'ROW', 'UPDATE'),
			('network_guard', 'all_nics', 'AFTER', 'ROW', 'UPDATE'), ('instance_guard', 'all_nics', 'AFTER', 'ROW', 'UPDATE'))
		AND NOT (function = 'mirror_guard' AND timing = 'BEFORE' AND level = 'STATEMENT' AND got = '42501 mirror_read_only')$$,
	'on a table of an inventory, a function refuses an event that it is not for');

-- no event trigger, and the rest of the session is none the worse for any of it
SELECT is(pg_temp.trial('CREATE EVENT TRIGGER wrong ON ddl_command_end EXECUTE FUNCTION vmnet_internal.nic_guard()'), '42P17',
	'a trigger function is no event trigger function');
INSERT INTO cloud.networks (id) VALUES (1);
INSERT INTO cloud.instances (id) VALUES (1);
INSERT INTO cloud.nics (id, instance_id, network_id) VALUES (1, 1, 1);
SELECT is(pg_temp.outcome($$UPDATE cloud.nics SET state = 'Releasing'$$), '23514 nic_state_transition',
	'after all of that the guards of an inventory work');

SELECT * FROM finish();
ROLLBACK;
