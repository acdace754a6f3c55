-- What the definition of an inventory names outside of its schema is part of the
-- format of a dump: names and arguments of these functions do not change.
\i test/tap/setup.psql

SELECT plan(10);

CREATE SCHEMA source;
CREATE TABLE source.networks (id bigint PRIMARY KEY, name text, state text, created timestamp, removed timestamp);
CREATE TABLE source.vm_instance (id bigint PRIMARY KEY, name text, state text, created timestamp, removed timestamp);
CREATE TABLE source.nics (id bigint PRIMARY KEY, network_id bigint, instance_id bigint, state text, created timestamp, removed timestamp);
SELECT vmnet.set_inventory_notify('cloud', true) \g /dev/null
SET LOCAL client_min_messages = warning;
CALL vmnet.import_cloudstack('source', 'mirror');

-- Returns the functions of the extension that objects of a schema depend on.
CREATE FUNCTION named_functions(inventory name, object_class regclass) RETURNS SETOF text LANGUAGE sql AS $$
SELECT DISTINCT d.refobjid::regprocedure::text
FROM pg_depend d
	LEFT JOIN pg_trigger t ON d.classid = 'pg_trigger'::regclass AND t.oid = d.objid
	LEFT JOIN pg_constraint k ON d.classid = 'pg_constraint'::regclass AND k.oid = d.objid
	LEFT JOIN pg_attrdef f ON d.classid = 'pg_attrdef'::regclass AND f.oid = d.objid
	LEFT JOIN pg_rewrite w ON d.classid = 'pg_rewrite'::regclass AND w.oid = d.objid
	JOIN pg_class c ON c.oid = coalesce(t.tgrelid, k.conrelid, f.adrelid, w.ev_class) AND c.relnamespace = $1::text::regnamespace
	JOIN pg_proc p ON p.oid = d.refobjid
WHERE d.refclassid = 'pg_proc'::regclass AND d.classid = $2 AND p.pronamespace IN ('vmnet'::regnamespace, 'vmnet_internal'::regnamespace)
$$;

SELECT set_eq($$SELECT * FROM named_functions('cloud', 'pg_constraint')$$,
	ARRAY['vmnet_internal.nic_state_valid(text)', 'vmnet_internal.nic_strategy_valid(text)', 'vmnet_internal.ip4_address_valid(inet)',
		'vmnet_internal.ip6_address_valid(inet)'], 'CHECKs of a managed inventory call these functions');
SELECT is_empty($$SELECT * FROM named_functions('mirror', 'pg_constraint')$$, 'those of a mirror call none');
SELECT set_eq($$SELECT * FROM named_functions('cloud', 'pg_trigger')$$,
	ARRAY['vmnet_internal.accepted_guard()', 'vmnet_internal.fill_defaults()', 'vmnet_internal.history_guard()', 'vmnet_internal.instance_guard()', 'vmnet_internal.network_guard()',
		'vmnet_internal.nic_guard()', 'vmnet_internal.nic_history()', 'vmnet_internal.nic_notify()', 'vmnet_internal.nic_prepare()', 'vmnet_internal.nic_secondary_ips_remove()',
		'vmnet_internal.nic_view_delete()', 'vmnet_internal.no_hard_delete()', 'vmnet_internal.no_truncate()', 'vmnet_internal.parent_view_delete()', 'vmnet_internal.secondary_ip_guard()'], 'triggers of a managed inventory');
SELECT set_eq($$SELECT * FROM named_functions('mirror', 'pg_trigger')$$,
	ARRAY['vmnet_internal.accepted_guard()', 'vmnet_internal.history_guard()', 'vmnet_internal.mirror_guard()', 'vmnet_internal.nic_view_delete()',
		'vmnet_internal.no_hard_delete()', 'vmnet_internal.no_truncate()', 'vmnet_internal.parent_view_delete()'], 'and of a mirror');
CREATE TEMP TABLE before AS SELECT * FROM named_functions('mirror', 'pg_trigger') f;
SELECT vmnet.enable_reality('mirror'), vmnet.enable_reality('cloud') \g /dev/null
SELECT set_eq($$SELECT * FROM named_functions('mirror', 'pg_trigger') EXCEPT SELECT f FROM before$$, ARRAY['vmnet_internal.sighting_guard()'],
	'what is observed adds one');
SELECT is_empty($$SELECT i, c, f FROM unnest('{cloud,mirror}'::name[]) i, unnest('{pg_attrdef,pg_rewrite}'::regclass[]) c, named_functions(i, c) f$$,
	'defaults and views call none');
SELECT set_eq($$SELECT proname::text, provolatile::text, proisstrict, proparallel::text, p.proacl IS NULL
	FROM pg_proc p WHERE p.oid::regprocedure::text IN (SELECT * FROM named_functions('cloud', 'pg_constraint'))$$,
	$$VALUES ('nic_state_valid', 'i', true, 's', true), ('nic_strategy_valid', 'i', true, 's', true), ('ip4_address_valid', 'i', true, 's', true),
		('ip6_address_valid', 'i', true, 's', true)$$, 'functions of CHECKs are immutable, strict, safe for parallel plans, and for all');

-- they decide as the texts that they stand for
SELECT results_eq($$SELECT s, vmnet_internal.nic_state_valid(s) FROM unnest('{Allocated,Reserving,Reserved,Releasing,Deallocating,allocated,Allocate,"Allocated ","",NULL}'::text[]) s$$,
	$$SELECT s, s IN (SELECT state FROM vmnet_internal.nic_states()) FROM unnest('{Allocated,Reserving,Reserved,Releasing,Deallocating,allocated,Allocate,"Allocated ","",NULL}'::text[]) s$$,
	'states');
SELECT results_eq($$SELECT s, vmnet_internal.nic_strategy_valid(s) FROM unnest('{PlaceHolder,Create,Start,Managed,start,Placeholder,"",NULL}'::text[]) s$$,
	$$SELECT s, s IN ('PlaceHolder', 'Create', 'Start', 'Managed') FROM unnest('{PlaceHolder,Create,Start,Managed,start,Placeholder,"",NULL}'::text[]) s$$,
	'strategies');
SELECT results_eq($$SELECT a, vmnet_internal.ip4_address_valid(a), vmnet_internal.ip6_address_valid(a)
		FROM unnest('{10.0.0.1,10.0.0.1/31,0.0.0.0/0,10.0.0.1/32,fd00::1,fd00::1/64,::/0,::/32,NULL}'::inet[]) a$$,
	$$SELECT a, family(a) = 4 AND masklen(a) = 32, family(a) = 6 AND masklen(a) = 128
		FROM unnest('{10.0.0.1,10.0.0.1/31,0.0.0.0/0,10.0.0.1/32,fd00::1,fd00::1/64,::/0,::/32,NULL}'::inet[]) a$$, 'addresses');

SELECT * FROM finish();
ROLLBACK;
