--
-- The views of what was observed
--

-- columns: those of the view, in order.  %1$I stands for the name of the inventory.
-- table of data
CREATE FUNCTION vmnet_internal.reality_views()
RETURNS TABLE (name text, columns text[], body text, comment text)
LANGUAGE sql IMMUTABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $views$
VALUES
('seen',
'{id,observer,host,segment,device,mac_address,ip_address,domain,domain_uuid,nic_uuid,first_seen,last_seen,observations,gone_since}'::text[],
'SELECT s.id, s.observer, s.host, s.segment, s.device, s.mac_address, s.ip_address, s.domain, s.domain_uuid, s.nic_uuid,
	s.first_seen, s.last_seen, s.observations, NULL::timestamptz AS gone_since
FROM %1$I.sightings s
UNION ALL
SELECT h.id, h.observer, h.host, h.segment, h.device, h.mac_address, h.ip_address, h.domain, h.domain_uuid, h.nic_uuid,
	h.first_seen, h.last_seen, h.observations, h.gone_since
FROM %1$I.sighting_history h',
'What was observed, and is: who was seen with an address, when
gone_since NULL: the last picture of the observer has it.')
$views$;
COMMENT ON FUNCTION vmnet_internal.reality_views() IS
'Views that enable_reality() adds to an inventory, with their columns';
