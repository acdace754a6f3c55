-- database: managed
SELECT vmnet.create_report('cloud');
SELECT * FROM vmnet.report_schemas('cloud');
