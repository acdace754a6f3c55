-- vmnet.observe(): what a picture opens, repeats and closes, what is refused, and
-- who may take pictures.  Payloads are of kind csv: what each kind says is tested
-- with vmnet.read_observation().
\i test/tap/setup.psql
\i test/tap/outcome.psql
SELECT plan(82);
SET LOCAL client_min_messages = error;

CREATE ROLE vmnet_test_owner;
CREATE ROLE vmnet_test_member;
CREATE ROLE vmnet_test_observer;
CREATE ROLE vmnet_test_operator;
CREATE ROLE vmnet_test_reader;
CREATE ROLE vmnet_test_stranger;
GRANT vmnet_test_owner TO vmnet_test_member;
GRANT CREATE ON DATABASE :DBNAME TO vmnet_test_owner;
SET LOCAL ROLE vmnet_test_owner;
SELECT vmnet.create_inventory('real "ity'), vmnet.enable_reality('real "ity'), vmnet.create_report('real "ity', 'report'),
	vmnet.grant_access('real "ity', 'vmnet_test_observer', 'observer'), vmnet.grant_access('real "ity', 'vmnet_test_operator', 'operator'),
	vmnet.grant_access('real "ity', 'vmnet_test_reader', 'reader') \g /dev/null
RESET ROLE;
SELECT set_config('vmnet.inventory', 'real "ity', true) \g /dev/null
SET LOCAL search_path = "real ""ity", public;
INSERT INTO observers (name, kind, host) VALUES ('kvm1', 'csv', 'h1'), ('kvm2', 'csv', NULL), ('many', 'csv', NULL);

-- A picture, some minutes ago, of MAC addresses that end in these numbers: seen, new, gone, rejected.
CREATE FUNCTION pg_temp.picture(observer text, minutes numeric, macs text[], complete boolean DEFAULT true, force boolean DEFAULT false) RETURNS text LANGUAGE sql AS $$
SELECT concat_ws(' ', o.seen, o.new, o.gone, o.rejected)
FROM vmnet.observe($1, 'mac,segment' || coalesce((SELECT string_agg(E'\n02:00:00:00:00:' || m || ',br1', '' ORDER BY m) FROM unnest($3) m), ''),
	now() - make_interval(secs => $2 * 60), $4, $5) o
$$;
-- What is open and what was closed, with how often it was seen.
CREATE FUNCTION pg_temp.open(observer text DEFAULT 'kvm1') RETURNS text LANGUAGE sql AS $$
SELECT coalesce(string_agg(right(mac_address::text, 2) || '*' || observations, ' ' ORDER BY mac_address), 'nothing') FROM seen s WHERE s.observer = $1 AND gone_since IS NULL
$$;
CREATE FUNCTION pg_temp.past(observer text DEFAULT 'kvm1') RETURNS text LANGUAGE sql AS $$
SELECT coalesce(string_agg(right(mac_address::text, 2) || '*' || observations || ' ' || extract(epoch FROM now() - first_seen)::int / 60 || '-' || extract(epoch FROM now() - last_seen)::int / 60
	|| '-' || extract(epoch FROM now() - gone_since)::int / 60, ', ' ORDER BY gone_since, mac_address), 'nothing') FROM seen s WHERE s.observer = $1 AND gone_since IS NOT NULL
$$;

--
-- Pictures
--
SELECT is(pg_temp.picture('kvm1', 60, '{01,02,03}'), '3 3 0 0', 'the first picture is new');
SELECT is(pg_temp.open(), '01*1 02*1 03*1', 'its facts are open');
SELECT is((SELECT string_agg(DISTINCT host, ' ') FROM sightings), 'h1', 'they are of the host of the observer');
SELECT is(pg_temp.picture('kvm1', 50, '{01,02,03}'), '3 0 0 0', 'the same facts later are not new');
SELECT is(pg_temp.open(), '01*2 02*2 03*2', 'they were seen twice');
SELECT is(pg_temp.picture('kvm1', 50, '{01,02,03}'), '3 0 0 0', 'the same picture again is taken');
SELECT is(pg_temp.open(), '01*2 02*2 03*2', 'and changes nothing');
SELECT is((SELECT pictures FROM observers WHERE name = 'kvm1'), 2::bigint, 'it does not count');
SELECT is(pg_temp.picture('kvm1', 40, '{01}', false), '1 0 0 0', 'a part of a picture is taken');
SELECT is(pg_temp.open(), '01*3 02*2 03*2', 'it closes nothing');
SELECT is(pg_temp.picture('kvm1', 40, '{02}', false), '1 0 0 0', 'nor does another part of the same time');
SELECT is(pg_temp.open(), '01*3 02*3 03*2', 'which repeats what it has');
SELECT is(pg_temp.picture('kvm1', 39, '{}', false), '0 0 0 0', 'nor does an empty part');
SELECT is(pg_temp.past(), 'nothing', 'nothing is in the past');
SELECT is(pg_temp.picture('kvm1', 30, '{01,04}'), '2 1 2 0', 'a complete picture closes what it has no more');
SELECT is(pg_temp.open(), '01*4 04*1', 'what is open is what it has');
SELECT is(pg_temp.past(), '02*3 60-40-30, 03*2 60-50-30', 'what it has not is in the past, since its time');
SELECT is(pg_temp.picture('kvm1', 20, '{02}', false), '1 1 0 0', 'what comes back is new');
SELECT is(pg_temp.open(), '01*4 02*1 04*1', 'and counted anew');
SELECT is((SELECT count(DISTINCT id) FROM seen), (SELECT count(*) FROM seen), 'a fact has a number of its own');

-- Another observer of the same
SELECT is(pg_temp.picture('kvm2', 25, '{01,09}'), '2 2 0 0', 'another observer sees the same');
SELECT is(pg_temp.picture('kvm2', 24, '{}', true, true), '0 0 2 0', 'and then nothing');
SELECT is(pg_temp.open(), '01*4 02*1 04*1', 'which does not close what the first one sees');
SELECT is((SELECT string_agg(DISTINCT coalesce(host, '-'), ' ') FROM seen WHERE observer = 'kvm2'), '-', 'without a host there is none');

-- Time
SELECT is(pg_temp.outcome($$SELECT pg_temp.picture('kvm1', 21, '{01}')$$), '22023 observation_out_of_order', 'a picture from before the last one is refused');
SELECT is(pg_temp.outcome($$SELECT pg_temp.picture('kvm1', 21, '{01}', false)$$), '22023 observation_out_of_order', 'a part of one, too');
SELECT is(pg_temp.outcome($$SELECT pg_temp.picture('kvm1', -10, '{01}')$$), '22023 observation_time', 'one of the future is refused');
SELECT is(pg_temp.outcome($$SELECT vmnet.observe('kvm1', 'mac', 'infinity')$$), '22023 observation_time', 'one of the end of time');
SELECT is(pg_temp.outcome($$SELECT vmnet.observe('kvm1', 'mac', '-infinity')$$), '22023 observation_time', 'and of its beginning');
SELECT is(pg_temp.outcome($$SELECT vmnet.observe('kvm1', 'mac', NULL)$$), '22023 observation_time', 'and of no time');
SELECT is(pg_temp.trial($$SELECT pg_temp.picture('kvm1', -1, '{01}')$$), 'accepted', 'a clock may be ahead by a minute');

-- What is no picture
SELECT is(pg_temp.outcome($$SELECT vmnet.observe('kvm3', 'mac')$$), '22023 observer_unknown', 'an observer is registered first');
SELECT is(pg_temp.outcome($$SELECT vmnet.observe(NULL, 'mac')$$), '22023 observer_unknown', 'and has a name');
SELECT is(pg_temp.outcome($$SELECT vmnet.observe('kvm1', NULL)$$), '22023 observation_malformed', 'a payload is not NULL');
SELECT is(pg_temp.outcome($$SELECT vmnet.observe('kvm1', 'no,such,columns')$$), '22023 observation_malformed', 'nor of another format');
SELECT is(pg_temp.outcome($$SELECT vmnet.observe('kvm1', 'mac', inventory => 'nowhere')$$), '22023', 'the inventory exists');
SELECT is(pg_temp.open(), '01*4 02*1 04*1', 'what was refused changed nothing');
SELECT is((SELECT last_at FROM observers WHERE name = 'kvm1'), now() - interval '20 minutes', 'of the observer neither');

-- An empty one
SELECT is(pg_temp.picture('many', 20, ARRAY(SELECT lpad(to_hex(g), 2, '0') FROM generate_series(1, 30) g)), '30 30 0 0', 'an observer sees much');
SELECT is(pg_temp.outcome($$SELECT pg_temp.picture('many', 10, '{}')$$), '22023 observation_empty', 'then nothing: refused');
SELECT is(pg_temp.outcome($$SELECT pg_temp.picture('many', 10, '{zz}')$$), '22023 observation_empty', 'nothing that can be read: refused');
SELECT is(pg_temp.picture('many', 10, '{}', false), '0 0 0 0', 'a part may be empty');
SELECT is(pg_temp.picture('many', 9, '{07}'), '1 0 29 0', 'one is not nothing');
SELECT is(pg_temp.picture('many', 8, '{}'), '0 0 1 0', 'from few to nothing is no surprise');
SELECT is(pg_temp.picture('many', 7, ARRAY(SELECT lpad(to_hex(g), 2, '0') FROM generate_series(1, 30) g)), '30 30 0 0', 'much again');
SELECT is(pg_temp.picture('many', 6, '{}', true, true), '0 0 30 0', 'nothing, if that is said to be right');

--
-- Records
--
INSERT INTO observers (name, kind, host) VALUES ('records', 'csv', 'h1');
SELECT results_eq($$SELECT * FROM vmnet.observe('records', E'mac,ip,segment,domain,host,device\n02:00:00:00:00:01,10.0.0.1,br1,a,h1,v1\n02:00:00:00:00:01,10.0.0.1,br1,a,,v2\n02:00:00:00:00:01,10.0.0.1,br1,b,,\n'
	'02:00:00:00:00:01,,br1,b,,\n02:00:00:00:00:01,10.0.0.1,,b,,\nfe,10.0.0.1,br1,a,,\n00:00:00:00:00:00,,,,,\n02:00:00:00:00:02,not one,,,,', now() - interval '1 hour')$$,
	$$VALUES (5::bigint, 4::bigint, 0::bigint, 3::bigint)$$, 'records that are sightings are seen, once each, and others rejected');
SELECT results_eq($$SELECT place, raw, reason IS NOT NULL, at = now() - interval '1 hour' FROM observation_log WHERE observer = 'records' ORDER BY id$$,
	$$VALUES ('line 7', 'fe,10.0.0.1,br1,a,,', true, true), ('line 8', '00:00:00:00:00:00,,,,,', true, true), ('line 9', '02:00:00:00:00:02,not one,,,,', true, true)$$,
	'what is rejected is in the log');
SELECT is((SELECT last_error FROM observers WHERE name = 'records'), '3 of 8 records were rejected; the first one: the MAC address cannot be read', 'and told of the observer');
SELECT is((SELECT last_seen_count FROM observers WHERE name = 'records'), 4::bigint, 'with how many facts there are');
SELECT is((SELECT device FROM sightings WHERE observer = 'records' AND domain = 'a'), 'v1', 'of a fact that is said twice the first is taken');
SELECT is((SELECT o.rejected FROM vmnet.observe('records', E'mac,ip,segment,domain,host,device\n02:00:00:00:00:01,10.0.0.1,br1,a,h1,v1\n\n\n\n\nfe,10.0.0.1,br1,a,,', now() - interval '1 hour', false) o), 1::bigint, 'a picture of the same time');
SELECT is((SELECT count(*) FROM observation_log WHERE observer = 'records'), 3::bigint, 'does not log the same again');
SELECT is((SELECT o.gone FROM vmnet.observe('records', E'mac,ip,segment,domain,device\n02:00:00:00:00:01,10.0.0.1,br1,a,v9\n02:00:00:00:00:01,10.0.0.1,br1,b,', now() - interval '50 minutes') o), 2::bigint, 'NULLs are told from values');
SELECT is((SELECT string_agg(concat_ws(' ', domain, device, observations), ', ' ORDER BY domain) FROM sightings WHERE observer = 'records'), 'a v9 2, b 2', 'another device is the same fact');
SELECT vmnet.observe('records', E'mac,ip,segment,domain,device\n02:00:00:00:00:01,10.0.0.1,br1,a,v8', now() - interval '50 minutes', false) \g /dev/null
SELECT is((SELECT string_agg(concat_ws(' ', domain, device, observations), ', ' ORDER BY domain) FROM sightings WHERE observer = 'records'), 'a v8 2, b 2', 'which is not counted again for a picture of the same time');
SELECT is((SELECT last_error FROM observers WHERE name = 'records'), NULL, 'a picture without rejected records has no error');
SELECT is((SELECT count(*) FROM vmnet.observe('records', E'mac,segment\n02:00:00:00:00:01,\n02:00:00:00:00:01,' || repeat('x', 250), now() - interval '49 minutes')), 1::bigint, 'long names fit');
SELECT is((SELECT o.seen || ' ' || o.rejected FROM vmnet.observe('records', E'mac,host,segment,domain\n02:00:00:00:00:01,' || repeat('雲', 250) || ',' || repeat('雲', 250) || ',' || repeat('雲', 250), now() - interval '48 minutes') o), '0 1',
	'names that no index can hold are rejected');

--
-- A repeated picture changes rows where they are, and no index
--
INSERT INTO observers (name, kind) VALUES ('hot', 'csv');
SELECT 'mac,ip,segment,domain' || string_agg(format(E'\n02:00:00:01:%s,10.0.%s.%s,br%s,i-%s', regexp_replace(lpad(to_hex(g), 4, '0'), '..', '\&:'), g / 250, g % 250 + 1, g % 50, g), '') AS big
FROM generate_series(1, 2000) g \gset
SELECT is((SELECT o.new FROM vmnet.observe('hot', :'big', now() - interval '2 minutes') o), 2000::bigint, 'a picture of 2000 facts');
SELECT pg_stat_get_xact_tuples_updated('sightings'::regclass) AS updated, pg_stat_get_xact_tuples_hot_updated('sightings'::regclass) AS hot \gset
SELECT vmnet.observe('hot', :'big', now() - interval '1 minute') \g /dev/null
SELECT is(ARRAY[pg_stat_get_xact_tuples_updated('sightings'::regclass) - :updated, pg_stat_get_xact_tuples_hot_updated('sightings'::regclass) - :hot], ARRAY[2000, 2000]::bigint[],
	'again: each row is updated once, and all updates are HOT');

--
-- What is gone is purged with history, in batches, and only what ended before
--
SELECT (SELECT count(*) FROM sighting_history) AS past, (SELECT count(*) FROM sightings) AS open \gset
CALL vmnet.purge_inventory('real "ity', now() - interval '9 minutes 30 seconds', 7);
SELECT is((SELECT count(*) FROM sighting_history), :past::bigint, 'a purge without history keeps what was observed');
CALL vmnet.purge_inventory('real "ity', now() - interval '9 minutes 30 seconds', 7, true);
SELECT is((SELECT string_agg(DISTINCT observer, ', ') FROM sighting_history), 'many', 'one with history deletes what ended before its time');
SELECT is(ARRAY[(SELECT count(*) FROM sightings), (SELECT count(*) FROM observation_log)], ARRAY[:open, 0]::bigint[], 'and the log, and nothing that is open');

--
-- Rights
--
CREATE FUNCTION pg_temp.takes(who name) RETURNS text LANGUAGE sql AS $$
SELECT pg_temp.outcome_as($1, $q$SELECT vmnet.observe('kvm2', E'mac\n02:00:00:00:00:77', inventory => 'real "ity')$q$)
$$;
SELECT is(pg_temp.takes('vmnet_test_owner'), 'accepted', 'the owner takes pictures');
SELECT is(pg_temp.takes('vmnet_test_member'), 'accepted', 'so does who has his rights');
SELECT is(pg_temp.takes('vmnet_test_observer'), 'accepted', 'and an observer');
SELECT is(pg_temp.takes('vmnet_test_operator'), '42501', 'an operator does not');
SELECT is(pg_temp.takes('vmnet_test_reader'), '42501', 'nor does a reader');
SELECT is(pg_temp.takes('vmnet_test_stranger'), '42501', 'nor does a stranger');
SELECT is(pg_temp.outcome_as('vmnet_test_observer', $$INSERT INTO sightings (observer, first_seen, last_seen) VALUES ('kvm1', now(), now())$$), '42501 sightings_owner_only',
	'an observer does not write a sighting by hand');
SELECT is(pg_temp.outcome_as('vmnet_test_operator', 'SELECT FROM seen, observers, segments, sightings, sighting_history, observation_log'), 'accepted',
	'an operator reads what was observed');
GRANT ALL ON ALL TABLES IN SCHEMA "real ""ity" TO vmnet_test_operator;
SELECT is((SELECT string_agg(DISTINCT pg_temp.outcome_as('vmnet_test_operator', c), ', ') FROM unnest(ARRAY[
	'UPDATE sightings SET observations = 9', 'DELETE FROM sightings', 'TRUNCATE sightings', 'INSERT INTO sighting_history SELECT * FROM sighting_history', 'DELETE FROM sighting_history',
	'UPDATE sighting_history SET gone_since = now()', 'TRUNCATE sighting_history', 'DELETE FROM observation_log', 'TRUNCATE observation_log', 'UPDATE observation_log SET raw = NULL']) c),
	'42501 sightings_owner_only', 'nobody else writes what was observed, whatever was granted');
SELECT is(pg_temp.outcome_as('vmnet_test_owner', 'DELETE FROM sighting_history WHERE gone_since < now() - interval ''20 minutes'''), 'accepted', 'the owner purges it');
SELECT is(pg_temp.outcome_as('vmnet_test_observer', 'SELECT last_at FROM observers'), 'accepted', 'an observer sees when the last picture was');
SELECT is(pg_temp.outcome_as('vmnet_test_observer', 'SELECT FROM seen'), '42501', 'and not what others see');
SELECT is(pg_temp.outcome_as('vmnet_test_observer', 'UPDATE observers SET kind = ''neigh'''), '42501', 'and does not change what is registered');
SELECT vmnet.revoke_access('real "ity', 'vmnet_test_observer', 'observer') \g /dev/null
SELECT is(pg_temp.takes('vmnet_test_observer'), '42501', 'until it is revoked');
-- code of the owner runs as the owner, whoever takes the picture; row-level security hides no fact
SELECT vmnet.grant_access('real "ity', 'vmnet_test_observer', 'observer') \g /dev/null
SET LOCAL ROLE vmnet_test_owner;
CREATE TABLE ran (who name);
CREATE FUNCTION note() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN INSERT INTO "real ""ity".ran VALUES (current_user); RETURN NULL; END';
CREATE TRIGGER note AFTER INSERT OR UPDATE OR DELETE ON sightings FOR EACH STATEMENT EXECUTE FUNCTION note();
ALTER TABLE sightings ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY none ON sightings USING (false);
RESET ROLE;
SELECT is(pg_temp.takes('vmnet_test_observer'), 'accepted', 'an observer takes a picture of an inventory with policies');
SELECT is((SELECT string_agg(DISTINCT who, ', ') FROM ran), 'vmnet_test_owner', 'triggers of the owner run as the owner');
SELECT is((SELECT o.gone FROM vmnet.observe('kvm2', 'mac', inventory => 'real "ity') o), 1::bigint, 'what policies hide is closed');
-- a relation of another owner is refused
ALTER TABLE observers OWNER TO vmnet_test_stranger;
SELECT is(pg_temp.takes('vmnet_test_observer'), '42501 inventory_owner', 'the tables have one owner');

SELECT * FROM finish();
ROLLBACK;
