-- database: managed
CREATE TABLE poller AS SELECT vmnet.nic_changes_cursor() AS cursor;
SELECT count(*) AS changes FROM poller p, vmnet.nic_changes_since(p.cursor);
