-- purge_inventory(): what goes, what stays, and that nobody gets past the
-- guards with it.
\i test/tap/setup.psql

SELECT plan(28);
SET client_min_messages = warning;

INSERT INTO cloud.networks (id, created) SELECT n, '2025-12-01' FROM generate_series(1, 4) n;
INSERT INTO cloud.instances (id, created) SELECT n, '2025-12-01' FROM generate_series(1, 40) n;
INSERT INTO cloud.nics (id, instance_id, network_id, default_nic, created) SELECT n, n, 1, false, '2025-12-01' FROM generate_series(1, 20) n;
INSERT INTO cloud.nics (id, instance_id, network_id, default_nic) VALUES (21, 21, 2, false);
UPDATE cloud.nics SET ip4_address = '10.0.0.1' WHERE id = 1;
UPDATE cloud.nic_address_history SET until = '2025-12-15';
-- removed on the 1st to the 10th of January 2026; the 11th is half-removed
UPDATE cloud.nics SET state = 'Deallocating', removed = timestamptz '2026-01-01 00:00+00' + (id - 1) * interval '1 day' WHERE id <= 10;
UPDATE cloud.nics SET state = 'Deallocating' WHERE id = 11;
UPDATE cloud.instances SET removed = '2026-01-02 00:00+00' WHERE id IN (1, 2, 30, 31);
UPDATE cloud.networks SET removed = '2026-01-02 00:00+00' WHERE id = 3;

CREATE FUNCTION ids(tab text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE r text;
BEGIN
	EXECUTE format('SELECT string_agg(id::text, $q$ $q$ ORDER BY id) FROM cloud.%I', tab) INTO r;
	RETURN r;
END
$$;
CREATE TEMP TABLE before AS SELECT ids('all_nics') AS nics, ids('all_instances') AS instances, ids('all_networks') AS networks;

-- Arguments
SELECT throws_ok($$CALL vmnet.purge_inventory('cloud', NULL)$$, '22023', NULL, 'no time');
SELECT throws_ok($$CALL vmnet.purge_inventory('cloud', now() + interval '1 day')$$, '22023', NULL, 'a time to come');
SELECT throws_ok($$CALL vmnet.purge_inventory('cloud', 'infinity')$$, '22023', NULL, 'the end of time');
SELECT throws_ok($$CALL vmnet.purge_inventory('cloud', now(), 0)$$, '22023', NULL, 'no batch');
SELECT throws_ok($$CALL vmnet.purge_inventory('cloud', now(), NULL)$$, '22023', NULL, 'nor this one');
SELECT throws_ok($$CALL vmnet.purge_inventory('nowhere', now())$$, '22023', NULL, 'no inventory');
SELECT vmnet.create_inventory('copy', 'mirror') \g /dev/null
SELECT lives_ok($$CALL vmnet.purge_inventory('copy', now())$$, 'a mirror, of which it deletes what its source has no more');
CREATE ROLE regress_app;
GRANT ALL ON SCHEMA cloud TO regress_app;
GRANT ALL ON ALL TABLES IN SCHEMA cloud TO regress_app;
SET LOCAL ROLE regress_app;
SELECT throws_ok($$CALL vmnet.purge_inventory('cloud', '2026-02-01')$$, '42501', NULL, 'who is not the owner, whatever he was given');
RESET ROLE;
SELECT is((SELECT nics = ids('all_nics') AND instances = ids('all_instances') AND networks = ids('all_networks') FROM before), true, 'nothing has gone');

-- Ages: removed exactly then is not before then.
SELECT lives_ok($$CALL vmnet.purge_inventory('cloud', '2026-01-02 00:00+00', 1)$$, 'a purge inside a transaction block');
SELECT is(ids('all_nics'), '2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20 21', 'takes the NIC that is older');
SELECT is((SELECT networks || '/' || instances = ids('all_networks') || '/' || ids('all_instances') FROM before), true, 'and no instance or network that is not');
SELECT is((SELECT count(*) FROM cloud.nic_address_history), 0::bigint, 'addresses that it had go with it');
SELECT is((SELECT count(*) FROM cloud.nic_history WHERE nic_id = 1), 1::bigint, 'what happened to it stays');

-- What refers to a row keeps it, and what that row refers to.
CREATE TABLE notes (nic_id bigint REFERENCES cloud.all_nics (id));
CREATE TABLE bills (instance_id bigint REFERENCES cloud.all_instances (id));
INSERT INTO notes VALUES (2);
INSERT INTO bills VALUES (30);
SELECT lives_ok($$CALL vmnet.purge_inventory('cloud', '2026-01-05 00:00+00', 3, true)$$, 'a purge of rows that others refer to');
SELECT is(ids('all_nics'), '2 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20 21', 'leaves those');
SELECT is(ids('all_networks'), '1 2 4', 'takes a network that is empty');
SELECT is((SELECT string_agg(id::text, ' ' ORDER BY id) FROM cloud.all_instances WHERE removed IS NOT NULL), '2 30', 'and instances that nothing refers to');
SELECT is((SELECT string_agg(nic_id::text, ' ' ORDER BY nic_id) FROM cloud.nic_history WHERE nic_id <= 4), '1 2', 'history goes where it was asked to, with the NIC');
DROP TABLE notes, bills;

-- A policy that the owner has forced on himself
ALTER TABLE cloud.all_nics ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CALL vmnet.purge_inventory('cloud', '2026-01-05 00:00+00');
ALTER TABLE cloud.all_nics DISABLE ROW LEVEL SECURITY, NO FORCE ROW LEVEL SECURITY;
SELECT is(ids('all_nics'), '5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20 21', 'a policy hides nothing');

-- A trigger of somebody's that fires meanwhile deletes nothing younger.
CREATE FUNCTION greedy() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
	DELETE FROM cloud.all_nics WHERE id = 10;
	RETURN NULL;
END
$$;
CREATE TRIGGER greedy AFTER DELETE ON cloud.all_nics FOR EACH ROW WHEN (OLD.id = 5) EXECUTE FUNCTION greedy();
CALL vmnet.purge_inventory('cloud', '2026-01-07 00:00+00');
SELECT is(ids('all_nics'), '5 7 8 9 10 11 12 13 14 15 16 17 18 19 20 21', 'a trigger that deletes a younger row is refused, and keeps its own');
DROP TRIGGER greedy ON cloud.all_nics;
CREATE FUNCTION fails() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE division_by_zero; END $$;
CREATE TRIGGER fails AFTER DELETE ON cloud.all_nics FOR EACH ROW EXECUTE FUNCTION fails();
SELECT throws_ok($$CALL vmnet.purge_inventory('cloud', '2026-01-07 00:00+00')$$, '22012', NULL, 'another error ends the purge');
DROP TRIGGER fails ON cloud.all_nics;
SELECT throws_ok('DELETE FROM cloud.all_nics WHERE id = 5', '23001', NULL, 'after which nothing can be deleted by hand');
CALL vmnet.purge_inventory('cloud', '2026-01-07 00:00+00');
SELECT throws_ok('DELETE FROM cloud.all_nics WHERE id = 7', '23001', NULL, 'nor after one that ended well');
SELECT throws_ok('TRUNCATE cloud.all_nics', '23001', NULL, 'nor all at once');

-- A reference that is looked at late
CREATE TABLE notes (nic_id bigint REFERENCES cloud.all_nics (id) DEFERRABLE INITIALLY DEFERRED);
INSERT INTO notes VALUES (8);
SET CONSTRAINTS ALL IMMEDIATE;
SET CONSTRAINTS ALL DEFERRED;
SAVEPOINT s;
CALL vmnet.purge_inventory('cloud', '2026-01-10 00:00+00');
SELECT lives_ok('SET CONSTRAINTS ALL IMMEDIATE', 'a deferred constraint is not broken');
SELECT is(ids('all_nics'), '8 10 11 12 13 14 15 16 17 18 19 20 21', 'since the row that it is about stays');
ROLLBACK TO s;
DROP TABLE notes;

CALL vmnet.purge_inventory('cloud', now(), 2);
SELECT is(ids('all_nics'), '11 12 13 14 15 16 17 18 19 20 21', 'live and half-removed NICs stay');

SELECT * FROM finish();
ROLLBACK;
