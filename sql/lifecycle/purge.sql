--
-- Retention (src/lifecycle/purge.c)
--

CREATE PROCEDURE vmnet.purge_inventory(
	inventory name,
	before timestamptz,
	batch_size int DEFAULT 10000,
	purge_history boolean DEFAULT false)
AS 'MODULE_PATHNAME', 'purge_inventory'
LANGUAGE C;
COMMENT ON PROCEDURE vmnet.purge_inventory(name, timestamptz, int, boolean) IS
'Deletes for good the NICs that were removed before a time, then such instances and networks that no NIC refers to
inventory: a managed one; NULL: the setting vmnet.inventory. before: not in the future. Deletes batch_size rows at a time and commits after each batch; inside a transaction block nothing commits. NOTICEs say how far it is. What something else refers to stays. What happened to the NICs stays in nic_history, unless purge_history is true; as-of answers and holders of addresses of purged NICs are gone.
Only the owner, or a role that has his rights, can run it, and it works with the rights of the owner. Inside a transaction block, deferrable constraints that such rows can break are checked at once from then on.
Errors: 22023 for an unknown inventory or a mirror, a time that is NULL or in the future, a batch_size below 1, or a table that does not have the structure that an inventory needs; 42501 for another role; 0A000 inside another purge or import. An error ends the purge; what was committed stays purged.';
