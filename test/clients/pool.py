#!/usr/bin/python3
# Many clients, two connections to the server: each transaction says with SET
# LOCAL on whose behalf it is, or says nothing.  Prints what nic_history must
# have of it, one line per change, and whether the pool mixes its clients.

import threading

import psycopg2

CLIENTS = 8
TRANSACTIONS = 25


def connect(name):
    return psycopg2.connect('', application_name=name)


def one(connection, sql, *values):
    cursor = connection.cursor()
    cursor.execute(sql, values)
    return cursor.fetchone()[0] if cursor.description else None


# While one client holds a connection, others take turns on the second one.
holder, talker, silent = connect('holder'), connect('talker'), connect('silent')
held = one(holder, 'SELECT pg_backend_pid()')
first = one(talker, 'SELECT pg_backend_pid()')
one(talker, "SET LOCAL vmnet.actor = 'talker'")
talker.commit()
print('same connection:', one(silent, 'SELECT pg_backend_pid()') == first != held)
print('after SET LOCAL:', one(silent, "SELECT current_setting('vmnet.actor') || '.'"))
silent.commit()
# what SET LOCAL is for: without LOCAL it stays with the connection
one(talker, "SET vmnet.actor = 'talker'")
talker.commit()
print('after SET:', one(silent, "SELECT current_setting('vmnet.actor') || '.'"))
silent.commit()
one(talker, 'RESET vmnet.actor')
talker.commit()
for connection in (holder, talker, silent):
    connection.close()

backends = set()
lines = []
failures = []


def work(number):
    try:
        name = 'client %d' % number
        nic = 1000 + number
        connection = connect(name)
        state = 'Allocated'
        mine = []
        for i in range(TRANSACTIONS):
            kind = (i + number) % 5
            actor = None if kind == 0 else name
            reason = '%d of %d' % (i, number) if kind in (1, 4) else None
            to, event = ('Reserving', 'ReservationRequested') if state == 'Allocated' else ('Allocated', 'CancelRequested')
            backends.add(one(connection, 'SELECT pg_backend_pid()'))
            if actor:
                one(connection, 'SET LOCAL vmnet.actor = %s', actor)
            if kind == 1:
                one(connection, 'SET LOCAL vmnet.reason = %s', reason)
            if kind == 2:
                # refused, and with it the transaction
                try:
                    one(connection, "UPDATE cloud.nics SET state = 'Releasing' WHERE id = %s", nic)
                    failures.append('accepted')
                except psycopg2.errors.CheckViolation:
                    connection.rollback()
                continue
            if kind == 4:
                one(connection, 'SELECT vmnet.nic_event(%s, %s, %s)', nic, event, reason)
            else:
                one(connection, 'UPDATE cloud.nics SET state = %s WHERE id = %s', to, nic)
            if kind == 3 and i % 2:
                connection.rollback()
                continue
            connection.commit()
            state = to
            mine.append('%d|%s|%s|%s|%s' % (nic, event, actor or '', reason or '', name))
        connection.close()
        lines.append('\n'.join(mine))
    except Exception as e:
        failures.append('%d: %s' % (number, e))


threads = [threading.Thread(target=work, args=(n,)) for n in range(1, CLIENTS + 1)]
for t in threads:
    t.start()
for t in threads:
    t.join()
print('connections:', len(backends))
print('failures:', ', '.join(failures))
print('\n'.join(sorted(lines)))
