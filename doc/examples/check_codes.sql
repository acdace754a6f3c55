-- database: managed
SELECT code, severity FROM vmnet.check_codes() WHERE severity = 'error' ORDER BY ord LIMIT 3;
