-- Tables of many shapes: what is attached is read and guarded right, and what
-- cannot be attached is refused; never is a removed NIC shown as a live one.
\i test/tap/setup.psql
SET LOCAL TimeZone = 'UTC';
SET LOCAL DateStyle = 'ISO, YMD';
\i test/tap/outcome.psql
SELECT plan(76);
SET LOCAL client_min_messages = error;
SET LOCAL timezone = 'UTC';
SET LOCAL datestyle = 'ISO, YMD';
CREATE SCHEMA s;
CREATE FUNCTION pg_temp.attach(name text, nics regclass, networks regclass DEFAULT NULL, instances regclass DEFAULT NULL, columns jsonb DEFAULT '{}', mode text DEFAULT 'enforce')
RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	detail text;
BEGIN
	PERFORM vmnet.attach_inventory(name, nics, networks, instances, columns, mode);
	RETURN 'attached';
EXCEPTION WHEN OTHERS THEN
	GET STACKED DIAGNOSTICS detail = PG_EXCEPTION_DETAIL;
	RETURN detail;
END
$$;

-- keys of every type, on both sides
CREATE DOMAIN s.whole AS bigint;
CREATE DOMAIN s.ident AS s.whole;
CREATE DOMAIN s.flag AS boolean;
CREATE FUNCTION pg_temp.tries(n int, parent_key text, nic_key text, one text) RETURNS SETOF text LANGUAGE plpgsql AS $$
DECLARE
	what text := format('%s keys of NICs to %s keys', nic_key, parent_key);
BEGIN
	EXECUTE format('CREATE TABLE s.net%s (id %s PRIMARY KEY, removed date)', n, parent_key);
	EXECUTE format('CREATE TABLE s.nic%s (id int PRIMARY KEY, network_id %s, instance_id %2$s, removed date)', n, nic_key);
	EXECUTE format('INSERT INTO s.net%s VALUES (%L)', n, one);
	RETURN NEXT is(pg_temp.attach('i' || n, format('s.nic%s', n)::regclass, format('s.net%s', n)::regclass), 'attached', what || ' are attached');
	RETURN NEXT is(pg_temp.outcome(format('INSERT INTO s.nic%s VALUES (1, %L, %2$L)', n, one)), 'accepted', what || ': a NIC is added');
	RETURN NEXT is(pg_temp.outcome(format('UPDATE s.net%s SET removed = ''2024-01-01''', n)), '23503 network_in_use', what || ': its network stays');
	EXECUTE format('UPDATE s.nic%s SET removed = ''2024-01-01''', n);
	EXECUTE format('UPDATE s.net%s SET removed = ''2024-01-01''', n);
	RETURN NEXT is(pg_temp.outcome(format('INSERT INTO s.nic%s VALUES (2, %L, %2$L)', n, one)), '23503 nic_parent_active', what || ': none is added to a removed one');
END
$$;
SELECT pg_temp.tries(n::int, p, k, o) FROM (VALUES
	(1, 'char(10)', 'varchar(36)', 'a'), (2, 'text', 'char(10)', 'a'), (3, 'char(10)', 'char(36)', 'a'),
	(4, 's.ident', 's.whole', '1'), (5, 'smallint', 'bigint', '1'), (6, 'uuid', 'uuid', '00000000-0000-0000-0000-0000000000a1')) t (n, p, k, o);
CREATE TABLE s.domains (id s.ident PRIMARY KEY, network_id s.whole, instance_id s.ident, removed s.flag);
INSERT INTO s.domains VALUES (1, 1, 1, false), (2, 1, 2, true), (3, 1, 3, NULL);
SELECT is(pg_temp.attach('domains', 's.domains'), 'attached', 'domains over domains are attached');
SELECT results_eq($$ SELECT instance_id FROM vmnet.network_active_instances(1, inventory => 'domains') $$, $$ VALUES (1::bigint), (3) $$, 'and read by functions that take bigint');

-- every way to say that a row is removed: NIC 1 is live, NIC 2 is not
CREATE TABLE s.ways (id int PRIMARY KEY, network_id int DEFAULT 1, instance_id int DEFAULT 1, yes boolean, epoch bigint NOT NULL DEFAULT 0, own_id int, dec numeric DEFAULT 0,
	yn char(3) DEFAULT 'N', until timestamptz DEFAULT 'infinity', day date, note text, doc jsonb);
INSERT INTO s.ways (id) VALUES (1);
INSERT INTO s.ways VALUES (2, 1, 1, true, 1700000000, 2, 1, 'Y', '2024-01-01', '2024-01-01', 'gone', '{}');
CREATE FUNCTION pg_temp.live(removed jsonb) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	said text := pg_temp.attach('ways', 's.ways', columns => jsonb_build_object('nics', jsonb_build_object('removed', removed)));
BEGIN
	IF said = 'attached' THEN
		EXECUTE 'SELECT string_agg(id || coalesce('' until '' || (removed AT TIME ZONE ''UTC'')::date, '''') || CASE WHEN active THEN '' live'' ELSE '''' END, '', '' ORDER BY id) FROM ways.all_nics' INTO said;
		PERFORM vmnet.detach_inventory('ways');
	END IF;
	RETURN said;
END
$$;
SELECT is(pg_temp.live(w.removed), w.live, format('removed: %s', w.removed)) FROM (VALUES
	('"yes"'::jsonb, '1 live, 2 until -infinity'), ('"epoch"', '1 live, 2 until -infinity'), ('"own_id"', '1 live, 2 until -infinity'),
	('"dec"', '1 live, 2 until -infinity'), ('"day"', '1 live, 2 until 2024-01-01'), ('{"column": "own_id", "time": "until"}', '1 live, 2 until 2024-01-01'),
	('{"column": "until", "removed_when": "not_infinity"}', '1 live, 2 until 2024-01-01'), ('{"column": "yn", "removed_when": "true"}', '1 live, 2 until -infinity'),
	('{"column": "note", "removed_when": "not_null"}', '1 live, 2 until -infinity'),
	-- what could be either is not guessed
	('"note"', 'nics.removed: column "note" is of type text, so say as removed_when how it tells: not_null, or true where a text is a flag'),
	('"yn"', 'nics.removed: column "yn" is of type character, so say as removed_when how it tells: not_null, or true where a text is a flag'),
	('"doc"', 'nics.removed: column "doc" is of type jsonb, so say as removed_when how it tells: not_null, or true where a text is a flag'),
	-- a slip does not leave the column out
	('{"col": "day"}', 'columns: nics.removed must be the name of a column, or null, or an object with "column", and "removed_when" and "time" if they are needed, each a text'),
	('{"column": "yes", "removedwhen": "true"}', 'columns: nics.removed must be the name of a column, or null, or an object with "column", and "removed_when" and "time" if they are needed, each a text'),
	('7', 'columns: nics.removed must be the name of a column, or null, or an object with "column", and "removed_when" and "time" if they are needed, each a text')
	) w (removed, live);
SELECT is(pg_temp.attach('ways', 's.ways', columns => '{"nics": {"removed": "day"}, "states": {"gone": "Deallocating"}}'),
	'states are given, but table s.ways has no column "state"', 'nor do states without a column');
SELECT is(pg_temp.attach('ways', 's.ways', columns => '{"nics": {"state": "note"}, "states": {"gone": null}}'),
	'columns: states must map each of their states to the name of one, but "gone" is null', 'or one that leads nowhere');

-- a removal that nobody spoke of is asked about
CREATE TABLE s.forgot (id int PRIMARY KEY, network_id int, instance_id int, delete_count text, "Is Deleted" boolean, discarded_at date);
SELECT results_eq($$ SELECT message FROM vmnet.attach_inventory('forgot', 's.forgot') WHERE finding = 'removed_unmapped' $$, $$ VALUES
	('nics: no column says which rows are removed, so all of s.forgot read as live; if "Is Deleted" says it: {"nics": {"removed": "Is Deleted"}}'),
	('nics: no column says which rows are removed, so all of s.forgot read as live; if "discarded_at" says it: {"nics": {"removed": "discarded_at"}}') $$, 'a column that may tell of removals is pointed at');
SELECT is_empty($$ SELECT message FROM vmnet.attach_inventory('forgot2', 's.forgot', columns => '{"nics": {"removed": null}}') WHERE finding = 'removed_unmapped' $$, 'unless it was said that it does not');
SELECT is_empty($$ SELECT message FROM vmnet.attach_inventory('forgot3', 's.forgot', columns => '{"nics": {"removed": "discarded_at"}}') WHERE finding = 'removed_unmapped' $$, 'or another does');

-- tables that are not one table
CREATE TABLE s.family (id int PRIMARY KEY, removed date);
CREATE TABLE s.child () INHERITS (s.family);
CREATE TABLE s.plain (id int PRIMARY KEY, network_id int, instance_id int);
SELECT is(pg_temp.attach('family', 's.plain', 's.family'), 'networks: table s.family has children, which its guards would not see; only mode read_only can have it', 'a table with children cannot be guarded');
SELECT is(pg_temp.attach('family', 's.plain', 's.family', mode => 'read_only'), 's.family."id" has no unique index, so a NIC could be on several of its rows', 'nor read, since children share no unique index');
CREATE TABLE s.whole_nic (id int PRIMARY KEY, network_id int, instance_id int, state text) PARTITION BY RANGE (id);
CREATE TABLE s.part_nic PARTITION OF s.whole_nic DEFAULT;
SELECT is(pg_temp.attach('part', 's.whole_nic'), 'nics: s.whole_nic is a partitioned table; guards need an ordinary table, so only mode read_only can have it', 'a partitioned table cannot be guarded');
SELECT is(pg_temp.attach('part', 's.whole_nic', mode => 'read_only'), 'attached', 'it can be read, too');

-- names that need quoting, and words that mean something to format() or to us
CREATE SCHEMA "Own ""Schema"" %s 1";
CREATE TABLE "Own ""Schema"" %s 1"."Näme ''of'' %I a table that is long" ("Id %s" int PRIMARY KEY, "Net""Id" int, "vm's id" int, "State $$" text, "Gone $1" timestamptz, active int, network_key text, key text, ended text);
SELECT is(pg_temp.attach('In "V" %s ''q''', '"Own ""Schema"" %s 1"."Näme ''''of'''' %I a table that is long"', columns =>
	'{"nics": {"id": "Id %s", "network_id": "Net\"Id", "instance_id": "vm''s id", "state": "State $$", "removed": "Gone $1"}, "states": {"it''s %s up": "Reserved", "{inv}.all_nics": "Allocated"}}'),
	'attached', 'odd names are attached');
INSERT INTO "Own ""Schema"" %s 1"."Näme ''of'' %I a table that is long" VALUES (1, 1, 1, 'it''s %s up'), (2, 1, 2, '{inv}.all_nics');
SELECT is((SELECT string_agg(nic_state, ' ' ORDER BY nic_id) FROM "In ""V"" %s 'q'".network_instances), 'Reserved Allocated', 'and read');
SELECT vmnet.create_report('In "V" %s ''q''') \g /dev/null
SELECT is((SELECT string_agg(nic_state, ' ' ORDER BY nic_id) FROM "In ""V"" %s 'q'_report".nics), 'Reserved Allocated', 'and reported');
SELECT is_empty('SELECT * FROM "In ""V"" %s ''q''_report".findings', 'with nothing wrong');
UPDATE "Own ""Schema"" %s 1"."Näme ''of'' %I a table that is long" SET "Gone $1" = '2024-01-01' WHERE "Id %s" = 1;
SELECT is((SELECT string_agg(nic_id || event, ' ') FROM "In ""V"" %s 'q'".nic_history), '1Removed', 'and remembered');
SELECT is(pg_temp.outcome($$ DROP SCHEMA "In ""V"" %s 'q'_report" CASCADE; SELECT vmnet.detach_inventory('In "V" %s ''q''') $$), 'accepted', 'and detached');
SELECT is((SELECT count(*) FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid WHERE c.relname ~ '^Näme' AND NOT t.tgisinternal), 0::bigint, 'with nothing left');

-- no foreign key: what NICs refer to does not go away under them
CREATE TABLE s.net_code (id int PRIMARY KEY, code text UNIQUE, removed date);
CREATE TABLE s.nic_code (id int PRIMARY KEY, network_id text, instance_id int, removed date);
INSERT INTO s.net_code VALUES (1, 'a'), (2, 'b');
SELECT pg_temp.attach('code', 's.nic_code', 's.net_code', columns => '{"networks": {"key": "code"}}') \g /dev/null
INSERT INTO s.nic_code VALUES (1, 'a', 1);
SELECT is(pg_temp.outcome($$ UPDATE s.net_code SET code = 'c' WHERE id = 1 $$), '23503 network_in_use', 'the key of a network stays while NICs are on it');
SELECT is(pg_temp.outcome($$ UPDATE s.net_code SET code = 'c' WHERE id = 2 $$), 'accepted', 'that of another may change');

-- nor with all the others
CREATE TABLE s.net_bare (id int PRIMARY KEY);
CREATE TABLE s.nic_bare (id int PRIMARY KEY, network_id int, instance_id int);
INSERT INTO s.net_bare VALUES (1);
SELECT pg_temp.attach('bare', 's.nic_bare', 's.net_bare') \g /dev/null
SELECT is(pg_temp.trial('TRUNCATE s.net_bare'), 'accepted', 'networks without NICs may be truncated');
INSERT INTO s.nic_bare VALUES (1, 1, 1);
SELECT is(pg_temp.trial('TRUNCATE s.net_bare'), '23503 network_in_use', 'those with NICs not');
ALTER TABLE s.nic_bare ADD FOREIGN KEY (network_id) REFERENCES s.net_bare;
SELECT is(pg_temp.trial('TRUNCATE s.net_bare, s.nic_bare'), 'accepted', 'unless a foreign key has them truncated together');

-- NICs on what does not exist: found before, after, and where one asks
CREATE TABLE s.net_lost (id int PRIMARY KEY, code uuid UNIQUE);
CREATE TABLE s.nic_lost (id int PRIMARY KEY, network_id uuid, instance_id int);
INSERT INTO s.net_lost VALUES (1, '00000000-0000-0000-0000-0000000000a1');
INSERT INTO s.nic_lost VALUES (1, '00000000-0000-0000-0000-0000000000a1', 1), (2, '00000000-0000-0000-0000-0000000000a2', 1);
SELECT results_eq($$ SELECT finding, message FROM vmnet.attach_inventory('lost', 's.nic_lost', 's.net_lost', columns => '{"networks": {"uuid": "code"}}') WHERE finding = 'violation' $$,
	$$ VALUES ('violation', 'held NICs on a network that does not exist: 2') $$, 'a NIC on no network is told of');
SELECT results_eq($$ SELECT code, object_id, message FROM vmnet.check_inventory('lost') WHERE code = 'nic_parent_missing' $$,
	$$ VALUES ('nic_parent_missing', 2::bigint, 'NIC 2 is held, but its network 00000000-0000-0000-0000-0000000000a2 does not exist') $$, 'and found');
SELECT vmnet.create_report('lost') \g /dev/null
SELECT results_eq($$ SELECT object_id FROM lost_report.findings WHERE code = 'nic_parent_missing' $$, $$ VALUES (2::bigint) $$, 'and reported');
SELECT is((SELECT string_agg(verdict::text, ' ') FROM vmnet.nic_explain(2, 'lost') WHERE rule IN ('the network is not removed', 'the instance is listed on the network')), 'false false', 'and explained');
SELECT is((SELECT string_agg(verdict::text, ' ') FROM vmnet.nic_explain(1, 'lost')), 'true true true true true true true true', 'unlike the other');

-- removed, but not since when: who was there then cannot be told
CREATE TABLE s.net_flag (id int PRIMARY KEY, removed boolean);
CREATE TABLE s.nic_time (id int PRIMARY KEY, network_id int, instance_id int, ip4_address inet, created timestamptz, removed timestamptz);
CREATE TABLE s.nic_flag (id int PRIMARY KEY, network_id int, instance_id int, ip4_address inet, created timestamptz, removed boolean);
SELECT pg_temp.attach('flag_net', 's.nic_time', 's.net_flag') \g /dev/null
SELECT pg_temp.attach('flag_nic', 's.nic_flag') \g /dev/null
SELECT throws_ok($$ SELECT * FROM vmnet.network_instances_as_of(1, now(), 'flag_net') $$, '22023', 'this function cannot read inventory "flag_net": its networks have no column "removed" with a time', 'who was on a network needs the time of its removal');
SELECT throws_ok($$ SELECT * FROM vmnet.network_instances_as_of(1, now(), 'flag_nic') $$, '22023', 'this function cannot read inventory "flag_nic": its NICs have no column "removed" with a time', 'and that of NICs');
SELECT throws_ok($$ SELECT * FROM vmnet.ip_holders('10.0.0.1', inventory => 'flag_nic') $$, '22023', 'this function cannot read inventory "flag_nic": its NICs have no column "removed" with a time', 'so does who held an address');
SELECT lives_ok($$ SELECT * FROM vmnet.ip_holders('10.0.0.1', inventory => 'flag_net') $$, 'which no network decides');
SELECT vmnet.create_report(n) FROM unnest('{flag_net,flag_nic}'::name[]) n \g /dev/null
SELECT is((SELECT string_agg(r.relname, ' ' ORDER BY r.relname) FROM pg_class r JOIN pg_namespace n ON n.oid = r.relnamespace WHERE n.nspname = i || '_report' AND r.relname IN ('networks', 'network_instance_intervals', 'networks_daily')),
	'networks', 'nor is it reported over ' || i) FROM unnest('{flag_net,flag_nic}'::text[]) i;

-- a view that somebody has changed is not taken for what it was
CREATE TABLE s.net_odd (id bigint PRIMARY KEY, removed date);
CREATE TABLE s.nic_odd (id bigint PRIMARY KEY, network_id bigint, instance_id bigint);
SELECT pg_temp.attach('odd', 's.nic_odd', 's.net_odd') \g /dev/null
DO $$ BEGIN EXECUTE 'CREATE OR REPLACE VIEW odd.attached_networks AS ' || regexp_replace(pg_get_viewdef('odd.attached_networks'), '(\w+\.)?id AS key', 'id + 0 AS key'); END $$;
SELECT is(pg_temp.outcome('INSERT INTO s.nic_odd VALUES (1, 1, 1)'), '39P01', 'a key that is no column is refused');
DO $$ BEGIN EXECUTE 'CREATE OR REPLACE VIEW odd.attached_nics AS SELECT * FROM (' || rtrim(pg_get_viewdef('odd.attached_nics'), ';') || ') x'; END $$;
SELECT is(pg_temp.outcome('INSERT INTO s.nic_odd VALUES (1, 1, 1)'), '39P01', 'so is a view of something else');

-- one table for everything
CREATE TABLE s.all_in_one (id int PRIMARY KEY, network_id int, instance_id int, removed timestamptz);
SELECT pg_temp.attach('one', 's.all_in_one', 's.all_in_one', 's.all_in_one') \g /dev/null
INSERT INTO s.all_in_one VALUES (1, NULL, NULL);
SELECT is(pg_temp.outcome('INSERT INTO s.all_in_one VALUES (2, 1, 1); UPDATE s.all_in_one SET removed = now() WHERE id = 1'), '23503 instance_in_use', 'one table can be all three');
SELECT * FROM finish();
ROLLBACK;
