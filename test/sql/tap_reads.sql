-- The reads: every read function and view against an oracle in plain SQL, at
-- the edges of their arguments, in pages, and wherever a query can call them.
\i test/tap/setup.psql

SELECT plan(83);

\set inv cloud
\set kind managed
\i test/tap/reads.psql

SELECT vmnet.create_inventory('a mirror, "quoted"', 'mirror') \g /dev/null
\set inv 'a mirror, "quoted"'
\set kind mirror
\i test/tap/reads.psql

-- From here on: inventory cloud, network 1, which has the most instances.
CREATE TEMP TABLE whole AS
SELECT f.* FROM vmnet.network_active_instances(1) WITH ORDINALITY f;
SELECT ok((SELECT count(*) FROM whole) BETWEEN 30 AND 50, 'network 1 has enough instances to be read in pages');

-- Is network_in_use() true exactly where a removal is refused?  Each network
-- is really removed, and the removal undone.
CREATE FUNCTION pg_temp.removal_refused(net_id bigint) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	name text;
	rows_changed bigint;
BEGIN
	UPDATE cloud.networks SET removed = now() WHERE id = net_id;
	GET DIAGNOSTICS rows_changed = ROW_COUNT;
	RAISE EXCEPTION 'undo' USING ERRCODE = 'ZZ000', CONSTRAINT = rows_changed;
EXCEPTION WHEN SQLSTATE 'ZZ000' OR foreign_key_violation THEN
	GET STACKED DIAGNOSTICS name = CONSTRAINT_NAME;
	RETURN name;
END $$;
SELECT results_eq(
	'SELECT id, vmnet.network_in_use(id) FROM cloud.networks ORDER BY id',
	$$SELECT id, pg_temp.removal_refused(id) = 'network_in_use' FROM cloud.networks ORDER BY id$$,
	'network_in_use() is true exactly where a removal is refused');
SELECT results_eq(
	'SELECT id FROM cloud.networks WHERE NOT vmnet.network_in_use(id) ORDER BY id',
	'VALUES (11::bigint)', 'so the empty network alone can be removed: a placeholder and a half-removed NIC hold theirs');
SELECT is(pg_temp.removal_refused(11), '1', 'and it can');
SELECT is((SELECT count(*) FROM cloud.all_networks WHERE id IN (10, 13) AND NOT vmnet.network_in_use(id)), 2::bigint,
	'a removed network is not in use');

-- Pages
CREATE FUNCTION pg_temp.pages(net_id bigint, size int, inventory name DEFAULT NULL)
RETURNS TABLE (page int, page_rows bigint, instance_id bigint, nic_count bigint, nic_id bigint) LANGUAGE plpgsql AS $$
DECLARE
	last_id bigint;
BEGIN
	page := 0;
	LOOP
		page := page + 1;
		page_rows := 0;
		FOR instance_id, nic_count, nic_id IN
			SELECT f.instance_id, f.nic_count, f.nic_id
			FROM vmnet.network_active_instances(net_id, last_id, size, inventory) f
		LOOP
			page_rows := page_rows + 1;
			last_id := instance_id;
			RETURN NEXT;
		END LOOP;
		EXIT WHEN page_rows = 0 OR page > 1000;
	END LOOP;
END $$;
SELECT is_empty($$
	SELECT s.size FROM generate_series(1, (SELECT count(*)::int + 2 FROM whole)) s (size)
	WHERE (SELECT array_agg((p.instance_id, p.nic_count, p.nic_id)::text) FROM pg_temp.pages(1, s.size) p)
		IS DISTINCT FROM (SELECT array_agg((w.instance_id, w.nic_count, w.nic_id)::text ORDER BY ordinality) FROM whole w)$$,
	'pages of every size, one after the other, are the whole list');
SELECT is_empty($$
	SELECT s.size, p.page, p.n FROM generate_series(1, (SELECT count(*)::int + 2 FROM whole)) s (size),
		LATERAL (SELECT page, count(*) AS n, count(*) OVER () AS pages FROM pg_temp.pages(1, s.size) GROUP BY page) p,
		(SELECT count(*) FROM whole) w (n)
	WHERE p.n <> CASE WHEN p.page < p.pages OR w.n % s.size = 0 THEN s.size ELSE w.n % s.size END$$,
	'every page but the last is full');
SELECT is_empty(format($$
	SELECT s.size FROM generate_series(1, 40) s (size)
	WHERE (SELECT array_agg((p.instance_id, p.nic_count, p.nic_id)::text) FROM pg_temp.pages(1, s.size, %1$L) p)
		IS DISTINCT FROM (SELECT array_agg((w.instance_id, w.nic_count, w.nic_id)::text) FROM vmnet.network_active_instances(1, inventory => %1$L) w)$$, :'inv'),
	'so they are where instances have many NICs on the network');
SELECT results_eq('SELECT instance_id FROM pg_temp.pages(20, 1)',
	$$VALUES ('-9223372036854775808'::bigint), (-1), (0), (9223372036854775807)$$, 'pages go from the lowest id there can be to the highest');
SELECT is_empty('SELECT * FROM vmnet.network_active_instances(1, NULL, 0)', 'a page of 0 is empty');
SELECT is_empty('SELECT * FROM vmnet.network_active_instances(1, (SELECT max(instance_id) FROM whole))', 'nothing comes after the last');
SELECT is_empty('SELECT * FROM vmnet.network_active_instances(20, 9223372036854775807, 5)', 'nothing comes after the highest id');
SELECT results_eq('SELECT instance_id FROM vmnet.network_active_instances(20, (-9223372036854775808)::bigint, 1)', 'VALUES (-1::bigint)',
	'after the lowest id comes the next');
SELECT results_eq(
	$$SELECT instance_id FROM vmnet.network_active_instances(1, 17, 3)$$,
	$$SELECT instance_id FROM whole WHERE instance_id > 17 ORDER BY instance_id LIMIT 3$$,
	'a page may start after an id that is not on the network');
SELECT results_eq('SELECT count(*) FROM vmnet.network_active_instances(1, NULL, 2147483647)', 'SELECT count(*) FROM whole',
	'a page of the largest int is the whole list');
SELECT results_eq('SELECT count(*) FROM vmnet.network_active_instances(1, NULL, NULL, NULL)', 'SELECT count(*) FROM whole',
	'NULLs mean the whole list');
SELECT throws_ok('SELECT * FROM vmnet.network_active_instances(1, NULL, -1)', '22023', 'page_size must not be negative', 'a negative page is an error');
SELECT throws_ok('SELECT * FROM vmnet.network_active_instances(NULL, NULL, (-2147483648)::int)', '22023', 'page_size must not be negative',
	'it is one even where nothing would be read');

-- Wherever a query can call them
SELECT results_eq('SELECT instance_id FROM vmnet.network_active_instances(1) LIMIT 1', 'SELECT min(instance_id) FROM whole', 'under LIMIT 1');
SELECT results_eq('SELECT instance_id FROM vmnet.network_active_instances(1) OFFSET 5 LIMIT 2',
	'SELECT instance_id FROM whole WHERE ordinality IN (6, 7) ORDER BY 1', 'under OFFSET');
SELECT results_eq('SELECT id, EXISTS (SELECT FROM vmnet.network_active_instances(id)) FROM cloud.all_networks ORDER BY id',
	'SELECT id, EXISTS (SELECT FROM cloud.network_instances WHERE network_id = w.id) FROM cloud.all_networks w ORDER BY id', 'in EXISTS');
SELECT results_eq('SELECT id, (SELECT count(*) FROM vmnet.network_active_instances(id)) FROM cloud.networks ORDER BY id',
	'SELECT network_id, active_instances FROM cloud.network_counts ORDER BY network_id', 'in a scalar subquery');
SELECT results_eq(
	'SELECT w.id, f.* FROM cloud.networks w, LATERAL vmnet.network_active_instances(w.id) f ORDER BY w.id, f.instance_id',
	$$SELECT network_id, instance_id, instance_uuid, instance_name, instance_type, instance_state, nic_count,
		nic_id, nic_state, device_id, default_nic, mac_address, ip4_address, ip6_address
	FROM cloud.network_instances ORDER BY network_id, instance_id$$, 'under LATERAL over all networks it is network_instances');
SELECT results_eq(
	'SELECT w.id, f.instance_id FROM cloud.networks w LEFT JOIN LATERAL vmnet.network_active_instances(w.id, NULL, 1) f ON true ORDER BY w.id',
	'SELECT w.id, (SELECT min(instance_id) FROM cloud.network_instances n WHERE n.network_id = w.id) FROM cloud.networks w ORDER BY w.id',
	'a page per network under LATERAL');
SELECT results_eq('SELECT (vmnet.network_active_instances(1)).instance_id', 'SELECT instance_id FROM whole ORDER BY ordinality', 'in a target list');
SELECT results_eq('SELECT (vmnet.network_active_instances(1)).instance_id LIMIT 2', 'SELECT instance_id FROM whole ORDER BY ordinality LIMIT 2',
	'in a target list that is not read to its end');
SELECT results_eq(
	'SELECT w.id, (vmnet.network_active_instances(w.id)).instance_id FROM cloud.networks w ORDER BY 1, 2',
	'SELECT network_id, instance_id FROM cloud.network_instances ORDER BY 1, 2', 'in a target list, for every network');
SELECT results_eq(
	'SELECT a.instance_id, b.instance_id FROM vmnet.network_active_instances(1) a FULL JOIN vmnet.network_active_instances(2) b USING (instance_id) ORDER BY 1, 2',
	$$SELECT a.instance_id, b.instance_id FROM (SELECT * FROM cloud.network_instances WHERE network_id = 1) a
		FULL JOIN (SELECT * FROM cloud.network_instances WHERE network_id = 2) b USING (instance_id) ORDER BY 1, 2$$,
	'two calls in one query');
SELECT results_eq(
	format('SELECT a.n, b.n FROM (SELECT count(*) AS n FROM vmnet.network_active_nics(1)) a, (SELECT count(*) AS n FROM vmnet.network_active_nics(1, %L)) b', :'inv'),
	format($$SELECT (SELECT count(*) FROM cloud.nics n LEFT JOIN cloud.instances i ON i.id = n.instance_id WHERE n.network_id = 1 AND (n.instance_id IS NULL OR i.id IS NOT NULL)),
		(SELECT count(*) FROM %1$I.nics n LEFT JOIN %1$I.instances i ON i.id = n.instance_id WHERE n.network_id = 1 AND (n.instance_id IS NULL OR i.id IS NOT NULL))$$, :'inv'),
	'two inventories in one query');
SELECT results_eq(
	'SELECT a, b.instance_id FROM ROWS FROM (vmnet.network_active_instance_count(1), vmnet.vpc_active_instances(500)) AS b (a, instance_id) LIMIT 1',
	'SELECT (SELECT count(*) FROM whole), min(instance_id) FROM cloud.vpc_instances WHERE vpc_id = 500', 'in ROWS FROM');
SELECT results_eq(
	'SELECT count(*) FROM generate_series(1, 20) g, vmnet.network_active_instances(1) f WHERE f.instance_id > g',
	'SELECT count(*) FROM generate_series(1, 20) g, whole w WHERE w.instance_id > g', 'read again and again in a nested loop');
SELECT results_eq(
	'WITH RECURSIVE r AS (SELECT 1::bigint AS id UNION SELECT n.network_id FROM r, vmnet.network_active_instances(r.id) i, vmnet.instance_active_networks(i.instance_id) n) SELECT id FROM r ORDER BY id',
	$$WITH RECURSIVE r AS (SELECT 1::bigint AS id UNION SELECT b.network_id FROM r JOIN cloud.network_instances a ON a.network_id = r.id
		JOIN cloud.network_instances b ON b.instance_id = a.instance_id) SELECT id FROM r ORDER BY id$$,
	'in a recursive query, calls within calls');
SELECT results_eq('SELECT network_id FROM vmnet.instance_active_networks(vmnet.instance_id(md5(''instance2'')::uuid))',
	'SELECT network_id FROM cloud.network_instances WHERE instance_id = 2 ORDER BY 1', 'the argument may be a read itself');

-- A prepared statement sees what is there at each execution.
PREPARE listing (bigint) AS SELECT count(*)::int AS n FROM vmnet.network_active_instances($1);
CREATE TEMP TABLE seen (call serial, n int);
EXECUTE listing(20) \gset
INSERT INTO seen (n) VALUES (:n);
UPDATE cloud.nics SET state = 'Releasing' WHERE id = 1003;
EXECUTE listing(20) \gset
INSERT INTO seen (n) VALUES (:n);
UPDATE cloud.nics SET state = 'Deallocating' WHERE id = 1003;
EXECUTE listing(20) \gset
INSERT INTO seen (n) VALUES (:n);
DELETE FROM cloud.nics WHERE id = 1004;
EXECUTE listing(20) \gset
INSERT INTO seen (n) VALUES (:n);
INSERT INTO cloud.nics (id, instance_id, network_id) VALUES (1007, -1, 20);
EXECUTE listing(20) \gset
INSERT INTO seen (n) VALUES (:n);
SAVEPOINT undone;
DELETE FROM cloud.nics WHERE network_id = 20;
EXECUTE listing(20) \gset
ROLLBACK TO undone;
INSERT INTO seen (n) VALUES (:n);
EXECUTE listing(20) \gset
INSERT INTO seen (n) VALUES (:n);
SELECT results_eq('SELECT n FROM seen ORDER BY call', 'VALUES (4), (4), (3), (2), (3), (0), (3)',
	'a read sees what its own transaction has changed, and what it has undone');

-- Snapshots: a query sees the rows as they were when it began.
WITH gone AS (UPDATE cloud.nics SET state = 'Deallocating' WHERE id = 1005 RETURNING id)
SELECT count(*) AS in_statement FROM vmnet.network_active_instances(20), gone \gset
SELECT is((:in_statement, (SELECT count(*) FROM vmnet.network_active_instances(20)))::text, '(3,2)',
	'a read does not see what its own statement changes');
WITH gone AS (UPDATE cloud.nics SET state = 'Deallocating' WHERE id = 1007 RETURNING id)
SELECT vmnet.network_active_instance_count(20) AS in_statement FROM gone \gset
SELECT is((:in_statement, vmnet.network_active_instance_count(20))::text, '(2,1)', 'nor does a count');

DECLARE early SCROLL CURSOR FOR SELECT instance_id FROM vmnet.network_active_instances(1);
DECLARE started SCROLL CURSOR FOR SELECT instance_id FROM vmnet.network_active_instances(1);
MOVE 3 FROM started;
DELETE FROM cloud.nics WHERE network_id = 1;
SELECT results_eq('FETCH ALL FROM early', 'SELECT instance_id FROM whole ORDER BY ordinality', 'a cursor sees the rows of the time it was declared');
SELECT results_eq('FETCH ALL FROM started', 'SELECT instance_id FROM whole WHERE ordinality > 3 ORDER BY ordinality', 'a cursor that had begun goes on');
SELECT results_eq('FETCH BACKWARD ALL FROM started', 'SELECT instance_id FROM whole ORDER BY ordinality DESC', 'and comes back');
SELECT is_empty('SELECT * FROM vmnet.network_active_instances(1)', 'while a new query sees what was removed meanwhile');
CLOSE ALL;

CREATE FUNCTION pg_temp.remove_and_count() RETURNS bigint[] LANGUAGE plpgsql AS $$
DECLARE
	counts bigint[];
BEGIN
	counts := counts || vmnet.network_active_instance_count(14);
	DELETE FROM cloud.nics WHERE network_id = 14 AND instance_id = (SELECT max(instance_id) FROM vmnet.network_active_instances(14));
	counts := counts || vmnet.network_active_instance_count(14);
	RETURN counts || (SELECT count(*) FROM vmnet.network_active_instances(14));
END $$;
SELECT is(r.c[2:], ARRAY[r.c[1] - 1, r.c[1] - 1], 'inside a function that changes rows, too') FROM pg_temp.remove_and_count() r (c);

-- Which inventory
SELECT vmnet.create_inventory('Cloud') \g /dev/null
INSERT INTO "Cloud".networks (id, uuid) VALUES (1, '00000000-0000-0000-0000-00000000c10d');
INSERT INTO "Cloud".instances (id, uuid) VALUES (7, '00000000-0000-0000-0000-00000000c10e');
INSERT INTO "Cloud".nics (network_id, instance_id) VALUES (1, 7);
SELECT results_eq('SELECT instance_id FROM vmnet.network_active_instances(1, inventory => ''Cloud'')', 'VALUES (7::bigint)',
	'the name of an inventory is not folded');
SELECT is_empty('SELECT instance_id FROM vmnet.network_active_instances(1, inventory => ''cloud'')', 'nor is it taken for one of another case');
SELECT is(vmnet.network_id('00000000-0000-0000-0000-00000000c10d'), NULL, 'without a name it is the one that vmnet.inventory names, cloud at first');
SET LOCAL vmnet.inventory = 'Cloud';
SELECT is(vmnet.network_id('00000000-0000-0000-0000-00000000c10d'), 1::bigint, 'the setting is not folded either');
SELECT results_eq(
	$$SELECT (SELECT count(*) FROM vmnet.network_active_instances(1)), (SELECT count(*) FROM vmnet.network_active_nics(1)),
		(SELECT count(*) FROM vmnet.instance_active_networks(7)), (SELECT count(*) FROM vmnet.vpc_active_instances(500)),
		vmnet.network_active_instance_count(1), vmnet.network_in_use(1),
		vmnet.network_id('00000000-0000-0000-0000-00000000c10d'), vmnet.instance_id('00000000-0000-0000-0000-00000000c10e')$$,
	'VALUES (1::bigint, 1::bigint, 1::bigint, 0::bigint, 1::bigint, true, 1::bigint, 7::bigint)', 'every read follows the setting');
SELECT is((SELECT count(*) FROM vmnet.network_active_instances(1, inventory => NULL)), 1::bigint, 'NULL means the setting');
SELECT is((SELECT count(*) FROM vmnet.network_active_instances(20, inventory => 'cloud')), 1::bigint, 'a name that is given wins');
EXECUTE listing(20) \gset
SELECT is(:n, 0, 'a prepared statement follows a setting that changed');

CREATE TEMP TABLE odd_names (name name);
INSERT INTO odd_names VALUES (' '), ('a "b" ''c'' d'), ('%s %1$I \n'), ('select'), ('"quoted"'), ('a.b'), (repeat('ä', 31) || 'x'), ('x;--');
SELECT vmnet.create_inventory(name::text) FROM odd_names \g /dev/null
SELECT format('INSERT INTO %1$I.networks (id, uuid) VALUES (%2$s, %3$L); INSERT INTO %1$I.instances (id, uuid) VALUES (%2$s, %3$L); INSERT INTO %1$I.nics (network_id, instance_id) VALUES (%2$s, %2$s)',
	name, row_number() OVER (ORDER BY name), md5(name)) FROM odd_names \gexec
SELECT results_eq(
	$$SELECT (SELECT count(*) FROM vmnet.network_active_instances(r, NULL, 1, name)), (SELECT count(*) FROM vmnet.network_active_nics(r, name)),
		(SELECT count(*) FROM vmnet.instance_active_networks(r, name)), (SELECT count(*) FROM vmnet.vpc_active_instances(r, name)),
		vmnet.network_active_instance_count(r, name), vmnet.network_in_use(r, name), vmnet.network_id(md5(name)::uuid, name) = r,
		vmnet.instance_id(md5(name)::uuid, name) = r
	FROM (SELECT name, row_number() OVER (ORDER BY name) AS r FROM odd_names) o$$,
	'SELECT 1::bigint, 1::bigint, 1::bigint, 0::bigint, 1::bigint, true, true, true FROM odd_names', 'names with quotes, spaces and 63 bytes');
CREATE FUNCTION pg_temp.by_setting(inventory name, id bigint) RETURNS bigint LANGUAGE plpgsql AS $$
BEGIN
	PERFORM set_config('vmnet.inventory', inventory::text, true);
	RETURN vmnet.network_active_instance_count(id);
END $$;
SELECT is((SELECT sum(pg_temp.by_setting(name, r)) FROM (SELECT name, row_number() OVER (ORDER BY name) AS r FROM odd_names) o),
	(SELECT count(*)::numeric FROM odd_names), 'the setting takes the same names');

-- Every read refuses what is no inventory, whatever its other arguments are.
CREATE SCHEMA "just a schema";
CREATE SCHEMA "with a table";
CREATE TABLE "with a table".inventory_info (kind text);
CREATE TEMP TABLE calls (call text);
INSERT INTO calls VALUES
	('network_active_instances(1, inventory => %L)'), ('network_active_instances(NULL, 5, 0, %L)'),
	('network_active_nics(1, %L)'), ('network_active_nics(NULL, %L)'), ('instance_active_networks(1, %L)'),
	('instance_active_networks(NULL, %L)'), ('vpc_active_instances(1, %L)'), ('vpc_active_instances(NULL, %L)'),
	('network_active_instance_count(1, %L)'), ('network_active_instance_count(NULL, %L)'), ('network_in_use(1, %L)'), ('network_in_use(NULL, %L)'),
	('network_id(gen_random_uuid(), %L)'), ('network_id(NULL, %L)'), ('instance_id(gen_random_uuid(), %L)'), ('instance_id(NULL, %L)');
CREATE FUNCTION pg_temp.refusal(call text, inventory text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	message text;
	detail text;
	hint text;
BEGIN
	EXECUTE format('SELECT * FROM vmnet.' || call, inventory);
	RETURN 'accepted';
EXCEPTION WHEN invalid_parameter_value THEN
	GET STACKED DIAGNOSTICS message = MESSAGE_TEXT, detail = PG_EXCEPTION_DETAIL, hint = PG_EXCEPTION_HINT;
	RETURN concat_ws(' / ', message, detail, hint);
END $$;
SELECT results_eq($$SELECT DISTINCT pg_temp.refusal(call, 'Nowhere') FROM calls$$,
	$$VALUES ('inventory "Nowhere" does not exist / There is no schema of this name. / The view vmnet.inventories lists the inventories; vmnet.create_inventory() creates one.')$$,
	'every read refuses an unknown inventory');
SELECT results_eq($$SELECT DISTINCT pg_temp.refusal(call, 'just a schema') FROM calls$$,
	$$VALUES ('inventory "just a schema" does not exist / There is a schema of this name, but it is not an inventory. / The view vmnet.inventories lists the inventories; vmnet.create_inventory() creates one.')$$,
	'and a schema that is no inventory');
SELECT results_eq($$SELECT DISTINCT pg_temp.refusal(call, 'with a table') FROM calls$$,
	$$VALUES ('inventory "with a table" does not exist / There is a schema of this name, but it is not an inventory. / The view vmnet.inventories lists the inventories; vmnet.create_inventory() creates one.')$$,
	'and one with a table of the name of the view that marks an inventory');
SELECT set_eq($$SELECT left(pg_temp.refusal(call, name), 18) FROM calls, unnest(ARRAY['', 'CLOUD', '"Cloud"', 'pg_temp', 'vmnet', 'public', 'pg_catalog']) name$$,
	$$VALUES ('inventory "" does '), ('inventory "CLOUD" '), ('inventory ""Cloud"'), ('inventory "pg_temp'), ('inventory "vmnet" '), ('inventory "public"'), ('inventory "pg_cata')$$,
	'names are neither folded nor unquoted nor searched for');
SET LOCAL vmnet.inventory = 'Nowhere';
SELECT results_eq($$SELECT DISTINCT regexp_replace(pg_temp.refusal(call, NULL), $s$Inventories of this database: .*"\. /$s$, $s$.. /$s$) FROM calls$$,
	$$VALUES ('inventory "Nowhere" does not exist / There is no schema of this name. .. / The name comes from the setting "vmnet.inventory". The view vmnet.inventories lists the inventories; vmnet.create_inventory() creates one.')$$,
	'an unknown inventory in the setting is refused at the read, and the hint says where the name is from');
SELECT throws_ok($$SELECT set_config('vmnet.inventory', repeat('x', 64), true)$$, '22023', NULL, 'a name that no schema can have is refused by the setting');
RESET vmnet.inventory;

SELECT * FROM finish();
ROLLBACK;
