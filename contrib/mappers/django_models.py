# Models of an inventory for Django; contrib/mappers/generate has written them.
from django.db import models


class Network(models.Model):
    id = models.BigAutoField(primary_key=True)
    uuid = models.UUIDField(null=True, blank=True)
    name = models.TextField(null=True, blank=True)
    state = models.TextField(null=True, blank=True)
    traffic_type = models.TextField(null=True, blank=True)
    guest_type = models.TextField(null=True, blank=True)
    cidr = models.TextField(null=True, blank=True)
    network_cidr = models.TextField(null=True, blank=True)
    gateway = models.GenericIPAddressField(null=True, blank=True)
    ip6_cidr = models.TextField(null=True, blank=True)
    ip6_gateway = models.GenericIPAddressField(null=True, blank=True)
    vpc_id = models.BigIntegerField(null=True, blank=True)
    zone_id = models.BigIntegerField(null=True, blank=True)
    domain_id = models.BigIntegerField(null=True, blank=True)
    account_id = models.BigIntegerField(null=True, blank=True)
    account_name = models.TextField(null=True, blank=True)
    domain_path = models.TextField(null=True, blank=True)
    zone_name = models.TextField(null=True, blank=True)
    nics_count = models.BigIntegerField(null=True, blank=True)
    created = models.DateTimeField(null=True, blank=True)
    removed = models.DateTimeField(null=True, blank=True)

    class Meta:
        managed = False
        db_table = '"cloud"."networks"'


class Instance(models.Model):
    id = models.BigAutoField(primary_key=True)
    uuid = models.UUIDField(null=True, blank=True)
    name = models.TextField(null=True, blank=True)
    display_name = models.TextField(null=True, blank=True)
    instance_name = models.TextField(null=True, blank=True)
    type = models.TextField(null=True, blank=True)
    state = models.TextField(null=True, blank=True)
    host_id = models.BigIntegerField(null=True, blank=True)
    host_name = models.TextField(null=True, blank=True)
    zone_id = models.BigIntegerField(null=True, blank=True)
    domain_id = models.BigIntegerField(null=True, blank=True)
    account_id = models.BigIntegerField(null=True, blank=True)
    account_name = models.TextField(null=True, blank=True)
    domain_path = models.TextField(null=True, blank=True)
    zone_name = models.TextField(null=True, blank=True)
    created = models.DateTimeField(null=True, blank=True)
    removed = models.DateTimeField(null=True, blank=True)

    class Meta:
        managed = False
        db_table = '"cloud"."instances"'


class Nic(models.Model):
    id = models.BigAutoField(primary_key=True)
    uuid = models.UUIDField(null=True, blank=True)
    instance = models.ForeignKey(Instance, models.DO_NOTHING, null=True, blank=True, db_constraint=False, related_name='nics')
    network = models.ForeignKey(Network, models.DO_NOTHING, null=True, blank=True, db_constraint=False, related_name='nics')
    state = models.TextField(null=True, blank=True)
    strategy = models.TextField(null=True, blank=True)
    reserver_name = models.TextField(null=True, blank=True)
    reservation_id = models.TextField(null=True, blank=True)
    vm_type = models.TextField(null=True, blank=True)
    device_id = models.IntegerField(null=True, blank=True)
    default_nic = models.BooleanField(null=True, blank=True)
    mac_address = models.TextField(null=True, blank=True)
    ip4_address = models.GenericIPAddressField(null=True, blank=True)
    ip6_address = models.GenericIPAddressField(null=True, blank=True)
    netmask = models.GenericIPAddressField(null=True, blank=True)
    gateway = models.GenericIPAddressField(null=True, blank=True)
    broadcast_uri = models.TextField(null=True, blank=True)
    mtu = models.BigIntegerField(null=True, blank=True)
    enabled = models.BooleanField(null=True, blank=True)
    created = models.DateTimeField(null=True, blank=True)
    state_changed = models.DateTimeField(null=True, blank=True)
    removed = models.DateTimeField(null=True, blank=True)

    class Meta:
        managed = False
        db_table = '"cloud"."nics"'


class NicSecondaryIp(models.Model):
    id = models.BigAutoField(primary_key=True)
    uuid = models.UUIDField(null=True, blank=True)
    nic = models.ForeignKey(Nic, models.DO_NOTHING, null=True, blank=True, db_constraint=False, related_name='nic_secondary_ips')
    network = models.ForeignKey(Network, models.DO_NOTHING, null=True, blank=True, db_constraint=False, related_name='nic_secondary_ips')
    ip4_address = models.GenericIPAddressField(null=True, blank=True)
    ip6_address = models.GenericIPAddressField(null=True, blank=True)
    created = models.DateTimeField(null=True, blank=True)
    removed = models.DateTimeField(null=True, blank=True)

    class Meta:
        managed = False
        db_table = '"cloud"."nic_secondary_ips"'


class NetworkInstance(models.Model):
    """Read only."""
    network = models.ForeignKey(Network, models.DO_NOTHING, null=True, blank=True, db_constraint=False, related_name='+')
    network_uuid = models.UUIDField(null=True, blank=True)
    network_name = models.TextField(null=True, blank=True)
    network_state = models.TextField(null=True, blank=True)
    traffic_type = models.TextField(null=True, blank=True)
    guest_type = models.TextField(null=True, blank=True)
    vpc_id = models.BigIntegerField(null=True, blank=True)
    instance = models.ForeignKey(Instance, models.DO_NOTHING, null=True, blank=True, db_constraint=False, related_name='+')
    instance_uuid = models.UUIDField(null=True, blank=True)
    instance_name = models.TextField(null=True, blank=True)
    instance_type = models.TextField(null=True, blank=True)
    instance_state = models.TextField(null=True, blank=True)
    nic_count = models.BigIntegerField(null=True, blank=True)
    nic_id = models.BigIntegerField(primary_key=True)
    nic_state = models.TextField(null=True, blank=True)
    device_id = models.IntegerField(null=True, blank=True)
    default_nic = models.BooleanField(null=True, blank=True)
    mac_address = models.TextField(null=True, blank=True)
    ip4_address = models.GenericIPAddressField(null=True, blank=True)
    ip6_address = models.GenericIPAddressField(null=True, blank=True)

    class Meta:
        managed = False
        db_table = '"cloud"."network_instances"'


class NetworkCounts(models.Model):
    """Read only."""
    network_id = models.BigIntegerField(primary_key=True)
    network_name = models.TextField(null=True, blank=True)
    attached_nics = models.BigIntegerField(null=True, blank=True)
    active_instances = models.BigIntegerField(null=True, blank=True)
    running_instances = models.BigIntegerField(null=True, blank=True)
    user_instances = models.BigIntegerField(null=True, blank=True)
    allocated = models.BigIntegerField(null=True, blank=True)
    reserving = models.BigIntegerField(null=True, blank=True)
    reserved = models.BigIntegerField(null=True, blank=True)
    releasing = models.BigIntegerField(null=True, blank=True)
    deallocating = models.BigIntegerField(null=True, blank=True)
    other_states = models.BigIntegerField(null=True, blank=True)
    used_ip4 = models.BigIntegerField(null=True, blank=True)

    class Meta:
        managed = False
        db_table = '"cloud"."network_counts"'


class NetworkValidation(models.Model):
    """Read only."""
    network_id = models.BigIntegerField(primary_key=True)
    network_name = models.TextField(null=True, blank=True)
    active_instances = models.BigIntegerField(null=True, blank=True)
    held_instances = models.BigIntegerField(null=True, blank=True)
    listed_instances = models.BigIntegerField(null=True, blank=True)
    reserved_user_nics = models.BigIntegerField(null=True, blank=True)
    nics_count = models.BigIntegerField(null=True, blank=True)
    agree = models.BooleanField(null=True, blank=True)
    differing_instances = models.TextField(null=True, blank=True)

    class Meta:
        managed = False
        db_table = '"cloud"."network_validation"'


class StuckNic(models.Model):
    """Read only."""
    nic_id = models.BigIntegerField(primary_key=True)
    nic_uuid = models.UUIDField(null=True, blank=True)
    network = models.ForeignKey(Network, models.DO_NOTHING, null=True, blank=True, db_constraint=False, related_name='+')
    instance = models.ForeignKey(Instance, models.DO_NOTHING, null=True, blank=True, db_constraint=False, related_name='+')
    vm_type = models.TextField(null=True, blank=True)
    state = models.TextField(null=True, blank=True)
    state_changed = models.DateTimeField(null=True, blank=True)
    age = models.DurationField(null=True, blank=True)
    last_event = models.TextField(null=True, blank=True)
    session_username = models.TextField(null=True, blank=True)
    actor = models.TextField(null=True, blank=True)
    reason = models.TextField(null=True, blank=True)
    application_name = models.TextField(null=True, blank=True)

    class Meta:
        managed = False
        db_table = '"cloud"."stuck_nics"'


class NicHistory(models.Model):
    """Read only."""
    seq = models.BigIntegerField(primary_key=True)
    nic = models.ForeignKey(Nic, models.DO_NOTHING, null=True, blank=True, db_constraint=False, related_name='+')
    network = models.ForeignKey(Network, models.DO_NOTHING, null=True, blank=True, db_constraint=False, related_name='+')
    instance = models.ForeignKey(Instance, models.DO_NOTHING, null=True, blank=True, db_constraint=False, related_name='+')
    from_state = models.TextField(null=True, blank=True)
    to_state = models.TextField(null=True, blank=True)
    event = models.TextField(null=True, blank=True)
    removed = models.DateTimeField(null=True, blank=True)
    at = models.DateTimeField(null=True, blank=True)
    transaction_id = models.BigIntegerField(null=True, blank=True)
    session_username = models.TextField(null=True, blank=True)
    actor = models.TextField(null=True, blank=True)
    reason = models.TextField(null=True, blank=True)
    application_name = models.TextField(null=True, blank=True)
    from_network_id = models.BigIntegerField(null=True, blank=True)

    class Meta:
        managed = False
        db_table = '"cloud"."nic_history"'

