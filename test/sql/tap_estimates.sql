-- How many rows the planner thinks a read returns, against how many it does
-- return, on data of three shapes.
\i test/tap/setup.psql

SELECT plan(33);

CREATE FUNCTION pg_temp.plan_of(query text) RETURNS json LANGUAGE plpgsql AS $$
DECLARE
	plan json;
BEGIN
	EXECUTE 'EXPLAIN (FORMAT JSON) ' || query INTO plan;
	RETURN plan -> 0 -> 'Plan';
END $$;
CREATE FUNCTION pg_temp.estimated(query text) RETURNS numeric LANGUAGE sql AS $$
	SELECT (pg_temp.plan_of($1) ->> 'Plan Rows')::numeric
$$;
CREATE FUNCTION pg_temp.returned(query text) RETURNS numeric LANGUAGE plpgsql AS $$
DECLARE
	n numeric;
BEGIN
	EXECUTE format('SELECT count(*) FROM (%s) q', query) INTO n;
	RETURN n;
END $$;
-- The queries of a list whose estimate is not within a factor of what comes.
CREATE FUNCTION pg_temp.far_off(factor numeric, VARIADIC queries text[]) RETURNS TABLE (query text, estimated numeric, returned numeric) LANGUAGE sql AS $$
	SELECT * FROM (SELECT q, pg_temp.estimated(q) AS e, greatest(pg_temp.returned(q), 1) AS r FROM unnest(queries) q) t
	WHERE e > factor * r OR r > factor * e
$$;
CREATE FUNCTION pg_temp.load(inventory text, from_network int, networks int, live int, gone int) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
	EXECUTE format($sql$
		ALTER TABLE %1$I.all_nics DISABLE TRIGGER USER;
		INSERT INTO %1$I.networks (id, vpc_id) SELECT g, g / 2 FROM generate_series(%2$s, %2$s + %3$s - 1) g;
		INSERT INTO %1$I.instances (id) SELECT g FROM generate_series(1, %4$s) g ON CONFLICT DO NOTHING;
		INSERT INTO %1$I.nics (network_id, instance_id, default_nic)
		SELECT w, i, false FROM generate_series(%2$s, %2$s + %3$s - 1) w, generate_series(1, %4$s) i;
		INSERT INTO %1$I.all_nics (network_id, instance_id, default_nic, state, removed)
		SELECT w, 1 + i %% %4$s, false, 'Deallocating', now() FROM generate_series(%2$s, %2$s + %3$s - 1) w, generate_series(1, %5$s) i;
		ALTER TABLE %1$I.all_nics ENABLE TRIGGER USER$sql$, inventory, from_network, networks, live, gone);
END $$;

SELECT vmnet.create_inventory('uniform'), vmnet.create_inventory('skewed'), vmnet.create_inventory('history') \g /dev/null
-- 100 networks of 100 instances; one of 5,000 among 200 of 20; 50 with 40 of
-- 400 NICs left
SELECT pg_temp.load('uniform', 1, 100, 100, 0), pg_temp.load('skewed', 1, 1, 5000, 0), pg_temp.load('skewed', 2, 200, 20, 0),
	pg_temp.load('history', 1, 50, 40, 360) \g /dev/null
ANALYZE uniform.all_nics, uniform.all_networks, uniform.all_instances;
ANALYZE skewed.all_nics, skewed.all_networks, skewed.all_instances;
ANALYZE history.all_nics, history.all_networks, history.all_instances;

-- Constants
SELECT is_empty($$SELECT * FROM pg_temp.far_off(2,
	'SELECT * FROM vmnet.network_active_instances(1, inventory => ''uniform'')', 'SELECT * FROM vmnet.network_active_instances(50, inventory => ''uniform'')',
	'SELECT * FROM vmnet.network_active_nics(77, ''uniform'')', 'SELECT * FROM vmnet.instance_active_networks(5, ''uniform'')')$$,
	'uniform: within a factor of 2');
SELECT is_empty($$SELECT * FROM pg_temp.far_off(2,
	'SELECT * FROM vmnet.network_active_instances(1, inventory => ''skewed'')', 'SELECT * FROM vmnet.network_active_nics(1, ''skewed'')')$$,
	'one big network among small ones, the big one: within a factor of 2');
SELECT is_empty($$SELECT * FROM pg_temp.far_off(2,
	'SELECT * FROM vmnet.network_active_instances(2, inventory => ''skewed'')', 'SELECT * FROM vmnet.network_active_instances(201, inventory => ''skewed'')',
	'SELECT * FROM vmnet.network_active_nics(100, ''skewed'')')$$,
	'a small one: within a factor of 2');
SELECT is_empty($$SELECT * FROM pg_temp.far_off(2,
	'SELECT * FROM vmnet.instance_active_networks(1, ''skewed'')', 'SELECT * FROM vmnet.instance_active_networks(20, ''skewed'')')$$,
	'an instance on all of them: within a factor of 2');
SELECT is_empty($$SELECT * FROM pg_temp.far_off(3, 'SELECT * FROM vmnet.instance_active_networks(4000, ''skewed'')')$$,
	'an instance on one: within a factor of 3');
SELECT is_empty($$SELECT * FROM pg_temp.far_off(2,
	'SELECT * FROM vmnet.network_active_instances(1, inventory => ''history'')', 'SELECT * FROM vmnet.network_active_nics(50, ''history'')',
	'SELECT * FROM vmnet.instance_active_networks(7, ''history'')')$$,
	'many removed rows: within a factor of 2');
SELECT is_empty($$SELECT * FROM pg_temp.far_off(10,
	'SELECT * FROM vmnet.vpc_active_instances(3, ''uniform'')', 'SELECT * FROM vmnet.vpc_active_instances(3, ''skewed'')', 'SELECT * FROM vmnet.vpc_active_instances(3, ''history'')')$$,
	'a VPC, whose instances may be on several networks: within a factor of 10');
SELECT is_empty($$SELECT * FROM pg_temp.far_off(2,
	'SELECT * FROM vmnet.network_active_instances(NULL, inventory => ''uniform'')', 'SELECT * FROM vmnet.network_active_instances(NULL, NULL, 50, ''skewed'')',
	'SELECT * FROM vmnet.network_active_nics(NULL, ''uniform'')', 'SELECT * FROM vmnet.instance_active_networks(NULL, ''uniform'')', 'SELECT * FROM vmnet.vpc_active_instances(NULL, ''uniform'')')$$,
	'NULL: one row, the least there is');
SELECT cmp_ok(pg_temp.estimated('SELECT * FROM vmnet.network_active_instances(999999, inventory => ''skewed'')'), '<=', 40::numeric, 'an unknown network: like a small one at most');

-- Pages
SELECT is(pg_temp.estimated('SELECT * FROM vmnet.network_active_instances(1, NULL, 50, ''skewed'')'), 50::numeric, 'a page of 50 of a big network: 50');
SELECT is(pg_temp.estimated('SELECT * FROM vmnet.network_active_instances(1, 300, 7, ''skewed'')'), 7::numeric, 'a page of 7 from the middle: 7');
SELECT is_empty($$SELECT * FROM pg_temp.far_off(2, 'SELECT * FROM vmnet.network_active_instances(2, NULL, 1000, ''skewed'')')$$, 'a page larger than its network: the network');
SELECT is(pg_temp.estimated('SELECT * FROM vmnet.network_active_instances(1, NULL, 0, ''skewed'')'), 1::numeric, 'a page of none: one, the least there is');
SELECT lives_ok($$SELECT pg_temp.estimated('SELECT * FROM vmnet.network_active_instances(1, NULL, -1, ''skewed'')')$$, 'a negative page does not fail at plan time');
SELECT is(pg_temp.estimated('SELECT * FROM vmnet.network_active_instances(1, page_size => 20 + 5, inventory => (''ske'' || ''wed'')::name)'), 25::numeric, 'expressions of constants are constants');

-- What is known only later: the average
SET LOCAL plan_cache_mode = force_generic_plan;
PREPARE uniform (bigint) AS SELECT * FROM vmnet.network_active_instances($1, inventory => 'uniform');
PREPARE skewed (bigint) AS SELECT * FROM vmnet.network_active_instances($1, inventory => 'skewed');
PREPARE history (bigint) AS SELECT * FROM vmnet.network_active_instances($1, inventory => 'history');
PREPARE page (bigint, int) AS SELECT * FROM vmnet.network_active_instances($1, NULL, $2, 'skewed');
PREPARE page_of_10 (bigint) AS SELECT * FROM vmnet.network_active_instances($1, NULL, 10, 'skewed');
SELECT cmp_ok(pg_temp.estimated('EXECUTE uniform(1)'), '>=', 50::numeric, 'uniform: an unknown network has at least half of the 100 it has');
SELECT cmp_ok(pg_temp.estimated('EXECUTE uniform(1)'), '<=', 200::numeric, 'and at most twice');
SELECT cmp_ok(pg_temp.estimated('EXECUTE skewed(1)'), '>=', 22::numeric, 'skewed: at least half of the average of 45');
SELECT cmp_ok(pg_temp.estimated('EXECUTE skewed(1)'), '<=', 90::numeric, 'and at most twice');
SELECT cmp_ok(pg_temp.estimated('EXECUTE history(1)'), '>=', 20::numeric, 'history: at least half of the average of 40');
SELECT cmp_ok(pg_temp.estimated('EXECUTE history(1)'), '<=', 80::numeric, 'and at most twice');
SELECT is(pg_temp.estimated('EXECUTE page_of_10(1)'), 10::numeric, 'a page of 10 of an unknown network: 10');
SELECT is(pg_temp.estimated('EXECUTE page(1, 10)'), pg_temp.estimated('EXECUTE skewed(1)'), 'a page of an unknown size: the network');
SET LOCAL plan_cache_mode = force_custom_plan;
SELECT is(pg_temp.estimated('EXECUTE page(1, 10)'), 10::numeric, 'a plan for these parameters: 10');
RESET plan_cache_mode;
SELECT is(pg_temp.estimated('SELECT f.* FROM uniform.networks w, vmnet.network_active_instances(w.id, inventory => ''uniform'') f WHERE w.id = 3 OFFSET 0') <= 200, true,
	'under LATERAL the average, so that joins are planned well');

-- The estimate follows what happens
DELETE FROM skewed.nics WHERE network_id = 1 AND instance_id > 100;
ANALYZE skewed.all_nics;
SELECT cmp_ok(pg_temp.estimated('SELECT * FROM vmnet.network_active_nics(2, ''skewed'')'), '<=', 40::numeric, 'after a big removal the estimate of the others stays');
SELECT cmp_ok(pg_temp.estimated('SELECT * FROM vmnet.network_active_nics(2, ''skewed'')'), '>=', 5::numeric, 'near what it was');
SET LOCAL vmnet.inventory = 'uniform';
SELECT is_empty($$SELECT * FROM pg_temp.far_off(2, 'SELECT * FROM vmnet.network_active_instances(1)')$$, 'the setting vmnet.inventory counts');

-- An estimate never fails, and never hides the error of the call
SELECT lives_ok($$EXPLAIN SELECT * FROM vmnet.network_active_instances(1, inventory => 'nowhere')$$, 'an unknown inventory does not fail at plan time');
SELECT throws_ok($$SELECT * FROM vmnet.network_active_instances(1, inventory => 'nowhere')$$, '22023', 'inventory "nowhere" does not exist', 'but when it is read');
SET LOCAL vmnet.inventory = 'nowhere';
SELECT lives_ok($$EXPLAIN SELECT * FROM vmnet.network_active_instances(1), vmnet.network_active_nics(1), vmnet.instance_active_networks(1), vmnet.vpc_active_instances(1)$$, 'nor an unknown one in the setting');
RESET vmnet.inventory;
CREATE SCHEMA "half of one";
CREATE VIEW "half of one".inventory_info AS SELECT 'managed'::text AS kind, NULL::text AS source, 'enforce'::text AS mode, '0.1.0'::text AS version;
SELECT lives_ok($$EXPLAIN SELECT * FROM vmnet.network_active_instances(1, inventory => 'half of one')$$, 'nor one that lacks its views');
SELECT lives_ok($$EXPLAIN SELECT vmnet.network_active_instances(g) FROM generate_series(1, 3) g$$, 'nor a call in a target list');

SELECT * FROM finish();
ROLLBACK;
