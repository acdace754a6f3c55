-- Messages beside other triggers: all triggers of a table share its transition
-- tables, so each reader must find every row, whoever read before.
\set SHOW_CONTEXT never
SET client_min_messages = warning;
SELECT vmnet.create_inventory('cloud');
INSERT INTO cloud.networks (name) VALUES ('n1'), ('n2');
INSERT INTO cloud.instances (name) SELECT 'i' || g FROM generate_series(1, 6) g;
INSERT INTO cloud.nics (instance_id, network_id) SELECT g, 1 FROM generate_series(1, 4) g;
SELECT vmnet.set_inventory_notify('cloud', true);

-- Two inventories over one table, which is partitioned; a column of it was
-- dropped, and one of its partitions has the columns in another order.
CREATE SCHEMA own;
CREATE TABLE own.net (id bigint PRIMARY KEY, removed timestamptz);
CREATE TABLE own.vm (id bigint PRIMARY KEY, removed timestamptz);
CREATE TABLE own.port (dropped text, id bigint PRIMARY KEY, network_id bigint REFERENCES own.net, instance_id bigint REFERENCES own.vm, state text, created timestamptz DEFAULT now(), removed timestamptz) PARTITION BY RANGE (id);
ALTER TABLE own.port DROP COLUMN dropped;
CREATE TABLE own.low PARTITION OF own.port FOR VALUES FROM (MINVALUE) TO (1000);
CREATE TABLE own.high (removed timestamptz, state text, created timestamptz, id bigint NOT NULL, instance_id bigint, network_id bigint);
ALTER TABLE own.port ATTACH PARTITION own.high FOR VALUES FROM (1000) TO (MAXVALUE);
INSERT INTO own.net VALUES (1), (2);
INSERT INTO own.vm SELECT g FROM generate_series(1, 6) g;
INSERT INTO own.port (id, network_id, instance_id, state) VALUES (1, 1, 1, 'Reserved'), (2, 1, 2, 'Reserved'), (1001, 1, 3, 'Reserved');
SELECT count(*) FROM vmnet.attach_inventory('first', 'own.port', 'own.net', 'own.vm', mode => 'read_only') \g /dev/null
SELECT count(*) FROM vmnet.attach_inventory('second', 'own.port', 'own.net', 'own.vm', mode => 'read_only') \g /dev/null
SELECT vmnet.set_inventory_notify('first', true), vmnet.set_inventory_notify('second', true);
-- and a table with guards, whose ids are texts
CREATE TABLE own.plain (id text PRIMARY KEY, network_id bigint REFERENCES own.net, instance_id bigint REFERENCES own.vm, state text, created timestamptz DEFAULT now(), removed timestamptz);
CREATE INDEX ON own.plain (network_id);
CREATE INDEX ON own.plain (instance_id);
SELECT count(*) FROM vmnet.attach_inventory('guarded', 'own.plain', 'own.net', 'own.vm', mode => 'enforce') \g /dev/null
SELECT count(*) FROM vmnet.attach_inventory('beside', 'own.plain', 'own.net', 'own.vm', mode => 'read_only') \g /dev/null
SELECT vmnet.set_inventory_notify('guarded', true), vmnet.set_inventory_notify('beside', true);

-- Triggers of users, before and after ours in the order of their names.  Each
-- says what it saw: as a whole, the first row alone, or row by row.
CREATE TABLE own.seen (entry serial, said text);
CREATE FUNCTION own.see() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
	n bigint;
	again bigint;
	place text := format('%s %s %s ', TG_NAME, TG_OP, TG_TABLE_NAME);
	r record;
BEGIN
	IF TG_OP = 'INSERT' THEN
		SELECT count(*) INTO n FROM new_rows;
	ELSIF TG_OP = 'DELETE' THEN
		SELECT count(*) INTO n FROM old_rows;
	ELSE
		-- the first row of one, every row of the other
		FOR r IN SELECT id FROM new_rows LOOP
			EXIT;
		END LOOP;
		SELECT count(*) INTO n FROM old_rows;
		SELECT count(*) INTO again FROM old_rows o JOIN new_rows w USING (id);
		place := place || again || ' pairs of ';
	END IF;
	INSERT INTO own.seen (said) VALUES (place || n);
	RETURN NULL;
END
$$;
CREATE FUNCTION own.counted(VARIADIC anyarray) RETURNS int LANGUAGE sql AS 'SELECT cardinality($1)';
CREATE FUNCTION own.see_in_sql() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
	INSERT INTO own.seen (said) SELECT format('%s %s %s in SQL ', TG_NAME, TG_OP, TG_TABLE_NAME) || own.counted(VARIADIC array_agg(w.id)) FROM new_rows w;
	RETURN NULL;
END
$$;
CREATE FUNCTION own.watch(rel regclass) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
	place text;
BEGIN
	FOREACH place IN ARRAY ARRAY['A_before', 'z_after'] LOOP
		EXECUTE format('CREATE TRIGGER "%s_i" AFTER INSERT ON %s REFERENCING NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION own.see()', place, rel);
		EXECUTE format('CREATE TRIGGER "%s_u" AFTER UPDATE ON %s REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION own.see()', place, rel);
		EXECUTE format('CREATE TRIGGER "%s_d" AFTER DELETE ON %s REFERENCING OLD TABLE AS old_rows FOR EACH STATEMENT EXECUTE FUNCTION own.see()', place, rel);
		EXECUTE format('CREATE TRIGGER "%s_q" AFTER UPDATE ON %s REFERENCING NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION own.see_in_sql()', place, rel);
	END LOOP;
END
$$;
SELECT own.watch('cloud.all_nics'), own.watch('own.port'), own.watch('own.plain');

LISTEN vmnet_cloud;
LISTEN vmnet_first;
LISTEN vmnet_second;
LISTEN vmnet_guarded;
LISTEN vmnet_beside;
-- What psql prints, without the number of a process.
\set hear '|sed -n "s/^Asynchronous notification \\"\\(.*\\)\\" with payload \\"\\(.*\\)\\" received.*/  \\1 \\2/p"'
\set say 'SELECT said FROM own.seen ORDER BY entry; TRUNCATE own.seen;'
\pset tuples_only on

-- INSERT, and COPY
\o :hear
INSERT INTO cloud.nics (instance_id, network_id) VALUES (5, 1), (6, 1);
COPY cloud.all_nics (instance_id, network_id) FROM stdin;
1	2
2	2
\.
INSERT INTO own.port (id, network_id, instance_id) VALUES (3, 1, 4), (1002, 1, 5);
COPY own.port (id, network_id, instance_id) FROM stdin;
4	2	4
1003	2	5
\.
\o
:say
-- UPDATE: what history has, and nothing else
\o :hear
UPDATE cloud.nics SET state = 'Reserving' WHERE network_id = 1;
UPDATE cloud.nics SET mtu = 9000;
UPDATE own.port SET state = 'Releasing' WHERE network_id = 1;
UPDATE own.port SET created = created - interval '1 day';
UPDATE own.port SET network_id = 2 WHERE id = 1;
\o
:say
-- between partitions
\o :hear
UPDATE own.port SET id = id + 2000, state = 'Reserved' WHERE id IN (2, 4);
\o
:say
-- a removal, and a row that is deleted
\o :hear
DELETE FROM cloud.nics WHERE id = 1;
DELETE FROM own.port WHERE id IN (3, 1001);
\o
:say
-- beside guards
\o :hear
INSERT INTO own.plain (id, network_id, instance_id, state) VALUES ('a "b"', 1, 1, 'Allocated'), ('c', 1, 2, 'Allocated');
UPDATE own.plain SET state = 'Reserving' WHERE id = 'c';
UPDATE own.plain SET state = 'Deallocating';
UPDATE own.plain SET removed = now();
DELETE FROM own.plain WHERE id = 'c';
\o
:say
-- INSERT ... ON CONFLICT: two messages where it does both
\o :hear
INSERT INTO cloud.all_nics (id, instance_id, network_id) VALUES (2, 2, 1), (50, 3, 2), (3, 3, 1) ON CONFLICT (id) DO UPDATE SET state = 'Reserved';
INSERT INTO own.port (id, network_id, instance_id, state) VALUES (1, 2, 1, 'Reserved'), (60, 2, 6, 'Reserved') ON CONFLICT (id) DO UPDATE SET state = 'Allocated';
INSERT INTO own.port (id, network_id, instance_id, state) VALUES (1, 2, 1, 'Reserved') ON CONFLICT DO NOTHING;
\o
:say
-- MERGE: three
\o :hear
MERGE INTO own.port p USING (VALUES (1, 'Reserved'), (60, NULL), (61, 'Allocated'), (1061, 'Allocated')) v (id, state) ON p.id = v.id
	WHEN MATCHED AND v.state IS NULL THEN DELETE
	WHEN MATCHED THEN UPDATE SET state = v.state
	WHEN NOT MATCHED THEN INSERT (id, network_id, instance_id, state) VALUES (v.id, 2, 6, v.state);
MERGE INTO cloud.all_nics n USING (VALUES (4, 'Reserved'), (70, 'Allocated')) v (id, state) ON n.id = v.id
	WHEN MATCHED THEN UPDATE SET state = v.state
	WHEN NOT MATCHED THEN INSERT (id, instance_id, network_id, state) VALUES (v.id, 4, 2, v.state);
\o
:say
-- several statements of one transaction, one of them rolled back
\o :hear
BEGIN;
UPDATE own.port SET state = 'Releasing' WHERE id = 1;
SAVEPOINT s;
UPDATE own.port SET state = 'Allocated' WHERE id = 61;
ROLLBACK TO s;
UPDATE own.port SET removed = now() WHERE id = 61;
COMMIT;
\o
:say
-- more than memory holds: the transition tables are on disk
SET work_mem = '64kB';
\o :hear
INSERT INTO own.port (id, network_id, instance_id, state) SELECT g, 1, 1, 'Reserved' FROM generate_series(10001, 30000) g;
UPDATE own.port SET state = 'Releasing' WHERE id > 10000;
UPDATE own.port SET state = 'Reserved' WHERE id IN (20000, 30000);
DELETE FROM own.port WHERE id > 10000;
\o
:say
RESET work_mem;
-- columns that users add and drop
ALTER TABLE cloud.all_nics ADD COLUMN note text DEFAULT 'x', ADD COLUMN other int;
ALTER TABLE cloud.all_nics DROP COLUMN other;
ALTER TABLE own.port ADD COLUMN note text DEFAULT repeat('long ', 1000);
\o :hear
UPDATE cloud.all_nics SET state = 'Releasing', note = 'y' WHERE id = 2;
UPDATE cloud.all_nics SET note = repeat('z', 10000) WHERE id = 2;
UPDATE own.port SET state = 'Reserved' WHERE id = 1;
\o
:say
-- a trigger that writes to the same table: a message for what it does, too
CREATE FUNCTION own.again() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
	IF pg_trigger_depth() = 1 THEN
		UPDATE own.port SET state = 'Reserved' WHERE id IN (SELECT id FROM new_rows WHERE id < 1000);
	END IF;
	RETURN NULL;
END
$$;
CREATE TRIGGER "B_again" AFTER UPDATE ON own.port REFERENCING NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION own.again();
\o :hear
UPDATE own.port SET state = 'Allocated' WHERE id IN (1, 1002);
\o
:say
\pset tuples_only off

-- Triggers made by hand: on a table that inherits, and with too few transition
-- tables.
SELECT oid::regproc AS nic_notify FROM pg_proc WHERE proname = 'nic_notify' AND prorettype = 'trigger'::regtype \gset
CREATE TABLE own.child (x int) INHERITS (cloud.all_nics);
CREATE TRIGGER told AFTER INSERT ON own.child REFERENCING NEW TABLE AS n FOR EACH STATEMENT EXECUTE FUNCTION :nic_notify('chan');
INSERT INTO own.child (id, instance_id, network_id, default_nic) VALUES (90, 1, 2, false);
ALTER TABLE own.child ADD FOREIGN KEY (network_id) REFERENCES cloud.all_networks, ADD FOREIGN KEY (instance_id) REFERENCES cloud.all_instances;
CREATE TABLE own.loose AS SELECT instance_id, network_id, state, strategy, default_nic, created, state_changed, removed, id FROM cloud.all_nics WITH NO DATA;
ALTER TABLE own.loose ADD FOREIGN KEY (network_id) REFERENCES cloud.all_networks, ADD FOREIGN KEY (instance_id) REFERENCES cloud.all_instances;
CREATE TRIGGER told AFTER INSERT ON own.loose REFERENCING NEW TABLE AS n FOR EACH STATEMENT EXECUTE FUNCTION :nic_notify('chan');
LISTEN chan;
\o :hear
INSERT INTO own.child (id, instance_id, network_id, default_nic) VALUES (90, 1, 2, false), (91, 1, 2, false);
UPDATE cloud.all_nics SET state = 'Deallocating' WHERE id IN (70, 91);
INSERT INTO own.loose (id) VALUES (1), (NULL);
\o
CREATE TRIGGER told_too AFTER UPDATE ON cloud.all_nics REFERENCING NEW TABLE AS n FOR EACH STATEMENT EXECUTE FUNCTION :nic_notify('chan');
UPDATE cloud.nics SET state = 'Releasing' WHERE id = 3;
DROP TRIGGER told_too ON cloud.all_nics;
CREATE TRIGGER told_too AFTER UPDATE ON cloud.all_nics REFERENCING OLD TABLE AS o FOR EACH STATEMENT EXECUTE FUNCTION :nic_notify('chan');
UPDATE cloud.nics SET state = 'Releasing' WHERE id = 3;
DROP TRIGGER told_too ON cloud.all_nics;
CREATE TRIGGER told_too AFTER UPDATE ON cloud.all_nics FOR EACH STATEMENT EXECUTE FUNCTION :nic_notify('chan');
UPDATE cloud.nics SET state = 'Releasing' WHERE id = 3;
DROP TRIGGER told_too ON cloud.all_nics;
CREATE TRIGGER told_too AFTER DELETE ON cloud.all_nics FOR EACH STATEMENT EXECUTE FUNCTION :nic_notify('chan');
DELETE FROM cloud.all_nics WHERE false;
CREATE TABLE own.text_ids AS SELECT id::text, instance_id, network_id, state, strategy, default_nic, created, state_changed, removed FROM cloud.all_nics WITH NO DATA;
CREATE TRIGGER told AFTER INSERT ON own.text_ids REFERENCING NEW TABLE AS n FOR EACH STATEMENT EXECUTE FUNCTION :nic_notify('chan');
INSERT INTO own.text_ids (id) VALUES ('1');

UNLISTEN *;
DROP SCHEMA first, second, guarded, beside, cloud, own CASCADE;
