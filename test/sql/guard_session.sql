-- Guards over the life of a session: used for the first time where that fails,
-- through DROP and CREATE EXTENSION, and through PREPARE TRANSACTION.
SET client_min_messages = warning;
\set VERBOSITY terse
SELECT vmnet.create_inventory('cloud') \g /dev/null
INSERT INTO cloud.networks (id, name) VALUES (1, 'net1'), (2, 'net2'), (3, 'net3');
INSERT INTO cloud.instances (id, name) VALUES (1, 'vm1'), (2, 'vm2');

-- A new session.  Its first use of each guard is in a subtransaction that is
-- rolled back, so what it keeps must outlive that (A3.2).
\c -
SET client_min_messages = warning;
\set VERBOSITY terse
BEGIN;
SAVEPOINT s;
INSERT INTO cloud.nics (id, instance_id, network_id, state) VALUES (1, 1, 1, 'Reserving');
ROLLBACK TO s;
INSERT INTO cloud.nics (id, instance_id, network_id) VALUES (1, 1, 1);
SAVEPOINT s;
UPDATE cloud.networks SET removed = now() WHERE id = 1;
ROLLBACK TO s;
UPDATE cloud.networks SET removed = now() WHERE id = 1;
ROLLBACK TO s;
UPDATE cloud.instances SET removed = now() WHERE id = 1;
ROLLBACK TO s;
DELETE FROM cloud.nics WHERE id = 1;
ROLLBACK TO s;
UPDATE cloud.nics SET state = 'Releasing' WHERE id = 1;
ROLLBACK TO s;
SELECT id, state, default_nic FROM cloud.nics;
COMMIT;
-- the same where the error is caught
\c -
SET client_min_messages = warning;
\set VERBOSITY terse
DO $$
BEGIN
	FOR i IN 1..3 LOOP
		BEGIN
			UPDATE cloud.networks SET removed = now() WHERE id = 1;
		EXCEPTION WHEN foreign_key_violation THEN
			RAISE WARNING 'attempt %: refused', i;
		END;
		BEGIN
			INSERT INTO cloud.nics (id, instance_id, network_id) VALUES (2, 2, 1), (3, 2, 1);
		EXCEPTION WHEN unique_violation THEN
			RAISE WARNING 'attempt %: refused, too', i;
		END;
	END LOOP;
END
$$;
SELECT count(*) FROM cloud.all_nics;

-- DROP EXTENSION is refused, rather than take the guards with it (A5.7).
DROP EXTENSION vmnet_ext;
UPDATE cloud.nics SET state = 'Releasing' WHERE id = 1;
-- Guards dropped and made anew with the extension, in one session, plans warm
-- (A5.3): the functions of the new triggers are others.
BEGIN;
DROP EXTENSION vmnet_ext CASCADE;
SELECT tgname FROM pg_trigger WHERE tgrelid = 'cloud.all_nics'::regclass AND NOT tgisinternal;
SELECT count(*) FROM cloud.all_nics;
CREATE EXTENSION vmnet_ext;
SELECT vmnet.create_inventory('other') \g /dev/null
INSERT INTO other.networks (id) VALUES (1);
INSERT INTO other.instances (id) VALUES (1);
INSERT INTO other.nics (id, instance_id, network_id) VALUES (1, 1, 1);
SAVEPOINT s;
UPDATE other.networks SET removed = now();
ROLLBACK TO s;
CREATE TRIGGER nic_prepare BEFORE INSERT OR UPDATE ON cloud.all_nics FOR EACH ROW EXECUTE FUNCTION vmnet_internal.nic_prepare();
CREATE TRIGGER nic_guard AFTER INSERT OR UPDATE ON cloud.all_nics FOR EACH ROW EXECUTE FUNCTION vmnet_internal.nic_guard();
CREATE TRIGGER network_guard AFTER UPDATE ON cloud.all_networks FOR EACH ROW EXECUTE FUNCTION vmnet_internal.network_guard();
SAVEPOINT s;
UPDATE cloud.networks SET removed = now() WHERE id = 1;
ROLLBACK TO s;
UPDATE cloud.nics SET state = 'Releasing' WHERE id = 1;
ROLLBACK TO s;
ROLLBACK;
UPDATE cloud.networks SET removed = now() WHERE id = 1;

-- A table that is dropped and made anew under its name is another table.
BEGIN;
SET LOCAL client_min_messages = warning;
DROP SCHEMA cloud CASCADE;
SELECT vmnet.create_inventory('cloud') \g /dev/null
INSERT INTO cloud.networks (id) VALUES (1);
INSERT INTO cloud.nics (id, network_id, strategy) VALUES (1, 1, 'PlaceHolder');
SAVEPOINT s;
UPDATE cloud.networks SET removed = now() WHERE id = 1;
ROLLBACK;

-- Two-phase commit (A3.4), where the server is set up for it.
SELECT current_setting('max_prepared_transactions')::int > 0 AS two_phase \gset
\if :two_phase
BEGIN;
INSERT INTO cloud.nics (id, instance_id, network_id) VALUES (4, 2, 2);
UPDATE cloud.nics SET state = 'Reserving' WHERE id = 4;
PREPARE TRANSACTION 'regress_vmnet_1';
-- what it has locked is locked for others
SET lock_timeout = '10ms';
UPDATE cloud.networks SET removed = now() WHERE id = 2;
RESET lock_timeout;
COMMIT PREPARED 'regress_vmnet_1';
UPDATE cloud.networks SET removed = now() WHERE id = 2;
SELECT id, state, default_nic FROM cloud.nics ORDER BY id;
BEGIN;
UPDATE cloud.networks SET removed = now() WHERE id = 3;
PREPARE TRANSACTION 'regress_vmnet_2';
SET lock_timeout = '10ms';
INSERT INTO cloud.nics (id, instance_id, network_id) VALUES (5, 2, 3);
RESET lock_timeout;
COMMIT PREPARED 'regress_vmnet_2';
INSERT INTO cloud.nics (id, instance_id, network_id) VALUES (5, 2, 3);
BEGIN;
DELETE FROM cloud.nics WHERE id = 4;
PREPARE TRANSACTION 'regress_vmnet_3';
ROLLBACK PREPARED 'regress_vmnet_3';
UPDATE cloud.networks SET removed = now() WHERE id = 2;
\endif

DROP SCHEMA cloud CASCADE;
