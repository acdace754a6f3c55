-- What a refusal says follows the caller, what it decides does not: whoever cannot
-- read all rows of a table is told how many are in the way, and none of them.
\i test/tap/setup.psql

SELECT plan(42);
SET LOCAL client_min_messages = warning;
SET LOCAL TimeZone = 'UTC';

CREATE ROLE vmnet_test_all;			-- reads and writes everything
CREATE ROLE vmnet_test_columns;		-- reads every column, by grants on columns
CREATE ROLE vmnet_test_some;		-- is subject to policies
CREATE ROLE vmnet_test_blind;		-- writes, and reads nothing but keys
CREATE ROLE vmnet_test_passes BYPASSRLS;
INSERT INTO cloud.networks (id, name, created) SELECT n, 'net' || n, '2026-01-01' FROM generate_series(1, 4) n;
INSERT INTO cloud.instances (id, created) SELECT n, '2026-01-01' FROM generate_series(1, 20) n;
INSERT INTO cloud.nics (id, uuid, instance_id, network_id, created) SELECT 700 + n, format('00000000-0000-0000-0000-0000000007%s', lpad(n::text, 2, '0'))::uuid, n, 1, '2026-01-01' FROM generate_series(1, 7) n;
INSERT INTO cloud.nics (id, instance_id, network_id, created) VALUES (711, 11, 2, '2026-01-01'), (712, 12, 4, '2026-01-01');
UPDATE cloud.nics SET state = 'Deallocating' WHERE id = 702;
UPDATE cloud.nics SET state = 'Deallocating', removed = '2026-03-03' WHERE id = 712;
INSERT INTO cloud.nic_secondary_ips (id, nic_id, network_id, ip4_address, created) VALUES (1, 711, 2, '10.0.0.1', '2026-01-01'), (2, 711, 2, '10.0.0.2', '2026-01-01');
UPDATE cloud.all_nic_secondary_ips SET removed = '2026-03-03' WHERE id = 2;
UPDATE cloud.networks SET removed = '2026-02-02' WHERE id = 3;
UPDATE cloud.instances SET removed = '2026-02-02' WHERE id = 19;
GRANT USAGE ON SCHEMA cloud TO vmnet_test_all, vmnet_test_columns, vmnet_test_some, vmnet_test_blind, vmnet_test_passes;
GRANT SELECT, INSERT, UPDATE ON ALL TABLES IN SCHEMA cloud TO vmnet_test_all, vmnet_test_some, vmnet_test_passes;
GRANT INSERT, UPDATE ON ALL TABLES IN SCHEMA cloud TO vmnet_test_blind, vmnet_test_columns;
GRANT DELETE ON cloud.all_nics TO vmnet_test_all, vmnet_test_columns, vmnet_test_some, vmnet_test_blind, vmnet_test_passes;
GRANT SELECT (id) ON cloud.all_nics, cloud.all_networks, cloud.all_instances, cloud.all_nic_secondary_ips TO vmnet_test_blind;
SELECT format('GRANT SELECT (%s) ON %s TO vmnet_test_columns', string_agg(quote_ident(attname), ', '), attrelid::regclass)
FROM pg_attribute WHERE attrelid IN ('cloud.all_nics'::regclass, 'cloud.all_networks'::regclass, 'cloud.all_instances'::regclass, 'cloud.all_nic_secondary_ips'::regclass)
	AND attnum > 0 AND NOT attisdropped GROUP BY attrelid \gexec

-- all that an error says
CREATE FUNCTION pg_temp.said(who name, command text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	name text; detail text; hint text;
BEGIN
	PERFORM set_config('role', who, true);
	EXECUTE command;
	PERFORM set_config('role', 'none', true);
	RETURN 'accepted';
EXCEPTION WHEN OTHERS THEN
	GET STACKED DIAGNOSTICS name = CONSTRAINT_NAME, detail = PG_EXCEPTION_DETAIL, hint = PG_EXCEPTION_HINT;
	RETURN concat_ws(' | ', SQLSTATE, name, SQLERRM, detail, hint);
END
$$;
CREATE TEMP TABLE refused (ord serial, command text, rule text);
INSERT INTO refused (command, rule) VALUES
	('UPDATE cloud.all_networks SET removed = now() WHERE id = 1', 'network_in_use'),
	('UPDATE cloud.all_instances SET removed = now() WHERE id = 11', 'instance_in_use'),
	($$UPDATE cloud.all_networks SET removed = '2026-01-20' WHERE id = 4$$, 'network_removed_after_nics'),
	('UPDATE cloud.all_networks SET removed = NULL WHERE id = 3', 'network_removed_once'),
	('UPDATE cloud.all_instances SET removed = now() WHERE id = 19', 'instance_removed_once'),
	($$UPDATE cloud.all_networks SET removed = '2025-01-01' WHERE id = 4$$, 'network_removed_after_nics'),
	('INSERT INTO cloud.all_nics (id, instance_id, network_id) VALUES (800, 18, 3)', 'nic_parent_active'),
	('INSERT INTO cloud.all_nics (id, instance_id, network_id) VALUES (800, 19, 2)', 'nic_parent_active'),
	($$UPDATE cloud.all_nics SET state = 'Releasing' WHERE id = 711$$, 'nic_state_transition'),
	($$UPDATE cloud.all_nics SET state = 'Allocated' WHERE id = 702$$, 'nic_state_transition'),
	($$UPDATE cloud.all_nics SET removed = '2026-04-04' WHERE id = 712$$, 'nic_removed_once'),
	($$UPDATE cloud.all_nics SET instance_id = 20 WHERE id = 711$$, 'nic_identity_immutable'),
	($$UPDATE cloud.all_nics SET state = 'Deallocating', removed = '2025-01-01' WHERE id = 711$$, 'nic_removed_after_changes'),
	('UPDATE cloud.all_nics SET mtu = 1 WHERE id = 712', 'nic_removed_read_only'),
	($$INSERT INTO cloud.all_nic_secondary_ips (id, nic_id, network_id, ip4_address) VALUES (80, 702, 1, '10.0.0.7')$$, 'secondary_ip_nic_active'),
	($$INSERT INTO cloud.all_nic_secondary_ips (id, nic_id, network_id, ip4_address) VALUES (80, 711, 1, '10.0.0.7')$$, 'secondary_ip_network'),
	('UPDATE cloud.all_nic_secondary_ips SET removed = now() WHERE id = 2', 'secondary_ip_removed_once'),
	($$UPDATE cloud.all_nic_secondary_ips SET removed = '2025-01-01' WHERE id = 1$$, 'secondary_ip_removed_after_created'),
	('DELETE FROM cloud.all_nics', 'no_hard_delete');

-- who sees everything is told everything
CREATE TEMP VIEW told AS SELECT r.ord, r.rule, r.command, w.who, pg_temp.said(w.who, r.command) AS said
	FROM refused r, unnest(ARRAY['none', 'vmnet_test_all', 'vmnet_test_columns', 'vmnet_test_blind', 'vmnet_test_some', 'vmnet_test_passes']::name[]) w (who);
CREATE TEMP TABLE before AS SELECT * FROM told;
SELECT is_empty($$SELECT command, who, said FROM before WHERE split_part(said, ' | ', 2) <> rule$$, 'everybody is refused for the same reason');
SELECT is_empty($$SELECT b.command, b.who, b.said FROM before b JOIN before s ON s.ord = b.ord AND s.who = 'none'
	WHERE b.who <> 'vmnet_test_blind' AND regexp_replace(b.said, 'NIC \d+ \(uuid [-0-9a-f]+\)', 'NIC') <> regexp_replace(s.said, 'NIC \d+ \(uuid [-0-9a-f]+\)', 'NIC')$$, 'and in the same words, if he may read the table');
SELECT is((SELECT said FROM before WHERE ord = 1 AND who = 'vmnet_test_columns'), '23503 | network_in_use | cannot remove network 1: NICs are left on it | '
	'7 NICs are held, 1 of them half-removed: NIC 701 (Allocated, instance 1), NIC 702 (Deallocating, instance 2), NIC 703 (Allocated, instance 3), NIC 704 (Allocated, instance 4), NIC 705 (Allocated, instance 5) and 2 more. | '
	'Remove its NICs first. A half-removed one still holds its address; once that is free, finish it: UPDATE cloud.all_nics SET removed = now() WHERE id IN (702).', 'which NICs are in the way');

-- who does not, is not
ALTER TABLE cloud.all_nics ENABLE ROW LEVEL SECURITY;
ALTER TABLE cloud.all_networks ENABLE ROW LEVEL SECURITY;
ALTER TABLE cloud.all_instances ENABLE ROW LEVEL SECURITY;
ALTER TABLE cloud.all_nic_secondary_ips ENABLE ROW LEVEL SECURITY;
CREATE POLICY write ON cloud.all_nics USING (true) WITH CHECK (true);
CREATE POLICY write ON cloud.all_networks USING (true) WITH CHECK (true);
CREATE POLICY write ON cloud.all_instances USING (true) WITH CHECK (true);
CREATE POLICY write ON cloud.all_nic_secondary_ips USING (true) WITH CHECK (true);
CREATE POLICY hide ON cloud.all_nics AS RESTRICTIVE FOR SELECT USING (current_user <> 'vmnet_test_some' OR id IN (702, 711, 712));
CREATE TEMP TABLE after AS SELECT * FROM told;
SELECT is_empty($$SELECT command, who, said FROM after WHERE split_part(said, ' | ', 2) <> rule$$, 'what is decided is the same with policies');
SELECT is_empty($$SELECT a.command, a.who, a.said FROM after a JOIN before b USING (ord, who) WHERE a.who IN ('none', 'vmnet_test_passes')
	AND regexp_replace(a.said, 'NIC \d+ \(uuid [-0-9a-f]+\)', 'NIC') <> regexp_replace(b.said, 'NIC \d+ \(uuid [-0-9a-f]+\)', 'NIC')$$, 'for whom they are not in force, nothing changes');
-- by hand: what blind and some are told.  Ids that a command names itself may be there.
SELECT is((SELECT said FROM before WHERE ord = 1 AND who = 'vmnet_test_blind'), '23503 | network_in_use | cannot remove network 1: NICs are left on it | '
	'7 NICs are held, 1 of them half-removed. They are not named, because rows of table "all_nics" may be hidden from the current role. | Remove its NICs first, as a role that can see them.', 'numbers for who may not read');
SELECT is((SELECT said FROM after WHERE ord = 1 AND who = 'vmnet_test_some'), (SELECT said FROM before WHERE ord = 1 AND who = 'vmnet_test_blind'), 'and for whom policies hide rows from');
SELECT is((SELECT said FROM after WHERE ord = 2 AND who = 'vmnet_test_some'), '23503 | instance_in_use | cannot remove instance 11: NICs are left on it | '
	'1 NIC is held. They are not named, because rows of table "all_nics" may be hidden from the current role. | Remove its NICs first, as a role that can see them.', 'an instance');
SELECT doesnt_match(t.said, w.pattern, format('%s: %s', t.who, t.command))
FROM (SELECT * FROM before WHERE who = 'vmnet_test_blind' UNION ALL SELECT * FROM after WHERE who = 'vmnet_test_some') t
	JOIN refused r USING (ord, rule, command),
	-- times, states, strategies, uuids and addresses of rows; other networks and instances
	LATERAL (SELECT '2026-0[1-3]|uuid|Deallocating"|"Allocated" to|state is|strategy "|on network 2|to 2\.|from 11|instance [0-9]+\)' AS pattern) w
WHERE t.ord NOT IN (1, 2)
	AND NOT (t.ord = 3)
ORDER BY t.ord, t.who;

SELECT matches(t.said, 'table "all_nics" \| Deleting a row would lose', format('%s: DELETE names no row', t.who))
FROM (SELECT * FROM before WHERE who = 'vmnet_test_blind' UNION ALL SELECT * FROM after WHERE who = 'vmnet_test_some') t
WHERE t.rule = 'no_hard_delete' ORDER BY t.who;

SELECT * FROM finish();
ROLLBACK;
