-- The words of refresh_views() where it refuses.
\set SHOW_CONTEXT never
\set VERBOSITY verbose
\pset format unaligned
SET client_min_messages = warning;
SELECT vmnet.create_inventory('cloud');
ALTER TABLE cloud.all_nic_secondary_ips ADD COLUMN why text DEFAULT 'because';
SELECT * FROM vmnet.refresh_views('cloud');
\set VERBOSITY default
CREATE OR REPLACE VIEW cloud.nic_secondary_ips WITH (security_invoker = true) AS
	SELECT id, uuid, nic_id, network_id, ip4_address, ip6_address, created, removed, why, upper(why) AS loud FROM cloud.all_nic_secondary_ips WHERE active;
ALTER TABLE cloud.all_nic_secondary_ips ADD COLUMN who text;
SELECT * FROM vmnet.refresh_views('cloud');
BEGIN ISOLATION LEVEL REPEATABLE READ;
SELECT * FROM vmnet.refresh_views('cloud');
ROLLBACK;
CREATE SCHEMA shop;
SELECT vmnet.create_inventory('other');
CREATE OR REPLACE VIEW other.nic_secondary_ips WITH (security_invoker = true) AS
	SELECT id, uuid, nic_id, network_id, ip4_address, ip6_address, created, removed FROM other.all_nic_secondary_ips WHERE active AND ip4_address IS NOT NULL;
ALTER TABLE other.all_nic_secondary_ips ADD COLUMN who text;
SELECT * FROM vmnet.refresh_views('other');
DROP VIEW other.nic_secondary_ips;
CREATE VIEW other.nic_secondary_ips WITH (security_invoker = true) AS
	SELECT uuid, id, nic_id, network_id, ip4_address, ip6_address, created, removed FROM other.all_nic_secondary_ips WHERE active;
SELECT * FROM vmnet.refresh_views('other');
CREATE TABLE shop.nics (id bigint PRIMARY KEY, network_id bigint, instance_id bigint);
SELECT FROM vmnet.attach_inventory('shop_nics', 'shop.nics', mode => 'read_only');
SELECT * FROM vmnet.refresh_views('shop_nics');
SELECT * FROM vmnet.refresh_views('nowhere');
SELECT vmnet.detach_inventory('shop_nics');
DROP SCHEMA cloud, other, shop CASCADE;
