-- database: managed
SELECT vmnet.create_inventory('lab');
SELECT name, kind, mode FROM vmnet.inventories ORDER BY name;
