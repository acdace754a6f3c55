-- On top of ../setup.sql: mappers take their ids from the database, and remove
-- through the live views.
SELECT setval('cloud.all_networks_id_seq', 100), setval('cloud.all_instances_id_seq', 5000);
