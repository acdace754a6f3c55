-- Messages have the singular of what is counted once.
\i test/tap/setup.psql
SELECT plan(4);
SELECT results_eq($$SELECT vmnet_internal.counted(n, 'row', 'rows') FROM unnest('{-1,0,1,2,NULL}'::bigint[]) n$$,
	$$VALUES ('-1 rows'), ('0 rows'), ('1 row'), ('2 rows'), (NULL)$$, 'a number and what is counted');
INSERT INTO cloud.networks (id) VALUES (1), (2);
INSERT INTO cloud.instances (id) VALUES (1), (2);
INSERT INTO cloud.nics (id, network_id, instance_id, default_nic) VALUES (1, 1, 1, false), (2, 1, 2, false), (3, 2, 2, false);
UPDATE cloud.nics SET default_nic = false;
SELECT results_eq($$SELECT message FROM vmnet.check_inventory('cloud') WHERE code = 'default_nic_missing' ORDER BY object_id$$,
	$$VALUES ('instance 1 has 1 active NIC and no default NIC; NIC 1 comes first'), ('instance 2 has 2 active NICs and no default NIC; NIC 2 comes first')$$,
	'a finding');
CREATE FUNCTION pg_temp.detail_of(command text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	detail text;
BEGIN
	EXECUTE command;
	RETURN NULL;
EXCEPTION WHEN OTHERS THEN
	GET STACKED DIAGNOSTICS detail = PG_EXCEPTION_DETAIL;
	RETURN detail;
END
$$;
SELECT is(pg_temp.detail_of('DELETE FROM cloud.networks WHERE id = 2'), '1 NIC is held: NIC 3 (Allocated, instance 2).', 'one NIC in a refusal');
SELECT is(pg_temp.detail_of('DELETE FROM cloud.networks WHERE id = 1'), '2 NICs are held: NIC 1 (Allocated, instance 1), NIC 2 (Allocated, instance 2).', 'two of them');
SELECT * FROM finish();
ROLLBACK;
