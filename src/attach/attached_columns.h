/*
 * attached_columns.h
 *		Errors of read functions for columns that an attached inventory lacks.
 */
#ifndef VMNET_ATTACHED_COLUMNS_H
#define VMNET_ATTACHED_COLUMNS_H

extern void attached_check_keys(Oid schema);
extern void attached_check_column(Oid schema, const char *role, const char *column);
extern void attached_check_times(Oid schema, const char *role);
extern void attached_check_history(Oid schema);

#endif							/* VMNET_ATTACHED_COLUMNS_H */
