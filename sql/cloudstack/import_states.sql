--
-- Since when networks and instances are in their states: a step of an import that
-- runs as the owner of the mirror
--

-- CloudStack does not say when the state of a network changed.  A row says when an import saw a state that was another one in
-- the run before; without a row nothing but created is known.
CREATE FUNCTION vmnet_internal.import_note_states(run bigint, inventory text)
RETURNS void
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	times record := vmnet_internal.import_run_times(inventory, run);
	relation text;
BEGIN
	FOREACH relation IN ARRAY ARRAY['networks', 'instances'] LOOP
		EXECUTE format($f$
			INSERT INTO %1$I.import_states (relation, id, since)
			SELECT $1, t.id, $2
			FROM pg_temp.vmnet_import_changes c
				JOIN %1$I.%2$I t ON t.id = c.id
				JOIN pg_temp.%3$I s ON s.id = c.id
			WHERE c.relation = $1 AND c.kind = 'update' AND s.state <> t.state
			ON CONFLICT (relation, id) DO UPDATE SET since = EXCLUDED.since$f$, inventory, 'all_' || relation,
			'vmnet_import_' || relation)
		USING relation, times.started;
		-- what is not there any more, and what is another object under the same id
		EXECUTE format($f$
			DELETE FROM %1$I.import_states t USING pg_temp.vmnet_import_changes c
			WHERE c.relation = $1 AND c.kind IN ('delete', 'reused') AND t.relation = $1 AND t.id = c.id$f$, inventory)
		USING relation;
	END LOOP;
END
$$;
COMMENT ON FUNCTION vmnet_internal.import_note_states(bigint, text) IS
'Part of import_cloudstack(): writes down which networks and instances have another state than in the run before';
