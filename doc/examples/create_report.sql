-- database: managed
SELECT vmnet.create_report('cloud');
SELECT network_name, active_instances FROM cloud_report.network_counts ORDER BY network_id;
