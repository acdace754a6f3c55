-- Operations: what holds for every call, not for the examples alone.
\i test/tap/setup.psql
\i test/tap/outcome.psql

SELECT plan(51);

INSERT INTO cloud.networks (id, name, cidr) SELECT i, 'network' || i, format('10.%s.0.0/16', i)::cidr FROM generate_series(1, 40) i;
INSERT INTO cloud.instances (id, name, type) SELECT i, 'vm' || i, CASE WHEN i >= 900 THEN 'DomainRouter' ELSE 'User' END FROM generate_series(1, 999) i;

-- What they are, and what runs for them.
SELECT results_eq(
	$$SELECT p.proname::text COLLATE "default", pg_get_function_identity_arguments(p.oid), pg_get_function_result(p.oid)
	FROM pg_proc p JOIN pg_proc b ON b.pronamespace = 'vmnet_internal'::regnamespace AND b.proname = p.proname
		AND b.proargtypes = p.proargtypes AND b.prorettype = p.prorettype AND NOT b.prosecdef AND b.provolatile = 'v'
		AND b.proconfig = ARRAY['search_path=pg_catalog, pg_temp']
	WHERE p.pronamespace = 'vmnet'::regnamespace AND NOT p.prosecdef AND p.provolatile = 'v' AND p.prosrc = 'inventory_entry'
		AND p.proname IN ('nic_add', 'nic_event', 'nic_remove', 'nic_set_default', 'nic_set_ip', 'instance_expunge', 'network_remove') ORDER BY 1$$,
	$$VALUES ('instance_expunge', 'instance_id bigint, inventory name', 'boolean'),
		('network_remove', 'network_id bigint, inventory name', 'boolean'),
		('nic_add', 'instance_id bigint, network_id bigint, ip4 inet, ip6 inet, mac macaddr, strategy text, inventory name', 'bigint'),
		('nic_event', 'nic_id bigint, event text, reason text, inventory name', 'text'),
		('nic_remove', 'nic_id bigint, force boolean, inventory name', 'boolean'),
		('nic_set_default', 'nic_id bigint, inventory name', 'bigint'),
		('nic_set_ip', 'nic_id bigint, ip4 inet, ip6 inet, inventory name', 'boolean')$$,
	'the operations are what they are said to be: entries whose bodies have a search path of their own, none a security definer');
SELECT is_empty($$SELECT proname FROM pg_proc WHERE pronamespace = 'vmnet_internal'::regnamespace AND proname LIKE 'operation\_%'
	AND (prosecdef OR proconfig IS DISTINCT FROM ARRAY['search_path=pg_catalog, pg_temp'])$$, 'so do the parts that they are made of');
CREATE ROLE operator;
CREATE ROLE onlooker;
GRANT USAGE ON SCHEMA cloud TO operator, onlooker;
GRANT SELECT ON ALL TABLES IN SCHEMA cloud TO operator, onlooker;
GRANT INSERT, UPDATE ON cloud.all_nics, cloud.all_instances, cloud.all_networks TO operator;
GRANT USAGE ON ALL SEQUENCES IN SCHEMA cloud TO operator;
SELECT is(pg_temp.outcome_as('operator', 'SELECT vmnet.nic_add(500, 1, ''10.1.5.5'')'), 'accepted', 'who may write to the tables may operate');
SELECT is(pg_temp.outcome_as('operator', 'SELECT vmnet.nic_event((SELECT id FROM cloud.nics WHERE instance_id = 500), ''ReservationRequested'')'), 'accepted', 'by every');
SELECT is(pg_temp.outcome_as('operator', 'SELECT vmnet.nic_set_ip((SELECT id FROM cloud.nics WHERE instance_id = 500), ''10.1.5.6'')'), 'accepted', 'one');
SELECT is(pg_temp.outcome_as('operator', 'SELECT vmnet.nic_remove((SELECT id FROM cloud.nics WHERE instance_id = 500)), vmnet.instance_expunge(500), vmnet.network_remove(40)'), 'accepted', 'of them');
SELECT vmnet.nic_add(501, 1) AS nic \gset
SELECT is((SELECT string_agg(pg_temp.outcome_as('onlooker', 'SELECT vmnet.' || call), ' ' ORDER BY call) FROM unnest(ARRAY['nic_add(1, 1)', 'nic_add(1, 1, ''10.1.0.9'')',
	format('nic_event(%s, ''ReservationRequested'')', :nic), format('nic_remove(%s)', :nic), format('nic_set_default(%s)', :nic), format('nic_set_ip(%s, ''10.1.0.9'')', :nic),
	'instance_expunge(501)', 'network_remove(39)']) call),
	'42501 42501 42501 42501 42501 42501 42501 42501', 'who may only read may not');
SELECT is(pg_temp.outcome('SET LOCAL transaction_read_only = on; SELECT vmnet.nic_add(1, 2)'), '25006', 'nothing is done in a read-only transaction');

-- What is refused changes nothing.
CREATE FUNCTION pg_temp.rows() RETURNS text LANGUAGE sql AS $$
	SELECT md5(concat((SELECT string_agg(n::text, '|' ORDER BY id) FROM cloud.all_nics n), (SELECT string_agg(i::text, '|' ORDER BY id) FROM cloud.all_instances i),
		(SELECT string_agg(w::text, '|' ORDER BY id) FROM cloud.all_networks w)))
$$;
SELECT pg_temp.rows() AS before \gset
SELECT is((SELECT string_agg(pg_temp.outcome('SELECT vmnet.' || call), ', ') FROM unnest(ARRAY['nic_add(501, 1)', 'nic_add(501, 2, ''10.1.0.9'')', 'network_remove(1)', 'nic_remove(0)']) call),
	'23505 all_nics_one_per_network, 23514 nic_ip_in_cidr, 23503 network_in_use, 22023', 'what is refused');
SELECT is(pg_temp.rows(), :'before', 'leaves every row as it was');
SELECT is(pg_temp.outcome('SELECT vmnet.network_remove(39), 1 / 0'), '22012', 'what is done is undone with its transaction');
SELECT is(pg_temp.rows(), :'before', 'as any other write');

-- A network and an instance are written unchanged by those who add to them.
SELECT md5(w::text) AS net, (SELECT md5(i::text) FROM cloud.all_instances i WHERE id = 502) AS vm FROM cloud.all_networks w WHERE id = 2 \gset
SELECT vmnet.nic_add(502, 2, '10.2.0.2') \g /dev/null
SELECT is((SELECT md5(w::text) FROM cloud.all_networks w WHERE id = 2) = :'net' AND (SELECT md5(i::text) FROM cloud.all_instances i WHERE id = 502) = :'vm', true,
	'an instance and a network have the same values after a NIC came as before');

-- Device positions: at each of 300 steps a NIC comes or goes; the position that
-- it gets is the least number that is not there, which is found here by counting up.
CREATE FUNCTION pg_temp.walk(instance_id bigint) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	expected int;
	nic bigint;
	wrong int := 0;
	added int := 0;
BEGIN
	FOR step IN 1..300 LOOP
		IF random() < 0.6 AND (SELECT count(*) FROM cloud.nics n WHERE n.instance_id = $1) < 30 THEN
			expected := 0;
			WHILE (SELECT count(*) FROM cloud.all_nics n WHERE n.instance_id = $1 AND n.device_id = expected AND n.removed IS NULL) > 0 LOOP
				expected := expected + 1;
			END LOOP;
			nic := vmnet.nic_add($1, (SELECT w.id FROM cloud.networks w WHERE w.id NOT IN (SELECT network_id FROM cloud.nics n WHERE n.instance_id = $1) ORDER BY random() LIMIT 1));
			added := added + 1;
			wrong := wrong + (SELECT count(*) FROM cloud.nics n WHERE n.id = nic AND n.device_id IS DISTINCT FROM expected);
		ELSE
			SELECT n.id INTO nic FROM cloud.nics n WHERE n.instance_id = $1 ORDER BY random() LIMIT 1;
			PERFORM vmnet.nic_remove(nic, force => true) WHERE nic IS NOT NULL;
		END IF;
		wrong := wrong + (SELECT count(*) FROM cloud.nics n WHERE n.instance_id = $1 AND default_nic) / 2;
	END LOOP;
	RETURN format('%s wrong, %s', wrong, CASE WHEN added > 100 THEN 'more than 100 added' ELSE added::text END);
END $$;
SELECT setseed(0.4) \g /dev/null
SELECT is(pg_temp.walk(1), '0 wrong, more than 100 added', 'a NIC comes to the lowest free position, however they come and go');
SELECT is(pg_temp.walk(901), '0 wrong, more than 100 added', 'so does a router''s');
SELECT is((SELECT count(*) FROM cloud.nics WHERE instance_id IN (1, 901) AND device_id IS NULL), 0::bigint, 'none is without');

-- MAC addresses.
SELECT is((SELECT count(*) FILTER (WHERE mac_address & '03:00:00:00:00:00' <> '02:00:00:00:00:00') FROM cloud.all_nics), 0::bigint, 'every MAC address that was made is locally administered and unicast');
SELECT is((SELECT count(*) - count(DISTINCT mac_address) FROM cloud.all_nics), 0::bigint, 'none was made twice, not even after a removal');
SELECT vmnet.nic_add(503, 3, mac => vmnet_internal.operation_mac('cloud', last_value + 2)) AS holder, last_value + 2 AS skipped FROM cloud.all_nics_id_seq \gset
SELECT vmnet.nic_add(504, 4) AS nic \gset
SELECT isnt((SELECT mac_address FROM cloud.nics WHERE id = :nic), (SELECT mac_address FROM cloud.nics WHERE id = :holder), 'one that was given by hand on another network is not made again');
SELECT is(:nic, :skipped + 1, 'the id that it goes with is left out');
SELECT vmnet.nic_remove(:holder) \g /dev/null
SELECT is(pg_temp.outcome('SELECT vmnet.nic_add(503, 3, mac => ''02:00:00:00:00:77''), vmnet.nic_add(504, 3, mac => ''02:00:00:00:00:77'')'), '23505 all_nics_one_mac', 'one that is given is not given twice on a network');
SELECT is(pg_temp.outcome('SELECT vmnet.nic_add(503, 3, mac => ''02:00:00:00:00:77''), vmnet.nic_add(504, 5, mac => ''02:00:00:00:00:77'')'), 'accepted', 'but on two');
SELECT is(pg_temp.outcome('SELECT vmnet.nic_add(902, 6, ''10.6.0.1'', mac => ''02:00:00:00:00:66''), vmnet.nic_add(903, 6, ''10.6.0.1'', mac => ''02:00:00:00:00:66'')'), 'accepted', 'and redundant routers share MAC and IP address');
SELECT results_ne($$SELECT vmnet_internal.operation_mac('cloud', 1)$$, $$SELECT vmnet_internal.operation_mac('cloud2', 1)$$, 'two inventories begin at different addresses');
SELECT is((SELECT count(DISTINCT vmnet_internal.operation_mac('cloud', i)) FROM unnest(ARRAY[0, 1, 2, 1099511627775, 1099511627776, 1099511627777, 70368744177663]::bigint[]) i), 7::bigint, 'ids of up to 46 bits all have their own');

-- Events: each in each state, for each strategy, against the moves that there are.
CREATE FUNCTION pg_temp.event(strategy text, state text, event text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	result text;
BEGIN
	PERFORM pg_temp.place(format('INSERT INTO cloud.all_nics (id, instance_id, network_id, default_nic, strategy, state) VALUES (-1, 505, 7, true, %L, %L)', strategy, state));
	BEGIN
		result := vmnet.nic_event(-1, event);
		IF result IS DISTINCT FROM (SELECT n.state FROM cloud.all_nics n WHERE id = -1) OR EXISTS (SELECT FROM cloud.all_nics WHERE id = -1 AND removed IS NOT NULL) THEN
			result := 'not what it says';
		END IF;
	EXCEPTION WHEN check_violation THEN
		GET STACKED DIAGNOSTICS result = CONSTRAINT_NAME;
	END;
	PERFORM pg_temp.place('DELETE FROM cloud.all_nics WHERE id = -1');
	RETURN result;
END $$;
SELECT set_eq($$SELECT s, f, e, pg_temp.event(s, f, e) FROM unnest(ARRAY['Start', 'Create', 'Managed', 'PlaceHolder']) s,
		unnest(ARRAY['Allocated', 'Reserving', 'Reserved', 'Releasing', 'Deallocating']) f,
		unnest(ARRAY['ReservationRequested', 'ReleaseRequested', 'CancelRequested', 'OperationCompleted', 'OperationFailed', 'RemoveRequested']) e$$,
	$$SELECT s, f, e, coalesce((SELECT to_state FROM vmnet.nic_state_transitions() t WHERE (t.strategy, from_state, event) = (s, f, e)), 'nic_state_transition')
	FROM unnest(ARRAY['Start', 'Create', 'Managed', 'PlaceHolder']) s,
		unnest(ARRAY['Allocated', 'Reserving', 'Reserved', 'Releasing', 'Deallocating']) f,
		unnest(ARRAY['ReservationRequested', 'ReleaseRequested', 'CancelRequested', 'OperationCompleted', 'OperationFailed', 'RemoveRequested']) e$$,
	'an event leads where the state machine says, and nowhere else');

-- The default goes round; with it goes position 0, and nothing else changes.
SELECT vmnet.nic_add(506, i) FROM generate_series(1, 4) i \g /dev/null
CREATE FUNCTION pg_temp.positions(instance_id bigint) RETURNS text LANGUAGE sql AS $$
	SELECT string_agg(network_id || ':' || coalesce(device_id::text, '-') || CASE WHEN default_nic THEN '*' ELSE '' END, ' ' ORDER BY network_id) FROM cloud.nics n WHERE n.instance_id = $1
$$;
CREATE FUNCTION pg_temp.become(instance_id bigint, network_id bigint) RETURNS text LANGUAGE sql AS $$
	SELECT vmnet.nic_set_default(n.id)::text FROM cloud.nics n WHERE n.instance_id = $1 AND n.network_id = $2
$$;
SELECT is(pg_temp.positions(506), '1:0* 2:1 3:2 4:3', 'four NICs in their positions');
SELECT pg_temp.become(506, 3) \g /dev/null
SELECT is(pg_temp.positions(506), '1:2 2:1 3:0* 4:3', 'a new default swaps with the old one');
SELECT pg_temp.become(506, 4) \g /dev/null
SELECT is(pg_temp.positions(506), '1:2 2:1 3:3 4:0*', 'so does the next');
UPDATE cloud.nics SET device_id = NULL WHERE instance_id = 506 AND network_id = 2;
SELECT pg_temp.become(506, 2) \g /dev/null
SELECT is(pg_temp.positions(506), '1:2 2:0* 3:3 4:-', 'a NIC without a position takes the default''s, which is left without');
SELECT pg_temp.become(506, 4) \g /dev/null
SELECT is(pg_temp.positions(506), '1:2 2:- 3:3 4:0*', 'and gives it back');
UPDATE cloud.nics SET device_id = NULL WHERE instance_id = 506 AND network_id = 4;
SELECT pg_temp.become(506, 3) \g /dev/null
SELECT is(pg_temp.positions(506), '1:2 2:- 3:3* 4:-', 'where the default has none, positions stay');
-- a router may have come to several
INSERT INTO cloud.nics (instance_id, network_id, vm_type, device_id, default_nic) SELECT 904, i, 'DomainRouter', i - 1, i <= 2 FROM generate_series(1, 3) i;
SELECT pg_temp.become(904, 3) \g /dev/null
SELECT is(pg_temp.positions(904), '1:2 2:1 3:0*', 'of several defaults, which a router may have come to, one is left');

-- Inventories whose names go wrong wherever a quote is forgotten, or a % is taken
-- for a format; and one that is not in the search path of whoever calls.
CREATE FUNCTION pg_temp.live_through(inventory name) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	nics bigint[];
BEGIN
	PERFORM vmnet.create_inventory(inventory);
	EXECUTE format('INSERT INTO %1$I.networks (cidr) VALUES (''10.0.0.0/24''), (''10.0.1.0/24''); INSERT INTO %1$I.instances (name) VALUES (''vm'')', inventory);
	nics := ARRAY[vmnet.nic_add(1, 1, '10.0.0.5', inventory => inventory), vmnet.nic_add(1, 2, inventory => inventory)];
	RETURN concat_ws(' ', vmnet.nic_event(nics[1], 'ReservationRequested', inventory => inventory), vmnet.nic_set_default(nics[2], inventory), vmnet.nic_set_ip(nics[2], '10.0.1.9', inventory => inventory),
		vmnet.nic_remove(nics[1], inventory => inventory), vmnet.instance_expunge(1, inventory), vmnet.network_remove(1, inventory), pg_temp.outcome(format('SELECT vmnet.nic_remove(99, inventory => %L)', inventory)));
END $$;
SELECT is(pg_temp.live_through(name), 'Reserving 1 t t t t 22023', 'operations in inventory ' || name) FROM unnest(ARRAY['Name "x"; it''s', 'a%I%s%1$s', 'SELECT']) name;

-- The two positions that nic_set_default() swaps may be held by a third NIC, since only those of type User are unique.
SELECT vmnet.create_inventory('swap') \g /dev/null
INSERT INTO swap.networks (id) VALUES (1), (2), (3);
INSERT INTO swap.instances (id, state) VALUES (1, 'Running'), (2, 'Running'), (3, 'Running'), (4, 'Running');
INSERT INTO swap.nics (id, instance_id, network_id, vm_type, device_id, default_nic) VALUES
	(11, 1, 1, 'DomainRouter', 0, true), (12, 1, 2, 'User', 0, false), (13, 1, 3, 'User', 1, false),
	(21, 2, 1, 'User', 0, true), (22, 2, 2, 'DomainRouter', 1, false), (23, 2, 3, 'User', 1, false),
	(31, 3, 1, 'DomainRouter', 0, true), (32, 3, 2, 'User', 0, false), (33, 3, 3, 'DomainRouter', 1, false),
	(41, 4, 1, 'DomainRouter', 0, true), (42, 4, 2, 'User', 0, false), (43, 4, 3, 'User', NULL, false);
CREATE FUNCTION pg_temp.swap(nic_id bigint) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	rule text;
	detail text;
	hint text;
BEGIN
	RETURN vmnet.nic_set_default(nic_id, 'swap');
EXCEPTION WHEN OTHERS THEN
	GET STACKED DIAGNOSTICS rule = CONSTRAINT_NAME, detail = PG_EXCEPTION_DETAIL, hint = PG_EXCEPTION_HINT;
	RETURN concat_ws(' | ', SQLSTATE, rule, SQLERRM, detail, hint);
END $$;
SELECT is(pg_temp.swap(13), '23505 | all_nics_one_device | cannot make NIC 13 the default of instance 1 | It would swap device positions with NIC 11, so that NIC 13 gets position 0, which NIC 12 has. | Give NIC 12 another position first: UPDATE swap.all_nics SET device_id = ... WHERE id = 12;',
	'nic_set_default(): a third NIC has the position of the default');
SELECT is(pg_temp.swap(22), '23505 | all_nics_one_device | cannot make NIC 22 the default of instance 2 | It would swap device positions with NIC 21, so that NIC 21 gets position 1, which NIC 23 has. | Give NIC 23 another position first: UPDATE swap.all_nics SET device_id = ... WHERE id = 23;',
	'nic_set_default(): a third NIC has the position of the new one');
SELECT is(pg_temp.swap(33), '31', 'nic_set_default(): positions that are not unique are swapped');
SELECT is(pg_temp.swap(43), '23505 | all_nics_one_device | cannot make NIC 43 the default of instance 4 | It would swap device positions with NIC 41, so that NIC 43 gets position 0, which NIC 42 has. | Give NIC 42 another position first: UPDATE swap.all_nics SET device_id = ... WHERE id = 42;',
	'nic_set_default(): the new one has no position yet');
UPDATE swap.all_nics SET device_id = 7 WHERE id IN (12, 23);
SELECT is(pg_temp.swap(n), was, 'nic_set_default(): what it says helps') FROM (VALUES (13, '11'), (22, '21')) v (n, was);
SELECT is((SELECT string_agg(format('%s:%s', id, device_id), ' ' ORDER BY id) FROM swap.all_nics WHERE instance_id IN (1, 2, 3)), '11:1 12:7 13:0 21:1 22:0 23:7 31:1 32:0 33:0', 'and the positions are swapped');

-- An inventory that is neither managed nor a mirror belongs to somebody else.
CREATE SCHEMA attached;
CREATE VIEW attached.inventory_info AS SELECT 'attached'::text AS kind, NULL::text AS source, 'enforce'::text AS mode, '1'::text AS version;
SELECT is(pg_temp.outcome('SELECT vmnet.nic_add(1, 1, inventory => ''attached'')'), '22023', 'tables of another application are not operated on');

-- A user's trigger that leaves a row out: then the operation does not say that it was done.
CREATE FUNCTION pg_temp.leave_out() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END';
SELECT vmnet.nic_add(507, 8, '10.8.0.7') AS nic, vmnet.nic_add(507, 9) AS other \gset
CREATE TRIGGER leave_out BEFORE INSERT OR UPDATE OF state, default_nic, ip4_address ON cloud.all_nics FOR EACH ROW EXECUTE FUNCTION pg_temp.leave_out();
CREATE TRIGGER leave_out BEFORE UPDATE OF removed ON cloud.all_instances FOR EACH ROW EXECUTE FUNCTION pg_temp.leave_out();
CREATE TRIGGER leave_out BEFORE UPDATE OF removed ON cloud.all_networks FOR EACH ROW EXECUTE FUNCTION pg_temp.leave_out();
SELECT is(pg_temp.outcome('SELECT vmnet.' || call), '23514 operation_written', 'left out by a trigger: ' || split_part(call, '(', 1))
FROM unnest(ARRAY['nic_add(508, 8)', format('nic_event(%s, ''ReservationRequested'')', :nic), format('nic_remove(%s)', :other), format('nic_set_default(%s)', :other),
	format('nic_set_ip(%s, ''10.8.0.8'')', :nic), 'instance_expunge(508)', 'network_remove(38)']) call;

SELECT * FROM finish();
ROLLBACK;
