-- Every refusal of the guards and functions, with all that it says.
SET TimeZone = 'UTC';
SET DateStyle = 'ISO';
\pset format unaligned
\pset tuples_only on

CREATE TEMP TABLE said (ord serial, command text, state text, constraint_name text, schema_name text, table_name text,
	message text, detail text, hint text);
CREATE FUNCTION pg_temp.refusal(command text) RETURNS SETOF text
LANGUAGE plpgsql AS $$
DECLARE
	s said;
BEGIN
	EXECUTE command;
	RETURN NEXT 'accepted';
EXCEPTION WHEN OTHERS THEN
	GET STACKED DIAGNOSTICS s.state = RETURNED_SQLSTATE, s.constraint_name = CONSTRAINT_NAME,
		s.schema_name = SCHEMA_NAME, s.table_name = TABLE_NAME, s.message = MESSAGE_TEXT,
		s.detail = PG_EXCEPTION_DETAIL, s.hint = PG_EXCEPTION_HINT;
	s.command := command;
	s.ord := nextval('said_ord_seq');
	INSERT INTO said SELECT s.*;
	RETURN NEXT concat_ws(' ', s.state, nullif(s.constraint_name, ''), 'on ' || nullif(concat_ws('.', nullif(s.schema_name, ''), nullif(s.table_name, '')), ''));
	RETURN NEXT s.message;
	IF s.detail <> '' THEN
		RETURN NEXT s.detail;
	END IF;
	IF s.hint <> '' THEN
		RETURN NEXT s.hint;
	END IF;
END
$$;

SELECT vmnet.create_inventory('cloud') \g /dev/null
SELECT vmnet.create_inventory('mirror', 'mirror') \g /dev/null
INSERT INTO cloud.networks (id, name, created) SELECT i, 'net' || i, '2024-01-01 00:00+00' FROM generate_series(1, 9) i;
INSERT INTO cloud.instances (id, name, created) SELECT i, 'vm' || i, '2024-01-01 00:00+00' FROM generate_series(1, 9) i;
UPDATE cloud.networks SET removed = '2024-04-01 00:00+00' WHERE id = 9;
UPDATE cloud.instances SET removed = '2024-04-01 00:00+00' WHERE id = 9;
INSERT INTO cloud.nics (id, uuid, instance_id, network_id, created) VALUES
	(1, '00000000-0000-0000-0000-000000000001', 1, 1, '2024-01-01 00:00+00'),
	(2, '00000000-0000-0000-0000-000000000002', 2, 2, '2024-01-01 00:00+00'),
	(3, '00000000-0000-0000-0000-000000000003', 3, 3, '2024-01-01 00:00+00');
INSERT INTO cloud.nics (id, uuid, network_id, strategy, state) VALUES
	(4, '00000000-0000-0000-0000-000000000004', 4, 'PlaceHolder', 'Reserved');
UPDATE cloud.nics SET state = 'Deallocating' WHERE id = 2;
UPDATE cloud.nics SET state = 'Deallocating', removed = '2024-05-01 00:00+00' WHERE id = 3;

-- nic_state_transition: what the NIC is, and where it could go
SELECT pg_temp.refusal($$UPDATE cloud.nics SET state = 'Releasing' WHERE id = 1$$);
SELECT pg_temp.refusal($$UPDATE cloud.all_nics SET state = 'Allocated' WHERE id = 2$$);
SELECT pg_temp.refusal($$UPDATE cloud.nics SET state = 'Releasing' WHERE id = 4$$);

-- nic_initial_state
SELECT pg_temp.refusal($$INSERT INTO cloud.nics (id, uuid, instance_id, network_id, state)
	VALUES (100, '00000000-0000-0000-0000-000000000100', 1, 2, 'Reserving')$$);

-- nic_identity_immutable
SELECT pg_temp.refusal($$UPDATE cloud.nics SET id = 77 WHERE id = 1$$);
SELECT pg_temp.refusal($$UPDATE cloud.nics SET network_id = 2 WHERE id = 1$$);
SELECT pg_temp.refusal($$UPDATE cloud.nics SET instance_id = 2 WHERE id = 4$$);
SELECT pg_temp.refusal($$UPDATE cloud.nics SET created = '2023-01-01 00:00+00' WHERE id = 1$$);

-- nic_removed_once
SELECT pg_temp.refusal($$UPDATE cloud.all_nics SET removed = NULL WHERE id = 3$$);
SELECT pg_temp.refusal($$UPDATE cloud.all_nics SET removed = '2024-06-01 00:00+00' WHERE id = 3$$);

-- nic_strategy_immutable, nic_removed_read_only
SELECT pg_temp.refusal($$UPDATE cloud.all_nics SET strategy = 'Create' WHERE id = 2$$);
SELECT pg_temp.refusal($$UPDATE cloud.all_nics SET ip4_address = '10.1.1.9' WHERE id = 3$$);

-- nic_parent_active, and a parent that is missing
SELECT pg_temp.refusal($$INSERT INTO cloud.nics (id, uuid, instance_id, network_id) VALUES (100, '00000000-0000-0000-0000-000000000100', 1, 9)$$);
SELECT pg_temp.refusal($$INSERT INTO cloud.nics (id, uuid, instance_id, network_id) VALUES (100, '00000000-0000-0000-0000-000000000100', 9, 1)$$);
SELECT pg_temp.refusal($$INSERT INTO cloud.nics (id, uuid, network_id, strategy) VALUES (100, '00000000-0000-0000-0000-000000000100', 9, 'PlaceHolder')$$);
SELECT pg_temp.refusal($$INSERT INTO cloud.nics (id, instance_id, network_id) VALUES (100, 1, 12345)$$);
SELECT pg_temp.refusal($$INSERT INTO cloud.nics (id, instance_id, network_id) VALUES (100, 12345, 1)$$);

-- network_removed_once, instance_removed_once
SELECT pg_temp.refusal($$UPDATE cloud.all_networks SET removed = NULL WHERE id = 9$$);
SELECT pg_temp.refusal($$UPDATE cloud.all_instances SET removed = '2024-06-01 00:00+00' WHERE id = 9$$);

-- network_in_use: one NIC, a half-removed one, a placeholder
SELECT pg_temp.refusal('UPDATE cloud.networks SET removed = now() WHERE id = 1');
SELECT pg_temp.refusal('UPDATE cloud.networks SET removed = now() WHERE id = 2');
SELECT pg_temp.refusal('UPDATE cloud.networks SET removed = now() WHERE id = 4');
-- a removed one is none
BEGIN;
SELECT pg_temp.refusal('UPDATE cloud.networks SET removed = now() WHERE id = 3');
ROLLBACK;

-- five are named all, of seven five are named; two of the five half-removed
INSERT INTO cloud.nics (id, instance_id, network_id) SELECT 50 + i, i, 5 FROM generate_series(1, 5) i;
SELECT pg_temp.refusal('UPDATE cloud.networks SET removed = now() WHERE id = 5');
INSERT INTO cloud.nics (id, instance_id, network_id) SELECT 50 + i, i, 5 FROM generate_series(6, 7) i;
SELECT pg_temp.refusal('UPDATE cloud.networks SET removed = now() WHERE id = 5');
UPDATE cloud.nics SET state = 'Deallocating' WHERE id IN (52, 54);
SELECT pg_temp.refusal('UPDATE cloud.networks SET removed = now() WHERE id = 5');
-- and two that are not named
UPDATE cloud.nics SET state = 'Deallocating' WHERE id IN (56, 57);
SELECT pg_temp.refusal('UPDATE cloud.networks SET removed = now() WHERE id = 5');

-- instance_in_use: the same for an instance
SELECT pg_temp.refusal('UPDATE cloud.instances SET removed = now() WHERE id = 6');
INSERT INTO cloud.nics (id, instance_id, network_id) SELECT 80 + i, 8, i FROM generate_series(1, 5) i;
SELECT pg_temp.refusal('UPDATE cloud.instances SET removed = now() WHERE id = 8');
INSERT INTO cloud.nics (id, instance_id, network_id) SELECT 80 + i, 8, i FROM generate_series(6, 7) i;
SELECT pg_temp.refusal('UPDATE cloud.instances SET removed = now() WHERE id = 8');
UPDATE cloud.nics SET state = 'Deallocating' WHERE id = 81;
SELECT pg_temp.refusal('UPDATE cloud.instances SET removed = now() WHERE id = 8');

-- Who does as the HINT says, and says again what was refused, gets there.
CREATE FUNCTION pg_temp.do_as_hinted(command text) RETURNS text
LANGUAGE plpgsql AS $$
DECLARE
	hinted text;
BEGIN
	FOR attempt IN 1..9 LOOP
		BEGIN
			EXECUTE command;
			RETURN 'accepted';
		EXCEPTION WHEN foreign_key_violation THEN
			GET STACKED DIAGNOSTICS hinted = PG_EXCEPTION_HINT;
			EXECUTE substring(hinted FROM 'UPDATE .*[^.]');
		END;
	END LOOP;
	RETURN 'still refused';
END
$$;
SELECT pg_temp.do_as_hinted(format('UPDATE cloud.networks SET removed = now() WHERE id = %s', id))
FROM unnest(ARRAY[1, 2, 4, 5]) id;
SELECT pg_temp.do_as_hinted('UPDATE cloud.instances SET removed = now() WHERE id = 8');
SELECT count(*) FROM cloud.all_nics n JOIN cloud.all_networks w ON w.id = n.network_id
WHERE n.removed IS NULL AND w.removed IS NOT NULL;
-- also where names need quotes
SELECT vmnet.create_inventory('My "cloud"; it''s') \g /dev/null
INSERT INTO "My ""cloud""; it's".networks (id) VALUES (1);
INSERT INTO "My ""cloud""; it's".nics (id, network_id, strategy) VALUES (1, 1, 'PlaceHolder');
SELECT pg_temp.refusal('UPDATE "My ""cloud""; it''s".networks SET removed = now() WHERE id = 1');
SELECT pg_temp.refusal('DELETE FROM "My ""cloud""; it''s".all_nics');
SELECT pg_temp.do_as_hinted('UPDATE "My ""cloud""; it''s".networks SET removed = now() WHERE id = 1');

-- no_hard_delete
SELECT pg_temp.refusal('DELETE FROM cloud.all_nics WHERE id = 1');
SELECT pg_temp.refusal('DELETE FROM cloud.all_networks WHERE id = 1');
SELECT pg_temp.refusal('DELETE FROM cloud.all_instances WHERE id = 1');
SELECT pg_temp.refusal('TRUNCATE cloud.all_nics');
SELECT pg_temp.refusal('TRUNCATE mirror.all_nics');

-- mirror_read_only
SELECT pg_temp.refusal($$INSERT INTO mirror.networks (id, name) VALUES (1, 'net')$$);
SELECT pg_temp.refusal($$UPDATE mirror.instances SET name = 'vm'$$);
SELECT pg_temp.refusal($$INSERT INTO mirror.all_nics (instance_id, network_id) VALUES (1, 1)$$);

-- duplicates among live User NICs
INSERT INTO cloud.nics (id, instance_id, network_id, mac_address) VALUES (200, 7, 7, '02:00:00:00:00:01');
SELECT pg_temp.refusal('INSERT INTO cloud.nics (id, instance_id, network_id) VALUES (201, 7, 7)');
SELECT pg_temp.refusal($$INSERT INTO cloud.nics (id, instance_id, network_id, mac_address) VALUES (201, 6, 7, '02:00:00:00:00:01')$$);

-- bad arguments
SELECT pg_temp.refusal($$SELECT * FROM vmnet.network_active_instances(1, inventory => 'nowhere')$$);
SELECT pg_temp.refusal($$SELECT * FROM vmnet.network_active_instances(1, inventory => 'public')$$);
SET vmnet.inventory = 'Cloud';
SELECT pg_temp.refusal($$SELECT vmnet.network_in_use(1)$$);
RESET vmnet.inventory;
SELECT pg_temp.refusal($$SELECT * FROM vmnet.network_active_instances(1, page_size => -1)$$);
SELECT pg_temp.refusal($$SELECT vmnet.nic_next_state('allocated', 'ReservationRequested')$$);
SELECT pg_temp.refusal($$SELECT vmnet.nic_next_state('Allocated', 'Reserve')$$);
SELECT pg_temp.refusal($$SELECT vmnet.nic_next_state('Allocated', 'ReservationRequested', 'Created')$$);
SELECT pg_temp.refusal(format('SET vmnet.inventory = %L', repeat('x', 64)));
SELECT pg_temp.refusal('SELECT vmnet.create_inventory(NULL)');
SELECT pg_temp.refusal($$SELECT vmnet.create_inventory('x', 'other')$$);
SELECT pg_temp.refusal($$SELECT vmnet.create_inventory('cloud')$$);
SELECT pg_temp.refusal($$SELECT vmnet.create_inventory('public')$$);

-- A refusal that is the guards' own, or a function's, has all parts ...
SELECT command, state FROM said
WHERE (detail = '' OR hint = '' OR message = '')
	AND NOT (message LIKE '%violates foreign key constraint%' OR message LIKE 'duplicate key value%' OR message LIKE 'invalid value for parameter%');
SELECT command, state FROM said
WHERE state NOT IN ('22023', '42P06') AND (constraint_name = '' OR schema_name = '' OR table_name = '');
-- ... and none is of a class that gateways take for a fault of the server.
SELECT command, state FROM said WHERE left(state, 2) IN ('55', '09', '38', '39', 'P0', 'XX');
-- Each constraint of the guards was met.
SELECT string_agg(DISTINCT constraint_name, ' ' ORDER BY constraint_name) FROM said WHERE constraint_name <> '';

\pset format aligned
\pset tuples_only off
SET client_min_messages = warning;
DROP SCHEMA cloud CASCADE;
DROP SCHEMA mirror CASCADE;
DROP SCHEMA "My ""cloud""; it's" CASCADE;
