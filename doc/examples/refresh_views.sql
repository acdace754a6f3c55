-- database: managed
ALTER TABLE cloud.all_nics ADD COLUMN rack text DEFAULT 'r1';
SELECT * FROM vmnet.refresh_views('cloud');
SELECT id, ip4_address, rack FROM cloud.nics ORDER BY id;
