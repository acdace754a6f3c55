#!/usr/bin/python3
# The piece of work of 070_clients.pl in Python, through the driver that the
# first argument names: psycopg2, psycopg (version 3) or pyodbc (psqlODBC).
# Where to connect to is in the environment, as libpq reads it.

import importlib
import os
import re
import sys

driver = importlib.import_module(sys.argv[1])
odbc = sys.argv[1] == 'pyodbc'
pooled = 'VMNET_POOLED' in os.environ


def connect():
    env = os.environ
    if odbc:
        # a cursor for each listing, booleans as such
        return driver.connect(
            'Driver={PostgreSQL Unicode};Servername=%s;Port=%s;Database=%s;UID=%s;PWD={%s};BoolsAsChar=0;'
            % (env['PGHOST'], env['PGPORT'], env['PGDATABASE'], env['PGUSER'], env['PGPASSWORD'])
            + ('UseServerSidePrepare=0' if pooled else 'UseDeclareFetch=1;Fetch=100'))
    connection = driver.connect('')
    if sys.argv[1] == 'psycopg':
        # 0: prepare whatever is sent; None: prepare nothing
        connection.prepare_threshold = None if pooled else 0
        # it would leave the type of a string to the server
        connection.adapters.register_dumper(str, importlib.import_module('psycopg.types.string').StrDumperVarchar)
    return connection


connection = connect()

# These leave the type of a string to the server, so it is said.
varchar = '%s' if sys.argv[1] == 'psycopg' else 'CAST(%s AS varchar)'


def text(value):
    if value is None:
        return '-'
    if isinstance(value, bool):
        return 't' if value else 'f'
    return str(value)


def say(what, *rows):
    for row in rows:
        print(what + ': ' + ', '.join(text(v) for v in row))


def run(sql, *values):
    cursor = connection.cursor()
    cursor.execute(sql.replace('%s', '?') if odbc else sql, values)
    return cursor


def rows(sql, *values):
    return [tuple(row) for row in run(sql, *values).fetchall()]


def refused(sql, *values):
    try:
        run(sql, *values)
        say('accepted', [sql])
    except driver.Error as e:
        if odbc:
            # no more than SQLSTATE, and MESSAGE and DETAIL in one text
            say('refused', [e.args[0]])
            said = re.match(r'\[\w+\] ERROR: (.*)\nDETAIL: (.*);\n', e.args[1])
            print('  %s\n  %s' % said.groups())
        else:
            d = e.diag
            say('refused', [d.sqlstate, d.constraint_name, d.schema_name, d.table_name])
            for line in (d.message_primary, d.message_detail, d.message_hint):
                print('  ' + text(line))
    connection.rollback()


def as_actor(actor):
    rows("SELECT set_config('vmnet.actor', %s, true)", actor)


say('bound', *rows('SELECT CAST(pg_typeof(' + varchar + ') AS text)', 'x'))
say('listed', *rows('SELECT instance_id, instance_name, instance_state, nic_id, nic_state, default_nic, mac_address, ip4_address, ip6_address'
                    ' FROM vmnet.network_active_instances(%s)', 1))
connection.commit()

as_actor('alice')
added = rows('SELECT vmnet.nic_add(%s, %s, %s::inet)', 3, 1, '10.1.0.30')[0][0]
say('added', [added])
inserted = rows('INSERT INTO cloud.nics (instance_id, network_id) VALUES (%s, %s) RETURNING id, state, default_nic', 3, 2)[0]
say('inserted', inserted)
connection.commit()

as_actor('bob')
for state in ('Reserving', 'Reserved', 'Releasing', 'Reserved', 'Releasing', 'Allocated', 'Reserving'):
    moved = run('UPDATE cloud.nics SET state = ' + varchar + ' WHERE id = %s', state, added).rowcount
    say('moved', [state, moved, rows('SELECT count(*) FROM cloud.nics WHERE state = ' + varchar + ' AND network_id <> 3', state)[0][0]])
connection.commit()

as_actor('mallory')
run('UPDATE cloud.nics SET state = %s WHERE id = %s', 'Reserved', added)
connection.rollback()

refused('UPDATE cloud.nics SET state = %s WHERE id = %s', 'Releasing', 1)
refused('UPDATE cloud.networks SET removed = now() WHERE id = %s', 1)
refused('INSERT INTO cloud.nics (instance_id, network_id) VALUES (%s, %s)', 1, 1)
refused('SELECT vmnet.nic_add(%s, %s, %s::inet)', 1, 2, '10.2.0.255')
refused('SELECT vmnet.nic_remove(%s)', added)

say('deleted', [run('DELETE FROM cloud.nics WHERE id = %s', inserted[0]).rowcount],
    [run('DELETE FROM cloud.nics WHERE id = %s', inserted[0]).rowcount])
say('removed', *(rows('SELECT vmnet.nic_remove(%s)', added)[0] for again in (1, 2)))
connection.commit()

def batches_of(listing, value):
    if odbc and pooled:
        # a cursor that the driver made would be looked for after its transaction
        run('DECLARE listing NO SCROLL CURSOR FOR ' + listing, value)
        while batch := rows('FETCH FORWARD 100 FROM listing'):
            yield batch
        return
    # psycopg names a cursor of the server; the ODBC driver makes one by itself
    cursor = connection.cursor() if odbc else connection.cursor(name='listing')
    cursor.execute(listing.replace('%s', '?') if odbc else listing, (value,))
    while batch := cursor.fetchmany(100):
        yield batch
    cursor.close()


for listing in ('SELECT instance_id, instance_name FROM vmnet.network_active_instances(%s)',
                'SELECT instance_id, instance_name FROM cloud.network_instances WHERE network_id = %s ORDER BY instance_id'):
    batches, ids = [], []
    for batch in batches_of(listing, 3):
        if not batches:
            run('DELETE FROM cloud.nics WHERE instance_id = %s', 2000)
        batches.append(len(batch))
        ids += [row[0] for row in batch]
    say('fetched', [len(batches), len(ids), sum(ids), ids == sorted(ids)])
    say('left', rows('SELECT count(*) FROM vmnet.network_active_instances(%s)', 3)[0])
    connection.rollback()

say('history', *rows('SELECT h.nic_id, h.event, h.from_state, h.to_state, h.removed IS NOT NULL, h.session_username, h.actor, h.application_name'
                     ' FROM cloud.nic_history h ORDER BY h.seq'))
connection.commit()
