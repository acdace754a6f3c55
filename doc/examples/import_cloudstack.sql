-- database: mirror
CALL vmnet.import_cloudstack('cloudstack', 'cloud');
SELECT run, status, nics_read, rows_inserted, rows_updated, rows_deleted FROM cloud.import_runs ORDER BY run;
