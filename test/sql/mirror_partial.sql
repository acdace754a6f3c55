-- A source of which a part is not there: its table of NICs is empty, a table is cut
-- off in the middle, a zone is left out of it.  No answer changes; the error names the
-- table.  With force it is applied, and the next import of the whole source brings
-- back every answer.
\set SHOW_CONTEXT never
SET client_min_messages = warning;
SET TimeZone = 'UTC';
SET DateStyle = 'ISO';
\i test/include/load_dump.psql
\set ECHO all
-- a second zone, with about a third of the networks
INSERT INTO cloudstack.data_center (id, name, uuid) VALUES (2, 'zone2', NULL);
UPDATE cloudstack.networks SET data_center_id = 2 WHERE id::bigint % 3 = 0 AND traffic_type = 'Guest';
CALL vmnet.import_cloudstack('cloudstack', 'cloud');
SELECT zone_id, count(*) > 20 AS nics FROM cloud.nics n JOIN cloud.all_networks w ON w.id = n.network_id GROUP BY 1 ORDER BY 1;

-- All that can be asked, as rows of text.  Not how long a NIC has been where it is:
-- with force, there is a gap.
CREATE FUNCTION public.answers() RETURNS TABLE (what text, key text, answer text) LANGUAGE sql AS $$
	SELECT 'network_active_instances', w.id::text, md5(string_agg(a::text, ',' ORDER BY a.instance_id)) FROM cloud.all_networks w, vmnet.network_active_instances(w.id) a GROUP BY w.id
	UNION ALL SELECT 'network_active_nics', w.id::text, md5(string_agg((to_jsonb(a) - 'state_changed')::text, ',' ORDER BY a.nic_id)) FROM cloud.all_networks w, vmnet.network_active_nics(w.id) a GROUP BY w.id
	UNION ALL SELECT 'instance_active_networks', i.id::text, md5(string_agg(a::text, ',' ORDER BY a.network_id)) FROM cloud.all_instances i, vmnet.instance_active_networks(i.id) a GROUP BY i.id
	UNION ALL SELECT 'vpc_active_instances', v.vpc_id::text, md5(string_agg(a::text, ',' ORDER BY a.instance_id)) FROM (SELECT DISTINCT vpc_id FROM cloud.all_networks) v, vmnet.vpc_active_instances(v.vpc_id) a GROUP BY v.vpc_id
	UNION ALL SELECT 'network_instances', v.network_id::text, md5(string_agg(v::text, ',' ORDER BY v.instance_id)) FROM cloud.network_instances v GROUP BY v.network_id
	UNION ALL SELECT 'network_counts', v.network_id::text, v::text FROM cloud.network_counts v
	UNION ALL SELECT 'nic', n.id::text, (to_jsonb(n) - 'state_changed')::text FROM cloud.nics n
	UNION ALL SELECT 'secondary address', s.id::text, s::text FROM cloud.nic_secondary_ips s
	UNION ALL SELECT 'as of ' || t, w.id::text, md5(string_agg((to_jsonb(a) - 'to')::text, ',' ORDER BY a.instance_id))
		FROM cloud.all_networks w, (VALUES (timestamptz '2025-03-01'), ('2025-06-01')) x (t), vmnet.network_instances_as_of(w.id, t) a GROUP BY w.id, t
	UNION ALL SELECT 'holders ' || coalesce(t::text, 'now'), h.ip4_address::text, md5(string_agg(h.nic_id::text || h.instance_name, ',' ORDER BY h.nic_id))
		FROM (VALUES (timestamptz '2025-03-01'), ('2025-06-01')) x (t), vmnet.ip_holders('0.0.0.0/0', t, t) h GROUP BY t, h.ip4_address
	UNION ALL SELECT 'held now', h.ip4_address::text, md5(string_agg(concat_ws(' ', h.nic_id, h.instance_name, h.mac_address), ',' ORDER BY h.nic_id)) FROM vmnet.ip_holders('0.0.0.0/0') h WHERE h.held_to IS NULL GROUP BY h.ip4_address
	UNION ALL SELECT 'finding', concat_ws(' ', c.code, c.object_type, c.object_id), c.severity FROM vmnet.check_inventory('cloud', '0') c
$$;
CREATE TABLE public.before AS SELECT * FROM answers();
SELECT what, count(*) > 0 AS some FROM before GROUP BY 1 ORDER BY 1;
CREATE FUNCTION public.differing() RETURNS TABLE (what text, answers bigint) LANGUAGE sql AS $$
	SELECT coalesce(b.what, a.what), count(*) FROM before b FULL JOIN answers() a ON a.what = b.what AND a.key = b.key WHERE a.answer IS DISTINCT FROM b.answer GROUP BY 1 ORDER BY 1
$$;
CREATE TABLE public.nics AS TABLE cloudstack.nics;
CREATE TABLE public.vm_instance AS TABLE cloudstack.vm_instance;
CREATE TABLE public.networks AS TABLE cloudstack.networks;
CREATE PROCEDURE public.whole() LANGUAGE sql AS $$
	TRUNCATE cloudstack.nics, cloudstack.vm_instance, cloudstack.networks;
	INSERT INTO cloudstack.nics TABLE public.nics;
	INSERT INTO cloudstack.vm_instance TABLE public.vm_instance;
	INSERT INTO cloudstack.networks TABLE public.networks;
$$;

-- no NICs at all
TRUNCATE cloudstack.nics;
CALL vmnet.import_cloudstack('cloudstack', 'cloud');
\echo :LAST_ERROR_SQLSTATE
SELECT * FROM differing();
CALL vmnet.import_cloudstack('cloudstack', 'cloud', force => true);
SELECT count(*) FROM cloud.nics;
SELECT * FROM differing() WHERE what LIKE 'as of%' OR what LIKE 'holders%';
CALL whole();
CALL vmnet.import_cloudstack('cloudstack', 'cloud');
SELECT * FROM differing();

-- the table of NICs ends early, that of instances, that of networks
DELETE FROM cloudstack.nics WHERE id::bigint > (SELECT percentile_disc(0.8) WITHIN GROUP (ORDER BY id::bigint) FROM public.nics);
CALL vmnet.import_cloudstack('cloudstack', 'cloud');
SELECT * FROM differing();
CALL vmnet.import_cloudstack('cloudstack', 'cloud', force => true);
SELECT * FROM differing() WHERE what LIKE 'as of%' OR what LIKE 'holders%';
CALL whole();
CALL vmnet.import_cloudstack('cloudstack', 'cloud');
SELECT * FROM differing();
DELETE FROM cloudstack.vm_instance WHERE id::bigint > (SELECT percentile_disc(0.8) WITHIN GROUP (ORDER BY id::bigint) FROM public.vm_instance);
CALL vmnet.import_cloudstack('cloudstack', 'cloud');
SELECT * FROM differing();
CALL vmnet.import_cloudstack('cloudstack', 'cloud', force => true);
SELECT * FROM differing() WHERE what LIKE 'as of%' OR what LIKE 'holders%';
CALL whole();
CALL vmnet.import_cloudstack('cloudstack', 'cloud');
SELECT * FROM differing();
DELETE FROM cloudstack.networks WHERE id::bigint > (SELECT percentile_disc(0.75) WITHIN GROUP (ORDER BY id::bigint) FROM public.networks);
CALL vmnet.import_cloudstack('cloudstack', 'cloud');
SELECT * FROM differing();
CALL vmnet.import_cloudstack('cloudstack', 'cloud', force => true);
CALL whole();
CALL vmnet.import_cloudstack('cloudstack', 'cloud');
SELECT * FROM differing();

-- a zone is left out
DELETE FROM cloudstack.networks WHERE data_center_id = '2';
CALL vmnet.import_cloudstack('cloudstack', 'cloud');
SELECT * FROM differing();
CALL vmnet.import_cloudstack('cloudstack', 'cloud', force => true);
SELECT * FROM differing() WHERE what LIKE 'as of%' OR what LIKE 'holders%';
CALL whole();
CALL vmnet.import_cloudstack('cloudstack', 'cloud');
SELECT * FROM differing();
DELETE FROM cloudstack.nics WHERE network_id IN (SELECT id FROM cloudstack.networks WHERE data_center_id = '2');
CALL vmnet.import_cloudstack('cloudstack', 'cloud');
CALL vmnet.import_cloudstack('cloudstack', 'cloud', on_vanish => 'delete');
SELECT * FROM differing();
-- what is removed at the source is not lost: nobody has to force that
CALL whole();
UPDATE cloudstack.nics SET state = 'Deallocating', removed = '2025-09-01' WHERE removed IS NULL;
CALL vmnet.import_cloudstack('cloudstack', 'cloud');
SELECT count(*) FROM cloud.nics;
SELECT status, count(*) FROM cloud.import_runs GROUP BY 1 ORDER BY 1;
DROP SCHEMA cloudstack, cloud, expected CASCADE;
DROP FUNCTION differing, answers;
DROP PROCEDURE whole;
DROP TABLE before, nics, vm_instance, networks;
