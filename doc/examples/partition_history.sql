-- database: managed
SELECT vmnet.partition_history('cloud');
CREATE TABLE cloud.nic_history_p1 PARTITION OF cloud.nic_history FOR VALUES FROM ('2020-01-01') TO ('2100-01-01');
INSERT INTO cloud.nic_history SELECT * FROM cloud.nic_history_unpartitioned;
DROP TABLE cloud.nic_history_unpartitioned;
SELECT event, to_state FROM vmnet.nic_timeline(1);
