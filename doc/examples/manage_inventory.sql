-- database: managed
SELECT vmnet.create_inventory('copy', 'mirror');
SELECT vmnet.manage_inventory('copy');
SELECT name, kind FROM vmnet.inventories WHERE name = 'copy';
