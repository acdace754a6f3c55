-- run by test/t/061_live.pl
CREATE EXTENSION mysql_fdw;
CREATE EXTENSION vmnet_ext;
SELECT table_name, present FROM vmnet.connect_cloudstack('db.example', password => 'change me') WHERE present ORDER BY table_name LIMIT 3;
