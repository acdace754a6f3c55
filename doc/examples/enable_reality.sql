-- database: managed
SELECT vmnet.enable_reality('cloud');
INSERT INTO cloud.observers (name, kind, host) VALUES ('kvm1', 'libvirt', 'kvm1');
INSERT INTO cloud.segments (segment, network_id) VALUES ('br-front', 1);
SELECT name, kind, every, last_at FROM cloud.observers;
