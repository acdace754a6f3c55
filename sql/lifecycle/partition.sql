--
-- History in partitions
--

-- The table is replaced by a new one, and the objects that users have created on it
-- are created again on the new one.  If one of them cannot be, the call is refused:
-- a policy or a trigger must not disappear without an error.

-- Returns the objects that users have created on the table of history, with the
-- statements that create them on a table of the same name.  own: names of the
-- indexes, constraints and triggers that are part of the inventory.
CREATE FUNCTION vmnet_internal.partition_parts(old regclass, own text[])
RETURNS TABLE (ord int, what text, ddl text)
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
WITH part AS (
	SELECT 1 AS ord, format('statistics settings of column %s', a.attname) AS what, concat(
		CASE WHEN a.attstattarget >= 0 THEN format('ALTER TABLE %s ALTER %I SET STATISTICS %s;', $1, a.attname, a.attstattarget) END,
		-- other options are set by the server
		(SELECT format('ALTER TABLE %s ALTER %I SET (%s);', $1, a.attname, string_agg(o, ', ')) FROM unnest(a.attoptions) o
			WHERE o ~ '^n_distinct' HAVING count(*) > 0)) AS ddl
	FROM pg_attribute a WHERE a.attrelid = $1 AND a.attnum > 0 AND NOT a.attisdropped
	UNION ALL
	SELECT 2, format('constraint %s', c.conname), format('ALTER TABLE %s ADD CONSTRAINT %I %s;', $1, c.conname,
			-- the new table has no rows yet
			regexp_replace(pg_get_constraintdef(c.oid), ' NOT VALID$', ''))
		|| coalesce(format('COMMENT ON CONSTRAINT %I ON %s IS %L;', c.conname, $1, obj_description(c.oid, 'pg_constraint')), '')
	FROM pg_constraint c WHERE c.conrelid = $1 AND c.contype IN ('c', 'f', 'p', 'u', 'x') AND c.conname <> ALL ($2)
	UNION ALL
	SELECT 2, format('index %s', c.relname), pg_get_indexdef(c.oid) || ';'
		|| CASE WHEN c.reltablespace <> 0 THEN format('ALTER INDEX %s.%I SET TABLESPACE %I;', c.relnamespace::regnamespace, c.relname,
			(SELECT t.spcname FROM pg_tablespace t WHERE t.oid = c.reltablespace)) ELSE '' END
	FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid
	WHERE i.indrelid = $1 AND c.relname <> ALL ($2)
		AND NOT EXISTS (SELECT FROM pg_constraint k WHERE k.conindid = c.oid AND k.conrelid = $1 AND k.contype IN ('p', 'u', 'x'))
	UNION ALL
	SELECT 3, format('comment on index %s', c.relname), format('COMMENT ON INDEX %s.%I IS %L;', c.relnamespace::regnamespace, c.relname,
		obj_description(c.oid, 'pg_class'))
	FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid
	WHERE i.indrelid = $1 AND obj_description(c.oid, 'pg_class') IS NOT NULL
	UNION ALL
	SELECT 4, format('statistics %s', t.stxname), pg_get_statisticsobjdef(t.oid) || ';'
		|| CASE WHEN t.stxstattarget >= 0 THEN format('ALTER STATISTICS %s.%I SET STATISTICS %s;', t.stxnamespace::regnamespace,
			t.stxname, t.stxstattarget) ELSE '' END
		|| CASE WHEN obj_description(t.oid, 'pg_statistic_ext') IS NOT NULL THEN format('COMMENT ON STATISTICS %s.%I IS %L;',
			t.stxnamespace::regnamespace, t.stxname,
			obj_description(t.oid, 'pg_statistic_ext')) ELSE '' END
	FROM pg_statistic_ext t WHERE t.stxrelid = $1
	UNION ALL
	SELECT 5, format('rule %s', r.rulename), pg_get_ruledef(r.oid) || vmnet_internal.partition_switch($1, 'RULE', r.rulename, r.ev_enabled)
		|| CASE WHEN obj_description(r.oid, 'pg_rewrite') IS NOT NULL THEN format('COMMENT ON RULE %I ON %s IS %L;', r.rulename, $1,
			obj_description(r.oid, 'pg_rewrite')) ELSE '' END
	FROM pg_rewrite r WHERE r.ev_class = $1
	UNION ALL
	SELECT 6, format('trigger %s', t.tgname), pg_get_triggerdef(t.oid) || ';' || vmnet_internal.partition_switch($1, 'TRIGGER', t.tgname,
		t.tgenabled)
		|| CASE WHEN obj_description(t.oid, 'pg_trigger') IS NOT NULL THEN format('COMMENT ON TRIGGER %I ON %s IS %L;', t.tgname, $1,
			obj_description(t.oid, 'pg_trigger')) ELSE '' END
	FROM pg_trigger t WHERE t.tgrelid = $1 AND NOT t.tgisinternal AND t.tgname <> ALL ($2)
	UNION ALL
	SELECT 7, format('policy %s', p.polname), vmnet_internal.partition_policy(p.oid)
	FROM pg_policy p WHERE p.polrelid = $1
	UNION ALL
	SELECT 8, 'row-level security', CASE WHEN c.relrowsecurity THEN format('ALTER TABLE %s ENABLE ROW LEVEL SECURITY;', $1) ELSE '' END
		|| CASE WHEN c.relforcerowsecurity THEN format('ALTER TABLE %s FORCE ROW LEVEL SECURITY;', $1) ELSE '' END
	FROM pg_class c WHERE c.oid = $1
	UNION ALL
	SELECT 9, 'tablespace', (SELECT format('ALTER TABLE %s SET TABLESPACE %I;', $1, t.spcname) FROM pg_tablespace t
		WHERE t.oid = c.reltablespace)
	FROM pg_class c WHERE c.oid = $1)
SELECT p.ord, p.what, p.ddl FROM part p WHERE p.ddl <> '' ORDER BY p.ord, p.what
$$;
COMMENT ON FUNCTION vmnet_internal.partition_parts(regclass, text[]) IS
'Part of partition_history(): objects that users have created on the table, with the statements that create them again';

-- Returns the statement that enables or disables a rule or trigger as in the catalog.
CREATE FUNCTION vmnet_internal.partition_switch(rel regclass, kind text, name name, enabled "char")
RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $$
SELECT CASE $4 WHEN 'O' THEN '' ELSE format('ALTER TABLE %s %s %s %I;', $1,
	CASE $4 WHEN 'D' THEN 'DISABLE' WHEN 'R' THEN 'ENABLE REPLICA' ELSE 'ENABLE ALWAYS' END, $2, $3) END
$$;
COMMENT ON FUNCTION vmnet_internal.partition_switch(regclass, text, name, "char") IS
'Part of partition_history(): the statement that enables or disables a rule or trigger as another one';

-- Returns the statement that creates a policy.
CREATE FUNCTION vmnet_internal.partition_policy(policy oid)
RETURNS text
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
SELECT format('CREATE POLICY %I ON %s AS %s FOR %s TO %s%s%s;', p.polname, p.polrelid::regclass,
		CASE WHEN p.polpermissive THEN 'PERMISSIVE' ELSE 'RESTRICTIVE' END,
		CASE p.polcmd WHEN 'r' THEN 'SELECT' WHEN 'a' THEN 'INSERT' WHEN 'w' THEN 'UPDATE' WHEN 'd' THEN 'DELETE' ELSE 'ALL' END,
		(SELECT string_agg(CASE r WHEN 0 THEN 'PUBLIC' ELSE quote_ident(pg_get_userbyid(r)) END, ', ') FROM unnest(p.polroles) r),
		' USING (' || pg_get_expr(p.polqual, p.polrelid) || ')',
		' WITH CHECK (' || pg_get_expr(p.polwithcheck, p.polrelid) || ')')
	|| CASE WHEN obj_description(p.oid, 'pg_policy') IS NOT NULL THEN format('COMMENT ON POLICY %I ON %s IS %L;', p.polname,
		p.polrelid::regclass,
		obj_description(p.oid, 'pg_policy')) ELSE '' END
FROM pg_policy p WHERE p.oid = $1
$$;
COMMENT ON FUNCTION vmnet_internal.partition_policy(oid) IS
'Part of partition_history(): the statement that creates a policy';

-- Returns objects and properties of the table that a partitioned table cannot have,
-- or that later partitions would not get from it.
CREATE FUNCTION vmnet_internal.partition_cannot(old regclass)
RETURNS TABLE (what text)
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
-- Rows that are moved into partitions would be published again, under the name of
-- the partition unless publish_via_partition_root is set.
SELECT format('it is a member of publication %s', p.pubname)
FROM pg_publication_rel r JOIN pg_publication p ON p.oid = r.prpubid WHERE r.prrelid = $1
UNION ALL
SELECT format('it has replica identity %s', CASE c.relreplident WHEN 'f' THEN 'FULL' WHEN 'n' THEN 'NOTHING' ELSE 'USING INDEX' END)
FROM pg_class c WHERE c.oid = $1 AND c.relreplident <> 'd'
UNION ALL
SELECT format('storage parameter %s', o) FROM pg_class c, unnest(c.reloptions) o WHERE c.oid = $1
UNION ALL
SELECT format('storage parameter toast.%s', o) FROM pg_class c JOIN pg_class t ON t.oid = c.reltoastrelid, unnest(t.reloptions) o
	WHERE c.oid = $1
UNION ALL
SELECT 'it is unlogged' FROM pg_class c WHERE c.oid = $1 AND c.relpersistence = 'u'
UNION ALL
SELECT format('it has access method %s', a.amname) FROM pg_class c JOIN pg_am a ON a.oid = c.relam WHERE c.oid = $1 AND a.amname <> 'heap'
UNION ALL
SELECT format('it is of type %s', c.reloftype::regtype) FROM pg_class c WHERE c.oid = $1 AND c.reloftype <> 0
UNION ALL
SELECT format('column %s is an identity column', a.attname)
FROM pg_attribute a WHERE a.attrelid = $1 AND a.attidentity <> '' AND NOT a.attisdropped
UNION ALL
SELECT format(CASE WHEN i.inhrelid = $1 THEN 'it inherits from %2$s' ELSE '%1$s inherits from it' END, i.inhrelid::regclass,
	i.inhparent::regclass)
FROM pg_inherits i WHERE $1 IN (i.inhrelid, i.inhparent)
UNION ALL
SELECT format('it is clustered by index %s', i.indexrelid::regclass) FROM pg_index i WHERE i.indrelid = $1 AND i.indisclustered
UNION ALL
SELECT format('index %s is not valid', i.indexrelid::regclass) FROM pg_index i WHERE i.indrelid = $1 AND NOT i.indisvalid
UNION ALL
SELECT format('index %s has settings for its columns', i.indexrelid::regclass)
FROM pg_index i WHERE i.indrelid = $1 AND EXISTS (SELECT FROM pg_attribute a WHERE a.attrelid = i.indexrelid AND a.attstattarget >= 0
	AND a.attnum > 0)
UNION ALL
SELECT format('it has a security label of %s', l.provider) FROM pg_seclabel l WHERE l.classoid = 'pg_class'::regclass AND l.objoid = $1
UNION ALL
SELECT format('it belongs to extension %s', e.extname)
FROM pg_depend d JOIN pg_extension e ON e.oid = d.refobjid
WHERE d.classid = 'pg_class'::regclass AND d.objid = $1 AND d.refclassid = 'pg_extension'::regclass
$$;
COMMENT ON FUNCTION vmnet_internal.partition_cannot(regclass) IS
'Part of partition_history(): objects and properties that a partitioned table cannot have, one row each';

-- Returns the objects that refer to the old table or to its row type, and are not a
-- part of it: they would still refer to the old table afterwards.
CREATE FUNCTION vmnet_internal.partition_left(old regclass)
RETURNS TABLE (what text)
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
SELECT DISTINCT coalesce(v.what || ' reads it', pg_describe_object(d.classid, d.objid, 0) || ' refers to it')
FROM pg_class c
	JOIN pg_depend d ON d.refclassid = 'pg_class'::regclass AND d.refobjid = c.oid
		OR d.refclassid = 'pg_type'::regclass AND d.refobjid IN (SELECT t.oid FROM pg_type t WHERE c.reltype IN (t.oid, t.typelem))
	LEFT JOIN LATERAL (
		SELECT pg_describe_object('pg_class'::regclass, e.oid, 0) AS what, e.oid
		FROM pg_class e WHERE e.oid = (SELECT r.ev_class FROM pg_rewrite r WHERE d.classid = 'pg_rewrite'::regclass AND r.oid = d.objid)
			OR d.classid = 'pg_class'::regclass AND e.oid = d.objid AND e.relkind IN ('v', 'm')) v ON true
WHERE c.oid = $1 AND d.deptype IN ('n', 'a')
	AND NOT CASE d.classid
		WHEN 'pg_class'::regclass THEN d.objid = $1 OR EXISTS (SELECT FROM pg_index i WHERE i.indexrelid = d.objid AND i.indrelid = $1)
			-- returned by partition_cannot()
			OR EXISTS (SELECT FROM pg_inherits i WHERE i.inhrelid = d.objid AND i.inhparent = $1)
		WHEN 'pg_rewrite'::regclass THEN v.oid = $1
		WHEN 'pg_constraint'::regclass THEN EXISTS (SELECT FROM pg_constraint k WHERE k.oid = d.objid AND k.conrelid = $1)
		WHEN 'pg_trigger'::regclass THEN EXISTS (SELECT FROM pg_trigger t WHERE t.oid = d.objid AND t.tgrelid = $1)
		WHEN 'pg_policy'::regclass THEN EXISTS (SELECT FROM pg_policy p WHERE p.oid = d.objid AND p.polrelid = $1)
		WHEN 'pg_attrdef'::regclass THEN EXISTS (SELECT FROM pg_attrdef a WHERE a.oid = d.objid AND a.adrelid = $1)
		WHEN 'pg_statistic_ext'::regclass THEN EXISTS (SELECT FROM pg_statistic_ext t WHERE t.oid = d.objid AND t.stxrelid = $1)
		WHEN 'pg_publication_rel'::regclass THEN EXISTS (SELECT FROM pg_publication_rel p WHERE p.oid = d.objid AND p.prrelid = $1)
		ELSE false END
$$;
COMMENT ON FUNCTION vmnet_internal.partition_left(regclass) IS
'Part of partition_history(): objects that refer to the old table and are not a part of it, one row each';

-- Whether the query of a view names a relation.
CREATE FUNCTION vmnet_internal.reads_relation(view regclass, relation regclass)
RETURNS boolean
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
SELECT EXISTS (SELECT FROM pg_rewrite r
		JOIN pg_depend d ON d.classid = 'pg_rewrite'::regclass AND d.objid = r.oid
			AND d.refclassid = 'pg_class'::regclass AND d.refobjid = $2
	WHERE r.ev_class = $1)
$$;
COMMENT ON FUNCTION vmnet_internal.reads_relation(regclass, regclass) IS
'Part of partition_history(): whether the query of a view names a relation';

-- Grants exactly the rights on a table that exist on another one; revokes those of
-- default privileges.
CREATE FUNCTION vmnet_internal.partition_grants(old regclass, new regclass)
RETURNS void
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	part record;
BEGIN
	FOR part IN
		SELECT DISTINCT CASE a.grantee WHEN 0 THEN 'PUBLIC' ELSE quote_ident(pg_get_userbyid(a.grantee)) END AS grantee
		FROM pg_class o JOIN pg_class n ON n.oid = new CROSS JOIN LATERAL aclexplode(n.relacl) a
		WHERE o.oid = old
		UNION
		SELECT quote_ident(pg_get_userbyid(o.relowner)) FROM pg_class o WHERE o.oid = old AND o.relacl IS NOT NULL
	LOOP
		EXECUTE format('REVOKE ALL ON %s FROM %s', new, part.grantee);
	END LOOP;
	FOR part IN
		SELECT a.privilege_type, NULL AS attname, a.is_grantable, a.grantee
		FROM pg_class c CROSS JOIN LATERAL aclexplode(coalesce(c.relacl, acldefault('r', c.relowner))) a WHERE c.oid = old
		UNION ALL
		SELECT a.privilege_type, format(' (%I)', t.attname), a.is_grantable, a.grantee
		FROM pg_attribute t CROSS JOIN LATERAL aclexplode(t.attacl) a WHERE t.attrelid = old AND NOT t.attisdropped
	LOOP
		EXECUTE format('GRANT %s%s ON %s TO %s%s', part.privilege_type, part.attname, new,
			CASE part.grantee WHEN 0 THEN 'PUBLIC' ELSE quote_ident(pg_get_userbyid(part.grantee)) END,
			CASE WHEN part.is_grantable AND part.grantee <> (SELECT c.relowner FROM pg_class c WHERE c.oid = old)
				THEN ' WITH GRANT OPTION' ELSE '' END);
	END LOOP;
END
$$;
COMMENT ON FUNCTION vmnet_internal.partition_grants(regclass, regclass) IS
'Part of partition_history(): grants the rights on another table, and on its columns';

-- Renames the old table, its indexes and its statistics, whose names the new table
-- needs.
CREATE FUNCTION vmnet_internal.partition_rename(old regclass)
RETURNS void
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	part record;
	other text;
BEGIN
	FOR part IN
		SELECT 'INDEX' AS kind, c.oid, c.relname AS name, c.relnamespace AS namespace
		FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid WHERE i.indrelid = old
		UNION ALL
		SELECT 'STATISTICS', t.oid, t.stxname, t.stxnamespace FROM pg_statistic_ext t WHERE t.stxrelid = old
	LOOP
		other := part.name || '_unpartitioned';
		IF octet_length(other) > 63
			OR EXISTS (SELECT FROM pg_class c WHERE c.relnamespace = part.namespace AND c.relname = other)
			OR EXISTS (SELECT FROM pg_statistic_ext t WHERE t.stxnamespace = part.namespace AND t.stxname = other) THEN
			other := format('unpartitioned_%s', part.oid);
		END IF;
		EXECUTE format('ALTER %s %s.%I RENAME TO %I', part.kind, part.namespace::regnamespace, part.name, other);
	END LOOP;
	EXECUTE format('ALTER TABLE %s RENAME TO %I', old, (SELECT c.relname || '_unpartitioned' FROM pg_class c WHERE c.oid = old));
END
$$;
COMMENT ON FUNCTION vmnet_internal.partition_rename(regclass) IS
'Part of partition_history(): renames the old table, its indexes and its statistics';

-- Creates the objects of users on the new table; returns those that failed, with the
-- error.  Errors of other classes are raised again.
CREATE FUNCTION vmnet_internal.partition_carry(parts jsonb)
RETURNS text[]
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	problems text[] := '{}';
	part record;
BEGIN
	FOR part IN SELECT p.what, p.ddl FROM jsonb_to_recordset(parts) p (ord int, what text, ddl text) ORDER BY p.ord, p.what LOOP
		BEGIN
			EXECUTE part.ddl;
		EXCEPTION WHEN OTHERS THEN
			IF SQLSTATE !~ '^(0A|22|23|2B|42)' THEN
				RAISE;
			END IF;
			problems := problems || format('%s: %s', part.what, SQLERRM);
		END;
	END LOOP;
	RETURN problems;
END
$$;
COMMENT ON FUNCTION vmnet_internal.partition_carry(jsonb) IS
'Part of partition_history(): creates the objects of users on the new table, and returns those that failed';

CREATE FUNCTION vmnet_internal.partition_refuse(schema text, history text, problems text[])
RETURNS void
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	IF problems <> '{}' THEN
		RAISE EXCEPTION USING
			ERRCODE = 'feature_not_supported', SCHEMA = schema, TABLE = history, CONSTRAINT = 'history_partitioned_whole',
			MESSAGE = format('cannot partition the history of inventory "%s": some of the objects that depend on it cannot be kept',
				schema),
			DETAIL = format('Of table %I.%I: %s.', schema, history, array_to_string(problems, '; ')),
			HINT = 'Drop or undo what is listed, partition the history, and create it again on the partitioned table or its partitions.';
	END IF;
END
$$;
COMMENT ON FUNCTION vmnet_internal.partition_refuse(text, text, text[]) IS
'Part of partition_history(): raises an error that lists the objects that cannot be kept';

-- Raises an error if the history of an inventory cannot be partitioned now.
CREATE FUNCTION vmnet_internal.partition_check(schema text, kind text, history text, old regclass)
RETURNS void
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	IF history IS NULL OR history NOT IN ('nic_history', 'sighting_history') THEN
		RAISE EXCEPTION USING
			ERRCODE = 'invalid_parameter_value',
			MESSAGE = format('unknown table of history: %s', coalesce('"' || history || '"', 'NULL')),
			DETAIL = 'There are: nic_history (what happened to NICs), sighting_history (what was observed).',
			HINT = format('SELECT vmnet.partition_history(%L);', schema);
	END IF;
	IF history = 'sighting_history' AND NOT (vmnet_internal.has_reality(schema) AND old IS NOT NULL) THEN
		RAISE EXCEPTION USING
			ERRCODE = 'invalid_parameter_value',
			MESSAGE = format('inventory "%s" takes no observations', schema),
			DETAIL = 'It has no table of what was observed.',
			HINT = format('SELECT vmnet.enable_reality(%L);', schema);
	END IF;
	IF kind = 'live' AND history = 'nic_history' THEN
		RAISE EXCEPTION USING
			ERRCODE = 'invalid_parameter_value',
			MESSAGE = format('inventory "%s" keeps no history', schema),
			DETAIL = 'It is a live inventory: it shows the present rows of another system.',
			HINT = 'A mirror keeps a history from its first import on; see vmnet.import_cloudstack().';
	END IF;
	IF (SELECT c.relkind = 'p' FROM pg_class c WHERE c.oid = old) THEN
		RAISE EXCEPTION USING
			ERRCODE = 'invalid_parameter_value',
			MESSAGE = format('the history of inventory "%s" is partitioned already', schema),
			DETAIL = format('%s is a partitioned table.', old),
			HINT = 'Make partitions with CREATE TABLE ... PARTITION OF, or with pg_partman.';
	END IF;

	-- a snapshot from before the lock would not contain rows that others add until then
	IF current_setting('transaction_isolation') NOT IN ('read committed', 'read uncommitted') THEN
		RAISE EXCEPTION USING
			ERRCODE = 'feature_not_supported',
			MESSAGE = 'partition_history() needs isolation level READ COMMITTED',
			DETAIL = format('The transaction is %s.', upper(current_setting('transaction_isolation'))),
			HINT = 'BEGIN ISOLATION LEVEL READ COMMITTED; then call it, and make the partitions.';
	END IF;
END
$$;
COMMENT ON FUNCTION vmnet_internal.partition_check(text, text, text, regclass) IS
'Part of partition_history(): refuses an inventory whose history cannot be partitioned, or another isolation level';

CREATE FUNCTION vmnet_internal.partition_history(inventory name, history text)
RETURNS regclass
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	schema text := vmnet_internal.resolve_inventory(inventory);
	info record;
	old regclass := CASE history WHEN 'nic_history' THEN format('%I.nic_history', schema)::regclass
		ELSE to_regclass(format('%I.%I', schema, history)) END;
	-- history of a former mirror may have the networks that NICs moved from
	tells_moves boolean := to_regclass(format('%I.nic_history_move_idx', schema)) IS NOT NULL;
	-- whose definition has the table, which writers are kept out, what it is partitioned by
	defined text;
	locked text := CASE history WHEN 'nic_history' THEN 'all_nics' ELSE 'sightings' END;
	key text := CASE history WHEN 'nic_history' THEN 'at' ELSE 'gone_since' END;
	own text[];
	parts jsonb;
	problems text[];
	part record;
BEGIN
	SELECT l.* INTO info FROM vmnet_internal.inventory_facts(schema) l;
	PERFORM vmnet_internal.partition_check(schema, info.kind, history, old);
	defined := CASE WHEN history <> 'nic_history' THEN 'reality' WHEN tells_moves THEN 'mirror' ELSE info.kind END;
	EXECUTE format('LOCK TABLE %I.%I IN SHARE ROW EXCLUSIVE MODE', schema, locked);
	EXECUTE format('LOCK TABLE %s IN ACCESS EXCLUSIVE MODE', old);
	own := ARRAY(SELECT o.name FROM unnest('{mirror,reality}'::text[]) k, vmnet_internal.inventory_objects(k, '{keys,triggers}') o
		WHERE o.relation = history);
	parts := (SELECT coalesce(jsonb_agg(to_jsonb(p)), '[]') FROM vmnet_internal.partition_parts(old, own) p);
	problems := ARRAY(SELECT c.what FROM vmnet_internal.partition_cannot(old) c ORDER BY c.what);
	PERFORM vmnet_internal.partition_rename(old);
	EXECUTE format('CREATE TABLE %I.%I (LIKE %s INCLUDING DEFAULTS INCLUDING GENERATED INCLUDING STORAGE INCLUDING COMPRESSION '
		'INCLUDING COMMENTS) PARTITION BY RANGE (%I)', schema, history, old, key);
	EXECUTE format('COMMENT ON TABLE %I.%I IS %L', schema, history, obj_description(old, 'pg_class'));
	FOR part IN
		SELECT d.objid::regclass AS sequence, a.attname
		FROM pg_depend d JOIN pg_class q ON q.oid = d.objid AND q.relkind = 'S'
			JOIN pg_attribute a ON a.attrelid = d.refobjid AND a.attnum = d.refobjsubid
		WHERE d.classid = 'pg_class'::regclass AND d.refclassid = 'pg_class'::regclass AND d.refobjid = old AND d.deptype = 'a'
	LOOP
		EXECUTE format('ALTER SEQUENCE %s OWNED BY %I.%I.%I', part.sequence, schema, history, part.attname);
	END LOOP;

	FOR part IN
		SELECT d.ddl, d.object, d.comment
		FROM vmnet_internal.inventory_definition(defined, or_replace => true) d
		WHERE d.relation = history AND d.phase IN ('keys', 'triggers')
			OR d.phase = 'views' AND vmnet_internal.reads_relation(to_regclass(format('%I.%I', schema, d.name)), old)
		ORDER BY d.ord
	LOOP
		PERFORM vmnet_internal.build_object(part.ddl, part.object, part.comment, schema, info.kind, info.source, info.mode, info.version);
	END LOOP;

	PERFORM vmnet_internal.renew_reports(schema);
	PERFORM vmnet_internal.partition_grants(old, format('%I.%I', schema, history)::regclass);
	PERFORM vmnet_internal.partition_refuse(schema, history, problems || vmnet_internal.partition_carry(parts)
		-- with the name of the table before the call
		|| ARRAY(SELECT replace(l.what, history || '_unpartitioned', history) FROM vmnet_internal.partition_left(old) l ORDER BY 1));
	RETURN old;
END
$$;
COMMENT ON FUNCTION vmnet_internal.partition_history(name, text) IS
'Body of vmnet.partition_history(), which switches to the owner of the inventory';

CREATE FUNCTION vmnet.partition_history(inventory name, history text DEFAULT 'nic_history')
RETURNS regclass
AS 'MODULE_PATHNAME', 'inventory_entry'
LANGUAGE C COST 100;
COMMENT ON FUNCTION vmnet.partition_history(name, text) IS
'Makes nic_history of an inventory a table partitioned by "at", without partitions; returns the old table
Create partitions in the same transaction, by hand or with pg_partman: without one for the present time no NIC can change its state. '
'history sighting_history: the table of what was observed, by gone_since; without a partition no picture that ends something can be '
'taken. The rows are in nic_history_unpartitioned (sighting_history_unpartitioned), '
'from where partition_data_proc() of pg_partman moves them; drop it afterwards. Views of the '
'inventory and of its reporting schemas read the new table. Objects of users on the table are created again on the new one: grants, '
'row-level security and policies, indexes, constraints, triggers, rules, statistics, settings of columns, comments.
It is refused if that is not possible: for views and functions of users that refer to the table and foreign keys to it, a unique index '
'without the column at, storage parameters, a replica identity, membership in a publication. The error lists all of them.
Only the owner of the inventory can run it, at READ COMMITTED (else 0A000). Errors: 22023 for an unknown inventory, a live one, or one '
'whose history is partitioned already; 0A000 with constraint history_partitioned_whole for objects that cannot be kept; 42501 with '
'constraint report_owner if a report belongs to another role.';
