#!/usr/bin/python3
# The piece of work of 072_mappers.pl in Django: models that inspectdb writes of
# the tables, and those of contrib/mappers for the live views.
import importlib
import os
import shutil
import subprocess
import sys
import tempfile

import django
from django.conf import settings
from django.db import DatabaseError, models, transaction
from django.utils.timezone import now

top = os.path.dirname(os.path.abspath(__file__)) + '/../../..'
place = tempfile.mkdtemp()
for app, text in (('inventory', open(top + '/contrib/mappers/django_models.py').read()), ('introspected', '')):
    os.mkdir(place + '/' + app)
    open(place + '/' + app + '/__init__.py', 'w').close()
    with open(place + '/' + app + '/models.py', 'w') as f:
        f.write(text)
with open(place + '/mapper_settings.py', 'w') as f:
    f.write('''
import os
SECRET_KEY = 'x'
USE_TZ = True
INSTALLED_APPS = ['inventory']
DATABASES = {'default': {'ENGINE': 'django.db.backends.postgresql', 'HOST': os.environ['PGHOST'], 'PORT': os.environ['PGPORT'],
                         'USER': os.environ['PGUSER'], 'NAME': os.environ['PGDATABASE'], 'OPTIONS': {'options': '-c search_path=cloud'}}}
''')
environment = dict(os.environ, PYTHONPATH=place, DJANGO_SETTINGS_MODULE='mapper_settings')
written = subprocess.run([sys.executable, '-m', 'django', 'inspectdb', '--include-views'], env=environment, check=True,
                         stdout=subprocess.PIPE, universal_newlines=True).stdout
with open(place + '/introspected/models.py', 'w') as f:
    f.write(written)

sys.path.insert(0, place)
import mapper_settings
settings.configure(**{k: getattr(mapper_settings, k) for k in dir(mapper_settings) if k.isupper() and k != 'INSTALLED_APPS'},
                   INSTALLED_APPS=['inventory', 'introspected'])
django.setup()
from inventory.models import Instance, Network, NetworkInstance, Nic
from introspected.models import AllNics, Networks


def say(what, *values):
    print(what + ': ' + ', '.join('-' if v is None else str(v).lower() if isinstance(v, bool) else str(v) for v in values))


def refused(work):
    try:
        with transaction.atomic():
            work()
        say('accepted')
    except DatabaseError as e:
        say('refused', e.__cause__.diag.sqlstate, e.__cause__.diag.constraint_name)


relations = [['%s %s' % (f.name, 'many to one' if f.many_to_one else 'one to one' if f.one_to_one else 'other')
              for f in model._meta.get_fields() if f.is_relation and f.name in ('instance', 'network')] for model in (AllNics, Nic)]
assert relations[0] == relations[1], relations
say('relations', *relations[0])

network = Network.objects.create(name='made', cidr='10.9.0.0/24')
instance = Instance.objects.create(name='maker')
nic = Nic.objects.create(instance=instance, network=network, ip4_address='10.9.0.9', mac_address='02:00:00:00:09:09')
Nic.objects.create(instance=instance, network_id=2)
for row in (network, instance, nic):
    row.refresh_from_db()
say('created', network.state, network.traffic_type, instance.state, instance.type, nic.state, nic.default_nic,
    nic.uuid is not None and nic.created <= now())
Networks.objects.create(name='made with a model that inspectdb wrote')

say('address', *(n.mac_address for n in Nic.objects.filter(ip4_address='10.9.0.9')))
say('time', Nic.objects.filter(network=network, created__gte='2020-01-01T00:00:00Z').count(),
    Nic.objects.filter(network=network, created__lt='2020-01-01T00:00:00Z').count())
say('state', Nic.objects.filter(network=network, state='Allocated').count())
say('read', *(n.network.name for n in instance.nics.select_related('network').order_by('network_id')))
say('listed', *NetworkInstance.objects.filter(network_id=network.id).values_list('instance_name', flat=True))

for state in ('Reserving', 'Reserved'):
    nic.state = state
    nic.save()
network.name = 'renamed'
network.save()
nic.refresh_from_db()
say('updated', nic.state, Network.objects.get(id=network.id).name)

nic.state = 'Allocated'
refused(nic.save)
refused(lambda: Nic.objects.create(instance=instance, network=network))
refused(network.delete)
refused(instance.delete)

nic.refresh_from_db()
nic.delete()
say('removed', Nic.objects.filter(network=network).count(), AllNics.objects.filter(network_id=network.id, removed__isnull=False).count())
network.delete()
say('removed', Network.objects.filter(name='renamed').count())
say('page', *(Instance.objects.filter(nics__network_id=3).order_by('id').values_list('id', flat=True)[20:25]))
shutil.rmtree(place)
