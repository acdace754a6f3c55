-- Tables as they are without vmnet_ext, for writes: the columns, defaults and foreign
-- keys, an index on network_id; no trigger, CHECK or other index.  What is generated
-- elsewhere is an ordinary column here.

CREATE PROCEDURE bench.make_bare(schema name)
LANGUAGE plpgsql AS $$
DECLARE
	relation text;
	columns text;
BEGIN
	EXECUTE format('CREATE SCHEMA %I', schema);
	FOREACH relation IN ARRAY ARRAY['all_networks', 'all_instances', 'all_nics'] LOOP
		EXECUTE format('CREATE TABLE %I.%I (LIKE bench_plain.%2$I INCLUDING DEFAULTS) WITH (fillfactor = %s)', schema, relation,
			CASE relation WHEN 'all_nics' THEN 90 ELSE 100 END);
		SELECT string_agg(quote_ident(attname), ', ' ORDER BY attnum) INTO columns
		FROM pg_attribute WHERE attrelid = format('bench_plain.%I', relation)::regclass AND attnum > 0 AND NOT attisdropped;
		EXECUTE format('INSERT INTO %I.%I (%s) SELECT %3$s FROM bench_plain.%2$I', schema, relation, columns);
		EXECUTE format('ALTER TABLE %I.%I ADD PRIMARY KEY (id)', schema, relation);
	END LOOP;
	EXECUTE format('ALTER TABLE %I.all_nics ADD FOREIGN KEY (network_id) REFERENCES %1$I.all_networks,
		ADD FOREIGN KEY (instance_id) REFERENCES %1$I.all_instances', schema);
	EXECUTE format('CREATE INDEX ON %I.all_nics (network_id)', schema);
END
$$;
CALL bench.make_bare('bench_bare');
CALL bench.make_bare('bench_periods');
RESET session_replication_role;
CREATE EXTENSION periods CASCADE;
SELECT periods.add_system_time_period('bench_periods.all_nics');
SELECT periods.add_system_versioning('bench_periods.all_nics');
-- Its event triggers make every DDL a hundred times slower, which is no part of what
-- is compared.
DO $$
DECLARE
	part record;
BEGIN
	FOR part IN SELECT evtname FROM pg_event_trigger WHERE evtname LIKE 'periods%' LOOP
		EXECUTE format('ALTER EVENT TRIGGER %I DISABLE', part.evtname);
	END LOOP;
END
$$;
