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
gone_since NULL: the last picture of the observer has it.'),
('reality',
'{code,severity,network_id,other_network_id,instance_id,nic_id,mac_address,ip_address,observer,host,segment,evidence,first_seen,last_seen,'
'observations,age,fresh}',
vmnet_internal.reality_query(),
'Differences between what was observed and what this inventory says: one row for each, with its evidence
vmnet.check_codes() says what the codes mean. Evidence is later than the last change of what it contradicts. It is a warning when it was '
'observed once, and an error from the second observation on; when it is not fresh, it is a warning at most, except of observer_silent. '
'Each look compares anew. Conditions on network_id are fast.'),
('network_reality',
'{network_id,network_name,active_instances,seen_instances,differences,errors,agree,differing_instances,oldest_seen,oldest_age}',
vmnet_internal.network_reality_query(),
'One row per live network: its active instances, how many of them are seen, and whether what is seen and the inventory agree
Whether an instance that is not seen is a difference, the view reality decides: Running ones only, where every observer is fresh.')
$views$;
COMMENT ON FUNCTION vmnet_internal.reality_views() IS
'Views that enable_reality() adds to an inventory, with their columns';
