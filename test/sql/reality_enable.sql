-- enable_reality(): an inventory of any kind takes observations, once; before
-- that it has nothing for them, and costs nothing.
SET client_min_messages = warning;
\set VERBOSITY terse

-- what is in a schema and not in another one
CREATE FUNCTION pg_temp.more(schema name, than name) RETURNS SETOF text
LANGUAGE sql AS $$
	SELECT relkind::text || ' ' || relname || ' of ' || pg_get_userbyid(relowner) FROM pg_class WHERE relnamespace = quote_ident(schema)::regnamespace
		AND relkind IN ('r', 'v', 'S', 'm', 'p', 'f')
	EXCEPT SELECT relkind::text || ' ' || relname || ' of ' || pg_get_userbyid(relowner) FROM pg_class WHERE relnamespace = quote_ident(than)::regnamespace
	ORDER BY 1
$$;
-- what an inventory and a fresh one of its kind differ in, counted
CREATE FUNCTION pg_temp.findings(inventory name) RETURNS bigint
LANGUAGE sql AS $$ SELECT count(*) FROM vmnet.check_inventory(inventory) WHERE object_type = 'inventory' $$;

CREATE ROLE regress_owner;
CREATE ROLE regress_other;
SELECT format('GRANT CREATE ON DATABASE %I TO regress_owner', current_database()) \gexec

-- Four kinds, all of one owner.
SET ROLE regress_owner;
SELECT vmnet.create_inventory('managed'), vmnet.create_inventory('fresh'), vmnet.create_inventory('mirror', 'mirror');
CREATE SCHEMA mine;
CREATE TABLE mine.subnets (id bigserial PRIMARY KEY, name text, removed timestamptz);
CREATE TABLE mine.servers (id bigserial PRIMARY KEY, name text, removed timestamptz);
CREATE TABLE mine.ports (id bigserial PRIMARY KEY, network_id bigint REFERENCES mine.subnets, instance_id bigint REFERENCES mine.servers, removed timestamptz);
SELECT count(*) > 0 AS attached FROM vmnet.attach_inventory('attached', 'mine.ports', 'mine.subnets', 'mine.servers');
CREATE TABLE mine.things (id uuid PRIMARY KEY, removed timestamptz);
CREATE TABLE mine.cards (id uuid PRIMARY KEY, network_id uuid REFERENCES mine.things, instance_id uuid REFERENCES mine.things, removed timestamptz);
SELECT count(*) > 0 AS attached FROM vmnet.attach_inventory('by uuid', 'mine.cards', 'mine.things', 'mine.things', mode => 'read_only');
CREATE SCHEMA source;
CREATE TABLE source.networks AS SELECT 1::bigint AS id, 'Implemented' AS state, now() AS created, NULL::timestamptz AS removed;
CREATE TABLE source.vm_instance AS SELECT 1::bigint AS id, 'Running' AS state, now() AS created, NULL::timestamptz AS removed;
CREATE TABLE source.nics AS SELECT 1::bigint AS id, 1::bigint AS network_id, 1::bigint AS instance_id, 'Reserved' AS state, now() AS created, NULL::timestamptz AS removed;
SELECT vmnet.attach_cloudstack('live', 'source');
RESET ROLE;

-- A fresh inventory has nothing for observations, and nothing asks for it.
SELECT count(*) FROM pg_class WHERE relname IN ('observers', 'segments', 'sightings', 'sighting_history', 'observation_log', 'seen');
SELECT count(*) FROM pg_trigger t JOIN pg_proc p ON p.oid = t.tgfoid WHERE p.proname = 'sighting_guard';
SELECT k, (SELECT pg_temp.findings(k)) AS findings FROM unnest('{managed,mirror,attached,live}'::name[]) k;
SELECT vmnet.observe('kvm1', '', inventory => 'managed');
SELECT vmnet.grant_access('managed', 'regress_other', 'observer');

-- Only the owner, or who has his rights; the owner owns what is made.
SET ROLE regress_other;
SELECT vmnet.enable_reality('managed');
RESET ROLE;
SELECT vmnet.enable_reality('nowhere');
SELECT vmnet.enable_reality('managed');
SELECT pg_temp.more('managed', 'fresh');
SET ROLE regress_owner;
SELECT vmnet.enable_reality(k) FROM unnest('{mirror,attached,live,by uuid}'::name[]) k;
RESET ROLE;
SELECT k, count(*), count(*) FILTER (WHERE m ~ ' of regress_owner$') AS of_owner FROM unnest('{mirror,attached,live,by uuid}'::name[]) k, pg_temp.more(k, 'fresh') m
WHERE m ~ ' (observers|segments|sightings|sighting_history|observation_log|seen)( |_id_seq)' GROUP BY k ORDER BY k;
SELECT k, pg_temp.findings(k) AS findings FROM unnest('{managed,mirror,attached,live}'::name[]) k;
-- a network is known by a key of the type that it has
SELECT attrelid::regclass, format_type(atttypid, NULL) FROM pg_attribute WHERE attname = 'network_id' AND attrelid::regclass::text ~ 'segments$' ORDER BY 1;
-- every table has a key, every relation and column a comment
SELECT c.oid::regclass FROM pg_class c WHERE relnamespace = 'managed'::regnamespace AND relkind = 'r'
	AND NOT EXISTS (SELECT FROM pg_constraint k WHERE k.conrelid = c.oid AND k.contype = 'p');
SELECT c.oid::regclass FROM pg_class c WHERE relnamespace = 'managed'::regnamespace AND obj_description(c.oid, 'pg_class') IS NULL;
SELECT a.attrelid::regclass, a.attname FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid AND attnum > 0
WHERE relnamespace = 'managed'::regnamespace AND relkind IN ('r', 'v') AND col_description(attrelid, attnum) IS NULL;

-- Once more: what is there stays, what is lacking is made.
INSERT INTO managed.observers (name, kind) VALUES ('one', 'csv');
SELECT vmnet.observe('one', E'mac\n02:00:00:00:00:01', inventory => 'managed');
SELECT vmnet.enable_reality('managed');
SELECT name, pictures FROM managed.observers;
SELECT count(*) FROM managed.seen;
SELECT vmnet.create_report('managed', 'report');
ALTER TABLE managed.sightings DISABLE TRIGGER sighting_guard;
DROP TRIGGER sighting_guard ON managed.sighting_history;
DROP VIEW managed.seen;
DROP INDEX managed.sightings_mac_idx;
ALTER TABLE managed.segments DROP CONSTRAINT segments_host_segment_key;
ALTER TABLE managed.observers DROP CONSTRAINT observer_kind_valid;
ALTER TABLE managed.sightings DROP CONSTRAINT sightings_fact_key, ADD CONSTRAINT sightings_fact_key UNIQUE (observer, host, segment, mac_address, ip_address, domain, domain_uuid);
DROP TABLE managed.observation_log;
SELECT code, message FROM vmnet.check_inventory('managed');
SELECT count(*) FROM (SELECT code, message, fix FROM report.findings EXCEPT SELECT code, message, fix FROM vmnet.check_inventory('managed')) d;
SELECT vmnet.enable_reality('managed');
SELECT code, message, fix FROM vmnet.check_inventory('managed');
SELECT string_agg(fix, ' ') AS fix FROM vmnet.check_inventory('managed') \gset
:fix
SELECT pg_temp.findings('managed');
DROP TABLE managed.sightings CASCADE;
SELECT code, message FROM vmnet.check_inventory('managed');
SELECT vmnet.observe('one', E'mac\n02:00:00:00:00:01', inventory => 'managed');
SELECT vmnet.enable_reality('managed');
SELECT pg_temp.findings('managed');

-- What others have under these names is left alone.
CREATE TABLE fresh.segments (id int);
CREATE VIEW fresh.seen AS SELECT 1 AS one;
ALTER TABLE fresh.segments OWNER TO regress_owner;
ALTER VIEW fresh.seen OWNER TO regress_owner;
\set VERBOSITY default
SELECT vmnet.enable_reality('fresh');
\set VERBOSITY terse
SELECT pg_temp.findings('fresh');

-- A mirror that becomes managed keeps what was observed.
INSERT INTO mirror.observers (name, kind) VALUES ('one', 'csv');
SELECT vmnet.observe('one', E'mac\n02:00:00:00:00:01', inventory => 'mirror');
SELECT vmnet.manage_inventory('mirror');
SELECT count(*) FROM mirror.seen;
SELECT pg_temp.findings('mirror');

-- An attached inventory that is detached takes it along.
SELECT vmnet.detach_inventory('attached');
SELECT count(*) FROM pg_namespace WHERE nspname = 'attached';

DROP SCHEMA managed, fresh, mirror, "by uuid", live, source, mine, report CASCADE;
SELECT format('REVOKE CREATE ON DATABASE %I FROM regress_owner', current_database()) \gexec
DROP ROLE regress_owner, regress_other;
