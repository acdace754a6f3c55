-- Imports of what the sample dump does not have: rows that contradict
-- themselves, values that cannot be read, other column types, odd names.  The
-- session is set up to mislead: another time zone, days before months, and
-- planted objects in front of PostgreSQL's own.
SET TimeZone = 'America/Sao_Paulo';
SET DateStyle = 'SQL, DMY';

CREATE SCHEMA planted;
CREATE TABLE planted.networks (id text, uuid text, name text, state text, guest_type char(32), cidr text, network_cidr text,
	gateway text, ip6_cidr text, ip6_gateway text, vpc_id text, data_center_id text, domain_id text, account_id text, created text, removed text);
CREATE TABLE planted.vm_instance (id text, uuid text, name text, state text, type varchar(32), host_id text,
	account_id text, created text, removed text);
CREATE TABLE planted.nics (id text, uuid text, instance_id text, network_id text, state text, strategy varchar(32), vm_type char(32),
	device_id text, default_nic text, mac_address varchar(17), ip4_address char(40), ip6_address char(40), netmask text, gateway text,
	mtu text, update_time text, created text, removed text);
CREATE TABLE planted.account (id text, account_name text);
CREATE TABLE planted.op_networks (id text, nics_count text);

INSERT INTO planted.networks (id, uuid, name, state, guest_type, created, removed) VALUES
	('1', '00000000-0000-4000-8000-000000000001', 'good', 'Implemented', 'Isolated', '2025-01-06 00:00:00', NULL),
	('2', NULL, 'created: zero', 'Implemented', NULL, '0000-00-00 00:00:00', NULL),
	('3', NULL, 'created: none', 'Implemented', NULL, NULL, NULL),
	('4', NULL, 'created: zero in part', 'Implemented', NULL, '2025-00-10 00:00:00', NULL),
	('5', NULL, 'removed: zero', 'Destroy', NULL, '2025-01-06 00:00:00', '0000-00-00 00:00:00'),
	('6', NULL, 'both: zero', 'Destroy', NULL, '0000-00-00 00:00:00', '0000-00-00'),
	('7', NULL, 'removed: no day', 'Destroy', NULL, '2025-01-06 00:00:00', '2025-02-30 00:00:00'),
	('10', NULL, 'state: none', NULL, NULL, '2025-01-06 00:00:00', NULL),
	('11', NULL, 'state: in capitals; name: padded   ', 'IMPLEMENTED', NULL, '2025-01-06 00:00:00', NULL),
	('12', '00000000-0000-4000-8000-000000000001', 'uuid: a second time', 'Implemented', NULL, '2025-01-06 00:00:00', NULL),
	('13', '00000000-0000-4000-8000-000000000001', 'uuid: a third time', 'Implemented', NULL, '2025-01-06 00:00:00', NULL),
	('14', 'none', 'uuid: not one', 'Implemented', NULL, '2025-01-06 00:00:00', NULL),
	('15', 'ABCDEF00-0000-4000-8000-00000000000F', 'uuid: in capitals', 'Implemented', NULL, '2025-01-06 00:00:00', NULL),
	(' 16 ', NULL, 'id: with blanks', 'Implemented', NULL, '2025-01-06 00:00:00', NULL),
	(NULL, NULL, 'id: none', 'Implemented', NULL, '2025-01-06 00:00:00', NULL),
	(NULL, NULL, 'id: none, again', 'Implemented', NULL, '2025-01-06 00:00:00', NULL),
	('', NULL, 'id: empty', 'Implemented', NULL, '2025-01-06 00:00:00', NULL),
	('abc', NULL, 'id: no number', 'Implemented', NULL, '2025-01-06 00:00:00', NULL),
	('18446744073709551615', NULL, 'id: too large', 'Implemented', NULL, '2025-01-06 00:00:00', NULL),
	('1', NULL, 'id: a second time', 'Implemented', NULL, '2025-01-06 00:00:00', NULL);
INSERT INTO planted.networks (id, name, state, created, cidr, network_cidr, gateway, ip6_cidr, ip6_gateway, vpc_id, data_center_id, account_id) VALUES
	('8', 'cidr: host bits', 'Implemented', '2025-01-06 00:00:00', '10.1.1.5/24', '10.1.0.0/16', '10.1.1.1 ', 'fd00::1/64', 'fd00::1', '7', '1', '1'),
	('9', 'addresses: none', 'Implemented', '2025-01-06 00:00:00', 'nonsense', '10.1.1.0/33', '10.1.1', 'fd00::/200', 'fd00::zz', 'seven', '1.5', '2');
INSERT INTO planted.account VALUES ('1', 'padded  '), ('2', 'twice: b'), ('2', 'twice: a');
INSERT INTO planted.op_networks VALUES ('1', '5'), ('8', 'many'), ('9', NULL);

INSERT INTO planted.vm_instance (id, uuid, name, state, type, host_id, created, removed) VALUES
	('1', '00000000-0000-4000-8000-000000000001', 'vm1', 'Running', 'User', '1', '2025-01-06 00:00:00', NULL),
	('2', '00000000-0000-4000-8000-000000000002', 'vm2', 'Stopped', 'User  ', '18446744073709551615', '2025-01-06 00:00:00', NULL),
	('3', '00000000-0000-4000-8000-000000000003', 'id: first', 'Running', 'User', NULL, '2025-01-06 00:00:00', NULL),
	('3', '00000000-0000-4000-8000-000000000033', 'id: a second time', 'Running', 'User', NULL, '2025-01-06 00:00:00', NULL),
	(NULL, NULL, 'id: none', 'Running', 'User', NULL, '2025-01-06 00:00:00', NULL),
	('4', NULL, 'removed: zero', 'Expunging', NULL, NULL, '2025-01-06 00:00:00', '0000-00-00 00:00:00'),
	('5', NULL, 'removed', 'Expunging', 'User', NULL, '2025-01-06 00:00:00', '2025-02-01 00:00:00');

INSERT INTO planted.nics (id, uuid, instance_id, network_id, state, device_id, created) VALUES
	('10', '00000000-0000-4000-8000-000000000010', '1', '1', 'Reserved', '2', '2025-01-06 00:00:00'),
	('11', '00000000-0000-4000-8000-000000000011', '1', '1', 'Reserved', '1', '2025-01-06 00:00:00'),
	('12', '00000000-0000-4000-8000-000000000012', '1', '1', 'Reserved', NULL, '2025-01-06 00:00:00'),
	-- states in other letters, in other words, padded, none
	('13', NULL, '2', '1', 'DEALLOCATING', '0', '2025-01-06 00:00:00'),
	('14', NULL, '2', '2', 'reserved', '1', '2025-01-06 00:00:00'),
	('15', NULL, '2', '3', 'Plugged', '2', '2025-01-06 00:00:00'),
	('16', NULL, '2', '4', NULL, '3', '2025-01-06 00:00:00'),
	('17', NULL, '2', '8', 'Reserved  ', '4', '2025-01-06 00:00:00'),
	('18', NULL, '2', '9', 'Deallocating ', '5', '2025-01-06 00:00:00'),
	-- parents that are missing
	('19', '00000000-0000-4000-8000-000000000032', '1', '999', 'Reserved', NULL, '2025-01-06 00:00:00'),
	('20', NULL, '1', NULL, 'Reserved', NULL, '2025-01-06 00:00:00'),
	('21', NULL, '1', 'abc', 'Reserved', NULL, '2025-01-06 00:00:00'),
	('22', NULL, '999', '1', 'Reserved', NULL, '2025-01-06 00:00:00'),
	('23', NULL, 'vm1', '1', 'Reserved', NULL, '2025-01-06 00:00:00'),
	('24', NULL, NULL, '1', 'Reserved', NULL, '2025-01-06 00:00:00'),
	('25', NULL, '', '1', 'Reserved', NULL, '2025-01-06 00:00:00'),
	('26', NULL, '1', '18446744073709551615', 'Reserved', NULL, '2025-01-06 00:00:00'),
	(NULL, NULL, '1', '1', 'Reserved', NULL, '2025-01-06 00:00:00'),
	(NULL, NULL, '2', '1', 'Reserved', NULL, '2025-01-06 00:00:00'),
	('30', NULL, '1', '2', 'Reserved', NULL, '2025-01-06 00:00:00'),
	('30', NULL, '1', '3', 'Reserved', NULL, '2025-01-06 00:00:00'),
	('30', NULL, '1', '4', 'Reserved', NULL, '2025-01-06 00:00:00'),
	('9223372036854775807', NULL, '5', '10', 'Reserved', NULL, '2025-01-06 00:00:00'),
	-- the other row of this uuid was rejected, so it is the only one
	('32', '00000000-0000-4000-8000-000000000032', '1', '11', 'Reserved', NULL, '2025-01-06 00:00:00'),
	('33', '00000000-0000-4000-8000-000000000010', '1', '12', 'Reserved', NULL, '2025-01-06 00:00:00');
INSERT INTO planted.nics (id, instance_id, network_id, state, device_id, default_nic, mac_address, ip4_address, ip6_address, netmask, gateway, mtu, created) VALUES
	('40', '1', '13', 'Reserved', '0', '1', '02:00:00:00:00:28', '10.1.1.40', 'fd00::28', '255.255.255.0', '10.1.1.1', '9000', '2025-01-06 00:00:00'),
	('41', '1', '14', 'Reserved', '99999999999', 'maybe', '02:00:00:00:00', '10.1.1.300', 'fd00::zz', '', '10.1.1.1.1', '18446744073709551615', '2025-01-06 00:00:00'),
	('42', '1', '15', 'Reserved', '-2147483649', '0', '02-00-00-00-00-2A', '10.1.1.42/24', '::ffff:10.1.1.42', '24', NULL, '-1', '2025-01-06 00:00:00');
INSERT INTO planted.nics (id, instance_id, network_id, state, update_time, created, removed) VALUES
	('50', '1', '16', 'Reserved', '2025-03-04 05:06:07', '2025-01-06 00:00:00', NULL),
	('51', '1', '5', 'Deallocating', '2025-03-04 05:06:07', '2025-01-06 00:00:00', '2025-04-05 06:07:08'),
	('52', '1', '6', 'Deallocating', '2025-03-04 05:06:07', '2025-01-06 00:00:00', '0000-00-00 00:00:00'),
	('53', '1', '7', 'Allocated', '0000-00-00 00:00:00', '0000-00-00 00:00:00', '0000-00-00 00:00:00'),
	('54', '2', '16', 'Allocated', '0000-00-00 00:00:00', '2025-01-06 23:59:59', NULL);

-- What is planted in front of PostgreSQL's own counts its calls.
CREATE SCHEMA trap;
CREATE SEQUENCE trap.calls;
DO $trap$
DECLARE
	t text;
	o text;
	f text;
BEGIN
	FOREACH t IN ARRAY ARRAY['text', 'bigint', 'integer', 'name', 'oid', 'uuid', 'boolean', 'timestamptz', 'inet', 'cidr', 'macaddr', 'jsonb', 'tid', 'regtype', '"char"'] LOOP
		EXECUTE format('CREATE FUNCTION trap.compare(%1$s, %1$s) RETURNS boolean LANGUAGE plpgsql AS ''BEGIN PERFORM pg_catalog.nextval(''''trap.calls''''); RETURN NULL; END''', t);
		FOREACH o IN ARRAY ARRAY['=', '<>', '<', '>', '<=', '>='] LOOP
			EXECUTE format('CREATE OPERATOR trap.%1$s (FUNCTION = trap.compare, LEFTARG = %2$s, RIGHTARG = %2$s)', o, t);
		END LOOP;
	END LOOP;
	FOREACH f IN ARRAY ARRAY['btrim(text)', 'rtrim(text, text)', 'lower(text)', 'left(text, integer)', 'format(text, text)', 'format(text, text, text)',
		'format(text, text, text, text)', 'quote_ident(text)', 'quote_literal(text)', 'concat(text, text)', 'array_to_string(text[], text)', 'jsonb_build_array(text, text, text)',
		'split_part(text, text, integer)', 'replace(text, text, text)', 'pg_get_serial_sequence(text, text)', 'obj_description(oid, name)'] LOOP
		EXECUTE format('CREATE FUNCTION trap.%s RETURNS text LANGUAGE plpgsql AS ''BEGIN PERFORM pg_catalog.nextval(''''trap.calls''''); RETURN NULL; END''', f);
	END LOOP;
	EXECUTE 'CREATE FUNCTION trap.join(text, text) RETURNS text LANGUAGE plpgsql AS ''BEGIN PERFORM pg_catalog.nextval(''''trap.calls''''); RETURN NULL; END''';
	EXECUTE 'CREATE OPERATOR trap.|| (FUNCTION = trap.join, LEFTARG = text, RIGHTARG = text)';
	EXECUTE 'CREATE FUNCTION trap.clock_timestamp() RETURNS timestamptz LANGUAGE plpgsql AS ''BEGIN PERFORM pg_catalog.nextval(''''trap.calls''''); RETURN NULL; END''';
	EXECUTE 'CREATE FUNCTION trap.setval(regclass, bigint) RETURNS bigint LANGUAGE plpgsql AS ''BEGIN PERFORM pg_catalog.nextval(''''trap.calls''''); RETURN NULL; END''';
	EXECUTE 'CREATE FUNCTION trap.unnest(jsonb[]) RETURNS SETOF jsonb LANGUAGE plpgsql AS ''BEGIN PERFORM pg_catalog.nextval(''''trap.calls''''); RETURN; END''';
END
$trap$;
-- relations and types of a temporary schema come first, unless a path says otherwise
CREATE TEMP TABLE pg_namespace (oid oid, nspname name);
CREATE TEMP TABLE pg_class (oid oid, relname name, relnamespace oid, relkind "char");
CREATE TEMP TABLE pg_attribute (attrelid oid, attname name);
CREATE TEMP TABLE all_nics (id bigint);
CREATE DOMAIN pg_temp.uuid AS pg_catalog.uuid CHECK (false);
CREATE DOMAIN pg_temp.inet AS pg_catalog.inet CHECK (false);
CREATE DOMAIN pg_temp.timestamptz AS pg_catalog.timestamptz CHECK (false);
SET search_path = trap, pg_catalog, public;
-- the trap works
SELECT 'a'::text = 'a'::text;
SELECT is_called FROM trap.calls;
ALTER SEQUENCE trap.calls RESTART;
SELECT is_called FROM trap.calls;

CALL vmnet.import_cloudstack('planted', 'mirror');
CALL vmnet.import_cloudstack('planted', 'mirror');

SELECT is_called AS planted_code_was_called FROM trap.calls;
RESET search_path;
DROP TABLE pg_temp.pg_namespace, pg_temp.pg_class, pg_temp.pg_attribute, pg_temp.all_nics;
DROP DOMAIN pg_temp.uuid, pg_temp.inet, pg_temp.timestamptz;

-- What is stored.  Midnight in UTC is nine in the evening in Sao Paulo.
SELECT id, name, created, removed, active FROM mirror.all_networks ORDER BY id;
SET TimeZone = 'UTC';
SET DateStyle = 'ISO';
SELECT id, state, uuid, length(name) AS name, guest_type, length(guest_type) AS length FROM mirror.all_networks WHERE id IN (1) OR id BETWEEN 10 AND 15 ORDER BY id;
SELECT id, cidr, network_cidr, gateway, ip6_cidr, ip6_gateway, vpc_id, zone_id, account_name, nics_count
FROM mirror.all_networks WHERE id IN (1, 8, 9) ORDER BY id;
SELECT id, uuid, name, type, host_id, created, removed FROM mirror.all_instances ORDER BY id;
SELECT id, right(uuid::text, 4) AS uuid, instance_id, network_id, state, device_id, active FROM mirror.all_nics ORDER BY id;
SELECT id, device_id, default_nic, mac_address, ip4_address, ip6_address, netmask, gateway, mtu, enabled
FROM mirror.all_nics WHERE id BETWEEN 40 AND 42 ORDER BY id;
SELECT id, state, created, removed, state_changed, active FROM mirror.all_nics WHERE id BETWEEN 50 AND 54 ORDER BY id;

SELECT last_value FROM mirror.all_nics_id_seq;

-- Several NICs of one instance on one network: one row, that of the lowest
-- position.  What is half-removed, in whatever letters, is not there.
SELECT instance_id, nic_count, nic_id, device_id FROM vmnet.network_active_instances(1, inventory => 'mirror');
SELECT network_id, instance_id, nic_count, nic_id, nic_state FROM mirror.network_instances ORDER BY 1, 2;
SELECT network_id, attached_nics, active_instances, reserved, deallocating, other_states FROM mirror.network_counts
WHERE network_id IN (1, 2, 3, 4, 9) ORDER BY 1;

-- Nothing went in silence: every row of the source is here or rejected, once.
SELECT s.name, s.n AS source, t.n AS mirror, l.n AS rejected, s.n = t.n + l.n AS complete
FROM (SELECT 'networks' AS name, count(*) AS n FROM planted.networks UNION ALL SELECT 'vm_instance', count(*) FROM planted.vm_instance UNION ALL SELECT 'nics', count(*) FROM planted.nics) s
	JOIN (SELECT 'networks' AS name, count(*) AS n FROM mirror.all_networks UNION ALL SELECT 'vm_instance', count(*) FROM mirror.all_instances UNION ALL SELECT 'nics', count(*) FROM mirror.all_nics) t USING (name)
	JOIN (SELECT "table" AS name, count(*) AS n FROM mirror.import_log WHERE action = 'rejected' GROUP BY 1) l USING (name);
SELECT run, "table", id, "column", '"' || original || '"' AS original, action, reason FROM mirror.import_log ORDER BY entry;
SELECT run, rows_inserted, rows_updated, rows_deleted, rows_rejected, values_changed FROM mirror.import_runs ORDER BY run;

-- A fault is logged in the run that saw it first; what is mended is mended.
UPDATE planted.nics SET ip4_address = '10.1.1.41', default_nic = '0' WHERE id = '41';
UPDATE planted.networks SET gateway = 'still none' WHERE id = '9';
INSERT INTO planted.networks (id, name, state, created) VALUES ('999', 'found', 'Allocated', '2025-01-06 00:00:00');
INSERT INTO planted.networks (id, name, state, created) VALUES (NULL, 'id: none, a third time', 'Allocated', '2025-01-06 00:00:00');
UPDATE planted.nics SET network_id = '998' WHERE id = '50';
CALL vmnet.import_cloudstack('planted', 'mirror');
SELECT run, "table", id, "column", original, action, reason FROM mirror.import_log WHERE run > 1 ORDER BY entry;
SELECT id, network_id, ip4_address, default_nic FROM mirror.all_nics WHERE id IN (19, 41, 50) ORDER BY id;
SELECT id, uuid FROM mirror.all_nics WHERE uuid = '00000000-0000-4000-8000-000000000032' ORDER BY id;
-- and what comes back is not said again
UPDATE planted.nics SET ip4_address = '10.1.1.300' WHERE id = '41';
CALL vmnet.import_cloudstack('planted', 'mirror');
SELECT count(*) AS new_entries FROM mirror.import_log WHERE run = (SELECT max(run) FROM mirror.import_runs);

--
-- A user's column in the mirror is the user's, whatever its name.
--
ALTER TABLE mirror.all_nics ADD COLUMN notes text DEFAULT 'mine', ADD COLUMN raw_id bigint DEFAULT 7, ADD COLUMN "Größe" int;
CREATE INDEX ON mirror.all_nics (notes);
CREATE UNIQUE INDEX ON mirror.all_nics (id, network_id);
CREATE VIEW mirror.mine AS SELECT id, notes FROM mirror.all_nics WHERE active;
UPDATE planted.nics SET state = 'Releasing' WHERE id = '40';
INSERT INTO planted.nics (id, instance_id, network_id, state, created) VALUES ('60', '1', '1', 'Reserved', '2025-01-06 00:00:00');
CALL vmnet.import_cloudstack('planted', 'mirror');
SELECT id, state, notes, raw_id FROM mirror.all_nics WHERE id IN (40, 60) ORDER BY id;
SELECT count(*) AS active, count(notes) AS noted FROM mirror.mine;

--
-- The same rows in columns of other types make the same mirror.
--
SET client_min_messages = warning;
CREATE SCHEMA types_text;
CREATE TABLE types_text.networks (id text, uuid text, name text, state text, traffic_type text, guest_type text, cidr text, network_cidr text,
	gateway text, ip6_cidr text, ip6_gateway text, vpc_id text, data_center_id text, domain_id text, account_id text, created text, removed text);
CREATE TABLE types_text.vm_instance (id text, uuid text, name text, display_name text, instance_name text, state text, type text, host_id text,
	data_center_id text, domain_id text, account_id text, created text, removed text);
CREATE TABLE types_text.nics (id text, uuid text, instance_id text, network_id text, state text, strategy text, reserver_name text, reservation_id text,
	vm_type text, device_id text, default_nic text, mac_address text, ip4_address text, ip6_address text, netmask text, gateway text, broadcast_uri text,
	mtu text, enabled text, update_time text, created text, removed text);
CREATE TABLE types_text.account (id text, account_name text);
CREATE TABLE types_text.domain (id text, path text);
CREATE TABLE types_text.data_center (id text, name text);
CREATE TABLE types_text.op_networks (id text, nics_count text);
INSERT INTO types_text.networks VALUES
	('1', '00000000-0000-4000-8000-000000000001', 'net1', 'Implemented', 'Guest', 'Isolated', '10.1.1.0/24', '10.1.0.0/16', '10.1.1.1', 'fd00::/64', 'fd00::1', '1', '1', '1', '1', '2025-01-06 00:00:00', NULL),
	('2', '00000000-0000-4000-8000-000000000002', 'net2', 'Destroy', 'Guest', 'Shared', NULL, NULL, NULL, NULL, NULL, NULL, '1', '1', '2', '2025-01-07 00:00:00', '2025-07-01 00:00:00'),
	('3', NULL, NULL, 'Setup', 'Control', NULL, NULL, NULL, NULL, NULL, NULL, NULL, '1', NULL, NULL, '2025-01-08 00:00:00', NULL);
INSERT INTO types_text.vm_instance VALUES
	('1', '00000000-0000-4000-8000-000000000001', 'vm1', 'first', 'i-2-1-VM', 'Running', 'User', '1', '1', '1', '1', '2025-01-06 00:00:00', NULL),
	('2', NULL, 'vm2', NULL, 'r-2-VM', 'Stopped', 'DomainRouter', NULL, '1', '1', '2', '2025-01-06 00:00:00', '2025-07-01 00:00:00');
INSERT INTO types_text.nics VALUES
	('1', '00000000-0000-4000-8000-000000000001', '1', '1', 'Reserved', 'Start', 'ExternalGuestNetworkGuru', 'r1', 'User', '0', '1', '02:00:00:00:00:01', '10.1.1.11', 'fd00::11', '255.255.255.0', '10.1.1.1', 'vlan://300', '1500', '1', NULL, '2025-01-06 00:00:00', NULL),
	('2', '00000000-0000-4000-8000-000000000002', '1', '2', 'Deallocating', 'Start', NULL, NULL, 'User', '1', '0', '02:00:00:00:00:02', '10.1.2.11', NULL, NULL, NULL, NULL, NULL, '0', '2025-03-01 00:00:00', '2025-01-07 00:00:00', '2025-07-01 00:00:00'),
	('3', NULL, NULL, '1', 'Reserved', 'PlaceHolder', NULL, NULL, NULL, NULL, '0', NULL, '10.1.1.1', NULL, NULL, NULL, NULL, NULL, '1', '2025-03-02 00:00:00', '2025-01-08 00:00:00', NULL);
INSERT INTO types_text.account VALUES ('1', 'system'), ('2', 'admin');
INSERT INTO types_text.domain VALUES ('1', '/');
INSERT INTO types_text.data_center VALUES ('1', 'zone1');
INSERT INTO types_text.op_networks VALUES ('1', '1'), ('2', '0');

-- In schema types_NAME every column of a sort has the type of that name's row.
CREATE TABLE types_text.sorts (source text, ids text, uuids text, texts text, flags text, numbers text, macs text, addresses text, cidrs text, times text);
INSERT INTO types_text.sorts VALUES
	('types_varchar', 'varchar(20)', 'varchar(40)', 'varchar(255)', 'varchar(1)', 'varchar(10)', 'varchar(17)', 'varchar(40)', 'varchar(50)', 'varchar(30)'),
	('types_char', 'char(20)', 'char(40)', 'char(255)', 'char(5)', 'char(10)', 'char(20)', 'char(40)', 'char(50)', 'char(40)'),
	('types_native', 'bigint', 'uuid', 'text', 'boolean', 'bigint', 'macaddr', 'inet', 'cidr', 'timestamp'),
	('types_numeric', 'numeric(20,0)', 'uuid', 'text', 'numeric(1,0)', 'numeric(12,2)', 'macaddr', 'inet', 'inet', 'timestamptz'),
	('types_small', 'integer', 'text', 'name', 'smallint', 'smallint', 'text', 'cidr', 'text', 'date'),
	('types_int', 'int', 'char(36)', 'varchar', 'int', 'int', 'varchar', 'text', 'cidr', 'timestamptz(0)'),
	('types_domain', 'd_id', 'd_uuid', 'd_text', 'd_flag', 'd_id', 'd_text', 'd_text', 'd_text', 'd_time');
CREATE DOMAIN public.d_id AS bigint;
CREATE DOMAIN public.d_uuid AS uuid;
CREATE DOMAIN public.d_text AS varchar(255);
CREATE DOMAIN public.d_flag AS smallint;
CREATE DOMAIN public.d_moment AS timestamp;
CREATE DOMAIN public.d_time AS d_moment;
DO $$
DECLARE
	sort types_text.sorts;
	relation text;
BEGIN
	FOR sort IN TABLE types_text.sorts LOOP
		EXECUTE format('CREATE SCHEMA %I', sort.source);
		FOREACH relation IN ARRAY ARRAY['networks', 'vm_instance', 'nics', 'account', 'domain', 'data_center', 'op_networks'] LOOP
			EXECUTE (
				SELECT format('CREATE TABLE %I.%I AS SELECT ', sort.source, relation) || string_agg(
					format(CASE WHEN k.kind LIKE 'timestamptz%%' THEN '(%1$I || ''+00'')::%2$s AS %1$I'
						WHEN k.kind IN ('numeric(1,0)', 'smallint', 'int', 'integer', 'd_flag') THEN '%1$I::numeric::%2$s AS %1$I'
						ELSE '%1$I::%2$s AS %1$I' END, a.attname, k.kind), ', ' ORDER BY a.attnum)
					|| format(' FROM types_text.%I', relation)
				FROM pg_attribute a, LATERAL (SELECT CASE
					WHEN a.attname IN ('default_nic', 'enabled') THEN sort.flags
					WHEN a.attname IN ('device_id', 'mtu', 'nics_count') THEN sort.numbers
					WHEN a.attname = 'uuid' THEN sort.uuids
					WHEN a.attname = 'mac_address' THEN sort.macs
					WHEN a.attname ~ 'cidr$' THEN sort.cidrs
					WHEN a.attname ~ '(gateway|netmask|p[46]_address)$' THEN sort.addresses
					WHEN a.attname IN ('created', 'removed', 'update_time') THEN sort.times
					WHEN a.attname ~ 'id$' AND a.attname <> 'reservation_id' THEN sort.ids
					ELSE sort.texts END) k (kind)
				WHERE a.attrelid = format('types_text.%I', relation)::regclass AND a.attnum > 0);
		END LOOP;
	END LOOP;
END
$$;
-- the sorts are what they say
SELECT string_agg(DISTINCT format_type(a.atttypid, NULL), ', ' ORDER BY format_type(a.atttypid, NULL)) AS types
FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE n.nspname LIKE 'types\_%' AND c.relkind = 'r' AND a.attnum > 0;

-- A source may be views, or materialized, or partitioned.
CREATE SCHEMA types_views;
CREATE VIEW types_views.networks AS SELECT * FROM types_text.networks;
CREATE MATERIALIZED VIEW types_views.vm_instance AS SELECT * FROM types_native.vm_instance;
CREATE TABLE types_views.nics (LIKE types_native.nics) PARTITION BY HASH (id);
CREATE TABLE types_views.nics_0 PARTITION OF types_views.nics FOR VALUES WITH (MODULUS 2, REMAINDER 0);
CREATE TABLE types_views.nics_1 PARTITION OF types_views.nics FOR VALUES WITH (MODULUS 2, REMAINDER 1);
INSERT INTO types_views.nics TABLE types_native.nics;
CREATE VIEW types_views.account AS SELECT account_name, id FROM types_text.account;
CREATE VIEW types_views.domain AS SELECT * FROM types_text.domain;
CREATE VIEW types_views.data_center AS SELECT * FROM types_text.data_center;
CREATE VIEW types_views.op_networks AS SELECT * FROM types_text.op_networks;

SET TimeZone = 'Asia/Kathmandu';
SET DateStyle = 'German';
CALL vmnet.import_cloudstack('types_text', 'm_types_text');
CALL vmnet.import_cloudstack('types_varchar', 'm_types_varchar');
CALL vmnet.import_cloudstack('types_char', 'm_types_char');
CALL vmnet.import_cloudstack('types_native', 'm_types_native');
CALL vmnet.import_cloudstack('types_numeric', 'm_types_numeric');
CALL vmnet.import_cloudstack('types_small', 'm_types_small');
CALL vmnet.import_cloudstack('types_int', 'm_types_int');
CALL vmnet.import_cloudstack('types_domain', 'm_types_domain');
CALL vmnet.import_cloudstack('types_views', 'm_types_views');
SET TimeZone = 'UTC';
SET DateStyle = 'ISO';
-- one of them as it has to be
SELECT id, uuid, name, cidr, network_cidr, gateway, ip6_cidr, ip6_gateway, vpc_id, zone_id, account_name, domain_path, zone_name, nics_count, created, removed
FROM m_types_text.all_networks ORDER BY id;
SELECT id, instance_id, network_id, device_id, default_nic, mac_address, ip4_address, ip6_address, netmask, mtu, enabled, created, state_changed, removed
FROM m_types_text.all_nics ORDER BY id;
-- and the others like it
CREATE FUNCTION pg_temp.differences(mirror name) RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
	relation text;
	n bigint;
	total bigint := 0;
BEGIN
	FOREACH relation IN ARRAY ARRAY['all_networks', 'all_instances', 'all_nics'] LOOP
		EXECUTE format('SELECT count(*) FROM ((TABLE m_types_text.%2$I EXCEPT ALL TABLE %1$I.%2$I) UNION ALL (TABLE %1$I.%2$I EXCEPT ALL TABLE m_types_text.%2$I)) d', mirror, relation) INTO n;
		total := total + n;
	END LOOP;
	EXECUTE format('SELECT count(*) FROM %I.import_log', mirror) INTO n;
	RETURN total + n;
END
$$;
SELECT name, pg_temp.differences(name) AS differences_and_log_entries FROM vmnet.inventories WHERE name LIKE 'm\_types\_%' ORDER BY name;
-- a source of another type for the same mirror changes nothing in it
CALL vmnet.import_cloudstack('types_char', 'm_types_native');
SELECT rows_inserted, rows_updated, rows_deleted, rows_rejected, values_changed FROM m_types_native.import_runs ORDER BY run DESC LIMIT 1;

--
-- A source that has only what is needed.
--
CREATE SCHEMA bare;
CREATE TABLE bare.networks AS SELECT id, state, created, removed FROM types_native.networks;
CREATE TABLE bare.vm_instance AS SELECT id, state, created, removed FROM types_native.vm_instance;
CREATE TABLE bare.nics AS SELECT id, instance_id, network_id, state, created, removed FROM types_native.nics;
-- a table that is there but has not what is looked for is as good as none
CREATE TABLE bare.account (account_name text);
CREATE TABLE bare.op_networks (id bigint);
CALL vmnet.import_cloudstack('bare', 'm_bare');
SELECT jsonb_strip_nulls(to_jsonb(t) - 'created' - 'removed') AS network FROM m_bare.all_networks t ORDER BY id;
SELECT jsonb_strip_nulls(to_jsonb(t) - 'created' - 'removed') AS instance FROM m_bare.all_instances t ORDER BY id;
SELECT jsonb_strip_nulls(to_jsonb(t) - 'created' - 'removed' - 'state_changed') AS nic FROM m_bare.all_nics t ORDER BY id;
SELECT count(*) AS log_entries FROM m_bare.import_log;

--
-- Names: capitals, quotes, blanks, percent signs, 63 bytes
--
SET client_min_messages = notice;
ALTER SCHEMA bare RENAME TO "It's a ""source"" %I";
CALL vmnet.import_cloudstack('It''s a "source" %I', 'Cloud "A" %1$I');
CALL vmnet.import_cloudstack('It''s a "source" %I', 'äääääääääääääääääääääääääääääääx');
SET vmnet.inventory = 'Cloud "A" %1$I';
CALL vmnet.import_cloudstack('It''s a "source" %I');
SELECT name, octet_length(name::text) AS bytes, kind, source FROM vmnet.inventories WHERE source LIKE 'It%' ORDER BY name COLLATE "C";
SELECT instance_id, nic_id FROM vmnet.network_active_instances(1);
SELECT instance_id, nic_id FROM vmnet.network_active_instances(1, inventory => 'äääääääääääääääääääääääääääääääx');
SELECT status, count(*) FROM "Cloud ""A"" %1$I".import_runs GROUP BY 1;
RESET vmnet.inventory;

SET client_min_messages = warning;
DO $$
DECLARE
	s name;
BEGIN
	FOR s IN SELECT nspname FROM pg_namespace WHERE nspname ~ '^(m_|types_|planted|mirror|trap|It|Cloud|ä)' LOOP
		EXECUTE format('DROP SCHEMA %I CASCADE', s);
	END LOOP;
END
$$;
DROP DOMAIN public.d_id, public.d_uuid, public.d_text, public.d_flag, public.d_time, public.d_moment;
