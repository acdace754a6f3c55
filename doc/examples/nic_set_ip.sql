-- database: managed
SELECT vmnet.nic_set_ip(3, '10.20.0.21') AS changed, vmnet.nic_set_ip(3, '10.20.0.21') AS again;
