-- Each CHECK of all_nics: what nic_prepare says of it, and that the constraint
-- decides, with triggers and without.
SET TimeZone = 'UTC';
SET DateStyle = 'ISO';
\pset format unaligned
\pset tuples_only on
CREATE FUNCTION pg_temp.refusal(command text) RETURNS SETOF text
LANGUAGE plpgsql AS $$
DECLARE
	c text;
	m text;
	d text;
	h text;
BEGIN
	EXECUTE command;
	RETURN NEXT 'accepted';
EXCEPTION WHEN OTHERS THEN
	GET STACKED DIAGNOSTICS c = CONSTRAINT_NAME, m = MESSAGE_TEXT, d = PG_EXCEPTION_DETAIL, h = PG_EXCEPTION_HINT;
	RETURN NEXT concat_ws(' ', SQLSTATE, nullif(c, ''));
	RETURN QUERY SELECT '  ' || l FROM unnest(ARRAY[m, d, h]) l WHERE l <> '';
END
$$;
SELECT vmnet.create_inventory('cloud') \g /dev/null
INSERT INTO cloud.networks (id) VALUES (1), (2);
INSERT INTO cloud.instances (id) VALUES (1), (2);
INSERT INTO cloud.nics (id, uuid, instance_id, network_id, created) VALUES (1, '00000000-0000-0000-0000-000000000001', 1, 1, '2024-01-01');

-- a new NIC that breaks one of them, and a changed one
CREATE TEMP TABLE bad (ord serial, col text, value text);
INSERT INTO bad (col, value) VALUES ('created', 'infinity'), ('default_nic', NULL), ('instance_id', NULL), ('ip4_address', '10.0.0.1/24'), ('ip4_address', 'fd00::1'),
	('ip6_address', 'fd00::1/64'), ('ip6_address', '10.0.0.1'), ('removed', 'infinity'), ('removed', '2024-05-01'), ('state', 'allocated'), ('state', ''), ('strategy', 'start');
SELECT format('INSERT %s = %L', col, value), pg_temp.refusal(format(
	'INSERT INTO cloud.all_nics (id, uuid, network_id, %1$s%2$I) VALUES (2, %3$L, 2, %4$s%5$L)',
	CASE WHEN col <> 'instance_id' THEN 'instance_id, ' END, col, '00000000-0000-0000-0000-000000000002', CASE WHEN col <> 'instance_id' THEN '2, ' END, value))
FROM (SELECT * FROM bad ORDER BY ord) b;
DELETE FROM cloud.nics WHERE id = 2;
SELECT format('UPDATE %s = %L', col, value), pg_temp.refusal(format('UPDATE cloud.all_nics SET %I = %L WHERE id = 1', col, value))
FROM (SELECT * FROM bad ORDER BY ord) b;

-- the first of several, as the server would name it
SELECT pg_temp.refusal($$UPDATE cloud.all_nics SET state = 'x', strategy = 'y', ip6_address = '10.0.0.1' WHERE id = 1$$);

-- without the trigger: the same constraints
SET session_replication_role = replica;
SELECT format('UPDATE %s = %L', col, value), (SELECT string_agg(r, ' ') FROM (SELECT pg_temp.refusal(format('UPDATE cloud.all_nics SET %I = %L WHERE id = 1', col, value)) AS r LIMIT 1) r)
FROM (SELECT * FROM bad ORDER BY ord) b;
RESET session_replication_role;

-- rows that the caller may not see are not described
CREATE ROLE vmnet_test_blind;
GRANT USAGE ON SCHEMA cloud TO vmnet_test_blind;
GRANT INSERT ON cloud.all_nics TO vmnet_test_blind;
GRANT UPDATE (state), SELECT (id) ON cloud.all_nics TO vmnet_test_blind;
SET ROLE vmnet_test_blind;
UPDATE cloud.all_nics SET state = 'gone' WHERE id = 1;
RESET ROLE;

-- a trigger that fires later may still mend the row
BEGIN;
CREATE FUNCTION pg_temp.mend() RETURNS trigger LANGUAGE plpgsql AS $$BEGIN NEW.ip4_address := host(NEW.ip4_address); RETURN NEW; END$$;
CREATE TRIGGER z_mend BEFORE UPDATE ON cloud.all_nics FOR EACH ROW EXECUTE FUNCTION pg_temp.mend();
UPDATE cloud.nics SET ip4_address = '10.0.0.1/24' WHERE id = 1 RETURNING ip4_address;
SELECT pg_temp.refusal($$UPDATE cloud.nics SET ip6_address = 'fd00::1/64' WHERE id = 1$$) LIMIT 2;
ROLLBACK;

-- nor is anything refused that the table has no CHECK of
BEGIN;
ALTER TABLE cloud.all_nics DROP CONSTRAINT nic_strategy_valid;
UPDATE cloud.nics SET strategy = 'mine' WHERE id = 1 RETURNING strategy;
ROLLBACK;

-- EXECUTE on the functions in CHECKs: a superuser has it in any case, others do
-- not write without it
GRANT SELECT, INSERT, UPDATE ON cloud.all_nics TO vmnet_test_blind;
BEGIN;
REVOKE EXECUTE ON FUNCTION vmnet_internal.nic_state_valid(text) FROM PUBLIC;
UPDATE cloud.nics SET mtu = 1500 WHERE id = 1 RETURNING mtu;
SET LOCAL ROLE vmnet_test_blind;
SELECT pg_temp.refusal('UPDATE cloud.all_nics SET mtu = 1400 WHERE id = 1');
ROLLBACK;

-- DROP EXTENSION ... CASCADE: guards and the CHECKs that call its functions are
-- gone; the rest is still refused
INSERT INTO cloud.nics (id, uuid, instance_id, network_id) VALUES (3, '00000000-0000-0000-0000-000000000003', 2, 1);
SET client_min_messages = warning;
BEGIN;
SELECT string_agg(conname, ', ' ORDER BY conname) FROM pg_constraint WHERE conrelid = 'cloud.all_nics'::regclass AND contype = 'c';
DROP EXTENSION vmnet_ext CASCADE;
SELECT string_agg(conname, ', ' ORDER BY conname) FROM pg_constraint WHERE conrelid = 'cloud.all_nics'::regclass AND contype = 'c';
CREATE TEMP TABLE after_drop (ord serial, command text);
INSERT INTO after_drop (command) VALUES
	('UPDATE cloud.all_nics SET removed = now() WHERE id = 1'),
	($$UPDATE cloud.all_nics SET removed = 'infinity', state = 'Deallocating' WHERE id = 1$$),
	('UPDATE cloud.all_nics SET instance_id = NULL WHERE id = 1'),
	('UPDATE cloud.all_nics SET state = NULL WHERE id = 1'),
	('UPDATE cloud.all_nics SET strategy = NULL WHERE id = 1'),
	('UPDATE cloud.all_nics SET created = NULL WHERE id = 1'),
	('UPDATE cloud.all_nics SET default_nic = NULL WHERE id = 1'),
	('UPDATE cloud.all_nics SET network_id = 99 WHERE id = 1'),
	('UPDATE cloud.all_nics SET instance_id = 99 WHERE id = 1'),
	('DELETE FROM cloud.all_networks WHERE id = 1'),
	('DELETE FROM cloud.all_instances WHERE id = 1'),
	('INSERT INTO cloud.all_nics (id, instance_id, network_id, default_nic) VALUES (9, 1, 1, false)'),
	('INSERT INTO cloud.all_nics (id, instance_id, network_id, default_nic) VALUES (9, 1, 2, true)'),
	('UPDATE cloud.all_nics SET instance_id = 2 WHERE id = 1'),
	($$UPDATE cloud.all_nics SET ip4_address = '10.0.0.1'$$),
	($$UPDATE cloud.all_nics SET mac_address = '02:00:00:00:00:01'$$),
	('UPDATE cloud.all_nics SET id = 3 WHERE id = 1'),
	-- this is not
	($$UPDATE cloud.all_nics SET state = 'gone', ip4_address = '10.0.0.1/24' WHERE id = 1$$);
SELECT command || ': ' || (SELECT r FROM pg_temp.refusal(command) r LIMIT 1) FROM (SELECT * FROM after_drop ORDER BY ord) d;
ROLLBACK;
DROP SCHEMA cloud CASCADE;
DROP ROLE vmnet_test_blind;
