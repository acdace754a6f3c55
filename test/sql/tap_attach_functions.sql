-- What every public function does over attached and live inventories: it works,
-- or says in one error of class 22 or 42 what is missing; none answers with
-- nothing where it cannot know.  A function that is new has to be added here.
\i test/tap/setup.psql
\i test/tap/attached.psql
SELECT plan(6);
SET LOCAL client_min_messages = error;
CREATE ROLE attach_reader;
-- NIC 1 has a past
UPDATE theirs.nic SET state = 'Releasing' WHERE id = 1;

-- What a call comes to: rows and the first of them, or the error.
CREATE FUNCTION pg_temp.outcome(call text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	result text;
	detail text;
	hint text;
BEGIN
	BEGIN
		IF call ~ '^CALL' THEN
			EXECUTE call;
			result := 'called';
		ELSE
			-- a scalar says what it is
			EXECUTE format('SELECT CASE WHEN count(*) = 1 AND min(to_jsonb(f)::text) !~ ''^\{'' THEN coalesce(nullif(min(to_jsonb(f) #>> ''{}''), ''''), ''nothing'')
				WHEN count(*) = 1 THEN ''1 row'' ELSE count(*) || '' rows'' END FROM %s f', call) INTO result;
		END IF;
		RAISE EXCEPTION USING ERRCODE = 'UNDO1';
	EXCEPTION WHEN SQLSTATE 'UNDO1' THEN
		NULL;
	END;
	RETURN result;
EXCEPTION WHEN OTHERS THEN
	GET STACKED DIAGNOSTICS detail = PG_EXCEPTION_DETAIL, hint = PG_EXCEPTION_HINT;
	RETURN SQLSTATE || ' ' || SQLERRM || CASE WHEN detail = '' OR hint = '' THEN ' (without DETAIL or HINT)' ELSE '' END;
END
$$;

-- Reasoned from what is in test/tap/attached.psql; the feed tells what this
-- transaction itself has changed after it has ended: 052_attached.pl.
CREATE TEMP TABLE promise (call text, "full" text, few text, uuids text, live text);
\copy promise FROM test/tap/attached_functions.txt
CREATE TEMP TABLE elsewhere (function text, why text);
INSERT INTO elsewhere VALUES
	('attach_inventory', 'makes an attached inventory'), ('attach_cloudstack', 'makes a live one'),
	('create_inventory', 'makes another kind'), ('connect_cloudstack', 'makes a source'), ('version', 'of no inventory'),
	('check_codes', 'of no inventory'), ('read_observation', 'of no inventory'), ('nic_next_state', 'of no inventory'), ('nic_state_transitions', 'of no inventory');

SELECT set_eq($$ SELECT p.proname::text FROM pg_proc p
		WHERE p.pronamespace = 'vmnet'::regnamespace AND p.prorettype NOT IN ('trigger'::regtype, 'internal'::regtype)
			AND obj_description(p.oid, 'pg_proc') !~ '^Part of ' $$,
	$$ SELECT substring(call FROM 'vmnet\.(\w+)') FROM promise WHERE call ~ 'vmnet\.' UNION SELECT function FROM elsewhere $$, 'every public function is tried, or has no inventory');

CREATE TEMP TABLE did AS
SELECT p.call, i.name AS inventory, pg_temp.outcome(replace(p.call, 'INV', quote_literal(i.name))) AS outcome,
	CASE i.name WHEN 'full' THEN p.full WHEN 'few' THEN p.few WHEN 'uuids' THEN p.uuids ELSE p.live END AS promised
FROM promise p, unnest('{full,few,uuids,live}'::text[]) i (name);
SELECT is_empty(format('SELECT call, outcome, promised FROM did WHERE inventory = %L AND outcome IS DISTINCT FROM promised', i), 'over ' || i)
FROM unnest('{full,few,uuids,live}'::text[]) i;
SELECT is_empty($$ SELECT call, inventory, outcome FROM did WHERE outcome ~ 'without DETAIL or HINT' OR outcome ~ '^[0-9A-Z]{5} ' AND outcome !~ '^(22|42)' $$, 'every error has a DETAIL and a HINT, and is no server''s fault');
SELECT * FROM finish();
ROLLBACK;
