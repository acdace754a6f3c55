CREATE EXTENSION vmnet_ext;
SELECT vmnet.create_inventory('cloud');
INSERT INTO cloud.networks (uuid, name, cidr, gateway, vpc_id) VALUES
    ('7c6d1a52-0000-4000-8000-000000000001', 'front', '10.20.0.0/24', '10.20.0.1', 1),
    ('7c6d1a52-0000-4000-8000-000000000002', 'back', '10.21.0.0/24', '10.21.0.1', 1),
    ('7c6d1a52-0000-4000-8000-000000000003', 'empty', '10.22.0.0/24', '10.22.0.1', NULL);
INSERT INTO cloud.instances (uuid, name, state) VALUES
    ('7c6d1a52-0000-4000-9000-000000000001', 'web1', 'Running'),
    ('7c6d1a52-0000-4000-9000-000000000002', 'web2', 'Stopped'),
    ('7c6d1a52-0000-4000-9000-000000000003', 'db1', 'Running');
SELECT vmnet.nic_add(1, 1, '10.20.0.10'), vmnet.nic_add(1, 2, '10.21.0.10'), vmnet.nic_add(2, 1, '10.20.0.11'), vmnet.nic_add(3, 2, '10.21.0.12');
SELECT vmnet.nic_event(1, 'ReservationRequested', 'start of web1'), vmnet.nic_event(1, 'OperationCompleted');
