-- The past cannot be rewritten: a removal is never dated before what is recorded,
-- every time is one, and a removal at now() is always accepted.
\i test/tap/setup.psql
\i test/tap/outcome.psql

SELECT plan(58);
SET LOCAL TimeZone = 'UTC';
SET LOCAL vmnet.inventory = 'cloud';
INSERT INTO cloud.networks (id, created) SELECT n, '2026-01-01' FROM generate_series(1, 5) n;
INSERT INTO cloud.instances (id, created) SELECT n, '2026-01-01' FROM generate_series(1, 40) n;
INSERT INTO cloud.nics (id, instance_id, network_id, created, ip4_address) SELECT n, n, 1, '2026-01-01', '10.0.0.0'::inet + n FROM generate_series(1, 20) n;

CREATE FUNCTION pg_temp.removed(nic bigint, at text) RETURNS text LANGUAGE sql AS $$
	SELECT pg_temp.trial(format('UPDATE cloud.all_nics SET state = ''Deallocating'', removed = %s WHERE id = %s', at, nic)) $$;
CREATE FUNCTION pg_temp.answers(nic bigint, at timestamptz) RETURNS text LANGUAGE sql AS $$
	SELECT format('%s %s', (SELECT count(*) FROM vmnet.ip_holders('10.0.0.0'::inet + nic, at, at)),
		(SELECT count(*) FROM vmnet.network_instances_as_of(1, at) a WHERE a.instance_id = nic)) $$;

-- a NIC of which nothing but its creation is recorded
SELECT is(pg_temp.removed(1, at), got, format('a NIC that was made in January, removed at %s', at))
FROM (VALUES ($$'0001-01-01 BC'$$, '23514 nic_removed_after_changes'), ($$'2025-12-31 23:59:59.999999'$$, '23514 nic_removed_after_changes'),
	($$'-infinity'$$, '23514 nic_removed_finite'), ($$'infinity'$$, '23514 nic_removed_finite'), ($$'2026-01-01'$$, 'accepted'), ($$'2026-01-15'$$, 'accepted'),
	('now()', 'accepted'), ('clock_timestamp()', 'accepted'), ($$date_trunc('second', now())$$, 'accepted'), ('created', 'accepted')) v (at, got);
SELECT is(pg_temp.answers(1, '2026-01-10'), '1 1', 'what was asked of the past is answered as before');
SELECT is((SELECT state_changed FROM cloud.all_nics WHERE id = 1), '2026-01-01'::timestamptz, 'a NIC of the past has its first state since it was made');
INSERT INTO cloud.nics (id, instance_id, network_id, created) VALUES (30, 30, 1, '2100-01-01');
SELECT is((SELECT state_changed FROM cloud.all_nics WHERE id = 30), now(), 'one of the future since now');

-- recorded: changes of state, in January and after the transaction began
SELECT pg_temp.place($$UPDATE cloud.all_nics SET state = 'Reserved', state_changed = '2026-01-20' WHERE id IN (2, 3)$$) \g /dev/null
SELECT is(pg_temp.removed(2, at), got, format('one that changed its state on the 20th, removed at %s', at))
FROM (VALUES ($$'2026-01-19'$$, '23514 nic_removed_after_changes'), ($$'2026-01-20'$$, 'accepted'), ($$'2026-01-21'$$, 'accepted')) v (at, got);
UPDATE cloud.nics SET state = 'Reserving' WHERE id = 4;
SELECT is(pg_temp.removed(4, at), got, format('one that changed its state just now, removed at %s', at))
FROM (VALUES ('now()', 'accepted'), ('clock_timestamp()', 'accepted'), ($$date_trunc('second', now())$$, 'accepted'),
	($$date_trunc('second', now()) - interval '1 microsecond'$$, '23514 nic_removed_after_changes'), ($$now() - interval '1 day'$$, '23514 nic_removed_after_changes')) v (at, got);
UPDATE cloud.nics SET state = 'Deallocating', removed = now() WHERE id = 4;
SELECT ok((SELECT removed > now() AND removed = (SELECT min(at) FROM cloud.nic_history WHERE nic_id = 4) FROM cloud.all_nics WHERE id = 4), 'now() is lifted to the last change');
SELECT is((SELECT removed FROM cloud.nic_history WHERE nic_id = 4 ORDER BY seq DESC LIMIT 1), (SELECT removed FROM cloud.all_nics WHERE id = 4), 'in history, too');
SELECT is(pg_temp.trial('UPDATE cloud.all_nics SET removed = now() WHERE id = 4'), '23514 nic_removed_once', 'and is not lowered again');
-- in two steps, and by DELETE
UPDATE cloud.nics SET state = 'Deallocating' WHERE id = 5;
SELECT is(pg_temp.trial($$UPDATE cloud.all_nics SET removed = '2026-02-01' WHERE id = 5$$), '23514 nic_removed_after_changes', 'a half-removed NIC is not finished before it was half-removed');
SELECT is(pg_temp.outcome('UPDATE cloud.all_nics SET removed = now() WHERE id = 5'), 'accepted', 'but now');
SELECT ok((SELECT removed >= state_changed FROM cloud.all_nics WHERE id = 5), '... after the change');
SELECT is(pg_temp.outcome('DELETE FROM cloud.nics WHERE id = 30'), 'accepted', 'a NIC that is made in the future is deleted from the view');
SELECT is((SELECT removed FROM cloud.all_nics WHERE id = 30), '2100-01-01'::timestamptz, '... when it was made');
-- by every route
SELECT is(pg_temp.trial(command), '23514 nic_removed_after_changes', command)
FROM (VALUES ($$UPDATE cloud.nics SET state = 'Deallocating', removed = '2025-01-01' WHERE id = 6$$),
	($$INSERT INTO cloud.all_nics (id, instance_id, network_id) VALUES (6, 6, 1) ON CONFLICT (id) DO UPDATE SET state = 'Deallocating', removed = '2025-01-01'$$),
	($$MERGE INTO cloud.all_nics n USING (VALUES (6)) v (id) ON n.id = v.id WHEN MATCHED THEN UPDATE SET state = 'Deallocating', removed = '2025-01-01'$$),
	($$UPDATE cloud.all_nics SET state = 'Deallocating', removed = CASE id WHEN 6 THEN now() ELSE '2025-01-01' END WHERE id IN (6, 7)$$)) v (command);
-- a trigger of somebody's that says another time
CREATE FUNCTION pg_temp.backdate() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN NEW.removed := NEW.removed - interval '5 years'; RETURN NEW; END $$;
CREATE TRIGGER zz BEFORE UPDATE ON cloud.all_nics FOR EACH ROW WHEN (NEW.removed IS NOT NULL) EXECUTE FUNCTION pg_temp.backdate();
SELECT is(pg_temp.removed(8, 'now()'), '23514 nic_removed_after_changes', 'nor does a trigger that fires after all others get past');
DROP TRIGGER zz ON cloud.all_nics;

-- recorded: addresses, moves that a mirror saw, secondary addresses
UPDATE cloud.nics SET ip4_address = '10.0.1.9' WHERE id = 9;
SELECT is(pg_temp.removed(9, $$now() - interval '1 day'$$), '23514 nic_removed_after_changes', 'an address that changed is recorded, too');
UPDATE cloud.nic_address_history SET until = '2026-01-20';
SELECT is(pg_temp.removed(9, $$'2026-01-19'$$) || ', ' || pg_temp.removed(9, $$'2026-01-20'$$), '23514 nic_removed_after_changes, accepted', '... with its time');
INSERT INTO cloud.nic_history (nic_id, network_id, from_network_id, from_state, to_state, event, at, session_username, transaction_id) VALUES (10, 1, 2, 'Allocated', 'Allocated', 'Imported', '2026-01-20', 'x', 1);
SELECT is(pg_temp.removed(10, $$'2026-01-19'$$) || ', ' || pg_temp.removed(10, $$'2026-01-20'$$), '23514 nic_removed_after_changes, accepted', 'a move to another network');
INSERT INTO cloud.nic_secondary_ips (id, nic_id, network_id, ip4_address, created) VALUES (1, 11, 1, '10.0.2.1', '2026-01-20'), (2, 11, 1, '10.0.2.2', '2026-01-10');
SELECT is(pg_temp.removed(11, $$'2026-01-19'$$) || ', ' || pg_temp.removed(11, $$'2026-01-20'$$) || ', ' || pg_temp.removed(11, 'now()'), '23514 nic_removed_after_changes, accepted, accepted', 'a secondary address');
INSERT INTO cloud.nic_secondary_ips (id, nic_id, network_id, ip4_address, created) VALUES (3, 11, 1, '10.0.2.3', clock_timestamp());
SELECT is(pg_temp.outcome($$UPDATE cloud.nics SET state = 'Deallocating', removed = now() WHERE id = 11$$), 'accepted', 'one that it was given after the transaction began');
SELECT is_empty('SELECT id FROM cloud.all_nic_secondary_ips WHERE removed < created', '... is not removed before that');
-- history that is gone or not kept: what the NIC itself says is left
DELETE FROM cloud.nic_history;
SELECT is(pg_temp.removed(3, $$'2026-01-19'$$) || ', ' || pg_temp.removed(3, $$'2026-01-20'$$), '23514 nic_removed_after_changes, accepted', 'without entries');
DROP TRIGGER _nic_history ON cloud.all_nics;
SELECT is(pg_temp.removed(3, $$'2026-01-19'$$) || ', ' || pg_temp.removed(3, $$'2026-01-20'$$), '23514 nic_removed_after_changes, accepted', 'without history');

-- networks, instances, secondary addresses
SELECT is(pg_temp.trial(command), got, regexp_replace(command, '\s+', ' ', 'g'))
FROM (VALUES ($$UPDATE cloud.networks SET removed = '2025-12-31' WHERE id = 2$$, '23514 network_removed_after_created'), ($$UPDATE cloud.networks SET removed = '2026-01-01' WHERE id = 2$$, 'accepted'),
	($$UPDATE cloud.instances SET removed = '0001-01-01' WHERE id = 40$$, '23514 instance_removed_after_created'), ($$UPDATE cloud.instances SET removed = now() WHERE id = 40$$, 'accepted'),
	($$INSERT INTO cloud.networks (id, created) VALUES (9, clock_timestamp()); UPDATE cloud.networks SET removed = now() WHERE id = 9$$, 'accepted'),
	($$UPDATE cloud.instances SET removed = '2026-01-02' WHERE id = 5$$, '23514 instance_removed_after_nics'), ($$UPDATE cloud.instances SET removed = now() WHERE id = 5$$, 'accepted'),
	($$UPDATE cloud.nics SET state = 'Deallocating', removed = '2026-01-20' WHERE id = 12; UPDATE cloud.instances SET removed = '2026-01-20' WHERE id = 12$$, 'accepted'),
	($$INSERT INTO cloud.nics (id, network_id, strategy, created) VALUES (50, 3, 'PlaceHolder', '2026-01-01'); UPDATE cloud.nics SET state = 'Deallocating', removed = '2026-01-20' WHERE id = 50;
		UPDATE cloud.networks SET removed = '2026-01-19' WHERE id = 3$$, '23514 network_removed_after_nics'),
	($$INSERT INTO cloud.nic_secondary_ips (id, nic_id, network_id, ip4_address, created) VALUES (9, 13, 1, '10.0.2.9', '2026-01-20'); UPDATE cloud.nic_secondary_ips SET removed = '2026-01-19' WHERE id = 9$$, '23514 secondary_ip_removed_after_created'),
	($$INSERT INTO cloud.nic_secondary_ips (id, nic_id, network_id, ip4_address, created) VALUES (9, 13, 1, '10.0.2.9', clock_timestamp()); UPDATE cloud.nic_secondary_ips SET removed = now() WHERE id = 9$$, 'accepted'),
	($$INSERT INTO cloud.networks (created) VALUES ('infinity')$$, '23514 network_created_finite'), ($$UPDATE cloud.networks SET created = '-infinity'$$, '23514 network_created_finite'),
	($$INSERT INTO cloud.instances (created) VALUES ('-infinity')$$, '23514 instance_created_finite'), ($$INSERT INTO cloud.nics (network_id, strategy, created) VALUES (1, 'PlaceHolder', 'infinity')$$, '23514 nic_created_finite'),
	($$INSERT INTO cloud.nic_secondary_ips (nic_id, network_id, ip4_address, created) VALUES (13, 1, '10.0.2.9', 'infinity')$$, '23514 secondary_ip_created_finite')) v (command, got);

SELECT * FROM finish();
ROLLBACK;
