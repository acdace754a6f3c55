CREATE EXTENSION vmnet_ext;
CALL vmnet.import_cloudstack('cloudstack', 'cloud');
