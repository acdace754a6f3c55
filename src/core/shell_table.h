/*
 * shell_table.h
 *		Tables whose rows are on another node.
 */
#ifndef VMNET_SHELL_TABLE_H
#define VMNET_SHELL_TABLE_H

#include "utils/rel.h"

extern bool table_is_shell(Relation rel);
extern void refuse_shell(Relation rel, const char *what);

#endif							/* VMNET_SHELL_TABLE_H */
