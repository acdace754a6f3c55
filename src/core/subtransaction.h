/*
 * subtransaction.h
 *		Work whose errors are caught.
 */
#ifndef VMNET_SUBTRANSACTION_H
#define VMNET_SUBTRANSACTION_H

typedef void (*SubtransactionWork) (void *arg);

extern ErrorData *run_in_subtransaction(SubtransactionWork work, void *arg);
extern ErrorData *commit_in_procedure(void);
extern void run_with_clean_context(SubtransactionWork work, void *arg, bool own_statements,
								   const char *denied_hint);

#endif							/* VMNET_SUBTRANSACTION_H */
