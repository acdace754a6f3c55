--
-- Payloads of lines: leases and csv
--

-- The lines of dnsmasq.leases: expiry, MAC address, IP address, name, client id.
-- No records: the line "duid ...", and leases of IPv6, which have an association id
-- in place of the MAC address.  (A .status file of libvirt is JSON.)
CREATE FUNCTION vmnet_internal.observed_leases(document text)
RETURNS SETOF vmnet_internal.observed
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	IF document ~ '^\s*\[' THEN
		RETURN QUERY SELECT * FROM vmnet_internal.observed_lease_status(vmnet_internal.observed_list('leases', document));
		RETURN;
	END IF;
	RETURN QUERY
	SELECT f.part[2], f.part[3], NULL, NULL, NULL, NULL, NULL, NULL, format('line %s', f.n),
		CASE WHEN cardinality(f.part) < 3 OR f.part[1] !~ '^\d{1,20}$' THEN 'the line is not that of a lease'
			WHEN f.part[3] IS NULL THEN 'there is no IP address' END,
		f.line
	FROM (SELECT l.line, l.n, array_remove(string_to_array(translate(l.line, E'\t\r', '  '), ' ', ''), NULL) AS part
		FROM string_to_table(document, E'\n') WITH ORDINALITY l (line, n)) f
	WHERE cardinality(f.part) > 0 AND f.part[1] <> 'duid'
		AND NOT (coalesce(f.part[2] ~ '^T?\d+$', false) AND coalesce(strpos(f.part[3], ':') > 0, false));
END
$$;
COMMENT ON FUNCTION vmnet_internal.observed_leases(text) IS
'Reader of kind leases';

CREATE FUNCTION vmnet_internal.csv_records(document text, OUT line int, OUT fields text[])
RETURNS SETOF record
AS 'MODULE_PATHNAME', 'csv_records'
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE ROWS 1000;
COMMENT ON FUNCTION vmnet_internal.csv_records(text) IS
'Records of a CSV text, each with the number of its line';

-- Where each column is in the records; the first record names them.
CREATE FUNCTION vmnet_internal.csv_columns(header text[])
RETURNS text[]
LANGUAGE plpgsql STABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	known CONSTANT text[] := '{mac,ip,segment,device,domain,domain_uuid,host}';
	named text[] := ARRAY(SELECT lower(btrim(h)) FROM unnest(header) WITH ORDINALITY u (h, n) ORDER BY n);
	strange text := (SELECT string_agg(DISTINCT quote_literal(left(h, 64)), ', ') FROM unnest(named) h WHERE h <> ALL (known));
	twice text := (SELECT string_agg(t.h, ', ') FROM (SELECT h FROM unnest(named) h GROUP BY h HAVING count(*) > 1) t);
BEGIN
	IF strange IS NOT NULL THEN
		PERFORM vmnet_internal.refuse_observation('csv',
			format('Its first line names columns that are not known: %s.', left(strange, 300)));
	ELSIF twice IS NOT NULL THEN
		PERFORM vmnet_internal.refuse_observation('csv', format('Its first line names columns more than once: %s.', twice));
	ELSIF 'mac' <> ALL (named) THEN
		PERFORM vmnet_internal.refuse_observation('csv', 'Its first line names no column "mac".');
	END IF;
	RETURN named;
END
$$;
COMMENT ON FUNCTION vmnet_internal.csv_columns(text[]) IS
'Part of the reader of kind csv: names of the columns, checked';

CREATE FUNCTION vmnet_internal.observed_csv(document text)
RETURNS SETOF vmnet_internal.observed
LANGUAGE plpgsql STABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	named text[] := vmnet_internal.csv_columns((SELECT c.fields FROM vmnet_internal.csv_records(document) c LIMIT 1));
	width int := cardinality(named);
	mac int := array_position(named, 'mac');
	ip int := array_position(named, 'ip');
	segment int := array_position(named, 'segment');
	device int := array_position(named, 'device');
	domain int := array_position(named, 'domain');
	domain_uuid int := array_position(named, 'domain_uuid');
	host int := array_position(named, 'host');
BEGIN
	RETURN QUERY
	SELECT c.fields[mac], c.fields[ip], c.fields[segment], c.fields[device], c.fields[domain], c.fields[domain_uuid], NULL,
		c.fields[host], format('line %s', c.line),
		CASE WHEN cardinality(c.fields) <> width THEN format('it has %s fields, the first line has %s', cardinality(c.fields), width) END,
		array_to_string(c.fields, ',')
	FROM vmnet_internal.csv_records(document) c
	OFFSET 1;
END
$$;
COMMENT ON FUNCTION vmnet_internal.observed_csv(text) IS
'Reader of kind csv';
