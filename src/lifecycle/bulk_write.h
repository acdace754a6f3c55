/*
 * bulk_write.h
 *		Checks and statements that a purge and an import share.
 */
#ifndef VMNET_BULK_WRITE_H
#define VMNET_BULK_WRITE_H

extern void require_owner_rights(Oid schema);
extern void require_ordinary_table(Oid schema, const char *name);
extern void require_inventory_tables(Oid schema);
extern void check_references_at_once(Oid schema);
extern int64 bulk_write(const char *sql, int expected, Oid schema, const char *table,
						int nargs, Oid *argtypes, Datum *values);

#endif							/* VMNET_BULK_WRITE_H */
