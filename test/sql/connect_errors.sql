-- What cannot be connected is refused before MySQL is asked, and nothing is left
-- behind.  With a MariaDB: test/t/062_connect.pl.
\set SHOW_CONTEXT never
SELECT * FROM vmnet.connect_cloudstack(NULL);
\echo :LAST_ERROR_SQLSTATE
SELECT * FROM vmnet.connect_cloudstack('');
\echo :LAST_ERROR_SQLSTATE
SELECT * FROM vmnet.connect_cloudstack('db', NULL);
\echo :LAST_ERROR_SQLSTATE
SELECT * FROM vmnet.connect_cloudstack('db', 0);
\echo :LAST_ERROR_SQLSTATE
SELECT * FROM vmnet.connect_cloudstack('db', 65536);
\echo :LAST_ERROR_SQLSTATE
SELECT * FROM vmnet.connect_cloudstack('db', dbname => NULL);
\echo :LAST_ERROR_SQLSTATE
SELECT * FROM vmnet.connect_cloudstack('db', dbname => repeat('x', 65));
\echo :LAST_ERROR_SQLSTATE
SELECT * FROM vmnet.connect_cloudstack('db', username => '');
\echo :LAST_ERROR_SQLSTATE
SELECT * FROM vmnet.connect_cloudstack('db', source => NULL);
\echo :LAST_ERROR_SQLSTATE
SELECT * FROM vmnet.connect_cloudstack('db', source => repeat('x', 64));
\echo :LAST_ERROR_SQLSTATE
SELECT * FROM vmnet.connect_cloudstack('db', server => '');
\echo :LAST_ERROR_SQLSTATE
SELECT * FROM vmnet.connect_cloudstack('db', options => NULL);
\echo :LAST_ERROR_SQLSTATE
SELECT * FROM vmnet.connect_cloudstack('db', options => '["ssl_ca"]');
\echo :LAST_ERROR_SQLSTATE
SELECT * FROM vmnet.connect_cloudstack('db', options => '{"ssl_ca": null}');
\echo :LAST_ERROR_SQLSTATE
SELECT * FROM vmnet.connect_cloudstack('db', options => '{"password": "x"}');
\echo :LAST_ERROR_SQLSTATE
SELECT * FROM vmnet.connect_cloudstack('db', options => '{"host": "other"}');
\echo :LAST_ERROR_SQLSTATE
-- the longest name is one; there is no mysql_fdw in this database
SELECT * FROM vmnet.connect_cloudstack('db', source => repeat('x', 63));
\echo :LAST_ERROR_SQLSTATE
SELECT count(*) FROM pg_foreign_server;
SELECT count(*) FROM pg_namespace WHERE nspname IN ('cloudstack', repeat('x', 63));

-- A user mapping is the caller's own or everybody's, on a server of his.
SELECT vmnet_internal.connect_map_user(NULL, 'x', 'y', false);
SELECT vmnet_internal.connect_map_user('nowhere', NULL, 'y', false);
SELECT vmnet_internal.connect_map_user('nowhere', 'x', 'y', false);
CREATE FOREIGN DATA WRAPPER regress_vmnet_none;
CREATE SERVER regress_vmnet_server FOREIGN DATA WRAPPER regress_vmnet_none;
CREATE ROLE regress_vmnet_mapper;
BEGIN READ ONLY;
SELECT vmnet_internal.connect_map_user('regress_vmnet_server', 'x', 'y', false);
ROLLBACK;
SET ROLE regress_vmnet_mapper;
SELECT vmnet_internal.connect_map_user('regress_vmnet_server', 'x', 'y', true);
RESET ROLE;
SELECT vmnet_internal.connect_map_user('regress_vmnet_server', 'x', 'y''z', true);
SELECT vmnet_internal.connect_map_user('regress_vmnet_server', 'x', NULL, false);
SELECT vmnet_internal.connect_map_user('regress_vmnet_server', 'x', 'y', true);
SELECT usename = current_user AS own, umoptions FROM pg_user_mappings WHERE srvname = 'regress_vmnet_server' ORDER BY 1;

-- Numbers of MySQL, and all else.
SELECT d, c, t, vmnet_internal.connect_type(d, c, t)
FROM (VALUES ('bigint', 'bigint(20) unsigned', 'bigint'), ('int', 'int(10) unsigned', 'bigint'), ('int', 'int(10)', 'integer'),
	('int', 'int unsigned', 'integer'), ('TINYINT', 'tinyint(1)', 'boolean'), ('smallint', 'smallint', 'boolean'),
	('smallint', 'smallint unsigned', 'boolean'), ('mediumint', 'mediumint unsigned', 'integer'), ('bigint', 'bigint', 'boolean'),
	('decimal', 'decimal(20,0)', 'bigint'), ('datetime', 'datetime', 'timestamptz'), ('char', 'char(40)', 'inet'),
	('enum', 'enum(''a'',''b'')', 'text')) v (d, c, t);

SET client_min_messages = warning;
DROP FOREIGN DATA WRAPPER regress_vmnet_none CASCADE;
DROP ROLE regress_vmnet_mapper;
