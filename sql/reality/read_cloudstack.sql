--
-- Payloads of kind cloudstack: what CloudStack's own API lists
--

-- The answer in an object of a payload: the value of its only key list...response,
-- or the object itself, as CloudMonkey writes it.
CREATE FUNCTION vmnet_internal.cloudstack_answer(page jsonb, OUT path text, OUT body jsonb)
RETURNS record
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	path := '';
	body := page;
	IF jsonb_typeof(page) = 'object' THEN
		SELECT '.' || k, page -> k INTO path, body
		FROM unnest('{listvirtualmachinesresponse,listroutersresponse,listsystemvmsresponse,listnicsresponse,errorresponse}'::text[]) k
		WHERE page ? k
		LIMIT 1;
		IF NOT FOUND THEN
			path := '';
			body := page;
		END IF;
	END IF;
	IF jsonb_typeof(body) <> 'object' THEN
		PERFORM vmnet_internal.refuse_observation('cloudstack', 'It is JSON, but not an answer or a list of answers.');
	ELSIF body ? 'errortext' OR body ? 'errorcode' THEN
		PERFORM vmnet_internal.refuse_observation('cloudstack', format('The API answered with an error: %s', left(body ->> 'errortext', 300)));
	END IF;
END
$$;
COMMENT ON FUNCTION vmnet_internal.cloudstack_answer(jsonb) IS
'Part of the reader of kind cloudstack: the answer in an object of a payload';

-- The NICs of a record of an answer, as a list; a list with null if it has none.
-- System VMs have no list: their addresses are keys of the record.
CREATE FUNCTION vmnet_internal.cloudstack_nics(kind text, machine jsonb)
RETURNS jsonb
LANGUAGE sql IMMUTABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $$
SELECT CASE WHEN kind = 'nic' THEN jsonb_build_array(machine)
	WHEN jsonb_typeof(machine -> 'nic') = 'array' THEN machine -> 'nic'
	WHEN kind = 'systemvm' AND machine ?| '{publicmacaddress,privatemacaddress,linklocalmacaddress}' THEN
		(SELECT jsonb_agg(jsonb_build_object('macaddress', machine -> (p || 'macaddress'), 'ipaddress', machine -> (p || 'ip')))
		FROM unnest('{public,private,linklocal}'::text[]) p WHERE machine ? (p || 'macaddress'))
	ELSE '[null]' END
$$;
COMMENT ON FUNCTION vmnet_internal.cloudstack_nics(text, jsonb) IS
'Part of the reader of kind cloudstack: the NICs of a record of an answer';

-- The records of a list: one for each NIC, with its IPv4 address, and another one for
-- its IPv6 address, if it has both.
CREATE FUNCTION vmnet_internal.observed_machines(kind text, path text, list jsonb)
RETURNS SETOF vmnet_internal.observed
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
SELECT n.nic ->> 'macaddress', a.ip, n.nic ->> 'networkid', NULL, m.domain, m.domain_uuid, n.nic ->> 'id', m.host,
	format(CASE kind WHEN 'nic' THEN '%s[%s]' ELSE '%s[%s].nic[%s]' END, path, m.n - 1, n.n - 1),
	coalesce(m.fault,
		CASE WHEN jsonb_typeof(n.nic) = 'null' THEN 'the record has no list "nic"' END,
		vmnet_internal.json_fault(n.nic, 'macaddress', 'ipaddress', 'ip6address', 'networkid', 'id', 'virtualmachineid')),
	n.nic::text
FROM (SELECT l.machine, l.n, vmnet_internal.json_fault(l.machine, 'instancename', 'name', 'id', 'hostname') AS fault,
		CASE WHEN kind <> 'nic' THEN coalesce(l.machine ->> 'instancename', l.machine ->> 'name') END AS domain,
		l.machine ->> CASE kind WHEN 'nic' THEN 'virtualmachineid' ELSE 'id' END AS domain_uuid,
		l.machine ->> 'hostname' AS host
	FROM jsonb_array_elements(list) WITH ORDINALITY l (machine, n)
	OFFSET 0) m,
	LATERAL jsonb_array_elements(vmnet_internal.cloudstack_nics(kind, m.machine)) WITH ORDINALITY n (nic, n),
	LATERAL (SELECT nullif(btrim(n.nic ->> 'ipaddress'), '') AS ip4, nullif(btrim(n.nic ->> 'ip6address'), '') AS ip6 OFFSET 0) b,
	LATERAL (SELECT b.ip4 AS ip WHERE b.ip4 IS NOT NULL OR b.ip6 IS NULL
		UNION ALL
		SELECT b.ip6 WHERE b.ip6 IS NOT NULL) a
$$;
COMMENT ON FUNCTION vmnet_internal.observed_machines(text, text, jsonb) IS
'Part of the reader of kind cloudstack: the NICs of the machines in a list';

-- An answer that has fewer records than it says there are is one page of several:
-- what is on the others would seem to be gone.
CREATE FUNCTION vmnet_internal.observed_cloudstack(document text)
RETURNS SETOF vmnet_internal.observed
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	doc jsonb := vmnet_internal.observed_json('cloudstack', document);
	whole boolean := jsonb_typeof(doc) <> 'array';
	lists CONSTANT text[] := '{virtualmachine,router,systemvm,nic}';
	counted bigint[] := '{0,0,0,0}';
	announced bigint[] := '{0,0,0,0}';
	page record;
	i int;
BEGIN
	FOR page IN
		SELECT format(CASE WHEN whole THEN '$%2$s' ELSE '$[%1$s]%2$s' END, p.n - 1, a.path) AS path, a.body, k.key
		FROM jsonb_array_elements(CASE WHEN whole THEN jsonb_build_array(doc) ELSE doc END) WITH ORDINALITY p (page, n),
			LATERAL vmnet_internal.cloudstack_answer(p.page) a
			LEFT JOIN LATERAL (SELECT l AS key FROM unnest(lists) l WHERE jsonb_typeof(a.body -> l) = 'array' LIMIT 1) k ON true
	LOOP
		IF page.key IS NULL THEN
			CONTINUE WHEN page.body - 'count' = '{}' AND coalesce(page.body ->> 'count', '0') = '0';
			PERFORM vmnet_internal.refuse_observation('cloudstack', format('%s has no list of %s.', page.path, array_to_string(lists, ', ')));
		END IF;
		i := array_position(lists, page.key);
		counted[i] := counted[i] + jsonb_array_length(page.body -> page.key);
		announced[i] := greatest(announced[i], substring(page.body ->> 'count' FROM '^\d{1,9}$')::bigint);
		RETURN QUERY SELECT * FROM vmnet_internal.observed_machines(page.key, format('%s.%s', page.path, page.key), page.body -> page.key);
	END LOOP;
	FOR i IN 1 .. cardinality(lists) LOOP
		IF counted[i] < announced[i] THEN
			PERFORM vmnet_internal.refuse_observation('cloudstack', format('It has %s of %s records of "%s": put the answers of all pages into one list.',
				counted[i], announced[i], lists[i]));
		END IF;
	END LOOP;
END
$$;
COMMENT ON FUNCTION vmnet_internal.observed_cloudstack(text) IS
'Reader of kind cloudstack';
