/*
 * nic_checks.h
 *		Conditions of CHECK constraints of an inventory.
 */
#ifndef VMNET_NIC_CHECKS_H
#define VMNET_NIC_CHECKS_H

#include "utils/inet.h"

extern bool is_one_address(const inet *address, int family);

#endif							/* VMNET_NIC_CHECKS_H */
