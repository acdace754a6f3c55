--
-- Payloads of kind cloudstack: what CloudStack's own API lists
--

-- The answers in a payload: each is the value of the key list...response of an
-- object, or the object itself, as CloudMonkey writes it.  An answer has one list, or
-- nothing where there is nothing to list.
CREATE FUNCTION vmnet_internal.cloudstack_answers(doc jsonb)
RETURNS TABLE (path text, kind text, list jsonb, announced bigint, fault text)
LANGUAGE sql STABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $$
SELECT concat_ws('.', b.path, l.kind), l.kind, b.body -> l.kind,
	substring(b.body ->> 'count' FROM '^\d{1,9}$')::bigint,
	CASE WHEN jsonb_typeof(b.body) <> 'object' THEN format('%s is no answer of the API.', b.path)
		WHEN b.body ?| '{errortext,errorcode}' THEN
			format('The API answered with an error: %s', left(coalesce(b.body ->> 'errortext', b.body ->> 'errorcode'), 300))
		WHEN l.kind IS NULL AND (b.body - 'count' <> '{}' OR b.body ->> 'count' <> '0') THEN
			format('%s has no list "virtualmachine", "router", "systemvm" or "nic".', b.path) END
FROM (
	SELECT p.n, concat_ws('.', CASE jsonb_typeof(doc) WHEN 'array' THEN format('$[%s]', p.n - 1) ELSE '$' END, k.key) AS path,
		CASE WHEN k.key IS NULL THEN p.page ELSE p.page -> k.key END AS body
	FROM jsonb_array_elements(CASE jsonb_typeof(doc) WHEN 'array' THEN doc ELSE jsonb_build_array(doc) END)
			WITH ORDINALITY p (page, n)
		LEFT JOIN LATERAL (SELECT u.key
			FROM unnest('{listvirtualmachinesresponse,listroutersresponse,listsystemvmsresponse,listnicsresponse,'
				'errorresponse}'::text[]) u (key)
			WHERE jsonb_typeof(p.page) = 'object' AND p.page ? u.key
			LIMIT 1) k ON true
	OFFSET 0) b
	LEFT JOIN LATERAL (SELECT u.kind
		FROM unnest('{virtualmachine,router,systemvm,nic}'::text[]) u (kind)
		WHERE jsonb_typeof(b.body) = 'object' AND jsonb_typeof(b.body -> u.kind) = 'array'
		LIMIT 1) l ON true
$$;
COMMENT ON FUNCTION vmnet_internal.cloudstack_answers(jsonb) IS
'Part of the reader of kind cloudstack: the answers in a payload';

-- The NICs of a record of an answer, as a list; a list with null if it has none.
-- System VMs have no list: their addresses are keys of the record.
CREATE FUNCTION vmnet_internal.cloudstack_nics(kind text, machine jsonb)
RETURNS jsonb
LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	IF kind = 'nic' THEN
		RETURN jsonb_build_array(machine);
	ELSIF jsonb_typeof(machine -> 'nic') = 'array' THEN
		RETURN machine -> 'nic';
	ELSIF kind = 'systemvm' AND machine ?| '{publicmacaddress,privatemacaddress,linklocalmacaddress}' THEN
		RETURN (SELECT jsonb_agg(jsonb_build_object('macaddress', machine -> (p || 'macaddress'), 'ipaddress', machine -> (p || 'ip')))
			FROM unnest('{public,private,linklocal}'::text[]) p WHERE machine ? (p || 'macaddress'));
	END IF;
	RETURN '[null]';
END
$$;
COMMENT ON FUNCTION vmnet_internal.cloudstack_nics(text, jsonb) IS
'Part of the reader of kind cloudstack: the NICs of a record of an answer';

-- Refuses a payload that has an answer which cannot be read, or that is not whole: an
-- answer that has fewer records than it says there are is one page of several, and
-- what is on the others would seem to be gone.
CREATE FUNCTION vmnet_internal.check_cloudstack(doc jsonb)
RETURNS void
LANGUAGE plpgsql STABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	fault text;
BEGIN
	WITH a AS MATERIALIZED (SELECT c.kind, c.fault, c.announced, jsonb_array_length(c.list) AS records
		FROM vmnet_internal.cloudstack_answers(doc) c)
	SELECT f.fault INTO fault
	FROM (
		SELECT a.fault FROM a WHERE a.fault IS NOT NULL
		UNION ALL
		SELECT format('It has %s of %s records of "%s": put the answers of all pages into one list.',
			sum(a.records), max(a.announced), a.kind)
		FROM a WHERE a.kind IS NOT NULL
		GROUP BY a.kind
		HAVING sum(a.records) < max(a.announced)) f
	LIMIT 1;
	IF fault IS NOT NULL THEN
		PERFORM vmnet_internal.refuse_observation('cloudstack', fault);
	END IF;
END
$$;
COMMENT ON FUNCTION vmnet_internal.check_cloudstack(jsonb) IS
'Part of the reader of kind cloudstack: refuses answers that are errors, or not whole';

-- One record for each NIC, with its IPv4 address, and another one for its IPv6
-- address, if it has both.
CREATE FUNCTION vmnet_internal.observed_cloudstack(document text)
RETURNS SETOF vmnet_internal.observed
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	doc jsonb := vmnet_internal.observed_json('cloudstack', document);
BEGIN
	PERFORM vmnet_internal.check_cloudstack(doc);
	RETURN QUERY
	SELECT n.nic ->> 'macaddress', i.ip, n.nic ->> 'networkid', NULL, m.domain, m.domain_uuid, n.nic ->> 'id', m.host,
		format(CASE m.kind WHEN 'nic' THEN '%s[%s]' ELSE '%s[%s].nic[%s]' END, m.path, m.n - 1, n.n - 1),
		coalesce(m.fault,
			CASE WHEN jsonb_typeof(n.nic) = 'null' THEN 'the record has no list "nic"' END,
			vmnet_internal.json_fault(n.nic, 'macaddress', 'ipaddress', 'ip6address', 'networkid', 'id')),
		(CASE jsonb_typeof(n.nic) WHEN 'null' THEN m.machine ELSE n.nic END)::text
	FROM (SELECT a.path, a.kind, l.machine, l.n,
			vmnet_internal.json_fault(l.machine, 'instancename', 'name', 'id', 'hostname', 'virtualmachineid') AS fault,
			CASE WHEN a.kind <> 'nic' THEN coalesce(l.machine ->> 'instancename', l.machine ->> 'name') END AS domain,
			l.machine ->> CASE a.kind WHEN 'nic' THEN 'virtualmachineid' ELSE 'id' END AS domain_uuid,
			l.machine ->> 'hostname' AS host
		FROM vmnet_internal.cloudstack_answers(doc) a,
			LATERAL jsonb_array_elements(a.list) WITH ORDINALITY l (machine, n)
		OFFSET 0) m,
		LATERAL jsonb_array_elements(vmnet_internal.cloudstack_nics(m.kind, m.machine)) WITH ORDINALITY n (nic, n),
		LATERAL (SELECT nullif(btrim(n.nic ->> 'ipaddress'), '') AS ip4, nullif(btrim(n.nic ->> 'ip6address'), '') AS ip6 OFFSET 0) b,
		LATERAL (SELECT b.ip4 AS ip WHERE b.ip4 IS NOT NULL OR b.ip6 IS NULL
			UNION ALL
			SELECT b.ip6 WHERE b.ip6 IS NOT NULL) i;
END
$$;
COMMENT ON FUNCTION vmnet_internal.observed_cloudstack(text) IS
'Reader of kind cloudstack';
