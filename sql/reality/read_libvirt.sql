--
-- Payloads of kind libvirt: definitions of domains
--

-- The root is <domains>, with nothing but domains in it, or one <domain>.
CREATE FUNCTION vmnet_internal.observed_domains(document text)
RETURNS xml
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	doc xml;
	known boolean;
	detail text;
BEGIN
	-- XPath also refuses prefixes of namespaces that are not defined
	BEGIN
		doc := XMLPARSE(DOCUMENT document);
		known := xpath_exists('/domain | /domains[not(*[not(self::domain)])]', doc);
	EXCEPTION WHEN invalid_xml_document THEN
		-- the lines behind the first one show the place, and may end within a character
		GET STACKED DIAGNOSTICS detail = PG_EXCEPTION_DETAIL;
		PERFORM vmnet_internal.refuse_observation('libvirt', format('It is not XML: %s', split_part(detail, E'\n', 1)));
	END;
	IF NOT known THEN
		PERFORM vmnet_internal.refuse_observation('libvirt', 'It is XML, but its root is not <domains> with nothing but <domain> in it.');
	END IF;
	RETURN doc;
END
$$;
COMMENT ON FUNCTION vmnet_internal.observed_domains(text) IS
'Part of the reader of kind libvirt: the document, checked';

-- string() of several nodes is that of the first one.  A domain is read once, and its
-- values belong to as many interfaces as it has: to look from each interface for the
-- name of its domain would read all elements of the domain each time.
CREATE FUNCTION vmnet_internal.observed_libvirt(document text)
RETURNS SETOF vmnet_internal.observed
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	doc xml := vmnet_internal.observed_domains(document);
BEGIN
	RETURN QUERY
	SELECT x.mac, NULL, coalesce(nullif(x.bridge, ''), nullif(x.network, ''), x.dev), x.device, o.name, o.uuid, x.nic_uuid,
		NULL, format('(//devices/interface)[%s]', x.n), NULL, x.raw::text
	FROM XMLTABLE('/domain/devices/interface | /domains/domain/devices/interface' PASSING doc COLUMNS
			n FOR ORDINALITY,
			mac text PATH 'string(mac/@address)',
			bridge text PATH 'string(source/@bridge)',
			network text PATH 'string(source/@network)',
			dev text PATH 'string(source/@dev)',
			device text PATH 'string(target/@dev)',
			nic_uuid text PATH 'string(virtualport/parameters/@interfaceid)',
			raw xml PATH '.') x
		JOIN (SELECT row_number() OVER (ORDER BY d.n) AS n, d.name, d.uuid
			FROM XMLTABLE('/domain | /domains/domain' PASSING doc COLUMNS
					n FOR ORDINALITY,
					name text PATH 'string(name)',
					uuid text PATH 'string(uuid)',
					interfaces int PATH 'count(devices/interface)') d,
				generate_series(1, d.interfaces)) o ON o.n = x.n
	ORDER BY x.n;
END
$$;
COMMENT ON FUNCTION vmnet_internal.observed_libvirt(text) IS
'Reader of kind libvirt';
