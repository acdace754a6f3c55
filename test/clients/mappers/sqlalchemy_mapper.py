#!/usr/bin/python3
# The piece of work of 072_mappers.pl in SQLAlchemy: tables that automap reflects,
# and those of contrib/mappers for the live views; the page goes to pandas.
import datetime
import importlib.util
import os
import warnings

import pandas
from sqlalchemy import MetaData, create_engine, func, select
from sqlalchemy.exc import DBAPIError, SAWarning
from sqlalchemy.ext.automap import automap_base
from sqlalchemy.orm import Session, configure_mappers, joinedload

# what it does not know of an index or a column it says as a warning
warnings.simplefilter("error", SAWarning)

top = os.path.dirname(os.path.abspath(__file__)) + '/../../..'
spec = importlib.util.spec_from_file_location('tables', top + '/contrib/mappers/sqlalchemy_tables.py')
tables = importlib.util.module_from_spec(spec)
spec.loader.exec_module(tables)
Network, Instance, Nic, NetworkInstance = tables.Network, tables.Instance, tables.Nic, tables.NetworkInstance

engine = create_engine('postgresql+psycopg2://', future=True)
reflected = automap_base(metadata=MetaData(schema='cloud'))
reflected.prepare(autoload_with=engine)
configure_mappers()


def say(what, *values):
    print(what + ': ' + ', '.join('-' if v is None else str(v).lower() if isinstance(v, bool) else str(v) for v in values))


def relations(mapped, names):
    directions = {'MANYTOONE': 'many to one', 'ONETOMANY': 'one to many'}
    return ['%s %s' % (name.replace('all_', '').rstrip('s'), directions.get(mapped.__mapper__.relationships[name].direction.name))
            for name in names]


def refused(work):
    try:
        with Session(engine) as s, s.begin():
            work(s)
        say('accepted')
    except DBAPIError as e:
        say('refused', e.orig.diag.sqlstate, e.orig.diag.constraint_name)


AllNics = reflected.classes.all_nics
assert relations(AllNics, ['all_instances', 'all_networks']) == relations(Nic, ['instance', 'network'])
assert not AllNics.__mapper__.relationships['all_instances'].uselist
assert AllNics.__mapper__.relationships['all_instances'].back_populates and \
    reflected.classes.all_instances.__mapper__.relationships['all_nics_collection'].uselist
say('relations', *relations(Nic, ['instance', 'network']))

with Session(engine, expire_on_commit=False) as session:
    network, instance = Network(name='made', cidr='10.9.0.0/24'), Instance(name='maker')
    nic = Nic(instance=instance, network=network, ip4_address='10.9.0.9', mac_address='02:00:00:00:09:09')
    session.add(nic)
    session.flush()
    session.add(Nic(instance_id=instance.id, network_id=2))
    session.add(reflected.classes.all_networks(name='made with a table that automap reflected', uuid=None, state=None, created=None))
    session.commit()
    now = datetime.datetime.now(datetime.timezone.utc)
    say('created', network.state, network.traffic_type, instance.state, instance.type, nic.state, nic.default_nic,
        nic.uuid is not None and nic.created <= now)

    def count(*conditions):
        return session.scalar(select(func.count()).select_from(Nic).where(*conditions))

    then = datetime.datetime(2020, 1, 1, tzinfo=datetime.timezone.utc)
    say('address', *session.scalars(select(Nic.mac_address).where(Nic.ip4_address == '10.9.0.9')))
    say('time', count(Nic.network == network, Nic.created >= then), count(Nic.network == network, Nic.created < then))
    say('state', count(Nic.network == network, Nic.state == 'Allocated'))
    loaded = session.scalars(select(Nic).where(Nic.instance == instance).options(joinedload(Nic.network)).order_by(Nic.network_id))
    say('read', *(n.network.name for n in loaded))
    say('listed', *session.scalars(select(NetworkInstance.instance_name).where(NetworkInstance.network_id == network.id)))

    for state in ('Reserving', 'Reserved'):
        nic.state = state
        session.commit()
    network.name = 'renamed'
    session.commit()
    session.expire_all()
    say('updated', nic.state, session.get(Network, network.id).name)

    ids = nic.id, network.id, instance.id
    refused(lambda s: setattr(s.get(Nic, ids[0]), 'state', 'Allocated'))
    refused(lambda s: s.add(Nic(instance_id=ids[2], network_id=ids[1])))
    refused(lambda s: s.delete(s.get(Network, ids[1])))
    refused(lambda s: s.delete(s.get(Instance, ids[2])))

    session.delete(nic)
    session.commit()
    say('removed', count(Nic.network == network), session.scalar(select(func.count()).select_from(AllNics).where(
        AllNics.network_id == ids[1], AllNics.removed.is_not(None))))
    session.delete(network)
    session.commit()
    say('removed', session.scalar(select(func.count()).select_from(Network).where(Network.name == 'renamed')))

with engine.connect() as connection, warnings.catch_warnings():
    warnings.simplefilter('ignore')
    page = pandas.read_sql(select(Nic.instance_id, Nic.created).where(Nic.network_id == 3).order_by(Nic.instance_id).offset(20).limit(5), connection)
say('page', *page['instance_id'])
