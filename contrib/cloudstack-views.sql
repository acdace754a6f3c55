-- CloudStack's networks and who is on them: views for MySQL 8 and MariaDB 10.3 or
-- later over the tables of database cloud, for reading only.  Nothing is stored.
--
-- They go into a database of their own, so that no upgrade of CloudStack meets them:
--
--     mysql -e 'CREATE DATABASE cloud_views'
--     mysql cloud_views < contrib/cloudstack-views.sql
--
-- They read with the rights of the account that loads this file: a reader needs
-- SELECT on cloud_views, and none on cloud.  Where CloudStack's database has another
-- name, replace "cloud." first.
--
-- Written by contrib/generate-cloudstack-views from the definitions of the extension
-- vmnet_ext.  Do not edit.

-- One row per live network and instance active on it
-- An instance is active on a network when it has an active NIC there.
-- Where it has several, the row shows that of the lowest device_id (NULLs last), then of the lowest id.
CREATE OR REPLACE SQL SECURITY DEFINER VIEW network_instances AS
SELECT n.network_id, w.uuid AS network_uuid, RTRIM(w.name) AS network_name, RTRIM(COALESCE(w.state, 'Unknown')) AS network_state,
	RTRIM(w.traffic_type) AS traffic_type, RTRIM(w.guest_type) AS guest_type, w.vpc_id,
	n.instance_id, i.uuid AS instance_uuid, RTRIM(i.name) AS instance_name, RTRIM(i.type) AS instance_type,
	RTRIM(COALESCE(i.state, 'Unknown')) AS instance_state,
	(SELECT COUNT(*) FROM cloud.nics c
	 WHERE (c.removed IS NULL AND CAST(LOWER(RTRIM(COALESCE(c.state, 'Unknown'))) AS BINARY) <> 'deallocating')
			AND c.network_id = n.network_id AND c.instance_id = n.instance_id) AS nic_count,
	n.id AS nic_id, RTRIM(COALESCE(n.state, 'Unknown')) AS nic_state, n.device_id, (n.default_nic <> 0) AS default_nic, n.mac_address,
	n.ip4_address, n.ip6_address
FROM cloud.nics n
	JOIN cloud.networks w ON w.id = n.network_id AND (w.removed IS NULL)
	JOIN cloud.vm_instance i ON i.id = n.instance_id AND (i.removed IS NULL)
WHERE (n.removed IS NULL AND CAST(LOWER(RTRIM(COALESCE(n.state, 'Unknown'))) AS BINARY) <> 'deallocating')
	AND NOT EXISTS (
		SELECT 1 FROM cloud.nics o
		WHERE (o.removed IS NULL AND CAST(LOWER(RTRIM(COALESCE(o.state, 'Unknown'))) AS BINARY) <> 'deallocating')
			AND o.network_id = n.network_id AND o.instance_id = n.instance_id
			AND (coalesce(o.device_id, 2147483648), o.id) < (coalesce(n.device_id, 2147483648), n.id));

-- One row per live network, with counts; a network with nothing on it has zeros
-- System networks are there too.
CREATE OR REPLACE SQL SECURITY DEFINER VIEW network_counts AS
SELECT w.id AS network_id, RTRIM(w.name) AS network_name,
	COALESCE(c.attached_nics, 0) AS attached_nics,
	COALESCE(c.active_instances, 0) AS active_instances,
	COALESCE(c.running_instances, 0) AS running_instances,
	COALESCE(c.user_instances, 0) AS user_instances,
	COALESCE(c.allocated, 0) AS allocated,
	COALESCE(c.reserving, 0) AS reserving,
	COALESCE(c.reserved, 0) AS reserved,
	COALESCE(c.releasing, 0) AS releasing,
	COALESCE(c.deallocating, 0) AS deallocating,
	COALESCE(c.other_states, 0) AS other_states,
	COALESCE(c.used_ip4, 0) AS used_ip4
FROM cloud.networks w
	LEFT JOIN (
		SELECT n.network_id,
			COUNT(CASE WHEN n.active AND n.instance_active THEN 1 END) AS attached_nics,
			COUNT(DISTINCT CASE WHEN n.active AND n.instance_active THEN n.instance_id END) AS active_instances,
			COUNT(DISTINCT CASE WHEN n.active AND n.instance_active AND n.instance_state = 'Running' THEN n.instance_id END) AS running_instances,
			COUNT(DISTINCT CASE WHEN n.active AND n.instance_active AND n.instance_type = 'User' THEN n.instance_id END) AS user_instances,
			COUNT(CASE WHEN n.state = 'Allocated' THEN 1 END) AS allocated,
			COUNT(CASE WHEN n.state = 'Reserving' THEN 1 END) AS reserving,
			COUNT(CASE WHEN n.state = 'Reserved' THEN 1 END) AS reserved,
			COUNT(CASE WHEN n.state = 'Releasing' THEN 1 END) AS releasing,
			COUNT(CASE WHEN n.state = 'Deallocating' THEN 1 END) AS deallocating,
			COUNT(CASE WHEN (n.state IN ('Allocated', 'Reserving', 'Reserved', 'Releasing', 'Deallocating')) IS NOT TRUE THEN 1 END) AS other_states,
			COUNT(DISTINCT CASE WHEN n.active THEN n.ip4_address END) AS used_ip4
		FROM (
			SELECT n.network_id, n.instance_id,
				INET_ATON(CASE WHEN IS_IPV4(n.ip4_address) THEN n.ip4_address END) AS ip4_address,
				CAST(RTRIM(COALESCE(n.state, 'Unknown')) AS BINARY) AS state,
				(n.removed IS NULL AND CAST(LOWER(RTRIM(COALESCE(n.state, 'Unknown'))) AS BINARY) <> 'deallocating') AS active,
				i.id IS NOT NULL AND (i.removed IS NULL) AS instance_active,
				CAST(RTRIM(COALESCE(i.state, 'Unknown')) AS BINARY) AS instance_state, CAST(RTRIM(i.type) AS BINARY) AS instance_type
			FROM cloud.nics n
				LEFT JOIN cloud.vm_instance i ON i.id = n.instance_id
			WHERE n.removed IS NULL AND (n.instance_id IS NULL OR i.id IS NOT NULL)) n
		GROUP BY n.network_id) c ON c.network_id = w.id
WHERE (w.removed IS NULL);

-- NICs whose removal stopped half-way: Deallocating, but not removed
-- They are on no network, and their addresses may still be in use.  A removal that
-- runs at this moment is here, too, for some seconds.
CREATE OR REPLACE SQL SECURITY DEFINER VIEW half_removed_nics AS
SELECT n.id AS nic_id, n.uuid AS nic_uuid, n.network_id, n.instance_id, RTRIM(n.vm_type) AS vm_type,
	RTRIM(COALESCE(n.state, 'Unknown')) AS state,
	n.mac_address, n.ip4_address, n.ip6_address
FROM cloud.nics n
WHERE n.removed IS NULL AND NOT (n.removed IS NULL AND CAST(LOWER(RTRIM(COALESCE(n.state, 'Unknown'))) AS BINARY) <> 'deallocating');

-- NICs that are Reserving or Releasing, and may have been for ten minutes or longer
-- CloudStack does not keep when a state changed: state_changed (UTC) is the earliest
-- time that it can be.  A NIC is stuck if it is still here ten minutes later.
CREATE OR REPLACE SQL SECURITY DEFINER VIEW stuck_nics AS
SELECT n.id AS nic_id, n.uuid AS nic_uuid, n.network_id, n.instance_id, RTRIM(n.vm_type) AS vm_type,
	RTRIM(COALESCE(n.state, 'Unknown')) AS state,
	COALESCE(TIMESTAMPADD(SECOND, UNIX_TIMESTAMP(n.update_time), TIMESTAMP '1970-01-01 00:00:00'), n.created) AS state_changed,
	n.mac_address, n.ip4_address, n.ip6_address
FROM cloud.nics n
WHERE (n.removed IS NULL AND CAST(LOWER(RTRIM(COALESCE(n.state, 'Unknown'))) AS BINARY) <> 'deallocating')
	AND CAST(RTRIM(COALESCE(n.state, 'Unknown')) AS BINARY) IN ('Reserving', 'Releasing')
	AND COALESCE(TIMESTAMPADD(SECOND, UNIX_TIMESTAMP(n.update_time), TIMESTAMP '1970-01-01 00:00:00'), n.created)
		<= UTC_TIMESTAMP() - INTERVAL 10 MINUTE;
