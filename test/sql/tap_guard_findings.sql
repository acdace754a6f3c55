-- What reviews of the guards found, a test for each.
\i test/tap/setup.psql

SELECT plan(9);

INSERT INTO cloud.networks (id, name) VALUES (1, 'n1'), (2, 'n2');
INSERT INTO cloud.instances (id, name) VALUES (1, 'i1');
INSERT INTO cloud.nics (id, instance_id, network_id) VALUES (1, 1, 1);

-- Reserving under strategy Create is a state that no move leads out of.
SELECT throws_ok($$UPDATE cloud.nics SET state = 'Reserving', strategy = 'Create' WHERE id = 1$$,
	'23514', 'the strategy of NIC 1 cannot change while its state is "Reserving"',
	'state and strategy do not change together');
SELECT lives_ok($$UPDATE cloud.nics SET strategy = 'Create' WHERE id = 1$$,
	'a strategy changes while the NIC stays Allocated');
SELECT throws_ok($$UPDATE cloud.nics SET state = 'Reserved', strategy = 'Start' WHERE id = 1$$,
	'23514', 'the strategy of NIC 1 cannot change while its state is "Reserved"',
	'nor does it change by a move that both strategies end in');

-- A deferred foreign key lets a NIC come before its network, which could then
-- be born removed.
ALTER TABLE cloud.all_nics ALTER CONSTRAINT all_nics_network_id_fkey DEFERRABLE INITIALLY DEFERRED;
SELECT throws_ok($$INSERT INTO cloud.nics (id, instance_id, network_id) VALUES (9, 1, 50)$$,
	'23503', 'cannot add a NIC to network 50, which does not exist',
	'a NIC does not come before its network');
ALTER TABLE cloud.all_nics ALTER CONSTRAINT all_nics_network_id_fkey NOT DEFERRABLE;

-- A removal is judged by key, whatever the command does to the row besides.
CREATE FUNCTION pg_temp.touch() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
	IF pg_trigger_depth() = 1 THEN
		UPDATE cloud.all_networks SET name = 'touched' WHERE id = NEW.id;
	END IF;
	RETURN NULL;
END
$$;
CREATE TRIGGER a_touch AFTER UPDATE ON cloud.all_networks FOR EACH ROW EXECUTE FUNCTION pg_temp.touch();
SELECT throws_ok($$UPDATE cloud.networks SET removed = now() WHERE id = 1$$,
	'23503', 'cannot remove network 1: NICs are left on it',
	'a network that is written again by its own removal is judged all the same');
SELECT lives_ok($$UPDATE cloud.networks SET removed = now() WHERE id = 2$$,
	'and one without NICs is removed');

-- What an owner has allowed to be NULL is judged as something unknown.
ALTER TABLE cloud.all_nics ALTER COLUMN strategy DROP NOT NULL, ALTER COLUMN state DROP NOT NULL;
INSERT INTO cloud.nics (id, instance_id, network_id, strategy, vm_type) VALUES (70, 1, 1, NULL, 'DomainRouter');
SELECT throws_ok($$UPDATE cloud.nics SET state = 'Reserving' WHERE id = 70$$, '23514',
	'NIC 70 cannot move from state "Allocated" to "Reserving"', 'a NIC without a strategy makes no move');
SELECT throws_ok($$INSERT INTO cloud.nics (id, instance_id, network_id, state) VALUES (71, 1, 1, NULL)$$, '23514',
	'a new NIC cannot start in state "null"', 'a NIC does not start without a state');
SELECT throws_ok($$UPDATE cloud.nics SET state = NULL WHERE id = 70$$, '23514',
	'NIC 70 cannot move from state "Allocated" to "null"', 'nor lose it');

SELECT * FROM finish();
ROLLBACK;
