-- A removed NIC is read-only in every column that the list of columns has, also where
-- another version of the extension replaces the list while sessions are open.
\i test/tap/setup.psql
SELECT plan(7);
SET LOCAL client_min_messages = warning;

-- A removed NIC in an inventory that has a column "label" of a user.
CREATE FUNCTION pg_temp.make() RETURNS void LANGUAGE plpgsql AS $$
BEGIN
	ALTER TABLE cloud.all_nics ADD label text;
	INSERT INTO cloud.networks (id) VALUES (1);
	INSERT INTO cloud.nics (id, network_id, strategy) VALUES (1, 1, 'PlaceHolder');
	DELETE FROM cloud.nics;
END
$$;
-- A version whose list has this column.
CREATE FUNCTION pg_temp.next_version() RETURNS void LANGUAGE plpgsql AS $$
BEGIN
	ALTER FUNCTION vmnet_internal.inventory_columns() RENAME TO inventory_columns_before;
	CREATE FUNCTION vmnet_internal.inventory_columns() RETURNS TABLE (relation text, name text, in_view boolean) LANGUAGE sql
		AS $f$SELECT relation, name, in_view FROM vmnet_internal.inventory_columns_before() UNION ALL VALUES ('all_nics', 'label', true)$f$;
END
$$;

SELECT pg_temp.make() \g /dev/null
SELECT lives_ok($$UPDATE cloud.all_nics SET label = 'a'$$, 'a column that a user added can be written');
SELECT pg_temp.next_version() \g /dev/null
SELECT throws_like($$UPDATE cloud.all_nics SET label = 'b'$$, '"label" of NIC 1 cannot change%', 'not once the list has it');
DROP FUNCTION vmnet_internal.inventory_columns();
ALTER FUNCTION vmnet_internal.inventory_columns_before() RENAME TO inventory_columns;
SELECT lives_ok($$UPDATE cloud.all_nics SET label = 'c'$$, 'it can where the list has it no more');
ALTER TABLE cloud.all_nics ADD other text;
SELECT lives_ok($$UPDATE cloud.all_nics SET other = 'd'$$, 'so can one that was added later');

-- The extension is created anew.
DROP SCHEMA cloud CASCADE;
DROP EXTENSION vmnet_ext;
CREATE EXTENSION vmnet_ext;
SELECT vmnet.create_inventory('cloud') \g /dev/null
SELECT pg_temp.make() \g /dev/null
SELECT lives_ok($$UPDATE cloud.all_nics SET label = 'a'$$, 'with another extension, a column that a user added can be written');
SELECT pg_temp.next_version() \g /dev/null
SELECT throws_like($$UPDATE cloud.all_nics SET label = 'b'$$, '"label" of NIC 1 cannot change%', 'not once the list has it');
SELECT throws_like($$UPDATE cloud.all_nics SET mtu = 1$$, '"mtu" of NIC 1 cannot change%', 'and the columns that the guards read are read-only, too');
SELECT * FROM finish();
ROLLBACK;
