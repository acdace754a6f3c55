-- database: managed
UPDATE cloud.nics SET broadcast_uri = 'vlan://101' WHERE network_id = 1;
SELECT vmnet.enable_reality('cloud');
INSERT INTO cloud.observers (name, kind, host) VALUES ('kvm1', 'csv', 'kvm1');
SELECT * FROM vmnet.observe('kvm1', E'mac,segment\n02:00:00:00:00:01,brbond0-101\n02:00:00:00:00:02,br-int');
SELECT * FROM vmnet.propose_segments();
INSERT INTO cloud.segments (host, segment, network_id) SELECT host, segment, network_id FROM vmnet.propose_segments() WHERE host = 'kvm1';
SELECT host, segment, network_id FROM cloud.segments;
