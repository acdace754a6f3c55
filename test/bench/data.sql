-- What the benchmark measures on.  Takes from psql: live (NICs of a reading
-- inventory), write_live (of a writing one), sets (how many removed NICs each
-- inventory has for a live one), peers (whether there is more than vmnet_ext).
--
-- bench_0, bench_1 and so on have the same live NICs, and the removed ones mixed with
-- them on disk.  bench_guarded, bench_plain, bench_plpgsql, bench_bare and
-- bench_periods are for writes: guarded; without triggers; guarded in PL/pgSQL;
-- without anything of ours; with the history of the extension periods.

\set ON_ERROR_STOP 1
SET client_min_messages = warning;
CREATE EXTENSION vmnet_ext;
CREATE SCHEMA bench;
CREATE EXTENSION pg_stat_statements SCHEMA bench;

-- The NICs of an inventory: number p is on which network, of which instance.
-- The first networks are large, all others have 130 NICs; an instance has one or
-- two NICs, on different networks.  Removed NICs are those of others before.
CREATE PROCEDURE bench.fill(inventory name, live bigint, removed_times int, spare bigint)
LANGUAGE plpgsql AS $$
DECLARE
	size bigint := least(20000, live / 5);
	large bigint := greatest(1, least(5, live / 300000));
	instances bigint := live * 2 / 3;
BEGIN
	EXECUTE format('CREATE SCHEMA %I', inventory);
	PERFORM vmnet_internal.build_inventory(inventory, 'managed', NULL, 'enforce', ARRAY['tables']);
	EXECUTE format('INSERT INTO %I.all_networks (id, name, guest_type, gateway, zone_id, created)
		SELECT g, ''network '' || g, ''Isolated'', ''10.0.0.1'', 1, ''2025-01-01'' FROM generate_series(1, $1) g',
		inventory) USING large + (live - large * size + 129) / 130;
	EXECUTE format('INSERT INTO %I.all_instances (id, name, display_name, instance_name, state, host_id, zone_id, account_name, created)
		SELECT g, ''vm'' || g, ''machine '' || g, ''i-2-'' || g || ''-VM'',
			CASE WHEN g %% 7 = 0 THEN ''Stopped'' ELSE ''Running'' END, g %% 100, 1, ''admin'', ''2025-01-01''
		FROM generate_series(1, $1) g', inventory) USING instances + spare;
	EXECUTE format('INSERT INTO %I.all_nics (instance_id, network_id, state, reserver_name, device_id, default_nic,
			mac_address, ip4_address, netmask, gateway, broadcast_uri, created, state_changed, removed)
		SELECT 1 + (p + r * ($2 / 2)) * 611953 %% $2,
			CASE WHEN p < $4 * $5 THEN 1 + p / $5 ELSE 1 + $4 + (p - $4 * $5) / 130 END,
			CASE WHEN r > 0 THEN ''Deallocating'' ELSE ''Reserved'' END,
			''ExternalGuestNetworkGuru'', p / $2, p < $2,
			lpad(to_hex(2199023255552 + p), 12, ''0'')::macaddr, ''10.0.0.0''::inet + p,
			''255.0.0.0'', ''10.0.0.1'', ''vlan://'' || p / 130,
			''2025-01-01''::timestamptz + p * interval ''1 s'', ''2026-01-01'', CASE WHEN r > 0 THEN ''2026-01-01''::timestamptz END
		FROM generate_series(0, $1 - 1) p, generate_series(0, $3) r
		ORDER BY hashint8(p * 16 + r)', inventory)
	USING live, instances, removed_times, large, size;
	PERFORM vmnet_internal.build_inventory(inventory, 'managed', NULL, 'enforce',
		ARRAY['keys', 'references', 'indexes', 'rules', 'views', 'triggers']);
END
$$;

SET session_replication_role = replica;
SET maintenance_work_mem = '512MB';
SET work_mem = '256MB';
SELECT format('CALL bench.fill(%L, %s, %s, 0)', 'bench_' || s, :live, s)
FROM unnest(string_to_array(:'sets', ' ')) s
\gexec

-- The last network has had eleven times as many NICs as it has.
INSERT INTO bench_1.all_nics (instance_id, network_id, state, reserver_name, device_id, default_nic,
	mac_address, ip4_address, netmask, gateway, broadcast_uri, created, state_changed, removed)
SELECT n.instance_id, n.network_id, 'Deallocating', n.reserver_name, n.device_id, n.default_nic,
	n.mac_address, n.ip4_address, n.netmask, n.gateway, n.broadcast_uri,
	n.created + g * interval '10 days', n.created + g * interval '20 days', n.created + g * interval '20 days'
FROM bench_1.all_nics n, generate_series(1, 10) g
WHERE n.network_id = (SELECT max(network_id) FROM bench_1.all_nics) AND n.removed IS NOT NULL;

-- What reports tell of: every second live NIC has two entries in history, and
-- one of a thousand is stuck.
INSERT INTO bench_1.nic_history (nic_id, network_id, instance_id, from_state, to_state, event, at, session_username, transaction_id)
SELECT n.id, n.network_id, n.instance_id, s.from_state, s.to_state, s.event, n.created + s.after, session_user, 1
FROM bench_1.all_nics n, (VALUES ('Allocated', 'Reserving', 'ReservationRequested', interval '1 s'),
		('Reserving', 'Reserved', 'OperationCompleted', interval '3 s')) s (from_state, to_state, event, after)
WHERE n.active AND n.id % 2 = 0
ORDER BY n.created, s.after;
SELECT format('UPDATE bench_%s.all_nics SET state = ''Releasing'' WHERE active AND id %% 1000 = 1', s)
FROM unnest(string_to_array(:'sets', ' ')) s
\gexec
UPDATE bench_1.all_networks SET cidr = '10.0.0.0/8';
DO $$ BEGIN PERFORM vmnet.create_report('bench_1'); END $$;

CALL bench.fill('bench_guarded', :write_live, 0, :write_live);
\if :peers
CALL bench.fill('bench_plain', :write_live, 0, :write_live);
CALL bench.fill('bench_plpgsql', :write_live, 0, :write_live);
DROP TRIGGER nic_prepare ON bench_plain.all_nics;
DROP TRIGGER _nic_guard ON bench_plain.all_nics;
DROP TRIGGER _nic_history ON bench_plain.all_nics;
-- Somebody has to say which NIC is the default one where no guard does.
ALTER TABLE bench_plain.all_nics ALTER COLUMN default_nic SET DEFAULT false;

DROP TRIGGER nic_prepare ON bench_plpgsql.all_nics;
DROP TRIGGER _nic_guard ON bench_plpgsql.all_nics;
DROP TRIGGER _nic_history ON bench_plpgsql.all_nics;
\ir guards_plpgsql.sql
\ir bare.sql
\endif
RESET session_replication_role;

VACUUM (ANALYZE, FREEZE);
CHECKPOINT;
