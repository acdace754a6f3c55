--
-- Rows and values of the source that an import rejects or changes
--

-- Writes down what the tables that are joined by key hold but an inventory
-- cannot: once for each of their rows, not for all that refer to it.
CREATE FUNCTION vmnet_internal.import_judge_lookups(source text)
RETURNS void
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
SET row_security = off
AS $$
DECLARE
	col record;
	source_type regtype;
BEGIN
	INSERT INTO pg_temp.vmnet_import_log
	SELECT u."table", coalesce(u.id::text, u.original), u."column", u.original, 'changed',
		'a number that cannot be read; the row was not used'
	FROM pg_temp.vmnet_import_unreadable u
	WHERE u."table" IN (SELECT c.from_lookup FROM unnest(ARRAY['networks', 'instances', 'nics']) r,
		LATERAL vmnet_internal.import_columns(vmnet_internal.import_kind(source), r) c);
	FOR col IN
		SELECT DISTINCT c.from_lookup, c.source_column, c.target_type
		FROM unnest(ARRAY['networks', 'instances', 'nics']) r,
			LATERAL vmnet_internal.import_columns(vmnet_internal.import_kind(source), r) c
		WHERE c.from_lookup IS NOT NULL AND vmnet_internal.import_source_type(source, c.from_lookup, 'id') IS NOT NULL
	LOOP
		source_type := vmnet_internal.import_source_type(source, col.from_lookup, col.source_column);
		IF col.target_type = 'text' AND source_type IN ('text'::regtype, 'varchar'::regtype) THEN
			EXECUTE format($f$
				INSERT INTO pg_temp.vmnet_import_log
				SELECT %2$L, l.id::text, %3$L, l.%3$I::text, 'changed', 'blanks at the end were cut off'
				FROM %1$s l WHERE l.%3$I::text <> rtrim(l.%3$I::text, ' ')$f$,
				vmnet_internal.import_fenced(source, col.from_lookup), col.from_lookup, col.source_column);
		ELSIF col.target_type <> 'text' AND source_type IS NOT NULL THEN
			EXECUTE format($f$
				INSERT INTO pg_temp.vmnet_import_log
				SELECT %2$L, l.id::text, %3$L, l.%3$I::text, 'changed', %4$L
				FROM %1$s l WHERE btrim(l.%3$I::text) <> '' AND %5$s IS NULL$f$,
				vmnet_internal.import_fenced(source, col.from_lookup), col.from_lookup, col.source_column,
				format('not a value of type %s; stored as NULL', col.target_type),
				vmnet_internal.import_expression(format('l.%I', col.source_column), source_type, col.target_type));
		END IF;
	END LOOP;
END
$$;
COMMENT ON FUNCTION vmnet_internal.import_judge_lookups(text) IS
'Part of import_cloudstack(): writes down what tables joined by key hold but an inventory cannot';

-- Most often nothing is wrong with a stage, which one look says: does a row lack
-- its id, are ids or uuids there twice, has a row notes, does one name an
-- instance that cannot be read?
CREATE FUNCTION vmnet_internal.import_look(relation text,
	OUT lacks_id boolean, OUT ids_twice boolean, OUT uuids_twice boolean, OUT has_notes boolean, OUT bad_instance boolean)
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	EXECUTE format('SELECT count(*) <> count(id), count(id) <> count(DISTINCT id), count(uuid) <> count(DISTINCT uuid), count(notes) > 0, '
		'%s FROM pg_temp.%I',
		CASE relation WHEN 'nics' THEN 'count(raw_instance_id) > 0' ELSE 'false' END,
		'vmnet_import_' || relation)
	INTO lacks_id, ids_twice, uuids_twice, has_notes, bad_instance;
END
$$;
COMMENT ON FUNCTION vmnet_internal.import_look(text) IS
'Part of import_cloudstack(): what may be wrong with the rows of a stage';

-- Takes rows of a stage that have no id of their own out of it.
CREATE FUNCTION vmnet_internal.import_judge_ids(relation text, source_table text, lacks_id boolean, ids_twice boolean)
RETURNS void
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	IF lacks_id THEN
		EXECUTE format($f$
			WITH gone AS (DELETE FROM pg_temp.%1$I WHERE id IS NULL RETURNING raw_id)
			INSERT INTO pg_temp.vmnet_import_log
			SELECT %2$L, raw_id, 'id', raw_id, 'rejected', 'the row has no id that can be read' FROM gone$f$,
			'vmnet_import_' || relation, source_table);
	END IF;
	IF ids_twice THEN
		EXECUTE format($f$
			WITH twice AS (SELECT id, min(ctid) AS first FROM pg_temp.%1$I GROUP BY id HAVING count(*) > 1),
				gone AS (DELETE FROM pg_temp.%1$I s USING twice t WHERE s.id = t.id AND s.ctid <> t.first RETURNING s.id)
			INSERT INTO pg_temp.vmnet_import_log
			SELECT %2$L, id::text, 'id', id::text, 'rejected', 'another row has the same id' FROM gone$f$,
			'vmnet_import_' || relation, source_table);
	END IF;
END
$$;
COMMENT ON FUNCTION vmnet_internal.import_judge_ids(text, text, boolean, boolean) IS
'Part of import_cloudstack(): rejects rows without an id, or with that of another one';

-- Takes NICs out of their stage that have no network, or name an instance that
-- is not there.
CREATE FUNCTION vmnet_internal.import_judge_nics(source_table text, bad_instance boolean)
RETURNS void
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	some_orphans boolean;
BEGIN
	SELECT count(*) <> count(w.id) OR count(n.instance_id) <> count(i.id)
	INTO some_orphans
	FROM pg_temp.vmnet_import_nics n
		LEFT JOIN pg_temp.vmnet_import_networks w ON w.id = n.network_id
		LEFT JOIN pg_temp.vmnet_import_instances i ON i.id = n.instance_id;
	IF some_orphans THEN
		WITH gone AS (
			DELETE FROM pg_temp.vmnet_import_nics n
			WHERE NOT EXISTS (SELECT FROM pg_temp.vmnet_import_networks w WHERE w.id = n.network_id)
			RETURNING n.id, n.network_id, n.raw_network_id)
		INSERT INTO pg_temp.vmnet_import_log
		SELECT source_table, id::text, 'network_id', coalesce(network_id::text, raw_network_id), 'rejected',
			CASE WHEN network_id IS NULL THEN 'the row names no network that can be read'
				ELSE 'the source has no network of this id' END
		FROM gone;
	END IF;
	IF bad_instance THEN
		WITH gone AS (
			DELETE FROM pg_temp.vmnet_import_nics n
			WHERE btrim(n.raw_instance_id) <> ''
			RETURNING n.id, n.raw_instance_id)
		INSERT INTO pg_temp.vmnet_import_log
		SELECT source_table, id::text, 'instance_id', raw_instance_id, 'rejected',
			'the row names an instance that cannot be read'
		FROM gone;
	END IF;
	IF some_orphans THEN
		WITH gone AS (
			DELETE FROM pg_temp.vmnet_import_nics n
			WHERE n.instance_id IS NOT NULL
				AND NOT EXISTS (SELECT FROM pg_temp.vmnet_import_instances i WHERE i.id = n.instance_id)
			RETURNING n.id, n.instance_id)
		INSERT INTO pg_temp.vmnet_import_log
		SELECT source_table, id::text, 'instance_id', instance_id::text, 'rejected',
			'the source has no instance of this id'
		FROM gone;
	END IF;
END
$$;
COMMENT ON FUNCTION vmnet_internal.import_judge_nics(text, boolean) IS
'Part of import_cloudstack(): rejects NICs whose network or instance is not there';

-- Takes secondary addresses out of their stage that have no place.
CREATE FUNCTION vmnet_internal.import_judge_secondary(source_table text)
RETURNS void
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	WITH gone AS (
		DELETE FROM pg_temp.vmnet_import_nic_secondary_ips s
		WHERE s.network_id IS NULL
			OR NOT EXISTS (SELECT FROM pg_temp.vmnet_import_nics n WHERE n.id = s.nic_id)
		RETURNING s.id, s.nic_id, s.raw_nic_id, s.network_id, s.raw_network_id)
	INSERT INTO pg_temp.vmnet_import_log
	SELECT source_table, id::text,
		CASE WHEN network_id IS NULL THEN 'network_id' ELSE 'nicId' END,
		CASE WHEN network_id IS NULL THEN raw_network_id ELSE coalesce(nic_id::text, raw_nic_id) END, 'rejected',
		CASE WHEN network_id IS NULL THEN 'the row names no network that can be read'
			WHEN nic_id IS NULL THEN 'the row names no NIC that can be read'
			ELSE 'the mirror has no NIC of this id' END
	FROM gone;
END
$$;
COMMENT ON FUNCTION vmnet_internal.import_judge_secondary(text) IS
'Part of import_cloudstack(): rejects secondary addresses that have no place';

-- Writes down what was changed in the rows of a stage; where two rows have one
-- uuid, one of them keeps it.
CREATE FUNCTION vmnet_internal.import_judge_values(relation text, source_table text, uuids_twice boolean, has_notes boolean)
RETURNS void
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	IF uuids_twice THEN
		EXECUTE format($f$
			WITH twice AS (SELECT uuid, min(id) AS first FROM pg_temp.%1$I WHERE uuid IS NOT NULL GROUP BY uuid HAVING count(*) > 1),
				mended AS (UPDATE pg_temp.%1$I s SET uuid = NULL FROM twice t WHERE s.uuid = t.uuid AND s.id <> t.first RETURNING s.id,
					t.uuid)
			INSERT INTO pg_temp.vmnet_import_log
			SELECT %2$L, id::text, 'uuid', uuid::text, 'changed', 'another row has the same uuid; stored as NULL' FROM mended$f$,
			'vmnet_import_' || relation, source_table);
	END IF;
	IF has_notes THEN
		EXECUTE format($f$
			INSERT INTO pg_temp.vmnet_import_log
			SELECT %2$L, s.id::text, note->>0, note->>1, 'changed', note->>2
			FROM pg_temp.%1$I s, unnest(s.notes) note
			WHERE s.notes IS NOT NULL$f$,
			'vmnet_import_' || relation, source_table);
	END IF;
END
$$;
COMMENT ON FUNCTION vmnet_internal.import_judge_values(text, text, boolean, boolean) IS
'Part of import_cloudstack(): writes down what was changed in the rows of a stage';

-- Takes rows that have no place out of the stages, and writes down why: ids first,
-- then what refers to them, then what is left.
CREATE FUNCTION vmnet_internal.import_judge(source text)
RETURNS void
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	relations CONSTANT text[] := ARRAY(SELECT r.relation FROM vmnet_internal.import_relations() r ORDER BY r.ord);
	kind text := vmnet_internal.import_kind(source);
	looks jsonb := '{}';
	look jsonb;
	relation text;
BEGIN
	FOREACH relation IN ARRAY relations LOOP
		SELECT to_jsonb(l) INTO look FROM vmnet_internal.import_look(relation) l;
		looks := looks || jsonb_build_object(relation, look);
		PERFORM vmnet_internal.import_judge_ids(relation, vmnet_internal.import_source_table(kind, relation), (look->>'lacks_id')::boolean,
			(look->>'ids_twice')::boolean);
	END LOOP;
	PERFORM vmnet_internal.import_judge_nics(vmnet_internal.import_source_table(kind, 'nics'), (looks->'nics'->>'bad_instance')::boolean);
	PERFORM vmnet_internal.import_judge_secondary(vmnet_internal.import_source_table(kind, 'nic_secondary_ips'));
	FOREACH relation IN ARRAY relations LOOP
		look := looks->relation;
		PERFORM vmnet_internal.import_judge_values(relation, vmnet_internal.import_source_table(kind, relation),
			(look->>'uuids_twice')::boolean, (look->>'has_notes')::boolean);
	END LOOP;
END
$$;
COMMENT ON FUNCTION vmnet_internal.import_judge(text) IS
'Part of import_cloudstack(): takes rows that have no place out of the stages, and writes down why';
