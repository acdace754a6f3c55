-- NULL in an INSERT stands for the default of the column, as mappers send it:
-- for columns of the inventory that are NOT NULL and have a default.
\i test/tap/setup.psql
\i test/tap/outcome.psql

SELECT plan(41);

INSERT INTO cloud.networks (id, name) VALUES (1, 'n'), (2, 'm');
INSERT INTO cloud.instances (id, name) VALUES (1, 'i'), (2, 'j');
INSERT INTO cloud.nics (id, instance_id, network_id) VALUES (1, 2, 1);
SELECT setval('cloud.all_networks_id_seq', 10), setval('cloud.all_instances_id_seq', 10), setval('cloud.all_nics_id_seq', 10) \g /dev/null

-- Every column that is NOT NULL and has a default: a new one is filled too, or
-- this fails.
CREATE TEMP TABLE filled AS
SELECT c.relname::text AS relation, a.attname::text AS name,
	CASE c.relname WHEN 'all_nics' THEN ', network_id, instance_id' WHEN 'all_nic_secondary_ips' THEN ', nic_id, network_id, ip4_address' ELSE '' END AS others,
	CASE c.relname WHEN 'all_nics' THEN ', 1, 1' WHEN 'all_nic_secondary_ips' THEN ', 1, 1, ''10.0.0.1''' ELSE '' END AS other_values
FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid
WHERE c.relnamespace = 'cloud'::regnamespace AND c.relname IN ('all_networks', 'all_instances', 'all_nics', 'all_nic_secondary_ips')
	AND a.attnum > 0 AND a.attnotnull AND a.atthasdef AND a.attgenerated = '';
SELECT is(pg_temp.trial(format('INSERT INTO cloud.%I (%I%s) VALUES (NULL%s)', relation, name, others, other_values)), 'accepted', format('%s.%s', relation, name))
FROM filled ORDER BY relation COLLATE "C", name COLLATE "C";

SELECT setval('cloud.all_networks_id_seq', 10), setval('cloud.all_instances_id_seq', 10), setval('cloud.all_nics_id_seq', 10) \g /dev/null
-- Through tables and views, with what the mapper does not know set as well.
INSERT INTO cloud.networks (id, uuid, name, state, traffic_type, cidr, created, removed) VALUES (NULL, NULL, 'a', NULL, NULL, NULL, NULL, NULL);
INSERT INTO cloud.instances (id, uuid, name, type, state, created) VALUES (NULL, NULL, 'a', NULL, NULL, NULL), (NULL, NULL, 'b', NULL, 'Running', NULL);
INSERT INTO cloud.nics (id, uuid, network_id, instance_id, state, strategy, vm_type, enabled, created, state_changed, default_nic)
	SELECT NULL, NULL, n, 11, NULL, NULL, NULL, NULL, NULL, NULL, NULL FROM generate_series(1, 2) n;
SELECT results_eq($$SELECT id, name, state, traffic_type, uuid IS NOT NULL, created, removed FROM cloud.all_networks WHERE id > 10$$,
	$$VALUES (11::bigint, 'a', 'Allocated', 'Guest', true, now(), NULL::timestamptz)$$, 'a network through its view');
SELECT results_eq($$SELECT id, name, type, state, created FROM cloud.all_instances WHERE id > 10 ORDER BY id$$,
	$$VALUES (11::bigint, 'a', 'User', 'Stopped', now()), (12, 'b', 'User', 'Running', now())$$, 'instances through their view');
SELECT results_eq($$SELECT id, network_id, state, strategy, vm_type, enabled, created, state_changed, default_nic FROM cloud.all_nics WHERE id > 10 ORDER BY id$$,
	$$VALUES (11::bigint, 1::bigint, 'Allocated', 'Start', 'User', true, now(), now(), true), (12, 2, 'Allocated', 'Start', 'User', true, now(), now(), false)$$,
	'NICs through their view; the first one of an instance is its default');
SELECT is((SELECT count(DISTINCT uuid) FROM cloud.all_nics), 3::bigint, 'each row has a uuid of its own');

COPY cloud.all_networks (uuid, name, state, created) FROM stdin;
\N	copied 1	\N	\N
\N	copied 2	Setup	2026-01-01 00:00+00
\.
SELECT results_eq($$SELECT name, state, created FROM cloud.networks WHERE name LIKE 'copied%' AND uuid IS NOT NULL ORDER BY id$$,
	$$VALUES ('copied 1', 'Allocated', now()), ('copied 2', 'Setup', '2026-01-01 00:00+00')$$, 'COPY');
COPY cloud.all_nics (uuid, instance_id, network_id, state, default_nic, created, state_changed) FROM stdin;
\N	12	1	\N	\N	\N	\N
\N	12	2	Reserved	\N	2026-01-01 00:00+00	\N
\.
SELECT results_eq($$SELECT network_id, state, default_nic, created, state_changed FROM cloud.nics WHERE instance_id = 12 AND uuid IS NOT NULL ORDER BY network_id$$,
	$$VALUES (1::bigint, 'Allocated', true, now(), now()), (2, 'Reserved', false, '2026-01-01 00:00+00', '2026-01-01 00:00+00')$$, 'COPY of NICs');

-- What ON CONFLICT sees is the row with its defaults.
INSERT INTO cloud.networks (id, name, state, traffic_type) VALUES (50, 'u', 'Setup', 'Public');
INSERT INTO cloud.networks (id, name, state, traffic_type) VALUES (50, 'v', NULL, NULL) ON CONFLICT (id) DO UPDATE SET name = EXCLUDED.name, state = EXCLUDED.state;
SELECT results_eq($$SELECT name, state, traffic_type FROM cloud.networks WHERE id = 50$$, $$VALUES ('v', 'Allocated', 'Public')$$,
	'EXCLUDED has the default where the INSERT has NULL');
SELECT is(pg_temp.trial('INSERT INTO cloud.networks (id, uuid, name) VALUES (50, NULL, ''w'') ON CONFLICT (id) DO UPDATE SET uuid = EXCLUDED.uuid'), 'accepted',
	'an upsert of all columns gives a new uuid, not a NULL');
INSERT INTO cloud.nics (id, instance_id, network_id, state, default_nic, enabled) VALUES (1, 2, 1, NULL, NULL, NULL)
	ON CONFLICT (id) DO UPDATE SET state = EXCLUDED.state, enabled = EXCLUDED.enabled;
SELECT results_eq($$SELECT state, default_nic, enabled FROM cloud.nics WHERE id = 1$$, $$VALUES ('Allocated', true, true)$$, 'an upsert of a NIC keeps what it does not set');
INSERT INTO cloud.nics (id, instance_id, network_id, default_nic) VALUES (1, 2, 1, NULL) ON CONFLICT (id) DO UPDATE SET default_nic = EXCLUDED.default_nic;
SELECT is((SELECT default_nic FROM cloud.nics WHERE id = 1), false, 'EXCLUDED.default_nic is that of a further NIC of the instance');
INSERT INTO cloud.nics (id, instance_id, network_id, state) VALUES (1, 2, 1, NULL) ON CONFLICT DO NOTHING;
SELECT is((SELECT count(*) FROM cloud.nics WHERE instance_id = 2), 1::bigint, 'ON CONFLICT DO NOTHING does nothing');
SELECT is(pg_temp.trial('UPDATE cloud.networks SET state = NULL WHERE id = 50'), '23502 state', 'an UPDATE to NULL is refused as before');

-- Columns of users, and defaults that they change.
ALTER TABLE cloud.all_networks ADD COLUMN rack text DEFAULT 'r1', ADD COLUMN tag int NOT NULL DEFAULT 7;
INSERT INTO cloud.all_networks (name, rack, created) VALUES ('x', NULL, NULL);
SELECT results_eq($$SELECT rack, tag FROM cloud.all_networks WHERE name = 'x'$$, $$VALUES (NULL::text, 7)$$, 'a column that users have added keeps its NULL');
SELECT is(pg_temp.trial($$INSERT INTO cloud.all_networks (name, tag) VALUES ('x', NULL)$$), '23502 tag', 'or is refused');
ALTER TABLE cloud.all_instances ALTER state SET DEFAULT 'Running', ALTER type DROP DEFAULT;
INSERT INTO cloud.all_instances (name, type, state) VALUES ('x', 'User', NULL);
SELECT is((SELECT state FROM cloud.instances WHERE name = 'x'), 'Running', 'a changed default is seen at once');
SELECT is(pg_temp.trial($$INSERT INTO cloud.all_instances (name, type) VALUES ('x', NULL)$$), '23502 type', 'without a default a NULL is refused');
SELECT is(pg_temp.trial($$SET LOCAL session_replication_role = replica; INSERT INTO cloud.all_networks (uuid) VALUES (NULL)$$), '23502 uuid',
	'where triggers do not fire a NULL is refused');

-- A default is evaluated as the current user, whoever was first.
CREATE ROLE vmnet_null_default;
CREATE FUNCTION public.own_name() RETURNS text LANGUAGE sql STABLE AS 'SELECT ''of '' || current_user';
REVOKE ALL ON FUNCTION public.own_name() FROM PUBLIC;
GRANT USAGE ON SCHEMA cloud TO vmnet_null_default;
GRANT INSERT ON cloud.all_networks TO vmnet_null_default;
ALTER TABLE cloud.all_networks ALTER traffic_type SET DEFAULT public.own_name();
INSERT INTO cloud.all_networks (id, name, traffic_type) VALUES (60, 'first', NULL);
SELECT is(pg_temp.outcome_as('vmnet_null_default', $$INSERT INTO cloud.all_networks (id, name, traffic_type) VALUES (61, 'second', NULL)$$), '42501',
	'a role that may not call the function of a default is refused');
GRANT EXECUTE ON FUNCTION public.own_name() TO vmnet_null_default;
SELECT is(pg_temp.outcome_as('vmnet_null_default', $$INSERT INTO cloud.all_networks (id, name, traffic_type) VALUES (61, 'second', NULL)$$), 'accepted',
	'one that may is not');
SELECT is((SELECT traffic_type FROM cloud.all_networks WHERE id = 61), 'of vmnet_null_default', 'and it is the one that the function runs as');

SELECT * FROM finish();
ROLLBACK;
