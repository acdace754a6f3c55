-- database: attached
CREATE TABLE vnics (id bigint PRIMARY KEY, net_id bigint, vm_id bigint, deleted boolean NOT NULL DEFAULT false);
INSERT INTO vnics VALUES (1, 1, 1, false), (2, 1, 2, true);
SELECT finding, message FROM vmnet.attach_inventory('vnic', 'vnics', columns =>
    '{"nics": {"network_id": "net_id", "instance_id": "vm_id", "removed": {"column": "deleted", "removed_when": "true"}}}')
WHERE finding = 'violation';
SELECT id, network_id, instance_id FROM vnic.nics;
