/*
 * counted.h
 *		Numbers in messages.
 */
#ifndef VMNET_COUNTED_H
#define VMNET_COUNTED_H

extern char *counted(int64 number, const char *one, const char *several);

#endif							/* VMNET_COUNTED_H */
