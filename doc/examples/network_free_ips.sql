-- database: managed
SELECT ip_address FROM vmnet.network_free_ips(1, 3);
