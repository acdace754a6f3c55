-- database: managed
SELECT vmnet.version();
