-- database: mirror
SELECT n.id, h.instance_name, h.network_name, h.held_to
FROM cloud.nics n, vmnet.mac_holders(n.mac_address) h WHERE n.id = 29;
