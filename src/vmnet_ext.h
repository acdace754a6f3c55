/*
 * vmnet_ext.h
 *		Settings of the extension.
 */
#ifndef VMNET_EXT_H
#define VMNET_EXT_H

extern char *vmnet_inventory;
extern char *vmnet_actor;
extern char *vmnet_reason;
extern int	vmnet_max_age;
extern int	vmnet_max_payload;

#endif							/* VMNET_EXT_H */
