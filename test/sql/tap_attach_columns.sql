-- Attached inventories over tables of many shapes: what is removed never reads
-- as live because a mapping was not understood, keys of any spelling are
-- guarded, and one odd value breaks no query.
\i test/tap/setup.psql
\i test/tap/outcome.psql
SELECT plan(66);
SET client_min_messages = error;
CREATE SCHEMA app;

-- The DETAIL of a refusal to attach; 'attached' where there is none.
CREATE FUNCTION pg_temp.refusal(nics text, columns text DEFAULT '{}', networks text DEFAULT NULL, mode text DEFAULT 'warn') RETURNS text
LANGUAGE plpgsql AS $$
DECLARE
	detail text;
BEGIN
	PERFORM vmnet.attach_inventory('trial', nics::regclass, networks::regclass, columns => columns::jsonb, mode => mode);
	PERFORM vmnet.detach_inventory('trial');
	RETURN 'attached';
EXCEPTION WHEN invalid_parameter_value THEN
	GET STACKED DIAGNOSTICS detail = PG_EXCEPTION_DETAIL;
	RETURN detail;
END
$$;
-- What attach_inventory() says of columns, not of indexes.
CREATE FUNCTION pg_temp.notes(nics text, columns text DEFAULT '{}', networks text DEFAULT NULL, mode text DEFAULT 'warn') RETURNS SETOF text
LANGUAGE plpgsql AS $$
BEGIN
	RETURN QUERY SELECT a.finding || ': ' || a.message FROM vmnet.attach_inventory('trial', nics::regclass, networks::regclass, columns => columns::jsonb, mode => mode) a
		WHERE a.finding !~ '^index_' ORDER BY 1;
	PERFORM vmnet.detach_inventory('trial');
END
$$;

--
-- What says that a row is removed
--
CREATE TABLE app.flags (id int PRIMARY KEY, network_id int, instance_id int, is_deleted boolean NOT NULL DEFAULT false,
	enabled_row boolean NOT NULL DEFAULT true, epoch bigint, number numeric NOT NULL DEFAULT 0, until timestamptz NOT NULL DEFAULT 'infinity',
	word varchar(36) NOT NULL DEFAULT 'no');
INSERT INTO app.flags VALUES (1, 1, 1, false, true, NULL, 0), (2, 1, 2, true, false, 1700000000, 2), (3, 1, 3, false, true, 0, 0);

SELECT results_eq($$ SELECT pg_temp.notes('app.flags') $$,
	ARRAY['removed_unmapped: nics: no column says which rows are removed, so all of app.flags read as live; if "is_deleted" says it: {"nics": {"removed": "is_deleted"}}'],
	'a column that looks like a soft delete, and is not mapped, is told');
SELECT is_empty($$ SELECT pg_temp.notes('app.flags', '{"nics": {"removed": null}}') $$, 'unless it is left out on purpose');
SELECT is_empty($$ SELECT pg_temp.notes('app.flags', '{"nics": {"removed": "is_deleted"}}') $$, 'or mapped');
SELECT results_eq($$ SELECT pg_temp.notes('app.flags', '{"nics": {"removed": "is_deleted"}}', 'app.flags') $$,
	ARRAY['removed_unmapped: networks: no column says which rows are removed, so all of app.flags read as live; if "is_deleted" says it: {"networks": {"removed": "is_deleted"}}'],
	'of a parent, too');

SELECT matches(pg_temp.refusal('app.flags', '{"nics": {"removed": {}}}'), 'nics\.removed must be the name of a column, or null, or an object with "column"', 'removed without a column is no removed at all: refused');
SELECT matches(pg_temp.refusal('app.flags', '{"nics": {"removed": {"col": "is_deleted"}}}'), 'nics\.removed must be the name of a column, or null, or an object with "column"', 'a misspelt key is refused, not passed over');
SELECT matches(pg_temp.refusal('app.flags', '{"nics": {"removed": {"column": "is_deleted", "removed_wen": "true"}}}'), 'nics\.removed must be the name of a column, or null, or an object with "column"', 'beside a column as well');
SELECT matches(pg_temp.refusal('app.flags', '{"nics": {"name": 5, "mtu": [1]}}'), 'nics has no canonical column "name"', 'names are still checked');
SELECT matches(pg_temp.refusal('app.flags', '{"nics": {"mtu": [1]}}'), 'nics\.mtu must be the name of a column, or null', 'what is no column name is told so');
SELECT matches(pg_temp.refusal('app.flags', '{"nics": {"removed": {"column": "word", "removed_when": "not_null"}}}'), 'column "word" is NOT NULL', 'nor with that');
SELECT matches(pg_temp.refusal('app.flags', '{"nics": {"removed": "until"}}'), 'nics\.removed: column "until" is NOT NULL, so every row would read as removed',
	'a column that is never NULL does not say by NULL what is live');
SELECT matches(pg_temp.refusal('app.flags', '{"nics": {"removed": "word"}}'), 'column "word" is of type character varying, so say as removed_when', 'nor does a word, without more');

CREATE FUNCTION pg_temp.live(columns text) RETURNS int[]
LANGUAGE plpgsql AS $$
DECLARE
	result int[];
BEGIN
	PERFORM vmnet.attach_inventory('trial', 'app.flags', columns => columns::jsonb);
	SELECT array_agg(n.id ORDER BY n.id) INTO result FROM trial.nics n;
	PERFORM vmnet.detach_inventory('trial');
	RETURN result;
END
$$;
SELECT is(pg_temp.live('{"nics": {"removed": "is_deleted"}}'), '{1,3}', 'a flag: live where it is false');
SELECT is(pg_temp.live('{"nics": {"removed": {"column": "enabled_row", "removed_when": "false"}}}'), '{1,3}', 'a flag that says what is there: live where it is true');
SELECT is(pg_temp.live('{"nics": {"removed": "epoch"}}'), '{1,3}', 'seconds: live where they are 0 or NULL');
SELECT is(pg_temp.live('{"nics": {"removed": "number"}}'), '{1,3}', 'numeric: live where it is 0');
SELECT is(pg_temp.live('{"nics": {"removed": null}}'), '{1,2,3}', 'and left out: all');

--
-- Mappings that would do nothing
--
SELECT matches(pg_temp.refusal('app.flags', '{"networks": {"name": "x"}}'), 'columns: "networks" is mapped, but no such table is given', 'columns of a table that is not given');
SELECT matches(pg_temp.refusal('app.flags', '{"states": {"up": "Reserved"}}'), 'states are given, but table app\.flags has no column "state"', 'states of a table without');
CREATE TABLE app.stated (id int PRIMARY KEY, network_id int, instance_id int, state text);
SELECT matches(pg_temp.refusal('app.stated', '{"states": {"up": 5}}'), 'states must map each of their states to the name of one, but "up" is 5', 'a state is a word');
SELECT is(pg_temp.refusal('app.stated', '{"nics": {"states": {"up": "Reserved"}}}'), 'attached', 'states may stand with the columns of nics');
SELECT matches(pg_temp.refusal('app.stated', '{"nics": {"states": {"up": 5}}}'), 'states must map each of their states to the name of one, but "up" is 5', 'where they are looked at as closely');
SELECT matches(pg_temp.refusal('app.stated', '{"nics": {"states": "up"}}'), 'columns: states must be a JSON object', 'and must be states');
CREATE TABLE app.unreadable (id int PRIMARY KEY, network_id int, instance_id int, created text, mac_address bytea);
SELECT results_eq($$ SELECT pg_temp.notes('app.unreadable') $$, ARRAY[
	'column_unread: nics.created: column "created" of table app.unreadable is of type text, which does not read as timestamptz: it reads as NULL',
	'column_unread: nics.mac_address: column "mac_address" of table app.unreadable is of type bytea, which does not read as macaddr: it reads as NULL'],
	'a column of the right name and the wrong type is told');

--
-- Domains, and domains over domains, in place of the types themselves
--
CREATE DOMAIN app.number AS bigint CHECK (VALUE > 0);
CREATE DOMAIN app.serial_number AS app.number;
CREATE DOMAIN app.moment AS timestamptz;
CREATE DOMAIN app.small AS int;
CREATE TABLE app.d_net (id app.serial_number PRIMARY KEY, removed app.moment);
CREATE TABLE app.d_vm (id app.small PRIMARY KEY, removed app.moment);
CREATE TABLE app.d_nic (id app.number PRIMARY KEY, network_id app.number, instance_id app.small, state text NOT NULL DEFAULT 'Allocated', created app.moment DEFAULT now(), removed app.moment);
INSERT INTO app.d_net VALUES (1), (2);
INSERT INTO app.d_vm VALUES (1), (2);
INSERT INTO app.d_nic VALUES (1, 1, 1), (2, 1, 2);
SELECT lives_ok($$ SELECT vmnet.attach_inventory('dom', 'app.d_nic', 'app.d_net', 'app.d_vm', mode => 'enforce') $$, 'domains attach');
SELECT results_eq($$ SELECT instance_id FROM vmnet.network_active_instances(1, inventory => 'dom') $$, ARRAY[1::bigint, 2], 'functions of bigint read what is a bigint underneath');
SELECT is(pg_temp.trial($$ UPDATE app.d_net SET removed = now() WHERE id = 1 $$), '23503 network_in_use', 'and guards find the NICs');
SELECT is(pg_temp.trial($$ UPDATE app.d_vm SET removed = now() WHERE id = 2 $$), '23503 instance_in_use', 'of an instance, too');
SELECT is(pg_temp.trial($$ UPDATE app.d_net SET removed = now() WHERE id = 2; INSERT INTO app.d_nic VALUES (3, 2, 1) $$), '23503 nic_parent_active', 'and the parents');
SELECT is(pg_temp.trial($$ INSERT INTO app.d_nic VALUES (3, 2, 9) $$), '23503 nic_parent_active', 'by an int underneath');
UPDATE app.d_nic SET state = 'Reserving' WHERE id = 1;
SELECT results_eq('SELECT nic_id, network_id, instance_id, to_state FROM dom.nic_history', $$ VALUES (1::bigint, 1::bigint, 1::bigint, 'Reserving') $$, 'history is kept');
SELECT lives_ok($$ SELECT vmnet.detach_inventory('dom') $$, 'and they detach');

--
-- Keys
--
CREATE TABLE app.twice (tenant int, id int, network_id int, instance_id int, removed timestamptz, PRIMARY KEY (tenant, id));
SELECT matches(pg_temp.refusal('app.twice'), 'nics\.id: app\.twice\."id" has no unique index, so two NICs could have one id', 'an id that is only half a key');
SELECT results_eq($$ SELECT pg_temp.notes('app.twice', mode => 'read_only') $$,
	ARRAY['id_not_unique: nics.id: app.twice."id" has no unique index, so two NICs could have one id'], 'is told where it is only read');
CREATE TABLE app.texts (id text PRIMARY KEY, network_id text, instance_id text, removed timestamptz);
SELECT results_eq($$ SELECT pg_temp.notes('app.texts') $$,
	ARRAY['history_not_kept: ids of type text: history, as-of and the functions, which take bigint, are not for this inventory; its views are'], 'history that is not kept is told');

-- a key of a parent that nothing refers to by a foreign key
CREATE TABLE app.net (id int PRIMARY KEY, code int UNIQUE, removed timestamptz);
CREATE TABLE app.nic (id int PRIMARY KEY, network_id int, instance_id int, removed timestamptz);
INSERT INTO app.net VALUES (1, 1), (2, 2), (3, 3);
INSERT INTO app.nic VALUES (1, 1, 1);
SELECT vmnet.attach_inventory('keys', 'app.nic', 'app.net', mode => 'enforce') \g /dev/null
SELECT is(pg_temp.trial('UPDATE app.net SET id = 9 WHERE id = 1'), '23503 network_in_use', 'a network does not leave its NICs by another id');
SELECT is(pg_temp.trial('UPDATE app.net SET id = 9 WHERE id = 2'), 'accepted', 'one without NICs may');
SELECT is(pg_temp.trial('UPDATE app.net SET code = 9 WHERE id = 1'), 'accepted', 'and what is no key may change');
SELECT is(pg_temp.trial('DELETE FROM app.net WHERE id = 1'), '23001 no_hard_delete', 'nothing live is deleted');
SELECT vmnet.detach_inventory('keys') \g /dev/null

--
-- Inheritance: a trigger on the parent does not fire for its children
--
CREATE TABLE app.base (id int PRIMARY KEY, network_id int, instance_id int, removed timestamptz);
CREATE TABLE app.child (extra int) INHERITS (app.base);
SELECT matches(pg_temp.refusal('app.base'), 'nics: table app\.base has children, which its guards would not see', 'a table with children has no guards');
SELECT is(pg_temp.refusal('app.base', mode => 'read_only'), 'attached', 'but can be read');
CREATE TABLE app.net_base (id int PRIMARY KEY, removed timestamptz);
CREATE TABLE app.net_child () INHERITS (app.net_base);
SELECT matches(pg_temp.refusal('app.nic', networks => 'app.net_base', mode => 'read_only'), 'app\.net_base\."id" has no unique index', 'children share no unique index');

--
-- Values
--
CREATE TABLE app.odd (id int PRIMARY KEY, network_id int, instance_id int, device_id bigint, mtu numeric, uuid text, mac text, ip text, gateway text, removed date);
INSERT INTO app.odd VALUES
	(1, 1, 1, 5000000000, 1e30, '0123456789abcdef0123456789ABCDEF', '0242.ac11.0002', '10.0.0.1', '10.0.0.254'),
	(2, 1, 2, -5000000000, 'NaN', '01234567-89ab-cdef-0123-456789abcdef', '02-42-AC-11-00-02', 'fe80::2', 'fe80::1'),
	(3, 1, 3, 7, 1500, 'no', '0242ac110002', '::ffff:10.0.0.3', 'x'),
	(4, 1, 4, NULL, 0.4, '', '02:42:ac:11:00:0g', '10.0.0.300', '');
SELECT vmnet.attach_inventory('odd', 'app.odd', columns => '{"nics": {"mac_address": "mac", "ip4_address": "ip", "ip6_address": "ip"}}') \g /dev/null
SELECT results_eq('SELECT device_id, mtu FROM odd.nics ORDER BY id', $$ VALUES (NULL::int, NULL::bigint), (NULL, NULL), (7, 1500), (NULL, 0) $$, 'a number that does not fit reads as NULL, and breaks nothing');
SELECT results_eq('SELECT uuid FROM odd.nics ORDER BY id',
	$$ VALUES ('01234567-89ab-cdef-0123-456789abcdef'::uuid), ('01234567-89ab-cdef-0123-456789abcdef'), (NULL), (NULL) $$, 'uuids with and without hyphens');
SELECT results_eq('SELECT mac_address FROM odd.nics ORDER BY id',
	$$ VALUES ('02:42:ac:11:00:02'::macaddr), ('02:42:ac:11:00:02'), ('02:42:ac:11:00:02'), (NULL) $$, 'MAC addresses in every usual spelling');
SELECT results_eq('SELECT ip4_address, ip6_address FROM odd.nics ORDER BY id',
	$$ VALUES ('10.0.0.1'::inet, NULL::inet), (NULL, 'fe80::2'), (NULL, '::ffff:10.0.0.3'), (NULL, NULL) $$, 'one column of addresses reads as two, by family');
SELECT results_eq('SELECT gateway FROM odd.nics ORDER BY id', $$ VALUES ('10.0.0.254'::inet), ('fe80::1'), (NULL), (NULL) $$, 'a gateway is of either');
SELECT vmnet.detach_inventory('odd') \g /dev/null
CREATE TABLE app.addresses (id int PRIMARY KEY, network_id int, instance_id int, ip inet);
INSERT INTO app.addresses VALUES (1, 1, 1, '10.0.0.1'), (2, 1, 2, 'fe80::2');
SELECT vmnet.attach_inventory('fam', 'app.addresses', columns => '{"nics": {"ip4_address": "ip", "ip6_address": "ip"}}') \g /dev/null
SELECT results_eq('SELECT ip4_address, ip6_address FROM fam.nics ORDER BY id', $$ VALUES ('10.0.0.1'::inet, NULL::inet), (NULL, 'fe80::2') $$, 'of type inet, too');
SELECT results_eq('SELECT used_ip4 FROM fam.network_counts', ARRAY[1::bigint], 'and what counts IPv4 addresses counts those');
SELECT vmnet.detach_inventory('fam') \g /dev/null
SELECT vmnet.attach_inventory('fam', 'app.addresses', columns => '{"nics": {"ip4_address": "ip"}}') \g /dev/null
SELECT results_eq('SELECT ip4_address, ip6_address FROM fam.nics ORDER BY id', $$ VALUES ('10.0.0.1'::inet, NULL::inet), (NULL, 'fe80::2') $$, 'which need be said only once');
SELECT vmnet.detach_inventory('fam') \g /dev/null
SELECT vmnet.attach_inventory('fam', 'app.addresses', columns => '{"nics": {"ip4_address": "ip", "ip6_address": null}}') \g /dev/null
SELECT results_eq('SELECT ip4_address, ip6_address FROM fam.nics ORDER BY id', $$ VALUES ('10.0.0.1'::inet, NULL::inet), (NULL, NULL) $$, 'unless one of them is left out');
SELECT vmnet.detach_inventory('fam') \g /dev/null

--
-- Tables attached by another role than their owner: the inventory is the owner's
--
CREATE ROLE shapes_owner;
CREATE ROLE shapes_manager;
GRANT USAGE, CREATE ON SCHEMA app TO shapes_owner;
GRANT shapes_owner TO shapes_manager;
SELECT format('GRANT CREATE ON DATABASE %I TO shapes_manager', current_database()) \gexec
CREATE TABLE app.theirs (id int PRIMARY KEY, network_id int, instance_id int, state text NOT NULL DEFAULT 'Allocated', mac_address macaddr, removed timestamptz);
ALTER TABLE app.theirs OWNER TO shapes_owner;
INSERT INTO app.theirs VALUES (1, 1, 1);
SET ROLE shapes_manager;
SELECT vmnet.attach_inventory('managed_for', 'app.theirs', mode => 'enforce') \g /dev/null
RESET ROLE;
SELECT vmnet.attach_inventory('by_superuser', 'app.theirs') \g /dev/null
SELECT is(pg_temp.outcome_as('shapes_owner', $$ UPDATE app.theirs SET state = 'Reserving', mac_address = '02:00:00:00:00:01' WHERE id = 1 $$), 'accepted',
	'the owner of tables writes to them, attached by another role or not');
SELECT results_eq('SELECT nic_id, to_state FROM managed_for.nic_history UNION ALL SELECT nic_id, to_state FROM by_superuser.nic_history',
	$$ VALUES (1::bigint, 'Reserving'), (1, 'Reserving') $$, 'and both remember what he did');
SELECT is((SELECT count(*) FROM by_superuser.nic_address_history) + (SELECT count(*) FROM managed_for.nic_address_history), 2::bigint, 'and which addresses there were');
SELECT results_eq($$ SELECT DISTINCT relnamespace::regnamespace::text, pg_get_userbyid(relowner)::text COLLATE "default" FROM pg_class WHERE relnamespace IN ('managed_for'::regnamespace, 'by_superuser'::regnamespace) ORDER BY 1 $$,
	$$ VALUES ('by_superuser', 'shapes_owner'), ('managed_for', 'shapes_owner') $$, 'and owns all of both inventories');
-- the table of history belongs to a third: not written with rights that the NICs' owner has not
ALTER TABLE by_superuser.nic_history OWNER TO pg_database_owner;
SELECT matches(pg_temp.outcome_as('shapes_owner', $$ UPDATE app.theirs SET state = 'Reserved' WHERE id = 1 $$), '^42501 inventory_owner', 'nor does a guard write with the rights of a third');
SELECT vmnet.detach_inventory('by_superuser') \g /dev/null

--
-- Row-level security
--
ALTER TABLE app.theirs ENABLE ROW LEVEL SECURITY;
ALTER TABLE app.theirs FORCE ROW LEVEL SECURITY;
SET ROLE shapes_manager;
SELECT vmnet.detach_inventory('managed_for') \g /dev/null
SELECT results_eq($$ SELECT a.finding || ': ' || a.message FROM vmnet.attach_inventory('hidden', 'app.theirs') a WHERE a.finding !~ '^index_' $$,
	ARRAY['rows_hidden: row-level policies of app.theirs hide rows from this role, so violations among them are not seen'], 'what policies may hide is told');
SELECT is(pg_temp.trial($$ SELECT vmnet.set_inventory_mode('hidden', 'enforce') $$), '42501 attached_rows_hidden', 'enforce needs a look at every row');
SELECT is(pg_temp.trial($$ SELECT vmnet.set_inventory_mode('hidden', 'enforce', force => true) $$), 'accepted', 'or to be asked for');
SELECT is(pg_temp.trial($$ SELECT vmnet.attach_inventory('hidden2', 'app.theirs', mode => 'enforce') $$), '42501 attached_rows_hidden', 'at once, too');
RESET ROLE;
SELECT is(pg_temp.trial($$ SELECT vmnet.set_inventory_mode('hidden', 'enforce') $$), 'accepted', 'who sees every row may');
SELECT vmnet.detach_inventory('hidden') \g /dev/null

--
-- The indexes that it asks for are found once they are there, be the table
-- nearly empty, with another index to go through it by, or partitioned
--
CREATE TABLE app.uu_net (id bigint PRIMARY KEY, code uuid UNIQUE NOT NULL);
CREATE TABLE app.tiny (id bigint PRIMARY KEY, net uuid REFERENCES app.uu_net (code), vm bigint, removed timestamptz);
INSERT INTO app.uu_net VALUES (1, '00000000-0000-0000-0000-0000000000a1');
INSERT INTO app.tiny VALUES (1, '00000000-0000-0000-0000-0000000000a1', 1);
CREATE TABLE app.parts (id bigint PRIMARY KEY, network_id int, instance_id bigint, removed timestamptz) PARTITION BY RANGE (id);
CREATE TABLE app.part PARTITION OF app.parts FOR VALUES FROM (0) TO (10);
CREATE FUNCTION pg_temp.indexes(nics text, columns text DEFAULT '{}', networks text DEFAULT NULL, mode text DEFAULT 'warn', make boolean DEFAULT false) RETURNS SETOF text
LANGUAGE plpgsql AS $$
DECLARE
	said record;
BEGIN
	FOR said IN SELECT a.* FROM vmnet.attach_inventory('trial', nics::regclass, networks::regclass, columns => columns::jsonb, mode => mode) a WHERE a.finding ~ '^index_' LOOP
		IF make THEN
			EXECUTE said.statement;
		END IF;
		RETURN NEXT said.finding;
	END LOOP;
	PERFORM vmnet.detach_inventory('trial');
END
$$;
SELECT set_eq($$ SELECT pg_temp.indexes('app.tiny', '{"nics": {"network_id": "net", "instance_id": "vm"}, "networks": {"uuid": "code"}}', 'app.uu_net', make => true) $$, ARRAY['index_missing'], 'no index yet');
SELECT set_eq($$ SELECT pg_temp.indexes('app.tiny', '{"nics": {"network_id": "net", "instance_id": "vm"}, "networks": {"uuid": "code"}}', 'app.uu_net') $$, ARRAY['index_found'], 'the indexes that it asked for are found');
SELECT set_eq($$ SELECT pg_temp.indexes('app.parts', mode => 'read_only', make => true) $$, ARRAY['index_missing'], 'nor on a partitioned table');
SELECT set_eq($$ SELECT pg_temp.indexes('app.parts', mode => 'read_only') $$, ARRAY['index_found'], 'and those are found, too');
CREATE TABLE app.vain (id bigint PRIMARY KEY, network_id bigint, instance_id bigint, removed timestamptz);
CREATE INDEX ON app.vain (network_id) WHERE removed IS NOT NULL;
CREATE INDEX ON app.vain (id, instance_id);
SELECT set_eq($$ SELECT pg_temp.indexes('app.vain') $$, ARRAY['index_missing'], 'an index of what is removed is of no use, nor one that begins with another column');

SELECT * FROM finish();
ROLLBACK;
