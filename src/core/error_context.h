/*
 * error_context.h
 *		The context of errors that leave the extension.
 */
#ifndef VMNET_ERROR_CONTEXT_H
#define VMNET_ERROR_CONTEXT_H

extern void error_context_strip(ErrorData *edata, bool own_statement);

#endif							/* VMNET_ERROR_CONTEXT_H */
