# Tables of an inventory for SQLAlchemy; contrib/mappers/generate has written them.
from sqlalchemy import BigInteger, Boolean, Column, DateTime, FetchedValue, ForeignKey, Integer, Interval, Text
from sqlalchemy.dialects.postgresql import ARRAY, CIDR, INET, MACADDR, UUID
from sqlalchemy.orm import declarative_base, relationship

Base = declarative_base()


class Network(Base):
    __tablename__ = 'networks'
    __table_args__ = {'schema': 'cloud'}

    id = Column(BigInteger, primary_key=True)
    uuid = Column(UUID(as_uuid=True), server_default=FetchedValue())
    name = Column(Text)
    state = Column(Text, server_default=FetchedValue())
    traffic_type = Column(Text, server_default=FetchedValue())
    guest_type = Column(Text)
    cidr = Column(CIDR)
    network_cidr = Column(CIDR)
    gateway = Column(INET)
    ip6_cidr = Column(CIDR)
    ip6_gateway = Column(INET)
    all_cidrs = Column(ARRAY(CIDR))
    all_gateways = Column(ARRAY(INET))
    vpc_id = Column(BigInteger)
    zone_id = Column(BigInteger)
    domain_id = Column(BigInteger)
    account_id = Column(BigInteger)
    account_name = Column(Text)
    domain_path = Column(Text)
    zone_name = Column(Text)
    nics_count = Column(BigInteger)
    created = Column(DateTime(timezone=True), server_default=FetchedValue())
    removed = Column(DateTime(timezone=True))
    nics = relationship('Nic', back_populates='network', passive_deletes='all')
    nic_secondary_ips = relationship('NicSecondaryIp', back_populates='network', passive_deletes='all')


class Instance(Base):
    __tablename__ = 'instances'
    __table_args__ = {'schema': 'cloud'}

    id = Column(BigInteger, primary_key=True)
    uuid = Column(UUID(as_uuid=True), server_default=FetchedValue())
    name = Column(Text)
    display_name = Column(Text)
    instance_name = Column(Text)
    type = Column(Text, server_default=FetchedValue())
    state = Column(Text, server_default=FetchedValue())
    host_id = Column(BigInteger)
    host_name = Column(Text)
    zone_id = Column(BigInteger)
    domain_id = Column(BigInteger)
    account_id = Column(BigInteger)
    account_name = Column(Text)
    domain_path = Column(Text)
    zone_name = Column(Text)
    created = Column(DateTime(timezone=True), server_default=FetchedValue())
    removed = Column(DateTime(timezone=True))
    nics = relationship('Nic', back_populates='instance', passive_deletes='all')


class Nic(Base):
    __tablename__ = 'nics'
    __table_args__ = {'schema': 'cloud'}

    id = Column(BigInteger, primary_key=True)
    uuid = Column(UUID(as_uuid=True), server_default=FetchedValue())
    instance_id = Column(BigInteger, ForeignKey('cloud.instances.id'))
    network_id = Column(BigInteger, ForeignKey('cloud.networks.id'))
    state = Column(Text, server_default=FetchedValue())
    strategy = Column(Text, server_default=FetchedValue())
    reserver_name = Column(Text)
    reservation_id = Column(Text)
    vm_type = Column(Text, server_default=FetchedValue())
    device_id = Column(Integer)
    default_nic = Column(Boolean, server_default=FetchedValue())
    mac_address = Column(MACADDR)
    ip4_address = Column(INET)
    ip6_address = Column(INET)
    netmask = Column(INET)
    gateway = Column(INET)
    broadcast_uri = Column(Text)
    mtu = Column(BigInteger)
    enabled = Column(Boolean, server_default=FetchedValue())
    created = Column(DateTime(timezone=True), server_default=FetchedValue())
    state_changed = Column(DateTime(timezone=True), server_default=FetchedValue())
    removed = Column(DateTime(timezone=True))
    instance = relationship('Instance', back_populates='nics')
    network = relationship('Network', back_populates='nics')
    nic_secondary_ips = relationship('NicSecondaryIp', back_populates='nic', passive_deletes='all')


class NicSecondaryIp(Base):
    __tablename__ = 'nic_secondary_ips'
    __table_args__ = {'schema': 'cloud'}

    id = Column(BigInteger, primary_key=True)
    uuid = Column(UUID(as_uuid=True), server_default=FetchedValue())
    nic_id = Column(BigInteger, ForeignKey('cloud.nics.id'))
    network_id = Column(BigInteger, ForeignKey('cloud.networks.id'))
    ip4_address = Column(INET)
    ip6_address = Column(INET)
    created = Column(DateTime(timezone=True), server_default=FetchedValue())
    removed = Column(DateTime(timezone=True))
    nic = relationship('Nic', back_populates='nic_secondary_ips')
    network = relationship('Network', back_populates='nic_secondary_ips')


class NetworkInstance(Base):
    """Read only."""
    __tablename__ = 'network_instances'
    __table_args__ = {'schema': 'cloud'}

    network_id = Column(BigInteger, ForeignKey('cloud.networks.id'), primary_key=True)
    network_uuid = Column(UUID(as_uuid=True))
    network_name = Column(Text)
    network_state = Column(Text)
    traffic_type = Column(Text)
    guest_type = Column(Text)
    vpc_id = Column(BigInteger)
    instance_id = Column(BigInteger, ForeignKey('cloud.instances.id'), primary_key=True)
    instance_uuid = Column(UUID(as_uuid=True))
    instance_name = Column(Text)
    instance_type = Column(Text)
    instance_state = Column(Text)
    nic_count = Column(BigInteger)
    nic_id = Column(BigInteger, ForeignKey('cloud.nics.id'))
    nic_state = Column(Text)
    device_id = Column(Integer)
    default_nic = Column(Boolean)
    mac_address = Column(MACADDR)
    ip4_address = Column(INET)
    ip6_address = Column(INET)


class NetworkCounts(Base):
    """Read only."""
    __tablename__ = 'network_counts'
    __table_args__ = {'schema': 'cloud'}

    network_id = Column(BigInteger, primary_key=True)
    network_name = Column(Text)
    attached_nics = Column(BigInteger)
    active_instances = Column(BigInteger)
    running_instances = Column(BigInteger)
    user_instances = Column(BigInteger)
    allocated = Column(BigInteger)
    reserving = Column(BigInteger)
    reserved = Column(BigInteger)
    releasing = Column(BigInteger)
    deallocating = Column(BigInteger)
    other_states = Column(BigInteger)
    used_ip4 = Column(BigInteger)


class VpcInstance(Base):
    """Read only."""
    __tablename__ = 'vpc_instances'
    __table_args__ = {'schema': 'cloud'}

    vpc_id = Column(BigInteger, primary_key=True)
    instance_id = Column(BigInteger, ForeignKey('cloud.instances.id'), primary_key=True)
    instance_uuid = Column(UUID(as_uuid=True))
    instance_name = Column(Text)
    instance_type = Column(Text)
    instance_state = Column(Text)
    network_count = Column(BigInteger)
    nic_count = Column(BigInteger)


class NetworkValidation(Base):
    """Read only."""
    __tablename__ = 'network_validation'
    __table_args__ = {'schema': 'cloud'}

    network_id = Column(BigInteger, primary_key=True)
    network_name = Column(Text)
    active_instances = Column(BigInteger)
    held_instances = Column(BigInteger)
    listed_instances = Column(BigInteger)
    reserved_user_nics = Column(BigInteger)
    nics_count = Column(BigInteger)
    agree = Column(Boolean)
    differing_instances = Column(ARRAY(BigInteger))


class StuckNic(Base):
    """Read only."""
    __tablename__ = 'stuck_nics'
    __table_args__ = {'schema': 'cloud'}

    nic_id = Column(BigInteger, primary_key=True)
    nic_uuid = Column(UUID(as_uuid=True))
    network_id = Column(BigInteger)
    instance_id = Column(BigInteger)
    vm_type = Column(Text)
    state = Column(Text)
    state_changed = Column(DateTime(timezone=True))
    age = Column(Interval)
    last_event = Column(Text)
    session_username = Column(Text)
    actor = Column(Text)
    reason = Column(Text)
    application_name = Column(Text)


class NicHistory(Base):
    """Read only."""
    __tablename__ = 'nic_history'
    __table_args__ = {'schema': 'cloud'}

    seq = Column(BigInteger, primary_key=True)
    nic_id = Column(BigInteger)
    network_id = Column(BigInteger)
    instance_id = Column(BigInteger)
    from_state = Column(Text)
    to_state = Column(Text)
    event = Column(Text)
    removed = Column(DateTime(timezone=True))
    at = Column(DateTime(timezone=True))
    transaction_id = Column(BigInteger)
    session_username = Column(Text)
    actor = Column(Text)
    reason = Column(Text)
    application_name = Column(Text)
    from_network_id = Column(BigInteger)

