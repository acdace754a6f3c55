-- database: attached
SELECT name, mode FROM vmnet.inventories;
SELECT vmnet.set_inventory_mode('mine', 'enforce');
SELECT name, mode FROM vmnet.inventories;
