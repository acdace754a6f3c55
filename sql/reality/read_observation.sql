--
-- What a payload says: the records of what hypervisors, switches, leases and the
-- cloud's own API show
--

-- Kinds of payloads; vmnet_internal.observed_records() calls the reader of each.
CREATE FUNCTION vmnet_internal.observation_kinds()
RETURNS TABLE (kind text, may_be_empty boolean, format text)
LANGUAGE sql IMMUTABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $$
VALUES
	('libvirt', false, 'It is what "virsh dumpxml" writes of each domain, inside one element <domains>.'),
	('ovs', false, 'It is what "ovs-vsctl --format=json --columns=name,external_ids,error,mac_in_use list Interface" writes.'),
	('neigh', false, 'It is what "ip -j neigh" writes.'),
	('fdb', false, 'It is what "bridge -j fdb show" writes.'),
	('leases', true, 'It is the file dnsmasq.leases of dnsmasq, or a .status file of libvirt.'),
	('prometheus', false, 'It is the answer of /api/v1/query of Prometheus for libvirt_domain_interface_stats_info.'),
	('cloudstack', false, 'It is the answer of listVirtualMachines, listRouters, listSystemVms or listNics as JSON,'
		' or a list of such answers.'),
	('csv', false, 'It is a CSV text whose first line names the columns: mac, and any of host, segment, device, ip, domain, domain_uuid.')
$$;
COMMENT ON FUNCTION vmnet_internal.observation_kinds() IS
'Kinds of payloads that vmnet.read_observation() reads';

CREATE FUNCTION vmnet_internal.refuse_observation(kind text, detail text)
RETURNS void
LANGUAGE plpgsql STABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	RAISE EXCEPTION USING
		ERRCODE = 'invalid_parameter_value', CONSTRAINT = 'observation_malformed',
		MESSAGE = format('the payload is not of kind "%s"', kind),
		DETAIL = detail,
		HINT = (SELECT k.format FROM vmnet_internal.observation_kinds() k WHERE k.kind = refuse_observation.kind);
END
$$;
COMMENT ON FUNCTION vmnet_internal.refuse_observation(text, text) IS
'Raises the error for a payload that is not of its format';

CREATE FUNCTION vmnet_internal.payload_text(payload text)
RETURNS text
AS 'MODULE_PATHNAME', 'payload_text'
LANGUAGE C STABLE STRICT PARALLEL RESTRICTED COST 100;
COMMENT ON FUNCTION vmnet_internal.payload_text(text) IS
'Payload without a byte order mark; an error if it is larger than vmnet.max_payload';

-- Checks the arguments, and returns the payload without a byte order mark.
CREATE FUNCTION vmnet_internal.check_observation(kind text, payload text)
RETURNS text
LANGUAGE plpgsql STABLE PARALLEL RESTRICTED
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	known record;
	document text;
BEGIN
	SELECT k.* INTO known FROM vmnet_internal.observation_kinds() k WHERE k.kind = check_observation.kind;
	IF NOT FOUND THEN
		RAISE EXCEPTION USING
			ERRCODE = 'invalid_parameter_value',
			MESSAGE = format('unknown kind of observations: %s', coalesce(quote_literal(left(check_observation.kind, 64)), 'NULL')),
			HINT = format('Kinds are: %s.', (SELECT string_agg(k.kind, ', ') FROM vmnet_internal.observation_kinds() k));
	END IF;
	document := vmnet_internal.payload_text(payload);
	IF document IS NULL THEN
		PERFORM vmnet_internal.refuse_observation(known.kind, 'It is NULL.');
	ELSIF NOT known.may_be_empty AND document !~ '\S' THEN
		PERFORM vmnet_internal.refuse_observation(known.kind, 'It is empty. Even where nothing was seen, a payload of this kind is not.');
	END IF;
	RETURN document;
END
$$;
COMMENT ON FUNCTION vmnet_internal.check_observation(text, text) IS
'Part of read_observation(): checks the kind and the size of a payload';

CREATE FUNCTION vmnet_internal.observed_records(kind text, document text)
RETURNS SETOF vmnet_internal.observed
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	CASE kind
		WHEN 'libvirt' THEN RETURN QUERY SELECT * FROM vmnet_internal.observed_libvirt(document);
		WHEN 'ovs' THEN RETURN QUERY SELECT * FROM vmnet_internal.observed_ovs(document);
		WHEN 'neigh' THEN RETURN QUERY SELECT * FROM vmnet_internal.observed_neigh(document);
		WHEN 'fdb' THEN RETURN QUERY SELECT * FROM vmnet_internal.observed_fdb(document);
		WHEN 'leases' THEN RETURN QUERY SELECT * FROM vmnet_internal.observed_leases(document);
		WHEN 'prometheus' THEN RETURN QUERY SELECT * FROM vmnet_internal.observed_prometheus(document);
		WHEN 'cloudstack' THEN RETURN QUERY SELECT * FROM vmnet_internal.observed_cloudstack(document);
		WHEN 'csv' THEN RETURN QUERY SELECT * FROM vmnet_internal.observed_csv(document);
	END CASE;
END
$$;
COMMENT ON FUNCTION vmnet_internal.observed_records(text, text) IS
'Part of read_observation(): the records of a payload, by the reader of its kind';

-- The values of a record: those that cannot be read are the reason to reject it.
CREATE FUNCTION vmnet_internal.observed_values(kind text, document text)
RETURNS TABLE (record int, mac_address macaddr, ip_address inet, segment text, device text, domain text, domain_uuid uuid,
	nic_uuid uuid, host text, place text, reason text, raw text)
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
SELECT j.record::int, j.mac, j.ip, j.segment, j.device, j.domain, j.domain_uuid, j.nic_uuid, j.host, j.place, j.reason,
	CASE WHEN j.reason IS NOT NULL THEN j.raw END
FROM (
	SELECT v.*, coalesce(v.given_reason, CASE
		WHEN v.given_mac IS NULL THEN 'there is no MAC address'
		WHEN v.mac IS NULL THEN 'the MAC address cannot be read'
		WHEN v.mac = '00:00:00:00:00:00' THEN 'the MAC address is zero'
		WHEN v.mac & '01:00:00:00:00:00' <> '00:00:00:00:00:00' THEN 'the MAC address is one of multicast or broadcast'
		WHEN v.given_ip IS NOT NULL AND v.ip IS NULL THEN 'the IP address cannot be read'
		WHEN v.ip <<= ANY ('{0.0.0.0/8,127.0.0.0/8,224.0.0.0/3,::/127,ff00::/8}'::inet[]) THEN 'the IP address is not that of a host'
		WHEN v.given_domain_uuid IS NOT NULL AND v.domain_uuid IS NULL THEN 'the uuid of the domain cannot be read'
		WHEN v.given_nic_uuid IS NOT NULL AND v.nic_uuid IS NULL THEN 'the uuid of the NIC cannot be read'
		WHEN greatest(length(v.segment), length(v.device), length(v.domain), length(v.host)) > 255 THEN
			'a name is longer than 255 characters'
		WHEN concat(v.segment, v.device, v.domain, v.host) ~ '[[:cntrl:]]' THEN 'a name has control characters' END) AS reason
	FROM (
		SELECT t.record, t.given_reason, t.given_mac, t.given_ip, t.given_domain_uuid, t.given_nic_uuid,
			vmnet_internal.read_macaddr(t.given_mac) AS mac,
			set_masklen(a.ip, CASE family(a.ip) WHEN 4 THEN 32 ELSE 128 END) AS ip,
			t.segment, t.device, t.domain, t.host, t.place, t.raw,
			vmnet_internal.read_uuid(t.given_domain_uuid) AS domain_uuid, vmnet_internal.read_uuid(t.given_nic_uuid) AS nic_uuid
		FROM (
			SELECT o.record, o.reason AS given_reason, nullif(btrim(o.mac), '') AS given_mac, nullif(btrim(o.ip), '') AS given_ip,
				nullif(btrim(o.segment), '') AS segment, nullif(btrim(o.device), '') AS device,
				nullif(btrim(o.domain), '') AS domain, nullif(btrim(o.host), '') AS host,
				nullif(btrim(o.domain_uuid), '') AS given_domain_uuid, nullif(btrim(o.nic_uuid), '') AS given_nic_uuid,
				o.place, left(o.raw, 200) AS raw
			FROM vmnet_internal.observed_records(kind, document) WITH ORDINALITY o (mac, ip, segment, device, domain, domain_uuid,
				nic_uuid, host, place, reason, raw, record)) t,
			LATERAL (SELECT vmnet_internal.read_inet(t.given_ip) AS ip OFFSET 0) a) v) j
$$;
COMMENT ON FUNCTION vmnet_internal.observed_values(text, text) IS
'Part of read_observation(): the values of the records of a payload, and why a record is rejected';

CREATE FUNCTION vmnet_internal.read_observation(kind text, payload text)
RETURNS TABLE (record int, mac_address macaddr, ip_address inet, segment text, device text, domain text, domain_uuid uuid,
	nic_uuid uuid, host text, place text, reason text, raw text)
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	document text := vmnet_internal.check_observation(kind, payload);
BEGIN
	RETURN QUERY SELECT * FROM vmnet_internal.observed_values(kind, document);
END
$$;
COMMENT ON FUNCTION vmnet_internal.read_observation(text, text) IS
'What vmnet.read_observation() runs';

CREATE FUNCTION vmnet.read_observation(kind text, payload text)
RETURNS TABLE (record int, mac_address macaddr, ip_address inet, segment text, device text, domain text, domain_uuid uuid,
	nic_uuid uuid, host text, place text, reason text, raw text)
AS 'MODULE_PATHNAME', 'caller_entry'
LANGUAGE C STABLE COST 10000;
COMMENT ON FUNCTION vmnet.read_observation(text, text) IS
'What a payload of observations says: one row per record, which is a sighting, or is rejected with a reason
Kinds: libvirt, ovs, neigh, fdb, leases, prometheus, cloudstack, csv. What is no record is left out: doc/reality.md says what, for '
'each kind. Nothing is stored.
Columns: record: number of the record, from 1; place: where in the payload; reason: why it is rejected, NULL for a sighting; raw: its '
'first characters, if it is rejected.
Errors: 22023 for an unknown kind, or a payload that is not of its format (observation_malformed); 54000 if it is larger than the '
'setting vmnet.max_payload (observation_too_large); 0A000 for libvirt if the server has no libxml.';
