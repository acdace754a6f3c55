-- partition_history(): what users have put on nic_history is on the partitioned
-- table too, and what cannot be there is refused by name, with nothing changed.
\i test/tap/setup.psql
\i test/tap/outcome.psql
SELECT plan(48);
SET LOCAL client_min_messages = error;
CREATE ROLE regress_part_reader;
CREATE ROLE regress_part_other;
CREATE ROLE "regress part ""odd""";

-- All there is on a table, as texts that do not depend on OIDs.
CREATE FUNCTION pg_temp.all_on(rel regclass) RETURNS TABLE (what text) LANGUAGE sql AS $$
WITH c AS (SELECT * FROM pg_class WHERE oid = rel)
SELECT format('rls %s %s %s', relrowsecurity, relforcerowsecurity, (SELECT spcname FROM pg_tablespace WHERE oid = reltablespace)) FROM c
UNION ALL SELECT concat_ws(' ', 'policy', p.polname, p.polpermissive, p.polcmd,
	(SELECT string_agg(CASE r WHEN 0 THEN 'PUBLIC' ELSE r::regrole::text END, ',' ORDER BY r) FROM unnest(p.polroles) r),
	pg_get_expr(p.polqual, rel), '/', pg_get_expr(p.polwithcheck, rel), obj_description(p.oid, 'pg_policy')) FROM pg_policy p WHERE polrelid = rel
UNION ALL SELECT concat_ws(' ', replace(pg_get_indexdef(indexrelid), ' ON ONLY ', ' ON '), obj_description(indexrelid, 'pg_class')) FROM pg_index WHERE indrelid = rel
UNION ALL SELECT concat_ws(' ', conname, replace(pg_get_constraintdef(oid), ' NOT VALID', ''), obj_description(oid, 'pg_constraint')) FROM pg_constraint WHERE conrelid = rel
UNION ALL SELECT concat_ws(' ', pg_get_triggerdef(oid), tgenabled, obj_description(oid, 'pg_trigger')) FROM pg_trigger WHERE tgrelid = rel AND NOT tgisinternal
UNION ALL SELECT concat_ws(' ', pg_get_ruledef(oid), ev_enabled, obj_description(oid, 'pg_rewrite')) FROM pg_rewrite WHERE ev_class = rel
UNION ALL SELECT concat_ws(' ', pg_get_statisticsobjdef(oid), CASE WHEN stxstattarget >= 0 THEN stxstattarget END, obj_description(oid, 'pg_statistic_ext')) FROM pg_statistic_ext WHERE stxrelid = rel
UNION ALL SELECT concat_ws(' ', 'column', a.attname, format_type(a.atttypid, a.atttypmod), a.attnotnull, a.attgenerated, a.attstorage, a.attcompression, a.attcollation::regcollation,
	CASE WHEN a.attstattarget >= 0 THEN a.attstattarget END, (SELECT string_agg(o, ',') FROM unnest(a.attoptions) o WHERE o ~ '^n_'), pg_get_expr(d.adbin, rel), col_description(rel, a.attnum), pg_get_serial_sequence(rel::text, a.attname))
	FROM pg_attribute a LEFT JOIN pg_attrdef d ON d.adrelid = rel AND d.adnum = a.attnum WHERE a.attrelid = rel AND a.attnum > 0 AND NOT a.attisdropped
UNION ALL SELECT concat_ws(' ', 'grant', a.privilege_type, CASE a.grantee WHEN 0 THEN 'PUBLIC' ELSE a.grantee::regrole::text END,
	a.is_grantable AND a.grantee <> c.relowner) FROM c, aclexplode(coalesce(c.relacl, acldefault('r', c.relowner))) a
UNION ALL SELECT concat_ws(' ', 'grant', t.attname, a.privilege_type, a.grantee::regrole, a.is_grantable) FROM pg_attribute t, aclexplode(t.attacl) a WHERE t.attrelid = rel
UNION ALL SELECT concat_ws(' ', 'comment', obj_description(rel, 'pg_class'))
$$;

-- A plain one has what it had.
SELECT vmnet.create_inventory('plain'), vmnet.create_inventory('plain mirror', 'mirror') \g /dev/null
CREATE TEMP TABLE before AS SELECT 'plain' AS inventory, a.what FROM pg_temp.all_on('plain.nic_history') a
	UNION ALL SELECT 'plain mirror', a.what FROM pg_temp.all_on('"plain mirror".nic_history') a;
SELECT vmnet.partition_history('plain'), vmnet.partition_history('plain mirror') \g /dev/null
SELECT bag_eq(format('SELECT what FROM pg_temp.all_on(%L)', format('%I.nic_history', i)), format('SELECT what FROM before WHERE inventory = %L', i), i || ': what was on the table is on the new one')
FROM unnest(ARRAY['plain', 'plain mirror']) i;

-- So has one that users have put on it what there is.
CREATE FUNCTION keep_reason() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN NEW; END $$;
CREATE COLLATION "odd c" (provider = libc, locale = 'C');
ALTER TABLE cloud.nic_history
	ADD ticket text COLLATE "odd c" DEFAULT 'none' NOT NULL, ADD "It's" int GENERATED ALWAYS AS (length(reason)) STORED, ADD number serial, ADD gone int;
ALTER TABLE cloud.nic_history DROP gone;
ALTER TABLE cloud.nic_history ALTER ticket SET STATISTICS 500, ALTER nic_id SET (n_distinct = -0.25), ALTER reason SET STORAGE EXTERNAL;
COMMENT ON COLUMN cloud.nic_history.ticket IS 'where it was asked for';
COMMENT ON TABLE cloud.nic_history IS 'it''s ours';
ALTER TABLE cloud.nic_history ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY all_of_it ON cloud.nic_history USING (network_id < 10) WITH CHECK (actor = current_user);
CREATE POLICY "odd ""one""" ON cloud.nic_history AS RESTRICTIVE FOR SELECT TO regress_part_reader, "regress part ""odd""" USING (session_username <> 'it''s');
CREATE POLICY adds ON cloud.nic_history FOR INSERT WITH CHECK (true);
CREATE POLICY changes ON cloud.nic_history FOR UPDATE TO PUBLIC USING (EXISTS (SELECT FROM cloud.nic_history h WHERE h.seq = nic_history.seq - 1)) WITH CHECK (false);
CREATE POLICY goes ON cloud.nic_history FOR DELETE TO CURRENT_USER USING (instance_id IN (SELECT i.id FROM cloud.all_instances i WHERE i.account_id = nic_history.nic_id));
COMMENT ON POLICY goes ON cloud.nic_history IS 'as the auditors asked for';
CREATE INDEX "My index" ON cloud.nic_history USING hash (actor);
CREATE INDEX by_day ON cloud.nic_history ((at AT TIME ZONE 'UTC') DESC, (lower(reason))) INCLUDE (ticket) WITH (fillfactor = 70) WHERE event <> 'Removed';
COMMENT ON INDEX cloud.by_day IS 'for the monthly report';
CREATE INDEX nic_history_ours ON cloud.nic_history (ticket text_pattern_ops);
CREATE UNIQUE INDEX only_once ON cloud.nic_history (nic_id, at);
ALTER TABLE cloud.nic_history ADD CONSTRAINT our_key UNIQUE (transaction_id, at, seq) DEFERRABLE, ADD CONSTRAINT our_check CHECK (ticket <> '') NOT VALID,
	ADD CONSTRAINT our_network FOREIGN KEY (network_id) REFERENCES cloud.all_networks ON DELETE RESTRICT DEFERRABLE INITIALLY DEFERRED,
	ADD CONSTRAINT our_instance FOREIGN KEY (instance_id) REFERENCES cloud.all_instances NOT VALID;
COMMENT ON CONSTRAINT our_check ON cloud.nic_history IS 'no empty ticket';
CREATE TRIGGER before_row BEFORE INSERT ON cloud.nic_history FOR EACH ROW WHEN (NEW.reason = 'it''s') EXECUTE FUNCTION keep_reason('a', 'b''c');
CREATE TRIGGER after_all AFTER UPDATE ON cloud.nic_history REFERENCING OLD TABLE AS o NEW TABLE AS n FOR EACH STATEMENT EXECUTE FUNCTION keep_reason();
CREATE CONSTRAINT TRIGGER at_commit AFTER INSERT ON cloud.nic_history DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION keep_reason();
CREATE TRIGGER after_some AFTER UPDATE OF reason, actor ON cloud.nic_history FOR EACH STATEMENT EXECUTE FUNCTION keep_reason();
ALTER TABLE cloud.nic_history DISABLE TRIGGER before_row, ENABLE ALWAYS TRIGGER after_some;
COMMENT ON TRIGGER before_row ON cloud.nic_history IS 'off since May';
CREATE RULE no_change AS ON UPDATE TO cloud.nic_history WHERE OLD.seq < 0 DO INSTEAD NOTHING;
CREATE RULE watch AS ON DELETE TO cloud.nic_history DO ALSO NOTIFY watch;
ALTER TABLE cloud.nic_history DISABLE RULE watch, ENABLE REPLICA RULE no_change;
COMMENT ON RULE watch ON cloud.nic_history IS 'for whom it may concern';
CREATE STATISTICS cloud.together (dependencies, mcv) ON network_id, instance_id FROM cloud.nic_history;
CREATE STATISTICS public.elsewhere ON (lower(reason)), actor FROM cloud.nic_history;
ALTER STATISTICS cloud.together SET STATISTICS 900;
COMMENT ON STATISTICS cloud.together IS 'they go together';
GRANT SELECT ON cloud.nic_history TO regress_part_reader WITH GRANT OPTION;
GRANT INSERT, TRIGGER ON cloud.nic_history TO PUBLIC;
GRANT SELECT (seq, at), UPDATE (reason) ON cloud.nic_history TO "regress part ""odd""" WITH GRANT OPTION;
REVOKE DELETE, TRUNCATE ON cloud.nic_history FROM CURRENT_USER;
ALTER DEFAULT PRIVILEGES IN SCHEMA cloud GRANT ALL ON TABLES TO regress_part_other, PUBLIC;
TRUNCATE before;
INSERT INTO before SELECT 'cloud', a.what FROM pg_temp.all_on('cloud.nic_history') a;
SELECT is(vmnet.partition_history('cloud')::text, 'cloud.nic_history_unpartitioned', 'a table with all of it is replaced');
SELECT bag_eq($$ SELECT what FROM pg_temp.all_on('cloud.nic_history') $$, 'SELECT what FROM before', 'with all of it on the new one');
SELECT is((SELECT count(*) FROM before), (SELECT count(*) FROM pg_temp.all_on('cloud.nic_history_unpartitioned')), 'and as much on the old one');
SELECT set_eq($$ SELECT polname FROM pg_policy WHERE polrelid = 'cloud.nic_history_unpartitioned'::regclass $$, $$ SELECT polname FROM pg_policy WHERE polrelid = 'cloud.nic_history'::regclass $$, 'the old one keeps its policies');
SELECT ok(relrowsecurity AND relforcerowsecurity, 'which are in force there') FROM pg_class WHERE oid = 'cloud.nic_history_unpartitioned'::regclass;
SELECT matches(pg_get_expr(polqual, polrelid), 'FROM cloud.nic_history h', 'a policy that reads the table itself reads the new one') FROM pg_policy WHERE polname = 'changes' AND polrelid = 'cloud.nic_history'::regclass;
SELECT is_empty($$ SELECT code, message FROM vmnet.check_inventory('cloud') $$, 'the inventory is as guarded as before');
CREATE TABLE cloud.nic_history_now PARTITION OF cloud.nic_history DEFAULT;
INSERT INTO cloud.networks (name) VALUES ('n');
INSERT INTO cloud.instances (name) VALUES ('i');
INSERT INTO cloud.nics (instance_id, network_id) SELECT i.id, w.id FROM cloud.instances i, cloud.networks w;
UPDATE cloud.nics SET state = 'Reserving';
SELECT results_eq('SELECT to_state, ticket, number FROM cloud.nic_history_now', $$ VALUES ('Reserving'::text, 'none'::text COLLATE "odd c", 1) $$, 'and goes on with its history');
DROP TABLE cloud.nic_history_unpartitioned;
UPDATE cloud.nics SET state = 'Reserved';
SELECT is((SELECT count(*) FROM cloud.nic_history), 2::bigint, 'without the old one, too');

-- A name that is too long, or taken
SELECT vmnet.create_inventory('names') \g /dev/null
SELECT format('CREATE INDEX %I ON names.nic_history (actor); CREATE INDEX short ON names.nic_history (reason); CREATE TABLE names.short_unpartitioned ()', repeat('ä', 31)) \gexec
SELECT lives_ok($$ SELECT vmnet.partition_history('names') $$, 'names that are too long or taken are no obstacle');
SELECT set_has($$ SELECT relname::text FROM pg_class WHERE relnamespace = 'names'::regnamespace AND relkind = 'I' $$, $$ SELECT unnest(ARRAY['short', repeat('ä', 31)]) $$, 'the new ones have the names');

-- What cannot be kept, one by one.
SELECT vmnet.create_inventory('shop') \g /dev/null
CREATE FUNCTION pg_temp.refusal(setup text, inventory text DEFAULT 'shop') RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	result text;
	whole text;
	before text;
BEGIN
	EXECUTE setup;
	before := (SELECT string_agg(a.what, E'\n' ORDER BY a.what) FROM pg_temp.all_on('shop.nic_history') a);
	BEGIN
		PERFORM vmnet.partition_history(inventory);
		result := 'accepted';
	EXCEPTION WHEN OTHERS THEN
		GET STACKED DIAGNOSTICS result = PG_EXCEPTION_DETAIL, whole = CONSTRAINT_NAME;
		result := concat_ws(' ', SQLSTATE, nullif(whole, ''), nullif(result, ''));
	END;
	IF before IS DISTINCT FROM (SELECT string_agg(a.what, E'\n' ORDER BY a.what) FROM pg_temp.all_on('shop.nic_history') a) THEN
		result := result || ' (and the table changed)';
	END IF;
	RAISE EXCEPTION USING ERRCODE = 'UNDO1';
EXCEPTION WHEN SQLSTATE 'UNDO1' THEN
	RETURN result;
END
$$;
CREATE TABLE public.elsewhere (id int);
CREATE FUNCTION pg_temp.refused(setup text, problem text) RETURNS text LANGUAGE sql AS $$
SELECT is(pg_temp.refusal(setup), '0A000 history_partitioned_whole Of table shop.nic_history: ' || problem || '.', setup)
$$;
SELECT is(pg_temp.refusal(''), 'accepted', 'without any of these it is done');
SELECT pg_temp.refused('CREATE UNIQUE INDEX one ON shop.nic_history (seq)', 'index one: unique constraint on partitioned table must include all partitioning columns');
SELECT pg_temp.refused('ALTER TABLE shop.nic_history ADD CONSTRAINT one UNIQUE (seq)', 'constraint one: unique constraint on partitioned table must include all partitioning columns');
SELECT matches(pg_temp.refusal('ALTER TABLE shop.nic_history ADD CONSTRAINT apart EXCLUDE (seq WITH =)'), '^0A000 history_partitioned_whole Of table shop\.nic_history: constraint apart: ', 'an exclusion constraint');
SELECT pg_temp.refused('ALTER TABLE shop.nic_history ADD CONSTRAINT here CHECK (seq > 0) NO INHERIT', 'constraint here: cannot add NO INHERIT constraint to partitioned table "nic_history"');
SELECT matches(pg_temp.refusal('CREATE TRIGGER rows AFTER INSERT ON shop.nic_history REFERENCING NEW TABLE AS n FOR EACH ROW EXECUTE FUNCTION keep_reason()'), '^0A000 history_partitioned_whole Of table shop\.nic_history: trigger rows: ', 'a row trigger with a transition table');
SELECT pg_temp.refused('CREATE VIEW shop.mine AS SELECT count(*) FROM shop.nic_history', 'view shop.mine reads it');
SELECT pg_temp.refused('CREATE VIEW public.mine AS SELECT h FROM shop.nic_history h; ALTER VIEW public.mine OWNER TO regress_part_other', 'view public.mine reads it');
SELECT pg_temp.refused('CREATE VIEW shop.mine AS SELECT NULL::shop.nic_history AS entry', 'view shop.mine reads it');
SELECT pg_temp.refused('CREATE MATERIALIZED VIEW shop.mine AS TABLE shop.nic_history', 'materialized view shop.mine reads it');
SELECT pg_temp.refused('CREATE FUNCTION shop.entries() RETURNS bigint BEGIN ATOMIC SELECT count(*) FROM shop.nic_history; END', 'function shop.entries() refers to it');
SELECT pg_temp.refused('CREATE FUNCTION shop.entry(shop.nic_history) RETURNS text LANGUAGE sql AS $f$ SELECT $1.event $f$', 'function shop.entry(shop.nic_history) refers to it');
SELECT pg_temp.refused('CREATE FUNCTION shop.entries(shop.nic_history[]) RETURNS int LANGUAGE sql AS $f$ SELECT 1 $f$', 'function shop.entries(shop.nic_history[]) refers to it');
SELECT matches(pg_temp.refusal('CREATE TABLE shop.kept (entry shop.nic_history)'), '^0A000 history_partitioned_whole .*table shop\.kept', 'a column of its type');
SELECT pg_temp.refused('CREATE TABLE shop.notes (seq bigint, at timestamptz, FOREIGN KEY (seq, at) REFERENCES shop.nic_history)', 'constraint notes_seq_at_fkey on table shop.notes refers to it');
SELECT pg_temp.refused('CREATE POLICY seen ON shop.all_nics USING (EXISTS (SELECT FROM shop.nic_history h WHERE h.nic_id = all_nics.id))', 'policy seen on table shop.all_nics refers to it');
SELECT pg_temp.refused('CREATE RULE also AS ON INSERT TO public.elsewhere DO ALSO DELETE FROM shop.nic_history WHERE seq = NEW.id', 'table public.elsewhere reads it');
SELECT pg_temp.refused('CREATE TABLE shop.child () INHERITS (shop.nic_history)', 'shop.child inherits from it');
SELECT pg_temp.refused('CREATE TABLE shop.parent (seq bigint NOT NULL); ALTER TABLE shop.nic_history INHERIT shop.parent', 'it inherits from shop.parent');
SELECT pg_temp.refused('ALTER TABLE shop.nic_history SET (autovacuum_enabled = off, fillfactor = 90, toast.autovacuum_enabled = off)', 'storage parameter autovacuum_enabled=off; storage parameter fillfactor=90; storage parameter toast.autovacuum_enabled=off');
SELECT pg_temp.refused('ALTER TABLE shop.nic_history SET UNLOGGED', 'it is unlogged');
SELECT pg_temp.refused('ALTER TABLE shop.nic_history REPLICA IDENTITY FULL', 'it has replica identity FULL');
SELECT pg_temp.refused('ALTER TABLE shop.nic_history REPLICA IDENTITY USING INDEX nic_history_pkey', 'it has replica identity USING INDEX');
SELECT pg_temp.refused('CREATE PUBLICATION p FOR TABLE shop.nic_history (seq, at, nic_id), shop.all_nics', 'it is a member of publication p');
SELECT pg_temp.refused('CREATE PUBLICATION p FOR TABLE shop.nic_history WHERE (network_id = 1) WITH (publish_via_partition_root, publish = ''insert'')', 'it is a member of publication p');
SELECT pg_temp.refused('ALTER TABLE shop.nic_history ADD number int GENERATED ALWAYS AS IDENTITY', 'column number is an identity column');
SELECT pg_temp.refused('ALTER TABLE shop.nic_history CLUSTER ON nic_history_nic_idx', 'it is clustered by index shop.nic_history_nic_idx');
SELECT pg_temp.refused('CREATE INDEX expr ON shop.nic_history ((seq + 1)); ALTER INDEX shop.expr ALTER 1 SET STATISTICS 7', 'index shop.expr has settings for its columns');
SELECT pg_temp.refused('CREATE INDEX half ON shop.nic_history (actor); UPDATE pg_index SET indisvalid = false WHERE indexrelid = ''shop.half''::regclass', 'index shop.half is not valid');
SELECT pg_temp.refused('ALTER EXTENSION pgtap ADD TABLE shop.nic_history', 'it belongs to extension pgtap');
-- all that can be known at once, at once
SELECT pg_temp.refused('CREATE VIEW shop.mine AS TABLE shop.nic_history; CREATE VIEW shop.yours AS TABLE shop.nic_history; CREATE UNIQUE INDEX one ON shop.nic_history (nic_id, seq)',
	'index one: unique constraint on partitioned table must include all partitioning columns; view shop.mine reads it; view shop.yours reads it');

-- What does not refer to the table itself follows by itself.
SELECT is(pg_temp.refusal('CREATE VIEW public.mine AS SELECT * FROM shop.nic_intervals; CREATE FUNCTION shop.entries() RETURNS bigint LANGUAGE sql AS $f$ SELECT count(*) FROM shop.nic_history $f$;
	CREATE PUBLICATION p FOR TABLES IN SCHEMA shop'), 'accepted', 'views of views, functions in texts and publications of schemas are not in the way');
-- and errors that say nothing about what is on the table are not taken for such
SELECT is(pg_temp.refusal($s$ CREATE FUNCTION fails() RETURNS event_trigger LANGUAGE plpgsql AS $f$ BEGIN RAISE SQLSTATE '40001'; END $f$;
	CREATE EVENT TRIGGER fails ON ddl_command_end WHEN TAG IN ('CREATE POLICY') EXECUTE FUNCTION fails(); ALTER EVENT TRIGGER fails DISABLE; CREATE POLICY p ON shop.nic_history; ALTER EVENT TRIGGER fails ENABLE $s$), '40001', 'a serialization failure is thrown on');
SELECT is((SELECT relkind FROM pg_class WHERE oid = 'shop.nic_history'::regclass), 'r', 'nothing was changed by any of them');
SELECT ok(to_regclass('shop.nic_history_unpartitioned') IS NULL, 'nothing half done is left');

SELECT * FROM finish();
ROLLBACK;
