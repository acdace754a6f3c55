CREATE EXTENSION vmnet_ext;
CREATE TABLE subnets (id bigserial PRIMARY KEY, name text, removed timestamptz);
CREATE TABLE servers (id bigserial PRIMARY KEY, name text, removed timestamptz);
CREATE TABLE ports (id bigserial PRIMARY KEY, network_id bigint REFERENCES subnets, instance_id bigint REFERENCES servers, removed timestamptz);
INSERT INTO subnets (name) VALUES ('office'), ('lab');
INSERT INTO servers (name) VALUES ('web'), ('db');
INSERT INTO ports (network_id, instance_id) VALUES (1, 1), (1, 2), (2, 2);
SELECT FROM vmnet.attach_inventory('mine', 'ports', 'subnets', 'servers');
