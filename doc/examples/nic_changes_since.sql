-- database: managed
CREATE TABLE poller AS SELECT vmnet.nic_changes_cursor() AS cursor;
UPDATE cloud.nics SET state = 'Releasing' WHERE id = 1;
SELECT c.nic_id, c.event, c.to_state FROM poller p, vmnet.nic_changes_since(p.cursor) c;
UPDATE poller p SET cursor = (SELECT c.next_cursor FROM vmnet.nic_changes_since(p.cursor) c ORDER BY c.seq DESC LIMIT 1);
SELECT count(*) AS changes FROM poller p, vmnet.nic_changes_since(p.cursor);
