--
-- Counts of NICs and instances by network
--

-- The counts of the view network_counts, of inventories and of reports, over n,
-- held NICs, and i, their instances.  instances: false where n is enough.
-- only_report: inventories have no such column.
-- table of data
CREATE FUNCTION vmnet_internal.network_counts_columns(kind text)
RETURNS TABLE (ord int, name text, instances boolean, only_report boolean, expression text)
LANGUAGE sql IMMUTABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $columns$
SELECT row_number() OVER (ORDER BY c.place)::int, c.name, c.instances, c.only_report,
	'pg_catalog.count(' || replace(c.expression, '{live instance}', vmnet_internal.live_condition($1, 'all_instances', 'i', true)) || ')'
FROM (
	SELECT * FROM (VALUES
		(1, 'attached_nics', true, false, '*) FILTER (WHERE n.active AND {live instance}'),
		(2, 'active_instances', true, false, 'DISTINCT n.instance_id) FILTER (WHERE n.active AND {live instance}'),
		(3, 'running_instances', true, false,
			'DISTINCT n.instance_id) FILTER (WHERE n.active AND {live instance} AND i.state = ''Running'''),
		(4, 'user_instances', true, false, 'DISTINCT n.instance_id) FILTER (WHERE n.active AND {live instance} AND i.type = ''User'''),
		(5, 'routers', true, true, 'DISTINCT n.instance_id) FILTER (WHERE n.active AND {live instance} AND i.type = ''DomainRouter'''),
		(6, 'placeholders', false, true, '*) FILTER (WHERE n.active AND n.instance_id IS NULL'),
		(101, 'other_states', false, false, format('*) FILTER (WHERE (n.state IN (%s)) IS NOT TRUE', vmnet_internal.nic_state_list())),
		(102, 'used_ip4', false, false, 'DISTINCT n.ip4_address) FILTER (WHERE n.active')) v
	UNION ALL
	SELECT 10 + s.ord, lower(s.state), false, false, format('*) FILTER (WHERE n.state = %L', s.state)
	FROM vmnet_internal.nic_states() s) c (place, name, instances, only_report, expression)
$columns$;
COMMENT ON FUNCTION vmnet_internal.network_counts_columns(text) IS
'Columns of the view network_counts of inventories and of reports';

CREATE FUNCTION vmnet_internal.nic_state_comments()
RETURNS TABLE (column_name text, comment text)
LANGUAGE sql IMMUTABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $$
SELECT lower(s.state), format('Held NICs (not removed) in state %s', s.state)
	|| CASE s.sort WHEN 'ending' THEN E': half-removed\nThey are counted in this column only.' ELSE ', placeholders included' END
FROM vmnet_internal.nic_states() s
$$;
COMMENT ON FUNCTION vmnet_internal.nic_state_comments() IS
'Comments of the columns of network_counts that count NICs by state';

-- In result, c has the aggregates over NICs, and instances those over instances.
CREATE FUNCTION vmnet_internal.network_counts_parts(kind text, report boolean, instances text, OUT result text, OUT of_nics text,
	OUT of_instances text)
LANGUAGE sql IMMUTABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $$
SELECT string_agg(format('coalesce(%1$s.%2$s, 0)::bigint AS %2$s', CASE WHEN c.instances THEN $3 ELSE 'c' END, c.name),
		E',\n\t' ORDER BY c.ord),
	string_agg(c.expression || ' AS ' || c.name, E',\n\t\t\t' ORDER BY c.ord) FILTER (WHERE NOT c.instances),
	string_agg(c.expression || ' AS ' || c.name, E',\n\t\t\t' ORDER BY c.ord) FILTER (WHERE c.instances)
FROM vmnet_internal.network_counts_columns($1) c
WHERE $2 OR NOT c.only_report
$$;
COMMENT ON FUNCTION vmnet_internal.network_counts_parts(text, boolean, text) IS
'Part of network_counts_query(): the columns of the result, and the aggregates over NICs and over their instances';

-- {inv} stands for the inventory.  nics: the query of c; joins: what follows it.
CREATE FUNCTION vmnet_internal.network_counts_text(kind text, counts text, nics text, joins text)
RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $$
SELECT format($query$
SELECT w.id AS network_id, w.name AS network_name,
	%s
FROM {inv}.all_networks w
	LEFT JOIN (%s
		GROUP BY n.network_id) c ON c.network_id = w.id%s
WHERE %s$query$, $2, $3, $4, vmnet_internal.live_condition($1, 'all_networks', 'w'))
$$;
COMMENT ON FUNCTION vmnet_internal.network_counts_text(text, text, text, text) IS
'Part of network_counts_query() and network_counts_live(): what both have in common';

-- In a report, more columns of the network, w, follow the counts.
CREATE FUNCTION vmnet_internal.network_counts_query(kind text, more text DEFAULT NULL)
RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $$
SELECT vmnet_internal.network_counts_text($1, concat_ws(E',\n\t', p.result, $2), format($query$
		SELECT n.network_id,
			%s,
			%s
		FROM {inv}.all_nics n
			LEFT JOIN {inv}.all_instances i ON i.id = n.instance_id
		WHERE n.removed IS NULL AND (n.active OR NOT n.active)$query$, p.of_instances, p.of_nics), '')
FROM vmnet_internal.network_counts_parts($1, $2 IS NOT NULL, 'c') p
$$;
COMMENT ON FUNCTION vmnet_internal.network_counts_query(text, text) IS
'The query of the view network_counts of an inventory, or, with more columns, of a report';

-- The instances that are not removed are joined by themselves, so that the source
-- does that.
CREATE FUNCTION vmnet_internal.network_counts_live(nics text)
RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $$
SELECT vmnet_internal.network_counts_text('live', p.result, format($query$
		SELECT n.network_id,
			%s
		FROM (%s) n$query$, p.of_nics, $1), format($query$
	LEFT JOIN (
		SELECT n.network_id,
			%s
		FROM {inv}.all_nics n
			JOIN {inv}.all_instances i ON i.id = n.instance_id AND i.active
		WHERE n.active
		GROUP BY n.network_id) a ON a.network_id = w.id$query$, p.of_instances))
FROM vmnet_internal.network_counts_parts('live', false, 'a') p
$$;
COMMENT ON FUNCTION vmnet_internal.network_counts_live(text) IS
'The query of the view network_counts of a live inventory
nics: the query of held NICs.';
