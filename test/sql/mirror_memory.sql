-- A mirror never forgets: rows are deleted for good at the source, come back, and
-- their ids and uuids are given to others, at random.  No answer for an earlier
-- time changes, and all are those of a source that never deletes and never gives an
-- id twice: there each of these is a removal and a row with a new id.
-- A longer run: psql -v changes=1000 -v rounds=100 -v seed=0.3 -f this file.
\set SHOW_CONTEXT never
SET client_min_messages = warning;
SET TimeZone = 'UTC';
SET check_function_bodies = off;
\if :{?changes} \else \set changes 120 \endif
\if :{?rounds} \else \set rounds 12 \endif
\if :{?seed} \else \set seed 0.5 \endif
CREATE SCHEMA memory;
CREATE SCHEMA memory_source;
CREATE SCHEMA memory_whole;
CREATE TABLE memory_source.networks (id bigint, uuid text, name text, state text, created timestamp(6), removed timestamp(6));
CREATE TABLE memory_source.vm_instance (id bigint, uuid text, name text, state text, type text, created timestamp(6), removed timestamp(6));
CREATE TABLE memory_source.nics (id bigint, uuid text, instance_id bigint, network_id bigint, state text, mac_address text, ip4_address text, created timestamp(6), removed timestamp(6));
CREATE TABLE memory_whole.networks (LIKE memory_source.networks);
CREATE TABLE memory_whole.vm_instance (LIKE memory_source.vm_instance);
CREATE TABLE memory_whole.nics (LIKE memory_source.nics);

-- which row of memory_whole stands for which of memory_source; there: false after a hard delete
CREATE TABLE memory.twins (relation text, id bigint, twin bigserial, there boolean DEFAULT true, PRIMARY KEY (relation, id));
CREATE TABLE memory.lives (relation text, id bigint, twin bigint, since int, until int);
CREATE TABLE memory.answers (round int, at timestamptz, whole_at timestamptz, what text, key text, answer text);
CREATE TABLE memory.done (kind text, n int DEFAULT 1);
CREATE SEQUENCE memory.names;

CREATE FUNCTION memory.utc() RETURNS timestamp LANGUAGE sql AS $$ SELECT clock_timestamp() AT TIME ZONE 'UTC' $$;
CREATE FUNCTION memory.pick(relation text, is_there boolean) RETURNS bigint LANGUAGE sql AS $$
	SELECT t.id FROM memory.twins t WHERE t.relation = $1 AND t.there = $2 ORDER BY random() LIMIT 1 $$;
CREATE FUNCTION memory.twin(relation text, id bigint) RETURNS bigint LANGUAGE sql AS $$
	SELECT t.twin FROM memory.twins t WHERE t.relation = $1 AND t.id = $2 $$;
-- ends the twin of a row, and begins another one
CREATE FUNCTION memory.end_twin(rel text, row_id bigint) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
	IF rel = 'nics' THEN
		UPDATE memory_whole.nics SET state = 'Deallocating', removed = memory.utc() WHERE id = memory.twin(rel, row_id) AND removed IS NULL;
	ELSE
		EXECUTE format('UPDATE memory_whole.%I SET removed = memory.utc() WHERE id = $1 AND removed IS NULL', rel) USING memory.twin(rel, row_id);
	END IF;
END
$$;
CREATE FUNCTION memory.begin_twin(rel text, row_id bigint) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
	INSERT INTO memory.twins (relation, id) VALUES (rel, row_id)
	ON CONFLICT (relation, id) DO UPDATE SET twin = nextval('memory.twins_twin_seq'), there = true;
	IF rel = 'nics' THEN
		INSERT INTO memory_whole.nics SELECT memory.twin(rel, id), NULL, memory.twin('vm_instance', instance_id), memory.twin('networks', network_id),
			state, mac_address, ip4_address, memory.utc(), removed FROM memory_source.nics WHERE id = row_id;
	ELSIF rel = 'networks' THEN
		INSERT INTO memory_whole.networks SELECT memory.twin(rel, id), NULL, name, state, memory.utc(), removed FROM memory_source.networks WHERE id = row_id;
	ELSE
		INSERT INTO memory_whole.vm_instance SELECT memory.twin(rel, id), NULL, name, state, type, memory.utc(), removed FROM memory_source.vm_instance WHERE id = row_id;
	END IF;
END
$$;

-- a row that was deleted, as it was
CREATE TABLE memory.gone (relation text, id bigint, r jsonb, PRIMARY KEY (relation, id));
CREATE FUNCTION memory.hard_delete(rel text, row_id bigint) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
	nic bigint;
BEGIN
	IF rel <> 'nics' THEN
		FOR nic IN SELECT id FROM memory_source.nics WHERE CASE rel WHEN 'networks' THEN network_id ELSE instance_id END = row_id LOOP
			PERFORM memory.hard_delete('nics', nic);
		END LOOP;
	END IF;
	PERFORM memory.end_twin(rel, row_id);
	EXECUTE format('WITH d AS (DELETE FROM memory_source.%I t WHERE id = $1 RETURNING *) INSERT INTO memory.gone SELECT $2, id, to_jsonb(d) FROM d ON CONFLICT (relation, id) DO UPDATE SET r = excluded.r', rel) USING row_id, rel;
	UPDATE memory.twins SET there = false WHERE relation = rel AND id = row_id;
END
$$;
CREATE FUNCTION memory.other_uuid() RETURNS text LANGUAGE sql AS $$ SELECT md5(random()::text)::uuid::text $$;
CREATE FUNCTION memory.other_ip() RETURNS text LANGUAGE sql AS $$ SELECT '10.0.0.' || 1 + floor(25 * random())::int $$;
CREATE FUNCTION memory.other_mac() RETURNS text LANGUAGE sql AS $$ SELECT '02:00:00:00:00:' || lpad(to_hex(floor(20 * random())::int), 2, '0') $$;
-- now, or before the mirror was made
CREATE FUNCTION memory.other_created() RETURNS timestamp LANGUAGE sql AS $$ SELECT CASE WHEN random() < 0.3 THEN timestamp '2025-02-01' + random() * interval '30 days' ELSE memory.utc() END $$;

-- does a mirror have a row of this id; to one that it has never seen, nobody gives an earlier time
CREATE FUNCTION memory.seen(rel text, row_id bigint) RETURNS boolean LANGUAGE plpgsql AS $$
DECLARE
	found boolean;
BEGIN
	EXECUTE format('SELECT EXISTS (SELECT FROM memory_mirror.%I WHERE id = $1)', CASE rel WHEN 'vm_instance' THEN 'all_instances' ELSE 'all_' || rel END) INTO found USING row_id;
	RETURN found;
END
$$;

CREATE FUNCTION memory.add(rel text, row_id bigint) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
	IF rel = 'nics' THEN
		INSERT INTO memory_source.nics VALUES (row_id, memory.other_uuid(), memory.pick('vm_instance', true), memory.pick('networks', true), 'Reserved',
			memory.other_mac(), memory.other_ip(), memory.utc());
	ELSIF rel = 'networks' THEN
		INSERT INTO memory_source.networks VALUES (row_id, memory.other_uuid(), 'network ' || nextval('memory.names'), 'Implemented', memory.utc());
	ELSE
		INSERT INTO memory_source.vm_instance VALUES (row_id, memory.other_uuid(), 'instance ' || nextval('memory.names'), 'Running', 'User', memory.utc());
	END IF;
	PERFORM memory.begin_twin(rel, row_id);
END
$$;

-- one change at random; false where there is nothing that it could be made to
CREATE FUNCTION memory.change() RETURNS boolean LANGUAGE plpgsql AS $$
DECLARE
	dice float := random();
	what text;
	rel text := CASE WHEN dice < 0.7 THEN 'nics' WHEN dice < 0.87 THEN 'vm_instance' ELSE 'networks' END;
	victim bigint;
	r jsonb;
	nic bigint;
BEGIN
	what := (ARRAY['delete', 'delete', 'delete', 'return', 'return', 'reuse', 'replace', 'replace', 'uuid', 'new', 'remove', 'address', 'state', 'move'])[1 + floor(14 * random())::int];
	victim := memory.pick(rel, what NOT IN ('return', 'reuse', 'uuid'));
	IF what = 'new' THEN
		PERFORM memory.add(rel, (SELECT 1 + max(t.id) FROM memory.twins t WHERE t.relation = rel));
	ELSIF victim IS NULL THEN
		RETURN false;
	ELSIF what = 'delete' THEN
		IF rel <> 'nics' AND (SELECT count(*) FROM memory.twins t WHERE t.relation = rel AND there) < 4 THEN
			RETURN false;
		END IF;
		PERFORM memory.hard_delete(rel, victim);
	ELSIF what IN ('return', 'reuse') THEN
		SELECT g.r INTO r FROM memory.gone g WHERE g.relation = rel AND g.id = victim;
		IF rel = 'nics' AND (SELECT count(*) FROM memory.twins t WHERE t.there AND (t.relation, t.id) IN (('networks', (r->>'network_id')::bigint), ('vm_instance', (r->>'instance_id')::bigint))) < 2 THEN
			r := r || jsonb_build_object('network_id', memory.pick('networks', true), 'instance_id', memory.pick('vm_instance', true));
		END IF;
		IF what = 'reuse' THEN
			r := r || CASE WHEN random() < 0.5 THEN jsonb_build_object('uuid', memory.other_uuid()) ELSE jsonb_build_object('created', memory.other_created()) END
				|| CASE rel WHEN 'nics' THEN jsonb_build_object('removed', NULL, 'state', 'Reserved', 'network_id', memory.pick('networks', true), 'instance_id', memory.pick('vm_instance', true),
					'ip4_address', memory.other_ip(), 'mac_address', memory.other_mac())
				ELSE jsonb_build_object('removed', NULL, 'name', rel || nextval('memory.names')) END;
		END IF;
		IF NOT memory.seen(rel, victim) THEN
			-- nor is it removed before it is made
			r := r || jsonb_build_object('created', memory.utc(), 'removed', NULL);
			IF rel = 'nics' THEN
				r := r || '{"state": "Reserved"}';
			END IF;
		END IF;
		IF EXISTS (SELECT FROM memory_source.nics WHERE uuid = r->>'uuid' UNION ALL SELECT FROM memory_source.networks WHERE uuid = r->>'uuid' UNION ALL SELECT FROM memory_source.vm_instance WHERE uuid = r->>'uuid') THEN
			r := r || '{"uuid": null}';
		END IF;
		EXECUTE format('INSERT INTO memory_source.%I SELECT * FROM jsonb_populate_record(NULL::memory_source.%1$I, $1)', rel) USING r;
		PERFORM memory.begin_twin(rel, victim);
	ELSIF what = 'uuid' THEN
		-- a new row with the uuid of one that was deleted
		PERFORM memory.add(rel, (SELECT 1 + max(t.id) FROM memory.twins t WHERE t.relation = rel));
		EXECUTE format('UPDATE memory_source.%I SET uuid = (SELECT g.r->>''uuid'' FROM memory.gone g WHERE g.relation = $1 AND g.id = $2) WHERE id = (SELECT max(id) FROM memory_source.%1$I)'
			' AND NOT EXISTS (SELECT FROM memory_source.%1$I o WHERE o.uuid = (SELECT g.r->>''uuid'' FROM memory.gone g WHERE g.relation = $1 AND g.id = $2))', rel) USING rel, victim;
	ELSIF what = 'replace' THEN
		-- between two polls; its NICs, if it has any, go on
		PERFORM memory.end_twin(rel, victim);
		IF rel = 'nics' THEN
			UPDATE memory_source.nics SET uuid = memory.other_uuid(), created = CASE WHEN random() < 0.5 THEN created WHEN memory.seen(rel, victim) THEN memory.other_created() ELSE memory.utc() END, removed = NULL, state = 'Allocated',
				network_id = memory.pick('networks', true), instance_id = memory.pick('vm_instance', true), ip4_address = memory.other_ip() WHERE id = victim;
		ELSE
			EXECUTE format('UPDATE memory_source.%I SET created = CASE WHEN memory.seen($3, $1) THEN memory.other_created() ELSE memory.utc() END, uuid = CASE WHEN random() < 0.5 THEN uuid ELSE memory.other_uuid() END, removed = NULL, name = $2 WHERE id = $1', rel)
			USING victim, rel || nextval('memory.names'), rel;
		END IF;
		PERFORM memory.begin_twin(rel, victim);
		FOR nic IN SELECT id FROM memory_source.nics WHERE CASE rel WHEN 'networks' THEN network_id WHEN 'vm_instance' THEN instance_id END = victim AND removed IS NULL LOOP
			PERFORM memory.end_twin('nics', nic), memory.begin_twin('nics', nic);
		END LOOP;
	ELSIF rel <> 'nics' THEN
		RETURN false;
	ELSIF what = 'remove' THEN
		UPDATE memory_source.nics SET state = 'Deallocating', removed = memory.utc() WHERE id = victim AND removed IS NULL;
		PERFORM memory.end_twin(rel, victim);
	ELSIF what = 'address' THEN
		UPDATE memory_source.nics SET ip4_address = memory.other_ip() WHERE id = victim AND removed IS NULL;
	ELSIF what = 'state' THEN
		UPDATE memory_source.nics SET state = CASE state WHEN 'Reserved' THEN 'Releasing' ELSE 'Reserved' END WHERE id = victim AND removed IS NULL;
	ELSE
		UPDATE memory_source.nics SET network_id = memory.pick('networks', true) WHERE id = victim AND removed IS NULL;
	END IF;
	IF what IN ('address', 'state', 'move') THEN
		UPDATE memory_whole.nics w SET ip4_address = s.ip4_address, state = s.state, network_id = memory.twin('networks', s.network_id)
		FROM memory_source.nics s WHERE s.id = victim AND w.id = memory.twin('nics', victim) AND w.removed IS NULL;
	END IF;
	INSERT INTO memory.done VALUES (what);
	RETURN true;
END
$$;

-- what a mirror says of a time; of the whole one under the ids of the other one
CREATE FUNCTION memory.says(inventory name, at timestamptz, r int) RETURNS TABLE (what text, key text, answer text) LANGUAGE sql AS $$
	SELECT 'as of', l.id::text, string_agg(a.instance_name, ',' ORDER BY a.instance_name)
	FROM memory.lives l, vmnet.network_instances_as_of(CASE inventory WHEN 'memory_mirror' THEN l.id ELSE l.twin END, at, inventory) a
	WHERE l.relation = 'networks' AND l.since <= r AND (l.until IS NULL OR l.until > r)
	GROUP BY l.id
	UNION ALL
	SELECT 'ip', host(h.ip4_address), string_agg(concat_ws(' on ', h.instance_name, h.network_name), ',' ORDER BY h.instance_name, h.network_name)
	FROM vmnet.ip_holders('10.0.0.0/24', at, at, inventory) h GROUP BY h.ip4_address
	UNION ALL
	SELECT 'mac', m::text, string_agg(concat_ws(' on ', h.instance_name, h.network_name), ',' ORDER BY h.instance_name, h.network_name)
	FROM generate_series(0, 19) g, LATERAL (SELECT ('02:00:00:00:00:' || lpad(to_hex(g), 2, '0'))::macaddr) x (m), vmnet.mac_holders(m, at, at, inventory) h GROUP BY m
	UNION ALL
	SELECT 'interval', i.network_id::text, string_agg(i.instance_id::text, ',' ORDER BY i.instance_id)
	FROM memory_mirror.network_instance_intervals i WHERE inventory = 'memory_mirror' AND i.from <= at AND (i.to IS NULL OR i.to > at) GROUP BY i.network_id
	UNION ALL
	SELECT 'timeline', n.id::text, string_agg(concat_ws(' ', t.seq, t.at, t.event, t.from_state, t.to_state, t.network_id, t.instance_id, t.removed), ',' ORDER BY t.ord)
	FROM (SELECT id FROM memory.twins WHERE relation = 'nics') n, vmnet.nic_timeline(n.id, inventory) WITH ORDINALITY
		t (seq, at, event, from_state, to_state, network_id, instance_id, removed, until, session_username, actor, reason, application_name, transaction_id, ord)
	WHERE inventory = 'memory_mirror' AND t.at <= says.at GROUP BY n.id
$$;

CREATE PROCEDURE memory.play(rounds int, changes int) LANGUAGE plpgsql AS $$
DECLARE
	per_round int := greatest(1, changes / rounds);
	n int;
	now_at timestamptz;
BEGIN
	FOR r IN 0..rounds LOOP
		n := 0;
		WHILE r > 0 AND n < per_round LOOP
			n := n + memory.change()::int;
		END LOOP;
		COMMIT;
		CALL vmnet.import_cloudstack('memory_source', 'memory_mirror');
		CALL vmnet.import_cloudstack('memory_whole', 'memory_all');
		UPDATE memory.lives l SET until = r WHERE until IS NULL AND NOT EXISTS (SELECT FROM memory.twins t WHERE t.relation = l.relation AND t.id = l.id AND t.twin = l.twin AND t.there);
		INSERT INTO memory.lives SELECT relation, id, twin, r FROM memory.twins t WHERE there AND NOT EXISTS (SELECT FROM memory.lives l WHERE l.relation = t.relation AND l.id = t.id AND l.twin = t.twin AND l.until IS NULL);
		now_at := (SELECT max(started) FROM memory_mirror.import_runs);
		INSERT INTO memory.answers SELECT r, now_at, (SELECT max(started) FROM memory_all.import_runs), s.* FROM memory.says('memory_mirror', now_at, r) s;
		COMMIT;
	END LOOP;
END
$$;

SELECT setseed(:seed) \g /dev/null
SELECT memory.add('networks', g) FROM generate_series(1, 8) g \g /dev/null
SELECT memory.add('vm_instance', g) FROM generate_series(1, 20) g \g /dev/null
SELECT memory.add('nics', g) FROM generate_series(1, 60) g \g /dev/null
CALL memory.play(:rounds, :changes);

-- enough of each was done
SELECT count(*) FILTER (WHERE kind IN ('delete', 'return', 'reuse', 'replace', 'uuid')) > :changes / 2 AS hard, count(DISTINCT kind) AS kinds FROM memory.done;
SELECT count(*) > 100 AS answers, count(DISTINCT what) AS of_kinds FROM memory.answers;
-- what it said then, it says now
SELECT coalesce(a.round, r.round) AS round, coalesce(a.what, s.what) AS what, coalesce(a.key, s.key) AS key, a.answer AS said, s.answer AS says
FROM (SELECT DISTINCT round, at FROM memory.answers) r
	CROSS JOIN LATERAL memory.says('memory_mirror', r.at, r.round) s
	FULL JOIN memory.answers a ON a.round = r.round AND a.what = s.what AND a.key = s.key
WHERE a.answer IS DISTINCT FROM s.answer ORDER BY 1, 2, 3 LIMIT 20;
-- and that is what a source says that never deletes
SELECT coalesce(a.round, w.round) AS round, coalesce(a.what, w.what) AS what, coalesce(a.key, w.key) AS key, a.answer AS said, w.answer AS whole
FROM (SELECT * FROM memory.answers WHERE what IN ('as of', 'ip', 'mac')) a
	FULL JOIN (SELECT r.round, s.* FROM (SELECT DISTINCT round, whole_at FROM memory.answers) r CROSS JOIN LATERAL memory.says('memory_all', r.whole_at, r.round) s) w
		ON w.round = a.round AND w.what = a.what AND w.key = a.key
WHERE a.answer IS DISTINCT FROM w.answer ORDER BY 1, 2, 3 LIMIT 20;
-- of a NIC no two intervals are at the same time
SELECT count(*) AS overlapping FROM memory_mirror.nic_intervals a JOIN memory_mirror.nic_intervals b ON a.nic_id = b.nic_id AND (a.from, a.network_id) < (b.from, b.network_id)
WHERE tstzrange(a.from, a.to) && tstzrange(b.from, b.to);
SELECT code, count(*) > 0 AS found FROM vmnet.check_inventory('memory_mirror') WHERE code IN ('history_chain_broken', 'id_reused') GROUP BY 1 ORDER BY 1;
-- what is live is what the source has live
SELECT count(*) AS differing FROM memory_mirror.nics n FULL JOIN (SELECT * FROM memory_source.nics WHERE removed IS NULL) s ON s.id = n.id
WHERE (n.uuid::text, n.network_id, n.instance_id, n.state, host(n.ip4_address)) IS DISTINCT FROM (s.uuid, s.network_id, s.instance_id, s.state, s.ip4_address);
DROP SCHEMA memory, memory_source, memory_whole, memory_mirror, memory_all CASCADE;
