-- database: managed
CREATE ROLE analyst;
SELECT vmnet.create_report('cloud');
SELECT vmnet.grant_access('cloud', 'analyst', 'reader');
SET ROLE analyst;
SELECT count(*) FROM cloud_report.networks;
