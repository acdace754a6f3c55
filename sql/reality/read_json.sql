--
-- Payloads that are JSON: ovs, neigh, fdb, prometheus, a .status file of leases
--

CREATE FUNCTION vmnet_internal.json_fault(record jsonb, VARIADIC keys text[])
RETURNS text
AS 'MODULE_PATHNAME', 'json_fault'
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION vmnet_internal.json_fault(jsonb, text[]) IS
'Why a record cannot be read: it is not an object, or the value of one of the keys is no text; NULL if nothing is wrong';

-- Reads a document.  The conditions are those of an input that is not JSON, or that
-- jsonb cannot hold: the escape of the character NUL or of one that the encoding of
-- the database lacks, a number or a text that is too large, and levels that are too
-- many.
CREATE FUNCTION vmnet_internal.observed_json(kind text, document text)
RETURNS jsonb
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	what text;
	detail text;
	context text;
BEGIN
	RETURN document::jsonb;
EXCEPTION
	WHEN invalid_text_representation OR untranslatable_character OR numeric_value_out_of_range OR statement_too_complex
		OR program_limit_exceeded THEN
		GET STACKED DIAGNOSTICS what = MESSAGE_TEXT, detail = PG_EXCEPTION_DETAIL, context = PG_EXCEPTION_CONTEXT;
		PERFORM vmnet_internal.refuse_observation(kind, left(concat_ws(' ', format('It is not JSON: %s.', what), nullif(detail, ''),
			'(' || substring(context FROM 'JSON data, line [^\n]*') || ')'), 400));
END
$$;
COMMENT ON FUNCTION vmnet_internal.observed_json(text, text) IS
'Reads a payload as JSON; an error of the payload if it is none';

CREATE FUNCTION vmnet_internal.observed_list(kind text, document text)
RETURNS jsonb
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	list jsonb := vmnet_internal.observed_json(kind, document);
BEGIN
	IF jsonb_typeof(list) <> 'array' THEN
		PERFORM vmnet_internal.refuse_observation(kind, 'It is JSON, but not a list.');
	END IF;
	RETURN list;
END
$$;
COMMENT ON FUNCTION vmnet_internal.observed_list(text, text) IS
'Reads a payload as a JSON list; an error of the payload if it is none';

-- Entries of the kernel's table of neighbours.  No records: those without an answer
-- (FAILED, INCOMPLETE, NONE), proxies, and those of groups and of nobody (multicast,
-- broadcast and zero addresses), which the kernel makes itself.
CREATE FUNCTION vmnet_internal.observed_neigh(document text)
RETURNS SETOF vmnet_internal.observed
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	list jsonb := vmnet_internal.observed_list('neigh', document);
BEGIN
	RETURN QUERY
	SELECT e.entry ->> 'lladdr', e.entry ->> 'dst', e.entry ->> 'dev', NULL, NULL, NULL, NULL, NULL, format('$[%s]', e.n - 1),
		coalesce(vmnet_internal.json_fault(e.entry, 'lladdr', 'dst', 'dev'),
			CASE WHEN e.entry ->> 'dst' IS NULL THEN 'there is no IP address' END),
		e.entry::text
	FROM jsonb_array_elements(list) WITH ORDINALITY e (entry, n)
	WHERE jsonb_typeof(e.entry) <> 'object'
		OR NOT (e.entry ? 'proxy' OR coalesce(e.entry -> 'state' ?| '{FAILED,INCOMPLETE,NONE}', false)
			OR vmnet_internal.no_host_mac(e.entry ->> 'lladdr'));
END
$$;
COMMENT ON FUNCTION vmnet_internal.observed_neigh(text) IS
'Reader of kind neigh';

CREATE FUNCTION vmnet_internal.no_host_mac(mac text)
RETURNS boolean
LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	address macaddr := vmnet_internal.read_macaddr(mac);
BEGIN
	RETURN coalesce(address & '01:00:00:00:00:00' <> '00:00:00:00:00:00' OR address = '00:00:00:00:00:00', false);
END
$$;
COMMENT ON FUNCTION vmnet_internal.no_host_mac(text) IS
'Is a MAC address one of multicast or broadcast, or zero';

-- Entries of forwarding tables.  No records: the ports' own addresses (permanent), and
-- addresses of groups and of nobody, by which switches flood.  A bridge that is aware
-- of VLANs has the segment BRIDGE.VLAN.
CREATE FUNCTION vmnet_internal.observed_fdb(document text)
RETURNS SETOF vmnet_internal.observed
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	list jsonb := vmnet_internal.observed_list('fdb', document);
BEGIN
	RETURN QUERY
	SELECT e.entry ->> 'mac', NULL,
		concat_ws('.', coalesce(e.entry ->> 'master', e.entry ->> 'ifname', e.entry ->> 'dev'), e.entry ->> 'vlan'),
		coalesce(e.entry ->> 'ifname', e.entry ->> 'dev'), NULL, NULL, NULL, NULL, format('$[%s]', e.n - 1),
		vmnet_internal.json_fault(e.entry, 'mac', 'master', 'ifname', 'dev', 'vlan', 'state'),
		e.entry::text
	FROM jsonb_array_elements(list) WITH ORDINALITY e (entry, n)
	WHERE jsonb_typeof(e.entry) <> 'object'
		OR NOT (coalesce(e.entry ->> 'state' = 'permanent', false) OR vmnet_internal.no_host_mac(e.entry ->> 'mac'));
END
$$;
COMMENT ON FUNCTION vmnet_internal.observed_fdb(text) IS
'Reader of kind fdb';

-- Entries of a .status file of libvirt.  No records: leases of IPv6 without a MAC
-- address.
CREATE FUNCTION vmnet_internal.observed_lease_status(list jsonb)
RETURNS SETOF vmnet_internal.observed
LANGUAGE sql STABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $$
SELECT e.entry ->> 'mac-address', e.entry ->> 'ip-address', NULL, NULL, NULL, NULL, NULL, NULL, format('$[%s]', e.n - 1),
	coalesce(vmnet_internal.json_fault(e.entry, 'mac-address', 'ip-address'),
		CASE WHEN e.entry ->> 'ip-address' IS NULL THEN 'there is no IP address' END),
	e.entry::text
FROM jsonb_array_elements(list) WITH ORDINALITY e (entry, n)
WHERE jsonb_typeof(e.entry) <> 'object' OR NOT (e.entry ? 'iaid' AND NOT e.entry ? 'mac-address')
$$;
COMMENT ON FUNCTION vmnet_internal.observed_lease_status(jsonb) IS
'Part of the reader of kind leases: a .status file of libvirt';

-- Interfaces of Open vSwitch.  No records: those that belong to no instance, which are
-- those with neither "attached-mac" nor "iface-id" (tunnels, patches, the bridges' own).
-- An interface with an error (its device is gone) is a record: what is left over is
-- looked for.  Identifiers of interfaces and instances are any texts here: those that
-- are no uuids are left out.
CREATE FUNCTION vmnet_internal.observed_ovs(document text)
RETURNS SETOF vmnet_internal.observed
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	doc jsonb := vmnet_internal.observed_json('ovs', document);
	data jsonb := doc -> 'data';
	headings text[];
	ids int;
	name int;
BEGIN
	IF jsonb_typeof(doc) <> 'object' OR jsonb_typeof(doc -> 'headings') IS DISTINCT FROM 'array'
		OR jsonb_typeof(data) IS DISTINCT FROM 'array' THEN
		PERFORM vmnet_internal.refuse_observation('ovs', 'It is JSON, but has no lists "headings" and "data".');
	END IF;
	headings := ARRAY(SELECT h FROM jsonb_array_elements_text(doc -> 'headings') WITH ORDINALITY u (h, n) ORDER BY n);
	ids := array_position(headings, 'external_ids') - 1;
	name := array_position(headings, 'name') - 1;
	IF ids IS NULL OR name IS NULL THEN
		PERFORM vmnet_internal.refuse_observation('ovs', 'Its headings do not have "name" and "external_ids".');
	END IF;
	RETURN QUERY
	SELECT i.mac, NULL, NULL, e.entry ->> name, i.domain, vmnet_internal.read_uuid(i.domain_uuid)::text,
		vmnet_internal.read_uuid(i.nic_uuid)::text, NULL, format('$.data[%s]', e.n - 1),
		CASE WHEN jsonb_typeof(e.entry) <> 'array' THEN 'the record is not a list'
			WHEN jsonb_typeof(e.entry -> name) IS DISTINCT FROM 'string' THEN '"name" is not a text'
			WHEN i.broken THEN '"external_ids" is not a map' END,
		e.entry::text
	FROM jsonb_array_elements(data) WITH ORDINALITY e (entry, n),
		LATERAL vmnet_internal.ovs_ids(e.entry -> ids) i
	WHERE jsonb_typeof(e.entry) <> 'array' OR i.broken OR i.mac IS NOT NULL OR i.nic_uuid IS NOT NULL;
END
$$;
COMMENT ON FUNCTION vmnet_internal.observed_ovs(text) IS
'Reader of kind ovs';

-- What a map of external ids says.  A map is ["map", [[key, value], ...]].
CREATE FUNCTION vmnet_internal.ovs_ids(ids jsonb, OUT mac text, OUT nic_uuid text, OUT domain_uuid text, OUT domain text,
	OUT broken boolean)
RETURNS record
LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	map jsonb;
BEGIN
	broken := jsonb_typeof(ids) IS DISTINCT FROM 'array' OR ids ->> 0 IS DISTINCT FROM 'map'
		OR jsonb_typeof(ids -> 1) IS DISTINCT FROM 'array'
		OR ids @? 'strict $[1][*] ? (@.type() != "array" || @.size() != 2 || @[*].type() != "string")';
	IF broken THEN
		RETURN;
	END IF;
	SELECT jsonb_object_agg(p.pair ->> 0, p.pair -> 1) INTO map FROM jsonb_array_elements(ids -> 1) p (pair);
	mac := map ->> 'attached-mac';
	nic_uuid := map ->> 'iface-id';
	domain_uuid := coalesce(map ->> 'vm-uuid', map ->> 'vm-id');
	domain := CASE WHEN vmnet_internal.read_uuid(domain_uuid) IS NULL THEN domain_uuid END;
END
$$;
COMMENT ON FUNCTION vmnet_internal.ovs_ids(jsonb) IS
'Part of the reader of kind ovs: what the external ids of an interface say';

-- Series of an instant query.  An answer with warnings may be a part of the whole.
CREATE FUNCTION vmnet_internal.observed_prometheus(document text)
RETURNS SETOF vmnet_internal.observed
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	doc jsonb := vmnet_internal.observed_json('prometheus', document);
	result jsonb := doc #> '{data,result}';
BEGIN
	IF jsonb_typeof(doc) <> 'object' OR doc ->> 'status' IS DISTINCT FROM 'success' THEN
		PERFORM vmnet_internal.refuse_observation('prometheus', concat_ws(' ', 'Its status is not "success".', left(doc ->> 'error', 300)));
	ELSIF jsonb_typeof(doc -> 'warnings') = 'array' AND doc -> 'warnings' <> '[]' THEN
		PERFORM vmnet_internal.refuse_observation('prometheus',
			'It has warnings, and may not be the whole answer: ' || left(doc ->> 'warnings', 300));
	ELSIF doc #>> '{data,resultType}' IS DISTINCT FROM 'vector' OR jsonb_typeof(result) IS DISTINCT FROM 'array' THEN
		PERFORM vmnet_internal.refuse_observation('prometheus', 'It has no "data" whose "resultType" is "vector".');
	END IF;
	RETURN QUERY
	SELECT m.label ->> 'mac_address', NULL, m.label ->> 'source_bridge', m.label ->> 'target_device', m.label ->> 'domain',
		m.label ->> 'uuid', NULL, regexp_replace(m.label ->> 'instance', ':\d+$', ''), format('$.data.result[%s]', e.n - 1),
		coalesce(vmnet_internal.json_fault(m.label, 'mac_address', 'source_bridge', 'target_device', 'domain', 'uuid', 'instance'),
			CASE WHEN m.label IS NULL THEN 'there are no labels ("metric")' END),
		e.entry::text
	FROM jsonb_array_elements(result) WITH ORDINALITY e (entry, n),
		LATERAL (SELECT e.entry -> 'metric' AS label) m;
END
$$;
COMMENT ON FUNCTION vmnet_internal.observed_prometheus(text) IS
'Reader of kind prometheus';
