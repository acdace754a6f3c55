/*
 * locks.pml
 *		A model of the locks and snapshots with which vmnet_ext keeps NICs off
 *		removed networks and instances.
 *
 * Each process runs transactions, one after the other.  A transaction has an
 * isolation level, READ COMMITTED or REPEATABLE READ, and one statement or
 * operation, both chosen freely.  It commits, is refused by a rule, or fails with
 * 40001; every step between two requests for a lock can interleave with the
 * others.  spin explores all of these, and reports
 * - an assertion at the end of a transaction: a held NIC on a removed network or
 *   instance, two default NICs, two live NICs of an instance on a network, or a
 *   live secondary address of a removed NIC;
 * - an invalid end state: a deadlock.
 *
 * What is modelled: row locks of PostgreSQL and their conflicts, also those that
 * a foreign key takes; updates that become visible at commit; rows that changed
 * or came after a snapshot; unique indexes that wait for who wrote a duplicate.
 * What is not: the order in which waiting sessions get a lock, savepoints, crashes,
 * and transactions of several statements, whose order of locks is chosen by the user.
 *
 * FOREIGN_KEYS adds the locks of the foreign keys of a new NIC, which come before
 * those of its guard: without them the model shows that the guard needs no foreign
 * key.  With CONFORM a statement is one step, unless it waits, and "spin -T -nSEED" prints
 * a schedule, what each statement ends with, and the rows at the end: what the
 * server has to do, too.
 *
 * The macros that begin with M_ break a rule of the code; test/t/097_lock_model.pl
 * says which of them spin has to refuse, and which locks the rules do not need.
 */

#ifndef PROCESSES
#define PROCESSES 2
#endif
#ifndef TRANSACTIONS
#define TRANSACTIONS 1
#endif

/* rows: two networks, one instance, two NICs and one that each process may add,
 * one secondary address that each process may add */
#define NETWORKS 2
#define OLD_NICS 2
#define NICS (OLD_NICS + PROCESSES)
#define NET(n) (n)
#define INSTANCE NETWORKS
#define NIC(k) (NETWORKS + 1 + (k))
#define SECONDARY(p) (NETWORKS + 1 + NICS + (p))
#define ROWS (NETWORKS + 1 + NICS + PROCESSES)

/* values of a row: networks, instances and secondary addresses are live or
 * removed; a NIC can be half-removed, too */
#define ABSENT 0
#define LIVE 1
#define HALF_REMOVED 2
#define REMOVED 3

byte committed[ROWS];
byte pending[ROWS];			/* the new value, if writer is set */
byte writer[ROWS];			/* the process that wrote it, plus 1 */
bool committed_default[NICS];
bool pending_default[NICS];
bool indexed[NICS];			/* is the pending value in the unique indexes? */
byte network_of[NICS];
byte nic_of[PROCESSES];		/* whose secondary address it is */

/* who holds which lock on a row, as sets of processes */
byte key_share[ROWS];
byte share[ROWS];
byte no_key_update[ROWS];
byte update[ROWS];

/* transactions with one snapshot, and what happened to a row after it was taken */
byte repeatable_read;
byte changed_since[ROWS];
byte inserted_since[ROWS];
byte key_changed_since[ROWS];	/* by a session that had locked it FOR UPDATE before */
bool pending_key[ROWS];

#define ME (1 << self)
#define OTHERS(set) ((set) & ~ME)
#define MINE(r) (writer[r] == self + 1)

/* what the latest snapshot shows, together with this transaction's own changes */
#define NOW(r) (MINE(r) -> pending[r] : committed[r])
#define DEFAULT_NOW(k) (MINE(NIC(k)) -> pending_default[k] : committed_default[k])

#define HELD(value) ((value) == LIVE || (value) == HALF_REMOVED)

/* Statements end a transaction early by setting this. */
#define GOOD 0
#define REFUSED 1
#define SERIALIZATION_FAILURE 2

inline lock_key_share(target)
{
	atomic { !OTHERS(update[target]); key_share[target] = key_share[target] | ME }
}

inline lock_share(target)
{
	atomic { !OTHERS(update[target] | no_key_update[target]); share[target] = share[target] | ME }
}

inline lock_no_key_update(target)
{
	atomic {
		!OTHERS(update[target] | no_key_update[target] | share[target]);
		no_key_update[target] = no_key_update[target] | ME
	}
}

inline lock_update(target)
{
	atomic {
		!OTHERS(update[target] | no_key_update[target] | share[target] | key_share[target]);
		update[target] = update[target] | ME
	}
}

/* A statement that locks or updates a row that changed after its snapshot fails. */
inline check_snapshot(target)
{
	if
	:: (changed_since[target] & ME) && !MINE(target) -> result = SERIALIZATION_FAILURE
	:: else
	fi
}

/* Locks a row as a foreign key does: fails if the row changed during a wait, or if
 * who changed it after the snapshot had locked it FOR UPDATE before. */
inline lock_key_share_latest(target)
{
	atomic {
		if
		:: OTHERS(update[target]) -> lock_key_share(target); check_snapshot(target)
		:: else -> key_share[target] = key_share[target] | ME
		fi;
		if
		:: (key_changed_since[target] & ME) && !MINE(target) -> result = SERIALIZATION_FAILURE
		:: else
		fi
	}
}

/* Locks the newest version of a row FOR SHARE; fails if it changed during a wait. */
inline lock_share_latest(target)
{
	atomic {
		if
		:: OTHERS(update[target] | no_key_update[target]) -> lock_share(target); check_snapshot(target)
		:: else -> share[target] = share[target] | ME
		fi
	}
}

/* Writes a row on which the caller has a lock. */
inline write(target, newvalue)
{
	d_step {
		if
		:: !MINE(target) ->
			if
			:: target >= NIC(0) && target < SECONDARY(0) -> pending_default[target - NIC(0)] = committed_default[target - NIC(0)]
			:: else
			fi
		:: else
		fi;
		pending_key[target] = pending_key[target] || (update[target] & ME) != 0;
		writer[target] = self + 1;
		pending[target] = newvalue
	}
}

/* Updates a row without a change. */
inline touch(target)
{
	value = NOW(target);
	write(target, value)
}

/* Checks what must hold at the end of every transaction; a reader sees what is
 * committed then. */
inline check_inventory()
{
	d_step {
		k = 0; defaults = 0;
		do
		:: k < NICS ->
			if
			:: HELD(committed[NIC(k)]) ->
				assert(committed[NET(network_of[k])] == LIVE);
				assert(committed[INSTANCE] == LIVE)
			:: else
			fi;
			if
			:: committed[NIC(k)] == LIVE && committed_default[k] -> defaults++
			:: else
			fi;
			j = k + 1;
			do
			:: j < NICS ->
				assert(!(committed[NIC(k)] == LIVE && committed[NIC(j)] == LIVE && network_of[k] == network_of[j]));
				j++
			:: else -> break
			od;
			k++
		:: else -> break
		od;
		assert(defaults <= 1);
		k = 0;
		do
		:: k < PROCESSES ->
			assert(!(committed[SECONDARY(k)] == LIVE && committed[NIC(nic_of[k])] == REMOVED));
			k++
		:: else -> break
		od;
		k = 0; j = 0; defaults = 0
	}
}

/* Ends the transaction: its changes become visible at once, or not at all. */
inline end_transaction()
{
	d_step {
		r = 0;
		do
		:: r < ROWS ->
			if
			:: MINE(r) && result == GOOD ->
				if
				:: committed[r] == ABSENT -> inserted_since[r] = inserted_since[r] | OTHERS(repeatable_read)
				:: else -> changed_since[r] = changed_since[r] | OTHERS(repeatable_read)
				fi;
				if
				:: pending_key[r] -> key_changed_since[r] = key_changed_since[r] | OTHERS(repeatable_read)
				:: else
				fi;
				committed[r] = pending[r];
				if
				:: r >= NIC(0) && r < SECONDARY(0) ->
					committed_default[r - NIC(0)] = pending_default[r - NIC(0)];
					pending_default[r - NIC(0)] = false;
					indexed[r - NIC(0)] = false
				:: else
				fi
			:: MINE(r) && result != GOOD && r >= NIC(0) && r < SECONDARY(0) ->
				pending_default[r - NIC(0)] = false;
				indexed[r - NIC(0)] = false
			:: else
			fi;
			if
			:: MINE(r) -> writer[r] = 0; pending[r] = 0; pending_key[r] = false
			:: else
			fi;
			key_share[r] = OTHERS(key_share[r]);
			share[r] = OTHERS(share[r]);
			no_key_update[r] = OTHERS(no_key_update[r]);
			update[r] = OTHERS(update[r]);
			changed_since[r] = OTHERS(changed_since[r]);
			inserted_since[r] = OTHERS(inserted_since[r]);
			key_changed_since[r] = OTHERS(key_changed_since[r]);
			r++
		:: else -> break
		od;
		repeatable_read = OTHERS(repeatable_read);
		r = 0
	}
	check_inventory()
}

/*
 * A NIC that another session has written, and that is or will be a duplicate of
 * this one in a unique index.  An entry is in the index once it was no duplicate.
 */
#define SAME_KEY(other, other_default) \
	(by_network && network_of[other] == network_of[new] || is_default && (other_default))
#define MAY_BE_DUPLICATE(other) \
	(writer[NIC(other)] != 0 && !MINE(NIC(other)) && \
	 (committed[NIC(other)] == LIVE && SAME_KEY(other, committed_default[other]) || \
	  indexed[other] && pending[NIC(other)] == LIVE && SAME_KEY(other, pending_default[other])))

/*
 * Puts a NIC into the unique indexes: waits for sessions that wrote a duplicate,
 * and refuses the NIC if there is one then.
 */
inline enter_unique(new, by_network, is_default)
{
	do
	:: atomic {
			other = NICS; k = 0;
			do
			:: k < NICS ->
				if
				:: k != new && MAY_BE_DUPLICATE(k) -> other = k
				:: else
				fi;
				k++
			:: else -> break
			od;
			k = 0;
			if
			:: other < NICS -> !MAY_BE_DUPLICATE(other)
			:: else ->
				do
				:: k < NICS ->
					if
					:: k != new && NOW(NIC(k)) == LIVE && SAME_KEY(k, DEFAULT_NOW(k)) -> result = REFUSED
					:: else
					fi;
					k++
				:: else -> break
				od;
				indexed[new] = true;
				k = 0; other = 0;
				break
			fi
		}
	od
}

/* Finds out whether the instance has a live NIC, by the latest snapshot. */
inline find_live_nic()
{
	d_step {
		found = false; k = 0;
		do
		:: k < NICS ->
			if
			:: NOW(NIC(k)) == LIVE -> found = true
			:: else
			fi;
			k++
		:: else -> break
		od;
		k = 0
	}
}

/* nic_guard() on INSERT: locks network and instance FOR KEY SHARE, then looks at
 * them with the latest snapshot. */
inline guard_new_nic(network)
{
#ifdef M_LOOK_BEFORE_LOCK
	if
	:: NOW(NET(network)) != LIVE || NOW(INSTANCE) != LIVE -> result = REFUSED
	:: else
	fi;
	lock_key_share(NET(network));
	lock_key_share(INSTANCE)
#else
#ifndef M_NO_NETWORK_LOCK
	lock_key_share(NET(network));
#endif
	if
#ifdef M_OLD_SNAPSHOT
	:: NOW(NET(network)) != LIVE && !(changed_since[NET(network)] & ME) -> result = REFUSED
#else
	:: NOW(NET(network)) != LIVE -> result = REFUSED
#endif
	:: else
	fi;
#ifdef M_LOCK_TILL_END_OF_STATEMENT
	key_share[NET(network)] = OTHERS(key_share[NET(network)]);
#endif
	if
	:: result == GOOD ->
#ifndef M_NO_INSTANCE_LOCK
		lock_key_share(INSTANCE);
#endif
		if
		:: NOW(INSTANCE) != LIVE -> result = REFUSED
		:: else
		fi
	:: else
	fi
#endif
}

/* Inserts the NIC of this process on a network. */
inline insert_nic(network, said_default)
{
	d_step {
		network_of[OLD_NICS + self] = network;
		write(NIC(OLD_NICS + self), LIVE);
		pending_default[OLD_NICS + self] = said_default
	};
#ifdef M_NO_UNIQUE_INDEX
	skip;
#else
	enter_unique(OLD_NICS + self, true, said_default);
#endif
#ifdef FOREIGN_KEYS
	if
	:: result == GOOD -> lock_key_share_latest(NET(network))
	:: else
	fi;
	if
	:: result == GOOD -> lock_key_share_latest(INSTANCE)
	:: else
	fi;
#endif
	if
	:: result == GOOD -> guard_new_nic(network)
	:: else
	fi
}

/* INSERT that says default_nic. */
inline insert_default(network, is_default)
{
	insert_nic(network, is_default)
}

/* INSERT that does not: nic_prepare() locks network and instance first, so that of
 * two sessions only one adds the first NIC. */
inline insert_first(network)
{
	lock_key_share(NET(network));
	lock_no_key_update(INSTANCE);
	find_live_nic();
	insert_nic(network, !found)
}

/* Finds out whether the instance has a default NIC, by the latest snapshot. */
inline find_default_nic()
{
	d_step {
		found = false; k = 0;
		do
		:: k < NICS ->
			if
			:: NOW(NIC(k)) == LIVE && DEFAULT_NOW(k) -> found = true
			:: else
			fi;
			k++
		:: else -> break
		od;
		k = 0
	}
}

/* Refuses an instance that is on the network, by the latest snapshot. */
inline check_not_there(network)
{
	d_step {
		k = 0;
		do
		:: k < NICS ->
			if
			:: NOW(NIC(k)) == LIVE && network_of[k] == network -> result = REFUSED
			:: else
			fi;
			k++
		:: else -> break
		od;
		k = 0
	}
}

/* vmnet.nic_add(): with an address it locks the network FOR NO KEY UPDATE; it
 * updates the rows it has locked without a change. */
inline nic_add(network, with_address)
{
#ifdef M_ORDER_TURNED
	lock_no_key_update(INSTANCE);
	check_snapshot(INSTANCE);
#endif
	if
	:: with_address -> lock_no_key_update(NET(network)); check_snapshot(NET(network))
	:: else -> lock_key_share(NET(network))
	fi;
	if
	:: result == GOOD -> lock_no_key_update(INSTANCE); check_snapshot(INSTANCE)
	:: else
	fi;
	if
	:: result == GOOD && (NOW(NET(network)) != LIVE && !(changed_since[NET(network)] & ME) || NOW(INSTANCE) != LIVE) ->
		result = REFUSED
	:: else
	fi;
	if
	:: result == GOOD ->
		find_default_nic();
		check_not_there(network)
	:: else
	fi;
	if
	:: result == GOOD ->
		if
		:: with_address -> touch(NET(network))
		:: else
		fi;
		touch(INSTANCE);
		insert_nic(network, !found)
	:: else
	fi
}

/* The secondary addresses of a NIC that is removed are removed with it, by the
 * latest snapshot. */
inline remove_secondaries(nic)
{
	r = 0;
	do
	:: r < PROCESSES && result == GOOD ->
		if
#ifdef M_SECONDARY_OLD_SNAPSHOT
		:: NOW(SECONDARY(r)) == LIVE && nic_of[r] == nic && !(inserted_since[SECONDARY(r)] & ME) ->
#else
		:: NOW(SECONDARY(r)) == LIVE && nic_of[r] == nic ->
#endif
			lock_no_key_update(SECONDARY(r));
			write(SECONDARY(r), REMOVED)
		:: else
		fi;
		r++
	:: else -> break
	od;
	r = 0
}

/* UPDATE of a NIC by key: nothing leaves Deallocating, and it is removed once. */
inline update_nic(nic, newvalue)
{
	lock_no_key_update(NIC(nic));
	check_snapshot(NIC(nic));
	if
	:: result == GOOD && NOW(NIC(nic)) != LIVE && newvalue == LIVE ->
		/* the rules are judged after the row has been written */
		write(NIC(nic), LIVE);
		value = DEFAULT_NOW(nic);
		enter_unique(nic, true, value);
		result = REFUSED
	:: result == GOOD && NOW(NIC(nic)) == REMOVED && newvalue == REMOVED -> result = REFUSED
	:: result == GOOD && NOW(NIC(nic)) == REMOVED && newvalue == HALF_REMOVED -> touch(NIC(nic))
	:: result == GOOD && NOW(NIC(nic)) != REMOVED && (NOW(NIC(nic)) == LIVE || newvalue != LIVE) ->
		write(NIC(nic), newvalue);
		if
		:: newvalue == REMOVED -> remove_secondaries(nic)
		:: else
		fi
	:: result != GOOD
	fi
}

inline find_held_nic(row)
{
	d_step {
		found = false; k = 0;
		do
		:: k < NICS ->
			if
#ifdef M_HALF_REMOVED_IS_GONE
			:: NOW(NIC(k)) == LIVE && (row == INSTANCE || network_of[k] == row) -> found = true
#elif defined(M_REMOVAL_OLD_SNAPSHOT)
			:: HELD(NOW(NIC(k))) && !(inserted_since[NIC(k)] & ME) && (row == INSTANCE || network_of[k] == row) -> found = true
#else
			:: HELD(NOW(NIC(k))) && (row == INSTANCE || network_of[k] == row) -> found = true
#endif
			:: else
			fi;
			k++
		:: else -> break
		od;
		k = 0
	}
}

/* The guard of a network or instance that is removed: locks the row FOR UPDATE,
 * then looks for held NICs with the latest snapshot. */
inline guard_removal(row)
{
#ifdef M_LOOK_BEFORE_REMOVAL_LOCK
	find_held_nic(row);
	lock_update(row);
#else
#ifndef M_NO_REMOVAL_LOCK
	lock_update(row);
#endif
	find_held_nic(row);
#endif
	if
	:: found -> result = REFUSED
	:: else
	fi
}

/* UPDATE that removes a network or an instance. */
inline remove_parent(row)
{
	lock_no_key_update(row);
	check_snapshot(row);
	if
	:: result == GOOD && NOW(row) == LIVE ->
		write(row, REMOVED);
		guard_removal(row)
	:: result == GOOD && NOW(row) != LIVE -> result = REFUSED
	:: result != GOOD
	fi
}

/* vmnet.network_remove() */
inline network_remove(network)
{
	lock_update(NET(network));
	check_snapshot(NET(network));
	if
	:: result == GOOD && NOW(NET(network)) == LIVE -> remove_parent(NET(network))
	:: else
	fi
}

/* vmnet.instance_expunge(): removes the NICs that its snapshot shows, then the
 * instance, whose guard finds those that came since. */
inline instance_expunge()
{
	lock_update(INSTANCE);
	check_snapshot(INSTANCE);
	if
	:: result == GOOD && NOW(INSTANCE) == LIVE ->
		nic = 0;
		do
		:: nic < NICS && result == GOOD ->
			if
			:: HELD(NOW(NIC(nic))) && !(inserted_since[NIC(nic)] & ME) -> update_nic(nic, REMOVED)
			:: else
			fi;
			nic++
		:: else -> break
		od;
		nic = 0;
		if
		:: result == GOOD -> remove_parent(INSTANCE)
		:: else
		fi
	:: else
	fi
}

/* vmnet.nic_remove(): nothing to do for a NIC that is removed. */
inline nic_remove(nic)
{
	if
	:: NOW(NIC(nic)) == REMOVED && !(changed_since[NIC(nic)] & ME)
	:: else ->
		lock_no_key_update(INSTANCE);
		check_snapshot(INSTANCE);
		if
		:: result == GOOD -> lock_no_key_update(NIC(nic)); check_snapshot(NIC(nic))
		:: else
		fi;
		if
		:: result == GOOD && NOW(NIC(nic)) != REMOVED ->
			touch(INSTANCE);
			update_nic(nic, REMOVED)
		:: else
		fi
	fi
}

/* Locks one of the old NICs, if it is the new default or the old one. */
inline lock_old_nic(nic, new)
{
	if
	:: result == GOOD && (nic == new || NOW(NIC(nic)) == LIVE && DEFAULT_NOW(nic)) ->
		lock_no_key_update(NIC(nic));
		check_snapshot(NIC(nic))
	:: else
	fi
}

/* Locks old NICs in the order of their ids. */
inline lock_old_nics(new)
{
#ifdef M_NIC_ORDER_TURNED
	lock_old_nic(new, new);
	lock_old_nic(1 - new, new)
#else
	lock_old_nic(0, new);
	lock_old_nic(1, new)
#endif
}

/* vmnet.nic_set_default(): the other old NIC loses the flag, this one gets it. */
inline nic_set_default(new)
{
#ifndef M_NO_DEFAULT_LOCK
	lock_no_key_update(INSTANCE);
	check_snapshot(INSTANCE);
#endif
	if
	:: result == GOOD -> lock_old_nics(new)
	:: else
	fi;
	if
	:: result == GOOD && (NOW(NIC(new)) != LIVE || DEFAULT_NOW(new)) -> result = REFUSED
	:: else
	fi;
	if
	:: result == GOOD ->
		touch(INSTANCE);
		if
		:: DEFAULT_NOW(1 - new) ->
			touch(NIC(1 - new));
			pending_default[1 - new] = false
		:: else
		fi;
		write(NIC(new), LIVE);
		pending_default[new] = true;
#ifndef M_NO_UNIQUE_INDEX
		enter_unique(new, false, true)
#endif
	:: else
	fi
}

/* INSERT of a secondary address: the guard locks the NIC FOR SHARE. */
inline insert_secondary(nic)
{
	d_step {
		nic_of[self] = nic;
		write(SECONDARY(self), LIVE)
	};
#ifndef M_NO_SHARE_LOCK
	lock_share_latest(NIC(nic));
#endif
	if
	:: result == GOOD && NOW(NIC(nic)) != LIVE -> result = REFUSED
	:: else
	fi
}

/* An import applies what it has read in one transaction: the network and its NIC
 * are gone.  A mirror has no guards, and nobody else writes to it. */
inline import_removal()
{
	write(NET(0), REMOVED);
#ifdef M_IMPORT_IN_TWO
	end_transaction();
#endif
	if
	:: HELD(NOW(NIC(0))) -> write(NIC(0), REMOVED)
	:: else
	fi
}

#ifdef CONFORM
byte in_statement;
#define say(text) printf(text, self, choice)
#define BEGIN_STEP !OTHERS(in_statement)
#else
#define say(text) skip
#define BEGIN_STEP true
#endif

/* One statement or operation; the network, NIC or flag it is about is chosen. */
inline statement()
{
#ifdef IMPORT
	if
	:: self == 0 -> import_removal()
	:: else -> check_inventory()
	fi
#else
	if
	:: true -> say("statement %d insert_default %d\n"); insert_default(choice, true)
	:: true -> say("statement %d insert_other %d\n"); insert_default(choice, false)
	:: true -> say("statement %d insert_first %d\n"); insert_first(choice)
	:: true -> say("statement %d nic_add_mac %d\n"); nic_add(choice, true)
	:: true -> say("statement %d nic_add %d\n"); nic_add(choice, false)
	:: true -> say("statement %d move %d\n"); update_nic(choice, LIVE)
	:: true -> say("statement %d half_remove %d\n"); update_nic(choice, HALF_REMOVED)
	:: true -> say("statement %d remove %d\n"); update_nic(choice, REMOVED)
	:: true -> say("statement %d remove_network %d\n"); remove_parent(NET(choice))
	:: choice == 0 -> say("statement %d remove_instance %d\n"); remove_parent(INSTANCE)
	:: true -> say("statement %d network_remove %d\n"); network_remove(choice)
	:: choice == 0 -> say("statement %d instance_expunge %d\n"); instance_expunge()
	:: true -> say("statement %d nic_remove %d\n"); nic_remove(choice)
	:: true -> say("statement %d nic_set_default %d\n"); nic_set_default(choice)
	:: true -> say("statement %d insert_secondary %d\n"); insert_secondary(choice)
	fi
#endif
}

proctype session(byte self)
{
	byte transactions = 0;
	byte result = GOOD;
	byte choice = 0;
	byte nic = 0;
	byte r = 0;
	byte k = 0;
	byte j = 0;
	byte defaults = 0;
	byte value = 0;
	byte other = 0;
	bool found = false;

	do
	:: transactions < TRANSACTIONS && committed[NIC(OLD_NICS + self)] == ABSENT && committed[SECONDARY(self)] == ABSENT ->
		atomic {
			BEGIN_STEP;
			if
			:: choice = 0
			:: choice = 1
			fi;
			if
			:: repeatable_read = repeatable_read | ME; printf("begin %d rr\n", self)
			:: printf("begin %d rc\n", self)
			fi
		};
#ifdef CONFORM
		atomic {
			BEGIN_STEP;
			in_statement = in_statement | ME;
			statement();
			printf("done %d %d\n", self, result);
			if
			:: result != GOOD -> end_transaction()	/* an error ends it at once */
			:: else
			fi;
			in_statement = OTHERS(in_statement)
		};
#else
		statement();
#endif
		atomic {
			if
			:: result == GOOD -> result = REFUSED; printf("rollback %d\n", self)
			:: true -> printf("commit %d\n", self)
			fi;
			end_transaction()
		};
		atomic { result = GOOD; found = false; choice = 0; value = 0; transactions++ }
	:: else -> break
	od
}

/* Prints the rows as they are in the end. */
inline print_rows()
{
	d_step {
		p = 0;
		do
		:: p < ROWS -> printf("row %d %d\n", p, committed[p]); p++
		:: else -> break
		od;
		p = 0;
		do
		:: p < NICS -> printf("nic %d %d %d\n", p, network_of[p], committed_default[p]); p++
		:: else -> break
		od;
		p = 0;
		do
		:: p < PROCESSES -> printf("secondary %d %d\n", p, nic_of[p]); p++
		:: else -> break
		od
	}
}

/* NIC 0 is the default; NIC 1 may be there, be half-removed, or be removed. */
init
{
	byte p = 0;

	atomic {
		committed[NET(0)] = LIVE;
		committed[NET(1)] = LIVE;
		committed[INSTANCE] = LIVE;
		committed[NIC(0)] = LIVE;
		committed_default[0] = true;
		network_of[1] = 1;
		if
		:: committed[NIC(1)] = LIVE; printf("start 0\n")
		:: committed[NIC(1)] = HALF_REMOVED; printf("start 1\n")
		:: committed[NIC(1)] = REMOVED; committed[NIC(0)] = HALF_REMOVED; printf("start 2\n")
		fi;
		do
		:: p < PROCESSES -> run session(p); p++
		:: else -> break
		od
	};
#ifdef CONFORM
	_nr_pr == 1 -> print_rows()
#endif
}
