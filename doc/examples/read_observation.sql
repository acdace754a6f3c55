-- database: managed
SELECT record, mac_address, ip_address, segment, place, reason
FROM vmnet.read_observation('neigh', '[{"dst": "10.1.0.51", "dev": "br0", "lladdr": "02:00:4c:00:00:01", "state": ["REACHABLE"]},
    {"dst": "10.1.0.44", "dev": "br0", "state": ["FAILED"]}, {"dst": "10.1.0.52", "dev": "br0", "lladdr": "?", "state": ["STALE"]}]');
