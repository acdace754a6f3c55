-- The key by which NICs of attached tables refer to a network: of any type, in
-- any collation, with or without an index that finds it.
\i test/tap/setup.psql
\i test/tap/outcome.psql
SELECT plan(67);
SET LOCAL client_min_messages = error;
CREATE SCHEMA k;
CREATE COLLATION k.ci (provider = icu, locale = 'und-u-ks-level2', deterministic = false);
CREATE DOMAIN k.code AS text COLLATE "en-x-icu";

-- A table of 40 networks whose names are pairs that differ in case only, the
-- even ones removed; and what is wrong of: NICs on each network that is there,
-- none on those that are removed and on what was never one, and how it was
-- found, by an index or by reading the whole table.
CREATE FUNCTION pg_temp.keys(key_type text, nic_type text, ddl text DEFAULT '', pairs boolean DEFAULT true) RETURNS text
LANGUAGE plpgsql AS $$
DECLARE
	r record;
	wrong int := 0;
	i int := 0;
	scans bigint;
BEGIN
	EXECUTE format('CREATE TABLE k.nets (id bigint, code %s NOT NULL, removed timestamptz, CONSTRAINT plain UNIQUE (code))', key_type);
	EXECUTE format('CREATE TABLE k.ports (id bigint PRIMARY KEY, net %s, instance_id bigint, removed timestamptz)', nic_type);
	EXECUTE 'INSERT INTO k.nets SELECT g, ' || CASE WHEN key_type ~ '^(text|varchar|char|k.code)' AND pairs THEN $q$CASE WHEN g % 4 < 2 THEN 'net' ELSE 'NET' END || g / 4 * 4 + g % 2$q$
		WHEN key_type ~ '^(text|varchar|char|k.code)' THEN $q$'Net' || g$q$ ELSE 'g' END || $q$, CASE WHEN g % 2 = 0 THEN now() END FROM generate_series(1, 40) g$q$;
	PERFORM vmnet.attach_inventory('keys', 'k.ports', 'k.nets', NULL, '{"nics": {"network_id": "net"}, "networks": {"key": "code"}}', 'enforce');
	-- the index that it was attached with gives way to another
	IF ddl <> '' THEN
		ALTER TABLE k.nets DROP CONSTRAINT plain;
		EXECUTE ddl;
	END IF;
	SELECT s.seq_scan INTO scans FROM pg_stat_xact_user_tables s WHERE s.relid = 'k.nets'::regclass;
	FOR r IN SELECT code::text AS code, n.removed IS NULL AS live FROM k.nets n LOOP
		i := i + 1;
		IF (pg_temp.outcome(format('INSERT INTO k.ports VALUES (%s, %L, 1)', i, r.code)) = 'accepted') <> r.live THEN
			wrong := wrong + 1;
		END IF;
	END LOOP;
	IF pg_temp.outcome('INSERT INTO k.ports VALUES (100, ''4711'', 1)') <> '23503 nic_parent_active' THEN
		wrong := wrong + 1;
	END IF;
	SELECT s.seq_scan - scans INTO scans FROM pg_stat_xact_user_tables s WHERE s.relid = 'k.nets'::regclass;
	-- and back: no network with NICs is removed
	wrong := wrong + (SELECT count(*) FROM k.nets n WHERE n.removed IS NULL
		AND pg_temp.trial(format('UPDATE k.nets SET removed = now() WHERE id = %s', n.id)) <> '23503 network_in_use');
	PERFORM count(*) FROM keys.network_instances;
	PERFORM vmnet.detach_inventory('keys');
	DROP TABLE k.nets, k.ports;
	RETURN format('%s wrong, by %s', wrong, CASE WHEN scans > 1 THEN 'reading all' ELSE 'an index' END);
END
$$;

-- types and collations of both columns
SELECT is(pg_temp.keys(c.key, c.nic), '0 wrong, by an index', format('%s refers to %s', c.nic, c.key))
FROM (VALUES
	('bigint', 'bigint'), ('bigint', 'int'), ('bigint', 'smallint'), ('int', 'bigint'), ('smallint', 'bigint'),
	('text', 'text'), ('text', 'varchar'), ('text', 'char(10)'), ('varchar(20)', 'text'), ('char(10)', 'text'), ('char(10)', 'char(20)'), ('char(10)', 'varchar(20)'),
	('text COLLATE "C"', 'text'), ('text', 'text COLLATE "C"'), ('text COLLATE "C"', 'text COLLATE "POSIX"'),
	('text COLLATE "en-x-icu"', 'text COLLATE "en-x-icu"'), ('text COLLATE "en-x-icu"', 'text'), ('text', 'text COLLATE "en-x-icu"'),
	('text COLLATE "en-x-icu"', 'text COLLATE "C"'), ('text COLLATE "C"', 'text COLLATE "en-x-icu"'), ('varchar COLLATE "de-x-icu"', 'varchar COLLATE "en-x-icu"'),
	('k.code', 'text'), ('text', 'k.code'), ('k.code', 'k.code'), ('k.code', 'text COLLATE "C"'),
	('text', 'text COLLATE k.ci'), ('text COLLATE "C"', 'text COLLATE k.ci')) c (key, nic);
-- where case does not count
SELECT is(pg_temp.keys(c.key, c.nic, pairs => false), '0 wrong, by an index', format('%s refers to %s', c.nic, c.key))
FROM (VALUES ('text COLLATE k.ci', 'text COLLATE k.ci'), ('text COLLATE k.ci', 'text'), ('text COLLATE k.ci', 'text COLLATE "C"'), ('varchar COLLATE k.ci', 'text COLLATE "en-x-icu"')) c (key, nic);

-- indexes of all sorts
SELECT is(pg_temp.keys(c.key, split_part(c.key, ' ', 1), i.ddl), '0 wrong, by ' || i.how, format('%s, %s', c.key, i.ddl))
FROM (VALUES ('text'), ('text COLLATE "en-x-icu"'), ('bigint')) c (key),
	(VALUES
		('SELECT', 'reading all'),
		('CREATE UNIQUE INDEX ON k.nets (code DESC NULLS LAST)', 'an index'),
		('CREATE UNIQUE INDEX ON k.nets (code) INCLUDE (id)', 'an index'),
		('ALTER TABLE k.nets ADD UNIQUE (code) DEFERRABLE INITIALLY DEFERRED', 'an index'),
		('CREATE UNIQUE INDEX ON k.nets (code, id)', 'reading all'),
		('CREATE INDEX ON k.nets USING hash (code)', 'reading all'),
		('CREATE UNIQUE INDEX ON k.nets (code) WHERE id < 10', 'reading all'),
		('CREATE UNIQUE INDEX ON k.nets ((code::text || ''x''))', 'reading all')) i (ddl, how);
SELECT is(pg_temp.keys(c.key, 'text', i.ddl, pairs => c.key !~ 'ci'), '0 wrong, by ' || i.how, format('%s, %s', c.key, i.ddl))
FROM (VALUES
	('text', 'CREATE UNIQUE INDEX ON k.nets (code COLLATE "C")', 'an index'),
	('text', 'CREATE UNIQUE INDEX ON k.nets (code text_pattern_ops)', 'an index'),
	('varchar', 'CREATE UNIQUE INDEX ON k.nets (code varchar_pattern_ops)', 'an index'),
	('char(10)', 'CREATE UNIQUE INDEX ON k.nets (code bpchar_pattern_ops)', 'an index'),
	('text COLLATE "C"', 'CREATE UNIQUE INDEX ON k.nets (code COLLATE "en-x-icu")', 'an index'),
	('text COLLATE "en-x-icu"', 'CREATE UNIQUE INDEX ON k.nets (code COLLATE "C")', 'an index'),
	('text COLLATE "en-x-icu"', 'CREATE UNIQUE INDEX ON k.nets (code COLLATE "de-x-icu" DESC)', 'an index'),
	('text COLLATE "en-x-icu"', 'CREATE UNIQUE INDEX ON k.nets (code text_pattern_ops)', 'an index'),
	('text COLLATE k.ci', 'CREATE UNIQUE INDEX ON k.nets (code COLLATE "C")', 'reading all'),
	('text COLLATE k.ci', 'CREATE UNIQUE INDEX ON k.nets (code COLLATE "en-x-icu")', 'reading all'),
	('text COLLATE k.ci', 'CREATE UNIQUE INDEX ON k.nets (code DESC)', 'an index')) c (key, ddl, how),
	LATERAL (SELECT c.ddl, c.how) i;

-- an index of a nondeterministic collation holds more for equal than the column
SELECT is(pg_temp.keys('text', 'text', 'CREATE UNIQUE INDEX ON k.nets (code COLLATE k.ci)', pairs => false), '0 wrong, by reading all', 'text, an index of another equality');

SELECT * FROM finish();
ROLLBACK;
