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
'Deletes the NICs that were removed before a time, then such instances and networks that no NIC refers to
inventory: a managed one, or a mirror, of which only rows are deleted that its source has no more (the last NOTICE says how many removed '
'ones stay since it has them), and earlier rows of ids; NULL: the setting vmnet.inventory. before: not in the future. Deletes batch_size '
'rows at a time and commits after each batch; inside a transaction block nothing commits. NOTICEs report the progress. Rows that other '
'rows refer to are kept. The entries of the NICs in nic_history, and what was observed and is gone (sighting_history, '
'observation_log), are kept unless purge_history is true; queries as of a time and for '
'holders of addresses no longer return purged NICs.
Only a role with the rights of the owner can run it, and it runs with the rights of the owner. In a transaction block, deferrable '
'constraints that refer to these rows are IMMEDIATE from then on.
Errors: 22023 for an unknown inventory or one of another kind, a time that is NULL or in the future, a batch_size below 1, or a table that '
'does not have the structure that an inventory needs; 42501 for another role; 0A000 inside another purge or import. Batches '
'that were committed before an error stay purged.';
