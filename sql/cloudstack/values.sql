--
-- Values of another system, read from text (src/cloudstack/values.c)
--

CREATE FUNCTION vmnet_internal.read_bigint(value text)
RETURNS bigint
AS 'MODULE_PATHNAME', 'read_bigint'
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION vmnet_internal.read_bigint(text) IS
'Whole number in a text; NULL if there is none';

CREATE FUNCTION vmnet_internal.read_boolean(value text)
RETURNS boolean
AS 'MODULE_PATHNAME', 'read_boolean'
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION vmnet_internal.read_boolean(text) IS
'Boolean in a text (a number that is not 0 is true); NULL if there is none';

CREATE FUNCTION vmnet_internal.read_inet(value text)
RETURNS inet
AS 'MODULE_PATHNAME', 'read_inet'
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION vmnet_internal.read_inet(text) IS
'IPv4 or IPv6 address in a text, with or without blanks around it; NULL if there is none';

CREATE FUNCTION vmnet_internal.read_cidr(value text)
RETURNS cidr
AS 'MODULE_PATHNAME', 'read_cidr'
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION vmnet_internal.read_cidr(text) IS
'Network in a text; NULL if there is none; bits right of the prefix length are cleared';

-- Most values are no list, and are read as one value.
CREATE FUNCTION vmnet_internal.read_cidr_list(value text)
RETURNS cidr[]
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $$
SELECT CASE WHEN strpos($1, ',') = 0 THEN nullif(ARRAY[vmnet_internal.read_cidr($1)], ARRAY[NULL::cidr])
	ELSE (SELECT array_agg(p.part ORDER BY p.ord)
		FROM (SELECT vmnet_internal.read_cidr(v) AS part, ord FROM unnest(string_to_array($1, ',')) WITH ORDINALITY l (v, ord)) p
		WHERE p.part IS NOT NULL) END
$$;
COMMENT ON FUNCTION vmnet_internal.read_cidr_list(text) IS
'Networks in a text, with commas between them; what is none is left out';

CREATE FUNCTION vmnet_internal.read_inet_list(value text)
RETURNS inet[]
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $$
SELECT CASE WHEN strpos($1, ',') = 0 THEN nullif(ARRAY[vmnet_internal.read_inet($1)], ARRAY[NULL::inet])
	ELSE (SELECT array_agg(p.part ORDER BY p.ord)
		FROM (SELECT vmnet_internal.read_inet(v) AS part, ord FROM unnest(string_to_array($1, ',')) WITH ORDINALITY l (v, ord)) p
		WHERE p.part IS NOT NULL) END
$$;
COMMENT ON FUNCTION vmnet_internal.read_inet_list(text) IS
'Addresses in a text, with commas between them; what is none is left out';

CREATE FUNCTION vmnet_internal.read_macaddr(value text)
RETURNS macaddr
AS 'MODULE_PATHNAME', 'read_macaddr'
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION vmnet_internal.read_macaddr(text) IS
'MAC address in a text; NULL if there is none';

CREATE FUNCTION vmnet_internal.read_uuid(value text)
RETURNS uuid
AS 'MODULE_PATHNAME', 'read_uuid'
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION vmnet_internal.read_uuid(text) IS
'uuid in a text; NULL if there is none';

CREATE FUNCTION vmnet_internal.read_timestamptz(value text)
RETURNS timestamptz
AS 'MODULE_PATHNAME', 'read_timestamptz'
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION vmnet_internal.read_timestamptz(text) IS
'Time in a text (YYYY-MM-DD HH:MM:SS, UTC without a zone); NULL if there is none, or for a zero date';

CREATE FUNCTION vmnet_internal.read_text(value text)
RETURNS text
AS 'MODULE_PATHNAME', 'read_text'
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION vmnet_internal.read_text(text) IS
'Text without blanks at its end';

CREATE FUNCTION vmnet_internal.read_utc(value timestamp)
RETURNS timestamptz
AS 'MODULE_PATHNAME', 'read_utc'
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION vmnet_internal.read_utc(timestamp) IS
'Time without a zone as one in UTC';

CREATE FUNCTION vmnet_internal.read_finite(value timestamptz)
RETURNS timestamptz
AS 'MODULE_PATHNAME', 'read_finite'
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION vmnet_internal.read_finite(timestamptz) IS
'The same time; NULL if it is infinite';
