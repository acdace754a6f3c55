#!/usr/bin/python3
# Models that contrib/mappers/generate writes of columns with odd names and of
# columns that only the database sets: do they insert, and keep what they are
# given.  Needs PGHOST and so on, as the owner of the inventory.
import os
import subprocess
import sys
import tempfile

import django
from django.conf import settings
from sqlalchemy import create_engine
from sqlalchemy.orm import Session

top = os.path.dirname(os.path.abspath(__file__)) + '/../../..'
place = tempfile.mkdtemp()
os.mkdir(place + '/inventory')
open(place + '/inventory/__init__.py', 'w').close()
for kind, name in (('django', 'inventory/models.py'), ('sqlalchemy', 'tables.py')):
    with open(place + '/' + name, 'w') as f:
        subprocess.run([top + '/contrib/mappers/generate', kind], stdout=f, check=True)
sys.path.insert(0, place)

settings.configure(USE_TZ=True, INSTALLED_APPS=['inventory'], DEFAULT_AUTO_FIELD='django.db.models.AutoField', DATABASES={'default': {
    'ENGINE': 'django.db.backends.postgresql', 'HOST': os.environ['PGHOST'], 'PORT': os.environ['PGPORT'],
    'USER': os.environ['PGUSER'], 'NAME': os.environ['PGDATABASE']}})
django.setup()
from django.core.management import call_command
from inventory.models import Instance, Network, Nic
call_command('check')
network = Network.objects.create(name='odd', column_nics=3)
instance = Instance.objects.create(name='odd')
nic = Nic.objects.create(network=network, instance=instance, sp_acex='a', sp_ace=1, column_from='b', column_network='c', column_1x=2)
nic.refresh_from_db()
print('django:', nic.state, nic.sp_acex, nic.sp_ace, nic.column_from, nic.column_network, nic.column_1x, nic.network.column_nics)
nic.delete()

import tables
session = Session(create_engine('postgresql+psycopg2://'))
nic = tables.Nic(network_id=network.id, instance_id=instance.id, sp_acex='a', column_metadata='d', mtu=9)
session.add(nic)
session.flush()
print('sqlalchemy:', nic.state, nic.sp_acex, nic.column_metadata, nic.twice, nic.number > 0, nic.rack)
session.delete(nic)
session.commit()
