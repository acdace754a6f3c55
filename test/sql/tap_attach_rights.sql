-- Whose code runs as whom in attached inventories, and what becomes of guards
-- when owners change: each write works, or is refused with a HINT that mends it.
\i test/tap/setup.psql
\i test/tap/outcome.psql
SELECT plan(70);
SET LOCAL client_min_messages = error;

CREATE ROLE rights_app;
CREATE ROLE rights_member IN ROLE rights_app;
CREATE ROLE rights_other;
CREATE ROLE rights_boss IN ROLE rights_app, rights_other;
CREATE ROLE rights_writer;
SELECT format('GRANT CREATE ON DATABASE %I TO rights_boss, rights_writer', current_database()) \gexec
CREATE SCHEMA app AUTHORIZATION rights_app;
GRANT USAGE, CREATE ON SCHEMA app TO rights_other, rights_boss, rights_writer;

-- everything of the application's role says as whom it runs
CREATE TABLE public.ran_as (what text, who text);
GRANT INSERT ON public.ran_as TO PUBLIC;
SET ROLE rights_app;
CREATE FUNCTION app.note(what text) RETURNS void LANGUAGE plpgsql VOLATILE AS $$ BEGIN INSERT INTO public.ran_as VALUES (what, current_user); END $$;
CREATE FUNCTION app.says(what text) RETURNS boolean LANGUAGE plpgsql IMMUTABLE AS $$ BEGIN PERFORM app.note(what); RETURN true; END $$;
CREATE FUNCTION app.says(what text, value anyelement) RETURNS anyelement LANGUAGE plpgsql IMMUTABLE AS $$ BEGIN PERFORM app.note(what); RETURN value; END $$;
CREATE FUNCTION app.inlined(what text, value timestamptz) RETURNS timestamptz LANGUAGE sql IMMUTABLE AS $$ SELECT app.says(what, value) $$;
CREATE TABLE app.nets (id bigint PRIMARY KEY, removed timestamptz);
CREATE TABLE app.vms (id bigint PRIMARY KEY, removed timestamptz);
CREATE TABLE app.ports (id bigint PRIMARY KEY, network_id bigint, instance_id bigint, state text, mac_address macaddr, removed timestamptz);
INSERT INTO app.nets VALUES (1, NULL), (2, NULL), (3, '2024-01-01'); INSERT INTO app.vms VALUES (1); INSERT INTO app.ports VALUES (1, 1, 1, 'Reserved');
CREATE INDEX ON app.ports (id) WHERE app.says('index predicate of NICs');
CREATE INDEX ON app.nets (id) WHERE app.says('index predicate of networks');
CREATE INDEX ON app.nets (app.says('index expression', id));
CREATE INDEX ON app.ports (app.says('index expression of NICs', network_id)) WHERE removed IS NULL;
CREATE POLICY everything ON app.nets USING (app.says('policy'));
ALTER TABLE app.nets ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY everything ON app.ports USING (app.says('policy of NICs'));
ALTER TABLE app.ports ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
RESET ROLE;

-- by a superuser, and by a stronger role that is none
CREATE FUNCTION pg_temp.attach(who name, mode text, name text DEFAULT 'att') RETURNS text LANGUAGE sql AS $$
SELECT pg_temp.outcome_as(who, format('SELECT count(*) FROM vmnet.attach_inventory(%L, ''app.ports'', ''app.nets'', ''app.vms'', mode => %L)', name, mode))
$$;
CREATE FUNCTION pg_temp.owners(name text) RETURNS SETOF text LANGUAGE sql AS $$
SELECT DISTINCT pg_get_userbyid(relowner)::text COLLATE "default" FROM pg_class WHERE relnamespace = quote_ident(name)::regnamespace
UNION SELECT pg_get_userbyid(nspowner)::text FROM pg_namespace WHERE nspname = name
$$;
TRUNCATE public.ran_as;
SELECT is(pg_temp.attach(current_user, 'enforce'), 'accepted', 'a superuser attaches tables of an application');
SELECT set_eq($$ SELECT pg_temp.owners('att') $$, ARRAY['rights_app'], 'and all of the inventory belongs to the application');
SELECT isnt_empty('SELECT * FROM public.ran_as', 'its code ran');
SELECT is_empty($$ SELECT * FROM public.ran_as WHERE who <> 'rights_app' $$, 'as nobody but itself');

-- the views, replaced: expressions, and what says to be immutable
SET ROLE rights_app;
CREATE FUNCTION app.replace_views() RETURNS void LANGUAGE plpgsql AS $$
DECLARE
	v record;
BEGIN
	FOR v IN SELECT c.oid::regclass AS view, pg_get_viewdef(c.oid) AS query FROM pg_class c WHERE c.relnamespace = 'att'::regnamespace AND c.relname ~ '^attached_' LOOP
		EXECUTE format('CREATE OR REPLACE VIEW %s WITH (security_invoker = true) AS %s', v.view,
			replace(regexp_replace(v.query, '\m((?:\w+\.)?removed),', 'app.inlined(''planned'', CASE WHEN app.says(''inlined'') THEN \1 END) AS removed,'),
				'NULL::uuid', 'CASE WHEN app.says(''evaluated'', 1) = 1 THEN NULL::uuid END'));
	END LOOP;
END
$$;
SELECT app.replace_views() \g /dev/null
RESET ROLE;
SELECT cmp_ok((SELECT count(*) FROM pg_class c WHERE c.relnamespace = 'att'::regnamespace AND c.relname ~ '^attached_' AND pg_get_viewdef(c.oid) ~ 'app.inlined'), '=', 3::bigint, 'the views of the guards run functions');
GRANT ALL ON ALL TABLES IN SCHEMA app TO rights_writer, rights_boss, rights_other;
CREATE FUNCTION pg_temp.writes(who name) RETURNS SETOF text LANGUAGE plpgsql AS $$
BEGIN
	-- planned anew
	ALTER VIEW att.attached_nics SET (security_invoker = true);
	ALTER VIEW att.attached_networks SET (security_invoker = true);
	ALTER VIEW att.attached_instances SET (security_invoker = true);
	DELETE FROM public.ran_as;
	RETURN NEXT pg_temp.outcome_as(who, 'INSERT INTO app.ports VALUES (2, 2, 1, ''Allocated'')');
	RETURN NEXT pg_temp.outcome_as(who, 'INSERT INTO app.ports VALUES (3, 3, 1, ''Allocated'')');
	RETURN NEXT pg_temp.outcome_as(who, 'UPDATE app.ports SET state = ''Reserving'', mac_address = ''02:00:00:00:00:01'' WHERE id = 2');
	RETURN NEXT pg_temp.outcome_as(who, 'UPDATE app.ports SET state = ''Nonsense'', network_id = 1 WHERE id = 2');
	RETURN NEXT pg_temp.outcome_as(who, 'UPDATE app.nets SET removed = now() WHERE id = 1');
	RETURN NEXT pg_temp.outcome_as(who, 'UPDATE app.vms SET removed = now()');
	RETURN NEXT pg_temp.outcome_as(who, 'DELETE FROM app.ports WHERE id = 2');
	RETURN NEXT pg_temp.outcome_as(who, 'TRUNCATE app.ports');
	PERFORM pg_temp.outcome_as(who, 'UPDATE app.ports SET removed = now() WHERE id = 2');
	PERFORM pg_temp.outcome_as(who, 'DELETE FROM app.ports WHERE id = 2');
END
$$;
CREATE TEMP TABLE right_answers AS SELECT ARRAY['accepted', '23503 nic_parent_active', 'accepted', '23514 nic_identity_immutable', '23503 network_in_use', '23503 instance_in_use', '23001 no_hard_delete', '23001 no_hard_delete'] AS a;
GRANT SELECT ON right_answers TO PUBLIC;
GRANT ALL ON public.ran_as TO rights_app;
SELECT is(ARRAY(SELECT pg_temp.writes(w)), (SELECT a FROM right_answers), format('the guards judge what %s writes', w))
FROM (VALUES ('rights_app'), ('rights_member'), ('rights_boss'), ('rights_writer')) v (w);
SELECT is(ARRAY(SELECT pg_temp.writes(current_user)), (SELECT a FROM right_answers), 'and what a superuser writes');
SELECT set_has('SELECT what FROM public.ran_as', $$ VALUES ('inlined'), ('planned') $$, 'by the functions of the views');
-- policies and indexes run as the writer: PostgreSQL's own, as without an inventory
SELECT is_empty($$ SELECT * FROM public.ran_as WHERE who <> 'rights_app' AND what IN ('inlined', 'planned', 'evaluated') $$, 'which run as the owner of the table, even where a superuser writes');
SET ROLE rights_member;
SET ROLE rights_app;
SELECT is(ARRAY(SELECT pg_temp.writes('rights_writer')), (SELECT a FROM right_answers), 'whatever role was set before');
RESET ROLE;
SELECT is(current_user::text COLLATE "C", session_user::text COLLATE "C", 'and the role is as it was');

--
-- A function that a view uses is replaced: also where it was inlined
--
CREATE FUNCTION pg_temp.as_app(command text) RETURNS text LANGUAGE sql AS $$ SELECT pg_temp.outcome_as('rights_app', command) $$;
SELECT is(pg_temp.trial('INSERT INTO app.ports VALUES (5, 2, 1, ''Allocated'')'), 'accepted', 'a network that is there');
SELECT pg_temp.as_app($$ CREATE OR REPLACE FUNCTION app.inlined(what text, value timestamptz) RETURNS timestamptz LANGUAGE sql IMMUTABLE AS 'SELECT ''2024-01-01''::timestamptz' $$) \g /dev/null
SELECT is(pg_temp.trial('INSERT INTO app.ports VALUES (5, 2, 1, ''Allocated'')'), 'accepted', 'a row that a replaced function calls removed is a piece of the past');
SELECT pg_temp.as_app($$ CREATE OR REPLACE FUNCTION app.inlined(what text, value timestamptz) RETURNS timestamptz LANGUAGE sql IMMUTABLE AS 'SELECT $2' $$) \g /dev/null
SELECT is(pg_temp.trial('INSERT INTO app.ports VALUES (5, 3, 1, ''Allocated'')'), '23503 nic_parent_active', 'replaced again');
SELECT pg_temp.as_app($$ CREATE OR REPLACE FUNCTION app.inlined(what text, value timestamptz) RETURNS timestamptz LANGUAGE plpgsql IMMUTABLE AS 'BEGIN RETURN NULL; END' $$) \g /dev/null
SELECT is(pg_temp.trial('INSERT INTO app.ports VALUES (5, 3, 1, ''Allocated'')'), 'accepted', 'by one of another language');
SELECT pg_temp.as_app($$ CREATE OR REPLACE FUNCTION app.inlined(what text, value timestamptz) RETURNS timestamptz LANGUAGE plpgsql IMMUTABLE AS 'BEGIN RETURN (1 / 0)::text; END' $$) \g /dev/null
SELECT is(pg_temp.trial('INSERT INTO app.ports VALUES (5, 3, 1, ''Allocated'')'), '22012', 'by one that fails');
REVOKE EXECUTE ON FUNCTION app.inlined(text, timestamptz) FROM PUBLIC, rights_app;
SELECT is(pg_temp.trial('INSERT INTO app.ports VALUES (5, 3, 1, ''Allocated'')'), '42501', 'by one that the owner may not call');
GRANT EXECUTE ON FUNCTION app.inlined(text, timestamptz) TO rights_app;
-- one that writes to the table, and so calls the guard while it is at work
SELECT pg_temp.as_app($$ CREATE OR REPLACE FUNCTION app.inlined(what text, value timestamptz) RETURNS timestamptz LANGUAGE plpgsql VOLATILE AS
	'BEGIN IF current_setting(''test.deep'', true) = ''yes'' AND NOT EXISTS (SELECT FROM app.ports WHERE id = 6) THEN INSERT INTO app.ports VALUES (6, 2, 1, ''Allocated''); END IF; RETURN value; END' $$) \g /dev/null
SET LOCAL test.deep = 'yes';
SELECT is(pg_temp.trial('INSERT INTO app.ports VALUES (5, 3, 1, ''Allocated'')'), '23503 nic_parent_active', 'by one that writes to the table itself');
SET LOCAL test.deep = 'yes';
SELECT is(pg_temp.trial('INSERT INTO app.ports VALUES (5, 2, 1, ''Allocated'')'), 'accepted', 'whatever it writes');
-- one that replaces the view that is being read
SELECT pg_temp.as_app($$ CREATE OR REPLACE FUNCTION app.inlined(what text, value timestamptz) RETURNS timestamptz LANGUAGE plpgsql VOLATILE AS
	'BEGIN EXECUTE ''CREATE OR REPLACE VIEW att.attached_nics WITH (security_invoker = true) AS '' || pg_get_viewdef(''att.attached_nics''::regclass); RETURN value; END' $$) \g /dev/null
SELECT is(pg_temp.trial('INSERT INTO app.ports VALUES (5, 3, 1, ''Allocated'')'), '23503 nic_parent_active', 'by one that replaces the view');
SELECT is(pg_temp.trial('UPDATE app.ports SET state = ''Allocated'' WHERE id = 1'), '23514 nic_state_transition', 'at every look');
SELECT pg_temp.as_app($$ CREATE OR REPLACE FUNCTION app.inlined(what text, value timestamptz) RETURNS timestamptz LANGUAGE sql IMMUTABLE AS 'SELECT $2' $$) \g /dev/null
-- one that sets a role, or a setting
SELECT pg_temp.as_app($$ CREATE OR REPLACE FUNCTION app.says(what text) RETURNS boolean LANGUAGE plpgsql VOLATILE AS 'BEGIN EXECUTE ''SET ROLE rights_app''; RETURN true; END' $$) \g /dev/null
SELECT is(pg_temp.trial('INSERT INTO app.ports VALUES (5, 2, 1, ''Allocated'')'), '42501', 'nor does the owner''s code set a role');
SELECT is(current_user::text COLLATE "C", session_user::text COLLATE "C", 'which is as it was');
DROP OWNED BY rights_boss;
SELECT pg_temp.as_app($$ CREATE OR REPLACE FUNCTION app.says(what text) RETURNS boolean LANGUAGE plpgsql IMMUTABLE AS 'BEGIN RETURN true; END' $$) \g /dev/null
SELECT is(pg_temp.outcome($$ SELECT vmnet.detach_inventory('att') $$), 'accepted', 'it is detached');

--
-- Owners change
--
SELECT format('GRANT CREATE ON DATABASE %I TO rights_boss', current_database()) \gexec
SET ROLE rights_app;
DROP POLICY everything ON app.nets;
DROP POLICY everything ON app.ports;
ALTER TABLE app.nets NO FORCE ROW LEVEL SECURITY, DISABLE ROW LEVEL SECURITY;
ALTER TABLE app.ports NO FORCE ROW LEVEL SECURITY, DISABLE ROW LEVEL SECURITY;
RESET ROLE;
-- Runs a command, and as often as it is refused for an owner, what the HINT says.
CREATE FUNCTION pg_temp.mended(command text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	hint text;
	rule text;
BEGIN
	FOR i IN 0..10 LOOP
		BEGIN
			EXECUTE command;
			RETURN format('accepted after %s', i);
		EXCEPTION WHEN insufficient_privilege THEN
			GET STACKED DIAGNOSTICS hint = PG_EXCEPTION_HINT, rule = CONSTRAINT_NAME;
			IF rule <> 'inventory_owner' THEN
				RETURN SQLERRM;
			END IF;
		WHEN OTHERS THEN
			RETURN format('%s after %s', SQLSTATE, i);
		END;
		EXECUTE regexp_replace(hint, ' Mode read_only.*', '');
	END LOOP;
	RETURN 'never';
END
$$;
-- The same, undone.
CREATE FUNCTION pg_temp.mends(change text, command text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	result text;
BEGIN
	EXECUTE change;
	result := pg_temp.mended(command);
	RAISE EXCEPTION USING ERRCODE = 'UNDO1';
EXCEPTION WHEN SQLSTATE 'UNDO1' THEN
	RETURN result;
END
$$;
SELECT is(pg_temp.attach('rights_boss', 'enforce'), 'accepted', 'a stronger role that is no superuser attaches them');
SELECT set_eq($$ SELECT pg_temp.owners('att') $$, ARRAY['rights_app'], 'and all of the inventory belongs to the application');
\set add 'INSERT INTO app.ports VALUES (5, 2, 1, ''Allocated'')'
\set move 'UPDATE app.ports SET state = ''Releasing'', mac_address = ''02:00:00:00:00:02'' WHERE id = 1'
\set gone 'UPDATE app.nets SET removed = now() WHERE id = 2'
\set kept 'UPDATE app.nets SET removed = now() WHERE id = 1'
SELECT is(pg_temp.mends('ALTER TABLE app.nets OWNER TO rights_other', :'add'), 'accepted after 1', 'the table of networks gets another owner');
SELECT is(pg_temp.mends('ALTER TABLE app.nets OWNER TO rights_other', :'gone'), 'accepted after 5', 'its own guard reads views, and the NICs, in a schema');
SELECT is(pg_temp.mends('ALTER TABLE app.nets OWNER TO rights_other', :'kept'), '23503 after 5', 'and judges when it may');
SELECT is(pg_temp.mends('ALTER TABLE app.nets OWNER TO rights_other', :'move'), 'accepted after 0', 'what does not read it works on');
SELECT is(pg_temp.mends('ALTER TABLE app.ports OWNER TO rights_other', :'add'), 'accepted after 6', 'the table of NICs gets another owner');
SELECT is(pg_temp.mends('ALTER TABLE app.ports OWNER TO rights_other', :'move'), 'accepted after 7', 'which writes history, too');
SELECT is(pg_temp.mends('ALTER VIEW att.attached_networks OWNER TO rights_other', :'add'), 'accepted after 1', 'a view gets another owner');
SELECT is(pg_temp.mends('ALTER VIEW att.inventory_info OWNER TO rights_boss', :'add'), 'accepted after 1', 'the view that says the mode');
SELECT is(pg_temp.mends('ALTER TABLE att.nic_history OWNER TO rights_boss', :'move'), 'accepted after 1', 'the history');
SELECT is(pg_temp.mends('ALTER TABLE att.nic_address_history OWNER TO rights_boss', :'move'), 'accepted after 1', 'that of addresses');
SELECT is(pg_temp.mends('ALTER SCHEMA att OWNER TO rights_other', :'add'), 'accepted after 0', 'the schema may belong to another role');
SELECT is(pg_temp.mends('ALTER SCHEMA app OWNER TO rights_other; GRANT ALL ON SCHEMA app TO rights_app', :'move'), 'accepted after 0', 'that of the tables, too');
SELECT is(pg_temp.mends('REASSIGN OWNED BY rights_app TO rights_other', c.command), c.outcome, 'REASSIGN OWNED: ' || c.command)
FROM (VALUES (:'add', 'accepted after 0'), (:'move', 'accepted after 0'), (:'gone', 'accepted after 0'), (:'kept', '23503 after 0')) c (command, outcome);
SELECT is(pg_temp.mends('ALTER TABLE app.nets OWNER TO rights_other', $$ SELECT vmnet.set_inventory_mode('att', 'enforce') $$), 'accepted after 1', 'the mode changes when owners are as they should be');
SELECT is(pg_temp.mends('ALTER TABLE app.ports OWNER TO rights_other', $$ SELECT vmnet.set_inventory_mode('att', 'warn') $$), 'accepted after 1', 'whichever table it is');
SELECT is(pg_temp.mends('ALTER TABLE app.ports OWNER TO rights_other', $$ SELECT vmnet.set_inventory_mode('att', 'read_only') $$), 'accepted after 0', 'read_only needs nothing of it');
SELECT is(pg_temp.mends('ALTER TABLE app.ports OWNER TO rights_other', $$ SELECT vmnet.set_inventory_notify('att', true) $$), 'cannot send messages about inventory "att"', 'messages are the owner''s, too');
SELECT is(pg_temp.mends($$ SELECT vmnet.set_inventory_notify('att', true); SELECT vmnet.set_inventory_mode('att', 'read_only'); ALTER TABLE app.ports OWNER TO rights_other $$, :'move'), 'accepted after 2', 'and end with him');
SELECT is(pg_temp.outcome($$ SELECT vmnet.detach_inventory('att') $$), 'accepted', 'it is detached');

-- tables of several roles, and of one whose rights the caller has not
ALTER TABLE app.nets OWNER TO rights_other;
SELECT is(pg_temp.attach('rights_boss', 'warn'), '42501 inventory_owner', 'guards on tables of two roles');
SELECT is(pg_temp.mends('SELECT 1', $$ SELECT count(*) FROM vmnet.attach_inventory('att', 'app.ports', 'app.nets', 'app.vms', mode => 'enforce') $$), 'accepted after 1', 'are to be had when they have one owner');
SELECT is(pg_temp.attach('rights_boss', 'read_only'), 'accepted', 'without guards anybody may have them');
SELECT set_eq($$ SELECT pg_temp.owners('att') $$, ARRAY['rights_boss'], 'as his own');
SELECT is(pg_temp.attach('rights_writer', 'enforce', 'mine'), '42501 inventory_owner', 'guards on tables of others');
SELECT is(pg_temp.attach('rights_writer', 'read_only', 'mine'), 'accepted', 'none');
SELECT set_eq($$ SELECT pg_temp.owners('mine') $$, ARRAY['rights_writer'], 'it is the caller''s');
SELECT is(pg_temp.outcome_as('rights_writer', $$ SELECT vmnet.set_inventory_mode('mine', 'warn') $$), '42501 inventory_owner', 'and stays without');
SELECT is(pg_temp.outcome_as('rights_writer', $$ SELECT * FROM vmnet_internal.attach_as_owner('app', 'app.ports', NULL, NULL, '{}', 'warn') $$), '42501', 'what attach_inventory() is made of gives nobody more than he has');

--
-- What an error says follows the rights of the writer
--
SELECT vmnet.detach_inventory('att'), vmnet.detach_inventory('mine') \g /dev/null
ALTER TABLE app.nets OWNER TO rights_app;
SELECT pg_temp.attach('rights_app', 'enforce') \g /dev/null
SELECT format('GRANT CREATE ON DATABASE %I TO rights_app', current_database()) \gexec
SELECT pg_temp.attach('rights_app', 'enforce') \g /dev/null
CREATE FUNCTION pg_temp.detail(who name, command text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	said text;
	before text := current_setting('role');
BEGIN
	PERFORM set_config('role', who, true);
	EXECUTE command;
	RETURN 'accepted';
EXCEPTION WHEN OTHERS THEN
	GET STACKED DIAGNOSTICS said = PG_EXCEPTION_DETAIL;
	PERFORM set_config('role', before, true);
	RETURN said;
END
$$;
REVOKE SELECT ON app.ports, app.nets FROM rights_writer;
SELECT is(pg_temp.detail(v.who, v.command), v.detail, format('%s: %s', v.who, v.command))
FROM (VALUES
	('rights_app', 'UPDATE app.nets SET removed = now()', '1 NIC is held: NIC 1 (Reserved, instance 1).'),
	('rights_writer', 'UPDATE app.nets SET removed = now()', '1 NIC is held. They are not named, because rows of table "ports" may be hidden from the current role.'),
	('rights_writer', 'INSERT INTO app.ports VALUES (9, 3, 1, ''Allocated'')', 'The NIC is not described, because rows of table "ports" may be hidden from role "rights_writer".'),
	('rights_writer', 'DELETE FROM app.ports', 'The row is not removed; deleting it would lose its history.')) v (who, command, detail);
-- message, DETAIL and HINT
CREATE FUNCTION pg_temp.said(who name, command text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	detail text;
	hint text;
	before text := current_setting('role');
BEGIN
	PERFORM set_config('role', who, true);
	EXECUTE command;
	RETURN 'accepted';
EXCEPTION WHEN OTHERS THEN
	GET STACKED DIAGNOSTICS detail = PG_EXCEPTION_DETAIL, hint = PG_EXCEPTION_HINT;
	PERFORM set_config('role', before, true);
	RETURN concat_ws(' | ', SQLERRM, detail, hint);
END
$$;
INSERT INTO app.ports VALUES (7, 1, 1, 'Deallocating', NULL, '2024-02-02');
GRANT SELECT (id) ON app.ports, app.nets TO rights_writer;
SELECT is(pg_temp.said('rights_writer', v.command), v.said, 'no stored value is named: ' || v.command)
FROM (VALUES
	('UPDATE app.ports SET state = ''Reserving'' WHERE id = 1', 'NIC 1 cannot move from state "(hidden)" to "Reserving" | '
		'The NIC is not described, because rows of table "ports" may be hidden from role "rights_writer". | vmnet.nic_state_transitions() lists all moves.'),
	('UPDATE app.ports SET network_id = 2 WHERE id = 1', '"network_id" of NIC 1 cannot change from (hidden) to 2 | '
		'The NIC is not described, because rows of table "ports" may be hidden from role "rights_writer". | A NIC keeps its id, network and instance. Remove this NIC and add another.'),
	('UPDATE app.ports SET removed = NULL WHERE id = 7', '"removed" of NIC 7 cannot change from (hidden) to null | '
		'The NIC is not described, because rows of table "ports" may be hidden from role "rights_writer". | A removed NIC stays removed. Add a new NIC instead.'),
	('UPDATE app.nets SET removed = NULL WHERE id = 3', '"removed" of network 3 cannot change | It has been removed. | A removed network stays removed. Add a new one instead.')) v (command, said);
GRANT SELECT (network_id, instance_id, state, mac_address, removed) ON app.ports TO rights_writer;
SELECT is(pg_temp.said('rights_writer', v.command), pg_temp.said('rights_app', v.command), 'but to who may read every column: ' || v.command)
FROM (VALUES ('UPDATE app.ports SET state = ''Reserving'' WHERE id = 1'), ('UPDATE app.ports SET network_id = 2 WHERE id = 1')) v (command);
SELECT * FROM finish();
ROLLBACK;
