-- The default NIC of an instance: where an INSERT does not say, its first live
-- NIC becomes it (CloudStack #7859).
\i test/tap/setup.psql
\i test/tap/outcome.psql

SELECT plan(30);

INSERT INTO cloud.networks (id, name) SELECT i, 'net' || i FROM generate_series(1, 5) i;
INSERT INTO cloud.instances (id, name) SELECT i, 'vm' || i FROM generate_series(1, 40) i;

-- default_nic of the NICs of an instance, in the order of their ids
CREATE FUNCTION pg_temp.defaults(instance bigint) RETURNS text
LANGUAGE sql AS $$ SELECT string_agg(default_nic::text, ' ' ORDER BY id) FROM cloud.all_nics WHERE instance_id = instance $$;

-- CloudStack #7859: an instance without a default NIC (scenario 33)
INSERT INTO cloud.all_nics (instance_id, network_id) VALUES (1, 1);
SELECT is(pg_temp.defaults(1), 'true', 'scenario 33: the first NIC added becomes the default');
INSERT INTO cloud.all_nics (instance_id, network_id) VALUES (1, 2);
SELECT is(pg_temp.defaults(1), 'true false', 'the second does not');

INSERT INTO cloud.nics (instance_id, network_id) VALUES (2, 1);
INSERT INTO cloud.nics (instance_id, network_id) VALUES (2, 2);
SELECT is(pg_temp.defaults(2), 'true false', 'through the view: the first, not the second');

INSERT INTO cloud.all_nics (instance_id, network_id) VALUES (3, 1), (3, 2), (3, 3);
SELECT is(pg_temp.defaults(3), 'true false false', 'of several in one statement, the first');
INSERT INTO cloud.nics (instance_id, network_id) SELECT i, n FROM generate_series(4, 6) i, generate_series(1, 2) n ORDER BY n, i;
SELECT is(pg_temp.defaults(4) || ', ' || pg_temp.defaults(5) || ', ' || pg_temp.defaults(6), 'true false, true false, true false',
	'of several in one statement for several instances, the first of each');
WITH a AS (INSERT INTO cloud.all_nics (instance_id, network_id) VALUES (7, 1)),
	b AS (INSERT INTO cloud.all_nics (instance_id, network_id) VALUES (7, 2)) SELECT \g /dev/null
SELECT is((SELECT count(*) FILTER (WHERE default_nic) || ' of ' || count(*) FROM cloud.all_nics WHERE instance_id = 7), '1 of 2',
	'of two in two CTEs, one');

INSERT INTO cloud.nics (instance_id, network_id, default_nic) VALUES (8, 1, false);
SELECT is(pg_temp.defaults(8), 'false', 'an explicit false stays false');
INSERT INTO cloud.nics (instance_id, network_id) VALUES (8, 2);
SELECT is(pg_temp.defaults(8), 'false false', 'and the next is not the first');
INSERT INTO cloud.nics (instance_id, network_id, default_nic) VALUES (8, 3, true);
SELECT is(pg_temp.defaults(8), 'false false true', 'an explicit true stays true, whichever it is');

INSERT INTO cloud.nics (instance_id, network_id, default_nic) VALUES (9, 1, NULL);
SELECT is(pg_temp.defaults(9), 'true', 'NULL does not say');
INSERT INTO cloud.nics (instance_id, network_id, default_nic) VALUES (10, 1, DEFAULT);
SELECT is(pg_temp.defaults(10), 'true', 'nor does DEFAULT');
SELECT is(pg_temp.outcome('UPDATE cloud.nics SET default_nic = NULL WHERE instance_id = 10'), '23514 nic_default_nic_present',
	'an UPDATE has to say');

COPY cloud.all_nics (instance_id, network_id) FROM stdin;
11	1
11	2
\.
COPY cloud.all_nics (instance_id, network_id, default_nic) FROM stdin;
12	1	f
12	2	\N
13	1	\N
\.
SELECT is(pg_temp.defaults(11), 'true false', 'COPY: the first, not the second');
SELECT is(pg_temp.defaults(12), 'false false', 'COPY: an explicit false stays false, and the next is not the first');
SELECT is(pg_temp.defaults(13), 'true', 'COPY: NULL does not say');

MERGE INTO cloud.all_nics n USING (VALUES (15, 1), (15, 2)) v (i, n) ON n.instance_id = v.i AND n.network_id = v.n
	WHEN NOT MATCHED THEN INSERT (instance_id, network_id) VALUES (v.i, v.n);
SELECT is(pg_temp.defaults(15), 'true false', 'MERGE: the first, not the second');
INSERT INTO cloud.nics (id, instance_id, network_id) VALUES (1600, 16, 1);
INSERT INTO cloud.nics (id, instance_id, network_id, mtu) VALUES (1600, 16, 1, 1450), (1601, 16, 2, 1450)
	ON CONFLICT (id) DO UPDATE SET mtu = excluded.mtu;
SELECT is(pg_temp.defaults(16), 'true false', 'upsert: the row that is there keeps it');

-- only live NICs count
INSERT INTO cloud.nics (id, instance_id, network_id) VALUES (1700, 17, 1);
DELETE FROM cloud.nics WHERE id = 1700;
INSERT INTO cloud.nics (instance_id, network_id) VALUES (17, 1);
SELECT is(pg_temp.defaults(17), 'true true', 'scenario 32: removed and added again, it is the first live one again');
INSERT INTO cloud.nics (id, instance_id, network_id) VALUES (1800, 18, 1);
UPDATE cloud.nics SET state = 'Deallocating' WHERE id = 1800;
INSERT INTO cloud.nics (instance_id, network_id) VALUES (18, 2);
SELECT is(pg_temp.defaults(18), 'true true', 'a half-removed NIC is not live');
INSERT INTO cloud.nics (id, instance_id, network_id) VALUES (1900, 19, 1), (1901, 19, 2);
DELETE FROM cloud.nics WHERE id = 1900;
INSERT INTO cloud.nics (id, instance_id, network_id) VALUES (1902, 19, 3);
SELECT is((SELECT string_agg(id || ' ' || default_nic, ', ' ORDER BY id) FROM cloud.nics WHERE instance_id = 19),
	'1901 false, 1902 false', 'where the default was removed, nobody but a client chooses another');

-- each instance for itself; a placeholder has none
INSERT INTO cloud.nics (id, network_id, strategy) VALUES (2000, 1, 'PlaceHolder'), (2001, 1, 'PlaceHolder');
SELECT is((SELECT string_agg(default_nic::text, ' ') FROM cloud.nics WHERE id IN (2000, 2001)), 'false false',
	'a NIC without an instance is nobody''s default');
INSERT INTO cloud.nics (instance_id, network_id, vm_type) VALUES (20, 1, 'DomainRouter'), (20, 1, 'DomainRouter');
SELECT is(pg_temp.defaults(20), 'true false', 'a router has a first NIC, too');

-- what the guards refuse anyway comes to the same error
SELECT is(pg_temp.outcome($$INSERT INTO cloud.nics (instance_id, network_id) VALUES (12345, 1)$$), '23503 all_nics_instance_id_fkey',
	'an instance that does not exist is for the foreign key');
SELECT is(pg_temp.outcome($$INSERT INTO cloud.nics (instance_id, network_id) VALUES (21, 12345)$$), '23503 all_nics_network_id_fkey',
	'so is a network that does not exist');
SELECT is(pg_temp.outcome($$INSERT INTO cloud.nics (instance_id, network_id) VALUES (21, NULL)$$), '23502 network_id',
	'NULL is for NOT NULL');

-- updateDefaultNicForVirtualMachine: two writes, one after the other
SELECT is(pg_temp.outcome('UPDATE cloud.nics SET default_nic = true WHERE instance_id = 1 AND network_id = 2'),
	'23505 all_nics_one_default', 'swapping the default: to set the new one first is refused');
SELECT is(pg_temp.outcome('UPDATE cloud.nics SET default_nic = false WHERE instance_id = 1 AND network_id = 1;
		UPDATE cloud.nics SET default_nic = true WHERE instance_id = 1 AND network_id = 2'),
	'accepted', 'to clear the old one and set the new one works');
SELECT is(pg_temp.defaults(1), 'false true', 'and the default is the other NIC');
SELECT is(pg_temp.outcome('INSERT INTO cloud.nics (instance_id, network_id, default_nic) VALUES (1, 3, true)'),
	'23505 all_nics_one_default', 'a second default is refused');
SELECT is_empty($$SELECT instance_id FROM cloud.nics WHERE vm_type = 'User' AND default_nic GROUP BY 1 HAVING count(*) > 1$$,
	'after all of that no instance has two defaults');

SELECT * FROM finish();
ROLLBACK;
