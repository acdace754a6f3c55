-- database: managed
SELECT name, kind, source, mode FROM vmnet.inventories;
