-- Prints the metrics of an inventory in the text format of Prometheus, for use
-- without an exporter for SQL: node_exporter reads such a file
-- (--collector.textfile.directory).
--
--   psql -AtqX -v report=cloud_report -f textfile.sql inventory >vmnet.prom.new && mv vmnet.prom.new vmnet.prom
SET jit = off;
SELECT line
FROM (
	SELECT m.name, x.ord, m.labels, x.line
	FROM (
		SELECT name, labels, value, metric_type, help, row_number() OVER (PARTITION BY name ORDER BY labels) = 1 AS is_first
		FROM (
			SELECT name, labels, value, metric_type, help FROM :"report".metrics
			UNION ALL
			SELECT name, labels, value, metric_type, help FROM :"report".metrics_networks
			UNION ALL
			SELECT name, labels, value, metric_type, help FROM :"report".metrics_findings) a) m
		CROSS JOIN LATERAL (VALUES
			(1, CASE WHEN is_first THEN format('# HELP %s %s', m.name, m.help) END),
			(2, CASE WHEN is_first THEN format('# TYPE %s %s', m.name, m.metric_type) END),
			(3, format('%s{%s} %s', m.name, m.labels, m.value))) x (ord, line)
	WHERE x.line IS NOT NULL) l
ORDER BY name, ord, labels;
