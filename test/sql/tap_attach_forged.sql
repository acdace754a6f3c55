-- Trigger functions of attached tables on what nobody attached: hand-made
-- triggers on relations of every kind, views of every shape, columns of every
-- type.  What a guard cannot judge by is refused, and the session goes on.
\i test/tap/setup.psql
\i test/tap/outcome.psql
SELECT plan(84);
SET LOCAL client_min_messages = error;

CREATE ROLE forged_eve;
CREATE ROLE forged_boss;
CREATE SCHEMA eve AUTHORIZATION forged_eve;
CREATE SCHEMA boss AUTHORIZATION forged_boss;
GRANT USAGE ON SCHEMA boss TO forged_eve;
SET ROLE forged_boss;
CREATE TABLE boss.payroll (id int PRIMARY KEY, amount text);
INSERT INTO boss.payroll VALUES (7, 'one million');
GRANT REFERENCES ON boss.payroll TO forged_eve;
CREATE VIEW boss.nets AS SELECT 7 AS key, 7::bigint AS id, NULL::timestamptz AS removed;
GRANT SELECT ON boss.nets TO forged_eve;

SET ROLE forged_eve;
CREATE TYPE eve.phase AS ENUM ('Allocated', 'Reserved');
CREATE DOMAIN eve.word AS text;
CREATE VIEW eve.inventory_info AS SELECT 'attached'::text AS kind, NULL::text AS source, 'enforce'::text AS mode, '1'::text AS version;
CREATE TABLE eve.ports (id bigint, net int, net_text text, net_point point, instance int, st text, st_big bigint, st_enum eve.phase, st_word eve.word, st_varchar varchar(20),
	removed timestamptz, removed_date date, removed_text text, addr text, doc json, next bigint GENERATED ALWAYS AS (id + 1) STORED);
CREATE TABLE eve.nets (id bigint, num int, code text, at point, removed timestamptz, gone boolean, later int GENERATED ALWAYS AS (num + 1) STORED);
INSERT INTO eve.nets VALUES (7, 7, '7', '(7,7)', NULL, false);
INSERT INTO eve.nets VALUES (8, 8, '8', '(8,8)', '2024-01-01', true);
CREATE VIEW eve.inner_view AS SELECT * FROM eve.nets;
CREATE MATERIALIZED VIEW eve.mat AS SELECT num AS key, id, removed FROM eve.nets;
CREATE TABLE eve.parted (LIKE eve.nets) PARTITION BY LIST (num);
CREATE TABLE eve.part PARTITION OF eve.parted FOR VALUES IN (7);
CREATE FUNCTION eve.rows() RETURNS SETOF eve.nets LANGUAGE sql STABLE AS 'SELECT * FROM eve.nets';
CREATE TRIGGER g AFTER INSERT OR UPDATE ON eve.ports FOR EACH ROW EXECUTE FUNCTION vmnet_internal.attached_nic_guard('eve', 'nics');
RESET ROLE;
CREATE FOREIGN DATA WRAPPER forged_none;
CREATE SERVER forged_none FOREIGN DATA WRAPPER forged_none;
CREATE FOREIGN TABLE eve.far (num int, id bigint, removed timestamptz) SERVER forged_none;
ALTER FOREIGN TABLE eve.far OWNER TO forged_eve;

-- The view of a role with this query, and what a write to ports comes to.
CREATE FUNCTION pg_temp.forge(relation text, query text, command text DEFAULT 'INSERT INTO eve.ports (id, net, net_text, st) VALUES (1, 7, ''7'', ''Allocated'')') RETURNS text
LANGUAGE plpgsql AS $$
DECLARE
	result text;
BEGIN
	result := pg_temp.outcome_as('forged_eve', format('DROP VIEW IF EXISTS eve.attached_%s; CREATE VIEW eve.attached_%1$s AS ', relation) || query);
	IF result <> 'accepted' THEN
		RETURN 'the view: ' || result;
	END IF;
	RETURN pg_temp.outcome_as('forged_eve', command);
END
$$;
\set nics 'SELECT id, net AS network_id, net AS network_key, NULL::bigint AS instance_id, NULL::bigint AS instance_key, removed, st AS state FROM eve.ports'
\set nets 'SELECT num AS key, id, removed FROM eve.nets'
SELECT is(pg_temp.forge('nics', :'nics'), 'accepted', 'views as attach_inventory() makes them');
SELECT is(pg_temp.forge('networks', :'nets'), 'accepted', 'those of networks, too');
SELECT is(pg_temp.forge('networks', :'nets', 'INSERT INTO eve.ports (id, net) VALUES (2, 8)'), '23503 nic_parent_active', 'and the guard judges by them');
SELECT is(pg_temp.forge('networks', :'nets' || ' ORDER BY code', 'INSERT INTO eve.ports (id, net) VALUES (2, 9)'), '23503 nic_parent_active', 'in any order');
SELECT is(pg_temp.forge('networks', 'SELECT later AS key, id, removed FROM eve.nets', 'INSERT INTO eve.ports (id, net) VALUES (2, 8)'), 'accepted', 'a stored generated column is a key');
SELECT is(pg_temp.forge('networks', 'SELECT num AS key, id, CASE WHEN gone THEN now() END AS removed FROM eve.nets', 'INSERT INTO eve.ports (id, net) VALUES (2, 8)'), '23503 nic_parent_active', 'an expression says what is removed');
SELECT is(pg_temp.forge('networks', 'SELECT num AS key FROM eve.nets', 'INSERT INTO eve.ports (id, net) VALUES (2, 8)'), 'accepted', 'where no column says it, all are there');

-- shapes of the view of networks
SELECT is(pg_temp.forge('networks', v.query), '39P01', v.about)
FROM (VALUES
	('a view over a view', 'SELECT num AS key, id, removed FROM eve.inner_view'),
	('a materialized view', 'SELECT key, id, removed FROM eve.mat'),
	('a partitioned table', 'SELECT num AS key, id, removed FROM eve.parted'),
	('a foreign table', 'SELECT num AS key, id, removed FROM eve.far'),
	('a join', 'SELECT n.num AS key, n.id, n.removed FROM eve.nets n JOIN eve.nets m ON m.id = n.id'),
	('a list of tables', 'SELECT n.num AS key, n.id, n.removed FROM eve.nets n, eve.nets m'),
	('a query in FROM', 'SELECT num AS key, id, removed FROM (SELECT * FROM eve.nets OFFSET 0) n'),
	('VALUES', 'VALUES (7, 7::bigint, NULL::timestamptz)'),
	('a function', 'SELECT num AS key, id, removed FROM eve.rows()'),
	('nothing in FROM', 'SELECT 7 AS key, 7::bigint AS id, NULL::timestamptz AS removed'),
	('UNION', 'SELECT num AS key, id, removed FROM eve.nets UNION ALL SELECT num, id, removed FROM eve.nets'),
	('WITH', 'WITH n AS (SELECT * FROM eve.nets) SELECT num AS key, id, removed FROM n'),
	('WITH that is not read', 'WITH n AS (SELECT 1) SELECT num AS key, id, removed FROM eve.nets'),
	('an aggregate', 'SELECT max(num) AS key, max(id) AS id, max(removed) AS removed FROM eve.nets'),
	('GROUP BY', 'SELECT num AS key, id, removed FROM eve.nets GROUP BY num, id, removed'),
	('DISTINCT', 'SELECT DISTINCT num AS key, id, removed FROM eve.nets'),
	('a window', 'SELECT num AS key, id, max(removed) OVER () AS removed FROM eve.nets'),
	('a set', 'SELECT num AS key, generate_series(id, 9) AS id, removed FROM eve.nets'),
	('LIMIT', 'SELECT num AS key, id, removed FROM eve.nets LIMIT 1'),
	('WHERE', 'SELECT num AS key, id, removed FROM eve.nets WHERE id > 0'),
	('TABLESAMPLE', 'SELECT num AS key, id, removed FROM eve.nets TABLESAMPLE SYSTEM (100)'),
	('locks', 'SELECT num AS key, id, removed FROM eve.nets FOR SHARE'),
	('a query in a column', 'SELECT num AS key, id, (SELECT max(amount)::timestamptz FROM boss.payroll) AS removed FROM eve.nets'),
	('the whole row', 'SELECT num AS key, id, CASE WHEN n IS NULL THEN now() END AS removed FROM eve.nets n'),
	('the whole row as a text', 'SELECT num AS key, id, n::text::timestamptz AS removed FROM eve.nets n'),
	('a system column', 'SELECT num AS key, id, CASE WHEN xmin IS NULL THEN now() END AS removed FROM eve.nets'),
	('a system column as the key', 'SELECT ctid AS key, id, removed FROM eve.nets'),
	('the OID of the table as the key', 'SELECT tableoid AS key, id, removed FROM eve.nets'),
	('an expression as the key', 'SELECT num + 0 AS key, id, removed FROM eve.nets'),
	('NULL as the key', 'SELECT NULL AS key, id, removed FROM eve.nets'),
	('no key', 'SELECT id, removed FROM eve.nets'),
	('a key that nothing is equal to', 'SELECT at AS key, id, removed FROM eve.nets'),
	('a key of another type', 'SELECT code AS key, id, removed FROM eve.nets'),
	('a time that is a date', 'SELECT num AS key, id, removed::date AS removed FROM eve.nets'),
	('a time that is a text', 'SELECT num AS key, id, code AS removed FROM eve.nets'),
	('a time that is a flag', 'SELECT num AS key, id, gone AS removed FROM eve.nets')) v (about, query);
SELECT is(pg_temp.forge('networks', 'SELECT id AS key, id::int8 AS id, amount::timestamptz AS removed FROM boss.payroll'), '42501 inventory_owner', 'a table of another role is not read');
SELECT is(pg_temp.outcome_as('forged_eve', 'ALTER TABLE eve.ports ADD FOREIGN KEY (net) REFERENCES boss.payroll (id) NOT VALID'), 'accepted', 'which a foreign key may lead to');
SELECT is(pg_temp.outcome_as('forged_eve', 'INSERT INTO eve.ports (id, net) VALUES (1, 7)'), '42501 inventory_owner', 'nor is it read then');
ALTER TABLE eve.ports DROP CONSTRAINT ports_net_fkey;
SELECT is(pg_temp.forge('networks', 'SELECT key, id, removed FROM boss.nets'), '39P01', 'nor a view of another role');
ALTER VIEW eve.attached_networks OWNER TO forged_boss;
SELECT is(pg_temp.outcome_as('forged_eve', 'INSERT INTO eve.ports (id, net) VALUES (1, 7)'), '42501 inventory_owner', 'nor by a view that is another role''s');
ALTER VIEW eve.attached_networks OWNER TO forged_eve;
SELECT pg_temp.forge('networks', :'nets') \g /dev/null

-- columns of NICs
SELECT is(pg_temp.forge('nics', format('SELECT id, net AS network_id, net AS network_key, NULL::bigint AS instance_id, NULL::bigint AS instance_key, %s FROM eve.ports', v.columns),
	$$ INSERT INTO eve.ports (id, net, st, st_big, st_enum, st_word, st_varchar, removed_date, removed_text, addr, doc) VALUES (3, 7, 'Reserving', 4242, 'Reserved', 'Reserving', 'Reserving', NULL, '7', '10.0.0.1', '{}') $$), v.outcome, v.about)
FROM (VALUES
	('a state of type bigint', 'removed, st_big AS state', '39P01'),
	('an enum', 'removed, st_enum AS state', '39P01'),
	('an enum as a text', 'removed, st_enum::text AS state', 'accepted'),
	('a domain over text', 'removed, st_word AS state', '23514 nic_initial_state'),
	('a varchar', 'removed, st_varchar AS state', '23514 nic_initial_state'),
	('a strategy of type json', 'removed, st AS state, doc AS strategy', '39P01'),
	('an address that is a text', 'removed, addr AS ip4_address', '39P01'),
	('a MAC address that is a number', 'removed, st_big AS mac_address', '39P01'),
	('a removal that is a text', 'removed_text AS removed', '39P01'),
	('a creation that is a date', 'removed, removed_date AS created', '39P01'),
	('columns that no rule is about', 'removed, doc AS uuid, doc AS vpc_id, doc AS colour', 'accepted')) v (about, columns, outcome);
SELECT is(pg_temp.forge('nics', 'SELECT doc AS id, net_text AS network_id, net_text AS network_key, doc AS instance_id, doc AS instance_key, removed FROM eve.ports'), '39P01', 'a text that refers to a number');
SELECT is(pg_temp.forge('nics', 'SELECT id, net::text AS network_id, NULL::int AS network_key, doc AS instance_id, doc AS instance_key, removed FROM eve.ports',
	'UPDATE eve.ports SET removed = now()'), 'accepted', 'an id without a key');
SELECT is(pg_temp.forge('nics', 'SELECT id, net AS network_id, net AS network_key, removed, st AS state FROM eve.nets n JOIN eve.ports USING (id, removed)'), '39P01', 'NICs from a join');
SELECT is(pg_temp.forge('nics', 'SELECT id, num AS network_id, num AS network_key, removed FROM eve.nets'), '39P01', 'NICs from another table');
SELECT pg_temp.forge('nics', :'nics') \g /dev/null

--
-- Every trigger function on relations of every kind, with arguments of all sorts
--
SET ROLE forged_eve;
CREATE TABLE eve.plain (id bigint, net int);
CREATE TABLE eve.tree (id bigint, net int) PARTITION BY LIST (net);
CREATE TABLE eve.leaf PARTITION OF eve.tree FOR VALUES IN (7);
CREATE VIEW eve.look AS SELECT id, net FROM eve.plain;
CREATE FUNCTION eve.ignore() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END';
CREATE TRIGGER i INSTEAD OF INSERT OR UPDATE OR DELETE ON eve.look FOR EACH ROW EXECUTE FUNCTION eve.ignore();
CREATE DOMAIN eve.info_domain AS eve.inventory_info;
RESET ROLE;
CREATE TEMP TABLE forged_temp (id bigint, net int);
ALTER TABLE pg_temp.forged_temp OWNER TO forged_eve;
CREATE FUNCTION pg_temp.hand_made() RETURNS TABLE (what text, outcome text)
LANGUAGE plpgsql AS $$
DECLARE
	c record;
	made text;
BEGIN
	FOR c IN
		SELECT f.name AS function, r.rel, e.event, e.timing, e.level, e.tables, a.args, w.condition
		FROM (VALUES ('attached_nic_guard'), ('attached_nic_history'), ('attached_network_guard'), ('attached_instance_guard'), ('attached_no_delete'), ('attached_nic_notify'), ('attached_view_write')) f (name),
			(VALUES ('eve.plain'), ('eve.tree'), ('eve.leaf'), ('pg_temp.forged_temp'), ('eve.look')) r (rel),
			(VALUES ('INSERT', 'AFTER', 'ROW', ''), ('UPDATE', 'AFTER', 'ROW', ''), ('DELETE', 'BEFORE', 'ROW', ''), ('DELETE', 'AFTER', 'ROW', ''), ('TRUNCATE', 'BEFORE', 'STATEMENT', ''),
				('UPDATE', 'AFTER', 'STATEMENT', ''), ('DELETE', 'INSTEAD OF', 'ROW', ''),
				('UPDATE', 'AFTER', 'STATEMENT', 'REFERENCING OLD TABLE AS o NEW TABLE AS n'), ('INSERT', 'AFTER', 'STATEMENT', 'REFERENCING NEW TABLE AS n')) e (event, timing, level, tables),
			(VALUES (''), ('''eve'''), ('''eve'', ''nics'''), ('''eve'', ''networks'''), ('''eve'', ''instances'''), ('''eve'', ''nics'', ''c'''), ('''eve'', ''garbage'''), ('''pg_catalog'', ''nics'''), ('long'), (''''', '''', ''''')) a (args),
			(VALUES (''), ('WHEN (NULL::eve.ports IS NULL)'), ('WHEN (NULL::eve.info_domain IS NULL)'), ('WHEN (true)'), ('WHEN (1 + 1 = 2)'), ('WHEN (NULL::eve.inventory_info IS NULL)')) w (condition)
	LOOP
		CONTINUE WHEN c.condition <> '' AND (c.rel <> 'eve.plain' OR c.args NOT IN ('''eve'', ''nics''', '''pg_catalog'', ''nics'''));
		made := pg_temp.outcome(format('CREATE TRIGGER h %s %s ON %s %s FOR EACH %s %s EXECUTE FUNCTION vmnet_internal.%s(%s)',
			c.timing, c.event, c.rel, c.tables, c.level, c.condition, c.function,
			CASE c.args WHEN 'long' THEN quote_literal(repeat('x', 200)) || ', ' || quote_literal(repeat('y', 200)) ELSE c.args END));
		-- PostgreSQL itself refuses what no trigger can be
		CONTINUE WHEN made <> 'accepted';
		what := concat_ws(' ', c.function, c.rel, c.timing, c.event, c.level, c.tables, c.args, c.condition);
		outcome := pg_temp.trial(format(CASE c.event WHEN 'INSERT' THEN 'INSERT INTO %s VALUES (2, 7)' WHEN 'UPDATE' THEN 'UPDATE %s SET id = 3' WHEN 'DELETE' THEN 'DELETE FROM %s' ELSE 'TRUNCATE %s' END, c.rel));
		EXECUTE format('DROP TRIGGER h ON %s', c.rel);
		RETURN NEXT;
	END LOOP;
END
$$;
INSERT INTO eve.plain VALUES (1, 7);
INSERT INTO eve.tree VALUES (1, 7);
INSERT INTO pg_temp.forged_temp VALUES (1, 7);
CREATE TEMP TABLE tried AS SELECT * FROM pg_temp.hand_made();
SELECT cmp_ok((SELECT count(*) FROM tried), '>', 1500::bigint, 'triggers are made by hand');
SELECT is_empty($$ SELECT * FROM tried WHERE outcome <> '39P01' AND NOT (what ~ '^attached_view_write eve.look INSTEAD OF ' AND outcome = '42501 attached_view_read_only') $$,
	'and each is refused: the relation is not one that an inventory reads');

-- on the table that the inventory reads, as another role than it has there
CREATE FUNCTION pg_temp.wrong_role(function text, relation text, level text DEFAULT 'ROW', event text DEFAULT 'UPDATE', timing text DEFAULT 'AFTER') RETURNS text
LANGUAGE plpgsql AS $$
DECLARE
	result text;
BEGIN
	EXECUTE format('CREATE TRIGGER h %s %s ON eve.ports FOR EACH %s EXECUTE FUNCTION vmnet_internal.%I(''eve'', %L)', timing, event, level, function, relation);
	result := pg_temp.trial(CASE event WHEN 'DELETE' THEN 'DELETE FROM eve.ports' ELSE 'UPDATE eve.ports SET addr = addr' END);
	EXECUTE 'DROP TRIGGER h ON eve.ports';
	RETURN result;
END
$$;
SELECT is(pg_temp.wrong_role('attached_network_guard', 'nics'), '39P01', 'a guard of networks on NICs');
SELECT is(pg_temp.wrong_role('attached_network_guard', 'networks'), '39P01', 'that says networks');
SELECT is(pg_temp.wrong_role('attached_instance_guard', 'networks'), '39P01', 'a guard of instances that says networks');
SELECT is(pg_temp.wrong_role('attached_nic_guard', 'networks'), '39P01', 'a guard of NICs that says networks');
SELECT is(pg_temp.wrong_role('attached_nic_history', 'instances', 'STATEMENT'), '39P01', 'history that says instances');
SELECT is(pg_temp.wrong_role('attached_no_delete', 'Nics', 'ROW', 'DELETE', 'BEFORE'), '39P01', 'a role that there is not');
SELECT is(pg_temp.wrong_role('attached_nic_notify', 'nics', 'STATEMENT'), '39P01', 'messages without a channel');
SELECT is(pg_temp.wrong_role('attached_nic_history', 'nics', 'STATEMENT'), 'accepted', 'and the right one is let through');

-- a guard that is deferred to the end of the transaction
ALTER TABLE eve.ports DISABLE TRIGGER g;
CREATE CONSTRAINT TRIGGER d AFTER INSERT ON eve.ports DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION vmnet_internal.attached_nic_guard('eve', 'nics');
SELECT is(pg_temp.trial('INSERT INTO eve.ports (id, net) VALUES (2, 8); SET CONSTRAINTS ALL IMMEDIATE'), '23503 nic_parent_active', 'a deferred guard judges, too');
DROP TRIGGER d ON eve.ports;
ALTER TABLE eve.ports ENABLE TRIGGER g;

-- an inventory of another kind, and none
\set info 'CREATE OR REPLACE VIEW eve.inventory_info AS SELECT ''attached''::text AS kind, NULL::text AS source, ''enforce''::text AS mode, ''1''::text AS version'
SELECT pg_temp.outcome_as('forged_eve', replace(:'info', 'attached', 'managed')) \g /dev/null
SELECT is(pg_temp.trial('INSERT INTO eve.ports (id, net) VALUES (2, 7)'), '39P01', 'an inventory that says to be managed');
SELECT pg_temp.outcome_as('forged_eve', replace(:'info', '''enforce''::text', 'lower(''ENFORCE'')')) \g /dev/null
SELECT is(pg_temp.trial('INSERT INTO eve.ports (id, net) VALUES (2, 7)'), '39P01', 'one whose mode is computed');
SELECT pg_temp.outcome_as('forged_eve', :'info') \g /dev/null
ALTER VIEW eve.inventory_info OWNER TO forged_boss;
SELECT is(pg_temp.trial('INSERT INTO eve.ports (id, net) VALUES (2, 7)'), '42501 inventory_owner', 'one whose mode another role says');
ALTER VIEW eve.inventory_info OWNER TO forged_eve;
SELECT is(pg_temp.trial('INSERT INTO eve.ports (id, net) VALUES (2, 7)'), 'accepted', 'the session goes on');

-- in the schema of temporary relations
CREATE TEMP VIEW inventory_info AS SELECT 'attached'::text AS kind, NULL::text AS source, 'enforce'::text AS mode, '1'::text AS version;
CREATE TEMP VIEW attached_nics AS SELECT id, net AS network_id, net AS network_key, removed FROM eve.ports;
CREATE TEMP TABLE temp_nets AS SELECT 8 AS num, now() AS removed;
CREATE TEMP VIEW attached_networks AS SELECT num AS key, removed FROM temp_nets;
ALTER VIEW pg_temp.inventory_info OWNER TO forged_eve;
ALTER VIEW pg_temp.attached_nics OWNER TO forged_eve;
ALTER VIEW pg_temp.attached_networks OWNER TO forged_eve;
ALTER TABLE eve.ports DISABLE TRIGGER g;
SELECT format('CREATE TRIGGER h AFTER INSERT ON eve.ports FOR EACH ROW EXECUTE FUNCTION vmnet_internal.attached_nic_guard(%L, ''nics'')', pg_my_temp_schema()::regnamespace) \gexec
SELECT is(pg_temp.trial('INSERT INTO eve.ports (id, net) VALUES (2, 8)'), '42501 inventory_owner', 'temporary networks of another role');
ALTER TABLE temp_nets OWNER TO forged_eve;
SELECT is(pg_temp.trial('INSERT INTO eve.ports (id, net) VALUES (2, 8)'), '23503 nic_parent_active', 'temporary networks of the session');
DROP TRIGGER h ON eve.ports;
ALTER TABLE eve.ports ENABLE TRIGGER g;
DROP VIEW pg_temp.inventory_info, pg_temp.attached_nics, pg_temp.attached_networks;

--
-- The key of networks changes its type: a plan of the guard of networks does not
-- survive it
--
SET ROLE forged_eve;
CREATE TRIGGER g AFTER UPDATE ON eve.nets FOR EACH ROW EXECUTE FUNCTION vmnet_internal.attached_network_guard('eve', 'networks');
RESET ROLE;
DELETE FROM eve.ports;
INSERT INTO eve.ports (id, net, net_text) VALUES (1, 7, '7');
SELECT is(pg_temp.trial('UPDATE eve.nets SET removed = now() WHERE id = 7'), '23503 network_in_use', 'a network that is referred to by a number');
SELECT pg_temp.forge('nics', 'SELECT id, net_text AS network_id, net_text AS network_key, removed, NULL::text AS state, NULL::bigint AS instance_key FROM eve.ports', 'SELECT 1') \g /dev/null
SELECT pg_temp.forge('networks', 'SELECT code AS key, id, removed FROM eve.nets', 'SELECT 1') \g /dev/null
SELECT is(pg_temp.trial('UPDATE eve.nets SET removed = now() WHERE id = 7'), '23503 network_in_use', 'is referred to by a text');
SELECT pg_temp.forge('networks', 'SELECT num AS key, id, removed FROM eve.nets', 'SELECT 1') \g /dev/null
SELECT is(pg_temp.trial('UPDATE eve.nets SET removed = now() WHERE id = 7'), '42883', 'or by nothing that can be compared');
SELECT pg_temp.forge('networks', 'SELECT code AS key, id, removed FROM eve.nets', 'SELECT 1') \g /dev/null
SELECT is(pg_temp.trial('UPDATE eve.nets SET removed = now() WHERE id = 7'), '23503 network_in_use', 'and the session goes on');

SELECT * FROM finish();
ROLLBACK;
