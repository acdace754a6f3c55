-- COPY ... FROM stdin into an inventory: each row is judged as one that came by
-- INSERT, and one that is refused takes its whole COPY with it.
SET TimeZone = 'UTC';
\set VERBOSITY terse
SELECT vmnet.create_inventory('cloud');
COPY cloud.all_networks (id, name, removed) FROM stdin;
1	live	\N
2	other	\N
9	removed	2024-04-01 00:00:00+00
\.
COPY cloud.all_instances (id, name, state, removed) FROM stdin;
1	vm1	Running	\N
2	vm2	Stopped	\N
9	removed	Stopped	2024-04-01 00:00:00+00
\.

-- legal: Allocated and Reserved; the first NIC of an instance is its default
COPY cloud.all_nics (id, instance_id, network_id, state, strategy) FROM stdin;
1	1	1	Allocated	Start
2	1	2	Reserved	Create
3	2	1	Reserved	Start
4	\N	1	Reserved	PlaceHolder
\.
SELECT id, instance_id, state, default_nic, state_changed = created AS changed_when_created FROM cloud.nics ORDER BY id;

-- born in another state, the last of three rows
COPY cloud.all_nics (id, instance_id, network_id, state, vm_type) FROM stdin;
11	2	2	Allocated	DomainRouter
12	2	2	Reserved	DomainRouter
13	2	2	Releasing	DomainRouter
\.
-- without an instance, but no placeholder
COPY cloud.all_nics (id, instance_id, network_id) FROM stdin;
11	\N	2
\.
-- a state that is spelled otherwise
COPY cloud.all_nics (id, instance_id, network_id, state) FROM stdin;
11	2	2	allocated
\.
-- born removed, as a dump of another system would have it
COPY cloud.all_nics (id, instance_id, network_id, state, removed) FROM stdin;
11	2	2	Deallocating	2024-05-01 00:00:00+00
\.
COPY cloud.all_nics (id, instance_id, network_id, state, removed) FROM stdin;
11	2	2	Reserved	2024-05-01 00:00:00+00
\.
-- removed and missing parents
COPY cloud.all_nics (id, instance_id, network_id) FROM stdin;
11	2	9
\.
COPY cloud.all_nics (id, instance_id, network_id) FROM stdin;
11	9	2
\.
COPY cloud.all_nics (id, instance_id, network_id) FROM stdin;
11	2	12345
\.
-- a second NIC for the same pair, in one COPY
COPY cloud.all_nics (id, instance_id, network_id) FROM stdin;
11	2	2
12	2	2
\.
-- what the inventory says itself is not taken from the file
COPY cloud.all_nics (id, instance_id, network_id, state_changed, default_nic) FROM stdin;
14	2	2	2001-01-01 00:00:00+00	f
\.
SELECT id, default_nic, state_changed = created AS changed_when_created FROM cloud.nics WHERE id > 4 ORDER BY id;

-- a mirror takes nothing by hand
SELECT vmnet.create_inventory('mirror', 'mirror');
COPY mirror.all_nics (id, instance_id, network_id) FROM stdin;
1	1	1
\.
SELECT count(*) FROM mirror.all_nics;

SET client_min_messages = warning;
DROP SCHEMA cloud CASCADE;
DROP SCHEMA mirror CASCADE;
