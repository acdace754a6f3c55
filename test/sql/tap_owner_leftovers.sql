-- What code of an owner, which guards and functions have to run, leaves behind for
-- those who call them: no setting, whoever calls and whatever fires; and what an
-- inventory whose relations are not all there, or not all his, is read as.
\i test/tap/setup.psql
\i test/tap/outcome.psql

SELECT plan(44);
SET LOCAL client_min_messages = warning;

CREATE ROLE vmnet_test_trapper;
CREATE ROLE vmnet_test_heir;
CREATE ROLE vmnet_test_client;
DO $$ BEGIN EXECUTE format('GRANT CREATE ON DATABASE %I TO vmnet_test_trapper', current_database()); END $$;
CREATE TABLE public.vmnet_test_ran (who text);
GRANT INSERT ON public.vmnet_test_ran TO PUBLIC;

SET LOCAL ROLE vmnet_test_trapper;
SELECT vmnet.create_inventory('trap') \g /dev/null
INSERT INTO trap.networks (id) VALUES (1), (2), (3);
INSERT INTO trap.instances (id, state) SELECT n, 'Running' FROM generate_series(1, 9) n;
INSERT INTO trap.nics (instance_id, network_id, ip4_address) VALUES (1, 1, '10.0.0.1'), (2, 1, '10.0.0.2');
INSERT INTO trap.nic_secondary_ips (nic_id, network_id, ip4_address) VALUES (1, 1, '10.0.0.3');
CREATE FUNCTION trap.set() RETURNS boolean LANGUAGE plpgsql VOLATILE AS $$
BEGIN
	INSERT INTO public.vmnet_test_ran VALUES (current_user);
	PERFORM set_config('search_path', 'trap, pg_catalog', false), set_config('vmnet.actor', 'somebody else', false),
		set_config('DateStyle', 'German', false);
	RETURN true;
END $$;
CREATE FUNCTION trap.f(int) RETURNS boolean LANGUAGE plpgsql IMMUTABLE AS $$ BEGIN RETURN trap.set(); END $$;
GRANT USAGE ON SCHEMA trap TO PUBLIC;
GRANT SELECT, INSERT, UPDATE ON ALL TABLES IN SCHEMA trap TO vmnet_test_client;
GRANT USAGE ON ALL SEQUENCES IN SCHEMA trap TO vmnet_test_client;
CREATE INDEX ON trap.all_nics (network_id) WHERE trap.f(1);
CREATE INDEX ON trap.all_networks (id) WHERE trap.f(1);
CREATE INDEX ON trap.all_instances (id) WHERE trap.f(1);
CREATE INDEX ON trap.all_nic_secondary_ips (nic_id) WHERE trap.f(1);
CREATE INDEX ON trap.nic_history (nic_id) WHERE trap.f(1);
RESET ROLE;
TRUNCATE public.vmnet_test_ran;

-- What a command leaves of the settings, and as whom it ran the code of the owner.
-- The command is undone; its settings are not, since it may have set them for good.
CREATE FUNCTION pg_temp.leftovers(command text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	result text;
BEGIN
	PERFORM set_config('search_path', 'public', true), set_config('vmnet.actor', 'me', true), set_config('DateStyle', 'ISO', true);
	EXECUTE command;
	result := pg_catalog.concat_ws(' ', pg_catalog.current_setting('search_path'), pg_catalog.current_setting('vmnet.actor'), pg_catalog.split_part(pg_catalog.current_setting('DateStyle'), ',', 1));
	PERFORM pg_catalog.set_config('search_path', 'public', true);
	RETURN result;
EXCEPTION WHEN OTHERS THEN
	RETURN SQLSTATE || ' ' || SQLERRM;
END
$$;
-- the same in the middle of one statement: what the next call in it would see
CREATE FUNCTION pg_temp.clean(command text) RETURNS SETOF text LANGUAGE plpgsql AS $$
BEGIN
	RETURN NEXT is(pg_temp.leftovers(command), 'public me ISO', command);
END
$$;

-- functions, called by a superuser
SELECT pg_temp.clean(c) FROM unnest(ARRAY[
	$c$SELECT vmnet.network_in_use(1, 'trap')$c$,
	$c$SELECT vmnet_internal.mac_held('trap', '02:00:00:00:00:01')$c$,
	$c$SELECT vmnet_internal.free_device('trap', 1, 1)$c$,
	$c$SELECT vmnet.network_active_instance_count(1, 'trap')$c$,
	$c$SELECT count(*) FROM vmnet.network_blockers(1, 'trap')$c$,
	$c$SELECT vmnet.inventory_status('trap')$c$,
	$c$SELECT vmnet.nic_add(3, 2, '10.0.0.9', inventory => 'trap')$c$,
	$c$SELECT vmnet.nic_set_ip(1, '10.0.0.8', inventory => 'trap')$c$,
	$c$SELECT vmnet.nic_event(1, 'ReservationRequested', inventory => 'trap')$c$,
	$c$SELECT vmnet.nic_remove(2, inventory => 'trap')$c$,
	$c$SELECT vmnet.network_remove(3, 'trap')$c$,
	$c$SELECT vmnet.instance_expunge(9, 'trap')$c$]) c;
SELECT ok(count(*) > 0, 'code of the owner was run') FROM public.vmnet_test_ran;
SELECT is(count(*), 0::bigint, 'as the owner') FROM public.vmnet_test_ran WHERE who <> 'vmnet_test_trapper';
TRUNCATE public.vmnet_test_ran;

-- What a client's own statement runs, an index or a default of the table that it
-- writes, is run as the client, as in any table.  Here that code is of the guards'
-- making only: the indexes of what they read.
DROP INDEX trap.all_nics_network_id_idx;
SET LOCAL ROLE vmnet_test_trapper;
CREATE TABLE trap.notes (nic_id bigint);
RESET ROLE;

-- guards of a table of one role that read tables of another
SELECT vmnet.create_inventory('vic') \g /dev/null
INSERT INTO vic.networks (id) VALUES (1), (2), (3);
INSERT INTO vic.instances (id, state) VALUES (1, 'Running'), (2, 'Running'), (3, 'Running');
GRANT USAGE ON SCHEMA vic TO vmnet_test_trapper;
GRANT REFERENCES (id) ON vic.all_networks, vic.all_instances TO vmnet_test_trapper;
SET LOCAL ROLE vmnet_test_trapper;
CREATE FUNCTION pg_temp.make_nics(name text, networks text, instances text) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
	EXECUTE format('CREATE TABLE trap.%1$I (id bigint PRIMARY KEY, instance_id bigint REFERENCES %3$s (id), network_id bigint REFERENCES %2$s (id),
			state text, strategy text, default_nic boolean, created timestamptz, state_changed timestamptz, removed timestamptz, active boolean);
		CREATE TRIGGER p BEFORE INSERT ON trap.%1$I FOR EACH ROW EXECUTE FUNCTION vmnet_internal.nic_prepare();
		CREATE TRIGGER g AFTER INSERT OR UPDATE ON trap.%1$I FOR EACH ROW EXECUTE FUNCTION vmnet_internal.nic_guard();
		CREATE INDEX ON trap.%1$I (network_id) WHERE trap.f(1);
		CREATE INDEX ON trap.%1$I (instance_id) WHERE trap.f(1)', name, networks, instances);
END $$;
CREATE TABLE trap.inst (id bigint PRIMARY KEY, removed timestamptz);
CREATE TABLE trap.net (id bigint PRIMARY KEY, removed timestamptz);
SELECT pg_temp.make_nics('on_network', 'vic.all_networks', 'trap.inst') \g /dev/null
SELECT pg_temp.make_nics('on_instance', 'trap.net', 'vic.all_instances') \g /dev/null
RESET ROLE;
TRUNCATE public.vmnet_test_ran;
SELECT pg_temp.clean('UPDATE vic.all_networks SET removed = now() WHERE id = 1');
SELECT pg_temp.clean('UPDATE vic.networks SET removed = now() WHERE id = 2');
SELECT pg_temp.clean('UPDATE vic.all_instances SET removed = now() WHERE id = 1');
SELECT pg_temp.clean($c$SELECT vmnet.network_remove(3, 'vic')$c$);
SELECT pg_temp.clean($c$SELECT vmnet.instance_expunge(2, 'vic')$c$);
SELECT is((SELECT count(*) FROM public.vmnet_test_ran WHERE who <> 'vmnet_test_trapper'), 0::bigint, 'nothing of it ran as the superuser');

--
-- REFERENCES
--
CREATE FUNCTION pg_temp.removed(what text, which bigint) RETURNS boolean LANGUAGE plpgsql AS $$
DECLARE
	result boolean;
BEGIN
	EXECUTE format('SELECT removed IS NOT NULL FROM vic.%I WHERE id = $1', what) INTO result USING which;
	RETURN result;
END
$$;
INSERT INTO vic.networks (id) SELECT generate_series(11, 16);
INSERT INTO vic.instances (id, state) SELECT n, 'Running' FROM generate_series(11, 16) n;
SET LOCAL ROLE vmnet_test_trapper;
-- tables that are of no use as tables of NICs, with the guard on them
CREATE TABLE trap.short (network_id bigint REFERENCES vic.all_networks (id));
CREATE TRIGGER g AFTER INSERT ON trap.short FOR EACH ROW EXECUTE FUNCTION vmnet_internal.nic_guard();
CREATE TABLE trap.short_instance (instance_id bigint REFERENCES vic.all_instances (id));
CREATE TRIGGER g AFTER INSERT ON trap.short_instance FOR EACH ROW EXECUTE FUNCTION vmnet_internal.nic_guard();
CREATE TABLE trap.typed (id text, instance_id bigint, network_id bigint REFERENCES vic.all_networks (id), state int, strategy int, default_nic int, created text, state_changed text, removed text, active text);
CREATE TRIGGER g AFTER INSERT ON trap.typed FOR EACH ROW EXECUTE FUNCTION vmnet_internal.nic_guard();
INSERT INTO trap.inst VALUES (1);
INSERT INTO trap.net VALUES (1);
-- and rows that hold, as it were, what they refer to
ALTER TABLE trap.on_network DISABLE TRIGGER USER;
INSERT INTO trap.on_network (id, instance_id, network_id, state, active) VALUES (1, 1, 11, 'Reserved', true);
ALTER TABLE trap.on_network ENABLE TRIGGER USER;
ALTER TABLE trap.on_instance DISABLE TRIGGER USER;
INSERT INTO trap.on_instance (id, instance_id, network_id, state, active) VALUES (1, 11, 1, 'Reserved', true);
ALTER TABLE trap.on_instance ENABLE TRIGGER USER;
SET LOCAL search_path = public;
SET LOCAL DateStyle = 'ISO';
RESET ROLE;
SELECT is(pg_temp.outcome('UPDATE vic.networks SET removed = now() WHERE id = 11'), 'accepted', 'a network that a NIC of another role is on is removed');
SELECT is(pg_temp.outcome('UPDATE vic.instances SET removed = now() WHERE id = 11'), 'accepted', 'an instance, too');
SELECT is(pg_temp.outcome('UPDATE vic.all_networks SET removed = now() WHERE id = 12'), 'accepted', 'one that a table without columns refers to');
SELECT is(pg_temp.outcome('UPDATE vic.all_instances SET removed = now() WHERE id = 12'), 'accepted', 'an instance, too');
SELECT is(pg_temp.outcome($c$SELECT vmnet.network_remove(13, 'vic')$c$), 'accepted', 'by an operation');
SELECT is(pg_temp.outcome($c$SELECT vmnet.instance_expunge(13, 'vic')$c$), 'accepted', 'an instance, too');
SELECT is(pg_temp.removed('all_networks', n) AND pg_temp.removed('all_instances', n), true, n || ' is removed') FROM generate_series(11, 13) n;
-- the owner's own NICs hold as before
INSERT INTO vic.nics (instance_id, network_id) VALUES (14, 14);
SELECT is(pg_temp.outcome('UPDATE vic.networks SET removed = now() WHERE id = 14'), '23503 network_in_use', 'a NIC of the owner holds its network');
SELECT is(pg_temp.outcome('UPDATE vic.instances SET removed = now() WHERE id = 14'), '23503 instance_in_use', 'and its instance');
-- without a table of NICs of the owner, nobody can tell
SAVEPOINT guarded;
DROP TRIGGER _nic_guard ON vic.all_nics;
SELECT isnt(pg_temp.outcome('UPDATE vic.networks SET removed = now() WHERE id = 15'), 'accepted', 'where the owner''s table has lost its guard the removal is refused');
ROLLBACK TO guarded;

--
-- An inventory without all_nics belongs to the owner of inventory_info
--
CREATE FUNCTION pg_temp.put(relation text, owner name) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
	EXECUTE format('CREATE OR REPLACE VIEW trap.%1$I AS SELECT %2$s FROM trap.all_%1$I WHERE trap.f(1)', relation,
		(SELECT string_agg(quote_ident(attname), ', ' ORDER BY attnum) FROM pg_attribute WHERE attrelid = ('trap.' || relation)::regclass AND attnum > 0));
	EXECUTE format('ALTER VIEW trap.%I OWNER TO %I', relation, owner);
END
$$;
ALTER TABLE trap.all_nics RENAME TO nics_of_mine;
SELECT pg_temp.put('networks', 'vmnet_test_trapper') \g /dev/null
TRUNCATE public.vmnet_test_ran;
SELECT isnt(pg_temp.outcome($c$SELECT vmnet.network_id('00000000-0000-0000-0000-000000000000', 'trap')$c$), '42501 inventory_owner', 'whose views are all his');
SELECT is(count(*), 0::bigint, 'is read as the owner') FROM public.vmnet_test_ran WHERE who <> 'vmnet_test_trapper';
SELECT pg_temp.put('networks', 'vmnet_test_heir') \g /dev/null
SELECT is(pg_temp.outcome($c$SELECT vmnet.network_id('00000000-0000-0000-0000-000000000000', 'trap')$c$), '42501 inventory_owner', 'one with a view of another role is refused');
SELECT is(pg_temp.outcome($c$SELECT * FROM vmnet.network_active_instances(1, inventory => 'trap')$c$), '42501 inventory_owner', 'in every function');
SELECT is(pg_temp.outcome($c$SELECT * FROM vmnet.network_blockers(1, 'trap')$c$), '42501 inventory_owner', 'also in one that is not in C');
-- neither relation: no inventory
ALTER VIEW trap.inventory_info RENAME TO info_of_mine;
SELECT is(pg_temp.outcome(c), '22023', c) FROM unnest(ARRAY[
	$c$SELECT vmnet.network_id('00000000-0000-0000-0000-000000000000', 'trap')$c$,
	$c$SELECT * FROM vmnet.network_blockers(1, 'trap')$c$,
	$c$SELECT * FROM vmnet.check_inventory('trap')$c$,
	$c$SELECT vmnet.network_in_use(1, 'trap')$c$,
	$c$SELECT vmnet.nic_add(3, 2, inventory => 'trap')$c$,
	$c$SELECT vmnet_internal.mac_held('trap', NULL)$c$,
	$c$SELECT vmnet_internal.require_one_owner('trap')$c$]) c;

SELECT * FROM finish();
ROLLBACK;
