--
-- Which networks segments seem to be
--

-- The query of propose_segments().  A segment that is seen and in no row of segments
-- has a VLAN by its name, if this ends in a number.  Of the networks whose NICs have
-- that VLAN, those with the most of the MAC addresses that are seen there; MAC
-- addresses alone would propose what is wrong where a NIC is on a wrong segment.
CREATE FUNCTION vmnet_internal.propose_segments_query(inventory text)
RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $query$
SELECT replace($$
WITH places AS MATERIALIZED (
	SELECT row_number() OVER () AS place, s.host, s.segment, substring(s.segment FROM '(?:^|\D)0*([1-9]\d{0,7})$') AS vlan,
		array_agg(DISTINCT s.mac_address) AS macs
	FROM {inv}.sightings s
		JOIN {inv}.observers o ON o.name = s.observer AND o.kind <> 'cloudstack'
	WHERE s.segment ~ '\d$' AND NOT EXISTS (
		SELECT FROM {inv}.segments g WHERE g.segment = s.segment AND (g.host IS NULL OR g.host = s.host))
	GROUP BY s.host, s.segment
), nets AS MATERIALIZED (
	SELECT n.network_id, w.name, substring(n.broadcast_uri FROM '^vx?lan://0*([1-9]\d{0,7})$') AS vlan, min(n.broadcast_uri) AS uri
	FROM (SELECT DISTINCT x.network_id, x.broadcast_uri FROM {inv}.all_nics x WHERE x.active AND x.broadcast_uri IS NOT NULL) n
		JOIN {inv}.all_networks w ON w.id = n.network_id AND w.removed IS NULL
	GROUP BY 1, 2, 3
), seen AS MATERIALIZED (
	SELECT p.place, n.network_id, count(DISTINCT n.mac_address) AS hits
	FROM places p
		CROSS JOIN LATERAL unnest(p.macs) m (mac)
		JOIN {inv}.all_nics n ON n.mac_address = m.mac AND n.active
	GROUP BY p.place, n.network_id
)
SELECT h.host, h.segment, h.network_id::bigint, h.name::text,
	format('NICs of the network have %s; %s of %s MAC addresses that are seen there are theirs%s', h.uri, h.hits, cardinality(h.macs),
		'; so have NICs of network ' || nullif(array_to_string(array_remove(h.networks, h.network_id), ', '), ''))
FROM (
	SELECT p.host, p.segment, p.macs, t.network_id, t.name, t.uri, c.hits, max(c.hits) OVER (PARTITION BY p.place) AS most,
		array_agg(t.network_id) OVER (PARTITION BY p.place, c.hits) AS networks
	FROM places p
		JOIN nets t ON t.vlan = p.vlan
		LEFT JOIN seen e ON e.place = p.place AND e.network_id = t.network_id
		CROSS JOIN LATERAL (SELECT coalesce(e.hits, 0)) c (hits)) h
WHERE h.hits = h.most
ORDER BY h.host, h.segment, h.network_id$$, '{inv}', quote_ident($1))
$query$;
COMMENT ON FUNCTION vmnet_internal.propose_segments_query(text) IS
'Part of propose_segments(): its query';

CREATE FUNCTION vmnet_internal.propose_segments(inventory name)
RETURNS TABLE (host text, segment text, network_id bigint, network_name text, why text)
LANGUAGE plpgsql STABLE PARALLEL RESTRICTED
SET search_path = pg_catalog, pg_temp
-- compiling takes longer than the query
SET jit = off
AS $$
DECLARE
	target record := vmnet_internal.check_target($1);
BEGIN
	IF NOT vmnet_internal.has_reality(target.name) THEN
		RAISE EXCEPTION USING
			ERRCODE = 'invalid_parameter_value', SCHEMA = target.name,
			MESSAGE = format('inventory "%s" takes no observations', target.name),
			DETAIL = 'Segments are proposed of what was seen.',
			HINT = format('SELECT vmnet.enable_reality(%L);', target.name);
	END IF;
	RETURN QUERY EXECUTE vmnet_internal.propose_segments_query(target.name);
END
$$;
COMMENT ON FUNCTION vmnet_internal.propose_segments(name) IS
'Body of vmnet.propose_segments(), run with the rights that this has switched to';

CREATE FUNCTION vmnet.propose_segments(inventory name DEFAULT NULL)
RETURNS TABLE (host text, segment text, network_id bigint, network_name text, why text)
AS 'MODULE_PATHNAME', 'inventory_entry'
LANGUAGE C STABLE PARALLEL RESTRICTED COST 10000 ROWS 100;
COMMENT ON FUNCTION vmnet.propose_segments(name) IS
'Which network a bridge, or a VLAN, that observers see seems to be: rows for the table segments, for a person to confirm
Of segments that are seen and in no row of segments, those whose name ends in a number (br101, brbond0-101, bond0.101) that is the VLAN '
'of active NICs (broadcast_uri: vlan://101, vxlan://101). why says what the proposal is made of: the VLAN, and how many of the MAC '
'addresses that are seen there are NICs of the network. Where several networks have the VLAN, those with the most of these; more than '
'one row for a segment is a choice.
host NULL: the pictures do not say on which host it is. Nothing is written: INSERT INTO <inventory>.segments (host, segment, network_id) '
'SELECT host, segment, network_id FROM vmnet.propose_segments() WHERE ... confirms.
inventory NULL: the setting vmnet.inventory. Errors: 22023 for an unknown inventory, and one without observations '
'(vmnet.enable_reality()).';
