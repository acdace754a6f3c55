-- database: managed
SELECT vmnet.enable_reality('cloud');
INSERT INTO cloud.observers (name, kind) VALUES ('office', 'csv');
SELECT * FROM vmnet.observe('office', E'mac,ip,segment\n02:00:00:00:00:01,10.20.0.10,br-front\n02:00:00:00:00:02,10.20.0.11,br-front\nunreadable,,');
SELECT * FROM vmnet.observe('office', E'mac,ip,segment\n02:00:00:00:00:01,10.20.0.10,br-front');
SELECT mac_address, ip_address, observations, gone_since IS NOT NULL AS gone FROM cloud.seen ORDER BY mac_address;
SELECT place, raw, reason FROM cloud.observation_log;
